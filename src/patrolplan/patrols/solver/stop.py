"""When to stop looking: small frozen criteria that combine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class StopCriterion(Protocol):
    """Anything that can say how many seconds and how many search rounds are allowed."""

    def seconds(self) -> float:
        """Give the wall-clock seconds allowed, `math.inf` when not limited."""

    def rounds(self) -> float:
        """Give the ruin-and-recreate rounds allowed, `math.inf` when not limited."""


@dataclass(frozen=True)
class MaxSeconds:
    """Stop after this much wall-clock time.

    Parameters
    ----------
    limit
        Seconds, at least 0. The answer at the limit depends on the speed of the computer.
    """

    limit: float

    def __post_init__(self) -> None:
        """Refuse limits that are not a number of seconds."""
        if not self.limit >= 0:
            message = f"MaxSeconds: limit is {self.limit!r}; give seconds, 0 or more"
            raise ValueError(message)

    def seconds(self) -> float:
        """Give the wall-clock seconds allowed."""
        return self.limit

    def rounds(self) -> float:
        """Rounds are not limited."""
        return math.inf


@dataclass(frozen=True)
class MaxIterations:
    """Stop after this many ruin-and-recreate rounds; equal budgets give equal answers.

    Parameters
    ----------
    limit
        Rounds, at least 0. Exact enumeration, which patrol-sized cases take, is not counted
        in rounds; it has a limit of its own.
    """

    limit: int

    def __post_init__(self) -> None:
        """Refuse limits that are not a number of rounds."""
        if not self.limit >= 0:
            message = f"MaxIterations: limit is {self.limit!r}; give rounds, 0 or more"
            raise ValueError(message)

    def seconds(self) -> float:
        """Seconds are not limited."""
        return math.inf

    def rounds(self) -> float:
        """Give the rounds allowed."""
        return self.limit


@dataclass(frozen=True)
class FirstOf:
    """Stop as soon as one of two criteria says so."""

    first: StopCriterion
    second: StopCriterion

    def seconds(self) -> float:
        """Give the smaller of both times."""
        return min(self.first.seconds(), self.second.seconds())

    def rounds(self) -> float:
        """Give the smaller of both numbers of rounds."""
        return min(self.first.rounds(), self.second.rounds())
