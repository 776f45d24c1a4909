"""Measures of an area's tables as they were read, which `patrolplan.area.relations` has bounds for.

Each gives values, and what each is of, such as the share of equal rows by category.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.area.incidents import PlacedIncidents
from patrolplan.area.load_report import LoadReport
from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.network import StreetNetwork
from patrolplan.network.network import PATHS
from patrolplan.settings import Settings
from patrolplan.times import minutes_after_midnight

MANY, FEW, SOME = 100, 20, 4  # Fewer crimes, groups of them, or other rows may be odd by chance
DAY = 1440
HALF, HARDLY = (
    0.5,
    0.1,
)  # Months with a smaller share of the usual crimes count as missing elsewhere
MOVES = np.array([(0, 0), (60, 0), (-60, 0), (0, 60), (0, -60)])  # metres
PHASE_AGES = {"Primary": (0, 7, 5, 13), "Secondary": (9, 14, 13, 19), "Nursery": (0, 5, 2, 7)}
"""Lowest and highest low age, and lowest and highest high age, of schools of a phase."""

Names = Sequence[Any] | NDArray[Any]
Found = tuple[ArrayLike, Any]
"""Values of a measure, NaN where not known, and a table or list of what each is of."""

NOTHING: Found = ((), ())


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
    def rows(self) -> dict[str, Ints]:
        """The crimes of the area: (i,) month from the oldest on, category, place, file, ID, time.

        Times are in minutes since 1970; -1 where there is none.
        """
        crimes, at = self["crimes"], self.placed.rows
        incidents, minutes = crimes.incidents, self._take("occurred_at", "datetime64[m]")
        return {
            "month": self._take("month", "datetime64[M]") - self.months[0].astype(np.int64),
            "category": incidents["category"].cat.codes.to_numpy()[at].astype(np.int64),
            "place": crimes.place_index[at],
            "file": crimes.file_index[at],
            "id": crimes.ids[at],
            "time": np.where(minutes > 0, minutes, -1),
        }

    def _take(self, column: str, kind: str) -> Ints:
        """(i,) times of the crimes of the area as numbers."""
        values = self["crimes"].incidents[column].to_numpy()[self.placed.rows]
        return np.asarray(values.astype(kind).astype(np.int64))

    @cached_property
    def months(self) -> NDArray[np.datetime64]:
        """(t,) the months from the oldest crime in the area to the newest."""
        months = self.placed.incidents["month"]
        return np.arange(
            months.min(), months.max() + pd.DateOffset(months=1), dtype="datetime64[M]"
        )

    @cached_property
    def names(self) -> list[str]:
        """Names of all categories."""
        return list(map(str, self["crimes"].incidents["category"].cat.categories))

    @cached_property
    def times(self) -> Ints:
        """(d,) times of the crimes of the area that have one, if any has more than its day."""
        times = self.rows["time"][self.rows["time"] >= 0]
        return times if len(times) >= MANY and (times % DAY).any() else times[:0]

    @cached_property
    def alike(self) -> tuple[Ints, Ints]:
        """(i,) the group of each crime with those alike but for ID and time, and (g,) sizes."""
        group = group_rows(self.rows["month"], self.rows["category"], self.rows["place"])
        return group, np.bincount(group)

    @cached_property
    def degrees(self) -> Floats:
        """(2, m) longitude and latitude of each place of crime."""
        return np.array(self.network.projection.to_degrees(*self["crimes"].places.T))

    def round_places(self, decimals: int) -> Ints:
        """(m,) number of each place of crime, those alike in so many decimals together."""
        rounded = np.round(self.degrees * 10.0**decimals).astype(np.int64)
        return group_rows(*(rounded - rounded.min(axis=1, keepdims=True)))

    @property
    def is_long(self) -> bool:
        """Whether there are 10 km of streets, which have names, footways and several stops."""
        return self.network.metres > 1e4  # noqa: PLR2004 - said above

    def measure_street(self, which: Bools | Ints) -> float:
        """The share of the street's length in some pieces."""
        return float(self.network.piece_metres[which].sum() / self.network.metres)


