"""The paper form of a class: squares that can be read, nothing of crime, and two tidy pages."""

import dataclasses
import io
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib import image
from outputs import printed
from survey_areas import HOSTILE, load_leaning, make_hostile, strip_findings

from patrolplan.crs import find_squares
from patrolplan.outputs.cartography.labels import find_overlaps
from patrolplan.outputs.survey.form_grid import MAX_ACROSS, MAX_DOWN, build_form_grid
from patrolplan.outputs.survey.form_map import EDGE_STRIP, _fit_window, draw_form_map
from patrolplan.outputs.survey.survey_pack import MAP_HEIGHT, MAP_WIDTH, render_paper_form

URN = "900003"
POINTS_PER_MM = 72 / 25.4


@pytest.fixture(scope="module")
def form(demo_area):
    """The form of a school of the demo borough."""
    return render_paper_form(demo_area, URN)


@pytest.fixture(scope="module")
def drawn(demo_area):
    """The map of that form."""
    grid = build_form_grid(demo_area, URN)
    return draw_form_map(demo_area, grid, URN, width=MAP_WIDTH, height=MAP_HEIGHT)


def _paint(pdf):
    """(h, w, 3) pixels of each page at 60 dots an inch."""
    command = shutil.which("pdftoppm")
    if command is None:
        pytest.skip("pdftoppm, of poppler-utils, is not installed")
    pages = []
    for page in ("1", "2"):
        made = subprocess.run(  # noqa: S603 - a fixed command on our own bytes
            [command, "-r", "60", "-png", "-f", page, "-l", page, "-"],
            input=pdf,
            capture_output=True,
            check=True,
        )
        pages.append(image.imread(io.BytesIO(made.stdout)))
    return pages


def test_every_square_is_wide_enough_to_read(demo_area):
    """On the form of each school a square is at least 12 mm wide and high on paper."""
    for urn in demo_area.schools["urn"]:
        grid = build_form_grid(demo_area, urn)
        corners = grid.locate_corners(demo_area.projection.crs)
        viewport = _fit_window(corners, grid, MAP_WIDTH - 30, MAP_HEIGHT - 60)
        side = 250 / viewport.metres_per_point / POINTS_PER_MM
        assert 12 <= side <= 40
        assert viewport.width <= MAP_WIDTH
        assert viewport.height <= MAP_HEIGHT


def test_a_small_place_and_a_full_form_fit_the_page(demo_area, drawn):
    """The page of the map is no larger than its room, also with as many squares as there may be."""
    grid = build_form_grid(demo_area, URN)
    full = dataclasses.replace(grid, across=MAX_ACROSS, down=MAX_DOWN)
    for shown in (drawn, draw_form_map(demo_area, full, URN, width=MAP_WIDTH, height=MAP_HEIGHT)):
        assert shown.size[0] <= MAP_WIDTH + 0.01
        assert shown.size[1] <= MAP_HEIGHT + 0.01
        side = np.diff(shown.corners[0, :, 0]).min() / POINTS_PER_MM
        assert side >= 12


def test_each_label_stands_in_its_square(demo_area, drawn):
    """The place of a square's label on the map, brought back to metres, has that square."""
    grid = build_form_grid(demo_area, URN)
    corners = grid.locate_corners(demo_area.projection.crs)
    on_page = drawn.corners
    scale = (corners[0, -1, 0] - corners[0, 0, 0]) / (on_page[0, -1, 0] - on_page[0, 0, 0])
    window = on_page[-1, 0]  # the window's lower left corner on the page
    boxes = dict(zip(drawn.words, drawn.word_boxes, strict=True))
    for cell in grid.cells:
        place = corners[-1, 0] + boxes[cell.label][:2] * scale
        assert tuple(find_squares([place], demo_area.projection.crs)[0].tolist()) == cell.square
    assert window[0] == pytest.approx(EDGE_STRIP)


def test_no_word_covers_another(drawn):
    """Names and labels on the map are clear of each other, and there are many of them."""
    overlaps = find_overlaps(drawn.word_boxes, drawn.word_boxes)
    assert (overlaps.sum(axis=1) == 1).all()
    assert len(drawn.words) > 100


def test_the_form_depends_on_streets_and_schools_alone(form, demo_area):
    """Without any crime, report and tasked place in the area it has the same bytes."""
    assert render_paper_form(strip_findings(demo_area), URN) == form


def test_pages_are_full_and_nothing_is_cut(form):
    """Two pages, each printed from top to bottom without a large gap, all words on the page."""
    assert len(printed.read_pages(form)) == 2
    assert printed.find_words_off_page(form) == []
    for page in _paint(form):
        has_ink = (page[..., 0] < 0.9).any(axis=1)
        rows = np.flatnonzero(has_ink)
        assert rows[0] < 0.06 * len(page)
        assert rows[-1] > 0.94 * len(page)
        assert np.diff(rows).max() < 0.09 * len(page)


def test_it_is_black_and_white(form):
    """Every pixel of both pages is a grey."""
    for page in _paint(form):
        colours = page[..., :3]
        assert np.abs(colours - colours[..., :1]).max() < 0.02


def test_hostile_names_are_text(demo_area):
    """Names full of markup are printed letter by letter, or cut at a word."""
    first, second = printed.read_pages(render_paper_form(make_hostile(demo_area, URN), URN))
    start = printed.strip_spaces(HOSTILE[:48])
    assert start in first
    assert start in second


def test_leaning_grid_stands_upright(demo):
    """In the metres of a UTM zone, where the squares lean, the map is turned with them."""
    area = load_leaning(demo)
    grid = build_form_grid(area, URN)
    lean = grid.locate_corners(area.projection.crs)[0]
    assert abs(lean[-1, 1] - lean[0, 1]) > 100
    drawn = draw_form_map(area, grid, URN, width=MAP_WIDTH, height=MAP_HEIGHT)
    corners = drawn.corners
    assert np.ptp(corners[..., 1], axis=1).max() < 1.0
    assert np.ptp(corners[..., 0], axis=0).max() < 1.0
    assert np.diff(corners[0, :, 0]).min() > 0
    assert np.diff(corners[:, 0, 1]).max() < 0
    boxes = dict(zip(drawn.words, drawn.word_boxes, strict=True))
    for cell in grid.cells:
        x, y = boxes[cell.label][:2] + corners[-1, 0]
        assert corners[cell.down, cell.across, 0] < x < corners[cell.down, cell.across + 1, 0]
        assert corners[cell.down + 1, cell.across, 1] < y < corners[cell.down, cell.across, 1]
