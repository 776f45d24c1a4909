"""`Note`: what a reader should know; code uses its key and what it is about, never its words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Reader = Literal["officer", "lead", "analyst"]
Urgency = Literal["fix", "assumed", "known"]
"""To be put right by a person; a default in place of missing data; how the result was made."""


@dataclass(frozen=True)
class Note:
    """Something that a reader should know: a default that was used, or an approximation.

    Parameters
    ----------
    key
        Name by which code finds the note.
    text
        Its sentence.
    reader
        Who needs it most: the officer, the lead or the analyst.
    short
        In a few words, what was assumed; empty where nothing was.
    fix
        What a person can do about it: the command, or the column to fill in; empty for nothing.
    about
        Whom it concerns, as lists of `urns`, `officers` or `dates`; of a list that is not there
        it concerns all.

    Examples
    --------
    >>> Note("gate_assumed", "Gate not known.", "lead", fix="fill in gates.csv").urgency
    'fix'
    """

    key: str
    text: str
    reader: Reader = "analyst"
    short: str = ""
    fix: str = ""
    about: dict[str, list[str]] = field(default_factory=dict, hash=False)

    @property
    def urgency(self) -> Urgency:
        """Whether a person should do something, a default was used, or neither."""
        return "fix" if self.fix else "assumed" if self.short else "known"

    def is_about(self, urn: str) -> bool:
        """Whether it concerns a school, alone or among others."""
        return urn in self.about.get("urns", [urn])


def list_texts(notes: Iterable[Note]) -> list[str]:
    """Notes as sentences in their order, without duplicates."""
    return list(dict.fromkeys(note.text for note in notes))
