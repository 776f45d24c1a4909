"""The choice of a week on random teams, against independent code and brute force."""

import dataclasses
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from team import checker, teams

from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.rota_search import anneal_week
from patrolplan.team.solve import (
    IMPOSSIBLE,
    ChangeLimits,
    SearchLimits,
    find_few_changes,
    find_floor,
    solve_rota,
)

QUICK = SearchLimits(gap_percent=2.0, nodes=50, moves_per_school=500)


def _random(schools, officers, seed, least, together):
    """A team with some history, and the same for the same numbers."""
    problem = teams.draw_team(schools, officers, seed=seed, least=least, together=together)
    rng = np.random.default_rng(seed)
    run = rng.integers(0, 4, len(problem.weight))
    dosed = run + rng.integers(0, 4, len(run))
    return replace(
        problem,
        run_before=run,
        dosed_before=dosed,
        max_dose_minutes=15.0 * rng.integers(1, 3),
        mandatory_visits=rng.random(len(problem.visits)) < 0.1 * rng.integers(0, 3),
    )


def _check(problem, solution):
    chosen = solution.chosen
    assert checker.find_broken_rules(problem, chosen) == []
    assert solution.worth == pytest.approx(checker.compute_worth(problem, chosen), abs=1e-9)
    assert solution.bound >= solution.worth - 1e-9


TEAM = {
    "schools": st.integers(1, 8),
    "officers": st.integers(1, 6),
    "seed": st.integers(0, 10**6),
    "least": st.integers(0, 2),
    "together": st.integers(1, 2),
}


@settings(max_examples=18)
@given(**TEAM)
def test_every_rule_holds_on_random_teams(schools, officers, seed, least, together):
    """No rule is broken and the worth is what independent code counts."""
    problem = _random(schools, officers, seed, least, together)
    _check(problem, solve_rota(problem, stop=QUICK))


@pytest.mark.slow
@settings(max_examples=150)
@given(**(TEAM | {"schools": st.integers(1, 30), "officers": st.integers(1, 15)}))
def test_every_rule_holds_on_larger_random_teams(schools, officers, seed, least, together):
    """No rule is broken and the worth is what independent code counts, on larger teams."""
    problem = _random(schools, officers, seed, least, together)
    _check(problem, solve_rota(problem, stop=QUICK))


def test_a_large_team_is_solved_by_parts_within_its_gap():
    """A week too large for one piece keeps all rules and comes near its bound."""
    problem = teams.draw_team(40, 16, seed=3)
    solution = solve_rota(problem, stop=SearchLimits(gap_percent=3.0, moves_per_school=2000))
    _check(problem, solution)
    assert solution.gap_percent <= 3.0


def _best_by_hand(problem):
    """The best week among all subsets of the options, aim by aim; None where there is none."""
    target = np.minimum(problem.min_patrols, problem.open_days)
    ranked = []
    for size in range(len(problem) + 1):
        for chosen in itertools.combinations(range(len(problem)), size):
            if not checker.find_broken_rules(problem, chosen):
                counts = np.array(checker.count_school_patrols(problem, chosen))
                aims = (
                    checker.count_unmet(problem, chosen, tasked=True),
                    np.maximum(0, target - counts).sum(),
                    checker.count_unmet(problem, chosen, tasked=False),
                )
                dose = checker.sum_school_dose(problem, chosen)
                ranked.append((aims, dose, checker.compute_worth(problem, chosen)))
    if not ranked:
        return None
    lowest = min(aims for aims, _, _ in ranked)
    ranked = [row for row in ranked if row[0] == lowest]
    if lowest[1] == 0:
        highest = checker.compute_max_dose(problem)
        levels = np.arange(0.0, highest.max() + 1, 15.0)
        met = [
            level
            for level in levels
            if any((dose >= np.minimum(level, highest)).all() for _, dose, _ in ranked)
        ]
        ranked = [row for row in ranked if (row[1] >= np.minimum(max(met), highest)).all()]
    return max(worth for _, _, worth in ranked)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 100))]
)
def test_a_tiny_week_of_everything_is_as_good_as_trying_everything(seed):
    """With windows, overlaps, crews, demands, maxima and locks the best of all subsets is found."""
    problem = teams.draw_crews(seed)
    solution = solve_rota(problem, stop=SearchLimits(gap_percent=0.0, moves_per_school=500))
    best = _best_by_hand(problem)
    if best is None:
        assert solution.floor.missing == IMPOSSIBLE
        return
    _check(problem, solution)
    assert solution.proven
    assert solution.worth == pytest.approx(best, abs=1e-7)
    assert compute_loosest_bound(problem) >= best - 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_tiny_weeks_are_as_good_as_trying_everything(seed):
    """On weeks of a dozen options the answer is the best of all subsets."""
    whole = _random(3, 2, seed, 1, 1 + seed % 2)
    rows = np.random.default_rng(seed).permutation(len(whole))[:11]
    problem = whole.select(np.sort(rows))
    solution = solve_rota(problem, stop=SearchLimits(gap_percent=0.0))
    _check(problem, solution)
    assert solution.proven
    assert solution.worth == pytest.approx(_best_by_hand(problem), abs=1e-7)


@pytest.mark.slow
def test_equal_inputs_and_seed_give_the_same_week():
    """Twice the same problem and seed give the same options, small or by parts."""
    for schools, officers in ((6, 4), (40, 16)):
        problem = teams.draw_team(schools, officers, seed=5)
        stop = SearchLimits(gap_percent=4.0, moves_per_school=1000)
        once, again = (solve_rota(problem, seed=2, stop=stop) for _ in range(2))
        assert once.chosen.tolist() == again.chosen.tolist()
        assert once.bound == again.bound


