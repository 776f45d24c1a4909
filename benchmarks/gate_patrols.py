"""Optimal patrols from the gates of schools for different risks, and the harm they meet.

A patrol is at the gate for some minutes from the bell, walks to cells, stays 15 minutes in each and
is back when its 90 minutes are over. The program's own solver finds the proven optimum over the 40
cells of highest risk within reach.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from timed_crimes import (
    BELL,
    EXPOSURE,
    HARM,
    KIND_FROM,
    City,
    bootstrap_sums,
    compute_pupil_minutes,
    measure_walks,
    number_blocks,
    raise_pupils,
)

from patrolplan.patrols.solver.solve import OrienteeringProblem, Route, TimedPrizes, solve
from patrolplan.settings.patrol import PatrolSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PATROL = PatrolSettings()
MINUTES = int(PATROL.window_minutes)
DWELL, GATE = int(PATROL.dwell_minutes), int(PATROL.gate_minutes)
SPEED = PATROL.walking_speed_kmh * 1000 / 60  # Metres per minute
CANDIDATES = 40
AROUND_MINUTES = 15  # Harm is counted from this many minutes before a dwell to this many after it
HALF_HOUR = 30
NIGHT_PRIOR = 20  # Weight of the mean of all kinds of place, in crimes
# The ratio of night places compares these hours with all hours of school days
NIGHT_HOURS = (15 * 60, 17 * 60)


def compute_clock(city: City, category: str) -> NDArray[np.float64]:
    """(48,) rate in each half-hour of a school day over the mean of all, from earlier years."""
    learned = city.select(category, city.learned)
    on_school_days = learned[learned["kind"] == "school"]
    half_hour = on_school_days["minute"] // HALF_HOUR
    counts = np.bincount(half_hour, on_school_days["weight"], minlength=48)
    mean = learned["weight"].sum() / city.count_days(city.learned) / 48
    return counts / city.count_days(city.learned, "school") / mean


def compute_night_ratio(city: City, category: str) -> NDArray[np.float64]:
    """(5,) share of school days' crime after school by kind of place, over all; shrunk to 1."""
    crimes = city.select(category, city.learned, kind="school")
    kind = city.place_kind[crimes["cell"]]
    after = crimes["minute"].between(NIGHT_HOURS[0], NIGHT_HOURS[1] - 1).to_numpy()
    weight = crimes["weight"].to_numpy()
    number = len(KIND_FROM) + 1
    total = np.bincount(kind, weight, minlength=number)
    inside = np.bincount(kind[after], weight[after], minlength=number)
    share = inside.sum() / total.sum()
    return (inside + NIGHT_PRIOR * share) / (total + NIGHT_PRIOR) / share


