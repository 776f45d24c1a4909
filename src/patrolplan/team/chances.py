"""How likely each hotspot is visited in each quarter of an hour, and how well that can be foreseen.

Chances are counted, not derived: over weeks on long walks of the kind that draws the week, and over
all orders of stops and start minutes of each patrol in them. They do not depend on the secret. An
insider, who has the tool and the data but not the secret, can compute the same chances, and the
best guess is the most probable cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from patrolplan.parallel import map_in_threads
from patrolplan.team.draw import walk_from
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import Floats, Ints, RotaProblem
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.rota_search import anneal_week
from patrolplan.team.solve import RotaSolution, find_floor
from patrolplan.team.walks import DwellMiddles, list_dwell_middles
from patrolplan.team.week import Foreseen

WALKS = 2
"""Walks, each from the best week with the moves of a draw before its first state."""
STATES = 150
"""Number of weeks that are counted, over all walks."""
MOVES_BETWEEN = 500
"""Small changes from one week that is counted to the next: with four times as many, chances come no
nearer to those of weeks drawn one by one, see `tests/team/test_chances.py`."""

MOVES_PER_SCHOOL = 30_000
"""Small changes on the way to a week that is nearly the best one."""

QUARTER_MINUTES = 15
FORESEEN_DIGITS = 4
QUARTERS = 24 * 60 // QUARTER_MINUTES


@dataclass(frozen=True, eq=False)
class VisitTimes:
    """Quarters of an hour in which each route may visit its hotspots.

    All arrays (c,): one row for each route, hotspot and quarter that is possible by some order of
    its stops and some start minute. A dwell is in the quarter of its middle.
    """

    route: Ints
    hotspot: Ints
    quarter: Ints
    """From midnight."""
    share: Floats
    """Among all orders and start minutes of the route."""

    @classmethod
    def collect(cls, inputs: RotaInputs) -> "VisitTimes":
        """Those of the routes of a week."""
        row = {name: number for number, name in enumerate(inputs.hotspots)}
        stops = [
            np.array([row.get(stop.hotspot, -1) for stop in route.stops], dtype=np.int64)
            for route in inputs.routes
        ]
        middles = [list_dwell_middles(route) for route in inputs.routes]
        return cls.count(stops, middles)

    @classmethod
    def count(cls, stops: Sequence[Ints], middles: Sequence[DwellMiddles]) -> "VisitTimes":
        """Those of (r,) routes with (n,) hotspots each, -1 for none, and their dwells' middles."""
        rows = [
            np.column_stack(
                [
                    np.full(when.stop.size, number),
                    hotspots[when.stop].ravel(),
                    when.minutes.ravel() // QUARTER_MINUTES,
                    np.repeat(when.chance, when.stop.shape[1]),
                ]
            )
            for number, (hotspots, when) in enumerate(zip(stops, middles, strict=True))
            if when.stop.size
        ]
        table = np.concatenate([np.zeros((0, 4)), *rows])
        table = table[table[:, 1] >= 0]
        cells, which = np.unique(table[:, :3].astype(np.int64), axis=0, return_inverse=True)
        share = np.zeros(len(cells))
        np.add.at(share, which.ravel(), table[:, 3])
        return cls(cells[:, 0], cells[:, 1], cells[:, 2], share)

    @cached_property
    def start(self) -> Ints:
        """Where the rows of each route begin, and where those of the last one end."""
        routes = int(self.route.max(initial=-1)) + 1
        return np.searchsorted(self.route, np.arange(routes + 1))


