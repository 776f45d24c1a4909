"""The command that writes to the ledger: record."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.text import format_count, pick_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from rich.table import Table

    from patrolplan.team.ledger.delivered import Answer
    from patrolplan.team.ledger.visits import Visit, VisitEntry


Crew = tuple[tuple[str, ...] | None, int | None]
"""The officers who came with another one, and how many came; None if nothing was typed."""
OUTCOMES = {"new": "recorded", "corrected": "corrected", "same": "already recorded"}
SHOWN = ("by-week", "by-officer", "by-school", "by-hotspot", "by-designated", "by-polygon")
"""The tables of a return in the order of the screen; why visits were not made comes last."""
FIGURES = ("visits>", "not recorded>", "minutes>", "%>", "presence>", "person>", "spoken to>")


@command
def record(
    week: Path | None = options.option(
        "Enter the visits of the week in this folder as planned.", options.FOLDER
    ),
    officer: str | None = options.option("Who, such as SSO-01.", "NAME"),
    date: dt.date | None = options.day("--date", "Which day."),
    answers: str | None = options.option(
        "Minutes at all stops, such as '15 12/3 -'; without it, a question for each.", "MINUTES"
    ),
    csv: Path | None = options.option(
        "Table with officer, date, stop or hotspot, minutes; and people, arrive, reason.",
        options.FILE,
    ),
    gpx: list[Path] | None = options.option(
        "GPS track of that officer and day; may be repeated.", options.FILE
    ),
    together: str | None = options.option(
        "Officers who came with --officer, such as 'SSO-02;SSO-03'; - is nobody.", "NAMES", "--with"
    ),
    people: int | None = options.option("How many came in all, named or not.", min=1, max=99),
    school: str | None = options.option(
        "School of a GPS track, if the officer has no patrol.", options.URN
    ),
    month: str | None = options.month("--return", "Print the month's return; with --out, as CSV."),
    by: Path | None = options.option(
        "With --return: polygons, such as wards, to sum it by as well.", options.FILE
    ),
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    as_json: options.Json = False,
) -> None:
    """Enter what was delivered; print the month's return."""
    typed = officer is not None and not gpx
    given = [week is not None, typed, csv is not None, bool(gpx), month is not None]
    by_officer = "goes with --officer; in a table, write the column"
    by_month = "can only be given with --return"
    one_of = "give one of --week, --officer with --date, --csv, --gpx, or --return"
    options.refuse_if(
        (given.count(True) != 1, one_of),
        ((typed or gpx) and None in {officer, date}, "give --officer and --date"),
        (people and not officer, f"{by_officer} 'people'", "--people"),
        (together and not officer, f"{by_officer} 'with'", "--with"),
        (out and not month, by_month, "--out"),
        (by and not month, by_month, "--by"),
    )
    from patrolplan.inputs.small_tables import read_visits
    from patrolplan.team.ledger.address import find_sqlite_file
    from patrolplan.team.ledger.delivered import build_table_visits

    settings = pp.load_settings(config)
    file = find_sqlite_file(settings)
    if file is not None and not file.exists():  # one that did may have another address now
        console.stderr.print(f"{file}: there is no ledger yet, so an empty one is begun.")
    if month is not None:
        _report_month(settings, month, out, by, as_json=as_json)
        return
    if week is not None:
        _hand_out(settings, week, as_json=as_json)
        return
    notes: tuple[str, ...] = ()
    visits: Sequence[Visit]
    crew = _parse_crew(settings, officer, together, people)
    with pp.open_ledger(settings) as ledger:
        if csv is not None:
            officers = list(_read_officers(settings)["officer"])
            visits = build_table_visits(ledger, read_visits(csv), csv, officers)
        elif officer is None or date is None:  # for the type checker: usage is checked already
            return
        elif gpx:
            visits, notes = _follow_track(settings, ledger, gpx, (officer, date, school), crew)
        else:
            visits = _read_answers(ledger, officer, date, answers, crew)
        _print_entries(ledger, ledger.record(visits), notes, as_json=as_json)


