"""Other solvers for the same instances with the same processor time, each on a single thread.

PyVRP asks Python's clock and OR-Tools a limit of ours, both of which count processor time. EA4OP
(Kobeaga, Merino and Lozano 2018; github.com/gkobeaga/op-solver) is a program of its own that ends
by itself; environment variable `EA4OP` says where it is. It is run again with other seeds while
time is left, and always once.
Each entry of `PEERS` builds a solver: a function of instance, seconds and seed that gives the
routes. Building it raises ImportError where the library is missing.
"""

from __future__ import annotations

import math
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from instances import Instance

    Routes = list[list[int]]
    Solver = Callable[[Instance, float, int], Routes]


def build_greedy() -> Solver:
    """Insert the stop of most score for each minute of delay while one fits, then 2-opt, again."""

    def solve(instance: Instance, seconds: float, seed: int) -> Routes:  # noqa: ARG001
        routes: Routes = [[] for _ in range(instance.routes)]
        while True:
            while (found := _find_best_insertion(instance, routes)) is not None:
                number, position, stop = found
                routes[number].insert(position, stop)
            shorter = [_improve_by_two_opt(instance, route) for route in routes]
            if not any(shorter):
                return routes

    return solve


def _compute_finish(instance: Instance, route: list[int]) -> float:
    """Give the minute at which a route is over, infinite when it is late anywhere."""
    now, place = 0.0, instance.start
    for stop in route:
        now += instance.distances[place][stop]
        if instance.windows is not None:
            now = max(now, instance.windows[stop][0])
            if now > instance.windows[stop][1]:
                return math.inf
        now += instance.dwell[stop]
        place = stop
    now += instance.distances[place][instance.end]
    return now if now <= instance.limit else math.inf


def _find_best_insertion(instance: Instance, routes: Routes) -> tuple[int, int, int] | None:
    taken = {stop for route in routes for stop in route} | {instance.start, instance.end}
    best, chosen = 0.0, None
    for number, route in enumerate(routes):
        before = _compute_finish(instance, route) if route else 0.0
        places = [instance.start, *route, instance.end]
        for stop in range(len(instance.scores)):
            if stop in taken or instance.scores[stop] <= 0:
                continue
            for position in range(len(route) + 1):
                first, second = places[position], places[position + 1]
                d = instance.distances
                detour = d[first][stop] + instance.dwell[stop] + d[stop][second]
                if instance.windows is None and before - d[first][second] + detour > (
                    instance.limit + (d[first][second] if not route else 0.0)
                ):
                    continue
                trial = [*route[:position], stop, *route[position:]]
                delay = _compute_finish(instance, trial) - before
                if math.isfinite(delay) and instance.scores[stop] / max(delay, 1e-9) > best:
                    best = instance.scores[stop] / max(delay, 1e-9)
                    chosen = (number, position, stop)
    return chosen


def _improve_by_two_opt(instance: Instance, route: list[int]) -> bool:
    improved = False
    for low in range(len(route) - 1):
        for high in range(low + 1, len(route)):
            trial = [*route[:low], *route[low : high + 1][::-1], *route[high + 1 :]]
            if _compute_finish(instance, trial) < _compute_finish(instance, route) - 1e-9:
                route[:] = trial
                improved = True
    return improved


def _scale_to_integers(instance: Instance) -> tuple[int, list[list[int]], int]:
    """Give a scale, whole distances rounded up and the limit rounded down."""
    exact = instance.group.startswith("oplib")
    scale = 1 if exact else 100 if instance.group == "toptw" else 10_000
    distances = [
        [math.ceil(minutes * scale - 1e-7) for minutes in row] for row in instance.distances
    ]
    return scale, distances, math.floor(instance.limit * scale + 1e-7)


