"""What a week demands, and which routes meet it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from patrolplan.patrols.demands import Demand, find_demands
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.team.problem import Bools, Ints
from patrolplan.team.where_when import list_visited


def list_demands(
    plan: Plan,
    days: Sequence[dt.date],
    urns: Sequence[str],
    is_open: Bools,
    delivered: Mapping[str, Collection[dt.date]],
) -> tuple[Demand, ...]:
    """Every demand of a week: of each tasked place by day, then of hotspots, then of squares."""
    # `plan` is that of any day: where its area bars a place, that demands nothing. Hotspots and
    # squares count near schools (s,) `urns` that (s, d) `is_open` on some day. A feared place that
    # `delivered` has in the week before needs no visit: so each has one in a fortnight.
    attended = [urns[row] for row in np.flatnonzero(is_open.any(axis=1)).tolist()]
    return tuple(
        replace(demand, visits=0)
        if demand.kind == "feared" and any(delivered.get(name) for name in demand.hotspots)
        else demand
        for demand in find_demands(plan, days, attended)
    )


def find_meeting_routes(demands: Sequence[Demand], routes: Sequence[Patrol]) -> Ints:
    """(m, 2) demand, and a route with a stop that meets it."""
    tasked: defaultdict[str, set[int]] = defaultdict(set)
    covering: defaultdict[str, set[int]] = defaultdict(set)
    for row, route in enumerate(routes):
        for stop in route.stops:
            if stop.tasked is not None:
                tasked[stop.tasked].add(row)
            for name in list_visited(stop):
                covering[name].add(row)
    pairs = []
    for number, demand in enumerate(demands):
        rows = tasked[demand.place] if demand.kind == "tasked" else set[int]()
        rows = rows.union(*(covering[name] for name in demand.hotspots))
        pairs += [(number, row) for row in sorted(rows)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def find_routes_for_two(demands: Sequence[Demand], meeting: Ints, routes: int) -> Bools:
    """(r,) which routes of a number meet a demand that needs two people."""
    for_two = np.array([demand.officers > 1 for demand in demands], dtype=bool)
    needs = np.zeros(routes, dtype=bool)
    needs[meeting[for_two[meeting[:, 0]], 1]] = True
    return needs


def list_routes_for_two(demands: Sequence[Demand], routes: Sequence[Patrol]) -> Bools:
    """(r,) which routes meet a demand that needs two people together."""
    return find_routes_for_two(demands, find_meeting_routes(demands, routes), len(routes))
