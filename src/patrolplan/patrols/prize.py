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
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import Bools, Floats, Ints, gather, round_significant
from patrolplan.hotspots.ground import Stand, locate_places
from patrolplan.hotspots.reasons import Reason, count_recent_crimes, find_reasons
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.graph import find_pieces_in_sight
from patrolplan.patrols.surroundings import MAX_METRES, PatrolHours, compute_hours
from patrolplan.pupils.flows import SchoolPupils
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE
from patrolplan.risk.in_time import RiskInTime
from patrolplan.risk.surface import Risk, get_history, get_pupils

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Planner

MIN_FLOW_SHARE = 0.05  # least flow in sight, as a share of that on the school's busiest street

MIN_PASSING_PUPILS = 15.0
"""Least own pupils who pass in a place's best half-hour, as for a crossing patrol (Road Safety GB,
School Crossing Patrol Service Guidelines); a quarter of those who leave at the bell if fewer."""

MIN_OUT_SHARE = 0.05
"""Least share of a school's unaccompanied pupils who leave or arrive in a window for it to be about
them; in others, such as an evening, a place is worth the risk per metre in sight."""

MIN_PASSING_SHARE = 0.01  # least share of the school's pupils who pass during a dwell
BEST_MINUTES = 30
MIN_RECORDED = 0.5  # fewer incidents in a year than this on the own ways are none
HOTSPOT_FAVOUR = 1.1  # a hotspot's place is preferred to a corner worth so much more
APART_METRES = 75.0  # of places nearer to each other than this, the best is a candidate
GATE_DWELLS, PLACE_DWELLS = 3, 2  # how often at most at the gate again, and at any other place
MAX_PLACES = 12  # candidates of one school beside those with a reason of their own


@dataclass(frozen=True, eq=False)
class SchoolPrizes:
    """The places where an officer of one school could stand, the gate first, minute by minute."""

    first_minute: int  # after midnight, of the first column
    positions: Positions  # (k,) on the streets to patrol
    hotspot_rows: Ints  # (k,) of the hotspots whose stopping places they are, or -1
    stands: tuple[tuple[Stand, str], ...]  # (k) what a corner is at, and its name; see `Ground`
    rates: Floats  # (k, T) worth of each minute
    passing: Floats  # (k, T) share of own pupils who pass, on the street with most
    sees: tuple[tuple[int, ...], ...]  # (k) rows of the hotspots whose stopping place is in view
    is_own: Bools  # (k,) on the school's own ways, or near where no pupils are out
    flow: Floats  # (k,) share of own pupils who pass in the window
    has_pupils: bool  # whether own pupils are out in the window: see `MIN_OUT_SHARE`
    # Worth of all streets within `MAX_METRES` together, in the window; where no own pupils are out,
    # of standing where it is most in each minute.
    total: float
    own_pieces: Ints  # pieces of the own ways, with `MIN_FLOW_SHARE` or more
    seen_pieces: tuple[Ints, ...]  # (k) pieces in sight of each place
    reasons: tuple[tuple[Reason, ...], ...] = ()  # (k) why there: of corners and the gate alone
    nothing_recorded: bool = False  # neither crime of the last year nor reports on the own ways

    def take(self, places: Ints) -> "SchoolPrizes":
        """Only these places."""
        arrays = ("hotspot_rows", "rates", "passing", "is_own", "flow")
        lists = ("stands", "sees", "seen_pieces")
        taken: dict[str, Any] = {name: getattr(self, name)[places] for name in arrays}
        for name in lists:
            taken[name] = tuple(getattr(self, name)[place] for place in places)
        return replace(self, positions=self.positions.take(places), **taken)

    def find_begins(self, place: int, dwell_minutes: float) -> tuple[float, float]:
        """Between when a dwell may begin so that enough own pupils pass; (0, 0) for never."""
        minutes = min(round(dwell_minutes), self.passing.shape[1])
        gathered = np.concatenate([[0.0], np.cumsum(self.passing[place])])
        passed = gathered[minutes:] - gathered[: len(gathered) - minutes]
        enough = np.flatnonzero(passed >= MIN_PASSING_SHARE)
        if not len(enough):
            return 0.0, 0.0
        return float(self.first_minute + enough[0]), float(self.first_minute + enough[-1])

    def gather(self, place: int, begin: float, end: float) -> float:
        """Worth of standing at a place between two times after midnight."""
        return gather(self.rates[place], self.first_minute, begin, end)


