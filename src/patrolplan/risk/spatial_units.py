"""The places that crime is counted in, and their distances from one another.

A place is a catchment: the streets round a snap point, or one piece of street where places are
exact. Everything in this module is geometry, so it is worked out once and shared by every cut of a
history.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from threading import Lock
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.atomic import hash_content
from patrolplan.cache import Store, hash_arrays, load_or_compute_arrays
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.provenance import read_package_versions
from patrolplan.risk.kernels import PIECE_KERNELS, aggregate_matrix

NEIGHBOUR_METRES = 300.0  # places nearer than this in a straight line are neighbours
ADJACENT_METRES = 150.0  # places nearer than this in a straight line are next to each other

CELL_METRES = 75.0
"""Exact places are gathered in squares of this size before neighbours are looked for."""

STREET_KINDS: tuple[tuple[str, ...], ...] = (
    ("trunk", "trunk_link", "primary", "primary_link"),
    ("secondary", "secondary_link", "tertiary", "tertiary_link"),
    ("pedestrian", "living_street"),
    ("footway", "path", "steps", "cycleway", "track", "bridleway"),
    ("service",),
)
"""Kinds of street by OpenStreetMap's `highway`; all others are residential or unclassified."""


RISK_LIBRARIES = ("numpy", "scipy", "numba", "scikit-learn")
"""Packages that cached results are computed with; another version makes them invalid."""


