"""A plan for each day of a week: places tasked by intelligence count on their days only.

Where officers do not go the area's way, each day's plan holds another one of their patrols, see
`patrolplan.team.bases`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.further_patrols import add_avoiding_variants
from patrolplan.patrols.patrol_backtest import compare_with_past
from patrolplan.patrols.plan import Patrol, Plan, Variant
from patrolplan.patrols.planner import plan_patrols
from patrolplan.risk.surface import Risk
from patrolplan.team.bases import build_other_mode_area, list_other_mode_schools
from patrolplan.team.week import Lock


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
        Say on each patrol what one planned this way would have covered in past months, see
        `patrolplan.patrols.patrol_backtest.compare_with_past`.

    Returns
    -------
    dict
        A plan by day. Days on which a school has the same places share its patrols.
    """
    urns = tuple(area.schools["urn"])
    how: dict[str, Any] = {
        "held_out": held_out,
        "executor": executor,
        "report_progress": report_progress,
    }
    found = _plan_schools(area, risk, hotspots, days, urns, **how)
    other, theirs = build_other_mode_area(area), list_other_mode_schools(area)
    if other is not None and theirs:
        beside = _plan_schools(other, risk, hotspots, days, theirs, **how)
        found = {day: replace(plan, other_mode=beside[day]) for day, plan in found.items()}
    return _add_relief_to_days(found, {}, executor=executor, report_progress=report_progress)


