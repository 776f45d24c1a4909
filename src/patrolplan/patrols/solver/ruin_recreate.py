"""Ruin and recreate for orienteering, compiled: the loop is `run_rounds`.

One round changes a tour, which holds the routes of all officers, in four steps:

1. *Ruin.* A random stop is drawn. From the routes that pass near it, one or a few strings of
   neighbouring stops are removed (slack induction by string removals, Christiaens and Vanden
   Berghe 2020), which makes room in one place rather than a little everywhere.
2. *Recreate.* All stops outside the tour are tried in an order drawn for this round (by chance, by
   prize, by prize for each minute, or by nearness to the drawn stop). Each goes where it delays a
   route least, if it fits at all. A place is overlooked now and then, so that the same gap is not
   filled in the same way each time.
3. *Accept.* The new tour replaces the current one if it is not much worse: simulated annealing,
   with a temperature that falls over the rounds. Minutes saved count for a little, since they make
   room for stops. A tour that is not accepted is undone by copying back the changed routes alone.
4. *Note.* The best tour is remembered, and with several officers the changed routes of good tours
   are noted, so that `teams` can later pack the best combination of them.

A stop fits when it is reached before its window closes and the next stop is still reached before
the latest minute at which everything after it is in time (Vansteenwegen et al. 2009). Both minutes
are stored for each position, so a check takes constant time, with and without windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.compiled import jit_compile, mix_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray


# A route without stops still holds the start and the end.
EMPTY_LENGTH = 2
# Shares of rounds that order the stops by chance, by prize, and by prize for each minute; the rest
# go by nearness to where stops were removed.
RANDOM_SHARE, PRIZE_SHARE, RATIO_SHARE = 0.2, 0.2, 0.4
# Chance that a string spares some of its stops, and that it spares one more.
SPLIT_CHANCE, KEEP_ONE_MORE_CHANCE = 0.5, 0.5
# Chance that a route may lose more than one string.
REPEAT_CHANCE = 0.5


class SearchFacts(NamedTuple):
    """What does not change: c candidates, m officers, k groups of officers.

    `times` and `transposed_times` have shape (k, c + 2, c + 2); `neighbours` lists for each
    candidate the others by distance; the stops that j excludes are
    `excluded_stops[exclusion_start[j] : exclusion_start[j + 1]]`.
    """

    times: NDArray[np.float64]
    transposed_times: NDArray[np.float64]
    group_number: NDArray[np.int64]
    earliest: NDArray[np.float64]
    latest: NDArray[np.float64]
    value: NDArray[np.float64]
    ratio: NDArray[np.float64]
    dwell: NDArray[np.float64]
    opening: NDArray[np.float64]
    closing: NDArray[np.float64]
    neighbours: NDArray[np.int32]
    exclusion_start: NDArray[np.int64]
    excluded_stops: NDArray[np.int32]


class Tour(NamedTuple):
    """Routes of m officers, start and end included, with their times.

    `leave` is the minute of leaving each stop; `latest_begin` the latest minute to begin it so that
    everything after it is in time; `visited_by` the officer who visits a candidate or -1;
    `block_count` how many visited stops exclude it.
    """

    route: NDArray[np.int32]
    length: NDArray[np.int64]
    leave: NDArray[np.float64]
    latest_begin: NDArray[np.float64]
    visited_by: NDArray[np.int64]
    block_count: NDArray[np.int64]


@jit_compile()
def draw_uniform(rng: NDArray[np.uint64]) -> float:
    """Draw from [0, 1) by xorshift* (Vigna 2016), so that chunks of rounds join seamlessly."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 2.0**53)


@jit_compile()
def draw_integer(rng: NDArray[np.uint64], limit: int) -> int:
    """Draw a whole number from 0 to limit - 1."""
    return int(draw_uniform(rng) * limit)


