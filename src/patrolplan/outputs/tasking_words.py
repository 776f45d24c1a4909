"""Taskings in words: what intelligence requests at a place, or why to keep away from it."""

from typing import TYPE_CHECKING

from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.note_words import format_span
from patrolplan.outputs.wording import format_grid_reference

if TYPE_CHECKING:
    from patrolplan.patrols.plan import BarredPlace, Tasking


def describe_tasking(tasking: "Tasking") -> str:
    """Hours and reason of a tasking, who requested it and until when."""
    until = f"{tasking.until.day} {tasking.until:%B %Y}"
    hours = f"{format_span(tasking.hours)}, " if tasking.hours else ""
    reason = tasking.reason.strip().rstrip(".;")
    return f"{hours}{reason} (requested by {tasking.by}, until {until})"


def describe_barred(barred: "BarredPlace", *, crs: str = BRITISH_GRID) -> str:
    """A place to keep away from, where it is, and why."""
    grid = format_grid_reference(barred.x, barred.y, crs=crs)
    where = f"{barred.place} ({grid})" if grid else barred.place
    return f"Keep away from {where}, {barred.tasking.place_id}: {describe_tasking(barred.tasking)}."
