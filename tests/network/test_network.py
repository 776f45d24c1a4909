"""`StreetNetwork`: snapping, neighbours, names, and how it travels to another process."""

import pickle
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import shapely
from hypothesis import given, strategies as st
from small_networks import build_small_network, draw_network

from patrolplan.network import StreetNetwork

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
