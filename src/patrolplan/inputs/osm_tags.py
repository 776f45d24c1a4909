"""Which ways of OpenStreetMap can be walked, patrolled and ridden, whatever the format."""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

CrossingKind = Literal["signals", "zebra", "island", "unmarked", "unknown"]
"""How people on foot get over a road: by lights, with priority, in two halves, or in a gap."""

Passage = Literal["", "bridge", "tunnel", "underpass", "covered"]  # What a way runs over or through
NOT_STREETS = frozenset(
    {
        *("abandoned", "bus_guideway", "bus_stop", "construction", "corridor", "elevator"),
        *("emergency_bay", "motorway", "motorway_link", "no", "planned", "platform", "proposed"),
        *("raceway", "razed", "rest_area", "services"),
    }
)  # Values of `highway` that cannot be walked
CLOSED_VALUES = frozenset({"private", "no"})
OPEN_TO_FOOT = frozenset({"yes", "designated", "permissive", "destination", "public"})


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Whether a way with these tags is a street open to people on foot."""
    # One-way rules are for vehicles, so they do not count. Underpasses and bridges are included;
    # indoor ways are not.
    highway, is_indoor = tags.get("highway", ""), _is_set(tags, "indoor")
    return highway not in {"", *NOT_STREETS} and not is_indoor and _is_open_on_foot(tags)


def _is_open_on_foot(tags: Mapping[str, str]) -> bool:
    """By the tag `foot`, which overrides `access`."""
    foot = tags.get("foot", "")
    return foot in OPEN_TO_FOOT or not {foot, tags.get("access", "")} & CLOSED_VALUES


def is_closed_barrier(tags: Mapping[str, str]) -> bool:
    """Whether a node with these tags is a barrier that people on foot do not get through."""
    # A gate without such tags is open by day as often as not, so only what a tag closes is closed.
    # A bicycle can be pushed where its rider walks, so `bicycle` does not count.
    return _is_set(tags, "barrier") and not _is_open_on_foot(tags)


def _is_set(tags: Mapping[str, str], key: str) -> bool:
    """Whether a tag is present and not "no"."""
    return tags.get(key, "") not in {"", "no"}


DEEP_LAYER = -2.0  # A footway at this layer or below is a passage of a station, not an underpass
NOT_TUNNELS = frozenset({"", "no", "building_passage", "covered"})  # `tunnel` at street level
LEVEL_PATTERN = re.compile(r"(-?\d+(?:\.\d+)?)(?:-(-?\d+(?:\.\d+)?))?")
"""A level, or a range of levels such as 0-2 or -2--1."""

PATROL_TAGS = (
    *("highway", "conveying", "level", "layer", "location", "railway", "public_transport"),
    *("area", "tunnel", "bridge"),
)  # Keys that `is_patrolled` and `get_layer` use


def is_patrolled(tags: Mapping[str, str]) -> bool:
    """Whether a way that can be walked is also street to patrol."""
    # Passages and platforms below ground are patrolled by others, an escalator is no place to
    # stand, and the outline of a square (`area=yes`) is not a street: the square is crossed. An
    # underpass, one layer down and without a level, is street.
    if _is_set(tags, "conveying") or tags.get("area") == "yes":
        return False
    if tags.get("location") == "underground" or min(_list_levels(tags), default=0.0) < 0:
        return False
    layer, is_road = get_layer(tags), tags.get("highway") in ROADS | TRUNK
    is_platform = "platform" in {tags.get("railway"), tags.get("public_transport")}
    return not (is_platform and layer < 0) and (is_road or layer > DEEP_LAYER)


def get_layer(tags: Mapping[str, str]) -> float:
    """How far above or below the ground a way runs: 0 at ground level, 1 on a bridge."""
    # Where `layer` is missing, a bridge is 1, a tunnel -1, and a way inside buildings its level.
    try:
        return float(tags.get("layer", ""))
    except ValueError:
        pass
    if _is_set(tags, "bridge"):
        return 1.0
    if tags.get("tunnel", "") not in NOT_TUNNELS:
        return -1.0
    return next(iter(_list_levels(tags)), 0.0)


def _list_levels(tags: Mapping[str, str]) -> list[float]:
    """Levels that a way joins; of a range its ends."""
    parts = [LEVEL_PATTERN.fullmatch(part.strip()) for part in tags.get("level", "").split(";")]
    return [float(end) for part in parts if part for end in part.groups() if end is not None]


def get_incline(tags: Mapping[str, str]) -> int:
    """1 where a way leads up in its own direction, -1 where it leads down, 0 where not known."""
    text = tags.get("incline", "").strip().lower()
    if text in {"up", "down"}:
        return 1 if text == "up" else -1
    number = re.match(r"[-+]?\d+(\.\d+)?", text)
    slope = float(number.group()) if number else 0.0
    return int(slope > 0) - int(slope < 0)


SIGNAL_CROSSINGS = frozenset({"traffic_signals", "pelican", "puffin", "toucan", "pegasus"})
ZEBRA_CROSSINGS = frozenset({"zebra", "uncontrolled", "tiger"})
UNMARKED_CROSSINGS = frozenset({"unmarked", "no", "informal"})
"""Values of `crossing` and `crossing_ref`, as they are used in Great Britain."""

CROSSING_TAGS = (
    *("crossing", "crossing_ref", "crossing:signals", "crossing:markings", "crossing:island"),
)  # Keys that `classify_crossing` uses


def classify_crossing(tags: Mapping[str, str]) -> CrossingKind:
    """How people on foot get over a road at a crossing, a way or a node, with these tags."""
    # What stops the traffic takes precedence: a zebra with an island is a zebra.
    named = {tags.get("crossing", ""), tags.get("crossing_ref", "")}
    markings = tags.get("crossing:markings", "")
    if named & SIGNAL_CROSSINGS or tags.get("crossing:signals") == "yes":
        return "signals"
    if named & ZEBRA_CROSSINGS or markings.startswith("zebra"):
        return "zebra"
    if "island" in named or tags.get("crossing:island") in {"yes", "separate"}:
        return "island"
    return "unmarked" if named & UNMARKED_CROSSINGS or markings == "no" else "unknown"


def classify_crossing_node(tags: Mapping[str, str]) -> CrossingKind | Literal[""]:
    """How people on foot get over a road at a node of it; empty where there is no crossing."""
    # Traffic lights count: at a junction they stop the traffic, even if no crossing is mapped.
    highway = tags.get("highway", "")
    if highway == "traffic_signals":
        return "unmarked" if tags.get("crossing") == "no" else "signals"
    return classify_crossing(tags) if highway == "crossing" else ""


SIDEWALK_TAGS = ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
NO_SIDEWALK = frozenset({"no", "none"})


def get_sidewalk(tags: Mapping[str, str]) -> str:
    """Pavements of a way: both, left, right, yes, no, separate, or empty where not known."""
    # "separate" if a pavement is mapped as a separate way and the way itself has none. If only one
    # side is tagged, the way is unknown unless that side has a pavement.
    whole = tags.get("sidewalk", "") or tags.get("sidewalk:both", "")
    if whole:
        return {**dict.fromkeys(NO_SIDEWALK, "no"), "yes": "both"}.get(whole, whole)
    sides = {side: tags.get(f"sidewalk:{side}", "") for side in ("left", "right")}
    own = [side for side, value in sides.items() if value not in {"", "separate", *NO_SIDEWALK}]
    if own:
        return "both" if len(own) == len(sides) else own[0]
    if "separate" in sides.values():
        return "separate"
    return "no" if all(value in NO_SIDEWALK for value in sides.values()) else ""


PASSAGE_TAGS = ("bridge", "tunnel", "covered")


def get_passage(tags: Mapping[str, str]) -> Passage:
    """What a way runs over or through; a tunnel of a way that is not a road is an underpass."""
    if _is_set(tags, "bridge"):
        return "bridge"
    if tags.get("tunnel", "") not in NOT_TUNNELS:
        return "tunnel" if tags.get("highway") in ROADS | TRUNK else "underpass"
    return "covered" if _is_set(tags, "tunnel") or _is_set(tags, "covered") else ""


TRUNK = frozenset({"trunk", "trunk_link"})  # Fast: a bicycle is pushed unless tags allow riding
MAIN_ROADS = TRUNK | {
    *("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link")
}  # Roads whose crossings are named to people on foot
ROADS = (MAIN_ROADS - TRUNK) | {
    *("unclassified", "residential", "living_street", "service", "road", "busway")
}
TRACKS = frozenset({"cycleway", "track", "bridleway"})
OPEN_TO_BICYCLES = OPEN_TO_FOOT | {"official"}
ONE_WAY_FORWARD = frozenset({"yes", "true", "1"})
ONE_WAY_REVERSE = frozenset({"-1", "reverse"})
SIDES = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")

CYCLING_TAGS = (
    *("highway", "access", "vehicle", "bicycle", "junction", "oneway", "oneway:bicycle"),
    "ramp:bicycle",
    *SIDES,
    *(f"{side}:oneway" for side in SIDES),
)  # Keys that the rules use


class Riding(NamedTuple):
    """How a bicycle uses a way: "ride", "push" or "carry" (steps); one-way 1, -1 or 0."""

    how: str = "ride"
    one_way: int = 0


def classify_riding(tags: Mapping[str, str]) -> Riding:
    """How a bicycle uses a way that is open to people on foot."""
    # Without a tag, roads and tracks are ridden; footways, paths, pedestrian streets and trunk
    # roads are not. One-way rules apply where vehicles go, unless `oneway:bicycle` or a contraflow
    # lane exempts bicycles; they also apply to a bicycle that is pushed there.
    highway = tags.get("highway", "")
    if highway == "steps":
        return Riding("push" if tags.get("ramp:bicycle") == "yes" else "carry")
    bicycle = tags.get("bicycle", "")  # the most specific tag decides
    is_closed = {tags.get("vehicle", ""), tags.get("access", "")} & CLOSED_VALUES
    is_ridden = not bicycle and not is_closed and highway in ROADS | TRACKS
    how = "ride" if is_ridden or bicycle in OPEN_TO_BICYCLES else "push"
    vehicles = highway in ROADS or highway in TRACKS or highway in TRUNK
    return Riding(how, _find_direction(tags) if vehicles or how == "ride" else 0)


def _find_direction(tags: Mapping[str, str]) -> int:
    """Direction of a way for a bicycle: 1 forward, -1 reverse, 0 both."""
    for_bicycles = tags.get("oneway:bicycle", "")
    if not for_bicycles and any(  # a lane or track against the one-way traffic
        tags.get(side, "").startswith("opposite") or tags.get(f"{side}:oneway", "") in {"-1", "no"}
        for side in SIDES
    ):
        return 0
    oneway = for_bicycles or tags.get("oneway", "")
    if not oneway and tags.get("junction") == "roundabout":
        oneway = "yes"
    return int(oneway in ONE_WAY_FORWARD) - int(oneway in ONE_WAY_REVERSE)
