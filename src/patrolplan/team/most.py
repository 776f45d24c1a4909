"""A most of minutes a hotspot a day: who may still come, and what may go above it.

No visit may bring a hotspot above the most on a day, except one that is forced: a place that
intelligence has every patrol of a school visit, or a patrol locked by hand that has no route
past it. So wherever a hotspot gets more, every visit of that day was forced. Forced visits come
before the most, and the most before the least of a school.
"""

import numpy as np

from patrolplan.team.model import Model
from patrolplan.team.problem import Bools
from patrolplan.team.problem import Floats
from patrolplan.team.problem import Ints
from patrolplan.team.problem import RotaProblem

EPSILON = 1e-6
"""Minutes that rounding may add."""


def forced_visits(problem: RotaProblem) -> Bools:
    """(w,) for every stop of every option, whether the most of a day does not hold it.

    It is a place that must be visited, or its option fulfils a lock whose options all stop there.
    """
    option, visit = problem.option_visits
    forced = problem.must[visit]
    held = problem.lock[option] >= 0
    if problem.locks_first:
        return np.asarray(forced | held)
    hotspot = problem.visits[visit, 1]
    many = len(problem.weight)
    lock = problem.lock[option[held]]
    place, row = np.unique(lock * many + hotspot[held], return_inverse=True)
    there = np.unique(np.stack([row, option[held]], axis=1), axis=0)[:, 0]
    options = np.bincount(problem.lock[problem.lock >= 0], minlength=1)
    every = np.bincount(there, minlength=len(place)) == options[place // many]
    forced[held] |= every[row]
    return np.asarray(forced)


def add_most(model: Model, problem: RotaProblem, x: Ints) -> None:
    """Hold every hotspot to its most on every day where more could come together."""
    option, visit = problem.option_visits
    cell = problem.visits[visit, 1] * len(problem.dates) + problem.day[option]
    minutes, forced = problem.visit_minutes[visit], forced_visits(problem)
    free = ~forced
    sure = forced & problem.fixed[option]
    cells = len(problem.weight) * len(problem.dates)
    given = np.bincount(cell[sure], minutes[sure], cells)
    room = np.asarray(problem.most_minutes - given, dtype=np.float64)
    could = forced & ~sure
    rest = free | could
    crowded = _highest(problem, option[rest], cell[rest], minutes[rest], cells) > room + EPSILON
    crowded &= np.bincount(cell[free], minlength=cells) > 0
    open_ended = np.bincount(cell[could], minlength=cells) > 0
    held = free & (crowded & ~open_ended)[cell]
    _hold(model, cell[held], x[option[held]], minutes[held], np.maximum(0.0, room))
    asked = rest & (crowded & open_ended)[cell]
    _hold_back(model, cell[asked], x[option[asked]], minutes[asked], free[asked], room)


def _highest(problem: RotaProblem, option: Ints, cell: Ints, minutes: Floats, cells: int) -> Floats:
    """(c,) minutes that could come together: an officer comes once a day."""
    pair, row = np.unique(
        cell * len(problem.most_patrols) + problem.officer[option], return_inverse=True
    )
    longest = np.zeros(len(pair))
    np.maximum.at(longest, row, minutes)
    return np.asarray(
        np.bincount(pair // len(problem.most_patrols), longest, cells), dtype=np.float64
    )


def _hold(model: Model, cell: Ints, columns: Ints, minutes: Floats, room: Floats) -> None:
    """Hold the minutes of each cell to its room; equal visits by how many of them fit."""
    there, row = np.unique(cell, return_inverse=True)
    shortest = np.full(len(there), np.inf)
    longest = np.zeros(len(there))
    np.minimum.at(shortest, row, minutes)
    np.maximum.at(longest, row, minutes)
    fit = (room[there] + EPSILON) / shortest
    most = np.where(longest - shortest < EPSILON, np.floor(fit), fit)
    model.constrain((row, columns, minutes / shortest[row]), upper=most, count=len(there))


def _hold_back(
    model: Model, cell: Ints, columns: Ints, minutes: Floats, free: Bools, room: Floats
) -> None:
    """Where forced visits may come, let others come only as long as all stay under the most."""
    there, row = np.unique(cell, return_inverse=True)
    comes = model.variables(np.zeros(len(there)))
    each = np.arange(int(free.sum()))
    model.constrain(
        (each, columns[free], 1.0), (each, comes[row[free]], -1.0), upper=0.0, count=len(each)
    )
    highest = np.bincount(row, minutes, len(there))
    model.constrain(
        (row, columns, minutes),
        (np.arange(len(there)), comes, highest - room[there]),
        upper=highest + EPSILON,
        count=len(there),
    )
