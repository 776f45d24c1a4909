"""Counts in words whose number is right: one school has, two schools have.

Text cut to a number of letters, with an ellipsis, so that papers keep their form.
"""

import re


def pluralise(count: int, one: str, several: str) -> str:
    """The word that goes with a count."""
    return one if count == 1 else several


def format_count(count: int, one: str, several: str = "") -> str:
    """So many of a thing.

    Parameters
    ----------
    count
        How many.
    one, several
        Words for one of it and for more or none; without `several`, `one` takes an s.

    Examples
    --------
    >>> format_count(1, "patrol"), format_count(0, "patrol"), format_count(1200, "category",
    "categories") ('1 patrol', '0 patrols', '1,200 categories')
    """
    return f"{count:,} {pluralise(count, one, several or f'{one}s')}"


def capitalise(text: str) -> str:
    """The text with a capital first letter; the others stay as they are."""
    return text[:1].upper() + text[1:]


LONGEST_NAME = 34
"""Letters of a name on the map."""

MIN_REASON_LETTERS = 30
"""Letters of a reason that always stand."""

TASKING_PATTERN = re.compile(r"(.*) \(asked by (.*), until (.*)\)", re.DOTALL)
"""See `patrolplan.patrols.school_problem.said`."""


def shorten(text: str, max_letters: int = LONGEST_NAME) -> str:
    """A name with no more than so many letters, cut at a word where that leaves enough of it.

    Examples
    --------
    >>> shorten("Saint Somebody the Great and All Angels Primary School")
    'Saint Somebody the Great and All…'
    """
    if len(text) <= max_letters:
        return text
    cut = text[: max_letters - 1]
    word = cut.rfind(" ")
    return (cut[:word] if word > max_letters // 2 else cut).rstrip(" ,;") + "…"


def shorten_tasking(text: str, max_letters: int) -> str:
    """What intelligence asks for, cut in its reason: who asks, and until when, stay.

    Examples
    --------
    >>> text = "Robberies at the bus station, all week (asked by A, until 4 May 2026)"
    >>> shorten_tasking(text, 60)
    'Robberies at the bus… (asked by A, until 4 May 2026)'
    """
    told = TASKING_PATTERN.fullmatch(text)
    if told is None or len(text) <= max_letters:
        return shorten(text, max_letters)
    reason, by, until = told.groups()
    end = f" (asked by {shorten(by)}, until {until})"
    return shorten(reason, max(max_letters - len(end), MIN_REASON_LETTERS)) + end
