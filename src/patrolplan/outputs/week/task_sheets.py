"""`tasks.pdf`: the week for the wall, and a task sheet for each officer."""

from collections.abc import Sequence
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from patrolplan.outputs.cartography.fonts import (
    POINTS_PER_MM,
    list_unprintable_notes,
    make_printable,
    print_whole,
    typeset_template,
)
from patrolplan.outputs.cartography.map_content import find_near_keep_away
from patrolplan.outputs.facts import find_marking, list_stop_facts
from patrolplan.outputs.note_words import describe_notes
from patrolplan.outputs.reason_words import list_reasons
from patrolplan.outputs.week.overview_map import MapMarker, draw_overview_map
from patrolplan.outputs.week.roster import Roster, RosterOfficer, format_duty_times, format_week
from patrolplan.outputs.wording import (
    PURPOSE,
    compute_plan_id,
    describe_barred,
    describe_end,
    describe_further_window,
    describe_gate_task,
    describe_place,
    format_data_months,
    list_attributions,
)
from patrolplan.privacy import note_low_threshold
from patrolplan.risk.history import note_guard
from patrolplan.team.week import Duty, format_day
from patrolplan.team.where_when import Stay, group_stays
from patrolplan.text import capitalise, format_count, shorten
from patrolplan.times import format_span, format_time

TEMPLATE = "tasks.typ"
MAP_WIDTH = 277 * POINTS_PER_MM
MAP_HEIGHT = 158 * POINTS_PER_MM
LONGEST_NAME = 60
LONGEST_OFFICER = 40
MAX_NAMED_SCHOOLS = 16
"""Maximum number of schools with names on the map; with more, names would hide it."""
OFFICER_NAME_POINTS = ((14, 30), (24, 22), (LONGEST_OFFICER, 15))
"""Maximum letters of an officer's name, and its size in points at the top of their papers."""


def render_task_sheets(roster: Roster, duties: Sequence[Duty], *, wall: bool = True) -> bytes:
    """Typeset the wall's pages and the officers' sheets as a tagged PDF.

    The wall's pages are schools, officers and places by day, the map, and days without a patrol
    with the reason. An officer without duties gets no sheet. Equal weeks give equal bytes.
    """
    data = build_tasks_data(roster, duties, wall=wall)
    map_svg = _draw_week_map(roster) if wall else b""
    return typeset_template(__package__, TEMPLATE, data, map_svg=map_svg)


def build_tasks_data(roster: Roster, duties: Sequence[Duty], *, wall: bool) -> dict[str, Any]:
    """Texts of the pages, for the template."""
    week = roster.week
    area = make_printable(week.plan.area.name)
    settings = week.plan.area.settings
    declared = [*note_guard(settings), *note_low_threshold(settings)]
    data: dict[str, Any] = {
        "title": f"Week of patrols: {area}, {format_week(week)}",
        "area": area,
        "marking": make_printable(find_marking(week.plan.area, (duty.patrol for duty in duties))),
        "purpose": PURPOSE,
        "week": format_week(week),
        "id": compute_plan_id(week.plan),
        "days": [{"name": f"{day:%A}", "date": f"{day.day} {day:%B}"} for day in week.days],
        "wall": _build_wall_pages(roster) if wall else None,
        "sheets": [
            _build_sheet(roster, officer, own)
            for officer in roster.officers
            if (own := [duty for duty in duties if officer.name in {duty.officer, *duty.crew}])
        ],
        "basis": [
            f"{format_data_months(week.plan.risk)}.",
            *map(make_printable, describe_notes(declared)),
            *map(make_printable, describe_notes(week.plan.area.accepted_checks)),
            " ".join(list_attributions(week.plan)),
        ],
    }
    data["basis"] += list_unprintable_notes(data)
    return data


def choose_officer_points(name: str) -> int:
    """Size in points of an officer's name."""
    return next(size for letters, size in OFFICER_NAME_POINTS if len(name) <= letters)


def print_officer(roster: Roster, name: str) -> str:
    """An officer's name as printed; school staff only by their role."""
    return shorten(make_printable(roster.name_officer(name)), LONGEST_OFFICER)


