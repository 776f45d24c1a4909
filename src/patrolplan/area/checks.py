"""Plausibility of an area's sources together: places, clocks, categories, hours, reports.

If a declared bound is exceeded, the command stops, unless the check is accepted for a reason.
"""

from collections.abc import Mapping

import numpy as np
import shapely

from patrolplan.area.loading import Loading
from patrolplan.area.missing_months import list_missing_spans
from patrolplan.area.patrol_window import DEFAULT_START_TIME, resolve_window
from patrolplan.area.school_gates import OFF_STREET
from patrolplan.inputs.crime_checks import CategoryCheck, UnknownCategory
from patrolplan.inputs.delimited import MALFORMED
from patrolplan.inputs.schools import LOCAL_URN
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.table_reader import check_resolution, find_coarse
from patrolplan.notes import Note
from patrolplan.plausibility import CheckName, exceeds_bound
from patrolplan.privacy import FACTORS, suppress_and_round
from patrolplan.settings import CATEGORIES, Settings
from patrolplan.text import format_count, list_first, pluralise
from patrolplan.times import format_time, minutes_after_midnight

EARLIEST_BELL, LATEST_BELL = "11:00", "19:00"  # When a school day can end
EARLIEST_OPENING, LATEST_OPENING = "07:00", "10:59"  # When a school day can begin
EARLIEST_PATROL, LATEST_PATROL = "07:00", "19:00"
"""Hours within which a patrol around a school day is, and with which officers' hours overlap."""

FAR_PLACE_METRES = 5_000.0  # Maximum distance from the area of a place for the area's schools
MAX_FAR_GATES = 2  # This many gates may always be far: their schools are left out and named by row
MIN_COARSE_GATES = 4  # Fewer gates than this may have round coordinates by chance
FAR_BASE_METRES = 50_000.0  # Maximum distance of an officer's base from the area
MAX_NO_HOURS_SHARE = 0.5  # Maximum share of officers without hours: some may be away, not most
MAX_REPORT_YEARS, MAX_YEARS_AFTER_CRIME = 3, 2  # Than the newest crimes, published later
MAX_OLD_REPORTS = 0.2  # Maximum share of reports of other years
MAX_REFUSED_REPORTS = 0.1  # Maximum share of refused reports: pupils' returns are untidy
ALLOWED_REPORTS = 20  # This many reports may always be refused; they are counted by reason


DEGREES_FORM = "write decimal degrees with a point, such as -0.1276"
EXPECTED_FORMS = {
    MALFORMED: "put cells that hold a comma in quotes, and export the reports again",
    "without coordinates": DEGREES_FORM,
    "coordinates are zero": DEGREES_FORM,
    "longitude and latitude are swapped": "put longitude and latitude in their own columns",
    "without coordinates that exist": DEGREES_FORM,
    "without a date that exists": "write dates as YYYY-MM-DD, from 2000 on and not in the future",
    **{
        f"unknown {column.replace('_', ' ')}": f"write {' or '.join(names)}, spelled so"
        for column, names in FACTORS.items()
    },
}
"""The valid form, for each reason for which a report is refused."""


def check_unknown_categories(found: CategoryCheck, a: Loading) -> None:
    """Note categories of other spelling, and stop where too many crimes have unknown ones."""
    # If the settings name other categories than the usual ones, the data has its own layout, and
    # some categories are left out on purpose: then only one that begins as a known one ends counts.
    shown_from = a.settings.privacy.min_crime_count
    for written, category, count in found.respelled:
        rows = _format_crimes(count, shown_from)
        text = f"The category '{written}' ({rows} rows) is counted as '{category}'."
        a.notes.append(Note("category_respelled", text))
    is_own_layout = any(name not in CATEGORIES for name in a.settings.crimes.categories)
    suspect = [one for one in found.unknown if one.replaces or not is_own_layout]
    named = [one for one in found.unknown if one.nearest or one in suspect]
    if not named:
        return
    words = list_first([_describe_category(one, shown_from) for one in named])
    count = sum(one.count for one in suspect)
    if exceeds_bound(count, found.total):
        share = f"{_format_crimes(count, shown_from)} of {_format_crimes(found.total, shown_from)}"
        what = f"{share} crimes are of unknown categories: {words}"
        remedy = "correct their names, or name them under [crimes] categories or [risk.harm]"
        a.alarms.add("unknown_categories", "[sources] crimes", what, remedy)
    else:
        text = f"Categories that are not known, and weigh little: {words}."
        fix = f"name these categories under [crimes] categories or [risk.harm]: {words}"
        a.notes.append(Note("categories_unknown", text, fix=fix))


