"""Simulated worlds with known truth: how often a hotspot, a trend or an interval is false.

    python benchmarks/null_worlds.py --config patrolplan.toml --worlds 40 --json null_worlds.json

*Even worlds.* Every incident is in a catchment drawn by street length, on the real network; risk,
hotspots and their significance are computed as in a plan. No place is worse than another, so a
significant hotspot is false. *Shuffled months.* The last eighteen months are permuted, each with
all incidents recorded in it; a reported trend is false except for real changes. *Doubled
stretches.* In such a permutation the crime of one stretch is doubled in the last half year.
*Intervals.* Months are drawn from known rates, and the interval of the difference of PAI between
two fixed rankings contains the true difference or not.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

import patrolplan as pp
from patrolplan.area import StudyArea
from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.hotspots.significance import STANDS_OUT_CHANCE, simulate_p_values
from patrolplan.hotspots.trends import EARLIER_MONTHS, RECENT_MONTHS, classify_trends
from patrolplan.risk.history import History, build_history
from patrolplan.risk.intervals import compute_interval, compute_widening, draw_months
from patrolplan.risk.models import PRIOR

ANNOUNCED = ("new", "rising", "fading")
SPAN = RECENT_MONTHS + EARLIER_MONTHS
PLACES, COVERED_PLACES = 400, 20  # Places in the worlds of known rates; the covered ones are 5 %


def spread_evenly(area: StudyArea, seed: int) -> StudyArea:
    """The area in a world where each incident's catchment is drawn by street length."""
    metres = np.bincount(area.catchments.piece_catchment, weights=area.network.piece_metres)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(metres), len(area.incidents), p=metres / metres.sum())
    drawn = drawn.astype(area.incident_catchment.dtype)
    # A copy of the incidents: histories are cached by them.
    return replace(area, incidents=area.incidents.copy(), incident_catchment=drawn)


def find_stretches(area: StudyArea) -> sparse.csr_array:
    """(h, c) share of each catchment in the stretch of each hotspot."""
    bare = locate_hotspots(area, pp.estimate_risk(area))
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in bare["pieces"]]
    return compute_catchment_shares(area.catchments, stretches)


def find_least_chance(area: StudyArea, seed: int) -> float:
    """The minimum p-value of the hotspots of a world."""
    rng = np.random.default_rng([seed, 1])
    return float(simulate_p_values(area, build_history(area), find_stretches(area), rng).min())


def describe_share(hits: int, trials: int) -> dict[str, float]:
    """A share with its exact 95 % interval (Clopper and Pearson 1934)."""
    low, high = stats.binomtest(hits, trials).proportion_ci()
    return {"of": trials, "share": hits / trials, "low": float(low), "high": float(high)}


def measure_even_worlds(area: StudyArea, worlds: int) -> dict[str, Any]:
    """Share of even worlds with any significant hotspot, by method of choice."""
    results = {}
    for model in (area.settings.risk.model, PRIOR):
        own = pp.with_settings(area, risk={"model": model})
        chances = [find_least_chance(spread_evenly(own, seed), seed) for seed in range(worlds)]
        declared = sum(chance <= STANDS_OUT_CHANCE for chance in chances)
        results[model] = describe_share(declared, worlds)
    return results


def shuffle_months(history: History, rng: np.random.Generator) -> History:
    """The history with the last months in another order, each with all its incidents."""
    order = np.arange(len(history.counts))
    order[-SPAN:] = rng.permutation(order[-SPAN:])
    exposure = None if history.exposure is None else history.exposure[order]
    return replace(history, counts=history.counts[order], exposure=exposure)


def double_stretch(history: History, share: sparse.csr_array, row: int) -> History:
    """The history with twice the crime in a stretch's catchments in the last half year."""
    counts = history.counts.copy()
    counts[-RECENT_MONTHS:, share[[row]].indices] *= 2
    return replace(history, counts=counts)


def measure_trends(area: StudyArea, shuffles: int, doublings: int) -> dict[str, Any]:
    """Reported trends in permuted months, and doublings that are found."""
    share = find_stretches(area)
    history, rng = build_history(area), np.random.default_rng(0)
    announced = [
        np.isin(classify_trends(shuffle_months(history, rng), share, area), ANNOUNCED)
        for _ in range(shuffles)
    ]
    kinds = len(history.targets)
    incidents = share @ history.count_last(SPAN)[:, :kinds].sum(axis=1)
    found: dict[str, list[bool]] = {"under 100": [], "100 to 299": [], "300 and more": []}
    names = np.array(list(found))[np.digitize(incidents, [100, 300])]
    for name, hits in found.items():
        rows = np.flatnonzero(names == name)
        for row in rng.choice(rows, doublings) if len(rows) else []:
            shuffled = double_stretch(shuffle_months(history, rng), share, int(row))
            hits.append(classify_trends(shuffled, share, area)[row] in {"new", "rising"})
    return {
        "shuffles with any trend": describe_share(int(np.any(announced, axis=1).sum()), shuffles),
        "share of stretches announced": float(np.mean(announced)),
        "doublings found, by incidents in 18 months": {
            name: describe_share(sum(hits), len(hits)) for name, hits in found.items() if hits
        },
    }


def measure_intervals(months: int, worlds: int, draws: int = 2000) -> dict[str, Any]:
    """Share of intervals that contain the true difference of PAI, and their widths."""
    rng = np.random.default_rng(months)
    held, widths = 0, []
    for world in range(worlds):
        rate = rng.gamma(0.4, 1.0, PLACES)
        rate /= rate.sum()
        first, second = (_rank(rate * rng.lognormal(0, noise, PLACES)) for noise in (0.6, 1.0))
        scale = PLACES / COVERED_PLACES
        truth = scale * (rate[first].sum() - rate[second].sum())
        counts = rng.poisson(60 * rate * rng.gamma(2.5, 0.4, (months, PLACES)))
        gain = scale * (counts[:, first].sum(axis=1) - counts[:, second].sum(axis=1))
        total = counts.sum(axis=1)
        weights = draw_months(months, seed=world, draws=draws)
        drawn = (weights @ gain) / (weights @ total)
        low, high = compute_interval(np.array(gain.sum() / total.sum()), drawn, months)
        held += bool(low <= truth <= high)
        widths.append(float(high - low))
    width = float(np.mean(widths))
    narrow = {"mean width of percentiles alone": width / compute_widening(months)}
    return {**describe_share(held, worlds), "mean width": width, **narrow}


def _rank(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places with the largest values."""
    return np.argsort(-values)[:COVERED_PLACES]


def main() -> None:
    """Print the figures, and write them to a file if one is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--shuffles", type=int, default=400)
    parser.add_argument("--interval-worlds", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    area = pp.load_area(options.config)
    results = {
        "even worlds with any hotspot that stands out": measure_even_worlds(area, options.worlds),
        "trends": measure_trends(area, options.shuffles, options.worlds),
        "intervals that hold the truth": {
            f"{months} months": measure_intervals(months, options.interval_worlds)
            for months in (6, 12, 24)
        },
    }
    text = json.dumps(results, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
