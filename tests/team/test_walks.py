"""How patrols are walked, drawn by a key; and that all papers agree on who is where when."""

import datetime as dt
import json
import math
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter
from team.slow_counts import list_stops

import patrolplan as pp
from patrolplan.board.views import _build_walk_document
from patrolplan.outputs.week.lead_sheet import build_lead_sheet
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.task_sheets import build_task_sheets
from patrolplan.patrols import planning
from patrolplan.patrols.file_forms import write_record
from patrolplan.patrols.plan import Patrol
from patrolplan.patrols.timings import MIN_ORDER_SHARE
from patrolplan.team import free_time
from patrolplan.team.brief import WeekVisits
from patrolplan.team.free_time import Appointment, list_school_days
from patrolplan.team.rota import build_duty, plan_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import build_route_key
from patrolplan.team.secret import Secret, create_secret, make_open_key
from patrolplan.team.walks import draw_new_walks, draw_walks, find_time_limits, list_dwell_middles
from patrolplan.team.week_file import build_week_document
from patrolplan.team.where_when import build_officer_days
from patrolplan.times import format_time

MONDAY = dt.date(2026, 11, 16)
DAYS = list_school_days(MONDAY)


def make_key(number=1):
    """The key of a week's draw without a secret."""
    return make_open_key(7, "Test", MONDAY, number)


