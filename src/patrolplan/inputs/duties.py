"""Officers' duties besides patrols: tables, and calendars (iCalendar, RFC 5545) without their text.

Titles and places name pupils and witnesses: their lines are dropped first. Rules within a day, or
with rare parts, are refused: dateutil would follow one that matches no day to the year 9999.
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from dateutil.rrule import rrulestr

from patrolplan.atomic import hash_content
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problem, Problems
from patrolplan.inputs.declared import PLANNED_YEARS, parse_dates
from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.formats import Columns, Files, read_bounded
from patrolplan.inputs.small_tables import coarsen_visits, read_duties
from patrolplan.tables import LeftOut

NOTHING = dt.timedelta()
LOCAL = ZoneInfo("Europe/London")  # Times without a zone are in this one, and so are all duties
MAX_BYTES = 20_000_000  # Maximum size of a calendar
MAX_EVENTS = 20_000  # and maximum number of events in it
MAX_DAYS_OF_DUTY = 50_000  # and of days with a duty
MAX_PROBLEMS = 20  # Maximum number of unreadable events of a file that are reported
REMEDY = "correct the event in its calendar, and export that again"
SHORTER = "export a shorter time"

OWN = "X-PATROLPLAN-"
PATROL_KINDS = ("patrol", "crew")  # X-PATROLPLAN-KIND in our own calendars: no other duty
READ_PROPERTIES = frozenset(
    (
        *("BEGIN", "END", "VERSION", "METHOD", "UID", "SEQUENCE", "RECURRENCE-ID"),
        *("DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "STATUS", "TRANSP"),
        *("CATEGORIES", "GEO", "ATTENDEE", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"),
        *(f"{OWN}{name}" for name in ("OFFICER", "URN", "KIND", "WINDOW")),
    )
)  # Properties that are read; all others are dropped with their text
SINGLE_PROPERTIES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "GEO", "SEQUENCE")
MONTH_PARTS = ("BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH")
RULE_PARTS = {
    "DAILY": ("BYDAY",),
    "WEEKLY": ("BYDAY",),
    "MONTHLY": MONTH_PARTS,
    "YEARLY": (*MONTH_PARTS, "BYYEARDAY", "BYWEEKNO"),
}  # Parts that a rule of each frequency may have, besides those of any


class CalendarDuty(NamedTuple):
    """A duty of an officer on a day, in minutes after midnight."""

    officer: str
    date: dt.date
    from_minutes: float
    to_minutes: float
    kind: str  # Of `DUTY_KINDS`; of our own calendars also patrol and crew
    urn: str = ""
    longitude: float = float("nan")
    latitude: float = float("nan")


def read_calendars(
    paths: Sequence[Path], officers: Sequence[str], *, first: dt.date, last: dt.date
) -> tuple[list[CalendarDuty], Counter[str]]:
    """Duties of officers between two days, and the events left out by reason."""
    # Of X-PATROLPLAN-OFFICER, an attendee's name and the file's, the first that is an officer's
    # counts; of X-PATROLPLAN-KIND and categories the first known one.
    problems, left_out = Problems(), Counter[str]()
    names = {_simplify(name): name for name in officers}
    duties: list[CalendarDuty] = []
    for path in paths:
        with problems.collect():
            duties += _Calendar(path, names, first, last, left_out).read()
    problems.raise_if_any()
    others = [duty for duty in duties if duty.kind not in PATROL_KINDS]
    left_out["that are patrols"] += len(duties) - len(others)
    return others, +left_out


class EventError(ValueError):
    """What cannot be read of an event; nothing in it is quoted."""

    def __init__(self, event: "_Event", what: str) -> None:
        super().__init__(what)
        self.line = event.line


@dataclass(frozen=True)
class _Event:
    """An event as it stands in the file; times are by the clock of its own zone."""

    line: int
    properties: Any  # icalendar's component
    is_cancelled: bool = False

    def list_values(self, name: str) -> list[Any]:
        value = self.properties.get(name)
        return value if isinstance(value, list) else [] if value is None else [value]

    def get_text(self, name: str) -> str:
        return str(next(iter(self.list_values(name)), "")).strip()

    def check(self) -> None:
        """Refuse properties whose values have an unknown form, or are missing or duplicates."""
        broken = [str(name or "").upper() or "a property" for name, _ in self.properties.errors]
        broken += [name for name in SINGLE_PROPERTIES if len(self.list_values(name)) > 1]
        if broken or "DTSTART" not in self.properties:
            raise EventError(self, f"{[*broken, 'DTSTART'][0]} cannot be read")

    @property
    def kinds(self) -> list[str]:
        """Its kind and categories, as words of ours are written."""
        of_events = [getattr(one, "cats", ()) for one in self.list_values("CATEGORIES")]
        texts = (self.get_text(f"{OWN}KIND"), *map(str, chain(*of_events)))
        return [re.sub(r"[\s-]+", "_", text.strip().casefold()) for text in texts]

    @property
    def is_off(self) -> str:
        """Why the event takes no time; empty where it does."""
        # Those by a mistake in the calendar are told from others: `check` names them.
        if self.is_cancelled:
            return "since the whole calendar is a cancellation (METHOD:CANCEL)"
        if self.get_text("STATUS").upper() == "CANCELLED":
            return "cancelled"
        if self.get_text("TRANSP").upper() != "TRANSPARENT":
            return ""
        is_leave = self.whole_days or any("leave" in kind for kind in self.kinds)
        return "that leave an officer free for whole days" if is_leave else "that leave one free"

    @property
    def whole_days(self) -> bool:
        return not isinstance(self.properties["DTSTART"].dt, dt.datetime)

    @property
    def zone(self) -> dt.tzinfo:
        start = self.properties["DTSTART"]
        zone: dt.tzinfo | None = getattr(start.dt, "tzinfo", None)
        if "TZID" in start.params and zone is None:
            raise EventError(self, "names a time zone that is not known (TZID)")
        return zone or LOCAL

    def read_clock(self, value: Any) -> dt.datetime:  # noqa: ANN401 - as icalendar
        """A date, time or period of icalendar by the clock of the event's zone."""
        moment = getattr(value, "dt", value)
        moment = moment[0] if isinstance(moment, tuple) else moment
        if not isinstance(moment, dt.datetime):
            return dt.datetime.combine(moment, dt.time())
        return moment if moment.tzinfo is None else self.move(moment, self.zone)

    def move(
        self, moment: dt.datetime, zone: dt.tzinfo, later: dt.timedelta = NOTHING
    ) -> dt.datetime:
        """A time, and some time later, by the clock of a zone."""
        try:
            return (moment + later).astimezone(zone).replace(tzinfo=None)
        except (OverflowError, TypeError, ValueError):
            raise EventError(self, "a date cannot be read") from None

    @property
    def start(self) -> dt.datetime:
        return self.read_clock(self.properties["DTSTART"])

    @property
    def length(self) -> dt.timedelta:
        end, duration = self.properties.get("DTEND"), self.properties.get("DURATION")
        length = dt.timedelta(days=int(self.whole_days)) if duration is None else duration.dt
        if end is not None:
            length = self.read_clock(end) - self.start
        if length < dt.timedelta(0):
            raise EventError(self, "ends before it begins")
        return length

    def list_starts(self, last: dt.datetime) -> set[dt.datetime]:
        """Its starts until a time, by its rule, further dates and exceptions."""
        added, off = (
            [date for one in self.list_values(name) for date in getattr(one, "dts", ())]
            for name in ("RDATE", "EXDATE")
        )
        starts = self._follow_rule(last) | {*map(self.read_clock, added)}
        days = [one.dt for one in off if not isinstance(one.dt, dt.datetime)]
        return {at for at in starts - {*map(self.read_clock, off)} if at.date() not in days}

    def _follow_rule(self, last: dt.datetime) -> set[dt.datetime]:
        rule = self.properties.get("RRULE")
        if rule is None:
            return {self.start}
        parts = {name: values for name, values in rule.items() if name != "UNTIL"}
        more = RULE_PARTS.get(str(parts.get("FREQ", [""])[0]).upper(), ())
        is_followed = {*parts} <= {"FREQ", "INTERVAL", "COUNT", "WKST", *more}
        if not more or not is_followed or parts.get("INTERVAL", [1])[0] < 1:
            raise EventError(self, "recurs within a day, or by a rule that is not followed")
        until = next(iter(rule.get("UNTIL", ())), last)
        if isinstance(until, dt.datetime):
            until = self.read_clock(until)
        else:
            until = dt.datetime.combine(until, dt.time.max)
        if until < self.start:
            return {self.start}
        text = ";".join(f"{name}={','.join(map(str, values))}" for name, values in parts.items())
        try:
            times = rrulestr(text, dtstart=self.start)
            starts = {*takewhile(lambda at: at <= min(until, last), times)}
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            raise EventError(self, "its rule cannot be read") from None
        if not starts and self.start <= last:
            raise EventError(self, "its rule holds on no day")
        return starts


