"""Import surveys: read their files, write what may be shown, say so, and delete them on request.

Everything is checked before anything is written, reports and record are on disk before a file is
deleted, and the record notes a deletion only after it. `reports.csv` has as many rows as a square
shows, at its centre, with each word as often as it shows: read again, they give the same counts.
Each column is filled independently, so the combination of words in a row has no meaning.

`reports.record.json` lists the surveys in it, so that duplicates are noticed. It has no hash of the
answers: a short file could be guessed from it. Surveys whose files are deleted cannot be counted
again: further ones go into a file of their own, grouped by themselves, so that the difference
between two counts cannot show a pupil.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from patrolplan import atomic
from patrolplan.crs import SQUARE_METRES
from patrolplan.errors import InputError, OutputError, Problems
from patrolplan.inputs import survey_counts, survey_form
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ROUNDING_STEP, ReportTable
from patrolplan.text import format_count, pick_fields
from patrolplan.times import MONTHS_A_TERM, SchoolTerm

REMEDY = "name another file with --out"
ID_LETTERS = 12  # Letters of the hash at the beginning of the IDs of a file's rows


def read_recorded_surveys(out: Path) -> list[dict[str, Any]]:
    """The surveys in the current file of reports, if it and its record are as they were written."""
    paths = out, survey_form.find_record_path(out)
    with atomic.explain_os_errors(out, REMEDY):
        # Both were written, or what a killed command left is dropped.
        is_complete = survey_form.read_record(atomic.sibling_path(paths[1], "part")) is not None
        atomic.finish_replacing(paths, is_complete=is_complete)
        if not any(path.exists() or path.is_symlink() for path in paths):
            return []
        is_other = any(path.is_symlink() or path.is_dir() for path in paths)
        record = None if is_other else survey_form.read_record(paths[1])
        content = out.read_bytes() if record and out.exists() else None
    if record is None or (content is not None and atomic.hash_content(content) != record["sha256"]):
        message = (
            f"{out}: it and {paths[1].name} are not as `survey --read` wrote them; move them "
            f"away or {REMEDY}"
        )
        raise OutputError(message)
    return list(record["surveys"])


def write_reports_file(
    out: Path, counts: survey_counts.SurveyCounts, *, threshold: int, today: dt.date
) -> dict[str, Any]:
    """Write a file of reports and its record, both or neither; returns the record."""
    table = counts.table
    is_shown = table.counts >= threshold
    hashed = atomic.hash_content(*(entry.id for entry in counts.entries))
    urns = {entry.school_urn for entry in counts.entries}
    rows = build_report_rows(
        table,
        {entry.term for entry in counts.entries},
        threshold=threshold,
        name=f"S{hashed[:ID_LETTERS]}",
        school_urn=urns.pop() if len(urns) == 1 else "",
    )
    content = rows.to_csv(index=False, lineterminator="\n").encode("utf-8")
    record = {
        "form": survey_form.RECORD_FORM,
        "file": out.name,
        "sha256": atomic.hash_content(content),
        "read_on": f"{today}",
        "threshold": threshold,
        "reports": len(rows),
        "squares": int(is_shown.sum()),
        "in_small_squares": table.in_small_squares + int(table.counts[~is_shown].sum()),
        "refused": dict(sorted(table.refused.items())),
        "surveys": [
            pick_fields(entry, "id", "form", "school_urn")
            | {"season": entry.term.season, "year": entry.term.year, "pupils": entry.pupils}
            | {"deleted": False}
            for entry in counts.entries
        ],
    }
    with atomic.explain_os_errors(out, "free some disk space or choose another folder"):
        out.parent.mkdir(parents=True, exist_ok=True)
        written = {survey_form.find_record_path(out): atomic.format_json(record).encode("utf-8")}
        atomic.replace_together({out: content} | written)
    return record


ROW_COLUMNS = (*("report_id", "school_urn", "reported_on", *FACTORS), *("longitude", "latitude"))
"""Columns of the table of reports, in order."""


def build_report_rows(
    table: ReportTable, terms: Collection[SchoolTerm], *, threshold: int, name: str, school_urn: str
) -> pd.DataFrame:
    """Rows whose counts by square are those of a table, without those below the threshold."""
    shown = np.flatnonzero(table.counts >= threshold)
    by_factor = np.where(table.factor_counts >= threshold, table.factor_counts, 0)[shown]
    parts = [pd.DataFrame(columns=list(ROW_COLUMNS), dtype=object)]
    places = survey_counts.find_places_inside(table.squares[shown])
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
            own = counts[np.isin(FACTOR_NAMES, names)]
            rows[column] = survey_counts.fill_column(column, own, number)
        parts.append(pd.DataFrame(rows))
    table_rows = pd.concat(parts, ignore_index=True)
    ids = [f"{name}-{number}" for number in range(1, len(table_rows) + 1)]
    return table_rows.assign(report_id=ids, school_urn=school_urn)[list(ROW_COLUMNS)]


def _list_days(
    in_terms: dict[SchoolTerm, int], terms: Collection[SchoolTerm], number: int, step: int
) -> list[str]:
    """First days of the terms of a square's reports."""
    # The rest are reports whose term is suppressed. They get the oldest terms, in which they fade
    # most, with so few in each that it is suppressed when the file is read: each term had fewer
    # than a rounding step of them, so there is always room.
    counts, rest = dict.fromkeys(sorted(terms), 0) | in_terms, number - sum(in_terms.values())
    for term in sorted(set(terms)):
        few = min(rest, step - 1)
        counts[term] += few
        rest -= few
    counts[min(terms)] += rest  # only if the threshold is above the step, so that terms show less
    listed = (term for term in sorted(counts) for _ in range(counts[term]))
    return [f"{term.year}-{MONTHS_A_TERM * term.number + 1:02d}-01" for term in listed]