def _hand_out(settings: pp.Settings, folder: Path, *, as_json: bool) -> None:
    from patrolplan.team.ledger.promised import read_promised_week

    week = read_promised_week(folder)
    with pp.open_ledger(settings) as ledger:
        entered = ledger.hand_out(week)
    first, last, doses = f"{week.days[0]}", f"{week.days[-1]}", len(week.doses)
    document = {"handed_out": entered, "first": first, "last": last, "doses": doses}
    outcome = "Handed out" if entered else "Already handed out, nothing changed"
    line = f"{outcome}: {first} to {last}, {format_count(doses, 'visit')} planned."
    console.print_result(document, [line], as_json=as_json)


def _read_answers(
    ledger: pp.Ledger, officer: str, date: dt.date, typed: str | None, crew: Crew
) -> Sequence[Visit]:
    """The visits that an option, or answers on standard input, say were made."""
    from patrolplan.team.ledger import delivered

    stops = delivered.find_promised_stops(ledger, officer, date)
    if typed is None:
        answers = _ask_for_answers(stops, officer, date)
    else:
        try:
            answers = delivered.parse_answers(typed, list(stops["minutes"]))
        except ValueError as error:
            where, remedy = "--answers", "write one answer for each stop, such as '15 12/3 -'"
            raise pp.InputError.one(where, str(error), remedy) from None
    return delivered.build_typed_visits(stops, answers, crew[0], people=crew[1])


def _parse_crew(
    settings: pp.Settings, officer: str | None, together: str | None, people: int | None
) -> Crew:
    """Who came with an officer, and how many came in total."""
    from patrolplan.team.ledger.delivered import parse_companions

    if together is None or officer is None:
        return None, people
    try:
        names = parse_companions(together, officer, list(_read_officers(settings)["officer"]))
    except ValueError as error:
        where, remedy = "--with", "name the other officers, joined by ;, or - for nobody"
        raise pp.InputError.one(where, str(error), remedy) from None
    if people is not None and people < 1 + len(names):
        where, what = "--people", f"{people} is fewer than came ({' and '.join((officer, *names))})"
        raise pp.InputError.one(where, what, "count everyone who came")
    return names, people


def _read_officers(settings: pp.Settings) -> gpd.GeoDataFrame:
    from patrolplan.area.sources import OFFICERS, read_source

    return read_source(settings, OFFICERS)


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
        console.stderr.print(f"{name} [{stop['minutes']:g}]: ", end="")
        line = sys.stdin.readline()
        if not line:
            where, what = "standard input", "ended before every stop had an answer"
            remedy = "nothing was recorded; begin again, or use --answers"
            raise pp.InputError.one(where, what, remedy)
        try:
            if not answers and len(line.split()) > 1:
                return parse_answers(line, promised)
            answers.append(parse_answer(line, float(stop["minutes"])))
        except ValueError as error:
            console.stderr.print(f"  {error}; type it again")
    return tuple(answers)


def _follow_track(
    settings: pp.Settings,
    ledger: pp.Ledger,
    paths: Sequence[Path],
    who: tuple[str, dt.date, str | None],
    crew: Crew,
) -> tuple[Sequence[Visit], tuple[str, ...]]:
    """The visits of an officer's day, at a school if it is named, and what a track cannot show."""
    from patrolplan.inputs.gpx import read_tracks
    from patrolplan.team.ledger.track_visits import build_track_visits

    track = read_tracks(paths)
    area = steps.load_study_area(settings)
    with console.report_stage("Following the track"):
        found = build_track_visits(
            ledger, area.network, track, *who[:2], urn=who[2], together=crew[0]
        )
    return [replace(visit, people=crew[1]) for visit in found.visits], found.notes


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
    documents = {key.replace("-", "_"): _build_row_documents(rows) for key, rows in tables.items()}
    nothing = [f"The ledger holds nothing of {month}: check [ledger] url."]
    parts = [*(nothing if tables["by-officer"].empty else ()), *_list_return(tables)]
    parts += console.list_written(out)
    console.print_result({"month": month, **documents}, parts, as_json=as_json)


