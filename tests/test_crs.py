"""Between degrees and metres."""

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from pyproj import Transformer

from patrolplan.crs import (
    BRITISH_GRID,
    NOWHERE,
    SQUARE_METRES,
    Projection,
    find_squares,
    locate_in_squares,
    number_squares,
)

LONDON = {"longitude": st.floats(-0.5, 0.3), "latitude": st.floats(51.3, 51.7)}


@given(**LONDON)
def test_there_and_back_is_the_same_place(longitude, latitude):
    """Degrees turned to metres and back are the same to the rounding of degrees."""
    projection = Projection("EPSG:27700")
    back = projection.to_degrees(*projection.to_metres([longitude], [latitude]))
    assert back[0][0] == pytest.approx(longitude, abs=2e-6)
    assert back[1][0] == pytest.approx(latitude, abs=2e-6)


def test_longitude_comes_first_whatever_the_crs_says():
    """Coordinates go in as longitude, latitude and come out as easting, northing."""
    x, y = Projection("EPSG:32630").to_metres([-0.13], [51.52])
    expected = Transformer.from_crs("EPSG:4326", "EPSG:32630", always_xy=True).transform(
        -0.13, 51.52
    )
    assert (x[0], y[0]) == pytest.approx(expected)
    assert x[0] < 1_000_000 < y[0]


@pytest.mark.parametrize(
    "place", [(np.nan, 51.5), (-0.1, np.nan), (np.inf, 51.5), (-0.1, 95.0), (-0.1, -np.inf)]
)
def test_places_that_are_none_become_nan(place):
    """A place that is missing or impossible becomes NaN in both axes, its neighbour stays."""
    x, y = Projection().to_metres([place[0], -0.13], [place[1], 51.52])
    assert np.isnan([x[0], y[0]]).all()
    assert np.isfinite([x[1], y[1]]).all()


DATUM = "446.448,-125.157,542.06,0.15,0.247,0.842,-20.489"
"""From the ellipsoid of the British grid to that of GPS; without it places are 100 m off."""

TMERC = (
    "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996 +x_0={} +y_0=77 +ellps=airy "
    f"+towgs84={DATUM} +units=m"
)
CRSES = (
    *(BRITISH_GRID, "EPSG:32630", "EPSG:32631", "EPSG:3035"),
    *(TMERC.format(3), TMERC.format(400_100.5)),
)


@given(st.floats(-6, 1.7), st.floats(50, 58), st.sampled_from(CRSES))
@example(1.5, 50.0, CRSES[-2])
def test_a_place_has_one_square_in_every_crs(longitude, latitude, crs):
    """The square of a place is that of the British grid, in any CRS of the place."""
    x, y = Projection(BRITISH_GRID).to_metres([longitude], [latitude])
    metres = np.array([x[0], y[0]])
    middle = (np.floor(metres / SQUARE_METRES) + 0.5) * SQUARE_METRES
    degrees = Projection(BRITISH_GRID).to_degrees(middle[:1], middle[1:])
    theirs = np.stack(Projection(crs).to_metres(*degrees), axis=1)
    assert find_squares(theirs, crs).tolist() == [[27700, *(middle // SQUARE_METRES)]]


@given(st.floats(-179.9, 179.9), st.floats(-80, 84))
def test_squares_cover_the_world(longitude, latitude):
    """Every place has a square of 250 m whose corners are within 250 m of it."""
    square = find_squares([[longitude, latitude]])
    crs = f"EPSG:{square[0, 0]}"
    here = np.stack(Projection(crs).to_metres([longitude], [latitude]), axis=1)
    for across, up in ((0, 0), (1, 1), (0.5, 0.5)):
        corner = locate_in_squares(square, across, up, crs)
        assert (np.abs(corner - here) <= 250.001).all()


def test_a_place_that_does_not_exist_is_nowhere():
    """Degrees beyond the poles, and NaN, have no square."""
    wrong = [[0, 91], [181, 0], [np.nan, 51], [0, np.inf]]
    assert (find_squares(wrong) == NOWHERE).all()
    distinct, number = number_squares(find_squares([*wrong, [-0.1, 51.5]]))
    assert (len(distinct), number.tolist()) == (2, [0, 0, 0, 0, 1])
    assert np.isnan(locate_in_squares(np.array([NOWHERE]), 0, 0, BRITISH_GRID)).all()
