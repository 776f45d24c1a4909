"""Main roads: how a walk crosses them, what that costs, and streets that one would avoid."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from small_networks import build_small_network, draw_network_and_positions

from patrolplan.network import Positions
from patrolplan.network.crossings import find_crossed_roads
from patrolplan.network.paths import Walk, WalkFinder
from patrolplan.network.pieces import NEAR_METRES, SAFEST_FIRST, CrossingPoints, find_near_crossings
from patrolplan.network.walking_effort import compute_crossing_effort, compute_preference

PLACES = [(0, 0), (100, 0), (200, 0), (100, 100), (100, -100), (200, 100), (200, -100), (300, 0)]
WAYS = [[0, 1, 2], [3, 1], [1, 4], [5, 2, 6]]
"""High Street from west to east; North and South Lane at its middle, East Lane at its end."""

KINDS = ["primary", "residential", "residential", "residential"]
NAMES = ["High Street", "North Lane", "South Lane", "East Lane"]


def _add_crossings(network, points):
    """The network with crossings on ways at points: (way, (x, y), kind)."""
    crossings = CrossingPoints(
        np.array([xy for _, xy, _ in points], dtype=float).reshape(-1, 2),
        np.array([kind for *_, kind in points]),
        np.array([way for way, *_ in points], dtype=np.int64),
    )
    parts = replace(network.parts, crossings=crossings)
    return replace(network, parts=parts)


def _build(kinds=KINDS, names=NAMES, points=(), **traits):
    """The streets, with crossings."""
    network = build_small_network(PLACES, WAYS, names, kinds, traits=traits.items())
    return _add_crossings(network, points)


def _cross(network, start, end):
    """What the shortest walk between two points crosses."""
    walk = WalkFinder(network, network.snap([start, end])).find_shortest(0, 1)
    return [(round(one.at_metres), one.road, one.kind) for one in find_crossed_roads(walk)]


def test_what_stays_on_its_side_crosses_nothing():
    """Turning into a main road, walking along it, and off it on the same side is no crossing."""
    for start, end in (
        ((100, 80), (40, 0)), ((40, 0), (100, 80)), ((10, 0), (160, 0)),
        ((100, 80), (100, 20)), ((100, 80), (200, 40)), ((0, 0), (200, 60)),
    ):  # fmt: skip
        assert _cross(_build(), start, end) == [], (start, end)


def test_along_a_road_and_off_on_the_other_side_crosses_it_half_way():
    """Where it is not known how, the crossing is half way along the stretch on the road."""
    network = build_small_network(PLACES, [[0, 1, 2, 7], *WAYS[1:]], NAMES, KINDS)
    assert _cross(network, (100, 80), (200, -70)) == [(130, "High Street", "unknown")]
    assert _cross(network, (100, 80), (200, 70)) == []


def test_along_a_main_road_one_crosses_another():
    """Straight on along a main road over a crossroads, the other main road is crossed."""
    network = _build(kinds=["primary", "secondary", "secondary", "residential"])
    assert _cross(network, (40, 0), (160, 0)) == [(60, "North Lane", "unknown")]
    assert _cross(network, (100, 80), (100, -70)) == [(80, "High Street", "unknown")]


@pytest.mark.parametrize("kind", ["signals", "zebra", "island", "unmarked"])
def test_the_footway_or_the_nearest_crossing_says_how(kind):
    """Within 25 m along the main road, the nearest first; before it the footway walked on."""
    near, far = NEAR_METRES - 1, NEAR_METRES + 1
    points = [(0, (100 + far, 0), "island"), (0, (100 - near, 0), kind)]
    assert _cross(_build(points=points), (100, 80), (100, -70)) == [(80, "High Street", kind)]
    for others in (points[:1], [(1, (100, 5), "zebra")]):  # too far, and across the side street
        assert _cross(_build(points=others), (100, 80), (100, -70))[0][2] == "unknown"
    network = _build(crossing=["", kind, kind, ""], points=[(0, (110, 0), "unknown")])
    assert _cross(network, (100, 80), (100, -70)) == [(80, "High Street", kind)]


def test_two_carriageways_count_once():
    """A road of two carriageways is crossed once, between them; the less safe half says how."""
    places = [(0, 0), (50, 0), (100, 0), (0, 12), (50, 12), (100, 12), (50, 60), (50, -60)]
    ways = [[0, 1, 2], [3, 4, 5], [6, 4, 1, 7], [0, 3]]
    names = ["Kingsway", "Kingsway", "Cross Lane", "Turn"]
    kinds = ["trunk", "trunk", "residential", "residential"]
    network = build_small_network(places, ways, names, kinds)
    assert _cross(network, (50, 50), (50, -50)) == [(44, "Kingsway", "unknown")]


def test_a_road_that_changes_its_name_is_one():
    """Crossed over a stretch on which the name changes, and at a node between two names."""
    places = [(0, 0), (100, 0), (150, 0), (200, 0), (300, 0), (100, 60), (200, -60), (150, 60)]
    ways = [[0, 1, 2], [2, 3, 4], [1, 5], [3, 6]]
    names = ["Old Road", "New Road", "North Lane", "South Lane"]
    network = build_small_network(places, ways, names, ["primary"] * 2 + ["residential"] * 2)
    assert [one[1] for one in _cross(network, (100, 50), (200, -50))] == ["New Road"]


@st.composite
def draw_town(draw):
    """A grid of streets, two places in its lanes, and main roads that lead on out of it."""
    columns, rows = draw(st.integers(3, 5)), draw(st.integers(3, 5))
    gap = st.integers(60, 140)
    x = np.cumsum([0, *(draw(gap) for _ in range(columns - 1))])
    y = np.cumsum([0, *(draw(gap) for _ in range(rows - 1))])
    x, y = [-50, *x, x[-1] + 50], [-50, *y, y[-1] + 50]
    columns, rows = len(x), len(y)
    places = [(a, b) for b in y for a in x]
    ways = [[r * columns + c for c in range(columns)] for r in range(1, rows - 1)]
    ways += [[r * columns + c for r in range(rows)] for c in range(1, columns - 1)]
    is_main = [draw(st.booleans()) for _ in ways]
    is_main[draw(st.integers(0, len(ways) - 1))] = False  # the places lie in lanes
    ways = [way if main else way[1:-1] for way, main in zip(ways, is_main, strict=True)]
    kinds = ["secondary" if main else "residential" for main in is_main]
    names = [f"Road {k:02}" for k in range(len(ways))]
    network = build_small_network(places, ways, names, kinds)
    lanes = np.flatnonzero(network.piece_highway == "residential")
    piece = np.array(draw(st.lists(st.sampled_from(lanes.tolist()), min_size=2, max_size=2)))
    share = np.array([draw(st.sampled_from([0.25, 0.5, 0.8])) for _ in range(2)])
    at = Positions(piece, share * network.piece_metres[piece], np.zeros(2))
    lines = enumerate([*y[1:-1], *x[1:-1]])
    return network, at, [(names[k], int(k >= rows - 2), at) for k, at in lines if is_main[k]]


@given(draw_town())
def test_a_walk_crosses_the_roads_that_part_its_ends(case):
    """A shortest walk crosses a straight road exactly when its ends lie on different sides."""
    network, at, lines = case
    walk = WalkFinder(network, at).find_shortest(0, 1)
    crossed = sorted(one.road for one in find_crossed_roads(walk))
    below = [(name, network.xy(at)[:, 1 - upright] < where) for name, upright, where in lines]
    assert crossed == [name for name, (start, end) in below if start != end]


@given(draw_network_and_positions(), st.data())
def test_a_walk_crosses_the_same_roads_backwards(case, data):
    """Whichever way it is walked, a walk crosses the same roads, in reverse order."""
    network, positions = case
    ways = network.parts.ways
    size = {"min_size": len(ways), "max_size": len(ways)}
    kinds = data.draw(st.lists(st.sampled_from(["primary", "residential"]), **size))
    names = data.draw(st.lists(st.sampled_from(["", "A", "B"]), **size))
    parts = replace(network.parts, ways=ways.assign(highway=kinds, name=names))
    network = replace(network, parts=parts)
    assume(len(network) > 2)
    walk = WalkFinder(network, positions).find_shortest(0, 1)
    turned = Walk(walk.network, walk.pieces[::-1], walk.to_metres[::-1], walk.from_metres[::-1])
    there, back = find_crossed_roads(walk), find_crossed_roads(turned)
    assert [(one.road, one.kind) for one in there] == [(one.road, one.kind) for one in back[::-1]]
    at = [walk.metres - one.at_metres for one in back[::-1]]
    assert [one.at_metres for one in there] == pytest.approx(at, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_near_crossings_equal_looking_at_every_pair(seed):
    """Each node of a main road has the known crossings on its own roads that are near enough."""
    rng = np.random.default_rng(seed)
    names, kinds = ["High Street", "Lane", "Lane"], ["primary", "tertiary_link", "residential"]
    network = build_small_network(PLACES[:5], [[0, 1, 2], [3, 1], [1, 4]], names, kinds)
    xy, kinds = rng.uniform((0, -60), (200, 60), (90, 2)), rng.choice(SAFEST_FIRST, 90)
    points = CrossingPoints(xy, kinds, rng.integers(0, 3, 90))
    parts, arms = replace(network.parts, crossings=points), network.main_arms
    roads = {0: "High Street", 1: "Lane"}
    expected = set()
    for (node, piece), k in product(zip(arms.node, arms.piece, strict=True), range(90)):
        metres = np.hypot(*(network.node_xy[node] - points.xy[k]))
        road = roads.get(int(points.way[k]))
        is_known = points.kind[k] != "unknown"
        if is_known and road == arms.road_of_piece[piece] and metres <= NEAR_METRES:
            expected.add((int(node), road, round(metres, 6), SAFEST_FIRST.index(points.kind[k])))
    near = find_near_crossings(parts, arms)
    found = [(n, road, round(away, 6), rank) for n in near for away, rank, road in near[n]]
    assert len(expected) > 5
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert found == sorted(found, key=lambda row: (row[0], row[2]))


ROAD_PLACES = [(0, 0), (100, 0), (200, 0), (100, 90), (100, -90), (200, 90), (200, -90)]
ROAD_WAYS = [[0, 1, 2], [3, 1], [1, 4], [2, 5], [2, 6], [3, 5]]
ROAD_KINDS = ["primary", *["residential"] * 5]


def _build_road(point_kinds=(), ways=ROAD_WAYS, kinds=ROAD_KINDS, **traits):
    """A main road with lanes at its middle and at its end, and crossings at its middle."""
    network = build_small_network(ROAD_PLACES, ways, None, kinds, traits=traits.items())
    return _add_crossings(network, [(0, (110, 0), kind) for kind in point_kinds])


def _spend(network, start, end):
    """Seconds that the shortest walk between two points takes longer than its metres."""
    effort = compute_crossing_effort(network, 80.0)
    both = np.tile(effort, (2, 1)).T
    walks = WalkFinder(network, network.snap([start, end]), effort=both)
    walk = walks.find_shortest(0, 1)
    assert walk.cost_metres == pytest.approx(walks.metres[0, 1])
    assert walks.find_shortest(1, 0).cost_metres == pytest.approx(walk.cost_metres)
    return (walk.cost_metres - walk.metres) / 80 * 60


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("signals", 15.0), ("zebra", 5.0), ("island", 20.0), ("unmarked", 40.0), ("unknown", 40.0)],
)
def test_straight_over_a_main_road_costs_its_seconds(kind, seconds):
    """By the footway across, or the nearest crossing, or as much as in a gap of the traffic."""
    across = _build_road(["unmarked"], crossing=["", kind, kind, "", "", ""])
    assert _spend(across, (100, 80), (100, -80)) == pytest.approx(seconds)
    assert _spend(_build_road([kind]), (100, 80), (100, -80)) == pytest.approx(seconds)
    assert _spend(_build_road(), (100, 80), (100, -80)) == pytest.approx(40)


def test_turning_into_a_main_road_costs_half():
    """The pavement one comes from may be the right one or not; along the road nothing is added."""
    network = _build_road(["zebra"])
    assert _spend(network, (100, 80), (20, 0)) == pytest.approx(2.5)
    assert _spend(network, (10, 0), (190, 0)) == pytest.approx(0)


def test_what_one_would_rather_not_walk():
    """Main roads first, then streets, then alleys; bare roads and, after dark, unlit and paths."""
    ways = [*ROAD_WAYS, [3, 5], [4, 6], [0, 3]]
    network = _build_road(
        ways=ways,
        kinds=[*ROAD_KINDS, "footway", "footway", "service"],
        sidewalk=["no", "no", "", "both", "separate", "separate", "", "", ""],
        lit=["yes", "yes", "no", "", "no", "yes", "", "yes", ""],
        is_sidewalk=[False] * 6 + [True, False, False],
        passage=["", "", "", "covered", "", "", "", "", ""],
    )
    street, alley = 1.02, 1.1
    day = compute_preference(network, is_dark=False)
    expected = [1.25, street, street, street, street, street * 1.25, 1.0, alley, alley]
    night = compute_preference(network, is_dark=True)
    darker = [1, 1, 1.5, 1000, 1.5, 1, 1, 1000, 1]
    way = network.parts.piece_way
    assert set(way) == set(range(9))
    assert day == pytest.approx(np.array(expected)[way])
    assert night / day == pytest.approx(np.array(darker)[way])
