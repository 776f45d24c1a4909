"""The learned clock: known times, its steps, and what it finds where the truth is known."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from clock_areas import TERMS, YEAR, build, draw

from patrolplan.risk import learned_clock
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS, DayClasses, find_day_kinds
from patrolplan.risk.declared_clock import ANY_PLACE, build_declared_profile
from patrolplan.risk.known_times import FOLDS, Times, read_times
from patrolplan.risk.learned_clock import STRENGTHS, build_spread, learn_clock

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
    assert 0.5 < factor[16:20].sum() / factor.sum() < 0.8
    assert any("known for fewer than 50 crimes of Robbery" in note.text for note in clock.notes)


def test_kinds_of_place_are_learned_where_places_are_given(make):
    """Streets near bars whose own times are unknown have the hours of other streets near bars."""
    rng, network = np.random.default_rng(9), make.grid(20)
    middle = network.piece_middle - 530_000
    corners = [(200.0, 200.0), (1700.0, 1700.0)]
    near = [np.flatnonzero(np.hypot(*(middle - corner).T) < 140) for corner in corners]
    places = [("bar", 530_000 + x, 530_000 + y) for x, y in corners for _ in range(12)]
    rest = np.flatnonzero(np.hypot(*(middle - corners[1]).T) > 700)
    rows = pd.concat([
        draw(rng, 1500, near[0], "Robbery", minutes=(0, 240)),
        draw(rng, 1500, np.setdiff1d(rest, near[0]), "Robbery", minutes=(840, 1080)),
    ])  # fmt: skip
    clock, _ = _learn(make, rows, network=network, places=places)
    night = clock.compute_factor(3, None)[:, 0]
    assert night[near[1]].mean() > 5 * night[rest[-1]]


DAYS = DayClasses(np.array([0, 1, 2, 1]), np.array([0.5, 0.05, 0.3, 0.15]))
CELLS = 3 * HALF_HOURS
PLACES = 25
EVERY = np.eye(CELLS)


def _draw_times(seed, count=600, categories=2):
    """Times at places within two kilometres, and a density for each of two kinds of place."""
    rng = np.random.default_rng(seed)
    sizes = (PLACES, categories, CELLS + HALF_HOURS, FOLDS)
    drawn = [rng.integers(size, size=count) for size in sizes]  # place, category, cell, fold
    weight = rng.choice([1.0, 0.5], count)
    whole = Times(np.arange(count), *drawn, np.ones(count), weight, DAYS, categories)
    declared = rng.dirichlet(np.full(CELLS, 5.0), (categories, 2))
    return whole, declared, rng.uniform(0, 2000, (PLACES, 2)), rng.integers(2, size=PLACES)


def _spread_slowly(cell, profile, day_share):
    """Where an incident is spread to: half-hours by a normal curve, some of it to all days."""
    density = np.zeros(CELLS)
    day, hour = divmod(cell, HALF_HOURS)
    same = [day] if day < 3 else [0, 1]  # a weekday of unknown kind
    for part, days in ((1 - day_share, same), (day_share, range(3))):
        weight = np.zeros(CELLS)
        for other in days:
            for at in range(HALF_HOURS):
                apart = min(abs(at - hour), HALF_HOURS - abs(at - hour))
                index = other * HALF_HOURS + at
                weight[index] = np.exp(-0.5 * (apart / 2.0) ** 2) * profile[index]
        density += part * weight / weight.sum()
    return density


def test_an_incident_is_spread_in_proportion_to_a_profile():
    """Rows are those of single cells; each sums to 1, and even crime stays even."""
    profile = np.random.default_rng(1).dirichlet(np.full(CELLS, 3.0))
    spread = build_spread(DAYS, profile)
    assert spread.sum(axis=1) == pytest.approx(1)
    for cell in (3, 60, 130, CELLS + 31):
        assert spread[cell] == pytest.approx(_spread_slowly(cell, profile, 0.6))
    even = DAYS.to_density(np.ones((3, HALF_HOURS)))
    for share in (0.0, 0.6):
        assert even @ build_spread(DAYS, even, share)[:CELLS] == pytest.approx(even)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_step_is_the_sum_of_incidents_around(seed):
    """Near a place an incident counts by its square's distance, at the place fully."""
    times, declared, xy, kinds = _draw_times(seed)
    profile, layers = learn_clock(times, declared, xy, kinds)
    assert profile.sum(axis=2) == pytest.approx(1)
    place = np.array([4])
    for number, (around, own) in enumerate(layers):
        for layer, radius in ((around, 600.0), (own, 0.0)):
            before = profile[number, kinds[place]]
            moved = layer.move(before, place, EVERY)[0]
            total, weights = np.zeros(CELLS), 0.0
            for row in np.flatnonzero(times.category == number):
                middle = (np.floor(xy[times.place[row]] / 150.0) + 0.5) * 150.0
                apart = np.hypot(*(middle - xy[place[0]]))
                near = max(0.0, 1 - (apart / 600.0) ** 2) ** 2
                near = near if radius else times.place[row] == place[0]
                total += near * times.weight[row] * layer.spread[times.cell[row]]
                weights += near * times.weight[row]
            a = layer.strength
            assert moved == pytest.approx((total + a * before[0]) / (weights + a))
            assert moved.sum() == pytest.approx(1)


