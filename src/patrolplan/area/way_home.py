"""The tables of pupils' ways home, matched to the area: what is near, and what is missing.

They are cut at a distance that no walk home reaches, not at the limits: pupils walk across them.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.area.checks import list_own_categories
from patrolplan.area.loading import Loading
from patrolplan.area.school_gates import describe_urns
from patrolplan.arrays import Bools
from patrolplan.inputs.table_reader import quote_value
from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.notes import Note
from patrolplan.settings import CATEGORIES
from patrolplan.text import find_similar, list_first

REACH_METRES = 5_000.0  # What is farther from the area is left out: no way home is as long
STOP_KINDS = ("bus_stop", "station")


def gather_way_home(a: Loading) -> WayHomeTables:
    """The tables as the area uses them; stops and places of the streets where none are given."""
    origins = _select_origins(a)
    has_pupils = a.tables.areas["area"].isin(origins["area"]).to_numpy()
    areas = _select_near(a, "areas", a.tables.areas, also=has_pupils)
    stops = _select_near(a, "stops", a.tables.stops)
    places = _select_near(a, "places", a.tables.places)
    clock = _select_known_categories(a)
    if not a.settings.sources.stops:
        found = a.streets.features[a.streets.features["kind"].isin(STOP_KINDS)]
        found = found[_is_near(found, a.limits)].reset_index(drop=True)
        stops = gpd.GeoDataFrame(
            {"kind": found["kind"], "boardings": np.full(len(found), np.nan)},
            geometry=found.geometry.representative_point(),  # a station may be an area there
        )
    if not a.settings.sources.places:
        near = a.streets.places[_is_near(a.streets.places, a.limits)]
        places = near[["kind", "geometry"]].reset_index(drop=True)
    used = WayHomeTables(origins, areas, stops, places, clock)
    if used.origins.empty:
        text = "No origins given ([sources] origins): where pupils live is assumed."
        a.notes.append(Note("no_origins", text, short="homes not known"))
    if used.stops.empty:
        text = (
            "Walkers only: no stops given, neither in [sources] stops nor in the streets file, so "
            "pupils who ride are not on the streets."
        )
        a.notes.append(Note("no_stops", text, short="walkers only, bus stops not known"))
    if used.places.empty:
        text = (
            "No pubs or bars given, neither in [sources] places nor in the streets file: all "
            "streets count as being without."
        )
        a.notes.append(Note("no_places", text, short="pubs and bars not known"))
    return used


def _select_origins(a: Loading) -> pd.DataFrame:
    """The counts of schools that are planned for, in areas whose polygons are known."""
    origins: pd.DataFrame = a.tables.origins[a.tables.origins["urn"].isin(a.schools["urn"])]
    files = a.settings.find_files("origins")
    if not files:
        return origins
    if not a.settings.sources.areas:
        what = "is given without the polygons of its areas"
        a.problems.add(files[0], what, "name their file in [sources] areas")
        return origins
    is_known = origins["area"].isin(a.tables.areas["area"])
    unknown = list(dict.fromkeys(origins["area"][~is_known]))
    count = int((~is_known).sum())
    if count and count == len(origins):
        what = f"[sources] areas has none of its areas, such as {quote_value(unknown[0])}"
        remedy = "use the names of [sources] areas, or map those under [columns.areas]"
        a.problems.add(files[0], what, remedy)
    elif count:
        named = list_first(unknown)
        a.left_out.add("origins", f"no polygon has the name {named}", count)
        text = (
            f"[sources] origins: no polygon of [sources] areas has the name {named}; these rows "
            "have no effect. Correct them."
        )
        fix = f"correct the areas {named} in {files[0]}"
        a.notes.append(Note("origin_areas_unknown", text, fix=fix))
    return origins[is_known].reset_index(drop=True)


def _is_near(table: gpd.GeoDataFrame, limits: BaseGeometry) -> Bools:
    """(n,) which shapes are within reach of the area; false where the CRS cannot give a place."""
    shapes = np.asarray(table.geometry.array, dtype=object)
    near = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    shapely.prepare(limits)
    near[near] = shapely.dwithin(limits, shapes[near], REACH_METRES)
    return np.asarray(near, dtype=bool)


def _select_near(
    a: Loading, source: str, table: gpd.GeoDataFrame, *, also: Bools | bool = False
) -> gpd.GeoDataFrame:
    """The rows of a table within reach, and (n,) others; an alarm if no row is within reach."""
    near = _is_near(table, a.limits) | also
    reach = f"{REACH_METRES / 1000:g} km"
    a.left_out.add(source, f"more than {reach} from the area", int((~near).sum()))
    files = a.settings.find_files(source)
    if files and not len(table):
        what = f"has nothing that can be used as {source}"
        a.problems.add(files[0], what, f"check its kinds and coordinates, or unset {source}")
    elif files and not near.any():
        what = f"none of its {len(table):,} {source} lies within {reach} of the area"
        remedy = "check its coordinates, and that longitude and latitude are in their own columns"
        a.alarms.add("far_places", files[0], what, remedy)
    return table[near].reset_index(drop=True)


def _select_known_categories(a: Loading) -> pd.DataFrame:
    """The rows of categories that occur or are known; others have no effect and are noted."""
    clock: pd.DataFrame = a.tables.clock
    known = (*a.placed.incidents["category"].cat.categories, *list_own_categories(a.settings))
    names = dict.fromkeys((*known, *CATEGORIES))
    is_known = clock["category"].isin(list(names))
    unknown = list(dict.fromkeys(clock["category"][~is_known]))
    if unknown:
        count = int((~is_known).sum())
        named = list_first(unknown)
        a.left_out.add("clock", f"of categories that no crime has ({named})", count)
        named = describe_urns(unknown, [find_similar(one, names) or "" for one in unknown])
        text = (
            f"[sources] clock: no crime has the category {named}; these rows have no effect. "
            "Correct them."
        )
        fix = f"correct the category {named} in {a.settings.name_file('clock')}"
        a.notes.append(Note("clock_categories_unknown", text, fix=fix))
    return clock[is_known].reset_index(drop=True)
