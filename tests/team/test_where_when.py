"""Brief, lead's sheet, task sheets, wall, board and week.json agree on who is where when."""

import dataclasses
import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.board.views import _build_walk_document
from patrolplan.outputs.brief.brief import WeekVisits
from patrolplan.outputs.week.lead_sheet import build_lead_sheet
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.task_sheets import build_task_sheets
from patrolplan.team.free_time import Appointment, FreeTime, compute_minutes_from_base
from patrolplan.team.rota import plan_week
from patrolplan.team.secret import Secret, create_secret
from patrolplan.team.week_file import build_week_document
from patrolplan.team.where_when import build_officer_days
from patrolplan.times import format_time

MONDAY = dt.date(2026, 11, 30)


def _recount(week):
    """Officer, day and minute of everybody who comes into sight of each place, and of each id."""
    seen, places = {}, set()
    for duty in week.duties:
        for stop in duty.patrol.stops:
            arrive, leave = format_time(stop.arrive_minutes), format_time(stop.leave_minutes)
            places.add((stop.id, f"{duty.date}", arrive, leave, (duty.officer, *duty.crew)))
            own = () if stop.kind == "gate" else (stop.hotspot,)
            for name in {*own, *stop.sees}:
                seen.setdefault(name, set()).add((duty.officer, duty.date, arrive))
    return seen, places


def _check(week, walked=None):
    """Every paper of a week tells of the minutes of the walks, by default its own."""
    seen, places = _recount(walked or week)
    rows = build_week_document(week)["places"]
    found = [(*(row[key] for key in ("id", "date", "from", "to")), tuple(row["officers"]))
             for row in rows]  # fmt: skip
    assert places <= set(found)
    at_gates = [row for row in found if row not in places]
    assert len(at_gates) >= sum(duty.patrol.has_presence for duty in week.duties)
    brief = WeekVisits(week, is_of_data=True).find_answers(week.plan.hotspots)
    for name, answer in brief.items():
        visits = {(one.officer, one.date, one.arrive) for one in answer.visits}
        assert visits == seen.get(name, set()), name
    roster = Roster(week)
    tasks = build_task_sheets(roster, week.duties).data
    on_wall = sorted(sorted(line for cell in row["cells"] for line in cell)
                     for row in tasks["wall"]["places"])  # fmt: skip
    assert on_wall == sorted(
        sorted(f"{arrive} {officer}" for officer, _, arrive in visits) for visits in seen.values()
    )
    sheets = {
        (sheet["officer"], stop["time"][:5])
        for sheet in tasks["sheets"]
        for day in sheet["days"]
        for task in day["duties"]
        for stop in task["stops"]
    }
    assert sheets == {(roster.name_officer(name), row[2]) for row in places for name in row[4]}
    names = set(week.plan.hotspots["hotspot"])
    rows = [row for kind in build_lead_sheet(roster).data["demands"] for row in kind["rows"]]
    lead = [row for row in rows if row["id"] in names]
    for row in lead:
        lines = {line for cell in row["cells"] for line in cell["lines"]}
        assert lines <= {f"{at} {officer}" for officer, _, at in seen.get(row["id"], ())}
        assert bool(lines) == (row["id"] in seen)
    for duty in week.duties:
        board = _build_walk_document(duty.patrol, week.plan.area.projection)["stops"]
        assert {(duty.officer, duty.date, stop["arrive"]) for stop in board} == {
            (duty.officer, duty.date, at)
            for _, day, at, _, people in places
            if (day, people[0]) == (f"{duty.date}", duty.officer)
        }


def test_all_papers_agree_on_every_place_and_minute(week):
    """The demo's week."""
    assert week.duties
    _check(week)


def _count_at_once(week):
    """The most patrols in sight of one stop at one moment, apart from gates and tasked places."""
    sight = 75
    stops = [
        (duty.date, stop)
        for duty in week.duties
        for stop in duty.patrol.stops
        if stop.kind != "gate" and stop.tasking is None
    ]
    return max(
        sum(
            day == other_day
            and other.arrive_minutes <= stop.arrive_minutes < other.leave_minutes
            and np.hypot(other.x - stop.x, other.y - stop.y) <= sight
            for other_day, other in stops
        )
        for day, stop in stops
    )


