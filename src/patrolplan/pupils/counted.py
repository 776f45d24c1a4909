"""The ways home of a school, corrected by counts of pupils at a few corners.

Where pupils go is divided into branches: homes by direction from the gate, near and far, and stops
by direction. Today's assumptions are the prior: how many go along each branch, how many walk, how
their number falls with distance, and when they leave, each within a declared width. Counts move
them as far as their number justifies: the most probable values are found by least squares, and the
band is that of a normal distribution around them (Laplace's approximation, see `CountModel`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from patrolplan.arrays import Bools, Floats, Ints, round_significant
from patrolplan.pupils.destinations import DECAY_METRES, GateTree
from patrolplan.pupils.flows import Counted, Journeys, Leaving
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, share_left

SECTORS = 16  # directions from the gate
PLACE_WIDTH = 0.8
"""Standard deviation of the logarithm of how many go to a place: neighbourhoods send different
numbers to a school."""

PLACE_METRES = 300.0  # distance over which the correlation of two places falls to a third
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

    of_target: Ints  # branch of each link, exit and stop, in this order
    node_flow: Floats  # (z, n + 1) pupils who pass each node; the gate is the last
    pieces: Ints  # (q,)
    walked: Floats  # (z, q) pupil-metres on each piece
    root: Floats  # (z, z) root of the covariance of the logarithm of its pupils

    def find_spread(self, covariance: Floats, factors: Floats | float = 1.0) -> Floats:
        """(q,) standard deviation of the logarithm of the flow on each piece."""
        walked = (self.walked.T * factors).T
        share = walked / np.maximum(walked.sum(axis=0), 1e-300)
        variance = np.einsum("zq,zy,yq->q", share, covariance, share)
        # Of a street that only part of a branch walks, the homes are known less than the branch.
        part = self.walked / np.maximum(self.walked.max(axis=1, keepdims=True), 1e-300)
        return np.asarray(np.sqrt(variance + WITHIN_WIDTH**2 * (share**2 * (1 - part)).sum(axis=0)))


class _Ends(NamedTuple):
    """Where pupils go on foot: all links, then exits, then stops of a school's journeys (k,)."""

    xy: Floats  # (k, 2) metres
    metres: Floats  # walk from the gate
    pupils: Floats
    is_stop: Bools  # from which pupils ride


class _Centres(NamedTuple):
    """The mean pupil of each of z branches."""

    mass: Floats  # pupils of the branch, or a trace
    x: Floats  # metres
    y: Floats  # metres
    metres: Floats  # walk from the gate
    is_stop: Bools


def divide(journeys: Journeys) -> Branches:
    """The branches of a school's journeys, with the width of what is assumed of them."""
    tree = journeys.tree
    ends = _list_ends(journeys)
    sectors = _number_sectors(ends, tree.network.xy(tree.gate)[0])
    used, of_target = np.unique(sectors, return_inverse=True)
    centres = _find_centres(ends, of_target, used >= 2 * SECTORS)
    stage = int(journeys.by_stage[1] > journeys.by_stage[0])  # which most pupils are of
    covariance = _assume_covariance(centres, DECAY_METRES[stage])
    node_flow, pieces, walked = _walk_alone(journeys, of_target)
    root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    return Branches(of_target, node_flow, pieces, walked, root)


def _walk_alone(journeys: Journeys, of_target: Ints) -> tuple[Floats, Ints, Floats]:
    """(z, n + 1) pupils of each branch at each node, (q,) pieces, and (z, q) pupil-metres there."""
    # Each branch walks alone, which shows what part of every street and corner it makes up.
    branches = range(of_target.max() + 1)
    walks = [journeys.scale(1.0 * (of_target == branch)).walk() for branch in branches]
    root = journeys.tree.root
    heads = journeys.tree.link_nodes[:, 1]
    node_flow = np.array([np.bincount(heads, flow, root + 1) for flow, *_ in walks])
    node_flow[:, root] = [on_streets for *_, on_streets in walks]
    return node_flow, walks[0][1], np.array([along for _, _, along, _ in walks])


def _list_ends(journeys: Journeys) -> _Ends:
    """Places, walks and pupils of all links, exits and stops."""
    tree = journeys.tree
    walkers = journeys.walkers
    exits = walkers.exits
    links_xy = tree.network.piece_middle[tree.link_piece]
    exits_xy = tree.network.node_xy[tree.nodes[exits]]
    stops_xy = tree.network.piece_middle[journeys.stop_pieces]
    pupils = np.r_[walkers.link_homes, walkers.exit_pupils, journeys.stop_pupils]
    return _Ends(
        xy=np.concatenate([links_xy, exits_xy, stops_xy]),
        metres=np.r_[tree.middle_metres, tree.node_metres[exits], journeys.stop_metres],
        pupils=pupils,
        is_stop=np.arange(len(pupils)) >= len(pupils) - len(journeys.stop_pupils),
    )


