"""The learned clock: when crime happens, from the incidents whose time of day is known.

The declared clock of a category is moved by all of its incidents in the area. Their profile is
(incidents + a x the declared profile) / (their number + a), the mean of a Dirichlet distribution
whose prior counts as a incidents: few incidents leave the declared profile as it was. Kinds of
place keep the ratios that are declared for them, since few times near bars are known. Streets have
no hours of their own; `docs/methods/risk.md` says what they would tell.

How large a is, is not set by hand. Weeks are dealt out into ten folds; the incidents of each fold
are predicted from the other nine, and the a that gives them the highest likelihood is chosen (Stone
1974, J. R. Stat. Soc. B 36: 111-147).

A theft of a bicycle has a first and a last possible time. It counts as one incident, shared out
over its span in proportion to the clock: all it says is that it was at no other time. Its first
time would put thefts of the night into the evening.

Shapes: j categories, s kinds of place, f folds, d classes of day, 48 half-hours.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.incidents import find_known
from patrolplan.arrays import Floats, Ints
from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses, find_day_kinds, join_day_kinds

FOLDS = 10
STRENGTHS = np.geomspace(100_000.0, 1.0, 26)  # candidates for a; the first wins a tie
POOLED_INCIDENTS = 200
WIDTH = 2.0
"""Standard deviation of an incident's spread, in half-hours, since times are often guessed. It was
chosen on the first half of the learning years of `benchmarks/clock_score.py`, tested on the second.
"""

A_MONDAY = pd.Timestamp("2001-01-01")
HALF_HOUR = pd.Timedelta("30min")
MINUTE = pd.Timedelta("1min")


@dataclass(frozen=True, eq=False)
class KnownTimes:
    """(n,) half-hours that incidents may have happened in; one with a span has several rows."""

    incident: Ints  # row of the area's incidents
    category: Ints
    place_kind: Ints
    day_class: Ints  # weekdays of unknown kind come after the last class
    half_hour: Ints
    minutes: Floats  # of the incident's span that are in the half-hour
    fold: Ints
    days: DayClasses


def read_known_times(
    area: StudyArea, targets: tuple[str, ...], place_kinds: Ints, before: pd.Timestamp | None = None
) -> KnownTimes | None:
    """When incidents of the targets happened, if `before` a month; None where no time is known.

    `place_kinds`: (c,) kind of place of each catchment.
    """
    incidents = area.incidents
    used = find_known(incidents) & incidents["category"].isin(targets)
    if before is not None:
        used &= incidents["month"] < before
    rows = np.flatnonzero(used)
    if not len(rows):
        return None
    start = pd.DatetimeIndex(incidents["occurred_at"].array[rows])
    end = pd.DatetimeIndex(incidents["occurred_until"].array[rows])
    end = end.where(end.notna(), start) + MINUTE  # the last possible minute is in the span
    first = start.floor(HALF_HOUR)
    count = np.asarray(np.ceil((end - first) / HALF_HOUR), dtype=np.int64)
    # A row for each half-hour that a span meets, one after the other.
    row = np.repeat(np.arange(len(rows)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    at = first[row] + step * HALF_HOUR
    minutes = (np.minimum(end[row], at + HALF_HOUR) - np.maximum(start[row], at)) / MINUTE
    date = at.normalize()
    # Rates are crimes a day of each class, so all days count on which a crime could have been
    # known, also those without any; months that were not published have no such days.
    calendar = pd.date_range(date.min(), date.max(), unit="ns")
    calendar = calendar[calendar.to_period("M").isin(date.to_period("M").unique())]
    days = join_day_kinds(find_day_kinds(area.term_dates, calendar))
    # The kind of a day is looked up once, however many incidents it has.
    distinct, number = np.unique(date, return_inverse=True)
    day_class = days.find_class(find_day_kinds(area.term_dates, pd.DatetimeIndex(distinct)))
    column = pd.Index(targets).get_indexer(incidents["category"].cat.categories)
    incident = rows[row]
    return KnownTimes(
        incident=incident,
        category=column[incidents["category"].cat.codes.to_numpy()[incident]],
        place_kind=place_kinds[area.incident_catchment[incident]],
        day_class=day_class[number],
        half_hour=(at.hour * 2 + at.minute // 30).to_numpy(),
        minutes=minutes.to_numpy(),
        # Whole weeks are dealt out: one event is often recorded as several crimes, and of these
        # some would foretell the others.
        fold=((date - A_MONDAY).days // 7 % FOLDS).to_numpy(),
        days=days,
    )


def learn_rates(times: KnownTimes, declared: Floats) -> Floats:
    """(j, s, d, 48) rates in proportion, moved by known times from the declared ones."""
    rates = declared
    # Spans are shared out by the declared clock, and once more by the one so learned, which knows
    # the area's own hours.
    for _ in range(2):
        rates = _move(declared, times, share_out(times, rates))
    return rates


def share_out(times: KnownTimes, rates: Floats) -> Floats:
    """(n,) part of its incident that is in each half-hour, by the rates (j, s, d, 48) there."""
    # A weekday of unknown kind has the mean rate of those that it may be.
    unknown = np.einsum("d,jsdh->jsh", times.days.weekday_shares, rates)
    rates = np.concatenate([rates, unknown[:, :, None]], axis=2)
    rate = rates[times.category, times.place_kind, times.day_class, times.half_hour]
    # A half-hour counts for as many minutes as the span has of it; the parts sum to 1.
    chance = times.minutes * rate
    part: Floats = chance / np.bincount(times.incident, chance)[times.incident]
    return part


def _move(declared: Floats, times: KnownTimes, weight: Floats) -> Floats:
    """(j, s, d, 48) declared rates, moved by half-hours of these weights (n,)."""
    categories, kinds, classes, _ = declared.shape
    counts = np.zeros((categories, FOLDS, classes + 1, HALF_HOURS))
    np.add.at(counts, (times.category, times.fold, times.day_class, times.half_hour), weight)
    spread = _spread_incidents(counts, times.days)
    # What is declared of a category is the mean over its incidents' kinds of place; of one without
    # any, the mean of all kinds.
    of_kind = np.full((categories, kinds), 1e-9)
    np.add.at(of_kind, (times.category, times.place_kind), weight)
    of_kind /= of_kind.sum(axis=1, keepdims=True)
    before = np.einsum("js,jsdh->jdh", of_kind, times.days.to_density(declared))
    strength = _choose_strengths(counts[:, :, :-1], spread, before)[:, None, None]
    number = counts.sum(axis=(1, 2, 3))[:, None, None]
    after = (spread.sum(axis=1) + strength * before) / (number + strength)
    return np.asarray(declared * (after / before)[:, None])


def _spread_incidents(counts: Floats, days: DayClasses) -> Floats:
    """(j, f, d, 48) incidents spread over near half-hours, from counts (j, f, d + 1, 48)."""
    # Hours go round: what happens before midnight is near to what happens after it.
    apart = np.abs(np.subtract.outer(np.arange(HALF_HOURS), np.arange(HALF_HOURS)))
    near = np.exp(-0.5 * (np.minimum(apart, HALF_HOURS - apart) / WIDTH) ** 2)
    near /= near.sum(axis=1, keepdims=True)
    # An incident stays on its class of day; a weekday of unknown kind is of each in proportion.
    on_class = np.vstack([np.eye(len(days.shares)), days.weekday_shares])
    return np.asarray(on_class.T @ counts @ near)


def _choose_strengths(exact: Floats, spread: Floats, before: Floats) -> Floats:
    """(j,) the a of each category, by how well each week's incidents follow from other weeks.

    `exact`, `spread`: (j, f, d, 48) incidents, without weekdays of unknown kind, which have no cell
    to be predicted in, and spread, with them; `before`: (j, d, 48) the declared profile.
    """
    others = spread.sum(axis=1, keepdims=True) - spread
    number = others.sum(axis=(2, 3), keepdims=True)
    before = before[:, None]
    gains = []
    for strength in STRENGTHS:
        predicted = (others + strength * before) / (number + strength)
        # The log likelihood of incidents beyond that by the declared profile.
        gains.append((exact * np.log(predicted / before)).sum(axis=(1, 2, 3)))
    gain = np.array(gains)
    # A category of few incidents would take any a by chance, so the mean gain of all categories is
    # added to its own, with the weight of so many incidents.
    pooled = POOLED_INCIDENTS * gain.sum(axis=1, keepdims=True) / max(exact.sum(), 1.0)
    return np.asarray(STRENGTHS[np.argmax(gain + pooled, axis=0)])
