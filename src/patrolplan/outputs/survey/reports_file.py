"""The file of reports from surveys, and the record next to it.

`reports.csv` is made only from rounded counts, see `patrolplan.outputs.survey.report_rows`, and
`reports.record.json` lists the surveys in it, so that duplicates are noticed. The record has no
hash of the answers: a short file could be guessed from it. Both are written together: the new
record has the hash of the new reports, and if a command is killed between the two, the next one
finishes it.

Surveys whose files are deleted cannot be counted again. Further ones are then added as a separate
batch: groups are formed within a batch, so a square with four reports in each of two batches shows
none. That loses reports, but otherwise the difference between two counts could show a pupil.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from patrolplan.atomic import (
    explain_os_errors,
    hash_content,
    hold_lock,
    sibling_path,
    sync_folder,
    write_synced,
)
from patrolplan.errors import OutputError
from patrolplan.inputs.survey_counts import SurveyCounts, SurveyEntry
from patrolplan.inputs.survey_form import (
    RECORD_FORM,
    find_record_path,
    list_survey_ids,
    read_record,
)
from patrolplan.outputs.output_folder import WAIT_SECONDS, format_json
from patrolplan.outputs.survey.report_rows import build_report_rows
from patrolplan.text import format_count

REMEDY = "name another file with --out"

ID_LETTERS = 12
"""Letters of the hash at the beginning of the IDs of a batch's rows."""


@dataclass(frozen=True)
class ReportsFile:
    """The current file of reports, with its record; both are empty if there is none."""

    out: Path
    content: bytes
    batches: tuple[dict[str, Any], ...]

    @property
    def ids(self) -> list[str]:
        """IDs of the surveys that are in it."""
        return list_survey_ids(self.batches)


def read_reports_file(out: Path) -> ReportsFile:
    """Read the current file of reports and its record, if both are as patrolplan wrote them."""
    record = find_record_path(out)
    for path in (out, record):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            message = f"{path}: is a link or a folder, not a file of its own; {REMEDY}"
            raise OutputError(message)
    with explain_os_errors(out, REMEDY):
        _finish_writing(out)
        if not out.exists() and not record.exists():
            return ReportsFile(out, b"", ())
        document = read_record(record)
        if document is None:
            which = record if record.exists() else out
            message = f"{which}: was not written by `survey --read`; move it away or {REMEDY}"
            raise OutputError(message)
        content = out.read_bytes() if out.exists() else b""
        if out.exists() and hash_content(content) != document["sha256"]:
            message = f"{out}: was changed after patrolplan wrote it; move it away or {REMEDY}"
            raise OutputError(message)
    return ReportsFile(out, content, tuple(document["batches"]))


def check_given(before: ReportsFile, entries: Sequence[SurveyEntry], *, add: bool) -> None:
    """Check that no survey would be lost from a file of reports."""
    if add:
        if before.batches and not before.out.exists():
            message = f"{before.out}: is gone, so nothing can be added to it; {REMEDY}"
            raise OutputError(message)
        return
    missing = set(before.ids) - {entry.id for entry in entries}
    if missing:
        number = format_count(len(missing), "survey")
        message = (
            f"{before.out}: also holds {number} whose files are not given; give them too, add "
            f"the new ones to it with --add, or {REMEDY}"
        )
        raise OutputError(message)


def write_reports_file(
    out: Path,
    counts: SurveyCounts,
    *,
    threshold: int,
    today: dt.date,
    add_to: ReportsFile | None = None,
) -> None:
    """Write a file of reports and its record, both or neither; the content of `add_to` stays."""
    hashed = hash_content(*(entry.id for entry in counts.entries))
    urns = {entry.school_urn for entry in counts.entries}
    rows = build_report_rows(
        counts.table,
        {entry.term for entry in counts.entries},
        threshold=threshold,
        name=f"S{hashed[:ID_LETTERS]}",
        school_urn=urns.pop() if len(urns) == 1 else "",
    )
    earlier = b"" if add_to is None else add_to.content
    batches = [] if add_to is None else list(add_to.batches)
    batches.append(_describe_batch(counts, rows, threshold, today))
    _write_both(out, earlier + _format_rows(rows, header=not earlier), batches)


