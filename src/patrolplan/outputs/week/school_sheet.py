"""A school's sheet, which an officer may leave there, and its poster for every pupil to read.

Neither shows crime, reasons, officers, routes, tasked places or when somebody is in which street. A
poster has only the heaviest places of a survey by their streets, rounded numbers and past days; no
map, which would show where children walk alone. Without a place to show there is none: an empty one
would invite guesses about who was not heard.
"""

from collections.abc import Sequence

from patrolplan.notes import list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import POINTS_PER_MM, make_printable
from patrolplan.outputs.facts import SchoolStop, list_school_stops
from patrolplan.outputs.reason_words import FACTOR_WORDS
from patrolplan.outputs.week.roster import Roster, RosterSchool, format_week
from patrolplan.outputs.week.sheet import MapMarker, OverviewMap, Sheet
from patrolplan.patrols.patrol_state import is_to_school
from patrolplan.patrols.plan import Plan
from patrolplan.privacy import FACTORS, note_low_threshold
from patrolplan.risk.report_voice import TIME_WORDS
from patrolplan.settings import SAFE_THRESHOLD
from patrolplan.team.ledger.monthly_return import PRESENCE_WEEKS, RecentPresence
from patrolplan.team.school_answers import PlaceAnswer, Promise, SurveyChange, WhatPupilsGave
from patrolplan.team.week import Duty
from patrolplan.text import capitalise, format_count, format_letters, join_words, shorten
from patrolplan.times import SchoolTerm, format_span

MAX_PLACES = 3  # with more, letters would be too small to be read in passing


def build_poster(
    roster: Roster,
    school: RosterSchool,
    answers: Sequence[PlaceAnswer],
    presence: RecentPresence | None,
) -> Sheet | None:
    """A school's poster with its heaviest places that have a name; None if it may show none."""
    shown = [answer for answer in answers if answer.place.streets][:MAX_PLACES]
    if not shown or roster.week.plan.area.settings.privacy.threshold < SAFE_THRESHOLD:
        return None
    name = shorten(make_printable(school.name), LONGEST_NAME)
    places = [name for answer in shown for name in answer.place.hotspots]
    days = 0 if presence is None else len(presence.find_days(places))
    seen = f"In the last {PRESENCE_WEEKS} weeks we were at one or more of these places on"
    terms = [answer.gave.latest for answer in shown if answer.gave.latest is not None]
    data = {
        "title": f"Poster for {name}",
        "school": name,
        "was_there": days > 0,
        "presence": f"{seen} {format_count(days, 'day')}." if days else "",
        "places": [
            {
                "streets": f"Around {describe_streets(answer.place.streets)}",
                "pupils": f"{describe_number(answer.gave)} marked it",
                "factors": capitalise(describe_factors(answer.gave, is_poster=True)),
            }
            for answer in shown
        ],
        "latest": f"Answers up to the {format_term(max(terms))}." if terms else "",
        "basis": _describe_basis(roster.week.plan),
    }
    return Sheet("poster.typ", data)


SCHOOL_WORDS = FACTOR_WORDS | {
    "groups_loitering": "groups hanging about",
    "followed": "being followed",
    "verbal_abuse": "insults",
    "robbery_or_threat": "being threatened",
    "drug_use": "substance use",
}  # Words for factors, as used in schools

POSTER_FACTORS = frozenset({*FACTORS["place_factor"], "groups_loitering", "traffic"})
"""Factors that are on a poster; for the others it only mentions how people behave: in a corridor
they would frighten pupils, or accuse some."""

ABOUT_PEOPLE = "how people behave there"
LONGEST_STREET = 40
LONGEST_WORD = 24  # letters of a word, and above of a name: a poster has no room for more
UNNAMED = "streets without a name"
WIDEST_RANGE = 0.5  # Maximum width of an interval that is printed: a wider one is not informative


def describe_streets(streets: Sequence[str]) -> str:
    """A place by its streets, with capitals as on the map."""
    names = [
        shorten(" ".join(shorten(word, LONGEST_WORD) for word in name.split()), LONGEST_STREET)
        for name in map(make_printable, streets)
    ]
    return join_words(names) or UNNAMED


def describe_pupils(gave: WhatPupilsGave) -> str:
    """How many pupils named a place, as a range, until which term, and why."""
    until = "up to " if gave.is_spread else ""
    term = "" if gave.latest is None else f", {until}{format_term(gave.latest)}"
    why = describe_factors(gave)
    return f"{describe_number(gave)}{term}{f': {why}' if why else ''}"


def describe_number(gave: WhatPupilsGave) -> str:
    """How many pupils named a place: as a range, unless nothing was rounded."""
    if gave.max_reports == gave.reports:
        return format_count(gave.reports, "pupil")
    return f"{gave.reports} to {gave.max_reports} pupils"


def format_term(term: SchoolTerm) -> str:
    """A school term and its year."""
    return f"{term.season} term {term.year}"


