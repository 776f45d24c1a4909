"""Walkable ways with their shared nodes, map features and pubs, from OpenStreetMap files."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.crs import DEGREES, Projection
from patrolplan.errors import InputError
from patrolplan.inputs import osm_tags
from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.tables import LeftOut

if TYPE_CHECKING:
    import osmium

MARGIN_METRES = 500.0  # Beyond the limits: a walk farther out and back is 1 km longer, or more
KEYS = (
    *("highway", "leisure", "landuse", "natural", "waterway", "railway", "building", "barrier"),
    *("amenity", "shop"),
)
PARKS = frozenset({"park", "garden", "recreation_ground", "common", "pitch", "playground"})
GREENS = frozenset({"grass", "recreation_ground", "cemetery", "village_green", "forest", "meadow"})
WATERWAYS = frozenset({"river", "canal", "stream"})
STREET = "street"
OUTSIDE = "reach outside the file (ways)"  # or have fewer than two nodes
LINES = frozenset({STREET, "stream", "railway"})  # Kinds that are lines
RAILS = frozenset({"rail", "light_rail", "tram", "narrow_gauge"})
STATIONS = frozenset({"station", "halt", "tram_stop"})
STATION_ENTRANCES = frozenset({"subway_entrance", "train_station_entrance"})
SHOP_FRONTS = frozenset(
    {
        *("bank", "bar", "bureau_de_change", "cafe", "fast_food", "ice_cream", "pharmacy"),
        *("post_office", "pub", "restaurant"),
    }
)  # Values of `amenity` of places that front a street as shops do
NOT_SHOPS = frozenset({"", "no", "vacant"})
FOOTPATHS = frozenset({"footway", "steps", "pedestrian", "path"})
PLACE_KINDS = {"pub": "pub", "bar": "bar", "nightclub": "nightclub", "fast_food": "takeaway"}
"""Kinds of place that keep late hours, by their `amenity` tag."""

NOT_WALKED = frozenset({"cycleway", "motorway", "motorway_link"})  # Not in walking extracts

KIND_TYPE = f"<U{max(len(kind) for kind in get_args(CrossingKind))}"
"""Type of arrays of `CrossingKind`."""


def build_empty_features(projection: Projection | None = None) -> gpd.GeoDataFrame:
    """An empty table of features, for files with streets only."""
    data: dict[str, list[str]] = {"kind": [], "name": []}
    return gpd.GeoDataFrame(data, geometry=[], crs=projection.crs if projection else None)


@dataclass(frozen=True, eq=False)
class Streets:
    """Walkable ways as arrays, and map features, in the area's metres.

    `ways` has the columns of `Way`; `vertex_way` and `vertex_node` are (v,) the way and the number
    of the node at each vertex, way by way in walking order, `vertex_xy` (v, 2) metres. Ways meet
    where they share a node. `features` are `kind` (see `_classify_feature`, or shop), `name`,
    geometry; shops are points without a name. `places` are `kind` (of `PLACE_KINDS`), `name`,
    points; maps do not draw them, so the building of a pub is among both. With `walking_extract`
    the files seem to have been made for walking alone. `closed_nodes` are (b,) nodes with a barrier
    that people on foot do not get through; `crossing_nodes` (c,) those where they cross, or traffic
    lights stand, and `crossing_kinds` the `CrossingKind` of each.
    """

    ways: pd.DataFrame
    vertex_way: NDArray[np.int64]
    vertex_node: NDArray[np.int64]
    vertex_xy: NDArray[np.float64]
    features: gpd.GeoDataFrame
    walking_extract: bool = False
    closed_nodes: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    crossing_nodes: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    crossing_kinds: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=KIND_TYPE))
    places: gpd.GeoDataFrame = field(default_factory=build_empty_features)


class Way(NamedTuple):
    """A row of the ways: texts are empty where not known."""

    osm_id: int
    name: str = ""
    highway: str = ""
    lit: str = ""
    riding: str = "ride"  # as `one_way`, of `Riding`
    one_way: int = 0
    is_patrolled: bool = True  # false: only walked
    is_area: bool = False  # the outline of a square
    is_crossing: bool = False
    layer: float = 0.0  # 0 at ground level
    incline: int = 0  # 1 leads up in its own direction, -1 down, 0 not known
    crossing: str = ""  # a `CrossingKind`
    sidewalk: str = ""
    passage: str = ""  # a `Passage`
    is_sidewalk: bool = False  # a pavement that is a way of its own


def describe_way(osm_id: int, tags: Mapping[str, str], riding: osm_tags.Riding) -> Way:
    """The row of a way with these tags."""
    is_crossing = tags.get("footway") == "crossing"
    return Way(
        osm_id,
        tags.get("name", ""),
        tags.get("highway", ""),
        tags.get("lit", ""),
        riding.how,
        riding.one_way,
        is_patrolled=osm_tags.is_patrolled(tags),
        is_area=tags.get("area") == "yes",
        is_crossing=is_crossing,
        layer=osm_tags.get_layer(tags),
        incline=osm_tags.get_incline(tags),
        crossing=osm_tags.classify_crossing(tags) if is_crossing else "",
        sidewalk=osm_tags.get_sidewalk(tags),
        passage=osm_tags.get_passage(tags),
        is_sidewalk=tags.get("footway") == "sidewalk",
    )


def classify_way(tags: Mapping[str, str]) -> str:
    """Kind of a way, for `is_walking_extract`: "closed on foot", or its `highway` tag."""
    is_closed = tags.get("foot", "") in osm_tags.CLOSED_VALUES
    return "closed on foot" if is_closed else tags.get("highway", "")


def is_walking_extract(kinds: AbstractSet[str]) -> bool:
    """Whether a file with ways of these kinds seems to have been made for walking alone."""
    return bool(kinds & FOOTPATHS) and not kinds & (NOT_WALKED | {"closed on foot"})


def _classify_feature(tags: Mapping[str, str]) -> str:
    above_ground = tags.get("tunnel", "no") in {"no", "building_passage"}
    is_wild = tags.get("natural") in {"wood", "heath", "scrub", "grassland"}
    rules = (
        ("bus_stop", tags.get("highway") == "bus_stop"),
        ("station", tags.get("railway") in STATIONS),
        ("station_entrance", tags.get("railway") in STATION_ENTRANCES),
        ("railway", tags.get("railway") in RAILS and above_ground),
        ("water", tags.get("natural") == "water" or tags.get("waterway") in {"riverbank", "dock"}),
        ("stream", tags.get("waterway") in WATERWAYS and above_ground),
        ("park", tags.get("leisure") in PARKS or tags.get("landuse") in GREENS or is_wild),
        ("building", tags.get("building", "no") != "no"),
    )
    return next((kind for kind, holds in rules if holds), "")


def _list_kinds(tags: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What an item is: "features" or "places" (open late), its kind there, and its name."""
    # Shops, and what fronts a street like one, have no name, as no paper prints it.
    name = tags.get("name", "")
    if kind := _classify_feature(tags):
        yield "features", kind, name
    if tags.get("shop", "") not in NOT_SHOPS or tags.get("amenity") in SHOP_FRONTS:
        yield "features", "shop", ""
    if tags.get("amenity") in PLACE_KINDS:
        yield "places", PLACE_KINDS[tags["amenity"]], name