@dataclass
class _Calendar:
    """One file, the officers by their simplified names, and the days that may be planned."""

    path: Path
    officers: Mapping[str, str]
    first: dt.date
    last: dt.date
    left_out: Counter[str]

    def read(self) -> list[CalendarDuty]:
        """Duties in the order of time."""
        series: defaultdict[str, list[_Event]] = defaultdict(list)
        for number, event in enumerate(_read_events(self.path)):
            series[event.get_text("UID") or f"\n{number}"].append(event)
        duties: list[CalendarDuty] = []
        problems: list[Problem] = []
        for events in series.values():
            try:
                for event in events:
                    event.check()
                duties += self._follow_series(events)
            except EventError as error:
                problems.append(Problem(self.path, str(error), REMEDY, f"line {error.line}"))
            if len(duties) > MAX_DAYS_OF_DUTY:
                what = f"gives more than {MAX_DAYS_OF_DUTY:,} days with a duty"
                raise InputError.one(self.path, what, SHORTER)
        if problems:
            raise InputError(problems[:MAX_PROBLEMS])
        return sorted(duties, key=lambda duty: (duty.date, duty.from_minutes, duty.officer))

    def _follow_series(self, events: Sequence[_Event]) -> list[CalendarDuty]:
        """Duties of an event with its recurrences, but for those that events of its UID replace."""
        changed = [event for event in events if "RECURRENCE-ID" in event.properties]
        masters = [event for event in events if "RECURRENCE-ID" not in event.properties]
        # The last of several versions of an event counts, by SEQUENCE.
        masters = sorted(masters, key=lambda one: one.properties.get("SEQUENCE", 0))[-1:]
        like = (masters or changed)[0]
        officer = self._find_officer(like)
        duties = []
        for event in masters:
            moved = {event.read_clock(one.properties["RECURRENCE-ID"]) for one in changed}
            last = dt.datetime.combine(self.last, dt.time.max)
            starts = [] if event.is_off or not officer else sorted(event.list_starts(last) - moved)
            duties += self._place(event, starts, officer, like)
        for event in changed:
            if "RANGE" in event.properties["RECURRENCE-ID"].params:
                raise EventError(event, "changes all later events too (RANGE), which is not read")
            duties += self._place(event, [event.start], self._find_officer(event) or officer, like)
        return duties

    def _find_officer(self, event: _Event) -> str:
        """The officer of an event; empty if none in the table."""
        attendees = event.list_values("ATTENDEE")
        given = [str(one.params.get("CN", "")) for one in attendees if hasattr(one, "params")]
        names = map(_simplify, (event.get_text(f"{OWN}OFFICER"), *given, self.path.stem))
        return next((self.officers[name] for name in names if name in self.officers), "")

    def _place(
        self, event: _Event, starts: Sequence[dt.datetime], officer: str, like: _Event
    ) -> list[CalendarDuty]:
        """The duties of an event at its times, or a count of why it has none."""
        reason = event.is_off or ("" if officer else "of no officer in the table")
        times = () if reason else starts
        duties = [duty for at in times for duty in self._build(event, at, officer, like)]
        if reason or (starts and not duties):
            outside = f"dated outside {self.first} to {self.last}, or of no length"
            if event.whole_days and not event.length:
                outside = "of whole days that end on their own day"
            self.left_out[reason or outside] += 1
        return duties

    def _build(
        self, event: _Event, at: dt.datetime, officer: str, like: _Event
    ) -> Iterator[CalendarDuty]:
        """The duty of one time of an event, on each of its days that may be planned."""
        known = [one for one in (*event.kinds, *like.kinds) if one in (*DUTY_KINDS, *PATROL_KINDS)]
        kind = (*known, "leave" if event.whole_days else "away")[0]
        geo = event.properties.get("GEO")
        place = () if geo is None else (float(geo.longitude), float(geo.latitude))
        own = at.replace(tzinfo=event.zone)
        begin, end = (event.move(own, LOCAL, later) for later in (NOTHING, event.length))
        first = max(begin.date(), self.first)
        for number in range(max(0, (min(end.date(), self.last) - first).days + 1)):
            day = first + dt.timedelta(days=number)
            midnight = dt.datetime.combine(day, dt.time())
            since, until = ((one - midnight) / dt.timedelta(minutes=1) for one in (begin, end))
            span = max(since, 0.0), min(until, 1440.0)
            if span[1] > span[0]:
                yield CalendarDuty(officer, day, *span, kind, event.get_text(f"{OWN}URN"), *place)


