"""Our typeface as a PDF needs it: its letters' widths and outlines, and a file of those on a page.

A library of typefaces takes longer to load than all of this to run. A TrueType file is a row of
tables (ISO/IEC 14496-22). Letters that a page does not use are emptied in the tables `loca` and
`glyf`, and all others keep their numbers, so that nothing else in the file has to change; the
emptied places all but vanish when the file is compressed.
"""

import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
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
WORDS, MORE = 0x01, 0x20
"""Flags of a part of a composed letter."""
ON_LINE, REPEAT = 0x01, 0x08
"""Flags of a point of an outline."""
WINDOWS_UNICODE = (3, 1)
"""Platform and encoding of the table of code points."""
TRUE_TYPE = 0x00010000
COMPRESSION = 1
"""Of zlib, the quickest: typst unpacks what is drawn and packs it for the paper as it likes."""


@dataclass(frozen=True)
class Typeface:
    """One cut of our typeface; its letters are named by their numbers in the file."""

    path: Path

    @cached_property
    def glyphs(self) -> Mapping[int, int]:
        """Number of the letter of each code point, from the table of segments (format 4)."""
        cmap = self.tables[b"cmap"]
        rows = struct.iter_unpack(">2HI", cmap[4 : 4 + 8 * struct.unpack_from(">H", cmap, 2)[0]])
        (start,) = {
            at for platform, encoding, at in rows if (platform, encoding) == WINDOWS_UNICODE
        }
        size, count = struct.unpack_from(">2xH2xH", cmap, start)
        words = np.frombuffer(cmap, ">u2", count=(size - 14) // 2, offset=start + 14).astype(int)
        half = count // 2
        ends, firsts, steps, leads = (
            words[at : at + half] for at in (0, half + 1, count + 1, half * 3 + 1)
        )
        numbers = dict[int, int]()
        for row, (end, first, step, lead) in enumerate(
            zip(ends.tolist(), firsts.tolist(), steps.tolist(), leads.tolist(), strict=True)
        ):
            codes = np.arange(first, end + 1)
            if lead:  # so many bytes on from its own place the numbers of these letters begin
                found = words[half * 3 + 1 + row + lead // 2 :][: len(codes)]
                found = np.where(found > 0, (found + step) & 0xFFFF, 0)
            else:
                found = (codes + step) & 0xFFFF
            numbers |= {c: n for c, n in zip(codes.tolist(), found.tolist(), strict=True) if n}
        return numbers

    @property
    def units(self) -> int:
        """Units of the outlines to the size of the type."""
        return int(struct.unpack_from(">H", self.tables[b"head"], 18)[0])

    @property
    def box(self) -> tuple[int, ...]:
        """Units of the left, lower, right and upper edge of all letters."""
        return struct.unpack_from(">4h", self.tables[b"head"], 36)

    @property
    def heights(self) -> tuple[int, ...]:
        """Units above and, negative, below the line."""
        return struct.unpack_from(">2h", self.tables[b"hhea"], 4)

    @cached_property
    def kerning(self) -> Mapping[tuple[int, int], int]:
        """Units by which the second of two letters moves away from the first."""
        kern = self.tables[b"kern"]
        count = struct.unpack_from(">H", kern, 10)[0]
        pairs = np.frombuffer(kern, ">u2,>u2,>i2", count=count, offset=18)
        left, right, units = (pairs[name].tolist() for name in pairs.dtype.names or ())
        return dict(zip(zip(left, right, strict=True), units, strict=True))

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

    @cached_property
    def bearings(self) -> NDArray[np.int64]:
        """(n,) units from where the pen stands to the left edge of each letter."""
        numbers = np.frombuffer(self.tables[b"hmtx"], ">i2").astype(np.int64)
        stated = 2 * (len(numbers) - len(self.offsets) + 1)
        return np.concatenate([numbers[1:stated:2], numbers[stated:]])

    @lru_cache(maxsize=4096)  # noqa: B019 - there are two cuts, for as long as the process lives
    def space_letters(self, text: str) -> list[tuple[int, int]]:
        """Number of each letter of a text, and the units by which it moves nearer to the next."""
        numbers = [self.glyphs.get(ord(letter), 0) for letter in text]
        closer = [-self.kerning.get(pair, 0) for pair in pairwise(numbers)]
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
        glyph = self._read_glyph(number)
        left = struct.unpack_from(">h", glyph, 2)[0] if glyph else 0
        right = int(self.bearings[number]) - left
        return " ".join(
            _trace_contour([(x + right, y, on_line) for x, y, on_line in contour])
            for contour in self._read_contours(number)
        )

    def measure_text(self, text: str, size: float) -> float:
        """Points that a text takes; the size and each letter's width count in whole 64ths."""
        scale, sizes = int(64 * size) / self.units, 0
        for number, closer in self.space_letters(text):
            sizes += math.floor(int(self.widths[number]) * scale + 0.5)
            sizes += math.floor(0.5 - closer * scale)
        return sizes / 64

    def _read_contours(self, number: int) -> list[list[tuple[int, int, bool]]]:
        """The points of each contour of a letter, and whether they are on its line."""
        glyph = self._read_glyph(number)
        contours = [
            [(x + right, y + up, on_line) for x, y, on_line in contour]
            for part, right, up in _list_parts(glyph)
            for contour in self._read_contours(part)
        ]
        count = struct.unpack_from(">h", glyph)[0] if glyph else 0
        if count <= 0:
            return contours
        ends = struct.unpack_from(f">{count}H", glyph, 10)
        at = 10 + 2 * count
        at += 2 + struct.unpack_from(">H", glyph, at)[0]  # past the instructions
        flags = list[int]()
        while len(flags) <= ends[-1]:
            times = 1 + glyph[at + 1] if glyph[at] & REPEAT else 1
            flags += [glyph[at]] * times
            at += 2 if glyph[at] & REPEAT else 1
        axes = list[list[int]]()
        for short, same in ((0x02, 0x10), (0x04, 0x20)):
            value, axis = 0, list[int]()
            for flag in flags:
                if flag & short:  # one byte, whose sign is in the flag
                    value += glyph[at] if flag & same else -glyph[at]
                    at += 1
                elif not flag & same:
                    value += struct.unpack_from(">h", glyph, at)[0]
                    at += 2
                axis.append(value)
            axes.append(axis)
        points = [(x, y, bool(flag & ON_LINE)) for x, y, flag in zip(*axes, flags, strict=True)]
        return [points[start + 1 : end + 1] for start, end in pairwise((-1, *ends))]

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
            parts = {part for part, *_ in _list_parts(self._read_glyph(todo.pop()))} - found
            found |= parts
            todo += parts
        return sorted(found)


def _trace_contour(points: Sequence[tuple[int, int, bool]]) -> str:
    """PDF's drawing operators of a contour: lines, and curves around the points off its line."""
    *first, is_on_line = points[0]
    *last, ends_on_line = points[-1]
    if is_on_line:  # the pen begins on the line
        start, rest = (first[0], first[1]), points[1:]
    elif ends_on_line:
        start, rest = (last[0], last[1]), points[:-1]
    else:
        start, rest = _find_middle(first, last), points
    pen, bend = start, None
    words = [f"{pen[0]} {pen[1]} m"]
    for x, y, on_line in [*rest, (*start, True)]:
        if bend is not None:
            end = (x, y) if on_line else _find_middle(bend, (x, y))
            words.append(_draw_curve(pen, bend, end))
            pen = end
        elif on_line:
            words.append(f"{x} {y} l")
            pen = (x, y)
        bend = None if on_line else (x, y)
    return " ".join([*words, "h"])


def _find_middle(one: Sequence[int], other: Sequence[int]) -> tuple[int, int]:
    """The point between two, in whole units towards zero."""
    return int((one[0] + other[0]) / 2), int((one[1] + other[1]) / 2)


def _draw_curve(pen: tuple[int, int], bend: tuple[int, int], end: tuple[int, int]) -> str:
    """A curve of one bend, with the two that PDF knows."""
    bends = ((at[axis] + 2 * bend[axis]) / 3 for at in (pen, end) for axis in (0, 1))
    return " ".join(f"{number:.0f}" for number in (*bends, *end)) + " c"


def _list_parts(glyph: bytes) -> list[tuple[int, int, int]]:
    """Numbers of the letters that a letter is composed of, and where they are moved in x and y.

    There are none where it has its own outline. Our typefaces move parts, but do not scale them.
    """
    parts: list[tuple[int, int, int]] = []
    if not glyph or struct.unpack_from(">h", glyph)[0] >= 0:
        return parts
    at, flags = 10, MORE
    while flags & MORE:
        flags = struct.unpack_from(">H", glyph, at)[0]
        form = ">2xH2h" if flags & WORDS else ">2xH2b"
        parts.append(struct.unpack_from(form, glyph, at))
        at += struct.calcsize(form)
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
    box = " ".join(f"{edge * scale:.0f}" for edge in typeface.box)
    ascent, descent = typeface.heights
    heights = f"/Ascent {ascent * scale:.0f} /CapHeight 729"
    return [
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H"
        f" /DescendantFonts [{first + 1} 0 R] /ToUnicode {first + 3} 0 R >>".encode(),
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDToGIDMap /Identity"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        f" /FontDescriptor {first + 2} 0 R /W [{widths}] >>".encode(),
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0"
        f" {heights} /Descent {descent * scale:.0f} /StemV 80"
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
