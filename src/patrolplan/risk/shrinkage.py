"""Gamma-Poisson shrinkage: sparse counts borrow strength from what is recorded around them.

1. What would a category's count in each place be if nothing were known of the place but its
   surroundings? It is fitted as a mixture of patterns that are less sparse: the other categories in
   the same place, the category itself next door, street length (`compute_expected_counts`). The
   weights of the mixture are few and shared by all places, so even a sparse category can fit them.
2. How far do places differ from that? Each place's rate is the expected count times a factor of its
   own, drawn from a gamma distribution of mean 1. The shape of this distribution is fitted on all
   places: the more counts differ beyond chance, the smaller it is (`fit_gamma_shape`).
3. Gamma and Poisson are conjugate, so a place's rate, given its own count, has a closed form: near
   the expected count where there is little crime or places differ little, near the recorded count
   where a place has a long record of its own (`shrink`).
"""

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.parallel import limit_to_one_thread, map_in_threads
from patrolplan.risk.history import History
from patrolplan.risk.spatial_units import ADJACENT_METRES, SpatialUnits

LONG_HALF_LIFE = 24.0  # months; sparse crime needs a long memory

LOG_SHAPE = (-4.0, 6.0)
"""Bounds of the search for the shape: from "the counts alone" to "the mean alone"."""

STEPS = 100  # steps towards the mixture of highest likelihood; stopping early keeps it smooth

PRIOR_INCIDENTS = 20.0
"""This many incidents around a place weigh as much as the average of the whole area."""

MAX_FITTED_UNITS = 20_000
"""With more places, the few parameters that all of them share are fitted on every n-th one."""

MIN_INCIDENTS = 1e-6  # minimum of incidents expected: no place has a rate of zero
LOG_SHAPE_TOLERANCE = 1e-8
MAX_SHAPE_STEPS = 60

PARTS = 4  # runs of months that are computed side by side: each starts from the first month
MIN_HELD = 1e-3  # minimum share of months with data: a place without any is still given a rate


class Patterns:
    """Patterns (n, c) of places, their sums, and the places of each that mixtures are fitted on."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.values = values
        self.every = _choose_stride(values.shape[1])
        self.total = values.sum(axis=1)
        self.fitted = values[:, :: self.every].copy()

    def replace(self, row: int, values: NDArray[np.float64]) -> None:
        """Put another pattern (c,) in a row."""
        self.values[row] = values
        self.total[row] = values.sum()
        self.fitted[row] = values[:: self.every]


def fit_mixture(counts: NDArray[np.float64], patterns: Patterns) -> NDArray[np.float64]:
    """(c,) the mixture of other patterns that fits counts (c,) best, above 0.

    The mixture has the highest Poisson likelihood and, in sum, as much as the counts. Found by
    expectation-maximisation: each step splits every count among the patterns in proportion to what
    they contribute to its place, and gives each pattern the sum of its parts as its new weight. So
    weights cannot become negative, and the likelihood rises with each step (Richardson 1972, Lucy
    1974).
    """
    total, every = patterns.total, patterns.every
    used = total > 0
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=used)
    weights = np.where(used, counts.sum() / max(used.sum(), 1), 0.0)
    fitted, fitted_counts = patterns.fitted * scale[:, None], counts[::every]
    held = np.maximum(fitted.sum(axis=1), MIN_INCIDENTS) if every > 1 else np.ones(len(total))
    some = np.flatnonzero(fitted_counts)  # places without a count have nothing to be split
    fitted, fitted_counts = fitted.take(some, axis=1), fitted_counts[some]
    for _ in range(STEPS):
        weights *= fitted @ (fitted_counts / (weights @ fitted + MIN_INCIDENTS)) / held
    if every > 1:
        weights *= counts.sum() / max(weights.sum(), MIN_INCIDENTS)
    return np.asarray((weights * scale) @ patterns.values + MIN_INCIDENTS)


def _choose_stride(units: int) -> int:
    """Step between the places that parameters are fitted on."""
    return max(1, -(-units // MAX_FITTED_UNITS))


def shrink(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c,) posterior mean of each place's rate, from counts (c,) and expected counts (c,) above 0.

    Counts n are Poisson around e g, where e is expected and g is a gamma variable of mean 1 and
    shape a, one for each place; a has the highest likelihood (Clayton and Kaldor 1987, Biometrics
    43: 671-681). The posterior of g is gamma with shape n + a and rate e + a, so the mean of e g is
    e (n + a) / (e + a).
    """
    shape = fit_gamma_shape(counts, expected)
    return np.asarray(expected * (counts + shape) / (expected + shape))


