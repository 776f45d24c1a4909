"""One school's orienteering problem: the stops within reach, the walks between them, the hours.

`PlanningInputs` holds what all schools are planned from, and is what worker processes are sent;
`build_school_problem` picks out of it what concerns one school.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.area import StudyArea
from patrolplan.area.daylight import Daylight, find_daylight
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.hotspots.standing import read_lighting
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.names import describe_positions, label_streets
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.notes import Note, NoteKind, NoteValue
from patrolplan.patrols.beats import assess_walk, join_beats
from patrolplan.patrols.landmarks import Landmarks
from patrolplan.patrols.plan import BarredPlace, Tasking
from patrolplan.patrols.solver.solve import (
    GateStay,
    Officer,
    OrienteeringProblem,
    Route,
    TimedPrizes,
)
from patrolplan.patrols.stop_windows import build_stop_windows, find_hours_of_begin, format_hours
from patrolplan.patrols.surroundings import (
    MIN_STOP_METRES_TO_BARRED,
    Surroundings,
    build_surroundings,
    build_way_notes,
    compute_speed,
    find_tasked_places,
)
from patrolplan.patrols.timed_risk import TimedRisk
from patrolplan.risk.surface import Risk
from patrolplan.settings import PatrolSettings
from patrolplan.times import format_time, minutes_after_midnight
from patrolplan.worker_pool import EncipheredFields

MIN_WALK_METRES_TO_BARRED = 60.0
"""Streets this near to a barred place are not walked along."""

MAX_COST_OF_METRE = 4.0
"""Walks that cost more than this a metre are not looked at in the search for near neighbours."""

TASKED_METRES = 60.0
"""A tasked place this near to a hotspot's stretch is that hotspot."""


LEFT_OUT_WORDS: Mapping[str, str] = {
    "tasked_place_beyond": "{place} is beyond this school's streets",
    "tasked_place_near_barred": "{place} cannot be visited: barred place {barred} is too near",
    "tasked_hours_unmet": "{place} is for {hours}; the earliest arrival is {earliest}",
    "tasked_place_unfit": "{place} does not fit into the window",
}
"""What the list of all that is left out says of a tasked place, by the kind of its note."""

HOTSPOT_NAME = re.compile(r"H[0-9]+( \(tasked\))*", re.IGNORECASE)
"""Names that a hotspot has, in this plan or another, and those made of them for tasked places."""


@dataclass(frozen=True, eq=False)
class PlanningInputs(EncipheredFields):
    """Everything that one school after the other is planned from."""

    ENCIPHERED = ("hotspots", "timed_risk")
    """Worth of a short stretch, or of a minute, would show where pupils are."""

    area: StudyArea
    """See `StudyArea.strip_for_workers`."""
    risk: Risk
    hotspots: gpd.GeoDataFrame
    """One row a beat, see `patrolplan.patrols.beats`, and whether it `is_worth_walking`."""
    piece_labels: NDArray[np.object_]
    """(w,) what each piece of the area's walkable network is called."""
    window: Window
    date: dt.date | None = None
    """Day of the patrols, on which only some tasked places count; None: all of them count."""
    timed_risk: TimedRisk | None = None
    """Risk by minute of stretches and gates; None where the risk is the same at all times."""
    landmarks: Landmarks | None = None
    """What directions may name at a turn."""

    @classmethod
    def from_area(
        cls,
        area: StudyArea,
        risk: Risk,
        hotspots: gpd.GeoDataFrame,
        window: Window | None = None,
        date: dt.date | None = None,
        *,
        reach_window: Window | None = None,
        rows: Sequence[int] | None = None,
    ) -> Self:
        """What an area's schools are planned from; by default with the settings' own window.

        `rows` and `reach_window` are those of `TimedRisk.from_risk`.
        """
        window = window or resolve_window(area.settings.patrol)
        beats = join_beats(area, hotspots)
        stretches = [np.array(pieces, dtype=np.int64) for pieces in beats["pieces"]]
        return cls(
            area.strip_for_workers(),
            risk,
            beats.assign(is_worth_walking=assess_walk(area, risk, stretches)),
            label_streets(area.network.walkable),
            window,
            date,
            TimedRisk.from_risk(area, risk, beats, window, reach_window=reach_window, rows=rows),
            Landmarks.from_features(area.features),
        )


