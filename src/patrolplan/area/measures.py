"""Measures of tables as read, by checks of `relations`: values (NaN: not known), of what."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from patrolplan.area.loading import Loading
from patrolplan.arrays import Bools, Floats, Ints, count_pairs, find_used_numbers
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.timestamps import find_newest_plausible_month
from patrolplan.network import StreetNetwork
from patrolplan.network.network import PATHS
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.settings.models import CrimeSettings
from patrolplan.times import minutes_after_midnight

DAY = 1440
MANY, FEW, SOME = 100, 20, 4  # Fewer crimes, groups of them, or other rows may be odd by chance
HALF, LONG = 0.5, 10_000  # Metres of street that have names, footways and several stops
HARDLY = 0.1  # Months with a smaller share of the usual crimes count as missing elsewhere
OFTEN = 0.3  # A category that is in fewer of the months has no usual count
MOVES = np.array([(0, 0), (60, 0), (-60, 0), (0, 60), (0, -60)])  # metres
MULTIPLES = np.arange(30)[:, None] % (2, 3, 5) == 0  # A size by its remainder of 30
PHASE_AGES = {"Primary": (0, 7, 5, 13), "Secondary": (9, 14, 13, 19), "Nursery": (0, 5, 2, 7)}
"""Lowest and highest low age, and lowest and highest high age, of schools of a phase."""

# Words of the reasons for which events of a calendar are left out by a mistake in it.
LEFT_OUT_EVENTS = "whole calendar|on their own day|for whole days"

Measured = Iterator[tuple[Any, ...]]  # A check, its values, and what they are of (one has none)
Share = tuple[ArrayLike, Sequence[Any]]


def _list_rows(a: Loading) -> SimpleNamespace:
    """The (i,) crimes: numbers of months, categories, files and places; IDs; minutes."""
    # `alike`: by decimals of the degrees, or None, the number of those alike but for ID and time.
    crimes, own, at = a["crimes"], a.placed.incidents, a.placed.rows
    month, firsts = pd.factorize(own["month"].to_numpy(), sort=True)
    category, time = own["category"].cat, own["occurred_at"].to_numpy("M8[m]").astype(int)
    if not ((time > 0).sum() >= MANY and (time[time > 0] % DAY).any()):
        time[:] = -1
    used, place = find_used_numbers(crimes.place_index[at], len(crimes.places))
    codes = category.codes.to_numpy().astype(np.int64)
    degrees = np.array(a.network.projection.to_degrees(*crimes.places[used].T))
    alike: dict[int | None, Ints] = {None: group_rows(month, codes, place)}
    for decimals in (2, 3):
        near = np.round(degrees * 10.0**decimals).astype(np.int64)
        near = group_rows(*(near - near.min(axis=1, keepdims=True)))
        alike[decimals] = group_rows(month, codes, near[place])
    rows = SimpleNamespace(month=month, category=codes, place=place, alike=alike)
    rows.months = [f"{one:%Y-%m}" for one in pd.DatetimeIndex(firsts)]
    rows.categories, rows.xy = list(category.categories), crimes.places[used]
    rows.file, rows.ids, rows.time = crimes.file_index[at], crimes.ids[at], time
    return rows


def group_rows(*columns: Ints) -> Ints:
    """(n,) number of each row's combination of whole numbers, in the order of their first row."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    return np.asarray(pd.factorize(key)[0], dtype=np.int64)


def _is_first(group: Ints) -> Bools:
    """(n,) whether each row is the first one of its group, see `group_rows`."""
    return np.diff(np.maximum.accumulate(group), prepend=-1) > 0


def _share(which: ArrayLike, part: Ints, names: Sequence[Any], least: int = FEW) -> Share:
    """The share of some rows, or their mean weight, in each part with at least so many."""
    total = np.bincount(part, minlength=len(names))
    sums = np.bincount(part, np.asarray(which, dtype=float), len(names))
    return sums / np.where(total >= least, total, np.nan), names


def _top(values: ArrayLike, least: int = SOME) -> Share:
    """The share of the most frequent value, and this value, which at least three rows have."""
    code, names = pd.factorize(np.asarray(values))
    counts = np.bincount(code[code >= 0], minlength=1)
    is_rule = counts.sum() >= least and counts.max() > 2  # noqa: PLR2004 - a pair is no rule
    return (counts.max() / counts.sum(), [names[counts.argmax()]]) if is_rule else (0.0, [""])