def test_an_incident_is_predicted_by_those_of_other_weeks_near_it(monkeypatch):
    """Against a loop; of more incidents than the most that are predicted, every n-th one is."""
    monkeypatch.setattr(learned_clock, "MAX_SAMPLE", 100)
    times, declared, xy, kinds = _draw_times(3)
    squares, spread = learned_clock._gather(xy), [build_spread(DAYS, of[0]) for of in declared]
    before = declared[times.category, kinds[times.place], np.minimum(times.cell, CELLS - 1)]
    layers, after = learned_clock._fit(times, spread, squares, before)
    near, wanted = squares[1].toarray()[:, squares[0][times.place]], before.copy()
    for number, layer in enumerate(layers):
        is_own = times.category == number
        known = np.flatnonzero(is_own & (times.cell < CELLS))
        for row in known[:: len(known) // 100 + 1]:
            others = (
                near[times.place[row]] * times.weight * (is_own & (times.fold != times.fold[row]))
            )
            here = (
                others @ spread[number][times.cell, times.cell[row]] + layer.strength * before[row]
            )
            wanted[row] = here / (others.sum() + layer.strength)
    assert after == pytest.approx(wanted)
    assert (after != before).sum() > 100


def _at_ten_places(seed, differ):
    """2,000 incidents of each category at ten places far apart, by night at five if they differ."""
    rng, count = np.random.default_rng(seed), 2000 * len(differ)
    place, category = rng.integers(10, size=count), np.repeat(np.arange(len(differ)), 2000)
    even = DAYS.to_density(np.ones((3, HALF_HOURS)))
    cell = rng.choice(CELLS, count, p=even)
    hour = np.where(place < 5, rng.integers(0, 8, count), rng.integers(28, 36, count))
    cell = np.where(np.repeat(differ, 2000), cell // HALF_HOURS * HALF_HOURS + hour, cell)
    fold, ones = rng.integers(FOLDS, size=count), np.ones(count)
    times = Times(np.arange(count), place, category, cell, fold, ones, ones, DAYS, len(differ))
    xy = np.column_stack([1500.0 * np.arange(10), np.zeros(10)])
    declared = np.tile(even, (len(differ), 1, 1))
    return learn_clock(times, declared, xy, np.zeros(10, dtype=np.int64))


def test_places_that_differ_follow_their_own_times():
    """Where places have hours of their own few incidents count much; one of places alike stays."""
    _, ((around, own), alike) = _at_ten_places(8, [True, False])
    assert min(around.strength, own.strength) < 10
    assert min(one.strength for one in alike) > 50
    places = np.arange(10)
    moved = own.move(around.move(np.ones(10), places, _at(4)), places, _at(4))
    assert moved[0] > 10 * moved[9]


def test_places_that_are_alike_follow_all():
    """Where places do not differ, a step is left out or weighs little, and chance does not show."""
    _, ((around, own),) = _at_ten_places(6, [False])
    assert min(around.strength, own.strength) > 600
    places = np.arange(10)
    moved = own.move(around.move(np.ones(10), places, _at(4)), places, _at(4))
    np.testing.assert_allclose(moved, 1.0, atol=0.2)


def _at(half_hour):
    """(b,) what a share of crime in each cell counts as, to give the rate in a half-hour."""
    per_time = np.zeros((3, HALF_HOURS))
    per_time[:, half_hour] = HALF_HOURS
    return per_time.ravel()


def test_a_rare_category_is_guarded_by_the_others():
    """Four incidents by chance at noon move the clock alone, not beside a hundred that are even."""
    rng = np.random.default_rng(7)
    even = DAYS.to_density(np.ones((3, HALF_HOURS)))
    cells = np.concatenate([np.full(4, 24), rng.choice(CELLS, 100, p=even)])
    category = np.repeat([0, 1], [4, 100])
    place, fold = np.zeros(104, dtype=np.int64), np.arange(104) % FOLDS

    def learn(rows):
        ones, number = np.ones(len(rows)), int(category[rows].max()) + 1
        drawn = (of[rows] for of in (place, category, cells, fold))
        times, declared = (
            Times(rows, *drawn, ones, ones, DAYS, number),
            np.tile(even, (number, 1, 1)),
        )
        profile, _ = learn_clock(times, declared, np.zeros((1, 2)), place[:1])
        return profile[0, 0, 24] / even[24]

    assert STRENGTHS[[0, -1]].tolist() == [100_000.0, 1.0]
    figures = len(STRENGTHS), learned_clock.POOLED_INCIDENTS, learned_clock.MAX_SAMPLE
    assert figures == (26, 200, 6000)
    alone, guarded = learn(np.arange(4)), learn(np.arange(104))
    assert alone > 10
    assert guarded == pytest.approx(1, abs=0.01)


TARGETS = ("Robbery",)


def _read(make, *spans):
    """The times of robberies from (first, last), where last may be None."""
    first, last = map(pd.to_datetime, zip(*spans, strict=True))
    rows = {"piece": np.arange(len(spans)) % 60, "category": "Robbery", "timed": last.isna()}
    rows |= {"occurred_at": first, "occurred_until": last}
    rows = pd.DataFrame(rows).assign(month=first.to_period("M").to_timestamp())
    return read_times(build(make, rows)[0], TARGETS)


def test_a_span_has_the_half_hours_that_it_meets(make):
    """From 23:50 to 00:40 it is in three half-hours of two days, by its minutes; a time in one."""
    times = _read(make, ("2026-03-06 23:50", "2026-03-07 00:40"), ("2026-03-09 15:30", None))
    assert times.incident.tolist() == [0, 0, 0, 1]
    assert (times.cell % 48).tolist() == [47, 0, 1, 31]
    assert times.minutes.tolist() == [10, 30, 11, 1]
    assert times.weight == pytest.approx([10 / 51, 30 / 51, 11 / 51, 1])
    assert times.place.tolist() == [0, 0, 0, 1]


def test_other_categories_and_unknown_times_are_left_out(make):
    """Of a theft and a robbery of which only the date is known nothing is read."""
    names, at = ["Robbery", "Other theft", "Robbery"], pd.Timestamp("2026-03-09 15:30")
    rows = {"piece": [0, 1, 2], "category": names, "timed": [True, True, False]}
    rows |= {"month": pd.Timestamp("2026-03-01"), "occurred_at": at, "occurred_until": pd.NaT}
    area, _ = build(make, pd.DataFrame(rows))
    assert read_times(area, TARGETS).incident.tolist() == [0]


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
    rates[0, 1, :, 20:22] = [3.0, 1.0]
    kinds = np.zeros(60, dtype=np.int64)
    assert times.share_out(rates, kinds).weight == pytest.approx([0.5, 0.5, 1.0])
    assert times.share_out(rates, kinds + 1).weight == pytest.approx([0.75, 0.25, 1.0])


def test_a_weekday_of_unknown_kind_has_the_mean_rate(make):
    """Before the first term a weekday may be a school day or not."""
    days = pd.date_range("2025-08-01", "2026-08-31", freq="3D") + pd.Timedelta("15h")
    exact = ((day, None) for day in days[:60])
    times = _read(make, *exact, ("2025-08-27 08:00", "2025-08-27 08:59"))
    days, count = times.days, len(times.days.shares)
    assert times.cell[-2:].tolist() == [count * 48 + 16, count * 48 + 17]
    rates = np.ones((1, 1, count, 48))
    rates[0, 0, :, 16] = np.arange(count)
    mean = days.weekday_shares @ np.arange(count)
    found = times.share_out(rates, np.zeros(61, dtype=np.int64)).weight[-2:]
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
    area, history = build(make, rows)
    with mock.patch("patrolplan.risk.clock.learn_clock", wraps=learn_clock) as learn:
        clock = build_clock(area, history)
    assert learn.call_count == 2  # by the clock known before, then by the one so learned
    shared = np.array([clock.compute_factor(hour, None).mean() for hour in range(48)]) / 48
    truth, first = (
        np.bincount(at.dt.hour * 2 + at.dt.minute // 30, minlength=48) / 4000
        for at in (true, true - before)
    )
    assert np.abs(shared - truth).sum() < np.abs(first - truth).sum() / 2
