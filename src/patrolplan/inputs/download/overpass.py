"""Streets and the other features of the map, from OpenStreetMap through osmnx.

osmnx calls the Overpass API and caches the raw answers. Its graphs are not used: they cut ways at
the area's edge and drop tags, and its filter "walk" leaves out cycleways and streets whose
pavements are drawn separately. The answers are written as an OpenStreetMap file, so that
`patrolplan.inputs.osm_tags` alone decides what is walkable, however the file was fetched.
"""

import io
import json
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import osmnx
import requests
import shapely
from osmium.osm import mutable
from osmnx._errors import CacheOnlyInterruptError
from shapely.geometry.base import BaseGeometry

from patrolplan.atomic import TEMPORARY_PREFIX
from patrolplan.crs import Projection
from patrolplan.inputs.download.client import (
    MAX_ANSWER_BYTES,
    UnusableError,
    WebClient,
    find_retry_wait,
)
from patrolplan.inputs.download.police import MAX_SEGMENT_METRES, widen_limits
from patrolplan.inputs.osm_tags import NOT_STREETS
from patrolplan.inputs.streets import (
    GREENS,
    MARGIN_METRES,
    PARKS,
    PLACE_KINDS,
    RAILS,
    STATIONS,
    WATERWAYS,
)

STREET_FILTER = f'["highway"]["highway"!~"^({"|".join(sorted(NOT_STREETS))})$"]'
"""Every way that could be walked; its other tags are checked when the file is read."""

FEATURES: dict[str, bool | str | list[str]] = {
    "amenity": sorted(PLACE_KINDS),
    "highway": "bus_stop",
    "landuse": sorted(GREENS),
    "leisure": sorted(PARKS),
    "natural": ["grassland", "heath", "scrub", "water", "wood"],
    "railway": sorted(RAILS | STATIONS),
    "waterway": sorted(WATERWAYS | {"dock", "riverbank"}),
}
"""What the maps show besides streets, except buildings: there are too many of them. And pubs, bars
and takeaways."""

Element = dict[str, Any]


def fetch_street_file(
    web: WebClient, url: str, limits: BaseGeometry, projection: Projection, kind: str
) -> tuple[bytes, int]:
    """An OpenStreetMap file of the area (limits in metres) and around it, and its streets."""
    wide = widen_limits(limits.buffer(MARGIN_METRES, join_style="mitre"))
    area = _transform_to_degrees(wide, projection)
    around = _transform_to_degrees(wide.convex_hull.simplify(10), projection)

    def attempt(answers: Path) -> list[Element]:
        with _configure_osmnx(web, url, answers):
            try:
                _fetch_answers(osmnx.graph_from_polygon, area, custom_filter=STREET_FILTER)
                _fetch_answers(osmnx.features_from_polygon, around, tags=FEATURES)
                return _read_elements(answers)
            except ValueError as error:  # an answer of another shape
                for stored in answers.iterdir():
                    stored.unlink()
                raise UnusableError(why=f"sends an unexpected answer ({error})") from None

    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        elements = web.retry(lambda: attempt(Path(folder)), url=url, what="streets")
    ways = [element for element in elements if element["type"] == "way"]
    count = sum("highway" in way.get("tags", {}) for way in ways)
    return _encode_osm(elements, kind), count


def _transform_to_degrees(shape: BaseGeometry, projection: Projection) -> BaseGeometry:
    straight = shapely.segmentize(shape, MAX_SEGMENT_METRES)
    return shapely.transform(
        straight, lambda xy: np.column_stack(projection.to_degrees(xy[:, 0], xy[:, 1]))
    )