@dataclass(frozen=True, eq=False)
class SchoolProblem:
    """What one school's patrols are built from.

    Positions are numbered as rows of the orienteering problem: 0 is the gate, i + 1 is candidate i,
    and a base comes last.
    """

    inputs: PlanningInputs
    school: pd.Series
    """Row of the area's schools."""
    surroundings: Surroundings
    """Streets around the gate, and the hours."""
    tasked_places: gpd.GeoDataFrame
    """Tasked places of this school, to visit or barred."""
    stops: Positions
    """(k,) stopping places of the candidates, on the streets around the gate."""
    walks: WalkFinder
    """Walks (or rides) between all positions."""
    hotspot_rows: NDArray[np.int64]
    """(k,) rows of the hotspots or beats, most risk first; -1 for a tasked place that lies on no
    hotspot."""
    worth: NDArray[np.float64]
    """(k,) risk of each candidate's stretch as a share of the risk within reach, the mean over the
    patrol's hours; 0 without one."""
    timed_prizes: TimedPrizes | None
    """What a dwell is worth by the minute at which it begins, of every position; None: always
    `worth`."""
    gate_stay: GateStay | None
    """The presence at the gate, where worth depends on the time; None where there is none."""
    tasked_rows: NDArray[np.int64]
    """(k,) row of `must_visit` that a candidate stands for, -1 where none."""
    outside_rows: NDArray[np.int64]
    """Rows of `must_visit` that lie beyond the school's streets: no candidate stands for them."""
    unavoidable_rows: NDArray[np.int64]
    """Rows of `barred` whose streets stay open: gate or base are reached only past them."""
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

    @cached_property
    def must_visit(self) -> gpd.GeoDataFrame:
        """The tasked places to visit."""
        return select_tasked(self.tasked_places, must_visit=True)

    @cached_property
    def barred(self) -> gpd.GeoDataFrame:
        """The tasked places to keep away from."""
        return select_tasked(self.tasked_places, must_visit=False)

    @cached_property
    def stop_lit(self) -> NDArray[np.object_]:
        """(k,) street lighting at the candidates."""
        return read_lighting(self.surroundings.network, self.stops.piece)

    @cached_property
    def daylight(self) -> Daylight | None:
        """When it is light on the day of the patrols; None where that is not known."""
        return find_daylight(self.inputs.area, self.inputs.date)

    @property
    def must_visit_stops(self) -> frozenset[int]:
        """Positions of the candidates that must be visited."""
        return frozenset((np.flatnonzero(self.tasked_rows >= 0) + 1).tolist())

    def release_taskings(self, stops: Iterable[int]) -> "SchoolProblem":
        """The problem with these stops, where they are hotspots, as hotspots like all others."""
        tasked_rows = self.tasked_rows.copy()
        released = np.array(sorted(stops), dtype=np.int64) - 1
        tasked_rows[released[self.hotspot_rows[released] >= 0]] = -1
        return replace(self, tasked_rows=tasked_rows)

    def build_problem(self, mandatory: frozenset[int] = frozenset()) -> OrienteeringProblem:
        """The orienteering problem of this school's officers."""
        count, positions = len(self.worth), len(self.walks.metres)
        prizes, dwell = np.zeros(positions), np.zeros(positions)
        prizes[1 : count + 1] = self.worth
        dwell[1 : count + 1] = self.settings.dwell_minutes
        hours = self.surroundings.hours
        officer = Officer(
            start=self.start_position,
            end=self.end_position,
            earliest_minutes=hours.gate_until_minutes
            if self.gate_stay is None
            else hours.start_minutes,
            latest_minutes=self.surroundings.hours.latest_end_minutes,
        )
        travel = self.walks.metres / compute_speed(self.settings)
        return OrienteeringProblem(
            travel_minutes=np.where(self._find_near_pairs(mandatory), np.inf, travel),
            prizes=prizes,
            dwell_minutes=dwell,
            officers=(officer,) * self.settings.officers,
            windows=build_stop_windows(self),
            mandatory=mandatory,
            barred=frozenset({0, *range(count + 1, positions)}),
            timed_prizes=self.timed_prizes,
            gate=self.gate_stay,
        )

    def _find_near_pairs(self, mandatory: frozenset[int]) -> NDArray[np.bool_]:
        """(n, n) stops so near to each other that no patrol goes straight from one to the other.

        They would be one beat, were there time to walk it. Two stops that are both mandatory are
        visited wherever they are.
        """
        free = np.array([not {a, b} <= mandatory for a, b in self.near_pairs], dtype=bool)
        pairs = self.near_pairs[free]
        near = np.zeros(self.walks.metres.shape, dtype=bool)
        near[pairs, pairs[:, ::-1]] = True
        return near

    @cached_property
    def near_pairs(self) -> NDArray[np.int64]:
        """(m, 2) positions of candidates with less than `[patrol] beat_metres` to walk between."""
        stops, limit = slice(1, len(self.worth) + 1), self.settings.beat_metres
        cost, xy = self.walks.metres[stops, stops], self.surroundings.network.xy(self.stops)
        # A walk costs at least its length, and more where it is not on a pavement in the light.
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
        """The tasked place that a stop stands for."""
        place: pd.Series = self.must_visit.iloc[self.tasked_rows[stop - 1]]
        return place

    def get_stop_name(self, stop: int) -> str:
        """What a stop is called: the hotspot, else the tasked place.

        A tasked place on a hotspot's stretch is that hotspot. One elsewhere whose name is that of
        a hotspot is called "H1 (tasked)": names tell stops apart, in the week and in the ledger.
        """
        row = self.hotspot_rows[stop - 1]
        if row >= 0:
            return str(self.inputs.hotspots["hotspot"].iloc[row])
        name = str(self.get_tasked_place(stop)["place_id"])
        return f"{name} (tasked)" if HOTSPOT_NAME.fullmatch(name) else name

    def list_covered(self, stop: int) -> tuple[str, ...]:
        """The hotspots that a dwell at a stop covers; a place that is none by its own name."""
        row = self.hotspot_rows[stop - 1]
        beat = self.inputs.hotspots["beat"].iloc[row] if row >= 0 else ()
        return tuple(beat) or (self.get_stop_name(stop),)

    def explain_unvisited(self, stops: Iterable[int] = ()) -> list[Note]:
        """Tasked places that are not visited, and why: beyond the streets, and some stops."""
        outside = self.must_visit["place_id"].iloc[self.outside_rows]
        beyond = [Note("tasked_place_beyond", {"place": str(name)}) for name in outside]
        return [*beyond, *map(self._explain_dropped, sorted(stops))]

    def _explain_dropped(self, stop: int) -> Note:
        """Why a stop that must be visited cannot be: a barred place, its hours, or no time."""
        place, barred = self.get_tasked_place(stop), self.barred
        values: dict[str, NoteValue] = {"place": str(place["place_id"])}
        near = barred["place_id"][barred.distance(place.geometry) <= MIN_WALK_METRES_TO_BARRED]
        if len(near):
            return Note("tasked_place_near_barred", {**values, "barred": str(near.iloc[0])})
        minutes = float(self.walks.metres[self.start_position, stop]) / compute_speed(self.settings)
        earliest = self.surroundings.hours.gate_until_minutes + minutes
        latest = find_hours_of_begin(place, self.settings.dwell_minutes)[1]
        if np.isfinite(earliest) and earliest > latest:
            values |= {"hours": format_hours(place), "earliest": format_time(np.ceil(earliest))}
            return Note("tasked_hours_unmet", values)
        return Note("tasked_place_unfit", values)

    def _note_short_hours(self) -> list[Note]:
        """Which tasked places of candidates have hours that are shorter than a stop."""
        dwell = self.settings.dwell_minutes
        places = self.must_visit.iloc[np.sort(self.tasked_rows[self.tasked_rows >= 0])]
        short = places["to_minutes"] - places["from_minutes"] < dwell
        return [
            Note(
                "tasked_hours_short",
                {
                    "place": str(place["place_id"]),
                    "hours": format_hours(place),
                    "minutes": dwell,
                    "begins": format_time(place["from_minutes"]),
                },
            )
            for _, place in places[short].iterrows()
        ]

    def build_notes(self, unvisited: Sequence[Note]) -> tuple[Note, ...]:
        """What was assumed for this school, and which tasked places are not visited."""
        notes: list[Note] = []
        hours = self.surroundings.hours
        if self.school["finish_assumed"]:
            notes.append(Note("bell_time_assumed", {"time": str(self.school["finish_time"])}))
        if self.school["gate_assumed"]:
            notes.append(Note("gate_assumed"))
        if hours.gate_minutes == 0 and self.settings.gate_minutes > 0:
            bell = minutes_after_midnight(self.school["finish_time"])
            kind: NoteKind = "starts_after_pupils"
            if hours.start_minutes < bell:
                is_before = hours.latest_end_minutes <= bell
                kind = "ends_before_pupils" if is_before else "ends_as_pupils_leave"
            notes.append(Note(kind))
        if hours.wait_minutes:
            notes.append(Note("window_before_bell"))
        if self.surroundings.base_note is not None:
            notes.append(self.surroundings.base_note)
        notes += build_way_notes(self.inputs.area)
        notes += [*self._note_short_hours(), *unvisited]
        passed = self.barred["place_id"].iloc[self.unavoidable_rows]
        notes += [Note("barred_place_passed", {"place": str(name)}) for name in passed]
        if self.inputs.date is None and len(self.tasked_places):
            notes.append(Note("no_date"))
        if self.inputs.timed_risk and self.inputs.risk.window not in {None, self.inputs.window}:
            notes.append(Note("other_window"))
        return tuple(notes)

    def note_gate_card(self) -> Note:
        """Why a patrol stays at the gate."""
        if not self.is_idle:
            return Note("no_stop_in_time")
        values = {
            "metres": self.settings.radius_metres,
            "min_incidents": self.settings.min_incidents,
        }
        return Note("nothing_worth_walk", {**values})

    @cached_property
    def keep_away(self) -> tuple[BarredPlace, ...]:
        """The barred places that a patrol of this school could come near to."""
        network, barred = self.surroundings.network, self.barred
        xy = shapely.get_coordinates(barred.geometry.values)
        metres = np.hypot(*(xy - network.xy(self.surroundings.gate)).T)
        near = metres <= self.surroundings.extent_metres + MIN_WALK_METRES_TO_BARRED
        barred, xy = barred[near], xy[near]
        places = describe_positions(network, network.snap(xy)) if len(barred) else []
        return tuple(
            BarredPlace(place=place, tasking=build_tasking(row), point=(float(x), float(y)))
            for (_, row), place, (x, y) in zip(barred.iterrows(), places, xy, strict=True)
        )


