"""Patrols that end at the base of the school's officer."""

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely

import patrolplan as pp
from patrolplan.outputs.note_words import describe_notes
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem

URN = "900001"


def _to_base(area, xy=None, **patrol):
    """The area with patrols that end at the base, which may be moved."""
    changed = area.settings.patrol.model_copy(update={"end": "base", **patrol})
    settings = area.settings.model_copy(update={"patrol": changed})
    officers = area.officers
    if xy is not None:
        moved = gpd.GeoSeries([shapely.Point(xy)] * len(officers), crs=officers.crs)
        officers = officers.set_geometry(moved)
    empty = area.tasked_places.iloc[:0]
    return dataclasses.replace(area, settings=settings, officers=officers, tasked_places=empty)


def _patrol(area, plan, urn=URN):
    return pp.plan_patrols(area, plan.risk, plan.hotspots, urns=[urn]).patrols[0]


@pytest.fixture(scope="module")
def patrol(demo_area, demo_plan):
    """A patrol to the base of the first officer."""
    return _patrol(_to_base(demo_area), demo_plan)


def test_the_last_leg_ends_at_the_first_officers_base(demo_area, patrol):
    """The patrol starts at the gate and ends where the first officer with the school has a base."""
    has = [URN in urns for urns in demo_area.officers["school_urns"]]
    base = demo_area.officers.geometry[has].iloc[0]
    snapped = demo_area.network.xy(demo_area.network.snap([(base.x, base.y)]))[0]
    assert patrol.ends_at == "base"
    assert len(patrol.legs) == len(patrol.stops) + 1 > 1
    np.testing.assert_allclose(patrol.legs[0].line[0], (patrol.x, patrol.y), atol=0.02)
    np.testing.assert_allclose(patrol.legs[-1].line[-1], snapped, atol=0.02)
    assert patrol.notes == ()


def test_times_to_the_base_add_up_and_fit_the_window(demo_area, patrol):
    """Legs and dwells follow on each other to the base, within the window.

    A leg lasts as long as its metres take, and longer where main roads are crossed.
    """
    speed = demo_area.settings.patrol.walking_speed_kmh * 1000 / 60
    assert all(leg.minutes >= leg.metres / speed - 1e-9 for leg in patrol.legs)
    now = patrol.gate_until_minutes
    for stop, leg in zip(patrol.stops, patrol.legs, strict=False):
        assert stop.arrive_minutes == pytest.approx(now + leg.minutes)
        now = stop.leave_minutes
    assert patrol.end_minutes == pytest.approx(now + patrol.legs[-1].minutes)
    assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6


def test_stops_on_the_way_to_the_base_are_no_farther_than_the_time_allows(demo_area, demo_plan):
    """Candidates are just the hotspots from which the base is reached in time after a dwell."""
    area = _to_base(demo_area, window_minutes=70)
    row = list(area.schools["urn"]).index(URN)
    inputs = PlanningInputs.from_area(area, demo_plan.risk, demo_plan.hotspots)
    case = build_school_problem(inputs, row)
    metres = case.walks.metres
    assert case.end_position == len(metres) - 1 > 0
    there_and_on = metres[0, 1:-1] + metres[1:-1, -1]
    assert (there_and_on <= (60 - 15) * 80 + 90).all()
    assert case.plain_problem.officer.end == case.end_position


@pytest.mark.parametrize(
    ("urn", "away", "words"),
    [
        ("900009", None, "No officer is assigned to this school"),
        (URN, (50_000.0, 0.0), "No walkable street is near the officer's base"),
        (URN, "far", "The base is too far away for this window"),
    ],
)
def test_without_a_base_in_reach_it_is_the_gate_and_says_so(demo_area, demo_plan, urn, away, words):
    """No officer, no street near or a base too far away: back to the gate, and a note says why."""
    gate = demo_area.network.xy(demo_area.gates.take([0]))[0]
    xy, window = None, 90
    if away == "far":
        apart = np.hypot(*(demo_area.network.node_xy - gate).T)
        xy, window = demo_area.network.node_xy[np.argmax(apart)], 25
    elif away is not None:
        xy = gate + away
    officers = demo_area.officers
    mine = [[u for u in urns if u != "900009"] for urns in officers["school_urns"]]
    area = dataclasses.replace(demo_area, officers=officers.assign(school_urns=mine))
    patrol = _patrol(_to_base(area, xy=xy, window_minutes=window), demo_plan, urn)
    assert patrol.ends_at == "gate"
    assert any(note.startswith(words) for note in describe_notes(patrol.notes))
    if patrol.legs:
        np.testing.assert_allclose(patrol.legs[-1].line[-1], (patrol.x, patrol.y), atol=0.02)
