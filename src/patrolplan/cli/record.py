"""The command that writes to the ledger: record."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.cli.ledger_tables import build_row_documents, print_entries, print_return

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd

    from patrolplan.team.ledger.delivered import Answer
    from patrolplan.team.ledger.track_visits import TrackVisits


Patrol = tuple[str, str | None, int | None]
"""An officer, the others as typed, and how many came; None if nothing was typed."""

RECORD_OPTIONS = "--week, --officer with --date, --csv, --gpx, or --return"


@command
def record(
    week: Path | None = options.option(
        None, "--week", "Enter the visits of the week in this folder as planned.", options.FOLDER
    ),
    officer: str | None = options.option(None, "--officer", "Who, such as SSO-01.", "NAME"),
    date: dt.date | None = options.date_option(None, "--date", "Which day."),
    minutes: str | None = options.option(
        None,
        "--answers",
        "Minutes at all stops, such as '15 12/3 -'; without it, a question for each.",
        "MINUTES",
    ),
    table: Path | None = options.option(
        None,
        "--csv",
        "Table with officer, date, stop or hotspot, minutes; and people, arrive, reason.",
        options.FILE,
    ),
    gpx: list[Path] | None = options.option(
        None, "--gpx", "GPS track of that officer and day; may be repeated.", options.FILE
    ),
    together: str | None = options.option(
        None,
        "--with",
        "Officers who came with --officer, such as 'SSO-02;SSO-03'; - is nobody.",
        "NAMES",
    ),
    people: int | None = options.option(
        None, "--people", "How many came in all, named or not.", min=1, max=99
    ),
    school: str | None = options.option(
        None, "--school", "School of a GPS track, if the officer has no patrol.", options.URN
    ),
    month: str | None = options.option(
        None,
        "--return",
        "Print the month's return; with --out, as CSV.",
        options.MONTH,
        parser=options.parse_month,
    ),
    by: Path | None = options.option(
        None, "--by", "With --return: polygons, such as wards, to sum it by as well.", options.FILE
    ),
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    as_json: options.Json = False,
) -> None:
    """Enter what was delivered; print the month's return."""
    typed = officer is not None and not gpx
    given = [week is not None, typed, table is not None, bool(gpx), month is not None]
    if given.count(True) != 1:
        options.refuse(f"give one of {RECORD_OPTIONS}")
    if (typed or gpx) and None in {officer, date}:
        options.refuse("give --officer and --date")
    by_officer = "goes with --officer; in a table, write the column '{}'"
    options.refuse_without(officer, by_officer, **{"people": people, "with": together})
    options.refuse_without(month, "can only be given with --return", out=out, by=by)
    settings = pp.load_settings(config)
    _announce_ledger(settings)
    if month is not None:
        _report_month(settings, month, out, by, as_json=as_json)
    elif week is not None:
        _hand_out(settings, week, as_json=as_json)
    elif table is not None:
        _record_table(settings, table, as_json=as_json)
    elif officer is not None and date is not None:
        who = (officer, together, people)
        if gpx:
            _record_track(settings, gpx, who, date, school, as_json=as_json)
        else:
            _record_typed(settings, who, date, minutes, as_json=as_json)


def _announce_ledger(settings: pp.Settings) -> None:
    """Say where a ledger does not exist yet: one that did may have another address now."""
    from patrolplan.team.ledger.address import find_sqlite_file

    file = find_sqlite_file(settings)
    if file is not None and not file.exists():
        console.stderr.print(f"{file}: there is no ledger yet, so an empty one is begun.")


def _hand_out(settings: pp.Settings, folder: Path, *, as_json: bool) -> None:
    from patrolplan.team.ledger.promised import read_promised_week
    from patrolplan.text import format_count

    week = read_promised_week(folder)
    with pp.open_ledger(settings) as ledger:
        entered = ledger.hand_out(week)
    first, last, doses = f"{week.days[0]}", f"{week.days[-1]}", len(week.doses)
    if as_json:
        document = {"handed_out": entered, "first": first, "last": last, "doses": doses}
        console.print_json(document)
        return
    outcome = "Handed out" if entered else "Already handed out, nothing changed"
    visits = format_count(doses, "visit")
    console.stdout.print(f"{outcome}: {first} to {last}, {visits} planned.")


def _record_typed(
    settings: pp.Settings, who: Patrol, date: dt.date, minutes: str | None, *, as_json: bool
) -> None:
    from patrolplan.team.ledger.delivered import (
        build_typed_visits,
        find_promised_stops,
        parse_answers,
    )

    officer, together, people = who[0], *_parse_crew(settings, who)
    with pp.open_ledger(settings) as ledger:
        stops = find_promised_stops(ledger, officer, date)
        if minutes is None:
            answers = _ask_for_answers(stops, officer, date)
        else:
            try:
                answers = parse_answers(minutes, list(stops["minutes"]))
            except ValueError as error:
                where, remedy = "--answers", "write one answer for each stop, such as '15 12/3 -'"
                raise pp.InputError.one(where, str(error), remedy) from None
        entries = ledger.record(build_typed_visits(stops, answers, together, people=people))
        print_entries(ledger, entries, as_json=as_json)


