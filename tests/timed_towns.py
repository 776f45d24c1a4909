"""Small problems with timed prizes, and their answers by trying every order on a fine grid."""

import numpy as np

from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes

STEP = 0.25
"""Minutes between begins that are tried. Where legs, dwells and windows are whole steps, the best
begins are too: between them worth is linear."""


def draw_town(rng, *, most_places=6, officers=1, rounded=True):
    """A gate and places whose prizes rise and fall, which may be stood at again.

    The gate up to three times, others four; some have windows, some are mandatory or barred.
    """
    count = int(rng.integers(1, most_places + 1))
    size = count + 1
    minutes = float(rng.integers(30, 81))
    xy = rng.uniform(-8, 8, (size, 2))
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    apart *= rng.uniform(0.8, 1.2, (size, size))
    dwell = np.r_[rng.choice([7.25, 10.0, 15.0]), rng.choice([4.0, 7.25, 9.5, 10.0, 15.0], count)]
    first = int(rng.integers(0, 900))
    start = first + float(rng.choice([0.0, 0.0, 0.25, 3.5]))
    if rounded:
        apart = np.ceil(apart / STEP) * STEP
    columns = int(minutes) + 5
    rate = rng.gamma(0.6, 1.0, (size, columns)) * (rng.random((size, columns)) < 0.8)
    for row in np.flatnonzero(rng.random(size) < 0.5):
        rate[row] = np.convolve(rate[row], np.ones(9) / 9, mode="same")
    cumulative = np.concatenate([np.zeros((size, 1)), np.cumsum(rate, axis=1)], axis=1) / 10
    visits = np.r_[rng.integers(0, 4), rng.choice([1, 1, 2, 4], count)]
    place = np.r_[0, np.repeat(np.arange(size), visits)]
    follows = np.where(place == np.r_[-1, place[:-1]], np.arange(len(place)) - 1, -1)
    follows[:2] = -1  # the first row is the start, which nobody dwells at
    windows = None
    if rng.random() < 0.4:
        opening = start + np.round(rng.uniform(-20, 40, size) / STEP) * STEP
        windows = np.column_stack([opening, opening + rng.choice([5.0, 20.0, 60.0], size)])[place]
    rows = np.arange(1, len(place))
    mandatory = frozenset(rng.choice(rows, rng.integers(0, 2), replace=False).tolist())
    barred = frozenset({0}) | {
        row for row in rows.tolist() if rng.random() < 0.1 and row not in mandatory
    }
    return OrienteeringProblem(
        apart[np.ix_(place, place)], TimedPrizes(first, cumulative[place]),
        np.r_[0.0, dwell[place[1:]]],
        start, start + minutes, officers, windows, mandatory, barred, follows,
    )  # fmt: skip


def keep_prizes(prizes, dwell_minutes, first, minutes):
    """Prizes that are the same whenever a dwell begins within so many minutes."""
    rate = np.divide(prizes, dwell_minutes, out=np.zeros(len(prizes)), where=dwell_minutes > 0)
    return TimedPrizes(first, np.outer(rate, np.arange(minutes + 1.0)))


def gather(cumulative, first, minutes):
    """Worth up to each minute, by linear interpolation."""
    return np.interp(minutes, first + np.arange(len(cumulative)), cumulative)


def find_best_by_set(problem):
    """Most worth of every set of stops of an officer, by all orders and begins on the grid."""
    timed = problem.timed_prizes
    grid = np.arange(problem.earliest_minutes, problem.latest_minutes + STEP / 2, STEP)
    prizes = []
    for row in range(problem.size):
        dwell = problem.dwell_minutes[row]
        prize = gather(timed.cumulative[row], timed.first_minute, grid + dwell)
        prize = prize - gather(timed.cumulative[row], timed.first_minute, grid)
        if problem.windows is not None:
            opening, closing = problem.windows[row]
            prize = np.where((grid >= opening) & (grid <= closing), prize, -np.inf)
        prizes.append(prize)
    best = {frozenset(): 0.0}

    def visit(at, visited, left):
        """`left`: most worth when the last place is left at each minute of the grid."""
        for stop in set(range(problem.size)) - visited - problem.barred:
            before = -1 if problem.follows is None else problem.follows[stop]
            if before >= 0 and before not in visited:
                continue
            reached = np.maximum.accumulate(shift(left, problem.travel_minutes[at, stop]))
            begun = np.maximum.accumulate(reached + prizes[stop])
            after = shift(begun, problem.dwell_minutes[stop])
            home = shift(after, problem.travel_minutes[stop, 0])[-1]
            stops = visited | {stop}
            if np.isfinite(home):
                best[stops] = max(best.get(stops, -np.inf), float(home))
            if np.isfinite(after).any():
                visit(stop, stops, after)

    visit(0, frozenset(), np.zeros(len(grid)))
    return best


def shift(values, minutes):
    """What is known by each minute, so many minutes later."""
    steps = round(min(minutes / STEP, len(values)))
    return np.concatenate([np.full(steps, -np.inf), values[: len(values) - steps]])


def find_best(problem):
    """Most worth of all officers; None where the mandatory stops do not fit."""
    table = find_best_by_set(problem)
    together = table
    for _ in range(problem.officer_count - 1):
        joined = {}
        for one, worth in together.items():
            for other, more in table.items():
                if not one & other:
                    stops = one | other
                    joined[stops] = max(joined.get(stops, -np.inf), worth + more)
        together = joined
    allowed = [worth for stops, worth in together.items() if problem.mandatory <= stops]
    return max(allowed, default=None)
