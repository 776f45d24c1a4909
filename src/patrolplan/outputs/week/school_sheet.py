"""The sheet that an officer may leave with a school: the gate's times, streets, nothing on crime.

It leaves out all reasons, counts and categories, the places tasked by intelligence, officers' names
and routes and, as the poster promises, when they are in which street. If pupils were surveyed, a
further page responds to what they marked: the places, on how many days an officer was and will be
there, and what changed since the last survey.
"""

from collections.abc import Sequence

from xlsxwriter.utility import xl_col_to_name

from patrolplan.notes import list_texts
from patrolplan.outputs.cartography.fonts import POINTS_PER_MM, make_printable
from patrolplan.outputs.facts import SchoolStop, list_school_stops
from patrolplan.outputs.week.overview_map import MapMarker, OverviewMap
from patrolplan.outputs.week.poster import (
    describe_change,
    describe_factors,
    describe_presence,
    describe_promise,
    describe_pupils,
    describe_streets,
)
from patrolplan.outputs.week.roster import Roster, RosterSchool, format_week
from patrolplan.outputs.week.sheet import Sheet
from patrolplan.outputs.wording import is_before_school, list_attributions
from patrolplan.privacy import note_low_threshold
from patrolplan.team.school_answers import PlaceAnswer
from patrolplan.team.week import Duty
from patrolplan.text import capitalise, shorten
from patrolplan.times import format_span

MAP_WIDTH = 180 * POINTS_PER_MM
MAX_MAP_HEIGHT = 122 * POINTS_PER_MM
MIN_MAP_HEIGHT = 75 * POINTS_PER_MM
"""Minimum height of the map; if it would be lower, it goes on a new page."""
LINES_BELOW_FULL_MAP = 3
LINE = 19.0  # Points that each further line of streets takes from the map
LONGEST_LINE = 42  # Maximum letters of a street on one line of its column
LONGEST_NAME = 90
LONGEST_PLACE = 70


def build_school_sheet(
    roster: Roster, school: RosterSchool, answers: Sequence[PlaceAnswer] = ()
) -> Sheet:
    """The sheet of a school, with the answers to its pupils."""
    week = roster.week
    area, name = week.plan.area, shorten(make_printable(school.name), LONGEST_NAME)
    stops = _list_stops(roster, school)
    streets = {
        xl_col_to_name(number): capitalise(shorten(make_printable(stop.place), LONGEST_PLACE))
        for number, stop in enumerate(stops)
    }
    height = _compute_map_height([*streets.values()])
    data = {
        "title": f"Presence around {name}, {format_week(week)}",
        "school": name,
        "week": format_week(week),
        "bell": school.bell,
        "marking": make_printable(area.settings.output.marking),
        "days": [
            {
                "day": f"{day:%A}",
                "date": f"{day.day} {day:%B}",
                "gate": _describe_gate(roster, roster.select_duties(urn=school.urn, date=day)),
            }
            for day in week.days
        ],
        "areas": [{"letter": letter, "street": street} for letter, street in streets.items()],
        "second_page": not height,
        "map_alt": f"Street map around {name} with the gate (G) and the streets "
        + "; ".join(f"{letter}, {street}" for letter, street in streets.items()),
        "basis": make_printable(list_attributions(week.plan)[0]),
        "answers": [_build_answer_data(answer) for answer in answers],
        "threshold": str(area.settings.privacy.threshold),
        "threshold_note": make_printable(" ".join(list_texts(note_low_threshold(area.settings)))),
    }
    gate = MapMarker("G", school.x, school.y, school=True, name=school.name)
    marks = [MapMarker(letter, *stop.point) for letter, stop in zip(streets, stops, strict=True)]
    seen = [name for stop in stops for name in stop.seen]
    shown = OverviewMap([gate, *marks], seen, MAP_WIDTH, height or MAX_MAP_HEIGHT)
    return Sheet("school.typ", data, shown)


def _list_stops(roster: Roster, school: RosterSchool) -> list[SchoolStop]:
    """Stops of the week by place, in the order of names, which says nothing about days."""
    duties, hotspots = roster.select_duties(urn=school.urn), roster.week.plan.hotspots
    stops = (stop for duty in duties for stop in list_school_stops(duty.patrol, hotspots))
    places = {one.hotspot: one for one in sorted(stops, key=lambda one: (one.place, one.hotspot))}
    return [*places.values()]


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


def _describe_gate(roster: Roster, duties: list[Duty]) -> str:
    """When an officer is at the gate on a day as pupils pass it, but never when a patrol ends."""
    first: dict[str, Duty] = {}  # the first duty of each window
    for duty in sorted(duties, key=lambda duty: duty.start_minutes):
        first.setdefault(duty.window, duty)
    stays = [
        (duty.patrol.back_minutes, duty.patrol.end_minutes)
        if is_before_school(roster.week.plan, duty.patrol)
        else (duty.patrol.start_minutes, duty.patrol.gate_until_minutes)
        for duty in first.values()
    ]
    none = "not at the gate" if stays else "no patrol planned"
    return ", ".join(format_span(*stay) for stay in stays if stay[1] > stay[0]) or none


def _compute_map_height(streets: Sequence[str]) -> float:
    """Height in points that the list of streets leaves for the map; 0 where it needs a new page."""
    pairs = [streets[at : at + 2] for at in range(0, len(streets), 2)]
    lines = sum(2 if max(map(len, pair)) > LONGEST_LINE else 1 for pair in pairs)
    height = MAX_MAP_HEIGHT - LINE * max(0, lines - LINES_BELOW_FULL_MAP)
    return height if height >= MIN_MAP_HEIGHT else 0.0
