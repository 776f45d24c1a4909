"""A network and places on it from an earlier run, where nothing that they rest on has changed.

To cut a city's streets, to find the middle of every piece and to snap the points of open data and
the gates of schools takes seconds; all of it is public geometry.
"""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.inputs.arrays import Arrays
from patrolplan.inputs.arrays import kept_arrays
from patrolplan.inputs.streets import Streets
from patrolplan.network.network import Positions
from patrolplan.network.network import StreetNetwork
from patrolplan.network.network import build_network
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.network.pieces import Pieces
from patrolplan.projection import Projection
from patrolplan.tables import LeftOut

FORMAT = f"1 {shapely.geos_version_string}"
"""Change the number when streets are cut, or places snapped, in another way."""

PARTS = (
    "node_xy",
    "piece_nodes",
    "piece_metres",
    "piece_way",
    "piece_section",
    "coordinates",
    "first",
    "last",
)
"""Arrays of `Pieces`."""


def cached_network(
    streets: Streets, projection: Projection, left_out: LeftOut, *, limits: BaseGeometry
) -> StreetNetwork:
    """Do as `build_network` does, from the cache where the same streets were cut before."""

    def work_out() -> Arrays:
        told = LeftOut()
        network = build_network(streets, projection, told, limits=limits)
        parts: dict[str, NDArray[Any]] = {name: getattr(network.parts, name) for name in PARTS}
        return parts | {
            "piece_middle": network.piece_middle,
            "left_out": np.array([row.reason for row in told.rows], dtype=np.str_),
            "left_out_count": np.array([row.count for row in told.rows], dtype=np.int64),
        }

    rests_on: dict[str, NDArray[Any]] = {
        "way": streets.vertex_way,
        "node": streets.vertex_node,
        "xy": streets.vertex_xy,
        "limits": np.frombuffer(shapely.to_wkb(limits), dtype=np.uint8),
    }
    found = kept_arrays(f"network {FORMAT} {PIECE_METRES}", rests_on, work_out)
    for reason, count in zip(found["left_out"], found["left_out_count"], strict=True):
        left_out.add("streets", str(reason), int(count))
    parts = Pieces(ways=streets.ways, **{name: found[name] for name in PARTS})
    network = StreetNetwork(parts, projection)
    vars(network)["piece_middle"] = found["piece_middle"]
    return network


def cached_snap(network: StreetNetwork, xy: NDArray[np.float64]) -> Positions:
    """Do as `StreetNetwork.snap` does, from the cache where the same places were snapped before.

    For places that are public only: they are not written, but where they came to lie is.
    """

    def work_out() -> Arrays:
        positions = network.snap(xy)
        return {
            "piece": positions.piece,
            "offset_metres": positions.offset_metres,
            "moved_metres": positions.moved_metres,
        }

    parts = network.parts
    lines = {"coordinates": parts.coordinates, "first": parts.first, "last": parts.last}
    return Positions(**kept_arrays(f"snapped {FORMAT}", {**lines, "xy": xy}, work_out))
