"""Where an officer stands to watch a stretch of street.

The choice among the places of `patrolplan.hotspots.ground`: in view of the stretch, preferably
where people meet and wait, not at a dead end, and not in the dark if there is another place.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph

from patrolplan.arrays import expand_ranges
from patrolplan.hotspots.ground import BESIDE_METRES, Ground, Stand, build_places, locate_places
from patrolplan.network.graph import SIGHT_METRES
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
        found, worth = near[is_seen], round_significant(seen[is_seen] * gain[near[is_seen]], 9)
        if len(found):
            away = np.round(np.hypot(*(xy[found] - amounts @ middle / amounts.sum()).T), 2)
            order = np.lexsort((found, away, -worth, is_unlit[found], rank[found]))
            chosen[number] = found[order[0]]
        else:
            views = -round_significant(from_stretch, 9), -round_significant(amounts, 9)
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
