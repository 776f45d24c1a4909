"""Whatever is done to a week, its papers and the board go on saying the same."""

import time

import pytest
from board.conftest import MONDAY, plan_ground
from board.speech import ask_change, get_slot, list_patrols
from outputs.read_back import list_faults

import patrolplan as pp
from patrolplan.team.rota import plan_week

PATIENCE_SECONDS = 120
BARRED = {
    "kind": "task", "place_id": "T-8", "must_visit": False, "schools": ["*"],
    "from": "2026-11-30", "to": "2026-12-04", "reason": "leave it alone", "by": "Insp. A",
}  # fmt: skip


@pytest.fixture(scope="module")
def ground(copy_demo, tmp_path_factory):
    """Four schools, at one of which a member of staff walks along."""
    folder = tmp_path_factory.mktemp("with staff")
    return plan_ground(copy_demo(folder, "2026-09"), ["900001", "900003", "900007", "900009"])


@pytest.fixture(scope="module")
def chosen(ground):
    """The week that the optimiser chooses, with crews."""
    week = plan_week(ground.area, ground.plans, start=MONDAY)
    assert any(duty.crew for duty in week.duties)
    return week


class Hand:
    """Somebody who works on a board, and waits until each change is made."""

    def __init__(self, board, client):
        self.board, self.client = board, client
        self.changes = []  # what was asked, and what came of it

    @property
    def week(self):
        """The week as it stands."""
        return self.board.shared.state.week

    def ask(self, **change):
        """Ask for a change, with a repair where it needs one."""
        answer = ask_change(self.client, self.board.shared.version, **change)
        self.board.planning_job.wait(PATIENCE_SECONDS)
        is_made = answer.status_code == 200 and not self.board.planning_job.document()["problem"]
        self.changes.append((change["kind"], is_made))

    def draw(self):
        """Take the next draw."""
        version = {"version": self.board.shared.version}
        self.client.post("/api/solve", json={**version, "draw_again": True})
        until = time.monotonic() + PATIENCE_SECONDS
        while self.client.get("/api/solving").json()["running"]:
            assert time.monotonic() < until
            time.sleep(0.05)
        taken = self.client.post("/api/proposal/take", json=version)
        self.changes.append(("draw", taken.status_code == 200))

    def undo(self):
        """Take the last change back."""
        undone = self.client.post("/api/undo", json={"version": self.board.shared.version})
        self.changes.append(("undo", undone.status_code == 200))

    def set_crew(self):
        """Nobody walks along any more where somebody did."""
        duty = next(duty for duty in self.week.duties if duty.crew)
        self.ask(kind="crew", **get_slot(duty), crew=[])

    def send_away(self, duty):
        """The officer of a patrol is away on its day."""
        day = f"{duty.date}"
        self.ask(kind="away", officer=duty.officer, **{"from": day, "to": day})

    def appoint(self, duty):
        """The officer of a patrol is at court at its time."""
        named = {"officer": duty.officer, "date": f"{duty.date}", "what": "court", "urn": None}
        self.ask(kind="appoint", **named, **{"from": "14:30", "to": "17:30"})

    def bar(self, duty):
        """A place near a patrol's first stop is barred."""
        (stop, *_) = duty.patrol.stops
        projection = self.week.plan.area.projection
        east, north = ([value] for value in (stop.x + 120.0, stop.y))
        longitude, latitude = (float(axis[0]) for axis in projection.to_degrees(east, north))
        self.ask(**BARRED, longitude=longitude, latitude=latitude)


STEPS = ("crew", "away", "appoint", "bar", "undo")


def take_step(hand, step):
    """Do one thing to the week."""
    stopped = [duty for duty in hand.week.duties if duty.patrol.stops]
    duty = stopped[len(hand.changes) % len(stopped)]
    if step == "draw":
        hand.draw()
    elif step == "undo":
        hand.undo()
    elif step == "crew":
        hand.set_crew()
    elif step == "away":
        hand.send_away(duty)
    elif step == "appoint":
        hand.appoint(duty)
    else:
        hand.bar(duty)


def read_faults(hand, folder):
    """What papers and board of the week as it stands do not say alike."""
    pp.write_pack(hand.week, folder)
    return list_faults(hand.week, folder, list_patrols(hand.client.get("/api/state").json()))


def test_papers_and_board_say_the_same_after_each_change(board, client, tmp_path):
    """With a crew, after an absence, an appointment, a barred place and an undo."""
    hand = Hand(board, client)
    assert read_faults(hand, tmp_path / "out") == []
    for step in STEPS:
        take_step(hand, step)
        assert (step, hand.changes, read_faults(hand, tmp_path / "out")) == (step, hand.changes, [])
    done = {kind for kind, is_made in hand.changes if is_made}
    assert done == {"crew", "away", "appoint", "task", "undo"}


@pytest.mark.slow
def test_papers_and_board_say_the_same_of_twenty_drawn_weeks(board, client, tmp_path):
    """Each week is drawn anew, and something else is done to it."""
    hand = Hand(board, client)
    for number in range(20):
        take_step(hand, "draw")
        take_step(hand, STEPS[number % len(STEPS)])
        assert read_faults(hand, tmp_path / "out") == []
    done = [kind for kind, is_made in hand.changes if is_made]
    assert done.count("draw") == 20
    assert {*done} == {"draw", "crew", "away", "appoint", "task", "undo"}
