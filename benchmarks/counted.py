"""Do counts at three corners correct where pupils walk? Measured on schools with a hidden truth.

    python benchmarks/counted.py --config FILE [--schools 50] [--seed 1] [--json FILE]

The schools of an area are drawn again and again with a truth that differs from what is assumed in
every factor: `TRUTH` of `data/demo/counts.py` has the spreads, which were written down before
anything was measured. Each is counted once, at the three corners that the program chooses, with the
groups and the odd days that counts have. Then, before and after:

- **rank**: rank correlation of the modelled and the true flow, over the streets (pieces) on which
  at least `STREETS` pupils walk, in the model without counts or in truth;
- **held**: share of those streets whose true flow is within the band of 80 %;
- **danger**: minutes of own pupils times the risk of the street per metre that the patrols meet, as
  `benchmarks/own_pupils.py` measures it, of the true pupils; also for patrols that are planned with
  the truth itself, which no count can beat.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from own_pupils import Meter
from scipy import stats

import patrolplan as pp
from patrolplan.patrols.file_forms import write_record
from patrolplan.pupils.pupils import Pupils

sys.path.append(str(Path(__file__).parents[1] / "data"))
from demo.counts import count_school, draw_truth

if TYPE_CHECKING:
    from patrolplan.pupils.flows import SchoolPupils

STREETS = (0, 1, 5, 20)


def compare(
    before: SchoolPupils, after: SchoolPupils, truth: SchoolPupils, count: int
) -> dict[str, float]:
    """Rank correlations, and how many streets are in their band, of one school."""
    flow = np.zeros((3, count))
    for row, school in enumerate((before, after, truth)):
        flow[row, school.pieces] = school.flow
    band = np.ones(count)
    band[after.counted.pieces] = after.counted.band
    found = {}
    for least in STREETS:
        own = np.maximum(flow[0], flow[2]) >= max(least, 1e-9)
        was, now, true = flow[:, own]
        found[f"rank_before_{least}"] = stats.spearmanr(was, true)[0]
        found[f"rank_after_{least}"] = stats.spearmanr(now, true)[0]
        is_held = (true <= now * band[own]) & (true >= now / band[own])
        found[f"held_{least}"] = is_held.mean()
    return found


def measure(area: pp.StudyArea, schools: int, seed: int) -> dict[str, Any]:
    """All figures, of so many schools."""
    before, found, danger = pp.model_pupils(area), [], []
    plans = {"before": _plan(area)}
    risk, count = pp.estimate_risk(area), len(before.schools)
    for draw in range(-(-schools // count)):
        rngs = [np.random.default_rng([seed, draw, number]) for number in range(count)]
        truths = [draw_truth(area, number, rng) for number, rng in enumerate(rngs)]
        rows = [count_school(area, n, truths[n], rng) for n, rng in enumerate(rngs)]
        counts = pd.concat(rows, ignore_index=True)
        counted = replace(area, way_home=replace(area.way_home, counts=counts))
        after, plans["after"] = pp.model_pupils(counted), _plan(counted)
        meter = Meter(area, risk)
        schools_known = [truth.school for truth in truths]
        meter.pupils = Pupils(area.network, schools_known, (), area.pupils_basis)
        plans["known"] = _plan(area, meter.pupils)
        for number in range(min(count, schools - draw * count)):
            three = before.schools[number], after.schools[number], truths[number].school
            found.append(compare(*three, len(area.network.walkable)))
            own = {name: plan[three[0].urn] for name, plan in plans.items()}
            danger.append({name: meter.measure(one)["danger"] for name, one in own.items()})
    met, figures = pd.DataFrame(danger), pd.DataFrame(found).mean().to_dict()
    drawn = np.random.default_rng(seed).integers(len(met), size=(2000, len(met)))
    for name in ("after", "known"):
        again = [met[one].to_numpy()[drawn].sum(axis=1) for one in (name, "before")]
        low, high = np.quantile(again[0] / again[1], [0.025, 0.975])
        ratio = f"danger_{name}"
        figures[ratio] = met[name].sum() / met["before"].sum()
        figures |= {f"{ratio}_low": low, f"{ratio}_high": high}  # by drawing schools again
    return {"schools": len(found), **figures}


def _plan(area: pp.StudyArea, pupils: Pupils | None = None) -> dict[str, Any]:
    """The patrol of each school as in plan.json."""
    risk = pp.estimate_risk(area, pupils)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))
    documents = [write_record(one, area.projection) for one in plan.patrols]
    return {one["urn"]: one for one in documents}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="Do counts correct where pupils walk?")
    parser.add_argument("--config", type=Path, required=True, help="settings")
    parser.add_argument("--schools", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    figures = measure(pp.load_area(options.config), options.schools, options.seed)
    print("\n".join(f"{name:20} {value:.3f}" for name, value in figures.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
