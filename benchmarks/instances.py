"""Public orienteering instances with their best known values, and a checker of routes on them.

A best known value is `proved` optimal, `published`, or `ours`: values above the published ones that
a solver reached in our runs, walked again by the checker, are in `orienteering_best.csv`, each with
the solver, its processor time and its seed.
The files are read by the library's own readers. Nothing here uses the solver: the checker walks the
routes in double precision.
"""

from __future__ import annotations

import csv
import itertools
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from patrolplan.patrols.solver.instances import Instance as ReadInstance, read_instance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Kind = Literal["proved", "published", "ours"]
    BestKnown = dict[str, list[tuple[int, float, Kind]]]

SETS = ("top", "op", "oplib_200", "oplib_400", "toptw")
OURS = Path(__file__).with_name("orienteering_best.csv")
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
    best_known_kind: Kind
    file: Path

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
    for instance in _read_instances(folder, _read_best_known(folder)):
        if instance.best_known > 0:
            found[instance.group].append(instance)
    return found


def _read_best_known(folder: Path) -> BestKnown:
    """Read the best known values of a folder; ours replace lower ones that are not proved."""
    ours: dict[tuple[str, int], float] = {}
    with OURS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ours[row["instance"], int(row["m"])] = float(row["value"])
    best_known: BestKnown = {}
    with (folder / "best_known.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            routes, best = int(row["m"]), float(row["best_known"])
            kind: Kind = "proved" if row["source"].startswith("proved") else "published"
            own = ours.get((row["instance"], routes), 0.0)
            if own > best and kind != "proved":
                best, kind = own, "ours"
            best_known.setdefault(row["instance"], []).append((routes, best, kind))
    return best_known


def sample(instances: list[Instance], count: int | None, seed: int) -> list[Instance]:
    """Draw instances evenly over the sorted list: one from each of `count` equal parts."""
    ordered = sorted(instances, key=lambda instance: (instance.name, instance.routes))
    if count is None or count >= len(ordered):
        return ordered
    rng = random.Random(seed)  # noqa: S311
    edges = [round(part * len(ordered) / count) for part in range(count + 1)]
    return [ordered[rng.randrange(low, high)] for low, high in itertools.pairwise(edges)]


def _read_instances(folder: Path, best_known: BestKnown) -> Iterator[Instance]:
    for sub, pattern in (("top", "*.txt"), ("op", "*.txt"), ("toptw", "*.txt")):
        for path in sorted((folder / sub).glob(pattern)):
            for routes, best, kind in best_known.get(path.stem, ()):
                read = read_instance(path, routes=routes)
                yield _add_best_known(read, sub, best, kind, path)
    for path in sorted((folder / "oplib").glob("**/*.oplib")):
        for _, best, kind in best_known.get(path.stem, ()):
            instance = read_instance(path)
            size = len(instance.prizes)
            if size <= LARGE:
                group = "oplib_200" if size <= SMALL else "oplib_400"
                yield _add_best_known(instance, group, best, kind, path)


def _add_best_known(
    read: ReadInstance, group: str, best: float, kind: Kind, file: Path
) -> Instance:
    """An instance as the checker holds it, in plain lists."""
    windows = None if read.windows is None else [(row[0], row[1]) for row in read.windows.tolist()]
    return Instance(
        name=read.name,
        group=group,
        distances=read.distances.tolist(),
        scores=read.prizes.tolist(),
        dwell=read.dwell.tolist(),
        windows=windows,
        start=read.start,
        end=read.end,
        routes=read.routes,
        limit=read.limit,
        fixed_score=read.fixed_prize,
        best_known=best,
        best_known_kind=kind,
        file=file,
    )
