"""What was recorded within a walk of a gate: counts by category and street, and what is rising.

Recorded crime around one school, counted by category and street, as it may be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from patrolplan.area import StudyArea
from patrolplan.hotspots.significance import MIN_EVENTS, is_significant
from patrolplan.network.graph import compute_piece_distances
from patrolplan.network.names import label_streets
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.outputs.brief.periods import ComparedPeriods, IncidentDates, Period

MIN_BLOCKS = 3
"""With fewer months before, how much they swing cannot be told."""


@dataclass(frozen=True, eq=False)
class WalkingArea:
    """Streets within a walk of a gate.

    Parameters
    ----------
    metres
        (p,) walk from the gate to each piece of the area's network; inf beyond the radius.
    share
        (c,) share of each catchment's street that lies within.
    """

    walk_metres: NDArray[np.float64]
    catchment_shares: NDArray[np.float64]

    @property
    def within(self) -> NDArray[np.bool_]:
        """(p,) pieces within the walk."""
        return np.isfinite(self.walk_metres)


def find_walking_area(area: StudyArea, row: int) -> WalkingArea:
    """Streets within the settings' radius of a school's gate, as a patrol's reach has them."""
    network, radius = area.network, area.settings.patrol.radius_metres
    gate = area.gates.take([row])
    # No walk within the radius leaves the circle of the radius; its pieces lie half in at least.
    near = np.union1d(
        network.find_pieces_within(network.xy(gate)[0], radius + 2 * PIECE_METRES), gate.piece
    )
    walk = compute_piece_distances(
        network.take(near), gate.map_to_subnetwork(near), limit_metres=radius
    )
    metres = np.full(len(network), np.inf)
    metres[near] = np.where(walk <= radius, walk, np.inf)
    metres[gate.piece] = 0.0
    catchments = area.catchments
    share = np.where(np.isfinite(metres), catchments.piece_share, 0.0)
    within = np.bincount(catchments.piece_catchment, weights=share, minlength=len(catchments))
    return WalkingArea(metres, within.astype(np.float64))


def count_categories(
    area: StudyArea,
    walking_area: WalkingArea,
    dates: IncidentDates,
    period: Period,
    categories: Sequence[str],
) -> NDArray[np.float64]:
    """(k,) incidents of a span within the walk; each spread evenly over its catchment."""
    weight = np.where(
        dates.is_inside(period), walking_area.catchment_shares[area.incident_catchment], 0.0
    )
    return _sum_by_category(area, weight, categories)


def count_streets(
    area: StudyArea,
    walking_area: WalkingArea,
    dates: IncidentDates,
    period: Period,
    categories: Sequence[str],
) -> NDArray[np.float64]:
    """(p,) incidents of a span and of these categories on each piece within the walk."""
    used = dates.is_inside(period) & area.incidents["category"].isin(categories).to_numpy()
    amounts = np.bincount(area.incident_catchment[used], minlength=len(area.catchments))
    return np.where(walking_area.within, area.catchments.spread(amounts), 0.0)


def estimate_dispersion(
    area: StudyArea,
    walking_area: WalkingArea,
    dates: IncidentDates,
    periods: ComparedPeriods,
    categories: Sequence[str],
) -> NDArray[np.float64]:
    """(k,) how much more the months before swing than chance alone would make them; at least 1.

    Variance over mean of the counts of equal blocks (Pearson's estimate, quasi-Poisson).
    """
    blocks = [Period(*pair) for pair in pairwise(periods.baseline_blocks)]
    if len(blocks) < MIN_BLOCKS:
        return np.ones(len(categories))
    counts = np.array(
        [count_categories(area, walking_area, dates, block, categories) for block in blocks]
    )
    mean = counts.mean(axis=0)
    variance = counts.var(axis=0, ddof=1)
    swing = np.divide(variance, mean, out=np.ones_like(mean), where=mean > 0)
    return np.asarray(np.maximum(1.0, swing))


