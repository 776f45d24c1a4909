"""All that is drawn for one patrol: the content of a window on the area, in page coordinates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography import basemap, labels, place_names, route, symbols
from patrolplan.outputs.cartography.grid import GridLine, build_grid_lines
from patrolplan.outputs.cartography.labels import Boxes, MapLabel, PlacedLabel
from patrolplan.outputs.cartography.route import DrawnLeg, Line
from patrolplan.outputs.cartography.street_map import StreetMap
from patrolplan.outputs.cartography.viewport import (
    MIN_EXTENT_METRES,
    Geometries,
    Viewport,
    fit_viewport,
)
from patrolplan.outputs.routes import PointKind, list_route_points
from patrolplan.outputs.wording import format_leg_name
from patrolplan.patrols.legs import Leg
from patrolplan.patrols.plan import Patrol, Plan, Stop
from patrolplan.patrols.stop_reasons import is_feared
from patrolplan.patrols.walked import find_walked_pieces

PADDING = 28.0  # Points around a route for its circles and their names; more would reduce the scale
MIN_GATE_EXTENT_METRES = 600.0  # The same if only the gate is shown
FEARED_METRES = 100.0  # An officer sees about so far along a street; `map.html` has the others
MIN_MARKER_GAP = 2 * symbols.STOP_RADIUS + 3.0  # Points; nearer signs are moved
MARKER_EDGE_MARGIN = 8.0  # Points; a sign nearer to the edge of the map is left out
STRETCH_WIDTH = 13.0
STREET_EDGE_MARGIN = 12.0  # Points from the map's edge within which a street could not be named
STOP_PLACE_SEPARATOR = " near "  # Between the two streets of a stop's place
CROSSING_GAP = 12.0  # Points; nearer signs of one kind are parts of one crossing


@dataclass(frozen=True, eq=False)
class MapContent:
    """All that is drawn for one patrol in a window, in points of the page, and room for words."""

    viewport: Viewport
    plan: Plan
    patrol: Patrol

    @cached_property
    def ground(self) -> StreetMap:
        """The streets that can be walked, and what is around them."""
        area = self.plan.area
        return StreetMap(self.viewport, area.network.walkable, area.features)

    @cached_property
    def legs(self) -> list[DrawnLeg]:
        """The legs that have a length, each in its lane."""
        lines = [self.viewport.to_page(leg.line) for leg in _list_legs(self.patrol)]
        return route.separate_legs(lines)

    @property
    def leg_labels(self) -> list[str]:
        """Aligned with the legs: start and end."""
        legs = enumerate(self.patrol.legs)
        return [format_leg_name(self.patrol, row) for row, leg in legs if len(leg.line) > 1]

    @cached_property
    def route(self) -> BaseGeometry:
        """All legs as one shape, prepared for fast tests; empty without any."""
        whole = shapely.union_all([leg.shape for leg in self.legs])
        shapely.prepare(whole)
        return whole

    @cached_property
    def route_area(self) -> BaseGeometry:
        """The route with its width on the map."""
        return self.route.buffer(symbols.ROUTE_WIDTH + 0.8)

    @cached_property
    def pushed(self) -> list[Line]:
        """Parts on which a bicycle is pushed."""
        pairs = zip(_list_legs(self.patrol), self.legs, strict=True)
        return [part for leg, drawn in pairs for part in route.cut_pushed(leg, drawn)]

    @cached_property
    def walked_pieces(self) -> NDArray[np.int64]:
        """(n,) pieces that legs follow or cross."""
        return find_walked_pieces(self.patrol, self.ground.network)

    @property
    def passages(self) -> frozenset[str]:
        """Bridges and passages on the route, see `patrolplan.inputs.osm_tags.Passage`."""
        return frozenset(self.ground.network.piece_passage[self.walked_pieces]) - {""}

    @cached_property
    def point_symbols(self) -> symbols.Signs:
        """Names and points of what has a sign: map features, and crossings on the walk."""
        found = {}
        for kind, symbol in symbols.SYMBOLS.items():
            if not symbol.of_crossing:
                found[kind] = place_names.find_symbols(self.ground.features, self.viewport, kind)
                continue
            own = self.walked_pieces[self.ground.network.piece_crossing[self.walked_pieces] == kind]
            points = self.viewport.to_page(self.ground.network.piece_middle[own])
            points = points[self.viewport.contains(points, margin=place_names.SYMBOL_EDGE_MARGIN)]
            near = route.measure_apart(points, points) < CROSSING_GAP
            shown = points[~np.tril(near, -1).any(axis=1)]
            found[kind] = np.full(len(shown), "", dtype=object), shown
        return found

    @cached_property
    def band(self) -> BaseGeometry | None:
        """The stretches with their width on the map; None without any."""
        own = _select_hotspots(self.plan.hotspots, self.patrol.covered)
        stretches = self.viewport.clip_to_page(own.geometry.to_numpy())
        return symbols.build_band(stretches, STRETCH_WIDTH)

    @property
    def gate(self) -> shapely.Point:
        """Position of the gate, on the map or beyond it."""
        return shapely.Point(self.viewport.to_page(np.array([self.patrol.point]))[0])

    @cached_property
    def markers(self) -> "Markers":
        """The signs on the map; those that would touch are moved apart, except the gate."""
        signs = list_route_points(self.patrol, self.plan.area.projection)
        signs.sort(key=lambda sign: sign.is_stop)
        points = self.viewport.to_page(np.array([sign.xy for sign in signs]))
        on_map = np.flatnonzero(self.viewport.contains(points, margin=MARKER_EDGE_MARGIN)).tolist()
        shown = [signs[row] for row in on_map]
        fixed = sum(not sign.is_stop for sign in shown)
        centres = route.separate_points(points[on_map], MIN_MARKER_GAP, fixed=fixed)
        kinds, texts = [sign.kind for sign in shown], [sign.mark for sign in shown]
        return Markers(kinds, texts, centres, points[on_map])

    @cached_property
    def marker_boxes(self) -> Boxes:
        """(n, 5) boxes of the signs."""
        cross, circle = symbols.CROSS_SIDE + 4.0, 2 * symbols.STOP_RADIUS + 2.5
        sides = [cross if kind == "keep_away" else circle for kind in self.markers.kinds]
        return labels.build_level_boxes(self.markers.centres, np.array(sides).reshape(-1, 1))

    @cached_property
    def north(self) -> Boxes:
        """The north arrow's box."""
        return symbols.place_north_arrow(self.viewport, self.marker_boxes)

    @cached_property
    def covered(self) -> BaseGeometry:
        """What covers streets: signs and north arrow."""
        signs = shapely.multipoints(self.markers.centres).buffer(symbols.STOP_RADIUS)
        return shapely.union_all([signs, *shapely.polygons(labels.compute_corners(self.north))])

    def place(
        self, placed: list[PlacedLabel], wanted: list[MapLabel], *, on_route: bool = False
    ) -> None:
        """Add those of the labels that fit between the others, off the stretches if possible."""
        if not on_route:
            wanted = [replace(one, blocked=self.route_area) for one in wanted]
        size, occupied = self.viewport.size, self.list_occupied(placed)
        placed += labels.place_labels(wanted, size, occupied=occupied, avoided=self.band)

    def list_occupied(self, placed: Sequence[PlacedLabel]) -> Boxes:
        """(n, 5) boxes of signs, of words, and of leader lines from words to streets."""
        boxes = np.array([box for _, box in placed]).reshape(-1, 5)
        ends = ((box[None, :2], label.find_leader_end(box)) for label, box in placed)
        lines = [labels.build_line_boxes(at, end[None]) for at, end in ends if end is not None]
        points = np.concatenate([points for _, points in self.point_symbols.values()])
        signs = labels.build_level_boxes(points, 7.0)
        return np.vstack([self.marker_boxes, signs, self.north, boxes, *lines])

    @cached_property
    def walked_streets(self) -> set[str]:
        """Streets that the directions follow."""
        return {step.street for leg in self.patrol.legs for step in leg.steps}

    @cached_property
    def named_streets(self) -> list[str]:
        """Streets that directions or stops name, in the order of the walk: all must be there."""
        mentioned: list[str] = []
        for number, leg in enumerate(self.patrol.legs):
            for step in leg.steps:
                mentioned += [step.street, *(crossing.road for crossing in step.crossings)]
            for stop in self.patrol.stops[number:][:1]:
                mentioned += _list_stop_streets(stop)
        return [
            name for name in dict.fromkeys(mentioned) if name in self.ground.network.pieces_by_name
        ]

    @property
    def feared_stretches(self) -> list[Geometries]:
        """Stretches of stops that have pupils' reports as a reason, each as its parts."""
        stretches = []
        for stop in self.patrol.stops:
            if stop.kind != "tasked" and is_feared(stop.why):
                own = _select_hotspots(self.plan.hotspots, (stop.hotspot,))
                shapes = self.viewport.clip_to_page(own.geometry.to_numpy(), margin=0.0)
                lines = basemap.merge_lines(shapely.get_parts(shapes))
                stretches += [lines] if len(lines) else []
        return stretches

    @property
    def feared_points(self) -> NDArray[np.float64]:
        """(n, 2) stopping places of hotspots near the route that are due mainly to reports."""
        hotspots = self.plan.hotspots
        is_visited = hotspots["hotspot"].isin(self.patrol.covered)
        others = hotspots[hotspots["mainly_reports"] & ~is_visited]
        near = others[others.distance(self.patrol.shape) <= FEARED_METRES]
        points = self.viewport.to_page(near[["stop_x", "stop_y"]].to_numpy())
        return points[self.viewport.contains(points, margin=MARKER_EDGE_MARGIN)]

    @cached_property
    def outlines(self) -> list[NDArray[np.float64]]:
        """(v, 2) edges of designated polygons with a stop of the patrol."""
        designated = self.plan.area.designated
        if designated is None:
            return []
        own = designated[designated["place_id"].isin(self.patrol.hotspots)]
        edges = shapely.get_parts(shapely.boundary(own.geometry.to_numpy()))
        parts = shapely.get_parts(self.viewport.clip_to_page(edges))
        return [shapely.get_coordinates(line) for line in parts]

    @cached_property
    def grid_lines(self) -> list[GridLine]:
        """Lines of the grid in the window."""
        return build_grid_lines(self.viewport, self.plan.area.settings.area.crs)


