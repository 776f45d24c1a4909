"""What others on this computer, or a page in the same browser, may try: nothing comes of it."""

import contextlib
import http.client
import json
import pickle
import random
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Queue

import httpx
import numpy as np
import pandas as pd
import pytest
import shapely
from attacks import searcher
from board import speech
from board.conftest import ask
from board.speech import HOSTILE, TASK, TOKEN, ask_change, get_slot, serve

from patrolplan.board.board import Board
from patrolplan.board.security import MAX_BODY_BYTES, write_redirect_file
from patrolplan.board.server import find_loopback_address
from patrolplan.board.shared_week import open_shared_week
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.notes import Note, list_texts
from patrolplan.outputs.output_folder import check_folder, read_manifest
from patrolplan.team.week_file import read_week

HOME = "127.0.0.1"
ASKED = ("/", "/api/state", "/api/map", "/api/solving", "/api/print", "/papers/tasks.pdf")
SERVER = """
import pickle, sys
from pathlib import Path
from patrolplan.board.board import Board
from patrolplan.board.shared_week import open_shared_week
from patrolplan.board.server import open_listener
from patrolplan.board.server import serve

if __name__ == "__main__":
    ground = pickle.loads(Path(sys.argv[1]).read_bytes())
    with open_listener("127.0.0.1", 0) as listener:
        board = Board(open_shared_week(ground, Path(sys.argv[2])))
        print(listener.getsockname()[1], flush=True)
        serve(board, listener, sys.argv[3])
"""
LOOPBACK = pytest.mark.usefixtures("socket_enabled")  # to a server of the test's own
FORMULAS = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0")
AWAY = {"kind": "away", "officer": "SSO-01", "from": "2026-11-30", "to": "2026-12-01"}
APPOINT = {
    "kind": "appoint", "officer": "SSO-01", "date": "2026-11-30", "from": "14:30", "to": "17:30",
    "what": "court", "urn": None,
}  # fmt: skip
UNAPPOINT = {"kind": "unappoint", "officer": "SSO-01", "date": "2026-11-30", "from": "14:30"}
CREW = {"kind": "crew", "officer": "SSO-01", "urn": "900001", "date": "2026-11-30", "crew": []}


@pytest.fixture(scope="module")
def served(still_board):
    """A real server on this computer; gives its port."""
    with serve(still_board) as port:
        yield port


def asking(port):
    """A client of the board, with the token."""
    headers = {"X-Patrolplan-Token": TOKEN}
    return httpx.Client(base_url=f"http://{HOME}:{port}", headers=headers, timeout=30)


