"""The first view of the board, and the board for everyone: focus, contrast, hostile names."""

import io
import re
import time
from dataclasses import replace

import pytest
from board.page.conftest import PHONE_SIZE, SIZES, ServedBoard
from board.speech import serve
from page_access import CONTRAST, FOCUS_SEEN, SMALL
from playwright.sync_api import expect
from pypdf import PdfReader

from patrolplan.board.board import Board
from patrolplan.board.edits import compute_gains, judge_gains
from patrolplan.board.requests import SolveRequest
from patrolplan.board.shared_week import PlannedArea, open_shared_week
from patrolplan.board.week_folder import WeekStore

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
LEAST_CONTRAST = 4.5
HOSTILE = '<img src=x onerror=alert(1)> </script> & "Søn\'s" {{ 7*7 }}'
SHOWN = {"name", "why", "place", "reason", "by", "role", "company", "commitment", "title", "each"}
TABS = ("doses", "gaps", "places", "delivered", "rules", "history")
FINGER_PIXELS = 44
MOST_CONTROLS = 60
MOST_WORDS = 500
CUT_WORDS = """[...document.querySelectorAll(".chip .who, .chip .when")]
  .filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
    scrollWidth > clientWidth || scrollHeight > clientHeight + 1)
  .map((words) => words.textContent)"""
CONTROLS = """() => {
  const kinds = "a[href], button, input, select, textarea, summary, [role=tab], [onclick]";
  const isPressed = (one) => ["pointer", "grab"].includes(getComputedStyle(one).cursor);
  const isControl = (one) => one.matches(kinds) || one.tabIndex >= 0 || isPressed(one);
  return [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && isControl(one) && !(isPressed(one) && one.parentElement.closest(kinds) !== null)
    && !(isPressed(one) && isPressed(one.parentElement)));
}"""
"""All that is seen and can be pressed, or that Tab reaches, each once: a cell with a patrol too."""


@pytest.fixture(scope="module")
def demo_board(demo_area, demo_risk, demo_hotspots, demo_plan, demo_week, tmp_path_factory):
    """Serve the demo's whole week."""
    folder = tmp_path_factory.mktemp("demo") / "week"
    WeekStore(folder).create(demo_week)
    plans = dict.fromkeys(demo_week.days, demo_plan)
    ground = PlannedArea(demo_area, demo_risk, demo_hotspots, plans)
    board = Board(open_shared_week(ground, folder))
    with serve(board) as port:
        yield ServedBoard(board, port)
    board.close()


@SIZES
def test_the_first_view_is_small(size, demo_board, open_window):
    """Of the demo's week at most 60 controls and 500 words are seen, and no list or map."""
    page = open_window(demo_board, size).page
    assert page.evaluate(f"({CONTROLS})().length") <= MOST_CONTROLS
    assert len(page.locator("body").inner_text().split()) <= MOST_WORDS
    cells = [cell for one in demo_board.state()["schools"] for cell in one["cells"].values()]
    several = sum(len(cell["patrols"]) for cell in cells if len(cell["patrols"]) > 1)
    assert page.locator("#grid td :is(a, button, input, select)").count() == several
    for name in ("#map", "#tabs", "#list"):
        expect(page.locator(name)).to_be_hidden()
    assert "%" not in page.locator("header").inner_text()


