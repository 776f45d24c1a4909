"""Crews: who may lead, who may walk along with whom, and a week of crews against the tables."""

import datetime as dt
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from team import checker

from patrolplan.errors import InputError
from patrolplan.notes import list_texts
from patrolplan.outputs.facts import describe_crew
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.free_time import list_school_days
from patrolplan.team.obstacle_finder import check_locks_and_bans
from patrolplan.team.repair import repair_week
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import RotaSolution, solve_rota
from patrolplan.team.week_editor import InvalidEditError, PatrolSlot, WeekEditor
from patrolplan.team.week_records import Ban, Lock

MONDAY = dt.date(2026, 11, 30)
DAYS = list_school_days(MONDAY)
URNS = ("900001", "900006", "900007", "900009")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


@pytest.fixture(scope="module")
def few(plan):
    """Patrols of four schools."""
    return replace(plan, patrols=tuple(p for p in plan.patrols if p.urn in URNS))


@pytest.fixture(scope="module")
def staffed(demo_area):
    """Make the area with a team: rows of name, role, alone and schools, and other columns."""

    def make(*rows, crew=1):
        like = demo_area.officers.iloc[[0]]
        officers = pd.concat([like] * len(rows), ignore_index=True)
        hours = dict.fromkeys(WEEKDAYS, "13:30-19:00")
        values = [
            {**hours, "max_patrols_per_week": 5, "mode": "walk", **changes}
            | {"officer": name, "role": role, "alone": alone, "school_urns": list(urns)}
            for name, role, alone, urns, changes in ((*row, {})[:5] for row in rows)
        ]
        for column in values[0]:
            officers[column] = pd.Series([row[column] for row in values])
        officers = officers.astype({"alone": bool, "max_patrols_per_week": "int64"})
        week = demo_area.settings.week.model_copy(update={"crew": crew})
        settings = demo_area.settings.model_copy(update={"week": week})
        officers = gpd.GeoDataFrame(officers, geometry="geometry", crs=like.crs)
        return replace(demo_area, officers=officers, settings=settings)

    return make


def _plan(area, plan, **changes):
    """The best week of a team, not drawn, and what it was chosen from."""
    inputs = RotaInputs(area, list_day_plans(plan, DAYS), DAYS, **changes)
    return inputs, build_week(inputs, inputs.problem, solve_rota(inputs.problem, seed=1))


def test_staff_walk_along_at_their_own_school_and_never_lead(staffed, few):
    """Where patrols are of one, staff join the officer; another officer does not."""
    area = staffed(
        ("A", "officer", True, ("900001", "900006")),
        ("B", "officer", True, ("900001",)),
        ("Teacher", "staff", False, ("900006",)),
    )
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
    area = staffed(
        ("Warden", "warden", False, ("900001",)), ("Other", "warden", False, ("900001",), free)
    )
    _, week = _plan(area, few)
    assert checker.find_broken_crews(week, area) == []
    assert {duty.date.weekday() for duty in week.duties} == {0, 3, 4}
    gap = next(gap for gap in week.unmet if gap.urn == "900001" and gap.date.weekday() == 1)
    assert "Warden needs someone to walk along, and nobody is free to" in gap.why
    assert "Other is off duty" in gap.why


def test_who_stays_at_the_gate_is_no_company(staffed, few):
    """Who may not patrol alone has no patrol with somebody who stays at the gate."""
    rows = ("Warden", "warden", False, ("900001",)), ("Other", "officer", True, ("900001",))
    area = staffed(*rows)
    others = area.officers.assign(gate_only=area.officers["officer"] == "Other")
    inputs, week = _plan(replace(area, officers=others), few)
    assert not week.duties
    assert not inputs.is_lead[1]
    assert _plan(area, few)[1].duties


