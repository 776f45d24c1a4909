"""What the papers' typeface can show, and what stands for the rest."""

import dataclasses

import pytest

from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography.fonts import UNKNOWN_MARK_NOTE, list_characters, make_printable

ARABIC = "\u0645\u062f\u0631\u0633\u0629 \u0627\u0644\u0646\u0648\u0631"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("École Søn", "École Søn"),
        (f"Al-Noor {ARABIC}", "Al-Noor [?]"),
        (f"{ARABIC} Mill {ARABIC}", "[?] Mill [?]"),
        ("Mill \U0001f3eb\U0001f3eb School", "Mill [?] School"),
    ],
)
def test_words_of_unknown_letters_become_one_plain_mark(text, shown):
    """However many letters the typeface lacks in a row, one mark of plain signs stands for them."""
    assert make_printable(text) == shown
    assert {ord(letter) for letter in shown} <= list_characters()


def test_the_card_says_once_what_the_mark_stands_for(demo_plan):
    """A card with a name that cannot be printed explains its mark in one line, others do not."""
    patrol = demo_plan.patrols[0]
    assert UNKNOWN_MARK_NOTE not in build_card_data(demo_plan, patrol, "x")["basis"]
    strange = dataclasses.replace(patrol, school=f"Mill School {ARABIC}")
    data = build_card_data(demo_plan, strange, "x")
    assert data["school"] == "Mill School [?]"
    assert data["basis"].count(UNKNOWN_MARK_NOTE) == 1
