"""The page of a map: drawn items are in it, in order, in their window, and words as text."""

import io
from itertools import pairwise

import numpy as np
import pypdf
import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from patrolplan.outputs.cartography.basemap import split_points
from patrolplan.outputs.cartography.page import (
    Page,
    TextStyle,
    parse_colour,
    trace_circle,
    trace_rectangle,
)
from patrolplan.outputs.cartography.typeface import load_typeface

WORDS = ["AVAILABLE Tower", "Søn & École", "£5 \\ (half)", "(1→2)"]


def read(page):
    """The page as a reader finds it."""
    return pypdf.PdfReader(io.BytesIO(page.write()), strict=True).pages[0]


def read_fonts(page):
    """The typefaces within a page, each with the letters that it says it has."""
    for font in read(page)["/Resources"]["/Font"].values():
        descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
        yield font, TTFont(io.BytesIO(descriptor["/FontFile2"].get_data()))


@pytest.mark.parametrize("bold", [False, True])
def test_words_can_be_read_out_of_the_page(bold):
    """Words stay text, with any letters, turned or with a halo."""
    page = Page(300.0, 200.0)
    window = page.add_window((10.0, 10.0, 280.0, 180.0))
    for row, text in enumerate(WORDS):
        halo = 1.3 * (row % 2)
        window.draw_text(text, (5.0, 150.0 - 30 * row, 0.0), TextStyle(9.0, bold=bold, halo=halo))
    assert read(page).extract_text().split("\n") == WORDS


def test_the_embedded_letters_are_those_of_the_typeface():
    """A letter of the page has the outline and width of our typeface, parts of letters included."""
    page = Page(100.0, 100.0)
    page.add_window((0.0, 0.0, 100.0, 100.0)).draw_text("Éa", (5.0, 50.0, 0.0), TextStyle(8.0))
    [(font, own)] = read_fonts(page)
    typeface = load_typeface(bold=False)
    whole = TTFont(typeface.path)
    for letter in "Éa":
        number = typeface.glyphs[ord(letter)]
        name = whole.getGlyphName(number)
        theirs = whole["glyf"][name].getCoordinates(whole["glyf"])
        ours = own["glyf"][own.getGlyphName(number)].getCoordinates(own["glyf"])
        assert list(ours[0]) == list(theirs[0])
        assert own["hmtx"][own.getGlyphName(number)] == whole["hmtx"][name]
        widths = font["/DescendantFonts"][0]["/W"]
        width = widths[widths.index(number) + 1][0]
        assert width == pytest.approx(1000 * whole["hmtx"][name][0] / typeface.units, abs=0.5)
    unused = typeface.glyphs[ord("b")]
    assert not own["glyf"][own.getGlyphName(unused)].numberOfContours


@pytest.mark.parametrize("bold", [False, True])
def test_letters_are_as_wide_and_drawn_as_a_library_of_typefaces_reads_them(bold):
    """Codes, widths of texts and the ends of all lines and curves are what fontTools reads."""
    ours = load_typeface(bold=bold)
    whole = TTFont(ours.path)
    names = whole.getBestCmap()
    assert {code: whole.getGlyphID(name) for code, name in names.items()} == ours.glyphs
    kern = whole["kern"].kernTables[0]
    for text in [*WORDS, "AVAVA To"]:
        letters = [names[ord(letter)] for letter in text]
        units = sum(whole["hmtx"][letter][0] for letter in letters)
        units += sum(kern.kernTable.get(pair, 0) for pair in pairwise(letters))
        width = ours.measure_text(text, 8.0)
        assert width == pytest.approx(8.0 * units / ours.units, abs=len(text) / 64)
    glyphs = whole.getGlyphSet()
    for name in names.values():
        pen = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(pen)
        theirs = {point for _, points in pen.value for point in points[-1:] if point}
        words = ours.trace_glyph(whole.getGlyphID(name)).split()
        ends = {
            (int(words[at - 2]), int(words[at - 1]))
            for at, word in enumerate(words)
            if word in "mlc"
        }
        # Of a few composed letters all is one unit off, which is 1/250 of a point.
        near = {(x + step, y) for x, y in ends for step in (-1, 0, 1)}
        assert theirs <= near
        assert bool(ends) is bool(theirs)


def test_what_is_higher_is_drawn_later():
    """Levels order what is drawn in a window, and windows follow each other as they were added."""
    page = Page(100.0, 100.0)
    first, second = (page.add_window((0.0, 0.0, 50.0, 50.0)) for _ in range(2))
    second.draw_shape(trace_rectangle(0.0, 0.0, 1.0, 1.0), 1.0, fill="#0000ff")
    first.draw_shape(trace_circle(9.0, 9.0, 5.0), 3.0, fill="#ff0000", edge="white")
    first.draw_lines([np.array([(0.0, 0.0), (9.0, 9.5)])], "#00ff00", 2.5, 2.0, dashes=(2, 1))
    content = read(page).get_contents().get_data().decode("ascii")
    order = [content.index(words) for words in ("0 1 0 RG", "1 0 0 rg", "0 0 1 rg")]
    assert order == sorted(order)
    assert "250 w 1 J 1 j [500 250] 0 d 0 0 m 900 950 l S" in content
    assert content.count("0 0 5000 5000 re W n") == 2


def test_equal_drawings_are_equal_bytes_and_a_tone_changes_every_colour():
    """A page depends only on what is drawn, and its window's tone affects all of it."""

    def draw(tone):
        page = Page(60.0, 60.0)
        window = page.add_window((0.0, 0.0, 60.0, 60.0), tone=tone)
        window.draw_text("Word", (5.0, 5.0, 30.0), TextStyle(8.0, colour="#102030", halo=1.0))
        window.draw_lines([np.zeros((2, 2))], "#405060", 1.0, 1.0)
        window.draw_shape(trace_circle(9.0, 9.0, 5.0), 3.0, fill="#708090", edge="#a0b0c0")
        return page

    assert draw(None).write() == draw(None).write()
    content = read(draw(lambda _: (0.5, 0.5, 0.5))).get_contents().get_data().decode("ascii")
    words = content.split()
    colours = {tuple(words[at - 3 : at]) for at, word in enumerate(words) if word in {"rg", "RG"}}
    assert colours == {("0.5", "0.5", "0.5")}
    assert parse_colour("white") == (1.0, 1.0, 1.0)


def test_a_pond_that_no_stroke_of_water_crosses_is_drawn():
    """Strokes are drawn every few points; a pond between two of them, or off the map, has none."""
    for owner in ([], [0, 0, 2], [1]):
        points = np.arange(2.0 * len(owner)).reshape(-1, 2)
        parts = [points[np.array(owner) == one].tolist() for one in sorted(set(owner))]
        assert [part.tolist() for part in split_points(points, np.array(owner, int))] == parts
