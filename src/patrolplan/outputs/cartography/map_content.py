"""All that is drawn of one patrol: what lies in a window on the area, brought to the page.

An inset: the crowded corner of a map once more, larger, where the map has room to spare.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.basemap import find_visible_pieces
from patrolplan.outputs.cartography.labels import Boxes
from patrolplan.outputs.cartography.route import (
    LANE_WIDTH,
    DrawnLeg,
    find_pushed_ranges,
    separate_legs,
    separate_points,
)
from patrolplan.outputs.cartography.symbols import CROSS_SIDE, KEEP_AWAY_TEXT, STOP_RADIUS
from patrolplan.outputs.cartography.viewport import MIN_METRES_PER_POINT, Viewport, fit_viewport
from patrolplan.outputs.wording import format_leg_name
from patrolplan.patrols.plan import Leg, Patrol, Plan

MIN_MAP_METRES = 420.0
"""The longer side of a map shows at least so much."""
KEEP_AWAY_METRES = 250.0
"""A place to keep away from that is so near to what is walked is on the map, if need be a larger
one: who knows the streets around might stray there."""
MIN_MARKER_GAP = 2 * STOP_RADIUS + 3.0
"""Points between the middles of two signs, if need be by moving one."""
MARKER_EDGE_MARGIN = 8.0
"""A sign nearer to the edge of the map than so many points would be cut: it is not on the map."""
MIN_GATE_MAP_METRES = 600.0
"""The same where there is nothing but the gate to show."""


@dataclass(frozen=True, eq=False)
class MapContent:
    """All that is drawn of one patrol, in points of the page."""

    patrol: Patrol
    network: StreetNetwork
    features: gpd.GeoDataFrame
    """Those in the window."""
    viewport: Viewport
    pieces: NDArray[np.int64]
    stretches: NDArray[np.object_]
    legs: list[DrawnLeg]
    leg_labels: list[str]
    """Aligned with the legs: from where to where."""
    pushed_ranges: list[list[tuple[float, float]]]
    """Aligned with the legs: parts on which a bicycle is pushed, as shares of the length."""
    marker_texts: list[str]
    """What stands in the signs on the map: gate, crosses, stops, and the base."""
    marker_centres: NDArray[np.float64]
    """(n, 2) middles of the signs."""
    marker_true_points: NDArray[np.float64]
    """(n, 2) the places that they stand for."""

    @property
    def route(self) -> BaseGeometry:
        """All legs as one shape; empty without any."""
        return shapely.union_all([shapely.LineString(strand.line) for strand in self.legs])

    @property
    def gate(self) -> tuple[float, float]:
        """Where the gate is, on the map or beyond it."""
        [(x, y)] = self.viewport.to_page(np.array([(self.patrol.x, self.patrol.y)]))
        return float(x), float(y)

    @property
    def marker_area(self) -> BaseGeometry:
        """What the signs hide."""
        return shapely.multipoints(self.marker_centres).buffer(STOP_RADIUS)

    @property
    def marker_boxes(self) -> Boxes:
        """Boxes of the signs."""
        cross = np.array([name == KEEP_AWAY_TEXT for name in self.marker_texts], dtype=bool)
        side = np.where(cross, CROSS_SIDE + 4.0, 2 * STOP_RADIUS + 2.5)
        return np.column_stack([self.marker_centres, side, side, np.zeros(len(side))])


def fit_patrol_viewport(plan: Plan, patrol: Patrol, width: float, height: float) -> Viewport:
    """The window that shows a whole patrol on so many points of the page."""
    network = plan.area.network
    places, barred = _collect_patrol_points(patrol), _collect_barred_points(patrol)
    lines = [leg.line for _, leg in _select_drawn_legs(patrol)]
    walked = shapely.union_all(
        [shapely.multipoints(places), *(shapely.linestrings(line) for line in lines)]
    )
    near = barred[shapely.distance(walked, shapely.points(barred)) <= KEEP_AWAY_METRES]
    return fit_viewport(
        [places, *lines, near, shapely.get_coordinates(_select_stretches(plan.hotspots, patrol))],
        width=width,
        height=height,
        min_extent_metres=MIN_MAP_METRES if patrol.stops else MIN_GATE_MAP_METRES,
        street_bounds=(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0)),
    )


def collect_map_content(viewport: Viewport, plan: Plan, patrol: Patrol) -> MapContent:
    """Bring everything of a patrol that lies in the window to the page."""
    network, features = plan.area.network, plan.area.features
    legs = _select_drawn_legs(patrol)
    names, marks, true_marks = _arrange_markers(viewport, patrol)
    if len(features):
        features = features.iloc[np.sort(features.sindex.query(viewport.extent))]
    return MapContent(
        patrol=patrol,
        network=network,
        features=features,
        viewport=viewport,
        pieces=find_visible_pieces(network, viewport),
        stretches=viewport.clip_to_page(_select_stretches(plan.hotspots, patrol)),
        legs=separate_legs([viewport.to_page(leg.line) for _, leg in legs]),
        leg_labels=[tag for tag, _ in legs],
        pushed_ranges=[find_pushed_ranges(leg) for _, leg in legs],
        marker_texts=names,
        marker_centres=marks,
        marker_true_points=true_marks,
    )


def _arrange_markers(
    viewport: Viewport, patrol: Patrol
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Names of the signs in the window, where they stand, and for which places."""
    places, barred = _collect_patrol_points(patrol), _collect_barred_points(patrol)
    base = [] if patrol.base_xy is None else ["B"]
    stops = [str(number + 1) for number in range(len(patrol.stops))]
    names = np.array(["G", *[KEEP_AWAY_TEXT] * len(barred), *stops, *base])
    true = viewport.to_page(np.vstack([places[:1], barred, places[1:]]))
    inside = (true > MARKER_EDGE_MARGIN) & (
        true < np.array([viewport.width, viewport.height]) - MARKER_EDGE_MARGIN
    )
    names, true = names[inside.all(axis=1)], true[inside.all(axis=1)]
    # The gate stays where it is, crosses move for nothing but the gate and each other.
    fixed = int(np.isin(names, ["G", KEEP_AWAY_TEXT]).sum())
    return names.tolist(), separate_points(true, MIN_MARKER_GAP, fixed=fixed), true


