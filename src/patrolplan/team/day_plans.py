"""A plan for each day of a week: places tasked by intelligence count on their days only.

All is kept by what it depends on: window, school (or errand) and the day's places. So days with the
same places share their patrols, and planning again after a tasking plans only what differs.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.errors import InputError
from patrolplan.hotspots.stretches import rate_hotspots
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols import errands
from patrolplan.patrols.designated import find_resting
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.planner import Planner, get_planner
from patrolplan.patrols.planning import plan_patrols
from patrolplan.patrols.surroundings import is_in_force
from patrolplan.risk.surface import Risk

DayPlans = Mapping[dt.date, Plan]
Key = tuple[object, ...]  # what patrols depend on: window, school (or errand) and the day's places

KEY_COLUMNS = ["place_id", "must_visit", "reason", "by", "to"]
KEY_COLUMNS += ["from_minutes", "to_minutes", "minutes"]
"""All of a tasked place that patrols depend on, except where it is."""


def plan_days(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    *,
    further_risks: Mapping[str, Risk] | None = None,
    earlier: DayPlans | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[dt.date, Plan]:
    """Plan every school for every day; a school is planned again only where its places change."""
    # `risk` is that of the first of `[week] windows`, `further_risks` those of the others by name.
    # The hotspots are the same in all windows; what they are worth in each follows from its risk.
    # Of `earlier` plans of the same risks everything stays that the area's tasked places do not
    # change.
    done = _Done({"executor": executor, "report_progress": report_progress})
    for part in (part for plan in (earlier or {}).values() for part in plan.parts):
        done.add(part)
    if earlier:
        before = next(iter(earlier.values())).parts
        windows = [(get_planner(part).for_area(area), part.window) for part in before]
        first, window = windows[0]
        if not first.is_of(risk, hotspots):
            windows[0] = first.for_risk(risk, hotspots), window
    else:
        first = Planner(area, risk, hotspots)
        windows = []
        for name in area.settings.week.windows:
            planner = first
            if windows:
                other = (further_risks or {})[name]
                planner = first.for_risk(other, rate_hotspots(area, other, hotspots))
            windows.append((planner, resolve_window(area.settings.patrol, name=name)))
    plans = {}
    for day in days:
        parts = [_build_bare_plan(planner, day, window) for planner, window in windows]
        plans[day] = _join_windows([*map(done.plan_window, parts)])
    return plans


def _build_bare_plan(planner: Planner, day: dt.date, window: Window | None) -> Plan:
    """A plan of a day and window without patrols."""
    return Plan(
        planner.area,
        planner.risk,
        planner.hotspots,
        patrols=(),
        left_out=planner.area.left_out,
        date=day,
        window=window,
        planner=planner,
    )


class _DayPlaces:
    """What a day's tasked places change of patrols: where it is the same, so are the patrols."""

    def __init__(self, plan: Plan) -> None:
        area, places = plan.area, plan.area.tasked_places
        table = places[KEY_COLUMNS].assign(x=places.geometry.x, y=places.geometry.y)
        rows = [repr(row) for row in table.itertuples(index=False, name=None)]
        self._window = plan.window_name
        self._row_by_name = dict(zip(places["place_id"], rows, strict=True))
        columns = (places["schools"], rows, places["must_visit"], is_in_force(places, plan.date))
        in_force = [row[:3] for row in zip(*columns, strict=True) if row[3]]
        self._barred = [(set(schools), row) for schools, row, visit in in_force if not visit]
        self._resting = find_resting(area, plan.date)
        self.key: Key = (self._window, self._resting, repr(in_force))

    def build_key(self, urn: str, errand: errands.Errand | None = None) -> Key:
        """Of a school's barred places and the hotspots that rest, and of what an errand visits."""
        barred = tuple(row for schools, row in self._barred if schools & {urn, ALL_SCHOOLS})
        visit = () if errand is None else errand.visit
        rows = tuple(self._row_by_name[name] for name in visit)
        return (self._window, urn, errand, barred, self._resting, rows)