def test_at_most_two_patrols_are_at_one_place_at_once(week):
    """Places within sight of each other are one."""
    assert 1 <= _count_at_once(week) <= 2


def test_a_visit_that_only_one_paper_knew_would_be_found(week):
    """A stop that no longer sees its hotspots changes what the papers tell."""
    duty = next(d for d in week.duties if any(stop.sees for stop in d.patrol.stops))
    blind = replace(duty.patrol, stops=tuple(replace(stop, sees=()) for stop in duty.patrol.stops))
    changed = replace(
        week, duties=tuple(replace(d, patrol=blind) if d is duty else d for d in week.duties)
    )
    with pytest.raises(AssertionError):
        _check(changed, walked=week)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_they_agree_on_drawn_weeks(demo_area, plan, seed, tmp_path):
    """Twenty weeks, each drawn by another secret."""
    create_secret(tmp_path / "week.secret")
    area = pp.with_settings(demo_area, week={"secret": str(tmp_path / "week.secret")})
    key = Secret(bytes([seed]) * 32).make_key("A", MONDAY, 1)
    drawn = plan_week(area, plan, start=MONDAY, key=key)
    _check(drawn)
    assert _count_at_once(drawn) <= 2


def _count_busy_twice(items):
    """Minutes in which somebody does two things at once, counted on a clock of seconds."""
    busy = np.zeros(24 * 3600, dtype=int)
    for item in items:
        busy[round(item.from_minutes * 60) : round(item.to_minutes * 60)] += 1
    return int((busy > 1).sum())


def test_nobody_does_two_things_at_once(week):
    """On no day of the week do ways, patrols and appointments of an officer overlap."""
    days = build_officer_days(week)
    assert days
    assert not any(_count_busy_twice(items) for items in days.values())


def test_every_patrol_is_between_its_ways(week):
    """Each patrol stands once in its officer's day, after the way there and before the way back."""
    days = build_officer_days(week)
    patrols = [item for items in days.values() for item in items if item.kind == "patrol"]
    assert sum(not item.is_companion for item in patrols) == len(week.duties)
    assert sum(item.is_companion for item in patrols) == sum(len(d.crew) for d in week.duties)
    for duty in week.duties:
        own = [item for item in days[duty.officer, duty.date] if item.duty is duty]
        assert [(item.kind, item.towards) for item in own] == [
            ("way", "gate"),
            ("patrol", "base"),
            ("way", "base"),
        ]
        assert (own[0].from_minutes, own[-1].to_minutes) == (duty.leave_minutes, duty.back_minutes)


def test_who_walks_along_has_the_patrol_in_their_day(week, demo_area):
    """A companion sets out from their own base, by the time that they need themselves."""
    duty = dataclasses.replace(week.duties[0], crew=("SSO-08",))
    days = build_officer_days(dataclasses.replace(week, duties=(duty,)))
    travel = compute_minutes_from_base(demo_area)
    row = list(demo_area.officers["officer"]).index("SSO-08")
    minutes = travel[row, list(demo_area.schools["urn"]).index(duty.urn)]
    way, patrol, back = days["SSO-08", duty.date]
    assert patrol.is_companion
    assert way.from_minutes == pytest.approx(duty.start_minutes - minutes)
    assert back.to_minutes == pytest.approx(duty.end_minutes + minutes)
    assert not any(item.is_companion for item in days[duty.officer, duty.date])


def test_appointments_stand_between_patrols_in_the_order_of_the_day(week, monkeypatch):
    """An appointment has its ways; one that fills the day has none."""
    duty = week.duties[0]
    court = Appointment(duty.officer, duty.date, "court", 540, 570, 690, 720)
    other = next(day for day in week.days if day != duty.date)
    leave = Appointment(duty.officer, other, "leave", 0, 0, 1439, 1439)
    monkeypatch.setattr(FreeTime, "appointments", (leave, court))
    days = build_officer_days(dataclasses.replace(week, duties=(duty,)))
    kinds = [item.kind for item in days[duty.officer, duty.date]]
    assert kinds == ["way", "appointment", "way", "way", "patrol", "way"]
    (whole,) = days[duty.officer, other]
    assert whole.is_whole_day
    assert whole.appointment is leave
