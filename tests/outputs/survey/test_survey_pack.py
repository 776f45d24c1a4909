"""The files that a school gets: written whole or not at all, and what their maps hold; no crime."""

import json
import re
from dataclasses import replace
from html import unescape
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from outputs import printed
from survey_areas import HOSTILE, load_leaning, make_hostile, strip_findings

from patrolplan.area import form_squares
from patrolplan.area.study_area import with_settings
from patrolplan.crs import find_squares
from patrolplan.outputs.cartography.fonts import POINTS_PER_MM
from patrolplan.outputs.cartography.labels import find_overlaps
from patrolplan.outputs.survey import form_map as form, survey_pack as pack
from patrolplan.outputs.survey.street_map import build_street_map
from patrolplan.privacy import FACTORS

URN = "900003"
PAPERS = (pack.render_paper_form, pack.render_leaflet)
PAGES = (pack.render_survey_page, pack.render_tally_page)
NAMES = ["form-900003.pdf", "leaflet-900003.pdf", "survey-900003.html", "tally-900003.html"]
RADIUS_METRES = 600.0
ROW = 2  # the school's, in the demo borough


@pytest.fixture
def utm_area(demo):
    """The demo borough in the metres of a UTM zone, on which the British grid leans."""
    return load_leaning(demo)


@pytest.fixture(scope="module")
def papers(demo_area):
    """The papers and pages of a school of the demo borough, by what renders them."""
    return {render: render(demo_area, URN) for render in (*PAPERS, *PAGES)}


@pytest.fixture(scope="module")
def drawn(demo_area):
    """The map of the form."""
    grid = form_squares.build_form_grid(demo_area, URN)
    return form.draw_form_map(demo_area, grid, URN, width=pack.MAP_WIDTH, height=pack.MAP_HEIGHT)


@pytest.mark.parametrize("squares", [(form_squares.MAX_ACROSS, form_squares.MAX_DOWN), (2, 2)])
def test_a_small_place_and_a_full_form_fit_the_page(demo_area, squares):
    """With as many squares as there may be, or few, one is 19 to 39 mm wide, and all have room."""
    grid = form_squares.build_form_grid(demo_area, URN)
    grid = replace(grid, across=squares[0], down=squares[1], cells=())
    shown = form.draw_form_map(demo_area, grid, URN, width=pack.MAP_WIDTH, height=pack.MAP_HEIGHT)
    assert shown.size[0] <= pack.MAP_WIDTH + 0.01
    assert shown.size[1] <= pack.MAP_HEIGHT + 0.01
    side = np.diff(shown.corners[0, :, 0]) / POINTS_PER_MM
    assert side == pytest.approx([38.8 if squares == (2, 2) else 19.5] * squares[0], abs=0.1)


def test_no_word_covers_another(drawn):
    """Names and labels on the map are clear of each other, and there are many of them."""
    overlaps = find_overlaps(drawn.word_boxes, drawn.word_boxes)
    assert (overlaps.sum(axis=1) == 1).all()
    assert len(drawn.words) > 100


@pytest.mark.parametrize("render", [*PAPERS, *PAGES])
def test_a_paper_depends_on_streets_and_schools_alone(papers, demo_area, render):
    """Without crime, reports, officers and tasked places it has the same bytes."""
    assert render(strip_findings(demo_area), URN) == papers[render]


@pytest.mark.parametrize("render", PAGES)
def test_a_page_has_nothing_of_crime_and_sends_nothing(papers, render):
    """No word of a crime or a report is on a page, and its policy lets it send nothing."""
    page = unescape(papers[render])
    assert not re.search(r"hotspot|priority|harm|burglary", page, re.IGNORECASE)
    assert "default-src 'none'" in page
    assert "connect-src 'none'" in page
    assert "unsafe-" not in page


@pytest.mark.parametrize("render", PAPERS)
def test_pages_are_full_and_nothing_is_cut(papers, render):
    """Two pages, printed from top to bottom, all words on the page; the form's dots are grey."""
    paper, is_form = papers[render], render is pack.render_paper_form
    assert (len(printed.read_pages(paper)), printed.find_words_off_page(paper)) == (2, [])
    for page in printed.rendered(paper):
        if is_form:  # for a copier
            assert np.ptp(page.astype(int), axis=2).max() < 0.02 * 255
        rows = np.flatnonzero((page.mean(axis=2) < 0.9 * 255).any(axis=1))
        assert rows[0] < 0.06 * len(page)
        assert rows[-1] > 0.94 * len(page)
        assert np.diff(rows).max() < (0.09 if is_form else 0.08) * len(page)


