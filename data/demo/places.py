"""Pubs, bars and takeaways: most in and around Market Place, the borough's night-life street."""

from typing import TYPE_CHECKING

from numpy.random import Generator

from demo.layout import Plan, Street

if TYPE_CHECKING:
    from demo.osm import Nodes

NIGHT_LIFE = ("Market Place", "Mercers Walk")
TO_DOOR = 7.5
"""Metres from the middle of the street to the door."""

CLUSTER = (
    *(("pub", name) for name in ("The Wool Pack", "The Tide Waiter", "The Saltcellar")),
    *(("pub", name) for name in ("The Hop Exchange", "The Three Eels", "The Weighhouse")),
    *(("bar", name) for name in ("Mercers", "Copper & Lime", "The Cellar at Nine", "Bar Estuary")),
    *(("nightclub", name) for name in ("The Ropewalk", "Undertow")),
    *(("fast_food", name) for name in ("Market Fryer", "Eastmere Kebab", "Noodle Yard")),
)
"""`amenity` and invented name of those in the night-life street, in a row along it."""

SINGLE = (
    ("Saltmarsh Road", "pub", "The Samphire"),
    ("Lanthorn Hill", "pub", "The Lanthorn"),
    ("Tidewell Road", "fast_food", "Tidewell Fish Bar"),
    ("Larkmoor Road", "pub", "The Lark Rising"),
    ("Hartsmere Road", "fast_food", "Hartsmere Grill"),
    ("Ferriers Lane", "pub", "The Ferry"),
    ("Brackwater Road", "fast_food", "Brackwater Pizza"),
)
"""Street, `amenity` and name of those that stand alone."""


def add_places(plan: Plan, nodes: "Nodes", rng: Generator) -> None:
    """Nodes with `amenity`; they belong to no street, so that nothing else changes."""
    cluster = [s for s in plan.streets if s.tags.get("name") in NIGHT_LIFE]
    total = sum(street.line.length for street in cluster)
    for place, (amenity, name) in enumerate(CLUSTER):
        along = total * (place + rng.uniform(0.2, 0.8)) / len(CLUSTER)
        for street in cluster:
            if along <= street.line.length:
                _add(street, along, amenity, name, nodes, rng)
                break
            along -= street.line.length
    for road, amenity, name in SINGLE:
        street = next(s for s in plan.streets if s.tags.get("name") == road)
        _add(street, street.line.length * rng.uniform(0.3, 0.7), amenity, name, nodes, rng)


def _add(
    street: Street, along: float, amenity: str, name: str, nodes: "Nodes", rng: Generator
) -> None:
    here, ahead = (street.line.interpolate(along + d) for d in (-0.5, 0.5))
    hand = TO_DOOR if rng.random() < 0.5 else -TO_DOOR  # noqa: PLR2004 - either side
    node = nodes.own(here.x - hand * (ahead.y - here.y), here.y + hand * (ahead.x - here.x))
    nodes.tags[node] = {"amenity": amenity, "name": name}
