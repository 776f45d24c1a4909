"""`week.json`: a week as a file, and back. A week that was handed out keeps its stops and times."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError, with_config

from patrolplan.area import StudyArea
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.notes import Note
from patrolplan.patrols.file_forms import RECORD
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.stays import build_place_rows, build_stay_rows
from patrolplan.team.week import SCHEMA, Week

PLAN_AGAIN = "plan the week again with `patrolplan week --from`"

REMEDY = f"use the file as it was written, or {PLAN_AGAIN}"

MAX_SHOWN_CHARACTERS = 40  # maximum characters of a wrong value in a message


@with_config(RECORD)
@dataclass(frozen=True)
class _Routes:
    """The part of the file that is read first: rows of patrols name their routes by number."""

    routes: list[Patrol]


@cache
def _get_adapters() -> tuple[TypeAdapter[_Routes], TypeAdapter[Week]]:
    return TypeAdapter(_Routes), TypeAdapter(Week)


def build_week_document(week: Week) -> dict[str, Any]:
    """The week in the form that `patrolplan week --json` prints and `week.json` holds."""
    # Plain values in a fixed order; times are local HH:MM, dates YYYY-MM-DD. Where several officers
    # patrol a school together, `number` distinguishes their routes. Where not all patrols have the
    # mode of `[patrol] way`, each has its `way`, "walk" or "bicycle". `routes` holds each walk
    # once, in the form of `plan.json` but with reasons as fields, not words; `route` is its row
    # there. `stays` is who stands where, as all papers have it, and `places` its summary.
    # `read_week` turns it into a `Week` again.
    context = {"projection": week.plan.area.projection, "routes": {}}
    # Worths are rounded, so that percentages of them come back equal.
    draw = week.draw and replace(week.draw, best_worth=round(week.draw.best_worth, 6))
    rounded = replace(week, worth=round(week.worth, 6), bound=round(week.bound, 6), draw=draw)
    document: dict[str, Any] = _get_adapters()[1].dump_python(
        rounded, mode="json", by_alias=True, context=context
    )
    rows = {"stays": build_stay_rows(week.stays), "places": build_place_rows(week.stays)}
    return document | rows


def read_week_alone(path: str | Path, projection: Projection | None = None) -> Week:
    """The week of a file or folder without a plan; an `InputError` with every reason it is none."""
    # Without a projection, the places of its routes stay in degrees.
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
        what = f"schema {str(document['schema'])[:MAX_SHOWN_CHARACTERS]} is not {SCHEMA}"
        remedy = f"read it with the version that wrote it, or {PLAN_AGAIN}"
        raise InputError.one(path, what, remedy, "'schema'")
    return _parse_week(document, path, projection)


def _parse_week(document: object, path: Path, projection: Projection | None) -> Week:
    """The week that a file's content declares; an `InputError` with every reason if it does not."""
    problems, week = Problems(), None
    context: dict[str, Any] = {"projection": projection, "routes": None}
    routes, whole = _get_adapters()
    try:
        context["routes"] = routes.validate_python(document, context=context).routes
    except ValidationError as error:
        _add_errors(problems, path, error)
    try:
        week = whole.validate_python(document, context=context)
    except ValidationError as error:
        if isinstance(document, dict):  # otherwise said already
            _add_errors(problems, path, error)
    problems.raise_if_any()
    assert week is not None  # noqa: S101 - for mypy
    for place, what in _list_contradictions(week, context["routes"]):
        problems.add(path, what, REMEDY, place)
    problems.raise_if_any()
    return week


def _add_errors(problems: Problems, path: Path, error: ValidationError) -> None:
    for row in error.errors(include_url=False):
        place = ".".join(str(part) for part in row["loc"]) or "the whole file"
        message = row["msg"].removeprefix("Value error, ")
        what = f"{message} (seen: {row['input']!r:.{MAX_SHOWN_CHARACTERS}})"
        problems.add(path, what, REMEDY, place)


def _list_contradictions(week: Week, routes: Sequence[Patrol]) -> Iterator[tuple[str, str]]:
    """Places where parts of the file contradict each other, and how."""
    if list(week.days) != sorted(set(week.days)):
        yield "days", "the days are not in order"
    booked: Counter[tuple[object, ...]] = Counter()
    for number, duty in enumerate(week.duties):
        walk, place = duty.patrol, f"patrols.{number}"
        if duty.date not in week.days:
            yield place, f"{duty.date} is not among the days"
        row = (duty.urn, duty.start_minutes, duty.end_minutes)
        if row != (walk.urn, walk.start_minutes, walk.end_minutes):
            yield place, "URN or times are not those of its route"
        booked[duty.officer, duty.date, walk.window] += 1
        booked[f"URN {duty.urn}", duty.date, walk.window, walk.number] += 1
    for (who, date, *_), count in booked.items():
        if count > 1:
            yield "patrols", f"{who} has {count} patrols on {date}"
    for number, walk in enumerate(routes):
        if walk.stops and len(walk.legs) != len(walk.stops) + 1:
            what = f"{len(walk.legs)} legs do not join {len(walk.stops)} stops"
            yield f"routes.{number}", what


def read_week(path: str | Path, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]) -> Week:
    """Read a week that was handed out.

    Its patrols keep their stops, times (to the minute) and walks, even if data and plan have
    changed; the week's notes say where these differ from what it was planned from.

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
        When the file does not exist or is not a week, with every reason.
    """
    week = read_week_alone(path, area.projection)
    plans = list_day_plans(plan, week.days)
    then = compute_short_id(week.created_from)
    now = compute_short_id(compute_area_provenance(area))
    text = (
        f"Data or settings have changed since this week was planned ({then}, now {now}): patrols "
        "handed out keep their stops and times."
    )
    changed = () if then == now else (Note("data_changed", text, "lead"),)
    return replace(week, plan=plans[0], notes=tuple(dict.fromkeys((*week.notes, *changed))))


def round_week(week: Week) -> Week:
    """A week with its duties as they are when its file is read: whole minutes, and centimetres."""
    # So a paper is the same before and after the week was read again.
    document = build_week_document(week)
    read = _parse_week(document, Path("week.json"), week.plan.area.projection)
    return replace(week, duties=read.duties)
