"""The demo borough's week: promises, reasons, locks, bans, and crews against the tables."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from team import checker

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.free_time import list_school_days
from patrolplan.team.not_met import list_missing
from patrolplan.team.obstacle_finder import check_locks_and_bans
from patrolplan.team.people import describe_crew
from patrolplan.team.repair import repair_week
from patrolplan.team.rota import build_week, plan_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import RotaSolution, solve_rota
from patrolplan.team.week import PatrolSlot
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_records import Ban, Lock

MONDAY = dt.date(2026, 11, 30)
DAYS = list_school_days(MONDAY)
TUESDAY, WEDNESDAY = DAYS[1:3]
URNS = ("900001", "900006", "900007", "900009")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICER = ("officer", True, ("900001",))
WARDEN, TEACHER = ("warden", False, ("900001",)), ("staff", False, ("900001",))


def _why(week, urn, date):
    return next(gap.why for gap in week.unmet if (gap.urn, gap.date) == (urn, date))


def test_the_demo_week_is_as_good_as_proven_best_and_keeps_every_promise(week, demo_area):
    """Officers are on duty, at their own open schools, once a day; no school's day is unsaid."""
    assert week.gap_percent < 0.01
    assert checker.find_broken_duties(week, demo_area) == []
    assert checker.find_broken_crews(week, demo_area) == []
    assert {duty.urn for duty in week.duties} == set(demo_area.schools["urn"])
    assert not list_missing(week.unmet, "minimum", "closed")
    assert not [note for note in week.notes if note.key == "over_daily_maximum"]
    there = [(duty.urn, duty.date) for duty in week.duties]
    there += [(gap.urn, gap.date) for gap in list_missing(week.unmet, "day")]
    assert sorted(there) == sorted((u, d) for u in demo_area.schools["urn"] for d in week.days)


@pytest.mark.parametrize(
    ("locks", "message"),
    [
        ([Lock("SSO-03", "900002", WEDNESDAY)], "SSO-03 is off"),
        ([Lock("SSO-99", "900002", WEDNESDAY)], "there is no officer 'SSO-99'"),
        ([Lock("SSO-03", "1", TUESDAY)], "there is no urn '1'"),
        ([Lock("SSO-03", "900002", MONDAY, 99)], "there is no variant '99'"),
        ([Lock("SSO-03", "900002", dt.date(2026, 12, 8))], "there is no date '2026-12-08'"),
        ([Lock("SSO-01", urn, MONDAY) for urn in ("900001", "900006")], "all be fulfilled"),
        ([Lock("SSO-07", "900008", day) for day in (*DAYS[:3], DAYS[4])], "all be fulfilled"),
    ],
)
def test_locks_that_cannot_be_are_refused_with_the_reason(demo_area, plan, locks, message):
    """A lock that nobody could fulfil is an error that says why."""
    with pytest.raises(pp.InputError, match=message):
        plan_week(demo_area, plan, start=MONDAY, locks=locks)


def test_doses_already_delivered_change_the_week(demo_area, few):
    """A hotspot that had its dose all last week is worth less now."""
    last = frozenset(MONDAY - dt.timedelta(days=n) for n in range(3, 8))
    weights = dict(zip(few.hotspots["hotspot"], few.hotspots["worth"], strict=True))
    name = next(name for name in few.patrols[0].covered if weights.get(name))
    plans = list_day_plans(few, DAYS)
    before, after = (
        RotaInputs(demo_area, plans, DAYS, delivered=delivered) for delivered in ({}, {name: last})
    )
    row = list(before.hotspots).index(name)
    at_all = [solve_rota(one.problem).worth for one in (before, after)]
    assert before.problem.weight[row] > 0
    assert at_all[1] < at_all[0]
    wrong = pd.DataFrame({"hotspot": [name]})
    with pytest.raises(TypeError, match="lacks the columns"):
        plan_week(demo_area, few, start=MONDAY, delivered=wrong)


