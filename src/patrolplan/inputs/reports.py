"""Pupils' reports, without anything about a person, to be grouped by `patrolplan.privacy`.

Only the wanted columns are read; free text and everything else about a person never enters
memory. No message shows a report's value, and small counts are shown as "fewer than".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection
from patrolplan.errors import Problems
from patrolplan.inputs.table_reader import Field, parse_numbers, read_counted_table
from patrolplan.inputs.timestamps import parse_days
from patrolplan.privacy import record_left_out, suppress_and_round
from patrolplan.tables import LeftOut

TIME_BANDS = ("before_school", "lunch", "after_school", "evening")
PLACE_FACTORS = (
    *("poor_lighting", "isolated", "overgrown", "litter_or_damage", "blocked_pavement", "none"),
)
BEHAVIOUR_FACTORS = (
    *("groups_loitering", "followed", "verbal_abuse", "robbery_or_threat", "drug_use", "traffic"),
    "none",
)
COLUMNS = (
    *("report_id", "reported_on", "time_band", "place_factor", "behaviour_factor"),
    *("longitude", "latitude"),
)
FIELDS = tuple(Field(name, required=True) for name in COLUMNS)


MALFORMED = "with more or fewer fields than the header"
EXPECTED_FORMS = {
    MALFORMED: "put cells that hold a comma in quotes, and export the reports again",
    "without coordinates": "write decimal degrees with a point, such as -0.1276",
    "coordinates are zero": "write decimal degrees, or leave the cells empty",
    "longitude and latitude are swapped": "put longitude and latitude in their own columns",
    "without coordinates that exist": "write decimal degrees with a point, such as -0.1276",
    "without a date that exists": "write dates as YYYY-MM-DD, from 2000 on and not in the future",
    "unknown time band": f"write one of {', '.join(TIME_BANDS)}",
    "unknown place factor": f"write one of {', '.join(PLACE_FACTORS)}",
    "unknown behaviour factor": f"write one of {', '.join(BEHAVIOUR_FACTORS)}",
}
"""The form that would do, for each reason for which a report is refused."""


def read_reports(
    paths: Sequence[Path],
    projection: Projection,
    limits: BaseGeometry,
    left_out: LeftOut,
    *,
    threshold: int,
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read reports; wrong rows are left out and counted by reason, never corrected.

    Parameters
    ----------
    limits
        Polygon in metres that reports must lie in; see `patrolplan.privacy.extend_to_squares`.
    left_out
        Collects what was left out; counts under `threshold` will print as "fewer than".
    threshold
        Smallest group whose size may be shown.

    Returns
    -------
    pandas.DataFrame
        `x`, `y` (metres), `time_band`, `place_factor`, `behaviour_factor`, `year`: for
        `patrolplan.privacy.group_reports` and `count_years` alone.
    """
    problems = Problems()
    tables = []
    for path in paths:
        with problems.collect():
            tables.append(read_counted_table(path, FIELDS, columns or {}, source="reports"))
    problems.raise_if_any()
    if malformed := sum(len(one.malformed) for one in tables):
        record_left_out(left_out, MALFORMED, malformed, threshold)
    table = pd.concat([one.rows for one in tables], ignore_index=True)
    longitude, latitude = parse_numbers(table["longitude"]), parse_numbers(table["latitude"])
    x, y = projection.to_metres(longitude, latitude)
    good = np.ones(len(table), dtype=bool)
    for reason, fault in _find_faults(table, longitude, latitude, projection, limits).items():
        count = int((good & fault).sum())
        if count:
            record_left_out(left_out, reason, count, threshold)
        good &= ~fault
    reports = table.loc[good, ["time_band", "place_factor", "behaviour_factor"]]
    years = parse_days(table["reported_on"])[good].dt.year
    return reports.assign(x=x[good], y=y[good], year=years).reset_index(drop=True)


def count_years(reports: pd.DataFrame, threshold: int) -> dict[int, int]:
    """Reports of each year, suppressed and rounded."""
    counts = reports["year"].value_counts().sort_index()
    return {int(year): int(suppress_and_round(count, threshold)) for year, count in counts.items()}


def _find_faults(
    table: pd.DataFrame,
    longitude: np.ndarray,
    latitude: np.ndarray,
    projection: Projection,
    limits: BaseGeometry,
) -> dict[str, np.ndarray]:
    """(n,) whether each fault applies to each row; a row counts under the first that does."""
    dates = parse_days(table["reported_on"])
    inside = shapely.contains_xy(limits, *projection.to_metres(longitude, latitude))
    swapped = shapely.contains_xy(limits, *projection.to_metres(latitude, longitude))
    ids = table["report_id"]
    return {
        "duplicate report": (ids.notna() & ids.duplicated()).to_numpy(),
        "without coordinates": np.isnan(longitude) | np.isnan(latitude),
        "coordinates are zero": (longitude == 0) & (latitude == 0),
        "longitude and latitude are swapped": ~inside & swapped,
        "outside the area": ~inside,
        "without a date that exists": dates.isna().to_numpy(),
        "unknown time band": ~table["time_band"].isin(TIME_BANDS).to_numpy(),
        "unknown place factor": ~table["place_factor"].isin(PLACE_FACTORS).to_numpy(),
        "unknown behaviour factor": ~table["behaviour_factor"].isin(BEHAVIOUR_FACTORS).to_numpy(),
    }
