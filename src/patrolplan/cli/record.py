"""The command that writes to the ledger: record."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from patrolplan.cli import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from patrolplan.settings import Settings
    from patrolplan.team.ledger.delivered import Answer
    from patrolplan.team.ledger.ledger import Ledger
    from patrolplan.team.ledger.visits import VisitEntry


RECORD_OPTIONS = "--week, --officer with --date, --csv, --gpx, or --return"
OUTCOMES = {
    "new": ("recorded", "recorded"),
    "corrected": ("corrected", "corrected"),
    "same": ("already_recorded", "already recorded"),
}
"""JSON key and words of what became of a visit."""


@console.app.command()
def record(
    week: Annotated[
        Path | None,
        typer.Option(
            "--week", help="Hand out the week in this folder: its visits count as planned."
        ),
    ] = None,
    officer: Annotated[str | None, typer.Option("--officer", help="Who, such as SSO-01.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Which day, YYYY-MM-DD.")] = None,
    minutes: Annotated[
        str | None,
        typer.Option(
            "--minutes", help="All stops at once, such as '15 12/3 -'; else a question for each."
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--csv", help="Table of officer, date, stop or hotspot, minutes..."),
    ] = None,
    gpx: Annotated[
        Path | None, typer.Option("--gpx", help="Recorded track of that officer and day.")
    ] = None,
    school: Annotated[
        str | None,
        typer.Option("--school", help="URN of a track's school, if the officer has no patrol."),
    ] = None,
    month: Annotated[
        str | None, typer.Option("--return", help="Monthly return, YYYY-MM; with --out, as CSV.")
    ] = None,
    config: console.Config = console.DEFAULT_CONFIG,
    out: console.OptionalOut = None,
    as_json: console.Json = False,
) -> None:
    """Record what was delivered, from the card's boxes, a table or a track; or print the return."""
    typed = officer is not None and gpx is None
    given = [week is not None, typed, table is not None, gpx is not None, month is not None]
    if given.count(True) != 1:
        message = f"give one of {RECORD_OPTIONS}"
        raise typer.BadParameter(message)
    if (typed or gpx is not None) and (officer is None or date is None):
        message = "give --officer and --date"
        raise typer.BadParameter(message)
    if out is not None and month is None:
        message = "can only be given with --return"
        raise typer.BadParameter(message, param_hint="--out")
    day = console.parse_date(date, "--date") if date is not None else None
    if month is not None:
        _report_month(config, console.parse_month(month, "--return"), out, as_json=as_json)
    elif week is not None:
        _hand_out(config, week, as_json=as_json)
    elif table is not None:
        _record_table(config, table, as_json=as_json)
    elif officer is not None and day is not None:
        if gpx is not None:
            _record_track(config, gpx, officer, day, school, as_json=as_json)
        else:
            _record_typed(config, officer, day, minutes, as_json=as_json)


def _open_configured_ledger(config: Path) -> tuple[Settings, Ledger]:
    from patrolplan.settings import load_settings
    from patrolplan.team.ledger.ledger import open_ledger

    settings = load_settings(config)
    return settings, open_ledger(settings)


def _hand_out(config: Path, folder: Path, *, as_json: bool) -> None:
    from patrolplan.team.ledger.promised import read_promised_week
    from patrolplan.text import format_count

    week = read_promised_week(folder)
    _, ledger = _open_configured_ledger(config)
    with ledger:
        entered = ledger.hand_out(week)
    first, last = week.days[0], week.days[-1]
    doses = len(week.doses)
    visits = format_count(doses, "visit")
    if as_json:
        console.print_json(
            {"handed_out": entered, "first": f"{first}", "last": f"{last}", "doses": doses}
        )
        return
    outcome = "Handed out" if entered else "Already handed out, nothing changed"
    console.stdout.print(f"{outcome}: {first} to {last}, {visits} planned.")


