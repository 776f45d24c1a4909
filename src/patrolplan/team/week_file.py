"""`week.json`: a week as a file, and back. A week that was handed out keeps its stops and times."""

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.crs import Projection
from patrolplan.notes import Note
from patrolplan.patrols.plan import Patrol, Plan, build_patrol_document
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.routes import build_route_key, list_patrols
from patrolplan.team.week import Duty, Week
from patrolplan.team.week_form import (
    SCHEMA,
    ChangeEntry,
    DemandEntry,
    DutyEntry,
    WeekEntry,
    read_week_entry,
)
from patrolplan.times import format_time

CHANCES_FILE = "chances.csv"


def build_week_document(week: Week) -> dict[str, Any]:
    """The week in the form that `patrolplan week --json` prints and `week.json` holds.

    Returns
    -------
    dict
        Plain values in a fixed order; times are local HH:MM, dates YYYY-MM-DD. Where several
        officers patrol a school together, `number` distinguishes their routes. Where not all
        patrols have the mode of `[patrol] way`, each has its `way`, "walk" or "bicycle". `routes`
        holds each walk once, in the form of `plan.json` but with reasons as fields, not words;
        `route` is its row there. `read_week` turns it into a `Week` again.
    """
    week = _round_worths(week)
    routes: dict[str, int] = {}
    mixed = week.has_mixed_modes
    fields: dict[str, Any] = {
        "schema_": SCHEMA,
        "status": week.status,
        "gap_percent": round(week.gap_percent, 4),
        "worth": week.worth,
        "bound": week.bound,
        "plan": compute_short_id(week.created_from),
        "created_from": week.created_from,
        "days": list(week.days),
        "patrols": [_build_duty_entry(duty, week, routes, with_way=mixed) for duty in week.duties],
        "unmet": list(week.unmet),
        "short": list(week.short),
        "notes": list(week.notes),
        "locks": list(week.locks),
        "bans": list(week.bans),
        "delivered": _sort_days(week.delivered),
        "absent": _sort_days(week.absent),
        "demands": [DemandEntry.from_outcome(outcome) for outcome in week.demands],
        **_build_draw_fields(week),
        "history": tuple(ChangeEntry(when=when, what=what) for when, what in week.history),
        **({} if week.trial is None else {"trial": week.trial}),
    }
    document = WeekEntry.model_construct(**fields).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )
    return document | {"routes": [json.loads(route) for route in routes]}


def _round_worths(week: Week) -> Week:
    """The week with its worths as files hold them, so that percentages of them come back equal."""
    draw = week.draw
    if draw is not None:
        draw = replace(draw, best_worth=round(draw.best_worth, 6))
    return replace(week, worth=round(week.worth, 6), bound=round(week.bound, 6), draw=draw)


def _build_draw_fields(week: Week) -> dict[str, Any]:
    """How the week was drawn, if it was."""
    if week.draw is None:
        return {}
    return {
        "commitment": week.draw.commitment,
        "give_percent": round(week.give_percent, 4),
        "draw": week.draw,
        "foreseen": week.foreseen,
    }


def _build_duty_entry(
    duty: Duty, week: Week, routes: dict[str, int], *, with_way: bool
) -> DutyEntry:
    """A duty; `routes` numbers the walks so far, and a new one is added."""
    walk = _encode_route(duty.patrol, week.plan.area.projection)
    fields: dict[str, Any] = {
        "officer": duty.officer,
        "urn": duty.urn,
        "date": duty.date,
        "start": duty.start_minutes,
        "end": duty.end_minutes,
        "variant": duty.variant,
        "number": duty.patrol.number,
        "leave": duty.leave_minutes,
        "stops": [
            {
                "hotspot": stop.hotspot,
                "kind": stop.kind,
                "tasked": stop.tasked,
                "arrive": format_time(stop.arrive_minutes),
                "leave": format_time(stop.leave_minutes),
                "place": stop.place,
            }
            for stop in duty.patrol.stops
        ],
        "route": routes.setdefault(walk, len(routes)),
        "window": duty.patrol.window,
        "crew": duty.crew,
    }
    if not math.isnan(duty.back_minutes):
        fields["back"] = duty.back_minutes
    if with_way:
        fields["way"] = duty.patrol.way
    return DutyEntry.model_construct(**fields)