def build_tasking(place: pd.Series) -> Tasking:
    """What a row of the tasked places asks for."""
    return Tasking(
        place_id=str(place["place_id"]),
        reason=str(place["reason"]),
        by=str(place["by"]),
        until=place["to"].date(),
        hours=format_hours(place),
    )


def select_tasked(places: gpd.GeoDataFrame, *, must_visit: bool) -> gpd.GeoDataFrame:
    """Tasked places to visit, or the barred ones."""
    return places[places["must_visit"] == must_visit]


def build_school_problem(inputs: PlanningInputs, row: int) -> SchoolProblem:
    """What the patrols of the school in a row of the area's schools are built from.

    Candidates are the hotspots within the radius that a patrol has time for, and the tasked places
    to visit. A place to visit that lies on a hotspot's stretch is that hotspot, and one stands at
    the place; another hotspot whose stretch is near a barred place is not a candidate, and walks go
    round the streets there.
    """
    area, hotspots, settings = inputs.area, inputs.hotspots, inputs.area.settings.patrol
    around = build_surroundings(area, row, inputs.window, inputs.date)
    near_metres = around.extent_metres + MIN_WALK_METRES_TO_BARRED
    tasked = find_tasked_places(area, row, inputs.date, near_metres, around.hours)
    must_visit = select_tasked(tasked, must_visit=True)
    barred = select_tasked(tasked, must_visit=False)
    pieces, base = around.pieces, around.base
    in_radius = around.gate_metres <= settings.radius_metres
    timed = inputs.timed_risk
    risk_within = (
        float(around.take_values(inputs.risk.joined)[in_radius].sum())
        if timed is None
        else float(timed.reach[row])
    )
    walking_minutes = around.hours.after_gate_minutes - settings.dwell_minutes
    in_time = around.round_trip_metres <= max(0.0, walking_minutes * compute_speed(settings))

    is_candidate = _find_near_stops(hotspots, pieces, in_time & in_radius)
    near_barred = _find_near(hotspots.geometry.values, barred, MIN_STOP_METRES_TO_BARRED)
    is_candidate &= ~near_barred.any(axis=0)
    inside = np.flatnonzero(_is_on_own_streets(around, must_visit))
    tasked_rows, on_hotspot = _match_places_to_stretches(hotspots.geometry, must_visit, inside)
    rows = np.flatnonzero(is_candidate | (tasked_rows >= 0))
    tasked_rows = tasked_rows[rows]
    amounts = hotspots["worth"].to_numpy()[rows]
    if timed is not None:
        amounts = timed.compute_mean_rates(rows, around.hours)
    order = np.argsort(-amounts, kind="stable")
    is_worth_walking = hotspots["is_worth_walking"].to_numpy()
    order = order[(is_worth_walking[rows] | (tasked_rows >= 0))[order]]
    order = order[(np.arange(len(order)) < settings.candidates) | (tasked_rows[order] >= 0)]
    rows, tasked_rows, amounts = rows[order], tasked_rows[order], amounts[order]
    apart = inside[~on_hotspot[inside]]
    outside = np.setdiff1d(np.arange(len(must_visit)), inside)
    stops = _find_stops(around, hotspots.iloc[rows], must_visit, tasked_rows, apart)
    walks, unavoidable_rows = _find_walks(around, stops, barred)
    worth = np.zeros(len(rows))
    if risk_within > 0:
        worth = amounts / risk_within
    hotspot_rows = np.concatenate([rows, np.full(len(apart), -1)]).astype(np.int64)
    prizes, stay = None, None
    if timed is not None:
        dwell = settings.dwell_minutes
        prizes = timed.scale_prizes(row, hotspot_rows, dwell, len(walks.metres))
        if around.hours.gate_minutes > 0:
            stay = timed.build_gate_stay(row, dwell, around.hours)
    return SchoolProblem(
        inputs=inputs,
        school=area.schools.iloc[row],
        surroundings=around,
        tasked_places=tasked,
        stops=stops,
        walks=walks,
        hotspot_rows=hotspot_rows,
        worth=np.concatenate([worth, np.zeros(len(apart))]),
        timed_prizes=prizes,
        gate_stay=stay,
        tasked_rows=np.concatenate([tasked_rows, apart]).astype(np.int64),
        outside_rows=outside,
        unavoidable_rows=unavoidable_rows,
        is_idle=not is_worth_walking[_find_near_stops(hotspots, pieces, in_radius)].any(),
        start_position=len(stops) + 1 if base is not None and base.is_start else 0,
        end_position=len(stops) + 1 if base is not None and base.is_end else 0,
    )


