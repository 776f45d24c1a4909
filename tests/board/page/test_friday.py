"""A team lead's Friday in the browser, from first look to printed sheets."""

import io

import pytest
from board.speech import get_key, pick_slot
from playwright.sync_api import expect
from pypdf import PdfReader

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

REASON = "Robberies named by the local team"


def _idle(page):
    """Wait until what the program works on is done."""
    expect(page.locator("#solving")).to_be_hidden(timeout=60_000)


def _leave_outcome(page):
    """Wait until a change is worked out, read what it did to the cards, and leave it so."""
    outcome = page.get_by_role("dialog", name="What changed")
    expect(outcome).to_be_visible(timeout=60_000)
    page.keyboard.press("Escape")
    expect(outcome).to_have_count(0)
    _idle(page)


def _fill_place(page):
    """Say who asks for a place, why and until when."""
    page.get_by_label("Reason").fill(REASON)
    page.get_by_label("Who asks").fill("Insp. Example")
    page.get_by_label("Last day").fill("2026-12-04")


def _type_place(window, what):
    """The same by keyboard: to be visited or barred, for whom, until when, why, who asks."""
    page = window.page
    window.tab_to("#place-must")
    page.keyboard.type(what)
    window.tab_to("#new-place summary")
    page.keyboard.press("Enter")
    window.tab_to("#place-schools input")
    page.keyboard.press("Space")
    for field, text in (
        ("to", "12122026"),  # the same in whichever order the browser asks for day and month
        ("reason", REASON),
        ("by", "Insp. Example"),
    ):
        window.tab_to(f"#place-{field}")
        page.keyboard.type(text)
    assert page.locator("#place-to").input_value() == "2026-12-12"


def _assert_printed(served, page, officer):
    """Check that the papers linked are PDF and name the officer."""
    link = page.locator("#print .papers a").first
    expect(link).to_be_visible(timeout=120_000)
    answer = page.request.get(served.address.rstrip("/") + link.get_attribute("href"))
    assert answer.status == 200
    texts = [one.extract_text() for one in PdfReader(io.BytesIO(answer.body())).pages]
    assert any(officer in text for text in texts)


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
    page.get_by_role("button", name="Undo").click()
    expect(desk.chip(can["from"])).to_be_visible()
    page.get_by_role("button", name="Redo").click()
    expect(desk.chip(can["to"])).to_be_visible()

    desk.chip(can["to"]).click()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(desk.chip(can["to"])).to_have_accessible_name(desk.match_text("locked"))
    return can["to"]


def _task_by_mouse(served, desk):
    """Press the map, though its ground has not come yet, and say who asks for the place."""
    page, state, held = desk.page, served.state(), []
    page.route("**/api/map", lambda route: held.append(route))  # noqa: PLW0108 - it is marked
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator(".sign.from")).to_be_attached()
    page.get_by_role("tab", name="Places").click()
    x, y = desk.find_middle(page.locator("#map"))
    page.mouse.click(x - 60, y + 50)
    desk.expect_message("Place set from")
    held[0].continue_()
    expect(page.locator(".sign.school:not(.from)").first).to_be_attached()
    page.get_by_text("Schools: all, or only some").click()
    page.locator("#place-schools").get_by_label(state["schools"][0]["name"]).check()
    _fill_place(page)
    page.get_by_role("button", name="Save the place").click()
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

    desk.walk_to(can["to"])
    press("m")
    desk.tab_to("#patrol .actions button", text="Lock")
    press("Enter")
    expect(desk.chip(can["to"])).to_have_accessible_name(desk.match_text("locked"))
    expect(desk.chip(can["to"])).to_be_focused()


def _give_by_keyboard(served, desk):
    """Take a patrol back and give it to its officer again."""
    press = desk.page.keyboard.press
    gone = next(pick_slot(patrol) for patrol in served.patrols() if not patrol["locked"])
    desk.walk_to(gone)
    press("m")
    desk.tab_to("#patrol .actions button", text="Remove")
    press("Enter")
    expect(desk.chip(gone)).to_have_count(0)
    desk.tab_to(f'#crew [data-officer="{gone["officer"]}"]')
    press("Enter")
    desk.walk_to(gone)
    press("Enter")
    expect(desk.chip(gone)).to_be_focused()


