"""Where an officer stands to watch a stretch of street.

The choice among the places of `patrolplan.hotspots.ground`: in view of the stretch, preferably
where people meet and wait, not at a dead end, and not in the dark if there is another place.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph

from patrolplan.arrays import expand_ranges
from patrolplan.hotspots.ground import (
    BESIDE_METRES,
    Ground,
    PieceKinds,
    Stand,
    StandingPlaces,
    build_places,
    concatenate_places,
)
from patrolplan.network import StreetNetwork
from patrolplan.risk.scores import round_significant

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
    ground: Ground,
    risk: NDArray[np.float64],
    stretches: Sequence[NDArray[np.int64]],
    *,
    sight_metres: float,
) -> StandingPlaces:
    """(h,) where an officer stands for each stretch, who sees as far as `sight_metres`.

    The place with most of its risk (p,) in sight, times `PREFERENCE`, among those within a walk of
    the stretch as long as one sees; through streets at ground level come before others, and places
    that are lit, or may be, before those that are not. Where there is none: the nearest point of a
    named street next to the piece with the best view, or that piece itself.
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
    return concatenate_places(places, _find_nearest_places(network, kinds, best_views)).take(chosen)


def walk_from_stretches(
    network: StreetNetwork, stretches: Sequence[NDArray[np.int64]], limit_metres: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """For each stretch the nodes within a walk of it, and (n,) how far they are from its pieces."""
    tree, graph = shapely.STRtree(shapely.points(network.node_xy)), network.node_graph
    reach = limit_metres + 1.0  # no walk is shorter than the straight line, except by rounding
    for pieces in stretches:
        ends = np.unique(network.piece_nodes[pieces])
        low, high = network.node_xy[ends].min(axis=0), network.node_xy[ends].max(axis=0)
        near = np.sort(tree.query(shapely.box(*(low - reach), *(high + reach))))
        metres = csgraph.dijkstra(
            graph[near][:, near],
            indices=np.searchsorted(near, ends),
            limit=limit_metres,
            min_only=True,
        )
        is_reached = np.isfinite(metres)
        yield near[is_reached], metres[is_reached]


def _find_near_places(
    network: StreetNetwork,
    places: StandingPlaces,
    stretches: Sequence[NDArray[np.int64]],
    sight_metres: float,
) -> list[NDArray[np.int64]]:
    """Places whose walk to each stretch is within sight: streets behind the houses are not seen."""
    wider, positions = network.walkable, places.positions
    nodes, size = wider.piece_nodes[positions.piece].ravel(), len(wider.node_xy)
    order = np.argsort(nodes, kind="stable")  # both ends of each place's piece, by node
    starts = np.searchsorted(nodes[order], np.arange(size + 1))
    along = np.column_stack([positions.offset_metres, network.piece_metres[positions.piece]])
    along[:, 1] -= along[:, 0]
    found = []
    for near, metres in walk_from_stretches(wider, stretches, sight_metres):
        count = starts[near + 1] - starts[near]
        end = order[expand_ranges(starts[near], count)]
        is_near = np.repeat(metres, count) + along.ravel()[end] <= sight_metres
        found.append(np.unique(end[is_near] // 2))
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
    """The piece of a stretch with most of its risk in sight; in a tie the one with most risk."""
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
    return build_places(network, piece, offset, "street")
