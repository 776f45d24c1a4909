"""Large teams: improve a week by choosing anew for a few neighbouring officers at a time."""

import time
from collections.abc import Iterator

import numpy as np
from scipy import sparse

from patrolplan.team.model import Programme
from patrolplan.team.problem import Bools
from patrolplan.team.problem import Floats
from patrolplan.team.problem import Ints
from patrolplan.team.problem import RotaProblem

SIZES = (4, 7, 9, 5, 6, 7)
"""Officers who are chosen for together, by sweep: few enough to be solved in a second."""

LIKELY_SWEEPS = 3
"""Sweeps that look at likely options alone: small programmes, and most of the way."""

EPSILON = 1e-9

NODES = 5
GAP = 5e-4


def improved(
    programme: Programme,
    x: Ints,
    problem: RotaProblem,
    start: Floats,
    *,
    likely: Bools,
    rng: np.random.Generator,
    good_enough: float,
    sweeps: int,
    until: float,
) -> Floats:
    """Values of all columns, at least as good as the ones to start from.

    Every sweep goes over all officers once, each time with the officers whose options touch the
    same hotspots most; their part of the week is solved again while the rest stands still.

    Parameters
    ----------
    programme, x
        The whole programme, and its options' columns.
    problem
        The week's choice.
    start
        Values of all columns to start from, feasible.
    likely
        (o,) options that the first sweeps look at, beside those chosen already.
    rng
        Draws where a sweep begins.
    good_enough
        Worth at which to stop.
    sweeps
        Most sweeps; a sweep that finds nothing is the last one.
    until
        Time, as `time.monotonic` tells it, at which to stop.
    """
    best = start
    touch = _touching(problem)
    for sweep in range(sweeps):
        before = programme.worth @ best
        for group in _groups(touch, SIZES[sweep % len(SIZES)], rng):
            if time.monotonic() > until or programme.worth @ best >= good_enough:
                return best
            free = group[problem.officer]
            if sweep < LIKELY_SWEEPS:
                free &= likely | (best[x] > 0)
            small, columns = programme.part(x[free], best)
            answer = small.solve(gap=GAP, nodes=NODES, seconds=until - time.monotonic())
            if answer.worth > small.worth @ best[columns] + EPSILON:
                best = best.copy()
                best[columns] = answer.values
        if programme.worth @ best <= before + EPSILON and sweep >= LIKELY_SWEEPS:
            break
    return best


def _touching(problem: RotaProblem) -> Floats:
    """(k, k) how much two officers' options have to do with each other."""
    option, visit = problem.option_visits
    shape = (len(problem.most_patrols), len(problem.weight))
    hotspot = problem.visits[visit, 1]
    there = sparse.csr_array((problem.weight[hotspot], (problem.officer[option], hotspot)), shape)
    there.sum_duplicates()
    apart = there.sqrt()
    return np.asarray((apart @ apart.T).todense())


def _groups(touch: Floats, size: int, rng: np.random.Generator) -> Iterator[Bools]:
    """Groups of officers who touch each other, until every officer was in one."""
    waiting = rng.permutation(len(touch)).tolist()
    while waiting:
        group = np.zeros(len(touch), dtype=bool)
        group[waiting[0]] = True
        while group.sum() < min(size, len(touch)):
            pull = np.where(group, -1.0, touch[group].sum(axis=0))
            group[int(np.argmax(pull + 1e-12 * rng.random(len(touch))))] = True
        yield group
        waiting = [officer for officer in waiting if not group[officer]]
