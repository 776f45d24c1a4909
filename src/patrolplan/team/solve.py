"""Choose the week: what every school gets first, then the most worth, with a proven bound.

The objectives are lexicographic, once all locks are fulfilled:

1. as few visits as possible are missing of those that tasked places ask for;
2. as few patrols as possible are missing of every school's minimum;
3. as few visits as possible are missing of those that watched hotspots and feared places ask for;
4. where no patrol is missing, the lowest dose of any school is as high as it can be;
5. the worth of the week (`patrolplan.team.objective`) is as high as it can be.

All but the last are the floor of the week. Once found, it constrains the last objective. The
daily maximum of hotspots is a rule, from which visits to tasked places and of locked patrols are
exempt. The best week
that differs from one handed out by a few patrols only is found by a programme like it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from patrolplan.compiled import CLOCK
from patrolplan.patrols.solver.highs import Answer
from patrolplan.patrols.solver.problem import compute_gap_percent
from patrolplan.team.mip import MipBuilder, MixedIntegerProgramme, list_chosen
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import (
    DEFAULT_LIMITS,
    MINUTES_TOLERANCE,
    Bools,
    Floats,
    Floor,
    Ints,
    RotaProblem,
    SearchLimits,
)
from patrolplan.team.programme import (
    add_floor,
    add_objective,
    add_options,
    add_shortfall_variables,
    add_unmet_variables,
)
from patrolplan.team.rota_search import anneal_week

PROVEN_GAP = 1e-6
"""Relative gap at which a week counts as proven best."""

MOVES_OF_A_RUN = 10_000
"""Moves for every school of one annealing run: many short runs, since one long run is trapped in a
local optimum, and weeks of several are merged."""

MERGE_GAP, MERGE_NODES = 5e-4, 5
"""Relative gap and nodes at which the best week among the options of two is good enough. Two weeks
share most options, so that it takes a twentieth of a second, or two for five hundred schools."""

MAX_REDUCED_COST = 0.005
"""Maximum cost of an option in the relaxation, as a share of the bound: others are not annealed.
A week this near to that bound has no option of higher cost. Where the best week is as far below the
bound as this, a lower limit left out options of the better weeks."""

MAX_COLUMNS_TO_PROVE = 4_000
"""Maximum columns of a programme that HiGHS solves first, where a proof is wanted if it is quick:
about twelve schools, for which it takes about a second."""

IMPOSSIBLE = -1
"""Patrols missing where no week is feasible, however few patrols it has."""

DOSE_STEP_MINUTES = 0.01
"""Minutes by which a dose must be longer to count as higher."""

MAX_DOSE_NODES = 2_000
"""Nodes of the search tree after which a higher dose counts as out of reach."""


@dataclass(frozen=True, eq=False)
class RotaSolution:
    """Chosen options, their worth, the bound, and whether they are proven best."""

    chosen: Ints
    worth: float
    bound: float
    proven: bool
    floor: Floor | None = None
    """The floor that the week had to keep; None where it is not known."""

    @property
    def gap_percent(self) -> float:
        """How far the worth may be below the best possible, in percent of the bound."""
        return compute_gap_percent(self.worth, self.bound)

    @classmethod
    def rate(cls, problem: RotaProblem, chosen: Ints, bound: float) -> "RotaSolution":
        """Chosen options with their worth, and a bound raised to it if rounding left it lower."""
        worth = compute_worth(problem, chosen).total
        bound = max(bound, worth)
        proven = bound - worth <= PROVEN_GAP * max(1.0, abs(bound))
        return cls(chosen, worth, bound, proven)


def solve_rota(
    problem: RotaProblem, *, seed: int = 1, stop: SearchLimits | None = None
) -> RotaSolution:
    """The week of most worth among those with the highest floor."""
    if not len(problem):  # all closed, or everybody absent
        return RotaSolution(np.zeros(0, dtype=np.int64), 0.0, 0.0, proven=True)
    stop = stop or DEFAULT_LIMITS
    deadline = math.inf if stop.seconds is None else CLOCK.read() + stop.seconds
    # HiGHS breaks ties by the order of columns: a drawn order favours no officer of the table.
    order = np.random.default_rng(seed).permutation(len(problem))
    mixed = problem.select(order)
    floor = find_floor(mixed)
    model, x, *_ = _begin_model(mixed, floor)
    add_objective(model, mixed, x)
    search = _WeekSearch(model.build(), x, mixed, floor, stop, deadline=deadline)
    rows, bound = search.run(seed)
    solution = RotaSolution.rate(problem, np.sort(order[rows]), bound)
    floor = replace(floor, chosen=np.sort(order[floor.chosen]))
    return replace(solution, floor=floor)


class _WeekSearch:
    """Annealing from below and a bound from above, until they meet within the gap.

    The relaxation gives the bound, and a short annealing run the first week. Where they are too far
    apart, annealing continues run by run, and the week of each is merged with the best one: HiGHS
    finds the best week among the options of both, in tenths of a second.
    """

    def __init__(
        self,
        programme: MixedIntegerProgramme,
        x: Ints,
        problem: RotaProblem,
        floor: Floor,
        stop: SearchLimits,
        *,
        deadline: float,
    ) -> None:
        self._programme, self._x, self._problem, self._floor = programme, x, problem, floor
        self._stop, self._deadline = stop, deadline
        self._best, self._worth = floor.chosen, self._rate(floor.chosen)
        self._bound = math.inf

    def run(self, seed: int) -> tuple[Ints, float]:
        """Options (rows) and a bound."""
        gap = max(PROVEN_GAP / 2, self._stop.gap_percent / 100)
        if self._stop.is_proven_if_quick and self._prove_if_quick():
            return self._best, self._bound
        # The bound costs most where a team is large, and stays as it is while weeks get better.
        relaxed = self._programme.solve_relaxation(seconds=self._seconds)
        self._bound = min(self._bound, relaxed.bound)
        if not self._is_within(gap):
            for _ in self._anneal(self._list_promising(relaxed), seed):
                if self._is_within(gap):
                    break
        # Branch and bound pays where a proof is asked for, or the programme is small.
        if gap <= PROVEN_GAP or len(self._programme.objective) <= MAX_COLUMNS_TO_PROVE:
            self._lower(gap)
        return self._best, self._bound

    @property
    def _seconds(self) -> float:
        return self._deadline - CLOCK.read()

    def _rate(self, rows: Ints) -> float:
        return compute_worth(self._problem, rows).total

    def _is_within(self, gap: float) -> bool:
        return self._bound - self._worth <= gap * abs(self._bound)

    def _accept(self, rows: Ints) -> None:
        worth = self._rate(rows)
        if worth > self._worth:
            self._best, self._worth = rows, worth

    def _accept_answer(self, answer: Answer) -> None:
        if len(answer.values):
            self._accept(list_chosen(answer, self._x))

    def _list_promising(self, relaxed: Answer) -> Ints:
        """Options that cost little in the relaxation, fulfil locks, or are in the floor's week."""
        if not len(relaxed.values):
            return np.arange(len(self._problem))
        costs = np.maximum(0.0, -relaxed.column_duals[self._x])
        cheap = costs <= MAX_REDUCED_COST * abs(relaxed.bound)
        cheap |= self._problem.lock >= 0
        cheap[self._floor.chosen] = True
        return np.flatnonzero(cheap)

    def _anneal(self, options: Ints, seed: int) -> Iterator[None]:
        """Anneal among some options, one run each time the next is requested."""
        problem = self._problem.select(options)
        place = np.full(len(self._problem), -1)
        place[options] = np.arange(len(options))
        floor = replace(self._floor, chosen=place[self._floor.chosen])
        begins = range(0, self._stop.moves_per_school, MOVES_OF_A_RUN)
        seeds = np.random.SeedSequence(seed).generate_state(len(begins)).tolist()
        for begin, run_seed in zip(begins, seeds, strict=True):
            if self._seconds <= 0:
                return
            moves = min(MOVES_OF_A_RUN, self._stop.moves_per_school - begin) * problem.schools
            rows = anneal_week(problem, floor, floor.chosen, moves=moves, seed=run_seed)
            if begin:
                self._merge(options[rows])
            self._accept(np.sort(options[rows]))
            yield

    def _merge(self, rows: Ints) -> None:
        """Find the best week among the options of the best one so far and of another."""
        # Annealing runs end in different local optima, each better in some districts.
        upper = self._programme.upper.copy()
        upper[self._x] = 0.0
        upper[self._x[self._best]] = upper[self._x[rows]] = 1.0
        merged = replace(self._programme, upper=upper)
        self._accept_answer(merged.solve(gap=MERGE_GAP, nodes=MERGE_NODES, seconds=self._seconds))

    def _lower(self, gap: float) -> None:
        """Lower the bound by branch and bound from the best week, which may find a better one."""
        if self._is_within(gap):
            return
        start = _complete_columns(self._programme, self._x, self._best)
        answer = self._programme.solve(
            gap=gap, nodes=self._stop.nodes, seconds=self._seconds, start=start
        )
        self._accept_answer(answer)
        self._bound = max(self._worth, min(self._bound, answer.bound))

    def _prove_if_quick(self) -> bool:
        """Prove a small week best at the root of the search tree; return whether that succeeded."""
        # Which of several best weeks it is then does not depend on the annealing.
        if len(self._programme.objective) > MAX_COLUMNS_TO_PROVE:
            return False
        answer = self._programme.solve(gap=PROVEN_GAP / 2, nodes=1, seconds=self._seconds)
        if answer.is_best:
            self._best = list_chosen(answer, self._x)
            self._worth = self._rate(self._best)
        else:
            self._accept_answer(answer)
        self._bound = answer.bound
        return answer.is_best


