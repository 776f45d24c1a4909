"""Plain ways to patrol, that patrols are compared with."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.network import concatenate_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.simple_patrols import (
    CORNERS,
    RADII_METRES,
    ROTATIONS,
    LoopFinder,
    find_stretch_around,
    plan_greedy_routes,
)
from patrolplan.patrols.solver.solve import Officer, OrienteeringProblem, solve


def _problem(seed, stops, officers=1):
    rng = np.random.default_rng(seed)
    xy = rng.random((stops + 1, 2)) * 20
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    return OrienteeringProblem(
        travel_minutes=apart,
        prizes=np.concatenate([[0.0], rng.random(stops)]),
        dwell_minutes=np.concatenate([[0.0], np.full(stops, 10.0)]),
        officer=Officer(0, 0, 900.0, 970.0),
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
    assert problem.prizes[visited].sum() <= solve(problem).worth + 1e-9


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


def test_greedy_goes_to_the_nearest_of_equal_worth():
    """By worth per minute, the nearer of two equal stops comes first; by worth, the greater."""
    travel = np.array([[0.0, 5, 20], [5, 0, 15], [20, 15, 0]])
    officer = Officer(0, 0, 0.0, 90.0)
    prizes, dwell = np.array([0.0, 1.0, 1.1]), np.array([0.0, 10, 10])
    problem = OrienteeringProblem(travel, prizes, dwell, officer, barred=frozenset({0}))
    assert plan_greedy_routes(problem, per_minute=True) == [[1, 2]]
    assert plan_greedy_routes(problem, per_minute=False) == [[2, 1]]


@pytest.fixture(scope="module")
def case(demo_area, demo_plan):
    """One school of the demo borough."""
    inputs = PlanningInputs.from_area(demo_area, demo_plan.risk, demo_plan.hotspots)
    return build_school_problem(inputs, 2)


def test_loops_start_and_end_at_the_gate_and_grow(case):
    """Every loop is a closed walk from the gate, and wider corners make longer loops."""
    gate = case.surroundings.network.xy(case.surroundings.gate)[0]
    loops = LoopFinder(case)
    for sizes in zip(*map(loops.find_by_radius, range(len(RADII_METRES))), strict=True):
        lengths = [loop.walk.metres for loop in sizes]
        assert lengths[-1] > 3 * lengths[0]
        for loop in sizes:
            assert np.allclose(loop.walk.line[[0, -1]], gate, atol=0.01)


def test_loops_are_those_that_are_walked_one_by_one(case):
    """Each loop is as long as shortest walks over its own corners alone, without any limit."""
    network, gate = case.surroundings.network, case.surroundings.gate
    loops = LoopFinder(case)
    by_rotation = zip(*map(loops.find_by_radius, range(len(RADII_METRES))), strict=True)
    for rotation, sizes in enumerate(by_rotation):
        angles = 2 * np.pi * (np.arange(CORNERS) / CORNERS + rotation / (CORNERS * ROTATIONS))
        around = np.column_stack([np.sin(angles), np.cos(angles)])
        for radius, loop in list(zip(RADII_METRES, sizes, strict=True))[::4]:
            corners = network.snap(network.xy(gate)[0] + radius * around)
            metres = WalkFinder(network, concatenate_positions(gate, corners)).metres
            order = [*range(CORNERS + 1), 0]
            length = sum(metres[a, b] for a, b in pairwise(order))
            assert loop.metres == pytest.approx(length)
            assert loop.walk.metres == pytest.approx(length)


@given(st.floats(0, 12_000))
def test_the_nearest_loop_is_the_one_found_among_all(case, metres):
    """Leaving out radii that are too wide for certain finds the same loops as trying all."""
    every = LoopFinder(case)
    by_rotation = zip(*map(every.find_by_radius, range(len(RADII_METRES))), strict=True)
    slow = [min(sizes, key=lambda loop: abs(loop.metres - metres)) for sizes in by_rotation]
    fast = LoopFinder(case).find_nearest_length(metres)
    assert [loop.metres for loop in fast] == [loop.metres for loop in slow]


def test_loops_far_wider_than_wanted_are_not_looked_for(case):
    """No loop is shorter than its straight lines, and wide ones are left alone for a short walk."""
    loops = LoopFinder(case)
    for number, straight in enumerate(loops.straight_metres):
        lengths = [loop.metres for loop in loops.find_by_radius(number)]
        assert (np.array(lengths) >= straight - 0.1).all()
    short = LoopFinder(case)
    short.find_nearest_length(1200.0)
    assert sorted(short._found) == list(range(len(short._found)))
    assert len(short._found) < len(RADII_METRES)


def test_dwells_lie_evenly_along_the_loop(case):
    """Dwells fall on pieces of the loop, at even distances along it."""
    loop = LoopFinder(case).find_by_radius(len(RADII_METRES) - 1)[0]
    walk = loop.walk
    ends = np.cumsum(walk.piece_metres)
    dwells = loop.place_dwells(3)
    for k, piece in enumerate(dwells):
        wanted = (k + 0.5) / 3 * ends[-1]
        at = int(np.searchsorted(ends, wanted))
        assert walk.pieces[at] == piece


@given(st.integers(0, 800), st.floats(40, 400))
def test_a_stretch_around_a_piece_holds_it_and_is_no_longer(demo_area, piece, metres):
    """The stretch around a piece holds that piece and is as long as wanted, or that piece alone."""
    network = demo_area.network
    stretch = find_stretch_around(network, piece, metres)
    assert piece in stretch
    assert len(stretch) == 1 or network.piece_metres[stretch].sum() <= metres
    assert len(set(stretch.tolist())) == len(stretch)
