"""Relations between tables, and within them: magnitude, concentration, copied rows, spans, ends.

A table may have the right columns and forms and still be wrong as a whole. Each check is a row of
`RELATIONS`: the bounds of a measure of the tables as they were read, what is odd and what to do. A
value outside the bounds stops the command, or a note names it; `[accept]` takes the name of any
row with a reason, which outputs print. Ends of dates are compared with the newest month of crime,
so that equal files give equal notes on any day.
"""

import datetime as dt
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from patrolplan.area.load_report import LoadReport
from patrolplan.area.measures import MEASURES, Loaded
from patrolplan.area.study_area import StudyArea
from patrolplan.errors import InputError, Problem, SettingsError
from patrolplan.notes import Note
from patrolplan.plausibility import CHECKS
from patrolplan.settings import Settings, SourceSettings, format_unknown

CRIMES = "[sources] crimes"

ODD_NOTE, OLD_NOTE = "relation_odd", "crime_old"  # Keys of the notes
OLD, OLD_MONTHS, REFUSED_MONTHS = "old_crime", 6, 24
"""Name under which [accept] takes old crime; the age that is said, and that is refused."""


class Relation(NamedTuple):
    """A check: the bounds of its measure, what is odd outside them, and what to do.

    `says` has the `{value}` that is most outside, and `{what}` it is of.
    """

    low: float
    high: float
    says: str
    remedy: str
    stops: bool = False
    name: str = ""  # of the check, where several measures are of one


OWN, STOP, INF = "export each row's own value", True, np.inf
FILLED = "{value:.0%} of its rows have the same value ({what}), as if it was filled down"
AT_ONE = "{value:.0%} of its rows are at one point, as where places are not known"
AGAIN = "{value:.0%} of its rows are at the place of another"
MULTIPLE = "equal rows are there in multiples ({what}: {value:.0%})"
SPAN = "the days from one date to the other are {value:.0f} ({what})"
FAR_BELL = "the bell of URN {what} is {value:+.1f} hours from the usual one"
COPY, DATES, TIMES = "keep one copy of the rows", "correct the dates", "export the recorded times"
PEOPLE = "write them as numbers of people"

