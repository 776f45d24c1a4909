"""Schools, from GIAS or any table whose columns the settings map."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.atomic import hash_content
from patrolplan.crs import Projection
from patrolplan.errors import Problems
from patrolplan.inputs import table_reader
from patrolplan.inputs.delimited import CountedTable, Unreadable
from patrolplan.inputs.formats import Columns, Files, TableSource
from patrolplan.inputs.table_reader import POINT, parse_numbers, quote_value
from patrolplan.plausibility import Alarms
from patrolplan.settings import SchoolSettings
from patrolplan.tables import Column, LeftOut

# fmt: off
COLUMNS = (
    Column("urn", "unique reference number", known_names=("URN",)),
    Column("name", "name", known_names=("EstablishmentName", "school", "school_name")),
    Column("status", "Open, or what else it is", needed=False,
           known_names=("EstablishmentStatus (name)",)),
    Column("phase", "phase of education", needed=False,
           known_names=("PhaseOfEducation (name)",)),
    Column("type", "such as a special school", needed=False,
           known_names=("TypeOfEstablishment (name)",)),
    Column("postcode", "postcode", needed=False, known_names=("Postcode",)),
    Column("roll", "pupils", needed=False, known_names=("NumberOfPupils",)),
    Column("capacity", "places for pupils", needed=False, known_names=("SchoolCapacity",)),
    Column("low_age", "youngest age in years", needed=False, known_names=("StatutoryLowAge",)),
    Column("high_age", "oldest age in years", needed=False, known_names=("StatutoryHighAge",)),
    *POINT,
)
# fmt: on
FIGURES = {
    "roll": (0, 10_000, "write the number of pupils, such as 1164"),
    "capacity": (0, 10_000, "write the number of places, such as 1200"),
    "low_age": (0, 25, "write the youngest age in whole years"),
    "high_age": (0, 25, "write the oldest age in whole years"),
}  # Range of each figure, and what to do outside it: ages are from 0 (nurseries) to 25 (colleges)
TEXTS = ("phase", "type", "postcode")  # empty where not known
PLAIN_URN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
NO_NAME = "Unnamed school"
LOCAL_URN = "local-"  # Prefix of the URNs that schools without one get
LOCAL_DIGITS = 8
SAME_SITE_METRES = 50.0  # Rows of one URN this near are one site: there may be one a phase
MIN_COARSE_ROWS = 10  # Fewer schools may have round coordinates by chance
DRIVEN = r"(?i)\bspecial\b|\bnursery\b"  # Phases and types of schools whose pupils are driven
PHASES = (
    *("Nursery", "Primary", "Middle deemed primary", "Secondary", "Middle deemed secondary"),
    *("16 plus", "All-through", "Not applicable"),
)  # Phases in GIAS: the settings may select one without a school in the area


def read_schools(
    paths: Files,
    projection: Projection,
    left_out: LeftOut,
    *,
    selection: SchoolSettings | None = None,
    columns: Columns = None,
    left_out_urns: dict[str, str] | None = None,
    alarms: Alarms | None = None,
) -> gpd.GeoDataFrame:
    """Read the open schools that are selected, sorted by URN; the others are counted."""
    # Rows with the same URN are one school, at the site of the first row. A school without a URN
    # gets one of its name and place, so that it stays the same. An impossible figure counts as not
    # known: a wrong roll would put pupils on the streets who do not exist.
    selection = selection or SchoolSettings()
    alarms = Alarms() if alarms is None else alarms
    read = partial(_read_one, projection=projection, columns=columns or {})
    files = table_reader.read_each(paths, read)
    table_reader.check_accounts("schools", files, left_out, alarms)
    listed = pd.concat([file.rows for file in files], ignore_index=True)
    problems = Problems()
    coarse = listed["is_coarse"][listed["x"].notna()].to_numpy()
    table_reader.check_resolution("schools", paths[0], coarse, alarms, min_rows=MIN_COARSE_ROWS)
    left_out_urns = {} if left_out_urns is None else left_out_urns
    listed = listed.assign(
        urn=listed["urn"].fillna("").str.removesuffix(".0"),
        name=listed["name"].fillna(NO_NAME),
        **{name: listed[name].fillna("") if name in listed else "" for name in TEXTS},
    )
    phases = sorted({*listed["phase"]} - {""})
    remedy = f"correct [schools] phases (the file has: {', '.join(phases) or 'none'})"
    known = {*map(_fold, (*phases, *PHASES))}
    for phase in selection.phases:
        if _fold(phase) not in known:
            problems.add(paths[0], f"no school has the phase {quote_value(phase)}", remedy)
    problems.raise_if_any()  # before schools are reported as missing because of a wrong phase
    table = _select_schools(listed, selection, left_out, left_out_urns)
    for urn in selection.urns:
        if urn not in set(table["urn"]):
            why = left_out_urns.get(urn, "not in the file")
            what = f"the school {quote_value(urn)} is selected, but left out: {why}"
            problems.add(paths[0], what, "correct [schools] urns and phases, or the school's row")
    if table.empty:
        what = "no open school with coordinates remains"
        has = ", ".join(phases) or "none"
        problems.add(paths[0], what, f"check the file and [schools] (phases in the file: {has})")
    problems.raise_if_any()
    table["is_driven"] = (table["phase"] + "; " + table["type"]).str.contains(DRIVEN).astype(bool)
    texts = ["other_sites", "refused_figures"]
    frame = gpd.GeoDataFrame(
        table[["urn", "name", "phase", "postcode", *FIGURES, "is_driven", *texts]],
        geometry=gpd.points_from_xy(table["x"], table["y"], crs=projection.crs),
    )
    return frame.sort_values("urn", key=build_urn_sort_key).reset_index(drop=True)


def _read_one(
    path: TableSource, projection: Projection, columns: Mapping[str, str]
) -> CountedTable:
    """A file's rows with their numbers, figures, and in words the figures that were refused."""
    counted = table_reader.read_placed_table(path, COLUMNS, columns, projection, source="schools")
    table = counted.rows
    figures = {}
    refused: dict[int, list[str]] = {}
    unreadable: list[Unreadable] = []
    text = table.reindex(columns=list(FIGURES)).astype(object)
    numbers = {name: parse_numbers(text[name]) for name in FIGURES}
    is_swapped = numbers["low_age"] > numbers["high_age"]
    for name, (low, high, remedy) in FIGURES.items():
        is_good = (numbers[name] >= low) & (numbers[name] <= high)
        is_good &= ~(is_swapped & name.endswith("_age"))
        figures[name] = np.where(is_good, numbers[name], np.nan)
        if name in table:
            column = table[name]
            unreadable += table_reader.find_unreadable(column, is_good, remedy)
            for row, value in column[table_reader.is_given(column) & ~is_good].items():
                what = f"{name} {quote_value(value)} ({path.name}, row {row})"
                refused.setdefault(int(str(row)), []).append(what)
    words = ["; ".join(refused.get(row, ())) for row in table.index.tolist()]
    rows = table.assign(row=table.index, **figures, refused_figures=words)
    return replace(counted, rows=rows, unreadable=(*unreadable, *counted.unreadable))


