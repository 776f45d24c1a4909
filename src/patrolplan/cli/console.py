"""What commands print: progress on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

import patrolplan as pp
from patrolplan.cli.failures import log_line
from patrolplan.text import format_percent
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from patrolplan.patrols.posts import Post
    from patrolplan.tables import LeftOutRow

stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
stdout = Console(highlight=False, markup=False)


@contextmanager
def report_stage(stage: str) -> Iterator[None]:
    """Print the current stage, and how long it took."""
    start = time.perf_counter()
    announce(f"{stage} ...")
    yield
    announce(f"{stage}: {time.perf_counter() - start:.1f} s")


def announce(line: str) -> None:
    """Print a line about the run on standard error, and log it."""
    stderr.print(line)
    log_line(line)


@contextmanager
def show_progress_bar() -> Iterator[Callable[..., None]]:
    """A progress bar with the remaining time, and the function that updates it.

    The function is called with the stage, the number done, the total, and optionally the next item.
    Each stage has its own row.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    stage_column = TextColumn("{task.description}", markup=False)
    left = (TimeRemainingColumn(compact=True), TextColumn("left", style="progress.remaining"))
    columns = (stage_column, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *left)
    with Progress(*columns, console=stderr) as progress:
        tasks = {}

        def report(stage: str, done: int, total: int, detail: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage)
            text = f"{stage} {detail}" if detail else stage
            progress.update(tasks[stage], description=text, completed=done, total=total)

        yield report


def print_table(*headings: str, rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    """Print rows of text below their headings."""
    table = Table(*headings, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    stdout.print(table)


def print_left_out(rows: Sequence[LeftOutRow], notes: Iterable[pp.Note]) -> None:
    """Print what was left out, and what was assumed."""
    from patrolplan.outputs.note_words import describe_notes
    from patrolplan.tables import list_left_out

    if rows:
        cells = ((row["source"], row["count"], row["reason"]) for row in list_left_out(rows))
        print_table("left out", "how many", "why", rows=cells)
    print_notes(describe_notes(notes))


def print_notes(notes: Iterable[str]) -> None:
    """Print a line for each note."""
    for note in notes:
        stdout.print(f"note: {note}")


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences as they are, without breaking them."""
    for line in lines:
        stdout.print(line, soft_wrap=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON object and nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()  # the board runs on, and its starter waits for the address


def print_written_to(out: Path | None, layer: str = "") -> None:
    """Print the folder that was written, if any, and the layer in it."""
    if out is not None:
        opened = f": {out / layer}, which QGIS opens with its style" if layer else ""
        stdout.print(f"Written to {out}{opened}", soft_wrap=True)


def print_patrols(plan: pp.Plan, out: Path) -> None:
    """Print a line for each patrol, and what was written."""
    from patrolplan.outputs.papers import PLAN_PAPERS, list_papers
    from patrolplan.outputs.wording import format_reference_ratio

    rows = []
    for patrol in plan.patrols:
        times = format_reference_ratio(patrol)
        good = f"{times} times the gate" if times else ""
        good = good if patrol.kind == "patrol" else "gate: nothing better"
        hours = f"{format_time(patrol.start_minutes)}-{format_time(patrol.end_minutes)}"
        rows.append((patrol.urn, patrol.school, hours, str(len(patrol.stops)), good))
    print_table("URN", "school", "patrol", "stops", "how good", rows=rows)
    if plan.posts:
        print_posts(plan.posts)
    stdout.print(f"Written to {out}:")
    for name, what in list_papers(PLAN_PAPERS).items():
        stdout.print(f"  {out / name}  {what}")


def print_posts(posts: Sequence[Post]) -> None:
    """Print where adults stand after the bell, and how many of the pupils they meet."""
    from patrolplan.patrols.file_forms import round_share

    rows = [
        (
            *(post.urn, post.place, format_time(post.start_minutes), format_time(post.end_minutes)),
            format_percent(round_share(post.pupil_share)),
        )
        for post in posts
    ]
    print_table("URN", "post", "from", "to", "pupils met so far", rows=rows)
    stdout.print(
        "Each post adds most to those before it, pupils weighted by risk; "
        "shares are of pupils' minutes on the way home."
    )


def print_week(week: pp.Week) -> None:
    """Print who patrols where and when, its quality, and what could not be met."""
    from patrolplan.outputs.facts import name_feared_places
    from patrolplan.outputs.note_words import describe_notes
    from patrolplan.outputs.wording import format_route_name
    from patrolplan.team.week import format_day

    rows = []
    for duty in week.duties:
        hours = f"{format_time(duty.start_minutes)}-{format_time(duty.end_minutes)}"
        cells = (format_day(duty.date), duty.officer, hours, duty.urn, duty.patrol.school)
        rows.append((*cells, format_route_name(duty.variant)))
    print_table("day", "officer", "patrol", "URN", "school", "route", rows=rows)
    good = "best possible" if week.status == "optimal" else f"within {week.gap_percent:.2f} %"
    if week.draw is not None:
        good = f"{week.give_percent:.1f} % less than the best week found, which is {good}"
    stdout.print(f"Worth {week.worth:.4f}, {good}.")
    if week.draw is not None and week.draw.commitment:
        which = f"Draw number {week.draw.number}, commitment {week.draw.commitment}."
        stdout.print(which, soft_wrap=True)
    if week.foreseen is not None:
        share = format_percent(week.foreseen.with_locks)
        stdout.print(f"An insider without the secret could name {share} of the visits beforehand.")
    for missing in week.unmet:
        stdout.print(f"no patrol: {missing}")
    names = name_feared_places(week.plan.area)
    for demand in week.demands:
        if demand.why is not None:
            feared = f"pupils feel unsafe {names[demand.place]}: " if demand.place in names else ""
            day = feared if demand.date is None else f"{format_day(demand.date)}: "
            stdout.print(f"no visit: {day}{demand.why.tell_lead()}.", soft_wrap=True)
    print_notes(describe_notes(week.notes))