def _record_typed(
    config: Path, officer: str, date: dt.date, minutes: str | None, *, as_json: bool
) -> None:
    from patrolplan.errors import InputError
    from patrolplan.team.ledger.delivered import (
        build_typed_visits,
        find_promised_stops,
        parse_answers,
    )

    _, ledger = _open_configured_ledger(config)
    with ledger:
        stops = find_promised_stops(ledger, officer, date)
        if minutes is None:
            answers = _ask_for_answers(stops, officer, date)
        else:
            try:
                answers = parse_answers(minutes, list(stops["minutes"]))
            except ValueError as error:
                where, remedy = "--minutes", "write one answer for each stop, such as '15 12/3 -'"
                raise InputError.one(where, str(error), remedy) from None
        _print_entries(ledger.record(build_typed_visits(stops, answers)), as_json=as_json)


def _ask_for_answers(stops: pd.DataFrame, officer: str, date: dt.date) -> tuple[Answer, ...]:
    """Ask about each stop on standard error; the first line may answer for all."""
    from patrolplan.team.ledger.delivered import parse_answer, parse_answers
    from patrolplan.team.week import format_day

    promised = list(stops["minutes"])
    console.stderr.print(f"{officer}, {format_day(date)}: minutes at each stop")
    console.stderr.print(
        "Press Enter for the minutes planned. Or type: 12 (minutes), 12/3 (minutes, people spoken "
        "to), - (not visited); "
        f"the first line may hold all {len(promised)} answers."
    )
    answers: list[Answer] = []
    while len(answers) < len(promised):
        stop = stops.iloc[len(answers)]
        name = f"{stop['stop']}. {stop['arrive']} {stop['place']}"
        text = _read_line(f"{name} [{stop['minutes']:g}]: ")
        try:
            if not answers and len(text.split()) > 1:
                return parse_answers(text, promised)
            answers.append(parse_answer(text, float(stop["minutes"])))
        except ValueError as error:
            console.stderr.print(f"  {error}; type it again")
    return tuple(answers)


def _read_line(prompt: str) -> str:
    from patrolplan.errors import InputError

    console.stderr.print(prompt, end="")
    line = sys.stdin.readline()
    if not line:
        where, what = "standard input", "ended before every stop had an answer"
        raise InputError.one(where, what, "nothing was recorded; begin again, or use --minutes")
    return line.strip()


def _record_table(config: Path, path: Path, *, as_json: bool) -> None:
    from patrolplan.area.load import find_source_files, get_column_mapping
    from patrolplan.crs import Projection
    from patrolplan.inputs.lookups import read_officers, read_visits
    from patrolplan.team.ledger.delivered import build_table_visits

    table = read_visits(path)
    settings, ledger = _open_configured_ledger(config)
    officers = read_officers(
        find_source_files(settings, "officers"),
        Projection(settings.area.crs),
        columns=get_column_mapping(settings, "officers"),
    )
    with ledger:
        visits = build_table_visits(ledger, table, path, list(officers["officer"]))
        _print_entries(ledger.record(visits), as_json=as_json)


def _record_track(
    config: Path, path: Path, officer: str, date: dt.date, school: str | None, *, as_json: bool
) -> None:
    from patrolplan.inputs.gpx import read_track
    from patrolplan.team.ledger.ledger import open_ledger
    from patrolplan.team.ledger.map_matching import build_track_visits

    track = read_track(path)
    area = console.load_study_area(config)
    with open_ledger(area.settings) as ledger:
        with console.report_stage("Following the track"):
            matched = build_track_visits(ledger, area.network, track, officer, date, school)
        lost, bridged = matched.track_minutes.lost_minutes, matched.track_minutes.bridged_minutes
        notes = []
        if lost:
            notes.append(
                f"{lost:.1f} minutes of the track are missing, in gaps too long to fill in."
            )
        if bridged:
            notes.append(f"{bridged:.1f} minutes of gaps were bridged.")
        _print_entries(ledger.record(matched.visits), as_json=as_json, notes=notes)


