"""The solver: answers are feasible and the best, against every order on a fine grid."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from timed_towns import draw_town, find_best, find_best_by_set, keep_prizes

from patrolplan.patrols.solver import labels
from patrolplan.patrols.solver.labels import MAX_CANDIDATES, LabelExplorer
from patrolplan.patrols.solver.problem import OrienteeringProblem, TimedPrizes, walk_route
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.solve import compute_knapsack_bound, find_variants, solve, time_route

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
RELAXED = {"suppress_health_check": SLOW, "derandomize": True, "database": None, "deadline": None}


def check(problem, solution):
    """Every promise about a solution: its routes are walked again by hand."""
    timed, visited = problem.timed_prizes, []
    assert [route.officer for route in solution.routes] == list(range(problem.officer_count))
    for route in solution.routes:
        now, worth = problem.earliest_minutes, 0.0
        for number, (place, stop) in enumerate(itertools.pairwise([0, *route.stops])):
            begin = route.begin_minutes[number]
            assert begin >= now + problem.travel_minutes[place, stop] - 1e-6
            if problem.windows is not None:
                assert problem.windows[stop, 0] - 1e-6 <= begin <= problem.windows[stop, 1] + 1e-6
            if problem.follows is not None and problem.follows[stop] >= 0:
                assert problem.follows[stop] in route.stops[:number]
            now = begin + problem.dwell_minutes[stop]
            worth += float(timed.compute_worth(stop, np.array([begin]), now - begin)[0])
        if route.stops:
            now += problem.travel_minutes[route.stops[-1], 0]
        assert route.end_minutes == pytest.approx(now)
        assert now <= problem.latest_minutes + 1e-5
        assert route.worth == pytest.approx(worth)
        visited += route.stops
    assert len(set(visited)) == len(visited)
    assert not problem.barred.intersection(visited)
    assert (solution.status == "infeasible") == bool(problem.mandatory - set(visited))
    assert solution.worth == pytest.approx(sum(route.worth for route in solution.routes))
    assert solution.bound >= solution.worth - 1e-9 * max(1.0, solution.worth)
    assert solution.gap_percent >= 0.0


def compare(problem):
    """Solve and compare with all orders and begins, and the knapsack; the solution."""
    solution, best, case = solve(problem), find_best(problem), reduce_problem(problem)
    check(problem, solution)
    assert compute_knapsack_bound(case) >= (solution.worth - 1e-6) * case.scale
    if best is None:
        assert solution.status == "infeasible"
    else:
        assert solution.proven
        # An officer may be late by a nanosecond a minute.
        assert solution.worth == pytest.approx(best, abs=1e-6)
    return solution


def compare_towns(seeds, officers, most_places):
    """Compare drawn towns; how often one waits, stands again, and the most stops."""
    waits, again, longest = 0, 0, 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        problem = draw_town(rng, officers=officers, most_places=most_places)
        for route in compare(problem).routes:
            longest = max(longest, len(route.stops))
            again += bool(np.isin(problem.follows[list(route.stops)], route.stops).any())
            leaves = np.r_[problem.earliest_minutes, route.begin_minutes]
            leaves[1:] += problem.dwell_minutes[list(route.stops)]
            legs = problem.travel_minutes[[0, *route.stops[:-1]], list(route.stops)]
            waits += bool((route.begin_minutes > leaves[:-1] + legs + 0.01).any())
    return waits, again, longest


def test_towns_are_solved_as_well_as_by_trying_every_order_and_minute():
    """Answers equal all orders with begins on a fine grid: places again, windows, mandatory."""
    waits, again, longest = compare_towns(range(25), 1, 6)
    assert waits > 0
    assert again > 0
    assert longest >= 4


@pytest.mark.parametrize(
    ("seeds", "officers", "most_places"),
    [
        (range(100, 110), 2, 4), (range(200, 205), 3, 3),
        pytest.param(range(1000, 1500), 1, 6, marks=pytest.mark.slow),
        pytest.param(range(2000, 2200), 2, 4, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_several_officers_share_out_stops_in_the_best_way(seeds, officers, most_places):
    """Two and three are as good as every way of sharing out the stops; one in 500 towns."""
    compare_towns(seeds, officers, most_places)


@st.composite
def problems(draw, most, officers=2):
    """Draw small problems of every kind, with equal, missing and unreasonable values."""
    size = draw(st.integers(1, most))

    def list_some(values, times=1):
        count = times * size
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), dtype=float)

    travel = list_some(st.integers(0, 30) | st.sampled_from([0.0, math.inf, 1e6]), size)
    rate = list_some(st.sampled_from([0, 1, 2, 3, 5, 0.25, 7.5]), 2)
    dwell = list_some(st.sampled_from([0, 1, 5, 15, 200]))
    windows = None
    if draw(st.booleans()):
        opening = list_some(st.integers(0, 60))
        length = list_some(st.sampled_from([0, 5, 30, 100]))
        windows = np.column_stack([opening, opening + length])
    stops = st.integers(0, size - 1)
    mandatory = draw(st.frozensets(stops, max_size=2))
    earliest = draw(st.sampled_from([0.0, 0.0, 10.0]))
    latest = earliest + draw(st.sampled_from([40.0, 90.0, 90.0, 0.0, 400.0]))
    travel = travel.reshape(size, size)
    np.fill_diagonal(travel, 0.0)
    # Worth a minute changes once, after half an hour.
    gathered = np.outer(rate[:size], np.arange(91.0))
    gathered[:, 31:] = gathered[:, 30:31] + np.outer(rate[size:], np.arange(1.0, 61.0))
    barred = draw(st.frozensets(stops, max_size=1)) - mandatory
    return OrienteeringProblem(
        travel, TimedPrizes(0, gathered), dwell, earliest, latest,
        draw(st.integers(1, officers)), windows, mandatory, barred,
    )  # fmt: skip


@settings(max_examples=max(60, 2 * settings.default.max_examples), **RELAXED)
@given(problems(most=5))
def test_small_problems_are_solved_as_well_as_by_trying_everything(problem):
    """Exact answers equal brute force, with windows, mandatory and barred stops."""
    compare(problem)


@settings(max_examples=max(60, 2 * settings.default.max_examples), **RELAXED)
@given(problems(most=9, officers=3))
def test_any_problem_has_a_feasible_answer(problem):
    """Odd problems, also with no stop in reach or nothing to win, are answered and in time."""
    check(problem, solve(problem, max_labels=300))


def town(seed, size=40, *, minutes=90.0, dwell=15.0, officers=1):
    """A gate and places whose prizes swell and fade as pupils walk past."""
    rng = np.random.default_rng(seed)
    xy = np.vstack([[0.0, 0.0], rng.uniform(-14, 14, (size, 2))])
    travel = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    minute = np.arange(int(minutes))
    front = np.exp(-(((minute - travel[0][:, None] * 1.07 - 8) / 8.0) ** 2) / 2)
    rate = np.r_[0.0, rng.lognormal(0, 1, size)][:, None] * np.sqrt(1 + 8.0 * front)
    cumulative = np.concatenate([np.zeros((size + 1, 1)), np.cumsum(rate, axis=1)], axis=1)
    return OrienteeringProblem(
        travel, TimedPrizes(0, cumulative / dwell), np.r_[0.0, np.full(size, dwell)],
        0.0, minutes, officers, barred=frozenset({0}),
    )  # fmt: skip


@pytest.mark.parametrize("officers", [1, 2, 3])
def test_forty_candidates_are_proven_for_one_to_three_officers(officers):
    """Patrol-sized cases are settled: the best is found and the gap is nought."""
    problem = town(officers, officers=officers)
    solution = solve(problem)
    check(problem, solution)
    assert (solution.status, solution.gap_percent) == ("proven", 0.0)


@pytest.mark.parametrize("officers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_large_towns_are_answered_within_an_honest_bound(officers):
    """Beyond what labels can prove, an answer keeps the rules, is bounded, and stays the same."""
    size, rng = MAX_CANDIDATES + 6, np.random.default_rng(7)
    opening = rng.uniform(0, 150, size + 1)
    problem = replace(
        town(7, size, minutes=180.0, dwell=4.0, officers=officers),
        windows=np.column_stack([opening, opening + rng.uniform(10, 90, size + 1)]),
        mandatory=frozenset({3, 60}),
    )
    solution = solve(problem, max_labels=10_000)
    check(problem, solution)
    assert solution.status == "feasible"
    assert solution.worth < solution.bound < math.inf
    assert len(solution.stops) >= 5 * officers
    assert solve(problem, max_labels=10_000).routes == solution.routes


def test_of_mandatory_stops_that_do_not_fit_together_some_are_visited():
    """When mandatory stops fit one by one but not together, as many as fit are visited."""
    problem = replace(town(1, 8, minutes=75.0, dwell=30.0), mandatory=frozenset({1, 2, 3}))
    solution = solve(problem)
    check(problem, solution)
    assert solution.status == "infeasible"
    assert 0 < len({1, 2, 3} - solution.stops) < 3


@pytest.mark.parametrize(
    ("problem", "options"),
    [
        (town(6, 25), {}), (town(6, 25, officers=2), {}),
        (town(8, 140, minutes=60.0, dwell=5.0), {"count": 1, "max_jaccard": 0.7, "min_share": 0.5}),
    ],
)  # fmt: skip
def test_variants_differ_and_are_nearly_as_good(problem, options, monkeypatch):
    """They are feasible, differ pairwise, and come best first; of a large town by a beam."""
    monkeypatch.setattr("patrolplan.patrols.solver.variants.MAX_LABELS", 30_000)
    count, jaccard, share = ({"count": 3, "max_jaccard": 0.6, "min_share": 0.85} | options).values()
    best = solve(problem, max_labels=30_000)
    others = find_variants(problem, best, **options)
    assert len(others) == count
    for other in others:
        check(problem, other)
        assert share * best.worth - 1e-9 <= other.worth <= best.worth + 1e-9
    worths = [other.worth for other in others]
    assert worths == sorted(worths, reverse=True)
    for one, other in itertools.combinations([best, *others], 2):
        assert len(one.stops & other.stops) <= jaccard * len(one.stops | other.stops) + 1e-9


def test_variants_of_one_officer_are_the_best_that_there_are():
    """Of a small town, the first variant is the best set that shares few places with the best."""
    compared = 0
    for seed in range(30):
        problem = replace(draw_town(np.random.default_rng(seed)), mandatory=frozenset())
        best = solve(problem)
        first = {stop for stop in range(problem.size) if problem.follows[stop] < 0}
        own = best.stops & first
        far = [
            worth
            for stops, worth in find_best_by_set(problem).items()
            if stops
            and len(stops & own) <= 0.6 * len(stops & first | own)
            and worth >= 0.5 * best.worth + 1e-6
        ]
        if not best.stops:
            continue
        others = find_variants(problem, best, count=1, min_share=0.5)
        assert bool(others) >= bool(far)
        if far:
            compared += 1
            assert others[0].worth == pytest.approx(max(far), abs=1e-6)
    assert compared > 10


def test_the_bound_of_a_few_labels_is_never_below_the_best_patrol():
    """However few labels a beam holds, the best of all orders is within the bound."""
    seen, cut = 0, 0
    for seed in range(60):
        problem = draw_town(np.random.default_rng(seed), most_places=5)
        problem = replace(problem, mandatory=frozenset())
        best = find_best(problem)
        case = reduce_problem(problem)
        explorer = LabelExplorer(case)
        for beam in (1, 2, 3, 5):
            found = explorer.explore(case.value, 0.0, rising=True, beam=beam)
            bound, worth = max(found.bound, 0.0), max(found.worth, 0.0)
            assert bound >= (best - 1e-6) * case.scale
            assert worth <= (best + 1e-6) * case.scale
            seen += found.complete
            cut += worth < best * case.scale - 1e-3
    assert seen > 0
    assert cut > 0


def test_no_begin_time_is_worth_more_than_the_best_for_an_order():
    """Of a fixed order no times drawn at random are worth more than those that are given."""
    rng = np.random.default_rng(9)
    tried = 0
    for seed in range(30):
        problem = draw_town(np.random.default_rng(seed), most_places=4, rounded=False)
        stops = [k for k in range(1, problem.size) if k not in problem.barred][:3]
        for order in itertools.permutations(stops):
            route = time_route(problem, 0, order)
            for _ in range(20):
                leave = problem.earliest_minutes + rng.exponential(4)
                walked = walk_route(
                    problem, order, leave_minutes=leave, latest_minutes=problem.latest_minutes,
                    not_before=leave + np.cumsum(rng.exponential(12, len(order))),
                )  # fmt: skip
                if walked is not None:
                    tried += 1
                    worths = map(problem.compute_worth, order, np.array(walked[0])[:, None])
                    assert sum(worths) <= route.worth + 1e-9
    assert tried > 300


def test_a_place_is_stood_at_again_only_after_the_first_time_and_by_one_officer():
    """Visits to one place are one officer's, the first if the second must be, none if barred."""
    cumulative = np.vstack([np.zeros(91), np.arange(91.0), np.arange(91.0)])
    problem = OrienteeringProblem(
        np.zeros((3, 3)), TimedPrizes(0, cumulative), np.array([0.0, 10.0, 10.0]), 0.0, 90.0, 2,
        barred=frozenset({0}), follows=np.array([-1, -1, 1]),
    )  # fmt: skip
    assert sorted(route.stops for route in solve(problem).routes) == [(), (1, 2)]
    assert solve(replace(problem, barred=frozenset({0, 1}))).stops == frozenset()
    worthless = TimedPrizes(0, np.zeros((3, 91)))
    must = replace(problem, mandatory=frozenset({2}), timed_prizes=worthless, officer_count=1)
    assert solve(must).routes[0].stops == (1, 2)


