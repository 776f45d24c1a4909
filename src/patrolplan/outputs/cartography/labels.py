"""Positions of words on a map: upright, next to what they name, without overlaps.

Everything is in points of the page (1/72 inch), x to the right and y upwards. A box is a row
`(x, y, width, height, angle)`: its middle, its size, and degrees turned anticlockwise.

How labels are placed. Each label has candidates: possible boxes, each with a cost (how far from
ideal it is). `place_labels` goes through the labels in order of importance and gives each its
cheapest candidate that is free, that is, inside the map, clear of what is blocked, and clear of
every label placed before. No label is moved afterwards.

A greedy choice with costs is enough. The best arrangement of all labels is a hard problem (it
contains maximum independent set), while a map has a clear order of importance: an unimportant name
must never displace an important one. Two labels cannot overlap, because each is tested against all
earlier ones. If this order would leave out a required label, the caller tries other orders, see
`card_map`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.arrays import expand_ranges

Boxes = NDArray[np.float64]
NO_BOXES: Boxes = np.empty((0, 5))
NAME_SIZE = 8.0
CANDIDATE_SPACING = 5.0  # Points between two candidate places along a line
LABEL_EDGE_MARGIN = 2.0  # Points between a label and the edge of the map
BEND_SAMPLES = 7  # Points along a label where its line is compared with its straight base
AVOIDED_COST = 8.0  # Additional cost of a place on ground to avoid
LINE_WIDTH = 3.0  # Width in points of a leader line, with a margin on both sides
LabelKind = Literal["name", "route_street", "leg", "feared"]
"""The name of a street on the route, a leg's tag, a sign that pupils feel unsafe, another name."""


@dataclass(frozen=True, eq=False)
class MapLabel:
    """Words for the map, in one line or several, how they look, and their possible places."""

    text: str
    key: str  # What it names: a shorter text with the same key may stand for one that does not fit
    boxes: Boxes  # (n, 5)
    costs: NDArray[np.float64]  # (n,) how much worse than ideal each place is
    size: float = NAME_SIZE
    bold: bool = False
    colour: str = "black"
    kind: LabelKind = "name"
    plate_colour: str = ""  # Edge of its white plate; empty for names on the map itself
    leader_ends: NDArray[np.float64] | None = None  # (n, 2) ends of leader lines
    max_count: int = 1  # Maximum number of copies on the map
    min_gap: float = 220.0  # Minimum points between the middles of two with the same key
    blocked: BaseGeometry | None = None  # What it must not overlap, in addition to other labels

    def find_leader_end(self, box: Boxes) -> NDArray[np.float64] | None:
        """(2,) end of the leader line from the label in its (5,) box; None without one."""
        if self.leader_ends is None:
            return None
        return np.asarray(self.leader_ends[np.argmin(np.abs(self.boxes - box).sum(axis=1))])


PlacedLabel = tuple[MapLabel, Boxes]  # A label and its (5,) box


def build_level_boxes(middles: NDArray[np.float64], size: ArrayLike) -> Boxes:
    """(n, 5) unrotated boxes, of one size `(width, height)` or a size each."""
    boxes = np.zeros((len(middles), 5))
    boxes[:, :2], boxes[:, 2:4] = middles, size
    return boxes


def build_line_boxes(begins: NDArray[np.float64], ends: NDArray[np.float64]) -> Boxes:
    """(n, 5) boxes along lines from one point to another, with the margin that words need."""
    x, y = (ends - begins).T
    sizes = np.column_stack([np.hypot(x, y), np.full(len(x), LINE_WIDTH)])
    return np.column_stack([(begins + ends) / 2, sizes, np.degrees(np.arctan2(y, x))])