def test_the_first_view_has_what_a_lead_does(demo_board, open_window):
    """Every school and day, what is not met with the way to swaps, Plan again, Print and More."""
    page, state = open_window(demo_board).page, demo_board.state()
    assert page.locator("#grid tbody tr").count() == len(state["schools"])
    assert page.locator("#grid .chip").count() == len(demo_board.patrols())
    for name in ("Plan again", "Print", "More"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    missing = sum(row["kind"] not in {"day", "closed"} for row in state["unmet"])
    panel = page.get_by_role("region", name="Not met" if missing else "All is met")
    expect(panel.get_by_role("listitem")).to_have_count(min(missing, 4))
    if missing:
        expect(panel.get_by_role("heading")).to_have_text(f"Not met: {missing}")


def test_more_opens_by_keyboard_and_closes_again(still, open_window):
    """More tells whether it is open; Tab reaches what it opens, arrows every list of it."""
    desk = open_window(still)
    page = desk.page
    more = page.get_by_role("button", name="More", exact=True)
    expect(more).to_have_attribute("aria-expanded", "false")
    desk.tab_to("#more")
    page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    desk.tab_to("[role=tab][aria-selected=true]")
    assert page.evaluate(FOCUS_SEEN)
    for _ in range(TABS.index("rules")):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#list")).to_contain_text("Draw 1.")
    expect(page.locator("#list")).to_contain_text(re.compile(r"can name about \d+ of 10 visits"))
    expect(page.locator("#draw-again")).to_be_visible()
    more.press("Enter")
    expect(page.locator("#tabs")).to_be_hidden()


def test_a_cell_of_the_week_is_read_and_worked_by_keyboard(still, open_window):
    """A cell is a grid cell with a name; Enter in one without a patrol adds one, M opens a menu."""
    desk = open_window(still)
    page, key, start = desk.page, still.slots()[0], still.patrols()[0]["start"]
    expect(desk.chip(key)).to_have_role("gridcell")
    expect(desk.chip(key)).to_have_accessible_name(desk.match_text(start))
    desk.tab_to("#grid [tabindex='0']")
    desk.walk_to(key)
    page.keyboard.press("m")
    expect(page.locator("#patrol")).to_be_visible()
    page.keyboard.press("Escape")
    free = still.find_first(still.list_additions())
    desk.walk_to(free)
    expect(desk.empty(free)).to_have_accessible_name(desk.match_text("nobody"))
    page.keyboard.press("Enter")
    expect(page.locator("#add").get_by_label("Day", exact=True)).to_have_value(free["date"])
    page.keyboard.press("Escape")
    days = [day["date"] for day in still.state()["week"]["days"]]
    for key in ("ArrowLeft",) * (1 + days.index(free["date"])):
        page.keyboard.press(key)
    expect(desk.add(free["urn"])).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Add a patrol")).to_be_visible()


@SIZES
def test_a_patrol_is_added_by_the_button_of_its_school(size, served, open_window):
    """A cell without a patrol does nothing when it is pressed; + Add asks for day and officer."""
    window, can = open_window(served, size), served.find_first(served.list_additions())
    page, form = window.page, window.page.locator("#add")
    page.locator("#grid .shown.empty").first.click()
    expect(page.locator("dialog")).to_have_count(0)
    button = window.add(can["urn"])
    expect(button).to_have_accessible_name(window.match_text("Add a patrol at "))
    button.click()
    form.get_by_label("Day", exact=True).select_option(can["date"])
    form.get_by_label("Officer", exact=True).select_option(can["officer"])
    expect(page.locator("#add .verdict")).to_contain_text("Yes:")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(window.chip(can)).to_have_count(1)
    expect(button).to_be_focused()


def test_a_proposal_is_judged_by_demands_before_worth(chosen):
    """Schools below the minimum and visits not made outweigh worth; 0.0 % more is no more."""
    gains = compute_gains(chosen, chosen)
    for differing, verdict in (
        ({}, "as good"),
        ({"worth_percent": 0.04}, "as good"),
        ({"worth_percent": 0.06}, "better"),
        ({"worth_percent": -0.06}, "worse"),
        ({"unmet": -1, "worth_percent": -3.0}, "better"),
        ({"short": 1, "unmet": -1, "worth_percent": 3.0}, "worse"),
    ):
        assert judge_gains(gains | differing) == verdict
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
    page.goto(f"{desk.address}?token={desk.token}")
    make_papers()
    link = page.locator("#print .papers a").first
    expect(link).to_have_text("part/changed.pdf")
    expect(page.locator("#print summary").first).to_contain_text("other paper")
    answer = page.request.get(desk.address.rstrip("/") + link.get_attribute("href"))
    first, *cards = [one.extract_text() for one in PdfReader(io.BytesIO(answer.body())).pages]
    assert can["from"]["officer"] in first
    assert "Take this card back" in first
    assert 1 <= len(cards) <= 2
    assert can["to"]["officer"] in cards[0]


def _assert_named(page):
    """Ask the browser itself for the accessible name of every control."""
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "link", "textbox", "combobox", "spinbutton", "tab", "grid", "dialog"}
    found = [node for node in tree if node.get("role", {}).get("value") in controls]
    nameless = [node for node in found if not node.get("name", {}).get("value", "").strip()]
    assert len(found) > 2
    assert nameless == []


def _states(window):
    """Each of the page's main states in turn."""
    page = window.page
    yield "first"
    window.open_more()
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        yield tab
    openers = {"menu": "#grid .shown.hold", "add": "#grid .add", "officer": "#crew .officer"}
    for name, opener in {**openers, "print": "#open-print"}.items():
        page.locator(opener).first.click()
        yield name
        page.keyboard.press("Escape")
    if page.locator("#compare").is_visible():
        page.locator("#compare").click()
        expect(page.get_by_role("heading", name="What would change")).to_be_visible()
        yield "proposal"
        page.keyboard.press("Escape")
        expect(page.locator("#compare")).to_be_focused()