def test_of_a_dwell_that_rises_what_counts_is_gathered_by_when_it_must_be_left():
    """Where the short way back is shut by then, the last part of a minute counts as a part."""
    travel = np.full((4, 4), np.inf)
    travel[[0, 0, 0, 1, 1, 2, 3], [1, 2, 3, 0, 2, 0, 0]] = 10, 5, 10, 30, 5, 5, 10
    gathered = np.zeros((4, 62))
    gathered[1, 31:], gathered[3] = np.arange(1.0, 32.0), np.arange(62.0) / 10
    problem = OrienteeringProblem(
        travel, TimedPrizes(0, gathered), np.array([0, 10, 0, 10.0]), 0.0, 60.5, 1,
        np.array([[0, 60], [0, 60], [0, 5], [0, 60.0]]), barred=frozenset({0}),
    )  # fmt: skip
    assert compare(problem).stops == {3}


def test_the_peak_of_a_dwell_is_the_most_among_its_begins():
    """It equals the best begin of a fine grid between two minutes, and is 0 where none fits."""
    rng = np.random.default_rng(3)
    timed = TimedPrizes(10, np.cumsum(rng.random((1, 31)) ** 4, axis=1))
    for first, last in rng.uniform(0, 45, (40, 2)):
        begins = np.linspace(first, last, 20_001)
        most = timed.compute_worth(0, begins, 7.5).max() if last >= first else 0.0
        assert timed.compute_peak(0, 7.5, first, last) == pytest.approx(most, abs=1e-2)


