"""Visits on paper, typed into a table: who was where, when, for how many minutes."""

from pathlib import Path

import pandas as pd

from patrolplan.errors import InputError
from patrolplan.errors import Problems
from patrolplan.inputs.points import number
from patrolplan.inputs.tabular import Field
from patrolplan.inputs.tabular import read_table
from patrolplan.inputs.tabular import teller

FIELDS = (
    Field("officer", required=True),
    Field("date", required=True),
    Field("urn"),
    Field("hotspot"),
    Field("stop"),
    Field("minutes", required=True),
    Field("engagements"),
)
LONGEST_MINUTES = 720
"""More minutes than this in one place on one day are a slip of the pen."""


def read_visits(path: Path) -> pd.DataFrame:
    """Read a table of visits.

    Parameters
    ----------
    path
        Columns `officer`, `date` (YYYY-MM-DD), `hotspot` (its name, such as H3) or `stop` (its
        number on the card), `minutes`, and where they are wanted `urn` and `engagements`.

    Returns
    -------
    pandas.DataFrame
        All seven columns: `date` as dates, `minutes` as numbers, `stop` and `engagements` whole
        numbers or NA, the others text or NA. The index is the row number in the file.

    Raises
    ------
    InputError
        With every value that is not as said.
    """
    table = read_table(path, FIELDS, {}, source="--csv")
    if not {"hotspot", "stop"} & set(table.columns):
        what = "says of no visit where it was: neither 'hotspot' nor 'stop' is a column"
        raise InputError.one(path, what, "add one of them")
    table = table.reindex(columns=[field.name for field in FIELDS]).astype(object)
    problems = Problems()
    tell = teller(table, path, problems)
    tell(table["officer"].isna(), "officer", "is no officer", "write who it was, such as SSO-01")
    where = table["hotspot"].isna() & table["stop"].isna()
    column = "hotspot" if table["hotspot"].notna().any() else "stop"
    tell(where, column, "names no place", "write the stop's number or the hotspot's name")
    date = pd.to_datetime(table["date"], format="%Y-%m-%d", errors="coerce")
    tell(date.isna(), "date", "is no date", "write YYYY-MM-DD")
    minutes = pd.Series(number(table["minutes"]), index=table.index)
    good = (minutes >= 0) & (minutes <= LONGEST_MINUTES)
    remedy = f"write minutes from 0 to {LONGEST_MINUTES}, 0 where it was not visited"
    tell(~good, "minutes", "is no number of minutes", remedy)
    whole = {}
    for name, what in (("stop", "a stop"), ("engagements", "engagements")):
        text = table[name].astype("string").fillna("")
        tell((text != "") & ~text.str.fullmatch(r"\d{1,3}"), name, f"is no number of {what}",
             "write a whole number, or nothing")  # fmt: skip
        whole[name] = pd.to_numeric(text.where(text != ""), errors="coerce").astype("Float64")
    problems.raise_if_any()
    stop, spoken = (whole[name].astype("Int64") for name in ("stop", "engagements"))
    return table.assign(date=date.dt.date, minutes=minutes, stop=stop, engagements=spoken)
