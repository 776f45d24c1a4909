"""The protective marking of papers: what they show of taskings, fear and ways home raises it."""

from collections.abc import Iterable

from patrolplan.area import StudyArea
from patrolplan.hotspots.reasons import PassingReason, Reason, ReportsReason, WayReason
from patrolplan.patrols.demands import DemandKind
from patrolplan.patrols.plan import Patrol

LEAST_MARKING = "OFFICIAL-SENSITIVE"
# Where pupils feel unsafe, and where they walk.
SENSITIVE_REASONS = (ReportsReason, WayReason, PassingReason)
SENSITIVE_DEMANDS: frozenset[DemandKind] = frozenset({"tasked", "feared"})


def find_marking(
    area: StudyArea,
    patrols: Iterable[Patrol] = (),
    places: Iterable[Iterable[Reason]] = (),
    demands: Iterable[DemandKind] = (),
) -> str:
    """The marking of a paper with these patrols, reasons of places and kinds of demands."""
    own = area.settings.output.marking
    is_raised = any(map(is_sensitive, patrols))
    is_raised = is_raised or any(map(_is_among_sensitive, places))
    is_raised = is_raised or not SENSITIVE_DEMANDS.isdisjoint(demands)
    return raise_marking(own) if is_raised else own


def is_sensitive(patrol: Patrol) -> bool:
    """Whether a paper of a patrol shows a tasking, pupils' fear or their way."""
    shows_tasking = bool(patrol.taskings or patrol.keep_away)
    return shows_tasking or any(_is_among_sensitive(stop.why) for stop in patrol.stops)


def _is_among_sensitive(reasons: Iterable[Reason]) -> bool:
    return any(isinstance(reason, SENSITIVE_REASONS) for reason in reasons)


def raise_marking(own: str) -> str:
    """A marking that is at least `LEAST_MARKING`."""
    is_enough = any(word in own.upper() for word in ("SENSITIVE", "SECRET"))
    return own if is_enough else LEAST_MARKING
