"""Hotspots -> `Plan`: the best patrols of every school, and nearly optimal variants."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, read_window
from patrolplan.area.relations import check_age
from patrolplan.area.study_area import find_school, refuse_other_area
from patrolplan.audit_guard import refuse_audit_columns
from patrolplan.doors import Day, Urns, list_urns, read_day
from patrolplan.errors import InputError, Problems
from patrolplan.hotspots.given import take_hotspots
from patrolplan.network.graph import list_seen_pieces
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols import errands
from patrolplan.patrols.patrol_builder import PatrolBuilder
from patrolplan.patrols.plan import Patrol, Plan, Unserved, Variant
from patrolplan.patrols.planner import Occasion, Planner
from patrolplan.patrols.posts import plan_posts
from patrolplan.patrols.reference import MIN_GAIN, compare_with_reference, plan_reference
from patrolplan.patrols.solver.solve import Solution, find_variants, solve
from patrolplan.patrols.tasked_places import add_taskings
from patrolplan.patrols.way_home import measure_patrols
from patrolplan.pupils.pupils import Visit
from patrolplan.risk.surface import Risk, get_pupils

VARIANTS = 8  # near-optimal patrols of a school that a week chooses from


def plan_patrols(  # noqa: PLR0913 - all but the first three are named
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    *,
    urns: Urns | None = None,
    window: Window | str | None = None,
    date: Day | None = None,
    assign_tasked: bool = True,
    posts: int = 0,
    for_week: bool = True,
    planner: Planner | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """Plan the patrols of every school in the area.

    Patrols start at the gate at the bell: first presence there, while it is worth more than
    leaving, then dwells where the school's own pupils pass, with the maximum total worth at their
    times within the window, and back to the gate. With `way = "bicycle"` one-way streets are
    obeyed, and the bicycle is pushed where riding is not allowed. With `posts` so many adults of
    each school stand at posts after the bell, in addition to the patrols.

    Parameters
    ----------
    area, risk, hotspots
        See `load_area`, `estimate_risk` and `find_hotspots`; the pupils are those of the risk.
        Hotspots may come back from a file or in another CRS, be a part of those found, or have
        lines that were edited.
    urns
        Only this school, or these; by default all.
    window
        A window, its name in the settings, or the time of day at which it begins, "HH:MM"; by
        default the settings' minutes from the bell. The risk has to be of the same window.
    date
        Day of the patrols: tasked places count only on their days. Without it all of them count.
    assign_tasked
        Whether each place to visit is assigned to the schools that serve it best; otherwise only
        barred places change patrols.
    for_week
        Whether a week may be drawn from the plan: then variants are complete, and have other times.
    planner
        That of an earlier plan, so that nothing is computed twice: of the same risk and hotspots
        all that is planned already, of others the streets; by default a new one.
    executor
        Its workers plan the schools; by default this process does, one by one.
    report_progress
        Called with the number of schools done.

    Returns
    -------
    Plan
        The plan with an upper bound for every patrol, its variants, and how much of the way home it
        meets.

    Raises
    ------
    InputError
        When `urns` names no school, or one that is not in the area, the presence at the gate does
        not fit into the window, or area, risk and hotspots do not belong together.
    """
    refuse_audit_columns("plan_patrols", area, risk, hotspots)
    window = read_window(area.settings.patrol, window)
    date = None if date is None else read_day(date)
    area = area if date is None else check_age(area, date)
    chosen = None if urns is None else list_urns(urns)
    check_request(area, window, chosen)
    refuse_other_area(area.basis, risk.made_from, "risk", "estimate it for this area")
    if risk.window not in {None, window}:
        what = f"is of {risk.window}, the patrols are of {window}"
        where, remedy = "risk", "give estimate_risk and plan_patrols the same window"
        raise InputError.one(where, what, remedy)
    if planner is None:
        planner = Planner(area, risk, take_hotspots(area, risk, hotspots), given=hotspots)
    planner = planner.for_area(area)
    if not planner.is_of(risk, hotspots):
        planner = planner.for_risk(risk, take_hotspots(area, risk, hotspots), given=hotspots)
    rows = [row for row, urn in enumerate(area.schools["urn"]) if chosen is None or urn in chosen]
    occasion = Occasion(window, date, for_week)
    workers: dict[str, Any] = {"executor": executor, "report_progress": report_progress}
    planned = _plan_schools(planner, rows, occasion, **workers)
    plan = Plan(
        area,
        risk,
        planner.hotspots,
        patrols=tuple(patrol for school_patrols in planned for patrol in school_patrols),
        left_out=area.left_out,
        date=date,
        window=window,
        posts=plan_posts(area, risk, count=posts, urns=chosen) if posts else (),
        planner=planner,
    )
    if assign_tasked:
        plan_visits = partial(errands.plan_errands, plan, for_week=for_week, **workers)
        plan = assign_places(plan, plan_visits, all_schools=urns is None)
        tasked = (add_taskings(area, date, patrol) for patrol in plan.patrols)
        plan = replace(plan, patrols=tuple(tasked))
    return replace(plan, patrols=measure_patrols(planner, window, plan.patrols))


def check_request(area: StudyArea, window: Window, urns: Sequence[str] | None) -> None:
    """Check that the window is long enough for the presence at the gate, and that schools exist."""
    settings = area.settings.patrol
    is_plain = not window.at_gate and not window.is_about_opening
    if is_plain and settings.gate_minutes > window.minutes:
        what = (
            f"gate_minutes {settings.gate_minutes:g} is longer than "
            f"the window's {window.minutes:g} minutes"
        )
        where, remedy = "[patrol]", "lower gate_minutes, or make the window longer"
        raise InputError.one(where, what, remedy)
    problems = Problems()
    if urns is not None and not urns:
        problems.add("urns", "names no school", "give a URN, or leave it out for all schools")
    for urn in urns or ():
        with problems.collect():
            find_school(area, urn, where="urns")
    problems.raise_if_any()


def _plan_schools(
    planner: Planner,
    rows: Sequence[int],
    occasion: Occasion,
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> list[list[Patrol]]:
    """The best patrols of schools; those that the planner has planned already are taken over."""
    planner.prepare_all(rows, occasion.window)
    missing = [(row, occasion) for row in rows if (row, occasion) not in planner.patrols]
    progress = label_progress("Planning schools", missing, report_progress)
    workers: dict[str, Any] = {"executor": executor, "report_progress": progress}
    found = map_parallel(plan_school, planner, missing, **workers)
    planner.patrols |= dict(zip(missing, found, strict=True))
    return [planner.patrols[row, occasion] for row in rows]


def plan_school(planner: Planner, item: tuple[int, Occasion]) -> list[Patrol]:
    """The best patrol of each officer of a school, by its row, without tasked places to visit."""
    builder = planner.get_builder(*item)
    patrols, reference = plan_before_giving_way(builder)
    best = patrols[0]
    if reference is None or len(patrols) > 1 or not (best.stops or reference.stops):
        return patrols
    if best.worth >= MIN_GAIN * reference.worth:
        return patrols
    (reference,) = compare_with_reference(builder, [reference], reference)
    return [replace(reference, variants=(Variant.from_patrols(patrols), *best.variants))]


def plan_before_giving_way(builder: PatrolBuilder) -> tuple[list[Patrol], Patrol | None]:
    """The best patrol of each officer of a school, and the reference if there is one."""
    problem, reference = builder.problem, plan_reference(builder)
    orienteering = problem.plain_problem
    solution = solve(orienteering)
    others = find_variants(orienteering, solution, count=VARIANTS)
    variants = tuple(_build_variant(builder, other, solution, reference) for other in others)
    patrols = [builder.build_patrol(route, solution, variants) for route in solution.routes]
    return list(compare_with_reference(builder, patrols, reference)), reference


def _build_variant(
    builder: PatrolBuilder, other: Solution, best: Solution, reference: Patrol | None
) -> Variant:
    """A variant from another solution than the best; with patrols, if a week may draw it."""
    share = min(1.0, other.worth / best.worth) if best.worth > 0 else 1.0
    if builder.problem.occasion.for_week:
        patrols = [builder.build_patrol(route, other) for route in other.routes]
        return Variant.from_patrols(compare_with_reference(builder, patrols, reference), share)
    visits = (visit for route in other.routes for visit in builder.merge_visits(route)[1])
    return Variant(share, tuple(builder.problem.get_visit(visit.stop).name for visit in visits))


PlanVisits = Callable[[Sequence[errands.Errand]], list[errands.Answer]]


def assign_places(plan: Plan, plan_visits: PlanVisits, *, all_schools: bool) -> Plan:
    """The plan with each place on the patrols of the schools that serve it best, one a visit."""
    best, places = errands.group_by_school(plan.patrols), plan.area.tasked_places
    visits = places.set_index("place_id")["visits"]
    asked = errands.find_errands(plan, ["tasked"])
    answers = plan_visits(asked)
    served = {
        (errand.visit[0], errand.urn): answer
        for errand, answer in zip(asked, answers, strict=True)
        if isinstance(answer, Variant)
    }
    names = dict.fromkeys(name for name, _ in served)
    wanted = [name for name in names for _ in range(int(visits[name]))]
    passing = {
        (name, urn): _measure_passing(plan, name, urn, variant)
        for (name, urn), variant in served.items()
    }
    given = _give_places(wanted, best, served, passing, plan_visits)
    patrols = []
    for patrol in plan.patrols:
        own = given[patrol.urn].patrols if patrol.urn in given else ()
        # The best ones, without its places, become a variant.
        without = Variant.from_patrols(best[patrol.urn])
        found = [
            replace(each, variants=(without, *patrol.variants))
            for each in own
            if each.number == patrol.number
        ]
        patrols += found or [patrol]
    unserved = tuple(answer for answer in answers if isinstance(answer, Unserved))
    served_by = Counter(name for variant in given.values() for name in variant.serves)
    left_out = errands.list_left_out(plan, list(best), unserved, served_by, all_schools=all_schools)
    rows = (*plan.left_out, *left_out)
    return replace(plan, patrols=tuple(patrols), unserved=unserved, left_out=rows)


def _measure_passing(plan: Plan, name: str, urn: str, variant: Variant) -> float:
    """Share of a school's pupil-minutes in sight of a tasked place while its patrol is there."""
    network = plan.area.network
    stops = [
        stop
        for patrol in variant.patrols
        for stop in patrol.stops
        if stop.sent_for is not None and stop.sent_for.place_id == name
    ]
    seen = list_seen_pieces(network, network.snap([stop.point for stop in stops]))
    visits = [
        Visit(pieces, stop.arrive_minutes, stop.leave_minutes)
        for pieces, stop in zip(seen, stops, strict=True)
    ]
    return round(get_pupils(plan.risk).share_met_by(urn, visits), 2)


def _give_places(
    wanted: Sequence[str],
    best: Mapping[str, Sequence[Patrol]],
    served: Mapping[tuple[str, str], Variant],
    passing: Mapping[tuple[str, str], float],
    plan_visits: PlanVisits,
) -> dict[str, Variant]:
    """The patrol of each school that visits places."""
    # One place after the other goes to the school most of whose pupils pass there meanwhile; if as
    # many pass of several, to one that visits no other, and of these to the one that loses least.
    given: dict[str, Variant] = {}
    for name in wanted:
        loss = {
            urn: sum(patrol.worth for patrol in own)
            - sum(patrol.worth for patrol in served[name, urn].patrols)
            for urn, own in best.items()
            if (name, urn) in served
        }
        for urn in sorted(loss, key=lambda urn: (-passing[name, urn], urn in given, loss[urn])):
            if urn not in given:
                given[urn] = served[name, urn]
                break
            if name not in given[urn].serves:
                (answer,) = plan_visits([errands.Errand(urn, visit=(*given[urn].serves, name))])
                if isinstance(answer, Variant):
                    given[urn] = answer
                    break
    return given
