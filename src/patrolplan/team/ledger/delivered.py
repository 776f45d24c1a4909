"""Visits from the tick boxes of a card: typed at the keyboard, or read from a table."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from patrolplan.errors import InputError, Problems
from patrolplan.inputs.table_reader import describe_cell, quote_value
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.visits import MAX_VISIT_MINUTES, Visit

DATE_OPTION, OFFICER_OPTION = "--date", "--officer"
HAND_OUT_REMEDY = "hand the week out first: `patrolplan record --week DIR`"


def find_promised_stops(ledger: Ledger, officer: str, date: dt.date) -> pd.DataFrame:
    """An officer's promised stops of a day, in the order of the card.

    Raises
    ------
    InputError
        When no week is handed out for the day, or none of its duties are this officer's.
    """
    day = ledger.read_promised(date, date)
    stops = day[day["officer"] == officer].reset_index(drop=True)
    if stops.empty:
        if ledger.read_hotspots(date, date).empty:
            raise InputError.one(DATE_OPTION, f"no week is handed out for {date}", HAND_OUT_REMEDY)
        on_duty = ", ".join(sorted(set(day["officer"]))) or "nobody"
        what = f"'{officer}' has no stops on {date} (on duty: {on_duty})"
        raise InputError.one(OFFICER_OPTION, what, "name one of them, or use --csv for a stand-in")
    return stops


@dataclass(frozen=True)
class Answer:
    """What was typed for a stop."""

    minutes: float
    engagements: int | None = None


def parse_answer(text: str, promised_minutes: float) -> Answer:
    """Read what was typed for one stop.

    Nothing means as promised, `-` not visited, `15` minutes, `15/2` minutes and engagements.

    Raises
    ------
    ValueError
        When it is none of these.

    Examples
    --------
    >>> parse_answer("12/3", 15)
    Answer(minutes=12.0, engagements=3)
    >>> parse_answer("", 15), parse_answer("-", 15)
    (Answer(minutes=15, engagements=None), Answer(minutes=0.0, engagements=None))
    """
    minutes_text, slash, spoken = (part.strip() for part in text.partition("/"))
    if slash and not (spoken.isascii() and spoken.isdigit() and len(spoken) <= 3):  # noqa: PLR2004
        message = f"{quote_value(spoken)} is not a number of people, 0 to 999"
        raise ValueError(message)
    engagements = int(spoken) if slash else None
    if minutes_text in {"", "="}:
        return Answer(promised_minutes, engagements)
    try:
        minutes = 0.0 if minutes_text == "-" else float(minutes_text.replace(",", "."))
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= MAX_VISIT_MINUTES:
        value = quote_value(minutes_text)
        message = f"{value} is not a number of minutes from 0 to {MAX_VISIT_MINUTES:g}"
        raise ValueError(message)
    return Answer(minutes, engagements)


def parse_answers(text: str, promised_minutes: Sequence[float]) -> tuple[Answer, ...]:
    """Read one line for all stops, such as `15 15 -`; `=` means as promised.

    Raises
    ------
    ValueError
        When it does not hold an answer for each stop.
    """
    words = text.split()
    if len(words) != len(promised_minutes):
        message = f"{len(words)} answers for {len(promised_minutes)} stops"
        raise ValueError(message)
    return tuple(map(parse_answer, words, promised_minutes))


def build_typed_visits(stops: pd.DataFrame, answers: Sequence[Answer]) -> tuple[Visit, ...]:
    """Visits of an officer's stops, as typed."""
    return tuple(
        build_visit(stop, answer.minutes, answer.engagements, "keyboard")
        for (_, stop), answer in zip(stops.iterrows(), answers, strict=True)
    )


