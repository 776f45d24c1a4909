"""A plan for each day of a week: places tasked by intelligence count on their days only.

A barred place changes a school's patrols; a place to visit only adds one, see
`patrolplan.patrols.errands`, so everything else is unchanged when a place is tasked. All patrols
are kept by what they depend on: school, window and the day's places. So days with the same places
share them, and planning again after a tasking plans only what differs.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import lru_cache

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.errors import InputError
from patrolplan.hotspots.stretches import rate_hotspots
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.designated import find_resting
from patrolplan.patrols.errands import (
    Answer,
    Errand,
    add_variants,
    find_detours,
    find_errands,
    list_left_out,
    plan_errands,
)
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.planner import plan_patrols
from patrolplan.patrols.surroundings import is_in_force
from patrolplan.risk.surface import Risk

DayPlans = Mapping[dt.date, Plan]
Key = tuple[object, ...]
"""What patrols depend on: window, school (or errand) and the day's places."""

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
    windows = _list_windows(area, risk, hotspots, further_risks or {}, earlier or {})
    planned = _Planned.collect((earlier or {}).values())
    plans = {}
    for day in days:
        parts = [
            _plan_window(replace(bare, date=day), planned, executor, report_progress)
            for bare in windows
        ]
        plans[day] = _join_windows(parts)
    return plans


def _list_windows(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    further_risks: Mapping[str, Risk],
    earlier: DayPlans,
) -> list[Plan]:
    """A plan of each window of the week without patrols; those after the first as they were."""
    first, *others = area.settings.week.windows
    bare = Plan(area, risk, hotspots, (), area.left_out)
    if earlier:
        was, *more = next(iter(earlier.values())).parts
        found = [(one.risk, one.hotspots, one.window) for one in more]
        return [
            replace(bare, risk=risk, hotspots=spots, window=window)
            for risk, spots, window in [(risk, hotspots, was.window), *found]
        ]
    missing = [name for name in others if name not in further_risks]
    if missing:
        message = f"further_risks lacks windows of the week: {', '.join(missing)}"
        raise ValueError(message)
    windows = [replace(bare, window=_resolve(area, first))]
    for name in others:
        risk = further_risks[name]
        spots = rate_hotspots(area, risk, hotspots)
        windows.append(replace(bare, risk=risk, hotspots=spots, window=_resolve(area, name)))
    return windows


def _resolve(area: StudyArea, name: str) -> Window:
    return resolve_window(area.settings.patrol, name=name)


class _DayPlaces:
    """What a day's tasked places change of patrols: where it is the same, so are the patrols."""

    def __init__(self, area: StudyArea, date: dt.date | None) -> None:
        places = area.tasked_places
        table = places[KEY_COLUMNS].assign(x=places.geometry.x, y=places.geometry.y)
        rows = [repr(row) for row in table.itertuples(index=False, name=None)]
        is_barred = ~places["must_visit"].to_numpy(dtype=bool) & is_in_force(places, date)
        self._row_by_name = dict(zip(places["place_id"], rows, strict=True))
        self._barred = [
            (set(schools), row)
            for schools, row, barred in zip(places["schools"], rows, is_barred, strict=True)
            if barred
        ]
        self._resting = find_resting(area, date)

    def build_key(self, urn: str, visit: Sequence[str] = ()) -> Key:
        """Of the barred places of a school, the hotspots that rest, and some places to visit."""
        barred = tuple(row for schools, row in self._barred if schools & {urn, ALL_SCHOOLS})
        return (urn, barred, self._resting, *(self._row_by_name[name] for name in visit))


