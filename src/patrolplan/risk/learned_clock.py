"""The learned clock: when crime happens, from the incidents whose time of day is known.

A place has few incidents with a time, a category more, all crime most. So the clock is learned in
steps: the declared profile, all categories, the category, the category at that kind of place, the
place with 600 m around it, with 200 m around it, and alone. Each step starts from the one above and
is moved away from it as far as its own incidents justify:

1. An incident says something about more than its half-hour: it is spread over those around it and,
   partly, over other kinds of day, in proportion to the profile of the step above.
2. A step's profile is (the sum of its spread incidents + a x the profile above) / (incidents + a):
   the posterior mean of a Dirichlet distribution, where a says how many incidents the profile above
   counts as. Many incidents or a small a: the step's own. None: the step above.
3. How wide to spread and how large a is are not set by hand. Weeks are dealt out into ten folds; of
   each fold the incidents are predicted from the other nine, and what gives them the highest
   likelihood is chosen (Stone 1974, J. R. Stat. Soc. B 36: 111-147; weeks are left out whole, as
   one event is often recorded as several crimes). Where places are alike, a becomes large.
4. The categories, and the kinds of place, of the declared profile differ from each other in a way
   that few own times cannot show. Steps two and three may therefore start from the step above
   times the declared profile's ratio: as much of it as the same likelihood wants.

All profiles are densities over cells (kind of day x half-hour) with the cells' share of all time as
measure. A sum over them is always 1, so the factor of `patrolplan.risk.clock` has the mean 1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.notes import Note
from patrolplan.risk.clock_steps import FOLDS, Choice, Floats, Times, fit_step
from patrolplan.risk.day_kinds import (
    DAY_KINDS,
    HALF_HOURS,
    DayClasses,
    find_day_kinds,
    join_day_kinds,
)
from patrolplan.risk.declared_clock import DAYS_A_YEAR, normalise_profile
from patrolplan.risk.place_clock import LearnedPlaces, fit_places

FEW_TIMES = 50
"""A category with fewer known times is named in a note: its clock is mostly that of others."""


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

    `targets`: (j,) categories. `declared`: (j, 6, 4, 48) profile that is drawn away from. `kinds`,
    `piece_kind`: (c,) and (p,) kind of place of each catchment and piece, a row of `declared`.
    `before`: Only incidents of earlier months are learned from; all by default.
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
    # 4. to the surroundings of each place, and the place
    catchments = area.catchments
    places = fit_places(
        times, profiles, catchments.xy, kinds, catchments.piece_catchment, piece_kind
    )
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
) -> Times | None:
    """The incidents of the targets whose time of day is known; None without any.

    Their possible days are those of the months with any known time, from the first to the last.
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
    names = incidents["category"].cat.categories
    column = pd.Index(targets).get_indexer(names)
    category = column[incidents["category"].cat.codes.to_numpy()[used]]
    return Times(
        place=area.incident_catchment[used],
        category=category.astype(np.int64),
        cell=(day * HALF_HOURS + half_hour).astype(np.int64),
        fold=(ordinal // 7 % FOLDS).astype(np.int64),
        days=days,
    )


def _join_declared(declared: Floats, days: DayClasses) -> Floats:
    """(j, 6, b) the declared profile as a density over the cells."""
    year = np.array([DAYS_A_YEAR[kind] for kind in DAY_KINDS], dtype=np.float64)
    weight = days.kind_shares + 1e-6 * year  # kinds without days: by the year
    member = np.equal.outer(np.arange(len(days.shares)), days.of_kind) * weight
    member /= member.sum(axis=1, keepdims=True)
    rate = np.einsum("ed,ksdh->kseh", member, declared)
    density = rate.reshape(*rate.shape[:2], -1) * days.cell_shares
    return np.asarray(density / density.sum(axis=2, keepdims=True))
