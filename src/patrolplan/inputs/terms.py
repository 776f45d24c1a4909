"""Term dates: when schools are open, for all of them or one."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from patrolplan.errors import Problems
from patrolplan.inputs.tabular import Field
from patrolplan.inputs.tabular import read_table
from patrolplan.inputs.tabular import teller
from patrolplan.tables import TERM_DATES

FIELDS = (
    Field("urn", ("urn or *",), required=True),
    Field("from", required=True),
    Field("to", required=True),
    Field("kind", required=True),
)
KINDS = ("term", "closed")


def read_term_dates(
    paths: Sequence[Path], *, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read term dates, see `patrolplan.tables.TERM_DATES`.

    Raises
    ------
    InputError
        With every value that is no date or kind, and every span that ends before it begins.
    """
    problems = Problems()
    parts = []
    for path in paths:
        with problems.collecting():
            table = read_table(path, FIELDS, columns or {}, source="term_dates")
            parts.append(_checked(table, path, problems))
    problems.raise_if_any()
    if not parts:
        empty = pd.DataFrame({"urn": [], "from": [], "to": [], "kind": []}, dtype="str")
        parts = [empty.astype({"from": "datetime64[ns]", "to": "datetime64[ns]"})]
    return TERM_DATES.check(pd.concat(parts, ignore_index=True))


def _checked(table: pd.DataFrame, path: Path, problems: Problems) -> pd.DataFrame:
    tell = teller(table, path, problems)
    dates = {
        name: pd.to_datetime(table[name], format="%Y-%m-%d", errors="coerce")
        for name in ("from", "to")
    }
    for name, values in dates.items():
        tell(values.isna(), name, "is no date", "write YYYY-MM-DD")
    tell(dates["to"] < dates["from"], "to", "is before the first day", "swap the two dates")
    tell(table["urn"].isna(), "urn", "names no school", "write a URN, or * for all schools")
    tell(~table["kind"].isin(KINDS), "kind", "is no kind", "write term or closed")
    return table.assign(**dates)
