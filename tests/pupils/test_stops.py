"""Riders go to near stops, and to those where more people board."""

import geopandas as gpd
import numpy as np
import pytest
from small_networks import build_small_network

from patrolplan.pupils.destinations import STOP_SPREAD_METRES, choose_stops, find_stops


def test_odds_fall_with_distance():
    """A stop that is one spread farther is a third as likely; one out of reach is not chosen."""
    chosen = choose_stops(np.array([100, 100 + STOP_SPREAD_METRES, 700]), np.ones(3), 600)
    assert chosen.sum() == pytest.approx(1)
    assert chosen[0] / chosen[1] == pytest.approx(np.e)
    assert chosen[2] == 0


def test_boardings_weigh():
    """Of two stops as far away, the one with thrice the boardings has thrice the riders."""
    chosen = choose_stops(np.array([100.0, 100.0]), np.array([3.0, 1.0]), 600)
    np.testing.assert_allclose(chosen, [0.75, 0.25])
    np.testing.assert_allclose(choose_stops(np.array([10.0, 20.0]), np.zeros(2), 600), 0.5)


def test_nobody_rides_without_a_stop_in_reach():
    """The shares are all 0, so that riders are elsewhere."""
    assert choose_stops(np.array([700.0, np.inf]), np.ones(2), 600).sum() == 0
    assert choose_stops(np.empty(0), np.empty(0), 600).sum() == 0


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
