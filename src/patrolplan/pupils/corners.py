"""At which corners a count tells most about where a school's pupils walk."""

import numpy as np

from patrolplan.arrays import Ints
from patrolplan.pupils.counted import CORNER_WIDTH, GROUP, Branches
from patrolplan.pupils.flows import Journeys

CORNERS = 3
REACH_METRES = 600.0  # walked from the gate, as far as patrols stand
MIN_ARMS = 3
MIN_PUPILS = 5.0
"""At the corner, and on a street for its uncertainty to count."""


def choose_corners(journeys: Journeys, branches: Branches, late_share: float) -> list[int]:
    """Nodes of the tree, the one that tells most first."""
    nodes = _list_candidates(journeys, branches)
    passing = branches.node_flow.sum(axis=0)[nodes]
    # All is linear in logarithms, so what a count would tell is known before it: by how much it
    # narrows the variance of each street's flow. Streets count by the pupil-metres on them.
    seen = branches.node_flow[:, nodes] / passing
    noise = GROUP / (passing * (1 - late_share)) + CORNER_WIDTH**2
    walked = branches.walked.sum(axis=0)
    is_used = walked >= MIN_PUPILS * journeys.tree.network.piece_metres[branches.pieces]
    weight = walked[is_used]
    share = branches.walked[:, is_used] / weight
    covariance = branches.root @ branches.root.T
    chosen: list[int] = []
    for _ in range(min(CORNERS, len(nodes))):
        shared = covariance @ seen
        variance = (seen * shared).sum(axis=0) + noise
        best = int(np.argmax(weight @ (share.T @ shared) ** 2 / variance))
        chosen.append(int(nodes[best]))
        # What the count at the best corner tells is known from here on: as in a Kalman filter, a
        # measurement of variance v lowers the covariance C by (C s)(C s)^T / v.
        covariance = covariance - np.outer(shared[:, best], shared[:, best]) / variance[best]
    return chosen


def _list_candidates(journeys: Journeys, branches: Branches) -> Ints:
    """(m,) nodes of the tree near the gate where streets meet and enough pupils pass."""
    tree = journeys.tree
    passing = branches.node_flow.sum(axis=0)[:-1]
    arms = np.bincount(tree.link_nodes.ravel(), minlength=tree.root + 1)[:-1]
    is_near = (arms >= MIN_ARMS) & (tree.node_metres[:-1] <= REACH_METRES)
    return np.flatnonzero(is_near & (passing >= MIN_PUPILS))
