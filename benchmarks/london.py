"""Time and memory of every stage, from one borough to all of London, and the plain way next to it.

    python benchmarks/london.py --scale 0.0625 0.25 1 --json FILE [--plot FILE] [--worlds DIR]
    python benchmarks/london.py --ways DIR/scale-0.0625     who shares the work, and what it costs

Each scale is a made-up city of `world.py`, written to DIR once. Processes follow one another for
each: one reads everything with an empty cache; one loads again and goes on to risk, hotspots,
patrols, week and cards; one does the same up to patrols once more, when what models caught in
earlier months is known; one does so after a month was added, and one after a month some of whose
crimes stand on new snap points. Seconds are given as wall time and as processor time of the whole
process tree, for the computer may be shared; memory is the most that all processes together held
during the stage. The slope of a stage is fitted to the logarithms of processor time and scale: 1
is in proportion.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from world import add_month, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

MONDAY = dt.date(2026, 11, 30)
PLAIN_SCALE = 0.12
"""One borough of 60 schools."""

SAMPLE_SECONDS = 0.05
TARGETS = {
    "cold import": 360.0,
    "warm load to all plans": 120.0,
    "cards": 180.0,
    "new month": 30.0,
}
"""Seconds that are wanted at scale 1 on two cores."""

NEW_MONTHS = {"new month": 0, "new month, new points": 8}
"""Crimes on new snap points in each file of a month that is added."""

STAGES_NOT_FITTED = ("start", "the same once more", *NEW_MONTHS)
TO_PLANS = ("warm load", "risk", "hotspots", "patrols")


class StageTimer:
    """Seconds and memory of one stage after the other."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, float]] = {}
        self._most = 0
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def _sample(self) -> None:
        here = psutil.Process()
        while not self._over.wait(SAMPLE_SECONDS):
            self._most = max(
                self._most, sum(map(_read_memory, [here, *here.children(recursive=True)]))
            )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        self._most = 0
        wall, processor = time.perf_counter(), read_processor_seconds()
        yield
        time.sleep(2 * SAMPLE_SECONDS)
        self.figures[name] = {
            "seconds": round(time.perf_counter() - wall - 2 * SAMPLE_SECONDS, 2),
            "processor_seconds": round(read_processor_seconds() - processor, 2),
            "peak_gb": round(self._most / 1e9, 2),
        }
        print(f"  {name}: {self.figures[name]}", file=sys.stderr, flush=True)


def _read_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def read_processor_seconds() -> float:
    """Seconds of this process and all that it started, those that still run too."""
    times = os.times()
    ours = times.user + times.system + times.children_user + times.children_system
    return ours + sum(map(_read_process_seconds, psutil.Process().children(recursive=True)))