def test_which_doses_count(demo_area, plan):
    """From half a dwell a visit is a dose; those of seven days count, and runs up to day one."""
    dates = [MONDAY - dt.timedelta(days=n) for n in (1, 2, 4)]
    delivered = pd.DataFrame({"hotspot": "H1", "date": dates, "minutes": [7.5, 7.5, 7.4]})
    week = plan_week(demo_area, plan, start=MONDAY, delivered=delivered, bans=[Ban()])
    assert week.delivered == {"H1": frozenset(dates[:2])}
    days = frozenset(MONDAY - dt.timedelta(days=n) for n in (0, 1, 2, 4, 7, 8))
    inputs = RotaInputs(demo_area, (plan,), (MONDAY,), delivered={"H1": days})
    row = list(inputs.hotspots).index("H1")
    assert (inputs.problem.dosed_before[row], inputs.problem.run_before[row]) == (4, 2)


def test_a_week_of_holidays_is_empty_and_explained(demo_area, plan):
    """Where every school is closed, nobody patrols, each day says why, and no school is short."""
    week = plan_week(demo_area, plan, start=dt.date(2026, 12, 19))  # a Saturday
    assert week.start == dt.date(2026, 12, 21)
    assert (week.duties, week.worth, week.gap_percent, week.status) == ((), 0.0, 0.0, "optimal")
    days = list_missing(week.unmet, "closed")
    assert len(days) == 5 * demo_area.schools["urn"].nunique()
    assert {gap.why for gap in days} == {"school closed (term dates)"}
    assert not list_missing(week.unmet, "minimum", "day")


@pytest.fixture(scope="module")
def few(plan):
    """Patrols of four schools."""
    return replace(plan, patrols=tuple(p for p in plan.patrols if p.urn in URNS))


@pytest.fixture(scope="module")
def staffed(demo_area):
    """Make the area with a team: rows of name, role, alone and schools, and other columns."""

    def make(*rows, crew=1):
        officers = pd.concat([demo_area.officers.iloc[[0]]] * len(rows), ignore_index=True)
        hours = dict.fromkeys(WEEKDAYS, "13:30-19:00")
        values = [
            {**hours, "max_patrols_per_week": 5, "mode": "walk", **changes}
            | {"officer": name, "role": role, "alone": alone, "school_urns": list(urns)}
            for name, role, alone, urns, changes in ((*row, {})[:5] for row in rows)
        ]
        officers = officers.assign(**pd.DataFrame(values))
        week = demo_area.settings.week.model_copy(update={"crew": crew})
        settings = demo_area.settings.model_copy(update={"week": week})
        return replace(demo_area, officers=officers, settings=settings)

    return make


def _plan(area, plan, **changes):
    """The best week of a team, not drawn, and what it was chosen from."""
    inputs = RotaInputs(area, list_day_plans(plan, DAYS), DAYS, **changes)
    return inputs, build_week(inputs, inputs.problem, solve_rota(inputs.problem, seed=1))


def test_reasons_are_exact(staffed, few, week):
    """Off, elsewhere, at the maximum, hours too short, nobody: each has its sentence."""
    why = "SSO-03 is off duty, no other officer covers this school"
    assert _why(week, "900002", WEDNESDAY) == why
    served = {(duty.officer, duty.date): duty.urn for duty in week.duties}
    for gap in (gap for gap in list_missing(week.unmet, "day") if gap.urn == "900001"):
        urn = served.get(("SSO-01", gap.date))
        why = f"SSO-01 patrols URN {urn} that day" if urn else "SSO-01 has reached the maximum of 4"
        assert gap.why.startswith(why)
    for hours in ("14:00-16:00", "15:08-18:00"):
        area = staffed(("A", *OFFICER, dict.fromkeys(WEEKDAYS, hours)))
        _, found = _plan(area, few)
        why = f"no patrol fits A's hours {hours}: the first needs "
        assert _why(found, "900001", MONDAY).startswith(why)
        assert _why(found, "900007", MONDAY) == "no officer covers this school"


