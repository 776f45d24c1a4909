"""Which model is taken: the one that was best on earlier months, if that can be told.

Intervals for what is measured month by month: the moving-block bootstrap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.models import PRIOR_COUNT

MIN_EVENTS_TO_CHOOSE = 100
"""With fewer incidents in the months looked at, nothing can be told."""

MIN_ORIGINS_TO_CHOOSE = 3
"""With fewer months looked at, nothing can be told."""

MIN_STANDARD_ERRORS = 0.5
"""Standard errors that a model must be better by."""

CANDIDATES = (
    "decayed count",
    "planar kernel",
    "network kernel",
    "shrunk count",
    "poisson",
    "combination",
)
"""Models that may be taken in place of prior counts; of equals the first."""


@dataclass(frozen=True)
class ModelChoice:
    """The model taken for one category, and why.

    Parameters
    ----------
    category, model
        For what, and which.
    gain
        How much more the model caught than prior counts in the months looked at, as a share,
        averaged over the coverages; None where nothing can be told.
    events, origins
        Incidents and months looked at.
    fewest
        Numbers of incidents below this are not told, where crime is held to the threshold.
    """

    category: str
    model: str
    gain: float | None
    events: int
    origins: int
    min_crime_count: int = 1

    def __str__(self) -> str:
        few = self.events < self.min_crime_count and self.origins > 0
        number = f"fewer than {self.min_crime_count}" if few else f"{self.events:,}"
        seen = f"{number} incidents in {self.origins} months"
        if self.gain is None:
            told = "can't tell which model is best"
            return f"{self.category}: {told} ({seen}); {PRIOR_COUNT} taken."
        if self.model == PRIOR_COUNT:
            return f"{self.category}: no model was better than {PRIOR_COUNT} ({seen})."
        return (
            f"{self.category}: {self.model} taken, it caught {self.gain:+.1%} against "
            f"{PRIOR_COUNT} ({seen})."
        )


def choose_model(
    category: str, hits: dict[str, NDArray[np.float64]], events: NDArray[np.int64]
) -> ModelChoice:
    """Take the model that caught most in earlier months, prior counts where none was better.

    Better: the mean gain is more than half its own standard error over the months. Gains are
    shares of what prior counts caught on average at the same coverage, so that every coverage
    weighs the same.

    Parameters
    ----------
    category
        For what.
    hits
        For each model (o, q) what it caught at earlier origins and each coverage.
    events
        (o,) incidents at those origins.
    """
    origins, total = len(events), int(events.sum())
    told = origins >= MIN_ORIGINS_TO_CHOOSE and total >= MIN_EVENTS_TO_CHOOSE
    usual = hits[PRIOR_COUNT].mean(axis=0) if told else np.zeros(1)
    if not told or not usual.all():
        return ModelChoice(category, PRIOR_COUNT, None, total, origins)
    best, best_gain = PRIOR_COUNT, 0.0
    for name in CANDIDATES:
        if name not in hits:
            continue
        gains = ((hits[name] - hits[PRIOR_COUNT]) / usual).mean(axis=1)
        gain, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(origins))
        if gain > MIN_STANDARD_ERRORS * error and gain > best_gain + 1e-9:
            best, best_gain = name, gain
    return ModelChoice(category, best, best_gain, total, origins)


BOOTSTRAP_DRAWS = 2000

MIN_INTERVAL_MONTHS = 6
"""With fewer months no interval is given."""


def compute_block_length(months: int) -> int:
    """Months that are drawn together, because neighbours in time are alike: the cube root."""
    return max(1, round(float(np.cbrt(months))))


def draw_months(months: int, *, seed: int, draws: int = BOOTSTRAP_DRAWS) -> NDArray[np.int64]:
    """(draws, months) how often each month is in each draw, blocks of months at a time.

    The months are taken as a circle, so that each is drawn as often as the others (Politis and
    Romano 1992, "A circular block-resampling procedure for stationary data").
    """
    rng = np.random.default_rng(seed)
    length = compute_block_length(months)
    blocks = -(-months // length)
    start = rng.integers(months, size=(draws, blocks))
    taken = (start[:, :, None] + np.arange(length)) % months
    taken = taken.reshape(draws, -1)[:, :months]
    counted = np.zeros((draws, months), dtype=np.int64)
    np.add.at(counted, (np.arange(draws)[:, None], taken), 1)
    return counted


def compute_interval(
    estimate: NDArray[np.float64], drawn: NDArray[np.float64], months: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the 95 % interval; NaN where there are too few months.

    The percentiles are moved away from the estimate by sqrt(b / (b - 1)) for b blocks: with so few
    blocks a bootstrap is too sure of itself by about that.

    Parameters
    ----------
    estimate
        (...) from the months themselves.
    drawn
        (draws, ...) from each draw.
    months
        How many months there are.
    """
    if months < MIN_INTERVAL_MONTHS:
        unknown = np.full(estimate.shape, np.nan)
        return unknown, unknown
    blocks = months / compute_block_length(months)
    wider = np.sqrt(blocks / (blocks - 1))
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return estimate + wider * (low - estimate), estimate + wider * (high - estimate)
