"""What a model that knew the true rates would get: the fair ceiling, chance included.

"Best possible" ranks streets by the very crimes that are to come. Nobody can know those: even with
the true rate of every street known, months differ by chance. So rates are drawn that fit what was
recorded, months are drawn from the rates, and streets are ranked by the rates themselves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.history import History
from patrolplan.risk.scores import COVERAGES
from patrolplan.risk.scores import hits
from patrolplan.risk.shrinkage import around_expected
from patrolplan.risk.shrinkage import gamma_shape

DRAWS = 200

PRIOR_MONTHS = 12


@dataclass(frozen=True, eq=False)
class Reference:
    """PAI of a model that knew the rates, over so many months.

    Parameters
    ----------
    pai, low, high
        (j + 1, q) mean over the draws, and the interval that holds 95 % of them.
    ratio
        (j + 1, q) mean PAI over that of twelve months' counts drawn from the same rates: all that
        any model could gain on prior counts if rates stood still.
    """

    pai: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ratio: NDArray[np.float64]


def simulate_reference(
    history: History, harm: NDArray[np.float64], months: int, *, seed: int
) -> Reference:
    """Draw rates and months, and score the rates.

    Rates are drawn from the gamma posterior of Gamma-Poisson shrinkage on all months, so they are
    as uneven as the records say rates are, no more and no less.

    Parameters
    ----------
    history
        All months, those that are scored included: this is no model.
    harm
        (j,) weight of each target, for all of them together.
    months
        How many months are scored.
    seed
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    counts = history.last(len(history))
    metres = history.places.metres
    ties = rng.permutation(len(metres))
    posterior = []
    around = around_expected(counts, len(history.targets), history.places)
    for target, expected in enumerate(around.T):
        shape = gamma_shape(counts[:, target], expected)
        rate = shape / expected + 1.0
        posterior.append((shape + counts[:, target], 1.0 / rate / len(history)))
    shapes, scales = (np.column_stack(part) for part in zip(*posterior, strict=True))
    knowing, counting = [], []
    for _ in range(DRAWS):
        rates = rng.gamma(shapes, scales)
        came = _with_all(rng.poisson(rates * months).astype(np.float64), harm)
        before = _with_all(rng.poisson(rates * PRIOR_MONTHS).astype(np.float64), harm)
        knowing.append(_pai(_with_all(rates, harm), came, metres, ties))
        counting.append(_pai(before, came, metres, ties))
    found = np.array(knowing)
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    usual = np.array(counting).mean(axis=0)
    ratio = np.divide(found.mean(axis=0), usual, out=np.full(usual.shape, np.nan), where=usual > 0)
    return Reference(found.mean(axis=0), low, high, ratio)


def _with_all(amounts: NDArray[np.float64], harm: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([amounts, (amounts * harm).sum(axis=1)])


def _pai(
    scores: NDArray[np.float64],
    came: NDArray[np.float64],
    metres: NDArray[np.float64],
    ties: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(j + 1, q) PAI of each category."""
    caught = np.array(
        [hits(score, metres, amount, ties) for score, amount in zip(scores.T, came.T, strict=True)]
    )
    total = np.maximum(came.sum(axis=0), 1e-12)[:, None]
    return np.asarray(caught / total / np.asarray(COVERAGES))
