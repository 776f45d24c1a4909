"""What the page shows: the present week, and the ground under its map."""

from collections import Counter
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.square_names import format_grid_reference
from patrolplan.board.edits import is_lent
from patrolplan.board.find_place import find_places
from patrolplan.board.shared_week import BoardState, PlannedArea
from patrolplan.crs import Projection
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.notes import list_texts
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.webmap.map_layers import build_map_layers
from patrolplan.outputs.week.roster import DEMANDS, Roster
from patrolplan.patrols.file_forms import convert_to_degrees
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.team.not_met import name_places
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.people import describe_crew
from patrolplan.team.routes import list_patrols
from patrolplan.team.stays import sum_minutes
from patrolplan.team.week import PatrolSlot, Week
from patrolplan.team.week_editor import WeekEditor
from patrolplan.text import capitalise, pick_fields
from patrolplan.times import format_time

DeliveredBySlot = dict[PatrolSlot, tuple[list[float], int | None]]
"""Minutes at each stop of a patrol, and the people spoken to; None where not recorded."""
SIMPLIFY_METRES = 1.0  # tolerance of lines on the page's map
UNMET_FIELDS = ("kind", "what", "why", "fix", "urn", "place", "date")
BOUND_TOLERANCE = 1e-5  # a bound from a file so near the loosest is not shown until solved again


def build_week_view(state: BoardState, delivered: DeliveredBySlot) -> dict[str, Any]:
    """The present week, for the page, with the doses delivered where they were recorded."""
    week, editor, area = state.week, state.editor, state.planned_area.area
    roster = Roster(week)
    duties = build_duty_documents(state, delivered)
    return {
        "marking": find_marking(
            area,
            (duty.patrol for duty in week.duties),
            list_reasons(state.planned_area.hotspots),
            (demand.kind for demand in week.demands),
        ),
        "week": {"days": [{"date": f"{day}", "name": f"{day:%a} {day.day}"} for day in week.days]},
        "windows": list(area.settings.week.windows),
        "schools": _build_school_rows(roster, editor, duties),
        "officers": _build_officer_rows(state, roster),
        "doses": _build_dose_rows(state),
        "unmet": [pick_fields(row, *UNMET_FIELDS) for row in week.unmet],
        "bans": [
            pick_fields(ban, "officer", "urn", "date", "variant", "window") for ban in week.bans
        ],
        "tasked": _build_tasked_rows(area.tasked_places, area.projection),
        "demands": _build_demand_rows(week),
        "duty_kinds": [
            {"kind": name, "words": kind.words, "at_school": kind.is_at_school}
            for name, kind in DUTY_KINDS.items()
            if kind.is_entered
        ],
        "demand_kinds": [
            {"kind": kind, "title": words.board, "noun": words.noun, "each": words.each}
            for kind, words in DEMANDS.items()
            if words.board
        ],
        **pick_fields(week, "worth", "bound", "gap_percent", "give_percent", "status"),
        "draw": None
        if week.draw is None
        else {
            **pick_fields(week.draw, "number", "commitment"),
            "give_percent": week.give_percent,
            "give_most_percent": 100 * week.draw.give,
            "with_locks": None if week.foreseen is None else week.foreseen.with_locks,
        },
        "bound_known": week.bound < compute_loosest_bound(editor.problem) - BOUND_TOLERANCE,
        "notes": list_texts(week.notes),
        "history": [{"when": row.when[-5:], "what": row.what} for row in week.history],  # HH:MM
        "threshold_note": (
            f"Pupils' reports count only in groups of at least {area.settings.privacy.threshold}."
        ),
    }


def build_duty_documents(state: BoardState, delivered: DeliveredBySlot) -> list[dict[str, Any]]:
    """Every patrol of the week, for the page."""
    editor, inputs = state.editor, state.editor.inputs
    routes = {day: _count_routes(plan) for day, plan in zip(inputs.days, inputs.plans, strict=True)}
    documents = []
    for duty in state.week.duties:
        slot = duty.slot
        minutes, engagements = delivered.get(slot, (None, None))
        leave = duty.leave_minutes
        documents.append(
            {
                **pick_fields(duty, "officer", "urn", "date", "window", "variant", "crew"),
                "variants": routes[duty.date].get(duty.urn, 0),
                "start": format_time(duty.start_minutes),
                "end": format_time(duty.end_minutes),
                "leave": "" if np.isnan(leave) else format_time(leave),
                "locked": editor.find_lock(duty) is not None,
                "lent": is_lent(editor, slot),
                "company": describe_crew(inputs.area, duty.crew),
                "delivered": minutes,
                "engagements": engagements,
                **_build_walk_document(duty.patrol, inputs.area.projection),
            }
        )
    return documents


