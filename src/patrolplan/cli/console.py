"""What commands print: progress on standard error, results on standard output."""

from __future__ import annotations

import json
import re
import sys
import textwrap
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.table import Table

import patrolplan as pp
from patrolplan.cli.failures import log_line
from patrolplan.text import capitalise, format_count, format_percent, list_first, shorten
from patrolplan.times import format_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from patrolplan.outputs.papers import Paper
    from patrolplan.patrols.posts import Post
    from patrolplan.tables import LeftOutRow

stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
stdout = Console(highlight=False, markup=False)


WIDTH, MAX_FIXES, MAX_ASSUMED, MAX_LINES = 100, 4, 3, 30
"""Letters a line, and the most lines for what to fix, for what was assumed, and in all."""


MAX_VISITS, MAX_PAPER_LINES = 2, 3
"""Visits not made that are said of a week, and lines that name its papers."""


class _Progress:
    """The line of the stage that runs; on a terminal the next stage takes its place."""

    is_last = False


@contextmanager
def report_stage(stage: str) -> Iterator[None]:
    """Say the current stage, and how long it took."""
    start = time.perf_counter()
    _say_stage(f"{stage} ...")
    yield
    _say_stage(f"{stage}: {time.perf_counter() - start:.1f} s")


def _say_stage(line: str) -> None:
    if _Progress.is_last and stderr.is_terminal:
        stderr.control(Control.move(0, -1), Control((ControlType.ERASE_IN_LINE, 2)))
    announce(line)
    _Progress.is_last = True


def announce(line: str) -> None:
    """Print a line about the run on standard error, and log it."""
    _Progress.is_last = False
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
    with Progress(*columns, console=stderr, transient=True) as progress:
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


def list_tasks(
    notes: Sequence[pp.Note], rows: Sequence[LeftOutRow], urns: Sequence[str] = ()
) -> list[str]:
    """Lines on what a person should fix and on what was assumed, of some schools or all."""
    own = [one for one in notes if not urns or any(map(one.is_about, urns))]
    fixes = [row.reason for row in rows if row.urn]
    own.sort(key=lambda note: note.reader == "analyst")
    fixes += dict.fromkeys(note.fix for note in own if note.fix)
    slips = [row for row in rows if row.fix]
    for source in dict.fromkeys(row.source for row in slips):
        named = (f"{row.count_text} {row.reason}" for row in slips if row.source == source)
        fixes.append(f"correct the {source} that were left out: {', '.join(named)}")
    lines = [f"To fix ({len(fixes)}):"] if fixes else []
    plain = [capitalise(" ".join(one.split())) for one in fixes[:MAX_FIXES]]
    lines += [f"  {shorten(one, WIDTH - 2)}" for one in plain]
    assumed = dict.fromkeys(_name_assumed(one, urns) for one in own if one.urgency == "assumed")
    wrapped = textwrap.wrap("; ".join(assumed), WIDTH - 2)
    lines += ["Assumed:"] if wrapped else []
    return [*lines, *(f"  {line}" for line in wrapped[:MAX_ASSUMED])]


def _name_assumed(note: pp.Note, urns: Sequence[str]) -> str:
    """What was assumed, with the schools where it is not all."""
    some = [urn for urn in note.about.get("urns", ()) if urn in urns]
    where = "" if not some or len(some) == len(urns) else f" (URN {list_first(some)})"
    return f"{note.short}{where}"


def list_written(out: Path, papers: tuple[Paper, ...]) -> list[str]:
    """The papers in a folder and what each is for, in as few words as possible."""
    from patrolplan.outputs.papers import list_papers

    told = [
        f"{name} ({re.split('[,:;]', about)[0]})"
        for name, about in list_papers(papers).items()
        if (out / name).exists()
    ]
    return textwrap.wrap(f"Written to {out}: {', '.join(told)}.", WIDTH, break_long_words=False)


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


def print_all(
    notes: Iterable[pp.Note], rows: Sequence[LeftOutRow], title: str = "", more: Sequence[str] = ()
) -> None:
    """Print every note by who needs it, what was left out, and more sentences under a title."""
    from patrolplan.outputs.notes_file import format_notes, format_part

    print_lines([*format_notes(notes, rows), *format_part(title, more)])


def print_written_to(out: Path | None, layer: str = "") -> None:
    """Print the folder that was written, if any, and the layer in it."""
    if out is not None:
        opened = f": {out / layer}, which QGIS opens with its style" if layer else ""
        stdout.print(f"Written to {out}{opened}", soft_wrap=True)


