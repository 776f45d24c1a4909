"""What comes before the worth of a week: the least of every school, and the lowest dose."""

from dataclasses import dataclass, replace

import numpy as np

from patrolplan.team.constraints import add_least, add_options
from patrolplan.team.mip import Model
from patrolplan.team.problem import Floats, Ints, RotaProblem

CHOSEN = 0.5

EPSILON = 1e-6

IMPOSSIBLE = -1
"""Patrols missing where no week keeps the rules, however few patrols it has."""

MORE = 0.01
"""Minutes by which a dose must be longer to count as higher."""

NODES = 2_000
"""Nodes of the search tree after which a higher dose counts as out of reach."""


@dataclass(frozen=True, eq=False)
class Floor:
    """What every school gets.

    Parameters
    ----------
    patrols
        (s,) patrols aimed at.
    missing
        How many of them must be missing, over all schools; `IMPOSSIBLE` where no week is.
    dose
        (s,) least minutes of dose in the week.
    chosen
        Options that show it can be.
    """

    patrols: Ints
    missing: int
    dose: Floats
    chosen: Ints


def floor_of(problem: RotaProblem) -> Floor:
    """The least of every school; where all have it, the lowest dose as high as it can be.

    A school that can have no more than less, since it is open on few days or its routes have few
    stops, counts as far as it can. A little more than what was found is asked for until it cannot
    be: what comes next depends on the dwells, and on which of them add up.
    """
    patrols = problem.exact
    if patrols is None:
        patrols = np.minimum(problem.least, problem.open_days)
    floor = _reached(problem, patrols)
    if floor.missing or problem.exact is not None or not problem.visit_minutes.any():
        return floor
    highest = _highest_dose(problem)
    while True:
        dose = np.bincount(
            problem.school[floor.chosen], option_dose(problem)[floor.chosen], problem.schools
        )
        short = dose < highest - EPSILON
        if not short.any():
            return replace(floor, dose=highest)
        level = float(dose[short].min())
        higher = _reached(problem, patrols, np.minimum(level + MORE, highest))
        if higher.missing:
            return replace(floor, dose=np.minimum(level, highest))
        floor = higher


def option_dose(problem: RotaProblem) -> Floats:
    """(o,) minutes of dose that each option gives, in all its stops."""
    route = np.bincount(
        problem.visits[:, 0], problem.visit_minutes, minlength=len(problem.route_school)
    )
    return np.asarray(route[problem.route])


def add_floor(model: Model, problem: RotaProblem, x: Ints, floor: Floor) -> Ints:
    """Hold a programme to it: gives the columns of the patrols that are missing."""
    lacking = add_least(model, problem, x, floor.patrols)
    model.constrain(
        (np.zeros(len(lacking), dtype=np.int64), lacking, 1.0), upper=float(floor.missing), count=1
    )
    dosed = np.flatnonzero(floor.dose > 0)
    row = np.full(problem.schools, -1)
    row[dosed] = np.arange(len(dosed))
    mine = row[problem.school] >= 0
    model.constrain(
        (row[problem.school[mine]], x[mine], option_dose(problem)[mine]),
        lower=floor.dose[dosed] - EPSILON,
        count=len(dosed),
    )
    return lacking


def _highest_dose(problem: RotaProblem) -> Floats:
    """(s,) dose of a school with its longest patrols on every day."""
    number = problem.route_number[problem.route] - 1
    together = int(number.max(initial=0)) + 1
    best = np.zeros(problem.schools * len(problem.dates) * together)
    np.maximum.at(best, problem.school_day * together + number, option_dose(problem))
    return np.asarray(best.reshape(problem.schools, -1).sum(axis=1))


def _reached(problem: RotaProblem, patrols: Ints, dose: Floats | None = None) -> Floor:
    """As few patrols missing of a target as can be, each school with a dose at least.

    Where that dose cannot be, one patrol counts as missing.
    """
    model = Model()
    x = add_options(model, problem)
    none = np.zeros(problem.schools)
    if dose is None:
        lacking = add_least(model, problem, x, patrols)
        model.worth[-1] = np.full(len(lacking), -1.0)
    else:
        add_floor(model, problem, x, Floor(patrols, 0, dose, np.zeros(0, dtype=np.int64)))
    answer = model.programme().solve(gap=0.0, nodes=NODES)
    if not len(answer.values):
        missing = IMPOSSIBLE if dose is None else 1
        return Floor(patrols, missing, none, np.zeros(0, dtype=np.int64))
    chosen = np.flatnonzero(answer.values[x] > CHOSEN)
    return Floor(patrols, round(-answer.worth), none if dose is None else dose, chosen)
