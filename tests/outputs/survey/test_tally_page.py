"""The page for the tallies of a class: what a teacher enters is what the file holds."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from page_access import CONTRAST, FOCUS_SEEN, SMALL
from page_visits import DESK, PHONE
from playwright.sync_api import Page, expect
from survey_areas import HOSTILE, make_hostile
from survey_class import tab_to

from patrolplan.area.form_squares import build_form_grid
from patrolplan.inputs.survey_counts import count_surveys
from patrolplan.inputs.survey_form import TALLY_FORM
from patrolplan.outputs.survey.survey_pack import QUESTIONS, render_tally_page
from patrolplan.privacy import FACTORS

URN = "900003"
SMALL_PHONE = {"width": 360, "height": 640}
LEAST_CONTRAST = 4.5
FINGER_PIXELS = 44
WORDS = {choice.value: choice.words for one in QUESTIONS for choice in one.choices[:-1]}
FIELDS = 2 + len(WORDS)  # number fields of the page
ROWS = (
    (7, {"after_school": 5, "poor_lighting": 3, "groups_loitering": 4, "followed": 3}),
    (3, {}),
    (12, {"before_school": 6, "evening": 6, "traffic": 12}),
)
OF_TWO = {"followed": 3, "traffic": 2}
REFUSED = (
    (4, {"after_school": 5}, "time_band-after_school", "has 5 strokes, but only 4 pupils"),
    (4, OF_TWO, "behaviour_factor", "has 5 strokes in all, but only 4 pupils marked"),
    (31, {}, "square-pupils", "more than the 30 pupils who took part"),
    (1000, {}, "square-pupils", "whole number from 0 to 999"),
    ("2.5", {}, "square-pupils", "whole number from 0 to 999"),
    (6, {"isolated": -1}, "place_factor-isolated", "whole number from 0 to 999"),
)
DESCRIBED = """[document.activeElement.closest("fieldset[data-column]"), document.activeElement]
  .map((one) => one?.getAttribute("aria-describedby") ?? "").join(" ").split(" ")"""
LEAVE = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"


@pytest.fixture(scope="module")
def grid(demo_area):
    """The squares of the school's form."""
    return build_form_grid(demo_area, URN)


@pytest.fixture(scope="module")
def html(demo_area):
    """The page of a school of the demo borough."""
    return render_tally_page(demo_area, URN)


@pytest.fixture
def open_page(open_offline, html):
    """Open a page on a day of school."""

    def open_one(text=html, size=DESK) -> Page:
        visit = open_offline(text, size)
        visit.page.clock.set_fixed_time("2026-11-27T10:30:00")
        return visit.open()

    return open_one


def _number(page, name):
    return page.get_by_role("spinbutton", name=name, exact=True)


def _enter(page, cell, pupils, **counts):
    """Fill the fields of a row."""
    page.get_by_label("Letter of the square").select_option(cell.letter)
    page.get_by_label("Number of the square").select_option(cell.label[1:])
    _number(page, "Pupils who marked it").fill(str(pupils))
    for value, count in counts.items():
        _number(page, WORDS[value]).fill(str(count))


def _add(page):
    page.locator("#add").click()


