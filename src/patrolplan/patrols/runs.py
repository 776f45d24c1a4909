"""Runs: neighbouring pieces of a walk with the same label, which become its directions."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, Self, get_args

import numpy as np
from numpy.typing import ArrayLike

from patrolplan.arrays import Bools, Floats, Ints, Objects
from patrolplan.network.pieces import CARRY, PUSH
from patrolplan.patrols.legs import Flight, Heading, Level, Turn

LOOK_METRES = 12.0  # distance before and after a corner at which directions are measured
CORNER_DEGREES = 60.0  # minimum turn that counts as a corner
HEADINGS: tuple[Heading, ...] = get_args(Heading)
MIN_STEP_METRES = 25.0  # minimum length of a street in directions, unless it is around a corner
MIN_PUSH_METRES = 8.0  # for getting off the bicycle; shorter parts, as at a square, are ignored
MIN_END_METRES = 8.0  # minimum length of a part at either end of a leg, even around a corner
SAME_PLACE = 0.01  # metres; places along a line that are nearer to each other count as one
OFF_BICYCLE_WAYS = {PUSH: "push", CARRY: "carry"}


class WalkedLine(NamedTuple):
    """A walked line: (v, 2) points in metres, and (v,) the distance along it of each."""

    xy: Floats
    along: Floats

    @classmethod
    def from_xy(cls, xy: Floats) -> Self:
        """A line from its points."""
        return cls(xy, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]))

    def compute_bearings(self, at: Floats, *, forward: bool) -> Floats:
        """(k,) direction walked just after (or before) places, clockwise from north, in radians."""
        sign = 1.0 if forward else -1.0
        ends = np.clip([at, at + sign * LOOK_METRES], 0.0, self.along[-1])
        x, y = (np.interp(ends, self.along, axis) for axis in self.xy.T)
        return np.asarray(np.arctan2(sign * (x[1] - x[0]), sign * (y[1] - y[0])))

    def compute_bearing(self, at_metres: float, *, forward: bool) -> float:
        """Direction walked just after (or before) one place."""
        return float(self.compute_bearings(np.array([at_metres]), forward=forward)[0])

    def find_corners(self, places: Floats) -> list[float]:
        """Which places along the line are corners: of those near each other, the sharpest."""
        after, before = (self.compute_bearings(places, forward=way) for way in (True, False))
        turns = (np.degrees(after - before) + 180) % 360 - 180
        sharp = np.flatnonzero(np.abs(turns) >= CORNER_DEGREES)
        corners: dict[float, float] = {}
        for row in sharp[np.lexsort((places[sharp], -np.abs(turns[sharp]).round(6)))]:
            at, turn = float(places[row]), float(turns[row])
            if not any(
                abs(at - other) < LOOK_METRES and turn * same > 0 for other, same in corners.items()
            ):
                corners[at] = turn
        return sorted(corners)


def describe_heading(radians: float) -> Heading:
    """The heading for a direction, clockwise from north."""
    return HEADINGS[round(float(np.degrees(radians)) / 45) % 8]


def describe_turn(radians: float) -> Turn:
    """A change of direction, clockwise positive, in words."""
    degrees = (np.degrees(radians) + 180) % 360 - 180
    size = abs(degrees)
    if size < 30:  # noqa: PLR2004 - these are the words' own limits
        return "straight on"
    if size > 150:  # noqa: PLR2004
        return "turn back"
    if size >= CORNER_DEGREES:
        return "right" if degrees > 0 else "left"
    return "bear right" if degrees > 0 else "bear left"


class Run(NamedTuple):
    """Neighbouring pieces with the same name and the same way of walking or riding."""

    name: str
    way: str
    metres: float
    flight: Flight = ""
    level: Level = ""
    lead: float = 0.0  # metres of other short parts at its beginning
    tail: float = 0.0  # and at its end
    is_round_corner: bool = False  # whether it begins with a corner

    @property
    def is_short(self) -> bool:
        """Whether it is too short for its own direction."""
        if self.flight or self.level:
            return False
        is_off_bicycle = self.way in OFF_BICYCLE_WAYS.values()
        return self.metres < (MIN_PUSH_METRES if is_off_bicycle else MIN_STEP_METRES)

    @property
    def is_apart(self) -> bool:
        """Whether it is a separate direction even after a run of the same kind."""
        return self.is_round_corner or bool(self.level)

    @property
    def kind(self) -> tuple[str, str, str]:
        """Properties that neighbouring pieces must share to be one run."""
        return self.name, self.way, self.flight


def group_runs(
    names: Objects, ways: Objects, flights: Objects, levels: Objects, metres: Floats
) -> list[Run]:
    """Runs of neighbouring pieces with equal name, way and flight, up to a change of level."""
    changes = levels[1:] != ""
    for kinds in (names, ways, flights):
        changes |= kinds[1:] != kinds[:-1]
    opens = np.flatnonzero(np.r_[True, changes])
    return [
        Run(str(names[row]), str(ways[row]), float(total), flight=flights[row], level=levels[row])
        for row, total in zip(opens, np.add.reduceat(metres, opens), strict=True)
    ]


def split_at_corners(
    runs: Sequence[Run],
    line: WalkedLine,
    leads_on: Bools,  # (s,) whether a piece has a street's own name
    is_fork: Bools,  # (s,) whether several pieces with that name meet where it begins
    piece_metres: Floats,
) -> list[Run]:
    """Runs, split at corners that do not follow a street's name."""
    starts = np.cumsum([0.0, *(run.metres for run in runs)])
    # Near a place where runs meet, all bends count: a junction is as wide as its streets, and lines
    # need not turn exactly where the name changes.
    meets, bends = starts[1:-1], line.along[1:-1]
    ends, shifts = np.cumsum(piece_metres)[:-1], (-SAME_PLACE, SAME_PLACE)
    before, after = (np.searchsorted(ends, bends + shift) for shift in shifts)
    is_free = ~(leads_on[before] & leads_on[after]) | (is_fork[after] & (before < after))
    apart = np.abs(bends[:, None] - meets).min(axis=1, initial=np.inf)
    bends = bends[(apart > SAME_PLACE) & (is_free | (apart < LOOK_METRES))]
    places = np.concatenate([meets, bends])
    inside = (places >= MIN_END_METRES) & (places <= starts[-1] - MIN_END_METRES)
    corners = line.find_corners(places[inside])
    cut: list[Run] = []
    for run, (start, end) in zip(runs, pairwise(starts.tolist()), strict=True):
        own = [start, *(at for at in corners if start < at < end), end]
        for begin, stop in pairwise(own):
            level = run.level if begin == start else ""
            part = run._replace(metres=stop - begin, level=level)
            cut.append(part._replace(is_round_corner=begin in corners))
    return cut


