"""Officers' duties besides patrols: tables (.csv) and calendars (.ics) together."""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.atomic import hash_content
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problem, Problems
from patrolplan.inputs.calendar_events import (
    OWN,
    REMEDY,
    CalendarEvent,
    EventError,
    Moment,
    convert_moment,
    list_dates,
    measure_event,
    read_events,
    read_rule,
)
from patrolplan.inputs.declared import PLANNED_YEARS, parse_dates
from patrolplan.inputs.formats import Columns, Files
from patrolplan.inputs.small_tables import DUTIES, DUTY_KINDS, coarsen_visits, read_duties
from patrolplan.tables import LeftOut

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
    kind: str  # Of `small_tables.DUTY_KINDS`; of our own calendars also patrol and crew
    urn: str = ""
    longitude: float = float("nan")
    latitude: float = float("nan")


def read_calendars(
    paths: Sequence[Path], officers: Sequence[str], *, first: dt.date, last: dt.date
) -> tuple[list[CalendarDuty], Counter[str]]:
    """Duties of officers between two days, and the events left out by reason.

    The officer of an event is X-PATROLPLAN-OFFICER, an attendee's common name, or the file's name,
    whichever is an officer's. Its kind is X-PATROLPLAN-KIND or a known category, else leave for
    whole days and away for hours.
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
        starts = {start.clock}
        if rule is not None:
            self.rule_days += 1 + max(0, (rule.until - start.clock).days)
            if self.rule_days > MAX_RULE_DAYS:
                what = "the file's recurring events are too many, or go on for too long"
                raise EventError(event, what)
            starts = rule.list_starts(event, start.clock)
        starts |= {one.clock for one in more}
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

    def _place_event(
        self, event: CalendarEvent, officer: str, *, like: CalendarEvent
    ) -> list[CalendarDuty]:
        """Duties of an event that happens once."""
        start, length = measure_event(event)
        reason = _find_reason(event, officer)
        found = () if reason else self._build_duties(event, start, length, officer, like=like)
        duties = list(found)
        if not duties:
            is_short = start.whole_days and not length
            outside = f"dated outside {self.first} to {self.last}, or of no length"
            outside = "of whole days that end on their own day" if is_short else outside
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


YEARS_BEFORE, YEARS_AFTER = 1, 5
"""Years before and after the newest crime within which duties may count."""


def find_duty_span(newest: pd.Timestamp | None) -> tuple[dt.date, dt.date]:
    """First and last day of duties that count, by the month of the newest crime."""
    if newest is None or pd.isna(newest):
        first, last = PLANNED_YEARS
        return dt.date(first, 1, 1), dt.date(last, 12, 31)
    month = dt.date(newest.year, newest.month, 1)
    return month.replace(year=month.year - YEARS_BEFORE), month.replace(
        year=month.year + YEARS_AFTER
    )


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
    calendars = [path for path in files if path.suffix.lower() == SUFFIX]
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
    return DUTIES.schema.check(gpd.GeoDataFrame(found, geometry="geometry", crs=projection.crs))


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
    table = pd.DataFrame(events, columns=[one.name for one in fields(CalendarDuty)]).astype(types)
    longitude, latitude = (table.pop(name).to_numpy() for name in ("longitude", "latitude"))
    x, y = projection.to_metres(longitude, latitude)
    points = coarsen_visits(gpd.points_from_xy(x, y, crs=projection.crs), table["kind"])
    points[np.isnan(x)] = shapely.Point()
    return gpd.GeoDataFrame(table.assign(date=parse_dates(table["date"])), geometry=points)
