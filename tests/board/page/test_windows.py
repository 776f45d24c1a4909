"""Two windows on one week, and a program that stops answering."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def test_the_later_window_is_told_and_may_do_its_change_again(served, open_window):
    """Who comes second reads what happened, sees the new week, and does the change on it."""
    first, second = open_window(), open_window()
    mine, theirs, *_ = served.slots()
    second.chip(mine).click()
    first.chip(theirs).click()
    first.page.get_by_role("button", name="Lock", exact=True).click()
    expect(first.chip(theirs)).to_have_accessible_name(first.match_text("locked"))

    lock = second.page.get_by_role("button", name="Lock", exact=True)
    lock.click()
    refused = second.page.locator("#patrol .dialog-status")
    expect(refused).to_contain_text("another window changed the week first (Locked: ")
    expect(refused).to_contain_text(theirs["officer"])
    expect(second.chip(theirs)).to_have_accessible_name(second.match_text("locked"))
    assert [row["locked"] for row in served.patrols()].count(True) == 1
    lock.click()
    expect(second.chip(mine)).to_have_accessible_name(second.match_text("locked"))


@pytest.mark.slow
def test_an_idle_window_follows_the_other(served, open_window):
    """A window where nothing is in hand soon shows what the other one did, and says so."""
    first, second = open_window(), open_window()
    post = served.slots()[0]
    first.chip(post).click()
    first.page.get_by_role("button", name="Lock", exact=True).click()
    expect(second.chip(post)).to_have_accessible_name(second.match_text("locked"))
    second.expect_message("Changed in another window")


@pytest.mark.slow
def test_planning_begun_while_the_last_end_is_told_is_followed(served, open_window):
    """Planning begun while the page still asks how the last work ended is seen through."""
    served.change({"kind": "remove", **served.slots()[0]})
    desk = open_window()
    page, held = desk.page, []

    def hold_the_end(route):
        answer = route.fetch()
        if held or answer.json()["running"]:
            route.fulfill(response=answer)
        else:
            held.append((route, answer))

    page.route("**/api/solving", hold_the_end)
    page.get_by_role("button", name="Plan again").click()
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
    desk.chip(post).click()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator("#ledger")).to_contain_text("Doses delivered are not shown")
    expect(page.locator("#ledger")).to_contain_text(ledger.name)
    expect(desk.chip(post)).to_be_visible()
    ledger.unlink()
    desk.chip(other).click()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator("#ledger")).to_be_hidden()


@pytest.mark.slow
def test_a_change_that_nobody_takes_is_told(served, desk):
    """When the program has stopped, the page says so and keeps what it shows."""
    post = served.slots()[0]
    desk.chip(post).click()
    served.close()
    desk.page.get_by_role("button", name="Remove").click()
    expect(desk.page.locator("#patrol .dialog-status")).to_contain_text("does not answer")
    desk.page.keyboard.press("Escape")
    expect(desk.chip(post)).to_be_visible()
