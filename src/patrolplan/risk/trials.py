"""Rolling origin: fit on the months before, score the month that came, step on by a month."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.choice import Choice
from patrolplan.risk.choice import choose
from patrolplan.risk.history import History
from patrolplan.risk.models import RiskModel
from patrolplan.risk.models import fitted
from patrolplan.risk.scores import COVERAGES
from patrolplan.risk.scores import ranking
from patrolplan.risk.scores import slice_sums

ALL = "all"
"""Harm-weighted crime of all categories that count."""

AUTO = "auto"
"""The model that was best on earlier origins, at each origin."""

LEAST_HISTORY = 6
"""Months that stand before the first origin."""


@dataclass(frozen=True, eq=False)
class Trials:
    """What every model caught at every origin.

    Parameters
    ----------
    models
        (m,) names, `AUTO` last.
    categories
        (j + 1,) names, `ALL` last.
    origins
        (o,) the months that were scored.
    hits
        (m, o, j + 1, q) incidents (harm for `ALL`) of the month in the top slices.
    earlier_hits
        (m, o, j + 1, q) the same of the twelve months before, in the same slices.
    best_hits
        (o, j + 1, q) in the slices that would have been best.
    totals, earlier_totals
        (o, j + 1) incidents or harm in the whole area.
    events
        (o, j + 1) incidents.
    choices
        For each origin, the choice for each category.
    """

    models: tuple[str, ...]
    categories: tuple[str, ...]
    origins: pd.DatetimeIndex
    hits: NDArray[np.float64]
    earlier_hits: NDArray[np.float64]
    best_hits: NDArray[np.float64]
    totals: NDArray[np.float64]
    earlier_totals: NDArray[np.float64]
    events: NDArray[np.int64]
    choices: tuple[tuple[Choice, ...], ...]

    def since(self, month: pd.Timestamp) -> "Trials":
        """Only the origins from this month on."""
        start = int(self.origins.searchsorted(month))
        return Trials(
            self.models,
            self.categories,
            self.origins[start:],
            self.hits[:, start:],
            self.earlier_hits[:, start:],
            self.best_hits[start:],
            self.totals[start:],
            self.earlier_totals[start:],
            self.events[start:],
            self.choices[start:],
        )

    def choice(self, column: int) -> Choice:
        """Choice for one category from all of these origins."""
        hits = {name: self.hits[row, :, column] for row, name in enumerate(self.models)}
        return choose(self.categories[column], hits, self.events[:, column])


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores rankings of pieces of street.

    Crimes are spread over the street of their place, so a ranking earns nothing for knowing where
    the map points stand; see `patrolplan.catchments`.

    Parameters
    ----------
    history
        Holds the months that are scored.
    harm
        (j,) weight of each category in `ALL`.
    seed
        Of the permutation that breaks ties.
    """

    history: History
    harm: NDArray[np.float64]
    seed: int

    @property
    def metres(self) -> NDArray[np.float64]:
        """(p,) length of each piece."""
        return self.history.places.network.piece_metres

    def with_all(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., j + 1) the categories, and all of them weighed by harm."""
        weighed = (amounts * self.harm).sum(axis=-1, keepdims=True)
        return np.concatenate([amounts, weighed], axis=-1)

    def score(
        self, expected: NDArray[np.float64], amounts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Amounts in the top slices of a ranking by expected incidents.

        Parameters
        ----------
        expected
            (p, j).
        amounts
            (n, p, j + 1) what is counted.

        Returns
        -------
        NDArray
            (n, j + 1, q).
        """
        ties = np.random.default_rng(self.seed).permutation(len(self.metres))
        scores = self.with_all(expected)
        found = [
            slice_sums(ranking(scores[:, column], self.metres, ties), self.metres, amounts[..., column].T)
            for column in range(scores.shape[1])
        ]
        return np.stack(found).transpose(2, 0, 1)


def run_trials(
    history: History,
    models: Mapping[str, RiskModel],
    origins: Sequence[pd.Timestamp],
    harm: NDArray[np.float64],
    *,
    seed: int,
) -> Trials:
    """Fit and score every model at every origin; choose among them by the origins before.

    Parameters
    ----------
    history
        All months. A model only ever receives `history.until(origin)`.
    models
        By name.
    origins
        Months to be scored, in order.
    harm
        (j,) weight of each of the history's targets.
    seed
        Breaks ties.
    """
    scorer = Scorer(history, harm, seed)
    categories = (*history.targets, ALL)
    names = (*models, AUTO)
    found: list[NDArray[np.float64]] = []
    events: list[NDArray[np.int64]] = []
    choices: list[tuple[Choice, ...]] = []
    rows: list[tuple[NDArray[np.float64], ...]] = []
    for origin in origins:
        cut = history.until(origin)
        expected = {name: fitted(model, cut).predict() for name, model in models.items()}
        chosen = tuple(
            _choice(category, column, tuple(models), found, events)
            for column, category in enumerate(history.targets)
        )
        expected[AUTO] = np.column_stack(
            [expected[choice.model][:, column] for column, choice in enumerate(chosen)]
        )
        came, before = history.month(origin), cut.last(12)[:, : len(harm)]
        amounts = np.stack([_on_pieces(scorer, came), _on_pieces(scorer, before)])
        scored = np.stack([scorer.score(expected[name], amounts) for name in names])
        found.append(scored)
        events.append(np.append(came.sum(axis=0), came.sum()).astype(np.int64))
        choices.append(chosen)
        best = scorer.score(amounts[0, :, :-1], amounts[:1])[0]
        rows.append((best, amounts[0].sum(axis=0), amounts[1].sum(axis=0)))
    hits = np.stack(found, axis=2)
    return Trials(
        models=names,
        categories=categories,
        origins=pd.DatetimeIndex(origins),
        hits=hits[:, 0],
        earlier_hits=hits[:, 1],
        best_hits=np.stack([row[0] for row in rows]),
        totals=np.stack([row[1] for row in rows]),
        earlier_totals=np.stack([row[2] for row in rows]),
        events=np.stack(events),
        choices=tuple(choices),
    )


def _choice(
    category: str,
    column: int,
    names: tuple[str, ...],
    found: list[NDArray[np.float64]],
    events: list[NDArray[np.int64]],
) -> Choice:
    """Choice for one category from the origins scored so far."""
    seen = {
        name: np.array([scored[row, 0, column] for scored in found])
        for row, name in enumerate(names)
    }
    return choose(category, seen, np.array([counted[column] for counted in events], dtype=np.int64))


def _on_pieces(scorer: Scorer, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p, j + 1) amounts of places, on their streets."""
    return scorer.with_all(scorer.history.places.catchments.spread(amounts))