def print_patrols(plan: pp.Plan, out: Path) -> None:
    """Print a line for each patrol, what to fix, what was assumed, and where the papers are."""
    from patrolplan.outputs.notes_file import collect_plan_notes
    from patrolplan.outputs.papers import PLAN_PAPERS
    from patrolplan.outputs.wording import NOTHING_STANDS_OUT, format_reference_ratio

    lines = [] if plan.hotspots["stands_out"].any() else [NOTHING_STANDS_OUT]
    lines.append(_align("URN", "school", "from", "to", "x gate", "places"))
    for patrol in plan.patrols:
        times = format_reference_ratio(patrol)
        good = times if patrol.kind == "patrol" else "-"
        hours = format_time(patrol.start_minutes), format_time(patrol.end_minutes)
        streets = [stop.street or stop.place for stop in patrol.stops if stop.kind != "gate"]
        places = ", ".join(dict.fromkeys(streets)) or "gate"
        lines.append(_align(patrol.urn, patrol.school, *hours, good, places))
    print_lines(lines)
    if plan.posts:
        print_posts(plan.posts)
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    tasks = list_tasks(collect_plan_notes(plan), plan.left_out, urns)
    print_lines([*tasks, *list_written(out, PLAN_PAPERS)])


COLUMNS = (8, 36, 7, 7, 8)
"""Widths of the columns of patrols; places have the rest."""


def _align(*cells: str) -> str:
    """A row of the table of patrols, cut to the width of a line."""
    *first, places = cells
    row = "".join(
        f"{shorten(cell, width - 2):{width}}" for cell, width in zip(first, COLUMNS, strict=True)
    )
    return f"{row}{shorten(places, WIDTH - len(row))}"


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


def print_week(week: pp.Week, changes: Sequence[str] = (), *, is_whole: bool = False) -> None:
    """Print who patrols each school on which day, its quality, and what needs a hand.

    Unless `is_whole`, rows and sentences that would fill more than a screen are only counted.
    """
    from patrolplan.outputs.notes_file import describe_want

    good = "best possible" if week.status == "optimal" else f"within {week.gap_percent:.2f} %"
    if week.draw is not None:
        good = f"{week.give_percent:.1f} % less than the best week found, which is {good}"
    after = [f"Worth {week.worth:.4f}, {good}."]
    if week.draw is not None and week.draw.commitment:
        after.append(f"Draw number {week.draw.number}, commitment {week.draw.commitment}.")
    if week.foreseen is not None:
        share = format_percent(week.foreseen.with_locks)
        after.append(f"An insider without the secret could name {share} of the visits beforehand.")
    after += changes
    visits = [line for line in describe_want(week) if line.startswith("No visit")]
    if week.unmet or visits:
        days = f"{format_count(len(week.unmet), 'school day')} without a patrol"
        places = f"{format_count(len(visits), 'place')} without a visit"
        after.append(f"Not met: {days}, {places}; --notes says why.")
    after += visits if is_whole else [shorten(line, WIDTH) for line in visits[:MAX_VISITS]]
    after += list_tasks(week.notes, ())
    rows = _list_week_rows(week)
    room = len(rows) if is_whole else max(1, MAX_LINES - MAX_PAPER_LINES - len(after))
    if len(rows) > room:
        more = f"and {format_count(len(rows) - room + 1, 'more row')}: --notes"
        rows = [*rows[: room - 1], more]
    print_lines([*rows, *after])


def _list_week_rows(week: pp.Week) -> list[str]:
    """A row for each school and start, with the officers of each day."""
    rows: dict[tuple[float, str], dict[dt.date, str]] = {}
    names = {duty.urn: duty.patrol.school for duty in week.duties}
    for duty in week.duties:
        cells = rows.setdefault((duty.start_minutes, duty.urn), {})
        earlier = f"{cells[duty.date]}, " if duty.date in cells else ""
        cells[duty.date] = f"{earlier}{duty.officer}"
    width = 2 + max([6, *(len(cell) for cells in rows.values() for cell in cells.values())])
    head = f"{'URN':8}{'school':30}{'from':7}"
    lines = [head + "".join(f"{f'{day:%a} {day.day}':{width}}" for day in week.days)]
    for (start, urn), cells in sorted(rows.items(), key=lambda row: (row[0][1], row[0][0])):
        row = f"{urn:8}{shorten(names[urn], 28):30}{format_time(start):7}"
        lines.append(row + "".join(f"{cells.get(day, '-'):{width}}" for day in week.days))
    return [line.rstrip() for line in lines]
