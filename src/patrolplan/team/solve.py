"""Choose a week: the least of every school first, then the most worth, with a bound."""

import math
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from patrolplan.parallel import map_in_threads
from patrolplan.team.constraints import add_objective, add_options
from patrolplan.team.floor import IMPOSSIBLE, Floor, add_floor, find_floor
from patrolplan.team.mip import MipBuilder, MixedIntegerProgramme
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import Floats, Ints, RotaProblem
from patrolplan.team.rota_search import anneal_week, improve_by_groups

PROVEN_GAP = 1e-6
"""Relative gap at which a week counts as proven best."""

CHOSEN_ABOVE = 0.5
LIKELY_ABOVE = 1e-3
"""Options that the relaxation takes to at least this part are likely ones."""

MAX_OPTIONS_TO_TIGHTEN = 2500
"""Most options of a week whose bound is sharpened by the cuts of branch and bound."""

ANNEAL_STARTS = 3
"""Times that small changes begin anew: one long search is caught in one valley."""

MAX_EXACT_OPTIONS = 600
"""Most options of a week that is solved in one piece."""


@dataclass(frozen=True)
class SearchLimits:
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
    moves_per_school: int = 30_000
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


def solve_rota(
    problem: RotaProblem, *, seed: int = 1, stop: SearchLimits | None = None
) -> RotaSolution:
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
        return RotaSolution(
            none, 0.0, 0.0, proven=True, missing=count_missing_patrols(problem, none)
        )
    stop = stop or SearchLimits()
    began = time.monotonic()
    order = np.random.default_rng(seed).permutation(len(problem))
    mixed = problem.select(order)
    floor = find_floor(mixed)
    if floor.missing == IMPOSSIBLE:  # locks by hand that cannot all keep the most of a day
        mixed = replace(mixed, locks_first=True)
        floor = find_floor(mixed)
    model = MipBuilder()
    x = add_options(model, mixed)
    add_floor(model, mixed, x, floor)
    add_objective(model, mixed, x)
    until = began + stop.seconds
    taken, bound = _search_week(model.build(), x, mixed, floor, stop, deadline=until, seed=seed)
    chosen = np.sort(order[taken])
    worth = compute_worth(problem, chosen).total
    bound = max(worth, bound)
    return RotaSolution(
        chosen=chosen,
        worth=worth,
        bound=bound,
        proven=bound - worth <= PROVEN_GAP * max(1.0, abs(bound)),
        missing=count_missing_patrols(problem, chosen),
    )


def _search_week(
    programme: MixedIntegerProgramme,
    x: Ints,
    problem: RotaProblem,
    floor: Floor,
    stop: SearchLimits,
    *,
    deadline: float,
    seed: int,
) -> tuple[Ints, float]:
    """Options and a bound: small weeks by branch and bound, large ones by parts."""
    gap = max(PROVEN_GAP / 2, stop.gap_percent / 100)
    moves = stop.moves_per_school * problem.schools // ANNEAL_STARTS
    begin = partial(anneal_week, problem, floor, floor.chosen, moves=moves)
    seeds = range(ANNEAL_STARTS * seed, ANNEAL_STARTS * (seed + 1))
    tried = [one.result() for one in map_in_threads(lambda own: begin(seed=own), seeds)]
    chosen = max(tried, key=lambda rows: compute_worth(problem, rows).total)
    if len(problem) <= MAX_EXACT_OPTIONS:
        answer = programme.solve(
            gap=PROVEN_GAP / 2, nodes=stop.nodes, seconds=deadline - time.monotonic()
        )
        found = np.flatnonzero(answer.values[x] > CHOSEN_ABOVE) if len(answer.values) else chosen
        return max(found, chosen, key=lambda rows: compute_worth(problem, rows).total), answer.bound
    relaxed = programme.solve_relaxation(seconds=deadline - time.monotonic())
    start = _complete_columns(programme, x, chosen)
    likely = (
        relaxed.values[x] > LIKELY_ABOVE if len(relaxed.values) else np.ones(len(x), dtype=bool)
    )
    best = improve_by_groups(
        programme,
        x,
        problem,
        start,
        likely=likely,
        rng=np.random.default_rng(seed),
        good_enough=relaxed.bound * (1 - gap),
        sweeps=stop.sweeps,
        deadline=deadline,
    )
    bound = relaxed.bound
    if programme.objective @ best < bound * (1 - gap) and len(problem) <= MAX_OPTIONS_TO_TIGHTEN:
        answer = programme.tighten_bound(best, gap=gap, seconds=deadline - time.monotonic())
        bound = min(bound, answer.bound)
        if answer.objective > programme.objective @ best:
            best = answer.values
    return np.flatnonzero(best[x] > CHOSEN_ABOVE), bound


def _complete_columns(programme: MixedIntegerProgramme, x: Ints, chosen: Ints) -> Floats:
    """Values of all columns where these options are chosen."""
    still = np.zeros(len(x))
    still[chosen] = 1.0
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[x] = upper[x] = still
    return replace(programme, lower=lower, upper=upper).solve(gap=0.0, nodes=1).values


def count_missing_patrols(problem: RotaProblem, chosen: Ints) -> Ints:
    """(s,) how many patrols a school lacks of the least, closed or uncovered days included."""
    mine = chosen[problem.is_first[chosen]]
    return np.maximum(
        0, problem.min_patrols - np.bincount(problem.school[mine], minlength=problem.schools)
    )
