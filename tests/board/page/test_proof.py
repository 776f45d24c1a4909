"""The search that goes on behind a week that was shown at the gap, as its lead sees it."""

import pytest
from playwright.sync_api import expect

from patrolplan.team.rota import plan_week
from patrolplan.team.search_limits import PROOF_LIMITS, SearchLimits

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

HASTY = SearchLimits(gap_percent=30.0, nodes=1, moves_per_school=1)
PATIENCE_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def chosen(ground):
    """A week that was searched for in haste."""
    return plan_week(ground.area, ground.plans, start=next(iter(ground.plans)), stop=HASTY)


def test_a_better_week_is_offered_and_nothing_else_changes(served, desk, small_phone):
    """The week stays until the lead compares and takes the better one, and that one is proven."""
    before, worth = served.read_saved_keys(), desk.page.locator("#worth")
    expect(worth).to_contain_text("A better week was found", timeout=PATIENCE_MILLISECONDS)
    assert served.read_saved_keys() == before
    phone = small_phone.page.locator("#worth")
    expect(phone).to_contain_text("A better week was found", timeout=PATIENCE_MILLISECONDS)
    desk.page.get_by_role("button", name="Compare proposal").click()
    desk.page.get_by_role("button", name="Take the proposal").click()
    expect(worth).to_contain_text("which is proven")
    expect(worth).not_to_contain_text("A better week was found")
    expect(phone).to_contain_text("which is proven")
    draw = served.board.shared.state.week.draw
    assert draw.limits == PROOF_LIMITS
    assert served.read_saved_keys() != before
