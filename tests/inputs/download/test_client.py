"""Asking: paced, patient, bounded, honest about who asks, and by one room and command alone."""

import ast
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

import patrolplan
from patrolplan.errors import FetchError
from patrolplan.inputs.download.client import WebClient, build_user_agent
from patrolplan.inputs.download.police import PoliceApi

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
RING = "51.5,-0.16:51.5,-0.1:51.54,-0.1:51.54,-0.16"


@pytest.fixture
def api(world, serving, quick_web):
    """What gives the API of the world, where one answer may hold everything, to a session."""
    world.most = 10_000
    url = f"{serving(world)}/api"
    with ExitStack() as webs:
        yield lambda **changes: PoliceApi(webs.enter_context(quick_web(**changes)), url)


@pytest.mark.parametrize(("fault", "message"), [
    *(("500", "answers 500"), ("502", "answers 502"), ("429", "answers 429")),
    *((fault, "cannot be reached, or broke off") for fault in ("timeout", "drop", "cut")),
    *((fault, "an unexpected answer") for fault in ("no json", "shape")),
])  # fmt: skip
def test_patience_ends_with_what_to_do(world, api, fault, message):
    """After one fault of any kind the request is repeated; one that stays is explained."""
    few, world.script = {"timeout_seconds": (2, 0.4)}, [fault]
    assert len(api(**few).fetch_crimes(RING, "2026-09")) == 400
    assert len(world.requests) == 2
    world.script = [fault] * 3
    with pytest.raises(FetchError, match=message) as caught:
        api(total=2, **few).fetch_crimes(RING, "2026-09")
    message = str(caught.value)
    assert re.match(r"127\.0\.0\.1:\d+: crime of 2026-09 could not be fetched", message)
    assert "run `patrolplan fetch` again" in message
    assert "poly" not in message
    assert len(world.requests) == 5


def test_outlines_are_posted(world, api):
    """However long an outline is, it never stands in an address; without one it is a plain GET."""
    corners = RING.split(":")
    edge = [f"51.500000,{-0.16 + 0.06 * n / 300:.6f}" for n in range(1, 300)]
    long = ":".join([corners[0], *edge, *corners[1:]])
    assert api().fetch_crimes(long, "2026-09") == api().fetch_crimes(RING, "2026-09")
    api().fetch_months()
    assert [command for command, *_ in world.requests] == ["POST", "POST", "GET"]


def test_the_servers_wait_is_respected(world, api):
    """A 429 that says how long to wait is waited for so long."""
    world.script, world.retry_after, waited = ["429"], "7", []
    api(sleep=waited.append).fetch_months()
    assert max(waited) == 7


def test_requests_keep_below_fifteen_a_second(world, serving):
    """Before each request, repeats included, there is a pause."""
    world.script, waited = ["500", "500"], []
    with WebClient(sleep=waited.append) as web:
        PoliceApi(web, f"{serving(world)}/api").fetch_months()
    assert waited[::2] == [1 / 12] * len(world.requests) == [1 / 12] * 3


def test_an_answer_that_trickles_is_given_up(world, api):
    """A body that comes byte by byte is not waited for without end."""
    world.script = ["drip"] * 2
    with pytest.raises(FetchError, match="had not finished after"):
        api(total=1, answer_seconds=0.1).fetch_crimes(RING, "2026-09")


def test_an_answer_without_end_is_refused(api, monkeypatch):
    """A body above its bound is not read to its end."""
    monkeypatch.setattr("patrolplan.inputs.download.client.MAX_ANSWER_BYTES", 20)
    with pytest.raises(FetchError, match="sends more than 0 MB"):
        api(total=0).fetch_months()


def test_the_agent_is_honest_and_one_line():
    """The user agent names the program, its version and the contact, and cannot hold a header."""
    agent = build_user_agent("a@b.example\r\nX-Evil: 1")
    assert re.fullmatch(r"patrolplan/\d+\.\d+\.\d+ \(\+a@b\.exampleX-Evil: 1\)", agent)
    assert requests.utils.check_header_validity(("User-Agent", agent)) is None


SOURCE = Path(patrolplan.__file__).parent
ROOM = SOURCE / "inputs" / "download"
REACHES_OUT = {
    "aiohttp", "ftplib", "http", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket",
    "telnetlib", "urllib", "urllib3", "xmlrpc",
}  # fmt: skip
SPOKEN = re.compile("|".join((*REACHES_OUT, "osmnx", "download")))  # in what imports one of them
HARMLESS = {"urllib.parse", "http.cookies", "http.HTTPStatus"}
OTHERS = {
    "board": {"socket"},  # binds to loopback
    "inputs/graphml.py": {"osmnx"},  # reads files
}


def reaching(path):
    """What can reach out of all that a module imports, at its top or inside."""
    text, names = path.read_text(encoding="utf-8"), set()
    for part in ast.walk(ast.parse(text)) if SPOKEN.search(text) else ():
        if isinstance(part, ast.Import):
            names |= {alias.name for alias in part.names}
        elif isinstance(part, ast.ImportFrom) and part.module:
            names |= {f"{part.module}.{alias.name}" for alias in part.names}
    names = {name for name in names if not name.startswith(tuple(HARMLESS))}
    rooms = {"download" for name in names if name.startswith("patrolplan.inputs.download")}
    return ({name.split(".")[0] for name in names} & {*REACHES_OUT, "osmnx"}) | rooms


def test_the_room_is_seen_to_reach_out():
    """The check finds what it looks for, where it is."""
    assert reaching(ROOM / "client.py") >= {"requests", "urllib3"}


def test_no_other_module_reaches_out():
    """No module outside the room imports what talks to servers, nor the room, save the command."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        allowed = next((what for start, what in OTHERS.items() if name.startswith(start)), set())
        if name == "cli/fetch.py":
            allowed = {"download"}
        assert ROOM in path.parents or reaching(path) <= allowed, name