def test_the_knapsack_counts_half_legs_and_leaves_out_who_is_too_far():
    """By hand: a stop of 20 minutes and half of one fit in 30; one half an hour away is dropped."""
    travel = np.array([[0, 10, 10, 30], [10, 0, 10, 30], [10, 10, 0, 30], [30, 30, 30, 0.0]])
    dwell = np.array([0, 10, 10, 10.0])
    prizes = keep_prizes(np.array([0, 3, 2, 9.0]), dwell, 0, 40)
    problem = OrienteeringProblem(travel, prizes, dwell, 0.0, 40.0, 1, barred=frozenset({0}))
    case = reduce_problem(problem)
    assert case.rows.tolist() == [1, 2]
    assert compute_knapsack_bound(case) == pytest.approx(4 * case.scale)


def test_all_beams_together_hold_to_the_labels_allowed(monkeypatch):
    """Each exploration is left what the ones before it did not use."""
    explore, calls = LabelExplorer.explore, []

    def spy(explorer, *given, max_labels, **options):
        found = explore(explorer, *given, max_labels=max_labels, **options)
        calls.append((max_labels, found.labels))
        return found

    monkeypatch.setattr(LabelExplorer, "explore", spy)
    solve(town(3, 60, minutes=120.0), max_labels=20_000)
    allowed, used = zip(*calls, strict=True)
    assert allowed == (20_000, 20_000 - used[0])


