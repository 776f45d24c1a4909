"""The board for everyone: names, focus, contrast, paper, and names that try to be code."""

import pytest
from page_access import CONTRAST, FOCUS_SEEN, SMALL
from playwright.sync_api import expect

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

LEAST_CONTRAST = 4.5
HOSTILE = '<img src=x onerror=alert(1)> </script> & "Søn\'s" {{ 7*7 }}'
TABS = ("doses", "gaps", "places", "delivered", "rules", "history")

FINGER_PIXELS = 44

CUT_WORDS = """[...document.querySelectorAll(".chip .who, .chip .when")]
  .filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
    scrollWidth > clientWidth || scrollHeight > clientHeight + 1)
  .map((words) => words.textContent)"""


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
    page.locator("#grid .shown.hold").first.click()
    yield "menu"
    page.keyboard.press("Escape")
    page.locator("#grid .add").first.click()
    yield "add"
    page.keyboard.press("Escape")
    page.locator("#crew .officer").first.click()
    yield "officer"
    page.keyboard.press("Escape")
    page.locator("#open-print").click()
    yield "print"
    page.keyboard.press("Escape")
    if page.locator("#compare").is_visible():
        page.locator("#compare").click()
        expect(page.get_by_role("heading", name="What would change")).to_be_visible()
        yield "proposal"
        page.keyboard.press("Escape")
        expect(page.locator("#compare")).to_be_focused()


@pytest.mark.slow
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_every_state_is_legible_and_named(size, served, request):
    """In every list and dialog, text stands out at 4.5:1 or more and every control has a name."""
    served.change({"kind": "remove", **served.slots()[1]})
    served.solve()
    window = request.getfixturevalue(size)
    for state in _states(window):
        found = sorted(window.page.evaluate(CONTRAST))
        assert len(found) > 40
        assert found[0][0] >= LEAST_CONTRAST, (state, found[0])
        _assert_named(window.page)
        width = window.page.evaluate("document.documentElement.scrollWidth")
        assert width <= window.page.viewport_size["width"], state
        if size == "phone":
            assert window.page.evaluate(SMALL, FINGER_PIXELS) == [], state


