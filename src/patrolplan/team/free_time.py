"""When officers are free for a patrol, and how long they take from their base to it.

On foot and by bicycle they go along the streets; by public transport and by car on the straight
line. Their mode only decides how they come to the gate: all patrols are made as `[patrol] way`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from scipy.sparse import csgraph

from patrolplan.area import StudyArea
from patrolplan.area.school_days import SATURDAY
from patrolplan.arrays import Bools, Floats
from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.network import concatenate_positions
from patrolplan.network.graph import build_street_graph
from patrolplan.network.pieces import join_both_ways
from patrolplan.notes import Note
from patrolplan.tables import STAFF
from patrolplan.team.problem import MINUTES_TOLERANCE
from patrolplan.text import join_words
from patrolplan.times import minutes_after_midnight
from patrolplan.travel import TRAVEL

OFF_STREET_FACTOR = 1.3
"""Walking distance over the straight line, for places off the mapped streets."""

MAX_SEARCH_METRES = 12_000.0
"""Beyond this, the straight line times `OFF_STREET_FACTOR` counts: officers do not come from so far
before a bell, and in a city the search would cover all streets for every officer."""
EARLY_MINUTES = 3.0  # before the patrol that who comes from a base plans to be at the gate


def find_set_out(start_minutes: ArrayLike, way_minutes: ArrayLike) -> Floats:
    """When to leave the base to be at a gate in time, and a little before; NaN where unknown."""
    way = np.asarray(way_minutes)
    return np.asarray(start_minutes - way - np.where(way > 0, EARLY_MINUTES, 0.0))


def compute_minutes_from_base(area: StudyArea, places_xy: Floats | None = None) -> Floats:
    """(k, n) minutes from each officer's base to each of (n, 2) places, by default the gates."""
    # Along the streets, up to `MAX_SEARCH_METRES`; where base or place is off them, the straight
    # line to the nearest street counts 1.3 times.
    network = area.network.walkable
    places = area.gates if places_xy is None else network.snap(places_xy)
    if places_xy is None:
        places_xy = area.network.xy(area.gates)
    bases_xy = shapely.get_coordinates(area.officers.geometry.values)
    bases = network.snap(bases_xy)
    spots = np.stack([bases.piece, bases.offset_metres], 1)
    unique, first, which = np.unique(spots, axis=0, return_index=True, return_inverse=True)
    ends = concatenate_positions(places, bases.take(first))
    graph = build_street_graph(network, ends, None)
    costs, _, _ = join_both_ways(graph.ends, graph.costs, graph.size)
    metres = np.empty((len(unique), len(places)))
    for row, base in enumerate(graph.places[len(places) :]):  # one by one, to save memory
        distance = csgraph.dijkstra(costs, indices=base, limit=MAX_SEARCH_METRES)
        metres[row] = distance[graph.places[: len(places)]]
    xy = network.xy(ends)
    straight = np.hypot(*(xy[len(places) :, None] - xy[: len(places)]).transpose(2, 0, 1))
    metres = np.where(np.isfinite(metres), metres, OFF_STREET_FACTOR * straight)
    moved = np.hypot(*(network.xy(places) - places_xy).T)
    total = metres[which.ravel()] + OFF_STREET_FACTOR * (bases.moved_metres[:, None] + moved)
    mode = area.officers["mode"].to_numpy()
    walking_kmh = area.settings.patrol.walking_speed_kmh
    speeds = {name: way.compute_metres_per_minute(walking_kmh) for name, way in TRAVEL.items()}
    speed = np.array([speeds[name] for name in mode]).reshape(-1, 1)
    minutes = total / speed
    # Of public transport and cars no more is known of the journey; no distance takes no time.
    direct = np.hypot(*(bases_xy[:, None] - places_xy).transpose(2, 0, 1))
    for name, way in TRAVEL.items():
        if way.overhead_minutes is not None:
            journey = way.overhead_minutes + direct[mode == name] / speeds[name]
            minutes[mode == name] = np.where(direct[mode == name] > 0, journey, 0.0)
    return np.asarray(minutes)


def note_modes(area: StudyArea) -> tuple[Note, ...]:
    """A note about officers who ride to patrols that are not ridden, or the reverse."""
    patrol, leads = area.settings.patrol.travel, area.officers[area.officers["role"] != STAFF]
    sentences, named = [], list[str]()
    for mode, officers in leads.groupby("mode", sort=False)["officer"]:
        way, names = TRAVEL[str(mode)], officers.astype(str).tolist()
        if way.is_ridden != patrol.is_ridden:
            goes, patrols = ("go", "patrol") if len(names) > 1 else ("goes", "patrols")
            to_gate = f"{join_words(names)} {goes} {way.words} to the gate and between schools"
            sentences.append(f"{to_gate}, and {patrols} {patrol.words}.")
            named += names
    text = " ".join(sentences)
    return (Note("other_mode", text, "lead", about={"officers": named}),) if named else ()


