"""What a trial needs before it starts."""

import datetime as dt

import numpy as np
import pytest
import shapely
from trial_cases import END, PATH, SECRET, START, keep_until, seal

import patrolplan as pp
from patrolplan.team.impact import BUFFER_METRES
from patrolplan.team.secret import Secret
from patrolplan.team.trial.counts import find_streets, find_trial_pieces
from patrolplan.team.trial.results import analyse_trial
from patrolplan.team.trial.sealing import propose_trial
from patrolplan.team.trial.trial_file import check_commitment


def test_a_sealed_trial_fits_its_commitment(by_days, demo_area):
    """The key of the sealed file is the one committed to, and only with the team's secret."""
    trial, _ = by_days
    check_commitment(PATH, trial, trial.make_key(SECRET, demo_area.name))
    for key in (
        trial.make_key(Secret(bytes(32)), demo_area.name),
        trial.make_key(SECRET, "another area"),
        trial.model_copy(update={"end": END - dt.timedelta(days=1)}).make_key(
            SECRET, demo_area.name
        ),
    ):
        with pytest.raises(pp.InputError, match="does not fit its commitment"):
            check_commitment(PATH, trial, key)


def test_every_part_of_the_seal_is_in_the_commitment(by_days, demo_area):
    """A hotspot exchanged, a day left out, or another expectation has another key."""
    trial, _ = by_days
    seal_before = trial.seal
    first, *others = seal_before.hotspots
    commitments = {trial.seal.commitment}
    for update in (
        {"hotspots": (first.model_copy(update={"expected": first.expected + 0.1}), *others)},
        {"hotspots": (first.model_copy(update={"lines": others[0].lines}), *others)},
        {"days": seal_before.days[:-1]},
        {"categories": seal_before.categories[:-1]},
    ):
        altered = trial.model_copy(update={"sealed": seal_before.model_copy(update=update)})
        commitments.add(altered.make_key(SECRET, demo_area.name).commitment)
    assert len(commitments) == 5


@pytest.mark.parametrize("fixture", ["by_days", "by_pairs"])
def test_hotspots_of_a_trial_are_apart(fixture, request, demo_area):
    """No street is around two hotspots, and sets have neighbours in what they expect."""
    trial, power = request.getfixturevalue(fixture)
    stretches = [one.build_stretch(demo_area.projection) for one in trial.seal.hotspots]
    apart = shapely.distance(np.array(stretches)[:, None], np.array(stretches)[None])
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= trial.apart_metres - 1
    expected = [one.expected for one in trial.seal.hotspots]
    assert expected == sorted(expected, reverse=True)
    assert power.is_enough
    streets = find_streets(demo_area, find_trial_pieces(demo_area, stretches))
    assert (streets.own.sum(axis=0) <= 1 + 1e-9).all()
    assert ((streets.own > 0) @ (streets.around > 0).T).shape == (len(stretches),) * 2
    assert apart.min() > BUFFER_METRES


def test_expectations_come_from_the_months_before(by_days, dated_area):
    """What a hotspot expects a day is the mean of its weekdays, the latest months weighing most."""
    trial, _ = by_days
    before = keep_until(dated_area, "2026-06")
    hotspot = trial.seal.hotspots[0]
    pieces = find_trial_pieces(before, [hotspot.build_stretch(before.projection)])[0]
    share = np.bincount(
        before.catchments.piece_catchment[pieces],
        weights=before.catchments.piece_share[pieces],
        minlength=len(before.catchments),
    )
    months = sorted(set(before.incidents["month"]))
    assert trial.seal.history_months == len(months)
    half_life = before.settings.risk.half_life_months
    weights = {month: 0.5 ** (age / half_life) for age, month in enumerate(reversed(months))}
    columns = ("category", "month", "occurred_at")
    rows = zip(
        *(before.incidents[name] for name in columns), before.incident_catchment, strict=True
    )
    total = sum(
        weights[month] * share[catchment]
        for category, month, at, catchment in rows
        if category in trial.seal.categories and catchment >= 0 and at.weekday() < 5
    )
    days = sum(
        weights[month] * ((month + dt.timedelta(days=number)).weekday() < 5)
        for month in months
        for number in range(month.days_in_month)
    )
    assert hotspot.expected == pytest.approx(total / days, rel=1e-4)


