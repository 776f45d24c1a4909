"""How the patrols of a week are walked: drawn by a key, in their officers' time, found again."""

import datetime as dt
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter

import patrolplan as pp
from patrolplan.patrols import planner
from patrolplan.patrols.plan import Patrol, build_patrol_document
from patrolplan.patrols.timings import MIN_ORDER_SHARE
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.free_time import Appointment, list_school_days
from patrolplan.team.rota import build_duty
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import build_route_key
from patrolplan.team.secret import make_open_key
from patrolplan.team.walks import draw_new_walks, draw_walks, find_time_limits, list_dwell_middles

MONDAY = dt.date(2026, 11, 16)
DAYS = list_school_days(MONDAY)


def make_key(number=1):
    """The key of a week's draw without a secret."""
    return make_open_key(7, "Test", MONDAY, number)


@pytest.fixture(scope="module")
def timed_plan(demo_area):
    """Patrols of half of the demo borough's schools, whose worth depends on the minute."""
    risk = pp.estimate_risk(demo_area)
    urns = list(demo_area.schools["urn"].iloc[::2])
    hotspots = pp.find_hotspots(demo_area, risk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "VARIANTS", 3)
        return pp.plan_patrols(demo_area, risk, hotspots, urns=urns, assign_tasked=False)


@pytest.fixture(scope="module")
def inputs(demo_area, timed_plan):
    """What a week of these patrols is chosen from."""
    return RotaInputs(demo_area, (timed_plan,) * len(DAYS), DAYS)


@pytest.fixture(scope="module")
def chosen(inputs):
    """An option of every officer and day at a school that no other has then; nobody walks along."""
    problem, taken, rows = inputs.problem, set(), []
    for row in np.random.default_rng(3).permutation(len(problem.officer)).tolist():
        day = problem.day[row]
        mine = {("officer", problem.officer[row], day), ("school", problem.school[row], day)}
        if not problem.is_along[row] and not mine & taken:
            rows.append(row)
            taken |= mine
    return np.sort(rows)


@pytest.fixture(scope="module")
def duties(inputs, chosen):
    """The duties of these options, as planned."""
    problem = inputs.problem
    rows = zip(problem.officer[chosen], problem.day[chosen], problem.route[chosen], strict=True)
    return tuple(build_duty(inputs, *map(int, row)) for row in rows)


@pytest.fixture(scope="module")
def walked(inputs, duties):
    """The same duties as they are walked."""
    return draw_walks(inputs, duties, make_key())


def _tell_walks(duties):
    """Order and minutes of every walk."""
    return [
        [(stop.hotspot, round(stop.arrive_minutes, 3)) for stop in duty.patrol.stops]
        for duty in duties
    ]


def test_equal_keys_give_equal_walks_and_others_others(inputs, duties, walked):
    """Drawn again, or one by one, every walk is the same; with another key most are not."""
    again = draw_walks(inputs, duties, make_key())
    assert _tell_walks(again) == _tell_walks(walked)
    assert [duty.patrol.end_minutes for duty in again] == [d.patrol.end_minutes for d in walked]
    for row in range(0, len(duties), 5):
        alone = draw_walks(inputs, duties, make_key(), rows=[row])
        assert _tell_walks(alone)[row] == _tell_walks(walked)[row]
        assert _tell_walks(alone)[row - 1] == _tell_walks(duties)[row - 1]
    others = draw_walks(inputs, duties, make_key(2))
    pairs = zip(_tell_walks(others), _tell_walks(walked), strict=True)
    assert np.mean([one == other for one, other in pairs]) < 0.4


def test_walks_are_the_routes_that_were_planned(inputs, duties, walked):
    """Same stops and dwells, in time, worth nearly as much; a duty's times are its walk's."""
    turned = 0
    for duty, walk in zip(duties, walked, strict=True):
        planned, patrol = duty.patrol, walk.patrol
        assert build_route_key(patrol) == build_route_key(planned)
        assert inputs.find_route(patrol) == inputs.find_route(planned)
        assert (walk.officer, walk.urn, walk.date) == (duty.officer, duty.urn, duty.date)
        assert walk.start_minutes == patrol.start_minutes == planned.start_minutes
        assert walk.end_minutes == patrol.end_minutes <= planned.latest_end_minutes + 1e-6
        assert walk.back_minutes - walk.end_minutes == pytest.approx(
            duty.back_minutes - duty.end_minutes
        )
        assert patrol.worth >= MIN_ORDER_SHARE * planned.worth * 0.999
        names = [[stop.hotspot for stop in each.stops] for each in (planned, patrol)]
        assert all(one != other for one, other in pairwise(names[1]))
        turned += names[0] != names[1]
    assert turned > 0


