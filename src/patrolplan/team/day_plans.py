"""A plan for each day of a week: places tasked by intelligence count on their days only.

What is barred changes a school's patrols; a place to visit only adds one, see
`patrolplan.patrols.errands`, so that all else stays as it is when a place is tasked.
Where officers have another mode than the area's, each day's plan holds a second one with their
patrols (`Plan.other_mode`, see `patrolplan.team.bases`). Every step below treats the plans of each
mode in turn.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import fields, replace
from functools import lru_cache

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.errands import Answer, ErrandKey, add_errand_variants, list_answers
from patrolplan.patrols.further_patrols import add_avoiding_variants
from patrolplan.patrols.nearest_miss import list_left_out
from patrolplan.patrols.past_months import compare_with_past, copy_tested
from patrolplan.patrols.plan import Patrol, Plan, Variant
from patrolplan.patrols.planner import plan_patrols
from patrolplan.patrols.tasked_keys import TaskedKey, TaskedKeys
from patrolplan.risk.surface import Risk
from patrolplan.team.bases import build_other_mode_area, list_other_mode_schools
from patrolplan.team.week import Lock

DayPlans = Mapping[dt.date, Plan]


def plan_days(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    *,
    held_out: bool = True,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[dt.date, Plan]:
    """Plan every school for every day; a school is planned again only where its places change.

    Parameters
    ----------
    area, risk, hotspots, executor, report_progress
        As for `patrolplan.patrols.planner.plan_patrols`.
    days
        The days.
    held_out
        Say on each patrol what past months say of it, see
        `patrolplan.patrols.past_months.compare_with_past`.

    Returns
    -------
    dict
        A plan by day. Days on which a school has the same places share its patrols.
    """

    def plan_mode(mode_area: StudyArea, urns: Sequence[str]) -> dict[dt.date, Plan]:
        patrols_by_key: dict[tuple[str, TaskedKey], list[Patrol]] = {}
        plans = {}
        for day in days:
            barred = TaskedKeys.from_area(mode_area, day)
            keys = [(urn, barred.build_barred_key(urn)) for urn in urns]
            missing = [key for key in keys if key not in patrols_by_key]
            if missing:
                part = plan_patrols(
                    mode_area,
                    risk,
                    hotspots,
                    urns=[urn for urn, _ in missing],
                    date=day,
                    assign_tasked=False,
                    executor=executor,
                    report_progress=report_progress,
                )
                if held_out:
                    part = compare_with_past(
                        part, executor=executor, report_progress=report_progress
                    )
                patrols_by_key |= {
                    key: [patrol for patrol in part.patrols if patrol.urn == key[0]]
                    for key in missing
                }
            patrols = tuple(patrol for key in keys for patrol in patrols_by_key[key])
            plans[day] = Plan(mode_area, risk, hotspots, patrols, mode_area.left_out, day)
        return plans

    plans = plan_mode(area, tuple(area.schools["urn"]))
    other_area, other_urns = build_other_mode_area(area), list_other_mode_schools(area)
    if other_area is not None and other_urns:
        plans = _join_modes(plans, plan_mode(other_area, other_urns))
    return _add_further(plans, {}, executor=executor, report_progress=report_progress)


def replan_days(
    plans: DayPlans, area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame
) -> dict[dt.date, Plan]:
    """Plan again what other tasked places change; everything else stays as it is.

    Parameters
    ----------
    plans
        A plan by day, from `plan_days`.
    area
        The same area with other tasked places.
    risk, hotspots
        As before: they do not depend on tasked places.

    Returns
    -------
    dict
        What `plan_days` would give, with what past months say of the patrols as it was.
    """

    def replan_mode(
        before: DayPlans, mode_area: StudyArea, urns: Sequence[str]
    ) -> dict[dt.date, Plan]:
        plan_by_key: dict[tuple[str, TaskedKey], Plan] = {}
        replanned = {}
        for day, plan in before.items():
            now, then = (TaskedKeys.from_area(one, day) for one in (mode_area, plan.area))
            by_school = {urn: [p for p in plan.patrols if p.urn == urn] for urn in urns}
            for urn, patrols in by_school.items():
                places = now.build_barred_key(urn)
                if places == then.build_barred_key(urn):
                    continue
                if (urn, places) not in plan_by_key:
                    plan_by_key[urn, places] = plan_patrols(
                        mode_area, risk, hotspots, urns=[urn], date=day, assign_tasked=False
                    )
                part = plan_by_key[urn, places]
                earlier = {patrol.number: patrol for patrol in patrols}
                by_school[urn] = [
                    copy_tested(patrol, earlier.get(patrol.number)) for patrol in part.patrols
                ]
            replanned[day] = Plan(
                mode_area,
                risk,
                hotspots,
                tuple(patrol for mine in by_school.values() for patrol in mine),
                mode_area.left_out,
                day,
            )
        return replanned

    replanned = replan_mode(plans, area, tuple(area.schools["urn"]))
    other_area, others = build_other_mode_area(area), _select_other_mode(plans)
    if other_area is not None and others:
        urns = list_other_mode_schools(area)
        replanned = _join_modes(replanned, replan_mode(others, other_area, urns))
    return _add_further(replanned, plans)


def _select_other_mode(plans: DayPlans) -> dict[dt.date, Plan]:
    return {day: plan.other_mode for day, plan in plans.items() if plan.other_mode is not None}


def _join_modes(plans: DayPlans, others: DayPlans) -> dict[dt.date, Plan]:
    return {day: replace(plan, other_mode=others.get(day)) for day, plan in plans.items()}


def _add_further(
    plans: DayPlans,
    earlier_plans: DayPlans,
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[dt.date, Plan]:
    """The plans with patrols past crowded hotspots and on errands; earlier plans may hold some.

    A hotspot is crowded by the patrols of both modes together.
    """

    def add_to_mode(mode: DayPlans, earlier: DayPlans, crowding: DayPlans) -> dict[dt.date, Plan]:
        relieved = _add_relief(
            mode, earlier, crowding, executor=executor, report_progress=report_progress
        )
        return _add_errands(relieved, earlier, executor=executor, report_progress=report_progress)

    others = _select_other_mode(plans)
    further = add_to_mode(plans, earlier_plans, others)
    if others:
        other_mode = add_to_mode(others, _select_other_mode(earlier_plans), plans)
        further = _join_modes(further, other_mode)
    return {
        day: _list_unserved(_reuse_patrols(plan, earlier_plans.get(day)))
        for day, plan in further.items()
    }


def _add_relief(
    mode: DayPlans,
    earlier: DayPlans,
    crowding: DayPlans,
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """One mode's plans with patrols past hotspots that both modes together crowd."""
    planned: dict[tuple[str, TaskedKey, frozenset[str]], Variant | None] = {}
    for day, plan in earlier.items():
        barred = TaskedKeys.from_area(plan.area, day)
        for (urn, avoided), variant in _list_relief_variants(plan).items():
            planned[urn, barred.build_barred_key(urn), avoided] = variant
    shared: dict[tuple[int, ...], Patrol] = {}  # days that share a patrol share its successor
    relieved = {}
    for day, plan in mode.items():
        barred = TaskedKeys.from_area(plan.area, day)
        places = {urn: barred.build_barred_key(urn) for urn in plan.area.schools["urn"]}
        patrols, added = add_avoiding_variants(
            plan.area,
            plan.risk,
            plan.hotspots,
            plan.patrols,
            date=plan.date,
            planned={
                (urn, avoided): variant
                for (urn, at, avoided), variant in planned.items()
                if at == places.get(urn)
            },
            other_mode_patrols=crowding[day].patrols if day in crowding else (),
            executor=executor,
            report_progress=report_progress,
        )
        planned |= {
            (urn, places[urn], avoided): variant for (urn, avoided), variant in added.items()
        }
        relieved[day] = _share_patrols(plan, patrols, shared)
    return relieved


