"""The score of one origin: crime captured by a ranking of streets, and how likely rates made it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.calibration import sum_deciles
from patrolplan.risk.history import History
from patrolplan.risk.origin_streets import OriginStreets, find_origin_streets
from patrolplan.risk.scores import (
    COVERAGES,
    UnitStreets,
    append_harm,
    rank_streets,
    sum_slices,
    sum_unit_slices,
)
from patrolplan.risk.stack import MIN_RATE, score_shares


@dataclass(frozen=True, eq=False)
class OriginScore:
    """What models captured and expected; the dots are axes of models and origins."""

    hits: NDArray[np.float64]  # (2, ..., j + 1, q) of the month, and of the twelve months before
    bits: NDArray[np.float64]  # (..., j + 1) log score
    observed: NDArray[np.float64]  # (..., j + 1, 10) incidents by tenth of the expected ones
    expected: NDArray[np.float64]  # (..., j + 1) incidents

    def pack(self) -> NDArray[np.float64]:
        """All fields in one array (..., j + 1, 2 q + 12), for the cache."""
        parts = *self.hits, self.bits[..., None], self.observed, self.expected[..., None]
        return np.concatenate(parts, axis=-1)

    @classmethod
    def unpack(cls, packed: NDArray[np.float64]) -> Self:
        """From what `pack` gives."""
        q = len(COVERAGES)
        hits = np.stack([packed[..., :q], packed[..., q : 2 * q]])
        return cls(hits, packed[..., 2 * q], packed[..., 2 * q + 1 : -1], packed[..., -1])


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores rankings of pieces of street.

    Crimes are spread over the street of their place, so a ranking gains nothing by knowing where
    the map points are; see `patrolplan.network.catchments`.
    """

    history: History  # Holds the months that are scored
    harm: NDArray[np.float64]  # (j,) weight of each category in `ALL_CATEGORIES`
    seed: int  # Of the permutation that breaks ties

    @cached_property
    def ties(self) -> NDArray[np.int64]:
        """(p,) a permutation: among ties the piece of the lower number comes first."""
        return np.random.default_rng(self.seed).permutation(len(self.history.units.network))

    @cached_property
    def streets(self) -> UnitStreets:
        """The places' pieces."""
        units = self.history.units
        pieces = units.network.piece_metres, units.catchments.piece_catchment
        return UnitStreets(units.metres, *pieces, np.argsort(self.ties))

    def score(
        self, expected: NDArray[np.float64], amounts: NDArray[np.float64], streets: OriginStreets
    ) -> NDArray[np.float64]:
        """Amounts in the top slices of a ranking by expected incidents.

        `expected`: (c, j) in each place, or (p, j) on each piece where a model tells them apart.
        `amounts`: (n, c, j + 1) what is counted, in each place; see `append_harm`. `streets`: What
        is known of places at the origin; slices are shares of the street held. Returns (n, j + 1,
        q).
        """
        spread, metres = self.history.units.catchments.spread, self.streets.piece_metres
        sums = []
        for score, amount in zip(append_harm(expected, self.harm).T, amounts.T, strict=True):
            if len(expected) == amounts.shape[1]:
                sums.append(
                    sum_unit_slices(streets.gather(score), streets.units, streets.gather(amount))
                )
            else:
                held = streets.held_pieces
                order = rank_streets(score[held], metres[held], self.ties[held])
                sums.append(sum_slices(order, metres[held], spread(amount)[held]))
        # In the memory order of arrays from the cache, so that sums over it are the same.
        return np.ascontiguousarray(np.stack(sums).transpose(2, 0, 1))

    def find_origin_streets(self, row: int) -> OriginStreets:
        """What is known of places at an origin, by the row of its month."""
        return find_origin_streets(self.history, self.streets, row)


def score_rates(
    scorer: Scorer,
    rates: NDArray[np.float64],
    amounts: NDArray[np.float64],
    streets: OriginStreets,
    row: int,
    share: float = 1.0,
) -> NDArray[np.float64]:
    """Score (c, j) or (p, j) expected incidents; see `OriginScore.pack`.

    `scorer`, `rates`: Ranks the pieces by what is expected. `amounts`: (2, c, j + 1) crimes of the
    month, and of the twelve months before. `streets`: What is known of places at the origin.
    `share`: Share of the month that is scored.
    """
    history = scorer.history
    catchments, exposure = history.units.catchments, history.exposure
    hits = scorer.score(rates, amounts, streets)
    if len(rates) != len(catchments):
        rates = history.units.sum_pieces(rates)
    counts = streets.gather(amounts[0, :, :-1])
    bits = score_shares(np.maximum(streets.gather(rates), MIN_RATE), counts)
    held = share * (rates if exposure is None else rates * exposure[row, :, None])
    expected, observed = (
        np.column_stack([column, column.sum(axis=1)]) for column in (streets.gather(held), counts)
    )
    return OriginScore(
        hits=hits,
        bits=np.append(bits, bits.sum()),
        observed=sum_deciles(expected, observed),
        expected=expected.sum(axis=0),
    ).pack()
