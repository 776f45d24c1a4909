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

The relaxation with x between 0 and 1 is mostly integral, and is then the answer. Otherwise it shows
which places cannot be part of a choice better than the best known: those whose reduced cost exceeds
the gap between the bound and that choice. Branch and bound searches what remains.
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

MIN_STREETS = 3
"""Minimum number of pieces that meet at a junction."""

PUPIL_PART = 0.9
"""Minimum share that the posts meet of the pupils whom the same number of posts could meet."""

GAP = 1e-4
"""Relative gap to which the choice is proven."""

PRICES = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 4.0, 8.0)
"""Prices of the constraint's weight, tried one after the other for a first choice."""

LEAST_GAIN = 1e-9
"""Minimum relative gain of an improvement, so that rounding errors do not count as one."""

WHOLE = 1e-6
"""Values within this distance of whole numbers are whole."""

LONGEST_SECONDS = 60.0
"""Time limit of the search, which then returns its best choice and the gap."""


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

    `area`, `presence`: The area, and where pupils are. `risk_weight`: (p,) weight of a pupil-minute
    on each piece to patrol, 0 or more; all ones for pupils alone. `count`: Adults.
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

    `seen`: (c, e) boolean, the columns that each row covers. `weight`: (e,) 0 or more. `count`:
    Maximum number of rows; rows that would add nothing are left out. `condition`: The constraint on
    the choice. Returns (k,) rows, those that add most first, and the gap between 0 and 1.
    """
    best = _find_start(seen, weight, count, condition)
    if not len(best):
        return best, 0.0
    rows = _drop_parts(seen)
    programme = _Programme(seen[rows], weight, count, condition)
    reached = float(weight[_cover(seen, best)].sum())
    relaxed = programme.relax()
    bound, chosen = relaxed.bound, rows[relaxed.chosen]
    if not relaxed.is_whole:
        # A place is worth trying only if the relaxation with it is worth more than the best choice.
        keep = relaxed.reduced_cost <= bound - reached * (1 - GAP)
        rows = rows[keep]
        chosen, bound = programme.take(keep).solve(bound)
        chosen = rows[chosen]
    worth = float(weight[_cover(seen, chosen)].sum())
    if worth < reached:
        chosen, worth = best, reached
    order = _order_by_gain(seen[chosen], condition.weight if condition else weight, count)
    if condition is not None:  # and those that add to the weight, but nothing to the condition's
        order = np.r_[order, np.setdiff1d(np.arange(len(chosen)), order)]
    return chosen[order], max(0.0, bound - worth) / max(bound, 1e-300)


def _find_start(
    seen: sparse.csr_array, weight: NDArray[np.float64], count: int, condition: Condition | None
) -> NDArray[np.int64]:
    """A warm start: greedy, then rows are exchanged for better ones while there are any.

    If there is a constraint, its weight is added at several prices, and the best feasible choice is
    returned.
    """
    if condition is None:
        return _improve(seen, weight, _order_by_gain(seen, weight, count))
    best, most = condition.rows, float(weight[_cover(seen, condition.rows)].sum())
    unit = float(weight.sum() / condition.weight.sum())
    for price in PRICES:
        both = weight + price * unit * condition.weight
        rows = _improve(seen, both, _order_by_gain(seen, both, count))
        met = _cover(seen, rows)
        if condition.weight[met].sum() >= condition.least and weight[met].sum() > most:
            best, most = rows, float(weight[met].sum())
    return best


def _improve(
    seen: sparse.csr_array, weight: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rows, each exchanged for the one that adds most to the others while that is better."""
    rows, changed = rows.copy(), len(rows) > 1
    while changed:
        changed = False
        for place in range(len(rows)):
            left = np.where(_cover(seen, np.delete(rows, place)), 0.0, weight)
            gain = seen @ left
            better = int(np.argmax(gain))
            if gain[better] > gain[rows[place]] * (1 + LEAST_GAIN):
                rows[place], changed = better, True
    return rows


def _drop_parts(seen: sparse.csr_array) -> NDArray[np.int64]:
    """Rows that cover something, and not only columns that another row covers too."""
    ones = seen.astype(np.int64)
    common = (ones @ ones.T).tocoo()
    size = common.diagonal()
    rows, others = common.coords
    is_part = (common.data == size[rows]) & (rows != others)
    is_part &= (size[others] > size[rows]) | (others < rows)
    return np.setdiff1d(np.flatnonzero(size > 0), rows[is_part])


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


