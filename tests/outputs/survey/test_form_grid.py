"""The lettered grid of the paper form: its cells are squares of the fixed grid, and no others."""

import dataclasses
import string

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st
from survey_areas import load_leaning

from patrolplan.crs import DEGREES, find_squares, locate_in_squares
from patrolplan.outputs.survey.form_map import MAX_ACROSS, MAX_DOWN, _choose_window, build_form_grid

URN = "900003"


@pytest.fixture
def utm_area(demo):
    """The demo borough in the metres of a UTM zone, on which the British grid leans."""
    return load_leaning(demo)


def _read_label(grid, longitude, latitude):
    """Letter and number of a place in Great Britain, the slow and obvious way."""
    [(code, column, row)] = find_squares([[longitude, latitude]]).tolist()
    assert code == 27700
    across, down = column - grid.first_column, grid.first_row - row
    return f"{string.ascii_uppercase[across]}{down + 1}"


def test_places_in_a_cell_are_in_its_square(demo_area):
    """Any place in a cell has the cell's square of the fixed grid."""
    grid = build_form_grid(demo_area, URN)
    random = np.random.default_rng(5)
    for cell in grid.cells:
        for across, up in random.uniform(0.001, 0.999, (8, 2)):
            [place] = locate_in_squares(np.array([cell.square]), across, up, DEGREES)
            assert tuple(find_squares([place])[0].tolist()) == cell.square
            assert _read_label(grid, *place) == cell.label


@pytest.mark.parametrize("projected", ["demo_area", "utm_area"])
def test_drawn_corners_hold_the_places_of_their_square(projected, request):
    """A place is between the drawn corners of the cell with the letters of its square."""
    area = request.getfixturevalue(projected)
    grid = build_form_grid(area, URN)
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
    first, second = build_form_grid(demo_area, URN), build_form_grid(utm_area, URN)
    squares = [
        (grid.code, grid.first_column, grid.first_row, grid.across, grid.down)
        for grid in (first, second)
    ]
    assert squares[0] == squares[1]
    assert [cell.label for cell in first.cells] == [cell.label for cell in second.cells]


def test_cells_are_the_squares_with_streets(demo_area):
    """Each square of the window with the middle of a piece of street has a cell, and no other."""
    network = demo_area.network
    for urn in demo_area.schools["urn"]:
        grid = build_form_grid(demo_area, urn)
        expected = set()
        for code, column, row in find_squares(network.piece_middle, demo_area.projection.crs):
            across, down = column - grid.first_column, grid.first_row - row
            if code == grid.code and 0 <= across < grid.across and 0 <= down < grid.down:
                expected.add((int(code), int(column), int(row)))
        assert {cell.square for cell in grid.cells} == expected
        assert len({cell.label for cell in grid.cells}) == len(grid.cells)


def test_form_reaches_a_kilometre_where_there_are_streets(demo_area):
    """Streets within a kilometre of the gate, left, right, up or down, are on the form."""
    network, metres = demo_area.network, 1000.0
    for row, urn in enumerate(demo_area.schools["urn"]):
        grid = build_form_grid(demo_area, urn)
        [gate] = network.xy(demo_area.gates.take([row]))
        corners = grid.locate_corners(demo_area.projection.crs)
        low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
        near = network.piece_middle[np.abs(network.piece_middle - gate).max(axis=1) < metres]
        assert len(near) > 100
        assert ((near >= low) & (near <= high)).all()


@given(st.integers(-50, 50), st.lists(st.integers(-60, 60), max_size=40), st.integers(1, 26))
def test_window_holds_the_gate_and_wastes_nothing(home, used, most):
    """Any window contains the gate, is within the used squares, and as long as possible."""
    first, count = _choose_window(home, np.array(used, dtype=np.int64), most)
    low, high = min([*used, home]), max([*used, home])
    assert low <= first <= home < first + count <= high + 1
    assert count == min(most, high - low + 1)


def test_window_is_no_larger_than_a_page_can_show(demo_area):
    """No form has more squares than its letters and A4 allow, and the gate's is among them."""
    for urn in demo_area.schools["urn"]:
        grid = build_form_grid(demo_area, urn)
        assert grid.across <= MAX_ACROSS
        assert grid.down <= MAX_DOWN
        assert len(grid.letters) == grid.across


def test_streets_elsewhere_on_earth_get_their_own_grid(demo_area):
    """A grid of another zone has corners where its squares are."""
    grid = dataclasses.replace(
        build_form_grid(demo_area, URN), code=32632, first_column=1908, first_row=22199, cells=()
    )
    corner = grid.locate_corners(DEGREES)[0, 0]
    assert np.allclose(corner, [8.68, 50.1], atol=0.01)
    inside = (corner[0] + 0.0005, corner[1] - 0.0005)
    assert find_squares([inside]).tolist() == [[32632, 1908, 22199]]
