"""Relations between tables, and within them: magnitude, concentration, copied rows, spans, ends.

A value outside the bounds of `RELATIONS` stops the command, or a note names it. Ends of dates are
compared with the newest month of crime, so that equal files give equal notes on any day.
"""

import datetime as dt
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from patrolplan.area.loading import Loading
from patrolplan.area.measures import MEASURES
from patrolplan.area.study_area import StudyArea
from patrolplan.errors import InputError, SettingsError
from patrolplan.notes import Note
from patrolplan.plausibility import CHECKS, RelationName
from patrolplan.settings import Settings, SourceSettings, format_unknown

OLD, OLD_NOTE = "old_crime", "crime_old"  # Its name under [accept], and the key of its note
OLD_MONTHS, REFUSED_MONTHS = 6, 24  # The age of crime that is said, and that is refused


class Relation(NamedTuple):
    """Bounds of a measure, what is odd outside (`{value}` of `{what}`), what to do, if it stops."""

    low: float
    high: float
    says: str
    remedy: str = "correct it"
    stops: bool = False


OWN, FIX, STOP, INF = "export each row's own value", "correct it", True, np.inf
FILLED = "{value:.0%} of its rows have the same value ({what}), as if it was filled down"
AT_ONE = "{value:.0%} of its rows are at one point, as where places are not known"
AGAIN = "{value:.0%} of its rows are at the place of another"
MULTIPLE = "equal rows are there in multiples ({what}: {value:.0%})"
SPAN = "the days from one date to the other are {value:.0f} ({what})"
COPY, TIMES = "keep one copy of the rows", "export the recorded times"
PEOPLE, BOTH = "write them as numbers of people", "add rows, or take out what is there twice"

