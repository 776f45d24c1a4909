"""What can be undone survives the board's end, unless somebody else wrote the week or its data."""

import base64
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from board.speech import get_slot, parse_change

from patrolplan.atomic import UNDO_FILE, hash_content
from patrolplan.board import undo_file
from patrolplan.board.csv_table import CsvTable
from patrolplan.board.shared_week import open_shared_week
from patrolplan.board.undo_file import (
    MAX_STORED_STEPS,
    SnapshotMaker,
    UndoOrigin,
    UndoStep,
    format_undo_file,
    restore_state,
)
from patrolplan.outputs.output_folder import check_folder, read_manifest
from patrolplan.team.week_editor import InvalidEditError
from patrolplan.team.week_file import build_week_document


def describe(week):
    """A week's document without what was done to get there; its shares follow from the rest."""
    return {**build_week_document(week), "history": []}


def start_again(shared):
    """The same week on a board that was started again."""
    return open_shared_week(shared.state.planned_area, shared.store.folder)


def work(shared):
    """Some changes; gives the weeks, from the first to the last."""
    weeks = [describe(shared.state.week)]
    first, second, third = shared.state.week.duties[:3]
    for number, what in enumerate(
        (
            {"kind": "remove", **get_slot(first)},
            {"kind": "lock", **get_slot(second)},
            {"kind": "ban", "officer": third.officer, "date": f"{third.date}"},
        ),
        start=shared.version,
    ):
        shared.change(number, parse_change(**what))
        weeks.append(describe(shared.state.week))
    return weeks


def test_undo_and_redo_after_every_restart_give_the_very_weeks(board):
    """Whenever the board is started again, it goes back and forth over the same weeks."""
    shared = board.shared
    weeks = work(shared)
    for number in (2, 1, 0):
        shared = start_again(shared)
        assert shared.can_undo
        shared.undo(1)
        assert describe(shared.state.week) == weeks[number]
    for number in (1, 2, 3):
        shared = start_again(shared)
        shared.redo(1)
        assert describe(shared.state.week) == weeks[number]
    assert not start_again(shared).can_redo


def test_a_change_after_a_restart_leaves_the_earlier_steps(board):
    """What was stored goes on as the same history, under the new change."""
    weeks = work(board.shared)
    shared = start_again(board.shared)
    duty = shared.state.week.duties[-1]
    shared.change(1, parse_change(kind="lock", **get_slot(duty)))
    shared = start_again(shared)
    shared.undo(1)
    shared.undo(2)
    assert describe(shared.state.week) == weeks[2]


@pytest.mark.slow
def test_a_tasked_place_is_undone_after_a_restart(board, client):
    """The table and the plans go back with the week."""
    shared = board.shared
    sheet = shared.state.tables["tasked_places"].path
    table, week = sheet.read_bytes(), describe(shared.state.week)
    stop = next(duty.patrol.stops[0] for duty in shared.state.week.duties if duty.patrol.stops)
    x, y = shared.state.planned_area.area.projection.to_degrees([stop.x], [stop.y])
    task = {
        "kind": "task", "place_id": "T-5", "longitude": float(x[0]), "latitude": float(y[0]),
        "must_visit": False, "schools": ["*"], "from": "2026-11-30", "to": "2026-12-04",
        "reason": "why", "by": "who",
    }  # fmt: skip
    assert client.post("/api/change", json={"version": 1, "change": task}).status_code == 200
    board._planning_job.wait(60)
    assert b"T-5" in sheet.read_bytes()
    again = start_again(shared)
    assert again.undo(1).startswith("Undone: Tasked: T-5")
    assert sheet.read_bytes() == table
    assert describe(again.state.week) == week
    assert "T-5" not in set(again.state.planned_area.area.tasked_places["place_id"])


def test_columns_that_nobody_reads_are_not_stored(board):
    """Free text next to an appointment is in no stored step, and the week can still be undone."""
    shared = board.shared
    sheet = shared.state.tables["duties"].path
    head, *rows = sheet.read_text(encoding="utf-8").splitlines()
    text = "".join(f"{row},zz-free-text\n" for row in rows)
    sheet.write_text(f"{head},note\n{text}", encoding="utf-8")
    table = CsvTable("duties", sheet, sheet.read_bytes())
    assert table.has_unread_columns
    assert not CsvTable("duties", sheet, f"{head}\n".encode()).has_unread_columns
    shared.state = replace(shared.state, tables={**shared.state.tables, "duties": table})
    weeks = work(shared)
    content = (shared.store.folder / "undo.json").read_bytes()
    plain = b"".join(
        base64.b64decode(found) for found in re.findall(rb'"([A-Za-z0-9+/]{40,}={0,2})"', content)
    )
    assert b"zz-free-text" not in content + plain
    again = start_again(shared)
    again.undo(1)
    assert describe(again.state.week) == weeks[2]


def test_a_change_of_a_table_that_is_not_stored_is_not_undone(board):
    """Where only the digest of a table is stored, the message says so and nothing changes."""
    maker, shared = SnapshotMaker(), board.shared
    now = shared.state.tables["duties"]
    header = b"officer,date,from,to,kind,note\n"
    old = CsvTable("duties", now.path, header + b"SSO-01,2026-12-01,14:00,15:00,court,x\n")
    snapshot = maker.take(shared.store.read_week_files(), {"duties": old})
    with pytest.raises(InvalidEditError, match="cannot be undone after a start of the board"):
        restore_state(shared.state, snapshot)


