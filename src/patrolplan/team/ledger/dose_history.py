"""The doses that a new week starts from, and the presence that papers for schools look back on."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.team.ledger.address import open_existing_ledger
from patrolplan.team.ledger.monthly_return import read_presence
from patrolplan.team.ledger.promised import list_place_ids

if TYPE_CHECKING:
    from patrolplan.team.ledger.ledger import Ledger

DOSE_HISTORY_DAYS = 7
"""Number of earlier days whose doses a new week starts from."""
PRESENCE_WEEKS = 4
"""Weeks before a week that papers for schools look back on."""


def delivered_before(
    ledger: "Ledger", start: dt.date, hotspots: gpd.GeoDataFrame, *, days: int = DOSE_HISTORY_DAYS
) -> pd.DataFrame:
    """Doses delivered before the first day of a week: `hotspot, date, minutes` for `plan_week`.

    A dose is for the hotspot of today's plan at its place, and for those in view of it, whatever
    their names.
    """
    days_before = start - dt.timedelta(days=days), start - dt.timedelta(days=1)
    visits = read_presence(ledger, *days_before)
    visits = visits[visits["minutes"] > 0]
    seen: dict[str, set[str]] = {}
    for place in ledger.read_hotspots(*days_before).to_dict("records"):
        seen.setdefault(place["id"], set()).update(place["sees"].split(";"))
    counted = pd.Series([sorted({own, *seen.get(own, ())}) for own in visits["id"]], visits.index)
    names = hotspots[["hotspot"]].assign(id=list_place_ids(hotspots, ledger.projection.crs))
    doses = visits[["date", "minutes"]].assign(id=counted).explode("id").merge(names, on="id")
    return doses.groupby(["hotspot", "date"])[["minutes"]].sum().reset_index()


def load_delivered_before(
    area: StudyArea, hotspots: gpd.GeoDataFrame, start: dt.date
) -> pd.DataFrame | None:
    """What a new week starts from: `delivered_before` of the settings' ledger; None without one."""
    ledger = open_existing_ledger(area.settings)
    if ledger is None:
        return None
    with ledger:
        return delivered_before(ledger, start, hotspots)


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
    ledger: "Ledger", start: dt.date, hotspots: gpd.GeoDataFrame
) -> RecentPresence | None:
    """Presence in the weeks before a day, by today's hotspots; None without a record."""
    # A week without any entry is not counted, rather than counted as one without a patrol.
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
    """`read_recent_presence` of the settings' ledger; looking does not create one."""
    ledger = open_existing_ledger(area.settings)
    if ledger is None:
        return None
    with ledger:
        return read_recent_presence(ledger, start, hotspots)
