"""The first view of the board: what a lead does on Friday, and no more than can be taken in."""

import io
from dataclasses import replace

import pytest
from board.page.conftest import PHONE_SIZE, ServedBoard
from page_access import FOCUS_SEEN
from playwright.sync_api import expect
from pypdf import PdfReader

from patrolplan.board.edits import compute_gains, judge_gains
from patrolplan.board.shared_week import PlannedArea
from patrolplan.board.week_folder import WeekStore

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

MOST_CONTROLS = 60
MOST_WORDS = 500

CONTROLS = """() => {
  const kinds = "a[href], button, input, select, textarea, summary, [role=tab], [onclick]";
  const isPressed = (one) => ["pointer", "grab"].includes(getComputedStyle(one).cursor);
  const isControl = (one) => one.matches(kinds) || one.tabIndex >= 0 || isPressed(one);
  return [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && isControl(one) && !(isPressed(one) && one.parentElement.closest(kinds) !== null)
    && !(isPressed(one) && isPressed(one.parentElement)));
}"""
"""All that is seen and can be pressed, or that Tab reaches, each once: a cell with a patrol too."""


@pytest.fixture
def demo_board(demo_area, demo_risk, demo_hotspots, demo_plan, demo_week, tmp_path):
    """Serve the demo's whole week."""
    plans = dict.fromkeys(demo_week.days, demo_plan)
    WeekStore(tmp_path / "whole").create(demo_week)
    ground = PlannedArea(demo_area, demo_risk, demo_hotspots, plans)
    board = ServedBoard(ground, tmp_path / "whole")
    yield board
    board.close()


@pytest.mark.parametrize("width", [1366, 390])
def test_the_first_view_is_small(width, demo_board, open_window):
    """Of the demo's week at most 60 controls and 500 words are seen, and no list or map."""
    window = open_window({**PHONE_SIZE, "width": width}, board=demo_board)
    page = window.page
    assert page.evaluate(f"({CONTROLS})().length") <= MOST_CONTROLS
    assert len(page.locator("body").inner_text().split()) <= MOST_WORDS
    several = [cell for cell in demo_board.list_cells() if len(cell["patrols"]) > 1]
    assert page.locator("#grid td :is(a, button, input, select)").count() == sum(
        len(cell["patrols"]) for cell in several
    )
    for name in ("#map", "#tabs", "#list"):
        expect(page.locator(name)).to_be_hidden()
    assert "%" not in page.locator("header").inner_text()


