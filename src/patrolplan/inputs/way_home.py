"""The tables of pupils' ways home: origins, areas, stops, places and clock."""

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection


@dataclass(frozen=True, eq=False)
class WayHomeTables:
    """What is known of pupils' ways home, and of what keeps crime of a place to the night.

    Parameters
    ----------
    origins
        `urn`, `area`, `pupils` (float64): pupils of a school who live in each area, suppressed and
        rounded. Empty where not given.
    areas
        `area`, `residents`, `aged_5_16` (float64, NaN where not given), polygons in the CRS of the
        study area; they may lie beyond its limits. Empty where not given.
    stops
        `kind` ("bus_stop", "station"), `boardings` (float64, NaN where not given), points; those of
        the streets file where no table is given.
    places
        `kind` ("pub", "bar", "nightclub", "takeaway"), points; those of the streets file where no
        table is given.
    clock
        `category`, `kind` (kind of place, see `patrolplan.risk.clock`), `from_minutes` (int64,
        start of a half-hour after midnight), `share` (float64). Empty where not given.
    """

    origins: pd.DataFrame
    areas: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    clock: pd.DataFrame


def build_empty_tables(projection: Projection) -> WayHomeTables:
    """No table at all."""
    crs = projection.crs
    texts: dict[str, pd.Series] = {"kind": pd.Series(dtype=object)}
    number = pd.Series(dtype="float64")
    return WayHomeTables(
        origins=pd.DataFrame(
            {"urn": texts["kind"], "area": texts["kind"], "pupils": number.astype("float64")}
        ),
        areas=gpd.GeoDataFrame(
            {"area": texts["kind"], "residents": number, "aged_5_16": number}, geometry=[], crs=crs
        ),
        stops=gpd.GeoDataFrame({"kind": texts["kind"], "boardings": number}, geometry=[], crs=crs),
        places=gpd.GeoDataFrame({"kind": texts["kind"]}, geometry=[], crs=crs),
        clock=pd.DataFrame(
            {
                "category": texts["kind"],
                "kind": texts["kind"],
                "from_minutes": pd.Series(dtype="int64"),
                "share": number,
            }
        ),
    )
