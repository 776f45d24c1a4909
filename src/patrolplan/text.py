"""Counts and shares in words, shortened lists and texts, and suggestions for wrong names."""

import datetime as dt
import textwrap
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def pluralise(count: int, one: str, several: str) -> str:
    """The singular or plural word for a count."""
    return one if count == 1 else several


def format_count(count: int, one: str, several: str = "") -> str:
    """A count and its word; without `several`, the plural is `one` with an s."""
    return f"{count:,} {pluralise(count, one, several or f'{one}s')}"


def capitalise(text: str) -> str:
    """The text with a capital first letter; other letters are unchanged."""
    return text[:1].upper() + text[1:]


def format_letters(number: int) -> str:
    """The letters of the number from 0 on: A to Z, AA, AB and so on, as of a sheet's columns."""
    more, last = divmod(number, 26)
    return (format_letters(more - 1) if more else "") + chr(ord("A") + last)


def format_percent(share: float, digits: int = 0) -> str:
    """A share in percent, such as "21 %"."""
    return f"{100 * share:.{digits}f} %"


def join_words(words: Sequence[str]) -> str:
    """Words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


MAX_NAMED = 5  # Maximum number of names in a message; others are only counted


def list_first(names: Sequence[str]) -> str:
    """The first few names, and how many more there are: "A, B, C, D, E and 2 more"."""
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


LONGEST_NAME = 34  # Maximum letters of a name on the map


def shorten(text: str, max_letters: int = LONGEST_NAME) -> str:
    """A name with a maximum of letters, cut after a word if enough of it remains.

    >>> shorten("Saint Somebody the Great and All Angels Primary School")
    'Saint Somebody the Great and All…'
    """
    if len(text) <= max_letters:
        return text
    cut = text[: max_letters - 1]
    word = cut.rfind(" ")
    return (cut[:word] if word > max_letters // 2 else cut).rstrip(" ,;") + "…"


def wrap_evenly(text: str, lines: int) -> str:
    r"""Text in a maximum of lines, broken at spaces so that the longest line is short.

    >>> wrap_evenly("St Joseph's Catholic Primary School", 2)
    "St Joseph's Catholic\nPrimary School"
    >>> wrap_evenly("Millfield", 3)
    'Millfield'
    """
    wrapper = textwrap.TextWrapper(break_long_words=False, break_on_hyphens=False)
    wrapper.width = max(1, -(-len(text) // lines))
    while len(wrapped := wrapper.wrap(text)) > lines:
        wrapper.width += 1
    return "\n".join(wrapped)


MAX_LISTED_ROWS = 3


def list_rows(rows: Sequence[int]) -> str:
    """Row numbers for a message: the first few, and how many more.

    >>> list_rows([4]), list_rows(range(2, 2002))
    ('row 4', 'rows 2, 3, 4 and 1,997 more')
    """
    named = ", ".join(f"{row:,}" for row in rows[:MAX_LISTED_ROWS])
    more = len(rows) - MAX_LISTED_ROWS
    return f"{pluralise(len(rows), 'row', 'rows')} {named}" + (f" and {more:,} more" * (more > 0))


def find_similar(name: str, *groups: Iterable[str]) -> str | None:
    """The most similar name, from the first group that has a similar one."""
    for group in groups:
        if similar := get_close_matches(name, list(group), n=1, cutoff=0.6):
            return similar[0]
    return None


def pick_fields(record: object, *names: str) -> dict[str, object]:
    """Some fields of a record for JSON: days as text, sequences as lists."""
    return {name: _format_field(getattr(record, name)) for name in names}


def _format_field(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    return [*value] if isinstance(value, tuple) else value
