"""Small networks with loops and doubled streets, and places on them, for tests of walks."""

import numpy as np
from hypothesis import strategies as st

from patrolplan.inputs.streets import Streets
from patrolplan.inputs.streets import no_features
from patrolplan.inputs.streets import ways_table
from patrolplan.network import Positions
from patrolplan.network import build_network
from patrolplan.projection import Projection
from patrolplan.tables import LeftOut


def network_of(places, ways):
    """A network of ways, each a list of numbers of places, in metres."""
    nodes = np.array([node for way in ways for node in way])
    rows = [(number, f"Street {number}", "residential", "") for number in range(len(ways))]
    streets = Streets(
        ways=ways_table(rows),
        vertex_way=np.repeat(np.arange(len(ways)), [len(way) for way in ways]),
        vertex_node=nodes,
        vertex_xy=np.asarray(places, dtype=np.float64)[nodes],
        features=no_features(Projection()),
    )
    return build_network(streets, Projection(), LeftOut())


@st.composite
def network_and_positions(draw):
    """A small network, with loops and doubled streets, and places on it."""
    place = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
        lambda p: (p[0] * 9.7, p[1] * 9.7)
    )
    places = draw(st.lists(place, min_size=3, max_size=9))
    node = st.integers(0, len(places) - 1)
    ways = draw(st.lists(st.lists(node, min_size=2, max_size=5), min_size=2, max_size=7))
    network = network_of(places, ways)
    where = st.tuples(st.integers(0, len(network) - 1), st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]))
    rows = draw(st.lists(where, min_size=2, max_size=5))
    piece = np.array([row for row, _ in rows])
    share = np.array([share for _, share in rows])
    return network, Positions(piece, share * network.piece_metres[piece], np.zeros(len(rows)))