def test_another_week_in_the_folder_has_nothing_to_undo(board):
    """A week that was written outside the board is not undone into another one, and is named."""
    shared = board.shared
    work(shared)
    other = replace(
        shared.state.week, history=(*shared.state.week.history, ("2026-11-30 09:00", "x"))
    )
    shared.store.save(other, shared.state.week)
    again = start_again(shared)
    assert not again.can_undo
    assert "changed outside the board" in again.undo_note
    again.change(1, parse_change(kind="lock", **get_slot(again.state.week.duties[-1])))
    assert again.undo_note == ""
    assert start_again(again).can_undo


def test_other_data_have_nothing_to_undo(board):
    """Steps that belong to other data are discarded, since their patrols may not exist any more."""
    shared = board.shared
    work(shared)
    planned = shared.state.planned_area
    area = replace(planned.area, inputs={**planned.area.inputs, "officers.csv": hash_content("x")})
    again = open_shared_week(replace(planned, area=area), shared.store.folder)
    assert not again.can_undo
    assert "data, settings or version" in again.undo_note


def test_a_week_written_by_the_command_says_that_steps_are_gone(board):
    """Without the file, a week that was changed by hand says why nothing can be undone."""
    work(board.shared)
    (board.shared.store.folder / UNDO_FILE).unlink()
    assert "written again outside the board" in start_again(board.shared).undo_note


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"schema": 9}',
        b"\xff",
        b'{"schema": 1, "week": "", "data": "", "pool": [], "undo": [1], "redo": []}',
        b'{"schema": 1, "week": "", "data": "", "pool": [1], "redo": [{"week": {"a": -1}}]}',
        b"[" * 100_000,
    ],
)
def test_a_broken_file_is_discarded_with_a_sentence(board, content):
    """Whatever stands in the file, the board starts and says that nothing can be undone."""
    work(board.shared)
    (board.shared.store.folder / UNDO_FILE).write_bytes(content)
    again = start_again(board.shared)
    assert not again.can_undo
    assert again.undo_note.startswith("what was changed before")


def test_a_link_is_not_followed(board, tmp_path):
    """A link in the place of the file is not read."""
    work(board.shared)
    path = board.shared.store.folder / UNDO_FILE
    shutil.move(path, tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert not start_again(board.shared).can_undo


def test_the_file_is_private_and_in_the_manifest(board):
    """Only its owner reads what can be undone, and the folder can be written again."""
    work(board.shared)
    folder = board.shared.store.folder
    assert (folder / UNDO_FILE).stat().st_mode & 0o077 == 0
    digest = hash_content((folder / UNDO_FILE).read_bytes())
    assert read_manifest(folder)["files"][UNDO_FILE] == digest
    check_folder(folder)


def test_printing_leaves_what_can_be_undone(board, client):
    """The whole folder is replaced by printing; the steps stay in it, and stay private."""
    weeks = work(board.shared)
    client.post(
        "/api/print", json={"version": 4, "officer": board.shared.state.week.duties[0].officer}
    )
    board._printing_job.wait(60)
    assert (board.shared.store.folder / UNDO_FILE).stat().st_mode & 0o077 == 0
    again = start_again(board.shared)
    again.undo(1)
    assert describe(again.state.week) == weeks[2]


def test_a_failing_save_leaves_the_steps(board, monkeypatch):
    """Where the week cannot be written, the file of steps stays the one of the week that stands."""
    weeks = work(board.shared)
    before = (board.shared.store.folder / UNDO_FILE).read_bytes()

    def refuse(*_):
        message = "disk full"
        raise OSError(message)

    monkeypatch.setattr("patrolplan.outputs.output_folder._finish_replacement", refuse)
    with pytest.raises(Exception, match="disk full"):
        board.shared.undo(4)
    monkeypatch.undo()
    assert (board.shared.store.folder / UNDO_FILE).read_bytes() == before
    again = start_again(board.shared)
    again.undo(1)
    assert describe(again.state.week) == weeks[2]


def test_the_file_is_bounded(board):
    """Of many steps the nearest are stored, each distinct part once."""
    maker, table = (
        SnapshotMaker(),
        CsvTable("duties", Path("duties.csv"), b"officer,date,from,to,kind\n"),
    )
    files = board.shared.store.read_week_files()
    week = b"".join(files.values())
    steps = [UndoStep(f"{n}", maker.take(files, {"duties": table}), None) for n in range(80)]
    content = format_undo_file(UndoOrigin("a", "b"), steps, steps[:3])
    assert len(content) < 1.5 * len(week) + 80 * 2000
    origin, undo, redo = SnapshotMaker().read(content)
    assert origin == UndoOrigin("a", "b")
    assert [step.message for step in undo] == [f"{n}" for n in range(80 - MAX_STORED_STEPS, 80)]
    assert [step.message for step in redo] == ["0", "1", "2"]
    assert undo[-1].snapshot.week == steps[-1].snapshot.week
    assert restore_state(board.shared.state, undo[-1].snapshot).week.duties
    assert json.loads(content)["schema"] == undo_file.SCHEMA
