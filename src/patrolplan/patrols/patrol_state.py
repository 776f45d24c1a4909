"""What is so of a patrol as a whole: every paper takes its sentences about it from this state."""

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np

from patrolplan.hotspots.reasons import (
    CrimeReason,
    PassingReason,
    Reason,
    ReportsReason,
    TrendReason,
    WayReason,
)
from patrolplan.hotspots.trends import is_remarkable
from patrolplan.patrols.file_forms import round_share
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.surroundings import MAX_METRES

Danger = Literal["", "nothing recorded", "nothing stands out"]
"""What is missing of danger around a patrol; empty where something is to be looked after."""


@dataclass(frozen=True)
class PatrolState:
    """What is told once of a patrol, not stop by stop."""

    has_stops: bool
    danger: Danger
    meets_own_pupils: bool
    """Whether many of the own pupils pass at one of its stops while it lasts."""
    is_to_school: bool
    """Whether it is about the opening bell, so that pupils come to school."""
    is_reference: bool
    """Whether it is what an experienced officer would do, since no walk does clearly more."""
    worth_ratio: float | None
    """The risk to own pupils that it meets over that of the reference, as it is shown; None where
    that is not known, says nothing, or nothing there stands out."""
    pupils_ratio: float | None
    """The same of own pupils."""


def find_patrol_state(plan: Plan, patrol: Patrol) -> PatrolState:
    """The state of one of a plan's patrols."""
    danger = find_danger(plan.hotspots, patrol, plan.area.settings.patrol.radius_metres)
    worth, pupils = (None, None) if danger else _find_ratios(patrol)
    return PatrolState(
        has_stops=bool(patrol.stops),
        danger=danger,
        meets_own_pupils=any(
            isinstance(reason, PassingReason) or _is_own_way(reason, patrol)
            for stop in patrol.stops
            for reason in stop.why
        ),
        is_to_school=is_to_school(plan, patrol),
        is_reference=patrol.kind == "reference",
        worth_ratio=worth,
        pupils_ratio=pupils,
    )


def is_to_school(plan: Plan, patrol: Patrol) -> bool:
    """Whether a patrol's window is about the opening bell, so that pupils arrive."""
    window = plan.area.settings.patrol.windows.get(patrol.window)
    return window is not None and window.bell == "opening"


def find_danger(hotspots: gpd.GeoDataFrame, patrol: Patrol, radius_metres: float) -> Danger:
    """What is missing of danger around a patrol, within the radius that is set."""
    reasons = [reason for stop in patrol.stops for reason in stop.why]
    is_tasked = any(stop.tasking is not None for stop in patrol.stops)
    if is_tasked or any(isinstance(reason, ReportsReason | TrendReason) for reason in reasons):
        return ""
    is_recorded = any(isinstance(reason, CrimeReason) for reason in reasons)
    if patrol.nothing_recorded and not is_recorded:
        return "nothing recorded"
    away = np.hypot(hotspots["stop_x"] - patrol.x, hotspots["stop_y"] - patrol.y)
    is_visited = hotspots["hotspot"].isin(patrol.covered)
    is_here = (away <= min(MAX_METRES, radius_metres)) | is_visited
    return "" if (is_here & is_remarkable(hotspots)).any() else "nothing stands out"


def _is_own_way(reason: Reason, patrol: Patrol) -> bool:
    return isinstance(reason, WayReason) and reason.school == patrol.school


def _find_ratios(patrol: Patrol) -> tuple[float | None, float | None]:
    """Worth and pupils over the reference as shown; none where both are the same as there."""
    if patrol.reference is None or patrol.kind == "reference":
        return None, None
    given = patrol.reference.worth_ratio, patrol.reference.pupils_ratio
    worth, pupils = (None if ratio is None else round_share(ratio) for ratio in given)
    is_same = worth in {None, 1.0} and pupils in {None, 1.0}
    return (None, None) if is_same else (worth, pupils)
