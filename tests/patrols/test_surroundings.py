"""What lies around a school's gate, whatever the risk."""

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.patrols.surroundings import surroundings_of
from patrolplan.patrols.windows import Window

ROW = 3


def _node_metres(area, gate):
    """Walking distance from a gate to every node of the area, by the way of either piece end."""
    network = area.network
    piece, offset = int(gate.piece[0]), float(gate.offset_metres[0])
    first, last = network.piece_nodes[piece]
    away = csgraph.dijkstra(network.node_graph, indices=[first, last])
    rest = network.piece_metres[piece] - offset
    return np.minimum(away[0] + offset, away[1] + rest)


@pytest.mark.parametrize("row", [0, ROW])
def test_distances_from_the_gate_are_those_over_all_streets(demo_area, row):
    """Within the radius, cutting the streets down makes no walk from the gate longer."""
    around = surroundings_of(demo_area, row, Window(90))
    nodes = _node_metres(demo_area, demo_area.gates.take([row]))
    expected = nodes[demo_area.network.piece_nodes[around.pieces]].min(axis=1)
    near = expected <= demo_area.settings.patrol.radius_metres
    assert near.sum() > 50
    np.testing.assert_allclose(around.gate_metres[near], expected[near], atol=1e-6)


def test_there_and_back_from_the_gate_is_twice_the_way(demo_area):
    """Patrols on foot from the gate and back to it pass every distance twice."""
    around = surroundings_of(demo_area, ROW, Window(90))
    np.testing.assert_array_equal(around.there_and_back_metres, 2 * around.gate_metres)
    assert around.base is None
    assert (around.hours.minutes, around.hours.on_the_way_minutes) == (90, 80)


@pytest.mark.parametrize(("start", "end"), [("gate", "base"), ("base", "base"), ("base", "gate")])
def test_there_and_back_adds_the_ways_of_start_and_end(demo_area, start, end):
    """With a base, the way to each piece from the start and on to the end is counted."""
    area = pp.with_settings(demo_area, patrol={"start": start, "end": end, "gate_minutes": 0})
    around = surroundings_of(area, ROW, Window(120, 600.0))
    assert around.base is not None
    base = dataclasses.replace(around.base.place, piece=around.pieces[around.base.place.piece])
    ways = {"gate": area.gates.take([ROW]), "base": base}
    nodes = [_node_metres(area, ways[end]) for end in (start, end)]
    ends = area.network.piece_nodes[around.pieces]
    expected = sum(there[ends].min(axis=1) for there in nodes)
    near = expected <= 2000
    assert near.sum() > 50
    np.testing.assert_allclose(around.there_and_back_metres[near], expected[near], atol=1e-6)


def test_planning_with_known_surroundings_gives_the_same(demo_area, demo_plan):
    """A school's case is the same whether its surroundings were known or not."""
    from patrolplan.network.names import street_labels  # noqa: PLC0415
    from patrolplan.patrols.school_problem import Ground, Ready  # noqa: PLC0415

    ground = Ground(demo_area, street_labels(demo_area.network), Window(90))
    ready = Ready(ground, demo_plan.risk, demo_plan.hotspots)
    fresh, known = ready.case(ROW), ready.case(ROW, ground.around(ROW))
    np.testing.assert_array_equal(fresh.reach.walks.metres, known.reach.walks.metres)
    np.testing.assert_array_equal(fresh.reach.worth, known.reach.worth)
    assert fresh.latest_end_minutes == known.latest_end_minutes
