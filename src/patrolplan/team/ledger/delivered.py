"""Visits from the tick boxes of a card: typed at the keyboard, or read from a table."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from patrolplan.errors import InputError, Problems
from patrolplan.inputs.table_reader import describe_cell, quote_value
from patrolplan.tables import REASONS, Reason
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.visits import MAX_VISIT_MINUTES, Source, Visit, VisitEntry
from patrolplan.times import minutes_after_midnight

DATE_OPTION, OFFICER_OPTION = "--date", "--officer"
HAND_OUT_REMEDY = "hand the week out first: `patrolplan record --week DIR`"


def find_promised_stops(ledger: Ledger, officer: str, date: dt.date) -> pd.DataFrame:
    """An officer's promised stops of a day, in the order of the card."""
    day = ledger.read_promised(date, date)
    stops = day[day["officer"] == officer].reset_index(drop=True)
    if stops.empty:
        if ledger.read_hotspots(date, date).empty:
            raise InputError.one(DATE_OPTION, f"no week is handed out for {date}", HAND_OUT_REMEDY)
        on_duty = ", ".join(sorted(set(day["officer"]))) or "nobody"
        what = f"'{officer}' has no stops on {date} (on duty: {on_duty})"
        remedy = "name one of them (and others with --with), or use --csv for a stand-in"
        raise InputError.one(OFFICER_OPTION, what, remedy)
    return stops


REASON_BY_LETTER: dict[str, Reason] = {reason[0]: reason for reason in REASONS}
"""The reasons by their first letters, as typed."""


@dataclass(frozen=True)
class Answer:
    """The answer typed for a stop."""

    minutes: float
    engagements: int | None = None
    reason: Reason | None = None


def parse_answer(text: str, promised_minutes: float) -> Answer:
    """Read what was typed for one stop; raises ValueError when it is something else."""
    # Nothing means as promised, `-` not visited, `15` minutes, `15/2` minutes and engagements; a
    # letter after it says why it was not made or cut short: `-s` sick, `8i` an incident, `-a`
    # abstracted, `-w` the weather, `-o` another reason.
    reason = REASON_BY_LETTER.get(text.strip()[-1:].lower())
    text = text.strip()[:-1] if reason else text
    minutes_text, slash, spoken = (part.strip() for part in text.partition("/"))
    if slash and not (spoken.isascii() and spoken.isdigit() and len(spoken) <= 3):  # noqa: PLR2004
        message = f"{quote_value(spoken)} is not a number of people, 0 to 999"
        raise ValueError(message)
    engagements = int(spoken) if slash else None
    if minutes_text in {"", "="}:
        return Answer(promised_minutes, engagements, reason)
    try:
        minutes = 0.0 if minutes_text == "-" else float(minutes_text.replace(",", "."))
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= MAX_VISIT_MINUTES:
        value = quote_value(minutes_text)
        message = f"{value} is not a number of minutes from 0 to {MAX_VISIT_MINUTES:g}"
        raise ValueError(message)
    return Answer(minutes, engagements, reason)


def parse_answers(text: str, promised_minutes: Sequence[float]) -> tuple[Answer, ...]:
    """Read one line for all stops, such as `15 15 -`, `=` as promised; raises ValueError."""
    words = text.split()
    if len(words) != len(promised_minutes):
        message = f"{len(words)} answers for {len(promised_minutes)} stops"
        raise ValueError(message)
    return tuple(map(parse_answer, words, promised_minutes))


def parse_companions(text: str, officer: str, officers: Collection[str]) -> tuple[str, ...]:
    """Read the officers who came with another one: names joined by ";", or "-" for nobody."""
    # `officers` may be named; empty for any. A ValueError where one is not known, or the same.
    names = {name.strip() for name in text.split(";")} - {"", "-"}
    if officer in names:
        message = f"{officer} cannot come with {officer}"
        raise ValueError(message)
    unknown = sorted(names - set(officers)) if officers else []
    if unknown:
        some = ", ".join(sorted(officers)[:12])
        message = f"there is no officer {quote_value(unknown[0])} (known: {some})"
        raise ValueError(message)
    return tuple(sorted(names))


def build_typed_visits(
    stops: pd.DataFrame,
    answers: Sequence[Answer],
    together: tuple[str, ...] | None = None,
    *,
    people: int | None = None,
) -> tuple[Visit, ...]:
    """Visits of an officer's stops, as typed; `together` came with the officer, `people` in all."""
    visits: dict[tuple[str, str, str], Visit] = {}
    for (_, stop), answer in zip(stops.iterrows(), answers, strict=True):
        visit = build_visit(stop, "keyboard", **vars(answer), together=together, people=people)
        key = (visit.urn, visit.window, visit.id)
        visits[key] = _join_visits(visits[key], visit) if key in visits else visit
    return tuple(visits.values())


