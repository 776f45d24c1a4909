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
from patrolplan.team.calendar_state import PersonPatrol, find_calendar_version, list_person_patrols
from patrolplan.team.week import Duty
from patrolplan.times import format_time

BRITISH_ZONE = ZoneInfo("Europe/London")


def render_calendars(roster: Roster, officers: Sequence[RosterOfficer]) -> dict[str, bytes]:
    """Each officer's calendar by its file."""
    known = {patrol.officer for patrol in roster.week.calendar.withdrawn}
    known |= {name for duty in roster.week.duties for name in duty.people}
    return {
        f"calendars/{officer.file_name}.ics": render_calendar(roster, officer)
        for officer in officers
        if officer.name in known
    }


def render_calendar(roster: Roster, officer: RosterOfficer) -> bytes:
    """An officer's patrols as iCalendar (RFC 5545); equal weeks give equal bytes."""
    calendar = icalendar.Calendar()
    calendar.add("PRODID", "-//patrolplan//patrolplan//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    calendar["X-WR-CALNAME"] = icalendar.vText(_clean(f"Patrols of {officer.name}"))
    calendar["X-WR-CALDESC"] = icalendar.vText(f"School patrols, {format_week(roster.week)}")
    for patrol, duty in list_person_patrols(roster.week).items():
        if patrol.officer == officer.name:
            event = _build_event(roster, patrol, duty.patrol.school, "CONFIRMED")
            event.add("DESCRIPTION", "\n".join(_describe_event(roster, officer, duty)))
            kind = "patrol" if duty.officer == officer.name else "crew"
            event["X-PATROLPLAN-KIND"] = icalendar.vText(kind)
            calendar.add_component(event)
    for patrol in roster.week.calendar.withdrawn:
        if patrol.officer == officer.name:
            school = roster.schools_by_urn.get(patrol.urn)
            name = f"URN {patrol.urn}" if school is None else school.name
            event = _build_event(roster, patrol, name, "CANCELLED")
            event.add("DESCRIPTION", "This patrol is withdrawn.")
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _build_event(roster: Roster, patrol: PersonPatrol, school: str, status: str) -> icalendar.Event:
    """When and where a patrol is, with the identity and version of its event."""
    week, name = roster.week, _clean(school)
    monday = patrol.date - dt.timedelta(days=patrol.date.weekday())
    facts = (week.plan.area.name, f"{monday}", patrol.officer, f"{patrol.date}")
    uid = hash_content(chr(0x1F).join((*facts, patrol.urn, patrol.window)))[:32]
    version = find_calendar_version(week)
    event = icalendar.Event()
    event["UID"] = icalendar.vText(f"{uid}@patrolplan")
    event["SEQUENCE"] = icalendar.vInt(version)
    # Not the time of creation, so that equal weeks give equal bytes; later versions are later.
    made = dt.datetime.combine(monday, dt.time(), dt.UTC) + dt.timedelta(minutes=version)
    event["DTSTAMP"] = icalendar.vDatetime(made)
    # Moments of universal time need no rules of a zone; outside Great Britain, the local clock.
    is_british = week.plan.area.settings.area.crs.upper() == BRITISH_GRID
    for key, minutes in (("DTSTART", patrol.start_minutes), ("DTEND", patrol.end_minutes)):
        at = dt.datetime.combine(patrol.date, dt.time.fromisoformat(format_time(minutes)))
        event.add(key, at.replace(tzinfo=BRITISH_ZONE).astimezone(dt.UTC) if is_british else at)
    event.add("SUMMARY", f"School patrol: {name}")
    event.add("LOCATION", f"School gate, {name}")
    event.add("STATUS", status)
    event.add("CLASS", "PRIVATE")
    about = {"OFFICER": patrol.officer, "URN": patrol.urn, "WINDOW": patrol.window}
    for key, value in about.items():
        event[f"X-PATROLPLAN-{key}"] = icalendar.vText(_clean(value))
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
