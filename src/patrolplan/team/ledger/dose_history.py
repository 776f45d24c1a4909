"""The doses that a new week starts from."""

import datetime as dt
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.team.ledger.existing import open_existing_ledger
from patrolplan.team.ledger.monthly_return import read_presence
from patrolplan.team.ledger.visits import match_places, project_stops

if TYPE_CHECKING:
    from patrolplan.team.ledger.ledger import Ledger

DOSE_HISTORY_DAYS = 7
"""Number of earlier days whose doses a new week starts from."""


def delivered_before(
    ledger: "Ledger", start: dt.date, hotspots: gpd.GeoDataFrame, *, days: int = DOSE_HISTORY_DAYS
) -> pd.DataFrame:
    """Doses delivered in the days before a week, by the hotspots of today's plan.

    Parameters
    ----------
    ledger
        The ledger.
    start
        First day of the week to plan; its own doses are not included.
    hotspots
        See `patrolplan.tables.HOTSPOTS`; doses find theirs by place, not by name, unless the force
        designates it.
    days
        How many days back.

    Returns
    -------
    pandas.DataFrame
        `hotspot, date, minutes`, as `patrolplan.plan_week` takes them. A dose in a place that is
        no longer a hotspot is named by its place in words.
    """
    visits = read_presence(ledger, start - dt.timedelta(days=days), start - dt.timedelta(days=1))
    visits = visits[visits["minutes"] > 0].reset_index(drop=True)
    xy = project_stops(visits, ledger.projection)
    row = match_places(
        visits,
        xy,
        hotspots,
        hotspots.geometry.to_numpy(),
        shapely.get_coordinates(hotspots["stop"].to_numpy()),
    )
    names = pd.Series(hotspots["hotspot"].to_numpy(dtype=object)).reindex(row)
    visits["hotspot"] = np.where(row >= 0, names.to_numpy(), visits["place"])
    return visits.groupby(["hotspot", "date"])[["minutes"]].sum().reset_index()


def load_delivered_before(
    area: StudyArea, hotspots: gpd.GeoDataFrame, start: dt.date
) -> pd.DataFrame | None:
    """What a new week starts from: `delivered_before` of the settings' ledger.

    Returns
    -------
    pandas.DataFrame or None
        None where there is no ledger yet; looking for it does not create one.

    Raises
    ------
    LedgerError
        When the ledger cannot be reached.
    """
    ledger = open_existing_ledger(area.settings)
    if ledger is None:
        return None
    with ledger:
        return delivered_before(ledger, start, hotspots)
