"""The network kernel against a walk-by-walk one, and the choice of its bandwidth."""

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from scipy.integrate import quad

from patrolplan.risk.kernels import (
    aggregate_matrix,
    build_network_matrix,
    build_planar_matrix,
    compute_likelihood,
)


def biweight(u):
    """Density of the kernel, as it stands in books."""
    return 15 / 16 * (1 - u**2) ** 2 if abs(u) < 1 else 0.0


def by_walks(network, source, bandwidth):
    """Mass on every piece by following each walk on its own, as the definition has it."""
    nodes, metres = network.piece_nodes, network.piece_metres
    mass = np.zeros(len(metres))

    def between(start, end):
        return quad(lambda d: biweight(d / bandwidth) / bandwidth, start, min(end, bandwidth))[0]

    def follow(piece, end, walked, share):
        node = nodes[piece, end]
        others = [
            (other, side)
            for other in range(len(metres))
            for side in range(2)
            if nodes[other, side] == node and (other, side) != (piece, end)
        ]
        ways_on = others or [(piece, end)]
        for other, side in ways_on:
            reached = walked + metres[other]
            mass[other] += share / len(ways_on) * between(walked, reached)
            if reached < bandwidth:
                follow(other, 1 - side, reached, share / len(ways_on))

    half = metres[source] / 2
    mass[source] += 2 * between(0.0, half)
    if half < bandwidth:
        for end in range(2):
            follow(source, end, half, 1.0)
    return mass


@st.composite
def towns(draw):
    """Small connected towns with loops, dead ends, doubled streets and streets into themselves."""
    size = draw(st.integers(2, 5))
    tree = [(draw(st.integers(0, node - 1)), node) for node in range(1, size)]
    ends = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    edges = tree + draw(st.lists(ends, max_size=3))
    metres = draw(st.lists(st.integers(15, 60), min_size=len(edges), max_size=len(edges)))
    xy = [(10.0 * node, 7.0 * (node % 2)) for node in range(size)]
    return xy, edges, [float(length) for length in metres]


@given(towns(), st.integers(10, 110))
def test_parity_with_walks(make, town, bandwidth):
    """The compiled kernel gives what following each walk by hand gives, in any small town."""
    network = make.streets(*town)
    expected = np.column_stack(
        [by_walks(network, source, bandwidth) for source in range(len(network))]
    )
    assert np.allclose(
        build_network_matrix(network, bandwidth, floor=0.0).toarray(), expected, atol=1e-9
    )


SHARE_AT_THE_FLOOR = (
    [(0.0, 0.0), (10.0, 7.0), (20.0, 0.0), (30.0, 7.0)],
    [(0, 1), (0, 2), (0, 3), (1, 2), (2, 2), (2, 2)],
    [15.0] * 6,
)


@example(SHARE_AT_THE_FLOOR, 164, 0)
@given(towns(), st.integers(10, 400), st.integers(0, 2**32 - 1))
def test_mass_is_kept(make, town, bandwidth, seed):
    """No crime is lost on the streets, however wide the kernel and whatever the town."""
    network = make.streets(*town)
    weights = np.random.default_rng(seed).random(len(network))
    spread = build_network_matrix(network, bandwidth) @ weights
    assert spread.sum() == pytest.approx(weights.sum())
    assert (spread >= 0).all()


def test_planar_by_hand(make):
    """The planar kernel gives each piece its weight at straight-line distance, times its length."""
    network = make.streets([(0, 0), (40, 0), (100, 0)], [(0, 1), (1, 2)])
    matrix = build_planar_matrix(network, 100.0).toarray()
    near = (1 - 0.5**2) ** 2
    assert matrix[:, 0] == pytest.approx(np.array([40, near * 60]) / (40 + near * 60))
    assert np.allclose(matrix.sum(axis=0), 1.0)


def test_leave_one_out_by_hand(make):
    """The likelihood is that of each crime under the kernels of all the others, one by one."""
    network = make.grid(4)
    catchments = make.catchments_of(network, 2)
    counts = np.random.default_rng(5).integers(0, 3, size=(len(catchments), 1)).astype(float)
    among = aggregate_matrix(build_network_matrix(network, 130.0), catchments)
    metres = np.bincount(catchments.piece_catchment, network.piece_metres)
    whole, slow = among.toarray(), 0.0
    for place in np.repeat(np.arange(len(counts)), counts[:, 0].astype(int)):
        others = counts[:, 0].copy()
        others[place] -= 1
        share = whole[place] @ others / others.sum()
        slow += np.log(0.99 * share + 0.01 * metres[place] / metres.sum())
    assert compute_likelihood(among, counts, metres)[0] == pytest.approx(slow)
