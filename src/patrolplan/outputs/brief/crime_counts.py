"""Recorded crime within a walk of a school's gate: counts, comparisons, and what is rising.

Counts are by category and by street, with small ones suppressed; for the periods see `periods`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.trends import MIN_EVENTS, is_significant
from patrolplan.network.graph import compute_walk_metres
from patrolplan.network.names import label_streets
from patrolplan.outputs.brief.periods import (
    BoundedMonths,
    ComparedPeriods,
    HeldPeriods,
    IncidentDates,
    Period,
    RiseBounds,
    estimate_dispersion,
    find_held_shares,
    measure_months,
)

MIN_HELD_TO_RISE = 0.5
"""Minimum share of the baseline that must be held for anything to count as rising."""

ALL_HELD = 0.95
"""Minimum share held of the year before for it to be shown; less would look like a fall."""

MAX_STREETS = 6
"""Number of streets that a brief names, so that it fits on one page."""


@dataclass(frozen=True, eq=False)
class WalkingArea:
    """Streets within a walk of a gate."""

    walk_metres: NDArray[np.float64]
    """(p,) walk from the gate to each piece of the area's network; inf beyond the radius."""
    catchment_shares: NDArray[np.float64]
    """(c,) share of each catchment's street within the walk."""

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


@dataclass(frozen=True)
class ShownCount:
    """A number for display; `value` is None if it is suppressed or unknown."""

    value: float | None
    minimum: float = 1.0
    """Smaller numbers are suppressed, if the settings apply the threshold to crime."""

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
    """The mean of the baseline for a period of the same length."""
    year_before: ShownCount
    """The same days or months a year before."""
    rising: bool = False
    """Whether there are more than by chance and, if the year before is held, more than then."""
    p_value: float | None = None
    """Chance of as many if nothing changed; None if not computed or suppressed."""


