"""Where an officer stands to watch a stretch of street.

In view of the stretch, on a street that has a name: at a junction, a bus stop, the entrance of a
station, a crossing or a shop front, else anywhere along such a street. Not in a service road, not
on a footway next to a street, not at a dead end, and not in the dark where there is another place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from patrolplan.arrays import expand_ranges
from patrolplan.hotspots.clusters import look_up_columns, walk_from_stretches
from patrolplan.inputs.osm_tags import ROADS, TRUNK
from patrolplan.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.network.graph import MIN_LINK_METRES
from patrolplan.risk.scores import round_significant

Stand = Literal["junction", "bus_stop", "station_entrance", "crossing", "shop_front", "street"]
"""What a stopping place is at; "street" where none of the others is in view of the stretch."""

Lighting = Literal["yes", "no", "unknown"]
"""Street lighting; what the streets file does not say is unknown, never dark."""

STREETS = (ROADS | TRUNK | {"pedestrian"}) - {"service", "busway"}
"""Values of `highway` of streets that one stands on, where they have a name."""

PATHS = frozenset({"footway", "path", "cycleway", "bridleway", "track"})
"""Values of ways that one stands on where they have a name and no such street is next to them."""

MAIN_ROADS = ("trunk", "primary", "secondary", "tertiary")
"""Of streets that meet, one stands on the first of these."""

BESIDE_METRES = 25.0
"""A smaller way so near to a street with a name is next to it; one stands on the street."""

FEATURE_METRES = 25.0
"""A bus stop, entrance or shop so near to a street stands on it."""

FEATURE_STANDS: dict[str, Stand] = {
    "bus_stop": "bus_stop",
    "station_entrance": "station_entrance",
    "shop": "shop_front",
}
"""What one stands at, by the kind of map feature."""

NAMED_FEATURES = ("bus_stop", "station_entrance")
"""Features that are called by their name; a shop never is."""

PREFERENCE: dict[Stand, float] = {
    "junction": 1.10,
    "bus_stop": 1.10,
    "station_entrance": 1.10,
    "crossing": 1.05,
    "shop_front": 1.05,
    "street": 1.0,
}
"""So much more a place counts than its view alone: where people meet, wait and see the officer."""

MIN_VIEW_SHARE = 0.5
"""Of the risk that is seen from the best place on a stretch, one sees so much at least."""

JUNCTION_ARMS = 3

UNMARKED = "unmarked"

ON_STREET_METRES = 0.5
"""A point so near to a street is one of its own."""


@dataclass(frozen=True, eq=False)
class StandingPlaces:
    """(k,) places where one stands, or could.

    Parameters
    ----------
    positions
        On the streets to patrol.
    stand, lit
        See `Stand` and `Lighting`.
    at
        Name of the street that joins, of the bus stop or of the station; empty where there is none.
    """

    positions: Positions
    stand: NDArray[np.object_]
    at: NDArray[np.object_]
    lit: NDArray[np.object_]

    def take(self, rows: NDArray[np.int64]) -> "StandingPlaces":
        """Only these."""
        return StandingPlaces(
            self.positions.take(rows), self.stand[rows], self.at[rows], self.lit[rows]
        )


@dataclass(frozen=True, eq=False)
class Ground:
    """Where in an area one could stand: streets and map features alone say that.

    Parameters
    ----------
    network
        The streets to patrol.
    kinds
        Which of their pieces one stands on.
    places
        See `find_standing_places`.
    """

    network: StreetNetwork
    kinds: "PieceKinds"
    places: StandingPlaces


def survey_ground(network: StreetNetwork, features: gpd.GeoDataFrame) -> Ground:
    """Find every place where one could stand.

    `features` are those of the map, `kind` and `name`, in the area's CRS.
    """
    kinds = classify_pieces(network)
    return Ground(network, kinds, find_standing_places(network, features, kinds))


def choose_standing_places(
    ground: Ground,
    risk: NDArray[np.float64],
    stretches: Sequence[NDArray[np.int64]],
    *,
    sight_metres: float,
) -> StandingPlaces:
    """Choose where one stands for each stretch.

    Of the places within sight by the walk from the stretch that from which most of its risk is in
    sight, by `PREFERENCE`; through streets at ground level before others, and those that are lit,
    or may be, before those that are not. Where there is none, the nearest point of a street with
    a name next to the piece that one sees most from, or else that piece.

    Parameters
    ----------
    ground
        Where one could stand.
    risk
        (p,) of each piece.
    stretches
        (h,) pieces of each stretch.
    sight_metres
        How far an adult sees.

    Returns
    -------
    StandingPlaces
        (h,) one for each stretch.
    """
    network, kinds, places = ground.network, ground.kinds, ground.places
    xy, piece = network.xy(places.positions), places.positions.piece
    is_unlit = places.lit == "no"
    gain = np.array([PREFERENCE[stand] for stand in places.stand])
    views: list[NDArray[np.int64]] = []
    amounts_seen, centres = [], np.zeros((len(stretches), 2))
    middles = network.piece_middle
    for number, found in enumerate(_find_near_places(network, places, stretches, sight_metres)):
        middle, amounts = middles[stretches[number]], risk[stretches[number]]
        best = _sum_seen(middle, middle, amounts, sight_metres).max()
        seen = _sum_seen(xy[found], middle, amounts, sight_metres)
        is_seen = seen >= MIN_VIEW_SHARE * best
        views.append(found[is_seen])
        amounts_seen.append(seen[is_seen])
        if is_seen.any():
            centres[number] = amounts @ middle / amounts.sum()
    row = np.repeat(np.arange(len(views)), [len(near) for near in views])
    near, seen = np.concatenate([[], *views]).astype(np.int64), np.concatenate([[], *amounts_seen])
    away = np.round(np.hypot(*(xy[near] - centres[row]).T), 2)
    worth = round_significant(seen * gain[near], 9)
    order = np.lexsort((near, away, -worth, is_unlit[near], kinds.rank[piece[near]], row))
    first = order[np.flatnonzero(np.diff(row[order], prepend=-1))]  # the best of each stretch
    chosen = np.full(len(stretches), -1, dtype=np.int64)
    chosen[row[first]] = near[first]
    rest = np.flatnonzero(chosen < 0).tolist()
    best_views = [
        _find_best_view(network, risk, stretches[number], sight_metres) for number in rest
    ]
    chosen[rest] = len(places.positions) + np.arange(len(rest))
    return _concatenate(places, _find_nearest_places(network, kinds, best_views)).take(chosen)


@dataclass(frozen=True, eq=False)
class PieceKinds:
    """(p,) which pieces one stands on.

    Parameters
    ----------
    is_street
        Streets, with or without a name.
    is_place
        Where one stands: streets with a name, and paths with one that no such street is next to.
    rank
        0 along streets that lead on, at ground level; 1 at dead ends, on bridges and below ground.
    """

    is_street: NDArray[np.bool_]
    is_place: NDArray[np.bool_]
    rank: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Make them read-only: they are shared."""
        for values in vars(self).values():
            values.setflags(write=False)


