"""`History`: counts of crime by month, place and category, and the harm of a category.

A history can be cut before a month, so that a model can learn nothing from later months.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.missing_months import MIN_HELD_SHARE
from patrolplan.atomic import hash_content
from patrolplan.notes import Note
from patrolplan.risk.spatial_units import SpatialUnits, get_spatial_units
from patrolplan.settings import DISCOVERED_CATEGORIES, Settings

HARM_DAYS: Mapping[str, float] = {
    "Robbery": 365.0,
    "Violence and sexual offences": 190.0,
    "Theft from the person": 2.0,
    "Bicycle theft": 2.0,
    "Other theft": 2.0,
    "Criminal damage and arson": 10.0,
    "Anti-social behaviour": 1.0,
    "Burglary": 220.0,
    "Shoplifting": 1.0,
    "Vehicle crime": 5.0,
    "Drugs": 3.5,
    "Possession of weapons": 273.75,
    "Public order": 7.5,
    "Other crime": 10.0,
}
"""Days of sentence by category of data.police.uk, after the Cambridge Crime Harm Index.

Sherman, Neyroud and Neyroud (2016), Policing 10(3): 171-183, index of 2026: the median of each
offence subgroup, and where a category of data.police.uk joins several, their mean at the mix that
forces of England and Wales recorded in 2024/25 (violence and sexual offences 159 to 235 by force,
burglary 191 to 253, criminal damage and arson 5 to 18, drugs 3 to 4: the middle is used).
Anti-social behaviour is no crime and stands outside the index: it is given its floor, one day.
"""

MIN_KNOWN_SHARE = 1 / 12
"""Where data covers a smaller share of the months, a place's own rate is not known."""

MAX_DECAYED_SUMS = 4
"""Maximum number of stored sums of decayed counts of each half-life: some for each thread."""

UNKNOWN_DAYS = 1.0
"""For categories with other names and no harm in the settings: all count the same."""


