"""What calendars were told of a week: the number of their version, and patrols withdrawn since.

A calendar keeps an event until a later version withdraws it; so a version never falls, also where a
change is undone, and a patrol that is gone stays known with the week.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, with_config

from patrolplan.patrols.file_forms import RECORD, Day, Minutes
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.team.week import Duty, Week

CHANGES_A_DRAW = 1000  # more than a week has


@with_config(RECORD)
@dataclass(frozen=True, order=True)
class PersonPatrol:
    """A patrol in the calendar of somebody who goes on it."""

    officer: str
    date: Day
    urn: str
    window: str
    start_minutes: Annotated[Minutes, Field(alias="start")]
    end_minutes: Annotated[Minutes, Field(alias="end")]

    @property
    def key(self) -> tuple[object, ...]:
        """What stays the same where its times change."""
        return (self.officer, self.date, self.urn, self.window)


@with_config(RECORD)
@dataclass(frozen=True)
class CalendarState:
    """The last version of a week's calendars."""

    version: Annotated[int, Field(ge=0, strict=True)] = 0
    withdrawn: tuple[PersonPatrol, ...] = ()
    """Patrols that an earlier version had, and this one has not."""


NEVER_SENT = CalendarState()


def list_person_patrols(week: "Week") -> dict[PersonPatrol, "Duty"]:
    """Every patrol of a week for each of its people."""
    return {
        PersonPatrol(
            name,
            duty.date,
            duty.urn,
            duty.patrol.window,
            round(duty.start_minutes),
            round(duty.end_minutes),
        ): duty
        for duty in week.duties
        for name in duty.people
    }


def find_calendar_version(week: "Week") -> int:
    """The version of a week's calendars: above all changes of a draw with each draw."""
    drawn = 0 if week.draw is None else CHANGES_A_DRAW * week.draw.number
    return max(drawn, week.calendar.version)


def follow_calendars(week: "Week", before: "Week") -> "Week":
    """A week whose calendars are a later version of those of `before`, where anything changed."""
    if {*week.days}.isdisjoint(before.days):
        return week
    present, past = list_person_patrols(week), list_person_patrols(before)
    is_changed = _tell_events(present) != _tell_events(past)
    keys = {patrol.key for patrol in present}
    known = {
        patrol.key: patrol
        for patrol in (*week.calendar.withdrawn, *before.calendar.withdrawn, *past)
        if patrol.key not in keys
    }
    version = find_calendar_version(before) + is_changed
    if version <= find_calendar_version(week):
        version = week.calendar.version
    return replace(week, calendar=CalendarState(version, tuple(sorted(known.values()))))


def _tell_events(patrols: dict[PersonPatrol, "Duty"]) -> dict[PersonPatrol, tuple[object, ...]]:
    """What each event says besides its patrol: who leads and comes, setting out and return."""
    return {
        patrol: (
            duty.people,
            *(
                None if math.isnan(minutes) else format_time(minutes)
                for minutes in (duty.leave_minutes, duty.back_minutes)
            ),
        )
        for patrol, duty in patrols.items()
    }
