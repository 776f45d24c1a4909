"""Stops put where they delay a route least, compiled.

With windows every round first finds what fits the changed routes, along rows of the matrices of
times, of which the processor takes several numbers at once. Those stops are then put in, one after
another in an order, or each time the one of most prize for the minutes that it delays a route.

Without windows the delay depends on nothing but the two stops between which the new one is put, so
the cheapest place of each stop in each route of the current tour is stored. A round changes a few
places of the trial tour, and only those are compared with the stored one, unless that is itself
gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.compiled import jit_compile, widen
from patrolplan.patrols.solver.tour import SearchFacts, Tour, draw_uniform, insert_stop

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Sums of minutes in another order differ in the last digits.
LESS = 1.0 - 1e-12
# Minutes; a place that costs so little more than it did is the same place.
SAME_MINUTES = 1e-9


class Places(NamedTuple):
    """Cheapest places of c candidates in m routes of the current tour, and what is fresh in trial.

    `before` and `after`, of shape (m, c), are the two rows between which a candidate is cheapest
    put, and `delay` what that costs. `fresh` lists for each route the rows whose next stop in the
    trial tour is not next to them in the current one; `is_fresh` marks them, in column c the start.

    With windows `delay` and `place` are of the trial tour: what a candidate costs where it is
    cheapest and in time, infinite if nowhere, and the position before that place. `best_route` is
    the route that it delays least and `score` its key there, of shape (c,), infinite if it fits
    none.
    """

    before: NDArray[np.int32]
    after: NDArray[np.int32]
    delay: NDArray[np.float64]
    place: NDArray[np.int64]
    best_route: NDArray[np.int64]
    score: NDArray[np.float64]
    fresh: NDArray[np.int32]
    fresh_count: NDArray[np.int64]
    is_fresh: NDArray[np.bool_]


@jit_compile(is_inner=True, allocates=False)
def find_row(  # noqa: PLR0917 - compiled functions have no keywords
    route: NDArray[np.int32],
    visited_by: NDArray[np.int64],
    position: NDArray[np.int64],
    r: int,
    i: int,
    j: int,
    symmetric: bool,  # noqa: FBT001
) -> int:
    """Give the position of the first of two rows that follow each other in route r, or -1.

    Where ways are as long both ways, they may follow in either order.
    """
    size = visited_by.shape[0]
    if i >= size:
        return 0 if route[r, 1] == j else -1
    if visited_by[i] != r:
        return -1
    p = int(position[i])
    if route[r, p + 1] == j:
        return p
    if symmetric and j < size and route[r, p - 1] == j:
        return p - 1
    return -1


@jit_compile(is_inner=True, allocates=False)
def list_fresh_places(
    facts: SearchFacts, tour: Tour, current: Tour, places: Places, dirty: NDArray[np.bool_]
) -> None:
    """List what is fresh in the dirty routes of the trial tour, where no stop has a window."""
    route, fresh, is_fresh = tour.route, places.fresh, places.is_fresh
    now, visited_by, position = current.route, current.visited_by, current.position
    for r in range(tour.length.shape[0]):
        if not dirty[r]:
            continue
        for number in range(places.fresh_count[r]):
            is_fresh[r, fresh[r, number]] = False
        count = 0
        for p in range(tour.length[r] - 1):
            i, j = route[r, p], route[r, p + 1]
            if find_row(now, visited_by, position, r, i, j, facts.symmetric) < 0:
                is_fresh[r, i] = True
                fresh[r, count] = i
                count += 1
        places.fresh_count[r] = count


@jit_compile(is_inner=True, allocates=False)
def insert_fresh(facts: SearchFacts, tour: Tour, places: Places, r: int, p: int, k: int) -> None:
    """Insert a stop behind a position, and mark both new places."""
    insert_stop(facts, tour, r, p, k)
    if not facts.always_open:
        return
    for place in (p, p + 1):
        i = tour.route[r, place]
        if not places.is_fresh[r, i]:
            places.is_fresh[r, i] = True
            places.fresh[r, places.fresh_count[r]] = i
            places.fresh_count[r] += 1


@jit_compile(is_inner=True, allocates=False)
def update_places(  # noqa: C901 - one compiled loop
    facts: SearchFacts, current: Tour, places: Places, dirty: NDArray[np.bool_]
) -> None:
    """Bring the stored places up to date once the trial has become the current tour.

    `before` of a stop that is visited is -1.
    """
    before, after, delay = places.before, places.after, places.delay
    route, leg, visited_by, position = (
        current.route, current.leg, current.visited_by, current.position,
    )  # fmt: skip
    times, back, dwell = facts.times, facts.transposed_times, facts.dwell
    fresh, count, size = places.fresh, places.fresh_count, facts.value.shape[0]
    for r in range(current.length.shape[0]):
        unit = facts.group_number[r]
        for k in range(size):
            if visited_by[k] >= 0:
                before[r, k] = -1
                continue
            p, least = -1, np.inf
            if before[r, k] >= 0:
                if not dirty[r]:
                    continue
                p = find_row(
                    route, visited_by, position, r, before[r, k], after[r, k], facts.symmetric
                )
            if p < 0:
                p = 0
                for q in range(current.length[r] - 1):
                    this = back[unit, k, route[r, q]] + times[unit, k, route[r, q + 1]] - leg[r, q]
                    if this < least:
                        least, p = this, q
            else:
                least = delay[r, k] - dwell[k]
                for number in range(count[r]):
                    i = fresh[r, number]
                    q = position[i] if i < size else 0
                    this = back[unit, k, i] + times[unit, k, route[r, q + 1]] - leg[r, q]
                    if this < least:
                        least, p = this, q
            before[r, k] = route[r, p]
            after[r, k] = route[r, p + 1]
            delay[r, k] = least + dwell[k]


@jit_compile(allocates=False)
def find_places(  # noqa: PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    tour: Tour,
    places: Places,
    r: int,
    first: int,
    last: int,
    blink: float,
    rng: NDArray[np.uint64],
) -> None:
    """Find where each stop delays a route least behind positions first to last, if that is better.

    All stops are tried, visited or not, as the processor then takes several at a time.
    """
    unit, route, leave = facts.group_number[r], tour.route[r], tour.leave[r]
    delays, place = places.delay[r], places.place[r]
    opening, closing, dwell = facts.opening, facts.closing, facts.dwell
    for p in range(first, last + 1):
        if draw_uniform(rng) < blink:
            continue
        now, then, due = leave[p], leave[p] + tour.leg[r, p], tour.latest_begin[r, p + 1]
        forth, back = facts.times[unit, route[p]], facts.transposed_times[unit, route[p + 1]]
        for k in range(delays.shape[0]):
            begin = max(now + forth[k], opening[k])
            end = begin + dwell[k] + back[k]
            better = (begin <= closing[k]) & (end <= due) & (end - then < delays[k])
            delays[k] = end - then if better else delays[k]
            place[k] = p if better else place[k]


@jit_compile(is_inner=True, is_inlined=True, allocates=False)
def find_place(
    facts: SearchFacts, tour: Tour, r: int, k: int, blink: float, rng: NDArray[np.uint64]
) -> tuple[float, int]:
    """Find where a stop delays a route least: the minutes, infinite if nowhere, and where."""
    unit, route, leg, leave, due = (
        facts.group_number[r], tour.route[r], tour.leg[r], tour.leave[r], tour.latest_begin[r],
    )  # fmt: skip
    forth, back = facts.transposed_times[unit, k], facts.times[unit, k]
    opening, closing, dwell = facts.opening[k], facts.closing[k], facts.dwell[k]
    least, place = np.inf, widen(0)
    for p in range(tour.length[r] - 1):
        # Both grow along a route, so a window fits between few of its stops.
        if due[p + 1] < opening + dwell:
            continue
        if leave[p] > closing:
            break
        begin = max(leave[p] + forth[route[p]], opening)
        end = begin + dwell + back[route[p + 1]]
        if begin <= closing and end <= due[p + 1]:
            delay = end - leave[p] - leg[p]
            if delay < least and draw_uniform(rng) >= blink:
                least, place = delay, p
    return least, place


@jit_compile(is_inner=True, allocates=False)
def list_fitting(  # noqa: PLR0917 - compiled functions have no keywords
    facts: SearchFacts,
    tour: Tour,
    current: Tour,
    places: Places,
    dirty: NDArray[np.bool_],
    order: NDArray[np.int64],
    blink: float,
    rng: NDArray[np.uint64],
) -> int:
    """List in `order` the stops outside the tour that fit a route; give how many.

    Each stop put in leaves less time for all others, so those that do not fit now will not fit
    later in this round either. Only stops removed in this round can fit a route that is not dirty.
    """
    delays, team = places.delay, tour.length.shape[0]
    for r in range(team):
        delays[r] = np.inf
        if dirty[r]:
            find_places(facts, tour, places, r, widen(0), tour.length[r] - 2, blink, rng)
    count = widen(0)
    for k in range(tour.visited_by.shape[0]):
        if tour.visited_by[k] >= 0 or tour.block_count[k] > 0:
            continue
        least = np.inf
        for r in range(team):
            if current.visited_by[k] >= 0 and not dirty[r]:
                delays[r, k], places.place[r, k] = find_place(facts, tour, r, k, blink, rng)
            least = min(least, delays[r, k])
        if least < np.inf:
            order[count] = k
            count += 1
    return count


@jit_compile(is_inner=True, is_inlined=True, allocates=False)
def score_stop(
    tour: Tour, places: Places, keys: NDArray[np.float64], by_delay: np.bool_, k: int
) -> None:
    """Find the route that a stop delays least, and its key, for each minute of delay if wanted."""
    least, at = np.inf, widen(-1)
    for r in range(places.delay.shape[0]):
        if places.delay[r, k] < least:
            least, at = places.delay[r, k], r
    is_out = tour.visited_by[k] < 0 and tour.block_count[k] == 0
    places.best_route[k] = at
    score = keys[k] / max(least, 1e-9) if by_delay else keys[k]
    places.score[k] = score if at >= 0 and is_out else np.inf


@jit_compile(allocates=False)
def insert_best(  # noqa: PLR0917 - one compiled loop
    facts: SearchFacts,
    tour: Tour,
    places: Places,
    dirty: NDArray[np.bool_],
    keys: NDArray[np.float64],
    order: NDArray[np.int64],
    by_delay: np.bool_,
    rng: NDArray[np.uint64],
) -> None:
    """Insert the stop of the lowest key that fits a route, again and again, from a list not empty.

    Cheapest places must have been found before. When `by_delay`, keys are negative, and each is
    divided by the minutes of delay first. An insertion adds two places and seldom makes another
    cheaper, so only those two, and the place of the stop that is next, are tried again (lazy
    greedy, Minoux 1978).
    """
    delays, best_r, scores = places.delay, places.best_route, places.score
    for k in order:
        score_stop(tour, places, keys, by_delay, k)
    while True:
        k = order[0]
        for j in order:
            k = j if scores[j] < scores[k] else k
        if scores[k] == np.inf:
            return
        r = best_r[k]
        delay, p = find_place(facts, tour, r, k, 0.0, rng)
        if delay > delays[r, k] + SAME_MINUTES:
            delays[r, k] = delay
            score_stop(tour, places, keys, by_delay, k)
            continue
        dirty[r] = True
        insert_fresh(facts, tour, places, r, p, k)
        find_places(facts, tour, places, r, p, p + 1, 0.0, rng)
        for j in order:
            score_stop(tour, places, keys, by_delay, j)


@jit_compile(is_inner=True, allocates=False)
def insert_in_order(  # noqa: C901, PLR0912, PLR0917 - one compiled loop
    facts: SearchFacts,
    tour: Tour,
    places: Places,
    dirty: NDArray[np.bool_],
    order: NDArray[np.int64],
    count: int,
    blink: float,
    rng: NDArray[np.uint64],
) -> None:
    """Insert each of `count` stops where it delays a dirty route least, if it fits.

    Arrays are taken out of their tuples first: numba counts references at each use of a tuple,
    which would take longer than the search for a place.
    """
    before, after, delays, fresh, fresh_count = (
        places.before, places.after, places.delay, places.fresh, places.fresh_count,
    )  # fmt: skip
    route, leg, leave, due, length = (
        tour.route, tour.leg, tour.leave, tour.latest_begin, tour.length,
    )  # fmt: skip
    visited_by, position, blocked = tour.visited_by, tour.position, tour.block_count
    times, back, units, size = (
        facts.times, facts.transposed_times, facts.group_number, facts.value.shape[0],
    )  # fmt: skip
    always_open, symmetric = facts.always_open, facts.symmetric
    nobody = widen(-1)
    for number in range(count):
        k = order[number]
        if blocked[k] > 0 or visited_by[k] >= 0:
            continue
        dwell = facts.dwell[k]
        best, best_r, best_p = np.inf, nobody, nobody
        for r in range(length.shape[0]):
            if not always_open:
                if delays[r, k] < np.inf:
                    delay, p = find_place(facts, tour, r, k, blink, rng)
                    if delay < best:
                        best, best_r, best_p = delay, r, p
                continue
            if not dirty[r]:
                continue
            unit, final = units[r], length[r] - 1
            # Without windows the delay depends on two stops alone, and there is one room for all.
            most_delay = min(best, due[r, final] * LESS - leave[r, final])
            intact = nobody
            if before[r, k] >= 0:
                intact = find_row(
                    route, visited_by, position, r, before[r, k], after[r, k], symmetric
                )
            if intact < 0 or draw_uniform(rng) < blink:
                for p in range(final):
                    delay = (
                        back[unit, k, route[r, p]] + dwell + times[unit, k, route[r, p + 1]]
                        - leg[r, p]
                    )  # fmt: skip
                    if delay < most_delay and p != intact:
                        most_delay, best, best_r, best_p = delay, delay, r, p
                continue
            if delays[r, k] < most_delay:
                most_delay, best, best_r, best_p = delays[r, k], delays[r, k], r, intact
            for place in range(fresh_count[r]):
                i = fresh[r, place]
                p = position[i] if i < size else 0
                delay = back[unit, k, i] + dwell + times[unit, k, route[r, p + 1]] - leg[r, p]
                if delay < most_delay:
                    most_delay, best, best_r, best_p = delay, delay, r, p
        if best_r >= 0:
            dirty[best_r] = True
            insert_fresh(facts, tour, places, best_r, best_p, k)
