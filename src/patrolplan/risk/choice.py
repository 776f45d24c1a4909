"""Which model is taken: the one that was best on earlier months, if that can be told."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.models import PRIOR_COUNT

FEWEST_EVENTS = 100
"""With fewer incidents in the months looked at, nothing can be told."""

FEWEST_ORIGINS = 3
"""With fewer months looked at, nothing can be told."""

CAUTION = 0.5
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
class Choice:
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
    fewest: int = 1

    def __str__(self) -> str:
        few = self.events < self.fewest and self.origins > 0
        number = f"fewer than {self.fewest}" if few else f"{self.events:,}"
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


def choose(
    category: str, hits: dict[str, NDArray[np.float64]], events: NDArray[np.int64]
) -> Choice:
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
    told = origins >= FEWEST_ORIGINS and total >= FEWEST_EVENTS
    usual = hits[PRIOR_COUNT].mean(axis=0) if told else np.zeros(1)
    if not told or not usual.all():
        return Choice(category, PRIOR_COUNT, None, total, origins)
    best, best_gain = PRIOR_COUNT, 0.0
    for name in CANDIDATES:
        if name not in hits:
            continue
        gains = ((hits[name] - hits[PRIOR_COUNT]) / usual).mean(axis=1)
        gain, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(origins))
        if gain > CAUTION * error and gain > best_gain + 1e-9:
            best, best_gain = name, gain
    return Choice(category, best, best_gain, total, origins)
