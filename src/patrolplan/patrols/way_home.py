"""What patrols meet: pupils on their way home, and recorded harm, with the assumptions.

Both are shares of a school's total, for one patrol:

- **pupils**: of the minutes that the school's pupils are on the streets beyond 100 m of the gate
  after the bell, those that pass within `[way_home] sight_metres` of the officer, while the officer
  stands at a stop. The presence at the gate meets pupils within these 100 m, so it does
  not count, nor do pupils met while walking from stop to stop.
- **harm**: of the harm within the school's reach in the window, by recorded crime and pupils'
  reports, without exposure, that which falls within sight of the stops, while the officer stands
  there.

Open crime data has only months, so the hours are assumed. The band from `harm_share_low` to
`harm_share_high` shows how much the harm met depends on that: the same dwells are evaluated with
all hours equal, and with twice the contrast of the assumed hours.

The shares are exact in memory, for comparisons, and rounded in files, see `WayHome.write`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.notes import Note, NoteKind
from patrolplan.patrols.surroundings import Surroundings, build_surroundings
from patrolplan.pupils.flows import Ways
from patrolplan.pupils.presence import Presence, Visit, find_presence
from patrolplan.risk.in_time import RiskInTime
from patrolplan.risk.surface import Risk

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Patrol

SEVERAL_STOPS = 2
"""Minimum number of stops for a finer share: with one, it would show how many pass just there."""

MIN_SEEN_METRES = 200.0
MIN_STAND_MINUTES = 10.0
"""Minimum length of street within sight, and time of standing, for a share of pupils."""

PATROL_STEP = 0.01
"""A patrol's share of pupils is rounded to multiples of this..."""

PLACE_STEP = 0.05
"""...and that of a patrol that stands at one place to multiples of this."""

MANY_SCHOOLS = 5
"""Minimum schools for a mean that is rounded to a tenth of `PATROL_STEP`: the difference of two
such means reveals no more of a single school than its own figure."""

HARM_DIGITS = 4

ASSUMED_KINDS: tuple[NoteKind, ...] = (
    "no_stops",
    "no_stops_near",
    "no_origins",
    "no_places",
    "rolls_by_capacity",
    "rolls_assumed",
    "stages_assumed",
    "modes_assumed",
    "homes_from_areas",
    "homes_from_streets",
    "homes_beyond_streets",
    "leaving_assumed",
    "bell_times_assumed",
    "gates_assumed",
    "clock_declared",
    "clock_flat",
)
"""Kinds of notes on assumptions of the shares, the most important first."""


@dataclass(frozen=True, kw_only=True)
class WayHome:
    """How much of the way home a patrol meets, or the patrols of a plan on average.

    Parameters
    ----------
    pupil_share, harm_share
        Exact shares, see the module.
    harm_share_low, harm_share_high
        The minimum and maximum harm share of the same dwells with the assumed clock, a flat one,
        and one with twice its contrast; None if the clock is not assumed.
    elsewhere_share
        Share of the school's pupils who are not on the streets on foot, so that no patrol can meet
        them.
    assumed
        What was assumed.
    pupils
        Number of the school's pupils on the streets, by which a plan's mean is weighted.
    step
        Step to which `pupil_share` is rounded in files.
    """

    pupil_share: float
    harm_share: float
    harm_share_low: float | None
    harm_share_high: float | None
    elsewhere_share: float
    assumed: tuple[Note, ...]
    pupils: float
    step: float | None

    def write(self) -> dict[str, Any]:
        """The figures for files, without the assumptions, which need words.

        `pupil_share` depends on where pupils walk. It is rounded to the `step`, and None without
        one.
        """
        has_step = self.step is not None
        return {
            "pupil_share": round_to_step(self.pupil_share, self.step) if has_step else None,
            "harm_share": round(self.harm_share, HARM_DIGITS),
            "harm_share_low": _round_harm(self.harm_share_low),
            "harm_share_high": _round_harm(self.harm_share_high),
            "elsewhere_share": round(self.elsewhere_share, 2),
        }


def round_to_step(share: float, step: float | None) -> float | None:
    """A share to the nearest multiple of a step.

    Examples
    --------
    >>> round_to_step(0.0349, 0.01), round_to_step(0.0349, 0.05), round_to_step(0.5, None)
    (0.03, 0.05, None)
    """
    return None if step is None else round(step * round(share / step), 6)


def _round_harm(share: float | None) -> float | None:
    return None if share is None else round(share, HARM_DIGITS)


