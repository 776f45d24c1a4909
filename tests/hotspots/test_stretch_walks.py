"""Walks from stretches: those of a search from each, however many are searched at once."""

from unittest import mock

import numpy as np
from hypothesis import given, strategies as st
from scipy.sparse import csgraph
from street_grid import build_grid

from patrolplan.hotspots import stretch_walks
from patrolplan.hotspots.stretch_walks import look_up_columns, walk_from_stretches

TOWN = build_grid()


@given(st.integers(0, 9999), st.sampled_from([0.0, 120.0, 400.0]))
def test_walks_from_stretches_are_those_from_one_after_the_other(seed, limit):
    """Searches from neighbours give the metres of a search from each, to the last bit."""
    rng = np.random.default_rng(seed)
    stretches = [rng.choice(len(TOWN), size, replace=False) for size in (1, 3, 1, 2, 1)]
    with mock.patch.multiple(stretch_walks, CHUNK_STRETCHES=2, STRIP_METRES=150.0):
        parts = list(walk_from_stretches(TOWN, stretches, limit))
    assert sorted(np.concatenate([rows for rows, _, _ in parts]).tolist()) == [0, 1, 2, 3, 4]
    every = np.arange(len(TOWN.node_xy))
    for rows, nodes, found in parts:
        for number, row in enumerate(rows):
            ends = np.unique(TOWN.piece_nodes[stretches[row]])
            away = csgraph.dijkstra(TOWN.node_graph, indices=ends, min_only=True, limit=limit)
            assert np.array_equal(look_up_columns(found, nodes, number, every), away)
    assert limit > 0 or any(len(nodes) < len(every) for _, nodes, _ in parts)


def test_walks_from_no_stretches_are_none():
    """Where there are no hotspots, nothing is searched."""
    assert list(walk_from_stretches(TOWN, [], 100.0)) == []
