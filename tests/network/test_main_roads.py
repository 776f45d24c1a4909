"""Main roads at the nodes of a network."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from small_networks import build_small_network

from patrolplan.network.crossings import NEAR_METRES, SAFEST_FIRST, find_near_crossings
from patrolplan.network.pieces import CrossingPoints

PLACES = [(0, 0), (100, 0), (200, 0), (100, 100), (100, -100)]
WAYS = [[0, 1, 2], [3, 1], [1, 4]]
KINDS = ["primary", "tertiary_link", "residential"]


def test_arms_lead_away_from_their_node():
    """At the crossroads arms of the main roads lead east, north and west, by road; no lane does."""
    network = build_small_network(PLACES, WAYS, ["High Street", "", "Lane"], KINDS)
    arms = network.main_arms
    middle = np.flatnonzero((network.node_xy == (100, 0)).all(axis=1))[0]
    found = arms.by_node[int(middle)]
    assert sorted((round(np.degrees(bearing)) % 360, road) for _, road, bearing in found) == [
        (0, "High Street"),
        (90, "(tertiary)"),
        (180, "High Street"),
    ]
    assert set(arms.road_of_piece) == {"High Street", "(tertiary)", ""}


@pytest.mark.parametrize("seed", range(5))
def test_near_crossings_equal_looking_at_every_pair(seed):
    """Each node of a main road has the known crossings on its own roads that are near enough."""
    rng = np.random.default_rng(seed)
    network = build_small_network(PLACES, WAYS, ["High Street", "Lane", "Lane"], KINDS)
    points = CrossingPoints(
        rng.uniform((0, -60), (200, 60), (90, 2)),
        rng.choice(SAFEST_FIRST, 90),
        rng.integers(0, 3, 90),
    )
    parts = dataclasses.replace(network.parts, crossings=points)
    arms = network.main_arms
    roads = {0: "High Street", 1: "Lane"}
    expected = set()
    for (node, piece), k in product(zip(arms.node, arms.piece, strict=True), range(90)):
        metres = np.hypot(*(network.node_xy[node] - points.xy[k]))
        road = roads.get(int(points.way[k]))
        is_known = points.kind[k] != "unknown"
        if is_known and road == arms.road_of_piece[piece] and metres <= NEAR_METRES:
            expected.add((int(node), road, round(metres, 6), SAFEST_FIRST.index(points.kind[k])))
    near = find_near_crossings(parts, arms)
    found = [
        (int(node), road, round(metres, 6), rank)
        for node, road, metres, rank in near.itertuples(name=None)
    ]
    assert len(expected) > 5
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert found == sorted(found, key=lambda row: (row[0], row[2]))
