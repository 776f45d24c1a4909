"""Rolling origin: each model is given the months before, and scored on the month after.

What comes of it is one long frame, from which a back-test is a matter of grouping and summing.

A point that is first seen later takes streets from the points around it. Were it used, these would
look smaller, and their crime denser, than was known at the origin: with later points a back-test
flatters every model. So expected and recorded crime are counted by the catchments of the points
seen before the origin. Streets without data for the month are neither ranked nor counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, weigh_minutes
from patrolplan.errors import InputError
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import SCHOOL_DAY, UNKNOWN_WEEKDAY, find_day_kinds
from patrolplan.risk.history import PRIOR_MONTHS, History
from patrolplan.risk.models import AUTO, PRIOR, SMOOTHED, RiskModel
from patrolplan.risk.scores import (
    COVERAGES,
    DECILES,
    append_harm,
    score_shares,
    sum_deciles,
    sum_slices,
)

ALL_CATEGORIES = "all"  # harm-weighted crime of all categories that count
BEST = "best possible"  # the streets that the month's own crime was in
DESIGNATED = "designated places"  # the streets of the force's own polygons

AUTO_ALL_HOURS = "auto, all hours"
PRIOR_BY_CLOCK = "prior by clock"

TENTHS = [f"tenth_{number}" for number in range(1, DECILES + 1)]


@dataclass(frozen=True, eq=False)
class Inside:
    """What of the incidents lies inside a window of the day."""

    counts: NDArray[np.int32]  # (t, c, j) incidents inside it, by month, place and target
    share: NDArray[np.float64]  # (t,) share of each month's minutes
    # (c, j) the clock's mean factor in the window, learned before a month.
    find_factor: Callable[[pd.Timestamp], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores what models expect of the months of a history."""

    history: History  # All months, those that are scored included
    harm: NDArray[np.float64]  # (j,) weight of each target in `ALL_CATEGORIES`
    # The window whose incidents are scored, by models times the clock; None: all hours.
    inside: Inside | None = None
    # (c,) share of each place's street in the force's polygons: they are scored, and every model at
    # equal metres; None where there are none.
    designated: NDArray[np.float64] | None = None

    def run(self, models: Mapping[str, RiskModel], origins: Sequence[pd.Timestamp]) -> pd.DataFrame:
        """One row a `month`, `category` (`ALL_CATEGORIES` last), `model` and `coverage`.

        What the model's top streets `captured` of the `total` of the month, and `earlier` of the
        `earlier_total` of the twelve months before: incidents, or harm for `ALL_CATEGORIES`. The
        other columns are alike at all coverages, and count every incident alike: the number of
        `events`, the log score `bits`, how many were `expected`, and in `TENTHS` how many came in
        the places of each tenth of these, see `sum_deciles`.

        `origins`: Months, in order; each is held in some place, and only there it is scored. A
        model only ever receives `history.cut_before` of it.
        """
        return pd.concat([self._score_month(models, month) for month in origins], ignore_index=True)

    def _score_month(self, models: Mapping[str, RiskModel], month: pd.Timestamp) -> pd.DataFrame:
        history, row = self.history, int(self.history.months.searchsorted(month))
        # Streets that are not held in the month are neither ranked nor counted; of a month that is
        # partly held, or a window of it, as large a part is expected.
        streets, held = find_origin_streets(history, row), history.held[row][:, None]
        held = held if self.inside is None else held * self.inside.share[row]
        amounts = [append_harm(one, self.harm) for one in self._count(row)]
        now, before = (streets.gather(one) for one in amounts)
        counts = now[:, :-1]
        same = {"total": now.sum(axis=0), "earlier_total": before.sum(axis=0)}
        same["events"] = append_harm(counts.sum(axis=0))
        coverages, polygons = self._find_coverages(row)

        def slice_by(scores: NDArray[np.float64]) -> NDArray[np.float64]:
            """(j + 1, q, 2) captured of the month, and of the twelve before."""
            triples = zip(scores.T, now.T, before.T, strict=True)
            return np.array(
                [
                    sum_slices(score, streets.metres, np.column_stack(both), coverages)
                    for score, *both in triples
                ]
            )

        frames = [self._build_frame(month, BEST, slice_by(now), same)]
        # Polygons are no ranking: they have one coverage, their own, at which models are cut too.
        if polygons is not None:
            captured = np.array([polygons @ one for one in amounts]).T
            found = np.full((len(captured), len(coverages), 2), np.nan)
            found[:, -1] = captured
            frames.append(self._build_frame(month, DESIGNATED, found, same).dropna())
        for name, rate in self._find_rates(models, month).items():
            known = streets.gather(rate)
            expected, observed = (append_harm(one) for one in (streets.gather(rate * held), counts))
            tenths = sum_deciles(expected, observed)
            scores = {
                "bits": append_harm(score_shares(known, counts)),
                "expected": expected.sum(axis=0),
                **dict(zip(TENTHS, tenths.T, strict=True)),
            }
            captured = slice_by(append_harm(known, self.harm))
            frames.append(self._build_frame(month, name, captured, same | scores))
        return pd.concat(frames)

    def _find_rates(
        self, models: Mapping[str, RiskModel], month: pd.Timestamp
    ) -> dict[str, NDArray[np.float64]]:
        """(c, j) what each model expects of a month; inside a window, times the clock."""
        cut = self.history.cut_before(month)
        rates = {name: model(cut) for name, model in models.items()}
        if self.inside is None:
            return rates
        # Prior counts stay those of all hours: they are the baseline everywhere. What the clock
        # adds is seen from two further rows, the model without it and the count with it.
        factor = self.inside.find_factor(month)
        by_clock = {
            name: rate if name in {PRIOR, SMOOTHED} else rate * factor
            for name, rate in rates.items()
        }
        more = {AUTO_ALL_HOURS: rates[AUTO], PRIOR_BY_CLOCK: rates[PRIOR] * factor}
        return by_clock | more

    def _count(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(c, j) crimes of a month, and of the twelve months before."""
        if self.inside is not None:
            counts = self.inside.counts.astype(np.float64)
            return counts[row], counts[max(0, row - PRIOR_MONTHS) : row].sum(axis=0)
        targets = len(self.history.targets)
        before = self.history.estimate_last(PRIOR_MONTHS, before=row)
        return self.history.counts[row, :, :targets].astype(np.float64), before[:, :targets]

    def _find_coverages(self, row: int) -> tuple[tuple[float, ...], NDArray[np.float64] | None]:
        """(q,) shares of the street held, last the polygons', and (c,) what of these is held."""
        if self.designated is None:
            return COVERAGES, None
        held, metres = self.history.is_held(row), self.history.units.metres
        inner = self.designated * held
        return (*COVERAGES, float(inner @ metres / (held @ metres))), inner

    def _build_frame(
        self,
        month: pd.Timestamp,
        model: str,
        captured: NDArray[np.float64],
        scores: Mapping[str, NDArray[np.float64]],
    ) -> pd.DataFrame:
        """Rows of one model, from (j + 1, q, 2) captured and (j + 1,) other scores."""
        coverages = [*COVERAGES]
        if self.designated is not None:
            metres = self.history.units.metres
            coverages.append(round(float(self.designated @ metres / metres.sum()), 6))
        names = [(*self.history.targets, ALL_CATEGORIES), coverages]
        rows = pd.MultiIndex.from_product(names, names=["category", "coverage"])
        columns = {"captured": captured[..., 0].ravel(), "earlier": captured[..., 1].ravel()}
        columns |= {name: each.repeat(len(coverages)) for name, each in scores.items()}
        frame = pd.DataFrame(columns, index=rows).reset_index()
        return frame.assign(month=month, model=model)


@dataclass(frozen=True, eq=False)
class OriginStreets:
    """Places as they are known at an origin."""

    metres: NDArray[np.float64]  # (n,) street in each of the n places
    # (n, c) share of each place's street that lies in each known one; None where they are equal.
    shares: sparse.csr_array | None = None

    def gather(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) or (n, k) amounts of the known places, from (c,) or (c, k)."""
        return amounts if self.shares is None else np.asarray(self.shares @ amounts)


def find_origin_streets(history: History, row: int) -> OriginStreets:
    """What is known of a history's places before the month of a row, and held in it."""
    held, units = history.is_held(row), history.units
    first_month, month = units.catchments.first_month, history.months[row].to_datetime64()
    is_seen = np.ones(len(units), dtype=bool)
    # Earlier than its era a point cannot have been seen: then all count as known.
    if first_month is not None and first_month.min() < month:
        is_seen = first_month < month
    if is_seen.all() and held.all():
        return OriginStreets(units.metres)
    # Pieces of a point that is not seen yet fall to the nearest one that is, as they did then.
    catchments, metres = units.catchments, units.network.piece_metres
    own = catchments.piece_catchment
    seen, lost = np.flatnonzero(is_seen), np.flatnonzero(~is_seen[own])
    nearest = scipy.spatial.cKDTree(catchments.xy[seen]).query(units.network.piece_middle[lost])[1]
    known = own.copy()
    known[lost] = seen[nearest]
    kept = held[own]
    used, number = np.unique(known[kept], return_inverse=True)
    ends = number.reshape(-1), own[kept]
    shares = sparse.csr_array((catchments.piece_share[kept], ends), (len(used), len(units)))
    length = np.bincount(ends[0], metres[kept], minlength=len(used)).astype(np.float64)
    return OriginStreets(length, shares)


MINUTES_A_DAY = 24 * 60


def build_mask(area: StudyArea, history: History, window: Window) -> Inside:
    """What of the incidents lies inside a window, from a time of day or from each school's bell."""
    minutes, weights = weigh_minutes(window, window.list_bells(area.schools))
    catchments = history.units.catchments

    def find_factor(month: pd.Timestamp) -> NDArray[np.float64]:
        clock = build_clock(area, history, before=month)
        weighted = clock.average_factor(minutes, weights, "school_day")
        weighted = weighted * catchments.piece_share[:, None]
        return np.column_stack([history.units.sum_pieces(column) for column in weighted.T])

    months = history.months
    days = pd.date_range(months[0], months[-1] + pd.offsets.MonthEnd(), freq="D")
    school_days = _is_school_day(area, days)
    of_month = months.get_indexer(days.to_period("M").to_timestamp())
    share = np.bincount(of_month, school_days, minlength=len(months)) / months.days_in_month
    share = share * window.minutes / MINUTES_A_DAY
    return Inside(count_inside(area, history, minutes), np.asarray(share), find_factor)


def check_times_known(area: StudyArea) -> None:
    """Raise `InputError` where only the months or days of crimes are known."""
    if not area.times_known or not area.incidents["timed"].any():
        where = "[sources] crimes"
        what = "the times of day are not known, which a back-test inside a window needs"
        remedy = "give crimes with occurred_at, or leave the window out"
        raise InputError.one(where, what, remedy)


def count_inside(
    area: StudyArea, history: History, minutes: NDArray[np.int64]
) -> NDArray[np.int32]:
    """(t, c, j) timed incidents at these minutes of school days, by month, place and target."""
    incidents = area.incidents
    timed = incidents["timed"].to_numpy() & incidents["category"].isin(history.targets).to_numpy()
    at = pd.DatetimeIndex(incidents.loc[timed, "occurred_at"])
    minute = np.asarray(at.hour * 60 + at.minute)
    # Minutes beyond midnight, from 1440, belong to the day on which the window began.
    late = minute + MINUTES_A_DAY <= minutes[-1]
    day = at.normalize() - pd.to_timedelta(late.astype(np.int64), unit="D")
    inside = np.isin(minute + MINUTES_A_DAY * late, minutes) & _is_school_day(area, day)
    if not inside.any():
        where, what = "window", "no crime with a known time lies inside it on a school day"
        remedy = "choose another window, or give the dates of terms in [sources] term_dates"
        raise InputError.one(where, what, remedy)
    month = history.months.get_indexer(day[inside].to_period("M").to_timestamp())
    category = pd.Index(history.targets).get_indexer(incidents.loc[timed, "category"].astype(str))
    place = area.incident_catchment[timed]
    has_month = month >= 0
    counts = np.zeros((len(history), len(history.units), len(history.targets)), dtype=np.int32)
    np.add.at(counts, (month[has_month], place[inside][has_month], category[inside][has_month]), 1)
    return counts


def _is_school_day(area: StudyArea, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which days are school days; without term dates, all weekdays."""
    kinds = find_day_kinds(area.term_dates, days)
    terms_known = len(area.term_dates) and (area.term_dates["kind"] == "term").any()
    return np.asarray(kinds == (SCHOOL_DAY if terms_known else UNKNOWN_WEEKDAY))
