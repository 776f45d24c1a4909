"""The possible orders of a patrol's stops, and minutes of leaving the gate.

A patrol is the same route with any timing; one of them is drawn for every card.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

DRAWN_FROM = 2**32  # number of equal parts of 1, one of which is drawn


@dataclass(frozen=True)
class Timing:
    """One order of a patrol's stops, and the time of each."""

    order: tuple[int, ...]
    """Rows of the patrol's stops as planned, in the order in which they are made."""
    gate_until_minutes: float  # when the gate is left
    begin_minutes: tuple[float, ...]  # when each dwell begins, in this order
    end_minutes: float


@dataclass(frozen=True, eq=False)
class Timings:
    """Timings (t) of a patrol of n stops, in m orders."""

    orders: NDArray[np.int64]  # (m, n) rows of the patrol's stops
    order: NDArray[np.int64]  # (t,) row of `orders`
    gate_until_minutes: NDArray[np.float64]  # (t,) when the gate is left: a whole minute
    begin_minutes: NDArray[np.float64]  # (t, n) when each dwell begins, in the order of `orders`
    end_minutes: NDArray[np.float64]  # (t,)
    chances: NDArray[np.float64]  # (t,) chance of each; their sum is 1

    @classmethod
    def none(cls, stops: int) -> Self:
        """An empty set of timings for a patrol with this number of stops."""
        table, column = np.zeros((0, stops)), np.zeros(0)
        numbers = table.astype(np.int64), column.astype(np.int64)
        return cls(*numbers, column, table, column, column)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, row: int) -> Timing:
        return Timing(
            tuple(self.orders[self.order[row]].tolist()),
            float(self.gate_until_minutes[row]),
            tuple(self.begin_minutes[row].tolist()),
            float(self.end_minutes[row]),
        )

    def select(self, is_wanted: NDArray[np.bool_]) -> Self:
        """Some of the timings, with chances scaled to a sum of 1."""
        chances = self.chances[is_wanted]
        total = chances.sum()
        # If all of their chances are 0, they get equal ones.
        chances = chances / total if total > 0 else np.full(len(chances), 1 / max(1, len(chances)))
        return replace(
            self,
            order=self.order[is_wanted],
            gate_until_minutes=self.gate_until_minutes[is_wanted],
            begin_minutes=self.begin_minutes[is_wanted],
            end_minutes=self.end_minutes[is_wanted],
            chances=chances,
        )

    def draw(self, pick: Callable[[str, int], int]) -> Timing | None:
        """A timing by its chance, or None; `pick`, given a purpose and a number, is below it."""
        if not len(self):
            return None
        at = (pick("timing", DRAWN_FROM) + 0.5) / DRAWN_FROM
        row = int(np.searchsorted(np.cumsum(self.chances), at))
        return self[min(row, int(np.flatnonzero(self.chances)[-1]))]
