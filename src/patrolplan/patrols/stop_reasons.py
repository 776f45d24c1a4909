"""Why a patrol stops where it does, decided once: papers only put it into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np

from patrolplan.hotspots.reasons import (
    Reason,
    ReportsReason,
    TrendReason,
    UnsurePlaceReason,
    WayReason,
)
from patrolplan.hotspots.trends import is_remarkable
from patrolplan.patrols.surroundings import MAX_METRES
from patrolplan.times import minutes_after_midnight

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Patrol, Stop

NEAR_MINUTES = 5.0  # pupils who pass so long before or after a stop are still seen
MODIFIERS = (TrendReason, UnsurePlaceReason)  # reasons that only modify another reason
Want = Literal["", "nothing recorded", "nothing stands out"]
OWN_SCHOOL = "this school"  # name of a patrol's own school among its reasons


@dataclass(frozen=True, kw_only=True)
class StopReasons:
    """Why a patrol stops at a place, apart from a tasking."""

    earlier: int | None  # number of an earlier stop at the same place, where the reasons stand
    reasons: tuple[Reason, ...]  # the most important first, but for `busiest`
    busiest: WayReason | None  # the way home, at the stop that most of the own pupils pass
    told: Mapping[Reason, int]  # number of the earlier stop that has a reason, too
    is_feared: bool  # whether a group of pupils reports that they feel unsafe there


def find_stop_reasons(patrol: "Patrol") -> tuple[StopReasons, ...]:
    """The reasons of each stop of a patrol."""
    busiest_row, busiest = find_busiest_stop(patrol)
    ids = [stop.id for stop in patrol.stops]
    found: list[StopReasons] = []
    for row, stop in enumerate(patrol.stops):
        first = ids.index(stop.id)
        is_again = stop.kind != "gate" and first < row
        found.append(
            StopReasons(
                earlier=first + 1 if is_again else None,
                reasons=_name_own_school(stop, patrol.school, leave_out=row == busiest_row),
                busiest=busiest if row == busiest_row else None,
                told=_number_reasons(found),
                is_feared=is_feared(stop.why),
            )
        )
    return tuple(found)


def _number_reasons(stops: Sequence[StopReasons]) -> dict[Reason, int]:
    """Number of the first stop that has each reason."""
    numbers: dict[Reason, int] = {}
    for number, stop in enumerate(stops, start=1):
        for reason in stop.reasons:
            numbers.setdefault(reason, number)
    return numbers


def _name_own_school(stop: "Stop", school: str, *, leave_out: bool) -> tuple[Reason, ...]:
    """A stop's reasons, with the way of the patrol's own school left out or not named again."""
    reasons: list[Reason] = []
    for reason in order_reasons(stop):
        if not (isinstance(reason, WayReason) and reason.school == school):
            reasons.append(reason)
        elif not leave_out:
            reasons.append(replace(reason, school=OWN_SCHOOL))
    return tuple(reasons)


def find_busiest_stop(patrol: "Patrol") -> tuple[int, WayReason | None]:
    """Row of the stop where most of the own pupils pass meanwhile, and the reason; -1 for none."""
    ways = [
        (row, reason)
        for row, stop in enumerate(patrol.stops)
        for reason in stop.why
        if isinstance(reason, WayReason)
        and reason.school == patrol.school
        and is_way_met(stop, reason)
    ]
    return max(ways, key=lambda way: (way[1].share, -way[0]), default=(-1, None))


def order_reasons(stop: "Stop") -> list[Reason]:
    """A stop's reasons in their order, without those that do not apply while it lasts."""
    # A way that it misses stays if there is no other reason; the gate needs none.
    if stop.kind == "gate":
        return []
    ways = [reason for reason in stop.why if isinstance(reason, WayReason)]
    missed = {way for way in ways if not is_way_met(stop, way)}
    others = [reason for reason in stop.why if reason not in missed]
    is_carried = stop.tasked or any(not isinstance(reason, MODIFIERS) for reason in others)
    return others if is_carried else list(stop.why)


def is_way_met(stop: "Stop", reason: WayReason) -> bool:
    """Whether a stop lasts while most of the pupils pass, or misses them by a few minutes."""
    start, end = minutes_after_midnight(reason.start), minutes_after_midnight(reason.end)
    late, early = stop.arrive_minutes - end, start - stop.leave_minutes
    return max(late, early) <= NEAR_MINUTES


def is_feared(reasons: Iterable[Reason]) -> bool:
    """Whether a group of pupils reports that they feel unsafe at a place."""
    return any(isinstance(reason, ReportsReason) for reason in reasons)


def find_want_of_danger(hotspots: gpd.GeoDataFrame, patrol: "Patrol", radius: float) -> Want:
    """What is missing of danger around a patrol; `radius` is the one that is set, in metres."""
    if patrol.nothing_recorded:
        return "nothing recorded"
    away = np.hypot(hotspots["stop_x"] - patrol.x, hotspots["stop_y"] - patrol.y)
    is_visited = hotspots["hotspot"].isin(patrol.covered)
    is_here = (away <= min(MAX_METRES, radius)) | is_visited
    return "" if (is_here & is_remarkable(hotspots)).any() else "nothing stands out"
