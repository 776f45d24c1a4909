"""The force's hotspots stand next to ours, and no piece of street is in two of them."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hexagons import make_hexagons
from scipy.sparse import csgraph

from patrolplan.area.designated import NO_STREET, find_designated_pieces, select_designated
from patrolplan.area.loading import Loading
from patrolplan.errors import InputError
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.inputs.polygons import ALL_DAYS


def designate(area, polygons, **columns):
    """The area with these polygons as the force's hotspots HO-0, HO-1..., every day at any time."""
    count = len(polygons)
    table = gpd.GeoDataFrame(
        {
            "place_id": [f"HO-{number}" for number in range(count)],
            "name": "",
            "days": [list(ALL_DAYS)] * count,
            "from": "",
            "to": "",
            "minutes": np.nan,
            **columns,
        },
        geometry=list(polygons),
        crs=area.projection.crs,
    )
    return replace(area, designated=table)


@pytest.fixture(scope="module")
def area(static_demo_area):
    """The demo borough with six hexagons, of which neighbours overlap a little."""
    bounds = shapely.total_bounds(static_demo_area.network.piece_lines)
    hexagons = make_hexagons(bounds, 165).geometry.buffer(20)
    middle = shapely.points(static_demo_area.network.piece_middle[: len(static_demo_area.network)])
    count = np.array([shapely.contains(one, middle).sum() for one in hexagons])
    return designate(static_demo_area, hexagons.iloc[np.argsort(-count)[:6]])


def test_no_piece_is_in_two_hotspots(area, static_risk):
    """Each designated one lies in its polygon; ours have no street of any polygon."""
    found = locate_hotspots(area, static_risk)
    pieces = np.concatenate([np.asarray(own) for own in found["pieces"]])
    assert len(np.unique(pieces)) == len(pieces)
    inside = find_designated_pieces(area)
    own = found[found["kind"] == "hotspot"]
    others = np.concatenate([np.asarray(each) for each in own["pieces"]])
    assert not np.isin(others, np.concatenate(inside)).any()
    named = found[found["kind"] == "designated"].set_index("hotspot")
    assert sorted(named.index) == [f"HO-{number}" for number in range(6)]
    for name, polygon_pieces in zip(area.designated["place_id"], inside, strict=True):
        assert set(named.loc[name, "pieces"]) <= set(polygon_pieces.tolist())
    assert own["hotspot"].tolist() == [f"H{number}" for number in range(1, len(own) + 1)]
    assert (np.diff(found["worth"].round(12)) <= 0).all()


def test_a_stretch_is_connected_and_can_be_walked_up_and_down(area, static_risk):
    """None is longer than 600 m, in one part, and worth what lies on it."""
    found = locate_hotspots(area, static_risk)
    for row in found[found["kind"] == "designated"].itertuples():
        assert area.network.piece_metres[row.pieces].sum() == pytest.approx(row.length_metres)
        assert row.length_metres <= 600
        among = area.network.neighbours[row.pieces][:, row.pieces]
        assert csgraph.connected_components(among)[0] == 1
        assert row.worth == pytest.approx(static_risk.joined[row.pieces].sum())


def test_polygons_without_a_street_are_left_out_and_counted(area):
    """So is one that an earlier row covers whole; where none has a street, that is a problem."""
    table = area.designated.iloc[[0, 0, 1]].assign(place_id=["A", "B", "C"])
    far = table.iloc[[0]].assign(place_id="D")
    far.geometry = far.translate(1e6)
    loading = Loading(area.settings)
    loading.network = area.network
    loading.tables = {"designated": pd.concat([table, far], ignore_index=True)}
    chosen = select_designated(loading)
    assert chosen["place_id"].tolist() == ["A", "C"]
    assert [(row.reason, row.count) for row in loading.left_out.rows] == [(NO_STREET, 2)]
    loading.tables = {"designated": far}
    select_designated(loading)
    with pytest.raises(InputError, match="none of the 1 polygons has a street"):
        loading.raise_if_any()
