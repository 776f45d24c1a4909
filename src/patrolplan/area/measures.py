"""Measures of an area's tables as they were read, which `patrolplan.area.relations` has bounds for.

Each function gives checks by name, with values by what they are of; NaN: not known.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from patrolplan.area.incidents import PlacedIncidents
from patrolplan.area.load_report import LoadReport
from patrolplan.arrays import Bools, Ints, count_pairs
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.timestamps import find_newest_plausible_month
from patrolplan.network import StreetNetwork
from patrolplan.network.network import PATHS
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.settings import Settings
from patrolplan.settings.models import CrimeSettings

DAY = 1440
MANY, FEW, SOME = 100, 20, 4  # Fewer crimes, groups of them, or other rows may be odd by chance
HALF, LONG = 0.5, 10_000  # Metres of street that have names, footways and several stops
HARDLY = 0.1  # Months with a smaller share of the usual crimes count as missing elsewhere
MOVES = np.array([(0, 0), (60, 0), (-60, 0), (0, 60), (0, -60)])  # metres
PHASE_AGES = {"Primary": (0, 7, 5, 13), "Secondary": (9, 14, 13, 19), "Nursery": (0, 5, 2, 7)}
"""Lowest and highest low age, and lowest and highest high age, of schools of a phase."""

# Words of the reasons for which events of a calendar are left out by a mistake in it.
LEFT_OUT_EVENTS = "whole calendar|on their own day|for whole days"

Values = pd.Series | Mapping[Any, float] | float
Measured = Iterator[tuple[str, Values]]


@dataclass(frozen=True, eq=False)
class Loaded:
    """The tables of an area as they were read; `schools` as they are used."""

    settings: Settings
    placed: PlacedIncidents
    network: StreetNetwork
    limits: shapely.Geometry
    tables: Mapping[str, Any]
    schools: gpd.GeoDataFrame
    report: LoadReport

    def __getitem__(self, source: str) -> Any:  # noqa: ANN401 - a table of its kind
        return self.tables[source]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The crimes of the area: month, category, file, place, ID, minutes since 1970 or -1.

        `alike` with a number of decimals: the number of those alike but for ID and time.
        """
        crimes, own, at = self["crimes"], self.placed.incidents, self.placed.rows
        month, time = pd.Categorical(own["month"]), own["occurred_at"].to_numpy("M8[m]").astype(int)
        is_timed = (time > 0).sum() >= MANY and (time[time > 0] % DAY).any()
        rows = pd.DataFrame(
            {
                "all": pd.Categorical(["all"]).repeat(len(own)),
                "month": month.rename_categories("{:%Y-%m}".format),
                "category": own["category"].array,
                "file": pd.Categorical(crimes.file_index[at], range(len(crimes.files))),
                "place": crimes.place_index[at],
                "id": crimes.ids[at],
                "time": np.where((time > 0) & is_timed, time, -1),
            }
        )
        degrees = np.array(self.network.projection.to_degrees(*crimes.places.T))
        for decimals in (2, 3, 9):
            rounded = np.round(degrees * 10.0**decimals).astype(np.int64)
            near = group_rows(*(rounded - rounded.min(axis=1, keepdims=True)))[rows["place"]]
            key = (month.codes, rows["category"].cat.codes.to_numpy(), near)
            rows[f"alike{decimals}"] = group_rows(*(one.astype(np.int64) for one in key))
        return rows

    def measure_street(self, which: Bools | Ints) -> float:
        """The share of the street's length in some pieces."""
        return float(self.network.piece_metres[which].sum() / self.network.metres)

    def share(
        self, which: ArrayLike, part: str, of: Bools | Ints | None = None, least: int = FEW
    ) -> pd.Series:
        """The share of some crimes, or their mean weight, in each part with at least so many."""
        column = self.rows[part].cat
        codes, size = column.codes.to_numpy(), len(column.categories)
        codes = codes if of is None else codes[of]
        total = np.bincount(codes, minlength=size)
        sums = np.bincount(codes, np.asarray(which, dtype=float), size)
        return pd.Series(sums / np.where(total >= least, total, np.nan), column.categories)


