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

from patrolplan.outputs.cartography.basemap import ROUTE
from patrolplan.outputs.cartography.fonts import text_width
from patrolplan.outputs.cartography.labels import Boxes, Wish
from patrolplan.outputs.cartography.place_names import Name
from patrolplan.patrols.plan import Leg

Line = NDArray[np.float64]

STEP = 2.0
"""Points between samples of the route."""
LANE = 4.6
"""Points between two lines on the same street."""
NEAR = 5.0
"""Passes closer than this, in points, would be read as one line."""
MOST_LANES = 3
"""More lines side by side would leave the street they stand for."""
PARALLEL = 0.8
"""Cosine between headings from which two passes count as going the same way, or opposite."""
EASING = (0.25, 0.5, 0.25)
SAME_PLACE = 1e-6
SMOOTHING = 9
"""Samples over which a line moves into its lane."""


@dataclass(frozen=True, eq=False)
class Strand:
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


def strands(lines: Sequence[Line]) -> list[Strand]:
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
    even = [_even(line) for line in lines]
    heading = [_heading(line) for line in even]
    if not even:
        return []
    places, ways = np.concatenate(even), np.concatenate(heading)
    leg = np.repeat(np.arange(len(even)), [len(line) for line in even])
    lane = _lanes(places, ways, leg)
    drawn = []
    for number, (line, way) in enumerate(zip(even, heading, strict=True)):
        own = lane[leg == number]
        wanted = np.where(own > 0, own - 0.5, 0.0) * LANE
        right = np.column_stack([way[:, 1], -way[:, 0]])
        moved = line + _smooth(wanted)[:, None] * right
        drawn.append(Strand(_rounded(moved), way, own > 0))
    return drawn


def _even(line: Line) -> Line:
    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(2, round(at[-1] / STEP) + 1)
    wanted = np.linspace(0.0, at[-1], count)
    return np.column_stack([np.interp(wanted, at, line[:, 0]), np.interp(wanted, at, line[:, 1])])


def _heading(line: Line) -> Line:
    ahead = np.gradient(line, axis=0)
    return np.asarray(ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None])


def _lanes(places: Line, ways: Line, leg: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) lane of each sample: 0 alone, 1 nearest the middle, 2 outside of that..."""
    pairs = cKDTree(places).query_pairs(NEAR, output_type="ndarray")
    if not len(pairs):
        return np.zeros(len(places), dtype=np.int64)
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    along = np.einsum("ij,ij->i", ways[first], ways[second])
    # Neighbours on the same leg are near without being another pass.
    other = (leg[first] != leg[second]) | (second - first > 4 * NEAR / STEP)
    beside = other & (np.abs(along) > PARALLEL)
    lane = np.zeros(len(places), dtype=np.int64)
    lane[first[beside]] = lane[second[beside]] = 1
    same = beside & (along > 0) & (leg[first] != leg[second])
    for before, after in sorted({(int(leg[a]), int(leg[b])) for a, b in pairs[same]}):
        low, high = min(before, after), max(before, after)
        shared = same & (leg[first] == low) & (leg[second] == high)
        behind = np.unique(second[shared])
        lane[behind] += 1
    return np.minimum(lane, MOST_LANES)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    window = np.ones(SMOOTHING) / SMOOTHING
    padded = np.pad(values, SMOOTHING // 2, mode="edge")
    smooth: NDArray[np.float64] = np.convolve(padded, window, mode="valid")
    return smooth


def _rounded(line: Line) -> Line:
    """Corners eased over a few samples: a lane that turns sharply would cross itself."""
    if len(line) < len(EASING) + 2:
        return line
    inner = np.zeros((len(line) - 2, 2))
    for shift, weight in enumerate(EASING):
        inner += weight * line[shift : len(line) - 2 + shift]
    return np.vstack([line[:1], inner, line[-1:]])


def arrows(
    drawn: Sequence[Strand], *, apart: float, size: float, clear: NDArray[np.float64], radius: float
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
    for strand in drawn:
        length = strand.length
        count = max(1, round(length / apart))
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


def pushed_shares(leg: Leg) -> list[tuple[float, float]]:
    """Parts of a leg, as shares of its length, on which a bicycle is pushed or carried."""
    ends = np.cumsum([0.0, *(step.metres for step in leg.steps)])
    shares = ends / max(float(ends[-1]), 1e-9)
    return [
        (float(start), float(end))
        for step, start, end in zip(leg.steps, shares[:-1], shares[1:], strict=True)
        if step.way in {"push", "carry"}
    ]


def parts_of(strand: Strand, shares: Sequence[tuple[float, float]]) -> list[Line]:
    """The lines of a strand between these shares of its length."""
    last = len(strand.line) - 1
    parts = [strand.line[int(a * last) : int(np.ceil(b * last)) + 1] for a, b in shares]
    return [part for part in parts if len(part) > 1]


def simplified(strand: Strand) -> Line:
    """The strand's line with no more vertices than the eye can see."""
    line: Line = shapely.get_coordinates(shapely.simplify(shapely.LineString(strand.line), 0.12))
    return line


