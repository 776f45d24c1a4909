"""Calendars (iCalendar, RFC 5545) -> officers' duties and their times, never their subject.

Only the time, kind and officer of an event are used. Titles, descriptions and places of calendars
name pupils and witnesses. Lines of such properties are dropped as a file is read, before anything
is done with them.

When an event recurs is in RRULE, RDATE and EXDATE, by the clock of its own zone. Rules in files
from others can be endless, some on purpose: those that recur within a day are refused, and so are
parts that calendars do not write for a frequency, since dateutil would follow most rules that match
no day to the year 9999.
"""

import datetime as dt
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from patrolplan.errors import InputError, Problem, Problems
from patrolplan.inputs.small_tables import DUTY_KINDS

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
        if self.get_text("STATUS").upper() == "CANCELLED":
            return "cancelled"
        return "that leave one free" if self.get_text("TRANSP").upper() == "TRANSPARENT" else ""


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
    if any(str(one.get("METHOD", "")).upper() == "CANCEL" for one in calendars):
        events = []
    return [event for event in events if not _list_broken(event.properties)], problems


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


SUFFIX = ".ics"
DAY_MINUTES = 1440.0
MAX_PROBLEMS = 20  # Maximum number of unreadable events of a file that are reported
MAX_RULE_DAYS = 1_000_000
"""Maximum number of days to search for the rules of one file: 400 daily ones for seven years."""

MAX_DAYS_OF_DUTY = 50_000  # Maximum number of days with a duty from a calendar
PATROL_KINDS = ("patrol", "crew")  # X-PATROLPLAN-KIND in our own calendars: no other duty


@dataclass(frozen=True)
class CalendarDuty:
    """A duty of an officer on a day."""

    officer: str
    date: dt.date
    from_minutes: float
    to_minutes: float
    kind: str
    """Of `patrolplan.inputs.small_tables.DUTY_KINDS`; of our own calendars also patrol and crew."""
    urn: str = ""
    longitude: float = float("nan")
    latitude: float = float("nan")


def read_calendars(
    paths: Sequence[Path], officers: Sequence[str], *, first: dt.date, last: dt.date
) -> tuple[list[CalendarDuty], Counter[str]]:
    """Duties of officers between two days, from calendars of one person or of several.

    The officer of an event is X-PATROLPLAN-OFFICER, or an attendee's common name, or the file's
    name without its suffix, whichever is the name of an officer. Its kind is X-PATROLPLAN-KIND or
    one of its categories if patrolplan knows it, otherwise leave for whole days and away for hours.

    Duties are by file, in the order of time; events that are left out are counted by the reason
    why. Recurring events are followed only between the two days.
    """
    problems, left_out = Problems(), Counter[str]()
    names = {_simplify(name): name for name in officers}
    duties: list[CalendarDuty] = []
    for path in paths:
        with problems.collect():
            calendar = _Calendar(path, names, first, last)
            duties += calendar.read()
            left_out += calendar.left_out
    problems.raise_if_any()
    others = [duty for duty in duties if duty.kind not in PATROL_KINDS]
    left_out["that are patrols"] += len(duties) - len(others)
    return others, +left_out


