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

from patrolplan.cache import cache_folder, keep_whole
from patrolplan.provenance import versions
from patrolplan.risk.spatial_units import Places

SUMS = "trials"
RATES = "rates"
FOLDERS = {SUMS: "cache of back-tests", RATES: "cache of rates"}
"""The folders in the cache folder, and what is in them."""

LIBRARIES = ("numpy", "scipy", "scikit-learn")
"""Rates and sums come out of these."""

ENTRY = re.compile(r"[0-9a-f]{40}\.npy|\.new-\w+")
"""Names of their files, whole and interrupted."""


def kept_sums(
    places: Places, key: str, work_out: Callable[[], NDArray[np.float64]]
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
    if key not in places.kept:
        places.kept[key] = _through(_path(places, SUMS, key), work_out)
    return places.kept[key]


def kept_rates(
    places: Places, key: str, work_out: Callable[[], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Do as `kept_sums` does for rates of places: from an earlier run only those of open data."""
    if key not in places.kept:
        public = places.catchments.public
        path = _path(places, RATES, key)
        places.kept[key] = _through(path, work_out) if public else work_out()
    return places.kept[key]


def _path(places: Places, folder: str, key: str) -> Path:
    name = "\n".join([_code(), _geometry(places), key])
    return cache_folder() / folder / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.npy"


def _through(path: Path, work_out: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
    except (OSError, ValueError, EOFError):
        found = work_out()
    keep_whole(path, lambda stream: np.save(stream, found, allow_pickle=False))
    return found


@cache
def _code() -> str:
    """Digest of this room's own code and its libraries: another version gives other rates."""
    room = resources.files("patrolplan.risk")
    files = sorted(path.name for path in room.iterdir() if path.name.endswith(".py"))
    text = b"".join((room / name).read_bytes() for name in files)
    installed = versions()
    libraries = [f"{name} {installed[name]}" for name in LIBRARIES]
    return hashlib.sha256(text + "\n".join(libraries).encode()).hexdigest()


def _geometry(places: Places) -> str:
    """Digest of where the places are and what they consist of."""
    told = places.catchments.kept.get("digest")
    if told is None:
        catchments = places.catchments
        told = hashlib.sha256()
        network = places.network
        lie = (network.piece_middle, network.piece_nodes, network.piece_metres)
        parts = (catchments.xy, catchments.of_piece, *lie, places.kinds)
        for part in parts:
            told.update(np.ascontiguousarray(part).tobytes())
        told = catchments.kept["digest"] = told.hexdigest()
    return str(told)
