"""One school's orienteering problem, and how its solution becomes patrols."""

import datetime as dt
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.patrols.itinerary import leg_of
from patrolplan.patrols.orienteering import Officer
from patrolplan.patrols.orienteering import OrienteeringProblem
from patrolplan.patrols.orienteering import Route
from patrolplan.patrols.orienteering import Solution
from patrolplan.patrols.orienteering import solve
from patrolplan.patrols.orienteering import variants
from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Stop
from patrolplan.patrols.plans import Variant
from patrolplan.patrols.reach import Reach
from patrolplan.patrols.reach import reach_of
from patrolplan.patrols.rhythm import Rhythm
from patrolplan.patrols.rhythm import best_order
from patrolplan.patrols.start import tasked_for
from patrolplan.patrols.surroundings import Surroundings
from patrolplan.patrols.surroundings import surroundings_of
from patrolplan.patrols.way import speed_of
from patrolplan.patrols.way import way_notes
from patrolplan.patrols.windows import Window
from patrolplan.patrols.windows import minutes_after_midnight
from patrolplan.places import describe
from patrolplan.risk.surface import Risk
from patrolplan.settings import PatrolSettings
from patrolplan.walks import Walk

VARIANTS = 3

BY_TIME = "Order of the stops: each near the time of day when it is at its worst."

SPARE_METRES = 1.0
"""Rounding may not carry a patrol over the end of its window."""


