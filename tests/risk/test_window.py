"""A risk belongs to a window and a kind of day, and without its factors it is the static one."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.area.patrol_window import Window, weigh_minutes
from patrolplan.privacy import FACTOR_NAMES
from patrolplan.pupils.presence import find_presence
from patrolplan.risk.clock import build_clock
from patrolplan.risk.estimate import _predict_incidents, estimate_risk
from patrolplan.risk.exposure import build_exposure, get_powers
from patrolplan.risk.history import build_history, get_harm_days
from patrolplan.risk.in_time import find_half_hour
from patrolplan.risk.report_voice import count_in_band
from patrolplan.risk.scores import round_significant
from patrolplan.times import minutes_after_midnight

DIGITS = 9


def _expect_harm(area):
    """(p, j) expected harm, the history and its categories."""
    history = build_history(area)
    days = get_harm_days(history.targets, area.settings.risk.harm)
    expected, *_ = _predict_incidents(history, None, area.settings)
    return history, expected * days


def _weigh_own_minutes(area, window):
    bells = [minutes_after_midnight(time) for time in area.schools["finish_time"]]
    return weigh_minutes(window, bells)


def test_without_factors_it_is_the_static_risk(static_demo_area):
    """Without clock and exposure the risk is what harm and reports give, to the digits given."""
    area, groups = static_demo_area, static_demo_area.reports
    _, harm = _expect_harm(area)

    def share(values):
        return round_significant(values / values.sum(), DIGITS)

    metres, group = area.network.piece_metres, groups.group_of_piece
    held = group >= 0
    length = np.bincount(group[held], weights=metres[held], minlength=len(groups))
    reports = np.zeros(len(metres))
    counting = count_in_band(groups, "after_school") * groups.share_inside
    reports[held] = (counting / length)[group[held]] * metres[held]
    weight = 0.3 * counting.sum() / (counting.sum() + 25)  # 25: five fresh ones have 5 %
    joined = share((1 - weight) * share(harm.sum(axis=1)) + weight * share(reports))
    risk = estimate_risk(area)
    assert np.array_equal(risk.crime, share(harm.sum(axis=1)))
    assert np.array_equal(risk.reports, share(reports))
    assert risk.joined == pytest.approx(joined, rel=10 ** -(DIGITS - 1))
    assert risk.without_exposure == pytest.approx(joined, rel=10 ** -(DIGITS - 1))
    assert np.array_equal(risk.in_time.compute_rate(1000), risk.joined)


def test_each_category_keeps_its_harm(demo_area):
    """On the demo's streets exposure leaves each category the harm that it has in the window."""
    _, harm = _expect_harm(demo_area)
    history = build_history(demo_area)
    minutes, weights = _weigh_own_minutes(demo_area, Window(90))
    clock = build_clock(demo_area, history)
    ways, presence = find_presence(demo_area)
    metres, floor = demo_area.network.piece_metres, 0.05
    exposure = build_exposure(ways, presence, metres, floor, minutes, weights)
    powers = get_powers(history.targets, demo_area.settings.way_home.exposure)
    plain, exposed = np.zeros(len(powers)), np.zeros(len(powers))
    rates = []
    for minute, weight in zip(minutes.tolist(), weights, strict=True):
        here = harm * clock.compute_factor(find_half_hour(minute), "school_day")
        relative = exposure.compute_relative(minute)[:, None]
        plain += weight * here.sum(axis=0)
        exposed += weight * (here * relative**powers).sum(axis=0)
        rates.append((here, relative, weight))
    scale = plain / exposed
    joined = sum(weight * (here * rel**powers * scale).sum(axis=1) for here, rel, weight in rates)
    area = pp.with_settings(demo_area, risk={"crime_weight": 1.0})
    assert estimate_risk(area).joined == pytest.approx(joined / joined.sum(), rel=1e-6)
    assert not np.allclose(scale, 1)


@pytest.mark.parametrize(
    ("window", "date", "day"),
    [
        (Window(90), None, "school_day"),
        (Window(60, 359.0), None, None),
        (Window(60, 360.0), None, "school_day"),
        (Window(60, 1139.0), None, "school_day"),
        (Window(60, 1140.0), None, None),
        (Window(90), dt.date(2026, 12, 1), "school_day"),
        (Window(90), dt.date(2026, 12, 5), "weekend"),
        (Window(60, 60.0), dt.date(2026, 12, 1), "school_day"),
    ],
)
def test_the_kind_of_day(demo_area, window, date, day):
    """A date says its kind of day; without one, windows by day are on school days."""
    risk = estimate_risk(demo_area, window=window, date=date)
    assert (risk.window, risk.day) == (window, day)


def _flip_bands(area):
    """The area with every report of after school as one of before school."""
    counts = area.reports.factor_counts.copy()
    after, before = (FACTOR_NAMES.index(band) for band in ("after_school", "before_school"))
    counts[:, before] += counts[:, after]
    counts[:, after] = 0
    return dataclasses.replace(
        area, reports=dataclasses.replace(area.reports, factor_counts=counts)
    )


def test_reports_of_the_morning_do_not_steer_the_afternoon(demo_area, demo_risk):
    """With all fear moved before school, patrols after school change."""
    flipped = _flip_bands(demo_area)
    changed = estimate_risk(flipped)
    assert changed.crime_weight > demo_risk.crime_weight + 0.05
    urn = ["900003", "900008", "900010"]
    stops = [
        [
            (stop.hotspot, stop.place, round(stop.arrive_minutes))
            for patrol in pp.plan_patrols(area, one, pp.find_hotspots(area, one), urns=urn).patrols
            for stop in patrol.stops
        ]
        for area, one in ((demo_area, demo_risk), (flipped, changed))
    ]
    assert stops[0] != stops[1]
    morning = Window(60, 465)
    before, after = (estimate_risk(area, window=morning) for area in (demo_area, flipped))
    assert after.crime_weight < before.crime_weight


@pytest.mark.parametrize(
    ("window", "date"),
    [
        (None, dt.date(2026, 11, 28)),
        (None, dt.date(2026, 10, 28)),
        (Window(60, 60), dt.date(2026, 12, 1)),
    ],
)
def test_at_night_and_without_school_nobody_is_on_the_way_home(demo_area, window, date):
    """On a Saturday, at half term and in the small hours risk does not grow with pupils."""
    risk = pp.estimate_risk(demo_area, window=window, date=date)
    assert (risk.day == "school_day") == (window is not None)
    assert risk.in_time.pupils is None
    assert "no_pupils_out" in {note.key for note in risk.notes}
    np.testing.assert_array_equal(risk.joined, risk.without_exposure)