def _swap_by_keyboard(served, desk):
    """Carry a patrol onto another one: their officers change places."""
    press = desk.page.keyboard.press
    swap = served.find_first(served.list_swaps())
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
    desk.walk_to(gone)
    desk.page.keyboard.press("m")
    desk.tab_to("#patrol fieldset button", text="Anybody here")
    desk.page.keyboard.press("Enter")
    expect(desk.chip(gone)).to_have_count(0)
    expect(desk.empty(gone)).to_have_accessible_name(desk.match_text("nobody"))
    assert len(served.state()["bans"]) == 1
    return gone


def _remove_by_keyboard(served, desk):
    """Take two patrols away, so that a better week can be found."""
    for _ in range(2):
        gone = next(pick_slot(patrol) for patrol in served.patrols() if not patrol["locked"])
        desk.tab_to("#grid [tabindex='0']", backwards=True)
        desk.walk_to(gone)
        desk.page.keyboard.press("m")
        desk.tab_to("#patrol .actions button", text="Remove")
        desk.page.keyboard.press("Enter")
        expect(desk.chip(gone)).to_have_count(0)


def _propose_by_keyboard(served, desk, answer):
    """Plan again, cancel, plan once more, compare, and take or drop what is proposed."""
    page, press, before = desk.page, desk.page.keyboard.press, served.read_saved_keys()
    desk.tab_to("#solve", backwards=True)
    press("Enter")
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
    desk.tab_to("#proposal button", text=answer)
    press("Enter")
    expect(page.locator("#proposal")).to_have_count(0)
    expect(page.locator("#solve")).to_be_focused()
    expect(page.locator("#compare")).to_be_hidden()
    if answer.startswith("Drop"):
        assert served.read_saved_keys() == before
        assert served.board.proposal is None


def _task_by_keyboard(desk, what):
    """Choose a place by the map's cross and say who asks for it."""
    page, press = desk.page, desk.page.keyboard.press
    desk.tab_to("#more", backwards=True)
    press("Enter")
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
    _type_place(desk, what)
    desk.tab_to("#new-place button", text="Save the place")
    press("Enter")
    _leave_outcome(page)
    place = page.locator("#list .place").filter(has_text=REASON)
    expect(place).to_contain_text(what)
    expect(place).to_contain_text("to Saturday 12 December")


def test_a_patrol_is_moved_and_a_place_tasked_by_mouse(served, desk):
    """With the mouse alone: look, try, move, undo, redo and lock, and press the map for a place."""
    page = desk.page
    assert page.locator("#grid tbody tr").count() == len(served.state()["schools"])
    assert page.locator("#grid .chip").count() == len(served.patrols())
    moved = _move_and_lock_by_mouse(served, desk)
    _task_by_mouse(served, desk)
    expect(desk.chip(moved)).to_be_visible()


@pytest.mark.parametrize(
    ("size", "what", "answer"),
    [
        pytest.param("desk", "must be visited", "Take the proposal", marks=pytest.mark.slow),
        pytest.param("phone", "barred", "Drop it", marks=pytest.mark.slow),
    ],
)
def test_friday_by_keyboard(size, what, answer, served, request):
    """With the keyboard alone, from the first Tab to the printed sheet, on a desk and a phone."""
    desk = request.getfixturevalue(size)
    page, press = desk.page, desk.page.keyboard.press
    _move_and_lock_by_keyboard(served, desk)
    _swap_by_keyboard(served, desk)
    barred = _rule_out_by_keyboard(served, desk)
    _give_by_keyboard(served, desk)
    _task_by_keyboard(desk, what)
    _remove_by_keyboard(served, desk)
    _propose_by_keyboard(served, desk, answer)
    expect(desk.chip(barred)).to_have_count(0)

    desk.tab_to("[role=tab][aria-selected=true]")
    press("ArrowRight")
    desk.tab_to("#list .minutes")
    press("Enter")
    expect(page.locator("#list .delivered-who").first).to_contain_text("entered")
    expect(page.locator("#list .minutes").nth(1)).to_be_focused()

    officer = served.patrols()[0]["officer"]
    desk.tab_to("#open-print", backwards=True)
    press("Enter")
    desk.tab_to("#print .actions button", text="Make the papers")
    press("Enter")
    _assert_printed(served, page, officer)
