"""Briefs with missing months: gaps are mentioned, and never look like a fall."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from missing_months import drop_months, split_forces

from patrolplan.errors import InputError
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import (
    build_brief_document,
    format_brief_lines,
    render_brief,
)
from patrolplan.outputs.brief.crime_counts import find_walking_area
from patrolplan.outputs.brief.periods import BoundedMonths, Period, measure_months

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


def test_usual_is_the_mean_of_months_held(demo_area, hotspots, full):
    """Four of twelve months gone: usual is that of the eight, for as long a time."""
    gone = ["2026-03", "2026-04", "2026-05", "2026-06"]
    found = of(demo_area, hotspots, *gone)
    assert found.held == pytest.approx((2.0, 8.0))
    held = drop_months(demo_area, [(FORCE, month) for month in gone])
    months = held.incidents["month"]
    inside = (months >= "2025-08-01") & (months < "2026-08-01")
    inside &= held.incidents["category"].isin([one.name for one in found.categories])
    shares = _walk_shares(held)[held.incident_catchment]
    assert found.total.usual.value == pytest.approx(shares[inside].sum() * 2 / 8)
    assert found.total.now.value == full.total.now.value
    assert found.total.usual.value == pytest.approx(full.total.usual.value, rel=0.1)


def _walk_shares(area):
    row = list(area.schools["urn"]).index(URN)
    return find_walking_area(area, row).catchment_shares


def test_a_month_missing_since_then_is_no_fall(demo_area, hotspots, full):
    """The last two months with one missing: compared is one month, and the reader is told."""
    found = of(demo_area, hotspots, "2026-08")
    assert found.held == pytest.approx((1.0, 12.0))
    assert found.total.usual.value == pytest.approx(full.total.usual.value / 2)
    text = "\n".join(format_brief_lines(found))
    assert "1 of 2 months of this period and 12 of 12 months before it are held" in text
    assert found.total.year_before.text == "no data"
    assert json.loads(json.dumps(build_brief_document(found)))["held"] == [1.0, 12.0]
    assert render_brief(found).startswith(b"%PDF")


def test_a_year_before_with_a_gap_is_not_shown(demo_area, hotspots, full):
    """Fewer months a year before would look like a rise since: the number is not given."""
    found = of(demo_area, hotspots, "2025-09")
    assert full.total.year_before.value is not None
    assert found.total.year_before.value is None
    assert all(one.year_before.value is None for one in (*found.categories, *found.streets))


def test_full_months_are_said_to_be_so_by_silence(full):
    """A brief of full months has no word on months held."""
    assert full.held is None
    assert "missing" not in "\n".join(format_brief_lines(full))
    assert build_brief_document(full)["held"] is None


@pytest.mark.parametrize("urn", ["900003", "900010"])
def test_no_rise_that_full_months_do_not_show(demo_area, hotspots, urn):
    """With any months missing, nothing rises that does not rise in complete data."""
    since = dt.date(2026, 6, 1)
    rising = {one.name for one in build_brief(demo_area, hotspots, urn, since).rising}
    months = pd.date_range("2025-06-01", "2026-09-01", freq="MS").strftime("%Y-%m").tolist()
    rng = np.random.default_rng(1)
    for number in (1, 2, 4, 6):
        gone = [(FORCE, month) for month in rng.choice(months[:-1], number, replace=False)]
        found = build_brief(drop_months(demo_area, gone), hotspots, urn, since)
        assert {one.name for one in found.rising} <= rising


def test_a_rise_shows_through_a_gap(demo_area, hotspots):
    """What rises by far still does when two months of the baseline are missing."""
    since = pd.Timestamp("2026-08-01")
    late = (demo_area.incidents["month"] >= since).to_numpy()
    rows = np.append(np.arange(len(late)), np.repeat(np.flatnonzero(late), 2))
    tripled = replace(
        demo_area,
        incidents=demo_area.incidents.iloc[rows].reset_index(drop=True),
        incident_catchment=demo_area.incident_catchment[rows],
    )
    gone = drop_months(tripled, [(FORCE, "2025-11"), (FORCE, "2026-03")])
    assert build_brief(gone, hotspots, URN, since.date()).rising


def test_streets_of_a_force_without_data_are_left_out_and_said(demo_area, hotspots):
    """Streets whose force has no month since then are in none of the numbers."""
    forces = split_forces(demo_area)
    walked = _walk_shares(demo_area) > 0
    west = forces.exposure.shares[:, forces.exposure.forces.index("West")]
    cut = np.unique(west[walked])
    if len(cut) == 1:
        pytest.skip("the walk lies in one half")
    found = of(forces, hotspots, "2026-08", "2026-09", force="West")
    assert 0 < found.left_out_share < 1
    counted = drop_months(forces, [("West", month) for month in ("2026-08", "2026-09")])
    inside = counted.incidents["month"] >= "2026-08-01"
    inside &= counted.incidents["category"].isin([one.name for one in found.categories])
    shares = np.where(west > 0.75, 0.0, _walk_shares(counted))[counted.incident_catchment]
    assert found.total.now.value == pytest.approx(shares[inside].sum(), rel=0.02)
    assert "Left out:" in "\n".join(format_brief_lines(found))


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


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=8),
    st.floats(0, 5),
    st.floats(5, 40),
)
def test_bounds_are_those_of_adding_up(months, low, high):
    """Missing months at the lowest and the highest rate give the least and the most there was."""
    counts = np.array([[count if held else 0.0] for count, held in months])
    held = np.array([float(held) for _, held in months])
    bounded = BoundedMonths(counts, np.ones(len(months)), held)
    missing = sum(not one for _, one in months)
    assert bounded.fill(np.array([low])).sum() == pytest.approx(counts.sum() + missing * low)
    assert bounded.fill(np.array([high])).sum() == pytest.approx(counts.sum() + missing * high)
    assert len(bounded.find_rates()) == len(months) - missing


def test_months_are_measured_in_days_where_days_are_known():
    """The parts of months in a period add up to its days, or to its whole months."""
    period = Period(pd.Timestamp("2026-02-10"), pd.Timestamp("2026-04-03"))
    months, lengths = measure_months(period, by_day=True)
    assert months.strftime("%Y-%m").tolist() == ["2026-02", "2026-03", "2026-04"]
    assert lengths.tolist() == [19.0, 31.0, 2.0]
    whole = Period(pd.Timestamp("2026-02-01"), pd.Timestamp("2026-04-01"))
    assert measure_months(whole, by_day=False)[1].tolist() == [1.0, 1.0]
