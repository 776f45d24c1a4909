"""Further patrols for errands: past crowded hotspots, and to places that somebody asks for.

A school's best patrols ignore taskings and what other schools do: for each demand the schools near
it have one more that meets it. A week chooses who goes; without one, see `planner`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.arrays import Bools
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols import designated, surroundings
from patrolplan.patrols.demands import KINDS, DemandKind
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.plan import Patrol, Plan, Unserved, Variant
from patrolplan.patrols.planner import Occasion, Planner, get_occasion, get_planner
from patrolplan.patrols.reference import compare_with_reference, plan_reference
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.solver.solve import OrienteeringProblem, solve
from patrolplan.patrols.tasked_places import find_near, select_tasked
from patrolplan.tables import LeftOut, LeftOutRow
from patrolplan.times import format_time

MINUTES_TOLERANCE = 1e-6


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
    for _, place in places[surroundings.is_in_force(places, plan.date)].iterrows():
        name = str(place["place_id"])
        if visits.get(name):
            continue
        obstacle = find_nearest_miss(plan.area, place, urns, unserved)
        if all_schools or any(row.place == name for row in unserved):
            fix = "change the tasking, or send someone else"
            left_out.add("tasked places", f"{name}: {obstacle.tell_lead()}", 1, fix=fix)
    yield from left_out.rows


def explain_unserved(problem: SchoolProblem, watch: Sequence[str] = ()) -> Obstacle:
    """Why mandatory places cannot all be visited: their location, their hours, or time."""
    for _, place in problem.outside.iterrows():
        name, urns = str(place["place_id"]), [str(problem.school["urn"])]
        return measure_nearest_school(problem.planner.area, name, place.geometry, urns)
    found, area = list[Obstacle](), problem.planner.area
    for stop in sorted(problem.tasked_stops):
        visit = problem.get_visit(stop)
        near = problem.tasked.closed_streets[:, problem.positions.piece[stop - 1]]
        name = "" if visit.tasking is None else visit.tasking.place_id
        found.append(_explain(problem, name, [stop], near, visit.hours or designated.ALWAYS))
    hotspots = problem.planner.hotspots
    for name in watch:
        own = hotspots.geometry.to_numpy()[(hotspots["hotspot"] == name).to_numpy()]
        near = find_near(own, problem.tasked.barred, surroundings.MIN_STOP_METRES_TO_BARRED)
        spot = designated.get_place(area, name)
        hours = designated.ALWAYS if spot is None else designated.read_hours(spot)
        found.append(_explain(problem, name, problem.find_stops_at(name), near, hours))
    return min(found, key=lambda obstacle: obstacle.kind == "unfit")


def _explain(
    problem: SchoolProblem, name: str, stops: Iterable[int], near: Bools, hours: designated.Hours
) -> Obstacle:
    """A barred place, the hours in which it may be visited, or no time."""
    school = str(problem.school["name"])
    if near.any():
        barred = problem.tasked.barred["place_id"].iloc[int(np.argwhere(near)[0, 0])]
        return Obstacle("near_barred", name, barred=str(barred))
    met = hours.meet(problem.hours)
    if met is None:
        return Obstacle("outside_hours", name, hours=str(hours))
    for stop in stops:
        _, latest = met.find_begins(problem.get_visit(stop).dwell_minutes)
        walk = float(problem.walks.metres[0, stop]) / problem.settings.metres_per_minute
        earliest = problem.hours.gate_until_minutes + walk
        if np.isfinite(earliest) and earliest > latest:
            arrival = format_time(np.ceil(earliest))
            return Obstacle("hours_unmet", name, school, hours=str(hours), earliest=arrival)
    return Obstacle("unfit", name, school)


@dataclass(frozen=True)
class Errand:
    """A school, and where a patrol of it should and should not go."""

    urn: str
    visit: tuple[str, ...] = ()  # names of tasked places
    watch: tuple[str, ...] = ()  # names of watched hotspots
    avoid: tuple[str, ...] = ()  # names of crowded hotspots


Answer = Variant | Unserved | None  # why there is no patrol; None: nothing left past crowded places


def add_variants(plan: Plan, answers: Mapping[Errand, Answer]) -> Plan:
    """The plan with errands' patrols as variants; past crowded hotspots only one with new stops."""
    patrols = []
    for patrol in plan.patrols:
        own = list(patrol.variants)
        seen = {frozenset(stop.hotspot for stop in patrol.stops)}
        seen |= {frozenset(variant.hotspots) for variant in own}
        for errand, answer in answers.items():
            if errand.urn == patrol.urn and isinstance(answer, Variant):
                stops = frozenset(answer.hotspots)
                own += [] if errand.avoid and stops in seen else [answer]
                seen.add(stops)
        patrols.append(replace(patrol, variants=tuple(own)))
    unserved = (answer for answer in answers.values() if isinstance(answer, Unserved))
    return replace(plan, patrols=tuple(patrols), unserved=(*plan.unserved, *unserved))


ORDER = tuple(sorted(KINDS, key=lambda kind: KINDS[kind].is_tasked))  # to hotspots first


