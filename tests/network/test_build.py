"""Streets cut into pieces and built into a network: what is left out, what is cached."""

import dataclasses
import pickle
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st
from small_networks import build_small_network, build_streets
from spoilt_cache import every_way, spoil_entries

from patrolplan.crs import Projection
from patrolplan.inputs.streets import MARGIN_METRES
from patrolplan.network.build import load_or_build_network
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import CLOSED, PUSH, Pieces, classify_bicycle_ways, cut_pieces
from patrolplan.tables import LeftOut

PLACES = [(0, 0), (200, 0), (200, 300), (0, 300), (100, 40), (900, 0), (900, 300)]
WAYS = [[0, 3, 2, 1], [0, 4, 1], [1, 5], [5, 6], [2, 6]]
"""A street in the shape of a C, a passage that shortens it, and streets that leave to the east."""

TRAITS = {"is_patrolled": [True, False, True, True, True]}
LOW = shapely.box(-10, -10, 210, 310)
"""The third to fifth way lead beyond these limits."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def load(limits=LOW):
    """The network through the cache, and what it left out."""
    dropped, streets = LeftOut(), build_streets(PLACES, WAYS, traits=TRAITS)
    return load_or_build_network(streets, Projection(), dropped, limits=limits), dropped.rows


def same(one, other):
    """Whether two networks are equal to the last bit."""
    names = {field.name for field in dataclasses.fields(Pieces)} - {"ways", "crossings"}
    arrays = [(getattr(one.parts, name), getattr(other.parts, name)) for name in names]
    arrays.append((one.piece_middle, other.piece_middle))
    equal = all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in arrays)
    return equal and one.parts.ways.equals(other.parts.ways)


@every_way
def test_spoilt_entries_are_computed_again_and_replaced(cache, way):
    """However a network was spoilt, it is found again."""
    first, left_out = load()
    check_replaced = spoil_entries(cache, way)
    second, again = load()
    assert same(first, second)
    assert left_out == again
    check_replaced()


def build_part(**options):
    """The same without the cache."""
    return build_small_network(PLACES, WAYS, traits=TRAITS, limits=LOW, **options)


def test_streets_that_are_only_walked_are_no_streets_to_patrol():
    """Nor are those beyond the limits, used up to a margin; the pieces to patrol come first."""
    dropped = LeftOut()
    network = build_part(left_out=dropped)
    assert set(network.parts.piece_way) == {0}
    assert network.piece_middle[:, 0].max() <= 210
    assert network.walkable.node_xy[:, 0].max() <= 210 + MARGIN_METRES + 30
    assert str(network.walkable) == str(network.walkable.walkable)
    count = len(network)
    assert np.array_equal(network.walkable.parts.piece_way[:count], network.parts.piece_way)
    assert np.array_equal(network.walkable.piece_middle[:count], network.piece_middle)
    assert set(network.walkable.parts.piece_way[count:]) == {1, 2, 4}
    counts = {row.reason.split()[0]: row.count for row in dropped.rows}
    assert (counts["outside"], counts["below"]) == (2, 7)


def test_a_walk_uses_streets_that_are_not_patrolled():
    """A place has the same position in both networks, and the walk is as short as it can be."""
    network = build_part()
    ends = network.snap([[0, 0], [200, 0]])
    assert WalkFinder(network, ends).metres[0, 1] == pytest.approx(800)
    assert WalkFinder(network.walkable, ends).metres[0, 1] == pytest.approx(215.4, abs=0.1)


def test_places_are_snapped_to_streets_to_patrol_alone():
    """However near a passage is, on all streets, on those round a gate, and on those to patrol."""
    network = build_part()
    around = network.walkable.take(np.arange(len(network.walkable)))
    for part in (network, network.walkable, around):
        found = part.snap([[100, 40]])
        assert found.piece[0] < len(network)
        assert found.moved_metres[0] > 30


def test_two_networks_come_back_from_cache_and_from_another_process(monkeypatch):
    """Both of them, to the last bit, with what was left out; within other limits is another."""
    first, left_out = load()
    assert len(first) != len(load(shapely.box(-10, -10, 950, 310))[0])
    monkeypatch.setattr("patrolplan.network.build.build_network", None)
    second, again = load()
    assert left_out == again != []
    third = pickle.loads(pickle.dumps(first))  # noqa: S301 - our own
    for other in (second, third, build_part()):
        assert same(first, other)
        assert same(first.walkable, other.walkable)
        assert other.walkable.patrolled_count == len(other) < len(other.walkable)


def test_passages_that_hang_together_with_a_station_are_part_of_it():
    """An underpass hangs together with streets alone and is patrolled; roads are streets."""
    places = [(0, 0), (300, 0), (0, -60), (60, -60), (120, -60), (200, -60), (300, -60)]
    ways = [[0, 1], [0, 2], [2, 3], [3, 4], [5, 6], [6, 1], [4, 5]]
    kinds = ["primary", "footway", "steps", "footway", "footway", "service", "footway"]
    traits = {"layer": [0.0, 0, -1, -2, -1, -1, 0], "is_patrolled": [True] * 7}
    traits["is_patrolled"][3] = False
    network = build_small_network(places, ways, kinds=kinds, traits=traits)
    assert set(network.parts.piece_way) == {0, 1, 4, 5, 6}
    assert set(network.walkable.parts.piece_way) == set(range(7))


def test_islands_are_left_out_and_counted():
    """Streets that hang together with nothing are left out, the part with most metres stays."""
    left_out = LeftOut()
    places = [(0, 0), (300, 0), (0, 500), (60, 500), (60, 560), (0, 560)]
    ways = [[0, 1], [2, 3], [3, 4], [4, 5], [5, 2]]
    assert build_small_network(places, ways, left_out=left_out).metres == pytest.approx(300)
    told = [(row.reason, row.count) for row in left_out.rows]
    assert told == [("not connected to the rest (pieces)", 8)]


def test_no_street_inside_the_limits_is_an_empty_network():
    """Limits that hold no street give a network without pieces, not an error."""
    far = shapely.box(900, 900, 999, 999)
    network = build_small_network([(0, 0), (300, 0)], [[0, 1]], limits=far)
    assert len(network) == network.metres == 0


def test_a_way_ends_at_a_closed_node():
    """Whatever meets at a barrier is a dead end there, and stays as long as it was."""
    places = [(0, 0), (60, 0), (120, 0), (60, 60), (60, -60)]
    streets = build_streets(places, [[0, 1, 2], [3, 1, 4], [1, 2]])
    open_pieces = cut_pieces(streets)
    closed = cut_pieces(replace(streets, closed_nodes=np.array([1, 99])))
    assert closed.piece_metres.sum() == open_pieces.piece_metres.sum()
    graph = nx.Graph(closed.piece_nodes.tolist())
    assert nx.number_connected_components(graph) == 4  # the second and the third way meet at 2
    for end, row in enumerate((closed.first, closed.last - 1)):
        assert np.allclose(closed.node_xy[closed.piece_nodes[:, end]], closed.coordinates[row])


@st.composite
def random_streets(draw):
    """Any streets: ways that cross, touch, turn back, stand still, lie on each other."""
    at = st.integers(0, 40).map(lambda number: number * 7.3)
    places = draw(st.lists(st.tuples(at, at), min_size=2, max_size=12))
    node = st.integers(0, len(places) - 1)
    ways = draw(st.lists(st.lists(node, min_size=2, max_size=6), min_size=1, max_size=8))
    return places, ways


def _line(pieces, number):
    return pieces.coordinates[pieces.first[number] : pieces.last[number]]


@given(random_streets())
def test_pieces_are_the_streets_cut_evenly(case):
    """Nothing is lost, pieces of a section are equal, 20 to 45 m or all of it, on their way."""
    places, ways = case
    pieces = cut_pieces(build_streets(places, ways))
    metres, total = pieces.piece_metres, 0.0
    for number, ends in enumerate(pieces.piece_nodes):
        line = _line(pieces, number)
        np.testing.assert_allclose(line[[0, -1]], pieces.node_xy[ends], atol=1e-6)
        drawn = np.hypot(*np.diff(line, axis=0).T).sum()
        assert metres[number] == pytest.approx(max(drawn, 0.01), abs=1e-6)
        whole = shapely.LineString(np.asarray(places)[ways[pieces.piece_way[number]]])
        assert shapely.distance(shapely.points(line), whole).max() < 1e-6
        total += drawn
    whole = sum(np.hypot(*np.diff(np.array(places)[way], axis=0).T).sum() for way in ways)
    assert total == pytest.approx(whole, abs=1e-6)
    in_section = np.bincount(pieces.piece_section)[pieces.piece_section]
    assert (metres > 0).all()
    assert (metres <= 30 * 1.5 + 1e-9).all()
    assert (metres[in_section > 1] >= 30 * 2 / 3 - 1e-9).all()
    first = metres[np.unique(pieces.piece_section, return_index=True)[1]]  # of each section
    np.testing.assert_allclose(metres, first[pieces.piece_section], atol=1e-6)


@given(random_streets(), st.data())
def test_taking_pieces_keeps_their_order_and_drawing(case, data):
    """Pieces selected are the same pieces, on nodes of their own without gaps."""
    pieces = cut_pieces(build_streets(*case))
    rows = np.arange(len(pieces.first))
    selected = np.array(data.draw(st.lists(st.sampled_from(rows), min_size=1, unique=True)))
    subset = pieces.take(selected)
    np.testing.assert_array_equal(subset.piece_metres, pieces.piece_metres[selected])
    assert set(subset.piece_nodes.ravel()) == set(range(len(subset.node_xy)))
    for new, old in enumerate(selected):
        np.testing.assert_array_equal(_line(subset, new), _line(pieces, old))
        ends = pieces.node_xy[pieces.piece_nodes[old]]
        np.testing.assert_array_equal(subset.node_xy[subset.piece_nodes[new]], ends)


def test_ways_that_cross_without_a_shared_node_do_not_meet():
    """A bridge over a street is no junction."""
    pieces = cut_pieces(build_streets([(-50, 0), (50, 0), (0, -50), (0, 50)], [[0, 1], [2, 3]]))
    over, under = (pieces.piece_nodes[pieces.piece_way == way] for way in (0, 1))
    assert not np.isin(over, under).any()


def test_junction_in_the_middle_of_a_way_is_a_node():
    """Where a side street joins a way between its ends, walkers can turn."""
    places = [(0, 0), (20, 0), (40, 0), (20, 25)]
    pieces = cut_pieces(build_streets(places, [[0, 1, 2], [1, 3]]))
    ends = {tuple(np.round(pieces.node_xy[node], 6)) for node in pieces.piece_nodes.ravel()}
    assert (20.0, 0.0) in ends
    assert sorted(np.round(pieces.piece_metres, 6)) == [20, 20, 25]


@st.composite
def _one_way_streets(draw):
    """A connected network: a random tree and some streets more, each with its way of going."""
    size = draw(st.integers(2, 9))
    tree = [(draw(st.integers(0, node - 1)), node) for node in range(1, size)]
    node = st.integers(0, size - 1)
    nodes = tree + draw(st.lists(st.tuples(node, node), max_size=8))
    count = len(nodes)
    one_way = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=count, max_size=count))
    hows = st.sampled_from(["ride", "push", "carry"])
    return nodes, one_way, draw(st.lists(hows, min_size=count, max_size=count))


@given(_one_way_streets())
def test_every_place_is_reached_and_left_and_signs_are_obeyed_where_they_can_be(streets):
    """All nodes reach each other; against a one-way street only where there is no way round."""
    nodes, one_way, how = streets
    size = max(max(pair) for pair in nodes) + 1
    ridden = np.array(how, dtype=object)
    found = classify_bicycle_ways(np.array(nodes), ridden, np.array(one_way), nodes=size).tolist()
    obedient, all_ways = nx.DiGraph(), nx.DiGraph()
    for graph in (obedient, all_ways):
        graph.add_nodes_from(range(size))
    for (a, b), sign, (ahead, back) in zip(nodes, one_way, found, strict=True):
        obedient.add_edges_from(([(a, b)] if sign >= 0 else []) + ([(b, a)] if sign <= 0 else []))
        all_ways.add_edges_from(([(a, b)] if ahead else []) + ([(b, a)] if back else []))
    assert nx.is_strongly_connected(all_ways)
    if nx.is_strongly_connected(obedient):
        assert obedient.edges == all_ways.edges
    for sign, (ahead, back) in zip(one_way, found, strict=True):
        assert sign <= 0 or back in {CLOSED, PUSH}
        assert sign >= 0 or ahead in {CLOSED, PUSH}