def _number_sectors(ends: _Ends, gate_xy: Floats) -> Ints:
    """(k,) number of each end's branch: of near homes, far homes and stops, `SECTORS` each."""
    # Homes are near or far by the walk of the median pupil who walks all the way.
    order = np.argsort(np.where(ends.is_stop, np.inf, ends.metres))
    gathered = np.cumsum(np.where(ends.is_stop, 0.0, ends.pupils)[order])
    median = ends.metres[order[np.searchsorted(gathered, gathered[-1] / 2)]]
    angle = np.arctan2(*(ends.xy - gate_xy).T)
    direction = np.floor((angle / (2 * np.pi) + 0.5) * SECTORS).astype(np.int64) % SECTORS
    sector = SECTORS * np.where(ends.is_stop, 2, ends.metres > median) + direction
    # Where nobody goes makes no branch of its own, so that none is empty.
    return np.asarray(np.where(ends.pupils > 0, sector, sector[ends.pupils.argmax()]))


def _find_centres(ends: _Ends, of_target: Ints, is_stop: Bools) -> _Centres:
    """The mean pupil of each of the branches, of which some (z,) go to stops."""
    mass = np.maximum(np.bincount(of_target, ends.pupils), 1e-300)  # of nobody there is one branch
    columns = (*ends.xy.T, ends.metres)
    x, y, metres = (np.bincount(of_target, ends.pupils * column) / mass for column in columns)
    return _Centres(mass, x, y, metres, is_stop)


def _assume_covariance(centres: _Centres, decay_metres: float) -> Floats:
    """(z, z) prior covariance of the logarithms of how many go along each branch."""
    # Those who walk and those who ride are two groups, of which neither says anything of the other.
    alike = (centres.is_stop[:, None] == centres.is_stop) * 1.0
    apart = np.hypot(centres.x[:, None] - centres.x, centres.y[:, None] - centres.y)
    places = alike * PLACE_WIDTH**2 * np.exp(-apart / PLACE_METRES)
    # Where they go is one thing, how many go another: the mean over all places does not move.
    mean_of_alike = alike * centres.mass / (alike @ centres.mass)[:, None]
    from_mean = np.eye(len(alike)) - mean_of_alike
    covariance = from_mean @ places @ from_mean.T + alike * WALK_WIDTH**2
    # Homes that fall more slowly with distance are fewer near, more far.
    mean = np.average(centres.metres, weights=centres.mass * ~centres.is_stop + 1e-300)
    farther = np.where(centres.is_stop, 0.0, centres.metres - mean) / decay_metres
    # The last term keeps the matrix invertible: branches at one place would be one branch.
    covariance += DECAY_WIDTH**2 * np.outer(farther, farther) + 1e-9 * np.eye(len(alike))
    return np.asarray(covariance)