def _describe_batch(
    counts: SurveyCounts, rows: pd.DataFrame, threshold: int, today: dt.date
) -> dict[str, Any]:
    table = counts.table
    return {
        "read_on": f"{today}",
        "threshold": threshold,
        "reports": len(rows),
        "squares": int((table.counts >= threshold).sum()),
        "in_small_squares": count_left_over(counts, threshold),
        "refused": dict(sorted(table.refused.items())),
        "surveys": [
            {
                "id": entry.id,
                "form": entry.form,
                "school_urn": entry.school_urn,
                "season": entry.term.season,
                "year": entry.term.year,
                "pupils": entry.pupils,
                "deleted": False,
            }
            for entry in counts.entries
        ],
    }


def count_left_over(counts: SurveyCounts, threshold: int) -> int:
    """Total of reports in squares below the threshold, a multiple of the rounding step."""
    table = counts.table
    return table.in_small_squares + int(table.counts[table.counts < threshold].sum())


def _format_rows(rows: pd.DataFrame, *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(rows.columns)
    writer.writerows(rows.itertuples(index=False, name=None))
    return text.getvalue().encode("utf-8")


def mark_deleted(before: ReportsFile, ids: Sequence[str]) -> None:
    """Record that the files of some surveys were deleted."""
    batches = [
        batch
        | {
            "surveys": [
                survey | {"deleted": bool(survey.get("deleted")) or survey["id"] in ids}
                for survey in batch["surveys"]
            ]
        }
        for batch in before.batches
    ]
    _write_both(before.out, before.content, batches)


def _write_both(out: Path, content: bytes, batches: Sequence[dict[str, Any]]) -> None:
    document = {
        "form": RECORD_FORM,
        "reports": out.name,
        "sha256": hash_content(content),
        "batches": list(batches),
    }
    with explain_os_errors(out, "free some disk space or choose another folder"):
        out.parent.mkdir(parents=True, exist_ok=True)
        new_content, new_record = _find_parts(out)
        for part in (new_content, new_record):
            part.unlink(missing_ok=True)  # writing would follow a link of this name
        try:
            write_synced(new_content, content)
            write_synced(new_record, format_json(document).encode("utf-8"))
            _finish_writing(out)
        except BaseException:
            with suppress(OSError):
                _finish_writing(out)
            raise
        sync_folder(out.parent)


def _find_parts(out: Path) -> tuple[Path, Path]:
    """Paths of new reports and of the new record before they replace the old ones."""
    return sibling_path(out, "part"), sibling_path(find_record_path(out), "part")


def _finish_writing(out: Path) -> None:
    """Rename new reports and record into place, or drop them if not both were written.

    The new record is written last and has the hash of the reports. The reports are renamed first;
    after a kill at that point, the new record has the hash of the reports in place.
    """
    new_content, new_record = _find_parts(out)
    document = read_record(new_record)
    if document is not None:
        named = document["sha256"]
        if new_content.exists() and hash_content(new_content.read_bytes()) == named:
            new_content.replace(out)
        if out.exists() and hash_content(out.read_bytes()) == named:
            new_record.replace(find_record_path(out))
    for part in (new_content, new_record):
        part.unlink(missing_ok=True)


@contextmanager
def lock_reports_file(out: Path) -> Iterator[None]:
    """Hold the file's lock, so that no other command reads or writes it meanwhile."""
    message = f"{out}: another patrolplan is writing it; try again when it has finished"
    with ExitStack() as stack:
        with explain_os_errors(out, REMEDY):
            path = sibling_path(out, "lock")
            stack.enter_context(hold_lock(path, OutputError(message), wait_seconds=WAIT_SECONDS))
        yield
