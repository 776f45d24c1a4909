"""When and where a school's patrols start and end, and the tasked places of their day."""

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.network import Positions
from patrolplan.network.catchments import FARTHEST_METRES
from patrolplan.patrols.windows import Window
from patrolplan.patrols.windows import minutes_after_midnight


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


def tasked_for(area: StudyArea, urn: str, date: dt.date | None) -> gpd.GeoDataFrame:
    """Tasked places of a school, on a day where one is given."""
    places = area.tasked_places
    if places.empty:
        return places
    mine = np.array([urn in row or "*" in row for row in places["schools"]], dtype=bool)
    if date is not None:
        day = pd.Timestamp(date)
        mine &= ((places["from"] <= day) & (day <= places["to"])).to_numpy()
    return places[mine].reset_index(drop=True)


def start_of(area: StudyArea, school: pd.Series, window: Window) -> tuple[float, float]:
    """When a school's patrol starts, and for how long it is present at the gate first.

    The presence is for the pupils as they leave: a patrol that starts after that, or is over
    before the bell, such as one early in the morning, goes straight off.
    """
    bell = minutes_after_midnight(school["finish_time"])
    start = bell if window.start_minutes is None else window.start_minutes
    presence = area.settings.patrol.gate_minutes
    there = start <= bell + presence and start + window.minutes > bell
    return start, presence if there else 0.0
