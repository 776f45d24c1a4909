"""The officers, for the page: hours, role, leave and appointments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patrolplan.board.appointments import list_appointments
from patrolplan.inputs.small_tables import WEEKDAYS

if TYPE_CHECKING:
    from patrolplan.board.board_state import BoardState
    from patrolplan.outputs.week.roster import Roster


def build_officer_rows(state: BoardState, roster: Roster) -> list[dict[str, Any]]:
    """Every officer of the week."""
    inputs, days = state.editor.inputs, roster.week.days
    table = inputs.area.officers.drop_duplicates("officer").set_index("officer")
    appointments = list_appointments(state)
    rows = []
    for number, officer in enumerate(roster.officers):
        absent = inputs.absent.get(officer.name, frozenset())
        weekly = table.loc[officer.name] if officer.name in table.index else None
        rows.append(
            {
                "officer": officer.name,
                "schools": list(officer.schools),
                "max_patrols": int(inputs.max_patrols[number])
                if number < len(inputs.max_patrols)
                else 0,
                "patrols": sum(
                    officer.name in {duty.officer, *duty.crew} for duty in roster.week.duties
                ),
                "hours": {
                    f"{day}": ""
                    if weekly is None or day in absent
                    else weekly[WEEKDAYS[day.weekday()]]
                    for day in days
                },
                "absent": [f"{day}" for day in sorted(absent)],
                "appointments": appointments.get(officer.name, {}),
                "mode": officer.mode,
                "role": "officer" if weekly is None else weekly["role"],
                "alone": True if weekly is None else bool(weekly["alone"]),
            }
        )
    return rows
