"""Files beyond any real size are refused before memory or time run out."""

import bz2
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from patrolplan.errors import InputError

MAX_FILE_BYTES = 4 * 2**30
"""Maximum size of a file, unpacked. All crime of England and Wales in a year is about a tenth."""

MAX_EXPANSION_RATIO = 100
"""Maximum ratio of unpacked to packed size. Tables and streets reach 5 to 30."""

SMALL_BYTES = 64 * 2**20
"""The ratio does not apply to files that unpack to at most this size."""

CHUNK_BYTES = 2**20

ZIPPED = (".xlsx", ".ods")
"""Endings of files that are ZIP archives inside."""


def check_size(path: Path) -> None:
    """Refuse a file that is too large, or that unpacks to far more than tables and streets do.

    A packed file is unpacked once, chunk by chunk and only up to the bound: the size that it states
    itself cannot be trusted. A broken file passes; its reader reports what is wrong with it.

    Raises
    ------
    InputError
        When the file is too large.
    """
    try:
        for _ in _unpack_to_bound(path):
            pass
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return


def read_content(path: Path) -> bytes:
    """The content of a file, unpacked where its name says that it is; refused as by `check_size`.

    Raises
    ------
    InputError
        When the file is too large.
    OSError, EOFError, zlib.error
        When it is broken.
    """
    is_packed = path.suffix.lower() == ".gz"
    content = b"".join(_unpack_to_bound(path))
    return content if is_packed else path.read_bytes()


def _unpack_to_bound(path: Path) -> Iterator[bytes]:
    """As `_unpack`; refuses a file as soon as it is too large."""
    packed = path.stat().st_size
    if packed > MAX_FILE_BYTES:
        _refuse(path, f"is larger than {MAX_FILE_BYTES / 2**30:g} GiB")
    bound = min(MAX_FILE_BYTES, max(SMALL_BYTES, packed * MAX_EXPANSION_RATIO))
    unpacked = 0
    for chunk in _unpack(path):
        unpacked += len(chunk)
        if unpacked > bound:
            size = f"{bound / 2**20:,.0f} MiB from {packed / 2**20:,.1f}"
            _refuse(path, f"unpacks to more than {size}")
        yield chunk


def _unpack(path: Path) -> Iterator[bytes]:
    """The content of a packed file in chunks; nothing of one that is not packed."""
    suffix = path.suffix.lower()
    if suffix in {".gz", ".bz2"}:
        with gzip.open(path) if suffix == ".gz" else bz2.open(path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
    elif suffix in ZIPPED:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as stream:
                    while chunk := stream.read(CHUNK_BYTES):
                        yield chunk


def _refuse(path: Path, what: str) -> NoReturn:
    raise InputError.one(path, what, "use a smaller extract, of the area only")
