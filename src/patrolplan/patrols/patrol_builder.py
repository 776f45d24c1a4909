"""A school's solved problem -> patrols with timed stops and legs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
import shapely

from patrolplan.network.crossings import find_crossed_roads
from patrolplan.network.names import describe_positions
from patrolplan.network.paths import Walk
from patrolplan.notes import Note
from patrolplan.patrols.directions import PieceTraits, build_leg
from patrolplan.patrols.legs import Leg
from patrolplan.patrols.orders import list_timings
from patrolplan.patrols.plan import Patrol, Stop, Variant
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import SchoolProblem, build_school_problem
from patrolplan.patrols.solver.solution import list_leg_minutes, time_route, walk_route
from patrolplan.patrols.solver.solve import OrienteeringProblem, Route, Solution
from patrolplan.patrols.stop_windows import build_stop_windows
from patrolplan.patrols.surroundings import HELD_SCHOOLS, compute_speed
from patrolplan.patrols.tasked_places import build_tasking
from patrolplan.patrols.timings import Timing, Timings

ROUNDING_METRES = 1.0
"""Margin so that rounding does not make a patrol end after its window."""

MAX_DETOUR_LOSS = 0.0005
"""Maximum share of a patrol's worth that detours past risk may cost, by later arrivals."""

SAME_METRES = 1.0
"""A stop within this distance of a hotspot's stopping place is there."""

STANDING = ("place", "stand", "at")
"""Columns of a hotspot that describe where to stand."""


