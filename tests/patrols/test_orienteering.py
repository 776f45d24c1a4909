"""The solver as a library: problems by points, and public names."""

import itertools

import numpy as np
import pytest

import patrolplan as pp
from patrolplan import orienteering


def _solve_slowly(xy, prizes, limit, dwell):
    """The best prizes of one closed route by trying every order of every set."""
    best = 0.0
    rows = range(1, len(xy))
    for size in range(1, len(xy)):
        for order in itertools.permutations(rows, size):
            walk = [0, *order, 0]
            metres = sum(np.hypot(*(xy[a] - xy[b])) for a, b in itertools.pairwise(walk))
            if metres + dwell * size <= limit + 1e-9:
                best = max(best, sum(prizes[row] for row in order))
    return best


@pytest.mark.parametrize("seed", range(4))
def test_small_problems_are_solved_as_by_trying_all(seed):
    """Six points: the proven worth is that of all orders of all sets."""
    rng = np.random.default_rng(seed)
    xy, prizes = rng.uniform(0, 10, size=(6, 2)), rng.integers(1, 9, size=6).astype(float)
    problem = orienteering.build_problem(xy, prizes, limit=22.0, dwell=1.5)
    solution = orienteering.solve(problem)
    assert solution.proven
    assert solution.worth == pytest.approx(_solve_slowly(xy, prizes, 22.0, 1.5))
    assert solution.bound == pytest.approx(solution.worth)


def test_windows_ends_and_several_routes():
    """A closed window keeps a stop out; two routes reach what one cannot; ends are not won."""
    xy = np.array([[0.0, 0.0], [5.0, 0.0], [-5.0, 0.0], [0.0, 1.0]])
    prizes = [100.0, 1.0, 1.0, 100.0]
    one = orienteering.build_problem(xy, prizes, limit=11.0, end=3)
    two = orienteering.build_problem(xy, prizes, limit=11.0, end=3, routes=2)
    assert orienteering.solve(one).worth == 1.0
    assert orienteering.solve(two).worth == 2.0
    windows = [[0, 99], [0, 4], [0, 99], [0, 99]]
    shut = orienteering.build_problem(xy, prizes, limit=11.0, end=3, routes=2, windows=windows)
    assert orienteering.solve(shut).stops == {2}
    must = orienteering.build_problem(xy, prizes, limit=11.0, mandatory=[1, 2])
    assert orienteering.solve(must).status == "infeasible"


def test_equal_problems_have_equal_answers():
    """With a number of iterations a seed decides the answer, not the clock."""
    rng = np.random.default_rng(1)
    problem = orienteering.build_problem(
        rng.uniform(0, 100, size=(60, 2)), rng.uniform(1, 9, size=60), limit=250.0, routes=2
    )
    stop = orienteering.MaxIterations(300)
    answers = [orienteering.solve(problem, stop=stop, seed=3) for _ in range(2)]
    assert answers[0].routes == answers[1].routes
    assert answers[0].worth <= answers[0].bound
    assert answers[0].gap_percent >= 0


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ({"xy": [0, 1]}, r"xy has shape \(2,\)"),
        ({"prizes": [1.0]}, "prizes has shape"),
        ({"routes": 0}, "routes is 0"),
        ({"start": 7}, r"start is 7; give a row from 0 to 1"),
        ({"prizes": [0.0, -1.0]}, r"prizes\[1\] is -1"),
        ({"limit": -1.0}, "latest_minutes is -1.0"),
    ],
)
def test_wrong_arguments_are_named(arguments, seen):
    """A `ValueError` says which argument, the value seen and what to give."""
    given = {"xy": [[0, 0], [1, 1]], "prizes": [0.0, 1.0], "limit": 9.0} | arguments
    with pytest.raises(ValueError, match=seen):
        orienteering.build_problem(given.pop("xy"), given.pop("prizes"), **given)


def test_it_is_public():
    """It is found in `patrolplan`, with everything that its list names."""
    assert pp.orienteering is orienteering
    assert all(hasattr(orienteering, name) for name in orienteering.__all__)
    assert "orienteering" in dir(pp)
