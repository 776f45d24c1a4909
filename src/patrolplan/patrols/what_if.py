"""What a change buys: a school's worth against minutes, dwell and the number of officers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.study_area import with_settings
from patrolplan.network.names import label_streets
from patrolplan.patrols.planner import check_request
from patrolplan.patrols.school_problem import SchoolProblem, build_school_problem
from patrolplan.patrols.solver.solve import MaxIterations, solve
from patrolplan.patrols.windows import Window
from patrolplan.risk.estimate import Risk

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

    Tasked places are not demanded here, barred ones stay barred: a demand that a longer window
    can meet would take time from stops of more worth. A patrol that fits is still there with more
    minutes or officers, so worth never falls with either.

    Parameters
    ----------
    area, risk, hotspots
        As for `plan_patrols`.
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
        One row a case: `minutes`, `dwell_minutes`, `officers`, `worth` (share of the risk within
        reach, of all officers together), `bound` (no patrols of that case can be worth more),
        `proven`, `stops`, `walked_metres` (by the shortest ways).

    Raises
    ------
    InputError
        When the school is not there, or a window is shorter than the presence at the gate.
    """
    check_request(area, Window(min(minutes)), [urn])
    settings = area.settings.patrol
    row = list(area.schools["urn"]).index(urn)
    labels = label_streets(area.network)
    barred = area.tasked_places[~area.tasked_places["must_visit"]]
    area = replace(area, tasked_places=barred)
    rows: list[dict[str, Any]] = []
    for dwell in sorted(set(dwell_minutes or (settings.dwell_minutes,))):
        best: dict[int, _Outcome] = {}
        for length in sorted(set(minutes)):
            changed = with_settings(area, patrol={"dwell_minutes": dwell})
            case = build_school_problem(
                changed, risk, hotspots, row, labels=labels, window=Window(length)
            )
            least: _Outcome | None = None
            for count in sorted(set(officers or (settings.officers,))):
                found = (
                    _solve_for_officers(case, count).take_better(best.get(count)).take_better(least)
                )
                best[count] = least = found
                told = {"minutes": length, "dwell_minutes": dwell, "officers": count}
                rows.append(told | vars(found))
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


def _solve_for_officers(school_problem: SchoolProblem, officers: int) -> _Outcome:
    """Solve a case for so many officers."""
    problem = school_problem.build_problem()
    problem = replace(problem, officers=problem.officers[:1] * officers)
    solution = solve(problem, stop=SEARCH_LIMIT, seed=school_problem.area.settings.seed)
    return _Outcome(
        worth=solution.worth,
        bound=solution.bound,
        proven=solution.proven,
        stops=len(solution.stops),
        walked_metres=sum(
            school_problem.compute_shortest_metres(route) for route in solution.routes
        ),
    )