def classify_pieces(network: StreetNetwork) -> PieceKinds:
    """Find out which pieces one stands on."""
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
    """(p,) which pieces lie between a dead end and the first junction before it."""
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
    """Find every place of an area where one could stand, by piece and along it."""
    parts = [
        *_list_features(network, features, kinds),
        _list_junctions(network, kinds),
        _list_crossings(network, kinds),
        _list_middles(network, kinds),
    ]
    places = _concatenate(*parts)
    numbers = {stand: number for number, stand in enumerate(get_args(Stand))}
    of_kind = np.array([numbers[stand] for stand in places.stand], dtype=np.int64)
    metres = np.round(places.positions.offset_metres, 2)
    order = np.lexsort((of_kind, metres, places.positions.piece))
    return places.take(order)


def _build_places(
    network: StreetNetwork,
    piece: NDArray[np.int64],
    offset: NDArray[np.float64],
    stand: Stand,
    at: NDArray[np.object_] | str = "",
) -> StandingPlaces:
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


def _concatenate(*parts: StandingPlaces) -> StandingPlaces:
    return StandingPlaces(
        concatenate_positions(*(part.positions for part in parts)),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("stand", "at", "lit")
        ),
    )


def _list_middles(network: StreetNetwork, kinds: PieceKinds) -> StandingPlaces:
    pieces = np.flatnonzero(kinds.is_place)
    return _build_places(network, pieces, network.piece_metres[pieces] / 2, "street")


