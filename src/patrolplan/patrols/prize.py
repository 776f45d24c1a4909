"""What standing at a place is worth to one school: the risk of each minute, by its pupils' share.

An officer who stands sees the streets within `SIGHT_METRES` of walking. A minute there
is worth the sum, over the streets in sight, of the risk of that minute times the share of the
pupils on the street then who are the school's own: a shared street counts for each school by its
share, so that patrols do not pile up where everybody's pupils pass. How many pupils there are is
nowhere a factor, since the model of the ways home may be wrong. It decides where one may stand: on
the school's own ways (`MIN_FLOW_SHARE`, `MIN_PASSING_PUPILS`), and when (`MIN_PASSING_SHARE`).

Where pupils walk stays in the process that modelled it. What plans a school gets these sums, for
the places where an officer could stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.area.square_names import name_places
from patrolplan.arrays import Bools, Floats, Ints, round_significant
from patrolplan.hotspots.reasons import count_recent_crimes, find_reasons, read_reasons
from patrolplan.network.graph import look_around
from patrolplan.patrols.designated import ALWAYS, get_place, read_hours
from patrolplan.patrols.places import GATE, Place, StandingPlaces
from patrolplan.patrols.spots import MIN_FLOW_SHARE, Spots, list_hotspots_in_view, list_spots
from patrolplan.patrols.surroundings import MAX_METRES, PatrolHours, Surroundings, compute_hours
from patrolplan.pupils.flows import SchoolPupils
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE
from patrolplan.risk.in_time import RiskInTime
from patrolplan.risk.surface import Risk, get_history, get_pupils

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Planner

MIN_PASSING_PUPILS = 15.0
"""Least own pupils who pass in a place's best half-hour, as for a crossing patrol (Road Safety GB,
School Crossing Patrol Service Guidelines); a quarter of those who leave at the bell if fewer."""

MIN_OUT_SHARE = 0.05
"""Least share of a school's unaccompanied pupils who leave or arrive in a window for it to be about
them; in others, such as an evening, a place is worth the risk per metre in sight."""

BEST_MINUTES = 30
MIN_RECORDED = 0.5  # fewer incidents in a year than this on the own ways are none
HOTSPOT_FAVOUR = 1.1  # a hotspot's place is preferred to a corner worth so much more
MAX_PLACES = 12  # places of one school beside those with a reason of their own


def build_places(
    planner: "Planner", window: Window, rows: Sequence[int]
) -> dict[int, StandingPlaces]:
    """The places of the schools in some rows of the area's, with what each minute is worth."""
    sights = survey_schools(planner, window, rows)
    worth = weigh_minutes(planner.risk, sights)
    chosen = {row: choose_places(sight, worth[row]) for row, sight in sights.items()}
    return _give_reasons(planner.area, planner.risk, chosen)


def survey_schools(planner: "Planner", window: Window, rows: Sequence[int]) -> "dict[int, Sight]":
    """What officers of some schools would see, in the minutes of all their hours."""
    area, pupils = planner.area, get_pupils(planner.risk)
    hours = {row: compute_hours(area, area.schools.iloc[row], window) for row in rows}
    first = int(min(span.start_minutes for span in hours.values()))
    end = int(np.ceil(max(span.latest_end_minutes for span in hours.values())))
    minutes = range(first, end)
    return {
        row: survey_spots(planner, row, pupils.schools[row], hours[row], minutes) for row in rows
    }


def weigh_minutes(risk: Risk, sights: "dict[int, Sight]") -> dict[int, Floats]:
    """(q, T) worth of the streets in sight at each school, in each minute.

    Minute by minute for all schools, since the risk and the pupils of an area are large.
    """
    in_time = risk.in_time or RiskInTime.from_static(risk.joined)
    pupils = get_pupils(risk)
    worth = {row: np.zeros_like(sight.present) for row, sight in sights.items()}
    minutes = next(iter(sights.values())).minutes
    for column, minute in enumerate(minutes):
        rate, counts = in_time.compute_rate(minute), pupils.count_at(minute)
        for row, sight in sights.items():
            worth[row][:, column] = sight.weigh_streets(column, rate, counts)
    return worth