def head_of(port, path):
    """The head of a request, up to the length of its body."""
    host, token = f"Host: {HOME}:{port}", f"X-Patrolplan-Token: {TOKEN}"
    return f"POST {path} HTTP/1.1\r\n{host}\r\n{token}\r\n"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:8765", ""]
)
def test_another_host_is_refused(still_client, host):
    """A name that was made to point here, or another port, gets nothing, token or not."""
    for path in ASKED:
        answer = still_client.get(path, headers={"Host": host})
        assert answer.status_code == 403
        assert "state" not in answer.text


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:80"]
)
def test_another_origin_is_refused(still_board, still_client, origin):
    """A page of another origin can neither read nor change, even with the token."""
    duty = get_slot(still_board.shared.state.week.duties[0])
    request = {"version": 1, "change": {"kind": "remove", **duty}}
    answer = still_client.post("/api/change", json=request, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert still_board.shared.version == 1


@pytest.mark.parametrize("token", [None, "", "x", f"{TOKEN}x", TOKEN[:-1], "Ö" * 15])
def test_without_the_token_nothing_is_told(still_board, token):
    """No token, or a false one: no page, no week, no paper, and no change."""
    headers = {} if token is None else {"X-Patrolplan-Token": token.encode("latin-1")}
    with ask(still_board) as client:
        client.headers.pop("X-Patrolplan-Token")
        for path in ASKED:
            answer = client.get(path, headers=headers)
            assert (answer.status_code, answer.json().keys()) == (401, {"problem"})
            assert TOKEN not in answer.text
        assert client.get("/api/state", params={"token": TOKEN}).status_code == 401
        assert client.post("/api/undo", json={"version": 1}, headers=headers).status_code == 401
        assert client.get("/", params={"token": TOKEN}).status_code == 200


def test_every_answer_forbids_what_the_page_does_not_need(still_client):
    """Policy, no sniffing, no referrer, no frame, no store: on pages, data and refusals alike."""
    for path in ("/", "/api/state", "/page/board.css", "/nothing"):
        headers = still_client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert (headers["referrer-policy"], headers["x-frame-options"]) == ("no-referrer", "DENY")
        assert headers["cache-control"] == "no-store"
    refused = still_client.get("/api/state", headers={"Host": "evil.example"}).headers
    assert "default-src 'none'" in refused["content-security-policy"]


def test_markup_in_names_stays_text(board, client):
    """Names and reasons with markup reach the page as text: escaped in it, JSON in answers."""
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    desk = board.shared
    area = desk.state.planned_area.area
    section = area.settings.area.model_copy(update={"name": evil})
    settings = area.settings.model_copy(update={"area": section})
    bad = replace(area, settings=settings)
    notes = (Note("tasked_place_outside", f"Tasked place {evil}."),)
    week = replace(desk.state.week, plan=replace(desk.state.week.plan, area=bad), notes=notes)
    planned_area = replace(desk.state.planned_area, area=bad)
    desk.state = replace(desk.state, week=week, planned_area=planned_area)
    page = client.get("/")
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    state = client.get("/api/state")
    assert state.headers["content-type"] == "application/json"
    assert state.json()["notes"] == list_texts(notes)


@pytest.mark.parametrize(
    "path",
    ["/papers/../week.json", "/papers/%2e%2e/%2e%2e/etc/passwd", "/papers/..%2fweek.json",
     "/papers//etc/passwd", "/papers/week.json", "/papers/manifest.json",
     "/papers/C:%5cWindows%5cwin.ini", "/papers/cards%5c..%5cweek.json", "/papers/x.pdf%00.html",
     "/page/..%2fserver.py", "/page/%2e%2e/server.py", "/page/board.html.j2",
     "/page/leaflet.js.map", "/page/", "/docs", "/openapi.json"],
)  # fmt: skip
def test_no_path_leads_out(still_client, path):
    """Only papers and page files by their own names are served; every other path is unknown."""
    answer = still_client.get(path)
    assert answer.status_code in {404, 405}
    assert set(answer.json()) == {"problem"}


def test_a_false_manifest_does_not_open_other_files(board, client):
    """Names in a manifest that lead out of the folder, by dots or by a link, are not served."""
    folder = board.shared.store.folder
    outside = folder.parent / "secret.pdf"
    outside.write_bytes(b"secret")
    with contextlib.suppress(OSError):  # no links for everybody on some systems
        (folder / "link.pdf").symlink_to(outside)
    manifest = read_manifest(folder)
    names = {"../secret.pdf": "", str(outside): "", "link.pdf": ""}
    manifest["files"] |= names
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in names:
        assert board.shared.store.read_paper(name) is None
        assert client.get(f"/papers/{name}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"version": 1}', b'{"version": 1e999}', b"[" * 60000,
     b"\xff\xfe\x00", b'{"version": NaN, "change": 1}',
     b'{"version": "1", "change": {"kind": "remove"}}',
     b'{"version": 1, "change": {"kind": "delete"}}',
     b'{"version": 1, "change": {"kind": "lock", "officer": "a", "urn": "b", "date": "x"}}',
     b'{"version": 1, "change": {"kind": "ban", "officer": {"$ne": 1}}}'],
)  # fmt: skip
def test_malformed_words_are_refused_plainly(still_board, still_client, body):
    """Whatever is sent, the answer is plain words without a trace of the code; nothing moves."""
    for path in ("/api/change", "/api/check", "/api/doses"):
        answer = still_client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, set(answer.json())) == (400, {"problem"})
        assert "Traceback" not in answer.text
        assert ".py" not in answer.text
    assert still_board.shared.version == 1


