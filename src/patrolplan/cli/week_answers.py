"""The output of `week`: the week, the changes of a repair, and the paths of papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patrolplan.cli import console
from patrolplan.outputs.papers import WEEK_PAPERS, list_papers
from patrolplan.text import pick_fields

if TYPE_CHECKING:
    from pathlib import Path

    from patrolplan.team.repair import Change, Repair
    from patrolplan.team.week import Week


def print_result(week: Week, repair: Repair | None, out: Path | None) -> None:
    """Print the week, the changes in it, and the paths of its papers."""
    console.print_week(week)
    if repair is not None:
        _print_repair(repair)
    if out is None:
        console.stderr.print("Nothing was written: --out FOLDER writes the papers of this week.")
        return
    console.print_written_to(out)
    for name, what in list_papers(WEEK_PAPERS).items():
        if (out / name).exists():
            console.stdout.print(f"  {out / name}  {what}", soft_wrap=True)


def _print_repair(repair: Repair) -> None:
    """Print which cards are withdrawn or new."""
    for change in repair.changes:
        console.stdout.print(f"change: {change}", soft_wrap=True)
    if not repair.changes:
        console.stdout.print("change: none; every card stays as it is")


def build_repair_document(repair: Repair) -> dict[str, Any]:
    """The changes of a repair, for other programs."""
    return {"changes": [_change_document(change) for change in repair.changes]}


def _change_document(change: Change) -> dict[str, Any]:
    """A change of a card, for other programs."""
    duty = change.duty
    named = pick_fields(duty, "officer", "urn", "date", "variant")
    return {"kind": change.kind, **named, "number": duty.patrol.number}
