"""Several schools as one team, against brute force."""

import dataclasses
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.patrols.joint import Member, is_overlapping, solve_together
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.solve import Officer, OrienteeringProblem, solve

STARTS = st.sampled_from([900.0, 915.0, 960.0])


@st.composite
def teams(draw):
    """Two or three schools on a plane, with some of the same places within reach."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = rng.uniform(0, 20, (6, 2))
    prizes = np.round(rng.uniform(0, 10, 6), 2)
    return [
        _member(rng, places, prizes, draw(STARTS), officers=draw(st.integers(1, 2)))
        for _ in range(draw(st.integers(2, 3)))
    ]


def _member(rng, places, prizes, start, *, officers):
    mine = np.sort(rng.choice(len(places), rng.integers(1, 5), replace=False))
    xy = np.concatenate([rng.uniform(0, 20, (1, 2)), places[mine]])
    officer = Officer(0, 0, start, start + 45.0)
    problem = OrienteeringProblem(
        travel_minutes=np.hypot(*(xy[:, None] - xy[None]).T),
        prizes=np.concatenate([[0.0], prizes[mine]]),
        dwell_minutes=np.concatenate([[0.0], np.full(len(mine), 8.0)]),
        officers=(officer,) * officers,
        barred=frozenset({0}),
    )
    return Member(problem, ("", *(f"P{k}" for k in mine)), start, start + 45.0)


def _feasible_sets(problem):
    """All sets of stops that one officer can visit in time."""
    stops = range(1, problem.size)
    orders = (order for size in range(problem.size) for order in permutations(stops, size))
    return {frozenset(order) for order in orders if time_route(problem, 0, order) is not None}


def _best(members):
    """Worth of the best plan, by trying all sets of all officers."""
    crews = [
        (number, sets)
        for number, member in enumerate(members)
        for sets in [_feasible_sets(member.problem)]
        for _ in member.problem.officers
    ]
    best = 0.0
    for choice in product(*(sets for _, sets in crews)):
        taken = [[] for _ in members]
        for (number, _), stops in zip(crews, choice, strict=True):
            taken[number] += [members[number].places[stop] for stop in stops]
        if _allowed(members, taken):
            worth = sum(
                members[number].problem.prizes[list(stops)].sum()
                for (number, _), stops in zip(crews, choice, strict=True)
            )
            best = max(best, worth)
    return best


def _allowed(members, taken):
    for number, mine in enumerate(taken):
        if len(set(mine)) < len(mine):
            return False
        for other in range(number):
            if is_overlapping(members[number], members[other]) and set(mine) & set(taken[other]):
                return False
    return True


@given(teams())
def test_small_teams_are_solved_as_brute_force_does(team):
    """The worth of a small team is the best there is, and its bound says so."""
    joint = solve_together(team)
    best = _best(team)
    assert joint.worth == pytest.approx(best)
    assert joint.bound == pytest.approx(best)


@given(teams())
def test_no_place_is_visited_twice_at_one_time(team):
    """Routes are in time, no place has two visits at overlapping times, bound is no less."""
    joint = solve_together(team)
    taken = []
    for member, routes in zip(team, joint.routes, strict=True):
        assert len(routes) == len(member.problem.officers)
        assert all(time_route(member.problem, k, stops) for k, stops in enumerate(routes))
        taken.append([member.places[stop] for route in routes for stop in route])
    assert _allowed(team, taken)
    assert joint.bound >= joint.worth - 1e-9


@given(teams())
def test_together_is_worth_no_less_than_one_after_the_other(team):
    """Planning in turn, each school on what is left, is never better, nor is each alone worse."""
    in_turn, alone, seen = 0.0, 0.0, []
    for number, member in enumerate(team):
        problem = member.problem
        taken = {
            place
            for other, visited in zip(team[:number], seen, strict=True)
            if is_overlapping(member, other)
            for place in visited
        }
        barred = {row for row, place in enumerate(member.places) if place in taken}
        left = dataclasses.replace(problem, barred=problem.barred | barred)
        found = solve(left)
        seen.append({member.places[stop] for stop in found.stops})
        in_turn += found.worth
        alone += solve(problem).worth
    joint = solve_together(team)
    assert in_turn - 1e-9 <= joint.worth <= alone + 1e-9


@pytest.mark.parametrize(("second", "visits"), [(600.0, 1), (644.0, 1), (645.0, 2), (900.0, 2)])
def test_only_windows_that_overlap_tie_schools(second, visits):
    """Both schools go to the one place there is only when they are out at different times."""
    team = [_only_place(start) for start in (600.0, second)]
    joint = solve_together(team)
    assert sum(len(route) for routes in joint.routes for route in routes) == visits
    assert joint.worth == joint.bound == 3.0 * visits


def _only_place(start):
    problem = OrienteeringProblem(
        travel_minutes=np.array([[0.0, 5.0], [5.0, 0.0]]),
        prizes=np.array([0.0, 3.0]),
        dwell_minutes=np.array([0.0, 8.0]),
        officers=(Officer(0, 0, start, start + 45.0),),
        barred=frozenset({0}),
    )
    return Member(problem, ("", "P"), start, start + 45.0)
