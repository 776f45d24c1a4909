"""Random walks among weeks: every week on the way keeps every rule and the floor."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from team import checker, teams

from patrolplan.team.problem import Floor
from patrolplan.team.rota_search import _apply_change, _draw_change, anneal_week, walk_weeks
from patrolplan.team.rota_state import begin_state, build_facts, fill_slots
from patrolplan.team.solve import IMPOSSIBLE, SearchLimits, find_floor, solve_rota


def _check_weeks(problem, floor, weeks):
    for week in weeks:
        assert checker.find_broken_rules(problem, week) == []
        counts = np.array(checker.count_school_patrols(problem, week))
        assert np.maximum(0, floor.patrols - counts).sum() <= floor.missing
        assert checker.count_unmet(problem, week, tasked=True) <= floor.unmet_tasked
        assert checker.count_unmet(problem, week, tasked=False) <= floor.unmet_watched
        assert (checker.sum_school_dose(problem, week) >= floor.dose - 1e-6).all()


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), options=st.integers(5, 40))
def test_every_week_on_the_way_keeps_every_rule(seed, options):
    """With windows, overlaps, crews, demands, maxima and locks."""
    problem = teams.draw_crews(seed, options=options)
    floor = find_floor(problem)
    if floor.missing == IMPOSSIBLE:
        return
    weeks = walk_weeks(problem, floor, floor.chosen, limit=-9.0, moves=20, states=20, seed=seed)
    _check_weeks(
        problem, floor, [*weeks, anneal_week(problem, floor, floor.chosen, moves=500, seed=1)]
    )


def _everybody_in_crews(seed):
    """Three officers who may not go alone, and two schools."""
    problem = teams.draw_crews(seed, options=40)
    real = ~problem.is_companion[problem.route]
    return replace(
        problem,
        needs_companion=real,
        lock=np.full(len(problem), -1),
        max_patrols=np.full(3, 4),
        demand_routes=problem.demand_routes[:0],
        demand_days=problem.demand_days[:0],
        demand_visits=problem.demand_visits[:0],
        is_tasked=problem.is_tasked[:0],
    )


@pytest.mark.parametrize("seed", range(3))
def test_crews_come_and_go_together(seed):
    """From a week of nobody, the search finds the best week of patrols that nobody walks alone."""
    problem = _everybody_in_crews(seed)
    best = solve_rota(problem, stop=SearchLimits(gap_percent=0.0))
    assert best.proven
    assert problem.is_companion[problem.route[best.chosen]].any()
    floor = replace(best.floor, missing=9, dose=np.zeros(problem.schools))
    nobody = np.zeros(0, dtype=np.int64)
    found = anneal_week(problem, floor, nobody, moves=100_000, seed=seed)
    assert checker.compute_worth(problem, found) >= best.worth - 1e-9


def test_a_lock_that_leaves_the_route_open_is_walked_by_any_of_its_routes():
    """The search exchanges routes of one lock, and leaves the lock fulfilled."""
    problem = teams.build_team(
        [(0, 0, 0), (0, 0, 1), (1, 0, 2)],
        [0, 0, 1],
        [(0, 0), (1, 1), (2, 0)],
        [0.3, 0.3],
        lock=np.array([0, 0, -1]),
    )
    floor = find_floor(problem)
    weeks = walk_weeks(problem, floor, floor.chosen, limit=-9.0, moves=20, states=50, seed=1)
    _check_weeks(problem, floor, weeks)
    assert {week[0] for week in weeks} == {0, 1}


def _facts(problem):
    free = Floor(
        patrols=np.ones(problem.schools, dtype=np.int64),
        missing=99,
        dose=np.zeros(problem.schools),
        chosen=np.zeros(0, dtype=np.int64),
        unmet_tasked=99,
        unmet_watched=99,
    )
    return build_facts(problem, free)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), options=st.integers(5, 40))
def test_after_any_moves_the_state_is_that_of_its_options(seed, options):
    """Rules or not: the running sums equal those of the same week from nothing."""
    problem = teams.draw_crews(seed, options=options)
    facts = _facts(problem)
    state, worth = begin_state(facts, fill_slots(problem, np.zeros(0, dtype=np.int64)))
    rng = np.array([2 * seed + 1], dtype=np.uint64)
    out, into = np.full(8, -1), np.full(2, -1)
    for _ in range(60):
        if _draw_change(facts, state, rng, out, into):
            worth += _apply_change(facts, state, out, into)
            if rng[0] % 3 == 0:
                worth += _apply_change(facts, state, into, out)
    again, same_worth = begin_state(facts, state.slots)
    chosen = np.sort(state.slots[state.slots >= 0])
    for name, value in state._asdict().items():
        np.testing.assert_allclose(getattr(again, name), value, atol=1e-9, err_msg=name)
    assert abs(worth - same_worth) < 1e-9
    assert abs(worth - checker.compute_worth(problem, chosen)) < 1e-9
    assert state.visits.tolist() == checker.count_visits(problem, chosen)
