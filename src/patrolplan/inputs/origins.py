"""Where each school's pupils live: read as a whole, joined and rounded by area, and dropped.

Only paths and names of columns may come in, only counts go out: see `patrolplan.privacy`.
"""

from itertools import groupby

import pandas as pd

from patrolplan.atomic import hash_content
from patrolplan.inputs.declared import Rule, Table
from patrolplan.inputs.formats import Columns, Files
from patrolplan.inputs.table_reader import parse_numbers
from patrolplan.privacy import ROUNDING_STEP
from patrolplan.tables import Column, Form

PUPILS_REMEDY = "write a whole number from 0 to 9999; leave out areas whose number is withheld"


# fmt: off
ORIGINS = Table("origins", (
    Column("urn", "URN of the school", missing=("the URN is missing", "write the school's URN")),
    Column("area", "small area that they live in",
           missing=("the area is missing", "write its name, as in [sources] areas")),
    # The value is not shown: a small count at one school may be a single family.
    Column("pupils", "how many pupils of the school live there",
           Form(r"[0-9]{1,4}(\.0)?", "is not a number of pupils", PUPILS_REMEDY, parse_numbers)),
), (Rule("area", lambda t, _: ~t.duplicated(["urn", "area"]) | (t["urn"] == "") | (t["area"] == ""),
         "this school has the same area in an earlier row", "add the two rows together"),))
# fmt: on


def read_origins(paths: Files, *, columns: Columns = None) -> pd.DataFrame:
    """Pupils by school and area, see `join_and_round`; messages show no number of pupils."""
    return join_and_round(ORIGINS.store(ORIGINS.read(paths, columns)))


def join_and_round(table: pd.DataFrame) -> pd.DataFrame:
    """Counts of a school by area, none of fewer than `ROUNDING_STEP` pupils, in steps of it."""
    # A school's areas are processed in the order of their names, which for official codes is
    # roughly that of the map. One with too few pupils is joined to the next: the next counts both
    # together, under its own name. What remains at the end joins the last one; a school with too
    # few pupils in total has none. Only then are the counts rounded down. The table must be of
    # whole files: whatever is left out before would let two outputs be subtracted.
    rows = table.sort_values(["urn", "area"]).itertuples(index=False, name=None)
    joined: list[tuple[str, str, float]] = []
    for urn, of_school in groupby(rows, key=lambda row: row[0]):
        start, waiting = len(joined), 0.0
        for _, area, pupils in of_school:
            waiting += pupils
            if waiting >= ROUNDING_STEP:
                joined.append((urn, area, waiting))
                waiting = 0.0
        if waiting and len(joined) > start:
            _, area, pupils = joined[-1]
            joined[-1] = (urn, area, pupils + waiting)
    result = pd.DataFrame(joined, columns=["urn", "area", "pupils"])
    rounded = result["pupils"].astype("float64") // ROUNDING_STEP * ROUNDING_STEP
    return result.astype({"urn": object, "area": object}).assign(pupils=rounded)


def digest_origins(origins: pd.DataFrame) -> str:
    """SHA-256 of what the counts reveal: equal for files that no output can distinguish."""
    # That of a short file would reveal more: its numbers could be guessed one after another.
    return hash_content(repr(ROUNDING_STEP), origins.to_json(orient="values"))