def describe_factors(gave: WhatPupilsGave, *, is_poster: bool = False) -> str:
    """The most frequent reasons that pupils gave, and when; empty if none has enough pupils."""
    hidden = {*gave.factors} - POSTER_FACTORS if is_poster else set()
    named = [ABOUT_PEOPLE if name in hidden else SCHOOL_WORDS[name] for name in gave.factors]
    factors = join_words(sorted(dict.fromkeys(named), key=lambda words: words == ABOUT_PEOPLE))
    times = join_words([TIME_WORDS[band] for band in gave.bands[: 1 if is_poster else 2]])
    return ", ".join(words for words in (factors, times) if words)


def _describe_basis(plan: Plan) -> str:
    """Whose streets are shown; neither paper has anything of crime."""
    if wording.is_fictional_area(plan.area.name):
        return "Fictional place: school, streets and answers are made up."
    return make_printable(wording.list_attributions(plan)[0])


def describe_presence(answer: PlaceAnswer) -> str:
    """On how many days an officer was there in the weeks before; empty if this is unknown."""
    if answer.days_before is None:
        return ""
    days = format_count(answer.days_before, "day") if answer.days_before else "no day"
    if answer.weeks_recorded == PRESENCE_WEEKS:
        return f"on {days} in the last {PRESENCE_WEEKS} weeks"
    weeks = f"{answer.weeks_recorded} of the last {PRESENCE_WEEKS} weeks"
    return f"on {days} in {weeks}; no visits are recorded for the others"


def describe_promise(promise: Promise) -> str:
    """How often a patrol will be there in the week, never exactly, or why there will be none."""
    if promise.days == 1:
        return "a patrol on one day"
    if promise.days:
        return f"a patrol on {'most' if promise.days >= promise.of_days - 1 else 'several'} days"
    if promise.was_last_week:
        return "not this week: a patrol was there last week"
    if promise.why_not is None:
        return "no patrol is planned there this week"
    return f"not this fortnight: {promise.why_not.tell_school()}"


def describe_change(change: SurveyChange | None) -> str:
    """How a place's share of pupils' answers has changed; empty without terms to compare."""
    if change is None:
        return ""
    term = f"the {format_term(change.before)}"
    low, high = round(100 * change.low), round(100 * change.high)
    if change.direction == "unclear":
        if change.high - change.low > WIDEST_RANGE:
            return f"no clear change since {term}: too few answers to say more"
        span = f"between {-low} points less and {high} more"
        return f"no clear change since {term} (its share: {span})"
    falls = change.direction == "less"
    least, most = sorted((abs(low), abs(high)))
    span = f"{max(1, least)} to {most}" if most > max(1, least) else f"about {max(1, most)}"
    verb, how = ("less", "fell") if falls else ("more", "rose")
    return f"named {verb} often than in {term} (its share {how} by {span} points)"


MAP_WIDTH = 180 * POINTS_PER_MM
MAX_MAP_HEIGHT = 122 * POINTS_PER_MM
MIN_MAP_HEIGHT = 75 * POINTS_PER_MM  # lower ones go on a new page
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
        format_letters(number): capitalise(shorten(make_printable(stop.place), LONGEST_PLACE))
        for number, stop in enumerate(stops)
    }
    rows = [[*streets.values()][at : at + 2] for at in range(0, len(streets), 2)]
    lines = sum(2 if max(map(len, row)) > LONGEST_LINE else 1 for row in rows)
    height = MAX_MAP_HEIGHT - LINE * max(0, lines - LINES_BELOW_FULL_MAP)
    height = height if height >= MIN_MAP_HEIGHT else 0.0  # then the map needs a new page
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
        "basis": _describe_basis(week.plan),
        "heard": "we were there" if any(one.days_before for one in answers) else "we heard you",
        "unrecorded": (
            ""
            if any(one.days_before is not None for one in answers)
            else f"No visits are recorded for the last {PRESENCE_WEEKS} weeks, so it is not known "
            "whether patrols were there."
        ),
        "answers": [
            {
                "streets": f"Around {describe_streets(answer.place.streets)}",
                "gave": describe_pupils(answer.gave),
                "before": capitalise(describe_presence(answer)),
                "promise": capitalise(describe_promise(answer.promise)),
                "change": capitalise(describe_change(answer.change)),
            }
            for answer in answers
        ],
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


def _describe_gate(roster: Roster, duties: list[Duty]) -> str:
    """When an officer is at the gate on a day as pupils pass it, but never when a patrol ends."""
    first: dict[str, Duty] = {}  # the first duty of each window
    for duty in sorted(duties, key=lambda duty: duty.start_minutes):
        first.setdefault(duty.window, duty)
    stays = []
    for duty in first.values():
        standings = duty.patrol.standings
        is_early = is_to_school(roster.week.plan, duty.patrol)
        chosen = standings[-1:] if is_early else standings[:1]
        stays += [standing for standing in chosen if standing.number == 0]
    if not stays:
        return "not at the gate" if duties else "no patrol planned"
    return ", ".join(format_span(stay.from_minutes, stay.to_minutes) for stay in stays)
