"""What stands still while crime changes: the places that counts are kept for.

A place is a catchment: the streets round a snap point, or one piece of street where places are
exact. Everything here is geometry, so it is worked out once and shared by every cut of a history.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from patrolplan.atomic import hash_content
from patrolplan.cache import Store, hash_arrays, load_or_compute_arrays
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.provenance import read_package_versions
from patrolplan.risk.kernels import NetworkKernel, PlanarKernel, compute_unit_matrix

NEIGHBOUR_METRES = 300.0
"""Places nearer than this in a straight line are neighbours."""

ADJACENT_METRES = 150.0
"""Places nearer than this in a straight line are next to each other."""

CELL_METRES = 75.0
"""Exact places are gathered in squares of this size before neighbours are looked for."""

STREET_KINDS: tuple[tuple[str, ...], ...] = (
    ("trunk", "trunk_link", "primary", "primary_link"),
    ("secondary", "secondary_link", "tertiary", "tertiary_link"),
    ("pedestrian", "living_street"),
    ("footway", "path", "steps", "cycleway", "track", "bridleway"),
    ("service",),
)
"""Kinds of street that OpenStreetMap tells apart; the rest is residential or unclassified."""


RISK_LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba")
"""Packages that rates and sums are computed with; those of an earlier version are not used."""


@dataclass(frozen=True, eq=False)
class SpatialUnits:
    """The places of an area, and how they lie to one another.

    Parameters
    ----------
    network
        The streets.
    catchments
        The pieces of street of each place.
    kept
        Results that cost time, by the digest of the counts that they rest on.
    working
        Held by the thread that works out what others are about to ask for as well.
    """

    network: StreetNetwork
    catchments: Catchments
    cache: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _within: dict[float, sparse.csr_array] = field(default_factory=dict, repr=False)
    _among: dict[tuple[str, float], sparse.csr_array] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.catchments)

    def load_or_compute(
        self, store: str, key: str, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """A result that rests on these places, from this run or an earlier one, else computed.

        A new month then asks for one origin more and one month's rates, and other settings of
        patrols for nothing. Sums of recorded crime in slices of the whole are stored of every area,
        rates of places only where all of it is open data (`Catchments.public`): nothing of a
        force's own extract is.

        Parameters
        ----------
        store
            "trials" for sums, "rates" for rates of places.
        key
            Names everything else that the result depends on, by content.
        compute
            Gives the result.
        """
        if key not in self.cache:
            if store == "rates" and not self.catchments.public:
                self.cache[key] = compute()
            else:
                arrays = load_or_compute_arrays(
                    Store(store, version=_hash_code()),
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
        of_piece, metres = self.catchments.piece_catchment, self.network.piece_metres
        return np.bincount(of_piece, metres, minlength=len(self)).astype(np.float64)

    @cached_property
    def kinds(self) -> NDArray[np.float64]:
        """(c, m) share of each place's street that is of each of the `KINDS`."""
        highway = self.network.piece_highway.astype(str)
        shares = [
            np.bincount(
                self.catchments.piece_catchment,
                self.network.piece_metres * np.isin(highway, kind),
                minlength=len(self),
            )
            for kind in STREET_KINDS
        ]
        kinds: NDArray[np.float64] = np.column_stack(shares) / self.metres[:, None]
        return kinds

    @cached_property
    def _cells(self) -> tuple[NDArray[np.float64], sparse.csr_array]:
        """(n, 2) centres of the cells that places are gathered in, and (c, n) membership."""
        xy = self.catchments.xy
        if not self.catchments.public:
            alone = np.bincount(self.catchments.piece_catchment, minlength=len(self)) == 1
            middle = (np.floor(xy / CELL_METRES) + 0.5) * CELL_METRES
            xy = np.where(alone[:, None], middle, xy)
        centres, cell = np.unique(xy, axis=0, return_inverse=True)
        rows = np.arange(len(self))
        shape = (len(self), len(centres))
        member = sparse.csr_array((np.ones(len(rows)), (rows, cell.reshape(-1))), shape=shape)
        return centres, member

    def _build_near_matrix(self, metres: float) -> sparse.csr_array:
        """(n, n) cells within so many metres of each other, each with itself; kept for reuse."""
        if metres not in self._within:
            centres, _ = self._cells
            pairs = cKDTree(centres).query_pairs(metres, output_type="ndarray")
            ends = (pairs.ravel(), pairs[:, ::-1].ravel())
            shape = (len(centres), len(centres))
            near = sparse.csr_array((np.ones(pairs.size), ends), shape=shape)
            self._within[metres] = near + sparse.eye_array(len(centres), format="csr")
        return self._within[metres]

    def sum_around(
        self, amounts: NDArray[np.float64], metres: float = NEIGHBOUR_METRES
    ) -> NDArray[np.float64]:
        """Sum over the other places within so many metres.

        Parameters
        ----------
        amounts
            (c, k).
        metres
            In a straight line.
        """
        _, member = self._cells
        total: NDArray[np.float64] = (
            member @ (self._build_near_matrix(metres) @ (member.T @ amounts)) - amounts
        )
        return np.maximum(total, 0.0)

    @cached_property
    def kernels(self) -> dict[str, NetworkKernel | PlanarKernel]:
        """Kernels over straight-line and over walking distance."""
        return {"planar": PlanarKernel(self.network), "network": NetworkKernel(self.network)}

    def build_kernel_matrix(self, distance: str, bandwidth: float) -> sparse.csr_array:
        """(c, c) mass that a kernel brings from place to place; kept for reuse."""
        key = (distance, bandwidth)
        if key not in self._among:
            self._among[key] = compute_unit_matrix(
                self.kernels[distance], self.catchments, bandwidth
            )
        return self._among[key]


@cache
def _hash_code() -> str:
    """Digest of this room's own code and its libraries: another version gives other results."""
    room = resources.files("patrolplan.risk")
    files = sorted(path.name for path in room.iterdir() if path.name.endswith(".py"))
    installed = read_package_versions()
    libraries = "\n".join(f"{name} {installed[name]}" for name in RISK_LIBRARIES)
    return hash_content(*((room / name).read_bytes() for name in files), libraries)


def get_spatial_units(network: StreetNetwork, catchments: Catchments) -> SpatialUnits:
    """The places of an area: the same ones as long as its catchments are the same."""
    kept = catchments.cache.get("places")
    if kept is None or kept.network is not network:
        kept = catchments.cache["places"] = SpatialUnits(network, catchments)
    found: SpatialUnits = kept
    return found
