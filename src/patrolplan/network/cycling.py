"""Where a bicycle may go on pieces of street, and what each metre of it costs."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

CLOSED, RIDE, PUSH, CARRY = 0, 1, 2, 3
BICYCLE_MODES = {"ride": RIDE, "push": PUSH, "carry": CARRY}

CARRY_FACTOR = 3.0
"""A bicycle is carried over steps so many times slower than it is pushed."""


def classify_bicycle_ways(
    piece_nodes: NDArray[np.int64],
    mode_names: NDArray[np.object_],
    one_way: NDArray[np.int64],
    *,
    nodes: int,
) -> NDArray[np.int8]:
    """How a bicycle goes along each piece, in its own direction and against it.

    One-way streets are obeyed, but nobody is stuck: where a place could be left, or reached, only
    against one, as at the edge of the area, the bicycle is pushed back along it.

    Parameters
    ----------
    piece_nodes
        (p, 2) first and last node.
    how
        (p,) "ride", "push" or "carry".
    one_way
        (p,) 1 in the piece's direction alone, -1 against it alone, 0 both.
    nodes
        How many nodes there are.

    Returns
    -------
    NDArray
        (p, 2) `RIDE`, `PUSH`, `CARRY` or `CLOSED`. Every node of a connected network can be
        reached from every other.
    """
    kind = np.array([BICYCLE_MODES[name] for name in mode_names.tolist()], dtype=np.int8).reshape(
        -1
    )
    both = np.column_stack([kind, kind])
    both[one_way < 0, 0] = CLOSED
    both[one_way > 0, 1] = CLOSED
    if not (one_way != 0).any():
        return both
    ends = np.concatenate([piece_nodes[both[:, 0] > 0], piece_nodes[both[:, 1] > 0][:, ::-1]])
    graph = sparse.csr_array((np.ones(len(ends), dtype=bool), ends.T), shape=(nodes, nodes))
    label = csgraph.connected_components(graph, directed=True, connection="strong")[1]
    main = label == np.bincount(label).argmax()
    stuck = ~main[piece_nodes].all(axis=1)
    return np.where(stuck[:, None] & (both == CLOSED), np.int8(PUSH), both)


def compute_cycling_effort(
    kinds: NDArray[np.int8], *, riding_kmh: float, walking_kmh: float
) -> NDArray[np.float64]:
    """What a metre costs, in metres ridden: inf where it is closed.

    Parameters
    ----------
    kinds
        As from `classify_bicycle_ways`.
    riding_kmh, walking_kmh
        Speeds on the bicycle and beside it.

    Examples
    --------
    >>> compute_cycling_effort(np.array([[RIDE, CLOSED], [PUSH, CARRY]]), riding_kmh=12,
    walking_kmh=4).tolist() [[1.0, inf], [3.0, 9.0]]
    """
    pushing = riding_kmh / walking_kmh
    return np.array([np.inf, 1.0, pushing, CARRY_FACTOR * pushing])[kinds]
