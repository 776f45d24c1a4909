"""The effect of pupils' reports: the same plan without them, and how it differs.

An inspector who is responsible for a plan must see the effect of the second voice. So risk,
hotspots and patrols are also made only from recorded crime, with the same settings, tasked places,
window and day; then the stops of each school are compared. A stop is the same if it covers mostly
the same street, or has the same place in words. The cost of reports in recorded crime is the
difference in how much of it the stops of both plans meet, as in `patrolplan.patrols.way_home`,
without pupils' presence.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.hotspots.find import describe_stops, locate_hotspots
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.plan import Patrol, Plan, Stop
from patrolplan.patrols.planner import plan_patrols
from patrolplan.patrols.reports_change import SchoolWithoutReports, WithoutReports
from patrolplan.patrols.way_home import HarmMeter
from patrolplan.privacy import ReportGroups
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.surface import Risk

SAME_SHARE = 0.5
"""Minimum share of the shorter one's street that two stops share to count as the same."""


def compare_without_reports(
    plan: Plan,
    *,
    assign_tasked: bool = True,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """The plan with how it would differ without pupils' reports.

    It takes less time than planning, since only the best patrols are needed.

    Parameters
    ----------
    plan
        See `patrolplan.patrols.planner.plan_patrols`.
    assign_tasked
        Whether each place to visit is assigned to patrols, as in the plan itself.
    executor
        Its workers plan the schools; by default this process does, one by one.
    report_progress
        Called with the number of schools done.

    Returns
    -------
    Plan
        The plan with `Plan.without_reports`; it stays None if no report counts in the window.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area)
    >>> plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=["900005"])
    >>> changes = pp.compare_without_reports(plan).without_reports.changes
    >>> [school.only_with for school in changes]
    [('H10',)]
    """
    if not plan.risk.reports_part.any():
        return plan
    area = remove_reports(plan.area)
    window = plan.window or resolve_window(area.settings.patrol)
    risk = estimate_risk(area, window=window, date=plan.date)
    if not risk.joined.any():  # no crime counts: without reports there is no reason to walk
        return replace(plan, without_reports=_compare(plan, (), {}, None))
    hotspots = describe_stops(area, locate_hotspots(area, risk))
    hotspots["reasons"] = [[]] * len(hotspots)  # no papers are made of these patrols
    planned = {patrol.urn for patrol in plan.patrols}
    urns = [urn for urn in area.schools["urn"] if urn in planned]
    is_whole = len(urns) == len(area.schools)
    other = plan_patrols(
        area,
        risk,
        hotspots,
        urns=None if is_whole else urns,
        window=window,
        date=plan.date,
        assign_tasked=assign_tasked,
        detail="best",
        executor=executor,
        report_progress=report_progress,
    )
    share = _compare_harm(area, risk, window, plan, other)
    streets = _list_pieces(hotspots)
    return replace(plan, without_reports=_compare(plan, other.patrols, streets, share))


def remove_reports(area: StudyArea) -> StudyArea:
    """The area without pupils' reports."""
    pieces = len(area.network.piece_metres)
    return replace(area, reports=ReportGroups.empty(pieces, area.reports.threshold))


def _compare(
    plan: Plan,
    others: Sequence[Patrol],
    other_pieces: Mapping[str, NDArray[np.int64]],
    crime_share: float | None,
) -> WithoutReports:
    """How the stops of each school differ; `others` are its patrols without reports."""
    metres = plan.area.network.piece_metres
    pieces = _list_pieces(plan.hotspots)
    urns = list(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    changes = []
    for urn in urns:
        own = _list_stops(plan.patrols, urn, pieces)
        without = _list_stops(others, urn, other_pieces)
        only_with = [stop for stop, on in own if not _is_among(stop, on, without, metres)]
        only_without = [stop for stop, on in without if not _is_among(stop, on, own, metres)]
        if only_with or only_without:
            changes.append(
                SchoolWithoutReports(
                    urn=urn,
                    only_with=tuple(stop.hotspot for stop in only_with),
                    # Their names are from another list of hotspots, and have no meaning here.
                    only_without=tuple(dict.fromkeys(stop.place for stop in only_without)),
                )
            )
    return WithoutReports(schools=len(urns), changes=tuple(changes), crime_share=crime_share)


def _list_pieces(hotspots: gpd.GeoDataFrame) -> dict[str, NDArray[np.int64]]:
    """The pieces of street of each hotspot, by name."""
    rows = zip(hotspots["hotspot"], hotspots["pieces"], strict=True)
    return {name: np.asarray(pieces, dtype=np.int64) for name, pieces in rows}


def _list_stops(
    patrols: Iterable[Patrol], urn: str, pieces: Mapping[str, NDArray[np.int64]]
) -> list[tuple[Stop, NDArray[np.int64]]]:
    """The stops of all officers of a school, with the pieces that each covers."""
    nothing = np.empty(0, dtype=np.int64)
    return [
        (stop, np.unique(np.concatenate([pieces.get(name, nothing) for name in stop.covered])))
        for patrol in patrols
        if patrol.urn == urn
        for stop in patrol.stops
    ]


def _is_among(
    stop: Stop,
    on: NDArray[np.int64],
    others: Sequence[tuple[Stop, NDArray[np.int64]]],
    metres: NDArray[np.float64],
) -> bool:
    """Whether a stop is also made in another plan."""
    return any(
        stop.place == other.place
        or (stop.tasked is not None and stop.tasked == other.tasked)
        or _is_same_street(on, there, metres)
        for other, there in others
    )


def _is_same_street(
    one: NDArray[np.int64], other: NDArray[np.int64], metres: NDArray[np.float64]
) -> bool:
    """Whether two sets of pieces share most of the shorter one."""
    shared = metres[np.intersect1d(one, other)].sum()
    return bool(shared > 0 and shared >= SAME_SHARE * min(metres[one].sum(), metres[other].sum()))


def _compare_harm(
    area: StudyArea, risk: Risk, window: Window, plan: Plan, other: Plan
) -> float | None:
    """Ratio of the recorded harm that stops of both plans meet; None if the other's is 0."""
    with_reports, without = (
        _sum_harm(area, risk, one.hotspots, window, one.patrols) for one in (plan, other)
    )
    return with_reports / without if without > 0 else None


def _sum_harm(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    window: Window,
    patrols: Sequence[Patrol],
) -> float:
    """Recorded harm in the stretches of all stops, during their dwells."""
    urns = {patrol.urn for patrol in patrols}
    meter = HarmMeter.from_risk(area, risk, hotspots, window, urns, with_band=False)
    _, reach = meter.by_clock[0]
    total = 0.0
    for patrol in patrols:
        dwells = [
            (name, stop.arrive_minutes, stop.leave_minutes)
            for stop in patrol.stops
            for name in stop.covered
        ]
        (share,) = meter.measure(patrol.urn, dwells)
        total += share * float(reach[meter.reach[patrol.urn]])
    return total
