"""Street violence that an officer meets who stands by one rule or another, on later school days.

    python benchmarks/standing.py --data DIR [--school-address none|half|all] [--json FILE]

DIR is that of `timed_crimes.py`, which also says what the option is about; without it all three are
computed, and the longer table is that of half.

Every high school's officer is at the gate from the bell. Cells of 50 m stand for corners; how far
one sees and goes, how long one stays and how often one comes back is what the program says, and
walking counts nothing. Risk is learned from the years before: counts by category, harm, clock and
the pupils present. Half of all minutes recorded are :00 or :30, so an incident is spread over the
minutes that its own may have been rounded from. What is compared:

- `patrol`: the program's own prize, and the reference where that gains too little;
- `gate`: the gate throughout;
- `reference`: the better, by the same prize, of the gate and of half an hour at the busiest corner;
- `gate_30`: the gate for half an hour, then any corner within 300 m, the mean over them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from gate_patrols import DWELL, GATE, MINUTES, SPEED, compute_risk, find_best_route
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from timed_crimes import (
    BELL,
    CORNER_METRES,
    SCHOOL_ADDRESS,
    USUAL,
    City,
    Tables,
    bootstrap_sums,
    compute_pupil_minutes,
    lay_out,
    measure_walks,
    parse_options,
    read_tables,
)

from patrolplan.network.graph import SIGHT_METRES
from patrolplan.patrols.choice import GATE_DWELLS, PLACE_DWELLS
from patrolplan.patrols.prize import MAX_PLACES, choose_apart, sum_best, weigh_by_share
from patrolplan.patrols.reference import CORNER_MINUTES, MIN_GAIN
from patrolplan.patrols.school_problem import find_earlier_visits
from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes
from patrolplan.patrols.surroundings import MAX_METRES

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATE_GATE, LATE_METRES = 30, 300.0
# Minutes that are multiples of the first may have been rounded by as much as the second
ROUNDED = ((30, 15.0), (5, 2.5), (1, 0.5))
Stay = tuple[int, float, float]
"""Cell, or -1 for the gate; from and to, in minutes after midnight."""


class Around(NamedTuple):
    """What a school's officer knows of the cells around the gate, itself first."""

    cells: NDArray[np.int64]  # (k,) cells within `MAX_METRES`, -1 for the gate
    minutes: NDArray[np.float64]  # (k, k) to walk
    rates: NDArray[np.float64]  # (k, T) the prize of each minute
    passing: NDArray[np.float64]  # (k,) own pupils in sight, all in all
    xy: NDArray[np.float64]  # (k, 2) metres