@dataclass(frozen=True, eq=False, repr=False)
class CountModel:
    """How many pupils are expected to be counted (c,), by the parameters of a school's ways.

    A point is (z + 3 + d,) parameters, each in standard deviations from what is assumed: of the
    branches, through the root of their covariance; of the three of the leaving curve; and of what
    is odd about each of d corners on one day. So the prior is a standard normal distribution, and 0
    is today's model.

    Laplace's approximation (Tierney and Kadane 1986, "Accurate approximations for posterior moments
    and marginal densities") replaces the posterior by the normal distribution with the same top and
    the same curvature there. The root of a count has nearly the same spread, however large the
    count is (Anscombe 1948, "The transformation of Poisson, binomial and negative-binomial data").
    Over that spread, what roots of counts differ by is a residual of unit variance, and so is each
    parameter: minus half the sum of their squares is the logarithm of the posterior density. Least
    squares find its top. With the Jacobian J of the residuals there, the curvature is nearly J^T J
    (Gauss and Newton), and its inverse the covariance.
    """

    branches: Branches
    leaving: Leaving  # as assumed
    at_corner: Floats  # (z, c) pupils of each branch who pass the corner of each count
    begin_minutes: Floats  # (c,) from the bell to when those left the gate who are counted first
    end_minutes: Floats  # (c,) and to when those did who are counted last
    corner_day: Ints  # (c,) number of the corner and day of each count
    pupils: Floats  # (c,) counted

    @property
    def assumed(self) -> Floats:
        """The point of what is assumed."""
        return np.zeros(len(self.branches.root) + 3 + self.corner_day.max() + 1)

    def _split(self, point: Floats) -> list[Floats]:
        """Parameters of the branches (z,), of the leaving curve (3,), of corners and days (d,)."""
        branches = len(self.branches.root)
        return np.split(point, [branches, branches + 3])

    def read_factors(self, point: Floats) -> Floats:
        """(z,) how many times more pupils go along each branch than assumed."""
        return np.asarray(np.exp(self.branches.root @ self._split(point)[0]))

    def read_leaving(self, point: Floats) -> Leaving:
        """When pupils leave."""
        mean, late, minutes = self.leaving
        of_mean, of_late, of_minutes = self._split(point)[1]
        if late > 0:  # where the school says that nobody stays, nobody does
            late = 1 / (1 + (1 / late - 1) * np.exp(-LATE_WIDTH * of_late))
        minutes = max(minutes + LATE_MINUTES_WIDTH * of_minutes, 1.0)
        return float(mean * np.exp(LEAVE_WIDTH * of_mean)), float(late), float(minutes)

    def expect(self, point: Floats) -> Floats:
        """(c,) pupils expected at the corners between begin and end of each count."""
        leaving = self.read_leaving(point)
        of_corners = self._split(point)[2]
        passed = self.read_factors(point) @ self.at_corner
        passed = passed * np.exp(CORNER_WIDTH * of_corners)[self.corner_day]
        left = share_left(self.end_minutes, *leaving) - share_left(self.begin_minutes, *leaving)
        return np.asarray(passed * left)

    def compute_residuals(self, point: Floats) -> Floats:
        """(c + z + 3 + d,) of the counts and of the prior, each of unit variance."""
        # A count varies by `GROUP` times its mean, so its root by a quarter of `GROUP`.
        roots = 2 * (np.sqrt(self.pupils + 3 / 8) - np.sqrt(self.expect(point) + 3 / 8))
        return np.concatenate([roots / np.sqrt(GROUP), point])

    def fit(self) -> tuple[Floats, Floats]:
        """The most probable point, and the (z, z) covariance left of the branches' logarithms."""
        top = least_squares(self.compute_residuals, self.assumed)
        root = self.branches.root
        left = np.linalg.inv(top.jac.T @ top.jac)[: len(root), : len(root)]
        return top.x, np.asarray(root @ left @ root.T)


def fit_counts(
    journeys: Journeys, leaving: Leaving, counts: gpd.GeoDataFrame, bell_minutes: float
) -> Counted | None:
    """Correct by the counts of a school; None where no pupil of it passes a corner counted."""
    branches = divide(journeys)
    passing = branches.node_flow.sum(axis=0)
    node = _find_corners(counts, journeys.tree, passing[:-1])
    is_used = passing[node] > 0
    if not is_used.any():
        return None
    counts = counts[is_used]
    node = node[is_used]
    walk = journeys.tree.node_metres[node] / PUPIL_METRES_PER_MINUTE + bell_minutes
    model = CountModel(
        branches=branches,
        leaving=leaving,
        at_corner=branches.node_flow[:, node],
        begin_minutes=counts["from_minutes"].to_numpy(dtype=np.float64) - walk,
        end_minutes=counts["to_minutes"].to_numpy(dtype=np.float64) - walk,
        # A corner on one day is one standing: what is odd about it is so in all of its rows.
        corner_day=pd.factorize(pd.MultiIndex.from_arrays([node, counts["date"]]))[0],
        pupils=counts["pupils"].to_numpy(dtype=np.float64),
    )
    point, covariance = model.fit()
    factors = round_significant(model.read_factors(point), FITTED_DIGITS)
    # Nobody more than the roll is on the streets.
    on_streets = factors @ branches.node_flow[:, journeys.tree.root]
    factors *= min(1.0, journeys.by_stage.sum() / on_streets)
    mean, late, minutes = (round(value, FITTED_DIGITS) for value in model.read_leaving(point))
    return Counted(
        factors=factors[branches.of_target],
        leaving=(mean, late, minutes),
        table=counts[["date", "from_minutes", "to_minutes", "pupils"]].assign(
            corner=pd.factorize(node)[0] + 1,
            modelled=model.expect(model.assumed),
            corrected=model.expect(point),
        ),
        pieces=branches.pieces,
        band=np.exp(BAND_DEVIATIONS * branches.find_spread(covariance, factors)),
    )


def _find_corners(counts: gpd.GeoDataFrame, tree: GateTree, passing: Floats) -> Ints:
    """(c,) node of the tree that each count is of, where (n,) pupils pass its nodes."""
    xy = np.column_stack([counts.geometry.x, counts.geometry.y])
    apart = np.hypot(*(xy[:, None] - tree.network.node_xy[tree.nodes]).transpose(2, 0, 1))
    near = apart <= np.maximum(CORNER_METRES, apart.min(axis=1, keepdims=True))
    return np.asarray(np.argmax(np.where(near, 1 + passing, 0.0), axis=1))