@pytest.mark.parametrize(("size", "minutes"), [(12, 400.0), (9, 50.0)])
def test_where_time_changes_no_prize_stops_and_the_last_of_them_have_one_label(size, minutes):
    """One for each set from which the way home is in time: all others are dominated or late."""
    travel, dwell = np.ceil(town(4, size).travel_minutes), np.r_[0.0, np.full(size, 8.0)]
    prizes = keep_prizes(np.r_[0.0, np.ones(size)], dwell, 0, minutes)
    problem = OrienteeringProblem(travel, prizes, dwell, 0.0, minutes, 1, barred=frozenset({0}))
    found = LabelExplorer(case := reduce_problem(problem)).explore(case.value, -1.0, rising=False)
    level, counts = {(frozenset(), 0): 0.0}, []
    while level:
        leaves = {}
        for ((stops, last), now), k in itertools.product(level.items(), range(1, size + 1)):
            leave = now + travel[last, k] + 8.0
            if k not in stops and leave + travel[k, 0] <= minutes:
                key = stops | {k}, k
                leaves[key] = min(leave, leaves.get(key, np.inf))
        counts, level = [*counts, len(leaves)], leaves
    assert [each.size for each in found.levels[1:] if each.size] == counts[:-1]


def test_labels_are_the_same_however_small_their_memory_begins(monkeypatch):
    """Labels that are entered again in a larger table dominate and die as before."""
    case, counts = reduce_problem(town(3, 12)), []
    for room in (labels.INITIAL_CAPACITY, 64):
        monkeypatch.setattr(labels, "INITIAL_CAPACITY", room)
        found = LabelExplorer(case).explore(case.value, -1.0, rising=False)
        counts.append([level.size for level in found.levels])
    assert counts[0] == counts[1]
    assert max(counts[0]) > 256
