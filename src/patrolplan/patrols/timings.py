"""The possible orders of a patrol's stops, and minutes of leaving the gate.

A patrol is the same route with any timing; one of them is drawn for every card.

An order is built stop by stop, for all start minutes at once: arriving, waiting for a stop's hours,
dwelling. Orders with the same first stops share these computations. A partial order is dropped as
soon as it certainly ends late or is not worth enough: the remaining stops need at least their
dwells and the shortest leg to each, and none can be worth more than at its best time.

An observer who knows the route but not its timing does best by guessing, for every stop, its most
likely quarter of an hour. So the chances of the timings minimise the sum over the stops of these
maximum chances: a small linear programme, as for security games. Unpredictability has a cost, since
most stops are worth less later: the mean loss is bounded, and timings that lose much are not drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any, NamedTuple, Self

import numpy as np

from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.patrols.solver.problem import TOLERANCE, OrienteeringProblem, allow_rounding

DRAWN_FROM = 2**32  # number of equal parts of 1, one of which is drawn
MIN_ORDER_SHARE = 0.8  # minimum share of its worth that a patrol has in another order, or later
MEAN_SHARE = 0.95  # least mean share of a patrol's worth over all timings, by their chances
QUARTER_MINUTES = 15.0
DECIMALS = 6  # decimals of chances, so that rounding in the solver has no effect
MAX_PERMUTED_STOPS = 6  # with more, only the planned order and its reverse are tested
WHOLE = 1e-9  # tolerance for a minute to count as whole


@dataclass(frozen=True)
class Timing:
    """One order of a patrol's stops, and the time of each."""

    order: tuple[int, ...]  # rows of the stops as planned, in the order they are made
    gate_until_minutes: float  # when the gate is left
    begin_minutes: tuple[float, ...]  # when each dwell begins, in this order
    end_minutes: float


@dataclass(frozen=True, eq=False)
class Timings:
    """Timings (t) of a patrol of n stops, in m orders."""

    orders: Ints  # (m, n) rows of the patrol's stops
    order: Ints  # (t,) row of `orders`
    gate_until_minutes: Floats  # (t,) when the gate is left: a whole minute
    begin_minutes: Floats  # (t, n) when each dwell begins, in the order of `orders`
    end_minutes: Floats  # (t,)
    chances: Floats  # (t,) chance of each; their sum is 1

    @classmethod
    def none(cls, stops: int) -> Self:
        """An empty set of timings for a patrol with this number of stops."""
        table, column = np.zeros((0, stops)), np.zeros(0)
        numbers = table.astype(np.int64), column.astype(np.int64)
        return cls(*numbers, column, table, column, column)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, row: int) -> Timing:
        until, end = float(self.gate_until_minutes[row]), float(self.end_minutes[row])
        begins = tuple(self.begin_minutes[row].tolist())
        return Timing(tuple(self.orders[self.order[row]].tolist()), until, begins, end)

    def select(self, is_wanted: Bools) -> Self:
        """Some of the timings, with chances scaled to a sum of 1."""
        chances = self.chances[is_wanted]
        total = chances.sum()
        # If all of their chances are 0, they get equal ones.
        chances = chances / total if total > 0 else np.full(len(chances), 1 / max(1, len(chances)))
        names = ("order", "gate_until_minutes", "begin_minutes", "end_minutes")
        rows: dict[str, Any] = {name: getattr(self, name)[is_wanted] for name in names}
        return replace(self, **rows, chances=chances)

    def draw(self, pick: Callable[[str, int], int]) -> Timing | None:
        """A timing by its chance, or None; `pick`, given a purpose and a number, is below it."""
        if not len(self):
            return None
        at = (pick("timing", DRAWN_FROM) + 0.5) / DRAWN_FROM
        row = int(np.searchsorted(np.cumsum(self.chances), at))
        return self[min(row, int(np.flatnonzero(self.chances)[-1]))]


def list_timings(problem: OrienteeringProblem, stops: Sequence[int], *, worth: float) -> Timings:
    """Every order of the stops (rows, as planned) and whole start minute that is worth enough."""
    if not stops:
        return Timings.none(0)
    search = _OrderSearch(problem, tuple(stops), MIN_ORDER_SHARE * worth)
    orders = keep_visits_apart(list_orders(len(stops)), search.legs[1:, :-1] <= 0)
    found = [each for each in search.time_orders(orders) if len(each.leave)]
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


def list_orders(count: int) -> Ints:
    """(m, count) orders of `count` stops to test, the planned one first."""
    planned = tuple(range(count))
    if count > MAX_PERMUTED_STOPS:
        return np.array([planned, planned[::-1]], dtype=np.int64)
    return np.array(list(permutations(planned)), dtype=np.int64)


def keep_visits_apart(orders: Ints, is_same: Bools) -> Ints:
    """The orders in which visits to one place, by `is_same` (n, n), stay as planned and apart."""
    position = np.argsort(orders, axis=1)
    kept = np.arange(len(orders)) == 0
    apart = [
        position[:, late] - position[:, early] > 1
        for early, late in combinations(range(orders.shape[1]), 2)
        if is_same[early, late]
    ]
    return np.asarray(orders[kept | np.all(apart, axis=0)] if apart else orders)


