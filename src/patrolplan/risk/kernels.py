"""Kernels that spread crime to the streets around it, and the choice of their bandwidth.

Network kernel: the equal-split discontinuous kernel of Okabe, Satoh and Sugihara (2009), "A kernel
density estimation method for networks, its computational method and a GIS-based tool",
International Journal of Geographical Information Science 23(1): 7-32; Okabe and Sugihara (2012),
"Spatial Analysis Along Networks", chapter 9. At a junction of n streets a walk divides into the
n - 1 others; at a dead end it turns back; no walk turns back elsewhere. So nothing is lost on the
way: all of a crime's mass stays on the streets within the bandwidth.
"""

from dataclasses import dataclass
from dataclasses import field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.risk._spread import Streets
from patrolplan.risk._spread import columns
from patrolplan.risk._spread import spread_all

BANDWIDTHS = (40.0, 60.0, 90.0, 130.0, 190.0)
"""Candidates in metres, in the order in which they are tried; of equals the first is kept."""

FLOOR = 1e-4
"""A walk that carries less than this share of its crime ends where it is, with all it carries."""

BACKGROUND = 0.01
"""Share of a crime that may be anywhere on the streets, so that no place is held impossible."""


@dataclass(frozen=True, eq=False)
class NetworkKernel:
    """Spread along the streets.

    Parameters
    ----------
    network
        The streets.
    floor
        See `FLOOR`; 0 follows every walk to its end.
    """

    network: StreetNetwork
    floor: float = FLOOR
    _made: dict[float, sparse.csc_array] = field(default_factory=dict, repr=False)

    def _streets(self) -> Streets:
        """Halves of pieces by the node they meet at, nodes and metres of pieces."""
        nodes = np.ascontiguousarray(self.network.piece_nodes, dtype=np.int64)
        ends = nodes.ravel()
        halves = np.argsort(ends, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(ends))]).astype(np.int64)
        metres = np.ascontiguousarray(self.network.piece_metres, dtype=np.float64)
        return first, halves, nodes, metres

    def spread(self, weights: NDArray[np.float64], bandwidth: float) -> NDArray[np.float64]:
        """Mass on every piece when each piece's weight stands at its middle.

        Parameters
        ----------
        weights
            (p,) crimes on each piece.
        bandwidth
            Metres at which the kernel ends.

        Returns
        -------
        NDArray
            (p,); its sum is the sum of the weights.
        """
        held = np.ascontiguousarray(weights, dtype=np.float64)
        return spread_all(held, self._streets(), float(bandwidth), self.floor)

    def matrix(self, bandwidth: float) -> sparse.csc_array:
        """(p, p) mass on each piece (row) of one crime on each piece (column); kept for reuse."""
        if bandwidth not in self._made:
            starts, rows, values = columns(self._streets(), float(bandwidth), self.floor)
            shape = (len(self.network), len(self.network))
            self._made[bandwidth] = sparse.csc_array((values, rows, starts), shape=shape)
        return self._made[bandwidth]


@dataclass(frozen=True, eq=False)
class PlanarKernel:
    """Spread over the plane, to the middle of every piece; each crime's mass sums to one.

    The kernel is (1 - (d / bandwidth)^2)^2 in the distance d, times the piece's metres.
    """

    network: StreetNetwork
    _made: dict[float, sparse.csc_array] = field(default_factory=dict, repr=False)

    def matrix(self, bandwidth: float) -> sparse.csc_array:
        """(p, p) mass on each piece (row) of one crime on each piece (column); kept for reuse."""
        if bandwidth not in self._made:
            middle = self.network.piece_middle
            pairs = cKDTree(middle).query_pairs(bandwidth, output_type="ndarray")
            apart = np.hypot(*(middle[pairs[:, 0]] - middle[pairs[:, 1]]).T) / bandwidth
            itself = np.arange(len(middle))
            near = np.concatenate([(1 - apart**2) ** 2] * 2 + [np.ones(len(middle))])
            rows = np.concatenate([pairs[:, 0], pairs[:, 1], itself])
            of = np.concatenate([pairs[:, 1], pairs[:, 0], itself])
            mass = near * self.network.piece_metres[rows]
            total = np.bincount(of, mass, minlength=len(middle))
            shape = (len(middle), len(middle))
            self._made[bandwidth] = sparse.csc_array((mass / total[of], (rows, of)), shape=shape)
        return self._made[bandwidth]


def among_places(
    kernel: NetworkKernel | PlanarKernel, catchments: Catchments, bandwidth: float
) -> sparse.csr_array:
    """(c, c) mass in each place (row) of one crime somewhere in each place (column)."""
    pieces = np.arange(len(catchments.of_piece))
    shape = (len(pieces), len(catchments))
    spread = sparse.csr_array((catchments.piece_share, (pieces, catchments.of_piece)), shape=shape)
    ones = np.ones(len(pieces))
    gather = sparse.csr_array((ones, (catchments.of_piece, pieces)), shape=shape[::-1])
    return sparse.csr_array(gather @ (kernel.matrix(bandwidth) @ spread))


def leave_one_out(
    among: sparse.csr_array, counts: NDArray[np.float64], metres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log likelihood of each crime's place given all other crimes of its category.

    A crime is known to lie in its place, no nearer: its likelihood is the mass that the kernels of
    the others leave there. Where the place is a single piece that is the usual criterion.

    Parameters
    ----------
    among
        (c, c) see `among_places`.
    counts
        (c, k) crimes.
    metres
        (c,) street of each place.

    Returns
    -------
    NDArray
        (k,) sum over the crimes; higher is better.
    """
    mass = among @ counts - among.diagonal()[:, None]
    share = np.maximum(mass, 0.0) / np.maximum(counts.sum(axis=0) - 1, 1.0)
    share = (1 - BACKGROUND) * share + BACKGROUND * (metres / metres.sum())[:, None]
    return np.asarray((counts * np.log(share)).sum(axis=0))
