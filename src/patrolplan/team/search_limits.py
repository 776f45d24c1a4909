"""When the search for the best week stops.

A module without the search, since a week's file holds the limits that it was made with.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

Limit = Annotated[int, Field(ge=0, le=10**9, strict=True)]
Positive = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True)
class SearchLimits:
    """When to stop searching.

    Equal inputs give equal weeks as long as the search ends by gap, moves or nodes; a week that
    ends by the clock depends on the speed of the computer.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=False)

    gap_percent: Positive = 0.5
    """Relative gap to the bound at which a week is good enough, at every size; 0 for one that is
    proven best if `nodes` are enough."""
    nodes: Limit = 500
    """Maximum nodes of the search tree of a week that is to be proven best."""
    moves_per_school: Limit = 200_000
    """Maximum small changes tried for every school by annealing."""
    is_proven_if_quick: bool = False
    """Whether a week within the gap is still proven best where that takes about a second."""
    seconds: Positive | None = None
    """Maximum wall-clock time; None for no limit."""


DEFAULT_LIMITS = SearchLimits(is_proven_if_quick=True)
"""Default limits of a search."""
