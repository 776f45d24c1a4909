"""Further patrols for errands: to tasked places, watched hotspots and feared places.

A school's best patrol and its variants maximise worth and ignore taskings. For each place to visit,
each school that may serve it has one further patrol that goes there in its hours. Each school near
a hotspot that is new or rising has one that stops there, if none of its own does. If no patrol goes
to a square that pupils of some school fear, the two nearest schools have one that does. If the
force designates a hotspot and requires minutes for it, so do the schools nearest to it. A week then
chooses who goes; without a week, see `patrolplan.patrols.assigned_places`.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.network.graph import compute_walk_metres
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.designated import count_visits, find_resting
from patrolplan.patrols.feared_places import find_feared_places
from patrolplan.patrols.nearest_miss import explain_unserved
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.patrol_builder import PatrolBuilder
from patrolplan.patrols.plan import Patrol, Plan, Unserved, Variant
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.reference import compare_with_reference, plan_reference
from patrolplan.patrols.solver.solve import solve
from patrolplan.patrols.stop_windows import format_hours
from patrolplan.patrols.surroundings import compute_extent, compute_hours, is_during, is_in_force
from patrolplan.patrols.tasked_keys import TaskedKey, TaskedKeys
from patrolplan.patrols.tasked_places import select_tasked
from patrolplan.patrols.watched import find_watched

SCHOOLS_A_FEARED_PLACE = 2
"""Number of schools that have a patrol to a feared place where no other patrol goes."""


@dataclass(frozen=True)
class Errand:
    """A school, and the places that a patrol of it should visit."""

    urn: str
    visit: tuple[str, ...] = ()
    """Names of tasked places."""
    watch: tuple[str, ...] = ()
    """Names of watched hotspots."""


Answer = Variant | Unserved
"""The patrol of an errand, or why there is none."""

ErrandKey = tuple[Errand, TaskedKey]
"""Everything on which the patrol of an errand depends, except the day's light."""


