"""Pupils counted at corners, matched to schools, streets and terms.

Counts are exact in this process, and nothing else may hold one: see `digest_counts`.
"""

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from patrolplan.area.loading import Loading
from patrolplan.area.school_days import find_open_days
from patrolplan.atomic import hash_content
from patrolplan.inputs.table_reader import describe_cell
from patrolplan.text import format_count

FAR_METRES = 40.0  # a corner is on a street, or on its pavement


def select_counts(a: Loading) -> gpd.GeoDataFrame:
    """The counts of schools that are planned for; each that cannot be one is a problem."""
    counts = a.tables.counts
    counts = counts[counts["urn"].isin(a.schools["urn"])].reset_index(drop=True)

    def refuse(row: Any, column: str, what: str, remedy: str) -> None:  # noqa: ANN401 - of itertuples
        a.problems.add(row.file, what, remedy, describe_cell(row.row, column))

    moved = a.network.walkable.snap(shapely.get_coordinates(counts.geometry.values)).moved_metres
    rolls = a.schools.set_index("urn")[["roll", "capacity"]].bfill(axis=1)["roll"]
    at_corner = counts.groupby(["urn", "date", "geometry"])["pupils"].cumsum()
    school, urns = pd.factorize(counts["urn"])
    day, days = pd.factorize(counts["date"])
    is_open = find_open_days(a.tables.term_dates, list(urns), list(days))[school, day]
    rows = zip(counts.itertuples(), moved, at_corner, is_open, strict=True)
    for row, metres, total, has_school in rows:
        urn, roll = row.urn, rolls[row.urn]
        if metres > FAR_METRES:
            what = f"the corner is {metres:,.0f} m from any street"
            refuse(row, "longitude", what, "correct its coordinates")
        if total > roll > 0:
            what = f"{row.pupils} makes {total:,} at this corner on the day: more than the roll"
            what += f" of URN {urn}, {format_count(int(roll), 'pupil')}"
            refuse(row, "pupils", what, "correct the count, or the roll")
        if not has_school:
            what = f"{row.date:%Y-%m-%d} is a day without school ({row.date:%A})"
            refuse(row, "date", what, "correct the date, or [sources] term_dates")
    return counts.drop(columns=["file", "row"])


def digest_counts(counts: gpd.GeoDataFrame) -> str:
    """SHA-256 of where and when was counted: of the numbers it would let small ones be guessed."""
    known = counts[["urn", "date", "from_minutes", "to_minutes"]].assign(
        x=counts.geometry.x, y=counts.geometry.y
    )
    return hash_content(known.to_csv(index=False))