def _complete_columns(programme: MixedIntegerProgramme, x: Ints, chosen: Ints) -> Floats:
    """Values of all columns where these options are chosen."""
    fixed = np.zeros(len(x))
    fixed[chosen] = 1.0
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[x] = upper[x] = fixed
    return replace(programme, lower=lower, upper=upper).solve(gap=0.0, nodes=1).values


def find_floor(problem: RotaProblem) -> Floor:
    """Demands and every school's minimum; where all have it, the lowest dose as high as it goes."""
    # A school that cannot reach a level, since it is open on few days or its routes have few stops,
    # counts with the highest dose it can have. The level is raised by repeatedly requiring a little
    # more than the last week gave, until no week is feasible: which doses are possible depends on
    # the dwells and on their sums, so bisection could stop between two of them. Every answer is a
    # complete week, so each step rises at least to the next possible dose.
    floor = _find_fewest_missing(problem)
    if floor.missing or not problem.visit_minutes.any():
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
    patrols = np.minimum(problem.min_patrols, problem.open_days)
    kinds = {"unmet_tasked": problem.is_tasked, "unmet_watched": ~problem.is_tasked}
    wanted = {aim: int(problem.demand_visits[kind].sum()) for aim, kind in kinds.items()}
    floor = Floor(
        patrols=patrols,
        missing=int(patrols.sum()),
        dose=np.zeros(problem.schools),
        chosen=np.zeros(0, dtype=np.int64),
        **wanted,
    )
    for aim in ("unmet_tasked", "missing", "unmet_watched"):
        if aim in kinds and not kinds[aim].any():
            continue
        model, x, missing, unmet = _begin_model(problem, floor)
        model.add_gain(unmet[kinds[aim]] if aim in kinds else missing, -1.0)
        answer = model.build().solve(gap=0.0, nodes=MAX_DOSE_NODES)
        if not len(answer.values):
            return replace(floor, missing=IMPOSSIBLE)
        # What is missing at least bounds the programmes of all aims that follow.
        fewest: dict[str, Any] = {aim: round(-answer.objective)}
        floor = replace(floor, chosen=list_chosen(answer, x), **fewest)
    return floor


