"""Walks -> legs with directions, street by street."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Step
from patrolplan.walks import Walk

SHORT_METRES = 25.0
"""A bit of street shorter than this, such as a crossing, is no direction of its own."""

UNLIT = "no"
"""The OpenStreetMap value of `lit` for a street without lighting."""

COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def leg_of(walk: Walk, labels: NDArray[np.object_], metres_per_minute: float) -> Leg:
    """A leg with its directions.

    Parameters
    ----------
    walk
        Along a network's pieces.
    labels
        (p,) what each of that network's pieces is called.
    metres_per_minute
        Walking speed.
    """
    lit = walk.network.piece_lit[walk.pieces]
    return Leg(
        metres=walk.metres,
        minutes=walk.metres / metres_per_minute,
        steps=directions(walk, labels),
        line=walk.line,
        pieces=walk.pieces,
        unlit_metres=float(walk.piece_metres[lit == UNLIT].sum()),
        lighting_unknown_metres=float(walk.piece_metres[lit == ""].sum()),
    )


def directions(walk: Walk, labels: NDArray[np.object_]) -> tuple[Step, ...]:
    """Street by street: how each begins, its name, and the metres along it."""
    if not len(walk.pieces):
        return ()
    names = labels[walk.pieces]
    runs = _without_short(_runs(names, walk.piece_metres))
    return _told(runs, walk.line)


def turned_back(steps: Sequence[Step], line: NDArray[np.float64]) -> tuple[Step, ...]:
    """The directions of a leg that is walked the other way round.

    Parameters
    ----------
    steps
        As walked before.
    line
        (v, 2) metres, as it is walked now.
    """
    return _told([(step.street, step.metres) for step in reversed(steps)], line)


def _told(runs: Sequence[tuple[str, float]], line: NDArray[np.float64]) -> tuple[Step, ...]:
    """Streets and metres along a line as directions."""
    starts = np.cumsum([0.0, *(metres for _, metres in runs)])
    steps = []
    for number, (name, metres) in enumerate(runs):
        if number == 0:
            turn = f"head {_compass(_bearing(line, 0.0, forward=True))}"
        else:
            before = _bearing(line, starts[number], forward=False)
            after = _bearing(line, starts[number], forward=True)
            turn = turn_words(after - before)
        steps.append(Step(turn, name, float(metres)))
    return tuple(steps)


def turn_words(radians: float) -> str:
    """A change of direction, clockwise positive, in words.

    Examples
    --------
    >>> [turn_words(np.radians(degrees)) for degrees in (5, 90, -90, 45, 175)]
    ['straight on', 'right', 'left', 'bear right', 'turn back']
    """
    degrees = (np.degrees(radians) + 180) % 360 - 180
    size = abs(degrees)
    if size < 30:  # noqa: PLR2004 - these are the words' own limits
        return "straight on"
    if size > 150:  # noqa: PLR2004
        return "turn back"
    side = "right" if degrees > 0 else "left"
    return side if size >= 60 else f"bear {side}"  # noqa: PLR2004


def _runs(names: NDArray[np.object_], metres: NDArray[np.float64]) -> list[tuple[str, float]]:
    """Neighbouring pieces of one name as one."""
    opens = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    return [
        (str(names[start]), float(total))
        for start, total in zip(opens, np.add.reduceat(metres, opens), strict=True)
    ]


def _without_short(runs: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Give short bits to the street before them, or after them at the start of a leg."""
    kept: list[tuple[str, float]] = []
    carried = 0.0
    for name, metres in runs:
        if kept and (metres < SHORT_METRES or kept[-1][0] == name):
            kept[-1] = (kept[-1][0], kept[-1][1] + metres)
        elif not kept and metres < SHORT_METRES:
            carried += metres
        else:
            kept.append((name, metres + carried))
            carried = 0.0
    if not kept:
        longest = max(runs, key=lambda run: run[1])
        kept.append((longest[0], carried))
    return kept


def _bearing(line: NDArray[np.float64], at_metres: float, *, forward: bool) -> float:
    """Direction walked just after (or before) a point of the line, clockwise from north."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    look = 12.0 if forward else -12.0
    ends = np.clip([at_metres, at_metres + look], 0.0, along[-1])
    x = np.interp(ends, along, line[:, 0])
    y = np.interp(ends, along, line[:, 1])
    sign = 1.0 if forward else -1.0
    return float(np.arctan2(sign * (x[1] - x[0]), sign * (y[1] - y[0])))


def _compass(radians: float) -> str:
    return COMPASS[round(np.degrees(radians) / 45) % 8]