def _measure_points(a: Loading, source: str, name: str) -> Measured:
    # How many are at one point, to the metre, and at the place of another; of few, two may be.
    points = shapely.get_coordinates(a[source].geometry.array).round() @ (1, 1j)
    yield f"{name}_places", *_top(points)
    if len(points) >= FEW and source in {"stops", "places"}:
        yield f"{name}_twice", 1 - len(np.unique(points)) / len(points)


def _read_minutes(times: Iterable[str]) -> Floats:
    """Minutes after midnight of each HH:MM; NaN where it is empty."""
    return np.array([minutes_after_midnight(one) if one else np.nan for one in times], dtype=float)


def _measure_street(network: StreetNetwork, which: Bools | Ints) -> float:
    """The share of the street's length in some pieces."""
    return float(network.piece_metres[which].sum() / network.metres)


def _measure_crimes(a: Loading) -> Measured:
    rows = _list_rows(a)
    for measure in (_measure_copies, _measure_months, _measure_times, _measure_spread):
        yield from measure(a, rows)


def _measure_copies(a: Loading, rows: SimpleNamespace) -> Measured:
    # Crimes that equal others: with the same ID, with none, in other files, by month.
    has_id, is_timed, files = rows.ids > 0, rows.time >= 0, a["crimes"].files
    group, near = rows.alike[None], rows.alike[3]
    again = ~_is_first(group_rows(pd.factorize(rows.ids[has_id])[0], group[has_id]))
    yield "crime_rows_again", *_share(again, rows.category[has_id], rows.categories)
    size, beside = np.bincount(group), np.bincount(group[has_id], minlength=len(group))
    yield "crime_rows_without_id", *_share(~has_id & (beside[group] > 0), rows.month, rows.months)
    shape = (len(rows.months), len(rows.categories), 30)
    for decimals, name in ((None, "rows"), (3, "near"), (2, "places")):
        sizes, first = np.bincount(rows.alike[decimals]), _is_first(rows.alike[decimals])
        cell = np.ravel_multi_index((rows.month[first], rows.category[first], sizes % 30), shape)
        number = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)
        number = np.vstack([number.sum((0, 1)), number.sum(1), number.sum(0)])
        total = number.sum(axis=1)
        shares = (number @ MULTIPLES).max(axis=1) / np.where(total >= FEW, total, np.nan)
        yield f"crime_{name}_doubled", shares, ["all", *rows.months, *rows.categories]
    again = ~_is_first(group_rows(rows.time[is_timed], group[is_timed]))
    yield "crime_rows_equal", *_share(again, np.zeros(len(again), dtype=int), [""])
    single: Any = pd.Series(_share(1 / size[group], rows.month, rows.months, MANY)[0], dtype=float)
    yield "crime_months_equal", single.median() - single, rows.months
    is_one = len(rows.months) == 1 and len(group) > MANY
    yield "crime_one_month", np.mean(size[group] > 1) * is_one
    pair = group_rows(near, rows.file)
    first, own = _is_first(pair), np.bincount(pair)
    shared = np.minimum(own, np.bincount(near)[near[first]] - own)
    total = np.maximum(np.bincount(rows.file, minlength=len(files)), FEW)
    yield "crime_files_alike", np.bincount(rows.file[first], shared, len(files)) / total, files


def _measure_months(a: Loading, rows: SimpleNamespace) -> Measured:
    # Crimes of each month, and of each category in each month, against the usual month.
    counts = count_pairs(rows.category, rows.month, (len(rows.categories), len(rows.months)))
    usual = np.median(counts.sum(axis=0))
    is_held = counts.sum(axis=0) > HARDLY * usual
    counts, months = counts[:, is_held], np.array(rows.months)[is_held].tolist()
    ratio = counts.sum(axis=0) / usual
    for end in (0, -1):  # They may be cut.
        ratio[end] = 1.0 if OFTEN <= ratio[end] <= 1 else ratio[end]
    if usual >= MANY / 2 and len(ratio) > SOME:
        yield "crime_months", ratio, months
    typical = [[np.median(one[one > 0]) if (one > 0).mean() > OFTEN else 0] for one in counts]
    is_low, number = counts <= HARDLY * np.array(typical), np.arange(len(ratio))
    run = number - np.maximum.accumulate(np.where(is_low, -1, number), axis=1)
    more = np.maximum(0, counts - 3 * np.maximum(typical, 10))
    values = np.where(is_low, -run * typical, more).ravel()
    yield "crime_category_months", values, list(product(rows.categories, months))
    named = pd.Series(a["crimes"].files).str.extract(r"^(20\d\d-[01]\d)\D")[0]
    own = pd.Index(rows.months).get_indexer(pd.Index(named))[rows.file]
    is_other = named.notna().to_numpy()[rows.file] & (own != rows.month)
    yield "crime_file_months", *_share(is_other, rows.file, a["crimes"].files)


