"""What lies around a school's gate, whatever the risk: streets, and how far patrols get on them.

The radius, and with it what a stop is worth, is measured on foot whichever way a patrol goes, so
that patrols on foot and by bicycle compare.

When and where a school's patrols start and end, and the tasked places of their day.
"""

import datetime as dt
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.graph import compute_piece_distances
from patrolplan.network.paths import WalkFinder
from patrolplan.patrols.windows import Window, compute_effort, compute_speed, minutes_after_midnight

EXTENT_MARGIN = 1.2
"""Walks between stops may lead this much farther from the gate than the radius."""


def compute_default_extent(area: StudyArea) -> float:
    """How far a school's streets reach from its gate, in a straight line."""
    return EXTENT_MARGIN * area.settings.patrol.radius_metres


@dataclass(frozen=True, eq=False)
class Base:
    """The base of a school's officer, and what patrols do there.

    Parameters
    ----------
    place
        One position on the area's network.
    starts, ends
        Whether patrols start and end there.
    """

    position: Positions
    is_start: bool
    is_end: bool


def find_patrol_base(area: StudyArea, urn: str, *, has_presence: bool) -> tuple[Base | None, str]:
    """The base where the settings have patrols start or end, and why there is none."""
    settings = area.settings.patrol
    if settings.start == settings.end == "gate":
        return None, ""
    place, missing = find_officer_base(area, urn)
    if place is None:
        return None, explain_gate_instead(area, missing)
    starts, ends = settings.start == "base", settings.end == "base"
    return Base(place, is_start=starts and not has_presence, is_end=ends), ""


def find_officer_base(area: StudyArea, urn: str) -> tuple[Positions | None, str]:
    """The base of a school's first officer, and else why patrols are without one."""
    has = np.array([urn in urns for urns in area.officers["school_urns"]], dtype=bool)
    if not has.any():
        return None, "No officer has this school"
    place = area.officers.geometry.iloc[int(np.argmax(has))]
    base = area.network.snap([(place.x, place.y)])
    if base.moved_metres[0] > MAX_SNAP_METRES:
        return None, "No walkable street is near the officer's base"
    return base, ""


def explain_gate_instead(area: StudyArea, reason: str) -> str:
    """Why patrols are at the gate where the settings say the base."""
    settings = area.settings.patrol
    does = [
        word
        for word, place in (("starts", settings.start), ("ends", settings.end))
        if place == "base"
    ]
    return f"{reason}: {' and '.join(does)} at the gate."


def find_tasked_places(
    area: StudyArea, row: int, date: dt.date | None, metres: float
) -> gpd.GeoDataFrame:
    """Tasked places of a school, on a day where one is given.

    Those for all schools concern the ones whose streets, so far from the gate, they lie among.
    """
    places = area.tasked_places
    if places.empty:
        return places
    urn = str(area.schools["urn"].iloc[row])
    named = np.array([urn in urns for urns in places["schools"]], dtype=bool)
    for_all = np.array(["*" in urns for urns in places["schools"]], dtype=bool)
    gate = shapely.points(area.network.xy(area.gates.take([row])))
    here = shapely.distance(places.geometry.values, gate) <= metres
    mine = (named | (for_all & here)) & _is_in_force(places, date)
    return places[mine].reset_index(drop=True)


def find_tasked_out_of_reach(area: StudyArea, date: dt.date | None) -> list[str]:
    """Names of the places to visit that are for all schools and lie among no school's streets."""
    places = area.tasked_places
    asked = places["must_visit"].to_numpy(dtype=bool) & _is_in_force(places, date)
    asked &= np.array(["*" in urns for urns in places["schools"]], dtype=bool)
    ends = area.network.xy(area.gates)
    if "base" in {area.settings.patrol.start, area.settings.patrol.end}:
        bases = area.officers.geometry.dropna()
        ends = np.concatenate([ends, shapely.get_coordinates(bases.values)])
    apart = shapely.distance(places.geometry.values, shapely.multipoints(ends))
    return [
        str(name) for name in places["place_id"][asked & (apart > compute_default_extent(area))]
    ]


def _is_in_force(places: gpd.GeoDataFrame, date: dt.date | None) -> NDArray[np.bool_]:
    """Which places count on a day; all of them without one."""
    if date is None:
        return np.ones(len(places), dtype=bool)
    day = pd.Timestamp(date)
    return np.asarray((places["from"] <= day) & (day <= places["to"]))


@dataclass(frozen=True)
class PatrolHours:
    """A school's part of a window.

    Parameters
    ----------
    start_minutes
        After midnight.
    gate_minutes
        Presence at the gate first.
    minutes
        Length, the presence included.
    waited_minutes
        How much earlier the window begins than the patrol.
    """

    start_minutes: float
    gate_minutes: float
    total_minutes: float
    wait_minutes: float = 0.0

    @property
    def after_gate_minutes(self) -> float:
        """From the end of the presence at the gate to the end of the window."""
        return self.total_minutes - self.gate_minutes