def _read_process_seconds(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(spent.user + spent.system)


def run_stages(part: str, folder: Path, cards: int, workers: int) -> dict[str, Any]:
    """What one process does, measured."""
    stages = StageTimer()
    with stages.stage("start"):
        import patrolplan as pp  # noqa: PLC0415 - its import is measured
        from patrolplan.outputs.card.card import render_cards  # noqa: PLC0415
    config = folder / "patrolplan.toml"
    if part == "cold":
        with stages.stage("cold import"):
            pp.load_area(config)
        return stages.figures
    with stages.stage("warm load"):
        area = pp.load_area(config)
    with stages.stage("risk"):
        risk = pp.estimate_risk(area)
    with stages.stage("hotspots"):
        hotspots = pp.find_hotspots(area, risk)
    with open_workers(workers) as crew:
        with stages.stage("patrols"):
            plan = pp.plan_patrols(area, risk, hotspots, executor=crew)
            plan = pp.compare_with_past(plan, executor=crew)
        if part == "plans":
            return stages.figures
        with stages.stage("week"):
            week = pp.plan_week(area, plan, start=MONDAY)
        chosen = plan.patrols[: cards or len(plan.patrols)]
        with stages.stage("cards"):
            render_cards(plan, patrols=chosen, executor=crew)
    stages.figures["found"] = {
        "street_km": round(area.network.metres / 1000),
        "pieces": len(area.network),
        "incidents": len(area.incidents),
        "snap_points": len(area.catchments),
        "hotspots": len(hotspots),
        "patrols": len(plan.patrols),
        "mean_worth": round(float(np.mean([one.worth for one in plan.patrols])), 4),
        "cards": len(chosen),
        "week_patrols": len(week.duties),
    }
    return stages.figures


def open_workers(workers: int) -> AbstractContextManager[Executor | None]:
    """Processes that share the schools; none where one does it alone."""
    from patrolplan.worker_pool import Workers  # noqa: PLC0415 - its import is measured

    return Workers(workers) if workers > 1 else nullcontext()


ROUNDS = 5
"""How often each way to share the work is measured, in turn; the least counts."""


def compare_ways(config: Path | None) -> dict[str, dict[str, float]]:
    """Seconds of all patrols alone, by two processes, and by two workers of Dask.

    All of them are warm: they have planned the same before.

    Parameters
    ----------
    config
        An area's settings; those of the demo without.
    """
    from distributed import LocalCluster  # noqa: PLC0415 - only where it is compared

    import patrolplan as pp  # noqa: PLC0415 - as for the stages
    from patrolplan.parallel import connect_cluster  # noqa: PLC0415

    area = pp.load_area(config or pp.demo_settings())
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    local = LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    figures: dict[str, dict[str, float]] = {}
    with (
        open_workers(2) as processes,
        local as cluster,
        connect_cluster(cluster.scheduler_address) as dask,
    ):
        ways = {"alone": None, "two processes": processes, "two Dask workers": dask}
        for measured in range(ROUNDS + 1):
            for name, executor in ways.items():
                wall, processor = time.perf_counter(), read_processor_seconds()
                pp.plan_patrols(area, risk, hotspots, executor=executor)
                spent = {
                    "seconds": time.perf_counter() - wall,
                    "processor_seconds": read_processor_seconds() - processor,
                }
                if measured:  # the first time warms
                    least = figures.setdefault(name, spent)
                    figures[name] = {kind: min(least[kind], spent[kind]) for kind in spent}
    return figures


def measure(scale: float, worlds: Path, *, cards: int, workers: int) -> dict[str, Any]:
    """All stages at one scale."""
    folder = worlds / f"scale-{scale:g}"
    if not (folder / "world.json").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        make_world(scale, folder)
    figures: dict[str, Any] = {"world": json.loads((folder / "world.json").read_text("utf-8"))}
    print(f"scale {scale:g}: {figures['world']}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as cache:
        figures |= _run_in_process("cold", folder, cache, (cards, workers))
        figures |= _run_in_process("warm", folder, cache, (cards, workers))
        again = _run_in_process("plans", folder, cache, (cards, workers))
        later = {}
        for name, points in NEW_MONTHS.items():
            added = add_month(folder, new_points=points)
            try:
                later[name] = _run_in_process("plans", folder, cache, (cards, workers))
            finally:
                shutil.rmtree(added)
    figures["load_average"] = [round(one, 1) for one in os.getloadavg()]
    figures["warm load to all plans"] = _sum_stages([figures[name] for name in TO_PLANS])
    figures["the same once more"] = _sum_stages([again[name] for name in TO_PLANS])
    for name, stages in later.items():
        figures[name] = _sum_stages([stages[stage] for stage in TO_PLANS])
    return figures


def _run_in_process(
    part: str, folder: Path, cache: str, how_many: tuple[int, int]
) -> dict[str, Any]:
    """Stages in a process of their own."""
    command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
    run = subprocess.run(  # noqa: S603 - this very file
        [*command, "--cards", str(how_many[0]), "--workers", str(how_many[1])],
        env=os.environ | {"PATROLPLAN_CACHE": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def _sum_stages(stages: list[dict[str, float]]) -> dict[str, float]:
    return {
        "seconds": round(sum(stage["seconds"] for stage in stages), 2),
        "processor_seconds": round(sum(stage["processor_seconds"] for stage in stages), 2),
        "peak_gb": max(stage["peak_gb"] for stage in stages),
    }


def fit_slopes(results: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Slope of each stage's processor time over the scales, in logarithms."""
    scales = np.log([float(scale) for scale in results])
    if len(scales) < 2:  # noqa: PLR2004 - a line
        return {}
    first = next(iter(results.values()))
    names = [name for name, value in first.items() if "processor_seconds" in value]
    found = {}
    for name in names:
        fitted = name not in STAGES_NOT_FITTED and (name != "cards" or _has_all_cards(results))
        if fitted:
            seconds = [max(one[name]["processor_seconds"], 0.01) for one in results.values()]
            found[name] = round(float(np.polyfit(scales, np.log(seconds), 1)[0]), 3)
    return found


def _has_all_cards(results: dict[str, dict[str, Any]]) -> bool:
    return all(one["found"]["cards"] == one["found"]["patrols"] for one in results.values())


def draw_figures(result: dict[str, Any], path: Path) -> None:
    """Draw time and memory of the stages over the scale."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9, 4), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    scales = [float(scale) for scale in result["scales"]]
    names = ("cold import", *TO_PLANS, "week", "cards")
    for name, mark in zip(names, "osD^v<>", strict=True):
        rows = [one[name] for one in result["scales"].values()]
        slope = result["slopes"].get(name)
        label = name if slope is None else f"{name} ({slope:.2f})"
        seconds = [row["processor_seconds"] for row in rows]
        time_axes.loglog(scales, seconds, marker=mark, color="0.1", lw=0.8, ms=5, label=label)
        memory = [row["peak_gb"] for row in rows]
        memory_axes.loglog(scales, memory, marker=mark, color="0.1", lw=0.8, ms=5, label=name)
    time_axes.set(xlabel="scale (1 = London)", ylabel="processor seconds")
    memory_axes.set(xlabel="scale (1 = London)", ylabel="most memory, GB")
    time_axes.legend(frameon=False, fontsize=8, title="stage (slope)", title_fontsize=8)
    for axes in (time_axes, memory_axes):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xticks(scales, [f"{scale:g}" for scale in scales])
        axes.minorticks_off()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scale", type=float, nargs="+", default=[0.0625, 0.25, 1.0])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--plot", type=Path, help="where to draw them, .svg or .png")
    parser.add_argument("--worlds", type=Path, help="where cities are stored; default a new folder")
    parser.add_argument("--cards", type=int, default=0, help="at most so many; default all")
    parser.add_argument("--workers", type=int, default=2, help="processes that share the schools")
    parser.add_argument("--no-plain", action="store_true", help="without the plain way")
    parser.add_argument(
        "--ways", metavar="WORLD", help="only compare ways to share a world's patrols, or 'demo'"
    )
    parser.add_argument("--part", choices=["cold", "warm", "plans"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.ways:
        config = None if wish.ways == "demo" else Path(wish.ways) / "patrolplan.toml"
        print(json.dumps(compare_ways(config), indent=1))
        return
    if wish.part:
        print(json.dumps(run_stages(wish.part, wish.folder, wish.cards, wish.workers)))
        return
    with tempfile.TemporaryDirectory() as fresh:
        worlds = wish.worlds or Path(fresh)
        scales = {}
        for scale in sorted(wish.scale):
            scales[f"{scale:g}"] = measure(scale, worlds, cards=wish.cards, workers=wish.workers)
            _write_json(wish.json, {"scales": scales, "slopes": fit_slopes(scales)})
        result = {"targets": TARGETS, "scales": scales, "slopes": fit_slopes(scales)}
        if not wish.no_plain:
            from plainway import compare_with_baselines  # noqa: PLC0415 - osmnx and folium are slow to import

            ours = measure(PLAIN_SCALE, worlds, cards=1, workers=wish.workers)
            result["plain"] = compare_with_baselines(worlds / f"scale-{PLAIN_SCALE:g}", ours)
    _write_json(wish.json, result)
    if wish.plot:
        draw_figures(result, wish.plot)
    print(json.dumps(result, indent=1))


def _write_json(path: Path | None, result: dict[str, Any]) -> None:
    if path:
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
