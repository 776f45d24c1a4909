"""Where words go on a map: upright, next to what they name, never on each other.

Everything is in points of the page (1/72 inch), x to the right and y upwards. A box is a row
`(x, y, width, height, angle)`: its middle, its size, and degrees turned anticlockwise.

How labels find their places. Each label comes with candidates: boxes where it could stand, each
with a cost (how far from ideal that is). `place_labels` goes through the labels in order of
importance and gives each its cheapest candidate that is free, that is: inside the map, clear of
what is blocked, and clear of every label placed before. Nothing is moved afterwards.

A greedy choice with costs is enough, and is what a map needs. The best arrangement of all labels
is a hard problem (it contains maximum independent set), while a map has a clear order of
importance: an unimportant name must never displace an important one. Two labels cannot overlap,
because each is tested against all earlier ones. Where the order would leave out a label that must
be on the map, the caller tries other orders, see `card_map`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

Boxes = NDArray[np.float64]
NO_BOXES: Boxes = np.empty((0, 5))

CANDIDATE_SPACING = 5.0
"""Points between two places tried along a line."""
LABEL_EDGE_MARGIN = 2.0
"""Points between a label and the edge of the map."""
BEND_SAMPLES = 7
"""Where along a label its line is compared with the label's straight base."""
CANDIDATES_AT_ONCE = 48
"""Places that are looked at together."""
AVOIDED_COST = 8.0
"""Added to the cost of a place on ground that is to be avoided."""
LINE_WIDTH = 3.0
"""Points that a line from a label takes, with some room on both sides."""


@dataclass(frozen=True, eq=False)
class LabelCandidates:
    """The places that would do for a label."""

    key: str
    """What the label names; a shorter text for the same key can stand in where the full name finds
    no place."""
    boxes: Boxes
    """(n, 5)"""
    costs: NDArray[np.float64]
    """(n,) how much worse than ideal each place is."""
    max_count: int = 1
    """How often the label may stand on the map."""
    min_gap: float = 220.0
    """Points between the middles of two labels of one key."""
    blocked: BaseGeometry | None = None
    """What the label must not touch besides other labels."""


def build_level_boxes(middles: NDArray[np.float64], size: ArrayLike) -> Boxes:
    """(n, 5) boxes that are not turned, of one size `(width, height)` or a size each."""
    sizes = np.broadcast_to(size, (len(middles), 2))
    return np.column_stack([middles, sizes, np.zeros(len(middles))])


def build_line_boxes(begins: NDArray[np.float64], ends: NDArray[np.float64]) -> Boxes:
    """(n, 5) boxes along lines, each from one point to another, as wide as words keep clear."""
    x, y = (ends - begins).T
    sizes = np.column_stack([np.hypot(x, y), np.full(len(x), LINE_WIDTH)])
    return np.column_stack([(begins + ends) / 2, sizes, np.degrees(np.arctan2(y, x))])


def compute_corners(boxes: Boxes) -> NDArray[np.float64]:
    """(n, 4, 2) corners of boxes, anticlockwise."""
    turned = np.radians(boxes[:, 4])
    along = np.column_stack([np.cos(turned), np.sin(turned)]) * boxes[:, 2:3] / 2
    across = np.column_stack([-np.sin(turned), np.cos(turned)]) * boxes[:, 3:4] / 2
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    places = [boxes[:, :2] + a * along + b * across for a, b in signs]
    return np.stack(places, axis=1)


def find_overlaps(first: Boxes, second: Boxes) -> NDArray[np.bool_]:
    """(n, m) which boxes of two sets overlap.

    By the separating axis theorem: two convex shapes are apart exactly where their shadows on the
    normal of one of their sides are. A box has two such axes, so that each pair has four to test.

    Examples
    --------
    >>> flat = np.array([[0.0, 0.0, 10.0, 2.0, 0.0]])
    >>> find_overlaps(flat, np.array([[0.0, 4.0, 10.0, 2.0, 0.0], [0.0, 4.0, 10.0, 2.0, 90.0]]))
    array([[False,  True]])
    """
    gap = second[None, :, :2] - first[:, None, :2]
    parted = np.zeros(gap.shape[:2], dtype=bool)
    for own, other, own_first in ((first, second, True), (second, first, False)):
        for side in (0.0, 90.0):
            turned = np.radians(own[:, 4] + side)
            axis = np.column_stack([np.cos(turned), np.sin(turned)])
            reach = own[:, 2 if side == 0 else 3] / 2
            between = np.radians(own[:, 4][:, None] + side - other[:, 4][None, :])
            shade = np.abs(np.cos(between)) * other[:, 2] + np.abs(np.sin(between)) * other[:, 3]
            need = reach[:, None] + shade / 2
            apart = np.einsum("nmk,nk->nm" if own_first else "nmk,mk->nm", gap, axis)
            parted |= np.abs(apart) >= (need if own_first else need.T)
    return ~parted


