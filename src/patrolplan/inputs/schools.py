"""Schools, their bell times and their gates."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import Problems
from patrolplan.inputs.table_reader import (
    POINT_FIELDS,
    Field,
    project_coordinates,
    quote_value,
    read_table,
)
from patrolplan.settings import SchoolSettings
from patrolplan.tables import LeftOut

FIELDS = (
    Field("urn", ("URN",), required=True),
    Field("name", ("EstablishmentName", "school", "school_name"), required=True),
    Field("status", ("EstablishmentStatus (name)",)),
    Field("phase", ("PhaseOfEducation (name)",)),
    *POINT_FIELDS,
)
PLAIN_URN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
PHASES = (
    "Nursery",
    "Primary",
    "Middle deemed primary",
    "Secondary",
    "Middle deemed secondary",
    "16 plus",
    "All-through",
    "Not applicable",
)
"""Phases of GIAS: an area need not have a school of each that is asked for."""


def read_schools(
    paths: Sequence[Path],
    projection: Projection,
    left_out: LeftOut,
    *,
    selection: SchoolSettings | None = None,
    columns: Mapping[str, str] | None = None,
    left_out_urns: dict[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read open schools: GIAS, or any table whose columns the settings map.

    A URN that stands twice is one school. Schools that are not open, not asked for, or without a
    place are left out and counted.

    Parameters
    ----------
    paths, projection, columns
        As for every table.
    left_out
        Is told how many were left out, and why.
    wanted
        `[schools]` of the settings.
    passed_over
        Is told why each school with a URN was left out.

    Returns
    -------
    geopandas.GeoDataFrame
        `urn`, `name`, `phase` and the site point, sorted by URN.

    Raises
    ------
    InputError
        When a file cannot be read, or a school or phase that the settings name is not there.
    """
    selection = selection or SchoolSettings()
    columns = columns or {}
    problems = Problems()
    parts = []
    for path in paths:
        with problems.collect():
            table = read_table(path, FIELDS, columns, source="schools")
            x, y = project_coordinates(table, projection, columns, path=path, source="schools")
            parts.append(table.assign(x=x, y=y))
    problems.raise_if_any()
    over = {} if left_out_urns is None else left_out_urns
    listed = _select_open(pd.concat(parts, ignore_index=True), left_out, over)
    _check_phases(listed, selection, paths[0], problems)
    problems.raise_if_any()  # no school is blamed for a phase that there is not
    table = _select_schools(listed, selection, left_out, over)
    for urn in selection.urns:
        if urn not in set(table["urn"]):
            why, remedy = _explain_missing(listed, urn)
            problems.add(paths[0], f"the school {quote_value(urn)} that is asked for {why}", remedy)
    if table.empty:
        what = "no open school with a place is left"
        problems.add(paths[0], what, "check the file and [schools]")
    problems.raise_if_any()
    frame = gpd.GeoDataFrame(
        table[["urn", "name", "phase"]],
        geometry=gpd.points_from_xy(table["x"], table["y"], crs=projection.crs),
    )
    return frame.sort_values("urn", key=build_urn_sort_key).reset_index(drop=True)


def build_urn_sort_key(urns: pd.Series) -> pd.Series:
    """Keys that sort URNs as numbers, and other names after them."""
    return urns.str.zfill(12)


def _select_open(
    table: pd.DataFrame, left_out: LeftOut, left_out_urns: dict[str, str]
) -> pd.DataFrame:
    """Open schools, each once."""
    urns = table["urn"].fillna("").str.removesuffix(".0")
    plain = urns.str.fullmatch(PLAIN_URN)  # URNs name files, so they must be plain
    left_out.add("schools", "without a URN of letters and digits", int((~plain).sum()))
    table = table.assign(urn=urns)[plain]
    table = table.assign(
        name=table["name"].fillna("Unnamed school"),
        phase=table["phase"].fillna("") if "phase" in table else "",
    )
    if "status" in table:
        is_open = table["status"].fillna("Open").str.startswith("Open")
        table = _keep_rows(table, is_open, "not open", left_out, left_out_urns)
    again = table["urn"].duplicated()
    left_out.add("schools", "the same URN again", int(again.sum()))
    return table[~again]


def _select_schools(
    table: pd.DataFrame, selection: SchoolSettings, left_out: LeftOut, left_out_urns: dict[str, str]
) -> pd.DataFrame:
    """Schools that are asked for and have a place."""
    asked = _has_phase(table, selection)
    if selection.urns:
        asked &= table["urn"].isin(selection.urns)
    table = _keep_rows(table, asked, "not asked for in [schools]", left_out, left_out_urns)
    return _keep_rows(table, table["x"].notna(), "without coordinates", left_out, left_out_urns)


def _keep_rows(
    table: pd.DataFrame,
    good: pd.Series,
    reason: str,
    left_out: LeftOut,
    left_out_urns: dict[str, str],
) -> pd.DataFrame:
    """The good rows; the others are counted, and their URNs told with the reason."""
    left_out.add("schools", reason, int((~good).sum()))
    left_out_urns.update(dict.fromkeys(table["urn"][~good], reason))
    return table[good]


def _has_phase(table: pd.DataFrame, selection: SchoolSettings) -> pd.Series:
    """Whether each school is of a phase that is asked for, however that is written."""
    if not selection.phases:
        return pd.Series(data=True, index=table.index)
    return table["phase"].str.casefold().isin([_fold_case(phase) for phase in selection.phases])


def _fold_case(phase: str) -> str:
    return phase.strip().casefold()


def _check_phases(
    table: pd.DataFrame, selection: SchoolSettings, path: Path, problems: Problems
) -> None:
    """Every phase must be one of the file's or of GIAS, and some school of one of them."""
    there = sorted(phase for phase in table["phase"].unique() if phase)
    remedy = f"mend [schools] phases, there are: {', '.join(there) or 'none'}"
    known = {_fold_case(phase) for phase in (*there, *PHASES)}
    for phase in selection.phases:
        if _fold_case(phase) not in known:
            problems.add(path, f"no school is of the phase {quote_value(phase)}", remedy)
    if len(table) and selection.phases and not _has_phase(table, selection).any():
        asked = ", ".join(
            quote_value(phase) for phase in selection.phases if _fold_case(phase) in known
        )
        if asked:
            problems.add(path, f"no open school is of the phases asked for: {asked}", remedy)


def _explain_missing(listed: pd.DataFrame, urn: str) -> tuple[str, str]:
    """Why a school that is asked for is not among the chosen, and what to do."""
    row = listed[listed["urn"] == urn]
    if row.empty:
        return "is not there", "mend [schools] urns, or the school's row (open?)"
    if row["x"].isna().all():
        return "has no place", "write its coordinates"
    phase = quote_value(row["phase"].iloc[0])
    return f"is of the phase {phase}", "take it from [schools] urns, or its phase into phases"
