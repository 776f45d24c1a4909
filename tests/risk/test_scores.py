"""Top slices and rankings against slow ones."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from patrolplan.risk.scores import (
    UnitStreets,
    compute_hits,
    rank_streets,
    round_significant,
    sum_slices,
    sum_unit_slices,
)


def slowly(scores, metres, amounts, ties, coverage):
    """Walk down the ranking and stop in the middle of a street when the budget is spent."""
    order = sorted(
        range(len(scores)), key=lambda i: (-round_significant(scores / metres)[i], ties[i])
    )
    left, caught = coverage * metres.sum(), 0.0
    for street in order:
        part = min(1.0, left / metres[street])
        caught += part * amounts[street]
        left -= part * metres[street]
        if left <= 0:
            break
    return caught


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.005, 0.999))
def test_parity(seed, size, coverage):
    """The array form catches what walking down the ranking catches, ties and part streets too."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, size).astype(float)
    metres = rng.choice([10.0, 20.0, 35.5], size)
    amounts, ties = rng.random(size), rng.permutation(size)
    found = compute_hits(scores, metres, amounts, ties, (coverage,))[0]
    assert found == pytest.approx(slowly(scores, metres, amounts, ties, coverage))


def test_ties_follow_the_seed():
    """Streets that differ by rounding alone are tied, and the permutation decides."""
    metres = np.array([30.0, 30.0, 30.0])
    scores = np.array([0.1 + 0.2, 0.3, 0.1])
    assert rank_streets(scores, metres, np.array([1, 0, 2])).tolist() == [1, 0, 2]
    assert rank_streets(scores, metres, np.array([0, 1, 2])).tolist() == [0, 1, 2]


def test_spreading_earns_nothing(make):
    """Within a catchment every order of its pieces catches the same: no point is rewarded."""
    network = make.grid(5)
    catchments = make.catchments_of(network, 4)
    crime = catchments.spread(np.random.default_rng(1).poisson(3.0, len(catchments)))
    scores = catchments.spread(np.arange(len(catchments), dtype=float))
    found = {
        round(compute_hits(scores, network.piece_metres, crime,
        np.random.default_rng(s).permutation(
            len(network)), (0.1,))[0], 9)
        for s in range(5)
    }  # fmt: skip
    assert len(found) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_places_in_order_are_their_pieces_in_order(seed, most):
    """Whole places ranked give what their pieces ranked one by one give, also among equals."""
    rng = np.random.default_rng(seed)
    of_piece = np.sort(np.append(np.arange(12), rng.integers(0, 12, 40)))
    piece_metres = rng.uniform(5, 40, len(of_piece))
    metres = np.bincount(of_piece, piece_metres)
    share = piece_metres / metres[of_piece]
    scores = rng.integers(0, most, 12).astype(float)
    amounts = rng.poisson(3.0, (12, 2)).astype(float)
    ties = rng.permutation(len(of_piece))
    by_piece = sum_slices(
        rank_streets(scores[of_piece] * share, piece_metres, ties),
        piece_metres,
        amounts[of_piece] * share[:, None],
        (0.03, 0.1, 0.5, 0.97),
    )
    streets = UnitStreets(metres, piece_metres, of_piece, np.argsort(ties))
    by_place = sum_unit_slices(scores, streets, amounts, (0.03, 0.1, 0.5, 0.97))
    assert np.allclose(by_place, by_piece)
