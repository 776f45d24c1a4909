"""Import surveys: read their files, write what may be shown, and delete them if requested.

The order makes this safe: everything is read and checked before anything is written, reports and
record are on disk before a file is deleted, and the record notes a deletion only after it.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from patrolplan.errors import InputError, OutputError, Problems
from patrolplan.inputs.survey_counts import SurveyCounts, SurveyEntry, count_surveys, find_term
from patrolplan.inputs.survey_form import find_real_path, find_record_path
from patrolplan.outputs.survey.reports_file import (
    check_given,
    lock_reports_file,
    mark_deleted,
    read_reports_file,
    write_reports_file,
)


@dataclass(frozen=True, eq=False)
class SurveyReading:
    """What was read, written and deleted.

    `counts` are those of the surveys that are new in the file `out`; surveys that were already in
    it are `skipped`; `undeleted` has the system's message by file.
    """

    out: Path
    counts: SurveyCounts
    threshold: int
    today: dt.date
    skipped: tuple[SurveyEntry, ...] = ()
    deleted: tuple[Path, ...] = ()
    undeleted: tuple[tuple[Path, str], ...] = ()

    @property
    def old(self) -> tuple[SurveyEntry, ...]:
        """New surveys dated a year ago or more: a reset clock of a tablet makes reports fade."""
        current = find_term(self.today)
        oldest = current._replace(year=current.year - 1)
        return tuple(entry for entry in self.counts.entries if entry.term <= oldest)

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
    add: bool = False,
    delete: bool = False,
) -> SurveyReading:
    """Read files of surveys into a file of reports; with problems in any, nothing is written.

    Surveys may be from the schools in `urns`, None means any. `add` adds them to those whose files
    are deleted; `delete` deletes files after they are counted.
    """
    today = dt.datetime.now().astimezone().date() if today is None else today
    own = {find_real_path(out), find_real_path(find_record_path(out))}
    files = [path for path in paths if find_real_path(path) not in own]
    if not files:
        where, remedy = "survey --read", "name the files that the survey's page saved"
        raise InputError.one(where, "no file of a survey is given", remedy)
    if delete:
        _check_deletable(files)
    with lock_reports_file(out):
        before = read_reports_file(out)
        recorded = frozenset(before.ids) if add else frozenset[str]()
        counts = count_surveys(files, urns=urns, recorded=recorded, today=today)
        check_given(before, counts.entries, add=add)
        new = tuple(entry for entry in counts.entries if entry.id not in recorded)
        skipped = tuple(entry for entry in counts.entries if entry.id in recorded)
        reading = SurveyReading(out, replace(counts, entries=new), threshold, today, skipped)
        if new:
            write_reports_file(
                out,
                reading.counts,
                threshold=threshold,
                today=today,
                add_to=before if add else None,
            )
        return _delete_files(reading) if delete else reading


def _check_deletable(files: Sequence[Path]) -> None:
    """Refuse links: deleting one would leave the file that it leads to."""
    problems = Problems()
    for path in files:
        if path.is_symlink():
            problems.add(path, "is a link, so deleting it deletes nothing", "name the file itself")
    problems.raise_if_any()


def _delete_files(reading: SurveyReading) -> SurveyReading:
    deleted, undeleted, gone = list[Path](), list[tuple[Path, str]](), list[str]()
    for entry in reading.counts.entries:
        is_gone = True
        for path in entry.files:
            try:
                path.unlink()
                deleted.append(path)
            except OSError as error:
                undeleted.append((path, error.strerror or f"{error}"))
                is_gone = False
        if is_gone:
            gone.append(entry.id)
    if gone:
        mark_deleted(read_reports_file(reading.out), gone)
    return replace(reading, deleted=tuple(deleted), undeleted=tuple(undeleted))
