"""How sure a hotspot is.

Crime that falls evenly on all streets, drawn many times.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse, stats

from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.significance import (
    DRAW_RANGE,
    MAX_TABLE_MEAN,
    _is_surely_significant,
    add_simulated_harm,
    assess_certainty,
    build_count_limits,
    classify_trends,
    compute_chance_bound,
    count_draws_reaching,
    is_significant,
    simulate_p_values,
    sum_harm,
)
from patrolplan.risk.history import build_history


def _counted(area, per_month):
    """History of an area with other counts: (t, c) incidents of the first target."""
    history = build_history(area)
    counts = np.zeros_like(history.counts)
    counts[:, :, 0] = per_month
    return dataclasses.replace(history, counts=counts)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_stands_out_is_the_step_up_procedure(p_values):
    """What stands out is what Benjamini and Hochberg's step-up rule, done by hand, rejects."""
    ordered = sorted(p_values)
    passing = [p for i, p in enumerate(ordered, 1) if p <= 0.05 * i / len(p_values)]
    limit = max(passing, default=-1.0)
    assert list(is_significant(np.array(p_values))) == [p <= limit for p in p_values]


def test_an_even_spread_does_not_stand_out(demo_area, stretches):
    """Crime that falls evenly on all streets makes hardly any stretch stand out."""
    rng = np.random.default_rng(5)
    metres = np.bincount(
        demo_area.catchments.piece_catchment, weights=demo_area.network.piece_metres
    )
    even = rng.multinomial(600, metres / metres.sum(), size=24)
    share = compute_catchment_shares(demo_area.catchments, stretches)
    p_value = simulate_p_values(demo_area, _counted(demo_area, even), share, rng)
    assert is_significant(p_value).mean() < 0.05
    assert 0.3 < np.mean(p_value) < 0.7


def test_stopping_early_says_the_same(demo_area, stretches, monkeypatch):
    """A chance estimated from fewer draws is near the one from all, and decides alike."""
    history = build_history(demo_area)
    share = compute_catchment_shares(demo_area.catchments, stretches)
    early = simulate_p_values(demo_area, history, share, np.random.default_rng(5))
    monkeypatch.setattr("patrolplan.hotspots.significance.ENOUGH_EXCEEDANCES", np.inf)
    full = simulate_p_values(demo_area, history, share, np.random.default_rng(6))
    assert np.allclose(early, full, atol=0.05)
    assert np.mean(is_significant(early) == is_significant(full)) > 0.97


def test_a_heap_stands_out(demo_area, stretches):
    """Crime heaped on the catchments of one stretch makes that stretch stand out."""
    share = compute_catchment_shares(demo_area.catchments, stretches)
    heaped = np.ones((24, len(demo_area.catchments)), dtype=int)
    heaped[:, share[[7]].indices] = 40
    rng = np.random.default_rng(5)
    p_value = simulate_p_values(demo_area, _counted(demo_area, heaped), share, rng)
    # What was observed counts as one draw more: a chance is never 0.
    simulations = min(max(int(len(stretches) / 0.05), 999), 9999)
    assert p_value[7] == 1 / (simulations + 1) < 0.0005
    assert is_significant(p_value)[7]


def test_trends_tell_new_rising_fading_and_persistent(demo_area, stretches):
    """A stretch is new, rising, fading or persistent as its part of all crime changed."""
    apart = _separate(compute_catchment_shares(demo_area.catchments, stretches), 4)
    months = np.full((24, len(demo_area.catchments)), 1)
    share = compute_catchment_shares(demo_area.catchments, [stretches[k] for k in apart])
    new, rising, fading, steady = (share[[k]].indices for k in range(4))
    months[:-6, new], months[-6:, new] = 0, 30
    months[:-6, rising], months[-6:, rising] = 20, 80
    months[:-6, fading], months[-6:, fading] = 60, 2
    months[:, steady] = 30
    trends = classify_trends(_counted(demo_area, months), share, demo_area)
    assert trends == ["new", "rising", "fading", "persistent"]


def _separate(share, wanted):
    """Stretches that have no catchment in common."""
    chosen, used = [], set()
    for row in range(share.shape[0]):
        touched = set(share[[row]].indices.tolist())
        if not touched & used:
            chosen.append(row)
            used |= touched
    return chosen[:wanted]


def test_too_few_incidents_tell_no_trend(demo_area, stretches):
    """With a handful of incidents it says that they are too few to tell."""
    few = np.zeros((24, len(demo_area.catchments)), dtype=int)
    few[-1, 0] = few[-10, 0] = 2
    share = compute_catchment_shares(demo_area.catchments, stretches)
    assert set(classify_trends(_counted(demo_area, few), share, demo_area)) == {"too few to tell"}


def test_the_demo_boroughs_made_up_trends_are_found(static_hotspots):
    """The place that the demo borough lets emerge is rising or new, the other as fading."""
    hotspots = static_hotspots.set_index("hotspot")
    risen = hotspots[hotspots["trend"].isin(["new", "rising"])]
    assert risen["place"].str.contains("Hartsmere Road|Tidewell Road").any()
    assert (hotspots["trend"] == "fading").sum() >= 1


def test_the_same_seed_tells_the_same(demo_area, demo_risk, stretches):
    """Equal areas and seeds give equal p-values and survivals."""
    first = assess_certainty(demo_area, demo_risk, stretches)
    second = assess_certainty(demo_area, demo_risk, stretches)
    assert (first.p_value == second.p_value).all()
    assert (first.survived == second.survived).all()


