"""The board as its page asks it: saved, undone, in conflict, solved, printed, recorded."""

import csv
import datetime as dt
import hashlib
import io
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from board import speech
from board.speech import HOSTILE, TASK, ask_change, get_slot, parse_change, without_history
from hypothesis import given, strategies as st
from weeks_by_hand import build_week

from patrolplan.board.edits import LEAST_GAIN_PERCENT
from patrolplan.board.shared_week import open_shared_week
from patrolplan.board.table_changes import CsvTable
from patrolplan.board.week_folder import find_outdated_papers, hash_papers
from patrolplan.errors import OutputError
from patrolplan.outputs.output_folder import read_manifest
from patrolplan.outputs.pack import write_pack
from patrolplan.outputs.papers import WEEK_PAPERS
from patrolplan.outputs.week.roster import Roster
from patrolplan.patrols.feared_places import find_feared_places
from patrolplan.patrols.planner import get_planner
from patrolplan.team.day_plans import plan_days
from patrolplan.team.draw import list_facts, make_draw_key
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.rota import plan_week
from patrolplan.team.school_answers import list_promises
from patrolplan.team.solve import solve_rota
from patrolplan.team.walks import draw_walks
from patrolplan.team.week import Duty, PatrolSlot
from patrolplan.team.week_file import build_week_document, read_week

PATIENCE_SECONDS = 60
MONDAY = dt.date(2026, 11, 30)
TABLES = {"demands.csv", "unmet.csv", "week.csv"}
WALL = TABLES | {"lead.pdf", "map.html", "notes.txt", "tasks.pdf"}
ROWS = b"officer,date,kind\nSSO-01,2026-12-04,court\n"
NEW = {"officer": "SSO-02", "date": "2026-12-04", "kind": "leave"}
CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


def saved(board):
    """The week as its folder holds it."""
    area = board.shared.state.planned_area.area
    return read_week(board.shared.store.folder, area, board.shared.state.planned_area.plans)


def find_patrol(client, duty):
    """The patrol of the board's state that is this duty."""
    patrols = speech.list_patrols(client.get("/api/state").json())
    (found,) = (patrol for patrol in patrols if get_slot(duty).items() <= patrol.items())
    return found


def settled(client):
    """Wait until nothing works in the background; gives how it ended."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (now := client.get("/api/solving").json())["running"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    return now


def test_every_change_is_in_the_folder_at_once_and_can_be_undone(board, client):
    """Manifest and week.json hold each; back and forth only the history grows."""
    shared, folder = board.shared, board.shared.store.folder
    first, second = shared.state.week.duties[:2]
    start = without_history(shared.state.week)
    body = ask_change(client, kind="remove", **get_slot(first)).json()
    assert body["message"].startswith("Removed: ")
    assert body["state"]["version"] == 2
    assert first not in shared.state.week.duties
    assert build_week_document(saved(board)) == build_week_document(shared.state.week)
    for name, digest in read_manifest(folder)["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    ask_change(client, 2, kind="lock", **get_slot(second))
    end = without_history(shared.state.week)
    for version, status in ((3, 200), (4, 200), (5, 422)):
        assert client.post("/api/undo", json={"version": version}).status_code == status
    assert without_history(shared.state.week) == start
    client.post("/api/redo", json={"version": 5})
    client.post("/api/redo", json={"version": 6})
    assert without_history(shared.state.week) == end
    words = [row.what.split(":")[0] for row in saved(board).history]
    assert words == ["Removed", "Locked", "Undone", "Undone", "Redone", "Redone"]


def test_a_patrol_placed_by_hand_is_walked_by_the_draw(board):
    """Its order and minutes are those of the draw's key; patrols that stand keep their walks."""
    shared = board.shared
    state, gone = shared.state, shared.state.week.duties[0]
    shared.change(1, parse_change(kind="remove", **get_slot(gone)))
    without = shared.state.week
    shared.change(2, parse_change(kind="add", **get_slot(gone), variant=gone.variant))
    (placed,) = (duty for duty in shared.state.week.duties if duty not in without.duties)
    slot = PatrolSlot(gone.officer, gone.urn, gone.date)
    planned = state.editor.place_patrol(slot, (*without.duties,), variant=gone.variant)
    key = make_draw_key(state.planned_area.area, gone.date, state.week.draw.number)
    (drawn,) = draw_walks(state.editor.inputs, [planned], key)
    assert list_facts(placed) == list_facts(drawn)
    assert {s.hotspot for s in placed.patrol.stops} == {s.hotspot for s in gone.patrol.stops}
    assert set(map(id, without.duties)) <= set(map(id, shared.state.week.duties))


