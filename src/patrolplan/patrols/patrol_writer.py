"""A school's solved case -> patrols as they are walked: timed stops, legs and variants.

The same stops the other way round, so that a patrol need not look the same two days running.
"""

from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import pandas as pd

from patrolplan.network.names import describe_positions
from patrolplan.network.paths import Walk
from patrolplan.patrols.directions import build_leg, reverse_directions
from patrolplan.patrols.plan import Leg, Patrol, Stop, Variant
from patrolplan.patrols.school_problem import SchoolProblem, describe_tasking
from patrolplan.patrols.solver.solve import (
    OrienteeringProblem,
    Route,
    Solution,
    find_variants,
    solve,
)
from patrolplan.patrols.stop_order import find_best_order

VARIANT_COUNT = 3

REORDERED_NOTE = "Order of the stops: each near the time of day when it is at its worst."

ROUNDING_METRES = 1.0
"""Rounding may not carry a patrol over the end of its window."""


def plan_school_patrols(school_problem: SchoolProblem) -> tuple[list[Patrol], list[str]]:
    """The best patrol of each officer, and which tasked places are not visited and why."""
    seed = school_problem.area.settings.seed
    demanded = school_problem.must_visit_rows
    problem = school_problem.build_problem(demanded)
    solution = solve(problem, seed=seed)
    unmet: set[int] = set()
    while solution.status == "infeasible" and demanded - unmet:
        unmet |= set(solution.unmet) or {min(demanded - unmet)}
        problem = school_problem.build_problem(demanded - unmet)
        solution = solve(problem, seed=seed)
    missed = school_problem.explain_unvisited(unmet)
    return build_patrols(
        school_problem, problem, solution, school_problem.build_notes(missed)
    ), missed


