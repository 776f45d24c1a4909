"""Where words go on a map: upright, beside what they name, never on each other.

Everything is in points of the page (1/72 inch), x to the right and y upwards. A box is a row
`(x, y, width, height, angle)`: its middle, its size, and degrees turned anticlockwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Boxes = NDArray[np.float64]

CANDIDATE_SPACING = 5.0
"""Points between two places tried along a line."""
LABEL_EDGE_MARGIN = 2.0
"""Points between a label and the edge of the map."""
BEND_SAMPLES = 7
"""Where along a label its line is compared with the label's straight base."""


@dataclass(frozen=True, eq=False)
class LabelCandidates:
    """A label, and the places that would do for it.

    Parameters
    ----------
    key
        What the label names; labels of one key keep their distance, also from one wish to
        another, so that a shorter word can stand in where the full name finds no place.
    boxes, cost
        (n, 5) places that would do; (n,) how much worse than ideal each of them is.
    most
        How often the label may stand on the map.
    apart
        Points between two labels of one key.
    blocked
        What the label must not touch besides other labels.
    """

    key: str
    boxes: Boxes
    costs: NDArray[np.float64]
    max_count: int = 1
    min_gap: float = 220.0
    blocked: BaseGeometry | None = None


def compute_corners(boxes: Boxes) -> NDArray[np.float64]:
    """(n, 4, 2) corners of boxes, anticlockwise."""
    turned = np.radians(boxes[:, 4])
    along = np.column_stack([np.cos(turned), np.sin(turned)]) * boxes[:, 2:3] / 2
    across = np.column_stack([-np.sin(turned), np.cos(turned)]) * boxes[:, 3:4] / 2
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    places = [boxes[:, :2] + a * along + b * across for a, b in signs]
    return np.stack(places, axis=1)


def find_overlaps(first: Boxes, second: Boxes) -> NDArray[np.bool_]:
    """(n, m) which boxes of two sets overlap: no side of either parts them.

    Examples
    --------
    >>> flat = np.array([[0.0, 0.0, 10.0, 2.0, 0.0]])
    >>> find_overlaps(flat, np.array([[0.0, 4.0, 10.0, 2.0, 0.0], [0.0, 4.0, 10.0, 2.0, 90.0]]))
    array([[False,  True]])
    """
    gap = second[None, :, :2] - first[:, None, :2]
    parted = np.zeros(gap.shape[:2], dtype=bool)
    for own, other, sign in ((first, second, 1), (second, first, 0)):
        for side in (0.0, 90.0):
            turned = np.radians(own[:, 4] + side)
            axis = np.column_stack([np.cos(turned), np.sin(turned)])
            reach = own[:, 2 if side == 0 else 3] / 2
            between = np.radians(own[:, 4][:, None] + side - other[:, 4][None, :])
            shade = np.abs(np.cos(between)) * other[:, 2] + np.abs(np.sin(between)) * other[:, 3]
            need = reach[:, None] + shade / 2
            apart = np.einsum("nmk,nk->nm" if sign else "nmk,mk->nm", gap, axis)
            parted |= np.abs(apart) >= (need if sign else need.T)
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
    """Places for a label along a line.

    Parameters
    ----------
    line
        (v, 2) points of the page.
    width, height
        Of the label.
    beside
        Distances of the label's middle from the line, to the left of it; 0 is on the line.
    bend
        How far the line may run from the label's straight base.
    overhang
        How much longer than the line the label may be; 1 keeps it within.

    Returns
    -------
    boxes, cost
        (n, 5) and (n,): middles and straight stretches cost least.
    """
    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    length = float(at[-1])
    if length < 1.0 or width > length * max_length_ratio:
        return np.empty((0, 5)), np.empty(0)
    half = min(width, length) / 2
    middle = np.linspace(half, length - half, int((length - 2 * half) / CANDIDATE_SPACING) + 1)
    spots = middle[:, None] + np.linspace(-half, half, BEND_SAMPLES)[None, :]
    x, y = np.interp(spots, at, line[:, 0]), np.interp(spots, at, line[:, 1])
    base = np.column_stack([x[:, -1] - x[:, 0], y[:, -1] - y[:, 0]])
    reach = np.maximum(np.hypot(*base.T), 1e-9)
    unit = base / reach[:, None]
    away = unit[:, :1] * (y - y[:, :1]) - unit[:, 1:] * (x - x[:, :1])
    sag = np.ptp(away, axis=1)
    centre = np.column_stack([(x[:, 0] + x[:, -1]) / 2, (y[:, 0] + y[:, -1]) / 2])
    centre += (
        (away.max(axis=1) + away.min(axis=1))[:, None]
        / 2
        * np.column_stack([-unit[:, 1], unit[:, 0]])
    )
    fits = sag <= max_bend
    angle = np.degrees(np.arctan2(unit[:, 1], unit[:, 0]))
    cost = sag + 6 * np.abs(middle - length / 2) / length + 20 * max(0.0, width / length - 1)
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    boxes, costs = [], []
    for rank, distance in enumerate(offsets):
        shifted = (centre + distance * normal)[fits]
        size = np.full((len(shifted), 2), (width, height))
        boxes.append(np.column_stack([shifted, size, make_upright(angle[fits])]))
        costs.append(cost[fits] + rank)
    return np.concatenate(boxes), np.concatenate(costs)


