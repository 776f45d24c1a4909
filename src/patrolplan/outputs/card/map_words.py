"""The words of a patrol's map: which of them are required, and where each is placed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography import grid, labels, place_names, route, street_key, symbols
from patrolplan.outputs.cartography.labels import (
    Boxes,
    LabelCandidates,
    build_level_boxes,
    build_line_boxes,
    find_places_around_point,
)
from patrolplan.outputs.cartography.map_content import MapContent
from patrolplan.outputs.cartography.place_names import NAME_SIZE, MapLabel, ShownStreet
from patrolplan.outputs.cartography.street_key import KeyedStreet
from patrolplan.outputs.cartography.symbols import FEARED_SIZE, FEARED_TEXT, ROUTE_WIDTH
from patrolplan.patrols.plan import Patrol

FEARED_OFFSETS = (13.5, -13.5, 0.0, 20.0, -20.0)
"""Points from a stretch to the sign that pupils feel unsafe there."""
FEARED_STEP = 6.0
"""Points along the stretch between two candidate places."""

PlacedLabel = tuple[MapLabel, Boxes]
"""A label and its (5,) box."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Everything that words must keep clear of."""

    content: MapContent
    occupied: Boxes
    """(n, 5) of signs, symbols and north arrow."""
    covered: BaseGeometry
    """What covers streets."""
    band: BaseGeometry | None
    """The stretches, which words overlap only if there is no other place."""

    @property
    def route(self) -> BaseGeometry:
        """All legs as one shape."""
        return self.content.route

    @cached_property
    def route_area(self) -> BaseGeometry:
        """The route with its width on the map."""
        return self.route.buffer(ROUTE_WIDTH + 0.8)


@dataclass(frozen=True, eq=False)
class NeededWords:
    """The required words of a map, placed."""

    placed: list[PlacedLabel]
    keyed: list[KeyedStreet]
    """Streets that have a letter."""
    lacking: int
    """Number of words without a place."""


def survey_map(content: MapContent) -> Ground:
    """Find what the words of a map must keep clear of."""
    viewport = content.viewport
    north = symbols.place_north_arrow(viewport, content.marker_boxes)
    furniture = symbols.compute_north_arrow_box(viewport, north)
    points = np.concatenate([points for _, points in content.point_symbols.values()])
    corners = labels.compute_corners(furniture)
    return Ground(
        content=content,
        occupied=np.vstack([content.marker_boxes, build_level_boxes(points, 7.0), furniture]),
        covered=shapely.union_all([content.marker_area, *shapely.polygons(corners)]),
        band=content.band,
    )


def place_needed_words(ground: Ground) -> NeededWords:
    """Place the required words: titles, streets that the card names, tags, feared places.

    A street whose name does not fit gets a letter. Streets are placed before the legs' tags, which
    are small and fit almost anywhere; if something would be missing, the tags are placed first, or
    away from their leg with a leader line to it.
    """
    content = ground.content
    shown = [street for street in content.streets if street.name in content.named_streets]
    streets = {street.name: street for street in shown}
    names = _keep_off_route(ground, _build_titles(ground) + _build_route_labels(ground, shown))
    tried = []
    tags = route.build_leg_labels(content.legs, content.leg_labels)
    for leaders, tags_first in product((False, True), repeat=2):
        if leaders and not tags_first:
            tags = tags + route.build_leader_labels(
                content.legs, content.leg_labels, covered=ground.covered
            )
        tried.append(_place_in_order(ground, streets, names, tags, tags_first=tags_first))
        if not tried[-1].lacking:
            break
    best = min(tried, key=lambda words: words.lacking)
    _place(ground, best.placed, _build_feared_labels(ground))
    return best


def place_other_words(ground: Ground, needed: Sequence[PlacedLabel]) -> list[PlacedLabel]:
    """The required words and all others that fit between them."""
    content, placed = ground.content, list(needed)
    viewport, features = content.viewport, content.features
    named = find_named_streets(placed) | set(content.named_streets)
    passed = {
        step.landmark.name
        for leg in content.patrol.legs
        for step in leg.steps
        if step.landmark is not None
    }
    near = shapely.union_all([ground.route, shapely.Point(content.gate)])
    signs = [
        label
        for kind in ("station_entrance", "bus_stop")
        for label in place_names.build_symbol_labels(
            kind, *content.point_symbols[kind], covered=ground.covered, near=near
        )
    ]
    streets = place_names.build_street_labels(content.streets)
    landmarks = [label for label in signs if label.text.replace("\n", " ") in passed]
    others = [
        *landmarks,
        *_repeat_names(placed),
        *(label for label in streets if label.candidates.key not in named),
        *place_names.build_area_labels(features, viewport),
        *(label for label in signs if label not in landmarks),
        *grid.build_grid_labels(content.grid_lines, viewport),
    ]
    _place(ground, placed, _keep_off_route(ground, others))
    return placed


def _build_titles(ground: Ground) -> list[MapLabel]:
    """Names of the school and of stations."""
    content = ground.content
    return [
        *place_names.build_school_labels(
            content.gate, content.patrol.school, radius=symbols.GATE_SIDE * 0.6
        ),
        *place_names.build_symbol_labels(
            "station", *content.point_symbols["station"], covered=ground.covered
        ),
    ]


def _build_route_labels(ground: Ground, streets: Sequence[ShownStreet]) -> list[MapLabel]:
    """Names of the streets that the card names, those that are walked first, then by length."""
    walked = list_walked_streets(ground.content.patrol)
    ranked = sorted(streets, key=lambda street: (street.name not in walked, -street.length))
    return place_names.build_route_labels(ranked, ground.route, walked=walked)