def test_staff_walk_along_at_their_own_school_and_never_lead(staffed, few):
    """Where patrols are of one, staff join the officer; another officer does not."""
    both = ("A", "officer", True, ("900001", "900006"))
    area = staffed(both, ("B", *OFFICER), ("Teacher", "staff", False, ("900006",)))
    inputs, week = _plan(area, few)
    assert checker.find_broken_crews(week, area) == []
    with_crew = [duty for duty in week.duties if duty.crew]
    assert {(duty.urn, duty.crew) for duty in with_crew} == {("900006", ("Teacher",))}
    assert all(duty.crew for duty in week.duties if duty.urn == "900006")
    at_gate = area.officers.assign(gate_only=area.officers["role"] == "staff")
    _, week = _plan(replace(area, officers=at_gate), few)
    assert not any(duty.crew for duty in week.duties)
    assert describe_crew(area, with_crew[0].crew) == "a member of staff of the school"
    assert not inputs.possible[2].any()
    with pytest.raises(InputError, match="Teacher is school staff, who walk along and never lead"):
        check_locks_and_bans(replace(inputs, locks=(Lock("Teacher", "900006", MONDAY),)))


def test_who_may_not_patrol_alone_is_never_alone(staffed, few):
    """A warden leads or walks along; without company free on a day the school has no patrol."""
    free = {"tue": "", "wed": ""}
    area = staffed(("Warden", *WARDEN), ("Other", *WARDEN, free))
    _, week = _plan(area, few)
    assert checker.find_broken_crews(week, area) == []
    assert {duty.date.weekday() for duty in week.duties} == {0, 3, 4}
    days = list_missing(week.unmet, "day")
    gap = next(gap for gap in days if gap.urn == "900001" and gap.date.weekday() == 1)
    assert "Warden needs someone to walk along, and nobody is free to" in gap.why
    assert "Other is off duty" in gap.why


def test_who_stays_at_the_gate_is_no_company(staffed, few):
    """Who may not patrol alone has no patrol with somebody who stays at the gate."""
    area = staffed(("Warden", *WARDEN), ("Other", *OFFICER))
    others = area.officers.assign(gate_only=area.officers["officer"] == "Other")
    inputs, week = _plan(replace(area, officers=others), few)
    assert not week.duties
    assert not inputs.is_lead[1]
    assert _plan(area, few)[1].duties


