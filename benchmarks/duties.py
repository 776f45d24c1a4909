"""The demo's week with two windows and thirteen random duties: its time, and their cost.

    python benchmarks/duties.py --json duties.json

Officers are on duty from 07:30 here, so that they may patrol before school as well. Duties are
drawn at random: at schools, at points, or at unknown places.
"""

import argparse
import datetime as dt
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import patrolplan as pp
from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import resolve_window
from patrolplan.inputs.duty_table import DUTY_KINDS
from patrolplan.inputs.lookups import WEEKDAYS
from patrolplan.patrols.plan import Plan
from patrolplan.settings.patrol import PatrolWindow
from patrolplan.team.day_plans import list_day_plans, plan_days
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import solve_rota
from patrolplan.team.week import list_school_days

DEMO = Path(__file__).parents[1] / "data" / "patrolplan.toml"
MONDAY = dt.date(2026, 11, 16)
DUTIES = 13
AT_SCHOOL, WITH_PLACE = 0.5, 0.7
"""Shares of the duties at a school, and of the others at a point."""

SEEDS = (1, 2, 3, 4, 5)
MORNING = {"bell": "opening", "before_minutes": 60}
HOURS = "07:30-18:00"
MAX_PATROLS = 7


def load_demo() -> tuple[StudyArea, dict[dt.date, Plan]]:
    """The demo with two windows a day, and its plans."""
    windows = {"morning": PatrolWindow.model_validate(MORNING)}
    names = ("after_school", "morning")
    area = pp.with_settings(
        pp.load_area(DEMO), patrol={"windows": windows}, week={"windows": names}
    )
    hours = dict.fromkeys(WEEKDAYS, HOURS)
    officers = area.officers.assign(max_patrols_per_week=MAX_PATROLS, **hours)
    area = replace(area, officers=officers, duties=area.duties.iloc[:0])
    patrol = area.settings.patrol
    risks = {
        name: pp.estimate_risk(area, window=resolve_window(patrol, name=name)) for name in names
    }
    risk = risks.pop(names[0])
    hotspots, days = pp.find_hotspots(area, risk), list_school_days(MONDAY)
    return area, plan_days(area, risk, hotspots, days, further_risks=risks, held_out=False)


def draw_duties(area: StudyArea, seed: int) -> StudyArea:
    """The area with random duties of its officers in the week."""
    rng = np.random.default_rng(seed)
    days, nodes = list_school_days(MONDAY), area.network.node_xy
    at_school = rng.random(DUTIES) < AT_SCHOOL
    has_place = rng.random(DUTIES) < WITH_PLACE
    places = shapely.points(nodes[rng.integers(0, len(nodes), DUTIES)])
    places[at_school | ~has_place] = shapely.Point()
    begin = rng.integers(8 * 60, 16 * 60, DUTIES).astype(float)
    urns = rng.choice(area.schools["urn"].to_numpy(dtype=object), DUTIES)
    table = {
        "officer": rng.choice(area.officers["officer"].to_numpy(dtype=object), DUTIES),
        "date": pd.to_datetime([days[row] for row in rng.integers(0, len(days), DUTIES)]),
        "from_minutes": begin,
        "to_minutes": begin + rng.integers(30, 181, DUTIES),
        "kind": rng.choice(np.array(DUTY_KINDS, dtype=object), DUTIES),
        "urn": np.where(at_school, urns, ""),
    }
    duties = gpd.GeoDataFrame(table, geometry=places, crs=area.projection.crs)
    return replace(area, duties=duties)


def measure(area: StudyArea, plans: dict[dt.date, Plan]) -> dict[str, Any]:
    """The best week, and the time to choose it."""
    days = tuple(plans)
    inputs = RotaInputs(area, list_day_plans(plans, days, area), days)
    begun, processor = time.perf_counter(), time.process_time()
    problem = inputs.problem
    solution = solve_rota(problem)
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    leads = solution.chosen[~problem.is_companion[problem.route[solution.chosen]]]
    windows = problem.route_window[problem.route[leads]]
    return {
        "options": len(problem),
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "proven": solution.proven,
        "gap_percent": round(solution.gap_percent, 3),
        "worth": round(solution.worth, 4),
        "patrols": len(leads),
        "morning": int((windows == 1).sum()),
        "days_with_two": int((np.bincount(problem.officer_day[solution.chosen]) > 1).sum()),
    }


def main() -> None:
    """Print the figures, without duties and with the duties of each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    where = parser.parse_args().json
    area, plans = load_demo()
    rows = [{"duties": "none", **measure(area, plans)}]
    for seed in SEEDS:
        rows.append({"duties": f"seed {seed}", **measure(draw_duties(area, seed), plans)})
        print(json.dumps(rows[-1]))
    if where is not None:
        where.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