def _create_shape(factory: "osmium.geom.WKBFactory", item: object, kind: str) -> str | None:
    """The shape of a node, of a line, or of an area, whose ways are read a second time as one."""
    import osmium  # noqa: PLC0415 - streets that were read before need it no more

    try:
        if isinstance(item, osmium.osm.Node):
            return str(factory.create_point(item))
        if isinstance(item, osmium.osm.Area) and kind not in LINES:
            return str(factory.create_multipolygon(item))
        if isinstance(item, osmium.osm.Way) and kind in LINES:
            nodes = osmium.geom.use_nodes.ALL if kind == STREET else osmium.geom.use_nodes.UNIQUE
            return str(factory.create_linestring(item, nodes))
    except (osmium.InvalidLocationError, RuntimeError):
        return None
    return None


def _read_way(
    item: "osmium.osm.Way", tags: Mapping[str, str], factory: "osmium.geom.WKBFactory"
) -> tuple[Way, str, list[int]] | str:
    """The row, line and nodes of a way, or why it is left out."""
    if not osm_tags.is_walkable(tags):
        return "not open to people on foot (ways)"
    line = _create_shape(factory, item, STREET)
    row = describe_way(item.id, tags, osm_tags.classify_riding(tags))
    return (row, line, [node.ref for node in item.nodes]) if line else OUTSIDE


