"""The page of a map: drawn items, letters, signs, frame and grid lines are as they should be."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pypdf
import pytest
from hypothesis import given, settings, strategies as st
from outputs.printed import assert_on_map, rendered, typeset_pictures

from patrolplan.area.square_names import format_grid_reference
from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.card.card import BODY_WIDTH
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography import fonts, legend
from patrolplan.outputs.cartography.grid import (
    MIN_SPACING,
    build_grid_labels,
    build_grid_lines,
    choose_grid_metres,
)
from patrolplan.outputs.cartography.labels import find_overlaps, place_labels
from patrolplan.outputs.cartography.page import (
    Page,
    TextStyle,
    Window,
    trace_circle,
    trace_rectangle,
    trace_rounded,
)
from patrolplan.outputs.cartography.symbols import SYMBOLS, draw_symbols, place_north_arrow
from patrolplan.outputs.cartography.viewport import MIN_ROTATION_GAIN, Viewport, fit_viewport

WORDS = ["AVAILABLE Tower", "Søn & École", "£5 \\ (half)", "<1→2>"]
ARABIC = "\u0645\u062f\u0631\u0633\u0629 \u0627\u0644\u0646\u0648\u0631"
UNPRINTED = {
    "École Søn": "École Søn",
    f"Al-Noor {ARABIC}": "Al-Noor [?]",
    f"{ARABIC} Mill {ARABIC}": "[?] Mill [?]",
    "Mill \U0001f3eb\U0001f3eb School": "Mill [?] School",
}
place = st.tuples(st.floats(520_000, 540_000), st.floats(170_000, 190_000))
SIZES = {"width": st.floats(200.0, 540.0), "height": st.floats(150.0, 430.0)}
MIDDLES = {"centre_x": st.floats(4e5, 6e5), "centre_y": st.floats(1e5, 5e5)}
SCALES = {"metres_per_point": st.floats(0.8, 12.0)}
TURNS = {"rotation_degrees": st.sampled_from([0.0, *np.arange(-85.0, 95.0, 5.0)])}
viewports = st.builds(Viewport, **SIZES, **MIDDLES, **SCALES, **TURNS)


@pytest.mark.parametrize("bold", [False, True])
def test_words_can_be_read_out_of_the_page(bold):
    """Words stay text in our typeface, with any letters, turned or with a halo."""
    page = Page(300.0, 200.0)
    window = page.add_window((10.0, 10.0, 280.0, 180.0))
    for row, text in enumerate(WORDS):
        style = TextStyle(9.0, bold=bold, halo=1.3 * (row % 2))
        window.draw_text(text, (5.0, 150.0 - 30 * row, 0.0), style)
    read = pypdf.PdfReader(io.BytesIO(typeset_pictures(page.write())), strict=True).pages[0]
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
    dots = rendered(typeset_pictures(page.write()))[0]
    assert dots[95, 5].tolist() == [0, 0, 255]
    assert dots[75, 25].tolist() == [255, 0, 0]
    assert dots[75, 5].tolist() == dots[75, 48].tolist() == [0, 255, 0]
    assert dots[75, 52].tolist() == [255, 255, 255]


def test_dashes_rings_and_rounded_corners_are_as_given():
    """Dashes count in widths, a ring in the opposite direction is a hole, corners are round."""
    page = Page(100.0, 100.0)
    window = page.add_window((0.0, 0.0, 100.0, 100.0))
    line = np.array([(0.0, 90.0), (100.0, 90.0)])
    window.draw_lines([line], "black", 4.0, 1.0, dashes=(5, 5), cap="butt")
    window.draw_shape(trace_rounded(10.0, 10.0, 60.0, 60.0, 20.0), 1.0, fill="black")
    dark = rendered(typeset_pictures(page.write()))[0][..., 0] < 128
    assert dark[[10, 10, 60, 38], [10, 50, 40, 18]].all()
    assert not dark[[10, 32], [30, 12]].any()


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


@pytest.mark.parametrize("text", UNPRINTED)
def test_words_of_unknown_letters_become_one_plain_mark(text):
    """However many letters the typeface lacks in a row, one mark of plain signs stands for them."""
    assert fonts.make_printable(text) == UNPRINTED[text]
    assert {*map(ord, UNPRINTED[text])} <= fonts.list_characters()


def test_the_card_says_once_what_the_mark_stands_for(demo_plan):
    """A card with a name that cannot be printed explains its mark in one line, others do not."""
    patrol = demo_plan.patrols[0]
    for school, count in ((patrol.school, 0), (f"Mill School {ARABIC}", 1)):
        data = build_card_data(demo_plan, replace(patrol, school=school), "x")
        assert data["school"] == fonts.make_printable(school)
        assert data["basis"].count(fonts.UNKNOWN_MARK_NOTE) == count


def test_papers_of_two_threads_and_two_folders_are_as_those_of_one(tmp_path):
    """Each thread has typst for itself, and reads the template of each folder."""
    folders = [tmp_path / f"folder-{number}" for number in range(6)]
    for folder in folders:
        folder.mkdir()
        template = f"#json(bytes(sys.inputs.data)).word {folder.name}"
        (folder / "paper.typ").write_text(template, encoding="utf-8")

    def write(folder):
        return fonts.typeset(folder, "paper.typ", {"word": folder.name})

    one_by_one = [*map(write, folders)]
    assert len(set(one_by_one)) == len(folders)
    with ThreadPoolExecutor(3) as threads:
        assert [*threads.map(write, 4 * folders)] == 4 * one_by_one


@pytest.mark.parametrize("kind", SYMBOLS)
def test_every_sign_is_drawn_and_explained(kind):
    """Where one is on the map, the legend has its words and draws it too."""
    window, below = (Page(99.0, 99.0).add_window((0.0, 0.0, 99.0, 99.0)) for _ in range(2))
    draw_symbols(window, {kind: (np.array([""]), np.array([(50.0, 50.0)]))})
    frame = Viewport(100.0, 100.0, 0.0, 0.0, 1.0)
    entries = legend.build_sign_entries(frame, [kind], going="walk", speed_kmh=4.8, grid_square="")
    (entry,) = [entry for entry in entries if entry.text == SYMBOLS[kind].words]
    entry.draw_sign(below, 50.0 - SYMBOLS[kind].width / 2, 50.0)
    drawn, explained = ([shape for _, shape in one.items] for one in (window, below))
    assert drawn == explained != []


class RecordingWindow(Window):
    """A window that also says which texts were written, from where on, and how large."""

    def draw_text(self, text, place, style):
        """Note the text."""
        self.items.append((text, *place[:2], style.size))


@pytest.mark.parametrize("scale", [0.8, 1.85, 3.7, 5.0, 9.1, 19.0])
def test_the_fullest_legend_fits(scale):
    """With every sign and at any scale, the strip holds all its words."""
    shown = [kind for kind, *_ in legend.list_signs()]
    frame = Viewport(BODY_WIDTH, 300, 0, 0, scale)
    options = {"going": "ride", "speed_kmh": 12.0, "grid_square": "TQ"}
    entries = legend.build_sign_entries(frame, shown, **options)
    height = legend.compute_strip_height(legend.count_rows(entries, BODY_WIDTH))
    strip = RecordingWindow(Page(BODY_WIDTH, height), (0.0, 0.0, BODY_WIDTH, height))
    legend.draw_strip(strip, entries, BODY_WIDTH, height)
    written = [item for item in strip.items if len(item) > 2]
    assert {entry.text for entry in entries} <= {text for text, *_ in written}
    for text, x, y, size in written:
        assert x + fonts.measure_text_width(text, size) <= BODY_WIDTH
        assert legend.MARGIN <= y <= height - legend.ROW_HEIGHT / 2


@given(st.lists(place, min_size=1, max_size=12).map(np.array))
@settings(max_examples=100)
def test_all_content_is_inside_the_frame(content):
    """All places are on the map with a margin, wherever they are, and lead back to metres."""
    frame = fit_viewport([content], width=500.0, height=300.0, padding=30.0)
    points = frame.to_page(content)
    assert (points >= 30 - 1e-6).all()
    assert (points <= np.array([470, 270]) + 1e-6).all()
    np.testing.assert_allclose(frame.to_metres(points), content, atol=1e-3)


def test_map_is_turned_only_where_it_gains_much():
    """A route across the short side turns the map; one that fits north-up leaves it."""
    wide = np.array([[0.0, 0.0], [3000.0, 0.0]])
    assert fit_viewport([wide], width=500.0, height=300.0).rotation_degrees == 0
    turned = fit_viewport([wide[:, ::-1]], width=500.0, height=300.0)
    assert turned.rotation_degrees != 0
    assert 3000 / 232 / turned.metres_per_point >= MIN_ROTATION_GAIN


def test_frame_moves_towards_the_streets():
    """Where the area ends, the window is moved in, but never off the content."""
    content, bounds = np.array([[0.0, 0.0], [1000.0, 0.0]]), (-500, -2000, 1500, 50)
    frame = fit_viewport([content], width=500.0, height=300.0, street_bounds=bounds)
    assert frame.centre_y < -100
    assert (frame.to_page(content)[:, 1] <= 300 - 34 + 1e-6).all()


def test_north_arrow_gives_way_to_signs():
    """The north arrow takes another corner where a sign stands in its own."""
    frame = Viewport(500.0, 300.0, 0.0, 0.0, 1.0)
    nothing, sign = np.empty((0, 5)), np.array([[470.0, 270.0, 20.0, 20.0, 0.0]])
    assert place_north_arrow(frame, nothing)[0, :2].tolist() == [481.0, 281.0]
    assert place_north_arrow(frame, sign)[0, :2].tolist() == [19.0, 281.0]
    turned = replace(frame, rotation_degrees=40.0)
    for marks in (nothing, sign):
        box = place_north_arrow(turned, marks)
        assert_on_map(turned, box)
        assert not find_overlaps(box, marks).any()


@given(viewports)
@settings(max_examples=100)
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
@settings(max_examples=50)
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
