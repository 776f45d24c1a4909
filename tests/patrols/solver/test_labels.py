"""What an exploration limited to a few labels still proves."""

import numpy as np
import pytest

from patrolplan.patrols.solver.labels import LabelExplorer, Limits
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.solve import OrienteeringProblem

STOPS = 8
BEAMS = (1, 2, 3, 5)


def _town(seed):
    """Stops around a gate, some of great worth, two in three problems with windows."""
    rng = np.random.default_rng(seed)
    latest = rng.uniform(50, 120)
    xy = rng.uniform(0, 40, (1 + STOPS, 2))
    opening = rng.uniform(0, 0.7 * latest, 1 + STOPS)
    return OrienteeringProblem(
        travel_minutes=np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)),
        prizes=np.r_[0.0, rng.choice([1.0, 2.0, 3.0, 20.0, 30.0], STOPS)],
        dwell_minutes=np.r_[0.0, rng.choice([2.0, 10.0, 20.0], STOPS)],
        earliest_minutes=0.0,
        latest_minutes=latest,
        windows=np.column_stack([opening, opening + rng.uniform(5, latest, 1 + STOPS)])
        if seed % 3
        else None,
        barred=frozenset({0}),
    )


def _best(problem, last=0, now=0.0, visited=()):
    """The best worth of all ways to go on, by trying every order."""
    latest, travel = problem.latest_minutes, problem.travel_minutes
    best = 0.0
    for stop in set(range(1, problem.size)) - set(visited):
        begin = now + travel[last, stop]
        if problem.windows is not None:
            begin = max(begin, problem.windows[stop, 0])
            if begin > problem.windows[stop, 1]:
                continue
        leave = begin + problem.dwell_minutes[stop]
        if leave + travel[stop, 0] <= latest:
            more = _best(problem, stop, leave, (*visited, stop))
            best = max(best, problem.prizes[stop] + more)
    return best


def test_the_bound_of_a_few_labels_is_never_below_the_best_patrol():
    """However few labels the beam holds, the best of all orders is within the bound."""
    seen, cut = 0, 0
    for seed in range(60):
        problem = _town(seed)
        best = _best(problem)
        case = reduce_problem(problem)
        explorer = LabelExplorer(case)
        for beam in BEAMS:
            found = explorer.explore(case.value, 0.0, rising=True, limits=Limits(beam))
            assert found.bound >= best - 1e-9
            assert found.worth <= best + 1e-9
            if found.complete:
                assert found.worth == pytest.approx(best)
            seen += found.complete
            cut += found.worth < best - 1e-9
    assert seen > 0
    assert cut > 0