@pytest.mark.slow
@SIZES
def test_every_state_is_legible_and_named(size, served, open_window):
    """In every list and dialog, text stands out at 4.5:1 or more and every control has a name."""
    served.change({"kind": "remove", **served.slots()[1]})
    served.board.start_solving(SolveRequest(version=served.board.shared.version))
    while served.board.planning_job.document()["running"]:
        time.sleep(0.02)
    window = open_window(served, size)
    for state in _states(window):
        found = sorted(window.page.evaluate(CONTRAST))
        assert len(found) > 40
        assert found[0][0] >= LEAST_CONTRAST, (state, found[0])
        _assert_named(window.page)
        width = window.page.evaluate("document.documentElement.scrollWidth")
        assert width <= window.page.viewport_size["width"], state
        if size == PHONE_SIZE:
            assert window.page.evaluate(SMALL, FINGER_PIXELS) == [], state


def test_an_officers_name_is_never_cut_to_make_room_for_its_route(still, open_window):
    """On desks and phones names and hours are whole, beside map, lists and routes of two digits."""
    window = open_window(still)
    page = window.page
    page.evaluate("document.querySelectorAll('.route').forEach((one) => one.textContent = 'R12')")
    for _ in ("closed", "open"):
        for width in (1280, 1024, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(CUT_WORDS) == [], width
        window.open_more()


@pytest.mark.slow
@SIZES
def test_many_schools_are_sifted(size, still, open_window):
    """Many schools are sifted by name or officer; arrow keys skip the rest."""
    window, state = open_window(still, size), still.state()
    page, many = window.page, 6 * state["schools"]
    state["schools"] = [
        {**school, "name": f"{school['name']} {row // 4}", "urn": f"{row}"}
        for row, school in enumerate(many)
    ]
    page.route("**/api/state*", lambda route: route.fulfill(json=state))
    page.goto(f"{window.address}?token={window.token}")
    rows = page.locator("#grid tbody tr:visible")
    expect(rows).to_have_count(len(many))
    words = page.get_by_role("searchbox", name="Find")
    words.fill(f"{state['schools'][0]['name'].split()[0].lower()} 3")
    expect(rows).to_have_count(1)
    expect(page.locator("#sifted")).to_have_text(f"1 school of {len(many)}")
    words.fill(state["schools"][0]["name"].split()[0])
    expect(rows).to_have_count(6)
    window.tab_to("#grid [tabindex='0']")
    row = "document.activeElement.closest('tr')"
    first = page.evaluate(f"{row}.dataset.urn")
    page.keyboard.press("ArrowDown")
    for _ in range(3):  # a cell may hold more than one patrol
        if page.evaluate(f"{row}.dataset.urn") == first:
            page.keyboard.press("ArrowDown")
    assert page.evaluate(f"{row}.hidden") is False
    assert page.evaluate(f"{row}.dataset.urn") == "4"
    words.fill("nowhere")
    expect(page.locator("#sifted")).to_have_text(f"No school of {len(many)}")


@SIZES
def test_focus_is_seen_wherever_tab_goes(size, still, open_window):
    """Each place that Tab reaches shows a thick black ring, and Tab reaches all parts."""
    window = open_window(still, size)
    page = window.page
    window.open_more()
    page.evaluate("document.activeElement.blur()")
    parts = set()
    where = f"""() => {{
      const at = document.activeElement;
      if (at === document.body) return ["", true];  // past the last place Tab begins again
      const part = at.closest("header, #grid, #crew, #map-frame, #lists, body").id;
      return [part, ({FOCUS_SEEN})() || at.outerHTML];
    }}"""
    for _ in range(150):
        page.keyboard.press("Tab")
        part, is_seen = page.evaluate(where)
        assert is_seen is True, is_seen
        parts.add(part)
    assert {"grid", "crew", "map-frame", "lists"} <= parts


def test_nothing_says_it_by_colour_alone(served, desk):
    """Locked, closed, off duty, full and over the maximum are shown in words too."""
    page, patrol = desk.page, served.slots()[0]
    desk.lock(patrol)
    expect(desk.chip(patrol)).to_contain_text("locked")
    state = served.state()
    full = next(row["officer"] for row in state["officers"] if row["patrols"] >= row["max_patrols"])
    expect(desk.officer(full)).to_contain_text("full")
    doses = state["doses"]
    over = sum(minutes > one["max_minutes"] for one in doses for minutes in one["days"].values())
    expect(page.locator("#list .over").filter(has_text="!")).to_have_count(over)
    off = next(row for row in state["officers"] if "" in row["hours"].values())
    desk.officer(off["officer"]).click()
    desk.press("Add a patrol: pick up")
    days_off = sum(hours == "" for hours in off["hours"].values())
    assert page.locator(".cell.off").count() == days_off * len(state["schools"])
    empty = "document.querySelector('.cell.off:not(:has(.chip))')"
    assert "off duty" in page.evaluate(f"getComputedStyle({empty}, '::after').content")


def test_feared_and_tasked_places_have_their_signs(still, open_window):
    """A bubble is at feared stops, G at the gate, T is tasked; below the map each is explained."""
    desk = open_window(still)
    page = desk.page
    patrol = next(one for one in still.patrols() if any(stop["feared"] for stop in one["stops"]))
    feared = [str(row) for row, stop in enumerate(patrol["stops"], start=1) if stop["feared"]]
    desk.chip(patrol).click()
    listed = page.locator("ol.stops li").all_inner_texts()
    is_feared = [stop["feared"] for stop in patrol["stops"]]
    assert [line.endswith("; pupils feel unsafe here") for line in listed] == is_feared
    desk.press("Show on the map")
    assert page.locator(".sign.stop.feared").all_inner_texts() == feared
    expect(page.locator(".sign.from")).to_have_text("G")
    told = page.locator("#map-tells")
    signs_explained = ("G: gate, 1, 2 …: stops", "S: school", "! in a bubble", "T: tasked")
    classes_explained = ("H: priority street", "priority street")
    for meaning in (*signs_explained, *classes_explained, "\N{MULTIPLICATION SIGN}: keep away"):
        expect(told).to_contain_text(meaning)
    signs = page.locator(".sign.stop")
    for row, stop in enumerate(patrol["stops"]):
        name = f"Stop {row + 1}: {stop['place']}"
        name += f"; tasked: {stop['tasked']}" if stop["tasked"] else ""
        name += "; pupils feel unsafe here" if stop["feared"] else ""
        assert signs.nth(row).get_attribute("title") == name
        signs.nth(row).dispatch_event("click")
        expect(told).to_have_text(f"{name}.")
    (tasked,) = [place for place in still.state()["tasked"] if place["must_visit"]]
    sign = page.locator(".sign.must")
    expect(sign).to_have_text("T")
    assert tasked["grid"]
    assert tasked["grid"] in (sign.get_attribute("title") or "")


def test_calm_where_motion_is_not_wanted(still, open_window):
    """With reduced motion nothing slides."""
    page = open_window(still, reduced_motion="reduce").page
    moving = """[...document.querySelectorAll("*")].filter((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return parseFloat(transitionDuration) > 0 || animationName !== "none";
    }).map((element) => element.className)"""
    assert page.evaluate(moving) == []


def _spoil(value, key=""):
    """A state of the board whose names and sentences all are markup."""
    if isinstance(value, dict):
        return {name: _spoil(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_spoil(one, key) for one in value]
    return HOSTILE if value and key in SHOWN else value


def test_names_that_try_to_be_code_stay_text(still, open_window):
    """Schools, officers, places, reasons, notes and history full of markup open no element."""
    desk, state = open_window(still), _spoil(still.state())
    page, day = desk.page, state["week"]["days"][0]["date"]
    for row in state["officers"]:
        busy = {"kind": HOSTILE, "from": HOSTILE, "to": HOSTILE, "urn": HOSTILE, "removable": True}
        row["appointments"] = {day: [busy, busy]}
    visit = {"officer": HOSTILE, "urn": HOSTILE, "date": day, "arrive": HOSTILE}
    demand = {"place": HOSTILE, "date": None, "visits": 2, "met_by": [visit], "why": HOSTILE}
    state |= {"notes": [HOSTILE], "history": [{"when": "12:00", "what": HOSTILE}]}
    state["bans"] = [{"officer": HOSTILE, "urn": None, "date": None, "variant": None}]
    state["demands"] = [{"kind": "watched", **demand}]
    page.route("**/api/state*", lambda route: route.fulfill(json=state))
    page.goto(f"{desk.address}?token={desk.token}")
    expect(page.locator("#status")).to_have_text("The week is ready.")
    for _ in _states(desk):
        assert page.locator("img[src=x], #grid script, #list script, dialog script").count() == 0
    page.locator("#tab-history").click()
    assert HOSTILE in page.locator("#list").inner_text()
    assert HOSTILE in page.locator(".school-name").first.inner_text()


def test_token_leaves_the_address(still, open_window):
    """The token is neither in the address bar nor sent to any file of the page."""
    desk = open_window(still)
    assert desk.page.url == desk.address
    assert sum(desk.token in url for url in desk.requested_urls) == 1
