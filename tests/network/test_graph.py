"""The graph that walks are looked for in."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st
from small_networks import draw_network_and_positions

from patrolplan.network.graph import build_street_graph, compute_piece_distances


def _links(graph):
    """Rows of the segments of each link."""
    first = graph.segments.first
    return [range(start, end) for start, end in itertools.pairwise(first)]


@given(draw_network_and_positions())
def test_links_hold_all_street_once_and_end_at_junctions_and_places(case):
    """Each metre of street is in one link; within a link there is no way to turn off."""
    network, positions = case
    graph = build_street_graph(network, positions, None)
    segments = graph.segments
    covered = np.bincount(
        segments.piece, segments.to_metres - segments.from_metres, minlength=len(network)
    )
    np.testing.assert_allclose(covered, network.piece_metres, atol=1e-6)
    meeting = np.bincount(segments.nodes.ravel())
    for rows in _links(graph):
        for before, after in itertools.pairwise(rows):
            joint = segments.nodes[before, 1]
            assert joint == segments.nodes[after, 0]
            assert joint < len(network.node_xy)
            assert meeting[joint] == 2


@given(draw_network_and_positions(), st.floats(10, 400))
def test_a_limit_leaves_nearer_pieces_as_they_are(case, limit_metres):
    """Within the limit distances to pieces are those without one, beyond it they are infinite."""
    network, positions = case
    place = positions.take([0])
    free = compute_piece_distances(network, place)
    limited = compute_piece_distances(network, place, limit_metres=limit_metres)
    near = free <= limit_metres
    assert limited[near] == pytest.approx(free[near])
    assert np.isinf(limited[~near]).all()
