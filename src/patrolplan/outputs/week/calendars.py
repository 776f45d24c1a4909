"""`calendars/OFFICER.ics`: an officer's patrols of a week, for the calendar on phone and desk.

An event has the time and the school, but never the reason or other places: calendars are shared
more widely than cards. Appointments are left out, since they came from a calendar.

Calendars identify an event by its UID, and use the version with the highest SEQUENCE. The UID
depends on who patrols when, where and in which window, so that it is the same each time a week is
printed. SEQUENCE is the version number: an event that differs from the calendar printed before gets
the next one, and a patrol that was removed stays in the file as cancelled.
"""

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from patrolplan.atomic import hash_content
from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.week.roster import Roster, RosterOfficer, format_week
from patrolplan.outputs.wording import describe_further_window
from patrolplan.team.week import Duty
from patrolplan.team.where_when import DayItem
from patrolplan.times import format_time

DAYS_A_WEEK = 7

BRITISH_ZONE = "Europe/London"
BRITISH_RULES = b"""BEGIN:VTIMEZONE
TZID:Europe/London
BEGIN:DAYLIGHT
DTSTART:19810329T010000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:BST
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:GMT
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
END:STANDARD
END:VTIMEZONE
"""
"""The time zone as rules, for calendars that do not know names of zones; icalendar's own list of
dates has the change in spring an hour late."""

VERSION_LINES = ("SEQUENCE", "DTSTAMP")


def render_calendars(
    roster: Roster, officers: Sequence[RosterOfficer], earlier: Path | None = None
) -> dict[str, bytes]:
    """Calendars of these officers that have events, by path in the week's folder."""
    files = {}
    for officer in officers:
        name = f"calendars/{officer.file_name}.ics"
        before = () if earlier is None else read_earlier_events(earlier / name)
        if before or roster.select_duties(officer.name):
            files[name] = render_calendar(roster, officer, before)
    return files


def read_earlier_events(path: Path) -> tuple[icalendar.Event, ...]:
    """Events of a calendar that was printed before; empty if it cannot be read."""
    try:
        calendar = icalendar.Calendar.from_ical(path.read_bytes())
    except (OSError, ValueError):
        return ()
    events = (event for event in calendar.walk("VEVENT") if isinstance(event, icalendar.Event))
    return tuple(event for event in events if "UID" in event and "DTSTART" in event)


