"""One school's orienteering problem, and what its stops stand for.

Everything that schools are planned from, as it is sent to those who share the work.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network.names import describe_positions
from patrolplan.patrols.plan import BarredPlace
from patrolplan.patrols.reach import CLOSED_STREET_METRES, ReachableStops, find_reachable_stops
from patrolplan.patrols.solver.solve import Officer, OrienteeringProblem, Route
from patrolplan.patrols.stop_order import TimeProfile
from patrolplan.patrols.surroundings import Surroundings, build_surroundings, find_tasked_places
from patrolplan.patrols.windows import (
    Window,
    build_way_notes,
    compute_speed,
    minutes_after_midnight,
)
from patrolplan.risk.estimate import Risk
from patrolplan.settings import PatrolSettings


@dataclass(frozen=True, eq=False)
class SchoolProblem:
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
    dated
        Whether the patrols are for a day, on which only some tasked places count.
    """

    area: StudyArea
    hotspots: gpd.GeoDataFrame
    school: pd.Series
    tasked_places: gpd.GeoDataFrame
    reach: ReachableStops
    piece_labels: NDArray[np.object_]
    piece_lit: NDArray[np.object_]
    piece_risk: NDArray[np.float64]
    start_minutes: float
    gate_until_minutes: float
    latest_end_minutes: float
    base_note: str = ""
    comes_from_base: bool = False
    bicycle_ways: NDArray[np.int8] | None = None
    time_profile: TimeProfile | None = None
    has_date: bool = False

    @property
    def settings(self) -> PatrolSettings:
        """The patrol settings."""
        return self.area.settings.patrol

    @property
    def speed(self) -> float:
        """Metres a minute at full speed."""
        return compute_speed(self.settings)

    @property
    def must_visit_rows(self) -> frozenset[int]:
        """Rows of the tasked places that must be visited."""
        return frozenset((np.flatnonzero(self.reach.tasked_rows >= 0) + 1).tolist())

    def build_problem(self, mandatory: frozenset[int] = frozenset()) -> OrienteeringProblem:
        """The orienteering problem of this school's officers."""
        worth = self.reach.worth
        rows = len(self.reach.walks.metres)
        prizes, dwell = np.zeros(rows), np.zeros(rows)
        prizes[1 : len(worth) + 1] = worth
        dwell[1 : len(worth) + 1] = self.settings.dwell_minutes
        officer = Officer(
            start=self.reach.start_position,
            end=self.reach.end_position,
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

    def compute_shortest_metres(self, route: Route) -> float:
        """Length of a route by the shortest ways."""
        if not route.stops:
            return 0.0
        order = [self.reach.start_position, *route.stops, self.reach.end_position]
        return sum(self.reach.walks.find_shortest(a, b).metres for a, b in pairwise(order))

    def find_tasked_place(self, candidate: int) -> pd.Series:
        """The tasked place that a candidate stands for."""
        visited = self.tasked_places[self.tasked_places["must_visit"]]
        place: pd.Series = visited.iloc[self.reach.tasked_rows[candidate]]
        return place

    def explain_unvisited(self, stops: Iterable[int] = ()) -> list[str]:
        """Which tasked places are no stop, and why: those of some rows of the problem, and more.

        The others are those that lie beyond the school's streets.
        """
        visited = self.tasked_places[self.tasked_places["must_visit"]]
        barred = self.tasked_places[~self.tasked_places["must_visit"]]
        beyond = visited["place_id"].iloc[self.reach.outside_rows]
        said = [f"{name} lies beyond this school's streets" for name in beyond]
        for stop in sorted(stops):
            place = self.find_tasked_place(stop - 1)
            near = barred["place_id"][barred.distance(place.geometry) <= CLOSED_STREET_METRES]
            why = [f"is kept away from: {name} is barred" for name in near]
            said.append(f"{self.get_place_id(stop)} {[*why, 'does not fit into the window'][0]}")
        return said

    def get_place_id(self, stop: int) -> str:
        """Short name of the tasked place that a row of the problem stands for."""
        return str(self.find_tasked_place(stop - 1)["place_id"])

    def get_stop_name(self, stop: int) -> str:
        """What a patrol's stop there is called: the hotspot, else the tasked place.

        A tasked place on a hotspot's stretch is that hotspot, see `place_id` for its own name.
        """
        row = self.reach.hotspot_rows[stop - 1]
        return self.get_place_id(stop) if row < 0 else str(self.hotspots["hotspot"].iloc[row])

    def build_notes(self, unvisited: list[str]) -> tuple[str, ...]:
        """What was assumed for this school, and which tasked places are not visited."""
        notes = []
        if self.school["finish_assumed"]:
            notes.append(f"Finish time not known: {self.school['finish_time']} assumed.")
        if self.school["gate_assumed"]:
            notes.append("Gate not known: the nearest walkable street is taken.")
        if self.gate_until_minutes == self.start_minutes and self.settings.gate_minutes > 0:
            bell = minutes_after_midnight(self.school["finish_time"])
            when = "Starts after the pupils have left"
            if self.start_minutes < bell:
                over = "before" if self.latest_end_minutes <= bell else "as"
                when = f"Over {over} the pupils leave"
            notes.append(f"{when}: no presence at the gate first.")
        if self.reach.surroundings.hours.wait_minutes:
            notes.append("The window begins before the bell: the patrol starts as pupils leave.")
        if self.base_note:
            notes.append(self.base_note)
        notes += build_way_notes(self.area)
        notes += [f"Tasked place {said}." for said in unvisited]
        barred = self.tasked_places[~self.tasked_places["must_visit"]]
        passed = barred["place_id"].iloc[self.reach.unavoidable_rows]
        notes += [f"Gate or base cannot be reached without passing {name}." for name in passed]
        if not self.has_date and len(self.tasked_places):
            notes.append("No day was named: make sure that what is tasked is still in force.")
        return tuple(notes)

    @cached_property
    def keep_away(self) -> tuple[BarredPlace, ...]:
        """The barred places that a patrol of this school could come near to."""
        barred = self.tasked_places[~self.tasked_places["must_visit"]]
        xy = shapely.get_coordinates(barred.geometry.values)
        network = self.reach.network
        apart = np.hypot(*(xy - network.xy(self.reach.gate)).T)
        here = np.flatnonzero(apart <= self.reach.surroundings.extent_metres + CLOSED_STREET_METRES)
        places = describe_positions(network, network.snap(xy[here])) if len(here) else []
        told = zip(barred["place_id"].iloc[here], xy[here], places, strict=True)
        return tuple(
            BarredPlace(
                str(place_id), float(x), float(y), place, describe_tasking(barred.iloc[row])
            )
            for row, (place_id, (x, y), place) in zip(here, told, strict=True)
        )


def describe_tasking(place: pd.Series) -> str:
    """Reason, who asks, and until when."""
    until = f"{place['to'].day} {place['to']:%B %Y}"
    return f"{place['reason']} (asked by {place['by']}, until {until})"


def build_school_problem(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    row: int,
    *,
    labels: NDArray[np.object_],
    window: Window,
    date: dt.date | None = None,
    time_profile: TimeProfile | None = None,
    surroundings: Surroundings | None = None,
) -> SchoolProblem:
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
        When each hotspot is at its worst, see
        `patrolplan.patrols.stop_order.estimate_time_profile`.
    around
        What lies around the school's gate, where it is known already.
    """
    surroundings = build_surroundings(area, row, window) if surroundings is None else surroundings
    school = area.schools.iloc[row]
    tasked = find_tasked_places(area, row, date, surroundings.extent_metres + CLOSED_STREET_METRES)
    reach = find_reachable_stops(
        area,
        risk,
        hotspots,
        surroundings,
        must_visit=tasked[tasked["must_visit"]],
        barred=tasked[~tasked["must_visit"]],
    )
    settings, base, hours = area.settings.patrol, surroundings.base, surroundings.hours
    by_bicycle = settings.way == "bicycle"
    return SchoolProblem(
        area=area,
        hotspots=hotspots,
        school=school,
        tasked_places=tasked,
        reach=reach,
        piece_labels=labels[reach.pieces],
        piece_lit=area.network.piece_lit[reach.pieces],
        piece_risk=risk.joined[reach.pieces],
        start_minutes=hours.start_minutes,
        gate_until_minutes=hours.start_minutes + hours.gate_minutes,
        latest_end_minutes=hours.start_minutes + hours.total_minutes,
        base_note=surroundings.base_note,
        comes_from_base=base is not None and settings.start == "base" and not base.is_start,
        bicycle_ways=area.network.bicycle_ways[reach.pieces] if by_bicycle else None,
        time_profile=time_profile,
        has_date=date is not None,
    )


@dataclass(frozen=True, eq=False)
class SharedInputs:
    """What stays the same for every school, whatever the risk.

    Parameters
    ----------
    area
        See `StudyArea.without_incidents`.
    labels
        (p,) what each piece of the area's network is called.
    window
        Of the patrols.
    """

    area: StudyArea
    labels: NDArray[np.object_]
    window: Window

    def build_surroundings(self, row: int) -> Surroundings:
        """What lies around one school's gate; `row` is that of the area's schools."""
        return build_surroundings(self.area, row, self.window)


@dataclass(frozen=True, eq=False)
class PlanningInputs:
    """Everything that one school after the other is planned from."""

    shared: SharedInputs
    risk: Risk
    hotspots: gpd.GeoDataFrame
    date: dt.date | None = None
    time_profile: TimeProfile | None = None

    def build_school_problem(
        self, row: int, surroundings: Surroundings | None = None
    ) -> SchoolProblem:
        """What one school's patrols are made from; `row` is that of the area's schools."""
        return build_school_problem(
            self.shared.area,
            self.risk,
            self.hotspots,
            row,
            labels=self.shared.labels,
            window=self.shared.window,
            date=self.date,
            time_profile=self.time_profile,
            surroundings=surroundings,
        )
