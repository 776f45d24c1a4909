"""A key of streets: where a name finds no place on the map, a letter stands in its stead.

The letter is in a small box on the street, or joined to it by a line; below the map a line of the
key says which street it is. Letters are small ones, in the order of the walk, and look like
neither the numbers of stops nor the capital letters of gate and base.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.outputs.cartography.labels import LabelCandidates, build_level_boxes
from patrolplan.outputs.cartography.place_names import MAX_ROUTE_DISTANCE, MapLabel
from patrolplan.text import shorten

LETTERS = "abcdefghjkmnpqrstuvwxyz"
"""Without i, l and o, which could be numbers."""
LONGEST_KEYED_NAME = 80
"""Letters of a name in the key."""
LETTER_SIZE = 8.5
BOX_SIDE = 11.5
LETTER_WIDTH = 5.0
"""Points by which a second letter widens the box."""
SAMPLE_SPACING = 4.0
"""Points between places tried along the street."""
MAX_SAMPLES = 40
OFFSETS = (0.0, 9.0, -9.0)
"""Points from the middle of the street."""
LEADER_LENGTHS = (17.0, 26.0, 38.0, 52.0)
LEADER_COST = 20.0
ON_ROUTE_COST = 5.0
"""How much worse a letter is that hides some of the route."""


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
    """Letters for these streets, in their order.

    Examples
    --------
    >>> [street.letter for street in key_streets(["Mill Lane", "Church Walk"])]
    ['a', 'b']
    """
    return [KeyedStreet(_format_letter(number), name) for number, name in enumerate(names)]


def _format_letter(number: int) -> str:
    """The letter of this number from 0 on; two letters where one is not enough."""
    first, last = divmod(number, len(LETTERS))
    return (LETTERS[first - 1] if first else "") + LETTERS[last]


def build_key_label(
    street: KeyedStreet,
    lines: NDArray[np.object_],
    *,
    route: BaseGeometry,
    covered: BaseGeometry,
) -> MapLabel:
    """The letter of a street on one of its lines, next to it, or with a line that leads to it.

    `lines` are the street in points of the page, `covered` is what lies over streets, to which no
    line may lead.
    """
    spots, normals = _sample_street(lines, route)
    seen = ~shapely.intersects_xy(covered, spots)
    if seen.any():
        spots, normals = spots[seen], normals[seen]
    away = np.zeros(len(spots))
    if not route.is_empty:
        away = 0.2 * shapely.distance(shapely.points(spots), route)
    middles = [spots + offset * normals for offset in OFFSETS]
    costs = [away + 2.0 * (offset != 0) for offset in OFFSETS]
    turns = np.radians(np.arange(0.0, 360.0, 45.0))
    around = np.column_stack([np.cos(turns), np.sin(turns)])
    for length in LEADER_LENGTHS:
        for direction in around:
            middles.append(spots + length * direction)
            costs.append(away + LEADER_COST + 0.3 * length)
    size = (BOX_SIDE + LETTER_WIDTH * (len(street.letter) - 1), BOX_SIDE)
    boxes = build_level_boxes(np.concatenate(middles), size)
    hides = shapely.distance(shapely.points(boxes[:, :2]), route) < BOX_SIDE / 2
    cost = np.concatenate(costs) + ON_ROUTE_COST * hides
    candidates = LabelCandidates(f"key {street.name}", boxes, cost, min_gap=np.inf)
    ends = np.tile(spots, (len(middles), 1))
    return MapLabel(
        street.letter,
        LETTER_SIZE,
        bold=True,
        colour="black",
        candidates=candidates,
        kind="key",
        plate_colour="black",
        leader_ends=ends,
    )


def _sample_street(
    lines: NDArray[np.object_], route: BaseGeometry
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, 2) points on a street, near the route if any are, and the unit normals there."""
    all_spots, all_normals = [], []
    for line in lines:
        length = float(line.length)
        at = np.linspace(0.0, length, 2 * max(1, round(length / SAMPLE_SPACING / 2)) + 1)
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
    return spots[::step], normals[::step]