def gather(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, T + 1) sums of the rates up to each minute."""
    return np.pad(np.cumsum(rates, axis=1), ((0, 0), (1, 0)))


def look_around(city: City, gate: int, risk: NDArray, everybody: NDArray) -> Around:
    """The cells around a gate and their prizes."""
    xy = city.gate_xy[gate]
    walk = measure_walks(xy[None], city.cell_xy)[0]
    seen_from = np.flatnonzero(walk <= MAX_METRES + 2 * SIGHT_METRES)
    cells = np.flatnonzero(walk <= MAX_METRES)
    places = np.concatenate([xy[None], city.cell_xy[cells]])
    edges = np.arange(BELL, BELL + MINUTES + 1)
    own = compute_pupil_minutes(city.cell_xy[seen_from], xy[None], BELL, edges, parts=1)
    tree = cKDTree(city.cell_xy[seen_from])
    pairs = tree.query_ball_point(places, SIGHT_METRES)
    columns = np.concatenate(pairs).astype(np.int64)
    ends = np.cumsum([0, *map(len, pairs)])
    shape = (len(places), len(seen_from))
    seen = csr_array((np.ones(len(columns)), columns, ends), shape=shape)
    rates = seen @ weigh_by_share(risk[seen_from], own, everybody[seen_from])
    minutes = measure_walks(places, places) / SPEED
    return Around(np.r_[-1, cells], minutes, rates, seen @ own.sum(axis=1), places)


def plan_patrol(around: Around) -> list[Stay]:
    """The patrol by the program's own prize: the gate, then where its minutes are worth most."""
    best = sum_best(around.rates[:, GATE:], DWELL)
    near = cdist(around.xy, around.xy) <= SIGHT_METRES
    chosen = np.array(choose_apart(near, best, best > 0, MAX_PLACES), dtype=np.int64)
    # The first row is the gate at the beginning; each place comes as often as it may be visited.
    count = len(chosen)
    place_of = np.r_[np.zeros(1 + GATE_DWELLS, int), np.repeat(np.arange(1, count), PLACE_DWELLS)]
    rows = chosen[place_of]
    dwell = np.full(len(rows), float(DWELL))
    dwell[0] = 0.0
    problem = OrienteeringProblem(
        travel_minutes=around.minutes[np.ix_(rows, rows)],
        dwell_minutes=dwell,
        earliest_minutes=BELL + GATE,
        latest_minutes=BELL + MINUTES,
        barred=frozenset({0}),
        timed_prizes=TimedPrizes(BELL, gather(around.rates[rows])),
        follows=find_earlier_visits(place_of[1:].tolist()),
    )
    route = find_best_route(problem, around.xy[0])
    # Waiting belongs to the place before the walk, what is left at the end to the gate.
    end = float(BELL + GATE)
    at = 0
    came = float(BELL)
    stays: list[Stay] = []
    for row, begin in zip(route.stops, route.begin_minutes, strict=True):
        place = int(rows[row])
        if place != at:
            stays.append((int(around.cells[at]), came, begin - around.minutes[at, place]))
            at = place
            came = begin
        end = begin + DWELL
    if at:
        stays.append((int(around.cells[at]), came, end))
        came = end + around.minutes[at, 0]
    return [*stays, (-1, came, BELL + MINUTES)]


def plan_corner(around: Around, place: int, gate: float, stay: float) -> list[Stay]:
    """The gate for some minutes, one corner for some, the gate again."""
    walk = float(around.minutes[0, place])
    leave = min(BELL + gate + walk + stay, BELL + MINUTES - walk)
    return [
        (-1, BELL, BELL + gate),
        (int(around.cells[place]), BELL + gate + walk, leave),
        (-1, leave + walk, BELL + MINUTES),
    ]


def sum_worth(around: Around, stays: list[Stay]) -> float:
    """The prize of some stays."""
    row = {int(cell): number for number, cell in enumerate(around.cells)}
    gathered = gather(around.rates)
    minutes = BELL + np.arange(gathered.shape[1])
    return sum(
        float(np.diff(np.interp([begin, end], minutes, gathered[row[cell]]))[0])
        for cell, begin, end in stays
    )


class Incidents:
    """Violence on the streets of the tested school days, with the minutes it may have been in."""

    def __init__(self, city: City) -> None:
        crimes = city.select("violence", city.tested, kind="school")
        self.tree = cKDTree(crimes[["x", "y"]].to_numpy())
        minute = crimes["minute"].to_numpy(dtype=np.float64)
        half = np.select([minute % step == 0 for step, _ in ROUNDED], [by for _, by in ROUNDED])
        self.low, self.high = minute - half, minute + half
        self.weight = crimes["weight"].to_numpy()

    def count_met(self, xy: NDArray[np.float64], begin: float, end: float) -> float:
        """How many are expected within sight of a place between two times."""
        near = self.tree.query_ball_point(xy, SIGHT_METRES)
        low, high = self.low[near], self.high[near]
        inside = np.minimum(high, end) - np.maximum(low, begin)
        return float((self.weight[near] * np.maximum(inside, 0.0) / (high - low)).sum())


