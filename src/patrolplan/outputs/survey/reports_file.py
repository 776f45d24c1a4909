"""The file of reports from surveys, and the record next to it.

`reports.csv` is made only from rounded counts. A file of reports needs rows: as many as a square
shows, at its centre, with as many of each word as it shows and `unknown` or `none` in the others.
Each column is filled independently, so the combination of words in a row has no meaning. When the
file is read again, it gives the same counts.

`reports.record.json` lists the surveys in it, so that duplicates are noticed. It has no hash of the
answers: a short file could be guessed from it. Both are written together: if a command is killed
between the two, the next one finishes it.

Surveys whose files are deleted cannot be counted again. Further ones are then added as a separate
batch: groups are formed within a batch, so a square with four reports in each of two batches shows
none. That loses reports, but otherwise the difference between two counts could show a pupil.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.atomic import (
    explain_os_errors,
    finish_replacing,
    hash_content,
    replace_together,
    sibling_path,
)
from patrolplan.errors import OutputError
from patrolplan.inputs.survey_counts import (
    SurveyCounts,
    SurveyEntry,
    fill_column,
    find_places_inside,
)
from patrolplan.inputs.survey_form import (
    RECORD_FORM,
    find_record_path,
    list_survey_ids,
    read_record,
)
from patrolplan.outputs.output_folder import format_json
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportTable
from patrolplan.text import format_count, pick_fields
from patrolplan.times import MONTHS_A_TERM, SchoolTerm

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
    paths = out, find_record_path(out)
    with explain_os_errors(out, REMEDY):
        # Both were written, or what a killed command left is dropped.
        is_complete = read_record(sibling_path(paths[1], "part")) is not None
        finish_replacing(paths, is_complete=is_complete)
        if not any(path.exists() or path.is_symlink() for path in paths):
            return ReportsFile(out, b"", ())
        is_other = any(path.is_symlink() or path.is_dir() for path in paths)
        document = None if is_other else read_record(paths[1])
        content = out.read_bytes() if document and out.exists() else b""
        if document is None or (out.exists() and hash_content(content) != document["sha256"]):
            message = (
                f"{out}: it and {paths[1].name} are not as `survey --read` wrote them; move them "
                f"away or {REMEDY}"
            )
            raise OutputError(message)
    return ReportsFile(out, content, tuple(document["batches"]))


def check_given(before: ReportsFile, entries: Sequence[SurveyEntry], *, add: bool) -> None:
    """Check that no survey would be lost from a file of reports."""
    message = ""
    missing = set(before.ids) - {entry.id for entry in entries}
    if add and before.batches and not before.out.exists():
        message = "is gone, so nothing can be added to it"
    elif missing and not add:
        number = format_count(len(missing), "survey")
        message = (
            f"also holds {number} whose files are not given; give them too, add the new ones to it "
            "with --add"
        )
    if message:
        text = f"{before.out}: {message}; or {REMEDY}"
        raise OutputError(text)


def write_reports_file(
    before: ReportsFile, counts: SurveyCounts, *, threshold: int, today: dt.date
) -> None:
    """Write a file of reports and its record, both or neither; the content of `before` stays."""
    hashed = hash_content(*(entry.id for entry in counts.entries))
    urns = {entry.school_urn for entry in counts.entries}
    rows = build_report_rows(
        counts.table,
        {entry.term for entry in counts.entries},
        threshold=threshold,
        name=f"S{hashed[:ID_LETTERS]}",
        school_urn=urns.pop() if len(urns) == 1 else "",
    )
    batch = {
        "read_on": f"{today}",
        "threshold": threshold,
        "reports": len(rows),
        "squares": int((counts.table.counts >= threshold).sum()),
        "in_small_squares": count_left_over(counts, threshold),
        "refused": dict(sorted(counts.table.refused.items())),
        "surveys": [describe_entry(entry) | {"deleted": False} for entry in counts.entries],
    }
    text = rows.to_csv(index=False, header=not before.content, lineterminator="\n")
    _write_both(before.out, before.content + text.encode("utf-8"), [*before.batches, batch])


def describe_entry(entry: SurveyEntry) -> dict[str, Any]:
    """A survey as the record names it."""
    term = {"season": entry.term.season, "year": entry.term.year}
    return {**pick_fields(entry, "id", "form", "school_urn"), **term, "pupils": entry.pupils}


def count_left_over(counts: SurveyCounts, threshold: int) -> int:
    """Total of reports in squares below the threshold, a multiple of the rounding step."""
    table = counts.table
    return table.in_small_squares + int(table.counts[table.counts < threshold].sum())


def mark_deleted(before: ReportsFile, ids: Sequence[str]) -> None:
    """Record that the files of some surveys were deleted."""
    batches = deepcopy(before.batches)
    for survey in chain.from_iterable(batch["surveys"] for batch in batches):
        survey["deleted"] = bool(survey.get("deleted")) or survey["id"] in ids
    _write_both(before.out, before.content, batches)


def _write_both(out: Path, content: bytes, batches: Sequence[dict[str, Any]]) -> None:
    document = {"form": RECORD_FORM, "reports": out.name, "sha256": hash_content(content)}
    with explain_os_errors(out, "free some disk space or choose another folder"):
        out.parent.mkdir(parents=True, exist_ok=True)
        record = format_json(document | {"batches": list(batches)}).encode("utf-8")
        replace_together({out: content, find_record_path(out): record})


ROW_COLUMNS = (*("report_id", "school_urn", "reported_on", *FACTORS), *("longitude", "latitude"))
"""Columns of the table of reports, in order."""


def build_report_rows(
    table: ReportTable, terms: Collection[SchoolTerm], *, threshold: int, name: str, school_urn: str
) -> pd.DataFrame:
    """Rows whose counts by square are those of a table, in `ROW_COLUMNS`.

    Squares, words and terms with fewer reports than the threshold are suppressed. `name` starts the
    rows' IDs, so that those of two files differ; `school_urn` is empty for several schools.
    """
    shown = np.flatnonzero(table.counts >= threshold)
    by_factor = np.where(table.factor_counts >= threshold, table.factor_counts, 0)[shown]
    parts = [pd.DataFrame(columns=list(ROW_COLUMNS), dtype=object)]
    places = find_places_inside(table.squares[shown])
    for square, counts, (longitude, latitude) in zip(shown, by_factor, places, strict=True):
        number = int(table.counts[square])
        in_terms = {term: int(count[square]) for term, count in table.by_term.items()}
        in_terms = {term: count for term, count in in_terms.items() if count >= threshold}
        rows = {
            "reported_on": _list_days(in_terms, terms, number, table.step),
            "longitude": f"{longitude:.6f}",
            "latitude": f"{latitude:.6f}",
        }
        for column, names in FACTORS.items():
            rows[column] = fill_column(column, counts[np.isin(FACTOR_NAMES, names)], number)
        parts.append(pd.DataFrame(rows))
    table_rows = pd.concat(parts, ignore_index=True)
    ids = [f"{name}-{number}" for number in range(1, len(table_rows) + 1)]
    return table_rows.assign(report_id=ids, school_urn=school_urn)[list(ROW_COLUMNS)]


def _list_days(
    in_terms: dict[SchoolTerm, int], terms: Collection[SchoolTerm], number: int, step: int
) -> list[str]:
    """First days of the terms of a square's reports.

    The rest are reports whose term is suppressed. They get the oldest terms, in which they fade
    most, with so few in each that it is suppressed when the file is read: each term had fewer than
    a rounding step of them, so there is always room.
    """
    counts, rest = dict.fromkeys(sorted(terms), 0) | in_terms, number - sum(in_terms.values())
    for term in sorted(set(terms)):
        few = min(rest, step - 1)
        counts[term] += few
        rest -= few
    counts[min(terms)] += rest  # only if the threshold is above the step, so that terms show less
    return [
        f"{term.year}-{MONTHS_A_TERM * term.number + 1:02d}-01"
        for term in sorted(counts)
        for _ in range(counts[term])
    ]
