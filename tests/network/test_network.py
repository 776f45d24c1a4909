"""`StreetNetwork`: snapping, neighbours, the largest connected part, and what is cached of it."""

import dataclasses
import pickle
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st
from small_networks import build_small_network, draw_network
from spoilt_cache import every_way, spoil_entries

from patrolplan.crs import Projection
from patrolplan.inputs.streets import MARGIN_METRES, Streets, build_empty_features, build_ways_table
from patrolplan.network import Positions, StreetNetwork, build_network
from patrolplan.network.network import load_or_build_network, load_or_snap
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import Pieces
from patrolplan.tables import LeftOut

LIMITS = shapely.box(-10, -10, 250, 250)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def streets():
    """A square, a street that leaves the limits, and one that hangs together with nothing."""
    places = [(0, 0), (200, 3), (200, 200), (0, 200), (900, 0), (50, 50), (90, 60)]
    ways = [[0, 1, 2], [2, 3, 0], [1, 4], [5, 6]]
    nodes = np.array([node for way in ways for node in way])
    return Streets(
        ways=build_ways_table([(n, f"Street {n}", "residential", "") for n in range(len(ways))]),
        vertex_way=np.repeat(np.arange(len(ways)), [len(way) for way in ways]),
        vertex_node=nodes,
        vertex_xy=np.asarray(places, dtype=np.float64)[nodes],
        features=build_empty_features(Projection()),
    )


def network(limits=LIMITS):
    """The network through the cache, and what it left out."""
    dropped = LeftOut()
    return load_or_build_network(streets(), Projection(), dropped, limits=limits), dropped.rows


def same(one, other):
    """Whether two networks are equal to the last bit."""
    names = [
        field.name
        for field in dataclasses.fields(Pieces)
        if field.name not in {"ways", "crossings"}
    ]
    arrays = [(getattr(one.parts, name), getattr(other.parts, name)) for name in names]
    arrays.append((one.piece_middle, other.piece_middle))
    equal = all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in arrays)
    return equal and one.parts.ways.equals(other.parts.ways)


def test_a_network_is_cut_once(monkeypatch):
    """A second run cuts nothing, and gives the same streets and the same left out."""
    dropped = LeftOut()
    plain = build_network(streets(), Projection(), dropped, limits=LIMITS)
    first, left_out = network()
    monkeypatch.setattr("patrolplan.network.network.build_network", None)
    second, again = network()
    assert same(plain, first)
    assert same(first, second)
    assert [row.reason for row in dropped.rows] == [
        "outside the area (km)",
        "not connected to the rest (pieces)",
    ]
    assert dropped.rows == left_out == again


def test_other_limits_are_another_network():
    """The limits belong to what a network is known by."""
    assert len(network()[0]) != len(network(shapely.box(-10, -10, 950, 250))[0])


def test_places_are_snapped_once(monkeypatch):
    """A second run snaps nothing, and gives the same positions."""
    found, _ = network()
    xy = np.array([[10.0, 4.0], [140.0, 190.0], [0.0, 0.0]])
    plain, first = found.snap(xy), load_or_snap(found, xy)
    monkeypatch.setattr(StreetNetwork, "snap", None)
    again = load_or_snap(network()[0], xy)
    for field in dataclasses.fields(Positions):
        wanted = getattr(plain, field.name)
        for got in (getattr(first, field.name), getattr(again, field.name)):
            assert np.array_equal(wanted, got)
            assert wanted.dtype == got.dtype


@every_way
def test_spoilt_entries_are_computed_again_and_replaced(cache, way):
    """However a network, or places snapped to it, were spoilt, both are found again."""
    first, left_out = network()
    xy = np.array([[10.0, 4.0], [140.0, 190.0]])
    snapped = load_or_snap(first, xy)
    check_replaced = spoil_entries(cache, way)
    second, again = network()
    assert same(first, second)
    assert left_out == again
    assert np.array_equal(load_or_snap(second, xy).offset_metres, snapped.offset_metres)
    check_replaced()


