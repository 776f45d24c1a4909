"""The network of an area's streets: cut into pieces, those near enough, the largest connected part.

To cut a city's streets and to find the middle of every piece takes seconds. It is public geometry,
so it is cached for the next run.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.cache import Arrays, Store, decode_arrays, encode_arrays, hash_arrays
from patrolplan.crs import Projection
from patrolplan.inputs.streets import MARGIN_METRES, Streets
from patrolplan.network.network import StreetNetwork
from patrolplan.network.pieces import (
    PIECE_METRES,
    Pieces,
    cut_pieces,
    find_crossing_points,
    find_patrolled,
    label_components,
)
from patrolplan.tables import LeftOut


def build_network(
    streets: Streets,
    projection: Projection,
    left_out: LeftOut,
    *,
    limits: BaseGeometry | None = None,
    piece_metres: float = PIECE_METRES,
) -> StreetNetwork:
    """Cut streets into pieces and keep the largest connected part; `left_out` records the rest."""
    pieces = cut_pieces(streets, piece_metres=piece_metres)
    pieces, is_inside = _choose_near(pieces, projection, limits, left_out)
    if not len(pieces.piece_metres):
        return StreetNetwork(pieces, projection)
    is_street = find_patrolled(pieces)
    label = label_components(pieces.piece_nodes, len(pieces.node_xy))
    patrolled_metres = np.where(is_inside & is_street, pieces.piece_metres, 0.0)
    main = label == np.argmax(np.bincount(label, weights=patrolled_metres))
    left_out.add("streets", "not connected to the rest (pieces)", int((is_inside & ~main).sum()))
    reason = "below ground, escalators, outlines of squares: walked, not patrolled (pieces)"
    left_out.add("streets", reason, int((is_inside & main & ~is_street).sum()))
    patrolled = np.flatnonzero(main & is_inside & is_street)
    others = np.flatnonzero(main & ~(is_inside & is_street))
    return join_networks(pieces.take(np.r_[patrolled, others]), len(patrolled), projection)


def join_networks(pieces: Pieces, patrolled_count: int, projection: Projection) -> StreetNetwork:
    """The network of the first pieces, which are patrolled; all of them are its walkable ones."""
    if patrolled_count == len(pieces.piece_metres):
        return StreetNetwork(pieces, projection)
    wider = StreetNetwork(pieces, projection, patrolled_count)
    patrolled = pieces.take(np.arange(patrolled_count))
    return StreetNetwork(patrolled, projection, wider=wider)


def _choose_near(
    pieces: Pieces, projection: Projection, limits: BaseGeometry | None, left_out: LeftOut
) -> tuple[Pieces, NDArray[np.bool_]]:
    """Pieces within the limits and the margin round them, and which of them are within."""
    everything = np.ones(len(pieces.piece_metres), dtype=bool)
    xy = pieces.coordinates
    extent = *xy.min(axis=0, initial=np.inf), *xy.max(axis=0, initial=-np.inf)
    if limits is None or limits.covers(shapely.box(*extent)):
        return pieces, everything
    middle = StreetNetwork(pieces, projection).piece_middle
    is_inside = np.asarray(shapely.contains_xy(limits, middle[:, 0], middle[:, 1]))
    outside_km = pieces.piece_metres[~is_inside].sum() / 1000
    left_out.add("streets", "outside the area (km)", round(outside_km))
    if not is_inside.any():
        return pieces.take(is_inside), is_inside[:0]
    margin = limits.buffer(MARGIN_METRES)
    near = is_inside | np.asarray(shapely.contains_xy(margin, middle[:, 0], middle[:, 1]))
    return pieces.take(near), is_inside[near]


NETWORKS = Store("arrays", version="5")  # change the version when streets are cut differently

PARTS = tuple(field.name for field in fields(Pieces) if field.name not in {"ways", "crossings"})
"""Arrays of `Pieces` that depend on how the streets are cut."""


def load_or_build_network(
    streets: Streets, projection: Projection, left_out: LeftOut, *, limits: BaseGeometry
) -> StreetNetwork:
    """The network of `build_network`, from the cache where the same streets were cut before."""

    def compute() -> Arrays:
        dropped = LeftOut()
        network = build_network(streets, projection, dropped, limits=limits)
        return {
            **{name: getattr(network.walkable.parts, name) for name in PARTS},
            "piece_middle": network.walkable.piece_middle,
            "patrolled_count": np.array(len(network)),
            "left_out": np.array([row.reason for row in dropped.rows], dtype=np.str_),
            "left_out_count": np.array([row.count for row in dropped.rows], dtype=np.int64),
        }

    of_ways = ("is_patrolled", "is_area", "layer", "highway")
    depends_on: dict[str, NDArray[Any]] = {
        **{name: streets.ways[name].to_numpy().astype(np.str_) for name in of_ways},
        "way": streets.vertex_way,
        "node": streets.vertex_node,
        "xy": streets.vertex_xy,
        "closed": streets.closed_nodes,
        "limits": np.frombuffer(shapely.to_wkb(limits), dtype=np.uint8),
    }
    cut = f"network {shapely.geos_version_string} {PIECE_METRES} {MARGIN_METRES}"
    key = hash_arrays(cut, depends_on)
    arrays = NETWORKS.load_or_compute(key, compute, encode=encode_arrays, decode=decode_arrays)
    for reason, count in zip(arrays["left_out"], arrays["left_out_count"], strict=True):
        left_out.add("streets", str(reason), int(count))
    own = {name: arrays[name] for name in PARTS}
    parts = Pieces(**own, ways=streets.ways, crossings=find_crossing_points(streets))
    network = join_networks(parts, int(arrays["patrolled_count"]), projection)
    vars(network)["piece_middle"] = arrays["piece_middle"][: len(network)]
    vars(network.walkable)["piece_middle"] = arrays["piece_middle"]
    return network
