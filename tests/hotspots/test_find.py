"""Hotspots: stretches with a stopping place, a name and reasons; the force's beside ours."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from hexagons import designate, make_hexagons
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.area.designated import NO_STREET, find_designated_pieces, select_designated
from patrolplan.area.loading import Loading
from patrolplan.errors import InputError
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.tables import HOTSPOTS


@pytest.fixture(scope="module", params=["network", "dbscan", "hdbscan"])
def found(request, demo_area, demo_risk):
    """Area and hotspots by each method."""
    area = pp.with_settings(demo_area, hotspots={"method": request.param, "count": 12})
    return area, pp.find_hotspots(area, demo_risk)


def check_stretches(network, hotspots, risk, most_metres):
    """Each is connected, has its length and worth, and shares no piece; the first has most."""
    pieces = [piece for row in hotspots["pieces"] for piece in row]
    assert len(pieces) == len(set(pieces))
    for row in hotspots.itertuples():
        inside = network.neighbours[row.pieces][:, row.pieces]
        assert csgraph.connected_components(inside, directed=False)[0] == 1
        assert network.piece_metres[row.pieces].sum() == pytest.approx(row.length_metres)
        assert row.length_metres <= most_metres + 1e-9
        assert row.worth == pytest.approx(risk.joined[row.pieces].sum())
    assert (np.diff(hotspots["worth"].round(12)) <= 0).all()


def test_hotspots_are_bounded_stretches_sorted_by_worth(found, demo_risk):
    """None is longer than the settings say, H1 has most risk, and each says where and why."""
    area, hotspots = found
    check_stretches(area.network, hotspots, demo_risk, 300)
    assert set(HOTSPOTS.names) <= set(hotspots.columns)
    assert 1 <= len(hotspots) <= 12
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
    own = {"count": count, "max_length_metres": metres}
    area = pp.with_settings(demo_area, hotspots=own)
    hotspots = pp.find_hotspots(area, demo_risk)
    assert len(hotspots) == count
    assert hotspots["length_metres"].max() <= metres + 1e-9


@pytest.fixture(scope="module")
def town(static_demo_area):
    """The demo borough with six hexagons, of which neighbours overlap a little."""
    bounds = shapely.total_bounds(static_demo_area.network.piece_lines)
    hexagons = make_hexagons(bounds, 165).geometry.buffer(20)
    middle = shapely.points(static_demo_area.network.piece_middle[: len(static_demo_area.network)])
    count = np.array([shapely.contains(one, middle).sum() for one in hexagons])
    return designate(static_demo_area, *hexagons.iloc[np.argsort(-count)[:6]])


def test_no_piece_is_in_two_hotspots(town, static_risk):
    """Designated ones, of 600 m at most, lie in their polygons; ours have no street of any."""
    found = locate_hotspots(town, static_risk)
    check_stretches(town.network, found, static_risk, 600)
    inside = find_designated_pieces(town)
    own = found[found["kind"] == "hotspot"]
    others = np.concatenate([np.asarray(each) for each in own["pieces"]])
    assert not np.isin(others, np.concatenate(inside)).any()
    named = found[found["kind"] == "designated"].set_index("hotspot")
    assert sorted(named.index) == [f"HO-{number}" for number in range(1, 7)]
    for name, polygon_pieces in zip(town.designated["place_id"], inside, strict=True):
        assert set(named.loc[name, "pieces"]) <= set(polygon_pieces.tolist())
    assert own["hotspot"].tolist() == [f"H{number}" for number in range(1, len(own) + 1)]


def test_polygons_without_a_street_are_left_out_and_counted(town):
    """So is one that an earlier row covers whole; where none has a street, that is a problem."""
    table = town.designated.iloc[[0, 0, 1]].assign(place_id=["A", "B", "C"])
    far = table.iloc[[0]].assign(place_id="D")
    far.geometry = far.translate(1e6)
    loading = Loading(town.settings)
    loading.network = town.network
    loading.tables = SimpleNamespace(designated=pd.concat([table, far], ignore_index=True))
    chosen = select_designated(loading)
    assert chosen["place_id"].tolist() == ["A", "C"]
    assert [(row.reason, row.count) for row in loading.left_out.rows] == [(NO_STREET, 2)]
    loading.tables = SimpleNamespace(designated=far)
    select_designated(loading)
    with pytest.raises(InputError, match="none of the 1 polygons has a street"):
        loading.raise_if_any()
