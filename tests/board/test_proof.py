"""The search behind a week: its proof is saved with the week, and a change of the week ends it."""

import time
from dataclasses import replace

import pytest
from board.speech import get_slot

from patrolplan.board.shared_week import open_shared_week

PATIENCE_SECONDS = 60


@pytest.fixture
def chosen(chosen):
    """The best week, of which it is not known that it is."""
    return replace(chosen, bound=1.003 * chosen.bound, status="feasible")


def _search(client):
    """Have it searched on, and wait for the end."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (answer := client.post("/api/proof", json={}).json())["proof"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    return answer


def test_a_proof_is_saved_and_is_no_change(board, client):
    """Patrols, version and steps to undo stay as they are; the gap is gone, also on disk."""
    shared = board.shared
    before = shared.state.week
    assert client.get("/api/state").json()["gap_percent"] > 0.2
    answer = _search(client)
    assert (answer["proof"], answer["status"], answer["proposal"]) == ("proven", "optimal", False)
    assert answer["gap_percent"] < 0.001
    assert (shared.version, shared.can_undo) == (1, False)
    again = open_shared_week(shared.state.planned_area, shared.store.folder).state.week
    assert again.status == "optimal"
    assert again.bound < before.bound
    assert [*map(get_slot, again.duties)] == [*map(get_slot, before.duties)]


def test_a_change_ends_the_search(board, client):
    """What was searched for an earlier version is dropped; a week with locks has no search."""
    assert client.post("/api/proof", json={}).json()["proof"] == "running"
    bound = board.shared.state.week.bound
    lock = {"kind": "lock", **get_slot(board.shared.state.week.duties[0])}
    client.post("/api/change", json={"version": 1, "change": lock})
    board._proof._job.wait(PATIENCE_SECONDS)
    answer = _search(client)
    assert (answer["proof"], answer["proposal"]) == ("none", False)
    assert board.shared.state.week.bound == pytest.approx(bound)