def test_an_officers_name_is_never_cut_to_make_room_for_its_route(open_window):
    """On desks and phones names and hours are whole, beside map, lists and routes of two digits."""
    window = open_window({"width": 1280, "height": 800})
    page = window.page
    page.evaluate("document.querySelectorAll('.route').forEach((one) => one.textContent = 'R12')")
    for _ in ("closed", "open"):
        for width in (1280, 1024, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(CUT_WORDS) == [], width
        window.open_more()


@pytest.mark.slow
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_many_schools_are_sifted(size, served, request):
    """Many schools are sifted by name or officer; arrow keys skip the rest."""
    window = request.getfixturevalue(size)
    page, state = window.page, served.state()
    names = [f"{school['name']} {number}" for number in range(6) for school in state["schools"]]
    many = [school for _ in range(6) for school in state["schools"]]
    state["schools"] = [
        {**school, "name": name, "urn": f"{row}", "cells": dict(school["cells"])}
        for row, (school, name) in enumerate(zip(many, names, strict=True))
    ]
    page.route("**/api/state*", lambda route: route.fulfill(json=state))
    page.goto(f"{window.address}?token={window.token}")
    rows = page.locator("#grid tbody tr:visible")
    expect(rows).to_have_count(len(names))
    words = page.get_by_role("searchbox", name="Find")
    words.fill(f"{state['schools'][0]['name'].split()[0].lower()} 3")
    expect(rows).to_have_count(1)
    expect(page.locator("#sifted")).to_have_text(f"1 school of {len(names)}")
    words.fill(state["schools"][0]["name"].split()[0])
    expect(rows).to_have_count(6)
    window.tab_to("#grid [tabindex='0']")
    first = page.evaluate("document.activeElement.closest('tr').dataset.urn")
    page.keyboard.press("ArrowDown")
    for _ in range(3):  # a cell may hold more than one patrol
        if page.evaluate("document.activeElement.closest('tr').dataset.urn") == first:
            page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').hidden") is False
    assert page.evaluate("document.activeElement.closest('tr').dataset.urn") == "4"
    words.fill("nowhere")
    expect(page.locator("#sifted")).to_have_text(f"No school of {len(names)}")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_focus_is_seen_wherever_tab_goes(size, request):
    """Each place that Tab reaches shows a thick black ring, and Tab reaches all parts."""
    window = request.getfixturevalue(size)
    page = window.page
    window.open_more()
    page.evaluate("document.activeElement.blur()")
    parts = set()
    where = "document.activeElement.closest('header, #grid, #crew, #map-frame, #lists, body').id"
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # past the last place Tab begins again with the first
        assert page.evaluate(FOCUS_SEEN), page.evaluate("document.activeElement.outerHTML")
        parts.add(page.evaluate(where))
    assert {"grid", "crew", "map-frame", "lists"} <= parts


def test_nothing_says_it_by_colour_alone(served, desk):
    """Locked, closed, off duty, full and over the maximum are shown in words too."""
    page = desk.page
    patrol = served.slots()[0]
    desk.chip(patrol).click()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(desk.chip(patrol)).to_contain_text("locked")
    state = served.state()
    full = next(row["officer"] for row in state["officers"] if row["patrols"] >= row["max_patrols"])
    expect(desk.officer(full)).to_contain_text("full")
    over = [dose for dose in state["doses"] if max(dose["days"].values()) > dose["max_minutes"]]
    expect(page.locator("#list .over").filter(has_text="!")).to_have_count(
        sum(minutes > dose["max_minutes"] for dose in over for minutes in dose["days"].values())
    )
    off = next(row for row in state["officers"] if "" in row["hours"].values())
    desk.officer(off["officer"]).click()
    page.get_by_role("button", name="Add a patrol: pick up").click()
    days_off = sum(hours == "" for hours in off["hours"].values())
    assert page.locator(".cell.off").count() == days_off * len(state["schools"])
    script = (
        "getComputedStyle(document.querySelector('.cell.off:not(:has(.chip))'), '::after').content"
    )
    assert "off duty" in page.evaluate(script)


def test_feared_and_tasked_places_have_their_signs(served, desk):
    """A bubble is at feared stops, G at the gate, T is tasked; below the map each is explained."""
    page = desk.page
    patrol = next(one for one in served.patrols() if any(stop["feared"] for stop in one["stops"]))
    desk.chip({name: patrol[name] for name in ("officer", "urn", "date")}).click()
    listed = page.locator("ol.stops li").all_inner_texts()
    is_feared = [stop["feared"] for stop in patrol["stops"]]
    assert [line.endswith("; pupils feel unsafe here") for line in listed] == is_feared
    page.get_by_role("button", name="Show on the map", exact=True).click()
    feared = [str(row) for row, stop in enumerate(patrol["stops"], start=1) if stop["feared"]]
    assert page.locator(".sign.stop.feared").all_inner_texts() == feared
    expect(page.locator(".sign.from")).to_have_text("G")
    meanings = ("G: gate, 1, 2 …: stops", "S: school", "H: hotspot", "! in a bubble", "T: tasked")
    for meaning in (*meanings, "\N{MULTIPLICATION SIGN}: keep away", "priority street"):
        expect(page.locator("#map-tells")).to_contain_text(meaning)
    signs = page.locator(".sign.stop")
    for row, stop in enumerate(patrol["stops"]):
        sign = signs.nth(row)
        name = f"Stop {row + 1}: {stop['place']}"
        name += "; pupils feel unsafe here" if stop["feared"] else ""
        assert sign.get_attribute("title") == name
        sign.dispatch_event("click")
        expect(page.locator("#map-tells")).to_have_text(f"{name}.")
    (tasked,) = [place for place in served.state()["tasked"] if place["must_visit"]]
    sign = page.locator(".sign.must")
    expect(sign).to_have_text("T")
    assert tasked["grid"]
    assert tasked["grid"] in (sign.get_attribute("title") or "")


def test_calm_where_motion_is_not_wanted(open_window):
    """With reduced motion nothing slides."""
    page = open_window(reduced_motion="reduce").page
    moving = """[...document.querySelectorAll("*")].filter((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return parseFloat(transitionDuration) > 0 || animationName !== "none";
    }).map((element) => element.className)"""
    assert page.evaluate(moving) == []


def test_names_that_try_to_be_code_stay_text(served, desk):
    """Schools, officers, places, reasons, notes and history full of markup open no element."""
    page = desk.page
    state = served.state()
    for school in state["schools"]:
        school["name"] = HOSTILE
        for cell in school["cells"].values():
            cell["why"] = HOSTILE if cell["why"] else ""
            for stop in (stop for patrol in cell["patrols"] for stop in patrol["stops"]):
                stop["place"] = HOSTILE
    for dose in state["doses"]:
        dose["place"] = HOSTILE
    for row in [*state["gaps"]]:
        row["why"] = HOSTILE
    for place in state["tasked"]:
        place["reason"] = place["by"] = HOSTILE
    state["notes"] = [HOSTILE]
    state["history"] = [{"when": "12:00", "what": HOSTILE}]
    state["bans"] = [{"officer": HOSTILE, "urn": None, "date": None, "variant": None}]
    day = state["week"]["days"][0]["date"]
    for row in state["officers"]:
        busy = {"kind": HOSTILE, "from": HOSTILE, "to": HOSTILE, "urn": HOSTILE, "removable": True}
        row |= {"role": HOSTILE, "appointments": {day: [busy, busy]}}
    visit = {"officer": HOSTILE, "urn": HOSTILE, "date": day, "arrive": HOSTILE}
    demand = {"place": HOSTILE, "date": None, "visits": 2, "met_by": [visit], "why": HOSTILE}
    state["demands"] = [{"kind": "watched", **demand}]
    state["draw"] |= {"commitment": HOSTILE}
    page.route("**/api/state*", lambda route: route.fulfill(json=state))
    page.goto(f"{desk.address}?token={desk.token}")
    expect(page.locator("#status")).to_have_text("The week is ready.")
    for _ in _states(desk):
        assert page.locator("img[src=x], #grid script, #list script, dialog script").count() == 0
    page.locator("#tab-history").click()
    assert HOSTILE in page.locator("#list").inner_text()
    assert HOSTILE in page.locator(".school-name").first.inner_text()


def test_token_leaves_the_address(desk):
    """The token is neither in the address bar nor sent to any file of the page."""
    assert desk.page.url == desk.address
    assert sum(desk.token in url for url in desk.requested_urls) == 1
