"""A team lead's Friday in the browser, from first look to printed sheets."""

import io
from itertools import permutations

import pytest
from board.page.conftest import DESKTOP_SIZE, PHONE_SIZE, SMALL_PHONE_SIZE
from board.speech import get_key, pick_slot
from playwright.sync_api import expect
from pypdf import PdfReader

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
REASON = "Robberies named by the local team"
PLANNING_MILLISECONDS = 60_000
SIZES_BOTH = [DESKTOP_SIZE, SMALL_PHONE_SIZE]
BIG_AND_SMALL = pytest.mark.parametrize("size", SIZES_BOTH, ids=["desk", "phone"])


def _outcome(page):
    """The dialog that says what changed."""
    dialog = page.get_by_role("dialog", name="What changed")
    expect(dialog).to_be_visible(timeout=PLANNING_MILLISECONDS)
    return dialog


def _leave_outcome(page):
    """Wait until a change is worked out, read what it did to the cards, and leave it so."""
    outcome = _outcome(page)
    page.keyboard.press("Escape")
    expect(outcome).to_have_count(0)
    expect(page.locator("#solving")).to_be_hidden(timeout=PLANNING_MILLISECONDS)


def _move_and_lock_by_mouse(served, desk):
    """Try what cannot be, move what can, undo and redo it, and lock it; tell what was moved."""
    page, before = desk.page, served.read_saved_keys()
    cannot = served.find_first(served.list_moves(), can=False)
    desk.drag(desk.chip(cannot["from"]), desk.cell(cannot["to"]))
    expect(page.locator("#warned")).to_contain_text(served.check(cannot)["why"].split(" URN")[0])
    assert served.read_saved_keys() == before
    can = served.find_first(served.list_moves())
    desk.drag(desk.chip(can["from"]), desk.cell(can["to"]))
    expect(desk.chip(can["to"])).to_be_visible()
    expect(desk.chip(can["from"])).to_have_count(0)
    assert served.read_saved_keys() == before - {get_key(can["from"])} | {get_key(can["to"])}
    desk.press("Undo")
    expect(desk.chip(can["from"])).to_be_visible()
    desk.press("Redo")
    expect(desk.chip(can["to"])).to_be_visible()
    desk.lock(can["to"])
    return can["to"]


def _task_by_mouse(served, desk):
    """Press the map, though its ground has not come yet, and say who asks for the place."""
    page, state, held = desk.page, served.state(), []
    page.route("**/api/map", lambda route: held.append(route))  # noqa: PLW0108 - it is marked
    desk.press("More")
    expect(page.locator(".sign.from")).to_be_attached()
    page.get_by_role("tab", name="Places").click()
    x, y = desk.find_middle(page.locator("#map"))
    page.mouse.click(x - 60, y + 50)
    desk.expect_message("Place set from")
    held[0].continue_()
    expect(page.locator(".sign.school:not(.from)").first).to_be_attached()
    page.get_by_text("Schools: all, or only some").click()
    page.locator("#place-schools").get_by_label(state["schools"][0]["name"]).check()
    page.get_by_label("Reason").fill(REASON)
    page.get_by_label("Who asks").fill("Insp. Example")
    page.get_by_label("Last day").fill("2026-12-04")
    desk.press("Save the place")
    _leave_outcome(page)
    expect(page.locator("#list .place").filter(has_text=REASON)).to_be_visible()


def _move_and_lock_by_keyboard(served, desk):
    """Move what can be, put back what cannot, undo, redo and lock."""
    press = desk.page.keyboard.press
    can = served.find_first(served.list_moves())
    desk.tab_to("#grid [tabindex='0']")
    desk.walk_to(can["from"])
    press("Enter")
    desk.expect_message("Picked up")
    desk.walk_to(can["to"])
    desk.expect_message("Yes:")
    press("Enter")
    expect(desk.chip(can["to"])).to_be_focused()
    away = served.find_first(served.list_moves(), can=False)
    desk.walk_to(away["from"])
    press("Enter")
    desk.walk_to(away["to"])
    desk.expect_message("No:")
    press("Escape")
    desk.expect_message("Put back")
    press("Control+z")
    expect(desk.chip(can["from"])).to_be_attached()  # on a phone another day may be shown
    press("Control+y")
    expect(desk.chip(can["to"])).to_be_attached()
    desk.choose(can["to"], "Lock")
    desk.expect_locked(can["to"])
    expect(desk.chip(can["to"])).to_be_focused()