def measure_patrols(
    area: StudyArea, risk: Risk, window: Window, patrols: Sequence["Patrol"]
) -> tuple["Patrol", ...]:
    """The patrols with how much of the way home each meets.

    Parameters
    ----------
    area, risk, window
        The inputs of the planning.
    patrols
        Patrols of any schools of the area.
    """
    if not patrols:
        return ()
    ways, presence = find_ways(area, risk)
    by_urn = {school.urn: school for school in ways.schools}
    notes = [*area.notes, *risk.notes, *ways.notes]
    assumed = sorted(
        {note.kind: note for note in notes if note.kind in ASSUMED_KINDS}.values(),
        key=lambda note: ASSUMED_KINDS.index(note.kind),
    )
    harm = HarmMeter.from_risk(area, risk, window, patrols)
    measured = []
    for patrol in patrols:
        school = by_urn[patrol.urn]
        shares = harm.measure(patrol)
        visits = list_visits(patrol)
        way_home = WayHome(
            pupil_share=presence.share_met_by(patrol.urn, visits),
            harm_share=shares[0],
            harm_share_low=min(shares) if len(shares) > 1 else None,
            harm_share_high=max(shares) if len(shares) > 1 else None,
            elsewhere_share=school.elsewhere / school.roll if school.roll > 0 else 0.0,
            assumed=tuple(note for note in assumed if _is_about(note, patrol.urn)),
            pupils=school.on_streets,
            step=_find_step(area, visits),
        )
        measured.append(replace(patrol, way_home=way_home))
    return tuple(measured)


def list_visits(patrol: "Patrol") -> list[Visit]:
    """Where the officer is at each stop."""
    return [Visit.at(stop.point, stop.arrive_minutes, stop.leave_minutes) for stop in patrol.stops]


def find_ways(area: StudyArea, risk: Risk) -> tuple[Ways, Presence]:
    """The ways home with which the risk was estimated, or those of the area."""
    pupils = None if risk.in_time is None else risk.in_time.pupils
    return find_presence(area) if pupils is None else (pupils.ways, pupils.presence)


def _is_about(note: Note, urn: str) -> bool:
    """Whether a note is about a school, or about all of them."""
    return "urns" not in note.values or urn in note.list_texts("urns")


def _find_step(area: StudyArea, visits: Sequence[Visit]) -> float | None:
    """Step to which the share of pupils met is rounded; None if it must not be written.

    Streets within sight of several places count once.
    """
    if not visits:
        return PATROL_STEP  # no pupils are met, which does not show where they walk
    network, sight = area.network, area.settings.way_home.sight_metres
    places = np.concatenate([visit.places_xy for visit in visits])
    seen = np.unique(np.concatenate([network.find_pieces_within(xy, sight) for xy in places]))
    minutes = sum(visit.end - visit.start for visit in visits)
    if network.piece_metres[seen].sum() < MIN_SEEN_METRES or minutes < MIN_STAND_MINUTES:
        return None
    return PATROL_STEP if len(visits) >= SEVERAL_STOPS else PLACE_STEP


def average_way_home(patrols: Sequence["Patrol"]) -> WayHome | None:
    """The mean over patrols, weighted by the pupils of their schools; None without any.

    Schools without a pupil on the streets do not count, unless all are without.
    """
    ways = [patrol.way_home for patrol in patrols if patrol.way_home is not None]
    if not ways:
        return None
    pupils = np.array([one.pupils for one in ways])
    weights = pupils / pupils.sum() if pupils.sum() > 0 else np.full(len(ways), 1 / len(ways))

    def average(values: Sequence[float | None]) -> float | None:
        numbers = [value for value in values if value is not None]
        return float(np.dot(weights, numbers)) if len(numbers) == len(ways) else None

    schools = len({patrol.urn for patrol in patrols if patrol.way_home is not None})
    steps = [one.step for one in ways]
    step = None if None in steps else max(filter(None, steps))
    if schools >= MANY_SCHOOLS:
        step = PATROL_STEP / 10
    return WayHome(
        pupil_share=average([one.pupil_share for one in ways]) or 0.0,
        harm_share=average([one.harm_share for one in ways]) or 0.0,
        harm_share_low=average([one.harm_share_low for one in ways]),
        harm_share_high=average([one.harm_share_high for one in ways]),
        elsewhere_share=average([one.elsewhere_share for one in ways]) or 0.0,
        assumed=tuple(
            {note.kind: note for one in ways for note in one.assumed}[kind]
            for kind in ASSUMED_KINDS
            if any(note.kind == kind for one in ways for note in one.assumed)
        ),
        pupils=float(pupils.sum()),
        step=step,
    )


