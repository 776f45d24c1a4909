"""The page of a map: drawn items are in it, in order, in their window, and words as text."""

import io

import numpy as np
import pypdf
import pytest
from outputs.printed import rendered, typeset_picture

from patrolplan.outputs.cartography.page import (
    Page,
    TextStyle,
    trace_circle,
    trace_rectangle,
    trace_rounded,
)

WORDS = ["AVAILABLE Tower", "Søn & École", "£5 \\ (half)", "<1→2>"]


@pytest.mark.parametrize("bold", [False, True])
def test_words_can_be_read_out_of_the_page(bold):
    """Words stay text in our typeface, with any letters, turned or with a halo."""
    page = Page(300.0, 200.0)
    window = page.add_window((10.0, 10.0, 280.0, 180.0))
    for row, text in enumerate(WORDS):
        halo = 1.3 * (row % 2)
        window.draw_text(text, (5.0, 150.0 - 30 * row, 0.0), TextStyle(9.0, bold=bold, halo=halo))
    read = pypdf.PdfReader(io.BytesIO(typeset_picture(page.write())), strict=True).pages[0]
    assert read.extract_text().split("\n") == WORDS
    name = "DejaVuSansCondensed" + ("-Bold" if bold else "")
    fonts = [font["/BaseFont"] for font in read["/Resources"]["/Font"].values()]
    assert [font.partition("+")[2] for font in fonts] == [name]


def test_what_is_higher_is_drawn_later_and_cut_at_the_windows_edge():
    """Levels order what is drawn in a window, and windows follow each other as they were added."""
    page = Page(100.0, 100.0)
    first, second = (page.add_window((0.0, 0.0, 50.0, 50.0)) for _ in range(2))
    second.draw_shape(trace_rectangle(0.0, 0.0, 10.0, 10.0), 1.0, fill="#0000ff")
    first.draw_shape(trace_circle(25.0, 25.0, 15.0), 3.0, fill="#ff0000", edge="white")
    first.draw_lines([np.array([(0.0, 25.0), (90.0, 25.0)])], "#00ff00", 4.0, 2.0)
    dots = rendered(typeset_picture(page.write()))[0]
    assert dots[95, 5].tolist() == [0, 0, 255]
    assert dots[75, 25].tolist() == [255, 0, 0]
    assert dots[75, 5].tolist() == dots[75, 48].tolist() == [0, 255, 0]
    assert dots[75, 52].tolist() == [255, 255, 255]


def test_dashes_rings_and_rounded_corners_are_as_given():
    """Dashes count in widths, a ring in the opposite direction is a hole, corners are round."""
    page = Page(100.0, 100.0)
    window = page.add_window((0.0, 0.0, 100.0, 100.0))
    line = np.array([(0.0, 90.0), (100.0, 90.0)])
    window.draw_lines([line], "#000000", 4.0, 1.0, dashes=(5, 5), cap="butt")
    window.draw_shape(trace_rounded(10.0, 10.0, 60.0, 60.0, 20.0), 1.0, fill="#000000")
    dark = rendered(typeset_picture(page.write()))[0][..., 0] < 128
    assert dark[10, 10]
    assert dark[10, 50]
    assert not dark[10, 30]
    assert dark[60, 40]
    assert dark[30 + 8, 18]
    assert not dark[32, 12]


def test_equal_drawings_are_equal_bytes_and_a_tone_changes_every_colour():
    """A page depends only on what is drawn, and its window's tone affects all of it."""

    def draw(tone):
        page = Page(60.0, 60.0)
        window = page.add_window((0.0, 0.0, 60.0, 60.0), tone=tone)
        window.draw_text("Word", (5.0, 5.0, 30.0), TextStyle(8.0, colour="#102030", halo=1.0))
        window.draw_lines([np.zeros((2, 2))], "#405060", 1.0, 1.0)
        window.draw_shape(trace_circle(9.0, 9.0, 5.0), 3.0, fill="#708090", edge="#a0b0c0")
        return page.write()

    assert draw(None) == draw(None)
    assert draw(None).count(b"#") == 4
    toned = draw(lambda _: "grey")
    assert b"#" not in toned
    assert toned.count(b'"grey"') == 5
