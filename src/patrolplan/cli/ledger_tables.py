"""What `record` prints: outcomes of visits, and the monthly return."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from rich.table import Table

import patrolplan as pp
from patrolplan.cli import console
from patrolplan.text import pick_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from patrolplan.team.ledger.visits import Outcome, VisitEntry


OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "new": ("recorded", "recorded"),
    "corrected": ("corrected", "corrected"),
    "same": ("already_recorded", "already recorded"),
}
"""JSON key and words of each outcome of a visit."""


def print_entries(
    ledger: pp.Ledger, entries: Sequence[VisitEntry], *, as_json: bool, notes: Sequence[str] = ()
) -> None:
    """Print the outcome of each visit, and the number of each outcome."""
    from patrolplan.team.ledger.delivered import find_odd_visits

    notes = [*notes, *find_odd_visits(ledger, entries)]
    outcomes = [entry.outcome for entry in entries]
    if as_json:
        counts = {key: outcomes.count(outcome) for outcome, (key, _) in OUTCOMES.items()}
        visits = [_build_entry_document(entry) for entry in entries]
        console.print_json({**counts, "visits": visits, "notes": list(notes)})
        return
    if entries:
        console.stdout.print(_build_entries_table(entries))
    console.print_notes(notes)
    parts = [f"{outcomes.count(name)} {words}" for name, (_, words) in OUTCOMES.items()]
    counts_text = ", ".join(part for part in parts if not part.startswith("0 "))
    console.stdout.print(f"{counts_text or 'Nothing to record'}.")


def _build_entries_table(entries: Sequence[VisitEntry]) -> Table:
    """One row per visit; officer and day are in the title if they are the same for all."""
    from patrolplan.team.week import format_day

    officer_days = {(entry.visit.officer, entry.visit.date) for entry in entries}
    officer, day = min(officer_days)
    shared = len(officer_days) == 1
    table = Table(title=f"{officer}, {format_day(day)}" if shared else None, title_justify="left")
    for heading in () if shared else ("officer", "date"):
        table.add_column(heading, no_wrap=True)
    is_joined = any(entry.visit.together for entry in entries)
    for heading in ("hotspot", "place", "minutes", *(["with"] if is_joined else []), "spoken to"):
        table.add_column(heading)
    table.add_column("")
    for entry in entries:
        visit = entry.visit
        _, outcome = OUTCOMES[entry.outcome]
        if entry.outcome == "corrected":
            outcome += f", was {entry.minutes_before:g}"
        spoken = "" if visit.engagements is None else str(visit.engagements)
        first = () if shared else (visit.officer, f"{visit.date}")
        joined = (", ".join(visit.together or ()),) if is_joined else ()
        minutes = f"{visit.minutes:g}"
        table.add_row(*first, visit.hotspot, visit.place, minutes, *joined, spoken, outcome)
    return table


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


def build_return_table(name: str, table: pd.DataFrame) -> Table:
    """Planned against delivered, for people to read."""
    from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS

    keys = [name for name in table.columns if name not in {*FIGURE_COLUMNS, "delivered_percent"}]
    printed = Table(title=f"Delivered of planned, {name.replace('-', ' ')}")
    for key in keys:
        printed.add_column(key, no_wrap=key in {"week", "officer", "urn", "hotspot"})
    for heading in ("visits", "not recorded", "minutes", "%", "presence", "person", "spoken to"):
        printed.add_column(heading, justify="right")
    for row in build_row_documents(table):
        percent = row["delivered_percent"]
        further = f", {row['further_visits']} further" if row["further_visits"] else ""
        printed.add_row(
            *(f"{row[key]}" for key in keys),
            f"{row['delivered_visits']} of {row['promised_visits']}{further}",
            f"{row['not_recorded']}",
            f"{row['delivered_minutes']:.0f} of {row['promised_minutes']:.0f}",
            "" if percent is None else f"{percent:.0f}",
            f"{row['presence_minutes']:.0f}",
            f"{row['person_minutes']:.0f} of {row['promised_person_minutes']:.0f}",
            f"{row['engagements']}",
        )
    return printed


def build_shortfall_table(table: pd.DataFrame) -> Table:
    """Why planned minutes were not delivered, for people to read."""
    printed = Table(title="Not delivered, by reason")
    printed.add_column("reason")
    for heading in ("visits", "minutes"):
        printed.add_column(heading, justify="right")
    for row in build_row_documents(table):
        printed.add_row(row["reason"], f"{row['visits']}", f"{row['minutes']:.0f}")
    return printed
