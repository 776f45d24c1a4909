"""The best week that differs from one handed out by only a few patrols.

A programme like that of a whole week (`patrolplan.team.programme`) with two further constraints:
how many of the patrols handed out may be removed, and how many may be added. Its objectives are
ranked as in `patrolplan.team.solve`: visits by intelligence, every school's minimum, new and rising
hotspots, then few changes where that is wanted, and the worth. The lowest dose is not an objective:
one change hardly affects it, and it would void cards.

If nothing may be removed there are few options, and the answer is exact within a moment; otherwise
it is the best within a limit of nodes.
"""

from dataclasses import dataclass, replace

import numpy as np

from patrolplan.team.mip import MipBuilder
from patrolplan.team.problem import Bools, Ints, RotaProblem
from patrolplan.team.programme import (
    add_objective,
    add_options,
    add_shortfall_variables,
    add_unmet_variables,
)
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
    """Maximum number of patrols that may be removed from it."""
    max_new: int
    """Maximum number of patrols that may be added."""
    as_few_as_possible: bool = False
    """Whether fewer changes take precedence over the week's worth."""
    must: Bools | None = None
    """(o,) options at least one of which must be chosen."""
    not_all_of: tuple[Ints, ...] = ()
    """Sets of options of the week handed out, none of which may be removed as a whole, so that a
    second answer differs from the first."""


def find_few_changes(problem: RotaProblem, limits: ChangeLimits) -> Ints | None:
    """Rows of the best week within the limits; None where there is none."""
    # Options that must stay are locked in the problem; the others of `limits.stands` may be taken
    # out.
    if not len(problem):
        return np.zeros(0, dtype=np.int64) if limits.must is None else None
    model = MipBuilder()
    x = add_options(model, problem)
    leads = ~problem.is_along
    stands, new = x[limits.stands & leads], x[~limits.stands & leads]
    _add_row(model, stands, lower=float(len(stands) - limits.max_out))
    _add_row(model, new, upper=float(limits.max_new))
    aims = _add_aims(model, problem, x)
    if limits.as_few_as_possible:
        aims += [_add_aim(model, stands, -1.0), _add_aim(model, new)]
    add_objective(model, problem, x)
    if limits.must is not None:
        _add_row(model, x[limits.must], lower=1.0)
    for rows in limits.not_all_of:
        _add_row(model, x[rows], lower=1.0)
    programme = model.build()
    for aim in aims:
        least = np.zeros(model.columns)
        least[aim.columns] = -aim.factor
        answer = replace(programme, objective=least).solve(
            gap=GAP, nodes=MAX_NODES, seconds=MAX_SECONDS
        )
        if not len(answer.values):
            return None
        upper = programme.row_upper.copy()
        upper[aim.row] = round(-answer.objective)
        programme = replace(programme, row_upper=upper)
    answer = programme.solve(gap=GAP, nodes=MAX_NODES, seconds=MAX_SECONDS)
    if not len(answer.values):
        return None
    return np.flatnonzero(answer.values[x] > CHOSEN_ABOVE)


@dataclass(frozen=True)
class _Aim:
    """Columns whose sum times a factor is minimised, and the row that then fixes it."""

    columns: Ints
    factor: float
    row: int


def _add_aims(model: MipBuilder, problem: RotaProblem, x: Ints) -> list[_Aim]:
    """The objectives that come before the worth of a week, in order of precedence."""
    unmet = add_unmet_variables(model, problem, x)
    target = np.minimum(problem.min_patrols, problem.open_days)
    missing = add_shortfall_variables(model, problem, x, target)
    wanted = (unmet[problem.is_tasked], missing, unmet[~problem.is_tasked])
    return [_add_aim(model, columns) for columns in wanted if len(columns)]


def _add_aim(model: MipBuilder, columns: Ints, factor: float = 1.0) -> _Aim:
    _add_row(model, columns, factor=factor)
    return _Aim(columns, factor, model.rows - 1)


def _add_row(
    model: MipBuilder,
    columns: Ints,
    *,
    factor: float = 1.0,
    lower: float = -np.inf,
    upper: float = np.inf,
) -> None:
    """Bound the sum of some columns."""
    rows = np.zeros(len(columns), dtype=np.int64)
    model.add_constraints((rows, columns, factor), lower=lower, upper=upper, count=1)
