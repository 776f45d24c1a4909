"""Demands of a week: places tasked by intelligence, and new or rising hotspots near the gates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patrolplan.team.problem import Ints
from patrolplan.team.routes import Route
from patrolplan.team.week import DemandKind


@dataclass(frozen=True)
class Demand:
    """What a week should bring to a place."""

    kind: DemandKind
    place: str
    """Name of the tasked place, or of the hotspot."""
    days: tuple[int, ...]
    """Days of the week, from 0, on which a visit counts."""
    visits: int = 1
    officers: int = 1
    """People needed there together."""


def find_meeting_routes(demands: Sequence[Demand], routes: Sequence[Route]) -> Ints:
    """(m, 2) demand, and a route with a stop that meets it."""
    pairs = [
        (number, row)
        for number, demand in enumerate(demands)
        for row, route in enumerate(routes)
        if any(
            (demand.place == stop.tasked)
            if demand.kind == "tasked"
            else (demand.place in stop.covered)
            for stop in route.patrol.stops
        )
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
