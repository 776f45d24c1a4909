"""The route as lines that can be followed: each leg its own line, even where streets repeat.

Tags on the legs that say from where to where: on the leg, beside it, or led to it by a line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR
from patrolplan.outputs.cartography.fonts import measure_text_width
from patrolplan.outputs.cartography.labels import Boxes, LabelCandidates
from patrolplan.outputs.cartography.place_names import MapLabel
from patrolplan.patrols.plan import Leg

Line = NDArray[np.float64]

SAMPLE_SPACING = 2.0
"""Points between samples of the route."""
LANE_WIDTH = 4.6
"""Points between two lines on the same street."""
SHARED_STREET_DISTANCE = 5.0
"""Passes closer than this, in points, would be read as one line."""
MAX_LANES = 3
"""More lines side by side would leave the street they stand for."""
MIN_PARALLEL_COSINE = 0.8
"""Cosine between headings from which two passes count as going the same way, or opposite."""
EASING = (0.25, 0.5, 0.25)
COINCIDENT_DISTANCE = 1e-6
SMOOTHING = 9
"""Samples over which a line moves into its lane."""


@dataclass(frozen=True, eq=False)
class DrawnLeg:
    """One leg as drawn.

    Parameters
    ----------
    line
        (n, 2) points of the page, evenly spaced, moved into its lane where the street is shared.
    heading
        (n, 2) unit vectors of travel.
    shared
        (n,) whether another pass runs beside it.
    """

    line: Line
    heading: Line
    shared: NDArray[np.bool_]

    @property
    def length(self) -> float:
        """Points along the line."""
        return float(np.hypot(*np.diff(self.line, axis=0).T).sum())


def separate_legs(lines: Sequence[Line]) -> list[DrawnLeg]:
    """Legs as lines that keep right of each other where they share a street.

    Parameters
    ----------
    lines
        (v, 2) points of the page, leg by leg in the order of the walk.

    Returns
    -------
    list of Strand
        One a leg. Passes in opposite directions both keep to the right of their own heading, so
        they part; passes in one direction get a lane each, in the order they are walked.
    """
    even = [_resample_evenly(line) for line in lines]
    heading = [_compute_headings(line) for line in even]
    if not even:
        return []
    places, ways = np.concatenate(even), np.concatenate(heading)
    leg = np.repeat(np.arange(len(even)), [len(line) for line in even])
    lane = _assign_lanes(places, ways, leg)
    drawn = []
    for number, (line, way) in enumerate(zip(even, heading, strict=True)):
        own = lane[leg == number]
        wanted = np.where(own > 0, own - 0.5, 0.0) * LANE_WIDTH
        right = np.column_stack([way[:, 1], -way[:, 0]])
        moved = line + _smooth(wanted)[:, None] * right
        drawn.append(DrawnLeg(_round_corners(moved), way, own > 0))
    return drawn


def _resample_evenly(line: Line) -> Line:
    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(2, round(at[-1] / SAMPLE_SPACING) + 1)
    wanted = np.linspace(0.0, at[-1], count)
    return np.column_stack([np.interp(wanted, at, line[:, 0]), np.interp(wanted, at, line[:, 1])])


def _compute_headings(line: Line) -> Line:
    ahead = np.gradient(line, axis=0)
    return np.asarray(ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None])


def _assign_lanes(places: Line, headings: Line, leg: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) lane of each sample: 0 alone, 1 nearest the middle, 2 outside of that..."""
    pairs = cKDTree(places).query_pairs(SHARED_STREET_DISTANCE, output_type="ndarray")
    if not len(pairs):
        return np.zeros(len(places), dtype=np.int64)
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    along = np.einsum("ij,ij->i", headings[first], headings[second])
    # Neighbours on the same leg are near without being another pass.
    other = (leg[first] != leg[second]) | (
        second - first > 4 * SHARED_STREET_DISTANCE / SAMPLE_SPACING
    )
    beside = other & (np.abs(along) > MIN_PARALLEL_COSINE)
    lane = np.zeros(len(places), dtype=np.int64)
    lane[first[beside]] = lane[second[beside]] = 1
    same = beside & (along > 0) & (leg[first] != leg[second])
    for before, after in sorted({(int(leg[a]), int(leg[b])) for a, b in pairs[same]}):
        low, high = min(before, after), max(before, after)
        shared = same & (leg[first] == low) & (leg[second] == high)
        behind = np.unique(second[shared])
        lane[behind] += 1
    return np.minimum(lane, MAX_LANES)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    window = np.ones(SMOOTHING) / SMOOTHING
    padded = np.pad(values, SMOOTHING // 2, mode="edge")
    smooth: NDArray[np.float64] = np.convolve(padded, window, mode="valid")
    return smooth


def _round_corners(line: Line) -> Line:
    """Corners eased over a few samples: a lane that turns sharply would cross itself."""
    if len(line) < len(EASING) + 2:
        return line
    inner = np.zeros((len(line) - 2, 2))
    for shift, weight in enumerate(EASING):
        inner += weight * line[shift : len(line) - 2 + shift]
    return np.vstack([line[:1], inner, line[-1:]])


def build_arrow_heads(
    legs: Sequence[DrawnLeg],
    *,
    spacing: float,
    size: float,
    clear: NDArray[np.float64],
    radius: float,
) -> NDArray[np.float64]:
    """Arrow heads along the strands.

    Parameters
    ----------
    drawn
        Legs.
    apart
        Points between two arrows; a short leg still gets one in its middle.
    size
        Length of an arrow in points.
    clear, radius
        (k, 2) middles of circles, and points around them, that are kept free of arrows.

    Returns
    -------
    array
        (n, 3, 2) triangles: tip, left, right.
    """
    heads = []
    for strand in legs:
        length = strand.length
        count = max(1, round(length / spacing))
        at = ((np.arange(count) + 0.5) / count * (len(strand.line) - 1)).astype(int)
        spot, way = strand.line[at], strand.heading[at]
        if len(clear):
            far = np.hypot(*(spot[:, None] - clear[None]).transpose(2, 0, 1)).min(axis=1) > radius
            spot, way = spot[far], way[far]
        left = np.column_stack([-way[:, 1], way[:, 0]])
        tail = spot - 0.45 * size * way
        heads.append(
            np.stack(
                [spot + 0.55 * size * way, tail + 0.45 * size * left, tail - 0.45 * size * left], 1
            )
        )
    return np.concatenate(heads) if heads else np.empty((0, 3, 2))


def find_pushed_ranges(leg: Leg) -> list[tuple[float, float]]:
    """Parts of a leg, as shares of its length, on which a bicycle is pushed or carried."""
    ends = np.cumsum([0.0, *(step.metres for step in leg.steps)])
    shares = ends / max(float(ends[-1]), 1e-9)
    return [
        (float(start), float(end))
        for step, start, end in zip(leg.steps, shares[:-1], shares[1:], strict=True)
        if step.way in {"push", "carry"}
    ]


def cut_ranges(leg: DrawnLeg, ranges: Sequence[tuple[float, float]]) -> list[Line]:
    """The lines of a strand between these shares of its length."""
    last = len(leg.line) - 1
    parts = [leg.line[int(a * last) : int(np.ceil(b * last)) + 1] for a, b in ranges]
    return [part for part in parts if len(part) > 1]


def simplify_line(leg: DrawnLeg) -> Line:
    """The strand's line with no more vertices than the eye can see."""
    line: Line = shapely.get_coordinates(shapely.simplify(shapely.LineString(leg.line), 0.12))
    return line


def separate_points(
    places: NDArray[np.float64], gap: float, *, fixed: int = 0
) -> NDArray[np.float64]:
    """Places moved apart until all are `gap` from each other; the first `fixed` stay.

    Examples
    --------
    >>> apart = separate_points(np.array([[0.0, 0.0], [1.0, 0.0]]), 10.0, fixed=1)
    >>> apart[0].tolist(), round(float(np.hypot(*apart[1])), 1)
    ([0.0, 0.0], 10.0)
    """
    moved = np.array(places, dtype=np.float64)
    for _ in range(200):
        away = moved[:, None] - moved[None]
        apart = np.hypot(away[..., 0], away[..., 1])
        np.fill_diagonal(apart, np.inf)
        close = np.argwhere(np.triu(apart < gap - 0.01))
        if not len(close):
            break
        for first, second in close:
            _separate_pair(moved, int(first), int(second), gap, fixed)
    return moved


def _separate_pair(
    moved: NDArray[np.float64], first: int, second: int, gap: float, fixed: int
) -> None:
    """Move two places apart along the line between them, in a set direction if they coincide."""
    away = moved[second] - moved[first]
    apart = float(np.hypot(*away))
    if apart < COINCIDENT_DISTANCE:
        turn = 2.4 * second  # about the golden angle, so that many on one spot fan out
        away, apart = np.array([np.cos(turn), np.sin(turn)]), 1.0
        lack = gap
    else:
        lack = gap - apart
    if lack <= 0:
        return
    step = away / apart * lack
    if first < fixed:
        moved[second] += step
    else:
        moved[first] -= step / 2
        moved[second] += step / 2


LEG_LABEL_SIZE = 8.0
MAX_LEADER_ENDS = 40
"""Places along a leg that a line may lead to."""
LEADER_LENGTHS = (19.0, 28.0, 40.0, 54.0)
"""Points from the leg to the middle of a tag that a line leads from."""
LEADER_DIRECTIONS = np.radians(np.arange(0.0, 360.0, 30.0))
LEADER_COST = 20.0
"""How much worse a tag that needs a line is than one at its leg."""


def build_leg_labels(
    legs: Sequence[DrawnLeg], texts: Sequence[str], labelled_legs: Iterable[int]
) -> list[MapLabel]:
    """A tag on each of these legs that says from where to where, on it or to the right of it."""
    outlines = _buffer_legs(legs)
    tags = []
    for number in labelled_legs:
        strand, text = legs[number], texts[number]
        width, height = _measure_label(text)
        at = np.arange(len(strand.line))[4:-4:3]
        spot, way = strand.line[at], strand.heading[at]
        right = np.column_stack([way[:, 1], -way[:, 0]])
        reach = np.abs(right) @ (width / 2, height / 2) + 3.0
        boxes, costs = [], []
        middle = 10 * np.abs(at / max(1, len(strand.line) - 1) - 0.5)
        for shift, extra in ((0.0, 0.0), (1.0, 4.0)):
            boxes.append(_build_label_boxes(spot + shift * reach[:, None] * right, text))
            costs.append(middle + extra)
        others = [outline for other, outline in enumerate(outlines) if other != number]
        blocked = shapely.union_all(others) if others else None
        tags.append(
            _build_leg_label(number, text, np.concatenate(boxes), np.concatenate(costs), blocked)
        )
    return tags


def build_leader_labels(
    legs: Sequence[DrawnLeg],
    texts: Sequence[str],
    labelled_legs: Iterable[int],
    *,
    covered: BaseGeometry,
) -> list[MapLabel]:
    """The same tags aside of all legs, with a line to the leg: they stand in where others fail.

    Lines cross neither another leg nor what is `covered` by signs.
    """
    outlines = _buffer_legs(legs)
    route = shapely.union_all(outlines)
    away = np.stack([np.cos(LEADER_DIRECTIONS), np.sin(LEADER_DIRECTIONS)], axis=1)
    offsets = np.concatenate([reach * away for reach in LEADER_LENGTHS])
    tags = []
    for number in labelled_legs:
        line, text = legs[number].line, texts[number]
        share = np.linspace(0.0, 1.0, min(MAX_LEADER_ENDS, len(line)))
        spots = line[np.round(share * (len(line) - 1)).astype(int)]
        ends = np.repeat(spots, len(offsets), axis=0)
        middles = ends + np.tile(offsets, (len(spots), 1))
        leads = shapely.linestrings(np.stack([ends, middles], axis=1))
        others = [outline for other, outline in enumerate(outlines) if other != number]
        barrier = shapely.union_all([covered, *others])
        shapely.prepare(barrier)
        clear = ~shapely.intersects(barrier, leads)
        cost = LEADER_COST + 0.3 * np.hypot(*(middles - ends).T)
        cost += 10 * np.repeat(np.abs(share - 0.5), len(offsets))
        boxes = _build_label_boxes(middles[clear], text)
        tags.append(_build_leg_label(number, text, boxes, cost[clear], route, ends[clear]))
    return tags


def draw_leader_line(axes: Axes, label: MapLabel, box: Boxes) -> None:
    """Draw the line from a tag aside to its leg; tags at their leg have none."""
    if label.leader_ends is None:
        return
    end = label.leader_ends[int(np.argmin(np.abs(label.candidates.boxes - box).sum(axis=1)))]
    for colour, width, level in (("white", 2.6, 8.6), (ROUTE_COLOUR, 1.1, 8.7)):
        axes.plot([box[0], end[0]], [box[1], end[1]], color=colour, lw=width, zorder=level)
    dot = Circle((float(end[0]), float(end[1])), 2.0)
    dot.set(facecolor=ROUTE_COLOUR, edgecolor="white", linewidth=0.6, zorder=8.8)
    axes.add_artist(dot)


def _buffer_legs(legs: Sequence[DrawnLeg]) -> list[BaseGeometry]:
    """The legs as wide as they are drawn."""
    return [shapely.LineString(strand.line).buffer(2.5) for strand in legs]


def _measure_label(text: str) -> tuple[float, float]:
    """Width and height of a tag."""
    return measure_text_width(text, LEG_LABEL_SIZE, bold=True) + 6, LEG_LABEL_SIZE * 1.3


def _build_label_boxes(middles: NDArray[np.float64], text: str) -> Boxes:
    size = np.full((len(middles), 2), _measure_label(text))
    return np.column_stack([middles, size, np.zeros(len(middles))])


def _build_leg_label(
    number: int,
    text: str,
    boxes: Boxes,
    cost: NDArray[np.float64],
    blocked: BaseGeometry | None,
    leader_ends: NDArray[np.float64] | None = None,
) -> MapLabel:
    """A tag on its plate; of all with one number only one finds a place."""
    wish = LabelCandidates(f"leg {number}", boxes, cost, min_gap=np.inf, blocked=blocked)
    return MapLabel(
        text,
        LEG_LABEL_SIZE,
        bold=True,
        colour="black",
        candidates=wish,
        plate_colour=ROUTE_COLOUR,
        leader_ends=leader_ends,
    )
