"""The learned clock: when crime happens, from the incidents whose time of day is known.

A place has few incidents with a time, a category more, all crime most. So what is learned goes down
a ladder: the declared profile, all categories, the category, the category at that kind of place,
the place with its surroundings. Each step down starts from the step above and is drawn away from it
by its own incidents, as far as these carry:

1. An incident stands for more than its half-hour: it is spread over the half-hours around it and,
   partly, over other kinds of day, in proportion to the profile of the step above.
2. A step's profile is (the sum of its spread incidents + a x the profile above) / (incidents + a):
   the posterior mean of a Dirichlet distribution, where a says how many incidents the profile above
   counts as. Many incidents or a small a: the step's own. None: the step above.
3. How wide to spread and how large a is are not set by hand. Days are dealt out into ten folds; of
   each fold the incidents are predicted from the other nine, and what gives them the highest
   likelihood is chosen (Stone 1974; days are left out whole, as one event is often recorded as
   several crimes). Where crime is the same everywhere a becomes large by itself.
4. The categories, and the kinds of place, of the declared profile differ from each other in a way
   that few own times cannot show. Steps two and three may therefore start from the step above
   times the declared profile's ratio: as much of it as the same likelihood wants.

All profiles are densities over cells (kind of day x half-hour) with the cells' share of all time as
measure. A sum over them is always 1, so the factor of `patrolplan.risk.clock` has the mean 1.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from patrolplan.area import StudyArea
from patrolplan.notes import Note
from patrolplan.risk.day_kinds import (
    DAY_KINDS,
    HOLIDAY,
    OTHER_WEEKDAY,
    SCHOOL_DAY,
    UNKNOWN_WEEKDAY,
    WEEKEND,
    find_day_kinds,
)
from patrolplan.risk.declared_clock import DAYS_A_YEAR, HALF_HOURS, normalise_profile

Floats = NDArray[np.float64]

FOLDS = 10
MIN_DAYS = 20
"""A kind of day of which there are fewer in the data is joined with the kind most like it."""

STRENGTHS = np.geomspace(1.0, 100_000.0, 26)
"""How many incidents the profile above may count as."""

WIDTHS = (0.0, 1.0, 2.0, 4.0)
"""Standard deviations in half-hours that an incident may be spread with."""

DAY_WEIGHTS = (0.0, 0.3, 1.0)
"""How much an incident may count on other kinds of day."""

RATIO_SHARES = (0.0, 0.5, 1.0)
"""How far a step may follow the declared profile's ratio."""

RADII_METRES = (0.0, 150.0, 300.0)
"""How far around a place its surroundings may reach, in a straight line."""

MAX_FITTED_INCIDENTS = 3000
"""Of each category, so many are predicted when the numbers above are chosen."""

POOLED_INCIDENTS = 200
"""A category's own likelihood is joined with that of all, as of so many incidents."""

FEW_TIMES = 50
"""A category with fewer times is named in a note: its clock is mostly that of others."""


@dataclass(frozen=True, eq=False)
class DayClasses:
    """The kinds of day that the data can tell apart, joined where it has few days of one.

    Parameters
    ----------
    of_kind
        (4,) class of each of `DAY_KINDS`.
    kind_shares
        (4,) share of the days of each kind.
    """

    of_kind: NDArray[np.int64]
    kind_shares: Floats

    @cached_property
    def shares(self) -> Floats:
        """(d,) share of the days of each class."""
        return np.bincount(self.of_kind, self.kind_shares).astype(np.float64)

    @cached_property
    def cell_shares(self) -> Floats:
        """(d x 48,) share of all time of each half-hour of each class of day."""
        return np.repeat(self.shares / HALF_HOURS, HALF_HOURS)

    @property
    def unknown(self) -> int:
        """Number of the class of a weekday of which it is not known what kind it is."""
        return len(self.shares)

    def find_class(self, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) class of each day's kind, see `patrolplan.risk.day_kinds.find_day_kinds`."""
        weekdays = np.unique(self.of_kind[[SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]])
        unknown = weekdays[0] if len(weekdays) == 1 else self.unknown
        return np.append(self.of_kind, unknown)[kinds]

    def build_day_matrix(self, day_weight: float) -> Floats:
        """(d + 1, d) how much an incident on a day of one class counts on those of the others.

        One on a weekday of unknown kind, in the last row, counts on all classes of weekdays alike.
        """
        count = len(self.shares)
        matrix = np.full((count + 1, count), day_weight)
        np.fill_diagonal(matrix, 1.0)
        matrix[count, self.of_kind[[SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]]] = 1.0
        return matrix