def test_hostile_names_are_text(demo_area):
    """Names full of markup are printed letter by letter, or cut at a word."""
    area, start = make_hostile(demo_area, URN), printed.strip_spaces(HOSTILE[:48])
    first, second = printed.read_pages(pack.render_paper_form(area, URN))
    leaflet, _ = printed.read_pages(pack.render_leaflet(area, URN))
    assert all(start in page for page in (first, second, leaflet))


def test_leaning_grid_stands_upright(utm_area):
    """In the metres of a UTM zone the map is turned with the squares; each has its own label."""
    grid = form_squares.build_form_grid(utm_area, URN)
    lean = grid.locate_corners(utm_area.projection.crs)[0]
    assert abs(lean[-1, 1] - lean[0, 1]) > 100
    drawn = form.draw_form_map(utm_area, grid, URN, width=pack.MAP_WIDTH, height=pack.MAP_HEIGHT)
    corners = drawn.corners
    assert corners[-1, 0, 0] == pytest.approx(form.EDGE_STRIP, abs=0.01)
    assert np.ptp(corners[..., 1], axis=1).max() < 1.0
    assert np.ptp(corners[..., 0], axis=0).max() < 1.0
    assert np.diff(corners[0, :, 0]).min() > 0
    assert np.diff(corners[:, 0, 1]).max() < 0
    boxes = dict(zip(drawn.words, drawn.word_boxes, strict=True))
    for cell in grid.cells:
        x, y = boxes[cell.label][:2] + corners[-1, 0]
        assert corners[cell.down, cell.across, 0] < x < corners[cell.down, cell.across + 1, 0]
        assert corners[cell.down + 1, cell.across, 1] < y < corners[cell.down, cell.across, 1]


def test_a_pack_has_the_four_files_and_a_manifest(demo_area, tmp_path):
    """And the manifest, which goes to the school, names no crime, no settings and no seed."""
    out = pack.write_survey_pack(demo_area, URN, tmp_path / "s")
    assert sorted(path.name for path in out.iterdir()) == sorted([*NAMES, "manifest.json"])
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) == {"schema", "school", "inputs", "versions", "files"}
    inputs = {name.partition(":")[0] for name in manifest["inputs"]}
    assert inputs == {"streets", "schools", "gates"}
    assert "seed" not in json.dumps(manifest)
    assert sorted(manifest["files"]) == NAMES


@pytest.mark.parametrize("projected", ["demo_area", "utm_area"])
def test_drawn_corners_hold_the_places_of_their_square(projected, request):
    """A place is between the drawn corners of the cell with the letters of its square."""
    area = request.getfixturevalue(projected)
    grid = form_squares.build_form_grid(area, URN)
    corners = grid.locate_corners(area.projection.crs)
    random = np.random.default_rng(6)
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    places = random.uniform(low, high, (400, 2))
    squares = find_squares(places, area.projection.crs)
    compared = 0
    for place, (code, column, row) in zip(places, squares.tolist(), strict=True):
        across, down = column - grid.first_column, grid.first_row - row
        if code != grid.code or not (0 <= across < grid.across and 0 <= down < grid.down):
            continue
        ring = [corners[down + y, across + x] for y, x in ((0, 0), (0, 1), (1, 1), (1, 0))]
        assert shapely.Polygon(ring).buffer(0.05).contains(shapely.Point(place))
        compared += 1
    assert compared > 300


def test_grid_is_the_same_in_any_crs(demo_area, utm_area):
    """The CRS of the area changes no letter: the squares belong to the place alone."""
    first, second = (
        form_squares.build_form_grid(demo_area, URN),
        form_squares.build_form_grid(utm_area, URN),
    )
    assert vars(replace(first, cells=())) == vars(replace(second, cells=()))
    assert [cell.label for cell in first.cells] == [cell.label for cell in second.cells]