def compute_corners(boxes: Boxes) -> NDArray[np.float64]:
    """(n, 4, 2) corners of boxes, anticlockwise."""
    turned = np.radians(boxes[:, 4])
    cosine, sine = np.cos(turned), np.sin(turned)
    along = np.array([cosine, sine]) * boxes[:, 2] / 2
    across = np.array([-sine, cosine]) * boxes[:, 3] / 2
    middle, there, back = boxes[:, :2].T, along + across, along - across
    corners = [middle - there, middle + back, middle + there, middle - back]
    return np.array(corners).transpose(2, 0, 1)


def find_overlaps(first: Boxes, second: Boxes) -> NDArray[np.bool_]:
    """(n, m) which boxes of two sets overlap; level ones that only touch do not."""
    apart = np.abs(first[:, None, :2] - second[:, :2])
    is_level = (first[:, None, 4] == 0) & (second[:, 4] == 0)
    reach = (first[:, None, 2:4] + second[:, 2:4]) / 2
    overlap: NDArray[np.bool_] = is_level & (apart < reach).all(axis=2)
    own, other = (shapely.polygons(compute_corners(boxes)) for boxes in (first, second))
    column, row = shapely.STRtree(own).query(other, predicate="intersects")
    overlap[row, column] |= ~is_level[row, column]
    return overlap