def _join_visits(first: Visit, second: Visit) -> Visit:
    """Two stops of one patrol at the same place."""
    spoken = [one.engagements for one in (first, second) if one.engagements is not None]
    return replace(
        first,
        minutes=first.minutes + second.minutes,
        engagements=sum(spoken) if spoken else None,
        reason=first.reason or second.reason,
    )


@dataclass(frozen=True)
class _TableRow:
    """A row of a table of visits, None where a cell is empty."""

    path: Path
    number: object
    cells: dict[str, Any]

    def refuse(self, column: str, what: str, remedy: str) -> NoReturn:
        """Raise InputError for what is wrong in a column."""
        raise InputError.one(self.path, what, remedy, describe_cell(self.number, column))


def build_table_visits(
    ledger: Ledger, table: pd.DataFrame, path: Path, officers: Collection[str] = ()
) -> tuple[Visit, ...]:
    """Visits of a table that `small_tables.read_visits` gave, each with the place it names."""
    # The ledger gives the week valid for a day, and so what a stop's number or a hotspot's name
    # means; `officers` may be named, empty for any. Stops of one patrol at the same place are one
    # visit. Raises InputError with every row that names no officer, no place, or a stop twice.
    if table.empty:
        raise InputError.one(path, "contains no visits", "write a row for each stop")
    promised = ledger.read_promised(table["date"].min(), table["date"].max())
    problems = Problems()
    visits: dict[tuple[str, ...], Visit] = {}
    named: set[tuple[object, ...]] = set()
    for number, entry in table.iterrows():
        cells = {str(name): None if pd.isna(cell) else cell for name, cell in entry.items()}
        row = _TableRow(path, number, cells)
        with problems.collect():
            together = _read_people(row, officers)
            place = _find_place(ledger, promised, row, together or ())
            visit = _build_row_visit(row, place, together)
            key = (visit.officer, str(visit.date), visit.urn, visit.window, visit.id)
            stop = (*key, place.get("stop"))
            if stop in named:
                what = f"{visit.officer} at {visit.hotspot} on {visit.date} appears twice"
                raise InputError.one(path, what, "keep one of the rows", f"row {number}")
            named.add(stop)
            visits[key] = _join_visits(visits[key], visit) if key in visits else visit
    problems.raise_if_any()
    return tuple(visits.values())


def _read_people(row: _TableRow, officers: Collection[str]) -> tuple[str, ...] | None:
    """Who came with a row's officer, who must be known; None where the cell is empty."""
    officer, together = row.cells["officer"], row.cells["with"]
    if officers and officer not in officers:
        known = ", ".join(sorted(officers)[:12])
        what = f"there is no officer {quote_value(officer)} (known: {known})"
        row.refuse("officer", what, "name one of them")
    if together is None:
        return None
    try:
        return parse_companions(str(together), str(officer), officers)
    except ValueError as error:
        row.refuse("with", str(error), "name the other officers, joined by ;, or - for nobody")


def _build_row_visit(row: _TableRow, place: pd.Series, together: tuple[str, ...] | None) -> Visit:
    """The visit of a row at a place: by whom, for how long, when, and why it was not made."""
    cells = row.cells
    if together and place["officer"] != cells["officer"]:  # a companion's own stop
        together = tuple(sorted({*together, cells["officer"]} - {place["officer"]}))
    spoken, people = (
        None if cells[name] is None else int(cells[name]) for name in ("engagements", "people")
    )
    given = {"minutes": float(cells["minutes"]), "engagements": spoken, "people": people}
    given |= {"arrive": cells["arrive"], "reason": cells["reason"]}
    visit = build_visit(place, "csv", **given, together=together)
    if people is not None and people < len(visit.names):
        came = " and ".join(sorted(visit.names))
        row.refuse("people", f"{people} is fewer than came ({came})", "count everyone who came")
    return visit