def _format_crimes(count: int, shown_from: int) -> str:
    """A number of crimes as it may be shown, see `[privacy] threshold_for_crime`."""
    shown = int(suppress_and_round(count, shown_from)) if shown_from > 1 else count
    return f"{shown:,}" if shown >= shown_from else f"fewer than {shown_from}"


def _describe_category(one: UnknownCategory, shown_from: int) -> str:
    nearest = f", nearest '{one.nearest}'" if one.nearest else ""
    replaces = f", begins when '{one.replaces}' ends" if one.replaces else ""
    return f"'{one.name}' ({_format_crimes(one.count, shown_from)}{nearest}{replaces})"


def list_own_categories(settings: Settings) -> tuple[str, ...]:
    """Names of categories in the settings."""
    return tuple(dict.fromkeys((*settings.crimes.categories, *settings.risk.harm)))


def check_missing_months(a: Loading) -> None:
    """List the missing months of a force; they are masked, so the command continues."""
    for force, spans in list_missing_spans(a.placed.exposure).items():
        what = f"months of {force or 'the force'} are missing: {list_first(spans)}"
        a.alarms.add("missing_months", "[sources] crimes", what, "add their files")


def check_swapped_crimes(a: Loading) -> None:
    """Notice crimes that would lie in the area if longitude and latitude changed places."""
    crimes, limits, projection = a.tables.crimes, a.limits, a.network.projection
    xy = crimes.places
    outside = ~shapely.contains_xy(limits, xy[:, 0], xy[:, 1])
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    x, y = projection.to_metres(latitude, longitude)
    rows = int((outside & shapely.contains_xy(limits, x, y))[crimes.place_index].sum())
    if exceeds_bound(rows, len(crimes.incidents)):
        what = f"{rows:,} of {len(crimes.incidents):,} crimes would lie in the area if longitude "
        what += "and latitude changed places"
        remedy = "put longitude and latitude in their own columns"
        a.alarms.add("refused_rows", "[sources] crimes", what, remedy)


def check_times(a: Loading) -> None:
    """Check bells, patrol windows and officers' hours: 03:20 is 15:20 on a 12-hour clock."""
    bells, officers, settings = a.tables.bell_times, a.tables.officers, a.settings
    for bell, part, (earliest, latest) in (
        ("start_time", "start", (EARLIEST_OPENING, LATEST_OPENING)),
        ("finish_time", "end", (EARLIEST_BELL, LATEST_BELL)),
    ):
        given = bells[bell][bells[bell] != ""]
        unusual = given[(given < earliest) | (given > latest)]
        what = f"is not a plausible {part} of a school day"
        remedy = f"write the {part} of the school day on the 24-hour clock"
        if len(unusual):
            seen = f"'{unusual.iloc[0]}' (URN {unusual.index[0]}) {what}"
            count = f"{len(unusual):,} of {format_count(len(given), 'bell')}"
            which = f"{seen}; {count} are outside {earliest} to {latest}"
            a.alarms.add("unusual_times", settings.name_file("bell_times"), which, remedy)
    default = f"{settings.patrol.default_finish_time:%H:%M}"
    if not EARLIEST_BELL <= default <= LATEST_BELL:
        what = f"'{default}' is not a plausible end of a school day"
        remedy = "write the end of the school day on the 24-hour clock"
        a.alarms.add("unusual_times", "[patrol] default_finish_time", what, remedy)
    for name in settings.patrol.windows:
        window = resolve_window(settings.patrol, name=name)
        begin = window.compute_start(*map(minutes_after_midnight, (DEFAULT_START_TIME, default)))
        start, end = format_time(max(0.0, begin)), format_time(begin + window.minutes)
        if start < EARLIEST_PATROL or end > LATEST_PATROL:
            what = f"{start} to {end} lies outside {EARLIEST_PATROL} to {LATEST_PATROL}"
            a.alarms.add("unusual_times", f"[patrol.windows.{name}]", what, "correct its times")
    hours = officers.melt("officer", list(WEEKDAYS), var_name="day", value_name="hours")
    ends_early = hours["hours"].str[6:] <= EARLIEST_PATROL
    hours = hours[(hours["hours"] != "") & (ends_early | (hours["hours"].str[:5] >= LATEST_PATROL))]
    if len(hours):
        first = hours.iloc[0]
        what = (
            f"{first['hours']} ({first['officer']}, {first['day']}) lies outside "
            f"{EARLIEST_PATROL} to {LATEST_PATROL}; {len(hours):,} such spans of hours"
        )
        remedy = "write hours on the 24-hour clock"
        a.alarms.add("unusual_times", settings.name_file("officers"), what, remedy)