def group_rows(*columns: Ints) -> Ints:
    """(n,) number of each row's combination of whole numbers, in the order of their first row."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    return np.asarray(pd.factorize(key)[0], dtype=np.int64)


def _find_first(group: ArrayLike) -> Ints:
    """(g,) the first row of each group."""
    return np.flatnonzero(~pd.Series(group).duplicated())


def _minutes(times: pd.Series) -> pd.Series:
    """Minutes after midnight of HH:MM; NaN where it is empty."""
    hours, minutes = (pd.to_numeric(times.str[at], "coerce") for at in (slice(2), slice(3, 5)))
    return hours * 60 + minutes


def _name(values: ArrayLike, table: pd.DataFrame, *columns: str) -> pd.Series:
    """Values of a table's rows by some of its columns."""
    rows = list(zip(*(table[name] for name in columns), strict=True))
    of = pd.Index(rows, dtype=object, tupleize_cols=False)
    return pd.Series(np.asarray(values, dtype=float), of)


def _top(values: ArrayLike | pd.DataFrame, least: int = SOME) -> pd.Series:
    """The share of the most frequent value, which at least three rows have."""
    table = values if isinstance(values, pd.DataFrame) else pd.Series(values)
    counts = table.value_counts()
    is_known = counts.sum() >= least and counts.iloc[0] > 2  # noqa: PLR2004 - a pair is no rule
    return counts.iloc[: int(is_known)] / counts.sum()


