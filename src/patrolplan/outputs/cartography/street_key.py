"""Streets whose name does not fit on them: a name with a leader line, otherwise a letter.

A letter is on the street or has a line to it, and a key below the map has the names. Letters are
lower case, so they are no capital of the gate; none looks like a number of a stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.fonts import make_printable, measure_label
from patrolplan.outputs.cartography.labels import (
    NAME_SIZE,
    Boxes,
    MapLabel,
    build_level_boxes,
    build_line_boxes,
    find_overlaps,
)
from patrolplan.outputs.cartography.place_names import MAX_ROUTE_DISTANCE, ShownStreet
from patrolplan.text import shorten

LETTERS = "abcdefghjkmnpqrstuvwxyz"  # Without i, l and o, which could be numbers
LONGEST_KEYED_NAME = 80  # Maximum letters of a name in the key
LETTER_SIZE = 8.5
BOX_SIDE = 11.5
LETTER_WIDTH = 5.0  # Extra width of the box for a second letter, in points
SAMPLE_SPACING = 4.0  # Points between two candidate places along the street
MAX_SAMPLES = 40
OFFSETS = (0.0, 9.0, -9.0)  # Points from the middle of the street
LEADER_LENGTHS = (17.0, 26.0, 38.0, 52.0)
LEADER_COST = 20.0
AROUND = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0) if x or y])
AROUND /= np.hypot(*AROUND.T)[:, None]
"""(8, 2) directions of leader lines from a street."""
CLEAR_OF_STREET = 5.0  # Points from a street's middle where its leader line crosses only it
CROSSING_COST = 25.0  # Cost of a name whose leader line crosses the route
MAX_NAME_SPOTS = 10
NAME_PADDING = 5.0
LEADER_PLATE = "#505050"
ON_ROUTE_COST = 5.0  # Cost of a letter that covers part of the route


@dataclass(frozen=True)
class KeyedStreet:
    """A street of the key."""

    letter: str
    name: str

    @property
    def text(self) -> str:
        """Its name as printed."""
        return shorten(make_printable(self.name), LONGEST_KEYED_NAME)


def key_streets(names: Sequence[str]) -> list[KeyedStreet]:
    """Letters for these streets, in their order; two letters if one is not enough."""
    letters = (*LETTERS, *map("".join, product(LETTERS, repeat=2)))
    return [KeyedStreet(*row) for row in zip(letters, names, strict=False)]


def build_leader_label(
    street: ShownStreet,
    *,
    route: BaseGeometry,
    covered: BaseGeometry,
    occupied: Boxes,
    walked: bool,
) -> MapLabel:
    """The name of a street away from it, with a leader line that crosses no `occupied` box."""
    text = make_printable(street.name)
    extent = np.add(measure_label(text, NAME_SIZE, bold=walked), NAME_PADDING) - (
        0,
        NAME_PADDING / 2,
    )
    spots, _ = _sample_street(street.lines, route, covered)
    spots = spots[:: -(-len(spots) // MAX_NAME_SPOTS)]
    rows = np.indices((len(spots), len(AROUND), len(LEADER_LENGTHS))).reshape(3, -1)
    spot, ahead, length = spots[rows[0]], AROUND[rows[1]], np.array(LEADER_LENGTHS)[rows[2]]
    middles = spot + length[:, None] * ahead + np.sign(ahead.round(6)) * extent / 2
    gone = middles - spot
    begins = spot + CLEAR_OF_STREET * gone / np.hypot(*gone.T)[:, None]
    lines = shapely.linestrings(np.stack([begins, middles], axis=1))
    costs = 0.3 * length + CROSSING_COST * shapely.intersects(route, lines)
    is_free = ~find_overlaps(build_line_boxes(begins, middles), occupied).any(axis=1)
    boxes = build_level_boxes(middles[is_free], extent)
    return MapLabel(
        text,
        street.name,
        boxes,
        costs[is_free],
        bold=walked,
        kind="route_street",
        plate_colour=LEADER_PLATE,
        leader_ends=spot[is_free],
    )


def build_key_label(
    street: KeyedStreet, lines: NDArray[np.object_], *, route: BaseGeometry, covered: BaseGeometry
) -> MapLabel:
    """The letter of a street on it, next to it, or with a line that ends where it is seen."""
    spots, normals = _sample_street(lines, route, covered)
    away = np.nan_to_num(0.2 * shapely.distance(shapely.points(spots), route))
    middles = [spots + offset * normals for offset in OFFSETS]
    costs = [away + 2.0 * (offset != 0) for offset in OFFSETS]
    for length, direction in product(LEADER_LENGTHS, AROUND):
        middles.append(spots + length * direction)
        costs.append(away + LEADER_COST + 0.3 * length)
    size = (BOX_SIDE + LETTER_WIDTH * (len(street.letter) - 1), BOX_SIDE)
    boxes = build_level_boxes(np.concatenate(middles), size)
    hides = shapely.distance(shapely.points(boxes[:, :2]), route) < BOX_SIDE / 2
    cost = np.concatenate(costs) + ON_ROUTE_COST * hides
    return MapLabel(
        street.letter,
        f"key {street.name}",
        boxes,
        cost,
        LETTER_SIZE,
        bold=True,
        kind="key",
        plate_colour="black",
        leader_ends=np.tile(spots, (len(middles), 1)),
        min_gap=np.inf,
    )


def _sample_street(
    lines: NDArray[np.object_], route: BaseGeometry, covered: BaseGeometry
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, 2) points on a street, near the route and not covered if any are, and their normals."""
    all_spots, all_normals = [], []
    for line in lines:
        count = 2 * max(1, round(line.length / SAMPLE_SPACING / 2)) + 1
        at = np.linspace(0.0, line.length, count)
        xy = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
        ahead = np.gradient(xy, axis=0)
        ahead /= np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
        all_spots.append(xy)
        all_normals.append(np.column_stack([-ahead[:, 1], ahead[:, 0]]))
    spots, normals = np.concatenate(all_spots), np.concatenate(all_normals)
    if not route.is_empty:
        away = shapely.distance(shapely.points(spots), route)
        near = away <= max(MAX_ROUTE_DISTANCE / 3, float(away.min()))
        spots, normals = spots[near], normals[near]
    step = -(-len(spots) // MAX_SAMPLES)
    spots, normals = spots[::step], normals[::step]
    seen = ~shapely.intersects_xy(covered, spots)
    return (spots[seen], normals[seen]) if seen.any() else (spots, normals)
