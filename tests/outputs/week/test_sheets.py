"""The week for the wall, the officers' sheets and the lead's; who is who, and names of files."""

import datetime as dt
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, strategies as st
from outputs.printed import change_settings, find_words_off_page, read_pages, strip_spaces

from patrolplan.area.square_names import format_grid_reference
from patrolplan.notes import Note
from patrolplan.outputs.card import card_text
from patrolplan.outputs.week.lead_sheet import build_lead_sheet
from patrolplan.outputs.week.roster import DEMANDS, RESERVED_FILE_NAMES, Roster, make_file_names
from patrolplan.outputs.week.task_sheets import build_task_sheets
from patrolplan.patrols.demands import DemandKind
from patrolplan.patrols.plan import BarredPlace, Tasking
from patrolplan.team.week_records import DemandOutcome, Draw, Foreseen
from patrolplan.times import format_span

NAME = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*]'
DRAW = Draw(number=1, commitment="ab12" * 16, give=0.02, best_worth=2.0, digest="")
NASTY = st.text(st.sampled_from('aA1/\\.:*?"<>| \t\r\n-_éÉß\u202e'), max_size=80)


def test_a_sheet_says_where_to_keep_away_from(roll):
    """Each patrol has the places near its way to keep away from, and markup in them is text."""
    duty = roll.week.duties[0]
    tasking = Tasking("T-09", NAME * 3, "A", dt.date(2026, 5, 4))
    barred = BarredPlace(point=duty.patrol.point, place=NAME, tasking=tasking)
    elsewhere = (barred.x + 5000, barred.y)
    far = replace(barred, point=elsewhere, tasking=replace(tasking, place_id="T-10"))
    patrol = replace(duty.patrol, barred=(far, barred))
    own = replace(duty, patrol=patrol)
    (page,) = read_pages(build_task_sheets(roll, [own], is_whole=False).render(roll.week.plan))
    grid = format_grid_reference(barred.x, barred.y)
    assert strip_spaces(f"Keep away from {NAME} ({grid}), T-09: {NAME * 3}") in page
    assert strip_spaces("(requested by A, until 4 May 2026).") in page
    assert "T-10" not in page


@pytest.mark.parametrize("count", [1, 4, 7, 12])
def test_no_page_of_a_sheet_is_without_a_patrol(roll, count):
    """However many patrols an officer has, the closing note takes no page of its own."""
    duty = max(roll.week.duties, key=lambda duty: len(duty.patrol.stops))
    days = roll.week.days
    duties = [replace(duty, date=days[n % len(days)]) for n in range(count)]
    for page in read_pages(build_task_sheets(roll, duties, is_whole=False).render(roll.week.plan)):
        assert "onthewallmap" in page
        assert "Tickwhatwasdone" in page


def test_names_are_text_and_nothing_else(hostile):
    """A name full of markup is printed letter by letter, cut where it is too long."""
    roll = Roster(hostile)
    duties = [duty for duty in hostile.duties if duty.urn == "900001"]
    text = "".join(
        read_pages(build_task_sheets(roll, duties, is_whole=False).render(roll.week.plan))
    )
    assert strip_spaces(NAME)[:40] in text
    for duty in duties:
        assert strip_spaces(roll.print_officer(duty.officer)) in text


def test_what_was_accepted_is_printed_on_sheets_and_cards(roll):
    """Why implausible data is accepted, and discovered offences count, is on each, nothing cut."""
    plan = roll.week.plan
    note = Note("check_accepted", "Accepted in the settings (rota on Monday): officers.csv: none.")
    crimes = {"include_discovered": True, "reason": "joint operation"}
    area = change_settings(plan.area, crimes=crimes)
    plan = replace(plan, area=replace(area, notes=(*area.notes, note)))
    sheets = build_task_sheets(Roster(replace(roll.week, plan=plan)), roll.week.duties)
    card = card_text.build_card_data(plan, plan.patrols[0], "x")
    words = [note.text, "Offences that patrols discover count too: joint operation."]
    for basis in (sheets.data["basis"], card["basis"]):
        assert all(word in " ".join(basis) for word in words)
    pdf = sheets.render(plan)
    assert find_words_off_page(pdf) == []
    pages = read_pages(pdf)
    people = {name for duty in roll.week.duties for name in duty.people}
    said = [page for page in pages if strip_spaces(words[1]) in page]
    assert sum("Tasksheet" in page for page in said) == len(people) < len(said)


def test_the_sheet_is_a_page_or_two_with_all_of_it(week, hostile):
    """All content is on the paper, markup in names is text, and equal weeks give equal bytes."""
    foreseen = Foreseen(0.37, 0.37)  # as if drawn with a secret, at 1.5 % less than the best
    drawn = replace(week, draw=DRAW, worth=1.97, foreseen=foreseen, history=(), absent={})
    pdf = build_lead_sheet(Roster(drawn)).render(drawn.plan)
    assert pdf == build_lead_sheet(Roster(drawn)).render(drawn.plan)
    text = read_pages(pdf)
    assert len(text) <= 2
    assert strip_spaces("ab12ab12 " * 8) in "".join(text)
    for duty in drawn.duties:
        assert strip_spaces(format_span(duty.start_minutes, duty.end_minutes)) in "".join(text)
    assert find_words_off_page(pdf) == []
    other = read_pages(build_lead_sheet(Roster(hostile)).render(hostile.plan))
    assert strip_spaces("St. <script>alert(1)</script>") in "".join(other)


@pytest.mark.parametrize("kind", get_args(DemandKind))
def test_a_demand_of_every_kind_is_on_the_sheet(week, kind):
    """Under the heading of its kind stands who goes there, or that nobody does."""
    place = week.plan.hotspots["hotspot"].iloc[0]
    data = build_lead_sheet(
        Roster(replace(week, demands=(DemandOutcome(kind, place, None, 1),)))
    ).data
    (group,) = data["demands"]
    assert group["title"].startswith(DEMANDS[kind].lead.partition("{")[0])
    assert len(group["rows"]) == 1


@given(st.lists(st.one_of(NASTY, st.text(max_size=90)), max_size=12))
def test_file_names_are_plain_and_all_different(texts):
    """Any texts get names of letters and digits that differ even where case does not count."""
    names = make_file_names(texts)
    assert set(names) == set(texts)
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded)) == len(folded)
    for name in names.values():
        assert name
        assert len(name) < 80
        assert all(sign.isalnum() or sign in "-_" for sign in name)
        assert name.casefold() not in RESERVED_FILE_NAMES


def test_a_school_that_left_the_plan_stays_with_its_patrols(week):
    """A published duty at a school that no longer exists is still shown."""
    duty = week.duties[0]
    area = week.plan.area
    there = (area.schools["urn"] != duty.urn).to_numpy()
    schools, gates = area.schools[there].reset_index(drop=True), area.gates.take(there)
    less = replace(area, schools=schools, gates=gates)
    patrols = tuple(patrol for patrol in week.plan.patrols if patrol.urn != duty.urn)
    plan = replace(week.plan, area=less, patrols=patrols)
    roll = Roster(replace(week, plan=plan))
    last, own = roll.schools[-1], duty.patrol
    assert (last.urn, last.name, last.x, last.y) == (duty.urn, own.school, own.x, own.y)
    assert roll.card_path(duty).endswith(f"-{duty.urn}.pdf")
    assert duty in roll.select_duties(None, duty.date, duty.urn)