@jit_compile()
def update_times(facts: SearchFacts, tour: Tour, r: int) -> None:
    """Compute the times of a route again: forwards when it leaves, backwards how late it may be."""
    times = facts.times[facts.group_number[r]]
    route, leave, due = tour.route[r], tour.leave[r], tour.latest_begin[r]
    final = tour.length[r] - 1
    now = facts.earliest[r]
    leave[0] = now
    for p in range(1, final):
        k = route[p]
        now = max(now + times[route[p - 1], k], facts.opening[k]) + facts.dwell[k]
        leave[p] = now
    leave[final] = now + times[route[final - 1], route[final]] if final > 1 else now
    due[final] = facts.latest[r]
    for p in range(final - 1, 0, -1):
        k = route[p]
        due[p] = min(facts.closing[k], due[p + 1] - times[k, route[p + 1]] - facts.dwell[k])


@jit_compile()
def remove_stops(facts: SearchFacts, tour: Tour, r: int, first: int, count: int) -> None:
    """Remove stops from a route without updating its times."""
    route = tour.route[r]
    for p in range(first, first + count):
        k = route[p]
        tour.visited_by[k] = -1
        for q in range(facts.exclusion_start[k], facts.exclusion_start[k + 1]):
            tour.block_count[facts.excluded_stops[q]] -= 1
    for p in range(first, tour.length[r] - count):
        route[p] = route[p + count]
    tour.length[r] -= count


@jit_compile()
def insert_stop(facts: SearchFacts, tour: Tour, r: int, after: int, k: int) -> None:
    """Insert a stop behind a position and update the times."""
    route = tour.route[r]
    for p in range(tour.length[r], after + 1, -1):
        route[p] = route[p - 1]
    route[after + 1] = k
    tour.length[r] += 1
    tour.visited_by[k] = r
    for q in range(facts.exclusion_start[k], facts.exclusion_start[k + 1]):
        tour.block_count[facts.excluded_stops[q]] += 1
    update_times(facts, tour, r)


@jit_compile()
def copy_route(source: Tour, target: Tour, r: int) -> None:
    """Copy the used part of a route and its times."""
    length = source.length[r]
    target.length[r] = length
    for p in range(length):
        target.route[r, p] = source.route[r, p]
        target.leave[r, p] = source.leave[r, p]
        target.latest_begin[r, p] = source.latest_begin[r, p]


@jit_compile()
def copy_tour(source: Tour, target: Tour) -> None:
    """Copy all routes."""
    for r in range(source.length.shape[0]):
        copy_route(source, target, r)
    target.visited_by[:] = source.visited_by
    target.block_count[:] = source.block_count


@jit_compile()
def ruin(  # noqa: C901 - one compiled loop
    facts: SearchFacts,
    tour: Tour,
    dirty: NDArray[np.bool_],
    removed: float,
    longest: float,
    rng: NDArray[np.uint64],
) -> int:
    """Remove strings of stops near a random stop; return that stop.

    The neighbours of the drawn stop are visited from near to far; each one in a route that is still
    untouched loses a string that holds it. A string goes as a whole, or spares a run of stops
    inside it. The lengths follow from the average number of stops to be removed.
    """
    size = facts.value.shape[0]
    team = tour.length.shape[0]
    visited = 0
    used = 0
    for r in range(team):
        visited += tour.length[r] - 2
        used += tour.length[r] > EMPTY_LENGTH
    seed = draw_integer(rng, size)
    if visited == 0:
        return seed
    limit = min(longest, max(1.0, visited / used))
    strings = 1 + np.int64(draw_uniform(rng) * max(1.0, 4.0 * removed / (1.0 + limit) - 1.0))
    twice = draw_uniform(rng) < REPEAT_CHANCE or used < strings
    for step in range(-1, facts.neighbours.shape[1]):
        k = seed if step < 0 else np.int64(facts.neighbours[seed, step])
        r = tour.visited_by[k]
        if r < 0 or (dirty[r] and not twice):
            continue
        stops = tour.length[r] - 2
        count = 1 + draw_integer(rng, int(min(limit, stops)))
        p = 1
        while tour.route[r, p] != k:
            p += 1
        spared = 0
        if count > 1 and count < stops and draw_uniform(rng) < SPLIT_CHANCE:
            spared = 1
            while count + spared < stops and draw_uniform(rng) < KEEP_ONE_MORE_CHANCE:
                spared += 1
        span = count + spared
        low = max(1, p - span + 1)
        high = min(p, stops - span + 1)
        begin = low + draw_integer(rng, high - low + 1)
        if spared:
            skip = begin + draw_integer(rng, count + 1)
            remove_stops(facts, tour, r, skip + spared, begin + span - skip - spared)
            remove_stops(facts, tour, r, begin, skip - begin)
        else:
            remove_stops(facts, tour, r, begin, count)
        dirty[r] = True
        strings -= 1
        if strings <= 0:
            break
    for r in range(team):
        if dirty[r]:
            update_times(facts, tour, r)
    return seed


