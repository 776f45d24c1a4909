"""What commands print: progress on standard error, results on standard output."""

from __future__ import annotations

import json
import re
import sys
import textwrap
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table

import patrolplan as pp
from patrolplan.cli.failures import MORE, RUN
from patrolplan.text import capitalise, format_count, format_percent, list_first, shorten
from patrolplan.times import format_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from patrolplan.outputs.papers import Paper
    from patrolplan.tables import LeftOutRow

stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
stdout = Console(highlight=False, markup=False)
WIDTH, MAX_FIXES, MAX_ASSUMED, MAX_LINES = 100, 4, 3, 30  # letters a line, and most lines
MAX_VISITS, MAX_PAPER_LINES = 2, 3
"""Visits not made that are said of a week, and lines that name its papers."""


@contextmanager
def report_stage(stage: str) -> Iterator[Callable[..., None]]:
    """Say the current stage; gives what shows progress: of what, done, total, the next item."""
    start = time.perf_counter()
    announce(f"{stage} ...")
    bars: list[Any] = []
    tasks: dict[str, Any] = {}
    with ExitStack() as stack:

        def report(name: str, done: int, total: int, detail: str = "") -> None:
            from rich import progress

            if not bars:
                columns = (
                    progress.TextColumn("{task.description}", markup=False),
                    progress.BarColumn(),
                    progress.MofNCompleteColumn(),
                    progress.TimeRemainingColumn(),
                )
                bar = progress.Progress(*columns, console=stderr, transient=True)
                bars.append(stack.enter_context(bar))
            if name not in tasks:
                tasks[name] = bars[0].add_task(name)
            text = f"{name} {detail}".rstrip()
            bars[0].update(tasks[name], description=text, completed=done, total=total)

        yield report
    MORE.info(f"{stage}: {time.perf_counter() - start:.1f} s")


def announce(line: str) -> None:
    """Print a line about the run on standard error, and log it."""
    stderr.print(line)
    RUN.info(line)


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON object and nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()  # the board runs on, and its starter waits for the address


def print_result(document: dict[str, Any], parts: Iterable[str | Table], *, as_json: bool) -> None:
    """Print a result: one JSON object, or sentences, which are not broken, and tables."""
    if as_json:
        print_json(document)
        return
    for part in parts:
        stdout.print(part, soft_wrap=isinstance(part, str))


