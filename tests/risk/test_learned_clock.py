"""The learned clock: known times, how they move it, and what it finds where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from clock_areas import TERMS, YEAR, build, draw

from patrolplan.risk import learned_clock
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS, DayClasses, find_day_kinds
from patrolplan.risk.declared_clock import ANY_PLACE, build_declared_profile
from patrolplan.risk.learned_clock import (
    FOLDS,
    STRENGTHS,
    KnownTimes,
    learn_rates,
    read_known_times,
    share_out,
)

PIECES = np.arange(60)


def _learn(make, rows, **more):
    area, history = build(make, rows, **more)
    clock = build_clock(area, history)
    assert clock.source == "learned"
    return clock, history


def test_rates_are_per_day_of_a_kind(make):
    """Three times as much crime on a weekend's day as on a weekday gives factors of 3 to 1."""
    rng = np.random.default_rng(2)
    days = YEAR.append([YEAR[YEAR.day_of_week >= 5]] * 2)
    clock, _ = _learn(make, draw(rng, 12_000, PIECES, "Robbery", days))
    hours = range(48)
    mean = {day: np.mean([clock.compute_factor(hour, day) for hour in hours]) for day in DAY_KINDS}
    assert mean["weekend"] / mean["school_day"] == pytest.approx(3, rel=0.05)
    assert mean["holiday"] / mean["school_day"] == pytest.approx(1, rel=0.05)


def test_school_days_and_holidays_differ_where_term_dates_are_known(make):
    """Crime on school days at 15:30 only is found on school days, and not in holidays."""
    rng = np.random.default_rng(3)
    school = YEAR[find_day_kinds(TERMS, YEAR) == DAY_KINDS.index("school_day")]
    timed = draw(rng, 1500, PIECES, "Robbery", school, (930, 960))
    clock, _ = _learn(make, pd.concat([timed, draw(rng, 3000, PIECES, "Robbery")]))
    at_school, at_holiday = (clock.compute_factor(31, day) for day in ("school_day", "holiday"))
    assert at_school.mean() > 6 * at_holiday.mean()
    assert "clock_no_term_dates" not in [note.key for note in clock.notes]


def test_without_term_dates_weekdays_are_alike(make):
    """No weekday is then known to be a school day, and a note says so."""
    rows = draw(np.random.default_rng(4), 900, PIECES, "Robbery")
    clock, _ = _learn(make, rows, term_dates=TERMS.iloc[:0])
    school, holiday, weekend = (
        clock.compute_factor(31, day) for day in ("school_day", "holiday", "weekend")
    )
    np.testing.assert_allclose(school, holiday)
    assert np.abs(school - weekend).max() > 0
    assert "clock_no_term_dates" in [note.key for note in clock.notes]


def test_one_time_alone_leaves_the_declared_clock(make):
    """A single incident says hardly anything: the declared profile stands."""
    clock, history = _learn(make, draw(np.random.default_rng(6), 1, PIECES, "Robbery"))
    declared = build_declared_profile(history.targets)[0, ANY_PLACE]
    for hour in (4, 31):
        expected = declared[DAY_KINDS.index("school_day"), hour]
        # The declared year has another share of weekends than one month of data.
        np.testing.assert_allclose(clock.compute_factor(hour, "school_day"), expected, rtol=0.15)
    assert "learned from the 1 crimes" in clock.notes[0].text


def test_a_category_of_few_times_is_moved_as_far_as_others_are(make):
    """Three times of its own count where others leave the declared clock; a note names it."""
    rng = np.random.default_rng(7)
    names = {"Other theft": 2000, "Violence and sexual offences": 2000, "Robbery": 3}
    rows = [draw(rng, count, PIECES, name, minutes=(480, 600)) for name, count in names.items()]
    clock, history = _learn(make, pd.concat(rows))
    robbery = history.targets.index("Robbery")
    factor = np.array([clock.compute_factor(hour, None)[:, robbery].mean() for hour in range(48)])
    assert 0.4 < factor[16:20].sum() / factor.sum() < 0.8
    assert any("known for fewer than 50 crimes of Robbery" in note.text for note in clock.notes)


