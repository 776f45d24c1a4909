"""How many pupils are on each piece of street in each minute, on the way home and to school.

A pupil leaves the gate some minutes after the bell, walks at one speed, and at a stop waits for the
bus. So the number on piece e at time t is separable, F_e (l_e / v) h(t - bell - s_e / v): flow,
time spent on the piece, and the density h of leaving, shifted by the walk from the gate. Those who
wait at a stop are its arrivals minus departures, each after an exponentially distributed wait.

In the morning the same flow runs towards the gate, before the opening bell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.network.graph import SIGHT_METRES
from patrolplan.notes import Note
from patrolplan.pupils.flows import NotStored, SchoolWays, Ways
from patrolplan.text import format_count

STEP_MINUTES = 0.1  # walks are rounded to this; a pupil walks 8 m in it

LATE_SPREAD_MINUTES = 12.0
"""Standard deviation of the time at which pupils leave who stay for a club."""

ARRIVAL_MINUTES = 30  # no pupil is assumed to arrive earlier than this before school opens

ARRIVAL_MEAN_MINUTES = 10.0
"""Mean time of arrival before school opens, before that limit; arriving mirrors leaving."""

PUPIL_METRES_PER_MINUTE = 75.0
"""4.5 km/h, assumed: children and groups walk a little slower than an adult alone."""

WAIT_MINUTES = 6.0
"""Mean wait at a bus stop, assumed."""

NOON_MINUTES = 720.0
GATE_METRES = 100.0
"""Pupils nearer to the gate than this, by walking distance, are met by an adult at it."""

LONGEST_MINUTES = 24 * 60.0


@dataclass(frozen=True, eq=False)
class LeavingCurve:
    """Share of pupils who have left the gate, and who wait at a stop, by minutes after the bell.

    Most leave by a gamma distribution of shape 2; the late share by a normal one, cut off at the
    bell.
    """

    leave_minutes: float  # Mean of the first
    late_share: float  # of the second
    late_minutes: float  # Mean of the second
    _waiting: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The integral of the share who wait, in steps. The share w who wait changes by arrivals
        # less w / wait. Within a step arrivals are taken as even, which makes the step exact
        # otherwise.
        steps = np.arange(int(LONGEST_MINUTES / STEP_MINUTES) + 1) * STEP_MINUTES
        arrived = self.left(steps)
        remain = np.exp(-STEP_MINUTES / WAIT_MINUTES)
        fresh = np.diff(arrived) * WAIT_MINUTES / STEP_MINUTES * (1 - remain)
        waiting = np.zeros(len(steps))
        for step in range(len(fresh)):
            waiting[step + 1] = waiting[step] * remain + fresh[step]
        # Summed up, that says: what has been waited is the mean wait of all who have gone on.
        object.__setattr__(self, "_waiting", WAIT_MINUTES * (arrived - waiting))

    @classmethod
    @lru_cache(maxsize=256)
    def build(cls, leave_minutes: float, late: tuple[float, float]) -> "LeavingCurve":
        """The curve of schools with this share and minutes of those who leave later."""
        return cls(leave_minutes, *late)

    def find_minutes(self, share: float) -> float:
        """Minutes after the bell, in steps, when this share have left."""
        steps = np.arange(0, LONGEST_MINUTES, STEP_MINUTES)
        return float(steps[np.searchsorted(self.left(steps), share)])

    def left(self, minutes: ArrayLike) -> NDArray[np.float64]:
        """Share who have left so many minutes after the bell; 0 before it."""
        return share_left(minutes, self.leave_minutes, self.late_share, self.late_minutes)

    def waited(self, minutes: ArrayLike) -> NDArray[np.float64]:
        """Minutes waited at a stop on average, up to so many after the bell less the walk."""
        at = np.asarray(minutes, dtype=np.float64) / STEP_MINUTES
        last = len(self._waiting) - 1
        return np.asarray(np.interp(at, np.arange(last + 1), self._waiting))


def share_left(
    minutes: ArrayLike, leave_minutes: float, late_share: float, late_minutes: float
) -> NDArray[np.float64]:
    """Share who have left so many minutes after the bell, see `LeavingCurve`."""
    after = np.maximum(np.asarray(minutes, dtype=np.float64), 0.0)
    first = _sum_gamma(after, leave_minutes)
    # Those who stay for a club leave around its end, none before the bell: the normal curve is cut
    # there, and what is left of it is the whole.
    early = scipy.special.ndtr(-late_minutes / LATE_SPREAD_MINUTES)
    late = (scipy.special.ndtr((after - late_minutes) / LATE_SPREAD_MINUTES) - early) / (1 - early)
    return np.asarray((1 - late_share) * first + late_share * late)


def _sum_gamma(minutes: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Distribution function of a gamma of shape 2."""
    scaled = minutes * 2 / mean
    return np.asarray(-np.expm1(-scaled) - scaled * np.exp(-scaled))


