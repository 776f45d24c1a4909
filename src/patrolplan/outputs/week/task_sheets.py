"""`tasks.pdf`: the week for the wall, and a sheet for each officer."""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from patrolplan.outputs.cartography.fonts import lay_template, printable, typeset, unprinted
from patrolplan.outputs.week.overview_map import Mark, draw_overview
from patrolplan.outputs.week.roster import Officer, Roll, span, week_name
from patrolplan.outputs.wording import (
    PURPOSE,
    attributions,
    data_dates,
    guard_off,
    keep_away,
    metres,
    plan_id,
    why_sentences,
)
from patrolplan.patrols.plan import Barred, Patrol, Stop, clock
from patrolplan.team.bases import whose_base
from patrolplan.team.week import Duty, day_name
from patrolplan.text import counted, shortened, shortened_tasking

TEMPLATE = "tasks.typ"
POINTS_PER_MM = 72 / 25.4
MAP_WIDTH = 277 * POINTS_PER_MM
MAP_HEIGHT = 158 * POINTS_PER_MM
LONGEST_NAME = 60
LONGEST_OFFICER = 40
LONGEST_WHY = 110
"""Letters: two lines."""
IN_FEW_WORDS = re.compile(r": [^,]+ in the \d+ months to \w+ \d{4}, most harm by ")
"""What a sheet leaves out of a reason: how much was recorded and until when."""
FEW_SCHOOLS = 16
"""With more, names would hide the map."""
OFFICER_SIZES = ((14, 30), (24, 22), (LONGEST_OFFICER, 15))
"""Most letters of an officer's name, and the points that it is set in on top of their papers."""


def render_tasks(roll: Roll, duties: Sequence[Duty], *, wall: bool = True) -> bytes:
    """Typeset the wall's pages and the officers' sheets.

    Parameters
    ----------
    roll
        The week.
    duties
        Those on the officers' sheets; an officer without any gets no sheet.
    wall
        Whether the team's pages come first: schools, officers and places by day, the map, and
        what is not patrolled and why.

    Returns
    -------
    bytes
        A tagged PDF; equal weeks give equal bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay_template("patrolplan.outputs.week", TEMPLATE, root)
        data = tasks_data(roll, duties, wall=wall)
        if wall:
            (root / "map.pdf").write_bytes(_week_map(roll))
        (root / "tasks.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        return typeset(root, TEMPLATE)


def tasks_data(roll: Roll, duties: Sequence[Duty], *, wall: bool) -> dict[str, Any]:
    """Everything that the pages say, as strings for the template."""
    week = roll.week
    area = printable(week.plan.area.name)
    data: dict[str, Any] = {
        "title": f"Week of patrols: {area}, {week_name(week)}",
        "area": area,
        "marking": printable(week.plan.area.settings.output.marking),
        "purpose": PURPOSE,
        "week": week_name(week),
        "id": plan_id(week.plan),
        "days": [{"name": f"{day:%A}", "date": f"{day.day} {day:%B}"} for day in week.days],
        "wall": _wall(roll) if wall else None,
        "sheets": [
            _sheet(roll, officer, mine)
            for officer in roll.officers
            if (mine := [duty for duty in duties if duty.officer == officer.name])
        ],
        "basis": [
            f"{data_dates(week.plan.risk)}.",
            *map(printable, guard_off(week.plan.area.settings)),
            " ".join(attributions(week.plan)),
        ],
    }
    data["basis"] += unprinted(data)
    return data


def officer_size(name: str) -> int:
    """Points that an officer's name is set in."""
    return next(size for letters, size in OFFICER_SIZES if len(name) <= letters)


def officer_name(name: str) -> str:
    """An officer's name as printed."""
    return shortened(printable(name), LONGEST_OFFICER)


def school_name(name: str) -> str:
    """A school's name as printed."""
    return shortened(printable(name), LONGEST_NAME)


def set_out(duty: Duty) -> str:
    """When to leave the base, empty for who starts at the gate."""
    left, start = clock(duty.leave_minutes), clock(duty.start_minutes)
    return "" if left == start and duty.patrol.starts_at == "gate" else left


