"""Can a trial show anything? Its power, and the least effect that it would probably find.

The trial is simulated from the area's own months: each hotspot's mean, and how far such means were
from the next counts. Counts are Poisson around a mean times a gamma factor, one a
hotspot and stretch of time, so that they are negative binomial; the factor's variance is the
overdispersion, measured as the error of such expectations in the past. Every simulated trial is
analysed as the real one will be, by re-randomisation (`patrolplan.team.trial.analysis`): the power
is the share that find the effect at 5 %.
"""

from dataclasses import dataclass, replace

import numpy as np

from patrolplan.team.trial.analysis import LEVEL, ROUNDING
from patrolplan.team.trial.design import Floats, Ints, draw_at_random, list_references

SIMULATIONS = 4000
SEARCH_SIMULATIONS = 1000
REFERENCE_DRAWS = 499
MAX_CELLS_AT_ONCE = 4_000_000
"""Simulated counts in memory at a time."""
MIN_STRETCHES = 3
"""Minimum number of stretches of time to estimate overdispersion from, if there are as many."""
MIN_MONTHS_BEFORE = 6
"""Number of months before a stretch that its expectation is computed from."""
LARGEST_EFFECT = 0.95
EFFECT_STEP = 0.01
MAX_TIMES_AS_LONG = 64
"""A trial that would need more than this many times its days or pairs has no remedy."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Expected incidents of a trial, before it is drawn."""

    expected: Floats
    """(s, k, b) incidents expected without patrols, by set, member and block."""
    factor: Ints
    """(b,) number of the stretch of time of each block, over which a hotspot's factor lasts."""
    dispersion: float
    """Variance of that factor; 0 for Poisson counts."""
    periods: int
    """Days, weeks or months of the trial: as many as blocks, unless all are drawn together."""
    ratio: tuple[int, int] = (1, 1)
    """Hotspots of a set with patrols, and without."""

    @property
    def blocks(self) -> int:
        """Blocks that are drawn separately."""
        return int(self.expected.shape[2])

    @property
    def sets(self) -> int:
        """Sets of matched hotspots."""
        return int(self.expected.shape[0])


@dataclass(frozen=True)
class Power:
    """What a trial can show."""

    effect: float
    """The effect looked for: 0.2 is a fifth fewer incidents."""
    power: float
    """Chance that the trial finds that effect, if it is there."""
    wanted: float
    """Power that is wanted."""
    detectable: float | None
    """Least effect that it finds with the power that is wanted; None where it finds none."""
    needed_periods: int | None
    """Days, weeks or months that would suffice; None where far too many."""
    needed_sets: int | None
    """Sets of hotspots, usually pairs, that would suffice; None where far too many."""

    @property
    def is_enough(self) -> bool:
        """Whether the trial may start."""
        return self.power >= self.wanted


def compute_month_weights(months: int, half_life_months: float) -> Floats:
    """(m,) weights of months, the latest last: halved with each half-life of age.

    Examples
    --------
    >>> compute_month_weights(3, 1.0).tolist()
    [0.25, 0.5, 1.0]
    """
    return np.asarray(0.5 ** (np.arange(months - 1, -1, -1) / half_life_months))


def estimate_dispersion(counts: Floats, months_together: int, half_life_months: float) -> float:
    """How far hotspots deviate from the expected, beyond chance: a relative variance.

    Every stretch of the area's own months is used once in place of the trial: the counts, y, are
    compared with those expected from the months before, e, scaled to the stretch's total. The mean
    square of y - e is e + d e², from which the method of moments gives d. So it includes hotspots
    that rise or fade, and the error of the expectation itself.

    Parameters
    ----------
    counts
        (h, m) incidents of each hotspot in each month.
    months_together
        Months over which the trial sums counts; fewer are used where that leaves fewer than
        `MIN_STRETCHES`.
    half_life_months
        Half-life of the weights of months in an expectation.
    """
    months = counts.shape[1]
    most = (months - MIN_MONTHS_BEFORE) // MIN_STRETCHES
    together = max(1, min(months_together, most))
    squares, expected = [0.0], [0.0]
    for end in range(months, MIN_MONTHS_BEFORE + together - 1, -together):
        y = counts[:, end - together : end].sum(axis=1)
        before = counts[:, : end - together]
        e = before @ compute_month_weights(before.shape[1], half_life_months)
        if y.sum() <= 0 or e.sum() <= 0:
            continue
        e *= y.sum() / e.sum()
        squares.append(float(((y - e) ** 2 - e).sum()))
        expected.append(float((e**2).sum()))
    return max(0.0, sum(squares) / sum(expected)) if sum(expected) else 0.0