def _give_reasons(
    area: StudyArea, risk: Risk, chosen: dict[int, StandingPlaces]
) -> dict[int, StandingPlaces]:
    """What is recorded and reported in sight of gates and corners, and on the own ways at all."""
    own = [standing.own_pieces for standing in chosen.values()]
    recorded = (
        count_recent_crimes(area, get_history(area, risk), own).expected.sum(axis=1) >= MIN_RECORDED
    )
    feared = [(area.reports.group_of_piece[pieces] >= 0).any() for pieces in own]
    # A hotspot has its own reasons, of the whole of its stretch.
    plain = [
        place.seen_pieces
        for standing in chosen.values()
        for place in standing.places
        if place.hotspot_row < 0
    ]
    sure = pd.DataFrame({"mainly_reports": False, "trend": "", "survived": 1.0}, range(len(plain)))
    found = iter(find_reasons(area, risk, plain, sure))
    return {
        row: replace(
            standing,
            places=tuple(
                replace(place, reasons=tuple(next(found))) if place.hotspot_row < 0 else place
                for place in standing.places
            ),
            nothing_recorded=not (recorded[number] or feared[number]),
        )
        for number, (row, standing) in enumerate(chosen.items())
    }


def weigh_by_share(rate: Floats, own: Floats, everybody: Floats) -> Floats:
    """Risk of streets, by the share of the pupils there who are the school's own."""
    share = np.divide(own, np.maximum(own, everybody), out=np.zeros_like(own), where=own > 0)
    return np.asarray(rate * share)


def count_own_pupils(
    area: StudyArea, school: SchoolPupils, pieces: Ints, minutes: range
) -> tuple[Floats, Floats]:
    """(q, T) own unaccompanied pupils who pass pieces in each minute, and who are on them then."""
    edges = np.arange(minutes.start, minutes.stop + 1)
    walk_minutes = area.network.walkable.piece_metres[pieces] / PUPIL_METRES_PER_MINUTE
    passing = school.count_passing(pieces, edges) * school.unaccompanied
    waiting = school.count_waiting(pieces, edges) * school.unaccompanied
    return passing, passing * walk_minutes[:, None] + waiting


@dataclass(frozen=True, eq=False)
class Sight:
    """What an officer of one school would see from (k,) spots, in T minutes of a window."""

    planner: "Planner"
    spots: Spots
    around: Surroundings
    pupils: SchoolPupils
    hours: PatrolHours
    minutes: range  # after midnight
    near: Bools  # (k, k) spots in sight of each other
    pieces: Ints  # (q,) pieces to patrol in sight of any spot
    seen: sparse.csr_array  # (k, q) ones where a piece is in sight of a spot
    passing: Floats  # (q, T) own pupils who pass
    present: Floats  # (q, T) own pupils who are there

    @property
    def span(self) -> slice:
        """The columns of the school's own hours."""
        first = self.minutes.start
        begin, end = int(self.hours.start_minutes), int(self.hours.latest_end_minutes)
        return slice(begin - first, end - first)

    @property
    def pupil_count(self) -> float:
        """Own pupils on the streets without an adult."""
        return self.pupils.on_streets * self.pupils.unaccompanied

    @cached_property
    def has_pupils(self) -> bool:
        """Whether own pupils are out in the window."""
        edges = np.array([self.hours.start_minutes, self.hours.latest_end_minutes])
        out = np.diff(self.pupils.timetable.share_passed(edges, 0.0))[0]
        return bool(self.pupil_count > 0 and out >= MIN_OUT_SHARE)

    @cached_property
    def flow(self) -> Floats:
        """(q,) own pupils who pass each piece in the school's hours."""
        return round_significant(self.passing[:, self.span].sum(axis=1))

    @cached_property
    def seen_rows(self) -> list[Ints]:
        """(k,) rows of `pieces` in sight of each spot."""
        return [np.array(columns, dtype=np.int64) for columns in self.seen.tolil().rows]

    @cached_property
    def busiest(self) -> Ints:
        """(k,) row of `pieces` that most own pupils pass, of those in sight of each spot."""
        busiest = [rows[np.argmax(self.flow[rows])] for rows in self.seen_rows]
        return np.array(busiest, dtype=np.int64)

    def find_within(self, limit_metres: float) -> Ints:
        """The pieces within a walk from the gate."""
        return np.asarray(self.around.pieces[self.around.gate_metres <= limit_metres])

    def weigh_streets(self, column: int, rate: Floats, counts: Floats) -> Floats:
        """(q,) worth of a minute, by (p,) risk and unaccompanied pupils of all schools in it."""
        risk = rate[self.pieces]
        if not self.has_pupils:
            return risk
        return weigh_by_share(risk, self.present[:, column], counts[self.pieces])


