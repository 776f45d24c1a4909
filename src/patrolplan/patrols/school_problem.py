"""One school's orienteering problem: the visits that may be made, walks between them, the hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area.patrol_window import Daylight, find_daylight
from patrolplan.arrays import Floats, Ints, Objects
from patrolplan.hotspots.ground import read_lighting
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.notes import Note
from patrolplan.patrols import designated, tasked_places
from patrolplan.patrols.choice import Case, choose_places, count_visits
from patrolplan.patrols.places import Place, StandingPlaces
from patrolplan.patrols.plan import GATE_ASSUMED
from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes
from patrolplan.patrols.surroundings import (
    PatrolHours,
    Surroundings,
    build_way_notes,
    compute_hours,
    find_dark,
)
from patrolplan.patrols.tasked_visits import is_on_own_streets, list_tasked
from patrolplan.settings import PatrolSettings
from patrolplan.times import format_time, minutes_after_midnight

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Occasion, Planner


@dataclass(frozen=True, eq=False)
class SchoolProblem:
    """Everything for building one school's patrols; stop 0 is the gate, stop i + 1 is visit i."""

    planner: "Planner"
    row: int  # row of the area's schools
    occasion: "Occasion"
    school: pd.Series  # that row
    surroundings: Surroundings  # streets around the gate
    hours: PatrolHours
    tasked: tasked_places.SchoolPlaces  # this school's tasked places, to visit or barred
    places: tuple[Place, ...]  # that may be visited, no two near each other
    visits: tuple[Place, ...]  # (k,) each place as often as it may be visited, in a row
    walks: WalkFinder  # walks (or rides) between all stops
    unavoidable_rows: Ints  # of `barred`; the gate is reached only past them

    @property
    def settings(self) -> PatrolSettings:
        """The patrol settings."""
        return self.planner.area.settings.patrol

    @property
    def standing(self) -> StandingPlaces:
        """All places of this school, and what a minute at each is worth."""
        return self.planner.get_places(self.row, self.occasion.window)

    @cached_property
    def positions(self) -> Positions:
        """(k,) where the visits are, on the streets around the gate."""
        return locate_visits(self.surroundings, self.visits)

    @cached_property
    def lighting(self) -> Objects:
        """(k,) street lighting at the visits."""
        return read_lighting(self.surroundings.network, self.positions.piece)

    @cached_property
    def daylight(self) -> Daylight | None:
        """When it is light on the day of the patrols; None if unknown."""
        return find_daylight(self.planner.area, self.occasion.date)

    @cached_property
    def outside(self) -> gpd.GeoDataFrame:
        """The tasked places to visit that are beyond the school's streets."""
        must_visit = self.tasked.must_visit
        return must_visit[~is_on_own_streets(self.surroundings, must_visit)]

    def get_visit(self, stop: int) -> Place:
        """The place of a stop."""
        return self.visits[stop - 1]

    @cached_property
    def stops_by_name(self) -> dict[str, list[int]]:
        """The stops at each place, by its name."""
        stops: dict[str, list[int]] = {}
        for stop, place in enumerate(self.visits, start=1):
            stops.setdefault(place.name, []).append(stop)
        return stops

    def find_place(self, name: str) -> Place:
        """The place of a name."""
        return self.get_visit(self.stops_by_name[name][0])

    @property
    def tasked_stops(self) -> frozenset[int]:
        """The stops at tasked places."""
        visits = enumerate(self.visits, start=1)
        return frozenset(stop for stop, place in visits if place.tasking is not None)

    def find_stops_at(self, hotspot: str) -> frozenset[int]:
        """The first visit to a hotspot; empty if it may not be visited."""
        return frozenset(self.stops_by_name.get(hotspot, [])[:1])

    @cached_property
    def plain_problem(self) -> OrienteeringProblem:
        """The orienteering problem of this school's officers, without mandatory stops."""
        nothing = np.zeros_like(self.standing.gate.rates)
        rates = np.array([nothing, *(place.rates for place in self.visits)])
        gathered = np.cumsum(np.column_stack([np.zeros(len(rates)), rates]), axis=1)
        hours = self.hours
        return OrienteeringProblem(
            travel_minutes=self.walks.metres / self.settings.metres_per_minute,
            timed_prizes=TimedPrizes(self.standing.first_minute, gathered),
            dwell_minutes=np.array([0.0, *(place.dwell_minutes for place in self.visits)]),
            earliest_minutes=hours.gate_until_minutes,
            latest_minutes=hours.latest_back_minutes,
            officer_count=self.settings.officers,
            windows=self.find_windows(),
            barred=frozenset({0}),
            follows=find_earlier_visits(self.visits),
        )

    def find_windows(self) -> Floats | None:
        """(k + 1, 2) earliest and latest begin of the dwell at each stop; None if all are free."""
        spans = [self._find_span(row) for row in range(len(self.visits))]
        windows = np.array([(-np.inf, np.inf), *spans])
        return windows if np.isfinite(windows).any() else None

    def _find_span(self, row: int) -> tuple[float, float]:
        """Between when a dwell at a visit may begin."""
        # At tasked places only their own hours count; elsewhere daylight, unless a stop may be lit
        # or the settings allow the dark, and that enough own pupils pass.
        place = self.visits[row]
        hours = designated.ALWAYS if place.hours is None else place.hours
        first, last = hours.find_begins(place.dwell_minutes)
        if place.tasking is not None:
            return first, last
        light = self._find_light(row)
        if hours != designated.ALWAYS:
            # Hours that a force designates override the worth of late stops.
            lit = max(first, light[0]), min(last, light[1])
            return lit if lit[0] <= lit[1] else designated.NEVER
        if place.is_asked or place.kind == "gate" or not self.standing.has_pupils:
            return light
        begin, end = self.standing.find_begins(place)
        end = min(light[1], end)
        return min(max(light[0], begin), end), end

    def _find_light(self, row: int) -> tuple[float, float]:
        """Between when a dwell at a visit may begin by the light."""
        is_free = self.settings.after_dark != "avoid" or self.lighting[row] != "no"
        if self.daylight is None or is_free:
            return -np.inf, np.inf
        latest = self.daylight.sunset_minutes - self.settings.dwell_minutes
        return self.daylight.sunrise_minutes, latest

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Notes on what was assumed for this school."""
        school, occasion, hours = self.school, self.occasion, self.hours
        urn, about = school["urn"], {"urns": [str(school["urn"])]}
        is_opening = occasion.window.is_about_opening
        cell, bell = ("start", "Opening bell") if is_opening else ("finish", "Finish time")
        notes: list[Note] = []
        if school[f"{cell}_assumed"]:
            text = f"{bell} not known: {school[f'{cell}_time']} assumed."
            fix = f"fill in {cell}_time of URN {urn} ([sources] bell_times)"
            notes.append(Note("bell_time_assumed", text, "lead", fix=fix, about=about))
        if school["gate_assumed"]:
            text = "Gate not known: nearest walkable street assumed."
            fix = f"fill in longitude and latitude of URN {urn} ([sources] gates)"
            notes.append(Note(GATE_ASSUMED, text, "lead", fix=fix, about=about))
        start, end = map(format_time, (hours.latest_back_minutes, hours.latest_end_minutes))
        if hours.gate_last_minutes:
            text = f"Be at the gate from {start} until the school opens at {end}."
            notes.append(Note("gate_before_opening", text, "officer"))
        elif hours.wait_minutes:
            text = "The window opens before the bell: the patrol starts as pupils leave."
            notes.append(Note("window_before_bell", text, "officer"))
        elif self.settings.gate_minutes and not hours.gate_minutes:
            is_late = hours.start_minutes >= minutes_after_midnight(school["finish_time"])
            when = "Starts after pupils have left" if is_late else "No pupils leave in this window"
            text = f"{when}, so no time is spent at the gate."
            notes.append(Note("not_at_gate", text, "officer"))
        if hours.is_cut:
            text = f"No pupils stay for clubs: the patrol ends at {end}, when all are gone."
            notes.append(Note("ends_when_all_left", text, "officer"))
        notes += build_way_notes(self.planner.area)
        for name in self.tasked.barred["place_id"].iloc[self.unavoidable_rows]:
            text = f"The gate, or the only way to it, is in sight of barred {name}."
            notes.append(Note("barred_place_passed", text, "officer"))
        if occasion.date is None and len(self.tasked.places):
            text = "No date given: check that tasked places still apply."
            notes.append(Note("no_date", text, "officer"))
        return tuple(notes)


def build_school_problem(
    planner: "Planner",
    row: int,
    occasion: "Occasion",
    *,
    visit: Sequence[str] = (),
    watch: Sequence[str] = (),
) -> SchoolProblem:
    """The problem of a school, by its row; `visit` and `watch` name places to send patrols for."""
    area = planner.area
    school = area.schools.iloc[row]
    around = planner.get_streets(row)
    hours = compute_hours(area, school, occasion.window)
    wanted = None if occasion.window.at_gate else tuple(visit)
    tasked = tasked_places.find_school_places(area, row, around, hours, occasion.date, wanted)
    case = Case(planner, row, occasion, hours, tasked, tuple(watch))
    places = choose_places(case, list_tasked(planner, around, tasked, case.standing))
    visits = tuple(place for place in places for _ in range(count_visits(place)))
    stops = locate_visits(around, visits)
    is_dark = find_dark(area, hours, occasion.date)
    walks, unavoidable = tasked_places.find_walks(around, stops, tasked, is_dark=is_dark)
    return SchoolProblem(
        planner=planner,
        row=row,
        occasion=occasion,
        school=school,
        surroundings=around,
        hours=hours,
        tasked=tasked,
        places=places,
        visits=visits,
        walks=walks,
        unavoidable_rows=unavoidable,
    )


def locate_visits(around: Surroundings, visits: Sequence[Place]) -> Positions:
    """(k,) where visits are, on the streets around a gate."""
    none = around.gate.take(np.zeros(0, dtype=np.int64))
    own = [place.position.map_to_subnetwork(around.pieces) for place in visits]
    return concatenate_positions(none, *own)


def find_earlier_visits(places: Sequence[object]) -> Ints:
    """(k + 1,) the stop before that is at the same place, -1 where it is not and at the start."""
    same = [place == before for before, place in pairwise(places)]
    earlier = [stop if is_same else -1 for stop, is_same in enumerate(same, start=1)]
    return np.array([-1, -1, *earlier][: len(places) + 1], dtype=np.int64)