def _wall(roll: Roll) -> dict[str, Any]:
    return {
        "schools": _schools(roll),
        "officers": _officers(roll),
        "places": _places(roll),
        "gaps": _gaps(roll),
        "short": [printable(f"{short}.") for short in roll.week.short],
        "notes": [printable(note) for note in roll.week.notes],
        "map_alt": "Street map of the area with the schools by their number and, by their letter "
        "and number, the priority streets where presence is planned this week.",
    }


def _schools(roll: Roll) -> list[dict[str, Any]]:
    rows = []
    for school in roll.schools:
        days = [roll.at_school(school.urn, day) for day in roll.week.days]
        cells = [
            {
                "duties": [
                    {"officer": officer_name(duty.officer), "time": span(duty)} for duty in duties
                ],
                "none": "closed" if (school.urn, day) in roll.closed else "\N{EN DASH}",
            }
            for duties, day in zip(days, roll.week.days, strict=True)
        ]
        row = {
            "number": str(school.number),
            "name": school_name(school.name),
            "about": f"URN {printable(school.urn)} · bell {school.bell}",
        }
        rows.append({**row, "cells": cells, "count": str(sum(map(bool, days)))})
    return rows


def _officers(roll: Roll) -> list[dict[str, Any]]:
    numbers = {school.urn: school.number for school in roll.schools}
    rows = []
    for officer in roll.officers:
        days = [roll.of_officer(officer.name, day) for day in roll.week.days]
        cells = [
            [
                {
                    "time": span(duty),
                    "school": f"{numbers[duty.urn]} {school_name(duty.patrol.school)}",
                    "leave": set_out(duty) and f"set out {set_out(duty)}",
                }
                for duty in duties
            ]
            for duties in days
        ]
        row = {"name": officer_name(officer.name), "about": roll.ways(officer)}
        rows.append({**row, "cells": cells, "count": str(sum(map(len, days)))})
    return rows


def _visits(roll: Roll) -> dict[str, list[tuple[Duty, Stop]]]:
    """Stops of the week by place, the busiest places first."""
    found: dict[str, list[tuple[Duty, Stop]]] = {}
    for duty in roll.week.duties:
        for stop in duty.patrol.stops:
            found.setdefault(stop.hotspot, []).append((duty, stop))
    order = {name: number for number, name in enumerate(roll.week.plan.hotspots["hotspot"])}
    return dict(
        sorted(
            found.items(),
            key=lambda row: (-_days(row[1]), order.get(row[0], len(order)), row[0]),
        )
    )


def _days(visits: list[tuple[Duty, Stop]]) -> int:
    return len({duty.date for duty, _ in visits})


def _places(roll: Roll) -> list[dict[str, Any]]:
    rows = []
    for name, visits in _visits(roll).items():
        cells = [
            [
                f"{clock(stop.arrive_minutes)} {officer_name(duty.officer)}"
                for duty, stop in sorted(visits, key=lambda visit: visit[1].arrive_minutes)
                if duty.date == day
            ]
            for day in roll.week.days
        ]
        place = shortened(printable(visits[0][1].place), LONGEST_NAME)
        row = {"id": printable(name), "place": f"{place[:1].upper()}{place[1:]}"}
        rows.append({**row, "cells": cells, "count": str(_days(visits))})
    return rows


def _gaps(roll: Roll) -> list[dict[str, Any]]:
    """Days without a patrol by school, the same reason told once; closed days need no reason."""
    rows = []
    for school in roll.schools:
        reasons: dict[str, list[str]] = {}
        for gap in roll.week.unmet:
            if gap.urn == school.urn and (gap.urn, gap.date) not in roll.closed:
                reasons.setdefault(gap.why, []).append(f"{gap.date:%a}")
        lines = [f"{', '.join(days)}: {printable(why)}." for why, days in reasons.items()]
        if lines:
            title = f"{school.number} {school_name(school.name)}"
            rows.append({"school": title, "urn": printable(school.urn), "lines": lines})
    return rows


