"""Briefs with missing months: gaps are mentioned, and nothing is compared across them."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from missing_months import drop_months, split_forces

from patrolplan.errors import InputError
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import (
    build_brief_document,
    format_brief_lines,
    render_brief,
)
from patrolplan.outputs.brief.crime_counts import find_walking_area
from patrolplan.outputs.brief.periods import Period, measure_months

FORCE = "Eastmere Police (fictional)"
URN = "900003"


@pytest.fixture(scope="module")
def hotspots(demo_plan):
    """Hotspots of the demo borough."""
    return demo_plan.hotspots


@pytest.fixture(scope="module")
def full(demo_area, hotspots):
    """The brief of full months."""
    return build_brief(demo_area, hotspots, URN, dt.date(2026, 8, 1))


def of(area, hotspots, *months, force=FORCE, since=dt.date(2026, 8, 1)):
    """The brief of a school where these months are missing."""
    return build_brief(drop_months(area, [(force, m) for m in months]), hotspots, URN, since)


def _walk_shares(area):
    row = list(area.schools["urn"]).index(URN)
    return find_walking_area(area, row).catchment_shares


@pytest.mark.parametrize("gone", ["2026-08", "2025-11", "2025-09"])
def test_a_gap_leaves_nothing_to_compare(demo_area, hotspots, full, gone):
    """With a month missing now, before or a year before, counts stand alone and nothing rises."""
    found = of(demo_area, hotspots, gone)
    assert found.held == pytest.approx((2.0 - (gone == "2026-08"), 12.0 - (gone < "2026")))
    for one in (*found.categories, found.total, *found.streets):
        assert one.usual.text == one.year_before.text == "not comparable"
        assert not one.rising
        assert one.p_value is None
    text = "\n".join(format_brief_lines(found))
    assert "recorded crime is not comparable with before" in text
    assert "Counts cover only these and are not compared." in text
    if gone != "2026-08":
        assert found.total.now.value == full.total.now.value
    document = json.loads(json.dumps(build_brief_document(found)))
    assert document["held"] == pytest.approx(found.held)
    assert document["all"]["usual"] is None
    assert render_brief(found).startswith(b"%PDF")


def test_a_gap_of_a_few_streets_is_made_up_for(demo_area, hotspots, full):
    """Where under a twentieth of a period is missing, counts are compared by the time held."""
    forces = split_forces(demo_area, share=0.05)
    found = of(forces, hotspots, "2025-11", force="West")
    assert found.held is None
    assert found.total.usual.value == pytest.approx(full.total.usual.value, rel=0.03)


def test_full_months_are_said_to_be_so_by_silence(full):
    """A brief of full months has no word on months held."""
    assert full.held is None
    assert "missing" not in "\n".join(format_brief_lines(full))
    assert build_brief_document(full)["held"] is None


def test_nothing_to_compare_is_an_error(demo_area, hotspots):
    """Where no month since then is held around the school, the command says what to do."""
    forces = split_forces(demo_area, share=1.0, names=("East", "West"))
    added = forces.incidents["force"].cat.add_categories("Far").copy()
    last = (forces.incidents["month"] >= "2026-08-01").to_numpy()
    farthest = np.argmin(_walk_shares(forces))
    there = forces.incident_catchment == farthest
    added[last & there] = "Far"
    area = drop_months(_with_forces(forces, added), [("West", "2026-08"), ("West", "2026-09")])
    if area.incidents["month"].max() < pd.Timestamp("2026-08-01"):
        pytest.skip("no crime far away in the last months")
    with pytest.raises(InputError, match="are missing around this school"):
        build_brief(area, hotspots, URN, dt.date(2026, 8, 1))


def _with_forces(area, force):
    return replace(area, incidents=area.incidents.assign(force=force))


def test_months_are_measured_in_days_where_days_are_known():
    """The parts of months in a period add up to its days, or to its whole months."""
    period = Period(pd.Timestamp("2026-02-10"), pd.Timestamp("2026-04-03"))
    months, lengths = measure_months(period, by_day=True)
    assert months.strftime("%Y-%m").tolist() == ["2026-02", "2026-03", "2026-04"]
    assert lengths.tolist() == [19.0, 31.0, 2.0]
    whole = Period(pd.Timestamp("2026-02-01"), pd.Timestamp("2026-04-01"))
    assert measure_months(whole, by_day=False)[1].tolist() == [1.0, 1.0]
