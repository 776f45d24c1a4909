"""Building the network: the largest connected part, what is left out, and what is cached."""

import dataclasses
import pickle

import numpy as np
import pytest
import shapely
from small_networks import build_small_network
from spoilt_cache import every_way, spoil_entries

from patrolplan.crs import Projection
from patrolplan.inputs.streets import MARGIN_METRES, Streets, build_empty_features, build_ways_table
from patrolplan.network.build import load_or_build_network
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import Pieces
from patrolplan.tables import LeftOut

PLACES = [(0, 0), (200, 0), (200, 300), (0, 300), (100, 40), (900, 0), (900, 300)]
WAYS = [[0, 3, 2, 1], [0, 4, 1], [1, 5], [5, 6], [2, 6]]
"""A street in the shape of a C, a passage that shortens it, and streets that leave to the east."""

LOW = shapely.box(-10, -10, 210, 310)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def streets():
    """Such streets as they are read; the second way is not patrolled."""
    table = build_ways_table([(n, f"Street {n}", "residential", "") for n in range(len(WAYS))])
    nodes = np.array([node for way in WAYS for node in way])
    return Streets(
        ways=table.assign(is_patrolled=[True, False, True, True, True]),
        vertex_way=np.repeat(np.arange(len(WAYS)), [len(way) for way in WAYS]),
        vertex_node=nodes,
        vertex_xy=np.asarray(PLACES, dtype=np.float64)[nodes],
        features=build_empty_features(Projection()),
    )


def network(limits=LOW):
    """The network through the cache, and what it left out."""
    dropped = LeftOut()
    return load_or_build_network(streets(), Projection(), dropped, limits=limits), dropped.rows


def same(one, other):
    """Whether two networks are equal to the last bit."""
    names = [
        field.name
        for field in dataclasses.fields(Pieces)
        if field.name not in {"ways", "crossings"}
    ]
    arrays = [(getattr(one.parts, name), getattr(other.parts, name)) for name in names]
    arrays.append((one.piece_middle, other.piece_middle))
    equal = all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in arrays)
    return equal and one.parts.ways.equals(other.parts.ways)


def test_other_limits_are_another_network():
    """The limits belong to what a network is known by."""
    assert len(network()[0]) != len(network(shapely.box(-10, -10, 950, 310))[0])


@every_way
def test_spoilt_entries_are_computed_again_and_replaced(cache, way):
    """However a network was spoilt, it is found again."""
    first, left_out = network()
    check_replaced = spoil_entries(cache, way)
    second, again = network()
    assert same(first, second)
    assert left_out == again
    check_replaced()


def part_network(**options):
    """Such streets; the second way is not patrolled, the third to fifth lead beyond the limits."""
    is_patrolled = [True, False, True, True, True]
    return build_small_network(
        PLACES, WAYS, traits={"is_patrolled": is_patrolled}, limits=LOW, **options
    )


def test_streets_that_are_only_walked_are_no_streets_to_patrol():
    """Nor are streets beyond the limits; the pieces to patrol come first among all."""
    dropped = LeftOut()
    network = part_network(left_out=dropped)
    assert set(network.parts.piece_way) == {0}
    assert network.piece_middle[:, 0].max() <= 210
    assert str(network.walkable) == str(network.walkable.walkable)
    count = len(network)
    assert np.array_equal(network.walkable.parts.piece_way[:count], network.parts.piece_way)
    assert np.array_equal(network.walkable.piece_middle[:count], network.piece_middle)
    assert set(network.walkable.parts.piece_way[count:]) == {1, 2, 4}
    reasons = {row.reason: row.count for row in dropped.rows}
    assert reasons["outside the area (km)"] == 2
    passage = "below ground, escalators, outlines of squares: walked, not patrolled (pieces)"
    assert reasons[passage] == 7


def test_a_walk_uses_streets_that_are_not_patrolled():
    """A place has the same position in both networks, and the walk is as short as it can be."""
    network = part_network()
    ends = network.snap([[0, 0], [200, 0]])
    assert WalkFinder(network, ends).metres[0, 1] == pytest.approx(800)
    assert WalkFinder(network.walkable, ends).metres[0, 1] == pytest.approx(215.4, abs=0.1)


def test_streets_beyond_the_margin_are_not_used():
    """Streets count up to so far beyond the limits."""
    assert part_network().walkable.node_xy[:, 0].max() <= 210 + MARGIN_METRES + 30


def test_places_are_snapped_to_streets_to_patrol_alone():
    """However near a passage is, on all streets, on those round a gate, and on those to patrol."""
    network = part_network()
    place = [[100, 40]]
    around = network.walkable.take(np.arange(len(network.walkable)))
    for part in (network, network.walkable, around):
        found = part.snap(place)
        assert found.piece[0] < len(network)
        assert found.moved_metres[0] > 30


def test_two_networks_come_back_from_cache_and_from_another_process(monkeypatch):
    """Both of them, to the last bit, with what was left out."""
    first, left_out = network()
    monkeypatch.setattr("patrolplan.network.build.build_network", None)
    second, again = network()
    assert left_out == again != []
    third = pickle.loads(pickle.dumps(first))  # noqa: S301 - our own
    for other in (second, third, part_network()):
        assert same(first, other)
        assert same(first.walkable, other.walkable)
        assert other.walkable.patrolled_count == len(other) < len(other.walkable)


def test_passages_that_hang_together_with_a_station_are_part_of_it():
    """An underpass hangs together with streets alone and is patrolled; roads are streets."""
    places = [(0, 0), (300, 0), (0, -60), (60, -60), (120, -60), (200, -60), (300, -60)]
    ways = [[0, 1], [0, 2], [2, 3], [3, 4], [5, 6], [6, 1], [4, 5]]
    kinds = ["primary", "footway", "steps", "footway", "footway", "service", "footway"]
    traits = {"layer": [0.0, 0, -1, -2, -1, -1, 0], "is_patrolled": [True] * 7}
    traits["is_patrolled"][3] = False
    network = build_small_network(places, ways, kinds=kinds, traits=traits)
    assert set(network.parts.piece_way) == {0, 1, 4, 5, 6}
    assert set(network.walkable.parts.piece_way) == set(range(7))


def test_islands_are_left_out_and_counted():
    """Streets that hang together with nothing are left out, the part with most metres stays."""
    left_out = LeftOut()
    places = [(0, 0), (300, 0), (0, 500), (60, 500), (60, 560), (0, 560)]
    network = build_small_network(
        places, [[0, 1], [2, 3], [3, 4], [4, 5], [5, 2]], left_out=left_out
    )
    assert network.metres == pytest.approx(300)
    assert [str(row) for row in left_out.rows] == [
        "streets: 8 left out, not connected to the rest (pieces)"
    ]


def test_no_street_inside_the_limits_is_an_empty_network():
    """Limits that hold no street give a network without pieces, not an error."""
    network = build_small_network(
        [(0, 0), (300, 0)], [[0, 1]], limits=shapely.box(900, 900, 999, 999)
    )
    assert len(network) == 0
    assert network.metres == 0
