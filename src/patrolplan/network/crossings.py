"""Where a walk crosses a main road, and how."""

from dataclasses import dataclass

from patrolplan.inputs.osm_tags import CrossingKind


@dataclass(frozen=True)
class CrossedRoad:
    """A main road that a walk crosses."""

    at_metres: float
    """From the start of the walk."""
    road: str
    """Its name; empty where it has none."""
    kind: CrossingKind