def _remove_by_keyboard(served, desk):
    """Take a patrol away, and tell which."""
    gone = next(pick_slot(patrol) for patrol in served.patrols() if not patrol["locked"])
    desk.choose(gone, "Remove")
    expect(desk.chip(gone)).to_have_count(0)
    return gone


def _give_by_keyboard(served, desk):
    """Take a patrol back and give it to its officer again."""
    gone = _remove_by_keyboard(served, desk)
    desk.enter(f'#crew [data-officer="{gone["officer"]}"]')
    desk.walk_to(gone)
    desk.page.keyboard.press("Enter")
    expect(desk.chip(gone)).to_be_focused()


def _swap_by_keyboard(served, desk):
    """Carry a patrol onto another one: their officers change places."""
    press = desk.page.keyboard.press
    swaps = (
        {"kind": "swap", "a": pick_slot(one), "b": pick_slot(other)}
        for one, other in permutations(served.patrols(), 2)
        if one["officer"] != other["officer"]
        and (one["urn"], one["date"]) != (other["urn"], other["date"])
    )
    swap = served.find_first(swaps)
    desk.walk_to(swap["a"])
    press("Enter")
    desk.walk_to(swap["b"])
    desk.expect_message("Swap. Yes:")
    press("Enter")
    there = {**swap["b"], "officer": swap["a"]["officer"]}
    expect(desk.chip(there)).to_be_focused()
    assert get_key(there) in served.read_saved_keys()


def _rule_out_by_keyboard(served, desk):
    """Rule out any patrol at a school on a day, and tell which went."""
    gone = next(pick_slot(patrol) for patrol in served.patrols() if not patrol["locked"])
    desk.choose(gone, "Anybody here", part="fieldset")
    expect(desk.chip(gone)).to_have_count(0)
    expect(desk.empty(gone)).to_have_accessible_name(desk.match_text("nobody"))
    assert len(served.state()["bans"]) == 1
    return gone


def _propose_by_keyboard(served, desk, answer):
    """Plan again, cancel, plan once more, compare, and take or drop what is proposed."""
    page, press, before = desk.page, desk.page.keyboard.press, served.read_saved_keys()
    desk.enter("#solve", backwards=True)
    expect(page.locator("#cancel-solve")).to_be_focused()
    expect(page.get_by_role("progressbar", name="Planning progress")).to_be_visible()
    press("Enter")
    desk.expect_message("cancelled; the week is unchanged")
    expect(page.locator("#solve")).to_be_focused()
    assert served.read_saved_keys() == before
    press("Enter")
    expect(page.locator("#compare")).to_be_focused(timeout=60_000)
    press("Enter")
    expect(page.locator("#proposal li").first).to_be_visible()
    desk.enter("#proposal button", text=answer)
    expect(page.locator("#proposal")).to_have_count(0)
    expect(page.locator("#solve")).to_be_focused()
    expect(page.locator("#compare")).to_be_hidden()
    if answer.startswith("Drop"):
        assert served.read_saved_keys() == before
        assert served.board.proposal is None


def _task_by_keyboard(desk, what):
    """Choose a place by the map's cross; say what, for whom, until when, why, and who asks."""
    page, press = desk.page, desk.page.keyboard.press
    desk.enter("#more", backwards=True)
    expect(page.locator(".sign.school").first).to_be_attached()
    desk.tab_to("[role=tab][aria-selected=true]")
    for _ in range(2):
        press("ArrowRight")
    expect(page.get_by_role("tab", name="Places")).to_be_focused()
    desk.tab_to("#map", backwards=True)
    press("ArrowRight")
    press("ArrowDown")
    press("Enter")
    desk.expect_message("Place set from the cross")
    desk.tab_to("#place-must")
    page.keyboard.type(what)
    desk.enter("#new-place summary")
    desk.tab_to("#place-schools input")
    press("Space")
    # The last day is the same in whichever order the browser asks for day and month.
    for field, text in (("to", "12122026"), ("reason", REASON), ("by", "Insp. Example")):
        desk.tab_to(f"#place-{field}")
        page.keyboard.type(text)
    assert page.locator("#place-to").input_value() == "2026-12-12"
    desk.enter("#new-place button", text="Save the place")
    _leave_outcome(page)
    place = page.locator("#list .place").filter(has_text=REASON)
    expect(place).to_contain_text(what)
    expect(place).to_contain_text("to Saturday 12 December")


