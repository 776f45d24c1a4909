"""Values that cannot be read: which form they seem to have, and the valid form.

Nothing is guessed: 03/04 may be in March or in April, and 45901 may be a day or a number. The
message says what the value looks like, so that the export can be corrected.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DATE_FORMS = (
    (r"\d{5}(\.\d+)?", "a spreadsheet's number of a day"),
    (r"(?i)[a-z]{3,9}[\s\-/.,']*(\d{2}|\d{4})", "a month with its name"),
    (r"(?i)\d{1,2}[\s\-/.]*[a-z]{3,9}[\s\-/.,]*(\d{2}|\d{4})\b.*", "a day with the month's name"),
    (r"(?i).*\d\s*[ap]\.?m\.?", "a 12-hour clock"),
    (r"\d{1,2}/\d{1,2}/\d{2}(\s.*)?", "a year of two digits"),
    (r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}(\s.*)?", "a date that does not begin with the year"),
    (r"\d{1,2}[/.\-]\d{4}", "a month before its year"),
    (r"\d{4}[/.]\d{1,2}", "a month without its hyphen"),
    (r"\d{6}", "a month without its hyphen"),
    (r"\d{8}", "a date without its hyphens"),
    (r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?", "a date and not a month"),
    (r"\d{10,13}", "a computer's count of seconds"),
    (r"\d{4}", "a year alone"),
)
"""Patterns of dates and times that are not read, and what they look like."""

NUMBER_FORMS = (
    (r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", "a number with commas between thousands"),
    (r"[-+]?\d+,\d+", "a decimal comma"),
    (r"[-+]?[\d.]+\s*°.*", "degrees with signs"),
    (r"(?i)[\d.]+\s*[nsew]", "degrees with a letter"),
    (r"[-+]?\d{5,7}(\.\d+)?", "metres on a grid and not degrees"),
    (r"[-+]?\d{1,3} \d{3}(\.\d+)?", "a number with spaces"),
    (r"[A-Z]{2}\s?\d{4,10}", "a grid reference with letters"),
    (r"(?i)point.*", "a point in one cell"),
)
"""Patterns of coordinates that are not read, and what they look like."""

EMPTY_WORDS = ("null", "n/a", "na", "none", "nan", "-", "unknown", "not known")
"""Words for an empty cell, in lower case."""

MONTH_REMEDY = "write months as YYYY-MM"
TIME_REMEDY = "write times as YYYY-MM-DD HH:MM, with hours from 00 to 23"
DEGREES_REMEDY = "write decimal degrees with a point, such as -0.1276"
METRES_REMEDY = "write whole metres without commas, such as 530000"


@dataclass(frozen=True)
class Unreadable:
    """Values of one column, not empty, that cannot be read: so many of those that are given.

    `row` and `value` are of the first one, `look` what it looks like, empty if not known.
    """

    column: str
    count: int
    given: int
    row: int
    value: str
    look: str
    remedy: str


def find_unreadable(
    text: pd.Series, is_read: NDArray[np.bool_], forms: tuple[tuple[str, str], ...], remedy: str
) -> list[Unreadable]:
    """The values of a column that are not empty and were not read: none, or one entry for all.

    The column is text or NA, with row numbers as its index.
    """
    given_rows = is_given(text)
    wrong = text[given_rows & ~is_read]
    if wrong.empty:
        return []
    value = str(wrong.iloc[0])
    look = describe_form(value, forms)
    given = int(given_rows.sum())
    return [Unreadable(str(text.name), len(wrong), given, int(wrong.index[0]), value, look, remedy)]


def is_given(text: pd.Series) -> NDArray[np.bool_]:
    """(n,) whether each cell of a column of text or NA holds a value: not one of `EMPTY_WORDS`.

    Examples
    --------
    >>> is_given(pd.Series(["410", None, "n/a"]))
    array([ True, False, False])
    """
    return (text.notna() & ~text.str.lower().isin(EMPTY_WORDS)).to_numpy(dtype=bool)


def describe_form(value: str, forms: tuple[tuple[str, str], ...]) -> str:
    """What a value looks like, or nothing.

    Examples
    --------
    >>> describe_form("Sep-26", DATE_FORMS), describe_form("0,8686", NUMBER_FORMS)
    ('a month with its name', 'a decimal comma')
    """
    for pattern, look in forms:
        if re.fullmatch(pattern, value.strip()):
            return look
    return ""
