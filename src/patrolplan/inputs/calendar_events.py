"""Events of calendars (iCalendar, RFC 5545): their times and rules, never their subject.

Titles, descriptions and places of calendars name pupils and witnesses. Lines of such properties are
dropped as a file is read, before anything is done with them.

When an event recurs is in RRULE, RDATE and EXDATE, by the clock of its own zone. Rules in files
from others can be endless, some on purpose: those that recur within a day are refused, and so are
parts that calendars do not write for a frequency, since dateutil would follow most rules that match
no day to the year 9999.
"""

import datetime as dt
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from patrolplan.errors import InputError, Problem

if TYPE_CHECKING:
    import icalendar

LOCAL = ZoneInfo("Europe/London")  # Times without a zone are in this one, and so are all duties
MAX_BYTES = 20 * 2**20  # Maximum size of a calendar
MAX_EVENTS = 20_000  # and maximum number of events in it
REMEDY = "correct the event in its calendar, and export that again"

OWN = "X-PATROLPLAN-"
READ_PROPERTIES = frozenset(
    (
        *("BEGIN", "END", "VERSION", "METHOD", "UID", "SEQUENCE", "RECURRENCE-ID"),
        *("DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "STATUS", "TRANSP"),
        *("CATEGORIES", "GEO", "ATTENDEE", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"),
        *(f"{OWN}{name}" for name in ("OFFICER", "URN", "KIND", "WINDOW")),
    )
)
"""Properties that are read; all others are dropped with their text."""


@dataclass(frozen=True)
class CalendarEvent:
    """An event as it stands in the file."""

    line: int
    properties: "icalendar.cal.Component"
    is_cancelled: bool = False

    def get(self, name: str) -> Any:  # noqa: ANN401 - as icalendar
        """A property, None where it is missing."""
        return self.properties.get(name)

    def get_text(self, name: str) -> str:
        """A property as text; empty where it is missing."""
        value = self.get(name)
        value = value[0] if isinstance(value, list) and value else value
        return "" if value is None else str(value).strip()

    @property
    def is_off(self) -> str:
        """Why the event takes no time; empty where it does."""
        if self.is_cancelled:
            return "since the whole calendar is a cancellation (METHOD:CANCEL)"
        start = self.get("DTSTART")
        if self.get_text("STATUS").upper() == "CANCELLED":
            return "cancelled"
        if self.get_text("TRANSP").upper() != "TRANSPARENT":
            return ""
        is_leave = not isinstance(start.dt, dt.datetime) or "leave" in self.get_text("CATEGORIES")
        return "that leave an officer free for whole days" if is_leave else "that leave one free"


class EventError(ValueError):
    """An event that cannot be read; nothing in it is quoted."""

    def __init__(self, event: CalendarEvent, what: str) -> None:
        super().__init__(what)
        self.line, self.what = event.line, what


def read_events(path: Path) -> tuple[list[CalendarEvent], list[Problem]]:
    """The events of a file, without their text, and those that are broken."""
    import icalendar  # noqa: PLC0415 - only where a calendar is read

    used, lines = _drop_texts(path)
    if len(lines) > MAX_EVENTS:
        what = f"has {len(lines):,} events, more than {MAX_EVENTS:,}"
        raise InputError.one(path, what, "export a shorter time")
    try:
        calendars = icalendar.Calendar.from_ical("\r\n".join(used) + "\r\n", multiple=True)
        owners = [one for one in calendars for _ in one.walk("VEVENT")]
        found = [event for one in calendars for event in one.walk("VEVENT")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        calendars, found = [], []
    if not calendars or len(found) != len(lines):
        raise InputError.one(path, "is not a calendar (iCalendar, RFC 5545)", REMEDY)
    events = [CalendarEvent(line, event) for line, event in zip(lines, found, strict=True)]
    problems = [
        Problem(path, f"{name or 'a property'} cannot be read", REMEDY, f"line {event.line}")
        for event in events
        for name in _list_broken(event.properties)
    ]
    return [
        replace(event, is_cancelled=str(one.get("METHOD", "")).upper() == "CANCEL")
        for one, event in zip(owners, events, strict=True)
        if not _list_broken(event.properties)
    ], problems


def _drop_texts(path: Path) -> tuple[list[str], list[int]]:
    """Lines of the properties that are read, and the numbers of the lines that begin an event."""
    try:
        if path.stat().st_size > MAX_BYTES:
            what = f"is larger than {MAX_BYTES / 2**20:g} MiB"
            raise InputError.one(path, what, "export a shorter time")
        content = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise InputError.one(path, what, "check the path") from None
    used, begins, is_read = [], [], False
    for number, line in enumerate(re.split("\r\n|\n|\r", content), 1):
        if not line.startswith((" ", "\t")):
            is_read = re.split("[:;]", line, maxsplit=1)[0].strip().upper() in READ_PROPERTIES
            if line.strip().upper() == "BEGIN:VEVENT":
                begins.append(number)
        if is_read:
            used.append(line)
    return used, begins


SINGLE_PROPERTIES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
"""Those that an event may have once."""


def _list_broken(event: "icalendar.cal.Component") -> list[str]:
    """Names of properties whose values have an unknown form, or are missing or duplicates."""
    broken = [str(name or "").upper() for name, _ in event.errors]
    broken += [name for name in SINGLE_PROPERTIES if isinstance(event.get(name), list)]
    return broken if "DTSTART" in event or broken else ["DTSTART"]


@dataclass(frozen=True)
class Moment:
    """A time by the clock of a zone; None: the local one."""

    clock: dt.datetime
    zone: dt.tzinfo | None
    whole_days: bool = False

    @property
    def local(self) -> dt.datetime:
        """By the local clock, without its zone."""
        if self.zone is None or self.whole_days:
            return self.clock
        return self.clock.replace(tzinfo=self.zone).astimezone(LOCAL).replace(tzinfo=None)


def convert_moment(event: CalendarEvent, value: Any, zone: dt.tzinfo | None) -> Moment:  # noqa: ANN401
    """A date or time of an event, by the clock of a zone where it names one of its own."""
    moment = getattr(value, "dt", value)
    moment = moment[0] if isinstance(moment, tuple) else moment  # a period
    try:
        if not isinstance(moment, dt.datetime):
            return Moment(dt.datetime.combine(moment, dt.time()), zone, whole_days=True)
        if moment.tzinfo is not None:
            moment = moment.astimezone(zone or LOCAL).replace(tzinfo=None)
        return Moment(moment, zone)
    except (OverflowError, TypeError, ValueError):
        raise EventError(event, "a date cannot be read") from None


def measure_event(event: CalendarEvent) -> tuple[Moment, dt.timedelta]:
    """When an event begins, and how long it lasts."""
    value = event.get("DTSTART").dt
    if "TZID" in event.get("DTSTART").params and getattr(value, "tzinfo", None) is None:
        raise EventError(event, "names a time zone that is not known (TZID)")
    zone = value.tzinfo if isinstance(value, dt.datetime) else None
    start = convert_moment(event, value, zone)
    end, duration = event.get("DTEND"), event.get("DURATION")
    if end is not None:
        length = convert_moment(event, end, zone).clock - start.clock
    elif duration is not None:
        length = duration.dt
    else:
        length = dt.timedelta(days=1 if start.whole_days else 0)
    if length < dt.timedelta(0):
        raise EventError(event, "ends before it begins")
    return start, length


MONTH_PARTS = ("BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH")
PARTS = {
    "DAILY": ("BYDAY",),
    "WEEKLY": ("BYDAY",),
    "MONTHLY": MONTH_PARTS,
    "YEARLY": (*MONTH_PARTS, "BYYEARDAY", "BYWEEKNO"),
}
"""Parts that a rule of each frequency may have, besides those of any."""

ANY_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
MAX_INTERVAL = 366


@dataclass(frozen=True)
class Recurrence:
    """A rule without its end, its last time by the clock of the event's zone, and its count."""

    text: str
    until: dt.datetime
    count: int | None

    def list_starts(self, event: CalendarEvent, start: dt.datetime) -> set[dt.datetime]:
        """Starts of the event; one at nine stays one at nine as the clocks change."""
        if self.until < start:
            return {start}
        try:
            with warnings.catch_warnings():  # with both an end and a count: whichever comes first
                warnings.simplefilter("ignore")
                rule = rrulestr(self.text, dtstart=start)
                starts = {*rule.replace(until=self.until, count=self.count)}
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            raise EventError(event, "its rule cannot be read") from None
        if not starts:
            raise EventError(event, "its rule holds on no day")
        return starts


def read_rule(event: CalendarEvent, start: Moment, last: dt.datetime) -> Recurrence | None:
    """RRULE, followed to `last` at most; None where there is none."""
    rule = event.get("RRULE")
    if isinstance(rule, list):
        raise EventError(event, "has several recurrence rules")
    if rule is None:
        return None
    parts = {
        name.upper(): values if isinstance(values, list | tuple) else [values]
        for name, values in rule.items()
    }
    first = {name: values[0] for name, values in parts.items() if values}
    frequency = str(first.get("FREQ", "")).upper()
    if frequency not in PARTS:
        raise EventError(event, "recurs within a day, or at no known interval")
    if other := sorted(set(parts) - {*ANY_PARTS, *PARTS[frequency]}):
        what = f"recurs {frequency.lower()} with {', '.join(other)}, which is not read"
        raise EventError(event, what)
    if not 1 <= (interval := int(first.get("INTERVAL", 1))) <= MAX_INTERVAL:
        raise EventError(event, f"recurs {frequency.lower()} at an interval of {interval}")
    until = first.get("UNTIL", last)
    if isinstance(until, dt.datetime):
        until = convert_moment(event, until, start.zone).clock
    else:
        until = dt.datetime.combine(until, dt.time.max)
    count = first.get("COUNT")
    text = ";".join(
        f"{name}={','.join(map(str, values))}"
        for name, values in parts.items()
        if name not in {"UNTIL", "COUNT"}
    )
    return Recurrence(text, min(until, last), None if count is None else int(count))


def list_dates(event: CalendarEvent, name: str, zone: dt.tzinfo | None) -> list[Moment]:
    """The dates of RDATE or EXDATE, by the clock of a zone."""
    lists = event.get(name)
    lists = lists if isinstance(lists, list) else [lists] if lists is not None else []
    return [convert_moment(event, one, zone) for each in lists for one in getattr(each, "dts", ())]
