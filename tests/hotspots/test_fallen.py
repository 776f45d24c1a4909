"""Crime that falls evenly on all streets, drawn many times."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import sparse, stats

from patrolplan.hotspots.significance import (
    HIGHEST_MEAN,
    STEPS,
    add_fallen,
    harm_of,
    limits_of,
    times_reached,
)

HARM = np.array([1.0, 7.5, 30.0])


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 3000))
def test_compiled_counts_are_those_of_one_cell_after_the_other(seed, rows, columns):
    """Each cell gets its days for every limit of its column that is below what was drawn."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(STEPS, size=(min(rows, 60_000 // columns + 1), columns), dtype=np.uint32)
    limits = np.sort(rng.integers(STEPS, size=(5, columns), dtype=np.uint32), axis=0)
    harm = rng.random(drawn.shape)
    wanted = harm + 2.5 * (drawn > limits[:, None]).sum(axis=0)
    add_fallen(drawn, limits, 2.5, harm)
    assert (harm == wanted).all()


@given(st.lists(st.floats(0, HIGHEST_MEAN), min_size=1, max_size=9))
def test_limits_stand_where_the_chances_of_poisson_counts_end(means):
    """A draw is above k limits or fewer as often as a Poisson count is k or less."""
    limits = limits_of(np.array(means)).astype(np.float64)
    below = (limits + 1) / STEPS
    chance = stats.poisson.cdf(np.arange(len(limits))[:, None], means)
    assert below == pytest.approx(chance, abs=2 / STEPS)
    assert (below[-1] >= 1 - 2 / STEPS).all()


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
    observed = shares @ harm_of(np.ceil(mean.T), HARM)
    counts = rng.poisson(mean.T, size=(draws, 2, 3))
    plain = (counts @ HARM @ shares.T >= observed * (1 - 1e-12)).mean(axis=0)
    found = times_reached(sparse.csr_array(shares), mean, HARM, observed, draws, rng) / draws
    spread = np.sqrt(np.maximum(plain * (1 - plain), 1 / draws) * 2 / draws)
    assert (np.abs(found - plain) <= 5.5 * spread).all()


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 45.0, 400.0])
def test_one_category_in_one_catchment_is_a_poisson_count(mean):
    """Its chance is that of the Poisson law, equal harm counts as reached, also above the table."""
    draws, share = 50_000, sparse.csr_array([[0.3]])
    seen = np.array([[np.ceil(mean + np.sqrt(mean))]])
    observed = share @ harm_of(seen, np.array([7.1]))
    rng = np.random.default_rng(2)
    expected = np.array([[mean]])
    found = times_reached(share, expected, np.array([7.1]), observed, draws, rng)[0]
    chance = stats.poisson.sf(seen[0, 0] - 1, mean)
    assert abs(found - draws * chance) <= 4 * np.sqrt(draws * chance * (1 - chance))


def test_draws_depend_on_the_seed_alone():
    """The same seed draws the same, another seed something else."""
    rng = np.random.default_rng(1)
    share, mean = sparse.csr_array(rng.random((5, 4))), rng.random((3, 4)) * 3
    observed = share @ harm_of(mean.T, HARM)
    first, again, other = (
        times_reached(share, mean, HARM, observed, 700, np.random.default_rng(seed)).tolist()
        for seed in (4, 4, 5)
    )
    assert first == again != other
