"""A school's solved case -> patrols as they are walked: timed stops, legs and variants.

The same stops the other way round, so that a patrol need not look the same two days running.
"""

from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import pandas as pd

from patrolplan.network.names import describe
from patrolplan.network.paths import Walk
from patrolplan.patrols.directions import leg_of, turned_back
from patrolplan.patrols.plan import Leg, Patrol, Stop, Variant
from patrolplan.patrols.school_problem import SchoolCase, said
from patrolplan.patrols.solver.solve import OrienteeringProblem, Route, Solution, solve, variants
from patrolplan.patrols.stop_order import best_order

VARIANTS = 3

BY_TIME = "Order of the stops: each near the time of day when it is at its worst."

SPARE_METRES = 1.0
"""Rounding may not carry a patrol over the end of its window."""


def patrols_of(case: SchoolCase) -> tuple[list[Patrol], list[str]]:
    """The best patrol of each officer, and which tasked places are not visited and why."""
    seed = case.area.settings.seed
    demanded = case.demanded
    problem = case.problem(demanded)
    solution = solve(problem, seed=seed)
    unmet: set[int] = set()
    while solution.status == "infeasible" and demanded - unmet:
        unmet |= set(solution.unmet) or {min(demanded - unmet)}
        problem = case.problem(demanded - unmet)
        solution = solve(problem, seed=seed)
    missed = case.not_visited(unmet)
    return written(case, problem, solution, case.notes(missed)), missed


def patrols_past(
    case: SchoolCase, names: frozenset[str], best: tuple[Patrol, ...]
) -> Variant | None:
    """The best patrols that keep off hotspots; None where they would stop nowhere.

    Parameters
    ----------
    case
        Of the school.
    names
        The hotspots; one that must be visited is visited all the same.
    best
        The school's patrols, to compare with.
    """
    met = {stop.hotspot for patrol in best for stop in patrol.stops if stop.tasked}
    demanded = frozenset(stop for stop in case.demanded if case.name(stop) in met)
    stops = set(range(1, len(case.reach.candidates) + 1)) - demanded
    off = frozenset(stop for stop in stops if case.name(stop) in names)
    problem = case.problem(demanded)
    problem = replace(problem, barred=problem.barred | off)
    found = solve(problem, seed=case.area.settings.seed)
    if found.status == "infeasible" or not found.stops:
        return None
    worth = sum(patrol.worth for patrol in best)
    bound = best[0].bound + worth - best[0].worth
    whole = Solution(
        routes=(),
        worth=worth,
        bound=bound,
        status="proven" if best[0].proven else "feasible",
        iterations=0,
        seconds=0.0,
    )
    made = _Writer(case).variant(found, whole, case.notes(case.not_visited()))
    return replace(made, past=tuple(sorted(names)))


def written(
    case: SchoolCase, problem: OrienteeringProblem, solution: Solution, notes: tuple[str, ...]
) -> list[Patrol]:
    """A solution as the patrol of each officer, with its variants.

    Parameters
    ----------
    case
        Of the school.
    problem, solution
        The school's problem, and its solution.
    notes
        See `SchoolCase.notes`.
    """
    writer = _Writer(case)
    others = variants(problem, solution, count=VARIANTS, seed=case.area.settings.seed)
    told = tuple(writer.variant(other, solution, notes) for other in others)
    return [writer.patrol(route, solution, told, notes) for route in solution.routes]


