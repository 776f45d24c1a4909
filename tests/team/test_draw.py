"""The draw: a week near the best that keeps every rule, by a key that decides which."""

import datetime as dt
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from team import checker, teams

from patrolplan.team.draw import (
    QUARTERS,
    compute_chances,
    compute_limit,
    count_visit_times,
    draw_week,
    sample_weeks,
    walk_from,
)
from patrolplan.team.objective import compute_worth
from patrolplan.team.secret import Secret
from patrolplan.team.solve import SearchLimits, solve_rota
from patrolplan.team.walks import DwellMiddles

MONDAY = dt.date(2026, 11, 30)
QUICK = SearchLimits(gap_percent=2.0, nodes=50, moves_per_school=500)


def _key(number=1, content=bytes(32)):
    return Secret(content).make_key("A", MONDAY, number)


def _check_week(problem, best, chosen, give):
    assert checker.find_broken_rules(problem, chosen) == []
    limit = compute_limit(best.worth, give)
    assert checker.compute_worth(problem, chosen) >= limit - 1e-9
    patrols = checker.count_school_patrols(problem, chosen)
    missing = np.maximum(0, best.floor.patrols - patrols).sum()
    assert missing <= best.floor.missing
    assert (checker.sum_school_dose(problem, chosen) >= best.floor.dose - 1e-6).all()


@settings(max_examples=12)
@given(
    schools=st.integers(1, 8),
    officers=st.integers(1, 6),
    seed=st.integers(0, 10**6),
    least=st.integers(0, 2),
    together=st.integers(1, 2),
    give=st.sampled_from([0.01, 0.02, 0.2]),
)
def test_every_week_on_the_way_keeps_rules_floor_and_limit(
    schools, officers, seed, least, together, give
):
    """Independent code finds no broken rule and no less worth in any week that the walk passes."""
    problem = teams.draw_team(schools, officers, seed=seed, least=least, together=together)
    rng = np.random.default_rng(seed)
    locks = np.full(len(problem), -1)
    if len(problem):
        locks[rng.integers(len(problem))] = 0
    problem = replace(problem, lock=locks)
    best = solve_rota(problem, stop=QUICK)
    if not len(problem):
        return
    for chosen in walk_from(problem, best, give, seed=seed, moves=40, states=15):
        _check_week(problem, best, chosen, give)


@pytest.fixture(scope="module")
def team():
    """A team of twelve schools and eight officers, and its best week."""
    problem = teams.draw_team(12, 8, seed=400)
    return problem, solve_rota(problem, stop=SearchLimits(gap_percent=0.5, moves_per_school=3000))


def test_the_key_decides_and_nothing_else_does(team):
    """Equal keys draw the same week; another number, secret or Monday draws another."""
    problem, best = team
    once, again = (draw_week(problem, best, 0.02, _key()) for _ in range(2))
    assert once.chosen.tolist() == again.chosen.tolist()
    others = [_key(2), _key(content=bytes([1] * 32))]
    weeks = {tuple(draw_week(problem, best, 0.02, key).chosen.tolist()) for key in others}
    assert len(weeks | {tuple(once.chosen.tolist())}) == 3


def test_a_drawn_week_states_its_own_worth_and_the_bound_of_the_best(team):
    """At least 98 % of the best's, with bound and proof unchanged."""
    problem, best = team
    for number in range(1, 9):
        drawn = draw_week(problem, best, 0.02, _key(number))
        assert drawn.worth == pytest.approx(compute_worth(problem, drawn.chosen).total)
        assert 0.98 * best.worth <= drawn.worth < best.worth
        assert (drawn.bound, drawn.proven) == (best.bound, best.proven)
        _check_week(problem, best, drawn.chosen, 0.02)


@pytest.mark.slow
def test_a_large_week_is_drawn_in_seconds():
    """500 schools and 150 officers; the clock of the processor, as others may use it too."""
    problem = teams.draw_team(500, 150, seed=1)
    best = solve_rota(problem, stop=SearchLimits(gap_percent=50.0, moves_per_school=300))
    draw_week(
        teams.draw_team(6, 4, seed=1), solve_rota(teams.draw_team(6, 4, seed=1)), 0.02, _key()
    )
    begun = time.process_time()
    drawn = draw_week(problem, best, 0.02, _key())
    assert time.process_time() - begun < 6.0
    assert drawn.worth >= 0.98 * best.worth


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
    times = [
        count_visit_times(np.array([0, 1]), _middles((0.25, 900, 925), (0.75, 901, 940))),
        count_visit_times(np.array([1]), _middles((0.5, 925), (0.5, 940))),
    ]
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
    times = [count_visit_times(own, _middles((1.0, *[900] * len(own)))) for own in stops]
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
