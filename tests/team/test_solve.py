"""The choice of a week: programme, search and walks, against independent code and brute force."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from team import checker, teams

from patrolplan.team import solve
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.problem import Floor
from patrolplan.team.programme import add_objective, find_overlaps
from patrolplan.team.rota_search import _apply_change, _draw_change, anneal_week, walk_weeks
from patrolplan.team.rota_state import begin_state, build_facts, fill_slots


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


SEEDS = st.integers(0, 10**6)


@settings(max_examples=max(10, settings.default.max_examples // 4))
@given(st.integers(1, 8), st.integers(1, 6), SEEDS, st.integers(0, 2), st.integers(1, 2))
def test_every_rule_holds_on_random_teams(schools, officers, seed, least, together):
    """No rule is broken and the worth is what independent code counts."""
    problem = _random(schools, officers, seed, least, together)
    stop = solve.SearchLimits(gap_percent=2.0, nodes=50, moves_per_school=500)
    _check(problem, solve.solve_rota(problem, stop=stop))


def test_a_large_team_is_annealed_and_merged_to_within_its_gap(monkeypatch):
    """A week too large to be proven at once keeps all rules, is near its bound, and found again."""
    monkeypatch.setattr(solve, "MAX_COLUMNS_TO_PROVE", 0)
    problem = teams.draw_team(10, 6, seed=3)
    stop = solve.SearchLimits(gap_percent=1.0, moves_per_school=40_000)
    solution, again = (solve.solve_rota(problem, stop=stop) for _ in range(2))
    _check(problem, solution)
    assert solution.gap_percent <= 1.0
    assert again.chosen.tolist() == solution.chosen.tolist()


def _best_by_hand(problem, found):
    """The best week of all subsets of the options, aim by aim, or None; and checks its floor."""
    target = np.minimum(problem.min_patrols, problem.open_days)
    ranked = []
    for size in range(len(problem) + 1):
        for chosen in itertools.combinations(range(len(problem)), size):
            if not checker.find_broken_rules(problem, chosen):
                counts = np.array(checker.count_school_patrols(problem, chosen))
                unmet = [checker.count_unmet(problem, chosen, tasked=one) for one in (True, False)]
                aims = (unmet[0], np.maximum(0, target - counts).sum(), unmet[1])
                dose = checker.sum_school_dose(problem, chosen)
                ranked.append((aims, dose, checker.compute_worth(problem, chosen)))
    if not ranked:
        return None
    lowest = min(aims for aims, _, _ in ranked)
    ranked = [row for row in ranked if row[0] == lowest]
    if lowest[1] == 0:
        highest = checker.compute_max_dose(problem)
        levels = [np.where(dose >= highest, np.inf, dose).min() for _, dose, _ in ranked]
        lowest_dose = np.minimum(max(levels), highest)
        assert found.dose == pytest.approx(lowest_dose)
        ranked = [row for row in ranked if (row[1] >= lowest_dose).all()]
    return max(worth for _, _, worth in ranked)


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 20))]
)
def test_a_tiny_week_of_everything_is_as_good_as_trying_everything(seed):
    """With windows, overlaps, crews, demands, maxima, locks and any dwell no subset is better."""
    problem = teams.draw_crews(seed)
    stop = solve.SearchLimits(gap_percent=0.0, moves_per_school=500)
    solution = solve.solve_rota(problem, stop=stop)
    best = _best_by_hand(problem, solution.floor)
    if best is None:
        assert solution.floor.missing == solve.IMPOSSIBLE
        return
    _check(problem, solution)
    assert solution.proven
    assert solution.worth == pytest.approx(best, abs=1e-7)
    assert compute_loosest_bound(problem) >= best - 1e-9
    model, x, _ = solve._begin_model(problem, solution.floor)
    add_objective(model, problem, x)
    assert model.build().solve_relaxation().bound >= best - 1e-6


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
    floor = solve.find_floor(problem)
    found = anneal_week(problem, floor, floor.chosen, moves=3000, seed=seed)
    checker.check_floor(problem, floor, [found])
    assert checker.compute_worth(problem, found) > checker.compute_worth(problem, floor.chosen)


def _handed_out(seed):
    """A week of a tiny team with every officer in reach of every school, and what it may be."""
    problem = teams.draw_team(3, 2, seed=seed)
    near = problem.day < 2
    few = problem.select(near & (problem.route % 4 < 2))
    both = np.concatenate([few.officer, 1 - few.officer])
    names = ("day", "route", "lock", "option_minutes", "needs_companion")
    twice = {name: np.concatenate([getattr(few, name)] * 2) for name in names}
    wide = replace(few, officer=both, **twice)
    _, once = np.unique(np.stack([wide.officer, wide.day, wide.route]), axis=1, return_index=True)
    wide = wide.select(np.sort(once))
    return wide, solve.solve_rota(wide, stop=solve.SearchLimits(moves_per_school=300)).chosen


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
    part = replace(problem.select(~gone), lock=lock)
    limits = solve.ChangeLimits(stands, max_out, lost + max_out)
    ours = solve.find_few_changes(part, limits).tolist()
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
    some = solve.find_few_changes(problem, solve.ChangeLimits(stands, 2, 3, must=wanted))
    assert wanted[some].any()
    assert solve.find_few_changes(problem, solve.ChangeLimits(stands, 0, 0, must=wanted)) is None


def _day(seed):
    """One officer's day: up to a dozen patrols in four windows, at any times."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 13))
    begin, routes = rng.integers(0, 20, count).astype(np.float64), range(count)
    options, visits = [(0, 0, route) for route in routes], [(route, route) for route in routes]
    return teams.build_team(
        options,
        routes,
        visits,
        rng.random(count),
        route_window=rng.integers(0, 4, count),
        option_minutes=np.stack([begin, begin + rng.integers(1, 9, count)], axis=1),
    )


