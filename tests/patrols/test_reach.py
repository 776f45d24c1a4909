"""What a school's patrols can reach."""

import networkx as nx
import numpy as np
import pytest

from patrolplan.patrols.reach import find_reachable_stops
from patrolplan.patrols.surroundings import build_surroundings
from patrolplan.patrols.windows import Window, metres_per_minute


@pytest.fixture(scope="module", params=[0, 5])
def reach(request, demo_area, demo_plan):
    """The reach of a school without tasked places."""
    nothing = demo_area.tasked_places.iloc[:0]
    return find_reachable_stops(
        demo_area,
        demo_plan.risk,
        demo_plan.hotspots,
        build_surroundings(demo_area, request.param, Window(90)),
        must_visit=nothing,
        barred=nothing,
    )


def test_streets_of_the_reach_are_streets_of_the_area(demo_area, reach):
    """The streets around a gate are the area's, piece by piece."""
    whole = demo_area.network
    np.testing.assert_array_equal(reach.network.piece_metres, whole.piece_metres[reach.pieces])
    np.testing.assert_allclose(
        reach.network.piece_middle, whole.piece_middle[reach.pieces], atol=1e-9
    )


def test_candidates_are_within_a_walk_there_and_back(demo_area, reach):
    """Each candidate is near enough to go to, dwell and come back; none is left out for less."""
    settings = demo_area.settings.patrol
    farthest = (80 - settings.dwell_minutes) / 2 * metres_per_minute(settings.walking_speed_kmh)
    limit = min(settings.radius_metres, farthest)
    to = reach.walks.metres[0, 1:]
    assert len(to) == len(reach.hotspot_rows) > 3
    assert (to <= limit + 45).all()
    assert len(reach.hotspot_rows) <= settings.candidates


def test_candidates_come_by_worth(demo_plan, reach):
    """Candidates are sorted by worth, and worth is in proportion to the hotspots' own."""
    assert list(reach.worth) == sorted(reach.worth, reverse=True)
    share = reach.worth / demo_plan.hotspots["worth"].to_numpy()[reach.hotspot_rows]
    np.testing.assert_allclose(share, share[0])
    assert 0 < reach.worth.sum() <= 1.2


def test_walks_within_reach_are_those_of_the_whole_area(demo_area, demo_plan, reach):
    """Cutting the streets down to the reach makes no walk from the gate longer."""
    network = demo_area.network
    graph = nx.Graph()
    for (first, last), metres in zip(network.piece_nodes, network.piece_metres, strict=True):
        a, b = int(first), int(last)
        if metres < graph.get_edge_data(a, b, {"metres": np.inf})["metres"]:
            graph.add_edge(a, b, metres=metres)
    here = network.snap(reach.network.xy(reach.gate))
    first, last = (int(node) for node in network.piece_nodes[here.piece[0]])
    graph.add_edge("gate", first, metres=here.offset_metres[0])
    rest = network.piece_metres[here.piece[0]] - here.offset_metres[0]
    graph.add_edge("gate", last, metres=rest)
    away = nx.single_source_dijkstra_path_length(graph, "gate", weight="metres")
    stop_piece = demo_plan.hotspots["stop_piece"].to_numpy()[reach.hotspot_rows]
    for row, piece in enumerate(stop_piece):
        if piece == here.piece[0]:
            continue
        ends = [away[int(node)] for node in network.piece_nodes[piece]]
        expected = min(ends) + network.piece_metres[piece] / 2
        assert reach.walks.metres[0, row + 1] == pytest.approx(expected, abs=0.05)