def _print_entries(
    entries: Sequence[VisitEntry], *, as_json: bool, notes: Sequence[str] = ()
) -> None:
    """Print what became of each visit, and the number of each outcome."""
    outcomes = [entry.outcome for entry in entries]
    if as_json:
        counts = {key: outcomes.count(outcome) for outcome, (key, _) in OUTCOMES.items()}
        visits = [_build_entry_document(entry) for entry in entries]
        console.print_json({**counts, "visits": visits, "notes": list(notes)})
        return
    console.stdout.print(_build_entries_table(entries))
    console.print_notes(notes)
    parts = [f"{outcomes.count(name)} {words}" for name, (_, words) in OUTCOMES.items()]
    console.stdout.print(", ".join(part for part in parts if not part.startswith("0 ")) + ".")


def _build_entries_table(entries: Sequence[VisitEntry]) -> Table:
    """A row a visit; officer and day are the title where they are the same for all."""
    from patrolplan.team.week import format_day

    officer_days = {(entry.visit.officer, entry.visit.date) for entry in entries}
    officer, day = min(officer_days)
    shared = len(officer_days) == 1
    table = Table(title=f"{officer}, {format_day(day)}" if shared else None, title_justify="left")
    for heading in () if shared else ("officer", "date"):
        table.add_column(heading, no_wrap=True)
    for heading in ("hotspot", "place", "minutes", "spoken to", ""):
        table.add_column(heading)
    for entry in entries:
        visit = entry.visit
        _, outcome = OUTCOMES[entry.outcome]
        if entry.outcome == "corrected":
            outcome += f", was {entry.minutes_before:g}"
        spoken = "" if visit.engagements is None else str(visit.engagements)
        first = () if shared else (visit.officer, f"{visit.date}")
        table.add_row(*first, visit.hotspot, visit.place, f"{visit.minutes:g}", spoken, outcome)
    return table


def _build_entry_document(entry: VisitEntry) -> dict[str, Any]:
    visit = entry.visit
    return {
        "officer": visit.officer,
        "date": f"{visit.date}",
        "urn": visit.urn,
        "hotspot": visit.hotspot,
        "place": visit.place,
        "minutes": visit.minutes,
        "engagements": visit.engagements,
        "outcome": OUTCOMES[entry.outcome][1],
        "minutes_before": entry.minutes_before,
    }


def _report_month(config: Path, month: str, out: Path | None, *, as_json: bool) -> None:
    from patrolplan.outputs.week.spreadsheet import build_return_tables, write_return

    console.check_out(out)
    _, ledger = _open_configured_ledger(config)
    with ledger:
        tables = build_return_tables(ledger, month)
        if out is not None:
            write_return(ledger, month, out)
    if as_json:
        documents = {
            name.replace("-", "_"): _build_row_documents(table) for name, table in tables.items()
        }
        console.print_json({"month": month, **documents})
        return
    for name in ("by-week", "by-officer", "by-school", "by-hotspot"):
        console.stdout.print(_build_return_table(name, tables[name]))
    console.print_written_to(out)


def _build_row_documents(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table with plain values: dates as text, missing numbers as None."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {
            str(name): f"{value}" if isinstance(value, dt.date) else value
            for name, value in row.items()
        }
        for row in plain.to_dict("records")
    ]


def _build_return_table(name: str, table: pd.DataFrame) -> Table:
    """Plan against delivered, for people to read."""
    from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS

    keys = [name for name in table.columns if name not in {*FIGURE_COLUMNS, "delivered_percent"}]
    printed = Table(*keys, title=f"Delivered of planned, {name.replace('-', ' ')}")
    for heading in ("visits", "not recorded", "minutes", "%", "spoken to"):
        printed.add_column(heading, justify="right")
    for row in _build_row_documents(table):
        percent = row["delivered_percent"]
        printed.add_row(
            *(f"{row[key]}" for key in keys),
            f"{row['delivered_visits']} of {row['promised_visits']}",
            f"{row['not_recorded']}",
            f"{row['delivered_minutes']:.0f} of {row['promised_minutes']:.0f}",
            "" if percent is None else f"{percent:.0f}",
            f"{row['engagements']}",
        )
    return printed
