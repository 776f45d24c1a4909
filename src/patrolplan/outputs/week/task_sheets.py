"""`tasks.pdf`: the week for the wall, and a task sheet for each officer."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from patrolplan.notes import list_texts
from patrolplan.outputs.cartography.fonts import (
    POINTS_PER_MM,
    list_unprintable_notes,
    make_printable,
    print_whole,
    typeset_template,
)
from patrolplan.outputs.cartography.map_content import find_near_keep_away
from patrolplan.outputs.facts import find_marking, list_stop_facts
from patrolplan.outputs.reason_words import list_reasons
from patrolplan.outputs.week.overview_map import MapMarker, draw_overview_map
from patrolplan.outputs.week.roster import (
    LONGEST_NAME,
    LONGEST_OFFICER,
    Roster,
    RosterOfficer,
    format_duty_times,
    format_school_name,
    format_week,
)
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

MAP_WIDTH = 277 * POINTS_PER_MM
MAP_HEIGHT = 158 * POINTS_PER_MM
MAX_NAMED_SCHOOLS = 16
"""Maximum number of schools with names on the map; with more, names would hide it."""
OFFICER_NAME_POINTS = ((14, 30), (24, 22), (LONGEST_OFFICER, 15))
"""Maximum letters of an officer's name, and its size in points at the top of their papers."""


def render_task_sheets(roster: Roster, duties: Sequence[Duty], *, wall: bool = True) -> bytes:
    """Typeset the wall's pages and the officers' sheets as a tagged PDF."""
    data = build_tasks_data(roster, duties, wall=wall)
    map_svg = _draw_week_map(roster) if wall else b""
    return typeset_template(__package__, "tasks.typ", data, map_svg=map_svg)


def build_tasks_data(roster: Roster, duties: Sequence[Duty], *, wall: bool) -> dict[str, Any]:
    """Texts of the pages, for the template."""
    week = roster.week
    area, settings = week.plan.area, week.plan.area.settings
    declared = [*note_guard(settings), *note_low_threshold(settings), *area.accepted_checks]
    name = make_printable(area.name)
    data: dict[str, Any] = {
        "title": f"Week of patrols: {name}, {format_week(week)}",
        "area": name,
        "marking": make_printable(find_marking(area, (duty.patrol for duty in duties))),
        "purpose": PURPOSE,
        "week": format_week(week),
        "id": compute_plan_id(week.plan),
        "days": [{"name": f"{day:%A}", "date": f"{day.day} {day:%B}"} for day in week.days],
        "wall": _build_wall_pages(roster) if wall else None,
        "sheets": [
            _build_sheet(roster, officer, own)
            for officer in roster.officers
            if (own := [duty for duty in duties if officer.name in duty.people])
        ],
        "basis": [
            f"{format_data_months(week.plan.risk)}.",
            *map(make_printable, list_texts(declared)),
            " ".join(list_attributions(week.plan)),
        ],
    }
    data["basis"] += list_unprintable_notes(data)
    return data


def choose_officer_points(name: str) -> int:
    """Size in points of an officer's name."""
    return next(size for letters, size in OFFICER_NAME_POINTS if len(name) <= letters)


def _describe_company(roster: Roster, officer: str, duty: Duty) -> str:
    """A patrol's window unless it is after school, and who else is on it, if anyone."""
    crew = roster.describe_others(officer, duty)
    words = (describe_further_window(duty.patrol), f"with {crew}" if crew else "")
    return make_printable(" · ".join(word for word in words if word))


def _build_wall_pages(roster: Roster) -> dict[str, Any]:
    visits = _group_visits(roster)
    return {
        "schools": _build_school_rows(roster),
        "officers": _build_officer_rows(roster),
        "places": [
            _build_place_row(roster, xl_col_to_name(number), name, stays)
            for number, (name, stays) in enumerate(visits.items())
        ],
        "gaps": _build_gap_rows(roster),
        "short": [make_printable(f"{short}.") for short in roster.week.short],
        "notes": [make_printable(note) for note in list_texts(roster.week.notes)],
        "map_alt": "Street map of the area with the schools by their number and, by their "
        "letter, the places where presence is planned this week.",
    }


def _build_school_rows(roster: Roster) -> list[dict[str, Any]]:
    def build_cell(urn: str, day: dt.date) -> dict[str, Any]:
        return {
            "duties": [
                {
                    "officer": roster.print_officer(duty.officer),
                    "time": format_duty_times(duty),
                    "more": _describe_company(roster, duty.officer, duty),
                }
                for duty in roster.select_duties(urn=urn, date=day)
            ],
            "none": "closed" if (urn, day) in roster.closed_days else "\N{EN DASH}",
        }

    return [
        {
            "number": str(school.number),
            "name": format_school_name(school.name),
            "about": f"URN {make_printable(school.urn)} · bell {school.bell}",
            "cells": [build_cell(school.urn, day) for day in roster.week.days],
            "count": _count_days(roster.select_duties(urn=school.urn)),
        }
        for school in roster.schools
    ]


