"""When pupils leave school and come to it, by minutes from the bells.

A pupil leaves the gate some minutes after the bell, walks at one speed, and at a stop waits for the
bus. In the morning the same way is walked towards the gate, before the opening bell.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

STEP_MINUTES = 0.1  # walks are rounded to this; a pupil walks 8 m in it

LATE_SPREAD_MINUTES = 12.0
"""Standard deviation of the time at which pupils leave who stay for a club."""

ARRIVAL_MINUTES = 30  # no pupil is assumed to arrive earlier than this before school opens

ARRIVAL_MEAN_MINUTES = 10.0
"""Mean time of arrival before school opens, before that limit; arriving mirrors leaving."""

PUPIL_METRES_PER_MINUTE = 75.0
"""4.5 km/h, assumed: children and groups walk a little slower than an adult alone."""

WAIT_MINUTES = 6.0
"""Mean wait at a bus stop, assumed."""

LONGEST_MINUTES = 24 * 60.0


@dataclass(frozen=True, eq=False)
class LeavingCurve:
    """Share of pupils who have left the gate, and who wait at a stop, by minutes after the bell.

    Most leave by a gamma distribution of shape 2; the late share by a normal one, cut off at the
    bell.
    """

    leave_minutes: float  # Mean of the first
    late_share: float  # of the second
    late_minutes: float  # Mean of the second
    _waiting: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The integral of the share who wait, in steps. The share w who wait changes by arrivals
        # less w / wait. Within a step arrivals are taken as even, which makes the step exact
        # otherwise.
        steps = np.arange(int(LONGEST_MINUTES / STEP_MINUTES) + 1) * STEP_MINUTES
        arrived = self.left(steps)
        remain = np.exp(-STEP_MINUTES / WAIT_MINUTES)
        fresh = np.diff(arrived) * WAIT_MINUTES / STEP_MINUTES * (1 - remain)
        waiting = np.zeros(len(steps))
        for step in range(len(fresh)):
            waiting[step + 1] = waiting[step] * remain + fresh[step]
        # Summed up, that says: what has been waited is the mean wait of all who have gone on.
        object.__setattr__(self, "_waiting", WAIT_MINUTES * (arrived - waiting))

    def find_minutes(self, share: float) -> float:
        """Minutes after the bell, in steps, when this share have left."""
        steps = np.arange(0, LONGEST_MINUTES, STEP_MINUTES)
        return float(steps[np.searchsorted(self.left(steps), share)])

    def left(self, minutes: ArrayLike) -> NDArray[np.float64]:
        """Share who have left so many minutes after the bell; 0 before it."""
        return share_left(minutes, self.leave_minutes, self.late_share, self.late_minutes)

    def waited(self, minutes: ArrayLike) -> NDArray[np.float64]:
        """Minutes waited at a stop on average, up to so many after the bell less the walk."""
        at = np.asarray(minutes, dtype=np.float64) / STEP_MINUTES
        last = len(self._waiting) - 1
        return np.asarray(np.interp(at, np.arange(last + 1), self._waiting))


def share_left(
    minutes: ArrayLike, leave_minutes: float, late_share: float, late_minutes: float
) -> NDArray[np.float64]:
    """Share who have left so many minutes after the bell, see `LeavingCurve`."""
    after = np.maximum(np.asarray(minutes, dtype=np.float64), 0.0)
    first = _sum_gamma(after, leave_minutes)
    # Those who stay for a club leave around its end, none before the bell: the normal curve is cut
    # there, and what is left of it is the whole.
    early = scipy.special.ndtr(-late_minutes / LATE_SPREAD_MINUTES)
    late = (scipy.special.ndtr((after - late_minutes) / LATE_SPREAD_MINUTES) - early) / (1 - early)
    return np.asarray((1 - late_share) * first + late_share * late)


def _sum_gamma(minutes: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Distribution function of a gamma of shape 2."""
    scaled = minutes * 2 / mean
    return np.asarray(-np.expm1(-scaled) - scaled * np.exp(-scaled))


def arrived(minutes: ArrayLike) -> NDArray[np.float64]:
    """Share who are at school so many minutes (negative) before it opens."""
    before = np.clip(-np.asarray(minutes, dtype=np.float64), 0.0, ARRIVAL_MINUTES)
    mean = ARRIVAL_MEAN_MINUTES
    whole = _sum_gamma(np.array(float(ARRIVAL_MINUTES)), mean)
    return np.asarray(1 - _sum_gamma(before, mean) / whole)


@lru_cache(maxsize=256)
def build_curve(leave_minutes: float, late: tuple[float, float]) -> LeavingCurve:
    """The curve of schools with this share and minutes of those who leave later."""
    return LeavingCurve(leave_minutes, *late)


@dataclass(frozen=True)
class Timetable:
    """When the pupils of a school pass a place on their way home, and on their way to school."""

    leave_minutes: float  # of most pupils on average, from bell to gate
    late: tuple[float, float]  # share of pupils who leave later, and their minutes after the bell
    bell_minutes: float  # the closing bell, after midnight
    opening_minutes: float

    @property
    def curve(self) -> LeavingCurve:
        """How they leave the gate."""
        return build_curve(self.leave_minutes, self.late)

    def share_passed(self, minutes: ArrayLike, walk_minutes: ArrayLike) -> NDArray[np.float64]:
        """Share who have passed a place so far from the gate by a time, 2 by the end of the day."""
        return self.share_passed_home(minutes, walk_minutes) + self.share_passed_to_school(
            minutes, walk_minutes
        )

    def share_passed_home(self, minutes: ArrayLike, walk_minutes: ArrayLike) -> NDArray[np.float64]:
        """Share who have passed it on their way home, by minutes after midnight."""
        return self.curve.left(np.subtract(minutes, walk_minutes) - self.bell_minutes)

    def share_passed_to_school(
        self, minutes: ArrayLike, walk_minutes: ArrayLike
    ) -> NDArray[np.float64]:
        """Share who have passed it on their way to school, by minutes after midnight."""
        return arrived(np.add(minutes, walk_minutes) - self.opening_minutes)

    def minutes_waited(self, minutes: ArrayLike, walk_minutes: ArrayLike) -> NDArray[np.float64]:
        """Minutes that each has waited on average at a stop so far from the gate by a time."""
        return self.curve.waited(np.subtract(minutes, walk_minutes) - self.bell_minutes)
