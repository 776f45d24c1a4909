"""The obstacle of a place that nobody visits: that of the school which is closest to a visit."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.patrols.designated import NEVER, find_begin_span, format_place_hours, get_place
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.plan import Plan, Unserved
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.stop_windows import find_hours_of_begin, format_hours
from patrolplan.patrols.surroundings import MIN_STOP_METRES_TO_BARRED, compute_speed, is_in_force
from patrolplan.patrols.tasked_places import find_near, select_tasked
from patrolplan.tables import LeftOut, LeftOutRow
from patrolplan.times import format_time


def find_nearest_miss(
    area: StudyArea, place: pd.Series, urns: Sequence[str], unserved: Sequence[Unserved]
) -> Obstacle:
    """Why no patrol of these schools visits a tasked place, for the school closest to a visit.

    `unserved` are places that schools may serve but cannot, with reasons.
    """
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
    """A row for each place to visit on a plan's day that no one can visit.

    `visits` is how many can visit each place, by its name; 0 if it is missing. If these are not all
    schools of the area, places that others may serve are not listed.
    """
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
    """Why mandatory places cannot all be visited: their location, their hours, or time.

    The result is for the first place that has a reason of its own, otherwise for the first of the
    hotspots to watch.
    """
    outside = problem.must_visit.iloc[problem.found.outside_rows]
    for _, place in outside.iterrows():
        gate = shapely.points(problem.surroundings.network.xy(problem.surroundings.gate)[0])
        metres = float(place.geometry.distance(gate))
        return Obstacle("out_of_reach", *_name_place(problem, place), metres=metres)
    found = [_explain_stop(problem, stop) for stop in sorted(problem.must_visit_stops)]
    found += [_explain_watched(problem, name) for name in watch]
    return min(found, key=lambda obstacle: obstacle.kind == "unfit")


def _explain_watched(problem: SchoolProblem, name: str) -> Obstacle:
    """Why a hotspot to watch cannot be visited: a barred place, its hours, or no time."""
    hotspots, school = problem.inputs.hotspots, str(problem.school["name"])
    own = (hotspots["hotspot"] == name).to_numpy()
    near = find_near(hotspots.geometry.to_numpy()[own], problem.barred, MIN_STOP_METRES_TO_BARRED)
    if near.any():
        barred = str(problem.barred["place_id"].iloc[int(np.argmax(near.any(axis=1)))])
        return Obstacle("near_barred", name, barred=barred)
    place, hours = get_place(problem.inputs.area, name), problem.surroundings.hours
    if place is not None and place["from"]:
        span = find_begin_span(place, hours, problem.settings.dwell_minutes)
        span_hours = format_place_hours(place)
        if span == NEVER:
            return Obstacle("outside_hours", name, hours=span_hours)
        for stop in problem.find_stops_at(name):
            earliest = _find_earliest(problem, stop)
            if np.isfinite(earliest) and earliest > span[1]:
                arrival = format_time(np.ceil(earliest))
                return Obstacle("hours_unmet", name, school, hours=span_hours, earliest=arrival)
    return Obstacle("unfit", name, school)


def _find_earliest(problem: SchoolProblem, stop: int) -> float:
    """Earliest minute at which the officer can be at a stop."""
    metres = float(problem.walks.metres[0, stop])
    return problem.surroundings.hours.gate_until_minutes + metres / compute_speed(problem.settings)


def _explain_stop(problem: SchoolProblem, stop: int) -> Obstacle:
    """Why a mandatory stop cannot be visited: a barred place, its hours, or no time."""
    place, barred = problem.get_tasked_place(stop), problem.barred
    closed = problem.tasked.closed_streets[:, problem.found.stops.piece[stop - 1]]
    near = barred["place_id"][closed]
    if len(near):
        return Obstacle("near_barred", str(place["place_id"]), barred=str(near.iloc[0]))
    earliest = _find_earliest(problem, stop)
    latest = find_hours_of_begin(place, float(problem.stop_minutes[stop - 1]))[1]
    if np.isfinite(earliest) and earliest > latest:
        hours, arrival = format_hours(place), format_time(np.ceil(earliest))
        who = _name_place(problem, place)
        return Obstacle("hours_unmet", *who, hours=hours, earliest=arrival)
    return Obstacle("unfit", *_name_place(problem, place))


def _name_place(problem: SchoolProblem, place: pd.Series) -> tuple[str, str]:
    """The names of a tasked place and of the school."""
    return str(place["place_id"]), str(problem.school["name"])
