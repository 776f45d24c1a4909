"""Leave, appointments, places found by words and swaps, in the browser."""

import re

import pytest
from board.speech import pick_slot
from playwright.sync_api import expect

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PLANNING_MILLISECONDS = 60_000


def _outcome(page):
    """The dialog that says what changed."""
    dialog = page.get_by_role("dialog", name="What changed")
    expect(dialog).to_be_visible(timeout=PLANNING_MILLISECONDS)
    return dialog


def _is_whole(page):
    """Whether no dialog is wider than the window and no button in it has its text cut."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth
          && [...document.querySelectorAll("dialog[open] button, dialog[open] p, dialog[open] li")]
            .every((one) => one.scrollWidth <= one.clientWidth + 1)"""
    )


def test_away_takes_four_taps_on_a_phone(served, small_phone):
    """An officer, from when, to when, "Away": the cards that change are shown, all others stay."""
    page, before = small_phone.page, served.read_saved_keys()
    days = [day["date"] for day in served.state()["week"]["days"]]
    gone = next(pick_slot(patrol) for patrol in served.patrols() if patrol["date"] == days[1])
    for press in (
        small_phone.officer(gone["officer"]),
        page.get_by_role("group", name="First day").locator(f'[data-day="{days[1]}"]'),
        page.get_by_role("group", name="Last day").locator(f'[data-day="{days[2]}"]'),
        page.locator("#away"),
    ):
        press.tap()
    dialog = _outcome(page)
    expect(dialog.locator(".card.withdrawn").first).to_contain_text(gone["officer"])
    assert _is_whole(page)
    after = served.read_saved_keys()
    assert {key for key in before if (key[2], key[0]) != (gone["officer"], days[1])} - after <= {
        key for key in before if (key[2], key[0]) == (gone["officer"], days[2])
    }
    expect(small_phone.officer(gone["officer"])).to_have_accessible_name(
        small_phone.match_text("away")
    )
    dialog.get_by_role("button", name="Undo: bring all back").tap()
    expect(page.locator("dialog")).to_have_count(0)
    assert served.read_saved_keys() == before


@pytest.mark.slow
def test_an_officer_is_away_and_back_by_keyboard(served, desk):
    """M opens what can be done with an officer; the days are pressed, and Back again undoes it."""
    page = desk.page
    officer = served.patrols()[0]["officer"]
    desk.tab_to(f'#crew [data-officer="{officer}"]')
    page.keyboard.press("m")
    desk.tab_to("#away")
    page.keyboard.press("Enter")
    _outcome(page)
    desk.tab_to("#outcome .actions button", text="Leave it so")
    page.keyboard.press("Enter")
    expect(desk.officer(officer)).to_be_focused()
    page.keyboard.press("m")
    desk.tab_to("#officer button", text="Back again")
    page.keyboard.press("Enter")
    expect(_outcome(page)).to_contain_text("is back again")
    assert served.state()["officers"][0]["absent"] == []


@pytest.mark.slow
@pytest.mark.parametrize("size", ["desk", "small_phone"])
def test_an_appointment_is_entered_and_removed(size, served, request):
    """Kind, day and hours are entered; the officer's card shows them, and the patrol makes way."""
    window = request.getfixturevalue(size)
    page, before = window.page, served.read_saved_keys()
    lost = served.slots()[0]
    window.officer(lost["officer"]).click()
    page.locator("#appoint-what").select_option("assembly")
    page.locator("#appoint-day").select_option(lost["date"])
    page.locator("#appoint-from").fill("14:45")
    page.locator("#appoint-to").fill("16:45")
    page.locator("#appoint-school").select_option(lost["urn"])
    assert _is_whole(page)
    page.get_by_role("button", name="Enter the appointment").click()
    _outcome(page).get_by_role("button", name="Leave it so").click()
    key = (lost["date"], lost["urn"], lost["officer"])
    assert key not in served.read_saved_keys()
    assert {k for k in before if (k[0], k[2]) != (key[0], key[2])} <= served.read_saved_keys()
    expect(window.officer(lost["officer"])).to_contain_text("assembly 14:45")
    window.officer(lost["officer"]).click()
    page.get_by_role("button", name="Remove the appointment").click()
    _outcome(page).get_by_role("button", name="Leave it so").click()
    expect(window.officer(lost["officer"])).not_to_contain_text("assembly")


