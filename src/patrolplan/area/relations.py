"""Relations between tables, and within them: magnitude, concentration, copied rows, spans, ends.

A table may have the right columns and forms and still be wrong as a whole. Each check is a row of
`RELATIONS`: a measure of the tables as they were read, its bounds, what is odd and what to do. A
value outside the bounds stops the command, or a note names it; `[accept]` takes the name of any
row with a reason, which outputs print. Ends of dates are compared with the newest month of crime,
so that equal files give equal notes on any day.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations, product
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.area.incidents import PlacedIncidents
from patrolplan.area.load_report import LoadReport
from patrolplan.area.study_area import StudyArea
from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.errors import InputError, Problem, SettingsError
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.timestamps import find_newest_plausible_month
from patrolplan.network import StreetNetwork
from patrolplan.network.network import PATHS
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.notes import Note, NoteValue
from patrolplan.plausibility import CHECKS
from patrolplan.settings import Settings, SourceSettings, format_unknown
from patrolplan.settings.models import CrimeSettings
from patrolplan.times import minutes_after_midnight

MANY, FEW, SOME = 100, 20, 4  # Fewer crimes, groups of them, or other rows may be odd by chance
DAY = 1440
HARDLY = 0.1  # Months with a smaller share of the usual crimes count as missing elsewhere
MOVES = np.array([(0, 0), (60, 0), (-60, 0), (0, 60), (0, -60)])  # metres
LONG_METRES = 10_000.0  # Streets this long have names, footways and more than one stop
OLD, OLD_MONTHS, REFUSED_MONTHS = "old_crime", 6, 24
"""Name under which [accept] takes old crime; the age that is said, and that is refused."""

LEFT_OUT_EVENTS = "whole calendar|on their own day|for whole days"
"""Words of the reasons for which events of a calendar are left out by a mistake in it."""

PHASE_AGES = {"Primary": (0, 7, 5, 13), "Secondary": (9, 14, 13, 19), "Nursery": (0, 5, 2, 7)}
"""Lowest and highest low age, and lowest and highest high age, of schools of a phase."""

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
    tables: dict[str, Any]
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
        values = self["crimes"].incidents[column].to_numpy(kind)[self.placed.rows]
        return np.asarray(values.astype(np.int64))

    @cached_property
    def months(self) -> NDArray[np.datetime64]:
        """(t,) the months from the oldest crime in the area to the newest."""
        months = self.placed.incidents["month"]
        return np.arange(
            months.min(), months.max() + pd.DateOffset(months=1), dtype="datetime64[M]"
        )

    @property
    def newest(self) -> pd.Timestamp:
        """The newest month of crime in the area."""
        return pd.Timestamp(self.months[-1])

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
        group = _group(self.rows["month"], self.rows["category"], self.rows["place"])
        return group, np.bincount(group)

    @cached_property
    def degrees(self) -> Floats:
        """(2, m) longitude and latitude of each place of crime."""
        return np.array(self.network.projection.to_degrees(*self["crimes"].places.T))

    def round_places(self, decimals: int) -> Ints:
        """(m,) number of each place of crime, those alike in so many decimals together."""
        rounded = np.round(self.degrees * 10.0**decimals).astype(np.int64)
        return _group(*(rounded - rounded.min(axis=1, keepdims=True)))

    @property
    def is_long(self) -> bool:
        """Whether the streets are more than a few."""
        return self.network.metres > LONG_METRES

    def measure_street(self, which: Bools | Ints) -> float:
        """The share of the street's length in some pieces."""
        return float(self.network.piece_metres[which].sum() / self.network.metres)


def _group(*columns: Ints) -> Ints:
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


def _share(which: ArrayLike, part: Ints, names: Sequence[Any], least: int = FEW) -> Found:
    """The share of rows, or mean weight, of each part that has at least so many rows."""
    total = np.bincount(part, minlength=1)
    shares = np.bincount(part, np.asarray(which, dtype=float), minlength=1) / np.maximum(total, 1)
    return np.where(total >= least, shares, np.nan), names