def _simplify(name: str) -> str:
    """A name by which officers are found: file names lack some characters."""
    return re.sub(r"[^\w]+", "-", name.casefold()).strip("-")


def _read_events(path: Path) -> list[_Event]:
    """The events of a file, without their text."""
    import icalendar  # noqa: PLC0415 - only where a calendar is read

    content = read_bounded(path, MAX_BYTES, SHORTER).decode("utf-8-sig", errors="replace")
    used, lines, is_read = [], [], False
    for number, line in enumerate(re.split("\r\n|\n|\r", content), 1):
        if not line.startswith((" ", "\t")):
            is_read = re.split("[:;]", line, maxsplit=1)[0].strip().upper() in READ_PROPERTIES
            if line.strip().upper() == "BEGIN:VEVENT":
                lines.append(number)
        if is_read:
            used.append(line)
    if len(lines) > MAX_EVENTS:
        what = f"has {len(lines):,} events, more than {MAX_EVENTS:,}"
        raise InputError.one(path, what, SHORTER)
    try:
        calendars = icalendar.Calendar.from_ical("\r\n".join(used) + "\r\n", multiple=True)
        found = [
            (event, str(one.get("METHOD", "")).upper() == "CANCEL")
            for one in calendars
            for event in one.walk("VEVENT")
        ]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        calendars, found = [], []
    if not calendars or len(found) != len(lines):
        raise InputError.one(path, "is not a calendar (iCalendar, RFC 5545)", REMEDY)
    return [_Event(line, *event) for line, event in zip(lines, found, strict=True)]


