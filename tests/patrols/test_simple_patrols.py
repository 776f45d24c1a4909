"""Plain ways to patrol, that patrols are compared with."""

import dataclasses
from itertools import pairwise

import numpy as np
from hypothesis import given, strategies as st
from timed_towns import keep_prizes

from patrolplan.patrols.patrol_backtest import plan_greedy_routes
from patrolplan.patrols.solver.solve import OrienteeringProblem, solve


def _problem(seed, stops, officers=1):
    rng = np.random.default_rng(seed)
    xy = rng.random((stops + 1, 2)) * 20
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    prizes, dwell = np.r_[0.0, rng.random(stops)], np.r_[0.0, np.full(stops, 10.0)]
    return OrienteeringProblem(
        travel_minutes=apart,
        timed_prizes=keep_prizes(prizes, dwell, 900, 70),
        dwell_minutes=dwell,
        earliest_minutes=900.0,
        latest_minutes=970.0,
        officer_count=officers,
        barred=frozenset({0}),
    )


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_greedy_fits_the_window_and_is_no_better_than_the_best(seed, stops, officers, by_minute):
    """Greedy routes are back in time, visit nothing twice, and are worth at most the best."""
    problem = _problem(seed, stops, officers)
    routes = plan_greedy_routes(problem, per_minute=by_minute)
    assert len(routes) == officers
    for route in routes:
        walked = sum(problem.travel_minutes[a, b] for a, b in pairwise([0, *route, 0]))
        assert walked + 10 * len(route) <= 70 + 1e-9
    visited = [stop for route in routes for stop in route]
    assert len(set(visited)) == len(visited)
    worth = sum(problem.compute_worth(stop, np.array([900.0]))[0] for stop in visited)
    assert worth <= solve(problem).worth + 1e-9


@given(st.integers(0, 10_000), st.integers(1, 12), st.booleans())
def test_the_second_officer_goes_greedily_over_what_is_left(seed, stops, by_minute):
    """A second officer goes as one alone would with the first one's stops barred."""
    problem = _problem(seed, stops)
    (first,) = plan_greedy_routes(problem, per_minute=by_minute)
    left = dataclasses.replace(problem, barred=frozenset({0, *first}))
    both = dataclasses.replace(problem, officer_count=2)
    assert plan_greedy_routes(both, per_minute=by_minute) == [
        first,
        *plan_greedy_routes(left, per_minute=by_minute),
    ]