@jit_compile()
def find_insertion(
    facts: SearchFacts,
    tour: Tour,
    dirty: NDArray[np.bool_],
    k: int,
    blink: float,
    rng: NDArray[np.uint64],
) -> tuple[int, int, float]:
    """Find where a stop delays a dirty route least; officer -1 when it fits nowhere.

    Returns the officer, the position to insert behind, and the delay.
    """
    best, best_r, best_p = np.inf, -1, -1
    opening, close, dwell = facts.opening[k], facts.closing[k], facts.dwell[k]
    for r in range(tour.length.shape[0]):
        if not dirty[r]:
            continue
        unit = facts.group_number[r]
        onto, away = facts.transposed_times[unit, k], facts.times[unit, k]
        route, leave, due = tour.route[r], tour.leave[r], tour.latest_begin[r]
        final = tour.length[r] - 1
        i = route[0]
        for p in range(final):
            j = route[p + 1]
            begin = max(leave[p] + onto[i], opening)
            then = begin + dwell + away[j]
            if begin <= close and then <= due[p + 1]:
                delay = then - leave[p] - (facts.times[unit, i, j] if final > 1 else 0.0)
                if delay < best and draw_uniform(rng) >= blink:
                    best, best_r, best_p = delay, r, p
            i = j
    return best_r, best_p, best


@jit_compile()
def build_greedily(facts: SearchFacts, tour: Tour, rng: NDArray[np.uint64]) -> None:
    """Insert the stop of most value for each minute of delay, until none fits."""
    dirty = np.ones(tour.length.shape[0], dtype=np.bool_)
    while True:
        most, best, best_r, best_p = -1.0, -1, -1, -1
        for k in range(facts.value.shape[0]):
            if tour.visited_by[k] >= 0 or tour.block_count[k] > 0:
                continue
            r, p, delay = find_insertion(facts, tour, dirty, k, 0.0, rng)
            if r >= 0 and facts.value[k] / max(delay, 1e-9) > most:
                most, best, best_r, best_p = facts.value[k] / max(delay, 1e-9), k, r, p
        if best < 0:
            return
        insert_stop(facts, tour, best_r, best_p, best)


@jit_compile()
def recreate(  # noqa: PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    tour: Tour,
    dirty: NDArray[np.bool_],
    seed: int,
    blink: float,
    rng: NDArray[np.uint64],
    keys: NDArray[np.float64],
) -> None:
    """Put stops in, in an order by chance, prize, prize per minute, or nearness to the seed."""
    out = np.flatnonzero(tour.visited_by < 0)
    kind = draw_uniform(rng)
    for number in range(out.shape[0]):
        k = out[number]
        noise = draw_uniform(rng)
        if kind < RANDOM_SHARE:
            keys[number] = noise
        elif kind < RANDOM_SHARE + PRIZE_SHARE:
            keys[number] = -facts.value[k] * (0.7 + 0.6 * noise)
        elif kind < RANDOM_SHARE + PRIZE_SHARE + RATIO_SHARE:
            keys[number] = -facts.ratio[k] * (0.5 + noise)
        else:
            keys[number] = facts.times[0, seed, k] * (0.5 + noise)
    for number in np.argsort(keys[: out.shape[0]]):
        k = out[number]
        if tour.block_count[k] > 0:
            continue
        r, p, _ = find_insertion(facts, tour, dirty, k, blink, rng)
        if r >= 0:
            insert_stop(facts, tour, r, p, k)