def simulate_power(
    layout: Layout, effect: float, *, seed: int, simulations: int = SIMULATIONS
) -> float:
    """The share of simulated trials that find an effect at 5 %, by re-randomisation."""
    rng = np.random.default_rng([seed, 1])
    sets, size, blocks = layout.expected.shape
    references = list_references(sets, blocks, layout.ratio, seed=seed, draws=REFERENCE_DRAWS)
    share = layout.ratio[0] / size
    ways = (references.treated.reshape(len(references), -1) - share).T
    expected = layout.expected.ravel()
    at_once = max(1, MAX_CELLS_AT_ONCE // max(expected.size, len(references)))
    found = 0
    for first in range(0, simulations, at_once):
        shape = (min(at_once, simulations - first), sets, size, blocks)
        treated = draw_at_random(rng, shape, layout.ratio[0])
        means = layout.expected * _draw_factors(rng, layout, shape[0])
        counts = rng.poisson(np.where(treated, (1 - effect) * means, means)).reshape(shape[0], -1)
        away = counts - counts.sum(axis=1, keepdims=True) / expected.sum() * expected
        drawn = ((treated.reshape(shape[0], -1) - share) * away).sum(axis=1)
        as_far = (np.abs(away @ ways) >= np.abs(drawn)[:, None] - ROUNDING).sum(axis=1)
        exact = references.is_exact
        p = as_far / len(references) if exact else (1 + as_far) / (1 + len(references))
        found += int((p <= LEVEL).sum())
    return found / simulations


def _draw_factors(rng: np.random.Generator, layout: Layout, simulations: int) -> Floats:
    """(n, s, k, b) the factors on the means of simulated trials."""
    sets, size, blocks = layout.expected.shape
    if layout.dispersion <= 0:
        return np.ones((simulations, sets, size, blocks))
    shape = 1 / layout.dispersion
    times = int(layout.factor.max()) + 1
    factors = rng.gamma(shape, 1 / shape, size=(simulations, sets, size, times))
    return np.asarray(factors[..., layout.factor])


def assess_power(layout: Layout, effect: float, wanted: float, *, seed: int) -> Power:
    """The power of a trial, the least effect that it finds, and what would suffice.

    Parameters
    ----------
    layout
        Its expected incidents.
    effect
        Share of incidents that patrols are hoped to prevent, 0 to 1.
    wanted
        Power that is wanted.
    seed
        Of the simulations.
    """
    power = simulate_power(layout, effect, seed=seed)
    periods = _find_needed(layout, effect, wanted, seed, in_time=True)
    sets = _find_needed(layout, effect, wanted, seed, in_time=False)
    detectable = find_detectable_effect(layout, wanted, seed=seed)
    return Power(effect, power, wanted, detectable, periods, sets)


def find_detectable_effect(layout: Layout, wanted: float, *, seed: int) -> float | None:
    """The least effect, in whole percent, that a trial finds with a given power; None for none."""
    low, high = 0, round(LARGEST_EFFECT / EFFECT_STEP)

    def is_found(step: int) -> bool:
        effect = step * EFFECT_STEP
        return simulate_power(layout, effect, seed=seed, simulations=SEARCH_SIMULATIONS) >= wanted

    if not is_found(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return round(high * EFFECT_STEP, 2)


def enlarge(layout: Layout, count: int, *, in_time: bool) -> Layout:
    """The same trial with another number of periods, or of sets, of the same kind."""
    if not in_time:
        return replace(layout, expected=layout.expected[np.arange(count) % layout.sets])
    if layout.blocks < layout.periods:
        return replace(layout, expected=layout.expected * count / layout.periods, periods=count)
    rounds, at = np.divmod(np.arange(count), layout.blocks)
    times = int(layout.factor.max()) + 1
    factor = layout.factor[at] + rounds * times
    return replace(layout, expected=layout.expected[:, :, at], factor=factor, periods=count)


def _find_needed(
    layout: Layout, effect: float, wanted: float, seed: int, *, in_time: bool
) -> int | None:
    """About the least number of periods, or of sets, with the power that is wanted."""
    now = layout.periods if in_time else layout.sets

    def is_enough(count: int) -> bool:
        larger = enlarge(layout, count, in_time=in_time)
        power = simulate_power(larger, effect, seed=seed, simulations=SEARCH_SIMULATIONS)
        return power >= wanted

    low, high = 0, min(now, 8)
    while not is_enough(high):
        low, high = high, 2 * high
        if high > MAX_TIMES_AS_LONG * now:
            return None
    while high - low > max(1, high // 20):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
