"""Every place of an area where an officer could stand, from streets and map features alone.

At a junction, a bus stop, the entrance of a station, a crossing or a shop front on a street that
has a name, else anywhere along such a street. Not in a service road, nor on a footway next to a
street.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from patrolplan.inputs.osm_tags import ROADS, TRUNK
from patrolplan.network import Positions, StreetNetwork, concatenate_positions

Stand = Literal["junction", "bus_stop", "station_entrance", "crossing", "shop_front", "street"]
"""What a stopping place is at; "street" where none of the others is in view of the stretch."""

Lighting = Literal["yes", "no", "unknown"]
"""Street lighting; what the streets file does not say is unknown, never dark."""

STREETS = (ROADS | TRUNK | {"pedestrian"}) - {"service", "busway"}
"""Values of `highway` of streets that an officer stands on, where they have a name."""

PATHS = frozenset({"footway", "path", "cycleway", "bridleway", "track"})
"""Values of ways that an officer stands on if they have a name and no such street next to them."""

MAIN_ROADS = ("trunk", "primary", "secondary", "tertiary")
"""Where streets meet, an officer stands on the first of these."""

BESIDE_METRES = 25.0
"""A smaller way within this distance of a named street is next to it: the street is preferred."""

FEATURE_METRES = 25.0  # a bus stop, entrance or shop within this distance of a street belongs to it

FEATURE_STANDS: dict[str, Stand] = {
    "bus_stop": "bus_stop",
    "station_entrance": "station_entrance",
    "shop": "shop_front",
}
"""What an officer stands at, by the kind of map feature."""

NAMED_FEATURES = ("bus_stop", "station_entrance")
"""Features that are called by their name; a shop never is."""

JUNCTION_ARMS = 3

UNMARKED = "unmarked"

ON_STREET_METRES = 0.5  # a point within this distance of a street belongs to it


@dataclass(frozen=True, eq=False)
class StandingPlaces:
    """(k,) places where an officer stands or could stand."""

    positions: Positions  # On the streets to patrol
    # `stand`, `lit`: See `Stand` and `Lighting`.
    stand: NDArray[np.object_]
    # Name of the street that joins, of the bus stop or of the station; empty where there is none.
    at: NDArray[np.object_]
    lit: NDArray[np.object_]

    def take(self, rows: NDArray[np.int64]) -> "StandingPlaces":
        """Only these."""
        return StandingPlaces(
            self.positions.take(rows), self.stand[rows], self.at[rows], self.lit[rows]
        )


@dataclass(frozen=True, eq=False)
class Ground:
    """Where in an area an officer could stand, from streets and map features alone."""

    network: StreetNetwork  # The streets to patrol
    kinds: "PieceKinds"  # Which of their pieces an officer stands on
    places: StandingPlaces  # See `find_standing_places`


def survey_ground(network: StreetNetwork, features: gpd.GeoDataFrame) -> Ground:
    """Find every place where an officer could stand.

    `features` are those of the map, `kind` and `name`, in the area's CRS.
    """
    kinds = classify_pieces(network)
    return Ground(network, kinds, find_standing_places(network, features, kinds))


@dataclass(frozen=True, eq=False)
class PieceKinds:
    """(p,) which pieces an officer stands on."""

    is_street: NDArray[np.bool_]  # Streets, with or without a name
    # Streets with a name, and paths with a name and no such street next to them.
    is_place: NDArray[np.bool_]
    # 0 along through streets at ground level; 1 at dead ends, on bridges and below ground.
    rank: NDArray[np.int64]


def classify_pieces(network: StreetNetwork) -> PieceKinds:
    """Find out which pieces an officer stands on."""
    highway, is_named = network.piece_highway, network.piece_name != ""
    is_street = np.isin(highway.astype(str), list(STREETS)) & ~network.piece_is_crossing
    is_place = is_street & is_named
    paths = np.isin(highway.astype(str), list(PATHS)) & is_named & ~network.piece_is_crossing
    paths[paths] = ~find_beside(network.piece_lines[paths], network.piece_lines[is_place])
    is_off = _find_dead_ends(network) | (network.piece_layer != 0)
    return PieceKinds(is_street, is_place | paths, is_off.astype(np.int64))


def find_beside(lines: NDArray[np.object_], streets: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(k,) which lines have one of the streets next to them."""
    is_beside = np.zeros(len(lines), dtype=bool)
    tree = shapely.STRtree(streets)
    is_beside[tree.query(lines, predicate="dwithin", distance=BESIDE_METRES)[0]] = True
    return is_beside


def _find_dead_ends(network: StreetNetwork) -> NDArray[np.bool_]:
    """(p,) which pieces are between a dead end and the first junction before it."""
    nodes = network.walkable.piece_nodes
    meet = np.bincount(nodes.ravel(), minlength=len(network.walkable.node_xy))
    passed = meet[nodes] == 2  # noqa: PLR2004
    piece, end = np.nonzero(passed)
    cells = (np.ones(len(piece), dtype=bool), (piece, nodes[piece, end]))
    at = sparse.csr_array(cells, shape=(len(nodes), len(meet)))
    chain = csgraph.connected_components(at @ at.T, directed=False)[1]
    ends_here = (meet[nodes] == 1).any(axis=1)
    is_dead = np.isin(chain, chain[ends_here])
    return np.asarray(is_dead[: len(network)])


def find_standing_places(
    network: StreetNetwork, features: gpd.GeoDataFrame, kinds: PieceKinds
) -> StandingPlaces:
    """Find every place of an area where an officer could stand, sorted by piece and along it."""
    parts = [
        *_list_features(network, features, kinds),
        _list_junctions(network, kinds),
        _list_crossings(network, kinds),
        _list_middles(network, kinds),
    ]
    places = concatenate_places(*parts)
    numbers = {stand: number for number, stand in enumerate(get_args(Stand))}
    of_kind = np.array([numbers[stand] for stand in places.stand], dtype=np.int64)
    metres = np.round(places.positions.offset_metres, 2)
    order = np.lexsort((of_kind, metres, places.positions.piece))
    return places.take(order)