def test_the_form_of_each_school_has_the_squares_with_streets_around_it(demo_area):
    """Squares with the middle of a piece have a cell, a kilometre to each side, as A4 allows."""
    network, crs = demo_area.network, demo_area.projection.crs
    squares = find_squares(network.piece_middle, crs)
    for row, urn in enumerate(demo_area.schools["urn"]):
        grid = form_squares.build_form_grid(demo_area, urn)
        assert len(grid.letters) == grid.across <= form_squares.MAX_ACROSS
        assert grid.down <= form_squares.MAX_DOWN
        across, down = squares[:, 1] - grid.first_column, grid.first_row - squares[:, 2]
        inside = (squares[:, 0] == grid.code) & (across >= 0) & (across < grid.across)
        inside &= (down >= 0) & (down < grid.down)
        assert {cell.square for cell in grid.cells} == set(map(tuple, squares[inside].tolist()))
        assert len({cell.label for cell in grid.cells}) == len(grid.cells)
        corners = grid.locate_corners(crs)
        low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
        [gate] = network.xy(demo_area.gates.take([row]))
        near = network.piece_middle[np.abs(network.piece_middle - gate).max(axis=1) < 1000.0]
        assert len(near) > 100
        assert ((near >= low) & (near <= high)).all()


@given(st.integers(-50, 50), st.lists(st.integers(-60, 60), max_size=40), st.integers(1, 26))
def test_window_holds_the_gate_and_wastes_nothing(home, used, most):
    """Any window contains the gate, is within the used squares, and as long as possible."""
    first, count = form_squares._choose_window(home, np.array(used, dtype=np.int64), most)
    low, high = min([*used, home]), max([*used, home])
    assert low <= first <= home < first + count <= high + 1
    assert count == min(most, high - low + 1)


def test_every_value_of_the_files_has_words():
    """The counted answers of each question are the values of its column, in their order."""
    values = {one.column: tuple(c.value for c in one.choices[:-1]) for one in pack.QUESTIONS}
    assert values == FACTORS


@pytest.fixture(scope="module")
def area(demo_area):
    """The demo borough with a reach that cuts its streets."""
    return with_settings(demo_area, patrol={"radius_metres": RADIUS_METRES})


@pytest.fixture(scope="module")
def street_map(area):
    """The map of one school."""
    return build_street_map(area, ROW)


def _to_metres(area, points):
    latitude, longitude = np.array(points).T
    return np.column_stack(area.projection.to_metres(longitude, latitude))


def _unpack(area, lines):
    """The lines of a page in metres, as its script unpacks them."""
    points = np.array(lines["steps"]).reshape(-1, 2).cumsum(axis=0) / 1e6
    xy = _to_metres(area, points.tolist())
    ends = np.cumsum([0, *lines["counts"]])
    return [xy[first:last] for first, last in pairwise(ends)]


def test_streets_are_all_those_of_the_box_by_name(area, street_map):
    """Metres of street by name are those of the pieces in the box, no more and no fewer."""
    network, gate = area.network.walkable, area.network.xy(area.gates.take([ROW]))[0]
    inside = np.abs(network.piece_middle - gate).max(axis=1) <= RADIUS_METRES
    wanted = pd.Series(network.piece_metres[inside]).groupby(network.piece_name[inside]).sum()
    streets = street_map["streets"]
    lines = [shapely.LineString(line) for line in _unpack(area, streets["lines"])]
    found = pd.Series(shapely.length(lines)).groupby(np.array(streets["names"])[streets["name"]])
    assert len(wanted) > 20
    assert found.sum().to_dict() == pytest.approx(wanted.to_dict(), rel=0.01, abs=1.0)
    assert len(streets["rank"]) == len(streets["name"]) == len(streets["lines"]["counts"])


def test_a_listed_street_stands_for_a_point_on_it(area, street_map):
    """Each street of the list is a named one, once, at a point on itself, by the alphabet."""
    (entries,) = [row["entries"] for row in street_map["places"] if row["heading"] == "Streets"]
    names = [entry["name"] for entry in entries]
    assert names == sorted(set(names), key=str.casefold)
    assert set(names) == set(street_map["streets"]["names"]) - {""}
    network = area.network.walkable
    points = _to_metres(area, [entry["at"] for entry in entries])
    for name, point in zip(names, points, strict=True):
        own = network.piece_lines[network.piece_name == name]
        assert shapely.distance(shapely.multilinestrings(own), shapely.Point(point)) < 0.5
