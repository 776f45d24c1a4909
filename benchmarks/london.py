"""Time and memory of every stage, from one borough to all of London, and of a state before.

    python benchmarks/london.py --worlds DIR --json FILE [--scale 0.0625 0.25 1] [--cards N]
    python benchmarks/london.py ... --name before --source CHECKOUT/src
    python benchmarks/london.py ... --parts "new month" --until hotspots
    python benchmarks/london.py ... --scale 0.0625 --plain  the plain way, next to what is measured
    python benchmarks/london.py --ways DIR/scale-0.0625     who shares the work, and what it costs

Each scale is a made-up city of `world.py`, written to DIR once, and each part a process of its own:
one reads everything with an empty cache; one loads again and goes on to risk, hotspots and patrols;
one does so once more, when what models captured in earlier months is cached, and goes on to week
and cards; one does so after a month was added, and one after a month some of whose crimes stand on
new snap points. FILE is written after each part, and what it has already is not measured again, so
that a long run may be interrupted. `london_page.py` makes the page from it.

Seconds are given as wall time and as processor time of the whole process tree, for the computer may
be shared; memory is the most that all processes together held during the stage.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # both as every command does
gc.set_threshold(500_000, 5, 10)

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from world import add_month, make_world  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

MONDAY = dt.date(2026, 11, 30)

SAMPLE_SECONDS = 0.5
"""Looking at all processes takes some milliseconds, which count as the stage's own."""

PARTS = ("cold", "first run", "second run", "new month", "new points")
NEW_POINTS = {"new month": 0, "new points": 8}
"""Crimes on new snap points in each file of a month that is added."""

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
        self.figures[name] = {
            "seconds": round(time.perf_counter() - wall, 2),
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


def run_stages(part: str, folder: Path, cards: int, workers: int, until: str) -> dict[str, Any]:
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
    if until == "hotspots":
        return stages.figures
    with open_workers(workers) as crew:
        with stages.stage("patrols"):
            plan = pp.plan_patrols(area, risk, hotspots, executor=crew)
        if part != "second run":
            return stages.figures
        with stages.stage("week"):
            week = pp.plan_week(area, plan, start=MONDAY)
        # Schools from all over the city, where not all are drawn.
        chosen = plan.patrols[:: max(1, len(plan.patrols) // cards)] if cards else plan.patrols
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
    from patrolplan.parallel import Workers  # noqa: PLC0415 - its import is measured

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


def measure(scale: float, worlds: Path, part: str, wish: argparse.Namespace) -> dict[str, Any]:
    """One part at one scale, in a process of its own."""
    folder, cache = worlds / f"scale-{scale:g}", worlds / f"cache-{wish.name}-{scale:g}"
    if part == "cold":
        shutil.rmtree(cache, ignore_errors=True)
    added = add_month(folder, new_points=NEW_POINTS[part]) if part in NEW_POINTS else None
    command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
    command += ["--cards", str(wish.cards), "--workers", str(wish.workers), "--until", wish.until]
    given = {"PATROLPLAN_CACHE": str(cache)} | (
        {"PYTHONPATH": str(wish.source)} if wish.source else {}
    )
    load = [round(one, 1) for one in os.getloadavg()]
    try:
        run = subprocess.run(  # noqa: S603 - this very file
            command, env=os.environ | given, stdout=subprocess.PIPE, check=True
        )
    finally:
        if added:
            shutil.rmtree(added)
    return {**json.loads(run.stdout), "load_average": load}


def measure_all(wish: argparse.Namespace) -> None:
    """Every part of every scale that the file does not have."""
    result = json.loads(wish.json.read_text("utf-8")) if wish.json.is_file() else {}
    source = wish.source or Path(__file__).parent
    result.setdefault("commits", {})[wish.name] = find_commit(source)
    result["machine"] = {"cores": os.cpu_count(), "gb": round(psutil.virtual_memory().total / 1e9)}
    for scale in sorted(wish.scale):
        folder = wish.worlds / f"scale-{scale:g}"
        if not (folder / "world.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            make_world(scale, folder)
        city = result.setdefault("scales", {}).setdefault(f"{scale:g}", {})
        city["world"] = json.loads((folder / "world.json").read_text("utf-8"))
        for part in wish.parts:
            figures = city.setdefault(wish.name, {})
            if part not in figures:
                print(f"scale {scale:g}, {wish.name}, {part}", file=sys.stderr, flush=True)
                figures[part] = measure(scale, wish.worlds, part, wish)
                _write_json(result, wish.json)
        if wish.plain:
            from plainway import compare_with_baseline  # noqa: PLC0415 - brings osmnx and folium

            measured = city[wish.name]["first run"]
            to_plans = sum(measured[stage]["processor_seconds"] for stage in TO_PLANS)
            city["plain"] = compare_with_baseline(folder, to_plans)
            _write_json(result, wish.json)


def _write_json(result: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def find_commit(folder: Path) -> str:
    """Short name of the commit that is checked out there; empty without git."""
    command = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no data in it
    return found.stdout.decode("ascii").strip()


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scale", type=float, nargs="+", default=[0.0625, 0.25, 1.0])
    parser.add_argument("--json", type=Path, help="where figures are written, and added to")
    parser.add_argument("--worlds", type=Path, help="where cities and caches are stored")
    parser.add_argument("--name", default="now", help="of the state: now, or before")
    parser.add_argument("--source", type=Path, help="src of another checkout; default this one")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default all")
    parser.add_argument("--until", choices=["hotspots", "patrols"], default="patrols")
    parser.add_argument("--cards", type=int, default=0, help="so many at least; default all")
    parser.add_argument("--workers", type=int, default=2, help="processes that share the schools")
    parser.add_argument(
        "--ways", metavar="WORLD", help="only compare ways to share a world's patrols, or 'demo'"
    )
    parser.add_argument("--plain", action="store_true", help="the plain way as well")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.ways:
        config = None if wish.ways == "demo" else Path(wish.ways) / "patrolplan.toml"
        print(json.dumps(compare_ways(config), indent=1))
    elif wish.part:
        found = run_stages(wish.part, wish.folder, wish.cards, wish.workers, wish.until)
        print(json.dumps(found))
    elif wish.json and wish.worlds:
        measure_all(wish)
    else:
        parser.error("give --worlds and --json")


if __name__ == "__main__":
    main()
