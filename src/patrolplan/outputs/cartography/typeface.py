"""Our typeface for a PDF: widths and outlines of letters, and a font file with those on a page.

Letters that a page does not use are emptied in the tables `loca` and `glyf` (ISO/IEC 14496-22), and
all others keep their numbers, so that nothing else in the file has to change; empty entries take
almost no space in the compressed file. This takes a hundredth of the time of a full subset with all
tables.
"""

import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from fontTools.ttLib.sfnt import SFNTWriter
from numpy.typing import NDArray

FONT_FOLDER = Path(__file__).parent / "typefaces"
"""DejaVu Sans Condensed: wide enough to read at 8 pt, narrow enough for street names."""
REGULAR = FONT_FOLDER / "DejaVuSansCondensed.ttf"
BOLD = FONT_FOLDER / "DejaVuSansCondensed-Bold.ttf"

EMBEDDED_TABLES = ("cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep")
"""Tables that a PDF's typeface needs, see ISO 32000-1, 9.9."""
LONG_OFFSETS = struct.pack(">h", 1)
OFFSET_FORMAT_AT = 50
"""Position in the table `head` of the size of numbers in `loca`."""
COMPRESSION = 1
"""The quickest level of zlib: typst unpacks the map and compresses it again for the paper."""


@dataclass(frozen=True)
class Typeface:
    """One style of our typeface; its letters are identified by their numbers in the file."""

    path: Path

    @cached_property
    def font(self) -> Any:  # noqa: ANN401 - its tables have no types
        """The file; each table is read when it is first used.

        Letters are identified by their numbers: reading their names would take longest.
        """
        font = TTFont(BytesIO(self.path.read_bytes()), lazy=True)
        font.setGlyphOrder([str(number) for number in range(font["maxp"].numGlyphs)])
        return font

    @cached_property
    def glyphs(self) -> Mapping[int, int]:
        """Number of the letter of each code point."""
        number = self.font.getReverseGlyphMap()
        return {code: number[name] for code, name in self.font.getBestCmap().items()}

    @property
    def units(self) -> int:
        """Units of the outlines to the size of the type."""
        return int(self.font["head"].unitsPerEm)

    @property
    def box(self) -> tuple[int, ...]:
        """Left, lower, right and upper edge of all letters, in units."""
        head = self.font["head"]
        return head.xMin, head.yMin, head.xMax, head.yMax

    @property
    def heights(self) -> tuple[int, int]:
        """Units above and, negative, below the line."""
        return self.font["hhea"].ascent, self.font["hhea"].descent

    @cached_property
    def kerning(self) -> Mapping[tuple[int, int], int]:
        """Units by which the second of two letters moves away from the first."""
        number, (pairs,) = self.font.getReverseGlyphMap(), self.font["kern"].kernTables
        return {
            (number[one], number[other]): units for (one, other), units in pairs.kernTable.items()
        }

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(n + 1,) position in `glyf` where each letter begins, and where the last ends."""
        return np.array(self.font["loca"].locations, dtype=np.int64)

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """(n,) advance width of each letter, in units."""
        metrics = self.font["hmtx"].metrics
        return np.array([metrics[name][0] for name in self.font.getGlyphOrder()], dtype=np.int64)

    @lru_cache(maxsize=4096)  # noqa: B019 - there are two cuts, for as long as the process lives
    def space_letters(self, text: str) -> list[tuple[int, int]]:
        """Number of each letter of a text, and the units by which it is nearer to the next."""
        numbers = [self.glyphs.get(ord(letter), 0) for letter in text]
        closer = [-self.kerning.get(pair, 0) for pair in pairwise(numbers)]
        return list(zip(numbers, [*closer, 0], strict=False))

    def trace_letters(self, text: str) -> str:
        """PDF operators for the outlines of all letters, in the units of the typeface.

        After each letter the origin moves to the next.
        """
        words = []
        for number, closer in self.space_letters(text):
            ahead = self.widths[number] - closer
            words.append(f"{self.trace_glyph(number)} S 1 0 0 1 {ahead} 0 cm")
        return " ".join(words)

    @lru_cache(maxsize=2048)  # noqa: B019 - there are two cuts, for as long as the process lives
    def trace_glyph(self, number: int) -> str:
        """PDF operators for a letter's outline, in the units of the typeface."""
        glyphs = self.font.getGlyphSet()
        pen = _PdfPen(glyphs)
        glyphs[self.font.getGlyphName(number)].draw(pen)
        return " ".join(pen.words)

    def measure_text(self, text: str, size: float) -> float:
        """Width of a text in points; the size and each letter's width are rounded to 64ths."""
        scale, sizes = int(64 * size) / self.units, 0
        for number, closer in self.space_letters(text):
            sizes += math.floor(int(self.widths[number]) * scale + 0.5)
            sizes += math.floor(0.5 - closer * scale)
        return sizes / 64

    def build_subset(self, numbers: Iterable[int]) -> bytes:
        """A font file with these letters, their parts, and the sign for unknown ones."""
        used = self._add_parts({0, *numbers})
        sizes = np.zeros(len(self.offsets) - 1, dtype=np.int64)
        sizes[used] = np.diff(self.offsets)[used]
        read = self.font.reader
        whole, at = read["glyf"], self.offsets.tolist()
        head = bytearray(read["head"])
        head[OFFSET_FORMAT_AT : OFFSET_FORMAT_AT + 2] = LONG_OFFSETS
        changed = {
            "glyf": b"".join(whole[at[number] : at[number + 1]] for number in used),
            "loca": np.concatenate([[0], np.cumsum(sizes)]).astype(">u4").tobytes(),
            "head": bytes(head),
        }
        tags = [tag for tag in EMBEDDED_TABLES if tag in read]
        file = BytesIO()
        writer = SFNTWriter(file, len(tags))
        for tag in tags:
            writer[tag] = changed.get(tag) or read[tag]
        writer.close()
        return file.getvalue()

    def _add_parts(self, numbers: set[int]) -> list[int]:
        """The letters with all their components, in order."""
        glyf, found, todo = self.font["glyf"], set(numbers), list(numbers)
        while todo:
            names = glyf[self.font.getGlyphName(todo.pop())].getComponentNames(glyf)
            parts = {self.font.getGlyphID(name) for name in names} - found
            found |= parts
            todo += parts
        return sorted(found)