@lru_cache(maxsize=64)
def _count_routes(plan: Plan) -> Counter[str]:
    """How many routes each school has, by URN."""
    return Counter(urn for _, urn in {(number, one.urn) for number, one in list_patrols(plan)})


def _build_school_rows(
    roster: Roster, editor: WeekEditor, duties: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    why = {(row.urn, row.date): row.why for row in roster.week.unmet}
    patrols: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for patrol in duties:
        patrols.setdefault((patrol["urn"], patrol["date"]), []).append(patrol)
    return [
        {
            **pick_fields(school, "urn", "name", "bell"),
            "patrols": sum((school.urn, f"{day}") in patrols for day in roster.week.days),
            "least": editor.problem.min_patrols,
            "cells": {
                f"{day}": {
                    "state": "closed" if (school.urn, day) in roster.closed_days else "open",
                    "why": why.get((school.urn, day), ""),
                    "patrols": patrols.get((school.urn, f"{day}"), []),
                }
                for day in roster.week.days
            },
        }
        for school in roster.schools
    ]


def _build_dose_rows(state: BoardState) -> list[dict[str, Any]]:
    editor, hotspots = state.editor, state.planned_area.hotspots
    problem, inputs = editor.problem, editor.inputs
    minutes = sum_minutes(state.week.stays)
    stops = [stop for route in inputs.routes for stop in route.stops]
    places = {stop.hotspot: stop.place for stop in stops}
    corners = {stop.hotspot for stop in stops if stop.kind == "corner"}
    places |= dict(zip(hotspots["hotspot"], hotspots["place"], strict=True))
    return [
        {
            "hotspot": name,
            "place": places.get(name, ""),
            "days": {f"{day}": round(minutes.get((name, day), 0.0)) for day in inputs.days},
            "max_minutes": problem.max_dose_minutes,
        }
        for name in inputs.hotspots
        if name not in corners
    ]


@lru_cache(maxsize=2)
def build_map_document(planned_area: PlannedArea) -> dict[str, Any]:
    """The ground that does not change, as in the phone's map, whose scripts draw it."""
    layers = build_map_layers(next(iter(planned_area.plans.values())), ())
    places = planned_area.hotspots.set_index("hotspot")["place"]
    return {
        **{name: layers[name] for name in ("bounds", "streets", "labels", "schools")},
        "risk_classes": layers["voices"]["joined"],
        "ground": {**layers["ground"], "building": {"counts": [], "steps": []}},
        "hotspots": [{**row, "place": places[row["id"]]} for row in layers["hotspots"]],
    }


@lru_cache(maxsize=4096)
def _build_walk_document(patrol: Patrol, projection: Projection) -> dict[str, Any]:
    """Stops, places to keep away from and the line of a walk; most of a week stays as it is."""
    line = np.concatenate([np.empty((0, 2)), *(leg.line for leg in patrol.legs)])
    if len(line) > 1:
        line = shapely.get_coordinates(shapely.simplify(shapely.linestrings(line), SIMPLIFY_METRES))
    stops = np.array([(stop.x, stop.y) for stop in patrol.stops]).reshape(-1, 2)
    points = convert_to_degrees(stops, projection)
    told = list_stop_facts(patrol, projection.crs)
    return {
        "stops": [
            {
                **pick_fields(facts, "place", "arrive", "leave", "minutes", "feared"),
                "tasked": facts.stop.tasked,
                "stop": point,
            }
            for facts, point in zip(told, points, strict=True)
        ],
        "keep_away": [place.tasking.place_id for place in patrol.keep_away],
        "line": convert_to_degrees(line, projection),
    }


def _build_officer_rows(state: BoardState, roster: Roster) -> list[dict[str, Any]]:
    """Every officer of the week."""
    inputs, week = state.editor.inputs, roster.week
    table = inputs.area.officers.drop_duplicates("officer").set_index("officer")
    unknown = {"role": "officer", "alone": True, **dict.fromkeys(WEEKDAYS, "")}
    known = table[[*unknown]].to_dict("index")
    limits = dict(zip(inputs.officers, map(int, inputs.max_patrols), strict=True))
    appointments = _list_appointments(state)
    rows = []
    for officer in roster.officers:
        absent = inputs.absent.get(officer.name, frozenset())
        weekly = known.get(officer.name, unknown)
        hours = {day: weekly[WEEKDAYS[day.weekday()]] for day in week.days}
        rows.append(
            {
                "officer": officer.name,
                "schools": list(officer.schools),
                "max_patrols": limits.get(officer.name, 0),
                "patrols": sum(officer.name in duty.people for duty in week.duties),
                "hours": {f"{day}": "" if day in absent else text for day, text in hours.items()},
                "absent": [f"{day}" for day in sorted(absent)],
                "appointments": appointments.get(officer.name, {}),
                "role": weekly["role"],
                "alone": bool(weekly["alone"]),
            }
        )
    return rows


def _list_appointments(state: BoardState) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Officers' appointments, by officer and day; only what, hours and school."""
    table, names = state.tables.get("duties"), ("officer", "date", "from")
    rows = [] if table is None else table.list_rows()
    ours = {tuple(row.get(name, "") for name in names) for row in rows}
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for one in state.editor.inputs.free_time.appointments:
        begin, day = format_time(one.from_minutes), f"{one.date}"
        found.setdefault(one.officer, {}).setdefault(day, []).append(
            {
                "what": DUTY_KINDS[one.kind].words,
                "urn": one.urn,
                "from": begin,
                "to": format_time(one.to_minutes),
                "removable": (one.officer, day, begin) in ours,
            }
        )
    return found


def find_place_documents(area: StudyArea, text: str) -> dict[str, Any]:
    """Places that a text may mean, the most likely first."""
    places = find_places(area, text)
    xy = np.array([place.xy for place in places]).reshape(-1, 2)
    points = convert_to_degrees(xy, area.projection)
    rows = [
        {"label": place.label, "longitude": longitude, "latitude": latitude}
        | {"street_metres": round(place.street_metres, 1)}
        for place, (longitude, latitude) in zip(places, points, strict=True)
    ]
    return {"places": rows}


def _build_demand_rows(week: Week) -> list[dict[str, Any]]:
    """Every demand of the week: who meets it, or why not."""
    names = name_places(week.plan, week.duties)
    return [
        {
            **pick_fields(demand, "kind", "place", "date", "visits"),
            "words": capitalise(names.get(demand.place, "")),
            "met_by": [
                pick_fields(visitor, "officer", "urn", "date", "arrive")
                for visitor in demand.met_by
            ],
            "why": "" if demand.why is None else demand.why.tell_lead(),
        }
        for demand in week.demands
    ]


def _build_tasked_rows(places: gpd.GeoDataFrame, projection: Projection) -> list[dict[str, Any]]:
    """Places tasked by intelligence."""
    xy = shapely.get_coordinates(np.asarray(places.geometry.array, dtype=object))
    points = zip(xy.tolist(), convert_to_degrees(xy, projection), strict=True)
    rows = []
    for row, ((x, y), (longitude, latitude)) in zip(places.to_dict("records"), points, strict=True):
        begin, end = row["from_minutes"], row["to_minutes"]
        rows.append(
            {
                **{name: row[name] for name in ("place_id", "reason", "by")},
                **{name: list(row[name]) for name in ("schools", "weekdays")},
                **{name: int(row[name]) for name in ("visits", "officers")},
                **{name: f"{row[name]:%Y-%m-%d}" for name in ("from", "to")},
                "longitude": longitude,
                "latitude": latitude,
                "grid": format_grid_reference(x, y, crs=projection.crs),
                "must_visit": bool(row["must_visit"]),
                "hours": "" if np.isnan(begin) else f"{format_time(begin)}-{format_time(end)}",
                "minutes": None if np.isnan(row["minutes"]) else int(row["minutes"]),
            }
        )
    return rows
