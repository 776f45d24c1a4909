"""The facade: what is refused, what is answered, and that answers are feasible and the best."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from patrolplan.patrols.solver.packing import ReducedSolution
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.several_officers import improve_solution
from patrolplan.patrols.solver.solve import (
    MaxIterations,
    MaxSeconds,
    Officer,
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


def walk(problem, officer, stops):
    """Walk a route the obvious way; return minutes of (arrive, begin, leave) and the end."""
    now, place, minutes = officer.earliest_minutes, officer.start, []
    for stop in stops:
        arrive = now + problem.travel_minutes[place, stop] / officer.speed
        begin = arrive
        if problem.windows is not None:
            begin = max(arrive, problem.windows[stop, 0])
            if begin > problem.windows[stop, 1] + 1e-9:
                return None
        now, place = begin + problem.dwell_minutes[stop], stop
        minutes.append((arrive, begin, now))
    end = now + problem.travel_minutes[place, officer.end] / officer.speed
    if not math.isfinite(end) or end > officer.latest_minutes + 1e-9:
        return None
    return minutes, end


def check(problem, solution):
    """Check every promise about a solution, sharing nothing with the solver."""
    assert [route.officer for route in solution.routes] == list(range(len(problem.officers)))
    visited = [stop for route in solution.routes for stop in route.stops]
    assert len(visited) == len(set(visited))
    assert not problem.barred.intersection(visited)
    assert all(len(group.intersection(visited)) <= 1 for group in problem.exclusive)
    assert set(solution.unmet) == problem.mandatory - set(visited)
    assert (solution.status == "infeasible") == bool(solution.unmet)
    for route, officer in zip(solution.routes, problem.officers, strict=True):
        if not route.stops:
            assert route.start_minutes == route.end_minutes == officer.earliest_minutes
            continue
        walked = walk(problem, officer, route.stops)
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
    feasible = []
    for officer in problem.officers:
        sets = {frozenset()}
        for count in range(1, len(allowed) + 1):
            for stops in itertools.permutations(allowed, count):
                if frozenset(stops) not in sets and walk(problem, officer, stops) is not None:
                    sets.add(frozenset(stops))
        feasible.append(sets)
    best = None
    for choice in itertools.product(*feasible):
        union = frozenset().union(*choice)
        if len(union) != sum(len(stops) for stops in choice) or not problem.mandatory <= union:
            continue
        if any(len(group & union) > 1 for group in problem.exclusive):
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
    groups = draw(st.lists(st.frozensets(stops, max_size=3), max_size=2))
    team = draw(st.integers(1, officers))
    people = []
    for _ in range(team):
        earliest = draw(st.sampled_from([0.0, 0.0, 10.0]))
        latest = earliest + draw(st.sampled_from([40.0, 90.0, 90.0, 0.0, math.inf]))
        speed = draw(st.sampled_from([1.0, 1.0, 2.0]))
        people.append(Officer(draw(stops), draw(stops), earliest, latest, speed))
    return OrienteeringProblem(
        travel.reshape(size, size),
        np.array(prizes, dtype=float),
        np.array(dwell, dtype=float),
        tuple(people),
        windows,
        mandatory,
        barred,
        tuple(group for group in groups if len(group & mandatory) <= 1),
    )


def town(size, minutes, *, officers=1, seed=1, dwell=15.0):
    """Give a school with hotspots around it, times as the crow flies."""
    rng = np.random.default_rng(seed)
    points = np.vstack([[0.0, 0.0], rng.uniform(-14, 14, (size, 2))])
    travel = np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1))
    prizes = np.concatenate([[0.0], rng.lognormal(0, 1, size)])
    stays = np.concatenate([[0.0], np.full(size, dwell)])
    team = tuple(Officer(0, 0, 0.0, minutes) for _ in range(officers))
    return OrienteeringProblem(travel, prizes, stays, team)


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
    """Exact answers equal brute force, with windows, mandatory, barred and exclusive stops."""
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
    check(problem, solve(problem, stop=MaxIterations(50)))


@pytest.mark.slow
@settings(max_examples=10_000, **RELAXED)
@given(problems(most=9, officers=3))
def test_ten_thousand_problems_have_a_feasible_answer(problem):
    """Ten thousand odd problems are answered and in time."""
    check(problem, solve(problem, stop=MaxIterations(50)))


def test_a_single_row_without_prize_gives_an_empty_route():
    """A problem that is only the start has an empty route, worth nothing, proven."""
    problem = OrienteeringProblem(np.zeros((1, 1)), np.zeros(1), np.zeros(1), (Officer(0, 0),))
    solution = solve(problem)
    assert solution.proven
    assert solution.routes[0].stops == ()
    assert solution.gap_percent == 0.0


def test_a_dwell_longer_than_the_hours_is_left_out():
    """A stop whose dwell is longer than the officer's hours is not visited."""
    problem = town(3, 90.0, dwell=91.0)
    solution = solve(problem)
    assert solution.proven
    assert solution.stops == frozenset()


