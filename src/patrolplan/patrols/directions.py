"""Directions of a walk or ride, street by street."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from patrolplan.network.paths import Walk
from patrolplan.network.pieces import CARRY, PUSH
from patrolplan.patrols.plan import Heading, Leg, Step, Turn

MIN_STEP_METRES = 25.0
"""A bit of street shorter than this, such as a crossing, is not a direction of its own."""

MIN_PUSH_METRES = 8.0
"""A shorter bit to get off the bicycle for, such as the edge of a square, is left out."""

MIN_END_METRES = 8.0
"""A shorter bit at either end of a leg is always left out, whatever its direction."""

STRAIGHT_ON: Turn = "straight on"

OFF_BICYCLE_WAYS = {PUSH: "push", CARRY: "carry"}

LOOK_METRES = 12.0
"""So far before and after a corner its direction is looked at."""

UNLIT_TAG = "no"
"""The OpenStreetMap value of `lit` for a street without lighting."""

HEADINGS: tuple[Heading, ...] = get_args(Heading)


def build_leg(
    walk: Walk,
    labels: NDArray[np.object_],
    lit: NDArray[np.object_],
    metres_per_minute: float,
    *,
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
    bicycle_ways
        (p, 2) how a bicycle goes along each piece and against it, see
        `patrolplan.network.pieces`; on foot without.
    """
    lit = lit[walk.pieces]
    ways = _find_ways(walk, bicycle_ways)
    return Leg(
        metres=walk.metres,
        minutes=walk.cost_metres / metres_per_minute,
        steps=build_directions(walk, labels, ways),
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
    walk: Walk, labels: NDArray[np.object_], ways: NDArray[np.object_] | None = None
) -> tuple[Step, ...]:
    """The steps of a walk, one a street.

    `labels` are as for `build_leg`; `ways` is (s,) how each piece is gone along; default on foot.
    """
    if not len(walk.pieces):
        return ()
    ways = np.full(len(walk.pieces), "walk", dtype=object) if ways is None else ways
    runs = _merge_short_between(_group_runs(labels[walk.pieces], ways, walk.piece_metres))
    return _build_steps(runs, walk.line)


def reverse_directions(steps: Sequence[Step], line: NDArray[np.float64]) -> tuple[Step, ...]:
    """The directions of a leg that is walked the other way round, along (v, 2) `line` in metres."""
    runs = [
        _Run(step.street, step.way, step.metres, lead=step.tail_metres) for step in reversed(steps)
    ]
    return _build_steps(runs, line)


def _build_steps(runs: Sequence["_Run"], line: NDArray[np.float64]) -> tuple[Step, ...]:
    """Streets and metres along a line as directions.

    A turn is the one from the street before to the street after, whatever short bits lie between:
    the tail of the one and the lead of the other are skipped.
    """
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    bearing = partial(_compute_bearing, line, along)
    runs = _merge_short_ends(runs, bearing)
    starts = np.cumsum([0.0, *(run.metres for run in runs)])
    steps = []
    for number, run in enumerate(runs):
        after = bearing(starts[number] + run.lead, forward=True)
        turn: Turn = HEADINGS[round(np.degrees(after) / 45) % 8]
        if number > 0:
            before = bearing(starts[number] - runs[number - 1].tail, forward=False)
            turn = describe_turn(after - before)
        steps.append(Step(turn, run.name, float(run.metres), run.way, float(run.tail)))
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
    lead: float = 0.0
    tail: float = 0.0

    @property
    def is_short(self) -> bool:
        """Whether it is too short for a direction of its own."""
        is_off_bicycle = self.way in OFF_BICYCLE_WAYS.values()
        return self.metres < (MIN_PUSH_METRES if is_off_bicycle else MIN_STEP_METRES)

    def lengthen(self, metres: float) -> "_Run":
        """The run with so many metres more."""
        return self._replace(metres=self.metres + metres)


def _group_runs(
    names: NDArray[np.object_], ways: NDArray[np.object_], metres: NDArray[np.float64]
) -> list[_Run]:
    """Neighbouring pieces of one name and way as one."""
    changes = (names[1:] != names[:-1]) | (ways[1:] != ways[:-1])
    opens = np.flatnonzero(np.r_[True, changes])
    return [
        _Run(str(names[start]), str(ways[start]), float(total))
        for start, total in zip(opens, np.add.reduceat(metres, opens), strict=True)
    ]


def _merge_short_between(runs: Sequence[_Run]) -> list[_Run]:
    """Give a short bit between two streets to the one before it.

    Short bits in a row count by their sum. Those at the ends stay, see `_merge_short_ends`.
    """
    merged: list[_Run] = []
    joined = _join_short_neighbours(runs)
    for number, run in enumerate(joined):
        if merged and (merged[-1].name, merged[-1].way) == (run.name, run.way):
            merged[-1] = merged[-1].lengthen(run.metres)._replace(tail=0.0)
        elif 0 < number < len(joined) - 1 and run.is_short:
            merged[-1] = merged[-1].lengthen(run.metres)._replace(tail=run.metres)
        else:
            merged.append(run)
    return merged


def _join_short_neighbours(runs: Sequence[_Run]) -> list[_Run]:
    """Short bits in a row as one, called after the longest of them."""
    joined: list[_Run] = []
    for are_short, group in groupby(runs, key=lambda run: run.is_short):
        bits = list(group)
        if are_short:
            longest = max(bits, key=lambda run: run.metres)
            bits = [longest._replace(metres=sum(run.metres for run in bits))]
        joined += bits
    return joined


def _compute_bearing(
    line: NDArray[np.float64], along: NDArray[np.float64], at_metres: float, *, forward: bool
) -> float:
    """Direction walked just after (or before) a point of the line, clockwise from north.

    `along` are the metres at each of the line's points.
    """
    sign = 1.0 if forward else -1.0
    ends = np.clip([at_metres, at_metres + sign * LOOK_METRES], 0.0, along[-1])
    x = np.interp(ends, along, line[:, 0])
    y = np.interp(ends, along, line[:, 1])
    return float(np.arctan2(sign * (x[1] - x[0]), sign * (y[1] - y[0])))
