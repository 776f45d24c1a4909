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
    crowded = _highest(problem, option, cell, minutes, rest) > room + EPSILON
    crowded &= np.bincount(cell[free], minlength=cells) > 0
    highest = _highest(problem, option, cell, minutes, could)
    above = highest > room + EPSILON
    held = rest & (crowded & ~above)[cell]
    _hold(model, cell[held], x[option[held]], minutes[held], np.maximum(0.0, room))
    asked = rest & (crowded & above)[cell]
    who = problem.officer[option[asked]]
    columns = x[option[asked]]
    _hold_back(model, (cell[asked], who, columns, minutes[asked]), free[asked], room, highest)


def _highest(
    problem: RotaProblem, option: Ints, cell: Ints, minutes: Floats, which: Bools
) -> Floats:
    """(c,) minutes that these visits could come to: officers and schools have one patrol a day."""
    option, cell, minutes = option[which], cell[which], minutes[which]
    cells = len(problem.weight) * len(problem.dates)
    place = problem.route_school * (1 + int(problem.route_number.max(initial=0)))
    place += problem.route_number
    found = np.full(cells, np.inf)
    for owner in (problem.officer[option], place[problem.route[option]]):
        many = 1 + int(owner.max(initial=0))
        pair, row = np.unique(cell * many + owner, return_inverse=True)
        longest = np.zeros(len(pair))
        np.maximum.at(longest, row, minutes)
        found = np.minimum(found, np.bincount(pair // many, longest, cells))
    return found


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
    model: Model,
    visits: tuple[Ints, Ints, Ints, Floats],
    free: Bools,
    room: Floats,
    highest: Floats,
) -> None:
    """Where forced visits may go above the most, let others come only if all stay under it.

    Parameters
    ----------
    model
        The programme.
    visits
        Cell, officer, column and minutes of each visit.
    free
        Which of them are not forced.
    room, highest
        (c,) minutes left under the most, and minutes that forced visits could come to.
    """
    cell, officer, columns, minutes = visits
    there, row = np.unique(cell, return_inverse=True)
    comes = model.variables(np.zeros(len(there)))
    many = 1 + int(officer.max(initial=0))
    pair, place = np.unique(row[free] * many + officer[free], return_inverse=True)
    model.constrain(
        (place, columns[free], 1.0),
        (np.arange(len(pair)), comes[pair // many], -1.0),
        upper=0.0,
        count=len(pair),
    )
    model.constrain(
        (row, columns, minutes),
        (np.arange(len(there)), comes, (highest - np.maximum(0.0, room))[there]),
        upper=highest[there] + EPSILON,
        count=len(there),
    )
