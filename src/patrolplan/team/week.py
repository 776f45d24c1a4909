"""`Week`: who patrols which school on which day, and what could not be met.

Times are minutes after local midnight, as in `patrolplan.patrols.plan`.

Which days of a week are planned, and on which of them a school is open.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.area.provenance import compute_short_id
from patrolplan.crs import Projection
from patrolplan.patrols.plan import Patrol, Plan, build_patrol_document, format_time
from patrolplan.tables import render_html_table
from patrolplan.team.problem import Bools
from patrolplan.text import format_count

SCHEMA = 1


@dataclass(frozen=True)
class Lock:
    """A duty set by hand: this officer patrols this school on this day.

    An officer may be locked to a school that is not in their care: a lead may lend one out.

    Parameters
    ----------
    officer, urn, date
        Who, which school, when.
    variant
        0 for the school's best patrol of the officer's mode, 1 for its first variant...; None
        leaves the choice open.
    """

    officer: str
    urn: str
    date: dt.date
    variant: int | None = None


@dataclass(frozen=True)
class Ban:
    """A duty ruled out by hand; what is None stands for all.

    `Ban(officer="SSO-01", date=day)` keeps an officer free on a day, `Ban(urn="900001")` leaves
    a school out, `Ban(urn="900001", variant=2)` one of its routes.
    """

    officer: str | None = None
    urn: str | None = None
    date: dt.date | None = None
    variant: int | None = None


@dataclass(frozen=True, eq=False)
class Duty:
    """One patrol of the week: an officer, a school, a day and the route."""

    officer: str
    urn: str
    date: dt.date
    start_minutes: float
    end_minutes: float
    variant: int
    """0 for the school's best patrol of the officer's mode, 1 for its first variant..."""
    patrol: Patrol
    """The walk itself, with its own stops, times and legs."""
    leave_minutes: float
    """When the officer sets out from their base."""

    @property
    def key(self) -> tuple[str, str, dt.date, int, int, str]:
        """What tells one duty from another."""
        patrol = self.patrol
        return (self.officer, self.urn, self.date, self.variant, patrol.number, patrol.way)

    def __str__(self) -> str:
        return (
            f"{self.officer}: URN {self.urn} on {format_day(self.date)}, "
            f"{format_time(self.start_minutes)}"
        )


@dataclass(frozen=True)
class Unmet:
    """A school that nobody patrols on a day of the week, and exactly why."""

    urn: str
    date: dt.date
    why: str

    def __str__(self) -> str:
        return f"URN {self.urn} on {self.date:%A}: {self.why}"


@dataclass(frozen=True)
class PatrolShortfall:
    """A school that gets fewer patrols than the least that is promised to every school."""

    urn: str
    patrols: int
    least: int

    def __str__(self) -> str:
        return f"URN {self.urn} gets {self.patrols} of at least {self.least} patrols"


@dataclass(frozen=True, eq=False)
class Week:
    """Who patrols which school on which day.

    Parameters
    ----------
    plan
        What it was chosen from; of the first day, where plans differ from day to day.
    days
        The school week's days that were planned.
    duties
        In the order of day, start and officer.
    unmet
        Every school and day without a patrol, and why.
    short
        Schools that get fewer than `[week] min_patrols_per_school`.
    status
        "optimal" when proven best, else "feasible".
    worth, bound
        See `patrolplan.team.objective`; no week of these choices can be worth more than `bound`.
    notes
        What was assumed, in plain sentences.
    locks, bans
        What was set by hand.
    delivered
        Days on which a hotspot had its dose before this week was planned, by hotspot.
    absent
        Days on which officers turned out to be away, after it was handed out.
    created_from
        What it was made from, see `patrolplan.area.provenance`.
    history
        What was changed by hand: when (YYYY-MM-DD HH:MM), and what in plain words.
    """

    plan: Plan
    days: tuple[dt.date, ...]
    duties: tuple[Duty, ...]
    unmet: tuple[Unmet, ...]
    short: tuple[PatrolShortfall, ...]
    status: str
    worth: float
    bound: float
    notes: tuple[str, ...]
    locks: tuple[Lock, ...]
    bans: tuple[Ban, ...]
    delivered: dict[str, frozenset[dt.date]]
    absent: dict[str, frozenset[dt.date]]
    created_from: dict[str, Any]
    history: tuple[tuple[str, str], ...] = ()

    @property
    def has_mixed_modes(self) -> bool:
        """Whether any patrol goes another way than `[patrol] way`: then papers tell each one's."""
        way = self.plan.area.settings.patrol.way
        return any(duty.patrol.way != way for duty in self.duties)

    @property
    def start(self) -> dt.date:
        """First day of the week."""
        return self.days[0]

    @property
    def gap_percent(self) -> float:
        """How far below the bound it may be at most."""
        return 0.0 if self.bound <= 0 else max(0.0, 100 * (self.bound - self.worth) / self.bound)

    def __repr__(self) -> str:
        officers = len({duty.officer for duty in self.duties})
        schools = len({duty.urn for duty in self.duties})
        return (
            f"<Week: from {self.start}, {format_count(len(self.duties), 'patrol')} of "
            f"{format_count(officers, 'officer')} at {format_count(schools, 'school')}, "
            f"{self.status}, "
            f"gap {self.gap_percent:.2f} %>"
        )

    def _repr_html_(self) -> str:
        good = "best possible" if self.status == "optimal" else f"within {self.gap_percent:.2f} %"
        facts = {
            "patrols": len(self.duties),
            "officers": len({duty.officer for duty in self.duties}),
            "schools": len({duty.urn for duty in self.duties}),
            "how good": good,
            "not met": "; ".join(map(str, (*self.short, *self.unmet))) or "nothing",
        }
        after = "pp.plot.doses(week)"
        return render_html_table(f"Week from {self.start:%d %B %Y}", facts, next_call=after)