def _list_features(
    network: StreetNetwork, features: gpd.GeoDataFrame, kinds: PieceKinds
) -> list[StandingPlaces]:
    """Bus stops, entrances and shops that are points, on the street at which they are.

    Of several shops on a piece of street one counts.
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
        listed.append(_build_places(network, piece, offset, stand, names))
    return listed


def _list_ends(network: StreetNetwork, kinds: PieceKinds) -> pd.DataFrame:
    """Both ends of each piece that one stands on; at each node those to stand on come first."""
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

    One stands on the street with the most arms, of equals on the main road.
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
    return _build_places(
        network, main["piece"].to_numpy(), main["offset"].to_numpy(), "junction", at
    )


def _list_crossings(network: StreetNetwork, kinds: PieceKinds) -> StandingPlaces:
    """Where people on foot cross a street by a way or at a point, unless one sees nothing of it.

    Of several on a piece of street one counts.
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
    return _build_places(network, piece, offset, "crossing")


def _find_near_places(
    network: StreetNetwork,
    places: StandingPlaces,
    stretches: Sequence[NDArray[np.int64]],
    sight_metres: float,
) -> list[NDArray[np.int64]]:
    """Places within sight of each stretch by the walk: streets behind the houses are not seen."""
    wider, positions = network.walkable, places.positions
    nodes, size = wider.piece_nodes[positions.piece], len(wider.node_xy)
    order = np.argsort(nodes.ravel(), kind="stable")
    starts, place_at = np.searchsorted(nodes.ravel()[order], np.arange(size + 1)), order // 2
    along = np.column_stack([positions.offset_metres, network.piece_metres[positions.piece]])
    along[:, 1] -= along[:, 0]
    found = [np.empty(0, dtype=np.int64)] * len(stretches)
    for rows, near, metres in walk_from_stretches(wider, stretches, sight_metres, MIN_LINK_METRES):
        row, column = np.divmod(np.flatnonzero(np.isfinite(metres)), len(near))
        first, last = starts[near[column]], starts[near[column] + 1]
        place = place_at[expand_ranges(first, last - first)]
        codes = np.unique(np.repeat(row, last - first) * len(positions) + place)
        row, place = np.divmod(codes, len(positions))
        ends = look_up_columns(metres, near, row[:, None], nodes[place])
        is_near = (ends + along[place]).min(axis=1) <= sight_metres
        place, ends_at = place[is_near], np.searchsorted(row[is_near], np.arange(len(rows) + 1))
        for slot, number in enumerate(rows.tolist()):
            found[number] = place[ends_at[slot] : ends_at[slot + 1]]
    return found


def _sum_seen(
    places: NDArray[np.float64],
    middles: NDArray[np.float64],
    risk: NDArray[np.float64],
    sight_metres: float,
) -> NDArray[np.float64]:
    """(k,) risk within sight of each place; `middles` (q, 2) and `risk` (q,) are of pieces."""
    apart = places[:, None] - middles
    return np.asarray((np.hypot(apart[..., 0], apart[..., 1]) <= sight_metres) @ risk)


def _find_best_view(
    network: StreetNetwork,
    risk: NDArray[np.float64],
    pieces: NDArray[np.int64],
    sight_metres: float,
) -> int:
    """The piece of a stretch that has most of its risk in sight, of equals the most itself."""
    middle = network.piece_middle[pieces]
    seen = _sum_seen(middle, middle, risk[pieces], sight_metres)
    order = np.lexsort((-round_significant(risk[pieces], 9), -round_significant(seen, 9)))
    return int(pieces[order[0]])


def _find_nearest_places(
    network: StreetNetwork, kinds: PieceKinds, pieces: Sequence[int]
) -> StandingPlaces:
    """The middle of each piece, or the nearest point of a street with a name next to it."""
    piece = np.asarray(pieces, dtype=np.int64)
    offset = network.piece_metres[piece] / 2
    middle = shapely.points(network.piece_middle[piece])
    named = np.flatnonzero(kinds.is_place & kinds.is_street)
    tree = shapely.STRtree(network.piece_lines[named])
    row, number = tree.query_nearest(middle, max_distance=BESIDE_METRES, all_matches=False)
    piece[row] = named[number]
    offset[row] = shapely.line_locate_point(network.piece_lines[piece[row]], middle[row])
    return _build_places(network, piece, offset, "street")