def _collect_patrol_points(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of gate, stops and base."""
    base = [] if patrol.base_xy is None else [patrol.base_xy]
    return np.array([(patrol.x, patrol.y), *((stop.x, stop.y) for stop in patrol.stops), *base])


def _collect_barred_points(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of the places to keep away from."""
    return np.array([(place.x, place.y) for place in patrol.keep_away]).reshape(-1, 2)


def _select_drawn_legs(patrol: Patrol) -> list[tuple[str, Leg]]:
    """Legs that lead anywhere, each with its tag; the way from the base to the gate first."""
    before = [] if patrol.approach is None else ["B→G"]
    tags = [*before, *(format_leg_name(patrol, number) for number in range(len(patrol.legs)))]
    pairs = zip(tags, patrol.all_legs, strict=True)
    return [(tag, leg) for tag, leg in pairs if len(leg.line) > 1]


def _select_stretches(hotspots: gpd.GeoDataFrame, patrol: Patrol) -> NDArray[np.object_]:
    """Stretches of the patrol's stops."""
    wanted = [stop.hotspot for stop in patrol.stops]
    if not wanted or not len(hotspots):
        return np.empty(0, dtype=object)
    shapes: NDArray[np.object_] = hotspots.geometry[hotspots["hotspot"].isin(wanted)].to_numpy()
    return shapes


MIN_VISIBLE_POINTS = 28.0
"""Points of a leg between the signs, without which it is not followed: an arrow and a tag."""
MARKER_CLEARANCE = 2.0
"""Points around a sign in which no line is told from its edge."""
MIN_ZOOM = 1.6
"""What is not enlarged by so much is not worth a second look."""
SIZES = ((130.0, 110.0), (155.0, 130.0), (180.0, 150.0), (210.0, 170.0), (240.0, 190.0))
"""Points of the page that an inset may take."""
PADDING = 22.0
"""Points within the inset kept free for signs."""
INSET_CAPTION_HEIGHT = 14.0
"""Points below the inset, for its scale and what it is."""
INSET_SEARCH_STEP = 10.0
"""Points between the places that are tried."""


@dataclass(frozen=True, eq=False)
class Inset:
    """A window on part of a map.

    Parameters
    ----------
    frame
        What it shows.
    box
        (1, 5) box that it takes on the map, its strip included.
    shown
        (1, 5) box of the part of the map that it enlarges.
    legs
        Numbers of the legs that can be followed in it alone.
    """

    viewport: Viewport
    box: Boxes
    enlarged_box: Boxes
    leg_numbers: frozenset[int]


def find_inset(content: MapContent) -> Inset | None:
    """The inset that a map needs; None where signs leave all legs to be seen, or no room for it."""
    lines = np.array([shapely.LineString(strand.line) for strand in content.legs], dtype=object)
    seen = shapely.length(shapely.difference(lines, content.marker_area.buffer(MARKER_CLEARANCE)))
    # A leg that is as short itself goes next door: its tag says enough.
    hidden = (seen < MIN_VISIBLE_POINTS) & (shapely.length(lines) >= MIN_VISIBLE_POINTS)
    if not hidden.any():
        return None
    crowd = _find_most_crowded(lines[hidden], MIN_VISIBLE_POINTS - seen[hidden])
    signs = shapely.intersection(crowd, shapely.multipoints(content.marker_true_points))
    if not _has_touching_markers(signs):
        return None
    ends = shapely.multipoints([[line.coords[0], line.coords[-1]] for line in lines])
    within = shapely.contains(crowd, ends)
    # Longer legs between the crowded signs are shown whole where that leaves it large enough.
    for legs in (within, within & hidden):
        found = _fit_inset(content, legs, shapely.union_all([signs, *lines[legs]]))
        if found is not None:
            return found
    return None


def _find_most_crowded(lines: NDArray[np.object_], lack: NDArray[np.float64]) -> BaseGeometry:
    """The surroundings of the legs that most is hidden of, where several lie together."""
    around = shapely.buffer(lines, 2 * STOP_RADIUS)
    parts = shapely.get_parts(shapely.union_all(around))
    hidden = [float(lack[shapely.intersects(part, lines)].sum()) for part in parts]
    worst: BaseGeometry = parts[int(np.argmax(hidden))]
    return worst


def _has_touching_markers(places: BaseGeometry) -> bool:
    """Whether signs at these places would touch, and so were moved aside."""
    xy = shapely.get_coordinates(places)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    return bool((apart[~np.eye(len(xy), dtype=bool)] < MIN_MARKER_GAP).any())


def _fit_inset(content: MapContent, legs: NDArray[np.bool_], shape: BaseGeometry) -> Inset | None:
    """The inset that enlarges a shape most, the smallest of these, as near to it as it goes.

    One whose line to the shape crosses the route is taken only when there is no other.
    """
    left, low, right, top = shapely.bounds(shape)
    middle, extent = np.array([left + right, low + top]) / 2, np.array([right - left, top - low])
    most = content.viewport.metres_per_point / MIN_METRES_PER_POINT
    zooms = [
        min(most, float((_compute_content_size(size) / np.maximum(extent, 1.0)).min()))
        for size in SIZES
    ]
    order = np.argsort(-np.round(zooms, 2), kind="stable")
    route = content.route.buffer(LANE_WIDTH)
    for crossed in (False, True):
        for number in order[np.array(zooms)[order] >= MIN_ZOOM]:
            width, height = SIZES[number]
            reach = np.array([width, height - INSET_CAPTION_HEIGHT]) / zooms[number]
            shown = np.array([[*middle, *reach, 0.0]])
            boxes = _find_free_boxes(content, (width, height), shown)
            if not crossed:
                links = shapely.shortest_line(_to_polygons(shown), _to_polygons(boxes))
                boxes = boxes[~shapely.intersects(route, links)]
            if len(boxes):
                x, y = content.viewport.to_metres(middle[None])[0]
                scale = content.viewport.metres_per_point / zooms[number]
                frame = Viewport(
                    width,
                    height - INSET_CAPTION_HEIGHT,
                    x,
                    y,
                    scale,
                    content.viewport.rotation_degrees,
                )
                nearest = np.argmin(np.hypot(*(boxes[:, :2] - middle).T))
                told = frozenset(np.flatnonzero(legs).tolist())
                return Inset(frame, boxes[nearest][None], shown, told)
    return None


def _compute_content_size(size: tuple[float, float]) -> NDArray[np.float64]:
    """Points of an inset that its content may take."""
    return np.array(size) - (2 * PADDING, 2 * PADDING + INSET_CAPTION_HEIGHT)


def _find_free_boxes(
    content: MapContent, size: tuple[float, float], enlarged_boxes: Boxes
) -> Boxes:
    """Boxes at the map's edge that hide nothing of the patrol, nor what they would enlarge."""
    kept = [
        content.route.buffer(LANE_WIDTH),
        content.marker_area,
        *content.stretches,
        *_to_polygons(enlarged_boxes),
    ]
    boxes = np.array(list(_iterate_edge_boxes(content.viewport, size))).reshape(-1, 5)
    free: Boxes = boxes[~shapely.intersects(shapely.union_all(kept), _to_polygons(boxes))]
    return free


def _iterate_edge_boxes(
    viewport: Viewport, size: tuple[float, float]
) -> Iterator[tuple[float, ...]]:
    """Boxes of this size along the four edges of the map."""
    (width, height), slack = size, (viewport.width - size[0], viewport.height - size[1])
    if min(slack) < 0:
        return
    for x in np.append(np.arange(0.0, slack[0], INSET_SEARCH_STEP), slack[0]):
        for y in (0.0, slack[1]):
            yield x + width / 2, y + height / 2, width, height, 0.0
    for y in np.append(np.arange(0.0, slack[1], INSET_SEARCH_STEP), slack[1]):
        for x in (0.0, slack[0]):
            yield x + width / 2, y + height / 2, width, height, 0.0


def _to_polygons(boxes: Boxes) -> NDArray[np.object_]:
    """Boxes that are not turned, as shapes."""
    half = boxes[:, 2:4] / 2
    shapes: NDArray[np.object_] = shapely.box(*(boxes[:, :2] - half).T, *(boxes[:, :2] + half).T)
    return shapes


def find_visible_legs(content: MapContent) -> list[int]:
    """Numbers of the legs of which enough is in the window to be followed."""
    edge = shapely.box(0.0, 0.0, *content.viewport.size)
    lines = [shapely.LineString(strand.line) for strand in content.legs]
    seen = shapely.length(
        shapely.intersection(lines, edge.difference(content.marker_area.buffer(MARKER_CLEARANCE)))
    )
    return np.flatnonzero(seen >= MIN_VISIBLE_POINTS).tolist()


def build_inset_outline(inset: Inset) -> BaseGeometry:
    """The edge of what an inset enlarges, and the line from there to it."""
    [shown], [box] = _to_polygons(inset.enlarged_box), _to_polygons(inset.box)
    return shapely.union(shown.exterior, shapely.shortest_line(shown, box))


def draw_inset_outline(axes: Axes, inset: Inset) -> None:
    """Draw on the map which part of it is enlarged, and where to look for it."""
    lines = [
        shapely.get_coordinates(part) for part in shapely.get_parts(build_inset_outline(inset))
    ]
    for colour, width, level in (("white", 2.6, 7.1), ("black", 1.0, 7.2)):
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, zorder=level), autolim=False
        )
