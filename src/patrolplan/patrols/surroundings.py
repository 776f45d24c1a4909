"""When and where a school's patrols start and end, and the streets around its gate.

Nothing here depends on risk or hotspots. The radius, and so the worth of a stop, is always measured
on foot, so that patrols on foot and by bicycle are comparable.
"""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, find_daylight
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.network import Positions, StreetNetwork, walking_effort
from patrolplan.network.graph import compute_piece_distances
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import compute_cycling_effort
from patrolplan.notes import Note
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, build_curve
from patrolplan.pupils.rolls import find_late
from patrolplan.settings import PatrolSettings
from patrolplan.times import minutes_after_midnight

MIN_STOP_METRES_TO_BARRED = 150.0  # minimum distance from a barred place of a candidate's stretch

MAX_METRES = 600.0
"""Longest walk from the gate to a place without a reason of its own: tried on outcomes, nearer
places meet more of what happens to pupils (`benchmarks/after_school.py`)."""

ALL_LEFT = 0.99  # without clubs a patrol ends when this share of pupils have gone so far
EXTENT_MARGIN = 1.2  # greatest distance of walks from the gate, as a multiple of the radius


def build_way_notes(area: StudyArea) -> tuple[Note, ...]:
    """Notes on information about riding that the streets file lacks; empty for patrols on foot."""
    if not area.settings.patrol.travel.is_ridden:
        return ()
    notes = []
    if area.walking_extract:
        text = (
            "The streets file seems to be an extract for walking: roads and tracks for bicycles "
            "may be missing."
        )
        fix = "take streets with roads and cycle tracks: `patrolplan fetch`"
        notes.append(Note("walking_extract", text, "lead", fix=fix))
    if not (area.network.parts.ways["one_way"] != 0).any():
        text = "The streets file marks no one-way streets: look out for them."
        notes.append(Note("no_one_way_streets", text, "officer"))
    return tuple(notes)


@dataclass(frozen=True)
class PatrolHours:
    """A school's part of a window, in minutes."""

    start_minutes: float  # start, in minutes after midnight
    gate_minutes: float  # presence at the gate at the beginning
    total_minutes: float  # total length, including the presence
    wait_minutes: float = 0.0  # how long the window begins before the patrol
    gate_last_minutes: float = 0.0  # presence at the gate at the end, until the end of the window
    is_cut: bool = False  # whether it ends before the window does, when no pupils are left

    @property
    def gate_until_minutes(self) -> float:
        """End of the presence at the gate, after midnight."""
        return self.start_minutes + self.gate_minutes

    @property
    def latest_end_minutes(self) -> float:
        """End of the window, after midnight."""
        return self.start_minutes + self.total_minutes

    @property
    def latest_back_minutes(self) -> float:
        """Latest end of the stops and of the way from them, after midnight."""
        return self.latest_end_minutes - self.gate_last_minutes


def compute_hours(area: StudyArea, school: pd.Series, window: Window) -> PatrolHours:
    """Start of a school's patrol, its presence at the gate, and its length."""
    # The presence is for pupils who leave, or arrive: in a window before the bell it starts at the
    # bell; around the opening bell it ends with it, and the stops are in the longer part. Where no
    # pupils stay for clubs, patrols that begin as pupils leave end when all have gone: by when they
    # leave, not by where they walk, which no time on a card may reveal.
    hours, settings = _compute_window_hours(area, school, window), area.settings.way_home
    late = find_late(settings, school)
    bell = minutes_after_midnight(school["finish_time"])
    if late[0] or window.at_gate or window.is_about_opening:
        return hours
    gone = build_curve(settings.leave_minutes, late).find_minutes(ALL_LEFT)
    gone = bell + np.ceil(gone + MAX_METRES / PUPIL_METRES_PER_MINUTE)
    begins_late = hours.start_minutes > bell + area.settings.patrol.gate_minutes
    if begins_late or gone >= hours.latest_end_minutes:
        return hours
    length = max(hours.gate_minutes, float(gone) - hours.start_minutes)
    return replace(hours, total_minutes=length, is_cut=True)


def _compute_window_hours(area: StudyArea, school: pd.Series, window: Window) -> PatrolHours:
    """Hours in the whole window, see `compute_hours`."""
    start, presence = window.find_start(school), area.settings.patrol.gate_minutes
    if window.at_gate:
        return PatrolHours(start, window.minutes, window.minutes)
    if window.is_about_opening:
        return _compute_opening_hours(start, window, presence)
    bell = minutes_after_midnight(school["finish_time"])
    if window.start_minutes is None and window.before_minutes and presence:
        presence = min(window.before_minutes + presence, window.minutes)
        return PatrolHours(start, presence, window.minutes)
    wait = max(0.0, bell - start)
    presence -= max(0.0, start - bell)
    if presence <= 0 or window.minutes < wait + presence:
        return PatrolHours(start, 0.0, window.minutes)
    return PatrolHours(start + wait, presence, window.minutes - wait, wait)


def _compute_opening_hours(start: float, window: Window, presence: float) -> PatrolHours:
    """Hours of a window around the opening bell, see `compute_hours`."""
    before = window.before_minutes
    if not presence or not before:
        return PatrolHours(start, 0.0, window.minutes)
    if before - presence > window.after_minutes:
        return PatrolHours(start, 0.0, before, gate_last_minutes=presence)
    return PatrolHours(start, before, window.minutes)


