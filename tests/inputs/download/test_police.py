"""Cells: however an area is cut, all of it is requested."""

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.inputs.download.police import (
    format_ring,
    halve_cell,
    name_category,
    split_into_cells,
)
from patrolplan.settings import CATEGORIES

BRITISH = Projection("EPSG:27700")


def polygon_of(cell):
    """The polygon in degrees that is sent to the server."""
    corners = [tuple(map(float, one.split(","))) for one in format_ring(cell, BRITISH).split(":")]
    return shapely.Polygon([(lon, lat) for lat, lon in corners])


@st.composite
def areas(draw):
    """Stars of 5 to 40 corners, up to 60 km wide; some of several parts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        middle = np.array([530_000, 180_000]) + rng.uniform(-20_000, 20_000, 2)
        turns = np.sort(rng.uniform(0, 2 * np.pi, draw(st.integers(5, 40))))
        far = rng.uniform(0.3, 1, len(turns)) * draw(st.sampled_from([400, 5_000, 30_000]))
        star = middle + far[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
        parts.append(shapely.Polygon(star).buffer(0))
    area = shapely.union_all(parts)
    return area if area.area > 0 else shapely.Point(530_000, 180_000).buffer(500)


@given(areas(), st.integers(0, 2**32 - 1))
def test_no_point_of_the_area_is_left_out(area, seed):
    """Every point of the area lies in a cell as it is sent, whichever cells were halved."""
    rng = np.random.default_rng(seed)
    cells = split_into_cells(area)
    for _ in range(rng.integers(0, 12)):
        cell = cells.pop(rng.integers(len(cells)))
        cells += halve_cell(cell)
    west, south, east, north = area.bounds
    x, y = rng.uniform(west, east, 3000), rng.uniform(south, north, 3000)
    edge = shapely.get_coordinates(area)
    x, y = np.append(x, edge[:, 0]), np.append(y, edge[:, 1])
    within = shapely.intersects_xy(area, x, y)
    lon, lat = BRITISH.to_degrees(x[within], y[within])
    found = np.zeros(len(lon), dtype=bool)
    for cell in cells:
        found |= shapely.contains_xy(polygon_of(cell), lon, lat)
    assert found.all()


@given(areas())
def test_halving_makes_smaller(area):
    """Halves are about half as long on the side that was cut, so halving comes to an end."""
    for cell in split_into_cells(area):
        for half in halve_cell(cell):
            longer = np.diff(np.reshape(cell.bounds, (2, 2)), axis=0).max()
            sides = np.sort(np.diff(np.reshape(half.bounds, (2, 2)), axis=0).ravel())
            assert sides[0] <= longer / 2 + 6


def test_a_hole_is_requested_too():
    """The API takes a single ring, so holes are requested too."""
    ring = shapely.Point(530_000, 180_000).buffer(2000) - shapely.Point(530_000, 180_000).buffer(99)
    (cell,) = split_into_cells(ring)
    assert not cell.interiors


SHORT = (
    "anti-social-behaviour bicycle-theft burglary criminal-damage-arson drugs other-crime "
    "other-theft possession-of-weapons public-order robbery shoplifting theft-from-the-person "
    "vehicle-crime violent-crime"
)


def test_every_category_has_the_name_of_the_monthly_files():
    """The API's short names become the names that risk and settings know."""
    assert {name_category(short) for short in SHORT.split()} == set(CATEGORIES)


def test_outlines_are_latitude_first():
    """data.police.uk takes latitude before longitude, the reverse of GeoJSON."""
    x, y = BRITISH.to_metres([-0.13], [51.52])
    (cell,) = split_into_cells(shapely.Point(x[0], y[0]).buffer(100))
    lat, lon = map(float, format_ring(cell, BRITISH).split(":")[0].split(","))
    assert (lat, lon) == (pytest.approx(51.52, abs=0.01), pytest.approx(-0.13, abs=0.01))