@dataclass
class _Calendar:
    """One file, the officers by their simplified names, and the days that may be planned."""

    path: Path
    officers: Mapping[str, str]
    first: dt.date
    last: dt.date
    left_out: Counter[str] = field(default_factory=Counter)
    rule_days: int = 0

    def read(self) -> list[CalendarDuty]:
        """Duties in the order of time."""
        series: defaultdict[str, list[CalendarEvent]] = defaultdict(list)
        found, problems = read_events(self.path)
        for number, event in enumerate(found):
            series[event.get_text("UID") or f"\n{number}"].append(event)
        duties: list[CalendarDuty] = []
        for events in series.values():
            if len(problems) >= MAX_PROBLEMS:  # each may have taken long to find
                break
            try:
                duties += self._follow_series(events)
            except EventError as error:
                problems.append(Problem(self.path, error.what, REMEDY, f"line {error.line}"))
        if len(duties) > MAX_DAYS_OF_DUTY:
            what = f"gives more than {MAX_DAYS_OF_DUTY:,} days with a duty"
            problems.append(Problem(self.path, what, "export a shorter time"))
        if problems:
            raise InputError(problems)
        return sorted(duties, key=lambda duty: (duty.date, duty.from_minutes, duty.officer))

    def _follow_series(self, events: Sequence[CalendarEvent]) -> list[CalendarDuty]:
        """Duties of an event with its recurrences, but for those that events of its UID replace."""
        masters = [event for event in events if event.get("RECURRENCE-ID") is None]
        changed = [event for event in events if event.get("RECURRENCE-ID") is not None]
        # The last of several versions of an event counts, by SEQUENCE.
        masters = sorted(masters, key=_get_version)[-1:]
        master = masters[0] if masters else changed[0]
        officer = self._find_officer(master)
        duties = self._follow_master(master, changed, officer) if masters else []
        for event in changed:
            duties += self._place_event(event, self._find_officer(event) or officer, like=master)
        return duties

    def _find_officer(self, event: CalendarEvent) -> str:
        """The officer of an event; empty if none in the table."""
        attendees = event.get("ATTENDEE")
        attendees = attendees if isinstance(attendees, list) else [attendees]
        given = [str(one.params.get("CN", "")) for one in attendees if hasattr(one, "params")]
        stem = self.path.name.removesuffix(self.path.suffix)
        names = (_simplify(text) for text in (event.get_text(f"{OWN}OFFICER"), *given, stem))
        return next((self.officers[name] for name in names if name in self.officers), "")

    def _follow_master(
        self, event: CalendarEvent, changed: Sequence[CalendarEvent], officer: str
    ) -> list[CalendarDuty]:
        """Duties of an event at all its times except those that `changed` events replace."""
        start, length = measure_event(event)
        last = dt.datetime.combine(self.last, dt.time.max)
        rule = read_rule(event, start, last)
        more, excluded = (list_dates(event, name, start.zone) for name in ("RDATE", "EXDATE"))
        if rule is None and not more and not changed:
            return self._place_event(event, officer, like=event)
        if reason := _find_reason(event, officer):
            self.left_out[reason] += 1
            return []
        replaced = {
            convert_moment(event, one.get("RECURRENCE-ID"), start.zone).clock: one
            for one in changed
        }
        later = {at: one for at, one in replaced.items() if _changes_all_later(one)}
        starts = self._list_starts(event, start.clock, rule) | {one.clock for one in more}
        starts -= {*replaced, *(one.clock for one in excluded)}
        off = {one.clock.date() for one in excluded if one.whole_days}
        duties: list[CalendarDuty] = []
        for at in sorted(one for one in starts if one <= last and one.date() not in off):
            since = max((moved for moved in later if moved < at), default=None)
            if since is None:
                duties += self._build_duties(event, replace(start, clock=at), length, officer)
                continue
            moved = later[since]
            if not moved.is_off:
                begin, lasts = measure_event(moved)
                begin = replace(begin, clock=begin.clock + (at - since))
                duties += self._build_duties(moved, begin, lasts, officer, like=event)
        return duties

    def _list_starts(
        self, event: CalendarEvent, start: dt.datetime, rule: Recurrence | None
    ) -> set[dt.datetime]:
        """Starts of the event; one at nine stays one at nine as the clocks change."""
        if rule is None:
            return {start}
        self.rule_days += 1 + max(0, (rule.until - start).days)
        if self.rule_days > MAX_RULE_DAYS:
            what = "the file's recurring events are too many, or go on for too long"
            raise EventError(event, what)
        if rule.until < start:
            return {start}
        try:
            with warnings.catch_warnings():  # with both an end and a count: whichever comes first
                warnings.simplefilter("ignore")
                own = rrulestr(rule.text, dtstart=start)
                starts = {*own.replace(until=rule.until, count=rule.count)}
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            raise EventError(event, "its rule cannot be read") from None
        if not starts:
            raise EventError(event, "its rule holds on no day")
        return starts

    def _place_event(
        self, event: CalendarEvent, officer: str, *, like: CalendarEvent
    ) -> list[CalendarDuty]:
        """Duties of an event that happens once."""
        start, length = measure_event(event)
        reason = _find_reason(event, officer)
        found = () if reason else self._build_duties(event, start, length, officer, like=like)
        duties = list(found)
        if not duties:
            outside = f"dated outside {self.first} to {self.last}, or of no length"
            self.left_out[reason or outside] += 1
        return duties

    def _build_duties(
        self,
        event: CalendarEvent,
        start: Moment,
        length: dt.timedelta,
        officer: str,
        *,
        like: CalendarEvent | None = None,
    ) -> Iterator[CalendarDuty]:
        """The duty of one time of an event, on each of its days that may be planned."""
        geo = event.get("GEO")
        kind = _find_kind(event, whole_days=start.whole_days, like=like or event)
        try:
            begin, end = start.local, replace(start, clock=start.clock + length).local
        except (OverflowError, ValueError):
            raise EventError(event, "a date cannot be read") from None
        first = max(begin.date(), self.first)
        for number in range(max(0, (min(end.date(), self.last) - first).days + 1)):
            day = first + dt.timedelta(days=number)
            midnight = dt.datetime.combine(day, dt.time())
            since, until = ((one - midnight).total_seconds() / 60 for one in (begin, end))
            if min(until, DAY_MINUTES) > max(since, 0.0):
                yield CalendarDuty(
                    officer,
                    day,
                    max(since, 0.0),
                    min(until, DAY_MINUTES),
                    kind,
                    urn=event.get_text(f"{OWN}URN"),
                    longitude=float("nan") if geo is None else float(geo.longitude),
                    latitude=float("nan") if geo is None else float(geo.latitude),
                )


def _get_version(event: CalendarEvent) -> int:
    text = event.get_text("SEQUENCE")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else 0


def _simplify(name: str) -> str:
    """A name by which officers are found: file names lack some characters."""
    return re.sub(r"[^\w]+", "-", name.casefold()).strip("-")


def _changes_all_later(event: CalendarEvent) -> bool:
    return str(event.get("RECURRENCE-ID").params.get("RANGE", "")).upper() == "THISANDFUTURE"


def _find_kind(event: CalendarEvent, *, whole_days: bool, like: CalendarEvent) -> str:
    for one in (event, like):
        categories = one.get("CATEGORIES")
        categories = categories if isinstance(categories, list) else [categories]
        texts = [str(text) for each in categories for text in getattr(each, "cats", ())]
        for text in (one.get_text(f"{OWN}KIND"), *texts):
            kind = re.sub(r"[\s-]+", "_", text.strip().casefold())
            if kind in (*DUTY_KINDS, *PATROL_KINDS):
                return kind
    return "leave" if whole_days else "away"


def _find_reason(event: CalendarEvent, officer: str) -> str:
    """Why an event is left out; empty where it is not."""
    return event.is_off or ("" if officer else "of no officer in the table")