@dataclass(frozen=True, eq=False)
class SchoolCase:
    """What one school's patrols are made from; minutes are after midnight.

    Row 0 of the problem is the gate, row i + 1 is candidate i of the reach.

    Parameters
    ----------
    area, hotspots
        As they come from the rooms above.
    school
        Row of the area's schools.
    tasked
        Tasked places of this school, to visit or barred.
    reach
        Streets and stops around the gate.
    labels
        (q,) what each piece of the reach's network is called.
    lit
        (q,) street lighting of each, see `StreetNetwork.piece_lit`.
    gain
        (q,) risk of each piece of the reach's network.
    start_minutes, gate_until_minutes, latest_end_minutes
        Start of the window, end of the presence at the gate, end of the window.
    base_note
        Why patrols do not start or end at the base although the settings say so; empty otherwise.
    approached
        Whether officers come from the base to be at the gate for their presence there.
    kinds
        (q, 2) how a bicycle goes along each piece of the reach's network; None on foot.
    rhythm
        When each hotspot is at its worst; None where clock times are not known.
    """

    area: StudyArea
    hotspots: gpd.GeoDataFrame
    school: pd.Series
    tasked: gpd.GeoDataFrame
    reach: Reach
    labels: NDArray[np.object_]
    lit: NDArray[np.object_]
    gain: NDArray[np.float64]
    start_minutes: float
    gate_until_minutes: float
    latest_end_minutes: float
    base_note: str = ""
    approached: bool = False
    kinds: NDArray[np.int8] | None = None
    rhythm: Rhythm | None = None

    @property
    def settings(self) -> PatrolSettings:
        """The patrol settings."""
        return self.area.settings.patrol

    @property
    def speed(self) -> float:
        """Metres a minute at full speed."""
        return speed_of(self.settings)

    def patrols(self) -> tuple[list[Patrol], list[str]]:
        """The best patrol of each officer, and the tasked places out of reach in time."""
        seed = self.area.settings.seed
        demanded = self.demanded
        problem = self.problem(demanded)
        solution = solve(problem, seed=seed)
        unmet: set[int] = set()
        while solution.status == "infeasible" and demanded - unmet:
            unmet |= set(solution.unmet) or {min(demanded - unmet)}
            problem = self.problem(demanded - unmet)
            solution = solve(problem, seed=seed)
        missed = [self.name(stop) for stop in sorted(unmet)]
        return self.written(problem, solution, self.notes(missed)), missed

    @property
    def demanded(self) -> frozenset[int]:
        """Rows of the tasked places that must be visited."""
        return frozenset((np.flatnonzero(self.reach.tasked >= 0) + 1).tolist())

    def written(
        self, problem: OrienteeringProblem, solution: Solution, notes: tuple[str, ...]
    ) -> list[Patrol]:
        """A solution as the patrol of each officer, with its variants."""
        others = variants(problem, solution, count=VARIANTS, seed=self.area.settings.seed)
        told = tuple(self._variant(other, solution, notes) for other in others)
        return [self._patrol(route, solution, told, notes) for route in solution.routes]

    def problem(self, mandatory: frozenset[int] = frozenset()) -> OrienteeringProblem:
        """The orienteering problem of this school's officers."""
        worth = self.reach.worth
        rows = len(self.reach.walks.metres)
        prizes, dwell = np.zeros(rows), np.zeros(rows)
        prizes[1 : len(worth) + 1] = worth
        dwell[1 : len(worth) + 1] = self.settings.dwell_minutes
        officer = Officer(
            start=self.reach.start,
            end=self.reach.end,
            earliest_minutes=self.gate_until_minutes,
            latest_minutes=self.latest_end_minutes,
        )
        return OrienteeringProblem(
            travel_minutes=self.reach.walks.metres / self.speed,
            prizes=prizes,
            dwell_minutes=dwell,
            officers=(officer,) * self.settings.officers,
            mandatory=mandatory,
            barred=frozenset({0, *range(len(worth) + 1, rows)}),
        )

    def _patrol(
        self,
        route: Route,
        solution: Solution,
        told: tuple[Variant, ...],
        notes: tuple[str, ...],
    ) -> Patrol:
        x, y = self.reach.network.xy(self.reach.gate)[0]
        route, note = self._by_time(route)
        legs = self._legs(route)
        stops, end_minutes = self._stops(route, legs)
        return Patrol(
            urn=self.school["urn"],
            school=self.school["name"],
            number=route.officer + 1,
            x=float(x),
            y=float(y),
            start_minutes=self.start_minutes,
            gate_until_minutes=self.gate_until_minutes,
            end_minutes=end_minutes,
            latest_end_minutes=self.latest_end_minutes,
            worth=route.worth,
            bound=solution.bound - (solution.worth - route.worth),
            proven=solution.proven,
            stops=stops,
            legs=legs,
            variants=told,
            notes=(*notes, *note),
            ends_at="base" if legs and self.reach.end else "gate",
            way=self.settings.way,
            starts_at="base" if self.approached or (legs and self.reach.start) else "gate",
            approach=self._approach(),
        )

    def _approach(self) -> Leg | None:
        """From the base to the gate, by the shortest way; None for officers who are there."""
        if not self.approached:
            return None
        return self._leg(self.reach.walks.between(len(self.reach.stops) + 1, 0))

    def _leg(self, walk: Walk) -> Leg:
        """A leg in pieces of the area's network."""
        leg = leg_of(walk, self.labels, self.lit, self.speed, kinds=self.kinds)
        return replace(leg, pieces=self.reach.pieces[leg.pieces])

    def _by_time(self, route: Route) -> tuple[Route, tuple[str, ...]]:
        """The route in the order that meets its stops at their worst, and a note of a change."""
        if self.rhythm is None:
            return route, ()
        here = self.rhythm.take(self.reach.candidates)
        inside = here.within(self.start_minutes, self.latest_end_minutes)
        ordered = best_order(self.problem(), route, inside, self.reach.worth)
        if ordered.stops == route.stops:
            return route, ()
        return ordered, (BY_TIME,)

    def shortest_metres(self, route: Route) -> float:
        """Length of a route by the shortest ways."""
        if not route.stops:
            return 0.0
        order = [self.reach.start, *route.stops, self.reach.end]
        return sum(self.reach.walks.between(a, b).metres for a, b in pairwise(order))

    def _legs(self, route: Route) -> tuple[Leg, ...]:
        """Walks from the gate over the stops to the end, past more risk where it costs little.

        A leg may be longer than the shortest by the settings' `detour`, as far as the time that
        the window leaves over goes.
        """
        if not route.stops:
            return ()
        spare = (self.latest_end_minutes - route.end_minutes) * self.speed
        legs = []
        for start, end in pairwise([self.reach.start, *route.stops, self.reach.end]):
            shortest = self.reach.walks.metres[start, end]
            more = max(0.0, min(self.settings.detour * shortest, spare - SPARE_METRES))
            leg, cost_metres = self._richest_leg(start, end, float(shortest + more))
            spare -= cost_metres - shortest
            legs.append(leg)
        return tuple(legs)

    def _richest_leg(self, start: int, end: int, longest_metres: float) -> tuple[Leg, float]:
        """The leg that passes most risk within a limit, and what its walk costs.

        Variants share many legs with the best patrol.
        """
        key = (start, end, longest_metres)
        if key not in self._legs_known:
            walk = self.reach.walks.richest(start, end, self.gain, longest_metres=longest_metres)
            self._legs_known[key] = (self._leg(walk), walk.cost_metres)
        return self._legs_known[key]

    @cached_property
    def _legs_known(self) -> dict[tuple[int, int, float], tuple[Leg, float]]:
        return {}

    def _stops(self, route: Route, legs: tuple[Leg, ...]) -> tuple[tuple[Stop, ...], float]:
        """Stops with their times, and the time at the end, as the legs are walked."""
        now = self.gate_until_minutes
        stops = []
        for stop, leg in zip(route.stops, legs, strict=False):
            arrive = now + leg.minutes
            now = arrive + self.settings.dwell_minutes
            stops.append(self._stop(stop - 1, arrive, now))
        return tuple(stops), now + legs[-1].minutes if legs else now

    def _stop(self, candidate: int, arrive_minutes: float, leave_minutes: float) -> Stop:
        x, y = self.reach.network.xy(self.reach.stops.take([candidate]))[0]
        row, tasking = self.reach.candidates[candidate], self._tasking(candidate)
        if row >= 0:
            name, place, reasons = self._told[candidate]
            why = tuple(reasons)
        else:
            name = str(self._place(candidate)["place_id"])
            place = describe(self.reach.network, self.reach.stops.take([candidate]))[0]
            why = ()
        return Stop(
            hotspot=name,
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
    def _told(self) -> list[tuple[str, str, list[str]]]:
        """Name, place and reasons of each candidate, to be looked at where it is a hotspot."""
        columns = pd.DataFrame(self.hotspots)[["hotspot", "place", "reasons"]]
        rows = columns.iloc[self.reach.candidates]
        return list(rows.itertuples(index=False, name=None))

    def _place(self, candidate: int) -> pd.Series:
        """The tasked place that a candidate stands for."""
        visited = self.tasked[self.tasked["must_visit"]]
        place: pd.Series = visited.iloc[self.reach.tasked[candidate]]
        return place

    def _tasking(self, candidate: int) -> str:
        if self.reach.tasked[candidate] < 0:
            return ""
        return _said(self._place(candidate))

    def _variant(self, other: Solution, best: Solution, notes: tuple[str, ...]) -> Variant:
        patrols = tuple(
            replace(self._patrol(route, other, (), notes), bound=best.bound, proven=best.proven)
            for route in other.routes
        )
        return Variant(
            worth_share=other.worth / best.worth if best.worth > 0 else 1.0,
            hotspots=tuple(stop.hotspot for patrol in patrols for stop in patrol.stops),
            patrols=patrols,
        )

    def past(self, names: frozenset[str], best: tuple[Patrol, ...]) -> Variant | None:
        """The best patrol that keeps off hotspots; None where none stops anywhere.

        Parameters
        ----------
        names
            The hotspots; one that must be visited is visited all the same.
        best
            The school's patrols, to compare with.
        """
        met = {stop.hotspot for patrol in best for stop in patrol.stops if stop.tasked}
        demanded = frozenset(stop for stop in self.demanded if self.name(stop) in met)
        stops = set(range(1, len(self.reach.candidates) + 1)) - demanded
        off = frozenset(stop for stop in stops if self.name(stop) in names)
        problem = self.problem(demanded)
        problem = replace(problem, barred=problem.barred | off)
        found = solve(problem, seed=self.area.settings.seed)
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
        made = self._variant(found, whole, self.notes([]))
        return replace(made, past=tuple(sorted(names)))

    def name(self, stop: int) -> str:
        """Name of the tasked place that a row of the problem stands for, else of its hotspot."""
        candidate = stop - 1
        if self.reach.tasked[candidate] >= 0:
            return str(self._place(candidate)["place_id"])
        return str(self.hotspots["hotspot"].iloc[self.reach.candidates[candidate]])

    def notes(self, missed: list[str]) -> tuple[str, ...]:
        """What was assumed for this school, what to keep away from, and what is out of reach."""
        notes = []
        if self.school["finish_assumed"]:
            notes.append(f"Finish time not known: {self.school['finish_time']} assumed.")
        if self.school["gate_assumed"]:
            notes.append("Gate not known: the nearest walkable street is taken.")
        if self.gate_until_minutes == self.start_minutes and self.settings.gate_minutes > 0:
            early = self.start_minutes < minutes_after_midnight(self.school["finish_time"])
            when = "Over before the pupils leave" if early else "Starts after the pupils have left"
            notes.append(f"{when}: no presence at the gate first.")
        if self.base_note:
            notes.append(self.base_note)
        notes += way_notes(self.area)
        barred = self.tasked[~self.tasked["must_visit"]]
        notes += [_keep_away(barred.iloc[row]) for row in range(len(barred))]
        notes += [f"Tasked place {name} is out of reach in this window." for name in missed]
        return tuple(notes)


def _keep_away(place: pd.Series) -> str:
    return f"Keep away from {place['place_id']}: {_said(place)}."


def _said(place: pd.Series) -> str:
    """Reason, who asks, and until when."""
    until = f"{place['to'].day} {place['to']:%B %Y}"
    return f"{place['reason']} (asked by {place['by']}, until {until})"


def school_case(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    row: int,
    *,
    labels: NDArray[np.object_],
    window: Window,
    date: dt.date | None = None,
    rhythm: Rhythm | None = None,
    around: Surroundings | None = None,
) -> SchoolCase:
    """What one school's patrols are made from.

    Parameters
    ----------
    area, risk, hotspots, window, date
        As for `plan_patrols`.
    row
        Row of the area's schools.
    labels
        (p,) what each piece of the area's network is called.
    rhythm
        When each hotspot is at its worst, see `patrolplan.patrols.rhythm.rhythm_of`.
    around
        What lies around the school's gate, where it is known already.
    """
    around = surroundings_of(area, row, window) if around is None else around
    school = area.schools.iloc[row]
    tasked = tasked_for(area, str(school["urn"]), date)
    reach = reach_of(
        area,
        risk,
        hotspots,
        around,
        must_visit=tasked[tasked["must_visit"]],
        barred=tasked[~tasked["must_visit"]],
    )
    settings, base = area.settings.patrol, around.base
    by_bicycle = settings.way == "bicycle"
    return SchoolCase(
        area=area,
        hotspots=hotspots,
        school=school,
        tasked=tasked,
        reach=reach,
        labels=labels[reach.pieces],
        lit=area.network.piece_lit[reach.pieces],
        gain=risk.joined[reach.pieces],
        start_minutes=around.start_minutes,
        gate_until_minutes=around.start_minutes + around.gate_minutes,
        latest_end_minutes=around.start_minutes + around.window_minutes,
        base_note=around.base_note,
        approached=base is not None and settings.start == "base" and not base.starts,
        kinds=area.network.bicycle_ways[reach.pieces] if by_bicycle else None,
        rhythm=rhythm,
    )
