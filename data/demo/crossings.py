"""How main roads are crossed, pavements, inclines, shops: tags of what is drawn, and shop doors."""

from collections import Counter
from itertools import cycle
from typing import TYPE_CHECKING

from demo.layout import Plan

if TYPE_CHECKING:
    from demo.osm import Nodes, Way

SIGNALS = {"highway": "traffic_signals", "crossing": "traffic_signals"}
ZEBRA = {"highway": "crossing", "crossing": "uncontrolled", "crossing:markings": "zebra"}
ISLAND = {"highway": "crossing", "crossing": "unmarked", "crossing:island": "yes"}
UNMARKED = {"highway": "crossing", "crossing": "unmarked"}

BUSY, MAIN = ("primary", "secondary"), ("primary", "secondary", "tertiary")
IN_TURN = (ZEBRA, {}, ISLAND, SIGNALS, {}, UNMARKED)
"""Crossings at the side streets of a main road, one after the other; often nothing is mapped."""

NO_PAVEMENT = "Breakwater Road"
ENTRANCE_ROAD = "Station Approach"

SHOPS = (
    *("supermarket", "bakery", "hairdresser", "convenience", "clothes", "chemist", "mobile_phone"),
    *("greengrocer", "newsagent", "butcher"),
)
SHOP_STREETS = ("Eastmere High Street", "Tidewell Road", "Brackwater Road", "Pepperfield Road")
SHOP_EVERY = 45.0
TO_DOOR = 8.0
"""Metres between shops, and from the middle of the street to a door."""


def add_crossings(nodes: "Nodes", ways: list["Way"]) -> None:
    """Traffic lights where busy roads meet, and at side streets now this, now that crossing."""
    streets = [way for way in ways if way.tags.get("highway") not in {None, "trunk"}]
    met = Counter(node for way in streets for node in set(way.nodes))
    busy: dict[int, set[str]] = {}
    for way in streets:
        for node in way.nodes if way.tags["highway"] in BUSY else ():
            busy.setdefault(node, set()).add(way.tags.get("name", ""))
    kinds = cycle(IN_TURN)
    for way in streets:
        if way.tags["highway"] not in MAIN:
            continue
        for node in way.nodes:
            if met[node] < 2 or node in nodes.tags:  # noqa: PLR2004 - a junction
                continue
            tags = SIGNALS if len(busy.get(node, ())) > 1 else next(kinds)
            if tags:
                nodes.tags[node] = dict(tags)


def add_details(ways: list["Way"]) -> None:
    """Pavements along the streets, a road without, and which way steps lead up."""
    for number, way in enumerate(ways):
        kind = way.tags.get("highway")
        if kind in {"residential", "unclassified", "tertiary"}:
            none = way.tags.get("name") == NO_PAVEMENT
            way.tags.setdefault("sidewalk", "no" if none else "both")
        if kind == "steps":
            way.tags["incline"] = "up" if number % 2 else "down"


def add_entrance(nodes: "Nodes", ways: list["Way"], name: str) -> None:
    """The entrance of the station, half way along the street that leads to it."""
    approach = next(way for way in ways if way.tags.get("name") == ENTRANCE_ROAD)
    node = approach.nodes[len(approach.nodes) // 2]
    nodes.tags[node] = {"railway": "train_station_entrance", "name": name}


def add_shops(plan: Plan, nodes: "Nodes") -> None:
    """Doors of shops on either side of the shopping streets; nodes of their own."""
    kinds = cycle(SHOPS)
    for street in plan.streets:
        if street.tags.get("name") not in SHOP_STREETS:
            continue
        along, hand = SHOP_EVERY / 2, TO_DOOR
        while along < street.line.length - SHOP_EVERY / 2:
            here, ahead = (street.line.interpolate(along + d) for d in (-0.5, 0.5))
            node = nodes.own(here.x - hand * (ahead.y - here.y), here.y + hand * (ahead.x - here.x))
            nodes.tags[node] = {"shop": next(kinds)}
            along, hand = along + SHOP_EVERY, -hand