class _Walked(NamedTuple):
    """The beginning of an order, for all start minutes (g) that are still feasible."""

    order: tuple[int, ...]
    leave: Floats  # (g,) minute of leaving the start
    begins: Floats  # (g, d) minute at which each dwell so far begins
    now: Floats  # (g,) minute of leaving the last stop; of a complete order, of reaching the end
    worth: Floats  # (g,)

    def select(self, is_wanted: Bools) -> "_Walked":
        return _Walked(self.order, *(each[is_wanted] for each in self[1:]))


class _OrderSearch:
    """The orders of some stops (n) of a problem that have a minimum worth."""

    def __init__(self, problem: OrienteeringProblem, stops: tuple[int, ...], least: float) -> None:
        self.problem, self.stops, self.least = problem, stops, least
        # (1 + n, n + 1) minutes from the start and each stop to each stop and the end.
        self.legs = problem.travel_minutes[np.ix_([0, *stops], [*stops, 0])]
        elsewhere = self.legs.copy()
        np.fill_diagonal(elsewhere[1:], np.inf)
        self.shortest = elsewhere.min(axis=0)
        self.dwell = problem.dwell_minutes[list(stops)]
        self.windows = problem.list_windows(stops, TOLERANCE)
        self.latest = float(allow_rounding(np.array(problem.latest_minutes)))
        self.first = problem.earliest_minutes
        self.last = self.latest - float(self.dwell.sum() + self.shortest.sum())
        self.peaks = np.array(
            [
                problem.timed_prizes.compute_peak(stop, dwell, self.first, self.latest)
                for stop, dwell in zip(stops, self.dwell.tolist(), strict=True)
            ]
        )

    def time_orders(self, orders: Ints) -> Iterator[_Walked]:
        """Each of these (m, n) orders, at the start minutes at which it is worth enough."""
        leave = np.arange(np.ceil(self.first - WHOLE), np.floor(self.last + WHOLE) + 1)
        if not len(leave):
            return
        start = _Walked((), leave, np.zeros((len(leave), 0)), leave, np.zeros(len(leave)))
        yield from self._extend(start, orders)

    def _extend(self, so_far: _Walked, orders: Ints) -> Iterator[_Walked]:
        """The orders that begin with the stops so far."""
        depth = len(so_far.order)
        if depth == len(self.stops):
            end = so_far.now + self.legs[so_far.order[-1] + 1, -1]
            yield so_far._replace(now=end).select(end <= self.latest)
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
        worth = so_far.worth + self.problem.compute_worth(self.stops[stop], begin)
        to_come = self.dwell[left].sum() + self.shortest[[*left, -1]].sum()
        is_wanted = (begin <= closing) & (now + to_come <= self.latest)
        is_wanted &= worth + self.peaks[left].sum() >= self.least * (1 - WHOLE)
        if not so_far.order:
            is_wanted &= begin <= arrive + WHOLE
        walked = _Walked(order, so_far.leave, np.column_stack([so_far.begins, begin]), now, worth)
        return walked.select(is_wanted)


def spread_chances(worth_share: Floats, order: Ints, stops: Ints, middle_minutes: Floats) -> Floats:
    """(t,) chances of timings that are together hardest to predict; stops, middles (t, n)."""
    from scipy.optimize import linprog  # noqa: PLC0415 - heavy, and of weeks alone

    # Timings with the same order and the same quarters are one pattern, with a column of its own;
    # they have equal chances, so that the start minute varies, too.
    quarter = (middle_minutes // QUARTER_MINUTES).astype(np.int64)
    _, pattern, size = np.unique(
        np.column_stack([order, quarter]), axis=0, return_inverse=True, return_counts=True
    )
    pattern = pattern.ravel()
    count, many = len(size), stops.shape[1]
    mean = np.bincount(pattern, worth_share) / size
    first = np.unique(pattern, return_index=True)[1]
    cells, row = np.unique(
        np.stack([stops[first].ravel(), quarter[first].ravel()]), axis=1, return_inverse=True
    )
    # Columns: the chance of each pattern, then the highest chance of a quarter of each stop.
    share = np.zeros((cells.shape[1], count + many))
    share[row.ravel(), np.repeat(np.arange(count), many)] = 1.0
    share[np.arange(len(share)), count + cells[0]] = -1.0
    worth = np.r_[-mean, np.zeros(many)]
    answer = linprog(
        np.r_[np.zeros(count), np.ones(many)],
        A_ub=np.vstack([share, worth]),
        b_ub=np.r_[np.zeros(len(share)), -min(MEAN_SHARE, float(mean.max()))],
        A_eq=np.r_[np.ones(count), np.zeros(many)][None],
        b_eq=[1.0],
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    chances = np.round(np.maximum(answer.x[:count], 0.0), DECIMALS)
    return np.asarray(chances[pattern] / size[pattern] / chances.sum())
