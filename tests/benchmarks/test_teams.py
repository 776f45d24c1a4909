"""Teams drawn at random, and how their routes may be walked."""

import numpy as np
import pytest
from team.teams import draw_team, draw_timings


@pytest.mark.parametrize("variants", [3, 8])
def test_every_route_has_some_slack_in_its_quickest_order(variants):
    """From a bell between 15:00 and 15:30, for four minutes of leaving the gate or more."""
    problem = draw_team(12, 8, seed=2, variants=variants)
    assert len(problem.route_school) == 12 * (variants + 1)
    for route, (stops, timings) in enumerate(draw_timings(problem, seed=2)):
        assert set(stops) == set(problem.visits[problem.visits[:, 0] == route, 1])
        assert (np.sort(timings.orders, axis=1) == np.arange(len(stops))).all()
        assert np.bincount(timings.order).max() >= 4
        assert (timings.gate_until_minutes % 1 == 0).all()
        assert 905 <= timings.gate_until_minutes.min() <= 935
        assert (np.diff(timings.begin_minutes, axis=1) >= 15).all()
        assert (timings.end_minutes > timings.begin_minutes[:, -1] + 15).all()


def test_equal_seeds_give_equal_teams_and_timings():
    """Drawn twice, all is the same; with more variants schools and officers stay where they are."""
    one, other = (draw_team(12, 8, seed=5) for _ in range(2))
    assert (one.visits == other.visits).all()
    both = zip(draw_timings(one, seed=5), draw_timings(other, seed=5), strict=True)
    assert all(np.array_equal(a.end_minutes, b.end_minutes) for (_, a), (_, b) in both)
    assert (draw_team(12, 8, seed=5, variants=8).weight == one.weight).all()
