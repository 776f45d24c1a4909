"""The facade: what is refused, what is answered, and that answers are feasible and the best."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.solve import (
    OrienteeringProblem,
    compute_knapsack_bound,
    find_variants,
    solve,
)

RELAXED = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "derandomize": True,
    "database": None,
}


def walk(problem, stops):
    """Walk a route the obvious way; return minutes of (arrive, begin, leave) and the end."""
    now, place, minutes = problem.earliest_minutes, 0, []
    for stop in stops:
        arrive = now + problem.travel_minutes[place, stop]
        begin = arrive
        if problem.windows is not None:
            begin = max(arrive, problem.windows[stop, 0])
            if begin > problem.windows[stop, 1] + 1e-9:
                return None
        now, place = begin + problem.dwell_minutes[stop], stop
        minutes.append((arrive, begin, now))
    end = now + problem.travel_minutes[place, 0]
    if not math.isfinite(end) or end > problem.latest_minutes + 1e-9:
        return None
    return minutes, end


def check(problem, solution):
    """Check every promise about a solution, sharing nothing with the solver."""
    assert [route.officer for route in solution.routes] == list(range(problem.officer_count))
    visited = [stop for route in solution.routes for stop in route.stops]
    assert len(visited) == len(set(visited))
    assert not problem.barred.intersection(visited)
    assert (solution.status == "infeasible") == bool(problem.mandatory - set(visited))
    for route in solution.routes:
        if not route.stops:
            assert route.start_minutes == route.end_minutes == problem.earliest_minutes
            continue
        walked = walk(problem, route.stops)
        assert walked is not None
        minutes, end = walked
        np.testing.assert_allclose(route.arrive_minutes, [a for a, _, _ in minutes])
        np.testing.assert_allclose(route.begin_minutes, [b for _, b, _ in minutes])
        np.testing.assert_allclose(route.leave_minutes, [c for _, _, c in minutes])
        assert route.end_minutes == pytest.approx(end)
    assert solution.worth == pytest.approx(sum(problem.prizes[stop] for stop in visited))
    assert solution.bound >= solution.worth - 1e-9 * max(1.0, solution.worth)
    assert solution.gap_percent >= 0.0


def brute_force(problem):
    """Give the best worth of all choices of routes; `None` when mandatory stops do not fit."""
    allowed = [k for k in range(problem.size) if k not in problem.barred]
    sets = {frozenset()}
    for count in range(1, len(allowed) + 1):
        for stops in itertools.permutations(allowed, count):
            if frozenset(stops) not in sets and walk(problem, stops) is not None:
                sets.add(frozenset(stops))
    best = None
    for choice in itertools.product(sets, repeat=problem.officer_count):
        union = frozenset().union(*choice)
        if len(union) != sum(len(stops) for stops in choice) or not problem.mandatory <= union:
            continue
        worth = sum(problem.prizes[stop] for stop in union)
        best = worth if best is None else max(best, worth)
    return best


@st.composite
def problems(draw, most=6, officers=2):
    """Draw small problems of every kind, with equal, missing and unreasonable values."""
    size = draw(st.integers(1, most))
    minutes = st.one_of(st.integers(0, 30).map(float), st.sampled_from([0.0, math.inf, 1e6]))
    travel = np.array(draw(st.lists(minutes, min_size=size**2, max_size=size**2)))
    prizes = draw(
        st.lists(st.sampled_from([0, 1, 2, 3, 5, 0.25, 7.5]), min_size=size, max_size=size)
    )
    dwell = draw(st.lists(st.sampled_from([0, 1, 5, 15, 200]), min_size=size, max_size=size))
    windows = None
    if draw(st.booleans()):
        opening = draw(st.lists(st.integers(0, 60), min_size=size, max_size=size))
        length = draw(st.lists(st.sampled_from([0, 5, 30, 100]), min_size=size, max_size=size))
        windows = np.column_stack([opening, np.add(opening, length)]).astype(float)
    stops = st.integers(0, size - 1)
    mandatory = draw(st.frozensets(stops, max_size=2))
    barred = draw(st.frozensets(stops, max_size=1)) - mandatory
    earliest = draw(st.sampled_from([0.0, 0.0, 10.0]))
    latest = earliest + draw(st.sampled_from([40.0, 90.0, 90.0, 0.0, 1e5]))
    travel = travel.reshape(size, size)
    np.fill_diagonal(travel, 0.0)
    return OrienteeringProblem(
        travel,
        np.array(prizes, dtype=float),
        np.array(dwell, dtype=float),
        earliest,
        latest,
        draw(st.integers(1, officers)),
        windows,
        mandatory,
        barred,
    )


def town(size, minutes, *, officers=1, seed=1, dwell=15.0):
    """Give a school with hotspots around it, times as the crow flies."""
    rng = np.random.default_rng(seed)
    points = np.vstack([[0.0, 0.0], rng.uniform(-14, 14, (size, 2))])
    travel = np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1))
    prizes = np.concatenate([[0.0], rng.lognormal(0, 1, size)])
    stays = np.concatenate([[0.0], np.full(size, dwell)])
    return OrienteeringProblem(travel, prizes, stays, 0.0, minutes, officers)


def compare_with_brute_force(problem):
    """Solve and compare with all choices."""
    solution = solve(problem)
    check(problem, solution)
    best = brute_force(problem)
    if best is None:
        assert solution.status == "infeasible"
    else:
        assert solution.proven
        assert solution.worth == pytest.approx(best)


@settings(max_examples=60, **RELAXED)
@given(problems(most=5))
def test_small_problems_are_solved_as_well_as_by_trying_everything(problem):
    """Exact answers equal brute force, with windows, mandatory and barred stops."""
    compare_with_brute_force(problem)


@pytest.mark.slow
@settings(max_examples=500, **RELAXED)
@given(problems(most=6))
def test_five_hundred_small_problems_are_solved_as_well_as_by_trying_everything(problem):
    """Exact answers equal brute force on five hundred problems of every kind."""
    compare_with_brute_force(problem)


@settings(max_examples=100, **RELAXED)
@given(problems(most=9, officers=3))
def test_any_problem_has_a_feasible_answer(problem):
    """Odd problems, also with no stop in reach or nothing to win, are answered and in time."""
    check(problem, solve(problem, max_labels=300))


@pytest.mark.slow
@settings(max_examples=10_000, **RELAXED)
@given(problems(most=9, officers=3))
def test_ten_thousand_problems_have_a_feasible_answer(problem):
    """Ten thousand odd problems are answered and in time."""
    check(problem, solve(problem, max_labels=300))


def test_a_mandatory_stop_out_of_reach_is_infeasible():
    """A mandatory stop that nobody reaches in time makes the case infeasible."""
    problem = town(8, 90.0)
    travel = problem.travel_minutes.copy()
    travel[:, 3] = 80.0
    solution = solve(replace(problem, travel_minutes=travel, mandatory=frozenset({3, 5})))
    assert solution.status == "infeasible"
    assert 3 not in solution.stops
    assert 5 in solution.stops


def test_of_mandatory_stops_that_do_not_fit_together_some_are_visited():
    """When mandatory stops fit one by one but not together, as many as fit are visited."""
    problem = replace(town(8, 75.0, dwell=30.0), mandatory=frozenset({1, 2, 3}))
    solution = solve(problem)
    check(problem, solution)
    assert solution.status == "infeasible"
    assert 0 < len({1, 2, 3} - solution.stops) < 3


def test_forty_candidates_are_proven_for_one_to_three_officers():
    """Patrol-sized cases are settled: the best is found and the gap is nought."""
    for officers in (1, 2, 3):
        problem = town(40, 90.0, officers=officers)
        solution = solve(problem)
        check(problem, solution)
        assert solution.proven
        assert solution.gap_percent == 0.0


@pytest.mark.parametrize("officers", [1, 3])
def test_large_problems_keep_windows_and_mandatory_stops(officers):
    """Large problems with every kind of rule are answered within the rules."""
    rng = np.random.default_rng(7)
    problem = town(150, 180.0, officers=officers, dwell=4.0)
    opening = rng.uniform(0, 150, 151)
    ruled = replace(
        problem,
        windows=np.column_stack([opening, opening + rng.uniform(10, 90, 151)]),
        mandatory=frozenset({3, 60}),
        barred=frozenset({4, 5}),
    )
    solution = solve(ruled, max_labels=30_000)
    check(ruled, solution)
    assert solution.status == "feasible"


def test_large_problems_have_variants_too():
    """Where not everything can be enumerated, variants are the best of a beam of labels."""
    problem = town(140, 60.0, dwell=5.0)
    best = solve(problem, max_labels=30_000)
    others = find_variants(problem, best, count=1, max_jaccard=0.7, min_share=0.5)
    assert others
    for other in others:
        check(problem, other)
        assert jaccard(best.stops, other.stops) <= 0.7
        assert other.worth >= 0.5 * best.worth


def jaccard(first, second):
    """Share of stops in common."""
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("officers", [1, 2])
def test_variants_differ_and_are_nearly_as_good(officers):
    """Variants are feasible, differ pairwise and from the best, and come best first."""
    problem = town(30, 90.0, officers=officers)
    best = solve(problem)
    others = find_variants(problem, best, count=3)
    assert len(others) == 3
    for other in others:
        check(problem, other)
        assert 0.85 * best.worth - 1e-9 <= other.worth <= best.worth + 1e-9
    worths = [other.worth for other in others]
    assert worths == sorted(worths, reverse=True)
    for first, second in itertools.combinations([best, *others], 2):
        assert jaccard(first.stops, second.stops) <= 0.6 + 1e-9


def test_each_variant_is_the_best_that_differs_enough():
    """The first variant is the best of all sets that differ enough, found by trying everything."""
    problem = town(6, 60.0, seed=5)
    best = solve(problem)
    first = find_variants(problem, best, count=1, min_share=0.0)[0]
    differing = [
        stops
        for count in range(1, 5)
        for stops in itertools.permutations(range(1, 7), count)
        if walk(problem, stops) is not None and jaccard(frozenset(stops), best.stops) <= 0.6
    ]
    expected = max(sum(problem.prizes[k] for k in stops) for stops in differing)
    assert first.worth == pytest.approx(expected)


@st.composite
def one_way_towns(draw):
    """Draw towns whose shortest ways there and back differ, as a bicycle's do."""
    size = draw(st.integers(4, 6))
    minutes = st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 40.0])
    legs = np.array(draw(st.lists(minutes, min_size=size**2, max_size=size**2)))
    travel = legs.reshape(size, size)
    np.fill_diagonal(travel, 0.0)
    for via in range(size):
        travel = np.minimum(travel, travel[:, via, None] + travel[None, via, :])
    prizes = draw(st.lists(st.sampled_from([1.0, 2.0, 3.5]), min_size=size, max_size=size))
    latest = draw(st.sampled_from([30.0, 50.0, 70.0]))
    prizes[0] = 0.0
    count = draw(st.integers(1, 2))
    return OrienteeringProblem(travel, np.array(prizes), np.full(size, 8.0), 0.0, latest, count)


@settings(**RELAXED, max_examples=40)
@given(one_way_towns())
def test_one_way_ways_are_as_good_as_brute_force(problem):
    """Where there and back take unlike times, answers are still the best."""
    solution = solve(problem)
    check(problem, solution)
    best = brute_force(problem)
    assert solution.proven
    assert solution.worth == pytest.approx(best)
    others = find_variants(problem, solution, count=2, min_share=0.5)
    for other in others:
        check(problem, other)
        assert other.worth <= best + 1e-9
    turned = replace(problem, travel_minutes=problem.travel_minutes.T)
    assert solve(turned).worth == pytest.approx(best)


@settings(**RELAXED, max_examples=25)
@given(one_way_towns())
def test_the_bound_of_the_knapsack_holds_on_one_way_ways(problem):
    """The bound of all officers' minutes together is never below the best there is."""
    case = reduce_problem(problem)
    assert compute_knapsack_bound(case) >= brute_force(problem) * case.scale - 1e-6