def test_kinds_of_place_keep_their_declared_ratios(make):
    """Crime at night moves streets near bars as much as the others, where it happened.

    A street has no hours of its own, however many times are known there.
    """
    bars = [("bar", 530_200.0, 530_200.0)] * 12
    rows = draw(np.random.default_rng(9), 3000, PIECES[30:], "Robbery", minutes=(0, 240))
    clock, history = _learn(make, rows, places=bars)
    declared = build_declared_profile(history.targets)[0]
    at_night = clock.compute_factor(3, "weekend")[:, 0]
    assert at_night[clock.piece_kind == 4].min() > at_night[clock.piece_kind == 0].max() > 3
    assert len(set(at_night)) == len(set(clock.piece_kind)) == 2
    moved = clock.profile[0] / declared
    weekend = DAY_KINDS.index("weekend")
    near_bars = moved[4, weekend]
    elsewhere = moved[0, weekend]
    assert near_bars / near_bars[0] == pytest.approx(elsewhere / elsewhere[0])


DAYS = DayClasses(np.array([0, 1, 2, 1]), np.array([0.5, 0.05, 0.3, 0.15]))
CLASSES = 3
KINDS = 2


def _draw_times(seed, count=600, categories=2):
    """Times of two kinds of place, some of them spans, and rates to start from."""
    rng = np.random.default_rng(seed)
    incident = np.sort(rng.integers(count, size=count))
    of_incident = {"category": categories, "place_kind": KINDS, "fold": FOLDS}
    drawn = {name: rng.integers(size, size=count)[incident] for name, size in of_incident.items()}
    times = KnownTimes(
        incident=incident,
        day_class=rng.integers(CLASSES + 1, size=count),
        half_hour=rng.integers(HALF_HOURS, size=count),
        minutes=rng.integers(1, 31, size=count).astype(np.float64),
        days=DAYS,
        **drawn,
    )
    return times, rng.uniform(0.2, 3.0, (categories, KINDS, CLASSES, HALF_HOURS))


def _learn_slowly(times, declared):
    """The rates of both rounds, half-hour by half-hour."""
    rates = declared
    for _ in range(2):
        weight = _share_out_slowly(times, rates)
        rates = np.array([
            _move_slowly(times, number, weight, declared) for number in range(len(declared))
        ])  # fmt: skip
    return rates


def _share_out_slowly(times, rates):
    """The part of its incident in each half-hour, by minutes times the rate there."""
    chance = []
    for row, minutes in enumerate(times.minutes):
        there = rates[times.category[row], times.place_kind[row], :, times.half_hour[row]]
        chances = _may_be(times.day_class[row])
        chance.append(minutes * sum(share * there[day] for day, share in chances.items()))
    chance = np.array(chance)
    return np.array([
        own / chance[times.incident == incident].sum()
        for own, incident in zip(chance, times.incident, strict=True)
    ])  # fmt: skip


def _may_be(day_class):
    """The classes that a day may be of, with their chances; the last is a weekday of any kind."""
    return {day_class: 1.0} if day_class < CLASSES else {0: 0.5 / 0.7, 1: 0.2 / 0.7}


def _gather_slowly(times, rows, weight):
    """(d, 48) incidents of some rows, each spread over the half-hours near its own."""
    total = np.zeros((CLASSES, HALF_HOURS))
    for row in rows:
        for day, share in _may_be(times.day_class[row]).items():
            hours = np.zeros(HALF_HOURS)
            for at in range(HALF_HOURS):
                apart = abs(at - times.half_hour[row])
                hours[at] = np.exp(-0.5 * (min(apart, HALF_HOURS - apart) / 2.0) ** 2)
            total[day] += weight[row] * share * hours / hours.sum()
    return total


def _move_slowly(times, number, weight, declared):
    """(s, d, 48) rates of one category; of all strengths that which predicts best."""
    area = [_mix_slowly(times, name, weight, declared) for name in range(len(declared))]
    gains = np.array([
        _score_slowly(times, name, weight, before) for name, before in enumerate(area)
    ])  # fmt: skip
    exact = weight[times.day_class < CLASSES].sum()
    gain = gains[number] + 200 * gains.sum(axis=0) / exact
    rows = np.flatnonzero(times.category == number)
    a = STRENGTHS[np.argmax(gain)]
    before = area[number]
    after = (_gather_slowly(times, rows, weight) + a * before) / (weight[rows].sum() + a)
    return declared[number] * after / before