@dataclass(frozen=True, eq=False)
class CrimeCounter:
    """Counts the recorded crime around one school."""

    area: StudyArea
    walking_area: WalkingArea
    dates: IncidentDates
    periods: ComparedPeriods
    categories: tuple[str, ...]
    """Categories that count, k in number."""
    held: HeldPeriods | None = None
    """How much of the periods is held; None if all of it is."""

    @property
    def minimum_shown(self) -> float:
        """Minimum number of crimes that may be shown."""
        return float(self.area.settings.privacy.min_crime_count)

    def suppress_small(self, value: float | None) -> ShownCount:
        """A number of crimes, suppressed below the threshold if it applies to crime."""
        if value is None:
            return ShownCount(None)
        if self.minimum_shown > 1 and round(value) < self.minimum_shown:
            return ShownCount(None, self.minimum_shown)
        return ShownCount(float(value), self.minimum_shown)

    def count_by_category(self) -> tuple[tuple[CrimeSummary, ...], CrimeSummary]:
        """Summaries of every category that counts, and of all together."""
        periods = self.periods
        now = self._count_categories(periods.current)
        usual = self._count_usual()
        year = self._count_year_before()
        if self.held is None:
            before = self._count_categories(periods.baseline)
            p_values = compute_p_values(now, before, periods.exposure, self._estimate_dispersion())
            rising = find_rising(p_values, now, year)
        else:
            p_values, rising = self._test_rise_of_held(self.held)
        summaries = tuple(
            self._summarise(
                name,
                now[k],
                usual[k],
                None if year is None else year[k],
                rising=bool(rising[k]),
                p_value=float(p_values[k]),
            )
            for k, name in enumerate(self.categories)
        )
        year_total = None if year is None else year.sum()
        total = self._summarise("All of these", now.sum(), usual.sum(), year_total)
        return summaries, _suppress_totals(total, summaries)

    def count_by_street(self) -> tuple[CrimeSummary, ...]:
        """Named streets with most crime since the day; only pieces within the walk are counted."""
        labels = label_streets(self.area.network)
        within = self.walking_area.within
        named = np.isin(labels, np.unique(self.area.network.piece_name[within]))
        named &= (labels != "") & within
        names, street_of_piece = np.unique(labels[named].astype(str), return_inverse=True)

        def sum_streets(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.bincount(street_of_piece, pieces[named], len(names)).astype(np.float64)

        periods = self.periods
        now = sum_streets(self._count_pieces(periods.current))
        if self.held is None:
            usual = sum_streets(self._count_pieces(periods.baseline)) * periods.exposure
        else:
            usual = sum_streets(self._count_pieces(periods.baseline, self.held.factor))
        year = None
        if periods.year_before is not None and self._count_year_before() is not None:
            year = sum_streets(self._count_pieces(periods.year_before))
        order = np.argsort(-np.round(now, 6), kind="stable")[:MAX_STREETS]
        return tuple(
            self._summarise(str(names[k]), now[k], usual[k], None if year is None else year[k])
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

    @cached_property
    def compared_shares(self) -> NDArray[np.float64]:
        """(c,) share of each catchment's street within the walk, 0 where nothing is compared."""
        shares = self.walking_area.catchment_shares
        return shares if self.held is None else np.where(self.held.comparable, shares, 0.0)

    @property
    def left_out_share(self) -> float:
        """Share of the street within the walk on which nothing is compared."""
        if self.held is None:
            return 0.0
        metres = self.area.network.piece_metres[self.walking_area.within]
        catchment = self.area.catchments.piece_catchment[self.walking_area.within]
        return float(metres[~self.held.comparable[catchment]].sum() / max(metres.sum(), 1e-9))

    def measure_held(self) -> tuple[float, float]:
        """How many months, or days, of the current period and of the baseline are held.

        The mean over catchments of both periods, weighted by the crime of a held month.
        """
        if self.held is None:
            current, baseline = self.periods.current, self.periods.baseline
            if self.periods.by_day:
                return float(current.days), float(baseline.days)
            return float(current.months), float(baseline.months)
        now, before = (
            float(length @ (exposure @ self._place_weights))
            for length, exposure in zip(self.held.lengths, self.held.exposures, strict=True)
        )
        return now, before

    @cached_property
    def _place_weights(self) -> NDArray[np.float64]:
        """(c,) result of `_weigh_places` for the streets that are compared."""
        return self._weigh_places(self.compared_shares)

    def _weigh_places(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """(c,) each catchment's share of the crime of a held month, on a part of the streets."""
        recorded = np.bincount(
            self.area.incident_catchment[self._is_counted()], minlength=len(self.area.catchments)
        )
        months = pd.date_range(self.dates.start.min(), self.dates.end.max(), freq="MS")[:-1]
        held = self.area.exposure.find_shares(months)
        length = np.full(len(recorded), len(months)) if held is None else held.sum(axis=0)
        weights = shares * recorded / np.maximum(length, 1.0)
        if not weights.any():
            weights = shares
        return np.asarray(weights / max(float(weights.sum()), 1e-12))

    def _count_categories(
        self, period: Period, shares: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """(k,) incidents of a period within the walk, each spread evenly over its catchment.

        `shares` is (c,): how much an incident of each catchment counts; by default the share of its
        street within the walk, if it is compared.
        """
        shares = self.compared_shares if shares is None else shares
        weights = np.where(self.dates.is_inside(period), shares[self.area.incident_catchment], 0.0)
        category = self.area.incidents["category"].cat
        sums = np.bincount(category.codes, weights, len(category.categories))
        totals = pd.Series(sums, index=category.categories).reindex(list(self.categories))
        return totals.fillna(0.0).to_numpy(dtype=np.float64)

    def _count_usual(self) -> NDArray[np.float64]:
        """(k,) incidents of the baseline, scaled to the length held of the current period."""
        if self.held is None:
            return self._count_categories(self.periods.baseline) * self.periods.exposure
        return self._count_categories(
            self.periods.baseline, self.compared_shares * self.held.factor
        )

    def _count_year_before(self) -> NDArray[np.float64] | None:
        """(k,) incidents of the year before; None if it, or the current period, has gaps."""
        period = self.periods.year_before
        if period is None:
            return None
        if self.held is not None:
            for one in (period, self.periods.current):
                lengths, exposure = find_held_shares(self.area, one, by_day=self.periods.by_day)
                if lengths @ (exposure @ self._place_weights) < ALL_HELD * lengths.sum():
                    return None
        return self._count_categories(period)

    def _count_pieces(
        self, period: Period, factor: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """(p,) incidents of a period on each piece within the walk.

        `factor` is (c,): how much an incident of each catchment counts; default 1.
        """
        counted = self.dates.is_inside(period) & self._is_counted()
        catchments = self.area.catchments
        amounts = np.bincount(self.area.incident_catchment[counted], minlength=len(catchments))
        compared = amounts if self.held is None else amounts * self.held.comparable
        spread = catchments.spread(compared if factor is None else compared * factor)
        return np.where(self.walking_area.within, spread, 0.0)

    def _test_rise_of_held(
        self, held: HeldPeriods
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(k,) p-values and (k,) which categories are rising, if months are missing.

        Missing months are unknown, so a rise must be certain whatever they were: missing months of
        the baseline are assumed as high as any held month before, missing months since then as low
        as any. Streets that are left out count here as well, with their own bounds.
        """
        periods, walk = self.periods, self.walking_area.catchment_shares
        groups = [np.where(which, walk, 0.0) for which in (held.comparable, ~held.comparable)]
        bounds = [self._bound_periods(shares) for shares in groups if shares.any()]
        now = np.sum([one.fewest_now for one in bounds], axis=0)
        months = np.sum([one.most_before for one in bounds], axis=0)
        dispersion = np.maximum(
            estimate_dispersion(months), np.max([one.dispersion for one in bounds], axis=0)
        )
        p_values = compute_p_values(now, months.sum(axis=0), periods.exposure, dispersion)
        lengths = [float(length.sum()) for length in held.lengths]
        if min(np.array(self.measure_held()) / lengths) < MIN_HELD_TO_RISE:
            p_values = np.ones_like(p_values)
        year = None
        if periods.year_before is not None:
            year = np.sum([one.most_year_before for one in bounds], axis=0)
        return p_values, find_rising(p_values, now, year)

    def _bound_periods(self, shares: NDArray[np.float64]) -> RiseBounds:
        """Bounds of the counts on a part of the streets, by the (c,) share of each catchment."""
        periods = self.periods
        compared = [periods.current, periods.baseline]
        compared += [] if periods.year_before is None else [periods.year_before]
        months = [self._count_months(period, shares) for period in compared]
        earlier = Period(pd.Timestamp(self.dates.start.min()), periods.current.start)
        before = self._count_months(earlier, shares).find_rates()
        none = np.zeros((1, len(self.categories)))
        highest = np.concatenate([before, none]).max(axis=0)
        rates = np.concatenate([months[0].find_rates(), before])
        lowest = rates.min(axis=0) if len(rates) else none[0]
        return RiseBounds(
            fewest_now=months[0].fill(lowest).sum(axis=0),
            most_before=months[1].fill(highest),
            most_year_before=months[-1].fill(highest).sum(axis=0),
            dispersion=estimate_dispersion(before * months[1].lengths.mean()),
        )

    def _count_months(self, period: Period, shares: NDArray[np.float64]) -> BoundedMonths:
        """Counts of each month of a period, and how much of each is held."""
        lengths, exposure = find_held_shares(self.area, period, by_day=self.periods.by_day)
        months, _ = measure_months(period, by_day=self.periods.by_day)
        edges = [*(max(month, period.start) for month in months), period.end]
        counts = [self._count_categories(Period(*both), shares) for both in pairwise(edges)]
        return BoundedMonths(np.array(counts), lengths, exposure @ self._weigh_places(shares))

    def _estimate_dispersion(self) -> NDArray[np.float64]:
        """(k,) how much more the baseline varies than by chance alone; at least 1."""
        blocks = [Period(*edges) for edges in pairwise(self.periods.baseline_blocks)]
        return estimate_dispersion(
            np.array([self._count_categories(block) for block in blocks]).reshape(
                len(blocks), len(self.categories)
            )
        )

    def _summarise(
        self,
        name: str,
        now: float,
        usual_count: float,
        year: float | None,
        *,
        rising: bool = False,
        p_value: float | None = None,
    ) -> CrimeSummary:
        """Counts for display; values derived from a suppressed one are suppressed too."""
        current = self.suppress_small(now)
        usual = self.suppress_small(usual_count)
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
    """Suppress each total with a suppressed part, which could otherwise be computed."""

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
    """(k,) chance of at least the current number of incidents, if nothing changed.

    Given both counts, the current one is binomial if nothing changed (conditional Poisson test).
    Counts that vary more than chance are divided by their dispersion first: variance over mean of
    the baseline, at least 1. `exposure` is the current period's length over the baseline's.
    """
    from scipy import stats  # noqa: PLC0415 - heavy, and of briefs alone

    recent, earlier = np.round(current / overdispersion), np.round(baseline / overdispersion)
    chance = stats.binom.sf(recent - 1, recent + earlier, exposure / (1 + exposure))
    return np.where(current + baseline < MIN_EVENTS, 1.0, chance)


def find_rising(
    p_values: NDArray[np.float64],
    current: NDArray[np.float64],
    year_before: NDArray[np.float64] | None,
) -> NDArray[np.bool_]:
    """(k,) whether there are more than by chance over all categories, and than a year before."""
    up = is_significant(p_values)
    return up if year_before is None else up & (current > year_before)