def test_without_limits_every_stop_is_visited():
    """An officer without a latest minute visits everything that can be reached."""
    problem = town(12, math.inf)
    solution = solve(problem, stop=MaxIterations(200))
    assert solution.stops == frozenset(range(1, 13))
    assert solution.proven


def test_equal_points_are_all_visited_when_there_is_time():
    """Stops at the same place cost only their dwell."""
    size = 6
    problem = OrienteeringProblem(
        np.zeros((size, size)), np.ones(size), np.full(size, 15.0), (Officer(0, 0, 0.0, 75.0),)
    )
    solution = solve(problem)
    assert solution.worth == 5.0
    assert solution.proven


def test_tiny_prizes_are_told_apart():
    """The scale of the prizes does not matter."""
    problem = town(15, 90.0, officers=2)
    small = replace(problem, prizes=problem.prizes * 1e-12)
    assert solve(small).worth == pytest.approx(1e-12 * solve(problem).worth, rel=1e-6)


def test_a_mandatory_stop_out_of_reach_is_named():
    """A mandatory stop that nobody reaches in time makes the case infeasible and is named."""
    problem = town(8, 90.0)
    travel = problem.travel_minutes.copy()
    travel[:, 3] = 80.0
    solution = solve(replace(problem, travel_minutes=travel, mandatory=frozenset({3, 5})))
    assert solution.status == "infeasible"
    assert solution.unmet == (3,)
    assert "mandatory stops [3]" in solution.message
    assert 5 in solution.stops
    assert "infeasible" in str(solution)


def test_mandatory_stops_that_do_not_fit_together_are_named():
    """When mandatory stops fit one by one but not together, some are named as unmet."""
    problem = replace(town(8, 75.0, dwell=30.0), mandatory=frozenset({1, 2, 3}))
    solution = solve(problem)
    check(problem, solution)
    assert solution.status == "infeasible"
    assert "do not fit together" in solution.message


