"""Whether a stretch's share of all crime changed in the last half year.

Missing months are unknown, so a rise counts only if it is one whatever they held, within the range
of the stretch's other months.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.area.missing_months import MIN_HELD_SHARE
from patrolplan.hotspots.month_shuffles import RECENT_MONTHS, MonthCounts, compute_shuffled_chances
from patrolplan.risk.history import History, fill_missing

FALSE_DISCOVERY_RATE = 0.05
EARLIER_MONTHS = 12
MIN_EVENTS = 10
"""Minimum of incidents on a stretch in both spans for a trend."""

CHANGED_TRENDS = ("new", "rising")
"""Trends of hotspots that briefs report and that a week watches."""

TINY = 1e-9
"""Minimum of incidents expected, so that a stretch without any has a share."""

MIN_HELD_OF_SPAN = 0.5
"""Minimum share of both spans with data for a trend."""


def is_significant(p_value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which p-values pass at the false discovery rate (Benjamini and Hochberg 1995)."""
    ranked = np.sort(p_value)
    limits = FALSE_DISCOVERY_RATE * np.arange(1, len(ranked) + 1) / max(1, len(ranked))
    passing = ranked[ranked <= limits]
    return np.asarray(p_value <= passing[-1] if len(passing) else np.zeros(len(p_value), bool))


@dataclass(frozen=True, eq=False)
class SpanCounts:
    """Incidents of every stretch in the last half year and the year before it."""

    # `now`, `before`: (h,) recorded. Where months are missing: the fewest of the last half year
    # and the most of the year before that the stretch may have had.
    now: NDArray[np.float64]
    before: NDArray[np.float64]
    # `most_now`, `fewest_before`: (h,) the other way round; the same where nothing is missing.
    most_now: NDArray[np.float64]
    fewest_before: NDArray[np.float64]
    expected: float  # Share of the last half year in both, of the whole area
    earlier_total: float  # Incidents of the year before in the whole area
    enough_held: NDArray[np.bool_]  # (h,) whether enough months of both are held


def classify_trends(history: History, share: sparse.csr_array, area: StudyArea) -> list[str]:
    """Whether a stretch's share of all crime changed from the year before to the last half year.

    See `patrolplan.hotspots.month_shuffles` for the test; the false discovery rate of what changed
    is limited to 5 %.
    """
    counts = count_spans(history, share)
    now, before, expected = counts.now, counts.before, counts.expected
    if not 0 < expected < 1:
        return ["too few to tell"] * share.shape[0]
    too_few = (now + before < MIN_EVENTS) | ~counts.enough_held
    p_value = np.ones(len(now))
    p_value[~too_few] = compute_shuffled_chances(
        count_months(history, share[~too_few]),
        now[~too_few],
        before[~too_few],
        counts.most_now[~too_few],
        counts.fewest_before[~too_few],
        expected,
    )
    changed = is_significant(p_value)
    up = now > expected * (now + before)
    metres = np.bincount(area.catchments.piece_catchment, weights=area.network.piece_metres)
    baseline = (share @ metres) * counts.earlier_total / metres.sum()
    kind = np.select(
        [too_few, changed & up & (before <= baseline), changed & up, changed],
        ["too few to tell", "new", "rising", "fading"],
        "persistent",
    )
    return [str(word) for word in kind]


def count_months(history: History, share: sparse.csr_array) -> MonthCounts:
    """Incidents of the targets on every stretch in each of the months that a trend is about."""
    months = min(RECENT_MONTHS + EARLIER_MONTHS, len(history))
    kinds = len(history.targets)
    recorded = history.counts[-months:, :, :kinds].sum(axis=2, dtype=np.float64)
    counts = np.array([share @ month for month in recorded])
    totals = recorded.sum(axis=1)
    if history.exposure is None:
        return MonthCounts(counts, np.ones(counts.shape), totals)
    monthly = history.estimate_last(months)[:, :kinds].sum(axis=1) / months
    totals += (1 - history.exposure[-months:]) @ monthly
    return MonthCounts(counts, find_held_months(history, share, months), totals)


def count_spans(history: History, share: sparse.csr_array) -> SpanCounts:
    """Incidents of the targets on every stretch; `share` is (h, c) of each catchment's street."""
    kinds = len(history.targets)
    recent = history.count_last(RECENT_MONTHS)[:, :kinds].sum(axis=1)
    both = history.count_last(RECENT_MONTHS + EARLIER_MONTHS)[:, :kinds].sum(axis=1)
    earlier = both - recent
    if history.exposure is not None:
        return _count_bounds(history, share, recent, both)
    now, before = share @ recent, share @ earlier
    expected = float(recent.sum() / max(both.sum(), 1.0))
    held = np.ones(len(now), dtype=bool)
    return SpanCounts(now, before, now, before, expected, float(earlier.sum()), held)


def find_held_months(history: History, share: sparse.csr_array, months: int) -> NDArray[np.float64]:
    """(m, h) share of the data held for each of the last months on each stretch.

    Where a stretch is in catchments of several forces, each counts by its typical crime there.
    """
    span = min(months, len(history))
    if history.exposure is None:
        return np.ones((span, share.shape[0]))
    baseline = history.estimate_last(span).sum(axis=1) + TINY
    held = share @ (history.exposure[-span:] * baseline).T
    return np.asarray(held.T / (share @ baseline))


def _count_bounds(
    history: History,
    share: sparse.csr_array,
    recent: NDArray[np.float64],
    both: NDArray[np.float64],
) -> SpanCounts:
    """Counts with bounds for the months that are missing, from (c,) incidents recorded.

    A stretch's missing months are assumed to be as low, or as high, as any of its months with data.
    """
    months = min(RECENT_MONTHS + EARLIER_MONTHS, len(history))
    is_recent = np.arange(months) >= months - RECENT_MONTHS
    exposure = np.asarray(history.exposure)[-months:]
    held_recent = history.count_held_months(RECENT_MONTHS)
    metres = history.units.metres
    monthly = (
        fill_missing(both[:, None], exposure.sum(axis=0), float(months), metres)[:, 0] / months
    )
    held = find_held_months(history, share, months)
    kinds = len(history.targets)
    counts = np.array([share @ month[:, :kinds].sum(axis=1) for month in history.counts[-months:]])
    rates = np.divide(counts, held, out=np.full(counts.shape, np.nan), where=held >= MIN_HELD_SHARE)
    has_rate = np.isfinite(rates).any(axis=0)
    lowest = np.where(has_rate, np.nanmin(np.where(has_rate, rates, 0.0), axis=0), 0.0)
    highest = np.where(has_rate, np.nanmax(np.where(has_rate, rates, 0.0), axis=0), 0.0)
    missing = np.array([(1 - held[span]).sum(axis=0) for span in (is_recent, ~is_recent)])
    now, before = counts[is_recent].sum(axis=0), counts[~is_recent].sum(axis=0)
    filled = [
        float((recent + (is_recent.sum() - held_recent) * monthly).sum()),
        float((both + (months - exposure.sum(axis=0)) * monthly).sum()),
    ]
    spans = np.array([is_recent.sum(), (~is_recent).sum()])[:, None]
    return SpanCounts(
        now=now + missing[0] * lowest,
        before=before + missing[1] * highest,
        most_now=now + missing[0] * highest,
        fewest_before=before + missing[1] * lowest,
        expected=filled[0] / max(filled[1], 1.0),
        earlier_total=filled[1] - filled[0],
        enough_held=((spans - missing) >= MIN_HELD_OF_SPAN * spans).all(axis=0) & has_rate,
    )
