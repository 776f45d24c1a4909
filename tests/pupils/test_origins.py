"""Homes lie where counts, residents or streets say; riders go to near stops."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from clock_areas import build_empty_tables
from small_networks import build_grid, build_small_network

from patrolplan.pupils.destinations import CATCHMENT_DECAYS, Homes
from patrolplan.pupils.flows import choose_stops, find_stops, grow_tree
from patrolplan.pupils.model import model_pupils

DECAY = np.array([500.0, 900.0])
URN = "1"


@pytest.fixture(scope="module")
def town():
    """A grid of streets of 2 km by 2 km, 100 m apart."""
    return build_grid(21, 100.0)


def _build_tables(network, boxes=(), origins=()):
    names, residents, shapes = zip(*boxes, strict=True) if boxes else ((), (), ())
    areas = gpd.GeoDataFrame(
        {"area": names, "residents": np.array(residents, dtype=float), "aged_5_16": np.nan},
        geometry=[shapely.box(*box) for box in shapes],
        crs=network.projection.crs,
    )
    rows = pd.DataFrame(origins, columns=["urn", "area", "pupils"])
    return replace(build_empty_tables(network.projection), areas=areas, origins=rows)


def _place(network, *tables, xy=(1000, 1000), walkers=(0.0, 420.0), roll=(0.0, 1000.0)):
    """The tree from a gate, walkers on each piece, and all; `tables` are of areas and counts."""
    tree = grow_tree(network, network.snap([xy]), CATCHMENT_DECAYS * DECAY.max())
    homes = Homes(network, _build_tables(network, *tables))
    found = homes.place_walkers(tree, URN, np.array(walkers), np.array(roll))
    on_piece = np.bincount(tree.link_piece, found.link_homes, minlength=len(network))
    return tree, on_piece, found


def test_homes_fall_off_with_distance(town):
    """On like streets walkers' homes a metre fall to a third over the decay distance."""
    tree, on_piece, found = _place(town)
    assert found.total == pytest.approx(420)
    metres = np.full(len(town), np.inf)
    np.minimum.at(metres, tree.link_piece, tree.middle_metres)
    density = on_piece / town.piece_metres
    near, far = (np.flatnonzero(np.abs(metres - away) < 20)[0] for away in (200, 1100))
    expected = np.exp((metres[far] - metres[near]) / DECAY[1])
    assert density[near] / density[far] == pytest.approx(expected)


def test_residents_say_where_homes_are(town):
    """An area with three times the residents, as far away, has three times the homes."""
    boxes = [("W", 3000, (0, 0, 990, 2000)), ("E", 1000, (1010, 0, 2000, 2000))]
    _, on_piece, found = _place(town, boxes)
    x = town.piece_middle[:, 0]
    west, east = on_piece[x < 990].sum(), on_piece[x > 1010].sum()
    assert west / east == pytest.approx(3, rel=0.02)
    assert found.total == pytest.approx(420)


def test_homes_beyond_the_streets_leave_by_the_near_edge(town):
    """Residents east of the town leave over exits in the east, and are all counted."""
    boxes = [("E", 1000, (2300, 800, 2700, 1200))]
    tree, on_piece, found = _place(town, boxes)
    assert on_piece.sum() == 0
    assert found.total == pytest.approx(420)
    used = found.exit_pupils > 1
    x, y = town.node_xy[tree.nodes[found.exits[used]]].T
    assert np.all(x > 1750)
    assert np.average(y, weights=found.exit_pupils[used]) == pytest.approx(1000, abs=60)


def test_a_gate_at_the_edge_has_more_homes_beyond(town):
    """Without residents the mean density goes on beyond the streets: more so near their edge."""
    shares = []
    for xy in ((1000, 1000), (200, 1000), (100, 100)):
        _, _, found = _place(town, xy=xy, walkers=(180.0, 0.0), roll=(300.0, 0.0))
        assert found.total == pytest.approx(180)
        shares.append(found.exit_pupils.sum() / found.total)
    assert shares[0] < 0.15 < shares[1] < shares[2] < 0.8


def test_own_counts_say_where_homes_are(town):
    """Counts of a school's own are used in proportion; those near walk rather than those far."""
    near, far = (900, 900, 1100, 1100), (1600, 1600, 1900, 1900)
    boxes = [("near", 10, near), ("far", 10_000, far)]
    origins = [(URN, "near", 500.0), (URN, "far", 500.0)]
    _, on_piece, found = _place(town, boxes, origins)
    assert found.total == pytest.approx(420)
    x = town.piece_middle[:, 0]
    walkers = on_piece[x < 1200].sum(), on_piece[x > 1200].sum()
    assert walkers[0] > 2 * walkers[1] > 0
    assert sum(walkers) == pytest.approx(420)


def test_pupils_who_live_too_far_do_not_walk(town):
    """Where too few live within reach, fewer walk than the mode share says."""
    boxes = [("near", 10, (900, 900, 1100, 1100)), ("far", 10, (9000, 0, 9500, 500))]
    origins = [(URN, "near", 100.0), (URN, "far", 900.0)]
    _, on_piece, found = _place(town, boxes, origins)
    assert found.total == pytest.approx(100, rel=0.01)
    assert on_piece.sum() == pytest.approx(found.total)


def test_areas_change_the_ways_of_a_whole_area(demo_area):
    """With residents in one corner, the flow goes there; pupils stay conserved."""
    network = demo_area.network
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    middle = (low + high) / 2
    areas = _build_tables(network, [("corner", 5000, (*low, *middle))]).areas
    area = replace(demo_area, way_home=replace(demo_area.way_home, areas=areas))
    before, after = model_pupils(demo_area), model_pupils(area)
    kinds = [note.key for note in after.notes]
    assert "homes_from_areas" in kinds
    assert "homes_from_streets" not in kinds
    is_in = (network.walkable.piece_middle < middle).all(axis=1)
    for old, new in zip(before.schools, after.schools, strict=True):
        assert new.on_streets + new.elsewhere == pytest.approx(new.roll, abs=1e-9)
        share = [one.flow[is_in[one.pieces]].sum() / one.flow.sum() for one in (old, new)]
        assert share[1] > share[0]


def test_riders_go_to_near_stops_where_more_people_board():
    """One spread farther is a third as likely; thrice the boardings have thrice the riders."""
    spread = np.e / (np.e + 1)
    for metres, boardings, chosen in (
        ([100, 300, 700], [1, 1, 1], [spread, 1 - spread, 0]), ([100, 100], [3, 1], [0.75, 0.25]),
        ([10, 20], [0, 0], [0.5, 0.5]), ([700, np.inf], [1, 1], [0, 0]), ([], [], []),
    ):  # fmt: skip
        found = choose_stops(np.array(metres, dtype=float), np.array(boardings, dtype=float), 600)
        np.testing.assert_allclose(found, chosen)


def test_stops_off_the_streets_are_left_out():
    """A stop of the kind near a street stays; unknown boardings count as the mean."""
    network = build_small_network([(0, 0), (300, 0)], [[0, 1]])
    stops = gpd.GeoDataFrame(
        {"kind": ["bus_stop", "bus_stop", "station", "bus_stop"]},
        geometry=gpd.points_from_xy([10, 20, 30, 40], [5, 900, 5, 5]),
        crs=network.projection.crs,
    ).assign(boardings=[8.0, 8.0, 1.0, np.nan])
    found = find_stops(network, stops, "bus_stop")
    np.testing.assert_allclose(network.xy(found.positions), [(10, 0), (40, 0)])
    np.testing.assert_allclose(found.boardings, [1.0, 1.0])
