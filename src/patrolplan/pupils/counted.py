"""The ways home of a school, corrected by counts of pupils at a few corners.

Where pupils go is divided into branches: homes by direction from the gate, near and far, and stops
by direction. Today's assumptions are the prior: how many go along each branch, how many walk, how
their number falls with distance, and when they leave, each within a declared width. Counts move
them as far as their number justifies: the most probable values are found by least squares, and the
band is that of a normal distribution around them (Laplace's approximation).
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares

from patrolplan.arrays import round_significant
from patrolplan.pupils.destinations import DECAY_METRES
from patrolplan.pupils.flows import Counted, Journeys, Leaving
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, share_left

SECTORS = 16  # directions from the gate
PLACE_WIDTH, PLACE_METRES = 0.8, 300.0
"""Standard deviation of the logarithm of how many go to a place, and the distance over which the
correlation of two places falls to a third: neighbourhoods send different numbers to a school."""
WALK_WIDTH = 0.3  # standard deviation of the logarithm of the share who walk, and who ride
DECAY_WIDTH = 0.3  # of the logarithm of the length over which homes fall to a third
LEAVE_WIDTH = 0.35  # of the logarithm of the mean minutes from bell to gate
LATE_WIDTH = 0.5  # of the log odds of leaving later
LATE_MINUTES_WIDTH = 12.0  # of the minutes of those
CORNER_WIDTH = 0.15  # of the logarithm of what is seen at a corner on one day: days differ
FITTED_DIGITS = 4  # of what is fitted: further ones differ between processors
GROUP = 2.0  # variance of a count over its mean: pupils walk in groups
WITHIN_WIDTH = 0.5  # as `PLACE_WIDTH`, of places within one branch
BAND_DEVIATIONS = 1.2816  # a band holds 80 %

CORNER_METRES = 25.0
"""A count is of the junction near its point that most pupils pass, by the model."""


@dataclass(frozen=True, eq=False, repr=False)
class Branches:
    """Where pupils of a school go, in z parts."""

    of_target: NDArray[np.int64]  # branch of each link, exit and stop, in this order
    node_flow: NDArray[np.float64]  # (z, n + 1) pupils who pass each node; the gate is the last
    pieces: NDArray[np.int64]  # (q,)
    walked: NDArray[np.float64]  # (z, q) pupil-metres on each piece
    root: NDArray[np.float64]  # (z, z) root of the covariance of the logarithm of its pupils

    def find_spread(
        self, covariance: NDArray[np.float64], factors: NDArray[np.float64] | float = 1.0
    ) -> NDArray[np.float64]:
        """(q,) standard deviation of the logarithm of the flow on each piece."""
        walked = (self.walked.T * factors).T
        share = walked / np.maximum(walked.sum(axis=0), 1e-300)
        variance = np.einsum("zq,zy,yq->q", share, covariance, share)
        # Of a street that only part of a branch walks, the homes are known less than the branch.
        part = self.walked / np.maximum(self.walked.max(axis=1, keepdims=True), 1e-300)
        return np.asarray(np.sqrt(variance + WITHIN_WIDTH**2 * (share**2 * (1 - part)).sum(axis=0)))


def divide(journeys: Journeys) -> Branches:
    """The branches of a school's journeys, with the width of what is assumed of them."""
    tree, walkers, network = journeys.tree, journeys.walkers, journeys.tree.network
    points = (
        network.piece_middle[tree.link_piece],
        network.node_xy[tree.nodes[walkers.exits]],
        network.piece_middle[journeys.stop_pieces],
    )
    xy = np.concatenate(points)
    metres = np.r_[tree.middle_metres, tree.node_metres[walkers.exits], journeys.stop_metres]
    pupils = np.r_[walkers.link_homes, walkers.exit_pupils, journeys.stop_pupils]
    rides = np.arange(len(pupils)) >= len(pupils) - len(journeys.stop_pupils)
    order = np.argsort(np.where(rides, np.inf, metres))
    gathered = np.cumsum(np.where(rides, 0.0, pupils)[order])
    middle = metres[order[np.searchsorted(gathered, gathered[-1] / 2)]]
    angle = np.arctan2(*(xy - network.xy(tree.gate)[0]).T)
    sector = np.floor((angle / (2 * np.pi) + 0.5) * SECTORS).astype(np.int64) % SECTORS
    branch = SECTORS * np.where(rides, 2, metres > middle) + sector
    branch = np.where(pupils > 0, branch, branch[pupils.argmax()])
    names, of_target = np.unique(branch, return_inverse=True)
    count, is_ride = len(names), names >= 2 * SECTORS
    walks = [journeys.scale(1.0 * (of_target == one)).walk() for one in range(count)]
    heads = tree.link_nodes[:, 1]
    node_flow = np.array([np.bincount(heads, flow, tree.root + 1) for flow, *_ in walks])
    node_flow[:, tree.root] = [on_streets for *_, on_streets in walks]
    sums = [np.bincount(of_target, pupils * one) for one in (np.ones(len(xy)), *xy.T, metres)]
    mass = np.maximum(sums[0], 1e-300)  # where nobody walks there is one branch, of nobody
    x, y, away = (one / mass for one in sums[1:])
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    alike = (is_ride[:, None] == is_ride) * 1.0
    # Homes that fall more slowly with distance are fewer near, more far.
    stage = int(journeys.by_stage[1] > journeys.by_stage[0])
    mean = np.average(away, weights=mass * ~is_ride + 1e-300)
    farther = np.where(is_ride, 0.0, away - mean) / DECAY_METRES[stage]
    places = alike * PLACE_WIDTH**2 * np.exp(-apart / PLACE_METRES)
    # Where they go is one thing, how many go another: the mean over all places does not move.
    mean_of_alike = alike * mass / (alike @ mass)[:, None]
    from_mean = np.eye(count) - mean_of_alike
    covariance = from_mean @ places @ from_mean.T + alike * WALK_WIDTH**2
    covariance += DECAY_WIDTH**2 * np.outer(farther, farther) + 1e-9 * np.eye(count)
    walked = np.array([along for _, _, along, _ in walks])
    return Branches(of_target, node_flow, walks[0][1], walked, np.linalg.cholesky(covariance))