PLACES = [(0, 0), (200, 0), (200, 300), (0, 300), (100, 40), (900, 0), (900, 300)]
WAYS = [[0, 3, 2, 1], [0, 4, 1], [1, 5], [5, 6], [2, 6]]
"""A street in the shape of a C, a passage that shortens it, and streets that leave to the east."""

LOW = shapely.box(-10, -10, 210, 310)


def part_network(**options):
    """Such streets; the second way is not patrolled, the third to fifth lead beyond the limits."""
    is_patrolled = [True, False, True, True, True]
    return build_small_network(
        PLACES, WAYS, traits={"is_patrolled": is_patrolled}, limits=LOW, **options
    )


def test_streets_that_are_only_walked_are_no_streets_to_patrol():
    """Nor are streets beyond the limits; the pieces to patrol come first among all."""
    dropped = LeftOut()
    network = part_network(left_out=dropped)
    assert set(network.parts.piece_way) == {0}
    assert network.piece_middle[:, 0].max() <= 210
    assert str(network.walkable) == str(network.walkable.walkable)
    count = len(network)
    assert np.array_equal(network.walkable.parts.piece_way[:count], network.parts.piece_way)
    assert np.array_equal(network.walkable.piece_middle[:count], network.piece_middle)
    assert set(network.walkable.parts.piece_way[count:]) == {1, 2, 4}
    reasons = {row.reason: row.count for row in dropped.rows}
    assert reasons["outside the area (km)"] == 2
    passage = "below ground, escalators, outlines of squares: walked, not patrolled (pieces)"
    assert reasons[passage] == 7


def test_a_walk_uses_streets_that_are_not_patrolled():
    """A place has the same position in both networks, and the walk is as short as it can be."""
    network = part_network()
    ends = network.snap([[0, 0], [200, 0]])
    assert WalkFinder(network, ends).metres[0, 1] == pytest.approx(800)
    assert WalkFinder(network.walkable, ends).metres[0, 1] == pytest.approx(215.4, abs=0.1)


def test_streets_beyond_the_margin_are_not_used():
    """Streets count up to so far beyond the limits."""
    assert part_network().walkable.node_xy[:, 0].max() <= 210 + MARGIN_METRES + 30


def test_places_are_snapped_to_streets_to_patrol_alone():
    """However near a passage is, on all streets, on those round a gate, and on those to patrol."""
    network = part_network()
    place = [[100, 40]]
    around = network.walkable.take(np.arange(len(network.walkable)))
    for part in (network, network.walkable, around):
        found = part.snap(place)
        assert found.piece[0] < len(network)
        assert found.moved_metres[0] > 30


def test_two_networks_come_back_from_cache_and_from_another_process(monkeypatch):
    """Both of them, to the last bit."""
    table = build_ways_table([(n, f"Street {n}", "residential", "") for n in range(len(WAYS))])
    nodes = np.array([node for way in WAYS for node in way])
    parts = Streets(
        ways=table.assign(is_patrolled=[True, False, True, True, True]),
        vertex_way=np.repeat(np.arange(len(WAYS)), [len(way) for way in WAYS]),
        vertex_node=nodes,
        vertex_xy=np.asarray(PLACES, dtype=np.float64)[nodes],
        features=build_empty_features(Projection()),
    )
    first = load_or_build_network(parts, Projection(), LeftOut(), limits=LOW)
    monkeypatch.setattr("patrolplan.network.network.build_network", None)
    second = load_or_build_network(parts, Projection(), LeftOut(), limits=LOW)
    third = pickle.loads(pickle.dumps(first))  # noqa: S301 - our own
    for other in (second, third, part_network()):
        assert same(first, other)
        assert same(first.walkable, other.walkable)
        assert other.walkable.patrolled_count == len(other) < len(other.walkable)