@LOOPBACK
@pytest.mark.parametrize("form", ["stated", "chunked", "lying"])
def test_a_body_of_a_hundred_megabytes_is_cut_early(served, form):
    """A huge body is answered after the first 64 kB, whatever length it claims."""
    size, sent = 100 * 2**20, 0
    piece = b"x" * 65536
    with socket.create_connection((HOME, served), timeout=20) as wire:
        head = head_of(served, "/api/change")
        length = {"stated": f"Content-Length: {size}", "lying": "Content-Length: 10"}
        wire.sendall((head + length.get(form, "Transfer-Encoding: chunked") + "\r\n\r\n").encode())
        with contextlib.suppress(OSError):  # cut off while it still sends: what is wanted
            while sent < size:
                wire.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if form == "chunked" else piece)
                sent += len(piece)
        assert sent < size / 4
        answer = b""
        with contextlib.suppress(OSError):
            answer = wire.recv(65536)
    assert answer[:12] in {b"HTTP/1.1 413", b"HTTP/1.1 400", b""}
    with asking(served) as client:
        assert client.get("/api/state").status_code == 200


def test_a_body_at_the_limit_is_read(still_client):
    """The limit itself is allowed: it is refused for its form, one byte more for its length."""
    headers = {"Content-Type": "application/json"}
    for more, status in ((0, 400), (1, 413)):
        content = b" " * (MAX_BODY_BYTES + more)
        answer = still_client.post("/api/undo", content=content, headers=headers)
        assert answer.status_code == status


@LOOPBACK
@pytest.mark.parametrize("length", ["-1", "x", "1e9", "99999999999999999999"])
def test_a_false_length_is_refused(served, length):
    """A length that is no number ends the request, and nothing hangs."""
    with socket.create_connection((HOME, served), timeout=20) as wire:
        head = head_of(served, "/api/undo")
        wire.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
        assert wire.recv(12) in {b"HTTP/1.1 400", b"HTTP/1.1 413"}


@LOOPBACK
def test_a_thousand_quick_requests_hang_nothing(served):
    """A flood without the token gets nothing, and the one with the token still gets answers."""

    def flood(_):
        wire = http.client.HTTPConnection(HOME, served, timeout=30)
        for _ in range(250):
            wire.request("GET", "/api/state")
            with wire.getresponse() as answer:
                answer.read()
                assert answer.status == 401

    with ThreadPoolExecutor(4) as pool, asking(served) as client:
        floods = pool.map(flood, range(4))
        mine = [client.get("/api/state", params={"since": 1}).status_code for _ in range(20)]
    assert [*floods] == [None] * 4  # none was hung up on or told anything
    assert set(mine) == {204}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_the_file_that_opens_the_browser_is_for_its_user_alone():
    """The file holds the one-time code, not the token; nobody else can read it, and it goes."""
    with write_redirect_file("http://127.0.0.1:8000/", "once") as path:
        for one in (path, path.parent):
            assert one.stat().st_mode & 0o077 == 0
        text = path.read_text(encoding="utf-8")
        assert "http://127.0.0.1:8000/?code=once" in text
        assert "token" not in text
    assert not path.parent.exists()


@LOOPBACK
def test_the_code_leads_to_the_page_once(still_board):
    """The first visit with the code is led to the page; a second, or a false code, gets nothing."""
    with (
        serve(still_board, code="once") as port,
        httpx.Client(base_url=f"http://{HOME}:{port}") as client,
    ):
        assert client.get("/?code=twice").status_code == 401
        assert client.get("/api/state?code=once").status_code == 401
        assert client.get("/?code=once", headers={"Host": "evil.example"}).status_code == 403
        answer = client.get("/?code=once")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?token={TOKEN}")
        assert client.get(answer.headers["location"]).status_code == 200
        assert client.get("/?code=once").status_code == 401
        assert client.get("/?code=").status_code == 401


@LOOPBACK
def test_the_browser_is_started_without_the_token(monkeypatch, run, demo, tmp_path, still_board):
    """The list of processes has a file's name, no token and no code; the board is served then."""
    opened, served = Queue(), threading.Event()
    monkeypatch.setattr("webbrowser.open", lambda page: opened.put((page, served.wait(10))))
    monkeypatch.setattr("patrolplan.cli.board._open_shared_week", lambda *_: still_board.shared)
    monkeypatch.setattr("patrolplan.board.server.serve", lambda *_, **__: served.set())
    code, out, _ = run("board", "--config", demo, "--week", tmp_path / "week", "--json")
    assert code == 0
    token = json.loads(out)["address"].partition("token=")[2]
    assert len(token) > 30
    address, was_served = opened.get(timeout=10)
    assert was_served
    assert address.startswith("file:")
    assert token not in address
    assert "code" not in address


