"""Our typeface as a PDF needs it: outlines of its letters, and a file of those that a page uses.

A TrueType file is a row of tables (ISO/IEC 14496-22). Letters that a page does not use are emptied
in the tables `loca` and `glyf`, and all others keep their numbers, so that nothing else in the file
has to change; the emptied places all but vanish when the file is compressed.
"""

import struct
import threading
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ft2font import FT2Font, Kerning, LoadFlags
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

FONT_FOLDER = Path(__file__).parent / "typefaces"
"""DejaVu Sans in its condensed cut: wide enough letters at 8 pt, narrow enough for street names."""
REGULAR = FONT_FOLDER / "DejaVuSansCondensed.ttf"
BOLD = FONT_FOLDER / "DejaVuSansCondensed-Bold.ttf"

EMBEDDED_TABLES = (b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"prep")
"""Tables that a PDF's typeface needs, see ISO 32000-1, 9.9."""
LONG_OFFSETS = struct.pack(">h", 1)
OFFSET_FORMAT_AT = 50
"""Where the table `head` says how long the numbers of `loca` are."""
WORDS, SCALE, TWO_SCALES, MATRIX, MORE = 0x01, 0x08, 0x40, 0x80, 0x20
"""Flags of a part of a composed letter."""
TRUE_TYPE = 0x00010000
COMPRESSION = 1
"""Of zlib, the quickest: typst unpacks what is drawn and packs it for the paper as it likes."""


@dataclass(frozen=True)
class Typeface:
    """One cut of our typeface; its letters are named by their numbers in the file."""

    path: Path

    @cached_property
    def font(self) -> Any:  # noqa: ANN401 - its types differ between versions of matplotlib
        """FreeType's view of it: for one thread at a time, see `lock`."""
        return FT2Font(str(self.path))

    @cached_property
    def lock(self) -> threading.RLock:
        """Who measures or reads outlines holds it."""
        return threading.RLock()

    @cached_property
    def glyphs(self) -> Mapping[int, int]:
        """Number of the letter of each code point."""
        return dict(self.font.get_charmap())

    @property
    def units(self) -> int:
        """Units of the outlines to the size of the type."""
        return int(self.font.units_per_EM)

    @cached_property
    def tables(self) -> Mapping[bytes, bytes]:
        """Content of each table by its tag."""
        content = self.path.read_bytes()
        count = struct.unpack_from(">H", content, 4)[0]
        rows = (struct.unpack_from(">4s3I", content, 12 + 16 * row) for row in range(count))
        return {tag: content[start : start + size] for tag, _, start, size in rows}

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(n + 1,) where each letter begins in `glyf`, and where the last ends."""
        is_long = self.tables[b"head"][OFFSET_FORMAT_AT : OFFSET_FORMAT_AT + 2] == LONG_OFFSETS
        loca = np.frombuffer(self.tables[b"loca"], ">u4" if is_long else ">u2").astype(np.int64)
        return loca if is_long else loca * 2

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """(n,) units that each letter moves the pen on; the last one stated holds for the rest."""
        stated = struct.unpack_from(">H", self.tables[b"hhea"], 34)[0]
        pairs = np.frombuffer(self.tables[b"hmtx"], ">u2", count=2 * stated)[::2].astype(np.int64)
        return np.pad(pairs, (0, len(self.offsets) - 1 - stated), mode="edge")

    @lru_cache(maxsize=4096)  # noqa: B019 - there are two cuts, for as long as the process lives
    def space_letters(self, text: str) -> list[tuple[int, int]]:
        """Number of each letter of a text, and the units by which it moves nearer to the next."""
        numbers = [self.glyphs.get(ord(letter), 0) for letter in text]
        with self.lock:
            kern = self.font.get_kerning
            closer = [-kern(one, next_, Kerning.UNSCALED) for one, next_ in pairwise(numbers)]
        return list(zip(numbers, [*closer, 0], strict=False))

    def trace_letters(self, text: str) -> str:
        """PDF's drawing operators of the edges of all letters, in the units of the typeface.

        After each letter the origin moves on to the next.
        """
        words = []
        for number, closer in self.space_letters(text):
            ahead = self.widths[number] - closer
            words.append(f"{self.trace_glyph(number)} S 1 0 0 1 {ahead} 0 cm")
        return " ".join(words)

    @lru_cache(maxsize=2048)  # noqa: B019 - there are two cuts, for as long as the process lives
    def trace_glyph(self, number: int) -> str:
        """PDF's drawing operators of a letter's outline, in the units of the typeface."""
        with self.lock:
            self.font.load_glyph(number, LoadFlags.NO_SCALE)
            vertices, codes = self.font.get_path()
        words, at, pen = [], 0, np.zeros(2)
        points = vertices * 64  # FreeType's numbers are 64ths where they are scaled
        while at < len(points):
            code = codes[at]
            if code == Outline.CURVE3:
                bend, end = points[at : at + 2]
                words.append(_join_units((pen + 2 * bend) / 3, (end + 2 * bend) / 3, end) + " c")
                at += 1
            elif code == Outline.CLOSEPOLY:
                words.append("h")
            else:
                letter = "m" if code == Outline.MOVETO else "l"
                words.append(f"{_join_units(points[at])} {letter}")
            pen = points[at] if code != Outline.CLOSEPOLY else pen
            at += 1
        return " ".join(words)

    def build_subset(self, numbers: Iterable[int]) -> bytes:
        """The typeface's file with these letters, their parts, and the sign for unknown ones."""
        used = self._add_parts({0, *numbers})
        sizes = np.zeros(len(self.offsets) - 1, dtype=np.int64)
        sizes[used] = np.diff(self.offsets)[used]
        glyf = b"".join(self._read_glyph(number) for number in used)
        loca = np.concatenate([[0], np.cumsum(sizes)]).astype(">u4").tobytes()
        head = bytearray(self.tables[b"head"])
        head[OFFSET_FORMAT_AT : OFFSET_FORMAT_AT + 2] = LONG_OFFSETS
        changed = {b"glyf": glyf, b"loca": loca, b"head": bytes(head)}
        own = {tag: self.tables[tag] for tag in EMBEDDED_TABLES if tag in self.tables} | changed
        return _join_tables(own)

    def _read_glyph(self, number: int) -> bytes:
        start, end = self.offsets[number : number + 2].tolist()
        return self.tables[b"glyf"][start:end]

    def _add_parts(self, numbers: set[int]) -> list[int]:
        """The letters with all that they are composed of, in order."""
        found, todo = set(numbers), list(numbers)
        while todo:
            parts = set(_list_parts(self._read_glyph(todo.pop()))) - found
            found |= parts
            todo += parts
        return sorted(found)


