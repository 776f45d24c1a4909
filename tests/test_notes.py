"""Notes as data: their kinds, their values, and that every kind has words."""

import datetime as dt
from typing import get_args

import pytest

from patrolplan.notes import NOTE_VALUES, Note, NoteKind
from patrolplan.outputs.note_words import SENTENCES, describe_note

SAMPLES = {str: "Text", int: 3, float: 7.5, list[str]: ["one", "two"], list[float]: [0.25, 0.5]}


def _sample(kind, **changes):
    values = {name: SAMPLES[what] for name, what in NOTE_VALUES[kind].items()}
    day = dt.date(2026, 12, 2)
    values |= {name: f"{day}" for name in values if name == "date"}
    values |= {name: [f"{day}"] for name in values if name == "dates"}
    return Note(kind, values | changes)


def test_every_kind_has_values_and_words():
    """A kind that is added is declared with its values and given a sentence."""
    assert set(NOTE_VALUES) == set(get_args(NoteKind)) == set(SENTENCES)


@pytest.mark.parametrize("kind", NOTE_VALUES)
def test_every_kind_is_a_sentence_with_its_values(kind):
    """Each kind's sentence names every text and list that the note holds, and no braces remain."""
    text = describe_note(_sample(kind))
    assert "{" not in text
    assert text.endswith((".", "?"))
    for what in NOTE_VALUES[kind].values():
        if what is str and kind not in {"officer_away", "other_mode"}:
            assert "Text" in text
        if what == list[str]:
            assert "two" in text


@pytest.mark.parametrize("kind", [kind for kind, values in NOTE_VALUES.items() if values])
def test_a_note_with_other_values_is_refused(kind):
    """A value that is missing, unknown or of another type is an error where the note is made."""
    good = _sample(kind)
    name = next(iter(NOTE_VALUES[kind]))
    less = {key: value for key, value in good.values.items() if key != name}
    for values in (less, {**less, name: None}, {**less, name: {}}, {**less, "other": 1}):
        with pytest.raises(ValueError, match=f"'{kind}' has other values"):
            Note(kind, values)
