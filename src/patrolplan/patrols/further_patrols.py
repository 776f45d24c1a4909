"""Further patrols past hotspots that more schools would go to than the most of a day allows."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.network.names import street_labels
from patrolplan.parallel import Tell, shared_out, told_as
from patrolplan.patrols.patrol_writer import patrols_past
from patrolplan.patrols.plan import Patrol, Variant
from patrolplan.patrols.school_problem import Ground, Ready
from patrolplan.patrols.stop_order import rhythm_of
from patrolplan.patrols.windows import window_of
from patrolplan.risk.surface import Risk

Asked = tuple[str, frozenset[str]]
"""A school, and the hotspots that a further patrol of it should keep off."""

EPSILON = 1e-6


def relief_asked(
    patrols: Sequence[Patrol], *, most_minutes: float, beside: Sequence[Patrol] = ()
) -> tuple[Asked, ...]:
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
    ways = {urn: _hotspots(_of(patrols, urn)) for urn in dict.fromkeys(row.urn for row in patrols)}
    minutes: defaultdict[str, float] = defaultdict(float)
    for urn in dict.fromkeys([*ways, *(row.urn for row in beside)]):
        there: dict[str, float] = {}
        for patrol in (*_own(patrols, urn), *_own(beside, urn)):
            for stop in patrol.stops:
                if not stop.tasked:
                    long = stop.leave_minutes - stop.arrive_minutes
                    there[stop.hotspot] = max(there.get(stop.hotspot, 0.0), long)
        for name, long in there.items():
            minutes[name] += long
    crowded = {name for name, much in minutes.items() if much > most_minutes + EPSILON}
    found: list[Asked] = []
    for urn, mine in ways.items():
        here = crowded & frozenset().union(*mine)
        alone = crowded & frozenset.intersection(*mine)
        asked = [frozenset([name]) for name in sorted(alone)]
        if all(way & crowded for way in mine):
            asked.append(frozenset(here))
        found += [(urn, names) for names in dict.fromkeys(asked)]
    return tuple(found)


def with_relief(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    patrols: Sequence[Patrol],
    *,
    date: dt.date | None,
    known: Mapping[Asked, Variant | None],
    beside: Sequence[Patrol] = (),
    executor: Executor | None = None,
    tell: Tell | None = None,
) -> tuple[tuple[Patrol, ...], dict[Asked, Variant | None]]:
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
        See `relief_asked`.

    Returns
    -------
    tuple of Patrol, dict
        The patrols, and every further patrol that was asked for.
    """
    bare, others = _bare(patrols), _bare(beside)
    most = area.settings.week.max_dose_minutes_per_day
    asked = relief_asked(bare, most_minutes=most, beside=others)
    found = {row: known[row] for row in asked if row in known}
    missing = [row for row in asked if row not in found]
    if missing:
        window = window_of(area.settings.patrol)
        rhythm = rhythm_of(area, hotspots) if risk.times_known else None
        ground = Ground(area.for_schools(), street_labels(area.network), window)
        ready = Ready(ground, risk, hotspots, date, rhythm)
        rows = {urn: row for row, urn in enumerate(area.schools["urn"])}
        items = [(rows[urn], names, tuple(_of(bare, urn))) for urn, names in missing]
        told = told_as("Planning past crowded hotspots", items, tell)
        made = shared_out(_past, ready, items, executor=executor, tell=told)
        found |= dict(zip(missing, made, strict=True))
    joined = tuple(_joined(row, asked, found) for row in bare)
    same = (
        tuple(map(id, a.variants)) == tuple(map(id, b.variants))
        for a, b in zip(patrols, joined, strict=True)
    )
    return tuple(a if like else b for a, b, like in zip(patrols, joined, same, strict=True)), found


def _bare(patrols: Iterable[Patrol]) -> list[Patrol]:
    """The patrols without further ones."""
    return [replace(row, variants=tuple(v for v in row.variants if not v.past)) for row in patrols]


def _past(ready: Ready, item: tuple[int, frozenset[str], tuple[Patrol, ...]]) -> Variant | None:
    row, names, best = item
    return patrols_past(ready.case(row), names, best)


def _joined(
    patrol: Patrol, asked: Iterable[Asked], found: Mapping[Asked, Variant | None]
) -> Patrol:
    """A patrol with the further ones of its school that are not among its own already."""
    variants = list(patrol.variants)
    seen = {frozenset(stop.hotspot for stop in patrol.stops)}
    seen |= {frozenset(variant.hotspots) for variant in patrol.variants}
    for row in asked:
        more = found[row]
        if row[0] == patrol.urn and more is not None and frozenset(more.hotspots) not in seen:
            variants.append(more)
            seen.add(frozenset(more.hotspots))
    return replace(patrol, variants=tuple(variants))


def _of(patrols: Iterable[Patrol], urn: str) -> list[Patrol]:
    return [patrol for patrol in patrols if patrol.urn == urn]


def _own(patrols: Iterable[Patrol], urn: str) -> list[Patrol]:
    """A school's patrols with those of all variants."""
    mine = _of(patrols, urn)
    return [*mine, *(row for patrol in mine[:1] for v in patrol.variants for row in v.patrols)]


def _hotspots(mine: Sequence[Patrol]) -> list[frozenset[str]]:
    """Hotspots of each choice that a school has, without places that must be visited."""
    choices = [mine, *(variant.patrols for variant in mine[0].variants)]
    return [
        frozenset(stop.hotspot for row in choice for stop in row.stops if not stop.tasked)
        for choice in choices
    ]