@dataclass(frozen=True, eq=False)
class SpatialUnits:
    """The c places of an area, and their distances from one another."""

    network: StreetNetwork  # The streets
    catchments: Catchments  # The pieces of street of each place
    # Results that take time, by what they are and the digest of the counts that they rest on.
    cache: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    # The last sums of decayed counts, see `patrolplan.risk.history.History.count_decayed`: by
    # kind and half-life, of how many months each is, their digest, and the sum.
    decayed: dict[tuple[str, float], tuple[tuple[int, str, NDArray[np.float64]], ...]] = field(
        default_factory=dict, init=False, repr=False
    )
    # Held by a thread while it computes results that other threads are about to need as well.
    lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _matrices: dict[tuple[str, float], Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.catchments)

    def load_or_compute(
        self, store: str, key: str, compute: Callable[[], NDArray[Any]]
    ) -> NDArray[Any]:
        """A result that rests on these places, from this run or an earlier one, else computed.

        A new month then needs one further origin and one month's rates, and other settings of
        patrols nothing. Sums of recorded crime in slices of the whole are cached for every area,
        rates of places only where all of it is open data (`Catchments.public`): nothing of a
        force's own extract is cached.

        `store`: "trials" for sums, "rates" for rates of places. `key`: Names everything else that
        the result depends on, by content.
        """
        if key not in self.cache:
            if store == "rates" and not self.catchments.public:
                self.cache[key] = compute()
            else:
                arrays = load_or_compute_arrays(
                    Store(store, version=hash_code()),
                    f"{self.digest}\n{key}",
                    lambda: {"result": compute()},
                )
                self.cache[key] = arrays["result"]
        return self.cache[key]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of where the places are and what they consist of."""
        network, catchments = self.network, self.catchments
        arrays = {
            "xy": catchments.xy,
            "catchments": catchments.piece_catchment,
            "middle": network.piece_middle,
            "nodes": network.piece_nodes,
            "metres": network.piece_metres,
            "kinds": self.kinds,
        }
        return hash_arrays("places", arrays)

    @cached_property
    def metres(self) -> NDArray[np.float64]:
        """(c,) metres of street in each place."""
        return self.sum_pieces(self.network.piece_metres)

    def sum_pieces(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(c,) or (c, j) sum over the pieces of each place, of amounts (p,) or (p, j)."""
        if amounts.ndim > 1:
            return np.column_stack([self.sum_pieces(column) for column in amounts.T])
        total = np.bincount(self.catchments.piece_catchment, amounts, minlength=len(self))
        return total.astype(np.float64)

    @cached_property
    def kinds(self) -> NDArray[np.float64]:
        """(c, m) share of each place's street in each of the `STREET_KINDS`."""
        highway, metres = self.network.piece_highway.astype(str), self.network.piece_metres
        of_kind = [self.sum_pieces(metres * np.isin(highway, kind)) for kind in STREET_KINDS]
        return np.asarray(np.column_stack(of_kind) / self.metres[:, None])

    @cached_property
    def _cells(self) -> "tuple[NDArray[np.float64], scipy.sparse.csr_array | None]":
        """(n, 2) centres of the cells that places are gathered in, and (c, n) membership.

        None where each place is a cell of its own, in the same order, as snap points are.
        """
        xy = self.catchments.xy
        if not self.catchments.public:
            alone = np.bincount(self.catchments.piece_catchment, minlength=len(self)) == 1
            middle = (np.floor(xy / CELL_METRES) + 0.5) * CELL_METRES
            xy = np.where(alone[:, None], middle, xy)
        centres, cell = np.unique(xy, axis=0, return_inverse=True)
        rows = np.arange(len(self))
        if np.array_equal(cell.reshape(-1), rows):
            return centres, None
        shape = (len(self), len(centres))
        member = scipy.sparse.csr_array((np.ones(len(rows)), (rows, cell.reshape(-1))), shape=shape)
        return centres, member

    def _build_near_matrix(self, metres: float) -> "scipy.sparse.csr_array":
        """(n, n) cells within a distance of each other, each with itself; built once."""
        key = ("near", metres)
        if key not in self._matrices:
            from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only where not cached

            centres, _ = self._cells
            pairs = cKDTree(centres).query_pairs(metres, output_type="ndarray")
            ends = (pairs.ravel(), pairs[:, ::-1].ravel())
            shape = (len(centres), len(centres))
            near = scipy.sparse.csr_array((np.ones(pairs.size), ends), shape=shape)
            self._matrices[key] = near + scipy.sparse.eye_array(len(centres), format="csr")
        return self._matrices[key]

    def sum_around(
        self, amounts: NDArray[np.float64], metres: float = NEIGHBOUR_METRES
    ) -> NDArray[np.float64]:
        """(c, k) sums of (c, k) amounts over the other places within so many metres."""
        _, member = self._cells
        near = self._build_near_matrix(metres)
        if member is None:
            total: NDArray[np.float64] = near @ amounts
        else:
            total = member @ (near @ (member.T @ amounts))
        total -= amounts
        return np.maximum(total, 0.0, out=total)

    def build_piece_matrix(self, distance: str, bandwidth: float) -> "scipy.sparse.csc_array":
        """(p, p) mass that a kernel brings from piece to piece; built once.

        `distance` is "network" along the streets or "planar" in a straight line.
        """
        key = (f"pieces {distance}", bandwidth)
        if key not in self._matrices:
            self._matrices[key] = PIECE_KERNELS[distance](self.network, bandwidth)
        return self._matrices[key]

    def build_kernel_matrix(self, distance: str, bandwidth: float) -> "scipy.sparse.csr_array":
        """(c, c) mass that a kernel brings from place to place; built once."""
        key = (f"places {distance}", bandwidth)
        if key not in self._matrices:
            pieces = self.build_piece_matrix(distance, bandwidth)
            self._matrices[key] = aggregate_matrix(pieces, self.catchments)
        return self._matrices[key]


@cache
def hash_code() -> str:
    """Digest of this room's code and its libraries: another version gives other results."""
    room = resources.files("patrolplan.risk")
    files = sorted(path.name for path in room.iterdir() if path.name.endswith(".py"))
    installed = read_package_versions()
    libraries = "\n".join(f"{name} {installed[name]}" for name in RISK_LIBRARIES)
    return hash_content(*((room / name).read_bytes() for name in files), libraries)


def get_spatial_units(network: StreetNetwork, catchments: Catchments) -> SpatialUnits:
    """The places of an area: the same ones as long as its catchments are the same."""
    return catchments.reuse("places", (network,), lambda: SpatialUnits(network, catchments))
