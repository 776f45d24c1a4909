"""Finds what a pupil wrote, and where a report lies, in anything that patrolplan wrote."""

import gzip
import io
import re
import shutil
import sqlite3
import struct
import subprocess
import zipfile
import zlib
from itertools import pairwise

import numpy as np
import pandas as pd

from patrolplan.crs import Projection

NUMBER = re.compile(rb"-?\d+\.\d{5,}")
NEXT_LIST = re.compile(rb"\]\s*,\s*\[")
MAX_APART_BYTES = 100
METRES = re.compile(rb"\d{6}(?:\.\d+)?")


class Searcher:
    """Knows the secrets of a table of reports as text, with `comment`.

    `public` are (k, 2) degrees that stand in public files, such as the corners of streets: a report
    that lies there to five digits, or to the metre, cannot be told from them.
    """

    def __init__(self, reports, projection: Projection, public) -> None:
        lon = pd.to_numeric(reports["longitude"], errors="coerce").to_numpy()
        lat = pd.to_numeric(reports["latitude"], errors="coerce").to_numpy()
        placed = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) > 1) & (lat > lon)
        lon, lat = lon[placed], lat[placed]
        places = set(map(tuple, np.round(np.asarray(public), 5)))
        self.words: dict[bytes, list[bytes]] = {}
        for word in {*reports["report_id"], *reports["comment"]} - {""}:
            self.words.setdefault(word.encode()[:4], []).append(word.encode())
        self.degrees = {*zip(np.round(lon, 5), np.round(lat, 5), strict=True)} - places
        x, y = projection.to_metres(lon, lat)
        public_x, public_y = projection.to_metres(*np.asarray(public).reshape(-1, 2).T)
        self.metres = _whole(x, y) - _whole(public_x, public_y)
        self.doubles = {
            struct.pack("<dd", first, second)
            for pairs in (zip(lon, lat, strict=True), zip(x, y, strict=True))
            for first, second in pairs
        }
        self.firsts = np.unique(np.frombuffer(b"".join(self.doubles), "<u8")[::2])

    def found(self, name: str, content: bytes) -> list[str]:
        """What of the reports stands in a file, opened wherever it can be."""
        return [
            f"{name}: {what}"
            for part in _opened(content)
            for what in (*self._words(part), *self._places(part))
        ]

    def _words(self, content: bytes) -> list[str]:
        # Few beginnings are shared by thousands of words, and seldom stand anywhere.
        likely = [words for start, words in self.words.items() if start in content]
        return [f"the words {word!r}" for words in likely for word in words if word in content]

    def _places(self, content: bytes) -> list[str]:
        exact = [f"a place as bytes {pair!r}" for pair in self._pairs(content)]
        texts = list(NUMBER.finditer(content))
        metres = [round(float(text)) for text in METRES.findall(content)]
        # The latitude of one place and the longitude of the next are no place: they stand far from
        # each other, or in two lists.
        pairs = {
            (round(float(one[0]), 5), round(float(other[0]), 5))
            for one, other in pairwise(texts)
            if other.start() - one.end() <= MAX_APART_BYTES
            and not NEXT_LIST.search(content, one.end(), other.start())
        }
        pairs |= {(second, first) for first, second in pairs}
        grid = {*pairwise(metres)}
        near = [f"the place {pair}" for pair in pairs & self.degrees]
        return exact + near + [f"the place {pair}" for pair in grid & self.metres]

    def _pairs(self, content: bytes) -> set[bytes]:
        """Places that stand as two doubles at any byte of a file."""
        found = set()
        for shift in range(min(8, max(0, len(content) - 7))):
            values = np.frombuffer(content, "<u8", (len(content) - shift) // 8, shift)
            row = np.minimum(np.searchsorted(self.firsts, values), len(self.firsts) - 1)
            for at in shift + 8 * np.flatnonzero(self.firsts[row] == values):
                found.add(content[at : at + 16])
        return found & self.doubles


def _whole(x, y) -> set[tuple[int, int]]:
    """Places in whole metres."""
    return set(zip(np.round(x).astype(int), np.round(y).astype(int), strict=True))


def _opened(content: bytes):
    """A file's bytes, and what they hold once unpacked or read as tables."""
    yield content
    if content[:11] == b"patrolplan ":  # an entry of the cache: its seal, then what it holds
        yield from _opened(content.partition(b"\n")[2])
    elif content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield archive.read(member)
    elif content[:4] == b"%PDF":
        yield from _streams(content)
        yield _pdf_text(content)
    elif content[:4] == b"PAR1":
        yield pd.read_parquet(io.BytesIO(content)).to_csv().encode()
    elif content[:15] == b"SQLite format 3":
        connection = sqlite3.connect(":memory:")
        connection.deserialize(content)
        yield "\n".join(line for line in connection.iterdump() if "rtree" not in line).encode()
        connection.close()


def _streams(content: bytes):
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            yield zlib.decompress(match.group(1))
        except zlib.error:
            continue


def _pdf_text(content: bytes) -> bytes:
    if command := shutil.which("pdftotext"):  # of poppler-utils, many times as quick
        return subprocess.run(  # noqa: S603 - a fixed command on our own bytes
            [command, "-raw", "-", "-"], input=content, capture_output=True, check=True
        ).stdout
    from pypdf import PdfReader  # noqa: PLC0415 - only where there is a PDF

    pages = PdfReader(io.BytesIO(content)).pages
    return "\n".join(page.extract_text() for page in pages).encode()
