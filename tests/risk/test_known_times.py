"""Half-hours of crimes with a time, and of crimes with a first and a last possible time."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from clock_areas import TERMS, build, draw

from patrolplan.risk.clock import build_clock
from patrolplan.risk.declared_clock import build_declared_profile
from patrolplan.risk.known_times import read_times
from patrolplan.risk.learned_clock import learn_clock

TARGETS = ("Robbery",)


def _read(make, *spans, term_dates=TERMS):
    """The times of robberies from (first, last), where last may be None."""
    rows = pd.DataFrame(
        {
            "piece": np.arange(len(spans)) % 60,
            "category": "Robbery",
            "occurred_at": pd.to_datetime([first for first, _ in spans]),
            "occurred_until": pd.to_datetime([last for _, last in spans]),
        }
    ).assign(month=lambda table: table["occurred_at"].dt.to_period("M").dt.to_timestamp())
    area, _ = build(make, rows.assign(timed=rows["occurred_until"].isna()), term_dates=term_dates)
    return read_times(area, TARGETS)


def test_a_span_has_the_half_hours_that_it_meets(make):
    """From 23:50 to 00:40 it is in three half-hours of two days, by its minutes; a time in one."""
    times = _read(make, ("2026-03-06 23:50", "2026-03-07 00:40"), ("2026-03-09 15:30", None))
    assert times.incident.tolist() == [0, 0, 0, 1]
    assert (times.cell % 48).tolist() == [47, 0, 1, 31]
    assert times.minutes.tolist() == [10, 30, 11, 1]
    assert times.weight == pytest.approx([10 / 51, 30 / 51, 11 / 51, 1])
    assert times.place.tolist() == [0, 0, 0, 1]


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
    times = _read(
        make, *((day, None) for day in days[:60]), ("2025-08-27 08:00", "2025-08-27 08:59")
    )
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
