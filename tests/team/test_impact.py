"""Did it work: counts by group of streets, the difference with its interval, words of caution."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from missing_months import drop_months, split_forces
from team.slow_counts import keep_incidents, list_counted

import patrolplan as pp
from patrolplan.team.impact import GROUPS, _compute_difference

SPANS = {"before": ("2026-04", "2026-06"), "after": ("2026-07", "2026-09")}


def _doses(names, day=dt.date(2026, 7, 6)):
    return pd.DataFrame({"hotspot": list(names), "date": day, "minutes": 15.0})


@pytest.fixture(scope="module")
def impact(demo_plan):
    """The demo borough, as if the first three hotspots had been dosed in July."""
    doses = _doses(["H1", "H2", "H3"])
    return pp.estimate_impact(demo_plan.area, demo_plan.hotspots, doses, **SPANS)


def _count(area, hotspots, *spans):
    """Incidents of months one by one, by the part of their catchment's street in three hotspots."""
    pieces = hotspots.set_index("hotspot")["pieces"][["H1", "H2", "H3"]]
    counted = list_counted(area, np.unique(np.concatenate([*pieces])))
    months = [counted["month"].isin(pd.DatetimeIndex(span)) for span in spans]
    return pytest.approx([counted["part"][some].sum() for some in months])


def test_counts_are_those_of_adding_up_one_by_one(impact, demo_plan):
    """Dosed hotspots hold what a plain loop over incidents finds in their stretches."""
    spans = ["2026-04", "2026-05", "2026-06"], ["2026-07", "2026-08", "2026-09"]
    counts = _count(demo_plan.area, demo_plan.hotspots, *spans)
    assert [*impact.counts.loc["dosed", ["before", "after"]]] == counts


def test_the_difference_is_that_of_its_formula(impact):
    """The changes of the comparison are brought to the size of the dosed, streets around too."""
    before = impact.counts["before"]
    change = impact.counts["after"] - before
    t, c, d, e = (change[name] for name in GROUPS)
    t0, c0, d0, e0 = (before[name] for name in GROUPS)
    assert impact.wdd == pytest.approx(t - c * t0 / c0 + d - e * d0 / e0)
    assert impact.low < impact.wdd < impact.high


def test_an_incident_in_two_groups_counts_in_both_at_once():
    """Halves in dosed and comparison cancel out; halves in dosed and around make a whole."""
    parts, events = np.array([[0.5], [0.5], [0.0], [0.0]]), np.array([[300.0, 200.0]])
    cancelled = _compute_difference(parts, events)
    assert cancelled[:3] == pytest.approx((0, 0, 0), abs=1e-9)
    events = np.array([[90.0, 70.0], [80.0, 85.0]])
    halves = _compute_difference(np.array([[0.5, 0.0], [0.0, 0.5]] * 2), events)
    assert halves == pytest.approx(_compute_difference(np.eye(4)[:, :2], events))


def _fallen(area, seed, *, hotspots=None, effect=0.0):
    """A year of months drawn at random, a quarter less later; of these hotspots more is gone."""
    rng = np.random.default_rng(seed)
    span = pd.date_range("2025-10-01", periods=12, freq="MS")
    used = area.incidents["month"].isin(span).to_numpy() & (area.incident_catchment >= 0)
    month = area.incidents["month"].to_numpy().copy()
    month[used] = span.to_numpy()[rng.integers(0, 12, used.sum())]
    stays = np.full(len(area.catchments), 0.75)
    if hotspots is not None:
        there = np.isin(np.arange(len(area.network)), np.concatenate(list(hotspots["pieces"])))
        share = np.where(there, area.catchments.piece_share, 0.0)
        stays *= 1 - effect * np.bincount(area.catchments.piece_catchment, share, len(stays))
    late = used & (month >= span.to_numpy()[6])
    stays_in = used & (~late | (rng.random(len(used)) < stays[area.incident_catchment]))
    return keep_incidents(area, stays_in, month=month)


def test_months_that_are_missing_count_neither_before_nor_after(demo_plan):
    """A month that one force of two has not published counts nowhere, and is named."""
    area = drop_months(split_forces(demo_plan.area), [("West", "2026-05"), ("West", "2026-08")])
    doses = _doses(["H1", "H2", "H3"])
    found = pp.estimate_impact(area, demo_plan.hotspots, doses, **SPANS)
    assert found.months == (2, 2)
    counts = _count(area, demo_plan.hotspots, ["2026-04", "2026-06"], ["2026-07", "2026-09"])
    assert [*found.counts.loc["dosed", ["before", "after"]]] == counts
    assert any("2026-05, 2026-08" in caution for caution in found.cautions)


HALVES = {"before": ("2025-10", "2026-03"), "after": ("2026-04", "2026-09")}


@pytest.mark.parametrize("share", [pytest.param(0.5, marks=pytest.mark.slow), 0.85])
def test_a_general_fall_is_no_effect(demo_area, found, share):
    """Where all falls by a quarter, also in the worst hotspots, 5 in 100 are more than chance."""
    area, hotspots = demo_area, found[1]
    names = hotspots["hotspot"].head(int(len(hotspots) * share))
    fewer = more = 0
    for seed in range(60):
        fallen = _fallen(area, seed)
        found = pp.estimate_impact(fallen, hotspots, _doses(names, dt.date(2026, 5, 4)), **HALVES)
        assert not found.too_few
        fewer += found.high < 0
        more += found.low > 0
    assert fewer <= 4
    assert more <= 4


def test_an_effect_beside_a_general_fall_is_found(demo_plan):
    """With half of crime in the dosed hotspots gone as well, most runs tell fewer."""
    area, dosed = demo_plan.area, demo_plan.hotspots.head(len(demo_plan.hotspots) // 2)
    found = 0
    for seed in range(10):
        helped = _fallen(area, seed, hotspots=dosed, effect=0.5)
        doses = _doses(dosed["hotspot"], dt.date(2026, 5, 4))
        impact = pp.estimate_impact(helped, demo_plan.hotspots, doses, **HALVES)
        found += impact.high < 0
        words = ("fewer", "more than chance") if impact.high < 0 else ("within chance",)
        assert all(word in impact.summary for word in words)
    assert found >= 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"before": ("2026-07", "2026-08")}, "end 'before' before 'after' begins"),
        ({"before": ("2026-04", "2026-07")}, "end 'before' before 'after' begins"),  # one in both
        ({"before": ("1999-01", "1999-02")}, "choose months from 2024-10 to 2026-09"),
        ({"after": ("2026-30", "2026-31")}, "is not a valid month"),
    ],
)
def test_wrong_months_are_refused(demo_plan, change, message):
    """Months outside the data, in the wrong order or misspelt are named with a remedy."""
    with pytest.raises(pp.InputError, match=message):
        pp.estimate_impact(demo_plan.area, demo_plan.hotspots, _doses(["H1"]), **SPANS | change)