def test_the_later_of_two_windows_is_refused(board, client):
    """A change on an old version is refused with what the other window did, and changes nothing."""
    first, second = board.shared.state.week.duties[:2]
    ask_change(client, 1, kind="remove", **get_slot(first))
    late = ask_change(client, 1, kind="remove", **get_slot(second))
    assert late.status_code == 409
    day = f"{first.date:%A} {first.date.day} {first.date:%B}"
    message = f"Removed: {first.officer} at URN {first.urn} on {day}"
    assert (late.json()["by_others"], late.json()["state"]["version"]) == ([message], 2)
    assert get_slot(second) in [get_slot(duty) for duty in saved(board).duties]
    assert ask_change(client, 2, kind="remove", **get_slot(second)).status_code == 200


def test_what_cannot_be_is_refused_and_nothing_is_saved(still_board, still_client):
    """A refusal says why and leaves folder and version as they were."""
    path = still_board.shared.store.folder / "week.json"
    before = path.read_bytes()
    what = {"kind": "add", **get_slot(still_board.shared.state.week.duties[0]), "variant": None}
    checked = still_client.post("/api/check", json={"change": what}).json()
    assert checked["ok"] is False
    answer = ask_change(still_client, **what)
    assert (answer.status_code, answer.json()["problem"]) == (422, checked["why"])
    assert (path.read_bytes(), still_client.get("/api/state").json()["version"]) == (before, 1)


def test_a_check_foretells_the_worth_and_changes_nothing(board, client):
    """What a check says a week would be worth is what it is worth after the change."""
    what = {"kind": "remove", **get_slot(board.shared.state.week.duties[0])}
    foretold = client.post("/api/check", json={"change": what}).json()
    assert client.get("/api/state", params={"since": 1}).status_code == 204
    ask_change(client, **what)
    assert board.shared.state.week.worth == foretold["worth"] < foretold["worth_before"]


def test_what_another_program_writes_is_not_written_over(board, client):
    """A week that was written meanwhile stops the board, and stays."""
    shared = board.shared
    path = shared.store.folder / "week.json"
    path.write_text('{"schema": 1}', encoding="utf-8")
    late = ask_change(client, 1, kind="lock", **get_slot(shared.state.week.duties[-1]))
    for answer in (late, client.get("/api/state")):
        assert answer.status_code == 503
        assert "start the board again" in answer.json()["problem"]
    assert path.read_text(encoding="utf-8") == '{"schema": 1}'


def test_a_failing_save_changes_nothing_and_is_reported(board, client, monkeypatch):
    """Where the disk refuses, the week stays, the page shows it, and later changes work."""
    duty = board.shared.state.week.duties[0]

    def refuse(*_):
        message = "disk full"
        raise OutputError(message)

    monkeypatch.setattr(board.shared.store, "save", refuse)
    answer = ask_change(client, 1, kind="remove", **get_slot(duty))
    assert (answer.status_code, answer.json()) == (503, {"problem": "disk full"})
    state = client.get("/api/state").json()
    assert (state["version"], state["unsaved"], state["save_problem"]) == (1, True, "disk full")
    monkeypatch.undo()
    again = ask_change(client, 1, kind="remove", **get_slot(duty)).json()
    assert again["state"]["unsaved"] is False