# fmt: off
RELATIONS = {key: Relation(*row) for key, row in dict[str, Any](
    crime_rows_again=(0, 0.25, "{value:.0%} of {what} are in a file again with one ID", COPY, STOP),
    crime_rows_without_id=(0, 0.05, "{value:.0%} of {what} have no ID, equals have", COPY, STOP),
    crime_rows_doubled=(0, 0.75, MULTIPLE, COPY, STOP),
    crime_rows_doubled__places=(0, 0.9, MULTIPLE, COPY, STOP),
    crime_rows_equal=(0, 0.03, "{value:.0%} have category, place and minute of another", COPY),
    crime_months_equal=(-INF, 0.15, "many more rows of {what} equal another than usual", COPY),
    crime_files_alike=(0, 0.5, "{value:.0%} of {what} is in other files too but for ID and place",
        COPY, STOP),
    crime_place=(0, 0.12, AT_ONE, OWN),
    crime_place__area=(0, 0.15, AT_ONE, OWN),
    crime_category=(0, 0.8, FILLED, OWN),
    crime_category_months=(-8, 10,
        "crimes of {what} are {value:+,.0f} against its usual month, and are taken as true", BOTH),
    crime_months=(0.5, 1.8, "{what} has {value:.1f} times the crimes of a usual month", BOTH),
    crime_file_months=(0, 0.05, "{value:.0%} of {what} are of another month than its name", OWN),
    crime_one_month=(0, 0.72, "all crimes are of one month, as if it was filled down", OWN),
    crime_part=(0, 0.12, "{value:.0%} of the area's street is in parts without any crime",
        "add the crimes of these parts, or make [area] smaller"),
    crime_time=(0, 0.15, "{value:.0%} of the times are in one minute of the day ({what})", TIMES),
    crime_hours=(13, 24, "nearly all crimes are within {value:.0f} hours of the day", TIMES),
    crime_day=(0, 0.2, "{value:.0%} of times are on one day of the month (1st and {what})", TIMES),
    crime_shift=(0, 5, "places are {value:.0f} m from a street, as if they were shifted",
        "check the CRS of crimes and streets"),
    crime_forces=(0, 0, "[crimes] leave_out_forces names a force that no crime has ({what})", FIX),
    school_places=(0, 0.2, AT_ONE, OWN),
    school_filled=(0, 0.3, FILLED, OWN),
    school_filled__capacities=(0, 0.5, FILLED, OWN),
    school_rolls=(0.1, 2.5, "the pupils of URN {what} do not go with its capacity"),
    school_rolls__years=(0, 450, "URN {what} has {value:,.0f} pupils for each year of age"),
    school_ages=(0, 0, "the phase does not go with the ages ({what})"),
    bell_hours=(5, 9, "URN {what} is open for {value:.1f} hours"),
    bell_far=(-1, 1, "the bell of URN {what} is {value:+.1f} hours from the usual one"),
    term_spans=(0, 130, SPAN),
    term_spans__closed=(0, 80, SPAN),
    term_spans__after=(-INF, 900, "dates are {value:.0f} days after the newest crime ({what})"),
    term_halves=(0, 15, "a term has {value:.0f} weeks without a closed day ({what})",
        "add its half term"),
    term_past=(-INF, 31, "all terms end before the newest crime", "add the present school year"),
    officer_twice=(0, 0, "{what} is there before in another spelling", COPY, STOP),
    officer_patrols=(0, 1.2, "{what} has {value:.1f} times the patrols a week that the hours hold",
        "correct max_patrols_per_week or the hours"),
    duty_hours=(0, 0, "a duty begins at night, as on a 12-hour clock ({what})", "write 14:00"),
    duty_far=(0, 60, "a duty is {value:,.0f} km from the area ({what})"),
    duty_twice=(0, 0, "a duty is there twice ({what})", COPY),
    duty_calendars=(0, 0, "events left out, so the officer counts as free: {value:.0f} {what}",
        "correct them in their calendar, and export that again"),
    tasked_conflict=(30, INF, "one place is to visit and barred on the same days ({what})", FIX,
        STOP),
    tasked_twice=(30, INF, "one place is there twice for the same days ({what})", COPY),
    tasked_spans=(0, 550, "it holds for {value:,.0f} days ({what})"),
    tasked_spans__begins=(-INF, 550, "it begins {value:,.0f} days after the newest crime ({what})"),
    tasked_spans__over=(-365, INF, "it ended {value:,.0f} days after the newest crime ({what})"),
    designated_drawn=(-INF, 31, "a hotspot was drawn in the future ({what})"),
    designated_twice=(0, 0.5, "{value:.0%} of a hotspot is drawn twice ({what})", COPY),
    designated_wide=(0, 0.33, "{what} has {value:.0%} of the area's street, as a district has"),
    designated_minutes=(0, 1, "they need {value:.1f} times the minutes of all officers in a week",
        "correct 'minutes', which are those of a week"),
    origin_rolls=(0.25, 1.3, "the pupils of URN {what} are {value:.2g} times its roll"),
    origin_one_area=(0, 0.8, "{value:.0%} of the pupils of URN {what} live in one area", OWN),
    area_residents=(50, 60_000, "there are {value:,.1f} residents per km\u00b2", PEOPLE),
    area_residents__empty=(0, 0.1, "{value:.0%} of areas have no residents", PEOPLE),
    area_residents__ages=(0.02, 0.4, "{value:.0%} of the residents are of school age", PEOPLE),
    area_cover=(0, 0.1, "{value:.0%} of the area's street is in none of them", "add polygons"),
    area_overlaps=(0, 1.1, "they overlap", COPY),
    stop_few=(3, INF, "there are only {value:.0f}", "export all stops"),
    stop_places=(0, 0.3, AT_ONE, OWN),
    stop_twice=(0, 0.3, AGAIN, COPY),
    stop_boardings=(0, 4, "boardings of {what} are {value:,.0f} times apart",
        "write those of one period for all stops"),
    place_places=(0, 0.3, AT_ONE, OWN),
    place_twice=(0, 0.3, AGAIN, COPY),
    gate_places=(0, 0.4, AT_ONE, OWN),
    clock_peaks=(0, 0.4, "{value:.0%} of the day is in one half-hour ({what})", TIMES),
    street_paths=(0.001, 1, "there is no path for walking, as in a network for driving",
        "export the streets for walking"),
    street_names=(-INF, 0.5, "nearly all streets have the same name or none ({what})", OWN),
    patrol_speed=(2, 7, "[patrol] walking_speed_kmh = {value:g} is no walk"),
    patrol_radius=(150, 10_000, "[patrol] radius_metres = {value:g} is no walk"),
    patrol_dwell=(0, 1, "[patrol] dwell_minutes is longer than the window"),
    no_harm=(1e-6, INF, "[risk] harm is 0 for every category that counts", FIX, STOP),
).items()}
"""What `patrolplan.area.measures` measures; what follows two underscores is no part of the name."""
# fmt: on


