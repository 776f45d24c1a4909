"""Shapes brought to the page: cut at the edge of the window, and in single parts."""

import numpy as np
import shapely
from hypothesis import given, strategies as st

from patrolplan.outputs.cartography.basemap import split_parts
from patrolplan.outputs.cartography.viewport import Viewport

PAGE = Viewport(100.0, 80.0, 0.0, 0.0, 2.0)
POINTS = st.lists(
    st.tuples(st.integers(-160, 160), st.integers(-140, 140)), min_size=2, max_size=5, unique=True
)


@given(st.lists(POINTS, min_size=1, max_size=6))
def test_shapes_are_cut_and_split_as_if_each_was(rows):
    """Lines inside are not cut, and single ones not split, with the same result."""
    lines = np.array([shapely.LineString(row) for row in rows], dtype=object)
    cut = PAGE.move_and_clip(lines, margin=5.0)
    moved = shapely.transform(lines, PAGE.to_page)
    wanted = shapely.clip_by_rect(moved, -5.0, -5.0, 105.0, 85.0)
    assert shapely.equals(cut, wanted).all()
    parts, row = split_parts(cut)
    each, whose = shapely.get_parts(cut, return_index=True)
    assert row.tolist() == whose.tolist()
    assert [part.wkt for part in parts] == [part.wkt for part in each]