def _find_points(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """(n, 2) places of a table to the metre."""
    return pd.DataFrame(table.get_coordinates().round())


def measure_copies(a: Loaded) -> Measured:
    """Crimes that equal others: with the same ID, with none, in other files, by month."""
    rows, has_id, is_timed = a.rows, a.rows["id"].to_numpy() > 0, a.rows["time"].to_numpy() >= 0
    group, near, file = (rows[one].to_numpy() for one in ("alike9", "alike3", "file"))
    again = rows.loc[has_id, ["id", "alike9"]].duplicated()
    yield "crime_rows_again", a.share(again, "category", has_id)
    yield "crime_rows_without_id", a.share(~has_id & np.isin(group, group[has_id]), "month")
    for decimals, name in ((9, "rows"), (3, "near"), (2, "places")):
        sizes, first = np.bincount(rows[f"alike{decimals}"]), _find_first(rows[f"alike{decimals}"])
        shares = (
            a.share(sizes % divisor == 0, part, first)
            for divisor, part in product((2, 3, 5), ("all", "month", "category"))
        )
        yield f"crime_{name}_doubled", pd.concat(shares)
    again = rows.loc[is_timed, ["time", "alike9"]].duplicated()
    yield "crime_rows_equal", a.share(again, "all", is_timed)
    single = a.share(1 / np.bincount(group)[group], "month", least=MANY)
    yield "crime_months_equal", single.median() - single
    is_one = len(rows["month"].cat.categories) == 1 and len(rows) > MANY
    yield "crime_one_month", np.mean(np.bincount(group)[group] > 1) * is_one
    pair = group_rows(near, file)
    first, own, files = _find_first(pair), np.bincount(pair), a["crimes"].files
    shared = np.minimum(own, np.bincount(near)[near[first]] - own)
    total = np.maximum(np.bincount(file, minlength=len(files)), FEW)
    alike = np.bincount(file[first], shared, len(files)) / total
    yield "crime_files_alike", pd.Series(alike, files)


def measure_months(a: Loaded) -> Measured:
    """Crimes of each month, and of each category in each month, against the usual month."""
    category, month = (a.rows[one].cat for one in ("category", "month"))
    rows, columns = (one.codes.to_numpy().astype(np.int64) for one in (category, month))
    counted = count_pairs(rows, columns, (len(category.categories), len(month.categories)))
    table = pd.DataFrame(counted, category.categories, month.categories)
    usual = table.sum().median()
    table = table.loc[:, table.sum() > HARDLY * usual]
    ratio = table.sum() / usual
    ends = ratio.iloc[[0, -1]]  # They may be cut.
    ratio.iloc[[0, -1]] = ends.mask(ends.between(0.3, 1), 1.0)
    if usual >= MANY / 2 and len(ratio) > SOME:
        yield "crime_months", ratio
    counts, known = table.to_numpy(), table.where(table > 0)
    typical = np.where(known.notna().mean(axis=1) > 0.3, known.median(axis=1), 0)[:, None]  # noqa: PLR2004
    is_low, number = counts <= HARDLY * typical, np.arange(len(ratio))
    run = number - np.maximum.accumulate(np.where(is_low, -1, number), axis=1)
    more = np.maximum(0, counts - 3 * np.maximum(typical, 10))
    values = np.where(is_low, -run * typical, more).ravel()
    of = pd.MultiIndex.from_product([table.index, table.columns])
    yield "crime_category_months", pd.Series(values, of)
    named = pd.Series(a["crimes"].files).str.extract(r"^(20\d\d-[01]\d)\D")[0]
    of_name, file = month.categories.get_indexer(pd.Index(named)), a.rows["file"].to_numpy()
    is_other = named.notna().to_numpy()[file] & (of_name[file] != columns)
    yield "crime_file_months", a.share(is_other, "file").set_axis(a["crimes"].files)


def measure_times(a: Loaded) -> Measured:
    """How concentrated the times of crimes are, if any has more than its day."""
    times = a.rows["time"].to_numpy()[a.rows["time"] >= 0]
    if len(times):
        yield "crime_time", _top(times % DAY, MANY)
        hours = np.bincount(times % DAY // 60, minlength=24)
        total = np.cumsum([0, *hours, *hours])
        spans = np.array([(total[n : n + 24] - total[:24]).max() for n in range(1, 25)])
        yield "crime_hours", 1.0 + int(np.argmax(spans >= 0.97 * len(times)))
        day = times.astype("M8[m]").astype("M8[D]")
        after = (day - day.astype("M8[M]")).astype(int)
        yield "crime_day", _top(after, MANY).rename(index="{} days".format)


def measure_spread(a: Loaded) -> Measured:
    """Where crimes are: at one point, in a part of the area, beside the streets; of what kind."""
    crimes, place = a["crimes"], a.rows["place"].to_numpy()
    yield "crime_place", _top(crimes.place_index, MANY)
    yield "crime_area_place", _top(place, MANY)
    yield "crime_category", _top(a.rows["category"], MANY)
    across = min(8, int(np.sqrt(len(place) / 25)))
    if across > 1:
        low, high = np.reshape(a.network.bounds, (2, 2))
        street, crime = (
            np.clip((xy - low) / (high - low) * across, 0, across - 1).astype(int) @ (across, 1)
            for xy in (a.network.piece_middle, crimes.places[place])
        )
        is_empty = np.bincount(crime, minlength=across**2 + 1)[street] == 0
        yield "crime_part", a.measure_street(is_empty)
    # Points that lie as far from a street as others 60 m away were shifted, unless far from all.
    numbers = np.unique(place)
    xy = crimes.places[numbers[:: 1 + len(numbers) // 50]]
    metres = a.network.snap((xy[None] + MOVES[:, None]).reshape(-1, 2)).moved_metres
    own, other = np.median(metres[: len(xy)]), np.median(metres[len(xy) :])
    is_shifted = len(xy) >= FEW and 0.6 * other < own < MOVES.max() * 0.75
    yield "crime_shift", own * is_shifted
    known = crimes.forces | {*CrimeSettings().leave_out_forces}
    yield "crime_forces", {name: name not in known for name in a.settings.crimes.leave_out_forces}


def measure_schools(a: Loaded) -> Measured:
    """Places and figures of schools, against each other and their phase."""
    yield "school_places", _top(_find_points(a["schools"]))
    yield "school_filled", _top(a["schools"]["roll"])
    yield "school_capacities", _top(a["schools"]["capacity"])
    schools = pd.DataFrame(a.schools).set_index("urn")
    full = schools["roll"] / schools["capacity"]
    known, usual = full[np.isfinite(full)], {}
    if len(known) >= SOME:  # what all have counts more strictly; 2 % of London's schools are odd
        usual = {"usual": known.median() ** 3, "many": 6 - 5 * known.between(0.4, 1.5).mean()}
    yield "school_rolls", {**full, **usual}
    yield "school_years", schools["roll"] / (schools["high_age"] - schools["low_age"] + 1)
    ages = a.schools[["low_age", "low_age", "high_age", "high_age"]].to_numpy()
    limits = np.array([PHASE_AGES.get(one, (0, 25, 0, 25)) for one in a.schools["phase"]])
    is_off = ((ages - limits.reshape(-1, 4)) * (-1, 1, -1, 1) > 0).any(axis=1)
    yield "school_ages", _name(is_off, a.schools, "name", "phase", "low_age", "high_age")


def measure_bells(a: Loaded) -> Measured:
    """Hours from one bell of a school to the other, and from the usual one to its own."""
    first, last = (_minutes(a["bell_times"][one]) / 60 for one in ("start_time", "finish_time"))
    yield "bell_hours", last - first
    yield "bell_far", pd.concat([first - first.median(), last - last.median()])


def _days(a: Loaded, table: pd.DataFrame, since: str = "from", until: str = "to") -> pd.Series:
    """Days between two columns of a table; one without a name is the newest month of crime."""
    first, last = (
        table[one].to_numpy("M8[D]")
        if one
        else np.datetime64(a.placed.incidents["month"].max(), "D")
        for one in (since, until)
    )
    days = np.asarray(last - first, dtype="m8[D]").astype(float)
    return _name(days, table, table.columns[0], "from", "to")


def measure_terms(a: Loaded) -> Measured:
    """How long terms and holidays are, without half terms, and when they end."""
    dates = a["term_dates"].sort_values("from")
    for kind in ("term", "closed"):
        yield f"{kind}_spans", _days(a, dates[dates["kind"] == kind])
    yield "term_after", _days(a, dates, "")
    yield "term_past", _days(a, dates, "to", "").min()
    rows, weeks = list(zip(*(dates[one] for one in ("kind", "urn", "from", "to")), strict=True)), {}
    for _, urn, first, last in (row for row in rows if row[0] == "term"):
        closed = [row[2:] for row in rows if row[0] == "closed" and row[1] in {"*", urn}]
        inside = [day for days in closed if days[0] <= last and days[1] >= first for day in days]
        weeks["term", urn, first, last] = max(np.diff([first, *inside, last])[::2]).days / 7
    yield "term_halves", weeks


def _measure_hours(officers: pd.DataFrame) -> pd.DataFrame:
    """(o, 5) minutes of each day's hours."""
    hours = officers[list(WEEKDAYS)].to_numpy(dtype=object)
    flat = pd.Series(hours.ravel(), dtype="str")
    minutes = (_minutes(flat.str[6:]) - _minutes(flat.str[:5])).fillna(0)
    return pd.DataFrame(minutes.to_numpy().reshape(hours.shape))


def measure_officers(a: Loaded) -> Measured:
    """Officers in two spellings; patrols a week against one a window that the hours hold."""
    officers, minutes, patrol = a["officers"], _measure_hours(a["officers"]), a.settings.patrol
    names = officers["officer"].str.casefold().str.replace(r"[\W_]+", "", regex=True)
    yield "officer_twice", _name(names.duplicated(), officers, "officer")
    each = (minutes // patrol.window_minutes + 1).clip(upper=len(a.settings.week.windows))
    most = each.where(minutes > 0, 0).sum(axis=1).mask(minutes.max(axis=1) > DAY / 2, 1)
    ratio = officers["max_patrols_per_week"] / most.where(most > 0)
    yield "officer_patrols", _name(ratio, officers, "officer")


def measure_duties(a: Loaded) -> Measured:
    """Duties at night, far away, and twice; events of calendars that are left out by a mistake."""
    duties = pd.DataFrame(a["duties"])
    for name, values in {
        "duty_hours": duties["from_minutes"].between(1, 419),
        "duty_far": a["duties"].distance(a.limits) / 1000,
        "duty_twice": duties.duplicated(["officer", "date", "from_minutes", "to_minutes"]),
    }.items():
        yield name, _name(values, duties, "officer", "kind", "date")
    rows = [row for row in a.report.left_out.rows if row.source == "duties"]
    lost = {row.reason: row.count for row in rows if re.search(LEFT_OUT_EVENTS, row.reason)}
    yield "duty_calendars", lost


def measure_tasked(a: Loaded) -> Measured:
    """Metres between places of the same days and schools, and how long and when they hold."""
    places = a["tasked_places"]
    columns = ("place_id", "geometry", "must_visit", "from", "to", "schools")
    rows = zip(*(places[name] for name in columns), strict=True)
    metres: dict[str, dict[Any, float]] = {"tasked_conflict": {}, "tasked_twice": {}}
    for one, other in combinations(rows, 2):
        is_both = "*" in (*one[5], *other[5]) or bool({*one[5]} & {*other[5]})
        if is_both and one[3] <= other[4] and other[3] <= one[4]:
            name = "tasked_twice" if one[2] == other[2] else "tasked_conflict"
            metres[name][one[0], other[0]] = one[1].distance(other[1])
    yield from metres.items()
    yield "tasked_spans", _days(a, places)
    yield "tasked_begins", _days(a, places, "", "from")
    yield "tasked_over", _days(a, places, "")


def measure_designated(a: Loaded) -> Measured:
    """Hotspots drawn in the future, twice, too large, or of more minutes than officers have."""
    table = a["designated"]
    drawn = pd.to_datetime(table["drawn"].replace("", None), format="ISO8601")
    days = (drawn - find_newest_plausible_month()).dt.days
    yield "designated_drawn", _name(days, table, "place_id", "drawn")
    pieces = find_pieces_of_shapes(a.network, table.geometry.to_numpy())
    yield "designated_wide", _name([*map(a.measure_street, pieces)], table, "place_id")
    hours = _measure_hours(a["officers"]).to_numpy().sum()
    yield "designated_minutes", table["minutes"].sum() / (hours or 7 * DAY)
    shapes = combinations(zip(table["place_id"], table.geometry, strict=True), 2)
    shared = {
        (one, other): shape.intersection(its).area / (min(shape.area, its.area) or np.inf)
        for (one, shape), (other, its) in shapes
    }
    yield "designated_twice", shared


def measure_origins(a: Loaded) -> Measured:
    """Pupils by small area against the roll, and the share of each school's in one of them."""
    pupils = a["origins"].groupby("urn")["pupils"]
    total = pupils.sum()
    yield "origin_rolls", total / pd.DataFrame(a.schools).set_index("urn")["roll"]
    if len(a["areas"]) > SOME:
        yield "origin_one_area", pupils.max() / total.where(total >= MANY)


def measure_areas(a: Loaded) -> Measured:
    """Residents of small areas; how much of the street they hold, and whether they overlap."""
    areas, people = a["areas"], a["areas"]["residents"]
    if people.notna().any():
        yield "area_residents", people.sum() / areas.area.sum() * 1e6
        yield "area_empty", (people.fillna(0) == 0).mean()
        yield "area_ages", areas["aged_5_16"].sum(min_count=1) / max(1, people.sum())
    tree = shapely.STRtree(shapely.points(a.network.piece_middle))
    covered = tree.query(areas.geometry.array, predicate="covers")[1]
    yield "area_cover", 1 - a.measure_street(np.unique(covered))
    yield "area_overlaps", areas.area.sum() / areas.union_all().area


def measure_stops(a: Loaded) -> Measured:
    """How many stops there are, where, and the widest step between boardings of one kind."""
    stops = a["stops"]
    yield "stop_places", _top(_find_points(stops))
    yield "stop_twice", _find_points(stops).duplicated().mean() * (len(stops) >= FEW)
    if a.network.metres > LONG:
        yield "stop_few", len(stops)
    apart = {"all": np.inf if (stops["boardings"] == 0).mean() > HALF else 1}
    for kind, some in stops[stops["boardings"] > 0].groupby("kind")["boardings"]:
        sizes, cut = np.sort(np.log(some)), len(some) // 10  # but for the least and the most
        apart[str(kind)] = np.exp(np.diff(sizes[cut : len(sizes) - cut]).max(initial=0))
    yield "stop_boardings", apart


def measure_places(a: Loaded) -> Measured:
    """Where pubs are."""
    yield "place_places", _top(_find_points(a["places"]))
    again = _find_points(a["places"]).duplicated()  # of a few, two pubs may be in one house
    yield "place_twice", again.mean() * (len(again) >= FEW)


def measure_gates(a: Loaded) -> Measured:
    """Where gates are."""
    yield "gate_places", _top(_find_points(a["gates"]))


def measure_clock(a: Loaded) -> Measured:
    """The share of a day that is in one half-hour."""
    yield "clock_peaks", _name(a["clock"]["share"], a["clock"], *a["clock"])


def measure_streets(a: Loaded) -> Measured:
    """The share of the street that is for walking, and with each name; many paths have none."""
    names, kinds = (
        pd.Series(a.network.piece_metres).groupby(values.astype(str)).sum() / a.network.metres
        for values in (a.network.piece_name, a.network.piece_highway)
    )
    if a.network.metres > LONG:
        yield "street_names", names - 0.45 * names.index.isin(["", "None"])
        if len(kinds) > 1:
            yield "street_paths", kinds.reindex([*PATHS, "pedestrian"]).sum()


def measure_settings(a: Loaded) -> Measured:
    """Figures of the settings that no walk has."""
    patrol, risk = a.settings.patrol, a.settings.risk
    yield "patrol_speed", patrol.walking_speed_kmh
    yield "patrol_radius", patrol.radius_metres
    yield "patrol_dwell", patrol.dwell_minutes / patrol.window_minutes
    harm = (risk.harm.get(name, 1) for name in a.settings.crimes.risk_categories)
    yield "no_harm", max(harm, default=1)


MEASURES = (
    *(("crimes", one) for one in (measure_copies, measure_months, measure_times, measure_spread)),
    ("schools", measure_schools),
    ("bell_times", measure_bells),
    ("term_dates", measure_terms),
    ("officers", measure_officers),
    ("duties", measure_duties),
    ("tasked_places", measure_tasked),
    ("designated", measure_designated),
    ("origins", measure_origins),
    ("areas", measure_areas),
    ("stops", measure_stops),
    ("places", measure_places),
    ("gates", measure_gates),
    ("clock", measure_clock),
    ("streets", measure_streets),
    ("settings", measure_settings),
)  # what measures each table, where there is one
