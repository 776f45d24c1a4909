"""How tests name patrols and changes, as the page does, and serve a board."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

from patrolplan.board.requests import ChangeRequest
from patrolplan.board.server import build_server, open_listener
from patrolplan.team.calendar_state import NEVER_SENT
from patrolplan.team.week_file import build_week_document

TOKEN = "of-this-session"  # noqa: S105 - of a test
HOSTILE = '<img src=x onerror=alert(1)>"; DROP TABLE duties;'
TASK = {
    "kind": "task", "place_id": "T-9", "longitude": 0.87, "latitude": 51.53, "must_visit": True,
    "schools": ["*"], "from": "2026-11-30", "to": "2026-12-04", "reason": "why", "by": "who",
}  # fmt: skip
"""A place tasked for a week."""


def get_slot(duty):
    """What names a patrol in a request."""
    return {"officer": duty.officer, "urn": duty.urn, "date": f"{duty.date}"}


def pick_slot(patrol):
    """The same of a patrol as the page receives it."""
    return {name: patrol[name] for name in ("officer", "urn", "date")}


def list_patrols(state):
    """Every patrol of the board's state."""
    cells = [cell for school in state["schools"] for cell in school["cells"].values()]
    return [patrol for cell in cells for patrol in cell["patrols"]]


def get_key(slot):
    """Day, school and officer, as `ServedBoard.read_saved_keys` has them."""
    return slot["date"], slot["urn"], slot["officer"]


def parse_change(**change):
    """A change as the page asks for it, checked."""
    return ChangeRequest.model_validate({"version": 0, "change": change}).change


def ask_change(client, version=1, **change):
    """Ask for a change as the page does."""
    return client.post("/api/change", json={"version": version, "change": change})


def without_history(week):
    """A week's document but for what was done by hand, and what calendars were told of it."""
    return build_week_document(replace(week, history=(), calendar=NEVER_SENT))


@contextmanager
def serve(board, **options):
    """Serve a board on this computer, in a thread of its own; gives the port."""
    with open_listener("127.0.0.1", 0) as listener:
        server = build_server(board, listener, TOKEN, **options)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)
