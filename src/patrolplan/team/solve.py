"""Choose the week: what every school gets first, then the most worth, with a proven bound.

The objectives are lexicographic, once all locks are fulfilled:

1. as few visits as possible are missing of those that tasked places ask for;
2. as few patrols as possible are missing of every school's minimum;
3. as few visits as possible are missing of those that watched hotspots and feared places ask for;
4. where no patrol is missing, the lowest dose of any school is as high as it can be;
5. the worth of the week (`patrolplan.team.objective`) is as high as it can be.

All but the last are the floor of the week. Once found, it constrains the last objective. The
daily maximum of hotspots is a rule, from which visits to tasked places and of locked patrols are
exempt. The best week that differs from one handed out by a few patrols only has the same aims.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.patrols.solver.highs import Answer
from patrolplan.patrols.solver.problem import compute_gap_percent
from patrolplan.team.mip import MipBuilder, MixedIntegerProgramme, list_chosen
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import MINUTES_TOLERANCE, Floor, RotaProblem, SearchLimits
from patrolplan.team.programme import add_floor, add_objective, add_options
from patrolplan.team.rota_search import anneal_week

PROVEN_GAP = 1e-6  # relative gap at which a week counts as proven best

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
"""Maximum columns of a programme that HiGHS solves first: about twelve schools, a second."""

IMPOSSIBLE = -1  # patrols missing where no week is feasible, however few patrols it has
DOSE_STEP_MINUTES = 0.01  # by which a dose must be longer to count as higher
MAX_NODES = 2_000  # of the search tree after which an aim counts as out of reach
CHANGE_GAP, CHANGE_SECONDS = 1e-9, 20.0
"""Limits of a search for few changes; a team of the demo's size needs a fraction of a second."""


@dataclass(frozen=True, eq=False)
class RotaSolution:
    """Chosen options, their worth, the bound, and whether they are proven best."""

    chosen: Ints
    worth: float
    bound: float
    proven: bool
    floor: Floor | None = None  # the floor that the week had to keep; None where it is not known

    @property
    def gap_percent(self) -> float:
        """How far the worth may be below the best possible, in percent of the bound."""
        return compute_gap_percent(self.worth, self.bound)

    @classmethod
    def rate(cls, problem: RotaProblem, chosen: Ints, bound: float) -> "RotaSolution":
        """Chosen options with their worth, and a bound raised to it if rounding left it lower."""
        worth = compute_worth(problem, chosen)
        bound = max(bound, worth)
        proven = bound - worth <= PROVEN_GAP * max(1.0, abs(bound))
        return cls(chosen, worth, bound, proven)


def solve_rota(
    problem: RotaProblem, *, seed: int = 1, stop: SearchLimits | None = None
) -> RotaSolution:
    """The week of most worth among those with the highest floor."""
    if not len(problem):  # all closed, or everybody absent
        return RotaSolution(np.zeros(0, dtype=np.int64), 0.0, 0.0, proven=True)
    # HiGHS breaks ties by the order of columns: a drawn order favours no officer of the table.
    order = np.random.default_rng(seed).permutation(len(problem))
    mixed = problem.select(order)
    floor = find_floor(mixed)
    model, x, _ = _begin_model(mixed, floor)
    add_objective(model, mixed, x)
    search = _WeekSearch(model.build(), x, mixed, floor, stop or SearchLimits())
    rows, bound = search.run(seed)
    solution = RotaSolution.rate(problem, np.sort(order[rows]), bound)
    return replace(solution, floor=replace(floor, chosen=np.sort(order[floor.chosen])))


