"""Patrol-shaped problems by our solver, PyVRP, OR-Tools and HiGHS, in the same run.

A gate and 12 to 60 places within a walk of each other, one to three officers, 90 minutes, dwells
of 15. Prizes are constant, or rise and fall within the window. No peer knows prizes that depend on
the minute: each gets a copy of every place for each span of `SPAN` minutes in which its dwell may
begin, of which one is visited at most. Whatever order a peer finds is then timed by our own rules,
so that all are scored alike; it is `matched` where it is worth as much as ours, to a thousandth.
PyVRP and OR-Tools are installed by hand: `pip install pyvrp ortools`.

    python benchmarks/patrol_peers.py --json FILE [--problems 48] [--seconds 1]
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

import numpy as np
import ortools.constraint_solver.pywrapcp as cp
import pyvrp
from numpy.typing import NDArray
from pyvrp.stop import MaxRuntime
from scipy import sparse

from patrolplan.patrols.solver.highs import Programme, maximise
from patrolplan.patrols.solver.problem import OrienteeringProblem, TimedPrizes, time_route
from patrolplan.patrols.solver.solve import solve

MINUTES, DWELL, SPAN = 90, 15, 10
SCALE, WORTH = 100, 10_000  # peers count in whole hundredths of a minute and parts of a prize
LARGEST_PROGRAMME = 30  # copies of places that HiGHS is given: beyond, it finds little in the time

Copies = NDArray[np.float64]
"""(c, 4) of each copy: row of the problem, first and last minute of its dwell's begin, prize."""


def draw_problem(
    rng: np.random.Generator, places: int, officers: int, *, timed: bool
) -> OrienteeringProblem:
    """A gate and places within 600 m, at 80 m a minute, by streets 1.3 times the straight line."""
    xy = np.vstack([[0, 0], rng.uniform(-600, 600, (places, 2))])
    apart = 1.3 * np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) / 80
    rate = np.outer(rng.gamma(0.7, 1.0, places + 1), np.ones(MINUTES))
    if timed:
        middle, width = rng.uniform(5, 60, (places + 1, 1)), rng.uniform(8, 25, (places + 1, 1))
        rate *= np.exp(-(((np.arange(MINUTES) - middle) / width) ** 2))
    rate[0] = 0
    gathered = np.concatenate([np.zeros((places + 1, 1)), np.cumsum(rate, axis=1)], axis=1)
    dwell = np.r_[0.0, np.full(places, float(DWELL))]
    hours = (0.0, float(MINUTES))
    return OrienteeringProblem(apart, TimedPrizes(0, gathered), dwell, *hours, officers)


def copy_places(problem: OrienteeringProblem, *, timed: bool) -> Copies:
    """What peers choose from; the prize is that of the middle of the span."""
    rows = []
    for row in range(1, problem.size):
        last = MINUTES - DWELL - problem.travel_minutes[row, 0]
        for first in np.arange(0, last, SPAN) if timed else [0.0]:
            end = min(first + SPAN, last) if timed else last
            at = np.array([(first + end) / 2])
            rows.append((row, first, end, float(problem.compute_worth(row, at)[0])))
    return np.array(rows)


def measure_legs(problem: OrienteeringProblem, copies: Copies) -> NDArray[np.int64]:
    """(c + 1, c + 1) minutes between gate and copies, in hundredths, rounded up."""
    at = np.r_[0, copies[:, 0].astype(int)]
    return np.ceil(SCALE * problem.travel_minutes[np.ix_(at, at)]).astype(np.int64)


