"""Choose a week: the least of every school first, then the most worth, with a bound."""

import math
import time
from dataclasses import dataclass
from dataclasses import replace

import numpy as np

from patrolplan.team.blocks import add_least
from patrolplan.team.blocks import add_options
from patrolplan.team.blocks import add_worth
from patrolplan.team.model import Model
from patrolplan.team.problem import Ints
from patrolplan.team.problem import RotaProblem
from patrolplan.team.worth import worth_of

PROVEN = 1e-6
"""Relative gap at which a week counts as proven best."""


@dataclass(frozen=True)
class Stop:
    """When to stop looking.

    Equal inputs give equal weeks as long as the search ends by gap or nodes; a week that ends by
    the clock depends on the speed of the computer.

    Parameters
    ----------
    gap_percent
        A week this near to the bound is good enough.
    nodes
        Most nodes of the search tree.
    seconds
        Most wall-clock time.
    """

    gap_percent: float = 0.1
    nodes: int = 100_000
    seconds: float = math.inf


@dataclass(frozen=True, eq=False)
class RotaSolution:
    """Chosen options, their worth, the bound, and how many patrols schools lack of the least.

    `floor` is the lowest number of patrols that every school gets, as far as it is open.
    """

    chosen: Ints
    worth: float
    bound: float
    proven: bool
    missing: Ints
    floor: int

    @property
    def gap_percent(self) -> float:
        """How far below the bound it may be at most."""
        return 0.0 if self.bound <= 0 else max(0.0, 100 * (self.bound - self.worth) / self.bound)


def solve_rota(
    problem: RotaProblem, *, seed: int = 1, stop: Stop | None = None
) -> RotaSolution:
    """The week of most worth among those that give every school its least.

    First as few patrols as possible are missing of every school's least. Where none is, the
    lowest number of patrols of any school is raised as high as it can be for all of them (a
    school that is open on fewer days counts as far as it can). Then the worth is maximised.

    Parameters
    ----------
    problem
        The options.
    seed
        Decides between equal weeks.
    stop
        When to stop looking; by default at a gap of 0.1 %.
    """
    stop = stop or Stop()
    began = time.monotonic()
    order = np.random.default_rng(seed).permutation(len(problem))
    mixed = _in_order(problem, order)
    floor, missing, fallback = _floor(mixed)
    model = Model()
    x = add_options(model, mixed)
    lacking = add_least(model, mixed, x, np.minimum(floor, mixed.open_days))
    model.constrain(
        (np.zeros(len(lacking), dtype=np.int64), lacking, 1.0), upper=float(missing), count=1
    )
    add_worth(model, mixed, x)
    answer = model.solve(
        gap=stop.gap_percent / 100,
        nodes=stop.nodes,
        seconds=stop.seconds - (time.monotonic() - began),
    )
    taken = np.flatnonzero(answer.values[x] > 0.5) if len(answer.values) else fallback
    chosen = np.sort(order[taken])
    worth = worth_of(problem, chosen).total
    bound = max(worth, answer.bound)
    return RotaSolution(
        chosen=chosen,
        worth=worth,
        bound=bound,
        proven=bound - worth <= PROVEN * max(1.0, abs(bound)),
        missing=lacking_of(problem, chosen),
        floor=floor,
    )


def lacking_of(problem: RotaProblem, chosen: Ints) -> Ints:
    """(s,) how many patrols a school lacks of the least, closed or uncovered days included."""
    mine = chosen[problem.first[chosen]]
    return np.maximum(0, problem.least - np.bincount(problem.school[mine], minlength=problem.schools))


def _floor(problem: RotaProblem) -> tuple[int, int, Ints]:
    """The highest floor for all schools, what is missing of it, and options that reach it."""
    level = problem.least
    missing, chosen = _reach(problem, level)
    while missing == 0 and level < len(problem.dates):
        lacking, higher = _reach(problem, level + 1)
        if lacking:
            break
        level, chosen = level + 1, higher
    return level, missing, chosen


def _reach(problem: RotaProblem, level: int) -> tuple[int, Ints]:
    """How many patrols must be missing of a floor, at least, and options that show it."""
    model = Model()
    x = add_options(model, problem)
    lacking = add_least(model, problem, x, np.minimum(level, problem.open_days))
    model.worth[-1] = np.full(len(lacking), -1.0)
    answer = model.solve(gap=0.0, nodes=10_000, seconds=math.inf)
    return round(-answer.worth), np.flatnonzero(answer.values[x] > 0.5)


def _in_order(problem: RotaProblem, order: Ints) -> RotaProblem:
    """The same problem with its options in another order: that is how a seed breaks ties."""
    return replace(
        problem,
        officer=problem.officer[order],
        day=problem.day[order],
        route=problem.route[order],
        lock=problem.lock[order],
    )