def read_osm_streets(path: Path, projection: Projection, left_out: LeftOut) -> Streets:
    """Read the streets of an `.osm`, `.osm.gz`, `.osm.bz2` or `.osm.pbf` file."""
    import osmium  # noqa: PLC0415 - streets that were read before need it no more

    factory = osmium.geom.WKBFactory()
    found = dict[str, list[tuple[str, str, str]]](features=[], places=[])
    ways: list[tuple[Way, str, list[int]]] = []  # with their lines and nodes
    kinds, left = set[str](), Counter[str]()
    nodes: dict[int, dict[str, str]] = {}  # their tags
    processor = osmium.FileProcessor(str(path)).with_locations().with_areas()
    processor = processor.with_filter(osmium.filter.KeyFilter(*KEYS))
    try:
        for item in processor:
            tags = dict(item.tags)
            if isinstance(item, osmium.osm.Way) and "highway" in tags:
                kinds.add(classify_way(tags))
                way = _read_way(item, tags, factory)
                if isinstance(way, str):
                    left[way] += 1
                else:
                    ways.append(way)
            if isinstance(item, osmium.osm.Node) and {"barrier", "highway"} & {*tags}:
                nodes[item.id] = tags
            for table, kind, name in _list_kinds(tags):
                if shape := _create_shape(factory, item, kind):
                    found[table].append((kind, name, shape))
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        what = f"is broken or not an OpenStreetMap file ({error})"
        raise InputError.one(path, what, "fetch or export it again") from None
    for reason, count in sorted(left.items()):
        left_out.add("streets", reason, count)
    closed_nodes = [node for node, tags in nodes.items() if osm_tags.is_closed_barrier(tags)]
    kind_of = {node: osm_tags.classify_crossing_node(tags) for node, tags in nodes.items()}
    crossings = {node: kind for node, kind in kind_of.items() if kind}
    lines = shapely.from_wkb([bytes.fromhex(line) for _, line, _ in ways])
    degrees, vertex_way = shapely.get_coordinates(lines, return_index=True)
    features, places = (_build_table(found[name], projection) for name in ("features", "places"))
    middle = shapely.centroid(features.geometry.values)
    places = places.set_geometry(places.centroid)
    is_reached = np.isfinite(shapely.get_coordinates(places.geometry.values)).all(axis=1)
    return Streets(
        ways=build_ways_table([complete_crossing(row, refs, crossings) for row, _, refs in ways]),
        vertex_way=vertex_way.astype(np.int64),
        vertex_node=np.fromiter((node for *_, refs in ways for node in refs), dtype=np.int64),
        vertex_xy=np.column_stack(projection.to_metres(degrees[:, 0], degrees[:, 1])),
        features=features.set_geometry(features.geometry.where(features["kind"] != "shop", middle)),
        places=places[is_reached].reset_index(drop=True),
        walking_extract=is_walking_extract(kinds),
        closed_nodes=np.array(closed_nodes, dtype=np.int64),
        **build_crossing_arrays(crossings),
    )


def complete_crossing(row: Way, nodes: Sequence[int], crossings: Mapping[int, CrossingKind]) -> Way:
    """The row of a way; if its own tags do not show how it crosses a road, those of a node may."""
    if row.crossing != "unknown":
        return row
    kinds = [crossings[node] for node in nodes if crossings.get(node, "unknown") != "unknown"]
    return row._replace(crossing=kinds[0]) if kinds else row


def build_crossing_arrays(crossings: Mapping[int, CrossingKind]) -> dict[str, NDArray[Any]]:
    """The fields of `Streets` that hold the crossings: kind by number of the node."""
    return {
        "crossing_nodes": np.array(list(crossings), dtype=np.int64),
        "crossing_kinds": np.array(list(crossings.values()), dtype=KIND_TYPE),
    }


COLUMN_TYPES: dict[type, Any] = {str: object, int: "int64", float: "float64", bool: "bool"}
WAY_TYPES = {name: COLUMN_TYPES[kind] for name, kind in Way.__annotations__.items()}
"""Types of the columns, also of a table without rows."""


def build_ways_table(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Table of ways from rows with the first fields of `Way`, or all of them."""
    return pd.DataFrame([Way(*row) for row in rows], columns=list(Way._fields)).astype(WAY_TYPES)


def _build_table(found: Sequence[tuple[str, str, str]], projection: Projection) -> gpd.GeoDataFrame:
    """Kinds, names and shapes, in the area's CRS."""
    table = pd.DataFrame(found, columns=["kind", "name", "shape"])
    geometry = shapely.from_wkb([bytes.fromhex(shape) for shape in table.pop("shape")])
    return gpd.GeoDataFrame(table, geometry=geometry, crs=DEGREES).to_crs(projection.crs)
