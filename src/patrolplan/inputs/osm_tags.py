"""Which ways of OpenStreetMap can be walked, and how a bicycle uses them.

The rules are the same for every street format.
"""

from collections.abc import Mapping
from typing import NamedTuple

NOT_STREETS = frozenset(
    {
        *("abandoned", "bus_guideway", "bus_stop", "construction", "corridor", "elevator"),
        *("emergency_bay", "motorway", "motorway_link", "no", "planned", "platform", "proposed"),
        *("raceway", "razed", "rest_area", "services"),
    }
)
"""Values of `highway` that cannot be walked."""

CLOSED_VALUES = frozenset({"private", "no"})
OPEN_TO_FOOT = frozenset({"yes", "designated", "permissive", "destination", "public"})


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Whether a way with these tags is a street open to people on foot.

    One-way rules are for vehicles, so they do not count. The tag `foot` overrides `access`.
    Underpasses and bridges are included; indoor ways are not.

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
        *("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"),
        *("unclassified", "residential", "living_street", "service", "road", "busway"),
    }
)
TRACKS = frozenset({"cycleway", "track", "bridleway"})
TRUNK = frozenset({"trunk", "trunk_link"})
"""Main roads with fast traffic: a bicycle is pushed on the pavement unless tags allow riding."""

OPEN_TO_BICYCLES = frozenset(
    {"yes", "designated", "permissive", "official", "destination", "public"}
)
ONE_WAY_FORWARD = frozenset({"yes", "true", "1"})
ONE_WAY_REVERSE = frozenset({"-1", "reverse"})
SIDES = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")

CYCLING_TAGS = (
    *("highway", "access", "vehicle", "bicycle", "junction", "oneway", "oneway:bicycle"),
    "ramp:bicycle",
    *SIDES,
    *(f"{side}:oneway" for side in SIDES),
)
"""Keys that the rules use."""


class Riding(NamedTuple):
    """How a bicycle uses a way.

    `how` is "ride", "push" (get off; the way is open on foot) or "carry" (steps). `one_way` is 1
    where only the way's own direction is allowed, -1 where only the opposite one, 0 for both.
    """

    how: str = "ride"
    one_way: int = 0


def classify_riding(tags: Mapping[str, str]) -> Riding:
    """How a bicycle uses a way that is open to people on foot.

    Where no tag says, roads and tracks are ridden; footways, paths, pedestrian streets and trunk
    roads are not. One-way rules apply where vehicles go, unless `oneway:bicycle` or a contraflow
    lane exempts bicycles; they also apply to a bicycle that is pushed there.

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
    """Whether riding is allowed; the most specific tag decides."""
    bicycle = tags.get("bicycle", "")
    if bicycle:
        return bicycle in OPEN_TO_BICYCLES
    for key in ("vehicle", "access"):
        if tags.get(key, "") in CLOSED_VALUES:
            return False
    return highway in ROADS or highway in TRACKS


def _find_direction(tags: Mapping[str, str]) -> int:
    """Direction of a way for a bicycle: 1 forward, -1 reverse, 0 both."""
    for_bicycles = tags.get("oneway:bicycle", "")
    if not for_bicycles and _has_contraflow_lane(tags):
        return 0
    oneway = for_bicycles or tags.get("oneway", "")
    if not oneway and tags.get("junction") == "roundabout":
        oneway = "yes"
    return int(oneway in ONE_WAY_FORWARD) - int(oneway in ONE_WAY_REVERSE)


def _has_contraflow_lane(tags: Mapping[str, str]) -> bool:
    """Whether a cycle lane or track runs against the one-way traffic."""
    return any(
        tags.get(side, "").startswith("opposite") or tags.get(f"{side}:oneway", "") in {"-1", "no"}
        for side in SIDES
    )
