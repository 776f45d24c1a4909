"""Rows of numbers in the files of public instances, with errors that name the row."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patrolplan.errors import InputError, Problems

MAX_PROBLEMS = 20
"""Bad rows that are named; a file of another kind has nothing but bad rows."""


@dataclass(frozen=True)
class Row:
    """One line that is not empty: its number in the file, from 1, and its words."""

    number: int
    text: str

    @property
    def words(self) -> list[str]:
        """What stands between spaces."""
        return self.text.split()


def read_rows(path: Path) -> list[Row]:
    """Lines of a file that are not empty, at least one."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        what = f"it cannot be read ({error.strerror})"
        raise InputError.one(path, what, "give a file of an orienteering instance") from None
    lines = (Row(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    rows = [line for line in lines if line.text]
    if not rows:
        what = "it is empty"
        raise InputError.one(path, what, "give a file of an orienteering instance")
    return rows


def is_number(word: str) -> bool:
    """Whether a word is a finite number."""
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False


def parse_rows(path: Path, rows: Sequence[Row], least: int, what: str) -> list[NDArray[np.float64]]:
    """Numbers of each row, at least so many; all bad rows are named, up to `MAX_PROBLEMS`."""
    problems, parsed, bad = Problems(), [], 0
    for row in rows:
        words = row.words
        if len(words) >= least and all(map(is_number, words)):
            parsed.append(np.array([float(word) for word in words]))
            continue
        bad += 1
        if bad <= MAX_PROBLEMS:
            problems.add(path, f"'{row.text[:60]}' is not {what}", "correct the row", at(row))
    problems.raise_if_any()
    if not parsed:
        reason = f"there is no row with {what}"
        raise InputError.one(path, reason, "give a whole file")
    return parsed


def at(row: Row) -> str:
    """Where a row is, for errors."""
    return f"row {row.number}"


def parse_number(path: Path, row: Row, word: str, least: float, what: str) -> float:
    """The number that a word of a row is, `least` or more."""
    if not is_number(word) or float(word) < least:
        seen = f"'{word}' is not {what}"
        raise InputError.one(path, seen, f"give a number of {least:g} or more", at(row))
    return float(word)
