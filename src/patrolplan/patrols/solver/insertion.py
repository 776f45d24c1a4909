"""Stops put where they delay a route least, compiled.

With windows every position of a route is tried. Without them the delay depends on nothing but the
two stops between which the new one is put, so the cheapest place of each stop in each route of the
current tour is stored. A round changes a few places of the trial tour, and only those are compared
with the stored one, unless that is itself gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.compiled import jit_compile, widen
from patrolplan.patrols.solver.tour import SearchFacts, Tour, draw_uniform, insert_stop

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Sums of minutes in another order differ in the last digits, of which less is allowed than of ends.
LESS = 1.0 - 1e-12


class Places(NamedTuple):
    """Cheapest places of c candidates in m routes of the current tour, and what is fresh in trial.

    `before` and `after`, of shape (m, c), are the two rows between which a candidate is cheapest
    put, and `delay` what that costs. `fresh` lists for each route the rows whose next stop in the
    trial tour is not next to them in the current one; `is_fresh` marks them, in column c the start.
    """

    before: NDArray[np.int32]
    after: NDArray[np.int32]
    delay: NDArray[np.float64]
    fresh: NDArray[np.int32]
    fresh_count: NDArray[np.int64]
    is_fresh: NDArray[np.bool_]


@jit_compile(is_inner=True)
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


@jit_compile(is_inner=True)
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


@jit_compile(is_inner=True)
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


@jit_compile(is_inner=True)
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


@jit_compile()
def insert_in_order(  # noqa: C901, PLR0912, PLR0915, PLR0917 - one compiled loop
    facts: SearchFacts,
    tour: Tour,
    places: Places,
    dirty: NDArray[np.bool_],
    order: NDArray[np.int64],
    count: int,
    blink: float,
    rng: NDArray[np.uint64],
    greedy: np.bool_,
) -> int:
    """Insert each of `count` stops where it delays a dirty route least, if it fits; say how many.

    When `greedy`, only the stop of most value for each minute of its delay is inserted.

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
    nobody, inserted = widen(-1), widen(0)
    most, most_k, most_r, most_p = -1.0, nobody, nobody, nobody
    for number in range(count):
        k = order[number]
        if blocked[k] > 0 or visited_by[k] >= 0:
            continue
        opening, close, dwell = facts.opening[k], facts.closing[k], facts.dwell[k]
        best, best_r, best_p = np.inf, nobody, nobody
        for r in range(length.shape[0]):
            if not dirty[r]:
                continue
            unit, final = units[r], length[r] - 1
            if not always_open:
                for p in range(final):
                    j = route[r, p + 1]
                    begin = max(leave[r, p] + back[unit, k, route[r, p]], opening)
                    then = begin + dwell + times[unit, k, j]
                    if begin <= close and then <= due[r, p + 1]:
                        delay = then - leave[r, p] - leg[r, p]
                        if delay < best and draw_uniform(rng) >= blink:
                            best, best_r, best_p = delay, r, p
                continue
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
        if best_r >= 0 and greedy:
            ratio = facts.value[k] / max(best, 1e-9)
            if ratio > most:
                most, most_k, most_r, most_p = ratio, k, best_r, best_p
        elif best_r >= 0:
            insert_fresh(facts, tour, places, best_r, best_p, k)
            inserted += 1
    if most_k >= 0:
        insert_fresh(facts, tour, places, most_r, most_p, most_k)
        inserted += 1
    return inserted
