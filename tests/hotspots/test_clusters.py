"""Stretches: connected, disjoint, bounded, the one of most risk first, and what each holds."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.sparse import csgraph
from small_networks import build_grid

from patrolplan.arrays import round_significant
from patrolplan.hotspots import clusters
from patrolplan.hotspots.clusters import cluster_pieces, find_stretches, grow_stretch

TOWN = build_grid()
RISKS = st.tuples(st.integers(0, 9999), st.sampled_from([0.3, 1.0, 3.0])).map(
    lambda case: np.random.default_rng(case[0]).gamma(case[1], size=len(TOWN))
)
LENGTHS = st.sampled_from([50.0, 120.0, 300.0, 1000.0])


@given(RISKS, LENGTHS, st.sampled_from([None, 1, 4]))
def test_stretches_are_connected_disjoint_and_bounded(risk, length, count):
    """Every stretch can be walked without leaving it, none overlap, none is too long."""
    found = find_stretches(TOWN, risk, max_length_metres=length, count=count)
    pieces = np.concatenate(found)
    assert len(set(pieces)) == len(pieces)
    for stretch in found:
        inside = TOWN.neighbours[stretch][:, stretch]
        assert csgraph.connected_components(inside, directed=False)[0] == 1
        assert TOWN.piece_metres[stretch].sum() <= length + 1e-9
    if count is not None:
        assert len(found) <= count


@given(RISKS)
def test_stretch_stays_inside_its_cluster(risk):
    """Where clusters are given, no stretch crosses from one into another, or into none."""
    group = np.arange(len(TOWN)) % 3 - 1
    for stretch in find_stretches(TOWN, risk, max_length_metres=300, cluster=group):
        assert len(set(group[stretch])) == 1
        assert group[stretch[0]] >= 0


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_clusters_find_two_heaps_apart(method):
    """Two heaps of risk far apart are two clusters; what is between them is in neither."""
    risk = np.full(len(TOWN), 1e-6)
    one, middle, other = (
        TOWN.find_pieces_within(xy, 75) for xy in ([0, 0], [180, 180], [360, 360])
    )
    risk[one] = risk[other] = 1
    found = cluster_pieces(TOWN, risk, method)
    assert len(found) == len(TOWN)
    (first,), (second,) = set(found[one]), set(found[other])
    assert min(first, second) >= 0
    assert len({first, second} - set(found[middle])) == 2


def test_noise_in_the_last_digits_changes_no_stretch(demo_plan):
    """Risk that differs in its ninth digit, as on another machine, gives the same stretches."""
    risk, network = demo_plan.risk.joined, demo_plan.area.network
    noise = 1 + 1e-9 * np.random.default_rng(3).choice([-1, 1], len(risk))
    same, other = (
        find_stretches(network, one, max_length_metres=300, count=40)
        for one in (risk, risk * noise)
    )
    assert [row.tolist() for row in same] == [row.tolist() for row in other]


def _grown_slowly(seed, network, density, free, limit):
    """A stretch the slow way: look at every neighbour of it again for each piece that it gains."""
    metres, stretch, passed = network.piece_metres, [seed], set()
    while True:
        touching = network.neighbours[stretch].indices
        neighbours = {int(piece) for piece in touching if free[piece]} - {*stretch, *passed}
        if not neighbours:
            return stretch
        best = min(neighbours, key=lambda piece: (-density[piece], piece))
        if metres[stretch].sum() + metres[best] > limit:
            passed.add(best)
        else:
            stretch.append(best)


@given(RISKS, LENGTHS, st.integers(0, 10**6))
def test_compiled_growth_is_the_slow_one(risk, length, seed):
    """Whatever pieces are free, the compiled stretch has the slow one's pieces, in its order."""
    density = round_significant(risk / TOWN.piece_metres, 5)
    free = np.random.default_rng(seed).random(len(TOWN)) < 0.7
    streets, room = (
        clusters.build_street_arrays(TOWN, density),
        clusters.build_growing_room(len(TOWN)),
    )
    for start in np.flatnonzero(free & (TOWN.piece_metres <= length))[:12].tolist():
        count = grow_stretch(start, streets, length, free, room, start + 1)
        assert room[1][:count].tolist() == _grown_slowly(start, TOWN, density, free, length)


def _taken_slowly(network, risk, length, count):
    """Stretches the slow way: all are grown again for each that is chosen."""
    metres = network.piece_metres
    density = round_significant(risk / metres, 5)
    free = (density > risk.sum() / metres.sum()) & (metres <= length)
    taken, covered = [], 0.0
    while free.any() and (len(taken) < count if count else covered < 0.25 * metres.sum()):
        grown = [_grown_slowly(s, network, density, free, length) for s in np.flatnonzero(free)]
        best = max(grown, key=lambda stretch: risk[np.array(stretch)].sum())
        taken.append(sorted(int(piece) for piece in best))
        free[best] = False
        covered += metres[best].sum()
    return taken


@given(RISKS, LENGTHS, st.sampled_from([None, 1, 4]))
def test_lazily_taken_stretches_are_those_grown_anew_each_time(risk, length, count):
    """Growing again only what has its turn takes the same stretches as growing all of them."""
    found = find_stretches(TOWN, risk, max_length_metres=length, count=count)
    assert [one.tolist() for one in found] == _taken_slowly(TOWN, risk, length, count)
