"""Repairs of a week handed out: what stands stays, and further moves are offered, not made."""

import datetime as dt

import numpy as np
import pytest
from team import checker

import patrolplan as pp
from patrolplan.team.repair import MAX_CARDS_OUT, Gap, repair_week, suggest_swaps
from patrolplan.team.rota import plan_week
from patrolplan.team.week_editor import InvalidEditError, WeekEditor

MONDAY = dt.date(2026, 11, 30)


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))]
)
def test_what_stands_keeps_its_card(week, demo_area, plan, seed):
    """No patrol of an officer who is there changes, and no more come than were lost."""
    rng = np.random.default_rng(seed)
    officer = str(rng.choice(sorted({duty.officer for duty in week.duties})))
    first = int(rng.integers(4))
    days = set(week.days[first : first + int(rng.integers(1, 4))])
    repair = repair_week(week, demo_area, plan, absent={officer: days})
    lost = [d for d in week.duties if d.officer == officer and d.date in days]
    stands = {duty.key: duty.patrol for duty in week.duties if duty not in lost}
    after = {duty.key: duty.patrol for duty in repair.week.duties}
    assert stands.items() <= after.items()
    assert len(after) <= len(week.duties)
    assert not any(d.officer == officer and d.date in days for d in repair.week.duties)
    assert {d.date for d in repair.week.duties if d.key not in stands} <= {
        day for day in week.days if day >= min(days)
    }
    assert checker.find_broken_duties(repair.week, demo_area) == []


def test_offered_moves_change_as_many_cards_as_they_say_and_gain(week, demo_area, plan):
    """Each move withdraws one or two cards that could stay, and is worth more than the repair."""
    repair = repair_week(week, demo_area, plan, absent={"SSO-03": set(week.days[:3])})
    assert repair.moves
    for count, move in enumerate(repair.moves, 3 - len(repair.moves)):
        withdrawn = [one for one in move.changes if one.kind == "withdrawn"]
        assert 1 <= len(withdrawn) <= count
        assert move.gain == pytest.approx(move.week.worth - repair.week.worth)
        assert move.gain > 0
        assert checker.find_broken_duties(move.week, demo_area) == []


def test_nothing_changes_before_the_first_absence(week, demo_area, plan):
    """Days that are over when an officer falls ill stay as they were, in offered moves as well."""
    repair = repair_week(week, demo_area, plan, absent={"SSO-01": {week.days[3]}})
    for move in repair.moves:
        assert {one.duty.date for one in move.changes} <= set(week.days[3:])


@pytest.mark.slow
def test_a_locked_patrol_is_not_moved(demo_area, plan):
    """No offered move touches a patrol that was locked by hand."""
    free = plan_week(demo_area, plan, start=MONDAY)
    locks = [pp.Lock(d.officer, d.urn, d.date) for d in free.duties if d.officer != "SSO-03"]
    week = plan_week(demo_area, plan, start=MONDAY, locks=locks)
    repair = repair_week(week, demo_area, plan, absent={"SSO-03": {MONDAY}})
    locked = {(lock.officer, lock.urn, lock.date) for lock in locks}
    for move in repair.moves:
        gone = [one.duty for one in move.changes if one.kind == "withdrawn"]
        assert not {(d.officer, d.urn, d.date) for d in gone} & locked


@pytest.fixture(scope="module")
def editor(week, demo_area, plan):
    """What it may become by hand."""
    return WeekEditor.from_week(week, demo_area, plan)


def test_every_suggestion_fills_the_gap(week, editor, demo_area):
    """A school's free day gets a patrol, and no more than two cards are withdrawn."""
    filled = 0
    for gap in week.unmet[::9]:
        found = suggest_swaps(editor, week, Gap(urn=gap.urn, date=gap.date))
        assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)
        for one in found:
            assert any((d.urn, d.date) == (gap.urn, gap.date) for d in one.week.duties)
            withdrawn = [change for change in one.changes if change.kind == "withdrawn"]
            assert len(withdrawn) <= MAX_CARDS_OUT
            assert one.gain == pytest.approx(one.week.worth - week.worth)
            assert checker.find_broken_duties(one.week, demo_area) == []
            filled += 1
        assert len({tuple(map(str, one.changes)) for one in found}) == len(found)
    assert filled


def test_a_place_can_be_a_gap(week, editor):
    """A hotspot is visited on the day that was asked for."""
    visited = {
        (name, duty.date)
        for duty in week.duties
        for stop in duty.patrol.stops
        for name in stop.covered
    }
    places = sorted({name for name, _ in visited})
    place, day = next((p, day) for p in places for day in week.days if (p, day) not in visited)
    for one in suggest_swaps(editor, week, Gap(place=place, date=day)):
        assert any(
            place in stop.covered
            for duty in one.week.duties
            if duty.date == day
            for stop in duty.patrol.stops
        )


@pytest.mark.parametrize(
    "gap", [Gap(urn="no such"), Gap(place="no such"), Gap(date=dt.date(2020, 1, 6))]
)
def test_a_gap_that_the_week_does_not_have_is_refused(week, editor, gap):
    """Unknown schools, places and days are named."""
    with pytest.raises(InvalidEditError):
        suggest_swaps(editor, week, gap)
