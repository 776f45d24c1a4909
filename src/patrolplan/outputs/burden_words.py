"""Who gets the patrols, as tables for a paper and as data: rounded, with what is unknown."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.team.burden import KINDS, Burden
from patrolplan.team.shares import OUTSIDE
from patrolplan.text import format_percent

NOT_KNOWN, UNBOUNDED, NOBODY = "not known", "no limit", "\N{EN DASH}"

DECIMALS = {"minutes": 1, "residents": 1, "pupil": 2, "month": 1}
"""Decimals by the last word of a column's name; shares and ratios have four."""

PEOPLE = ("residents", "pupils")


@dataclass(frozen=True)
class BurdenTable:
    """A table in words: its title, the names of its columns, and its rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def build_burden_document(burden: Burden, area_name: str) -> dict[str, Any]:
    """The audit for other programs; null means unknown, or an interval without an upper limit."""
    first, last = burden.months
    return {
        "schema": 1,
        "area": area_name,
        "minutes_of": "stops" if burden.is_of_stops else "patrols",
        "days": None if burden.days is None else [str(day) for day in burden.days],
        "harm_months": [f"{first:%Y-%m}", f"{last:%Y-%m}"],
        "areas_outside": burden.left_out,
        "areas": _list_rows(pd.DataFrame(burden.by_area.drop(columns="geometry")), "area"),
        "groups": {name: _list_rows(table, "group") for name, table in burden.by_group.items()},
    }


def _list_rows(table: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    columns = {name: _get_decimals(str(name)) for name in table}
    return [
        {key: str(name)}
        | {
            str(column): round(value, digits) if np.isfinite(value) else None
            for (column, digits), value in zip(columns.items(), row, strict=True)
        }
        for name, row in zip(table.index, table.to_numpy(dtype=np.float64).tolist(), strict=True)
    ]


def _get_decimals(column: str) -> int | None:
    """Decimals of a column; None where its numbers are whole."""
    return None if column in PEOPLE else DECIMALS.get(column.rsplit("_", maxsplit=1)[-1], 4)


def build_burden_tables(burden: Burden) -> list[BurdenTable]:
    """One table by area, and one by each column of the audit."""
    tables = [BurdenTable("By area", *_write_table(burden.by_area, "area"))]
    for name, table in burden.by_group.items():
        title = f"By {name.replace('_', ' ')}"
        tables.append(BurdenTable(title, *_write_table(table, name.replace("_", " "))))
    return tables


def _write_table(
    table: pd.DataFrame, key: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows; without columns for delivered minutes where the audit is of a plan."""
    kinds = [kind for kind in KINDS if table[f"{kind}_minutes"].notna().any()]
    header = [key, "residents", "pupils", "share of harm"]
    for kind in kinds:
        label = {"promised": "promised", "presence": "delivered"}[kind]
        header += [
            f"minutes {label}",
            "share of minutes",
            "per 1,000 residents",
            "per pupil",
            "minutes to harm (95 %)",
        ]
    rows = []
    for name, row in zip(table.index, table.to_dict("records"), strict=True):
        cells = [str(name), *(_write_number(row[one], 0) for one in PEOPLE)]
        cells.append(_write_share(row["harm_share"]))
        for kind in kinds:
            cells += _write_kind(row, kind)
        if str(name) != OUTSIDE or any(row[f"{kind}_minutes"] for kind in kinds):
            rows.append(tuple(cells))
    return tuple(header), tuple(rows)


def _write_kind(row: Mapping[Hashable, float], kind: str) -> Iterator[str]:
    """Cells of promised or delivered minutes."""
    yield _write_number(row[f"{kind}_minutes"], 0)
    yield _write_share(row[f"{kind}_share"])
    per_resident, per_pupil = row[f"{kind}_per_1000_residents"], row[f"{kind}_per_pupil"]
    yield NOBODY if row["residents"] == 0 else _write_number(per_resident, 1)
    yield NOBODY if row["pupils"] == 0 else _write_number(per_pupil, 2)
    ratio = row[f"{kind}_ratio"]
    if np.isnan(ratio):
        yield NOT_KNOWN
        return
    ends = (row[f"{kind}_ratio_low"], row[f"{kind}_ratio_high"])
    if ratio == 0 or np.isnan(ends).any():
        yield f"{ratio:.2f}"
    else:
        yield f"{ratio:.2f} ({_write_number(ends[0], 2)} to {_write_number(ends[1], 2)})"


def _write_number(value: float, digits: int) -> str:
    if np.isnan(value):
        return NOT_KNOWN
    return UNBOUNDED if np.isinf(value) else f"{value:,.{digits}f}"


def _write_share(value: float) -> str:
    return NOT_KNOWN if np.isnan(value) else format_percent(value, 1)
