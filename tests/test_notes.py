"""Notes: how urgent they are, whom they concern, and that each is said once, as a sentence."""

import ast
from pathlib import Path

import pytest

import patrolplan
from patrolplan.notes import Note, list_texts

SOURCE = Path(patrolplan.__file__).parent


@pytest.mark.parametrize(
    ("given", "urgency"),
    [
        ({}, "known"),
        ({"short": "homes not known"}, "assumed"),
        ({"short": "bell assumed", "fix": "give the bell"}, "fix"),
    ],
)
def test_urgency(given, urgency):
    """What a person can put right comes before what was assumed, and that before the rest."""
    assert Note("key", "Text.", **given).urgency == urgency


def test_a_note_concerns_the_schools_that_it_names_or_all():
    """A plan for one school takes the notes about it and those about all."""
    some = Note("key", "Text.", about={"urns": ["1", "2"]})
    assert [some.is_about("2"), some.is_about("3"), Note("key", "Text.").is_about("3")] == [
        True,
        False,
        True,
    ]


def test_equal_sentences_are_listed_once():
    """The same sentence from two places is one line, in the order of the first."""
    assert list_texts([Note("a", "One."), Note("b", "Two."), Note("c", "One.")]) == ["One.", "Two."]


def test_each_key_stands_at_one_place():
    """A note is declared once: two sentences never share a key by accident."""
    keys = [
        (node.args[0].value, path.name)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note"
        if isinstance(node.args[0], ast.Constant)
    ]
    assert len(keys) > 60
    assert len(dict(keys)) == len(set(keys))