class PatrolBuilder:
    """Builds the patrols of one school; legs that variants share are built once."""

    def __init__(self, problem: SchoolProblem) -> None:
        self.problem = problem
        self.is_bare = problem.inputs.detail == "best"
        self.orienteering = problem.plain_problem
        self.hours = problem.surroundings.hours
        self.speed = compute_speed(problem.settings)
        pieces, network = problem.surroundings.pieces, problem.inputs.area.network.walkable
        self.piece_traits = PieceTraits.from_network(
            network,
            problem.inputs.piece_labels,
            pieces,
            by_bicycle=problem.settings.way == "bicycle",
        )
        self.piece_risk = problem.surroundings.take_values(problem.inputs.risk.joined)
        self._legs: dict[tuple[int, int, float], tuple[Leg, float]] = {}
        self._timing_problems: dict[frozenset[int], OrienteeringProblem] = {}
        self._hotspots: dict[int, pd.Series] = {}

    @classmethod
    def for_school(
        cls,
        inputs: PlanningInputs,
        row: int,
        *,
        visit: Sequence[str] = (),
        watch: Sequence[str] = (),
    ) -> Self:
        """The builder of a school's patrols, see `build_school_problem`.

        For a week a school is planned several times, but its problem and its legs are built once.
        """
        build = partial(build_school_problem, inputs, row, visit=visit, watch=watch)
        if inputs.detail != "timings":
            return cls(build())
        given, reuse = (
            (f"{row} {tuple(visit)} {tuple(watch)}", inputs),
            inputs.area.catchments.reuse,
        )
        return reuse("builders", given, lambda: cls(build()), hold=HELD_SCHOOLS)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What was assumed for the school."""
        return self.problem.build_notes()

    def build_variant(self, other: Solution, best: Solution) -> Variant:
        """A variant from another solution than the best; with patrols, if a week may draw it."""
        is_drawn = self.problem.inputs.detail == "timings"
        return Variant(
            worth_share=min(1.0, other.worth / best.worth) if best.worth > 0 else 1.0,
            hotspots=tuple(
                self.problem.get_stop_name(stop) for route in other.routes for stop in route.stops
            ),
            patrols=tuple(
                replace(self.build_patrol(route, other), bound=best.bound, proven=best.proven)
                for route in (other.routes if is_drawn else ())
            ),
        )

    def build_patrol(
        self, route: Route, solution: Solution, variants: tuple[Variant, ...] = ()
    ) -> Patrol:
        """The patrol of one officer's route."""
        problem, base = self.problem, self.problem.surroundings.base
        legs, walked = self._build_legs(route, partial(self._time_again, route))
        gate_until_minutes, times, end_minutes = self._time_stops(walked, legs)
        stops = tuple(
            self._build_stop(stop, *each) for stop, each in zip(route.stops, times, strict=True)
        )
        x, y = problem.surroundings.network.xy(problem.surroundings.gate)[0]
        starts_at_base = problem.settings.start == "base" and base is not None
        approach = None
        if starts_at_base and not problem.start_position:
            # From the base to the gate for the presence there, by the shortest way.
            approach = self._build_leg(problem.walks.find_shortest(len(problem.stops) + 1, 0))
        return Patrol(
            urn=problem.school["urn"],
            school=problem.school["name"],
            number=route.officer + 1,
            point=(float(x), float(y)),
            start_minutes=self.hours.start_minutes if stops else self._find_stay_start(),
            gate_until_minutes=gate_until_minutes,
            end_minutes=end_minutes,
            latest_end_minutes=self.hours.latest_end_minutes,
            window=problem.inputs.window.name,
            ends_at="base" if legs and problem.end_position else "gate",
            way=problem.settings.way,
            starts_at="base" if approach or (legs and problem.start_position) else "gate",
            approach=approach,
            worth=walked.worth,
            bound=solution.bound - (solution.worth - route.worth),
            proven=solution.proven,
            stops=stops,
            legs=legs,
            variants=variants,
            keep_away=() if self.is_bare else problem.tasked.keep_away,
            notes=(*self.notes, *(() if stops else (problem.note_gate_card(),))),
            tested=None,
            timings=None if problem.inputs.detail != "timings" else self._list_timings(walked),
        )

    def _list_timings(self, walked: Route) -> Timings:
        """The other orders and times in which the stops of a route may be made."""
        problem = self._build_timing_problem(walked.stops)
        return list_timings(problem, walked.stops, worth=walked.worth, officer=walked.officer)

    def walk_patrol(
        self, patrol: Patrol, timing: Timing, *, latest_end_minutes: float = np.inf
    ) -> Patrol | None:
        """A patrol of this school with its stops in another order, or at other minutes.

        Everything else of the patrol is unchanged: its variants, its notes, and results of past
        months and the way home. None if a stop is not a candidate, or late.
        """
        position = self.problem.stop_by_name
        planned = [patrol.stops[row] for row in timing.order]
        if not all(stop.hotspot in position for stop in planned):
            return None
        stops = [position[stop.hotspot] for stop in planned]
        stay = self.hours.gate_last_minutes
        latest = min(self.hours.latest_back_minutes, latest_end_minutes - stay)
        problem = self._build_timing_problem(stops)

        def time_again(leg_minutes: Sequence[float]) -> Route | None:
            return walk_route(
                problem,
                patrol.number - 1,
                stops,
                leg_minutes,
                leave_minutes=timing.gate_until_minutes,
                not_before=timing.begin_minutes,
                latest_minutes=latest,
            )

        route = time_again(list_leg_minutes(problem, stops))
        if route is None:
            return None
        legs, walked = self._build_legs(route, time_again, latest)
        gate_until_minutes, times, end_minutes = self._time_stops(walked, legs)
        return replace(
            patrol,
            start_minutes=patrol.start_minutes if patrol.has_presence else gate_until_minutes,
            gate_until_minutes=gate_until_minutes,
            end_minutes=end_minutes,
            worth=walked.worth,
            bound=max(patrol.bound, walked.worth),
            stops=tuple(
                replace(
                    stop,
                    arrive_minutes=arrive,
                    leave_minutes=leave,
                    is_dark=self._is_dark(arrive, leave),
                    worth=worth,
                )
                for stop, (arrive, leave, worth) in zip(planned, times, strict=True)
            ),
            legs=legs,
        )

    def _build_timing_problem(self, stops: Sequence[int]) -> OrienteeringProblem:
        """The problem of making these given stops in another order or later.

        Two tasked places may follow each other, even if they are near.
        """
        tasked = frozenset(stop for stop in stops if self.problem.tasked_rows[stop - 1] >= 0)
        if tasked not in self._timing_problems:
            problem = self.problem.build_problem(tasked) if tasked else self.orienteering
            self._timing_problems[tasked] = replace(
                problem, windows=build_stop_windows(self.problem, is_choosing=False)
            )
        return self._timing_problems[tasked]

    def _time_again(self, route: Route, leg_minutes: Sequence[float]) -> Route | None:
        """A route at its best times, with these minutes of legs."""
        return time_route(self.orienteering, route.officer, route.stops, leg_minutes)

    def _build_leg(self, walk: Walk) -> Leg:
        """A leg in pieces of the area's walkable network."""
        leg = build_leg(
            walk,
            self.piece_traits,
            self.speed,
            crossed=() if self.is_bare else find_crossed_roads(walk),
            landmarks=self.problem.inputs.landmarks,
            with_directions=not self.is_bare,
        )
        return replace(leg, pieces=self.problem.surroundings.pieces[leg.pieces])

    def _build_legs(
        self,
        route: Route,
        time_again: Callable[[Sequence[float]], Route | None],
        latest_minutes: float | None = None,
    ) -> tuple[tuple[Leg, ...], Route]:
        """Walks from the start via the stops to the end, with detours past risk that cost little.

        A leg may be longer than the shortest by the settings' `detour`, within the spare time of
        the window, and if arriving later costs almost no worth. The route is returned with its
        times and worth along these legs.
        """
        if not route.stops:
            return (), route
        problem = self.problem
        places = [problem.start_position, *route.stops, problem.end_position]
        shortest = [float(problem.walks.metres[pair]) for pair in pairwise(places)]
        orienteering = self.orienteering
        is_timed = orienteering.timed_prizes is not None or orienteering.windows is not None
        least = (1 - MAX_DETOUR_LOSS) * route.worth
        # The chosen way need not be the quickest: preferences count, too. If a detour past risk is
        # quicker, it gets the time with which the problem was solved, so that the bound is valid.
        minutes = quickest = [metres / self.speed for metres in shortest]
        latest = self.hours.latest_back_minutes if latest_minutes is None else latest_minutes
        spare = (latest - route.end_minutes) * self.speed
        legs, walked = [], route
        for number, (start, end) in enumerate(pairwise(places)):
            more = problem.settings.detour * shortest[number]
            if not is_timed:
                more = min(more, spare - ROUNDING_METRES)
            leg, cost_metres = self._find_leg(start, end, shortest[number] + max(0.0, more))
            if is_timed:
                spent = max(leg.minutes, quickest[number])
                later = [*minutes[:number], spent, *minutes[number + 1 :]]
                slower = time_again(later)
                if slower is None or slower.worth < least:
                    leg, cost_metres = self._find_leg(start, end, shortest[number])
                    spent = max(leg.minutes, quickest[number])
                    later = [*minutes[:number], spent, *minutes[number + 1 :]]
                    slower = time_again(later)
                minutes, walked = later, slower or walked
            spare -= cost_metres - shortest[number]
            legs.append(leg)
        return tuple(legs), walked

    def _find_leg(self, start: int, end: int, longest_metres: float) -> tuple[Leg, float]:
        """The leg past most risk within this length, and its cost in metres at full speed."""
        key = (start, end, longest_metres)
        if key not in self._legs:
            walk = self.problem.walks.find_richest(
                start, end, self.piece_risk, longest_metres=longest_metres
            )
            self._legs[key] = (self._build_leg(walk), walk.cost_metres)
        return self._legs[key]

    def _time_stops(
        self, route: Route, legs: Sequence[Leg]
    ) -> tuple[float, list[tuple[float, float, float]], float]:
        """End of the presence at the gate, each stop's times and worth, and the time at the end.

        If a stop is worth more later, the officer stays longer at the gate before the first stop,
        if there is a presence, and otherwise walks slowly: a stop lasts no longer than its dwell,
        which counts towards the maximum minutes per day. Without a stop, the officer is at the gate
        for the duration of a stop. A presence at the gate at the end lasts until the end of the
        window.
        """
        until = route.leave_start_minutes
        if not route.stops:
            least = self._find_stay_start() + self.problem.settings.dwell_minutes
            until = min(max(until, least), self.hours.latest_end_minutes)
            return until, [], until
        if self.problem.gate_stay is not None:
            until = route.begin_minutes[0] - legs[0].minutes
        now, times = until, []
        for number, (stop, leg) in enumerate(zip(route.stops, legs, strict=False)):
            arrive = now + leg.minutes
            worth = float(self.problem.worth[stop - 1])
            if route.stop_worths or self.orienteering.windows is not None:
                arrive = max(arrive, route.begin_minutes[number])
            if route.stop_worths:
                worth = route.stop_worths[number]
            now = arrive + float(self.problem.stop_minutes[stop - 1])
            times.append((arrive, now, worth))
        is_last = self.hours.gate_last_minutes > 0
        end = self.hours.latest_end_minutes if is_last else now + legs[-1].minutes
        return until, times, end

    def _find_stay_start(self) -> float:
        """Begin of a presence at the gate without any stop.

        A presence at the end is as long as a stop.
        """
        hours, stay = self.hours, self.hours.gate_last_minutes
        if not stay:
            return hours.start_minutes
        longest = max(stay, self.problem.settings.dwell_minutes)
        return max(hours.start_minutes, hours.latest_end_minutes - longest)

    def _build_stop(
        self, stop: int, arrive_minutes: float, leave_minutes: float, worth: float
    ) -> Stop:
        problem, network = self.problem, self.problem.surroundings.network
        position = problem.stops.take([stop - 1])
        row, is_tasked = problem.hotspot_rows[stop - 1], problem.tasked_rows[stop - 1] >= 0
        hotspot = self._get_hotspot(row) if row >= 0 else None
        x, y = network.xy(position)[0]
        at: dict[str, Any] = {}
        if is_tasked:
            at["tasking"] = build_tasking(problem.get_tasked_place(stop))
            at["tasked_metres"] = float(position.moved_metres[0])
        if hotspot is not None and hotspot["stop"].distance(shapely.Point(x, y)) < SAME_METRES:
            at |= {name: hotspot[name if name == "place" else f"stop_{name}"] for name in STANDING}
        else:
            at["place"] = describe_positions(network, position)[0]
        return Stop(
            hotspot=problem.get_stop_name(stop),
            kind="tasked" if hotspot is None else hotspot["kind"],
            arrive_minutes=arrive_minutes,
            leave_minutes=leave_minutes,
            why=() if hotspot is None else tuple(hotspot["reasons"]),
            street=str(self.piece_traits.labels[position.piece[0]]),
            lit=problem.stop_lit[stop - 1],
            is_dark=self._is_dark(arrive_minutes, leave_minutes),
            worth=worth,
            point=(float(x), float(y)),
            beat=() if hotspot is None else hotspot["beat"],
            **at,
        )

    def _get_hotspot(self, row: int) -> pd.Series:
        """A row of the hotspots; cached, since variants have most of their stops in common."""
        if row not in self._hotspots:
            self._hotspots[row] = self.problem.inputs.hotspots.iloc[row]
        return self._hotspots[row]

    def _is_dark(self, arrive_minutes: float, leave_minutes: float) -> bool:
        """Whether a stop ends after sunset, or begins before sunrise."""
        daylight = self.problem.daylight
        return daylight is not None and daylight.is_dark(arrive_minutes, leave_minutes)
