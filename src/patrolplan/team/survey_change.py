"""What changed since the last survey: whether pupils name a place less often, and how sure that is.

How many pupils a survey had is not known here. So a place is compared by its share: of the reports
of a term on the squares around a school, how many lie in this square. The share of the latest term
that shows reports is set against that of the latest one before it.

Rounding hides up to 4 reports of each square and term, which would be most of what small squares
have. So a square is compared with those that have `WELL_KNOWN` times the threshold in all terms
together, and with all only where these are too few. That choice looks at no single term, so it
favours none.

**How sure.** Two things are not known, and the interval holds both. Which pupils took part
by chance: for true counts of x of n reports in one term and y of m in the other, the 95 % interval
of the difference of two proportions is the hybrid score interval without continuity correction
(Newcombe 1998, "Interval estimation for the difference between independent proportions", Statistics
in Medicine 17: 873-890, method 10), made of the two score intervals of Wilson (1927). And what was
rounded away (`patrolplan.privacy`): a shown count stands for itself and the few above it, a count
that is not shown for any under the threshold, so that the interval given is the union of those of
all true counts that agree with the shown ones.

That union is found at two corners. Add a report in the square, or take one away elsewhere: the
share and both ends of Wilson's interval rise or stay. And the lower end of the difference,
q - p - sqrt((q - l)^2 + (u - p)^2) with l the lower end of q's interval and u the upper end of p's,
rises with q and l, since its slope is at least the lower of theirs, and falls with p and u. So it
is lowest with as few reports as possible in the square in the later term and as many as possible
elsewhere, and the other way round in the earlier term; the upper end is its mirror image.

The true share of a square changes with who takes part, too: where another school did in the other
term, a change says nothing of the place. Readers must be warned of that in words.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from patrolplan.privacy import ReportGroups
from patrolplan.times import SchoolTerm

CONFIDENCE = 0.95  # minimum share of surveys whose interval holds the true difference

WELL_KNOWN = 4
"""Multiple of the threshold that makes a square well known: rounding hides a fifth at most."""

MIN_WELL_KNOWN = 2  # fewer well-known squares are too few to compare with
Direction = Literal["less", "more", "unclear"]


@dataclass(frozen=True)
class Bounds:
    """Lowest and highest possible true count, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class SurveyCounts:
    """Reports of one term: in the square, and in the others that it is compared with."""

    here: Bounds
    elsewhere: Bounds


@dataclass(frozen=True)
class SurveyChange:
    """How a square's share of the reports differs between two terms."""

    before: SchoolTerm
    latest: SchoolTerm
    low: float
    """Ends of the 95 % interval of the latest share less the one before, between -1 and 1..."""
    high: float

    @property
    def direction(self) -> Direction:
        """Whether pupils named it less or more often; unclear where the interval holds 0."""
        if self.high < 0:
            return "less"
        return "more" if self.low > 0 else "unclear"


def measure_change(
    groups: ReportGroups, group: int, among: NDArray[np.bool_]
) -> SurveyChange | None:
    """The change of a group's share between the latest two terms that show reports."""
    # None where they cannot be compared: fewer than two terms show reports, neither of them any of
    # this group, or there is no other group `among` (g,) those that it is compared with.
    others = _choose_others(groups, group, among)
    shown = others.copy()
    shown[group] = True
    terms = sorted(term for term, counts in groups.by_term.items() if counts[shown].any())
    if len(terms) < 2 or not others.any():  # noqa: PLR2004 - a change needs two
        return None
    before, latest = terms[-2:]
    if not groups.by_term[before][group] and not groups.by_term[latest][group]:
        return None
    earlier, later = (_bound_counts(groups, term, group, others) for term in (before, latest))
    return SurveyChange(before, latest, *compute_interval_of_change(earlier, later))


def _choose_others(groups: ReportGroups, group: int, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(g,) groups that a group is compared with: the well-known ones, or all if those are few."""
    others = np.array(among, dtype=bool)
    others[group] = False
    well_known = others & (groups.counts >= WELL_KNOWN * groups.threshold)
    return well_known if np.count_nonzero(well_known) >= MIN_WELL_KNOWN else others


def compute_interval_of_change(before: SurveyCounts, latest: SurveyCounts) -> tuple[float, float]:
    """Ends of the 95 % interval of the difference of shares, over all counts within the bounds.

    Examples
    --------
    Counts that are known exactly, 48 of 80 and then 56 of 70 (Newcombe's example a):

    >>> known = [SurveyCounts(Bounds(x, x), Bounds(n - x, n - x)) for x, n in ((48, 80), (56, 70))]
    >>> [round(end, 4) for end in compute_interval_of_change(*known)]
    [0.0524, 0.3339]
    """
    low, _ = compute_newcombe_interval(
        (before.here.high, before.elsewhere.low), (latest.here.low, latest.elsewhere.high)
    )
    _, high = compute_newcombe_interval(
        (before.here.low, before.elsewhere.high), (latest.here.high, latest.elsewhere.low)
    )
    return low, high


def compute_newcombe_interval(
    before: tuple[int, int], latest: tuple[int, int]
) -> tuple[float, float]:
    """Newcombe's hybrid score interval of the latest share less the one before."""
    # `before`, `latest`: Reports here and elsewhere, not both 0.
    from scipy.stats import binomtest  # noqa: PLC0415 - heavy, and of this interval alone

    (p, p_low, p_high), (q, q_low, q_high) = (
        (test.statistic, *test.proportion_ci(CONFIDENCE, method="wilson"))
        for test in (binomtest(here, here + elsewhere) for here, elsewhere in (before, latest))
    )
    low = q - p - float(np.hypot(q - q_low, p_high - p))
    high = q - p + float(np.hypot(q_high - q, p - p_low))
    return low, high


def _bound_counts(
    groups: ReportGroups, term: SchoolTerm, group: int, others: NDArray[np.bool_]
) -> SurveyCounts:
    """Bounds of the number of reports of a term, in a group and in the others."""
    # A group of n to m reports in all that shows k in the other terms has at most m - k in this
    # one.
    low = groups.by_term[term]
    hidden = groups.max_counts - groups.counts
    in_other_terms = sum(groups.by_term.values()) - low
    high = np.minimum(low + hidden, groups.max_counts - in_other_terms)
    return SurveyCounts(
        here=Bounds(int(low[group]), int(high[group])),
        elsewhere=Bounds(int(low[others].sum()), int(high[others].sum())),
    )
