"""What a week does not reach: every row, with why and what to do, is found by a plain count."""

import datetime as dt
from dataclasses import replace

import pytest

from patrolplan.patrols.demands import KINDS
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.free_time import list_school_days
from patrolplan.team.not_met import HEAVIEST, count_unmet, list_missing, list_unmet
from patrolplan.team.obstacle_finder import find_obstacles_beside
from patrolplan.team.rota import settle_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.week_records import DemandOutcome, Unmet

DAYS = list_school_days(dt.date(2026, 11, 30))


@pytest.fixture(scope="module")
def inputs(demo_area, demo_week):
    """What the week was chosen from."""
    return RotaInputs(demo_area, list_day_plans(demo_week.plan, demo_week.days), demo_week.days)


def settle(inputs, week, duties):
    """The rows of a week with other patrols."""
    return settle_week(inputs, week, duties).unmet


def test_every_school_day_is_patrolled_or_in_a_row(demo_week, demo_area):
    """Days with and without a patrol are all days of all schools, and each row says why."""
    days = list_missing(demo_week.unmet, "day", "closed")
    there = {(duty.urn, duty.date) for duty in demo_week.duties}
    rows = [(row.urn, row.date) for row in days]
    assert sorted([*there, *rows]) == sorted(
        (urn, day) for urn in demo_area.schools["urn"] for day in demo_week.days
    )
    assert all(row.why for row in days)


def test_schools_below_the_minimum_are_those_a_count_finds(inputs, demo_week):
    """Without its patrols a school has none this week; with all of them none is short."""
    gone = {"900001", "900002"}
    left = [duty for duty in demo_week.duties if duty.urn not in gone]
    short = list_missing(settle(inputs, demo_week, left), "minimum")
    assert {row.urn for row in short} == gone
    assert {row.why for row in short} == {"no patrol this week"}
    assert not list_missing(settle(inputs, demo_week, demo_week.duties), "minimum")


def test_streets_with_most_risk_are_visited_or_in_a_row(inputs, demo_week):
    """Each of the priority streets with most risk has a stay in sight, or a row."""
    table = demo_week.plan.hotspots.nlargest(HEAVIEST, "worth", keep="first")
    seen = {name for stay in demo_week.stays for name in stay.names}
    rows = list_missing(demo_week.unmet, "street")
    assert {row.place for row in rows} == set(table["hotspot"]) - seen
    assert {row.place for row in list_missing(settle(inputs, demo_week, ()), "street")} == set(
        table["hotspot"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_demand_without_all_its_visits_is_a_row(inputs, demo_week, kind):
    """It names the place, counts the visits made, and says what a lead can do."""
    place = demo_week.plan.hotspots["hotspot"].iloc[0]
    demand = DemandOutcome(kind, place, None, 1)
    finder = find_obstacles_beside(inputs, demo_week.duties)
    first = next(list_unmet(finder, demo_week.duties, (demand,)))
    assert (first.kind, first.place) == ("visit", place)
    assert place in first.what or kind == "feared"
    assert first.why == "nobody goes there"
    assert first.fix
    met = replace(demand, visits=0)
    assert all(row.kind != "visit" for row in list_unmet(finder, demo_week.duties, (met,)))


def test_counts_say_how_much_is_not_met():
    """Each kind is counted in words; closed days are no lack."""
    rows = [Unmet("visit", "A", "x"), Unmet("day", "B", "y"), Unmet("day", "C", "y")]
    words = "1 place short of visits, 2 school days without a patrol"
    assert count_unmet([*rows, Unmet("closed", "D", "z")]) == words
    assert count_unmet([Unmet("closed", "D", "z")]) == ""