def _find_week(problem: RotaProblem, floor: Floor) -> Ints | None:
    """Options of a week that keeps a floor; None where there is none, or none was found."""
    model, x, *_ = _begin_model(problem, floor)
    answer = model.build().solve(gap=0.0, nodes=MAX_DOSE_NODES)
    return list_chosen(answer, x) if len(answer.values) else None


def _begin_model(problem: RotaProblem, floor: Floor) -> tuple[MipBuilder, Ints, Ints, Ints]:
    """A programme of the options above a floor; columns of options, missing patrols and visits."""
    model = MipBuilder()
    x = add_options(model, problem)
    return (model, x, *add_floor(model, problem, x, floor))


def _compute_max_dose(problem: RotaProblem) -> Floats:
    """(s,) dose of a school with its longest patrols on every day and in every window."""
    cells = problem.schools * len(problem.dates) * problem.windows * problem.together
    best = np.zeros(cells)
    np.maximum.at(best, problem.cell, problem.option_dose)
    return np.asarray(best.reshape(problem.schools, -1).sum(axis=1))


CHANGE_NODES, CHANGE_SECONDS, CHANGE_GAP = 2_000, 20.0, 1e-9
"""Limits of a search for few changes; a team of the demo's size needs a fraction of a second."""


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
    # out. The aims are ranked as for a whole week, with few changes before the worth where that is
    # wanted. The lowest dose is none: one change hardly affects it, and it would void cards. If
    # nothing may be removed there are few options, and the answer is exact within a moment;
    # otherwise it is the best within a limit of nodes.
    if not len(problem):
        return np.zeros(0, dtype=np.int64) if limits.must is None else None
    model = MipBuilder()
    x = add_options(model, problem)
    leads = ~problem.is_along
    stands, new = x[limits.stands & leads], x[~limits.stands & leads]
    model.add_row(stands, lower=float(len(stands) - limits.max_out))
    model.add_row(new, upper=float(limits.max_new))
    unmet = add_unmet_variables(model, problem, x)
    target = np.minimum(problem.min_patrols, problem.open_days)
    missing = add_shortfall_variables(model, problem, x, target)
    counted = (unmet[problem.is_tasked], missing, unmet[~problem.is_tasked])
    aims = [(columns, 1.0) for columns in counted if len(columns)]
    if limits.as_few_as_possible:
        aims += [(stands, -1.0), (new, 1.0)]
    rows = [model.add_row(columns, factor=factor) for columns, factor in aims]
    add_objective(model, problem, x)
    if limits.must is not None:
        model.add_row(x[limits.must], lower=1.0)
    for options in limits.not_all_of:
        model.add_row(x[options], lower=1.0)
    programme = model.build()
    # Each aim is minimised alone, and its row then keeps it there while the next one is.
    for (columns, factor), row in zip(aims, rows, strict=True):
        least = np.zeros(model.columns)
        least[columns] = -factor
        answer = replace(programme, objective=least).solve(
            gap=CHANGE_GAP, nodes=CHANGE_NODES, seconds=CHANGE_SECONDS
        )
        if not len(answer.values):
            return None
        upper = programme.row_upper.copy()
        upper[row] = round(-answer.objective)
        programme = replace(programme, row_upper=upper)
    answer = programme.solve(gap=CHANGE_GAP, nodes=CHANGE_NODES, seconds=CHANGE_SECONDS)
    return list_chosen(answer, x) if len(answer.values) else None