def find_errands(plan: Plan, kinds: Sequence[DemandKind] = ORDER) -> list[Errand]:
    """Every errand of a plan's day and window to places that somebody asks for, each once."""
    # None to a hotspot at which a patrol of the school stops, or to a feared place that has one.
    covered: dict[str, set[str]] = {}
    for patrol in plan.patrols:
        others = (each for variant in patrol.variants for each in variant.patrols)
        names = (name for walk in (patrol, *others) for name in walk.covered)
        covered.setdefault(patrol.urn, set()).update(names)
    seen = set[str]().union(*covered.values())
    errands: dict[Errand, None] = {}
    for kind in kinds:
        if KINDS[kind].is_tasked and plan.window is not None and plan.window.at_gate:
            continue
        for demand in KINDS[kind].find(plan, [plan.date], list(covered)):
            is_met = kind == "feared" and not seen.isdisjoint(demand.hotspots)
            for urn, name in demand.near if demand.days and not is_met else ():
                if demand.is_tasked:
                    errands[Errand(urn, visit=(name,))] = None
                elif name not in covered[urn]:
                    errands[Errand(urn, watch=(name,))] = None
    return list(errands)


def find_detours(plan: Plan) -> list[Errand]:
    """Errands past crowded hotspots, to which more schools go than the daily maximum allows."""
    # Past each at which all patrols of a school stop; past all if each of them stops at some.
    most = plan.area.settings.week.max_dose_minutes_per_day
    longest: defaultdict[tuple[str, str], float] = defaultdict(float)
    choices: dict[str, list[frozenset[str]]] = {}
    for urn, own in group_by_school(plan.patrols).items():
        walks = [own, *(variant.patrols for variant in own[0].variants)]
        stops = [[stop for patrol in walk for stop in patrol.stops] for walk in walks]
        free = [[one for one in each if not one.is_sent and one.kind != "gate"] for each in stops]
        choices[urn] = [frozenset(stop.hotspot for stop in each) for each in free]
        for stop in (stop for each in free for stop in each):
            minutes = min(stop.leave_minutes - stop.arrive_minutes, most)
            longest[stop.hotspot, urn] = max(longest[stop.hotspot, urn], minutes)
    total: defaultdict[str, float] = defaultdict(float)
    for (hotspot, _), minutes in longest.items():
        total[hotspot] += minutes
    crowded = {name for name, much in total.items() if much > most + MINUTES_TOLERANCE}
    errands: dict[Errand, None] = {}
    for urn, each in choices.items():
        for name in sorted(crowded & frozenset.intersection(*each)):
            errands[Errand(urn, avoid=(name,))] = None
        if all(choice & crowded for choice in each):
            every = crowded & frozenset().union(*each)
            errands[Errand(urn, avoid=tuple(sorted(every)))] = None
    return list(errands)


def group_by_school(patrols: Sequence[Patrol]) -> dict[str, list[Patrol]]:
    """The patrols of each school by URN."""
    groups: dict[str, list[Patrol]] = {}
    for patrol in patrols:
        groups.setdefault(patrol.urn, []).append(patrol)
    return groups


def plan_errands(
    plan: Plan,
    errands: Sequence[Errand],
    *,
    for_week: bool = True,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> list[Answer]:
    """The patrols of errands."""
    if not errands:
        return []
    planner = get_planner(plan)
    occasion = get_occasion(plan)._replace(for_week=for_week)
    best = group_by_school(plan.patrols)
    planner.prepare_all(map(planner.find_row, best), occasion.window)
    items = [(occasion, errand, tuple(best[errand.urn])) for errand in errands]
    progress = label_progress("Planning further patrols", items, report_progress)
    return map_parallel(plan_errand, planner, items, executor=executor, report_progress=progress)


def plan_errand(planner: Planner, item: tuple[Occasion, Errand, Sequence[Patrol]]) -> Answer:
    """Patrols of a school on an errand, next to the best ones, or why there are none."""
    occasion, errand, best = item
    row = planner.find_row(errand.urn)
    area, places = planner.area, planner.area.tasked_places
    hours = surroundings.compute_hours(area, area.schools.iloc[row], occasion.window)
    asked = places[places["place_id"].isin(errand.visit)]
    for _, place in asked[~surroundings.is_during(asked, hours)].iterrows():
        name = str(place["place_id"])
        why = Obstacle("outside_hours", name, hours=str(designated.read_hours(place)))
        return Unserved(errand.urn, name, why)
    builder = planner.get_builder(row, occasion, errand.visit, errand.watch)
    problem = _build_problem(builder.problem, errand)
    solution = None if problem is None else solve(problem)
    if solution is None or solution.status == "infeasible":
        if errand.avoid:
            return None
        (name,) = (*errand.visit, *errand.watch)[:1]
        why = explain_unserved(builder.problem, errand.watch)
        return Unserved(errand.urn, name, why, is_watched=bool(errand.watch))
    if errand.avoid and not solution.stops:
        return None
    routes = [builder.build_patrol(route, solution) for route in solution.routes]
    patrols = compare_with_reference(builder, routes, plan_reference(builder))
    worth = sum(patrol.worth for patrol in best)
    share = min(1.0, solution.worth / worth) if worth > 0 else 1.0
    return Variant.from_patrols(
        patrols, share, serves=errand.visit, watches=errand.watch, avoided_hotspots=errand.avoid
    )


def _build_problem(problem: SchoolProblem, errand: Errand) -> OrienteeringProblem | None:
    """The problem of a school's officers on an errand; None where a place cannot be reached."""
    plain = problem.plain_problem
    if errand.avoid:
        stops = enumerate(problem.visits, start=1)
        off = {stop for stop, place in stops if place.name in errand.avoid}
        return replace(plain, barred=plain.barred | off)
    watched = [problem.find_stops_at(hotspot) for hotspot in errand.watch]
    if len(problem.outside) or not all(watched):
        return None
    return replace(plain, mandatory=problem.tasked_stops.union(*watched))
