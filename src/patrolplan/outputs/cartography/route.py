"""The route as lines that can be followed: each leg has its own, and a tag of its ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR
from patrolplan.outputs.cartography.fonts import measure_text_width
from patrolplan.outputs.cartography.labels import MapLabel, build_level_boxes
from patrolplan.outputs.cartography.symbols import STOP_RADIUS
from patrolplan.patrols.legs import Leg

Line = NDArray[np.float64]
SAMPLE_SPACING = 2.0  # Points between samples of the route
SHAPE_TOLERANCE = 0.05  # Maximum points between a leg's shape and its samples
LANE_WIDTH = 4.6  # Points between two lines on the same street
SHARED_STREET_DISTANCE = 5.0  # Passes closer than this, in points, would look like one line
MAX_LANES = 3  # More parallel lines would be off their street
MIN_PARALLEL_COSINE = 0.8  # between headings of two passes that count as parallel or opposite
EASING = (0.25, 0.5, 0.25)
COINCIDENT_DISTANCE = 1e-6
SMOOTHING = 9  # Samples over which a line moves into its lane
ARROW_SPACING, ARROW_SIZE = 46.0, 9.0  # Points


@dataclass(frozen=True, eq=False)
class DrawnLeg:
    """One leg as drawn."""

    line: Line  # (n, 2) points of the page, evenly spaced, in its lane if legs share the street
    heading: Line  # (n, 2) unit vectors of travel

    @cached_property
    def shape(self) -> BaseGeometry:
        """The line as a shape, without redundant samples."""
        return shapely.simplify(shapely.LineString(self.line), SHAPE_TOLERANCE)


def separate_legs(lines: Sequence[Line]) -> list[DrawnLeg]:
    """Legs, (v, 2) points in the order of the walk, that keep right where they share a street."""
    # Every leg is sampled at even steps. A sample is shared where a sample of another pass lies
    # within SHARED_STREET_DISTANCE and runs (nearly) parallel; there it is given a lane and moved
    # to the right of its own heading by the middle of that lane. Moving right keeps opposite
    # passes apart without looking at them: their right sides are opposite sides of the street.
    # Jumps from lane to lane are smoothed along the leg, and corners eased.
    if not lines:
        return []
    even: list[Line] = []  # about SAMPLE_SPACING points apart
    for shape in map(shapely.LineString, lines):
        count = max(2, round(shape.length / SAMPLE_SPACING) + 1)
        samples = shapely.line_interpolate_point(shape, np.linspace(0.0, shape.length, count))
        even.append(np.asarray(shapely.get_coordinates(samples)))
    ahead = [np.gradient(line, axis=0) for line in even]
    headings = [np.asarray(one / np.maximum(np.hypot(*one.T), 1e-9)[:, None]) for one in ahead]
    leg = np.repeat(np.arange(len(even)), [len(line) for line in even])
    lane = _assign_lanes(np.concatenate(even), np.concatenate(headings), leg)
    window = np.ones(SMOOTHING) / SMOOTHING
    drawn = []
    for number, (line, heading) in enumerate(zip(even, headings, strict=True)):
        own = lane[leg == number]
        offset = np.where(own > 0, own - 0.5, 0.0) * LANE_WIDTH
        smooth = np.convolve(np.pad(offset, SMOOTHING // 2, mode="edge"), window, mode="valid")
        right = np.column_stack([heading[:, 1], -heading[:, 0]])
        drawn.append(DrawnLeg(_round_corners(line + smooth[:, None] * right), heading))
    return drawn


def _assign_lanes(places: Line, headings: Line, leg: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) lane of each sample: 0 alone, 1 nearest the middle of the street, 2 next to it..."""
    lane = np.zeros(len(places), dtype=np.int64)
    points = shapely.points(places)
    pairs = shapely.STRtree(points).query(points, "dwithin", SHARED_STREET_DISTANCE)
    first, second = pairs[:, pairs[0] < pairs[1]]  # so leg[first] <= leg[second]
    cosine = np.einsum("ij,ij->i", headings[first], headings[second])
    other_leg = leg[first] != leg[second]
    # Neighbours on the same leg are near without being another pass.
    far_along = second - first > 4 * SHARED_STREET_DISTANCE / SAMPLE_SPACING
    parallel = (other_leg | far_along) & (np.abs(cosine) > MIN_PARALLEL_COSINE)
    lane[first[parallel]] = lane[second[parallel]] = 1
    # Legs in one direction: for each pair of them the later one moves a lane outwards, so that a
    # third pass lies outside of the second. It does not matter in which order the pairs are seen.
    same_way = parallel & (cosine > 0) & other_leg
    for before, after in np.unique(np.column_stack([leg[first], leg[second]])[same_way], axis=0):
        shared = same_way & (leg[first] == before) & (leg[second] == after)
        lane[np.unique(second[shared])] += 1
    return np.minimum(lane, MAX_LANES)


def _round_corners(line: Line) -> Line:
    """Corners smoothed over a few samples: a lane that turns sharply would cross itself."""
    if len(line) < len(EASING) + 2:
        return line
    inner = sum(weight * line[at : len(line) - 2 + at] for at, weight in enumerate(EASING))
    return np.vstack([line[:1], inner, line[-1:]])


def build_arrow_heads(legs: Sequence[DrawnLeg], clear: Line) -> NDArray[np.float64]:
    """(n, 3, 2) tip, left and right of arrow heads along the legs, none near `clear`."""
    heads = [np.empty((0, 3, 2))]
    for leg in legs:
        count = max(1, round(shapely.LineString(leg.line).length / ARROW_SPACING))
        at = ((np.arange(count) + 0.5) / count * (len(leg.line) - 1)).astype(int)
        spot, way = leg.line[at], leg.heading[at]
        far = (measure_apart(spot, clear) > STOP_RADIUS + 5.0).all(axis=1)
        spot, way = spot[far], way[far]
        left = 0.45 * ARROW_SIZE * np.column_stack([-way[:, 1], way[:, 0]])
        tip, tail = spot + 0.55 * ARROW_SIZE * way, spot - 0.45 * ARROW_SIZE * way
        heads.append(np.stack([tip, tail + left, tail - left], axis=1))
    return np.concatenate(heads)