def _find_walks(
    around: Surroundings, stops: Positions, barred: gpd.GeoDataFrame
) -> tuple[WalkFinder, NDArray[np.int64]]:
    """Walks between gate, stops and base that keep away from barred places; and which they pass.

    The streets at a barred place stay open where the gate or the base itself is so near to it:
    the officer has to get there. Where barred places would cut gate and base off from each other,
    as many as can be stay closed, those far from the gate first.
    """
    bases = () if around.base is None else (around.base.position,)
    places = concatenate_positions(around.gate, stops, *bases)
    ends = [0, len(places) - 1] if bases else [0]
    near = _find_near(around.network.piece_lines, barred, MIN_WALK_METRES_TO_BARRED)
    open_effort = np.ones((near.shape[1], 2)) if around.effort is None else around.effort

    def close(rows: NDArray[np.int64]) -> tuple[WalkFinder, bool]:
        """Walks with the streets at some barred places closed, and whether gate and base join."""
        closed = np.asarray(near[rows].any(axis=0))
        effort = around.effort
        if closed.any():
            effort = np.where(closed[:, None], np.inf, open_effort)
        walks = around.find_walks(places, effort)
        return walks, bool(np.isfinite(walks.metres[np.ix_(ends, ends)]).all())

    on_streets = np.flatnonzero(near.any(axis=1))
    at_ends = near[np.ix_(on_streets, places.piece[ends])].any(axis=1)
    closed = on_streets[~at_ends]
    walks, joined = close(closed)
    if not joined:
        gate = shapely.points(around.network.xy(around.gate)[0])
        order = np.argsort(-barred.geometry.iloc[closed].distance(gate).to_numpy())
        wanted, closed = closed[order], closed[:0]
        for row in wanted:
            more = np.append(closed, row)
            closed = more if close(more)[1] else closed
        walks, _ = close(closed)
    return walks, np.setdiff1d(on_streets, closed)


