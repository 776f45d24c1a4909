"""What models caught in earlier months, kept in the user's cache folder by all that it rests on.

A new month then asks for one origin more, and other settings of patrols for none. Only sums of
recorded crime in slices of a whole area are kept, never a place.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patrolplan.inputs.cache import cache_folder
from patrolplan.risk.places import Places

FOLDER = "trials"
ENTRY = re.compile(r"[0-9a-f]{40}\.npy|\.new-\w+")
"""Names of its files, whole and interrupted."""


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
        name = "\n".join([_code(), _geometry(places), key])
        path = cache_folder() / FOLDER / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.npy"
        places.kept[key] = _through(path, work_out)
    return places.kept[key]


def _through(path: Path, work_out: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
    except (OSError, ValueError, EOFError):
        found = work_out()
    beside = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, found, allow_pickle=False)
        Path(beside).replace(path)
    except OSError:
        if beside:
            Path(beside).unlink(missing_ok=True)
    return found


@cache
def _code() -> str:
    """Digest of this room's own code: sums of another version are other sums."""
    room = resources.files("patrolplan.risk")
    files = sorted(path.name for path in room.iterdir() if path.name.endswith(".py"))
    text = b"".join((room / name).read_bytes() for name in files)
    return hashlib.sha256(text).hexdigest()


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
