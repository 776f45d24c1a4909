"""Minutes at each place from a noisy track, against the truth of simulated walks."""

import numpy as np
import pytest
import shapely
from team.ledger import walker

from patrolplan.team.ledger.track_visits import (
    AT_PLACE_METRES,
    MAX_STAY_SECONDS,
    STAY_METRES,
    measure_track,
)

MIXED = {"white_metres": 14, "drift_metres": 14, "bursts": 5}
"""Noise of 20 m in all: half of its variance drifts, and there are wild bursts."""


def _measured(plan, seed, **noise):
    """(minutes measured, minutes in truth) at each place of a walk."""
    patrols = [
        patrol
        for best in plan.patrols
        for patrol in (best, *(walk for variant in best.variants for walk in variant.patrols))
        if patrol.stops
    ]
    rng = np.random.default_rng(seed)
    patrol = patrols[rng.integers(len(patrols))]
    true = walker.walk(patrol, rng)
    seconds, xy = walker.recorded(true, rng, **noise)
    found = measure_track(seconds, xy)
    assert found.step_minutes.sum() == pytest.approx((seconds[-1] - seconds[0]) / 60)
    assert 1.8 < found.bridged_minutes < 2.2
    truth = walker.minutes_at_stops(true, patrol)
    points = [[stop.point for stop in patrol.stops if stop.id == place] for place in truth]
    places = np.array([shapely.MultiPoint(there) for there in points], dtype=object)
    at = found.find_places(places, np.ones(len(places), dtype=bool))
    return [
        (float(found.step_minutes[at == row].sum()), minutes)
        for row, minutes in enumerate(truth.values())
    ]


def _errors(plan, walks, **noise):
    rows = [row for seed in range(walks) for row in _measured(plan, seed, **noise)]
    return np.array([abs(got - true) / true for got, true in rows])


def test_minutes_at_each_place_are_right_within_a_tenth(plan):
    """With 20 m of noise and a two-minute gap, on ten walks: at most stops, and nearly at all."""
    errors = _errors(plan, 10, white_metres=20)
    assert np.quantile(errors, 0.9) < 0.1
    assert errors.max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "share", "worst"),
    [
        ({"white_metres": 20}, 0.97, 0.3),
        ({"white_metres": 20, "every_seconds": 1, "bursts": 5}, 0.97, 0.3),
        ({"white_metres": 20, "every_seconds": 15}, 0.95, 0.3),
        (MIXED, 0.9, 0.5),
    ],
)
def test_a_hundred_walks(plan, noise, share, worst):
    """Of a hundred walks nearly all stops are right within a tenth, half of them within 2 %.

    The worst are where noise drifts.
    """
    errors = _errors(plan, 100, **noise)
    assert np.quantile(errors, share) < 0.1
    assert np.median(errors) < 0.025
    assert errors.max() < worst


@pytest.mark.parametrize(
    ("gap", "moved", "minutes"),
    [
        (240, 0.0, {"bridged": 3.9}),
        (600, STAY_METRES - 1, {"stay": 9.9}),
        (600, STAY_METRES + 1, {"lost": 9.9}),
        (MAX_STAY_SECONDS + 60, 0.0, {"lost": MAX_STAY_SECONDS / 60 + 0.9}),
    ],
)
def test_a_gap_is_bridged_a_stay_or_lost(gap, moved, minutes):
    """A long gap that ends within 40 m of where it began is a stay there; any other is lost."""
    place = np.array([1000.0, 1000.0])
    seconds = np.arange(0, 1800.0 + gap, 5)
    seconds = seconds[(seconds <= 600) | (seconds >= 600 + gap)]
    xy = np.where(seconds[:, None] <= 600, place, place + np.array([moved, 0.0]))
    found = measure_track(seconds, xy)
    for kind in ("bridged", "stay", "lost"):
        expected = pytest.approx(minutes.get(kind, 0.0), abs=0.11)
        assert getattr(found, f"{kind}_minutes") == expected
    counted = found.step_minutes.sum()
    assert counted == pytest.approx(seconds[-1] / 60 - found.lost_minutes)
    spans = [[0, 600], [600 + gap, seconds[-1]]] if "lost" in minutes else [[0, seconds[-1]]]
    assert found.spans.tolist() == spans
    if "stay" in minutes:
        at = found.find_places(shapely.points(place[None]), np.ones(1, dtype=bool))
        assert found.step_minutes[at == 0].sum() > 0.95 * counted


def test_a_step_is_at_the_nearest_planned_place_and_then_at_any_other():
    """Walked along a line of places, step by step: none is at two, nor beyond 40 m."""
    places = np.array([shapely.Point(x, 0) for x in (0.0, 30.0, 60.0, 200.0)], dtype=object)
    is_planned = np.array([True, False, True, False])
    seconds = np.arange(0, 1500.0)
    found = measure_track(seconds, np.column_stack([seconds / 4 - 60, np.zeros(1500)]))
    at = found.find_places(places, is_planned)
    for xy, row in zip(found.step_xy, at, strict=True):
        away = shapely.distance(places, shapely.Point(xy))
        near = [one for one in np.argsort(away) if away[one] <= AT_PLACE_METRES]
        first = next((one for one in near if is_planned[one]), *near[:1] or [-1])
        assert row == first
    assert {*at.tolist()} == {-1, 0, 2, 3}


def test_a_stay_begins_after_walking_past():
    """One minute there and away again, and later ten minutes: the ten are the stay."""
    seconds = np.arange(0, 1800.0, 5)
    is_there = ((seconds >= 300) & (seconds < 360)) | ((seconds >= 900) & (seconds < 1500))
    found = measure_track(seconds, np.column_stack([np.where(is_there, 0.0, 500.0)] * 2))
    at = found.find_places(shapely.points([[0.0, 0.0]]), np.ones(1, dtype=bool))
    spent = np.where(at == 0, found.step_minutes, 0.0)
    assert found.find_arrival(spent) == pytest.approx(900, abs=60)