def test_solving_round_the_locks_is_what_the_command_plans(board, client):
    """The proposal is the week that plan_week chooses under the same locks and bans."""
    # A lock changes what can be foreseen: nothing is said of it until the week is planned.
    assert client.get("/api/state").json()["draw"]["with_locks"] is not None
    duty = board.shared.state.week.duties[0]
    ask_change(client, 1, kind="remove", **get_slot(duty))
    other = next(d for d in board.shared.state.week.duties if d.date != duty.date)
    locked = ask_change(client, 2, kind="lock", **get_slot(other)).json()["state"]
    assert locked["draw"]["with_locks"] is None
    ask_change(client, 3, kind="ban", officer=duty.officer, date=f"{duty.date}")
    assert client.post("/api/solve", json={"version": 4}).status_code == 202
    assert settled(client)["problem"] == ""
    proposal = client.get("/api/proposal").json()
    week, ground = board.shared.state.week, board.shared.state.planned_area
    same = plan_week(ground.area, ground.plans, start=week.start, locks=week.locks, bans=week.bans)
    assert proposal["worth"] == pytest.approx(same.worth, abs=1e-12)
    assert proposal["gains"]["worth"] == pytest.approx(same.worth - week.worth, abs=1e-12)
    taken = client.post("/api/proposal/take", json={"version": 4})
    assert taken.json()["state"]["draw"]["with_locks"] is not None
    assert {(d.slot, d.variant, d.crew) for d in saved(board).duties} == {
        (d.slot, d.variant, d.crew) for d in same.duties
    }
    assert client.get("/api/proposal").status_code == 404


def test_solving_is_cancelled_within_a_second(client):
    """Cancelled, nothing is proposed and the week is as it was."""
    client.post("/api/solve", json={"version": 1})
    begun = time.monotonic()
    ended = client.post("/api/solve/cancel").json()
    assert time.monotonic() - begun < 2
    assert not ended["running"]
    assert "cancelled" in ended["message"]
    assert client.get("/api/proposal").status_code == 404
    assert client.get("/api/state").json()["version"] == 1


def test_doses_wait_while_a_place_is_planned(board, client):
    """A dose does not interrupt planning: it is refused with the reason."""
    duty = next(d for d in board.shared.state.week.duties if d.patrol.stops)
    doses = {"duty": get_slot(duty), "minutes": [7.0] * len(duty.patrol.stops), "engagements": 4}
    hold = threading.Event()
    board.planning_job.start("planning", "Planning T-77", lambda: f"{hold.wait(PATIENCE_SECONDS)}")
    try:
        answer = client.post("/api/doses", json={"version": 1, **doses})
    finally:
        hold.set()
        board.planning_job.wait(PATIENCE_SECONDS)
    assert answer.status_code != 200
    assert "Planning T-77: wait until it is done" in answer.json()["problem"]
    assert client.get("/api/state").json()["version"] == 1
    assert client.post("/api/doses", json={"version": 1, **doses}).status_code == 200


def test_doses_go_to_the_ledger_and_can_be_corrected(board, client):
    """Minutes entered are in the ledger as the record command enters them; again corrects."""
    duty = next(d for d in board.shared.state.week.duties if len(d.patrol.stops) == 2)
    stops = len(duty.patrol.stops)
    doses = {"duty": get_slot(duty), "minutes": [7.0] * stops, "engagements": 4}
    answer = client.post("/api/doses", json={"version": 1, **doses})
    assert answer.status_code == 200
    doses["minutes"] = [0.0, *[9.0] * (stops - 1)]
    client.post("/api/doses", json={"version": 2, **doses, "people": 3, "reason": "weather"})
    patrol = find_patrol(client, duty)
    assert (patrol["delivered"], patrol["engagements"]) == ([0.0, *[9.0] * (stops - 1)], 4)
    area = board.shared.state.planned_area.area
    with open_ledger(area.settings) as ledger:
        table = ledger.read_delivered(duty.date, duty.date)
        assert list(ledger.read_promised(duty.date, duty.date)["officer"])
    mine = table[table["officer"] == duty.officer]
    assert mine["minutes"].sum() == pytest.approx(9.0 * (stops - 1))
    found = mine[["source", "people", "reason"]].drop_duplicates()
    assert found.to_numpy().tolist() == [["keyboard", 3, "weather"]]  # all were cut short
    for details in ({"people": 0}, {"people": 100}, {"reason": "no time"}):
        assert client.post("/api/doses", json={"version": 3, **doses, **details}).status_code == 400
    wrong = client.post("/api/doses", json={"version": 3, **doses, "minutes": [1.0]})
    assert wrong.status_code == (200 if stops == 1 else 422)


