"""Runs the search in chunks, looks at the clock, and packs the routes seen."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from patrolplan.patrols.solver.packing import Answer, Pool
from patrolplan.patrols.solver.ruin_recreate import EMPTY, Facts, Tour, build, refresh, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.reduce import Case


@dataclass(frozen=True)
class Knobs:
    """Settings of the search, found by trying them on public instances."""

    removed: float = 10.0
    longest: float = 10.0
    minute: float = 0.3
    hottest: float = 2.5
    coldest: float = 0.01
    blink: float = 0.01
    noted: float = 0.97


KNOBS = Knobs()
# With a fixed number of rounds, a chunk is so many rounds times stops, whatever the computer, so
# that answers repeat; with a clock alone it takes about CHUNK_SECONDS.
CHUNK_STOPS = 100_000
CHUNK_SECONDS = 0.01
NOTED_ROUTES = 4096
PACKING_COLUMNS = 3000
# Shares of the budget after which the routes seen are packed.
PACKING_AT = (0.3, 0.6, 0.9)
PACKING_NODES = 200


def search(
    case: Case, start: Answer, max_rounds: float, deadline: float, seed: int
) -> tuple[Answer, int]:
    """Improve an answer until the rounds or the time are used up.

    Parameters
    ----------
    case, start
        The case and feasible routes to begin with.
    max_rounds
        Rounds of ruin and recreate, `math.inf` when only the clock counts.
    deadline
        Value of `time.perf_counter` at which to stop.
    seed
        For the random draws.
    """
    return _Search(case, start, seed).run(max_rounds, deadline)


class _Search:
    """One search: its tours, its random state, and the routes noted."""

    def __init__(self, case: Case, start: Answer, seed: int) -> None:
        self.case = case
        self.bound = start.bound
        self.facts = _facts(case)
        self.crews = [0] * sum(len(crew.officers) for crew in case.crews)
        for number, crew in enumerate(case.crews):
            for officer in crew.officers:
                self.crews[officer] = number
        mixed = np.random.SeedSequence(seed).generate_state(1, dtype=np.uint64)
        self.rng = np.maximum(mixed, np.uint64(1))
        self.knobs = self._knobs()
        plain = _tour(self.facts, {})
        build(self.facts, plain, self.rng)
        routes = max(_routes(plain), start.routes, key=self._value)
        self.now, self.trial, self.best = (_tour(self.facts, routes) for _ in range(3))
        value = self._value(routes)
        self.state = np.array([-math.inf, value, -math.inf])
        team = len(self.crews)
        self.seen = np.zeros(1 << 14, dtype=np.uint64)
        self.kept = np.zeros((NOTED_ROUTES if team > 1 else 1, case.size), dtype=np.int32)
        self.marks = np.zeros((len(self.kept), 2), dtype=np.int64)
        self.noted: dict[tuple[int, frozenset[int]], list[int]] = {}

    def _value(self, routes: dict[int, list[int]]) -> float:
        return math.fsum(float(self.case.value[k]) for stops in routes.values() for k in stops)

    def _knobs(self) -> NDArray[np.float64]:
        case = self.case
        hours = float((self.facts.latest - self.facts.earliest).sum())
        plain = case.value - np.where(case.value > case.bonus, case.bonus, 0.0)
        mean = float(plain.mean()) or 1.0
        density = float(plain.sum()) / max(hours, 1e-9)
        return np.array(
            [
                KNOBS.removed,
                KNOBS.longest,
                KNOBS.minute * density,
                KNOBS.hottest * mean,
                KNOBS.coldest * mean,
                KNOBS.blink,
                KNOBS.noted,
            ]
        )

    def run(self, max_rounds: float, deadline: float) -> tuple[Answer, int]:
        """Do chunks of rounds, cooling down over whichever budget is given."""
        begun = time.perf_counter()
        done, chunk = 0, 20
        if math.isfinite(max_rounds):
            chunk = max(20, min(500, CHUNK_STOPS // self.case.size))
        packings = list(PACKING_AT) if len(self.crews) > 1 else []
        while done < max_rounds and not self._closed():
            left = deadline - time.perf_counter()
            if left <= 0:
                break
            if math.isfinite(max_rounds):
                used, step = done / max_rounds, 1.0 / max_rounds
                rounds = int(min(chunk, max_rounds - done))
            else:
                used, step = 1.0 - left / max(deadline - begun, 1e-9), 0.0
                rounds = chunk
            if packings and used >= packings[0]:
                packings.pop(0)
                self._pack(left, timed=math.isinf(max_rounds))
            before = time.perf_counter()
            self._chunk(rounds, 1.0 - used, step)
            done += rounds
            took = time.perf_counter() - before
            if math.isinf(max_rounds):
                chunk = max(1, min(5000, int(rounds * CHUNK_SECONDS / max(took, 1e-6))))
        routes = _routes(self.best)
        return Answer(routes, self._value(routes), self.bound, 0), done

    def _closed(self) -> bool:
        return bool(self.state[1] >= self.bound - self.case.epsilon)

    def _chunk(self, rounds: int, heat: float, step: float) -> None:
        count = run(
            self.facts, self.now, self.trial, self.best, self.rng, self.knobs, self.state,
            rounds, heat, step, self.seen, self.kept, self.marks,
        )  # fmt: skip
        for number in range(count):
            officer, length = self.marks[number]
            stops = self.kept[number, :length].tolist()
            key = (self.crews[officer], frozenset(stops))
            self.noted.pop(key, None)
            self.noted[key] = stops

    def _pack(self, left: float, *, timed: bool) -> None:
        """Choose the best whole routes of those noted lately, and go on from there if better."""
        pool = Pool(self.case)
        for officer, stops in _routes(self.best).items():
            pool.add(self.crews[officer], stops)
        for (crew, _), stops in reversed(self.noted.items()):
            if len(pool.stops) >= PACKING_COLUMNS:
                break
            pool.add(crew, stops)
        chosen = pool.improved(
            float(self.state[1]), seconds=0.15 * left if timed else math.inf, nodes=PACKING_NODES
        )
        if not chosen:
            return
        routes = pool.assign(chosen)
        value = self._value(routes)
        if value > self.state[1] + self.case.epsilon:
            for tour in (self.now, self.trial, self.best):
                _fill(self.facts, tour, routes)
            self.state[:] = (-math.inf, value, -math.inf)


def _facts(case: Case) -> Facts:
    times = np.stack([crew.times for crew in case.crews])
    size = case.size
    team = sorted(
        (officer, number) for number, crew in enumerate(case.crews) for officer in crew.officers
    )
    order = np.array([number for _, number in team], dtype=np.int64)
    apart = np.minimum(times[0, :size, :size], times[0, :size, :size].T)
    np.fill_diagonal(apart, math.inf)
    near = np.argsort(apart, axis=1, kind="stable")[:, : size - 1]
    mates: list[set[int]] = [set() for _ in range(size)]
    for group in case.groups:
        for k in group:
            mates[k] |= {int(j) for j in group if j != k}
    ends = np.cumsum([0] + [len(others) for others in mates])
    flat = [j for others in mates for j in sorted(others)]
    close_by = np.sort(apart, axis=1)[:, : min(5, max(1, size - 1))].mean(axis=1)
    return Facts(
        times=times,
        back=np.ascontiguousarray(times.transpose(0, 2, 1)),
        crew=order,
        earliest=np.array([case.crews[number].earliest for number in order]),
        latest=np.array([case.crews[number].latest for number in order]),
        value=case.value,
        ratio=case.value / np.maximum(case.dwell + close_by, 1e-9),
        dwell=case.dwell,
        opening=case.open,
        close=case.close,
        near=np.ascontiguousarray(near, dtype=np.int32),
        first=ends.astype(np.int64),
        mates=np.array(flat, dtype=np.int32),
    )


def _tour(facts: Facts, routes: dict[int, list[int]]) -> Tour:
    size, team = len(facts.value), len(facts.crew)
    tour = Tour(
        route=np.zeros((team, size + 3), dtype=np.int32),
        length=np.zeros(team, dtype=np.int64),
        leave=np.zeros((team, size + 3)),
        due=np.zeros((team, size + 3)),
        where=np.zeros(size, dtype=np.int64),
        blocked=np.zeros(size, dtype=np.int64),
    )
    _fill(facts, tour, routes)
    return tour


def _fill(facts: Facts, tour: Tour, routes: dict[int, list[int]]) -> None:
    size = len(facts.value)
    tour.where[:] = -1
    tour.blocked[:] = 0
    for r in range(len(facts.crew)):
        stops = routes.get(r, [])
        tour.length[r] = len(stops) + 2
        tour.route[r, : len(stops) + 2] = [size, *stops, size + 1]
        tour.where[stops] = r
        for k in stops:
            tour.blocked[facts.mates[facts.first[k] : facts.first[k + 1]]] += 1
        refresh(facts, tour, r)


def _routes(tour: Tour) -> dict[int, list[int]]:
    found: dict[int, Any] = {}
    for r in range(len(tour.length)):
        if tour.length[r] > EMPTY:
            found[r] = tour.route[r, 1 : tour.length[r] - 1].tolist()
    return found
