"""Tags on the legs that say from where to where: on the leg, beside it, or led to it by a line."""

from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.card.ground import ROUTE
from patrolplan.outputs.card.labels import Boxes
from patrolplan.outputs.card.labels import Wish
from patrolplan.outputs.card.lettering import text_width
from patrolplan.outputs.card.names import Name
from patrolplan.outputs.card.route import Strand

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