@pytest.fixture(scope="module")
def timed_plan(demo_area, demo_risk, demo_hotspots):
    """Patrols of half of the demo borough's schools, whose worth depends on the minute."""
    urns = list(demo_area.schools["urn"].iloc[::2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "VARIANTS", 3)
        return pp.plan_patrols(demo_area, demo_risk, demo_hotspots, urns=urns, assign_tasked=False)


@pytest.fixture(scope="module")
def inputs(demo_area, timed_plan):
    """What a week of these patrols is chosen from."""
    return RotaInputs(demo_area, (timed_plan,) * len(DAYS), DAYS)


@pytest.fixture(scope="module")
def duties(inputs):
    """Duties as planned: of every officer and day, at a school that no other has; no crews."""
    problem, taken, rows = inputs.problem, set(), []
    for row in np.random.default_rng(3).permutation(len(problem.officer)).tolist():
        day = problem.day[row]
        mine = {("officer", problem.officer[row], day), ("school", problem.school[row], day)}
        if not problem.is_along[row] and not mine & taken:
            rows.append(row)
            taken |= mine
    chosen = np.sort(rows)
    rows = zip(problem.officer[chosen], problem.day[chosen], problem.route[chosen], strict=True)
    return tuple(build_duty(inputs, *map(int, row)) for row in rows)


@pytest.fixture(scope="module")
def walked(inputs, duties):
    """The same duties as they are walked."""
    return draw_walks(inputs, duties, make_key())


def _tell(duty):
    """Order and minutes of a walk."""
    stops = [(stop.hotspot, round(stop.arrive_minutes, 3)) for stop in duty.patrol.stops]
    return stops, duty.patrol.end_minutes


def test_equal_keys_give_equal_walks_and_others_others(inputs, duties, walked):
    """Drawn again, or one by one, every walk is the same; with another key many are not."""
    again = draw_walks(inputs, duties, make_key())
    assert [*map(_tell, again)] == [*map(_tell, walked)]
    for row in range(0, len(duties), 5):
        alone = draw_walks(inputs, duties, make_key(), rows=[row])
        assert _tell(alone[row]) == _tell(walked[row])
        assert alone[row - 1] is duties[row - 1]
    others = draw_walks(inputs, duties, make_key(2))
    is_same = [_tell(one) == _tell(other) for one, other in zip(others, walked, strict=True)]
    has_others = [len(duty.patrol.timings or ()) > 4 for duty in duties]
    assert np.sum(has_others) > 5
    assert np.mean(np.array(is_same)[has_others]) < 0.6


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
        way_back = duty.back_minutes - duty.end_minutes
        assert walk.back_minutes - walk.end_minutes == pytest.approx(way_back)
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
    later = []
    for stop in patrol.stops[::-1]:
        times = {"arrive_minutes": stop.arrive_minutes + 7, "leave_minutes": stop.leave_minutes + 7}
        later.append(replace(stop, **times))
    key, until = build_route_key(patrol), patrol.gate_until_minutes + 7
    turned = replace(patrol, stops=tuple(later), gate_until_minutes=until)
    assert build_route_key(turned) == key
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


@pytest.mark.parametrize("arrive", [931.0, 931.5, 932.5, 933.2])
@pytest.mark.parametrize("dwell", [15.0, 12.5, 7.1])
def test_a_route_is_found_again_whatever_minutes_its_file_rounds_to(timed_plan, arrive, dwell):
    """A file holds whole minutes of arriving and leaving, and the dwell where these hide it."""
    patrol = next(each for each in timed_plan.patrols if each.stops)
    stop = replace(patrol.stops[0], arrive_minutes=arrive, leave_minutes=arrive + dwell)
    patrol = replace(patrol, stops=(stop, *patrol.stops[1:]))
    context = {"projection": timed_plan.area.projection}
    document = write_record(patrol, **context)
    read = TypeAdapter(Patrol).validate_python(json.loads(json.dumps(document)), context=context)
    assert build_route_key(read) == build_route_key(patrol)
    assert write_record(read, **context) == document
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
    half = [(stop.arrive_minutes + stop.leave_minutes) / 2 for stop in patrol.stops]
    assert plain.minutes == pytest.approx(np.array([half]))


ADVENT = dt.date(2026, 11, 30)


def _recount(week):
    """Officer, day and minute of everybody who comes into sight of each place, and of each id."""
    seen, places = {}, set()
    for duty, stop in list_stops(week):
        arrive, leave = format_time(stop.arrive_minutes), format_time(stop.leave_minutes)
        places.add((stop.id, f"{duty.date}", arrive, leave, (duty.officer, *duty.crew)))
        own = () if stop.kind == "gate" else (stop.hotspot,)
        for name in {*own, *stop.sees}:
            seen.setdefault(name, set()).add((duty.officer, duty.date, arrive))
    return seen, places


def _check(week, walked=None):
    """Every paper of a week tells of the minutes of the walks, by default its own."""
    seen, places = _recount(walked or week)
    rows = [row.values() for row in build_week_document(week)["places"]]
    found = [(*times, tuple(officers)) for *times, officers in rows]
    assert places <= set(found)
    at_gates = [row for row in found if row not in places]
    assert len(at_gates) >= sum(duty.patrol.has_presence for duty in week.duties)
    brief = WeekVisits(week, week.plan.area, is_of_data=True).find_answers(week.plan.hotspots)
    for name, answer in brief.items():
        visits = {(one.officer, one.date, one.arrive) for one in answer.visits}
        assert visits == seen.get(name, set()), name
    roster = Roster(week)
    tasks = build_task_sheets(roster, week.duties).data
    on_wall = [sorted(chain(*row["cells"])) for row in tasks["wall"]["places"]]
    lines = [sorted(f"{arrive} {officer}" for officer, _, arrive in one) for one in seen.values()]
    assert sorted(on_wall) == sorted(lines)
    sheets = set()
    for sheet in tasks["sheets"]:
        own = (task for day in sheet["days"] for task in day["duties"])
        sheets |= {(sheet["officer"], stop["time"][:5]) for task in own for stop in task["stops"]}
    assert sheets == {(roster.name_officer(name), row[2]) for row in places for name in row[4]}
    names = set(week.plan.hotspots["hotspot"])
    rows = [row for kind in build_lead_sheet(roster).data["demands"] for row in kind["rows"]]
    for row in (row for row in rows if row["id"] in names):
        lines = {line for cell in row["cells"] for line in cell["lines"]}
        assert lines <= {f"{at} {officer}" for officer, _, at in seen.get(row["id"], ())}
        assert bool(lines) == (row["id"] in seen)
    for duty in week.duties:
        board = _build_walk_document(duty.patrol, week.plan.area.projection)["stops"]
        own = (f"{duty.date}", duty.officer)
        minutes = {at for _, day, at, _, people in places if (day, people[0]) == own}
        assert {stop["arrive"] for stop in board} == minutes


def test_all_papers_agree_on_every_place_and_minute(week):
    """The demo's week."""
    assert week.duties
    _check(week)


def _count_at_once(week):
    """The most patrols within 75 m of a stop at one moment, apart from gates and tasked places."""
    stops = [row for row in list_stops(week) if row[1].kind != "gate" and row[1].tasking is None]

    def is_there(row, other):
        (duty, stop), (their, there) = row, other
        is_then = there.arrive_minutes <= stop.arrive_minutes < there.leave_minutes
        return is_then and duty.date == their.date and math.dist(stop.point, there.point) <= 75

    return max(sum(is_there(row, other) for other in stops) for row in stops)


def test_at_most_two_patrols_are_at_one_place_at_once(week):
    """Places within sight of each other are one."""
    assert 1 <= _count_at_once(week) <= 2


def test_a_visit_that_only_one_paper_knew_would_be_found(week):
    """A stop that no longer sees its hotspots changes what the papers tell."""
    duty = next(d for d in week.duties if any(stop.sees for stop in d.patrol.stops))
    blind = replace(duty.patrol, stops=tuple(replace(stop, sees=()) for stop in duty.patrol.stops))
    duties = [replace(one, patrol=blind) if one is duty else one for one in week.duties]
    with pytest.raises(AssertionError):
        _check(replace(week, duties=tuple(duties)), walked=week)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_drawn_weeks(demo_area, plan, seed, tmp_path):
    """Three weeks, each drawn by another secret."""
    create_secret(tmp_path / "week.secret")
    area = pp.with_settings(demo_area, week={"secret": str(tmp_path / "week.secret")})
    key = Secret(bytes([seed]) * 32).make_key("A", ADVENT, 1)
    drawn = plan_week(area, plan, start=ADVENT, key=key)
    _check(drawn)
    assert _count_at_once(drawn) <= 2


def test_nobody_does_two_things_at_once_and_patrols_are_between_their_ways(week):
    """On a clock of seconds nothing overlaps; each patrol stands once, its ways around it."""
    days = build_officer_days(week)
    assert days
    for items in days.values():
        busy = np.zeros(24 * 3600, dtype=int)
        for item in items:
            busy[round(item.from_minutes * 60) : round(item.to_minutes * 60)] += 1
        assert busy.max() <= 1
    patrols = [item for items in days.values() for item in items if item.kind == "patrol"]
    assert sum(not item.is_companion for item in patrols) == len(week.duties)
    assert sum(item.is_companion for item in patrols) == sum(len(d.crew) for d in week.duties)
    for duty in week.duties:
        own = [item for item in days[duty.officer, duty.date] if item.duty is duty]
        kinds = [(item.kind, item.towards) for item in own]
        assert kinds == [("way", "gate"), ("patrol", "base"), ("way", "base")]
        assert (own[0].from_minutes, own[-1].to_minutes) == (duty.leave_minutes, duty.back_minutes)


def test_who_walks_along_has_the_patrol_in_their_day(week, demo_area):
    """A companion sets out from their own base, three minutes before they need to."""
    duty = replace(week.duties[0], crew=("SSO-08",))
    days = build_officer_days(replace(week, duties=(duty,)))
    travel = free_time.compute_minutes_from_base(demo_area)
    row = list(demo_area.officers["officer"]).index("SSO-08")
    minutes = travel[row, list(demo_area.schools["urn"]).index(duty.urn)]
    way, patrol, back = days["SSO-08", duty.date]
    assert patrol.is_companion
    assert way.from_minutes == pytest.approx(duty.start_minutes - minutes - 3)
    assert back.to_minutes == pytest.approx(duty.end_minutes + minutes)
    assert not any(item.is_companion for item in days[duty.officer, duty.date])


def test_appointments_stand_between_patrols_in_the_order_of_the_day(week, monkeypatch):
    """An appointment has its ways; one that fills the day has none."""
    duty = week.duties[0]
    court = Appointment(duty.officer, duty.date, "court", 540, 570, 690, 720)
    other = next(day for day in week.days if day != duty.date)
    leave = Appointment(duty.officer, other, "leave", 0, 0, 1439, 1439)
    monkeypatch.setattr(free_time.FreeTime, "appointments", (leave, court))
    days = build_officer_days(replace(week, duties=(duty,)))
    kinds = [item.kind for item in days[duty.officer, duty.date]]
    assert kinds == ["way", "appointment", "way", "way", "patrol", "way"]
    (whole,) = days[duty.officer, other]
    assert whole.is_whole_day
    assert whole.appointment is leave
