"""Measure whether crime on streets follows pupils after the bell, and how patrols benefit.

    python benchmarks/after_school.py --data DIR [--school-address none|half|all] --json FILE

DIR has a city's crimes with their minute, its school days and its schools (for the formats see
`timed_crimes.py`). The years before the summer of the middle one are for learning (in Chicago until
June 2015), those after it for testing (from September 2015): no clock, ratio of night places, count
or choice of cells comes from the latter. Exposure has the program's own powers, not the one that is
estimated here. School days, 14:45 to 16:45, cells of 150 m within 1,500 m of a high school.

What is measured:

1. **Exponent.** Poisson regression of the violence in each cell in those hours of the years tested
   on (a) its count at all hours of the years before, shrunk to the cells next to it, (b) the mean
   count within about 800 m, so that a cell is compared with others of the same part of town, and
   (c) the pupils present, from the places of high schools alone. The exponent is that of (c).
   Two placebos have the same form and must be near 0: the same hours of weekdays without school,
   and 20:00 to 22:00 of school days.
2. **PAI**: the share of those crimes in the top 1, 2 and 5 % of cells, over the share of cells.
3. **Whole patrols** from every gate, exact, for the all-hours count times harm and for the same
   counts with clock, night places and pupils: harm recorded on school days of the test years in the
   cells of dwells, from 15 minutes before each dwell to 15 minutes after, over four grids, each
   moved by half a cell, since a patrol has few stops and a cell little crime.
4. **Standing**: violence met by patrols that stand where the program's prize is highest, at the
   gate throughout, and by two more rules (see `standing.py`); the first over the second with none,
   half and all of the crimes at schools' own addresses. All other figures are with half, or as the
   option says.

Choices, all made in Chicago: the size of a cell is what an officer sees. Distances along streets
and the counts next to a cell and around it had the higher likelihood, or smaller placebos, in the
learning years split at August 2013; the test years had been seen by then, so judge the figures with
that in mind. With only the count, shrunk to the mean of the city, the placebos were 0.1 to 0.2 in
both halves of those years: schools are in busy parts of town, which a sparse count does not show.
Estimates of the exponent in all of these ways were between 0.40 and 0.56.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from gate_patrols import compare_patrols
from scipy.stats import t as student
from standing import measure_standing, print_standing
from timed_crimes import (
    BELL,
    EXPOSURE,
    KIND_FROM,
    SHIFTS,
    USUAL,
    City,
    average_around,
    bootstrap_sums,
    compute_pupil_minutes,
    lay_out,
    parse_options,
    raise_pupils,
    read_tables,
)

from patrolplan.risk.shrinkage import shrink

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WINDOW = (BELL - 15, BELL + 105)
EVENING = (20 * 60, 22 * 60)
PART_OF_TOWN_METRES = 800.0
NEXT_METRES = 150.0
COVERAGES = (0.01, 0.02, 0.05)
# Powers that the program does not use, to show what they would do
WARNING_POWERS = {"robbery": (1.0,)}
PRIOR_CRIMES = 20  # Weight of the share of all places, in crimes
MAX_STEPS, SMALLEST_STEP = 100, 1e-10


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    estimate: float
    low: float
    high: float


def shrink_counts(city: City, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts shrunk to those of the cells next to each, shape (c,)."""
    return shrink(counts, average_around(city.cell_xy, counts, NEXT_METRES))[0]