def test_papers_are_printed_and_marked_when_they_are_old(board, client):
    """Printed papers are those of the week; a change makes its own papers old, undoing it not."""
    officer = board.shared.state.week.duties[0].officer
    client.post("/api/print", json={"version": 1})
    board.printing_job.wait(2 * PATIENCE_SECONDS)
    ended = client.get("/api/print").json()
    assert ended["problem"] == ""
    names = [row["name"] for row in ended["files"]]
    mine = [d for d in board.shared.state.week.duties if d.officer == officer]
    cards = [f"cards/{officer}/{d.date}-{d.urn}.pdf" for d in mine]
    assert set(cards) <= set(names)
    assert client.get("/papers/" + cards[0]).content.startswith(b"%PDF")
    ask_change(client, 1, kind="remove", **get_slot(mine[0]))
    state = client.get("/api/state").json()
    assert cards[0] in state["out_of_date"]
    assert cards[1] not in state["out_of_date"]
    assert {"tasks.pdf", "part/changed.pdf"} <= {*state["out_of_date"]}
    client.post("/api/undo", json={"version": 2})
    assert cards[0] not in client.get("/api/state").json()["out_of_date"]


def test_a_place_is_tasked_and_taken_off_again(board, client):
    """Table, plans and patrols change as reading it again would do; hostile text is one cell."""
    desk = board.shared
    before = without_history(desk.state.week)
    duty = next(d for d in desk.state.week.duties if d.patrol.stops)
    longitude, latitude = find_patrol(client, duty)["stops"][0]["stop"]
    sheet = desk.state.tables["tasked_places"].path
    bytes_before = sheet.read_bytes()
    task = TASK | {
        "place_id": "T-77", "longitude": longitude, "latitude": latitude, "must_visit": False,
        "schools": [duty.urn], "from": f"{duty.date}", "to": f"{duty.date}",
        "reason": HOSTILE, "by": 'Insp. Ö","b',
    }  # fmt: skip
    assert ask_change(client, 1, **task).status_code == 200
    assert settled(client)["problem"] == ""
    assert sheet.read_bytes().startswith(bytes_before)
    *_, row = csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8")))
    assert [row[name] for name in ("place_id", "reason", "by")] == ["T-77", HOSTILE, task["by"]]
    now = next(d for d in desk.state.week.duties if get_slot(d) == get_slot(duty))
    assert duty.patrol.stops[0].hotspot not in {s.hotspot for s in now.patrol.stops}
    ground = desk.state.planned_area
    again = plan_days(ground.area, ground.risk, ground.hotspots, ground.plans)
    both = ([p for day in again for p in plans[day].patrols] for plans in (ground.plans, again))
    mine, theirs = ([[(s.hotspot, s.arrive_minutes) for s in p.stops] for p in one] for one in both)
    assert mine == theirs
    [shown] = [r for r in client.get("/api/state").json()["tasked"] if r["place_id"] == "T-77"]
    assert shown["reason"] == HOSTILE
    assert "already" in ask_change(client, 2, **task).json()["problem"]
    assert client.post("/api/undo", json={"version": 2}).status_code == 200
    assert (sheet.read_bytes(), without_history(desk.state.week)) == (bytes_before, before)
    client.post("/api/redo", json={"version": 3})
    ask_change(client, 4, kind="untask", place_id="T-77")
    settled(client)
    assert sheet.read_bytes() == bytes_before


@pytest.mark.slow
def test_a_week_that_was_printed_by_the_command_is_opened_and_continued(board, tmp_path):
    """A pack of the week command is changed in place: its papers stay and are known as old."""
    ground, week = board.shared.state.planned_area, board.shared.state.week
    duty = week.duties[0]
    folder = tmp_path / "pack"
    write_pack(week, folder, officer=duty.officer)
    desk = open_shared_week(ground, folder)
    papers = {path.name for path in folder.rglob("*.pdf")}
    desk.change(1, parse_change(kind="remove", **get_slot(duty)))
    manifest = read_manifest(folder)
    assert {path.name for path in folder.rglob("*.pdf")} == papers
    assert f"cards/{duty.officer}/{duty.date}-{duty.urn}.pdf" in manifest["out_of_date"]


