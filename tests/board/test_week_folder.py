"""Which papers of a week's folder show an earlier week."""

import dataclasses
import datetime as dt

import pytest
from weeks_by_hand import build_week

from patrolplan.board.week_folder import find_outdated_papers, hash_papers
from patrolplan.outputs.papers import WEEK_PAPERS
from patrolplan.outputs.week.roster import Roster
from patrolplan.patrols.demands import find_feared_places
from patrolplan.team.school_answers import list_promises
from patrolplan.team.week import Duty

MONDAY = dt.date(2026, 11, 30)
WALL = {"lead.pdf", "map.html", "notes.txt", "tasks.pdf", "week.csv", "week.xlsx"}


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
def names(week):
    """Its folder: each paper of the table, of every officer, school and card."""
    found = {"part/changed.pdf", *(paper.name for paper in WEEK_PAPERS if "*" not in paper.name)}
    for duty in week.duties:
        found |= {f"cards/{duty.officer}.pdf", f"calendars/{duty.officer}.ics"}
        found |= {Roster(week).card_path(duty)}
        found |= {f"{folder}/{duty.urn}.pdf" for folder in ("schools", "posters")}
    return found


@pytest.fixture(scope="module")
def shown(week, names):
    """What the papers of that week show."""
    return hash_papers(week, names)


def _replace(week, **changes):
    """The week with its first duty changed."""
    first, *others = week.duties
    return dataclasses.replace(week, duties=(dataclasses.replace(first, **changes), *others))


def test_another_companion_makes_their_papers_and_the_card_stale(week, shown, names):
    """Card, book and calendar of the officer; those of who is not concerned stay."""
    stale = set(find_outdated_papers(_replace(week, crew=("SSO-08",)), names, shown))
    assert stale == WALL | {
        "part/changed.pdf",
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
    names = {"schools/900001.pdf", *map(Roster(both).card_path, both.duties)}
    assert "cards/SSO-01/2026-11-30-900001.morning_gate.pdf" in names
    stale = find_outdated_papers(week, names, hash_papers(both, names))
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
    shown = hash_papers(week, names)
    assert {"schools/900001.pdf", "schools/900003.pdf"} <= set(shown)
    assert find_outdated_papers(week, names, shown) == []
    promises, fewer = (list_promises(each, ["900001", "900003"]) for each in (week, other))
    assert promises["900003"] != fewer["900003"]
    assert [name for name, _ in promises["900003"]] == [name for name, _ in fewer["900003"]]
    stale = find_outdated_papers(other, names, shown)
    assert {"schools/900001.pdf", "schools/900003.pdf"} <= set(stale)


def test_every_paper_that_shows_a_week_is_marked(week, names, shown):
    """Whatever a paper of the table shows, it is out of date once no patrol is left."""
    empty = dataclasses.replace(week, duties=())
    stale = find_outdated_papers(empty, names, shown)
    for paper in WEEK_PAPERS:
        files = {name for name in names if paper.matches(name)}
        assert files
        assert files <= set(stale) if paper.shows else not files & set(stale)
