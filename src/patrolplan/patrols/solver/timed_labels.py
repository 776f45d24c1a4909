"""Reduce problems with timed prizes, and run their label kernel level by level.

Bounds, candidates and scale are those of the static relaxation, in which every stop is worth the
most that a dwell there can be worth, and the stay at the gate nothing. Worths of whole routes count
from a `baseline`, what staying at the gate to the end gathers, so that an officer who goes nowhere
is worth 0 here as in the static case; the `baseline` is added again in the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.patrols.solver.label_setting import (
    Exploration,
    Kernel,
    LabelExplorer,
    Level,
    Limits,
    compute_min_times,
    find_clashes,
    grow_levels,
    summarise,
)
from patrolplan.patrols.solver.reduce import (
    OfficerGroup,
    ReducedCase,
    build_conflict_bits,
    narrow_group,
    reduce_problem,
)
from patrolplan.patrols.solver.solution import compute_slack
from patrolplan.patrols.solver.timed_kernel import (
    expand_timed_labels,
    find_peaks,
    rehash_timed_labels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.problem import OrienteeringProblem
    from patrolplan.patrols.solver.timed_prizes import TimedPrizes


TIMED_KERNEL = Kernel(expand_timed_labels, rehash_timed_labels, 6, 3, 4)
# Worths that differ by less than this share of all prizes are the same to the labels.
SAME_SHARE = 1e-13


@dataclass(frozen=True, eq=False, kw_only=True)
class TimedCase(ReducedCase):
    """A reduced case with timed prizes; `value` holds each candidate's peak, and its bonus.

    Parameters
    ----------
    first_minute, cumulative
        As in `TimedPrizes`, of the candidates and scaled.
    peak
        Shape (c,): the most that a dwell at each candidate is worth.
    gate
        Shape (T + 1,): worth gathered at the start, scaled, less the baseline; 0 at the end of the
        hours of the first group of officers, who alone gather it. None where it counts for nothing.
    """

    first_minute: float
    cumulative: NDArray[np.float64]
    peak: NDArray[np.float64]
    gate: NDArray[np.float64] | None


def relax_problem(problem: OrienteeringProblem) -> OrienteeringProblem:
    """Give the static relaxation: every stop is worth its peak, and officers leave the gate."""
    timed, stay = problem.timed_prizes, 0.0 if problem.gate is None else problem.gate.minutes
    if timed is None:
        message = "the problem has no timed prizes to relax"
        raise ValueError(message)
    officers = tuple(
        replace(officer, earliest_minutes=officer.earliest_minutes + stay)
        if officer.earliest_minutes + stay <= officer.latest_minutes
        else replace(officer, earliest_minutes=officer.latest_minutes)
        for officer in problem.officers
    )
    earliest = min(officer.earliest_minutes for officer in officers)
    latest = max(officer.latest_minutes for officer in officers)
    peaks = np.zeros(problem.size)
    for row in range(problem.size):
        if row not in problem.barred:
            dwell = float(problem.dwell_minutes[row])
            first, last = earliest, latest - dwell
            if problem.windows is not None:
                opening, closing = (float(minute) for minute in problem.windows[row])
                first, last = max(first, opening), min(last, closing + compute_slack(closing))
            last += compute_slack(last)
            peaks[row] = timed.compute_peak(row, dwell, first, last)
    return replace(problem, prizes=peaks, officers=officers, timed_prizes=None, gate=None)


def reduce_timed_problem(problem: OrienteeringProblem) -> TimedCase:
    """Keep the candidates of the static relaxation, with their timed prizes."""
    timed = problem.timed_prizes
    relaxed = relax_problem(problem)
    if timed is None:  # relax_problem has refused it
        raise AssertionError
    # There is nothing to wait for once nothing is gathered any more.
    end = timed.first_minute + timed.cumulative.shape[1]
    waiting = end - min(officer.earliest_minutes for officer in problem.officers)
    case = reduce_problem(relaxed, waiting_minutes=max(0.0, waiting))
    gate, baseline = _scale_gate(problem, timed, case)
    if gate is not None:
        # Leaving the gate for a mandatory stop must be worth it, whatever is gathered there.
        more = 1.5 * baseline
        must = np.array([int(row) in problem.mandatory for row in case.rows], dtype=bool)
        case = replace(
            case,
            value=case.value + more * must,
            bonus=case.bonus + more,
            officer_groups=_separate_first(case.officer_groups),
            baseline=baseline,
        )
    return TimedCase(
        **{field.name: getattr(case, field.name) for field in fields(case)},
        first_minute=float(timed.first_minute),
        cumulative=np.ascontiguousarray(timed.cumulative[case.rows] * case.scale),
        peak=relaxed.prizes[case.rows] * case.scale,
        gate=gate,
    )


def narrow_case(case: TimedCase, chosen: NDArray[np.int64]) -> TimedCase:
    """Give the case with only some of its candidates, in rising order."""
    keep = np.zeros(case.size, dtype=bool)
    keep[chosen] = True
    local = np.cumsum(keep) - 1
    groups = [local[group[keep[group]]].tolist() for group in case.exclusive_sets]
    groups = [group for group in groups if len(group) > 1]
    return replace(
        case,
        rows=case.rows[keep],
        value=case.value[keep],
        dwell=case.dwell[keep],
        opening=case.opening[keep],
        closing=case.closing[keep],
        conflict=build_conflict_bits(int(keep.sum()), groups),
        exclusive_sets=tuple(np.array(group, dtype=np.int64) for group in groups),
        officer_groups=tuple(narrow_group(unit, keep) for unit in case.officer_groups),
        cumulative=np.ascontiguousarray(case.cumulative[keep]),
        peak=case.peak[keep],
    )


def _scale_gate(
    problem: OrienteeringProblem, timed: TimedPrizes, case: ReducedCase
) -> tuple[NDArray[np.float64] | None, float]:
    """Give the gate's worth by minute less that of staying to the end, and the latter."""
    if problem.gate is None:
        return None, 0.0
    latest = problem.officers[0].latest_minutes
    scaled = problem.gate.cumulative * case.scale
    minutes = timed.first_minute + np.arange(len(scaled))
    begin, end = np.interp([problem.officers[0].earliest_minutes, latest], minutes, scaled)
    if end <= begin:
        return None, 0.0
    return scaled - end, float(end - begin)


