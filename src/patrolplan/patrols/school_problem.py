"""One school's orienteering problem: the stops within reach, the walks between them, the hours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area.patrol_window import Daylight, find_daylight
from patrolplan.area.square_names import name_places
from patrolplan.arrays import Bools, Floats, Ints, Objects
from patrolplan.hotspots import OWN
from patrolplan.hotspots.ground import read_lighting
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.notes import Note
from patrolplan.patrols import designated, tasked_places
from patrolplan.patrols.prize import GATE_DWELLS, PLACE_DWELLS, SchoolPrizes, find_earlier_visits
from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes
from patrolplan.patrols.surroundings import (
    MIN_STOP_METRES_TO_BARRED,
    PatrolHours,
    Surroundings,
    build_way_notes,
    compute_hours,
    compute_speed,
    find_dark,
)
from patrolplan.settings import PatrolSettings
from patrolplan.times import format_time, minutes_after_midnight

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Occasion, Planner

HOTSPOT_NAME = re.compile(r"H[0-9]+( \(tasked\))*", re.IGNORECASE)  # in any plan
GATE = "gate"  # name of the gate as a stop
TASKED_ENDING = re.compile(r"( \(tasked\))+$")


@dataclass(frozen=True, eq=False)
class Candidates:
    """(k,) visits that patrols of one school may make: a place that may be visited twice is two."""

    stops: Positions  # (k,) on the streets around the gate
    places: Ints  # (k,) number of the place: 0 is the gate; visits of one place agree
    hotspot_rows: Ints  # (k,) of the hotspot that it is at, or -1
    tasked_rows: Ints  # (k,) of the place to visit that it is, or -1
    rates: Floats  # (k, T) worth of each minute
    begins: Floats  # (k, 2) between which a dwell has enough own pupils, -inf and inf
    outside_rows: Ints  # rows of the places to visit beyond the school's streets


def find_candidates(
    planner: "Planner",
    row: int,
    occasion: "Occasion",
    hours: PatrolHours,
    tasked: tasked_places.SchoolPlaces,
    watch: Sequence[str] = (),
) -> Candidates:
    """The gate, hotspots and corners on own ways within a patrol's time, and places to visit."""
    # Hotspots to watch, feared, designated and tasked ones are candidates wherever they are within
    # the radius: they have a reason of their own. The officer stands at a tasked place.
    area, hotspots, around = planner.area, planner.hotspots, planner.get_streets(row)
    settings, must_visit = area.settings.patrol, tasked.must_visit
    prizes = planner.get_prizes(row, occasion.window)
    inside = np.flatnonzero(_is_on_own_streets(around, must_visit))
    tasked_of, on_hotspot = _match_places_to_stretches(
        designated.find_territories(area, hotspots), must_visit, inside
    )
    school = area.schools.iloc[row]
    names = {*watch, *(square.hotspot for square in planner.find_near_squares(row))}
    is_wanted = hotspots["hotspot"].isin(names) | (hotspots["kind"] != OWN) | (tasked_of >= 0)
    at = prizes.hotspot_rows
    wanted = np.append(is_wanted, False)[at]  # the last entry is that of corners, row -1
    chosen = prizes.is_own | wanted
    chosen &= _is_away_from_barred(planner, prizes, tasked.barred)
    chosen &= np.append(_is_in_force(planner, occasion, hours), True)[at]
    piece = np.searchsorted(around.pieces, prizes.positions.piece)
    spare = hours.latest_back_minutes - hours.gate_until_minutes - settings.dwell_minutes
    chosen &= around.round_trip_metres[piece] <= max(0.0, spare) * compute_speed(settings)
    if area.closed:
        ids = name_places(area.network.xy(prizes.positions), area.projection.crs)
        chosen &= ~np.isin(ids, list(area.closed))
    is_tasked = np.append(tasked_of >= 0, False)[at]
    chosen |= is_tasked
    has_gate = hours.gate_minutes > 0 or hours.gate_last_minutes > 0
    chosen[0] = has_gate and prizes.has_pupils
    if occasion.window.at_gate:
        chosen[:] = False
    elif has_gate and school["is_driven"]:
        chosen[1:] &= is_tasked[1:]
    visits = np.where(wanted & ~prizes.is_own, 1, PLACE_DWELLS)
    visits[is_tasked], visits[0] = 1, GATE_DWELLS
    kept = np.repeat(np.flatnonzero(chosen), visits[chosen])
    apart = inside[~on_hotspot[inside]]
    beyond = np.setdiff1d(np.unique(np.flatnonzero(tasked_of >= 0)), at)
    places = np.r_[kept, len(at) + np.arange(len(beyond) + len(apart))]
    hotspot_rows = np.r_[at[kept], beyond, np.full(len(apart), -1)].astype(np.int64)
    tasked_rows = np.append(tasked_of, -1)[at[kept]]
    tasked_rows = np.r_[tasked_rows, tasked_of[beyond], apart].astype(np.int64)
    own = prizes.positions.take(kept).map_to_subnetwork(around.pieces)
    points = shapely.get_coordinates(must_visit.geometry.values)
    there = around.network.snap(points) if len(points) else own.take(np.zeros(0, dtype=np.int64))
    both, number = concatenate_positions(own, there), np.arange(len(places))
    stops = both.take(np.where(tasked_rows >= 0, len(own) + tasked_rows, number))
    rates = np.zeros((len(places), prizes.rates.shape[1]))
    rates[: len(kept)] = prizes.rates[kept]
    begins = np.tile([-np.inf, np.inf], (len(places), 1))
    free = ~(wanted | is_tasked) & prizes.has_pupils & (np.arange(len(at)) > 0)
    for visit, place in enumerate(kept.tolist()):
        if free[place]:
            begins[visit] = prizes.find_begins(place, settings.dwell_minutes)
    outside = np.setdiff1d(np.arange(len(must_visit)), inside)
    return Candidates(stops, places, hotspot_rows, tasked_rows, rates, begins, outside)