def build_places(
    network: StreetNetwork,
    piece: NDArray[np.int64],
    offset: NDArray[np.float64],
    stand: Stand,
    at: NDArray[np.object_] | str = "",
) -> StandingPlaces:
    """Places of one kind, by piece and metres from its first node."""
    count = len(piece)
    return StandingPlaces(
        Positions(piece.astype(np.int64), offset.astype(np.float64), np.zeros(count)),
        np.full(count, stand, dtype=object),
        np.full(count, at, dtype=object),
        read_lighting(network, piece),
    )


def read_lighting(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
    """(k,) street lighting at some pieces, see `Lighting`."""
    lit = network.piece_lit[pieces]
    return np.where(lit == "no", "no", np.where(lit == "", "unknown", "yes")).astype(object)


def concatenate_places(*parts: StandingPlaces) -> StandingPlaces:
    """Places one after the other."""
    return StandingPlaces(
        concatenate_positions(*(part.positions for part in parts)),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("stand", "at", "lit")
        ),
    )


def _list_middles(network: StreetNetwork, kinds: PieceKinds) -> StandingPlaces:
    pieces = np.flatnonzero(kinds.is_place)
    return build_places(network, pieces, network.piece_metres[pieces] / 2, "street")


def _list_features(
    network: StreetNetwork, features: gpd.GeoDataFrame, kinds: PieceKinds
) -> list[StandingPlaces]:
    """Bus stops, entrances and shops that are points, on the street at which they are.

    Only one of several shops on a piece of street counts.
    """
    pieces = np.flatnonzero(kinds.is_place)
    tree = shapely.STRtree(network.piece_lines[pieces])
    is_point = (features.geom_type == "Point").to_numpy()
    listed = []
    for kind, stand in FEATURE_STANDS.items():
        shown = features[is_point & (features["kind"] == kind).to_numpy()]
        points = np.asarray(shown.geometry.values, dtype=object)
        row, number = tree.query_nearest(points, max_distance=FEATURE_METRES, all_matches=False)
        piece = pieces[number]
        if kind not in NAMED_FEATURES:
            first = np.unique(piece, return_index=True)[1]
            row, piece = row[first], piece[first]
        offset = shapely.line_locate_point(network.piece_lines[piece], points[row])
        names = shown["name"].to_numpy(dtype=object)[row] if kind in NAMED_FEATURES else ""
        listed.append(build_places(network, piece, offset, stand, names))
    return listed


def _list_ends(network: StreetNetwork, kinds: PieceKinds) -> pd.DataFrame:
    """Both ends of each piece that an officer stands on; the preferred ones first at each node."""
    pieces = np.flatnonzero(kinds.is_place)
    road = pd.Index(MAIN_ROADS).get_indexer(pd.Index(network.piece_highway[pieces]))
    ends = pd.DataFrame(
        {
            "node": network.piece_nodes[pieces].ravel(),
            "piece": np.repeat(pieces, 2),
            "name": np.repeat(network.piece_name[pieces], 2),
            "rank": np.repeat(kinds.rank[pieces], 2),
            "road": np.repeat(np.where(road < 0, len(MAIN_ROADS), road), 2),
            "offset": np.column_stack(
                [np.zeros(len(pieces)), network.piece_metres[pieces]]
            ).ravel(),
        }
    )
    return ends.sort_values(["node", "rank", "road", "piece"], kind="stable")


def _list_junctions(network: StreetNetwork, kinds: PieceKinds) -> StandingPlaces:
    """Where three or more arms of street meet and two have different names.

    The officer stands on the street with the most arms, or on the main road if these are equal.
    """
    nodes = network.piece_nodes[kinds.is_street].ravel()
    arms = np.bincount(nodes, minlength=len(network.node_xy))
    ends = _list_ends(network, kinds)
    ends = ends[arms[ends["node"]] >= JUNCTION_ARMS]
    size = ends.groupby(["node", "name"], sort=False)["piece"].transform("size")
    streets = ends.assign(arms=-size).drop_duplicates(["node", "name"])
    streets = streets.sort_values(["node", "rank", "arms", "road", "name"])
    number = streets.groupby("node").cumcount().to_numpy()
    main, cross = streets[number == 0], streets[number == 1]
    main = main[main["node"].isin(cross["node"])]
    at = cross["name"].to_numpy(dtype=object)
    return build_places(
        network, main["piece"].to_numpy(), main["offset"].to_numpy(), "junction", at
    )


def _list_crossings(network: StreetNetwork, kinds: PieceKinds) -> StandingPlaces:
    """Where people on foot cross a street by a way or at a point, unless it is unmarked.

    Only one of several on a piece of street counts.
    """
    is_shown = network.piece_is_crossing & (network.piece_crossing != UNMARKED)
    crossed = np.unique(network.piece_nodes[is_shown])
    points = network.crossing_points
    xy = np.concatenate([network.node_xy[crossed], points.xy[points.kind != UNMARKED]])
    pieces = np.flatnonzero(kinds.is_place)
    tree = shapely.STRtree(network.piece_lines[pieces])
    row, number = tree.query_nearest(
        shapely.points(xy), max_distance=ON_STREET_METRES, all_matches=False
    )
    piece, first = np.unique(pieces[number], return_index=True)
    offset = shapely.line_locate_point(network.piece_lines[piece], shapely.points(xy[row[first]]))
    return build_places(network, piece, offset, "crossing")