def cut_pushed(leg: Leg, drawn: DrawnLeg) -> list[Line]:
    """The parts of a leg as drawn on which a bicycle is pushed or carried."""
    ends = np.cumsum([0.0, *(step.metres for step in leg.steps)])
    shares = ends / max(float(ends[-1]), 1e-9)
    last = len(drawn.line) - 1
    rows = zip(leg.steps, pairwise(shares * last), strict=True)
    pushed = [ends for step, ends in rows if step.way in {"push", "carry"}]
    parts = [drawn.line[int(start) : int(np.ceil(end)) + 1] for start, end in pushed]
    return [part for part in parts if len(part) > 1]


def separate_points(places: Line, gap: float, *, fixed: int = 0) -> Line:
    """(n, 2) places moved to be at least `gap` apart; the first `fixed` are not moved."""
    moved = np.array(places, dtype=np.float64)
    for _ in range(200):
        close = np.argwhere(np.triu(measure_apart(moved, moved) < gap - 0.01, 1)).tolist()
        if not close:
            break
        for first, second in close:
            away = moved[second] - moved[first]
            apart = float(np.hypot(*away))
            lack = gap - apart
            if apart < COINCIDENT_DISTANCE:
                turn = 2.4 * second  # about the golden angle, so that many at one place fan out
                away, apart, lack = np.array([np.cos(turn), np.sin(turn)]), 1.0, gap
            step = away / apart * max(lack, 0.0)
            moved[second] += step if first < fixed else step / 2
            moved[first] -= 0.0 if first < fixed else step / 2
    return moved


def measure_apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) distances between (n, 2) and (m, 2) points."""
    return np.asarray(np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)))


LEG_LABEL_SIZE = 8.0
MAX_LEADER_ENDS = 40  # Maximum number of places along a leg for the end of a leader line
LEADER_LENGTHS = (19.0, 28.0, 40.0, 54.0)  # Points from the leg to the middle of a tag
LEADER_DIRECTIONS = np.radians(np.arange(0.0, 360.0, 30.0))
LEADER_COST = 20.0  # Cost of a tag with a leader line, compared with one at its leg
_build_tag = partial(
    MapLabel, size=LEG_LABEL_SIZE, bold=True, kind="leg", plate_colour=ROUTE_COLOUR, min_gap=np.inf
)


def build_leg_labels(legs: Sequence[DrawnLeg], texts: Sequence[str]) -> list[MapLabel]:
    """A tag with start and end for each leg, on it or to the right of it."""
    tags = []
    for number, (leg, text) in enumerate(zip(legs, texts, strict=True)):
        at = np.arange(len(leg.line))[4:-4:3]
        spot, way = leg.line[at], leg.heading[at]
        right = np.column_stack([way[:, 1], -way[:, 0]])
        reach = np.abs(right) @ np.divide(_measure_tag(text), 2) + 3.0
        from_middle = 10 * np.abs(at / max(1, len(leg.line) - 1) - 0.5)
        middles = np.concatenate([spot, spot + reach[:, None] * right])
        boxes = build_level_boxes(middles, _measure_tag(text))
        costs = np.concatenate([from_middle, from_middle + 4.0])
        blocked = cover_legs([*legs[:number], *legs[number + 1 :]])
        tags.append(_build_tag(text, f"leg {number}", boxes, costs, blocked=blocked))
    return tags


def build_leader_labels(
    legs: Sequence[DrawnLeg], texts: Sequence[str], *, covered: BaseGeometry
) -> list[MapLabel]:
    """The same tags away from all legs, with leader lines, for when the others do not fit."""
    route = cover_legs(legs)
    away = np.stack([np.cos(LEADER_DIRECTIONS), np.sin(LEADER_DIRECTIONS)], axis=1)
    offsets = np.concatenate([reach * away for reach in LEADER_LENGTHS])
    tags = []
    for number, leg in enumerate(legs):
        share = np.linspace(0.0, 1.0, min(MAX_LEADER_ENDS, len(leg.line)))
        spots = leg.line[np.round(share * (len(leg.line) - 1)).astype(int)]
        ends = np.repeat(spots, len(offsets), axis=0)
        middles = ends + np.tile(offsets, (len(spots), 1))
        barrier = covered | cover_legs([*legs[:number], *legs[number + 1 :]])
        shapely.prepare(barrier)
        leaders = shapely.linestrings(np.stack([ends, middles], axis=1))
        clear = ~shapely.intersects(barrier, leaders)
        costs = LEADER_COST + 0.3 * np.hypot(*(middles - ends).T)
        costs += 10 * np.repeat(np.abs(share - 0.5), len(offsets))
        boxes = build_level_boxes(middles[clear], _measure_tag(texts[number]))
        key, cost = f"leg {number}", costs[clear]
        tag = _build_tag(texts[number], key, boxes, cost, blocked=route, leader_ends=ends[clear])
        tags.append(tag)
    return tags


def cover_legs(legs: Sequence[DrawnLeg]) -> BaseGeometry:
    """The legs with their width on the map."""
    return shapely.union_all([leg.shape.buffer(2.5) for leg in legs])


def _measure_tag(text: str) -> tuple[float, float]:
    return measure_text_width(text, LEG_LABEL_SIZE, bold=True) + 6, LEG_LABEL_SIZE * 1.3