def _print_entries(
    ledger: pp.Ledger, entries: Sequence[VisitEntry], notes: Sequence[str], *, as_json: bool
) -> None:
    """Print the outcome of each visit, what is odd about them, and the number of each outcome."""
    from patrolplan.team.ledger.delivered import find_odd_visits

    notes = [*notes, *find_odd_visits(ledger, entries)]
    outcomes: list[str] = [entry.outcome for entry in entries]
    counts = {words: outcomes.count(outcome) for outcome, words in OUTCOMES.items()}
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    total = f"{told or 'Nothing to record'}."
    lines = [*map(_describe_entry, entries), *(f"note: {note}" for note in notes), total]
    document: dict[str, Any] = {words.replace(" ", "_"): count for words, count in counts.items()}
    document |= {"visits": [*map(_build_entry_document, entries)], "notes": notes}
    console.print_result(document, lines, as_json=as_json)


def _describe_entry(entry: VisitEntry) -> str:
    visit, outcome = entry.visit, OUTCOMES[entry.outcome]
    before = f", was {entry.minutes_before:g}" if entry.outcome == "corrected" else ""
    crew = f" with {', '.join(visit.together)}" if visit.together else ""
    spoken = "" if visit.engagements is None else f", {visit.engagements} spoken to"
    where = f"{visit.date} {visit.officer}{crew}, {visit.hotspot} {visit.place}"
    return f"{where}: {visit.minutes:g} minutes{spoken}; {outcome}{before}"


def _build_entry_document(entry: VisitEntry) -> dict[str, Any]:
    visit = entry.visit
    return {
        "officer": visit.officer,
        "together": list(visit.together or ()),
        **pick_fields(visit, "date", "urn", "hotspot", "place", "minutes", "engagements"),
        **pick_fields(visit, "people", "arrive", "reason"),
        "outcome": OUTCOMES[entry.outcome],
        "minutes_before": entry.minutes_before,
    }


def _build_row_documents(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table with plain values: dates as text, missing numbers as None."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(key): f"{cell}" if isinstance(cell, dt.date) else cell for key, cell in row.items()}
        for row in plain.to_dict("records")
    ]


def _list_return(tables: dict[str, pd.DataFrame]) -> list[str | Table]:
    """Planned against delivered, and why planned minutes were not delivered."""
    from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS

    figures, narrow = {*FIGURE_COLUMNS, "delivered_percent"}, {"week", "officer", "urn", "hotspot"}
    parts: list[str | Table] = []
    for name in filter(tables.__contains__, SHOWN):
        keys = [str(key) for key in tables[name].columns if key not in figures]
        headings = (*(f"{key}!" if key in narrow else key for key in keys), *FIGURES)
        rows = [
            (*(f"{row[key]}" for key in keys), *_format_figures(row))
            for row in _build_row_documents(tables[name])
        ]
        title = f"Delivered of planned, {name.replace('-', ' ')}"
        parts.append(console.build_table(*headings, rows=rows, title=title))
    reasons = [
        (row["reason"], f"{row['visits']}", f"{row['minutes']:.0f}")
        for row in _build_row_documents(tables["by-reason"])
    ]
    headings = ("reason", "visits>", "minutes>")
    title = "Not delivered, by reason"
    return [*parts, console.build_table(*headings, rows=reasons, title=title)]


def _format_figures(row: dict[str, Any]) -> tuple[str, ...]:
    percent = row["delivered_percent"]
    further = f", {row['further_visits']} further" if row["further_visits"] else ""
    return (
        f"{row['delivered_visits']} of {row['promised_visits']}{further}",
        f"{row['not_recorded']}",
        f"{row['delivered_minutes']:.0f} of {row['promised_minutes']:.0f}",
        "" if percent is None else f"{percent:.0f}",
        f"{row['presence_minutes']:.0f}",
        f"{row['person_minutes']:.0f} of {row['promised_person_minutes']:.0f}",
        f"{row['engagements']}",
    )
