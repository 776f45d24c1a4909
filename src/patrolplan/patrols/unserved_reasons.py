"""Why a school's patrols cannot visit a place: barred places near it, its hours, or no time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely

from patrolplan.notes import Note, NoteValue
from patrolplan.patrols.designated import NEVER, find_begin_span, format_place_hours, get_place
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.stop_windows import find_hours_of_begin, format_hours
from patrolplan.patrols.surroundings import MIN_STOP_METRES_TO_BARRED, compute_speed
from patrolplan.patrols.tasked_places import find_near
from patrolplan.times import format_time


def explain_unserved(problem: SchoolProblem, watch: Sequence[str] = ()) -> Note:
    """Why mandatory places cannot all be visited: their location, their hours, or time.

    The result is for the first place that has a reason of its own, otherwise for the first of the
    hotspots to watch.
    """
    outside = problem.must_visit.iloc[problem.found.outside_rows]
    for _, place in outside.iterrows():
        gate = shapely.points(problem.surroundings.network.xy(problem.surroundings.gate)[0])
        metres = float(place.geometry.distance(gate))
        return Note("demand_out_of_reach", {**_name_place(problem, place), "metres": metres})
    notes = [_explain_stop(problem, stop) for stop in sorted(problem.must_visit_stops)]
    notes += [_explain_watched(problem, name) for name in watch]
    return min(notes, key=lambda note: note.kind == "demand_unfit")


def _explain_watched(problem: SchoolProblem, name: str) -> Note:
    """Why a hotspot to watch cannot be visited: a barred place, its hours, or no time."""
    hotspots = problem.inputs.hotspots
    own = (hotspots["hotspot"] == name).to_numpy()
    near = find_near(hotspots.geometry.to_numpy()[own], problem.barred, MIN_STOP_METRES_TO_BARRED)
    if near.any():
        barred = str(problem.barred["place_id"].iloc[int(np.argmax(near.any(axis=1)))])
        return Note("demand_near_barred", {"place": name, "barred": barred})
    place, hours = get_place(problem.inputs.area, name), problem.surroundings.hours
    if place is not None and place["from"]:
        span = find_begin_span(place, hours, problem.settings.dwell_minutes)
        values: dict[str, NoteValue] = {"place": name, "hours": format_place_hours(place)}
        if span == NEVER:
            return Note("demand_outside_hours", values)
        for stop in problem.find_stops_at(name):
            earliest = _find_earliest(problem, stop)
            if np.isfinite(earliest) and earliest > span[1]:
                values["school"] = str(problem.school["name"])
                values["earliest"] = format_time(np.ceil(earliest))
                return Note("demand_hours_unmet", values)
    return Note("demand_unfit", {"place": name, "school": str(problem.school["name"])})


def _find_earliest(problem: SchoolProblem, stop: int) -> float:
    """Earliest minute at which the officer can be at a stop."""
    metres = float(problem.walks.metres[0, stop])
    return problem.surroundings.hours.gate_until_minutes + metres / compute_speed(problem.settings)


def _explain_stop(problem: SchoolProblem, stop: int) -> Note:
    """Why a mandatory stop cannot be visited: a barred place, its hours, or no time."""
    place, barred = problem.get_tasked_place(stop), problem.barred
    closed = problem.tasked.closed_streets[:, problem.found.stops.piece[stop - 1]]
    near = barred["place_id"][closed]
    if len(near):
        values = {"place": str(place["place_id"]), "barred": str(near.iloc[0])}
        return Note("demand_near_barred", {**values})
    earliest = _find_earliest(problem, stop)
    latest = find_hours_of_begin(place, float(problem.stop_minutes[stop - 1]))[1]
    if np.isfinite(earliest) and earliest > latest:
        hours = {"hours": format_hours(place), "earliest": format_time(np.ceil(earliest))}
        return Note("demand_hours_unmet", {**_name_place(problem, place), **hours})
    return Note("demand_unfit", _name_place(problem, place))


def _name_place(problem: SchoolProblem, place: pd.Series) -> dict[str, NoteValue]:
    return {"place": str(place["place_id"]), "school": str(problem.school["name"])}