def format_day(date: dt.date) -> str:
    """A day as people say it.

    Examples
    --------
    >>> format_day(dt.date(2026, 12, 2))
    'Wednesday 2 December'
    """
    return f"{date:%A} {date.day} {date:%B}"


def build_week_document(week: Week) -> dict[str, Any]:
    """The week in the form that `patrolplan week --json` prints and `week.json` holds.

    Returns
    -------
    dict
        Plain values in a fixed order; times are local HH:MM, dates YYYY-MM-DD. Where several
        officers patrol a school together, `number` tells their routes apart. Where not all patrols
        go the way of `[patrol] way`, each tells its `way`, "walk" or "bicycle". `routes` holds each
        walk once, in the form of `plan.json`; `route` is its row there.
        `patrolplan.team.week_file.read_week` makes a `Week` of it again.
    """
    rows: dict[str, int] = {}
    patrols = [_build_duty_row(duty, week.plan.area.projection, rows) for duty in week.duties]
    if week.has_mixed_modes:
        told = zip(patrols, week.duties, strict=True)
        patrols = [row | {"way": duty.patrol.way} for row, duty in told]
    return {
        "schema": SCHEMA,
        "status": week.status,
        "gap_percent": round(week.gap_percent, 4),
        "worth": round(week.worth, 6),
        "bound": round(week.bound, 6),
        "plan": compute_short_id(week.created_from),
        "created_from": week.created_from,
        "days": [day.isoformat() for day in week.days],
        "patrols": patrols,
        "unmet": [
            {"urn": gap.urn, "date": gap.date.isoformat(), "why": gap.why} for gap in week.unmet
        ],
        "short": [
            {"urn": row.urn, "patrols": row.patrols, "least": row.least} for row in week.short
        ],
        "notes": list(week.notes),
        "locks": [_build_hand_row(lock) for lock in week.locks],
        "bans": [_build_hand_row(ban) for ban in week.bans],
        "delivered": _format_dates(week.delivered),
        "absent": _format_dates(week.absent),
        "history": [{"when": when, "what": what} for when, what in week.history],
        "routes": [json.loads(route) for route in rows],
    }