def make_upright(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees turned so that a label is read from the left, or from below when it stands.

    Examples
    --------
    >>> make_upright(np.array([10.0, 100.0, -90.0, 180.0]))
    array([ 10., -80.,  90.,   0.])
    """
    return 90.0 - np.mod(90.0 - angle, 180.0)


def find_places_along_line(
    line: NDArray[np.float64],
    width: float,
    height: float,
    *,
    offsets: Sequence[float] = (0.0,),
    max_bend: float = 2.0,
    max_length_ratio: float = 1.0,
) -> tuple[Boxes, NDArray[np.float64]]:
    """Places for a label of this size along a (v, 2) line: (n, 5) boxes and their (n,) costs.

    The middle of the line and straight stretches cost least. `offsets` are distances of the label
    from the line, to the left of it; `max_bend` is how many points the line may depart from the
    label's straight base, `max_length_ratio` how much longer than the line the label may be.
    """
    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    length = float(at[-1])
    if length < 1.0 or width > length * max_length_ratio:
        return NO_BOXES, np.empty(0)
    # For every middle tried, sample the line under the label and lay a straight base between the
    # first and last sample: its direction is the label's; `sag` is how far the line leaves it.
    half = min(width, length) / 2
    middle = np.linspace(half, length - half, int((length - 2 * half) / CANDIDATE_SPACING) + 1)
    spots = middle[:, None] + np.linspace(-half, half, BEND_SAMPLES)[None, :]
    x, y = np.interp(spots, at, line[:, 0]), np.interp(spots, at, line[:, 1])
    base = np.column_stack([x[:, -1] - x[:, 0], y[:, -1] - y[:, 0]])
    unit = base / np.maximum(np.hypot(*base.T), 1e-9)[:, None]
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    away = unit[:, :1] * (y - y[:, :1]) - unit[:, 1:] * (x - x[:, :1])
    sag = np.ptp(away, axis=1)
    # The label stands half-way between the base and the line's furthest point from it.
    centre = np.column_stack([(x[:, 0] + x[:, -1]) / 2, (y[:, 0] + y[:, -1]) / 2])
    centre += (away.max(axis=1) + away.min(axis=1))[:, None] / 2 * normal
    cost = sag + 6 * np.abs(middle - length / 2) / length + 20 * max(0.0, width / length - 1)
    fits = sag <= max_bend
    angle = make_upright(np.degrees(np.arctan2(unit[:, 1], unit[:, 0])))
    boxes, costs = [], []
    for rank, distance in enumerate(offsets):
        level = build_level_boxes((centre + distance * normal)[fits], (width, height))
        boxes.append(np.column_stack([level[:, :4], angle[fits]]))
        costs.append(cost[fits] + rank)
    return np.concatenate(boxes), np.concatenate(costs)


SIDES = np.array(
    [(1, 0), (-1, 0), (0, -1), (0, 1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8)]
)
"""Where around a sign a label may stand, the best first; level with its right side is best."""
SLIDES = (0.0, 0.35, -0.35, 0.7, -0.7, 0.9, -0.9)
"""How far a label above or below a sign may slide sideways, in halves of its width."""


def find_places_around_point(
    x: float,
    y: float,
    size: tuple[float, float],
    *,
    radius: float,
    extra_distances: Sequence[float] = (0.0,),
    slide_distances: Sequence[float] = (),
) -> tuple[Boxes, NDArray[np.float64]]:
    """Places for a label around a sign of this radius: (n, 5) level boxes and their (n,) costs.

    They lie `extra_distances` points farther from the sign than its radius; at a higher cost,
    `slide_distances` points above and below it and slid sideways, for a long label near the edge
    of the map.
    """
    half = np.array(size) / 2
    offsets, costs = [], []
    for rank, extra in enumerate(extra_distances):
        # Level with the sign, only the way to the side counts; above and below, only the rise.
        offsets.append(np.sign(SIDES) * (half + (radius + extra) * np.abs(SIDES)))
        costs.append(np.arange(float(len(SIDES))) + 6.0 * rank)
    slid = [
        (shift * half[0], side * (radius + extra + half[1]))
        for extra in slide_distances
        for side in (-1, 1)
        for shift in SLIDES
    ]
    offsets.append(np.array(slid).reshape(-1, 2))
    costs.append(20.0 + np.arange(float(len(slid))))
    middles = np.concatenate(offsets) + np.array([x, y])
    return build_level_boxes(middles, size), np.concatenate(costs)


def place_labels(
    label_candidates: Sequence[LabelCandidates],
    *,
    width: float,
    height: float,
    occupied: Boxes | None = None,
    blocked: BaseGeometry | None = None,
    avoided: BaseGeometry | None = None,
) -> list[tuple[int, Boxes]]:
    """Choose places, label by label in their order, so that no two labels overlap.

    Labels stay inside a map of this width and height, clear of `occupied`, (k, 5) boxes that are
    in use already, and of what is `blocked`; they touch what is `avoided` only when there is no
    better place. Gives the number of the label and its (5,) box for every label with a place.
    """
    used = NO_BOXES if occupied is None else occupied
    for shape in (blocked, avoided, *(label.blocked for label in label_candidates)):
        if shape is not None:
            shapely.prepare(shape)
    placed: list[tuple[int, Boxes]] = []
    placed_by_key: dict[str, list[Boxes]] = {}
    for number, label in enumerate(label_candidates):
        same_key = placed_by_key.setdefault(label.key, [])
        for _ in range(label.max_count):
            best = _choose_box(label, (width, height), used, same_key, blocked, avoided)
            if best is None:
                break
            same_key.append(best)
            placed.append((number, best))
            used = np.vstack([used, best])
    return placed


def _choose_box(
    candidates: LabelCandidates,
    size: tuple[float, float],
    used: Boxes,
    same_key: Sequence[Boxes],
    blocked: BaseGeometry | None,
    avoided: BaseGeometry | None,
) -> Boxes | None:
    """The cheapest place that is free; of equally cheap ones the first.

    Places are looked at in the order of their costs, some at a time. What is avoided only adds to
    them, so the search ends where all further places cost more than the best one found.
    """
    order = np.argsort(candidates.costs, kind="stable")
    best: tuple[float, int] | None = None
    for start in range(0, len(order), CANDIDATES_AT_ONCE):
        rows = order[start : start + CANDIDATES_AT_ONCE]
        if best is not None and candidates.costs[rows[0]] > best[0]:
            break
        rows = rows[~find_overlaps(candidates.boxes[rows], used).any(axis=1)]
        for other in same_key:
            away = np.hypot(*(candidates.boxes[rows, :2] - other[:2]).T)
            rows = rows[away >= candidates.min_gap]
        rows, costs = _filter_candidates(candidates, rows, size, blocked, avoided)
        found = [(float(cost), int(row)) for cost, row in zip(costs, rows, strict=True)]
        best = min(found if best is None else [best, *found], default=None)
    return None if best is None else candidates.boxes[best[1]]


def _filter_candidates(
    candidates: LabelCandidates,
    rows: NDArray[np.int64],
    size: tuple[float, float],
    blocked: BaseGeometry | None,
    avoided: BaseGeometry | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Those of the rows inside the map that touch nothing blocked, and their costs."""
    edges = compute_corners(candidates.boxes[rows])
    inside = (edges >= LABEL_EDGE_MARGIN) & (edges <= np.array(size) - LABEL_EDGE_MARGIN)
    on_map = inside.all(axis=(1, 2))
    rows, shapes = rows[on_map], shapely.polygons(edges[on_map])
    for shape in (blocked, candidates.blocked):
        if shape is not None:
            clear = ~shapely.intersects(shape, shapes)
            rows, shapes = rows[clear], shapes[clear]
    costs = candidates.costs[rows]
    if avoided is not None:
        costs = costs + AVOIDED_COST * shapely.intersects(avoided, shapes)
    return rows, costs
