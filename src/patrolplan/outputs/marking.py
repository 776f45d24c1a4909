"""Protective markings: that of the settings, raised if a paper shows where pupils walk."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from patrolplan.hotspots.reasons import Reason, WayReason

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Patrol, Plan
    from patrolplan.team.week import Duty

LEAST_MARKING = "OFFICIAL-SENSITIVE"
"""Minimum marking of papers that show when many pupils are on which streets."""


def find_marking(own: str, reasons: Iterable[Reason]) -> str:
    """The settings' marking for a paper with these reasons, raised if one is about pupils' ways."""
    return raise_marking(own) if any(isinstance(one, WayReason) for one in reasons) else own


def find_patrols_marking(own: str, patrols: "Iterable[Patrol]") -> str:
    """The same for a paper with the stops of these patrols."""
    return find_marking(
        own, (one for patrol in patrols for stop in patrol.stops for one in stop.why)
    )


def find_duties_marking(plan: "Plan", duties: "Iterable[Duty]") -> str:
    """The same for a paper with the stops of these duties of a week."""
    own = plan.area.settings.output.marking
    return find_patrols_marking(own, (duty.patrol for duty in duties))


def find_plan_marking(plan: "Plan", patrols: "Iterable[Patrol]") -> str:
    """The same for a page with all hotspots of a plan and the stops of these patrols."""
    own = find_marking(plan.area.settings.output.marking, chain(*plan.hotspots["reasons"]))
    return find_patrols_marking(own, patrols)


def raise_marking(own: str) -> str:
    """A marking that is at least `LEAST_MARKING`.

    Examples
    --------
    >>> raise_marking("OFFICIAL"), raise_marking("SECRET")
    ('OFFICIAL-SENSITIVE', 'SECRET')
    """
    is_enough = any(word in own.upper() for word in ("SENSITIVE", "SECRET"))
    return own if is_enough else LEAST_MARKING