def format_school_name(name: str) -> str:
    """A school's name as printed."""
    return shorten(make_printable(name), LONGEST_NAME)


def format_set_out(roster: Roster, officer: str, duty: Duty) -> str:
    """When to leave the base; empty for an officer who starts at the gate."""
    leave = format_time(roster.find_set_out(officer, duty))
    start = format_time(duty.start_minutes)
    return "" if leave == start else leave


def describe_company(roster: Roster, officer: str, duty: Duty) -> str:
    """A patrol's window unless it is after school, and who else is on it, if anyone."""
    crew = roster.describe_others(officer, duty)
    words = (describe_further_window(duty.patrol), f"with {crew}" if crew else "")
    return make_printable(" · ".join(word for word in words if word))


def _build_wall_pages(roster: Roster) -> dict[str, Any]:
    return {
        "schools": _build_school_rows(roster),
        "officers": _build_officer_rows(roster),
        "places": _build_place_rows(roster),
        "gaps": _build_gap_rows(roster),
        "short": [make_printable(f"{short}.") for short in roster.week.short],
        "notes": [make_printable(note) for note in describe_notes(roster.week.notes)],
        "map_alt": "Street map of the area with the schools by their number and, by their "
        "letter, the places where presence is planned this week.",
    }


def _build_school_rows(roster: Roster) -> list[dict[str, Any]]:
    rows = []
    for school in roster.schools:
        days = [roster.school_duties(school.urn, day) for day in roster.week.days]
        cells = [
            {
                "duties": [
                    {
                        "officer": print_officer(roster, duty.officer),
                        "time": format_duty_times(duty),
                        "more": describe_company(roster, duty.officer, duty),
                    }
                    for duty in duties
                ],
                "none": "closed" if (school.urn, day) in roster.closed_days else "\N{EN DASH}",
            }
            for duties, day in zip(days, roster.week.days, strict=True)
        ]
        rows.append(
            {
                "number": str(school.number),
                "name": format_school_name(school.name),
                "about": f"URN {make_printable(school.urn)} · bell {school.bell}",
                "cells": cells,
                "count": str(sum(map(bool, days))),
            }
        )
    return rows


def _build_officer_rows(roster: Roster) -> list[dict[str, Any]]:
    numbers = {school.urn: school.number for school in roster.schools}
    rows = []
    for officer in roster.officers:
        days = [roster.officer_duties(officer.name, day) for day in roster.week.days]
        cells = [
            [
                {
                    "time": format_duty_times(duty),
                    "school": f"{numbers[duty.urn]} {format_school_name(duty.patrol.school)}",
                    "leave": f"set out {leave}"
                    if (leave := format_set_out(roster, officer.name, duty))
                    else "",
                    "more": describe_company(roster, officer.name, duty),
                }
                for duty in duties
            ]
            for duties in days
        ]
        rows.append(
            {
                "name": print_officer(roster, officer.name),
                "about": roster.describe_officer_modes(officer),
                "cells": cells,
                "count": str(sum(map(len, days))),
            }
        )
    return rows


def _group_visits(roster: Roster) -> dict[str, list[Stay]]:
    """Stays of the week by place: most days first, then in the plan's order, then by name."""
    stays = group_stays(roster.week.duties)
    order = {name: number for number, name in enumerate(roster.week.plan.hotspots["hotspot"])}
    names = sorted(
        stays, key=lambda name: (-_count_days(stays[name]), order.get(name, len(order)), name)
    )
    return {name: stays[name] for name in names}


def _count_days(stays: list[Stay]) -> int:
    return len({stay.date for stay in stays})


def _find_stop(roster: Roster, name: str, stays: list[Stay]) -> tuple[str, float, float]:
    """Where a place is, in words and in metres: its own stop, or the hotspot that is seen."""
    stops = [stay.stop for stay in stays if stay.stop is not None]
    own = next((stop for stop in stops if stop.hotspot == name), None)
    hotspots = roster.week.plan.hotspots
    for _, row in hotspots[hotspots["hotspot"] == name].iterrows() if own is None else ():
        return str(row["place"]), float(row["stop"].x), float(row["stop"].y)
    stop = own or stops[0]
    return describe_place(stop), stop.x, stop.y


