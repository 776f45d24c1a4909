"""What costs time, kept in the user's cache folder by the content of all that it rests on.

A new month then asks for one origin more and one month's rates, and other settings of patrols for
nothing. Of every area sums of recorded crime in slices of the whole are kept. Rates of places are
kept only where all of it is open data, see `patrolplan.inputs.crimes`: nothing of a
force's own extract is.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patrolplan.atomic import hash_content
from patrolplan.cache import cache_folder, write_cache_file
from patrolplan.provenance import list_versions
from patrolplan.risk.spatial_units import SpatialUnits

TRIAL_SUMS_FOLDER = "trials"
RATES_FOLDER = "rates"
RISK_FOLDERS = {TRIAL_SUMS_FOLDER: "cache of back-tests", RATES_FOLDER: "cache of rates"}
"""The folders in the cache folder, and what is in them."""

LIBRARIES = ("numpy", "scipy", "scikit-learn")
"""Rates and sums come out of these."""

RISK_ENTRY_PATTERN = re.compile(r"[0-9a-f]{40}\.npy|\.new-\w+")
"""Names of their files, whole and interrupted."""


def load_or_compute_sums(
    units: SpatialUnits, key: str, compute: Callable[[], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Sums by their key, worked out where they are not known from this run or an earlier one.

    A cache that cannot be read or written is passed over: it only saves time.

    Parameters
    ----------
    places
        The places; their geometry is part of the key.
    key
        Names everything else that the sums rest on, by content.
    work_out
        Gives the sums.
    """
    if key not in units.cache:
        units.cache[key] = _load_or_compute(_build_path(units, TRIAL_SUMS_FOLDER, key), compute)
    return units.cache[key]


def load_or_compute_rates(
    units: SpatialUnits, key: str, compute: Callable[[], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Load or compute rates of places, see `load_or_compute_sums`; only open data is stored."""
    if key not in units.cache:
        public = units.catchments.public
        path = _build_path(units, RATES_FOLDER, key)
        units.cache[key] = _load_or_compute(path, compute) if public else compute()
    return units.cache[key]


def _build_path(units: SpatialUnits, folder: str, key: str) -> Path:
    name = "\n".join([_hash_code(), _hash_geometry(units), key])
    return cache_folder() / folder / f"{hash_content(name)[:40]}.npy"


def _load_or_compute(path: Path, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
    except (OSError, ValueError, EOFError):
        found = compute()
    write_cache_file(path, lambda stream: np.save(stream, found, allow_pickle=False))
    return found


@cache
def _hash_code() -> str:
    """Digest of this room's own code and its libraries: another version gives other rates."""
    room = resources.files("patrolplan.risk")
    files = sorted(path.name for path in room.iterdir() if path.name.endswith(".py"))
    text = b"".join((room / name).read_bytes() for name in files)
    installed = list_versions()
    libraries = [f"{name} {installed[name]}" for name in LIBRARIES]
    return hash_content(text, "\n".join(libraries))


def _hash_geometry(units: SpatialUnits) -> str:
    """Digest of where the places are and what they consist of."""
    told = units.catchments.cache.get("digest")
    if told is None:
        catchments = units.catchments
        told = hashlib.sha256()
        network = units.network
        lie = (network.piece_middle, network.piece_nodes, network.piece_metres)
        parts = (catchments.xy, catchments.piece_catchment, *lie, units.kinds)
        for part in parts:
            told.update(np.ascontiguousarray(part).tobytes())
        told = catchments.cache["digest"] = told.hexdigest()
    return str(told)
