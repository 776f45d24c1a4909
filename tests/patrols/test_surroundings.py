"""Windows, hours, bases and streets of a school's patrols do not depend on risk."""

import dataclasses
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
from patrolplan.notes import Note
from patrolplan.patrols.surroundings import build_surroundings
from patrolplan.settings import load_settings
from patrolplan.settings.patrol import PatrolSettings, PatrolWindow

URN = "900001"
EARLY = Window(70, 450.0)


def _from_base(area, **patrol):
    """The area with patrols that start at the base, and nothing tasked."""
    changed = area.settings.patrol.model_copy(update={"start": "base", **patrol})
    settings = area.settings.model_copy(update={"patrol": changed})
    empty = area.tasked_places.iloc[:0]
    return dataclasses.replace(area, settings=settings, tasked_places=empty)


AT_ONCE = {"crossing_seconds": dict.fromkeys(("signals", "zebra", "island", "unmarked"), 0)}
"""Main roads are crossed without waiting: every metre costs one."""


def _patrol(area, plan, urn=URN, window=None):
    return pp.plan_patrols(area, plan.risk, plan.hotspots, urns=[urn], window=window).patrols[0]


@pytest.fixture(scope="module")
def base(demo_area):
    """Place on the street of the first officer with the school."""
    has = [URN in urns for urns in demo_area.officers["school_urns"]]
    place = demo_area.officers.geometry[has].iloc[0]
    return demo_area.network.xy(demo_area.network.snap([(place.x, place.y)]))[0]


def test_the_way_to_the_gate_comes_before_the_presence(demo_area, demo_plan, base):
    """From the bell the patrol is as ever; the officer leaves the base so as to be there then."""
    ours = _patrol(_from_base(demo_area), demo_plan)
    theirs = _patrol(_from_base(demo_area, start="gate"), demo_plan)
    assert ours.starts_at == "base"
    assert not ours.from_base
    np.testing.assert_allclose(ours.approach.line[0], base, atol=0.02)
    np.testing.assert_allclose(ours.approach.line[-1], (ours.x, ours.y), atol=0.02)
    assert ours.set_out_minutes == pytest.approx(ours.start_minutes - ours.approach.minutes)
    assert ours.approach.minutes >= ours.approach.metres / 80
    assert [stop.hotspot for stop in ours.stops] == [stop.hotspot for stop in theirs.stops]
    assert ours.walked_metres == ours.approach.metres + theirs.walked_metres
    assert (theirs.starts_at, theirs.approach, theirs.base_xy) == ("gate", None, None)
    np.testing.assert_allclose(ours.base_xy, base, atol=0.02)


def test_a_patrol_before_school_sets_out_at_the_base(demo_area, demo_plan, base):
    """Over before the bell there is no presence: the start is when the officer leaves the base."""
    patrol = _patrol(_from_base(demo_area), demo_plan, window=EARLY)
    assert 450 <= patrol.start_minutes == patrol.gate_until_minutes == patrol.set_out_minutes
    assert patrol.from_base
    assert patrol.approach is None
    np.testing.assert_allclose(patrol.legs[0].line[0], base, atol=0.02)
    np.testing.assert_allclose(patrol.legs[-1].line[-1], (patrol.x, patrol.y), atol=0.02)
    # Not before the walk is over; an officer may walk slowly, to be there when it is worth most.
    assert patrol.stops[0].arrive_minutes >= 450 + patrol.legs[0].metres / 80 - 1e-6
    assert patrol.end_minutes <= 520 + 1e-6
    assert Note("ends_before_pupils") in patrol.notes


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
    assert ridden.preference is None
    assert ridden.effort is ridden.cycling_effort


@pytest.mark.parametrize(("start", "end"), [("gate", "base"), ("base", "base"), ("base", "gate")])
def test_there_and_back_adds_the_ways_of_start_and_end(demo_area, start, end):
    """With a base, the way to each piece from the start and on to the end is counted."""
    area = pp.with_settings(
        demo_area, patrol={"start": start, "end": end, "gate_minutes": 0} | AT_ONCE
    )
    around = build_surroundings(area, ROW, Window(120, 600.0))
    assert around.base is not None
    base = dataclasses.replace(
        around.base.position, piece=around.pieces[around.base.position.piece]
    )
    ways = {"gate": area.gates.take([ROW]), "base": base}
    nodes = [_node_metres(area, ways[end]) for end in (start, end)]
    ends = area.network.piece_nodes[around.pieces]
    expected = sum(there[ends].min(axis=1) for there in nodes)
    near = expected <= 2000
    assert near.sum() > 50
    np.testing.assert_allclose(around.round_trip_metres[near], expected[near], atol=1e-6)


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
    return pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))


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
