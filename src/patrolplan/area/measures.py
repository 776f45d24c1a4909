"""Measures of tables as read, by checks of `relations`: values (NaN: not known), of what."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations, product
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from patrolplan.area.loading import Loading
from patrolplan.arrays import Bools, Floats, Ints, count_pairs, find_used_numbers
from patrolplan.inputs.crimes import Crimes
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.timestamps import find_newest_plausible_month
from patrolplan.network import StreetNetwork
from patrolplan.network.network import PATHS
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.settings import Settings
from patrolplan.settings.models import CrimeSettings
from patrolplan.times import minutes_after_midnight

DAY = 1440
MANY, FEW, SOME = 100, 20, 4  # Fewer crimes, groups of them, or other rows may be odd by chance
HALF, LONG = 0.5, 10_000  # Metres of street that have names, footways and several stops
HARDLY = 0.1  # Months with a smaller share of the usual crimes count as missing elsewhere
OFTEN = 0.3  # A category that is in fewer of the months has no usual count
MOVES = np.array([(0, 0), (60, 0), (-60, 0), (0, 60), (0, -60)])  # metres
LEFT_OUT_EVENTS = "whole calendar|on their own day|for whole days"  # Of mistakes in a calendar
PHASE_AGES = {"Primary": (0, 7, 5, 13), "Secondary": (9, 14, 13, 19), "Nursery": (0, 5, 2, 7)}
"""Lowest and highest low age, and lowest and highest high age, of schools of a phase."""

Measured = Iterator[tuple[Any, ...]]  # A check; its value, or values; of what, if not their index
Part = tuple[Any, Sequence[Any]]  # Values, and what they are of


def _share(which: ArrayLike, code: Ints, names: Sequence[Any], least: int = FEW) -> Part:
    """The share of some rows in each part with at least so many; the largest of some columns."""
    columns, total = np.atleast_2d(np.asarray(which).T), np.bincount(code, minlength=len(names))
    most = np.max([np.bincount(code, column, len(names)) for column in columns], axis=0)
    return most / np.where(total >= least, total, np.nan), names


def _top(values: ArrayLike, least: int = SOME) -> Part:
    """The share of the most frequent value, if at least three rows have it."""
    code, names = pd.factorize(np.asarray(values))
    counts = np.bincount(code[code >= 0], minlength=1)
    is_rule = counts.sum() >= least and counts.max() > 2  # noqa: PLR2004 - a pair is no rule
    return (counts.max() / counts.sum(), [names[counts.argmax()]]) if is_rule else (0.0, [""])


def _measure_points(name: str, table: gpd.GeoDataFrame) -> Measured:
    # How many are at one point, to the metre, and at the place of another; of few, two may be.
    points = shapely.get_coordinates(table.geometry.array).round() @ (1, 1j)
    yield f"{name}_places", *_top(points)
    if len(points) >= FEW and name in {"stop", "place"}:
        yield f"{name}_twice", 1 - len(np.unique(points)) / len(points)


def _measure_street(network: StreetNetwork, which: Bools | Ints) -> float:
    """The share of the street's length in some pieces."""
    return float(network.piece_metres[which].sum() / network.metres)


def _measure_crimes(a: Loading, crimes: Crimes) -> Measured:
    # `alike` numbers crimes of one month, category and place, which is the same one or the same to
    # 3 or 2 decimals: those alike but for ID and time. Parts are numbers of rows, and their names.
    own, at = a.placed.incidents, a.placed.rows
    month, months = pd.factorize(own["month"].to_numpy(), sort=True)
    time, kind = own["occurred_at"].to_numpy("M8[m]").astype(int), own["category"].cat
    if not ((time > 0).sum() >= MANY and (time[time > 0] % DAY).any()):
        time[:] = -1
    used, place = find_used_numbers(crimes.place_index[at], len(crimes.places))
    rows = SimpleNamespace(time=time, place=place, id=crimes.ids[at], xy=crimes.places[used])
    rows.file, rows.all = (crimes.file_index[at], crimes.files), (month * 0, ["all"])
    rows.month = month, [f"{one:%Y-%m}" for one in pd.DatetimeIndex(months)]
    rows.category = kind.codes.to_numpy().astype(np.int64), list(kind.categories)
    cell = month * len(kind.categories) + rows.category[0]
    degrees = np.array([1, 1j]) @ a.network.projection.to_degrees(*rows.xy.T)
    points = {"rows": used, "near": np.round(degrees, 3), "places": np.round(degrees, 2)}
    rows.alike = {
        name: pd.factorize(cell * len(used) + pd.factorize(values)[0][place])[0]
        for name, values in points.items()
    }
    for measure in (_measure_copies, _measure_months, _measure_spread):
        yield from measure(a, rows)


