"""The obstacle of a place that nobody visits: that of the school which is closest to a visit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.patrols.designated import (
    NEVER,
    find_begin_span,
    find_hours_of_begin,
    format_hours,
    format_place_hours,
    get_place,
)
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.plan import Plan, Unserved
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.surroundings import MIN_STOP_METRES_TO_BARRED, compute_speed, is_in_force
from patrolplan.patrols.tasked_places import find_near, select_tasked
from patrolplan.tables import LeftOut, LeftOutRow
from patrolplan.times import format_time


def find_nearest_miss(
    area: StudyArea, place: pd.Series, urns: Sequence[str], unserved: Sequence[Unserved]
) -> Obstacle:
    """Why no patrol of these schools visits a tasked place, for the school closest to a visit."""
    name = str(place["place_id"])
    rows = (row for row in unserved if row.place == name and not row.is_watched)
    nearest = choose_nearest_miss([row.why for row in rows if row.urn in urns])
    if nearest is not None:
        return nearest
    may_serve = [urn for urn in urns if ALL_SCHOOLS in place["schools"] or urn in place["schools"]]
    if not may_serve:
        return Obstacle("no_school", name)
    return measure_nearest_school(area, name, place.geometry, may_serve)


def choose_nearest_miss(obstacles: Sequence[Obstacle]) -> Obstacle | None:
    """The obstacle that is closest to a visit; None if there are none."""
    return min(obstacles, key=lambda one: one.rank, default=None)


def measure_nearest_school(
    area: StudyArea, name: str, point: shapely.Point, urns: Sequence[str]
) -> Obstacle:
    """Distance of a place from the nearest gate of some schools, in a straight line."""
    rows = np.flatnonzero(area.schools["urn"].isin(urns))
    metres = shapely.distance(shapely.points(area.network.xy(area.gates.take(rows))), point)
    nearest = int(np.argmin(metres))
    school = str(area.schools["name"].iloc[rows[nearest]])
    return Obstacle("out_of_reach", name, school, metres=float(metres[nearest]))


def list_left_out(
    plan: Plan,
    urns: Sequence[str],
    unserved: Sequence[Unserved],
    visits: Mapping[str, int],
    *,
    all_schools: bool = True,
) -> Iterator[LeftOutRow]:
    """A row for each place to visit on a plan's day that no one can: 0 in `visits`, by name."""
    places = select_tasked(plan.area.tasked_places, must_visit=True)
    left_out = LeftOut()
    for _, place in places[is_in_force(places, plan.date)].iterrows():
        name = str(place["place_id"])
        if visits.get(name):
            continue
        obstacle = find_nearest_miss(plan.area, place, urns, unserved)
        if all_schools or any(row.place == name for row in unserved):
            fix = "change the tasking, or send someone else"
            left_out.add("tasked places", obstacle.tell_lead(), 1, fix=fix)
    yield from left_out.rows


def explain_unserved(problem: SchoolProblem, watch: Sequence[str] = ()) -> Obstacle:
    """Why mandatory places cannot all be visited: their location, their hours, or time."""
    for _, place in problem.tasked.must_visit.iloc[problem.found.outside_rows].iterrows():
        name, urns = str(place["place_id"]), [str(problem.school["urn"])]
        return measure_nearest_school(problem.inputs.area, name, place.geometry, urns)
    found = [_explain_stop(problem, stop) for stop in sorted(problem.must_visit_stops)]
    found += [_explain_watched(problem, name) for name in watch]
    return min(found, key=lambda obstacle: obstacle.kind == "unfit")


def _explain_watched(problem: SchoolProblem, name: str) -> Obstacle:
    """Why a hotspot to watch cannot be visited."""
    hotspots, place = problem.inputs.hotspots, get_place(problem.inputs.area, name)
    own = hotspots.geometry.to_numpy()[(hotspots["hotspot"] == name).to_numpy()]
    near = find_near(own, problem.tasked.barred, MIN_STOP_METRES_TO_BARRED)
    span, hours = (-np.inf, np.inf), ""
    if place is not None:
        dwell = problem.settings.dwell_minutes
        span = find_begin_span(place, problem.surroundings.hours, dwell)
        hours = format_place_hours(place)
    return _explain(problem, name, problem.find_stops_at(name), near, span, hours)


def _explain_stop(problem: SchoolProblem, stop: int) -> Obstacle:
    """Why a tasked place cannot be visited."""
    place = problem.get_tasked_place(stop)
    near = problem.tasked.closed_streets[:, problem.found.stops.piece[stop - 1]]
    span = find_hours_of_begin(place, float(problem.stop_minutes[stop - 1]))
    return _explain(problem, str(place["place_id"]), [stop], near, span, format_hours(place))


def _explain(
    problem: SchoolProblem,
    name: str,
    stops: Iterable[int],
    near: NDArray[np.bool_],
    begins: tuple[float, float],
    hours: str,
) -> Obstacle:
    """A barred place, the hours in which a dwell begins, or no time."""
    school = str(problem.school["name"])
    if near.any():
        barred = problem.tasked.barred["place_id"].iloc[int(np.argwhere(near)[0, 0])]
        return Obstacle("near_barred", name, barred=str(barred))
    if begins == NEVER:
        return Obstacle("outside_hours", name, hours=hours)
    for stop in stops:
        walk = float(problem.walks.metres[0, stop]) / compute_speed(problem.settings)
        earliest = problem.surroundings.hours.gate_until_minutes + walk
        if np.isfinite(earliest) and earliest > begins[1]:
            arrival = format_time(np.ceil(earliest))
            return Obstacle("hours_unmet", name, school, hours=hours, earliest=arrival)
    return Obstacle("unfit", name, school)
