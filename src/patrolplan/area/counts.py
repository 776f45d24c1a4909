"""Pupils counted at corners, matched to schools, streets and terms.

Counts are exact in this process, and nothing else may hold one: see `digest_counts`.
"""

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from patrolplan.area.loading import Loading
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.atomic import hash_content
from patrolplan.inputs.table_reader import describe_cell
from patrolplan.text import format_count

FAR_METRES = 40.0  # a corner is on a street, or on its pavement
SATURDAY = 5


def select_counts(a: Loading) -> gpd.GeoDataFrame:
    """The counts of schools that are planned for; each that cannot be one is a problem."""
    counts = a["counts"]
    counts = counts[counts["urn"].isin(a.schools["urn"])].reset_index(drop=True)

    def refuse(row: Any, column: str, what: str, remedy: str) -> None:  # noqa: ANN401 - of itertuples
        a.problems.add(row.file, what, remedy, describe_cell(row.row, column))

    moved = a.network.walkable.snap(shapely.get_coordinates(counts.geometry.values)).moved_metres
    rolls = a.schools.set_index("urn")[["roll", "capacity"]].bfill(axis=1)["roll"]
    at_corner = counts.groupby(["urn", "date", "geometry"])["pupils"].cumsum()
    for row, metres, total in zip(counts.itertuples(), moved, at_corner, strict=True):
        urn, roll = row.urn, rolls[row.urn]
        if metres > FAR_METRES:
            what = f"the corner is {metres:,.0f} m from any street"
            refuse(row, "longitude", what, "correct its coordinates")
        if total > roll > 0:
            what = f"{row.pupils} makes {total:,} at this corner on the day: more than the roll"
            what += f" of URN {urn}, {format_count(int(roll), 'pupil')}"
            refuse(row, "pupils", what, "correct the count, or the roll")
        if not _is_school_day(row.date, urn, a["term_dates"]):
            what = f"{row.date:%Y-%m-%d} is a day without school ({row.date:%A})"
            refuse(row, "date", what, "correct the date, or [sources] term_dates")
    return counts.drop(columns=["file", "row"])


def _is_school_day(day: pd.Timestamp, urn: str, terms: pd.DataFrame) -> bool:
    """Whether a school is open; a row for the school outranks one for all."""
    rows = terms[terms["urn"].isin([urn, ALL_SCHOOLS])]
    on_day = rows[(rows["from"] <= day) & (day <= rows["to"])]
    own = on_day[on_day["urn"] == urn]["kind"]
    decides = own if len(own) else on_day["kind"]
    has_terms = (rows["kind"] == "term").any()
    is_open = not (decides == "closed").any() and ((decides == "term").any() or not has_terms)
    return bool(day.weekday() < SATURDAY and is_open)


def digest_counts(counts: gpd.GeoDataFrame) -> str:
    """SHA-256 of where and when was counted: of the numbers it would let small ones be guessed."""
    known = counts[["urn", "date", "from_minutes", "to_minutes"]].assign(
        x=counts.geometry.x, y=counts.geometry.y
    )
    return hash_content(known.to_csv(index=False))
