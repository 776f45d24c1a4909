"""Turns of a walked line: their places, angles and names."""

from typing import NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from patrolplan.patrols.legs import Heading, Turn

LOOK_METRES = 12.0  # distance before and after a corner at which directions are measured
CORNER_DEGREES = 60.0  # minimum turn that counts as a corner

STRAIGHT_ON: Turn = "straight on"

HEADINGS: tuple[Heading, ...] = get_args(Heading)


class WalkedLine(NamedTuple):
    """A walked line: (v, 2) points in metres, and (v,) the distance along it of each."""

    xy: NDArray[np.float64]
    along: NDArray[np.float64]

    @classmethod
    def from_xy(cls, xy: NDArray[np.float64]) -> Self:
        """A line from its points."""
        return cls(xy, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]))

    def find_points(self, at_metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k, 2) the places at these distances along the line."""
        return np.column_stack([np.interp(at_metres, self.along, axis) for axis in self.xy.T])

    def compute_bearings(
        self, at_metres: NDArray[np.float64], *, forward: bool
    ) -> NDArray[np.float64]:
        """(k,) direction walked just after (or before) places, clockwise from north, in radians."""
        sign = 1.0 if forward else -1.0
        ends = np.clip([at_metres, at_metres + sign * LOOK_METRES], 0.0, self.along[-1])
        x, y = (np.interp(ends, self.along, axis) for axis in self.xy.T)
        return np.asarray(np.arctan2(sign * (x[1] - x[0]), sign * (y[1] - y[0])))

    def compute_bearing(self, at_metres: float, *, forward: bool) -> float:
        """Direction walked just after (or before) one place."""
        return float(self.compute_bearings(np.array([at_metres]), forward=forward)[0])

    def find_corners(self, places: NDArray[np.float64]) -> list[float]:
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
        return STRAIGHT_ON
    if size > 150:  # noqa: PLR2004
        return "turn back"
    if size >= CORNER_DEGREES:
        return "right" if degrees > 0 else "left"
    return "bear right" if degrees > 0 else "bear left"