@LOOPBACK
def test_idle_connections_only_hold_up_the_page(served):
    """Beyond 100 connections that send nothing requests are refused; with them gone, answered."""
    with contextlib.ExitStack() as stack:
        for number in range(300):
            wire = stack.enter_context(socket.create_connection((HOME, served), timeout=20))
            if number % 2:
                wire.sendall(b"GET / HTTP/1.1\r\nHost:")
        with asking(served) as client:
            assert client.get("/api/state", params={"since": 1}).status_code == 503
    with asking(served) as client:
        answers = (client.get("/api/state", params={"since": 1}).status_code for _ in range(100))
        assert 204 in answers


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", "", "8.8.8.8"])  # noqa: S104 - to be refused
def test_no_other_address_is_listened_on(host):
    """The board listens on this computer only, and refuses any other address."""
    with pytest.raises(InputError, match="serves this computer only"):
        find_loopback_address(host)


@pytest.mark.slow
@LOOPBACK
def test_a_kill_while_saving_loses_nothing(ground, chosen, tmp_path):
    """Killed at any moment of a save, the folder holds a whole week with all that was confirmed."""
    folder, pickled = tmp_path / "week", tmp_path / "ground"
    pickled.write_bytes(pickle.dumps(ground))
    script = tmp_path / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    rng = random.Random(25)  # noqa: S311 - when to kill
    confirmed = 0
    duty = get_slot(chosen.duties[0])
    for _ in range(8):
        confirmed += _until_killed(script, pickled, folder, duty, rng.uniform(0.0, 1.5))
        check_folder(folder)
        week = read_week(folder, ground.area, ground.plans)
        assert len(week.history) >= confirmed
        confirmed = len(week.history)
        desk = open_shared_week(ground, folder)
        assert len(desk.state.week.duties) in {len(chosen.duties), len(chosen.duties) - 1}
        Board(desk).close()
    assert confirmed >= 8


