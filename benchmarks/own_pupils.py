"""Do patrols meet their own school's pupils? Measured for plans, references and an old plan.

    python benchmarks/own_pupils.py --config FILE --json FILE [--before PLAN.json]

An officer's place is followed minute by minute, walking included, from the bell to the end of the
window; minutes that are left over count at the gate. A street is met while its middle is within
75 m. As a share of the school's whole afternoon, and then the mean over schools:

- **pupils**: minutes of own unaccompanied pupils, and **far**: of those beyond 100 m of the gate;
- **danger**: these minutes times the risk of the street per metre, without exposure;
- **own harm**: risk of the minute times the own share of the pupils there, as in the prize;
- **all harm**: risk of the minute within reach, whose pupils it may concern or not.

A stop is *low* where no street in walked sight carries 5 % of the flow on the school's busiest
(tasked, feared and designated places apart), and *noted* if 2 % of its pupils pass meanwhile.
Patrols are those before any gives way to its reference, without tasked places; *corner* is the gate
with half an hour at the busiest corner. PLAN.json is of any earlier commit. Schools without own
pupils or a presence at the gate in the window have no reference and are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

import patrolplan as pp
from patrolplan.area.patrol_window import resolve_window
from patrolplan.network.graph import find_pieces_in_sight
from patrolplan.patrols.file_forms import write_record
from patrolplan.patrols.planner import Occasion, Planner
from patrolplan.patrols.planning import plan_before_giving_way
from patrolplan.patrols.prize import count_own_pupils, weigh_by_share
from patrolplan.patrols.reference import MIN_GAIN, plan_references
from patrolplan.patrols.spots import MIN_FLOW_SHARE
from patrolplan.patrols.surroundings import build_surroundings, compute_hours
from patrolplan.times import minutes_after_midnight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.plan import Patrol

MET_METRES = 75.0
FAR_METRES = 100.0
SAME_METRES = 30.0  # Stops nearer to each other than this are at one place
NOTED_SHARE = 0.02
MEASURES = ("pupils", "far", "danger", "own_harm", "all_harm")
Document = dict[str, Any]  # A patrol as in plan.json


class Stay(NamedTuple):
    """Being somewhere, or walking along a line (n, 2), between two times after midnight."""

    begin: float
    end: float
    line: NDArray[np.float64]


class Meter:
    """What the officers of one area meet."""

    def __init__(self, area: pp.StudyArea, risk: pp.Risk) -> None:
        self.area, self.risk, self.window = area, risk, resolve_window(area.settings.patrol)
        self.pupils = risk.pupils
        self.get_rate = cache(risk.in_time.compute_rate)

    def measure(self, patrol: Document) -> dict[str, float]:
        """Per cent of the school's afternoon that a patrol meets, and what its stops are like."""
        row = self.area.schools["urn"].tolist().index(patrol["urn"])
        network, ways = self.area.network, self.pupils.schools[row]
        around = build_surroundings(self.area, row)
        hours = compute_hours(self.area, self.area.schools.iloc[row], self.window)
        inside = around.pieces < len(network)
        own_pieces = ways.pieces[ways.pieces < len(network)]
        pieces = np.union1d(around.pieces[inside], own_pieces)
        walk, from_gate = np.full((2, len(network)), np.inf)
        walk[around.pieces[inside]] = around.gate_metres[inside]
        from_gate[own_pieces] = ways.gate_metres[ways.pieces < len(network)]
        minutes = range(int(hours.start_minutes), int(hours.latest_end_minutes))
        passing, own = count_own_pupils(self.area, ways, pieces, minutes)
        rate = np.stack([self.get_rate(minute)[pieces] for minute in minutes], axis=1)
        pupils = np.stack([self.pupils.count_at(minute)[pieces] for minute in minutes], axis=1)
        danger = (self.risk.without_exposure / network.piece_metres)[pieces]
        is_near = walk[pieces] <= self.area.settings.patrol.radius_metres
        amounts = {
            "pupils": own,
            "far": own * (from_gate[pieces] > FAR_METRES)[:, None],
            "danger": own * danger[:, None],
            "own_harm": weigh_by_share(rate, own, pupils),
            "all_harm": rate * is_near[:, None],
        }
        xy = follow(self._list_stays(patrol, minutes), minutes)
        apart = network.piece_middle[pieces][:, None] - xy[None]
        met = np.hypot(apart[..., 0], apart[..., 1]) <= MET_METRES
        found = {n: 100 * float(one[met].sum() / (one.sum() or 1.0)) for n, one in amounts.items()}
        enough = NOTED_SHARE * ways.on_streets * ways.unaccompanied
        return found | self._judge_stops(patrol, pieces, passing, minutes, enough)

    def _judge_stops(
        self, patrol: Document, pieces: NDArray, passing: NDArray, minutes: range, enough: float
    ) -> dict[str, float]:
        stops = [stop for stop in patrol["stops"] if stop["kind"] != "gate"]
        flow, streets = passing.sum(axis=1), self.area.network.take(pieces)
        plain = low = noted = 0
        for stop in stops:
            place = streets.snap(self._to_metres([stop["point"]]))
            seen = find_pieces_in_sight(streets, place).indices
            is_feared = any("feel unsafe" in reason for reason in stop["why"])
            if not (is_feared or stop["tasking"] or stop["kind"] in {"tasked", "designated"}):
                plain += 1
                low += bool(flow[seen].max(initial=0.0) < MIN_FLOW_SHARE * flow.max())
            times = [minutes_after_midnight(stop[name]) for name in ("arrive", "leave")]
            begin, end = (max(0, round(time) - minutes.start) for time in times)
            noted += bool(passing[seen, begin:end].sum(axis=1).max(initial=0.0) >= enough)
        found = {"stops": len(stops), "plain_stops": plain, "low_stops": low, "noted_stops": noted}
        return found | {"kilometres": sum(leg["metres"] for leg in patrol["legs"]) / 1000}

    def _to_metres(self, points: list[list[float]]) -> NDArray[np.float64]:
        return np.column_stack(self.area.projection.to_metres(*np.array(points, dtype=float).T))

    def _list_stays(self, patrol: Document, minutes: range) -> list[Stay]:
        gate = patrol["gate"]["point"] if isinstance(patrol["gate"], dict) else patrol["gate"]
        at, now = self._to_metres([gate]), float(minutes.start)
        stays = []
        for stop, leg in zip([*patrol["stops"], None], patrol["legs"], strict=False):
            due = minutes_after_midnight(stop["arrive"]) - leg["minutes"] if stop else now
            begin = max(now, due)
            arrive = begin + leg["minutes"]
            stays += [Stay(now, begin, at), Stay(begin, arrive, self._to_metres(leg["line"]))]
            now = arrive
            if stop:
                at, now = self._to_metres([stop["point"]]), minutes_after_midnight(stop["leave"])
                stays.append(Stay(arrive, now, at))
        return [*stays, Stay(now, float(minutes.stop), self._to_metres([gate]))]


