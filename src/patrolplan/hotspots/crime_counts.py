"""Recorded crime within a walk of a school's gate: counts, comparisons, and what is rising."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import InstanceOf, PlainSerializer

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.trends import MIN_EVENTS, is_significant
from patrolplan.network.graph import compute_walk_metres
from patrolplan.network.names import label_streets
from patrolplan.text import format_count
from patrolplan.times import format_days

BASELINE_MONTHS = 12  # The baseline is a whole year, so that every season counts once
BLOCK_DAYS = 28  # Length of the blocks for estimating dispersion, in whole weeks, if there are days
MIN_BLOCKS = 3  # Minimum blocks in the baseline to estimate dispersion
Numbers = NDArray[np.float64]
Midnight = Annotated[InstanceOf[pd.Timestamp], PlainSerializer(lambda at: f"{at:%Y-%m-%d}")]


@dataclass(frozen=True)
class Period:
    """From one midnight up to another, which is excluded."""

    start: Midnight
    end: Midnight
    by_day: bool = False  # Whether its days are counted; otherwise it is of whole months

    @property
    def length(self) -> int:
        """Length in days or months."""
        if self.by_day:
            return (self.end - self.start).days
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def words(self) -> str:
        """Its length in words."""
        return format_count(self.length, "day" if self.by_day else "month")

    @property
    def dates(self) -> str:
        """Its dates in words: "July to September 2026", "10 to 30 September 2026"."""
        first, last = self.start, self.last
        if self.by_day:
            return format_days(first, last)
        if self.length == 1:
            return f"{first:%B %Y}"
        return f"{first:%B}{'' if first.year == last.year else f' {first:%Y}'} to {last:%B %Y}"

    @property
    def last(self) -> pd.Timestamp:
        """The last day in it."""
        return self.end - pd.Timedelta(days=1)


@dataclass(frozen=True)
class ComparedPeriods:
    """The periods that a brief compares."""

    current: Period  # From the requested day, or its month, up to the end of the data
    year_before: Period | None  # None if the data does not reach back to it
    baseline: Period  # The year before `current`, or as much of it as is in the data

    @property
    def exposure(self) -> float:
        """Length of `current` divided by the length of `baseline`."""
        return self.current.length / self.baseline.length

    @property
    def baseline_blocks(self) -> pd.DatetimeIndex:
        """Edges that cut `baseline` into months, or from its end into blocks of four weeks."""
        if not self.baseline.by_day:
            return pd.date_range(self.baseline.start, self.baseline.end, freq="MS")
        blocks = self.baseline.length // BLOCK_DAYS
        return pd.date_range(end=self.baseline.end, periods=blocks + 1, freq=f"{BLOCK_DAYS}D")


@dataclass(frozen=True, eq=False)
class IncidentDates:
    """When each incident was: (i,) from midnight of its day or month, until the next one's."""

    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    by_day: bool

    def is_inside(self, period: Period) -> NDArray[np.bool_]:
        """(i,) whether an incident is in a period; one without a day only if its whole month is."""
        after = self.start >= period.start.to_datetime64()
        return np.asarray(after & (self.end <= period.end.to_datetime64()))


def find_incident_dates(incidents: pd.DataFrame) -> IncidentDates:
    """Days of incidents, and months of those without one; if few have one, months of all."""
    # With a few days among months, counting by day would drop every month that a period cuts.
    month = incidents["month"].to_numpy(dtype="datetime64[D]")
    next_month = (month.astype("datetime64[M]") + np.timedelta64(1, "M")).astype("datetime64[D]")
    has_day = incidents["occurred_at"].notna().to_numpy()
    by_day = bool(has_day.sum() > len(has_day) / 2)
    has_day = has_day & by_day
    day = incidents["occurred_at"].to_numpy(dtype="datetime64[D]")
    start = np.where(has_day, day, month)
    end = np.where(has_day, day + np.timedelta64(1, "D"), next_month)
    return IncidentDates(start, end, by_day)


def choose_periods(dates: IncidentDates, since: dt.date) -> ComparedPeriods:
    """The periods to compare for what was recorded since a day, if the data has both."""
    first, end = pd.Timestamp(dates.start.min()), pd.Timestamp(dates.end.max())
    start = pd.Timestamp(since) if dates.by_day else pd.Timestamp(since).replace(day=1)
    unit, form = ("day", "%Y-%m-%d") if dates.by_day else ("month", "%Y-%m")
    where, last = "since", Period(first, end).last
    if start >= end:
        what = f"{since:%Y-%m-%d} is after the latest {unit} in the data, {last:{form}}"
        raise InputError.one(where, what, f"give {last:{form}} or earlier, or add newer data")
    if start <= first:
        what = f"{since:%Y-%m-%d} has no data before it: the data starts in {first:{form}}"
        raise InputError.one(where, what, f"give a later {unit}")
    year = pd.DateOffset(years=1)
    year_before = Period(start - year, end - year, dates.by_day)
    baseline = max(first, start - pd.DateOffset(months=BASELINE_MONTHS))
    return ComparedPeriods(
        current=Period(start, end, dates.by_day),
        year_before=year_before if year_before.start >= first else None,
        baseline=Period(baseline, start, dates.by_day),
    )