def compute_hours(area: StudyArea, school: pd.Series, window: Window) -> PatrolHours:
    """When a school's patrol starts, how long it is present at the gate first, and how long it is.

    The presence is for the pupils as they leave. A window that begins before the bell and leaves
    time for the presence begins at the bell; one that begins after they have left, or is over
    before, such as one early in the morning, has none: the patrol goes straight off.
    """
    bell = minutes_after_midnight(school["finish_time"])
    start = bell if window.start_minutes is None else window.start_minutes
    presence = area.settings.patrol.gate_minutes
    waited = max(0.0, bell - start)
    if presence == 0 or start > bell + presence or window.minutes < waited + presence:
        return PatrolHours(start, 0.0, window.minutes)
    return PatrolHours(start + waited, presence, window.minutes - waited, waited)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Streets around one gate, and the time that patrols have there.

    Nothing in it depends on risk or hotspots: a school that is planned more than once, as for held
    out months, needs them once.

    Parameters
    ----------
    network
        Streets around the gate.
    pieces
        (q,) pieces of the area's network that `network` consists of.
    effort
        (q, 2) what a metre of each costs the way that patrols go; None on foot.
    gate
        The gate, on `network`.
    base
        The officer's base, on `network`, and what patrols do there; None where they do nothing.
    base_note
        Why patrols are at the gate although the settings say the base; empty otherwise.
    streets_metres
        How far these streets reach from the gate at least, in a straight line.
    hours
        When patrols start, and for how long they may last.
    gate_metres
        (q,) walking distance from the gate to the nearer end of each piece.
    there_and_back_metres
        (q,) least cost of going from the start to each piece and on to the end, in metres that
        could be gone at full speed.
    """

    network: StreetNetwork
    pieces: NDArray[np.int64]
    effort: NDArray[np.float64] | None
    gate: Positions
    base: Base | None
    base_note: str
    extent_metres: float
    hours: PatrolHours
    gate_metres: NDArray[np.float64]
    round_trip_metres: NDArray[np.float64]


def build_surroundings(area: StudyArea, row: int, window: Window) -> Surroundings:
    """What lies around one school's gate.

    Parameters
    ----------
    area
        The study area.
    row
        Row of the area's schools.
    window
        Of the patrols.
    """
    school = area.schools.iloc[row]
    hours = compute_hours(area, school, window)
    base, note = find_patrol_base(area, str(school["urn"]), has_presence=hours.gate_minutes > 0)
    gate = area.gates.take([row])
    streets = _LocalStreets.from_gate(area, gate, base)
    if streets.direct_metres > hours.after_gate_minutes * compute_speed(area.settings.patrol):
        base, note = None, explain_gate_instead(area, "The base is too far for this window")
        streets = _LocalStreets.from_gate(area, gate, None)
    gate_metres = compute_piece_distances(streets.network, streets.gate)
    return Surroundings(
        network=streets.network,
        pieces=streets.pieces,
        effort=streets.effort,
        gate=streets.gate,
        base=streets.base,
        base_note=note,
        extent_metres=streets.extent_metres,
        hours=hours,
        gate_metres=gate_metres,
        round_trip_metres=streets.compute_round_trip_metres(gate_metres),
    )


@dataclass(frozen=True, eq=False)
class _LocalStreets:
    """Streets around a gate, and as far as a base is."""

    network: StreetNetwork
    pieces: NDArray[np.int64]
    effort: NDArray[np.float64] | None
    gate: Positions
    base: Base | None
    extent_metres: float

    @classmethod
    def from_gate(cls, area: StudyArea, gate: Positions, base: Base | None) -> "_LocalStreets":
        metres = _compute_extent(area, gate, base)
        pieces = _find_pieces_around(area, gate, base, metres)
        return cls(
            area.network.take(pieces),
            pieces,
            compute_effort(area, pieces),
            gate.map_to_subnetwork(pieces),
            None
            if base is None
            else replace(base, position=base.position.map_to_subnetwork(pieces)),
            metres,
        )

    @property
    def start(self) -> Positions:
        """Where patrols start."""
        return self.base.position if self.base is not None and self.base.is_start else self.gate

    @property
    def end(self) -> Positions:
        """Where they end."""
        return self.base.position if self.base is not None and self.base.is_end else self.gate

    @property
    def direct_metres(self) -> float:
        """Least cost of going from start to end without a stop."""
        if self.start is self.end:
            return 0.0
        ends = concatenate_positions(self.start, self.end)
        return float(WalkFinder(self.network, ends, effort=self.effort).metres[0, 1])

    def compute_round_trip_metres(self, gate_metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Surroundings`; `gate_metres` are the way there on foot from the gate."""
        on_foot = self.effort is None
        # The way back is the way there told backwards.
        turned = None if self.effort is None else self.effort[:, ::-1]
        out = (
            gate_metres
            if on_foot and self.start is self.gate
            else self._compute_metres_from(self.start)
        )
        if on_foot and self.start is self.end:
            return 2 * out
        if on_foot and self.end is self.gate:
            return out + gate_metres
        return out + compute_piece_distances(self.network, self.end, effort=turned)

    def _compute_metres_from(self, place: Positions) -> NDArray[np.float64]:
        return compute_piece_distances(self.network, place, effort=self.effort)


def _compute_extent(area: StudyArea, gate: Positions, base: Base | None) -> float:
    """How far from the gate patrols may walk: within the radius, and as far as the base is."""
    if base is None:
        return compute_default_extent(area)
    apart = area.network.xy(base.position)[0] - area.network.xy(gate)[0]
    return max(compute_default_extent(area), EXTENT_MARGIN * float(np.hypot(*apart)))


def _find_pieces_around(
    area: StudyArea, gate: Positions, base: Base | None, metres: float
) -> NDArray[np.int64]:
    """Pieces so far around a gate; gate and base are on a street, however little that is."""
    around = area.network.find_pieces_within(area.network.xy(gate)[0], metres)
    bases = () if base is None else (base.position.piece,)
    return np.unique(np.concatenate([around, gate.piece, *bases]))
