"""What walking costs: seconds at crossings, and streets that one would rather avoid."""

import dataclasses

import numpy as np
import pytest
from small_networks import build_small_network

from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import CrossingPoints
from patrolplan.network.walking_effort import compute_crossing_effort, compute_preference

SECONDS = {"signals": 15.0, "zebra": 5.0, "island": 20.0, "unmarked": 40.0}
PLACES = [(0, 0), (100, 0), (200, 0), (100, 90), (100, -90), (200, 90), (200, -90)]
WAYS = [[0, 1, 2], [3, 1], [1, 4], [2, 5], [2, 6], [3, 5]]
KINDS = ["primary", "residential", "residential", "residential", "residential", "residential"]


def _build(point_kinds=(), ways=WAYS, kinds=KINDS, **traits):
    """A main road with lanes at its middle and at its end, and crossings at its middle."""
    network = build_small_network(PLACES, ways, None, kinds, traits=traits.items())
    count = len(point_kinds)
    points = CrossingPoints(
        np.tile([110.0, 0.0], (count, 1)), np.array(point_kinds), np.zeros(count, dtype=np.int64)
    )
    parts = dataclasses.replace(network.parts, crossings=points)
    return dataclasses.replace(network, parts=parts)


def _spend(network, start, end, **options):
    """Seconds that the shortest walk between two points takes longer than its metres."""
    effort = compute_crossing_effort(network, 80.0)
    walks = WalkFinder(
        network, network.snap([start, end]), effort=np.tile(effort, (2, 1)).T, **options
    )
    walk = walks.find_shortest(0, 1)
    assert walk.cost_metres == pytest.approx(walks.metres[0, 1])
    assert walks.find_shortest(1, 0).cost_metres == pytest.approx(walk.cost_metres)
    return (walk.cost_metres - walk.metres) / 80 * 60


@pytest.mark.parametrize(("kind", "seconds"), [*SECONDS.items(), ("unknown", 40.0)])
def test_straight_over_a_main_road_costs_its_seconds(kind, seconds):
    """By the nearest crossing; where none is known, as much as in a gap of the traffic."""
    assert _spend(_build([kind]), (100, 80), (100, -80)) == pytest.approx(seconds)
    assert _spend(_build(), (100, 80), (100, -80)) == pytest.approx(40)


def test_turning_into_a_main_road_costs_half():
    """The pavement one comes from may be the right one or not; along the road nothing is added."""
    network = _build(["zebra"])
    assert _spend(network, (100, 80), (20, 0)) == pytest.approx(2.5)
    assert _spend(network, (10, 0), (190, 0)) == pytest.approx(0)


@pytest.mark.parametrize("kind", SECONDS)
def test_a_footway_across_costs_what_it_is(kind):
    """The kind of the footway comes before the crossing near by."""
    network = _build(["unmarked"], crossing=["", kind, kind, "", "", ""])
    assert _spend(network, (100, 80), (100, -80)) == pytest.approx(SECONDS[kind])


def test_what_one_would_rather_not_walk():
    """Main roads first, then streets, then alleys; bare roads and, after dark, unlit and paths."""
    ways = [*WAYS, [3, 5], [4, 6], [0, 3]]
    network = _build(
        ways=ways,
        kinds=[*KINDS, "footway", "footway", "service"],
        sidewalk=["no", "no", "", "both", "separate", "separate", "", "", ""],
        lit=["yes", "yes", "no", "", "no", "yes", "", "yes", ""],
        is_sidewalk=[False] * 6 + [True, False, False],
        passage=["", "", "", "covered", "", "", "", "", ""],
    )
    street, alley = 1.02, 1.1
    day = compute_preference(network, is_dark=False)
    expected = [1.25, street, street, street, street, street * 1.25, 1.0, alley, alley]
    assert _list_by_way(network, day) == pytest.approx(expected)
    night = compute_preference(network, is_dark=True)
    darker = [1, 1, 1.5, 1000, 1.5, 1, 1, 1000, 1]
    assert _list_by_way(network, night / day) == pytest.approx(darker)


def _list_by_way(network, values):
    """The one value of each way."""
    found = [set(values[network.parts.piece_way == way].tolist()) for way in range(9)]
    assert all(len(one) == 1 for one in found)
    return [one.pop() for one in found]


def test_preference_chooses_the_way_and_costs_nothing():
    """An unlit lane is left for a longer lit one, whose time is that of its metres."""
    places = [(0, 0), (100, 0), (0, 20), (100, 20), (-20, 0), (120, 0)]
    ways = [[4, 0, 1, 5], [0, 2, 3, 1]]
    network = build_small_network(places, ways, traits={"lit": ["no", "yes"]}.items())
    at = network.snap([(-10, 0), (110, 0)])
    factor = compute_preference(network, is_dark=True)
    walks = WalkFinder(network, at, preference=factor)
    walk = walks.find_shortest(0, 1)
    assert walk.metres == walks.metres[0, 1] == pytest.approx(160)
    assert walk.effort is None
    assert WalkFinder(network, at).metres[0, 1] == pytest.approx(120)


def test_after_dark_a_footpath_is_the_last_resort():
    """It is gone round on the street, however far, and walked where there is nothing else."""
    places = [(0, 0), (100, 0), (0, 900), (100, 900), (-20, 0), (120, 0)]
    for kind, beyond in (("footway", True), ("residential", True), ("footway", False)):
        ways = [[4, 0], [0, 1], [1, 5], *([[0, 2, 3, 1]] if beyond else [])]
        kinds = ["residential", kind, "residential", *(["residential"] if beyond else [])]
        network = build_small_network(places, ways, None, kinds)
        at = network.snap([(-10, 0), (110, 0)])
        factor = compute_preference(network, is_dark=True)
        walks = WalkFinder(network, at, preference=factor, turn_metres=15.0)
        expected = 1920 if kind == "footway" and beyond else 120
        assert walks.metres[0, 1] == pytest.approx(expected)
