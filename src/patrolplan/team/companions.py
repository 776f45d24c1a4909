"""Who may walk along with whom: the second person of a crew."""

from dataclasses import dataclass

import numpy as np

from patrolplan.team.problem import Floats, Ints


@dataclass(frozen=True, eq=False)
class Companions:
    """Options of walking along with a school's patrol, whichever of its routes that takes.

    Arrays have axes for the options (c) and for the places that they join (p): a school, a window
    and an officer there. A place is a route without visits, numbered on after all others.
    """

    officer: Ints
    """(c,) who."""
    day: Ints
    place: Ints
    """(c,) row of the place."""
    minutes: Floats
    """(c, 2) from setting out to being back, for the longest of the school's routes."""
    school: Ints
    """(p,) of each place."""
    window: Ints
    """(p,) of each place."""
    after: Ints
    """(p,) number of the officer who is joined."""

    @classmethod
    def none(cls) -> "Companions":
        """Nobody walks along."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty, np.zeros((0, 2)), empty, empty, empty)