def estimate_dispersion(counts: Numbers) -> Numbers:
    """(k,) how much more (b, k) counts of equal blocks vary than chance alone; at least 1."""
    # Variance over mean (Pearson's estimate, quasi-Poisson).
    if len(counts) < MIN_BLOCKS:
        return np.ones(counts.shape[1])
    mean = counts.mean(axis=0)
    variance = counts.var(axis=0, ddof=1)
    dispersion = np.divide(variance, mean, out=np.ones_like(mean), where=mean > 0)
    return np.asarray(np.maximum(1.0, dispersion))


ALL_HELD = 0.95  # of each period for counts to be comparable: less would look like a change
MAX_STREETS = 6  # Number of streets that a brief names, so that it fits on one page


@dataclass(frozen=True, eq=False)
class WalkingArea:
    """Streets within a walk of a gate."""

    walk_metres: NDArray[np.float64]  # (p,) from the gate to each piece; inf beyond the radius
    catchment_shares: NDArray[np.float64]  # (c,) share of each catchment's street within the walk

    @property
    def within(self) -> NDArray[np.bool_]:
        """(p,) whether a piece is within the walk."""
        return np.isfinite(self.walk_metres)


def find_walking_area(area: StudyArea, row: int) -> WalkingArea:
    """Streets within the settings' radius of a school's gate, the same as within patrols' reach."""
    radius = area.settings.patrol.radius_metres
    metres = compute_walk_metres(area.network.walkable, area.gates.take([row]), radius)
    metres = metres[: len(area.network)]
    catchments = area.catchments
    share = np.where(np.isfinite(metres), catchments.piece_share, 0.0)
    within = np.bincount(catchments.piece_catchment, weights=share, minlength=len(catchments))
    return WalkingArea(metres, within.astype(np.float64))


def _round(digits: int) -> PlainSerializer:
    return PlainSerializer(lambda value: None if value is None else round(value, digits))


@dataclass(frozen=True)
class ShownCount:
    """A number for display; `value` is None if it is suppressed or unknown."""

    value: Annotated[float | None, _round(2)]
    text: str  # The number in words, or why there is none


NOT_SHOWN: Any = ShownCount(None, "not shown")


@dataclass(frozen=True)
class CrimeSummary:
    """Recorded crime of one category, or on one street, within the walk."""

    name: str
    now: ShownCount  # Since the requested day
    usual: ShownCount  # The mean of the baseline for a period of the same length
    year_before: ShownCount  # The same days or months a year before
    rising: bool = False  # Above chance and, where known, above the year before
    p_value: Annotated[float | None, _round(6)] = None  # Chance of as many if nothing changed