def fit_gamma_shape(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Shape of the gamma variable of highest likelihood; see `shrink`.

    With g integrated out, a count is negative binomial. Its likelihood rises with the logarithm of
    the shape a as long as the slope

        sum e (n + a) / (e + a) - sum n + a (sum (psi(n + a) - psi(a)) - sum log(1 + e / a))

    is above 0. Where it passes 0 is found by Newton's steps within a bracket, which is halved where
    a step would leave it.
    """
    every = _choose_stride(len(counts))
    counts, expected = counts[::every], expected[::every]
    some, total = counts[counts > 0], counts.sum()
    (first, last), log_shape = LOG_SHAPE, sum(LOG_SHAPE) / 2
    low, high = -np.inf, np.inf
    for _ in range(MAX_SHAPE_STEPS):
        shape = np.exp(log_shape)
        share = expected / (expected + shape)
        ends = scipy.special.psi(some + shape) - scipy.special.psi(shape)
        change = float(ends.sum() - np.log1p(expected / shape).sum())
        slope = float(share @ (counts + shape) - total + shape * change)
        bends = _approximate_trigamma(some + shape) - _approximate_trigamma(shape)
        curve = change + shape * bends.sum() + float(share.sum() + share @ share)
        curve = shape * (curve - float(share @ (counts * share / expected)))
        low, high = (log_shape, high) if slope > 0 else (low, log_shape)
        before = log_shape
        step = -slope / curve if curve < 0 else np.copysign(np.inf, slope)
        log_shape = min(max(before + step, first), last)
        if abs(log_shape - before) < LOG_SHAPE_TOLERANCE:  # there, or at a bound
            break
        if not low < log_shape < high:
            log_shape = (max(low, first) + min(high, last)) / 2
    return float(np.exp(log_shape))


def _approximate_trigamma(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) derivative of psi to a hundredth: it only says how long a step is."""
    return np.asarray(1 / values**2 + 1 / (values + 0.5 + 0.1 / (values + 1)))


def compute_expected_counts(
    total: NDArray[np.float64],
    targets: int,
    units: SpatialUnits,
    held: NDArray[np.float64] | None = None,
    around: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(c, j) what each of the first j categories would be by what is around it, above 0.

    A mixture of: every other category in the place; all others in the place times the category's
    share of the crime around it; the category itself next door; street length.

    `total`: (c, k) incidents, weighted or not. `held`: (c,) share of the months that is held in
    each place, above 0; None where all are. What is next door, and street length, then count by how
    much of it the place itself would show. `around`: (c, j + 1) incidents around each place of
    these categories, and of all, where they are known already.
    """
    whole = total.sum(axis=1)
    if around is None:
        around = units.sum_around(np.column_stack([total[:, :targets], whole]))
    next_door = units.sum_around(total[:, :targets], ADJACENT_METRES)
    metres = units.metres
    if held is not None:
        both = np.column_stack([np.ones(len(held)), held])
        near, near_held = units.sum_around(both, ADJACENT_METRES).T
        next_door = next_door * (held * near / np.maximum(near_held, MIN_HELD))[:, None]
        metres = metres * held
    all_around = around[:, -1] + PRIOR_INCIDENTS
    whole_sum = max(whole.sum(), 1.0)
    # A category is no pattern of its own: in its row stands the one of all others there.
    patterns = Patterns(np.concatenate([total.T, next_door[:, :1].T, metres[None]]))
    expected = np.empty((len(total), targets))
    with limit_to_one_thread():  # sums of several threads differ in their last digits
        for target in range(targets):
            own = np.ascontiguousarray(total[:, target])
            average = own.sum() / whole_sum
            share = (around[:, target] + PRIOR_INCIDENTS * average) / all_around
            patterns.replace(target, (whole - own) * share)
            patterns.replace(-2, next_door[:, target])
            expected[:, target] = fit_mixture(own, patterns)
            patterns.replace(target, own)
    return expected


def compute_held_share(
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """(c,) weights of months held, none 0, and their shares of the whole; None where all are."""
    whole = max(float(weight.max(initial=0.0)), MIN_INCIDENTS)
    weight = np.maximum(weight, MIN_HELD * whole)
    return weight, None if (weight == whole).all() else weight / whole


def compute_shrunk_rates(
    history: History, half_life_months: float = LONG_HALF_LIFE, *, months: int | None = None
) -> NDArray[np.float64]:
    """(c, j) incidents a month held of each target, shrunk towards what is around.

    Only the first `months` of the history count, all by default. The result is cached under a
    digest of the counts that it rests on, for the next origin and run.
    """

    def compute() -> NDArray[np.float64]:
        total = history.count_decayed(half_life_months, months)
        around = history.count_decayed_around(half_life_months, months)
        weight = history.sum_decayed_weights(half_life_months, months)
        targets = len(history.targets)
        weight, held = compute_held_share(weight)
        with limit_to_one_thread():
            expected = compute_expected_counts(total, targets, history.units, held, around)
            rates = [shrink(total[:, target], expected[:, target]) for target in range(targets)]
        return np.column_stack(rates) / weight[:, None]

    key = f"shrunk {half_life_months} {history.digest(months)}"
    return history.units.load_or_compute("rates", key, compute)


def prepare_rates(history: History, months: Sequence[int]) -> None:
    """Compute and cache `compute_shrunk_rates` for each of these numbers of months.

    Threads that fit different origins need the same months: the first one computes them in
    parallel, and the others wait for it.
    """

    def compute(part: NDArray[np.int64]) -> None:
        for number in part.tolist():
            compute_shrunk_rates(history, months=number)

    with history.units.lock, limit_to_one_thread():
        for row in range(max(months, default=0)):
            history.count_around(row)  # both threads want it
        for future in map_in_threads(compute, np.array_split(months, PARTS)):
            future.result()
