"""Choose the week: what every school gets first, then the most worth, with a proven bound.

The aims come strictly one after the other, once all locks are fulfilled:

1. as few visits as possible are missing of those that tasked places ask for;
2. as few patrols as possible are missing of every school's minimum;
3. as few visits as possible are missing of those that watched hotspots and feared places ask for;
4. where no patrol is missing, the lowest dose of any school is as high as it can be;
5. the worth of the week (`patrolplan.team.objective`) is as high as it can be.

All but the last are the floor of the week. Once found, it becomes constraints of the last aim. The
daily maximum of hotspots is a rule, from which visits to tasked places are exempt.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from patrolplan.compile_clock import CLOCK
from patrolplan.parallel import map_in_threads
from patrolplan.patrols.solver.solution import compute_gap_percent
from patrolplan.team.mip import MipBuilder, MixedIntegerProgramme
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import MINUTES_TOLERANCE, Floats, Floor, Ints, RotaProblem
from patrolplan.team.programme import add_floor, add_objective, add_options
from patrolplan.team.rota_search import anneal_week

PROVEN_GAP = 1e-6
"""Relative gap at which a week counts as proven best."""

CHOSEN_ABOVE = 0.5

ANNEAL_STARTS = 3
"""Independent annealing runs: one long run gets caught in one valley."""

MAX_EXACT_OPTIONS = 600
"""Maximum options of a week that is solved by branch and bound."""

MAX_OPTIONS_TO_TIGHTEN = 2500
"""Maximum options of a week whose bound is tightened by cuts at the root of the search tree."""

IMPOSSIBLE = -1
"""Patrols missing where no week keeps the rules, however few patrols it has."""

Aim = Literal["tasked", "patrols", "watched"]
"""What a floor counts: visits to tasked places, patrols of schools, and visits to watched hotspots
and feared places."""

DOSE_STEP_MINUTES = 0.01
"""Minutes by which a dose must be longer to count as higher."""

MAX_DOSE_NODES = 2_000
"""Nodes of the search tree after which a higher dose counts as out of reach."""


@dataclass(frozen=True)
class SearchLimits:
    """When to stop searching.

    Equal inputs give equal weeks as long as the search ends by gap or nodes; a week that ends by
    the clock depends on the speed of the computer.
    """

    gap_percent: float = 0.5
    """A large week this near to the bound is good enough; small ones are proven best if `nodes` are
    enough."""
    nodes: int = 500
    """Maximum nodes of the search tree of a small week."""
    moves_per_school: int = 30_000
    """Small changes tried for every school by annealing."""
    seconds: float = math.inf
    """Maximum wall-clock time."""


@dataclass(frozen=True, eq=False)
class RotaSolution:
    """Chosen options, their worth, the bound, and whether they are proven best."""

    chosen: Ints
    worth: float
    bound: float
    proven: bool
    floor: Floor | None = None
    """What the week had to keep; None where that is not known."""
    locks_first: bool = False
    """See `RotaProblem.locks_first`: whether the locks could not be fulfilled otherwise."""

    @property
    def gap_percent(self) -> float:
        """How far the worth may be below the best possible, in percent of the bound."""
        return compute_gap_percent(self.worth, self.bound)

    @classmethod
    def rate(cls, problem: RotaProblem, chosen: Ints, bound: float) -> "RotaSolution":
        """Chosen options with their worth, under a bound that may turn out too low by rounding."""
        worth = compute_worth(problem, chosen).total
        bound = max(bound, worth)
        proven = bound - worth <= PROVEN_GAP * max(1.0, abs(bound))
        return cls(chosen, worth, bound, proven)


def solve_rota(
    problem: RotaProblem, *, seed: int = 1, stop: SearchLimits | None = None
) -> RotaSolution:
    """The week of most worth among those with the highest floor.

    Parameters
    ----------
    problem
        The options.
    seed
        Decides between equal weeks.
    stop
        When to stop searching; by default `SearchLimits()`.
    """
    if not len(problem):  # all closed, or everybody absent
        return RotaSolution(np.zeros(0, dtype=np.int64), 0.0, 0.0, proven=True)
    stop = stop or SearchLimits()
    deadline = CLOCK.read() + stop.seconds
    order = np.random.default_rng(seed).permutation(len(problem))
    mixed = problem.select(order)
    floor = find_floor(mixed)
    if floor.missing == IMPOSSIBLE:  # locks that cannot all keep the daily maximum
        mixed = replace(mixed, locks_first=True)
        floor = find_floor(mixed)
    model = MipBuilder()
    x = add_options(model, mixed)
    add_floor(model, mixed, x, floor)
    add_objective(model, mixed, x)
    rows, bound = _search_week(model.build(), x, mixed, floor, stop, deadline=deadline, seed=seed)
    solution = RotaSolution.rate(problem, np.sort(order[rows]), bound)
    floor = replace(floor, chosen=np.sort(order[floor.chosen]))
    return replace(solution, floor=floor, locks_first=mixed.locks_first)


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
    """Options and a bound: branch and bound, or annealing and the relaxation's bound.

    Small weeks are solved to the end, and annealed only where that was not reached. For large ones
    the relaxation is the bound; where the annealed week is not near enough to it and the programme
    not too large, cuts at the root of the search tree lower the bound, and sometimes find a better
    week.
    """

    def rate(rows: Ints) -> float:
        return compute_worth(problem, rows).total

    def anneal() -> Ints:
        moves = stop.moves_per_school * problem.schools // ANNEAL_STARTS
        run = partial(anneal_week, problem, floor, floor.chosen, moves=moves)
        seeds = range(ANNEAL_STARTS * seed, ANNEAL_STARTS * (seed + 1))
        runs = [one.result() for one in map_in_threads(lambda own: run(seed=own), seeds)]
        return max(runs, key=rate)

    if len(problem) <= MAX_EXACT_OPTIONS:
        answer = programme.solve(
            gap=PROVEN_GAP / 2, nodes=stop.nodes, seconds=deadline - CLOCK.read()
        )
        exact = np.flatnonzero(answer.values[x] > CHOSEN_ABOVE) if len(answer.values) else None
        if exact is not None and answer.proven:
            return exact, answer.bound
        annealed = anneal()
        return annealed if exact is None else max(exact, annealed, key=rate), answer.bound
    annealed = anneal()
    gap = max(PROVEN_GAP / 2, stop.gap_percent / 100)
    bound = programme.solve_relaxation(seconds=deadline - CLOCK.read()).bound
    if rate(annealed) >= bound * (1 - gap) or len(problem) > MAX_OPTIONS_TO_TIGHTEN:
        return annealed, bound
    start = _complete_columns(programme, x, annealed)
    answer = programme.tighten_bound(start, gap=gap, seconds=deadline - CLOCK.read())
    better = answer.objective > programme.objective @ start
    rows = np.flatnonzero(answer.values[x] > CHOSEN_ABOVE) if better else annealed
    return rows, min(bound, answer.bound)


def _complete_columns(programme: MixedIntegerProgramme, x: Ints, chosen: Ints) -> Floats:
    """Values of all columns where these options are chosen."""
    fixed = np.zeros(len(x))
    fixed[chosen] = 1.0
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[x] = upper[x] = fixed
    return replace(programme, lower=lower, upper=upper).solve(gap=0.0, nodes=1).values


def find_floor(problem: RotaProblem) -> Floor:
    """Demands and every school's minimum; where all have it, the lowest dose as high as it can be.

    A school that cannot reach a level, since it is open on few days or its routes have few stops,
    counts with the highest dose it can have. The level is raised by asking again and again for a
    little more than the last answer gave, until no week can: which doses are possible depends on
    the dwells and on their sums, so bisection could stop between two of them. Every answer is a
    whole week, so each step rises at least to the next dose that is possible.
    """
    floor = _find_fewest_missing(problem)
    if floor.missing or problem.exact_patrols is not None or not problem.visit_minutes.any():
        return floor
    highest = _compute_max_dose(problem)
    while True:
        school, dose = problem.school[floor.chosen], problem.option_dose[floor.chosen]
        reached = np.bincount(school, dose, problem.schools)
        short = reached < highest - MINUTES_TOLERANCE
        if not short.any():
            return replace(floor, dose=highest)
        level = float(reached[short].min())
        dose = np.minimum(level + DOSE_STEP_MINUTES, highest)
        chosen = _find_week(problem, replace(floor, dose=dose))
        if chosen is None:
            return replace(floor, dose=np.minimum(level, highest))
        floor = replace(floor, chosen=chosen)


def _find_fewest_missing(problem: RotaProblem) -> Floor:
    """The floor before doses: fewest tasked visits, patrols and watched visits missing, in turn."""
    patrols = problem.exact_patrols
    if patrols is None:
        patrols = np.minimum(problem.min_patrols, problem.open_days)
    wanted, tasked = problem.wanted_visits, problem.tasked
    floor = Floor(
        patrols=patrols,
        missing=int(patrols.sum()),
        dose=np.zeros(problem.schools),
        chosen=np.zeros(0, dtype=np.int64),
        unmet_tasked=int(wanted[tasked].sum()),
        unmet_watched=int(wanted[~tasked].sum()),
    )
    aims: tuple[Aim, ...] = ("tasked", "patrols", "watched")
    for aim in aims:
        lowered = _lower_floor(problem, floor, aim)
        if lowered is None:
            return replace(floor, missing=IMPOSSIBLE)
        floor = lowered
    return floor


def _lower_floor(problem: RotaProblem, floor: Floor, aim: Aim) -> Floor | None:
    """The floor with as little missing of an aim as possible; None where no week keeps it."""
    if aim != "patrols" and not (problem.tasked == (aim == "tasked")).any():
        return floor
    model = MipBuilder()
    x = add_options(model, problem)
    missing, unmet = add_floor(model, problem, x, floor)
    counted = missing if aim == "patrols" else unmet[problem.tasked == (aim == "tasked")]
    model.add_gain(counted, -1.0)
    answer = model.build().solve(gap=0.0, nodes=MAX_DOSE_NODES)
    if not len(answer.values):
        return None
    floor = replace(floor, chosen=np.flatnonzero(answer.values[x] > CHOSEN_ABOVE))
    fewest = round(-answer.objective)
    if aim == "patrols":
        return replace(floor, missing=fewest)
    if aim == "tasked":
        return replace(floor, unmet_tasked=fewest)
    return replace(floor, unmet_watched=fewest)


def _find_week(problem: RotaProblem, floor: Floor) -> Ints | None:
    """Options that keep a floor; None where there are none, or none was found."""
    model = MipBuilder()
    x = add_options(model, problem)
    add_floor(model, problem, x, floor)
    answer = model.build().solve(gap=0.0, nodes=MAX_DOSE_NODES)
    return np.flatnonzero(answer.values[x] > CHOSEN_ABOVE) if len(answer.values) else None


def _compute_max_dose(problem: RotaProblem) -> Floats:
    """(s,) dose of a school with its longest patrols on every day and in every window."""
    cells = problem.schools * len(problem.dates) * problem.windows * problem.together
    best = np.zeros(cells)
    np.maximum.at(best, problem.cell, problem.option_dose)
    return np.asarray(best.reshape(problem.schools, -1).sum(axis=1))
