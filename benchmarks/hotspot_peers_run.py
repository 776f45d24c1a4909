"""Rankings by other tools, run by a Python that has them, for `hotspot_peers.py`.

    PYTHON hotspot_peers_run.py TASK.npz ANSWER.npz

TASK has streets in pieces and recorded crime by month; ANSWER has, for each tool that can be
imported, a score per metre of every piece at every origin, learned from the year before it, or from
three, and the processor seconds of one origin. A tool's parameters (bandwidth, reach, cluster) are
chosen from a few values, on months before the first origin, as its user would do.

PredictCode is from 2018 and uses names that numpy and SciPy have removed since; they are restored.
"""

# ruff: noqa: PLC0415 - a tool is imported where it is used, since it may not be there

import contextlib
import importlib
import itertools
import json
import sys
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

warnings.simplefilter("ignore")

COVERAGE = 0.05
CELL_METRES = 100.0  # Size of the grid's cells for Gi*, to which sfhotspot rounds by default


@dataclass(frozen=True)
class Task:
    """Streets and crime, in metres and numbers of months; p pieces, i incidents, t months."""

    middle: np.ndarray  # (p, 2) of each piece
    metres: np.ndarray  # (p,)
    nodes: np.ndarray  # (p, 2) ends of each piece, rows of the next
    node_xy: np.ndarray
    xy: np.ndarray  # (i, 2) map points
    month: np.ndarray
    weight: np.ndarray
    origins: np.ndarray  # months to predict
    tuning: np.ndarray  # months before them on which parameters are chosen
    tuning_weight: np.ndarray  # (2, t, p) recorded then on each piece, in the two ways of counting

    def before(self, origin: int, months: int) -> "Task":
        """The incidents of a number of months before an origin."""
        return self.select((self.month < origin) & (self.month >= origin - months))

    def select(self, wanted: np.ndarray) -> "Task":
        """Some of the incidents."""
        parts = {name: getattr(self, name)[wanted] for name in ("xy", "month", "weight")}
        return replace(self, **parts)

    def sum_points(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct map points, and the weight of their incidents."""
        points, of_point = np.unique(self.xy, axis=0, return_inverse=True)
        return points, np.bincount(of_point.reshape(-1), self.weight)


Method = Callable[..., np.ndarray]
"""Computes a score per metre of each piece from a task that ends before the origin, and
parameters."""


def score_kde(task: Task, bandwidth: float) -> np.ndarray:
    """Planar Gaussian kernel of scikit-learn."""
    from sklearn.neighbors import KernelDensity

    points, weights = task.sum_points()
    model = KernelDensity(bandwidth=bandwidth, rtol=1e-3).fit(points, sample_weight=weights)
    return np.exp(model.score_samples(task.middle))


def score_gi_star(task: Task, reach: float) -> np.ndarray:
    """Gi* of PySAL on square cells, neighbours within a reach."""
    import geopandas as gpd
    from esda.getisord import G_Local
    from libpysal.weights import DistanceBand

    low = np.minimum(task.middle.min(axis=0), task.xy.min(axis=0))
    size = np.ptp(np.vstack([task.middle, task.xy]), axis=0)
    columns, rows = (size // CELL_METRES + 1).astype(int)

    def find_cell(xy: np.ndarray) -> np.ndarray:
        column, row = ((xy - low) // CELL_METRES).astype(int).T
        return row * columns + column

    counts = np.bincount(find_cell(task.xy), task.weight, minlength=rows * columns)
    corner = np.stack([np.arange(rows * columns) % columns, np.arange(rows * columns) // columns])
    centres = gpd.points_from_xy(*(low[:, None] + (corner + 0.5) * CELL_METRES))
    near = DistanceBand.from_dataframe(
        gpd.GeoDataFrame(geometry=centres), reach, binary=True, silence_warnings=True
    )
    found = G_Local(counts, near, transform="B", star=True, permutations=0)
    return found.Zs[find_cell(task.middle)]


def score_clusters(task: Task, distance: float, share: float) -> np.ndarray:
    """DBSCAN hotspots of crimepy, by weight per area; 0 for streets outside of them."""
    import geopandas as gpd
    from crimepy.geo import db_hotspots

    points, weights = task.sum_points()
    frame = gpd.GeoDataFrame({"harm": weights}, geometry=gpd.points_from_xy(*points.T), crs=27700)
    with contextlib.redirect_stdout(sys.stderr):
        areas = db_hotspots(frame, distance, max(1, int(share * weights.sum())), weight="harm")
    score = np.zeros(len(task.middle))
    if isinstance(areas, int):  # -1: no cluster
        return score
    pieces = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*task.middle.T), crs=27700)
    inside = gpd.sjoin(pieces, areas, predicate="within")
    density = areas["harm"] / areas.area
    score[inside.index] = density.loc[inside["index_right"]].to_numpy()
    return score


def _build_timed_points(task: Task) -> Any:  # noqa: ANN401 - a class of the peer
    """Incidents in the format of PredictCode; only the month is known."""
    from open_cp import TimedPoints

    stamps = np.datetime64("2000-01-15") + (task.month * 30).astype("timedelta64[D]")
    order = np.argsort(stamps, kind="stable")
    return TimedPoints.from_coords(stamps[order], *task.xy[order].T)


def score_retrospective(task: Task, bandwidth: float) -> np.ndarray:
    """Retrospective hotspot of PredictCode with its quartic kernel, extended by weights."""
    from open_cp.retrohotspot import Quartic, RetroHotSpot

    score = np.zeros(len(task.middle))
    for weight in np.unique(task.weight):
        model = RetroHotSpot()
        model.data = _build_timed_points(task.select(task.weight == weight))
        model.weight = Quartic(bandwidth)
        kernel = model.predict()
        for rows in np.array_split(np.arange(len(score)), max(1, len(task.xy) // 500)):
            score[rows] += weight * kernel.risk(*task.middle[rows].T)
    return score


def score_on_network(task: Task, bandwidth: float) -> np.ndarray:
    """Network hotspot of PredictCode (after Rosser et al. 2017) with its triangle kernel.

    Incidents of a point are joined to one with a weight, by means of the kernel of time, which is
    not needed: the result is the same, in a fraction of the time.
    """
    from open_cp import TimedPoints
    from open_cp.network import PlanarGraph
    from open_cp.network_hotspot import FastPredictor, Trainer, TriangleKernel

    points, weights = task.sum_points()
    stamps = np.datetime64("2000-01-01") + np.arange(len(points)).astype("timedelta64[D]")
    vertices = [(number, x, y) for number, (x, y) in enumerate(task.node_xy)]
    edges: dict[frozenset[int], int] = {}
    for first, last in task.nodes:
        if first != last:
            edges.setdefault(frozenset((int(first), int(last))), len(edges))
    graph = PlanarGraph(vertices, [tuple(sorted(edge)) for edge in edges])
    trainer = Trainer(graph)
    trainer.data = TimedPoints.from_coords(stamps, *points.T)
    predictor = FastPredictor(trainer.compile(), bandwidth)
    predictor.kernel = TriangleKernel(bandwidth)
    predictor.time_kernel = lambda _: weights
    risks = predictor.predict(predict_time="2100-01-01").risks
    row = [edges.get(frozenset((int(a), int(b))), -1) for a, b in task.nodes]
    return np.append(risks, 0.0)[row]


METHODS: dict[str, tuple[Method, dict[str, tuple[float, ...]], str]] = {
    "scikit-learn, kernel": (score_kde, {"bandwidth": (25, 50, 100)}, "sklearn"),
    "PySAL, Gi*": (score_gi_star, {"reach": (101, 150)}, "esda"),
    "crimepy, clusters": (
        score_clusters,
        {"distance": (30, 60), "share": (0.001, 0.005)},
        "crimepy",
    ),
    "PredictCode, retrospective": (score_retrospective, {"bandwidth": (50, 100, 200)}, "open_cp"),
    "PredictCode, on streets": (score_on_network, {"bandwidth": (50, 100)}, "open_cp"),
}
"""By name: function, parameter values from which its user chooses, and the required package."""

# Numbers of months from which a tool learns: the best where there are as many, or the first
MONTHS = (12, 36)


def measure_capture(task: Task, score: np.ndarray, at: int) -> np.ndarray:
    """(2,) weight recorded in a tuning month on the top pieces of a ranking, in both ways."""
    order = np.lexsort((np.arange(len(score)), -score))
    first = order[np.cumsum(task.metres[order]) <= COVERAGE * task.metres.sum()]
    return task.tuning_weight[:, at, first].sum(axis=1)


def run_method(task: Task, name: str) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """(2, o, p) scores with the best parameters in each way of counting; parameters and seconds."""
    method, numbers, _ = METHODS[name]
    if task.tuning[0] - task.month.min() >= MONTHS[-1]:
        numbers = numbers | {"months": MONTHS}

    def score(origin: int, months: int = MONTHS[0], **choice: float) -> np.ndarray:
        return method(task.before(int(origin), months), **choice)

    captured = {}
    for values in itertools.product(*numbers.values()):
        choice = dict(zip(numbers, values, strict=True))
        captured[tuple(choice.items())] = sum(
            measure_capture(task, score(month, **choice), at)
            for at, month in enumerate(task.tuning)
        )
    scores, about = [], []
    for way in (0, 1):
        best = max(captured, key=lambda key: captured[key][way])
        if way and best == tuple(about[0]["numbers"].items()):
            scores, about = scores * 2, about * 2
            break
        begun = time.process_time()
        scores.append([score(at, **dict(best)) for at in task.origins])
        seconds = (time.process_time() - begun) / len(task.origins)
        about.append({"numbers": dict(best), "seconds": seconds})
    return np.array(scores), about


def give_back_names() -> None:
    """Restore names that PredictCode uses and that its libraries have removed."""
    import scipy.stats

    for name, kind in (("float", float), ("int", int), ("bool", bool)):
        if not hasattr(np, name):
            setattr(np, name, kind)
    if not hasattr(scipy.stats, "kde"):
        scipy.stats.kde = types.SimpleNamespace(gaussian_kde=scipy.stats.gaussian_kde)


def main() -> None:
    """Read the task, run what can be imported, write the answer."""
    give_back_names()
    with np.load(sys.argv[1]) as held:
        task = Task(**{name: held[name] for name in Task.__dataclass_fields__})
    answer, about = {}, {}
    for name, (_, _, package) in METHODS.items():
        try:
            importlib.import_module(package)
        except ImportError as reason:
            print(f"{name}: left out, {reason}", file=sys.stderr)
            continue
        answer[name], about[name] = run_method(task, name)
        print(f"{name}: {about[name]}", file=sys.stderr, flush=True)
    np.savez(sys.argv[2], about=json.dumps(about), **answer)


if __name__ == "__main__":
    main()
