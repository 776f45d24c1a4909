"""Import surveys: read their files, write what may be shown, say so, and delete them on request.

The order makes this safe: everything is read and checked before anything is written, reports and
record are on disk before a file is deleted, and the record notes a deletion only after it.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from patrolplan.crs import SQUARE_METRES
from patrolplan.errors import InputError, OutputError, Problems
from patrolplan.inputs.survey_counts import SurveyCounts, count_surveys, find_term
from patrolplan.inputs.survey_form import TALLY_FORM, find_real_path, find_record_path
from patrolplan.outputs.output_folder import lock_folder
from patrolplan.outputs.survey.reports_file import (
    REMEDY,
    count_left_over,
    describe_entry,
    mark_deleted,
    read_recorded_surveys,
    write_reports_file,
)
from patrolplan.privacy import ROUNDING_STEP
from patrolplan.text import format_count


@dataclass(frozen=True, eq=False)
class SurveyReading:
    """What was read, written and deleted; `undeleted` has the system's message by file."""

    out: Path
    counts: SurveyCounts
    threshold: int
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
    """Read files of surveys into a file of reports; with problems in any, nothing is written.

    Surveys may be from the schools in `urns`, None means any; `delete` deletes files after they are
    counted.
    """
    today = dt.datetime.now().astimezone().date() if today is None else today
    own = {find_real_path(out), find_real_path(find_record_path(out))}
    files = [path for path in paths if find_real_path(path) not in own]
    if not files:
        where, remedy = "survey --read", "name the files that the survey's page saved"
        raise InputError.one(where, "no file of a survey is given", remedy)
    problems = Problems()
    for path in filter(Path.is_symlink, files if delete else ()):
        # Deleting one would leave the file that it leads to.
        problems.add(path, "is a link, so deleting it deletes nothing", "name the file itself")
    problems.raise_if_any()
    with lock_folder(out, REMEDY):
        before = {survey["id"] for survey in read_recorded_surveys(out)}
        counts = count_surveys(files, urns=urns, today=today)
        if missing := before - {entry.id for entry in counts.entries}:
            number = format_count(len(missing), "survey")
            message = f"{out}: also holds {number} whose files are not given; give them too"
            raise OutputError(f"{message}, or {REMEDY}")
        record = write_reports_file(out, counts, threshold=threshold, today=today)
        reading = SurveyReading(out, counts, threshold, today)
        return _delete_files(reading, record) if delete else reading


def _delete_files(reading: SurveyReading, record: dict[str, Any]) -> SurveyReading:
    deleted, undeleted, gone = list[Path](), list[tuple[Path, str]](), list[str]()
    for entry in reading.counts.entries:
        before = len(undeleted)
        for path in entry.files:
            try:
                path.unlink()
                deleted.append(path)
            except OSError as error:
                undeleted.append((path, error.strerror or f"{error}"))
        if len(undeleted) == before:
            gone.append(entry.id)
    if gone:
        mark_deleted(reading.out, record, gone)
    return replace(reading, deleted=tuple(deleted), undeleted=tuple(undeleted))


ERASURE = (
    "Deleting is not erasing: a memory stick or a tablet may still hold what was deleted. Delete "
    "the files on the school's devices too."
)


def describe_reading(reading: SurveyReading) -> list[str]:
    """A line for each thing that a person should know."""
    out, entries, lines = reading.out, reading.counts.entries, _list_remarks(reading)
    facts = build_reading_document(reading)
    tallies = sum(entry.form == TALLY_FORM for entry in entries)
    schools = format_count(len({entry.school_urn for entry in entries}), "school")
    pupils = sum(entry.pupils for entry in entries)
    took_part = f"at least {pupils:,}" if pupils else f"fewer than {ROUNDING_STEP}"
    where = f"{format_count(facts['squares'], 'square')} of {SQUARE_METRES:.0f} m"
    lines += [
        (
            f"{format_count(len(entries), 'survey')} of {schools} ({tallies} on paper); "
            f"{took_part} pupils took part."
        ),
        (
            f"{format_count(facts['reports'], 'report')} in {where} written to {out}, in "
            f"groups of at least {reading.threshold}, rounded down to steps of {ROUNDING_STEP}."
        ),
    ]
    if not facts["squares"]:
        lines.append(
            f"In no square did {reading.threshold} pupils or more mark a place, so nothing can be "
            "used: survey another class and give all files together."
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
    current = find_term(reading.today)
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
    entries, table = reading.counts.entries, reading.counts.table
    shown = table.counts[table.counts >= reading.threshold]
    return {
        "written": f"{reading.out}",
        "record": f"{find_record_path(reading.out)}",
        "surveys": [describe_entry(entry) for entry in entries],
        "reports": int(shown.sum()),
        "squares": len(shown),
        "in_small_squares": _format_number(count_left_over(reading.counts, reading.threshold)),
        "refused": {why: _format_number(count) for why, count in sorted(table.refused.items())},
        "deleted": [f"{path}" for path in reading.deleted],
        "notes": _list_remarks(reading),
    }