def _join_units(*points: NDArray[np.float64]) -> str:
    """Whole numbers of points, (2,) each."""
    return " ".join(f"{number:.0f}" for number in np.concatenate(points).tolist())


def _list_parts(glyph: bytes) -> list[int]:
    """Numbers of the letters that a letter is composed of; none where it has its own outline."""
    parts: list[int] = []
    if not glyph or struct.unpack_from(">h", glyph)[0] >= 0:
        return parts
    at, flags = 10, MORE
    while flags & MORE:
        flags, number = struct.unpack_from(">HH", glyph, at)
        parts.append(number)
        scales = 2 if flags & SCALE else 4 if flags & TWO_SCALES else 8 if flags & MATRIX else 0
        at += 4 + (4 if flags & WORDS else 2) + scales
    return parts


def _join_tables(tables: Mapping[bytes, bytes]) -> bytes:
    """A TrueType file of these tables."""
    steps = len(tables).bit_length() - 1
    reach = 16 << steps
    head = struct.pack(">I4H", TRUE_TYPE, len(tables), reach, steps, 16 * len(tables) - reach)
    start, rows, contents = 12 + 16 * len(tables), [], []
    for tag, content in sorted(tables.items()):
        padded = content + bytes(-len(content) % 4)
        checksum = int(np.frombuffer(padded, ">u4").sum(dtype=np.uint64)) & 0xFFFFFFFF
        rows.append(struct.pack(">4s3I", tag, checksum, start, len(content)))
        contents.append(padded)
        start += len(padded)
    return head + b"".join(rows) + b"".join(contents)


@lru_cache(maxsize=2)
def load_typeface(*, bold: bool) -> Typeface:
    """The bold or the regular cut."""
    return Typeface(BOLD if bold else REGULAR)


def build_font_objects(typeface: Typeface, used: Mapping[int, str], first: int) -> list[bytes]:
    """The PDF objects of a typeface, numbered from `first` on, which is the one that pages name.

    `used` are the letters of the page by their number: they can be searched and copied.
    """
    numbers = sorted(used)
    file = typeface.build_subset(numbers)
    scale = 1000 / typeface.units
    tag = _name_subset(numbers)
    name = f"{tag}+{typeface.path.stem}"
    widths = " ".join(f"{number} [{typeface.widths[number] * scale:.0f}]" for number in numbers)
    box = " ".join(f"{edge * scale:.0f}" for edge in typeface.font.bbox)
    heights = f"/Ascent {typeface.font.ascender * scale:.0f} /CapHeight 729"
    return [
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H"
        f" /DescendantFonts [{first + 1} 0 R] /ToUnicode {first + 3} 0 R >>".encode(),
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDToGIDMap /Identity"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        f" /FontDescriptor {first + 2} 0 R /W [{widths}] >>".encode(),
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0"
        f" {heights} /Descent {typeface.font.descender * scale:.0f} /StemV 80"
        f" /FontFile2 {first + 4} 0 R >>".encode(),
        build_stream(_build_letter_map(used)),
        build_stream(file, f"/Length1 {len(file)} "),
    ]


def _name_subset(numbers: list[int]) -> str:
    """Six capitals that differ where the letters do."""
    code = zlib.crc32(repr(numbers).encode())
    return "".join(chr(ord("A") + code // 26**place % 26) for place in range(6))


def _build_letter_map(used: Mapping[int, str]) -> bytes:
    """A table from letters' numbers to text, in the language of PDF."""
    rows = [
        f"<{number:04x}> <{text.encode('utf-16-be').hex()}>"
        for number, text in sorted(used.items())
    ]
    blocks = [rows[at : at + 100] for at in range(0, len(rows), 100)]
    body = "\n".join(
        f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Letters def"
        " /CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{body}\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()


def build_stream(content: bytes, entries: str = "") -> bytes:
    """A PDF stream object, compressed."""
    packed = zlib.compress(content, COMPRESSION)
    head = f"<< {entries}/Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
    return head.encode() + packed + b"\nendstream"
