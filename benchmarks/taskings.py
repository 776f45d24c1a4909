"""Random tasked places, one at a time: changed patrols, and the days on which each is met.

    python benchmarks/taskings.py --config data/patrolplan.toml --from 2026-11-16 --count 6

Each place is somewhere on the area's streets, for all schools and all days of the week. The week
without it is changed as little as possible to meet it, as on the board, and is chosen again from
scratch for comparison. A patrol counts as changed if the week before had none with the same day,
officer, school and route.
"""

import argparse
import dataclasses
import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import patrolplan as pp
from patrolplan.area import StudyArea
from patrolplan.inputs.lookups import WEEKDAYS
from patrolplan.outputs.note_words import describe_note
from patrolplan.team.day_plans import DayPlans, plan_days, replan_days
from patrolplan.team.repair import meet_demands
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import build_route_key
from patrolplan.team.solve import solve_rota
from patrolplan.team.week import Week, list_school_days


def place_somewhere(
    area: StudyArea, days: Sequence[dt.date], rng: np.random.Generator
) -> StudyArea:
    """The area with one place to visit on its streets, uniformly distributed."""
    metres = area.network.piece_metres
    piece = int(rng.choice(len(metres), p=metres / metres.sum()))
    row = {
        "place_id": ["T-1"],
        "must_visit": [True],
        "schools": [["*"]],
        "from": [pd.Timestamp(days[0])],
        "to": [pd.Timestamp(days[-1])],
        "reason": ["measured"],
        "by": ["a benchmark"],
        "from_minutes": [np.nan],
        "to_minutes": [np.nan],
        "minutes": [np.nan],
        "visits": [1],
        "officers": [1],
        "weekdays": [list(WEEKDAYS)],
    }
    point = shapely.Point(area.network.piece_middle[piece])
    places = gpd.GeoDataFrame(row, geometry=[point], crs=area.network.projection.crs)
    return dataclasses.replace(area, tasked_places=places)


def choose_week(area: StudyArea, plans: DayPlans, days: Sequence[dt.date]) -> Week:
    """The best week, without a random draw."""
    inputs = RotaInputs(area, tuple(plans[day] for day in days), tuple(days))
    return build_week(inputs, inputs.problem, solve_rota(inputs.problem))


def count_changes(before: Week, after: Week) -> dict[dt.date, int]:
    """New patrols of each day."""
    old, new = (
        {(duty.date, duty.officer, duty.urn, build_route_key(duty.patrol)) for duty in week.duties}
        for week in (before, after)
    )
    return Counter(date for date, *_ in new - old)


def measure(config: Path, start: dt.date, count: int, seed: int) -> dict[str, object]:
    """Changes and visits of `count` random places."""
    loaded = pp.load_area(config)
    area = dataclasses.replace(loaded, tasked_places=loaded.tasked_places.iloc[:0])
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    days = list_school_days(start)
    plans = plan_days(area, risk, hotspots, days, held_out=False)
    before = choose_week(area, plans, days)
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        tasked = place_somewhere(area, days, rng)
        begin, cpu = time.perf_counter(), time.process_time()
        planned = replan_days(plans, tasked, risk, hotspots)
        planned_at, planned_cpu = time.perf_counter(), time.process_time()
        repair = meet_demands(before, tasked, planned)
        repaired_at = time.perf_counter()
        again = choose_week(tasked, planned, days)
        solved_at = time.perf_counter()
        changes, afresh = (count_changes(before, week) for week in (repair.week, again))
        demands = [demand for demand in repair.week.demands if demand.kind == "tasked"]
        rows.append(
            {
                "further_routes": sum(
                    bool(variant.serves)
                    for patrol in planned[days[0]].patrols
                    for variant in patrol.variants
                ),
                "changed": sum(changes.values()),
                "changed_most_a_day": max(changes.values(), default=0),
                "changed_again": sum(afresh.values()),
                "changed_again_most_a_day": max(afresh.values(), default=0),
                "days": len(demands),
                "days_met": sum(demand.is_met for demand in demands),
                "days_met_again": sum(
                    demand.is_met for demand in again.demands if demand.kind == "tasked"
                ),
                "days_named": sum(demand.why is not None for demand in demands),
                "why": sorted({describe_note(one.why) for one in demands if one.why is not None}),
                "worth": repair.week.worth,
                "worth_again": again.worth,
                "seconds_planning": planned_at - begin,
                "seconds_planning_cpu": planned_cpu - cpu,
                "seconds_repair": repaired_at - planned_at,
                "seconds_again": solved_at - repaired_at,
            }
        )
    total = sum(row["days"] for row in rows)
    return {
        "places": count,
        "patrols": len(before.duties),
        "worth_before": before.worth,
        "changed_most_a_day": max(row["changed_most_a_day"] for row in rows),
        "days_met_share": sum(row["days_met"] for row in rows) / max(1, total),
        "days_met_or_named_share": sum(row["days_met"] + row["days_named"] for row in rows)
        / max(1, total),
        "rows": rows,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("data/patrolplan.toml"))
    parser.add_argument("--from", dest="start", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(measure(given.config, given.start, given.count, given.seed), indent=1))


if __name__ == "__main__":
    main()
