"""`AuditColumns`: columns that say who lives in an area, for the audit of patrols and nothing else.

It is not a table: no function that estimates risk, finds hotspots or plans accepts its type, none
of those rooms may import this module, and at run time they also refuse it by name, with any table
that has its columns (`patrolplan.audit_guard`).
"""

from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from patrolplan.audit_guard import AUDIT_MARK, REMEDY, is_marked
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.declared import Column, Table
from patrolplan.inputs.polygons import AREAS
from patrolplan.tables import render_html_table

SOURCE = "AuditColumns"
MAX_GROUPS = 20
"""A column with more different values is a measure, which must be grouped into bands first."""

UNKNOWN = "not known"
"""Group of the areas without a value in the column."""

# fmt: off
DECILES = Table("--deciles", (
    Column("area", "small area", once=True,
           missing=("the area's name is missing", "write it as in the polygons"),
           known_names=(*AREAS.columns[0].known_names,
                        "LSOA code (2011)", "LSOA code (2021)")),
    Column("decile", "its decile", known_names=(
        "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",)),
))
# fmt: on
"""The table that the command line takes: `area, decile`, or the English indices of deprivation."""


class AuditColumns:
    """Groups of areas, such as deciles of deprivation, that patrols are counted by afterwards.

    Parameters
    ----------
    table
        One row an area.
    key
        Column with the areas' names, as in the polygons.
    columns
        The columns for audit; default all others but the geometry.

    Raises
    ------
    InputError
        When a column is missing, an area is there twice, or a column has more than `MAX_GROUPS`
        values.

    Examples
    --------
    >>> import pandas as pd
    >>> AuditColumns(pd.DataFrame({"area": ["north", "south"], "decile": [1, 9]}))
    <AuditColumns: decile; 2 areas>
    """

    def __init__(
        self, table: pd.DataFrame, *, key: str = "area", columns: list[str] | None = None
    ) -> None:
        shape = getattr(table, "active_geometry_name", None)
        names = columns or [str(one) for one in table.columns if one not in {key, shape}]
        if missing := [name for name in (key, *names) if name not in table]:
            what, remedy = f"there is no column '{missing[0]}'", ", ".join(map(str, table))
            raise InputError.one(SOURCE, what, f"choose from: {remedy}")
        problems = Problems()
        areas = table[key].astype(str).str.strip()
        for row in np.flatnonzero(areas.duplicated())[:1].tolist():
            what, place = f"'{areas.iloc[row]}' is a duplicate", f"row {row}, column '{key}'"
            problems.add(SOURCE, what, "give each area one row", place)
        for name in names:
            if (count := table[name].nunique()) > MAX_GROUPS:
                what = f"column '{name}' has {count} different values"
                remedy = f"put them in at most {MAX_GROUPS} bands, such as deciles"
                problems.add(SOURCE, what, remedy)
        problems.raise_if_any()
        groups = {name: [_write_group(one) for one in table[name]] for name in names}
        self._groups = pd.DataFrame(groups, index=pd.Index(areas, name="area"), dtype=object)

    @property
    def audit_column_names(self) -> tuple[str, ...]:
        """Names of the columns, without the mark."""
        return tuple(str(name).removeprefix(AUDIT_MARK) for name in self._groups)

    def to_frame(self) -> pd.DataFrame:
        """The groups by area, in columns whose names begin with "audit_only_"."""
        return self._groups.rename(
            columns=lambda name: name if is_marked(name) else f"{AUDIT_MARK}{name}"
        )

    def __len__(self) -> int:
        return len(self._groups)

    def __repr__(self) -> str:
        return f"<AuditColumns: {', '.join(self.audit_column_names)}; {len(self)} areas>"

    def _repr_html_(self) -> str:
        facts = {"columns": ", ".join(self.audit_column_names), "areas": len(self)}
        return render_html_table(
            "For audit only", facts, next_call="pp.measure_burden(area, given, audit=audit)"
        )

    def __array__(self, *_: object, **__: object) -> NoReturn:
        """Always refused: an array of these values would have lost its mark."""
        names = ", ".join(self.audit_column_names)
        raise InputError.one(SOURCE, f"'{names}' cannot become an array", REMEDY)


def read_audit_columns(path: str | Path) -> AuditColumns:
    """Read a table `area, decile`; an `InputError` where an area is missing or a duplicate."""
    text = DECILES.read([Path(path)], None)
    return AuditColumns(text, columns=["decile"])


def _write_group(value: object) -> str:
    """A group as text: whole numbers without a point; unknown where there is nothing."""
    if value is None or value is pd.NA or value != value or not str(value).strip():  # noqa: PLR0124
        return UNKNOWN
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
