"""Where adults should stand after the bell to meet as much as possible of a school's way home.

An adult at a post covers everything within sight from the bell on for `POST_MINUTES`. To be covered
are the pupil-minutes of each piece of street in that time, more than 100 m from the gate; a piece
within sight of two posts counts once. Choosing K places that cover the most is the maximum-cover
problem (Church and ReVelle 1974):

    maximise  sum_e w_e y_e   where  y_e <= sum of x_c over places c that see e,  sum_c x_c <= K,

with x whole. It is solved twice, by HiGHS: first for pupils alone, w_e = n_e; then for pupils
weighted by risk, w_e = r_e n_e, where the places have to meet at least `PUPIL_PART` of the pupils
that the first ones do. Risk alone would draw all posts to a few streets with much crime and hardly
any pupils; this way the worst streets decide between places that meet nearly as many.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.pupils.presence import LONGEST_MINUTES, NOON_MINUTES, Presence

POST_MINUTES = 35.0
"""Minutes from the bell that adults stand: three quarters of the pupil-minutes are in this time."""

MIN_STREETS = 3  # minimum number of pieces that meet at a junction

PUPIL_PART = 0.9
"""Minimum share that the posts meet of the pupils whom the same number of posts could meet."""

GAP = 1e-4  # relative gap to which the choice is proven
LONGEST_SECONDS = 60.0  # time limit of the search, which then returns its best choice and the gap


@dataclass(frozen=True)
class Post:
    """A place where an adult stands after the bell."""

    urn: str  # The school
    point: tuple[float, float]  # (x, y) metres
    # `piece`, `offset_metres`: Where it is on the streets to patrol.
    piece: int
    offset_metres: float
    # `start_minutes`, `end_minutes`: After midnight; no pupil can be in sight before the start.
    start_minutes: float
    end_minutes: float
    # Share of the school's pupil-minutes on the way home, beyond 100 m of the gate, that this
    # post and those before it meet.
    pupil_share: float


@dataclass(frozen=True)
class PostPlan:
    """The posts of one school, the most useful first."""

    posts: tuple[Post, ...]  # Fewer than wanted where further ones would meet no pupils
    gap_percent: float  # Maximum by which the best choice may be better


def choose_posts(
    area: StudyArea, presence: Presence, risk_weight: NDArray[np.float64], urn: str, count: int
) -> PostPlan:
    """The places where a number of adults together meet the most of a school's way home.

    `risk_weight`: (p,) weight of a pupil-minute on each piece to patrol, 0 or more; all ones for
    pupils alone.
    """
    network, bell = area.network, presence.get_bell(urn)
    end = bell + POST_MINUTES
    pupils = presence.sum_journey(urn, bell, end)[: len(network)]
    pieces = np.flatnonzero(pupils)
    places = _list_places(area, pieces)
    seen = _find_seen(network, places, pieces, area.settings.way_home.sight_metres)
    here, risk = pupils[pieces], (pupils * risk_weight)[pieces]
    chosen, gap = choose_cover(seen, here, count)
    if len(chosen) and risk.any():
        least = PUPIL_PART * float(here[_cover(seen, chosen)].sum())
        chosen, gap = choose_cover(seen, risk, count, condition=Condition(here, least, chosen))
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
    """Where an adult may stand: junctions and stops on these pieces, or else their ends."""
    network, walkable = area.network, area.network.walkable
    ends = network.piece_nodes[pieces]
    # The two networks number nodes separately, but pieces alike.
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
    tree = scipy.spatial.cKDTree(network.piece_middle[pieces])
    lists = tree.query_ball_point(network.xy(places), sight_metres, return_sorted=True)
    count = np.array([len(one) for one in lists])
    columns = np.concatenate([np.asarray(one, dtype=np.int64) for one in lists])
    rows = np.repeat(np.arange(len(places)), count)
    return sparse.csr_array((np.ones(len(columns), dtype=bool), (rows, columns)), shape=shape)


@dataclass(frozen=True, eq=False)
class Condition:
    """A constraint: the choice covers at least a minimum of another weight, as these rows do."""

    weight: NDArray[np.float64]
    least: float
    rows: NDArray[np.int64]


def choose_cover(
    seen: sparse.csr_array,
    weight: NDArray[np.float64],
    count: int,
    *,
    condition: Condition | None = None,
) -> tuple[NDArray[np.int64], float]:
    """Rows that together cover the most weight, and how much better the best may be as a share.

    `seen` (c, e) is which columns each row covers, `weight` (e,) 0 or more, `count` the maximum
    number of rows. Those that add most come first; rows that would add nothing are left out.
    """
    rows, columns = seen.shape
    if not (seen @ weight).any():
        return np.empty(0, dtype=np.int64), 0.0
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - heavy, rarely needed

    scale = float(weight.max())  # the solver's tolerances are for numbers about 1
    by_column = sparse.hstack([-seen.T.astype(np.float64), sparse.eye_array(columns)])
    constraints = [
        LinearConstraint(sparse.csr_array(by_column), ub=0.0),
        LinearConstraint(np.r_[np.ones(rows), np.zeros(columns)], ub=float(count)),
    ]
    if condition is not None:
        met = np.r_[np.zeros(rows), condition.weight / condition.least]
        constraints.append(LinearConstraint(met, lb=1.0))
    result = milp(
        np.r_[np.zeros(rows), -weight / scale],
        integrality=np.r_[np.ones(rows), np.zeros(columns)],
        bounds=Bounds(0.0, 1.0),
        constraints=constraints,
        options={"mip_rel_gap": GAP, "time_limit": LONGEST_SECONDS},
    )
    if result.x is not None:
        chosen = np.flatnonzero(result.x[:rows] > 1 / 2)
    else:  # nothing was found in time
        chosen = condition.rows if condition else _order_by_gain(seen, weight, count)
    bound = min(float(weight.sum()), -scale * (result.mip_dual_bound or -np.inf))
    worth = float(weight[_cover(seen, chosen)].sum())
    order = _order_by_gain(seen[chosen], condition.weight if condition else weight, count)
    if condition is not None:  # and those that add to the weight, but nothing to the condition's
        order = np.r_[order, np.setdiff1d(np.arange(len(chosen)), order)]
    return chosen[order], round(max(0.0, 1 - worth / bound), 9)


def _cover(seen: sparse.csr_array, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(e,) columns that any of the rows covers."""
    return np.asarray(seen[rows].sum(axis=0) > 0)


def _order_by_gain(
    seen: sparse.csr_array, weight: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Rows chosen greedily by what they add, up to a maximum number; none that adds nothing."""
    left, chosen = weight.copy(), list[int]()
    for _ in range(min(count, seen.shape[0])):
        gain = seen @ left
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        chosen.append(best)
        left[seen[[best]].indices] = 0.0
    return np.array(chosen, dtype=np.int64)