class _PdfPen(BasePen):  # type: ignore[misc] # the library has no types
    """Writes an outline as PDF operators, whose only curves are cubic."""

    def __init__(self, glyphs: object) -> None:
        super().__init__(glyphs)
        self.words: list[str] = []

    def _moveTo(self, pt: tuple[float, float]) -> None:  # noqa: N802 - its name
        self._write("m", pt)

    def _lineTo(self, pt: tuple[float, float]) -> None:  # noqa: N802 - its name
        self._write("l", pt)

    def _curveToOne(self, *points: tuple[float, float]) -> None:  # noqa: N802 - its name
        self._write("c", *points)

    def _closePath(self) -> None:  # noqa: N802 - its name
        self.words.append("h")

    def _write(self, operator: str, *points: tuple[float, float]) -> None:
        self.words += [f"{number:.0f}" for point in points for number in point]
        self.words.append(operator)


@lru_cache(maxsize=2)
def load_typeface(*, bold: bool) -> Typeface:
    """The bold or the regular style."""
    return Typeface(BOLD if bold else REGULAR)


def build_font_objects(typeface: Typeface, used: Mapping[int, str], first: int) -> list[bytes]:
    """The PDF objects of a typeface, numbered from `first`, the one that pages refer to.

    `used` are the letters of the page by their number, so that text can be searched and copied.
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
    """Six capital letters that differ if the used letters do."""
    code = zlib.crc32(repr(numbers).encode())
    return "".join(chr(ord("A") + code // 26**place % 26) for place in range(6))


def _build_letter_map(used: Mapping[int, str]) -> bytes:
    """A table from letters' numbers to text, in PDF syntax."""
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
