"""Few changes of a week handed out: on tiny weeks nothing that keeps the limits is better."""

import dataclasses
import itertools

import numpy as np
import pytest
from team import checker, teams

from patrolplan.team.solve import ChangeLimits, SearchLimits, find_few_changes, solve_rota


def _handed_out(seed):
    """A week of a tiny team with every officer in reach of every school, and what it may be."""
    problem = teams.draw_team(3, 2, seed=seed)
    near = problem.day < 2
    few = problem.select(near & (problem.route % 4 < 2))
    both = np.concatenate([few.officer, 1 - few.officer])
    names = ("day", "route", "lock", "option_minutes", "needs_companion")
    twice = {name: np.concatenate([getattr(few, name)] * 2) for name in names}
    wide = dataclasses.replace(few, officer=both, **twice)
    _, once = np.unique(np.stack([wide.officer, wide.day, wide.route]), axis=1, return_index=True)
    wide = wide.select(np.sort(once))
    return wide, solve_rota(wide, stop=SearchLimits(moves_per_school=300)).chosen


def _list_weeks(problem):
    """Every week: one option or none for each officer and day, all rules kept."""
    slots = problem.officer * len(problem.dates) + problem.day
    groups = [[None, *np.flatnonzero(slots == slot).tolist()] for slot in np.unique(slots).tolist()]
    for drawn in itertools.product(*groups):
        week = [row for row in drawn if row is not None]
        if not checker.find_broken_rules(problem, week):
            yield week


def _rank(problem, week):
    """Fewest patrols missing of every school's minimum, then most worth."""
    missing = [max(0, 1 - count) for count in checker.count_school_patrols(problem, week)]
    return -sum(missing), round(checker.compute_worth(problem, week), 9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("max_out", [0, 1])
def test_no_other_week_within_the_limits_is_better(seed, max_out):
    """Of all weeks with one officer away and as few changes, none is ranked higher."""
    problem, chosen = _handed_out(seed)
    away = chosen[seed % len(chosen)]
    gone = (problem.officer == problem.officer[away]) & (problem.day == problem.day[away])
    stands = np.isin(np.arange(len(problem)), chosen)[~gone]
    lost = len(chosen) - int(stands.sum())
    lock = np.where(stands, np.cumsum(stands) - 1, -1) if max_out == 0 else np.full(len(stands), -1)
    part = dataclasses.replace(problem.select(~gone), lock=lock)
    limits = ChangeLimits(stands, max_out, lost + max_out)
    ours = find_few_changes(part, limits).tolist()
    standing = set(np.flatnonzero(stands).tolist())
    assert len(standing - set(ours)) <= max_out
    assert len(set(ours) - standing) <= lost + max_out
    assert checker.find_broken_rules(part, ours) == []
    best = max(
        _rank(part, week)
        for week in _list_weeks(part)
        if len(standing - set(week)) <= max_out and len(set(week) - standing) <= lost + max_out
    )
    assert _rank(part, ours) == pytest.approx(best)


def test_what_must_be_there_is_there_or_nothing():
    """One of the wanted options is chosen; where the limits leave none, there is no answer."""
    problem, chosen = _handed_out(1)
    stands = np.isin(np.arange(len(problem)), chosen)
    wanted = ~stands & (problem.day == 0)
    some = find_few_changes(problem, ChangeLimits(stands, 2, 3, must=wanted))
    assert wanted[some].any()
    assert find_few_changes(problem, ChangeLimits(stands, 0, 0, must=wanted)) is None