@dataclass(eq=False)
class _WeekSearch:
    """Annealing from below and a bound from above, until they meet within the gap.

    The relaxation gives the bound, and a short annealing run the first week. Where they are too far
    apart, annealing continues run by run, and the week of each is merged with the best one: HiGHS
    finds the best week among the options of both, in tenths of a second.
    """

    programme: MixedIntegerProgramme
    x: Ints
    problem: RotaProblem
    floor: Floor
    stop: SearchLimits

    def __post_init__(self) -> None:
        self.best, self.bound = self.floor.chosen, np.inf
        self.worth = compute_worth(self.problem, self.best)

    def run(self, seed: int) -> tuple[Ints, float]:
        """Options (rows) and a bound."""
        gap = max(PROVEN_GAP / 2, self.stop.gap_percent / 100)
        is_small = len(self.programme.objective) <= MAX_COLUMNS_TO_PROVE
        if is_small:
            # A small week is mostly proven best at the root of the search tree. Which of several
            # best weeks it is then does not depend on the annealing.
            answer = self.programme.solve(gap=PROVEN_GAP / 2, nodes=1)
            self.bound = answer.bound
            if answer.is_best:
                return list_chosen(answer, self.x), self.bound
            self._accept_answer(answer)
        # The bound costs most where a team is large, and stays as it is while weeks get better.
        relaxed = self.programme.solve_relaxation()
        self.bound = min(self.bound, relaxed.bound)
        if not self._is_within(gap):
            self._anneal(self._list_promising(relaxed), gap, seed)
        # Branch and bound pays where a proof is asked for, or the programme is small.
        if (gap <= PROVEN_GAP or is_small) and not self._is_within(gap):
            fixed = np.isin(np.arange(len(self.x)), self.best)
            lower, upper = self.programme.lower.copy(), self.programme.upper.copy()
            lower[self.x] = upper[self.x] = fixed
            whole = replace(self.programme, lower=lower, upper=upper).solve(gap=0.0, nodes=1)
            answer = self.programme.solve(gap=gap, nodes=self.stop.nodes, start=whole.values)
            self._accept_answer(answer)
            self.bound = max(self.worth, min(self.bound, answer.bound))
        return self.best, self.bound

    def _is_within(self, gap: float) -> bool:
        return bool(self.bound - self.worth <= gap * abs(self.bound))

    def _accept(self, rows: Ints) -> None:
        worth = compute_worth(self.problem, rows)
        if worth > self.worth:
            self.best, self.worth = rows, worth

    def _accept_answer(self, answer: Answer) -> None:
        if len(answer.values):
            self._accept(list_chosen(answer, self.x))

    def _list_promising(self, relaxed: Answer) -> Ints:
        """Options that cost little in the relaxation, fulfil locks, or are in the floor's week."""
        if not len(relaxed.values):
            return np.arange(len(self.problem))
        costs = np.maximum(0.0, -relaxed.column_duals[self.x])
        cheap = costs <= MAX_REDUCED_COST * abs(relaxed.bound)
        cheap |= self.problem.lock >= 0
        cheap[self.floor.chosen] = True
        return np.flatnonzero(cheap)

    def _anneal(self, options: Ints, gap: float, seed: int) -> None:
        """Anneal among some options, run by run until the best week is within the gap."""
        problem = self.problem.select(options)
        place = np.full(len(self.problem), -1)
        place[options] = np.arange(len(options))
        floor = replace(self.floor, chosen=place[self.floor.chosen])
        begins = range(0, self.stop.moves_per_school, MOVES_OF_A_RUN)
        seeds = np.random.SeedSequence(seed).generate_state(len(begins)).tolist()
        for begin, run_seed in zip(begins, seeds, strict=True):
            if self._is_within(gap):
                return
            moves = min(MOVES_OF_A_RUN, self.stop.moves_per_school - begin) * problem.schools
            rows = anneal_week(problem, floor, floor.chosen, moves=moves, seed=run_seed)
            if begin:
                self._merge(options[rows])
            self._accept(np.sort(options[rows]))

    def _merge(self, rows: Ints) -> None:
        """Find the best week among the options of the best one so far and of another."""
        # Annealing runs end in different local optima, each better in some districts.
        upper = self.programme.upper.copy()
        upper[self.x] = 0.0
        upper[self.x[self.best]] = upper[self.x[rows]] = 1.0
        merged = replace(self.programme, upper=upper)
        self._accept_answer(merged.solve(gap=MERGE_GAP, nodes=MERGE_NODES))


def _begin_model(
    problem: RotaProblem, floor: Floor
) -> tuple[MipBuilder, Ints, dict[str, tuple[Ints, int]]]:
    """A programme of the options above a floor; columns of options, and `add_floor`'s aims."""
    model = MipBuilder()
    x = add_options(model, problem)
    return model, x, add_floor(model, problem, x, floor)


def _begin_floor(problem: RotaProblem) -> Floor:
    """The floor that any week keeps: all is missing."""
    patrols, is_tasked = np.minimum(problem.min_patrols, problem.open_days), problem.is_tasked
    tasked, watched = (int(problem.demand_visits[some].sum()) for some in (is_tasked, ~is_tasked))
    no_dose, nobody = np.zeros(problem.schools), np.zeros(0, dtype=np.int64)
    return Floor(patrols, int(patrols.sum()), no_dose, nobody, tasked, watched)


AIMS = ("unmet_tasked", "missing", "unmet_watched")  # fields of a floor, the most important first


