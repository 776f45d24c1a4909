"""Hotspots -> `Plan`: the best patrol of every school, timed and walked out."""

import datetime as dt
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.patrols.case import SchoolCase
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.reach import reach_of
from patrolplan.patrols.windows import Window
from patrolplan.patrols.windows import minutes_after_midnight
from patrolplan.patrols.windows import window_of
from patrolplan.places import street_labels
from patrolplan.risk.surface import Risk
from patrolplan.tables import LeftOut


def plan_patrols(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    *,
    urns: Sequence[str] | None = None,
    window: Window | None = None,
    date: dt.date | None = None,
) -> Plan:
    """Plan the patrols of every school in the area.

    From the gate at the bell: presence there first, then the stops that are worth most together
    within the window, each with its dwell, and back to the gate.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.
    urns
        Only these schools; default all.
    window
        See `patrolplan.patrols.windows.window_of`; default the settings' minutes from the bell.
    date
        Day of the patrols: tasked places count on their days only. Without it all of them count.

    Returns
    -------
    Plan
        With a bound on what is possible for every patrol, and its variants.

    Raises
    ------
    InputError
        When a school that is asked for is not there, or the presence at the gate does not fit
        into the window.
    """
    window = window or window_of(area.settings.patrol)
    _check(area, window, urns)
    labels = street_labels(area.network)
    patrols: list[Patrol] = []
    told = LeftOut()
    for row in range(len(area.schools)):
        school = area.schools.iloc[row]
        if urns is not None and school["urn"] not in urns:
            continue
        tasked = _tasked(area, str(school["urn"]), date)
        start, gate_minutes = _start(area, school, window)
        reach = reach_of(
            area,
            risk,
            hotspots,
            area.gates.take([row]),
            minutes=window.minutes - gate_minutes,
            must_visit=tasked[tasked["must_visit"]],
            barred=tasked[~tasked["must_visit"]],
        )
        case = SchoolCase(
            area=area,
            hotspots=hotspots,
            school=school,
            tasked=tasked,
            reach=reach,
            labels=labels[reach.pieces],
            gain=risk.joined[reach.pieces],
            start_minutes=start,
            gate_until_minutes=start + gate_minutes,
            latest_end_minutes=start + window.minutes,
        )
        found, unmet = case.patrols()
        patrols += found
        for place in unmet:
            told.add("tasked places", f"{place}: out of reach of URN {school['urn']} in time", 1)
    return Plan(area, risk, hotspots, tuple(patrols), (*area.left_out, *told.rows))


def _check(area: StudyArea, window: Window, urns: Sequence[str] | None) -> None:
    settings = area.settings.patrol
    if settings.gate_minutes > window.minutes:
        what = (
            f"gate_minutes {settings.gate_minutes:g} is longer than "
            f"the window's {window.minutes:g} minutes"
        )
        where, remedy = "[patrol]", "make the window longer or the presence shorter"
        raise InputError.one(where, what, remedy)
    there = list(area.schools["urn"])
    for urn in urns or ():
        if urn not in there:
            what = f"the school '{urn}' is not in the area (there: {', '.join(there[:12])})"
            where = "--school"
            raise InputError.one(where, what, "name one of them, or see `patrolplan check`")


def _tasked(area: StudyArea, urn: str, date: dt.date | None) -> gpd.GeoDataFrame:
    """Tasked places of a school, on a day where one is given."""
    places = area.tasked_places
    mine = np.array([urn in row or "*" in row for row in places["schools"]], dtype=bool)
    if date is not None:
        day = pd.Timestamp(date)
        mine &= ((places["from"] <= day) & (day <= places["to"])).to_numpy()
    return places[mine].reset_index(drop=True)


def _start(area: StudyArea, school: pd.Series, window: Window) -> tuple[float, float]:
    """When a school's patrol starts, and for how long it is present at the gate first.

    Pupils have left by the end of the presence: a patrol that starts later goes straight off.
    """
    bell = minutes_after_midnight(school["finish_time"])
    start = bell if window.start_minutes is None else window.start_minutes
    presence = area.settings.patrol.gate_minutes
    return start, presence if start <= bell + presence else 0.0
