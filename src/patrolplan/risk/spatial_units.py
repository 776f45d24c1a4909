"""The places that crime is counted in, and what is near them.

A place is a catchment: the streets round a snap point, or one piece of street where places are
exact. Everything in this module is geometry, so every cut of a history shares it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments

NEIGHBOUR_METRES = 300.0  # places nearer than this in a straight line are neighbours
ADJACENT_METRES = 150.0  # places nearer than this in a straight line are next to each other

CELL_METRES = 75.0
"""Exact places are gathered in squares of this size before neighbours are looked for."""


@dataclass(frozen=True, eq=False)
class SpatialUnits:
    """The c places of an area."""

    network: StreetNetwork  # The streets
    catchments: Catchments  # The pieces of street of each place

    def __len__(self) -> int:
        return len(self.catchments)

    @cached_property
    def metres(self) -> NDArray[np.float64]:
        """(c,) metres of street in each place."""
        return self.sum_pieces(self.network.piece_metres)

    def sum_pieces(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(c,) sum over the pieces of each place, of amounts (p,)."""
        total = np.bincount(self.catchments.piece_catchment, amounts, minlength=len(self))
        return total.astype(np.float64)

    @cached_property
    def _cells(self) -> "tuple[NDArray[np.float64], scipy.sparse.csr_array]":
        """(n, 2) centres of the cells that places are gathered in, and (c, n) membership."""
        xy = self.catchments.xy
        # Exact places are pieces of street, many for each snap point, and pairs of them within
        # 300 m would fill the memory. A snap point is a cell of its own.
        if not self.catchments.public:
            alone = np.bincount(self.catchments.piece_catchment, minlength=len(self)) == 1
            middle = (np.floor(xy / CELL_METRES) + 0.5) * CELL_METRES
            xy = np.where(alone[:, None], middle, xy)
        centres, cell = np.unique(xy, axis=0, return_inverse=True)
        ends = np.arange(len(self)), cell.reshape(-1)
        return centres, scipy.sparse.csr_array(
            (np.ones(len(self)), ends), (len(self), len(centres))
        )

    @cached_property
    def _adjacent(self) -> "scipy.sparse.csr_array":
        return self._match_cells(ADJACENT_METRES)

    @cached_property
    def _neighbours(self) -> "scipy.sparse.csr_array":
        return self._match_cells(NEIGHBOUR_METRES)

    def _match_cells(self, metres: float) -> "scipy.sparse.csr_array":
        """(n, n) cells within a distance of each other, each with itself."""
        from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only of risk

        centres, _ = self._cells
        pairs = cKDTree(centres).query_pairs(metres, output_type="ndarray")
        ends = pairs.ravel(), pairs[:, ::-1].ravel()
        near = scipy.sparse.csr_array((np.ones(pairs.size), ends), (len(centres), len(centres)))
        return scipy.sparse.csr_array(near + scipy.sparse.eye_array(len(centres)))

    def sum_around(
        self, amounts: NDArray[np.float64], *, adjacent: bool = False
    ) -> NDArray[np.float64]:
        """(c, k) sums of (c, k) amounts over the other places near, or those next to a place."""
        _, member = self._cells
        near = self._adjacent if adjacent else self._neighbours
        # A sum less the place's own may fall below zero in its last digit.
        return np.asarray(np.maximum(member @ (near @ (member.T @ amounts)) - amounts, 0.0))


def get_spatial_units(network: StreetNetwork, catchments: Catchments) -> SpatialUnits:
    """The places of an area: the same ones as long as its catchments are the same."""
    return catchments.reuse("places", (network,), lambda: SpatialUnits(network, catchments))
