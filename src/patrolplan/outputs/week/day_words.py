"""An officer's day in words: journeys, how long they take, and what is in between."""

from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.wording import format_minutes
from patrolplan.team.free_time import Appointment
from patrolplan.team.officer_day import DayItem
from patrolplan.team.travel import MODE_WORDS
from patrolplan.text import capitalise

APPOINTMENT_WORDS = {"sick": "Sick leave", "away": "Not available", "home_visit": "Home visit"}
"""Words for kinds of appointments, where they differ from the kind itself."""


def describe_appointment(roster: Roster, appointment: Appointment) -> str:
    """The kind of an appointment and its school; nothing else about it is stored."""
    kind = APPOINTMENT_WORDS.get(appointment.kind, capitalise(appointment.kind))
    school = roster.school_names.get(appointment.urn, "")
    return make_printable(f"{kind} at {school}" if school else kind)


def describe_way(roster: Roster, officer: str, item: DayItem) -> str:
    """The destination, mode and minutes of a journey."""
    minutes = format_minutes(round(item.to_minutes) - round(item.from_minutes))
    how = MODE_WORDS[roster.officer_modes.get(officer, "walk")]
    if item.towards == "base":
        return f"Back at the base ({how}, {minutes})"
    where = "the school" if item.towards == "gate" else "the appointment"
    return f"Set out from the base to {where} ({how}, {minutes})"