def _group_columns(
    seen: sparse.csr_array,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Columns that the same rows cover, as one: the first of each group.

    Also returns the covered columns and the group of each. Two columns are the same if the sums of
    their rows' random 64-bit numbers are equal.
    """
    draw = np.random.default_rng(0)
    numbers = draw.integers(1, np.iinfo(np.int64).max, seen.shape[0], dtype=np.int64)
    sums = seen.T.astype(np.int64) @ numbers  # overflow is no harm
    covered = np.flatnonzero(seen.sum(axis=0))
    _, first, group = np.unique(sums[covered], return_index=True, return_inverse=True)
    return covered[first], group.reshape(-1), covered


@dataclass(frozen=True, eq=False)
class _Relaxed:
    """The best of the relaxation: its worth, and for each row its value and reduced cost."""

    bound: float
    chosen: NDArray[np.int64]
    is_whole: bool
    reduced_cost: NDArray[np.float64]


class _Programme:
    """The integer programme over some rows; columns that they do not cover are left out.

    Columns that the same rows cover are one. Worth is scaled so that the greatest weight is 1.
    """

    def __init__(
        self,
        seen: sparse.csr_array,
        weight: NDArray[np.float64],
        count: int,
        condition: Condition | None,
    ) -> None:
        self.seen, self.weight, self.count, self.condition = seen, weight, count, condition
        first, group, covered = _group_columns(seen)
        columns = len(first)
        worth = np.bincount(group, weight[covered], minlength=columns)
        self.rows = seen.shape[0]
        self.scale = max(float(worth.max(initial=0.0)), 1e-300)
        by_column = sparse.csr_array(seen[:, first].T.astype(np.float64))
        own = sparse.eye_array(columns, format="csr")
        number = sparse.csr_array(np.r_[np.ones(self.rows), np.zeros(columns)][None])
        blocks = [sparse.hstack([-by_column, own]), number]
        upper = np.r_[np.zeros(columns), float(count)]
        if condition is not None:
            amount = np.bincount(group, condition.weight[covered], minlength=columns)
            part = np.r_[np.zeros(self.rows), -amount]
            blocks.append(sparse.csr_array(part[None] / condition.least))
            upper = np.r_[upper, -1.0]
        self.matrix = sparse.vstack(blocks, format="csr")
        self.upper = upper
        self.cost = np.r_[np.zeros(self.rows), -worth / self.scale]

    def take(self, keep: NDArray[np.bool_]) -> "_Programme":
        """The programme over some of the rows."""
        return _Programme(self.seen[keep], self.weight, self.count, self.condition)

    def relax(self) -> _Relaxed:
        """The relaxation, by the simplex method."""
        result = scipy.optimize.linprog(
            self.cost, A_ub=self.matrix, b_ub=self.upper, bounds=(0.0, 1.0), method="highs-ds"
        )
        values = result.x[: self.rows]
        return _Relaxed(
            -float(result.fun) * self.scale,
            np.flatnonzero(values > 1 / 2),
            bool(np.abs(values - np.round(values)).max(initial=0.0) < WHOLE),
            result.lower.marginals[: self.rows] * self.scale,
        )

    def solve(self, bound: float) -> tuple[NDArray[np.int64], float]:
        """Rows of the best choice, and an upper bound of what any choice covers."""
        columns = len(self.cost) - self.rows
        result = scipy.optimize.milp(
            self.cost,
            integrality=np.r_[np.ones(self.rows), np.zeros(columns)],
            bounds=scipy.optimize.Bounds(0.0, 1.0),
            constraints=scipy.optimize.LinearConstraint(self.matrix, -np.inf, self.upper),
            options={"mip_rel_gap": GAP, "time_limit": LONGEST_SECONDS},
        )
        if result.x is None or result.mip_dual_bound is None:
            return np.empty(0, dtype=np.int64), bound
        chosen = np.flatnonzero(result.x[: self.rows] > 1 / 2)
        return chosen, min(bound, -float(result.mip_dual_bound) * self.scale)