def survey_spots(
    planner: "Planner", row: int, pupils: SchoolPupils, hours: PatrolHours, minutes: range
) -> Sight:
    """The spots of a school, what is in sight of them, and when its pupils pass there."""
    area, around = planner.area, planner.get_streets(row)
    spots = list_spots(planner, row, pupils)
    seen, near = look_around(around.network, spots.positions.map_to_subnetwork(around.pieces))
    # Any way may be walked and looked along; risk is on the streets to patrol.
    is_used = (seen.sum(axis=0) > 0) & (around.pieces < len(area.network))
    pieces = around.pieces[is_used]
    passing, present = count_own_pupils(area, pupils, pieces, minutes)
    return Sight(
        planner=planner,
        spots=spots,
        around=around,
        pupils=pupils,
        hours=hours,
        minutes=minutes,
        near=near,
        pieces=pieces,
        seen=seen[:, np.flatnonzero(is_used)],
        passing=passing,
        present=present,
    )


def choose_places(sight: Sight, worth: Floats) -> StandingPlaces:
    """The gate, the best spots that are apart from better ones, and all hotspots in the radius.

    `worth` (q, T) is that of the streets in sight, in each minute.
    A spot without a reason of its own is worth a stop where it is on the own ways, and apart from
    the gate and from all spots that are better. The reference stands at the busiest corner, so that
    is one of the places where no other of them is near it. Hotspots that are not among the best
    may still be asked for: they are in the table, but not free.
    """
    rates = _compute_rates(sight, worth)
    best = _find_best_dwell(sight, rates)
    is_on_own_way = find_own_ways(sight)
    may_stand = is_on_own_way if sight.has_pupils else sight.spots.is_hotspot
    favour = np.where(sight.spots.is_hotspot, HOTSPOT_FAVOUR, 1.0)
    chosen = choose_apart(sight.near, best * favour, may_stand & (best > 0), MAX_PLACES)
    if sight.has_pupils:
        flow = np.where(may_stand, sight.flow[sight.busiest], 0.0)
        chosen = add_busiest(chosen, sight.near, flow)
    others = np.setdiff1d(np.flatnonzero(sight.spots.is_hotspot), chosen)
    rows = np.r_[chosen, others].astype(np.int64)
    own_flow = MIN_FLOW_SHARE * sight.flow.max(initial=0.0)
    return StandingPlaces(
        places=_build_places(sight, rates, rows, len(chosen), is_on_own_way),
        near=sight.near[np.ix_(rows, rows)],
        first_minute=sight.minutes.start,
        has_pupils=sight.has_pupils,
        total=_sum_worth(sight, worth, rates),
        own_pieces=sight.pieces[sight.flow >= own_flow],
    )


def _compute_rates(sight: Sight, worth: Floats) -> Floats:
    """(k, T) worth of each minute at each spot; with no own pupils out, per metre in sight."""
    rates = sight.seen @ worth
    if not sight.has_pupils:
        metres = sight.seen @ sight.planner.area.network.piece_metres[sight.pieces]
        rates = rates / np.maximum(metres, 1.0)[:, None]
    return round_significant(np.asarray(rates))


def _sum_worth(sight: Sight, worth: Floats, rates: Floats) -> float:
    """Of all streets near the gate; with no own pupils out, of the best spot of each minute."""
    if not sight.has_pupils:
        return float(rates[:, sight.span].max(axis=0).sum())
    within = np.isin(sight.pieces, sight.find_within(MAX_METRES))
    return float(worth[within, sight.span].sum())


def _find_best_dwell(sight: Sight, rates: Floats) -> Floats:
    """(k,) most that one dwell at each spot is worth after the presence at the gate."""
    after = max(sight.span.start, int(sight.hours.gate_until_minutes) - sight.minutes.start)
    dwell = int(sight.planner.area.settings.patrol.dwell_minutes)
    return sum_best(rates[:, after : max(sight.span.stop, after + 1)], dwell)