SIDES = np.array(
    [(1, 0), (-1, 0), (0, -1), (0, 1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8)]
)
"""Where around a sign a label may stand, the best first; level with its right side is best."""


def find_places_around_point(
    x: float,
    y: float,
    size: tuple[float, float],
    *,
    radius: float,
    extra_distances: Sequence[float] = (0.0,),
) -> tuple[Boxes, NDArray[np.float64]]:
    """Level places for a label of this width and height around a sign of this radius.

    Returns
    -------
    boxes, cost
        (n, 5) and (n,), close to the sign and so many points `farther` from it.
    """
    places, costs = [], []
    for rank, more in enumerate(extra_distances):
        reach = np.array(size) / 2 + (radius + more) * np.abs(SIDES)
        # Level with the sign, only the way to the side counts; above and below, only the rise.
        offsets = np.sign(SIDES) * reach
        places.append(offsets + np.array([x, y]))
        costs.append(np.arange(float(len(SIDES))) + 6.0 * rank)
    middle = np.concatenate(places)
    sizes = np.full((len(middle), 2), size)
    return np.column_stack([middle, sizes, np.zeros(len(middle))]), np.concatenate(costs)


def find_places_above_below(
    x: float,
    y: float,
    size: tuple[float, float],
    *,
    radius: float,
    extra_distances: Sequence[float] = (0.0,),
) -> tuple[Boxes, NDArray[np.float64]]:
    """Level places above and below a sign, slid aside: for a long label near the map's edge.

    Returns
    -------
    boxes, cost
        (n, 5) and (n,), dearer than places around the sign.
    """
    places = [
        (x + shift * size[0] / 2, y + side * (radius + more + size[1] / 2))
        for more in extra_distances
        for side in (-1, 1)
        for shift in (0.0, 0.35, -0.35, 0.7, -0.7, 0.9, -0.9)
    ]
    sizes = np.full((len(places), 2), size)
    cost = 20.0 + np.arange(float(len(places)))
    return np.column_stack([np.array(places), sizes, np.zeros(len(places))]), cost


def place_labels(
    label_candidates: Sequence[LabelCandidates],
    *,
    width: float,
    height: float,
    occupied: Boxes | None = None,
    blocked: BaseGeometry | None = None,
    avoided: BaseGeometry | None = None,
) -> list[tuple[int, Boxes]]:
    """Choose places, wish by wish in their order, so that no two labels overlap.

    Parameters
    ----------
    wishes
        The most important first.
    width, height
        Of the map; labels stay inside.
    taken
        (k, 5) boxes that are in use already.
    blocked
        What no label may touch.
    avoided
        What labels touch only when there is no better place.

    Returns
    -------
    list
        (number of the wish, its box) for every label that found a place.
    """
    used = np.empty((0, 5)) if occupied is None else occupied
    for shape in (blocked, avoided, *(wish.blocked for wish in label_candidates)):
        if shape is not None:
            shapely.prepare(shape)
    found: list[tuple[int, Boxes]] = []
    named: dict[str, list[Boxes]] = {}
    for number, wish in enumerate(label_candidates):
        boxes, cost = _filter_candidates(wish, (width, height), blocked, avoided)
        same = named.setdefault(wish.key, [])
        for _ in range(wish.max_count):
            clear = ~find_overlaps(boxes, used).any(axis=1) & _check_gaps(boxes, same, wish.min_gap)
            boxes, cost = boxes[clear], cost[clear]
            if not len(boxes):
                break
            best = boxes[np.argmin(cost)]
            same.append(best)
            found.append((number, best))
            used = np.vstack([used, best])
    return found


def _check_gaps(boxes: Boxes, others: Sequence[Boxes], min_gap: float) -> NDArray[np.bool_]:
    """Boxes whose middle is so far from the middles of all others."""
    far = np.ones(len(boxes), dtype=bool)
    for other in others:
        far &= np.hypot(*(boxes[:, :2] - other[:2]).T) >= min_gap
    return far


def _filter_candidates(
    candidates: LabelCandidates,
    size: tuple[float, float],
    blocked: BaseGeometry | None,
    avoided: BaseGeometry | None,
) -> tuple[Boxes, NDArray[np.float64]]:
    """Places of a wish inside the map that touch nothing blocked, dearer where avoided."""
    if not len(candidates.boxes):
        return candidates.boxes, candidates.costs
    edges = compute_corners(candidates.boxes)
    kept = ((edges >= LABEL_EDGE_MARGIN) & (edges <= np.array(size) - LABEL_EDGE_MARGIN)).all(
        axis=(1, 2)
    )
    boxes, cost, edges = candidates.boxes[kept], candidates.costs[kept], edges[kept]
    shapes = shapely.polygons(edges)
    for shape in (blocked, candidates.blocked):
        if shape is not None:
            clear = ~shapely.intersects(shape, shapes)
            boxes, cost, shapes = boxes[clear], cost[clear], shapes[clear]
    if avoided is not None:
        cost = cost + 8.0 * shapely.intersects(avoided, shapes)
    return boxes, cost
