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

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from patrolplan.risk.history import SpatialUnits


LOG_SHAPE = (-4.0, 6.0)
"""Bounds of the search for the shape: from "the counts alone" to "the mean alone"."""

FITTED_DECIMALS = 3  # of what a search finds: further ones differ between processors
STEPS = 100  # steps towards the mixture of highest likelihood; stopping early keeps it smooth

PRIOR_INCIDENTS = 20.0
"""This many incidents around a place weigh as much as the average of the whole area."""

MAX_FITTED_UNITS = 20_000
"""With more places, the few parameters that all of them share are fitted on every n-th one."""

MIN_INCIDENTS = 1e-6  # minimum of incidents expected: no place has a rate of zero
MIN_HELD = 1e-3  # minimum share of months with data: a place without any is still given a rate
_LINEAR_ALGEBRA = threading.RLock()  # the limit of its threads is one of the process


@dataclass(frozen=True, eq=False)
class ShrunkRates:
    """Rates of the targets, each a gamma variable."""

    means: NDArray[np.float64]  # (c, j) incidents a month held
    shapes: NDArray[np.float64]  # (c, j) shape of the posterior: the larger, the surer


def fit_mixture(counts: NDArray[np.float64], patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c,) the mixture of patterns (c, n) that fits counts (c,) best, above 0, in sum the same."""
    total, every = patterns.sum(axis=0), _choose_stride(len(counts))
    used = total > 0
    scaled = patterns / np.where(used, total, 1.0)
    fitted, number = scaled[::every], counts[::every]
    held = np.maximum(fitted.sum(axis=0), MIN_INCIDENTS)
    some = number > 0  # places without a count have nothing to be split
    fitted, number = fitted[some], number[some]
    # Expectation-maximisation (Richardson 1972, Lucy 1974): each step splits every count among the
    # patterns in proportion to what they contribute to its place, and gives each pattern the sum of
    # its parts as its new weight. So no weight can become negative, which a regression would allow,
    # and the likelihood rises with each step.
    weights = np.full(len(used), counts.sum() / max(used.sum(), 1))
    for _ in range(STEPS):
        weights *= (number / (fitted @ weights + MIN_INCIDENTS)) @ fitted / held
    # The few places that it was fitted on need not have the mean of all.
    weights *= counts.sum() / max(weights.sum(), MIN_INCIDENTS)
    return np.asarray(scaled @ weights + MIN_INCIDENTS)


def _choose_stride(units: int) -> int:
    """Step between the places that parameters are fitted on."""
    return max(1, -(-units // MAX_FITTED_UNITS))


def shrink(
    counts: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(c,) mean and shape of each place's rate, from counts (c,) and expected ones above 0."""
    shape = fit_gamma_shape(counts, expected)
    # Counts n are Poisson around e g, where e is expected and g, one for each place, is a gamma
    # variable of mean 1 and shape a. Given n, it is gamma with shape n + a and rate e + a: a counts
    # as so many incidents recorded as expected, and outweighs a short record.
    return expected * (counts + shape) / (expected + shape), counts + shape


def fit_gamma_shape(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Shape of the gamma variable of highest likelihood; see `shrink`."""
    every = _choose_stride(len(counts))
    counts, expected = counts[::every], expected[::every]
    some, lgamma = counts[counts > 0], scipy.special.gammaln

    def misfit(log_shape: float) -> float:
        # With g integrated out, a count is negative binomial (Clayton and Kaldor 1987, Biometrics
        # 43: 671-681). Of its likelihood, what does not depend on the shape is left out; where
        # nothing was counted both gamma functions are the same.
        shape = np.exp(log_shape)
        ends = lgamma(some + shape).sum() - len(some) * lgamma(shape)
        spread = (counts + shape) @ np.log1p(expected / shape)
        return float(spread - ends + counts.sum() * log_shape)

    found = scipy.optimize.minimize_scalar(misfit, bounds=LOG_SHAPE, method="bounded")
    return float(np.exp(round(found.x, FITTED_DECIMALS)))


def compute_expected_counts(
    total: NDArray[np.float64], targets: int, units: "SpatialUnits", held: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(c, j) what categories would be by what is around, from all (c, k) and shares held (c,)."""
    whole = total.sum(axis=1)
    around = units.sum_around(np.column_stack([total[:, :targets], whole]))
    near, near_held = units.sum_around(np.column_stack([np.ones(len(held)), held]), adjacent=True).T
    next_door = units.sum_around(total[:, :targets], adjacent=True)
    # Places of two forces may hold different months: what is next door, and street length, counts
    # by how much of it the place itself would show.
    next_door *= (held * near / np.maximum(near_held, MIN_HELD))[:, None]
    all_around = around[:, -1] + PRIOR_INCIDENTS
    patterns = np.column_stack([total, whole, units.metres * held])
    expected = np.empty((len(total), targets))
    for target, own in enumerate(total.T[:targets]):
        # One pattern is all other crime of the place, times this category's share of what is
        # recorded around it: a robbery hot spot is likelier where much else happens and where
        # robbery is common, though no robbery was recorded at the very point.
        average = own.sum() / max(whole.sum(), MIN_INCIDENTS)
        share = (around[:, target] + PRIOR_INCIDENTS * average) / all_around
        # A category is no pattern of its own: in its column stands what is next door.
        patterns[:, target], patterns[:, -2] = next_door[:, target], (whole - own) * share
        expected[:, target] = fit_mixture(own, patterns)
        patterns[:, target] = own
    return expected


def fit_rates(
    total: NDArray[np.float64], held: NDArray[np.float64], targets: int, units: "SpatialUnits"
) -> ShrunkRates:
    """Rates of the first j categories, from counts (c, k) over (c,) months held of each place."""
    whole = float(held.max(initial=MIN_INCIDENTS))
    held = np.maximum(held, MIN_HELD * whole)
    counts = total[:, :targets]
    # Sums of several threads differ in their last digits.
    with _LINEAR_ALGEBRA, threadpool_limits(limits=1, user_api="blas"):
        expected = compute_expected_counts(total, targets, units, held / whole)
        pairs = [shrink(*pair) for pair in zip(counts.T, expected.T, strict=True)]
    means, shapes = np.array(pairs).transpose(1, 2, 0)
    return ShrunkRates(means / held[:, None], shapes)