def build_table_visits(
    ledger: Ledger, table: pd.DataFrame, path: Path, officers: Collection[str] = ()
) -> tuple[Visit, ...]:
    """Visits of a table of `patrolplan.inputs.lookups.read_visits`, each with the place it names.

    Parameters
    ----------
    ledger
        Gives the week valid for a day, and so what a stop's number or a hotspot's name means.
    table, path
        The table, and its file for messages.
    officers
        Officers who may be named; empty for any.

    Raises
    ------
    InputError
        With every row that names no officer, no place, or the same visit twice.
    """
    if table.empty:
        raise InputError.one(path, "contains no visits", "write a row for each stop")
    promised = ledger.read_promised(table["date"].min(), table["date"].max())
    problems = Problems()
    visits: dict[tuple[str, ...], Visit] = {}
    for row, entry in table.iterrows():
        with problems.collect():
            if officers and entry["officer"] not in officers:
                names = ", ".join(sorted(officers)[:12])
                what = f"there is no officer {quote_value(entry['officer'])} (known: {names})"
                raise InputError.one(path, what, "name one of them", describe_cell(row, "officer"))
            place = _find_place(ledger, promised, entry, path, row)
            engagements = None if pd.isna(entry["engagements"]) else int(entry["engagements"])
            visit = build_visit(place.iloc[0], float(entry["minutes"]), engagements, "csv")
            key = (visit.officer, str(visit.date), visit.urn, visit.hotspot)
            if key in visits:
                what = f"{visit.officer} at {visit.hotspot} on {visit.date} appears twice"
                raise InputError.one(path, what, "keep one of the rows", f"row {row}")
            visits[key] = visit
    problems.raise_if_any()
    return tuple(visits.values())


def _find_place(
    ledger: Ledger, promised: pd.DataFrame, entry: pd.Series, path: Path, row: object
) -> pd.DataFrame:
    """Where a row's visit was (first row): a promised stop, or another hotspot of the week."""
    date, officer = entry["date"], entry["officer"]
    own: pd.DataFrame = promised[(promised["date"] == date) & (promised["officer"] == officer)]
    if pd.notna(entry["urn"]):
        own = own[own["urn"] == entry["urn"]]
    if pd.notna(entry["stop"]):
        stops: pd.DataFrame = own[own["stop"] == entry["stop"]]
        if len(stops) == 1:
            return stops
        what = f"{officer} has no stop {entry['stop']} on {date}"
        if len(stops):
            what = f"{officer} has {len(stops)} patrols on {date}, each with a stop {entry['stop']}"
        remedy = "name the school in 'urn'" if len(stops) else "see the card, or name the hotspot"
        raise InputError.one(path, what, remedy, describe_cell(row, "stop"))
    stops = own[own["hotspot"] == entry["hotspot"]]
    if len(stops):
        return stops
    spots = ledger.read_hotspots(date, date)
    if spots.empty:
        what = f"no week is handed out for {date}"
        raise InputError.one(path, what, HAND_OUT_REMEDY, describe_cell(row, "date"))
    spot = spots[spots["hotspot"] == entry["hotspot"]]
    if spot.empty:
        what = f"{quote_value(entry['hotspot'])} is not a hotspot of that week"
        raise InputError.one(path, what, "see the card", describe_cell(row, "hotspot"))
    urns = {str(entry["urn"])} if pd.notna(entry["urn"]) else set(own["urn"])
    if len(urns) != 1:
        what = describe_patrol_count(officer, date, urns)
        raise InputError.one(path, what, "name the school in 'urn'", describe_cell(row, "officer"))
    visited: pd.DataFrame = spot.assign(officer=officer, date=date, urn=urns.pop())
    return visited


def describe_patrol_count(officer: str, date: dt.date, urns: Collection[str]) -> str:
    """Why the school of a visit is not clear: none or several that the officer patrols."""
    return f"{officer} has {'no' if not urns else 'more than one'} patrol on {date}"


def build_visit(place: pd.Series, minutes: float, engagements: int | None, source: str) -> Visit:
    """A visit at a promised stop, or at a hotspot, of a row with officer, date and URN."""
    return Visit(
        officer=str(place["officer"]),
        date=place["date"],
        urn=str(place["urn"]),
        hotspot=str(place["hotspot"]),
        place=str(place["place"]),
        longitude=float(place["longitude"]),
        latitude=float(place["latitude"]),
        minutes=minutes,
        engagements=engagements,
        source=source,
    )
