"""How well a week is foreseen with what is set by hand, and the week drawn again."""

from board.speech import get_slot

PATIENCE_SECONDS = 120


def test_the_share_is_that_of_the_last_plan(board, client):
    """A lock changes what can be foreseen, so that nothing is said until the week is planned."""
    first = client.get("/api/state").json()["draw"]
    assert first["number"] == 1
    assert first["foreseen"] == first["with_locks"] is not None
    lock = {"kind": "lock", **get_slot(board.shared.state.week.duties[0])}
    state = client.post("/api/change", json={"version": 1, "change": lock}).json()["state"]
    assert state["draw"]["foreseen"] is state["draw"]["with_locks"] is None
    client.post("/api/solve", json={"version": 2})
    board._planning_job.wait(PATIENCE_SECONDS)
    taken = client.post("/api/proposal/take", json={"version": 2}).json()["state"]
    assert taken["draw"]["with_locks"] is not None


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
