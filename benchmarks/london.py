"""Time and memory of every stage, from one borough to all of London.

    python benchmarks/london.py --worlds DIR [--scale 0.0625 1] [--cards N]

Each scale is a made-up city of `world.py`, written to DIR once. One process reads everything with
an empty cache; another loads again and goes on to risk, hotspots, patrols, week and cards, twice,
of which the second time counts. Processor seconds are those of the whole process tree, for the
computer may be shared; memory is the most that all processes together held during the stage.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as every command does

import psutil
from world import make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

MONDAY = dt.date(2026, 11, 30)
# Looking at all processes takes some milliseconds, which count as the stage's own
SAMPLE_SECONDS = 0.5
WORKERS = 2  # Processes that share the schools


class StageTimer:
    """Seconds and memory of one stage after the other."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, float]] = {}
        self._most = 0
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        here = psutil.Process()
        while True:
            time.sleep(SAMPLE_SECONDS)
            held = 0
            for process in [here, *here.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    held += process.memory_info().rss
            self._most = max(self._most, held)

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


def read_processor_seconds() -> float:
    """Seconds of this process and all that it started, those that still run too."""
    spent = sum(os.times()[:4])
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            spent += sum(process.cpu_times()[:2])
    return spent


def run_stages(folder: Path, cards: int) -> dict[str, Any]:
    """All stages of a city in this process, measured; with an empty cache, reading alone."""
    import patrolplan as pp  # noqa: PLC0415 - each process its own
    from patrolplan.outputs.card.card import render_cards  # noqa: PLC0415
    from patrolplan.parallel import Workers  # noqa: PLC0415

    stages, config = StageTimer(), folder / "patrolplan.toml"
    if not Path(os.environ["PATROLPLAN_CACHE"]).exists():
        with stages.stage("cold import"):
            pp.load_area(config)
        return stages.figures
    with stages.stage("warm load"):
        area = pp.load_area(config)
    with stages.stage("risk"):
        risk = pp.estimate_risk(area)
    with stages.stage("hotspots"):
        hotspots = pp.find_hotspots(area, risk)
    with Workers(WORKERS) as pool:
        with stages.stage("patrols"):
            plan = pp.plan_patrols(area, risk, hotspots, executor=pool)
        with stages.stage("week"):
            week = pp.plan_week(area, plan, start=MONDAY)
        # Schools from all over the city, where not all are drawn.
        chosen = plan.patrols[:: max(1, len(plan.patrols) // cards)] if cards else plan.patrols
        with stages.stage("cards"):
            render_cards(plan, patrols=chosen, executor=pool)
    found = {"hotspots": len(hotspots), "patrols": len(plan.patrols), "cards": len(chosen)}
    return stages.figures | {"found": found | {"week_patrols": len(week.duties)}}


def measure(scale: float, worlds: Path, cards: int) -> dict[str, Any]:
    """A city made once, and its stages in two processes of their own."""
    folder, cache = worlds / f"scale-{scale:g}", worlds / f"cache-{scale:g}"
    if not (folder / "world.json").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        make_world(scale, folder)
    shutil.rmtree(cache, ignore_errors=True)
    figures = {"world": json.loads((folder / "world.json").read_text("utf-8"))}
    for _ in range(3):  # the second compiles, which the third does not count
        command = [sys.executable, __file__, "--stages", str(folder), "--cards", str(cards)]
        own = os.environ | {"PATROLPLAN_CACHE": str(cache)}
        run = subprocess.run(command, env=own, stdout=subprocess.PIPE, check=True)  # noqa: S603
        figures |= json.loads(run.stdout)
    return figures


def print_table(cities: dict[str, dict[str, Any]]) -> None:
    """Each stage a row and each scale a column, as Markdown."""
    table = {"processor seconds": [f"scale {scale}" for scale in cities]}
    table["---"] = ["---"] * len(cities)
    for key in ("schools", "crime_rows", "snap_points", "street_km"):
        table[key.replace("_", " ")] = [f"{city['world'][key]:,}" for city in cities.values()]
    for name in [one for one in next(iter(cities.values())) if one not in {"world", "found"}]:
        each = [city[name] for city in cities.values()]
        table[name] = [f"{one['processor_seconds']:.1f} ({one['peak_gb']:.1f} GB)" for one in each]
    for name, row in table.items():
        print(f"| {name} | {' | '.join(row)} |")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, nargs="+", default=[0.0625, 0.25, 1.0])
    parser.add_argument("--worlds", type=Path, help="where cities and caches are stored")
    parser.add_argument("--cards", type=int, default=0, help="so many at least; default all")
    parser.add_argument("--stages", type=Path, help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.stages:
        print(json.dumps(run_stages(wish.stages, wish.cards)))
        return
    if not wish.worlds:
        parser.error("give --worlds")
    print_table({f"{scale:g}": measure(scale, wish.worlds, wish.cards) for scale in wish.scale})


if __name__ == "__main__":
    main()
