"""The week for the wall, and the officers' sheets."""

import dataclasses
import datetime as dt

import pytest
from outputs.printed import find_words_off_page, read_pages, strip_spaces

from patrolplan.notes import Note
from patrolplan.outputs.card import card_text
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.task_sheets import build_tasks_data, render_task_sheets
from patrolplan.outputs.wording import format_grid_reference
from patrolplan.patrols.plan import BarredPlace, Tasking
from patrolplan.team.rota import plan_week
from patrolplan.team.week_file import build_week_document

NAME = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*]'


@pytest.fixture(scope="module")
def tasks(roll):
    """The demo week's pages."""
    return render_task_sheets(roll, roll.week.duties)


def test_a_sheet_says_where_to_keep_away_from(roll):
    """Each patrol has the places near its way to keep away from, and markup in them is text."""
    duty = roll.week.duties[0]
    tasking = Tasking("T-09", NAME * 3, "A", dt.date(2026, 5, 4))
    barred = BarredPlace(point=duty.patrol.point, place=NAME, tasking=tasking)
    far = dataclasses.replace(
        barred,
        point=(barred.x + 5000, barred.y),
        tasking=dataclasses.replace(tasking, place_id="T-10"),
    )
    patrol = dataclasses.replace(duty.patrol, keep_away=(far, barred))
    own = dataclasses.replace(duty, patrol=patrol)
    (page,) = read_pages(render_task_sheets(roll, [own], wall=False))
    grid = format_grid_reference(barred.x, barred.y)
    assert strip_spaces(f"Keep away from {NAME} ({grid}), T-09: {NAME * 3}") in page
    assert strip_spaces("(requested by A, until 4 May 2026).") in page
    assert "T-10" not in page


@pytest.mark.parametrize("count", range(1, 13))
def test_no_page_of_a_sheet_is_without_a_patrol(roll, count):
    """However many patrols an officer has, the closing note takes no page of its own."""
    duty = max(roll.week.duties, key=lambda duty: len(duty.patrol.stops))
    days = roll.week.days
    duties = [dataclasses.replace(duty, date=days[n % len(days)]) for n in range(count)]
    for page in read_pages(render_task_sheets(roll, duties, wall=False)):
        assert "onthewallmap" in page
        assert "Tickwhatwasdone" in page


def test_nothing_is_cut_by_the_edge(tasks):
    """All words are within their pages."""
    assert find_words_off_page(tasks) == []


def test_names_are_text_and_nothing_else(hostile):
    """A name full of markup is printed letter by letter, cut where it is too long."""
    roll = Roster(hostile)
    duties = [duty for duty in hostile.duties if duty.urn == "900001"]
    text = "".join(read_pages(render_task_sheets(roll, duties, wall=False)))
    assert strip_spaces(NAME)[:40] in text
    for duty in duties:
        assert strip_spaces(roll.print_officer(duty.officer)) in text


def test_an_accepted_check_is_printed_on_sheets_and_cards(roll):
    """The written reason for which implausible data is accepted stands on every paper."""
    values = {"check": "no_hours", "message": "officers.csv: none", "reason": "rota on Monday"}
    plan = roll.week.plan
    notes = (*plan.area.notes, Note("check_accepted", values))
    plan = dataclasses.replace(plan, area=dataclasses.replace(plan.area, notes=notes))
    week = dataclasses.replace(roll.week, plan=plan)
    words = "Accepted in the settings (rota on Monday): officers.csv: none."
    assert words in build_tasks_data(Roster(week), week.duties, wall=False)["basis"]
    assert words in " ".join(card_text.build_card_data(plan, plan.patrols[0], "x")["basis"])


@pytest.mark.slow
def test_the_reason_without_the_guard_is_on_the_wall_every_sheet_and_in_the_document(
    demo_area, demo_plan, week
):
    """Where offences that patrols discover count, every paper of the week says why."""
    crimes = demo_area.settings.crimes.model_copy(
        update={"include_discovered": True, "reason": "joint operation"}
    )
    settings = demo_area.settings.model_copy(update={"crimes": crimes})
    area = dataclasses.replace(demo_area, settings=settings)
    plan = dataclasses.replace(demo_plan, area=area)
    switched_off = plan_week(area, plan, start=week.days[0])
    note = "Offences that patrols discover count too: joint operation."
    reason = {"kind": "discovered_counted", "values": {"reason": "joint operation"}}
    assert reason in build_week_document(switched_off)["notes"]
    assert reason not in build_week_document(week)["notes"]
    text = read_pages(render_task_sheets(Roster(switched_off), switched_off.duties))
    people = {name for duty in switched_off.duties for name in duty.people}
    sheets = [page for page in text if strip_spaces("Task sheet") in page]
    assert len(sheets) == len(people)
    assert all(strip_spaces(note) in page for page in sheets)
    assert any(strip_spaces(note) in page for page in text if page not in sheets)
