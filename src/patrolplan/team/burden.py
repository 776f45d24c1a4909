"""Who gets the patrols: minutes by area and group, against residents, pupils and recorded harm.

An audit, after planning: nothing that estimates or plans may import this module. Residents and
pupils are suppressed and rounded before anything is divided by them; what is not known is NaN.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.arrays import Floats, Objects
from patrolplan.audit_guard import AUDIT_MARK, REMEDY, is_marked
from patrolplan.doors import Day, read_day
from patrolplan.errors import InputError
from patrolplan.inputs.declared import Table
from patrolplan.inputs.polygons import AREAS, read_limits
from patrolplan.network.shapes import split_by_polygons
from patrolplan.patrols.plan import Plan
from patrolplan.privacy import suppress_and_round
from patrolplan.risk.history import MIN_KNOWN_SHARE, History, build_history, get_harm_days
from patrolplan.tables import Column
from patrolplan.team import shares
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.monthly_return import read_presence
from patrolplan.team.week import Week
from patrolplan.text import format_count

SOURCE, AUDIT_SOURCE = "measure_burden", "AuditColumns"
MAX_GROUPS = 20  # a column with more values is a measure, which must be put into bands first
UNKNOWN = "not known"  # group of the areas without a value
HARM_MONTHS = 12  # last months whose recorded harm patrols are compared with

KINDS = ("promised", "presence")
"""Minutes as planned or handed out, and as delivered by all who were there."""

EVER = (dt.date(1900, 1, 1), dt.date(2200, 1, 1))


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

    It is not a table: no function that estimates risk, finds hotspots or plans accepts it.

    Parameters
    ----------
    table
        One row an area; its column `area` has the names, as in the polygons.
    columns
        The columns for audit; default all others but the geometry.

    Raises
    ------
    InputError
        When a column is missing, an area is there twice, or a column has more than 20 values.

    Examples
    --------
    >>> import pandas as pd
    >>> AuditColumns(pd.DataFrame({"area": ["north", "south"], "decile": [1, 9]}))
    <AuditColumns: decile; 2 areas>
    """

    def __init__(self, table: pd.DataFrame, *, columns: list[str] | None = None) -> None:
        shape = getattr(table, "active_geometry_name", None)
        names = columns or [str(one) for one in table.columns if one not in {"area", shape}]
        if missing := [name for name in ("area", *names) if name not in table]:
            what, remedy = f"there is no column '{missing[0]}'", ", ".join(map(str, table))
            raise InputError.one(AUDIT_SOURCE, what, f"choose from: {remedy}")
        areas = table["area"].astype(str).str.strip()
        if areas.duplicated().any():
            row = int(np.argmax(areas.duplicated()))
            what, place = f"'{areas.iloc[row]}' is a duplicate", f"row {row}, column 'area'"
            raise InputError.one(AUDIT_SOURCE, what, "give each area one row", place)
        counts = table[names].nunique()
        for name in counts.index[counts > MAX_GROUPS]:
            what = f"column '{name}' has {counts[name]} different values"
            remedy = f"put them in at most {MAX_GROUPS} bands, such as deciles"
            raise InputError.one(AUDIT_SOURCE, what, remedy)
        # Deciles with gaps are floats: whole numbers are written without a point.
        text = table[names].convert_dtypes().astype("string").apply(lambda one: one.str.strip())
        self._groups: pd.DataFrame = text.replace("", pd.NA).fillna(UNKNOWN).astype(object)
        self._groups.index = pd.Index(areas, name="area")

    @property
    def audit_column_names(self) -> tuple[str, ...]:
        """Names of the columns, without the mark."""
        return tuple(str(name).removeprefix(AUDIT_MARK) for name in self._groups)

    def to_frame(self) -> pd.DataFrame:
        """The groups by area, in columns whose names begin with "audit_only_"."""
        marks = {name: name if is_marked(name) else f"{AUDIT_MARK}{name}" for name in self._groups}
        return self._groups.rename(columns=marks)

    def __len__(self) -> int:
        return len(self._groups)

    def __repr__(self) -> str:
        return f"<AuditColumns: {', '.join(self.audit_column_names)}; {len(self)} areas>"

    def __array__(self, *_: object, **__: object) -> NoReturn:
        """Always refused: an array of these values would have lost its mark."""
        names = ", ".join(self.audit_column_names)
        raise InputError.one(AUDIT_SOURCE, f"'{names}' cannot become an array", REMEDY)


def read_audit_columns(path: str | Path) -> AuditColumns:
    """Read a table `area, decile`; an `InputError` where an area is missing or a duplicate."""
    return AuditColumns(DECILES.read([Path(path)], None), columns=["decile"])


