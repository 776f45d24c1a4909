"""What lies around a school's gate, whatever the risk: streets, and how far patrols get on them.

The radius, and with it what a stop is worth, is measured on foot whichever way a patrol goes, so
that patrols on foot and by bicycle compare.
"""

from dataclasses import dataclass
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network import Positions
from patrolplan.network import StreetNetwork
from patrolplan.network import joined_positions
from patrolplan.network.graph import metres_to_pieces
from patrolplan.network.walks import Walks
from patrolplan.patrols.start import MARGIN
from patrolplan.patrols.start import Base
from patrolplan.patrols.start import Hours
from patrolplan.patrols.start import at_the_gate
from patrolplan.patrols.start import base_for
from patrolplan.patrols.start import hours_of
from patrolplan.patrols.start import streets_metres
from patrolplan.patrols.way import effort_of
from patrolplan.patrols.way import speed_of
from patrolplan.patrols.windows import Window


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Streets around one gate, and the time that patrols have there.

    Nothing in it depends on risk or hotspots: a school that is planned more than once, as for held
    out months, needs them once.

    Parameters
    ----------
    network
        Streets around the gate.
    pieces
        (q,) pieces of the area's network that `network` consists of.
    effort
        (q, 2) what a metre of each costs the way that patrols go; None on foot.
    gate
        The gate, on `network`.
    base
        The officer's base, on `network`, and what patrols do there; None where they do nothing.
    base_note
        Why patrols are at the gate although the settings say the base; empty otherwise.
    streets_metres
        How far these streets reach from the gate at least, in a straight line.
    hours
        When patrols start, and for how long they may last.
    gate_metres
        (q,) walking distance from the gate to the nearer end of each piece.
    there_and_back_metres
        (q,) least cost of going from the start to each piece and on to the end, in metres that
        could be gone at full speed.
    """

    network: StreetNetwork
    pieces: NDArray[np.int64]
    effort: NDArray[np.float64] | None
    gate: Positions
    base: Base | None
    base_note: str
    streets_metres: float
    hours: Hours
    gate_metres: NDArray[np.float64]
    there_and_back_metres: NDArray[np.float64]


def surroundings_of(area: StudyArea, row: int, window: Window) -> Surroundings:
    """What lies around one school's gate.

    Parameters
    ----------
    area
        The study area.
    row
        Row of the area's schools.
    window
        Of the patrols.
    """
    school = area.schools.iloc[row]
    hours = hours_of(area, school, window)
    base, note = base_for(area, str(school["urn"]), presence=hours.gate_minutes > 0)
    gate = area.gates.take([row])
    streets = _Streets.around(area, gate, base)
    if streets.direct_metres > hours.on_the_way_minutes * speed_of(area.settings.patrol):
        base, note = None, at_the_gate(area, "The base is too far for this window")
        streets = _Streets.around(area, gate, None)
    gate_metres = metres_to_pieces(streets.network, streets.gate)
    return Surroundings(
        network=streets.network,
        pieces=streets.pieces,
        effort=streets.effort,
        gate=streets.gate,
        base=streets.base,
        base_note=note,
        streets_metres=streets.metres,
        hours=hours,
        gate_metres=gate_metres,
        there_and_back_metres=streets.there_and_back_metres(gate_metres),
    )


@dataclass(frozen=True, eq=False)
class _Streets:
    """Streets around a gate, and as far as a base is."""

    network: StreetNetwork
    pieces: NDArray[np.int64]
    effort: NDArray[np.float64] | None
    gate: Positions
    base: Base | None
    metres: float

    @classmethod
    def around(cls, area: StudyArea, gate: Positions, base: Base | None) -> "_Streets":
        metres = _metres_around(area, gate, base)
        pieces = _pieces_around(area, gate, base, metres)
        return cls(
            area.network.take(pieces),
            pieces,
            effort_of(area, pieces),
            gate.among(pieces),
            None if base is None else replace(base, place=base.place.among(pieces)),
            metres,
        )

    @property
    def start(self) -> Positions:
        """Where patrols start."""
        return self.base.place if self.base is not None and self.base.starts else self.gate

    @property
    def end(self) -> Positions:
        """Where they end."""
        return self.base.place if self.base is not None and self.base.ends else self.gate

    @property
    def direct_metres(self) -> float:
        """Least cost of going from start to end without a stop."""
        if self.start is self.end:
            return 0.0
        ends = joined_positions(self.start, self.end)
        return float(Walks(self.network, ends, effort=self.effort).metres[0, 1])

    def there_and_back_metres(self, gate_metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Surroundings`; `gate_metres` are the way there on foot from the gate."""
        on_foot = self.effort is None
        # The way back is the way there told backwards.
        turned = None if self.effort is None else self.effort[:, ::-1]
        out = gate_metres if on_foot and self.start is self.gate else self._away(self.start)
        if on_foot and self.start is self.end:
            return 2 * out
        if on_foot and self.end is self.gate:
            return out + gate_metres
        return out + metres_to_pieces(self.network, self.end, effort=turned)

    def _away(self, place: Positions) -> NDArray[np.float64]:
        return metres_to_pieces(self.network, place, effort=self.effort)


def _metres_around(area: StudyArea, gate: Positions, base: Base | None) -> float:
    """How far from the gate patrols may walk: within the radius, and as far as the base is."""
    if base is None:
        return streets_metres(area)
    apart = area.network.xy(base.place)[0] - area.network.xy(gate)[0]
    return max(streets_metres(area), MARGIN * float(np.hypot(*apart)))


def _pieces_around(
    area: StudyArea, gate: Positions, base: Base | None, metres: float
) -> NDArray[np.int64]:
    """Pieces so far around a gate; gate and base are on a street, however little that is."""
    around = area.network.around(area.network.xy(gate)[0], metres)
    bases = () if base is None else (base.place.piece,)
    return np.unique(np.concatenate([around, gate.piece, *bases]))
