"""Text cut to a number of letters, with an ellipsis, so that papers keep their form."""

import re

LONGEST_NAME = 34
"""Letters of a name on the map."""

LEAST_REASON = 30
"""Letters of a reason that always stand."""

TASKING = re.compile(r"(.*) \(asked by (.*), until (.*)\)", re.DOTALL)
"""See `patrolplan.patrols.case.said`."""


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
