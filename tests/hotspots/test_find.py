"""Hotspots: stretches with a stopping place, a name and their reasons."""

import numpy as np
import pytest
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.tables import HOTSPOTS


@pytest.fixture(scope="module")
def risk(demo_risk):
    """Risk of the demo borough."""
    return demo_risk


def _with(area, **hotspots):
    changed = area.settings.hotspots.model_copy(update=hotspots)
    settings = area.settings.model_copy(update={"hotspots": changed})
    return pp.StudyArea(**(vars(area) | {"settings": settings}))


@pytest.fixture(scope="module", params=["network", "dbscan", "hdbscan"])
def found(request, demo_area, risk):
    """Area and hotspots by each method."""
    area = _with(demo_area, method=request.param, count=12)
    return area, pp.find_hotspots(area, risk)


def test_methods_give_the_same_columns(found):
    """Whichever method found them, hotspots have the columns of the contract."""
    _, hotspots = found
    assert set(HOTSPOTS.columns) <= set(hotspots.columns)
    assert 1 <= len(hotspots) <= 12


def test_hotspots_are_stretches_of_bounded_length(found):
    """A hotspot is connected, no longer than the settings say, and shares no piece."""
    area, hotspots = found
    pieces = [piece for row in hotspots["pieces"] for piece in row]
    assert len(pieces) == len(set(pieces))
    for row, length in zip(hotspots["pieces"], hotspots["length_metres"], strict=True):
        inside = area.network.neighbours[row][:, row]
        assert csgraph.connected_components(inside, directed=False)[0] == 1
        assert area.network.piece_metres[row].sum() == pytest.approx(length)
        assert length <= 300 + 1e-9


def test_hotspots_are_sorted_by_worth(found, risk):
    """H1 has most risk; worth is the share of the area's risk on the stretch."""
    _, hotspots = found
    worth = [risk.joined[row].sum() for row in hotspots["pieces"]]
    np.testing.assert_allclose(hotspots["worth"], worth)
    assert list(hotspots["worth"]) == sorted(hotspots["worth"], reverse=True)
    assert list(hotspots["hotspot"]) == [f"H{n}" for n in range(1, len(hotspots) + 1)]


def test_stopping_place_is_a_point_of_its_piece(found):
    """The point of a stopping place lies on the piece named, so many metres along it."""
    area, hotspots = found
    for row in hotspots.itertuples():
        line = area.network.piece_lines[row.stop_piece]
        assert row.stop.distance(line.interpolate(row.stop_metres)) < 1e-6
        assert 0 <= row.stop_metres <= area.network.piece_metres[row.stop_piece] + 1e-6


def test_every_hotspot_says_where_and_why(found):
    """A hotspot has a place in words, and at least one reason."""
    _, hotspots = found
    assert (hotspots["place"].str.len() > 3).all()
    assert all(len(row) >= 1 for row in hotspots["reasons"])


def test_count_and_length_follow_the_settings(demo_area, risk):
    """The settings say how many hotspots there are and how long they may be."""
    hotspots = pp.find_hotspots(_with(demo_area, count=5, max_length_metres=120), risk)
    assert len(hotspots) == 5
    assert hotspots["length_metres"].max() <= 120


def test_no_piece_is_longer_than_the_shortest_stretch_allowed(demo_area, risk):
    """Also at the shortest length that the settings allow, no stretch is longer than that."""
    hotspots = pp.find_hotspots(_with(demo_area, count=20, max_length_metres=30), risk)
    assert hotspots["length_metres"].max() <= 30 + 1e-9