def arrived(minutes: ArrayLike) -> NDArray[np.float64]:
    """Share who are at school so many minutes (negative) before it opens."""
    before = np.clip(-np.asarray(minutes, dtype=np.float64), 0.0, ARRIVAL_MINUTES)
    mean = ARRIVAL_MEAN_MINUTES
    whole = _sum_gamma(np.array(float(ARRIVAL_MINUTES)), mean)
    return np.asarray(1 - _sum_gamma(before, mean) / whole)


class Visit(NamedTuple):
    """An officer's stay at a place, (2,) metres, between two times after midnight."""

    place_xy: ArrayLike
    start: float
    end: float


HELD_COUNTS = 2_000_000
"""Maximum number of counts by piece and minute in memory, as risk with reports, without, and of
earlier months need the same minutes: a window in a borough, or a few minutes in a city."""


class Presence(NotStored):
    """Pupils on the streets by minute, summed over schools; it cannot be stored."""

    def __init__(self, area: StudyArea, ways: Ways) -> None:
        self._network = area.network
        self._ways = {school.urn: school for school in ways.schools}
        self._tables: dict[tuple[str | None, bool], _Table] = {}
        self._counts: dict[tuple[float, str | None, bool], NDArray[np.float64]] = {}
        schools = area.schools
        assumed = schools["start_time"][schools["start_assumed"]]
        time = "" if assumed.empty else str(assumed.iloc[0])
        else_when = f"; where that is not known, before {time}" if time else ""
        text = (
            f"Pupils are assumed to arrive in the {ARRIVAL_MINUTES} minutes before the opening bell"
            f"{else_when}."
        )
        self.notes = (Note("arrival_assumed", text),)

    def __repr__(self) -> str:
        return f"<Presence: {format_count(len(self._ways), 'school')}>"

    def count_at(
        self, minute: float, *, urn: str | None = None, unaccompanied: bool = True
    ) -> NDArray[np.float64]:
        """(p,) pupils on each piece to patrol, on average over the minute that begins then.

        `urn`: Of one school; None: of all. `unaccompanied`: Count only each school's share of
        pupils who walk without an adult.
        """
        key = (minute, urn, unaccompanied)
        counts = self._counts.get(key)
        if counts is None:
            counts = self.sum_between(minute, minute + 1, urn=urn, unaccompanied=unaccompanied)
            counts.setflags(write=False)
            if (len(self._counts) + 1) * counts.size > HELD_COUNTS:
                self._counts.clear()
            self._counts[key] = counts
        return counts

    def sum_between(
        self, start: float, end: float, *, urn: str | None = None, unaccompanied: bool = True
    ) -> NDArray[np.float64]:
        """(p,) pupil-minutes on each piece to patrol between two times, after midnight."""
        return self._get_table(urn, unaccompanied=unaccompanied).sum_between(start, end)

    def count_each(self, first: int, last: int) -> NDArray[np.float64]:
        """(p, n) pupils on pieces to patrol in whole minutes from `first` to before `last`."""
        # For a few minutes at a time: a day would be gigabytes in a city.
        return self._get_table().count_each(first, last)

    def count_all(self, first: int, last: int) -> NDArray[np.float64]:
        """(n,) pupils on all pieces to patrol in whole minutes from `first` to before `last`."""
        return self._get_table().count_all(first, last)

    def _get_table(self, urn: str | None = None, *, unaccompanied: bool = True) -> "_Table":
        key = (urn, unaccompanied)
        if key not in self._tables:
            schools = list(self._ways.values()) if urn is None else [self._ways[urn]]
            self._tables[key] = self._tabulate(schools, unaccompanied=unaccompanied)
        return self._tables[key]

    def _tabulate(
        self, schools: Sequence[SchoolWays], *, unaccompanied: bool, is_journey: bool = False
    ) -> "_Table":
        """On streets to patrol; a journey's beyond `GATE_METRES`, on all walkable ones."""
        # Whoever is at the gate meets an adult there, whatever the patrol does: that is no journey.
        beyond, metres = GATE_METRES if is_journey else -1.0, self._network.walkable.piece_metres
        count = len(self._network.walkable if is_journey else self._network)
        walks, waits = [], []
        keys = [
            (one.leave_minutes, one.late, one.bell_minutes, one.opening_minutes) for one in schools
        ]
        bells = sorted(set(keys))
        for school, key in zip(schools, keys, strict=True):
            share, bell = school.unaccompanied if unaccompanied else 1.0, bells.index(key)
            far, late = (at > beyond for at in (school.gate_metres, school.wait_metres))
            pieces, places = school.pieces[far], school.wait_pieces[late]
            walked = school.flow[far] * (metres[pieces] / PUPIL_METRES_PER_MINUTE) * share
            waiting = school.wait_pupils[late] * share
            walks.append((np.full_like(pieces, bell), pieces, school.gate_metres[far], walked))
            waits.append((np.full_like(places, bell), places, school.wait_metres[late], waiting))
        return _Table(
            np.array([times for _, _, *times in bells]),
            [LeavingCurve.build(leave_minutes, late) for leave_minutes, late, *_ in bells],
            _collect(walks, count),
            _collect(waits, count),
        )

    def sum_journey(self, urn: str, start: float, end: float) -> NDArray[np.float64]:
        """(w,) a school's pupil-minutes beyond `GATE_METRES` of the gate, by walkable piece."""
        return self._tabulate_journey(urn).sum_between(start, end)

    def _tabulate_journey(self, urn: str) -> "_Table":
        return self._tabulate([self._ways[urn]], unaccompanied=False, is_journey=True)

    def get_bell(self, urn: str) -> float:
        """A school's bell, in minutes after midnight."""
        return self._ways[urn].bell_minutes

    def find_first_minutes(self, urn: str, pieces: NDArray[np.int64]) -> float:
        """When the first pupil of a school can be on any of these pieces, more than 100 m away."""
        school = self._ways[urn]
        metres = np.r_[school.gate_metres, school.wait_metres]
        near = np.isin(np.r_[school.pieces, school.wait_pieces], pieces) & (metres > GATE_METRES)
        walk = metres[near].min(initial=np.inf) / PUPIL_METRES_PER_MINUTE
        return school.bell_minutes + (walk if np.isfinite(walk) else 0.0)

    def share_met_by(self, urn: str, visits: Sequence[Visit]) -> float:
        """Share of a school's pupil-minutes that pass within sight of places while one is at them.

        Of those beyond `GATE_METRES` of the gate on the whole journey: to school if the last visit
        ends before noon, otherwise home. Streets to patrol are seen if their middle is within
        sight. No visit is at the same time as another.
        """
        if not visits:
            return 0.0
        noon = NOON_MINUTES
        whole = (0.0, noon) if visits[-1].end <= noon else (noon, LONGEST_MINUTES)
        journey = self._tabulate_journey(urn)
        total, met = journey.sum_between(*whole).sum(), 0.0
        for visit in visits:
            passing = journey.sum_between(visit.start, visit.end)
            seen = self._network.find_pieces_within(visit.place_xy, SIGHT_METRES)
            met += float(passing[seen].sum())
        return float(met / total) if total > 0 else 0.0


