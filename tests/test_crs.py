"""Between degrees and metres."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pyproj import Transformer

from patrolplan.crs import Projection

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


def test_own_metres_pass_unchanged():
    """Coordinates that are in the area's CRS already are not touched, and not the same array."""
    given_x = np.array([529500.25, np.nan])
    x, y = Projection("EPSG:27700").to_metres(given_x, [181700.5, 1.0], "EPSG:27700")
    np.testing.assert_array_equal(x, given_x)
    np.testing.assert_array_equal(y, [181700.5, 1.0])
    assert x is not given_x
