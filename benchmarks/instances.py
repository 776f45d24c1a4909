"""Readers of public orienteering instances, and a checker of routes on them.

Nothing here uses the solver: the checker walks the routes with its own distances in double
precision.
"""

from __future__ import annotations

import csv
import itertools
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SETS = ("top", "op", "oplib_200", "oplib_400", "toptw")
TOLERANCE = 1e-6
SMALL, LARGE = 200, 400


@dataclass(frozen=True)
class Instance:
    """One instance: m routes from row `start` to row `end` within `limit` minutes each.

    `counted` is the score that the best known value includes without anybody choosing it.
    """

    name: str
    group: str
    distances: list[list[float]]
    scores: list[float]
    dwell: list[float]
    windows: list[tuple[float, float]] | None
    start: int
    end: int
    routes: int
    limit: float
    fixed_score: float
    best_known: float

    @property
    def label(self) -> str:
        """Name and number of routes."""
        return f"{self.name} (m = {self.routes})"

    def score_routes(self, routes: Sequence[Sequence[int]]) -> float:
        """Walk the routes and add up the scores.

        Raises
        ------
        ValueError
            When a route is late, a stop is visited twice, or there are too many routes.
        """
        visited = [stop for route in routes for stop in route]
        if len(routes) > self.routes:
            message = f"{self.label}: {len(routes)} routes, {self.routes} allowed"
            raise ValueError(message)
        if len(set(visited)) != len(visited) or {self.start, self.end} & set(visited):
            message = f"{self.label}: a stop is visited twice: {routes}"
            raise ValueError(message)
        for route in routes:
            self._check_route(route)
        return math.fsum(self.scores[stop] for stop in visited) + self.fixed_score

    def _check_route(self, route: Sequence[int]) -> None:
        if not route:
            return
        now, place = 0.0, self.start
        for stop in route:
            now += self.distances[place][stop]
            if self.windows is not None:
                opening, closing = self.windows[stop]
                now = max(now, opening)
                if now > closing + TOLERANCE:
                    message = f"{self.label}: stop {stop} begins at {now}, closed at {closing}"
                    raise ValueError(message)
            now += self.dwell[stop]
            place = stop
        now += self.distances[place][self.end]
        if now > self.limit + TOLERANCE:
            message = f"{self.label}: a route ends at {now}, limit {self.limit}: {route}"
            raise ValueError(message)


