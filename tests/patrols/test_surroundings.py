"""Patrols that start at the base of the school's officer.

What lies around a school's gate, whatever the risk.
"""

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.patrols.surroundings import build_surroundings
from patrolplan.patrols.windows import Window

URN = "900001"
EARLY = Window(70, 450.0, "early")


def _from_base(area, **patrol):
    """The area with patrols that start at the base, and nothing tasked."""
    changed = area.settings.patrol.model_copy(update={"start": "base", **patrol})
    settings = area.settings.model_copy(update={"patrol": changed})
    empty = area.tasked_places.iloc[:0]
    return dataclasses.replace(area, settings=settings, tasked_places=empty)


def _patrol(area, plan, urn=URN, window=None):
    return pp.plan_patrols(
        area, plan.risk, plan.hotspots, urns=[urn], window=window, held_out=False
    ).patrols[0]


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
    assert ours.set_out_minutes == pytest.approx(ours.start_minutes - ours.approach.metres / 80)
    assert [stop.hotspot for stop in ours.stops] == [stop.hotspot for stop in theirs.stops]
    assert ours.walked_metres == theirs.walked_metres
    assert (theirs.starts_at, theirs.approach, theirs.base_xy) == ("gate", None, None)
    np.testing.assert_allclose(ours.base_xy, base, atol=0.02)


def test_a_patrol_before_school_sets_out_at_the_base(demo_area, demo_plan, base):
    """Over before the bell there is no presence: the first leg leaves the base at the start."""
    patrol = _patrol(_from_base(demo_area), demo_plan, window=EARLY)
    assert patrol.start_minutes == patrol.gate_until_minutes == patrol.set_out_minutes == 450
    assert patrol.from_base
    assert patrol.approach is None
    np.testing.assert_allclose(patrol.legs[0].line[0], base, atol=0.02)
    np.testing.assert_allclose(patrol.legs[-1].line[-1], (patrol.x, patrol.y), atol=0.02)
    assert patrol.stops[0].arrive_minutes == pytest.approx(450 + patrol.legs[0].metres / 80)
    assert patrol.end_minutes <= 520 + 1e-6
    assert any(note.startswith("Over before the pupils leave") for note in patrol.notes)


def test_from_the_base_and_back_to_it(demo_area, demo_plan, base):
    """Start and end at the base: the gate is not passed before school."""
    patrol = _patrol(_from_base(demo_area, end="base"), demo_plan, window=EARLY)
    np.testing.assert_allclose(patrol.legs[0].line[0], base, atol=0.02)
    np.testing.assert_allclose(patrol.legs[-1].line[-1], base, atol=0.02)
    assert (patrol.starts_at, patrol.ends_at) == ("base", "base")


def test_without_a_stop_the_officer_still_comes_from_the_base(demo_area, demo_plan):
    """Presence at the gate alone is led up to; before school, without a stop, nobody sets out."""
    short = _patrol(_from_base(demo_area), demo_plan, window=Window(20))
    assert not short.stops
    assert short.approach is not None
    early = _patrol(_from_base(demo_area), demo_plan, window=Window(12, 450.0))
    assert not early.stops
    assert early.starts_at == "gate"
    assert early.base_xy is None


def test_no_officer_means_the_gate_and_a_note(demo_area, demo_plan):
    """Without a base the patrol starts at the gate and says why."""
    officers = demo_area.officers
    mine = [[urn for urn in urns if urn != URN] for urns in officers["school_urns"]]
    area = dataclasses.replace(demo_area, officers=officers.assign(school_urns=mine))
    patrol = _patrol(_from_base(area, end="base"), demo_plan)
    assert patrol.starts_at == patrol.ends_at == "gate"
    assert "No officer has this school: starts and ends at the gate." in patrol.notes


def test_by_bicycle_from_the_base(demo_area, demo_plan):
    """The way to the gate is ridden too, each way by its own streets."""
    area = _from_base(demo_area, end="base", way="bicycle")
    patrol = _patrol(area, demo_plan)
    ridden = patrol.approach.metres - patrol.approach.pushed_metres
    expected = ridden / 200 + patrol.approach.pushed_metres / 80
    assert patrol.approach.minutes == pytest.approx(expected)
    assert {step.way for step in patrol.approach.steps} <= {"ride", "push", "carry"}


def test_together_start_at_their_bases(demo_area, demo_plan):
    """Planned as one team, patrols before school set out at the base as they do alone."""
    plan = pp.plan_patrols(
        _from_base(demo_area),
        demo_plan.risk,
        demo_plan.hotspots,
        urns=[URN, "900006"],
        window=EARLY,
        held_out=False,
        together=True,
    )
    assert all(patrol.from_base for patrol in plan.patrols if patrol.stops)
    assert any(patrol.stops for patrol in plan.patrols)


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


def test_there_and_back_from_the_gate_is_twice_the_way(demo_area):
    """Patrols on foot from the gate and back to it pass every distance twice."""
    around = build_surroundings(demo_area, ROW, Window(90))
    np.testing.assert_array_equal(around.round_trip_metres, 2 * around.gate_metres)
    assert around.base is None
    assert (around.hours.total_minutes, around.hours.after_gate_minutes) == (90, 80)


@pytest.mark.parametrize(("start", "end"), [("gate", "base"), ("base", "base"), ("base", "gate")])
def test_there_and_back_adds_the_ways_of_start_and_end(demo_area, start, end):
    """With a base, the way to each piece from the start and on to the end is counted."""
    area = pp.with_settings(demo_area, patrol={"start": start, "end": end, "gate_minutes": 0})
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


def test_planning_with_known_surroundings_gives_the_same(demo_area, demo_plan):
    """A school's case is the same whether its surroundings were known or not."""
    from patrolplan.network.names import label_streets  # noqa: PLC0415
    from patrolplan.patrols.school_problem import PlanningInputs, SharedInputs  # noqa: PLC0415

    ground = SharedInputs(demo_area, label_streets(demo_area.network), Window(90))
    ready = PlanningInputs(ground, demo_plan.risk, demo_plan.hotspots)
    fresh, known = (
        ready.build_school_problem(ROW),
        ready.build_school_problem(ROW, ground.build_surroundings(ROW)),
    )
    np.testing.assert_array_equal(fresh.reach.walks.metres, known.reach.walks.metres)
    np.testing.assert_array_equal(fresh.reach.worth, known.reach.worth)
    assert fresh.latest_end_minutes == known.latest_end_minutes
