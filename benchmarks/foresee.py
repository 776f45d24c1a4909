"""Measures how well drawn weeks can be predicted, from papers of past weeks or with the tool.

    python benchmarks/foresee.py --config FILE [--weeks N] [--first DATE] [--json FILE]

Weeks are solved and drawn as by `patrolplan week`, with a fixed secret. A cell is a hotspot, a day
and the quarter of an hour with the middle of a dwell; a week visits some of the cells that its
options, orders of stops and start minutes make possible. An attacker names as many cells as next
week has visits, and is rated by the share that is visited. Attackers with the papers of the four
weeks before use counts, counts smoothed over neighbouring quarters and days, last week's cells, the
most typical week's, chances after last week's visits (Markov), and the places without recent
patrols; the best of these is `papers`. The insider has the tool and the data, but not the secret,
and simulates 150 weeks.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import patrolplan as pp
from patrolplan.area.school_days import find_open_days
from patrolplan.team.day_plans import plan_days
from patrolplan.team.draw import (
    QUARTERS,
    VisitTimes,
    compute_chances,
    draw_week,
    list_visit_times,
    sample_weeks,
)
from patrolplan.team.free_time import list_school_days
from patrolplan.team.objective import count_days_in_a_row, sum_minutes_by_day
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.secret import Secret
from patrolplan.team.solve import solve_rota
from patrolplan.team.walks import draw_walks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from patrolplan.area import StudyArea
    from patrolplan.team.problem import RotaProblem
    from patrolplan.team.solve import RotaSolution

# Published, so that the benchmark can be run again: never use it for a team
TEST_SECRET = Secret(bytes(range(32)))
FIRST = dt.date(2026, 9, 7)
PAPERS = 4  # Number of past weeks whose papers an attacker has
DAYS = 5
MAX_WEEKS = 520
MAX_PLACES = 1000  # Maximum number of hotspots in all weeks of an area together
DAYS_IN_A_ROW = 3
ARRAYS = ("officer", "day", "route", "lock", "visits", "visit_minutes", "weight", "max_patrols")

Cells = "NDArray[np.bool_]"


class DrawnWeek(NamedTuple):
    """A drawn week, and facts about it; cells are (h, d, q)."""

    visited: Cells
    possible: Cells  # with some option, order and minute
    chances: NDArray[np.float64]  # as computed by an insider
    walks: frozenset[tuple[Any, ...]]  # school, weekday, stops and minutes of every patrol
    worth_share: float  # of the best week's worth
    three_days: int
    best_three_days: int


def find_possible(problem: RotaProblem, times: VisitTimes) -> Cells:
    """(h, d, q) cells that are possible with some option."""
    days, hotspots = len(problem.dates), len(problem.weight)
    possible = np.zeros((days, hotspots * QUARTERS), dtype=bool)
    for option in np.flatnonzero(~problem.is_along).tolist():
        possible[problem.day[option], times[problem.route[option]][0]] = True
    return possible.reshape(days, hotspots, QUARTERS).swapaxes(0, 1)


def count_three_days(problem: RotaProblem, chosen: NDArray[np.int64]) -> int:
    """Hotspots with a dose on three consecutive days."""
    run = count_days_in_a_row(problem, sum_minutes_by_day(problem, chosen) > 0)
    return int((run >= DAYS_IN_A_ROW).any(axis=1).sum())


def draw_weeks(config: Path, first: dt.date, weeks: int) -> Iterator[DrawnWeek]:
    """Consecutive weeks of an area, without recorded doses of earlier ones."""
    area = pp.load_area(config)
    risk = pp.estimate_risk(area)
    spans = list_school_weeks(area, first, weeks)
    every = [day for span in spans for day in span]
    plans = plan_days(area, risk, pp.find_hotspots(area, risk), every)
    places: dict[str, int] = {}
    solved: list[tuple[RotaProblem, RotaSolution, NDArray[np.float64]]] = []
    for days in spans:
        key = TEST_SECRET.make_key(area.name, days[0], 1)
        inputs = RotaInputs(area, tuple(plans[day] for day in days), days)
        problem, times = inputs.problem, list_visit_times(inputs)
        solution = next((row for row in solved if is_same_problem(row[0], problem)), None)
        if solution is None:
            best = solve_rota(problem, seed=area.settings.seed)
            sampled = sample_weeks(problem, best, area.settings.week.give, seed=area.settings.seed)
            solution = (problem, best, compute_chances(problem, times, sampled))
            solved.append(solution)
        _, best, chances = solution
        drawn = draw_week(problem, best, area.settings.week.give, key)
        duties = draw_walks(inputs, build_week(inputs, problem, drawn).duties, key)
        rows = [places.setdefault(name, len(places)) for name in inputs.hotspots]
        visited = np.zeros_like(chances, dtype=bool)
        row_of = {name: row for row, name in enumerate(inputs.hotspots)}
        walks = set()
        for duty in duties:
            day = days.index(duty.date)
            stops = [(stop.hotspot, round(stop.arrive_minutes)) for stop in duty.patrol.stops]
            walks.add((duty.urn, duty.window, duty.patrol.number, duty.date.weekday(), *stops))
            for stop in duty.patrol.stops:
                quarter = int((stop.arrive_minutes + stop.leave_minutes) / 2 // 15)
                if stop.hotspot in row_of:
                    visited[row_of[stop.hotspot], day, quarter] = True
        yield DrawnWeek(
            spread_rows(visited, rows, days),
            spread_rows(find_possible(problem, times), rows, days),
            spread_rows(chances, rows, days),
            frozenset(walks),
            drawn.worth / best.worth,
            count_three_days(problem, drawn.chosen),
            count_three_days(problem, best.chosen),
        )


def list_school_weeks(area: StudyArea, first: dt.date, weeks: int) -> list[tuple[dt.date, ...]]:
    """The next weeks in which any school is open."""
    spans: list[tuple[dt.date, ...]] = []
    monday = first
    while len(spans) < weeks and (monday - first).days < MAX_WEEKS * 7:
        days = list_school_days(monday)
        if find_open_days(area.term_dates, list(area.schools["urn"]), days).any():
            spans.append(days)
        monday += dt.timedelta(days=7)
    return spans


def spread_rows(cells: NDArray[Any], rows: list[int], days: tuple[dt.date, ...]) -> NDArray[Any]:
    """The same cells with rows and weekdays that have the same meaning in every week."""
    out = np.zeros((MAX_PLACES, DAYS, QUARTERS), dtype=cells.dtype)
    for day, date in enumerate(days):
        out[rows, date.weekday()] = cells[: len(rows), day]
    return out


def is_same_problem(one: RotaProblem, other: RotaProblem) -> bool:
    """Whether two weeks are chosen from the same options."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


def smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts with half of the neighbouring quarters' and a quarter of the other days' added."""
    out = counts.copy()
    out[..., 1:] += counts[..., :-1] / 2
    out[..., :-1] += counts[..., 1:] / 2
    return np.asarray(out + 0.25 * (counts.sum(axis=1, keepdims=True) - counts))


def score_typical(past: list[Cells]) -> NDArray[np.float64]:
    """Scores by the past week that shares most cells with the others, then by counts."""
    shared = [sum((one & other).sum() for other in past) for one in past]
    return np.asarray(past[int(np.argmax(shared))] + np.mean(past, axis=0) / 2)


def score_markov(past: list[Cells]) -> NDArray[np.float64]:
    """Chance of a visit after last week's visit or none, for each cell, shrunk to all cells'."""
    before, after = np.array(past[:-1]), np.array(past[1:])
    seen = np.any(past, axis=0)
    out = np.zeros(past[0].shape)
    for state in (True, False):
        come, again = (before == state).sum(axis=0), ((before == state) & after).sum(axis=0)
        prior = again[seen].sum() / max(1, come[seen].sum())
        out = np.where(past[-1] == state, (again + prior) / (come + 1), out)
    return np.asarray(out * seen)


ATTACKERS: dict[str, Callable[[list[Cells]], NDArray[np.float64]]] = {
    "counts": lambda past: np.mean(past, axis=0),
    "smoothed": lambda past: smooth(np.mean(past, axis=0)),
    "last week": lambda past: past[-1] + np.mean(past, axis=0) / 2,
    "typical week": score_typical,
    "markov": score_markov,
    "not there": lambda past: np.mean(past, axis=0) * np.where(past[-1], 0.5, 1.0),
}


def rate(scores: NDArray[np.float64], week: DrawnWeek, rng: np.random.Generator) -> float:
    """Share of a week's visits among the same number of top cells; ties are random."""
    visits = int(week.visited.sum())
    cells = np.flatnonzero(week.possible)
    order = np.lexsort([rng.random(len(cells)), -scores.ravel()[cells]])
    named = cells[order[:visits]]
    return float(week.visited.ravel()[named].sum() / max(1, visits))


def measure(weeks: list[DrawnWeek]) -> dict[str, Any]:
    """The figures of consecutive weeks."""
    rng = np.random.default_rng(1)
    rates: dict[str, list[float]] = {name: [] for name in ATTACKERS}
    for number in range(PAPERS, len(weeks)):
        past = [week.visited for week in weeks[number - PAPERS : number]]
        for name, score in ATTACKERS.items():
            rates[name].append(rate(score(past), weeks[number], rng))
    papers = {name: float(np.mean(found)) for name, found in rates.items() if found}
    repeats = [
        len(one.walks & other.walks) / max(1, len(other.walks)) for one, other in pairwise(weeks)
    ]
    three, best_three = (
        sum(getattr(week, name) for week in weeks) for name in ("three_days", "best_three_days")
    )
    return {
        "chance": float(np.mean([week.visited.sum() / week.possible.sum() for week in weeks])),
        "papers": max(papers.values(), default=0.0),
        "insider": float(np.mean([rate(week.chances, week, rng) for week in weeks])),
        "identical_percent": 100 * float(np.mean(repeats)) if repeats else 0.0,
        "distinct": len({week.walks for week in weeks}),
        "worst_worth_share": min(week.worth_share for week in weeks),
        "three_days_share": three / max(1, best_three),
        "attackers": papers,
        "visits": float(np.mean([week.visited.sum() for week in weeks])),
        "weeks": len(weeks),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="settings file of an area")
    parser.add_argument("--weeks", type=int, default=24)
    parser.add_argument("--first", type=dt.date.fromisoformat, default=FIRST, help="a Monday")
    parser.add_argument("--json", help="file for the figures, - for standard output")
    options = parser.parse_args()
    figures = measure(list(draw_weeks(options.config, options.first, options.weeks)))
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    text = json.dumps(rounded, indent=1)
    if options.json and options.json != "-":
        Path(options.json).write_text(f"{text}\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