def _plan_schools(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    urns: Sequence[str],
    *,
    held_out: bool,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """These schools' patrols by day, without further ones past crowded hotspots."""
    known: dict[tuple[str, tuple[int, ...]], list[Patrol]] = {}
    told = list(area.left_out)
    found = {}
    for day in days:
        keys = [(urn, _find_tasked_places(area, urn, day)) for urn in urns]
        missing = [key for key in keys if key not in known]
        if missing:
            asked = [urn for urn, _ in missing]
            part = plan_patrols(
                area,
                risk,
                hotspots,
                urns=asked,
                date=day,
                executor=executor,
                report_progress=report_progress,
            )
            if held_out:
                part = compare_with_past(part, executor=executor, report_progress=report_progress)
            known |= {key: [p for p in part.patrols if p.urn == key[0]] for key in missing}
            told += [row for row in part.left_out if row not in told]
        patrols = tuple(patrol for key in keys for patrol in known[key])
        found[day] = Plan(area, risk, hotspots, patrols, tuple(told), day)
    return found


def _select_other_mode(plans: Mapping[dt.date, Plan]) -> dict[dt.date, Plan]:
    """The plans of the other mode, on the days that have one."""
    return {day: plan.other_mode for day, plan in plans.items() if plan.other_mode is not None}


def _add_relief_to_days(
    plans: Mapping[dt.date, Plan],
    earlier_plans: Mapping[dt.date, Plan],
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[dt.date, Plan]:
    """The plans with further patrols past crowded hotspots; `before` may know some of them.

    A hotspot is crowded by the patrols of all modes together.
    """
    how: dict[str, Any] = {"executor": executor, "report_progress": report_progress}
    others = _select_other_mode(plans)
    beside = {day: plan.patrols for day, plan in others.items()}
    found = _add_relief_to_mode(plans, earlier_plans, beside, **how)
    if not others:
        return found
    beside = {day: plan.patrols for day, plan in plans.items()}
    made = _add_relief_to_mode(others, _select_other_mode(earlier_plans), beside, **how)
    return {day: replace(plan, other_mode=made.get(day)) for day, plan in found.items()}


def _add_relief_to_mode(
    plans: Mapping[dt.date, Plan],
    earlier_plans: Mapping[dt.date, Plan],
    other_mode_patrols: Mapping[dt.date, Sequence[Patrol]],
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """The plans of one mode with further patrols; `beside` are the patrols of the other mode."""
    known: dict[tuple[str, tuple[object, ...], frozenset[str]], Variant | None] = {}
    for day, plan in earlier_plans.items():
        for (urn, off), variant in _list_relief_variants(plan).items():
            known[urn, _build_tasked_key(plan.area, urn, day), off] = variant
    alike: dict[tuple[int, ...], Patrol] = {}  # days that share a patrol share what follows it
    found = {}
    for day, plan in plans.items():
        places = {urn: _build_tasked_key(plan.area, urn, day) for urn in plan.area.schools["urn"]}
        mine = {(u, off): v for (u, at, off), v in known.items() if at == places.get(u)}
        patrols, made = add_avoiding_variants(
            plan.area,
            plan.risk,
            plan.hotspots,
            plan.patrols,
            date=day,
            planned=mine,
            other_mode_patrols=other_mode_patrols.get(day, ()),
            executor=executor,
            report_progress=report_progress,
        )
        known |= {(urn, places[urn], off): variant for (urn, off), variant in made.items()}
        shared = [
            alike.setdefault((id(bare), *map(id, patrol.variants)), patrol)
            for bare, patrol in zip(plan.patrols, patrols, strict=True)
        ]
        found[day] = replace(plan, patrols=tuple(shared))
    return found


def replan_days(
    plans: Mapping[dt.date, Plan], area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame
) -> dict[dt.date, Plan]:
    """Plan again what other tasked places change; everything else is taken over.

    Parameters
    ----------
    plans
        A plan by day, as `plan_days` made them.
    area
        The same area with other tasked places.
    risk, hotspots
        As before: tasked places have no part in them.

    Returns
    -------
    dict
        What `plan_days` would give, with the sentences on held-out months as they were.
    """
    found = _replan_schools(plans, area, risk, hotspots, tuple(area.schools["urn"]))
    other, others = build_other_mode_area(area), _select_other_mode(plans)
    if other is not None and others:
        beside = _replan_schools(others, other, risk, hotspots, list_other_mode_schools(area))
        found = {day: replace(plan, other_mode=beside.get(day)) for day, plan in found.items()}
    return _add_relief_to_days(found, plans)


def _replan_schools(
    plans: Mapping[dt.date, Plan],
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    urns: Sequence[str],
) -> dict[dt.date, Plan]:
    """Plan again what other tasked places change for these schools, the way of this area."""
    known: dict[tuple[str, tuple[object, ...]], Plan] = {}
    found = {}
    for day, plan in plans.items():
        by_school = {
            urn: tuple(patrol for patrol in plan.patrols if patrol.urn == urn) for urn in urns
        }
        told = [row for row in plan.left_out if row not in area.left_out]
        for urn, before in by_school.items():
            places = _build_tasked_key(area, urn, day)
            if places == _build_tasked_key(plan.area, urn, day):
                continue
            if (urn, places) not in known:
                known[urn, places] = plan_patrols(area, risk, hotspots, urns=[urn], date=day)
            part = known[urn, places]
            tested = {patrol.number: patrol.tested for patrol in before}
            by_school[urn] = tuple(
                replace(patrol, tested=tested.get(patrol.number, "")) for patrol in part.patrols
            )
            told = [row for row in told if f"URN {urn} " not in row.reason]
            told += [row for row in part.left_out if row not in (*area.left_out, *told)]
        patrols = tuple(patrol for mine in by_school.values() for patrol in mine)
        found[day] = Plan(area, risk, hotspots, patrols, (*area.left_out, *told), day)
    return found


def _build_tasked_key(area: StudyArea, urn: str, day: dt.date) -> tuple[object, ...]:
    """All that the tasked places of a school on a day say to its patrols."""
    places = area.tasked_places.iloc[list(_find_tasked_places(area, urn, day))]
    rows = zip(
        *(places[name] for name in ("place_id", "must_visit", "reason", "by")),
        places.geometry.x,
        places.geometry.y,
        strict=True,
    )
    return tuple(rows)


def _find_tasked_places(area: StudyArea, urn: str, day: dt.date) -> tuple[int, ...]:
    """Rows of the tasked places of a school on a day."""
    places, at = area.tasked_places, pd.Timestamp(day)
    mine = np.array([urn in row or "*" in row for row in places["schools"]], dtype=bool)
    mine &= ((places["from"] <= at) & (at <= places["to"])).to_numpy()
    return tuple(np.flatnonzero(mine).tolist())


@lru_cache(maxsize=4)
def add_relief_patrols(plan: Plan) -> Plan:
    """The plan with further patrols past hotspots that more schools go to than a day's most.

    `plan_days` plans them by itself.
    """
    other = plan.other_mode
    if other is None:
        return _add_relief(plan, ())
    beside = _add_relief(other, plan.patrols)
    return replace(_add_relief(plan, other.patrols), other_mode=beside)


def _add_relief(plan: Plan, other_mode_patrols: Sequence[Patrol]) -> Plan:
    patrols, _ = add_avoiding_variants(
        plan.area,
        plan.risk,
        plan.hotspots,
        plan.patrols,
        date=plan.date,
        planned=_list_relief_variants(plan),
        other_mode_patrols=other_mode_patrols,
    )
    return replace(plan, patrols=patrols)


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
        See `patrolplan.team.bases.list_other_mode_schools`; without any, the plan is left with the
        area's way alone.
    """
    other, there = build_other_mode_area(area), {patrol.urn for patrol in plan.patrols}
    before = () if plan.other_mode is None else plan.other_mode.patrols
    missing = sorted(there & set(urns) - {patrol.urn for patrol in before})
    if other is None or not urns:
        return plan if plan.other_mode is None else replace(plan, other_mode=None)
    if not missing:
        return plan
    made = plan_patrols(other, plan.risk, plan.hotspots, urns=missing, date=plan.date)
    if any(patrol.tested for patrol in plan.patrols):
        made = compare_with_past(made)
    return replace(plan, other_mode=replace(made, patrols=(*before, *made.patrols)))


def _list_relief_variants(plan: Plan) -> dict[tuple[str, frozenset[str]], Variant | None]:
    """Further patrols that a plan has already."""
    return {
        (patrol.urn, frozenset(variant.avoided_hotspots)): variant
        for patrol in plan.patrols
        for variant in patrol.variants
        if variant.avoided_hotspots
    }


def list_day_plans(
    plan: Plan | Mapping[dt.date, Plan],
    days: Sequence[dt.date],
    area: StudyArea,
    locks: Sequence[Lock] = (),
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
        When a day has none.
    """
    urns = list_other_mode_schools(area, [(lock.officer, lock.urn) for lock in locks])
    if isinstance(plan, Plan):
        return (add_relief_patrols(add_other_mode(plan, area, urns)),) * len(days)
    missing = [f"{day}" for day in days if day not in plan]
    if missing:
        where, what = "plan", f"there is no plan for {', '.join(missing)}"
        raise InputError.one(where, what, "plan every day of the week")
    return tuple(add_other_mode(plan[day], area, urns) for day in days)
