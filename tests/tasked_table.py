"""Areas with tasked places, of which a test names only what matters to it."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.inputs.small_tables import WEEKDAYS


def task(area, *points, **columns):
    """The area with places T1, T2... to visit, for all schools, at any time, once a day.

    A column has one value for all places.
    """
    given = {
        "must_visit": True, "schools": ["*"], "reason": "a reason", "by": "somebody",
        "from": pd.Timestamp("2026-11-02"), "to": pd.Timestamp("2026-12-18"),
        "from_minutes": np.nan, "to_minutes": np.nan, "minutes": np.nan, "visits": 1, "officers": 1,
        "weekdays": list(WEEKDAYS), **columns,
    }  # fmt: skip
    places = gpd.GeoDataFrame(
        {"place_id": [f"T{number}" for number in range(1, len(points) + 1)]}
        | {name: [value] * len(points) for name, value in given.items()},
        geometry=[shapely.Point(xy) for xy in points],
        crs=area.network.projection.crs,
    )
    return dataclasses.replace(area, tasked_places=places)
