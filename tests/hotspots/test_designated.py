"""The force's hotspots stand next to ours, and no piece of street is in two of them."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hexagons import make_hexagons
from scipy.sparse import csgraph

import patrolplan as pp
from patrolplan.area.designated import NO_STREET, find_designated_pieces, select_designated
from patrolplan.area.load_report import LoadReport
from patrolplan.errors import InputError
from patrolplan.hotspots.find import locate_hotspots, rate_hotspots
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


def test_a_polygon_without_any_risk_is_a_hotspot_all_the_same(area, static_risk):
    """One stands somewhere in it, and it is worth nothing."""
    pieces = find_designated_pieces(area)[0]
    joined = static_risk.joined.copy()
    joined[pieces] = 0.0
    found = locate_hotspots(area, replace(static_risk, joined=joined)).set_index("hotspot")
    assert found.loc["HO-0", "worth"] == 0
    assert len(found.loc["HO-0", "pieces"]) > 0


def test_the_first_reason_is_that_the_force_designates_it(area, static_risk):
    """It stays first when the hotspots are rated in another window."""
    days = [["fri"], *[list(ALL_DAYS)] * 5]
    table = area.designated.assign(name="Mill", days=days, **{"from": "15:00", "to": "17:00"})
    some = replace(area, designated=table)
    found = pp.find_hotspots(some, static_risk)
    again = rate_hotspots(some, static_risk, found)
    for frame in (found, again):
        first = frame.set_index("hotspot").loc["HO-0", "reasons"][0]
        assert (first.kind, first.place_id, first.name) == ("designated", "HO-0", "Mill")
        assert (first.days, first.hours) == (("fri",), "15:00-17:00")
        ours = frame[frame["kind"] == "hotspot"]["reasons"]
        assert not any(one.kind == "designated" for reasons in ours for one in reasons)


def test_polygons_without_a_street_are_left_out_and_counted(area):
    """So is one that an earlier row covers whole; where none has a street, that is a problem."""
    table = area.designated.iloc[[0, 0, 1]].assign(place_id=["A", "B", "C"])
    far = table.iloc[[0]].assign(place_id="D")
    far.geometry = far.translate(1e6)
    report = LoadReport()
    rows = pd.concat([table, far], ignore_index=True)
    chosen = select_designated(rows, area.network, report)
    assert chosen["place_id"].tolist() == ["A", "C"]
    assert [(row.reason, row.count) for row in report.left_out.rows] == [(NO_STREET, 2)]
    select_designated(far, area.network, report)
    with pytest.raises(InputError, match="none of the 1 polygons has a street"):
        report.raise_if_any()
