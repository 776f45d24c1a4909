"""All that is drawn for one patrol: the content of a window on the area, in page coordinates."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.hotspots.reasons import list_reasons
from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography import route, symbols
from patrolplan.outputs.cartography.basemap import (
    find_visible_pieces,
    merge_lines,
    select_visible_features,
)
from patrolplan.outputs.cartography.grid import GridLine, build_grid_lines
from patrolplan.outputs.cartography.labels import Boxes, build_level_boxes
from patrolplan.outputs.cartography.place_names import (
    SYMBOL_EDGE_MARGIN,
    SYMBOL_STYLES,
    ShownStreet,
    find_symbols,
    list_streets,
)
from patrolplan.outputs.cartography.viewport import (
    MIN_EXTENT_METRES,
    Geometries,
    Viewport,
    fit_viewport,
)
from patrolplan.outputs.facts import is_feared
from patrolplan.outputs.wording import format_leg_name
from patrolplan.patrols.legs import Leg
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Stop

PADDING = 28.0
"""Points around a route for its circles and their names; more would reduce the scale."""
MIN_GATE_EXTENT_METRES = 600.0
"""Minimum length of the longer side of a map if only the gate is shown."""
KEEP_AWAY_METRES = 250.0
"""Maximum distance from the route at which a place to keep away from is on the map, which is
extended if necessary: an officer who knows the area might go there."""
FEARED_METRES = 100.0
"""Maximum distance from the route at which a stretch where pupils feel unsafe has a sign on the
map: an officer sees about this far along a street; `map.html` and the week have the others."""
MIN_MARKER_GAP = 2 * symbols.STOP_RADIUS + 3.0
"""Minimum points between the middles of two signs; a sign is moved if they are nearer."""
MARKER_EDGE_MARGIN = 8.0
"""Points; a sign nearer to the edge of the map would be cut, so it is left out."""
STRETCH_WIDTH = 13.0
STREET_EDGE_MARGIN = 12.0
"""Points from the edge of the map within which a street could not be named."""
STOP_PLACE_SEPARATOR = " near "
"""Between the two streets of a stop's place, see `patrolplan.network.names`."""
ON_WALK_METRES = 4.0
CROSSING_SIGNS = ("signals", "zebra")
CROSSING_GAP = 12.0
"""Points; nearer signs of one kind are parts of one crossing."""


@dataclass(frozen=True, eq=False)
class MapContent:
    """All that is drawn for one patrol, in points of the page."""

    patrol: Patrol
    network: StreetNetwork
    features: gpd.GeoDataFrame
    """Features in the window."""
    point_symbols: dict[str, tuple[NDArray[np.object_], NDArray[np.float64]]]
    """(n,) names and (n, 2) points of bus stops, stations and crossings, by kind."""
    viewport: Viewport
    pieces: NDArray[np.int64]
    stretches: Geometries
    legs: list[route.DrawnLeg]
    leg_labels: list[str]
    """Aligned with the legs: start and end."""
    pushed: list[route.Line]
    """Parts on which a bicycle is pushed."""
    marker_kinds: list[symbols.MarkerKind]
    """Kinds of the signs on the map: gate, crosses and stops."""
    marker_texts: list[str]
    """Texts in the signs."""
    marker_centres: NDArray[np.float64]
    """(n, 2) middles of the signs."""
    marker_true_points: NDArray[np.float64]
    """(n, 2) the places that they mark."""
    named_streets: list[str]
    """Streets that the card names, in the order of the walk: all must be on the map."""
    feared_stretches: list[Geometries]
    """Stretches of stops where pupils feel unsafe, each as its parts."""
    feared_points: NDArray[np.float64]
    """(n, 2) stopping places of other hotspots near the route that are due mainly to reports."""
    outlines: list[NDArray[np.float64]]
    """(v, 2) edges of designated polygons with a stop of the patrol."""
    shows_steps: bool
    passages: frozenset[str]
    """Bridges and passages on the route, see `patrolplan.inputs.osm_tags.Passage`."""
    grid_lines: list[GridLine]

    @cached_property
    def route(self) -> BaseGeometry:
        """All legs as one shape, prepared for fast tests; empty without any."""
        whole = shapely.union_all([leg.shape for leg in self.legs])
        shapely.prepare(whole)
        return whole

    @cached_property
    def band(self) -> BaseGeometry | None:
        """The stretches with their width on the map; None without any."""
        return symbols.build_band(self.stretches, STRETCH_WIDTH)

    @cached_property
    def streets(self) -> list[ShownStreet]:
        """Streets in the window that have a name."""
        return list_streets(self.network, self.pieces, self.viewport)

    @property
    def gate(self) -> shapely.Point:
        """Position of the gate, on the map or beyond it."""
        return shapely.Point(self.viewport.to_page(np.array([(self.patrol.x, self.patrol.y)]))[0])

    @cached_property
    def marker_boxes(self) -> Boxes:
        """(n, 5) boxes of the signs."""
        sides = [
            symbols.CROSS_SIDE + 4.0 if kind == "keep_away" else 2 * symbols.STOP_RADIUS + 2.5
            for kind in self.marker_kinds
        ]
        return build_level_boxes(self.marker_centres, np.array(sides).reshape(-1, 1))


