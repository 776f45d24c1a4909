"""The page of a map: drawn items, letters, signs and grid lines are in it as they should be."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pypdf
import pytest
from hypothesis import given, settings, strategies as st
from outputs.printed import assert_on_map, rendered, typeset_picture

from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography.fonts import (
    UNKNOWN_MARK_NOTE,
    list_characters,
    make_printable,
    typeset,
)
from patrolplan.outputs.cartography.grid import (
    MIN_SPACING,
    build_grid_labels,
    build_grid_lines,
    choose_grid_metres,
)
from patrolplan.outputs.cartography.labels import place_labels
from patrolplan.outputs.cartography.legend import build_sign_entries
from patrolplan.outputs.cartography.page import (
    Page,
    TextStyle,
    trace_circle,
    trace_rectangle,
    trace_rounded,
)
from patrolplan.outputs.cartography.symbols import SYMBOLS, draw_symbols
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.outputs.wording import format_grid_reference

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


ARABIC = "\u0645\u062f\u0631\u0633\u0629 \u0627\u0644\u0646\u0648\u0631"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("École Søn", "École Søn"),
        (f"Al-Noor {ARABIC}", "Al-Noor [?]"),
        (f"{ARABIC} Mill {ARABIC}", "[?] Mill [?]"),
        ("Mill \U0001f3eb\U0001f3eb School", "Mill [?] School"),
    ],
)
def test_words_of_unknown_letters_become_one_plain_mark(text, shown):
    """However many letters the typeface lacks in a row, one mark of plain signs stands for them."""
    assert make_printable(text) == shown
    assert {ord(letter) for letter in shown} <= list_characters()


def test_the_card_says_once_what_the_mark_stands_for(demo_plan):
    """A card with a name that cannot be printed explains its mark in one line, others do not."""
    patrol = demo_plan.patrols[0]
    assert UNKNOWN_MARK_NOTE not in build_card_data(demo_plan, patrol, "x")["basis"]
    strange = replace(patrol, school=f"Mill School {ARABIC}")
    data = build_card_data(demo_plan, strange, "x")
    assert data["school"] == "Mill School [?]"
    assert data["basis"].count(UNKNOWN_MARK_NOTE) == 1


def test_papers_of_two_threads_and_two_folders_are_as_those_of_one(tmp_path):
    """Each thread has typst for itself, and reads the template of each folder."""
    names = [f"folder-{number}" for number in range(6)]
    for name in names:
        (tmp_path / name).mkdir()
        template = f"#json(bytes(sys.inputs.data)).word {name}"
        (tmp_path / name / "paper.typ").write_text(template, encoding="utf-8")

    def write(name):
        return typeset(tmp_path / name, "paper.typ", {"word": name})

    one_by_one = [write(name) for name in names]
    assert len(set(one_by_one)) == len(names)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(write, 4 * names)) == 4 * one_by_one


VIEWPORT = Viewport(100.0, 100.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("kind", SYMBOLS)
def test_every_sign_is_drawn_and_explained(kind):
    """Where one is on the map, the legend has its words and draws it too."""
    window, below = (Page(99.0, 99.0).add_window((0.0, 0.0, 99.0, 99.0)) for _ in range(2))
    draw_symbols(window, {kind: np.array([(50.0, 50.0)])})
    entries = build_sign_entries(VIEWPORT, [kind], way="walk", speed_kmh=4.8, grid_square="")
    (entry,) = [entry for entry in entries if entry.text == SYMBOLS[kind].words]
    entry.draw_sign(below, 50.0 - SYMBOLS[kind].width / 2, 50.0)
    drawn, explained = ([shape for _, shape in one.items] for one in (window, below))
    assert drawn == explained != []


viewports = st.builds(
    Viewport,
    width=st.floats(200.0, 540.0),
    height=st.floats(150.0, 430.0),
    centre_x=st.floats(400_000.0, 600_000.0),
    centre_y=st.floats(100_000.0, 500_000.0),
    metres_per_point=st.floats(0.8, 12.0),
    rotation_degrees=st.sampled_from([0.0, *np.arange(-85.0, 95.0, 5.0)]),
)


@given(viewports)
@settings(max_examples=100, deadline=None)
def test_lines_are_even_and_leave_no_gap_where_references_change(viewport):
    """On any map, turned or not: one step apart, numbered like the references just beyond them."""
    step = choose_grid_metres(viewport.metres_per_point)
    assert step / viewport.metres_per_point >= MIN_SPACING or step == 1000
    lines = build_grid_lines(viewport, BRITISH_GRID)
    for axis, direction in enumerate("EN"):
        own = [line for line in lines if line.text.endswith(direction)]
        at = np.array([viewport.to_metres(line.ends)[0, axis] for line in own])
        assert np.allclose(np.diff(at), step)
        span = np.ptp(np.array(viewport.extent.exterior.coords)[:, axis])
        assert len(own) >= span // step - 1
        for line in own:
            middle = viewport.to_metres(line.ends.mean(axis=0)[None])[0]
            shift = 0.5 * (np.arange(2) == axis)
            beyond, before = (
                format_grid_reference(*place).split()[1 + axis][: len(line.text) - 1]
                for place in (middle + shift, middle - shift)
            )
            assert beyond == line.text[:-1] != before
            assert np.ptp(viewport.to_metres(line.ends)[:, axis]) < 1e-3


@given(viewports)
@settings(max_examples=50, deadline=None)
def test_numbers_are_on_the_map_at_its_edge(viewport):
    """Numbers are level, whole, and near an end of their line."""
    lines = {line.text: line for line in build_grid_lines(viewport, BRITISH_GRID)}
    labels = build_grid_labels(list(lines.values()), viewport)
    for label, box in place_labels(labels, viewport.size):
        assert_on_map(viewport, box[None])
        assert box[4] == 0
        assert np.hypot(*(lines[label.text].ends - box[:2]).T).min() < 60


def test_other_grids_have_no_lines():
    """Only the British grid has references that papers print."""
    viewport = Viewport(500.0, 300.0, 500_000.0, 5_700_000.0, 2.0)
    assert not build_grid_lines(viewport, "EPSG:32630")
