"""Places where an officer of one school may stand: what each is, and what its minutes are worth."""

from dataclasses import dataclass

import numpy as np

from patrolplan.arrays import Bools, Floats, Ints, gather
from patrolplan.hotspots.ground import Stand
from patrolplan.hotspots.reasons import Reason
from patrolplan.network import Positions
from patrolplan.patrols.designated import ALWAYS, Hours
from patrolplan.patrols.plan import StopKind, Tasking

GATE = "gate"  # name of the gate as a stop

MIN_PASSING_SHARE = 0.01  # least share of the school's pupils who pass during a dwell


@dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """One place, whatever made it: gate, hotspot, corner, tasking or a force's own hotspot."""

    id: str  # see `name_places`
    name: str  # as a stop: of the hotspot or the tasked place, otherwise its ID
    kind: StopKind
    position: Positions  # (1,) on the area's walkable network; a tasked place may be moved there
    xy: tuple[float, float]
    words: str = ""  # where it is; empty where the streets there say it
    stand: Stand = "street"
    at: str = ""  # name of the street that meets there, or of the stop; see `Ground`
    hotspot_row: int = -1  # of the hotspot whose place it is, or -1
    rates: Floats  # (T,) worth of each minute
    passing: Floats  # (T,) share of own pupils who pass, on the street in sight with most
    flow: float = 0.0  # share of own pupils who pass in the window
    sees: tuple[str, ...] = ()  # hotspots whose stopping place is in sight
    seen_pieces: Ints  # to patrol, in sight
    reasons: tuple[Reason, ...] = ()
    is_free: bool = False  # may be visited without being asked for: among the best of own ways
    is_on_own_way: bool = False  # whether it is near the gate, and own pupils pass where they do
    is_asked: bool = False  # whether it is a hotspot that is watched, feared or designated
    hours: Hours | None = ALWAYS  # in which it may be visited; None: not in this window
    dwell_minutes: float
    must: bool = False  # whether the patrol is sent for it
    tasking: Tasking | None = None


@dataclass(frozen=True, eq=False)
class StandingPlaces:
    """The places of one school in a window, the gate first; sums alone, not where pupils walk."""

    places: tuple[Place, ...]  # (k,)
    near: Bools  # (k, k) which are in sight of each other
    first_minute: int  # after midnight, of the first column of rates
    has_pupils: bool  # whether own pupils are out in the window: see `MIN_OUT_SHARE`
    # Worth of all streets within `MAX_METRES` together, in the window; where no own pupils are out,
    # of standing where it is most in each minute.
    total: float
    own_pieces: Ints  # pieces of the own ways, see `MIN_FLOW_SHARE`
    nothing_recorded: bool = False  # neither crime of the last year nor reports on the own ways

    @property
    def gate(self) -> Place:
        """The gate, at which a patrol begins and ends."""
        return self.places[0]

    def gather(self, place: Place, begin: float, end: float) -> float:
        """Worth of standing at a place between two times after midnight."""
        return gather(place.rates, self.first_minute, begin, end)

    def gather_passing(self, place: Place, begin: float, end: float) -> float:
        """Share of own pupils who pass a place between two times after midnight."""
        return gather(place.passing, self.first_minute, begin, end)

    def find_begins(self, place: Place) -> tuple[float, float]:
        """Between when a dwell may begin so that enough own pupils pass; (0, 0) for never."""
        minutes = min(round(place.dwell_minutes), len(place.passing))
        gathered = np.concatenate([[0.0], np.cumsum(place.passing)])
        passed = gathered[minutes:] - gathered[: len(gathered) - minutes]
        enough = np.flatnonzero(passed >= MIN_PASSING_SHARE)
        if not len(enough):
            return 0.0, 0.0
        return float(self.first_minute + enough[0]), float(self.first_minute + enough[-1])