def _parse_crew(settings: pp.Settings, who: Patrol) -> tuple[tuple[str, ...] | None, int | None]:
    """Who came with an officer, and how many came in total; None if nothing was typed."""
    from patrolplan.team.ledger.delivered import parse_companions

    officer, text, people = who
    if text is None:
        return None, people
    try:
        together = parse_companions(text, officer, list(_read_officers(settings)["officer"]))
    except ValueError as error:
        where, remedy = "--with", "name the other officers, joined by ;, or - for nobody"
        raise pp.InputError.one(where, str(error), remedy) from None
    if people is not None and people < 1 + len(together):
        names = " and ".join((officer, *together))
        where, what = "--people", f"{people} is fewer than came ({names})"
        raise pp.InputError.one(where, what, "count everyone who came")
    return together, people


def _read_officers(settings: pp.Settings) -> gpd.GeoDataFrame:
    from patrolplan.area.sources import read_source

    officers: gpd.GeoDataFrame = read_source(settings, "officers")
    return officers


def _ask_for_answers(stops: pd.DataFrame, officer: str, date: dt.date) -> tuple[Answer, ...]:
    """Ask about each stop on standard error; the first line may answer for all."""
    from patrolplan.team.ledger.delivered import parse_answer, parse_answers
    from patrolplan.team.week import format_day

    promised = list(stops["minutes"])
    console.stderr.print(f"{officer}, {format_day(date)}: minutes at each stop")
    console.stderr.print(
        "Press Enter for the minutes planned. Or type: 12 (minutes), 12/3 (minutes, people spoken "
        "to), - (not visited), and a letter for why not, such as -s: sick, i: incident, "
        "a: abstracted, w: weather, o: other; "
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
    console.stderr.print(prompt, end="")
    line = sys.stdin.readline()
    if not line:
        where, what = "standard input", "ended before every stop had an answer"
        raise pp.InputError.one(where, what, "nothing was recorded; begin again, or use --answers")
    return line.strip()


def _record_table(settings: pp.Settings, path: Path, *, as_json: bool) -> None:
    from patrolplan.inputs.small_tables import read_visits
    from patrolplan.team.ledger.delivered import build_table_visits

    table, officers = read_visits(path), list(_read_officers(settings)["officer"])
    with pp.open_ledger(settings) as ledger:
        visits = build_table_visits(ledger, table, path, officers)
        print_entries(ledger, ledger.record(visits), as_json=as_json)


def _record_track(
    settings: pp.Settings,
    paths: Sequence[Path],
    who: Patrol,
    date: dt.date,
    school: str | None,
    *,
    as_json: bool,
) -> None:
    from patrolplan.inputs.gpx import read_tracks
    from patrolplan.team.ledger.track_visits import build_track_visits

    track = read_tracks(paths)
    area = steps.load_study_area(settings)
    together, people = _parse_crew(settings, who)
    with pp.open_ledger(settings) as ledger:
        with console.report_stage("Following the track"):
            matched = build_track_visits(
                ledger, area.network, track, who[0], date, urn=school, together=together
            )
        visits = [replace(visit, people=people) for visit in matched.visits]
        notes = _describe_track(matched)
        print_entries(ledger, ledger.record(visits), as_json=as_json, notes=notes)


def _describe_track(matched: TrackVisits) -> list[str]:
    """What the track does not show."""
    partial, unknown, lower = map("; ".join, (matched.partial, matched.unknown, matched.lower))
    facts = {
        f"{matched.lost_minutes:.1f} minutes of the track are missing, in gaps too long to "
        "fill in.": matched.lost_minutes,
        f"The track covers only a part of the stay, which may be longer: {partial}.": partial,
        f"Left as it was, since the track does not cover the whole stay: {unknown}.": unknown,
        f"More was typed than the track gives, and stays; type it again to correct it: {lower}.": (
            lower
        ),
    }
    return [text for text, is_so in facts.items() if is_so]


def _report_month(
    settings: pp.Settings, month: str, out: Path | None, by: Path | None, *, as_json: bool
) -> None:
    from patrolplan.errors import name_source
    from patrolplan.inputs.polygons import read_polygon_file
    from patrolplan.outputs.week.spreadsheet import build_return_tables, write_return
    from patrolplan.tables import STAFF
    from patrolplan.team.shares import SOURCE

    steps.check_out(out)
    polygons = None if by is None else read_polygon_file(by, key="--by")
    officers = _read_officers(settings)
    staff = set(officers["officer"][officers["role"] == STAFF])
    with pp.open_ledger(settings) as ledger, name_source(SOURCE, by):
        tables = build_return_tables(ledger, month, staff=staff, polygons=polygons)
        if out is not None:
            write_return(tables, ledger.area, month, out)
    if as_json:
        documents = {
            name.replace("-", "_"): build_row_documents(table) for name, table in tables.items()
        }
        console.print_json({"month": month, **documents})
        return
    if tables["by-officer"].empty:
        console.stdout.print(f"The ledger holds nothing of {month}: check [ledger] url.")
    print_return(tables)
    console.print_written_to(out)
