"""Which papers of a week's folder show an earlier week."""

import dataclasses
import datetime as dt

import pytest
from weeks_by_hand import build_week

from patrolplan.board.printing import find_outdated_papers, hash_books, hash_cards, hash_sheets
from patrolplan.patrols.feared_places import find_feared_places
from patrolplan.team.school_answers import list_promises
from patrolplan.team.week import Duty

MONDAY = dt.date(2026, 11, 30)
WALL = {"lead.pdf", "map.html", "tasks.pdf", "week.csv", "week.xlsx"}


@pytest.fixture(scope="module")
def week(demo_plan):
    """A week of two patrols by two officers."""
    patrols = {patrol.urn: patrol for patrol in demo_plan.patrols}
    duties = tuple(
        Duty(
            *(officer, urn, MONDAY, patrols[urn].start_minutes, patrols[urn].end_minutes, 0),
            patrol=patrols[urn],
            leave_minutes=patrols[urn].start_minutes - 10,
            back_minutes=patrols[urn].end_minutes + 10,
        )
        for officer, urn in (("SSO-01", "900001"), ("SSO-04", "900003"))
    )
    return build_week(demo_plan, (MONDAY,), duties)


@pytest.fixture(scope="module")
def shown(week):
    """What the papers of that week show."""
    return hash_cards(week) | hash_books(week)


@pytest.fixture(scope="module")
def names(shown):
    """Its folder."""
    return {*WALL, *shown, "week.json", "schools/900001.pdf", "schools/900003.pdf"}


def _replace(week, **changes):
    """The week with its first duty changed."""
    first, *others = week.duties
    return dataclasses.replace(week, duties=(dataclasses.replace(first, **changes), *others))


def test_another_companion_makes_their_papers_and_the_card_stale(week, shown, names):
    """Card, book and calendar of the officer; those of who is not concerned stay."""
    stale = set(find_outdated_papers(_replace(week, crew=("SSO-08",)), names, shown))
    assert stale == WALL | {
        "calendars/SSO-01.ics",
        "cards/SSO-01.pdf",
        "cards/SSO-01/2026-11-30-900001.pdf",
        "schools/900001.pdf",
    }


def test_a_patrol_of_another_window_has_a_card_of_its_own(week):
    """Two patrols of an officer at one school on a day have two cards and one school sheet."""
    first = week.duties[0]
    morning = dataclasses.replace(
        first, patrol=dataclasses.replace(first.patrol, window="morning_gate")
    )
    both = dataclasses.replace(week, duties=(morning, *week.duties))
    names = {"schools/900001.pdf", *hash_cards(both)}
    assert "cards/SSO-01/2026-11-30-900001.morning_gate.pdf" in names
    shown = hash_cards(both)
    stale = find_outdated_papers(week, names, shown)
    assert stale == ["cards/SSO-01/2026-11-30-900001.morning_gate.pdf", "schools/900001.pdf"]


def test_a_sheet_is_stale_where_another_schools_patrol_no_longer_comes(week, names):
    """The sheet says on how many days somebody comes to a feared place, from whichever school."""
    first, second = week.duties
    stays, plan = dataclasses.replace(second.patrol, stops=()), week.plan
    feared = find_feared_places(plan.area, plan.risk, plan.hotspots, [second.urn])[0]
    stop = dataclasses.replace(first.patrol.stops[0], sees=feared.hotspots)
    week, other = (
        dataclasses.replace(
            week,
            duties=(
                dataclasses.replace(first, patrol=dataclasses.replace(first.patrol, stops=stops)),
                dataclasses.replace(second, patrol=stays),
            ),
        )
        for stops in ((stop, *first.patrol.stops[1:]), ())
    )
    shown = hash_cards(week) | hash_books(week) | hash_sheets(week)
    assert {"schools/900001.pdf", "schools/900003.pdf"} <= set(shown)
    assert find_outdated_papers(week, names, shown) == []
    promises, fewer = (list_promises(each, ["900001", "900003"]) for each in (week, other))
    assert promises["900003"] != fewer["900003"]
    assert [name for name, _ in promises["900003"]] == [name for name, _ in fewer["900003"]]
    stale = find_outdated_papers(other, names, shown)
    assert {"schools/900001.pdf", "schools/900003.pdf"} <= set(stale)
