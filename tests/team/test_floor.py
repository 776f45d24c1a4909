"""The lowest dose of any school, against trying every week."""

from itertools import combinations

import numpy as np
import pytest
from team import checker

from patrolplan.team.problem import RotaProblem
from patrolplan.team.solve import find_floor


def _team(seed):
    """Two officers, two days and two schools with routes of one to three stops of any dwell."""
    rng = np.random.default_rng(seed)
    options = np.argwhere(rng.random((2, 2, 4)) < 0.6)
    stops = rng.integers(1, 4, 4)
    return RotaProblem(
        officer=options[:, 0],
        day=options[:, 1],
        route=options[:, 2],
        lock=np.full(len(options), -1),
        route_school=np.array([0, 0, 1, 1]),
        route_number=np.ones(4, dtype=np.int64),
        is_reversible=rng.random(4) < 0.5,
        visits=np.array(
            [(route, hotspot) for route in range(4) for hotspot in range(stops[route])]
        ),
        visit_minutes=rng.choice([10.0, 15.0, 20.0], int(stops.sum())),
        weight=np.full(3, 0.1),
        dosed_before=np.zeros(3, dtype=np.int64),
        run_before=np.zeros(3, dtype=np.int64),
        max_patrols=np.full(2, 2),
        dates=np.array([739_000, 739_001]),
        schools=2,
    )


def _lowest_dose(problem):
    """The highest level that every school reaches, or its highest dose, by trying every week."""
    target = np.minimum(problem.min_patrols, problem.open_days)
    highest = checker.compute_max_dose(problem)
    levels = [
        np.where(dose >= highest, np.inf, dose).min()
        for count in range(5)
        for week in combinations(range(len(problem)), count)
        if not checker.find_broken_rules(problem, week)
        and (checker.count_school_patrols(problem, week) >= target).all()
        for dose in [checker.sum_school_dose(problem, week)]
    ]
    return np.minimum(max(levels), highest) if levels else None


def test_the_lowest_dose_is_the_highest_that_can_be_in_any_order():
    """With dwells of 10, 15 and 20 minutes no level in between is passed over."""
    rng = np.random.default_rng(0)
    tried = 0
    for seed in range(30):
        problem = _team(seed)
        lowest = _lowest_dose(problem)
        if lowest is None:
            continue
        tried += 1
        for order in (np.arange(len(problem)), rng.permutation(len(problem))):
            assert find_floor(problem.select(order)).dose == pytest.approx(lowest)
    assert tried > 10