@settings(max_examples=40)
@given(seed=SEEDS)
def test_overlaps_are_the_largest_groups_under_way_at_one_time(seed):
    """All of a group overlap, pairs of different windows that overlap are in one, none twice."""
    problem = _day(seed)
    group, option = find_overlaps(problem)
    groups = [set(option[group == number]) for number in np.unique(group)]
    pairs = {(o, p) for one in groups for o in one for p in one if o < p}
    assert all(checker.overlap(problem, o, p) for o, p in pairs)
    for o, p in itertools.combinations(range(len(problem)), 2):
        if problem.window[o] != problem.window[p] and checker.overlap(problem, o, p):
            assert (o, p) in pairs
    assert not any(one <= other for one in groups for other in groups if one is not other)


@settings(max_examples=30)
@example(seed=102, options=40)  # a move that would leave somebody alone
@given(seed=SEEDS, options=st.integers(5, 40))
def test_every_week_on_the_way_keeps_every_rule(seed, options):
    """With windows, overlaps, crews, demands, maxima and locks, and no week is under the limit."""
    problem = teams.draw_crews(seed, options=options)
    floor = solve.find_floor(problem)
    if floor.missing == solve.IMPOSSIBLE:
        return
    limit = checker.compute_worth(problem, floor.chosen) - 0.15
    weeks = walk_weeks(problem, floor, floor.chosen, limit=limit, moves=20, states=20, seed=seed)
    annealed = anneal_week(problem, floor, floor.chosen, moves=500, seed=1)
    checker.check_floor(problem, floor, [*weeks, annealed])
    assert min(checker.compute_worth(problem, week) for week in weeks) >= limit - 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_crews_come_and_go_together(seed):
    """From a week of nobody, the search finds the best week of patrols that nobody walks alone."""
    problem = teams.draw_crews(seed, options=40)
    demands = ("demand_routes", "demand_days", "demand_visits", "is_tasked")
    problem = replace(
        problem,
        needs_companion=~problem.is_companion[problem.route],
        lock=np.full(len(problem), -1),
        max_patrols=np.full(3, 4),
        **{name: getattr(problem, name)[:0] for name in demands},
    )
    best = solve.solve_rota(problem, stop=solve.SearchLimits(gap_percent=0.0))
    assert best.proven
    assert problem.is_companion[problem.route[best.chosen]].any()
    floor = replace(best.floor, missing=9, dose=np.zeros(problem.schools))
    nobody = np.zeros(0, dtype=np.int64)
    found = anneal_week(problem, floor, nobody, moves=100_000, seed=seed)
    assert checker.compute_worth(problem, found) >= best.worth - 1e-9


def test_a_lock_that_leaves_the_route_open_is_walked_by_any_of_its_routes():
    """The search exchanges routes of one lock, and leaves the lock fulfilled."""
    options, visits = [(0, 0, 0), (0, 0, 1), (1, 0, 2)], [(0, 0), (1, 1), (2, 0)]
    lock = np.array([0, 0, -1])
    problem = teams.build_team(options, [0, 0, 1], visits, [0.3, 0.3], lock=lock)
    floor = solve.find_floor(problem)
    weeks = walk_weeks(problem, floor, floor.chosen, limit=-9.0, moves=20, states=50, seed=1)
    checker.check_floor(problem, floor, weeks)
    assert {week[0] for week in weeks} == {0, 1}
    # It forces a visit to a place that both go to, and none to one that only the first goes to.
    met = {"demand_routes": np.array([[0, 0], [0, 1], [1, 0]]), "is_tasked": np.ones(2, dtype=bool)}
    met |= {"demand_days": np.ones((2, len(problem.dates)), bool), "demand_visits": np.zeros(2)}
    assert replace(problem, **met).max_visits.tolist() == [1, 0]


@settings(max_examples=30)
@given(seed=SEEDS, options=st.integers(5, 40))
def test_after_any_moves_the_state_is_that_of_its_options(seed, options):
    """Rules or not: the running sums equal those of the same week from nothing."""
    problem = teams.draw_crews(seed, options=options)
    none, ones = np.zeros(0, dtype=np.int64), np.ones(problem.schools, dtype=np.int64)
    free = Floor(ones, 99, np.zeros(problem.schools), none, unmet_tasked=99, unmet_watched=99)
    facts = build_facts(problem, free)
    state, worth = begin_state(facts, fill_slots(problem, none))
    rng = np.array([2 * seed + 1], dtype=np.uint64)
    out, into = np.full(8, -1), np.full(2, -1)
    for _ in range(60):
        if _draw_change(facts, state, rng, out, into):
            worth += _apply_change(facts, state, out, into)
            if rng[0] % 3 == 0:
                worth += _apply_change(facts, state, into, out)
    again, same_worth = begin_state(facts, state.slots)
    chosen = np.sort(state.slots[state.slots >= 0])
    for name, value in state._asdict().items():
        np.testing.assert_allclose(getattr(again, name), value, atol=1e-9, err_msg=name)
    assert abs(worth - same_worth) < 1e-9
    assert abs(worth - checker.compute_worth(problem, chosen)) < 1e-9
    assert state.visits.tolist() == checker.count_visits(problem, chosen)