def render_calendar(
    roster: Roster, officer: RosterOfficer, earlier: Sequence[icalendar.Event] = ()
) -> bytes:
    """An officer's patrols as iCalendar (RFC 5545); equal weeks give equal bytes.

    Of the calendar that this one replaces, events of other weeks are left out, those of days that
    are not in this week stay, and patrols that were removed are cancelled.
    """
    week = roster.week
    monday = week.start - dt.timedelta(days=week.start.weekday())
    # Outside Great Britain times are local times without a zone.
    is_british = week.plan.area.settings.area.crs.upper() == BRITISH_GRID
    zone = ZoneInfo(BRITISH_ZONE) if is_british else None
    events = [
        _build_event(roster, officer, duty, zone) for duty in roster.select_duties(officer.name)
    ]
    before = {
        str(event["UID"]): event
        for event in earlier
        if 0 <= (_get_day(event) - monday).days < DAYS_A_WEEK
    }
    events += _list_further_events(before, {str(event["UID"]) for event in events}, week.days)
    latest = max((int(event.get("SEQUENCE", 0)) for event in before.values()), default=-1)
    calendar = icalendar.Calendar()
    calendar.add("PRODID", "-//patrolplan//patrolplan//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    calendar["X-WR-CALNAME"] = icalendar.vText(_clean(f"Patrols of {officer.name}"))
    calendar["X-WR-CALDESC"] = icalendar.vText(f"School patrols, {format_week(week)}")
    if zone is not None:
        calendar.add_component(icalendar.Timezone.from_ical(BRITISH_RULES))
    for event in events:
        old = before.get(str(event["UID"]))
        is_same = old is not None and _list_facts(old) == _list_facts(event)
        number = int(old.get("SEQUENCE", 0)) if old is not None and is_same else latest + 1
        event["SEQUENCE"] = icalendar.vInt(number)
        # Not the time of creation, so that equal weeks give equal bytes; later versions are later.
        stamp = dt.datetime.combine(monday, dt.time(0, number % 60), dt.UTC)
        event["DTSTAMP"] = icalendar.vDatetime(stamp + dt.timedelta(hours=number // 60))
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def build_uid(area: str, officer: str, duty: Duty) -> str:
    """The UID of an officer's patrol, which reveals neither."""
    monday = duty.date - dt.timedelta(days=duty.date.weekday())
    facts = (area, f"{monday}", officer, f"{duty.date}", duty.urn, duty.patrol.window)
    return f"{hash_content(chr(0x1F).join(facts))[:32]}@patrolplan"


def _build_event(
    roster: Roster, officer: RosterOfficer, duty: Duty, zone: ZoneInfo | None
) -> icalendar.Event:
    school = _clean(duty.patrol.school)
    event = icalendar.Event()
    event["UID"] = icalendar.vText(build_uid(roster.week.plan.area.name, officer.name, duty))
    event.add("DTSTART", _convert_to_moment(duty.date, duty.start_minutes, zone))
    event.add("DTEND", _convert_to_moment(duty.date, duty.end_minutes, zone))
    event.add("SUMMARY", f"School patrol: {school}")
    event.add("LOCATION", f"School gate, {school}")
    event.add("DESCRIPTION", "\n".join(_describe_event(roster, officer, duty)))
    event.add("STATUS", "CONFIRMED")
    event.add("CLASS", "PRIVATE")
    facts = {
        "OFFICER": officer.name,
        "URN": duty.urn,
        "KIND": "patrol" if duty.officer == officer.name else "crew",
        "WINDOW": duty.patrol.window,
    }
    for name, value in facts.items():
        event[f"X-PATROLPLAN-{name}"] = icalendar.vText(_clean(value))
    return event


def _describe_event(roster: Roster, officer: RosterOfficer, duty: Duty) -> list[str]:
    """When to leave, be at the gate and be back, and with whom, by role."""
    items = roster.officer_days[officer.name, duty.date]
    others = roster.describe_others(officer.name, duty)
    window = describe_further_window(duty.patrol)
    return [
        *([f"{window}."] if window else []),
        *(_describe_item(item) for item in items if item.duty is duty),
        *([f"With {others}."] if others else []),
        "The route is on the card.",
    ]


def _describe_item(item: DayItem) -> str:
    if item.kind == "patrol":
        return f"At the gate at {format_time(item.from_minutes)}."
    if item.towards == "gate":
        return f"Set out from the base at {format_time(item.from_minutes)}."
    return f"Back at the base at about {format_time(item.to_minutes)}."


def _convert_to_moment(day: dt.date, minutes: float, zone: ZoneInfo | None) -> dt.datetime:
    """The moment of a local time of day, also on days when clocks change."""
    return dt.datetime.combine(day, dt.time.fromisoformat(format_time(minutes)), zone)


def _get_day(event: icalendar.Event) -> dt.date:
    start: Any = event.get("DTSTART")
    moment = getattr(start, "dt", dt.date.min)
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _list_further_events(
    before: Mapping[str, icalendar.Event], present: set[str], days: Sequence[dt.date]
) -> list[icalendar.Event]:
    """Earlier events that are no longer in the week: cancelled ones, and those of other days."""
    further = []
    for event in (event for uid, event in before.items() if uid not in present):
        shown = event
        if _get_day(event) in days and str(event.get("STATUS")) != "CANCELLED":
            shown = event.copy(recursive=True)  # the earlier one stays as it was
            shown["STATUS"] = icalendar.vText("CANCELLED")
            shown["SUMMARY"] = icalendar.vText(f"Cancelled: {event.get('SUMMARY', '')}")
        further.append(shown)
    return sorted(further, key=lambda event: (_get_day(event), str(event["UID"])))


def _list_facts(event: icalendar.Event) -> list[str]:
    """The lines of an event, without those of its version."""
    return [line for line in event.content_lines() if not line.startswith(VERSION_LINES)]


def _clean(text: str) -> str:
    """A name on one line, without control characters."""
    kinds = ((sign, unicodedata.category(sign)) for sign in text)
    return " ".join("".join(" " if kind[0] in "CZ" else sign for sign, kind in kinds).split())