def test_the_first_view_has_what_a_lead_does(demo_board, open_window):
    """Every school and day, what is not met with the way to swaps, Plan again, Print and More."""
    page = open_window(board=demo_board).page
    state = demo_board.state()
    rows = page.locator("#grid tbody tr")
    assert rows.count() == len(state["schools"])
    assert page.locator("#grid .chip").count() == len(demo_board.patrols())
    for name in ("Plan again", "Print", "More"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    unmet = [row for row in state["demands"] if len(row["met_by"]) < row["visits"]]
    missing = len(state["short"]) + len(unmet)
    panel = page.get_by_role("region", name="Not met" if missing else "All is met")
    expect(panel.get_by_role("listitem")).to_have_count(min(missing, 4))
    if missing:
        expect(panel.get_by_role("heading")).to_have_text(f"Not met: {missing}")


def test_more_opens_by_keyboard_and_closes_again(desk):
    """More tells whether it is open; Tab reaches what it opens, which goes when it is closed."""
    page = desk.page
    more = page.get_by_role("button", name="More", exact=True)
    expect(more).to_have_attribute("aria-expanded", "false")
    desk.tab_to("#more")
    page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    desk.tab_to("[role=tab][aria-selected=true]")
    assert page.evaluate(FOCUS_SEEN)
    more.press("Enter")
    expect(page.locator("#tabs")).to_be_hidden()


def test_a_cell_of_the_week_is_read_and_worked_by_keyboard(served, desk):
    """A cell is a grid cell with a name; Enter in one without a patrol adds one, M opens a menu."""
    page = desk.page
    patrol = served.patrols()[0]
    key = {name: patrol[name] for name in ("officer", "urn", "date")}
    expect(desk.chip(key)).to_have_role("gridcell")
    expect(desk.chip(key)).to_have_accessible_name(desk.match_text(patrol["start"]))
    desk.tab_to("#grid [tabindex='0']")
    desk.walk_to(key)
    page.keyboard.press("m")
    expect(page.locator("#patrol")).to_be_visible()
    page.keyboard.press("Escape")
    free = served.find_first(served.list_additions())
    desk.walk_to(free)
    expect(desk.empty(free)).to_have_accessible_name(desk.match_text("nobody"))
    page.keyboard.press("Enter")
    expect(page.locator("#add").get_by_label("Day", exact=True)).to_have_value(free["date"])
    page.keyboard.press("Escape")
    for key in ("ArrowLeft",) * (1 + served.dates().index(free["date"])):
        page.keyboard.press(key)
    expect(desk.add(free["urn"])).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Add a patrol")).to_be_visible()


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_patrol_is_added_by_the_button_of_its_school(size, served, request):
    """A cell without a patrol does nothing when it is pressed; + Add asks for day and officer."""
    window = request.getfixturevalue(size)
    page, can = window.page, served.find_first(served.list_additions())
    page.locator("#grid .shown.empty").first.click()
    expect(page.locator("dialog")).to_have_count(0)
    button = window.add(can["urn"])
    expect(button).to_have_accessible_name(window.match_text("Add a patrol at "))
    button.click()
    page.locator("#add").get_by_label("Day", exact=True).select_option(can["date"])
    page.locator("#add").get_by_label("Officer", exact=True).select_option(can["officer"])
    expect(page.locator("#add .verdict")).to_contain_text("Yes:")
    page.locator("#add").get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(window.chip(can)).to_have_count(1)
    expect(button).to_be_focused()


def test_a_proposal_is_judged_by_demands_before_worth(chosen):
    """Schools below the minimum and visits not made outweigh worth; 0.0 % more is no more."""
    gains = compute_gains(chosen, chosen)
    assert judge_gains(gains) == "as good"
    assert judge_gains(gains | {"worth_percent": 0.04}) == "as good"
    assert judge_gains(gains | {"worth_percent": 0.06}) == "better"
    assert judge_gains(gains | {"worth_percent": -0.06}) == "worse"
    assert judge_gains(gains | {"unmet": -1, "worth_percent": -3.0}) == "better"
    assert judge_gains(gains | {"short": 1, "unmet": -1, "worth_percent": 3.0}) == "worse"
    fewer = replace(chosen, duties=chosen.duties[1:])
    assert compute_gains(chosen, fewer)["patrols"] == -1


@pytest.mark.slow
def test_what_changed_is_printed_by_officer_as_one(served, desk):
    """After a change, one document has the new cards by officer, and says which to take back."""
    page = desk.page

    def make_papers():
        expect(page.locator("#grid .chip").first).to_be_visible()
        page.locator("#open-print").click()
        page.get_by_role("button", name="Make the papers").click()
        expect(page.locator("#print .found p").first).to_be_visible(timeout=120_000)

    make_papers()
    page.keyboard.press("Escape")
    can = served.find_first(served.list_moves())
    served.change(can)
    page.reload()
    page.goto(f"{served.address}?token={desk.token}")
    make_papers()
    link = page.locator("#print .papers a").first
    expect(link).to_have_text("part/changed.pdf")
    expect(page.locator("#print summary").first).to_contain_text("other paper")
    answer = page.request.get(served.address.rstrip("/") + link.get_attribute("href"))
    first, *cards = [one.extract_text() for one in PdfReader(io.BytesIO(answer.body())).pages]
    assert can["from"]["officer"] in first
    assert "Take this card back" in first
    assert 1 <= len(cards) <= 2
    assert can["to"]["officer"] in cards[0]
