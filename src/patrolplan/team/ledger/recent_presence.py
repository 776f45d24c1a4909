"""Days of the last four weeks on which officers were at a hotspot, for the papers for schools.

Unrecorded presence is not known: a week without any entry is not counted at all, rather than
counted as one without a patrol.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from patrolplan.team.ledger.dose_history import delivered_before
from patrolplan.team.ledger.existing import open_existing_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.team.ledger.ledger import Ledger

PRESENCE_WEEKS = 4
"""Weeks before a week that papers for schools look back on."""


@dataclass(frozen=True)
class RecentPresence:
    """Recorded presence in the weeks before a week."""

    weeks: int
    """Number of `PRESENCE_WEEKS` with any entry in the ledger; at least one."""
    days: dict[str, frozenset[dt.date]]
    """Days on which officers were there, by today's hotspot."""

    def find_days(self, hotspots: Iterable[str]) -> frozenset[dt.date]:
        """Days on which officers were at any of these hotspots."""
        return frozenset[dt.date]().union(*(self.days.get(name, ()) for name in hotspots))


def read_recent_presence(
    ledger: Ledger, start: dt.date, hotspots: gpd.GeoDataFrame
) -> RecentPresence | None:
    """Presence in the weeks before a day, by the hotspots of today's plan.

    Parameters
    ----------
    ledger
        The ledger.
    start
        First day of the week that papers are for.
    hotspots
        See `patrolplan.tables.HOTSPOTS`; doses find theirs by place, not by name.

    Returns
    -------
    RecentPresence or None
        None where nothing was recorded in these weeks.
    """
    length = 7 * PRESENCE_WEEKS
    first, last = start - dt.timedelta(days=length), start - dt.timedelta(days=1)
    dates = ledger.read_delivered(first, last)["date"]
    weeks = {(date - first).days // 7 for date in dates}
    if not weeks:
        return None
    doses = delivered_before(ledger, start, hotspots, days=length)
    by_hotspot = doses.groupby("hotspot")["date"]
    return RecentPresence(len(weeks), {str(name): frozenset(days) for name, days in by_hotspot})


def load_recent_presence(
    area: StudyArea, hotspots: gpd.GeoDataFrame, start: dt.date
) -> RecentPresence | None:
    """`read_recent_presence` of the settings' ledger; looking does not create one.

    Raises
    ------
    LedgerError
        When the ledger cannot be reached.
    """
    ledger = open_existing_ledger(area.settings)
    if ledger is None:
        return None
    with ledger:
        return read_recent_presence(ledger, start, hotspots)
