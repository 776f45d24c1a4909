"""Small networks with loops and doubled streets, and places on them, for tests of walks."""

import numpy as np
from hypothesis import strategies as st

from patrolplan.crs import Projection
from patrolplan.inputs.streets import Streets, build_empty_features, build_ways_table
from patrolplan.network import Positions, build_network
from patrolplan.tables import LeftOut


def write_osm(ways, nodes, more=""):
    """OSM XML with these ways: (id, node ids, tags); `more` stands before them."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    for number, (lon, lat) in nodes.items():
        lines.append(f"<node id='{number}' version='1' lon='{lon}' lat='{lat}'/>")
    lines.append(more)
    for number, refs, tags in ways:
        lines.append(f"<way id='{number}' version='1'>")
        lines += [f"<nd ref='{ref}'/>" for ref in refs]
        lines += [f"<tag k='{key}' v='{value}'/>" for key, value in tags.items()]
        lines.append("</way>")
    return "\n".join([*lines, "</osm>"])


def write_lane(name, *places):
    """OSM XML of one residential street through these degrees."""
    nodes = dict(enumerate(places, 1))
    return write_osm([(5, nodes, {"highway": "residential", "name": name})], nodes)


def build_streets(places, ways, names=None, kinds=None, *, traits=()):
    """Streets of ways, each a list of numbers of places, in metres."""
    nodes = np.array([node for way in ways for node in way])
    names = names or [f"Street {number}" for number in range(len(ways))]
    kinds = kinds or ["residential"] * len(ways)
    rows = [(k, name, kind, "") for k, (name, kind) in enumerate(zip(names, kinds, strict=True))]
    return Streets(
        ways=build_ways_table(rows).assign(**dict(traits)),
        vertex_way=np.repeat(np.arange(len(ways)), [len(way) for way in ways]),
        vertex_node=nodes,
        vertex_xy=np.asarray(places, dtype=np.float64)[nodes],
        features=build_empty_features(Projection()),
    )


def build_small_network(
    places, ways, names=None, kinds=None, *, traits=(), left_out=None, **options
):
    """The network of such ways."""
    streets = build_streets(places, ways, names, kinds, traits=traits)
    left_out = LeftOut() if left_out is None else left_out
    return build_network(streets, Projection(), left_out, **options)


@st.composite
def draw_network(draw):
    """A small connected network with loops, doubled streets and nodes on one spot."""
    along = st.integers(0, 30).map(lambda steps: steps * 9.7)
    place = st.tuples(along, along)
    places = draw(st.lists(place, min_size=3, max_size=9))
    node = st.integers(0, len(places) - 1)
    ways = draw(st.lists(st.lists(node, min_size=2, max_size=5), min_size=2, max_size=7))
    return build_small_network(places, ways)


@st.composite
def draw_network_and_positions(draw):
    """Such a network, and places on it."""
    network = draw(draw_network())
    where = st.tuples(st.integers(0, len(network) - 1), st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]))
    rows = draw(st.lists(where, min_size=2, max_size=5))
    piece = np.array([row for row, _ in rows])
    share = np.array([share for _, share in rows])
    return network, Positions(piece, share * network.piece_metres[piece], np.zeros(len(rows)))


def build_grid(size=5, metres=90.0):
    """Streets of a small town: a square grid, whose streets have no names."""
    places = [(x * metres, y * metres) for y in range(size) for x in range(size)]
    rows = [[y * size + x for x in range(size)] for y in range(size)]
    ways = [*rows, *([row[x] for row in rows] for x in range(size))]
    return build_small_network(places, ways, [""] * len(ways))