def group_rows(*columns: Ints) -> Ints:
    """(n,) number of each row's combination of whole numbers, in the order of their first row."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    return np.asarray(pd.factorize(key)[0], dtype=np.int64)


def _find_first(group: Ints) -> Ints:
    """(g,) the first row of each group."""
    first = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    return first


def _share(which: ArrayLike, part: Ints, names: Names, least: int = FEW) -> tuple[Floats, Names]:
    """The share of rows, or mean weight, of each part that has at least so many rows."""
    total = np.bincount(part, minlength=1)
    shares = np.bincount(part, np.asarray(which, dtype=float), minlength=1) / np.maximum(total, 1)
    return np.where(total >= least, shares, np.nan), names


def share_again(group: Ints, part: Ints, names: Names) -> Found:
    """The share of rows of each part with an earlier row of their group."""
    return _share(_find_first(group)[group] != np.arange(len(group)), part, names)


def top(values: ArrayLike, least: int = SOME) -> Found:
    """The share of the most frequent value, which at least three rows have."""
    numbers, distinct = pd.factorize(np.asarray(values))
    counts = np.bincount(numbers[numbers >= 0], minlength=1)
    is_known = counts.sum() >= least and counts.max() > 2  # noqa: PLR2004 - a pair is no rule
    return ([counts.max() / counts.sum()], [distinct[counts.argmax()]]) if is_known else NOTHING


def top_place(a: Loaded, source: str) -> Found:
    """The share of a table's points at the most frequent place."""
    return top(_group_points(a, source))


def find_same_points(a: Loaded, source: str) -> Found:
    """The share of a table's points at the place of an earlier one."""
    points = _group_points(a, source)
    return share_again(points, 0 * points, ["points"])


def _group_points(a: Loaded, source: str) -> Ints:
    """(n,) number of each point's place, to the metre."""
    xy = shapely.get_coordinates(a[source].geometry.array)
    return group_rows(*np.round(xy - xy.min(axis=0, initial=1e9)).T.astype(np.int64))


def find_same_id(a: Loaded) -> Found:
    """The share of a category's crimes that are there again with their ID."""
    has = a.rows["id"] > 0
    group = group_rows(pd.factorize(a.rows["id"][has])[0].astype(np.int64), a.alike[0][has])
    return share_again(group, a.rows["category"][has], a.names)


def find_without_id(a: Loaded) -> Found:
    """The share of a month's crimes without an ID that equal one with an ID."""
    has_id, (group, sizes) = a.rows["id"] > 0, a.alike
    beside = ~has_id & (np.bincount(group[has_id], minlength=len(sizes))[group] > 0)
    return _share(beside, a.rows["month"], a.months)


def find_multiples(a: Loaded, decimals: int = 0) -> Found:
    """The share of groups of equal crimes of a size that 2, 3 or 5 divides: in all, by part."""
    group, sizes = a.alike
    first = _find_first(group)
    month, category = a.rows["month"][first], a.rows["category"][first]
    if decimals:
        joined = group_rows(month, category, a.round_places(decimals)[a.rows["place"][first]])
        sizes, at = np.bincount(joined, sizes).astype(np.int64), _find_first(joined)
        month, category = month[at], category[at]
    parts: list[tuple[Ints, Names]] = [(0 * month, ["all"]), (month, a.months)]
    parts.append((category, a.names))
    found = [_share(sizes % k == 0, part, of) for k in (2, 3, 5) for part, of in parts]
    return np.concatenate([one for one, _ in found]), [
        str(name) for one, names in found for name in names[: len(one)]
    ]


def find_alike_files(a: Loaded) -> Found:
    """The share of a file's crimes that other files have, but for ID and exact place."""
    group = group_rows(a.rows["month"], a.rows["category"], a.round_places(3)[a.rows["place"]])
    pair, file = group_rows(group, a.rows["file"]), a.rows["file"]
    first = _find_first(pair)
    own, of_group = np.bincount(pair), np.bincount(group)[group[first]]
    shared = np.bincount(file[first], np.minimum(own, of_group - own))
    return shared / np.maximum(np.bincount(file), FEW), a["crimes"].files


