"""How well a week is foreseen with what is set by hand, and the week drawn again."""

import time

from board.speech import get_slot

from patrolplan.board.shared_week import open_shared_week

PATIENCE_SECONDS = 120


def count(client):
    """Have it counted, and wait; gives how the week was drawn."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        draw = client.post("/api/foreseen", json={}).json()["draw"]
        if draw["failed"] or draw["with_locks"] is not None:
            return draw
        assert time.monotonic() < until
        time.sleep(0.1)


def test_locks_cost_in_foreseeability(board, client):
    """After a lock the share is unknown until it is counted; then it is saved with the week."""
    shared = board.shared
    first = client.get("/api/state").json()["draw"]
    assert first["number"] == 1
    assert first["foreseen"] == first["with_locks"] is not None
    for number, duty in enumerate(shared.state.week.duties[:8], start=1):
        lock = {"kind": "lock", **get_slot(duty)}
        state = client.post("/api/change", json={"version": number, "change": lock}).json()["state"]
    assert state["draw"]["with_locks"] is None
    assert state["draw"]["foreseen"] == first["foreseen"]
    counted = count(client)
    assert counted["with_locks"] > first["foreseen"]
    assert shared.version == 9
    again = open_shared_week(shared.state.planned_area, shared.store.folder)
    assert again.state.week.foreseen.with_locks == counted["with_locks"]
    assert again.can_undo
    again.undo(1)
    assert len(again.state.week.locks) == 7
    assert client.post("/api/undo", json={"version": 9}).status_code == 409


def test_a_count_of_an_earlier_week_is_not_taken(board, client):
    """What was counted for another week is discarded."""
    shared = board.shared
    state = shared.state
    duty = state.week.duties[0]
    lock = {"kind": "lock", **get_slot(duty)}
    client.post("/api/change", json={"version": 1, "change": lock})
    shared.note_foreseen(state, state.week.foreseen)
    assert shared.state.week.foreseen is None
    assert shared.version == 2


def test_drawing_again_counts_the_number_up(board, client):
    """The next draw is a proposal to compare, and the week that is taken has its number."""
    client.post("/api/solve", json={"version": 1, "draw_again": True})
    board._planning_job.wait(PATIENCE_SECONDS)
    assert board.build_solving_status()["problem"] == ""
    before = board.shared.state.week
    taken = client.post("/api/proposal/take", json={"version": 1}).json()["state"]
    assert taken["draw"]["number"] == 2
    week = board.shared.state.week
    assert week.draw.digest != before.draw.digest
    assert week.worth >= (1 - week.draw.give) * week.draw.best_worth - 1e-9
    assert client.post("/api/undo", json={"version": 2}).json()["state"]["draw"]["number"] == 1


def test_planning_again_without_changes_is_the_same_draw(board, client):
    """By the same key the same week is drawn."""
    client.post("/api/solve", json={"version": 1})
    board._planning_job.wait(PATIENCE_SECONDS)
    before = board.shared.state.week
    assert board.proposal.week.draw.digest == before.draw.digest
    assert {d.key for d in board.proposal.week.duties} == {d.key for d in before.duties}
