"""Coordinates of rows, whichever columns hold them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.table_reader import number, points

UTM = Projection("EPSG:32630")
BNG = Projection("EPSG:27700")


def _points(columns=None, projection=BNG, **table):
    frame = pd.DataFrame(table, dtype="str")
    return points(frame, projection, columns or {}, path=Path("t.csv"), source="crimes")


def test_degrees_and_grid_give_the_same_place():
    """Longitude and latitude, or easting and northing of the national grid, say the same."""
    x, y = BNG.to_metres([-0.13], [51.52])
    by_degrees = _points(projection=UTM, longitude=["-0.13"], latitude=["51.52"])
    by_grid = _points(projection=UTM, easting=[str(x[0])], northing=[str(y[0])])
    np.testing.assert_allclose(by_grid, by_degrees, atol=0.01)


def test_mapped_easting_is_in_the_areas_crs():
    """Easting and northing that the settings map are the area's own metres."""
    mapped = {"easting": "X", "northing": "Y"}
    x, y = _points(mapped, UTM, easting=["700000.5"], northing=["5711000"])
    assert (x[0], y[0]) == (700000.5, 5711000)


def test_degrees_are_taken_where_both_stand():
    """Where a table has degrees and grid, the degrees count."""
    both = {"longitude": ["-0.13"], "latitude": ["51.52"], "easting": ["1"], "northing": ["2"]}
    np.testing.assert_array_equal(_points(**both), BNG.to_metres([-0.13], [51.52]))


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [("", "51.5"), ("-0.1", "n/a"), ("181", "51"), ("-0.1", "-91"), ("inf", "51"), ("-0.1", None)],
)
def test_impossible_degrees_are_nan(longitude, latitude):
    """A row without degrees, or with impossible ones, has no place; the others keep theirs."""
    x, y = _points(longitude=[longitude, "-0.13"], latitude=[latitude, "51.52"])
    assert np.isnan([x[0], y[0]]).all()
    assert np.isfinite([x[1], y[1]]).all()


@pytest.mark.parametrize("table", [{}, {"longitude": ["1"]}, {"easting": ["1"], "latitude": ["2"]}])
def test_half_a_pair_is_no_place(table):
    """A table without a whole pair of coordinate columns is refused, with what to map."""
    with pytest.raises(InputError, match=r"t\.csv: has no coordinates.*\[columns\.crimes\]"):
        _points(**table)


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_numbers_are_read_exactly(value):
    """A number written out in full is read as that number."""
    assert number(pd.Series([repr(value)]))[0] == pytest.approx(value, rel=1e-15, abs=0)


@pytest.mark.parametrize("text", ["", "x", "inf", "-Infinity", "nan", "1e999", "1,5", "12 34"])
def test_what_is_no_number_is_nan(text):
    """Words, infinity and numbers with a comma are no numbers."""
    assert np.isnan(number(pd.Series([text, "1"]))).tolist() == [True, False]
