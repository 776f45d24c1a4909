"""Day plans -> the same with further patrols: past crowded hotspots, and on errands."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import fields, replace

from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.errands import Answer, ErrandKey, add_errand_variants, list_answers
from patrolplan.patrols.further_patrols import add_avoiding_variants
from patrolplan.patrols.nearest_miss import list_left_out
from patrolplan.patrols.plan import Patrol, Plan, Variant
from patrolplan.patrols.tasked_keys import TaskedKey, TaskedKeys

DayPlans = Mapping[dt.date, Plan]


def add_further_patrols(
    plans: DayPlans,
    earlier_plans: DayPlans,
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[dt.date, Plan]:
    """The plans with patrols past crowded hotspots and on errands; earlier plans may hold some."""
    further = _add_relief(plans, earlier_plans, executor=executor, report_progress=report_progress)
    further = _add_errands(
        further, earlier_plans, executor=executor, report_progress=report_progress
    )
    return {
        day: list_unserved(_reuse_patrols(plan, earlier_plans.get(day)))
        for day, plan in further.items()
    }


def _add_relief(
    plans: DayPlans,
    earlier: DayPlans,
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """The plans with patrols past crowded hotspots."""
    planned: dict[tuple[str, TaskedKey, frozenset[str]], Variant | None] = {}
    for day, plan in earlier.items():
        barred = TaskedKeys.from_area(plan.area, day)
        for (urn, avoided), variant in _list_relief_variants(plan).items():
            planned[urn, barred.build_barred_key(urn), avoided] = variant
    shared: dict[tuple[int, ...], Patrol] = {}  # days that share a patrol share its successor
    relieved = {}
    for day, plan in plans.items():
        barred = TaskedKeys.from_area(plan.area, day)
        places = {urn: barred.build_barred_key(urn) for urn in plan.area.schools["urn"]}
        patrols, added = add_avoiding_variants(
            plan,
            planned={
                (urn, avoided): variant
                for (urn, at, avoided), variant in planned.items()
                if at == places.get(urn)
            },
            executor=executor,
            report_progress=report_progress,
        )
        planned |= {
            (urn, places[urn], avoided): variant for (urn, avoided), variant in added.items()
        }
        relieved[day] = _share_patrols(plan, patrols, shared)
    return relieved


def _add_errands(
    plans: DayPlans,
    earlier: DayPlans,
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """The plans with patrols to tasked places and to watched hotspots."""
    planned: dict[ErrandKey, Answer] = {}
    for plan in earlier.values():
        planned |= list_answers(plan)
    shared: dict[tuple[int, ...], Patrol] = {}
    further = {}
    for day, plan in plans.items():
        added, answers = add_errand_variants(
            plan, planned, executor=executor, report_progress=report_progress
        )
        planned |= answers
        further[day] = replace(_share_patrols(plan, added.patrols, shared), unserved=added.unserved)
    return further


def _share_patrols(
    plan: Plan, patrols: Sequence[Patrol], shared: dict[tuple[int, ...], Patrol]
) -> Plan:
    """The plan with patrols that differ in their variants, each the same object on all days."""
    return replace(
        plan,
        patrols=tuple(
            shared.setdefault((id(bare), *map(id, patrol.variants)), patrol)
            for bare, patrol in zip(plan.patrols, patrols, strict=True)
        ),
    )


def _reuse_patrols(plan: Plan, earlier: Plan | None) -> Plan:
    """The plan with the patrol objects of an earlier one, wherever they are equal."""
    if earlier is None:
        return plan
    before = {(patrol.urn, patrol.number): patrol for patrol in earlier.patrols}
    patrols = []
    for patrol in plan.patrols:
        old = before.get((patrol.urn, patrol.number), patrol)
        patrols.append(old if _is_same(old, patrol) else patrol)
    return replace(plan, patrols=tuple(patrols))


def _is_same(one: Patrol, other: Patrol) -> bool:
    """Whether two patrols are copies, with the same variants."""
    names = [field.name for field in fields(Patrol) if field.name != "variants"]
    is_copy = all(getattr(one, name) is getattr(other, name) for name in names)
    return is_copy and list(map(id, one.variants)) == list(map(id, other.variants))


def list_unserved(plan: Plan) -> Plan:
    """The plan with the places that no patrol of any window can visit added to what is left out."""
    visits = Counter(
        name
        for part in plan.parts
        for patrol in part.patrols
        for variant in patrol.variants
        for name in variant.serves
    )
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    unserved = [row for part in plan.parts for row in part.unserved]
    rows = list_left_out(plan, urns, unserved, visits)
    return replace(plan, left_out=(*plan.area.left_out, *rows))


def _list_relief_variants(plan: Plan) -> dict[tuple[str, frozenset[str]], Variant | None]:
    """Further patrols that a plan has already, by school and the hotspots that they avoid."""
    return {
        (patrol.urn, frozenset(variant.avoided_hotspots)): variant
        for patrol in plan.patrols
        for variant in patrol.variants
        if variant.avoided_hotspots
    }
