"""How many pupils are on each piece of street in each minute, on the way home and to school.

A pupil leaves the gate some minutes after the bell, walks at one speed, and at a stop waits for the
bus. So the number on piece e at time t is separable, F_e (l_e / v) h(t - bell - s_e / v): flow,
time spent on the piece, and the density h of leaving, shifted by the walk from the gate. Those who
wait at a stop are its arrivals minus departures, each after an exponentially distributed wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.arrays import find_used_numbers
from patrolplan.network import StreetNetwork
from patrolplan.notes import Note
from patrolplan.pupils.flows import NotStored, SchoolPupils
from patrolplan.pupils.leaving import (
    LONGEST_MINUTES,
    PUPIL_METRES_PER_MINUTE,
    STEP_MINUTES,
    Timetable,
)
from patrolplan.text import format_count

NOON_MINUTES = 720.0
GATE_METRES = 100.0
"""Pupils nearer to the gate than this, by walking distance, are met by an adult at it."""


class Visit(NamedTuple):
    """An officer's stay at a place between two times after midnight, and the pieces in sight."""

    seen_pieces: NDArray[np.int64]
    start: float
    end: float


HELD_COUNTS = 2_000_000
"""Maximum number of counts by piece and minute in memory, as risk with reports, without, and of
earlier months need the same minutes: a window in a borough, or a few minutes in a city."""


class Pupils(NotStored):
    """Where each school's own pupils are, minute by minute, as `model_pupils` finds it.

    It stays in the process that modelled it: no file, cache or other process gets it.

    Parameters
    ----------
    network
        The streets of the area.
    schools
        The ways home of each school, aligned with those of the area.
    notes
        What was assumed, and what was counted.
    made_from
        Inputs and settings of its area, see `StudyArea.pupils_basis`.
    """

    def __init__(
        self,
        network: StreetNetwork,
        schools: Sequence[SchoolPupils],
        notes: Sequence[Note],
        made_from: Mapping[str, Any],
    ) -> None:
        self.schools = tuple(schools)
        self.notes = tuple(notes)
        self.made_from = made_from
        self._network = network
        self._by_urn = {school.urn: school for school in schools}
        self._tables: dict[tuple[str | None, bool], _Table] = {}
        self._counts: dict[tuple[float, str | None, bool], NDArray[np.float64]] = {}

    def __repr__(self) -> str:
        on_streets = sum(school.on_streets for school in self.schools)
        return f"<Pupils: {on_streets:,.0f} of {format_count(len(self.schools), 'school')}>"

    def __getitem__(self, urn: str) -> SchoolPupils:
        """The pupils of one school."""
        return self._by_urn[urn]

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
            schools = self.schools if urn is None else [self[urn]]
            self._tables[key] = self._tabulate(schools, unaccompanied=unaccompanied)
        return self._tables[key]

    def _tabulate(
        self, schools: Sequence[SchoolPupils], *, unaccompanied: bool, is_journey: bool = False
    ) -> "_Table":
        """On streets to patrol; a journey's beyond `GATE_METRES`, on all walkable ones."""
        # Whoever is at the gate meets an adult there, whatever the patrol does: that is no journey.
        beyond = GATE_METRES if is_journey else -1.0
        metres = self._network.walkable.piece_metres
        count = len(self._network.walkable if is_journey else self._network)
        timetables = list(dict.fromkeys(school.timetable for school in schools))
        walks = []
        waits = []
        for school in schools:
            share = school.unaccompanied if unaccompanied else 1.0
            number = timetables.index(school.timetable)
            far = school.gate_metres > beyond
            pieces = school.pieces[far]
            walked = school.flow[far] * (metres[pieces] / PUPIL_METRES_PER_MINUTE) * share
            walks.append(_Part(number, pieces, school.gate_metres[far], walked))
            far = school.wait_metres > beyond
            waiting = school.wait_pupils[far] * share
            waits.append(_Part(number, school.wait_pieces[far], school.wait_metres[far], waiting))
        return _Table(timetables, _collect(walks, count), _collect(waits, count))

    def sum_journey(self, urn: str, start: float, end: float) -> NDArray[np.float64]:
        """(w,) a school's pupil-minutes beyond `GATE_METRES` of the gate, by walkable piece."""
        return self._tabulate_journey(urn).sum_between(start, end)

    def _tabulate_journey(self, urn: str) -> "_Table":
        return self._tabulate([self[urn]], unaccompanied=False, is_journey=True)

    def find_first_minutes(self, urn: str, pieces: NDArray[np.int64]) -> float:
        """When the first pupil of a school can be on any of these pieces, more than 100 m away."""
        school = self[urn]
        metres = np.r_[school.gate_metres, school.wait_metres]
        near = np.isin(np.r_[school.pieces, school.wait_pieces], pieces) & (metres > GATE_METRES)
        walk = metres[near].min(initial=np.inf) / PUPIL_METRES_PER_MINUTE
        return school.timetable.bell_minutes + (walk if np.isfinite(walk) else 0.0)

    def share_met_by(self, urn: str, visits: Sequence[Visit]) -> float:
        """Share of a school's pupil-minutes that pass within sight of places while one is at them.

        Of those beyond `GATE_METRES` of the gate on the whole journey: to school if the last visit
        ends before noon, otherwise home. No visit is at the same time as another.
        """
        if not visits:
            return 0.0
        noon = NOON_MINUTES
        whole = (0.0, noon) if visits[-1].end <= noon else (noon, LONGEST_MINUTES)
        journey = self._tabulate_journey(urn)
        total, met = journey.sum_between(*whole).sum(), 0.0
        for visit in visits:
            passing = journey.sum_between(visit.start, visit.end)
            met += float(passing[visit.seen_pieces].sum())
        return float(met / total) if total > 0 else 0.0


