"""What the papers' typeface can show, and what stands for the rest."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography.fonts import (
    UNKNOWN_MARK_NOTE,
    list_characters,
    make_printable,
    typeset,
)

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


def test_papers_of_two_threads_and_two_folders_are_as_those_of_one(tmp_path):
    """Each thread has typst for itself, and reads the template of each folder."""
    names = [f"folder-{number}" for number in range(6)]
    for name in names:
        (tmp_path / name).mkdir()
        template = f"#json(bytes(sys.inputs.data)).word {name}"
        (tmp_path / name / "paper.typ").write_text(template, encoding="utf-8")

    def write(name):
        return typeset(tmp_path / name, "paper.typ", {"word": name})

    one_by_one = [write(name) for name in names]
    assert len(set(one_by_one)) == len(names)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(write, 4 * names)) == 4 * one_by_one
