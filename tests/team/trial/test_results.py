"""A trial's results."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from trial_cases import END, PATH, SECRET, START, keep_until

import patrolplan as pp
from patrolplan.team.secret import Secret, TrialKey
from patrolplan.team.trial.counts import count_incidents, find_streets, find_trial_pieces
from patrolplan.team.trial.results import analyse_trial, draw_by_day


def _remove(area, is_removed):
    stays = ~is_removed
    return replace(
        area,
        incidents=area.incidents[stays].reset_index(drop=True),
        incident_catchment=area.incident_catchment[stays],
    )


def _find_incidents_with_patrols(area, trial):
    """Whether each incident came, mostly, to a hotspot on a day with patrols drawn."""
    drawn = draw_by_day(trial, trial.make_key(SECRET, area.name))
    stretches = [one.build_stretch(area.projection) for one in trial.seal.hotspots]
    streets = find_streets(area, find_trial_pieces(area, stretches))
    row_of = {
        int(number): int(streets.own[:, column].argmax())
        for column, number in enumerate(streets.catchments)
        if streets.own[:, column].max() > 0
    }
    days = area.incidents["occurred_at"].dt.date
    return np.array(
        [
            day in drawn and catchment in row_of and bool(drawn[day][row_of[catchment]])
            for day, catchment in zip(days, area.incident_catchment.tolist(), strict=True)
        ]
    )


def test_nothing_is_opened_before_the_end(by_days, dated_area):
    """Until the last month is known the key stays sealed, whatever is asked for."""
    with pytest.raises(pp.InputError, match=r"the trial ends on 2026-09-30.*stays sealed"):
        analyse_trial(PATH, by_days[0], keep_until(dated_area, "2026-08"), SECRET)


def test_another_secret_opens_nothing(by_days, dated_area):
    """With a secret that is not the one of the sealing, nothing is analysed."""
    with pytest.raises(pp.InputError, match="does not fit its commitment"):
        analyse_trial(PATH, by_days[0], dated_area, Secret(bytes(32)))


def test_a_trial_without_an_effect_shows_none(by_days, dated_area):
    """The demo's crimes know nothing of the draw: the interval holds no effect."""
    result = analyse_trial(PATH, by_days[0], dated_area, SECRET)
    assert result.effect.low <= 1 <= result.effect.high
    assert result.effect.p_value > 0.05
    assert result.displacement.low <= 0 <= result.displacement.high


def test_a_planted_effect_is_found(by_days, dated_area):
    """With three of four incidents removed where patrols were drawn, the trial finds about that."""
    trial = by_days[0]
    with_patrols = _find_incidents_with_patrols(dated_area, trial)
    rng = np.random.default_rng(3)
    removed = with_patrols & (rng.random(len(with_patrols)) < 0.75)
    result = analyse_trial(PATH, trial, _remove(dated_area, removed), SECRET)
    assert result.effect.p_value < 0.01
    assert result.effect.low <= 0.25 <= result.effect.high
    assert result.effect.difference < 0
    assert result.displacement.high < 0


def test_counts_equal_a_slow_count(by_days, dated_area):
    """What came in each arm is the sum of the shares of each incident, one after the other."""
    trial = by_days[0]
    result = analyse_trial(PATH, trial, dated_area, SECRET)
    drawn = draw_by_day(trial, trial.make_key(SECRET, dated_area.name))
    stretches = [one.build_stretch(dated_area.projection) for one in trial.seal.hotspots]
    pieces = find_trial_pieces(dated_area, stretches)
    catchments = dated_area.catchments
    came = {True: 0.0, False: 0.0}
    incidents = dated_area.incidents
    inside = incidents["occurred_at"].dt.date.isin(list(drawn)) & incidents["category"].isin(
        trial.seal.categories
    )
    for row in np.flatnonzero(inside):
        catchment = dated_area.incident_catchment[row]
        if catchment < 0:
            continue
        day = incidents["occurred_at"].iloc[row].date()
        for number, own in enumerate(pieces):
            mine = [p for p in own if catchments.piece_catchment[p] == catchment]
            came[bool(drawn[day][number])] += catchments.piece_share[mine].sum()
    assert result.effect.came == pytest.approx(came[True])
    assert result.effect.without == pytest.approx(came[False])


def test_pairs_are_counted_by_months(by_pairs, demo_area):
    """Where only months are known, each hotspot of a pair counts for the three months."""
    result = analyse_trial(PATH, by_pairs[0], demo_area, SECRET)
    assert result.periods == 3
    assert result.effect.is_exact
    assert result.effect.draws == 2 ** by_pairs[0].sets
    assert 0 < result.effect.p_value <= 1


def test_a_missing_month_counts_nowhere(by_days, dated_area):
    """A month that the force did not publish is left out for all hotspots, and is named."""
    exposure = dated_area.exposure
    held = exposure.held.copy()
    held[exposure.months == pd.Timestamp("2026-09-01")] = False
    area = replace(dated_area, exposure=replace(exposure, held=held))
    result = analyse_trial(PATH, by_days[0], area, SECRET)
    assert result.dropped_months == ("2026-09",)
    days = by_days[0].seal.days
    assert result.periods == sum(day.month != 9 for day in days)
    whole = analyse_trial(PATH, by_days[0], dated_area, SECRET)
    assert result.effect.came < whole.effect.came


def test_without_the_year_before_there_is_no_published_measure(by_days, dated_area):
    """The displacement difference needs the same days a year before; the rest does not."""
    late = (dated_area.incidents["month"] >= pd.Timestamp("2025-09-01")).to_numpy()
    result = analyse_trial(PATH, by_days[0], _remove(dated_area, ~late), SECRET)
    assert result.displacement is None
    assert result.effect.came > 0


def test_the_opened_key_draws_the_same_again(by_days, dated_area):
    """Anyone who has the file and the opened key can draw the trial and check the commitment."""
    trial = by_days[0]
    result = analyse_trial(PATH, trial, dated_area, SECRET)
    key = TrialKey(bytes.fromhex(result.key))
    assert key.commitment == trial.seal.commitment
    mine, theirs = (
        draw_by_day(trial, key),
        draw_by_day(trial, trial.make_key(SECRET, dated_area.name)),
    )
    assert all((mine[day] == theirs[day]).all() for day in trial.seal.days)


def test_counting_by_days_sums_to_months(dated_area):
    """The incidents of the days of a month are those of the month."""
    streets = find_streets(dated_area, [[5, 6], [400, 401]])
    days = pd.date_range(START, END)
    categories = dated_area.settings.crimes.risk_categories
    by_day = count_incidents(dated_area, streets, days, categories=categories, by="days")
    months = pd.date_range(START, END, freq="MS")
    by_month = count_incidents(dated_area, streets, months, categories=categories, by="months")
    summed = [by_day[:, days.month == month.month].sum(axis=1) for month in months]
    assert (np.transpose(summed) == by_month).all()
