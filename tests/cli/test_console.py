"""What a person at the terminal reads."""

import dataclasses
import io

import pytest
from rich.console import Console

from patrolplan.cli import console
from patrolplan.patrols.plan import Reference


@pytest.fixture
def printed(monkeypatch):
    """A wide terminal; returns a function that reads what was printed."""
    terminal = Console(file=io.StringIO(), width=250, highlight=False, markup=False)
    monkeypatch.setattr(console, "stdout", terminal)
    return terminal.file.getvalue


def test_a_patrol_without_a_stop_is_called_presence_at_the_gate(demo_plan, tmp_path, printed):
    """Where no place can be reached, the table says so; others are compared with the gate."""
    one = demo_plan.patrols[1]
    alone = dataclasses.replace(one, kind="gate", urn="900000", stops=(), legs=(), reference=None)
    better = dataclasses.replace(one, kind="patrol", reference=Reference(1.71, 0.9))
    plan = dataclasses.replace(demo_plan, patrols=(alone, better))
    console.print_patrols(plan, tmp_path)
    first, second = (line for line in printed().splitlines() if "9000" in line)
    assert "gate: nothing better" in first
    assert "1.7 times the gate" in second