def check_relations(a: Loading) -> None:
    """All measures of tables that are there: findings stop the command or are noted."""
    # Of crime under a threshold nothing is said, since its words would be of single rows.
    hidden, reasons = a.settings.privacy.min_crime_count > 1, a.settings.accept.reasons
    tables = {**vars(a.tables), "streets": a.network, "settings": a.settings}
    for source, measure in MEASURES.items():
        table = tables.get(source)
        if table is None or getattr(table, "empty", False) or (hidden and source == "crimes"):
            continue
        files = a.settings.find_files(source) if source in SourceSettings.model_fields else ()
        where = f"[sources] {source}" if files else a.settings.file
        where = files[0].name if len(files) == 1 else where
        for key, found, *of in measure(a, table):
            one, values = RELATIONS[key], np.atleast_1d(np.asarray(found, dtype=float))
            outside = np.maximum(values - one.high, one.low - values)
            if not (outside > 0).any():
                continue
            worst, name = int(np.nanargmax(outside)), key.partition("__")[0]
            names = of[0] if of else getattr(found, "index", [""])
            cell = names.iloc[worst] if isinstance(names, pd.DataFrame) else names[worst]
            cells = [cell] if isinstance(cell, str) or not np.iterable(cell) else cell
            words = (f"{n:%Y-%m-%d}" if isinstance(n, dt.date) else str(n) for n in cells)
            what = one.says.format(value=values[worst], what=", ".join(words))
            if one.stops or name in reasons:
                a.alarms.add(RelationName(name), where, what, one.remedy)
                continue
            accept = f'or accept it under [accept] with {name} = "why"'
            text = f"Check {where}: {what}. To do: {one.remedy}, {accept}."
            a.notes.append(Note("relation_odd", text, "lead", fix=f"{where}: {what}; {one.remedy}"))


def check_names(settings: Settings) -> None:
    """Refuse names under [accept] of which there is no check."""
    names = [*CHECKS, *(key for key in RELATIONS if "__" not in key), OLD]
    for name in settings.accept.reasons:
        if name not in names:
            what, place = format_unknown("unknown check", name, names), f"key 'accept.{name}'"
            raise SettingsError.one(settings.file, what, "correct or remove it", place)


def find_today() -> dt.date:
    """The day of this desk."""
    return dt.datetime.now().astimezone().date()


def check_age(area: StudyArea, day: dt.date | None) -> StudyArea:
    """The area with the first of all notes if its crime ends long before a day, None: today."""
    # Crime of over two years before a day that is given is refused, unless [accept] has a reason.
    newest = area.incidents["month"].max() + pd.offsets.MonthEnd()
    today = pd.Timestamp(day or find_today())
    if today <= newest + pd.DateOffset(months=OLD_MONTHS):
        return area
    reason, since = area.settings.accept.reasons.get(OLD, ""), f"{day}" if day else "today"
    what, where = f"recorded crime ends in {newest:%B %Y}, more than ", "[sources] crimes"
    remedy = f'add newer crime, or accept it under [accept] with {OLD} = "why"'
    if day and today > newest + pd.DateOffset(months=REFUSED_MONTHS) and not reason:
        raise InputError.one(where, f"{what}two years before {since}", remedy)
    what += f"six months before {since}" + f" (accepted: {reason})" * bool(reason)
    fix = f"{where}: {what}; add newer crime"
    note = Note(OLD_NOTE, f"Check {where}: {what}. To do: {remedy}.", "lead", fix=fix)
    return replace(area, notes=(note, *(one for one in area.notes if one.key != OLD_NOTE)))