def _save(page):
    """The name and the content of the file that is saved."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    path = Path(download.value.path())
    held = json.loads(path.read_text(encoding="utf-8"))
    read = count_surveys([path], today=dt.date(2026, 11, 27))
    assert [entry.id for entry in read.entries] == [held["id"]]
    return download.value.suggested_filename, held


def _expect_row(cell, pupils, **counts):
    """The square of a row as the file should hold it."""
    columns = {
        column: {value: counts[value] for value in values if counts.get(value)}
        for column, values in FACTORS.items()
    }
    return {"square": list(cell.square), "pupils": pupils, **columns}


@pytest.mark.parametrize(
    "size", [SMALL_PHONE, *(pytest.param(size, marks=pytest.mark.slow) for size in (PHONE, DESK))]
)
def test_file_holds_what_was_entered(open_page, grid, size):
    """Three rows, entered at any size, are in the file with day, pupils and a random id."""
    page = open_page(size=size)
    _number(page, "Pupils who took part").fill("28")
    page.get_by_label("Day", exact=True).select_option("26")
    cells = [grid.cells[3], grid.cells[40], grid.cells[-1]]
    for cell, (pupils, counts) in zip(cells, ROWS, strict=True):
        _enter(page, cell, pupils, **counts)
        _add(page)
        expect(page.locator("#news")).to_contain_text(f"{cell.label} is added")
    name, held = _save(page)
    assert re.fullmatch(r"[0-9a-f]{32}", held["id"])
    assert name == f"tally-{URN}-{held['id'][:8]}.json"
    rows = zip(cells, ROWS, strict=True)
    squares = [_expect_row(cell, pupils, **counts) for cell, (pupils, counts) in rows]
    head = {"form": TALLY_FORM, "id": held["id"], "school_urn": URN, "day": "2026-11-26"}
    assert held == head | {"pupils": 28, "squares": squares}
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_keyboard_alone_is_enough(open_page, grid):
    """By Tab, letters, digits and Enter alone a row is entered and saved, the focus always seen."""
    page = open_page()
    cell = grid.cells[20]
    typed = {"class-pupils": "30", "letter": cell.letter, "number": cell.label[1:]}
    typed |= {"square-pupils": "9", "time_band-after_school": "9", "behaviour_factor-traffic": "2"}
    page.locator("h1").click()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.id")
        reached.append(name)
        assert page.evaluate(FOCUS_SEEN), name
        if name in typed:
            page.keyboard.type(typed[name])
        if name == "add":
            page.keyboard.press("Enter")
            break
    assert set(typed) <= set(reached)
    assert page.evaluate("document.activeElement.id") == "letter"
    tab_to(page, "#save")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    held = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert held["pupils"] == 30
    assert held["squares"] == [_expect_row(cell, 9, after_school=9, traffic=2)]


def test_squares_are_those_of_the_form(open_page, grid):
    """Each letter offers the numbers that the form has, and each square says its streets."""
    page = open_page()
    letters = page.locator("#letter option").all_text_contents()[1:]
    assert letters == sorted({cell.letter for cell in grid.cells})
    for letter in letters:
        page.locator("#letter").select_option(letter)
        offered = page.locator("#number option").all_text_contents()[1:]
        assert offered == [cell.label[1:] for cell in grid.cells if cell.letter == letter]
        page.locator("#number").select_option(offered[0])
        cell = next(one for one in grid.cells if one.label == letter + offered[0])
        words = " and ".join(cell.streets) if cell.streets else "without a name"
        expect(page.locator("#square-name")).to_contain_text(words)


def test_impossible_row_is_refused(open_page, grid):
    """What cannot be is named next to its field while it is typed, and does not enter the list."""
    page = open_page()
    _number(page, "Pupils who took part").fill("30")
    for row, (pupils, counts, field, words) in enumerate(REFUSED):
        _enter(page, grid.cells[row], pupils, **counts)
        problem = page.locator(f"#{field}-problem")
        expect(problem).to_contain_text(words)
        _add(page)
        expect(page.locator("#rows li")).to_have_count(row)
        focused = page.evaluate("document.activeElement.id")
        assert focused == field or focused.startswith(f"{field}-")
        assert f"{field}-problem" in page.evaluate(DESCRIBED)
        for name in counts:
            _number(page, WORDS[name]).fill("")
        _number(page, "Pupils who marked it").fill("4")
        expect(problem).to_be_empty()
        _add(page)
        expect(page.locator("#rows li")).to_have_count(row + 1)


def test_incomplete_row_and_second_entry_of_a_square_are_refused(open_page, grid):
    """A row needs a square and its pupils, and a square is entered once."""
    page = open_page()
    _add(page)
    expect(page.locator("#square-problem")).to_contain_text("Choose the letter and the number")
    expect(page.locator("#square-pupils-problem")).to_contain_text("how many pupils marked")
    for _ in range(2):
        _enter(page, grid.cells[7], 5)
        _add(page)
    expect(page.locator("#square-problem")).to_contain_text("is entered already")
    expect(page.locator("#rows li")).to_have_count(1)


def test_file_is_refused_until_it_is_possible(open_page, grid):
    """Too few pupils, too many marks, a day to come or an open row: nothing is saved."""
    page = open_page()
    save = page.get_by_role("button", name="Save the file")
    downloads = []
    page.on("download", lambda download: downloads.append(download.suggested_filename))
    save.click()
    expect(page.locator("#class-pupils-problem")).to_contain_text("Enter how many pupils")
    _number(page, "Pupils who took part").fill("4")
    save.click()
    expect(page.locator("#class-pupils-problem")).to_contain_text("at least 5 pupils")
    for cell in grid.cells[:4]:
        _number(page, "Pupils who took part").fill("5")
        _enter(page, cell, 5)
        _add(page)
    save.click()
    expect(page.locator("#rows-problem")).to_contain_text("can mark 15 squares at most")
    page.get_by_role("button", name=f"Remove {grid.cells[3].label}").click()
    page.get_by_label("Day", exact=True).select_option("28")
    save.click()
    expect(page.locator("#day-problem")).to_contain_text("still to come")
    page.get_by_label("Day", exact=True).select_option("31")
    save.click()
    expect(page.locator("#day-problem")).to_contain_text("no such day")
    page.get_by_label("Day", exact=True).select_option("27")
    _enter(page, grid.cells[8], 2)
    save.click()
    expect(page.locator("#square-problem")).to_contain_text("not in the list yet")
    page.get_by_role("button", name="Clear").click()
    assert downloads == []
    _, held = _save(page)
    assert [row["pupils"] for row in held["squares"]] == [5, 5, 5]


def test_rows_are_changed_and_removed(open_page, grid):
    """A changed row replaces the old one, a removed one is gone, and leaving unsaved is warned."""
    page = open_page()
    _number(page, "Pupils who took part").fill("20")
    for cell in grid.cells[:3]:
        _enter(page, cell, 6, lunch=2)
        _add(page)
    assert page.evaluate(LEAVE) is False
    first, second, third = grid.cells[:3]
    page.get_by_role("button", name=f"Change {first.label}").click()
    assert _number(page, WORDS["lunch"]).input_value() == "2"
    _number(page, WORDS["lunch"]).fill("")
    _number(page, WORDS["evening"]).fill("6")
    page.get_by_role("button", name="Save the change").click()
    page.get_by_role("button", name=f"Remove {second.label}").click()
    _, held = _save(page)
    assert page.evaluate(LEAVE) is True
    assert held["squares"] == [_expect_row(first, 6, evening=6), _expect_row(third, 6, lunch=2)]
    page.get_by_role("button", name=f"Change {third.label}").click()
    page.get_by_role("button", name="Leave it as it was").click()
    assert _save(page)[1]["id"] == held["id"]


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_it_is_legible_named_and_large_enough(open_page, grid, size):
    """Text has 4.5:1, controls have names and 44 pixels; only numbers and lists can be entered."""
    page = open_page(size=size)
    _enter(page, grid.cells[0], 6, lunch=2)
    _add(page)
    _enter(page, grid.cells[1], 2, lunch=3, followed=2, traffic=1)
    _add(page)
    contrasts = page.evaluate(CONTRAST)
    assert len(contrasts) > 40
    assert min(contrasts)[0] >= LEAST_CONTRAST, min(contrasts)
    assert page.evaluate(SMALL, FINGER_PIXELS) == []
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node.get("role", {}).get("value"), node.get("name", {}).get("value", "").strip())
        for node in tree
    ]
    controls = [name for role, name in named if role in {"button", "combobox", "spinbutton"}]
    assert len(controls) > FIELDS
    assert all(controls)
    assert {("group", question.words) for question in QUESTIONS} <= {*named}
    kinds = page.evaluate(
        "[...document.querySelectorAll('input, textarea, [contenteditable]')]"
        ".map((field) => `${field.type} ${field.inputMode}`)"
    )
    assert kinds == ["number numeric"] * FIELDS


def test_hostile_names_stay_text(open_page, demo_area):
    """A school and streets full of markup are shown letter by letter, and run nothing."""
    page = open_page(render_tally_page(make_hostile(demo_area, URN), URN))
    expect(page.locator(".school")).to_have_text(HOSTILE)
    hostile = build_form_grid(make_hostile(demo_area, URN), URN)
    cell = next(one for one in hostile.cells if HOSTILE in one.streets)
    _enter(page, cell, 5)
    expect(page.locator("#square-name")).to_contain_text(HOSTILE)
    _add(page)
    expect(page.locator("#rows")).to_contain_text(HOSTILE)
    assert page.evaluate("document.scripts.length") == 3
