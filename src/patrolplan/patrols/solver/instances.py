"""Readers of the public orienteering instances, for comparing solvers.

Four text forms are in use, and the first lines say which a file has:

- `top`, Chao, Golden and Wasil (1996): team orienteering; `n`, `m`, `tmax`, then `x y score`. The
  first point is the start, the last one the end.
- `op`, Tsiligirides (1984) and Chao's diamonds and squares: one route; `tmax P`, then `x y score`.
  The first point is the start, the second the end.
- `toptw`, Solomon's and Cordeau's with time windows, after Righini and Salani (2009) and Montemanni
  and Gambardella (2009): rows of `i x y dwell score ... opening closing`. Row 0 is start and end,
  and its closing time the limit. Distances are cut to one decimal, of Cordeau's (`pr...`) to two.
- `oplib`, Kobeaga, Merino and Lozano (2018): TSPLIB's form with scores. Distances are TSPLIB's
  integers (Reinelt 1995), and published values include the score of the depot, which nobody
  chooses: it is the instance's `fixed_prize`.

Nothing here uses the solver.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from patrolplan.errors import InputError
from patrolplan.patrols.solver.instance_rows import (
    Row,
    is_number,
    parse_number,
    parse_rows,
    read_rows,
)
from patrolplan.patrols.solver.problem import Officer, OrienteeringProblem
from patrolplan.patrols.solver.tsplib import (
    compute_distances,
    compute_tsplib_distances,
    find_node,
    split_sections,
)

InstanceForm = Literal["top", "op", "toptw", "oplib"]

POINT_NUMBERS = 3
"""x, y and score."""

LEAST_WINDOW_NUMBERS = 9
"""Fewest numbers of a row with a time window: i, x, y, dwell, score, f, a, opening, closing."""

TRUNCATION = 1e-9
"""Distances are cut to decimals after so much is added, so that 4.2 is not cut to 4.1."""


@dataclass(frozen=True, eq=False)
class Instance:
    """One instance: routes from row `start` to row `end`, each within `limit`.

    Parameters
    ----------
    name
        Of the file.
    form
        Which form it was read from.
    distances
        (n, n) travel time between points, by the rules of the form.
    prizes, dwell
        (n,) worth of a stop, and the time spent there.
    windows
        (n, 2) earliest and latest beginning of the dwell; None: any time.
    xy
        (n, 2) coordinates, for drawing; None where the file gives distances alone.
    start, end
        Rows; their own prizes are not to be won.
    routes
        How many routes.
    limit
        Time of each route.
    fixed_prize
        What published values hold on top of the prizes that are won.
    """

    name: str
    form: InstanceForm
    distances: NDArray[np.float64]
    prizes: NDArray[np.float64]
    dwell: NDArray[np.float64]
    windows: NDArray[np.float64] | None
    xy: NDArray[np.float64] | None
    start: int
    end: int
    routes: int
    limit: float
    fixed_prize: float = 0.0

    def __repr__(self) -> str:
        return (
            f"<Instance {self.name}: {len(self.prizes)} points, {self.routes} routes, "
            f"limit {self.limit:g}>"
        )

    @property
    def problem(self) -> OrienteeringProblem:
        """The instance in the solver's terms; its times are called minutes there."""
        ends = [self.start, self.end]
        prizes, dwell = self.prizes.copy(), self.dwell.copy()
        prizes[ends] = dwell[ends] = 0.0
        officer = Officer(self.start, self.end, 0.0, self.limit)
        return OrienteeringProblem(
            self.distances,
            prizes,
            dwell,
            (officer,) * self.routes,
            self.windows,
            barred=frozenset(ends),
        )


def read_instance(
    path: str | Path, *, form: InstanceForm | None = None, routes: int | None = None
) -> Instance:
    """Read a public orienteering instance.

    Parameters
    ----------
    path
        The file.
    form
        Which form it has; by default its first lines say so.
    routes
        How many routes, in place of the file's number; files with time windows have none (then 1).

    Raises
    ------
    InputError
        When the file cannot be read, has none of the forms, or some of its rows cannot be; rows are
        named by their number.
    """
    path = Path(path)
    rows = read_rows(path)
    form = form or find_form(rows)
    if form is None or form not in get_args(InstanceForm):
        remedy = f"choose from: {', '.join(get_args(InstanceForm))}"
        what = "its first lines are of no known form" if form is None else f"'{form}' is no form"
        raise InputError.one(path, what, remedy)
    instance = READERS[form](path, rows)
    if routes is None:
        return instance
    if routes < 1:
        where, what = "routes", f"{routes} routes are none"
        raise InputError.one(where, what, "give 1 or more")
    return replace(instance, routes=routes)