def follow(stays: list[Stay], minutes: range) -> NDArray[np.float64]:
    """(T, 2) metres of the officer in the middle of each minute; at the last place afterwards."""
    xy = np.tile(stays[-1].line[0], (len(minutes), 1))
    for column, minute in enumerate(minutes):
        now = minute + 0.5
        for stay in stays:
            if stay.begin <= now < stay.end:
                gone = np.r_[0.0, np.cumsum(np.hypot(*np.diff(stay.line, axis=0).T))]
                at = gone[-1] * (now - stay.begin) / (stay.end - stay.begin)
                xy[column] = [np.interp(at, gone, side) for side in stay.line.T]
    return xy


def count_at_once(patrols: list[Document], projection: Any) -> int:  # noqa: ANN401
    """The most officers who are at one place at one time, gates apart."""
    stops = [stop for patrol in patrols for stop in patrol["stops"] if stop["kind"] != "gate"]
    if not stops:
        return 0
    xy = np.column_stack(projection.to_metres(*np.array([stop["point"] for stop in stops]).T))
    arrive = np.array([minutes_after_midnight(stop["arrive"]) for stop in stops])
    leave = np.array([minutes_after_midnight(stop["leave"]) for stop in stops])
    near = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= SAME_METRES
    return int((near & (arrive <= arrive[:, None]) & (arrive[:, None] < leave)).sum(axis=1).max())


