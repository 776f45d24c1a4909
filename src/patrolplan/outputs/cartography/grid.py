"""The British National Grid on a map, to locate the grid references that papers print.

A line has the first three (at a kilometre two) of a reference's four digits, and its direction.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.cartography.fonts import measure_label
from patrolplan.outputs.cartography.labels import (
    LABEL_EDGE_MARGIN,
    NAME_SIZE,
    MapLabel,
    build_level_boxes,
)
from patrolplan.outputs.cartography.viewport import Viewport

GRID_STEPS = (100, 200, 500, 1000)  # Possible spacings of lines, in metres
MIN_SPACING = 40.0  # Minimum points between two lines; nearer ones would look like streets
GRID_COLOUR = "#a8b2bc"
GRID_LEVEL = 1.45  # Above land, water and buildings, below all streets
KILOMETRE = 1000
SQUARE_METRES = 100_000  # Side of a square with a pair of letters
INWARD_STEPS = (0.0, 16.0, 32.0)  # Points from the map's edge at which a line's number may stand


@dataclass(frozen=True, eq=False)
class GridLine:
    """A line of the grid as drawn."""

    text: str  # Its number, such as "992E"
    ends: NDArray[np.float64]  # (2, 2) points of the page: where it leaves the map


def choose_grid_metres(metres_per_point: float) -> int:
    """Spacing of the lines on a map of this scale."""
    wide = (step for step in GRID_STEPS if step / metres_per_point >= MIN_SPACING)
    return next(wide, GRID_STEPS[-1])


def build_grid_lines(viewport: Viewport, crs: str) -> list[GridLine]:
    """Lines of the grid in the window; empty if the area's CRS is not the British grid."""
    if crs.upper() != BRITISH_GRID:
        return []
    step = choose_grid_metres(viewport.metres_per_point)
    bounds = shapely.bounds(viewport.extent).reshape(2, 2)
    lines = []
    for axis, direction in enumerate("EN"):
        low, high = bounds[:, axis]
        for metres in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
            ends = bounds.copy()
            ends[:, axis] = metres
            cut = viewport.clip_to_page(np.array([shapely.LineString(ends)]), margin=0.0)
            xy = shapely.get_coordinates(cut)
            if len(xy) > 1:
                within = int(metres) % SQUARE_METRES
                unit, digits = (100, 3) if step % KILOMETRE else (KILOMETRE, 2)
                number = f"{within // unit:0{digits}d}{direction}"
                lines.append(GridLine(number, np.stack([xy[0], xy[-1]])))
    return lines


def build_grid_labels(lines: list[GridLine], viewport: Viewport) -> list[MapLabel]:
    """The number of each line, horizontal, at one of its ends: the left or lower one if free."""
    labels = []
    for line in lines:
        size = measure_label(line.text, NAME_SIZE, padding=3.0)
        length = float(np.hypot(*(line.ends[1] - line.ends[0])))
        if length <= max(INWARD_STEPS):
            continue
        order = np.argsort(line.ends.sum(axis=1), kind="stable")
        start, end = line.ends[order]
        along = (end - start) / length
        inward = np.array(INWARD_STEPS)[:, None] * along
        middles = np.concatenate([start + inward, end - inward])
        half = np.array(size) / 2 + LABEL_EDGE_MARGIN + 0.1
        middles = np.clip(middles, half, np.array(viewport.size) - half)
        boxes = build_level_boxes(middles, size)
        costs, text = np.arange(float(len(boxes))), line.text
        labels.append(MapLabel(text, text, boxes, costs, colour="#44505c", min_gap=0.0))
    return labels