def build_prizes(
    planner: "Planner", window: Window, rows: Sequence[int]
) -> dict[int, SchoolPrizes]:
    """The places and prizes of the schools in some rows of the area's."""
    area, risk = planner.area, planner.risk
    in_time = risk.in_time or RiskInTime.from_static(risk.joined)
    pupils = get_pupils(risk)
    hours = {row: compute_hours(area, area.schools.iloc[row], window) for row in rows}
    first = int(min(each.start_minutes for each in hours.values()))
    end = int(np.ceil(max(each.latest_end_minutes for each in hours.values())))
    schools = {
        row: _Places(planner, row, pupils.schools[row], hours[row], range(first, end))
        for row in rows
    }
    for minute in range(first, end):
        rate, counts = in_time.compute_rate(minute), pupils.count_at(minute)
        for one in schools.values():
            own, everybody = one.own[:, minute - first], counts[one.pieces]
            one.worth[:, minute - first] = weigh_by_share(rate[one.pieces], own, everybody)
    chosen = {row: one.choose(in_time) for row, one in schools.items()}
    return _give_reasons(area, risk, chosen)


def _give_reasons(
    area: StudyArea, risk: Risk, chosen: dict[int, SchoolPrizes]
) -> dict[int, SchoolPrizes]:
    """What is recorded and reported in sight of gates and corners, and on the own ways at all."""
    places = [pieces for one in chosen.values() for pieces in one.seen_pieces]
    sure = pd.DataFrame({"mainly_reports": False, "trend": "", "survived": 1.0}, range(len(places)))
    found = iter(find_reasons(area, risk, places, sure))
    own = [one.own_pieces for one in chosen.values()]
    recorded = (
        count_recent_crimes(area, get_history(area, risk), own).expected.sum(axis=1) >= MIN_RECORDED
    )
    feared = [(area.reports.group_of_piece[pieces] >= 0).any() for pieces in own]
    return {
        row: replace(
            one,
            reasons=tuple(tuple(next(found)) for _ in one.seen_pieces),
            nothing_recorded=not (recorded[number] or feared[number]),
        )
        for number, (row, one) in enumerate(chosen.items())
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


class _Places:
    """The gate, hotspots within the radius, and corners on own ways within reach of one school."""

    def __init__(
        self, planner: "Planner", row: int, ways: SchoolPupils, hours: PatrolHours, minutes: range
    ) -> None:
        area, ground, hotspots = planner.area, planner.ground, planner.hotspots
        around = planner.get_streets(row)
        self.area, self.around, self.ways, self.first = area, around, ways, minutes.start
        self.hours = hours
        self.reach = min(MAX_METRES, area.settings.patrol.radius_metres)
        network, count = area.network, len(area.network)
        metres = np.full(count, np.inf)
        inside = around.pieces < count
        metres[around.pieces[inside]] = around.gate_metres[inside]
        flow = np.zeros(len(network.walkable))
        flow[ways.pieces] = ways.flow
        stop_piece, corner = hotspots["stop_piece"].to_numpy(), ground.places["piece"].to_numpy()
        at = np.flatnonzero(metres[stop_piece] <= area.settings.patrol.radius_metres)
        is_used = flow[corner] >= MIN_FLOW_SHARE * flow[:count].max(initial=0.0)
        is_used &= (metres[corner] <= self.reach) & (flow[corner] > 0)
        corners = ground.places[is_used]
        offset = hotspots["stop_metres"].to_numpy()[at]
        stops = Positions(stop_piece[at], offset, np.zeros(len(at)))
        gate = area.gates.take([row])
        # The attributes are (k,) or (k, ...) as in `SchoolPrizes`, and (q, T) of pieces in sight.
        self.positions = concatenate_positions(gate, stops, locate_places(corners))
        self.hotspot_rows = np.full(len(self.positions), -1)
        self.hotspot_rows[1 : 1 + len(at)] = at
        plain: list[tuple[Stand, str]] = [("street", "")] * (1 + len(at))
        self.stands = (*plain, *zip(corners["stand"].tolist(), corners["at"].tolist(), strict=True))
        own_streets = np.flatnonzero(np.isfinite(metres))
        there = self.positions.map_to_subnetwork(own_streets)
        seen = find_pieces_in_sight(network.take(own_streets), there)
        in_view = seen[:, np.searchsorted(own_streets, stop_piece[at])].tolil().rows
        self.sees = tuple(tuple(at[list(columns)].tolist()) for columns in in_view)
        used = np.flatnonzero(seen.sum(axis=0))
        self.pieces, self.seen = own_streets[used], seen[:, used]  # (q,), and (k, q) ones
        self.passing, self.own = count_own_pupils(area, ways, self.pieces, minutes)
        self.worth = np.zeros_like(self.own)  # risk of each piece by own share, filled later

    def choose(self, in_time: RiskInTime) -> SchoolPrizes:
        """The gate, the best corners that are apart from better places, and all hotspots."""
        network, hours, first = self.area.network, self.hours, self.first
        settings, ways, rates = self.area.settings, self.ways, self.seen @ self.worth
        pupils = ways.on_streets * ways.unaccompanied
        edges = np.array([hours.start_minutes, hours.latest_end_minutes])
        begin, end = (int(minute) - first for minute in edges)
        out = np.diff(ways.timetable.share_passed(edges, 0.0))[0]
        has_pupils = pupils > 0 and bool(out >= MIN_OUT_SHARE)
        of_piece = round_significant(self.passing[:, begin:end].sum(axis=1))
        seen = [np.array(columns, dtype=np.int64) for columns in self.seen.tolil().rows]
        busiest = np.array([each[np.argmax(of_piece[each])] for each in seen], dtype=np.int64)
        passing, flow = self.passing[busiest], of_piece[busiest]
        is_hotspot = self.hotspot_rows >= 0
        if has_pupils:
            least = min(MIN_PASSING_PUPILS, pupils * (1 - ways.timetable.late[0]) / 4)
            is_own = flow >= MIN_FLOW_SHARE * flow.max(initial=0.0)
            is_own &= sum_best(passing[:, begin:end], BEST_MINUTES) >= least
            reached = self.around.pieces[self.around.gate_metres <= self.reach]
            is_own &= np.isin(self.positions.piece, reached)
            within = np.isin(self.pieces, self.around.pieces[self.around.gate_metres <= MAX_METRES])
            total = float(self.worth[within, begin:end].sum())
        else:
            metres = self.seen @ network.piece_metres[self.pieces]
            for minute in range(begin, end):
                rates[:, minute] = self.seen @ in_time.compute_rate(first + minute)[self.pieces]
            rates /= np.maximum(metres, 1.0)[:, None]
            is_own = is_hotspot
            total = float(rates[:, begin:end].max(axis=0).sum())
        rates = round_significant(rates)
        after = max(begin, int(hours.gate_until_minutes) - first)
        best = sum_best(rates[:, after : max(end, after + 1)], int(settings.patrol.dwell_minutes))
        xy, favour = network.xy(self.positions), np.where(is_hotspot, HOTSPOT_FAVOUR, 1.0)
        chosen = choose_apart(xy, best * favour, is_own & (best > 0), MAX_PLACES)
        is_apart = is_own & (np.hypot(*(xy - xy[0]).T) >= APART_METRES)
        if has_pupils and is_apart.any():  # the reference stands at the busiest corner
            chosen.append(int(np.argmax(np.where(is_apart, flow, -1.0))))
        chosen = list(dict.fromkeys(chosen))
        is_chosen = np.isin(np.arange(len(is_own)), chosen)
        prizes = SchoolPrizes(
            first_minute=first,
            positions=self.positions,
            hotspot_rows=self.hotspot_rows,
            stands=self.stands,
            rates=rates,
            passing=passing / max(pupils, 1.0),
            sees=self.sees,
            is_own=is_chosen,
            flow=flow / max(pupils, 1.0),
            has_pupils=has_pupils,
            total=total,
            own_pieces=self.pieces[of_piece >= MIN_FLOW_SHARE * of_piece.max(initial=0.0)],
            seen_pieces=tuple(self.pieces[each] for each in seen),
        )
        return prizes.take(np.r_[chosen, np.flatnonzero(is_hotspot & ~is_chosen)])


def choose_apart(xy: Floats, best: Floats, is_own: Bools, most: int) -> list[int]:
    """The gate, which is the first, and the best places that are apart from better ones."""
    chosen = [0]
    for place in (np.argsort(-best[1:], kind="stable") + 1).tolist():
        apart = np.hypot(*(xy[chosen] - xy[place]).T).min()
        if is_own[place] and apart >= APART_METRES and len(chosen) <= most:
            chosen.append(place)
    return chosen


def find_earlier_visits(place: Ints) -> Ints:
    """(n,) row of the visit before to the same place, -1 for a first one and for the start."""
    follows = np.full(len(place), -1, dtype=np.int64)
    follows[2:] = np.where(place[2:] == place[1:-1], np.arange(1, len(place) - 1), -1)
    return follows


def sum_best(rates: Floats, minutes: int) -> Floats:
    """(k,) largest sum of (k, T) over so many consecutive minutes."""
    sums = np.concatenate([np.zeros((len(rates), 1)), np.cumsum(rates, axis=1)], axis=1)
    minutes = min(minutes, rates.shape[1])
    return np.asarray((sums[:, minutes:] - sums[:, : sums.shape[1] - minutes]).max(axis=1))
