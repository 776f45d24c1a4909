"""Every place of an area where an officer could stand, from streets and map features alone.

At a junction, a bus stop, the entrance of a station, a crossing or a shop front on a street that
has a name, else anywhere along such a street. Not in a service road, nor on a footway next to a
street.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from patrolplan.arrays import expand_ranges, round_significant
from patrolplan.inputs.osm_tags import ROADS, TRUNK
from patrolplan.network import Positions, StreetNetwork
from patrolplan.network.graph import SIGHT_METRES

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

BESIDE_METRES = 25.0  # a smaller way this near a named street is next to it
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


class Ground:
    """Where in an area an officer could stand, from streets and map features alone."""

    def __init__(self, network: StreetNetwork, features: gpd.GeoDataFrame) -> None:
        self.network = network  # the streets to patrol
        highway, is_crossing = network.piece_highway.astype(str), network.piece_is_crossing
        is_named = (network.piece_name != "") & ~is_crossing
        self.is_street = np.isin(highway, list(STREETS)) & ~is_crossing
        """(p,) streets, with or without a name."""
        paths = np.isin(highway, list(PATHS)) & is_named
        lines = network.piece_lines
        tree = shapely.STRtree(lines[self.is_street & is_named])
        beside, _ = tree.query(lines[paths], predicate="dwithin", distance=BESIDE_METRES)
        paths[np.flatnonzero(paths)[beside]] = False
        self.is_place = (self.is_street & is_named) | paths
        """(p,) streets with a name, and paths with a name and no such street next to them."""
        self.rank = (_find_dead_ends(network) | (network.piece_layer != 0)).astype(np.int64)
        """(p,) 0 along through streets at ground level; 1 at dead ends, on bridges and below."""
        self.places = self._list_places(features)
        """Where an officer could stand, sorted by piece and along it, see `build_places`."""

    def _list_places(self, features: gpd.GeoDataFrame) -> pd.DataFrame:
        network, pieces = self.network, np.flatnonzero(self.is_place)
        anywhere = build_places(network, pieces, network.piece_metres[pieces] / 2, "street")
        meeting = self._list_junctions(), self._list_crossings()
        places = pd.concat([*self._list_features(features), *meeting, anywhere], ignore_index=True)
        of_kind = pd.Index(get_args(Stand)).get_indexer(pd.Index(places["stand"]))
        order = np.lexsort((of_kind, places["offset"].round(2), places["piece"]))
        return places.iloc[order].reset_index(drop=True)

    def _list_features(self, features: gpd.GeoDataFrame) -> list[pd.DataFrame]:
        """Bus stops, entrances and shops (one a piece) that are points, on their street."""
        network, pieces = self.network, np.flatnonzero(self.is_place)
        tree = shapely.STRtree(network.piece_lines[pieces])
        is_point = (features.geom_type == "Point").to_numpy()
        listed = []
        for kind, stand in FEATURE_STANDS.items():
            shown = features[is_point & (features["kind"] == kind).to_numpy()]
            points = np.asarray(shown.geometry.values, dtype=object)
            row, number = tree.query_nearest(points, max_distance=FEATURE_METRES, all_matches=False)
            piece = pieces[number]
            if kind not in NAMED_FEATURES:
                piece, first = np.unique(piece, return_index=True)
                row = row[first]
            offset = shapely.line_locate_point(network.piece_lines[piece], points[row])
            names = shown["name"].to_numpy(dtype=object)[row] if kind in NAMED_FEATURES else ""
            listed.append(build_places(network, piece, offset, stand, names))
        return listed

    def _list_junctions(self) -> pd.DataFrame:
        """Where three arms meet under two names: on the street of most arms, or the main one."""
        network, pieces = self.network, np.flatnonzero(self.is_place)
        road = pd.Index(MAIN_ROADS).get_indexer(pd.Index(network.piece_highway[pieces]))
        both = np.repeat(pieces, 2)
        ends = pd.DataFrame(
            {
                "node": network.piece_nodes[pieces].ravel(),
                "rank": self.rank[both],
                "road": np.repeat(np.where(road < 0, len(MAIN_ROADS), road), 2),
                "piece": both,
                "name": network.piece_name[both],
                "offset": network.piece_metres[both] * np.tile([0, 1], len(pieces)),
            }
        ).sort_values(["node", "rank", "road", "piece"], kind="stable")
        meet = np.bincount(
            network.piece_nodes[self.is_street].ravel(), minlength=len(network.node_xy)
        )
        ends = ends[meet[ends["node"]] >= JUNCTION_ARMS]
        arms = -ends.groupby(["node", "name"], sort=False)["piece"].transform("size")
        streets = ends.assign(arms=arms).drop_duplicates(["node", "name"])
        streets = streets.sort_values(["node", "rank", "arms", "road", "name"])
        number = streets.groupby("node").cumcount()
        cross = streets[number == 1].set_index("node")["name"]
        main = streets[(number == 0) & streets["node"].isin(cross.index)]
        at = cross[main["node"]].to_numpy(dtype=object)
        piece, offset = main["piece"].to_numpy(), main["offset"].to_numpy()
        return build_places(network, piece, offset, "junction", at)

    def _list_crossings(self) -> pd.DataFrame:
        """Where people on foot cross a street, unless it is unmarked; one a piece of street."""
        network, points = self.network, self.network.parts.crossings
        is_shown = network.piece_is_crossing & (network.piece_crossing != UNMARKED)
        crossed = np.unique(network.piece_nodes[is_shown])
        xy = np.concatenate([network.node_xy[crossed], points.xy[points.kind != UNMARKED]])
        pieces = np.flatnonzero(self.is_place)
        row, number = shapely.STRtree(network.piece_lines[pieces]).query_nearest(
            shapely.points(xy), max_distance=ON_STREET_METRES, all_matches=False
        )
        piece, first = np.unique(pieces[number], return_index=True)
        at = shapely.points(xy[row[first]])
        offset = shapely.line_locate_point(network.piece_lines[piece], at)
        return build_places(network, piece, offset, "crossing")


def _find_dead_ends(network: StreetNetwork) -> NDArray[np.bool_]:
    """(p,) which pieces are between a dead end and the first junction before it."""
    nodes = network.walkable.piece_nodes
    meet = np.bincount(nodes.ravel(), minlength=len(network.walkable.node_xy))
    piece, end = np.nonzero(meet[nodes] == 2)  # noqa: PLR2004
    cells = (np.ones(len(piece), dtype=bool), (piece, nodes[piece, end]))
    at = sparse.csr_array(cells, shape=(len(nodes), len(meet)))
    chain = csgraph.connected_components(at @ at.T, directed=False)[1]
    is_dead = np.isin(chain, chain[(meet[nodes] == 1).any(axis=1)])
    return np.asarray(is_dead[: len(network)])


def build_places(
    network: StreetNetwork,
    piece: NDArray[np.int64],
    offset: NDArray[np.float64],
    stand: Stand,
    at: NDArray[np.object_] | str = "",
) -> pd.DataFrame:
    """Places of one kind by piece and metres along it; `at` names the other street or the stop."""
    columns = {
        "piece": piece.astype(np.int64),
        "offset": offset.astype(np.float64),
        "stand": np.full(len(piece), stand, dtype=object),
        "at": np.full(len(piece), at, dtype=object),
        "lit": read_lighting(network, piece),
    }
    return pd.DataFrame(columns)


def locate_places(places: pd.DataFrame) -> Positions:
    """(k,) where places of `build_places` are."""
    piece, offset = places["piece"].to_numpy(), places["offset"].to_numpy()
    return Positions(piece, offset, np.zeros(len(places)))


def read_lighting(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
    """(k,) street lighting at some pieces, see `Lighting`."""
    lit = network.piece_lit[pieces]
    return np.where(lit == "no", "no", np.where(lit == "", "unknown", "yes")).astype(object)


PREFERENCE: dict[Stand, float] = {
    "junction": 1.10,
    "bus_stop": 1.10,
    "station_entrance": 1.10,
    "crossing": 1.05,
    "shop_front": 1.05,
    "street": 1.0,
}
"""Factor on the view from a place: higher where people meet, wait and see the officer."""

MIN_VIEW_SHARE = 0.5
"""Minimum share in view of the risk that is seen from the best place on a stretch."""


def choose_standing_places(
    ground: Ground, risk: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> pd.DataFrame:
    """(h,) where an officer stands for each stretch, who sees as far as `SIGHT_METRES`.

    The place with most of its risk (p,) in sight, times `PREFERENCE`, among those within a walk of
    the stretch as long as one sees; through streets at ground level come before others, and places
    that are lit, or may be, before those that are not. Where there is none: the nearest point of a
    named street next to the piece with the best view, or that piece itself.
    """
    places, middles = ground.places, ground.network.piece_middle
    xy, rank = ground.network.xy(locate_places(places)), ground.rank[places["piece"]]
    is_unlit = (places["lit"] == "no").to_numpy()
    gain = places["stand"].map(PREFERENCE).to_numpy(dtype=np.float64)
    chosen = np.full(len(stretches), -1)
    others: list[np.int64] = []
    near_places = _find_near_places(ground, stretches)
    for number, (pieces, near) in enumerate(zip(stretches, near_places, strict=True)):
        middle, amounts = middles[pieces], risk[pieces]
        from_stretch = _sum_seen(middle, middle, amounts)
        seen = _sum_seen(xy[near], middle, amounts)
        is_seen = seen >= MIN_VIEW_SHARE * from_stretch.max()
        found, worth = near[is_seen], round_significant(seen[is_seen] * gain[near[is_seen]])
        if len(found):
            away = np.round(np.hypot(*(xy[found] - amounts @ middle / amounts.sum()).T), 2)
            order = np.lexsort((found, away, -worth, is_unlit[found], rank[found]))
            chosen[number] = found[order[0]]
        else:
            views = -round_significant(from_stretch), -round_significant(amounts)
            chosen[number] = len(places) + len(others)
            others.append(pieces[np.lexsort(views[::-1])[0]])
    nearest = _find_nearest_places(ground, np.array(others, dtype=np.int64))
    return pd.concat([places, nearest], ignore_index=True).iloc[chosen]


def _find_near_places(
    ground: Ground, stretches: Sequence[NDArray[np.int64]]
) -> Iterator[NDArray[np.int64]]:
    """Places whose walk to each stretch is within sight: streets behind the houses are not seen."""
    network, places = ground.network.walkable, ground.places
    xy, graph = network.node_xy, network.node_graph
    tree, reach = shapely.STRtree(shapely.points(xy)), SIGHT_METRES + 1.0  # 1 m for rounding
    # Both ends of each place's piece, by node, and the metres from there to the place.
    nodes = network.piece_nodes[places["piece"]].ravel()
    order = np.argsort(nodes, kind="stable")
    starts = np.searchsorted(nodes[order], np.arange(len(xy) + 1))
    offset = places["offset"].to_numpy()
    along = np.column_stack([offset, network.piece_metres[places["piece"]] - offset]).ravel()
    for pieces in stretches:
        ends = np.unique(network.piece_nodes[pieces])
        box = shapely.box(*(xy[ends].min(axis=0) - reach), *(xy[ends].max(axis=0) + reach))
        near = np.sort(tree.query(box))
        own, streets = np.searchsorted(near, ends), graph[near][:, near]
        metres = csgraph.dijkstra(streets, indices=own, limit=SIGHT_METRES, min_only=True)
        count = starts[near + 1] - starts[near]
        end = order[expand_ranges(starts[near], count)]
        yield np.unique(end[np.repeat(metres, count) + along[end] <= SIGHT_METRES] // 2)


def _sum_seen(
    places: NDArray[np.float64], middles: NDArray[np.float64], risk: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k,) risk within sight of each place; `middles` (q, 2) and `risk` (q,) are of pieces."""
    apart = places[:, None] - middles
    return np.asarray((np.hypot(apart[..., 0], apart[..., 1]) <= SIGHT_METRES) @ risk)


def _find_nearest_places(ground: Ground, piece: NDArray[np.int64]) -> pd.DataFrame:
    """The middle of each piece, or the nearest point of a street with a name next to it."""
    network, offset = ground.network, ground.network.piece_metres[piece] / 2
    middle = shapely.points(network.piece_middle[piece])
    named = np.flatnonzero(ground.is_place & ground.is_street)
    tree = shapely.STRtree(network.piece_lines[named])
    row, number = tree.query_nearest(middle, max_distance=BESIDE_METRES, all_matches=False)
    piece[row] = named[number]
    offset[row] = shapely.line_locate_point(network.piece_lines[piece[row]], middle[row])
    return build_places(network, piece, offset, "street")
