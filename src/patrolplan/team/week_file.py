"""`week.json` -> `Week`: a week that was handed out keeps its stops and times."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from patrolplan.area import StudyArea
from patrolplan.area.provenance import compute_area_provenance, compute_short_id
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.patrols.plan import Amount, Count, FileModel, Minutes, Patrol, Plan
from patrolplan.patrols.planner import reverse_patrol
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.routes import RouteKey, build_route_key, list_patrols
from patrolplan.team.week import SCHEMA, Ban, Duty, Lock, PatrolShortfall, Unmet, Week

REMEDY = "take the file as it was written, or plan the week again with `patrolplan week --from`"

MAX_SHOWN_CHARACTERS = 40
"""Signs of a wrong value that are shown."""


def _parse_day(value: object) -> object:
    if isinstance(value, str):
        try:
            return dt.datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            pass
    message = "is no date, written YYYY-MM-DD"
    raise ValueError(message)


Day = Annotated[dt.date, BeforeValidator(_parse_day)]
DaysByName = dict[str, list[Day]]


class DutyEntry(FileModel):
    """One patrol of the week."""

    officer: str
    urn: str
    date: Day
    start: Minutes
    end: Minutes
    variant: Count
    number: Count
    leave: Minutes
    route: Annotated[int, Field(ge=0)]


class UnmetEntry(FileModel):
    """A school and day without a patrol."""

    urn: str
    date: Day
    why: str


class ShortfallEntry(FileModel):
    """A school below its least."""

    urn: str
    patrols: Count
    least: Count


class BanEntry(FileModel):
    """A ban; what is null stands for all."""

    officer: str | None
    urn: str | None
    date: Day | None
    variant: Count | None


class LockEntry(FileModel):
    """A lock."""

    officer: str
    urn: str
    date: Day
    variant: Count | None


class ChangeEntry(FileModel):
    """What was changed by hand."""

    when: str
    what: str


class WeekEntry(FileModel):
    """The whole file."""

    schema_: Annotated[int, Field(alias="schema")]
    status: Literal["optimal", "feasible"]
    worth: Amount
    bound: Amount
    created_from: dict[str, Any]
    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    patrols: list[DutyEntry]
    unmet: list[UnmetEntry]
    short: list[ShortfallEntry]
    notes: list[str]
    locks: list[LockEntry]
    bans: list[BanEntry]
    delivered: DaysByName
    absent: DaysByName
    history: tuple[ChangeEntry, ...] = Field(default=(), strict=False)
    routes: list[Patrol]


def read_week(path: str | Path, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]) -> Week:
    """Read a week that was handed out.

    Its patrols keep their stops, times (to the minute) and walks, whatever data and plan say by
    now; the week's notes say where these differ from what it was made from.

    Parameters
    ----------
    path
        `week.json`, or the folder that holds it.
    area
        The area as it is now.
    plan
        The plan as it is now, or by day.

    Raises
    ------
    InputError
        When the file is not there or is not a week, with every reason.
    """
    entry = read_week_entry(path, area.projection)
    duties = tuple(
        Duty(
            officer=row.officer,
            urn=row.urn,
            date=row.date,
            start_minutes=row.start,
            end_minutes=row.end,
            variant=row.variant,
            patrol=entry.routes[row.route],
            leave_minutes=row.leave,
        )
        for row in entry.patrols
    )
    locks = tuple(Lock(row.officer, row.urn, row.date, row.variant) for row in entry.locks)
    plans = list_day_plans(plan, entry.days, area, locks)
    told = _describe_differences(entry, duties, area, plans)
    return Week(
        plan=plans[0],
        days=tuple(entry.days),
        duties=duties,
        unmet=tuple(Unmet(row.urn, row.date, row.why) for row in entry.unmet),
        short=tuple(PatrolShortfall(row.urn, row.patrols, row.least) for row in entry.short),
        status=entry.status,
        worth=entry.worth,
        bound=entry.bound,
        notes=tuple(dict.fromkeys((*entry.notes, *told))),
        locks=locks,
        bans=tuple(Ban(row.officer, row.urn, row.date, row.variant) for row in entry.bans),
        delivered={name: frozenset(days) for name, days in entry.delivered.items()},
        absent={name: frozenset(days) for name, days in entry.absent.items()},
        created_from=entry.created_from,
        history=tuple((row.when, row.what) for row in entry.history),
    )


def read_week_entry(path: str | Path, projection: Projection | None = None) -> WeekEntry:
    """What a week's file or folder holds, once everything in it is right.

    Without a projection, the places of its routes stay in degrees.

    Raises
    ------
    InputError
        When the file is not there or is not a week, with every reason.
    """
    path = Path(path)
    path = path / "week.json" if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        what = f"no week can be read there ({error.strerror or error})"
        raise InputError.one(path, what, "name the folder of a week that was planned") from None
    except (ValueError, RecursionError) as error:
        what = f"is not JSON ({error})"
        raise InputError.one(path, what, REMEDY) from None
    problems = Problems()
    if isinstance(document, dict) and document.get("schema", SCHEMA) != SCHEMA:
        what = f"schema {str(document['schema'])[:MAX_SHOWN_CHARACTERS]} is not {SCHEMA}"
        raise InputError.one(path, what, "read it with the version that wrote it", "'schema'")
    try:
        entry = WeekEntry.model_validate(
            document, context=None if projection is None else {"projection": projection}
        )
    except ValidationError as error:
        for row in error.errors(include_url=False):
            place = ".".join(str(part) for part in row["loc"]) or "the whole file"
            problems.add(
                path,
                f"{row['msg']} (seen: {row['input']!r:.{MAX_SHOWN_CHARACTERS}})",
                REMEDY,
                place,
            )
        problems.raise_if_any()
        raise
    _check_agreement(entry, path, problems)
    problems.raise_if_any()
    return entry


def _check_agreement(entry: WeekEntry, path: Path, problems: Problems) -> None:
    """Tell where parts of the file contradict each other."""
    if any(later <= day for day, later in zip(entry.days, entry.days[1:], strict=False)):
        problems.add(path, "the days do not rise", REMEDY, "days")
    for number, row in enumerate(entry.patrols):
        place = f"patrols.{number}"
        if row.date not in entry.days:
            problems.add(path, f"{row.date} is not among the days", REMEDY, place)
        if row.route >= len(entry.routes):
            problems.add(path, f"there is no route {row.route}", REMEDY, place)
            continue
        walk = entry.routes[row.route]
        said = (row.urn, row.number, row.start, row.end)
        if said != (walk.urn, walk.number, walk.start_minutes, walk.end_minutes):
            what = f"URN, number or times are not those of route {row.route}"
            problems.add(path, what, REMEDY, place)
    for number, walk in enumerate(entry.routes):
        if walk.stops and len(walk.legs) != len(walk.stops) + 1:
            what = f"{len(walk.legs)} legs do not join {len(walk.stops)} stops"
            problems.add(path, what, REMEDY, f"routes.{number}")
    _check_double_bookings(entry, path, problems)


def _check_double_bookings(entry: WeekEntry, path: Path, problems: Problems) -> None:
    """Tell of officers and schools that have two patrols at a time."""
    taken = Counter((row.officer, row.date) for row in entry.patrols)
    slots = Counter((f"URN {row.urn}", row.date, row.number) for row in entry.patrols)
    for (who, date, *_), count in (*taken.items(), *slots.items()):
        if count > 1:
            problems.add(path, f"{who} has {count} patrols on {date}", REMEDY, "patrols")


def _describe_differences(
    entry: WeekEntry,
    duties: tuple[Duty, ...],
    area: StudyArea,
    plans: Sequence[Plan],
) -> tuple[str, ...]:
    """What is no longer as it was when the week was made."""
    then, now = (
        compute_short_id(entry.created_from),
        compute_short_id(compute_area_provenance(area)),
    )
    if then == now:
        return ()
    changed = f"Data or settings are not those that this week was made from ({then}, now {now})"
    told = [f"{changed}: patrols handed out keep their stops and times."]
    known = {day: _list_route_keys(plan) for day, plan in zip(entry.days, plans, strict=True)}
    other = [duty for duty in duties if build_route_key(duty.patrol) not in known[duty.date]]
    if other:
        told.append(f"Not in the plan as it is now, but kept: {_name_first_few(other)}.")
    return tuple(told)


def _list_route_keys(plan: Plan) -> set[RouteKey]:
    """Every walk of a plan, either way round."""
    found = [patrol for _, patrol in list_patrols(plan)]
    back = [reverse_patrol(patrol) for patrol in found]
    return {build_route_key(patrol) for patrol in (*found, *back) if patrol is not None}


def _name_first_few(duties: Sequence[Duty]) -> str:
    """The first few by name."""
    few = 5
    more = f"; and {len(duties) - few} more" if len(duties) > few else ""
    return "; ".join(str(duty) for duty in duties[:few]) + more
