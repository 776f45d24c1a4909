"""The best week that differs from one handed out by few patrols only.

A programme like that of a whole week (`patrolplan.team.programme`) with two rows more: how many of
the patrols that stand may be taken out, and how many new ones may come. Its aims come one after the
other as in `patrolplan.team.solve`, except for the lowest dose, which one change hardly moves and
which would cost cards. With nothing to take out there are few options, and the answer is exact in a
moment; otherwise it is the best of so many nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from patrolplan.team.mip import MipBuilder
from patrolplan.team.problem import Bools, Ints, RotaProblem
from patrolplan.team.programme import add_objective, add_options, add_shortfall_variables
from patrolplan.team.solve import CHOSEN_ABOVE

MAX_NODES = 2_000
MAX_SECONDS = 20.0
"""Limits of one search; a team of the demo's size needs a fraction of a second."""

GAP = 1e-9


@dataclass(frozen=True, eq=False)
class ChangeLimits:
    """How a week may differ from the one handed out."""

    stands: Bools
    """(o,) options of patrols, and of those who walk along, that are in the week handed out."""
    max_out: int
    """Patrols that may be taken out of it."""
    max_new: int
    """Patrols that may be added."""
    must: Bools | None = None
    """(o,) options of which at least one is to be chosen."""
    not_all_of: tuple[Ints, ...] = ()
    """Sets of options that stand, none of which may be taken out as a whole: so that a second
    answer differs from the first."""


def find_few_changes(problem: RotaProblem, limits: ChangeLimits) -> Ints | None:
    """Rows of the best week within the limits; None where there is none.

    Options that must stay are locked in the problem; the others of `limits.stands` may be taken
    out.
    """
    if not len(problem):
        return np.zeros(0, dtype=np.int64) if limits.must is None else None
    model = MipBuilder()
    x = add_options(model, problem)
    aims = list(_add_aims(model, problem, x))
    add_objective(model, problem, x)
    leads = ~_find_companions(problem)
    counted = limits.stands & leads
    _add_row(model, x[counted], lower=float(counted.sum() - limits.max_out))
    _add_row(model, x[~limits.stands & leads], upper=float(limits.max_new))
    if limits.must is not None:
        _add_row(model, x[limits.must], lower=1.0)
    for rows in limits.not_all_of:
        _add_row(model, x[rows], lower=1.0)
    programme = model.build()
    for columns, row in aims:
        least = np.zeros(model.columns)
        least[columns] = -1.0
        answer = replace(programme, objective=least).solve(
            gap=GAP, nodes=MAX_NODES, seconds=MAX_SECONDS
        )
        if not len(answer.values):
            return None
        upper = programme.row_upper.copy()
        upper[row] = round(-answer.objective)
        programme = replace(programme, row_upper=upper)
    answer = programme.solve(gap=GAP, nodes=MAX_NODES, seconds=MAX_SECONDS)
    if not len(answer.values):
        return None
    return np.flatnonzero(answer.values[x] > CHOSEN_ABOVE)


def _add_aims(model: MipBuilder, problem: RotaProblem, x: Ints) -> Iterator[tuple[Ints, int]]:
    """Columns whose sum is to be least, one aim after the other, and the row that will hold it."""
    target = np.minimum(problem.min_patrols, problem.open_days)
    yield _add_aim(model, add_shortfall_variables(model, problem, x, target))


def _add_aim(model: MipBuilder, columns: Ints) -> tuple[Ints, int]:
    _add_row(model, columns, upper=np.inf)
    return columns, model.rows - 1


def _add_row(
    model: MipBuilder, columns: Ints, *, lower: float = -np.inf, upper: float = np.inf
) -> None:
    """Bound the sum of some columns."""
    rows = np.zeros(len(columns), dtype=np.int64)
    model.add_constraints((rows, columns, 1.0), lower=lower, upper=upper, count=1)


def _find_companions(problem: RotaProblem) -> Bools:
    """(o,) options of those who walk along with another."""
    if problem.is_companion is None:
        return np.zeros(len(problem), dtype=bool)
    return np.asarray(problem.is_companion[problem.route])
