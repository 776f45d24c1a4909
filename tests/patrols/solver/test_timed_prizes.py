"""Prizes that depend on the time: answers against every order on a fine grid."""

import math
from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from timed_towns import draw_town, find_best, find_best_by_set

from patrolplan.patrols.solver.labels import MAX_CANDIDATES, LabelExplorer, Limits
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes, find_variants, solve


def check_times(problem, solution):
    """Every minute and worth of the routes, walked again by hand."""
    timed, visited = problem.timed_prizes, []
    assert len(solution.routes) == problem.officer_count
    for route in solution.routes:
        now = route.leave_start_minutes
        assert now >= problem.earliest_minutes - 1e-6
        worth = 0.0
        places = [0, *route.stops]
        for number, (place, stop) in enumerate(pairwise(places)):
            arrive = now + problem.travel_minutes[place, stop]
            begin = route.begin_minutes[number]
            assert route.arrive_minutes[number] == pytest.approx(arrive)
            assert begin >= arrive - 1e-6
            if problem.windows is not None:
                assert problem.windows[stop, 0] - 1e-6 <= begin <= problem.windows[stop, 1] + 1e-6
            if problem.follows is not None and problem.follows[stop] >= 0:
                assert problem.follows[stop] in route.stops[:number]
            now = begin + problem.dwell_minutes[stop]
            assert route.leave_minutes[number] == pytest.approx(now)
            prize = float(timed.compute_worth(stop, np.array([begin]), now - begin)[0])
            worth += prize
        if route.stops:
            now += problem.travel_minutes[route.stops[-1], 0]
        assert route.end_minutes == pytest.approx(now)
        assert now <= problem.latest_minutes + 1e-5
        assert route.worth == pytest.approx(worth)
        visited += route.stops
    assert len(set(visited)) == len(visited)
    assert not problem.barred.intersection(visited)
    assert solution.worth == pytest.approx(sum(route.worth for route in solution.routes))
    assert solution.bound >= solution.worth - 1e-9


def compare(seeds, officers, most_places):
    """Solve drawn towns and compare; how often one waits, stands again, and the most stops."""
    waits, again, longest = 0, 0, 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        problem = draw_town(rng, officers=officers, most_places=most_places)
        solution, best = solve(problem), find_best(problem)
        check_times(problem, solution)
        if best is None:
            assert solution.status == "infeasible"
            continue
        assert solution.proven
        # An officer may be late by a nanosecond a minute.
        assert solution.worth == pytest.approx(best, abs=1e-6)
        for route in solution.routes:
            longest = max(longest, len(route.stops))
            again += bool(np.isin(problem.follows[list(route.stops)], route.stops).any())
            waits += any(
                begin > arrive + 0.01
                for begin, arrive in zip(route.begin_minutes, route.arrive_minutes, strict=True)
            )
    return waits, again, longest


def test_towns_are_solved_as_well_as_by_trying_every_order_and_minute():
    """Answers equal all orders with begins on a fine grid: places again, windows, mandatory."""
    waits, again, longest = compare(range(25), 1, 6)
    assert waits > 0
    assert again > 0
    assert longest >= 4


def test_several_officers_share_out_timed_stops_in_the_best_way():
    """Two and three officers are as good as every way of sharing out the stops."""
    compare(range(100, 110), 2, 4)
    compare(range(200, 205), 3, 3)


@pytest.mark.slow
def test_five_hundred_towns_are_solved_as_well_as_by_trying_everything():
    """Answers equal brute force on five hundred towns, and on two hundred with two officers."""
    compare(range(1000, 1500), 1, 6)
    compare(range(2000, 2200), 2, 4)


def _town(seed, size=40, *, minutes=90.0, dwell=15.0, officers=1, peak=8.0):
    """A gate and places whose prizes swell and fade as pupils walk past."""
    rng = np.random.default_rng(seed)
    xy = np.vstack([[0.0, 0.0], rng.uniform(-14, 14, (size, 2))])
    travel = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    minute = np.arange(int(minutes))
    front = np.exp(-(((minute - travel[0][:, None] * 1.07 - 8) / 8.0) ** 2) / 2)
    base = np.r_[0.0, rng.lognormal(0, 1, size)]
    rate = base[:, None] * np.sqrt(1 + peak * front)
    cumulative = np.concatenate([np.zeros((size + 1, 1)), np.cumsum(rate, axis=1)], axis=1)
    return OrienteeringProblem(
        travel,
        cumulative[:, -1] / minutes,
        np.r_[0.0, np.full(size, dwell)],
        0.0,
        minutes,
        officers,
        barred=frozenset({0}),
        timed_prizes=TimedPrizes(0, cumulative / dwell),
    )


