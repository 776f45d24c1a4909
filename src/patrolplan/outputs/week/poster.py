"""`posters/URN.pdf`: the response to a survey, on a corridor's wall for every pupil to read.

Anybody can read a poster, so it shows less than the sheet for the staff: the heaviest places, by
street and no more exactly than their squares; how many pupils named them, rounded; and the total
number of days of the last weeks on which an officer was at any of them. It has nothing about the
coming week: no day, no time, no route, nor which place is left out. It has no map, which would show
where children walk alone, and names nothing after an offence. So it depends only on the survey and
on the ledger.

A school without a place to show has no poster: an empty one would invite guesses about who was not
heard, and pupils who were never surveyed expect no response. A poster does not show a place without
a named street either, since no one would recognise it. If the settings have a threshold below the
safe one, for whatever reason, there is no poster at all, since anybody can read it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from patrolplan.outputs.cartography.fonts import make_printable, typeset_template
from patrolplan.outputs.week.answer_words import (
    describe_factors,
    describe_number,
    describe_streets,
    format_term,
)
from patrolplan.outputs.week.roster import Roster, RosterSchool
from patrolplan.outputs.wording import is_fictional
from patrolplan.settings import SAFE_THRESHOLD
from patrolplan.team.ledger.dose_history import PRESENCE_WEEKS, RecentPresence
from patrolplan.team.school_answers import PlaceAnswer
from patrolplan.text import capitalise, format_count, shorten

MAX_PLACES = 3
"""Maximum number of places; with more, letters would be too small to be read in passing."""
LONGEST_NAME = 70


def render_posters(
    roster: Roster, answers: Mapping[str, Sequence[PlaceAnswer]], presence: RecentPresence | None
) -> dict[str, bytes]:
    """Typeset the posters of the schools that have a place to show, by URN.

    Each is a tagged PDF of one A4 page, which may be enlarged to A3. `presence` is that of the
    weeks before; None if unknown.
    """
    posters: dict[str, bytes] = {}
    if roster.week.plan.area.settings.privacy.threshold < SAFE_THRESHOLD:
        return posters
    for school in roster.schools:
        shown = select_shown(answers.get(school.urn, ()))
        if shown:
            data = build_poster_data(roster, school, shown, presence)
            posters[school.urn] = typeset_template(__package__, "poster.typ", data)
    return posters


def select_shown(answers: Sequence[PlaceAnswer]) -> tuple[PlaceAnswer, ...]:
    """The answers that a poster shows: the heaviest places that have a name."""
    return tuple(answer for answer in answers if answer.place.streets)[:MAX_PLACES]


def build_poster_data(
    roster: Roster,
    school: RosterSchool,
    shown: Sequence[PlaceAnswer],
    presence: RecentPresence | None,
) -> dict[str, Any]:
    """Texts of a school's poster, for the template."""
    name = shorten(make_printable(school.name), LONGEST_NAME)
    days = _count_days(shown, presence)
    terms = [answer.gave.latest for answer in shown if answer.gave.latest is not None]
    return {
        "title": f"Poster for {name}",
        "school": name,
        "was_there": days > 0,
        "presence": (
            f"In the last {PRESENCE_WEEKS} weeks we were at one or more of these places on "
            f"{format_count(days, 'day')}."
            if days
            else ""
        ),
        "places": [
            {
                "streets": f"Around {describe_streets(answer.place.streets)}",
                "pupils": f"{describe_number(answer.gave)} marked it",
                "factors": capitalise(describe_factors(answer.gave, is_poster=True)),
            }
            for answer in shown
        ],
        "latest": f"Answers up to the {format_term(max(terms))}." if terms else "",
        "basis": (
            "Fictional place: school, streets and answers are made up."
            if is_fictional(roster.week.plan)
            else "Street names © OpenStreetMap contributors, ODbL 1.0."
        ),
    }


def _count_days(shown: Sequence[PlaceAnswer], presence: RecentPresence | None) -> int:
    """Days on which an officer was at any of the places; 0 also if unknown."""
    if presence is None:
        return 0
    return len(presence.find_days(name for answer in shown for name in answer.place.hotspots))