def test_a_patrol_is_moved_and_a_place_tasked_by_mouse(served, desk):
    """With the mouse alone: look, try, move, undo, redo and lock, and press the map for a place."""
    page = desk.page
    assert page.locator("#grid .chip").count() == len(served.patrols())
    moved = _move_and_lock_by_mouse(served, desk)
    _task_by_mouse(served, desk)
    expect(desk.chip(moved)).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "what", "answer"),
    [(DESKTOP_SIZE, "must be visited", "Take the proposal"), (PHONE_SIZE, "barred", "Drop it")],
    ids=["desk", "phone"],
)
def test_friday_by_keyboard(size, what, answer, served, open_window):
    """With the keyboard alone, from the first Tab to the printed sheet, on a desk and a phone."""
    desk = open_window(served, size)
    page, press = desk.page, desk.page.keyboard.press
    _move_and_lock_by_keyboard(served, desk)
    _swap_by_keyboard(served, desk)
    barred = _rule_out_by_keyboard(served, desk)
    _give_by_keyboard(served, desk)
    _task_by_keyboard(desk, what)
    for _ in range(2):  # so that a better week can be found
        desk.tab_to("#grid [tabindex='0']", backwards=True)
        _remove_by_keyboard(served, desk)
    _propose_by_keyboard(served, desk, answer)
    expect(desk.chip(barred)).to_have_count(0)
    desk.tab_to("[role=tab][aria-selected=true]")
    press("ArrowRight")
    desk.enter("#list .minutes")
    expect(page.locator("#list .delivered-who").first).to_contain_text("entered")
    expect(page.locator("#list .minutes").nth(1)).to_be_focused()
    officer = served.patrols()[0]["officer"]
    desk.enter("#open-print", backwards=True)
    desk.enter("#print .actions button", text="Make the papers")
    link = page.locator("#print .papers a").first
    expect(link).to_be_visible(timeout=120_000)
    answer = page.request.get(desk.address.rstrip("/") + link.get_attribute("href"))
    assert answer.status == 200
    texts = [one.extract_text() for one in PdfReader(io.BytesIO(answer.body())).pages]
    assert any(officer in text for text in texts)


def test_the_later_window_is_told_and_may_do_its_change_again(served, open_window):
    """Who comes second reads what happened, sees the new week, and does the change on it."""
    first, second = open_window(served), open_window(served)
    mine, theirs, *_ = served.slots()
    second.chip(mine).click()
    first.lock(theirs)
    lock = second.page.get_by_role("button", name="Lock", exact=True)
    lock.click()
    refused = second.page.locator("#patrol .dialog-status")
    expect(refused).to_contain_text("another window changed the week first (Locked: ")
    expect(refused).to_contain_text(theirs["officer"])
    second.expect_locked(theirs)
    assert [row["locked"] for row in served.patrols()].count(True) == 1
    lock.click()
    second.expect_locked(mine)


@pytest.mark.slow
def test_an_idle_window_follows_the_other(served, open_window):
    """A window where nothing is in hand soon shows what the other one did, and says so."""
    first, second = open_window(served), open_window(served)
    post = served.slots()[0]
    first.lock(post)
    second.expect_locked(post)
    second.expect_message("Changed in another window")


@pytest.mark.slow
def test_planning_begun_while_the_last_end_is_told_is_followed(served, open_window):
    """Planning begun while the page still asks how the last work ended is seen through."""
    served.change({"kind": "remove", **served.slots()[0]})
    desk = open_window(served)
    page, held = desk.page, []

    def hold_the_end(route):
        answer = route.fetch()
        if held or answer.json()["running"]:
            route.fulfill(response=answer)
        else:
            held.append((route, answer))

    page.route("**/api/solving", hold_the_end)
    desk.press("Plan again")
    expect(page.locator("#solving")).to_be_visible()
    page.locator("#cancel-solve").click()
    for _ in range(500):  # until the page asks and the answer, that it has ended, is held back
        if held:
            break
        page.wait_for_timeout(20)
    page.evaluate("document.querySelector('#solve').click()")
    page.wait_for_timeout(200)
    route, answer = held[0]
    route.fulfill(response=answer)
    ready = desk.match_text("A better week is ready")
    expect(page.locator("#message")).to_contain_text(ready, timeout=60_000)
    expect(page.locator("#compare")).to_be_visible()
    assert served.board.proposal is not None


def test_a_ledger_that_cannot_be_read_is_told(served, desk):
    """Where the ledger is broken the page says so in plain words, until it is mended."""
    page = desk.page
    expect(page.locator("#ledger")).to_be_hidden()
    settings = served.board.shared.state.planned_area.area.settings
    ledger = settings.folder / settings.ledger.address.removeprefix("sqlite:///")
    ledger.write_bytes(b"no database at all" * 100)
    post, other = served.slots()[:2]
    desk.lock(post)
    expect(page.locator("#ledger")).to_contain_text("Doses delivered are not shown")
    expect(page.locator("#ledger")).to_contain_text(ledger.name)
    ledger.unlink()
    desk.lock(other)
    expect(page.locator("#ledger")).to_be_hidden()