def _find_place(
    ledger: Ledger, promised: pd.DataFrame, row: _TableRow, together: Sequence[str]
) -> pd.Series:
    """Where a row's visit was: a promised stop, or another hotspot of the week."""
    # For an officer without a stop there, it is among those of the officers they came with.
    cells = row.cells
    date, officer, name = cells["date"], cells["officer"], cells["hotspot"]
    day: pd.DataFrame = promised[promised["date"] == date]
    for column in ("urn", "window"):
        if cells[column] is not None:
            day = day[day[column] == cells[column]]
    own, theirs = day[day["officer"] == officer], day[day["officer"].isin(together)]
    own = theirs if own.empty and together else own
    if cells["stop"] is not None:
        stops = own[own["stop"] == cells["stop"]]
        if len(stops) != 1:
            count = "no" if stops.empty else "more than one"
            ways = "the school in 'urn', the window in 'window', or the hotspot"
            what = f"{officer} has {count} stop {cells['stop']} on {date}"
            row.refuse("stop", what, f"see the card, or name {ways}")
        return pd.Series(stops.iloc[0])
    for candidates in (own, theirs):
        stops = candidates[candidates["hotspot"] == name]
        if len(stops):  # of several the one planned nearest to the time of arrival
            first = stops["arrive"].map(minutes_after_midnight)
            came = minutes_after_midnight(cells["arrive"]) if cells["arrive"] else first.iloc[0]
            return pd.Series(stops.loc[(first - came).abs().idxmin()])
    spots = ledger.read_hotspots(date, date)
    if spots.empty:
        row.refuse("date", f"no week is handed out for {date}", HAND_OUT_REMEDY)
    spot = spots[(spots["hotspot"] == name) & (spots["kind"] != "gate")]
    if spot.empty:
        row.refuse("hotspot", f"{quote_value(name)} is not a hotspot of that week", "see the card")
    urns = set(own["urn"]) if cells["urn"] is None else {str(cells["urn"])}
    if len(urns) != 1:
        what = describe_patrol_count(officer, date, urns)
        row.refuse("officer", what, "name the school in 'urn'")
    return pd.Series(spot.assign(officer=officer, date=date, urn=urns.pop()).iloc[0])


def describe_patrol_count(officer: str, date: dt.date, urns: Collection[str]) -> str:
    """Why the school of a visit is not clear: none or several that the officer patrols."""
    return f"{officer} has {'no' if not urns else 'more than one'} patrol on {date}"


LONG_TRACK_MINUTES, SPARE_MINUTES, DAYS_AHEAD = 300, 30, 31
"""Longest track of a patrol; minutes that visits may last beyond the stops' span; days to come."""


def find_odd_visits(ledger: Ledger, entries: Sequence[VisitEntry]) -> list[str]:
    """Days of officers in the future, with more minutes than a patrol has, or odd tracks."""
    found, by_day = [], dict[tuple[str, dt.date], list[Visit]]()
    for entry in entries:
        by_day.setdefault((entry.visit.officer, entry.visit.date), []).append(entry.visit)
    for (officer, day), visits in by_day.items():
        who = f"{officer} on {day}"
        if day > dt.datetime.now().astimezone().date() + dt.timedelta(days=DAYS_AHEAD):
            found.append(f"{who}: the day is in the future; correct the date.")
        stops = ledger.read_promised(day, day)
        stops = stops[stops["officer"] == officer]
        first = stops["arrive"].map(minutes_after_midnight)
        begin, end = first.min(), (first + stops["minutes"]).max()
        minutes = sum(visit.minutes for visit in visits)
        if minutes > end - begin + SPARE_MINUTES:
            what = f"{minutes:g} minutes are more than the patrol had ({end - begin:g})"
            found.append(f"{who}: {what}; correct them.")
        ends = [second / 60 for visit in visits for span in visit.tracks for second in span]
        if ends and max(ends) - min(ends) > LONG_TRACK_MINUTES:
            found.append(f"{who}: the track goes on for hours; stop it after the patrol.")
        if ends and (min(ends) > end + SPARE_MINUTES or max(ends) < begin - SPARE_MINUTES):
            found.append(f"{who}: the track is of another time than the patrol; check it.")
    return found


def build_visit(place: pd.Series, source: Source, **given: Any) -> Visit:  # noqa: ANN401 - fields
    """A visit at a promised stop, or at a hotspot, of a row with officer, date and URN."""
    names = ("officer", "urn", "id", "hotspot", "place")
    facts: dict[str, Any] = {name: str(place[name]) for name in names}
    facts |= {name: float(place[name]) for name in ("longitude", "latitude")}
    facts |= {"date": place["date"], "kind": place["kind"], "window": str(place.get("window", ""))}
    return Visit(**{**facts, **given}, source=source)
