"""How large a file may be: a bound that no real one meets, told before memory or time run out."""

import bz2
import gzip
import zlib
from pathlib import Path

from patrolplan.errors import InputError

LARGEST_BYTES = 4 * 2**30
"""Largest file, unpacked. All crime of England and Wales in a year is about a tenth of it."""

MOST_TIMES = 100
"""So many times its packed size a file may unpack to. Tables and streets reach 5 to 30."""

SMALL_BYTES = 64 * 2**20
"""Up to this size a packed file may be as dense as it likes."""

CHUNK_BYTES = 2**20


def check_size(path: Path) -> None:
    """Refuse a file that is too large, or that unpacks to far more than tables and streets do.

    A packed file is unpacked once, chunk by chunk, and no further than to the bound: its own word
    on its size is not to be trusted. A broken one passes; its reader tells what is wrong with it.

    Raises
    ------
    InputError
        When the file is too large.
    """
    packed = path.stat().st_size
    if packed > LARGEST_BYTES:
        _refuse(path, f"is larger than {LARGEST_BYTES / 2**30:g} GiB")
    suffix = path.suffix.lower()
    if suffix not in {".gz", ".bz2"}:
        return
    bound = min(LARGEST_BYTES, max(SMALL_BYTES, packed * MOST_TIMES))
    unpacked = 0
    try:
        with gzip.open(path) if suffix == ".gz" else bz2.open(path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                unpacked += len(chunk)
                if unpacked > bound:
                    break
    except (OSError, EOFError, zlib.error):
        return
    if unpacked > bound:
        _refuse(path, f"unpacks to more than {bound / 2**20:,.0f} MiB from {packed / 2**20:,.1f}")


def _refuse(path: Path, what: str) -> None:
    raise InputError.one(path, what, "give a smaller extract, of the area alone")
