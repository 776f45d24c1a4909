"""Repairs at short notice: on tiny weeks nothing changes fewer duties, and what is held stays."""

import dataclasses
import itertools

import numpy as np
import pytest
from team import checker, teams

from patrolplan.team.problem import RotaProblem
from patrolplan.team.replan import limit_to_repairs
from patrolplan.team.solve import SearchLimits, solve_rota


def _handed_out(seed):
    """A week of a tiny team with every officer in reach of every school, and what it may be."""
    problem = teams.draw_team(3, 2, seed=seed)
    near = problem.day < 2
    few = problem.select(near & (problem.route % 4 < 2))
    both = np.concatenate([few.officer, 1 - few.officer])
    twice = {name: np.tile(getattr(few, name), 2) for name in ("day", "route", "lock")}
    wide = dataclasses.replace(few, officer=both, **twice)
    _, once = np.unique(np.stack([wide.officer, wide.day, wide.route]), axis=1, return_index=True)
    wide = wide.select(np.sort(once))
    return wide, solve_rota(wide, stop=SearchLimits(moves_per_school=300)).chosen


def _absent(problem, chosen, seed):
    """One officer away on one of their days: the options left, what stays and what is lost."""
    away = chosen[seed % len(chosen)]
    gone = (problem.officer == problem.officer[away]) & (problem.day == problem.day[away])
    stay = [row for row in chosen if not gone[row]]
    return ~gone, stay, [row for row in chosen if gone[row]], int(problem.day[away])


def _rank(problem, chosen, before, had):
    """Fewest patrols lost to the schools, then fewest cards withdrawn or new."""
    counts = np.bincount(problem.school[list(chosen)], minlength=problem.schools)
    return int(np.maximum(0, had - counts).sum()), len(set(chosen) ^ set(before))


@pytest.mark.parametrize("seed", range(12))
def test_no_other_week_changes_fewer_duties(seed):
    """Of all weeks that keep what was not lost, none loses fewer patrols or changes fewer cards."""
    problem, chosen = _handed_out(seed)
    left, stay, lost, day = _absent(problem, chosen, seed)
    had = np.bincount(problem.school[chosen], minlength=problem.schools)
    lock = np.full(len(problem), -1)
    lock[stay] = np.arange(len(stay))
    held = dataclasses.replace(problem, lock=lock)
    slots = {(int(problem.school[row]), int(problem.day[row])) for row in lost}
    rows = np.flatnonzero(left)
    part = limit_to_repairs(held.select(rows), had, slots, first=day)
    solution = solve_rota(part, stop=SearchLimits(gap_percent=0.0, moves_per_school=300))
    key = {(int(o), int(d), int(r)): n for n, (o, d, r) in enumerate(_keys(problem))}
    ours = [key[tuple(map(int, row))] for row in _keys(part)[solution.chosen]]
    assert set(stay) <= set(ours)
    assert checker.find_broken_rules(dataclasses.replace(problem, lock=lock), ours) == []
    ranked = [
        _rank(problem, week, chosen, had)
        for week in _weeks(problem, rows, len(chosen))
        if set(stay) <= set(week)
        and (np.bincount(problem.school[list(week)], minlength=problem.schools) <= had).all()
    ]
    assert _rank(problem, ours, chosen, had) == min(ranked)


def _keys(problem):
    return np.stack([problem.officer, problem.day, problem.route], axis=1)


def _weeks(problem: RotaProblem, rows, most):
    """Every week of these options: one or none for each officer and day, all rules kept."""
    groups = [
        [None, *(int(row) for row in rows if problem.officer_day[row] == slot)]
        for slot in np.unique(problem.officer_day[rows])
    ]
    for drawn in itertools.product(*groups):
        week = tuple(row for row in drawn if row is not None)
        if len(week) <= most and not checker.find_broken_rules(problem, week):
            yield week
