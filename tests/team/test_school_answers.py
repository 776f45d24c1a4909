"""What a school is owed after a survey: its places, and what became of each."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from patrolplan.notes import Note
from patrolplan.patrols.feared_places import FEARED_A_SCHOOL, find_feared_places
from patrolplan.privacy import ReportGroups
from patrolplan.team.ledger.dose_history import RecentPresence
from patrolplan.team.school_answers import find_school_answers, list_promises
from patrolplan.team.week import DemandOutcome

MONDAY = dt.date(2026, 11, 30)
URN = "900001"


@pytest.fixture(scope="module")
def week(demo_week):
    """A week of the demo borough, without what it says of feared places."""
    demands = tuple(demand for demand in demo_week.demands if demand.kind != "feared")
    return dataclasses.replace(demo_week, demands=demands)


@pytest.fixture(scope="module")
def answers(week):
    """The answers to the first school, with nothing recorded."""
    return find_school_answers(week, None, [URN])[URN]


def test_each_heavy_place_of_the_school_is_answered(week, answers):
    """The places are the heaviest within reach, the heaviest first, with what may be shown."""
    plan, groups = week.plan, week.plan.area.reports
    places = find_feared_places(plan.area, plan.risk, plan.hotspots, [URN])
    assert [answer.place.name for answer in answers] == [place.name for place in places]
    assert len(answers) == FEARED_A_SCHOOL
    for answer in answers:
        assert answer.gave.reports == groups.counts[answer.place.group]
        assert answer.gave.reports % 5 == 0
        assert answer.gave.max_reports == answer.gave.reports + 4
        shown = [int(n[answer.place.group]) for n in groups.by_term.values()]
        assert (answer.gave.latest is None) == (not any(shown))


def test_days_planned_are_those_of_the_duties(week, answers):
    """A day counts once, whichever school's patrol comes; without duties no day is left."""
    for answer in answers:
        days = [
            duty.date
            for duty in week.duties
            if any(set(stop.covered) & set(answer.place.hotspots) for stop in duty.patrol.stops)
        ]
        assert answer.promise.days == len(set(days))
    assert max(answer.promise.days for answer in answers) > 1
    empty = dataclasses.replace(week, duties=())
    assert {answer.promise.days for answer in find_school_answers(empty, None, [URN])[URN]} == {0}


def test_presence_is_counted_by_day_or_not_known(week, answers):
    """Days at several hotspots of a place count once; without a record none is claimed."""
    assert {answer.days_before for answer in answers} == {None}
    first, second = answers[0].place.hotspots[:2]
    days = [MONDAY - dt.timedelta(days=n) for n in (7, 6, 5)]
    presence = RecentPresence(2, {first: frozenset(days[:2]), second: frozenset(days[1:])})
    found = find_school_answers(week, presence, [URN])[URN]
    assert [answer.days_before for answer in found] == [3, 0, 0, 0, 0]
    assert {answer.weeks_recorded for answer in found} == {2}


def test_why_nobody_comes_is_of_the_demand(week, answers):
    """A place that is not met has the reason of its demand; one that is met has none."""
    place = answers[0].place
    note = Note("demand_unfit", {"place": place.name, "school": "A"})
    unmet = DemandOutcome("feared", place.name, None, 1, why=note)
    empty = dataclasses.replace(week, duties=(), demands=(unmet,))
    first, *others = find_school_answers(empty, None, [URN])[URN]
    assert first.promise.why_not == "demand_unfit"
    assert {answer.promise.why_not for answer in others} == {None}
    met = dataclasses.replace(week, demands=(unmet,))
    assert find_school_answers(met, None, [URN])[URN][0].promise.why_not is None


def test_last_week_counts_for_the_fortnight(week, answers):
    """A hotspot of the place that had its dose in the week before is seen."""
    name = answers[1].place.hotspots[0]
    other = dataclasses.replace(week, delivered={name: frozenset({MONDAY - dt.timedelta(days=3)})})
    found = [promise.was_last_week for _, promise in list_promises(other, [URN])[URN]]
    assert found == [False, True, False, False, False]


def test_a_place_is_compared_with_those_in_reach_alone(week, answers):
    """A change is measured for places that show reports in the latest two terms near the school."""
    groups = week.plan.area.reports
    for answer in answers:
        if answer.change is not None:
            terms = (answer.change.before, answer.change.latest)
            assert any(groups.by_term[term][answer.place.group] for term in terms)
            assert terms == (sorted(groups.by_term)[-2], max(groups.by_term))
    assert any(answer.change is not None for answer in answers)
    assert any(answer.change is None for answer in answers)


def test_without_reports_nothing_is_answered(week, demo_area):
    """An area without groups of reports, or without their squares, has no answers."""
    pieces = len(demo_area.reports.group_of_piece)
    bare = dataclasses.replace(demo_area.reports, squares=np.zeros((0, 3), dtype=np.int64))
    for groups in (ReportGroups.empty(pieces, 5), bare):
        area = dataclasses.replace(demo_area, reports=groups)
        other = dataclasses.replace(week, plan=dataclasses.replace(week.plan, area=area))
        assert find_school_answers(other, None, [URN]) == {URN: ()}