def check_hours(a: Loading) -> None:
    """Note officers without hours on any day; stop where that is most of them."""
    officers, settings = a.tables.officers, a.settings
    idle = officers["officer"][(officers[list(WEEKDAYS)] == "").all(axis=1)]
    if idle.empty:
        return
    names = list_first(list(idle))
    if len(officers) > 1 and len(idle) > MAX_NO_HOURS_SHARE * len(officers):
        what = f"{len(idle)} of {format_count(len(officers), 'officer')} have no hours: {names}"
        remedy = "write HH:MM-HH:MM under mon to fri"
        a.alarms.add("no_hours", settings.name_file("officers"), what, remedy)
    else:
        text = f"{names} {pluralise(len(idle), 'has', 'have')} no hours on any day, so no patrols."
        fix = f"write hours under mon to fri of {names} in {settings.name_file('officers').name}"
        about = {"officers": list(idle)}
        a.notes.append(Note("officers_without_hours", text, "lead", fix=fix, about=about))


def note_school_rows(a: Loading) -> None:
    """Note which of several sites of a school is used, unused figures, and URNs of our own."""
    schools = a.tables.schools[a.tables.schools["urn"].isin(a.schools["urn"])]
    own = schools[schools["urn"].str.startswith(LOCAL_URN)]
    if len(own):
        named = [f"{name}: {urn}" for urn, name in zip(own["urn"], own["name"], strict=True)]
        text = (
            f"{format_count(len(own), 'school')} without a URN "
            f"{pluralise(len(own), 'has', 'have')} one made of name and place, to use in other "
            f"tables: {list_first(named)}."
        )
        a.notes.append(Note("urns_assigned", text, "lead", about={"urns": [*own["urn"]]}))
    several = schools[schools["other_sites"] != ""]
    for urn, sites in zip(several["urn"], several["other_sites"], strict=True):
        text = f"URN {urn} has several sites in the schools' table: {sites}."
        a.notes.append(Note("school_sites", text, "lead", about={"urns": [urn]}))
    wrong = schools.loc[schools["refused_figures"] != "", ["urn", "name", "refused_figures"]]
    for urn, name, figures in wrong.itertuples(index=False):
        text = (
            f"URN {urn} ({name}): no school has such a figure, so it counts as not known: "
            f"{figures}. Correct it."
        )
        fix = f"correct {figures} of URN {urn} in the table of schools"
        a.notes.append(Note("school_figures_refused", text, "lead", fix=fix, about={"urns": [urn]}))


