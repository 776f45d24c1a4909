"""Further patrols that avoid crowded hotspots, where more schools would go than a day allows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.patrol_builder import PatrolBuilder
from patrolplan.patrols.plan import Patrol, Plan, Variant
from patrolplan.patrols.planner import plan_avoiding_variant
from patrolplan.patrols.planning_inputs import PlanningInputs

AvoidanceRequest = tuple[str, frozenset[str]]
"""A school, and the hotspots that a further patrol of it should avoid."""

MINUTES_TOLERANCE = 1e-6


def find_avoidance_requests(
    patrols: Sequence[Patrol], *, max_minutes: float
) -> tuple[AvoidanceRequest, ...]:
    """Which schools need further patrols on a day, and which hotspots these should avoid.

    A hotspot is crowded if more schools have a patrol there than the daily maximum allows. A school
    gets a patrol that avoids each crowded hotspot at which all of its patrols stop, and one that
    avoids all of them if each of its patrols stops at some.
    """
    choices = {
        urn: _list_hotspot_choices([patrol for patrol in patrols if patrol.urn == urn])
        for urn in dict.fromkeys(patrol.urn for patrol in patrols)
    }
    longest: defaultdict[tuple[str, str], float] = defaultdict(float)
    for patrol in _list_with_variants(patrols):
        for stop in patrol.stops:
            if not stop.tasked and stop.kind != "gate":
                key, minutes = (stop.hotspot, patrol.urn), stop.leave_minutes - stop.arrive_minutes
                longest[key] = max(longest[key], min(minutes, max_minutes))
    total: defaultdict[str, float] = defaultdict(float)
    for (hotspot, _), minutes in longest.items():
        total[hotspot] += minutes
    crowded = {name for name, much in total.items() if much > max_minutes + MINUTES_TOLERANCE}
    requests: dict[AvoidanceRequest, None] = {}
    for urn, own in choices.items():
        for name in sorted(crowded & frozenset.intersection(*own)):
            requests[urn, frozenset([name])] = None
        if all(choice & crowded for choice in own):
            requests[urn, frozenset(crowded & frozenset().union(*own))] = None
    return tuple(requests)


def _list_hotspot_choices(own_patrols: Sequence[Patrol]) -> list[frozenset[str]]:
    """Hotspots of each patrol that a school may choose, without mandatory places."""
    choices = [own_patrols, *(variant.patrols for variant in own_patrols[0].variants)]
    return [
        frozenset(
            stop.hotspot
            for patrol in choice
            for stop in patrol.stops
            if not stop.tasked and stop.kind != "gate"
        )
        for choice in choices
    ]


def _list_with_variants(patrols: Sequence[Patrol]) -> list[Patrol]:
    """All patrols with those of all variants; officers of one school share their variants."""
    more = [v for patrol in patrols for variant in patrol.variants for v in variant.patrols]
    return [*patrols, *more]


def add_avoiding_variants(
    plan: Plan,
    *,
    planned: Mapping[AvoidanceRequest, Variant | None],
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> tuple[tuple[Patrol, ...], dict[AvoidanceRequest, Variant | None]]:
    """Add further patrols for schools at crowded hotspots, as variants after their own.

    The plan is for one day and window; of the patrols `planned` already a value is None if there is
    no such patrol. Also gives every further patrol that was requested.
    """
    area = plan.area
    own = _remove_further_variants(plan.patrols)
    max_minutes = area.settings.week.max_dose_minutes_per_day
    requests = find_avoidance_requests(own, max_minutes=max_minutes)
    variants = {request: planned.get(request) for request in requests}
    missing = [request for request in requests if request not in planned]
    if missing:
        rows = {urn: row for row, urn in enumerate(area.schools["urn"])}
        planned_rows = sorted({rows[patrol.urn] for patrol in plan.patrols})
        inputs = PlanningInputs.reuse(
            area, plan.risk, plan.hotspots, plan.window, plan.date, planned_rows
        )
        items = [
            (rows[urn], names, tuple(patrol for patrol in own if patrol.urn == urn))
            for urn, names in missing
        ]
        progress = label_progress("Planning round crowded hotspots", items, report_progress)
        found = map_parallel(
            _plan_request, inputs, items, executor=executor, report_progress=progress
        )
        variants |= dict(zip(missing, found, strict=True))
    return (
        tuple(
            _add_school_variants(patrol, bare, variants)
            for patrol, bare in zip(plan.patrols, own, strict=True)
        ),
        variants,
    )


def _remove_further_variants(patrols: Iterable[Patrol]) -> list[Patrol]:
    return [
        replace(patrol, variants=tuple(v for v in patrol.variants if not v.is_further))
        for patrol in patrols
    ]


def _plan_request(
    inputs: PlanningInputs, item: tuple[int, frozenset[str], tuple[Patrol, ...]]
) -> Variant | None:
    row, names, best = item
    return plan_avoiding_variant(PatrolBuilder.for_school(inputs, row), names, best)


def _add_school_variants(
    patrol: Patrol, bare: Patrol, variants: Mapping[AvoidanceRequest, Variant | None]
) -> Patrol:
    """A patrol with those of its school's further ones that are not among its variants already.

    `bare` is the patrol without further ones. A patrol that has them already stays the same object,
    since days that share patrols are recognised by identity.
    """
    own = list(bare.variants)
    seen = {frozenset(stop.hotspot for stop in bare.stops)}
    seen |= {frozenset(variant.hotspots) for variant in own}
    for (urn, _), variant in variants.items():
        if urn == patrol.urn and variant is not None and frozenset(variant.hotspots) not in seen:
            own.append(variant)
            seen.add(frozenset(variant.hotspots))
    same = list(map(id, own)) == list(map(id, patrol.variants))
    return patrol if same else replace(patrol, variants=tuple(own))
