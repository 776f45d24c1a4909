"""Whether a trial can show anything."""

import numpy as np
import pytest
from simulated_trials import simulate_trials

from patrolplan.team.trial.power import (
    Layout,
    assess_power,
    enlarge,
    estimate_dispersion,
    find_detectable_effect,
    simulate_power,
)

BY_DAY = Layout(np.full((5, 2, 40), 0.4), np.arange(40) // 20, dispersion=0.25, periods=40)
BY_PAIR = Layout(np.full((8, 2, 1), 12.0), np.zeros(1, dtype=np.int64), dispersion=0.05, periods=3)


def test_power_grows():
    """A greater effect, more days and less overdispersion are found more often."""
    powers = [simulate_power(BY_DAY, effect, seed=1, simulations=500) for effect in (0, 0.3, 0.6)]
    assert powers[0] < 0.08 < powers[1] < powers[2]
    longer = simulate_power(enlarge(BY_DAY, 80, in_time=True), 0.3, seed=1, simulations=500)
    more = simulate_power(enlarge(BY_DAY, 10, in_time=False), 0.3, seed=1, simulations=500)
    assert min(longer, more) > powers[1]


def test_equal_seeds_give_equal_power():
    """Printed power can be computed again."""
    first, second = (simulate_power(BY_PAIR, 0.3, seed=4, simulations=300) for _ in range(2))
    assert first == second


def test_five_pairs_can_show_nothing():
    """Of 32 ways of drawing five pairs none is rarer than one in sixteen, whatever the effect."""
    few = Layout(np.full((5, 2, 1), 1000.0), np.zeros(1, dtype=np.int64), 0.0, periods=3)
    power = assess_power(few, 0.2, 0.8, seed=1)
    assert power.power == 0
    assert power.detectable is None
    assert power.needed_periods is None
    assert power.needed_sets == 6
    assert not power.is_enough


def test_detectable_effect_has_the_power():
    """The least effect is found with the power asked for, and one much smaller is not."""
    effect = find_detectable_effect(BY_DAY, 0.8, seed=1)
    assert simulate_power(BY_DAY, effect, seed=2) == pytest.approx(0.8, abs=0.05)
    assert simulate_power(BY_DAY, effect - 0.1, seed=2) < 0.75


def test_needed_days_have_the_power():
    """With as many days as are said to be needed, the power is what was asked for."""
    power = assess_power(BY_DAY, 0.3, 0.8, seed=1)
    assert not power.is_enough
    enough = enlarge(BY_DAY, power.needed_periods, in_time=True)
    assert simulate_power(enough, 0.3, seed=3) == pytest.approx(0.8, abs=0.06)


def test_dispersion_is_recovered():
    """Counts made with an overdispersion give it back, and Poisson counts hardly any."""
    rng = np.random.default_rng(6)
    means = rng.uniform(5, 15, (60, 1)) * rng.uniform(0.8, 1.2, 24)
    gamma = rng.gamma(4.0, 0.25, (60, 24))
    assert estimate_dispersion(rng.poisson(means * gamma), 1, 24) == pytest.approx(0.25, abs=0.06)
    assert estimate_dispersion(rng.poisson(means), 1, 24) < 0.03


def test_dispersion_of_longer_stretches():
    """A factor that lasts for one month evens out over three."""
    rng = np.random.default_rng(7)
    counts = rng.poisson(10 * rng.gamma(4.0, 0.25, (80, 24)))
    assert estimate_dispersion(counts, 3, 24) == pytest.approx(0.25 / 3, abs=0.05)


def test_hotspots_that_change_are_dispersed():
    """Where half of the hotspots doubled and half halved, expectations were far from what came."""
    counts = np.full((20, 18), 20.0)
    counts[:10, 12:], counts[10:, 12:] = 40.0, 10.0
    assert estimate_dispersion(counts, 3, 6) > 0.1
    assert estimate_dispersion(np.full((20, 18), 20.0), 3, 6) == 0.0


def test_dispersion_equals_a_slow_sum():
    """The moments are those of every stretch and hotspot, added one after the other."""
    rng = np.random.default_rng(9)
    counts = rng.poisson(rng.uniform(2, 9, (7, 14))).astype(float)
    squares = expected = 0.0
    for first in (12, 10, 8, 6):
        weights = [0.5 ** ((first - 1 - month) / 4) for month in range(first)]
        y = [sum(row[first : first + 2]) for row in counts]
        e = [sum(w * n for w, n in zip(weights, row, strict=False)) for row in counts]
        scale = sum(y) / sum(e)
        for one, other in zip(y, e, strict=True):
            squares += (one - other * scale) ** 2 - other * scale
            expected += (other * scale) ** 2
    assert estimate_dispersion(counts, 2, 4) == pytest.approx(max(0.0, squares / expected))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "effect"), [(BY_DAY, 0.3), (BY_DAY, 0.5), (BY_PAIR, 0.3), (BY_PAIR, 0.45)]
)
def test_power_is_that_of_whole_trials(layout, effect):
    """Printed power is within three points of that of trials drawn, counted and analysed whole."""
    found = simulate_trials(layout, effect, trials=1500, seed=31)
    simulated = np.mean([one.p_value <= 0.05 for one in found])
    assert simulate_power(layout, effect, seed=1) == pytest.approx(simulated, abs=0.03)