def sample_weeks(
    problem: RotaProblem, solution: RotaSolution, give: float, *, seed: int, states: int = STATES
) -> list[Ints]:
    """Weeks as they might be drawn, without the secret."""
    if give <= 0 or not len(solution.chosen):
        return [solution.chosen]

    def walk(number: int) -> list[Ints]:
        own = (seed * WALKS + number) * 0x9E3779B97F4A7C15 % 2**64
        (first,) = walk_from(problem, solution, give, seed=own)
        return walk_from(
            problem,
            solution,
            give,
            start=first,
            seed=own ^ 1 << 63,
            moves=MOVES_BETWEEN,
            states=-(-states // WALKS),
        )

    runs = [one.result() for one in map_in_threads(walk, range(WALKS))]
    return [week for run in runs for week in run]


def compute_chances(problem: RotaProblem, times: VisitTimes, weeks: list[Ints]) -> Floats:
    """(h, d, q) chance of a visit to each hotspot on each day in each quarter of an hour."""
    shape = (len(problem.weight), len(problem.dates), QUARTERS)
    total = np.zeros(shape)
    routes = len(times.start) - 1
    for chosen in weeks:
        patrols = chosen[problem.route[chosen] < routes]
        missed = np.ones(shape)
        for day in range(len(problem.dates)):
            rows = np.concatenate(
                [np.zeros(0, dtype=np.int64)]
                + [
                    np.arange(times.start[route], times.start[route + 1])
                    for route in problem.route[patrols[problem.day[patrols] == day]]
                ]
            )
            place = (times.hotspot[rows], np.full(len(rows), day), times.quarter[rows])
            np.multiply.at(missed, place, 1 - np.minimum(1.0, times.share[rows]))
        total += 1 - missed
    return np.asarray(total / max(1, len(weeks)))


def compute_foreseen(chances: Floats) -> float:
    """Share of a week's visits that an insider is expected to name."""
    # The insider names as many cells as there are visits in a week on average, the most probable
    # ones.
    visits = float(chances.sum())
    if visits <= 0:
        return 0.0
    probable = np.sort(chances[chances > 0])[::-1]
    return float(probable[: max(1, round(visits))].sum() / visits)


def estimate_chances(inputs: RotaInputs, best: RotaSolution) -> Floats:
    """(h, d, q) chances of the weeks that may be drawn under the locks and bans of the inputs."""
    settings = inputs.area.settings
    weeks = sample_weeks(inputs.problem, best, settings.week.give, seed=settings.seed)
    return compute_chances(inputs.problem, VisitTimes.collect(inputs), weeks)


def find_foreseen(inputs: RotaInputs, chances: Floats) -> Foreseen:
    """How well a week is foreseen with its locks and bans, of which `chances` are, and without."""
    with_locks = round(compute_foreseen(chances), FORESEEN_DIGITS)
    if not (inputs.locks or inputs.bans):
        return Foreseen(with_locks, with_locks)
    free = inputs.with_locks_and_bans(locks=(), bans=())
    best = _find_nearly_best(free.problem, inputs.area.settings.seed)
    without = round(compute_foreseen(estimate_chances(free, best)), FORESEEN_DIGITS)
    return Foreseen(without, with_locks)


def _find_nearly_best(problem: RotaProblem, seed: int) -> RotaSolution:
    """A week to start a walk from, without a bound, which takes most of the time of a solution."""
    floor = find_floor(problem)
    moves = MOVES_PER_SCHOOL * problem.schools
    chosen = anneal_week(problem, floor, floor.chosen, moves=moves, seed=seed)
    worth = compute_worth(problem, chosen).total
    return RotaSolution(chosen, worth, worth, proven=False, floor=floor)


def tabulate_chances(inputs: RotaInputs, chances: Floats) -> pd.DataFrame:
    """Chances as a table of `hotspot, date, from` (HH:MM, of a quarter of an hour) and `chance`."""
    hotspot, day, quarter = np.nonzero(chances)
    names = np.array(list(inputs.hotspots), dtype=object)
    dates = np.array([f"{date}" for date in inputs.days], dtype=object)
    return pd.DataFrame(
        {
            "hotspot": names[hotspot],
            "date": dates[day],
            "from": [f"{q // 4:02d}:{q % 4 * QUARTER_MINUTES:02d}" for q in quarter.tolist()],
            "chance": chances[hotspot, day, quarter].round(3),
        }
    )
