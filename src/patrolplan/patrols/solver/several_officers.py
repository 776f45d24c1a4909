"""Run the search in chunks, look at the clock between them, and pack the routes seen.

A search changes a few routes at a time, so good routes of different tours seldom meet in one. Three
times in a run the routes noted lately are packed: the integer program of `packing` chooses the best
of them that share no stop. If that beats the best tour, the search continues from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from patrolplan.compiled import CLOCK
from patrolplan.patrols.solver.insertion import Places
from patrolplan.patrols.solver.packing import ColumnPool, ReducedSolution
from patrolplan.patrols.solver.ruin_recreate import Scratch, run_rounds
from patrolplan.patrols.solver.starts import build_greedily, build_thinned
from patrolplan.patrols.solver.tour import EMPTY_LENGTH, SearchFacts, Tour, update_all_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.reduce import ReducedCase


Routes = dict[int, list[int]]


@dataclass(frozen=True)
class SearchParameters:
    """Settings of the search, chosen by trials on public instances.

    A minute counts for a share of the prizes for each of the officers' minutes: of all prizes where
    all stops are open, of those that the first answer gathers where stops have windows. There an
    officer often waits for an opening, and a minute saved seldom makes room for a stop.
    """

    mean_removed: float = 10.0
    max_string: float = 10.0
    open_minute_value: float = 0.3
    timed_minute_value: float = 0.2
    start_temperature: float = 2.5
    end_temperature: float = 0.01
    skip_chance: float = 0.01
    record_share: float = 0.97


SEARCH_PARAMETERS = SearchParameters()
# With a fixed number of rounds, a chunk has this number of rounds times stops on every computer, so
# that answers repeat; with only a clock it takes about CHUNK_SECONDS.
CHUNK_STOPS = 100_000
CHUNK_SECONDS = 0.01


class Race(NamedTuple):
    """Share of the budget in which starts race, and from which heat they and the leader cool."""

    share: float
    start_heat: float
    main_heat: float


# Two starts that differ need little time to show which is better. With windows there is one start,
# but where its lines end is a matter of chance more than of time: several short ones, and the rest
# of the budget for the best of them, are less often far off than a single long one.
OPEN_RACE, TIMED_RACE, TIMED_LINES = Race(0.2, 0.5, 1.0), Race(0.5, 1.0, 0.5), 5
MAX_RECORDED_ROUTES = 4096
MAX_PACKING_COLUMNS = 3000
# Shares of the budget after which the routes seen are packed, with windows first after the race.
PACKING_SHARES = (0.51, 0.7, 0.9)
MAX_PACKING_NODES = 200


def improve_solution(
    case: ReducedCase, start: ReducedSolution, max_rounds: float, deadline: float, seed: int
) -> tuple[ReducedSolution, int]:
    """Improve an answer until the rounds or the time are used up.

    Parameters
    ----------
    case, start
        The case and feasible routes to begin with.
    max_rounds
        Rounds of ruin and recreate, `math.inf` when only the clock counts.
    deadline
        Value of `CLOCK.read` at which to stop.
    seed
        For the random draws.
    """
    return _RouteSearch(case, start, seed).run(max_rounds, deadline)


class _Line:
    """One line of search: its current tour, its best one, and the places stored for them."""

    def __init__(self, facts: SearchFacts, routes: Routes) -> None:
        self.now, self.trial, self.best = (_build_tour(facts, routes) for _ in range(3))
        self.places = _build_places(facts)
        # The objective now, the value of the best, and the objective of the best.
        self.state = np.array([-math.inf, compute_value(facts, routes), -math.inf])

    def go_on_from(self, facts: SearchFacts, routes: Routes) -> None:
        """Put other routes in the place of all."""
        for tour in (self.now, self.trial, self.best):
            _fill(facts, tour, routes)
        self.places.before[:] = -1
        self.state[:] = (-math.inf, compute_value(facts, routes), -math.inf)


class _RouteSearch:
    """One search: its tours, its random state, and the routes noted."""

    def __init__(self, case: ReducedCase, start: ReducedSolution, seed: int) -> None:
        self.case = case
        self.bound = start.bound
        self.facts = _build_facts(case)
        self.group_numbers = [0] * sum(len(unit.officers) for unit in case.officer_groups)
        for number, unit in enumerate(case.officer_groups):
            for officer in unit.officers:
                self.group_numbers[officer] = number
        mixed = np.random.SeedSequence(seed).generate_state(1, dtype=np.uint64)
        self.rng = np.maximum(mixed, np.uint64(1))
        starts = self._build_starts(start)
        self.knobs = self._scale_parameters(starts[0])
        self.lines = [_Line(self.facts, routes) for routes in starts]
        self.line = self.lines[0]
        self.race = OPEN_RACE if self.facts.always_open else TIMED_RACE
        self.main_heat = self.race.main_heat if len(self.lines) > 1 else 1.0
        self.rest = 1.0
        self.scratch = _build_scratch(self.facts)
        team = len(self.group_numbers)
        self.seen = np.zeros(1 << 14, dtype=np.uint64)
        self.recorded = np.zeros(
            (MAX_RECORDED_ROUTES if team > 1 else 1, case.size), dtype=np.int32
        )
        self.marks = np.zeros((len(self.recorded), 2), dtype=np.int64)
        self.noted: dict[tuple[int, frozenset[int]], list[int]] = {}

    def _build_starts(self, solution: ReducedSolution) -> list[Routes]:
        """Give routes to begin with: the best known or greedy ones, and those of thinned tours."""
        places, plain = _build_places(self.facts), _build_tour(self.facts, {})
        build_greedily(self.facts, plain, places, self.rng)
        starts = [max(_read_routes(plain), solution.routes, key=self._compute_value)]
        if self.facts.symmetric:
            places, thinned = _build_places(self.facts), _build_tour(self.facts, {})
            unlimited = self.facts._replace(latest=np.full_like(self.facts.latest, math.inf))
            build_thinned(self.facts, unlimited, thinned, places, self.rng)
            starts.append(_read_routes(thinned))
        return starts if self.facts.always_open else starts * TIMED_LINES

    def _compute_value(self, routes: Routes) -> float:
        return compute_value(self.facts, routes)

    def _scale_parameters(self, routes: Routes) -> NDArray[np.float64]:
        case = self.case
        minutes = max(float((self.facts.latest - self.facts.earliest).sum()), 1e-9)
        plain = case.value - np.where(case.value > case.bonus, case.bonus, 0.0)
        mean = float(plain.mean()) or 1.0
        if self.facts.always_open:
            minute_value = SEARCH_PARAMETERS.open_minute_value * float(plain.sum()) / minutes
        else:
            gathered = math.fsum(float(plain[k]) for stops in routes.values() for k in stops)
            minute_value = SEARCH_PARAMETERS.timed_minute_value * gathered / minutes
        return np.array(
            [
                SEARCH_PARAMETERS.mean_removed,
                SEARCH_PARAMETERS.max_string,
                minute_value,
                SEARCH_PARAMETERS.start_temperature * mean,
                SEARCH_PARAMETERS.end_temperature * mean,
                SEARCH_PARAMETERS.skip_chance,
                SEARCH_PARAMETERS.record_share,
            ]
        )

    def run(self, max_rounds: float, deadline: float) -> tuple[ReducedSolution, int]:
        """Do chunks of rounds, cooling down over whichever budget is given.

        First the starts race: each gets an equal part of `RACE_SHARE`, in which it cools down, and
        the rest of the budget continues with the best line.
        """
        begun = CLOCK.read()
        done, chunk = 0, 20
        if math.isfinite(max_rounds):
            chunk = max(20, min(500, CHUNK_STOPS // self.case.size))
        packings = list(PACKING_SHARES) if len(self.group_numbers) > 1 else []
        while done < max_rounds and not self._is_proven():
            remaining = deadline - CLOCK.read()
            if remaining <= 0:
                break
            if math.isfinite(max_rounds):
                used, step = done / max_rounds, 1.0 / max_rounds
                rounds = int(min(chunk, max_rounds - done))
            else:
                used, step = 1.0 - remaining / max(deadline - begun, 1e-9), 0.0
                rounds = chunk
            if packings and used >= packings[0]:
                packings.pop(0)
                self._pack(remaining, timed=math.isinf(max_rounds))
            before = CLOCK.read()
            heat, slope = self._choose_line(used)
            self._run_chunk(rounds, heat, slope * step)
            done += rounds
            took = CLOCK.read() - before
            if math.isinf(max_rounds):
                chunk = max(1, min(5000, int(rounds * CHUNK_SECONDS / max(took, 1e-6))))
        self.line = self._find_leader()
        routes = _read_routes(self.line.best)
        return ReducedSolution(routes, self._compute_value(routes), self.bound, 0), done

    def _choose_line(self, used: float) -> tuple[float, float]:
        """Choose the line to go on with; give its heat and how fast that falls with the budget."""
        race = self.race if len(self.lines) > 1 else self.race._replace(share=0.0)
        if used < race.share:
            lap = race.share / len(self.lines)
            number = min(int(used / lap), len(self.lines) - 1)
            self.line = self.lines[number]
            return race.start_heat * (1.0 - (used / lap - number)), race.start_heat / lap
        if len(self.lines) > 1:
            self.lines = [self._find_leader()]
            self.line = self.lines[0]
            self.rest = 1.0 - used
        return self.main_heat * (1.0 - used) / self.rest, self.main_heat / self.rest

    def _find_leader(self) -> _Line:
        """Give the line whose best is worth most; of equal ones the first."""
        return max(self.lines, key=lambda line: float(line.state[1]))

    def _is_proven(self) -> bool:
        return bool(self.line.state[1] >= self.bound - self.case.epsilon)

    def _run_chunk(self, rounds: int, heat: float, step: float) -> None:
        line = self.line
        count = run_rounds(
            self.facts, line.now, line.trial, line.best, line.places, self.scratch, self.rng,
            self.knobs, line.state, rounds, heat, step, self.seen, self.recorded, self.marks,
        )  # fmt: skip
        for number in range(count):
            officer, length = self.marks[number]
            stops = self.recorded[number, :length].tolist()
            key = (self.group_numbers[officer], frozenset(stops))
            self.noted.pop(key, None)
            self.noted[key] = stops

    def _pack(self, remaining: float, *, timed: bool) -> None:
        """Choose the best of the routes noted lately, and continue from them if that is better."""
        pool = ColumnPool(self.case)
        for officer, stops in _read_routes(self.line.best).items():
            pool.add(self.group_numbers[officer], stops)
        for (unit, _), stops in reversed(self.noted.items()):
            if len(pool.stops) >= MAX_PACKING_COLUMNS:
                break
            pool.add(unit, stops)
        chosen = pool.find_better(
            float(self.line.state[1]),
            seconds=0.15 * remaining if timed else math.inf,
            nodes=MAX_PACKING_NODES,
        )
        if not chosen:
            return
        routes = pool.assign(chosen)
        value = self._compute_value(routes)
        if value > self.line.state[1] + self.case.epsilon:
            self.line.go_on_from(self.facts, routes)


def compute_value(facts: SearchFacts, routes: Routes) -> float:
    """Give what the stops of routes are worth."""
    return math.fsum(float(facts.value[k]) for stops in routes.values() for k in stops)


def _build_facts(case: ReducedCase) -> SearchFacts:
    times = np.stack([unit.times for unit in case.officer_groups])
    size = case.size
    team = sorted(
        (officer, number)
        for number, unit in enumerate(case.officer_groups)
        for officer in unit.officers
    )
    order = np.array([number for _, number in team], dtype=np.int64)
    apart = np.minimum(times[0, :size, :size], times[0, :size, :size].T)
    np.fill_diagonal(apart, math.inf)
    near = np.argsort(apart, axis=1, kind="stable")[:, : size - 1]
    mates: list[set[int]] = [set() for _ in range(size)]
    for group in case.exclusive_sets:
        for k in group:
            mates[k] |= {int(j) for j in group if j != k}
    ends = np.cumsum([0] + [len(others) for others in mates])
    flat = [j for others in mates for j in sorted(others)]
    always_open = bool(np.isneginf(case.opening).all() and np.isposinf(case.closing).all())
    both_ways = bool((times[:, :size, :size] == times[:, :size, :size].transpose(0, 2, 1)).all())
    if both_ways:
        # Nobody goes from the end or to the start; so each is as far both ways, as stops are.
        times[:, size + 1, :size] = times[:, :size, size + 1]
        times[:, :size, size] = times[:, size, :size]
    close_by = np.sort(apart, axis=1)[:, : min(5, max(1, size - 1))].mean(axis=1)
    return SearchFacts(
        times=times,
        # One matrix in the processor's own memory is read faster than two.
        transposed_times=times if both_ways else np.ascontiguousarray(times.transpose(0, 2, 1)),
        group_number=order,
        earliest=np.array([case.officer_groups[number].earliest for number in order]),
        latest=np.array([case.officer_groups[number].latest for number in order]),
        value=case.value,
        ratio=case.value / np.maximum(case.dwell + close_by, 1e-9),
        dwell=case.dwell,
        opening=case.opening,
        closing=case.closing,
        neighbours=np.ascontiguousarray(near, dtype=np.int32),
        always_open=always_open,
        symmetric=always_open and both_ways,
        exclusion_start=ends.astype(np.int64),
        excluded_stops=np.array(flat, dtype=np.int32),
    )


def _build_tour(facts: SearchFacts, routes: dict[int, list[int]]) -> Tour:
    size, team = len(facts.value), len(facts.group_number)
    tour = Tour(
        route=np.zeros((team, size + 3), dtype=np.int32),
        length=np.zeros(team, dtype=np.int64),
        leave=np.zeros((team, size + 3)),
        leg=np.zeros((team, size + 3)),
        latest_begin=np.zeros((team, size + 3)),
        visited_by=np.zeros(size, dtype=np.int64),
        position=np.zeros(size + 2, dtype=np.int64),
        block_count=np.zeros(size, dtype=np.int64),
    )
    _fill(facts, tour, routes)
    return tour


def _build_places(facts: SearchFacts) -> Places:
    size, team = len(facts.value), len(facts.group_number)
    return Places(
        before=np.full((team, size), -1, dtype=np.int32),
        after=np.zeros((team, size), dtype=np.int32),
        delay=np.zeros((team, size)),
        place=np.zeros((team, size), dtype=np.int64),
        best_route=np.zeros(size, dtype=np.int64),
        score=np.zeros(size),
        fresh=np.zeros((team, size + 1), dtype=np.int32),
        fresh_count=np.zeros(team, dtype=np.int64),
        is_fresh=np.zeros((team, size + 1), dtype=np.bool_),
    )


def _build_scratch(facts: SearchFacts) -> Scratch:
    size, team = len(facts.value), len(facts.group_number)
    return Scratch(
        dirty=np.zeros(team, dtype=np.bool_),
        everyone=np.ones(team, dtype=np.bool_),
        keys=np.zeros(size),
        order=np.zeros(size, dtype=np.int64),
        spare=np.zeros(size, dtype=np.int64),
        queue=np.zeros(size, dtype=np.int32),
        waiting=np.zeros(size, dtype=np.bool_),
    )


def _fill(facts: SearchFacts, tour: Tour, routes: dict[int, list[int]]) -> None:
    size = len(facts.value)
    tour.visited_by[:] = -1
    tour.block_count[:] = 0
    for r in range(len(facts.group_number)):
        stops = routes.get(r, [])
        tour.length[r] = len(stops) + 2
        tour.route[r, : len(stops) + 2] = [size, *stops, size + 1]
        tour.visited_by[stops] = r
        for k in stops:
            tour.block_count[
                facts.excluded_stops[facts.exclusion_start[k] : facts.exclusion_start[k + 1]]
            ] += 1
        update_all_times(facts, tour, r)


def _read_routes(tour: Tour) -> dict[int, list[int]]:
    routes: dict[int, Any] = {}
    for r in range(len(tour.length)):
        if tour.length[r] > EMPTY_LENGTH:
            routes[r] = tour.route[r, 1 : tour.length[r] - 1].tolist()
    return routes