@dataclass(frozen=True)
class Appointment:
    """An appointment of an officer on a day, with the travel there and back."""

    officer: str
    date: dt.date
    kind: str  # of `patrolplan.inputs.duty_kinds.DUTY_KINDS`
    leave_minutes: float  # when they set out from the base
    from_minutes: float
    to_minutes: float
    back_minutes: float  # when they are back at the base
    urn: str = ""  # school where it is; empty where it is at none


@dataclass(frozen=True, eq=False)
class FreeTime:
    """Hours and appointments of officers (k) on days (d)."""

    area: StudyArea
    officers: tuple[str, ...]  # (k,) names, those of the table first
    days: Sequence[dt.date]

    @cached_property
    def hours(self) -> Floats:
        """(k, d, 2) duty from and to, NaN when off."""
        hours = np.full((len(self.officers), len(self.days), 2), np.nan)
        for row, officer in enumerate(self.area.officers[list(WEEKDAYS)].to_dict("records")):
            for number, day in enumerate(self.days):
                if duty := officer[WEEKDAYS[day.weekday()]]:
                    hours[row, number] = [*map(minutes_after_midnight, duty.split("-"))]
        return hours

    @cached_property
    def appointments(self) -> tuple[Appointment, ...]:
        """All of the officers' appointments in these days, by day and start."""
        table = self.area.duties
        dates = dict(zip(map(pd.Timestamp, self.days), self.days, strict=True))
        table = table[table["officer"].isin(self.officers) & table["date"].isin(list(dates))]
        if table.empty:
            return ()
        table = table.sort_values(["date", "from_minutes", "to_minutes"], kind="stable")
        names = ["officer", "date", "kind", "urn", "from_minutes", "to_minutes"]
        ways = self._compute_ways(table).tolist()
        rows = zip(*(table[name] for name in names), ways, strict=True)
        return tuple(
            Appointment(str(who), dates[date], str(kind), begin - way, begin, end, end + way, urn)
            for who, date, kind, urn, begin, end, way in rows
        )

    def _compute_ways(self, duties: gpd.GeoDataFrame) -> Floats:
        """(n,) minutes from the officer's base to each duty: to a school's gate, or to a point."""
        # None where its place is not known, and where there is no travel: on leave, or sick.
        area, ways = self.area, np.zeros(len(duties))
        officer = pd.Index(area.officers["officer"]).get_indexer(duties["officer"])
        school = pd.Index(area.schools["urn"]).get_indexer(duties["urn"])
        xy = np.column_stack([duties.geometry.x, duties.geometry.y])
        xy[school >= 0] = area.network.xy(area.gates)[school[school >= 0]]
        travelled = [name for name, kind in DUTY_KINDS.items() if kind.is_travelled]
        goes = (officer >= 0) & duties["kind"].isin(travelled).to_numpy() & ~np.isnan(xy[:, 0])
        if goes.any():
            minutes = compute_minutes_from_base(area, xy[goes])
            ways[goes] = minutes[officer[goes], np.arange(goes.sum())]
        return ways

    def fit(self, set_out: Floats, end: Floats, back: Floats) -> Bools:
        """(k, d, r) whether an officer is free for each route on each day."""
        # On duty from (k, r) setting out until its (r,) end, and without an appointment until (k,
        # r) back at the base, all in minutes after midnight.
        free = self.fit_hours(set_out, end)
        for one in self.appointments:
            row, day = self.officers.index(one.officer), self.days.index(one.date)
            free[row, day] &= ~_overlaps(one, set_out[row], back[row])
        return free

    def fit_hours(self, set_out: Floats, end: Floats) -> Bools:
        """(k, d, r) whether an officer is on duty for each route, appointments aside."""
        duty = self.hours[:, :, :, None]
        early = duty[:, :, 0] <= set_out[:, None, :] + MINUTES_TOLERANCE
        return np.asarray(early & (end <= duty[:, :, 1] + MINUTES_TOLERANCE))

    def find_clashes(
        self, officer: str, date: dt.date, leave: float, back: float
    ) -> tuple[Appointment, ...]:
        """An officer's appointments on a day between leaving and being back."""
        own = (one for one in self.appointments if (one.officer, one.date) == (officer, date))
        return tuple(one for one in own if _overlaps(one, leave, back))


def _overlaps(one: Appointment, set_out: ArrayLike, back: ArrayLike) -> Bools:
    """(r,) which of these spans have a part of an appointment and its ways."""
    begins, ends = one.leave_minutes + MINUTES_TOLERANCE, one.back_minutes - MINUTES_TOLERANCE
    return np.asarray(np.less(set_out, ends) & np.less(begins, back))


def list_school_days(start: dt.date) -> tuple[dt.date, ...]:
    """Days from a date to the Friday of its week; for a date at a weekend, the next week."""
    if start.weekday() >= SATURDAY:
        start += dt.timedelta(days=7 - start.weekday())
    return tuple(start + dt.timedelta(days=n) for n in range(SATURDAY - start.weekday()))
