"""Walks and their graph, checked against networkx and slow searches, and their geometry."""

import heapq
import itertools
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import assume, given, strategies as st
from small_networks import build_small_network, draw_network_and_positions

from patrolplan.network.graph import build_street_graph, compute_piece_distances
from patrolplan.network.paths import WalkFinder

NEAR = 0.03
"""A zero-length piece counts a centimetre; a walk passes few of them."""


def _graph(network, positions):
    """The same streets and positions as a networkx multigraph, built piece by piece."""
    graph = nx.MultiGraph()
    for number, (first, last) in enumerate(network.piece_nodes):
        here = np.flatnonzero(positions.piece == number)
        here = here[np.argsort(positions.offset_metres[here])]
        marks = [(0.0, int(first)), *((positions.offset_metres[k], f"p{k}") for k in here)]
        marks.append((network.piece_metres[number], int(last)))
        for (a, start), (b, end) in pairwise(marks):
            graph.add_edge(start, end, metres=b - a, piece=number, start=start)
    return graph


@given(draw_network_and_positions())
def test_distances_equal_networkx(case):
    """Walking distances between places are those of networkx."""
    network, positions = case
    graph, walks = _graph(network, positions), WalkFinder(network, positions)
    for start, end in itertools.product(range(len(positions)), repeat=2):
        expected = nx.dijkstra_path_length(graph, f"p{start}", f"p{end}", weight="metres")
        assert walks.metres[start, end] == pytest.approx(expected, abs=1e-6)


@given(draw_network_and_positions())
def test_walks_join_their_places_along_the_streets(case):
    """A walk's line is as long as the distance, joins its ends, and stays on its pieces."""
    network, positions = case
    walks, xy = WalkFinder(network, positions), network.xy(positions)
    for ends in itertools.product(range(len(positions)), repeat=2):
        walk = walks.find_shortest(*ends)
        assert walk.metres == pytest.approx(walks.metres[ends], abs=1e-6)
        if not len(walk.pieces):
            assert ends[0] == ends[1]
            continue
        drawn = np.hypot(*np.diff(walk.line, axis=0).T).sum()
        assert drawn == pytest.approx(walk.metres, abs=NEAR)
        np.testing.assert_allclose(walk.line[[0, -1]], xy[list(ends)], atol=NEAR)
        streets = shapely.multilinestrings(network.piece_lines[np.unique(walk.pieces)])
        assert shapely.distance(shapely.points(walk.line), streets).max() < 1e-6
        assert (walk.piece_metres <= network.piece_metres[walk.pieces] + 1e-6).all()


@given(draw_network_and_positions())
def test_distance_to_pieces_is_that_to_their_nearer_end(case):
    """The distance to a piece is networkx's distance to the nearer of its ends."""
    network, positions = case
    graph = _graph(network, positions)
    found = compute_piece_distances(network, positions.take([0]))
    to = nx.single_source_dijkstra_path_length(graph, "p0", weight="metres")
    expected = [min(to[int(a)], to[int(b)]) for a, b in network.piece_nodes]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_walk_past_a_closed_street():
    """Asking for a walk that does not exist is an error that names the two places."""
    network = build_small_network([(0, 0), (60, 0), (120, 0), (180, 0)], [[0, 1], [1, 2], [2, 3]])
    effort = np.where((network.parts.piece_way == 1)[:, None], np.inf, np.ones((1, 2)))
    walks = WalkFinder(network, network.snap([[10, 0], [170, 0]]), effort=effort)
    assert np.isinf(walks.metres[0, 1])
    with pytest.raises(ValueError, match="positions 0 and 1"):
        walks.find_shortest(0, 1)


@st.composite
def rides(draw):
    """A network and places as above, with what a metre costs each way; some ways are closed."""
    network, positions = draw(draw_network_and_positions())
    cost, count = st.sampled_from([1.0, 1.0, 2.5, 7.5, np.inf]), 2 * len(network)
    costs = draw(st.lists(cost, min_size=count, max_size=count))
    return network, positions, np.array(costs).reshape(-1, 2)


def _directed(network, positions, effort):
    """Costs between the positions by networkx, over the parts of pieces between them."""
    both = _graph(network, positions)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(both.nodes)
    for one, other, data in both.edges(data=True):
        low, high = (one, other) if data["start"] == one else (other, one)
        is_short = data["metres"] <= 1e-6
        for ends, cost in zip(((low, high), (high, low)), effort[data["piece"]], strict=True):
            if np.isfinite(cost) or is_short:
                graph.add_edge(*ends, cost=data["metres"] * (1.0 if is_short else cost))
    return graph


@given(rides())
def test_costs_are_those_of_networkx_in_each_direction(ride):
    """One-way pieces and pieces that cost more are gone round where that is cheaper."""
    network, positions, effort = ride
    loops = network.piece_nodes[:, 0] == network.piece_nodes[:, 1]
    assume(not loops[positions.piece].any())
    walks = WalkFinder(network, positions, effort=effort)
    graph = _directed(network, positions, effort)
    away = dict(nx.all_pairs_dijkstra_path_length(graph, weight="cost"))
    for start, end in itertools.product(range(len(positions)), repeat=2):
        expected = away[f"p{start}"].get(f"p{end}", np.inf)
        assert walks.metres[start, end] == pytest.approx(expected, abs=0.3)
        if np.isfinite(expected) and start != end:
            walk = walks.find_shortest(start, end)
            assert walk.cost_metres == pytest.approx(walks.metres[start, end], abs=NEAR)
            moved = walk.piece_metres > 1e-6
            assert np.isfinite(effort[walk.pieces, walk.backwards.astype(int)][moved]).all()