# fmt: off
RELATIONS: dict[str, Relation] = {
    "crime_rows_again": Relation(0, 0.25,
        "{value:.0%} of '{what}' are in a file again with the same ID", COPY, STOP),
    "crime_rows_without_id": Relation(0, 0.05,
        "{value:.0%} of {what} are rows without ID beside equal ones with one", COPY, STOP),
    "crime_rows_doubled": Relation(0, 0.75, MULTIPLE, COPY, STOP),
    "crime_near_doubled": Relation(0, 0.75, MULTIPLE, COPY, STOP, "crime_rows_doubled"),
    "crime_places_doubled": Relation(0, 0.9, MULTIPLE, COPY, STOP, "crime_rows_doubled"),
    "crime_rows_equal": Relation(0, 0.03,
        "{value:.0%} have the category, place and minute of another", COPY),
    "crime_months_equal": Relation(-INF, 0.15,
        "many more rows of {what} equal another than in other months", COPY),
    "crime_files_alike": Relation(0, 0.5,
        "{value:.0%} of {what} is in other files too, but for ID and exact place", COPY, STOP),
    "crime_place": Relation(0, 0.12, AT_ONE, OWN),
    "crime_area_place": Relation(0, 0.15, AT_ONE, OWN, name="crime_place"),
    "crime_category": Relation(0, 0.8, FILLED, OWN),
    "crime_category_months": Relation(-8, 10,
        "crimes of {what} are {value:+,.0f} against its usual month, and are taken as true",
        "add or remove rows, or take the category out of [crimes] categories"),
    "crime_months": Relation(0.5, 1.8, "{what} has {value:.1f} times the crimes of a usual month",
        "add the rows that lack, or remove those that are there twice"),
    "crime_file_months": Relation(0, 0.05,
        "{value:.0%} of {what} are of another month than its name", OWN),
    "crime_one_month": Relation(0, 0.6, "all crimes are of one month, as if it was filled down",
        OWN),
    "crime_part": Relation(0, 0.12,
        "{value:.0%} of the area's street is in parts without any crime",
        "add the crimes of these parts, or make [area] smaller"),
    "crime_time": Relation(0, 0.15,
        "{value:.0%} of the times are in one minute, {what} after midnight", TIMES),
    "crime_hours": Relation(13, 24,
        "nearly all crimes are within {value:.0f} hours of the day", TIMES),
    "crime_day": Relation(0, 0.2,
        "{value:.0%} of the times are on one day of the month (first and {what})", TIMES),
    "crime_shift": Relation(0, 5,
        "places are {value:.0f} m from a street, as far as any place: they seem to be shifted",
        "check the CRS of crimes and streets"),
    "crime_forces": Relation(0, 0,
        "[crimes] leave_out_forces names a force that no crime has ({what})",
        "write the force as in the files"),
    "school_places": Relation(0, 0.2, AT_ONE, OWN),
    "school_filled": Relation(0, 0.3, FILLED, OWN),
    "school_capacities": Relation(0, 0.5, FILLED, OWN, name="school_filled"),
    "school_rolls": Relation(0.1, 2.5, "the pupils of URN {what} do not go with its capacity",
        "correct roll or capacity"),
    "school_years": Relation(0, 450, "URN {what} has {value:,.0f} pupils for each year of age",
        "correct roll or ages", name="school_rolls"),
    "school_ages": Relation(0, 0, "the phase does not go with the ages ({what})",
        "correct the ages or the phase"),
    "bell_hours": Relation(5, 9, "URN {what} is open for {value:.1f} hours", "correct the bells"),
    "bell_far": Relation(-1, 1, FAR_BELL, "correct it"),
    "term_spans": Relation(0, 130, SPAN, DATES),
    "closed_spans": Relation(0, 80, SPAN, DATES, name="term_spans"),
    "term_after": Relation(-INF, 900,
        "dates are {value:.0f} days after the newest crime ({what})", DATES, name="term_spans"),
    "term_halves": Relation(0, 15, "a term has {value:.0f} weeks without a closed day ({what})",
        "add its half term"),
    "term_past": Relation(-INF, 31, "all terms end before the newest crime",
        "add the present school year"),
    "officer_twice": Relation(0, 0, "{what} is there before in another spelling", COPY, STOP),
    "officer_patrols": Relation(0, 1.2,
        "{what} has {value:.1f} times the patrols a week that the hours hold",
        "correct max_patrols_per_week or the hours"),
    "duty_hours": Relation(0, 0, "a duty begins at night, as on a 12-hour clock ({what})",
        "write 14:00 for 2 pm"),
    "duty_far": Relation(0, 60, "a duty is {value:,.0f} km from the area ({what})",
        "correct its coordinates"),
    "duty_twice": Relation(0, 0, "a duty is there twice ({what})", COPY),
    "duty_calendars": Relation(0, 0,
        "events are left out, so the officer counts as free: {value:.0f} {what}",
        "correct them in their calendar, and export that again"),
    "tasked_conflict": Relation(30, INF,
        "one place is both to visit and barred on the same days ({what})", "correct one of them",
        STOP),
    "tasked_twice": Relation(30, INF, "one place is there twice for the same days ({what})", COPY),
    "tasked_spans": Relation(0, 550, "it holds for {value:,.0f} days ({what})", DATES),
    "tasked_begins": Relation(-INF, 550,
        "it begins {value:,.0f} days after the newest crime ({what})", DATES, name="tasked_spans"),
    "tasked_over": Relation(-365, INF,
        "it ended {value:,.0f} days after the newest crime ({what})", DATES, name="tasked_spans"),
    "designated_drawn": Relation(-INF, 31, "a hotspot was drawn in the future ({what})",
        "correct 'drawn'"),
    "designated_twice": Relation(0, 0.5, "{value:.0%} of a hotspot is drawn twice ({what})",
        "keep one of the two"),
    "designated_wide": Relation(0, 0.33, "{what} has {value:.0%} of the area's street",
        "draw the hotspot, not its district"),
    "designated_minutes": Relation(0, 1,
        "they need {value:.1f} times the minutes of all officers in a week",
        "correct 'minutes', which are those of a week"),
    "origin_rolls": Relation(0.25, 1.3, "the pupils of URN {what} are {value:.2g} times its roll",
        "correct one of the two"),
    "origin_one_area": Relation(0, 0.8,
        "{value:.0%} of the pupils of URN {what} live in one area", OWN),
    "area_residents": Relation(50, 60_000, "there are {value:,.1f} residents per km\u00b2", PEOPLE),
    "area_empty": Relation(0, 0.1, "{value:.0%} of the areas have no residents", PEOPLE,
        name="area_residents"),
    "area_ages": Relation(0.02, 0.4, "{value:.0%} of the residents are of school age",
        "correct aged_5_16", name="area_residents"),
    "area_cover": Relation(0, 0.1, "{value:.0%} of the area's street is in none of them",
        "add the missing polygons"),
    "area_overlaps": Relation(0, 1.1, "they overlap", "keep each polygon once"),
    "stop_few": Relation(3, INF, "there are only {value:.0f}", "export all stops"),
    "stop_places": Relation(0, 0.3, AT_ONE, OWN),
    "stop_twice": Relation(0, 0.3, AGAIN, COPY),
    "place_twice": Relation(0, 0.3, AGAIN, COPY),
    "gate_places": Relation(0, 0.4, AT_ONE, OWN),
    "stop_boardings": Relation(0, 4,
        "boardings of {what} seem to be of different periods, {value:,.0f} times apart",
        "write those of one period for all stops"),
    "place_places": Relation(0, 0.3, AT_ONE, OWN),
    "clock_peaks": Relation(0, 0.4, "{value:.0%} of the day is in one half-hour ({what})",
        "write each half-hour's share"),
    "street_paths": Relation(0.001, 1, "there is no path for walking, as in a network for driving",
        "export the streets for walking"),
    "street_names": Relation(-INF, 0.5,
        "nearly all streets have the same name or none ({what})", OWN),
    "patrol_speed": Relation(2, 7, "[patrol] walking_speed_kmh = {value:g} is no walk",
        "correct it"),
    "patrol_radius": Relation(150, 10_000, "[patrol] radius_metres = {value:g} is no walk",
        "correct it"),
    "patrol_dwell": Relation(0, 1, "[patrol] dwell_minutes is longer than the window",
        "correct it"),
    "no_harm": Relation(0.000_001, INF, "[risk] harm is 0 for every category that counts",
        "give one a harm above 0", STOP),
}
"""Every check of the tables together, by what `patrolplan.area.measures` measures."""
# fmt: on