def by_pyvrp(problem: OrienteeringProblem, copies: Copies, seconds: float) -> list[list[int]]:
    """Prize-collecting routes; distance costs nothing."""
    model = pyvrp.Model()
    places = [model.add_location(x=0, y=0) for _ in range(problem.size)]
    model.add_depot(places[0])
    model.add_vehicle_type(problem.officer_count, tw_late=SCALE * MINUTES, unit_distance_cost=0)
    groups = {row: model.add_client_group(required=False) for row in np.unique(copies[:, 0])}
    for row, first, last, prize in copies:
        window = {"tw_early": int(SCALE * first), "tw_late": int(SCALE * last)}
        worth = {"prize": int(WORTH * prize), "required": False, "group": groups[row]}
        model.add_client(places[int(row)], service_duration=SCALE * DWELL, **window, **worth)
    legs = np.ceil(SCALE * problem.travel_minutes).astype(int)
    for i, j in np.ndindex(legs.shape):
        if i != j:
            model.add_edge(places[i], places[j], distance=0, duration=int(legs[i, j]))
    best = model.solve(MaxRuntime(seconds), seed=1, display=False).best
    return [
        [int(copies[stay.idx, 0]) for stay in route.schedule() if stay.is_client()]
        for route in best.routes()
    ]


def by_ortools(problem: OrienteeringProblem, copies: Copies, seconds: float) -> list[list[int]]:
    """Routing with optional visits: what a visit is worth less than the best is a cost."""
    legs = measure_legs(problem, copies)
    manager = cp.RoutingIndexManager(len(legs), problem.officer_count, 0)
    routing, node = cp.RoutingModel(manager), manager.IndexToNode
    prizes = np.r_[0, (WORTH * copies[:, 3]).astype(int)]
    of_place = {row: np.flatnonzero(copies[:, 0] == row) + 1 for row in np.unique(copies[:, 0])}
    most = np.zeros(len(legs), dtype=int)
    for own in of_place.values():
        most[own] = prizes[own].max()
    stay = np.r_[0, np.full(len(copies), SCALE * DWELL)]
    minutes = routing.RegisterTransitCallback(
        lambda i, j: int(legs[node(i), node(j)] + stay[node(i)])
    )
    lost = routing.RegisterTransitCallback(lambda _, j: int(most[node(j)] - prizes[node(j)]))
    routing.SetArcCostEvaluatorOfAllVehicles(lost)
    routing.AddDimension(minutes, SCALE * MINUTES, SCALE * MINUTES, False, "time")  # noqa: FBT003
    clock = routing.GetDimensionOrDie("time")
    for number, (_, first, last, _) in enumerate(copies, start=1):
        clock.CumulVar(manager.NodeToIndex(number)).SetRange(int(SCALE * first), int(SCALE * last))
    for own in of_place.values():
        indices = [manager.NodeToIndex(int(one)) for one in own]
        routing.AddDisjunction(indices, int(most[own[0]]))
    search = cp.DefaultRoutingSearchParameters()
    search.local_search_metaheuristic = 3  # guided local search
    search.time_limit.FromMilliseconds(int(1000 * seconds))
    found = routing.SolveWithParameters(search)
    routes = []
    for officer in range(problem.officer_count if found else 0):
        index, route = routing.Start(officer), list[int]()
        while not routing.IsEnd(index):
            route += [int(copies[node(index) - 1, 0])] if node(index) else []
            index = found.Value(routing.NextVar(index))
        routes.append(route)
    return routes