def join_day_kinds(kinds: NDArray[np.int64]) -> DayClasses:
    """The classes of day, from the (n,) kinds of the days that the data has.

    Other weekdays are joined with holidays and, where there are few of both or no term dates, with
    school days; where there are few weekends, all days are one class. Weekdays of unknown kind are
    taken to be mixed as the known ones are.
    """
    days = np.bincount(kinds, minlength=len(DAY_KINDS) + 1).astype(np.float64)
    weekdays = [SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]
    known, unknown = days[weekdays].sum(), days[UNKNOWN_WEEKDAY]
    if known:
        days[weekdays] *= 1 + unknown / known
    else:
        days[SCHOOL_DAY] = unknown
    of_kind = np.arange(len(DAY_KINDS))
    if min(days[OTHER_WEEKDAY], days[HOLIDAY]) < MIN_DAYS:
        of_kind[HOLIDAY] = OTHER_WEEKDAY
    if min(days[SCHOOL_DAY], days[OTHER_WEEKDAY] + days[HOLIDAY]) < MIN_DAYS:
        of_kind[weekdays] = SCHOOL_DAY
    if min(days[weekdays].sum(), days[WEEKEND]) < MIN_DAYS:
        of_kind[:] = SCHOOL_DAY
    days = days[: len(DAY_KINDS)]
    return DayClasses(np.unique(of_kind, return_inverse=True)[1].reshape(-1), days / days.sum())


@lru_cache(maxsize=16)
def _build_hour_matrix(width: float) -> Floats:
    """(48, 48) how much an incident in one half-hour counts in the others, around midnight too."""
    if not width:
        return np.eye(HALF_HOURS)
    apart = np.abs(np.subtract.outer(np.arange(HALF_HOURS), np.arange(HALF_HOURS)))
    apart = np.minimum(apart, HALF_HOURS - apart)
    return np.asarray(np.exp(-0.5 * (apart / width) ** 2) * (apart <= 3 * width))


