"""What a school and its pupils hold shows no single report, and lets nobody foresee a patrol."""

import dataclasses
import datetime as dt

import pytest
from attacks import small_town as town
from weeks_by_hand import build_week

import patrolplan as pp
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.school_sheet import build_poster, build_school_sheet
from patrolplan.settings import parse_settings
from patrolplan.team.ledger.monthly_return import RecentPresence
from patrolplan.team.school_answers import find_school_answers
from patrolplan.team.week import Duty

MONDAY = dt.date(2026, 11, 30)
SUMMER, SPRING = "2026-05-04", "2026-02-04"


DARK = {"place_factor": "poor_lighting", "behaviour_factor": "robbery_or_threat"}
REPORTS = [
    *town.scatter(0, 0, 12, **DARK, reported_on=SPRING),
    *town.scatter(0, 0, 6, reported_on=SUMMER),
    *town.scatter(1, 1, 7, place_factor="isolated", reported_on=SUMMER),
    *town.scatter(2, 0, 3, behaviour_factor="followed"),
]
"""In squares: 18 reports of two terms, 7 of one, and 3, which are never shown."""


@pytest.fixture(scope="module")
def hold(tmp_path_factory):
    """What the school holds of some reports: its sheet and its poster, as bytes."""
    folder = tmp_path_factory.mktemp("town")
    data = town.describe_settings(town.write_town(folder))
    settings = parse_settings(data, folder=folder)

    def make(reports):
        town.write_reports(folder / "reports.csv", reports)
        return _render_papers(_build_week(town.plan(pp.load_area(settings))))

    return make


def _build_week(plan):
    """A week of one patrol."""
    patrol = plan.patrols[0]
    start, end = patrol.start_minutes, patrol.end_minutes
    duty = Duty("SSO-99", town.URN, MONDAY, start, end, 0, patrol=patrol, leave_minutes=start - 10)
    return build_week(plan, (MONDAY,), (duty,))


def _render_papers(week):
    """Sheet and poster, where somebody was at every hotspot last week."""
    days = frozenset({MONDAY - dt.timedelta(days=4)})
    presence = RecentPresence(4, dict.fromkeys(week.plan.hotspots["hotspot"], days))
    answers, roster = find_school_answers(week, presence, [town.URN])[town.URN], Roster(week)
    school = roster.schools_by_urn[town.URN]
    poster = build_poster(roster, school, answers, presence)
    sheet = build_school_sheet(roster, school, answers)
    return sheet.render(week.plan), poster and poster.render(week.plan)


@pytest.fixture(scope="module")
def before(hold):
    """What the school holds of all reports: both papers with answers."""
    papers = hold(REPORTS)
    assert all(papers)
    return papers


@pytest.mark.parametrize(
    "more",
    [
        town.scatter(0, 0, 1, **DARK, reported_on=SPRING),  # 19 in all, 13 of its factor and term
        town.scatter(1, 1, 2, place_factor="isolated"),  # 9 in all
        town.scatter(2, 0, 1, behaviour_factor="followed"),  # 4: still under the threshold
        town.scatter(2, 1, 1, **DARK),  # the first of its square
        # One pupil's three places.
        [
            *town.scatter(0, 0, 1, reported_on=SPRING),
            *town.scatter(1, 1, 1, reported_on=SUMMER),
            *town.scatter(2, 0, 1),
        ],
    ],
    ids=["in a group", "nearly a step", "nearly a group", "alone", "a pupil's three"],
)
def test_a_pupil_more_changes_no_byte(hold, before, more):
    """Sheet and poster are the same bytes with the reports of one pupil more, below the steps."""
    assert hold([*REPORTS, *more]) == before


@pytest.mark.parametrize("gone", [0, 12, 18, 25], ids=["spring", "summer", "isolated", "small"])
def test_a_pupil_less_changes_no_byte(hold, before, gone):
    """Sheet and poster are the same bytes without one report, as long as no step is passed."""
    assert hold([*REPORTS[:gone], *REPORTS[gone + 1 :]]) == before


def test_where_in_its_square_a_report_lies_changes_no_byte(hold, before):
    """Moved within their squares, reports give the same papers."""
    moved = [
        dataclasses.replace(one, x=one.x // 250 * 250 + 200, y=one.y // 250 * 250 + 180)
        for one in REPORTS
    ]
    assert hold(moved) == before


def test_a_step_passed_is_seen(hold, before):
    """The tests above could fail: five reports more are another number on both papers."""
    sheet, poster = hold([*REPORTS, *town.scatter(0, 0, 5, reported_on=SUMMER)])
    assert sheet != before[0]
    assert poster != before[1]


def test_groups_under_the_threshold_alone_leave_no_trace(hold):
    """Four reports in each square, or none at all: the same sheet, and no poster."""
    few = [one for square in ((0, 0), (1, 1), (2, 0)) for one in town.scatter(*square, 4, **DARK)]
    empty_sheet, empty_poster = hold(town.scatter(0, 0, 1))
    assert hold(few) == (empty_sheet, None)
    assert empty_poster is None
