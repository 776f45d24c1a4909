"""Recorded crime within a walk of a school's gate: what is compared, counts, and what is rising.

A brief compares the time since a day with the year before it and with the same time a year before.
Open data gives months and no days, so these periods are whole months; with the days of a force's
own extract they are days. Counts are by category and by street, as they may be shown.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.significance import MIN_EVENTS, is_significant
from patrolplan.network.graph import compute_piece_distances
from patrolplan.network.names import label_streets
from patrolplan.network.pieces import PIECE_METRES

BASELINE_MONTHS = 12
"""The baseline is a whole year, so that every season counts once."""

BLOCK_DAYS = 28
"""Length of the blocks from which dispersion is estimated, in whole weeks, where days are held."""

MIN_BLOCKS = 3
"""With fewer blocks in the baseline, dispersion cannot be estimated."""

MAX_STREETS = 6
"""Number of streets that a brief names, so that it fits on one page."""


@dataclass(frozen=True)
class Period:
    """From one midnight up to, and without, another."""

    start: pd.Timestamp
    end: pd.Timestamp

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.end - self.start).days

    @property
    def months(self) -> int:
        """Length of a period of whole months."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def last(self) -> pd.Timestamp:
        """The last day in it."""
        return self.end - pd.Timedelta(days=1)


@dataclass(frozen=True)
class ComparedPeriods:
    """The periods that a brief compares."""

    current: Period
    """From the requested day, or its month, up to the end of the data."""
    year_before: Period | None
    """The same days or months a year before; None where the data does not reach back to them."""
    baseline: Period
    """The year before `current`, or as much of it as the data holds."""
    by_day: bool
    """Whether days are counted; otherwise whole months."""

    @property
    def exposure(self) -> float:
        """Length of `current` divided by the length of `baseline`."""
        if self.by_day:
            return self.current.days / self.baseline.days
        return self.current.months / self.baseline.months

    @property
    def baseline_blocks(self) -> pd.DatetimeIndex:
        """Edges that cut `baseline` into months, or from its end into blocks of four weeks."""
        start, end = self.baseline.start, self.baseline.end
        if not self.by_day:
            return pd.date_range(start, end, freq="MS")
        blocks = self.baseline.days // BLOCK_DAYS
        return pd.date_range(end=end, periods=blocks + 1, freq=f"{BLOCK_DAYS}D")


@dataclass(frozen=True, eq=False)
class IncidentDates:
    """When each incident was: (i,) from midnight of its day or month, until the next one's."""

    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    by_day: bool

    def is_inside(self, period: Period) -> NDArray[np.bool_]:
        """(i,) whether an incident lies in a period; one without a day only by its whole month."""
        after = self.start >= period.start.to_datetime64()
        return np.asarray(after & (self.end <= period.end.to_datetime64()))


def find_incident_dates(incidents: pd.DataFrame) -> IncidentDates:
    """Days of incidents, and months of those without one; where few have one, months of all.

    With a few days among months, counting by day would drop every month that is cut by a period.
    """
    month = incidents["month"].to_numpy(dtype="datetime64[D]")
    next_month = (month.astype("datetime64[M]") + 1).astype("datetime64[D]")
    has_day = incidents["occurred_at"].notna().to_numpy()
    by_day = bool(has_day.sum() > len(has_day) / 2)
    has_day = has_day & by_day
    day = incidents["occurred_at"].to_numpy(dtype="datetime64[D]")
    start = np.where(has_day, day, month)
    end = np.where(has_day, day + np.timedelta64(1, "D"), next_month)
    return IncidentDates(start, end, by_day)


def choose_periods(dates: IncidentDates, since: dt.date) -> ComparedPeriods:
    """The periods to compare for what was recorded since a day.

    Raises
    ------
    InputError
        When the data ends before that day, or holds nothing before it to compare with.
    """
    first, end = pd.Timestamp(dates.start.min()), pd.Timestamp(dates.end.max())
    start = pd.Timestamp(since) if dates.by_day else pd.Timestamp(since).replace(day=1)
    unit, form = ("day", "%Y-%m-%d") if dates.by_day else ("month", "%Y-%m")
    where, last = "--since", Period(first, end).last
    if start >= end:
        what = f"{since:%Y-%m-%d} is after the latest {unit} in the data, {last:{form}}"
        raise InputError.one(where, what, f"give {last:{form}} or earlier, or add newer data")
    if start <= first:
        what = f"{since:%Y-%m-%d} has no data before it: the data starts in {first:{form}}"
        raise InputError.one(where, what, f"give a later {unit}")
    year = pd.DateOffset(years=1)
    year_before = Period(start - year, end - year)
    return ComparedPeriods(
        current=Period(start, end),
        year_before=year_before if year_before.start >= first else None,
        baseline=Period(max(first, start - pd.DateOffset(months=BASELINE_MONTHS)), start),
        by_day=dates.by_day,
    )