def _build_spread(profile: Floats, days: DayClasses, width: float, day_weight: float) -> Floats:
    """(i, b) where an incident of each cell is spread to, in proportion to a profile (b,).

    Rows are the b cells and, after them, the half-hours of weekdays of unknown kind; each sums
    to 1.
    """
    near = np.kron(days.build_day_matrix(day_weight), _build_hour_matrix(width)) * profile
    return np.asarray(near / near.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Choice:
    """The numbers of a step that were chosen by likelihood.

    `bits` is how much better an incident's time is predicted than by the step above alone.
    """

    strength: float
    width: float
    day_weight: float
    ratio_share: float = 0.0
    radius_metres: float = 0.0
    bits: float = 0.0


def fit_step(
    counts: Floats, above: Floats, ratio: Floats | None, days: DayClasses
) -> tuple[Floats, Choice]:
    """(g, b) profile of each group of a step, and how far it follows its own incidents.

    Parameters
    ----------
    counts
        (f, g, i) incidents of each fold, group and cell; the last 48 cells are weekdays of unknown
        kind.
    above
        (g, b) profile of the step above of each group; sums to 1.
    ratio
        (g, b) ratio of the declared profile that the step may start from; None for none.
    days
        The classes of day.
    """
    cells = above.shape[1]
    total = counts.sum(axis=0)
    seen, own = total - counts, counts[:, :, :cells]
    others = seen.sum(axis=2)[..., None]
    reference = float((own * np.log(above)).sum())
    best: tuple[float, Choice, Floats] | None = None
    for share in RATIO_SHARES if ratio is not None else (0.0,):
        base = above if ratio is None else _blend_ratio(above, ratio, share)
        for width in WIDTHS:
            for day_weight in DAY_WEIGHTS if len(days.shares) > 1 else (0.0,):
                spread = np.stack([_build_spread(row, days, width, day_weight) for row in base])
                spread_seen = np.einsum("fgi,gib->fgb", seen, spread, optimize=True)
                for strength in STRENGTHS[::-1]:
                    profile = (spread_seen + strength * base) / (others + strength)
                    score = float((own * np.log(profile)).sum())
                    if best is None or score > best[0]:
                        bits = (score - reference) / max(own.sum(), 1.0) / np.log(2)
                        choice = Choice(float(strength), width, day_weight, share, bits=bits)
                        spread_all = np.einsum("gi,gib->gb", total, spread, optimize=True)
                        number = total.sum(axis=1)[:, None]
                        result = (spread_all + strength * base) / (number + strength)
                        best = score, choice, result
    assert best is not None  # noqa: S101 - the grid is not empty
    return best[2], best[1]


def _blend_ratio(above: Floats, ratio: Floats, share: float) -> Floats:
    """(g, b) the profile above, times as much of a ratio."""
    tilted = above * ratio
    tilted /= tilted.sum(axis=1, keepdims=True)
    return np.asarray((1 - share) * above + share * tilted)


@dataclass(frozen=True, eq=False)
class LearnedPlaces:
    """What is learned of single places, for `patrolplan.risk.clock.Clock`.

    Parameters
    ----------
    piece_catchment, piece_kind
        (p,) catchment and kind of place of each piece.
    days
        The classes of day.
    profiles
        (j, s, b) profile of each category at each kind of place.
    counts
        For each category, (a, i) incidents of each place that has any, by cell.
    near
        For each category, (c, a) how much an incident there counts here.
    choices
        For each category, how far a place follows its own incidents.
    """

    piece_catchment: NDArray[np.int64]
    piece_kind: NDArray[np.int64]
    days: DayClasses
    profiles: Floats
    counts: tuple[sparse.csr_array, ...]
    near: tuple[sparse.csr_array, ...]
    choices: tuple[Choice, ...]

    def draw_to_own(self, factor: Floats, half_hour: int, day_shares: Floats) -> Floats:
        """(p, j) factor of the kind of place, drawn to what is known of each place.

        Parameters
        ----------
        factor
            (p, j) factor of the kind of place.
        half_hour
            0 to 47, from midnight.
        day_shares
            (4,) how much each kind of day counts; sums to 1.
        """
        wanted = np.bincount(self.days.of_kind, day_shares).astype(np.float64)
        drawn = np.empty_like(factor)
        for number, choice in enumerate(self.choices):
            own, incidents = self._sum_own(number, half_hour, wanted)
            base = choice.strength * factor[:, number]
            at = (self.piece_catchment, self.piece_kind)
            weight = incidents[self.piece_catchment] + choice.strength
            drawn[:, number] = (own[at] + base) / weight
        return drawn

    def _sum_own(self, number: int, half_hour: int, wanted: Floats) -> tuple[Floats, Floats]:
        """(c, s) incidents around each place, spread to a half-hour, by the time that it has.

        Also (c,) how many there are around each place. `wanted` is (d,) the weight of each class
        of day.
        """
        choice = self.choices[number]
        day_matrix = self.days.build_day_matrix(choice.day_weight)
        hours = _build_hour_matrix(choice.width)
        profile = self.profiles[number].reshape(-1, len(wanted), HALF_HOURS)
        whole = np.einsum("ed,hk,sdk->seh", day_matrix, hours, profile, optimize=True)
        per_time = wanted * profile[:, :, half_hour] / (self.days.shares / HALF_HOURS)
        here = np.einsum("ed,h,sd->seh", day_matrix, hours[:, half_hour], per_time)
        spread = (here / whole).reshape(len(profile), -1)
        counts, near = self.counts[number], self.near[number]
        return near @ (counts @ spread.T), near @ np.asarray(counts.sum(axis=1))


@dataclass(frozen=True, eq=False)
class LearnedClock:
    """Profiles by kind of place, and what is learned of single places.

    `profile` is (j, 6, 4, 48), the factor by kind of place (the last: all), kind of day and
    half-hour; `day_shares` is (4,) the share of the days of each kind.
    """

    profile: Floats
    day_shares: Floats
    places: LearnedPlaces
    notes: tuple[Note, ...]
    choices: dict[str, Choice]


@dataclass(frozen=True, eq=False)
class _Times:
    """The incidents with a time: place, category, cell and fold of each, and the classes of day."""

    place: NDArray[np.int64]
    category: NDArray[np.int64]
    cell: NDArray[np.int64]
    fold: NDArray[np.int64]
    days: DayClasses

    @property
    def cells(self) -> int:
        """How many cells there are, those of weekdays of unknown kind among them."""
        return (self.days.unknown + 1) * HALF_HOURS

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(n,) whether the kind of day is known."""
        return self.cell < self.days.unknown * HALF_HOURS

    def count(self, group: NDArray[np.int64], groups: int) -> Floats:
        """(f, g, i) incidents of each fold, group and cell."""
        shape = (FOLDS, groups, self.cells)
        index = np.ravel_multi_index((self.fold, group, self.cell), shape)
        return np.bincount(index, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def learn_clock(
    area: StudyArea,
    targets: tuple[str, ...],
    declared: Floats,
    kinds: NDArray[np.int64],
    piece_kind: NDArray[np.int64],
    *,
    before: pd.Timestamp | None = None,
) -> LearnedClock | None:
    """The clock of the incidents whose time is known; None where there is none.

    Parameters
    ----------
    area
        Incidents and term dates.
    targets
        (j,) categories.
    declared
        (j, 6, 4, 48) profile that is drawn away from.
    kinds, piece_kind
        (c,) and (p,) kind of place of each catchment and piece, a row of `declared`.
    before
        Only incidents of earlier months are learned from; all by default.
    """
    times = _read_times(area, targets, before)
    if times is None:
        return None
    days, count = times.days, len(targets)
    # 1. from the declared profile to all categories
    base = _join_declared(declared, days)
    by_category = np.bincount(times.category, minlength=count).astype(np.float64)
    mean = np.einsum("k,kb->b", by_category / by_category.sum(), base[:, -1])
    choices: dict[str, Choice] = {}
    whole, choices["all"] = fit_step(
        times.count(np.zeros_like(times.category), 1), mean[None], None, days
    )
    # 2. to each category
    above = np.repeat(whole, count, axis=0)
    profile, choices["category"] = fit_step(
        times.count(times.category, count), above, base[:, -1] / mean, days
    )
    # 3. to each kind of place
    profiles = np.repeat(profile[:, None], base.shape[1], axis=1)
    number = base.shape[1] - 1
    if (kinds < number).all():
        group = times.category * number + kinds[times.place]
        above = profiles[:, :-1].reshape(count * number, -1)
        ratio = (base[:, :-1] / base[:, -1:]).reshape(above.shape)
        fitted, choices["kind"] = fit_step(times.count(group, count * number), above, ratio, days)
        profiles[:, :-1] = fitted.reshape(count, number, -1)
    # 4. to each place
    places = _fit_places(area, times, profiles, kinds, piece_kind)
    rate = profiles.reshape(count, -1, len(days.shares), HALF_HOURS)
    rate = rate / (days.shares[:, None] / HALF_HOURS)
    few = [name for name, own in zip(targets, by_category, strict=True) if own < FEW_TIMES]
    notes = [Note("clock_learned", {"times": len(times.cell)})]
    if few:
        notes.append(Note("clock_few_times", {"categories": few, "times": FEW_TIMES}))
    if not len(area.term_dates):
        notes.append(Note("clock_no_term_dates"))
    return LearnedClock(
        profile=normalise_profile(rate[:, :, days.of_kind], days.kind_shares),
        day_shares=days.kind_shares,
        places=places,
        notes=tuple(notes),
        choices=choices,
    )


def _read_times(
    area: StudyArea, targets: tuple[str, ...], before: pd.Timestamp | None
) -> _Times | None:
    """The incidents of the targets whose time of day is known; None without any.

    The days that they could be of are those of the months that have any time, from the first to the
    last one.
    """
    incidents = area.incidents
    used = incidents["timed"].to_numpy() & incidents["category"].isin(targets).to_numpy()
    if before is not None:
        used &= (incidents["month"] < before).to_numpy()
    if not used.any():
        return None
    at = pd.DatetimeIndex(incidents["occurred_at"].array[used])
    date = at.normalize()
    calendar = pd.date_range(date.min(), date.max(), unit="ns")
    calendar = calendar[calendar.to_period("M").isin(date.to_period("M").unique())]
    days = join_day_kinds(find_day_kinds(area.term_dates, calendar))
    distinct, row = np.unique(date, return_inverse=True)
    day = days.find_class(find_day_kinds(area.term_dates, pd.DatetimeIndex(distinct)))[row]
    half_hour = (at.hour * 60 + at.minute).to_numpy() // 30
    ordinal = (date - pd.Timestamp("2001-01-01")).days.to_numpy()  # a Monday
    category = pd.Categorical(incidents["category"].array[used], categories=list(targets)).codes
    return _Times(
        place=area.incident_catchment[used],
        category=category.astype(np.int64),
        cell=(day * HALF_HOURS + half_hour).astype(np.int64),
        fold=(ordinal // 7 % FOLDS).astype(np.int64),
        days=days,
    )


def _join_declared(declared: Floats, days: DayClasses) -> Floats:
    """(j, 6, b) the declared profile as a density over the cells."""
    year = np.array([DAYS_A_YEAR[kind] for kind in DAY_KINDS], dtype=np.float64)
    weight = days.kind_shares + 1e-6 * year  # kinds without a day in the data count by the year's
    member = np.equal.outer(np.arange(len(days.shares)), days.of_kind) * weight
    member /= member.sum(axis=1, keepdims=True)
    rate = np.einsum("ed,ksdh->kseh", member, declared)
    density = rate.reshape(*rate.shape[:2], -1) * days.cell_shares
    return np.asarray(density / density.sum(axis=2, keepdims=True))


def _fit_places(
    area: StudyArea,
    times: _Times,
    profiles: Floats,
    kinds: NDArray[np.int64],
    piece_kind: NDArray[np.int64],
) -> LearnedPlaces:
    """What is learned of each place in each category, with the surroundings that predict best."""
    xy = area.catchments.xy
    scores, sampled = [], []
    counts = [_count_places(times, times.category == k, len(xy)) for k in range(len(profiles))]
    for number, profile in enumerate(profiles):
        score, incidents = _score_places(times, number, profile, kinds, xy)
        scores.append(score)
        sampled.append(incidents)
    pooled = np.sum(scores, axis=0) / max(sum(sampled), 1)
    choices, near = [], []
    for score, incidents, (active, _) in zip(scores, sampled, counts, strict=True):
        joined = score + POOLED_INCIDENTS * pooled
        index = np.unravel_index(np.argmax(joined), joined.shape)
        radius, width, day_weight = (
            grid[at] for grid, at in zip((RADII_METRES, WIDTHS, DAY_WEIGHTS), index, strict=False)
        )
        bits = float(score[index]) / max(incidents, 1) / np.log(2)
        strength = float(STRENGTHS[::-1][index[3]])
        choices.append(Choice(strength, width, day_weight, radius_metres=radius, bits=bits))
        near.append(_build_near(xy, np.arange(len(xy)), active, radius))
    return LearnedPlaces(
        piece_catchment=area.catchments.piece_catchment,
        piece_kind=piece_kind,
        days=times.days,
        profiles=profiles,
        counts=tuple(table for _, table in counts),
        near=tuple(near),
        choices=tuple(choices),
    )


def _count_places(
    times: _Times, used: NDArray[np.bool_], places: int
) -> tuple[NDArray[np.int64], sparse.csr_array]:
    """(a,) the places that have any of these incidents, and (a, i) their incidents by cell."""
    active = np.flatnonzero(np.bincount(times.place[used], minlength=places))
    return active, _count_rows(times, used, active)


def _build_near(
    xy: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], radius: float
) -> sparse.csr_array:
    """(r, a) how much an incident at each of some places counts at others.

    1 at the place itself, falling to 0 at the radius (quartic kernel).
    """
    shape = (len(rows), len(columns))
    if not len(rows) or not len(columns):
        return sparse.csr_array(shape)
    if not radius:
        column = np.searchsorted(columns, rows)
        column = np.minimum(column, len(columns) - 1)
        own = np.flatnonzero(columns[column] == rows)
        return sparse.csr_array((np.ones(len(own)), (own, column[own])), shape=shape)
    pairs = cKDTree(xy[rows]).sparse_distance_matrix(
        cKDTree(xy[columns]), radius, output_type="ndarray"
    )
    weight = (1 - (pairs["v"] / radius) ** 2) ** 2
    return sparse.csr_array((weight, (pairs["i"], pairs["j"])), shape=shape)


def _score_places(
    times: _Times, number: int, profile: Floats, kinds: NDArray[np.int64], xy: Floats
) -> tuple[Floats, int]:
    """Log likelihood of a category's incidents over the step above, and of how many of them.

    (radius, width, day weight, strength), strengths from the largest on. Each incident is predicted
    from those of other folds, at its place and around it.
    """
    days = times.days
    shape = (len(RADII_METRES), len(WIDTHS), len(DAY_WEIGHTS), len(STRENGTHS))
    own = times.category == number
    known = np.flatnonzero(own & times.is_known)
    if len(known) > MAX_FITTED_INCIDENTS:
        known = known[np.linspace(0, len(known) - 1, MAX_FITTED_INCIDENTS).astype(np.int64)]
    scores = np.zeros(shape)
    if not len(known):
        return scores, 0
    active, total = _count_places(times, own, len(xy))
    place, cell, fold = times.place[known], times.cell[known], times.fold[known]
    kind = kinds[place]
    seen = [total - _count_rows(times, own & (times.fold == left), active) for left in range(FOLDS)]
    base = profile[kind, cell]
    strengths = STRENGTHS[::-1]
    for r, radius in enumerate(RADII_METRES):
        around = np.empty((len(known), times.cells))
        for left in np.unique(fold):
            rows = np.flatnonzero(fold == left)
            near = _build_near(xy, place[rows], active, radius)
            around[rows] = (near @ seen[left]).toarray()
        incidents = around.sum(axis=1)
        for w, width in enumerate(WIDTHS):
            for d, day_weight in enumerate(DAY_WEIGHTS):
                spread = np.empty(len(known))
                for s in np.unique(kind):
                    rows = np.flatnonzero(kind == s)
                    matrix = _build_spread(profile[s], days, width, day_weight)
                    spread[rows] = np.einsum("ni,in->n", around[rows], matrix[:, cell[rows]])
                gain = (spread / base)[:, None] + strengths
                scores[r, w, d] = np.log(gain / (incidents[:, None] + strengths)).sum(axis=0)
    return scores, len(known)


def _count_rows(
    times: _Times, used: NDArray[np.bool_], active: NDArray[np.int64]
) -> sparse.csr_array:
    """(a, i) incidents by place and cell, of places in the order of `active`."""
    row = np.searchsorted(active, times.place[used])
    shape = (len(active), times.cells)
    return sparse.csr_array((np.ones(len(row)), (row, times.cell[used])), shape=shape)
