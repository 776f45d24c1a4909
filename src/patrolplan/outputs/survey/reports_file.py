"""The file of reports from surveys, and the record next to it.

`reports.csv` is made only from rounded counts. A file of reports needs rows: as many as a square
shows, at its centre, with as many of each word as it shows and `unknown` or `none` in the others.
Each column is filled independently, so the combination of words in a row has no meaning. When the
file is read again, it gives the same counts.

`reports.record.json` lists the surveys in it, so that duplicates are noticed. It has no hash of the
answers: a short file could be guessed from it. Both are written together: if a command is killed
between the two, the next one finishes it.

Surveys whose files are deleted cannot be counted again: further ones go into a file of their own,
grouped by themselves. That loses reports, but otherwise the difference between two counts could
show a pupil.
"""

import datetime as dt
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.atomic import (
    explain_os_errors,
    finish_replacing,
    hash_content,
    replace_file,
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
from patrolplan.inputs.survey_form import RECORD_FORM, find_record_path, read_record
from patrolplan.outputs.output_folder import format_json
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportTable
from patrolplan.text import pick_fields
from patrolplan.times import MONTHS_A_TERM, SchoolTerm

REMEDY = "name another file with --out"

ID_LETTERS = 12  # Letters of the hash at the beginning of the IDs of a file's rows


def read_recorded_surveys(out: Path) -> list[dict[str, Any]]:
    """The surveys in the current file of reports, if it and its record are as they were written."""
    paths = out, find_record_path(out)
    with explain_os_errors(out, REMEDY):
        # Both were written, or what a killed command left is dropped.
        is_complete = read_record(sibling_path(paths[1], "part")) is not None
        finish_replacing(paths, is_complete=is_complete)
        if not any(path.exists() or path.is_symlink() for path in paths):
            return []
        is_other = any(path.is_symlink() or path.is_dir() for path in paths)
        record = None if is_other else read_record(paths[1])
        content = out.read_bytes() if record and out.exists() else None
    if record is None or (content is not None and hash_content(content) != record["sha256"]):
        message = (
            f"{out}: it and {paths[1].name} are not as `survey --read` wrote them; move them "
            f"away or {REMEDY}"
        )
        raise OutputError(message)
    return list(record["surveys"])


def write_reports_file(
    out: Path, counts: SurveyCounts, *, threshold: int, today: dt.date
) -> dict[str, Any]:
    """Write a file of reports and its record, both or neither; returns the record."""
    hashed = hash_content(*(entry.id for entry in counts.entries))
    urns = {entry.school_urn for entry in counts.entries}
    rows = build_report_rows(
        counts.table,
        {entry.term for entry in counts.entries},
        threshold=threshold,
        name=f"S{hashed[:ID_LETTERS]}",
        school_urn=urns.pop() if len(urns) == 1 else "",
    )
    content = rows.to_csv(index=False, lineterminator="\n").encode("utf-8")
    record = {
        "form": RECORD_FORM,
        "file": out.name,
        "sha256": hash_content(content),
        "read_on": f"{today}",
        "threshold": threshold,
        "reports": len(rows),
        "squares": int((counts.table.counts >= threshold).sum()),
        "in_small_squares": count_left_over(counts, threshold),
        "refused": dict(sorted(counts.table.refused.items())),
        "surveys": [describe_entry(entry) | {"deleted": False} for entry in counts.entries],
    }
    with explain_os_errors(out, "free some disk space or choose another folder"):
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_together({out: content, find_record_path(out): format_json(record).encode("utf-8")})
    return record


def describe_entry(entry: SurveyEntry) -> dict[str, Any]:
    """A survey as the record names it."""
    term = {"season": entry.term.season, "year": entry.term.year}
    return {**pick_fields(entry, "id", "form", "school_urn"), **term, "pupils": entry.pupils}


def count_left_over(counts: SurveyCounts, threshold: int) -> int:
    """Total of reports in squares below the threshold, a multiple of the rounding step."""
    table = counts.table
    return table.in_small_squares + int(table.counts[table.counts < threshold].sum())


def mark_deleted(out: Path, record: dict[str, Any], ids: Collection[str]) -> None:
    """Record that the files of some surveys were deleted."""
    path = find_record_path(out)
    for survey in record["surveys"]:
        survey["deleted"] = survey["id"] in ids
    with explain_os_errors(path, "the files of the surveys are deleted all the same"):
        replace_file(path, format_json(record).encode("utf-8"))


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