def fit_poisson(
    counts: NDArray[np.float64], terms: NDArray[np.float64], blocks: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of a Poisson regression with log link, and their errors by blocks of cells.

    The errors are from the sandwich estimator: they include dependence between the cells of a
    block, such as by a gang or a busy road; blocks are assumed to be independent.
    """
    if not counts.any():
        message = "no violence on streets in the hours tested: are the years and school days there?"
        raise SystemExit(message)
    beta = np.zeros(terms.shape[1])
    beta[0] = np.log(counts.mean())
    for _ in range(MAX_STEPS):
        mean = np.exp(terms @ beta)
        step = np.linalg.solve((terms * mean[:, None]).T @ terms, terms.T @ (counts - mean))
        beta += step
        if np.abs(step).max() < SMALLEST_STEP:
            break
    else:
        message = f"the regression did not settle in {MAX_STEPS} steps"
        raise SystemExit(message)
    mean = np.exp(terms @ beta)
    bread = np.linalg.inv((terms * mean[:, None]).T @ terms)
    _, block = np.unique(blocks, return_inverse=True)
    number = int(block.max()) + 1
    scores = np.zeros((number, terms.shape[1]))
    np.add.at(scores, block, terms * (counts - mean)[:, None])
    variance = bread @ (scores.T @ scores) @ bread * number / (number - 1)
    return beta, np.sqrt(np.diag(variance))


def estimate_exponent(
    city: City,
    learned: NDArray[np.float64],
    tested: NDArray[np.float64],
    pupils: NDArray[np.float64],
) -> Estimate:
    """Power of pupils by which counts grow, given the count before and the part of town.

    All are (c,): counts at all hours of the years before, counts in the tested hours and years, and
    the pupils present in those hours.
    """
    terms = np.column_stack(
        [
            np.ones(len(learned)),
            np.log(shrink_counts(city, learned)),
            np.log(average_around(city.cell_xy, learned, PART_OF_TOWN_METRES)),
            np.log(np.maximum(pupils / pupils[city.is_near].mean(), 1e-9)),
        ]
    )
    near = city.is_near
    beta, error = fit_poisson(tested[near], terms[near], city.block[near])
    half = student.ppf(0.975, len(np.unique(city.block[near])) - 1) * error[-1]
    return Estimate(float(beta[-1]), float(beta[-1] - half), float(beta[-1] + half))


def measure_exponents(city: City, pupils: NDArray[np.float64]) -> dict[str, Estimate]:
    """The exponent of violence and the two placebos."""
    learned = city.count(city.select("violence", city.learned))
    cases = {
        "violence": (WINDOW, "school"),
        "same hours, weekdays without school": (WINDOW, "weekday_off"),
        "20:00 to 22:00, school days": (EVENING, "school"),
    }
    found = {}
    for name, (minutes, kind) in cases.items():
        tested = city.count(city.select("violence", city.tested, minutes=minutes, kind=kind))
        found[name] = estimate_exponent(city, learned, tested, pupils)
    return found


def select_top(scores: NDArray[np.float64], coverage: float) -> NDArray[np.float64]:
    """Share of each cell in the top `coverage` of all: 1, 0, or a fraction for equal scores.

    Cells of equal score at the edge of the slice share the rest of it, which is the mean over all
    orders in which they could be drawn.
    """
    _, rank, size = np.unique(-scores, return_inverse=True, return_counts=True)
    begin = np.concatenate([[0], np.cumsum(size)[:-1]])
    share = np.clip((coverage * len(scores) - begin) / size, 0.0, 1.0)
    return share[rank.ravel()]


def score_cells(
    city: City, pupils: NDArray[np.float64], category: str
) -> dict[str, NDArray[np.float64]]:
    """Every way to rank, only from the years before, (c,) each; the count at all hours first."""
    near = city.is_near
    counts = city.count(city.select(category, city.learned))
    power = EXPOSURE[category]
    scores = {"all-hours count": counts}
    for tried in filter(None, (power, *WARNING_POWERS.get(category, ()))):
        factor = raise_pupils(pupils, pupils[near].mean(), tried)
        scores[f"count x exposure^{tried:g}"] = counts * factor
    scores["exact times, shrunk"] = shrink_times(city, category, counts)
    return scores


def shrink_times(city: City, category: str, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count of the years before in the tested hours, shrunk to kind of place and to all.

    A cell's expected count is its count at all hours, shrunk to the cells next to it, times the
    share of these hours in its kind of place; that share is shrunk to the one of all places.
    """
    inside = city.select(category, city.learned, minutes=WINDOW, kind="school")
    hours = city.count(inside)
    near, kind = city.is_near, city.place_kind
    total = np.bincount(kind[near], counts[near], minlength=len(KIND_FROM) + 1)
    in_hours = np.bincount(kind[near], hours[near], minlength=len(total))
    share = in_hours.sum() / total.sum()
    by_kind = (in_hours + PRIOR_CRIMES * share) / (total + PRIOR_CRIMES)
    expected = shrink_counts(city, counts) * by_kind[kind]
    return shrink(hours, expected)[0]


def measure_pai(city: City, pupils: NDArray[np.float64]) -> list[dict[str, Any]]:
    """PAI of each way to rank, and its difference from the count at all hours, with intervals.

    `low` and `high` are from drawn months, as in the program's back-tests: the certainty for these
    cells in other months. `places_low` and `places_high` are from drawn blocks of cells: the
    certainty for another part of town.
    """
    rows: list[dict[str, Any]] = []
    near = np.flatnonzero(city.is_near)
    position = np.full(len(city.cell_xy), -1)
    position[near] = np.arange(len(near))
    for category in ("violence", "robbery"):
        scores = score_cells(city, pupils, category)
        tested = city.select(category, city.tested, minutes=WINDOW, kind="school")
        tested = tested[city.is_near[tested["cell"]]]
        where = position[tested["cell"]]
        for coverage in COVERAGES:
            shares = {name: select_top(score[near], coverage) for name, score in scores.items()}
            found = np.stack([share[where] for share in shares.values()], axis=1)
            sides = np.column_stack([found, np.ones(len(found))]) * tested[["weight"]].to_numpy()
            pai = sides[:, :-1].sum(axis=0) / sides[:, -1].sum() / coverage
            table = pd.DataFrame(
                {"category": category, "coverage": coverage, "model": list(shares)}
            )
            table["pai"], table["difference"] = pai, pai - pai[0]
            for groups, names in (
                (tested["month"], ["low", "high"]),
                (city.block[tested["cell"]], ["places_low", "places_high"]),
            ):
                drawn = bootstrap_sums(sides, groups)
                ratio = drawn[:, :-1] / drawn[:, -1:] / coverage
                table[names] = np.quantile(ratio - ratio[:, :1], [0.025, 0.975], axis=0).T
            rows += table.assign(n_events=len(found)).to_dict("records")
    return rows


def print_results(results: dict[str, Any]) -> None:
    """Print the figures as tables."""
    exponent = [{"name": "violence, after school", **results["exponent"]["violence"]}]
    tables = {
        "power of pupils' presence": pd.DataFrame(exponent + results["placebos"]),
        "share of crime over that of cells (PAI); over drawn months and places": results["pai"],
        "whole patrols: harm met by clock, night places and pupils over that by counts; violence "
        "before and after": [results["patrols"]],
    }
    print(", ".join(f"{name} {value}" for name, value in results["about"].items()))
    for title, table in tables.items():
        print(f"\n{title}\n{pd.DataFrame(table).to_string(float_format='{:.2f}'.format)}")
    print_standing(results)


def measure(folder: Path, school_address: str | None = None) -> dict[str, Any]:
    """All figures, in the format of `--json`.

    Exponent and PAI are from the first grid, patrols from all, standing from corners.
    """
    tables = read_tables(folder)
    way = school_address or USUAL
    cities = [lay_out(*tables, shift=shift, school_address=way) for shift in SHIFTS]
    city = cities[0]
    pupils = compute_pupil_minutes(city.cell_xy, city.gate_xy, BELL, WINDOW)[:, 0]
    violent = city.select("violence", city.tested, minutes=WINDOW, kind="school")
    exponents = measure_exponents(city, pupils)
    return {
        "exponent": {"violence": exponents.pop("violence")._asdict()},
        "placebos": [{"name": name, **found._asdict()} for name, found in exponents.items()],
        "pai": measure_pai(city, pupils),
        "patrols": compare_patrols(cities),
        **measure_standing(tables, school_address),
        "about": {
            "cells": int(city.is_near.sum()),
            "gates": len(city.gate_xy),
            "violent": int(city.is_near[violent["cell"]].sum()),
            "learned": list(city.learned),
            "tested": list(city.tested),
        },
    }


def main() -> None:
    """Measure, print and write."""
    options = parse_options(__doc__ or "")
    results = measure(options.data, options.school_address)
    print_results(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
