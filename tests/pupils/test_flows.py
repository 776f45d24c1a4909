"""Rolls, distances from the gate, and flows that carry every pupil over near-shortest ways."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from small_networks import build_small_network, draw_network_and_positions

from patrolplan.errors import InputError
from patrolplan.network.paths import WalkFinder
from patrolplan.pupils import flows
from patrolplan.pupils.destinations import Destinations
from patrolplan.pupils.flows import NotStoredError, SchoolPupils, grow_tree, spread_flow
from patrolplan.pupils.model import model_pupils
from patrolplan.pupils.pupils import Pupils
from patrolplan.pupils.rolls import count_pupils, find_mode_shares, find_school_modes
from patrolplan.settings.patrol import WayHomeSettings

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


def test_pupils_of_each_school_are_conserved(demo_area, demo_pupils):
    """Those carried to the gate and those elsewhere are the roll, of every school."""
    for school, urn in zip(demo_pupils.schools, demo_area.schools["urn"], strict=True):
        assert school.urn == urn
        assert school.on_streets + school.elsewhere == pytest.approx(school.roll, abs=EXACT)
        assert 0 < school.on_streets < school.roll
        assert np.all(school.flow >= 0)
        assert school.flow.max() <= school.on_streets + EXACT
        assert np.all(np.diff(school.pieces) > 0)


@pytest.mark.parametrize(
    "others",
    [
        {}, {"secondary": {"walk": 0.9, "bus": 0.2}}, {"secondary": {"walk": -0.1}},
        {"secondary": {"walk": 0.5}, "nursery": {"walk": 1.0}},
    ],
)  # fmt: skip
def test_wrong_mode_shares_are_refused(others):
    """A missing or unknown stage, a negative share, and shares above 1 name the table."""
    with pytest.raises(InputError, match=r"\[way_home.modes\]"):
        find_mode_shares(WayHomeSettings(modes={"primary": {"walk": 0.5}, **others}))


def test_ways_cannot_be_stored_or_read_off(demo_pupils):
    """Neither pickled nor copied, no method writes them, and printed they show only how many."""
    for secret in (demo_pupils, demo_pupils.schools[0]):
        for store in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(NotStoredError):
                store(secret)
    assert repr(demo_pupils) == "<Pupils: 7,279 of 12 schools>"
    assert repr(demo_pupils.schools[0]) == "<SchoolPupils: 900001>"
    for kind in (Pupils, SchoolPupils):
        assert not [name for name in dir(kind) if name.startswith(("to_", "write", "save", "dump"))]


NONE = np.nan


@pytest.mark.parametrize(
    ("row", "expected", "kinds"),
    [
        (("Primary", 200, 250, 4, 11), (200, 0), []),
        (("Secondary", 900, NONE, 11, 18), (0, 900), []),
        (("Secondary", NONE, 1000, 11, 16), (0, 900), ["rolls_by_capacity"]),
        (("Secondary", 0, NONE, 11, 16), (0, 1000), ["rolls_assumed"]),
        (("All-through", 1400, NONE, 4, 18), (700, 700), []),
        (("Not applicable", 160, NONE, 3, 19), (80, 80), []),
        (("Not applicable", 100, NONE, NONE, NONE), (50, 50), ["stages_assumed"]),
        (("", NONE, NONE, NONE, NONE), (150, 150), ["rolls_assumed", "stages_assumed"]),
        (("Not applicable", 160, NONE, 3, 25), (80, 80), []),
        (("16 plus", 500, NONE, 19, 25), (0, 500), []),
        (("All-through", 100, NONE, 11, 11), (50, 50), []),
        (("Nursery", NONE, 0, NONE, NONE), (80, 0), ["rolls_assumed"]),
        (("Primary", NONE, NONE, NONE, NONE), (300, 0), ["rolls_assumed"]),
        (("Middle deemed primary", NONE, NONE, NONE, NONE), (300, 0), ["rolls_assumed"]),
        (("Secondary", NONE, NONE, NONE, NONE), (0, 1000), ["rolls_assumed"]),
        (("Middle deemed secondary", NONE, NONE, NONE, NONE), (0, 600), ["rolls_assumed"]),
        (("16 plus", NONE, NONE, NONE, NONE), (0, 1000), ["rolls_assumed"]),
        (("All-through", NONE, NONE, NONE, NONE), (600, 600), ["rolls_assumed"]),
    ],
)
def test_pupils_by_stage(row, expected, kinds):
    """The roll is divided by years of age, else by phase; each assumption has a note."""
    columns = ["phase", "roll", "capacity", "low_age", "high_age"]
    rolls = count_pupils(pd.DataFrame([row], columns=columns).assign(urn="1"))
    np.testing.assert_allclose(rolls.by_stage, [expected])
    assert [note.key for note in rolls.notes] == kinds


def test_shares_by_mode_are_those_of_their_sources_and_may_be_all():
    """England's of the National Travel Survey 2024, London's assumed; own ones up to the whole."""
    preset = {name: find_mode_shares(WayHomeSettings(modes=name)) for name in ("england", "london")}
    assert preset["england"].tolist() == [[0.51, 0.02, 0.0], [0.37, 0.18, 0.02]]
    assert preset["london"].tolist() == [[0.6, 0.1, 0.02], [0.42, 0.38, 0.08]]
    own = {"primary": {"car": 0.9, "walk": 0.1}, "secondary": {"rail": 1.0}}
    assert find_mode_shares(WayHomeSettings(modes=own)).tolist() == [[0.1, 0, 0], [0, 0, 1]]


SHARES = st.one_of(st.just(NONE), st.floats(0, 1))


@given(st.sampled_from(["london", "england"]), SHARES, SHARES)
def test_a_school_has_the_shares_that_are_given(preset, walk, ride):
    """Those given hold exactly, the other is the model's or what is left; bus and rail as there."""
    model = find_mode_shares(WayHomeSettings(modes=preset))
    ride *= 1 if np.isnan(walk) else 1 - walk
    school = pd.Series({"walk_share": walk, "bus_share": ride})
    for stage, shares in enumerate(find_school_modes(model, school)):
        walks, rides = model[stage, 0], model[stage, 1:].sum()
        rides = min(rides, 1 - np.nan_to_num(walk)) if np.isnan(ride) else ride
        walks = min(walks, 1 - np.nan_to_num(ride)) if np.isnan(walk) else walk
        by_rail = rides * model[stage, 2] / model[stage, 1:].sum()
        np.testing.assert_allclose(shares, [walks, rides - by_rail, by_rail], atol=1e-12)


