"""The daily maximum: only forced visits exceed it, and the excess is charged."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from team import checker, teams

from patrolplan.team.mip import MipBuilder
from patrolplan.team.objective import compute_worth, sum_minutes_by_day
from patrolplan.team.programme import add_floor, add_objective, add_options, find_overlaps
from patrolplan.team.solve import SearchLimits, solve_rota


def _crowd(schools, *, other=False, minutes=15.0, most=30.0):
    """As many officers as schools, on one day; all schools have hotspot 0, some also their own."""
    routes = np.arange(schools * (1 + other))
    school = routes % schools
    own = np.where(routes < schools, 0, 1 + school)
    return teams.build_team(
        np.column_stack([school, np.zeros_like(school), routes]),
        school,
        np.column_stack([routes, own]),
        np.r_[0.5, np.full(schools, 0.05)],
        visit_minutes=np.full(len(routes), minutes),
        max_dose_minutes=most,
    )


def _minutes(problem, solution):
    return sum_minutes_by_day(problem, solution.chosen)[0, 0]


@pytest.mark.slow
def test_the_most_comes_before_the_least_of_a_school():
    """Five schools with one hotspot between them: two are patrolled, three lack their least."""
    problem = _crowd(5)
    solution = solve_rota(problem)
    assert _minutes(problem, solution) == 30
    assert sorted(checker.count_school_patrols(problem, solution.chosen)) == [0, 0, 0, 1, 1]
    assert solution.proven


def test_routes_past_a_crowded_hotspot_give_every_school_its_least():
    """With another route each, all five are patrolled and the hotspot keeps its most."""
    problem = _crowd(5, other=True)
    solution = solve_rota(problem)
    assert min(checker.count_school_patrols(problem, solution.chosen)) == 1
    assert 15 <= _minutes(problem, solution) <= 30


def test_a_place_that_must_be_visited_goes_above_the_most_and_is_charged():
    """Where all must go there all go, and what is above the most is charged in the worth."""
    problem = _crowd(3, most=15.0)
    problem = replace(problem, mandatory_visits=np.ones(3, dtype=bool))
    solution = solve_rota(problem)
    assert _minutes(problem, solution) == 45
    assert compute_worth(problem, solution.chosen).over_cap == pytest.approx(0.2 * 0.5 * 2)


def test_patrols_locked_by_hand_go_above_the_most():
    """Three locked patrols meet at the hotspot; a fourth that is free keeps off it."""
    problem = _crowd(4, other=True)
    lock = np.full(8, -1)
    lock[:3] = 0, 1, 2
    problem = replace(problem, lock=lock)
    assert solve_rota(problem).chosen.tolist() == [0, 1, 2, 7]


@settings(max_examples=30)
@given(
    schools=st.integers(2, 8), seed=st.integers(0, 10**6), most=st.sampled_from([15.0, 25.0, 30.0])
)
def test_crowds_with_locks_and_tasked_places_keep_every_rule(schools, seed, most):
    """Drawn locks, stops that must be, and dwells: what is above the most was forced."""
    rng = np.random.default_rng(seed)
    problem = _crowd(schools, other=bool(seed % 2), most=most)
    lock = np.full(len(problem), -1)
    held = rng.permutation(len(problem))[: rng.integers(0, 3)]
    _, first = np.unique(problem.officer[held], return_index=True)
    lock[held[first]] = np.arange(len(first))
    problem = replace(
        problem,
        lock=lock,
        mandatory_visits=rng.random(len(problem)) < 0.3,
        visit_minutes=rng.choice([10.0, 15.0, 20.0], len(problem)),
    )
    solution = solve_rota(problem, stop=SearchLimits(moves_per_school=500))
    assert checker.find_broken_rules(problem, solution.chosen) == []
    assert solution.worth == pytest.approx(
        checker.compute_worth(problem, solution.chosen), abs=1e-9
    )


def _day(seed):
    """One officer's day: up to a dozen patrols in four windows, at any times."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 13))
    begin = rng.integers(0, 20, count).astype(np.float64)
    return teams.build_team(
        [(0, 0, route) for route in range(count)],
        range(count),
        [(route, route) for route in range(count)],
        rng.random(count),
        route_window=rng.integers(0, 4, count),
        option_minutes=np.stack([begin, begin + rng.integers(1, 9, count)], axis=1),
    )


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_overlaps_are_the_largest_groups_under_way_at_one_time(seed):
    """All of a group overlap, pairs of different windows that overlap are in one, none twice."""
    problem = _day(seed)
    group, option = find_overlaps(problem)
    groups = [set(option[group == number]) for number in np.unique(group)]
    pairs = {(o, p) for one in groups for o in one for p in one if o < p}
    assert all(checker.overlap(problem, o, p) for o, p in pairs)
    for o in range(len(problem)):
        for p in range(o + 1, len(problem)):
            if problem.window[o] != problem.window[p] and checker.overlap(problem, o, p):
                assert (o, p) in pairs
    assert not any(one <= other for one in groups for other in groups if one is not other)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_the_relaxation_bounds_weeks_of_everything(seed):
    """With windows, overlaps, crews and demands, no week is worth more than the relaxation."""
    problem = teams.draw_crews(seed)
    solution = solve_rota(problem, stop=SearchLimits(gap_percent=0.0, moves_per_school=100))
    model = MipBuilder()
    x = add_options(model, problem)
    add_floor(model, problem, x, solution.floor)
    add_objective(model, problem, x)
    relaxed = model.build().solve_relaxation(seconds=60.0)
    if len(relaxed.values):
        assert relaxed.bound >= solution.worth - 1e-6
    else:
        assert solution.floor.missing < 0
