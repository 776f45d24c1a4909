"""The files of a school's survey: what their pages write and `patrolplan survey --read` takes.

An answers file has each place as an answer of its own, in random order, so that a pupil's cannot be
linked; a tally has counts by square. Neither has a name, a time or the device's place.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from patrolplan.atomic import hash_file
from patrolplan.errors import Problems

ANSWERS_FORM: Final = "patrolplan survey 1"
TALLY_FORM: Final = "patrolplan tally 1"
Form = Literal["patrolplan survey 1", "patrolplan tally 1"]

RECORD_FORM = "patrolplan survey record 1"  # Of the record of what was read; `*.json` may match it
MAX_PLACES = 3  # Maximum number of places that one pupil may mark
APART_METRES = 360.0
"""Minimum distance of one pupil's places: more than the diagonal of a square of the fixed
grid (353.6 m), so that no pupil counts twice in a square."""


@dataclass(frozen=True)
class RepeatedFile:
    """A file that was not counted, since another one has the same survey."""

    file: Path
    counted: Path
    is_fuller: bool  # Whether the other one has more; otherwise they are equal


def find_real_path(path: Path) -> Path:
    """The file that a path leads to; a link that leads back to itself stays as it is."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def find_record_path(out: Path) -> Path:
    """The path of the record of a file of reports."""
    return out.with_name(f"{out.stem}.record.json")


def read_record(path: Path) -> dict[str, Any] | None:
    """A record; None where it is absent, or not one of patrolplan."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        is_ours = document["form"] == RECORD_FORM and isinstance(document["sha256"], str)
        is_ours = is_ours and all(isinstance(one["id"], str) for one in document["surveys"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return document if is_ours else None


def has_record(path: object) -> bool:
    """Whether a file of reports is as `survey --read` wrote it, with its record beside it."""
    return isinstance(path, Path) and bool(_list_recorded_ids(path))


def _list_recorded_ids(path: Path) -> list[str]:
    """IDs of the surveys in a file of reports, if its record matches its present content."""
    record = read_record(find_record_path(path)) if path.is_file() else None
    if record is None or hash_file(path) != record["sha256"]:
        return []
    return [survey["id"] for survey in record["surveys"]]


def check_surveys_differ(paths: Sequence[Path], problems: Problems) -> None:
    """Refuse files of reports that hold the same survey: it would count twice."""
    by_survey: dict[str, Path] = {}
    for path in paths:
        ids = _list_recorded_ids(path)
        for earlier in sorted({by_survey[name] for name in ids if name in by_survey}):
            what = f"holds a survey that {earlier} holds as well, so its pupils would count twice"
            remedy = "name only one of them in [sources] reports, or read all surveys into one file"
            problems.add(path, what, remedy)
        by_survey |= {name: path for name in ids if name not in by_survey}