class _Part(NamedTuple):
    """Pupils of one school, or minutes of theirs, by piece (k,)."""

    timetable: int  # its number among those of the table
    pieces: NDArray[np.int64]
    metres: NDArray[np.float64]  # walked from the gate
    amounts: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Steps:
    """Pupils, or their minutes, by piece and by step of the walk from the gate."""

    table: sparse.csr_array  # (p, c) pieces by columns
    timetable: NDArray[np.int64]  # (c,) number of the timetable of each column, ascending
    walk_minutes: NDArray[np.float64]  # (c,) the walk of each column, in whole steps

    def evaluate(
        self,
        timetables: Sequence[Timetable],
        compute: Callable[[Timetable, NDArray[np.float64]], NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        """(c, ...) what is computed of each timetable and the walks of its columns."""
        edges = np.searchsorted(self.timetable, np.arange(len(timetables) + 1))
        spans = map(slice, edges.tolist(), edges[1:].tolist())
        values = [
            compute(timetable, self.walk_minutes[span])
            for timetable, span in zip(timetables, spans, strict=False)
        ]
        return np.concatenate(values)


def _collect(parts: Sequence[_Part], count: int) -> _Steps:
    """Sum what schools have, for the first pieces."""
    numbers = np.concatenate([np.full_like(part.pieces, part.timetable) for part in parts])
    pieces = np.concatenate([part.pieces for part in parts])
    metres = np.concatenate([part.metres for part in parts])
    amounts = np.concatenate([part.amounts for part in parts])
    # Walks are rounded to steps, so that all pieces of all schools are one sparse table of pieces
    # by steps, and the number in a minute is its product with the timetable. Schools with the same
    # timetable share their columns: a city's minute is computed quickly.
    step = np.round(metres / PUPIL_METRES_PER_MINUTE / STEP_MINUTES).astype(np.int64)
    inside = pieces < count
    steps = int(step[inside].max(initial=0)) + 1
    code = (numbers * steps + step)[inside]
    columns, column = find_used_numbers(code, int(code.max(initial=0)) + 1)
    shape = (count, len(columns))
    table = sparse.csr_array((amounts[inside], (pieces[inside], column)), shape=shape)
    walk_minutes = np.asarray(columns % steps * STEP_MINUTES, dtype=np.float64)
    return _Steps(table, columns // steps, walk_minutes)


@dataclass(frozen=True, eq=False)
class _Table:
    """Pupils by piece and walk: those who walk, in minutes on the piece, and those who wait."""

    timetables: Sequence[Timetable]
    walks: _Steps
    waits: _Steps

    def sum_between(self, start: float, end: float) -> NDArray[np.float64]:
        """(p,) pupil-minutes between two times after midnight."""
        # On a piece are those who left the gate a walk ago, times the minutes that they are on it.
        passed = self.walks.evaluate(
            self.timetables,
            lambda of, walk: of.share_passed(end, walk) - of.share_passed(start, walk),
        )
        waited = self.waits.evaluate(
            self.timetables,
            lambda of, walk: of.minutes_waited(end, walk) - of.minutes_waited(start, walk),
        )
        return np.asarray(self.walks.table @ passed + self.waits.table @ waited)

    def count_each(self, first: int, last: int) -> NDArray[np.float64]:
        """(p, n) pupils in each whole minute."""
        passed, waited = self._spread(first, last)
        return np.asarray(self.walks.table @ passed + self.waits.table @ waited)

    def count_all(self, first: int, last: int) -> NDArray[np.float64]:
        """(n,) pupils on all pieces together in each whole minute."""
        passed, waited = self._spread(first, last)
        walking = np.asarray(self.walks.table.sum(axis=0))
        waiting = np.asarray(self.waits.table.sum(axis=0))
        on_way = (walking[:, None] * passed).sum(axis=0)
        return np.asarray(on_way + (waiting[:, None] * waited).sum(axis=0))

    def _spread(self, first: int, last: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(c, n) share of each column of `walks`, and of `waits`, in each whole minute."""
        edges = np.arange(first, last + 1, dtype=np.float64)
        passed = self.walks.evaluate(
            self.timetables,
            lambda of, walk: (
                _look_up(lambda at: of.share_passed_home(at, 0.0), edges, -walk)
                + _look_up(lambda at: of.share_passed_to_school(at, 0.0), edges, walk)
            ),
        )
        waited = self.waits.evaluate(
            self.timetables,
            lambda of, walk: _look_up(lambda at: of.minutes_waited(at, 0.0), edges, -walk),
        )
        return np.diff(passed, axis=1), np.diff(waited, axis=1)


def _look_up(
    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    edges: NDArray[np.float64],
    later: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(c, n) a curve at (n,) edges, (c,) minutes later; all are whole steps."""
    # Walks are whole steps, so the curve is needed only at whole steps.
    steps = np.round((edges + later[:, None]) / STEP_MINUTES).astype(np.int64)
    if not steps.size:
        return np.zeros(steps.shape)
    low = int(steps.min())
    high = int(steps.max())
    values = curve(np.asarray(np.arange(low, high + 1) * STEP_MINUTES, dtype=np.float64))
    return np.asarray(values[steps - low])
