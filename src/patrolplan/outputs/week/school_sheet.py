"""The sheet that an officer may leave with a school: streets, days and times, nothing about crime.

It leaves out all reasons, counts and categories, the places tasked by intelligence, and officers'
names and routes. If pupils were surveyed, a further page responds to what they marked: the places,
on how many days an officer was and will be there, and what changed since the last survey.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from patrolplan.notes import list_texts
from patrolplan.outputs.cartography.fonts import POINTS_PER_MM, make_printable, typeset_template
from patrolplan.outputs.facts import SchoolStop, list_school_stops
from patrolplan.outputs.week.overview_map import MapMarker, draw_overview_map
from patrolplan.outputs.week.poster import (
    describe_change,
    describe_factors,
    describe_presence,
    describe_promise,
    describe_pupils,
    describe_streets,
)
from patrolplan.outputs.week.roster import Roster, RosterSchool, format_week
from patrolplan.outputs.wording import list_attributions
from patrolplan.privacy import note_low_threshold
from patrolplan.team.school_answers import PlaceAnswer
from patrolplan.team.week import Duty
from patrolplan.text import capitalise, shorten
from patrolplan.times import format_span, format_time

MAP_WIDTH = 180 * POINTS_PER_MM
MAX_MAP_HEIGHT = 122 * POINTS_PER_MM
MIN_MAP_HEIGHT = 75 * POINTS_PER_MM
"""Minimum height of the map; if it would be lower, it goes on a new page."""
LINES_BELOW_FULL_MAP = 3
LINE = 19.0
"""Points that each further line of streets takes from the map."""
LONGEST_LINE = 42
"""Maximum letters of a street on one line of its column."""
LONGEST_NAME = 90
LONGEST_PLACE = 70


def render_school_sheets(
    roster: Roster, urns: Collection[str], answers: Mapping[str, Sequence[PlaceAnswer]]
) -> dict[str, bytes]:
    """Typeset the sheets of the given schools that have a patrol this week, by URN."""
    return {
        school.urn: typeset_template(
            __package__,
            "school.typ",
            build_school_data(roster, school, answers.get(school.urn, ())),
            map_svg=_draw_map(roster, school),
        )
        for school in roster.schools
        if school.urn in urns and roster.select_duties(urn=school.urn)
    }


def build_school_data(
    roster: Roster, school: RosterSchool, answers: Sequence[PlaceAnswer]
) -> dict[str, Any]:
    """Texts of a school's sheet, for the template."""
    name = shorten(make_printable(school.name), LONGEST_NAME)
    areas = _find_areas(roster, school)
    letters = {hotspot: xl_col_to_name(number) for number, hotspot in enumerate(areas)}
    streets = {letters[hotspot]: _format_street(stop) for hotspot, stop in areas.items()}
    week = roster.week
    return {
        "title": f"Presence around {name}, {format_week(week)}",
        "school": name,
        "week": format_week(week),
        "bell": school.bell,
        "marking": make_printable(week.plan.area.settings.output.marking),
        "days": [
            {"day": f"{day:%A}", "date": f"{day.day} {day:%B}"}
            | _describe_presence(roster, roster.select_duties(urn=school.urn, date=day), letters)
            for day in week.days
        ],
        "areas": [{"letter": letter, "street": street} for letter, street in streets.items()],
        "second_page": not _compute_map_height([*streets.values()]),
        "map_alt": f"Street map around {name} with the gate (G) and the streets "
        + "; ".join(f"{letter}, {street}" for letter, street in streets.items()),
        "basis": make_printable(list_attributions(week.plan)[0]),
        "answers": [_build_answer_data(answer) for answer in answers],
        "threshold": str(week.plan.area.settings.privacy.threshold),
        "threshold_note": make_printable(
            " ".join(list_texts(note_low_threshold(week.plan.area.settings)))
        ),
    }


def _build_answer_data(answer: PlaceAnswer) -> dict[str, str]:
    """A place that pupils marked, and the response."""
    gave = (describe_pupils(answer.gave), describe_factors(answer.gave))
    return {
        "streets": f"Around {describe_streets(answer.place.streets)}",
        "gave": ": ".join(words for words in gave if words),
        "before": capitalise(describe_presence(answer)),
        "promise": capitalise(describe_promise(answer.promise)),
        "change": capitalise(describe_change(answer.change)),
    }


def _find_areas(roster: Roster, school: RosterSchool) -> dict[str, SchoolStop]:
    """Stops of the week by place."""
    duties = roster.select_duties(urn=school.urn)
    return {stop.hotspot: stop for duty in duties for stop in _list_stops(roster, duty)}


def _list_stops(roster: Roster, duty: Duty) -> list[SchoolStop]:
    return list_school_stops(duty.patrol, roster.week.plan.hotspots)


def _format_street(stop: SchoolStop) -> str:
    return capitalise(shorten(make_printable(stop.place), LONGEST_PLACE))


def _describe_presence(
    roster: Roster, duties: list[Duty], letters: dict[str, str]
) -> dict[str, str]:
    """When an officer is at the gate on a day, and until when in which streets."""
    if not duties:
        return {"gate": "", "until": "", "streets": ""}
    first: dict[str, Duty] = {}  # the first duty of each window
    for duty in sorted(duties, key=lambda duty: duty.start_minutes):
        first.setdefault(duty.window, duty)
    stops = [stop for duty in duties for stop in _list_stops(roster, duty)]
    streets = {letters[stop.hotspot] for stop in stops}
    until = max((stop.leave_minutes for stop in stops), default=0.0)
    return {
        "gate": ", ".join(
            format_span(*stay) for duty in first.values() for stay in duty.patrol.gate_stays
        ),
        "until": f"until about {format_time(5 * round(until / 5))}" if streets else "",
        "streets": ", ".join(sorted(streets, key=lambda text: (len(text), text))),
    }


def _draw_map(roster: Roster, school: RosterSchool) -> bytes:
    areas = _find_areas(roster, school)
    gate = MapMarker("G", school.x, school.y, school=True, name=school.name)
    marks = [
        MapMarker(xl_col_to_name(number), *stop.point) for number, stop in enumerate(areas.values())
    ]
    height = _compute_map_height([_format_street(stop) for stop in areas.values()])
    return draw_overview_map(
        roster.week.plan,
        [gate, *marks],
        [name for stop in areas.values() for name in stop.seen],
        width=MAP_WIDTH,
        height=height or MAX_MAP_HEIGHT,
    )


def _compute_map_height(streets: Sequence[str]) -> float:
    """Height in points that the list of streets leaves for the map; 0 where it needs a new page."""
    pairs = [streets[at : at + 2] for at in range(0, len(streets), 2)]
    lines = sum(2 if max(map(len, pair)) > LONGEST_LINE else 1 for pair in pairs)
    height = MAX_MAP_HEIGHT - LINE * max(0, lines - LINES_BELOW_FULL_MAP)
    return height if height >= MIN_MAP_HEIGHT else 0.0
