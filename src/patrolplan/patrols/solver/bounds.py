"""An upper bound on the worth of large cases, where nothing can be enumerated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.compiled import Case
    from patrolplan.patrols.solver.compiled import Crew


def knapsack_bound(case: Case) -> float:
    """Bound the value by a fractional knapsack of all officers' minutes together.

    A stop takes its dwell and at least half of the cheapest way in and the cheapest way out;
    the officers' legs from the start and to the end take the other halves. Stops that exclude
    each other are bounded by the Lagrangian at the break ratio.
    """
    if not case.size:
        return 0.0
    weights = np.min([_weights(case, crew) for crew in case.crews], axis=0)
    room = math.fsum(len(crew.officers) * _room(case.size, crew) for crew in case.crews)
    ratio = np.where(weights > 0, case.value / np.maximum(weights, 1e-12), math.inf)
    order = np.argsort(-ratio, kind="stable")
    filled = np.cumsum(weights[order])
    beyond = int(np.searchsorted(filled, room, side="right"))
    price = float(ratio[order[beyond]]) if beyond < case.size else 0.0
    gains = np.maximum(case.value - price * weights, 0.0) if math.isfinite(price) else case.value
    # Of stops in the same exclusive set only one can gain.
    total = 0.0
    open_stops = np.ones(case.size, dtype=bool)
    for group in case.groups:
        members = group[open_stops[group]]
        total += float(gains[members].max(initial=0.0))
        open_stops[members] = False
    total += float(gains[open_stops].sum())
    return total + (price * max(room, 0.0) if math.isfinite(price) else 0.0)


def _weights(case: Case, crew: Crew) -> NDArray[np.float64]:
    size = case.size
    legs = crew.times[: size + 1, :size].copy()
    np.fill_diagonal(legs[:size], math.inf)
    out = crew.times[:size, [*range(size), size + 1]].copy()
    np.fill_diagonal(out[:, :size], math.inf)
    least = case.dwell + (legs.min(axis=0) + out.min(axis=1)) / 2
    return np.where(np.isfinite(least), least, 1e300)


def _room(size: int, crew: Crew) -> float:
    first = crew.times[size, :size].min(initial=math.inf)
    final = crew.times[:size, size + 1].min(initial=math.inf)
    room = crew.latest - crew.earliest - (first + final) / 2
    return room if math.isfinite(room) else 0.0
