"""What a trial shows: intention to treat by re-randomisation, and the published measure.

Every hotspot and day counts as it was drawn, no matter who went there: delivery is never used, as
otherwise days on which it was easy to go would be compared. Let Z be what was drawn, p
the share that is drawn, y the incidents of a hotspot in a block and m those expected before the
start. Without an effect the same incidents would have happened under any draw, so

    T = sum of (Z - p) (y - l m),    l = sum of y / sum of m,

is computed for what was drawn and for other draws of the same design; the p-value is the share of
these in which T is at least as far from zero, the drawn one counted. It needs no model of counts:
it holds for few, for clustered and for overdispersed ones. Expected counts only remove differences
that were known before.

The effect is a factor f on incidents. If it were f, those with patrols would have had y / f without
them, and T of these is tested in the same way: all f that are not rejected at
5 % make the 95 % interval (Rosenbaum 2002, Observational Studies, 2.6). T is zero at

    f = (incidents with patrols / expected there) / (incidents without / expected there).

The weighted displacement difference (Wheeler and Ratcliffe 2018, Crime Science 7:11) is

    WDD = (T1 - T0) - (C1 - C0) + (D1 - D0) - (E1 - E0)

with T where patrols were drawn, C where they were not, D and E the streets around each, 0 before
and 1 in the trial; its variance is the sum of all eight counts, which takes them for Poisson. Where
the arms differ in size, those of the comparison are weighted, and the variance by the square.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from patrolplan.team.trial.design import Bools, Floats, References

LEVEL = 0.05
HALF_WIDTH_95 = 1.959964
ROUNDING = 1e-9
"""Values of T that differ by less are equal."""
FAR = 100.0
"""Factors on incidents beyond this, or below its reciprocal, are not searched."""
BISECTIONS = 30


@dataclass(frozen=True, eq=False)
class Outcome:
    """Incidents recorded, by set (s), member of the set (k) and block (b)."""

    counts: Floats
    """(s, k, b) incidents; fractions where a map point represents several streets."""
    expected: Floats
    """(s, k, b) incidents expected before the trial, on any scale."""
    treated: Bools
    """(s, k, b) where patrols were drawn."""


@dataclass(frozen=True)
class Effect:
    """The effect of having patrols drawn."""

    factor: float
    """Factor on incidents: 0.8 is a fifth fewer. NaN where there is nothing to compare."""
    low: float
    high: float
    """Its 95 % interval; 0 or infinite where nothing bounds it."""
    p_value: float
    came: float
    """Incidents where patrols were drawn."""
    without: float
    """Incidents where none were."""
    draws: int
    """Other ways of drawing that it was compared with."""
    is_exact: bool
    """Whether these are all possible ways."""

    @property
    def difference(self) -> float:
        """Incidents more, or fewer, than the same hotspots would have had without patrols."""
        return self._compute_difference(self.factor)

    @property
    def difference_low(self) -> float:
        """The low end of the interval of `difference`."""
        return self._compute_difference(self.low)

    @property
    def difference_high(self) -> float:
        """The high end of the interval of `difference`."""
        return self._compute_difference(self.high)

    def _compute_difference(self, factor: float) -> float:
        if np.isinf(factor):
            return self.came
        return self.came * (1 - 1 / factor) if factor > 0 else -np.inf


@dataclass(frozen=True, eq=False)
class Displacement:
    """The weighted displacement difference."""

    difference: float
    low: float
    high: float
    """95 % interval, incidents."""
    counts: tuple[tuple[float, float], ...]
    """Before and in the trial: with patrols, without, around those with, around those without."""


def estimate_effect(outcome: Outcome, references: References) -> Effect:
    """Compare the incidents where patrols were drawn with the rest.

    Parameters
    ----------
    outcome
        As it was drawn.
    references
        Other ways of drawing, see `patrolplan.team.trial.design.list_references`.
    """
    counts, expected, treated = (
        outcome.counts.ravel(),
        outcome.expected.ravel(),
        outcome.treated.ravel(),
    )
    came, without = float(counts[treated].sum()), float(counts[~treated].sum())
    share = treated.mean()
    ways = references.treated.reshape(len(references), -1) - share

    def compute_p(factor: float) -> float:
        as_without = np.where(treated, counts / factor, counts)
        away = as_without - as_without.sum() / expected.sum() * expected
        drawn = float((treated - share) @ away)
        return compute_p_value(drawn, ways @ away, is_exact=references.is_exact)

    m_with, m_without = expected[treated].sum(), expected[~treated].sum()
    can_compare = m_with > 0 and m_without > 0 and came + without > 0
    p_value = compute_p(1.0) if can_compare else 1.0
    factor = (came * m_without) / (without * m_with) if can_compare and without > 0 else np.nan
    low = _find_end(compute_p, factor, 1 / FAR, missing=0.0) if factor > 0 else 0.0
    high = _find_end(compute_p, factor, FAR, missing=np.inf) if factor > 0 else np.inf
    if factor == 0:
        high = _find_end(compute_p, 1 / FAR, FAR, missing=np.inf)
    draws, is_exact = len(references), references.is_exact
    return Effect(factor, low, high, p_value, came, without, draws, is_exact)


def compute_p_value(drawn: float, others: Floats, *, is_exact: bool) -> float:
    """The share of draws whose T is at least as far from zero as the drawn one, which counts."""
    as_far = int((np.abs(others) >= abs(drawn) - ROUNDING).sum())
    return as_far / len(others) if is_exact else (1 + as_far) / (1 + len(others))


def _find_end(
    compute_p: Callable[[float], float], inside: float, limit: float, *, missing: float
) -> float:
    """The factor between one that is not rejected and a limit beyond which all are.

    On the log scale; `missing` where the limit itself is not rejected.
    """
    if compute_p(limit) >= LEVEL:
        return missing
    near, far = np.log(inside), np.log(limit)
    for _ in range(BISECTIONS):
        middle = (near + far) / 2
        if compute_p(float(np.exp(middle))) >= LEVEL:
            near = middle
        else:
            far = middle
    return float(np.exp(near))


def compute_displacement(
    own: Floats, around: Floats, treated: Bools, before: Floats, after: Floats
) -> Displacement:
    """The weighted displacement difference of a trial.

    Parameters
    ----------
    own, around
        (h, c) share of each catchment's street in each hotspot, and in the streets around it.
    treated
        (h, p) where patrols were drawn, by hotspot and period.
    before, after
        (c, p) incidents of each catchment in the period as long before, and in the trial.

    Notes
    -----
    An incident that counts in several groups counts in all at once: with counts assumed to be
    Poisson, the variance is the sum of the squares of what each incident counts.
    """
    weight = treated.sum() / max(1, (~treated).sum())
    sign = np.where(treated, 1.0, -weight)
    each = (own + around).T @ sign
    difference = float((each * (after - before)).sum())
    error = float(np.sqrt((each**2 * (after + before)).sum()))
    counts = tuple(
        (float((part @ before)[arm].sum()), float((part @ after)[arm].sum()))
        for part in (own, around)
        for arm in (treated, ~treated)
    )
    half = HALF_WIDTH_95 * error
    return Displacement(difference, difference - half, difference + half, counts)