@pytest.mark.slow
def test_a_place_is_found_by_its_street_and_tasked(served, desk):
    """Found by words, with hours and minutes; the list says who meets it, or why nobody does."""
    page = desk.page
    desk.open_more()
    page.get_by_role("tab", name="Places").click()
    page.get_by_label("Find a place").fill("nowhere lane")
    page.keyboard.press("Enter")
    expect(page.locator("#warned")).to_contain_text("is known here")
    page.get_by_label("Find a place").fill("eastmere high st")
    page.get_by_role("button", name="Find", exact=True).click()
    desk.expect_message("Place set from Eastmere High Street")
    page.get_by_label("Between").fill("15:00")
    page.get_by_label("and", exact=True).fill("17:30")
    page.get_by_label("Minutes there").fill("10")
    for day in ("Mon", "Wed", "Thu"):
        page.locator("#place-weekdays").get_by_label(day).uncheck()
    page.get_by_label("Reason").fill("Bicycles taken by force")
    page.get_by_label("Who asks").fill("Insp. Example")
    page.get_by_role("button", name="Save the place").click()
    _outcome(page).get_by_role("button", name="Leave it so").click()
    place = page.locator("#list .place").filter(has_text="Bicycles taken by force")
    expect(place).to_contain_text("between 15:00 and 17:30, 10 minutes, Tue, Fri.")
    rows = place.locator(".demand-row")
    expect(rows).to_have_count(2)
    wanted = [row for row in served.state()["demands"] if row["place"] == "T-03"]
    for row, found in zip(wanted, rows.all(), strict=True):
        expect(found).to_contain_text(row["met_by"][0]["officer"] if row["met_by"] else "not met")
        expect(found).to_contain_text(row["why"])


@pytest.mark.slow
@pytest.mark.parametrize("size", ["desk", "small_phone"])
def test_a_gap_is_filled_by_one_tap(size, served, request):
    """The best swaps of a day without a patrol say what each changes; one tap makes it."""
    window = request.getfixturevalue(size)
    page, state = window.page, served.state()
    gap = next(
        gap for school in state["schools"] for gap in state["gaps"] if gap["urn"] == school["urn"]
    )
    window.open_more()
    page.get_by_role("tab", name="Gaps").click()
    page.locator("#list").get_by_role("button", name="Best swaps").first.click()
    dialog = page.get_by_role("dialog", name="Best swaps")
    expect(dialog.locator(".offers > li").first).to_contain_text("worth")
    assert _is_whole(page)
    dialog.get_by_role("button", name="Make this swap").first.click()
    expect(page.locator("dialog")).to_have_count(0)
    assert any(
        (date, urn) == (gap["date"], gap["urn"]) for date, urn, _ in served.read_saved_keys()
    )


@pytest.mark.slow
def test_the_week_is_drawn_again(served, desk):
    """How well it is foreseen is one sentence; another draw is offered, judged in its first words.

    Planning an unchanged week again offers nothing.
    """
    page = desk.page
    page.get_by_role("button", name="Plan again").click()
    expect(page.locator("#message")).to_contain_text(
        "No better week was found by this draw", timeout=PLANNING_MILLISECONDS
    )
    expect(page.locator("#compare")).to_be_hidden()
    desk.open_more()
    page.get_by_role("tab", name="Rules").click()
    expect(page.locator("#list")).to_contain_text(re.compile(r"can name about \d+ of 10 visits"))
    desk.chip(served.slots()[0]).click()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator("#list")).to_contain_text("is counted when it is planned again")
    expect(page.locator("#list")).to_contain_text("Draw 1.")
    page.get_by_role("button", name="Draw again").click()
    expect(page.locator("#compare")).to_be_visible(timeout=PLANNING_MILLISECONDS)
    expect(page.locator("#message")).to_contain_text(re.compile("(A|No) (better|worse) week"))
    page.locator("#compare").click()
    expect(page.locator("#proposal h2")).to_have_text(re.compile("^(A|No) (better|worse) week"))
    page.get_by_role("button", name="Take the proposal").click()
    expect(page.locator("#list")).to_contain_text("Draw 2.")