def test_planning_again_offers_better_weeks_only(board, client, monkeypatch):
    """What is planned already is not offered again; the next draw is, has its number, is undone."""
    inline = lambda problem, seed, _: solve_rota(problem, seed=seed)  # noqa: E731 - no process
    monkeypatch.setattr("patrolplan.board.jobs._solve_in_process", inline)
    client.post("/api/solve", json={"version": 1})
    assert settled(client)["message"].startswith("No better week was found")
    assert client.get("/api/proposal").status_code == 404
    assert client.post("/api/proposal/take", json={"version": 1}).status_code == 422
    client.post("/api/solve", json={"version": 1, "draw_again": True})
    message = settled(client)["message"]
    proposal = client.get("/api/proposal").json()
    percent = proposal["gains"]["worth_percent"]
    expected = "better" if percent > 0 else "worse"
    expected = "as good" if abs(percent) < LEAST_GAIN_PERCENT else expected
    assert proposal["judgement"] == expected
    begins = {"as good": "No better week was drawn"}.get(expected, f"A {expected} week")
    assert message.startswith(begins)
    before = board.shared.state.week
    taken = client.post("/api/proposal/take", json={"version": 1}).json()["state"]
    assert taken["draw"]["number"] == 2
    week = board.shared.state.week
    assert week.draw.digest != before.draw.digest
    assert week.worth >= (1 - week.draw.give) * week.draw.best_worth - 1e-9
    assert client.post("/api/undo", json={"version": 2}).json()["state"]["draw"]["number"] == 1


@pytest.fixture(scope="module")
def week(demo_plan):
    """A week of two patrols by two officers."""
    patrols, duties = {patrol.urn: patrol for patrol in demo_plan.patrols}, []
    for officer, urn in (("SSO-01", "900001"), ("SSO-04", "900003")):
        start, end = patrols[urn].start_minutes, patrols[urn].end_minutes
        away = {"leave_minutes": start - 10, "back_minutes": end + 10}
        duties.append(Duty(officer, urn, MONDAY, start, end, 0, patrols[urn], **away))
    return build_week(demo_plan, (MONDAY,), tuple(duties))


@pytest.fixture(scope="module")
def names(week):
    """Its folder: each paper of the table, of every officer, school and card."""
    found = {"part/changed.pdf", *(paper.name for paper in WEEK_PAPERS if "*" not in paper.name)}
    for duty in week.duties:
        found |= {f"cards/{duty.officer}.pdf", f"calendars/{duty.officer}.ics"}
        found |= {Roster(week).card_path(duty)}
        found |= {f"{folder}/{duty.urn}.pdf" for folder in ("schools", "posters")}
    return found


@pytest.fixture(scope="module")
def shown(week, names):
    """What the papers of that week show."""
    return hash_papers(week, names)


def test_another_companion_makes_their_papers_and_the_card_stale(week, shown, names):
    """Card, book and calendar of the officer; those of who is not concerned stay."""
    first, *others = week.duties
    duties = (replace(first, crew=("SSO-08",)), *others)
    stale = set(find_outdated_papers(replace(week, duties=duties), names, shown))
    cards = {"part/changed.pdf", "cards/SSO-01.pdf", "cards/SSO-01/2026-11-30-900001.pdf"}
    assert stale == WALL | cards | {"calendars/SSO-01.ics", "schools/900001.pdf"}


def test_a_patrol_of_another_window_has_a_card_of_its_own(week):
    """Two patrols of an officer at one school on a day have two cards and one school sheet."""
    first = week.duties[0]
    morning = replace(first, patrol=replace(first.patrol, window="morning_gate"))
    both = replace(week, duties=(morning, *week.duties))
    names = {"schools/900001.pdf", *map(Roster(both).card_path, both.duties)}
    assert "cards/SSO-01/2026-11-30-900001.morning_gate.pdf" in names
    stale = find_outdated_papers(week, names, hash_papers(both, names))
    assert stale == ["cards/SSO-01/2026-11-30-900001.morning_gate.pdf", "schools/900001.pdf"]


