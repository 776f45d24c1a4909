"""Flows spread pupils over near-shortest ways and carry every one of them to the gate."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from small_networks import draw_network_and_positions

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.pupils.flows import NotStoredError, SchoolWays, Ways, model_ways, spread_flow
from patrolplan.pupils.gate_tree import grow_tree

SPREAD_METRES = 40.0
EXACT = 1e-9


def _enumerate_flow(tree, demand):
    """The slow version: list every way that leads away from the gate at each step."""
    links = {}
    for number, (near, far) in enumerate(tree.link_nodes.tolist()):
        if tree.node_metres[near] < tree.node_metres[far] < np.inf:
            links.setdefault(near, []).append((number, far))
    ways = {node: [] for node in range(len(demand))}
    waiting = [(tree.root, ())]
    while waiting:
        node, way = waiting.pop()
        ways[node].append(way)
        waiting += [(far, (*way, number)) for number, far in links.get(node, [])]
    flow = np.zeros(len(tree.link_piece))
    for node, pupils in enumerate(demand):
        if not pupils:
            continue
        lengths = np.array([tree.link_metres[list(way)].sum() for way in ways[node]])
        odds = np.exp(-(lengths - tree.node_metres[node]) / SPREAD_METRES)
        for way, share in zip(ways[node], odds / odds.sum(), strict=True):
            np.add.at(flow, list(way), pupils * share)
    return flow


@given(draw_network_and_positions(), st.integers(0, 2**32))
def test_flow_is_that_of_all_ways_listed(network_and_positions, seed):
    """Two passes give what listing every way with its odds gives."""
    network, positions = network_and_positions
    tree = grow_tree(network, positions.take([0]), 1e6)
    demand = np.random.default_rng(seed).integers(0, 9, tree.root + 1).astype(float)
    flow, arrived = spread_flow(tree, demand, SPREAD_METRES)
    np.testing.assert_allclose(flow, _enumerate_flow(tree, demand), atol=1e-6)
    assert arrived == pytest.approx(demand.sum(), abs=EXACT)


@given(draw_network_and_positions(), st.integers(0, 2**32))
def test_pupils_are_conserved_at_every_node(network_and_positions, seed):
    """Whoever comes to a node from the gate goes on or stays there."""
    network, positions = network_and_positions
    tree = grow_tree(network, positions.take([0]), 1e6)
    demand = np.random.default_rng(seed).random(tree.root + 1)
    flow, _ = spread_flow(tree, demand, SPREAD_METRES)
    come, gone = (
        np.bincount(side, flow, minlength=tree.root + 1) for side in tree.link_nodes.T[::-1]
    )
    come[tree.root] += demand.sum()
    np.testing.assert_allclose(come, gone + demand, atol=EXACT)


@pytest.fixture(scope="module")
def demo_ways(demo_area):
    """The ways home of the demo's schools."""
    return model_ways(demo_area)


def test_pupils_of_each_school_are_conserved(demo_area, demo_ways):
    """Those carried to the gate and those elsewhere are the roll, of every school."""
    for school, urn in zip(demo_ways.schools, demo_area.schools["urn"], strict=True):
        assert school.urn == urn
        assert school.on_streets + school.elsewhere == pytest.approx(school.roll, abs=EXACT)
        assert 0 < school.on_streets < school.roll
        assert np.all(school.flow >= 0)
        assert school.flow.max() <= school.on_streets + EXACT
        assert np.all(np.diff(school.pieces) > 0)


def _without_stops(area):
    return replace(area, way_home=replace(area.way_home, stops=area.way_home.stops.iloc[:0]))


def test_without_stops_riders_are_elsewhere(demo_area):
    """Only those who walk all the way are on the streets."""
    ways = model_ways(_without_stops(demo_area))
    for school in ways.schools:
        assert not len(school.wait_pieces)
    secondary = ways.schools[0]
    assert secondary.on_streets == pytest.approx(0.42 * secondary.roll)


def test_stops_out_of_reach_are_announced(demo_area):
    """A school without a stop near is named, and its riders are elsewhere."""
    (note,) = [
        note
        for note in model_ways(pp.with_settings(demo_area, way_home={"stop_reach_metres": 5})).notes
        if note.kind == "no_stops_near"
    ]
    assert note.list_texts("urns") == list(demo_area.schools["urn"])


def test_walkers_are_those_of_the_mode_shares(demo_area):
    """A table of the user's replaces the preset, and is not announced as assumed."""
    shares = {"walk": 0.3, "bicycle": 0.2}
    modes = {"primary": shares, "secondary": shares}
    ways = model_ways(pp.with_settings(demo_area, way_home={"modes": modes}))
    for school in ways.schools:
        assert school.on_streets == pytest.approx(0.3 * school.roll)
    assert "modes_assumed" not in [note.kind for note in ways.notes]


@pytest.mark.parametrize(
    "modes",
    [
        {"primary": {"walk": 0.5}},
        {"primary": {"walk": 0.5}, "secondary": {"walk": 0.9, "bus": 0.2}},
        {"primary": {"walk": 0.5}, "secondary": {"walk": -0.1}},
        {"primary": {"walk": 0.5}, "secondary": {"walk": 0.5}, "nursery": {"walk": 1.0}},
    ],
)
def test_wrong_mode_shares_are_refused(demo_area, modes):
    """A missing or unknown stage, a negative share, and shares above 1 name the table."""
    area = pp.with_settings(demo_area, way_home={"modes": modes})
    with pytest.raises(InputError, match=r"\[way_home.modes\]"):
        model_ways(area)


def test_ways_cannot_be_stored_or_read_off(demo_ways):
    """Neither pickled nor copied, no method writes them, and printed they show only how many."""
    for secret in (demo_ways, demo_ways.schools[0]):
        for store in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(NotStoredError):
                store(secret)
    assert repr(demo_ways) == "<Ways: 12 schools>"
    assert repr(demo_ways.schools[0]) == "<SchoolWays: 900001>"
    for kind in (Ways, SchoolWays):
        assert not [name for name in dir(kind) if name.startswith(("to_", "write", "save", "dump"))]