def test_who_rides_goes_by_bus_where_the_model_has_neither_bus_nor_rail():
    """Nobody is lost."""
    school = pd.Series({"walk_share": 0.4, "bus_share": 0.2})
    found = find_school_modes(np.array([[0.5, 0.0, 0.0]] * 2), school)
    assert found.tolist() == [[0.4, 0.2, 0.0]] * 2


def test_own_shares_decide_who_is_on_the_streets(demo_area, demo_pupils):
    """With shares given, the rest is driven, at that school alone; notes leave that school out."""
    schools = demo_area.schools.copy()
    schools.loc[3, ["walk_share", "bus_share", "late_share", "late_minutes"]] = 0.5, 0.2, 0.1, 45
    schools.loc[5, "roll"] = NONE
    own = model_pupils(replace(demo_area, schools=schools))
    by_bus = 0.2 * 0.38 / (0.38 + 0.08)  # no station is near
    assert own.schools[3].on_streets == pytest.approx((0.5 + by_bus) * own.schools[3].roll)
    assert own.schools[3].timetable.late == (0.1, 45)
    assert own.schools[2].on_streets == demo_pupils.schools[2].on_streets
    notes = {note.key: note for note in own.notes}
    assert "90 % of the capacity" in notes["rolls_by_capacity"].text
    for kind, words in (("modes_assumed", "How pupils travel"), ("leaving_assumed", "When pupils")):
        assert not notes[kind].is_about("900004")
        assert len(notes[kind].about["urns"]) == 11
        assert " at 11 of 12 schools (URN 900001, " in notes[kind].text
        everywhere = next(note for note in demo_pupils.notes if note.key == kind)
        assert everywhere.text.startswith(words)
        assert "URN" not in everywhere.text


NEAR = 1e-6


@given(draw_network_and_positions())
def test_distances_are_those_of_walks_and_links_all_streets_once(network_and_positions):
    """To every place over either end of its piece; links run from their nearer end to the other."""
    network, positions = network_and_positions
    tree = grow_tree(network, positions.take([0]), 1e6)
    metres, node, after = tree.measure_to(positions)
    expected = WalkFinder(network, positions).metres[0]
    np.testing.assert_allclose(metres, expected, atol=NEAR)
    np.testing.assert_allclose(tree.node_metres[node] + after, metres, atol=NEAR)
    length = np.bincount(tree.link_piece, tree.link_metres, minlength=len(network))
    np.testing.assert_allclose(length, network.piece_metres, atol=NEAR)
    near, far = tree.node_metres[tree.link_nodes].T
    assert np.all(near <= far)
    assert np.all(far <= near + tree.link_metres + NEAR)


def test_nothing_lies_beyond_the_limit():
    """A link within the limit may lead out of it, and nothing beyond it is reached."""
    network = build_small_network([(0, 0), (300, 0)], [[0, 1]])
    tree = grow_tree(network, network.snap([(0, 0)]), 100.0)
    assert tree.node_metres[np.isfinite(tree.node_metres)].max() <= 100.0
    assert tree.link_metres.sum() == pytest.approx(120.0)
    assert tree.measure_to(network.snap([(95, 0), (200, 0)]))[0].tolist() == [95.0, np.inf]


@given(draw_network_and_positions(), st.integers(0, 2**32))
def test_each_home_along_a_link_is_reached_over_the_end_that_is_nearer(network_and_positions, seed):
    """The slow version: four hundred homes along every link, and how far each is from its end."""
    network, positions = network_and_positions
    tree, none = grow_tree(network, positions.take([0]), 1e6), np.zeros(0, dtype=np.int64)
    pupils = np.random.default_rng(seed).integers(0, 9, len(tree.link_piece)).astype(float)
    demand, entered = flows._enter_links(tree, Destinations(pupils, none, none))
    near, far = tree.node_metres[tree.link_nodes].T[:, :, None]
    length = tree.link_metres[:, None]
    along = length * (np.arange(400) + 0.5) / 400
    is_near = near + along <= far + length - along
    walked = np.where(is_near, along, length - along).mean(axis=1)
    np.testing.assert_allclose(entered, pupils * walked, rtol=0.02)
    expected = np.zeros_like(demand)
    for end, share in enumerate((is_near.mean(axis=1), 1 - is_near.mean(axis=1))):
        np.add.at(expected, tree.link_nodes[:, end], pupils * share)
    np.testing.assert_allclose(demand, expected, atol=0.3)