def fit_patrol_viewport(plan: Plan, patrol: Patrol, width: float, height: float) -> Viewport:
    """The window that shows a whole patrol on a map of this width and height in points."""
    network = plan.area.network.walkable
    stretches = _select_hotspots(plan.hotspots, patrol.covered).geometry.to_numpy()
    near = [shapely.Point(barred.point) for barred in find_near_keep_away(patrol)]
    content = [shapely.get_coordinates([_trace_walk(patrol), *stretches, *near])]

    def fit(content: list[NDArray[np.float64]]) -> Viewport:
        return fit_viewport(
            content,
            width=width,
            height=height,
            padding=PADDING,
            min_extent_metres=MIN_EXTENT_METRES if patrol.stops else MIN_GATE_EXTENT_METRES,
            street_bounds=network.bounds,
        )

    viewport = fit(content)
    # A street that only describes where a stop is may be outside.
    crossing = _find_stop_streets(network, patrol)
    inside = viewport.contains(viewport.to_page(crossing), margin=STREET_EDGE_MARGIN)
    return viewport if inside.all() else fit([*content, crossing[~inside]])


def find_near_keep_away(patrol: Patrol) -> list[BarredPlace]:
    """Places to keep away from that an officer on this patrol might come to."""
    walk = _trace_walk(patrol)
    return [
        barred
        for barred in patrol.keep_away
        if walk.distance(shapely.Point(barred.point)) <= KEEP_AWAY_METRES
    ]


def _trace_walk(patrol: Patrol) -> BaseGeometry:
    """Gate, stops and legs as one shape, in metres."""
    lines = [shapely.LineString(leg.line) for _, leg in _select_drawn_legs(patrol)]
    return shapely.union_all([shapely.MultiPoint(patrol.points), *lines])


