"""Which ways of OpenStreetMap a person on foot may use; one rule for every street format."""

from collections.abc import Mapping

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

CLOSED = frozenset({"private", "no"})
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
    return foot not in CLOSED and tags.get("access", "") not in CLOSED