def _is_away_from_barred(
    planner: "Planner", prizes: SchoolPrizes, barred: gpd.GeoDataFrame
) -> Bools:
    """(k,) places whose stretch, or corner, keeps its distance from barred places."""
    row = prizes.hotspot_rows
    shapes = np.array(shapely.points(planner.area.network.xy(prizes.positions)), dtype=object)
    stretches = np.asarray(planner.hotspots.geometry.values, dtype=object)
    shapes[row >= 0] = stretches[row[row >= 0]]
    near = tasked_places.find_near(shapes, barred, MIN_STOP_METRES_TO_BARRED)
    return np.asarray(~near.any(axis=0))


def _is_in_force(planner: "Planner", occasion: "Occasion", hours: PatrolHours) -> Bools:
    """Which hotspots apply on the day and in some of the patrol's hours; most always do."""
    area, names = planner.area, planner.hotspot_names
    resting = designated.find_resting(area, occasion.date)
    spans = designated.find_begin_spans(area, names, hours, area.settings.patrol.dwell_minutes)
    return np.asarray(~np.isin(names, list(resting)) & (spans != designated.NEVER).any(axis=1))


def _is_on_own_streets(around: Surroundings, places: gpd.GeoDataFrame) -> Bools:
    """Which places have their nearest street among the school's own, and not far from them."""
    # It surely is the nearest only if all streets within that distance are among the school's.
    xy = shapely.get_coordinates(places.geometry.values)
    if not len(xy):
        return np.zeros(0, dtype=bool)
    moved = around.network.snap(xy).moved_metres
    apart = np.hypot(*(xy - around.network.xy(around.gate)).T)
    spare = PIECE_METRES / 2  # streets are chosen by the middle of their pieces
    return np.asarray((moved <= MAX_SNAP_METRES) & (apart + moved + spare <= around.extent_metres))