def compute_risk(
    city: City, pupils: NDArray[np.float64] | None, *, night_places: bool = False
) -> NDArray[np.float64]:
    """Expected harm in each cell in each minute from the bell, on an arbitrary scale, (c, t).

    Each category's count at all hours of the years before, times its harm in days. With the (c, t)
    pupils present this is multiplied by the clock of school days and the power of the pupils, which
    does not change the category's total harm over the ranked cells and the whole patrol; and by the
    ratio of night places where that is wanted.
    """
    minutes = np.arange(BELL, BELL + MINUTES)
    near = city.is_near
    risk = np.zeros((len(near), MINUTES))
    for category, days in HARM.items():
        counts = city.count(city.select(category, city.learned))
        if not counts.any():
            continue
        harm = np.repeat(days * counts[:, None], MINUTES, axis=1)
        if night_places:
            harm *= compute_night_ratio(city, category)[city.place_kind][:, None]
        if pupils is not None:
            harm *= compute_clock(city, category)[minutes // HALF_HOUR]
            raised = harm * raise_pupils(pupils, pupils[near].mean(), EXPOSURE[category])
            harm = raised * (harm[near].sum() / raised[near].sum())
        risk += harm
    return risk


def plan_patrol(
    city: City, gate_xy: NDArray[np.float64], risk: NDArray[np.float64]
) -> list[list[tuple[int, float]]]:
    """Cells of the best patrol from a gate, and the minute after midnight of each dwell's begin.

    Both directions, which are worth the same, where the risk does not depend on time.
    """
    metres = measure_walks(gate_xy[None], city.cell_xy)[0]
    within = np.flatnonzero(metres <= PATROL.radius_metres)
    order = np.argsort(-risk[within].sum(axis=1), kind="stable")
    stops = within[order[:CANDIDATES]]
    rows = np.concatenate([gate_xy[None], city.cell_xy[stops]])
    gathered = np.zeros((len(rows), MINUTES + 1))
    np.cumsum(risk[stops], axis=1, out=gathered[1:, 1:])
    dwell = np.full(len(rows), float(DWELL))
    dwell[0] = 0.0
    problem = OrienteeringProblem(
        travel_minutes=measure_walks(rows, rows) / SPEED,
        dwell_minutes=dwell,
        earliest_minutes=BELL + GATE,
        latest_minutes=BELL + MINUTES,
        timed_prizes=TimedPrizes(BELL, gathered),
    )
    route = find_best_route(problem, gate_xy)
    visits = zip(route.stops, route.begin_minutes, strict=True)
    there = [(int(stops[row - 1]), float(begin)) for row, begin in visits if row]
    if np.ptp(risk[stops], axis=1).any():
        return [there]
    turn = BELL + GATE + route.end_minutes - DWELL
    return [there, [(cell, turn - begin) for cell, begin in reversed(there)]]


def find_best_route(problem: OrienteeringProblem, gate_xy: NDArray[np.float64]) -> Route:
    """The route that is proven best for a gate's one officer."""
    solution = solve(problem)
    if not solution.proven:
        message = f"the patrol from {gate_xy} is not proven best: {solution.status}"
        raise SystemExit(message)
    return solution.routes[0]


def find_met(city: City, tested: pd.DataFrame, risk: NDArray[np.float64]) -> pd.DataFrame:
    """Crimes of the tested days near the dwells of each gate's patrol, one row for each gate.

    `tested` is sorted by `cell`. A crime that two gates' patrols meet counts for both; its `weight`
    is halved if a patrol may go in either direction.
    """
    edges = np.searchsorted(tested["cell"], np.arange(len(city.cell_xy) + 1))
    minute = tested["minute"].to_numpy()
    met: list[pd.DataFrame] = []
    for gate, gate_xy in enumerate(city.gate_xy):
        patrols = plan_patrol(city, gate_xy, risk)
        for cell, begin in itertools.chain.from_iterable(patrols):
            here = np.arange(edges[cell], edges[cell + 1])
            after = minute[here] - begin
            seen = (after >= -AROUND_MINUTES) & (after < DWELL + AROUND_MINUTES)
            crimes = tested.iloc[here[seen]]
            met.append(crimes.assign(gate=gate, weight=crimes["weight"] / len(patrols)))
    return pd.concat(met, ignore_index=True)


def measure_met(city: City) -> NDArray[np.float64]:
    """Harm and violent crimes that each gate's patrol meets, by count and by all, (2, g, 2)."""
    edges = np.arange(BELL, BELL + MINUTES + 1)
    pupils = compute_pupil_minutes(city.cell_xy, city.gate_xy, BELL, edges)
    table = city.crimes
    first, last = map(pd.Timestamp, city.tested)
    days = (table["kind"] == "school") & (table["day"] >= first) & (table["day"] < last)
    tested = table[days].sort_values("cell", kind="stable")
    found = np.zeros((2, len(city.gate_xy), 2))
    by_count, by_all = compute_risk(city, None), compute_risk(city, pupils, night_places=True)
    for row, risk in enumerate((by_count, by_all)):
        met = find_met(city, tested, risk)
        amounts = np.column_stack([met["category"].map(HARM), met["category"] == "violence"])
        np.add.at(found[row], met["gate"], amounts * met[["weight"]].to_numpy())
    return found


def compare_patrols(cities: Sequence[City]) -> dict[str, Any]:
    """Harm met by all pupils' risk as a ratio to that by counts, with its interval, and violence.

    Both sides have the same gates, reach, time at the gate and dwell. Harm is the mean over the
    grids. The interval draws blocks of gates: it is for the same rule at other schools.
    """
    found = np.mean([measure_met(city) for city in cities], axis=0)
    drawn = bootstrap_sums(found[..., 0].T, number_blocks(cities[0].gate_xy))
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0], [0.025, 0.975])
    before, after = found.sum(axis=1)
    violent = [float(before[1]), float(after[1])]
    found = {"harm_ratio": float(after[0] / before[0]), "low": float(low), "high": float(high)}
    return found | {"violent_incidents": violent}