def merge_short(runs: Sequence[Run]) -> list[Run]:
    """Merge short parts, the shortest first, into what is next to them and no turn away."""
    merged = _join_alike(runs)
    while joins := list(_list_joins(merged)):
        # With another short part it may become a direction of its own, named after the longer; else
        # it belongs to the street before, or after a flight of steps to the street that follows.
        number, other = min(
            joins,
            key=lambda join: (
                merged[join[0]].metres,
                not merged[join[1]].is_short,
                merged[join[1]].flight != "",
                join[1] > join[0],
            ),
        )
        first, last = min(number, other), max(number, other)
        before, after, named = merged[first], merged[last], merged[other]
        if named.is_short:
            named = max(before, after, key=lambda run: run.metres)
        lead, tail = before.lead, after.tail
        if number < other:
            lead = 0.0 if before.is_round_corner else before.metres
        else:
            is_turn_next = any(run.is_round_corner for run in merged[number + 1 : number + 2])
            tail = 0.0 if is_turn_next else after.metres
        metres, is_corner = before.metres + after.metres, before.is_round_corner
        joined = named._replace(metres=metres, is_round_corner=is_corner, level=before.level)
        merged[first : last + 1] = [joined._replace(lead=lead, tail=tail)]
        merged = _join_alike(merged)
    return merged


def _list_joins(runs: Sequence[Run]) -> Iterator[tuple[int, int]]:
    """Each short run, and a neighbour that it may be merged with."""
    for number, run in enumerate(runs):
        if not run.is_short:
            continue
        # A few metres at either end of a leg are no direction, whatever is next to them.
        is_tiny, last = run.metres < MIN_END_METRES, len(runs) - 1
        if number > 0:
            is_landing = is_tiny or (number < last and runs[number + 1].flight)
            fits = is_landing or not runs[number - 1].flight
            if (number == last and is_tiny) or (fits and not run.is_apart):
                yield number, number - 1
        if number < last:
            following = runs[number + 1]
            if (number == 0 and is_tiny) or not (following.flight or following.is_apart):
                yield number, number + 1


def _join_alike(runs: Sequence[Run]) -> list[Run]:
    """Join neighbours of the same kind, unless the second is a direction of its own."""
    joined = [runs[0]]
    for run in runs[1:]:
        if run.kind == joined[-1].kind and not run.is_apart:
            metres = joined[-1].metres + run.metres
            joined[-1] = joined[-1]._replace(metres=metres, tail=run.tail)
        else:
            joined.append(run)
    return joined


def locate_runs(runs: Sequence[Run], at_metres: ArrayLike) -> Ints:
    """(k,) number of the run that each place along the line is on."""
    starts = np.cumsum([0.0, *(run.metres for run in runs)])[1:-1]
    return np.searchsorted(starts, at_metres, side="right")