@pytest.mark.parametrize("seed", range(5))
def test_annealing_keeps_every_rule_and_never_loses(seed):
    """Also with a second officer, locks and a floor, no rule is broken and nothing gets worse."""
    problem = _random(8, 5, seed, 1, 1 + seed % 2)
    lock = np.full(len(problem), -1)
    rows = np.flatnonzero(problem.is_first)
    lock[rows[seed]] = 0
    same = problem.officer_day == problem.officer_day[rows[-1]]
    if problem.officer_day[rows[seed]] != problem.officer_day[rows[-1]]:
        lock[same & (problem.school_day == problem.school_day[rows[-1]]) & problem.is_first] = 1
    problem = replace(problem, lock=lock)
    floor = find_floor(problem)
    found = anneal_week(problem, floor, floor.chosen, moves=3000, seed=seed)
    assert checker.find_broken_rules(problem, found) == []
    assert checker.compute_worth(problem, found) > checker.compute_worth(problem, floor.chosen)
    counts = np.array(checker.count_school_patrols(problem, found))
    assert np.maximum(0, floor.patrols - counts).sum() <= floor.missing
    assert (checker.sum_school_dose(problem, found) >= floor.dose - 1e-6).all()


def _two_officers(seed):
    """Two officers, two days and two schools with routes of one to three stops of any dwell."""
    rng = np.random.default_rng(seed)
    options = np.argwhere(rng.random((2, 2, 4)) < 0.6)
    stops = rng.integers(1, 4, 4)
    return teams.build_team(
        options,
        [0, 0, 1, 1],
        [(route, hotspot) for route in range(4) for hotspot in range(stops[route])],
        np.full(3, 0.1),
        visit_minutes=rng.choice([10.0, 15.0, 20.0], int(stops.sum())),
        max_patrols=np.full(2, 2),
        dates=np.array([739_000, 739_001]),
    )


def _lowest_dose(problem):
    """The highest level that every school reaches, or its highest dose, by trying every week."""
    target = np.minimum(problem.min_patrols, problem.open_days)
    highest = checker.compute_max_dose(problem)
    levels = [
        np.where(dose >= highest, np.inf, dose).min()
        for count in range(5)
        for week in itertools.combinations(range(len(problem)), count)
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
        problem = _two_officers(seed)
        lowest = _lowest_dose(problem)
        if lowest is None:
            continue
        tried += 1
        for order in (np.arange(len(problem)), rng.permutation(len(problem))):
            assert find_floor(problem.select(order)).dose == pytest.approx(lowest)
    assert tried > 10


def _handed_out(seed):
    """A week of a tiny team with every officer in reach of every school, and what it may be."""
    problem = teams.draw_team(3, 2, seed=seed)
    near = problem.day < 2
    few = problem.select(near & (problem.route % 4 < 2))
    both = np.concatenate([few.officer, 1 - few.officer])
    names = ("day", "route", "lock", "option_minutes", "needs_companion")
    twice = {name: np.concatenate([getattr(few, name)] * 2) for name in names}
    wide = dataclasses.replace(few, officer=both, **twice)
    _, once = np.unique(np.stack([wide.officer, wide.day, wide.route]), axis=1, return_index=True)
    wide = wide.select(np.sort(once))
    return wide, solve_rota(wide, stop=SearchLimits(moves_per_school=300)).chosen


def _list_weeks(problem):
    """Every week: one option or none for each officer and day, all rules kept."""
    slots = problem.officer * len(problem.dates) + problem.day
    groups = [[None, *np.flatnonzero(slots == slot).tolist()] for slot in np.unique(slots).tolist()]
    for drawn in itertools.product(*groups):
        week = [row for row in drawn if row is not None]
        if not checker.find_broken_rules(problem, week):
            yield week


def _rank(problem, week):
    """Fewest patrols missing of every school's minimum, then most worth."""
    missing = [max(0, 1 - count) for count in checker.count_school_patrols(problem, week)]
    return -sum(missing), round(checker.compute_worth(problem, week), 9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("max_out", [0, 1])
def test_no_other_week_within_the_limits_is_better(seed, max_out):
    """Of all weeks with one officer away and as few changes, none is ranked higher."""
    problem, chosen = _handed_out(seed)
    away = chosen[seed % len(chosen)]
    gone = (problem.officer == problem.officer[away]) & (problem.day == problem.day[away])
    stands = np.isin(np.arange(len(problem)), chosen)[~gone]
    lost = len(chosen) - int(stands.sum())
    lock = np.where(stands, np.cumsum(stands) - 1, -1) if max_out == 0 else np.full(len(stands), -1)
    part = dataclasses.replace(problem.select(~gone), lock=lock)
    limits = ChangeLimits(stands, max_out, lost + max_out)
    ours = find_few_changes(part, limits).tolist()
    standing = set(np.flatnonzero(stands).tolist())
    assert len(standing - set(ours)) <= max_out
    assert len(set(ours) - standing) <= lost + max_out
    assert checker.find_broken_rules(part, ours) == []
    best = max(
        _rank(part, week)
        for week in _list_weeks(part)
        if len(standing - set(week)) <= max_out and len(set(week) - standing) <= lost + max_out
    )
    assert _rank(part, ours) == pytest.approx(best)


def test_what_must_be_there_is_there_or_nothing():
    """One of the wanted options is chosen; where the limits leave none, there is no answer."""
    problem, chosen = _handed_out(1)
    stands = np.isin(np.arange(len(problem)), chosen)
    wanted = ~stands & (problem.day == 0)
    some = find_few_changes(problem, ChangeLimits(stands, 2, 3, must=wanted))
    assert wanted[some].any()
    assert find_few_changes(problem, ChangeLimits(stands, 0, 0, must=wanted)) is None
