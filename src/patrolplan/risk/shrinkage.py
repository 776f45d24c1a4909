"""Gamma-Poisson shrinkage: sparse counts borrow strength from the other categories there."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from patrolplan.parallel import map_in_threads
from patrolplan.risk.history import History
from patrolplan.risk.spatial_units import ADJACENT_METRES, SpatialUnits

LONG_HALF_LIFE = 24.0
"""Months; sparse crime needs a long memory."""

LOG_SHAPE = (-4.0, 6.0)
"""Bounds of the search for the shape: from "the counts alone" to "the mean alone"."""

STEPS = 100
"""Steps towards the mixture of highest likelihood; stopping short of it keeps it smooth."""

PRIOR_INCIDENTS = 20.0
"""Incidents around that weigh as much as what is usual in the whole area."""

MAX_FITTED_UNITS = 20_000
"""The few numbers that all places share are learned from every n-th place where there are more."""

MIN_INCIDENTS = 1e-6
"""Incidents; no place is held to be impossible."""


def fit_mixture(counts: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a category would be if it were a mixture of others, of highest Poisson likelihood.

    Expectation-maximisation with weights that cannot be negative (Richardson 1972, Lucy 1974).

    Parameters
    ----------
    counts
        (c,) incidents of the category, weighed or not.
    others
        (c, k) what they may be a mixture of.

    Returns
    -------
    NDArray
        (c,) above 0; as much in sum as the counts.
    """
    total = others.sum(axis=0)
    shares = np.ascontiguousarray((others[:, total > 0] / total[total > 0]).T)
    weights = np.full(len(shares), counts.sum() / max(len(shares), 1))
    every = _choose_stride(len(counts))
    seen, seen_counts = np.ascontiguousarray(shares[:, ::every]), counts[::every]
    held = seen.sum(axis=1) if every > 1 else np.ones(len(shares))
    for _ in range(STEPS):
        mean = np.einsum("kc,k->c", seen, weights) + MIN_INCIDENTS
        weights = weights * np.einsum("kc,c->k", seen, seen_counts / mean)
        weights = weights / np.maximum(held, MIN_INCIDENTS) if every > 1 else weights
    if every > 1:
        weights *= counts.sum() / max(weights.sum(), MIN_INCIDENTS)
    return np.asarray(np.einsum("kc,k->c", shares, weights) + MIN_INCIDENTS)


def _choose_stride(places: int) -> int:
    """Which n-th place is learned from."""
    return max(1, -(-places // MAX_FITTED_UNITS))


def shrink(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Posterior mean of each place's rate.

    Counts are Poisson around e g, where e is expected and g is a gamma variable of mean 1 and
    shape a, one for each place; a is the one of highest likelihood (Clayton and Kaldor 1987,
    Biometrics 43: 671-681). The posterior mean is e (n + a) / (e + a).

    Parameters
    ----------
    counts
        (c,) incidents, weighed or not.
    expected
        (c,) above 0; what they would be if there were nothing to know of a place itself.

    Returns
    -------
    NDArray
        (c,) rates.
    """
    shape = fit_gamma_shape(counts, expected)
    return np.asarray(expected * (counts + shape) / (expected + shape))


def fit_gamma_shape(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Shape of the gamma variable of highest likelihood; see `shrink`."""
    every = _choose_stride(len(counts))
    counts, expected = counts[::every], expected[::every]

    def misfit(log_shape: float) -> float:
        shape = np.exp(log_shape)
        fit = gammaln(counts + shape) - gammaln(shape) + shape * np.log(shape / (shape + expected))
        return -float((fit + counts * np.log(expected / (shape + expected))).sum())

    return float(np.exp(minimize_scalar(misfit, bounds=LOG_SHAPE, method="bounded").x))


def compute_expected_counts(
    total: NDArray[np.float64], targets: int, units: SpatialUnits
) -> NDArray[np.float64]:
    """(c, j) what each of the first categories would be by what is around it, above 0.

    It is taken to be a mixture of: every other category there; all others there times the
    category's share of the crime around; the category itself next door; street length.

    Parameters
    ----------
    total
        (c, k) incidents, weighed or not.
    targets
        The number j of categories that are wanted.
    places
        The c places.
    """
    around = units.sum_around(total)
    next_door = units.sum_around(total[:, :targets], ADJACENT_METRES)
    all_around = around.sum(axis=1) + PRIOR_INCIDENTS
    found = []
    for target in range(targets):
        others = np.delete(total, target, axis=1)
        usual = total[:, target].sum() / max(total.sum(), 1.0)
        share = (around[:, target] + PRIOR_INCIDENTS * usual) / all_around
        parts = [others, others.sum(axis=1) * share, next_door[:, target], units.metres]
        found.append(fit_mixture(total[:, target], np.column_stack(parts)))
    return np.column_stack(found) if found else np.empty((len(total), 0))


def compute_shrunk_rates(
    history: History, half_life_months: float = LONG_HALF_LIFE, *, months: int | None = None
) -> NDArray[np.float64]:
    """(c, j) incidents a month of each target, drawn towards what is around.

    The result is kept under a digest of the counts that it rests on, for the next origin and run.

    Parameters
    ----------
    history
        The months that may be looked at.
    half_life_months
        Age at which an incident counts half.
    months
        How many of the first months count; all by default.
    """

    def work_out() -> NDArray[np.float64]:
        total, weight = history.count_decayed(half_life_months, months=months)
        targets = len(history.targets)
        expected = compute_expected_counts(total, targets, history.units)
        rates = [shrink(total[:, target], expected[:, target]) for target in range(targets)]
        return np.column_stack(rates) / max(weight, MIN_INCIDENTS)

    key = f"shrunk {half_life_months} {history.digest(months)}"
    return history.units.load_or_compute("rates", key, work_out)


def prepare_rates(history: History, months: Iterable[int]) -> None:
    """Have `compute_shrunk_rates` ready after each of so many months.

    Threads that look at different origins ask for the same months: the first one works them out,
    several side by side, and the others wait for them.
    """
    with history.units.lock:
        for one in map_in_threads(
            lambda known: compute_shrunk_rates(history, months=known), months
        ):
            one.result()
