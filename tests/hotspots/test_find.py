"""Hotspots: stretches with a stopping place, a name and their reasons."""

import numpy as np
import pytest
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.tables import HOTSPOTS


def _with(area, **hotspots):
    changed = area.settings.hotspots.model_copy(update=hotspots)
    settings = area.settings.model_copy(update={"hotspots": changed})
    return pp.StudyArea(**(vars(area) | {"settings": settings}))


@pytest.fixture(scope="module", params=["network", "dbscan", "hdbscan"])
def found(request, demo_area, demo_risk):
    """Area and hotspots by each method."""
    area = _with(demo_area, method=request.param, count=12)
    return area, pp.find_hotspots(area, demo_risk)


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


def test_hotspots_have_their_columns_and_are_sorted_by_worth(found, demo_risk):
    """H1 has most risk, worth is the share of it on the stretch; each says where and why."""
    _, hotspots = found
    assert set(HOTSPOTS.columns) <= set(hotspots.columns)
    assert 1 <= len(hotspots) <= 12
    worth = [demo_risk.joined[row].sum() for row in hotspots["pieces"]]
    np.testing.assert_allclose(hotspots["worth"], worth)
    assert list(hotspots["worth"]) == sorted(hotspots["worth"], reverse=True)
    assert list(hotspots["hotspot"]) == [f"H{n}" for n in range(1, len(hotspots) + 1)]
    assert (hotspots["place"].str.len() > 3).all()
    assert all(list_reasons(hotspots))


def test_stopping_place_is_a_point_of_its_piece(found):
    """The point of a stopping place lies on the piece named, so many metres along it."""
    area, hotspots = found
    for row in hotspots.itertuples():
        line = area.network.piece_lines[row.stop_piece]
        (point,) = line.interpolate(row.stop_metres).coords
        assert (row.stop_x, row.stop_y) == pytest.approx(point, abs=1e-6)
        assert 0 <= row.stop_metres <= area.network.piece_metres[row.stop_piece] + 1e-6


@pytest.mark.parametrize(("count", "metres"), [(5, 120), (20, 30)])
def test_count_and_length_follow_the_settings(demo_area, demo_risk, count, metres):
    """The settings say how many hotspots there are and how long they may be, down to a piece."""
    area = _with(demo_area, count=count, max_length_metres=metres)
    hotspots = pp.find_hotspots(area, demo_risk)
    assert len(hotspots) == count
    assert hotspots["length_metres"].max() <= metres + 1e-9
