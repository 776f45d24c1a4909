"""One school's orienteering problem: the stops within reach, the walks between them, the hours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area.daylight import Daylight, find_daylight
from patrolplan.hotspots.ground import read_lighting
from patrolplan.network import Positions
from patrolplan.network.paths import WalkFinder
from patrolplan.notes import Note
from patrolplan.patrols.candidates import find_candidates
from patrolplan.patrols.designated import get_place
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.solver.solve import (
    GateStay,
    Officer,
    OrienteeringProblem,
    Route,
    TimedPrizes,
)
from patrolplan.patrols.stop_windows import build_stop_windows, format_hours
from patrolplan.patrols.surroundings import (
    Surroundings,
    build_surroundings,
    build_way_notes,
    compute_speed,
)
from patrolplan.patrols.tasked_places import SchoolPlaces, find_school_places, find_walks
from patrolplan.settings import PatrolSettings
from patrolplan.times import format_time, minutes_after_midnight

MAX_COST_OF_METRE = 4.0
"""Walks that cost more than this per metre are ignored in the search for near neighbours."""

HOTSPOT_NAME = re.compile(r"H[0-9]+( \(tasked\))*", re.IGNORECASE)
"""Names of hotspots in any plan, and names for tasked places that are derived from them."""

TASKED_ENDING = re.compile(r"( \(tasked\))+$")


@dataclass(frozen=True, eq=False)
class SchoolProblem:
    """Everything for building one school's patrols.

    Positions are numbered as rows of the orienteering problem: 0 is the gate, i + 1 is candidate i,
    and a base comes last.
    """

    inputs: PlanningInputs
    school: pd.Series
    """Row of the area's schools."""
    surroundings: Surroundings
    """Streets around the gate, and the hours."""
    tasked: SchoolPlaces
    """This school's tasked places, to visit or barred."""
    stops: Positions
    """(k,) stopping places of the candidates, on the streets around the gate."""
    walks: WalkFinder
    """Walks (or rides) between all positions."""
    hotspot_rows: NDArray[np.int64]
    """(k,) rows of the hotspots or beats, most risk first; -1 for a tasked place outside of
    hotspots."""
    worth: NDArray[np.float64]
    """(k,) risk of each candidate's stretch as a share of the risk within reach, the mean over the
    patrol's hours; 0 without one."""
    timed_prizes: TimedPrizes | None
    """Worth of a dwell by the minute at which it begins, for every position; None means always
    `worth`."""
    gate_stay: GateStay | None
    """The presence at the gate, if worth depends on the time; None if there is none."""
    tasked_rows: NDArray[np.int64]
    """(k,) row of `must_visit` at each candidate, -1 if none."""
    outside_rows: NDArray[np.int64]
    """Rows of `must_visit` beyond the school's streets, which have no candidate."""
    unavoidable_rows: NDArray[np.int64]
    """Rows of `barred` whose streets stay open, since gate or base can be reached only past
    them."""
    is_idle: bool
    """Whether no hotspot within the radius is worth walking."""
    start_position: int
    end_position: int

    @property
    def settings(self) -> PatrolSettings:
        """The patrol settings."""
        return self.inputs.area.settings.patrol

    @property
    def seed(self) -> int:
        """Seed of every search."""
        return self.inputs.area.settings.seed

    @property
    def must_visit(self) -> gpd.GeoDataFrame:
        """The tasked places to visit."""
        return self.tasked.must_visit

    @property
    def barred(self) -> gpd.GeoDataFrame:
        """The tasked places to keep away from."""
        return self.tasked.barred

    @cached_property
    def stop_lit(self) -> NDArray[np.object_]:
        """(k,) street lighting at the candidates."""
        return read_lighting(self.surroundings.network, self.stops.piece)

    @cached_property
    def daylight(self) -> Daylight | None:
        """When it is light on the day of the patrols; None if unknown."""
        return find_daylight(self.inputs.area, self.inputs.date)

    @cached_property
    def stop_minutes(self) -> NDArray[np.float64]:
        """(k,) dwell at the candidates; at a tasked place as requested."""
        return get_stop_minutes(self.settings, self.must_visit, self.tasked_rows)

    @property
    def must_visit_stops(self) -> frozenset[int]:
        """Positions of the candidates at the tasked places to visit."""
        return frozenset((np.flatnonzero(self.tasked_rows >= 0) + 1).tolist())

    def find_stops_at(self, hotspot: str) -> frozenset[int]:
        """The position of the candidate whose dwell covers a hotspot; empty if there is none."""
        stops = range(1, len(self.worth) + 1)
        return frozenset(stop for stop in stops if hotspot in self.list_covered(stop))

    @cached_property
    def plain_problem(self) -> OrienteeringProblem:
        """The problem of `build_problem` without mandatory stops."""
        return self.build_problem(frozenset())

    def build_problem(self, mandatory: frozenset[int]) -> OrienteeringProblem:
        """The orienteering problem of this school's officers."""
        count, positions = len(self.worth), len(self.walks.metres)
        prizes, dwell = np.zeros(positions), np.zeros(positions)
        prizes[1 : count + 1] = self.worth
        dwell[1 : count + 1] = self.stop_minutes
        hours = self.surroundings.hours
        officer = Officer(
            start=self.start_position,
            end=self.end_position,
            earliest_minutes=hours.gate_until_minutes
            if self.gate_stay is None
            else hours.start_minutes,
            latest_minutes=hours.latest_back_minutes,
        )
        travel = self.walks.metres / compute_speed(self.settings)
        return OrienteeringProblem(
            travel_minutes=np.where(self._find_near_pairs(mandatory), np.inf, travel),
            prizes=prizes,
            dwell_minutes=dwell,
            officer=officer,
            officer_count=self.settings.officers,
            windows=build_stop_windows(self),
            mandatory=mandatory,
            barred=frozenset({0, *range(count + 1, positions)}),
            timed_prizes=self.timed_prizes,
            gate=self.gate_stay,
        )

    def _find_near_pairs(self, mandatory: frozenset[int]) -> NDArray[np.bool_]:
        """(n, n) stops that are too near for a patrol to go directly from one to the other.

        They would be one beat if there were time to walk it. Pairs of mandatory stops are not
        excluded.
        """
        free = np.array([not {a, b} <= mandatory for a, b in self.near_pairs], dtype=bool)
        pairs = self.near_pairs[free]
        near = np.zeros(self.walks.metres.shape, dtype=bool)
        near[pairs, pairs[:, ::-1]] = True
        return near

    @cached_property
    def near_pairs(self) -> NDArray[np.int64]:
        """(m, 2) positions of candidates that are a walk of under `[patrol] beat_metres` apart."""
        stops, limit = slice(1, len(self.worth) + 1), self.settings.beat_metres
        cost, xy = self.walks.metres[stops, stops], self.surroundings.network.xy(self.stops)
        # A walk costs at least its length, and more without a pavement or lighting.
        apart = np.hypot(*(xy[:, None] - xy[None]).T)
        pairs = np.argwhere(np.triu((cost < MAX_COST_OF_METRE * limit) & (apart < limit), k=1))
        is_near = [
            cost[a, b] < limit or self.walks.find_shortest(a + 1, b + 1).metres < limit
            for a, b in pairs.tolist()
        ]
        return np.asarray(1 + pairs[np.array(is_near, dtype=bool)])

    def compute_shortest_metres(self, route: Route) -> float:
        """Length of a route by the shortest ways."""
        if not route.stops:
            return 0.0
        order = [self.start_position, *route.stops, self.end_position]
        return sum(self.walks.find_shortest(a, b).metres for a, b in pairwise(order))

    def get_tasked_place(self, stop: int) -> pd.Series:
        """The tasked place at a stop."""
        place: pd.Series = self.must_visit.iloc[self.tasked_rows[stop - 1]]
        return place

    def get_stop_name(self, stop: int) -> str:
        """Name of a stop: that of the hotspot, otherwise of the tasked place.

        A tasked place on a hotspot's stretch is part of that hotspot. Elsewhere, if its name is
        that of a hotspot, it becomes "H1 (tasked)": names identify stops in the week and in the
        ledger.
        """
        row = self.hotspot_rows[stop - 1]
        if row >= 0:
            return self.inputs.hotspot_names[int(row)]
        name = str(self.get_tasked_place(stop)["place_id"])
        is_taken = (
            HOTSPOT_NAME.fullmatch(name)
            or get_place(self.inputs.area, TASKED_ENDING.sub("", name)) is not None
        )
        return f"{name} (tasked)" if is_taken else name

    @cached_property
    def stop_by_name(self) -> dict[str, int]:
        """Position of each candidate, by name."""
        return {self.get_stop_name(stop): stop for stop in range(1, len(self.worth) + 1)}

    def list_covered(self, stop: int) -> tuple[str, ...]:
        """The hotspots that a dwell at a stop covers; for other places their own name."""
        row = self.hotspot_rows[stop - 1]
        beat = self.inputs.hotspots["beat"].iloc[row] if row >= 0 else ()
        return tuple(beat) or (self.get_stop_name(stop),)

    def list_walked(self, stop: int) -> list[list[int]]:
        """The pieces of each stretch that a dwell at a beat walks along."""
        row = self.hotspot_rows[stop - 1]
        beats = self.inputs.hotspots
        return [beats["pieces"].iloc[row]] if row >= 0 and beats["beat"].iloc[row] else []

    def _note_short_hours(self) -> list[Note]:
        """Notes on tasked places whose hours are shorter than a stop."""
        rows = np.sort(self.tasked_rows[self.tasked_rows >= 0])
        if not len(rows):
            return []
        places = self.must_visit.iloc[rows]
        dwell = places["minutes"].fillna(self.settings.dwell_minutes)
        short = places["to_minutes"] - places["from_minutes"] < dwell
        return [
            Note(
                "tasked_hours_short",
                {
                    "place": str(place["place_id"]),
                    "hours": format_hours(place),
                    "minutes": float(minutes),
                    "begins": format_time(place["from_minutes"]),
                },
            )
            for (_, place), minutes in zip(places[short].iterrows(), dwell[short], strict=True)
        ]

    def build_notes(self) -> tuple[Note, ...]:
        """Notes on what was assumed for this school."""
        notes: list[Note] = []
        if self.inputs.window.is_about_opening:
            if self.school["start_assumed"]:
                time = str(self.school["start_time"])
                notes.append(Note("opening_bell_assumed", {"time": time}))
        elif self.school["finish_assumed"]:
            notes.append(Note("bell_time_assumed", {"time": str(self.school["finish_time"])}))
        if self.school["gate_assumed"]:
            notes.append(Note("gate_assumed"))
        notes += self._note_presence()
        if self.surroundings.base_note is not None:
            notes.append(self.surroundings.base_note)
        notes += build_way_notes(self.inputs.area)
        notes += self._note_short_hours()
        passed = self.barred["place_id"].iloc[self.unavoidable_rows]
        notes += [Note("barred_place_passed", {"place": str(name)}) for name in passed]
        if self.inputs.date is None and len(self.tasked.places):
            notes.append(Note("no_date"))
        if self.inputs.timed_risk and self.inputs.risk.window not in {None, self.inputs.window}:
            notes.append(Note("other_window"))
        return tuple(notes)

    def _note_presence(self) -> list[Note]:
        """Notes on an unusual presence at the gate, or why there is none."""
        hours, window = self.surroundings.hours, self.inputs.window
        if hours.gate_last_minutes:
            times = (hours.latest_back_minutes, hours.latest_end_minutes)
            start, bell = map(format_time, times)
            return [Note("gate_before_opening", {"start": start, "bell": bell})]
        if hours.wait_minutes:
            return [Note("window_before_bell")]
        if hours.gate_minutes or not self.settings.gate_minutes:
            return []
        if window.is_about_opening:
            return [Note("starts_at_opening")]
        bell_minutes = minutes_after_midnight(self.school["finish_time"])
        if hours.start_minutes >= bell_minutes:
            return [Note("starts_after_pupils")]
        is_before = hours.latest_end_minutes <= bell_minutes
        return [Note("ends_before_pupils" if is_before else "ends_as_pupils_leave")]

    def note_gate_card(self) -> Note:
        """Why a patrol stays at the gate."""
        if self.inputs.window.at_gate:
            return Note("window_at_gate")
        if not self.is_idle:
            return Note("no_stop_in_time")
        values = {
            "metres": self.settings.radius_metres,
            "min_incidents": self.settings.min_incidents,
        }
        return Note("nothing_worth_walk", {**values})


