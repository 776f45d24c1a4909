"""`tasks.pdf`: the week for the wall, and a task sheet for each officer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from patrolplan.notes import list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.cartography import fonts
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.week.roster import (
    LONGEST_NAME,
    LONGEST_OFFICER,
    Roster,
    RosterOfficer,
    format_school_name,
)
from patrolplan.outputs.week.sheet import MapMarker, OverviewMap, Sheet
from patrolplan.patrols.patrol_state import is_to_school
from patrolplan.privacy import note_low_threshold
from patrolplan.risk.history import note_guard
from patrolplan.team.not_met import list_missing
from patrolplan.team.stays import Stay, group_stays
from patrolplan.team.week import Duty, format_day
from patrolplan.text import capitalise, format_count, format_letters, shorten
from patrolplan.times import format_span, format_time

MAP_WIDTH = 277 * fonts.POINTS_PER_MM
MAP_HEIGHT = 158 * fonts.POINTS_PER_MM
MAX_NAMED_SCHOOLS = 16  # with more, names would hide the map
LONGEST_ON_MAP = 28  # Maximum letters of a school's name among others
OFFICER_NAME_POINTS = ((14, 30), (24, 22), (LONGEST_OFFICER, 15))  # Letters up to which, points


def build_task_sheets(roster: Roster, duties: Sequence[Duty], *, is_whole: bool = True) -> Sheet:
    """The wall's pages and the officers' sheets."""
    week, settings = roster.week, roster.week.plan.area.settings
    declared = [*note_guard(settings), *note_low_threshold(settings)]
    head = roster.build_head(duties, list_texts([*declared, *week.plan.area.accepted_checks]))
    places = [*_list_places(roster)] if is_whole else []
    data = head | {
        "title": f"Week of patrols: {head['area']}, {head['week']}",
        "id": wording.compute_plan_id(week.plan),
        "days": [{"name": f"{day:%A}", "date": f"{day.day} {day:%B}"} for day in week.days],
        "wall": _build_wall_pages(roster, places) if is_whole else None,
        "sheets": [
            _build_sheet(roster, officer, own)
            for officer in roster.officers
            if (own := [duty for duty in duties if officer.name in duty.people])
        ],
    }
    data["basis"] += fonts.list_unprintable_notes(data)
    if not is_whole:
        return Sheet("tasks.typ", data)
    named = len(roster.schools) <= MAX_NAMED_SCHOOLS
    markers = []
    for one in roster.schools:
        name = shorten(one.name, LONGEST_ON_MAP) if named else ""
        markers.append(MapMarker(str(one.number), one.x, one.y, school=True, name=name))
    markers += [place.marker for place in places]
    shown = OverviewMap(markers, [place.hotspot for place in places], MAP_WIDTH, MAP_HEIGHT)
    return Sheet("tasks.typ", data, shown)


def choose_officer_points(name: str) -> int:
    """Size in points of an officer's name."""
    return next(size for letters, size in OFFICER_NAME_POINTS if len(name) <= letters)


@dataclass(frozen=True)
class _Place:
    """A place of the week, with its sign on the map."""

    hotspot: str
    marker: MapMarker
    words: str
    stays: list[Stay]


def _list_places(roster: Roster) -> Iterator[_Place]:
    """Places of the week: most days first, then in the plan's order, then by name."""
    visits = group_stays(roster.week.stays)
    hotspots = roster.week.plan.hotspots.set_index("hotspot")
    order = {name: number for number, name in enumerate(hotspots.index)}
    names = sorted(visits, key=lambda name: (order.get(name, len(order)), name))
    names.sort(key=lambda name: -_count_days(visits[name]))
    for number, name in enumerate(names):
        stops = [stay.stop for stay in visits[name] if stay.stop is not None]
        own = next((stop for stop in stops if stop.hotspot == name), None)
        if own is None and name in order:  # it is seen from another place
            row = hotspots.loc[name]
            words, point = str(row["place"]), (row["stop_x"], row["stop_y"])
        else:
            stop = own or stops[0]
            words, point = wording.describe_place(stop), stop.point
        yield _Place(name, MapMarker(format_letters(number), *point), words, visits[name])