YEARS_BEFORE, YEARS_AFTER = 1, 5  # Of the newest crime: duties may be as old, or as new


def find_duty_span(newest: pd.Timestamp | None) -> tuple[dt.date, dt.date]:
    """First and last day of duties that count, by the month of the newest crime."""
    if newest is None or pd.isna(newest):
        first, last = PLANNED_YEARS
        return dt.date(first, 1, 1), dt.date(last, 12, 31)
    year, month = newest.year, newest.month
    return dt.date(year - YEARS_BEFORE, month, 1), dt.date(year + YEARS_AFTER, month, 1)


def read_all_duties(
    paths: Files,
    projection: Projection,
    *,
    columns: Columns = None,
    officers: Sequence[str] | None = None,
    span: tuple[dt.date, dt.date],
    left_out: LeftOut,
) -> gpd.GeoDataFrame:
    """Read officers' duties, see `small_tables.DUTIES`, from tables and calendars (`.ics`)."""
    # `officers` are the names of the officers table, None where it cannot be read.
    first, last = span
    problems = Problems()
    files = [path for path in paths if isinstance(path, Path)]
    calendars = [path for path in files if path.suffix.lower() == ".ics"]
    tables = [path for path in paths if path not in calendars]
    with problems.collect():
        duties = read_duties(tables, projection, columns=columns, officers=officers)
    with problems.collect():
        events, reasons = read_calendars(calendars, officers or (), first=first, last=last)
        for reason, count in sorted(reasons.items()):
            left_out.add("duties", reason, count)
            left_out.count_rows("duties", count)
    problems.raise_if_any()
    left_out.count_rows("duties", len(duties) + len(events))
    dates = duties["date"].dt.date
    inside = (dates >= first) & (dates <= last) if len(duties) else dates.astype(bool)
    left_out.add("duties", f"dated outside {first} to {last}", int((~inside).sum()))
    found = pd.concat([duties[inside], _build_frame(events, projection)], ignore_index=True)
    return gpd.GeoDataFrame(found, geometry="geometry", crs=projection.crs)


def digest_duties(duties: gpd.GeoDataFrame) -> str:
    """SHA-256 of who is away when and why, without the place."""
    # That of a file would reveal the place of a home visit: the rest is on the lead's sheet, and
    # the points of a street can be tried one after another.
    known = duties[["officer", "date", "from_minutes", "to_minutes", "kind"]]
    return hash_content(known.to_json(orient="values", date_format="iso"))


def _build_frame(events: Sequence[CalendarDuty], projection: Projection) -> gpd.GeoDataFrame:
    """Duties of calendars as rows of the table."""
    types = dict.fromkeys(("officer", "date", "kind", "urn"), "str")
    types |= dict.fromkeys(("from_minutes", "to_minutes", "longitude", "latitude"), "float64")
    table = pd.DataFrame(events, columns=CalendarDuty._fields).astype(types)
    longitude, latitude = (table.pop(name).to_numpy() for name in ("longitude", "latitude"))
    x, y = projection.to_metres(longitude, latitude)
    points = coarsen_visits(gpd.points_from_xy(x, y, crs=projection.crs), table["kind"])
    points[np.isnan(x)] = shapely.Point()
    return gpd.GeoDataFrame(table.assign(date=parse_dates(table["date"])), geometry=points)