def by_highs(problem: OrienteeringProblem, copies: Copies, seconds: float) -> list[list[int]]:
    """A programme of arcs, with the minute of each visit against loops."""
    legs, count = measure_legs(problem, copies) / SCALE, len(copies) + 1
    arcs = [(i, j) for i in range(count) for j in range(count) if i != j]
    first = np.r_[0, copies[:, 1]]
    last = np.r_[MINUTES, copies[:, 2]]
    prizes = np.r_[0, copies[:, 3]]
    columns = len(arcs) + count
    rows: list[tuple[dict[int, float], float, float]] = []
    for k in range(1, count):
        into = {n: 1.0 for n, (_, j) in enumerate(arcs) if j == k}
        out = {n: -1.0 for n, (i, _) in enumerate(arcs) if i == k}
        rows.append((into | out, 0, 0))
    for place in np.unique(copies[:, 0]):
        own = set(np.flatnonzero(copies[:, 0] == place) + 1)
        rows.append(({n: 1.0 for n, (_, j) in enumerate(arcs) if j in own}, 0, 1))
    rows.append(({n: 1.0 for n, (i, _) in enumerate(arcs) if i == 0}, 0, problem.officer_count))
    for n, (i, j) in enumerate(arcs):
        if j:
            stay = DWELL if i else 0
            much = max(0.0, (last[i] if i else 0) + stay + legs[i, j] - first[j])
            at = {n: -much, len(arcs) + j: 1.0} | ({len(arcs) + i: -1.0} if i else {})
            rows.append((at, stay + legs[i, j] - much, np.inf))
    data = [(r, c, v) for r, (row, *_) in enumerate(rows) for c, v in row.items()]
    r, c, v = map(np.array, zip(*data, strict=True))
    programme = Programme(
        np.r_[[prizes[j] for _, j in arcs], np.zeros(count)],
        np.r_[np.zeros(len(arcs)), first],
        np.r_[np.ones(len(arcs)), last],
        np.r_[np.ones(len(arcs), dtype=bool), np.zeros(count, dtype=bool)],
        sparse.csr_array((v, (r, c)), shape=(len(rows), columns)),
        np.array([low for _, low, _ in rows]),
        np.array([high for *_, high in rows]),
    )
    values = maximise(programme, {}, seconds=seconds).values
    used = [arc for arc, value in zip(arcs, values, strict=False) if value > 0.5]  # noqa: PLR2004
    after = {i: j for i, j in used if i}
    routes = []
    for _, at in (arc for arc in used if arc[0] == 0):
        route, k = list[int](), at
        while k:
            route.append(int(copies[k - 1, 0]))
            k = after[k]
        routes.append(route)
    return routes


PEERS: dict[str, Callable[[OrienteeringProblem, Copies, float], list[list[int]]]] = {
    "pyvrp": by_pyvrp,
    "or-tools": by_ortools,
    "highs": by_highs,
}


def score(problem: OrienteeringProblem, routes: list[list[int]]) -> float:
    """What routes are worth at their best times; one that is late, by rounding, loses its last."""
    worth = 0.0
    for number, stops in enumerate(routes):
        route = time_route(problem, number, stops)
        while route is None:
            stops.pop()
            route = time_route(problem, number, stops)
        worth += route.worth
    return worth


def main() -> None:
    """Solve all problems, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--problems", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each peer, a problem")
    given = parser.parse_args()
    rng, took, proven = np.random.default_rng(7), [], 0
    found = {name: {"gaps": [], "seconds": []} for name in PEERS}
    solve(draw_problem(rng, 12, 2, timed=True))  # what is compiled is compiled
    for number in range(given.problems):
        places, officers = (12, 24, 40, 60)[number % 4], 1 + number // 4 % 3
        timed = bool(number // 12 % 2)
        problem = draw_problem(rng, places, officers, timed=timed)
        begin = time.perf_counter()
        ours = solve(problem)
        took.append(1000 * (time.perf_counter() - begin))
        proven += ours.proven
        copies = copy_places(problem, timed=timed)
        for name, peer in PEERS.items():
            if name == "highs" and len(copies) > LARGEST_PROGRAMME:
                continue
            begin = time.perf_counter()
            routes = peer(problem, copies, given.seconds)
            found[name]["seconds"].append(time.perf_counter() - begin)
            found[name]["gaps"].append(100 * (1 - score(problem, routes) / ours.worth))
    document = {
        "problems": given.problems,
        "ours": {"proven": proven, "median_ms": median(took), "worst_ms": max(took)},
        "peers": {
            name: {
                "problems": len(one["gaps"]),
                "mean_gap_percent": mean(one["gaps"]),
                "matched": sum(gap <= 0.1 for gap in one["gaps"]),  # noqa: PLR2004 - see above
                "seconds": mean(one["seconds"]),
            }
            for name, one in found.items()
        },
    }
    print(json.dumps(document, indent=1))
    if given.json:
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
