"""A plan for each day of a week: places tasked by intelligence count on their days only."""

import datetime as dt
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import Executor

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.crew.share import Tell
from patrolplan.errors import InputError
from patrolplan.patrols.planner import plan_patrols
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.risk.surface import Risk


def plan_days(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    *,
    held_out: bool = True,
    executor: Executor | None = None,
    tell: Tell | None = None,
) -> dict[dt.date, Plan]:
    """Plan every school for every day; a school is planned again only where its places change.

    Parameters
    ----------
    area, risk, hotspots, held_out, executor, tell
        As for `patrolplan.patrols.planner.plan_patrols`.
    days
        The days.

    Returns
    -------
    dict
        A plan by day. Days on which a school has the same places share its patrols.
    """
    known: dict[tuple[str, tuple[int, ...]], list[Patrol]] = {}
    told = list(area.left_out)
    urns = list(area.schools["urn"])
    found = {}
    for day in days:
        keys = [(urn, _places(area, urn, day)) for urn in urns]
        missing = [key for key in keys if key not in known]
        if missing:
            asked = [urn for urn, _ in missing]
            part = plan_patrols(
                area,
                risk,
                hotspots,
                urns=asked,
                date=day,
                held_out=held_out,
                executor=executor,
                tell=tell,
            )
            known |= {key: [p for p in part.patrols if p.urn == key[0]] for key in missing}
            told += [row for row in part.left_out if row not in told]
        patrols = tuple(patrol for key in keys for patrol in known[key])
        found[day] = Plan(area, risk, hotspots, patrols, tuple(told), day)
    return found


def _places(area: StudyArea, urn: str, day: dt.date) -> tuple[int, ...]:
    """Rows of the tasked places of a school on a day."""
    places, at = area.tasked_places, pd.Timestamp(day)
    mine = np.array([urn in row or "*" in row for row in places["schools"]], dtype=bool)
    mine &= ((places["from"] <= at) & (at <= places["to"])).to_numpy()
    return tuple(np.flatnonzero(mine).tolist())


def plans_by_day(plan: Plan | Mapping[dt.date, Plan], days: Sequence[dt.date]) -> tuple[Plan, ...]:
    """(d,) the plan of each day.

    Raises
    ------
    InputError
        When a day has none.
    """
    if isinstance(plan, Plan):
        return (plan,) * len(days)
    missing = [f"{day}" for day in days if day not in plan]
    if missing:
        where, what = "plan", f"there is no plan for {', '.join(missing)}"
        raise InputError.one(where, what, "plan every day of the week")
    return tuple(plan[day] for day in days)
