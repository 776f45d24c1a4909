"""What a person at the terminal reads."""

from dataclasses import replace
from itertools import product

from patrolplan.cli import console
from patrolplan.notes import Note
from patrolplan.patrols.plan import Reference
from patrolplan.tables import LeftOutRow

NOTES = [Note("a", "A.", fix="take wider streets")]
NOTES += [Note("b", "B.", "lead", fix="give the bell", about={"urns": ["1"]})]
NOTES += [Note("c", "C.", short="homes", about={"urns": ["1"]}), Note("d", "D.", short="hours")]
NOTES += [Note("e", "E.")]
SLIPS = [LeftOutRow("reports", "swapped", 3, 5, fix="swap them"), LeftOutRow("crimes", "BTP", 7)]


def test_a_patrol_without_a_stop_is_called_presence_at_the_gate(demo_plan, tmp_path):
    """Where no place can be reached, the row says so; others are compared with the gate."""
    one = demo_plan.patrols[1]
    alone = replace(one, kind="gate", urn="900000", stops=(), legs=(), reference=None)
    better = replace(one, kind="patrol", reference=Reference(1.71, 0.9))
    plan = replace(demo_plan, patrols=(alone, better))
    lines = console.list_patrols(plan, tmp_path)
    first, second = (line for line in lines if line.startswith("9000"))
    assert first.split()[-2:] == ["-", "gate"]
    assert " 1.7 " in second


def test_a_week_has_a_row_for_each_school_and_long_ones_are_cut(demo_week):
    """Under each day stands who goes there; of more rows than a screen it is said how many."""
    lines = console.list_week(demo_week)
    rows = [line.split() for line in lines if line.startswith("9000")]
    people = [name for row in rows for name in row[-5:] if name != "-"]
    assert sorted(people) == sorted(duty.officer for duty in demo_week.duties)
    pairs = product(range(4), demo_week.duties)
    several = (replace(duty, urn=f"{duty.urn}-{number}") for number, duty in pairs)
    week = replace(demo_week, duties=tuple(several))
    short = console.list_week(week)
    assert max(len(lines), len(short)) <= console.MAX_LINES
    assert any(line.endswith("more rows: --notes") for line in short)
    whole = console.list_week(week, is_whole=True)
    assert len([line for line in whole if line.startswith("9000")]) == 4 * len(rows)


def test_what_needs_a_hand_comes_first():
    """The lead's tasks, the analyst's, rows to correct; a school's plan has its own notes alone."""
    assert console.list_tasks(NOTES, SLIPS) == [
        "To fix (3):",
        "  Give the bell",
        "  Take wider streets",
        "  Correct the reports that were left out: fewer than 5 swapped",
        "Assumed:",
        "  homes; hours",
    ]
    lines = console.list_tasks(NOTES, [], ["2"])
    assert lines[-3:] == ["  Take wider streets", "Assumed:", "  hours"]
    assert console.list_tasks(NOTES, [], ["1", "2"])[-1] == "  homes (URN 1); hours"
