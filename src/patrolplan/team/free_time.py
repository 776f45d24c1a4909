"""When officers are free for a patrol: their hours of duty, less what else they have to do."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.inputs.lookups import WEEKDAYS
from patrolplan.team.problem import MINUTES_TOLERANCE, Bools, Floats
from patrolplan.times import minutes_after_midnight


@dataclass(frozen=True)
class Appointment:
    """Something else that an officer does on a day, with the ways there and back."""

    officer: str
    date: dt.date
    kind: str
    """Of `patrolplan.tables.DUTIES`."""
    leave_minutes: float
    """When they set out from the base."""
    from_minutes: float
    to_minutes: float
    back_minutes: float
    """When they are back at the base."""
    urn: str = ""
    """School where it is; empty where it is at none."""


@dataclass(frozen=True, eq=False)
class FreeTime:
    """Hours and appointments of officers (k) on days (d)."""

    area: StudyArea
    officers: tuple[str, ...]
    """(k,) names, those of the table first."""
    days: Sequence[dt.date]

    @cached_property
    def hours(self) -> Floats:
        """(k, d, 2) duty from and to, NaN when off."""
        hours = np.full((len(self.officers), len(self.days), 2), np.nan)
        for row, officer in enumerate(self.area.officers[list(WEEKDAYS)].to_dict("records")):
            hours[row] = [_parse_hours(officer[WEEKDAYS[day.weekday()]]) for day in self.days]
        return hours

    @cached_property
    def appointments(self) -> tuple[Appointment, ...]:
        """All of the officers' appointments in these days, by day and start."""
        return ()

    def fit(self, set_out: Floats, end: Floats, back: Floats) -> Bools:
        """(k, d, r) whether an officer is free for each route on each day.

        On duty from setting out until the end, and without an appointment until back at the base.

        Parameters
        ----------
        set_out, back
            (k, r) minutes after midnight when each officer leaves the base and is back.
        end
            (r,) end of each route.
        """
        duty = self.hours[:, :, :, None]
        early = duty[:, :, 0] <= set_out[:, None, :] + MINUTES_TOLERANCE
        del back
        return np.asarray(early & (end <= duty[:, :, 1] + MINUTES_TOLERANCE))


def _parse_hours(hours: str) -> tuple[float, float]:
    if not hours:
        return (np.nan, np.nan)
    begin, end = hours.split("-")
    return (minutes_after_midnight(begin), minutes_after_midnight(end))
