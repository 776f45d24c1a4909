"""Squares with streets, the gaps between them and the holes in them."""

from types import SimpleNamespace

import numpy as np
from scipy import ndimage

from patrolplan.pupils.covered import GAP_SQUARES, SQUARE_METRES, find_covered


def test_gaps_are_closed_and_holes_filled_as_images_are():
    """Covered squares and their edge are those of scipy's closing, filling and erosion."""
    holes = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        size = rng.integers(2, 25, 2)
        nodes = rng.uniform(0, size * SQUARE_METRES, (rng.integers(2, 120), 2))
        network = SimpleNamespace(node_xy=nodes, piece_middle=nodes[:1])
        covered = find_covered(network, np.ones(1))
        held = np.zeros(covered.is_covered.shape, dtype=bool)
        held[tuple((np.floor(nodes / SQUARE_METRES).astype(int) - covered.corner).T)] = True
        closed = held | ndimage.binary_closing(held, np.ones((3, 3)), iterations=GAP_SQUARES)
        filled = ndimage.binary_fill_holes(closed)
        assert np.array_equal(covered.is_covered, filled)
        inner = ndimage.binary_erosion(filled, np.ones((3, 3)), border_value=0)
        assert np.array_equal(covered.is_edge, filled & ~inner)
        holes += not np.array_equal(filled, closed)
    assert holes