def compute_extent(area: StudyArea) -> float:
    """Distance from a gate up to which streets are taken, in metres in a straight line."""
    return EXTENT_MARGIN * area.settings.patrol.radius_metres


def find_tasked_places(
    area: StudyArea, row: int, date: dt.date | None, metres: float, hours: PatrolHours
) -> gpd.GeoDataFrame:
    """Tasked places of a school, by its row, in its hours on a day; those for all only if near."""
    places = area.tasked_places
    if places.empty:
        return places
    urn = str(area.schools["urn"].iloc[row])
    gate = shapely.points(area.network.xy(area.gates.take([row])))[0]
    near = shapely.distance(places.geometry.values, gate) <= metres
    rows = zip(places["schools"], near, strict=True)
    theirs = [urn in urns or (ALL_SCHOOLS in urns and is_near) for urns, is_near in rows]
    wanted = np.array(theirs, dtype=bool) & is_in_force(places, date)
    return places[wanted & is_during(places, hours)].reset_index(drop=True)


def is_during(places: gpd.GeoDataFrame, hours: PatrolHours) -> Bools:
    """Which places have hours that overlap those of a patrol; those without hours always do."""
    after = places["to_minutes"].to_numpy() <= hours.start_minutes
    before = places["from_minutes"].to_numpy() >= hours.latest_end_minutes
    return np.asarray(~(after | before))


def is_in_force(places: gpd.GeoDataFrame, date: dt.date | None) -> Bools:
    """Which tasked places apply on a day (None: all); those for all school days at weekends too."""
    if date is None:
        return np.ones(len(places), dtype=bool)
    day = pd.Timestamp(date)
    wanted = {*WEEKDAYS[date.weekday() : date.weekday() + 1]} or {*WEEKDAYS}
    on_weekday = np.array([wanted.issubset(days) for days in places["weekdays"]], dtype=bool)
    return np.asarray((places["from"] <= day) & (day <= places["to"]) & on_weekday)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Streets around one gate."""

    network: StreetNetwork  # streets around the gate
    pieces: Ints  # (q,) of the area's walkable network
    settings: PatrolSettings  # settings for walking or riding along them
    gate: Positions  # the gate, on `network`
    extent_metres: float  # from the gate in a straight line; all streets within are included

    @cached_property
    def effort(self) -> Floats:
        """(q, 2) cost per metre of each piece: of riding or pushing; on foot waits as metres."""
        travel, walking_kmh = self.settings.travel, self.settings.walking_speed_kmh
        if travel.is_ridden:
            return compute_cycling_effort(
                self.network.bicycle_ways,
                riding_kmh=travel.find_speed_kmh(walking_kmh),
                walking_kmh=walking_kmh,
            )
        speed = self.settings.metres_per_minute
        effort = walking_effort.compute_crossing_effort(self.network, speed)
        return np.tile(effort, (2, 1)).T

    def find_walks(self, places: Positions, effort: Floats, *, is_dark: bool) -> WalkFinder:
        """Walks between places, with this cost per metre of each piece."""
        if self.settings.travel.is_ridden:
            return WalkFinder(self.network, places, effort=effort)
        # If any of a patrol is after dark, all of it prefers the lit ways.
        factor = walking_effort.compute_preference(self.network, is_dark=is_dark)
        turn = walking_effort.TURN_METRES
        return WalkFinder(self.network, places, effort=effort, preference=factor, turn_metres=turn)

    @cached_property
    def gate_metres(self) -> Floats:
        """(q,) walking distance from the gate to the nearer end of each piece."""
        return compute_piece_distances(self.network, self.gate)

    def spread_walks(self, count: int, limit_metres: float) -> Floats:
        """(count,) walk to each piece of the walkable network, 0 to its own; inf beyond a limit."""
        metres = np.full(count, np.inf)
        is_near = self.gate_metres <= limit_metres
        metres[self.pieces[is_near]] = self.gate_metres[is_near]
        metres[self.pieces[self.gate.piece]] = 0.0
        return metres

    @cached_property
    def round_trip_metres(self) -> Floats:
        """(q,) least metres at full speed from the gate to each piece and back."""
        ways = (self.effort, self.effort[:, ::-1])
        out, back = (compute_piece_distances(self.network, self.gate, effort=way) for way in ways)
        return out + back


def build_surroundings(area: StudyArea, row: int) -> Surroundings:
    """The surroundings of a school's gate, by its row."""
    network = area.network.walkable
    gate = area.gates.take([row])
    extent_metres = compute_extent(area)
    near = network.find_pieces_within(network.xy(gate)[0], extent_metres)
    pieces = np.union1d(near, gate.piece)  # the gate is on a street, however small the extent
    return Surroundings(
        network=network.take(pieces),
        pieces=pieces,
        settings=area.settings.patrol,
        gate=gate.map_to_subnetwork(pieces),
        extent_metres=extent_metres,
    )


def find_dark(area: StudyArea, hours: PatrolHours, date: dt.date | None) -> bool:
    """Whether patrols may end after sunset, or begin before sunrise; not where no day is given."""
    daylight = find_daylight(area, date)
    return daylight is not None and daylight.is_dark(hours.start_minutes, hours.latest_end_minutes)
