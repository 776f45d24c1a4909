"""The sheet that an officer may leave with a school: streets and times, and nothing of crime.

It names streets, days and hours. It leaves out every reason, count and category, what intelligence
tasked, the officers, and the way that they walk.
"""

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from patrolplan.outputs.cartography.fonts import lay_template, printable, typeset
from patrolplan.outputs.week.overview_map import Mark, draw_overview
from patrolplan.outputs.week.roster import Roll, School, week_name
from patrolplan.outputs.wording import attributions
from patrolplan.patrols.plan import Stop, clock
from patrolplan.team.week import Duty
from patrolplan.text import shortened

TEMPLATE = "school.typ"
POINTS_PER_MM = 72 / 25.4
MAP_WIDTH = 180 * POINTS_PER_MM
TALLEST_MAP = 122 * POINTS_PER_MM
LOWEST_MAP = 75 * POINTS_PER_MM
"""A lower map turns the page instead."""
FEW_LINES = 3
LINE = 19.0
"""Points that each further line of streets takes from the map."""
LONGEST_LINE = 42
"""Letters of a street on one line of its column."""
LONGEST_NAME = 90
LONGEST_PLACE = 70
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def render_school_sheets(roll: Roll, urns: Iterable[str]) -> dict[str, bytes]:
    """Typeset the sheets of schools with a patrol this week.

    Returns
    -------
    dict
        URN to a tagged PDF: a page, or with very many streets two. Equal weeks give equal bytes.
    """
    wanted = set(urns)
    done = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay_template("patrolplan.outputs.week", TEMPLATE, root)
        for school in roll.schools:
            if school.urn not in wanted or not _duties(roll, school):
                continue
            (root / "map.pdf").write_bytes(_map(roll, school))
            data = json.dumps(school_data(roll, school), ensure_ascii=False)
            (root / "school.json").write_text(data, encoding="utf-8")
            done[school.urn] = typeset(root, TEMPLATE)
    return done


def school_data(roll: Roll, school: School) -> dict[str, Any]:
    """Everything that the sheet says, as strings for the template."""
    name = shortened(printable(school.name), LONGEST_NAME)
    areas = _areas(roll, school)
    letters = {hotspot: letter(number) for number, hotspot in enumerate(areas)}
    week = roll.week
    return {
        "title": f"Presence around {name}, {week_name(week)}",
        "school": name,
        "week": week_name(week),
        "bell": school.bell,
        "marking": printable(week.plan.area.settings.output.marking),
        "days": [
            {"day": f"{day:%A}", "date": f"{day.day} {day:%B}"}
            | _presence(roll.at_school(school.urn, day), letters)
            for day in week.days
        ],
        "areas": [
            {"letter": letters[hotspot], "street": _street(stop)} for hotspot, stop in areas.items()
        ],
        "second_page": not _map_height([_street(stop) for stop in areas.values()]),
        "map_alt": f"Street map around {name} with the gate (G) and the streets "
        + "; ".join(f"{letters[hotspot]}, {_street(stop)}" for hotspot, stop in areas.items()),
        "basis": printable(attributions(week.plan)[0]),
    }


def letter(number: int) -> str:
    """A, B... Z, AA, AB...

    Examples
    --------
    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    before = letter(number // len(LETTERS) - 1) if number >= len(LETTERS) else ""
    return before + LETTERS[number % len(LETTERS)]


def _duties(roll: Roll, school: School) -> list[Duty]:
    return [duty for day in roll.week.days for duty in roll.at_school(school.urn, day)]


def _areas(roll: Roll, school: School) -> dict[str, Stop]:
    """Hotspots of the week's stops; a place that intelligence alone named is not told outside."""
    known = set(roll.week.plan.hotspots["hotspot"])
    stops = [stop for duty in _duties(roll, school) for stop in duty.patrol.stops]
    return {stop.hotspot: stop for stop in stops if stop.hotspot in known}


def _street(stop: Stop) -> str:
    place = shortened(printable(stop.place), LONGEST_PLACE)
    return f"{place[:1].upper()}{place[1:]}"


def _presence(duties: tuple[Duty, ...], letters: dict[str, str]) -> dict[str, str]:
    """When an officer is at the gate, and until when in which streets."""
    if not duties:
        return {"gate": "", "until": "", "streets": ""}
    first = min(duties, key=lambda duty: duty.start_minutes)
    seen = {letters[s.hotspot] for d in duties for s in d.patrol.stops if s.hotspot in letters}
    until = max(duty.end_minutes for duty in duties)
    return {
        "gate": f"{clock(first.start_minutes)}\N{EN DASH}{clock(first.patrol.gate_until_minutes)}",
        "until": f"until about {clock(5 * round(until / 5))}" if seen else "",
        "streets": ", ".join(sorted(seen, key=lambda text: (len(text), text))),
    }


def _map(roll: Roll, school: School) -> bytes:
    areas = _areas(roll, school)
    gate = Mark("G", school.x, school.y, school=True, name=school.name)
    marks = [Mark(letter(number), stop.x, stop.y) for number, stop in enumerate(areas.values())]
    height = _map_height([_street(stop) for stop in areas.values()])
    return draw_overview(
        roll.week.plan,
        [gate, *marks],
        list(areas),
        width=MAP_WIDTH,
        height=height or TALLEST_MAP,
    )


def _map_height(streets: Sequence[str]) -> float:
    """Points that the list of streets leaves for the map; 0 where it must turn the page.

    Examples
    --------
    >>> round(_map_height(["High Street"] * 4)), _map_height(["High Street"] * 24)
    (346, 0.0)
    """
    pairs = [streets[at : at + 2] for at in range(0, len(streets), 2)]
    lines = sum(2 if max(map(len, pair)) > LONGEST_LINE else 1 for pair in pairs)
    height = TALLEST_MAP - LINE * max(0, lines - FEW_LINES)
    return height if height >= LOWEST_MAP else 0.0