def test_passages_that_hang_together_with_a_station_are_part_of_it():
    """An underpass hangs together with streets alone and is patrolled; roads are streets."""
    places = [(0, 0), (300, 0), (0, -60), (60, -60), (120, -60), (200, -60), (300, -60)]
    ways = [[0, 1], [0, 2], [2, 3], [3, 4], [5, 6], [6, 1], [4, 5]]
    kinds = ["primary", "footway", "steps", "footway", "footway", "service", "footway"]
    traits = {"layer": [0.0, 0, -1, -2, -1, -1, 0], "is_patrolled": [True] * 7}
    traits["is_patrolled"][3] = False
    network = build_small_network(places, ways, kinds=kinds, traits=traits)
    assert set(network.parts.piece_way) == {0, 1, 4, 5, 6}
    assert set(network.walkable.parts.piece_way) == set(range(7))


POINTS = st.lists(st.tuples(st.floats(-50, 350), st.floats(-50, 350)), min_size=1, max_size=8)


def _brute_force(network, point):
    """Distance to the nearest of all segments, by the formula for a point and a segment."""
    nearest = np.inf
    for number in range(len(network)):
        line = network.parts.coordinates[network.parts.first[number] : network.parts.last[number]]
        for a, b in pairwise(line):
            along = b - a
            length = along @ along
            share = 0.0 if length == 0 else np.clip((point - a) @ along / length, 0, 1)
            nearest = min(nearest, np.hypot(*(point - a - share * along)))
    return nearest


@given(draw_network(), POINTS)
def test_snapping_equals_brute_force_over_all_segments(network, points):
    """A point goes to the nearest place on any street, not to the nearest node."""
    points = np.array(points)
    found = network.snap(points)
    expected = [_brute_force(network, point) for point in points]
    np.testing.assert_allclose(found.moved_metres, expected, atol=1e-6)
    np.testing.assert_allclose(
        np.hypot(*(network.xy(found) - points).T), found.moved_metres, atol=1e-6
    )
    assert (found.offset_metres >= 0).all()
    assert (found.offset_metres <= network.piece_metres[found.piece] + 1e-6).all()


def test_snapping_on_real_streets_equals_brute_force(bloomsbury_area):
    """In Bloomsbury too, a point goes to the nearest of all 10,000 pieces of street."""
    network = bloomsbury_area.network
    rng = np.random.default_rng(1)
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    points = rng.uniform(low, high, (40, 2))
    expected = [shapely.distance(network.piece_lines, shapely.Point(p)).min() for p in points]
    np.testing.assert_allclose(network.snap(points).moved_metres, expected, atol=1e-6)


def test_snapping_no_point_gives_no_position():
    """No points, no positions."""
    assert len(build_small_network([(0, 0), (100, 0)], [[0, 1]]).snap(np.empty((0, 2)))) == 0


def test_nodes_are_joined_by_the_shortest_of_parallel_pieces():
    """By brute force over all pieces, also where some are parallel or end where they begin."""
    rng = np.random.default_rng(5)
    nodes, metres = rng.integers(6, size=(60, 2)), rng.integers(1, 9, size=60).astype(float)
    parts = SimpleNamespace(node_xy=np.zeros((6, 2)), piece_nodes=nodes, piece_metres=metres)
    found = StreetNetwork(parts, None).node_graph
    plain = np.full((6, 6), np.inf)
    for (one, other), length in zip(nodes.tolist(), metres.tolist(), strict=True):
        plain[one, other] = plain[other, one] = min(plain[one, other], length)
    plain[np.isinf(plain)] = 0.0
    assert np.array_equal(found.toarray(), plain)


@given(draw_network())
def test_neighbours_share_a_node(network):
    """Pieces are neighbours exactly when they hold a node in common; none is its own."""
    touching = network.neighbours.toarray()
    for i, ends in enumerate(network.piece_nodes):
        for j, others in enumerate(network.piece_nodes):
            assert touching[i, j] == (i != j and bool(set(ends) & set(others)))


@given(draw_network(), st.floats(0, 300), st.tuples(st.floats(0, 300), st.floats(0, 300)))
def test_around_gives_pieces_by_their_middles(network, metres, point):
    """Pieces around a point are those whose middle is near enough in a straight line."""
    apart = [
        np.hypot(*(shapely.get_coordinates(line.interpolate(0.5, normalized=True))[0] - point))
        for line in network.piece_lines
    ]
    assert list(network.find_pieces_within(point, metres)) == [
        number for number, far in enumerate(apart) if far <= metres
    ]