def _match_places_to_stretches(
    stretches: Objects, places: gpd.GeoDataFrame, inside: Ints
) -> tuple[Ints, Bools]:
    """The place on each stretch (-1: none), and which places are on a stretch."""
    place_rows = np.full(len(stretches), -1, dtype=np.int64)
    for row in inside:
        metres = shapely.distance(stretches, places.geometry.iloc[row])
        metres[place_rows >= 0] = np.inf
        if len(metres) and metres.min() <= tasked_places.TASKED_METRES:
            place_rows[int(np.argmin(metres))] = row
    return place_rows, np.isin(np.arange(len(places)), place_rows)


@dataclass(frozen=True, eq=False)
class SchoolProblem:
    """Everything for building one school's patrols; position 0 is the gate, i + 1 candidate i."""

    planner: "Planner"
    row: int  # row of the area's schools
    occasion: "Occasion"
    school: pd.Series  # that row
    surroundings: Surroundings  # streets around the gate
    hours: PatrolHours
    tasked: tasked_places.SchoolPlaces  # this school's tasked places, to visit or barred
    found: Candidates  # (k,) the visits that may be made: row i + 1 of the problem is visit i
    walks: WalkFinder  # walks (or rides) between all positions
    unavoidable_rows: Ints  # of `barred`; the gate is reached only past them

    @property
    def settings(self) -> PatrolSettings:
        """The patrol settings."""
        return self.planner.area.settings.patrol

    @cached_property
    def stop_lit(self) -> Objects:
        """(k,) street lighting at the candidates."""
        return read_lighting(self.surroundings.network, self.found.stops.piece)

    @cached_property
    def daylight(self) -> Daylight | None:
        """When it is light on the day of the patrols; None if unknown."""
        return find_daylight(self.planner.area, self.occasion.date)

    @cached_property
    def stop_minutes(self) -> Floats:
        """(k,) dwell at the candidates; at a tasked place as requested."""
        rows = self.found.tasked_rows
        minutes = np.full(len(rows), float(self.settings.dwell_minutes))
        at = np.flatnonzero(rows >= 0)
        own = self.tasked.must_visit["minutes"].to_numpy(dtype=np.float64)[rows[at]]
        minutes[at] = np.where(np.isnan(own), minutes[at], own)
        return minutes

    @property
    def prizes(self) -> SchoolPrizes:
        """What standing is worth at the places of this school."""
        return self.planner.get_prizes(self.row, self.occasion.window)

    @property
    def must_visit_stops(self) -> frozenset[int]:
        """Positions of the candidates at the tasked places to visit."""
        return frozenset((np.flatnonzero(self.found.tasked_rows >= 0) + 1).tolist())

    def find_stops_at(self, hotspot: str) -> frozenset[int]:
        """The position of the first visit to a hotspot; empty if there is none."""
        stop = self.visits_by_name.get(hotspot, [])
        return frozenset(stop[:1])

    @cached_property
    def plain_problem(self) -> OrienteeringProblem:
        """The orienteering problem of this school's officers, without mandatory stops."""
        count, positions = len(self.found.places), len(self.walks.metres)
        dwell, rates = np.zeros(positions), np.zeros((positions, self.found.rates.shape[1] + 1))
        dwell[1 : count + 1] = self.stop_minutes
        np.cumsum(self.found.rates, axis=1, out=rates[1 : count + 1, 1:])
        follows = find_earlier_visits(np.r_[0, self.found.places])
        hours = self.hours
        return OrienteeringProblem(
            travel_minutes=self.walks.metres / compute_speed(self.settings),
            timed_prizes=TimedPrizes(self.prizes.first_minute, rates),
            dwell_minutes=dwell,
            earliest_minutes=hours.gate_until_minutes,
            latest_minutes=hours.latest_back_minutes,
            officer_count=self.settings.officers,
            windows=self.find_windows(),
            barred=frozenset({0}),
            follows=follows,
        )

    def find_windows(self) -> Floats | None:
        """(n, 2) earliest and latest begin of the dwell at each position; None if all are free."""
        # At tasked places only their own hours count; elsewhere daylight, unless a stop may be lit
        # or the settings allow the dark, and that enough own pupils pass.
        windows = np.tile([-np.inf, np.inf], (len(self.walks.metres), 1))
        light = np.tile([-np.inf, np.inf], (len(self.found.places), 1))
        dwell = self.settings.dwell_minutes
        if self.daylight is not None and self.settings.after_dark == "avoid":
            latest = self.daylight.sunset_minutes - dwell
            light[self.stop_lit == "no"] = self.daylight.sunrise_minutes, latest
        names = [self.get_stop_name(row + 1) for row in range(len(light))]
        spans = designated.find_begin_spans(self.planner.area, names, self.hours, dwell)
        for row, ((first, last), span) in enumerate(zip(light.tolist(), spans, strict=True)):
            if self.found.tasked_rows[row] >= 0:
                place, minutes = self.get_tasked_place(row + 1), float(self.stop_minutes[row])
                windows[row + 1] = designated.find_hours_of_begin(place, minutes)
            elif np.isfinite(span).any():
                # Hours that a force designates override the worth of late stops.
                lit = max(span[0], first), min(span[1], last)
                windows[row + 1] = lit if lit[0] <= lit[1] else designated.NEVER
            else:
                begin, end = self.found.begins[row]
                end = min(last, end)
                windows[row + 1] = min(max(first, begin), end), end
        return windows if np.isfinite(windows).any() else None

    def get_tasked_place(self, stop: int) -> pd.Series:
        """The tasked place at a stop."""
        place: pd.Series = self.tasked.must_visit.iloc[self.found.tasked_rows[stop - 1]]
        return place

    def get_stop_name(self, stop: int) -> str:
        """Name of a stop: that of the hotspot, of the tasked place, or the ID of the corner."""
        # Names identify stops in the week and in the ledger: a place with a hotspot's is marked.
        row = self.found.hotspot_rows[stop - 1]
        if row >= 0:
            return self.planner.hotspot_names[int(row)]
        if self.is_gate(stop):
            return GATE
        if self.found.tasked_rows[stop - 1] < 0:
            return self.place_ids[stop - 1]
        name = str(self.get_tasked_place(stop)["place_id"])
        theirs = designated.get_place(self.planner.area, TASKED_ENDING.sub("", name))
        is_taken = theirs is not None or HOTSPOT_NAME.fullmatch(name)
        return f"{name} (tasked)" if is_taken else name

    def is_gate(self, stop: int) -> bool:
        """Whether a stop is the gate again."""
        return bool(self.found.places[stop - 1] == 0)

    def find_place(self, stop: int) -> int | None:
        """Number of a stop's place among the prizes; None at a place that is only tasked."""
        place = int(self.found.places[stop - 1])
        return place if place < len(self.prizes.positions) else None

    @cached_property
    def place_ids(self) -> list[str]:
        """(k,) ID of the place of each candidate, see `name_places`."""
        network = self.surroundings.network
        return name_places(network.xy(self.found.stops), network.projection.crs)

    @cached_property
    def visits_by_name(self) -> dict[str, list[int]]:
        """Positions of the visits to each place, by name."""
        found: dict[str, list[int]] = {}
        for stop in range(1, len(self.found.places) + 1):
            found.setdefault(self.get_stop_name(stop), []).append(stop)
        return found

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
            notes.append(Note("gate_assumed", text, "lead", fix=fix, about=about))
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
    """The problem of a school, by its row; `visit` and `watch` name candidates beside the own."""
    area = planner.area
    school = area.schools.iloc[row]
    around = planner.get_streets(row)
    hours = compute_hours(area, school, occasion.window)
    wanted = None if occasion.window.at_gate else tuple(visit)
    tasked = tasked_places.find_school_places(area, row, around, hours, occasion.date, wanted)
    found = find_candidates(planner, row, occasion, hours, tasked, watch)
    is_dark = find_dark(area, hours, occasion.date)
    walks, unavoidable = tasked_places.find_walks(around, found.stops, tasked, is_dark=is_dark)
    return SchoolProblem(
        planner, row, occasion, school, around, hours, tasked, found, walks, unavoidable
    )
