"""What a school is owed after a survey: its places, and what became of each."""

import dataclasses
import datetime as dt

import pytest

from patrolplan.patrols.feared_places import FEARED_A_SCHOOL, find_feared_places
from patrolplan.team.ledger.monthly_return import RecentPresence
from patrolplan.team.school_answers import find_school_answers

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


def test_presence_is_counted_by_day_or_not_known(week, answers):
    """Days at several hotspots of a place count once; without a record none is claimed."""
    assert {answer.days_before for answer in answers} == {None}
    first, second = answers[0].place.hotspots[:2]
    days = [MONDAY - dt.timedelta(days=n) for n in (7, 6, 5)]
    presence = RecentPresence(2, {first: frozenset(days[:2]), second: frozenset(days[1:])})
    found = find_school_answers(week, presence, [URN])[URN]
    assert [answer.days_before for answer in found] == [3, 0, 0, 0, 0]
    assert {answer.weeks_recorded for answer in found} == {2}


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