def build_table(*headings: str, rows: Iterable[Sequence[str]], title: str | None = None) -> Table:
    """Rows of text below their headings; `>` ends one of numbers, `!` one kept on a line."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        side: Literal["left", "right"] = "right" if heading.endswith(">") else "left"
        table.add_column(heading.rstrip(">!"), no_wrap=heading.endswith("!"), justify=side)
    for row in rows:
        table.add_row(*row)
    return table


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


def list_papers(out: Path, papers: tuple[Paper, ...]) -> list[str]:
    """The papers in a folder and what each is for, in as few words as possible."""
    told = [
        f"{one.listed} ({re.split('[,:;]', one.about)[0]})"
        for one in papers
        if one.about and (out / one.listed).exists()
    ]
    return textwrap.wrap(f"Written to {out}: {', '.join(told)}.", WIDTH, break_long_words=False)


def list_written(out: Path | None, layer: str = "") -> list[str]:
    """The folder that was written, if any, and the layer in it."""
    opened = f": {out / layer}, which QGIS opens with its style" if out and layer else ""
    return [] if out is None else [f"Written to {out}{opened}"]


def list_all(
    notes: Iterable[pp.Note], rows: Sequence[LeftOutRow], title: str = "", more: Sequence[str] = ()
) -> list[str]:
    """Every note by who needs it, what was left out, and more sentences under a title."""
    from patrolplan.outputs.notes_file import format_notes, format_part

    return [*format_notes(notes, rows), *format_part(title, more)]


def _align(*cells: str) -> str:
    """A row of patrols, each cell cut to its column, and the places to the width of a line."""
    *head, places = cells
    columns = zip(head, (8, 36, 7, 7, 8), strict=True)
    row = "".join(f"{shorten(cell, width - 2):{width}}" for cell, width in columns)
    return f"{row}{shorten(places, WIDTH - len(row))}".rstrip()


def list_patrols(plan: pp.Plan, out: Path) -> list[str | Table]:
    """A line for each patrol, what to fix, what was assumed, and where the papers are."""
    from patrolplan.outputs.notes_file import collect_plan_notes
    from patrolplan.outputs.papers import PLAN_PAPERS
    from patrolplan.outputs.wording import NOTHING_STANDS_OUT, format_ratio
    from patrolplan.patrols.file_forms import round_share
    from patrolplan.patrols.patrol_state import find_patrol_state

    parts: list[str | Table] = [] if plan.hotspots["stands_out"].any() else [NOTHING_STANDS_OUT]
    parts.append(_align("URN", "school", "from", "to", "x gate", "places"))
    for patrol in plan.patrols:
        ratio = find_patrol_state(plan, patrol).worth_ratio
        good = "-" if ratio is None else format_ratio(ratio)
        hours = format_time(patrol.start_minutes), format_time(patrol.end_minutes)
        streets = [stop.street or stop.place for stop in patrol.stops if stop.kind != "gate"]
        places = ", ".join(dict.fromkeys(streets)) or "gate"
        parts.append(_align(patrol.urn, patrol.school, *hours, good, places))
    if plan.posts:
        rows = [
            (
                *(post.urn, post.place, format_time(post.start_minutes)),
                *(format_time(post.end_minutes), format_percent(round_share(post.pupil_share))),
            )
            for post in plan.posts
        ]
        each = "Each post adds most to those before it, pupils weighted by risk"
        parts.append(build_table("URN", "post", "from", "to", "pupils met so far", rows=rows))
        parts.append(f"{each}; shares are of pupils' minutes on the way home.")
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    tasks = list_tasks(collect_plan_notes(plan), plan.left_out, urns)
    return [*parts, *tasks, *list_papers(out, PLAN_PAPERS)]


def list_week(week: pp.Week, changes: Sequence[str] = (), *, is_whole: bool = False) -> list[str]:
    """Who patrols where on which day, and what needs a hand; a screenful unless `is_whole`."""
    from patrolplan.team.not_met import count_unmet, list_missing

    after = [*changes]
    if lacks := count_unmet(week.unmet):
        after.append(f"Not met: {lacks}; --notes says why.")
    visits = [f"{row}." for row in list_missing(week.unmet, "visit", "minimum")]
    after += visits if is_whole else [shorten(line, WIDTH) for line in visits[:MAX_VISITS]]
    after += list_tasks(week.notes, ())
    after += _describe_quality(week) if is_whole else []
    rows = _list_week_rows(week)
    room = len(rows) if is_whole else max(1, MAX_LINES - MAX_PAPER_LINES - len(after))
    if len(rows) > room:
        more = f"and {format_count(len(rows) - room + 1, 'more row')}: --notes"
        rows = [*rows[: room - 1], more]
    return [*rows, *after]


def _describe_quality(week: pp.Week) -> list[str]:
    """How near the best a week is, its draw, and how much of it can be foreseen."""
    good = "best possible" if week.status == "optimal" else f"within {week.gap_percent:.2f} %"
    if week.draw is not None:
        good = f"{week.give_percent:.1f} % less than the best week found, which is {good}"
    lines = [f"Worth {week.worth:.4f}, {good}."]
    if week.draw is not None and week.draw.commitment:
        lines.append(f"Draw number {week.draw.number}, commitment {week.draw.commitment}.")
    if week.foreseen is not None:
        share = format_percent(week.foreseen.with_locks)
        lines.append(f"An insider without the secret could name {share} of the visits beforehand.")
    return lines


def _list_week_rows(week: pp.Week) -> list[str]:
    """A row for each school and start, with the officers of each day."""
    officers: dict[tuple[str, float], dict[dt.date, list[str]]] = {}
    names = {duty.urn: duty.patrol.school for duty in week.duties}
    for duty in week.duties:
        days = officers.setdefault((duty.urn, duty.start_minutes), {})
        days.setdefault(duty.date, []).append(duty.officer)
    rows = [["URN", "school", "from", *(f"{day:%a} {day.day}" for day in week.days)]]
    for (urn, start), days in sorted(officers.items(), key=lambda row: row[0]):
        cells = [", ".join(days.get(day, "-")) for day in week.days]
        rows.append([urn, shorten(names[urn], 28), format_time(start), *cells])
    widest = max([6, *(len(cell) for row in rows[1:] for cell in row[3:])])
    widths = (8, 30, 7, *[widest + 2] * len(week.days))
    pairs = [zip(row, widths, strict=True) for row in rows]
    return ["".join(f"{cell:{width}}" for cell, width in row).rstrip() for row in pairs]