def compute_p_values(
    current: NDArray[np.float64],
    baseline: NDArray[np.float64],
    exposure: float,
    overdispersion: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Chance of as many since, if nothing changed.

    Given both counts, the recent one is binomial if nothing changed (conditional Poisson test);
    counts that swing more than chance are worth so many fewer.

    Parameters
    ----------
    now, before
        (k,) incidents.
    exposure
        Length of now in lengths of before.
    swing
        (k,) see `dispersion`.
    """
    recent, earlier = np.round(current / overdispersion), np.round(baseline / overdispersion)
    chance = stats.binom.sf(recent - 1, recent + earlier, exposure / (1 + exposure))
    return np.where(current + baseline < MIN_EVENTS, 1.0, chance)


def find_rising(
    p_values: NDArray[np.float64],
    current: NDArray[np.float64],
    year_before: NDArray[np.float64] | None,
) -> NDArray[np.bool_]:
    """(k,) more than chance over all categories together, and more than the season explains."""
    up = is_significant(p_values)
    return up if year_before is None else up & (current > year_before)


def _sum_by_category(
    area: StudyArea, weights: NDArray[np.float64], categories: Sequence[str]
) -> NDArray[np.float64]:
    held = area.incidents["category"].cat
    totals = np.bincount(held.codes, weights=weights, minlength=len(held.categories))
    return pd.Series(totals, index=held.categories).reindex(list(categories)).fillna(0.0).to_numpy()


MAX_STREETS = 6
"""Most streets that are told; one page holds them."""


@dataclass(frozen=True)
class ShownCount:
    """A number as it may be shown: `value` is None where it may not be, or is not held."""

    value: float | None
    minimum: float = 1.0
    """Numbers under this are held back, where the settings hold crime to the threshold."""

    @property
    def text(self) -> str:
        """The number in words.

        Examples
        --------
        >>> [ShownCount(value).text for value in (1234.2, 7.26, 0.3, 0.0, None)]
        ['1,234', '7', 'under 1', '0', 'not held']
        """
        if self.value is None:
            return f"fewer than {self.minimum:g}" if self.minimum > 1 else "not held"
        return "under 1" if 0 < self.value < 0.5 else f"{self.value:,.0f}"  # noqa: PLR2004


@dataclass(frozen=True)
class CrimeSummary:
    """Recorded crime of one category, or on one street, within the walk.

    Parameters
    ----------
    name
        The category or the street.
    now
        Since the day asked for.
    usual
        The mean of the months before, for as long a time.
    year_before
        The same days or months a year before.
    rising
        More than chance and, where a year before is held, more than then.
    chance
        Chance of as many if nothing changed; None where it was not asked or may not be shown.
    """

    name: str
    now: ShownCount
    usual: ShownCount
    year_before: ShownCount
    rising: bool = False
    p_value: float | None = None


@dataclass(frozen=True, eq=False)
class CrimeCounter:
    """One school's counting: its streets, the incidents' days, and the spans."""

    area: StudyArea
    walking_area: WalkingArea
    dates: IncidentDates
    periods: ComparedPeriods
    counted_categories: tuple[str, ...]

    @property
    def minimum_shown(self) -> float:
        """Smallest number of crimes that may be shown."""
        return float(self.area.settings.privacy.min_crime_count)

    def suppress_small(self, value: float | None) -> ShownCount:
        """A number of crimes, held back under the threshold where crime is held to it."""
        if value is None:
            return ShownCount(None)
        if self.minimum_shown > 1 and round(value) < self.minimum_shown:
            return ShownCount(None, self.minimum_shown)
        return ShownCount(float(value), self.minimum_shown)

    def count_by_category(self) -> tuple[tuple[CrimeSummary, ...], CrimeSummary]:
        """Every category that counts, and all of them together."""
        around, when, spans = self.walking_area, self.dates, self.periods
        now, before, year = (
            self._count_categories(spans.current),
            self._count_categories(spans.baseline),
            None,
        )
        if spans.year_before is not None:
            year = self._count_categories(spans.year_before)
        swing = estimate_dispersion(self.area, around, when, spans, self.counted_categories)
        chance = compute_p_values(now, before, spans.exposure, swing)
        up = find_rising(chance, now, year)
        rows = [
            self._build_summary(
                name,
                now[k],
                before[k] * spans.exposure,
                None if year is None else year[k],
                rising=bool(up[k]),
                p_value=float(chance[k]),
            )
            for k, name in enumerate(self.counted_categories)
        ]
        return tuple(rows), self._build_total(rows, now, before, year)

    def count_by_street(self) -> tuple[CrimeSummary, ...]:
        """Named streets where most was recorded since; numbers of the pieces within the walk."""
        labels = label_streets(self.area.network)
        named = np.isin(labels, np.unique(self.area.network.piece_name[self.walking_area.within]))
        named &= (labels != "") & self.walking_area.within
        names, of_piece = np.unique(labels[named].astype(str), return_inverse=True)
        now, before, year = (
            None
            if span is None
            else np.bincount(of_piece, self._count_streets(span)[named], len(names))
            for span in (self.periods.current, self.periods.baseline, self.periods.year_before)
        )
        if now is None or before is None:  # both spans always stand
            return ()
        order = np.argsort(-np.round(now, 6), kind="stable")[:MAX_STREETS]
        return tuple(
            self._build_summary(
                str(names[k]),
                now[k],
                before[k] * self.periods.exposure,
                None if year is None else year[k],
            )
            for k in order
            if round(now[k]) >= max(1, self.minimum_shown)
        )

    def _count_categories(self, period: Period) -> NDArray[np.float64]:
        return count_categories(
            self.area, self.walking_area, self.dates, period, self.counted_categories
        )

    def _count_streets(self, period: Period) -> NDArray[np.float64]:
        return count_streets(
            self.area, self.walking_area, self.dates, period, self.counted_categories
        )

    def _build_summary(
        self,
        name: str,
        current: float,
        baseline: float,
        year: float | None,
        *,
        rising: bool = False,
        p_value: float | None = None,
    ) -> CrimeSummary:
        """Numbers as they may be shown; what is told from a number held back is held back too."""
        since, mean = self.suppress_small(current), self.suppress_small(baseline)
        shown = since.value is not None and mean.value is not None
        return CrimeSummary(
            name=name,
            now=since,
            usual=mean,
            year_before=self.suppress_small(year),
            rising=rising and shown,
            p_value=p_value if shown else None,
        )

    def _build_total(
        self,
        rows: Sequence[CrimeSummary],
        current: NDArray[np.float64],
        baseline: NDArray[np.float64],
        year: NDArray[np.float64] | None,
    ) -> CrimeSummary:
        """All categories; held back beside a category that is, or the rest would tell it."""
        sums = {
            "now": float(current.sum()),
            "usual": float(baseline.sum()) * self.periods.exposure,
            "year_before": None if year is None else float(year.sum()),
        }
        figures: dict[str, ShownCount] = {}
        for column, total in sums.items():
            beside: list[ShownCount] = [getattr(row, column) for row in rows]
            hidden = any(one.value is None and one.minimum > 1 for one in beside)
            figures[column] = ShownCount(None, np.inf) if hidden else self.suppress_small(total)
        return CrimeSummary(
            name="All of these",
            now=figures["now"],
            usual=figures["usual"],
            year_before=figures["year_before"],
        )