def spread(places: NDArray[np.float64], gap: float, *, fixed: int = 0) -> NDArray[np.float64]:
    """Places moved apart until all are `gap` from each other; the first `fixed` stay.

    Examples
    --------
    >>> apart = spread(np.array([[0.0, 0.0], [1.0, 0.0]]), 10.0, fixed=1)
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
            _push(moved, int(first), int(second), gap, fixed)
    return moved


def _push(moved: NDArray[np.float64], first: int, second: int, gap: float, fixed: int) -> None:
    """Move two places apart along the line between them, in a set direction if they coincide."""
    away = moved[second] - moved[first]
    apart = float(np.hypot(*away))
    if apart < SAME_PLACE:
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


TAG_SIZE = 8.0
MOST_SPOTS = 40
"""Places along a leg that a line may lead to."""
FARTHER = (19.0, 28.0, 40.0, 54.0)
"""Points from the leg to the middle of a tag that a line leads from."""
WAYS = np.radians(np.arange(0.0, 360.0, 30.0))
LED = 20.0
"""How much worse a tag that needs a line is than one at its leg."""


def leg_tags(drawn: Sequence[Strand], texts: Sequence[str], told: Iterable[int]) -> list[Name]:
    """A tag on each of these legs that says from where to where, on it or to the right of it."""
    outlines = _outlines(drawn)
    tags = []
    for number in told:
        strand, text = drawn[number], texts[number]
        width, height = _size(text)
        at = np.arange(len(strand.line))[4:-4:3]
        spot, way = strand.line[at], strand.heading[at]
        right = np.column_stack([way[:, 1], -way[:, 0]])
        reach = np.abs(right) @ (width / 2, height / 2) + 3.0
        boxes, costs = [], []
        middle = 10 * np.abs(at / max(1, len(strand.line) - 1) - 0.5)
        for shift, extra in ((0.0, 0.0), (1.0, 4.0)):
            boxes.append(_boxes(spot + shift * reach[:, None] * right, text))
            costs.append(middle + extra)
        others = [outline for other, outline in enumerate(outlines) if other != number]
        blocked = shapely.union_all(others) if others else None
        tags.append(_tag(number, text, np.concatenate(boxes), np.concatenate(costs), blocked))
    return tags


def led_tags(
    drawn: Sequence[Strand], texts: Sequence[str], told: Iterable[int], *, covered: BaseGeometry
) -> list[Name]:
    """The same tags aside of all legs, with a line to the leg: they stand in where others fail.

    Lines cross neither another leg nor what is `covered` by signs.
    """
    outlines = _outlines(drawn)
    route = shapely.union_all(outlines)
    away = np.stack([np.cos(WAYS), np.sin(WAYS)], axis=1)
    offsets = np.concatenate([reach * away for reach in FARTHER])
    tags = []
    for number in told:
        line, text = drawn[number].line, texts[number]
        share = np.linspace(0.0, 1.0, min(MOST_SPOTS, len(line)))
        spots = line[np.round(share * (len(line) - 1)).astype(int)]
        ends = np.repeat(spots, len(offsets), axis=0)
        middles = ends + np.tile(offsets, (len(spots), 1))
        leads = shapely.linestrings(np.stack([ends, middles], axis=1))
        others = [outline for other, outline in enumerate(outlines) if other != number]
        barrier = shapely.union_all([covered, *others])
        shapely.prepare(barrier)
        clear = ~shapely.intersects(barrier, leads)
        cost = LED + 0.3 * np.hypot(*(middles - ends).T)
        cost += 10 * np.repeat(np.abs(share - 0.5), len(offsets))
        boxes = _boxes(middles[clear], text)
        tags.append(_tag(number, text, boxes, cost[clear], route, ends[clear]))
    return tags


def draw_lead(axes: Axes, tag: Name, box: Boxes) -> None:
    """Draw the line from a tag aside to its leg; tags at their leg have none."""
    if tag.leads is None:
        return
    end = tag.leads[int(np.argmin(np.abs(tag.wish.boxes - box).sum(axis=1)))]
    for colour, width, level in (("white", 2.6, 8.6), (ROUTE, 1.1, 8.7)):
        axes.plot([box[0], end[0]], [box[1], end[1]], color=colour, lw=width, zorder=level)
    dot = Circle((float(end[0]), float(end[1])), 2.0)
    dot.set(facecolor=ROUTE, edgecolor="white", linewidth=0.6, zorder=8.8)
    axes.add_artist(dot)


def _outlines(drawn: Sequence[Strand]) -> list[BaseGeometry]:
    """The legs as wide as they are drawn."""
    return [shapely.LineString(strand.line).buffer(2.5) for strand in drawn]


def _size(text: str) -> tuple[float, float]:
    """Width and height of a tag."""
    return text_width(text, TAG_SIZE, bold=True) + 6, TAG_SIZE * 1.3


def _boxes(middles: NDArray[np.float64], text: str) -> Boxes:
    size = np.full((len(middles), 2), _size(text))
    return np.column_stack([middles, size, np.zeros(len(middles))])


def _tag(
    number: int,
    text: str,
    boxes: Boxes,
    cost: NDArray[np.float64],
    blocked: BaseGeometry | None,
    leads: NDArray[np.float64] | None = None,
) -> Name:
    """A tag on its plate; of all with one number only one finds a place."""
    wish = Wish(f"leg {number}", boxes, cost, apart=np.inf, blocked=blocked)
    return Name(text, TAG_SIZE, bold=True, colour="black", wish=wish, plate=ROUTE, leads=leads)