def test_islands_are_left_out_and_counted():
    """Streets that hang together with nothing are left out, the part with most metres stays."""
    left_out = LeftOut()
    places = [(0, 0), (300, 0), (0, 500), (60, 500), (60, 560), (0, 560)]
    network = build_small_network(
        places, [[0, 1], [2, 3], [3, 4], [4, 5], [5, 2]], left_out=left_out
    )
    assert network.metres == pytest.approx(300)
    assert [str(row) for row in left_out.rows] == [
        "streets: 8 left out, not connected to the rest (pieces)"
    ]


def test_streets_beyond_the_limits_are_left_out_and_counted():
    """Pieces whose middle lies outside the area's limits are dropped and recorded in km."""
    left_out = LeftOut()
    limits = shapely.box(-10, -10, 310, 10)
    network = build_small_network([(0, 0), (3300, 0)], [[0, 1]], left_out=left_out, limits=limits)
    assert network.metres == pytest.approx(300)
    assert [str(row) for row in left_out.rows] == ["streets: 3 left out, outside the area (km)"]


def test_no_street_inside_the_limits_is_an_empty_network():
    """Limits that hold no street give a network without pieces, not an error."""
    network = build_small_network(
        [(0, 0), (300, 0)], [[0, 1]], limits=shapely.box(900, 900, 999, 999)
    )
    assert len(network) == 0
    assert network.metres == 0


@given(draw_network())
def test_frame_tells_every_piece(network):
    """The frame has a row a piece with its name, and lines as long as they say."""
    frame = network.frame()
    assert list(frame["name"]) == [
        network.parts.ways["name"][way] for way in network.parts.piece_way
    ]
    np.testing.assert_allclose(frame.length, frame["metres"], atol=0.011)


def test_lines_and_positions_go_together():
    """Half way along a piece is half its metres from either end, also round a bend."""
    network = build_small_network([(0, 0), (10, 0), (10, 10)], [[0, 1, 2]])
    assert len(network) == 1
    np.testing.assert_allclose(network.xy(network.middles([0])), [[10, 0]], atol=1e-9)
    np.testing.assert_allclose(network.piece_middle, [[10, 0]], atol=1e-9)


def test_some_lines_are_those_of_all(demo_area):
    """Lines of a few pieces are the same whether or not those of all pieces were made."""
    network = pickle.loads(pickle.dumps(demo_area.network))  # noqa: S301 - our own
    some = np.array([7, 0, 7, len(network) - 1])
    alone = network.lines(some)
    assert "piece_lines" not in vars(network)
    assert shapely.equals_exact(alone, network.piece_lines[some]).all()
    assert shapely.equals_exact(alone, network.lines(some)).all()


def test_network_travels_as_arrays(demo_area):
    """What is pickled is as long as the arrays, and the network that comes out is the same."""
    sent = pickle.dumps(demo_area.network)
    parts = demo_area.network.parts
    arrays = (getattr(parts, name) for name in vars(parts) if name not in {"ways", "crossings"})
    assert len(sent) < 1.5 * sum(array.nbytes for array in arrays) + 200_000
    opened = pickle.loads(sent)  # noqa: S301 - our own
    assert np.array_equal(opened.piece_middle, demo_area.network.piece_middle)
    place = demo_area.schools.geometry.iloc[0]
    ours, theirs = (one.snap([[place.x, place.y]]) for one in (demo_area.network, opened))
    assert ours.piece == theirs.piece


def test_streets_are_found_by_name_and_bounds_hold_all_nodes(demo_area):
    """As a look through all pieces finds them; what has no name is no street."""
    network = demo_area.network.walkable
    names = set(network.piece_name) - {""}
    assert len(names) < len(set(network.piece_name))
    assert set(network.pieces_by_name) == names
    for name in names:
        found = network.pieces_by_name[name].tolist()
        assert found == np.flatnonzero(network.piece_name == name).tolist()
    x, y = network.node_xy.T
    assert network.bounds == (x.min(), y.min(), x.max(), y.max())
