"""What a person sees at the terminal: stages on standard error, tables on standard output."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from patrolplan.tables import list_left_out
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from patrolplan.patrols.plan import Plan
    from patrolplan.tables import LeftOutRow
    from patrolplan.team.week import Week


stderr_console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
stdout_console = Console(highlight=False, markup=False)


@contextmanager
def report_stage(what: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    begun = time.perf_counter()
    stderr_console.print(f"{what} ...")
    yield
    stderr_console.print(f"{what}: {time.perf_counter() - begun:.1f} s")


@contextmanager
def show_progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar with the time left; call it with a label, the number done and the total."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    label = TextColumn("{task.description}", markup=False)
    remaining = (TimeRemainingColumn(compact=True), TextColumn("left", style="progress.remaining"))
    columns = (label, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *remaining)
    with Progress(*columns, console=stderr_console) as progress:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            row = what.partition(" of 20")[0]  # months share a row
            if row not in tasks:
                tasks[row] = progress.add_task(what)
            progress.update(tasks[row], description=what, completed=done, total=total)

        yield report


def print_left_out(rows: Sequence[LeftOutRow], notes: Sequence[str]) -> None:
    """Print what was left out, and what was assumed."""
    if rows:
        table = Table("left out", "how many", "why")
        for row in list_left_out(rows):
            table.add_row(row["source"], row["count"], row["reason"])
        stdout_console.print(table)
    for note in notes:
        stdout_console.print(f"note: {note}")


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON object and nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()  # the board keeps running, and its caller waits for the address


def print_written_to(out: Path | None) -> None:
    """Name the folder that was written, if one was."""
    if out is not None:
        stdout_console.print(f"Written to {out}")


def print_patrols(plan: Plan, out: Path) -> None:
    """Print a line for each patrol, and what was written."""
    table = Table("URN", "school", "patrol", "stops", "share of risk", "how good")
    for patrol in plan.patrols:
        good = "best possible" if patrol.proven else f"within {patrol.gap_percent:.1f} %"
        good = good if patrol.stops else "gate alone: no priority street within reach"
        hours = f"{format_time(patrol.start_minutes)}-{format_time(patrol.end_minutes)}"
        stops = str(len(patrol.stops))
        table.add_row(patrol.urn, patrol.school, hours, stops, f"{patrol.worth:.1%}", good)
    stdout_console.print(table)
    stdout_console.print(f"Written to {out}:")
    for name, what in (
        ("cards.pdf", "print: one A4 card a patrol (each one in cards/)"),
        ("map.html", "open in any browser, on a phone too; needs no network"),
        ("gpx/", "routes for a navigation app"),
        ("plan.gpkg", "layers for QGIS"),
    ):
        stdout_console.print(f"  {out / name}  {what}")


def print_week(week: Week) -> None:
    """Print who patrols where and when, how good that is, and what could not be met."""
    from patrolplan.outputs.wording import format_route_name
    from patrolplan.team.week import format_day

    table = Table("day", "officer", "patrol", "URN", "school", "route")
    for duty in week.duties:
        hours = f"{format_time(duty.start_minutes)}-{format_time(duty.end_minutes)}"
        who = (format_day(duty.date), duty.officer, hours, duty.urn, duty.patrol.school)
        table.add_row(*who, format_route_name(duty.variant))
    stdout_console.print(table)
    good = "best possible" if week.status == "optimal" else f"within {week.gap_percent:.2f} %"
    stdout_console.print(f"Worth {week.worth:.4f}, {good}.")
    for missing in week.unmet:
        stdout_console.print(f"not met: {missing}")
    for note in week.notes:
        stdout_console.print(f"note: {note}")
