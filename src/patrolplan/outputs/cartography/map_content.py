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
from patrolplan.outputs.cartography.basemap import pieces_in
from patrolplan.outputs.cartography.labels import Boxes
from patrolplan.outputs.cartography.route import LANE, Strand, pushed_shares, spread, strands
from patrolplan.outputs.cartography.symbols import CROSS, CROSS_SIDE, STOP_RADIUS
from patrolplan.outputs.cartography.viewport import LEAST_METRES_PER_POINT, Frame, fit_frame
from patrolplan.outputs.wording import leg_name
from patrolplan.patrols.plan import Leg, Patrol, Plan

LEAST_METRES = 420.0
"""The longer side of a map shows at least so much."""
KEEP_AWAY_METRES = 250.0
"""A place to keep away from that is so near to what is walked is on the map, if need be a larger
one: who knows the streets around might stray there."""
SIGNS_APART = 2 * STOP_RADIUS + 3.0
"""Points between the middles of two signs, if need be by moving one."""
EDGE = 8.0
"""A sign nearer to the edge of the map than so many points would be cut: it is not on the map."""
AROUND_GATE_METRES = 600.0
"""The same where there is nothing but the gate to show."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is drawn of one patrol, in points of the page."""

    patrol: Patrol
    network: StreetNetwork
    features: gpd.GeoDataFrame
    """Those in the window."""
    frame: Frame
    pieces: NDArray[np.int64]
    stretches: NDArray[np.object_]
    legs: list[Strand]
    tags: list[str]
    """Aligned with the legs: from where to where."""
    pushed: list[list[tuple[float, float]]]
    """Aligned with the legs: parts on which a bicycle is pushed, as shares of the length."""
    names: list[str]
    """What stands in the signs on the map: gate, crosses, stops, and the base."""
    marks: NDArray[np.float64]
    """(n, 2) middles of the signs."""
    true_marks: NDArray[np.float64]
    """(n, 2) the places that they stand for."""

    @property
    def route(self) -> BaseGeometry:
        """All legs as one shape; empty without any."""
        return shapely.union_all([shapely.LineString(strand.line) for strand in self.legs])

    @property
    def gate(self) -> tuple[float, float]:
        """Where the gate is, on the map or beyond it."""
        [(x, y)] = self.frame.points(np.array([(self.patrol.x, self.patrol.y)]))
        return float(x), float(y)

    @property
    def covered(self) -> BaseGeometry:
        """What the signs hide."""
        return shapely.multipoints(self.marks).buffer(STOP_RADIUS)

    @property
    def mark_boxes(self) -> Boxes:
        """Boxes of the signs."""
        cross = np.array([name == CROSS for name in self.names], dtype=bool)
        side = np.where(cross, CROSS_SIDE + 4.0, 2 * STOP_RADIUS + 2.5)
        return np.column_stack([self.marks, side, side, np.zeros(len(side))])


def frame_of(plan: Plan, patrol: Patrol, width: float, height: float) -> Frame:
    """The window that shows a whole patrol on so many points of the page."""
    network = plan.area.network
    places, barred = _places(patrol), _barred(patrol)
    lines = [leg.line for _, leg in _drawn_legs(patrol)]
    walked = shapely.union_all(
        [shapely.multipoints(places), *(shapely.linestrings(line) for line in lines)]
    )
    near = barred[shapely.distance(walked, shapely.points(barred)) <= KEEP_AWAY_METRES]
    return fit_frame(
        [places, *lines, near, shapely.get_coordinates(_stretches(plan.hotspots, patrol))],
        width=width,
        height=height,
        least_metres=LEAST_METRES if patrol.stops else AROUND_GATE_METRES,
        within=(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0)),
    )


def scene_in(frame: Frame, plan: Plan, patrol: Patrol) -> Scene:
    """Bring everything of a patrol that lies in the window to the page."""
    network, features = plan.area.network, plan.area.features
    legs = _drawn_legs(patrol)
    names, marks, true_marks = _signs(frame, patrol)
    if len(features):
        features = features.iloc[np.sort(features.sindex.query(frame.window))]
    return Scene(
        patrol=patrol,
        network=network,
        features=features,
        frame=frame,
        pieces=pieces_in(network, frame),
        stretches=frame.shapes(_stretches(plan.hotspots, patrol)),
        legs=strands([frame.points(leg.line) for _, leg in legs]),
        tags=[tag for tag, _ in legs],
        pushed=[pushed_shares(leg) for _, leg in legs],
        names=names,
        marks=marks,
        true_marks=true_marks,
    )


