"""The week for the wall, and the officers' sheets."""

import dataclasses
import datetime as dt
import io
import re

import pypdf
import pytest
from outputs.printed import find_words_off_page, read_pages, strip_spaces

import patrolplan as pp
from patrolplan.notes import Note
from patrolplan.outputs.card import card_text
from patrolplan.outputs.tasking_words import describe_tasking
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.task_sheets import (
    build_tasks_data,
    format_officer_name,
    render_task_sheets,
)
from patrolplan.outputs.wording import describe_place, format_grid_reference
from patrolplan.patrols.plan import BarredPlace, Tasking
from patrolplan.team.rota import plan_week
from patrolplan.team.week_file import build_week_document
from patrolplan.times import format_time

NAME = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*]'


@pytest.fixture(scope="module")
def tasks(roll):
    """The demo week's pages."""
    return render_task_sheets(roll, roll.week.duties)


def test_every_duty_stands_on_the_wall_and_on_its_officers_sheet(roll, tasks):
    """Each officer has one page, named on top, with school, hours and stops of every duty."""
    text = read_pages(tasks)
    sheets = {page.split("Tasksheet")[0]: page for page in text if "Tasksheet" in page}
    duties = roll.week.duties
    assert len(sheets) == len({name for duty in duties for name in (duty.officer, *duty.crew)})
    for duty in roll.week.duties:
        sheet = next(page for head, page in sheets.items() if strip_spaces(duty.officer) in head)
        assert f"Setoutfrombase{format_time(duty.leave_minutes)}" in sheet
        assert strip_spaces(duty.patrol.school) in sheet
        for stop in duty.patrol.stops:
            times = (
                f"{format_time(stop.arrive_minutes)}\N{EN DASH}{format_time(stop.leave_minutes)}"
            )
            assert times in sheet
            assert strip_spaces(describe_place(stop)) in sheet
        hours = f"{format_time(duty.start_minutes)}\N{EN DASH}{format_time(duty.end_minutes)}"
        assert f"{strip_spaces(duty.officer)}{hours}" in "".join(text)
        assert hours in "".join(text)


def test_wall_tells_where_and_what_is_not_met(roll, tasks):
    """Every place of the week has a row with arrivals, every gap its reason; no id is printed."""
    whole = "".join(read_pages(tasks))
    assert not re.search(r"P\d+-\d", whole)
    for duty in roll.week.duties:
        for stop in (stop for stop in duty.patrol.stops if stop.kind != "gate"):
            assert strip_spaces(f"{format_time(stop.arrive_minutes)} {duty.officer}") in whole
    for gap in roll.week.unmet:
        assert strip_spaces(gap.why) in whole


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


def test_a_tasking_stands_whole_on_a_sheet(roll):
    """Reason, who asks, and until when."""
    sheets = build_tasks_data(roll, roll.week.duties, wall=False)["sheets"]
    reasons = [
        why
        for sheet in sheets
        for day in sheet["days"]
        for task in day["duties"]
        for stop in task["stops"]
        for why in stop["why"]
        if why.startswith("Tasked: ")
    ]
    assert reasons
    taskings = [stop.tasking for duty in roll.week.duties for stop in duty.patrol.stops]
    whole = {f"Tasked: {describe_tasking(one)}." for one in taskings if one is not None}
    assert set(reasons) == whole


@pytest.mark.parametrize("count", range(1, 13))
def test_no_page_of_a_sheet_is_without_a_patrol(roll, count):
    """However many patrols an officer has, the closing note takes no page of its own."""
    duty = max(roll.week.duties, key=lambda duty: len(duty.patrol.stops))
    days = roll.week.days
    duties = [dataclasses.replace(duty, date=days[n % len(days)]) for n in range(count)]
    for page in read_pages(render_task_sheets(roll, duties, wall=False)):
        assert "onthewallmap" in page
        assert "Tickwhatwasdone" in page


def test_four_patrols_stand_on_one_page(roll):
    """A sheet that is a little too long is set closer rather than on a second page."""
    mine = [duty for duty in roll.week.duties if duty.officer == "SSO-01"]
    assert len(mine) == 4
    assert len(read_pages(render_task_sheets(roll, mine, wall=False))) == 1


def test_nothing_is_cut_by_the_edge(tasks):
    """All words are within their pages."""
    assert find_words_off_page(tasks) == []


def test_pages_are_tagged_and_say_nothing_of_who_made_them(tasks):
    """The PDF has tags, a title and a language, and neither author nor date."""
    reader = pypdf.PdfReader(io.BytesIO(tasks))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    name = "Week of patrols: Eastmere (fictional), 30 November to 4 December 2026"
    assert reader.metadata.title == name
    assert reader.metadata.author is None


def test_names_are_text_and_nothing_else(hostile):
    """A name full of markup is printed letter by letter, cut where it is too long."""
    roll = Roster(hostile)
    duties = [duty for duty in hostile.duties if duty.urn == "900001"]
    text = "".join(read_pages(render_task_sheets(roll, duties, wall=False)))
    assert strip_spaces(NAME)[:40] in text
    for duty in duties:
        assert strip_spaces(format_officer_name(duty.officer)) in text


def test_a_choice_of_duties_has_no_wall(roll):
    """Printed in part, only the sheets of who is chosen come, with the days chosen."""
    duties = [duty for duty in roll.week.duties if duty.date == roll.week.days[1]]
    data = build_tasks_data(roll, duties, wall=False)
    assert data["wall"] is None
    assert [sheet["officer"] for sheet in data["sheets"]] == sorted(duty.officer for duty in duties)
    assert {day["day"] for sheet in data["sheets"] for day in sheet["days"]} == {
        "Tuesday 1 December"
    }


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


def test_closed_days_are_told_from_days_without_a_patrol(roll):
    """A school out of term stands as closed on the wall, without a reason among the gaps."""
    week = dataclasses.replace(roll.week)
    other = Roster(week)
    other.__dict__["closed_days"] = frozenset({("900005", week.days[0])})
    data = build_tasks_data(other, week.duties, wall=True)["wall"]
    row = next(row for row in data["schools"] if "900005" in row["about"])
    assert row["cells"][0] == {"duties": [], "none": "closed"}
    gap = next(gap for gap in data["gaps"] if gap["urn"] == "900005")
    assert not any(line.startswith("Mon") for line in gap["lines"])


def test_equal_weeks_give_equal_pages(roll, tasks):
    """Writing again changes no byte."""
    assert render_task_sheets(roll, roll.week.duties) == tasks


@pytest.mark.slow
def test_a_start_at_the_base_stands_on_the_sheet(roll, demo_area, demo_plan):
    """Who is led from their base sees when to leave it and how far it is; others have the gate."""
    changed = demo_area.settings.patrol.model_copy(update={"start": "base"})
    settings = demo_area.settings.model_copy(update={"patrol": changed})
    area = dataclasses.replace(demo_area, settings=settings)
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots)
    week = plan_week(area, plan, start=roll.week.start)
    text = "".join(read_pages(render_task_sheets(Roster(week), week.duties)))
    own = [duty for duty in week.duties if duty.patrol.approach and duty.urn != "900009"]
    assert own
    for duty in own:
        assert f"Setoutfrombase{format_time(duty.patrol.set_out_minutes)}" in text
    assert "Fromthebase" in text
    assert "Fromthebase" not in "".join(read_pages(render_task_sheets(roll, roll.week.duties)))


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
