"""The patrol solver as a library: team orienteering with time windows, dwell and a proven bound.

Choose stops and their order, for one or more routes of limited time, so that the total of the
prizes is maximal. It does not depend on crime or schools: the input is points, prizes and minutes,
the output routes with an upper bound on the worth of any routes.

>>> from patrolplan import orienteering
>>> xy = [[0, 0], [10, 0], [10, 10], [0, 10], [40, 40]]
>>> problem = orienteering.build_problem(xy, prizes=[0, 4, 6, 5, 90], limit=45)
>>> solution = orienteering.solve(problem)
>>> solution.worth, solution.bound, solution.status
(15.0, 15.0, 'proven')
>>> len(solution.routes[0].stops), solution.routes[0].travelled_minutes
(3, 40.0)

Stops may be mandatory, barred, mutually exclusive, or open in a time window; routes may differ in
their ends, hours and speed. `solve` stops when the answer is proven optimal, or by a stop
criterion: `MaxIterations`, with which equal problems have equal answers, or `MaxSeconds`.

`read_instance` reads public instances; its `fixed_prize` is what published values include in
addition to the prizes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from patrolplan.patrols.solver.instances import Instance, InstanceForm, read_instance
from patrolplan.patrols.solver.solve import (
    GateStay,
    MaxIterations,
    MaxSeconds,
    Officer,
    OrienteeringProblem,
    Route,
    Solution,
    TimedPrizes,
    find_variants,
    solve,
)
from patrolplan.patrols.solver.tsplib import compute_distances

__all__ = [
    "GateStay",
    "Instance",
    "InstanceForm",
    "MaxIterations",
    "MaxSeconds",
    "Officer",
    "OrienteeringProblem",
    "Route",
    "Solution",
    "TimedPrizes",
    "build_problem",
    "find_variants",
    "read_instance",
    "solve",
]


def build_problem(
    xy: ArrayLike,
    prizes: ArrayLike,
    *,
    limit: float,
    routes: int = 1,
    start: int = 0,
    end: int | None = None,
    dwell: ArrayLike = 0.0,
    windows: ArrayLike | None = None,
    mandatory: Sequence[int] = (),
) -> OrienteeringProblem:
    """Build a problem from points on a plane, with travel in straight lines.

    For times of another kind, such as those of a street network, make an `OrienteeringProblem`.

    Parameters
    ----------
    xy
        (n, 2) coordinates of the points.
    prizes
        (n,) prize of each, at least 0.
    limit
        Time of each route; one unit of distance takes one of time.
    routes
        How many routes.
    start, end
        Rows where each route begins and ends; without `end` it ends where it begins. Their own
        prizes do not count.
    dwell
        Time spent at each stop, one for all or (n,).
    windows
        (n, 2) earliest and latest beginning of the dwell, or None: any time.
    mandatory
        Rows that must be visited.

    Raises
    ------
    ValueError
        With every wrong argument, its value and what to do.

    Examples
    --------
    >>> problem = build_problem([[0, 0], [3, 4], [6, 8]], [0, 1, 1], limit=30, routes=2, dwell=5)
    >>> print(solve(problem).summary().splitlines()[0].split(",")[0])
    worth 2 (best possible)
    """
    points = np.asarray(xy, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):  # noqa: PLR2004 - a plane
        message = f"xy has shape {points.shape}; give (n, 2) coordinates"
        raise ValueError(message)
    if routes < 1:
        message = f"routes is {routes}; give 1 or more"
        raise ValueError(message)
    end = start if end is None else end
    worth = np.array(prizes, dtype=np.float64)
    minutes = np.broadcast_to(np.asarray(dwell, dtype=np.float64), len(points)).copy()
    ends = [row for row in {start, end} if 0 <= row < len(worth)]
    worth[ends] = minutes[ends] = 0.0
    return OrienteeringProblem(
        travel_minutes=compute_distances(points),
        prizes=worth,
        dwell_minutes=minutes,
        officers=(Officer(start, end, 0.0, limit),) * routes,
        windows=None if windows is None else np.asarray(windows, dtype=np.float64),
        mandatory=frozenset(mandatory),
        barred=frozenset(ends),
    )
