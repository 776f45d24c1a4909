"""What the settings give for one source: its files, and what their columns are called there.

Both are told wrong once, before a file is read, and not by every file.
"""

from collections.abc import Mapping
from pathlib import Path

from patrolplan.errors import InputError
from patrolplan.errors import Problem
from patrolplan.errors import SettingsError
from patrolplan.inputs import crimes
from patrolplan.inputs import officers
from patrolplan.inputs import reports
from patrolplan.inputs import schools
from patrolplan.inputs import tasked
from patrolplan.inputs import terms
from patrolplan.settings import Settings
from patrolplan.settings import nearest

FIELDS = {
    "crimes": crimes.FIELDS,
    "schools": schools.FIELDS,
    "reports": reports.FIELDS,
    "bell_times": schools.BELL_FIELDS,
    "officers": officers.FIELDS,
    "gates": schools.GATE_FIELDS,
    "term_dates": terms.FIELDS,
    "tasked_places": tasked.FIELDS,
}
"""Columns of every source that is a table."""


def files_of(settings: Settings, source: str) -> tuple[Path, ...]:
    """Files of a source; none where its key is not set.

    Raises
    ------
    InputError
        With every pattern that no file matches.
    """
    remedy = f"mend [sources] {source}; paths start at the settings file's folder"
    problems = [
        Problem(pattern, "no file matches", remedy)
        for pattern, paths in settings.matches(source).items()
        if not paths
    ]
    if problems:
        raise InputError(problems)
    return settings.paths(source)


def columns_of(settings: Settings, source: str) -> Mapping[str, str]:
    """`[columns.SOURCE]`: our name = "their name"; empty where it is not set.

    Raises
    ------
    SettingsError
        With every name that is none of ours.
    """
    known = [field.name for field in FIELDS[source]]
    columns = settings.columns.get(source, {})
    problems = [
        Problem(
            settings.file,
            f"no such column of ours{nearest(name, known)}",
            "mend or remove it; our name stands before the =, theirs after it",
            f"key 'columns.{source}.{name}'",
        )
        for name in columns
        if name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return columns
