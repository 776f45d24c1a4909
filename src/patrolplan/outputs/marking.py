"""Protective markings: that of the settings, raised if a paper shows where pupils walk."""

from collections.abc import Iterable

from patrolplan.hotspots.reasons import Reason, WayReason

LEAST_MARKING = "OFFICIAL-SENSITIVE"
"""Minimum marking of papers that show when many pupils are on which streets."""


def find_marking(own: str, reasons: Iterable[Reason]) -> str:
    """The settings' marking for a paper with these reasons, raised if one is about pupils' ways."""
    return raise_marking(own) if any(isinstance(one, WayReason) for one in reasons) else own


def raise_marking(own: str) -> str:
    """A marking that is at least `LEAST_MARKING`.

    Examples
    --------
    >>> raise_marking("OFFICIAL"), raise_marking("SECRET")
    ('OFFICIAL-SENSITIVE', 'SECRET')
    """
    is_enough = any(word in own.upper() for word in ("SENSITIVE", "SECRET"))
    return own if is_enough else LEAST_MARKING