def build_ortools() -> Solver:
    """OR-Tools routing with disjunctions and guided local search."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # noqa: PLC0415

    def solve(instance: Instance, seconds: float, seed: int) -> Routes:  # noqa: ARG001
        scale, distances, limit = _scale_to_integers(instance)
        count = instance.routes
        manager = pywrapcp.RoutingIndexManager(
            len(distances), count, [instance.start] * count, [instance.end] * count
        )
        routing = pywrapcp.RoutingModel(manager)
        dwell = [round(minutes * scale) for minutes in instance.dwell]

        def leg(origin: int, target: int) -> int:
            start, stop = manager.IndexToNode(origin), manager.IndexToNode(target)
            return distances[start][stop] + dwell[start]

        legs = routing.RegisterTransitCallback(leg)
        routing.SetArcCostEvaluatorOfAllVehicles(legs)
        routing.AddDimension(legs, limit, limit, True, "time")  # noqa: FBT003
        time_of = routing.GetDimensionOrDie("time")
        weight = count * limit + 1
        for stop, score in enumerate(instance.scores):
            if stop in (instance.start, instance.end):
                continue
            index = manager.NodeToIndex(stop)
            routing.AddDisjunction([index], round(score * weight))
            if instance.windows is not None:
                opening, closing = (math.floor(m * scale) for m in instance.windows[stop])
                if opening > limit:
                    routing.VehicleVar(index).SetValues([-1])
                else:
                    time_of.CumulVar(index).SetRange(opening, min(closing, limit))
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = (
            routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        )
        parameters.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
        deadline = time.process_time() + seconds
        limit_time = routing.solver().CustomLimit(lambda: time.process_time() > deadline)
        routing.AddSearchMonitor(limit_time)
        found = routing.SolveWithParameters(parameters)
        routes: Routes = [[] for _ in range(count)]
        if found is None:
            return routes
        for vehicle in range(count):
            index = found.Value(routing.NextVar(routing.Start(vehicle)))
            while not routing.IsEnd(index):
                routes[vehicle].append(manager.IndexToNode(index))
                index = found.Value(routing.NextVar(index))
        return routes

    return solve


def build_pyvrp() -> Solver:
    """PyVRP with its default settings; a prize outweighs any distance that it can cost."""
    import pyvrp as library  # noqa: PLC0415
    from pyvrp.stop import MaxRuntime  # noqa: PLC0415

    def solve(instance: Instance, seconds: float, seed: int) -> Routes:
        begun = time.perf_counter()
        model, stops = _build_pyvrp_model(library.Model(), instance)
        left = max(0.01, seconds - (time.perf_counter() - begun))
        result = model.solve(MaxRuntime(left), seed=seed, collect_stats=False, display=False)
        if not result.is_feasible():
            return []
        return [
            [stops[activity.idx] for activity in route if activity.is_client()]
            for route in result.best.routes()
        ]

    return solve


def _build_pyvrp_model(model: Any, instance: Instance) -> tuple[Any, list[int]]:  # noqa: ANN401
    """Build the model; give also the stop that each of its clients stands for."""
    scale, distances, limit = _scale_to_integers(instance)
    size = len(distances)
    places = [model.add_location(x=0, y=0) for _ in range(size)]
    depots = {row: model.add_depot(places[row]) for row in {instance.start, instance.end}}
    model.add_vehicle_type(
        instance.routes,
        start_depot=depots[instance.start],
        end_depot=depots[instance.end],
        tw_late=limit,
        shift_duration=limit,
    )
    weight = instance.routes * limit + 1
    stops = [stop for stop in range(size) if stop not in depots and instance.scores[stop] > 0]
    for stop in stops:
        opening, closing = (0, limit)
        if instance.windows is not None:
            opening, closing = (math.floor(m * scale) for m in instance.windows[stop])
        model.add_client(
            places[stop],
            service_duration=round(instance.dwell[stop] * scale),
            tw_early=opening,
            tw_late=closing,
            prize=round(instance.scores[stop] * weight),
            required=False,
        )
    for row in range(size):
        for column in range(size):
            length = distances[row][column] if row != column else 0
            model.add_edge(places[row], places[column], distance=length, duration=length)
    return model, stops


def build_ea4op() -> Solver:
    """Run EA4OP, the evolutionary algorithm that OPLib comes from; it knows closed tours only.

    Raises
    ------
    ImportError
        When the program is missing.
    """
    program = shutil.which(os.environ.get("EA4OP", "op-solver"))
    if program is None:
        message = "set EA4OP to the built program"
        raise ImportError(message)

    def solve(instance: Instance, seconds: float, seed: int) -> Routes:
        if not instance.group.startswith("oplib"):
            return []
        begun = _count_child_seconds()
        best: Routes = []
        while not best or _count_child_seconds() - begun < seconds:
            with tempfile.TemporaryDirectory() as folder:
                command = [program, "opt", "--op-exact", "0", "--seed", str(seed)]
                text = subprocess.run(  # noqa: S603 - the user's own program
                    [*command, str(instance.file.resolve())],
                    cwd=folder, capture_output=True, text=True, check=True,
                ).stdout  # fmt: skip
            found = re.search(r"Cycle: ([\d ]+)", text)
            rows = [int(row) for row in found.group(1).split()] if found else []
            at = rows.index(instance.start) if instance.start in rows else 0
            route = rows[at + 1 :] + rows[:at]
            best = max(best or [[]], [route], key=instance.score_routes)
            seed += 1
        return best

    return solve


def _count_child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PEERS: dict[str, Callable[[], Solver]] = {
    "ea4op": build_ea4op,
    "greedy": build_greedy,
    "ortools": build_ortools,
    "pyvrp": build_pyvrp,
}
