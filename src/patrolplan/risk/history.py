"""Incidents -> `History`: counts by month, place and category, and cuts that hide what is later."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.atomic import hash_content
from patrolplan.risk.spatial_units import SpatialUnits, get_spatial_units
from patrolplan.risk.weights import compute_recency
from patrolplan.settings import DISCOVERED_CATEGORIES


@dataclass(frozen=True, eq=False)
class History:
    """How many incidents were recorded, by month, place and category.

    Parameters
    ----------
    counts
        (t, c, k) incidents.
    months
        (t,) first day of each month, without gaps.
    categories
        (k,) names; those of `targets` come first.
    targets
        The categories that are to be scored. The others only help to tell.
    places
        The c places, see `SpatialUnits`.
    fitted
        Models fitted on exactly these months, kept by their parameters; a cut starts anew.
    """

    counts: NDArray[np.int32]
    months: pd.DatetimeIndex
    categories: tuple[str, ...]
    targets: tuple[str, ...]
    units: SpatialUnits
    fitted_models: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.months)

    def __repr__(self) -> str:
        span = f"{self.months[0]:%Y-%m} to {self.months[-1]:%Y-%m}" if len(self) else "no month"
        return f"<History: {int(self.counts.sum()):,} incidents, {span}, {len(self.units)} places>"

    def cut_before(self, month: pd.Timestamp) -> "History":
        """The months before this one, as a copy: nothing later can be reached from it."""
        known = int(self.months.searchsorted(month))
        cut = replace(self, counts=self.counts[:known].copy(), months=self.months[:known])
        vars(cut)["month_digests"] = self.month_digests[:known]
        vars(cut)["totals"] = self.totals[:known]
        return cut

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """(t, k) incidents of each month and category."""
        return np.asarray(self.counts.sum(axis=1, dtype=np.int64))

    def get_month_totals(self, month: pd.Timestamp) -> NDArray[np.int64]:
        """(k,) incidents of one month in each category; zero where it is not held."""
        at = self.months.get_indexer(pd.DatetimeIndex([month]))[0]
        return self.totals[at] if at >= 0 else np.zeros(len(self.categories), dtype=np.int64)

    @cached_property
    def month_digests(self) -> tuple[str, ...]:
        """Digest of each month's counts."""
        months = np.ascontiguousarray(self.counts)
        return tuple(hash_content(counts.tobytes()) for counts in months)

    def digest(self, months: int | None = None) -> str:
        """Name of what the first so many months hold, by content; all months by default."""
        names = (*self.categories, str(len(self.targets)), str(self.counts.shape[1]))
        text = "\n".join((*names, *self.month_digests[:months]))
        return hash_content(text)

    def get_month_counts(self, month: pd.Timestamp) -> NDArray[np.float64]:
        """(c, j) what was recorded in one month in the `targets`; zero where it is not held."""
        at = self.months.get_indexer(pd.DatetimeIndex([month]))[0]
        if at < 0:
            return np.zeros((len(self.units), len(self.targets)))
        return self.counts[at, :, : len(self.targets)].astype(np.float64)

    def count_last(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c, k) incidents of the last so many months, or of all where there are fewer.

        Of the first `before` months, all by default.
        """
        known = len(self) if before is None else before
        recent = self.counts[max(0, known - months) : known]
        return np.asarray(recent.sum(axis=0), dtype=np.float64)

    def count_decayed(
        self, half_life_months: float, *, months: int | None = None
    ) -> tuple[NDArray[np.float64], float]:
        """(c, k) incidents weighed by recency, and the months that those weights add up to.

        Of the first so many months, all by default.
        """
        counts = self.counts[:months]
        weights = compute_recency(np.arange(len(counts))[::-1], half_life_months)
        total = np.zeros(counts.shape[1:])
        weighed = np.empty_like(total)
        for weight, month in zip(weights, counts, strict=True):
            total += np.multiply(weight, month, out=weighed)
        return total, float(weights.sum())


def build_history(area: StudyArea, categories: Sequence[str] | None = None) -> History:
    """Count an area's incidents.

    Categories that patrols discover are left out altogether, also as a help, unless the settings
    let them in: a patrol that finds drugs must not draw the next patrol, by no detour.

    Parameters
    ----------
    area
        The incidents.
    categories
        The categories to be scored; those that the settings count and the data has, by default.
        An area is then counted once, however often it is asked.
    """
    kept = area.catchments.cache
    key = f"history {area.settings.crimes!r}"
    if categories is None and key in kept and kept[key][0] is area.incidents:
        known: History = kept[key][1]
        return known
    history = _count_incidents(area, categories)
    if categories is None:
        kept[key] = (area.incidents, history)
    return history


def _count_incidents(area: StudyArea, categories: Sequence[str] | None) -> History:
    """The counts by month, place and category."""
    counted = area.settings.crimes.risk_categories if categories is None else tuple(categories)
    there = list(area.incidents["category"].cat.categories)
    held = set(area.incidents["category"].unique())
    targets = tuple(name for name in counted if name in held)
    guarded = () if area.settings.crimes.include_discovered else DISCOVERED_CATEGORIES
    helps = (name for name in there if name in held and name not in guarded)
    names = (*targets, *(name for name in helps if name not in targets))
    months = pd.date_range(
        area.incidents["month"].min(), area.incidents["month"].max(), freq="MS", unit="ns"
    )
    places = get_spatial_units(area.network, area.catchments)
    column = np.array([names.index(name) if name in names else -1 for name in there])
    category = column[area.incidents["category"].cat.codes]
    kept = category >= 0
    month = months.get_indexer(pd.DatetimeIndex(area.incidents["month"]))
    shape = (len(months), len(places), len(names))
    cells = np.ravel_multi_index(
        (month[kept], area.incident_catchment[kept], category[kept]), shape
    )
    counts = np.zeros(int(np.prod(shape)), dtype=np.int32)
    np.add.at(counts, cells, np.int32(1))
    return History(counts.reshape(shape), months, names, targets, places)
