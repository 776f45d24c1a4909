"""Effect of changes: a school's worth by minutes, dwell, officers, and weight of pupils."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import geopandas as gpd
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.area.study_area import with_settings
from patrolplan.patrols.planner import check_request
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import SchoolProblem, build_school_problem
from patrolplan.patrols.solver.solve import MaxIterations, Route, solve
from patrolplan.patrols.tasked_places import select_tasked
from patrolplan.patrols.way_home import HarmMeter, build_visit, find_ways
from patrolplan.risk.surface import Risk

DEFAULT_MINUTES = tuple(range(30, 181, 15))

SEARCH_LIMIT = MaxIterations(3000)
"""Stop criterion for cases that are too large to be solved exactly; it is reproducible."""


def what_if(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    urn: str,
    *,
    minutes: Sequence[float] = DEFAULT_MINUTES,
    dwell_minutes: Sequence[float] | None = None,
    officers: Sequence[int] | None = None,
    exponents: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Worth of a school's patrols with more or less time, dwell or officers.

    It also shows how much they meet if pupils' presence counts more or less.

    Tasked places need not be visited here, barred ones stay barred: a visit that becomes possible
    in a longer window would take time from stops with more worth. A feasible patrol stays feasible
    with more minutes or officers, so worth never decreases with either.

    Parameters
    ----------
    area, risk, hotspots
        As for `patrolplan.patrols.planner.plan_patrols`.
    urn
        The school.
    minutes
        Lengths of the window from the bell, presence at the gate included.
    dwell_minutes
        Minutes at each stop; by default only the settings' value.
    officers
        Number of officers who patrol together; by default only the settings' value.
    exponents
        How much pupils' presence counts: the power of the pupils present by which risk is
        multiplied, for the category with the largest one in `[way_home] exposure`; the others
        change in proportion. 0 means not at all; by default only the settings' value. Stretches are
        always those of `hotspots`.

    Returns
    -------
    DataFrame
        One row for each case: `exponent`, `minutes`, `dwell_minutes`, `officers`, `worth` (share of
        the risk within reach, of all officers together; the risk differs between exponents),
        `bound` (upper bound on the worth of that case), `proven`, `stops`, `walked_metres` (by the
        shortest ways), `pupil_share` and `harm_share` (shares of pupils and of harm that the dwells
        meet in the settings' window, for any exponent; see `patrolplan.patrols.way_home`),
        `stops_kept` (share of the stops with the settings' exponent that are also visited).

    Raises
    ------
    InputError
        When the school is not in the area, a window is shorter than the presence at the gate, or
        exponents are given although pupils' presence does not count.
    """
    check_request(area, Window(min(minutes)), [urn])
    settings = area.settings.patrol
    row = list(area.schools["urn"]).index(urn)
    area = replace(area, tasked_places=select_tasked(area.tasked_places, must_visit=False))
    meter = _Meter(area, risk, hotspots, urn, Window(max(minutes)))
    own = _get_exponent(risk)
    wanted = sorted(set(exponents)) if exponents is not None else [own]
    cases = [
        (dwell, length, count)
        for dwell in sorted(set(dwell_minutes or (settings.dwell_minutes,)))
        for length in sorted(set(minutes))
        for count in sorted(set(officers or (settings.officers,)))
    ]
    own_stops: dict[tuple[float, float, int], frozenset[str]] = {}
    rows: list[dict[str, Any]] = []
    for exponent in dict.fromkeys((own, *wanted)):
        moved = risk if exponent == own else risk.set_exponent(exponent)
        inputs = PlanningInputs.from_area(
            area,
            moved,
            hotspots,
            Window(max(minutes)),
            reach_window=resolve_window(settings),
            rows=[row],
        )
        for case, outcome in zip(cases, _solve_cases(inputs, row, cases, meter), strict=True):
            stops = own_stops.setdefault(case, outcome.visited)
            if exponent not in wanted:
                continue
            dwell, length, count = case
            named = {"exponent": exponent, "minutes": length}
            named |= {"dwell_minutes": dwell, "officers": count}
            share = len(stops & outcome.visited) / len(stops) if stops else 1.0
            figures = {name: getattr(outcome, name) for name in FIGURES}
            rows.append(named | figures | {"stops_kept": share})
    return pd.DataFrame(rows).sort_values("exponent", kind="stable", ignore_index=True)