def make_upright(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles in degrees so that a label reads from the left, or upwards if it is vertical."""
    return 90.0 - np.mod(90.0 - angle, 180.0)


@dataclass(frozen=True)
class Placing:
    """Possible positions of a label along a line."""

    offsets: tuple[float, ...]  # Distances of the label from the line, to the left of it
    max_bend: float  # Maximum points between the line and the label's straight base
    extra_cost: float = 0.0


def find_places_along_lines(
    lines: NDArray[np.object_],
    sizes: NDArray[np.float64],
    placings: Sequence[Placing],
    *,
    max_length_ratio: float,
) -> tuple[Boxes, NDArray[np.float64], NDArray[np.int64]]:
    """Places for labels of (k, 2) sizes along lines: (n, 5) boxes, (n,) costs and rows of lines."""
    length = shapely.length(lines)
    half = np.minimum(sizes[:, 0], length) / 2
    fits = (length >= 1.0) & (sizes[:, 0] <= length * max_length_ratio)
    spare = length - 2 * half
    counts = np.where(fits, (spare / CANDIDATE_SPACING).astype(np.int64) + 1, 0)
    row = np.repeat(np.arange(len(lines)), counts)
    step = (spare / np.maximum(counts - 1, 1))[row]
    at = half[row] + expand_ranges(np.zeros_like(counts), counts) * step
    spots = at[:, None] + np.linspace(-1.0, 1.0, BEND_SAMPLES) * half[row][:, None]
    points = shapely.line_interpolate_point(lines[row][:, None], spots.clip(min=0.0))
    xy = shapely.get_coordinates(points).reshape(*spots.shape, 2)
    # The base of a label is straight, from the first to the last sample of the line under it.
    base = xy[:, -1] - xy[:, 0]
    unit = base / np.maximum(np.hypot(*base.T), 1e-9)[:, None]
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    away = np.einsum("msd,md->ms", xy - xy[:, :1], normal)
    sag = np.ptp(away, axis=1)
    # The label is half-way between the base and the line's furthest point from it.
    bulge = (away.max(axis=1) + away.min(axis=1))[:, None] / 2
    centre = (xy[:, 0] + xy[:, -1]) / 2 + bulge * normal
    cost = sag + 6 * np.abs(at - length[row] / 2) / length[row]
    cost += 20 * np.maximum(0.0, sizes[row, 0] / length[row] - 1)
    angle = make_upright(np.degrees(np.arctan2(unit[:, 1], unit[:, 0])))
    boxes, costs, rows = [NO_BOXES], [np.empty(0)], [row[:0]]
    for placing in placings:
        fits = sag <= placing.max_bend
        for rank, distance in enumerate(placing.offsets):
            stands = build_level_boxes((centre + distance * normal)[fits], sizes[row[fits]])
            stands[:, 4] = angle[fits]
            boxes.append(stands)
            costs.append(cost[fits] + rank + placing.extra_cost)
            rows.append(row[fits])
    order = np.argsort(np.concatenate(rows), kind="stable")
    return np.concatenate(boxes)[order], np.concatenate(costs)[order], np.concatenate(rows)[order]


SIDES = np.array(
    [(1, 0), (-1, 0), (0, -1), (0, 1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8)]
)  # Positions of a label around a sign, the best first, which is right of it
SLIDES = (0.0, 0.35, -0.35, 0.7, -0.7, 0.9, -0.9)  # in halves of its width


def find_places_around_point(
    x: float,
    y: float,
    size: tuple[float, float],
    *,
    radius: float,
    extra_distances: Sequence[float] = (0.0,),
    slide_distances: Sequence[float] = (),
) -> tuple[Boxes, NDArray[np.float64]]:
    """(n, 5) horizontal boxes and (n,) costs for a label around a sign of this radius."""
    # Places above and below that are shifted sideways are for a long label near the map's edge.
    half = np.array(size) / 2
    # To the sides only the horizontal distance matters; above and below, only the vertical.
    reaches = [half + (radius + extra) * np.abs(SIDES) for extra in extra_distances]
    around = [np.sign(SIDES) * reach for reach in reaches]
    rises = [side * (radius + extra + half[1]) for extra in slide_distances for side in (-1, 1)]
    slid = [(shift * half[0], rise) for rise in rises for shift in SLIDES]
    costs = [np.arange(float(len(SIDES))) + 6.0 * rank for rank in range(len(around))]
    costs.append(20.0 + np.arange(float(len(slid))))
    middles = np.concatenate([*around, np.array(slid).reshape(-1, 2)])
    return build_level_boxes(middles + np.array([x, y]), size), np.concatenate(costs)


def place_labels(
    labels: Sequence[MapLabel],
    size: tuple[float, float],
    *,
    occupied: Boxes = NO_BOXES,
    avoided: BaseGeometry | None = None,
) -> list[PlacedLabel]:
    """Each label that finds a place, with its (5,) box, in their order; no two overlap."""
    for shape in (avoided, *(label.blocked for label in labels)):
        if shape is not None:
            shapely.prepare(shape)
    placed: list[PlacedLabel] = []
    for label in labels:
        for _ in range(label.max_count):
            same_key = [box for other, box in placed if other.key == label.key]
            best = _choose_box(label, size, occupied, same_key, avoided)
            if best is None:
                break
            placed.append((label, best))
            occupied = np.vstack([occupied, best])
    return placed


def _choose_box(
    label: MapLabel,
    size: tuple[float, float],
    used: Boxes,
    same_key: Sequence[Boxes],
    avoided: BaseGeometry | None,
) -> Boxes | None:
    """The cheapest free place; in a tie, the first."""
    if same_key and np.isinf(label.min_gap):
        return None
    corners = compute_corners(label.boxes)
    inside = (corners >= LABEL_EDGE_MARGIN) & (corners <= np.array(size) - LABEL_EDGE_MARGIN)
    rows = np.flatnonzero(inside.all(axis=(1, 2)))
    for other in same_key:
        away = np.hypot(*(label.boxes[rows, :2] - other[:2]).T)
        rows = rows[away >= label.min_gap]
    rows = rows[~find_overlaps(label.boxes[rows], used).any(axis=1)]
    shapes, costs = shapely.polygons(corners[rows]), label.costs[rows]
    if label.blocked is not None:
        clear = ~shapely.intersects(label.blocked, shapes)
        rows, shapes, costs = rows[clear], shapes[clear], costs[clear]
    if avoided is not None:
        costs = costs + AVOIDED_COST * shapely.intersects(avoided, shapes)
    return label.boxes[rows[np.argmin(costs)]] if len(rows) else None