def count_met_by_rules(around: Around, incidents: Incidents) -> dict[str, float]:
    """Incidents that the officer of one gate meets in all the tested years, by rule."""
    place = dict(zip(around.cells.tolist(), around.xy, strict=True))

    def count(stays: list[Stay]) -> float:
        return sum(incidents.count_met(place[cell], begin, end) for cell, begin, end in stays)

    plain: list[Stay] = [(-1, BELL, BELL + MINUTES)]
    patrol, reference = plan_patrol(around), plain
    is_apart = np.hypot(*(around.xy - around.xy[0]).T) > SIGHT_METRES
    if is_apart.any():
        busiest = int(np.argmax(np.where(is_apart, around.passing, -1.0)))
        corner = plan_corner(around, busiest, GATE, CORNER_MINUTES)
        reference = max(plain, corner, key=lambda stays: sum_worth(around, stays))
    gives_way = sum_worth(around, patrol) < MIN_GAIN * sum_worth(around, reference)
    near = np.flatnonzero(around.minutes[0, 1:] * SPEED <= LATE_METRES) + 1
    late = [count(plan_corner(around, int(row), LATE_GATE, MINUTES)) for row in near]
    return {
        "patrol": count(reference if gives_way else patrol),
        "gate": count(plain),
        "reference": count(reference),
        "gate_30": float(np.mean(late)) if late else count(plain),
    }


def compare_standing(city: City) -> dict[str, Any]:
    """Violence met per 1,000 patrols by rule, with 95 % intervals over schools."""
    edges = np.arange(BELL, BELL + MINUTES + 1)
    everybody = compute_pupil_minutes(city.cell_xy, city.gate_xy, BELL, edges, parts=1)
    risk, incidents = compute_risk(city, everybody), Incidents(city)
    met = [
        count_met_by_rules(look_around(city, gate, risk, everybody), incidents)
        for gate in range(len(city.gate_xy))
    ]
    table = pd.DataFrame(met) * 1000 / city.count_days(city.tested, "school")
    drawn = bootstrap_sums(table.to_numpy(), np.arange(len(table))) / len(table)
    drawn = pd.DataFrame(drawn, columns=table.columns)
    found: dict[str, Any] = {
        name: {"met_per_thousand": float(table[name].mean()), **find_ends(drawn[name])}
        for name in table
    }
    return found | {"patrol_over_gate": divide_by_gate(table, drawn)}


def divide_by_gate(table: pd.DataFrame, drawn: pd.DataFrame) -> dict[str, float | None]:
    """What patrols meet over what the gate does, with an interval; None if the gate meets none."""
    if not table["gate"].any():
        return dict.fromkeys(("ratio", "low", "high"))
    ratio = float(table["patrol"].sum() / table["gate"].sum())
    some = drawn[drawn["gate"] > 0]  # a draw of schools whose gates met nothing has no ratio
    return {"ratio": ratio, **find_ends(some["patrol"] / some["gate"])}


def measure_standing(tables: Tables, school_address: str | None) -> dict[str, Any]:
    """The figures of a city, and the ratio for each way to count crimes at schools' addresses."""
    ways = [school_address] if school_address else [*SCHOOL_ADDRESS]
    figures = {
        way: compare_standing(lay_out(*tables, cell_metres=CORNER_METRES, school_address=way))
        for way in ways
    }
    ratios = {way: figures[way]["patrol_over_gate"] for way in ways}
    return {"standing": figures[school_address or USUAL], "school_address": ratios}


def print_standing(figures: dict[str, Any]) -> None:
    """Print what `measure_standing` gives as two tables."""
    tables = {
        "violence met per 1,000 patrols, and a ratio": figures["standing"],
        "patrol over gate, by how many crimes at a school's own address count": figures[
            "school_address"
        ],
    }
    for title, table in tables.items():
        print(f"\n{title}\n{pd.DataFrame(table).T.to_string(float_format='{:.2f}'.format)}")


def find_ends(drawn: pd.Series) -> dict[str, float]:
    """The ends of a 95 % interval."""
    low, high = drawn.quantile([0.025, 0.975])
    return {"low": float(low), "high": float(high)}


def main() -> None:
    """Measure, print and write."""
    options = parse_options(__doc__ or "")
    figures = measure_standing(read_tables(options.data), options.school_address)
    print_standing(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
