"""What `record` prints: outcomes of visits, and the monthly return."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import patrolplan as pp
from patrolplan.cli import console
from patrolplan.text import pick_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from rich.table import Table

    from patrolplan.team.ledger.visits import Outcome, VisitEntry


OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "new": ("recorded", "recorded"),
    "corrected": ("corrected", "corrected"),
    "same": ("already_recorded", "already recorded"),
}
"""JSON key and words of each outcome of a visit."""


def print_entries(
    ledger: pp.Ledger, entries: Sequence[VisitEntry], notes: Sequence[str], *, as_json: bool
) -> None:
    """Print the outcome of each visit, what is odd about them, and the number of each outcome."""
    from patrolplan.team.ledger.delivered import find_odd_visits

    notes = [*notes, *find_odd_visits(ledger, entries)]
    outcomes = [entry.outcome for entry in entries]
    counts = {key: outcomes.count(outcome) for outcome, (key, _) in OUTCOMES.items()}
    visits = [_build_entry_document(entry) for entry in entries]
    told = [f"{outcomes.count(name)} {words}" for name, (_, words) in OUTCOMES.items()]
    total = ", ".join(part for part in told if not part.startswith("0 ")) or "Nothing to record"
    lines = [*map(_describe_entry, entries), *(f"note: {note}" for note in notes), f"{total}."]
    console.print_result({**counts, "visits": visits, "notes": notes}, lines, as_json=as_json)


def _describe_entry(entry: VisitEntry) -> str:
    visit, (_, outcome) = entry.visit, OUTCOMES[entry.outcome]
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
        "outcome": OUTCOMES[entry.outcome][1],
        "minutes_before": entry.minutes_before,
    }


def build_row_documents(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table with plain values: dates as text, missing numbers as None."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {
            str(name): f"{value}" if isinstance(value, dt.date) else value
            for name, value in row.items()
        }
        for row in plain.to_dict("records")
    ]


SHOWN = ("by-week", "by-officer", "by-school", "by-hotspot", "by-designated", "by-polygon")
"""The tables of a return in the order of the screen; why visits were not made comes last."""
FIGURES = ("visits>", "not recorded>", "minutes>", "%>", "presence>", "person>", "spoken to>")


def list_return(tables: dict[str, pd.DataFrame]) -> list[str | Table]:
    """Planned against delivered, and why planned minutes were not delivered."""
    from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS

    figures, narrow = {*FIGURE_COLUMNS, "delivered_percent"}, {"week", "officer", "urn", "hotspot"}
    parts: list[str | Table] = []
    for name in filter(tables.__contains__, SHOWN):
        keys = [str(key) for key in tables[name].columns if key not in figures]
        headings = (*(f"{key}!" if key in narrow else key for key in keys), *FIGURES)
        rows = [
            (*(f"{row[key]}" for key in keys), *_format_figures(row))
            for row in build_row_documents(tables[name])
        ]
        title = f"Delivered of planned, {name.replace('-', ' ')}"
        parts.append(console.build_table(*headings, rows=rows, title=title))
    reasons = [
        (row["reason"], f"{row['visits']}", f"{row['minutes']:.0f}")
        for row in build_row_documents(tables["by-reason"])
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