def _build_wall_pages(roster: Roster, places: Sequence[_Place]) -> dict[str, Any]:
    days, select, closed = roster.week.days, roster.select_duties, roster.closed_days
    return {
        "schools": [
            {
                "number": str(school.number),
                "name": format_school_name(school.name),
                "about": f"URN {fonts.make_printable(school.urn)} · bell {school.bell}",
                "cells": [
                    {
                        "duties": [
                            _build_line(roster, duty.officer, duty)
                            for duty in select(urn=school.urn, date=day)
                        ],
                        "none": "closed" if (school.urn, day) in closed else "\N{EN DASH}",
                    }
                    for day in days
                ],
                "count": str(_count_days(select(urn=school.urn))),
            }
            for school in roster.schools
        ],
        "officers": [
            {
                "name": roster.print_officer(officer.name),
                "about": roster.describe_officer_modes(officer),
                "cells": [
                    [_build_line(roster, officer.name, duty) for duty in select(officer.name, day)]
                    for day in days
                ],
                "count": str(len(select(officer.name))),
            }
            for officer in roster.officers
        ],
        "places": [
            {
                "id": place.marker.text,
                "place": capitalise(shorten(fonts.make_printable(place.words), LONGEST_NAME)),
                "cells": [
                    [
                        f"{format_time(one.from_minutes)} {roster.print_officer(one.duty.officer)}"
                        for one in place.stays
                        if one.date == day
                    ]
                    for day in days
                ],
                "count": str(_count_days(place.stays)),
            }
            for place in places
        ],
        "gaps": _build_gap_rows(roster),
        "short": [
            fonts.make_printable(f"{row}.") for row in list_missing(roster.week.unmet, "minimum")
        ],
        "notes": [fonts.make_printable(note) for note in list_texts(roster.week.notes)],
        "map_alt": "Street map of the area with the schools by their number and, by their "
        "letter, the places where presence is planned this week.",
    }


def _build_line(roster: Roster, officer: str, duty: Duty) -> dict[str, str]:
    """A duty in a table of the wall."""
    leave = roster.format_set_out(officer, duty)
    number = roster.schools_by_urn[duty.urn].number
    return {
        "officer": roster.print_officer(officer),
        "time": format_span(duty.start_minutes, duty.end_minutes),
        "school": f"{number} {format_school_name(duty.patrol.school)}",
        "leave": f"set out {leave}" if leave else "",
        "more": " · ".join(roster.describe_company(officer, duty)),
    }


def _count_days(dated: Sequence[Stay | Duty]) -> int:
    return len({one.date for one in dated})


def _build_gap_rows(roster: Roster) -> list[dict[str, Any]]:
    """Days without a patrol by school, each reason once; closed days need no reason."""
    reasons: dict[str, dict[str, list[str]]] = {school.urn: {} for school in roster.schools}
    for gap in list_missing(roster.week.unmet, "day"):
        if gap.urn in reasons:
            reasons[gap.urn].setdefault(gap.why, []).append(f"{gap.date:%a}")
    return [
        {
            "school": f"{school.number} {format_school_name(school.name)}",
            "urn": fonts.make_printable(school.urn),
            "lines": [
                f"{', '.join(days)}: {fonts.make_printable(why)}." for why, days in own.items()
            ],
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
    do = "arrive" if is_to_school(roster.week.plan, patrol) else "leave"
    about = (
        *roster.describe_company(officer, duty),
        f"URN {fonts.make_printable(duty.urn)}",
        f"no. {roster.schools_by_urn[duty.urn].number} on the wall map",
        f"card {card}",
    )
    return {
        "school": format_school_name(patrol.school),
        "about": " · ".join(about),
        "leave": roster.format_set_out(officer, duty),
        "start": format_time(duty.start_minutes),
        "first_why": f"Be seen as pupils {do}; meet the member of staff.",
        "gate": format_span(duty.start_minutes, patrol.gate_until_minutes),
        "end": wording.describe_end(patrol),
        "keep_away": [
            fonts.print_whole(wording.describe_barred(barred, crs=crs))
            for barred in patrol.keep_away
        ],
        "stops": [
            {
                "number": str(facts.number),
                "time": f"{facts.arrive}\N{EN DASH}{facts.leave}",
                "place": fonts.print_whole(facts.place),
                "why": [fonts.print_whole(facts.list_sentences("short")[0])],
            }
            for facts in list_stop_facts(patrol, crs)
        ],
    }
