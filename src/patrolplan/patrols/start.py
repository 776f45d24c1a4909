"""When and where a school's patrols start and end, and the tasked places of their day."""

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network import Positions
from patrolplan.network.catchments import FARTHEST_METRES
from patrolplan.patrols.windows import Window
from patrolplan.patrols.windows import minutes_after_midnight

MARGIN = 1.2
"""Walks between stops may lead this much farther from the gate than the radius."""


def streets_metres(area: StudyArea) -> float:
    """How far a school's streets reach from its gate, in a straight line."""
    return MARGIN * area.settings.patrol.radius_metres


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

    place: Positions
    starts: bool
    ends: bool


def base_for(area: StudyArea, urn: str, *, presence: bool) -> tuple[Base | None, str]:
    """The base where the settings have patrols start or end, and why there is none."""
    settings = area.settings.patrol
    if settings.start == settings.end == "gate":
        return None, ""
    place, missing = base_of(area, urn)
    if place is None:
        return None, at_the_gate(area, missing)
    starts, ends = settings.start == "base", settings.end == "base"
    return Base(place, starts=starts and not presence, ends=ends), ""


def base_of(area: StudyArea, urn: str) -> tuple[Positions | None, str]:
    """The base of a school's first officer, and else why patrols are without one."""
    has = np.array([urn in urns for urns in area.officers["school_urns"]], dtype=bool)
    if not has.any():
        return None, "No officer has this school"
    place = area.officers.geometry.iloc[int(np.argmax(has))]
    base = area.network.snap([(place.x, place.y)])
    if base.moved_metres[0] > FARTHEST_METRES:
        return None, "No walkable street is near the officer's base"
    return base, ""


def at_the_gate(area: StudyArea, why: str) -> str:
    """Why patrols are at the gate where the settings say the base."""
    settings = area.settings.patrol
    does = [
        word
        for word, place in (("starts", settings.start), ("ends", settings.end))
        if place == "base"
    ]
    return f"{why}: {' and '.join(does)} at the gate."


def tasked_for(area: StudyArea, row: int, date: dt.date | None, metres: float) -> gpd.GeoDataFrame:
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
    mine = (named | (for_all & here)) & _in_force(places, date)
    return places[mine].reset_index(drop=True)


def tasked_for_nobody(area: StudyArea, date: dt.date | None) -> list[str]:
    """Names of the places to visit that are for all schools and lie among no school's streets."""
    places = area.tasked_places
    asked = places["must_visit"].to_numpy(dtype=bool) & _in_force(places, date)
    asked &= np.array(["*" in urns for urns in places["schools"]], dtype=bool)
    ends = area.network.xy(area.gates)
    if "base" in {area.settings.patrol.start, area.settings.patrol.end}:
        bases = area.officers.geometry.dropna()
        ends = np.concatenate([ends, shapely.get_coordinates(bases.values)])
    apart = shapely.distance(places.geometry.values, shapely.multipoints(ends))
    return [str(name) for name in places["place_id"][asked & (apart > streets_metres(area))]]


def _in_force(places: gpd.GeoDataFrame, date: dt.date | None) -> NDArray[np.bool_]:
    """Which places count on a day; all of them without one."""
    if date is None:
        return np.ones(len(places), dtype=bool)
    day = pd.Timestamp(date)
    return np.asarray((places["from"] <= day) & (day <= places["to"]))


@dataclass(frozen=True)
class Hours:
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
    minutes: float
    waited_minutes: float = 0.0

    @property
    def on_the_way_minutes(self) -> float:
        """From the end of the presence at the gate to the end of the window."""
        return self.minutes - self.gate_minutes


def hours_of(area: StudyArea, school: pd.Series, window: Window) -> Hours:
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
        return Hours(start, 0.0, window.minutes)
    return Hours(start + waited, presence, window.minutes - waited, waited)
