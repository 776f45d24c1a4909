"""Orders and minutes of a patrol, and their chances: hardest to foresee at a small price."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from timed_towns import keep_prizes

from patrolplan.patrols.solver.problem import walk_route
from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes
from patrolplan.patrols.timings import list_orders, list_timings, spread_chances


@st.composite
def _problems(draw):
    """A gate and up to four stops, with asymmetric legs, hours and prizes by minute."""
    count = draw(st.integers(1, 4))
    size = count + 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    travel = rng.uniform(0.5, 10, (size, size))
    np.fill_diagonal(travel, 0.0)
    if draw(st.booleans()):
        travel[1:, 1:][rng.random((count, count)) < 0.2] = np.inf
    windows = None
    if draw(st.booleans()):
        windows = np.tile([-np.inf, np.inf], (size, 1))
        some = 1 + np.flatnonzero(rng.random(count) < 0.6)
        windows[some, 0] = rng.uniform(900, 930, len(some))
        windows[some, 1] = windows[some, 0] + rng.uniform(0, 60, len(some))
    dwell = np.r_[0.0, rng.choice([10.0, 12.5, 15.0], count)]
    rates = rng.exponential(1.0, (size, 95)) * np.linspace(1.6, 0.4, 95)
    timed = TimedPrizes(895, np.c_[np.zeros(size), rates.cumsum(axis=1)])
    if draw(st.booleans()):
        timed = keep_prizes(np.r_[0.0, rng.uniform(0.1, 1, count)], dwell, 895, 95)
    return OrienteeringProblem(travel, timed, dwell, 900.0, 985.0, windows=windows)


def _list_slowly(problem, stops, worth):
    """Every permutation at every minute of the hours, walked with a clock, one by one."""
    found = {}
    for order in permutations(range(len(stops))):
        for leave in range(int(np.ceil(problem.earliest_minutes)), int(problem.latest_minutes) + 1):
            now, gathered, here, begins, is_fine = float(leave), 0.0, 0, [], True
            for number, row in enumerate(order):
                stop = stops[row]
                now += problem.travel_minutes[here, stop]
                if problem.windows is not None:
                    opening, closing = problem.windows[stop]
                    is_fine &= now <= closing
                    is_fine &= number > 0 or now >= opening
                    now = max(now, opening)
                begins.append(now)
                gathered += problem.compute_worth(stop, np.array([now]))[0]
                now += problem.dwell_minutes[stop]
                here = stop
            now += problem.travel_minutes[here, 0]
            if is_fine and now <= problem.latest_minutes and gathered >= 0.8 * worth:
                found[order, leave] = [*begins, now]
    return found


@given(_problems(), st.floats(0.3, 1.2))
def test_all_orders_and_minutes_are_found_and_no_others(problem, share):
    """Against every permutation at every minute, with hours, one-way legs and worth by minute."""
    stops = list(range(1, problem.size))
    best = sum(problem.compute_worth(stop, np.array([900.0]))[0] for stop in stops)
    expected = _list_slowly(problem, stops, share * best)
    found = {
        (timing.order, timing.gate_until_minutes): [*timing.begin_minutes, timing.end_minutes]
        for timing in list_timings(problem, stops, worth=share * best)
    }
    assert found.keys() == expected.keys()
    for key, times in found.items():
        assert times == pytest.approx(expected[key])


@given(_problems())
def test_one_walk_is_timed_as_in_the_list(problem):
    """By its own legs, every timing has the times of the list, and the worth asked for."""
    stops = list(range(1, problem.size))
    timings = list_timings(problem, stops, worth=0.1)
    for number in range(0, len(timings), 7):
        timing = timings[number]
        order = [stops[row] for row in timing.order]
        walk = {"leave_minutes": timing.gate_until_minutes, "not_before": timing.begin_minutes}
        begins, end = walk_route(problem, order, **walk, latest_minutes=problem.latest_minutes)
        assert begins == pytest.approx(timing.begin_minutes)
        assert end == pytest.approx(timing.end_minutes)
        worths = map(problem.compute_worth, order, np.array(begins)[:, None])
        assert sum(worths) >= 0.1 * 0.8 - 1e-9
        assert walk_route(problem, order, **walk, latest_minutes=end - 1) is None


def test_of_many_stops_only_two_orders_are_looked_at():
    """Up to six stops all orders, of more the planned one and its reverse; the planned is first."""
    few, many = (list_orders(count) for count in (6, 12))
    assert len({*map(tuple, few)}) == len(few) == 720
    assert few[0].tolist() == [*range(6)]
    assert many.tolist() == [[*range(12)], [*range(12)][::-1]]


def _list_alike(stops, legs, first):
    """Timings of stops that are alike, and as far from each other; the first leg may differ."""
    travel = np.full((stops + 1, stops + 1), float(legs))
    travel[0, 1], dwell = first, np.r_[0.0, np.full(stops, 8.0)]
    prizes = keep_prizes(np.ones(stops + 1), dwell, 900, 60)
    problem = OrienteeringProblem(travel, prizes, dwell, 900.0, 960.0)
    return list_timings(problem, range(1, stops + 1), worth=stops)


@given(st.integers(1, 4), st.integers(1, 3), st.randoms())
def test_a_timing_is_drawn_by_its_chance(stops, legs, random):
    """Counted over numbers spread evenly, each is picked as often as its chance says."""
    timings = _list_alike(stops, legs, random.uniform(1, 40))
    assert timings.chances.sum() == pytest.approx(1.0)
    many = 500
    rows = {(t.order, t.gate_until_minutes): n for n, t in enumerate(timings)}
    count = np.zeros(len(timings))
    for part in range(many):
        drawn = timings.draw(lambda _what, of, part=part: (2 * part + 1) * of // (2 * many))
        count[rows[drawn.order, drawn.gate_until_minutes]] += 1 / many
    assert count == pytest.approx(timings.chances, abs=1.01 / many)


def test_some_timings_keep_their_chances_in_proportion():
    """Timings left after a selection keep relative chances, or get equal ones if all were 0."""
    timings = _list_alike(2, 2, 2.0)
    half = timings.gate_until_minutes % 2 == 0
    before = timings.chances[half]
    assert timings.select(half).chances == pytest.approx(before / before.sum())
    never = timings.chances == 0
    if never.any():
        assert timings.select(never).chances == pytest.approx(1 / never.sum())


def draw_timings(seed, count=12, many=3):
    """Timings of random orders and minutes, worth less the later they begin."""
    rng = np.random.default_rng(seed)
    orders = np.array([rng.permutation(many) for _ in range(4)])
    order = np.sort(rng.integers(0, len(orders), count))
    begin = 900 + rng.uniform(0, 40, count)
    middle = begin[:, None] + np.cumsum(rng.uniform(12, 25, (count, many)), axis=1)
    share = 1.02 - (begin - 900) / rng.uniform(80, 400) - rng.uniform(0, 0.08, count)
    return share, order, orders[order], middle


def foresee(chances, stops, middle):
    """The sum over the stops of the highest chance of a quarter of an hour, counted one by one."""
    found = np.zeros((stops.max() + 1, int(middle.max() // 15) + 1))
    for chance, row, times in zip(chances, stops, middle, strict=True):
        for stop, minute in zip(row, times, strict=True):
            found[stop, int(minute // 15)] += chance
    return found.max(axis=1).sum()


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_nothing_that_keeps_the_worth_is_harder_to_foresee(seed):
    """Chances are together 1 and keep the mean worth; random ones, alike in a pattern, no less."""
    share, order, stops, middle = draw_timings(seed)
    chances = spread_chances(share, order, stops, middle)
    assert chances.sum() == pytest.approx(1.0)
    assert (chances >= 0).all()
    rng, rows = np.random.default_rng(seed), np.column_stack([order, middle // 15])
    _, pattern, size = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    best = (np.bincount(pattern.ravel(), share) / size).max()
    assert chances @ share >= min(0.95, best) - 1e-4
    ours = foresee(chances, stops, middle)
    for _ in range(200):
        others = rng.dirichlet(np.full(len(share), 0.3))
        alike = (np.bincount(pattern.ravel(), others) / size)[pattern.ravel()]
        if alike @ share >= 0.95:
            assert foresee(alike, stops, middle) >= ours - 1e-4
