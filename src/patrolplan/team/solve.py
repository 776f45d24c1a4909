"""Choose a week: the least of every school first, then the most worth, with a bound."""

import math
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from patrolplan.parallel import side_by_side
from patrolplan.team.constraints import add_options, add_worth
from patrolplan.team.floor import IMPOSSIBLE, Floor, add_floor, floor_of
from patrolplan.team.mip import Model, Programme
from patrolplan.team.objective import worth_of
from patrolplan.team.problem import Floats, Ints, RotaProblem
from patrolplan.team.rota_search import annealed, improved

PROVEN = 1e-6
"""Relative gap at which a week counts as proven best."""

CHOSEN = 0.5
LIKELY = 1e-3
"""Options that the relaxation takes to at least this part are likely ones."""

SHARPEN = 2500
"""Most options of a week whose bound is sharpened by the cuts of branch and bound."""

STARTS = 3
"""Times that small changes begin anew: one long search is caught in one valley."""

EXACT = 600
"""Most options of a week that is solved in one piece."""


@dataclass(frozen=True)
class Stop:
    """When to stop looking.

    Equal inputs give equal weeks as long as the search ends by gap or nodes; a week that ends by
    the clock depends on the speed of the computer.

    Parameters
    ----------
    gap_percent
        A large week this near to the bound is good enough; small ones are proven best, if so many
        nodes are enough.
    nodes
        Most nodes of the search tree of a small week.
    sweeps
        Most sweeps over the officers of a large one.
    moves
        Small changes tried for every school, before anything else.
    seconds
        Most wall-clock time.
    """

    gap_percent: float = 0.5
    nodes: int = 500
    sweeps: int = 2
    moves: int = 30_000
    seconds: float = math.inf


@dataclass(frozen=True, eq=False)
class RotaSolution:
    """Chosen options, their worth, the bound, and how many patrols schools lack of the least."""

    chosen: Ints
    worth: float
    bound: float
    proven: bool
    missing: Ints

    @property
    def gap_percent(self) -> float:
        """How far below the bound it may be at most."""
        return 0.0 if self.bound <= 0 else max(0.0, 100 * (self.bound - self.worth) / self.bound)


def solve_rota(problem: RotaProblem, *, seed: int = 1, stop: Stop | None = None) -> RotaSolution:
    """The week of most worth among those that give every school its least.

    First as few patrols as possible are missing of every school's least. Where none is, the
    lowest dose of any school is raised as high as it can be for all of them (see
    `patrolplan.team.floor`). Then the worth is maximised.

    Parameters
    ----------
    problem
        The options.
    seed
        Decides between equal weeks.
    stop
        When to stop looking; by default see `Stop`.
    """
    if not len(problem):  # all closed, or everybody away
        none = np.zeros(0, dtype=np.int64)
        return RotaSolution(none, 0.0, 0.0, proven=True, missing=lacking_of(problem, none))
    stop = stop or Stop()
    began = time.monotonic()
    order = np.random.default_rng(seed).permutation(len(problem))
    mixed = problem.only(order)
    floor = floor_of(mixed)
    if floor.missing == IMPOSSIBLE:  # locks by hand that cannot all keep the most of a day
        mixed = replace(mixed, locks_first=True)
        floor = floor_of(mixed)
    model = Model()
    x = add_options(model, mixed)
    add_floor(model, mixed, x, floor)
    add_worth(model, mixed, x)
    until = began + stop.seconds
    taken, bound = _search(model.programme(), x, mixed, floor, stop, until=until, seed=seed)
    chosen = np.sort(order[taken])
    worth = worth_of(problem, chosen).total
    bound = max(worth, bound)
    return RotaSolution(
        chosen=chosen,
        worth=worth,
        bound=bound,
        proven=bound - worth <= PROVEN * max(1.0, abs(bound)),
        missing=lacking_of(problem, chosen),
    )


def _search(
    programme: Programme,
    x: Ints,
    problem: RotaProblem,
    floor: Floor,
    stop: Stop,
    *,
    until: float,
    seed: int,
) -> tuple[Ints, float]:
    """Options and a bound: small weeks by branch and bound, large ones by parts."""
    gap = max(PROVEN / 2, stop.gap_percent / 100)
    moves = stop.moves * problem.schools // STARTS
    begin = partial(annealed, problem, floor, floor.chosen, moves=moves)
    seeds = range(STARTS * seed, STARTS * (seed + 1))
    tried = [one.result() for one in side_by_side(lambda own: begin(seed=own), seeds)]
    chosen = max(tried, key=lambda rows: worth_of(problem, rows).total)
    if len(problem) <= EXACT:
        answer = programme.solve(gap=PROVEN / 2, nodes=stop.nodes, seconds=until - time.monotonic())
        found = np.flatnonzero(answer.values[x] > CHOSEN) if len(answer.values) else chosen
        return max(found, chosen, key=lambda rows: worth_of(problem, rows).total), answer.bound
    relaxed = programme.relaxed(seconds=until - time.monotonic())
    start = _start(programme, x, chosen)
    likely = relaxed.values[x] > LIKELY if len(relaxed.values) else np.ones(len(x), dtype=bool)
    best = improved(
        programme,
        x,
        problem,
        start,
        likely=likely,
        rng=np.random.default_rng(seed),
        good_enough=relaxed.bound * (1 - gap),
        sweeps=stop.sweeps,
        until=until,
    )
    bound = relaxed.bound
    if programme.worth @ best < bound * (1 - gap) and len(problem) <= SHARPEN:
        answer = programme.sharpened(best, gap=gap, seconds=until - time.monotonic())
        bound = min(bound, answer.bound)
        if answer.worth > programme.worth @ best:
            best = answer.values
    return np.flatnonzero(best[x] > CHOSEN), bound


def _start(programme: Programme, x: Ints, chosen: Ints) -> Floats:
    """Values of all columns where these options are chosen."""
    still = np.zeros(len(x))
    still[chosen] = 1.0
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[x] = upper[x] = still
    return replace(programme, lower=lower, upper=upper).solve(gap=0.0, nodes=1).values


def lacking_of(problem: RotaProblem, chosen: Ints) -> Ints:
    """(s,) how many patrols a school lacks of the least, closed or uncovered days included."""
    mine = chosen[problem.first[chosen]]
    return np.maximum(
        0, problem.least - np.bincount(problem.school[mine], minlength=problem.schools)
    )