@dataclass(frozen=True)
class _Planned:
    """What is planned already."""

    best: dict[Key, dict[int, Patrol]] = field(default_factory=dict)
    """The best patrols of a school, with its own variants, by the number of the officer."""
    answers: dict[Key, Answer] = field(default_factory=dict)
    """Of errands."""
    whole: dict[Key, Patrol] = field(default_factory=dict)
    """Patrols with all their variants."""

    @classmethod
    def collect(cls, plans: Iterable[Plan]) -> "_Planned":
        """What plans hold."""
        planned = cls()
        for part in (part for plan in plans for part in plan.parts):
            places = _DayPlaces(part.area, part.date)
            for patrol in part.patrols:
                key = part.window_name, places.build_key(patrol.urn)
                planned.best.setdefault(key, {}).setdefault(patrol.number, _take_best(patrol))
                planned.whole[key, patrol.number, patrol.variants] = patrol
                for variant in patrol.variants:
                    if variant.is_further:
                        errand = Errand.of_variant(patrol.urn, variant)
                        planned.answers[_build_key(part, places, errand)] = variant
            for row in part.unserved:
                name = (row.place,)
                watched, visited = (name, ()) if row.is_watched else ((), name)
                errand = Errand(row.urn, visited, watched)
                planned.answers[_build_key(part, places, errand)] = row
        return planned


def _take_best(patrol: Patrol) -> Patrol:
    """The patrol without the variants of errands."""
    own = tuple(variant for variant in patrol.variants if not variant.is_further)
    return patrol if len(own) == len(patrol.variants) else replace(patrol, variants=own)


def _build_key(plan: Plan, places: _DayPlaces, errand: Errand) -> Key:
    return plan.window_name, errand, places.build_key(errand.urn, errand.visit)


def _plan_window(
    bare: Plan,
    planned: _Planned,
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> Plan:
    """The plan of one window and day; what is not planned yet is planned, and added."""
    places = _DayPlaces(bare.area, bare.date)
    keys = {urn: (bare.window_name, places.build_key(urn)) for urn in bare.area.schools["urn"]}
    missing = [urn for urn, key in keys.items() if key not in planned.best]
    if missing:
        part = plan_patrols(
            bare.area,
            bare.risk,
            bare.hotspots,
            urns=missing,
            window=bare.window,
            date=bare.date,
            assign_tasked=False,
            executor=executor,
            report_progress=report_progress,
        )
        for patrol in part.patrols:
            planned.best.setdefault(keys[patrol.urn], {})[patrol.number] = patrol
    patrols = (patrol for key in keys.values() for patrol in planned.best[key].values())
    plan = replace(bare, patrols=tuple(patrols))
    return _add_further_patrols(plan, planned, executor, report_progress)


def _add_further_patrols(
    plan: Plan,
    planned: _Planned,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """The plan of one window with patrols past crowded hotspots, then of all other errands."""
    places = _DayPlaces(plan.area, plan.date)
    for find in (find_detours, find_errands):
        keys = {errand: _build_key(plan, places, errand) for errand in find(plan)}
        missing = [errand for errand, key in keys.items() if key not in planned.answers]
        found = plan_errands(plan, missing, executor=executor, report_progress=report_progress)
        planned.answers.update(zip((keys[errand] for errand in missing), found, strict=True))
        plan = add_variants(plan, {errand: planned.answers[key] for errand, key in keys.items()})
    shared = [
        planned.whole.setdefault(
            ((plan.window_name, places.build_key(patrol.urn)), patrol.number, patrol.variants),
            patrol,
        )
        for patrol in plan.patrols
    ]
    return replace(plan, patrols=tuple(shared))


def _join_windows(parts: Sequence[Plan]) -> Plan:
    """The plan of a day's windows, with the places to visit that no patrol of any can reach."""
    first, *others = parts
    plan = replace(first, other_windows=tuple(others))
    visits = Counter(
        name
        for patrol in (patrol for part in parts for patrol in part.patrols)
        for variant in patrol.variants
        for name in variant.serves
    )
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    unserved = [row for part in parts for row in part.unserved]
    rows = list_left_out(plan, urns, unserved, visits)
    return replace(plan, left_out=(*plan.area.left_out, *rows))


@lru_cache(maxsize=4)
def add_relief_patrols(plan: Plan) -> Plan:
    """The plan with further patrols past crowded hotspots, as in the plans of `plan_days`."""
    planned = _Planned.collect([plan])
    parts = []
    for part in plan.parts:
        best = tuple(_take_best(patrol) for patrol in part.patrols)
        bare = replace(part, patrols=best, unserved=(), other_windows=())
        parts.append(_add_further_patrols(bare, planned))
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
