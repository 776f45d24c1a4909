"""Doses delivered, entered on the board: into the same ledger as `patrolplan record`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from patrolplan.board.edits import find_duty, refuse
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.ledger.address import open_existing_ledger
from patrolplan.team.ledger.delivered import Answer, build_typed_visits, find_promised_stops
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.ledger.promised import build_promised_week, get_place_id
from patrolplan.team.week_editor import PatrolSlot, get_slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.settings import Settings
    from patrolplan.tables import Reason
    from patrolplan.team.week import Week


DeliveredBySlot = dict[PatrolSlot, tuple[list[float], int | None]]
"""Minutes at each stop of a patrol, and the people spoken to; None where not recorded."""


def record_doses(
    settings: Settings,
    week: Week,
    slot: PatrolSlot,
    minutes: Sequence[float],
    engagements: int | None,
    *,
    people: int | None = None,
    reason: Reason | None = None,
) -> str:
    """Enter what a patrol delivered and return it in words; entered again it is corrected.

    The present week is handed out in the ledger first, so that promised and delivered minutes
    belong to the same patrol. `minutes` has a number for each stop in the order of the card, 0
    where it was not visited; `engagements`, the people spoken to on the whole patrol, are entered
    at its first visited stop. `people` is how many came, None for the crew as handed out; `reason`
    says why a stop had fewer minutes than planned. Raises InvalidEditError when there is no such
    patrol or not a number for each stop, LedgerError when the ledger cannot be written.
    """
    duty = find_duty(week, slot)
    if len(minutes) != len(duty.patrol.stops):
        refuse(f"{len(minutes)} numbers for {len(duty.patrol.stops)} stops; write one for each")
    if not minutes:
        refuse(f"{slot}: stays at the gate; there is no dose to enter")
    first = next((row for row, value in enumerate(minutes) if value > 0), 0)
    elsewhere = None if engagements is None else 0
    planned = [round(stop.leave_minutes - stop.arrive_minutes) for stop in duty.patrol.stops]
    answers = [
        Answer(
            float(value),
            engagements if row == first else elsewhere,
            reason if value < planned[row] else None,
        )
        for row, value in enumerate(minutes)
    ]
    count = len(duty.people) if people is None else people
    crew = duty.crew if count >= len(duty.people) else ()
    with open_ledger(settings) as ledger:
        ledger.hand_out(build_promised_week(week))
        stops = find_promised_stops(ledger, slot.officer, slot.date)
        stops = stops[(stops["urn"] == slot.urn) & (stops["window"] == duty.patrol.window)]
        entries = ledger.record(build_typed_visits(stops, answers, crew, people=count))
    outcomes = {entry.outcome for entry in entries}
    how = "corrected" if "corrected" in outcomes else "entered"
    if outcomes == {"same"}:
        how = "already entered"
    return f"Doses {how}: {slot}, {sum(minutes):g} minutes"


def load_delivered(settings: Settings, week: Week) -> DeliveredBySlot:
    """What was delivered by each patrol of a week, as the ledger has it."""
    ledger = open_existing_ledger(settings)
    if ledger is None:
        return {}
    with ledger:
        table = ledger.read_delivered(week.days[0], week.days[-1])
    table["window"] = table["window"].where(table["window"] != "", AFTER_SCHOOL)
    visits = {
        (row["officer"], row["urn"], row["date"], row["window"] or AFTER_SCHOOL, row["id"]): row
        for row in table.to_dict("records")
    }
    delivered: DeliveredBySlot = {}
    for duty in week.duties:
        patrol = (duty.officer, duty.urn, duty.date, duty.patrol.window)
        ids = [get_place_id(stop) for stop in duty.patrol.stops]
        rows = [visits.get((*patrol, one)) for one in ids]
        recorded = [row for row in rows if row is not None]
        if recorded:
            # Stops at one place are one visit: each has its part.
            minutes = [
                0.0 if row is None else float(row["minutes"]) / ids.count(one)
                for one, row in zip(ids, rows, strict=True)
            ]
            recorded = list({row["id"]: row for row in recorded}.values())
            spoken = [int(row["engagements"]) for row in recorded if pd.notna(row["engagements"])]
            delivered[get_slot(duty)] = (minutes, sum(spoken) if spoken else None)
    return delivered
