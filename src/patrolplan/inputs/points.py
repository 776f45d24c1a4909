"""Coordinates of a table's rows in the area's metres, whichever columns hold them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.errors import InputError
from patrolplan.inputs.tabular import Field
from patrolplan.projection import BRITISH_GRID
from patrolplan.projection import Projection

POINT_FIELDS = (
    Field("longitude", ("Longitude",)),
    Field("latitude", ("Latitude",)),
    Field("easting", ("Easting",)),
    Field("northing", ("Northing",)),
)


def points(
    table: pd.DataFrame,
    projection: Projection,
    columns: Mapping[str, str],
    *,
    path: Path,
    source: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres of each row; NaN where a row has no coordinates or none that are numbers.

    Easting and northing that a known UK layout holds are on the British National Grid; those
    that the settings map are in the area's CRS. Degrees are taken where both stand.

    Raises
    ------
    InputError
        When the table has neither pair of columns.
    """
    if {"longitude", "latitude"} <= set(table.columns):
        longitude, latitude = number(table["longitude"]), number(table["latitude"])
        possible = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)  # noqa: PLR2004
        return projection.to_metres(
            np.where(possible, longitude, np.nan), np.where(possible, latitude, np.nan)
        )
    if {"easting", "northing"} <= set(table.columns):
        grid = projection.crs if "easting" in columns else BRITISH_GRID
        return projection.to_metres(number(table["easting"]), number(table["northing"]), grid)
    what = "has no coordinates: neither Longitude and Latitude nor Easting and Northing"
    raise InputError.one(path, what, f"add them or map them under [columns.{source}]")


def number(values: pd.Series) -> NDArray[np.float64]:
    """Numbers of a text column, NaN where there is none; infinity is none."""
    found = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)
