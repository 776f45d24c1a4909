"""Whether a stretch's share of all crime changed in the last half year.

Crime comes in clusters: a gang is active for some weeks, a shop is robbed again. A binomial test of
the last half year treats every incident as independent, so it takes a cluster for a change. The F
ratio of the analysis of variance compares the change with how much the stretch's months differ
within the two spans instead. How much they differ cannot be known well from 18 months of one
stretch, so half of it is what all stretches have in common (Smyth 2004, Statistical Applications in
Genetics and Molecular Biology 3: 3). How much crime the whole area had in each month is allowed
for. Where months are missing nothing is compared.
"""

import math

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.hotspots import OWN
from patrolplan.risk.history import History

FALSE_DISCOVERY_RATE = 0.05
RECENT_MONTHS, EARLIER_MONTHS = 6, 12
MIN_EVENTS = 10  # minimum of incidents on a stretch in both spans for a trend
CHANGED_TRENDS = ("new", "rising")  # trends of hotspots that briefs report and that a week watches
TINY = 1e-9  # minimum of incidents expected, so that a stretch without any has a share


def is_significant(p_value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which p-values pass at the false discovery rate (Benjamini and Hochberg 1995)."""
    # As `scipy.stats.false_discovery_control`, which takes half a second to load in every plan.
    ranked = np.sort(p_value)
    passing = ranked[ranked <= FALSE_DISCOVERY_RATE * np.arange(1, len(ranked) + 1) / len(ranked)]
    return np.asarray(p_value <= passing.max(initial=-1.0))


def classify_trends(history: History, share: sparse.csr_array, area: StudyArea) -> list[str]:
    """Whether the share of all crime of each stretch changed; `share` (h, c) is of catchments."""
    months = min(RECENT_MONTHS + EARLIER_MONTHS, len(history))
    recorded = history.counts[-months:, :, : len(history.targets)].sum(axis=2, dtype=np.float64)
    metres = np.bincount(area.catchments.piece_catchment, weights=area.network.piece_metres)
    if history.exposure is not None:  # compared is street with all months, with others like it
        is_whole = (history.exposure[-months:] >= 1 - TINY).all(axis=0)
        recorded, metres = recorded * is_whole, metres * is_whole
    totals, is_recent = recorded.sum(axis=1), np.arange(months) >= months - RECENT_MONTHS
    expected = float(totals[is_recent].sum() / max(totals.sum(), 1.0))
    if not 0 < expected < 1:
        return ["too few to tell"] * share.shape[0]
    counts = np.array([share @ month for month in recorded])
    now, before = counts[is_recent].sum(axis=0), counts[~is_recent].sum(axis=0)
    is_held = find_held_months(history, share, months).min(axis=0) >= 1 - TINY
    too_few = (now + before < MIN_EVENTS) | ~is_held
    p_value = np.ones(len(now))
    p_value[~too_few] = compute_chances(counts[:, ~too_few], totals)
    changed, up = is_significant(p_value), now > expected * (now + before)
    baseline = (share @ metres) * totals[~is_recent].sum() / metres.sum()
    kind = np.select(
        [too_few, changed & up & (before <= baseline), changed & up, changed],
        ["too few to tell", "new", "rising", "fading"],
        "persistent",
    )
    return [str(word) for word in kind]


def compute_chances(
    counts: NDArray[np.float64], totals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(h,) chance that (m, h) counts change as much, by the law of F; all are `totals` (m,)."""
    if not counts.shape[1] or len(totals) <= RECENT_MONTHS:
        return np.ones(counts.shape[1])
    total, part = counts.sum(axis=0), totals[-RECENT_MONTHS:].sum() / totals.sum()
    expected = totals[:, None] / totals.sum() * total
    above = expected > TINY
    squares = np.where(above, (counts - expected) ** 2 / np.where(above, expected, 1.0), 0.0)
    variation = squares.sum(axis=0)  # how much months differ: Pearson's chi-squared
    change = (counts[-RECENT_MONTHS:].sum(axis=0) - part * total) ** 2
    change /= np.maximum(total * part * (1 - part), TINY)
    freedom = np.maximum(above.sum(axis=0) - 2.0, 1.0)
    # The median, so that a few streets that do change do not hide themselves; at least what chance
    # alone gives.
    common = max(1.0, float(np.median(variation / (freedom + 1))))
    ratio = 2 * freedom * change / (np.maximum(variation - change, 0.0) + freedom * common)
    # No less than the chance of drawing the last half year from all months: few tell little.
    least = 1 / math.comb(len(totals), RECENT_MONTHS)
    return np.asarray(np.maximum(scipy.special.fdtrc(1, 2 * freedom, ratio), least))


def find_held_months(history: History, share: sparse.csr_array, months: int) -> NDArray[np.float64]:
    """(m, h) share of the data held for each of the last months on each stretch, by usual crime."""
    span = min(months, len(history))
    if history.exposure is None:
        return np.ones((span, share.shape[0]))
    baseline = history.estimate_last(span).sum(axis=1) + TINY
    held = share @ (history.exposure[-span:] * baseline).T
    return np.asarray(held.T / (share @ baseline))


def is_remarkable(hotspots: pd.DataFrame) -> NDArray[np.bool_]:
    """(h,) which hotspots are worse than chance, new, rising or feared."""
    is_changed = hotspots["trend"].isin(CHANGED_TRENDS)
    is_more = hotspots["stands_out"] | is_changed | hotspots["mainly_reports"]
    return np.asarray(is_more, dtype=bool)


def could_be_chance(hotspots: pd.DataFrame) -> NDArray[np.bool_]:
    """(h,) which of our own hotspots chance would give, too: nothing about them is remarkable."""
    return np.asarray((hotspots["kind"] == OWN) & ~is_remarkable(hotspots), dtype=bool)
