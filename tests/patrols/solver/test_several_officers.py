"""The moves of the search: each keeps what it promises, against slow and obvious versions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from patrolplan.patrols.solver import several_officers as search
from patrolplan.patrols.solver.insertion import find_places
from patrolplan.patrols.solver.packing import ReducedSolution
from patrolplan.patrols.solver.problem import Officer, OrienteeringProblem
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.starts import build_greedily, build_thinned, shorten_everywhere


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


def build_timed_town(seed, stops, officers):
    """A case of random points, prizes, dwells and windows in 240 minutes."""
    rng = np.random.default_rng(seed)
    xy, opening = rng.uniform(0, 40, (stops + 1, 2)), rng.uniform(0, 200, stops + 1)
    problem = OrienteeringProblem(
        np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)),
        rng.integers(1, 30, stops + 1).astype(float),
        rng.uniform(0, 15, stops + 1),
        (Officer(0, 0, 0.0, 240.0),) * officers,
        np.column_stack([opening, opening + rng.uniform(10, 80, stops + 1)]),
        barred=frozenset({0}),
    )
    return reduce_problem(problem)


def find_end(facts, r, stops):
    """The minute at which an officer is back from stops, infinite when one of them is late."""
    size = len(facts.value)
    now, place = facts.earliest[r], size
    for k in stops:
        begin = max(now + facts.times[0, place, k], facts.opening[k])
        if begin > facts.closing[k] + 1e-9:
            return math.inf
        now, place = begin + facts.dwell[k], k
    end = now + (facts.times[0, place, size + 1] if stops else 0.0)
    return end if end <= facts.latest[r] + 1e-9 else math.inf


def list_insertions(facts, tour, r, k):
    """Positions of a route behind which a stop is in time, and all after it, by walking."""
    stops = tour.route[r, 1 : tour.length[r] - 1].tolist()
    return [
        p
        for p in range(len(stops) + 1)
        if math.isfinite(find_end(facts, r, [*stops[:p], k, *stops[p:]]))
    ]


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


def test_places_with_windows_are_those_in_time():
    """A stop outside the tour has a place where walking the route with it is in time, else none."""
    case = build_timed_town(7, 50, 2)
    walk = search._RouteSearch(case, ReducedSolution({}, 0.0, math.inf, 0), 1)
    facts, places, rng = walk.facts, search._build_places(walk.facts), np.array([1], np.uint64)
    found = {True: 0, False: 0}
    for seed in range(10):
        walk._run_chunk(5, 0.7, 0.0)
        routes = search._read_routes(walk.line.now)
        gone = np.random.default_rng(seed)
        fewer = {r: [k for k in stops if gone.random() < 0.7] for r, stops in routes.items()}
        tour = search._build_tour(facts, fewer)
        places.delay[:] = math.inf
        for r in range(2):
            find_places(facts, tour, places, r, 0, tour.length[r] - 2, 0.0, rng)
            for k in np.flatnonzero(tour.visited_by < 0):
                in_time = list_insertions(facts, tour, r, int(k))
                assert math.isfinite(places.delay[r, k]) == bool(in_time)
                assert not in_time or places.place[r, k] in in_time
                found[bool(in_time)] += 1
    assert min(found.values()) > 50


def test_greedy_insertion_ends_when_nothing_fits():
    """The greedy start is in time, and no stop outside it fits anywhere."""
    for seed in range(20):
        facts = search._build_facts(build_timed_town(seed, 40, 2))
        tour, places = search._build_tour(facts, {}), search._build_places(facts)
        build_greedily(facts, tour, places, np.array([1], dtype=np.uint64))
        assert len(check_tour(facts, tour)) > 5
        for r, k in itertools.product(range(2), np.flatnonzero(tour.visited_by < 0)):
            assert list_insertions(facts, tour, r, int(k)) == []


def test_greedy_insertion_ends_where_stops_are_in_a_line():
    """Detours that are below zero by rounding are inserted like those of zero, and it ends."""
    along = np.random.default_rng(3).uniform(0, 1, 60)[:, None] * np.array([[30.1, 17.7]])
    along[0] = 0.0
    facts = search._build_facts(build_case(along, np.arange(60.0) + 1.0, 80.0))
    size = len(facts.value)
    detours = facts.times[0, size, :size, None] + facts.times[0, :size, :size]
    assert (detours - facts.times[0, size, None, :size] < 0).any()
    tour, places = search._build_tour(facts, {}), search._build_places(facts)
    build_greedily(facts, tour, places, np.array([1], dtype=np.uint64))
    assert len(check_tour(facts, tour)) == size


@pytest.mark.parametrize("officers", [1, 3])
def test_rounds_with_windows_stay_in_time(officers):
    """After any number of rounds the tour at hand, the next trial and the best are all in time."""
    walk = search._RouteSearch(
        build_timed_town(9, 60, officers), ReducedSolution({}, 0.0, math.inf, 0), 1
    )
    for _ in range(30):
        walk._run_chunk(7, 0.7, 0.0)
        now = check_tour(walk.facts, walk.line.now)
        assert check_tour(walk.facts, walk.line.trial) == now
        check_tour(walk.facts, walk.line.best)