def _build_officer_rows(roster: Roster) -> list[dict[str, Any]]:
    def build_line(officer: str, duty: Duty) -> dict[str, str]:
        number = roster.schools_by_urn[duty.urn].number
        leave = roster.format_set_out(officer, duty)
        return {
            "time": format_duty_times(duty),
            "school": f"{number} {format_school_name(duty.patrol.school)}",
            "leave": f"set out {leave}" if leave else "",
            "more": _describe_company(roster, officer, duty),
        }

    return [
        {
            "name": roster.print_officer(officer.name),
            "about": roster.describe_officer_modes(officer),
            "cells": [
                [build_line(officer.name, duty) for duty in roster.select_duties(officer.name, day)]
                for day in roster.week.days
            ],
            "count": str(len(roster.select_duties(officer.name))),
        }
        for officer in roster.officers
    ]


def _group_visits(roster: Roster) -> dict[str, list[Stay]]:
    """Stays of the week by place: most days first, then in the plan's order, then by name."""
    stays = group_stays(roster.week.duties)
    order = {name: number for number, name in enumerate(roster.week.plan.hotspots["hotspot"])}
    names = sorted(
        stays, key=lambda name: (-int(_count_days(stays[name])), order.get(name, len(order)), name)
    )
    return {name: stays[name] for name in names}


def _count_days(dated: Sequence[Stay | Duty]) -> str:
    return str(len({one.date for one in dated}))


def _find_stop(roster: Roster, name: str, stays: list[Stay]) -> tuple[str, float, float]:
    """Where a place is, in words and in metres: its own stop, or the hotspot that is seen."""
    stops = [stay.stop for stay in stays if stay.stop is not None]
    own = next((stop for stop in stops if stop.hotspot == name), None)
    hotspots = roster.week.plan.hotspots
    for _, row in hotspots[hotspots["hotspot"] == name].iterrows() if own is None else ():
        return str(row["place"]), float(row["stop_x"]), float(row["stop_y"])
    stop = own or stops[0]
    return describe_place(stop), stop.x, stop.y


def _build_place_row(roster: Roster, letters: str, name: str, stays: list[Stay]) -> dict[str, Any]:
    place = shorten(make_printable(_find_stop(roster, name, stays)[0]), LONGEST_NAME)
    return {
        "id": letters,
        "place": capitalise(place),
        "cells": [
            [
                f"{format_time(stay.from_minutes)} {roster.print_officer(stay.duty.officer)}"
                for stay in stays
                if stay.date == day
            ]
            for day in roster.week.days
        ],
        "count": _count_days(stays),
    }


def _build_gap_rows(roster: Roster) -> list[dict[str, Any]]:
    """Days without a patrol by school, each reason once; closed days need no reason."""
    reasons: dict[str, dict[str, list[str]]] = {school.urn: {} for school in roster.schools}
    for gap in roster.week.unmet:
        if gap.urn in reasons and (gap.urn, gap.date) not in roster.closed_days:
            reasons[gap.urn].setdefault(gap.why, []).append(f"{gap.date:%a}")
    return [
        {
            "school": f"{school.number} {format_school_name(school.name)}",
            "urn": make_printable(school.urn),
            "lines": [f"{', '.join(days)}: {make_printable(why)}." for why, days in own.items()],
        }
        for school, own in zip(roster.schools, reasons.values(), strict=True)
        if own
    ]


def _build_sheet(roster: Roster, officer: RosterOfficer, duties: list[Duty]) -> dict[str, Any]:
    name = roster.print_officer(officer.name)
    shown = {duty.date for duty in duties}
    everything = shown == {duty.date for duty in roster.select_duties(officer.name)}
    return {
        "officer": name,
        "officer_size": choose_officer_points(name),
        "about": roster.describe_officer_modes(officer),
        "count": format_count(len(duties), "patrol"),
        "days": [
            {
                "day": format_day(day),
                "duties": [
                    _build_task(roster, officer.name, duty, card)
                    for card, duty in enumerate(duties, start=1)
                    if duty.date == day
                ],
            }
            for day in (roster.week.days if everything else sorted(shown))
        ],
    }


def _build_task(roster: Roster, officer: str, duty: Duty, card: int) -> dict[str, Any]:
    patrol, crs = duty.patrol, roster.week.plan.area.projection.crs
    about = (
        _describe_company(roster, officer, duty),
        f"URN {make_printable(duty.urn)}",
        f"no. {roster.schools_by_urn[duty.urn].number} on the wall map",
        f"card {card}",
    )
    return {
        "school": format_school_name(patrol.school),
        "about": " · ".join(word for word in about if word),
        "leave": roster.format_set_out(officer, duty),
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