@dataclass(frozen=True, eq=False)
class HarmMeter:
    """The recorded harm in sight of stops and within reach of schools, by minute.

    It is without exposure. `rows` are those of the places, `reach` those of the schools; `by_clock`
    has, for the risk's own clock and then those of the band, (h, T) rates in sight of each place in
    each whole minute, and (s,) harm within reach over the window.
    """

    first_minute: int
    rows: dict[tuple[float, float], int]
    reach: dict[str, int]
    by_clock: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]

    @classmethod
    def from_risk(
        cls, area: StudyArea, risk: Risk, window: Window, patrols: Sequence["Patrol"]
    ) -> "HarmMeter":
        """The harm that these patrols may meet."""
        urns = {patrol.urn for patrol in patrols}
        chosen = [row for row, urn in enumerate(area.schools["urn"]) if urn in urns]
        around = [build_surroundings(area, row, window) for row in chosen]
        hours = [one.hours for one in around]
        first = int(min(one.start_minutes for one in hours))
        end = max(first + 1, int(np.ceil(max(one.latest_end_minutes for one in hours))))
        points = list(dict.fromkeys(stop.point for one in patrols for stop in one.stops))
        sight = area.settings.way_home.sight_metres
        seen = [area.network.find_pieces_within(point, sight) for point in points]
        within = [find_within_reach(area, one) for one in around]
        by_clock = []
        for timed in list_harm_clocks(risk):
            sums = sum_by_minute(timed, [*seen, *within], first, end)
            reach = [
                average_rates(rates, one.start_minutes - first, one.latest_end_minutes - first)
                * (one.latest_end_minutes - one.start_minutes)
                for rates, one in zip(sums[len(seen) :], hours, strict=True)
            ]
            by_clock.append((sums[: len(seen)], np.array(reach)))
        schools = {area.schools["urn"].iloc[row]: at for at, row in enumerate(chosen)}
        return cls(first, {point: n for n, point in enumerate(points)}, schools, tuple(by_clock))

    def measure(self, patrol: "Patrol") -> list[float]:
        """Share of the harm within reach that a patrol's stops meet, with each clock."""
        stays = [
            (self.rows[stop.point], stop.arrive_minutes, stop.leave_minutes)
            for stop in patrol.stops
            if stop.leave_minutes > stop.arrive_minutes
        ]
        shares = []
        for rates, reach in self.by_clock:
            met = sum(
                average_rates(rates[row], start - self.first_minute, end - self.first_minute)
                * (end - start)
                for row, start, end in stays
            )
            whole = float(reach[self.reach[patrol.urn]])
            shares.append(float(met) / whole if whole > 0 else 0.0)
        return shares


def list_harm_clocks(risk: Risk, *, with_band: bool = True) -> list[RiskInTime]:
    """The harm over time without exposure: with the risk's clock, and with those of the band.

    The band has a flat clock, and one with twice the contrast. There is no band if the clock is
    learned from the times of crimes, or flat.
    """
    timed = risk.in_time
    if timed is None:
        return [RiskInTime.from_static(risk.without_exposure)]
    clocks, plain = [timed.remove_exposure()], timed.factors
    if with_band and plain is not None and plain.clock.source in {"declared", "own_table"}:
        clocks += [
            timed.rejoin(replace(plain, exposure=None, clock=clock)).in_time
            for clock in (plain.clock.flatten(), plain.clock.sharpen())
        ]
    return clocks


def sum_by_minute(
    timed: RiskInTime, stretches: Sequence[NDArray[np.int64]], first: int, end: int
) -> NDArray[np.float64]:
    """(n, T) risk of n sets of pieces in each whole minute; each piece is computed once."""
    pieces = np.concatenate([*stretches, np.empty(0, dtype=np.int64)])
    ends = np.cumsum([0, *map(len, stretches)])
    sums, members = np.zeros((len(stretches), max(0, end - first))), None
    for minute, count in timed.group_minutes(first, end):
        rate = timed.compute_rate(minute)
        if members is None:
            shape = (len(stretches), len(rate))
            members = sparse.csr_array((np.ones(len(pieces)), pieces, ends), shape=shape)
        sums[:, minute - first : minute - first + count] = (members @ rate)[:, None]
    return sums


def average_rates(rates: NDArray[np.float64], start: float, end: float) -> float:
    """Mean of (T,) rates of whole minutes between two times."""
    gathered = np.concatenate([[0.0], np.cumsum(rates)])
    low, high = np.interp([start, end], np.arange(len(gathered)), gathered)
    return float((high - low) / (end - start))


def find_within_reach(area: StudyArea, around: Surroundings) -> NDArray[np.int64]:
    """Patrolled pieces within the radius of a school's gate."""
    near = around.pieces[around.gate_metres <= area.settings.patrol.radius_metres]
    return near[near < len(area.network.piece_metres)]
