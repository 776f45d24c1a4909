"""The learned clock: what it finds where the truth is known, and what it falls back on."""

import numpy as np
import pandas as pd
import pytest
from clock_areas import TERMS, YEAR, build, draw

from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import DAY_KINDS, find_day_kinds
from patrolplan.risk.declared_clock import ANY_PLACE, build_declared_profile

NO_TERMS = TERMS.iloc[:0]
PIECES = np.arange(60)


def _learn(make, rows, **more):
    area, history = build(make, rows, **more)
    clock = build_clock(area, history)
    assert clock.source == "learned"
    return clock, history


def _list_notes(clock):
    return [note.key for note in clock.notes]


def test_crime_at_any_hour_has_factors_near_one(make):
    """Drawn evenly over the year, no hour, kind of day or place stands out."""
    rng = np.random.default_rng(1)
    rows = pd.concat([draw(rng, 4000, PIECES, name) for name in ("Robbery", "Other theft")])
    clock, _ = _learn(make, rows)
    for hour, day in ((31, "school_day"), (2, "weekend"), (20, "holiday"), (45, None)):
        np.testing.assert_allclose(clock.compute_factor(hour, day), 1.0, atol=0.3)
        assert clock.compute_factor(hour, day).mean() == pytest.approx(1.0, abs=0.1)


def test_rates_are_per_day_of_a_kind(make):
    """Three times as much crime on a weekend's day as on a weekday gives factors of 3 to 1."""
    rng = np.random.default_rng(2)
    weekend = YEAR[YEAR.day_of_week >= 5]
    days = YEAR.append([weekend, weekend])
    clock, _ = _learn(make, draw(rng, 12_000, PIECES, "Robbery", days))
    mean = {
        day: np.mean([clock.compute_factor(hour, day) for hour in range(48)]) for day in DAY_KINDS
    }
    assert mean["weekend"] / mean["school_day"] == pytest.approx(3, rel=0.05)
    assert mean["holiday"] / mean["school_day"] == pytest.approx(1, rel=0.05)


def test_school_days_and_holidays_differ_where_term_dates_are_known(make):
    """Crime on school days at 15:30 only is found on school days, and not in holidays."""
    rng = np.random.default_rng(3)
    weekdays = YEAR[YEAR.day_of_week < 5]
    kinds = find_day_kinds(TERMS, weekdays)
    school = weekdays[kinds == DAY_KINDS.index("school_day")]
    rows = pd.concat(
        [draw(rng, 1500, PIECES, "Robbery", school, (930, 960)), draw(rng, 3000, PIECES, "Robbery")]
    )
    clock, _ = _learn(make, rows)
    at_school, at_holiday = (clock.compute_factor(31, day) for day in ("school_day", "holiday"))
    assert at_school.mean() > 6 * at_holiday.mean()
    assert "clock_no_term_dates" not in _list_notes(clock)


def test_without_term_dates_weekdays_are_alike(make):
    """No weekday is then known to be a school day, and a note says so."""
    rng = np.random.default_rng(4)
    clock, _ = _learn(make, draw(rng, 900, PIECES, "Robbery"), term_dates=NO_TERMS)
    np.testing.assert_allclose(
        clock.compute_factor(31, "school_day"), clock.compute_factor(31, "holiday")
    )
    assert np.abs(
        clock.compute_factor(31, "school_day") - clock.compute_factor(31, "weekend")
    ).max() > 0  # fmt: skip
    assert "clock_no_term_dates" in _list_notes(clock)


def test_dates_without_a_time_do_not_count_as_midnight(make):
    """Crimes of which only the date is known change nothing, however many there are."""
    rng = np.random.default_rng(5)
    timed = draw(rng, 300, PIECES, "Robbery").assign(timed=True)
    dates = draw(rng, 900, PIECES, "Robbery", minutes=(0, 1)).assign(timed=False)
    plain, _ = _learn(make, timed)
    more, _ = _learn(make, pd.concat([timed, dates]))
    for hour in (0, 31):
        np.testing.assert_array_equal(
            plain.compute_factor(hour, "school_day"), more.compute_factor(hour, "school_day")
        )


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
    rows = pd.concat([
        draw(rng, 2000, PIECES, "Other theft", minutes=(480, 600)),
        draw(rng, 2000, PIECES, "Violence and sexual offences", minutes=(480, 600)),
        draw(rng, 3, PIECES, "Robbery", minutes=(480, 600)),
    ])  # fmt: skip
    clock, history = _learn(make, rows)
    robbery = history.targets.index("Robbery")
    factor = np.array([clock.compute_factor(hour, None)[:, robbery].mean() for hour in range(48)])
    assert 0.5 < factor[16:20].sum() / factor.sum() < 0.8
    assert any("known for fewer than 50 crimes of Robbery" in note.text for note in clock.notes)


def test_a_place_follows_its_own_times_and_others_their_kind(make):
    """A street with night crime of its own is of the night; one far away is not."""
    rng, network = np.random.default_rng(8), make.grid(15)
    far = int(np.argmax(network.piece_middle.sum(axis=1)))
    rows = pd.concat([
        draw(rng, 200, [0, 1, 2], "Robbery", minutes=(0, 180)),
        draw(rng, 2000, np.arange(len(network)), "Robbery", minutes=(720, 1200)),
    ])  # fmt: skip
    clock, _ = _learn(make, rows, network=network)
    night = clock.compute_factor(3, None)[:, 0]
    assert night[:3].min() > 5 * night[far]


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
