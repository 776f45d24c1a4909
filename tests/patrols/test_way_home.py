"""What patrols meet of the way home: against slow sums, and what files may hold of it."""

import json
from dataclasses import replace
from itertools import chain, repeat

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.network.graph import list_seen_pieces
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.patrols.file_forms import write_record
from patrolplan.patrols.planner import get_planner
from patrolplan.patrols.way_home import measure_patrols
from patrolplan.pupils.leaving import build_curve
from patrolplan.pupils.pupils import GATE_METRES


def _count_slowly(plan, patrol):
    """The pupil share of a patrol, piece by piece and from the flow itself."""
    area, settings = plan.area, plan.area.settings.way_home
    school = plan.risk.pupils[patrol.urn]
    curve, speed = (build_curve(settings.leave_minutes, school.timetable.late), 75.0)
    points = area.network.snap([stop.point for stop in patrol.stops])
    seen, total, met = list_seen_pieces(area.network, points), 0.0, 0.0
    amounts = school.flow * area.network.walkable.piece_metres[school.pieces] / speed
    on_way = zip(repeat(curve.left), school.pieces, amounts, school.gate_metres)
    waiting = zip(repeat(curve.waited), school.wait_pieces, school.wait_pupils, school.wait_metres)
    for in_time, piece, amount, metres in chain(on_way, waiting):
        if metres <= GATE_METRES:
            continue
        since = school.timetable.bell_minutes + metres / speed
        total += amount * float(in_time(24 * 60 - since) - in_time(720 - since))
        for stop, in_sight in zip(patrol.stops, seen, strict=True):
            if piece in in_sight:
                arrive, leave = stop.arrive_minutes - since, stop.leave_minutes - since
                met += amount * float(in_time(leave) - in_time(arrive))
    return met / total


def test_pupils_met_are_those_of_the_flow_one_by_one(demo_plan):
    """The pupil share is what a loop over streets and stops counts, apart from rounded walks."""
    for patrol in demo_plan.patrols[::4]:
        expected = _count_slowly(demo_plan, patrol)
        assert patrol.way_home.pupil_share == pytest.approx(expected, rel=0.02)
    assert sum(patrol.way_home.pupil_share for patrol in demo_plan.patrols) > 0.01


def test_harm_met_is_that_of_each_minute(demo_plan):
    """The harm share equals a loop over minutes without exposure, and is within its band."""
    area, of_plan = demo_plan.area, (get_planner(demo_plan), demo_plan.window)
    plain = pp.estimate_risk(pp.with_settings(area, way_home={"exposure": {}})).in_time

    def sum_slowly(stops):
        met = 0.0
        for stop in stops:
            (own,) = list_seen_pieces(area.network, area.network.snap([stop.point]))
            for minute in range(int(stop.arrive_minutes), int(np.ceil(stop.leave_minutes))):
                held = min(minute + 1, stop.leave_minutes) - max(minute, stop.arrive_minutes)
                met += held * plain.compute_rate(minute)[own].sum()
        return met

    for patrol in (patrol for patrol in demo_plan.patrols if patrol.stops[1:]):
        way_home, first = patrol.way_home, patrol.stops[:1]
        (alone,) = measure_patrols(*of_plan, [replace(patrol, stops=first)])
        ratio = alone.way_home.harm_share / way_home.harm_share  # the harm within reach is the same
        assert ratio == pytest.approx(sum_slowly(first) / sum_slowly(patrol.stops))
        assert 0 < way_home.harm_share < 0.2


def _find_step(plan, stops):
    given = [replace(plan.patrols[0], stops=tuple(stops))]
    (patrol,) = measure_patrols(get_planner(plan), plan.window, given)
    return patrol.way_home.step


def test_files_hold_pupils_met_only_in_steps(demo_plan):
    """A share of pupils is in steps of 1 %, at one place of 5 %, and none of few minutes."""
    stops = demo_plan.patrols[0].stops
    short = [replace(stops[0], leave_minutes=stops[0].arrive_minutes + 5)]
    steps = [_find_step(demo_plan, each) for each in (stops[:2], stops[:1], short)]
    assert steps == [0.01, 0.05, None]
    document = build_plan_document(demo_plan)
    for patrol, row in zip(demo_plan.patrols, document["patrols"], strict=True):
        written = row["way_home"]["pupil_share"]
        assert written == pytest.approx(patrol.way_home.pupil_share, abs=patrol.way_home.step / 2)
        assert 100 * written == pytest.approx(round(100 * written))
        assert row["way_home"]["assumed"]
    whole = document["way_home"]
    assert set(whole) == set(document["patrols"][0]["way_home"])
    assert 1000 * whole["pupil_share"] == pytest.approx(round(1000 * whole["pupil_share"]))
    parts = [replace(demo_plan, patrols=demo_plan.patrols[:count]) for count in (1, 4, 5)]
    assert [part.way_home.step for part in parts] == pytest.approx([0.01, 0.05, 0.001])


def test_no_other_file_holds_the_exact_share(demo_plan):
    """Weeks do not hold it."""
    patrol = demo_plan.patrols[0]
    document = write_record(patrol, demo_plan.area.projection)
    assert "way_home" not in document
    text = json.dumps(build_plan_document(demo_plan))
    assert f"{patrol.way_home.pupil_share:.5f}"[:6] not in text
