"""Areas with incidents whose time is known, for the tests of the clock."""

from dataclasses import replace

import geopandas as gpd
import pandas as pd

from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.risk.history import build_history

TERMS = pd.DataFrame({"urn": "*", "kind": ["term", "closed", "term", "term"]})
TERMS["from"] = pd.to_datetime(["2025-09-01", "2025-10-27", "2026-01-05", "2026-04-13"])
TERMS["to"] = pd.to_datetime(["2025-12-19", "2025-10-31", "2026-03-27", "2026-07-21"])
YEAR = pd.date_range("2025-09-01", "2026-08-31")


def build_empty_tables(projection):
    """Tables of ways home that nothing was given for."""
    text, number, minutes = (pd.Series(dtype=kind) for kind in ("object", "float64", "int64"))
    clock = {"category": text, "kind": text, "from_minutes": minutes, "share": number}

    def build_points(**columns):
        return gpd.GeoDataFrame(columns, geometry=[], crs=projection.crs)

    return WayHomeTables(
        origins=pd.DataFrame({"urn": text, "area": text, "pupils": number}),
        areas=build_points(area=text, residents=number, aged_5_16=number),
        stops=build_points(kind=text, boardings=number),
        places=build_points(kind=text),
        clock=pd.DataFrame(clock),
    )


def draw(rng, count, pieces, category, days=YEAR, minutes=(0, 1440)):
    """Incidents at random on some pieces, days and minutes of the day."""
    at = pd.DatetimeIndex(rng.choice(days, count))
    at = (at + pd.to_timedelta(rng.integers(*minutes, count), unit="min")).as_unit("ns")
    drawn = {"piece": rng.choice(pieces, count), "category": category, "occurred_at": at}
    return pd.DataFrame(drawn | {"month": at.to_period("M").to_timestamp().as_unit("ns")})


def build(make, incidents, network=None, *, places=(), table=None, term_dates=TERMS, **settings):
    """An area of `make` with licensed places (kind, x, y), an own table and term dates.

    Gives also its history. `settings` are sections.
    """
    given = {"way_home": {"clock": "declared"}, **settings}
    incidents = incidents.reset_index(drop=True)
    area = make.area(incidents, network, settings=given, term_dates=term_dates)
    tables = build_empty_tables(area.network.projection)
    if len(places):
        kinds, x, y = zip(*places, strict=True)
        where = gpd.points_from_xy(x, y)
        points = gpd.GeoDataFrame({"kind": kinds}, geometry=where, crs="EPSG:27700")
        tables = replace(tables, places=points)
    area.way_home = tables if table is None else replace(tables, clock=table)
    return area, build_history(area)
