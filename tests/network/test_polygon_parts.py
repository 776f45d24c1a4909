"""How much of each line lies in each polygon: nothing is lost, nothing counts twice."""

import numpy as np
import pytest
import shapely
from hexagons import measure_slowly
from hypothesis import given, strategies as st

from patrolplan.network.shapes import split_by_polygons

COORDINATES = st.integers(0, 8).map(float)
POINTS = st.tuples(COORDINATES, COORDINATES)


@given(st.lists(POINTS, min_size=2, max_size=5), st.integers(1, 7), st.integers(1, 7))
def test_nothing_counts_twice_on_borders(points, x, y):
    """Lines along borders, and points on corners, count once: in the earlier polygon."""
    tiles = [(0, 0, x, y), (x, 0, 8, y), (0, y, x, 8), (x, y, 8, 8)]
    polygons = np.array([shapely.box(*tile) for tile in tiles], dtype=object)
    line = shapely.LineString(points)
    lines = np.array([line, shapely.Point(points[0]), shapely.Point(99, 99)], dtype=object)
    metres = split_by_polygons(lines, polygons)
    simple = shapely.line_merge(shapely.node(line)) if line.length else line
    if line.length and simple.length == pytest.approx(line.length):
        np.testing.assert_allclose(metres[0], measure_slowly(line, polygons), atol=1e-6)
        assert metres[0, -1] == pytest.approx(0, abs=1e-6)
    corner = next(n for n, polygon in enumerate(polygons) if polygon.intersects(lines[1]))
    assert metres[1].tolist() == [float(n == corner) for n in range(5)]
    assert metres[2].tolist() == [0, 0, 0, 0, 1]
