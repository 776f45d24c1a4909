"""Top slices and log scores against slow ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.risk.scores import round_significant, score_shares, sum_slices


def walk_down(order, metres, amounts, coverage):
    """Walk down a ranking and stop in the middle of a street when the budget is spent."""
    left, caught = coverage * metres.sum(), 0.0
    for street in order:
        part = min(1.0, left / metres[street])
        caught += part * amounts[street]
        left -= part * metres[street]
        if left <= 0:
            break
    return caught


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.005, 0.999))
def test_a_slice_is_a_walk_down_the_ranking(seed, size, coverage):
    """The array form catches what walking down the ranking catches, the last street in part."""
    rng = np.random.default_rng(seed)
    scores, metres, amounts = (
        rng.random(size),
        rng.choice([10.0, 20.0, 35.5], size),
        rng.random(size),
    )
    order = np.argsort(-scores / metres, kind="stable")
    found = sum_slices(scores, metres, amounts[:, None], (coverage,))[0, 0]
    assert found == pytest.approx(walk_down(order, metres, amounts, coverage))


@given(st.integers(0, 2**32 - 1), st.floats(0.005, 0.999))
def test_tied_streets_count_as_in_the_mean_over_all_orders(seed, coverage):
    """Streets of one length that differ by rounding alone are tied: no order is better."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, 5) * (1 + rng.uniform(-1e-12, 1e-12, 5))
    metres, amounts = np.full(5, 25.0), rng.random(5)
    ranks = round_significant(scores)
    orders = [
        order
        for order in itertools.permutations(range(5))
        if all(ranks[a] >= ranks[b] for a, b in itertools.pairwise(order))
    ]
    mean = np.mean([walk_down(order, metres, amounts, coverage) for order in orders])
    # Within ties the mean over orders is a straight line between whole streets.
    found = sum_slices(scores, metres, amounts[:, None], (coverage,))[0, 0]
    assert found == pytest.approx(mean)


def test_scores_that_differ_in_the_ninth_digit_are_no_tie():
    """A tie is a difference beyond nine digits, so that rounding errors break none."""
    metres, amounts = np.ones(2), np.array([[1.0], [0.0]])
    near, apart = np.array([1 + 1e-10, 1.0]), np.array([1 + 1e-8, 1.0])
    assert sum_slices(near, metres, amounts, (0.5,))[0, 0] == pytest.approx(0.5)
    assert sum_slices(apart, metres, amounts, (0.5,))[0, 0] == pytest.approx(1.0)


def test_a_log_score_by_hand():
    """Three crimes where half was expected lose three bits; what was impossible is 0.0001."""
    rates, counts = np.array([[1.0], [1.0]]), np.array([[3.0], [0.0]])
    assert score_shares(rates, counts) == pytest.approx([-3.0])
    never = np.array([[0.0], [1.0]])
    assert score_shares(never, counts) == pytest.approx([3 * np.log2(0.0001 / 1.0001)])