def _mix_slowly(times, number, weight, declared):
    """(d, 48) the declared profile of a category, at the kinds of place of its incidents."""
    mixed = np.zeros((CLASSES, HALF_HOURS))
    for row in np.flatnonzero(times.category == number):
        cells = declared[number, times.place_kind[row]] * DAYS.shares[:, None]
        mixed += weight[row] * cells / cells.sum()
    return mixed / mixed.sum()


def _score_slowly(times, number, weight, before):
    """(26,) log likelihood that each strength adds to that of the declared profile."""
    gains = np.zeros(len(STRENGTHS))
    for fold in range(FOLDS):
        of_fold = (times.category == number) & (times.fold == fold)
        others = np.flatnonzero((times.category == number) & (times.fold != fold))
        known = _gather_slowly(times, others, weight)
        for row in np.flatnonzero(of_fold & (times.day_class < CLASSES)):
            cell = times.day_class[row], times.half_hour[row]
            predicted = (known[cell] + STRENGTHS * before[cell]) / (known.sum() + STRENGTHS)
            gains += weight[row] * np.log(predicted / before[cell])
    return gains


@pytest.mark.parametrize("seed", [1, 2])
def test_rates_are_those_of_a_loop_over_half_hours(seed):
    """Spans shared out twice, strengths chosen by other weeks, kinds of place in their ratios."""
    times, declared = _draw_times(seed)
    learned = learn_rates(times, declared)
    assert learned == pytest.approx(_learn_slowly(times, declared), rel=1e-9)
    assert not np.allclose(learned, declared, rtol=0.05)
    moved = learned / declared
    assert moved[:, 0] == pytest.approx(moved[:, 1])


def test_a_category_without_times_stays_declared():
    """Nothing moves it, whatever other categories have."""
    times, declared = _draw_times(3)
    third = declared[:1] ** 2
    learned = learn_rates(times, np.concatenate([declared, third]))
    assert learned[2:] == pytest.approx(third)


def _learn_at_noon(counts):
    """The rate at noon after incidents of each category by chance at noon, or even if many."""
    rng = np.random.default_rng(7)
    category = np.repeat(np.arange(len(counts)), counts)
    count = len(category)
    is_few = np.array(counts)[category] < 10
    times = KnownTimes(
        incident=np.arange(count),
        category=category,
        place_kind=np.zeros(count, dtype=np.int64),
        day_class=np.where(is_few, 0, rng.choice(CLASSES, count, p=DAYS.shares)),
        half_hour=np.where(is_few, 24, rng.integers(HALF_HOURS, size=count)),
        minutes=np.ones(count),
        fold=np.arange(count) % FOLDS,
        days=DAYS,
    )
    return learn_rates(times, np.ones((len(counts), 1, CLASSES, HALF_HOURS)))[0, 0, 0, 24]


def test_a_rare_category_is_guarded_by_the_others():
    """Two incidents by chance at noon move the clock alone, not beside a hundred that are even."""
    assert STRENGTHS[[0, -1]].tolist() == [100_000.0, 1.0]
    assert (len(STRENGTHS), learned_clock.POOLED_INCIDENTS) == (26, 200)
    assert _learn_at_noon([2]) > 10
    assert _learn_at_noon([2, 100]) == pytest.approx(1, abs=0.2)


TARGETS = ("Robbery",)
NUMBER_OF_PLACE = np.arange(60)  # as if each place was of a kind of its own


def _read(make, *spans):
    """The times of robberies from (first, last), where last may be None."""
    first, last = map(pd.to_datetime, zip(*spans, strict=True))
    rows = {"piece": np.arange(len(spans)) % 60, "category": "Robbery", "timed": last.isna()}
    rows |= {"occurred_at": first, "occurred_until": last}
    rows = pd.DataFrame(rows).assign(month=first.to_period("M").to_timestamp())
    return read_known_times(build(make, rows)[0], TARGETS, NUMBER_OF_PLACE)