def find_own_ways(sight: Sight) -> Bools:
    """(k,) spots on the own ways: enough pupils pass, within reach of the gate.

    In a window without own pupils they are those within reach.
    """
    reach = min(MAX_METRES, sight.planner.area.settings.patrol.radius_metres)
    is_reached = np.isin(sight.spots.positions.piece, sight.find_within(reach))
    if not sight.has_pupils:
        return np.asarray(is_reached)
    passing, flow = sight.passing[sight.busiest], sight.flow[sight.busiest]
    on_time = sight.pupil_count * (1 - sight.pupils.timetable.late[0])
    enough = sum_best(passing[:, sight.span], BEST_MINUTES) >= min(MIN_PASSING_PUPILS, on_time / 4)
    is_used = flow >= MIN_FLOW_SHARE * flow.max(initial=0.0)
    return np.asarray(enough & is_used & is_reached)


def choose_apart(near: Bools, best: Floats, may_stand: Bools, most: int) -> list[int]:
    """The first spot, the gate, and the best ones that are in sight of none before."""
    chosen = [0]
    for spot in (np.argsort(-best[1:], kind="stable") + 1).tolist():
        if may_stand[spot] and not near[spot, chosen].any() and len(chosen) <= most:
            chosen.append(spot)
    return chosen


def add_busiest(chosen: list[int], near: Bools, flow: Floats) -> list[int]:
    """With the spot apart from the gate that most own pupils pass, unless a chosen one is near."""
    away = np.where(near[0], 0.0, flow)
    busiest = int(np.argmax(away))
    if away[busiest] <= 0 or near[busiest, chosen].any():
        return chosen
    return [*chosen, busiest]


def _build_places(
    sight: Sight, rates: Floats, rows: Ints, free_count: int, is_on_own_way: Bools
) -> tuple[Place, ...]:
    """The places of some spots; the first so many of them are free."""
    planner, spots = sight.planner, sight.spots
    positions = spots.positions.take(rows)
    xy = planner.area.network.walkable.xy(positions)
    ids = name_places(xy, planner.area.projection.crs)
    share = 1.0 / max(sight.pupil_count, 1.0)
    stops = spots.hotspot_rows[spots.is_hotspot]
    places = []
    for number, spot in enumerate(rows.tolist()):
        seen = sight.pieces[sight.seen_rows[spot]]
        busiest = sight.busiest[spot]
        place = Place(
            id=ids[number],
            name=GATE if spot == 0 else ids[number],
            kind="gate" if spot == 0 else "corner",
            position=positions.take([number]),
            xy=(float(xy[number, 0]), float(xy[number, 1])),
            stand=spots.stands[spot][0],
            at=spots.stands[spot][1],
            rates=rates[spot],
            passing=sight.passing[busiest] * share,
            flow=float(sight.flow[busiest]) * share,
            sees=list_hotspots_in_view(planner, stops, seen),
            seen_pieces=seen,
            is_free=number < free_count,
            is_on_own_way=bool(is_on_own_way[spot]),
            dwell_minutes=float(planner.area.settings.patrol.dwell_minutes),
        )
        is_hotspot = spots.hotspot_rows[spot] >= 0
        places.append(_describe_hotspot(sight, spot, place) if is_hotspot else place)
    return tuple(places)


def _describe_hotspot(sight: Sight, spot: int, place: Place) -> Place:
    """The stopping place of a hotspot, as the table of hotspots has it."""
    planner, row = sight.planner, int(sight.spots.hotspot_rows[spot])
    hotspot = planner.hotspots.iloc[row]
    designated = get_place(planner.area, str(hotspot["hotspot"]))
    return replace(
        place,
        id=planner.hotspot_ids[row],
        name=planner.hotspot_names[row],
        kind=hotspot["kind"],
        words=hotspot["place"],
        stand=hotspot["stop_stand"],
        at=hotspot["stop_at"],
        hotspot_row=row,
        reasons=read_reasons(hotspot["reasons"]),
        hours=ALWAYS if designated is None else read_hours(designated).meet(sight.hours),
    )


def sum_best(rates: Floats, minutes: int) -> Floats:
    """(k,) largest sum of (k, T) over so many consecutive minutes."""
    sums = np.concatenate([np.zeros((len(rates), 1)), np.cumsum(rates, axis=1)], axis=1)
    minutes = min(minutes, rates.shape[1])
    return np.asarray((sums[:, minutes:] - sums[:, : sums.shape[1] - minutes]).max(axis=1))
