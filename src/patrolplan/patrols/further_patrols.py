"""Further patrols past hotspots that more schools would go to than the most of a day allows."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.network.names import label_streets
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.patrol_writer import plan_avoiding_variant
from patrolplan.patrols.plan import Patrol, Variant
from patrolplan.patrols.school_problem import PlanningInputs, SharedInputs
from patrolplan.patrols.stop_order import estimate_time_profile
from patrolplan.patrols.windows import resolve_window
from patrolplan.risk.estimate import Risk

AvoidanceRequest = tuple[str, frozenset[str]]
"""A school, and the hotspots that a further patrol of it should keep off."""

MINUTES_TOLERANCE = 1e-6


def find_avoidance_requests(
    patrols: Sequence[Patrol], *, max_minutes: float, other_mode_patrols: Sequence[Patrol] = ()
) -> tuple[AvoidanceRequest, ...]:
    """Which schools need further patrols, and past which hotspots.

    A hotspot is crowded when more schools have a patrol there than the most of a day lets in. A
    school gets a patrol past each crowded hotspot that it could not do without, and one past all
    of them where each of its patrols stops at some.

    Parameters
    ----------
    patrols
        Every school's, for one day.
    most_minutes
        Most minutes of a hotspot a day.
    beside
        Patrols of the same day that crowd hotspots too, but ask for nothing: those of officers of
        another mode.
    """
    ways = {
        urn: _list_hotspot_choices(_select_school(patrols, urn))
        for urn in dict.fromkeys(row.urn for row in patrols)
    }
    minutes: defaultdict[str, float] = defaultdict(float)
    for urn in dict.fromkeys([*ways, *(row.urn for row in other_mode_patrols)]):
        there: dict[str, float] = {}
        for patrol in (
            *_collect_school_patrols(patrols, urn),
            *_collect_school_patrols(other_mode_patrols, urn),
        ):
            for stop in patrol.stops:
                if not stop.tasked:
                    long = stop.leave_minutes - stop.arrive_minutes
                    there[stop.hotspot] = max(there.get(stop.hotspot, 0.0), long)
        for name, long in there.items():
            minutes[name] += long
    crowded = {name for name, much in minutes.items() if much > max_minutes + MINUTES_TOLERANCE}
    found: list[AvoidanceRequest] = []
    for urn, mine in ways.items():
        here = crowded & frozenset().union(*mine)
        alone = crowded & frozenset.intersection(*mine)
        asked = [frozenset([name]) for name in sorted(alone)]
        if all(way & crowded for way in mine):
            asked.append(frozenset(here))
        found += [(urn, names) for names in dict.fromkeys(asked)]
    return tuple(found)


def add_avoiding_variants(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    patrols: Sequence[Patrol],
    *,
    date: dt.date | None,
    planned: Mapping[AvoidanceRequest, Variant | None],
    other_mode_patrols: Sequence[Patrol] = (),
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> tuple[tuple[Patrol, ...], dict[AvoidanceRequest, Variant | None]]:
    """Give schools at crowded hotspots further patrols, as variants after their own.

    Parameters
    ----------
    area, risk, hotspots, executor, tell
        As for `patrolplan.patrols.planner.plan_patrols`.
    patrols
        Every school's, for one day.
    date
        The day; None where all tasked places count.
    known
        Further patrols that are planned already; None where there is none.
    beside
        See `find_avoidance_requests`.

    Returns
    -------
    tuple of Patrol, dict
        The patrols, and every further patrol that was asked for.
    """
    bare, others = _remove_avoiding_variants(patrols), _remove_avoiding_variants(other_mode_patrols)
    most = area.settings.week.max_dose_minutes_per_day
    asked = find_avoidance_requests(bare, max_minutes=most, other_mode_patrols=others)
    found = {row: planned[row] for row in asked if row in planned}
    missing = [row for row in asked if row not in found]
    if missing:
        window = resolve_window(area.settings.patrol)
        rhythm = estimate_time_profile(area, hotspots) if risk.times_known else None
        ground = SharedInputs(area.without_incidents(), label_streets(area.network), window)
        ready = PlanningInputs(ground, risk, hotspots, date, rhythm)
        rows = {urn: row for row, urn in enumerate(area.schools["urn"])}
        items = [(rows[urn], names, tuple(_select_school(bare, urn))) for urn, names in missing]
        told = label_progress("Planning past crowded hotspots", items, report_progress)
        made = map_parallel(_plan_request, ready, items, executor=executor, report_progress=told)
        found |= dict(zip(missing, made, strict=True))
    joined = tuple(_add_school_variants(row, asked, found) for row in bare)
    same = (
        tuple(map(id, a.variants)) == tuple(map(id, b.variants))
        for a, b in zip(patrols, joined, strict=True)
    )
    return tuple(a if like else b for a, b, like in zip(patrols, joined, same, strict=True)), found


def _remove_avoiding_variants(patrols: Iterable[Patrol]) -> list[Patrol]:
    """The patrols without further ones."""
    return [
        replace(row, variants=tuple(v for v in row.variants if not v.avoided_hotspots))
        for row in patrols
    ]


def _plan_request(
    inputs: PlanningInputs, item: tuple[int, frozenset[str], tuple[Patrol, ...]]
) -> Variant | None:
    row, names, best = item
    return plan_avoiding_variant(inputs.build_school_problem(row), names, best)


def _add_school_variants(
    patrol: Patrol,
    requests: Iterable[AvoidanceRequest],
    found: Mapping[AvoidanceRequest, Variant | None],
) -> Patrol:
    """A patrol with the further ones of its school that are not among its own already."""
    variants = list(patrol.variants)
    seen = {frozenset(stop.hotspot for stop in patrol.stops)}
    seen |= {frozenset(variant.hotspots) for variant in patrol.variants}
    for row in requests:
        more = found[row]
        if row[0] == patrol.urn and more is not None and frozenset(more.hotspots) not in seen:
            variants.append(more)
            seen.add(frozenset(more.hotspots))
    return replace(patrol, variants=tuple(variants))


def _select_school(patrols: Iterable[Patrol], urn: str) -> list[Patrol]:
    return [patrol for patrol in patrols if patrol.urn == urn]


def _collect_school_patrols(patrols: Iterable[Patrol], urn: str) -> list[Patrol]:
    """A school's patrols with those of all variants."""
    mine = _select_school(patrols, urn)
    return [*mine, *(row for patrol in mine[:1] for v in patrol.variants for row in v.patrols)]


def _list_hotspot_choices(own_patrols: Sequence[Patrol]) -> list[frozenset[str]]:
    """Hotspots of each choice that a school has, without places that must be visited."""
    choices = [own_patrols, *(variant.patrols for variant in own_patrols[0].variants)]
    return [
        frozenset(stop.hotspot for row in choice for stop in row.stops if not stop.tasked)
        for choice in choices
    ]
