"""What a person at the terminal reads."""

import dataclasses
import io

import pytest
from rich.console import Console

from patrolplan.cli import console
from patrolplan.notes import Note
from patrolplan.patrols.plan import Reference
from patrolplan.tables import LeftOutRow


@pytest.fixture
def printed(monkeypatch):
    """A wide terminal; returns a function that reads what was printed."""
    terminal = Console(file=io.StringIO(), width=250, highlight=False, markup=False)
    monkeypatch.setattr(console, "stdout", terminal)
    return terminal.file.getvalue


def test_a_patrol_without_a_stop_is_called_presence_at_the_gate(demo_plan, tmp_path, printed):
    """Where no place can be reached, the row says so; others are compared with the gate."""
    one = demo_plan.patrols[1]
    alone = dataclasses.replace(one, kind="gate", urn="900000", stops=(), legs=(), reference=None)
    better = dataclasses.replace(one, kind="patrol", reference=Reference(1.71, 0.9))
    plan = dataclasses.replace(demo_plan, patrols=(alone, better))
    console.print_patrols(plan, tmp_path)
    first, second = (line for line in printed().splitlines() if line.startswith("9000"))
    assert first.split()[-2:] == ["-", "gate"]
    assert " 1.7 " in second


@pytest.mark.slow
def test_a_week_has_a_row_for_each_school(demo_week, printed):
    """Under each day stands who goes there; what was not met is counted."""
    console.print_week(demo_week)
    lines = printed().splitlines()
    rows = [line.split() for line in lines if line.startswith("9000")]
    assert [row[0] for row in rows] == sorted({duty.urn for duty in demo_week.duties})
    people = [name for row in rows for name in row[-5:] if name != "-"]
    assert sorted(people) == sorted(duty.officer for duty in demo_week.duties)
    assert any(line.startswith(f"Not met: {len(demo_week.unmet)} school days") for line in lines)
    assert len(lines) <= console.MAX_LINES


def test_long_weeks_are_cut_and_notes_have_all(demo_week, printed):
    """A week with more rows than a screen says how many more; `--notes` prints them."""
    several = [
        dataclasses.replace(duty, urn=f"{duty.urn}-{copy}")
        for copy in range(4)
        for duty in demo_week.duties
    ]
    week = dataclasses.replace(demo_week, duties=tuple(several))
    console.print_week(week)
    short = printed().splitlines()
    assert len(short) <= console.MAX_LINES
    assert any(line.endswith("more rows: --notes") for line in short)
    console.print_week(week, is_whole=True)
    assert len({line for line in printed().splitlines() if line.startswith("9000")}) == 4 * len(
        {duty.urn for duty in demo_week.duties}
    )


NOTES = [
    Note("a", "A.", fix="take wider streets"),
    Note("b", "B.", "lead", fix="give the bell", about={"urns": ["1"]}),
    Note("c", "C.", short="homes", about={"urns": ["1"]}),
    Note("d", "D.", short="hours"),
    Note("e", "E."),
]
SLIPS = [LeftOutRow("reports", "swapped", 3, 5, fix="swap them"), LeftOutRow("crimes", "BTP", 7)]


def test_what_needs_a_hand_comes_first():
    """The lead's tasks, then the analyst's, then rows to correct; what is merely known is not."""
    assert console.list_tasks(NOTES, SLIPS) == [
        "To fix (3):",
        "  Give the bell",
        "  Take wider streets",
        "  Correct the reports that were left out: fewer than 5 swapped",
        "Assumed:",
        "  homes; hours",
    ]


def test_a_plan_for_one_school_has_its_own_notes():
    """Notes about other schools are left out; what concerns some of several names them."""
    assert console.list_tasks(NOTES, [], ["2"])[-3:] == [
        "  Take wider streets",
        "Assumed:",
        "  hours",
    ]
    assert console.list_tasks(NOTES, [], ["1", "2"])[-1] == "  homes (URN 1); hours"