def build_school_problem(
    inputs: PlanningInputs, row: int, *, visit: Sequence[str] = (), watch: Sequence[str] = ()
) -> SchoolProblem:
    """The problem of the school in a row of the area's schools.

    Walks between candidates avoid the streets near barred places. Tasked places are candidates only
    if `visit` names them, and the hotspots of `watch` even if they are not worth the walk.
    """
    area, settings, timed = inputs.area, inputs.area.settings.patrol, inputs.timed_risk
    around = build_surroundings(area, row, inputs.window, inputs.date)
    wanted = None if inputs.window.at_gate else tuple(visit)
    tasked = find_school_places(area, row, around, inputs.date, wanted)
    found = find_candidates(inputs, around, tasked.must_visit, tasked.barred, watch)
    walks, unavoidable_rows = find_walks(around, found.stops, tasked)
    if timed is None:
        in_radius = around.gate_metres <= settings.radius_metres
        risk_within = float(around.take_values(inputs.risk.joined)[in_radius].sum())
    else:
        risk_within = float(timed.reach[row])
    prizes, stay = None, None
    if timed is not None:
        dwell = get_stop_minutes(settings, tasked.must_visit, found.tasked_rows)
        prizes = timed.scale_prizes(row, found.hotspot_rows, dwell, len(walks.metres))
        if around.hours.gate_minutes > 0 and (
            inputs.window.at_gate or not inputs.window.is_about_opening
        ):  # a presence until the opening bell ends then, even if stops are worth more later
            stay = timed.build_gate_stay(row, settings.dwell_minutes, around.hours)
    base, base_position = around.base, len(found.stops) + 1
    return SchoolProblem(
        inputs=inputs,
        school=area.schools.iloc[row],
        surroundings=around,
        tasked=tasked,
        stops=found.stops,
        walks=walks,
        hotspot_rows=found.hotspot_rows,
        worth=found.amounts / risk_within if risk_within > 0 else np.zeros(len(found.amounts)),
        timed_prizes=prizes,
        gate_stay=stay,
        tasked_rows=found.tasked_rows,
        outside_rows=found.outside_rows,
        unavoidable_rows=unavoidable_rows,
        is_idle=found.is_idle,
        start_position=base_position if base is not None and base.is_start else 0,
        end_position=base_position if base is not None and base.is_end else 0,
    )


def get_stop_minutes(
    settings: PatrolSettings, must_visit: gpd.GeoDataFrame, tasked_rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(k,) dwell at stops: at a tasked place as requested, otherwise the settings' minutes."""
    minutes = np.full(len(tasked_rows), float(settings.dwell_minutes))
    at = np.flatnonzero(tasked_rows >= 0)
    own = must_visit["minutes"].to_numpy(dtype=np.float64)[tasked_rows[at]]
    minutes[at] = np.where(np.isnan(own), minutes[at], own)
    return minutes