def test_days_of_a_trial_are_school_days(by_days):
    """Neither weekends nor the summer holidays are days of the trial."""
    days = by_days[0].seal.days
    assert all(day.weekday() < 5 for day in days)
    assert not any(day.month == 8 for day in days)
    assert START <= days[0] < days[-1] <= END


def test_months_alone_allow_no_trial_by_days(wishes, demo_area, hotspots):
    """Where only months are known, the message says what to write instead."""
    with pytest.raises(pp.InputError, match=r'needs the day of each crime.*write "pairs"'):
        seal(wishes, keep_until(demo_area, "2026-06"), hotspots)


def test_months_alone_need_whole_months(by_pairs, demo_area, hotspots):
    """A trial of months starts on a first and ends on a last day."""
    trial = by_pairs[0].model_copy(update={"start": dt.date(2026, 7, 6), "sealed": None})
    with pytest.raises(pp.InputError, match="no whole months"):
        seal(trial, keep_until(demo_area, "2026-06"), hotspots)


def test_a_trial_starts_after_the_crimes_that_are_known(wishes, dated_area, hotspots):
    """Nobody may choose a trial by its result."""
    with pytest.raises(pp.InputError, match="is not after the crimes, which reach to 2026-09-30"):
        seal(wishes, dated_area, hotspots)


def test_too_few_days_are_refused_with_how_many_would_do(wishes, dated_area, hotspots):
    """The message says what the power is, and what it would take."""
    short = wishes.model_copy(update={"effect": 0.2, "power": 0.8, "end": dt.date(2026, 7, 10)})
    with pytest.raises(pp.InputError) as refused:
        seal(short, keep_until(dated_area, "2026-06"), hotspots)
    message = str(refused.value)
    assert "would find an effect of 20 % in" in message
    assert "80 % are wanted; it would take about" in message
    assert "school days" in message
    assert "pairs of such hotspots" in message


def test_holidays_hold_no_trial(wishes, dated_area, hotspots):
    """A trial without a single school day is refused."""
    dates = {"start": dt.date(2026, 8, 3), "end": dt.date(2026, 8, 21)}
    with pytest.raises(pp.InputError, match="there is no school day from 2026-08-03"):
        seal(wishes.model_copy(update=dates), keep_until(dated_area, "2026-06"), hotspots)


def test_hotspots_too_near_to_each_other(wishes, dated_area, hotspots):
    """With a distance that hardly two hotspots have, there is nothing to draw."""
    apart = wishes.model_copy(update={"apart_metres": 5000.0})
    with pytest.raises(pp.InputError, match="5000 m apart; a trial needs at least 2"):
        seal(apart, keep_until(dated_area, "2026-06"), hotspots)


def test_a_trial_is_proposed_as_the_data_allow(dated_area, demo_area):
    """By days for twelve weeks where days are known, of pairs for six whole months else."""
    by_days = propose_trial(dated_area, dt.date(2027, 1, 6))
    assert (by_days.randomise, by_days.start, by_days.end) == (
        "days",
        dt.date(2027, 1, 6),
        dt.date(2027, 3, 26),
    )
    pairs = propose_trial(demo_area, dt.date(2027, 1, 6))
    assert (pairs.randomise, pairs.start, pairs.end) == (
        "pairs",
        dt.date(2027, 2, 1),
        dt.date(2027, 7, 31),
    )


@pytest.mark.parametrize(("randomise", "ratio"), [("weeks", (1, 1)), ("days", (1, 2))])
def test_weeks_and_other_ratios_are_sealed(wishes, dated_area, hotspots, randomise, ratio):
    """A trial by weeks has a block a week, and sets of three have one hotspot with patrols."""
    wish = {"randomise": randomise, "ratio": ratio, "effect": 0.9, "power": 0.3}
    trial, power = seal(wishes.model_copy(update=wish), keep_until(dated_area, "2026-06"), hotspots)
    assert power.power >= 0.3
    assert len(trial.seal.hotspots) == trial.sets * sum(ratio)
    assert len(trial.blocks) == (9 if randomise == "weeks" else len(trial.seal.days))
    result = analyse_trial(PATH, trial, dated_area, SECRET)
    assert 0 < result.effect.p_value <= 1
    assert result.effect.came + result.effect.without > 0
