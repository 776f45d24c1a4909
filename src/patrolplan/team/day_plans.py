"""A plan for each day of a week: places tasked by intelligence count on their days only.

A barred place changes a school's patrols; a place to visit only adds one, see
`patrolplan.patrols.errands`, so everything else is unchanged when a place is tasked.
Where the week has several windows, each day's plan holds a plan of each further one
(`Plan.other_windows`). Every step below treats the plans of each window in turn.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import lru_cache

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.errors import InputError
from patrolplan.hotspots.find import rate_hotspots
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.planner import plan_patrols
from patrolplan.patrols.tasked_keys import TaskedKey, TaskedKeys
from patrolplan.risk.surface import Risk
from patrolplan.team.further_plans import DayPlans, add_further_patrols, list_unserved


def plan_days(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    *,
    further_risks: Mapping[str, Risk] | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[dt.date, Plan]:
    """Plan every school for every day; a school is planned again only where its places change.

    `risk` is that of the first of `[week] windows`, `further_risks` those of the others by name.
    The hotspots are the same in all windows; what they are worth in each follows from its risk.
    Days on which a school has the same places share its patrols.
    """
    first, *others = area.settings.week.windows
    risks = {first: risk, **(further_risks or {})}
    missing = [name for name in others if name not in risks]
    if missing:
        message = f"further_risks lacks windows of the week: {', '.join(missing)}"
        raise ValueError(message)
    return _join_windows(
        [
            _plan_window(
                area,
                risks[name],
                hotspots if name == first else rate_hotspots(area, risks[name], hotspots),
                days,
                resolve_window(area.settings.patrol, name=name),
                executor=executor,
                report_progress=report_progress,
            )
            for name in (first, *others)
        ]
    )


def _join_windows(windows: Sequence[DayPlans]) -> dict[dt.date, Plan]:
    """The plans of the first window, each with those of the others on its day."""
    first, *others = windows
    if not others:
        return dict(first)
    return {
        day: list_unserved(replace(plan, other_windows=tuple(other[day] for other in others)))
        for day, plan in first.items()
    }


def _split_windows(plans: DayPlans) -> list[DayPlans]:
    """The plans of each window separately."""
    count = min((len(plan.other_windows) for plan in plans.values()), default=0)
    return [
        {day: replace(plan, other_windows=()) for day, plan in plans.items()},
        *({day: plan.other_windows[row] for day, plan in plans.items()} for row in range(count)),
    ]


def _plan_window(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    window: Window,
    *,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[dt.date, Plan]:
    """The plans of one window, see `plan_days`."""
    patrols_by_key: dict[tuple[str, TaskedKey], list[Patrol]] = {}
    plans = {}
    for day in days:
        barred = TaskedKeys.from_area(area, day)
        keys = [(urn, barred.build_barred_key(urn)) for urn in area.schools["urn"]]
        missing = [key for key in keys if key not in patrols_by_key]
        if missing:
            part = plan_patrols(
                area,
                risk,
                hotspots,
                urns=[urn for urn, _ in missing],
                window=window,
                date=day,
                assign_tasked=False,
                executor=executor,
                report_progress=report_progress,
            )
            patrols_by_key |= {
                key: [patrol for patrol in part.patrols if patrol.urn == key[0]] for key in missing
            }
        patrols = tuple(patrol for key in keys for patrol in patrols_by_key[key])
        plans[day] = Plan(area, risk, hotspots, patrols, area.left_out, day, window=window)
    return add_further_patrols(plans, {}, executor=executor, report_progress=report_progress)


def replan_days(
    plans: DayPlans, area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame
) -> dict[dt.date, Plan]:
    """Plan again what other tasked places of an area change; everything else stays as it is.

    Risk and hotspots do not depend on tasked places; the patrols' tests on past months stay.
    """
    replanned = []
    for number, before in enumerate(_split_windows(plans)):
        one = next(iter(before.values()))
        own_risk, own_hotspots = (one.risk, one.hotspots) if number else (risk, hotspots)
        replanned.append(_replan_window(before, area, own_risk, own_hotspots))
    return _join_windows(replanned)


def _replan_window(
    plans: DayPlans, area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame
) -> dict[dt.date, Plan]:
    """The plans of one window, see `replan_days`."""
    patrols_by_key: dict[tuple[str, TaskedKey], tuple[Patrol, ...]] = {}
    replanned = {}
    for day, plan in plans.items():
        now, then = (TaskedKeys.from_area(one, day) for one in (area, plan.area))
        patrols: list[Patrol] = []
        for urn in area.schools["urn"]:
            places = now.build_barred_key(urn)
            if places == then.build_barred_key(urn):
                patrols += [patrol for patrol in plan.patrols if patrol.urn == urn]
                continue
            if (urn, places) not in patrols_by_key:
                patrols_by_key[urn, places] = plan_patrols(
                    area,
                    risk,
                    hotspots,
                    urns=[urn],
                    window=plan.window,
                    date=day,
                    assign_tasked=False,
                ).patrols
            patrols += patrols_by_key[urn, places]
        replanned[day] = Plan(
            area, risk, hotspots, tuple(patrols), area.left_out, day, window=plan.window
        )
    return add_further_patrols(replanned, plans)


@lru_cache(maxsize=4)
def add_relief_patrols(plan: Plan) -> Plan:
    """The plan with further patrols past crowded hotspots, as in the plans of `plan_days`."""
    day = plan.date or dt.date(1900, 1, 1)  # any day: the plan is only compared with itself
    windows = _split_windows({day: plan})
    return _join_windows([add_further_patrols(one, one) for one in windows])[day]


def list_day_plans(plan: Plan | DayPlans, days: Sequence[dt.date]) -> tuple[Plan, ...]:
    """(d,) the plan of each day; one plan for all days is given further patrols.

    An `InputError` where a day has no plan.
    """
    if isinstance(plan, Plan):
        return (add_relief_patrols(plan),) * len(days)
    missing = [f"{day}" for day in days if day not in plan]
    if missing:
        where, what = "plan", f"there is no plan for {', '.join(missing)}"
        raise InputError.one(where, what, "plan every day of the week")
    return tuple(plan[day] for day in days)