def _measure_times(_: Loading, rows: SimpleNamespace) -> Measured:
    # How concentrated the times of crimes are, if any has more than its day.
    times = rows.time[rows.time >= 0]
    if len(times):
        yield "crime_time", *_top(times % DAY, MANY)
        hours = np.bincount(times % DAY // 60, minlength=24)
        total = np.cumsum([0, *hours, *hours])
        spans = np.array([(total[n : n + 24] - total[:24]).max() for n in range(1, 25)])
        yield "crime_hours", 1.0 + int(np.argmax(spans >= 0.97 * len(times)))
        day = times.astype("M8[m]").astype("M8[D]")
        share, (after,) = _top((day - day.astype("M8[M]")).astype(int), MANY)
        yield "crime_day", share, [f"{after} days"]


def _measure_spread(a: Loading, rows: SimpleNamespace) -> Measured:
    # Where crimes are: at one point, in a part of the area, beside the streets; of what kind.
    crimes = a["crimes"]
    yield "crime_place", *_top(crimes.place_index, MANY)
    yield "crime_area_place", *_top(rows.place, MANY)
    share, (kind,) = _top(rows.category, MANY)
    yield "crime_category", share, [rows.categories[kind] if share else ""]
    across = min(8, int(np.sqrt(len(rows.place) / 25)))
    if across > 1:
        low, high = np.reshape(a.network.bounds, (2, 2))
        street, crime = (
            np.clip((place - low) / (high - low) * across, 0, across - 1).astype(int) @ (across, 1)
            for place in (a.network.piece_middle, rows.xy[rows.place])
        )
        is_empty = np.bincount(crime, minlength=across**2 + 1)[street] == 0
        yield "crime_part", _measure_street(a.network, is_empty)
    # Points that lie as far from a street as others 60 m away were shifted, unless far from all.
    xy = rows.xy[:: 1 + len(rows.xy) // 50]
    metres = a.network.snap((xy[None] + MOVES[:, None]).reshape(-1, 2)).moved_metres
    own, other = np.median(metres[: len(xy)]), np.median(metres[len(xy) :])
    yield "crime_shift", own * (len(xy) >= FEW and 0.6 * other < own < MOVES.max() * 0.75)
    known = crimes.forces | {*CrimeSettings().leave_out_forces}
    absent = [name for name in a.settings.crimes.leave_out_forces if name not in known]
    yield "crime_forces", np.ones(len(absent)), absent


def _measure_schools(a: Loading) -> Measured:
    table, schools = a["schools"], a.schools
    yield from _measure_points(a, "schools", "school")
    yield "school_filled", *_top(table["roll"])
    yield "school_capacities", *_top(table["capacity"])
    full = (schools["roll"] / schools["capacity"]).to_numpy()
    known, usual = full[np.isfinite(full)], []
    if len(known) >= SOME:  # what all have counts more strictly; 2 % of London's schools are odd
        odd = np.mean((known < 0.4) | (known > 1.5))  # noqa: PLR2004
        usual = [np.median(known) ** 3, 1 + 5 * odd]
    yield "school_rolls", [*full, *usual], [*schools["urn"], "usual", "many"]
    low, high = (schools[name].to_numpy() for name in ("low_age", "high_age"))
    yield "school_years", schools["roll"] / (high - low + 1), schools, "urn"
    limits = np.array([PHASE_AGES.get(one, (0, 25, 0, 25)) for one in schools["phase"]])
    ages = np.column_stack([low, low, high, high])
    is_off = ((ages - limits.reshape(-1, 4)) * (-1, 1, -1, 1) > 0).any(axis=1)
    yield "school_ages", is_off, schools, "name", "phase", "low_age", "high_age"


def _measure_bells(a: Loading) -> Measured:
    bells = a["bell_times"]
    first, last = (
        pd.Series(_read_minutes(bells[f"{one}_time"])) / 60 for one in ("start", "finish")
    )
    yield "bell_hours", last - first, bells.index
    far = [*(first - first.median()), *(last - last.median())]
    yield "bell_far", far, [*bells.index, *bells.index]


def _days(a: Loading, table: pd.DataFrame, since: str, until: str) -> tuple[Any, ...]:
    """Days between two columns of a table; one without a name is the newest month of crime."""
    newest = np.datetime64(a.placed.incidents["month"].max(), "D")
    first, last = (table[one].to_numpy("M8[D]") if one else newest for one in (since, until))
    days = np.asarray(last - first, dtype="m8[D]").astype(float)
    return days, table, table.columns[0], "from", "to"


def _measure_terms(a: Loading) -> Measured:
    dates = a["term_dates"].sort_values("from")
    for kind in ("term", "closed"):
        yield f"{kind}_spans", *_days(a, dates[dates["kind"] == kind], "from", "to")
    yield "term_after", *_days(a, dates, "", "to")
    yield "term_past", np.min(_days(a, dates, "to", "")[0])
    closed, weeks = defaultdict(list), []
    days = (dates[name].to_numpy("M8[D]").astype(int).tolist() for name in ("from", "to"))
    rows = list(zip(dates["kind"], dates["urn"], *days, strict=True))
    for kind, urn, *pair in rows:
        closed[urn if kind == "closed" else ""].append(pair)
    for kind, urn, first, last in rows:
        near = [*closed["*"], *(closed[urn] if urn != "*" else [])] if kind == "term" else []
        inside = sorted(
            day for pair in near if pair[0] <= last and pair[1] >= first for day in pair
        )
        weeks.append(max(np.diff([first, *inside, last])[::2]) / 7 if kind == "term" else 0)
    yield "term_halves", weeks, dates, "kind", "urn", "from", "to"


def _measure_hours(officers: pd.DataFrame) -> Floats:
    """(o, 5) minutes of each day's hours."""
    hours = officers[list(WEEKDAYS)].to_numpy(dtype=object).ravel()
    first, last = (_read_minutes(one[part] for one in hours) for part in (slice(5), slice(6, None)))
    return np.nan_to_num(last - first).reshape(-1, len(WEEKDAYS))


def _measure_officers(a: Loading) -> Measured:
    officers, minutes, patrol = a["officers"], _measure_hours(a["officers"]), a.settings.patrol
    names = [re.sub(r"[\W_]+", "", name.casefold()) for name in officers["officer"]]
    yield "officer_twice", pd.Series(names).duplicated(), officers, "officer"
    each = np.minimum(minutes // patrol.window_minutes + 1, len(a.settings.week.windows))
    most = np.where(minutes > 0, each, 0).sum(axis=1)
    most = np.where(minutes.max(axis=1) > DAY / 2, 1, np.where(most > 0, most, np.nan))
    yield "officer_patrols", officers["max_patrols_per_week"].to_numpy() / most, officers, "officer"


def _measure_duties(a: Loading) -> Measured:
    duties, names = a["duties"], ("officer", "kind", "date")
    yield "duty_hours", duties["from_minutes"].between(1, 419), duties, *names
    yield "duty_far", duties.distance(a.limits) / 1000, duties, *names
    same = ["officer", "date", "from_minutes", "to_minutes"]
    yield "duty_twice", duties.duplicated(same), duties, *names
    rows = [row for row in a.left_out.rows if row.source == "duties"]
    lost = {row.reason: row.count for row in rows if re.search(LEFT_OUT_EVENTS, row.reason)}
    yield "duty_calendars", list(lost.values()), list(lost)


def _measure_tasked(a: Loading) -> Measured:
    places = a["tasked_places"]
    columns = ("place_id", "geometry", "must_visit", "from", "to", "schools")
    rows = zip(*(places[name] for name in columns), strict=True)
    metres: dict[str, dict[Any, float]] = {"tasked_conflict": {}, "tasked_twice": {}}
    for one, other in combinations(rows, 2):
        is_both = "*" in (*one[5], *other[5]) or bool({*one[5]} & {*other[5]})
        if is_both and one[3] <= other[4] and other[3] <= one[4]:
            name = "tasked_twice" if one[2] == other[2] else "tasked_conflict"
            metres[name][one[0], other[0]] = one[1].distance(other[1])
    for name, found in metres.items():
        yield name, list(found.values()), list(found)
    yield "tasked_spans", *_days(a, places, "from", "to")
    yield "tasked_begins", *_days(a, places, "", "from")
    yield "tasked_over", *_days(a, places, "", "to")


def _measure_designated(a: Loading) -> Measured:
    table, shapes = a["designated"], a["designated"].geometry.to_numpy()
    drawn = pd.to_datetime(table["drawn"].replace("", None), format="ISO8601")
    days = (drawn - find_newest_plausible_month()).dt.days
    yield "designated_drawn", days, table, "place_id", "drawn"
    pieces = find_pieces_of_shapes(a.network, shapes)
    yield "designated_wide", [_measure_street(a.network, one) for one in pieces], table, "place_id"
    hours = _measure_hours(a["officers"]).sum()
    yield "designated_minutes", table["minutes"].sum() / (hours or 7 * DAY)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.column_stack([one, other])[one < other]
    least = shapely.area(shapes[pairs]).min(axis=1)
    shared = shapely.area(shapely.intersection(*shapes[pairs].T)) / np.where(least, least, np.inf)
    yield "designated_twice", shared, table["place_id"].to_numpy()[pairs]


def _measure_origins(a: Loading) -> Measured:
    pupils = a["origins"].groupby("urn")["pupils"]
    total = pupils.sum()
    rolls = a.schools.set_index("urn")["roll"].reindex(total.index)
    yield "origin_rolls", total / rolls, total.index
    if len(a["areas"]) > SOME:
        yield "origin_one_area", pupils.max() / total.where(total >= MANY), total.index


def _measure_areas(a: Loading) -> Measured:
    areas, people = a["areas"], a["areas"]["residents"]
    if people.notna().any():
        yield "area_residents", people.sum() / areas.area.sum() * 1e6
        yield "area_empty", (people.fillna(0) == 0).mean()
        yield "area_ages", areas["aged_5_16"].sum(min_count=1) / max(1, people.sum())
    tree = shapely.STRtree(shapely.points(a.network.piece_middle))
    covered = tree.query(areas.geometry.array, predicate="covers")[1]
    once = np.unique(covered)
    yield "area_cover", 1 - _measure_street(a.network, once)
    metres = _measure_street(a.network, once) or 1.0
    yield "area_overlaps", _measure_street(a.network, covered) / metres


def _measure_stops(a: Loading) -> Measured:
    # The widest step between boardings of one kind is of different periods.
    stops = a["stops"]
    yield from _measure_points(a, "stops", "stop")
    if a.network.metres > LONG:
        yield "stop_few", len(stops)
    apart = {"all": np.inf if (stops["boardings"] == 0).mean() > HALF else 1}
    for kind, some in stops[stops["boardings"] > 0].groupby("kind")["boardings"]:
        sizes, cut = np.sort(np.log(some)), len(some) // 10  # but for the least and the most
        apart[str(kind)] = np.exp(np.diff(sizes[cut : len(sizes) - cut]).max(initial=0))
    yield "stop_boardings", list(apart.values()), list(apart)


def _measure_streets(a: Loading) -> Measured:
    # Many paths have no name.
    if a.network.metres <= LONG:
        return
    code, names = pd.factorize(a.network.piece_name, use_na_sentinel=False)
    share = np.bincount(code, a.network.piece_metres) / a.network.metres
    yield "street_names", share - [0 if name else 0.45 for name in names], names
    kinds = np.asarray(a.network.piece_highway, dtype=object)
    if (kinds != kinds[0]).any():
        yield "street_paths", _measure_street(a.network, np.isin(kinds, [*PATHS, "pedestrian"]))


def _measure_settings(a: Loading) -> Measured:
    patrol, risk = a.settings.patrol, a.settings.risk
    yield "patrol_speed", patrol.walking_speed_kmh
    yield "patrol_radius", patrol.radius_metres
    yield "patrol_dwell", patrol.dwell_minutes / patrol.window_minutes
    harm = (risk.harm.get(name, 1) for name in a.settings.crimes.risk_categories)
    yield "no_harm", max(harm, default=1)


MEASURES: dict[str, Callable[[Loading], Iterable[tuple[Any, ...]]]] = {
    "crimes": _measure_crimes,
    "schools": _measure_schools,
    "bell_times": _measure_bells,
    "term_dates": _measure_terms,
    "officers": _measure_officers,
    "duties": _measure_duties,
    "tasked_places": _measure_tasked,
    "designated": _measure_designated,
    "origins": _measure_origins,
    "areas": _measure_areas,
    "stops": _measure_stops,
    "places": lambda a: _measure_points(a, "places", "place"),
    "gates": lambda a: _measure_points(a, "gates", "gate"),
    "clock": lambda a: [("clock_peaks", a["clock"]["share"], a["clock"], *a["clock"])],
    "streets": _measure_streets,
    "settings": _measure_settings,
}  # what measures each table, where there is one
