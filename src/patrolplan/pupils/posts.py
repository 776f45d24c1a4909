"""Where adults should stand after the bell, so that together they meet the most of a school's way.

An adult at a post sees everything within sight from the bell on for `POST_MINUTES`. What is there
to be met is the pupil-minutes of each piece of street in that time, more than 100 m from the gate,
times a weight such as the risk there; a piece within sight of two posts is met once. To choose K
places that meet the most is the maximum-cover problem (Church and ReVelle 1974):

    maximise  sum_e w_e y_e   where  y_e <= sum of x_c over places c that see e,  sum_c x_c <= K,

with x whole. HiGHS solves it by branch and bound; since y is whole wherever x is, only x is
declared so. Before that a greedy choice gives a lower bound, and places are dropped that see no
more than another, or cannot be part of a better choice, see `_drop_useless`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse
from scipy.spatial import cKDTree

from patrolplan.area import StudyArea
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.pupils.presence import LONGEST_MINUTES, NOON_MINUTES, Presence

POST_MINUTES = 35.0
"""Adults stand from the bell for so long: three quarters of the pupil-minutes pass in this time."""

MIN_STREETS = 3
"""Pieces that meet at a junction."""

GAP = 1e-4
"""The choice is proven to within this share of the best."""

LONGEST_SECONDS = 60.0
"""A search that takes longer gives its best choice, with its gap."""


@dataclass(frozen=True)
class Post:
    """A place where an adult stands after the bell.

    Parameters
    ----------
    urn
        The school.
    point
        (x, y) metres.
    piece, offset_metres
        Where it is on the streets to patrol.
    start_minutes, end_minutes
        After midnight; no pupil can be in sight before the start.
    pupil_share
        Share of the school's pupil-minutes on the way home, beyond 100 m of the gate, that this
        post and those before it meet.
    """

    urn: str
    point: tuple[float, float]
    piece: int
    offset_metres: float
    start_minutes: float
    end_minutes: float
    pupil_share: float


@dataclass(frozen=True)
class PostPlan:
    """The posts of one school, the most useful first.

    Parameters
    ----------
    posts
        Fewer than wanted where further ones would meet nobody.
    gap_percent
        By how much the best choice may be better at most.
    """

    posts: tuple[Post, ...]
    gap_percent: float


def choose_posts(
    area: StudyArea, presence: Presence, risk_weight: NDArray[np.float64], urn: str, count: int
) -> PostPlan:
    """The places where so many adults together meet the most of a school's way home.

    Parameters
    ----------
    area, presence
        The area, and where pupils are.
    risk_weight
        (p,) weight of a pupil-minute on each piece to patrol, 0 or more; all ones for pupils alone.
    urn
        The school.
    count
        Adults.
    """
    network, bell = area.network, presence.get_bell(urn)
    end = bell + POST_MINUTES
    pupils = presence.sum_journey(urn, bell, end)[: len(network)]
    weight = pupils * risk_weight
    if not weight.any():  # no risk is known where pupils go: pupils alone count
        weight = pupils
    pieces = np.flatnonzero(weight)
    places = _list_places(area, pieces)
    seen = _find_seen(network, places, pieces, area.settings.way_home.sight_metres)
    chosen, gap = choose_cover(seen, weight[pieces], count)
    total = presence.sum_journey(urn, NOON_MINUTES, LONGEST_MINUTES).sum()
    point = network.xy(places)
    met, posts = np.zeros(len(pieces), dtype=bool), []
    for place in chosen.tolist():
        in_sight = seen[[place]].indices
        met[in_sight] = True
        first = presence.find_first_minutes(urn, pieces[in_sight])
        posts.append(
            Post(
                urn=urn,
                point=(float(point[place, 0]), float(point[place, 1])),
                piece=int(places.piece[place]),
                offset_metres=float(places.offset_metres[place]),
                start_minutes=float(np.floor(first)),
                end_minutes=end,
                pupil_share=float(pupils[pieces[met]].sum() / total),
            )
        )
    return PostPlan(tuple(posts), 100 * gap)


def _list_places(area: StudyArea, pieces: NDArray[np.int64]) -> Positions:
    """Where one may stand: junctions and stops on these pieces, and their ends where none is."""
    network, walkable = area.network, area.network.walkable
    ends = network.piece_nodes[pieces]
    # Nodes of the two networks have numbers of their own, pieces the same.
    meet = np.bincount(walkable.piece_nodes.ravel())
    is_junction = meet[walkable.piece_nodes[pieces]] >= MIN_STREETS
    if not is_junction.any():
        is_junction = np.ones_like(is_junction)
    row, side = np.nonzero(is_junction)
    first = np.unique(ends[row, side], return_index=True)[1]
    row, side = row[first], side[first]
    piece = pieces[row]
    offset = np.where(side == 1, network.piece_metres[piece], 0.0)
    stops = area.way_home.stops
    at = network.snap(np.column_stack([stops.geometry.x, stops.geometry.y]))
    at = at.take((at.moved_metres <= MAX_SNAP_METRES) & np.isin(at.piece, pieces))
    return concatenate_positions(Positions(piece, offset, np.zeros(len(piece))), at)


def _find_seen(
    network: StreetNetwork, places: Positions, pieces: NDArray[np.int64], sight_metres: float
) -> sparse.csr_array:
    """(c, e) which of the pieces, by their middle, are within sight of each place."""
    shape = (len(places), len(pieces))
    if not all(shape):
        return sparse.csr_array(shape, dtype=bool)
    tree = cKDTree(network.piece_middle[pieces])
    lists = tree.query_ball_point(network.xy(places), sight_metres, return_sorted=True)
    count = np.array([len(one) for one in lists])
    columns = np.concatenate([np.asarray(one, dtype=np.int64) for one in lists])
    rows = np.repeat(np.arange(len(places)), count)
    return sparse.csr_array((np.ones(len(columns), dtype=bool), (rows, columns)), shape=shape)


def choose_cover(
    seen: sparse.csr_array, weight: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], float]:
    """Rows that together cover the most weight, and how much better the best may be as a share.

    Parameters
    ----------
    seen
        (c, e) boolean, the columns that each row covers.
    weight
        (e,) 0 or more.
    count
        Most rows; rows that would add nothing are left out.

    Returns
    -------
    tuple
        (k,) rows, those that add most first, and the gap between 0 and 1.
    """
    rows = np.arange(seen.shape[0])
    greedy = _order_by_gain(seen, weight, rows, count)
    if len(greedy) <= 1 or count == 1:
        return greedy, 0.0
    reached = float(weight[_cover(seen, greedy)].sum())
    useful = _drop_useless(seen, weight, count, reached)
    if len(useful) <= count:
        return greedy, 0.0
    rows, bound = _solve_cover(seen[useful], weight, count)
    chosen = useful[rows]
    if weight[_cover(seen, chosen)].sum() < reached:
        chosen = greedy
    chosen = _order_by_gain(seen, weight, chosen, count)
    worth = float(weight[_cover(seen, chosen)].sum())
    return chosen, max(0.0, bound - worth) / max(bound, 1e-300)


def _drop_useless(
    seen: sparse.csr_array, weight: NDArray[np.float64], count: int, reached: float
) -> NDArray[np.int64]:
    """Rows that may be part of a choice that covers more than is reached already.

    A row whose columns another row covers too is not needed. What any choice with a row covers is
    at most its own weight, and what the best others add to it, each as if it were next to it alone.
    """
    ones = seen.astype(np.int64)
    common = (ones @ ones.T).tocoo()
    size = common.diagonal()
    rows, others = common.coords
    is_part = (common.data == size[rows]) & (rows != others)
    is_part &= (size[others] > size[rows]) | (others < rows)
    left = np.setdiff1d(np.flatnonzero(size > 0), rows[is_part])
    some = seen[left].astype(np.float64)
    alone = some @ weight
    gain = alone[None] - ((some * weight[None]) @ some.T).toarray()
    np.fill_diagonal(gain, 0.0)
    others_most = min(count - 1, len(left) - 1)
    best = np.partition(gain, len(left) - others_most, axis=1)[:, len(left) - others_most :]
    return np.asarray(left[alone + best.sum(axis=1) >= reached * (1 - GAP)])


def _cover(seen: sparse.csr_array, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(e,) columns that any of the rows covers."""
    return np.asarray(seen[rows].sum(axis=0) > 0)