def _find_stop_streets(network: StreetNetwork, patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres: the point nearest to the stop of each street in a stop's place."""
    points = [np.empty((0, 2))]
    for stop in patrol.stops:
        for name in _list_stop_streets(stop):
            own = network.pieces_by_name.get(name)
            if own is not None:
                street = shapely.multilinestrings(network.lines(own))
                nearest = shapely.shortest_line(street, shapely.Point(stop.point))
                points.append(shapely.get_coordinates(nearest)[:1])
    return np.concatenate(points)


def _list_stop_streets(stop: Stop) -> list[str]:
    """Streets that describe where a stop is; a bus stop's name may be of a street far away."""
    joins = [stop.at] if stop.stand == "junction" else []
    return [*stop.place.split(STOP_PLACE_SEPARATOR), stop.street, *joins]


def _list_named_streets(network: StreetNetwork, patrol: Patrol) -> list[str]:
    """Streets that directions or stops name, in the order of the walk, without duplicates."""
    mentioned: list[str] = []
    for number, leg in enumerate(patrol.legs):
        for step in leg.steps:
            mentioned += [step.street, *(crossing.road for crossing in step.crossings)]
        for stop in patrol.stops[number:][:1]:
            mentioned += _list_stop_streets(stop)
    return [name for name in dict.fromkeys(mentioned) if name in network.pieces_by_name]


def collect_map_content(viewport: Viewport, plan: Plan, patrol: Patrol) -> MapContent:
    """Collect everything of a patrol in the window, in points of the page."""
    network, hotspots = plan.area.network.walkable, plan.hotspots
    features = select_visible_features(plan.area.features, viewport)
    pieces = find_visible_pieces(network, viewport)
    rows = _select_drawn_legs(patrol)
    legs = [leg for _, leg in rows]
    drawn = route.separate_legs([viewport.to_page(leg.line) for leg in legs])
    walked = _find_walked_pieces(network, pieces, legs)
    kinds, texts, xy = _list_markers(patrol)
    points = viewport.to_page(xy)
    on_map = np.flatnonzero(viewport.contains(points, margin=MARKER_EDGE_MARGIN)).tolist()
    kinds = [kinds[row] for row in on_map]
    # The gate is not moved; crosses are moved only for the gate and for each other.
    fixed = sum(kind in {"gate", "keep_away"} for kind in kinds)
    stretches = _select_hotspots(hotspots, patrol.covered).geometry.to_numpy()
    return MapContent(
        patrol=patrol,
        network=network,
        features=features,
        point_symbols={
            **{kind: find_symbols(features, viewport, kind) for kind in SYMBOL_STYLES},
            **_find_crossings(network, walked, viewport),
        },
        viewport=viewport,
        pieces=pieces,
        stretches=viewport.clip_to_page(stretches),
        legs=drawn,
        leg_labels=[name for name, _ in rows],
        pushed=[part for pair in zip(legs, drawn, strict=True) for part in route.cut_pushed(*pair)],
        marker_kinds=kinds,
        marker_texts=[texts[row] for row in on_map],
        marker_centres=route.separate_points(points[on_map], MIN_MARKER_GAP, fixed=fixed),
        marker_true_points=points[on_map],
        named_streets=_list_named_streets(network, patrol),
        feared_stretches=_find_feared_stretches(viewport, hotspots, patrol),
        feared_points=_find_feared_points(viewport, hotspots, patrol),
        outlines=_find_outlines(viewport, plan, patrol),
        shows_steps=bool((network.piece_highway[pieces] == "steps").any()),
        passages=frozenset(network.piece_passage[walked]) - {""},
        grid_lines=build_grid_lines(viewport, plan.area.settings.area.crs),
    )


def _find_walked_pieces(
    network: StreetNetwork, pieces: NDArray[np.int64], legs: Iterable[Leg]
) -> NDArray[np.int64]:
    """The pieces that legs follow or cross, by their lines: legs from a file have no pieces."""
    walk = shapely.union_all([shapely.LineString(leg.line) for leg in legs])
    shapely.prepare(walk)
    middles = shapely.points(network.piece_middle[pieces])
    return np.asarray(pieces[shapely.dwithin(walk, middles, ON_WALK_METRES)])


def _find_crossings(
    network: StreetNetwork, walked: NDArray[np.int64], viewport: Viewport
) -> dict[str, tuple[NDArray[np.object_], NDArray[np.float64]]]:
    """Crossings on the walk with lights or zebras, as symbols; nearby ones are merged."""
    found = {}
    for kind in CROSSING_SIGNS:
        own = walked[network.piece_crossing[walked] == kind]
        points = viewport.to_page(network.piece_middle[own])
        points = points[viewport.contains(points, margin=SYMBOL_EDGE_MARGIN)]
        near = route.measure_apart(points, points) < CROSSING_GAP
        shown = points[~np.tril(near, -1).any(axis=1)]
        found[kind] = np.full(len(shown), "", dtype=object), shown
    return found


def _find_feared_stretches(
    viewport: Viewport, hotspots: gpd.GeoDataFrame, patrol: Patrol
) -> list[Geometries]:
    """Stretches of stops that have pupils' reports as a reason, in points of the page."""
    stretches = []
    for stop in patrol.stops:
        if stop.kind != "tasked" and is_feared(stop.why):
            own = _select_hotspots(hotspots, (stop.hotspot,))
            feared = own[[is_feared(reasons) for reasons in list_reasons(own)]]
            shapes = (feared if len(feared) else own).geometry.to_numpy()
            lines = merge_lines(shapely.get_parts(viewport.clip_to_page(shapes, margin=0.0)))
            stretches += [lines] if len(lines) else []
    return stretches


def _find_outlines(viewport: Viewport, plan: Plan, patrol: Patrol) -> list[NDArray[np.float64]]:
    """Edges of designated polygons with a stop, in points of the page."""
    designated = plan.area.designated
    if designated is None:
        return []
    own = designated[designated["place_id"].isin(patrol.hotspots)]
    edges = shapely.get_parts(shapely.boundary(own.geometry.to_numpy()))
    parts = shapely.get_parts(viewport.clip_to_page(edges))
    return [shapely.get_coordinates(line) for line in parts]


def _find_feared_points(
    viewport: Viewport, hotspots: gpd.GeoDataFrame, patrol: Patrol
) -> NDArray[np.float64]:
    """Stopping places, in points of the page, of nearby hotspots that are due mainly to reports."""
    others = hotspots[hotspots["mainly_reports"] & ~hotspots["hotspot"].isin(patrol.covered)]
    near = others[others.distance(_trace_walk(patrol)) <= FEARED_METRES]
    points = viewport.to_page(near[["stop_x", "stop_y"]].to_numpy())
    return points[viewport.contains(points, margin=MARKER_EDGE_MARGIN)]


def find_shown_keep_away(viewport: Viewport, patrol: Patrol) -> list[BarredPlace]:
    """Places to keep away from that are crosses on the map of this window, in their order."""
    xy = np.array([place.point for place in patrol.keep_away]).reshape(-1, 2)
    shown = viewport.contains(viewport.to_page(xy), margin=MARKER_EDGE_MARGIN)
    return [place for place, is_on_map in zip(patrol.keep_away, shown, strict=True) if is_on_map]


def _list_markers(
    patrol: Patrol,
) -> tuple[list[symbols.MarkerKind], list[str], NDArray[np.float64]]:
    """Kinds and texts of a patrol's signs, and their places in (n, 2) metres: the gate first."""
    markers: list[tuple[symbols.MarkerKind, str, tuple[float, float]]] = [
        ("gate", "G", patrol.point)
    ]
    markers += [("keep_away", symbols.KEEP_AWAY_TEXT, bar.point) for bar in patrol.keep_away]
    markers += [
        ("stop" if stop.tasking is None else "tasked", str(number), stop.point)
        for number, stop in enumerate(patrol.stops, 1)
    ]
    kinds, texts, points = zip(*markers, strict=True)
    return list(kinds), list(texts), np.array(points)


def _select_drawn_legs(patrol: Patrol) -> list[tuple[str, Leg]]:
    """Legs that have a length, each with its tag."""
    names = (format_leg_name(patrol, number) for number in range(len(patrol.legs)))
    return [row for row in zip(names, patrol.legs, strict=True) if len(row[1].line) > 1]


def _select_hotspots(hotspots: gpd.GeoDataFrame, wanted: Iterable[str]) -> gpd.GeoDataFrame:
    """The hotspots with these ids."""
    return hotspots[hotspots["hotspot"].isin(list(wanted))]