def test_a_walk_is_over_when_its_officer_must_go(inputs, duties):
    """By the end of duty, the next appointment less the way back, and the next patrol."""
    row = next(n for n, duty in enumerate(duties) if len(duty.patrol.timings) > 5)
    duty = duties[row]
    officer, day = inputs.officers.index(duty.officer), DAYS.index(duty.date)
    begin, end = find_time_limits(inputs, duties, row)
    assert (begin, end) == (0.0, inputs.free_time.hours[officer, day, 1])
    ends = np.sort(duty.patrol.timings.end_minutes)
    soon = float(ends[len(ends) // 2])
    way = duty.back_minutes - duty.end_minutes
    meeting = Appointment(duty.officer, duty.date, "meeting", soon + way, 0, 0, 0)
    busy, free = replace(inputs), inputs.free_time
    vars(busy)["free_time"] = replace(free)
    vars(busy.free_time)["appointments"] = (meeting,)
    assert find_time_limits(busy, duties, row)[1] == pytest.approx(soon)
    for number in range(12):
        late = draw_walks(busy, duties, make_key(number), rows=[row])[row]
        assert late.end_minutes <= soon + 1e-6
        assert late.back_minutes <= meeting.leave_minutes + 1e-6
    next_one = replace(duty, leave_minutes=soon + way, start_minutes=soon + 60)
    assert find_time_limits(inputs, [duty, next_one], 0)[1] == pytest.approx(soon)
    begin, _ = find_time_limits(inputs, [duty, next_one], 1)
    assert begin == pytest.approx(duty.back_minutes)
    joined = replace(duties[row - 1], crew=(duty.officer,), date=duty.date)
    assert find_time_limits(inputs, [duty, joined], 0)[1] <= inputs.free_time.hours[officer, day, 1]


def test_held_patrols_keep_their_walks(inputs, duties, walked):
    """What was handed out is not drawn again, and of a changed week only what is new is."""
    held = replace(inputs, held=walked[:3])
    assert draw_walks(held, walked[:3], make_key(2)) == walked[:3]
    moved = replace(duties[0], date=DAYS[(DAYS.index(duties[0].date) + 1) % len(DAYS)])
    after = draw_new_walks(inputs, walked, [moved, *duties[1:]], make_key(2))
    assert [duty.patrol for duty in after[1:]] == [duty.patrol for duty in walked[1:]]
    assert after[0].date == moved.date
    assert build_route_key(after[0].patrol) == build_route_key(moved.patrol)


def test_changed_bells_dwells_stops_and_taskings_make_another_route(timed_plan):
    """Order and minutes do not; window, start, latest end, stops and dwell do."""
    patrol = next(each for each in timed_plan.patrols if len(each.stops) > 1)
    first, *rest = patrol.stops
    later = [
        replace(stop, arrive_minutes=stop.arrive_minutes + 7, leave_minutes=stop.leave_minutes + 7)
        for stop in patrol.stops
    ]
    key = build_route_key(patrol)
    until = patrol.gate_until_minutes + 7
    assert (
        build_route_key(replace(patrol, stops=tuple(later[::-1]), gate_until_minutes=until)) == key
    )
    early, late = (replace(patrol, start_minutes=m, gate_until_minutes=m) for m in (900.0, 907.0))
    assert build_route_key(early) == build_route_key(late) != key
    longer = replace(first, stood=first.stood_minutes + 5)
    for other in (
        replace(patrol, start_minutes=patrol.start_minutes + 5),
        replace(patrol, latest_end_minutes=patrol.latest_end_minutes + 5),
        replace(patrol, window="morning"),
        replace(patrol, number=2),
        replace(patrol, way="bicycle"),
        replace(patrol, stops=tuple(rest)),
        replace(patrol, stops=(longer, *rest)),
        replace(patrol, stops=(replace(first, hotspot="H999"), *rest)),
    ):
        assert build_route_key(other) != key
    assert patrol.window == AFTER_SCHOOL


@pytest.mark.parametrize("arrive", [931.0, 931.5, 932.5, 933.2])
@pytest.mark.parametrize("dwell", [15.0, 12.5, 7.1])
def test_a_route_is_found_again_whatever_minutes_its_file_rounds_to(timed_plan, arrive, dwell):
    """A file holds whole minutes of arriving and leaving, and the dwell where these hide it."""
    patrol = next(each for each in timed_plan.patrols if each.stops)
    stop = replace(patrol.stops[0], arrive_minutes=arrive, leave_minutes=arrive + dwell)
    patrol = replace(patrol, stops=(stop, *patrol.stops[1:]))
    context = {"projection": timed_plan.area.projection}
    document = build_patrol_document(patrol, **context)
    read = TypeAdapter(Patrol).validate_python(json.loads(json.dumps(document)), context=context)
    assert build_route_key(read) == build_route_key(patrol)
    assert build_patrol_document(read, **context) == document
    assert ("dwell" in document["stops"][0]) == (round(arrive + dwell) - round(arrive) != dwell)


def test_middles_are_those_of_every_timing(timed_plan):
    """Of each order and minute as likely as it is drawn, and of the planned walk without any."""
    for patrol in timed_plan.patrols:
        middles = list_dwell_middles(patrol)
        assert middles.chance.sum() == pytest.approx(1.0)
        for row in range(0, len(patrol.timings), 3):
            timing = patrol.timings[row]
            assert tuple(middles.stop[row]) == timing.order
            half = np.array([patrol.stops[stop].stood_minutes / 2 for stop in timing.order])
            assert middles.minutes[row] == pytest.approx(np.array(timing.begin_minutes) + half)
    plain = list_dwell_middles(replace(patrol, timings=None))
    assert plain.minutes.shape == (1, len(patrol.stops))
    assert plain.minutes[0] == pytest.approx(
        [(stop.arrive_minutes + stop.leave_minutes) / 2 for stop in patrol.stops]
    )
