"""Who gets the patrols: minutes by area and group, against residents, pupils and recorded harm.

This is an audit, after planning: nothing that plans reads it. Minutes are those of
`patrolplan.team.shares` for a plan or week, and those of the ledger's own accounts for what was
handed out and delivered. Residents and pupils are rounded down in the steps of
`patrolplan.privacy` before anything is divided by them, so that one person more or less makes no
difference; numbers below the threshold are suppressed. What is not known is NaN.
"""

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.audit_guard import AUDIT_MARK
from patrolplan.doors import Day, read_day
from patrolplan.errors import InputError
from patrolplan.inputs.polygons import read_limits
from patrolplan.network.shapes import split_by_polygons
from patrolplan.patrols.plan import Plan
from patrolplan.privacy import suppress_and_round
from patrolplan.risk.history import MIN_KNOWN_SHARE, build_history, get_harm_days
from patrolplan.tables import render_html_table
from patrolplan.team.audit_columns import SOURCE as AUDIT_SOURCE, UNKNOWN, AuditColumns
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.monthly_return import read_presence
from patrolplan.team.shares import (
    OUTSIDE,
    project_polygons,
    read_polygon_names,
    read_residents,
    shares_by,
)
from patrolplan.team.week import Week
from patrolplan.text import format_count

SOURCE = "measure_burden"
HARM_MONTHS = 12
"""Last months whose recorded harm patrols are compared with."""

KINDS = ("promised", "presence")
"""Minutes that are counted: as planned or handed out, and as delivered by all who were there."""

EVER = (dt.date(1900, 1, 1), dt.date(2200, 1, 1))

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Burden:
    """Patrol minutes against harm, residents and pupils.

    Parameters
    ----------
    by_area
        One row a polygon, in the order given, and "outside", for what is in none: for each kind
        of `KINDS` its `_minutes`, its `_share` of all minutes, `_per_1000_residents`, `_per_pupil`,
        and `_ratio`: its share of minutes over the share of harm (1: as many minutes as harm).
        Also `residents`, `pupils` (of schools there, by their rolls),
        `harm_per_month` (days of the harm index), `harm_share`, and `inside`, the share of the
        polygon in the study area: its residents are counted in that proportion.
    by_group
        The same without `inside`, for each column of the audit, by its values.
    is_of_stops
        Whether minutes are those at stops, as the ledger has them; otherwise those of whole
        patrols, with presence at the gate and walks.
    days
        First and last day of the minutes; None of a plan.
    months
        First and last month of harm.
    left_out
        Number of polygons outside the study area.
    """

    by_area: gpd.GeoDataFrame
    by_group: dict[str, pd.DataFrame]
    is_of_stops: bool
    days: tuple[dt.date, dt.date] | None
    months: tuple[pd.Timestamp, pd.Timestamp]
    left_out: int

    def __repr__(self) -> str:
        minutes = self.by_area["promised_minutes"].sum()
        areas = format_count(len(self.by_area) - 1, "area")
        return f"<Burden: {minutes:,.0f} minutes promised, {areas}>"

    def _repr_html_(self) -> str:
        minutes = {f"minutes, {kind}": self.by_area[f"{kind}_minutes"].sum() for kind in KINDS}
        facts = {"areas": len(self.by_area) - 1, "groups": ", ".join(self.by_group), **minutes}
        return render_html_table("Who gets the patrols", facts, next_call="burden.by_area")


