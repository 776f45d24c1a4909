"""A network and places on it are found again in another run."""

import dataclasses

import numpy as np
import pytest
import shapely

from patrolplan.crs import Projection
from patrolplan.inputs.streets import Streets, no_features, ways_table
from patrolplan.network import Positions, StreetNetwork, build_network
from patrolplan.network.network import cached_network, cached_snap
from patrolplan.network.pieces import Pieces
from patrolplan.tables import LeftOut

LIMITS = shapely.box(-10, -10, 250, 250)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def streets():
    """A square, a street that leaves the limits, and one that hangs together with nothing."""
    places = [(0, 0), (200, 3), (200, 200), (0, 200), (900, 0), (50, 50), (90, 60)]
    ways = [[0, 1, 2], [2, 3, 0], [1, 4], [5, 6]]
    nodes = np.array([node for way in ways for node in way])
    return Streets(
        ways=ways_table([(n, f"Street {n}", "residential", "") for n in range(len(ways))]),
        vertex_way=np.repeat(np.arange(len(ways)), [len(way) for way in ways]),
        vertex_node=nodes,
        vertex_xy=np.asarray(places, dtype=np.float64)[nodes],
        features=no_features(Projection()),
    )


def network(limits=LIMITS):
    """The network through the cache, and what it left out."""
    told = LeftOut()
    return cached_network(streets(), Projection(), told, limits=limits), told.rows


def same(one, other):
    """Whether two networks are equal to the last bit."""
    names = [field.name for field in dataclasses.fields(Pieces) if field.name != "ways"]
    arrays = [(getattr(one.parts, name), getattr(other.parts, name)) for name in names]
    arrays.append((one.piece_middle, other.piece_middle))
    equal = all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in arrays)
    return equal and one.parts.ways.equals(other.parts.ways)


def test_a_network_is_cut_once(monkeypatch):
    """A second run cuts nothing, and gives the same streets and the same left out."""
    told = LeftOut()
    plain = build_network(streets(), Projection(), told, limits=LIMITS)
    first, left_out = network()
    monkeypatch.setattr("patrolplan.network.network.build_network", None)
    second, again = network()
    assert same(plain, first)
    assert same(first, second)
    assert [row.reason for row in told.rows] == [
        "outside the area (km)",
        "not connected to the rest (pieces)",
    ]
    assert told.rows == left_out == again


def test_other_limits_are_another_network():
    """The limits belong to what a network is known by."""
    assert len(network()[0]) != len(network(shapely.box(-10, -10, 950, 250))[0])


def test_places_are_snapped_once(monkeypatch):
    """A second run snaps nothing, and gives the same positions."""
    found, _ = network()
    xy = np.array([[10.0, 4.0], [140.0, 190.0], [0.0, 0.0]])
    plain, first = found.snap(xy), cached_snap(found, xy)
    monkeypatch.setattr(StreetNetwork, "snap", None)
    again = cached_snap(network()[0], xy)
    for field in dataclasses.fields(Positions):
        wanted = getattr(plain, field.name)
        for got in (getattr(first, field.name), getattr(again, field.name)):
            assert np.array_equal(wanted, got)
            assert wanted.dtype == got.dtype
