"""Results of past months for a patrol: harm recorded at its stops, and at those of baselines.

Two things are measured on the last months of the data, in the patrol's own window. First, the harm
at its own stops: the plan was made from these months, so this is a fact, not a test. Second, how
this way of planning would have done without them: risk, hotspots and patrols are made from the
months before, with everything else unchanged, and the harm recorded in the hold-out months is
compared with that of patrols planned only from recorded counts, and of plain loops.

The hour of crimes is seldom known, and single months have too few of them. So each category counts
by the share that the area's clock, learned or declared, has in the window at such a place.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.missing_months import MIN_HELD_SHARE
from patrolplan.area.patrol_window import Window, resolve_window, weigh_minutes
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.patrol_backtest import (
    cut_area,
    find_dwell_pieces,
    find_loop_pieces,
    use_counts_only,
    use_crime_only,
)
from patrolplan.patrols.plan import Patrol, Plan, Tested, TestedRatio
from patrolplan.patrols.planner import solve_school
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import SchoolProblem, build_school_problem
from patrolplan.patrols.simple_patrols import LoopFinder
from patrolplan.patrols.surroundings import PatrolHours, compute_hours
from patrolplan.patrols.timed_risk import find_within_reach
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import DayKind
from patrolplan.risk.estimate import COMPARISON_MONTHS, estimate_risk
from patrolplan.risk.estimators import Estimator
from patrolplan.risk.history import History, build_history, get_harm_days
from patrolplan.risk.in_time import find_half_hour
from patrolplan.risk.intervals import MIN_INTERVAL_MONTHS, compute_interval, draw_months
from patrolplan.risk.scores import divide

HOLD_OUT_MONTHS = 6
MIN_TRAINING_MONTHS = 9
"""Minimum months to learn from; with fewer, patrols are not tested."""

MIN_HELD_OUT_MONTHS = 3
"""Minimum hold-out months that are held on both sides of a comparison."""


def compare_with_past(
    plan: Plan, *, executor: Executor | None = None, report_progress: ProgressCallback | None = None
) -> Plan:
    """Test each patrol on past months.

    The last six months are held out together. For the patrol itself, the harm recorded in them at
    its stops is measured. Then risk, hotspots and patrols are made from the months before, with the
    same settings, both voices, tasked places, window and day. Pupils' reports have no months: they
    are used unchanged, except that they fade less. The harm at the stops of these patrols is
    compared with that of patrols of the same officers planned only from recorded counts (twelve
    months' crimes, each counting one, without model, clock, pupils or tasked places), and of plain
    loops around the school. It takes about as long as planning.

    Parameters
    ----------
    plan
        See `patrolplan.patrols.planner.plan_patrols`; its area has all months.
    executor
        Its workers test the schools; by default this process does, one by one.
    report_progress
        Called with the number of schools done.

    Returns
    -------
    Plan
        The plan with `Patrol.tested`; it stays None if there are too few months to learn from.
    """
    urns = list(plan.area.schools["urn"])
    rows = sorted({urns.index(patrol.urn) for patrol in plan.patrols})
    hold_out = prepare_hold_out(plan, rows)
    if hold_out is None:
        return plan
    progress = label_progress("Comparing with past months", rows, report_progress)
    measured = map_parallel(
        measure_school, hold_out, rows, executor=executor, report_progress=progress
    )
    tested = {
        (urns[row], number): one
        for row, of_school in zip(rows, measured, strict=True)
        for number, one in of_school.items()
    }
    patrols = (replace(one, tested=tested.get((one.urn, one.number))) for one in plan.patrols)
    return replace(plan, patrols=tuple(patrols))


def copy_tested(patrol: Patrol, earlier: Patrol | None) -> Patrol:
    """The patrol with the results of past months for an earlier one, planned the same way.

    The harm at its own stops is not copied to a patrol with other stops.
    """
    tested = None if earlier is None else earlier.tested
    if earlier is not None and tested is not None and _list_names(patrol) != _list_names(earlier):
        tested = replace(tested, own_stops=None)
    return replace(patrol, tested=tested)


def _list_names(patrol: Patrol) -> set[str]:
    """Names of the hotspots in whose stretches a patrol dwells."""
    return {name for stop in patrol.stops for name in (stop.hotspot, *stop.beat)}


@dataclass(frozen=True, eq=False)
class HoldOut:
    """Everything for testing each school's patrols."""

    ours: PlanningInputs
    """Inputs for planning like the plan, but only from the months before."""
    counts: PlanningInputs
    """Inputs for planning only from recorded counts of these months."""
    harm: NDArray[np.float64]
    """(b, m, p) days of harm recorded in each hold-out month, if all its hours were like each of
    these half-hours."""
    half_hours: NDArray[np.int64]
    """(b,) the half-hours of the day, 0 to 47."""
    held: NDArray[np.float64]
    """(m, p) share of each month's crime that is held on each piece of street."""
    months: tuple[pd.Timestamp, pd.Timestamp]
    """First days of the first and last hold-out month."""
    is_known: bool
    """Whether the plan was made from these months, too."""
    stretches: Mapping[tuple[str, int], NDArray[np.int64]]
    """Pieces in which each patrol of the plan dwells, by school and number."""


def prepare_hold_out(plan: Plan, rows: Sequence[int]) -> HoldOut | None:
    """Hold out the last months together, and learn from the months before.

    The model is chosen on those months before that the plan's own choice used as well, so that
    nothing is fitted twice. None if too few months are held to learn from, or to test on. `rows`
    are those of the schools for which the plan has patrols.
    """
    area = plan.area
    history = build_history(area)
    held_out = history.months[-HOLD_OUT_MONTHS:]
    is_out = history.held_months >= held_out[0]
    if (~is_out).sum() < MIN_TRAINING_MONTHS or is_out.sum() < MIN_HELD_OUT_MONTHS:
        return None
    window = plan.window or resolve_window(area.settings.patrol)
    before = cut_area(area, held_out[0])
    ours = _learn(before, window, plan.date, rows, plan.risk.own_model)
    counts = _learn(use_counts_only(use_crime_only(before)), window, plan.date, rows)
    hours = [compute_hours(area, area.schools.iloc[row], window) for row in rows]
    half_hours = np.unique(np.concatenate([_weigh_half_hours(one)[0] for one in hours]))
    harm = compute_harm_by_half_hour(area, history, half_hours, ours.risk.day)
    held = np.ones(harm.shape[1:])
    if history.exposure is not None:
        held = history.exposure[-len(held_out) :][:, area.catchments.piece_catchment]
    pieces = dict(zip(plan.hotspots["hotspot"], plan.hotspots["pieces"], strict=True))
    stretches = {
        (one.urn, one.number): np.unique(
            np.array([k for name in _list_names(one) for k in pieces.get(name, ())], dtype=np.int64)
        )
        for one in plan.patrols
    }
    return HoldOut(
        ours,
        counts,
        harm,
        half_hours,
        held,
        months=(held_out[0], held_out[-1]),
        is_known=bool(plan.risk.months[1] >= held_out[0]),
        stretches=stretches,
    )


def _learn(
    area: StudyArea,
    window: Window,
    date: dt.date | None,
    rows: Sequence[int],
    model: str | Estimator | None = None,
) -> PlanningInputs:
    """Inputs for planning schools, learned from the months of an area."""
    left = COMPARISON_MONTHS - HOLD_OUT_MONTHS
    risk = estimate_risk(area, window=window, date=date, comparison_months=left, model=model)
    hotspots = locate_hotspots(area, risk)
    return PlanningInputs.from_area(area, risk, hotspots, window, date, rows=rows)


def compute_harm_by_half_hour(
    area: StudyArea, history: History, half_hours: NDArray[np.int64], day: DayKind | None
) -> NDArray[np.float64]:
    """(b, m, p) days of harm of the last m months if all their hours were like each half-hour.

    Each category's crime of a month is multiplied by the clock's factor at such a place.
    """
    clock = build_clock(area, history)
    days = get_harm_days(history.targets, area.settings.risk.harm)
    months = history.months[-HOLD_OUT_MONTHS:]
    by_month = [area.catchments.spread(history.get_month_counts(one) * days) for one in months]
    harm = np.empty((len(half_hours), len(months), len(area.catchments.piece_catchment)))
    for number, half_hour in enumerate(half_hours):
        factor = clock.compute_factor(int(half_hour), day)
        for month, amounts in enumerate(by_month):
            np.einsum("pj,pj->p", amounts, factor, out=harm[number, month])
    return harm


def _weigh_half_hours(hours: PatrolHours) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The half-hours of a patrol's window, and the share of each in it."""
    minutes, weights = weigh_minutes(Window(hours.total_minutes, hours.start_minutes), ())
    at = np.array([find_half_hour(int(minute)) for minute in minutes], dtype=np.int64)
    half_hours, numbers = np.unique(at, return_inverse=True)
    return half_hours, np.bincount(numbers, weights).astype(np.float64)


def measure_school(hold_out: HoldOut, row: int) -> dict[int, Tested]:
    """Results of past months for the patrols of the school in a row, by number."""
    problem = build_school_problem(hold_out.ours, row)
    area, around, urn = hold_out.ours.area, problem.surroundings, str(problem.school["urn"])
    seed, metres = problem.seed, area.network.piece_metres
    recorded = _RecordedHarm.from_window(hold_out, metres, around.hours)
    within = find_within_reach(area, around)
    here = recorded.average(within)
    routes = _solve_routes(problem)
    ours = recorded.sum(find_dwell_pieces(problem, routes))
    counts = build_school_problem(hold_out.counts, row)
    plain = recorded.sum(find_dwell_pieces(counts, _solve_routes(counts)))
    found = find_loop_pieces(problem, LoopFinder(problem), routes)
    loops = [around.pieces[pieces] for pieces in found]
    loop = [recorded.sum(pieces[pieces < len(metres)]) for pieces in loops]
    by_counts = compare_months(ours, plain, seed)
    by_loop = compare_months(ours, np.mean(loop, axis=0), seed) if loop else None
    first, last = (f"{month:%Y-%m}" for month in hold_out.months)
    return {
        number: Tested(
            months=(first, last),
            months_held=int(np.isfinite(here).sum()),
            is_known=hold_out.is_known,
            officers=problem.settings.officers,
            own_stops=compare_months(recorded.average(stretch), here, seed),
            recorded_counts=by_counts,
            loop=by_loop,
        )
        for (school, number), stretch in hold_out.stretches.items()
        if school == urn
    }


def _solve_routes(problem: SchoolProblem) -> list[list[int]]:
    """Stops of the best patrols, for each officer, as planned."""
    _, solution = solve_school(problem)
    return [list(route.stops) for route in solution.routes]


@dataclass(frozen=True, eq=False)
class _RecordedHarm:
    """Harm recorded in the window of a school's patrols, for given pieces.

    It is not summed over all pieces of a city for each of its schools.
    """

    harm: NDArray[np.float64]
    """(b, m, p) days, see `HoldOut`."""
    rows: NDArray[np.int64]
    """(n,) rows of the window's half-hours."""
    weights: NDArray[np.float64]
    """(n,) share of each in the window."""
    held: NDArray[np.float64]
    """(m, p) share that is held."""
    metres: NDArray[np.float64]
    """(p,) length of each piece."""

    @classmethod
    def from_window(
        cls, hold_out: HoldOut, metres: NDArray[np.float64], hours: PatrolHours
    ) -> "_RecordedHarm":
        """Harm in the window of a school's patrols."""
        half_hours, weights = _weigh_half_hours(hours)
        rows = np.searchsorted(hold_out.half_hours, half_hours)
        return cls(hold_out.harm, rows, weights, hold_out.held, metres)

    def average(self, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
        """(m,) harm per metre of these pieces; NaN if a month is hardly held there."""
        metres = self.metres[pieces]
        held = (self.held[:, pieces] * metres).sum(axis=1)
        least = MIN_HELD_SHARE * metres.sum()
        recorded = [self.harm[row][:, pieces].sum(axis=1) for row in self.rows]
        return divide(self.weights @ recorded, np.where(held >= least, held, 0.0))

    def sum(self, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
        """(m,) harm on these pieces, scaled to complete months; NaN if a month is hardly held."""
        return np.asarray(self.average(pieces) * self.metres[pieces].sum())


def compare_months(
    ours: NDArray[np.float64], plain: NDArray[np.float64], seed: int
) -> TestedRatio | None:
    """Ratio of what was recorded on one side to that on the other, over (m,) months.

    Months that are not held on both sides, NaN, do not count. None if there are too few others, or
    nothing was recorded on the other side. The interval is computed on the ratio's logarithm, as in
    `patrolplan.patrols.patrol_backtest.PatrolBacktest.summary`.
    """
    held = np.isfinite(ours) & np.isfinite(plain)
    ours, plain = ours[held], plain[held]
    if len(ours) < MIN_HELD_OUT_MONTHS or plain.sum() <= 0:
        return None
    ratio = float(ours.sum() / plain.sum())
    if len(ours) < MIN_INTERVAL_MONTHS or ratio <= 0:
        return TestedRatio(ratio, None, None)
    weights = draw_months(len(ours), seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.log(divide(weights @ ours, weights @ plain))
        low, high = np.exp(compute_interval(np.log(np.array(ratio)), drawn, len(ours)))
    if not (np.isfinite(low) and np.isfinite(high)):
        return TestedRatio(ratio, None, None)
    return TestedRatio(ratio, float(low), float(high))