def add_errand_variants(
    plan: Plan,
    planned: Mapping[ErrandKey, Answer],
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> tuple[Plan, dict[ErrandKey, Answer]]:
    """The plan with a variant for every errand of its day, after each school's others.

    Variants of earlier errands are removed; `planned` are patrols of errands that are planned
    already. Also gives the answer to each of its errands.
    """
    window = plan.window or resolve_window(plan.area.settings.patrol)
    patrols = [remove_errand_variants(patrol) for patrol in plan.patrols]
    urns = list(dict.fromkeys(patrol.urn for patrol in patrols))
    schools = plan.area.schools
    driven = set(schools["urn"][schools["is_driven"]])  # their officers leave the gate if tasked
    walking = [patrol for patrol in patrols if patrol.urn not in driven]
    errands = [
        *find_watches(plan.area, plan.hotspots, walking),
        *find_designated(plan, walking),
        *find_fears(plan, walking),
        *find_visits(plan.area, plan.date, window, urns),
    ]
    errands = list(dict.fromkeys(errands))
    keys = _build_keys(plan.area, plan.date, errands)
    missing = [row for row, key in enumerate(keys) if key not in planned]
    best = {urn: tuple(patrol for patrol in patrols if patrol.urn == urn) for urn in urns}
    found = plan_errands(
        plan,
        window,
        [(errands[row], best[errands[row].urn]) for row in missing],
        executor=executor,
        report_progress=report_progress,
    )
    new = dict(zip((keys[row] for row in missing), found, strict=True))
    answers = {key: new[key] if key in new else planned[key] for key in keys}
    variants: dict[str, list[Variant]] = {urn: [] for urn in urns}
    for errand, key in zip(errands, keys, strict=True):
        answer = answers[key]
        if isinstance(answer, Variant):
            variants[errand.urn].append(answer)
    unserved = (
        *find_other_hours(plan.area, plan.date, window, urns),
        *(answer for answer in answers.values() if isinstance(answer, Unserved)),
    )
    with_errands = (
        replace(patrol, variants=(*patrol.variants, *variants[patrol.urn]))
        if variants[patrol.urn]
        else patrol
        for patrol in patrols
    )
    return replace(plan, patrols=tuple(with_errands), unserved=unserved), answers


def remove_errand_variants(patrol: Patrol) -> Patrol:
    """The patrol without variants of errands; the same object if it has none."""
    own = tuple(v for v in patrol.variants if not (v.serves or v.watches))
    return patrol if len(own) == len(patrol.variants) else replace(patrol, variants=own)


def list_answers(plan: Plan) -> dict[ErrandKey, Answer]:
    """The answers to errands in a plan."""
    found: dict[Errand, Answer] = {
        Errand(patrol.urn, variant.serves, variant.watches): variant
        for patrol in plan.patrols
        for variant in patrol.variants
        if variant.serves or variant.watches
    }
    for row in plan.unserved:
        place = (row.place,)
        errand = Errand(row.urn, watch=place) if row.is_watched else Errand(row.urn, visit=place)
        found[errand] = row
    return dict(zip(_build_keys(plan.area, plan.date, found), found.values(), strict=True))


def _build_keys(
    area: StudyArea, date: dt.date | None, errands: Iterable[Errand]
) -> list[ErrandKey]:
    """The keys of errands, see `ErrandKey`."""
    keys = TaskedKeys.from_area(area, date)
    return [(errand, keys.build_visit_key(errand.urn, errand.visit)) for errand in errands]


def find_watches(
    area: StudyArea, hotspots: gpd.GeoDataFrame, patrols: Sequence[Patrol]
) -> Iterator[Errand]:
    """Each watched hotspot with each school near it without a patrol that stops there."""
    covered = _find_covered(patrols)
    for name, schools in find_watched(area, hotspots, tuple(covered)).items():
        for urn in schools:
            if name not in covered[urn]:
                yield Errand(urn, watch=(name,))


def find_fears(plan: Plan, patrols: Sequence[Patrol]) -> Iterator[Errand]:
    """Each feared place without a patrol, with the schools nearest to one of its hotspots."""
    covered = _find_covered(patrols)
    seen = set[str]().union(*covered.values())
    for place in find_feared_places(plan.area, plan.risk, plan.hotspots, tuple(covered)):
        if seen.isdisjoint(place.hotspots):
            for urn, hotspot in place.nearest[:SCHOOLS_A_FEARED_PLACE]:
                yield Errand(urn, watch=(hotspot,))


def find_designated(plan: Plan, patrols: Sequence[Patrol]) -> Iterator[Errand]:
    """Each designated hotspot with required minutes, with the nearest schools that do not go there.

    The number of schools is the number of weekly visits, since few have a patrol every day.
    """
    area, covered = plan.area, _find_covered(patrols)
    resting = find_resting(area, plan.date)
    visits = {name: count for name, count in count_visits(area).items() if name not in resting}
    if not visits:
        return
    limit = area.settings.patrol.radius_metres
    urns = area.schools["urn"].astype(str).tolist()
    walks = {
        urn: compute_walk_metres(area.network.walkable, area.gates.take([row]), limit)
        for row, urn in enumerate(urns)
        if urn in covered
    }
    pieces = dict(zip(plan.hotspots["hotspot"], plan.hotspots["stop_piece"], strict=True))
    for name, count in visits.items():
        away = {urn: float(walk[pieces[name]]) for urn, walk in walks.items() if name in pieces}
        near = sorted((metres, urn) for urn, metres in away.items() if np.isfinite(metres))
        for _, urn in near[:count]:
            if name not in covered[urn]:
                yield Errand(urn, watch=(name,))


def _find_covered(patrols: Sequence[Patrol]) -> dict[str, set[str]]:
    """The hotspots that the patrols of each school and their variants stop at, by URN."""
    covered: dict[str, set[str]] = {patrol.urn: set() for patrol in patrols}
    for patrol in patrols:
        others = (each for variant in patrol.variants for each in variant.patrols)
        for walk in (patrol, *others):
            covered[patrol.urn].update(name for stop in walk.stops for name in stop.covered)
    return covered


def find_visits(
    area: StudyArea, date: dt.date | None, window: Window, urns: Sequence[str]
) -> Iterator[Errand]:
    """Each place to visit on a day with each of these schools that may serve it in its hours."""
    for place, urn, during in _list_servers(area, date, window, urns):
        if during:
            yield Errand(urn, visit=(str(place["place_id"]),))


def find_other_hours(
    area: StudyArea, date: dt.date | None, window: Window, urns: Sequence[str]
) -> Iterator[Unserved]:
    """Places to visit whose hours miss those of patrols of schools that may serve them."""
    for place, urn, during in _list_servers(area, date, window, urns):
        if not during:
            name = str(place["place_id"])
            obstacle = Obstacle("outside_hours", name, hours=format_hours(place))
            yield Unserved(urn, name, obstacle)


def _list_servers(
    area: StudyArea, date: dt.date | None, window: Window, urns: Sequence[str]
) -> Iterator[tuple[pd.Series, str, bool]]:
    """Places to visit on a day, schools that may serve them, and whether their hours overlap."""
    places = select_tasked(area.tasked_places, must_visit=True)
    places = places[is_in_force(places, date)]
    if places.empty or window.at_gate:
        return
    rows = [row for row, urn in enumerate(area.schools["urn"]) if urn in set(urns)]
    gates = shapely.points(area.network.xy(area.gates.take(rows)))
    extent = compute_extent(area)
    hours = [compute_hours(area, area.schools.iloc[row], window) for row in rows]
    for number, (_, place) in enumerate(places.iterrows()):
        metres = shapely.distance(gates, place.geometry)
        for row, away, each in zip(rows, metres, hours, strict=True):
            urn = str(area.schools["urn"].iloc[row])
            if urn in place["schools"] or (ALL_SCHOOLS in place["schools"] and away <= extent):
                during = bool(is_during(places.iloc[[number]], each)[0])
                yield place, urn, during


def plan_errands(
    plan: Plan,
    window: Window,
    items: Sequence[tuple[Errand, Sequence[Patrol]]],
    *,
    inputs: PlanningInputs | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> list[Answer]:
    """The patrols of errands, each of which is given with the best patrols of its school.

    `inputs` are those of the plan, if they are still available.
    """
    if not items:
        return []
    rows = {str(urn): row for row, urn in enumerate(plan.area.schools["urn"])}
    inputs = inputs or PlanningInputs.reuse(
        plan.area,
        plan.risk,
        plan.hotspots,
        window,
        plan.date,
        sorted({rows[patrol.urn] for patrol in plan.patrols}),
    )
    numbered = [(rows[errand.urn], errand, tuple(best)) for errand, best in items]
    progress = label_progress("Planning requested visits", numbered, report_progress)
    return map_parallel(plan_errand, inputs, numbered, executor=executor, report_progress=progress)


def plan_errand(inputs: PlanningInputs, item: tuple[int, Errand, Sequence[Patrol]]) -> Answer:
    """The best patrols of a school that go to all places of an errand, or why there are none.

    `item` has the row of the school, the errand and the best patrols without it.
    """
    row, errand, best = item
    builder = PatrolBuilder.for_school(inputs, row, visit=errand.visit, watch=errand.watch)
    problem = builder.problem
    (name,) = (*errand.visit, *errand.watch)[:1]
    is_watched = bool(errand.watch)
    watched = [problem.find_stops_at(hotspot) for hotspot in errand.watch]
    if len(problem.found.outside_rows) or not all(watched):
        return Unserved(errand.urn, name, explain_unserved(problem, errand.watch), is_watched)
    stops = frozenset[int]().union(problem.must_visit_stops, *watched)
    orienteering = problem.build_problem(stops)
    solution = solve(orienteering)
    if solution.status == "infeasible":
        return Unserved(errand.urn, name, explain_unserved(problem, errand.watch), is_watched)
    routes = [builder.build_patrol(route, solution) for route in solution.routes]
    patrols = compare_with_reference(builder, routes, plan_reference(builder))
    worth = sum(patrol.worth for patrol in best)
    return Variant(
        worth_share=min(1.0, solution.worth / worth) if worth > 0 else 1.0,
        hotspots=tuple(stop.hotspot for patrol in patrols for stop in patrol.stops),
        patrols=patrols,
        serves=errand.visit,
        watches=errand.watch,
    )