def _fetch_answers(function: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - of osmnx
    """Let osmnx fetch and cache the answers, without building a graph from them."""
    with suppress(CacheOnlyInterruptError):
        function(*args, **kwargs)


@contextmanager
def _configure_osmnx(web: WebClient, url: str, answers: Path) -> Iterator[None]:
    """Run osmnx with our settings; restore its own, and the name resolver that it replaces."""
    ours = {
        "overpass_url": url,
        "overpass_rate_limit": True,  # wait for a free slot first, as the servers want
        "use_cache": True,
        "cache_only_mode": True,
        "cache_folder": answers,
        "requests_timeout": web.answer_seconds,
        "requests_kwargs": {
            "stream": True,
            "allow_redirects": False,
            "hooks": {"response": _build_inspector(web)},
        },
        "http_user_agent": web.agent,
        "http_referer": "",
        "doh_url_template": None,  # no third server resolves names
        "log_file": False,
        "log_console": False,
    }
    before = {name: getattr(osmnx.settings, name) for name in ours}
    resolver = socket.getaddrinfo
    try:
        for name, value in ours.items():
            setattr(osmnx.settings, name, value)
        yield
    finally:
        socket.getaddrinfo = resolver
        for name, value in before.items():
            setattr(osmnx.settings, name, value)


def _build_inspector(web: WebClient) -> Any:  # noqa: ANN401 - a hook of requests
    """Build a hook that checks each answer first: osmnx would wait forever, or accept a part."""

    def inspect(response: requests.Response, *_: object, **__: object) -> None:
        with response:
            if response.status_code != HTTPStatus.OK:
                wait = find_retry_wait(response, web.retry_policy)
                raise UnusableError(why=f"answers {response.status_code}", wait_seconds=wait)
            body = web.read_body(response, MAX_ANSWER_BYTES)
        response.raw = io.BytesIO(body)
        if response.request.method != "POST":
            return
        try:
            document = json.loads(body)
        except ValueError:
            raise UnusableError(why="does not send JSON") from None
        if not isinstance(document, dict) or not isinstance(document.get("elements"), list):
            raise UnusableError(why="sends an unexpected answer")
        if "remark" in document:  # a part of the data, with the reason why it is incomplete
            raise UnusableError(why=f"stopped on the way ({document['remark']})")

    return inspect


def _read_elements(answers: Path) -> list[Element]:
    """Elements of all stored answers, each once, in the order that OpenStreetMap files have."""
    elements: dict[tuple[int, int], Element] = {}
    rank = {"node": 0, "way": 1, "relation": 2}
    for path in sorted(answers.glob("*.json")):
        for element in json.loads(path.read_bytes())["elements"]:
            if not isinstance(element, dict) or element.get("type") not in rank:
                message = "an element has an unknown type"
                raise ValueError(message)
            _check_element(element)
            elements[rank[element["type"]], element["id"]] = element
    return [elements[key] for key in sorted(elements)]


def _check_element(element: Element) -> None:
    """Raise `ValueError` where an element lacks what its type needs."""
    needed: dict[str, dict[str, Any]] = {
        "node": {"lat": int | float, "lon": int | float},
        "way": {"nodes": list},
        "relation": {"members": list},
    }
    for name, kind in {"id": int, **needed[element["type"]]}.items():
        if not isinstance(element.get(name), kind):
            message = f"a {element['type']} has no {name}"
            raise ValueError(message)  # noqa: TRY004 - of the answer, not of a caller
    for member in element.get("members", []):
        if not {"type", "ref", "role"} <= set(member):
            message = "a member of a relation is of another shape"
            raise ValueError(message)


def _encode_osm(elements: Sequence[Element], kind: str) -> bytes:
    """The elements as a file of OpenStreetMap data; equal elements give equal bytes."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        path = Path(folder) / f"streets{kind}"
        with osmium.SimpleWriter(str(path)) as writer:
            for one in elements:
                common = {"id": one["id"], "version": 1, "tags": one.get("tags", {})}
                if one["type"] == "node":
                    writer.add_node(mutable.Node(location=(one["lon"], one["lat"]), **common))
                elif one["type"] == "way":
                    writer.add_way(mutable.Way(nodes=one["nodes"], **common))
                else:
                    members = [(m["type"][0], m["ref"], m["role"]) for m in one["members"]]
                    writer.add_relation(mutable.Relation(members=members, **common))
        return path.read_bytes()
