"""Ruin and recreate for orienteering, compiled: the loop is `run_rounds`.

One round changes a tour, which holds the routes of all officers, in five steps:

1. *Ruin.* A random stop is drawn. From the routes that pass near it, one or a few strings of
   neighbouring stops are removed (slack induction by string removals, Christiaens and Vanden
   Berghe 2020), which makes room in one place rather than a little everywhere.
2. *Recreate.* All stops outside the tour are tried in an order drawn for this round (by chance, by
   prize, by prize for each minute, or by nearness to the drawn stop). Each goes where it delays a
   route least, if it fits at all. With windows those that fit nowhere are left out first, and some
   rounds insert greedily instead. A place is skipped now and then, so that the same gap is not
   filled in the same way each time.
3. *Shorten.* Where all stops are open, edges at the changed places are exchanged (`edge_exchange`);
   if that saves time, more is put in.
4. *Accept.* The new tour replaces the current one if it is not much worse: simulated annealing,
   with a temperature that falls over the rounds. Minutes saved count for a little, since they make
   room for stops. A tour that is not accepted is undone by copying back the changed routes alone.
5. *Note.* The best tour is remembered, and with several officers the changed routes of good tours
   are noted, so that the search can later pack the best combination of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.compiled import jit_compile, mix_bits, widen
from patrolplan.patrols.solver.edge_exchange import shorten_changed
from patrolplan.patrols.solver.insertion import (
    Places,
    insert_best,
    insert_in_order,
    list_fitting,
    list_fresh_places,
    update_places,
)
from patrolplan.patrols.solver.tour import (
    EMPTY_LENGTH,
    SearchFacts,
    Tour,
    copy_routes,
    draw_integer,
    draw_uniform,
    remove_stops,
    update_all_times,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scratch(NamedTuple):
    """Room for rounds over c candidates in m routes, so that compiled loops allocate nothing.

    `dirty` and `everyone`, of shape (m,), mark changed routes and all routes; the others have shape
    (c,): sort keys, two rooms for an order of stops, and the queue of `shorten_changed` with marks.
    """

    dirty: NDArray[np.bool_]
    everyone: NDArray[np.bool_]
    keys: NDArray[np.float64]
    order: NDArray[np.int64]
    spare: NDArray[np.int64]
    queue: NDArray[np.int32]
    waiting: NDArray[np.bool_]


# Shares of rounds that order the stops by chance, by prize, and by prize for each minute; the rest
# go by nearness to where stops were removed.
RANDOM_SHARE, PRIZE_SHARE, RATIO_SHARE = 0.2, 0.2, 0.4
# Share of rounds with windows that insert, again and again, the stop of most squared prize for each
# minute that it delays a route (Vansteenwegen et al. 2009). They find what no fixed order does.
GREEDY_SHARE = 0.3
# Chance that a string spares some of its stops, and that it spares one more.
SPLIT_CHANCE, KEEP_ONE_MORE_CHANCE = 0.5, 0.5
# Chance that a route may lose more than one string; never with windows.
REPEAT_CHANCE = 0.5


@jit_compile(is_inner=True, allocates=False)
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
    again = draw_uniform(rng) < REPEAT_CHANCE or used < strings
    # With windows all between two gaps of a route can hardly move, and neither gap holds much.
    twice = facts.always_open and again
    for step in range(-1, facts.neighbours.shape[1]):
        k = seed if step < 0 else np.int64(facts.neighbours[seed, step])
        r = tour.visited_by[k]
        if r < 0 or (dirty[r] and not twice):
            continue
        stops = tour.length[r] - 2
        count = 1 + draw_integer(rng, int(min(limit, stops)))
        p = tour.position[k]
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
            update_all_times(facts, tour, r)
    return seed


@jit_compile(is_inner=True, allocates=False)
def sort_by_keys(
    keys: NDArray[np.float64], order: NDArray[np.int64], spare: NDArray[np.int64], count: int
) -> None:
    """Sort the first `count` stops of an order by their keys, by merging.

    Stops of equal keys stay in their order. NumPy's own sort takes seconds to compile.
    """
    width = 1
    while width < count:
        for low in range(0, count, 2 * width):
            middle, high = min(low + width, count), min(low + 2 * width, count)
            a, b, place = low, middle, low
            while a < middle and b < high:
                # Sums instead of branches, which the processor could not predict.
                i, j = order[a], order[b]
                is_first = keys[i] <= keys[j]
                spare[place] = i if is_first else j
                a += is_first
                b += 1 - is_first
                place += 1
            while a < middle:
                spare[place] = order[a]
                a += 1
                place += 1
            while b < high:
                spare[place] = order[b]
                b += 1
                place += 1
        for place in range(count):
            order[place] = spare[place]
        width *= 2


@jit_compile(is_inner=True, allocates=False)
def recreate(  # noqa: PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    tour: Tour,
    current: Tour,
    places: Places,
    scratch: Scratch,
    seed: int,
    blink: float,
    rng: NDArray[np.uint64],
) -> None:
    """Put stops in, in an order by chance, prize, prize per minute or nearness, or greedily."""
    value, ratio, times, visited_by = facts.value, facts.ratio, facts.times, tour.visited_by
    keys, order = scratch.keys, scratch.order
    kind, count = draw_uniform(rng), widen(0)
    by_delay = not facts.always_open and draw_uniform(rng) < GREEDY_SHARE
    if facts.always_open:
        for k in range(value.shape[0]):
            if visited_by[k] < 0:
                order[count] = k
                count += 1
    else:
        count = list_fitting(facts, tour, current, places, scratch.dirty, order, blink, rng)
    for number in range(count):
        k = order[number]
        noise = draw_uniform(rng)
        if by_delay:
            keys[k] = -value[k] * value[k]
        elif kind < RANDOM_SHARE:
            keys[k] = noise
        elif kind < RANDOM_SHARE + PRIZE_SHARE:
            keys[k] = -value[k] * (0.7 + 0.6 * noise)
        elif kind < RANDOM_SHARE + PRIZE_SHARE + RATIO_SHARE:
            keys[k] = -ratio[k] * (0.5 + noise)
        else:
            keys[k] = times[0, seed, k] * (0.5 + noise)
    if by_delay and count:
        insert_best(facts, tour, places, scratch.dirty, keys, order[:count], np.bool_(1), rng)
        return
    sort_by_keys(keys, order, scratch.spare, count)
    insert_in_order(facts, tour, places, scratch.dirty, order, count, blink, rng)


@jit_compile(is_inner=True, allocates=False)
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


@jit_compile(is_inner=True, allocates=False)
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


@jit_compile(allocates=False)
def run_rounds(  # noqa: PLR0913, PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    current: Tour,
    trial: Tour,
    best: Tour,
    places: Places,
    scratch: Scratch,
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
    team, dirty = current.length.shape[0], scratch.dirty
    count = widen(0)
    for _ in range(rounds):
        for r in range(team):
            dirty[r] = False
        seed = ruin(facts, trial, dirty, parameters[0], parameters[1], rng)
        for r in range(team):
            # Officers who go nowhere may always be sent out.
            dirty[r] = dirty[r] or trial.length[r] == EMPTY_LENGTH
        if facts.always_open:
            list_fresh_places(facts, trial, current, places, dirty)
        recreate(facts, trial, current, places, scratch, seed, parameters[5], rng)
        if facts.symmetric and shorten_changed(
            facts, trial, current, dirty, scratch.queue, scratch.waiting
        ):
            list_fresh_places(facts, trial, current, places, dirty)
            recreate(facts, trial, current, places, scratch, seed, parameters[5], rng)
        value, goal = compute_objective(facts, trial, parameters[2])
        temperature = parameters[4] * (parameters[3] / parameters[4]) ** max(heat, 0.0)
        heat -= step
        if goal > state[0] + temperature * np.log(max(draw_uniform(rng), 1e-300)):
            state[0] = goal
            copy_routes(trial, current, dirty)
            if facts.always_open:
                update_places(facts, current, places, dirty)
            if value > state[1] + 1e-9 or (value > state[1] - 1e-9 and goal > state[2] + 1e-9):
                state[1] = value
                state[2] = goal
                copy_routes(current, best, scratch.everyone)
            if team > 1 and value >= parameters[6] * state[1]:
                count = record_routes(facts, current, dirty, seen, recorded, marks, count)
        else:
            copy_routes(current, trial, dirty)
    return count
