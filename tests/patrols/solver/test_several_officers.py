"""The moves of the search: each keeps what it promises, against slow and obvious versions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from patrolplan.patrols.solver import several_officers as search
from patrolplan.patrols.solver.packing import ReducedSolution
from patrolplan.patrols.solver.problem import Officer, OrienteeringProblem
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.starts import build_thinned, shorten_everywhere


def build_case(xy, prizes, limit, officers=1):
    """Reduce a problem of points whose first one is start and end."""
    xy = np.asarray(xy, dtype=float)
    travel = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    team = (Officer(0, 0, 0.0, limit),) * officers
    dwell = np.zeros(len(xy))
    problem = OrienteeringProblem(travel, prizes, dwell, team, barred=frozenset({0}))
    return reduce_problem(problem)


def build_town(seed, stops, limit, officers=1):
    """A case of random points and prizes."""
    rng = np.random.default_rng(seed)
    prizes = rng.integers(1, 30, stops + 1).astype(float)
    return build_case(rng.uniform(0, 100, (stops + 1, 2)), prizes, limit, officers)


def check_tour(facts, tour):
    """Every stop stands where the tour says, once, and every route is in time."""
    seen = []
    for r, final in enumerate(tour.length - 1):
        stops = tour.route[r, 1:final]
        seen += stops.tolist()
        assert (tour.visited_by[stops] == r).all()
        assert (tour.position[stops] == np.arange(1, final)).all()
        now, place = facts.earliest[r], tour.route[r, 0]
        for k in stops:
            now = max(now + facts.times[facts.group_number[r], place, k], facts.opening[k])
            assert now <= facts.closing[k] + 1e-9
            now, place = now + facts.dwell[k], k
        now += facts.times[facts.group_number[r], place, tour.route[r, final]] if final > 1 else 0
        assert now <= facts.latest[r] + 1e-6
    assert len(seen) == len(set(seen)) == (tour.visited_by >= 0).sum()
    return sorted(seen)


def measure(facts, stops):
    """The minutes of a route over stops."""
    size = len(facts.value)
    return sum(facts.times[0, a, b] for a, b in itertools.pairwise([size, *stops, size + 1]))


def test_exchanges_shorten_a_route_to_where_no_part_reversed_is_shorter():
    """From every random order the same stops come out; never longer, and mostly the shortest."""
    case = build_town(1, 7, 1000.0)
    facts = search._build_facts(case)
    best = min(measure(facts, order) for order in itertools.permutations(range(7)))
    found = 0
    for seed in range(30):
        order = np.random.default_rng(seed).permutation(7).tolist()
        tour = search._build_tour(facts, {0: order})
        shorten_everywhere(facts, tour, 0)
        assert check_tour(facts, tour) == list(range(7))
        stops = tour.route[0, 1:8].tolist()
        length = measure(facts, stops)
        assert length <= measure(facts, order) + 1e-9
        assert tour.leave[0, 8] == pytest.approx(length)
        for low, high in itertools.combinations(range(8), 2):
            turned = [*stops[:low], *reversed(stops[low:high]), *stops[high:]]
            assert measure(facts, turned) >= length - 1e-6
        found += length <= best + 1e-9
    assert found >= 20


@pytest.mark.parametrize("officers", [1, 3])
def test_stored_places_are_the_cheapest(officers):
    """After any number of rounds each stored place costs what a search of its route finds."""
    case = build_town(4, 60, 250.0 / officers, officers)
    walk = search._RouteSearch(case, ReducedSolution({}, 0.0, math.inf, 0), 1)
    for _ in range(20):
        walk._run_chunk(7, 0.7, 0.0)
        now, places, facts = walk.line.now, walk.line.places, walk.facts
        check_tour(facts, now)
        for r, k in itertools.product(range(officers), np.flatnonzero(now.visited_by < 0)):
            route = now.route[r, : now.length[r]]
            detours = [
                facts.times[0, a, k] + facts.times[0, k, b]
                - (facts.times[0, a, b] if len(route) > 2 else 0.0)
                for a, b in itertools.pairwise(route)
            ]  # fmt: skip
            assert places.delay[r, k] == pytest.approx(min(detours), abs=1e-9)
            assert (places.before[r, k] >= 0).all()


def test_a_thinned_tour_finds_prizes_far_away():
    """Where prizes grow with the distance the thinned start is worth more than the greedy one."""
    rng = np.random.default_rng(5)
    near = rng.uniform(-10, 10, (60, 2))
    far = rng.uniform(-10, 10, (60, 2)) + np.array([100.0, 0.0])
    prizes = np.concatenate([[0.0], np.full(60, 5.0), np.full(60, 9.0)])
    case = build_case(np.concatenate([[[0.0, 0.0]], near, far]), prizes, 270.0)
    walk = search._RouteSearch(case, ReducedSolution({}, 0.0, math.inf, 0), 1)
    greedy, thinned = (line.state[1] for line in walk.lines)
    assert thinned > greedy
    found, _ = search.improve_solution(case, ReducedSolution({}, 0.0, math.inf, 0), 60, math.inf, 1)
    assert found.value >= thinned


def test_several_thinned_routes_are_in_time():
    """Three officers' thinned tours share no stop and keep the limit."""
    facts = search._build_facts(build_town(6, 80, 120.0, 3))
    tour, places = search._build_tour(facts, {}), search._build_places(facts)
    unlimited = facts._replace(latest=np.full(3, math.inf))
    build_thinned(facts, unlimited, tour, places, np.array([1], dtype=np.uint64))
    assert len(check_tour(facts, tour)) > 10
    assert (tour.length > 2).all()
