"""The fixed lists of a survey in the words of an eleven-year-old, the same on screen and paper.

Every value of `patrolplan.privacy.FACTORS` has words, and each list ends with a value that is not
counted: a pupil need not know, and need not answer.
"""

from dataclasses import dataclass
from typing import Literal

from patrolplan.privacy import FACTORS

Column = Literal["time_band", "place_factor", "behaviour_factor"]


@dataclass(frozen=True)
class Choice:
    """One answer: its value in the files, and its words."""

    value: str
    words: str


@dataclass(frozen=True)
class Question:
    """A question with a fixed list of answers, for one column of the files."""

    column: Column
    words: str
    choices: tuple[Choice, ...]


QUESTIONS = (
    Question(
        "time_band",
        "When do you not feel safe here?",
        (
            Choice("before_school", "On the way to school"),
            Choice("lunch", "At lunch time"),
            Choice("after_school", "After school"),
            Choice("evening", "In the evening"),
            Choice("unknown", "Different times, or not sure"),
        ),
    ),
    Question(
        "place_factor",
        "What about the place?",
        (
            Choice("poor_lighting", "It is dark, with few lights"),
            Choice("isolated", "Hardly anyone is around"),
            Choice("overgrown", "Bushes or trees block the view"),
            Choice("litter_or_damage", "Litter, or things are broken"),
            Choice("blocked_pavement", "The pavement is blocked"),
            Choice("none", "None of these, or not sure"),
        ),
    ),
    Question(
        "behaviour_factor",
        "What about people?",
        (
            Choice("groups_loitering", "Groups hang around"),
            Choice("followed", "People follow you"),
            Choice("verbal_abuse", "People shout or say nasty things"),
            Choice("robbery_or_threat", "People rob or threaten others"),
            Choice("drug_use", "People use or sell drugs"),
            Choice("traffic", "Cars, bikes or scooters go too fast"),
            Choice("none", "None of these, or not sure"),
        ),
    ),
)
"""In the order in which a pupil gets them."""


def list_counted_choices(question: Question) -> tuple[Choice, ...]:
    """The answers that are counted: all but the last, which means no stroke on paper."""
    return question.choices[:-1]


for _question in QUESTIONS:  # no value may be without words, and no words without a value
    if tuple(choice.value for choice in _question.choices[:-1]) != FACTORS[_question.column]:
        _message = f"the words of {_question.column} do not match its values"
        raise AssertionError(_message)