def read_all(folder: Path) -> dict[str, list[Instance]]:
    """Read every instance with a best known value above 0, by set."""
    found: dict[str, list[Instance]] = {name: [] for name in SETS}
    known: dict[str, list[tuple[int, float]]] = {}
    with (folder / "best_known.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known.setdefault(row["instance"], []).append((int(row["m"]), float(row["best_known"])))
    for instance in _read_instances(folder, known):
        if instance.best_known > 0:
            found[instance.group].append(instance)
    return found


def sample(instances: list[Instance], count: int | None, seed: int) -> list[Instance]:
    """Draw instances evenly over the sorted list: one from each of `count` equal parts."""
    ordered = sorted(instances, key=lambda instance: (instance.name, instance.routes))
    if count is None or count >= len(ordered):
        return ordered
    rng = random.Random(seed)  # noqa: S311
    edges = [round(part * len(ordered) / count) for part in range(count + 1)]
    return [ordered[rng.randrange(low, high)] for low, high in itertools.pairwise(edges)]


def _read_instances(folder: Path, known: dict[str, list[tuple[int, float]]]) -> Iterator[Instance]:
    readers = (("top", "*.txt", _top), ("op", "*.txt", _op), ("toptw", "*.txt", _toptw))
    for sub, pattern, reader in readers:
        for path in sorted((folder / sub).glob(pattern)):
            for routes, best in known.get(path.stem, ()):
                yield reader(path, routes, best)
    for path in sorted((folder / "oplib").glob("**/*.oplib")):
        for _, best in known.get(path.stem, ()):
            instance = _oplib(path, best)
            if instance is not None:
                yield instance


def _parse_numbers(line: str) -> list[float]:
    return [float(word) for word in line.split()]


def _read_lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _compute_distances(points: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[math.hypot(x - u, y - v) for u, v in points] for x, y in points]


def _build_instance(  # noqa: PLR0917 - two callers in this file
    path: Path,
    group: str,
    rows: list[list[float]],
    end: int,
    routes: int,
    limit: float,
    best: float,
) -> Instance:
    return Instance(
        name=path.stem,
        group=group,
        distances=_compute_distances([(row[0], row[1]) for row in rows]),
        scores=[row[2] for row in rows],
        dwell=[0.0] * len(rows),
        windows=None,
        start=0,
        end=end,
        routes=routes,
        limit=limit,
        fixed_score=0.0,
        best_known=best,
    )


def _top(path: Path, routes: int, best: float) -> Instance:
    lines = _read_lines(path)
    limit = float(lines[2].split()[-1])
    rows = [_parse_numbers(line) for line in lines[3:]]
    return _build_instance(path, "top", rows, len(rows) - 1, routes, limit, best)


def _op(path: Path, routes: int, best: float) -> Instance:
    lines = _read_lines(path)
    limit = _parse_numbers(lines[0])[0]
    rows = [_parse_numbers(line) for line in lines[1:]]
    return _build_instance(path, "op", rows, 1, routes, limit, best)


def _toptw(path: Path, routes: int, best: float) -> Instance:
    rows = [_parse_numbers(line) for line in _read_lines(path)[2:]]
    scale = 100 if path.stem.startswith("pr") else 10
    exact = _compute_distances([(row[1], row[2]) for row in rows])
    return Instance(
        name=path.stem,
        group="toptw",
        distances=[[math.floor(d * scale + 1e-9) / scale for d in line] for line in exact],
        scores=[row[4] for row in rows],
        dwell=[row[3] for row in rows],
        windows=[(row[-2], row[-1]) for row in rows],
        start=0,
        end=0,
        routes=routes,
        limit=rows[0][-1],
        fixed_score=0.0,
        best_known=best,
    )


def _oplib(path: Path, best: float) -> Instance | None:
    head: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    section = ""
    for line in _read_lines(path):
        word = line.split(":")[0].strip()
        if word == "EOF":
            break
        if word.endswith("_SECTION"):
            section = word
            sections[section] = []
        elif ":" in line:
            head[word] = line.split(":", 1)[1].strip()
        else:
            sections[section].append(_parse_numbers(line))
    size = int(head["DIMENSION"])
    if size > LARGE:
        return None
    scores = [0.0] * size
    for number, score in sections["NODE_SCORE_SECTION"]:
        scores[int(number) - 1] = score
    depot = int(sections["DEPOT_SECTION"][0][0]) - 1
    return Instance(
        name=path.stem,
        group="oplib_200" if size <= SMALL else "oplib_400",
        distances=_compute_tsplib_distances(head, sections, size),
        scores=scores,
        dwell=[0.0] * size,
        windows=None,
        start=depot,
        end=depot,
        routes=1,
        limit=float(head["COST_LIMIT"]),
        fixed_score=scores[depot],
        best_known=best,
    )


def _compute_tsplib_distances(
    head: dict[str, str], sections: dict[str, list[list[float]]], size: int
) -> list[list[float]]:
    """Give integer distances by TSPLIB's rules (Reinelt 1995)."""
    kind = head["EDGE_WEIGHT_TYPE"]
    if kind == "EXPLICIT":
        flat = [number for row in sections["EDGE_WEIGHT_SECTION"] for number in row]
        return _explicit(flat, head["EDGE_WEIGHT_FORMAT"], size)
    points = [(row[1], row[2]) for row in sections["NODE_COORD_SECTION"]]
    rules = {"EUC_2D": _nearest, "CEIL_2D": _ceiling, "ATT": _att, "GEO": _geo}
    rule = rules[kind]
    return [
        [0.0 if i == j else float(rule(points[i], points[j])) for j in range(size)]
        for i in range(size)
    ]


def _nearest(a: tuple[float, float], b: tuple[float, float]) -> int:
    return int(math.hypot(a[0] - b[0], a[1] - b[1]) + 0.5)


def _ceiling(a: tuple[float, float], b: tuple[float, float]) -> int:
    return math.ceil(math.hypot(a[0] - b[0], a[1] - b[1]))


def _att(a: tuple[float, float], b: tuple[float, float]) -> int:
    exact = math.sqrt(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / 10.0)
    rounded = int(exact + 0.5)
    return rounded + 1 if rounded < exact else rounded


def _geo(a: tuple[float, float], b: tuple[float, float]) -> int:
    def radians(value: float) -> float:
        degrees = int(value)
        return 3.141592 * (degrees + 5.0 * (value - degrees) / 3.0) / 180.0

    (lat1, lon1), (lat2, lon2) = (tuple(radians(value) for value in p) for p in (a, b))
    q1, q2, q3 = math.cos(lon1 - lon2), math.cos(lat1 - lat2), math.cos(lat1 + lat2)
    return int(6378.388 * math.acos(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)) + 1.0)


def _explicit(flat: list[float], form: str, size: int) -> list[list[float]]:
    if form == "FULL_MATRIX":
        return [flat[row * size : (row + 1) * size] for row in range(size)]
    diagonal = 0 if "DIAG" in form else 1
    matrix = [[0.0] * size for _ in range(size)]
    values = iter(flat)
    for row in range(size):
        if form.startswith("LOWER"):
            columns = range(row + 1 - diagonal)
        else:
            columns = range(row + diagonal, size)
        for column in columns:
            matrix[row][column] = matrix[column][row] = next(values)
    return matrix