def _measure_copies(_: Loading, rows: SimpleNamespace) -> Measured:
    # Crimes that equal others: with the same ID, with none, in other files, by month.
    group, near = map(rows.alike.get, ("rows", "near"))
    (file, files), count = rows.file, len(rows.id)
    is_named, is_timed, (kind, kinds) = rows.id > 0, rows.time >= 0, rows.category
    again = pd.Series(pd.factorize(rows.id[is_named])[0] * count + group[is_named]).duplicated()
    yield "crime_rows_again", *_share(again, kind[is_named], kinds)
    is_beside = ~is_named & (np.bincount(group[is_named], minlength=count)[group] > 0)
    yield "crime_rows_without_id", *_share(is_beside, *rows.month)
    for name, alike in rows.alike.items():
        is_first = np.diff(np.maximum.accumulate(alike), prepend=-1) > 0
        sizes, parts = np.bincount(alike)[:, None], (rows.all, rows.month, rows.category)
        shares = [_share(sizes % (2, 3, 5) == 0, code[is_first], of) for code, of in parts]
        values, names = zip(*shares, strict=True)
        key = "crime_rows_doubled" + "__places" * (name == "places")
        yield key, np.concatenate(values), [*chain(*names)]
    again = pd.Series(rows.time[is_timed] * count + group[is_timed]).duplicated()
    yield "crime_rows_equal", again.mean()
    sizes = np.bincount(group)[group]
    month, months = rows.month
    single: Any = pd.Series(_share(1 / sizes, month, months, MANY)[0], months)
    yield "crime_months_equal", single.median() - single
    yield "crime_one_month", np.mean(sizes > 1) * (len(months) == 1 and count > MANY)
    code, pair = pd.factorize(near * len(files) + file)
    (place, of_file), own = np.divmod(pair, len(files)), np.bincount(code)
    shared = np.bincount(of_file, np.minimum(own, np.bincount(near)[place] - own), len(files))
    total = np.maximum(np.bincount(file, minlength=len(files)), FEW)
    yield "crime_files_alike", shared / total, files


def _measure_months(_: Loading, rows: SimpleNamespace) -> Measured:
    # Crimes of each month, and of each category in each month, against the usual month.
    (kind, kinds), (month, names), (file, files) = rows.category, rows.month, rows.file
    counts = count_pairs(kind, month, (len(kinds), len(names)))
    usual = np.median(counts.sum(axis=0))
    is_held = counts.sum(axis=0) > HARDLY * usual
    counts, months = counts[:, is_held], np.array(names)[is_held].tolist()
    ratio, number = counts.sum(axis=0) / usual, np.arange(len(months))
    for end in (0, -1):  # They may be cut.
        ratio[end] = 1.0 if OFTEN <= ratio[end] <= 1 else ratio[end]
    if usual >= MANY / 2 and len(ratio) > SOME:
        yield "crime_months", ratio, months
    typical = [[np.median(one[one > 0]) if (one > 0).mean() > OFTEN else 0] for one in counts]
    is_low = counts <= HARDLY * np.array(typical)
    run = number - np.maximum.accumulate(np.where(is_low, -1, number), axis=1)
    more = np.maximum(0, counts - 3 * np.maximum(typical, 10))
    values = np.where(is_low, -run * typical, more).ravel()
    yield "crime_category_months", values, list(product(kinds, months))
    named = pd.Series(files).str.extract(r"^(20\d\d-[01]\d)\D")[0]
    own = pd.Index(names).get_indexer(pd.Index(named))
    is_other = named.notna().to_numpy()[file] & (own[file] != month)
    yield "crime_file_months", *_share(is_other, file, files)


