"""The record next to a file of reports that surveys gave: which surveys are in it.

It names surveys by their random IDs, so that one that is read again is noticed, also where it was
read into another file.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from patrolplan.atomic import hash_file
from patrolplan.errors import Problems
from patrolplan.inputs.survey_form import RECORD_FORM

RECORD_SUFFIX = ".record.json"


def find_record_path(out: Path) -> Path:
    """The path of the record of a file of reports.

    Examples
    --------
    >>> find_record_path(Path("reports.csv")).name
    'reports.record.json'
    """
    return out.with_name(out.stem + RECORD_SUFFIX)


def read_record(path: Path) -> dict[str, Any] | None:
    """A record; None where it is absent, or not one of patrolplan."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        is_ours = document["form"] == RECORD_FORM and isinstance(document["sha256"], str)
        ids = list_survey_ids(document["batches"])
        is_ours = is_ours and all(isinstance(name, str) for name in ids)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return document if is_ours else None


def list_survey_ids(batches: Iterable[dict[str, Any]]) -> list[str]:
    """IDs of the surveys of a record."""
    return [survey["id"] for batch in batches for survey in batch["surveys"]]


def check_surveys_differ(paths: Sequence[Path], problems: Problems) -> None:
    """Refuse files of reports that hold the same survey: it would count twice.

    Only a record that matches its file's present content counts.
    """
    by_survey: dict[str, Path] = {}
    for path in paths:
        record = read_record(find_record_path(path))
        if record is None or not path.is_file() or hash_file(path) != record["sha256"]:
            continue
        ids = list_survey_ids(record["batches"])
        for earlier in sorted({by_survey[name] for name in ids if name in by_survey}):
            what = f"holds a survey that {earlier} holds as well, so its pupils would count twice"
            remedy = "name only one of them in [sources] reports, or read all surveys into one file"
            problems.add(path, what, remedy)
        by_survey |= {name: path for name in ids if name not in by_survey}
