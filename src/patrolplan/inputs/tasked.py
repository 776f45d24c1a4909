"""Places tasked by intelligence: to be visited, or barred, for a time and with a reason."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.errors import Problems
from patrolplan.inputs.points import number
from patrolplan.inputs.tabular import Field
from patrolplan.inputs.tabular import read_table
from patrolplan.inputs.tabular import teller
from patrolplan.projection import Projection
from patrolplan.tables import TASKED_PLACES

NAMES = (
    "place_id",
    "longitude",
    "latitude",
    "must_visit",
    "schools",
    "from",
    "to",
    "reason",
    "by",
)
FIELDS = tuple(Field(name, required=True) for name in NAMES)


def read_tasked_places(
    paths: Sequence[Path], projection: Projection, *, columns: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """Read tasked places, see `patrolplan.tables.TASKED_PLACES`.

    Raises
    ------
    InputError
        With every value that is missing or not as the contracts say.
    """
    problems = Problems()
    parts = []
    for path in paths:
        with problems.collecting():
            table = read_table(path, FIELDS, columns or {}, source="tasked_places")
            parts.append(_checked(table, path, problems))
    problems.raise_if_any()
    if not parts:
        return _empty(projection)
    table = pd.concat(parts, ignore_index=True)
    x, y = projection.to_metres(number(table["longitude"]), number(table["latitude"]))
    schools = table["schools"].str.split(";")
    table = table.assign(
        must_visit=table["must_visit"].str.casefold() == "true",
        schools=schools.map(lambda row: [urn.strip() for urn in row if urn.strip()]),
    ).drop(columns=["longitude", "latitude"])
    geometry = gpd.points_from_xy(x, y, crs=projection.crs)
    return TASKED_PLACES.check(gpd.GeoDataFrame(table, geometry=geometry))


def _empty(projection: Projection) -> gpd.GeoDataFrame:
    data: dict[str, list[object]] = {
        name: [] for name in TASKED_PLACES.columns if name != "geometry"
    }
    frame = gpd.GeoDataFrame(data, geometry=[], crs=projection.crs)
    kinds = {"must_visit": "bool", "from": "datetime64[ns]", "to": "datetime64[ns]"}
    return frame.astype(kinds)


def _checked(table: pd.DataFrame, path: Path, problems: Problems) -> pd.DataFrame:
    tell = teller(table, path, problems)
    place = table["place_id"]
    tell(place.isna(), "place_id", "names no place", "write a short name, such as T1")
    tell(place.notna() & place.duplicated(), "place_id", "stands twice", "keep one of the rows")
    for column, limit in (("longitude", 180), ("latitude", 90)):
        degrees = pd.Series(number(table[column]), index=table.index)
        tell(~(degrees.abs() <= limit), column, "is no coordinate", "write decimal degrees")
    must = table["must_visit"].fillna("").str.casefold().isin(["true", "false"])
    tell(~must, "must_visit", "is neither true nor false", "write true, or false for barred")
    tell(table["schools"].isna(), "schools", "names no school", "write URNs with ;, or * for all")
    dates = {
        name: pd.to_datetime(table[name], format="%Y-%m-%d", errors="coerce")
        for name in ("from", "to")
    }
    for name, values in dates.items():
        tell(values.isna(), name, "is no date", "write YYYY-MM-DD")
    tell(dates["to"] < dates["from"], "to", "is before the first day", "swap the two dates")
    for column, remedy in (("reason", "say why"), ("by", "say who asks for it")):
        tell(table[column].isna(), column, "is missing", remedy)
    return table.assign(**dates)