def plan_avoiding_variant(
    school_problem: SchoolProblem, names: frozenset[str], best: tuple[Patrol, ...]
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
    demanded = frozenset(
        stop for stop in school_problem.must_visit_rows if school_problem.get_stop_name(stop) in met
    )
    stops = set(range(1, len(school_problem.reach.hotspot_rows) + 1)) - demanded
    off = frozenset(stop for stop in stops if school_problem.get_stop_name(stop) in names)
    problem = school_problem.build_problem(demanded)
    problem = replace(problem, barred=problem.barred | off)
    found = solve(problem, seed=school_problem.area.settings.seed)
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
    made = _PatrolBuilder(school_problem).build_variant(
        found, whole, school_problem.build_notes(school_problem.explain_unvisited())
    )
    return replace(made, avoided_hotspots=tuple(sorted(names)))


def build_patrols(
    school_problem: SchoolProblem,
    problem: OrienteeringProblem,
    solution: Solution,
    notes: tuple[str, ...],
) -> list[Patrol]:
    """A solution as the patrol of each officer, with its variants.

    Parameters
    ----------
    case
        Of the school.
    problem, solution
        The school's problem, and its solution.
    notes
        See `SchoolProblem.notes`.
    """
    writer = _PatrolBuilder(school_problem)
    others = find_variants(
        problem, solution, count=VARIANT_COUNT, seed=school_problem.area.settings.seed
    )
    told = tuple(writer.build_variant(other, solution, notes) for other in others)
    return [writer.build_patrol(route, solution, told, notes) for route in solution.routes]


class _PatrolBuilder:
    """Writes the patrols of one school; legs that variants share are walked once."""

    def __init__(self, school_problem: SchoolProblem) -> None:
        self.case = school_problem
        self.reach = school_problem.reach
        self._legs_known: dict[tuple[int, int, float], tuple[Leg, float]] = {}

    def build_patrol(
        self,
        route: Route,
        solution: Solution,
        other_variants: tuple[Variant, ...],
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
            See `SchoolProblem.notes`.
        """
        x, y = self.reach.network.xy(self.reach.gate)[0]
        route, note = self._order_by_time(route)
        legs = self._build_legs(route)
        stops, end_minutes = self._build_stops(route, legs)
        case = self.case
        from_base = case.comes_from_base or (legs and self.reach.start_position)
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
            variants=other_variants,
            notes=(*notes, *note),
            ends_at="base" if legs and self.reach.end_position else "gate",
            way=case.settings.way,
            starts_at="base" if from_base else "gate",
            approach=self._build_approach(),
            keep_away=case.keep_away,
        )

    def _build_approach(self) -> Leg | None:
        """From the base to the gate, by the shortest way; None for officers who are there."""
        if not self.case.comes_from_base:
            return None
        return self._build_leg(self.reach.walks.find_shortest(len(self.reach.stops) + 1, 0))

    def _build_leg(self, walk: Walk) -> Leg:
        """A leg in pieces of the area's network."""
        leg = build_leg(
            walk,
            self.case.piece_labels,
            self.case.piece_lit,
            self.case.speed,
            bicycle_ways=self.case.bicycle_ways,
        )
        return replace(leg, pieces=self.reach.pieces[leg.pieces])

    def _order_by_time(self, route: Route) -> tuple[Route, tuple[str, ...]]:
        """The route in the order that meets its stops at their worst, and a note of a change."""
        if self.case.time_profile is None:
            return route, ()
        here = self.case.time_profile.take(self.reach.hotspot_rows)
        inside = here.normalise_within(self.case.start_minutes, self.case.latest_end_minutes)
        ordered = find_best_order(self.case.build_problem(), route, inside, self.reach.worth)
        if ordered.stops == route.stops:
            return route, ()
        return ordered, (REORDERED_NOTE,)

    def _build_legs(self, route: Route) -> tuple[Leg, ...]:
        """Walks from the gate over the stops to the end, past more risk where it costs little.

        A leg may be longer than the shortest by the settings' `detour`, as far as the time that
        the window leaves over goes.
        """
        if not route.stops:
            return ()
        spare = (self.case.latest_end_minutes - route.end_minutes) * self.case.speed
        legs = []
        for start, end in pairwise(
            [self.reach.start_position, *route.stops, self.reach.end_position]
        ):
            shortest = self.reach.walks.metres[start, end]
            more = max(0.0, min(self.case.settings.detour * shortest, spare - ROUNDING_METRES))
            leg, cost_metres = self._find_richest_leg(start, end, float(shortest + more))
            spare -= cost_metres - shortest
            legs.append(leg)
        return tuple(legs)

    def _find_richest_leg(self, start: int, end: int, longest_metres: float) -> tuple[Leg, float]:
        """The leg that passes most risk within a limit, and what its walk costs."""
        key = (start, end, longest_metres)
        if key not in self._legs_known:
            richest = self.reach.walks.find_richest
            walk = richest(start, end, self.case.piece_risk, longest_metres=longest_metres)
            self._legs_known[key] = (self._build_leg(walk), walk.cost_metres)
        return self._legs_known[key]

    def _build_stops(self, route: Route, legs: tuple[Leg, ...]) -> tuple[tuple[Stop, ...], float]:
        """Stops with their times, and the time at the end, as the legs are walked."""
        now = self.case.gate_until_minutes
        stops = []
        for stop, leg in zip(route.stops, legs, strict=False):
            arrive = now + leg.minutes
            now = arrive + self.case.settings.dwell_minutes
            stops.append(self._build_stop(stop - 1, arrive, now))
        return tuple(stops), now + legs[-1].minutes if legs else now

    def _build_stop(self, candidate: int, arrive_minutes: float, leave_minutes: float) -> Stop:
        x, y = self.reach.network.xy(self.reach.stops.take([candidate]))[0]
        row, tasking = self.reach.hotspot_rows[candidate], self._describe_tasking(candidate)
        if row >= 0:
            place, reasons = self._places_and_reasons[candidate]
            why = tuple(reasons)
        else:
            place = describe_positions(self.reach.network, self.reach.stops.take([candidate]))[0]
            why = ()
        return Stop(
            hotspot=self.case.get_stop_name(candidate + 1),
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
    def _places_and_reasons(self) -> list[tuple[str, list[str]]]:
        """Place and reasons of each candidate, to be looked at where it is a hotspot."""
        columns = pd.DataFrame(self.case.hotspots)[["place", "reasons"]]
        rows = columns.iloc[self.reach.hotspot_rows]
        return list(rows.itertuples(index=False, name=None))

    def _describe_tasking(self, candidate: int) -> str:
        if self.reach.tasked_rows[candidate] < 0:
            return ""
        return describe_tasking(self.case.find_tasked_place(candidate))

    def build_variant(self, other: Solution, best: Solution, notes: tuple[str, ...]) -> Variant:
        """Another solution beside the best one, as patrols of their own."""
        patrols = tuple(
            replace(
                self.build_patrol(route, other, (), notes), bound=best.bound, proven=best.proven
            )
            for route in other.routes
        )
        return Variant(
            worth_share=other.worth / best.worth if best.worth > 0 else 1.0,
            hotspots=tuple(stop.hotspot for patrol in patrols for stop in patrol.stops),
            patrols=patrols,
        )


def reverse_patrol(patrol: Patrol) -> Patrol | None:
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
    legs = tuple(_reverse_leg(leg) for leg in reversed(patrol.legs))
    now = patrol.gate_until_minutes
    stops = []
    for stop, leg in zip(reversed(patrol.stops), legs, strict=False):
        arrive = now + leg.minutes
        now = arrive + stop.leave_minutes - stop.arrive_minutes
        stops.append(replace(stop, arrive_minutes=arrive, leave_minutes=now))
    notes = tuple(note for note in patrol.notes if note != REORDERED_NOTE)
    return replace(patrol, stops=tuple(stops), legs=legs, notes=notes)


def _reverse_leg(leg: Leg) -> Leg:
    line = leg.line[::-1]
    return replace(
        leg, steps=reverse_directions(leg.steps, line), line=line, pieces=leg.pieces[::-1]
    )