def _build_duty_row(duty: Duty, projection: Projection, rows: dict[str, int]) -> dict[str, Any]:
    """A duty; `rows` numbers the walks seen so far and takes in what is new."""
    return {
        "officer": duty.officer,
        "urn": duty.urn,
        "date": duty.date.isoformat(),
        "start": format_time(duty.start_minutes),
        "end": format_time(duty.end_minutes),
        "variant": duty.variant,
        "number": duty.patrol.number,
        "leave": format_time(duty.leave_minutes),
        "stops": [
            {
                "hotspot": stop.hotspot,
                "arrive": format_time(stop.arrive_minutes),
                "leave": format_time(stop.leave_minutes),
                "place": stop.place,
            }
            for stop in duty.patrol.stops
        ],
        "route": rows.setdefault(_encode_route(duty.patrol, projection), len(rows)),
    }


@lru_cache(maxsize=4096)
def _encode_route(patrol: Patrol, projection: Projection) -> str:
    """A walk as text; kept, since most of a week stays as it is when it is written again."""
    document = build_patrol_document(patrol, projection)
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _format_dates(days: Mapping[str, frozenset[dt.date]]) -> dict[str, list[str]]:
    return {name: sorted(day.isoformat() for day in days[name]) for name in sorted(days)}


def _build_hand_row(row: Lock | Ban) -> dict[str, Any]:
    return {
        "officer": row.officer,
        "urn": row.urn,
        "date": None if row.date is None else row.date.isoformat(),
        "variant": row.variant,
    }


SATURDAY = 5


def list_school_days(start: dt.date) -> tuple[dt.date, ...]:
    """Days from a date to the Friday of its week; from a weekend, the whole week after it.

    Examples
    --------
    >>> [day.isoformat() for day in list_school_days(dt.date(2026, 12, 3))]
    ['2026-12-03', '2026-12-04']
    >>> list_school_days(dt.date(2026, 11, 28))[0].isoformat()
    '2026-11-30'
    """
    if start.weekday() >= SATURDAY:
        start += dt.timedelta(days=7 - start.weekday())
    return tuple(start + dt.timedelta(days=n) for n in range(SATURDAY - start.weekday()))


def find_open_days(term_dates: pd.DataFrame, urns: Sequence[str], days: Sequence[dt.date]) -> Bools:
    """(s, d) whether each school is open on each day.

    A row for the school outranks one for all schools (`*`), and `closed` outranks `term`. Where
    no row speaks of a term, for the school or for all, every weekday counts.

    Parameters
    ----------
    term_dates
        See `patrolplan.tables.TERM_DATES`.
    urns, days
        Schools and days asked for.
    """
    dates = pd.DatetimeIndex(list(days))
    inside = (term_dates["from"].to_numpy()[:, None] <= dates.to_numpy()) & (
        dates.to_numpy() <= term_dates["to"].to_numpy()[:, None]
    )
    urn, kind = (term_dates[name].to_numpy(dtype=object) for name in ("urn", "kind"))

    def says(rows: Bools) -> Bools:
        return np.asarray(inside[rows].any(axis=0))

    every = urn == "*"
    general = says(every & (kind == "term")) & ~says(every & (kind == "closed"))
    general_closed = says(every & (kind == "closed"))
    found = np.zeros((len(urns), len(days)), dtype=bool)
    for row, school in enumerate(urns):
        own = urn == school
        terms = (kind == "term") & (own | every)
        usual = general if terms.any() else ~general_closed
        found[row] = (usual | says(own & (kind == "term"))) & ~says(own & (kind == "closed"))
    return found