@pytest.mark.slow
def test_a_change_that_nobody_takes_is_told(served, desk):
    """When the program has stopped, the page says so and keeps what it shows."""
    post = served.slots()[0]
    desk.chip(post).click()
    desk.page.route("**/api/**", lambda route: route.abort())
    desk.press("Remove")
    expect(desk.page.locator("#patrol .dialog-status")).to_contain_text("does not answer")
    desk.page.keyboard.press("Escape")
    expect(desk.chip(post)).to_be_visible()


def _is_whole(page):
    """Whether no dialog is wider than the window and no button in it has its text cut."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth
          && [...document.querySelectorAll("dialog[open] button, dialog[open] p, dialog[open] li")]
            .every((one) => one.scrollWidth <= one.clientWidth + 1)"""
    )


def test_away_takes_four_taps_on_a_phone(served, open_window):
    """An officer, from when, to when, "Away": the cards that change are shown, all others stay."""
    phone, before = open_window(served, SMALL_PHONE_SIZE), served.read_saved_keys()
    page, days = phone.page, [day["date"] for day in served.state()["week"]["days"]]
    gone = next(pick_slot(patrol) for patrol in served.patrols() if patrol["date"] == days[1])
    for press in (
        phone.officer(gone["officer"]),
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
    expect(phone.officer(gone["officer"])).to_have_accessible_name(phone.match_text("away"))
    dialog.get_by_role("button", name="Undo: bring all back").tap()
    expect(page.locator("dialog")).to_have_count(0)
    assert served.read_saved_keys() == before


@pytest.mark.slow
@BIG_AND_SMALL
def test_an_appointment_is_entered_and_removed(size, served, open_window):
    """Kind, day and hours are entered; the officer's card shows them, and the patrol makes way."""
    window, before = open_window(served, size), served.read_saved_keys()
    page = window.page
    lost = served.slots()[0]
    window.officer(lost["officer"]).click()
    page.locator("#appoint-what").select_option("assembly")
    page.locator("#appoint-day").select_option(lost["date"])
    page.locator("#appoint-from").fill("14:45")
    page.locator("#appoint-to").fill("16:45")
    page.locator("#appoint-school").select_option(lost["urn"])
    assert _is_whole(page)
    window.press("Enter the appointment")
    _leave_outcome(page)
    key = (lost["date"], lost["urn"], lost["officer"])
    assert key not in served.read_saved_keys()
    assert {k for k in before if (k[0], k[2]) != (key[0], key[2])} <= served.read_saved_keys()
    expect(window.officer(lost["officer"])).to_contain_text("assembly 14:45")
    window.officer(lost["officer"]).click()
    page.get_by_role("button", name="Remove the appointment").click()
    _leave_outcome(page)
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
    desk.press("Find")
    desk.expect_message("Place set from Eastmere High Street")
    page.get_by_label("Between").fill("15:00")
    page.get_by_label("and", exact=True).fill("17:30")
    page.get_by_label("Minutes there").fill("10")
    for day in ("Mon", "Wed", "Thu"):
        page.locator("#place-weekdays").get_by_label(day).uncheck()
    page.get_by_label("Reason").fill("Bicycles taken by force")
    page.get_by_label("Who asks").fill("Insp. Example")
    desk.press("Save the place")
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
@BIG_AND_SMALL
def test_a_gap_is_filled_by_one_tap(size, served, open_window):
    """The best swaps of a day without a patrol say what each changes; one tap makes it."""
    window, state = open_window(served, size), served.state()
    page, urns = window.page, [school["urn"] for school in state["schools"]]
    gap = min(
        (row for row in state["unmet"] if row["kind"] == "day"),
        key=lambda gap: urns.index(gap["urn"]),
    )
    window.open_more()
    page.get_by_role("tab", name="Gaps").click()
    page.locator("#list").get_by_role("button", name="Best swaps").first.click()
    dialog = page.get_by_role("dialog", name="Best swaps")
    expect(dialog.locator(".offers > li").first).to_contain_text("worth")
    assert _is_whole(page)
    dialog.get_by_role("button", name="Make this swap").first.click()
    expect(page.locator("dialog")).to_have_count(0)
    assert (gap["date"], gap["urn"]) in {key[:2] for key in served.read_saved_keys()}
