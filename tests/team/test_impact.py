"""Did it work: counts by group of streets, the difference with its interval, words of caution."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.team.impact import GROUPS
from patrolplan.team.impact import _paired

SPANS = {"before": ("2026-04", "2026-06"), "after": ("2026-07", "2026-09")}


def _doses(names, day=dt.date(2026, 7, 6)):
    return pd.DataFrame({"hotspot": list(names), "date": day, "minutes": 15.0})


@pytest.fixture(scope="module")
def impact(demo_plan):
    """The demo borough, as if the first three hotspots had been dosed in July."""
    doses = _doses(["H1", "H2", "H3"])
    return pp.impact_of(demo_plan.area, demo_plan.hotspots, doses, **SPANS)


def _slow_count(area, pieces, months):
    """Incidents one by one, each by the part of its catchment's street that is in the pieces."""
    share = area.catchments.piece_share
    inside = set(pieces)
    part = {}
    for piece, catchment in enumerate(area.catchments.of_piece):
        if piece in inside:
            part[catchment] = part.get(catchment, 0.0) + share[piece]
    rows = zip(
        area.incidents["category"], area.incidents["month"], area.incident_catchment, strict=True
    )
    counted = set(area.settings.crimes.counted)
    return sum(
        part.get(catchment, 0.0)
        for category, month, catchment in rows
        if category in counted and f"{month:%Y-%m}" in months
    )


def test_counts_are_those_of_adding_up_one_by_one(impact, demo_plan):
    """Dosed hotspots hold what a plain loop over incidents finds in their stretches."""
    three = demo_plan.hotspots["pieces"].head(3)
    pieces = {piece for stretch in three for piece in stretch}
    before = _slow_count(demo_plan.area, pieces, {"2026-04", "2026-05", "2026-06"})
    after = _slow_count(demo_plan.area, pieces, {"2026-07", "2026-08", "2026-09"})
    assert impact.counts.loc["dosed", ["before", "after"]].tolist() == pytest.approx(
        [before, after]
    )


def test_the_difference_is_that_of_its_formula(impact):
    """The difference of differences, streets around included, with equally long spans."""
    change = impact.counts["after"] - impact.counts["before"]
    t, c, d, e = (change[name] for name in GROUPS)
    assert impact.wdd == pytest.approx(t - c + d - e)
    assert impact.low < impact.wdd < impact.high


def test_no_street_is_counted_twice(impact, demo_plan):
    """The four groups together are no longer than the network."""
    assert impact.counts["metres"].sum() <= demo_plan.area.network.metres


def test_pairs_are_the_nearest_in_count():
    """Each dosed hotspot is paired with the undosed one whose count before was nearest."""
    before = np.array([50.0, 5.0, 48.0, 6.0, 20.0])
    dosed = np.array([True, True, False, False, False])
    assert _paired(before, dosed).tolist() == [2, 3]


def test_a_halving_is_found_and_nothing_is_not(demo_plan):
    """Crime taken away from the dosed streets after shows as fewer; left alone it is chance."""
    area, hotspots = demo_plan.area, demo_plan.hotspots
    alone = pp.impact_of(area, hotspots, _doses(["H1", "H5"]), **SPANS)
    there = np.concatenate([hotspots["pieces"][row] for row in (0, 4)])
    mine = np.isin(area.incident_catchment, area.catchments.of_piece[there])
    late = (area.incidents["month"] >= "2026-07").to_numpy()
    gone = mine & late & (np.arange(len(mine)) % 4 > 0)
    fewer = replace(
        area, incidents=area.incidents[~gone], incident_catchment=area.incident_catchment[~gone]
    )
    helped = pp.impact_of(fewer, hotspots, _doses(["H1", "H5"]), **SPANS)
    assert helped.high < 0
    assert helped.fall_chance < 0.001
    assert "fewer" in helped.said
    assert "more than chance" in helped.said
    assert helped.wdd < alone.wdd


def test_intervals_hold_their_promise_where_nothing_happens(demo_plan):
    """With months drawn anew from the same rates, some 95 in 100 intervals hold zero."""
    area, hotspots = demo_plan.area, demo_plan.hotspots
    rng = np.random.default_rng(7)
    months = pd.to_datetime(["2026-05-01", "2026-08-01"])
    held = 0
    for _ in range(60):
        drawn = rng.integers(0, 2, len(area.incidents))
        incidents = area.incidents.assign(month=months[drawn])
        shuffled = replace(area, incidents=incidents)
        names = rng.choice(hotspots["hotspot"], 8, replace=False)
        result = pp.impact_of(
            shuffled,
            hotspots,
            _doses(names, dt.date(2026, 8, 3)),
            before=("2026-05", "2026-05"),
            after=("2026-08", "2026-08"),
        )
        held += result.low <= 0 <= result.high
    assert held >= 52


def test_too_few_incidents_cannot_tell(demo_plan):
    """With hardly an incident nothing is claimed."""
    result = pp.impact_of(
        demo_plan.area,
        demo_plan.hotspots,
        _doses(["H1"]),
        categories=["Robbery"],
        before=("2026-06", "2026-06"),
        after=("2026-07", "2026-07"),
    )
    assert not result.enough
    assert "Too few" in str(result)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"before": ("2026-07", "2026-08")}, "let before end first"),
        ({"before": ("1999-01", "1999-02")}, "choose months from 2024-10 to 2026-09"),
        ({"after": ("2026-30", "2026-31")}, "write YYYY-MM"),
    ],
)
def test_wrong_months_are_told(demo_plan, change, told):
    """Months outside the data, in the wrong order or misspelt are named with a remedy."""
    with pytest.raises(pp.InputError, match=told):
        pp.impact_of(demo_plan.area, demo_plan.hotspots, _doses(["H1"]), **{**SPANS, **change})


def test_without_a_comparison_nothing_is_said(demo_plan):
    """Where no hotspot or every hotspot was dosed, there is nothing to compare."""
    with pytest.raises(pp.InputError, match="no hotspot had a dose"):
        pp.impact_of(demo_plan.area, demo_plan.hotspots, _doses([]), **SPANS)
    everyone = _doses(demo_plan.hotspots["hotspot"])
    with pytest.raises(pp.InputError, match="every hotspot had a dose"):
        pp.impact_of(demo_plan.area, demo_plan.hotspots, everyone, **SPANS)
