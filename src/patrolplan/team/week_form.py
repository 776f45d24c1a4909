"""The form of `week.json`: its entries, and what is wrong with a file that is not a week."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.patrols.file_forms import (
    Amount,
    Count,
    Day,
    FileModel,
    FileNote,
    ForReaders,
    Minutes,
)
from patrolplan.patrols.plan import Patrol, StopKind
from patrolplan.team.week import (
    Ban,
    DemandKind,
    DemandOutcome,
    Draw,
    Foreseen,
    Lock,
    PatrolShortfall,
    Unmet,
    Visitor,
    WeekTrial,
)
from patrolplan.times import format_time

SCHEMA = 2
"""In version 1, stops had reasons in words."""

PLAN_AGAIN = "plan the week again with `patrolplan week --from`"

REMEDY = f"use the file as it was written, or {PLAN_AGAIN}"

MAX_SHOWN_CHARACTERS = 40
"""Maximum characters of a wrong value in a message."""


def _require_every_key(row: object) -> object:
    """A lock or ban of a file names every key: one that is left out must not stand for all."""
    keys = ("officer", "urn", "date", "variant")
    missing = [key for key in keys if isinstance(row, dict) and key not in row]
    if missing:
        message = f"Field required: {', '.join(missing)}"
        raise ValueError(message)
    return row


ClockTime = Annotated[Minutes, PlainSerializer(format_time)]

DaysByName = dict[str, list[Day]]

Row = BeforeValidator(_require_every_key)


@dataclass(frozen=True)
class DutyStop:
    """A stop of a duty as readers need it; the route has the rest."""

    hotspot: str
    kind: StopKind
    tasked: str | None
    arrive: ClockTime
    leave: ClockTime
    place: str


class DutyEntry(FileModel):
    """A patrol of the week; `stops`, `window` and `way` are for readers, the route holds them."""

    officer: str
    urn: str
    date: Day
    start: ClockTime
    end: ClockTime
    variant: Count
    number: Count
    leave: ClockTime
    back: ClockTime | None = None
    stops: Annotated[Any, ForReaders(tuple[DutyStop, ...])] = ()
    route: Annotated[int, Field(ge=0)]
    window: Annotated[Any, ForReaders(str)] = None
    way: Annotated[Any, ForReaders(str)] = None
    crew: tuple[str, ...] = Field(default=(), strict=False)


class ChangeEntry(FileModel):
    """A change by hand."""

    when: str
    what: str


PLACES: tuple[tuple[DemandKind, str], ...] = (
    ("tasked", "place_id"),
    ("designated", "place_id"),
    ("watched", "hotspot"),
    ("feared", "square"),
)
"""The field of a demand's entry that names its place, by the demand's kind."""


class DemandEntry(FileModel):
    """A demand of the week and its outcome, of a tasked place, a hotspot or a square."""

    kind: DemandKind
    place_id: str | None
    hotspot: str | None
    square: str | None = None
    date: Day | None
    visits: Count
    met_by: tuple[Visitor, ...] = Field(strict=False)
    why: FileNote | None

    @classmethod
    def from_outcome(cls, outcome: DemandOutcome) -> "DemandEntry":
        """How it stands in the file."""
        names: dict[str, Any] = dict.fromkeys((field for _, field in PLACES), None)
        names[dict(PLACES)[outcome.kind]] = outcome.place
        return cls.model_construct(
            kind=outcome.kind,
            **names,
            date=outcome.date,
            visits=outcome.visits,
            met_by=outcome.met_by,
            why=outcome.why,
        )

    def build_outcome(self) -> DemandOutcome:
        """The outcome that it holds."""
        place = self.place_id or self.hotspot or self.square or ""
        return DemandOutcome(self.kind, place, self.date, self.visits, self.met_by, self.why)


class WeekEntry(FileModel):
    """The whole file.

    `gap_percent`, `plan`, `commitment` and `give_percent` are for readers, they follow from the
    rest.
    """

    schema_: Annotated[int, Field(alias="schema")]
    status: Literal["optimal", "feasible"]
    gap_percent: Annotated[Any, ForReaders(Amount)] = None
    worth: Amount
    bound: Amount
    plan: Annotated[Any, ForReaders(str)] = None
    created_from: dict[str, Any]
    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    patrols: list[DutyEntry]
    unmet: list[Unmet]
    short: list[PatrolShortfall]
    notes: list[FileNote]
    locks: list[Annotated[Lock, Row]]
    bans: list[Annotated[Ban, Row]]
    delivered: DaysByName
    absent: DaysByName
    demands: list[DemandEntry] = Field(default=[])
    commitment: Annotated[Any, ForReaders(str)] = None
    give_percent: Annotated[Any, ForReaders(Amount)] = None
    draw: Draw | None = None
    foreseen: Foreseen | None = None
    history: tuple[ChangeEntry, ...] = Field(default=(), strict=False)
    trial: WeekTrial | None = None
    routes: list[Patrol]


def read_week_entry(path: str | Path, projection: Projection | None = None) -> WeekEntry:
    """What a week's file or folder holds, if everything in it is right.

    Without a projection, the places of its routes stay in degrees.

    Raises
    ------
    InputError
        When the file does not exist or is not a week, with every reason.
    """
    path = Path(path)
    path = path / "week.json" if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        what = f"the week cannot be read ({error.strerror or error})"
        raise InputError.one(path, what, "name the folder of a planned week") from None
    except (ValueError, RecursionError) as error:
        what = f"is not JSON ({error})"
        raise InputError.one(path, what, REMEDY) from None
    if isinstance(document, dict) and document.get("schema", SCHEMA) != SCHEMA:
        schema = document["schema"]
        if isinstance(schema, int) and schema < SCHEMA:
            what, remedy = "the week was made by an older version of patrolplan", PLAN_AGAIN
        else:
            what = f"schema {str(schema)[:MAX_SHOWN_CHARACTERS]} is not {SCHEMA}"
            remedy = "read it with the version that wrote it"
        raise InputError.one(path, what, remedy, "'schema'")
    problems = Problems()
    try:
        entry = WeekEntry.model_validate(
            document, context=None if projection is None else {"projection": projection}
        )
    except ValidationError as error:
        for row in error.errors(include_url=False):
            place = ".".join(str(part) for part in row["loc"]) or "the whole file"
            message = row["msg"].removeprefix("Value error, ")
            what = f"{message} (seen: {row['input']!r:.{MAX_SHOWN_CHARACTERS}})"
            problems.add(path, what, REMEDY, place)
        problems.raise_if_any()
        raise
    for place, what in (*_list_contradictions(entry), *_list_double_bookings(entry)):
        problems.add(path, what, REMEDY, place)
    problems.raise_if_any()
    return entry


def _list_contradictions(entry: WeekEntry) -> list[tuple[str, str]]:
    """Places where parts of the file contradict each other, and how."""
    found = []
    if any(later <= day for day, later in zip(entry.days, entry.days[1:], strict=False)):
        found.append(("days", "the days are not in order"))
    for number, row in enumerate(entry.patrols):
        place = f"patrols.{number}"
        if row.date not in entry.days:
            found.append((place, f"{row.date} is not among the days"))
        if row.route >= len(entry.routes):
            found.append((place, f"there is no route {row.route}"))
            continue
        walk = entry.routes[row.route]
        duty = (row.urn, row.number, row.start, row.end)
        if duty != (walk.urn, walk.number, walk.start_minutes, walk.end_minutes):
            what = f"URN, number or times are not those of route {row.route}"
            found.append((place, what))
    for number, walk in enumerate(entry.routes):
        if walk.stops and len(walk.legs) != len(walk.stops) + 1:
            what = f"{len(walk.legs)} legs do not join {len(walk.stops)} stops"
            found.append((f"routes.{number}", what))
    return found


def _list_double_bookings(entry: WeekEntry) -> list[tuple[str, str]]:
    """Officers and schools that have two patrols at a time."""
    windows = [
        entry.routes[row.route].window if row.route < len(entry.routes) else ""
        for row in entry.patrols
    ]
    officers = Counter(
        (row.officer, row.date, window) for row, window in zip(entry.patrols, windows, strict=True)
    )
    schools = Counter(
        (f"URN {row.urn}", row.date, row.number, window)
        for row, window in zip(entry.patrols, windows, strict=True)
    )
    return [
        ("patrols", f"{who} has {count} patrols on {date}")
        for (who, date, *_), count in (*officers.items(), *schools.items())
        if count > 1
    ]