def list_walked_streets(patrol: Patrol) -> set[str]:
    """Streets that the directions follow."""
    return {step.street for leg in patrol.legs for step in leg.steps}


def _place_in_order(
    ground: Ground,
    streets: Mapping[str, ShownStreet],
    names: list[MapLabel],
    tags: list[MapLabel],
    *,
    tags_first: bool,
) -> NeededWords:
    """Place names on their street or with a leader, letters for the others, and tags."""
    placed: list[PlacedLabel] = []
    if tags_first:
        _place(ground, placed, tags)
    _place(ground, placed, names)
    wanted = _list_unnamed(ground, streets, placed)
    walked = list_walked_streets(ground.content.patrol)
    for name in wanted:
        _place_with_leader(ground, placed, streets[name], walked=name in walked)
    keyed = street_key.key_streets(_list_unnamed(ground, streets, placed))
    letters = [
        street_key.build_key_label(
            street, streets[street.name].lines, route=ground.route, covered=ground.covered
        )
        for street in keyed
    ]
    _place(ground, placed, letters)
    if not tags_first:
        _place(ground, placed, tags)
    on_map = {label.text for label, _ in placed if label.kind == "key"}
    found = [street for street in keyed if street.letter in on_map]
    lacking = len(keyed) - len(found) + len(ground.content.legs)
    lacking -= sum(label.kind == "leg" for label, _ in placed)
    return NeededWords(placed, found, lacking)


def _list_unnamed(
    ground: Ground, streets: Mapping[str, ShownStreet], placed: Sequence[PlacedLabel]
) -> list[str]:
    """Required streets that have no name here yet."""
    shown = find_named_streets(placed)
    return [name for name in ground.content.named_streets if name in streets and name not in shown]


def find_named_streets(placed: Sequence[PlacedLabel]) -> frozenset[str]:
    """Streets that the card names whose name is on the map."""
    return frozenset(label.candidates.key for label, _ in placed if label.kind == "route_street")


def _place_with_leader(
    ground: Ground, placed: list[PlacedLabel], street: ShownStreet, *, walked: bool
) -> None:
    """Add the street's name with a leader line, if it fits."""
    label = street_key.build_leader_label(
        street,
        route=ground.route,
        covered=ground.covered,
        occupied=_list_occupied(ground, placed),
        walked=walked,
    )
    _place(ground, placed, _keep_off_route(ground, [label]))


def _place(ground: Ground, placed: list[PlacedLabel], wanted: list[MapLabel]) -> None:
    """Add those of the labels that fit between the others."""
    placed += place_names.place_map_labels(
        wanted,
        ground.content.viewport,
        occupied=_list_occupied(ground, placed),
        avoided=ground.band,
    )


def _list_occupied(ground: Ground, placed: Sequence[PlacedLabel]) -> Boxes:
    """(n, 5) boxes of signs, of words, and of leader lines from words to streets."""
    boxes = np.array([box for _, box in placed]).reshape(-1, 5)
    ends = [label.find_leader_end(box) for label, box in placed]
    lines = [
        build_line_boxes(box[None, :2], end[None])
        for box, end in zip(boxes, ends, strict=True)
        if end is not None
    ]
    return np.vstack([ground.occupied, boxes, *lines])


def _keep_off_route(ground: Ground, wanted: list[MapLabel]) -> list[MapLabel]:
    area = ground.route_area
    return [replace(label, candidates=replace(label.candidates, blocked=area)) for label in wanted]


def _repeat_names(placed: list[PlacedLabel]) -> list[MapLabel]:
    """Labels that repeat names of long streets, far from their first place."""
    repeated = []
    for label, box in placed:
        candidates = label.candidates
        far = np.hypot(*(candidates.boxes[:, :2] - box[:2]).T) >= place_names.REPEAT_POINTS
        if label.kind == "route_street" and label.leader_ends is None and far.any():
            boxes, costs = candidates.boxes[far], candidates.costs[far]
            repeated.append(
                replace(label, candidates=replace(candidates, boxes=boxes, costs=costs))
            )
    return repeated


def _build_feared_labels(ground: Ground) -> list[MapLabel]:
    """Signs of places where pupils feel unsafe: stops' stretches first, then other hotspots."""
    signs = []
    for number, lines in enumerate(ground.content.feared_stretches):
        boxes, costs, _ = labels.find_places_along_lines(
            lines,
            np.tile((FEARED_STEP, FEARED_SIZE[1]), (len(lines), 1)),
            [labels.Placing(FEARED_OFFSETS, max_bend=2.0)],
            max_length_ratio=1.0,
        )
        signs.append(_build_feared_label(f"stop {number}", boxes[:, :2], costs))
    for number, (x, y) in enumerate(ground.content.feared_points.tolist()):
        around, costs = find_places_around_point(x, y, FEARED_SIZE, radius=1.0)
        middles = np.concatenate([[(x, y)], around[:, :2]])
        signs.append(_build_feared_label(f"other {number}", middles, np.append(-1.0, costs)))
    return _keep_off_route(ground, signs)


def _build_feared_label(
    key: str, middles: NDArray[np.float64], costs: NDArray[np.float64]
) -> MapLabel:
    boxes = build_level_boxes(middles, FEARED_SIZE)
    candidates = LabelCandidates(f"feared {key}", boxes, costs)
    return MapLabel(
        FEARED_TEXT, NAME_SIZE, bold=True, colour="black", candidates=candidates, kind="feared"
    )
