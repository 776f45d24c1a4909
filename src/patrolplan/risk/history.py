"""`History`: counts of crime by month, place and category, and the harm of a category.

A history can be cut before a month, so that a model can learn nothing from later months.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.missing_months import MIN_HELD_SHARE
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.notes import Note
from patrolplan.risk.shrinkage import ShrunkRates, fit_rates
from patrolplan.settings import DISCOVERED_CATEGORIES, Settings

NEIGHBOUR_METRES = 300.0  # places nearer than this in a straight line are neighbours
ADJACENT_METRES = 150.0  # places nearer than this in a straight line are next to each other

CELL_METRES = 75.0
"""Exact places are gathered in squares of this size before neighbours are looked for."""


@dataclass(frozen=True, eq=False)
class SpatialUnits:
    """The c places of an area."""

    network: StreetNetwork  # The streets
    catchments: Catchments  # The pieces of street of each place

    def __len__(self) -> int:
        return len(self.catchments)

    @cached_property
    def metres(self) -> NDArray[np.float64]:
        """(c,) metres of street in each place."""
        return self.sum_pieces(self.network.piece_metres)

    def sum_pieces(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(c,) sum over the pieces of each place, of amounts (p,)."""
        total = np.bincount(self.catchments.piece_catchment, amounts, minlength=len(self))
        return total.astype(np.float64)

    @cached_property
    def _cells(self) -> "tuple[NDArray[np.float64], scipy.sparse.csr_array]":
        """(n, 2) centres of the cells that places are gathered in, and (c, n) membership."""
        xy = self.catchments.xy
        # Exact places are pieces of street, many for each snap point, and pairs of them within
        # 300 m would fill the memory. A snap point is a cell of its own.
        if not self.catchments.public:
            alone = np.bincount(self.catchments.piece_catchment, minlength=len(self)) == 1
            middle = (np.floor(xy / CELL_METRES) + 0.5) * CELL_METRES
            xy = np.where(alone[:, None], middle, xy)
        centres, cell = np.unique(xy, axis=0, return_inverse=True)
        ends = np.arange(len(self)), cell.reshape(-1)
        return centres, scipy.sparse.csr_array(
            (np.ones(len(self)), ends), (len(self), len(centres))
        )

    @cached_property
    def _near(self) -> "dict[bool, scipy.sparse.csr_array]":
        """(n, n) cells that are neighbours, or (True) next to each other, each with itself."""
        from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only of risk

        centres, found = self._cells[0], {}
        for adjacent, metres in ((False, NEIGHBOUR_METRES), (True, ADJACENT_METRES)):
            pairs = cKDTree(centres).query_pairs(metres, output_type="ndarray")
            ends = pairs.ravel(), pairs[:, ::-1].ravel()
            near = scipy.sparse.csr_array((np.ones(pairs.size), ends), (len(centres),) * 2)
            found[adjacent] = scipy.sparse.csr_array(near + scipy.sparse.eye_array(len(centres)))
        return found

    def sum_around(
        self, amounts: NDArray[np.float64], *, adjacent: bool = False
    ) -> NDArray[np.float64]:
        """(c, k) sums of (c, k) amounts over the other places near, or those next to a place."""
        _, member = self._cells
        # A sum less the place's own may fall below zero in its last digit.
        return np.asarray(
            np.maximum(member @ (self._near[adjacent] @ (member.T @ amounts)) - amounts, 0.0)
        )


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

HALF_LIFE_MONTHS = 24.0  # a crime of this age counts half: sparse crime needs a long memory
PRIOR_MONTHS = 12  # last months of a prior count, with which models are compared
TINY = 1e-12  # no division by less

UNKNOWN_DAYS = 1.0
"""For categories with other names and no harm in the settings: all count the same."""


