"""One step of the learned clock: how incidents are spread, and how far groups follow them."""

import numpy as np
import pytest

from patrolplan.risk.clock_steps import (
    DAY_WEIGHTS,
    FOLDS,
    RATIO_SHARES,
    STRENGTHS,
    WIDTHS,
    build_spread,
    fit_step,
)
from patrolplan.risk.day_kinds import (
    HALF_HOURS,
    HOLIDAY,
    SCHOOL_DAY,
    UNKNOWN_WEEKDAY,
    WEEKEND,
    join_day_kinds,
)

DAYS = join_day_kinds(np.repeat([SCHOOL_DAY, WEEKEND, HOLIDAY], [190, 104, 71]))
CELLS = len(DAYS.shares) * HALF_HOURS


def _draw_profile(seed):
    return np.random.default_rng(seed).dirichlet(np.full(CELLS, 5.0))


def _deal(group, cell, fold, groups):
    """(f, g, i) counts of incidents."""
    counts = np.zeros((FOLDS, groups, CELLS + HALF_HOURS))
    np.add.at(counts, (fold, group, cell), 1)
    return counts


def _weigh_slowly(cell, to, width, day_weight):
    """How much an incident in one cell counts in another."""
    day, hour = divmod(cell, HALF_HOURS)
    to_day, to_hour = divmod(to, HALF_HOURS)
    apart = min((hour - to_hour) % HALF_HOURS, (to_hour - hour) % HALF_HOURS)
    if width:
        near = np.exp(-0.5 * (apart / width) ** 2) if apart <= 3 * width else 0.0
    else:
        near = float(apart == 0)
    return near * (1.0 if day == to_day else day_weight)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("day_weight", DAY_WEIGHTS)
def test_incidents_distributed_as_the_profile_still_are_when_spread(width, day_weight):
    """No kind of day and no hour loses incidents to its neighbours, and none is lost or made."""
    profile = _draw_profile(1)
    spread = build_spread(profile, DAYS, width, day_weight)
    np.testing.assert_allclose(spread.sum(axis=1), 1.0)
    np.testing.assert_allclose(profile @ spread[:CELLS], profile, rtol=1e-5)


def test_an_incident_is_spread_by_nearness_and_profile():
    """Between two cells, the weight is symmetric: a scale of both times profile and nearness."""
    profile = _draw_profile(1)
    width, day_weight = 2.0, 0.3
    spread = build_spread(profile, DAYS, width, day_weight)
    near = np.array([
        [_weigh_slowly(cell, to, width, day_weight) for to in range(CELLS)]
        for cell in range(CELLS)
    ])  # fmt: skip
    assert ((spread[:CELLS] > 0) == (near > 0)).all()
    ratio = spread[:CELLS] / profile / np.where(near > 0, near, 1)
    at = np.array([3, 5, 50, 52, 99])
    scale = np.sqrt(np.diag(ratio))
    pairs = np.outer(scale, scale)[np.ix_(at, at)] * (near[np.ix_(at, at)] > 0)
    np.testing.assert_allclose(ratio[np.ix_(at, at)], pairs, rtol=1e-5)
    school, holiday = (HALF_HOURS * DAYS.of_kind[kind] + 31 for kind in (SCHOOL_DAY, HOLIDAY))
    mixed = profile[school] * spread[school] + profile[holiday] * spread[holiday]
    expected = mixed / (profile[school] + profile[holiday])
    np.testing.assert_allclose(spread[CELLS + 31], expected)


def test_incidents_that_follow_the_step_above_leave_it_as_it_is():
    """Drawn from the profile above, incidents change it little: a large strength is chosen."""
    rng, above = np.random.default_rng(7), _draw_profile(8)
    cell = rng.choice(CELLS, 2000, p=above)
    counts = _deal(np.zeros(2000, dtype=int), cell, rng.integers(FOLDS, size=2000), 1)
    profile, choice = fit_step(counts, above[None], None, DAYS)
    assert choice.strength >= 1000
    divergence = float((above * np.log(above / profile[0])).sum())
    frequency = counts.sum(axis=0)[0, :CELLS] / 2000 + 1e-9
    assert divergence < 0.1 * float((above * np.log(above / frequency)).sum())


def test_the_numbers_chosen_have_the_highest_likelihood():
    """Each fold is predicted from the others, incident by incident; no other numbers do better."""
    rng, above, ratio = np.random.default_rng(15), _draw_profile(16), np.ones((1, CELLS))
    ratio[0, :HALF_HOURS] = 3.0
    cell = rng.choice(CELLS, 60, p=_draw_profile(17))
    cell[:6] = CELLS + rng.integers(HALF_HOURS, size=6)
    fold = rng.integers(FOLDS, size=60)
    _, choice = fit_step(_deal(np.zeros(60, dtype=int), cell, fold, 1), above[None], ratio, DAYS)

    def score(strength, width, day_weight, share, is_even):
        tilted = above * ratio[0]
        base = (1 - share) * above + share * tilted / tilted.sum()
        shape = DAYS.cell_shares if is_even else base
        total = 0.0
        spread = build_spread(shape, DAYS, width, day_weight)[cell]
        for one in np.flatnonzero(cell < CELLS):
            others = np.flatnonzero(fold != fold[one])
            own = sum(spread[other][cell[one]] for other in others)
            total += np.log((own + strength * base[cell[one]]) / (len(others) + strength))
        return total

    chosen = (choice.strength, choice.width, choice.day_weight, choice.ratio_share, choice.is_even)
    best = score(*chosen)
    reference = np.log(above[cell[cell < CELLS]]).sum()
    count = (cell < CELLS).sum()
    assert choice.bits == pytest.approx((best - reference) / count / np.log(2))
    for strength in STRENGTHS[::6]:
        for is_even in (False, True):
            assert (
                score(strength, WIDTHS[2], DAY_WEIGHTS[1], RATIO_SHARES[0], is_even) <= best + 1e-9
            )


def test_an_unknown_weekday_is_not_predicted_but_counts():
    """An incident of unknown weekday moves weekdays' profile and not the weekends' share."""
    above = _draw_profile(18)
    cell = np.full(500, CELLS + 31)
    counts = _deal(np.zeros(500, dtype=int), cell, np.arange(500) % FOLDS, 1)
    assert DAYS.unknown + 1 == UNKNOWN_WEEKDAY
    spread = build_spread(above, DAYS, 1.0, 0.0)
    weekend = slice(DAYS.of_kind[WEEKEND] * HALF_HOURS, (DAYS.of_kind[WEEKEND] + 1) * HALF_HOURS)
    assert spread[CELLS + 31, weekend].sum() == 0
    profile, choice = fit_step(counts, above[None], None, DAYS)
    assert choice.bits == 0
    assert profile.sum() == pytest.approx(1.0)