@dataclass(frozen=True, eq=False)
class CrimeCounter:
    """Counts the recorded crime around one school."""

    area: StudyArea
    walking_area: WalkingArea
    dates: IncidentDates
    periods: ComparedPeriods
    categories: tuple[str, ...]  # Categories that count, k in number

    @cached_property
    def is_comparable(self) -> bool:
        """Whether all periods are held, so that a difference is one of what was recorded."""
        periods = (self.periods.current, self.periods.baseline, self.periods.year_before)
        return min(self.measure_held(one) for one in periods if one) >= ALL_HELD

    def measure_held(self, period: Period) -> float:
        """Share held of a period: the mean over its months and over the street within the walk."""
        first = period.start.replace(day=1)
        months = pd.date_range(first, period.last, freq="MS", unit="ns")
        held = self.area.exposure.find_shares(months)
        if held is None:
            return 1.0
        catchment = self.area.catchments.piece_catchment
        metres = np.where(self.walking_area.within, self.area.network.piece_metres, 0.0)
        street = np.bincount(catchment, metres, len(self.area.catchments))
        return float(held.mean(axis=0) @ street / street.sum())

    def count_by_category(self) -> tuple[tuple[CrimeSummary, ...], CrimeSummary]:
        """Summaries of every category that counts, and of all together."""

        def count(period: Period) -> NDArray[np.float64]:
            # Within the walk, each crime spread evenly over its catchment.
            return np.asarray(self.walking_area.catchment_shares @ self._count(period))

        counts = self._compare(count)
        blocks = [Period(*edges) for edges in pairwise(self.periods.baseline_blocks)]
        in_blocks = np.reshape([count(one) for one in blocks], (len(blocks), -1))
        before, exposure = count(self.periods.baseline), self.periods.exposure
        p_values = compute_p_values(counts[0], before, exposure, estimate_dispersion(in_blocks))
        rising = find_rising(p_values, counts[0], counts[2] if self.periods.year_before else None)
        summaries = []
        for k, name in enumerate(self.categories):
            shown = self._summarise(name, counts[:, k])
            if shown.now.value is not None and shown.usual.value is not None:
                shown = replace(shown, rising=bool(rising[k]), p_value=float(p_values[k]))
            summaries.append(shown)
        # A total with a suppressed part is suppressed, since the part could be computed from it.
        fields = zip(("now", "usual", "year_before"), counts, strict=True)
        hidden = {name for name, row in fields if self._is_small(row).any()}
        total = self._summarise("All of these", counts.sum(axis=1))
        return tuple(summaries), replace(total, **dict.fromkeys(hidden, NOT_SHOWN))

    def count_by_street(self) -> tuple[CrimeSummary, ...]:
        """Named streets with most crime since the day; only pieces within the walk are counted."""
        labels = label_streets(self.area.network)
        within = self.walking_area.within
        named = np.isin(labels, np.unique(self.area.network.piece_name[within]))
        named &= (labels != "") & within
        names, street = np.unique(labels[named].astype(str), return_inverse=True)

        def sum_streets(period: Period) -> NDArray[np.float64]:
            pieces = self.area.catchments.spread(self._count(period).sum(axis=1))[named]
            return np.bincount(street, pieces, len(names)).astype(np.float64)

        counts = self._compare(sum_streets)
        order = np.argsort(-np.round(counts[0], 6), kind="stable")[:MAX_STREETS]
        least = max(1, self.area.settings.privacy.min_crime_count)
        shown = [k for k in order if round(counts[0, k]) >= least]
        return tuple(self._summarise(str(names[k]), counts[:, k]) for k in shown)

    def _compare(self, count: Callable[[Period], NDArray[np.float64]]) -> NDArray[np.float64]:
        """(3, n) counts now, the baseline's for as long a time, and a year before; or NaN."""
        counts = np.full((3, len(now := count(self.periods.current))), np.nan)
        counts[0] = now
        if self.is_comparable:
            counts[1] = count(self.periods.baseline) * self.periods.exposure
            if self.periods.year_before is not None:
                counts[2] = count(self.periods.year_before)
        return counts

    def _count(self, period: Period) -> NDArray[np.int64]:
        """(c, k) incidents of a period by catchment and category."""
        kinds = self.area.incidents["category"].cat.set_categories(list(self.categories))
        category = kinds.cat.codes.to_numpy()
        counted = self.dates.is_inside(period) & (category >= 0)
        counts = np.zeros((len(self.area.catchments), len(self.categories)), dtype=np.int64)
        np.add.at(counts, (self.area.incident_catchment[counted], category[counted]), 1)
        return counts

    def _summarise(self, name: str, counts: NDArray[np.float64]) -> CrimeSummary:
        now, usual, year = map(self._show, counts.tolist())
        return CrimeSummary(name, now, usual, year)

    def _is_small(self, counts: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether numbers are below the threshold, if it applies to crime; NaN is not."""
        minimum = self.area.settings.privacy.min_crime_count
        return np.asarray((minimum > 1) & (np.round(counts) < minimum))

    def _show(self, value: float) -> ShownCount:
        """A number of crimes, or why it is not shown."""
        if np.isnan(value):
            return ShownCount(None, "no data" if self.is_comparable else "not comparable")
        if self._is_small(np.asarray(value)):
            return ShownCount(None, f"fewer than {self.area.settings.privacy.min_crime_count}")
        text = "under 1" if 0 < value < 0.5 else f"{value:,.0f}"  # noqa: PLR2004 - rounds to 0
        return ShownCount(float(value), text)


def compute_p_values(
    current: Numbers, baseline: Numbers, exposure: float, overdispersion: Numbers
) -> Numbers:
    """(k,) chance of at least the current number; `exposure` is length over the baseline's."""
    # Given both counts, the current one is binomial if nothing changed (conditional Poisson test).
    # Counts that vary more than chance are divided by their dispersion first: variance over mean.
    from scipy import stats  # noqa: PLC0415 - heavy, and of briefs alone

    recent, earlier = np.round(current / overdispersion), np.round(baseline / overdispersion)
    chance = stats.binom.sf(recent - 1, recent + earlier, exposure / (1 + exposure))
    return np.where(current + baseline < MIN_EVENTS, 1.0, chance)


def find_rising(
    p_values: Numbers, current: Numbers, year_before: Numbers | None
) -> NDArray[np.bool_]:
    """(k,) whether there are more than by chance over all categories, and than a year before."""
    up = is_significant(p_values)
    return up if year_before is None else up & (current > year_before)
