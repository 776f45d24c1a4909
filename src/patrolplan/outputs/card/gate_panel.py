"""The panel of a card without a stop: to stay at the gate, why, and what is around it."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from patrolplan.hotspots.reasons import CrimeReason, Reason
from patrolplan.notes import NoteKind
from patrolplan.outputs import wording
from patrolplan.outputs.card.sentences import build_sentence
from patrolplan.outputs.cartography.fonts import print_whole
from patrolplan.outputs.note_words import describe_note
from patrolplan.outputs.reason_words import HARDLY_ANY, build_lines
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.turns import HEADINGS
from patrolplan.text import capitalise
from patrolplan.times import format_time

LOOK_FOR = "Look for: groups that wait for pupils, pupils who turn back or will not {}, traffic."
ASK = "Ask: which way {} do you avoid, and why?"
"""What to do while staying at the gate."""

ARRIVING = ("come in", "to school", "came from")
LEAVING = ("leave", "home", "went towards")
"""What pupils do at the gate before and after school."""

GATE_REASONS: tuple[NoteKind, ...] = ("nothing_worth_walk", "no_stop_in_time", "window_at_gate")
"""Notes on why no stop is made: they are in the panel, so they are not repeated as cautions."""

MAX_NEAREST = 3
"""Maximum number of hotspots that are named on a card without a stop."""


def build_gate_panel(plan: Plan, patrol: Patrol, *, with_months: bool) -> dict[str, Any]:
    """The panel of a card without a stop: to stay, until when, why, and what to look for."""
    arrive = wording.is_before_school(plan, patrol)
    do, where, came = ARRIVING if arrive else LEAVING
    return {
        "title": f"Stay at the gate until {format_time(patrol.gate_until_minutes)}",
        "why": _describe_gate_reason(plan, patrol),
        "tasks": [LOOK_FOR.format(do), ASK.format(where)],
        "most": f"Most {came}:",
        "nearest": [
            {
                "place": capitalise(print_whole(place)),
                "where": where,
                "grid": grid,
                "reasons": [build_sentence(build_lines(reasons, with_months=with_months)[0])],
            }
            for place, where, grid, reasons in list_nearest(plan, patrol)
        ],
    }


def _describe_gate_reason(plan: Plan, patrol: Patrol) -> str:
    """Why no stop is made."""
    if wording.is_at_gate(plan, patrol):
        return "This window is for the gate alone: no stop is planned."
    notes = [describe_note(note) for note in patrol.notes if note.kind in GATE_REASONS]
    if not notes:
        return f"{wording.describe_quality(patrol)}."
    return " ".join(notes)


def _is_known_for_something(reasons: Sequence[Reason]) -> bool:
    return bool(reasons) and not (
        isinstance(reasons[0], CrimeReason) and reasons[0].incidents in HARDLY_ANY
    )


def list_nearest(plan: Plan, patrol: Patrol) -> list[tuple[str, str, str, Sequence[Reason]]]:
    """Place, distance, grid reference and reasons of the hotspots nearest to the gate.

    Those where hardly anything is recorded are left out.
    """
    table = plan.hotspots
    table = table[[_is_known_for_something(reasons) for reasons in table["reasons"]]]
    if not len(table):
        return []
    stops = gpd.GeoSeries(table["stop"])
    east, north = stops.x.to_numpy() - patrol.x, stops.y.to_numpy() - patrol.y
    metres = np.hypot(east, north)
    order = np.argsort(metres.round(2), kind="stable")[:MAX_NEAREST]
    near = order[metres[order] <= plan.area.settings.patrol.radius_metres]
    crs = plan.area.settings.area.crs
    found = []
    for row in near.tolist():
        turn = round(np.degrees(np.arctan2(east[row], north[row])) / 45) % 8
        heading = HEADINGS[turn].removeprefix("head ")
        x, y = float(stops.x.iloc[row]), float(stops.y.iloc[row])
        where = f"{wording.format_metres(float(metres[row]))} {heading}"
        grid = wording.format_grid_reference(x, y, crs=crs)
        found.append((table["place"].iloc[row], where, grid, table["reasons"].iloc[row]))
    return found