class _Writer:
    """Writes the patrols of one school; legs that variants share are walked once."""

    def __init__(self, case: SchoolCase) -> None:
        self.case = case
        self.reach = case.reach
        self._legs_known: dict[tuple[int, int, float], tuple[Leg, float]] = {}

    def patrol(
        self,
        route: Route,
        solution: Solution,
        told: tuple[Variant, ...],
        notes: tuple[str, ...],
    ) -> Patrol:
        """One officer's route as it is walked.

        Parameters
        ----------
        route
            Of the solution.
        solution
            With the bound.
        told
            Variants of the whole solution.
        notes
            See `SchoolCase.notes`.
        """
        x, y = self.reach.network.xy(self.reach.gate)[0]
        route, note = self._by_time(route)
        legs = self._legs(route)
        stops, end_minutes = self._stops(route, legs)
        case = self.case
        from_base = case.approached or (legs and self.reach.start)
        return Patrol(
            urn=case.school["urn"],
            school=case.school["name"],
            number=route.officer + 1,
            x=float(x),
            y=float(y),
            start_minutes=case.start_minutes,
            gate_until_minutes=case.gate_until_minutes,
            end_minutes=end_minutes,
            latest_end_minutes=case.latest_end_minutes,
            worth=route.worth,
            bound=solution.bound - (solution.worth - route.worth),
            proven=solution.proven,
            stops=stops,
            legs=legs,
            variants=told,
            notes=(*notes, *note),
            ends_at="base" if legs and self.reach.end else "gate",
            way=case.settings.way,
            starts_at="base" if from_base else "gate",
            approach=self._approach(),
            keep_away=case.keep_away,
        )

    def _approach(self) -> Leg | None:
        """From the base to the gate, by the shortest way; None for officers who are there."""
        if not self.case.approached:
            return None
        return self._leg(self.reach.walks.between(len(self.reach.stops) + 1, 0))

    def _leg(self, walk: Walk) -> Leg:
        """A leg in pieces of the area's network."""
        leg = leg_of(walk, self.case.labels, self.case.lit, self.case.speed, kinds=self.case.kinds)
        return replace(leg, pieces=self.reach.pieces[leg.pieces])

    def _by_time(self, route: Route) -> tuple[Route, tuple[str, ...]]:
        """The route in the order that meets its stops at their worst, and a note of a change."""
        if self.case.rhythm is None:
            return route, ()
        here = self.case.rhythm.take(self.reach.candidates)
        inside = here.within(self.case.start_minutes, self.case.latest_end_minutes)
        ordered = best_order(self.case.problem(), route, inside, self.reach.worth)
        if ordered.stops == route.stops:
            return route, ()
        return ordered, (BY_TIME,)

    def _legs(self, route: Route) -> tuple[Leg, ...]:
        """Walks from the gate over the stops to the end, past more risk where it costs little.

        A leg may be longer than the shortest by the settings' `detour`, as far as the time that
        the window leaves over goes.
        """
        if not route.stops:
            return ()
        spare = (self.case.latest_end_minutes - route.end_minutes) * self.case.speed
        legs = []
        for start, end in pairwise([self.reach.start, *route.stops, self.reach.end]):
            shortest = self.reach.walks.metres[start, end]
            more = max(0.0, min(self.case.settings.detour * shortest, spare - SPARE_METRES))
            leg, cost_metres = self._richest_leg(start, end, float(shortest + more))
            spare -= cost_metres - shortest
            legs.append(leg)
        return tuple(legs)

    def _richest_leg(self, start: int, end: int, longest_metres: float) -> tuple[Leg, float]:
        """The leg that passes most risk within a limit, and what its walk costs."""
        key = (start, end, longest_metres)
        if key not in self._legs_known:
            richest = self.reach.walks.richest
            walk = richest(start, end, self.case.gain, longest_metres=longest_metres)
            self._legs_known[key] = (self._leg(walk), walk.cost_metres)
        return self._legs_known[key]

    def _stops(self, route: Route, legs: tuple[Leg, ...]) -> tuple[tuple[Stop, ...], float]:
        """Stops with their times, and the time at the end, as the legs are walked."""
        now = self.case.gate_until_minutes
        stops = []
        for stop, leg in zip(route.stops, legs, strict=False):
            arrive = now + leg.minutes
            now = arrive + self.case.settings.dwell_minutes
            stops.append(self._stop(stop - 1, arrive, now))
        return tuple(stops), now + legs[-1].minutes if legs else now

    def _stop(self, candidate: int, arrive_minutes: float, leave_minutes: float) -> Stop:
        x, y = self.reach.network.xy(self.reach.stops.take([candidate]))[0]
        row, tasking = self.reach.candidates[candidate], self._tasking(candidate)
        if row >= 0:
            place, reasons = self._told[candidate]
            why = tuple(reasons)
        else:
            place = describe(self.reach.network, self.reach.stops.take([candidate]))[0]
            why = ()
        return Stop(
            hotspot=self.case.name(candidate + 1),
            arrive_minutes=arrive_minutes,
            leave_minutes=leave_minutes,
            x=float(x),
            y=float(y),
            place=place,
            why=why,
            worth=float(self.reach.worth[candidate]),
            tasked=tasking,
        )

    @cached_property
    def _told(self) -> list[tuple[str, list[str]]]:
        """Place and reasons of each candidate, to be looked at where it is a hotspot."""
        columns = pd.DataFrame(self.case.hotspots)[["place", "reasons"]]
        rows = columns.iloc[self.reach.candidates]
        return list(rows.itertuples(index=False, name=None))

    def _tasking(self, candidate: int) -> str:
        if self.reach.tasked[candidate] < 0:
            return ""
        return said(self.case.place(candidate))

    def variant(self, other: Solution, best: Solution, notes: tuple[str, ...]) -> Variant:
        """Another solution beside the best one, as patrols of their own."""
        patrols = tuple(
            replace(self.patrol(route, other, (), notes), bound=best.bound, proven=best.proven)
            for route in other.routes
        )
        return Variant(
            worth_share=other.worth / best.worth if best.worth > 0 else 1.0,
            hotspots=tuple(stop.hotspot for patrol in patrols for stop in patrol.stops),
            patrols=patrols,
        )


def other_way(patrol: Patrol) -> Patrol | None:
    """The patrol with its stops in reverse order, as long and over at the same minute.

    Parameters
    ----------
    patrol
        From the gate and back to it.

    Returns
    -------
    Patrol or None
        None where the other way is no other order (one stop), where the patrol begins or ends at
        the base without a way back, since the ways there would be others, and by bicycle, since
        one-way streets cannot be ridden back.
    """
    two = 2
    from_gate = patrol.ends_at == "gate" and not patrol.from_base
    if len(patrol.stops) < two or not from_gate or patrol.way != "walk":
        return None
    legs = tuple(_back(leg) for leg in reversed(patrol.legs))
    now = patrol.gate_until_minutes
    stops = []
    for stop, leg in zip(reversed(patrol.stops), legs, strict=False):
        arrive = now + leg.minutes
        now = arrive + stop.leave_minutes - stop.arrive_minutes
        stops.append(replace(stop, arrive_minutes=arrive, leave_minutes=now))
    notes = tuple(note for note in patrol.notes if note != BY_TIME)
    return replace(patrol, stops=tuple(stops), legs=legs, notes=notes)


def _back(leg: Leg) -> Leg:
    line = leg.line[::-1]
    return replace(leg, steps=turned_back(leg.steps, line), line=line, pieces=leg.pieces[::-1])
