"""Directions of a walk or ride, street by street.

A walk falls into runs of one name. A run that is too short for a direction goes to the street
before or after it, unless one turns a corner at both of its ends: every turn of `CORNER_DEGREES` or
more that leaves a street's name is given. A street without a name has none to follow, so a corner
on it is given too, and every flight of steps is a direction of its own.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from patrolplan.network.names import KIND_LABELS
from patrolplan.network.paths import Walk
from patrolplan.network.pieces import CARRY, PUSH
from patrolplan.patrols.plan import Flight, Heading, Leg, Step, Turn

MIN_STEP_METRES = 25.0
"""A bit of street shorter than this is not a direction of its own, unless it is round a corner."""

MIN_PUSH_METRES = 8.0
"""A shorter bit to get off the bicycle for, such as the edge of a square, is left out."""

MIN_END_METRES = 8.0
"""A shorter bit at either end of a leg is always left out, whatever its direction."""

STRAIGHT_ON: Turn = "straight on"

OFF_BICYCLE_WAYS = {PUSH: "push", CARRY: "carry"}

LOOK_METRES = 12.0
"""So far before and after a corner its direction is looked at."""

CORNER_DEGREES = 60.0
"""A turn of this much or more is a corner."""

OTHER_WAY: dict[Flight, Flight] = {"up": "down", "down": "up"}
"""A flight of steps as it is walked back."""

UNLIT_TAG = "no"
"""The OpenStreetMap value of `lit` for a street without lighting."""

HEADINGS: tuple[Heading, ...] = get_args(Heading)


def build_leg(
    walk: Walk,
    labels: NDArray[np.object_],
    lit: NDArray[np.object_],
    metres_per_minute: float,
    *,
    flights: NDArray[np.object_] | None = None,
    bicycle_ways: NDArray[np.int8] | None = None,
) -> Leg:
    """A leg with its directions.

    Parameters
    ----------
    walk
        Along a network's pieces.
    labels
        (p,) what each of that network's pieces is called.
    lit
        (p,) street lighting of each, see `StreetNetwork.piece_lit`.
    metres_per_minute
        Full speed.
    flights
        (p,) the steps on each, see `StreetNetwork.piece_flight`; none without.
    bicycle_ways
        (p, 2) how a bicycle goes along each piece and against it, see
        `patrolplan.network.pieces`; on foot without.
    """
    lit = lit[walk.pieces]
    ways = _find_ways(walk, bicycle_ways)
    return Leg(
        metres=walk.metres,
        minutes=walk.cost_metres / metres_per_minute,
        steps=build_directions(walk, labels, ways, flights),
        line=walk.line,
        pieces=walk.pieces,
        unlit_metres=float(walk.piece_metres[lit == UNLIT_TAG].sum()),
        lighting_unknown_metres=float(walk.piece_metres[lit == ""].sum()),
        pushed_metres=float(
            walk.piece_metres[np.isin(ways, list(OFF_BICYCLE_WAYS.values()))].sum()
        ),
    )


def _find_ways(walk: Walk, bicycle_ways: NDArray[np.int8] | None) -> NDArray[np.object_]:
    """(s,) "walk", or by bicycle "ride", "push" or "carry"."""
    if bicycle_ways is None:
        return np.full(len(walk.pieces), "walk", dtype=object)
    kind = bicycle_ways[walk.pieces, walk.backwards.astype(np.int64)]
    return np.array([OFF_BICYCLE_WAYS.get(int(each), "ride") for each in kind], dtype=object)


def build_directions(
    walk: Walk,
    labels: NDArray[np.object_],
    ways: NDArray[np.object_] | None = None,
    flights: NDArray[np.object_] | None = None,
) -> tuple[Step, ...]:
    """The steps of a walk, one a street.

    `labels` and `flights` are as for `build_leg`; `ways` is (s,) how each piece is gone along;
    default on foot.
    """
    if not len(walk.pieces):
        return ()
    ways = np.full(len(walk.pieces), "walk", dtype=object) if ways is None else ways
    climbs = _find_climbs(walk, flights)
    runs = _group_runs(labels[walk.pieces], ways, climbs, walk.piece_metres)
    line = _Line.from_xy(walk.line)
    return _build_steps(_merge_short_between(_split_at_corners(runs, line)), line)


def reverse_directions(steps: Sequence[Step], line: NDArray[np.float64]) -> tuple[Step, ...]:
    """The directions of a leg that is walked the other way round, along (v, 2) `line` in metres."""
    runs = [
        _Run(
            step.street,
            step.way,
            step.metres,
            flight=OTHER_WAY.get(step.flight, step.flight),
            lead=step.tail_metres,
        )
        for step in reversed(steps)
    ]
    return _build_steps(runs, _Line.from_xy(line))


def _find_climbs(walk: Walk, flights: NDArray[np.object_] | None) -> NDArray[np.object_]:
    """(s,) the flight of steps on each piece, as it is walked."""
    if flights is None:
        return np.full(len(walk.pieces), "", dtype=object)
    along = flights[walk.pieces]
    back = np.array([OTHER_WAY.get(flight, flight) for flight in along], dtype=object)
    return np.where(walk.backwards, back, along)


class _Line(NamedTuple):
    """What is walked: (v, 2) points in metres, and (v,) the metres along it at each."""

    xy: NDArray[np.float64]
    along: NDArray[np.float64]

    @classmethod
    def from_xy(cls, xy: NDArray[np.float64]) -> "_Line":
        return cls(xy, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]))

    def compute_bearing(self, at_metres: float, *, forward: bool) -> float:
        """Direction walked just after (or before) a point, clockwise from north, in radians."""
        sign = 1.0 if forward else -1.0
        ends = np.clip([at_metres, at_metres + sign * LOOK_METRES], 0.0, self.along[-1])
        x, y = (np.interp(ends, self.along, axis) for axis in self.xy.T)
        return float(np.arctan2(sign * (x[1] - x[0]), sign * (y[1] - y[0])))

    def compute_turn(self, at_metres: float) -> float:
        """Degrees turned at a point, clockwise positive, from -180 to 180."""
        after, before = (self.compute_bearing(at_metres, forward=way) for way in (True, False))
        return float((np.degrees(after - before) + 180) % 360 - 180)


def _build_steps(runs: Sequence["_Run"], line: _Line) -> tuple[Step, ...]:
    """Streets and metres along a line as directions.

    A turn is the one from the street before to the street after, whatever short bits lie between:
    the tail of the one and the lead of the other are skipped.
    """
    runs = _merge_short_ends(runs, line.compute_bearing)
    starts = np.cumsum([0.0, *(run.metres for run in runs)])
    steps = []
    for number, run in enumerate(runs):
        after = line.compute_bearing(starts[number] + run.lead, forward=True)
        turn: Turn = HEADINGS[round(np.degrees(after) / 45) % 8]
        if number > 0:
            at = starts[number] - runs[number - 1].tail
            turn = describe_turn(after - line.compute_bearing(at, forward=False))
        steps.append(
            Step(turn, run.name, float(run.metres), run.way, float(run.tail), flight=run.flight)
        )
    return tuple(steps)


def _merge_short_ends(runs: Sequence["_Run"], bearing: Callable[..., float]) -> list["_Run"]:
    """Give a short bit at the start or the end to the street next to it, unless one turns there.

    One that is shorter than `MIN_END_METRES` is given away whatever its direction.
    """
    merged = list(runs)
    for end in (0, -1):
        bit = merged[end]
        if len(merged) == 1 or not bit.is_short:
            continue
        at = bit.metres if end == 0 else sum(run.metres for run in merged) - bit.metres
        turn = describe_turn(bearing(at, forward=True) - bearing(at, forward=False))
        if bit.metres < MIN_END_METRES or turn == STRAIGHT_ON:
            merged.pop(end)
            street = merged[end].lengthen(bit.metres)
            merged[end] = (
                street._replace(lead=bit.metres) if end == 0 else street._replace(tail=bit.metres)
            )
    return merged


def describe_turn(radians: float) -> Turn:
    """A change of direction, clockwise positive, in words.

    Examples
    --------
    >>> [describe_turn(np.radians(degrees)) for degrees in (5, 90, -90, 45, 175)]
    ['straight on', 'right', 'left', 'bear right', 'turn back']
    """
    degrees = (np.degrees(radians) + 180) % 360 - 180
    size = abs(degrees)
    if size < 30:  # noqa: PLR2004 - these are the words' own limits
        return STRAIGHT_ON
    if size > 150:  # noqa: PLR2004
        return "turn back"
    if size >= 60:  # noqa: PLR2004
        return "right" if degrees > 0 else "left"
    return "bear right" if degrees > 0 else "bear left"


class _Run(NamedTuple):
    """Neighbouring pieces of one name, gone along in one way.

    `lead` and `tail` are the metres at its beginning and end that are short bits of something else.
    """

    name: str
    way: str
    metres: float
    flight: Flight = ""
    lead: float = 0.0
    tail: float = 0.0
    is_round_corner: bool = False
    """Whether it begins with a corner."""

    @property
    def is_short(self) -> bool:
        """Whether it is too short for a direction of its own."""
        if self.flight:
            return False
        is_off_bicycle = self.way in OFF_BICYCLE_WAYS.values()
        return self.metres < (MIN_PUSH_METRES if is_off_bicycle else MIN_STEP_METRES)

    @property
    def kind(self) -> tuple[str, str, str]:
        """What neighbouring pieces have in common to be one run."""
        return self.name, self.way, self.flight

    def lengthen(self, metres: float) -> "_Run":
        """The run with so many metres more."""
        return self._replace(metres=self.metres + metres)


def _group_runs(
    names: NDArray[np.object_],
    ways: NDArray[np.object_],
    flights: NDArray[np.object_],
    metres: NDArray[np.float64],
) -> list[_Run]:
    """Neighbouring pieces of one name, way and flight as one."""
    changes = np.zeros(len(names) - 1, dtype=bool)
    for kinds in (names, ways, flights):
        changes |= kinds[1:] != kinds[:-1]
    opens = np.flatnonzero(np.r_[True, changes])
    return [
        _Run(str(names[start]), str(ways[start]), float(total), flight=flights[start])
        for start, total in zip(opens, np.add.reduceat(metres, opens), strict=True)
    ]


def _split_at_corners(runs: Sequence[_Run], line: _Line) -> list[_Run]:
    """Runs, cut at the corners on streets without a name; each knows if it begins at a corner."""
    starts = np.cumsum([0.0, *(run.metres for run in runs)])
    inside = [
        line.along[(line.along > start) & (line.along < end)]
        for run, start, end in zip(runs, starts[:-1], starts[1:], strict=True)
        if run.name in KIND_LABELS and not run.flight
    ]
    corners = _find_corners(line, np.concatenate([starts[1:-1], *inside]))
    cut: list[_Run] = []
    for run, start, end in zip(runs, starts[:-1], starts[1:], strict=True):
        own = sorted(at for at in corners if start < at < end)
        for begin, stop in zip([start, *own], [*own, end], strict=True):
            cut.append(run._replace(metres=stop - begin, is_round_corner=begin in corners))
    return cut


def _find_corners(line: _Line, places: NDArray[np.float64]) -> set[float]:
    """Which places along a line are corners.

    A corner is seen from some metres before and after it as well: of those within `LOOK_METRES`
    that turn to the same side, the sharpest is the corner.
    """
    turns = {float(at): line.compute_turn(float(at)) for at in places}
    sharp = [at for at, turn in turns.items() if abs(turn) >= CORNER_DEGREES]
    corners: set[float] = set()
    for at in sorted(sharp, key=lambda at: (-abs(round(turns[at], 6)), at)):
        if not any(
            abs(at - other) < LOOK_METRES and turns[at] * turns[other] > 0 for other in corners
        ):
            corners.add(at)
    return corners


def _merge_short_between(runs: Sequence[_Run]) -> list[_Run]:
    """Give a short bit between two streets to one of them, unless it has a corner at either end.

    With a corner at its start it goes to the street after it, else to the one before. Short bits in
    a row count by their sum. Those at the ends stay, see `_merge_short_ends`.
    """
    merged: list[_Run] = []
    joined = _join_short_neighbours(runs)
    carried = 0.0  # metres of a short bit round a corner, which the next street begins with
    for number, run in enumerate(joined):
        is_last = number == len(joined) - 1
        ends_at_corner = not is_last and joined[number + 1].is_round_corner
        if carried:
            run = run.lengthen(carried)._replace(is_round_corner=True)  # noqa: PLW2901
            carried = 0.0
        if merged and not run.is_round_corner and merged[-1].kind == run.kind:
            merged[-1] = merged[-1].lengthen(run.metres)._replace(tail=0.0)
        elif not merged or is_last or not run.is_short:
            merged.append(run)
        elif not run.is_round_corner:
            tail = 0.0 if ends_at_corner else run.metres
            merged[-1] = merged[-1].lengthen(run.metres)._replace(tail=tail)
        elif ends_at_corner:
            merged.append(run)
        else:
            carried = run.metres
    return merged


def _join_short_neighbours(runs: Sequence[_Run]) -> list[_Run]:
    """Short bits in a row as one, called after the longest of them; a corner ends the row."""
    rows: list[list[_Run]] = []
    for run in runs:
        if rows and run.is_short and rows[-1][-1].is_short and not run.is_round_corner:
            rows[-1].append(run)
        else:
            rows.append([run])
    return [
        max(row, key=lambda run: run.metres)._replace(
            metres=sum(run.metres for run in row), is_round_corner=row[0].is_round_corner
        )
        for row in rows
    ]