def _sheet(roll: Roll, officer: Officer, duties: list[Duty]) -> dict[str, Any]:
    name = officer_name(officer.name)
    count = counted(len(duties), "patrol")
    pages = {id(duty): number for number, duty in enumerate(duties, start=1)}
    shown = {duty.date for duty in duties}
    everything = shown == {d.date for d in roll.week.duties if d.officer == officer.name}
    days = roll.week.days if everything else sorted(shown)
    return {
        "officer": name,
        "officer_size": officer_size(name),
        "about": roll.ways(officer),
        "count": count,
        "days": [
            {
                "day": day_name(day),
                "duties": [
                    _task(roll, duty, pages[id(duty)]) for duty in duties if duty.date == day
                ],
            }
            for day in days
        ],
    }


def _task(roll: Roll, duty: Duty, card: int) -> dict[str, Any]:
    patrol, base = duty.patrol, _base(roll, duty)
    number = next(school.number for school in roll.schools if school.urn == duty.urn)
    about = (
        f"URN {printable(duty.urn)}",
        roll.going(duty),
        f"no. {number} on the wall map",
        f"card {card}",
    )
    return {
        "school": school_name(patrol.school),
        "about": " · ".join(word for word in about if word),
        "leave": set_out(duty),
        "first": f"From {base}" if patrol.from_base else "At the gate",
        "start": clock(duty.start_minutes),
        "mark": "B" if patrol.from_base else "G",
        "first_place": base.replace("the b", "B", 1) if patrol.from_base else "School gate",
        "first_why": _first_why(patrol),
        "gate": f"{clock(duty.start_minutes)}\N{EN DASH}{clock(patrol.gate_until_minutes)}",
        "end": clock(duty.end_minutes),
        "where": f"at {base}" if patrol.ends_at == "base" else "back at the gate",
        "keep_away": [
            _keep_away(barred, roll.week.plan.area.settings.area.crs) for barred in patrol.keep_away
        ],
        "stops": [
            {
                "number": str(number),
                "time": f"{clock(stop.arrive_minutes)}\N{EN DASH}{clock(stop.leave_minutes)}",
                "place": shortened(printable(stop.place), LONGEST_NAME),
                "why": _few_words(stop),
            }
            for number, stop in enumerate(patrol.stops, start=1)
        ],
    }


def _base(roll: Roll, duty: Duty) -> str:
    """The base, by whose it is where that is not the officer's own."""
    whose = whose_base(roll.week.plan.area, duty.officer, duty.patrol)
    return f"the base of {officer_name(whose)}" if whose else "the base"


def _first_why(patrol: Patrol) -> str:
    """What to do at the gate, or why there is no gate first; and the way there from the base."""
    if patrol.from_base:
        return "The patrol sets out here; no presence at the gate first."
    seen = "Be seen as pupils leave; meet the member of staff."
    if patrol.approach is None:
        return seen
    way = metres(patrol.approach.metres)
    minutes = f"{patrol.approach.minutes:.0f} min"
    return f"From the base {way}, {minutes}: the way is on the card. {seen}"


def _few_words(stop: Stop) -> list[str]:
    """Why to stand there, two lines at most: the whole reasons stand on the card."""
    tasked = f"Tasked: {_short_tasking(stop.tasked)}." if stop.tasked else ""
    told = [IN_FEW_WORDS.sub(": ", line) for line in why_sentences(replace(stop, tasked=""))]
    found = [shortened(printable(line), LONGEST_WHY) for line in told if stop.why or not tasked]
    return [line for line in (tasked, *found) if line][:2]


def _short_tasking(text: str) -> str:
    """What intelligence asks for in few words, with who asks and until when."""
    return shortened_tasking(printable(text).strip().rstrip(".;"), LONGEST_WHY)


def _keep_away(barred: Barred, crs: str) -> str:
    place = shortened(printable(barred.place), LONGEST_NAME)
    why = _short_tasking(barred.why)
    return keep_away(replace(barred, place=place, why=why), crs=crs)


def _week_map(roll: Roll) -> bytes:
    named = len(roll.schools) <= FEW_SCHOOLS
    schools = [
        Mark(str(one.number), one.x, one.y, school=True, name=one.name if named else "")
        for one in roll.schools
    ]
    places = [Mark(name, visits[0][1].x, visits[0][1].y) for name, visits in _visits(roll).items()]
    return draw_overview(
        roll.week.plan,
        [*schools, *places],
        [mark.text for mark in places],
        width=MAP_WIDTH,
        height=MAP_HEIGHT,
    )
