"""What can be undone and redone, in a file of the week's folder that outlasts the board.

A step is the week before a change, in the form of `week.json`, and the tables that the board writes
to. Two steps share nearly all of it, so the file holds every distinct part once, in a pool, and
each step names its parts by their numbers there.
"""

from __future__ import annotations

import base64
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import TEMPORARY_PREFIX, WEEK_FILE, hash_content
from patrolplan.outputs.output_folder import write_files
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_file import CHANCES_FILE, read_week

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from patrolplan.board.board_state import BoardState
    from patrolplan.board.csv_table import CsvTable


SCHEMA = 1
MAX_STORED_STEPS = 50
"""Maximum steps in the file, to undo and to redo; the nearest ones."""
MAX_FILE_BYTES = 64_000_000

Texts = str | tuple[str, ...]
"""A part of a week as JSON, or the rows of one."""
References = int | list[int]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A week and the board's tables, as they are stored."""

    week: Mapping[str, Texts]
    """By the keys of `week.json`."""
    chances: str
    """The contents of the file of chances, as JSON; empty where there is none."""
    tables: Mapping[str, str]
    """Each table as JSON, by its source: its bytes in Base64, or only their digest if it has
    columns that are not read, which may hold free text."""


@dataclass(frozen=True, eq=False)
class UndoStep:
    """The state that the board goes back to, and the change that this undoes, in words."""

    message: str
    snapshot: Snapshot
    state: BoardState | None
    """None until it is needed, after a start of the board."""


@dataclass(frozen=True)
class UndoOrigin:
    """What the stored steps belong to: with another week or other data there is nothing to undo."""

    week: str
    """Digest of the week's file."""
    data: str
    """Short form of data, settings and version."""


class SnapshotMaker:
    """Makes snapshots that share equal texts, so that each is stored once and found at once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def take(self, files: Mapping[str, bytes], tables: Mapping[str, CsvTable]) -> Snapshot:
        """A snapshot of the contents of a week's files, and of the board's tables."""
        document = json.loads(files[WEEK_FILE])
        routes = document.pop("routes")  # each by its patrol, since rows change with every patrol
        document["walks"] = [routes[row.pop("route")] for row in document["patrols"]]
        parts = {
            key: tuple(map(self._encode, value)) if isinstance(value, list) else self._encode(value)
            for key, value in document.items()
        }
        contents = {
            source: self._encode(
                {"digest": hash_content(table.content)}
                if table.has_unread_columns
                else base64.b64encode(table.content).decode("ascii")
            )
            for source, table in tables.items()
        }
        chances = files.get(CHANCES_FILE, b"").decode("utf-8")
        return Snapshot(parts, self._encode(chances), contents)

    def _encode(self, value: object) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return self._texts.setdefault(text, text)

    def read(self, content: bytes) -> tuple[UndoOrigin, list[UndoStep], list[UndoStep]]:
        """What the steps of a file belong to, those to undo, and those to redo.

        Raises ValueError for a file of another kind.
        """
        try:
            document = json.loads(content)
            if document["schema"] != SCHEMA:
                message = f"schema {document['schema']!r:.20} is not {SCHEMA}"
                raise ValueError(message)
            pool = [self._encode(value) for value in document["pool"]]
            undo, redo = (
                [_read_step(row, pool) for row in document[name]] for name in ("undo", "redo")
            )
            return UndoOrigin(str(document["week"]), str(document["data"])), undo, redo
        except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            message = f"is no file of steps ({type(error).__name__})"
            raise ValueError(message) from None


def format_undo_file(
    origin: UndoOrigin, undo: Sequence[UndoStep], redo: Sequence[UndoStep]
) -> bytes:
    """The file of the steps nearest to the present week; the last of each list is the nearest."""
    pool: dict[str, int] = {}

    def refer(texts: Texts) -> References:
        if isinstance(texts, str):
            return pool.setdefault(texts, len(pool))
        return [pool.setdefault(text, len(pool)) for text in texts]

    def list_steps(steps: Sequence[UndoStep]) -> str:
        return json.dumps(
            [
                {
                    "message": step.message,
                    "week": {key: refer(texts) for key, texts in step.snapshot.week.items()},
                    "chances": refer(step.snapshot.chances),
                    "tables": {key: refer(text) for key, text in step.snapshot.tables.items()},
                }
                for step in steps[-MAX_STORED_STEPS:]
            ],
            ensure_ascii=False,
        )

    steps = f'"undo": {list_steps(undo)},\n"redo": {list_steps(redo)}'
    head = json.dumps({"schema": SCHEMA, "week": origin.week, "data": origin.data})
    return f'{head[:-1]},\n{steps},\n"pool": [{_join(pool)}]}}\n'.encode()


def _join(texts: Iterable[str]) -> str:
    return ",\n".join(texts)


def _read_step(row: Mapping[str, Any], pool: Sequence[str]) -> UndoStep:
    def look_up(found: References) -> Texts:
        numbers = found if isinstance(found, list) else [found]
        if min(numbers, default=0) < 0:
            raise IndexError
        texts = tuple(pool[number] for number in numbers)
        return texts if isinstance(found, list) else texts[0]

    week = {str(key): look_up(found) for key, found in row["week"].items()}
    tables = {str(key): pool[int(number)] for key, number in row["tables"].items()}
    snapshot = Snapshot(week, pool[int(row["chances"])], tables)
    return UndoStep(str(row["message"]), snapshot, None)


def restore_state(now: BoardState, snapshot: Snapshot) -> BoardState:
    """The board as it was, from what was stored.

    Raises InputError where the week no longer fits data and plan.
    """
    tables = dict(now.tables)
    planned = now.planned_area
    for source, table in now.tables.items():
        if source in snapshot.tables:
            content = _read_content(table, json.loads(snapshot.tables[source]))
            if content != table.content:
                tables[source] = replace(table, content=content)
                planned = planned.with_table(tables[source])
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        chances = json.loads(snapshot.chances).encode("utf-8")
        files = {CHANCES_FILE: chances} if chances else {}
        week_file = json.dumps(_build_document(snapshot)).encode("utf-8")
        write_files(Path(folder), {**files, WEEK_FILE: week_file})
        week = read_week(folder, planned.area, planned.plans)
    editor = WeekEditor.from_week(week, planned.area, planned.plans)
    return replace(now, planned_area=planned, editor=editor, week=week, tables=tables)


def _read_content(now: CsvTable, stored: str | dict[str, str]) -> bytes:
    """The bytes of a table as it was; raises InvalidEditError where only their digest is stored."""
    if isinstance(stored, str):
        return base64.b64decode(stored)
    if stored["digest"] != hash_content(now.content):
        message = (
            f"this cannot be undone after a start of the board: {now.path.name} has columns that "
            "are not read, and so is not stored; change it there"
        )
        raise InvalidEditError(message)
    return now.content


def _build_document(snapshot: Snapshot) -> dict[str, Any]:
    """The contents of the week's file, with each walk once."""
    document = {
        key: json.loads(texts) if isinstance(texts, str) else [*map(json.loads, texts)]
        for key, texts in snapshot.week.items()
    }
    walks = snapshot.week["walks"]
    del document["walks"]
    numbers: dict[str, int] = {}
    for row, walk in zip(document["patrols"], walks, strict=True):
        row["route"] = numbers.setdefault(walk, len(numbers))
    return {**document, "routes": [*map(json.loads, numbers)]}
