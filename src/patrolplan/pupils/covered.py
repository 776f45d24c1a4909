"""Where the known streets end, found on a grid of squares.

A square with a node of the network is covered, and so is one in a gap between such squares, as over
a river or a park. Homes beyond the covered squares are reached over nodes at their edge.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.cache import Arrays, Store, hash_arrays, load_or_compute_arrays
from patrolplan.network.network import StreetNetwork

SQUARE_METRES = 200.0
GAP_SQUARES = 2
"""Gaps between streets up to twice this many squares wide, as over a river or park, are no edge."""


@dataclass(frozen=True, eq=False)
class Covered:
    """Squares of `SQUARE_METRES` that have streets, or are between them."""

    corner: NDArray[np.int64]  # Column and row of the first square, counted from the CRS's origin
    is_covered: NDArray[np.bool_]  # (w, h) by column and row
    is_edge: NDArray[np.bool_]  # (w, h) those of them with a neighbour that is not
    homes: NDArray[np.float64]  # (w, h) weighted metres of street in each, see `HOMES_BY_KIND`

    def find(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(k,) whether the square of each point is covered."""
        return np.asarray(self.look_up(find_square_numbers(xy))[0])

    def look_up(self, squares: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """(k,) of squares: whether each is covered, and the homes in it."""
        at = squares - self.corner
        shape = np.array(self.is_covered.shape)
        inside = np.asarray(((at >= 0) & (at < shape)).all(axis=1))
        column, row = np.where(inside[:, None], at, 0).T
        covered: NDArray[np.bool_] = inside & self.is_covered[column, row]
        return covered, np.where(inside, self.homes[column, row], 0.0)


def find_square_numbers(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(k, 2) column and row of the square of each point."""
    return np.floor(xy / SQUARE_METRES).astype(np.int64)


SQUARES = Store("arrays", version="squares-1")
"""Change the version when squares are covered in another way."""


def find_covered(network: StreetNetwork, homes: NDArray[np.float64]) -> Covered:
    """Squares that hold a node, with the gaps between them closed and holes filled."""
    square = find_square_numbers(network.node_xy)
    pad = GAP_SQUARES + 1
    corner = square.min(axis=0) - pad
    shape = tuple((square.max(axis=0) - corner + 1 + pad).tolist())
    held = np.zeros(shape, dtype=bool)
    held[tuple((square - corner).T)] = True

    def close() -> Arrays:
        from scipy import ndimage  # noqa: PLC0415 - heavy, and only where not cached

        around = np.ones((3, 3))
        closed = ndimage.binary_closing(held, around, iterations=GAP_SQUARES)
        covered = ndimage.binary_fill_holes(closed | held)
        return {"covered": covered, "inner": ndimage.binary_erosion(covered, around)}

    squares = load_or_compute_arrays(SQUARES, hash_arrays(f"{GAP_SQUARES}", {"held": held}), close)
    in_square = np.zeros(shape)
    at = find_square_numbers(network.piece_middle) - corner
    np.add.at(in_square, tuple(at.T), homes)
    covered = squares["covered"]
    return Covered(corner, covered, covered & ~squares["inner"], in_square)