def test_crews_of_two_are_made_where_they_can_be(staffed, few):
    """Two who have one school patrol it together; a patrol of one is named."""
    area = staffed(
        ("A", "officer", True, ("900001",)), ("B", "pcso", True, ("900001",), {"fri": ""}), crew=2
    )
    _, week = _plan(area, few)
    assert checker.find_broken_crews(week, area) == []
    assert [len(duty.crew) for duty in week.duties] == [1, 1, 1, 1, 0]
    (note,) = [note for note in week.notes if note.key == "crew_short"]
    words = list_texts([note])[0]
    assert words == "Patrols of one, not two (1 of 5): A at URN 900001 on Friday 4 December."


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 8))]
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
    assert [duty.key for duty in again.duties] == [duty.key for duty in week.duties]
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
            elif area.settings.week.crew == 2:
                assert (
                    broken
                    or not inputs.in_time[
                        inputs.officers.index(name), inputs.days.index(duty.date)
                    ][inputs.route_school == inputs.urns.index(duty.urn)].all()
                )


def test_who_walks_along_is_free_for_the_longest_route(staffed, few):
    """Who goes home before the longest route ends, is absent or ruled out, does not join."""
    early = dict.fromkeys(WEEKDAYS, "13:30-16:30")
    area = staffed(
        ("A", "officer", True, ("900001",)),
        ("Early", "officer", True, ("900001",), early),
        ("Late", "officer", True, ("900001",)),
        crew=2,
    )
    plans = (few,) * len(DAYS)
    bans = (Ban(officer="Late", date=DAYS[1]), Ban(urn="900001", variant=0))
    inputs = RotaInputs(area, plans, DAYS, bans=bans, absent={"Late": frozenset({MONDAY})})
    along = inputs.companions
    names = {(inputs.officers[k], d) for k, d in zip(along.officer, along.day, strict=True)}
    at = inputs.possible.any(axis=0) & (inputs.route_school == inputs.urns.index("900001"))
    longest = [inputs.route_minutes[at[day], 1].max() for day in range(len(DAYS))]
    assert min(longest) > 16.5 * 60
    assert ("Late", 0) not in names
    assert ("Late", 1) not in names
    assert {("Late", day) for day in (2, 3, 4)} <= names
    assert not any(name == "Early" for name, _ in names)


def test_an_absent_member_leaves_the_crew_and_nothing_else_changes(staffed, few):
    """The patrol stays as handed out, alone, in a repair and on the board."""
    area = staffed(
        ("A", "officer", True, ("900001",)), ("Teacher", "staff", False, ("900001",)), crew=2
    )
    plan = replace(few, area=area)
    _, week = _plan(area, plan)
    assert all(duty.crew for duty in week.duties)
    repair = repair_week(week, area, plan, absent={"Teacher": {DAYS[2]}})
    crews = {duty.date: duty.crew for duty in repair.week.duties}
    assert crews == {day: () if day == DAYS[2] else ("Teacher",) for day in DAYS}
    before = [replace(duty, crew=()).key for duty in week.duties]
    assert [replace(duty, crew=()).key for duty in repair.week.duties] == before
    away = replace(week, absent={"Teacher": frozenset({DAYS[2]})})
    shown = WeekEditor.from_week(away, area, plan)
    assert [d.crew for d in shown.build_week(away.duties).duties] == list(crews.values())


def test_placing_a_warden_by_hand_finds_company(staffed, few):
    """Who may not patrol alone is placed with the free person of the fewest patrols, or not."""
    area = staffed(
        ("Warden", "warden", False, ("900001",)),
        ("Teacher", "staff", False, ("900001",), {"tue": ""}),
    )
    plan = replace(few, area=area)
    inputs = RotaInputs(area, (plan,) * len(DAYS), DAYS)
    none = np.zeros(0, dtype=np.int64)
    empty = build_week(inputs, inputs.problem, RotaSolution.rate(inputs.problem, none, 1.0))
    editor = WeekEditor.from_week(empty, area, plan)
    placed = editor.place_patrol(PatrolSlot("Warden", "900001", MONDAY), ())
    assert placed.crew == ("Teacher",)
    with pytest.raises(InvalidEditError, match="nobody is free to"):
        editor.place_patrol(PatrolSlot("Warden", "900001", DAYS[1]), ())
