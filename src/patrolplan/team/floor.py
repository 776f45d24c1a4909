"""What comes before the worth of a week: the least of every school, and the lowest dose."""

from dataclasses import dataclass, replace

import numpy as np

from patrolplan.team.constraints import add_options, add_shortfall_variables
from patrolplan.team.mip import MipBuilder
from patrolplan.team.problem import Floats, Ints, RotaProblem

CHOSEN_ABOVE = 0.5

MINUTES_TOLERANCE = 1e-6

IMPOSSIBLE = -1
"""Patrols missing where no week keeps the rules, however few patrols it has."""

DOSE_STEP_MINUTES = 0.01
"""Minutes by which a dose must be longer to count as higher."""

MAX_DOSE_NODES = 2_000
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


def find_floor(problem: RotaProblem) -> Floor:
    """The least of every school; where all have it, the lowest dose as high as it can be.

    A school that can have no more than less, since it is open on few days or its routes have few
    stops, counts as far as it can. A little more than what was found is asked for until it cannot
    be: what comes next depends on the dwells, and on which of them add up.
    """
    patrols = problem.exact_patrols
    if patrols is None:
        patrols = np.minimum(problem.min_patrols, problem.open_days)
    floor = _reach_floor(problem, patrols)
    if floor.missing or problem.exact_patrols is not None or not problem.visit_minutes.any():
        return floor
    highest = _compute_max_dose(problem)
    while True:
        dose = np.bincount(
            problem.school[floor.chosen],
            compute_option_dose(problem)[floor.chosen],
            problem.schools,
        )
        short = dose < highest - MINUTES_TOLERANCE
        if not short.any():
            return replace(floor, dose=highest)
        level = float(dose[short].min())
        higher = _reach_floor(problem, patrols, np.minimum(level + DOSE_STEP_MINUTES, highest))
        if higher.missing:
            return replace(floor, dose=np.minimum(level, highest))
        floor = higher


def compute_option_dose(problem: RotaProblem) -> Floats:
    """(o,) minutes of dose that each option gives, in all its stops."""
    route = np.bincount(
        problem.visits[:, 0], problem.visit_minutes, minlength=len(problem.route_school)
    )
    return np.asarray(route[problem.route])


def add_floor(model: MipBuilder, problem: RotaProblem, x: Ints, floor: Floor) -> Ints:
    """Hold a programme to it: gives the columns of the patrols that are missing."""
    lacking = add_shortfall_variables(model, problem, x, floor.patrols)
    model.add_constraints(
        (np.zeros(len(lacking), dtype=np.int64), lacking, 1.0), upper=float(floor.missing), count=1
    )
    dosed = np.flatnonzero(floor.dose > 0)
    row = np.full(problem.schools, -1)
    row[dosed] = np.arange(len(dosed))
    mine = row[problem.school] >= 0
    model.add_constraints(
        (row[problem.school[mine]], x[mine], compute_option_dose(problem)[mine]),
        lower=floor.dose[dosed] - MINUTES_TOLERANCE,
        count=len(dosed),
    )
    return lacking


def _compute_max_dose(problem: RotaProblem) -> Floats:
    """(s,) dose of a school with its longest patrols on every day."""
    number = problem.route_number[problem.route] - 1
    together = int(number.max(initial=0)) + 1
    best = np.zeros(problem.schools * len(problem.dates) * together)
    np.maximum.at(best, problem.school_day * together + number, compute_option_dose(problem))
    return np.asarray(best.reshape(problem.schools, -1).sum(axis=1))


def _reach_floor(problem: RotaProblem, patrols: Ints, dose: Floats | None = None) -> Floor:
    """As few patrols missing of a target as can be, each school with a dose at least.

    Where that dose cannot be, one patrol counts as missing.
    """
    model = MipBuilder()
    x = add_options(model, problem)
    none = np.zeros(problem.schools)
    if dose is None:
        lacking = add_shortfall_variables(model, problem, x, patrols)
        model.objective[-1] = np.full(len(lacking), -1.0)
    else:
        add_floor(model, problem, x, Floor(patrols, 0, dose, np.zeros(0, dtype=np.int64)))
    answer = model.build().solve(gap=0.0, nodes=MAX_DOSE_NODES)
    if not len(answer.values):
        missing = IMPOSSIBLE if dose is None else 1
        return Floor(patrols, missing, none, np.zeros(0, dtype=np.int64))
    chosen = np.flatnonzero(answer.values[x] > CHOSEN_ABOVE)
    return Floor(patrols, round(-answer.objective), none if dose is None else dose, chosen)
