"""`StreetNetwork`: snapping, neighbours, names, and how it travels to another process."""

import pickle
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hexagons import measure_slowly
from hypothesis import given, strategies as st
from small_networks import build_small_network, draw_network

from patrolplan.network import StreetNetwork
from patrolplan.network.shapes import split_by_polygons

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


COORDINATES = st.integers(0, 8).map(float)
CORNERS = st.tuples(COORDINATES, COORDINATES)


@given(st.lists(CORNERS, min_size=2, max_size=5), st.integers(1, 7), st.integers(1, 7))
def test_nothing_counts_twice_on_borders(points, x, y):
    """Lines along borders, and points on corners, count once: in the earlier polygon."""
    tiles = [(0, 0, x, y), (x, 0, 8, y), (0, y, x, 8), (x, y, 8, 8)]
    polygons = np.array([shapely.box(*tile) for tile in tiles], dtype=object)
    line = shapely.LineString(points)
    lines = np.array([line, shapely.Point(points[0]), shapely.Point(99, 99)], dtype=object)
    metres = split_by_polygons(lines, polygons)
    simple = shapely.line_merge(shapely.node(line)) if line.length else line
    if line.length and simple.length == pytest.approx(line.length):
        np.testing.assert_allclose(metres[0], measure_slowly(line, polygons), atol=1e-6)
        assert metres[0, -1] == pytest.approx(0, abs=1e-6)
    corner = next(n for n, polygon in enumerate(polygons) if polygon.intersects(lines[1]))
    assert metres[1].tolist() == [float(n == corner) for n in range(5)]
    assert metres[2].tolist() == [0, 0, 0, 0, 1]
