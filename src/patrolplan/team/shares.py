"""Patrol minutes, risk and street by any polygons: wards, beats, hexagons.

What is outside all of them has its own row, so that each column sums to the whole.
"""

from collections.abc import Iterator, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.arrays import Floats, Objects
from patrolplan.errors import InputError
from patrolplan.network.shapes import split_by_polygons
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.team.week import Week
from patrolplan.text import list_rows

SOURCE = "shares_by"
OUTSIDE = "outside"  # name of the row for what is in none of the polygons

NAME_COLUMNS = ("name", "place_id", "id", "area", "ward", "beat")
"""Columns that name polygons, the first of them that a table has."""

RESIDENTS = "residents"
MAX_OVERLAP = 0.01
"""Maximum overlap as a share of the smaller polygon: more than drawing errors would count twice."""


def shares_by(
    plan_or_week: Plan | Week, polygons: gpd.GeoDataFrame, *, name: str | None = None
) -> gpd.GeoDataFrame:
    """Patrol minutes, risk and metres of street in each of some polygons.

    Minutes of a patrol count where they are spent: presence at the gate there, stops at the
    stopping place, walks along their lines by length. Minutes before a patrol starts, from a base
    to the gate, do not count. Risk is spread evenly along a piece of street. A street on the border
    of two polygons belongs to the earlier row.

    Parameters
    ----------
    plan_or_week
        A plan counts each of its patrols once, a week each duty.
    polygons
        In any CRS, without overlaps; where they have a column `residents`, it is in the result.
    name
        Column with their names; default `name`, `place_id`, `id`, `area`, `ward` or `beat`, else
        the rows' numbers from 0.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a polygon by its name, in the order given, and one named "outside":
        `patrol_minutes`, of a week also `officer_minutes` (a crew of two counts double), `risk`
        (share of the area's), `street_metres`, `residents`, and the polygon in its own CRS.

    Raises
    ------
    InputError
        Where there is no CRS, a row is not a polygon, a name is missing or a duplicate, or
        polygons overlap.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area)
    >>> plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=["900003"])
    >>> box = shapely.box(0.8, 51.5, 0.87, 51.6)
    >>> shares = pp.shares_by(plan, gpd.GeoDataFrame({"name": ["west"]}, geometry=[box], crs=4326))
    >>> list(shares.index), float(round(shares["risk"].sum(), 6))
    (['west', 'outside'], 1.0)
    """
    plan = plan_or_week.plan if isinstance(plan_or_week, Week) else plan_or_week
    network = plan.area.network
    names = read_polygon_names(polygons, name)
    shapes = project_polygons(polygons, network.projection.crs)
    lines, metres = network.piece_lines[: len(network)], network.piece_metres[: len(network)]
    inside = split_by_polygons(lines, shapes)
    share = inside / inside.sum(axis=1, keepdims=True)
    columns = _sum_minutes(plan_or_week, shapes)
    columns["risk"] = plan.risk.joined @ share
    columns["street_metres"] = metres @ share
    if RESIDENTS in polygons:
        columns[RESIDENTS] = np.append(read_residents(polygons), np.nan)
    table = pd.DataFrame(columns, index=pd.Index([*names, OUTSIDE], name="polygon"))
    geometry = [*polygons.geometry.array, None]
    return gpd.GeoDataFrame(table, geometry=geometry, crs=polygons.crs)


def read_residents(polygons: gpd.GeoDataFrame) -> Floats:
    """(k,) residents of each polygon, NaN where they are not known."""
    given = polygons.get(RESIDENTS, np.full(len(polygons), np.nan))
    return np.asarray(pd.to_numeric(given, errors="coerce"), dtype=np.float64)


def _sum_minutes(plan_or_week: Plan | Week, shapes: Objects) -> dict[str, Floats]:
    """(k + 1,) minutes in each polygon and outside: of patrols, and of a week also of officers."""
    if isinstance(plan_or_week, Plan):
        walks = [(patrol, 1) for patrol in plan_or_week.patrols]
    else:
        walks = [(duty.patrol, len(duty.people)) for duty in plan_or_week.duties]
    parts = [(people, *part) for walk, people in walks for part in _list_parts(walk)]
    where = np.array([shape for _, shape, _ in parts], dtype=object)
    minutes = np.array([amount for *_, amount in parts], dtype=np.float64)
    inside = split_by_polygons(where, shapes)
    spent = inside / inside.sum(axis=1, keepdims=True) * minutes[:, None]
    columns = {"patrol_minutes": spent.sum(axis=0)}
    if isinstance(plan_or_week, Week):
        columns["officer_minutes"] = np.array([float(people) for people, *_ in parts]) @ spent
    return columns


def _list_parts(patrol: Patrol) -> Iterator[tuple[shapely.Geometry, float]]:
    """Where a patrol is from its start to its end, part by part, and for how many minutes."""
    for standing in patrol.standings:
        point = patrol.stops[standing.number - 1].point if standing.number else patrol.point
        yield shapely.Point(point), standing.to_minutes - standing.from_minutes
    for leg, (leave, arrive) in zip(patrol.legs, patrol.leg_times, strict=True):
        line = np.asarray(leg.line, dtype=np.float64)
        is_walk = len(line) > 1
        yield shapely.LineString(line) if is_walk else shapely.Point(line[0]), arrive - leave


def project_polygons(polygons: gpd.GeoDataFrame, crs: str) -> Objects:
    """(k,) valid polygons in a CRS of metres, without overlaps."""
    if polygons.crs is None:
        raise InputError.one(SOURCE, "has polygons without a CRS", "set it with set_crs")
    wrong = ~polygons.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    if wrong.any():
        rows = np.flatnonzero(wrong).tolist()
        kind = polygons.geom_type.iloc[rows[0]]
        what = f"has a {kind if isinstance(kind, str) else 'row without a shape'}, not a polygon"
        raise InputError.one(SOURCE, what, "give polygons alone", list_rows(rows))
    shapes = np.asarray(polygons.geometry.to_crs(crs).make_valid().array, dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    smaller = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    if (overlapping := np.flatnonzero(shared > MAX_OVERLAP * smaller)).size:
        pair = overlapping[0]
        what = f"rows {one[pair]} and {other[pair]} overlap by {shared[pair]:,.0f} square metres"
        raise InputError.one(SOURCE, what, "make them disjoint: what lies in both counts twice")
    return shapes


def read_polygon_names(polygons: gpd.GeoDataFrame, column: str | None) -> Sequence[str]:
    """(k,) the polygons' names."""
    if not isinstance(polygons, gpd.GeoDataFrame) or polygons.active_geometry_name is None:
        message = f"{SOURCE} takes a GeoDataFrame, not a {type(polygons).__name__}"
        raise TypeError(message)
    if polygons.empty:
        raise InputError.one(SOURCE, "has no polygon", "give at least one")
    if column is not None and column not in polygons:
        has = ", ".join(str(one) for one in polygons.columns)
        raise InputError.one(SOURCE, f"has no column '{column}' ({has})", "name one of them")
    column = column or next((one for one in NAME_COLUMNS if one in polygons), None)
    if column is None:
        return [str(row) for row in range(len(polygons))]
    values = polygons[column]
    names = [str(one).strip() for one in values.astype(object)]
    again = pd.Series(names).duplicated() | values.isna().to_numpy() | (np.array(names) == OUTSIDE)
    if again.any():
        row = int(np.argmax(again))
        what = f"'{names[row][:40]}' is missing, there twice, or '{OUTSIDE}'"
        place = f"row {row}, column '{column}'"
        raise InputError.one(SOURCE, what, "give each polygon its own name", place)
    return names
