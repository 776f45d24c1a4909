"""What the page is told: the week as it stands, and the ground under its map."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from patrolplan.inputs.lookups import WEEKDAYS
from patrolplan.outputs.webmap.map_layers import build_map_layers
from patrolplan.outputs.week.roster import Roster
from patrolplan.patrols.plan import convert_to_degrees, format_time
from patrolplan.team.objective import compute_loosest_bound, sum_minutes_by_day
from patrolplan.team.routes import list_patrols
from patrolplan.team.week_editor import get_slot

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import geopandas as gpd

    from patrolplan.board.session import BoardState, PlannedArea
    from patrolplan.crs import Projection
    from patrolplan.patrols.plan import Patrol, Plan
    from patrolplan.team.week import Duty
    from patrolplan.team.week_editor import PatrolSlot, WeekEditor

    DeliveredByPost = Mapping[PatrolSlot, tuple[list[float], int | None]]


SIMPLIFY_METRES = 1.0
"""Lines on the page's map may be this far off."""

DECIMALS = 6

BOUND_TOLERANCE = 1e-5
"""Bounds are rounded in files; one this near to the loosest says nothing until solved again."""


def week_view_document(state: BoardState, delivered: DeliveredByPost) -> dict[str, Any]:
    """The week as it stands, for the page.

    Parameters
    ----------
    scene
        The board.
    delivered
        Minutes at each stop of a patrol and engagements, where they were recorded.
    """
    week, hand, area = state.week, state.editor, state.planned_area.area
    roll = Roster(week)
    shown = duties_document(state, delivered)
    schools = _school_documents(roll, hand, shown)
    settings = area.settings
    return {
        "area": area.name,
        "marking": settings.output.marking,
        "week": {
            "start": f"{week.start}",
            "days": [{"date": f"{day}", "name": f"{day:%a} {day.day}"} for day in week.days],
        },
        "schools": schools,
        "officers": _officer_documents(roll, hand),
        "doses": _dose_documents(state),
        "fairness": _fairness_document(schools, state),
        "gaps": [{"urn": row.urn, "date": f"{row.date}", "why": row.why} for row in week.unmet],
        "short": [
            {"urn": row.urn, "patrols": row.patrols, "least": row.least} for row in week.short
        ],
        "bans": [
            {
                "officer": ban.officer,
                "urn": ban.urn,
                "date": None if ban.date is None else f"{ban.date}",
                "variant": ban.variant,
            }
            for ban in week.bans
        ],
        "tasked": tasked_document(area.tasked_places, area.projection),
        "worth": week.worth,
        "bound": week.bound,
        "gap_percent": week.gap_percent,
        "bound_known": week.bound < compute_loosest_bound(hand.problem) - BOUND_TOLERANCE,
        "status": week.status,
        "notes": list(week.notes),
        "history": [
            {"when": when[11:], "day": when[:10], "what": what} for when, what in week.history
        ],
        "threshold_note": (
            f"Pupils' reports count only as groups of at least {settings.privacy.threshold}."
        ),
    }


def duties_document(state: BoardState, delivered: DeliveredByPost) -> list[dict[str, Any]]:
    """Every patrol of the week, for the page."""
    routes = {
        (day, urn, way): count
        for day, plan in zip(state.editor.inputs.days, state.editor.inputs.plans, strict=True)
        for (urn, way), count in _count_routes(plan).items()
    }
    return [_duty_document(duty, state.editor, routes, delivered) for duty in state.week.duties]


@lru_cache(maxsize=64)
def _count_routes(plan: Plan) -> dict[tuple[str, str], int]:
    """How many routes each school has, by the way that they go."""
    found: dict[tuple[str, str], set[int]] = {}
    for variant, patrol in list_patrols(plan):
        found.setdefault((patrol.urn, patrol.way), set()).add(variant)
    return {place: len(variants) for place, variants in found.items()}