@dataclass(frozen=True)
class _Done:
    """What is planned already, and what further planning is done with."""

    workers: Mapping[str, Any] = field(default_factory=dict)  # executor, and who hears of progress
    parts: dict[Key, Plan] = field(default_factory=dict)  # plans of one window by the day's places
    best: dict[Key, dict[int, Patrol]] = field(default_factory=dict)
    """The best patrols of a school, with its own variants, by the number of the officer."""
    answers: dict[Key, errands.Answer] = field(default_factory=dict)  # of errands

    def add(self, part: Plan) -> None:
        """Add what a plan of one window holds."""
        places = _DayPlaces(part)
        self.parts[places.key] = part
        for patrol in part.patrols:
            own = self.best.setdefault(places.build_key(patrol.urn), {})
            own.setdefault(patrol.number, _take_best(patrol))
            for variant in patrol.variants:
                if variant.is_further:
                    aims = variant.serves, variant.watches, variant.avoided_hotspots
                    errand = errands.Errand(patrol.urn, *aims)
                    self.answers[places.build_key(patrol.urn, errand)] = variant
        for row in part.unserved:
            name = (row.place,)
            errand = errands.Errand(row.urn, *((), name) if row.is_watched else (name, ()))
            self.answers[places.build_key(row.urn, errand)] = row

    def plan_window(self, bare: Plan) -> Plan:
        """The plan of one window and day; what is not planned yet is planned, and added."""
        places = _DayPlaces(bare)
        if (part := self.parts.get(places.key)) is not None:
            return replace(bare, patrols=part.patrols, unserved=part.unserved)
        keys = {urn: places.build_key(urn) for urn in bare.area.schools["urn"]}
        missing = [urn for urn, key in keys.items() if key not in self.best]
        if missing:
            made_from = bare.area, bare.risk, bare.hotspots
            how = {**self.workers, "window": bare.window, "date": bare.date, "urns": missing}
            how["planner"] = bare.planner
            part = plan_patrols(*made_from, **how, assign_tasked=False)
            for patrol in part.patrols:
                self.best.setdefault(keys[patrol.urn], {})[patrol.number] = patrol
        patrols = (patrol for key in keys.values() for patrol in self.best[key].values())
        return self.add_further(replace(bare, patrols=tuple(patrols)))

    def add_further(self, plan: Plan) -> Plan:
        """The plan of one window with patrols past crowded hotspots, then of all other errands."""
        places = _DayPlaces(plan)
        for find in (errands.find_detours, errands.find_errands):
            keys = {errand: places.build_key(errand.urn, errand) for errand in find(plan)}
            missing = [errand for errand, key in keys.items() if key not in self.answers]
            found = errands.plan_errands(plan, missing, **self.workers)
            self.answers.update(zip((keys[errand] for errand in missing), found, strict=True))
            answers = {errand: self.answers[key] for errand, key in keys.items()}
            plan = errands.add_variants(plan, answers)
        self.parts[places.key] = plan
        return plan


def _take_best(patrol: Patrol) -> Patrol:
    """The patrol without the variants of errands."""
    own = tuple(variant for variant in patrol.variants if not variant.is_further)
    return patrol if len(own) == len(patrol.variants) else replace(patrol, variants=own)


def _join_windows(parts: Sequence[Plan]) -> Plan:
    """The plan of a day's windows, with the places to visit that no patrol of any can reach."""
    first, *others = parts
    plan = replace(first, other_windows=tuple(others))
    variants = (one for part in parts for patrol in part.patrols for one in patrol.variants)
    visits = Counter(name for variant in variants for name in variant.serves)
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    unserved = [row for part in parts for row in part.unserved]
    rows = errands.list_left_out(plan, urns, unserved, visits)
    return replace(plan, left_out=(*plan.area.left_out, *rows))


@lru_cache(maxsize=4)
def add_relief_patrols(plan: Plan) -> Plan:
    """The plan with further patrols past crowded hotspots, as in the plans of `plan_days`."""
    done, parts = _Done(), []
    for part in plan.parts:
        done.add(part)
        best = tuple(_take_best(patrol) for patrol in part.patrols)
        bare = replace(part, patrols=best, unserved=(), other_windows=())
        parts.append(done.add_further(bare))
    return _join_windows(parts)


def list_day_plans(plan: Plan | DayPlans, days: Sequence[dt.date]) -> tuple[Plan, ...]:
    """(d,) the plan of each day; one plan for all days is given further patrols."""
    if isinstance(plan, Plan):
        return (add_relief_patrols(plan),) * len(days)
    missing = [f"{day}" for day in days if day not in plan]
    if missing:
        where, what = "plan", f"there is no plan for {', '.join(missing)}"
        raise InputError.one(where, what, "plan every day of the week")
    return tuple(plan[day] for day in days)