def fit_counts(
    journeys: Journeys, leaving: Leaving, counts: gpd.GeoDataFrame, bell_minutes: float
) -> Counted | None:
    """Correct by the counts of a school; None where no pupil of it passes a corner counted."""
    tree, branches = journeys.tree, divide(journeys)
    passing = branches.node_flow.sum(axis=0)
    xy = np.column_stack([counts.geometry.x, counts.geometry.y])
    apart = np.hypot(*(xy[:, None] - tree.network.node_xy[tree.nodes]).transpose(2, 0, 1))
    near = apart <= np.maximum(CORNER_METRES, apart.min(axis=1, keepdims=True))
    node = np.argmax(np.where(near, 1 + passing[:-1], 0.0), axis=1)
    is_used = passing[node] > 0
    if not is_used.any():
        return None
    counts, node = counts[is_used], node[is_used]
    pupils = counts["pupils"].to_numpy(dtype=np.float64)
    walk = tree.node_metres[node] / PUPIL_METRES_PER_MINUTE + bell_minutes
    begin = counts["from_minutes"].to_numpy(dtype=np.float64) - walk
    end = counts["to_minutes"].to_numpy(dtype=np.float64) - walk
    # A corner on one day is one standing: what is odd about it is so in all of its rows.
    days = pd.factorize(pd.MultiIndex.from_arrays([node, counts["date"]]))[0]
    at_corner, size = branches.node_flow[:, node], len(branches.root)

    def read(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], Leaving]:
        mean, late, minutes = leaving
        if late > 0:  # where the school says that nobody stays, nobody does
            late = 1 / (1 + (1 / late - 1) * np.exp(-LATE_WIDTH * x[size + 1]))
        minutes = max(minutes + LATE_MINUTES_WIDTH * x[size + 2], 1.0)
        curve = (float(mean * np.exp(LEAVE_WIDTH * x[size])), float(late), float(minutes))
        return np.asarray(np.exp(branches.root @ x[:size])), curve

    def expect(x: NDArray[np.float64]) -> NDArray[np.float64]:
        factors, curve = read(x)
        passed = factors @ at_corner * np.exp(CORNER_WIDTH * x[size + 3 :])[days]
        return np.asarray(passed * (share_left(end, *curve) - share_left(begin, *curve)))

    def miss(x: NDArray[np.float64]) -> NDArray[np.float64]:
        # The root makes the spread of a count nearly the same for small and large ones.
        seen = 2 * (np.sqrt(pupils + 3 / 8) - np.sqrt(expect(x) + 3 / 8)) / np.sqrt(GROUP)
        return np.concatenate([seen, x])

    prior = np.zeros(size + 3 + days.max() + 1)
    found = least_squares(miss, prior)
    left = np.linalg.inv(found.jac.T @ found.jac)[:size, :size]
    factors, curve = read(found.x)
    factors = round_significant(factors, FITTED_DIGITS)
    mean, late, minutes = (round(one, FITTED_DIGITS) for one in curve)
    # Nobody more than the roll is on the streets.
    factors *= min(1.0, journeys.by_stage.sum() / (factors @ branches.node_flow[:, tree.root]))
    spread = branches.find_spread(branches.root @ left @ branches.root.T, factors)
    number = pd.factorize(node)[0] + 1
    table = counts[["date", "from_minutes", "to_minutes", "pupils"]].assign(corner=number)
    table = table.assign(modelled=expect(prior), corrected=expect(found.x))
    band = np.exp(BAND_DEVIATIONS * spread)
    return Counted(factors[branches.of_target], (mean, late, minutes), table, branches.pieces, band)