def get_harm_days(
    categories: Iterable[str], overrides: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """Harm of each category in days; the settings' `[risk] harm` overrides the index."""
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

    def __len__(self) -> int:
        return len(self.months)

    def __repr__(self) -> str:
        span = f"{self.months[0]:%Y-%m} to {self.months[-1]:%Y-%m}" if len(self) else "no month"
        return f"<History: {int(self.counts.sum()):,} incidents, {span}, {len(self.units)} places>"

    def cut_before(self, month: pd.Timestamp) -> "History":
        """The months before this one."""
        # A copy: from a view a model could reach the later months.
        size = int(self.months.searchsorted(month))
        exposure = None if self.exposure is None else self.exposure[:size].copy()
        return replace(
            self, counts=self.counts[:size].copy(), months=self.months[:size], exposure=exposure
        )

    @cached_property
    def held(self) -> NDArray[np.float64]:
        """(t, c) share of each month's crime that is held in each place."""
        return np.ones(self.counts.shape[:2]) if self.exposure is None else self.exposure

    def get_month_counts(self, month: pd.Timestamp) -> NDArray[np.float64]:
        """(c, j) incidents recorded in one month in the `targets`; none outside the months."""
        row = self.months.get_indexer(pd.DatetimeIndex([month]))[0]
        if row < 0:
            return np.zeros((len(self.units), len(self.targets)))
        return self.counts[row, :, : len(self.targets)].astype(np.float64)

    def is_held(self, row: int) -> NDArray[np.bool_]:
        """(c,) whether a month, by its row, is held in each place."""
        return np.asarray(self.held[row] >= MIN_HELD_SHARE)

    @cached_property
    def held_months(self) -> pd.DatetimeIndex:
        """The months that are held in some place."""
        return self.months[np.asarray(self.held.max(axis=1) >= MIN_HELD_SHARE)]

    def count_last(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c, k) incidents of the last so many months of the first `before`, or of all."""
        recent = self.counts[self._find_last(months, before)]
        return np.asarray(recent.sum(axis=0, dtype=recent.dtype), dtype=np.float64)

    def count_held_months(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c,) how many of the months of `count_last` are held in each place."""
        return np.asarray(self.held[self._find_last(months, before)].sum(axis=0))

    def estimate_last(self, months: int, *, before: int | None = None) -> NDArray[np.float64]:
        """(c, k) incidents of the months of `count_last`, had all of them been held."""
        span = self._find_last(months, before)
        counts = self.count_last(months, before=before)
        held = self.count_held_months(months, before=before)
        return fill_missing(counts, held, float(span.stop - span.start), self.units.metres)

    def _find_last(self, months: int, before: int | None) -> slice:
        end = len(self) if before is None else before
        return slice(max(0, end - months), end)

    def count_decayed(self) -> NDArray[np.float64]:
        """(c, k) incidents weighted by recency: the weight halves every `HALF_LIFE_MONTHS`."""
        total = np.zeros(self.counts.shape[1:])
        for weight, counts in zip(self._weights, self.counts, strict=True):
            total += weight * counts
        return total

    def sum_decayed_weights(self) -> NDArray[np.float64]:
        """(c,) sum of the weights of `count_decayed` over the months held."""
        return np.asarray(self._weights @ self.held)

    def estimate_decayed(self) -> NDArray[np.float64]:
        """(c, k) incidents a month, weighted by recency, had all months been held."""
        whole = max(float(self._weights.sum()), TINY)
        held = self.sum_decayed_weights()
        return fill_missing(self.count_decayed(), held, whole, self.units.metres) / whole

    @cached_property
    def shrunk_rates(self) -> ShrunkRates:
        """The rates of all targets, from counts weighted by recency."""
        held = self.sum_decayed_weights()
        return fit_rates(self.count_decayed(), held, len(self.targets), self.units)

    @property
    def _weights(self) -> NDArray[np.float64]:
        """(t,) weight of each month by its age."""
        return np.asarray(0.5 ** (np.arange(len(self))[::-1] / HALF_LIFE_MONTHS))


def fill_missing(
    counts: NDArray[np.float64],
    held: NDArray[np.float64],
    whole: float,
    metres: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(c, k) counts with what was to be expected in missing months: `held` (c,) are of `whole`."""
    # Missing is unknown, not zero: a place's missing months are given the mean of its months with
    # data. A month or two of several years are no mean: there the missing ones are given that of
    # all places, by street length.
    has_rate = (held > 0) & (held >= MIN_KNOWN_SHARE * whole)
    mean = counts.sum(axis=0) / max(float((held * metres).sum()), TINY) * metres[:, None]
    own = counts / np.where(has_rate, held, 1.0)[:, None]
    return counts + (whole - held)[:, None] * np.where(has_rate[:, None], own, mean)


def build_history(area: StudyArea, categories: Sequence[str] | None = None) -> History:
    """Count an area's incidents, by default of the categories that the settings count."""
    categories = area.settings.crimes.risk_categories if categories is None else categories
    incidents = area.incidents
    listed = list(incidents["category"].cat.categories)
    present = set(incidents["category"].unique())
    targets = tuple(name for name in categories if name in present)
    # The feedback guard: what patrols discover is left out altogether, also as a predictor, unless
    # the settings include it. A patrol that finds drugs must not attract the next patrol, not even
    # through another category.
    guarded = () if area.settings.crimes.include_discovered else DISCOVERED_CATEGORIES
    # All other crime may foretell the targets, burglary too, though no patrol is sent for it.
    others = present - {*guarded, *targets}
    names = (*targets, *(name for name in listed if name in others))
    first, last = incidents["month"].min(), incidents["month"].max()
    months = pd.date_range(first, last, freq="MS", unit="ns")
    units = SpatialUnits(area.network, area.catchments)
    column = np.array([names.index(name) if name in names else -1 for name in listed])
    category = column[incidents["category"].cat.codes]
    counted = category >= 0
    month = months.get_indexer(pd.DatetimeIndex(incidents["month"]))
    shape = (len(months), len(units), len(names))
    counts = np.zeros(shape, dtype=np.int32)
    where = month[counted], area.incident_catchment[counted], category[counted]
    np.add.at(counts.reshape(-1), np.ravel_multi_index(where, shape), 1)
    return History(counts, months, names, targets, units, area.exposure.find_shares(months))


def note_guard(settings: Settings) -> tuple[Note, ...]:
    """Why crime that patrols discover is counted; empty where the feedback guard is on."""
    if not settings.crimes.include_discovered:
        return ()
    reason = settings.crimes.reason.strip().rstrip(".")
    text = f"Offences that patrols discover count too: {reason}."
    return (Note("discovered_counted", text),)