@dataclass(frozen=True, eq=False)
class Burden:
    """Patrol minutes against harm, residents and pupils."""

    by_area: gpd.GeoDataFrame
    """One row a polygon, in the order given, and "outside": for each kind of `KINDS` its
    `_minutes`, `_share` of all minutes, `_per_1000_residents`, `_per_pupil`, and `_ratio`, the
    share of minutes over that of harm. Also `residents`, `pupils` (by the rolls of schools there),
    `harm_per_month` (days of the harm index), `harm_share`, and `inside`, the share of the polygon
    in the study area, in which proportion its residents are counted."""
    by_group: dict[str, pd.DataFrame]
    """The same without `inside`, for each column of the audit, by its values."""
    is_of_stops: bool
    """Whether minutes are those at stops, as the ledger has them, not those of whole patrols."""
    days: tuple[dt.date, dt.date] | None  # first and last day of the minutes; None of a plan
    months: tuple[pd.Timestamp, pd.Timestamp]  # first and last month of harm
    left_out: int  # number of polygons outside the study area

    def __repr__(self) -> str:
        minutes = self.by_area["promised_minutes"].sum()
        areas = format_count(len(self.by_area) - 1, "area")
        return f"<Burden: {minutes:,.0f} minutes promised, {areas}>"


def measure_burden(
    area: StudyArea,
    given: Plan | Week | Ledger,
    polygons: gpd.GeoDataFrame | None = None,
    *,
    days: tuple[Day, Day] | None = None,
    audit: AuditColumns | None = None,
) -> Burden:
    """Patrol minutes by area, and by groups of areas, against residents, pupils and harm.

    Parameters
    ----------
    area
        Its recorded crime of the last twelve months counts as harm, per month that is held; the
        categories are those that risk counts.
    given
        A plan or week promises the minutes of its patrols; a ledger those of the stops handed out,
        and has the presence that was delivered.
    polygons
        See `patrolplan.shares_by`, with a column `residents`; default the area's table `areas`.
        Those outside the area are left out.
    days
        Of a ledger, first and last day; default all.
    audit
        Groups of these polygons, such as deciles of deprivation.

    Raises
    ------
    InputError
        When there are no polygons in the area, they are not as `patrolplan.shares_by` needs them,
        or `audit` has none of them.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area)
    >>> plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=["900003"])
    >>> box = shapely.box(0.8, 51.5, 0.87, 51.6)
    >>> west = gpd.GeoDataFrame({"name": ["west"], "residents": [9000]}, geometry=[box], crs=4326)
    >>> pp.measure_burden(area, plan, west).by_area["promised_share"].sum().round(6)
    np.float64(1.0)
    """
    polygons = area.way_home.areas if polygons is None else polygons
    names = np.array(shares.read_polygon_names(polygons, None), dtype=object)
    shapes = shares.project_polygons(polygons, area.projection.crs)
    limits = read_limits(area.settings, area.network.node_xy)
    inside = shapely.area(shapely.intersection(shapes, limits)) / shapely.area(shapes)
    held = inside > 0
    if not held.any():
        remedy = "give polygons of this area, or [sources] areas"
        raise InputError.one(SOURCE, "no polygon lies in the study area", remedy)
    own = polygons[held].reset_index(drop=True).assign(polygon=names[held])
    first, last = map(read_day, days or EVER)
    minutes, span = _sum_minutes(area, given, own, shapes[held], (first, last))
    history = build_history(area)
    residents = shares.read_residents(own) * inside[held]
    facts = _gather_facts(area, history, shapes[held], minutes, residents)
    threshold = area.settings.privacy.threshold
    by_area = _tabulate(facts, [*names[held], shares.OUTSIDE], threshold)
    by_area = by_area.assign(inside=[*inside[held], np.nan]).rename_axis("polygon")
    months = history.months
    table = gpd.GeoDataFrame(by_area, geometry=[*own.geometry, None], crs=polygons.crs)
    groups = {} if audit is None else _tabulate_groups(facts, names[held], audit, threshold)
    year = months[-min(HARM_MONTHS, len(months))], months[-1]
    return Burden(table, groups, isinstance(given, Ledger), span, year, int((~held).sum()))


def _sum_minutes(
    area: StudyArea,
    given: Plan | Week | Ledger,
    polygons: gpd.GeoDataFrame,
    shapes: Objects,
    days: tuple[dt.date, dt.date],
) -> tuple[dict[str, Floats], tuple[dt.date, dt.date] | None]:
    """(k + 1,) minutes of each kind, and from when to when they are."""
    if not isinstance(given, Ledger):
        spent = shares.shares_by(given, polygons, name="polygon")["patrol_minutes"].to_numpy()
        unknown = np.full(len(spent), np.nan)
        span = (given.days[0], given.days[-1]) if isinstance(given, Week) else None
        return dict(zip(KINDS, (spent, unknown), strict=True)), span
    tables = given.read_promised(*days), read_presence(given, *days)
    minutes = {}
    for kind, table in zip(KINDS, tables, strict=True):
        xy = area.projection.to_metres(table["longitude"], table["latitude"])
        inside = split_by_polygons(shapely.points(np.column_stack(xy)), shapes)
        minutes[kind] = table["minutes"].to_numpy(dtype=np.float64) @ inside
    if tables[1].empty:  # nothing was recorded yet, which does not mean that no officer was there
        minutes["presence"] = np.full(len(shapes) + 1, np.nan)
    dates = [day for table in tables for day in table["date"]]
    return minutes, (min(dates), max(dates)) if dates else None