def _build_place_rows(roster: Roster) -> list[dict[str, Any]]:
    rows = []
    for number, (name, stays) in enumerate(_group_visits(roster).items()):
        cells = [
            [
                f"{format_time(stay.from_minutes)} {print_officer(roster, stay.duty.officer)}"
                for stay in stays
                if stay.date == day
            ]
            for day in roster.week.days
        ]
        place = shorten(make_printable(_find_stop(roster, name, stays)[0]), LONGEST_NAME)
        rows.append(
            {
                "id": xl_col_to_name(number),
                "place": capitalise(place),
                "cells": cells,
                "count": str(_count_days(stays)),
            }
        )
    return rows


def _build_gap_rows(roster: Roster) -> list[dict[str, Any]]:
    """Days without a patrol by school, each reason once; closed days need no reason."""
    rows = []
    for school in roster.schools:
        reasons: dict[str, list[str]] = {}
        for gap in roster.week.unmet:
            if gap.urn == school.urn and (gap.urn, gap.date) not in roster.closed_days:
                reasons.setdefault(gap.why, []).append(f"{gap.date:%a}")
        lines = [f"{', '.join(days)}: {make_printable(why)}." for why, days in reasons.items()]
        if lines:
            title = f"{school.number} {format_school_name(school.name)}"
            rows.append({"school": title, "urn": make_printable(school.urn), "lines": lines})
    return rows


def _build_sheet(roster: Roster, officer: RosterOfficer, duties: list[Duty]) -> dict[str, Any]:
    name = print_officer(roster, officer.name)
    pages = {id(duty): number for number, duty in enumerate(duties, start=1)}
    shown = {duty.date for duty in duties}
    everything = shown == {duty.date for duty in roster.list_walked_duties(officer.name)}
    days = roster.week.days if everything else sorted(shown)
    return {
        "officer": name,
        "officer_size": choose_officer_points(name),
        "about": roster.describe_officer_modes(officer),
        "count": format_count(len(duties), "patrol"),
        "days": [
            {
                "day": format_day(day),
                "duties": [
                    _build_task(roster, officer.name, duty, pages[id(duty)])
                    for duty in duties
                    if duty.date == day
                ],
            }
            for day in days
        ],
    }


def _build_task(roster: Roster, officer: str, duty: Duty, card: int) -> dict[str, Any]:
    patrol, crs = duty.patrol, roster.week.plan.area.projection.crs
    number = next(school.number for school in roster.schools if school.urn == duty.urn)
    about = (
        describe_company(roster, officer, duty),
        f"URN {make_printable(duty.urn)}",
        f"no. {number} on the wall map",
        f"card {card}",
    )
    return {
        "school": format_school_name(patrol.school),
        "about": " · ".join(word for word in about if word),
        "leave": format_set_out(roster, officer, duty),
        "start": format_time(duty.start_minutes),
        "first_why": describe_gate_task(roster.week.plan, patrol),
        "gate": format_span(duty.start_minutes, patrol.gate_until_minutes),
        "end": describe_end(patrol),
        "keep_away": [
            print_whole(describe_barred(barred, crs=crs)) for barred in find_near_keep_away(patrol)
        ],
        "stops": [
            {
                "number": str(facts.number),
                "time": f"{facts.arrive}\N{EN DASH}{facts.leave}",
                "place": print_whole(facts.place),
                "why": [print_whole(list_reasons(facts.stop, "short")[0])],
            }
            for facts in list_stop_facts(patrol, crs)
        ],
    }


def _draw_week_map(roster: Roster) -> bytes:
    named = len(roster.schools) <= MAX_NAMED_SCHOOLS
    schools = [
        MapMarker(str(one.number), one.x, one.y, school=True, name=one.name if named else "")
        for one in roster.schools
    ]
    visits = _group_visits(roster)
    places = [
        MapMarker(xl_col_to_name(number), *_find_stop(roster, name, stays)[1:])
        for number, (name, stays) in enumerate(visits.items())
    ]
    return draw_overview_map(
        roster.week.plan, [*schools, *places], list(visits), width=MAP_WIDTH, height=MAP_HEIGHT
    )