@jit_compile()
def compute_objective(facts: SearchFacts, tour: Tour, minute_value: float) -> tuple[float, float]:
    """Give the value of all stops, and that value less what the minutes used count for."""
    total = 0.0
    for k in range(facts.value.shape[0]):
        if tour.visited_by[k] >= 0:
            total += facts.value[k]
    used = 0.0
    for r in range(tour.length.shape[0]):
        used += tour.leave[r, tour.length[r] - 1] - facts.earliest[r]
    return total, total - minute_value * used


@jit_compile()
def record_routes(  # noqa: PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    tour: Tour,
    dirty: NDArray[np.bool_],
    seen: NDArray[np.uint64],
    recorded: NDArray[np.int32],
    marks: NDArray[np.int64],
    count: int,
) -> int:
    """Note the changed routes for the packing pass, unless their stops were noted lately."""
    for r in range(tour.length.shape[0]):
        length = tour.length[r]
        if not dirty[r] or length <= EMPTY_LENGTH or count >= recorded.shape[0]:
            continue
        mixed = np.uint64(facts.group_number[r] + 1)
        for p in range(1, length - 1):
            x = np.uint64(tour.route[r, p] + 1) * np.uint64(0x9E3779B97F4A7C15)
            mixed += mix_bits(x, np.uint64(31))
        at = np.int64(mixed % np.uint64(seen.shape[0]))
        if seen[at] == mixed:
            continue
        seen[at] = mixed
        for p in range(1, length - 1):
            recorded[count, p - 1] = tour.route[r, p]
        marks[count, 0] = r
        marks[count, 1] = length - 2
        count += 1
    return count


@jit_compile()
def run_rounds(  # noqa: PLR0913, PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    current: Tour,
    trial: Tour,
    best: Tour,
    rng: NDArray[np.uint64],
    parameters: NDArray[np.float64],
    state: NDArray[np.float64],
    rounds: int,
    heat: float,
    step: float,
    seen: NDArray[np.uint64],
    recorded: NDArray[np.int32],
    marks: NDArray[np.int64],
) -> int:
    """Do rounds of ruin and recreate; return how many routes were noted.

    `parameters`: stops removed on average, longest string, value of a minute, hottest and coldest
    temperature, chance to overlook a place, share of the best value from which routes are noted.
    `state`: objective now, value of the best, objective of the best. `heat` falls from 1 to 0.
    """
    team = current.length.shape[0]
    dirty = np.zeros(team, dtype=np.bool_)
    keys = np.empty(facts.value.shape[0])
    count = 0
    for _ in range(rounds):
        dirty[:] = False
        seed = ruin(facts, trial, dirty, parameters[0], parameters[1], rng)
        for r in range(team):
            dirty[r] = dirty[r] or trial.length[r] == EMPTY_LENGTH
        recreate(facts, trial, dirty, seed, parameters[5], rng, keys)
        value, goal = compute_objective(facts, trial, parameters[2])
        temperature = parameters[4] * (parameters[3] / parameters[4]) ** max(heat, 0.0)
        heat -= step
        if goal > state[0] + temperature * np.log(max(draw_uniform(rng), 1e-300)):
            state[0] = goal
            for r in range(team):
                if dirty[r]:
                    copy_route(trial, current, r)
            current.visited_by[:] = trial.visited_by
            current.block_count[:] = trial.block_count
            if value > state[1] + 1e-9 or (value > state[1] - 1e-9 and goal > state[2] + 1e-9):
                state[1] = value
                state[2] = goal
                copy_tour(current, best)
            if team > 1 and value >= parameters[6] * state[1]:
                count = record_routes(facts, current, dirty, seen, recorded, marks, count)
        else:
            for r in range(team):
                if dirty[r]:
                    copy_route(current, trial, r)
            trial.visited_by[:] = current.visited_by
            trial.block_count[:] = current.block_count
    return count