def _duty_document(
    duty: Duty,
    editor: WeekEditor,
    routes: Mapping[tuple[dt.date, str, str], int],
    delivered: DeliveredByPost,
) -> dict[str, Any]:
    minutes, engagements = delivered.get(get_slot(duty), (None, None))
    known = editor.inputs
    leave = "" if np.isnan(duty.leave_minutes) else format_time(duty.leave_minutes)
    return {
        "officer": duty.officer,
        "urn": duty.urn,
        "date": f"{duty.date}",
        "number": duty.patrol.number,
        "variant": duty.variant,
        "variants": routes.get((duty.date, duty.urn, duty.patrol.way), 0),
        "way": duty.patrol.way,
        "start": format_time(duty.start_minutes),
        "end": format_time(duty.end_minutes),
        "leave": leave,
        "locked": editor.find_lock(duty) is not None,
        "lent": duty.officer in known.officers
        and duty.urn in known.urns
        and editor.is_loan(get_slot(duty)),
        "delivered": minutes,
        "engagements": engagements,
        **walk_document(duty.patrol, known.area.projection),
    }


def _school_documents(
    roll: Roster, editor: WeekEditor, duties: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    why = {(row.urn, row.date): row.why for row in roll.week.unmet}
    at: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for patrol in duties:
        at.setdefault((patrol["urn"], patrol["date"]), []).append(patrol)
    least = editor.problem.min_patrols
    return [
        {
            "urn": school.urn,
            "name": school.name,
            "bell": school.bell,
            "patrols": sum(bool(at.get((school.urn, f"{day}"))) for day in roll.week.days),
            "least": least,
            "cells": {
                f"{day}": {
                    "state": "closed" if (school.urn, day) in roll.closed_days else "open",
                    "why": why.get((school.urn, day), ""),
                    "patrols": at.get((school.urn, f"{day}"), []),
                }
                for day in roll.week.days
            },
        }
        for school in roll.schools
    ]


def _officer_documents(roll: Roster, editor: WeekEditor) -> list[dict[str, Any]]:
    choice = editor.inputs
    table = choice.area.officers.drop_duplicates("officer").set_index("officer")
    rows = []
    for row, officer in enumerate(roll.officers):
        known = officer.name in table.index
        away = choice.absent.get(officer.name, frozenset())
        rows.append(
            {
                "officer": officer.name,
                "schools": list(officer.schools),
                "most": int(choice.most[row]) if row < len(choice.most) else 0,
                "patrols": sum(duty.officer == officer.name for duty in roll.week.duties),
                "hours": {
                    f"{day}": table.loc[officer.name, WEEKDAYS[day.weekday()]]
                    if known and day not in away
                    else ""
                    for day in roll.week.days
                },
                "absent": [f"{day}" for day in sorted(away)],
                "mode": officer.mode,
            }
        )
    return rows


def _dose_documents(state: BoardState) -> list[dict[str, Any]]:
    hand, hotspots = state.editor, state.planned_area.hotspots
    problem, choice = hand.problem, hand.inputs
    chosen = np.array([hand.find_row(duty) for duty in state.week.duties], dtype=np.int64)
    minutes = sum_minutes_by_day(problem, chosen)
    places = dict(zip(hotspots["hotspot"], hotspots["place"], strict=True))
    stops = {stop.hotspot: stop.place for route in choice.routes for stop in route.patrol.stops}
    return [
        {
            "hotspot": name,
            "place": places.get(name, stops.get(name, "")),
            "days": {
                f"{day}": round(float(minutes[row, column]))
                for column, day in enumerate(choice.days)
            },
            "most": problem.max_dose_minutes,
            "before": int(problem.dosed_before[row]),
            "worth": weight,
        }
        for row, (name, weight) in enumerate(choice.hotspots.items())
    ]


def _fairness_document(schools: list[dict[str, Any]], state: BoardState) -> dict[str, Any]:
    choice, week = state.editor.inputs, state.week
    minutes: dict[str, float] = {}
    for duty in week.duties:
        given = sum(stop.leave_minutes - stop.arrive_minutes for stop in duty.patrol.stops)
        minutes[duty.urn] = minutes.get(duty.urn, 0.0) + given
    return {
        "schools": [
            {
                "urn": school["urn"],
                "patrols": school["patrols"],
                "minutes": round(minutes.get(school["urn"], 0.0)),
            }
            for school in schools
        ],
        "officers": [
            {
                "officer": name,
                "patrols": sum(duty.officer == name for duty in week.duties),
                "most": int(most),
            }
            for name, most in zip(choice.officers, choice.most, strict=True)
        ],
    }


def tasked_document(places: gpd.GeoDataFrame, projection: Projection) -> list[dict[str, Any]]:
    """Places tasked by intelligence, as the page lists them."""
    xy = shapely.get_coordinates(np.asarray(places.geometry.array, dtype=object))
    points = convert_to_degrees(xy, projection)
    return [
        {
            "place_id": row["place_id"],
            "longitude": point[0],
            "latitude": point[1],
            "must_visit": bool(row["must_visit"]),
            "schools": list(row["schools"]),
            "from": f"{row['from']:%Y-%m-%d}",
            "to": f"{row['to']:%Y-%m-%d}",
            "reason": row["reason"],
            "by": row["by"],
        }
        for row, point in zip(places.to_dict("records"), points, strict=True)
    ]


def map_document(planned_area: PlannedArea) -> dict[str, Any]:
    """The ground that does not change: streets, hotspots with their stretches, schools.

    Lines are packed as in `patrolplan.outputs.webmap.build_map_layers`: numbers of points, and one
    run of
    steps of a millionth of a degree, latitude before longitude, each line's first point a step
    from the last of the line before.
    """
    plan = next(iter(planned_area.plans.values()))
    layers = build_map_layers(plan, ())
    places = dict(
        zip(planned_area.hotspots["hotspot"], planned_area.hotspots["place"], strict=True)
    )
    worth = dict(zip(planned_area.hotspots["hotspot"], planned_area.hotspots["worth"], strict=True))
    return {
        "bounds": [degree for point in layers["bounds"] for degree in point[::-1]],
        "streets": layers["streets"],
        "priority": layers["voices"]["joined"],
        "ground": {
            kind: layers["ground"][kind] for kind in ("park", "water", "railway", "station")
        },
        "labels": layers["labels"],
        "hotspots": [
            {
                "hotspot": row["id"],
                "place": places[row["id"]],
                "worth": float(worth[row["id"]]),
                "stop": row["stop"][::-1],
                "lines": row["lines"],
            }
            for row in layers["hotspots"]
        ],
        "schools": [
            {"urn": row["urn"], "name": row["name"], "gate": row["at"][::-1]}
            for row in layers["schools"]
        ],
    }


@lru_cache(maxsize=4096)
def walk_document(patrol: Patrol, projection: Projection) -> dict[str, Any]:
    """The stops and the line of a walk, in degrees; kept, since most of a week stays as it is."""
    line = np.concatenate([np.empty((0, 2)), *(leg.line for leg in patrol.legs)])
    if len(line) > 1:
        drawn = shapely.simplify(shapely.linestrings(line), SIMPLIFY_METRES)
        line = shapely.get_coordinates(drawn)
    stops = np.array([(stop.x, stop.y) for stop in patrol.stops]).reshape(-1, 2)
    return {
        "stops": [
            {
                "hotspot": stop.hotspot,
                "place": stop.place,
                "arrive": format_time(stop.arrive_minutes),
                "leave": format_time(stop.leave_minutes),
                "minutes": round(stop.leave_minutes - stop.arrive_minutes),
                "stop": point,
                "tasked": stop.tasked,
            }
            for stop, point in zip(patrol.stops, _round_degrees(stops, projection), strict=True)
        ],
        "line": _round_degrees(line, projection),
        "begins": "base" if patrol.from_base else "gate",
    }


def _round_degrees(xy: np.ndarray[Any, Any], projection: Projection) -> list[list[float]]:
    return [
        [round(lon, DECIMALS), round(lat, DECIMALS)]
        for lon, lat in convert_to_degrees(xy, projection)
    ]
