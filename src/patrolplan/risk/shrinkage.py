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

from collections.abc import Iterable

import numpy as np
import scipy
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from patrolplan.parallel import map_in_threads
from patrolplan.risk.history import History
from patrolplan.risk.spatial_units import ADJACENT_METRES, SpatialUnits

LONG_HALF_LIFE = 24.0
"""Months; sparse crime needs a long memory."""

LOG_SHAPE = (-4.0, 6.0)
"""Bounds of the search for the shape: from "the counts alone" to "the mean alone"."""

STEPS = 100
"""Steps towards the mixture of highest likelihood; stopping early keeps it smooth."""

PRIOR_INCIDENTS = 20.0
"""So many incidents around a place weigh as much as the average of the whole area."""

MAX_FITTED_UNITS = 20_000
"""With more places, the few numbers that all of them share are fitted on every n-th one."""

MIN_INCIDENTS = 1e-6
"""Incidents; no place is impossible."""

MIN_HELD = 1e-3
"""Share of the months; so much is held at least, so that a place without any is given a rate."""


def fit_mixture(counts: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c,) the mixture of other patterns (c, k) that fits counts (c,) best, above 0.

    The mixture has the highest Poisson likelihood and, in sum, as much as the counts. Found by
    expectation-maximisation: each step splits every count among the patterns in proportion to what
    they contribute to its place, and gives each pattern the sum of its parts as its new weight. So
    weights cannot become negative, and the likelihood rises with each step (Richardson 1972, Lucy
    1974).
    """
    total = others.sum(axis=0)
    shares = others.T[total > 0] / total[total > 0, None]
    weights = np.full(len(shares), counts.sum() / max(len(shares), 1))
    every = _choose_stride(len(counts))
    fitted, fitted_counts = shares[:, ::every], counts[::every]
    held = np.maximum(fitted.sum(axis=1), MIN_INCIDENTS) if every > 1 else np.ones(len(shares))
    some = np.flatnonzero(fitted_counts)  # places without a count have nothing to be split
    fitted, fitted_counts = fitted.take(some, axis=1), fitted_counts[some]
    for _ in range(STEPS):
        weights *= fitted @ (fitted_counts / (weights @ fitted + MIN_INCIDENTS)) / held
    if every > 1:
        weights *= counts.sum() / max(weights.sum(), MIN_INCIDENTS)
    return np.asarray(weights @ shares + MIN_INCIDENTS)


def _choose_stride(units: int) -> int:
    """Every how-manieth place is fitted on."""
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

    With g integrated out, a count is negative binomial; terms without the shape are left out.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - heavy, and only where not cached

    every = _choose_stride(len(counts))
    counts, expected = counts[::every], expected[::every]
    some, log_expected = counts[counts > 0], float(counts @ np.log(expected))

    def misfit(log_shape: float) -> float:
        shape = np.exp(log_shape)
        ratio = np.log1p(expected / shape)
        fit = (
            (scipy.special.gammaln(some + shape) - scipy.special.gammaln(shape)).sum()
            - shape * ratio.sum()
            - counts @ ratio
        )
        return float(counts.sum() * log_shape - log_expected - fit)

    return float(np.exp(minimize_scalar(misfit, bounds=LOG_SHAPE, method="bounded").x))


def compute_expected_counts(
    total: NDArray[np.float64],
    targets: int,
    units: SpatialUnits,
    held: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(c, j) what each of the first j categories would be by what is around it, above 0.

    A mixture of: every other category in the place; all others in the place times the category's
    share of the crime around it; the category itself next door; street length.

    Parameters
    ----------
    total
        (c, k) incidents, weighted or not.
    targets
        How many categories are wanted.
    units
        The places.
    held
        (c,) share of the months that is held in each place, above 0; None where all are. What is
        next door, and street length, then count by how much of it the place itself would show.
    """
    around = units.sum_around(total)
    next_door = units.sum_around(total[:, :targets], ADJACENT_METRES)
    metres = units.metres
    if held is not None:
        both = np.column_stack([np.ones(len(held)), held])
        near, near_held = units.sum_around(both, ADJACENT_METRES).T
        next_door = next_door * (held * near / np.maximum(near_held, MIN_HELD))[:, None]
        metres = metres * held
    all_around = around.sum(axis=1) + PRIOR_INCIDENTS
    by_category = np.ascontiguousarray(total.T)
    expected = np.empty((len(total), targets))
    with threadpool_limits(limits=1):  # sums of several threads differ in their last digits
        for target in range(targets):
            others = np.delete(by_category, target, axis=0)
            average = by_category[target].sum() / max(total.sum(), 1.0)
            share = (around[:, target] + PRIOR_INCIDENTS * average) / all_around
            parts = [others, others.sum(axis=0) * share, next_door[:, target], metres]
            expected[:, target] = fit_mixture(by_category[target], np.vstack(parts).T)
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
        total, weight = history.count_decayed(half_life_months, months=months)
        targets = len(history.targets)
        weight, held = compute_held_share(weight)
        expected = compute_expected_counts(total, targets, history.units, held)
        rates = [shrink(total[:, target], expected[:, target]) for target in range(targets)]
        return np.column_stack(rates) / weight[:, None]

    key = f"shrunk {half_life_months} {history.digest(months)}"
    return history.units.load_or_compute("rates", key, compute)


def prepare_rates(history: History, months: Iterable[int]) -> None:
    """Compute and cache `compute_shrunk_rates` for each of these numbers of months.

    Threads that fit different origins need the same months: the first one computes them in
    parallel, and the others wait for it.
    """

    def compute(number: int) -> NDArray[np.float64]:
        return compute_shrunk_rates(history, months=number)

    # The limit is around all threads: one that left its own would lift that of the others.
    with history.units.lock, threadpool_limits(limits=1):
        for future in map_in_threads(compute, months):
            future.result()