def _signs(
    frame: Frame, patrol: Patrol
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Names of the signs in the window, where they stand, and for which places."""
    places, barred = _places(patrol), _barred(patrol)
    base = [] if patrol.base_xy is None else ["B"]
    stops = [str(number + 1) for number in range(len(patrol.stops))]
    names = np.array(["G", *[CROSS] * len(barred), *stops, *base])
    true = frame.points(np.vstack([places[:1], barred, places[1:]]))
    inside = (true > EDGE) & (true < np.array([frame.width, frame.height]) - EDGE)
    names, true = names[inside.all(axis=1)], true[inside.all(axis=1)]
    # The gate stays where it is, crosses move for nothing but the gate and each other.
    fixed = int(np.isin(names, ["G", CROSS]).sum())
    return names.tolist(), spread(true, SIGNS_APART, fixed=fixed), true


def _places(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of gate, stops and base."""
    base = [] if patrol.base_xy is None else [patrol.base_xy]
    return np.array([(patrol.x, patrol.y), *((stop.x, stop.y) for stop in patrol.stops), *base])


def _barred(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of the places to keep away from."""
    return np.array([(place.x, place.y) for place in patrol.keep_away]).reshape(-1, 2)


def _drawn_legs(patrol: Patrol) -> list[tuple[str, Leg]]:
    """Legs that lead anywhere, each with its tag; the way from the base to the gate first."""
    before = [] if patrol.approach is None else ["B→G"]
    tags = [*before, *(leg_name(patrol, number) for number in range(len(patrol.legs)))]
    pairs = zip(tags, patrol.all_legs, strict=True)
    return [(tag, leg) for tag, leg in pairs if len(leg.line) > 1]


def _stretches(hotspots: gpd.GeoDataFrame, patrol: Patrol) -> NDArray[np.object_]:
    """Stretches of the patrol's stops."""
    wanted = [stop.hotspot for stop in patrol.stops]
    if not wanted or not len(hotspots):
        return np.empty(0, dtype=object)
    shapes: NDArray[np.object_] = hotspots.geometry[hotspots["hotspot"].isin(wanted)].to_numpy()
    return shapes


LEAST_SEEN = 28.0
"""Points of a leg between the signs, without which it is not followed: an arrow and a tag."""
AIR = 2.0
"""Points around a sign in which no line is told from its edge."""
LEAST_ZOOM = 1.6
"""What is not enlarged by so much is not worth a second look."""
SIZES = ((130.0, 110.0), (155.0, 130.0), (180.0, 150.0), (210.0, 170.0), (240.0, 190.0))
"""Points of the page that an inset may take."""
PADDING = 22.0
"""Points within the inset kept free for signs."""
STRIP = 14.0
"""Points below the inset, for its scale and what it is."""
STEP = 10.0
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

    frame: Frame
    box: Boxes
    shown: Boxes
    legs: frozenset[int]


def inset_of(scene: Scene) -> Inset | None:
    """The inset that a map needs; None where signs leave all legs to be seen, or no room for it."""
    lines = np.array([shapely.LineString(strand.line) for strand in scene.legs], dtype=object)
    seen = shapely.length(shapely.difference(lines, scene.covered.buffer(AIR)))
    # A leg that is as short itself goes next door: its tag says enough.
    hidden = (seen < LEAST_SEEN) & (shapely.length(lines) >= LEAST_SEEN)
    if not hidden.any():
        return None
    crowd = _most_crowded(lines[hidden], LEAST_SEEN - seen[hidden])
    signs = shapely.intersection(crowd, shapely.multipoints(scene.true_marks))
    if not _touching(signs):
        return None
    ends = shapely.multipoints([[line.coords[0], line.coords[-1]] for line in lines])
    within = shapely.contains(crowd, ends)
    # Longer legs between the crowded signs are shown whole where that leaves it large enough.
    for legs in (within, within & hidden):
        found = _fitted(scene, legs, shapely.union_all([signs, *lines[legs]]))
        if found is not None:
            return found
    return None


def _most_crowded(lines: NDArray[np.object_], lack: NDArray[np.float64]) -> BaseGeometry:
    """The surroundings of the legs that most is hidden of, where several lie together."""
    around = shapely.buffer(lines, 2 * STOP_RADIUS)
    parts = shapely.get_parts(shapely.union_all(around))
    hidden = [float(lack[shapely.intersects(part, lines)].sum()) for part in parts]
    worst: BaseGeometry = parts[int(np.argmax(hidden))]
    return worst


def _touching(places: BaseGeometry) -> bool:
    """Whether signs at these places would touch, and so were moved aside."""
    xy = shapely.get_coordinates(places)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    return bool((apart[~np.eye(len(xy), dtype=bool)] < SIGNS_APART).any())


def _fitted(scene: Scene, legs: NDArray[np.bool_], shape: BaseGeometry) -> Inset | None:
    """The inset that enlarges a shape most, the smallest of these, as near to it as it goes.

    One whose line to the shape crosses the route is taken only when there is no other.
    """
    left, low, right, top = shapely.bounds(shape)
    middle, extent = np.array([left + right, low + top]) / 2, np.array([right - left, top - low])
    most = scene.frame.metres_per_point / LEAST_METRES_PER_POINT
    zooms = [min(most, float((_room(size) / np.maximum(extent, 1.0)).min())) for size in SIZES]
    order = np.argsort(-np.round(zooms, 2), kind="stable")
    route = scene.route.buffer(LANE)
    for crossed in (False, True):
        for number in order[np.array(zooms)[order] >= LEAST_ZOOM]:
            width, height = SIZES[number]
            reach = np.array([width, height - STRIP]) / zooms[number]
            shown = np.array([[*middle, *reach, 0.0]])
            boxes = _free_places(scene, (width, height), shown)
            if not crossed:
                links = shapely.shortest_line(_shapes(shown), _shapes(boxes))
                boxes = boxes[~shapely.intersects(route, links)]
            if len(boxes):
                x, y = scene.frame.metres(middle[None])[0]
                scale = scene.frame.metres_per_point / zooms[number]
                frame = Frame(width, height - STRIP, x, y, scale, scene.frame.turned)
                nearest = np.argmin(np.hypot(*(boxes[:, :2] - middle).T))
                told = frozenset(np.flatnonzero(legs).tolist())
                return Inset(frame, boxes[nearest][None], shown, told)
    return None


def _room(size: tuple[float, float]) -> NDArray[np.float64]:
    """Points of an inset that its content may take."""
    return np.array(size) - (2 * PADDING, 2 * PADDING + STRIP)


def _free_places(scene: Scene, size: tuple[float, float], shown: Boxes) -> Boxes:
    """Boxes at the map's edge that hide nothing of the patrol, nor what they would enlarge."""
    kept = [scene.route.buffer(LANE), scene.covered, *scene.stretches, *_shapes(shown)]
    boxes = np.array(list(_edge_places(scene.frame, size))).reshape(-1, 5)
    free: Boxes = boxes[~shapely.intersects(shapely.union_all(kept), _shapes(boxes))]
    return free


def _edge_places(frame: Frame, size: tuple[float, float]) -> Iterator[tuple[float, ...]]:
    """Boxes of this size along the four edges of the map."""
    (width, height), slack = size, (frame.width - size[0], frame.height - size[1])
    if min(slack) < 0:
        return
    for x in np.append(np.arange(0.0, slack[0], STEP), slack[0]):
        for y in (0.0, slack[1]):
            yield x + width / 2, y + height / 2, width, height, 0.0
    for y in np.append(np.arange(0.0, slack[1], STEP), slack[1]):
        for x in (0.0, slack[0]):
            yield x + width / 2, y + height / 2, width, height, 0.0


def _shapes(boxes: Boxes) -> NDArray[np.object_]:
    """Boxes that are not turned, as shapes."""
    half = boxes[:, 2:4] / 2
    shapes: NDArray[np.object_] = shapely.box(*(boxes[:, :2] - half).T, *(boxes[:, :2] + half).T)
    return shapes


def crossing(scene: Scene) -> list[int]:
    """Numbers of the legs of which enough is in the window to be followed."""
    edge = shapely.box(0.0, 0.0, *scene.frame.size)
    lines = [shapely.LineString(strand.line) for strand in scene.legs]
    seen = shapely.length(shapely.intersection(lines, edge.difference(scene.covered.buffer(AIR))))
    return np.flatnonzero(seen >= LEAST_SEEN).tolist()


def outline(inset: Inset) -> BaseGeometry:
    """The edge of what an inset enlarges, and the line from there to it."""
    [shown], [box] = _shapes(inset.shown), _shapes(inset.box)
    return shapely.union(shown.exterior, shapely.shortest_line(shown, box))


def draw_outline(axes: Axes, inset: Inset) -> None:
    """Draw on the map which part of it is enlarged, and where to look for it."""
    lines = [shapely.get_coordinates(part) for part in shapely.get_parts(outline(inset))]
    for colour, width, level in (("white", 2.6, 7.1), ("black", 1.0, 7.2)):
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, zorder=level), autolim=False
        )
