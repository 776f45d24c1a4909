"""Every order of a patrol's stops, and every minute of leaving the gate, that it can be walked by.

A patrol is the same route whatever its timing; one of them is drawn for every card.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

DRAW_BYTES = 8
"""Of a drawn number: so many that none of a few thousand choices is likelier than another."""


@dataclass(frozen=True)
class Timing:
    """One order of a patrol's stops, and when each is made."""

    order: tuple[int, ...]
    """Rows of the patrol's stops as planned, in the order in which they are made now."""
    gate_until_minutes: float
    """When the gate, or the base, is left."""
    begin_minutes: tuple[float, ...]
    """When each dwell begins, in this order."""
    end_minutes: float


@dataclass(frozen=True, eq=False)
class Timings:
    """Timings (t) of a patrol of n stops, in m orders."""

    orders: NDArray[np.int64]
    """(m, n) rows of the patrol's stops."""
    order: NDArray[np.int64]
    """(t,) row of `orders`."""
    gate_until_minutes: NDArray[np.float64]
    """(t,) when the gate, or the base, is left: a whole minute."""
    begin_minutes: NDArray[np.float64]
    """(t, n) when each dwell begins, in the order of `orders`."""
    end_minutes: NDArray[np.float64]
    """(t,)"""

    @classmethod
    def none(cls, stops: int) -> Self:
        """No timing of a patrol of so many stops."""
        return cls(
            np.zeros((0, stops), dtype=np.int64),
            np.zeros(0, dtype=np.int64),
            np.zeros(0),
            np.zeros((0, stops)),
            np.zeros(0),
        )

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
        """Some of the timings."""
        return replace(
            self,
            order=self.order[is_wanted],
            gate_until_minutes=self.gate_until_minutes[is_wanted],
            begin_minutes=self.begin_minutes[is_wanted],
            end_minutes=self.end_minutes[is_wanted],
        )

    @property
    def chances(self) -> NDArray[np.float64]:
        """(t,) how likely each is drawn: every order alike, and every minute of an order alike."""
        _, row, count = np.unique(self.order, return_inverse=True, return_counts=True)
        return np.asarray(1.0 / (len(count) * count[row]))

    def draw(self, key: bytes) -> Timing | None:
        """One of them: an order first, then its minute; equal keys draw alike. None of none."""
        if not len(self):
            return None
        orders = np.unique(self.order)
        rows = np.flatnonzero(self.order == orders[draw_below(len(orders), key, b"order")])
        return self[int(rows[draw_below(len(rows), key, b"minute")])]


def draw_below(limit: int, key: bytes, purpose: bytes) -> int:
    """A whole number from 0 to below a limit, as likely as any other to who has not the key."""
    digest = hashlib.blake2b(purpose, key=key, digest_size=DRAW_BYTES).digest()
    return int.from_bytes(digest, "big") % limit