def build_urn_sort_key(urns: pd.Series) -> pd.Series:
    """Keys that sort URNs as numbers, and other names after them."""
    return urns.str.zfill(12)


def _select_schools(
    table: pd.DataFrame, selection: SchoolSettings, left_out: LeftOut, left_out_urns: dict[str, str]
) -> pd.DataFrame:
    """The open schools that are selected and have coordinates, each once."""

    def keep(table: pd.DataFrame, good: pd.Series, reason: str, fix: str = "") -> pd.DataFrame:
        left_out.add("schools", reason, int((~good).sum()), fix=fix)
        left_out_urns.update(dict.fromkeys(table["urn"][~good], reason))
        return table[good]

    # A school that has a name and a place but no URN gets one of these.
    lacking = (table["urn"] == "") & (table["name"] != NO_NAME) & table["x"].notna()
    own = [
        LOCAL_URN + hash_content(f"{name}|{x:.0f}|{y:.0f}".encode())[:LOCAL_DIGITS]
        for name, x, y in table.loc[lacking, ["name", "x", "y"]].itertuples(index=False)
    ]
    filled = pd.Series(own, index=table.index[lacking], dtype=object)
    table = table.assign(urn=table["urn"].mask(lacking, filled))
    is_plain = table["urn"].str.fullmatch(PLAIN_URN)  # URNs name files, so they must be plain
    table = keep(table, is_plain, "without a URN of letters and digits", "correct the URN")
    if "status" in table:
        table = keep(table, table["status"].fillna("Open").str.startswith("Open"), "not open")
    table = table.assign(other_sites=_describe_other_sites(table))
    is_duplicate = table["urn"].duplicated()
    left_out.add("schools", "duplicate URN", int(is_duplicate.sum()))
    table = table[~is_duplicate]
    phases, urns = [*map(_fold, selection.phases)], selection.urns
    selected = table["phase"].map(_fold).isin(phases) | (not phases)
    selected &= table["urn"].isin(urns) | (not urns)
    table = keep(table, selected, "not selected in [schools]")
    return keep(table, table["x"].notna(), "without coordinates", "fill in their coordinates")


def _describe_other_sites(table: pd.DataFrame) -> pd.Series:
    """For each row, the later rows with its URN at another site; empty where there is none."""
    first = table.drop_duplicates("urn").set_index("urn")
    again = table[table["urn"].duplicated()]
    used = first.loc[again["urn"]]
    away = np.hypot(*(again[axis].to_numpy() - used[axis].to_numpy() for axis in ("x", "y")))
    sites: dict[str, str] = {}
    for urn, row, metres in zip(again["urn"], again["row"], away, strict=True):
        if metres > SAME_SITE_METRES:
            others = f"{sites[urn]}, " if urn in sites else f"row {first['row'][urn]} is used, not "
            sites[urn] = f"{others}row {row} ({metres:,.0f} m away)"
    return table["urn"].map(lambda urn: sites.get(urn, ""))


def _fold(phase: str) -> str:
    return phase.strip().casefold()