def _count_months(a: Loaded) -> tuple[Ints, Ints, float]:
    """Crimes of each month, the numbers of those with more than a few, and the usual crimes."""
    counts = np.bincount(a.rows["month"], minlength=1)
    usual = float(np.median(counts[counts > 0])) if counts.any() else 0.0
    return counts, np.flatnonzero(counts > HARDLY * usual), usual


def find_category_months(a: Loaded) -> Found:
    """Crimes that a category lacks in a run of months, or has too many, against its usual month."""
    held, size = _count_months(a)[1], len(a.months)
    both = a.rows["category"] * size + a.rows["month"]
    table = np.bincount(both, minlength=len(a.names) * size).reshape(-1, size)[:, held]
    values = np.zeros(table.shape)
    for row, counts in enumerate(table):
        known = counts[counts > 0]
        usual, run = float(np.median(known)) if len(known) > 0.3 * len(held) else 0.0, 0
        if ((counts > HARDLY * usual) & (counts <= 3 * max(usual, 10.0))).all():
            continue
        for number, count in enumerate(counts):
            run = run + 1 if count <= HARDLY * usual else 0
            values[row, number] = -run * usual if run else max(0.0, count - 3 * max(usual, 10.0))
    return values.ravel(), list(product(a.names, a.months[held]))


def find_months(a: Loaded) -> Found:
    """Crimes of each month against the usual month; those of the ends may be cut."""
    counts, held, usual = _count_months(a)
    ratio = counts[held] / max(usual, 1)
    ratio[[0, -1]] = np.where(ratio[[0, -1]] > 0.3, np.maximum(ratio[[0, -1]], 1), ratio[[0, -1]])  # noqa: PLR2004
    return (ratio, a.months[held]) if usual >= MANY / 2 and len(held) > SOME else NOTHING


def find_file_months(a: Loaded) -> Found:
    """The share of crimes of another month than that with which their file's name begins."""
    files, file = a["crimes"].files, a.rows["file"]
    found = [re.match(r"(20\d\d-[01]\d)\D", name) for name in files]
    month = np.array([one[1] if one else "NaT" for one in found], dtype="datetime64[M]")[file]
    return _share(~np.isnat(month) & (month != a.months[a.rows["month"]]), file, files)


def find_empty_part(a: Loaded) -> Found:
    """The share of the street in squares without crime, eight by eight where crimes are many."""
    across = min(8, int(np.sqrt(len(a.rows["place"]) / 25)))
    if across < 2:  # noqa: PLR2004 - one square is the whole area
        return NOTHING
    low, high = np.reshape(a.network.bounds, (2, 2))
    street, crime = (
        np.clip((xy - low) / (high - low) * across, 0, across - 1).astype(np.int64) @ (across, 1)
        for xy in (a.network.piece_middle, a["crimes"].places[a.rows["place"]])
    )
    is_empty = np.bincount(crime, minlength=across**2 + 1)[street] == 0
    return [a.measure_street(is_empty)], ["street"]