@dataclass(frozen=True, eq=False)
class WalkingArea:
    """Streets within a walk of a gate."""

    walk_metres: NDArray[np.float64]
    """(p,) walk from the gate to each piece of the area's network; inf beyond the radius."""
    catchment_shares: NDArray[np.float64]
    """(c,) share of each catchment's street that lies within."""

    @property
    def within(self) -> NDArray[np.bool_]:
        """(p,) whether a piece is within the walk."""
        return np.isfinite(self.walk_metres)


def find_walking_area(area: StudyArea, row: int) -> WalkingArea:
    """Streets within the settings' radius of a school's gate, the same that its patrols reach."""
    network, radius = area.network.walkable, area.settings.patrol.radius_metres
    gate = area.gates.take([row])
    # A walk within the radius stays in its circle; pieces that it reaches lie half in at least.
    near = np.union1d(
        network.find_pieces_within(network.xy(gate)[0], radius + 2 * PIECE_METRES), gate.piece
    )
    walk = compute_piece_distances(
        network.take(near), gate.map_to_subnetwork(near), limit_metres=radius
    )
    metres = np.full(len(network), np.inf)
    metres[near] = np.where(walk <= radius, walk, np.inf)
    metres[gate.piece] = 0.0
    metres = metres[: len(area.network)]
    catchments = area.catchments
    share = np.where(np.isfinite(metres), catchments.piece_share, 0.0)
    within = np.bincount(catchments.piece_catchment, weights=share, minlength=len(catchments))
    return WalkingArea(metres, within.astype(np.float64))


@dataclass(frozen=True)
class ShownCount:
    """A number as it may be shown; `value` is None where it may not be, or is unknown."""

    value: float | None
    minimum: float = 1.0
    """Smaller numbers are suppressed, where the settings hold crime to the threshold."""

    @property
    def text(self) -> str:
        """The number in words.

        Examples
        --------
        >>> [ShownCount(value).text for value in (1234.2, 7.26, 0.3, 0.0, None)]
        ['1,234', '7', 'under 1', '0', 'no data']
        """
        if self.value is None:
            return f"fewer than {self.minimum:g}" if self.minimum > 1 else "no data"
        return "under 1" if 0 < self.value < 0.5 else f"{self.value:,.0f}"  # noqa: PLR2004


@dataclass(frozen=True)
class CrimeSummary:
    """Recorded crime of one category, or on one street, within the walk."""

    name: str
    now: ShownCount
    """Since the requested day."""
    usual: ShownCount
    """The mean of the baseline, for a period as long."""
    year_before: ShownCount
    """The same days or months a year before."""
    rising: bool = False
    """More than chance and, where the year before is held, more than then."""
    p_value: float | None = None
    """Chance of as many if nothing changed; None where not computed or not to be shown."""