def _gather_facts(
    area: StudyArea,
    history: History,
    shapes: Objects,
    minutes: dict[str, Floats],
    residents: Floats,
) -> pd.DataFrame:
    """(k + 1) what is summed, by polygon and outside; harm lies on the streets of its catchment."""
    network, catchments = area.network, area.catchments
    inside = split_by_polygons(network.piece_lines[: len(network)], shapes)
    share = inside / inside.sum(axis=1, keepdims=True) * catchments.piece_share[:, None]
    weight, metres = np.zeros((2, len(catchments), len(shapes) + 1))
    np.add.at(weight, catchments.piece_catchment, share)
    np.add.at(metres, catchments.piece_catchment, inside)
    counts = history.counts[-HARM_MONTHS:, :, : len(history.targets)].astype(np.float64)
    harm = counts.sum(axis=0) @ get_harm_days(history.targets, area.settings.risk.harm) @ weight
    held = np.ones(counts.shape[:2])
    if history.exposure is not None:
        held = history.exposure[-HARM_MONTHS:]
    # Where a polygon has no street of the area nothing can be recorded: its months count as held.
    street = metres.sum(axis=0)
    months = np.where(street > 0, held.sum(axis=0) @ metres / np.maximum(street, 1e-9), len(counts))
    is_known = months >= max(MIN_KNOWN_SHARE * len(counts), 1e-9)
    roll = area.schools["roll"].to_numpy(dtype=np.float64)
    pupils = np.where(roll > 0, roll, np.nan)  # a sum with a roll that is not known is not, either
    at = split_by_polygons(np.asarray(area.schools.geometry.array, dtype=object), shapes)
    return pd.DataFrame(
        {
            **{f"{kind}_minutes": spent for kind, spent in minutes.items()},
            "residents": np.append(residents, np.nan),
            "pupils": np.bincount(at.argmax(axis=1), pupils, len(shapes) + 1),
            "incidents": counts.sum(axis=(0, 2)) @ weight,
            "harm": np.where(is_known, harm / np.where(is_known, months, 1.0), np.nan),
        }
    )


def _tabulate_groups(
    facts: pd.DataFrame, names: Objects, audit: AuditColumns, threshold: int
) -> dict[str, pd.DataFrame]:
    """The table of each column of the audit, its values in order."""
    table = audit.to_frame()
    if not np.isin(names, table.index).any():
        what = f"has none of the polygons, such as '{str(names[0])[:40]}'"
        remedy = "name areas as the polygons are named"
        raise InputError.one(AUDIT_SOURCE, what, remedy)
    tables = {}
    for marked, groups in table.reindex(names).fillna(UNKNOWN).items():
        rows = _tabulate(facts, [*groups, shares.OUTSIDE], threshold)
        order = sorted(rows.index, key=_rank_group)
        tables[str(marked).removeprefix(AUDIT_MARK)] = rows.loc[order].rename_axis(str(marked))
    return tables


def _rank_group(group: str) -> tuple[bool, bool, str]:
    """Order of groups: by number, then by name, those not known and what is outside last."""
    return group == shares.OUTSIDE, group == UNKNOWN, group.rjust(9) if group.isdecimal() else group


def _tabulate(facts: pd.DataFrame, labels: list[str], threshold: int) -> pd.DataFrame:
    """Figures of each label, in the order of their first place; `labels` is (k + 1,)."""
    by = np.array(labels, dtype=object)
    is_unknown = facts.isna().groupby(by, sort=False).any()
    sums = facts.groupby(by, sort=False).sum().mask(is_unknown)
    has_harm = sums["harm"].notna()
    is_shown = has_harm & (sums["incidents"] >= threshold)
    share = (sums["harm"] / max(sums["harm"].sum(), 1e-12)).where(is_shown)
    people = {name: _round_people(sums[name], threshold) for name in ("residents", "pupils")}
    some = {name: count.where(count > 0) for name, count in people.items()}
    columns: dict[str, pd.Series] = {}
    for kind in KINDS:
        minutes = sums[f"{kind}_minutes"]
        part = minutes / minutes.sum() if minutes.sum() > 0 else minutes * np.nan
        # Where harm is not known, its minutes stand out of the comparison as well.
        compared = part / part[has_harm].sum()
        columns |= {
            f"{kind}_minutes": minutes,
            f"{kind}_share": part,
            f"{kind}_per_1000_residents": 1000 * (minutes / some["residents"]),
            f"{kind}_per_pupil": minutes / some["pupils"],
            f"{kind}_ratio": compared / share.where(share > 0),
        }
    harm = {"harm_per_month": sums["harm"].where(is_shown), "harm_share": share}
    return pd.DataFrame(columns | people | harm)


def _round_people(people: pd.Series, threshold: int) -> pd.Series:
    """Numbers of people as they may be shown: NaN where below the threshold, except 0."""
    counted = suppress_and_round(people.fillna(0).to_numpy(), threshold).astype(np.float64)
    return pd.Series(counted, people.index).where(people.eq(0) | (people.gt(0) & (counted > 0)))
