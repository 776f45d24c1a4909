"""`Week`: who patrols which school on which day, and what could not be done.

Times are minutes after local midnight. Each record is declared once: pydantic uses the annotations
to write it as a part of `week.json`, and to read it again, see `patrolplan.team.week_file`.
"""

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
)

from patrolplan.crs import Projection
from patrolplan.notes import Note
from patrolplan.patrols.file_forms import (
    Amount,
    Day,
    Minutes,
    also_writes,
    arrange,
    not_in_files,
    write_record,
)
from patrolplan.patrols.plan import Patrol, Plan, StopKind
from patrolplan.patrols.solver.problem import compute_gap_percent
from patrolplan.provenance import compute_short_id
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.tables import render_html_table
from patrolplan.team import week_records as records
from patrolplan.team.calendar_state import NEVER_SENT, CalendarState
from patrolplan.team.not_met import count_unmet
from patrolplan.team.stays import Stay, list_stays
from patrolplan.text import format_count, pick_fields
from patrolplan.times import format_time

SCHEMA = 3  # of `week.json`; in version 1, stops had reasons in words


@lru_cache(maxsize=4096)
def _encode_route(patrol: Patrol, projection: Projection) -> str:
    """A walk as text; cached, since most of a week stays as it is when it is written again."""
    document = write_record(patrol, projection)
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _write_route(patrol: Patrol, info: "SerializationInfo[dict[str, Any]]") -> int:
    """Row of a walk among the `routes` of the file, where each is written once."""
    routes: dict[str, int] = info.context["routes"]
    return routes.setdefault(_encode_route(patrol, info.context["projection"]), len(routes))


def _read_route(number: object, info: ValidationInfo) -> Patrol | None:
    """The walk of a row of the file's `routes`, which are read first; None where they are wrong."""
    routes: list[Patrol] | None = (info.context or {})["routes"]
    if routes is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(routes):
        message = f"there is no route {number!r:.40}"
        raise ValueError(message)
    return routes[number]


_Route = Annotated[
    Patrol,
    PlainValidator(_read_route),
    PlainSerializer(_write_route),
    WithJsonSchema({"minimum": 0, "type": "integer"}),
]


@dataclass(frozen=True)
class DutyStop:
    """A stop of a duty as readers need it; the route has the rest."""

    hotspot: str
    kind: StopKind
    tasked: str | None
    arrive: Minutes
    leave: Minutes
    place: str


@dataclass(frozen=True)
class PatrolSlot:
    """Who patrols which school when: names one patrol of a week."""

    officer: str
    urn: str
    date: dt.date
    window: str = AFTER_SCHOOL

    def __str__(self) -> str:
        what = f"{self.officer} at URN {self.urn} on {format_day(self.date)}"
        return what if self.window == AFTER_SCHOOL else f"{what} ({self.window})"


def _write_back(minutes: float) -> str | None:
    return None if math.isnan(minutes) else format_time(minutes)


@also_writes(number=records.StrictCount, stops=tuple[DutyStop, ...], window=str)
@dataclass(frozen=True, eq=False)
class Duty:
    """One patrol of the week: an officer, a school, a day and the route."""

    officer: str
    urn: str
    date: Day
    start_minutes: Annotated[Minutes, Field(alias="start")]
    end_minutes: Annotated[Minutes, Field(alias="end")]
    variant: records.StrictCount  # 0 for the school's best patrol, 1 for its first variant...
    patrol: Annotated[_Route, Field(alias="route")]
    """The walk itself, with its own stops, times and legs; in files its row among `routes`."""
    leave_minutes: Annotated[Minutes, Field(alias="leave")]
    """When the officer sets out from their base."""
    crew: tuple[str, ...] = ()  # who else walks it, by the names of the officers table
    back_minutes: Annotated[
        Minutes,
        PlainSerializer(_write_back),
        Field(alias="back", json_schema_extra=lambda schema: schema.pop("default")),
    ] = math.nan
    """When the officer is back at the base; NaN, in files left out, where that is not known."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        walk, record = self.patrol, handler(self)
        route, crew, back = (record.pop(name) for name in ("route", "crew", "back"))
        stops = []
        for stop in walk.stops:
            own = pick_fields(stop, "hotspot", "kind", "tasked", "place")
            times = (format_time(each) for each in (stop.arrive_minutes, stop.leave_minutes))
            stops.append(arrange(own, tasked=dict(zip(("arrive", "leave"), times, strict=True))))
        return {
            **arrange(record, variant={"number": walk.number}),
            **({} if back is None else {"back": back}),
            "stops": stops,
            "route": route,
            "window": walk.window,
            "crew": crew,
        }

    @property
    def window(self) -> str:
        """Name of the patrol's window."""
        return self.patrol.window

    @cached_property
    def slot(self) -> "PatrolSlot":
        """What names it in its week."""
        return PatrolSlot(self.officer, self.urn, self.date, self.window)

    def with_crew(self, crew: tuple[str, ...]) -> "Duty":
        """The same with another crew; itself where it is this one."""
        return self if crew == self.crew else replace(self, crew=crew)

    @property
    def people(self) -> tuple[str, ...]:
        """The officer and who walks along, by the names of the officers table."""
        return (self.officer, *self.crew)

    def __str__(self) -> str:
        return (
            f"{self.officer}: URN {self.urn} on {format_day(self.date)}, "
            f"{format_time(self.start_minutes)}"
        )


