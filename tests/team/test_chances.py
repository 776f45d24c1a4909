"""Chances of visits: counted right, and true to weeks that are drawn."""

import datetime as dt

import numpy as np
import pytest
from team import teams

from patrolplan.team.draw import QUARTERS, VisitTimes, compute_chances, draw_week, sample_weeks
from patrolplan.team.secret import Secret
from patrolplan.team.solve import SearchLimits, solve_rota
from patrolplan.team.walks import DwellMiddles

MONDAY = dt.date(2026, 11, 30)


def _middles(*timings):
    """Timings of a route: for each a chance, and the minute at each stop in order."""
    return DwellMiddles(
        np.array([range(len(minutes)) for _, *minutes in timings]),
        np.array([minutes for _, *minutes in timings], dtype=float),
        np.array([chance for chance, *_ in timings], dtype=float),
    )


@pytest.fixture(scope="module")
def small():
    """Two officers, a school each; the second hotspot is of both schools' routes."""
    problem = teams.build_team([(0, 0, 0), (1, 0, 1)], [0, 1], [(0, 0), (0, 1), (1, 1)], [0.5, 0.2])
    times = VisitTimes.count(
        [np.array([0, 1]), np.array([1])],
        [_middles((0.25, 900, 925), (0.75, 901, 940)), _middles((0.5, 925), (0.5, 940))],
    )
    return problem, times


def test_chances_of_one_week_follow_from_its_timings(small):
    """A cell's chance is its share of the timings; two patrols may both come, or either."""
    problem, times = small
    chances = compute_chances(problem, times, [np.array([0, 1])])
    assert chances.shape == (2, 1, QUARTERS)
    assert chances[0, 0, 60] == pytest.approx(1.0)
    assert chances[1, 0, 61] == pytest.approx(1 - 0.75 * 0.5)
    assert chances[1, 0, 62] == pytest.approx(1 - 0.25 * 0.5)
    assert chances.sum() == pytest.approx(1 + 0.625 + 0.875)


@pytest.mark.slow
def test_chances_agree_with_many_drawn_weeks():
    """Counted over 200 weeks that were really drawn, hotspot and day by hotspot and day."""
    problem = teams.draw_team(6, 4, seed=7)
    best = solve_rota(problem, stop=SearchLimits(gap_percent=0.5, moves_per_school=2000))
    routes = range(len(problem.route_school))
    stops = [problem.visits[problem.visits[:, 0] == route, 1] for route in routes]
    times = VisitTimes.count(stops, [_middles((1.0, *[900] * len(own))) for own in stops])
    chances = compute_chances(problem, times, sample_weeks(problem, best, 0.02, seed=3))
    counted = np.zeros(chances.shape[:2])
    draws = 200
    secret = Secret(bytes(32))
    for number in range(draws):
        drawn = draw_week(problem, best, 0.02, secret.make_key("A", MONDAY, number))
        seen = {
            (int(hotspot), int(problem.day[option]))
            for option in drawn.chosen
            for hotspot in stops[int(problem.route[option])]
        }
        for cell in seen:
            counted[cell] += 1 / draws
    off = np.abs(counted - chances[:, :, 60])
    assert off.mean() < 0.05
    assert off.max() < 0.3