def test_forty_candidates_are_proven_for_one_to_three_officers():
    """Patrol-sized cases are settled."""
    for officers in (1, 2, 3):
        problem = _town(officers, officers=officers)
        solution = solve(problem)
        check_times(problem, solution)
        assert solution.proven
        assert solution.gap_percent == 0.0


@pytest.mark.parametrize("officers", [1, 2])
def test_constant_prizes_are_worth_what_they_are_without_time(officers):
    """Where prizes never change, the answer is worth the same as that of the static solver."""
    for seed in range(4):
        problem = _town(seed, 25, officers=officers, peak=0.0)
        prizes = problem.timed_prizes.cumulative[:, -1] / 90 * 15
        for windows in (None, np.tile([0.0, 40.0], (26, 1))):
            timed = replace(problem, windows=windows)
            static = replace(timed, timed_prizes=None, prizes=prizes)
            assert solve(timed).worth == pytest.approx(solve(static).worth)


def test_a_prize_is_what_is_gathered_while_dwelling():
    """Worth between two minutes is that of a fine sum over the minutes' rates."""
    rng = np.random.default_rng(5)
    rates = rng.uniform(0, 1, 30)
    prizes = TimedPrizes(900, np.r_[0.0, np.cumsum(rates)][None])
    for begin, dwell in ((900.0, 10.0), (903.3, 7.25), (890.0, 15.5), (925.5, 20.0)):
        fine = begin + (np.arange(10_000) + 0.5) / 10_000 * dwell
        at = np.floor(fine).astype(int) - 900
        inside = (at >= 0) & (at < 30)
        total = rates[at[inside]].sum() * dwell / 10_000
        worth = prizes.compute_worth(0, np.array([begin]), dwell)[0]
        assert worth == pytest.approx(total, abs=0.002)


def test_no_begin_time_is_worth_more_than_the_best_for_an_order():
    """Of a fixed order no times drawn at random are worth more than those that are given."""
    rng = np.random.default_rng(9)
    tried = 0
    for seed in range(30):
        problem = draw_town(np.random.default_rng(seed), most_places=4, rounded=False)
        stops = [k for k in range(1, problem.size) if k not in problem.barred][:3]
        for order in permutations(stops):
            route = time_route(problem, 0, order)
            for _ in range(20):
                now = problem.earliest_minutes + rng.exponential(4)
                worth = 0.0
                place, in_time = 0, True
                for stop in order:
                    now += problem.travel_minutes[place, stop] + rng.choice([0, rng.exponential(5)])
                    if problem.windows is not None:
                        now = max(now, problem.windows[stop, 0])
                        in_time &= now <= problem.windows[stop, 1]
                    dwell = float(problem.dwell_minutes[stop])
                    prize = problem.timed_prizes.compute_worth(stop, np.array([now]), dwell)
                    worth += float(prize[0])
                    now, place = now + dwell, stop
                if now + problem.travel_minutes[place, 0] > problem.latest_minutes:
                    continue
                if in_time:
                    tried += 1
                    assert route is not None
                    assert worth <= route.worth + 1e-9
    assert tried > 300


def test_the_bound_of_a_few_labels_is_never_below_the_best_patrol():
    """However few labels a beam holds, the best of all orders is within the bound."""
    seen, cut = 0, 0
    for seed in range(40):
        problem = draw_town(np.random.default_rng(seed), most_places=5)
        problem = replace(problem, mandatory=frozenset())
        best = find_best(problem)
        case = reduce_problem(problem)
        explorer = LabelExplorer(case)
        for beam in (1, 2, 3, 5):
            found = explorer.explore(case.value, 0.0, rising=True, limits=Limits(beam))
            bound, worth = max(found.bound, 0.0), max(found.worth, 0.0)
            assert bound >= (best - 1e-6) * case.scale
            assert worth <= (best + 1e-6) * case.scale
            seen += found.complete
            cut += worth < best * case.scale - 1e-3
    assert seen > 0
    assert cut > 0


