"""Random absences, repaired: how many cards change, and what the week is worth afterwards.

    python benchmarks/absences.py --config data/patrolplan.toml --from 2026-11-30 --count 20

Each absence is of one officer, for one to three consecutive days. It is compared with solving the
week again from scratch without the officer, which is worth more but changes nearly every card.
"""

import argparse
import datetime as dt
import json
import time
from pathlib import Path

import numpy as np

import patrolplan as pp
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.repair import repair_week
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import solve_rota


def measure(config: Path, start: dt.date, count: int, seed: int) -> dict[str, object]:
    """Cards and worth of this number of random absences."""
    area = pp.load_area(config)
    risk = pp.estimate_risk(area)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))
    week = pp.plan_week(area, plan, start=start)
    plans = list_day_plans(plan, week.days, area)
    rng = np.random.default_rng(seed)
    officers = sorted({duty.officer for duty in week.duties})
    rows = []
    for _ in range(count):
        officer = str(rng.choice(officers))
        length = int(rng.integers(1, 4))
        first = int(rng.integers(0, len(week.days) - length + 1))
        days = frozenset(week.days[first : first + length])
        begin = time.perf_counter()
        repair = repair_week(week, area, plan, absent={officer: days})
        seconds = time.perf_counter() - begin
        lost = sum(duty.officer == officer and duty.date in days for duty in week.duties)
        inputs = RotaInputs(area, plans, week.days, absent={officer: days})
        again = build_week(inputs, inputs.problem, solve_rota(inputs.problem))
        before = {duty.key for duty in week.duties}
        rows.append(
            {
                "lost": lost,
                "cards": len(repair.changes),
                "worth": repair.week.worth,
                "moves": [[len(move.changes), move.gain] for move in repair.moves],
                "again_cards": len(before ^ {duty.key for duty in again.duties}),
                "again_worth": again.worth,
                "seconds": seconds,
            }
        )
    cards = [row["cards"] for row in rows]
    return {
        "absences": count,
        "worth_before": week.worth,
        "cards_mean": float(np.mean(cards)),
        "cards_most": max(cards),
        "worth_mean": float(np.mean([row["worth"] for row in rows])),
        "again_cards_mean": float(np.mean([row["again_cards"] for row in rows])),
        "again_worth_mean": float(np.mean([row["again_worth"] for row in rows])),
        "seconds_worst": max(row["seconds"] for row in rows),
        "rows": rows,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("data/patrolplan.toml"))
    parser.add_argument("--from", dest="start", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(measure(given.config, given.start, given.count, given.seed), indent=1))


if __name__ == "__main__":
    main()