def _separate_first(units: tuple[OfficerGroup, ...]) -> tuple[OfficerGroup, ...]:
    """Make the first officer, who gathers the gate's worth, a group of their own."""
    (unit,) = units
    first, others = unit.officers[:1], unit.officers[1:]
    parts = (first, others) if others else (first,)
    return tuple(replace(unit, officers=part) for part in parts)


@dataclass(frozen=True, eq=False)
class TimedExploration(Exploration):
    """Labels with pieces of time; `marks` as in `expand_timed_labels`."""

    def list_routes(
        self, min_worth: float, count: int | None = None
    ) -> list[tuple[float, list[int]]]:
        """List worth and stops of the finished sets worth more than a minimum, best first.

        Of each set the order that is worth most is listed, of equals the one left earliest.
        """
        listed = []
        for depth, level in enumerate(self.levels[1:], 1):
            chosen = np.flatnonzero(level.marks[:, 5] > min_worth)
            words, marks = level.sets[chosen], level.marks[chosen]
            first = np.lexsort((marks[:, 2], -marks[:, 5], words[:, 1], words[:, 0]))
            same = (words[first[1:], :2] == words[first[:-1], :2]).all(axis=1)
            unique = first[np.concatenate([[True], ~same])] if len(first) else first
            if count is not None and len(unique) > count:
                unique = unique[np.argsort(-marks[unique, 5], kind="stable")[:count]]
            listed += [(float(level.marks[k, 5]), depth, int(k)) for k in chosen[unique]]
        listed.sort(key=lambda item: (-item[0], item[1], item[2]))
        return [(worth, self.read_route(depth, label)) for worth, depth, label in listed[:count]]