def test_a_sheet_is_stale_where_another_schools_patrol_no_longer_comes(week, names):
    """The sheet says on how many days somebody comes to a feared place, from whichever school."""
    first, second = week.duties
    stays, plan = replace(second.patrol, stops=()), week.plan
    feared = find_feared_places(get_planner(plan), [second.urn])[0]
    stop = replace(first.patrol.stops[0], sees=feared.hotspots)
    goes = [replace(first.patrol, stops=stops) for stops in ((stop, *first.patrol.stops[1:]), ())]
    second = replace(second, patrol=stays)
    week, other = (replace(week, duties=(replace(first, patrol=one), second)) for one in goes)
    shown = hash_papers(week, names)
    assert {"schools/900001.pdf", "schools/900003.pdf"} <= set(shown)
    assert find_outdated_papers(week, names, shown) == []
    promises, fewer = (list_promises(each, ["900001", "900003"]) for each in (week, other))
    assert promises["900003"] != fewer["900003"]
    assert [name for name, _ in promises["900003"]] == [name for name, _ in fewer["900003"]]
    stale = find_outdated_papers(other, names, shown)
    assert {"schools/900001.pdf", "schools/900003.pdf"} <= set(stale)


def test_every_paper_that_shows_a_week_is_marked(week, names, shown):
    """Whatever a paper of the table shows, it is out of date once no patrol is left."""
    empty = replace(week, duties=())
    stale = find_outdated_papers(empty, names, shown)
    for paper in WEEK_PAPERS:
        files = {name for name in names if paper.matches(name)}
        assert files
        assert files <= set(stale) if paper.shows else not files & set(stale)


def table_of(content):
    """A table of appointments with these bytes."""
    return CsvTable("duties", Path("duties.csv"), content)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_row_is_added_at_the_end_and_nothing_else_changes(mark):
    """A new row comes last, in the table's order of columns; removed again, all is as before."""
    before = table_of(mark + ROWS)
    after = before.with_row(NEW)
    assert after.content == before.content + b"SSO-02,2026-12-04,leave\n"
    assert after.without_rows({"officer": "SSO-02"}) == before
    assert after.without_rows({"officer": "SSO-03"}) is after


def test_a_column_that_only_the_new_row_needs_is_added():
    """Rows that span lines get it at their end, empty rows go, Windows' letters become UTF-8."""
    table = table_of(b'officer;kind\r\n"A\nB";court\r\n\r\nC;"leave"')
    after = table.with_row({"officer": "D", "kind": "event", "urn": "900001"})
    assert after.content == b'officer,kind,urn\n"A\nB",court,\nC,leave,\nD,event,900001\n'
    after = table.with_row({"officer": "D", "kind": "event", "urn": ""})
    assert after.content == b'officer,kind\n"A\nB",court\nC,leave\nD,event\n'
    table = table_of("officer,kind\nJosé,court\n".encode("cp1252"))
    after = table.with_row({"officer": "Łukasz", "kind": "leave"})
    assert after.content.decode("utf-8-sig") == "officer,kind\nJosé,court\nŁukasz,leave\n"
    assert after.content.startswith(b"\xef\xbb\xbf")


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5), new=st.tuples(CELLS, CELLS))
def test_whatever_is_written_is_read_again(rows, new):
    """Cells with quotes, delimiters and any letters come back as they were written."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("officer", "kind"), *rows])
    table = table_of(text.getvalue().encode())
    after = table.with_row(dict(zip(("officer", "kind"), new, strict=True)))
    read = list(csv.reader(io.StringIO(after.content.decode(), newline="")))
    assert read[-1] == list(new)
    assert len(read) == len(rows) + 2


def test_a_table_that_somebody_else_changed_is_not_written_over(tmp_path):
    """Writing needs the file as it was read."""
    before = CsvTable("duties", tmp_path / "duties.csv", ROWS)
    before.path.write_bytes(ROWS * 2)
    with pytest.raises(OutputError, match="changed outside the board"):
        before.with_row(NEW).overwrite(before)
    assert before.path.read_bytes() == ROWS * 2
