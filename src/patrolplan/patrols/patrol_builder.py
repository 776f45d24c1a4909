"""A school's solved problem -> patrols with timed stops and legs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from patrolplan.hotspots.carriers import MIN_SHARE, MIN_SPAN_MINUTES, MIN_STRETCH_METRES, SHARE_STEP
from patrolplan.hotspots.reasons import PassingReason, Reason, ReportsReason, WayReason
from patrolplan.network.crossings import find_crossed_roads
from patrolplan.network.names import describe_positions
from patrolplan.notes import Note
from patrolplan.patrols.directions import PieceTraits, build_leg
from patrolplan.patrols.legs import Leg
from patrolplan.patrols.places import Place
from patrolplan.patrols.plan import Patrol, PatrolKind, Stop, Variant
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.solver.problem import walk_route
from patrolplan.patrols.solver.solve import OrienteeringProblem, Route, Solution
from patrolplan.patrols.stop_reasons import is_way_met
from patrolplan.patrols.timings import Timing, list_timings
from patrolplan.times import format_time

MOST = 0.9  # share of those who pass during a stop; until they have passed is said


class Visit(NamedTuple):
    """A stay at a stop (row of the problem) between two minutes, without what is waited there."""

    stop: int
    begin_minutes: float
    end_minutes: float
    minutes: float  # of dwells; between them one stays, too, since nowhere else is better


class PatrolBuilder:
    """Builds the patrols of one school; legs that variants share are built once."""

    def __init__(self, problem: SchoolProblem) -> None:
        self.problem = problem
        self.orienteering = problem.plain_problem
        self.hours = problem.hours
        self.speed = problem.settings.metres_per_minute
        self.piece_traits = PieceTraits(
            problem.surroundings.network,
            problem.planner.piece_labels[problem.surroundings.pieces],
            is_ridden=problem.settings.travel.is_ridden,
        )
        self._legs: dict[tuple[int, int], Leg] = {}

    @cached_property
    def words(self) -> list[str]:
        """(k,) where each visit is, in words."""
        return describe_positions(self.problem.surroundings.network, self.problem.positions)

    @cached_property
    def gate_words(self) -> str:
        """Where the gate is, in words."""
        around = self.problem.surroundings
        return describe_positions(around.network, around.gate)[0]

    def merge_visits(self, route: Route) -> tuple[float, list[Visit]]:
        """When the gate is left, and visits: dwells at one place are one, at the gate presence."""
        visits: list[Visit] = []
        for stop, begin in zip(route.stops, route.begin_minutes, strict=True):
            place = self.problem.get_visit(stop)
            end = begin + place.dwell_minutes
            if visits and self.problem.get_visit(visits[-1].stop) is place:
                minutes = visits[-1].minutes + place.dwell_minutes
                visits[-1] = visits[-1]._replace(end_minutes=end, minutes=minutes)
            else:
                visits.append(Visit(stop, begin, end, place.dwell_minutes))
        until = self.hours.gate_until_minutes
        if all(self._is_gate(visit) for visit in visits):
            return max([until, *(visit.end_minutes for visit in visits)]), []
        if self._is_gate(visits[0]):
            until = visits.pop(0).end_minutes
        if self._is_gate(visits[-1]):
            visits.pop()
        return until, visits

    def _is_gate(self, visit: Visit) -> bool:
        """Whether a visit is to the gate again."""
        return self.problem.get_visit(visit.stop).kind == "gate"

    def build_patrol(
        self, route: Route, solution: Solution, variants: tuple[Variant, ...] = ()
    ) -> Patrol:
        """The patrol of one officer's route."""
        until, visits = self.merge_visits(route)
        patrol = self.build_visits(until, visits, number=route.officer + 1, variants=variants)
        left_open = (solution.bound - solution.worth) / (self.problem.standing.total or 1.0)
        return replace(patrol, bound=patrol.worth + max(0.0, left_open), proven=solution.proven)

    def build_visits(
        self,
        until: float,
        visits: Sequence[Visit],
        *,
        number: int = 1,
        variants: tuple[Variant, ...] = (),
        kind: PatrolKind = "patrol",
    ) -> Patrol:
        """The patrol that leaves the gate at a minute, and makes these visits."""
        problem = self.problem
        legs = self._build_legs([visit.stop for visit in visits])
        until, times, end = self._time_visits(until, visits, legs)
        stops = tuple(self._build_stop(visit, *at) for visit, at in zip(visits, times, strict=True))
        x, y = problem.surroundings.network.xy(problem.surroundings.gate)[0].tolist()
        is_reference = kind == "reference"
        patrol = Patrol(
            urn=problem.school["urn"],
            school=problem.school["name"],
            kind=kind if stops or is_reference else "gate",
            number=number,
            point=(x, y),
            start_minutes=self._find_start(is_gate_card=not stops),
            gate_until_minutes=until,
            end_minutes=end,
            latest_end_minutes=self.hours.latest_end_minutes,
            window=problem.occasion.window.name,
            way=problem.settings.way,
            worth=0.0,
            bound=0.0,
            proven=True,
            stops=stops,
            legs=legs,
            variants=variants,
            gate_id=problem.standing.gate.id,
            gate_place=self.gate_words,
            barred=problem.tasked.keep_away,
            nothing_recorded=problem.standing.nothing_recorded,
            notes=(*problem.notes, *([] if stops or is_reference else [self._note_gate_card()])),
        )
        patrol = self._weigh(patrol, visits)
        if not problem.occasion.for_week:
            return patrol
        # The other orders and times in which the stops may be made.
        rows = [visit.stop for visit in visits]
        timed = self._build_timing_problem(rows, [visit.minutes for visit in visits])
        begins = (np.array([stop.arrive_minutes]) for stop in stops)
        worth = sum(float(each[0]) for each in map(timed.compute_worth, rows, begins))
        return replace(patrol, timings=list_timings(timed, rows, worth=worth))

    def _weigh(self, patrol: Patrol, visits: Sequence[Visit]) -> Patrol:
        """The patrol with its worth, and that of its stops as shares of it."""
        standing = self.problem.standing
        stays = [
            standing.gather(
                self.problem.get_visit(visit.stop), stop.arrive_minutes, stop.leave_minutes
            )
            for visit, stop in zip(visits, patrol.stops, strict=True)
        ]
        whole = sum(stays)
        if patrol.has_presence and standing.has_pupils:
            start, until = patrol.start_minutes, patrol.gate_until_minutes
            whole += standing.gather(standing.gate, start, until)
        if patrol.legs and standing.has_pupils:
            whole += standing.gather(standing.gate, patrol.back_minutes, patrol.end_minutes)
        worth = whole / standing.total if standing.total > 0 else 0.0
        weighed = (
            replace(stop, worth=stay / whole if whole > 0 else 0.0)
            for stop, stay in zip(patrol.stops, stays, strict=True)
        )
        bound = max(worth, patrol.bound)
        return replace(patrol, worth=worth, bound=bound, stops=tuple(weighed))

    def walk_patrol(
        self, patrol: Patrol, timing: Timing, *, latest_end_minutes: float = np.inf
    ) -> Patrol | None:
        """A patrol with its stops in another order, or at other minutes; None if one is late."""
        left = {name: list(rows) for name, rows in self.problem.stops_by_name.items()}
        planned = [patrol.stops[row] for row in timing.order]
        if not all(left.get(stop.hotspot) for stop in planned):
            return None
        rows = [left[stop.hotspot].pop(0) for stop in planned]
        latest = min(self.hours.latest_end_minutes, latest_end_minutes)
        walked = walk_route(
            self._build_timing_problem(rows, [stop.stood_minutes for stop in planned]),
            rows,
            leave_minutes=timing.gate_until_minutes,
            not_before=timing.begin_minutes,
            latest_minutes=latest - self.hours.gate_last_minutes,
        )
        if walked is None:
            return None
        begins, back = walked
        visits = [
            Visit(row, begin, begin + stop.stood_minutes, stop.stood_minutes)
            for row, begin, stop in zip(rows, begins, planned, strict=True)
        ]
        last = planned[-1].leave_minutes - planned[-1].arrive_minutes
        spare = latest - self.hours.gate_last_minutes - back
        visits[-1] = self._stay_on(visits[-1], last, spare)
        legs = self._build_legs(rows)
        until, times, end = self._time_visits(timing.gate_until_minutes, visits, legs)
        timed = replace(
            patrol,
            start_minutes=patrol.start_minutes if patrol.has_presence else until,
            gate_until_minutes=until,
            end_minutes=max(min(end, latest_end_minutes), back),
            stops=tuple(
                replace(
                    stop,
                    arrive_minutes=arrive,
                    leave_minutes=leave,
                    is_dark=self._is_dark(arrive, leave),
                    why=self._choose_reasons(self.problem.get_visit(row), arrive, leave),
                )
                for row, stop, (arrive, leave) in zip(rows, planned, times, strict=True)
            ),
            legs=legs,
        )
        return self._weigh(timed, visits)

    def _stay_on(self, visit: Visit, minutes: float, spare: float) -> Visit:
        """The last visit for as long as was planned, where there is time and its hours allow it."""
        end = min(visit.begin_minutes + minutes, visit.end_minutes + spare)
        end = min(end, self._find_last_end(visit.stop))
        return visit._replace(end_minutes=max(visit.end_minutes, end))

    def _build_timing_problem(
        self, rows: Sequence[int], minutes: Sequence[float]
    ) -> OrienteeringProblem:
        """The problem of visits in another order or later, those to one place not in a row."""
        at, dwell = np.array(rows, dtype=np.int64), self.orienteering.dwell_minutes.copy()
        dwell[at] = minutes
        travel = self.orienteering.travel_minutes.copy()
        ids = np.array([self.problem.get_visit(stop).id for stop in rows])
        travel[np.ix_(at, at)] += np.where(ids[:, None] == ids, np.inf, 0.0)
        np.fill_diagonal(travel, 0.0)
        return replace(self.orienteering, travel_minutes=travel, dwell_minutes=dwell, follows=None)

    def _build_legs(self, rows: Sequence[int]) -> tuple[Leg, ...]:
        """The walks from the gate by these stops and back."""
        if not rows:
            return ()
        places = [0, *rows, 0]
        return tuple(self._find_leg(start, end) for start, end in pairwise(places))

    def _find_leg(self, start: int, end: int) -> Leg:
        """The walk from place to place: the one whose time the solver has counted with."""
        if (start, end) not in self._legs:
            walk = self.problem.walks.find_shortest(start, end)
            crossed, landmarks = find_crossed_roads(walk), self.problem.planner.landmarks
            leg = build_leg(walk, self.piece_traits, self.speed, crossed, landmarks)
            pieces = self.problem.surroundings.pieces[leg.pieces]  # of the area's walkable network
            self._legs[start, end] = replace(leg, pieces=pieces)
        return self._legs[start, end]

    def _time_visits(
        self, until: float, visits: Sequence[Visit], legs: Sequence[Leg]
    ) -> tuple[float, list[tuple[float, float]], float]:
        """When the gate is left, each stop reached and left, and the patrol ends."""
        # Who would be early waits at the gate or at the stop before; at the next one where the
        # light or the hours of that are over. Minutes left at the end are for the gate.
        if not visits:
            latest = self.hours.latest_end_minutes
            if not self.problem.standing.has_pupils:
                stay = self._find_start(is_gate_card=True)
                latest = min(max(until, stay + self.problem.settings.dwell_minutes), latest)
            return latest, [], latest
        arrive, leave = [visits[0].begin_minutes], list[float]()
        for visit, then, leg in zip(visits, visits[1:], legs[1:-1], strict=False):
            wait = min(then.begin_minutes - leg.minutes, self._find_last_end(visit.stop))
            leave.append(max(visit.end_minutes, wait))
            arrive.append(leave[-1] + leg.minutes)
        leave.append(self._leave_in_time(visits[-1].end_minutes, legs[-1]))
        until = max(until, arrive[0] - legs[0].minutes)
        end = leave[-1] + legs[-1].minutes
        if self.hours.gate_last_minutes or self.problem.standing.has_pupils:
            end = self.hours.latest_end_minutes
        return until, list(zip(arrive, leave, strict=True)), end

    def _leave_in_time(self, minutes: float, leg: Leg) -> float:
        """When the last stop is left so that by the printed minutes one is back in the window."""
        latest = self.hours.latest_back_minutes
        is_late = round(round(minutes) + leg.rounded_minutes) > latest
        return float(math.floor(latest - leg.rounded_minutes)) if is_late else minutes

    def _find_last_end(self, stop: int) -> float:
        """Latest end of a stay at a stop, by its hours and the light."""
        place = self.problem.get_visit(stop)
        if place.tasking is not None:
            return np.inf
        _, last = self.orienteering.list_windows([stop])[0]
        return float(last + place.dwell_minutes)

    def _find_start(self, *, is_gate_card: bool) -> float:
        """Begin of the presence; with nobody out, one at the end alone is as long as a stop."""
        hours, stay = self.hours, self.hours.gate_last_minutes
        if not stay or not is_gate_card or self.problem.standing.has_pupils:
            return hours.start_minutes
        longest = max(stay, self.problem.settings.dwell_minutes)
        return max(hours.start_minutes, hours.latest_end_minutes - longest)

    def _note_gate_card(self) -> Note:
        """Why a patrol stays at the gate."""
        text = "No stop that is worth the walk can be made in this window. Stay at the gate."
        has_presence = self.hours.gate_minutes or self.hours.gate_last_minutes
        if self.problem.occasion.window.at_gate:
            text = "In this window the officer stays at the gate."
        elif self.problem.school["is_driven"] and has_presence:
            text = "Most pupils of special schools and nurseries are driven: stay at the gate."
        return Note("gate_reason", text, "officer")

    def _build_stop(self, visit: Visit, arrive_minutes: float, leave_minutes: float) -> Stop:
        problem = self.problem
        place, row = problem.get_visit(visit.stop), visit.stop - 1
        is_tasked = place.tasking is not None
        return Stop(
            id=place.id,
            hotspot=place.name,
            kind=place.kind,
            tasking=place.tasking,
            is_sent=place.tasking is not None,
            arrive_minutes=arrive_minutes,
            leave_minutes=leave_minutes,
            stood=visit.minutes,
            place=place.words or self.words[row],
            why=self._choose_reasons(place, arrive_minutes, leave_minutes),
            street=str(self.piece_traits.labels[problem.positions.piece[row]]),
            stand=place.stand,
            at=place.at,
            lit=problem.lighting[row],
            is_dark=self._is_dark(arrive_minutes, leave_minutes),
            tasked_metres=float(place.position.moved_metres[0]) if is_tasked else None,
            sees=place.sees,
            worth=0.0,
            point=place.xy,
        )

    def _choose_reasons(self, place: Place, arrive: float, leave: float) -> tuple[Reason, ...]:
        """The reasons of a place that are true while somebody stands there."""
        ways = [reason for reason in place.reasons if isinstance(reason, WayReason)]
        missed = [reason for reason in ways if not is_way_met(reason, arrive, leave)]
        reasons = [reason for reason in place.reasons if reason not in missed]
        school = self.problem.school["name"]
        if not any(reason.school == school for reason in ways if reason not in missed):
            passing = self._find_passing(place, arrive, leave)
            is_voice_first = bool(reasons) and isinstance(reasons[0], ReportsReason)
            reasons[int(is_voice_first) : int(is_voice_first)] = passing
        return tuple(reasons)

    def _find_passing(self, place: Place, arrive: float, leave: float) -> list[PassingReason]:
        """How many of the own pupils pass meanwhile, as far as that may be shown."""
        standing, network = self.problem.standing, self.problem.planner.area.network
        share = standing.gather_passing(place, arrive, leave)
        shown = round(share / SHARE_STEP) * SHARE_STEP
        metres = network.piece_metres[place.seen_pieces].sum()
        is_long = leave - arrive >= MIN_SPAN_MINUTES and metres >= MIN_STRETCH_METRES
        if not standing.has_pupils or not is_long or shown < MIN_SHARE:
            return []
        until = next(
            minute
            for minute in (*range(int(np.ceil(arrive)), int(leave) + 1), leave)
            if standing.gather_passing(place, arrive, minute) >= MOST * share
        )
        return [PassingReason(share=round(min(shown, 1.0), 2), until=format_time(until))]

    def _is_dark(self, arrive_minutes: float, leave_minutes: float) -> bool:
        """Whether a stop ends after sunset, or begins before sunrise."""
        daylight = self.problem.daylight
        return daylight is not None and daylight.is_dark(arrive_minutes, leave_minutes)
