"""Two ways to begin the search; which is better depends on where the prizes are.

*Greedy insertion* goes where value for a minute of delay is high, first of all near the start;
where prizes grow with the distance it never gets to them. A *thinned tour* begins from the other
side: an officer visits everything that is left, by a tour that edge exchanges have shortened, and
the part of least value for the minutes it costs is dropped until the officer is back in time.

Both call compiled functions a few times only. To compile their loops as well would take seconds of
each computer's first run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.compiled import jit_compile, widen
from patrolplan.patrols.solver.edge_exchange import shorten_route
from patrolplan.patrols.solver.insertion import Places, find_places, insert_best
from patrolplan.patrols.solver.tour import SearchFacts, Tour, remove_stops, update_all_times

if TYPE_CHECKING:
    from numpy.typing import NDArray


def build_greedily(facts: SearchFacts, tour: Tour, places: Places, rng: NDArray[np.uint64]) -> None:
    """Insert the stop of most value for each minute of delay, until none fits."""
    dirty = np.zeros(tour.length.shape[0], dtype=np.bool_)
    order = np.arange(facts.value.shape[0])
    places.delay[:] = math.inf
    for r in range(tour.length.shape[0]):
        find_places(facts, tour, places, r, 0, tour.length[r] - 2, 0.0, rng)
    insert_best(facts, tour, places, dirty, -facts.value, order, np.bool_(1), rng)


def shorten_everywhere(facts: SearchFacts, tour: Tour, r: int) -> None:
    """Exchange edges at every stop of a route until none saves time, and update its times."""
    queue = tour.route[r, 1 : tour.length[r] - 1].copy()
    waiting = np.zeros(facts.value.shape[0], dtype=np.bool_)
    waiting[queue] = True
    spare = np.empty(facts.value.shape[0], dtype=np.int32)
    spare[: queue.shape[0]] = queue
    shorten_route(facts, tour, r, spare, waiting, queue.shape[0])
    update_all_times(facts, tour, r)


@jit_compile()
def thin_route(facts: SearchFacts, tour: Tour, r: int) -> None:
    """Drop the part of least value for the minutes it costs until the route is in time.

    A part is one stop or many in a row: stops close together far from all others cost little one by
    one. Of the minutes that a part costs only those count that the route is too long.
    """
    times = facts.times[facts.group_number[r]]
    route, leg, leave = tour.route[r], tour.leg[r], tour.leave[r]
    final, one = tour.length[r] - 1, widen(1)
    while final > 1 and leave[final] > facts.latest[r]:
        excess = leave[final] - facts.latest[r]
        least, first, last = np.inf, one, one
        for low in range(1, final):
            value, way = 0.0, leg[low - 1]
            for high in range(low, final):
                value += facts.value[route[high]]
                way += facts.dwell[route[high]] + leg[high]
                saved = min(way - times[route[low - 1], route[high + 1]], excess)
                if value < least * saved:
                    least, first, last = value / saved, low, high
        remove_stops(facts, tour, r, first, last - first + 1)
        final -= last - first + 1
        update_all_times(facts, tour, r)


def build_thinned(
    facts: SearchFacts, unlimited: SearchFacts, tour: Tour, places: Places, rng: NDArray[np.uint64]
) -> None:
    """Fill an empty tour with thinned tours, one officer after another, and what else fits.

    `unlimited` are the facts of officers who may be out for ever.
    """
    team = tour.length.shape[0]
    dirty = np.zeros(team, dtype=np.bool_)
    order = np.arange(facts.value.shape[0])
    nearness = -facts.times[0, len(order), : len(order)]
    for r in range(team):
        places.delay[:] = math.inf
        find_places(unlimited, tour, places, r, 0, tour.length[r] - 2, 0.0, rng)
        insert_best(unlimited, tour, places, dirty, nearness, order, np.bool_(0), rng)
        shorten_everywhere(facts, tour, r)
        thin_route(facts, tour, r)
        shorten_everywhere(facts, tour, r)
        places.fresh_count[:] = 0
        places.is_fresh[:] = False
    build_greedily(facts, tour, places, rng)