def check_places(a: Loading) -> None:
    """Check that tasked and barred places, gates and bases are not far from the area."""
    tasked, officers, gates = a.tables.tasked_places, a.tables.officers, a.tables.gates
    settings, limits = a.settings, a.limits
    off_street = {urn for urn, why in a.schools_left_out.items() if why == OFF_STREET}
    planned = off_street.union(a.schools["urn"])
    # A place for schools of other areas may be anywhere. One just outside the area has no effect.
    serves = tasked["schools"].map(lambda urns: bool({"*", *planned} & set(urns))).astype(bool)
    for_area = tasked[serves]
    metres = for_area.distance(limits)
    by_place = dict(zip(for_area["place_id"], metres, strict=True))
    _add_far("tasked_places", by_place, FAR_PLACE_METRES, a)
    near = for_area["place_id"][(metres > 0) & (metres <= FAR_PLACE_METRES)]
    for place, away in zip(near, metres[near.index], strict=True):
        text = (
            f"Tasked place {place} lies {away:,.0f} m outside the area: it has no effect where no "
            "street is near."
        )
        fix = f"correct the place of {place} in {settings.name_file('tasked_places').name}"
        a.notes.append(Note("tasked_place_outside", text, "lead", fix=fix))
    from_area = gates[gates.index.isin(planned)].distance(limits)
    far_gates = from_area[~(from_area <= FAR_PLACE_METRES)]
    if len(far_gates) > max(MAX_FAR_GATES, len(from_area) / 2):
        _add_far("gates", far_gates.to_dict(), FAR_PLACE_METRES, a)
    degrees = gates["value"].str.split(", ", expand=True).reindex(columns=[0, 1])
    coarse = find_coarse(degrees.to_numpy(dtype=float), in_degrees=True)
    check_resolution(
        "gates", settings.name_file("gates"), coarse, a.alarms, min_rows=MIN_COARSE_GATES
    )
    bases = dict(zip(officers["officer"], officers.distance(limits), strict=True))
    _add_far("officers", bases, FAR_BASE_METRES, a)


def _add_far(source: str, metres: Mapping[str, float], bound: float, a: Loading) -> None:
    """An alarm where places are farther from the area than the bound, or nowhere."""
    far = {name: away for name, away in metres.items() if not away <= bound}
    if not far:
        return
    name, away = next(iter(far.items()))
    where = f"{away / 1000:,.0f} km from the area" if np.isfinite(away) else "nowhere near the area"
    more = f", and {len(far) - 1:,} more" if len(far) > 1 else ""
    remedy = "check that longitude and latitude are in their own columns, in decimal degrees"
    a.alarms.add("far_places", a.settings.name_file(source), f"{name} lies {where}{more}", remedy)


def check_reports(a: Loading) -> None:
    """Stop where far more reports are refused than untidiness explains, without showing values."""
    table = a.tables.reports
    if table is None:
        return
    refused = table.refused
    total = int(table.counts.sum()) + table.in_small_squares + sum(refused.values())
    for reason, form in EXPECTED_FORMS.items():
        count = refused.get(reason, 0)
        if count > ALLOWED_REPORTS and exceeds_bound(count, total, MAX_REFUSED_REPORTS):
            what = f"{count:,} of about {total:,} reports are refused: {reason}"
            check: CheckName = "malformed_rows" if reason == MALFORMED else "refused_rows"
            a.alarms.add(check, a.settings.find_files("reports")[0], what, form)
    # Years of the crimes, not today's: old data can be planned with as well.
    total, years = sum(table.by_year.values()), list(table.by_year)
    newest_crime = a.placed.incidents["month"].max()
    first, last = newest_crime.year - MAX_REPORT_YEARS, newest_crime.year + MAX_YEARS_AFTER_CRIME
    other = sum(count for year, count in table.by_year.items() if not first <= year <= last)
    if other > MAX_OLD_REPORTS * total:
        what = (
            f"about {other:,} of {total:,} reports are not of the years {first} to {last}: "
            f"they are of {min(years)} to {max(years)}, and the newest crimes of {newest_crime:%Y}"
        )
        remedy = "correct the dates, or take the old reports out"
        a.alarms.add("report_dates", a.settings.find_files("reports")[0], what, remedy)