def divide(one: float, other: float | None) -> float | None:
    """A ratio; None where there is nothing to compare with."""
    return one / other if other else None


def measure_area(config: Path, before: Path | None = None) -> dict[str, Any]:
    """All figures of one area, in the format of `--json`."""
    area = pp.load_area(config)
    risk = pp.estimate_risk(area)
    planner = Planner(area, risk, pp.find_hotspots(area, risk))
    occasion = Occasion(resolve_window(area.settings.patrol), for_week=False)
    plans: dict[str, list[Patrol]] = {"corner": [], "reference": [], "now": []}
    seconds = []
    plan_before_giving_way(planner.get_builder(0, occasion))  # compiled before seconds count
    for row in range(len(area.schools)):
        builder, began = planner.get_builder(row, occasion), time.process_time()
        patrols, reference = plan_before_giving_way(builder)
        seconds.append(time.process_time() - began)
        if reference is not None:
            plans["now"] += patrols
            plans["reference"] += [reference] * len(patrols)
            plans["corner"] += [plan_references(builder)[-1]] * len(patrols)
    if not plans["now"]:
        sys.exit("no school has own pupils out, and a presence at the gate, in the window")
    documents = {
        name: [write_record(patrol, area.projection) for patrol in plan]
        for name, plan in plans.items()
    }
    if before is not None:
        urns = {patrol.urn for patrol in plans["now"]}
        old = json.loads(before.read_text(encoding="utf-8"))["patrols"]
        documents = {"before": [patrol for patrol in old if patrol["urn"] in urns]} | documents
    meter, table = Meter(area, risk), {}
    for name, plan in documents.items():
        found = pd.DataFrame([meter.measure(patrol) for patrol in plan])
        stops = found.filter(like="stops").sum().astype(int)
        table[name] = found.mean().to_dict() | stops.to_dict()
    now, was = table["now"], table.get("before", {})
    worth, least = (np.array([one.worth for one in plans[n]]) for n in ("now", "reference"))
    ratio = (worth / least)[least > 0]
    kept = np.where(ratio < MIN_GAIN, 1.0, ratio)
    return {
        "patrols": len(worth),
        "low_stops_percent": 100 * (divide(now["low_stops"], now["plain_stops"]) or 0),
        **{f"{name}_over_before": divide(now[name], was.get(name)) for name in MEASURES[2:]},
        "worth_over_reference": divide(worth.sum(), least.sum()),
        "pupils_over_reference": divide(now["pupils"], table["reference"]["pupils"]),
        "pupils_over_corner": divide(now["pupils"], table["corner"]["pupils"]),
        "worst_school": min(kept, default=None),
        "worst_school_before_giving_way": min(ratio, default=None),
        "give_way": int((ratio < MIN_GAIN).sum()),
        "stops_two_percent": 100 * (divide(now["noted_stops"], now["stops"]) or 0),
        "at_once": count_at_once(documents["now"], area.projection),
        "kilometres": now["kilometres"],
        "proven": sum(patrol.proven for patrol in plans["now"]),
        "longest_seconds": max(seconds),
        "plans": table,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings")
    parser.add_argument("--before", type=Path, metavar="PLAN.json", help="a plan to compare with")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    figures = measure_area(options.config, options.before)
    print(f"{'% of the afternoon':20}" + "".join(f"{name:>10}" for name in MEASURES))
    for name, row in figures["plans"].items():
        print(f"{name:20}" + "".join(f"{row[measure]:10.1f}" for measure in MEASURES))
    for name, value in figures.items():
        if name != "plans":
            print(f"{name:32} {'-' if value is None else format(value, '.4g')}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