def _order_by_gain(
    seen: sparse.csr_array, weight: NDArray[np.float64], rows: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Of the rows, one after the other that adds most; at most so many, none that adds nothing."""
    left, chosen = weight.copy(), []
    some = seen[rows]
    for _ in range(min(count, len(rows))):
        gain = some @ left
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        chosen.append(rows[best])
        left[some[[best]].indices] = 0.0
    return np.array(chosen, dtype=np.int64)


def _solve_cover(
    seen: sparse.csr_array, weight: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], float]:
    """Rows of the best cover, and an upper bound of what any choice of so many covers."""
    rows, covered = seen.shape[0], np.flatnonzero(seen.sum(axis=0))
    worth = weight[covered]
    scale = float(worth.max())
    by_column = sparse.csr_array(seen[:, covered].T.astype(np.float64))
    own = sparse.eye_array(len(covered), format="csr")
    number = sparse.csr_array(np.r_[np.ones(rows), np.zeros(len(covered))][None])
    matrix = sparse.vstack([sparse.hstack([-by_column, own]), number], format="csr")
    upper = np.r_[np.zeros(len(covered)), float(count)]
    result = optimize.milp(
        np.r_[np.zeros(rows), -worth / scale],
        integrality=np.r_[np.ones(rows), np.zeros(len(covered))],
        bounds=optimize.Bounds(0.0, 1.0),
        constraints=optimize.LinearConstraint(matrix, -np.inf, upper),
        options={"mip_rel_gap": GAP, "time_limit": LONGEST_SECONDS},
    )
    if result.x is None or result.mip_dual_bound is None:
        return np.empty(0, dtype=np.int64), float(worth.sum())
    return np.flatnonzero(result.x[:rows] > 1 / 2), -float(result.mip_dual_bound) * scale
