"""All orders of a patrol's stops, and start minutes, that are worth nearly as much as planned.

An order is built stop by stop, for all start minutes at once: arriving, waiting for a stop's hours,
dwelling. Orders with the same first stops share these computations. A partial order is dropped as
soon as it certainly ends late or is not worth enough: the remaining stops need at least their
dwells and the shortest leg to each, and none can be worth more than at its best time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from patrolplan.patrols.solver.solution import compute_slack
from patrolplan.patrols.solver.solve import OrienteeringProblem, Route
from patrolplan.patrols.timing_chances import spread_chances
from patrolplan.patrols.timings import Timings

Floats = NDArray[np.float64]

MIN_ORDER_SHARE = 0.8
"""Minimum share of its worth that a patrol has in another order, or later; for the mean share, see
`patrolplan.patrols.timing_chances`."""

MAX_PERMUTED_STOPS = 6
"""Maximum stops for testing every order; with more, only those in which one run of stops is
reversed or one stop is moved."""

WHOLE = 1e-9
"""Tolerance for a minute to count as whole."""


def list_timings(
    problem: OrienteeringProblem, stops: Sequence[int], *, worth: float, officer: int = 0
) -> Timings:
    """Every order and whole start minute that is feasible and worth enough.

    The officer walks directly from stop to stop, and waits only if a stop's hours have not begun;
    before the first stop the officer waits at the gate, and leaves it later.

    Parameters
    ----------
    problem
        Problem with the travel times, hours, windows and prizes.
    stops
        Rows, as planned.
    worth
        Worth of the patrol as planned.
    officer
        Position in `problem.officers`.
    """
    if not stops:
        return Timings.none(0)
    search = _OrderSearch(problem, tuple(stops), officer, MIN_ORDER_SHARE * worth)
    found = [each for each in search.time_orders(list_orders(len(stops))) if len(each.leave)]
    if not found:
        return Timings.none(len(stops))
    orders = np.array([each.order for each in found], dtype=np.int64)
    order = np.repeat(np.arange(len(found)), [len(each.leave) for each in found])
    begins = np.concatenate([each.begins for each in found])
    walked = np.concatenate([each.worth for each in found])
    share = walked / worth if worth > 0 else np.ones(len(walked))
    middles = begins + search.dwell[orders[order]] / 2
    return Timings(
        orders=orders,
        order=order,
        gate_until_minutes=np.concatenate([each.leave for each in found]),
        begin_minutes=begins,
        end_minutes=np.concatenate([each.now for each in found]),
        chances=spread_chances(share, order, orders[order], middles),
    )


def list_orders(count: int) -> NDArray[np.int64]:
    """(m, count) orders of `count` stops to test, the planned one first."""
    planned = tuple(range(count))
    if count <= MAX_PERMUTED_STOPS:
        return np.array(list(permutations(planned)), dtype=np.int64)
    orders = {planned: None}
    for low in range(count):
        for high in range(low + 2, count + 1):
            orders[*planned[:low], *planned[low:high][::-1], *planned[high:]] = None
        rest = planned[:low] + planned[low + 1 :]
        for at in range(count):
            orders[*rest[:at], low, *rest[at:]] = None
    return np.array(sorted(orders), dtype=np.int64)


def time_walk(
    problem: OrienteeringProblem,
    stops: Sequence[int],
    leg_minutes: Sequence[float],
    *,
    leave_minutes: float,
    not_before: Sequence[float],
    latest_minutes: float,
    officer: int = 0,
) -> Route | None:
    """Walk the stops in order from a start minute; None if anything is late.

    Parameters
    ----------
    problem, stops, officer
        As for `list_timings`.
    leg_minutes
        Minutes of the legs, one more than stops.
    leave_minutes
        Minute of leaving the start.
    not_before
        Earliest minute at which each dwell may begin.
    latest_minutes
        Latest minute at which the officer is at the end.
    """
    now, arrive, begin = leave_minutes, list[float](), list[float]()
    for stop, leg, earliest in zip(stops, leg_minutes, not_before, strict=False):
        opening, closing = (-np.inf, np.inf) if problem.windows is None else problem.windows[stop]
        arrive.append(now + leg)
        begin.append(max(arrive[-1], earliest, float(opening)))
        if begin[-1] > closing + compute_slack(float(closing)):
            return None
        now = begin[-1] + float(problem.dwell_minutes[stop])
    end = now + leg_minutes[-1]
    if end > latest_minutes + compute_slack(latest_minutes):
        return None
    search = _OrderSearch(problem, tuple(stops), officer, 0.0)
    gate = float(search.compute_gate_worth(np.array([leave_minutes]))[0])
    worths = tuple(
        float(search.compute_worth(stop, np.array([minute]))[0])
        for stop, minute in zip(stops, begin, strict=True)
    )
    dwell = problem.dwell_minutes[list(stops)].tolist()
    return Route(
        officer,
        tuple(stops),
        tuple(arrive),
        tuple(begin),
        tuple(minute + more for minute, more in zip(begin, dwell, strict=True)),
        float(problem.officers[officer].earliest_minutes),
        end,
        gate + sum(worths),
        sum(leg_minutes),
        leave_minutes,
        gate,
        worths if problem.timed_prizes is not None else (),
    )


@dataclass(frozen=True, eq=False)
class _Walked:
    """The beginning of an order, for all start minutes (g) that are still feasible."""

    order: tuple[int, ...]
    leave: Floats
    """(g,) minute of leaving the start."""
    begins: Floats
    """(g, d) minute at which each dwell so far begins."""
    now: Floats
    """(g,) minute of leaving the last stop, or for a complete order, of reaching the end."""
    worth: Floats
    """(g,)"""

    def select(self, is_wanted: NDArray[np.bool_]) -> "_Walked":
        return _Walked(
            self.order,
            self.leave[is_wanted],
            self.begins[is_wanted],
            self.now[is_wanted],
            self.worth[is_wanted],
        )


@dataclass(frozen=True, eq=False)
class _OrderSearch:
    """The orders of some stops (n) of a problem."""

    problem: OrienteeringProblem
    stops: tuple[int, ...]
    officer: int
    least: float
    """Minimum worth of an order."""

    @cached_property
    def legs(self) -> Floats:
        """(1 + n, n + 1) minutes from the start and each stop to each stop and the end."""
        officer = self.problem.officers[self.officer]
        out, back = [officer.start, *self.stops], [*self.stops, officer.end]
        return np.asarray(self.problem.travel_minutes[np.ix_(out, back)] / officer.speed)

    @cached_property
    def shortest(self) -> Floats:
        """(n + 1,) the shortest leg to each stop and the end."""
        legs = self.legs.copy()
        rows = np.arange(len(self.stops))
        legs[1 + rows, rows] = np.inf
        return np.asarray(legs.min(axis=0))

    @cached_property
    def dwell(self) -> Floats:
        """(n,) minutes at each stop."""
        return self.problem.dwell_minutes[list(self.stops)]

    @cached_property
    def windows(self) -> Floats:
        """(n, 2) earliest and latest begin of each dwell, with a tolerance."""
        if self.problem.windows is None:
            return np.tile([-np.inf, np.inf], (len(self.stops), 1))
        windows = self.problem.windows[list(self.stops)] + 0.0
        windows[:, 1] += [compute_slack(float(minute)) for minute in windows[:, 1]]
        return np.asarray(windows)

    @cached_property
    def latest(self) -> float:
        """Latest minute of reaching the end, with a tolerance."""
        latest = float(self.problem.officers[self.officer].latest_minutes)
        return latest + compute_slack(latest)

    @cached_property
    def peaks(self) -> Floats:
        """(n,) worth of each stop at its best time."""
        prizes, (first, _) = self.problem.timed_prizes, self.leave_between
        if prizes is None:
            return self.problem.prizes[list(self.stops)]
        peaks = [
            prizes.compute_peak(stop, dwell, first, self.latest)
            for stop, dwell in zip(self.stops, self.dwell.tolist(), strict=True)
        ]
        return np.array(peaks)

    @cached_property
    def leave_between(self) -> tuple[float, float]:
        """Earliest and latest minute of leaving the start."""
        gate = self.problem.gate
        first = float(self.problem.officers[self.officer].earliest_minutes)
        first += 0.0 if gate is None else gate.minutes
        return first, self.latest - float(self.dwell.sum() + self.shortest.sum())

    def compute_gate_worth(self, leave: Floats) -> Floats:
        """(g,) worth of being at the start until each minute; 0 for officers after the first."""
        prizes, gate = self.problem.timed_prizes, self.problem.gate
        if prizes is None or gate is None or self.officer:
            return np.zeros(len(leave))
        minutes = prizes.first_minute + np.arange(len(gate.cumulative))
        present = self.problem.officers[self.officer].earliest_minutes
        gathered = np.interp(leave, minutes, gate.cumulative)
        return np.asarray(gathered - np.interp(present, minutes, gate.cumulative))

    def compute_worth(self, stop: int, begin: Floats) -> Floats:
        """(g,) worth of a dwell at a row of the problem that begins at each minute."""
        prizes = self.problem.timed_prizes
        if prizes is None:
            return np.full(len(begin), float(self.problem.prizes[stop]))
        return prizes.compute_worth(stop, begin, float(self.problem.dwell_minutes[stop]))

    def time_orders(self, orders: NDArray[np.int64]) -> Iterator[_Walked]:
        """Each of these (m, n) orders, at the start minutes at which it is worth enough."""
        first, last = self.leave_between
        leave = np.arange(np.ceil(first - WHOLE), np.floor(last + WHOLE) + 1)
        if not len(leave):
            return
        worth = self.compute_gate_worth(leave)
        start = _Walked((), leave, np.zeros((len(leave), 0)), leave, worth)
        yield from self._extend(start, orders)

    def _extend(self, so_far: _Walked, orders: NDArray[np.int64]) -> Iterator[_Walked]:
        """The orders that begin with the stops so far."""
        depth = len(so_far.order)
        if depth == len(self.stops):
            yield self._end(so_far)
            return
        for stop in np.unique(orders[:, depth]).tolist():
            further = self._visit(so_far, stop)
            if len(further.leave):
                yield from self._extend(further, orders[orders[:, depth] == stop])

    def _visit(self, so_far: _Walked, stop: int) -> _Walked:
        """Add one stop, at the start minutes that can still be worth enough."""
        opening, closing = self.windows[stop]
        came_from = so_far.order[-1] + 1 if so_far.order else 0
        arrive = so_far.now + self.legs[came_from, stop]
        begin = np.maximum(arrive, opening)
        order = (*so_far.order, stop)
        left = [other for other in range(len(self.stops)) if other not in order]
        now = begin + self.dwell[stop]
        worth = so_far.worth + self.compute_worth(self.stops[stop], begin)
        to_come = self.dwell[left].sum() + self.shortest[[*left, -1]].sum()
        is_wanted = (begin <= closing) & (now + to_come <= self.latest)
        is_wanted &= worth + self.peaks[left].sum() >= self.least * (1 - WHOLE)
        if not so_far.order:
            is_wanted &= begin <= arrive + WHOLE
        walked = _Walked(order, so_far.leave, np.column_stack([so_far.begins, begin]), now, worth)
        return walked.select(is_wanted)

    def _end(self, so_far: _Walked) -> _Walked:
        """A complete order, with the leg to the end."""
        end = so_far.now + self.legs[so_far.order[-1] + 1, -1]
        return replace(so_far, now=end).select(end <= self.latest)


def list_leg_minutes(
    problem: OrienteeringProblem, stops: Sequence[int], officer: int = 0
) -> list[float]:
    """Minutes of the legs from the start via the stops to the end."""
    who = problem.officers[officer]
    places = [who.start, *stops, who.end]
    return [float(problem.travel_minutes[a, b]) / who.speed for a, b in pairwise(places)]