def _get_exponent(risk: Risk) -> float:
    """The largest exponent of pupils' presence; 0 if it does not count."""
    factors = None if risk.in_time is None else risk.in_time.factors
    return 0.0 if factors is None else float(factors.powers.max(initial=0.0))


class _Meter:
    """Measures how much the dwells of a school's patrols meet."""

    def __init__(
        self, area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, urn: str, window: Window
    ) -> None:
        self.urn = urn
        _, self.presence = find_ways(area, risk)
        reach = resolve_window(area.settings.patrol)
        self.harm = HarmMeter.from_risk(
            area, risk, hotspots, window, {urn}, reach_window=reach, with_band=False
        )

    def measure(self, problem: SchoolProblem, routes: Iterable[Route]) -> tuple[float, float]:
        """The pupil share and the harm share of routes along the shortest ways."""
        places = problem.surroundings.network.xy(problem.stops)
        pupils, dwells = 0.0, []
        for route in routes:
            begins = list(route.arrive_minutes)
            if begins and problem.gate_stay is not None:  # an early officer waits at the gate
                begins[0] = route.begin_minutes[0]
            times = list(zip(route.stops, begins, route.leave_minutes, strict=True))
            visits = [
                build_visit(
                    problem.inputs.area.network,
                    places[stop - 1],
                    problem.list_walked(stop),
                    start,
                    end,
                )
                for stop, start, end in times
            ]
            pupils += self.presence.share_met_by(self.urn, visits)
            dwells += [
                (name, start, end)
                for stop, start, end in times
                for name in problem.list_covered(stop)
            ]
        return pupils, self.harm.measure(self.urn, dwells)[0]


def _solve_cases(
    inputs: PlanningInputs, row: int, cases: Sequence[tuple[float, float, int]], meter: _Meter
) -> list["_Outcome"]:
    """The outcome of each case of dwell, minutes and officers, in order."""
    outcomes: list[_Outcome] = []
    for dwell, of_dwell in groupby(cases, lambda case: case[0]):
        best: dict[int, _Outcome] = {}  # best outcome with fewer minutes, by the number of officers
        changed = with_settings(inputs.area, patrol={"dwell_minutes": dwell})
        for length, of_length in groupby(of_dwell, lambda case: case[1]):
            problem = build_school_problem(
                replace(inputs, area=changed, window=Window(length)), row
            )
            outcome: _Outcome | None = None
            for _, _, count in of_length:
                fewer_officers, fewer_minutes = outcome, best.get(count)
                outcome = _solve_for_officers(problem, count, meter)
                outcome = outcome.take_better(fewer_minutes).take_better(fewer_officers)
                best[count] = outcome
                outcomes.append(outcome)
    return outcomes


FIGURES = ("worth", "bound", "proven", "stops", "walked_metres", "pupil_share", "harm_share")
"""Columns of a row with results for a case."""


@dataclass(frozen=True)
class _Outcome:
    """Worth of the patrols of one case, its bound, and how much they meet."""

    worth: float
    bound: float
    proven: bool
    walked_metres: float
    pupil_share: float
    harm_share: float
    visited: frozenset[str]

    @property
    def stops(self) -> int:
        """Number of stops."""
        return len(self.visited)

    def take_better(self, other: "_Outcome | None") -> "_Outcome":
        """The better of two outcomes: patrols of a case with less time are feasible here, too."""
        if other is None or other.worth <= self.worth:
            return self
        return replace(other, bound=max(self.bound, other.worth), proven=False)


def _solve_for_officers(problem: SchoolProblem, officers: int, meter: _Meter) -> _Outcome:
    orienteering = problem.plain_problem
    orienteering = replace(orienteering, officers=orienteering.officers[:1] * officers)
    solution = solve(orienteering, stop=SEARCH_LIMIT, seed=problem.seed)
    pupil_share, harm_share = meter.measure(problem, solution.routes)
    return _Outcome(
        worth=solution.worth,
        bound=solution.bound,
        proven=solution.proven,
        walked_metres=sum(problem.compute_shortest_metres(route) for route in solution.routes),
        pupil_share=pupil_share,
        harm_share=harm_share,
        visited=frozenset(map(problem.get_stop_name, solution.stops)),
    )
