"""Which ways of OpenStreetMap a person on foot may use; one rule for every street format.

How a bicycle goes along a way of OpenStreetMap: ridden, pushed or carried, and which way.
"""

from collections.abc import Mapping
from typing import NamedTuple

NOT_STREETS = frozenset(
    {
        "abandoned",
        "bus_guideway",
        "bus_stop",
        "construction",
        "corridor",
        "elevator",
        "emergency_bay",
        "motorway",
        "motorway_link",
        "no",
        "planned",
        "platform",
        "proposed",
        "raceway",
        "razed",
        "rest_area",
        "services",
    }
)
"""Values of `highway` that are no street for someone on foot."""

CLOSED_VALUES = frozenset({"private", "no"})
OPEN_TO_FOOT = frozenset({"yes", "designated", "permissive", "destination", "public"})


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Whether a way with these tags is a street open to people on foot.

    One-way rules are for vehicles, so they are not asked. The tag `foot` overrules `access`.
    Underpasses and bridges are kept; indoor ways are not.

    Examples
    --------
    >>> is_walkable({"highway": "residential", "oneway": "yes"})
    True
    >>> is_walkable({"highway": "service", "access": "private"})
    False
    >>> is_walkable({"highway": "footway", "access": "no", "foot": "yes"})
    True
    """
    highway = tags.get("highway", "")
    if not highway or highway in NOT_STREETS or tags.get("indoor", "") not in {"", "no"}:
        return False
    foot = tags.get("foot", "")
    if foot in OPEN_TO_FOOT:
        return True
    return foot not in CLOSED_VALUES and tags.get("access", "") not in CLOSED_VALUES


ROADS = frozenset(
    {
        "primary",
        "primary_link",
        "secondary",
        "secondary_link",
        "tertiary",
        "tertiary_link",
        "unclassified",
        "residential",
        "living_street",
        "service",
        "road",
        "busway",
    }
)
TRACKS = frozenset({"cycleway", "track", "bridleway"})
TRUNK = frozenset({"trunk", "trunk_link"})
"""Main roads of fast traffic: a bicycle is pushed along their pavement unless tags invite it."""

OPEN_TO_BICYCLES = frozenset(
    {"yes", "designated", "permissive", "official", "destination", "public"}
)
CLOSED_VALUES = frozenset({"no", "private"})
ONE_WAY_FORWARD = frozenset({"yes", "true", "1"})
ONE_WAY_REVERSE = frozenset({"-1", "reverse"})
SIDES = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")

CYCLING_TAGS = (
    "highway",
    "access",
    "vehicle",
    "bicycle",
    "junction",
    "oneway",
    "oneway:bicycle",
    "ramp:bicycle",
    *SIDES,
    *(f"{side}:oneway" for side in SIDES),
)
"""Keys that the rule asks for."""


class Riding(NamedTuple):
    """How a bicycle goes along a way.

    `how` is "ride", "push" (get off; the way is open on foot) or "carry" (steps). `one_way` is 1
    where it goes in the way's own direction alone, -1 against it alone, 0 in both.
    """

    how: str = "ride"
    one_way: int = 0


def classify_riding(tags: Mapping[str, str]) -> Riding:
    """How a bicycle goes along a way that is open to people on foot.

    Where the tags leave it open, roads and tracks are ridden; footways, paths, pedestrian streets
    and trunk roads are not. One-way streets count where vehicles go, unless `oneway:bicycle` or a
    lane against the traffic lifts that for bicycles; one who pushes keeps to them as well.

    Examples
    --------
    >>> classify_riding({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"})
    Riding(how='ride', one_way=0)
    >>> classify_riding({"highway": "footway", "bicycle": "designated"}).how
    'ride'
    >>> classify_riding({"highway": "pedestrian"}).how, classify_riding({"highway": "steps"}).how
    ('push', 'carry')
    """
    highway = tags.get("highway", "")
    if highway == "steps":
        return Riding("push" if tags.get("ramp:bicycle") == "yes" else "carry")
    how = "ride" if _can_ride(highway, tags) else "push"
    vehicles = highway in ROADS or highway in TRACKS or highway in TRUNK
    return Riding(how, _find_direction(tags) if vehicles or how == "ride" else 0)


def _can_ride(highway: str, tags: Mapping[str, str]) -> bool:
    """Whether one may ride there; the most particular tag decides."""
    bicycle = tags.get("bicycle", "")
    if bicycle:
        return bicycle in OPEN_TO_BICYCLES
    for key in ("vehicle", "access"):
        if tags.get(key, "") in CLOSED_VALUES:
            return False
    return highway in ROADS or highway in TRACKS


def _find_direction(tags: Mapping[str, str]) -> int:
    """Direction of a way for a bicycle: 1 ahead, -1 against, 0 both."""
    own = tags.get("oneway:bicycle", "")
    said = own or tags.get("oneway", "")
    if not said and tags.get("junction") == "roundabout":
        said = "yes"
    if not own and _has_contraflow_lane(tags):
        return 0
    return int(said in ONE_WAY_FORWARD) - int(said in ONE_WAY_REVERSE)


def _has_contraflow_lane(tags: Mapping[str, str]) -> bool:
    """Whether a lane or track for bicycles leads against the one-way traffic."""
    return any(
        tags.get(side, "").startswith("opposite") or tags.get(f"{side}:oneway", "") in {"-1", "no"}
        for side in SIDES
    )
