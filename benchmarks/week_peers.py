"""Gives the programme of random teams' weeks to HiGHS and SCIP, and ours in the same run.

    python benchmarks/week_peers.py [--teams 12/8/400 24/13/400 ...] [--scip PYTHON] [--json FILE]

All stop at the same gap between week and bound, and are measured in processor seconds on one
thread. `--scip` is a Python that has PySCIPOpt; without it SCIP is left out. Ours begins with the
team, HiGHS and SCIP with the finished programme, in which the floor is found already.
`--json -` prints the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import highspy  # noqa: E402
from teams import draw_team  # noqa: E402

from patrolplan.team.mip import MipBuilder, MixedIntegerProgramme  # noqa: E402
from patrolplan.team.programme import add_floor, add_objective, add_options  # noqa: E402
from patrolplan.team.solve import SearchLimits, find_floor, solve_rota  # noqa: E402

TEAMS = ("12/8/400", "24/13/400", "24/13/401", "31/16/400", "40/20/400", "60/25/400")
GAP_PERCENT = 0.5
MAX_SECONDS = 300
SCIP = """
import json, sys, time
from pyscipopt import Model
model = Model()
model.hideOutput()
model.readProblem(sys.argv[1])
model.setParam("limits/gap", float(sys.argv[2]) / 100)
model.setParam("limits/time", float(sys.argv[3]))
begun = time.process_time()
model.optimize()
took = time.process_time() - begun
worth, bound = abs(model.getObjVal()), abs(model.getDualbound())
print(json.dumps({"seconds": took, "gap_percent": 100 * (1 - worth / bound)}))
"""


def build_programme(spec: str) -> MixedIntegerProgramme:
    """The programme of a team's week, with its floor."""
    schools, officers, seed = map(int, spec.split("/"))
    problem = draw_team(schools, officers, seed=seed)
    floor = find_floor(problem)
    model = MipBuilder()
    x = add_options(model, problem)
    add_floor(model, problem, x, floor)
    add_objective(model, problem, x)
    return model.build()


def measure_ours(spec: str) -> dict[str, float]:
    """Our search, floor and all."""
    schools, officers, seed = map(int, spec.split("/"))
    problem = draw_team(schools, officers, seed=seed)
    begun = time.process_time()
    solution = solve_rota(problem, stop=SearchLimits(gap_percent=GAP_PERCENT))
    took = time.process_time() - begun
    return {"seconds": took, "gap_percent": solution.gap_percent}


def measure_highs(solver: highspy.Highs) -> dict[str, float]:
    """HiGHS with its own settings on one thread."""
    begun = time.process_time()
    solver.run()
    took = time.process_time() - begun
    info = solver.getInfo()
    worth, bound = info.objective_function_value, info.mip_dual_bound
    return {"seconds": took, "gap_percent": 100 * (1 - worth / bound)}


def measure_team(spec: str, scip: str | None) -> dict[str, Any]:
    """One team by all of them."""
    row: dict[str, Any] = {"team": spec, "ours": measure_ours(spec)}
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "mip_rel_gap": GAP_PERCENT / 100}
    for option, value in (options | {"time_limit": float(MAX_SECONDS)}).items():
        solver.setOptionValue(option, value)
    solver.passModel(build_programme(spec)._build_highs_model())  # noqa: SLF001
    row["highs"] = measure_highs(solver)
    if scip is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "week.mps"
            solver.writeModel(str(path))
            call = [scip, "-c", SCIP, str(path), str(GAP_PERCENT), str(MAX_SECONDS)]
            done = subprocess.run(call, capture_output=True, text=True, check=True)  # noqa: S603
        row["scip"] = json.loads(done.stdout.splitlines()[-1])
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teams", nargs="+", default=list(TEAMS))
    parser.add_argument("--scip", help="a Python that has PySCIPOpt")
    parser.add_argument("--json", help="file for the figures, - for standard output")
    options = parser.parse_args()
    warm_up = SearchLimits(moves_per_school=10)
    solve_rota(draw_team(20, 12, seed=0), stop=warm_up)  # compiles the search
    names = ["ours", "highs", *(["scip"] if options.scip else [])]
    rows = []
    if options.json != "-":
        print("| team | " + " | ".join(names) + " |\n|" + " --- |" * (len(names) + 1))
    for spec in options.teams:
        rows.append(measure_team(spec, options.scip))
        cells = [f"{rows[-1][n]['seconds']:.1f} → {rows[-1][n]['gap_percent']:.2f}" for n in names]
        if options.json != "-":
            print(f"| {spec} | " + " | ".join(cells) + " |", flush=True)
    text = json.dumps({"gap_percent": GAP_PERCENT, "teams": rows}, indent=1) + "\n"
    if options.json == "-":
        print(text)
    elif options.json:
        Path(options.json).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
