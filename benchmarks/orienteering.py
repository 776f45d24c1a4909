"""Runs the patrol solver, and others in the same run, on public orienteering instances.

    python benchmarks/orienteering.py --instances DIR --seconds S [--sample N --seed K] --json FILE

`--seconds` is the processor time of each instance, on one thread, so that other work on the
computer does not count; compilation is done before. Every answer is walked again by `instances.py`,
which shares nothing with the solver. `--record FILE` adds values above the best known to a table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from instances import SETS, Instance, read_all, sample  # noqa: E402
from peers import PEERS  # noqa: E402

from patrolplan.patrols.solver.solve import (  # noqa: E402
    MaxIterations,
    MaxSeconds,
    Officer,
    OrienteeringProblem,
    solve,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Routes = list[list[int]]
    Solver = Callable[[Instance, float, int], Routes]


# Differences that are rounding.
SAME = 1e-9


def build_problem(instance: Instance) -> OrienteeringProblem:
    """Put an instance into the solver's terms."""
    prizes = np.array(instance.scores)
    prizes[[instance.start, instance.end]] = 0.0
    dwell = np.array(instance.dwell)
    dwell[[instance.start, instance.end]] = 0.0
    officer = Officer(instance.start, instance.end, 0.0, instance.limit)
    return OrienteeringProblem(
        np.array(instance.distances),
        prizes,
        dwell,
        (officer,) * instance.routes,
        None if instance.windows is None else np.array(instance.windows),
        barred=frozenset({instance.start, instance.end}),
    )


def solve_with_patrolplan(instance: Instance, seconds: float, seed: int) -> Routes:
    """Solve with this project's solver."""
    solution = solve(build_problem(instance), stop=MaxSeconds(seconds), seed=seed)
    return [list(route.stops) for route in solution.routes]


def count_processor_time() -> None:
    """Let clocks that limit a search count the processor time of this process, not wall time."""
    time.perf_counter = time.process_time


def warm_up(instances: list[Instance]) -> None:
    """Compile everything before the clock runs."""
    for instance in instances[:1] + instances[-1:]:
        solve(build_problem(instance), stop=MaxIterations(20))


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    options = _parse_options(arguments)
    count_processor_time()
    peers = _load_peers(options)
    everything = read_all(options.instances)
    chosen = {name: sample(everything[name], options.sample, options.seed) for name in SETS}
    chosen = {name: found for name, found in chosen.items() if found and name in options.sets}
    for found in chosen.values():
        warm_up(found)
    report: dict[str, Any] = {"sets": {}, "above_best_known": []}
    for name, found in chosen.items():
        own = _measure_gaps("patrolplan", solve_with_patrolplan, found, options, report)
        entry: dict[str, Any] = {
            "instances": len(found),
            "matched": sum(gap <= SAME for gap in own),
            "mean_gap_percent": round(sum(own) / len(own), 4),
            "worst_gap_percent": round(max(own), 4),
            "best_known": Counter(instance.best_known_kind for instance in found),
            "peers": {},
        }
        for peer, solver in peers.items():
            if peer == "ea4op" and not name.startswith("oplib"):
                continue
            gaps = _measure_gaps(peer, solver, found, options, report)
            entry["peers"][peer] = {
                "mean_gap_percent": round(sum(gaps) / len(gaps), 4),
                "matched": sum(gap <= SAME for gap in gaps),
            }
        report["sets"][name] = entry
        print(f"{name}: {json.dumps(entry)}", flush=True)
    if options.record:
        source = f"{options.seconds:g} s, seed {options.seed}"
        record_values(options.record, report["above_best_known"], source)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def record_values(file: Path, above: list[dict[str, Any]], source: str) -> None:
    """Raise the values of a table to those that were reached, and say by whom and how."""
    values: dict[tuple[str, int], tuple[float, str]] = {}
    if file.exists():
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                values[row["instance"], int(row["m"])] = (float(row["value"]), row["source"])
    for entry in above:
        key = (entry["instance"], entry["m"])
        if entry["reached"] > values.get(key, (0.0, ""))[0]:
            values[key] = (entry["reached"], f"{entry['solver']}, {source}")
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("instance", "m", "value", "source"))
        writer.writerows(
            (*key, f"{value:g}", source) for key, (value, source) in sorted(values.items())
        )


def _parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=Path, required=True, help="folder of instances")
    parser.add_argument("--seconds", type=float, required=True, help="processor time each")
    parser.add_argument("--sample", type=int, help="instances of each set; all by default")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and of the solvers")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--peers", nargs="*", choices=sorted(PEERS), default=sorted(PEERS))
    parser.add_argument("--no-peers", action="store_true", help="run this project's solver only")
    parser.add_argument("--record", type=Path, help="table to add values above the best known to")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--verbose", action="store_true", help="print a line for each instance")
    return parser.parse_args(arguments)


def _load_peers(options: argparse.Namespace) -> dict[str, Solver]:
    if options.no_peers:
        return {}
    ready: dict[str, Solver] = {}
    for name in options.peers:
        try:
            ready[name] = PEERS[name]()
        except ImportError as error:
            print(f"peer {name} is absent: {error}", file=sys.stderr)
    return ready


def _measure_gaps(
    who: str,
    solver: Solver,
    instances: list[Instance],
    options: argparse.Namespace,
    report: dict[str, Any],
) -> list[float]:
    """Run one solver on all instances; give its gaps in percent."""
    gaps = []
    for instance in instances:
        begun = sum(os.times()[:4])
        routes = solver(instance, options.seconds, options.seed)
        took = sum(os.times()[:4]) - begun
        reached = instance.score_routes(routes)
        gap = 100.0 * max(0.0, instance.best_known - reached) / instance.best_known
        gaps.append(gap)
        if options.verbose:
            print(
                f"{who} {instance.label}: {reached:g} of {instance.best_known:g}, "
                f"gap {gap:.2f} %, {took:.2f} s",
                flush=True,
            )
        if reached > instance.best_known + SAME:
            print(f"{who} is above best known on {instance.label}: {reached:g}, routes {routes}")
            report["above_best_known"].append(
                {
                    "instance": instance.name,
                    "m": instance.routes,
                    "solver": who,
                    "best_known": instance.best_known,
                    "reached": reached,
                    "routes": routes,
                }
            )
    return gaps


if __name__ == "__main__":
    raise SystemExit(main())