def _share_again(group: Ints, part: Ints, names: Sequence[Any]) -> Found:
    """The share of rows of each part with an earlier row of their group."""
    return _share(_find_first(group)[group] != np.arange(len(group)), part, names)


def _top(values: ArrayLike, least: int = SOME) -> Found:
    """The share of the most frequent value, which at least three rows have."""
    numbers, distinct = pd.factorize(np.asarray(values))
    counts = np.bincount(numbers[numbers >= 0], minlength=1)
    is_known = counts.sum() >= least and counts.max() > 2  # noqa: PLR2004 - a pair is no rule
    return ([counts.max() / counts.sum()], [distinct[counts.argmax()]]) if is_known else NOTHING


def _top_place(a: Loaded, source: str) -> Found:
    xy = shapely.get_coordinates(a[source].geometry.array)
    return _top(_group(*np.round(xy - xy.min(axis=0, initial=1e9)).T.astype(np.int64)))


def _find_same_id(a: Loaded) -> Found:
    has = a.rows["id"] > 0
    group = _group(pd.factorize(a.rows["id"][has])[0].astype(np.int64), a.alike[0][has])
    return _share_again(group, a.rows["category"][has], a.names)


def _find_without_id(a: Loaded) -> Found:
    has_id, (group, sizes) = a.rows["id"] > 0, a.alike
    beside = ~has_id & (np.bincount(group[has_id], minlength=len(sizes))[group] > 0)
    return _share(beside, a.rows["month"], a.months)


def _find_multiples(a: Loaded, decimals: int = 0) -> Found:
    """The share of groups of equal crimes of a size that 2, 3 or 5 divides: in all, by part."""
    group, sizes = a.alike
    first = _find_first(group)
    month, category = a.rows["month"][first], a.rows["category"][first]
    if decimals:
        joined = _group(month, category, a.round_places(decimals)[a.rows["place"][first]])
        sizes, at = np.bincount(joined, sizes).astype(np.int64), _find_first(joined)
        month, category = month[at], category[at]
    parts = [(0 * month, ["all"]), (month, a.months), (category, a.names)]
    found = [_share(sizes % k == 0, part, of) for k in (2, 3, 5) for part, of in parts]
    return np.concatenate([one for one, _ in found]), [
        str(name) for one, names in found for name in names[: len(np.asarray(one))]
    ]


def _find_alike_files(a: Loaded) -> Found:
    group = _group(a.rows["month"], a.rows["category"], a.round_places(3)[a.rows["place"]])
    pair, file = _group(group, a.rows["file"]), a.rows["file"]
    first = _find_first(pair)
    own, of_group = np.bincount(pair), np.bincount(group)[group[first]]
    shared = np.bincount(file[first], np.minimum(own, of_group - own))
    return shared / np.maximum(np.bincount(file), FEW), a["crimes"].files


def _count_months(a: Loaded) -> tuple[Ints, Ints, float]:
    """Crimes of each month, the numbers of those with more than a few, and the usual crimes."""
    counts = np.bincount(a.rows["month"])
    usual = float(np.median(counts[counts > 0])) if counts.any() else 0.0
    return counts, np.flatnonzero(counts > HARDLY * usual), usual


def _find_category_months(a: Loaded) -> Found:
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


def _find_months(a: Loaded) -> Found:
    """Crimes of each month against the usual month; those of the ends may be cut."""
    counts, held, usual = _count_months(a)
    ratio = counts[held] / max(usual, 1)
    ratio[[0, -1]] = np.where(ratio[[0, -1]] > 0.3, np.maximum(ratio[[0, -1]], 1), ratio[[0, -1]])  # noqa: PLR2004
    return (ratio, a.months[held]) if usual >= MANY / 2 and len(held) > SOME else NOTHING


def _find_file_months(a: Loaded) -> Found:
    """The share of crimes of another month than that with which their file's name begins."""
    files, file = a["crimes"].files, a.rows["file"]
    found = [re.match(r"(20\d\d-[01]\d)\D", name) for name in files]
    month = np.array([one[1] if one else "NaT" for one in found], dtype="datetime64[M]")[file]
    return _share(~np.isnat(month) & (month != a.months[a.rows["month"]]), file, files)


