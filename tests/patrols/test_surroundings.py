"""Windows, hours and streets of a school's patrols do not depend on risk."""

import datetime as dt
from datetime import time

import numpy as np
import pytest
import shapely
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.errors import InputError
from patrolplan.network.graph import compute_piece_distances
from patrolplan.network.paths import WalkFinder
from patrolplan.patrols.surroundings import build_surroundings
from patrolplan.settings import load_settings
from patrolplan.settings.patrol import PatrolSettings, PatrolWindow

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
    around = build_surroundings(demo_area, row, Window(90))
    nodes = _node_metres(demo_area, demo_area.gates.take([row]))
    expected = nodes[demo_area.network.piece_nodes[around.pieces]].min(axis=1)
    near = expected <= demo_area.settings.patrol.radius_metres
    assert near.sum() > 50
    np.testing.assert_allclose(around.gate_metres[near], expected[near], atol=1e-6)


def test_waiting_at_crossings_is_real_and_darkness_a_preference(demo_area):
    """Seconds make the way there and back longer, darkness only counts where it can get dark."""
    window, december, june = Window(90), dt.date(2026, 12, 9), dt.date(2026, 6, 10)
    around = build_surroundings(demo_area, ROW, window, december)
    near = np.isfinite(around.gate_metres)
    waiting = around.round_trip_metres[near] - 2 * around.gate_metres[near]
    assert (waiting >= -1e-6).all()
    assert waiting.max() > 20
    by_day = [build_surroundings(demo_area, ROW, window, day) for day in (june, None)]
    assert not any(one.is_dark for one in by_day)
    lit, secluded = around.network.piece_lit, around.network.piece_is_secluded
    darker = np.where(lit == "no", 1.5, 1.0) * np.where(secluded, 1000.0, 1.0)
    np.testing.assert_allclose(around.preference / by_day[0].preference, darker)
    assert set(darker) >= {1.0, 1500.0}
    cycling = pp.with_settings(demo_area, patrol={"way": "bicycle"})
    ridden = build_surroundings(cycling, ROW, window, december)
    assert np.isinf(ridden.effort).any()  # against one-way streets


@pytest.fixture(scope="module")
def edge_area(demo):
    """The middle of the demo borough, whose streets reach beyond it, with a part only walked."""
    whole = load_settings(demo)
    bounds = {"bounds": (0.8645, 51.5235, 0.8825, 51.5345)}
    limited = whole.model_copy(update={"area": whole.area.model_copy(update=bounds)})
    return pp.load_area(limited)


@pytest.fixture(scope="module")
def edge_plan(edge_area):
    """Patrols of its schools, for any model."""
    area = pp.with_settings(edge_area, risk={"model": "prior"})
    risk = pp.estimate_risk(area)
    return pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), for_week=False)


def test_walks_may_leave_the_area_and_come_back(edge_area, edge_plan):
    """Streets round a gate are those of the walkable network; stops and risk are in the area."""
    network = edge_area.network
    assert len(network.walkable) > len(network) + 100
    inside = 0
    for row in range(len(edge_area.schools)):
        around = build_surroundings(edge_area, row, Window(90))
        inside += int((around.pieces >= len(network)).sum())
    assert inside > 100
    for patrol in edge_plan.patrols:
        for leg in patrol.legs:
            walked = shapely.multilinestrings(network.walkable.piece_lines[np.unique(leg.pieces)])
            assert shapely.distance(shapely.points(leg.line), walked).max() < 1e-6


def test_distances_at_the_edge_are_those_of_all_streets(edge_area, demo_area):
    """Streets beyond the limits shorten walks between places inside them."""
    gates = edge_area.network.xy(edge_area.gates)
    everywhere = WalkFinder(demo_area.network, demo_area.network.snap(gates)).metres
    between = WalkFinder(edge_area.network.walkable, edge_area.gates).metres
    np.testing.assert_allclose(between, everywhere, atol=0.1)
    gate = edge_area.gates.take([0])
    ours = compute_piece_distances(edge_area.network.walkable, gate)[: len(edge_area.network)]
    cut = compute_piece_distances(edge_area.network, gate)
    assert (ours <= cut + 1e-6).all()
    assert (cut > ours + 1).any()


SETTINGS = PatrolSettings(
    window_minutes=75,
    windows={"early": PatrolWindow.model_validate({"from": "07:45", "to": "08:45"})},
)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"name": "late"}, "there is no window 'late' (the settings have: early)"),
        ({"name": "early", "start": time(15, 0)}, "give one of them"),
        ({"minutes": 0}, "cannot last 0 minutes"),
    ],
)
def test_impossible_wishes_say_what_to_do(wish, message):
    """A window that cannot be is an error that names the wish and the remedy."""
    with pytest.raises(InputError) as error:
        resolve_window(SETTINGS, **wish)
    assert message in str(error.value)