@dataclass(frozen=True, eq=False)
class CrimeCounter:
    """Counts the recorded crime around one school."""

    area: StudyArea
    walking_area: WalkingArea
    dates: IncidentDates
    periods: ComparedPeriods
    categories: tuple[str, ...]
    """Categories that count, k in number."""

    @property
    def minimum_shown(self) -> float:
        """Smallest number of crimes that may be shown."""
        return float(self.area.settings.privacy.min_crime_count)

    def suppress_small(self, value: float | None) -> ShownCount:
        """A number of crimes, suppressed under the threshold where crime is held to it."""
        if value is None:
            return ShownCount(None)
        if self.minimum_shown > 1 and round(value) < self.minimum_shown:
            return ShownCount(None, self.minimum_shown)
        return ShownCount(float(value), self.minimum_shown)

    def count_by_category(self) -> tuple[tuple[CrimeSummary, ...], CrimeSummary]:
        """Every category that counts, and all of them together."""
        periods = self.periods
        now = self._count_categories(periods.current)
        before = self._count_categories(periods.baseline)
        year = None if periods.year_before is None else self._count_categories(periods.year_before)
        p_values = compute_p_values(now, before, periods.exposure, self._estimate_dispersion())
        rising = find_rising(p_values, now, year)
        summaries = tuple(
            self._summarise(
                name,
                now[k],
                before[k],
                None if year is None else year[k],
                rising=bool(rising[k]),
                p_value=float(p_values[k]),
            )
            for k, name in enumerate(self.categories)
        )
        year_total = None if year is None else year.sum()
        total = self._summarise("All of these", now.sum(), before.sum(), year_total)
        return summaries, _suppress_totals(total, summaries)

    def count_by_street(self) -> tuple[CrimeSummary, ...]:
        """Named streets with most crime since the day; counts are of pieces within the walk."""
        labels = label_streets(self.area.network)
        within = self.walking_area.within
        named = np.isin(labels, np.unique(self.area.network.piece_name[within]))
        named &= (labels != "") & within
        names, street_of_piece = np.unique(labels[named].astype(str), return_inverse=True)

        def count(period: Period) -> NDArray[np.float64]:
            pieces = self._count_pieces(period)[named]
            return np.bincount(street_of_piece, pieces, len(names)).astype(np.float64)

        now, before = count(self.periods.current), count(self.periods.baseline)
        year = None if self.periods.year_before is None else count(self.periods.year_before)
        order = np.argsort(-np.round(now, 6), kind="stable")[:MAX_STREETS]
        return tuple(
            self._summarise(str(names[k]), now[k], before[k], None if year is None else year[k])
            for k in order
            if round(now[k]) >= max(1, self.minimum_shown)
        )

    def count_without_day(self) -> int:
        """Incidents without a day whose month the current period cuts; 0 if months are counted."""
        if not self.periods.by_day:
            return 0
        current = self.periods.current
        touched = self.dates.end > current.start.to_datetime64()
        touched &= ~self.dates.is_inside(current) & self._is_counted()
        catchments = self.area.incident_catchment[touched]
        return round(float(self.walking_area.catchment_shares[catchments].sum()))

    def _is_counted(self) -> NDArray[np.bool_]:
        """(i,) whether the category of an incident counts."""
        return np.asarray(self.area.incidents["category"].isin(self.categories))

    def _count_categories(self, period: Period) -> NDArray[np.float64]:
        """(k,) incidents of a period within the walk, each spread evenly over its catchment."""
        shares = self.walking_area.catchment_shares[self.area.incident_catchment]
        weights = np.where(self.dates.is_inside(period), shares, 0.0)
        category = self.area.incidents["category"].cat
        sums = np.bincount(category.codes, weights, len(category.categories))
        totals = pd.Series(sums, index=category.categories).reindex(list(self.categories))
        return totals.fillna(0.0).to_numpy(dtype=np.float64)

    def _count_pieces(self, period: Period) -> NDArray[np.float64]:
        """(p,) incidents of a period on each piece within the walk."""
        counted = self.dates.is_inside(period) & self._is_counted()
        catchments = self.area.catchments
        amounts = np.bincount(self.area.incident_catchment[counted], minlength=len(catchments))
        return np.where(self.walking_area.within, catchments.spread(amounts), 0.0)

    def _estimate_dispersion(self) -> NDArray[np.float64]:
        """(k,) how much more the baseline varies than chance alone would make it; at least 1.

        Variance over mean of the counts of equal blocks (Pearson's estimate, quasi-Poisson).
        """
        blocks = [Period(*edges) for edges in pairwise(self.periods.baseline_blocks)]
        if len(blocks) < MIN_BLOCKS:
            return np.ones(len(self.categories))
        counts = np.array([self._count_categories(block) for block in blocks])
        mean = counts.mean(axis=0)
        variance = counts.var(axis=0, ddof=1)
        dispersion = np.divide(variance, mean, out=np.ones_like(mean), where=mean > 0)
        return np.asarray(np.maximum(1.0, dispersion))

    def _summarise(
        self,
        name: str,
        now: float,
        before: float,
        year: float | None,
        *,
        rising: bool = False,
        p_value: float | None = None,
    ) -> CrimeSummary:
        """Counts as they may be shown; what is derived from a suppressed one is suppressed too."""
        current = self.suppress_small(now)
        usual = self.suppress_small(before * self.periods.exposure)
        shown = current.value is not None and usual.value is not None
        return CrimeSummary(
            name=name,
            now=current,
            usual=usual,
            year_before=self.suppress_small(year),
            rising=rising and shown,
            p_value=p_value if shown else None,
        )


def _suppress_totals(total: CrimeSummary, parts: Sequence[CrimeSummary]) -> CrimeSummary:
    """Suppress each total with a suppressed part: the other parts would give that away."""

    def suppress(count: ShownCount, counts: list[ShownCount]) -> ShownCount:
        hidden = any(part.value is None and part.minimum > 1 for part in counts)
        return ShownCount(None, np.inf) if hidden else count

    return replace(
        total,
        now=suppress(total.now, [part.now for part in parts]),
        usual=suppress(total.usual, [part.usual for part in parts]),
        year_before=suppress(total.year_before, [part.year_before for part in parts]),
    )


def compute_p_values(
    current: NDArray[np.float64],
    baseline: NDArray[np.float64],
    exposure: float,
    overdispersion: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Chance of at least as many incidents as now, if nothing changed.

    Given both counts, the current one is binomial if nothing changed (conditional Poisson test).
    Counts that vary more than chance are divided by their dispersion first.

    Parameters
    ----------
    current, baseline
        (k,) incidents.
    exposure
        Length of the current period divided by that of the baseline.
    overdispersion
        (k,) variance over mean of the baseline, at least 1.
    """
    recent, earlier = np.round(current / overdispersion), np.round(baseline / overdispersion)
    chance = stats.binom.sf(recent - 1, recent + earlier, exposure / (1 + exposure))
    return np.where(current + baseline < MIN_EVENTS, 1.0, chance)


def find_rising(
    p_values: NDArray[np.float64],
    current: NDArray[np.float64],
    year_before: NDArray[np.float64] | None,
) -> NDArray[np.bool_]:
    """(k,) more than chance over all categories together, and more than a year before."""
    up = is_significant(p_values)
    return up if year_before is None else up & (current > year_before)