def _find_near(lines: ArrayLike, places: gpd.GeoDataFrame, metres: float) -> NDArray[np.bool_]:
    """(n, q) which of q lines come so near to each of n places."""
    near = shapely.distance(np.asarray(places.geometry.values)[:, None], np.asarray(lines))
    return np.asarray(near <= metres)


def _find_near_stops(
    hotspots: gpd.GeoDataFrame, pieces: NDArray[np.int64], near: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which hotspots' stopping places are on one of `pieces` that is `near` enough, both (q,)."""
    stop_piece = hotspots["stop_piece"].to_numpy()
    at = np.minimum(np.searchsorted(pieces, stop_piece), len(pieces) - 1)
    return np.asarray((pieces[at] == stop_piece) & near[at])


def _find_stops(
    around: Surroundings,
    hotspots: gpd.GeoDataFrame,
    must_visit: gpd.GeoDataFrame,
    tasked_rows: NDArray[np.int64],
    apart: NDArray[np.int64],
) -> Positions:
    """Where one stands: at hotspots' stopping places, and at tasked places themselves.

    `tasked_rows` are the tasked places that hotspots stand for (-1: none), `apart` the others.
    """
    standing = Positions(
        hotspots["stop_piece"].to_numpy(),
        hotspots["stop_metres"].to_numpy(),
        np.zeros(len(hotspots)),
    ).map_to_subnetwork(around.pieces)
    if not len(must_visit):
        return standing
    tasked = around.network.snap(shapely.get_coordinates(must_visit.geometry.values))
    free, wanted = np.flatnonzero(tasked_rows < 0), np.flatnonzero(tasked_rows >= 0)
    stops = concatenate_positions(
        standing.take(free), tasked.take(tasked_rows[wanted]), tasked.take(apart)
    )
    order = np.argsort(np.r_[free, wanted], kind="stable")
    return stops.take(np.r_[order, len(order) + np.arange(len(apart))])


def _is_on_own_streets(around: Surroundings, places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which places have their nearest street among the school's own, and not far from them.

    The nearest of a school's streets may stand in for one that lies beyond them; only where all
    streets so near lie within is it the nearest indeed.
    """
    xy = shapely.get_coordinates(places.geometry.values)
    if not len(xy):
        return np.zeros(0, dtype=bool)
    moved = around.network.snap(xy).moved_metres
    apart = np.hypot(*(xy - around.network.xy(around.gate)).T)
    spare = PIECE_METRES / 2  # streets are chosen by the middle of their pieces
    near = (moved <= MAX_SNAP_METRES) & (apart + moved + spare <= around.extent_metres)
    return np.asarray(near)


def _match_places_to_stretches(
    stretches: gpd.GeoSeries, places: gpd.GeoDataFrame, inside: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The place that each stretch stands for (-1: none), and which places a stretch stands for.

    `inside` are the places that can be visited. A place lies on a stretch wherever its stopping
    place is, so that what is done there counts towards one hotspot for all schools.
    """
    place_rows = np.full(len(stretches), -1, dtype=np.int64)
    for row in inside:
        metres = shapely.distance(stretches.values, places.geometry.iloc[row])
        metres[place_rows >= 0] = np.inf
        if len(metres) and metres.min() <= TASKED_METRES:
            place_rows[int(np.argmin(metres))] = row
    return place_rows, np.isin(np.arange(len(places)), place_rows)