class Markers(NamedTuple):
    """The signs of a patrol on its map."""

    kinds: list[PointKind]  # Gate, crosses and stops, in this order
    texts: list[str]
    centres: NDArray[np.float64]  # (n, 2) middles of the signs
    true_points: NDArray[np.float64]  # (n, 2) the places that they mark


def fit_patrol_viewport(plan: Plan, patrol: Patrol, width: float, height: float) -> Viewport:
    """The window that shows a whole patrol on a map of this width and height in points."""
    network = plan.area.network.walkable
    stretches = _select_hotspots(plan.hotspots, patrol.covered).geometry.to_numpy()
    near = [shapely.Point(barred.point) for barred in patrol.keep_away]
    content = [shapely.get_coordinates([patrol.shape, *stretches, *near])]
    extent = MIN_EXTENT_METRES if patrol.stops else MIN_GATE_EXTENT_METRES
    fit = partial(
        fit_viewport,
        width=width,
        height=height,
        padding=PADDING,
        min_extent_metres=extent,
        street_bounds=network.bounds,
    )
    viewport = fit(content)
    # A street that only describes where a stop is may be outside.
    nearest = [np.empty((0, 2))]
    for stop in patrol.stops:
        for name in _list_stop_streets(stop):
            own = network.pieces_by_name.get(name)
            if own is not None:
                street = shapely.multilinestrings(network.lines(own))
                link = shapely.shortest_line(street, shapely.Point(stop.point))
                nearest.append(shapely.get_coordinates(link)[:1])
    crossing = np.concatenate(nearest)
    inside = viewport.contains(viewport.to_page(crossing), margin=STREET_EDGE_MARGIN)
    return viewport if inside.all() else fit([*content, crossing[~inside]])


def _list_stop_streets(stop: Stop) -> list[str]:
    """Streets that describe where a stop is; a bus stop's name may be of a street far away."""
    joins = [stop.at] if stop.stand == "junction" else []
    return [*stop.place.split(STOP_PLACE_SEPARATOR), stop.street, *joins]


def _list_legs(patrol: Patrol) -> list[Leg]:
    """Legs that have a length."""
    return [leg for leg in patrol.legs if len(leg.line) > 1]


def _select_hotspots(hotspots: gpd.GeoDataFrame, wanted: Iterable[str]) -> gpd.GeoDataFrame:
    """The hotspots with these ids."""
    return hotspots[hotspots["hotspot"].isin(list(wanted))]