def test_an_officer_waits_for_a_prize_that_comes_late():
    """A place with a prize late in the window is begun when it is worth most, not on arrival."""
    cumulative = np.zeros((2, 91))
    cumulative[1] = np.clip(np.arange(91) - 50.0, 0, 10)
    problem = OrienteeringProblem(
        np.array([[0.0, 10.0], [10.0, 0.0]]), np.zeros(2), np.array([0.0, 10.0]),
        0.0, 90.0, timed_prizes=TimedPrizes(0, cumulative),
    )  # fmt: skip
    (route,) = solve(problem).routes
    assert (route.arrive_minutes, route.begin_minutes, route.worth) == ((10.0,), (50.0,), 10.0)


@pytest.mark.parametrize("officers", [1, 2])
def test_variants_go_elsewhere_and_are_near_the_best(officers):
    """Variants have other stops, share of the timed worth and times of their own."""
    problem = _town(6, 25, officers=officers)
    best = solve(problem)
    others = find_variants(problem, best, count=3, min_share=0.85)
    assert len(others) == 3
    sets = [best.stops, *(other.stops for other in others)]
    for number, other in enumerate(others, 1):
        check_times(problem, other)
        assert 0.85 * best.worth - 1e-9 <= other.worth <= best.worth + 1e-9
        for stops in sets[:number]:
            assert len(stops & other.stops) <= 0.6 * len(stops | other.stops) + 1e-9


def test_variants_of_one_officer_are_the_best_that_there_are():
    """Of a small town, the first variant is the best set that shares little with the best."""
    compared = 0
    for seed in range(30):
        problem = replace(draw_town(np.random.default_rng(seed)), mandatory=frozenset())
        best = solve(problem)
        table = find_best_by_set(problem)
        others = find_variants(problem, best, count=1, min_share=0.5)
        far = [
            worth
            for stops, worth in table.items()
            if stops
            and len(stops & best.stops) <= 0.6 * len(stops | best.stops)
            and worth >= 0.5 * best.worth + 1e-6
        ]
        if not best.stops:
            continue
        assert bool(others) >= bool(far)
        if far:
            compared += 1
            assert others[0].worth == pytest.approx(max(far), abs=1e-6)
    assert compared > 10


@pytest.mark.parametrize("officers", [1, 2])
def test_large_towns_are_answered_within_an_honest_bound(officers):
    """Beyond what labels can prove, an answer is feasible, no worse than greedy, and bounded."""
    problem = _town(7, MAX_CANDIDATES + 12, dwell=6.0, officers=officers)
    solution = solve(problem, max_labels=30_000)
    check_times(problem, solution)
    assert solution.status == "feasible"
    assert solution.worth < solution.bound < math.inf
    assert len(solution.stops) >= 5 * officers
    again = solve(problem, max_labels=30_000)
    assert [route.stops for route in again.routes] == [route.stops for route in solution.routes]
    first = next(iter(solution.routes))
    shuffled = time_route(problem, 0, first.stops[::-1])
    assert shuffled is None or shuffled.worth <= first.worth


def test_a_place_is_stood_at_again_only_after_the_first_time_and_by_one_officer():
    """Two visits to the one place of worth are one officer's, and none if the first is barred."""
    cumulative = np.vstack([np.zeros(91), np.arange(91.0), np.arange(91.0)])
    problem = OrienteeringProblem(
        np.zeros((3, 3)), np.zeros(3), np.array([0.0, 10.0, 10.0]), 0.0, 90.0, 2,
        barred=frozenset({0}), timed_prizes=TimedPrizes(0, cumulative),
        follows=np.array([-1, -1, 1]),
    )  # fmt: skip
    assert sorted(route.stops for route in solve(problem).routes) == [(), (1, 2)]
    assert solve(replace(problem, barred=frozenset({0, 1}))).stops == frozenset()


def test_a_mandatory_second_visit_brings_the_first_even_if_it_is_worth_nothing():
    """Who must stand at a place a second time stands there a first time, for no prize."""
    problem = OrienteeringProblem(
        np.zeros((3, 3)), np.zeros(3), np.array([0.0, 10.0, 10.0]), 0.0, 90.0,
        mandatory=frozenset({2}), barred=frozenset({0}),
        timed_prizes=TimedPrizes(0, np.zeros((3, 91))), follows=np.array([-1, -1, 1]),
    )  # fmt: skip
    assert solve(problem).routes[0].stops == (1, 2)