def _until_killed(script, pickled, folder, duty, seconds):
    """Change the week without a pause until, so long after the first, the server is killed."""
    command = [sys.executable, script, pickled, folder, TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ours
        port = int(server.stdout.readline())
        confirmed = 0
        with contextlib.suppress(httpx.HTTPError), asking(port) as client:
            while True:
                state = client.get("/api/state").json()
                there = duty in map(speech.pick_slot, speech.list_patrols(state))
                change = {"kind": "remove" if there else "add", **duty}
                request = {"version": state["version"], "change": change}
                client.post("/api/change", json=request).raise_for_status()
                confirmed += 1
                if confirmed == 1:
                    threading.Timer(seconds, server.kill).start()
        server.kill()
    return confirmed


@pytest.mark.parametrize(
    "change",
    [{**AWAY, "officer": ["SSO-01"]}, {**AWAY, "from": 20261130}, {**AWAY, "days": 3},
     {**AWAY, "to": "2026-12-01T00:00"}, {**APPOINT, "from": "24:00"}, {**APPOINT, "from": "9:00"},
     {**APPOINT, "to": "17:30\n"}, {**APPOINT, "to": "17:30-18:00"},
     {**APPOINT, "what": "holiday"}, {**APPOINT, "what": ["court"]},
     {**APPOINT, "note": "of a pupil"}, {**UNAPPOINT, "from": None},
     {**CREW, "crew": ["SSO-02", "SSO-03"]}, {**CREW, "crew": "SSO-02"},
     {**CREW, "crew": [{"name": "SSO-02"}]}, {**TASK, "hours": "15:00"},
     {**TASK, "hours": "15:00-17:00;x"}, {**TASK, "minutes": 0}, {**TASK, "minutes": "10"},
     {**TASK, "visits": 10}, {**TASK, "visits": True}, {**TASK, "officers": 3},
     {**TASK, "weekdays": ["sat"]}, {**TASK, "weekdays": "mon"}, {**TASK, "longitude": "NaN"}],
)  # fmt: skip
def test_wrong_types_are_refused_before_anything_is_done(still_board, still_client, change):
    """A value of another type or range is refused in plain words; nothing is written."""
    paths = [table.path for table in still_board.shared.state.tables.values()]
    before = [path.read_bytes() for path in paths]
    answer = ask_change(still_client, **change)
    assert (answer.status_code, set(answer.json())) == (400, {"problem"})
    assert ".py" not in answer.text
    assert (still_board.shared.version, [path.read_bytes() for path in paths]) == (1, before)


@pytest.mark.parametrize("field", ["place_id", "reason", "by"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_becomes_a_formula(still_board, still_client, field, formula):
    """What a spreadsheet would work out is not written into a table."""
    sheet = still_board.shared.state.tables["tasked_places"].path
    before = sheet.read_bytes()
    assert ask_change(still_client, **{**TASK, field: formula}).status_code == 422
    assert sheet.read_bytes() == before


@pytest.mark.parametrize("officer", [*FORMULAS, HOSTILE, "SSO-01,2026-11-30", "SSO-01\r\nX"])
def test_only_officers_of_the_table_are_written(still_board, still_client, officer):
    """No name but an officer's reaches the table of duties, or a week's absences."""
    sheet = still_board.shared.state.tables["duties"].path
    before = sheet.read_bytes()
    for change in (APPOINT, UNAPPOINT, AWAY):
        assert ask_change(still_client, **{**change, "officer": officer}).status_code == 422
    assert (sheet.read_bytes(), still_board.shared.state.week.absent) == (before, {})


@pytest.mark.parametrize(
    "text", [HOSTILE, "' OR 1=1", "../../etc/passwd", "(((((" * 30, "\u0000", "🚨" * 50, "TQ" * 90]
)
def test_a_search_for_anything_finds_nothing_or_places(still_client, text):
    """Whatever is searched for, the answer is a list of places; what is too long is refused."""
    answer = still_client.get("/api/places", params={"text": text[:200]})
    assert (answer.status_code, set(answer.json())) == (200, {"places"})
    for wrong in ({"text": "x" * 201}, {"text": ""}, {}):
        assert still_client.get("/api/places", params=wrong).status_code == 400


def test_swaps_of_nowhere_are_refused(still_board, still_client):
    """Unknown schools, places and days have no swaps, and offers that nobody made are not taken."""
    for gap in ({"urn": HOSTILE}, {"place": HOSTILE}, {"urn": "900001", "date": "2026-12-25"}):
        answer = still_client.post("/api/offers", json={"version": 1, **gap})
        assert answer.status_code == 422
    for number, status in ((0, 422), (10**9, 422), (-1, 400)):
        take = {"version": 1, "id": number}
        assert still_client.post("/api/offers/take", json=take).status_code == status
    assert still_client.post("/api/offers", json={"version": 1, "urn": ["x"]}).status_code == 400
    assert still_board.shared.version == 1


def test_no_word_or_place_of_a_report_is_shown(still_client, ground, demo):
    """Whatever the board answers is searched for comments, names and places of reports."""
    reports = pd.read_csv(demo.parent / "reports.csv", dtype=str, keep_default_na=False)
    comments = reports["comment"].where(reports["comment"].str.len() > 12, "")  # no plain word
    network = ground.area.network
    corners = shapely.get_coordinates(network.piece_lines)
    public = [*corners, *network.piece_middle, *ground.area.catchments.xy]
    degrees = np.column_stack(ground.area.projection.to_degrees(*np.array(public).T))
    seeker = searcher.Searcher(reports.assign(comment=comments), Projection("EPSG:27700"), degrees)
    paths = (f"/?token={TOKEN}", "/api/state", "/api/map", "/api/proposal")
    answers = [still_client.get(path).content for path in paths]
    wrong = {"kind": "add", "officer": "SSO-01", "urn": "900009", "date": "2026-12-01"}
    answers.append(still_client.post("/api/check", json={"version": 0, "change": wrong}).content)
    assert all(answers)
    assert [found for text in answers for found in seeker.found("board", text)] == []