def test_a_span_has_the_half_hours_that_it_meets(make):
    """From 23:50 to 00:40 it is in three half-hours of two days, by its minutes; a time in one."""
    times = _read(make, ("2026-03-06 23:50", "2026-03-07 00:40"), ("2026-03-09 15:30", None))
    assert times.incident.tolist() == [0, 0, 0, 1]
    assert times.half_hour.tolist() == [47, 0, 1, 31]
    assert times.minutes.tolist() == [10, 30, 11, 1]
    assert times.place_kind.tolist() == [0, 0, 0, 1]


def test_other_categories_and_unknown_times_are_left_out(make):
    """Of a theft and a robbery of which only the date is known nothing is read."""
    names, at = ["Robbery", "Other theft", "Robbery"], pd.Timestamp("2026-03-09 15:30")
    rows = {"piece": [0, 1, 2], "category": names, "timed": [True, True, False]}
    rows |= {"month": pd.Timestamp("2026-03-01"), "occurred_at": at, "occurred_until": pd.NaT}
    area, _ = build(make, pd.DataFrame(rows))
    assert read_known_times(area, TARGETS, NUMBER_OF_PLACE).incident.tolist() == [0]


def test_whole_weeks_are_dealt_out_into_ten_folds(make):
    """From Monday to Sunday one fold, the next week another, and the tenth after it the same."""
    days = ("2026-03-09 00:10", "2026-03-15 23:50", "2026-03-16 00:10", "2026-05-18 15:30")
    monday, sunday, next_week, tenth = _read(make, *((day, None) for day in days)).fold.tolist()
    assert monday == sunday == tenth
    assert next_week == (monday + 1) % 10


def test_a_span_is_shared_out_by_the_clock(make):
    """In proportion to minutes times the rate of its kind of place; an exact time stays whole."""
    times = _read(make, ("2026-03-06 10:00", "2026-03-06 10:59"), ("2026-03-09 15:30", None))
    rates = np.ones((1, 2, len(times.days.shares), 48))
    rates[0, 0, :, 20:22] = [3.0, 1.0]
    assert share_out(times, rates) == pytest.approx([0.75, 0.25, 1.0])
    assert share_out(times, rates[:, ::-1]) == pytest.approx([0.5, 0.5, 1.0])


def test_a_weekday_of_unknown_kind_has_the_mean_rate(make):
    """Before the first term a weekday may be a school day or not."""
    days = pd.date_range("2025-08-01", "2026-08-31", freq="3D") + pd.Timedelta("15h")
    exact = ((day, None) for day in days[:60])
    times = _read(make, *exact, ("2025-08-27 08:00", "2025-08-27 08:59"))
    days, count = times.days, len(times.days.shares)
    assert times.day_class[-2:].tolist() == [count, count]
    assert times.half_hour[-2:].tolist() == [16, 17]
    rates = np.ones((1, 60, count, 48))
    rates[0, :, :, 16] = np.arange(count)
    mean = days.weekday_shares @ np.arange(count)
    found = share_out(times, rates)[-2:]
    assert found == pytest.approx([mean / (mean + 1), 1 / (mean + 1)])


def test_shared_spans_have_half_the_error_of_first_times(make):
    """Of thefts by a known clock, drawn within spans of up to twelve hours, the hours are found."""
    rng, name = np.random.default_rng(1), "Other theft"
    chance = build_declared_profile([name])[0, -1].mean(axis=0)
    rows = draw(rng, 4000, np.arange(60), name)
    half_hour = rng.choice(48, 4000, p=chance / chance.sum())
    true = rows["occurred_at"].dt.normalize() + pd.to_timedelta(half_hour * 30, unit="min")
    before, after = (pd.to_timedelta(rng.integers(0, 360, 4000), unit="min") for _ in range(2))
    rows = rows.assign(occurred_at=true - before, occurred_until=true + after, timed=False)
    clock = build_clock(*build(make, rows))
    shared = np.array([clock.compute_factor(hour, None).mean() for hour in range(48)]) / 48
    truth, first = (
        np.bincount(at.dt.hour * 2 + at.dt.minute // 30, minlength=48) / 4000
        for at in (true, true - before)
    )
    assert np.abs(shared - truth).sum() < np.abs(first - truth).sum() / 2