@dataclass(frozen=True, eq=False)
class SurveyReading:
    """What was read, written and deleted; `undeleted` has the system's message by file."""

    out: Path
    record: dict[str, Any]
    counts: survey_counts.SurveyCounts
    today: dt.date
    deleted: tuple[Path, ...] = ()
    undeleted: tuple[tuple[Path, str], ...] = ()

    def raise_if_undeleted(self) -> None:
        """Raise if files could not be deleted, naming each."""
        if self.undeleted:
            remedy = "delete it by hand: the record says that it is still there"
            lines = (f"{path}: cannot be deleted ({why}); {remedy}" for path, why in self.undeleted)
            raise OutputError("\n".join(lines))


def take_in_surveys(
    paths: Sequence[Path],
    out: Path,
    *,
    urns: Collection[str] | None,
    threshold: int,
    today: dt.date | None = None,
    delete: bool = False,
) -> SurveyReading:
    """Read surveys into a file of reports, all or nothing; `urns` are the schools, None is any."""
    today = dt.datetime.now().astimezone().date() if today is None else today
    own = {*map(survey_form.find_real_path, (out, survey_form.find_record_path(out)))}
    files = [path for path in paths if survey_form.find_real_path(path) not in own]
    if not files:
        where, remedy = "survey --read", "name the files that the survey's page saved"
        raise InputError.one(where, "no file of a survey is given", remedy)
    problems = Problems()
    for path in filter(Path.is_symlink, files if delete else ()):
        # Deleting one would leave the file that it leads to.
        problems.add(path, "is a link, so deleting it deletes nothing", "name the file itself")
    problems.raise_if_any()
    with atomic.lock_folder(out, REMEDY):
        before = {survey["id"] for survey in read_recorded_surveys(out)}
        counts = survey_counts.count_surveys(files, urns=urns, today=today)
        if missing := before - {entry.id for entry in counts.entries}:
            number = format_count(len(missing), "survey")
            what = f"also holds {number} whose files are not given"
            message = f"{out}: {what}; give them too, or {REMEDY}"
            raise OutputError(message)
        record = write_reports_file(out, counts, threshold=threshold, today=today)
        reading = SurveyReading(out, record, counts, today)
        return _delete_files(reading) if delete else reading


