"""Counts in words whose number is right: one school has, two schools have.

Text cut to a number of letters, with an ellipsis, so that papers keep their form.
"""

import re


def agreeing(count: int, one: str, several: str) -> str:
    """The word that goes with a count."""
    return one if count == 1 else several


def counted(count: int, one: str, several: str = "") -> str:
    """So many of a thing.

    Parameters
    ----------
    count
        How many.
    one, several
        Words for one of it and for more or none; without `several`, `one` takes an s.

    Examples
    --------
    >>> counted(1, "patrol"), counted(0, "patrol"), counted(1200, "category", "categories")
    ('1 patrol', '0 patrols', '1,200 categories')
    """
    return f"{count:,} {agreeing(count, one, several or f'{one}s')}"


LONGEST_NAME = 34
"""Letters of a name on the map."""

LEAST_REASON = 30
"""Letters of a reason that always stand."""

TASKING = re.compile(r"(.*) \(asked by (.*), until (.*)\)", re.DOTALL)
"""See `patrolplan.patrols.school_problem.said`."""


def shortened(text: str, letters: int = LONGEST_NAME) -> str:
    """A name with no more than so many letters, cut at a word where that leaves enough of it.

    Examples
    --------
    >>> shortened("Saint Somebody the Great and All Angels Primary School")
    'Saint Somebody the Great and All…'
    """
    if len(text) <= letters:
        return text
    cut = text[: letters - 1]
    word = cut.rfind(" ")
    return (cut[:word] if word > letters // 2 else cut).rstrip(" ,;") + "…"


def shortened_tasking(text: str, letters: int) -> str:
    """What intelligence asks for, cut in its reason: who asks, and until when, stay.

    Examples
    --------
    >>> text = "Robberies at the bus station, all week (asked by A, until 4 May 2026)"
    >>> shortened_tasking(text, 60)
    'Robberies at the bus… (asked by A, until 4 May 2026)'
    """
    told = TASKING.fullmatch(text)
    if told is None or len(text) <= letters:
        return shortened(text, letters)
    reason, by, until = told.groups()
    end = f" (asked by {shortened(by)}, until {until})"
    return shortened(reason, max(letters - len(end), LEAST_REASON)) + end
