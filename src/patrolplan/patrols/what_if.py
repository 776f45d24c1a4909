"""What a change buys: a school's worth against minutes, dwell and the number of officers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.area.study_area import with_settings
from patrolplan.patrols.planner import check_request
from patrolplan.patrols.school_problem import (
    PlanningInputs,
    SchoolProblem,
    build_school_problem,
    select_tasked,
)
from patrolplan.patrols.solver.solve import MaxIterations, solve
from patrolplan.risk.surface import Risk

DEFAULT_MINUTES = tuple(range(30, 181, 15))

SEARCH_LIMIT = MaxIterations(3000)
"""For cases that are too large to be solved exactly; equal runs have equal tables."""


def what_if(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    urn: str,
    *,
    minutes: Sequence[float] = DEFAULT_MINUTES,
    dwell_minutes: Sequence[float] | None = None,
    officers: Sequence[int] | None = None,
) -> pd.DataFrame:
    """What a school's patrols would be worth with more or less time, dwell or officers.

    Tasked places need not be visited here, barred ones stay barred: a visit that a longer window
    leaves time for would take time from stops of more worth. A patrol that fits still fits with
    more minutes or officers, so worth never falls with either.

    Parameters
    ----------
    area, risk, hotspots
        As for `patrolplan.patrols.planner.plan_patrols`.
    urn
        The school.
    minutes
        Lengths of the window from the bell, presence at the gate included.
    dwell_minutes
        Minutes at each stop; default the settings' alone.
    officers
        How many patrol together; default the settings' alone.

    Returns
    -------
    DataFrame
        One row for each case: `minutes`, `dwell_minutes`, `officers`, `worth` (share of the risk
        within reach, of all officers together), `bound` (no patrols of that case can be worth
        more), `proven`, `stops`, `walked_metres` (by the shortest ways).

    Raises
    ------
    InputError
        When the school is not in the area, or a window is shorter than the presence at the gate.
    """
    check_request(area, Window(min(minutes)), [urn])
    settings = area.settings.patrol
    row = list(area.schools["urn"]).index(urn)
    area = replace(area, tasked_places=select_tasked(area.tasked_places, must_visit=False))
    inputs = PlanningInputs.from_area(
        area,
        risk,
        hotspots,
        Window(max(minutes)),
        reach_window=resolve_window(settings),
        rows=[row],
    )
    rows: list[dict[str, Any]] = []
    for dwell in sorted(set(dwell_minutes or (settings.dwell_minutes,))):
        best: dict[int, _Outcome] = {}  # with fewer minutes, by the number of officers
        changed = with_settings(inputs.area, patrol={"dwell_minutes": dwell})
        for length in sorted(set(minutes)):
            problem = build_school_problem(
                replace(inputs, area=changed, window=Window(length)), row
            )
            outcome: _Outcome | None = None
            for count in sorted(set(officers or (settings.officers,))):
                fewer_officers, fewer_minutes = outcome, best.get(count)
                outcome = _solve_for_officers(problem, count)
                outcome = outcome.take_better(fewer_minutes).take_better(fewer_officers)
                best[count] = outcome
                case = {"minutes": length, "dwell_minutes": dwell, "officers": count}
                rows.append(case | vars(outcome))
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Outcome:
    """What the patrols of one case are worth, and how sure that is."""

    worth: float
    bound: float
    proven: bool
    stops: int
    walked_metres: float

    def take_better(self, other: "_Outcome | None") -> "_Outcome":
        """The other's patrols where they are worth more: with less to spend, they fit here too."""
        if other is None or other.worth <= self.worth:
            return self
        return replace(other, bound=max(self.bound, other.worth), proven=False)


def _solve_for_officers(problem: SchoolProblem, officers: int) -> _Outcome:
    orienteering = problem.build_problem()
    orienteering = replace(orienteering, officers=orienteering.officers[:1] * officers)
    solution = solve(orienteering, stop=SEARCH_LIMIT, seed=problem.seed)
    return _Outcome(
        worth=solution.worth,
        bound=solution.bound,
        proven=solution.proven,
        stops=len(solution.stops),
        walked_metres=sum(problem.compute_shortest_metres(route) for route in solution.routes),
    )