def measure_burden(
    area: StudyArea,
    given: Plan | Week | Ledger,
    polygons: gpd.GeoDataFrame | None = None,
    *,
    days: tuple[Day, Day] | None = None,
    audit: AuditColumns | None = None,
    name: str | None = None,
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
    name
        Column with the polygons' names, see `patrolplan.shares_by`.

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
    >>> halves = gpd.GeoDataFrame(
    ...     {"name": ["west", "east"], "residents": [9000, 7000]},
    ...     geometry=[shapely.box(0.8, 51.5, 0.87, 51.6), shapely.box(0.87, 51.5, 0.9, 51.6)],
    ...     crs=4326,
    ... )
    >>> pp.measure_burden(area, plan, halves).by_area["promised_share"].sum().round(6)
    np.float64(1.0)
    """
    polygons = area.way_home.areas if polygons is None else polygons
    names = np.array(read_polygon_names(polygons, name), dtype=object)
    shapes = project_polygons(polygons, area.projection.crs)
    limits = read_limits(area.settings, area.network.node_xy)
    inside = shapely.area(shapely.intersection(shapes, limits)) / shapely.area(shapes)
    held = inside > 0
    if not held.any():
        remedy = "give polygons of this area, or [sources] areas"
        raise InputError.one(SOURCE, "no polygon lies in the study area", remedy)
    own = polygons[held].reset_index(drop=True).assign(polygon=names[held])
    first, last = map(read_day, days or EVER)
    minutes, span = _sum_minutes(area, given, own, shapes[held], (first, last))
    residents = read_residents(own) * inside[held]
    facts = _gather_facts(area, shapes[held], minutes, residents)
    labels = [*names[held], OUTSIDE]
    threshold = area.settings.privacy.threshold
    by_area = _tabulate(facts, labels, threshold).assign(inside=[*inside[held], np.nan])
    by_area.index.name = "polygon"
    history = build_history(area)
    return Burden(
        gpd.GeoDataFrame(by_area, geometry=[*own.geometry, None], crs=polygons.crs),
        {} if audit is None else _tabulate_groups(facts, names[held], audit, threshold),
        isinstance(given, Ledger),
        span,
        (history.months[-min(HARM_MONTHS, len(history))], history.months[-1]),
        int((~held).sum()),
    )


def _sum_minutes(
    area: StudyArea,
    given: Plan | Week | Ledger,
    polygons: gpd.GeoDataFrame,
    shapes: NDArray[np.object_],
    days: tuple[dt.date, dt.date],
) -> tuple[dict[str, Floats], tuple[dt.date, dt.date] | None]:
    """(k + 1,) minutes of each kind, and from when to when they are."""
    if not isinstance(given, Ledger):
        spent = shares_by(given, polygons, name="polygon")["patrol_minutes"].to_numpy()
        unknown = np.full(len(spent), np.nan)
        span = (given.days[0], given.days[-1]) if isinstance(given, Week) else None
        return dict(zip(KINDS, (spent, unknown), strict=True)), span
    tables = given.read_promised(*days), read_presence(given, *days)
    minutes = {}
    for kind, table in zip(KINDS, tables, strict=True):
        xy = area.projection.to_metres(table["longitude"], table["latitude"])
        points = shapely.points(np.column_stack(xy))
        inside = split_by_polygons(points, shapes) if len(table) else np.zeros((0, len(shapes) + 1))
        minutes[kind] = table["minutes"].to_numpy(dtype=np.float64) @ inside
    if tables[1].empty:  # nothing was recorded yet, which does not mean that no officer was there
        minutes["presence"] = np.full(len(shapes) + 1, np.nan)
    dates = [day for table in tables for day in table["date"]]
    return minutes, (min(dates), max(dates)) if dates else None


def _gather_facts(
    area: StudyArea, shapes: NDArray[np.object_], minutes: dict[str, Floats], residents: Floats
) -> pd.DataFrame:
    """(k + 1) what is summed, by polygon and outside; harm lies on the streets of its catchment."""
    network, catchments = area.network, area.catchments
    inside = split_by_polygons(network.piece_lines[: len(network)], shapes)
    share = inside / inside.sum(axis=1, keepdims=True) * catchments.piece_share[:, None]
    weight, metres = np.zeros((2, len(catchments), len(shapes) + 1))
    np.add.at(weight, catchments.piece_catchment, share)
    np.add.at(metres, catchments.piece_catchment, inside)
    history = build_history(area)
    counts = history.counts[-HARM_MONTHS:, :, : len(history.targets)].astype(np.float64)
    harm = counts.sum(axis=0) @ get_harm_days(history.targets, area.settings.risk.harm) @ weight
    held = np.ones(counts.shape[:2])
    if history.exposure is not None:
        held = history.exposure[-HARM_MONTHS:]
    # Where a polygon has no street of the area nothing can be recorded: its months count as held.
    street = metres.sum(axis=0)
    months = np.where(street > 0, held.sum(axis=0) @ metres / np.maximum(street, 1e-9), len(counts))
    is_known = months >= max(MIN_KNOWN_SHARE * len(counts), 1e-9)
    return pd.DataFrame(
        {
            **{f"{kind}_minutes": spent for kind, spent in minutes.items()},
            "residents": np.append(residents, np.nan),
            "pupils": _count_pupils(area, shapes),
            "incidents": counts.sum(axis=(0, 2)) @ weight,
            "harm": np.where(is_known, harm / np.where(is_known, months, 1.0), np.nan),
        }
    )


def _count_pupils(area: StudyArea, shapes: NDArray[np.object_]) -> Floats:
    """(k + 1,) pupils of the schools in each polygon; NaN where the roll of one is not known."""
    roll = area.schools["roll"].to_numpy(dtype=np.float64)
    inside = split_by_polygons(np.asarray(area.schools.geometry.array, dtype=object), shapes)
    pupils = np.where(roll > 0, roll, np.nan)
    return np.asarray(np.bincount(inside.argmax(axis=1), pupils, len(shapes) + 1), np.float64)


def _tabulate_groups(
    facts: pd.DataFrame, names: NDArray[np.object_], audit: AuditColumns, threshold: int
) -> dict[str, pd.DataFrame]:
    """The table of each column of the audit, its values in order."""
    table = audit.to_frame()
    if not np.isin(names, table.index).any():
        what = f"has none of the polygons, such as '{str(names[0])[:40]}'"
        remedy = "name areas as the polygons are named"
        raise InputError.one(AUDIT_SOURCE, what, remedy)
    tables = {}
    for marked, groups in table.reindex(names).fillna(UNKNOWN).items():
        rows = _tabulate(facts, [*groups, OUTSIDE], threshold)
        rows = rows.loc[sorted(rows.index, key=_rank_group)].rename_axis(str(marked))
        tables[str(marked).removeprefix(AUDIT_MARK)] = rows
    return tables


def _rank_group(group: str) -> tuple[bool, bool, float, str]:
    """Order of groups: by number, then by name, those not known and what is outside last."""
    number = float(group) if group.lstrip("-").isdecimal() else np.inf
    return group == OUTSIDE, group == UNKNOWN, number, group


def _tabulate(facts: pd.DataFrame, labels: list[str], threshold: int) -> pd.DataFrame:
    """Figures of each label, in the order of their first place; `labels` is (k + 1,)."""
    by = np.array(labels, dtype=object)
    is_unknown = facts.isna().groupby(by, sort=False).any()
    sums = facts.groupby(by, sort=False).sum().mask(is_unknown)
    has_harm = sums["harm"].notna()
    is_shown = has_harm & (sums["incidents"] >= threshold)
    share = (sums["harm"] / max(sums["harm"].sum(), 1e-12)).where(is_shown)
    people = {name: _round_people(sums[name], threshold) for name in ("residents", "pupils")}
    columns: dict[str, pd.Series] = {}
    for kind in KINDS:
        minutes = sums[f"{kind}_minutes"]
        part = minutes / minutes.sum() if minutes.sum() > 0 else minutes * np.nan
        # Where harm is not known, its minutes stand out of the comparison as well.
        compared = part / part[has_harm].sum()
        columns |= {
            f"{kind}_minutes": minutes,
            f"{kind}_share": part,
            f"{kind}_per_1000_residents": 1000 * _divide(minutes, people["residents"]),
            f"{kind}_per_pupil": _divide(minutes, people["pupils"]),
            f"{kind}_ratio": _divide(compared, share),
        }
    harm = {"harm_per_month": sums["harm"].where(is_shown), "harm_share": share}
    return pd.DataFrame(columns | people | harm)


def _round_people(people: pd.Series, threshold: int) -> pd.Series:
    """Numbers of people as they may be shown: NaN where below the threshold, except 0."""
    counted = suppress_and_round(people.fillna(0).to_numpy(), threshold).astype(np.float64)
    return pd.Series(counted, people.index).where(people.eq(0) | (people.gt(0) & (counted > 0)))


def _divide(part: pd.Series, whole: pd.Series) -> pd.Series:
    """A quotient; NaN where the divisor is zero."""
    return part / whole.where(whole > 0)
