"""The map on a survey page: the streets around one school, their names, and what children know.

It is made only from streets, schools and features: no crime, risk, hotspot or report can be in it.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.crs import Projection
from patrolplan.network import StreetNetwork
from patrolplan.outputs.webmap import map_layers

GROUND_KINDS = ("park", "water", "stream", "railway", "bus_stop", "station")
"""Features that are drawn. Buildings would make a page of central London ten times as large."""

LISTED_FEATURES = {"park": "Parks", "station": "Stations", "bus_stop": "Bus stops"}
"""Named features that a pupil may choose from a list instead of the map, and the list's heading."""

PARKS, SCHOOLS = "park", "school"  # Landmarks whose names are on the map


def build_street_map(area: StudyArea, row: int) -> dict[str, Any]:
    """The data of one school's map, ready for JSON, in degrees and in the forms of `map.html`."""
    gate = area.network.xy(area.gates.take([row]))[0]
    radius = area.settings.patrol.radius_metres
    walkable = area.network.walkable
    near = walkable.find_pieces_within(gate, radius * np.sqrt(2))
    apart = np.abs(walkable.piece_middle[near] - gate).max(axis=1)
    network = walkable.take(near[apart <= radius])  # a box, so that the map has no round edge
    features = _select_features(area.features, gate, radius)
    streets, labels = map_layers.pack_streets(network)
    others = area.schools.drop(index=area.schools.index[row])
    landmarks = (
        *_list_landmarks(features[features["kind"] == "park"], PARKS, area.projection),
        *_list_landmarks(_select_features(others, gate, radius), SCHOOLS, area.projection),
    )
    return {
        "gate": map_layers.round_degrees(gate[None], area.projection)[0],
        "bounds": map_layers.compute_bounds(network.parts.coordinates, area.projection),
        "streets": streets,
        "labels": labels,
        "ground": map_layers.pack_basemap(features, network, area.projection),
        "landmarks": list(landmarks),
        "places": _list_places(network, features),
    }


def _select_features(
    features: gpd.GeoDataFrame, gate: NDArray[np.float64], radius: float
) -> gpd.GeoDataFrame:
    """Features of the drawn kinds, or schools, that overlap the same box."""
    box = shapely.box(*(gate - radius), *(gate + radius))
    inside = features.iloc[np.sort(features.sindex.query(box))]
    return inside[inside["kind"].isin(GROUND_KINDS)] if "kind" in inside else inside


def _list_landmarks(
    features: gpd.GeoDataFrame, kind: str, projection: Projection
) -> list[dict[str, Any]]:
    named = features[features["name"] != ""]
    points = shapely.get_coordinates(shapely.point_on_surface(np.asarray(named.geometry.array)))
    pairs = zip(named["name"], map_layers.round_degrees(points, projection), strict=True)
    return [{"kind": kind, "name": name, "at": at} for name, at in pairs]


def _list_places(network: StreetNetwork, features: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Lists of names in alphabetical order, each with a point."""
    lists = [("Streets", *_find_street_middles(network))]
    for kind, heading in LISTED_FEATURES.items():
        named = features[(features["kind"] == kind) & (features["name"] != "")]
        named = named.drop_duplicates("name")  # stops with the same name are opposite each other
        points = shapely.point_on_surface(np.asarray(named.geometry.array, dtype=object))
        lists.append((heading, named["name"].tolist(), shapely.get_coordinates(points)))
    listed = []
    for heading, names, xy in lists:
        pairs = zip(names, map_layers.round_degrees(xy, network.projection), strict=True)
        order = sorted(pairs, key=lambda pair: (pair[0].casefold(), pair))
        listed.append({"heading": heading, "entries": [{"name": n, "at": at} for n, at in order]})
    return [one for one in listed if one["entries"]]


def _find_street_middles(network: StreetNetwork) -> tuple[list[str], NDArray[np.float64]]:
    """Names of streets, and (k, 2) the middle of the longest stretch of each, on the street."""
    named = np.flatnonzero(network.piece_name.astype(str) != "")
    if not len(named):
        return [], np.empty((0, 2))
    names, row = np.unique(network.piece_name[named].astype(str), return_inverse=True)
    order = np.argsort(row, kind="stable")
    whole = shapely.multilinestrings(network.piece_lines[named][order], indices=row[order])
    lines, street = shapely.get_parts(shapely.line_merge(whole), return_index=True)
    longest = np.lexsort((-shapely.length(lines), street))
    first = longest[np.unique(street[longest], return_index=True)[1]]
    middles = shapely.line_interpolate_point(lines[first], 0.5, normalized=True)
    return names.tolist(), shapely.get_coordinates(middles)
