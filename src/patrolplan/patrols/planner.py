"""Hotspots -> `Plan`: the best patrol of every school, timed and walked out."""

from dataclasses import dataclass
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.patrols.itinerary import leg_of
from patrolplan.patrols.orienteering import Officer
from patrolplan.patrols.orienteering import OrienteeringProblem
from patrolplan.patrols.orienteering import Route
from patrolplan.patrols.orienteering import Solution
from patrolplan.patrols.orienteering import solve
from patrolplan.patrols.orienteering import variants
from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.plans import Stop
from patrolplan.patrols.plans import Variant
from patrolplan.patrols.reach import Reach
from patrolplan.patrols.reach import metres_per_minute
from patrolplan.patrols.reach import reach_of
from patrolplan.places import street_labels
from patrolplan.risk.surface import Risk
from patrolplan.settings import PatrolSettings

VARIANTS = 3

SPARE_METRES = 1.0
"""Rounding may not carry a patrol over the end of its window."""


def plan_patrols(area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame) -> Plan:
    """Plan the patrols of every school in the area.

    From the gate at the bell: presence there first, then the stops that are worth most together
    within the window, each with its dwell, and back to the gate.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.

    Returns
    -------
    Plan
        With a bound on what is possible for every patrol, and its variants.

    Raises
    ------
    InputError
        When presence at the gate and one dwell do not fit into the window.
    """
    _check_window(area)
    labels = street_labels(area.network)
    patrols: list[Patrol] = []
    for row in range(len(area.schools)):
        reach = reach_of(area, risk, hotspots, area.gates.take([row]))
        school, names = area.schools.iloc[row], labels[reach.pieces]
        patrols += _SchoolCase(area, hotspots, school, reach, names, risk.joined).patrols()
    return Plan(area, risk, hotspots, tuple(patrols), area.left_out)


def _check_window(area: StudyArea) -> None:
    settings = area.settings.patrol
    if settings.gate_minutes > settings.window_minutes:
        what = (
            f"gate_minutes {settings.gate_minutes:g} is longer than "
            f"window_minutes {settings.window_minutes:g}"
        )
        where = "[patrol]"
        raise InputError.one(where, what, "make the window longer or the presence shorter")


@dataclass(frozen=True, eq=False)
class _SchoolCase:
    """One school's problem and how its solution becomes patrols.

    Row 0 of the problem is the gate, row i + 1 is candidate i of the reach.
    """

    area: StudyArea
    hotspots: gpd.GeoDataFrame
    school: pd.Series
    reach: Reach
    labels: NDArray[np.object_]
    """(q,) what each piece of the reach's network is called."""
    risk: NDArray[np.float64]
    """(p,) risk of each piece of the area's network."""

    @property
    def settings(self) -> PatrolSettings:
        return self.area.settings.patrol

    @property
    def start_minutes(self) -> float:
        """The bell."""
        return minutes_of(self.school["finish_time"])

    @property
    def gate_until_minutes(self) -> float:
        return self.start_minutes + self.settings.gate_minutes

    @property
    def latest_end_minutes(self) -> float:
        return self.start_minutes + self.settings.window_minutes

    @property
    def metres_per_minute(self) -> float:
        return metres_per_minute(self.settings.walking_speed_kmh)

    def patrols(self) -> list[Patrol]:
        """The best patrol of each officer."""
        problem, seed = self.problem(), self.area.settings.seed
        solution = solve(problem, seed=seed)
        others = variants(problem, solution, count=VARIANTS, seed=seed)
        told = tuple(self._variant(other, solution) for other in others)
        return [self._patrol(route, solution, told) for route in solution.routes]

    def problem(self) -> OrienteeringProblem:
        worth = self.reach.worth
        officer = Officer(
            start=0,
            end=0,
            earliest_minutes=self.gate_until_minutes,
            latest_minutes=self.latest_end_minutes,
        )
        return OrienteeringProblem(
            travel_minutes=self.reach.walks.metres / self.metres_per_minute,
            prizes=np.concatenate([[0.0], worth]),
            dwell_minutes=np.concatenate([[0.0], np.full(len(worth), self.settings.dwell_minutes)]),
            officers=(officer,) * self.settings.officers,
        )

    def _patrol(self, route: Route, solution: Solution, told: tuple[Variant, ...]) -> Patrol:
        x, y = self.reach.network.xy(self.reach.gate)[0]
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
            notes=self._notes(),
        )

    def _legs(self, route: Route) -> tuple[Leg, ...]:
        """Walks from the gate over the stops and back, past more risk where it costs little.

        A leg may be longer than the shortest by the settings' `detour`, as far as the time that
        the window leaves over goes.
        """
        if not route.stops:
            return ()
        walks, speed = self.reach.walks, self.metres_per_minute
        gain = self.risk[self.reach.pieces]
        spare = (self.latest_end_minutes - route.end_minutes) * speed
        legs = []
        for start, end in pairwise([0, *route.stops, 0]):
            shortest = walks.metres[start, end]
            more = max(0.0, min(self.settings.detour * shortest, spare - SPARE_METRES))
            walk = walks.richest(start, end, gain, longest_metres=shortest + more)
            spare -= walk.metres - shortest
            leg = leg_of(walk, self.labels, speed)
            legs.append(replace(leg, pieces=self.reach.pieces[leg.pieces]))
        return tuple(legs)

    def _stops(self, route: Route, legs: tuple[Leg, ...]) -> tuple[tuple[Stop, ...], float]:
        """Stops with their times, and the time back at the gate, as the legs are walked."""
        now = self.gate_until_minutes
        stops = []
        for stop, leg in zip(route.stops, legs, strict=False):
            arrive = now + leg.minutes
            now = arrive + self.settings.dwell_minutes
            stops.append(self._stop(stop - 1, arrive, now))
        return tuple(stops), now + legs[-1].minutes if legs else now

    def _stop(self, candidate: int, arrive_minutes: float, leave_minutes: float) -> Stop:
        hotspot = self.hotspots.iloc[self.reach.candidates[candidate]]
        return Stop(
            hotspot=hotspot["hotspot"],
            arrive_minutes=arrive_minutes,
            leave_minutes=leave_minutes,
            x=float(hotspot["stop"].x),
            y=float(hotspot["stop"].y),
            place=hotspot["place"],
            why=tuple(hotspot["reasons"]),
            worth=float(self.reach.worth[candidate]),
        )

    def _variant(self, other: Solution, best: Solution) -> Variant:
        names = self.hotspots["hotspot"].to_numpy()[self.reach.candidates]
        stops = tuple(str(names[stop - 1]) for route in other.routes for stop in route.stops)
        return Variant(other.worth / best.worth if best.worth > 0 else 1.0, stops)

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self.school["finish_assumed"]:
            notes.append(f"Finish time not known: {self.school['finish_time']} assumed.")
        if self.school["gate_assumed"]:
            notes.append("Gate not known: the nearest walkable street is taken.")
        return tuple(notes)


def minutes_of(clock: str) -> float:
    """Minutes after midnight of HH:MM.

    Examples
    --------
    >>> minutes_of("15:15")
    915.0
    """
    hours, minutes = clock.split(":")
    return 60.0 * int(hours) + int(minutes)