class TimedExplorer:
    """As `LabelExplorer`, for one group of officers of a timed case."""

    def __init__(self, case: TimedCase, unit: OfficerGroup) -> None:
        """Prepare what does not depend on prices, for at most `MAX_CANDIDATES` candidates."""
        self.case = case
        self.unit = unit
        size = case.size
        self.weight, self.margin = compute_min_times(case.dwell, unit, find_clashes(case))
        with np.errstate(invalid="ignore"):
            over = unit.latest - case.dwell - unit.min_times[:size, size + 1]
        self.last_begin = np.minimum(case.closing, over)
        self.peaks = find_peaks(case.cumulative, case.dwell, self.last_begin, case.first_minute)
        self.scratch = np.zeros((3, max(1, size)))
        breaks = 2 * (case.cumulative.shape[1] + int(case.dwell.max(initial=0.0)))
        self.pieces = np.zeros((breaks + 16, 4))
        self.root = self._stay_at_start()

    def _stay_at_start(self) -> Level:
        """Give the pieces of what staying at the start gathers by the minute of leaving it."""
        unit, gate = self.unit, self.case.gate
        if gate is None or 0 not in unit.officers:
            # Other officers at the gate gather nothing, so they leave at once.
            marks = np.array([[unit.earliest, 0.0, unit.earliest, 0.0, math.inf, math.inf]])
        else:
            minutes = self.case.first_minute + np.arange(len(gate), dtype=np.float64)
            within = minutes[(minutes > unit.earliest) & (minutes < unit.latest)]
            corners = np.concatenate([[unit.earliest], within, [unit.latest]])
            worth = np.interp(corners, minutes, gate)
            rising = np.flatnonzero(np.diff(worth) > 0)
            pieces = np.column_stack(
                [corners[rising], worth[rising], corners[rising + 1], worth[rising + 1]]
            )
            if not len(rising) or rising[0] > 0:
                pieces = np.concatenate([[[corners[0], worth[0]] * 2], pieces])
            marks = np.concatenate([pieces, np.full((len(pieces), 2), math.inf)], axis=1)
        links = np.full((len(marks), 3), -1, dtype=np.int32)
        links[:, 0] = self.case.size
        return Level(np.zeros((len(marks), 4), dtype=np.uint64), marks, links)

    def explore(
        self,
        value: NDArray[np.float64],
        floor: float,
        *,
        rising: bool,
        beam: int | None = None,
        max_labels: int = 10**7,
        deadline: float = math.inf,
    ) -> Exploration:
        """Grow labels until none is left, too many are there, or the time is up.

        The parameters are those of `LabelExplorer.explore`; what a candidate's `value` lacks of
        its peak is the price of a visit there, whenever it is made.
        """
        case, unit = self.case, self.unit
        total = max(float(np.abs(value).sum()), float(case.peak.sum()), 1e-290)
        state = np.array(
            [floor, -math.inf, -1.0, float(rising), 1e-9 * total, 0.0, SAME_SHARE * total]
        )
        fixed = (
            state, unit.times, unit.min_times, case.opening, self.last_begin, case.dwell,
            value - case.peak, case.cumulative, self.peaks, self.weight, self.margin,
            np.ascontiguousarray(case.conflict[:, :2]), case.first_minute, self.scratch,
            self.pieces,
        )  # fmt: skip
        grown = grow_levels(self.root, TIMED_KERNEL, fixed, Limits(beam, max_labels, deadline))
        return TimedExploration(grown.levels, *summarise(grown, state, floor))


def build_explorer(case: ReducedCase, unit: OfficerGroup) -> LabelExplorer | TimedExplorer:
    """Give the explorer of a group of officers."""
    if isinstance(case, TimedCase):
        return TimedExplorer(case, unit)
    return LabelExplorer(case, unit)