def _add_errands(
    mode: DayPlans,
    earlier: DayPlans,
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """One mode's plans with patrols to tasked places and to watched hotspots."""
    planned: dict[ErrandKey, Answer] = {}
    for plan in earlier.values():
        planned |= list_answers(plan)
    shared: dict[tuple[int, ...], Patrol] = {}
    further = {}
    for day, plan in mode.items():
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
    """The plan with the very patrols of an earlier one, wherever they are equal."""
    if earlier is None:
        return plan
    before = {(patrol.urn, patrol.number): patrol for patrol in earlier.patrols}
    patrols = []
    for patrol in plan.patrols:
        old = before.get((patrol.urn, patrol.number), patrol)
        patrols.append(old if _is_same(old, patrol) else patrol)
    other_mode = plan.other_mode
    if other_mode is not None:
        other_mode = _reuse_patrols(other_mode, earlier.other_mode)
    return replace(plan, patrols=tuple(patrols), other_mode=other_mode)


def _is_same(one: Patrol, other: Patrol) -> bool:
    """Whether two patrols are copies, with the same variants."""
    names = [field.name for field in fields(Patrol) if field.name != "variants"]
    is_copy = all(getattr(one, name) is getattr(other, name) for name in names)
    return is_copy and list(map(id, one.variants)) == list(map(id, other.variants))


def _list_unserved(plan: Plan) -> Plan:
    """The plan with the places among what is left out that no patrol of either mode can visit."""
    others = () if plan.other_mode is None else plan.other_mode.patrols
    unserved = plan.unserved if plan.other_mode is None else plan.other_mode.unserved
    visits = Counter(
        name
        for patrol in (*plan.patrols, *others)
        for variant in patrol.variants
        for name in variant.serves
    )
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    rows = list_left_out(plan, urns, (*plan.unserved, *unserved), visits)
    return replace(plan, left_out=(*plan.area.left_out, *rows))


def _list_relief_variants(plan: Plan) -> dict[tuple[str, frozenset[str]], Variant | None]:
    """Further patrols that a plan has already, by school and the hotspots that they avoid."""
    return {
        (patrol.urn, frozenset(variant.avoided_hotspots)): variant
        for patrol in plan.patrols
        for variant in patrol.variants
        if variant.avoided_hotspots
    }


@lru_cache(maxsize=4)
def add_relief_patrols(plan: Plan) -> Plan:
    """The plan with further patrols past crowded hotspots, which `plan_days` adds by itself."""
    day = plan.date or dt.date(1900, 1, 1)  # any day: the plan is only compared with itself
    return _add_further({day: plan}, {day: plan})[day]


@lru_cache(maxsize=16)
def add_other_mode(plan: Plan, area: StudyArea, urns: tuple[str, ...]) -> Plan:
    """The plan with patrols of the other mode at these schools, where it has none yet.

    Parameters
    ----------
    plan
        Of any day.
    area
        The area as it is now, with officers.
    urns
        See `patrolplan.team.bases.list_other_mode_schools`; if empty, only the patrols of the
        area's mode stay.
    """
    other_area = build_other_mode_area(area)
    if other_area is None or not urns:
        return plan if plan.other_mode is None else replace(plan, other_mode=None)
    before = () if plan.other_mode is None else plan.other_mode.patrols
    planned = {patrol.urn for patrol in plan.patrols}
    missing = sorted(planned & set(urns) - {patrol.urn for patrol in before})
    if not missing:
        return plan
    added = plan_patrols(
        other_area,
        plan.risk,
        plan.hotspots,
        urns=missing,
        date=plan.date,
        assign_tasked=False,
    )
    if any(patrol.tested for patrol in plan.patrols):
        added = compare_with_past(added)
    return replace(plan, other_mode=replace(added, patrols=(*before, *added.patrols)))


def list_day_plans(
    plan: Plan | DayPlans, days: Sequence[dt.date], area: StudyArea, locks: Sequence[Lock] = ()
) -> tuple[Plan, ...]:
    """(d,) the plan of each day, with patrols of the mode of every officer.

    Parameters
    ----------
    plan
        By day; one plan for all days is given further patrols.
    days
        The days.
    area
        The area as it is now, with officers.
    locks
        Officers who are lent have patrols of their mode at the schools that they are locked to.

    Raises
    ------
    InputError
        When a day has no plan.
    """
    urns = list_other_mode_schools(area, [(lock.officer, lock.urn) for lock in locks])
    if isinstance(plan, Plan):
        return (add_relief_patrols(add_other_mode(plan, area, urns)),) * len(days)
    missing = [f"{day}" for day in days if day not in plan]
    if missing:
        where, what = "plan", f"there is no plan for {', '.join(missing)}"
        raise InputError.one(where, what, "plan every day of the week")
    return tuple(add_other_mode(plan[day], area, urns) for day in days)
