"""Plans weeks for the demo borough and for random teams, and the plain way next to them.

    python benchmarks/week.py [--seeds N] [--first SEED] [--sizes demo 12 60 500] [--json FILE]

The plain way: every officer takes their schools in turn, on every day on which they are on duty
until they have reached their maximum, by the school's best patrol. Seconds are of processor time,
on one thread; nothing is stopped by the clock. The search is compiled before.
`--json -` prints the figures.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from teams import SIZES, draw_team  # noqa: E402

import patrolplan as pp  # noqa: E402
from patrolplan.team.day_plans import plan_days  # noqa: E402
from patrolplan.team.free_time import list_school_days  # noqa: E402
from patrolplan.team.objective import compute_worth, count_days_in_a_row, sum_minutes_by_day  # noqa: E402
from patrolplan.team.rota_inputs import RotaInputs  # noqa: E402
from patrolplan.team.solve import SearchLimits, solve_rota  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.team.problem import RotaProblem

DEMO = Path(__file__).parents[1] / "data" / "patrolplan.toml"
MONDAY = dt.date(2026, 11, 30)
DAYS_IN_A_ROW = 3
GAPS = {12: 0.0, 60: 0.5, 500: 1.0}


def plan_baseline(problem: RotaProblem) -> NDArray[np.int64]:
    """Options of the plain way: schools in turn, each by its best patrol."""
    best = np.full(problem.schools, -1)
    for route in range(len(problem.route_school) - 1, -1, -1):
        best[problem.route_school[route]] = route  # the first route of a school is its best
    keys = np.column_stack([problem.officer, problem.day, problem.school]).tolist()
    is_best = problem.route == best[problem.school]
    option = {tuple(key): o for o, key in enumerate(keys) if is_best[o]}
    chosen: list[int] = []
    taken: set[tuple[int, int]] = set()
    turn = np.zeros(len(problem.max_patrols), dtype=np.int64)
    done = np.zeros(len(problem.max_patrols), dtype=np.int64)
    mine = [sorted({s for k, _, s in option if k == who}) for who in range(len(done))]
    for day in range(len(problem.dates)):
        for who, schools in enumerate(mine):
            if done[who] >= problem.max_patrols[who]:
                continue
            in_turn = [schools[(turn[who] + n) % len(schools)] for n in range(len(schools))]
            for school in in_turn:
                if (who, day, school) in option and (school, day) not in taken:
                    chosen.append(option[who, day, school])
                    taken.add((school, day))
                    turn[who] = schools.index(school) + 1
                    done[who] += 1
                    break
    return np.array(sorted(chosen), dtype=np.int64)


def compute_figures(problem: RotaProblem, chosen: NDArray[np.int64]) -> dict[str, float]:
    """What is compared: worth, spread, days in a row, and the worst-off school."""
    minutes = sum_minutes_by_day(problem, chosen)
    dosed = minutes > 0
    dose = np.bincount(problem.visits[:, 0], problem.visit_minutes, len(problem.route_school))
    schools = np.bincount(problem.school[chosen], dose[problem.route[chosen]], problem.schools)
    run = count_days_in_a_row(problem, dosed)
    return {
        "worth": round(compute_worth(problem, chosen), 6),
        "patrols": len(chosen),
        "hotspots_dosed": int(dosed.any(axis=1).sum()),
        "three_in_a_row": int((run >= DAYS_IN_A_ROW).any(axis=1).sum()),
        "lowest_school_dose_minutes": float(schools.min()),
        "most_minutes_a_day": float(minutes.max()),
    }


def load_demo_problem() -> RotaProblem:
    """The demo borough's week."""
    area = pp.load_area(DEMO)
    risk = pp.estimate_risk(area)
    days = list_school_days(MONDAY)
    plans = plan_days(area, risk, pp.find_hotspots(area, risk), days)
    return RotaInputs(area, tuple(plans.values()), days).problem


def measure(label: str, seed: int, problem: RotaProblem, size: int) -> dict[str, Any]:
    """One team: our week, the plain way's, and the processor time ours took."""
    begun = time.process_time()
    solution = solve_rota(problem, stop=SearchLimits(gap_percent=GAPS[size]))
    took = time.process_time() - begun
    return {
        "team": label,
        "seed": seed,
        "options": len(problem),
        "seconds": round(took, 2),
        "gap_percent": round(solution.gap_percent, 3),
        "proven": solution.proven,
        "ours": compute_figures(problem, solution.chosen),
        "plain": compute_figures(problem, plan_baseline(problem)),
    }


def format_table(rows: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table, ours / plain."""
    head = "team | seed | seconds | gap % | worth | better by | hotspots | 3 in a row | lowest dose"
    lines = [f"| {head} | most a day |", "|" + " --- |" * 10]
    for row in rows:
        ours, plain = row["ours"], row["plain"]
        more = 100 * (ours["worth"] / plain["worth"] - 1)
        pairs = [f"{ours[name]:g} / {plain[name]:g}" for name in list(ours)[2:]]
        worth = f"{ours['worth']:.3f} / {plain['worth']:.3f}"
        cells = (row["team"], row["seed"], row["seconds"], row["gap_percent"], worth)
        cells += (f"{more:.1f} %", *pairs)
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="random teams of each size")
    parser.add_argument("--first", type=int, default=0, help="first seed of the random teams")
    parser.add_argument("--sizes", nargs="+", default=["demo", "12", "60", "500"])
    parser.add_argument("--json", help="file for the figures, - for standard output")
    options = parser.parse_args()
    rows = []
    solve_rota(draw_team(4, 3, seed=0))  # compiles the search, once on each computer
    if "demo" in options.sizes:
        rows.append(measure("demo", 1, load_demo_problem(), 12))
    for schools, officers in SIZES:
        seeds = options.seeds if str(schools) in options.sizes else 0
        for seed in range(options.first, options.first + seeds):
            problem = draw_team(schools, officers, seed=seed)
            rows.append(measure(f"{schools}, {officers}", seed, problem, schools))
            print(format_table(rows[-1:]).splitlines()[-1], file=sys.stderr)
    if options.json == "-":
        print(json.dumps({"weeks": rows}, indent=1))
        return
    print(format_table(rows))
    if options.json:
        text = json.dumps({"weeks": rows}, indent=1) + "\n"
        Path(options.json).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