def _sort_days(days: Mapping[str, frozenset[dt.date]]) -> dict[str, list[str]]:
    return {name: [f"{day}" for day in sorted(days[name])] for name in sorted(days)}


_DaysByName = Annotated[dict[str, frozenset[Day]], PlainSerializer(_sort_days)]


@also_writes(
    "routes",
    schema=int,
    gap_percent=Amount,
    plan=str,
    commitment=str,
    give_percent=Amount,
    routes=list[Patrol],
    stays=list[records.StayRow],
    places=list[records.PlaceStay],
)
@dataclass(frozen=True, eq=False)
class Week:
    """Who patrols which school on which day."""

    plan: Annotated[Plan, not_in_files(None), Field(exclude=True, default=None)]
    """What it was chosen from; that of the first day, where plans differ from day to day."""
    status: Literal["optimal", "feasible"]  # "optimal" when proven best, else "feasible"
    worth: Amount
    bound: Amount
    """See `patrolplan.team.objective`; no week of these choices can be worth more than `bound`."""
    created_from: dict[str, Any]  # data and settings, see `patrolplan.provenance`
    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=7)]
    """The school week's days that were planned."""
    duties: Annotated[tuple[Duty, ...], Field(alias="patrols")]
    """In the order of day, start and officer."""
    unmet: tuple[records.Unmet, ...]
    """What it does not reach, and why; also every school and day without a patrol."""
    notes: tuple[Note, ...]  # what was assumed
    locks: tuple[Annotated[records.Lock, records.EveryKey], ...]  # duties set by hand
    bans: tuple[Annotated[records.Ban, records.EveryKey], ...]  # duties ruled out by hand
    delivered: _DaysByName
    """Days on which a hotspot had its dose before this week was planned, by hotspot."""
    absent: _DaysByName
    """Days on which officers were found to be absent after the week was handed out."""
    demands: tuple[records.DemandOutcome, ...] = ()
    """Places tasked by intelligence, and new or rising hotspots near the gates."""
    draw: records.Draw | None = None  # None where the week was not drawn
    foreseen: records.Foreseen | None = None
    history: tuple[records.HandChange, ...] = ()  # changes by hand
    calendar: CalendarState = NEVER_SENT  # what calendars were told of it
    trial: records.WeekTrial | None = None
    """See `patrolplan.team.trial`; for the team's lead, and on no officer's paper."""

    @model_serializer(mode="wrap")
    def _write(
        self, handler: SerializerFunctionWrapHandler, info: "SerializationInfo[dict[str, Any]]"
    ) -> dict[str, Any]:
        without = ["trial"] if self.trial is None else []
        without += ["calendar"] if self.calendar == NEVER_SENT else []
        drawn: dict[str, Any] = {}
        if self.draw is None:
            without += ["draw", "foreseen"]
        else:
            give = round(self.give_percent, 4)
            drawn = {"commitment": self.draw.commitment, "give_percent": give}
        record = arrange(
            handler(self),
            without,
            status={"gap_percent": round(self.gap_percent, 4)},
            bound={"plan": compute_short_id(self.created_from)},
            demands=drawn,
        )
        routes = [json.loads(route) for route in info.context["routes"]]
        return {"schema": SCHEMA, **record, "routes": routes}

    @cached_property
    def stays(self) -> tuple[Stay, ...]:
        """Who stands where, from when to when, each patrol's in the order of time."""
        return tuple(list_stays(self.duties))

    @property
    def start(self) -> dt.date:
        """First day of the week."""
        return self.days[0]

    @property
    def gap_percent(self) -> float:
        """How far the best week found may be below the best possible, in percent of the bound."""
        # For a week that was drawn, this is the gap of the week that the draw started from.
        best_worth = self.worth if self.draw is None else max(self.worth, self.draw.best_worth)
        return compute_gap_percent(best_worth, self.bound)

    @property
    def give_percent(self) -> float:
        """How much less than the best week found this one is worth, in percent."""
        if self.draw is None or self.draw.best_worth <= 0:
            return 0.0
        return max(0.0, 100 * (1 - self.worth / self.draw.best_worth))

    def __repr__(self) -> str:
        officers = len({duty.officer for duty in self.duties})
        schools = len({duty.urn for duty in self.duties})
        return (
            f"<Week: from {self.start}, {format_count(len(self.duties), 'patrol')} of "
            f"{format_count(officers, 'officer')} at {format_count(schools, 'school')}, "
            f"{self.status}, gap {self.gap_percent:.2f} %>"
        )

    def _repr_html_(self) -> str:
        good = "best possible" if self.status == "optimal" else f"within {self.gap_percent:.2f} %"
        facts = {
            "patrols": len(self.duties),
            "officers": len({duty.officer for duty in self.duties}),
            "schools": len({duty.urn for duty in self.duties}),
            "how good": good,
            "not met": count_unmet(self.unmet) or "nothing",
        }
        after = "pp.plot.doses(week)"
        return render_html_table(f"Week from {self.start:%d %B %Y}", facts, next_call=after)


def format_day(date: dt.date) -> str:
    """A day in words."""
    return f"{date:%A} {date.day} {date:%B}"