def _measure_spread(a: Loading, rows: SimpleNamespace) -> Measured:
    # How concentrated times (if any has more than its day), places and categories are.
    crimes, times = a.tables.crimes, rows.time[rows.time >= 0]
    if len(times):
        yield "crime_time", *_top(times % DAY, MANY)
        hours = np.tile(np.bincount(times % DAY // 60, minlength=24), 2)
        most = [np.convolve(hours, np.ones(n), "valid").max() for n in range(1, 24)]
        yield "crime_hours", 1 + np.sum(np.array(most) < 0.97 * len(times))
        share, (day,) = _top(pd.DatetimeIndex(times.astype("M8[m]")).day - 1, MANY)
        yield "crime_day", share, [f"{day} days"]
    yield "crime_place", *_top(crimes.place_index, MANY)
    yield "crime_place__area", *_top(rows.place, MANY)
    share, (kind,) = _top(rows.category[0], MANY)
    yield "crime_category", share, [rows.category[1][kind] if share else ""]
    across = min(8, int(np.sqrt(len(rows.id) / 25)))
    low, high = np.reshape(a.network.bounds, (2, 2))
    parts = [
        np.clip((place - low) / (high - low) * across, 0, across - 1) // 1 @ (across, 1)
        for place in (a.network.piece_middle, rows.xy)
    ]
    yield "crime_part", _measure_street(a.network, ~np.isin(*parts))
    # Points that lie as far from a street as others 60 m away were shifted, unless far from all.
    xy = rows.xy[:: 1 + len(rows.xy) // 50]
    metres = a.network.snap((xy[None] + MOVES[:, None]).reshape(-1, 2)).moved_metres
    own, other = np.median(metres[: len(xy)]), np.median(metres[len(xy) :])
    yield "crime_shift", own * (len(xy) >= FEW and 0.6 * other < own < MOVES.max() * 0.75)
    known = crimes.forces | {*CrimeSettings().leave_out_forces}
    absent = [name for name in a.settings.crimes.leave_out_forces if name not in known]
    yield "crime_forces", np.ones(len(absent)), absent


def _measure_schools(a: Loading, table: gpd.GeoDataFrame) -> Measured:
    schools = a.schools.set_index("urn")
    yield from _measure_points("school", table)
    yield "school_filled", *_top(table["roll"])
    yield "school_filled__capacities", *_top(table["capacity"])
    full = schools["roll"] / schools["capacity"]
    known, usual = full[np.isfinite(full)], {}
    if len(known) >= SOME:  # what all have counts more strictly; 2 % of London's schools are odd
        odd = np.mean((known < 0.4) | (known > 1.5))  # noqa: PLR2004
        usual = {"usual": known.median() ** 3, "many": 1 + 5 * odd}
    yield "school_rolls", pd.concat([full, pd.Series(usual, dtype=float)])
    ages = schools[["low_age", "low_age", "high_age", "high_age"]].to_numpy()
    yield "school_rolls__years", schools["roll"] / (ages[:, 2] - ages[:, 0] + 1)
    limits = np.array([PHASE_AGES.get(one, (0, 25, 0, 25)) for one in schools["phase"]])
    is_off = ((ages - limits.reshape(-1, 4)) * (-1, 1, -1, 1) > 0).any(axis=1)
    yield "school_ages", is_off, schools[["name", "phase", "low_age", "high_age"]]


def _measure_bells(_: Loading, bells: pd.DataFrame) -> Measured:
    first, last = (
        bells[name].map(lambda one: minutes_after_midnight(one) / 60 if one else np.nan)
        for name in ("start_time", "finish_time")
    )
    yield "bell_hours", last - first
    yield "bell_far", pd.concat([first - first.median(), last - last.median()])


def _measure_terms(a: Loading, table: pd.DataFrame) -> Measured:
    dates = table.sort_values("from")[["kind", "urn", "from", "to"]]
    is_term, newest = dates["kind"] == "term", a.placed.incidents["month"].max()
    names, days = dates.drop(columns="kind"), (dates["to"] - dates["from"]).dt.days
    yield "term_spans", days[is_term], names[is_term]
    yield "term_spans__closed", days[~is_term], names[~is_term]
    yield "term_spans__after", (dates["to"] - newest).dt.days, names
    yield "term_past", (newest - dates["to"]).dt.days.min()
    ends = np.column_stack([dates[name].to_numpy("M8[D]").astype(int) for name in ("from", "to")])
    pairs = pd.Series(ends.tolist(), dates["urn"])
    closed, weeks = pairs[~is_term.to_numpy()].groupby(level=0).agg(list), []
    for urn, (first, last) in pairs[is_term.to_numpy()].items():
        near = chain(*(closed.get(one, ()) for one in {"*", urn}))
        inside = sorted(chain(*(pair for pair in near if pair[0] <= last and pair[1] >= first)))
        weeks.append(max(np.diff([first, *inside, last])[::2]) / 7)
    yield "term_halves", weeks, dates[is_term]


def _measure_hours(officers: pd.DataFrame) -> Floats:
    """(o, 5) minutes of each day's hours."""
    read = minutes_after_midnight
    hours = officers[list(WEEKDAYS)].map(lambda one: read(one[6:]) - read(one[:5]) if one else 0)
    return hours.to_numpy(dtype=float)


def _measure_officers(a: Loading, officers: pd.DataFrame) -> Measured:
    minutes, patrol, names = _measure_hours(officers), a.settings.patrol, officers[["officer"]]
    simple = names["officer"].map(lambda name: re.sub(r"[\W_]+", "", name.casefold()))
    yield "officer_twice", simple.duplicated(), names
    each = np.minimum(minutes // patrol.window_minutes + 1, len(a.settings.week.windows))
    most = np.where(minutes > 0, each, 0).sum(axis=1)
    most = np.where(minutes.max(axis=1) > DAY / 2, 1, np.where(most > 0, most, np.nan))
    yield "officer_patrols", officers["max_patrols_per_week"] / most, names


def _measure_duties(a: Loading, duties: gpd.GeoDataFrame) -> Measured:
    names, same = duties[["officer", "kind", "date"]], ["officer", "date", "from_minutes"]
    yield "duty_hours", duties["from_minutes"].between(1, 419), names
    yield "duty_far", duties.distance(a.limits) / 1000, names
    yield "duty_twice", duties.duplicated([*same, "to_minutes"]), names
    rows = [row for row in a.left_out.rows if row.source == "duties"]
    lost = {row.reason: row.count for row in rows if re.search(LEFT_OUT_EVENTS, row.reason)}
    yield "duty_calendars", pd.Series(lost, dtype=float)


def _measure_tasked(a: Loading, places: gpd.GeoDataFrame) -> Measured:
    columns = ("place_id", "geometry", "must_visit", "from", "to", "schools")
    rows = zip(*(places[name] for name in columns), strict=True)
    metres: dict[str, dict[Any, float]] = {"tasked_conflict": {}, "tasked_twice": {}}
    for one, other in combinations(rows, 2):
        is_both = "*" in (*one[5], *other[5]) or bool({*one[5]} & {*other[5]})
        if is_both and one[3] <= other[4] and other[3] <= one[4]:
            name = "tasked_twice" if one[2] == other[2] else "tasked_conflict"
            metres[name][one[0], other[0]] = one[1].distance(other[1])
    for name, found in metres.items():
        yield name, pd.Series(found, dtype=float)
    newest, names = a.placed.incidents["month"].max(), places[["place_id", "from", "to"]]
    yield "tasked_spans", (places["to"] - places["from"]).dt.days, names
    yield "tasked_spans__begins", (places["from"] - newest).dt.days, names
    yield "tasked_spans__over", (places["to"] - newest).dt.days, names


def _measure_designated(a: Loading, table: gpd.GeoDataFrame) -> Measured:
    shapes = table.geometry.to_numpy()
    drawn = pd.to_datetime(table["drawn"].replace("", None), format="ISO8601")
    days = (drawn - find_newest_plausible_month()).dt.days
    yield "designated_drawn", days, table[["place_id", "drawn"]]
    pieces = find_pieces_of_shapes(a.network, shapes)
    share = [_measure_street(a.network, one) for one in pieces]
    yield "designated_wide", share, table[["place_id"]]
    hours = _measure_hours(a.tables.officers).sum()
    yield "designated_minutes", table["minutes"].sum() / (hours or 7 * DAY)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.column_stack([one, other])[one < other]
    least = shapely.area(shapes[pairs]).min(axis=1)
    shared = shapely.area(shapely.intersection(*shapes[pairs].T)) / np.where(least, least, np.inf)
    yield "designated_twice", shared, pd.DataFrame(table["place_id"].to_numpy()[pairs])


def _measure_origins(a: Loading, origins: pd.DataFrame) -> Measured:
    pupils = origins.groupby("urn")["pupils"]
    total = pupils.sum()
    yield "origin_rolls", total / a.schools.set_index("urn")["roll"].reindex(total.index)
    if len(a.tables.areas) > SOME:
        yield "origin_one_area", pupils.max() / total.where(total >= MANY)


def _measure_areas(a: Loading, areas: gpd.GeoDataFrame) -> Measured:
    people = areas["residents"]
    if people.notna().any():
        yield "area_residents", people.sum() / areas.area.sum() * 1e6
        yield "area_residents__empty", (people.fillna(0) == 0).mean()
        yield "area_residents__ages", areas["aged_5_16"].sum(min_count=1) / max(1, people.sum())
    tree = shapely.STRtree(shapely.points(a.network.piece_middle))
    covered = tree.query(areas.geometry.array, predicate="covers")[1]
    once = _measure_street(a.network, np.unique(covered))
    yield "area_cover", 1 - once
    yield "area_overlaps", _measure_street(a.network, covered) / (once or 1.0)


def _measure_stops(a: Loading, stops: gpd.GeoDataFrame) -> Measured:
    # The widest step between boardings of one kind is of different periods.
    yield from _measure_points("stop", stops)
    if a.network.metres > LONG:
        yield "stop_few", len(stops)
    apart = {"all": np.inf if (stops["boardings"] == 0).mean() > HALF else 1}
    for kind, some in stops[stops["boardings"] > 0].groupby("kind")["boardings"]:
        sizes, cut = np.sort(np.log(some)), len(some) // 10  # but for the least and the most
        apart[str(kind)] = np.exp(np.diff(sizes[cut : len(sizes) - cut]).max(initial=0))
    yield "stop_boardings", pd.Series(apart)


def _measure_streets(_: Loading, network: StreetNetwork) -> Measured:
    # Many paths have no name.
    if network.metres <= LONG:
        return
    code, names = pd.factorize(network.piece_name, use_na_sentinel=False)
    share = np.bincount(code, network.piece_metres) / network.metres
    yield "street_names", pd.Series(share - [0 if name else 0.45 for name in names], names)
    kinds = np.asarray(network.piece_highway, dtype=object)
    if (kinds != kinds[0]).any():
        yield "street_paths", _measure_street(network, np.isin(kinds, [*PATHS, "pedestrian"]))


def _measure_settings(_: Loading, settings: Settings) -> Measured:
    patrol, risk = settings.patrol, settings.risk
    yield "patrol_speed", patrol.walking_speed_kmh
    yield "patrol_radius", patrol.radius_metres
    yield "patrol_dwell", patrol.dwell_minutes / patrol.window_minutes
    harm = (risk.harm.get(name, 1) for name in settings.crimes.risk_categories)
    yield "no_harm", max(harm, default=1)


MEASURES: dict[str, Callable[[Loading, Any], Iterable[tuple[Any, ...]]]] = {
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
    "places": lambda _, table: _measure_points("place", table),
    "gates": lambda _, table: _measure_points("gate", table),
    "clock": lambda _, table: [("clock_peaks", table["share"], table)],
    "streets": _measure_streets,
    "settings": _measure_settings,
}  # what measures each table, where there is one
