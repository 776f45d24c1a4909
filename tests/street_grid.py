"""Streets of a small town, for tests that need hardly more than neighbours and lengths."""

import numpy as np

from patrolplan.crs import Projection
from patrolplan.inputs.streets import Streets, build_empty_features, build_ways_table
from patrolplan.network import StreetNetwork, build_network
from patrolplan.tables import LeftOut


def build_grid(size: int = 5, metres: float = 90.0) -> StreetNetwork:
    """Streets of a small town: a square grid."""
    places = np.array([(x * metres, y * metres) for y in range(size) for x in range(size)])
    rows = [[y * size + x for x in range(size)] for y in range(size)]
    ways = [*rows, *([row[x] for row in rows] for x in range(size))]
    nodes = np.array([node for way in ways for node in way])
    streets = Streets(
        ways=build_ways_table([(number, "", "residential", "") for number in range(len(ways))]),
        vertex_way=np.repeat(np.arange(len(ways)), size),
        vertex_node=nodes,
        vertex_xy=places[nodes],
        features=build_empty_features(Projection()),
    )
    return build_network(streets, Projection(), LeftOut())
