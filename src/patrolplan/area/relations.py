"""Relations between tables, and within them: magnitude, concentration, copied rows, spans, ends.

A table may have the right columns and forms and still be wrong as a whole. Each check is a row of
`RELATIONS`: a measure of the tables as they were read, its bounds, what is odd and what to do. A
value outside the bounds stops the command, or a note names it; `[accept]` takes the name of any
row with a reason, which outputs print. Ends of dates are compared with the newest month of crime,
so that equal files give equal notes on any day.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from patrolplan.area import measures as m
from patrolplan.area.load_report import LoadReport
from patrolplan.area.measures import DAY, MANY, NOTHING, Found, Loaded
from patrolplan.area.study_area import StudyArea
from patrolplan.errors import InputError, Problem, SettingsError
from patrolplan.inputs.timestamps import find_newest_plausible_month
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.notes import Note
from patrolplan.plausibility import CHECKS
from patrolplan.settings import Settings, SourceSettings, format_unknown
from patrolplan.settings.models import CrimeSettings

CRIMES = "[sources] crimes"
LEFT_OUT_EVENTS = "whole calendar|on their own day|for whole days"
"""Words of the reasons for which events of a calendar are left out by a mistake in it."""

ODD_NOTE, OLD_NOTE = "relation_odd", "crime_old"  # Keys of the notes
OLD, OLD_MONTHS, REFUSED_MONTHS = "old_crime", 6, 24
"""Name under which [accept] takes old crime; the age that is said, and that is refused."""


class Relation(NamedTuple):
    """A check: its name and table, its measure with bounds, what is odd and what to do.

    `says` has the `{value}` that is most outside the bounds, and `{what}` it is of.
    """

    name: str
    source: str
    measure: Callable[[Loaded], Found]
    low: float
    high: float
    says: str
    remedy: str
    stops: bool = False


OWN, STOP, INF = "export each row's own value", True, np.inf
FILLED = "{value:.0%} of its rows have the same value ({what}), as if it was filled down"
AT_ONE = "{value:.0%} of its rows are at one point, as where places are not known"
COPY, DATES, TIMES = "keep one copy of the rows", "correct the dates", "export the recorded times"

# fmt: off
RELATIONS: tuple[Relation, ...] = (
    Relation("crime_rows_again", "crimes", m.find_same_id, 0, 0.25,
             "{value:.0%} of '{what}' are in a file again with the same ID", COPY, STOP),
    Relation("crime_rows_without_id", "crimes", m.find_without_id, 0, 0.05,
             "{value:.0%} of {what} are rows without ID beside equal ones with one", COPY, STOP),
    *(Relation("crime_rows_doubled", "crimes", partial(m.find_multiples, decimals=n), 0, most,
               "equal rows are there in multiples ({what}: {value:.0%})", COPY, STOP)
      for n, most in ((0, 0.75), (3, 0.75), (2, 0.9))),
    Relation("crime_rows_equal", "crimes", lambda a: m.share_again(
             m.group_rows(a.alike[0][a.rows["time"] >= 0][:len(a.times)], a.times),
             0 * a.times, [""]), 0, 0.03,
             "{value:.0%} have the category, place and minute of another", COPY),
    Relation("crime_months_equal", "crimes", m.find_more_equal, -INF, 0.15,
             "many more rows of {what} equal another than in other months", COPY),
    Relation("crime_files_alike", "crimes", m.find_alike_files, 0, 0.5,
             "{value:.0%} of {what} is in other files too, but for ID and exact place", COPY, STOP),
    Relation("crime_place", "crimes", lambda a: m.top(a["crimes"].place_index, MANY),
             0, 0.12, AT_ONE, OWN),
    Relation("crime_place", "crimes", lambda a: m.top(a.rows["place"], MANY),
             0, 0.15, AT_ONE, OWN),
    Relation("crime_category", "crimes", lambda a: m.top(a.rows["category"], MANY), 0, 0.8,
             FILLED, OWN),
    Relation("crime_category_months", "crimes", m.find_category_months, -8, 10,
             "crimes of {what} are {value:+,.0f} against its usual month, and are taken as true",
             "add or remove rows, or take the category out of [crimes] categories"),
    Relation("crime_months", "crimes", m.find_months, 0.5, 1.8,
             "{what} has {value:.1f} times the crimes of a usual month",
             "add the rows that lack, or remove those that are there twice"),
    Relation("crime_file_months", "crimes", m.find_file_months, 0, 0.05,
             "{value:.0%} of {what} are of another month than its name", OWN),
    Relation("crime_one_month", "crimes", lambda a: ([np.mean(a.alike[1][a.alike[0]] > 1) * (
             len(a.months) == 1 and len(a.rows["month"]) > MANY)], [""]), 0, 0.6,
             "all crimes are of one month, as if it was filled down", OWN),
    Relation("crime_part", "crimes", m.find_empty_part, 0, 0.12,
             "{value:.0%} of the area's street is in parts without any crime",
             "add the crimes of these parts, or make [area] smaller"),
    Relation("crime_time", "crimes", lambda a: m.top(a.times % DAY, MANY), 0, 0.15,
             "{value:.0%} of the times are in one minute, {what} after midnight", TIMES),
    Relation("crime_hours", "crimes", m.find_hours, 13, 24,
             "nearly all crimes are within {value:.0f} hours of the day", TIMES),
    Relation("crime_day", "crimes", lambda a: m.top(
             (d := a.times.astype("M8[m]").astype("M8[D]")) - d.astype("M8[M]"), MANY), 0, 0.2,
             "{value:.0%} of the times are on one day of the month (first and {what})", TIMES),
    Relation("crime_shift", "crimes", m.find_shift, 0, 5,
             "places are {value:.0f} m from a street, as far as any place: they seem to be shifted",
             "check the CRS of crimes and streets"),
    Relation("crime_forces", "crimes", lambda a: (
             [one not in a["crimes"].forces | {*CrimeSettings().leave_out_forces}
              for one in a.settings.crimes.leave_out_forces], a.settings.crimes.leave_out_forces),
             0, 0, "[crimes] leave_out_forces names a force that no crime has ({what})",
             "write the force as in the files"),
    Relation("school_places", "schools", partial(m.top_place, source="schools"),
             0, 0.2, AT_ONE, OWN),
    Relation("school_filled", "schools", lambda a: m.top(a["schools"]["roll"].dropna()), 0, 0.3,
             FILLED, OWN),
    Relation("school_filled", "schools", lambda a: m.top(a["schools"]["capacity"].dropna()), 0, 0.5,
             FILLED, OWN),
    Relation("school_rolls", "schools", lambda a: m.find_rolls(a, "roll", "capacity"), 0.1, 2.5,
             "the pupils of URN {what} do not go with its capacity", "correct roll or capacity"),
    Relation("school_rolls", "schools", lambda a: m.find_rolls(a, "roll", "years"), 0, 450,
             "URN {what} has {value:,.0f} pupils for each year of age", "correct roll or ages"),
    Relation("school_ages", "schools", m.find_ages, 0, 0,
             "the phase does not go with the ages ({what})", "correct the ages or the phase"),
    Relation("bell_hours", "bell_times",
             partial(m.find_bells, name="start_time", until="finish_time"), 5, 9,
             "URN {what} is open for {value:.1f} hours", "correct the bells"),
    *(Relation("bell_far", "bell_times", partial(m.find_bells, name=bell), -1, 1,
               "the bell of URN {what} is {value:+.1f} hours from the usual one", "correct it")
      for bell in ("start_time", "finish_time")),
    *(Relation("term_spans", "term_dates", partial(m.days, source="term_dates", kind=kind), 0, most,
               "the days from one date to the other are {value:.0f} ({what})", DATES)
      for kind, most in (("term", 130), ("closed", 80))),
    Relation("term_spans", "term_dates", lambda a: m.days(a, "term_dates", ""), -INF, 900,
             "dates are {value:.0f} days after the newest crime ({what})", DATES),
    Relation("term_halves", "term_dates", m.find_half_terms, 0, 15,
             "a term has {value:.0f} weeks without a closed day ({what})", "add its half term"),
    Relation("term_past", "term_dates", lambda a: (
             [(pd.Timestamp(a.months[-1]) - a["term_dates"]["to"].max()).days], [""]), -INF, 31,
             "all terms end before the newest crime", "add the present school year"),
    Relation("officer_twice", "officers", lambda a: (a["officers"]["officer"].str.casefold()
             .str.replace(r"[\W_]+", "", regex=True).duplicated(), a["officers"]["officer"]),
             0, 0, "{what} is there before in another spelling", COPY, STOP),
    Relation("officer_patrols", "officers", m.find_many_patrols, 0, 1.2,
             "{what} has {value:.1f} times the patrols a week that the hours hold",
             "correct max_patrols_per_week or the hours"),
    Relation("duty_hours", "duties", lambda a: (a["duties"]["from_minutes"].between(1, 419),
             (a["duties"], "officer", "kind", "date")), 0, 0,
             "a duty begins at night, as on a 12-hour clock ({what})", "write 14:00 for 2 pm"),
    Relation("duty_far", "duties", lambda a: (a["duties"].distance(a.limits) / 1000,
             (a["duties"], "officer", "kind", "date")), 0, 60,
             "a duty is {value:,.0f} km from the area ({what})", "correct its coordinates"),
    Relation("duty_twice", "duties", lambda a: (pd.DataFrame(a["duties"]).duplicated(
             ["officer", "date", "from_minutes", "to_minutes"]),
             (a["duties"], "officer", "kind", "date")), 0, 0,
             "a duty is there twice ({what})", COPY),
    Relation("duty_calendars", "duties", lambda a: m.find_left_out(a, "duties", LEFT_OUT_EVENTS),
             0, 0, "events are left out, so the officer counts as free: {value:.0f} {what}",
             "correct them in their calendar, and export that again"),
    Relation("tasked_conflict", "tasked_places", partial(m.find_tasked_pairs, differ=True), 30, INF,
             "one place is both to visit and barred on the same days ({what})",
             "correct one of them", STOP),
    Relation("tasked_twice", "tasked_places", partial(m.find_tasked_pairs, differ=False), 30, INF,
             "one place is there twice for the same days ({what})", COPY),
    Relation("tasked_spans", "tasked_places", partial(m.days, source="tasked_places"), 0, 550,
             "it holds for {value:,.0f} days ({what})", DATES),
    Relation("tasked_spans", "tasked_places", lambda a: m.days(a, "tasked_places", "", "from"),
             -INF, 550,
             "it begins {value:,.0f} days after the newest crime ({what})", DATES),
    Relation("tasked_spans", "tasked_places", lambda a: m.days(a, "tasked_places", ""), -365, INF,
             "it ended {value:,.0f} days after the newest crime ({what})", DATES),
    Relation("designated_drawn", "designated", lambda a: (
             (pd.to_datetime(a["designated"]["drawn"].replace("", None), format="ISO8601")
              - find_newest_plausible_month()).dt.days, (a["designated"], "place_id", "drawn")),
             -INF, 31, "a hotspot was drawn in the future ({what})", "correct 'drawn'"),
    Relation("designated_twice", "designated", m.find_same_ground, 0, 0.5,
             "{value:.0%} of a hotspot is drawn twice ({what})", "keep one of the two"),
    Relation("designated_wide", "designated", lambda a: ([a.measure_street(own) for own in
             find_pieces_of_shapes(a.network, a["designated"].geometry.to_numpy())],
             a["designated"]["place_id"]), 0, 0.33,
             "{what} has {value:.0%} of the area's street", "draw the hotspot, not its district"),
    Relation("designated_minutes", "designated", lambda a: (
             [a["designated"]["minutes"].sum() / (m.measure_hours(a["officers"]).sum() or 7 * DAY)],
             [""]), 0, 1, "they need {value:.1f} times the minutes of all officers in a week",
             "correct 'minutes', which are those of a week"),
    Relation("origin_rolls", "origins", lambda a: m.find_rolls(a, "origins", "roll"), 0.25, 1.3,
             "the pupils of URN {what} are {value:.2g} times its roll", "correct one of the two"),
    Relation("origin_one_area", "origins", m.find_one_origin, 0, 0.8,
             "{value:.0%} of the pupils of URN {what} live in one area", OWN),
    Relation("area_residents", "areas", partial(m.find_people, what="density"), 50, 60_000,
             "there are {value:,.1f} residents per km\u00b2", "write them as numbers of people"),
    Relation("area_residents", "areas", partial(m.find_people, what="none"), 0, 0.1,
             "{value:.0%} of the areas have no residents", "write them as numbers of people"),
    Relation("area_residents", "areas", partial(m.find_people, what="young"), 0.02, 0.4,
             "{value:.0%} of the residents are of school age", "correct aged_5_16"),
    Relation("area_cover", "areas", m.find_uncovered, 0, 0.1,
             "{value:.0%} of the area's street is in none of them", "add the missing polygons"),
    Relation("area_overlaps", "areas", lambda a: (
             [a["areas"].area.sum() / a["areas"].union_all().area], [""]), 0, 1.1,
             "they overlap", "keep each polygon once"),
    Relation("stop_few", "stops", lambda a: ([len(a["stops"]) if a.is_long else INF], [""]), 3, INF,
             "there are only {value:.0f}", "export all stops"),
    Relation("stop_places", "stops", partial(m.top_place, source="stops"), 0, 0.3, AT_ONE, OWN),
    *(Relation(name, source, partial(m.find_same_points, source=source), 0, 0.3,
               "{value:.0%} of its rows are at the place of another", COPY)
      for name, source in (("stop_twice", "stops"), ("place_twice", "places"))),
    Relation("gate_places", "gates", partial(m.top_place, source="gates"), 0, 0.4, AT_ONE, OWN),
    Relation("stop_boardings", "stops", m.find_boardings, 0, 4,
             "boardings of {what} seem to be of different periods, {value:,.0f} times apart",
             "write those of one period for all stops"),
    Relation("place_places", "places", partial(m.top_place, source="places"), 0, 0.3, AT_ONE, OWN),
    Relation("clock_peaks", "clock", lambda a: (a["clock"]["share"], a["clock"]), 0, 0.4,
             "{value:.0%} of the day is in one half-hour ({what})", "write each half-hour's share"),
    Relation("street_paths", "streets", m.find_paths, 0.001, 1,
             "there is no path for walking, as in a network for driving",
             "export the streets for walking"),
    Relation("street_names", "streets", lambda a: m.find_street_names(a) if a.is_long else NOTHING,
             -INF, 0.5, "nearly all streets have the same name or none ({what})", OWN),
    Relation("patrol_speed", "settings", lambda a: ([a.settings.patrol.walking_speed_kmh], [""]),
             2, 7, "[patrol] walking_speed_kmh = {value:g} is no walk", "correct it"),
    Relation("patrol_radius", "settings", lambda a: ([a.settings.patrol.radius_metres], [""]),
             150, 10_000, "[patrol] radius_metres = {value:g} is no walk", "correct it"),
    Relation("patrol_dwell", "settings", lambda a: (
             [a.settings.patrol.dwell_minutes / a.settings.patrol.window_minutes], [""]),
             0, 1, "[patrol] dwell_minutes is longer than the window", "correct it"),
    Relation("no_harm", "settings", lambda a: ([max(
             (a.settings.risk.harm.get(name, 1) for name in a.settings.crimes.risk_categories),
             default=1)], [""]), 0.000_001, INF,
             "[risk] harm is 0 for every category that counts", "give one a harm above 0", STOP),
)
"""Every check of the tables together, in the order in which they are reported."""
# fmt: on


def check_relations(a: Loaded) -> None:
    """Every row of `RELATIONS` whose tables are there: findings stop the command or are noted.

    Of crime under a threshold nothing is said, since its words would be of single rows.
    """
    hidden = "crimes" if a.settings.privacy.min_crime_count > 1 else ""
    for one in RELATIONS:
        table = a.tables.get(one.source)
        is_empty = isinstance(table, pd.DataFrame) and table.empty
        if one.source == hidden or is_empty or (table is None and one.source in a.tables):
            continue
        values, of = one.measure(a)
        values = np.asarray(values, dtype=float)
        with np.errstate(invalid="ignore"):
            outside = np.maximum(values - one.high, one.low - values)
        if (outside > 0).any():
            worst = int(np.nanargmax(outside))
            if isinstance(of, tuple) and isinstance(of[0], pd.DataFrame):
                of = of[0][[*of[1:]]]
            row = of.iloc[worst] if hasattr(of, "iloc") else of[worst]
            row = [row] if isinstance(row, str) or not np.iterable(row) else row
            parts = [f"{part:%Y-%m-%d}" if isinstance(part, dt.date) else str(part) for part in row]
            words = one.says.format(value=values[worst], what=", ".join(parts))
            _tell(one.name, one.source, words, one.remedy, a.settings, a.report, stops=one.stops)


def check_names(settings: Settings) -> None:
    """Refuse names under [accept] of which there is no check."""
    names = [*CHECKS, *dict.fromkeys(one.name for one in RELATIONS), OLD]
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