@dataclass(frozen=True, eq=False)
class _Steps:
    """Pupils, or their minutes, by piece and by step of the walk from the gate."""

    table: sparse.csr_array  # (p, c) pieces by columns
    # `bell`, `walk_minutes`: (c,) number of the bell, and the walk, of each column.
    bell: NDArray[np.int64]
    walk_minutes: NDArray[np.float64]


def _collect(parts: Sequence[tuple[NDArray[Any], ...]], count: int) -> _Steps:
    """Sum parts of bells, pieces, metres from the gate and amounts, for the first pieces."""
    bells, pieces, metres, amounts = map(np.concatenate, zip(*parts, strict=True))
    # Walks are rounded to steps, so that all pieces of all schools are one sparse table of pieces
    # by steps, and the number in a minute is its product with the leaving curve. Schools with the
    # same bell and curve share their columns: a city's minute is computed quickly.
    step = np.round(metres / PUPIL_METRES_PER_MINUTE / STEP_MINUTES).astype(np.int64)
    inside = pieces < count
    bells, pieces, step, amounts = bells[inside], pieces[inside], step[inside], amounts[inside]
    steps = int(step.max(initial=0)) + 1
    code = bells * steps + step
    columns = np.flatnonzero(np.bincount(code))  # few: much quicker than sorting them all
    number = np.zeros(int(columns.max(initial=0)) + 1, dtype=np.int64)
    number[columns] = np.arange(len(columns))
    shape = (count, len(columns))
    table = sparse.csr_array((amounts, (pieces, number[code])), shape=shape)
    walk_minutes = np.asarray(columns % steps * STEP_MINUTES, dtype=np.float64)
    return _Steps(table, columns // steps, walk_minutes)


@dataclass(frozen=True, eq=False)
class _Table:
    """Pupils by piece and walk: those who walk, in minutes on the piece, and those who wait."""

    bells: NDArray[np.float64]  # (b, 2) closing and opening bells
    curves: Sequence[LeavingCurve]  # (b) how pupils leave; bells with the same curve are together
    walks: _Steps
    waits: _Steps

    def _evaluate(
        self, steps: _Steps, compute: Callable[[LeavingCurve, slice], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """(c, ...) of columns, those of each leaving curve together."""
        # Columns are sorted by bell, and bells by curve: each curve has one span of columns.
        first = [n for n in range(len(self.curves)) if self.curves[n] not in self.curves[:n]]
        edges = np.searchsorted(steps.bell, [*first, len(self.curves)]).tolist()
        spans = map(slice, edges, edges[1:])
        return np.concatenate(
            [compute(self.curves[n], span) for n, span in zip(first, spans, strict=True)]
        )

    def sum_between(self, start: float, end: float) -> NDArray[np.float64]:
        """(p,) pupil-minutes between two times after midnight."""
        # On a piece are those who left the gate a walk ago, times the minutes that they are on it.
        home, school, stop = self._find_walks()
        share = self._evaluate(
            self.walks, lambda curve, at: curve.left(end - home[at]) - curve.left(start - home[at])
        )
        share += arrived(end - school) - arrived(start - school)
        waited = self._evaluate(
            self.waits,
            lambda curve, at: curve.waited(end - stop[at]) - curve.waited(start - stop[at]),
        )
        return np.asarray(self.walks.table @ share + self.waits.table @ waited)

    def _find_walks(self) -> tuple[NDArray[np.float64], ...]:
        """(c,) times of passing: after one bell, before the other, and of beginning to wait."""
        (closing, opening), walk = self.bells[self.walks.bell].T, self.walks.walk_minutes
        stop = self.bells[self.waits.bell, 0] + self.waits.walk_minutes
        return closing + walk, opening - walk, stop

    def count_each(self, first: int, last: int) -> NDArray[np.float64]:
        """(p, n) pupils in each whole minute."""
        shares, waited = self._spread(first, last)
        return np.asarray(self.walks.table @ shares + self.waits.table @ waited)

    def count_all(self, first: int, last: int) -> NDArray[np.float64]:
        """(n,) pupils on all pieces together in each whole minute."""
        shares, waited = self._spread(first, last)
        walking, waiting = (np.asarray(one.table.sum(axis=0)) for one in (self.walks, self.waits))
        on_way = (walking[:, None] * shares).sum(axis=0)
        return np.asarray(on_way + (waiting[:, None] * waited).sum(axis=0))

    def _spread(self, first: int, last: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(c, n) share of each column of `walks`, and of `waits`, in each whole minute."""
        # Walks are whole steps, so the curves are needed only at whole steps.
        edges = np.arange(first, last + 1, dtype=np.float64)
        home, school, stop = self._find_walks()
        passed = self._evaluate(self.walks, lambda curve, at: _look_up(curve.left, edges, home[at]))
        passed += _look_up(arrived, edges, school)
        waited = self._evaluate(
            self.waits, lambda curve, at: _look_up(curve.waited, edges, stop[at])
        )
        return np.diff(passed, axis=1), np.diff(waited, axis=1)


def _look_up(
    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    edges: NDArray[np.float64],
    origins: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(c, n) a curve at (n,) edges after (c,) origins, which are whole steps apart."""
    steps = np.round((edges - origins[:, None]) / STEP_MINUTES).astype(np.int64)
    if not steps.size:
        return np.zeros(steps.shape)
    low, high = int(steps.min()), int(steps.max())
    values = curve(np.asarray(np.arange(low, high + 1) * STEP_MINUTES, dtype=np.float64))
    return np.asarray(values[steps - low])