def _minimise(
    programme: MixedIntegerProgramme,
    aims: Sequence[tuple[Ints, Floats, int]],
    gap: float,
    seconds: float = np.inf,
) -> tuple[MixedIntegerProgramme, Answer | None]:
    """Minimise aims in turn: columns, their factors, and the row that then keeps each there."""
    # None where there is no week at all: what was found for an aim is feasible for the next.
    answer: Answer | None = None
    for columns, factors, row in aims:
        least, upper = np.zeros(len(programme.objective)), programme.row_upper.copy()
        least[columns] = -factors
        aimed = replace(programme, objective=least)
        answer = aimed.solve(gap=gap, nodes=MAX_NODES, seconds=seconds)
        if not len(answer.values):
            return programme, None
        upper[row] = round(-answer.objective)
        programme = replace(programme, row_upper=upper)
    return programme, answer


def find_floor(problem: RotaProblem) -> Floor:
    """Demands and every school's minimum; where all have it, the lowest dose as high as it goes."""
    # A school that cannot reach a level, since it is open on few days or its routes have few stops,
    # counts with the highest dose it can have. The level is raised by repeatedly requiring a little
    # more than the last week gave, until no week is feasible: which doses are possible depends on
    # the dwells and on their sums, so bisection could stop between two of them. Every answer is a
    # complete week, so each step rises at least to the next possible dose.
    floor = _begin_floor(problem)
    model, x, rows = _begin_model(problem, floor)
    aims = {aim: rows[aim] for aim in AIMS if aim in rows}
    each = [(columns, np.ones(len(columns)), row) for columns, row in aims.values()]
    programme, answer = _minimise(model.build(), each, gap=0.0)
    if answer is None:
        return replace(floor, missing=IMPOSSIBLE)
    fewest: dict[str, Any] = {aim: int(programme.row_upper[row]) for aim, (_, row) in aims.items()}
    floor = replace(floor, chosen=list_chosen(answer, x), **fewest)
    if floor.missing or not problem.visit_minutes.any():
        return floor
    # With a school's longest patrols on every day and in every window.
    best = np.zeros((problem.schools, len(problem.dates) * problem.windows * problem.together))
    np.maximum.at(best.reshape(-1), problem.cell, problem.option_dose)
    highest = best.sum(axis=1)
    while True:
        school, dose = problem.school[floor.chosen], problem.option_dose[floor.chosen]
        reached = np.bincount(school, dose, problem.schools)
        short = reached < highest - MINUTES_TOLERANCE
        if not short.any():
            return replace(floor, dose=highest)
        level = float(reached[short].min())
        dose = np.minimum(level + DOSE_STEP_MINUTES, highest)
        model, x, _ = _begin_model(problem, replace(floor, dose=dose))
        answer = model.build().solve(gap=0.0, nodes=MAX_NODES)
        if not len(answer.values):
            return replace(floor, dose=np.minimum(level, highest))
        floor = replace(floor, chosen=list_chosen(answer, x))


@dataclass(frozen=True, eq=False)
class ChangeLimits:
    """How a week may differ from the one handed out."""

    stands: Bools
    """(o,) options of patrols, and of those who walk along, that are in the week handed out."""
    max_out: int  # maximum number of patrols that may be removed from it
    max_new: int  # maximum number of patrols that may be added
    as_few_as_possible: bool = False  # whether fewer changes take precedence over the week's worth
    must: Bools | None = None  # (o,) options at least one of which must be chosen
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
    model, x, rows = _begin_model(problem, _begin_floor(problem))
    aims = [(rows[aim][0], np.ones(len(rows[aim][0])), rows[aim][1]) for aim in AIMS if aim in rows]
    leads = ~problem.is_along
    stands, new = x[limits.stands & leads], x[~limits.stands & leads]
    out = model.add_row(stands, factor=-1.0, upper=float(limits.max_out - len(stands)))
    added = model.add_row(new, upper=float(limits.max_new))
    if limits.as_few_as_possible:
        aims += [(stands, np.full(len(stands), -1.0), out), (new, np.ones(len(new)), added)]
    add_objective(model, problem, x)
    must = [] if limits.must is None else [limits.must]
    for options in (*must, *limits.not_all_of):
        model.add_row(x[options], lower=1.0)
    programme, answer = _minimise(model.build(), aims, CHANGE_GAP, CHANGE_SECONDS)
    if answer is not None:
        answer = programme.solve(gap=CHANGE_GAP, nodes=MAX_NODES, seconds=CHANGE_SECONDS)
    return list_chosen(answer, x) if answer is not None and len(answer.values) else None