def _delete_files(reading: SurveyReading) -> SurveyReading:
    """Delete the files, and record of which surveys all are gone."""
    deleted, undeleted = list[Path](), list[tuple[Path, str]]()
    for entry, row in zip(reading.counts.entries, reading.record["surveys"], strict=True):
        before = len(undeleted)
        for path in entry.files:
            try:
                path.unlink()
                deleted.append(path)
            except OSError as error:
                undeleted.append((path, error.strerror or f"{error}"))
        row["deleted"] = len(undeleted) == before
    path = survey_form.find_record_path(reading.out)
    with atomic.explain_os_errors(path, "the files of the surveys are deleted all the same"):
        atomic.replace_file(path, atomic.format_json(reading.record).encode("utf-8"))
    return replace(reading, deleted=tuple(deleted), undeleted=tuple(undeleted))


ERASURE = (
    "Deleting is not erasing: a memory stick or a tablet may still hold what was deleted. Delete "
    "the files on the school's devices too."
)


def describe_reading(reading: SurveyReading) -> list[str]:
    """A line for each thing that a person should know."""
    entries, facts = reading.counts.entries, build_reading_document(reading)
    least = reading.record["threshold"]
    tallies = sum(entry.form == survey_form.TALLY_FORM for entry in entries)
    schools = format_count(len({entry.school_urn for entry in entries}), "school")
    pupils = sum(entry.pupils for entry in entries)
    took_part = f"at least {pupils:,}" if pupils else f"fewer than {ROUNDING_STEP}"
    where = f"{format_count(facts['squares'], 'square')} of {SQUARE_METRES:.0f} m"
    lines = [
        *facts["notes"],
        (
            f"{format_count(len(entries), 'survey')} of {schools} ({tallies} on paper); "
            f"{took_part} pupils took part."
        ),
        (
            f"{format_count(facts['reports'], 'report')} in {where} written to {reading.out}, in "
            f"groups of at least {least}, rounded down to steps of {ROUNDING_STEP}."
        ),
    ]
    if not facts["squares"]:
        lines.append(
            f"In no square did {least} pupils or more mark a place, so nothing can be used: survey "
            "another class and give all files together."
        )
    lines.append(f"Reports in squares with fewer, not written: {facts['in_small_squares']}.")
    lines += [f"Reports refused, {why}: {number}." for why, number in facts["refused"].items()]
    lines.append(f"What was read is recorded in {facts['record']}.")
    if reading.deleted:
        lines.append(f"Deleted: {format_count(len(reading.deleted), 'file')}. {ERASURE}")
    return lines


def _list_remarks(reading: SurveyReading) -> list[str]:
    """Files that are not counted, and surveys that are old: a reset clock makes reports fade."""
    lines = []
    for one in reading.counts.repeated:
        why = f"holds the same survey as {one.counted}"
        if one.is_fuller:
            why = f"holds an earlier state of the survey in {one.counted}, which holds more"
        lines.append(f"{one.file}: {why}; it is counted once")
    current = survey_counts.find_term(reading.today)
    oldest = current._replace(year=current.year - 1)
    return lines + [
        f"{entry.files[0]}: is of the {entry.term.season} term of {entry.term.year}, so it counts "
        "little; if the clock of the device was wrong, correct 'day' in the file and read all again"
        for entry in reading.counts.entries
        if entry.term <= oldest
    ]


def _format_number(count: int) -> str:
    return f"about {count:,}" if count else f"fewer than {ROUNDING_STEP}"


def build_reading_document(reading: SurveyReading) -> dict[str, Any]:
    """The same facts as one JSON object."""
    record = reading.record
    return {
        "written": f"{reading.out}",
        "record": f"{survey_form.find_record_path(reading.out)}",
        "surveys": [
            {key: one[key] for key in one if key != "deleted"} for one in record["surveys"]
        ],
        "reports": record["reports"],
        "squares": record["squares"],
        "in_small_squares": _format_number(record["in_small_squares"]),
        "refused": {why: _format_number(count) for why, count in record["refused"].items()},
        "deleted": [f"{path}" for path in reading.deleted],
        "notes": _list_remarks(reading),
    }