def _find_empty_part(a: Loaded) -> Found:
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


def _find_hours(a: Loaded) -> Found:
    """The hours of the shortest part of the day that has nearly all crimes."""
    hours = np.bincount(a.times % DAY // 60, minlength=24)
    total = np.cumsum([0, *hours, *hours])
    spans = np.array([(total[n : n + 24] - total[:24]).max() for n in range(1, 25)])
    return ([1 + np.argmax(spans >= 0.97 * len(a.times))], ["hours"]) if len(a.times) else NOTHING


def _find_shift(a: Loaded) -> Found:
    """The usual metres to the nearest street, where as many as from points moved by 60 m."""
    numbers = np.unique(a.rows["place"])
    places = a["crimes"].places[numbers[:: 1 + len(numbers) // 80]]
    metres = a.network.snap((places[None] + MOVES[:, None]).reshape(-1, 2)).moved_metres
    own, other = np.median(metres[: len(places)]), np.median(metres[len(places) :])
    return ([own if own > 0.6 * other else 0.0], ["points"]) if len(places) >= FEW else NOTHING


def _find_left_out(a: Loaded, source: str, reason: str) -> Found:
    """How many rows of a table are left out for a reason."""
    rows = [row for row in a.report.left_out.rows if row.source == source]
    rows = [row for row in rows if re.search(reason, row.reason)]
    return [row.count for row in rows], [row.reason for row in rows]


def _find_odd_reports(a: Loaded, name: str) -> Found:
    """Files that are wrong as a whole, as their reading found; no number is known of them."""
    files = a["reports"].odd.get(name, ())
    return [1] * len(files), files


def _find_ages(a: Loaded) -> Found:
    names = ("low_age", "low_age", "high_age", "high_age")
    ages = np.column_stack([a.schools[name] for name in names])
    limits = np.array([PHASE_AGES.get(one, (0, 25, 0, 25)) for one in a.schools["phase"]])
    is_off = ((ages - limits.reshape(-1, 4)) * (-1, 1, -1, 1) > 0).any(axis=1)
    return is_off, (a.schools, "name", "phase", "low_age", "high_age")


def _days(a: Loaded, source: str, since: str = "from", until: str = "to", kind: str = "") -> Found:
    """Days between two columns of a table; one without a name is the newest month of crime."""
    table = a[source]
    first, last = (table[one].to_numpy("M8[D]") if one else a.months[-1] for one in (since, until))
    days = (last - first).astype(float)
    days = np.where(table["kind"] == kind, days, np.nan) if kind else days
    return days, (table, table.columns[0], "from", "to")


def _find_half_terms(a: Loaded) -> Found:
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


def _measure_hours(officers: pd.DataFrame) -> Floats:
    """(o, 5) minutes of each day's hours."""
    spans = [one or "00:00-00:00" for one in officers[list(WEEKDAYS)].to_numpy().ravel()]
    minutes = [minutes_after_midnight(one[6:]) - minutes_after_midnight(one[:5]) for one in spans]
    return np.array(minutes, dtype=float).reshape(-1, len(WEEKDAYS))


def _find_many_patrols(a: Loaded) -> Found:
    """Patrols a week against two a window of those that the hours of a day hold."""
    officers, window = a["officers"], a.settings.patrol.window_minutes
    minutes = _measure_hours(officers)
    most = np.minimum(minutes // window + 1, 2 * len(a.settings.week.windows)) * (minutes > 0)
    most = np.where(minutes.max(axis=1, initial=0) > DAY / 2, 1, most.sum(axis=1))
    return officers["max_patrols_per_week"] / np.where(most > 0, most, np.nan), officers["officer"]


def _find_tasked_pairs(a: Loaded, *, differ: bool) -> Found:
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


def _find_uncovered(a: Loaded) -> Found:
    outside = np.ones(len(a.network), dtype=bool)
    tree, areas = shapely.STRtree(shapely.points(a.network.piece_middle)), a["areas"]
    outside[tree.query(areas.geometry.array, predicate="covers")[1]] = False
    return [a.measure_street(outside)], ["street"]


def _find_one_origin(a: Loaded) -> Found:
    by_school = a["origins"].groupby("urn")["pupils"]
    share = by_school.max() / by_school.sum().where(lambda total: total >= MANY)
    return (share, share.index) if len(a["areas"]) > SOME else NOTHING


def _find_people(a: Loaded, what: str) -> Found:
    """Of small areas: residents for each km2, the share without any, or of school age."""
    people, young = a["areas"]["residents"], a["areas"]["aged_5_16"]
    if people.isna().all() or (what == "young" and young.isna().all()):
        return NOTHING
    density, share = people.sum() / a["areas"].area.sum() * 1e6, young.sum() / max(1, people.sum())
    return [{"density": density, "none": (people == 0).mean(), "young": share}[what]], [what]


def _find_boardings(a: Loaded) -> Found:
    """The widest step between boardings of one kind of stop, but for the least and the most."""
    by_kind = a["stops"].groupby("kind")["boardings"]
    sizes = {kind: np.sort(np.log(one[one > 0])) for kind, one in by_kind}
    inner = {kind: one[len(one) // 10 : len(one) - len(one) // 10] for kind, one in sizes.items()}
    return [np.exp(np.diff(one).max(initial=0)) for one in inner.values()], list(inner)


def _find_more_equal(a: Loaded) -> Found:
    """How many more crimes of a month equal another than in the usual month."""
    single, names = _share(1 / a.alike[1][a.alike[0]], a.rows["month"], a.months, MANY)
    return pd.Series(single).median() - single, names


def _find_bells(a: Loaded, *names: str) -> Found:
    """Hours between two bells of a school, or of one bell from the usual one."""
    times = [a["bell_times"][one].replace("", None).dropna() for one in names]
    minutes = [one.map(minutes_after_midnight).astype(float) for one in times]
    hours = (minutes[-1] - (minutes[0] if names[1:] else minutes[0].median())) / 60
    return hours, hours.index


def _find_rolls(a: Loaded, above: str, below: str) -> Found:
    """One figure of each school against another; the usual one counts more strictly."""
    of = {name: a.schools[name].to_numpy() for name in ("urn", "roll", "capacity", "low_age")}
    of["years"] = a.schools["high_age"].to_numpy() - of["low_age"] + 1
    if above == "origins":
        pupils = a["origins"].groupby("urn")["pupils"].sum()
        of[above] = pupils.reindex(of["urn"]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = of[above] / of[below]
    known = ratio[np.isfinite(ratio)]
    usual = np.median(known) ** 3 if len(known) >= SOME and below == "capacity" else 1.0
    return [*ratio, usual], [*of["urn"], "of the usual school"]


def _find_same_ground(a: Loaded) -> Found:
    """The share that two designated hotspots have in common."""
    shapes, names = a["designated"].geometry.to_numpy(), a["designated"]["place_id"].to_numpy()
    one, other = np.triu_indices(len(shapes), 1)
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    least = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    return shared / least, np.column_stack([names[one], names[other]])


def _find_street_names(a: Loaded) -> Found:
    """The share of the street with each name; many paths have none."""
    numbers, names = pd.factorize(a.network.piece_name.astype(str))
    share = np.bincount(numbers, a.network.piece_metres) / a.network.metres
    return share - 0.45 * np.isin(names, ("", "None")), names


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
    Relation("crime_rows_again", "crimes", _find_same_id, 0, 0.25,
             "{value:.0%} of '{what}' are in a file again with the same ID", COPY, STOP),
    Relation("crime_rows_without_id", "crimes", _find_without_id, 0, 0.05,
             "{value:.0%} of {what} are rows without ID beside equal ones with one", COPY, STOP),
    *(Relation("crime_rows_doubled", "crimes", partial(_find_multiples, decimals=n), 0, most,
               "equal rows are there in multiples ({what}: {value:.0%})", COPY, STOP)
      for n, most in ((0, 0.75), (3, 0.75), (2, 0.9))),
    Relation("crime_rows_equal", "crimes", lambda a: _share_again(
             _group(a.alike[0][a.rows["time"] >= 0][:len(a.times)], a.times), 0 * a.times, [""]),
             0, 0.03, "{value:.0%} have the category, place and minute of another", COPY),
    Relation("crime_months_equal", "crimes", _find_more_equal, -INF, 0.15,
             "many more rows of {what} equal another than in other months", COPY),
    Relation("crime_files_alike", "crimes", _find_alike_files, 0, 0.5,
             "{value:.0%} of {what} is in other files too, but for ID and exact place", COPY, STOP),
    Relation("crime_place", "crimes", lambda a: _top(a["crimes"].place_index, MANY), 0, 0.12,
             AT_ONE, OWN),
    Relation("crime_place", "crimes", lambda a: _top(a.rows["place"], MANY), 0, 0.15, AT_ONE, OWN),
    Relation("crime_category", "crimes", lambda a: _top(a.rows["category"], MANY), 0, 0.8,
             FILLED, OWN),
    Relation("crime_category_months", "crimes", _find_category_months, -8, 10,
             "crimes of {what} are {value:+,.0f} against its usual month, and are taken as true",
             "add or remove rows, or take the category out of [crimes] categories"),
    Relation("crime_months", "crimes", _find_months, 0.5, 1.8,
             "{what} has {value:.1f} times the crimes of a usual month",
             "add the rows that lack, or remove those that are there twice"),
    Relation("crime_file_months", "crimes", _find_file_months, 0, 0.05,
             "{value:.0%} of {what} are of another month than its name", OWN),
    Relation("crime_one_month", "crimes", lambda a: ([np.mean(a.alike[1][a.alike[0]] > 1) * (
             len(a.months) == 1 and len(a.rows["month"]) > MANY)], [""]), 0, 0.6,
             "all crimes are of one month, as if it was filled down", OWN),
    Relation("crime_part", "crimes", _find_empty_part, 0, 0.3,
             "{value:.0%} of the area's street is in parts without any crime",
             "add the crimes of these parts, or make [area] smaller"),
    Relation("crime_time", "crimes", lambda a: _top(a.times % DAY, MANY), 0, 0.15,
             "{value:.0%} of the times are in one minute, {what} after midnight", TIMES),
    Relation("crime_hours", "crimes", _find_hours, 13, 24,
             "nearly all crimes are within {value:.0f} hours of the day", TIMES),
    Relation("crime_day", "crimes", lambda a: _top(
             (d := a.times.astype("M8[m]").astype("M8[D]")) - d.astype("M8[M]"), MANY), 0, 0.2,
             "{value:.0%} of the times are on one day of the month ({what} after the first)", TIMES),
    Relation("crime_shift", "crimes", _find_shift, 0, 5,
             "places are {value:.0f} m from a street, as far as any place: they seem to be shifted",
             "check the CRS of crimes and streets"),
    Relation("crime_streets", "crimes", lambda a: _find_left_out(a, "crimes", "no walkable"),
             0, MANY, "{value:,.0f} crimes of the area are near no street",
             "give the streets of the whole area"),
    Relation("crime_forces", "crimes", lambda a: (
             [one not in a["crimes"].forces for one in a.settings.crimes.leave_out_forces
              if one not in CrimeSettings().leave_out_forces], a.settings.crimes.leave_out_forces),
             0, 0, "[crimes] leave_out_forces names a force that no crime has ({what})",
             "write the force as in the files"),
    *(Relation(name, "reports", partial(_find_odd_reports, name=name), 0, 0, says, OWN, STOP)
      for name, says in (("report_places", "most reports of {what} have two or three decimals"),
                         ("report_pin", "most reports of {what} are at one point"),
                         ("report_bands", "most reports of {what} have an unknown time band"),
                         ("report_days", "most reports of {what} are of one day"),
                         ("report_words", "most reports of {what} have the same words"))),
    Relation("school_places", "schools", partial(_top_place, source="schools"), 0, 0.2, AT_ONE, OWN),
    Relation("school_filled", "schools", lambda a: _top(a["schools"]["roll"].dropna()), 0, 0.3,
             FILLED, OWN),
    Relation("school_filled", "schools", lambda a: _top(a["schools"]["capacity"].dropna()), 0, 0.5,
             FILLED, OWN),
    Relation("school_rolls", "schools", lambda a: _find_rolls(a, "roll", "capacity"), 0.05, 3,
             "the pupils of URN {what} do not go with its capacity", "correct roll or capacity"),
    Relation("school_rolls", "schools", lambda a: _find_rolls(a, "roll", "years"), 0, 450,
             "URN {what} has {value:,.0f} pupils for each year of age", "correct roll or ages"),
    Relation("school_ages", "schools", _find_ages, 0, 0,
             "the phase does not go with the ages ({what})", "correct the ages or the phase"),
    Relation("bell_hours", "bell_times", lambda a: _find_bells(a, "start_time", "finish_time"),
             5, 9, "URN {what} is open for {value:.1f} hours", "correct the bells"),
    *(Relation("bell_far", "bell_times", lambda a, bell=bell: _find_bells(a, bell), -1.2, 1.2,
               "the bell of URN {what} is {value:+.1f} hours from the usual one", "correct it")
      for bell in ("start_time", "finish_time")),
    *(Relation("term_spans", "term_dates", partial(_days, source="term_dates", kind=kind), 0, most,
               "the days from one date to the other are {value:.0f} ({what})", DATES)
      for kind, most in (("term", 130), ("closed", 80))),
    Relation("term_spans", "term_dates", lambda a: _days(a, "term_dates", ""), -INF, 900,
             "dates are {value:.0f} days after the newest crime ({what})", DATES),
    Relation("term_halves", "term_dates", _find_half_terms, 0, 15,
             "a term has {value:.0f} weeks without a closed day ({what})", "add its half term"),
    Relation("term_past", "term_dates", lambda a: (
             [(a.newest - a["term_dates"]["to"].max()).days], [""]), -INF, 31,
             "all terms end before the newest crime", "add the present school year"),
    Relation("officer_twice", "officers", lambda a: (a["officers"]["officer"].str.casefold()
             .str.replace(r"[\W_]+", "", regex=True).duplicated(), a["officers"]["officer"]),
             0, 0, "{what} is there before in another spelling", COPY, STOP),
    Relation("officer_patrols", "officers", _find_many_patrols, 0, 1,
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
    Relation("duty_calendars", "duties", lambda a: _find_left_out(a, "duties", LEFT_OUT_EVENTS),
             0, 0, "events are left out, so the officer counts as free: {value:.0f} {what}",
             "correct them in their calendar, and export that again"),
    Relation("tasked_conflict", "tasked_places", partial(_find_tasked_pairs, differ=True), 30, INF,
             "one place is both to visit and barred on the same days ({what})",
             "correct one of them", STOP),
    Relation("tasked_twice", "tasked_places", partial(_find_tasked_pairs, differ=False), 30, INF,
             "one place is there twice for the same days ({what})", COPY),
    Relation("tasked_spans", "tasked_places", partial(_days, source="tasked_places"), 0, 550,
             "it holds for {value:,.0f} days ({what})", DATES),
    Relation("tasked_spans", "tasked_places", lambda a: _days(a, "tasked_places", "", "from"), -INF, 550,
             "it begins {value:,.0f} days after the newest crime ({what})", DATES),
    Relation("tasked_spans", "tasked_places", lambda a: _days(a, "tasked_places", ""), -365, INF,
             "it ended {value:,.0f} days after the newest crime ({what})", DATES),
    Relation("designated_drawn", "designated", lambda a: (
             (pd.to_datetime(a["designated"]["drawn"].replace("", None), format="ISO8601")
              - find_newest_plausible_month()).dt.days, (a["designated"], "place_id", "drawn")),
             -INF, 31, "a hotspot was drawn in the future ({what})", "correct 'drawn'"),
    Relation("designated_twice", "designated", _find_same_ground, 0, 0.5,
             "{value:.0%} of a hotspot is drawn twice ({what})", "keep one of the two"),
    Relation("designated_wide", "designated", lambda a: ([a.measure_street(own) for own in
             find_pieces_of_shapes(a.network, a["designated"].geometry.to_numpy())],
             a["designated"]["place_id"]), 0, 0.33,
             "{what} has {value:.0%} of the area's street", "draw the hotspot, not its district"),
    Relation("designated_minutes", "designated", lambda a: (
             [a["designated"]["minutes"].sum() / (_measure_hours(a["officers"]).sum() or 7 * DAY)],
             [""]), 0, 1, "they need {value:.1f} times the minutes of all officers in a week",
             "correct 'minutes', which are those of a week"),
    Relation("origin_rolls", "origins", lambda a: _find_rolls(a, "origins", "roll"), 0.25, 1.3,
             "the pupils of URN {what} are {value:.2g} times its roll", "correct one of the two"),
    Relation("origin_one_area", "origins", _find_one_origin, 0, 0.8,
             "{value:.0%} of the pupils of URN {what} live in one area", OWN),
    Relation("area_residents", "areas", partial(_find_people, what="density"), 50, 60_000,
             "there are {value:,.1f} residents per km\u00b2", "write them as numbers of people"),
    Relation("area_residents", "areas", partial(_find_people, what="none"), 0, 0.1,
             "{value:.0%} of the areas have no residents", "write them as numbers of people"),
    Relation("area_residents", "areas", partial(_find_people, what="young"), 0.02, 0.4,
             "{value:.0%} of the residents are of school age", "correct aged_5_16"),
    Relation("area_cover", "areas", _find_uncovered, 0, 0.1,
             "{value:.0%} of the area's street is in none of them", "add the missing polygons"),
    Relation("area_overlaps", "areas", lambda a: (
             [a["areas"].area.sum() / a["areas"].union_all().area], [""]), 0, 1.1,
             "they overlap", "keep each polygon once"),
    Relation("stop_few", "stops", lambda a: ([len(a["stops"]) if a.is_long else INF], [""]), 3, INF,
             "there are only {value:.0f}", "export all stops"),
    Relation("stop_places", "stops", partial(_top_place, source="stops"), 0, 0.3, AT_ONE, OWN),
    Relation("stop_boardings", "stops", _find_boardings, 0, 6,
             "boardings of {what} seem to be of different periods, {value:,.0f} times apart",
             "write those of one period for all stops"),
    Relation("place_places", "places", partial(_top_place, source="places"), 0, 0.3, AT_ONE, OWN),
    Relation("clock_peaks", "clock", lambda a: (a["clock"]["share"], a["clock"]), 0, 0.4,
             "{value:.0%} of the day is in one half-hour ({what})", "write each half-hour's share"),
    Relation("street_paths", "streets", lambda a: ([a.measure_street(np.isin(
             a.network.piece_highway.astype(str), (*PATHS, "pedestrian", "")))
             if a.is_long else 1], [""]), 0.001, 1,
             "there is no path for walking, as in a network for driving",
             "export the streets for walking"),
    Relation("street_names", "streets", lambda a: _find_street_names(a) if a.is_long else NOTHING,
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


def check_age(area: StudyArea, day: dt.date | None) -> StudyArea:
    """The area with the first of all notes if its crime ends long before a day, None: today.

    Crime of more than two years before the day given is refused, unless `[accept]` has a reason.
    """
    newest = area.incidents["month"].max() + pd.offsets.MonthEnd()
    today = pd.Timestamp(day or dt.datetime.now().astimezone().date())
    if today <= newest + pd.DateOffset(months=OLD_MONTHS):
        return area
    reason, since = area.settings.accept.reasons.get(OLD, ""), f"{day}" if day else "today"
    what = f"recorded crime ends in {newest:%B %Y}, more than six months before {since}"
    if day and today > newest + pd.DateOffset(months=REFUSED_MONTHS) and not reason:
        remedy = f'add newer crime, or accept it under [accept] with {OLD} = "why"'
        raise InputError.one("[sources] crimes", what.replace("six months", "two years"), remedy)
    what, report = what + f" (accepted: {reason})" * bool(reason), LoadReport()
    _tell(OLD, "crimes", what, "add newer crime", area.settings, report)
    others = [note for note in area.notes if note.kind != report.notes[0].kind]
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
    values: dict[str, NoteValue] = {"check": name, "table": where, "what": what, "remedy": remedy}
    report.notes.append(Note("crime_old" if name == OLD else "relation_odd", values))
