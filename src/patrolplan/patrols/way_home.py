"""What patrols meet while they stand, as shares of a school's total, with the assumptions.

**Pupils**: of the minutes that the school's pupils are on the streets beyond 100 m of the gate,
those that pass in sight of the stops; the gate does not count. **Harm**: of the harm within the
school's reach in the window, by crime and reports, without exposure, that in sight of the stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import gather
from patrolplan.network.graph import list_seen_pieces
from patrolplan.notes import Note
from patrolplan.patrols.surroundings import compute_hours
from patrolplan.pupils.pupils import Visit
from patrolplan.risk.in_time import RiskInTime
from patrolplan.risk.surface import Risk, get_pupils

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Patrol
    from patrolplan.patrols.planner import Planner

SEVERAL_STOPS = 2  # for a finer share: with one, it would show how many pass just there
MIN_SEEN_METRES = 200.0
MIN_STAND_MINUTES = 10.0
"""Minimum length of street within sight, and time of standing, for a share of pupils."""

PATROL_STEP = 0.01  # a patrol's share of pupils is rounded to multiples of this,
PLACE_STEP = 0.05  # and that of a patrol that stands at one place to multiples of this

MANY_SCHOOLS = 5
"""Minimum schools for a mean that is rounded to a tenth of `PATROL_STEP`: the difference of two
such means reveals no more of a single school than its own figure."""

HARM_DIGITS = 4

ASSUMED_KEYS = (
    *("ways_counted", "no_stops", "no_stops_near", "no_origins", "no_places"),
    *("rolls_by_capacity", "rolls_assumed", "stages_assumed", "modes_assumed"),
    *("homes_from_areas", "homes_from_streets", "homes_beyond_streets"),
    *("leaving_assumed", "bell_times_assumed", "gates_assumed", "clock_declared", "clock_flat"),
)
"""Keys of notes on what the shares rest on, the most important first: what was counted in place of
assumed, and assumptions."""


@dataclass(frozen=True, kw_only=True)
class WayHome:
    """How much of the way home a patrol meets, or the patrols of a plan on average."""

    pupil_share: float
    harm_share: float
    elsewhere_share: float  # of the school's pupils who are not on foot, so that none can meet them
    assumed: tuple[Note, ...]
    pupils: float  # on the streets, by which a plan's mean is weighted
    step: float | None  # to which `pupil_share` is rounded in files

    @property
    def shown_pupil_share(self) -> float | None:
        """The share of pupils as files have it; None where it must not be shown."""
        if self.step is None:
            return None
        return round(self.step * round(self.pupil_share / self.step), 6)


def measure_patrols(
    planner: "Planner", window: Window, patrols: Sequence["Patrol"]
) -> tuple["Patrol", ...]:
    """The patrols with how much of the way home each meets."""
    if not patrols:
        return ()
    area, risk = planner.area, planner.risk
    pupils = get_pupils(risk)
    notes = [*area.notes, *risk.notes, *pupils.notes]
    visits = [list_visits(planner, window, patrol) for patrol in patrols]
    harm_shares = _compute_harm_shares(planner, window, patrols, visits)
    measured = []
    for patrol, stays, harm_share in zip(patrols, visits, harm_shares, strict=True):
        school = pupils[patrol.urn]
        assumed = {note.key: note for note in notes if note.is_about(patrol.urn)}
        way_home = WayHome(
            pupil_share=pupils.share_met_by(patrol.urn, stays),
            harm_share=harm_share,
            elsewhere_share=school.elsewhere / school.roll,
            assumed=tuple(assumed[key] for key in ASSUMED_KEYS if key in assumed),
            pupils=school.on_streets,
            step=_find_step(area, stays),
        )
        measured.append(replace(patrol, way_home=way_home))
    return tuple(measured)


def list_visits(planner: "Planner", window: Window, patrol: "Patrol") -> list[Visit]:
    """The stays of a patrol at its stops, and what is in sight there."""
    standing = planner.get_places(planner.find_row(patrol.urn), window)
    seen = {place.id: place.seen_pieces for place in standing.places}
    network = planner.area.network
    for stop in patrol.stops:
        if stop.id not in seen:  # only tasked
            (seen[stop.id],) = list_seen_pieces(network, network.snap([stop.point]))
    return [Visit(seen[stop.id], stop.arrive_minutes, stop.leave_minutes) for stop in patrol.stops]


def _find_step(area: StudyArea, visits: Sequence[Visit]) -> float | None:
    """Step to which the share of pupils met is rounded; None if it must not be written."""
    if not visits:
        return PATROL_STEP  # no pupils are met, which does not show where they walk
    seen = np.unique(np.concatenate([visit.seen_pieces for visit in visits]))
    minutes = sum(visit.end - visit.start for visit in visits)
    if area.network.piece_metres[seen].sum() < MIN_SEEN_METRES or minutes < MIN_STAND_MINUTES:
        return None
    return PATROL_STEP if len(visits) >= SEVERAL_STOPS else PLACE_STEP


def average_way_home(patrols: Sequence["Patrol"]) -> WayHome | None:
    """The mean over patrols, weighted by the pupils of their schools; None without any."""
    ways = [patrol.way_home for patrol in patrols if patrol.way_home is not None]
    if not ways:
        return None
    pupils = np.array([one.pupils for one in ways])
    weights = pupils / pupils.sum() if pupils.sum() > 0 else np.full(len(ways), 1 / len(ways))

    names = ("pupil_share", "harm_share", "elsewhere_share")
    shares = np.array([[getattr(one, name) for name in names] for one in ways])
    means = dict(zip(names, (weights @ shares).tolist(), strict=True))
    schools = len({patrol.urn for patrol in patrols if patrol.way_home is not None})
    steps = [one.step for one in ways]
    notes = dict.fromkeys(note for one in ways for note in one.assumed)
    assumed = tuple(sorted(notes, key=lambda note: ASSUMED_KEYS.index(note.key)))
    step = None if None in steps else max(filter(None, steps))
    if schools >= MANY_SCHOOLS:
        step = PATROL_STEP / 10
    return WayHome(**means, assumed=assumed, pupils=float(pupils.sum()), step=step)


def _compute_harm_shares(
    planner: "Planner",
    window: Window,
    patrols: Sequence["Patrol"],
    visits: Sequence[Sequence[Visit]],
) -> list[float]:
    """Share of the harm within reach of the school that the stays of each patrol meet."""
    reach = [_reach_around(planner, window, patrol.urn) for patrol in patrols]
    stays = [visit for several in visits for visit in several]
    harm = sum_harm(planner.risk, [*reach, *stays])
    met = iter(harm[len(reach) :])
    shares = []
    for whole, several in zip(harm, visits, strict=False):
        own = sum(next(met) for _ in several)
        shares.append(own / whole if whole > 0 else 0.0)
    return shares


def _reach_around(planner: "Planner", window: Window, urn: str) -> Visit:
    """A school's hours, and all pieces to patrol within the radius of its gate."""
    area, row = planner.area, planner.find_row(urn)
    hours = compute_hours(area, area.schools.iloc[row], window)
    around = planner.get_streets(row)
    near = around.pieces[around.gate_metres <= area.settings.patrol.radius_metres]
    return Visit(near[near < len(area.network)], hours.start_minutes, hours.latest_end_minutes)


def sum_harm(risk: Risk, visits: Sequence[Visit]) -> list[float]:
    """(k) harm in sight of each visit, without exposure, between its times."""
    timed = RiskInTime.from_static(risk.without_exposure)
    if risk.in_time is not None:
        timed = risk.in_time.remove_exposure()
    first = int(min(visit.start for visit in visits))
    end = max(first + 1, int(np.ceil(max(visit.end for visit in visits))))
    sums = np.zeros((len(visits), end - first))
    for minute, count in timed.group_minutes(first, end):
        rate = timed.compute_rate(minute)
        in_sight = np.array([rate[visit.seen_pieces].sum() for visit in visits])
        sums[:, minute - first : minute - first + count] = in_sight[:, None]
    return [
        gather(row, first, visit.start, visit.end) for row, visit in zip(sums, visits, strict=True)
    ]
