"""`calendars/OFFICER.ics`: an officer's patrols of a week, for the calendar on phone and desk.

An event never has the reason or other places: calendars are shared more widely than cards.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import icalendar

from patrolplan.atomic import hash_content
from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.week.roster import Roster, RosterOfficer, format_week
from patrolplan.outputs.wording import describe_further_window
from patrolplan.team.week import Duty
from patrolplan.times import format_time

BRITISH_ZONE = ZoneInfo("Europe/London")
CHANGES_A_DRAW = 1000  # more than a week has


def render_calendars(roster: Roster, officers: Sequence[RosterOfficer]) -> dict[str, bytes]:
    """Each officer's calendar by its file."""
    busy = [one for one in officers if roster.select_duties(one.name)]
    return {f"calendars/{one.file_name}.ics": render_calendar(roster, one) for one in busy}


def render_calendar(roster: Roster, officer: RosterOfficer) -> bytes:
    """An officer's patrols as iCalendar (RFC 5545); equal weeks give equal bytes."""
    calendar = icalendar.Calendar()
    calendar.add("PRODID", "-//patrolplan//patrolplan//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    calendar["X-WR-CALNAME"] = icalendar.vText(_clean(f"Patrols of {officer.name}"))
    calendar["X-WR-CALDESC"] = icalendar.vText(f"School patrols, {format_week(roster.week)}")
    for duty in roster.select_duties(officer.name):
        calendar.add_component(_build_event(roster, officer, duty))
    return bytes(calendar.to_ical())


def _build_event(roster: Roster, officer: RosterOfficer, duty: Duty) -> icalendar.Event:
    school = _clean(duty.patrol.school)
    week, monday = roster.week, duty.date - dt.timedelta(days=duty.date.weekday())
    own = (officer.name, f"{duty.date}", duty.urn, duty.patrol.window)
    uid = hash_content(chr(0x1F).join((week.plan.area.name, f"{monday}", *own)))[:32]
    # It rises with each change and absence, and above all of these with each draw.
    version = len(week.history) + sum(map(len, week.absent.values()))
    version += 0 if week.draw is None else CHANGES_A_DRAW * week.draw.number
    event = icalendar.Event()
    event["UID"] = icalendar.vText(f"{uid}@patrolplan")
    event["SEQUENCE"] = icalendar.vInt(version)
    # Not the time of creation, so that equal weeks give equal bytes; later versions are later.
    made = dt.datetime.combine(monday, dt.time(), dt.UTC) + dt.timedelta(minutes=version)
    event["DTSTAMP"] = icalendar.vDatetime(made)
    # Moments of universal time need no rules of a zone; outside Great Britain, the local clock.
    is_british = week.plan.area.settings.area.crs.upper() == BRITISH_GRID
    for name, minutes in (("DTSTART", duty.start_minutes), ("DTEND", duty.end_minutes)):
        at = dt.datetime.combine(duty.date, dt.time.fromisoformat(format_time(minutes)))
        event.add(name, at.replace(tzinfo=BRITISH_ZONE).astimezone(dt.UTC) if is_british else at)
    event.add("SUMMARY", f"School patrol: {school}")
    event.add("LOCATION", f"School gate, {school}")
    event.add("DESCRIPTION", "\n".join(_describe_event(roster, officer, duty)))
    event.add("STATUS", "CONFIRMED")
    event.add("CLASS", "PRIVATE")
    kind = "patrol" if duty.officer == officer.name else "crew"
    facts = {"OFFICER": officer.name, "URN": duty.urn, "KIND": kind, "WINDOW": duty.patrol.window}
    for name, value in facts.items():
        event[f"X-PATROLPLAN-{name}"] = icalendar.vText(_clean(value))
    return event


def _describe_event(roster: Roster, officer: RosterOfficer, duty: Duty) -> list[str]:
    """When to leave, be at the gate and be back, and with whom, by role."""
    window = describe_further_window(duty.patrol)
    others = roster.describe_others(officer.name, duty)
    lines = [f"{window}."] if window else []
    for item in roster.officer_days[officer.name, duty.date]:
        if item.duty is duty:
            start, end = format_time(item.from_minutes), format_time(item.to_minutes)
            way = f"Set out from the base at {start}."
            way = way if item.towards == "gate" else f"Back at the base at about {end}."
            lines.append(f"At the gate at {start}." if item.kind == "patrol" else way)
    return [*lines, *([f"With {others}."] if others else []), "The route is on the card."]


def _clean(text: str) -> str:
    """A name on one line, without control characters."""
    kinds = ((sign, unicodedata.category(sign)) for sign in text)
    return " ".join("".join(" " if kind[0] in "CZ" else sign for sign, kind in kinds).split())