TURN_METRES = 20.0


def _is_turn(network, before, node, after):
    """Whether another street's piece after a node has another name, or direction by 60 degrees."""
    if network.parts.piece_section[before] == network.parts.piece_section[after]:
        return False
    bearings = []
    for piece, end in ((before, 1), (after, 0)):
        first, last = network.node_xy[network.piece_nodes[piece]]
        is_back = network.piece_nodes[piece, end] != node
        bearings.append(np.arctan2(*(last - first)[::-1]) + np.pi * is_back)
    is_bent = np.cos(bearings[1] - bearings[0]) < 0.5
    return is_bent or network.piece_name[before] != network.piece_name[after]


def _search_slowly(network, positions, start, factor):
    """Least of metres, factors and turns to each place, by the edge that one comes along."""
    # A place at a junction is the junction, and on none of its streets.
    graph = nx.relabel_nodes(_graph(network, positions), _find_nodes(network, positions))
    number = itertools.count()
    done, found, queue = set(), {}, [(0.0, next(number), start, None, None)]
    while queue:
        cost, _, node, came, before = heapq.heappop(queue)
        if (node, came) in done:
            continue
        done.add((node, came))
        found.setdefault(node, cost)
        for _, other, key, edge in graph.edges(node, keys=True, data=True):
            along, piece = (frozenset((node, other)), key), edge["piece"]
            if along == came:
                continue  # nobody turns round
            turns = isinstance(node, int) and before is not None
            more = edge["metres"] * factor[piece]
            more += TURN_METRES * (turns and _is_turn(network, before, node, piece))
            heapq.heappush(queue, (cost + more, next(number), other, along, piece))
    return found


def _find_nodes(network, positions):
    """The node of each place that is at an end of its piece."""
    ends = np.column_stack([np.zeros(len(positions)), network.piece_metres[positions.piece]])
    is_there = np.abs(positions.offset_metres[:, None] - ends) <= 1e-6
    nodes = network.piece_nodes[positions.piece]
    return {f"p{k}": int(nodes[k, end]) for k, end in np.argwhere(is_there).tolist()}


@given(
    # No piece is a loop.
    draw_network_and_positions().filter(lambda case: np.diff(case[0].piece_nodes).all()),
    st.randoms(use_true_random=False),
)
def test_walks_with_few_turns_are_those_of_a_slow_search(case, random):
    """The walk counts least with its factors and turns, and its length is the metres walked."""
    network, positions = case
    factor = np.array([random.choice([1.0, 1.1, 3.0]) for _ in range(len(network))])
    walks = WalkFinder(network, positions, preference=factor, turn_metres=TURN_METRES)
    at = _find_nodes(network, positions)
    for start in range(len(positions)):
        found = _search_slowly(network, positions, at.get(f"p{start}", f"p{start}"), factor)
        for end in range(len(positions)):
            walk = walks.find_shortest(start, end)
            assert walk.metres == pytest.approx(walks.metres[start, end], abs=NEAR)
            rows = np.flatnonzero(walk.piece_metres > 1e-6)
            pieces, is_back = walk.pieces[rows], walk.backwards[rows]
            nodes = network.piece_nodes[pieces, np.where(is_back, 0, 1)]  # where each is left
            turns = sum(
                _is_turn(network, before, int(node), after)
                for before, node, after in zip(pieces[:-1], nodes[:-1], pieces[1:], strict=True)
            )
            counted = walk.piece_metres @ factor[walk.pieces] + TURN_METRES * turns
            assert counted == pytest.approx(found[at.get(f"p{end}", f"p{end}")], abs=0.3)


@given(draw_network_and_positions())
def test_links_hold_all_street_once_and_end_at_junctions_and_places(case):
    """Each metre of street is in one link; within a link there is no way to turn off."""
    network, positions = case
    segments = build_street_graph(network, positions, None).segments
    lengths = segments.to_metres - segments.from_metres
    covered = np.bincount(segments.piece, lengths, minlength=len(network))
    np.testing.assert_allclose(covered, network.piece_metres, atol=1e-6)
    meeting = np.bincount(segments.nodes.ravel())
    for start, end in pairwise(segments.first):
        joints = segments.nodes[start : end - 1, 1]
        assert (joints == segments.nodes[start + 1 : end, 0]).all()
        assert (joints < len(network.node_xy)).all()
        assert (meeting[joints] == 2).all()


@given(draw_network_and_positions(), st.floats(10, 400))
def test_a_limit_leaves_nearer_pieces_as_they_are(case, limit_metres):
    """Within the limit distances to pieces are those without one, beyond it they are infinite."""
    network, positions = case
    place = positions.take([0])
    free = compute_piece_distances(network, place)
    limited = compute_piece_distances(network, place, limit_metres=limit_metres)
    near = free <= limit_metres
    assert limited[near] == pytest.approx(free[near])
    assert np.isinf(limited[~near]).all()
