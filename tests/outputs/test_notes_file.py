"""`notes.txt`: all notes by who needs them, and what was left out or not met."""

import dataclasses

from patrolplan.notes import Note
from patrolplan.outputs.notes_file import format_notes, render_notes
from patrolplan.tables import LeftOutRow

NOTES = [
    Note("a", "Known."),
    Note("b", "To correct.", fix="fill in the column"),
    Note("c", "For the gate.", "officer"),
    Note("d", "Known."),
]
ROWS = [LeftOutRow("crimes", "of another force", 7), LeftOutRow("gates", "bad", 2, fix="mend it")]


def test_notes_are_grouped_and_what_needs_a_hand_is_first():
    """Officers, lead and analyst each have their own; equal sentences stand once."""
    assert list(format_notes(NOTES, ROWS)) == [
        *("", "For officers", "- For the gate."),
        *("", "For the analyst", "- To correct. To fix: fill in the column.", "- Known."),
        *("", "Left out", "- gates: 2 left out, bad. To fix: mend it."),
        "- crimes: 7 left out, of another force.",
    ]


def test_a_plan_has_every_note(demo_plan):
    """Every sentence on area, risk and patrols is there, under the marking of the cards."""
    text = " ".join(render_notes(demo_plan).decode("utf-8").split())
    assert text.startswith(f"{demo_plan.area.name}: notes OFFICIAL")
    assert all(note.text in text for note in demo_plan.risk.notes)
    own = {note.text for patrol in demo_plan.patrols for note in patrol.notes}
    assert sum(sentence in text for sentence in own) >= len(own) - 2  # the area says these of all
    assert "reports: fewer than 5 left out" in text


def test_words_of_the_data_stay_text(demo_plan):
    """A note that holds a line break cannot pretend to be another part of the file."""
    evil = Note("x", "Place\n\nFor officers\n- go home.")
    risk = dataclasses.replace(demo_plan.risk, notes=(evil,))
    lines = render_notes(dataclasses.replace(demo_plan, risk=risk)).decode("utf-8").splitlines()
    assert "- Place For officers - go home." in lines


def test_a_week_says_what_it_could_not_meet(demo_week):
    """Each school and day without a patrol is there with its reason."""
    text = " ".join(render_notes(demo_week).decode("utf-8").split())
    assert "Not met" in text
    assert all(f"No patrol: {missing}." in text for missing in demo_week.unmet)
