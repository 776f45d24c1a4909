"""The inset of a map: its crowded part enlarged, where the map has free space."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography import route, symbols
from patrolplan.outputs.cartography.labels import Boxes, build_level_boxes
from patrolplan.outputs.cartography.map_content import MIN_MARKER_GAP, MapContent
from patrolplan.outputs.cartography.viewport import MIN_METRES_PER_POINT, Geometries, Viewport

MIN_VISIBLE_POINTS = 28.0
"""Points of a leg that must show between the signs, for an arrow and a tag, to follow it."""
MARKER_CLEARANCE = 2.0
"""Points around a sign within which a line cannot be distinguished from the sign's edge."""
MIN_ZOOM = 1.6
"""Minimum factor of enlargement for an inset to be worth its space."""
INSET_SIZES = ((130.0, 110.0), (155.0, 130.0), (180.0, 150.0), (210.0, 170.0), (240.0, 190.0))
"""Widths and heights that an inset may have, in points."""
INSET_PADDING = 22.0
"""Points at the inset's edges for signs."""
INSET_CAPTION_HEIGHT = 14.0
"""Points below the inset, for its scale and its title."""
INSET_SEARCH_STEP = 10.0
"""Points between two candidate places for an inset."""


@dataclass(frozen=True, eq=False)
class Inset:
    """A window on part of a map."""

    viewport: Viewport
    box: Boxes
    """(1, 5) box of the inset on the map, with its caption."""
    enlarged_box: Boxes
    """(1, 5) box of the part of the map that it enlarges."""
    leg_numbers: frozenset[int]
    """Legs that can be followed only in the inset."""

    @property
    def outline(self) -> BaseGeometry:
        """The edge of the enlarged part, and the line from there to the inset."""
        [enlarged], [box] = _to_polygons(self.enlarged_box), _to_polygons(self.box)
        return shapely.union(enlarged.exterior, shapely.shortest_line(enlarged, box))


def find_inset(content: MapContent) -> Inset | None:
    """The inset that a map needs; None if all legs are visible, or there is no room for it."""
    lines = np.array([leg.shape for leg in content.legs], dtype=object)
    seen = shapely.length(shapely.difference(lines, content.marker_area.buffer(MARKER_CLEARANCE)))
    # A leg that is itself this short leads next door: its tag is enough.
    hidden = (seen < MIN_VISIBLE_POINTS) & (shapely.length(lines) >= MIN_VISIBLE_POINTS)
    if not hidden.any():
        return None
    crowd = _find_most_crowded(lines[hidden], MIN_VISIBLE_POINTS - seen[hidden])
    signs = shapely.intersection(crowd, shapely.multipoints(content.marker_true_points))
    # A map is crowded only if signs at their true places would overlap, and so had to be moved.
    xy = shapely.get_coordinates(signs)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    if not (apart[~np.eye(len(xy), dtype=bool)] < MIN_MARKER_GAP).any():
        return None
    ends = shapely.multipoints([[line.coords[0], line.coords[-1]] for line in lines])
    within = shapely.contains(crowd, ends)
    # Longer legs between the crowded signs are shown in full if the scale stays large enough.
    for legs in (within, within & hidden):
        inset = _fit_inset(content, legs, shapely.union_all([signs, *lines[legs]]))
        if inset is not None:
            return inset
    return None


def _find_most_crowded(lines: Geometries, lack: NDArray[np.float64]) -> BaseGeometry:
    """The surroundings of the legs that are hidden most, with several legs if they are close."""
    parts = shapely.get_parts(shapely.union_all(shapely.buffer(lines, 2 * symbols.STOP_RADIUS)))
    hidden = [float(lack[shapely.intersects(part, lines)].sum()) for part in parts]
    return parts[int(np.argmax(hidden))]


def _fit_inset(content: MapContent, legs: NDArray[np.bool_], shape: BaseGeometry) -> Inset | None:
    """The inset that enlarges a shape most, in a tie the smallest, as near to it as possible.

    An inset whose line to the shape crosses the route is chosen only if there is no other.
    """
    left, low, right, top = shapely.bounds(shape)
    middle, extent = np.array([left + right, low + top]) / 2, np.array([right - left, top - low])
    scale = content.viewport.metres_per_point
    room = np.array(INSET_SIZES) - (2 * INSET_PADDING, 2 * INSET_PADDING + INSET_CAPTION_HEIGHT)
    zooms = (room / np.maximum(extent, 1.0)).min(axis=1).clip(max=scale / MIN_METRES_PER_POINT)
    order = np.argsort(-np.round(zooms, 2), kind="stable")
    walked = content.route.buffer(route.LANE_WIDTH)
    for may_cross in (False, True):
        for number in order[zooms[order] >= MIN_ZOOM]:
            width, height = INSET_SIZES[number]
            zoom, map_height = float(zooms[number]), height - INSET_CAPTION_HEIGHT
            enlarged = build_level_boxes(middle[None], (width / zoom, map_height / zoom))
            boxes = _find_free_boxes(content, (width, height), enlarged)
            if not may_cross:
                links = shapely.shortest_line(_to_polygons(enlarged), _to_polygons(boxes))
                boxes = boxes[~shapely.intersects(walked, links)]
            if len(boxes):
                [(x, y)] = content.viewport.to_metres(middle[None]).tolist()
                turned = content.viewport.rotation_degrees
                viewport = Viewport(width, map_height, x, y, scale / zoom, turned)
                nearest = np.argmin(np.hypot(*(boxes[:, :2] - middle).T))
                numbers = frozenset(np.flatnonzero(legs).tolist())
                return Inset(viewport, boxes[nearest][None], enlarged, numbers)
    return None


def _find_free_boxes(
    content: MapContent, size: tuple[float, float], enlarged_boxes: Boxes
) -> Boxes:
    """Boxes at the map's edge that cover neither the patrol nor the enlarged part."""
    visible = [
        content.route.buffer(route.LANE_WIDTH),
        content.marker_area,
        *content.stretches,
        *_to_polygons(enlarged_boxes),
    ]
    middles = np.array(list(_iterate_edge_places(content.viewport, size))).reshape(-1, 2)
    boxes = build_level_boxes(middles, size)
    hides = shapely.intersects(shapely.union_all(visible), _to_polygons(boxes))
    return np.asarray(boxes[~hides])


def _iterate_edge_places(
    viewport: Viewport, size: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """Middles of boxes of this size along the four edges of the map."""
    (width, height), slack = size, (viewport.width - size[0], viewport.height - size[1])
    if min(slack) < 0:
        return
    across, up = (np.append(np.arange(0.0, most, INSET_SEARCH_STEP), most) for most in slack)
    for x in across:
        for y in (0.0, slack[1]):
            yield x + width / 2, y + height / 2
    for y in up:
        for x in (0.0, slack[0]):
            yield x + width / 2, y + height / 2


def _to_polygons(boxes: Boxes) -> Geometries:
    """Unrotated boxes as shapes."""
    half = boxes[:, 2:4] / 2
    return np.asarray(shapely.box(*(boxes[:, :2] - half).T, *(boxes[:, :2] + half).T))


def find_visible_legs(content: MapContent) -> list[int]:
    """Numbers of the legs that are visible enough in the window to be followed."""
    page = shapely.box(0.0, 0.0, *content.viewport.size)
    clear = page.difference(content.marker_area.buffer(MARKER_CLEARANCE))
    seen = shapely.length(shapely.intersection([leg.shape for leg in content.legs], clear))
    return np.flatnonzero(seen >= MIN_VISIBLE_POINTS).tolist()
