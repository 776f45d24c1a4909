"""The user's own hotspots: points, lines or polygons become stretches of the area's streets.

A force's hexagons, wards, beats or points are used as they are, with a stopping place like any
hotspot. A piece of street belongs to one hotspot, so that its risk counts once.
"""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.audit_guard import refuse_audit_columns
from patrolplan.doors import read_urn
from patrolplan.errors import InputError, Problems
from patrolplan.hotspots.find import complete_hotspots
from patrolplan.hotspots.stretches import give_empty_some, place_stretches
from patrolplan.inputs.polygons import PLACE_ID
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.surface import Risk
from patrolplan.text import list_first

SOURCE = "snap_hotspots"
NAME_COLUMNS = ("hotspot", "place_id", "id", "name")
"""Columns that name hotspots, the first of them that a table has."""


def snap_hotspots(
    area: StudyArea, places: gpd.GeoDataFrame, *, risk: Risk | None = None, name: str | None = None
) -> gpd.GeoDataFrame:
    """The user's own hotspots in the form of `find_hotspots`.

    A polygon has the pieces of street with their middle in it; a line those along it; a point those
    within a walk of 75 m from its nearest street. Where shapes overlap, a piece belongs to
    the earlier row.

    Parameters
    ----------
    area
        The study area.
    places
        Points, lines or polygons in any CRS.
    risk
        What makes them worth a visit; by default `estimate_risk(area)`.
    name
        Column with their names; default `hotspot`, `place_id`, `id` or `name`. Without one they
        are called O1, O2, ... by their rows.

    Returns
    -------
    geopandas.GeoDataFrame
        See `patrolplan.tables.HOTSPOTS`; most risk first. `plan_patrols` takes it as it is, alone
        or joined to other hotspots with `pandas.concat` where no piece of street is in both.

    Raises
    ------
    InputError
        Where there is no CRS, a name is missing, a duplicate or too long, or no shape has a street.

    Warns
    -----
    UserWarning
        Naming the rows without a street of the area, which are left out.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> point = gpd.points_from_xy([0.8710], [51.5298], crs="EPSG:4326")
    >>> own = pp.snap_hotspots(area, gpd.GeoDataFrame({"id": ["bus station"]}, geometry=point))
    >>> own["hotspot"].tolist(), bool(own["length_metres"].iloc[0] > 100)
    (['bus station'], True)
    """
    refuse_audit_columns(SOURCE, area, places)
    if not isinstance(places, gpd.GeoDataFrame) or places.active_geometry_name is None:
        message = f"{SOURCE} takes a GeoDataFrame, not a {type(places).__name__}"
        raise TypeError(message)
    if places.crs is None:
        raise InputError.one(SOURCE, "has shapes without a CRS", "set it with set_crs")
    names = _read_names(places, name)
    shapes = np.asarray(places.geometry.to_crs(area.network.projection.crs).array, dtype=object)
    stretches = find_pieces_of_shapes(area.network, shapes)
    absent = [one for one, pieces in zip(names, stretches, strict=True) if not len(pieces)]
    if absent:
        message = (
            f"{len(absent)} of the places have no street to patrol in the area, or none that an "
            f"earlier one does not have, and are left out: {list_first(absent)}"
        )
        warnings.warn(message, UserWarning, stacklevel=2)
    rows = [row for row, pieces in enumerate(stretches) if len(pieces)]
    if not rows:
        what = f"none of the {len(names)} shapes has a street of the area"
        raise InputError.one(SOURCE, what, "check their CRS, and that they overlap the area")
    risk = estimate_risk(area) if risk is None else risk
    worth = {row: round(float(risk.joined[stretches[row]].sum()), 12) for row in rows}
    rows.sort(key=lambda row: -worth[row])
    chosen = [stretches[row] for row in rows]
    bare = place_stretches(area, give_empty_some(area.network, risk.joined, chosen), chosen)
    return complete_hotspots(area, risk, bare, [names[row] for row in rows])


def _read_names(places: gpd.GeoDataFrame, column: str | None) -> list[str]:
    """(k,) a name for each row."""
    if column is not None and column not in places:
        has = ", ".join(str(one) for one in places.columns)
        raise InputError.one(SOURCE, f"has no column '{column}' ({has})", "name one of them")
    column = column or next((one for one in NAME_COLUMNS if one in places), None)
    if column is None:
        return [f"O{number}" for number in range(1, len(places) + 1)]
    values = places[column].astype(object).where(places[column].notna(), "")
    names = pd.Series([read_urn(value) for value in values])  # as URNs: 1.0 is "1", 1.5 is "1.5"
    problems = Problems()
    for row, (one, again) in enumerate(zip(names, names.duplicated(), strict=True)):
        place = f"row {row}, column '{column}'"
        if not PLACE_ID.fullmatch(one):
            what = f"'{one[:40]}' is not the name of a hotspot" if one else "the name is missing"
            problems.add(SOURCE, what, "write 1 to 24 letters, digits, spaces or . - / &", place)
        elif again:
            problems.add(SOURCE, f"'{one}' is a duplicate", "give each place its own name", place)
    problems.raise_if_any()
    return names.tolist()