def test_draws_end_early_only_far_beyond_the_rate():
    """A stretch is sure to pass when its draws say so by far, and never on few draws."""
    many, few = np.full(4, 4000.0), np.full(4, 500.0)
    reached = np.array([0.0, 5.0, 80.0, 3000.0])
    assert _is_surely_significant(reached, many, np.arange(4)).tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert _is_surely_significant(reached, many, np.array([1, 2])).tolist() == [True, False]
    assert not _is_surely_significant(reached[:3], few[:3], np.arange(3)).any()


@given(
    rates=arrays(np.float64, (3, 2), elements=st.floats(0.01, 20)),
    share=arrays(np.float64, (2, 3), elements=st.floats(0, 1)),
    seed=st.integers(0, 1000),
)
def test_the_limit_of_a_chance_is_never_below_the_chance_drawn(rates, share, seed):
    """Draws of the same sum reach a harm at most as often as the limit says, within their error."""
    rng = np.random.default_rng(seed)
    harm, draws = np.array([1.0, 30.0]), 4000
    even = rates[:, 0] / rates[:, 0].sum()
    totals = np.array([rates[:, 0].sum(), rates[:, 1].sum()])
    fallen = rng.poisson(totals * even[:, None], size=(draws, 3, 2)) @ harm
    summed = fallen @ share.T
    observed = summed.mean(axis=0) + 2 * summed.std(axis=0) + 0.1
    limit = compute_chance_bound(sparse.csr_array(share), totals, harm, even, observed)
    drawn = (summed >= observed).mean(axis=0)
    assert (drawn <= limit + 4 * np.sqrt(limit / draws) + 1e-9).all()


def test_the_limit_of_a_chance_is_that_of_one_poisson_count_in_closed_form():
    """For one category on one whole catchment it is near exp(n - m - n log(n / m))."""
    mean, seen = 4.0, 20.0
    one = np.ones(1)
    limit = compute_chance_bound(
        sparse.csr_array([[1.0]]), np.array([mean]), one, one, np.array([seen])
    )
    closed = np.exp(seen - mean - seen * np.log(seen / mean))
    assert closed <= limit[0] <= 2 * closed
    assert stats.poisson.sf(seen - 1, mean) <= limit[0]


HARM = np.array([1.0, 7.5, 30.0])


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 3000))
def test_compiled_counts_are_those_of_one_cell_after_the_other(seed, rows, columns):
    """Each cell gets its days for every limit of its column that is below what was drawn."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(
        DRAW_RANGE, size=(min(rows, 60_000 // columns + 1), columns), dtype=np.uint32
    )
    limits = np.sort(rng.integers(DRAW_RANGE, size=(5, columns), dtype=np.uint32), axis=0)
    harm = rng.random(drawn.shape)
    wanted = harm + 2.5 * (drawn > limits[:, None]).sum(axis=0)
    add_simulated_harm(drawn, limits, 2.5, harm)
    assert (harm == wanted).all()


@given(st.lists(st.floats(0, MAX_TABLE_MEAN), min_size=1, max_size=9))
def test_limits_stand_where_the_chances_of_poisson_counts_end(means):
    """A draw is above k limits or fewer as often as a Poisson count is k or less."""
    limits = build_count_limits(np.array(means)).astype(np.float64)
    below = (limits + 1) / DRAW_RANGE
    chance = stats.poisson.cdf(np.arange(len(limits))[:, None], means)
    assert below == pytest.approx(chance, abs=2 / DRAW_RANGE)
    assert (below[-1] >= 1 - 2 / DRAW_RANGE).all()


@given(
    means=st.lists(st.floats(0.01, 20), min_size=6, max_size=6),
    share=st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    seed=st.integers(0, 1000),
)
def test_harm_is_reached_as_often_as_in_draws_made_the_plain_way(means, share, seed):
    """Two stretches reach a harm as often as with numpy's own Poisson counts, within chance."""
    rng, draws = np.random.default_rng(seed), 20_000
    mean = np.array(means).reshape(3, 2)
    shares = np.array(share).reshape(2, 2)
    observed = shares @ sum_harm(np.ceil(mean.T), HARM)
    counts = rng.poisson(mean.T, size=(draws, 2, 3))
    plain = (counts @ HARM @ shares.T >= observed * (1 - 1e-12)).mean(axis=0)
    found = count_draws_reaching(sparse.csr_array(shares), mean, HARM, observed, draws, rng) / draws
    spread = np.sqrt(np.maximum(plain * (1 - plain), 1 / draws) * 2 / draws)
    assert (np.abs(found - plain) <= 5.5 * spread).all()


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 45.0, 400.0])
def test_one_category_in_one_catchment_is_a_poisson_count(mean):
    """Its chance is that of the Poisson law, equal harm counts as reached, also above the table."""
    draws, share = 50_000, sparse.csr_array([[0.3]])
    seen = np.array([[np.ceil(mean + np.sqrt(mean))]])
    observed = share @ sum_harm(seen, np.array([7.1]))
    rng = np.random.default_rng(2)
    expected = np.array([[mean]])
    found = count_draws_reaching(share, expected, np.array([7.1]), observed, draws, rng)[0]
    chance = stats.poisson.sf(seen[0, 0] - 1, mean)
    assert abs(found - draws * chance) <= 4 * np.sqrt(draws * chance * (1 - chance))


def test_draws_depend_on_the_seed_alone():
    """The same seed draws the same, another seed something else."""
    rng = np.random.default_rng(1)
    share, mean = sparse.csr_array(rng.random((5, 4))), rng.random((3, 4)) * 3
    observed = share @ sum_harm(mean.T, HARM)
    first, again, other = (
        count_draws_reaching(share, mean, HARM, observed, 700, np.random.default_rng(seed)).tolist()
        for seed in (4, 4, 5)
    )
    assert first == again != other