def test_crews_of_two_are_made_where_they_can_be(staffed, few):
    """Two who have one school patrol it together; a patrol of one is named."""
    area = staffed(("A", *OFFICER), ("B", "pcso", True, ("900001",), {"fri": ""}), crew=2)
    _, week = _plan(area, few)
    assert checker.find_broken_crews(week, area) == []
    assert [len(duty.crew) for duty in week.duties] == [1, 1, 1, 1, 0]
    (words,) = [note.text for note in week.notes if note.key == "crew_short"]
    assert words == "Patrols of one, not two (1 of 5): A at URN 900001 on Friday 4 December."


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (0, 2, 3))]
)
def test_random_teams_keep_every_rule_of_crews(staffed, few, seed):
    """Whatever roles, schools, hours and sizes of crews: the tables allow every crew."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(6):
        role = str(rng.choice(["officer", "pcso", "warden", "staff"]))
        urns = rng.choice(URNS, 1 if role == "staff" else 2, replace=False)
        hours = {day: str(rng.choice(["", "14:00-17:00", "13:30-19:00"])) for day in WEEKDAYS}
        hours["max_patrols_per_week"] = int(rng.integers(1, 5))
        rows.append((f"P{number}", role, bool(rng.random() < 0.5), map(str, urns), hours))
    rows.append(("Lead", "officer", True, URNS))
    area = staffed(*rows, crew=int(rng.integers(1, 3)))
    inputs, week = _plan(area, few)
    assert checker.find_broken_crews(week, area) == []
    editor = WeekEditor.from_week(week, area, few)
    again = editor.build_week(week.duties)
    assert [(duty.slot, duty.variant, duty.crew) for duty in again.duties] == [
        (duty.slot, duty.variant, duty.crew) for duty in week.duties
    ]
    assert again.worth == pytest.approx(week.worth)
    for duty in week.duties[:4]:  # whom the editor offers, against every other way to look at it
        bare = replace(duty, crew=())
        others = [other for other in week.duties if other is not duty]
        offered = set(editor.list_companions(duty, week.duties))
        for name in area.officers["officer"]:
            tried = replace(week, duties=(*others, replace(bare, crew=(name,))))
            broken = checker.find_broken_crews(tried, area)
            if name in offered:
                assert broken == []
            elif area.settings.week.crew == 2 and not broken:
                who, day = inputs.officers.index(name), inputs.days.index(duty.date)
                own = inputs.route_school == inputs.urns.index(duty.urn)
                assert not inputs.in_time[who, day, own].all()


def test_who_walks_along_is_free_for_the_longest_route(staffed, few):
    """Who goes home before the longest route ends, is absent or ruled out, does not join."""
    early = dict.fromkeys(WEEKDAYS, "13:30-16:30")
    area = staffed(("A", *OFFICER), ("Early", *OFFICER, early), ("Late", *OFFICER), crew=2)
    plans = (few,) * len(DAYS)
    bans = (Ban(officer="Late", date=DAYS[1]), Ban(urn="900001", variant=0))
    inputs = RotaInputs(area, plans, DAYS, bans=bans, absent={"Late": frozenset({MONDAY})})
    along = inputs.companions
    names = {(inputs.officers[k], d) for k, d in zip(along.officer, along.day, strict=True)}
    at = inputs.possible.any(axis=0) & (inputs.route_school == inputs.urns.index("900001"))
    longest = [inputs.route_minutes[at[day], 1].max() for day in range(len(DAYS))]
    assert min(longest) > 16.5 * 60
    assert (inputs.variant[at] > 0).all()
    assert {day for name, day in names if name == "Late"} == {2, 3, 4}
    assert not any(name == "Early" for name, _ in names)


def test_an_absent_member_leaves_the_crew_and_nothing_else_changes(staffed, few):
    """The patrol stays as handed out, alone, in a repair and on the board."""
    area = staffed(("A", *OFFICER), ("Teacher", *TEACHER), crew=2)
    plan = replace(few, area=area)
    _, week = _plan(area, plan)
    assert all(duty.crew for duty in week.duties)
    repair = repair_week(week, area, plan, absent={"Teacher": {DAYS[2]}})
    crews = {duty.date: duty.crew for duty in repair.week.duties}
    assert crews == {day: () if day == DAYS[2] else ("Teacher",) for day in DAYS}
    before = [(duty.slot, duty.variant) for duty in week.duties]
    assert [(duty.slot, duty.variant) for duty in repair.week.duties] == before
    away = replace(week, absent={"Teacher": frozenset({DAYS[2]})})
    shown = WeekEditor.from_week(away, area, plan)
    assert [d.crew for d in shown.build_week(away.duties).duties] == list(crews.values())


def test_placing_a_warden_by_hand_finds_company(staffed, few):
    """Who may not patrol alone is placed with the free person of the fewest patrols, or not."""
    area = staffed(("Warden", *WARDEN), ("Teacher", *TEACHER, {"tue": ""}))
    plan = replace(few, area=area)
    inputs = RotaInputs(area, (plan,) * len(DAYS), DAYS)
    none = np.zeros(0, dtype=np.int64)
    empty = build_week(inputs, inputs.problem, RotaSolution.rate(inputs.problem, none, 1.0))
    editor = WeekEditor.from_week(empty, area, plan)
    placed = editor.place_patrol(PatrolSlot("Warden", "900001", MONDAY), ())
    assert placed.crew == ("Teacher",)
    with pytest.raises(InvalidEditError, match="nobody is free to"):
        editor.place_patrol(PatrolSlot("Warden", "900001", DAYS[1]), ())
