"""Arrays that cost time, kept by the content of all that they rest on in the user's cache folder.

Nothing of reports, or of a force's own extract, may be handed over here: what is kept is written.
"""

import hashlib
import re
import zipfile
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrolplan.inputs.cache import cache_folder
from patrolplan.inputs.cache import keep_whole

FOLDER = "arrays"
"""The folder in the cache folder."""

ENTRY = re.compile(r"[0-9a-f]{40}\.npz|\.new-\w+")
"""Names of its files, whole and interrupted."""

Arrays = Mapping[str, NDArray[Any]]


def kept_arrays(key: str, rests_on: Arrays, work_out: Callable[[], Arrays]) -> Arrays:
    """Arrays from the cache where they are known, else worked out and kept.

    A cache that cannot be read or written is passed over: it only saves time.

    Parameters
    ----------
    key
        What the arrays are, in which version, and the plain values that they rest on.
    rests_on
        The arrays that they rest on.
    work_out
        Gives the arrays.
    """
    told = hashlib.sha256(key.encode())
    for name, array in rests_on.items():
        told.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        told.update(np.ascontiguousarray(array).data)
    path = cache_folder() / FOLDER / f"{told.hexdigest()[:40]}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        found = work_out()
    named: dict[str, Any] = dict(found)
    keep_whole(path, lambda stream: np.savez(stream, **named))
    return found
