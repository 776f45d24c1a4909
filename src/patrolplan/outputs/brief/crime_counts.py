"""Recorded crime within a walk of a school's gate: counts, comparisons, and what is rising.

Counts are by category and by street, with small ones suppressed; for the periods see `periods`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.trends import MIN_EVENTS, is_significant
from patrolplan.network.graph import compute_walk_metres
from patrolplan.network.names import label_streets
from patrolplan.outputs.brief.periods import (
    ComparedPeriods,
    IncidentDates,
    Period,
    estimate_dispersion,
    find_held_shares,
)

ALL_HELD = 0.95
"""Minimum share held of each period for counts to be comparable; less would look like a change."""

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
    unknown: str = "no data"
    """Why there is no number, if it is not suppressed."""

    @property
    def text(self) -> str:
        """The number in words."""
        if self.value is None:
            return f"fewer than {self.minimum:g}" if self.minimum > 1 else self.unknown
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

    def _suppress_small(self, value: float) -> ShownCount:
        """A number of crimes, suppressed below the threshold if it applies to crime; NaN if none.

        Without comparable periods there is a number of the current one only.
        """
        minimum = float(self.area.settings.privacy.min_crime_count)
        if np.isnan(value):
            return ShownCount(None, unknown="no data" if self.is_comparable else "not comparable")
        is_small = minimum > 1 and round(value) < minimum
        return ShownCount(None if is_small else float(value), minimum)

    @cached_property
    def held_shares(self) -> list[float]:
        """Shares held of the current period, the baseline and, if there is one, the year before."""
        year = [self.periods.year_before] if self.periods.year_before else []
        return [
            self._measure_held(one) for one in (self.periods.current, self.periods.baseline, *year)
        ]

    @property
    def is_comparable(self) -> bool:
        """Whether all periods are held, so that a difference is one of what was recorded."""
        return min(self.held_shares) >= ALL_HELD

    @property
    def _exposure(self) -> float:
        """Length held of the current period divided by that of the baseline."""
        now, before, *_ = self.held_shares
        return self.periods.exposure * now / max(before, 1e-9)

    def count_by_category(self) -> tuple[tuple[CrimeSummary, ...], CrimeSummary]:
        """Summaries of every category that counts, and of all together."""
        now, usual, year = self._compare(self._count_categories)
        before = self._count_categories(self.periods.baseline)
        p_values = compute_p_values(now, before, self._exposure, self._estimate_dispersion())
        rising = find_rising(p_values, now, year if self.periods.year_before else None)
        summaries = tuple(
            self._summarise(
                name,
                (now[k], usual[k], year[k]),
                rising=bool(rising[k]),
                p_value=float(p_values[k]),
            )
            for k, name in enumerate(self.categories)
        )
        total = self._summarise("All of these", (now.sum(), usual.sum(), year.sum()))
        return summaries, _suppress_totals(total, summaries)

    def _compare(
        self, count: Callable[[Period], NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Counts now, the baseline's for as long a time, and a year before; NaN where unknown."""
        now = count(self.periods.current)
        usual = year = np.full(len(now), np.nan)
        if self.is_comparable:
            usual = count(self.periods.baseline) * self._exposure
            if self.periods.year_before is not None:
                year = count(self.periods.year_before)
        return now, usual, year

    def count_by_street(self) -> tuple[CrimeSummary, ...]:
        """Named streets with most crime since the day; only pieces within the walk are counted."""
        labels = label_streets(self.area.network)
        within = self.walking_area.within
        named = np.isin(labels, np.unique(self.area.network.piece_name[within]))
        named &= (labels != "") & within
        names, street_of_piece = np.unique(labels[named].astype(str), return_inverse=True)

        def sum_streets(period: Period) -> NDArray[np.float64]:
            pieces = self._count_pieces(period)[named]
            return np.bincount(street_of_piece, pieces, len(names)).astype(np.float64)

        now, usual, year = self._compare(sum_streets)
        order = np.argsort(-np.round(now, 6), kind="stable")[:MAX_STREETS]
        return tuple(
            self._summarise(str(names[k]), (now[k], usual[k], year[k]))
            for k in order
            if round(now[k]) >= max(1, self.area.settings.privacy.min_crime_count)
        )

    def count_without_day(self) -> int:
        """Incidents without a day whose month the current period cuts; 0 if months are counted."""
        if not self.periods.current.by_day:
            return 0
        current = self.periods.current
        touched = self.dates.end > current.start.to_datetime64()
        touched &= ~self.dates.is_inside(current) & self._is_counted()
        catchments = self.area.incident_catchment[touched]
        return round(float(self.walking_area.catchment_shares[catchments].sum()))

    def _is_counted(self) -> NDArray[np.bool_]:
        """(i,) whether the category of an incident counts."""
        return np.asarray(self.area.incidents["category"].isin(self.categories))

    def measure_held(self) -> tuple[float, float]:
        """How many months, or days, of the current period and of the baseline are held."""
        lengths = (self.periods.current.length, self.periods.baseline.length)
        now, before = (share * x for share, x in zip(self.held_shares, lengths, strict=False))
        return now, before

    def measure_missing_street(self) -> float:
        """Share of the street within the walk with less than half of the current period held."""
        lengths, held = find_held_shares(self.area, self.periods.current)
        within, network = self.walking_area.within, self.area.network
        is_missing = lengths @ held < lengths.sum() / 2
        metres = network.piece_metres[within]
        missing = is_missing[self.area.catchments.piece_catchment[within]]
        return float(metres @ missing / max(metres.sum(), 1e-9))

    def _measure_held(self, period: Period) -> float:
        """Share held of a period: the mean over places, by their crime in a month that is held."""
        lengths, held = find_held_shares(self.area, period)
        if (held == 1).all():
            return 1.0
        return float(lengths @ (held @ self._place_weights) / lengths.sum())

    @cached_property
    def _place_weights(self) -> NDArray[np.float64]:
        """(c,) each catchment's share of the crime of a held month within the walk."""
        shares = self.walking_area.catchment_shares
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

    def _count_categories(self, period: Period) -> NDArray[np.float64]:
        """(k,) incidents of a period within the walk, each spread evenly over its catchment."""
        shares = self.walking_area.catchment_shares
        weights = np.where(self.dates.is_inside(period), shares[self.area.incident_catchment], 0.0)
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
        """(k,) how much more the baseline varies than by chance alone; at least 1."""
        blocks = [Period(*edges) for edges in pairwise(self.periods.baseline_blocks)]
        counts = np.array([self._count_categories(block) for block in blocks])
        return estimate_dispersion(counts.reshape(len(blocks), len(self.categories)))

    def _summarise(
        self,
        name: str,
        counts: tuple[float, float, float],
        *,
        rising: bool = False,
        p_value: float | None = None,
    ) -> CrimeSummary:
        """Counts for display; values derived from a suppressed one are suppressed too."""
        now, usual, year = map(self._suppress_small, counts)
        if now.value is None or usual.value is None:
            rising, p_value = False, None
        return CrimeSummary(name, now, usual, year, rising, p_value)


def _suppress_totals(total: CrimeSummary, parts: Sequence[CrimeSummary]) -> CrimeSummary:
    """Suppress each total with a suppressed part, which could otherwise be computed."""
    hidden: dict[str, Any] = {
        name: ShownCount(None, np.inf)
        for part in parts
        for name in ("now", "usual", "year_before")
        if getattr(part, name).value is None and getattr(part, name).minimum > 1
    }
    return replace(total, **hidden)


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
