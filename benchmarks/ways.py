"""Measure the model of pupils' ways home: time, conservation, and what posts meet.

    python benchmarks/ways.py --config FILE --json FILE

For each school of the settings file: seconds to model its ways (best of several), pupils on the
streets and elsewhere minus the roll, the share of pupil-minutes beyond 100 m of the gate that pass
within 35 minutes of the bell, and for one and for four posts the share met, the gap and the
seconds. Shares are for posts that meet the most pupil-weighted risk; `pupils_alone` is what posts
could meet if risk did not count. Shares of single schools are not rounded here, since none of them
shows where anyone walks.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import patrolplan as pp
from patrolplan.pupils.destinations import Homes, find_stops
from patrolplan.pupils.flows import _Model, model_ways
from patrolplan.pupils.posts import POST_MINUTES, choose_posts
from patrolplan.pupils.presence import LONGEST_MINUTES, NOON_MINUTES, Presence
from patrolplan.pupils.rolls import count_pupils, find_mode_shares

REPEATS = 5
POSTS = (1, 4)


def time_schools(area: pp.StudyArea) -> list[float]:
    """(m,) seconds to model each school's ways, the best of several, without shared work."""
    network = area.network.walkable
    modes = find_mode_shares(area.settings.way_home)
    stops = [find_stops(network, area.way_home.stops, kind) for kind in ("bus_stop", "station")]
    model = _Model(area, modes, Homes(network, area.way_home), stops)
    seconds = []
    for number, by_stage in enumerate(count_pupils(area.schools).by_stage):
        best = np.inf
        for _ in range(REPEATS):
            start = time.perf_counter()
            model.compute(number, by_stage)
            best = min(best, time.perf_counter() - start)
        seconds.append(best)
    return seconds


def measure_posts(
    area: pp.StudyArea, presence: Presence, rate: np.ndarray, urn: str
) -> dict[str, dict[str, float]]:
    """What posts meet, by their number."""
    measured = {}
    for count in POSTS:
        start = time.perf_counter()
        plan = choose_posts(area, presence, rate, urn, count)
        seconds = time.perf_counter() - start
        alone = choose_posts(area, presence, np.ones(len(rate)), urn, count)
        measured[str(count)] = {
            "pupil_share": plan.posts[-1].pupil_share if plan.posts else 0.0,
            "pupils_alone": alone.posts[-1].pupil_share if alone.posts else 0.0,
            "gap_percent": plan.gap_percent,
            "seconds": seconds,
        }
    return measured


def measure(config: Path) -> dict[str, Any]:
    """Everything about one settings file."""
    area = pp.load_area(config)
    risk = pp.estimate_risk(area)
    rate = risk.without_exposure / area.network.piece_metres
    start = time.perf_counter()
    ways = model_ways(area)
    together = time.perf_counter() - start
    presence = Presence(area, ways)
    start = time.perf_counter()
    presence.sum_between(0, LONGEST_MINUTES)
    tables = time.perf_counter() - start
    start = time.perf_counter()
    for minute in range(900, 960):
        presence.count_at(minute)
    minute_seconds = (time.perf_counter() - start) / 60
    schools = []
    for school, seconds in zip(ways.schools, time_schools(area), strict=True):
        span = (school.bell_minutes, school.bell_minutes + POST_MINUTES)
        soon = presence.sum_journey(school.urn, *span).sum()
        whole = presence.sum_journey(school.urn, NOON_MINUTES, LONGEST_MINUTES).sum()
        schools.append(
            {
                "urn": school.urn,
                "seconds": seconds,
                "conservation_error": abs(school.on_streets + school.elsewhere - school.roll),
                "soon_share": float(soon / whole),
                "posts": measure_posts(area, presence, rate, school.urn),
            }
        )
    return {
        "area": area.name,
        "pieces": len(area.network),
        "walkable_pieces": len(area.network.walkable),
        "all_schools_seconds": together,
        "tables_seconds": tables,
        "minute_seconds": minute_seconds,
        "schools": schools,
    }


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    chosen = parser.parse_args()
    measured = measure(chosen.config)
    chosen.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    for school in measured["schools"]:
        posts = "  ".join(
            f"{count}: {one['pupil_share']:6.1%} of at most {one['pupils_alone']:6.1%}"
            f" ({one['gap_percent']:.3f} %, {one['seconds']:.1f} s)"
            for count, one in school["posts"].items()
        )
        print(
            f"{school['urn']}  {1000 * school['seconds']:5.1f} ms  "
            f"error {school['conservation_error']:.0e}  soon {school['soon_share']:.1%}  {posts}"
        )


if __name__ == "__main__":
    main()