def get_harm_days(
    categories: Iterable[str], overrides: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """Harm of each category in days; the settings' `[risk] harm` overrides the index.

    Examples
    --------
    >>> get_harm_days(["Robbery", "Theft from the person"], {"Theft from the person": 20})
    array([365.,  20.])
    """
    table = {**HARM_DAYS, **(overrides or {})}
    return np.array([table.get(name, UNKNOWN_DAYS) for name in categories], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class History:
    """How many incidents were recorded, by month, place and category."""

    counts: NDArray[np.int32]  # (t, c, k) incidents
    months: pd.DatetimeIndex  # (t,) first day of each month, without gaps
    categories: tuple[str, ...]  # (k,) names; those of `targets` come first
    # (j,) the categories that are predicted and scored. The others are only predictors.
    targets: tuple[str, ...]
    units: SpatialUnits  # The c places
    # (t, c) share of each month's crime that is held in each place; None where all of it is.
    exposure: NDArray[np.float64] | None = None
    # Digests of the months, where they are known from the history that this one was cut from.
    known_digests: tuple[str, ...] = field(default=(), repr=False)
    # Cache of models fitted on exactly these months, and of what they predict together, by their
    # parameters; a cut starts empty.
    fitted_models: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.months)

    def __repr__(self) -> str:
        span = f"{self.months[0]:%Y-%m} to {self.months[-1]:%Y-%m}" if len(self) else "no month"
        return f"<History: {int(self.counts.sum()):,} incidents, {span}, {len(self.units)} places>"

    def cut_before(self, month: pd.Timestamp, *, is_copied: bool = True) -> "History":
        """The months before this one, as a copy from which no later month can be reached.

        Our own models never read a later month, so they are given a view, not a copy.
        """
        size = int(self.months.searchsorted(month))
        counts = self.counts[:size]
        counts = counts.copy() if is_copied else counts
        counts.flags.writeable = is_copied
        exposure = None if self.exposure is None else self.exposure[:size].copy()
        cut = replace(
            self,
            counts=counts,
            months=self.months[:size],
            exposure=None if exposure is None or (exposure == 1).all() else exposure,
            known_digests=self.month_digests[:size],
        )
        vars(cut)["totals"] = self.totals[:size].copy()
        return cut

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """(t, k) incidents of each month and category."""
        return np.asarray(self.counts.sum(axis=1, dtype=np.int64))

    @cached_property
    def month_digests(self) -> tuple[str, ...]:
        """Digest of each month's counts, and of what is held where that is not all."""
        if self.known_digests:
            return self.known_digests
        counts = [month.data for month in np.ascontiguousarray(self.counts)]
        if self.exposure is None:
            return tuple(map(hash_content, counts))
        held = [b"" if (month == 1).all() else month.tobytes() for month in self.exposure]
        return tuple(hash_content(*both) for both in zip(counts, held, strict=True))

    def digest(self, months: int | None = None) -> str:
        """Digest of the counts of the first `months`; of all by default."""
        names = (*self.categories, str(len(self.targets)), str(self.counts.shape[1]))
        text = "\n".join((*names, *self.month_digests[:months]))
        return hash_content(text)

    def get_month_counts(self, month: pd.Timestamp) -> NDArray[np.float64]:
        """(c, j) incidents recorded in one month in the `targets`; none outside the months."""
        row = self.months.get_indexer(pd.DatetimeIndex([month]))[0]
        if row < 0:
            return np.zeros((len(self.units), len(self.targets)))
        return self.counts[row, :, : len(self.targets)].astype(np.float64)

    def is_held(self, row: int) -> NDArray[np.bool_]:
        """(c,) whether a month, by its row, is held in each place."""
        if self.exposure is None:
            return np.ones(len(self.units), dtype=bool)
        return np.asarray(self.exposure[row] >= MIN_HELD_SHARE)

    @cached_property
    def held_months(self) -> pd.DatetimeIndex:
        """The months that are held in some place."""
        if self.exposure is None:
            return self.months
        return self.months[np.asarray(self.exposure.max(axis=1) >= MIN_HELD_SHARE)]

    def count_last(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c, k) incidents recorded in the last so many months, or in all where there are fewer.

        Only the first `before` months count; all by default.
        """
        end = len(self) if before is None else before
        recent = self.counts[max(0, end - months) : end]
        return np.asarray(recent.sum(axis=0, dtype=recent.dtype), dtype=np.float64)

    def count_held_months(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c,) how many of the months of `count_last` are held in each place."""
        end = len(self) if before is None else before
        first = max(0, end - months)
        if self.exposure is None:
            return np.full(len(self.units), float(end - first))
        return np.asarray(self.exposure[first:end].sum(axis=0))

    def estimate_last(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c, k) incidents of the months of `count_last`, had all of them been held.

        See `fill_missing`.
        """
        counts = self.count_last(months, before=before)
        if self.exposure is None:
            return counts
        whole = min(months, len(self) if before is None else before)
        held = self.count_held_months(months, before=before)
        return fill_missing(counts, held, float(whole), self.units.metres)

    def count_decayed(
        self, half_life_months: float, months: int | None = None
    ) -> NDArray[np.float64]:
        """(c, k) incidents weighted by recency: the weight halves every `half_life_months`.

        Only the first `months` count; all by default.
        """
        return self._sum_decayed("here", half_life_months, months, self.counts.__getitem__)

    def count_decayed_around(
        self, half_life_months: float, months: int | None = None
    ) -> NDArray[np.float64]:
        """(c, j + 1) what `count_around` gives, weighted by recency as in `count_decayed`."""
        return self._sum_decayed("around", half_life_months, months, self.count_around)

    def count_around(self, row: int) -> NDArray[np.int32]:
        """(c, j + 1) incidents of a month around each place: of each target, and of all categories.

        Cached for every month: rates and features of all later months need them.
        """
        key = f"around {self.digest(row + 1)}"
        if key not in self.units.cache:
            counts = self.counts[row]
            wanted = np.column_stack([counts[:, : len(self.targets)], counts.sum(axis=1)])
            around = np.rint(self.units.sum_around(wanted.astype(np.float64)))
            self.units.cache[key] = around.astype(np.int32)
        return self.units.cache[key]

    def _sum_decayed(
        self,
        kind: str,
        half_life_months: float,
        months: int | None,
        get_month: Callable[[int], NDArray[np.int32]],
    ) -> NDArray[np.float64]:
        """Sum of amounts of the first `months`, weighted by recency.

        The sum up to a month is the sum up to the month before, decayed, plus the month's
        incidents. So it continues from the longest of the stored sums that is not too long, and is
        the same to the last bit as a sum from the start.
        """
        wanted = len(self) if months is None else months
        stored = self.units.decayed.get((kind, half_life_months), ())
        usable = [one for one in stored if one[0] <= wanted and one[1] == self.digest(one[0])]
        start, _, total = max(usable, default=(0, "", None), key=itemgetter(0))
        if total is None or start < wanted:
            decay = 0.5 ** (1 / half_life_months)
            columns = len(self.categories) if kind == "here" else len(self.targets) + 1
            total = np.zeros((len(self.units), columns)) if total is None else total.copy()
            for row in range(start, wanted):
                total *= decay
                total += get_month(row)
            total.flags.writeable = False
        now = (wanted, self.digest(wanted), total)
        others = [one for one in stored if one[:2] != now[:2]]
        self.units.decayed[kind, half_life_months] = (*others[1 - MAX_DECAYED_SUMS :], now)
        return total

    def sum_decayed_weights(
        self, half_life_months: float, months: int | None = None
    ) -> NDArray[np.float64]:
        """(c,) sum of the weights of `count_decayed` over the months held.

        Only the first `months` count; all by default.
        """
        size = len(self.counts[:months])
        weights = 0.5 ** (np.arange(size)[::-1] / half_life_months)
        if self.exposure is None or (self.exposure[:size] == 1).all():
            return np.full(len(self.units), weights.sum())
        return np.asarray(weights @ self.exposure[:size])

    def estimate_decayed(self, half_life_months: float) -> NDArray[np.float64]:
        """(c, k) incidents a month, weighted by recency; see `fill_missing` for what is missing."""
        total = self.count_decayed(half_life_months)
        held = self.sum_decayed_weights(half_life_months)
        whole = float((0.5 ** (np.arange(len(self)) / half_life_months)).sum())
        if self.exposure is not None:
            total, held = fill_missing(total, held, whole, self.units.metres), np.array([whole])
        return np.asarray(total / held[:, None])


def fill_missing(
    counts: NDArray[np.float64],
    held: NDArray[np.float64],
    whole: float,
    metres: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(c, k) counts, with what was to be expected in the months that are missing.

    A place's missing months are given the mean of its months with data. Where it has hardly any,
    they are given the mean of all places, by street length.

    `counts`: (c, k) incidents recorded. `held`: (c,) months held, weighted or not. `whole`: All
    months, weighted likewise. `metres`: (c,) street in each place.
    """
    has_rate = (held > 0) & (held >= MIN_KNOWN_SHARE * whole)
    mean = counts.sum(axis=0) / max(float((held * metres).sum()), 1e-12) * metres[:, None]
    own = counts / np.where(has_rate, held, 1.0)[:, None]
    return counts + (whole - held)[:, None] * np.where(has_rate[:, None], own, mean)


def build_history(area: StudyArea, categories: Sequence[str] | None = None) -> History:
    """Count an area's incidents.

    Categories that patrols discover are left out altogether, also as predictors, unless the
    settings include them: a patrol that finds drugs must not attract the next patrol, not even
    indirectly.

    `categories`: The categories to be scored; those that the settings count and the data has, by
    default. With the default an area is counted only once and the result is reused.
    """
    if categories is not None:
        return _count_incidents(area, categories)
    crimes = area.settings.crimes
    return area.catchments.reuse(
        "history",
        (repr(crimes), area.incidents, area.incident_catchment, area.exposure),
        lambda: _count_incidents(area, crimes.risk_categories),
    )


def _count_incidents(area: StudyArea, categories: Sequence[str]) -> History:
    """The counts by month, place and category."""
    incidents = area.incidents
    listed = list(incidents["category"].cat.categories)
    present = set(incidents["category"].unique())
    targets = tuple(name for name in categories if name in present)
    guarded = () if area.settings.crimes.include_discovered else DISCOVERED_CATEGORIES
    others = present - {*guarded, *targets}
    names = (*targets, *(name for name in listed if name in others))
    first, last = incidents["month"].min(), incidents["month"].max()
    months = pd.date_range(first, last, freq="MS", unit="ns")
    units = get_spatial_units(area.network, area.catchments)
    column = np.array([names.index(name) if name in names else -1 for name in listed])
    category = column[incidents["category"].cat.codes]
    counted = category >= 0
    month = months.get_indexer(pd.DatetimeIndex(incidents["month"]))
    shape = (len(months), len(units), len(names))
    index = (month[counted], area.incident_catchment[counted], category[counted])
    cells = np.ravel_multi_index(index, shape)
    counts = np.zeros(int(np.prod(shape)), dtype=np.int32)
    np.add.at(counts, cells, np.int32(1))
    exposure = area.exposure.find_shares(months)
    return History(counts.reshape(shape), months, names, targets, units, exposure)


def note_guard(settings: Settings) -> tuple[Note, ...]:
    """Why crime that patrols discover is counted; empty where the feedback guard is on."""
    if not settings.crimes.include_discovered:
        return ()
    reason = settings.crimes.reason.strip().rstrip(".")
    return (Note("discovered_counted", {"reason": reason}),)
