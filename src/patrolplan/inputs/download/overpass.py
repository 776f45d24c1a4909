"""Streets and the other features of the map, from OpenStreetMap through the Overpass API.

Written as an OpenStreetMap file: `osm_tags` alone decides what is walkable, however it was fetched.
"""

import json
import tempfile
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import mutable
from shapely.geometry.base import BaseGeometry

from patrolplan.atomic import TEMPORARY_PREFIX
from patrolplan.crs import Projection
from patrolplan.inputs import streets
from patrolplan.inputs.download.client import Answer, UnusableError, WebClient
from patrolplan.inputs.download.police import format_ring, split_into_cells, widen_limits
from patrolplan.inputs.osm_tags import NOT_STREETS

STREETS = f'way["highway"]["highway"!~"^({"|".join(sorted(NOT_STREETS))})$"]'
"""Every way that could be walked; its other tags are checked when the file is read."""

FEATURES: dict[str, list[str]] = {
    "amenity": sorted(streets.PLACE_KINDS),
    "highway": ["bus_stop"],
    "landuse": sorted(streets.GREENS),
    "leisure": sorted(streets.PARKS),
    "natural": ["grassland", "heath", "scrub", "water", "wood"],
    "railway": sorted(streets.RAILS | streets.STATIONS),
    "waterway": sorted(streets.WATERWAYS | {"dock", "riverbank"}),
}
"""What the maps show besides streets, except buildings: there are too many of them. And pubs, bars
and takeaways."""

Element = Any  # mutable.Node, Way or Relation
RANK = {"node": 0, "way": 1, "relation": 2}  # The order that OpenStreetMap files have


def fetch_street_file(
    web: WebClient, url: str, limits: BaseGeometry, projection: Projection, kind: str
) -> tuple[bytes, int]:
    """An OpenStreetMap file of the area (limits in metres) and around it, and its streets."""
    # `url` is without "/interpreter"; `kind` is ".osm", ".osm.gz" or ".osm.pbf".
    wide = limits.buffer(streets.MARGIN_METRES, join_style="mitre")
    around = widen_limits(wide).convex_hull.simplify(10)
    features = [f'nwr["{key}"~"^({"|".join(of)})$"]' for key, of in FEATURES.items()]
    elements: dict[tuple[int, int], Element] = {}
    for filters, shape in (([STREETS], wide), (features, around)):
        rings = [format_ring(cell, projection) for cell in split_into_cells(shape)]
        query = _build_query(filters, rings, seconds=web.answer_seconds)
        at, fields = f"{url}/interpreter", {"data": query}
        elements |= web.fetch(at, fields, _read_answer, what="streets", is_large=True)
    found = [elements[key] for key in sorted(elements)]
    count = sum(isinstance(one, mutable.Way) and "highway" in one.tags for one in found)
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        path = Path(folder) / f"streets{kind}"
        with osmium.SimpleWriter(str(path)) as writer:  # equal elements give equal bytes
            for one in found:
                writer.add(one)
        return path.read_bytes(), count


def _build_query(filters: Iterable[str], rings: Iterable[str], *, seconds: float) -> str:
    """A query for what matches a filter within a ring, and for all that it is made of.

    >>> _build_query(["way"], ["51.5,-0.1:51.6,-0.1:51.5,0.1"], seconds=300)
    '[out:json][timeout:300];(way(poly:"51.5 -0.1 51.6 -0.1 51.5 0.1"););(._;>;);out;'
    """
    places = [ring.replace(",", " ").replace(":", " ") for ring in rings]
    wanted = "".join(f'{one}(poly:"{place}");' for one in filters for place in places)
    return f"[out:json][timeout:{seconds:.0f}];({wanted});(._;>;);out;"


def _read_answer(answer: Answer) -> dict[tuple[int, int], Element]:
    """The elements of an answer by type and number."""
    if answer.status != HTTPStatus.OK:
        raise UnusableError(why=f"answers {answer.status}")
    try:
        document = json.loads(answer.body)
    except ValueError:
        raise UnusableError(why="does not send JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("elements"), list):
        raise UnusableError(why="sends an unexpected answer")
    if "remark" in document:  # a part of the data, with the reason why it is incomplete
        raise UnusableError(why=f"stopped on the way ({document['remark']})")
    try:
        return {(RANK[one["type"]], int(one["id"])): _build(one) for one in document["elements"]}
    except (KeyError, TypeError, ValueError):
        raise UnusableError(why="sends an element of another shape") from None


def _build(element: dict[str, Any]) -> Element:
    common = {"id": int(element["id"]), "version": 1, "tags": dict(element.get("tags", {}))}
    if element["type"] == "node":
        return mutable.Node(location=(float(element["lon"]), float(element["lat"])), **common)
    if element["type"] == "way":
        return mutable.Way(nodes=[int(node) for node in element["nodes"]], **common)
    members = [(one["type"][0], int(one["ref"]), str(one["role"])) for one in element["members"]]
    return mutable.Relation(members=members, **common)