def find_form(rows: Sequence[Row]) -> InstanceForm | None:
    """Which form a file has, by its first lines; None where it has none."""
    first = rows[0].words
    if ":" in rows[0].text:
        return "oplib"
    if first[0].lower() == "n":
        return "top"
    lengths = [len(row.words) for row in rows[:3]]
    if not all(map(is_number, first)):
        return None
    if lengths[-1] >= LEAST_WINDOW_NUMBERS:
        return "toptw"
    return "op" if len(rows) > 1 and lengths[1] == POINT_NUMBERS else None


def _read_points(
    path: Path, form: InstanceForm, rows: Sequence[Row], routes: int, limit: float
) -> Instance:
    """Points with scores on a plane; the end is the last point of `top`, the second of `op`."""
    values = np.array([row[:3] for row in parse_rows(path, rows, POINT_NUMBERS, "x, y and score")])
    if len(values) == 1:
        what = "it has one point only"
        raise InputError.one(path, what, "give start and end")
    xy = values[:, :2]
    return Instance(
        name=path.stem,
        form=form,
        distances=compute_distances(xy),
        prizes=values[:, 2],
        dwell=np.zeros(len(values)),
        windows=None,
        xy=xy,
        start=0,
        end=len(values) - 1 if form == "top" else 1,
        routes=routes,
        limit=limit,
    )


def _read_top(path: Path, rows: Sequence[Row]) -> Instance:
    head: dict[str, Row] = {row.words[0].lower(): row for row in rows[:3]}
    for name in ("m", "tmax"):
        if name not in head:
            what = f"its first three rows have no '{name}'"
            raise InputError.one(path, what, "give n, m and tmax, a row each")
    routes = parse_number(path, head["m"], head["m"].words[-1], 1, "a number of routes")
    limit = parse_number(path, head["tmax"], head["tmax"].words[-1], 0, "a limit")
    return _read_points(path, "top", rows[3:], int(routes), limit)


def _read_op(path: Path, rows: Sequence[Row]) -> Instance:
    limit = parse_number(path, rows[0], rows[0].words[0], 0, "a limit")
    return _read_points(path, "op", rows[1:], 1, limit)


def _read_toptw(path: Path, rows: Sequence[Row]) -> Instance:
    what = "a point with dwell, score and time window"
    values = parse_rows(path, rows[2:], LEAST_WINDOW_NUMBERS, what)
    xy = np.array([row[1:3] for row in values])
    scale = 100 if path.stem.startswith("pr") else 10
    return Instance(
        name=path.stem,
        form="toptw",
        distances=np.floor(compute_distances(xy) * scale + TRUNCATION) / scale,
        prizes=np.array([row[4] for row in values]),
        dwell=np.array([row[3] for row in values]),
        windows=np.array([row[-2:] for row in values]),
        xy=xy,
        start=0,
        end=0,
        routes=1,
        limit=float(values[0][-1]),
    )


def _read_oplib(path: Path, rows: Sequence[Row]) -> Instance:
    parts = split_sections(path, rows)
    size = parts.count_nodes()
    prizes = np.zeros(size)
    for number, score in (row[:2] for row in parts.parse("NODE_SCORE_SECTION", 2, "node, score")):
        prizes[find_node(path, number, size)] = score
    depot = find_node(path, parts.parse("DEPOT_SECTION", 1, "the depot")[0][0], size)
    distances, xy = compute_tsplib_distances(parts, size)
    return Instance(
        name=path.stem,
        form="oplib",
        distances=distances,
        prizes=prizes,
        dwell=np.zeros(size),
        windows=None,
        xy=xy,
        start=depot,
        end=depot,
        routes=1,
        limit=parts.number("COST_LIMIT", 0),
        fixed_prize=float(prizes[depot]),
    )


READERS: dict[InstanceForm, Callable[[Path, Sequence[Row]], Instance]] = {
    "top": _read_top,
    "op": _read_op,
    "toptw": _read_toptw,
    "oplib": _read_oplib,
}
"""What reads each form."""
