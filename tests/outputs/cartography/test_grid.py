"""The grid on a map: lines where the printed references change, numbered as these are."""

import numpy as np
from hypothesis import given, settings, strategies as st
from outputs.map_checks import assert_on_map

from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.cartography.grid import (
    MIN_SPACING,
    build_grid_labels,
    build_grid_lines,
    choose_grid_metres,
)
from patrolplan.outputs.cartography.place_names import place_map_labels
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.outputs.wording import format_grid_reference

viewports = st.builds(
    Viewport,
    width=st.floats(200.0, 540.0),
    height=st.floats(150.0, 430.0),
    centre_x=st.floats(400_000.0, 600_000.0),
    centre_y=st.floats(100_000.0, 500_000.0),
    metres_per_point=st.floats(0.8, 12.0),
    rotation_degrees=st.sampled_from([0.0, *np.arange(-85.0, 95.0, 5.0)]),
)


@given(viewports)
@settings(max_examples=100, deadline=None)
def test_lines_stand_where_references_change(viewport):
    """On any map, turned or not, a line's number is that of the references just beyond it."""
    for line in build_grid_lines(viewport, BRITISH_GRID):
        middle = viewport.to_metres(line.ends.mean(axis=0)[None])[0]
        axis = "EN".index(line.text[-1])
        digits = len(line.text) - 1
        numbers = []
        for step in (0.5, -0.5):
            place = middle.copy()
            place[axis] += step
            numbers.append(format_grid_reference(*place).split()[1 + axis][:digits])
        assert numbers[0] == line.text[:-1]
        assert numbers[1] != numbers[0]
        assert np.ptp(viewport.to_metres(line.ends)[:, axis]) < 1e-3


@given(viewports)
@settings(max_examples=100, deadline=None)
def test_lines_are_even_and_leave_no_gap(viewport):
    """Lines of one direction are one step apart, and all that cross the map are there."""
    step = choose_grid_metres(viewport.metres_per_point)
    assert step / viewport.metres_per_point >= MIN_SPACING or step == 1000
    lines = build_grid_lines(viewport, BRITISH_GRID)
    for axis, direction in enumerate("EN"):
        own = [line for line in lines if line.text.endswith(direction)]
        at = np.array([viewport.to_metres(line.ends)[0, axis] for line in own])
        assert np.allclose(np.diff(at), step)
        span = np.ptp(np.array(viewport.extent.exterior.coords)[:, axis])
        assert len(own) >= span // step - 1


@given(viewports)
@settings(max_examples=50, deadline=None)
def test_numbers_are_on_the_map_at_its_edge(viewport):
    """Numbers are level, whole, and near an end of their line."""
    lines = {line.text: line for line in build_grid_lines(viewport, BRITISH_GRID)}
    labels = build_grid_labels(list(lines.values()), viewport)
    for label, box in place_map_labels(labels, viewport, occupied=np.empty((0, 5))):
        assert_on_map(viewport, box[None])
        assert box[4] == 0
        assert np.hypot(*(lines[label.text].ends - box[:2]).T).min() < 60


def test_other_grids_have_no_lines():
    """Only the British grid has references that papers print."""
    viewport = Viewport(500.0, 300.0, 500_000.0, 5_700_000.0, 2.0)
    assert not build_grid_lines(viewport, "EPSG:32630")
