"""The counts and sums of a week during a search are those of its options."""

import numpy as np
from hypothesis import given, settings, strategies as st
from team import checker, teams

from patrolplan.team.problem import Floor
from patrolplan.team.rota_search import _apply_change, _draw_change
from patrolplan.team.rota_state import begin_state, build_facts, fill_slots


def _facts(problem):
    free = Floor(
        patrols=np.ones(problem.schools, dtype=np.int64),
        missing=99,
        dose=np.zeros(problem.schools),
        chosen=np.zeros(0, dtype=np.int64),
        unmet_tasked=99,
        unmet_watched=99,
    )
    return build_facts(problem, free)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), options=st.integers(5, 40))
def test_after_any_moves_the_state_is_that_of_its_options(seed, options):
    """Rules or not: the running sums equal those of the same week from nothing."""
    problem = teams.draw_crews(seed, options=options)
    facts = _facts(problem)
    state, worth = begin_state(facts, fill_slots(problem, np.zeros(0, dtype=np.int64)))
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
