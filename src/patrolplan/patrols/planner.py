"""Hotspots -> `Plan`: the best patrol of every school, timed and walked out."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.network.names import label_streets
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.patrol_backtest import HoldOut, prepare_hold_out
from patrolplan.patrols.patrol_writer import plan_school_patrols
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.school_problem import PlanningInputs, SharedInputs
from patrolplan.patrols.stop_order import estimate_time_profile
from patrolplan.patrols.surroundings import find_tasked_out_of_reach
from patrolplan.patrols.together import plan_together
from patrolplan.patrols.windows import Window, resolve_window
from patrolplan.risk.estimate import Risk
from patrolplan.tables import LeftOut


def plan_patrols(  # noqa: PLR0913 - all that may be asked of a plan
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    *,
    urns: Sequence[str] | None = None,
    window: Window | None = None,
    date: dt.date | None = None,
    held_out: bool = True,
    together: bool = False,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """Plan the patrols of every school in the area.

    From the gate at the bell: presence there first, then the stops that are worth most together
    within the window, each with its dwell, and back to the gate.

    With `[patrol] start = "base"` the officer comes from the base, and leaves it early enough to
    be at the gate for the presence there. A window without a presence (before school, or once
    the pupils have left) begins at the base instead, and need not pass the gate. With
    `end = "base"` the patrol ends there. With `way = "bicycle"` one-way streets are obeyed, and
    the bicycle is pushed where riding is not allowed.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.
    urns
        Only these schools; default all.
    window
        See `patrolplan.patrols.windows.resolve_window`; default the settings' minutes from the
        bell.
    date
        Day of the patrols: tasked places count on their days only. Without it all of them count.
    held_out
        Say on each patrol what one planned this way would have met in held-out months; it takes
        about as long as planning. Nothing is said of patrols that are planned together.
    together
        Plan schools that share hotspots at the same time as one team, so that nobody goes where
        another already stands. A patrol may then be worth less than its school alone could have.

    Returns
    -------
    Plan
        With a bound on what is possible for every patrol, and its variants.

    Raises
    ------
    InputError
        When a school that is asked for is not there, or the presence at the gate does not fit
        into the window.
    """
    window = window or resolve_window(area.settings.patrol)
    check_request(area, window, urns)
    ground = SharedInputs(area.without_incidents(), label_streets(area.network), window)
    rows = [row for row, urn in enumerate(area.schools["urn"]) if urns is None or urn in urns]
    rhythm = estimate_time_profile(area, hotspots) if risk.times_known else None
    ready = PlanningInputs(ground, risk, hotspots, date, rhythm)
    if together:
        planned = [
            (*found, "")
            for found in plan_together([ready.build_school_problem(row) for row in rows])
        ]
    else:
        asked = _SchoolTask(ready, prepare_hold_out(area, ground) if held_out else None)
        told = label_progress("Planning schools", rows, report_progress)
        planned = map_parallel(
            _plan_and_test_school, asked, rows, executor=executor, report_progress=told
        )
    patrols: list[Patrol] = []
    left_out = LeftOut()
    for urn, (found, unmet, tested) in zip(area.schools["urn"].iloc[rows], planned, strict=True):
        patrols += [replace(patrol, tested=tested) for patrol in found]
        for place in unmet:
            left_out.add("tasked places", f"URN {urn}: {place}", 1, urn=urn)
    for place in find_tasked_out_of_reach(area, date) if urns is None else ():
        left_out.add("tasked places", f"{place} lies among no school's streets", 1)
    return Plan(area, risk, hotspots, tuple(patrols), (*area.left_out, *left_out.rows), date)


@dataclass(frozen=True, eq=False)
class _SchoolTask:
    """What a school is planned from, and what its patrols are tested with; None: they are not."""

    inputs: PlanningInputs
    hold_out: HoldOut | None


def _plan_and_test_school(task: _SchoolTask, row: int) -> tuple[list[Patrol], list[str], str]:
    """A school's patrols, its tasked places that are not visited, and the held-out sentence."""
    around = task.inputs.shared.build_surroundings(row)
    found, unmet = plan_school_patrols(task.inputs.build_school_problem(row, around))
    tested = "" if task.hold_out is None else task.hold_out.describe_result(row, around)
    return found, unmet, tested


def check_request(area: StudyArea, window: Window, urns: Sequence[str] | None) -> None:
    """Refuse a window that is shorter than the presence at the gate, and schools not there.

    Raises
    ------
    InputError
        With what was asked for.
    """
    settings = area.settings.patrol
    if settings.gate_minutes > window.minutes:
        what = (
            f"gate_minutes {settings.gate_minutes:g} is longer than "
            f"the window's {window.minutes:g} minutes"
        )
        where, remedy = "[patrol]", "make the window longer or the presence shorter"
        raise InputError.one(where, what, remedy)
    there = list(area.schools["urn"])
    for urn in urns or ():
        if urn not in there:
            what = f"the school '{urn}' is not in the area (there: {', '.join(there[:12])})"
            where = "--school"
            raise InputError.one(where, what, "name one of them, or see `patrolplan check`")