@lru_cache(maxsize=4096)
def _encode_route(patrol: Patrol, projection: Projection) -> str:
    """A walk as text; cached, since most of a week stays as it is when it is written again."""
    document = build_patrol_document(patrol, projection)
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _sort_days(days: Mapping[str, frozenset[dt.date]]) -> dict[str, list[dt.date]]:
    return {name: sorted(days[name]) for name in sorted(days)}


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
    entry = read_week_entry(path, area.projection)
    duties = _build_duties(entry)
    plans = list_day_plans(plan, entry.days, area, entry.locks)
    differences = _describe_differences(entry, duties, area, plans)
    return Week(
        plan=plans[0],
        days=tuple(entry.days),
        duties=duties,
        unmet=tuple(entry.unmet),
        short=tuple(entry.short),
        status=entry.status,
        worth=entry.worth,
        bound=entry.bound,
        notes=tuple(dict.fromkeys((*entry.notes, *differences))),
        locks=tuple(entry.locks),
        bans=tuple(entry.bans),
        delivered={name: frozenset(days) for name, days in entry.delivered.items()},
        absent={name: frozenset(days) for name, days in entry.absent.items()},
        created_from=entry.created_from,
        demands=tuple(row.build_outcome() for row in entry.demands),
        draw=entry.draw,
        foreseen=entry.foreseen,
        chances=read_chances(path),
        history=tuple((row.when, row.what) for row in entry.history),
        trial=entry.trial,
    )


def _build_duties(entry: WeekEntry) -> tuple[Duty, ...]:
    """The duties of a week's file."""
    return tuple(
        Duty(
            officer=row.officer,
            urn=row.urn,
            date=row.date,
            start_minutes=row.start,
            end_minutes=row.end,
            variant=row.variant,
            patrol=entry.routes[row.route],
            leave_minutes=row.leave,
            back_minutes=math.nan if row.back is None else row.back,
            crew=row.crew,
        )
        for row in entry.patrols
    )


def round_week(week: Week) -> Week:
    """A week with its duties as they are when its file is read: whole minutes, and centimetres.

    So a paper is the same before and after the week was read again.
    """
    context = {"projection": week.plan.area.projection}
    entry = WeekEntry.model_validate(build_week_document(week), context=context)
    return replace(week, duties=_build_duties(entry))


def read_chances(path: str | Path) -> pd.DataFrame | None:
    """The chances written next to a week's file, see `Week.chances`; None where there are none."""
    path = Path(path)
    file = (path if path.is_dir() else path.parent) / CHANCES_FILE
    try:
        return pd.read_csv(file, dtype={"chance": "float64"}, encoding="utf-8")
    except (OSError, ValueError):
        return None


def _describe_differences(
    entry: WeekEntry, duties: Sequence[Duty], area: StudyArea, plans: Sequence[Plan]
) -> tuple[Note, ...]:
    """What has changed since the week was planned."""
    then = compute_short_id(entry.created_from)
    now = compute_short_id(compute_area_provenance(area))
    if then == now:
        return ()
    notes = [Note("data_changed", {"then": then, "now": now})]
    planned = {
        day: {build_route_key(patrol) for _, patrol in list_patrols(plan)}
        for day, plan in zip(entry.days, plans, strict=True)
    }
    other = [duty for duty in duties if build_route_key(duty.patrol) not in planned[duty.date]]
    if other:
        few = 5
        patrols, more = [str(duty) for duty in other[:few]], max(0, len(other) - few)
        notes.append(Note("no_longer_planned", {"patrols": patrols, "more": more}))
    return tuple(notes)
