"""What a card without a stop says: to stay at the gate, why, and what lies around it."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from patrolplan.hotspots.reasons import Reason
from patrolplan.outputs import wording
from patrolplan.outputs.card.sentences import build_sentence
from patrolplan.outputs.cartography.fonts import print_whole
from patrolplan.outputs.reason_words import describe_reason
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.turns import HEADINGS
from patrolplan.text import capitalise
from patrolplan.times import format_time

GATE_TASKS = (
    "Look for: groups that wait for pupils, pupils who turn back or will not leave, traffic.",
    "Ask: which way home do you avoid, and why?",
)
"""What to do for as long as one stays at the gate."""


MAX_NEAREST = 3
"""Hotspots that are named on a card without a stop."""


def build_gate_panel(plan: Plan, patrol: Patrol) -> dict[str, Any]:
    """What a card without a stop says: to stay, until when, why, and what to look for."""
    return {
        "title": f"Stay at the gate until {format_time(patrol.gate_until_minutes)}",
        "why": f"{wording.describe_quality(patrol)}.",
        "tasks": list(GATE_TASKS),
        "nearest": [
            {
                "place": capitalise(print_whole(place)),
                "where": where,
                "grid": grid,
                "reasons": [
                    build_sentence(describe_reason(reason), reason) for reason in reasons[:1]
                ],
            }
            for place, where, grid, reasons in list_nearest(plan, patrol)
        ],
    }


def list_nearest(plan: Plan, patrol: Patrol) -> list[tuple[str, str, str, Sequence[Reason]]]:
    """Place, distance, grid reference and reasons of the hotspots nearest to the gate."""
    table = plan.hotspots
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