def check_relations(a: Loaded) -> None:
    """All measures of tables that are there: findings stop the command or are noted.

    Of crime under a threshold nothing is said, since its words would be of single rows.
    """
    hidden = "crimes" if a.settings.privacy.min_crime_count > 1 else ""
    for source, measure in MEASURES:
        table = a.tables.get(source, ())
        if source == hidden or table is None or (isinstance(table, pd.DataFrame) and table.empty):
            continue
        for key, found in measure(a):
            one, values = RELATIONS[key], pd.Series(found, dtype=float)
            outside = np.maximum(values.to_numpy() - one.high, one.low - values.to_numpy())
            if (outside > 0).any():
                worst = int(np.nanargmax(outside))
                row = values.index[worst]
                of = [row] if isinstance(row, str) or not np.iterable(row) else row
                what = ", ".join(f"{n:%Y-%m-%d}" if isinstance(n, dt.date) else str(n) for n in of)
                words = one.says.format(value=values.iloc[worst], what=what)
                name = one.name or key
                _tell(name, source, words, one.remedy, a.settings, a.report, stops=one.stops)


def check_names(settings: Settings) -> None:
    """Refuse names under [accept] of which there is no check."""
    names = [*CHECKS, *dict.fromkeys(one.name or key for key, one in RELATIONS.items()), OLD]
    wrong = [name for name in settings.accept.reasons if name not in names]
    if wrong:
        what = format_unknown("unknown check", wrong[0], names)
        place = f"key 'accept.{wrong[0]}'"
        raise SettingsError([Problem(settings.file, what, "correct or remove it", place)])


def find_today() -> dt.date:
    """The day of this desk."""
    return dt.datetime.now().astimezone().date()


def check_age(area: StudyArea, day: dt.date | None) -> StudyArea:
    """The area with the first of all notes if its crime ends long before a day, None: today.

    Crime of more than two years before the day given is refused, unless `[accept]` has a reason.
    """
    newest = area.incidents["month"].max() + pd.offsets.MonthEnd()
    today = pd.Timestamp(day or find_today())
    if today <= newest + pd.DateOffset(months=OLD_MONTHS):
        return area
    reason, since = area.settings.accept.reasons.get(OLD, ""), f"{day}" if day else "today"
    what = f"recorded crime ends in {newest:%B %Y}, more than six months before {since}"
    if day and today > newest + pd.DateOffset(months=REFUSED_MONTHS) and not reason:
        remedy = f'add newer crime, or accept it under [accept] with {OLD} = "why"'
        what = what.replace("six months", "two years")
        raise InputError.one(CRIMES, what, remedy)
    what, report = what + f" (accepted: {reason})" * bool(reason), LoadReport()
    _tell(OLD, "crimes", what, "add newer crime", area.settings, report)
    others = [note for note in area.notes if note.key != OLD_NOTE]
    return replace(area, notes=(*report.notes, *others))


def _tell(
    name: str,
    source: str,
    what: str,
    remedy: str,
    settings: Settings,
    report: LoadReport,
    *,
    stops: bool = False,
) -> None:
    """An alarm where a finding stops the command or is accepted, else a note."""
    files = settings.find_files(source) if source in SourceSettings.model_fields else ()
    where = files[0].name if len(files) == 1 else f"[sources] {source}" if files else settings.file
    if stops or (name in settings.accept.reasons and name != OLD):
        report.alarms.add(name, where, what, remedy)
        return
    accept = f', or accept it under [accept] with {name} = "why"'
    text = f"Check {where}: {what}. To do: {remedy}{accept}."
    key, fix = OLD_NOTE if name == OLD else ODD_NOTE, f"{where}: {what}; {remedy}"
    report.notes.append(Note(key, text, "lead", fix=fix))