def find_hours(a: Loaded) -> Found:
    """The hours of the shortest part of the day that has nearly all crimes."""
    hours = np.bincount(a.times % DAY // 60, minlength=24)
    total = np.cumsum([0, *hours, *hours])
    spans = np.array([(total[n : n + 24] - total[:24]).max() for n in range(1, 25)])
    return ([1 + np.argmax(spans >= 0.97 * len(a.times))], ["hours"]) if len(a.times) else NOTHING


def find_shift(a: Loaded) -> Found:
    """Metres to the nearest street, where as many as from points moved by 60 m, and not many."""
    numbers = np.unique(a.rows["place"])
    places = a["crimes"].places[numbers[:: 1 + len(numbers) // 50]]
    metres = a.network.snap((places[None] + MOVES[:, None]).reshape(-1, 2)).moved_metres
    own, other = np.median(metres[: len(places)]), np.median(metres[len(places) :])
    is_random = 0.6 * other < own < MOVES.max() * 0.75
    return ([own * is_random], ["points"]) if len(places) >= FEW else NOTHING


def find_left_out(a: Loaded, source: str, reason: str) -> Found:
    """How many rows of a table are left out for a reason."""
    rows = [row for row in a.report.left_out.rows if row.source == source]
    rows = [row for row in rows if re.search(reason, row.reason)]
    return [row.count for row in rows], [row.reason for row in rows]


def find_ages(a: Loaded) -> Found:
    """Schools of ages that their phase does not have."""
    names = ("low_age", "low_age", "high_age", "high_age")
    ages = np.column_stack([a.schools[name] for name in names])
    limits = np.array([PHASE_AGES.get(one, (0, 25, 0, 25)) for one in a.schools["phase"]])
    is_off = ((ages - limits.reshape(-1, 4)) * (-1, 1, -1, 1) > 0).any(axis=1)
    return is_off, (a.schools, "name", "phase", "low_age", "high_age")


def days(a: Loaded, source: str, since: str = "from", until: str = "to", kind: str = "") -> Found:
    """Days between two columns of a table; one without a name is the newest month of crime."""
    table = a[source]
    first, last = (table[one].to_numpy("M8[D]") if one else a.months[-1] for one in (since, until))
    days = (last - first).astype(float)
    days = np.where(table["kind"] == kind, days, np.nan) if kind else days
    return days, (table, table.columns[0], "from", "to")


def find_half_terms(a: Loaded) -> Found:
    """The most weeks of each term between days that are closed."""
    dates = a["term_dates"]
    rows = list(zip(*(dates[name] for name in ("kind", "urn", "from", "to")), strict=True))
    terms, weeks = [row for row in rows if row[0] == "term"], []
    for _, urn, first, last in terms:
        closed = sorted(row[2:] for row in rows if row[0] == "closed" and row[1] in {"*", urn})
        inside = [days for days in closed if days[0] <= last and days[1] >= first]
        ends = [first, *(day for days in inside for day in days), last]
        weeks.append(max((b - a).days for a, b in zip(ends[::2], ends[1::2], strict=True)) / 7)
    return weeks, terms


def measure_hours(officers: pd.DataFrame) -> Floats:
    """(o, 5) minutes of each day's hours."""
    spans = [one or "00:00-00:00" for one in officers[list(WEEKDAYS)].to_numpy().ravel()]
    minutes = {
        one: minutes_after_midnight(one[6:]) - minutes_after_midnight(one[:5]) for one in {*spans}
    }
    return np.array([minutes[one] for one in spans], dtype=float).reshape(-1, len(WEEKDAYS))


def find_many_patrols(a: Loaded) -> Found:
    """Patrols a week against one a window of those that the hours of a day hold."""
    officers, window = a["officers"], a.settings.patrol.window_minutes
    minutes = measure_hours(officers)
    most = np.minimum(minutes // window + 1, len(a.settings.week.windows)) * (minutes > 0)
    most = np.where(minutes.max(axis=1, initial=0) > DAY / 2, 1, most.sum(axis=1))
    return officers["max_patrols_per_week"] / np.where(most > 0, most, np.nan), officers["officer"]


def find_tasked_pairs(a: Loaded, *, differ: bool) -> Found:
    """Metres between two tasked places of the same days and schools, one of them barred or not."""
    columns = ("place_id", "geometry", "must_visit", "from", "to", "schools")
    rows = zip(*(a["tasked_places"][name] for name in columns), strict=True)
    pairs = [
        (one[1].distance(other[1]), one[0], other[0])
        for one, other in combinations(rows, 2)
        if (one[2] != other[2]) == differ and one[3] <= other[4] and other[3] <= one[4]
        if "*" in (*one[5], *other[5]) or {*one[5]} & {*other[5]}
    ]
    return [one[0] for one in pairs], [one[1:] for one in pairs]


def find_uncovered(a: Loaded) -> Found:
    """The share of the street outside all small areas."""
    outside = np.ones(len(a.network), dtype=bool)
    tree, areas = shapely.STRtree(shapely.points(a.network.piece_middle)), a["areas"]
    outside[tree.query(areas.geometry.array, predicate="covers")[1]] = False
    return [a.measure_street(outside)], ["street"]


def find_one_origin(a: Loaded) -> Found:
    """The share of each school's pupils in one small area."""
    by_school = a["origins"].groupby("urn")["pupils"]
    share = by_school.max() / by_school.sum().where(lambda total: total >= MANY)
    return (share, share.index) if len(a["areas"]) > SOME else NOTHING


def find_people(a: Loaded, what: str) -> Found:
    """Of small areas: residents for each km2, the share without any, or of school age."""
    people, young = a["areas"]["residents"], a["areas"]["aged_5_16"]
    if people.isna().all() or (what == "young" and young.isna().all()):
        return NOTHING
    density, share = people.sum() / a["areas"].area.sum() * 1e6, young.sum() / max(1, people.sum())
    return [{"density": density, "none": (people.fillna(0) == 0).mean(), "young": share}[what]], [
        what
    ]


def find_boardings(a: Loaded) -> Found:
    """The widest step between boardings of one kind of stop, but for the least and the most."""
    by_kind = a["stops"].groupby("kind")["boardings"]
    sizes = {kind: np.sort(np.log(one[one > 0])) for kind, one in by_kind}
    inner = {kind: one[len(one) // 10 : len(one) - len(one) // 10] for kind, one in sizes.items()}
    steps = [np.exp(np.diff(one).max(initial=0)) for one in inner.values()]
    return [*steps, np.inf if (a["stops"]["boardings"] == 0).mean() > HALF else 1], [*inner, "all"]


def find_more_equal(a: Loaded) -> Found:
    """How many more crimes of a month equal another than in the usual month."""
    single, names = _share(1 / a.alike[1][a.alike[0]], a.rows["month"], a.months, MANY)
    known = single[np.isfinite(single)]
    return np.median(known) - single if len(known) else (), names


def find_bells(a: Loaded, name: str, until: str = "") -> Found:
    """Hours from one bell of a school to another, or from the usual one to its own."""
    bells = a["bell_times"]
    first, last = (
        np.array([minutes_after_midnight(time) if time else np.nan for time in bells[one]])
        for one in (name, until or name)
    )
    usual = first if until or np.isnan(first).all() else np.nanmedian(first)
    return (last - usual) / 60, bells.index


def find_rolls(a: Loaded, above: str, below: str) -> Found:
    """One figure of each school against another; the usual one counts more strictly."""
    of = {name: a.schools[name].to_numpy() for name in ("urn", "roll", "capacity", "low_age")}
    of["years"] = a.schools["high_age"].to_numpy() - of["low_age"] + 1
    if above == "origins":
        pupils = a["origins"].groupby("urn")["pupils"].sum()
        of[above] = pupils.reindex(of["urn"]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = of[above] / of[below]
    known = ratio[np.isfinite(ratio)]
    if len(known) < SOME or below != "capacity":
        return ratio, of["urn"]
    share = np.mean((known < 0.4) | (known > 1.5))  # noqa: PLR2004 - 2 % of London's schools
    return [*ratio, np.median(known) ** 3, 1 + 5 * share], [*of["urn"], "usual", "many"]


def find_same_ground(a: Loaded) -> Found:
    """The share that two designated hotspots have in common."""
    shapes, names = a["designated"].geometry.to_numpy(), a["designated"]["place_id"].to_numpy()
    one, other = np.triu_indices(len(shapes), 1)
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    least = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    return shared / least, np.column_stack([names[one], names[other]])


def find_paths(a: Loaded) -> Found:
    """The share of the street that is for walking, where there are kinds of streets."""
    numbers, kinds = pd.factorize(a.network.piece_highway.astype(str))
    is_path = np.isin(kinds, (*PATHS, "pedestrian"))[numbers]
    return ([a.measure_street(is_path)], ["paths"]) if a.is_long and len(kinds) > 1 else NOTHING


def find_street_names(a: Loaded) -> Found:
    """The share of the street with each name; many paths have none."""
    numbers, names = pd.factorize(a.network.piece_name.astype(str))
    share = np.bincount(numbers, a.network.piece_metres) / a.network.metres
    return share - 0.45 * np.isin(names, ("", "None")), names