def test_every_fault_of_a_problem_is_named_at_once():
    """One error lists all wrong arguments, the value seen and what to do."""
    with pytest.raises(ValueError, match="travel_minutes") as caught:
        OrienteeringProblem(
            np.array([[0.0, -2.0], [1.0, 0.0]]),
            np.array([1.0, math.nan]),
            np.array([1.0]),
            (Officer(0, 7, 5.0, 1.0, 0.0),),
            np.array([[0.0, 1.0], [3.0, 2.0]]),
            frozenset({1, 9}),
            frozenset({1}),
            (frozenset({4}),),
        )
    for part in (
        "travel_minutes[0, 1] is -2.0",
        "prizes[1] is nan",
        "dwell_minutes has shape (1,)",
        "windows[1] is [3.0, 2.0]",
        "officers[0].end is 7",
        "officers[0].latest_minutes is 1.0",
        "officers[0].speed is 0.0",
        "mandatory names [9]",
        "stops [1] are both mandatory and barred",
        "exclusive[0] names [4]",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("travel", [np.zeros((0, 0)), np.zeros(3), np.zeros((2, 3)), "far"])
def test_a_matrix_that_is_not_square_is_refused(travel):
    """Travel times that are not a square matrix are an error that says so."""
    with pytest.raises(ValueError, match="travel_minutes"):
        OrienteeringProblem(travel, np.zeros(1), np.zeros(1), (Officer(0, 0),))


def test_no_officer_and_contradictory_mandatory_stops_are_refused():
    """A problem without officers, or with two mandatory stops that exclude each other, is wrong."""
    with pytest.raises(ValueError, match=r"officers is empty.*all mandatory"):
        OrienteeringProblem(
            np.zeros((3, 3)),
            np.zeros(3),
            np.zeros(3),
            (),
            mandatory=frozenset({1, 2}),
            exclusive=(frozenset({1, 2}),),
        )


def test_a_problem_keeps_its_own_read_only_arrays():
    """Changing the arrays given, or the problem's own, does not change the problem."""
    prizes = np.array([0.0, 1.0])
    problem = OrienteeringProblem(np.zeros((2, 2)), prizes, np.zeros(2), (Officer(0, 0),))
    prizes[1] = 5.0
    assert problem.prizes[1] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.prizes[1] = 5.0


def test_forty_candidates_are_proven_for_one_to_three_officers():
    """Patrol-sized cases are settled: the best is found and the gap is nought."""
    for officers in (1, 2, 3):
        problem = town(40, 90.0, officers=officers)
        solution = solve(problem)
        check(problem, solution)
        assert solution.proven
        assert solution.gap_percent == 0.0
        assert "best possible" in solution.summary()


def test_dwell_choices_of_a_place_are_used_once():
    """A place offered with two dwells is visited at most once, with the better of them."""
    problem = town(20, 90.0, officers=2)
    both = np.concatenate([np.arange(21), np.arange(1, 21)])
    dwell = np.concatenate([[0.0], np.full(20, 15.0), np.full(20, 8.0)])
    prizes = np.concatenate([problem.prizes, 0.6 * problem.prizes[1:]])
    choices = OrienteeringProblem(
        problem.travel_minutes[np.ix_(both, both)],
        prizes,
        dwell,
        problem.officers,
        exclusive=tuple(frozenset({k, k + 20}) for k in range(1, 21)),
    )
    solution = solve(choices)
    check(choices, solution)
    assert solution.proven
    assert solution.worth >= solve(problem).worth


@pytest.mark.slow
def test_equal_seeds_and_iterations_give_equal_answers():
    """The search repeats itself for the same seed and budget, whatever the computer does."""
    problem = town(150, 200.0, officers=2)
    first, second = (solve(problem, stop=MaxIterations(2000), seed=3) for _ in range(2))
    assert [route.stops for route in first.routes] == [route.stops for route in second.routes]
    assert first.bound == second.bound


def test_a_time_limit_is_kept():
    """The solver gives its best answer when the time is up."""
    problem = town(150, 200.0, officers=2)
    solve(problem, stop=MaxIterations(1))
    begun = time.perf_counter()
    solution = solve(problem, stop=MaxSeconds(0.3))
    assert time.perf_counter() - begun < 0.6
    check(problem, solution)
    assert solution.status == "feasible"
    assert 0.0 < solution.gap_percent < 100.0
    assert "within" in str(solution)


def greedy_worth(problem):
    """Insert the stop of most prize for each minute of delay while one fits, the plain way."""
    routes = [[] for _ in problem.officers]
    while True:
        best, chosen = 0.0, None
        taken = {stop for route in routes for stop in route} | problem.barred
        for route, officer in zip(routes, problem.officers, strict=True):
            end = walk(problem, officer, route)[1] if route else officer.earliest_minutes
            for stop in set(range(1, problem.size)) - taken:
                for position in range(len(route) + 1):
                    trial = [*route[:position], stop, *route[position:]]
                    walked = walk(problem, officer, trial)
                    if walked is not None and problem.prizes[stop] / (walked[1] - end) > best:
                        best, chosen = problem.prizes[stop] / (walked[1] - end), (route, trial)
        if chosen is None:
            return sum(problem.prizes[stop] for route in routes for stop in route)
        chosen[0][:] = chosen[1]


@pytest.mark.parametrize("stop", [MaxSeconds(0.0), MaxIterations(0), MaxIterations(300)])
@pytest.mark.parametrize("officers", [1, 2])
def test_a_hurried_answer_is_no_worse_than_greedy(stop, officers):
    """Even with no time at all the answer is feasible and at least that of greedy insertion."""
    problem = town(140, 70.0, officers=officers, dwell=5.0)
    solution = solve(problem, stop=stop)
    check(problem, solution)
    assert solution.worth >= greedy_worth(problem) - 1e-9


@pytest.mark.parametrize("officers", [1, 3])
def test_the_search_keeps_windows_exclusions_and_mandatory_stops(officers):
    """Large problems with every kind of rule are answered within the rules."""
    rng = np.random.default_rng(7)
    problem = town(150, 180.0, officers=officers, dwell=4.0)
    opening = rng.uniform(0, 150, 151)
    ruled = replace(
        problem,
        windows=np.column_stack([opening, opening + rng.uniform(10, 90, 151)]),
        mandatory=frozenset({3, 60}),
        barred=frozenset({4, 5}),
        exclusive=tuple(frozenset({k, k + 70}) for k in range(6, 66)),
        officers=tuple(
            replace(officer, speed=1.0 + number, earliest_minutes=5.0 * number)
            for number, officer in enumerate(problem.officers)
        ),
    )
    solution = solve(ruled, stop=MaxIterations(1500))
    check(ruled, solution)
    assert solution.status == "feasible"


def test_large_problems_have_variants_too():
    """Where nothing can be enumerated, variants come from solving again with smaller prizes."""
    problem = town(140, 60.0, dwell=5.0)
    best = solve(problem, stop=MaxIterations(2000))
    for other in find_variants(problem, best, count=1, max_jaccard=0.7, min_share=0.5):
        check(problem, other)
        assert jaccard(best.stops, other.stops) <= 0.7
        assert other.worth >= 0.5 * best.worth


def test_limits_that_make_no_sense_are_refused():
    """Negative limits are an error that names the criterion."""
    with pytest.raises(ValueError, match="MaxSeconds: limit is -1"):
        MaxSeconds(-1)
    with pytest.raises(ValueError, match="MaxIterations: limit is -1"):
        MaxIterations(-1)


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


@pytest.mark.parametrize("officers", [1, 2])
def test_each_variant_is_the_best_that_differs_enough(officers):
    """The first variant is the best of all sets that differ enough, found by trying everything."""
    problem = town(6, 60.0, officers=officers, seed=5)
    best = solve(problem)
    first = find_variants(problem, best, count=1, min_share=0.0)[0]
    feasible = [
        frozenset(stops)
        for count in range(5)
        for stops in itertools.permutations(range(1, 7), count)
        if walk(problem, problem.officers[0], stops) is not None
    ]
    unions = {
        frozenset().union(*choice)
        for choice in itertools.product(set(feasible), repeat=officers)
        if len(frozenset().union(*choice)) == sum(len(stops) for stops in choice)
    }
    differing = [stops for stops in unions if stops and jaccard(stops, best.stops) <= 0.6]
    expected = max(sum(problem.prizes[k] for k in stops) for stops in differing)
    assert first.worth == pytest.approx(expected)


def test_variants_of_nothing_are_none():
    """Where nothing can be visited there is no other way."""
    problem = town(3, 90.0, dwell=91.0)
    assert find_variants(problem, solve(problem)) == ()


def test_variants_refuse_shares_that_make_no_sense():
    """All wrong options of variants are named at once."""
    problem = town(3, 90.0)
    best = solve(problem)
    with pytest.raises(ValueError, match=r"count is -1.*max_jaccard is 2.*min_share is -1"):
        find_variants(problem, best, count=-1, max_jaccard=2.0, min_share=-1.0)


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
    team = tuple(
        Officer(0, draw(st.sampled_from([0, 1])), 0.0, draw(st.sampled_from([30.0, 50.0, 70.0])))
        for _ in range(draw(st.integers(1, 2)))
    )
    prizes[0] = 0.0
    return OrienteeringProblem(travel, np.array(prizes), np.full(size, 8.0), team)


@settings(**RELAXED, max_examples=40)
@given(one_way_towns())
def test_one_way_ways_are_as_good_as_brute_force(problem):
    """Where there and back take unlike times, answers are still the best, on either solver."""
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
    swapped = tuple(replace(one, start=one.end, end=one.start) for one in problem.officers)
    assert solve(replace(turned, officers=swapped)).worth == pytest.approx(best)


@settings(**RELAXED, max_examples=25)
@given(one_way_towns())
def test_search_and_bound_hold_on_one_way_ways(problem):
    """The search's routes are in time, and no bound is below the best there is."""
    case = reduce_problem(problem)
    best = brute_force(problem)
    assert compute_knapsack_bound(case) >= best * case.scale - 1e-6
    if case.size:
        found, _ = improve_solution(
            case, ReducedSolution({}, 0.0, math.inf, 0), 300, math.inf, seed=1
        )
        assert found.value <= best * case.scale + 1e-6
        for officer, stops in found.routes.items():
            rows = [int(case.rows[k]) for k in stops]
            assert walk(problem, problem.officers[officer], rows) is not None
