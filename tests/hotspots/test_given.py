"""Hotspots that were written to a file, reprojected or edited go into a plan again."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import patrolplan as pp

URNS = ["900001", "900003"]


def _list_stops(area, risk, hotspots):
    plan = pp.plan_patrols(area, risk, hotspots, urns=URNS, for_week=False)
    return [
        (stop.id, stop.hotspot, stop.arrive_minutes, stop.place, stop.why)
        for patrol in plan.patrols
        for stop in patrol.stops
    ]


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "parquet"])
@pytest.mark.parametrize("crs", [27700, 4326])
def test_a_file_gives_the_same_patrols(demo_area, demo_risk, demo_hotspots, tmp_path, ending, crs):
    """In the CRS of the area, or in degrees."""
    path, table = tmp_path / f"hotspots.{ending}", demo_hotspots.to_crs(crs)
    if ending == "parquet":
        table.to_parquet(path)
        again = gpd.read_parquet(path)
    else:
        table.to_file(path)
        again = gpd.read_file(path)
    stops = _list_stops(demo_area, demo_risk, demo_hotspots)
    assert len(stops) > 2
    assert _list_stops(demo_area, demo_risk, again) == stops


def test_an_edited_line_is_rated_anew(demo_area, demo_risk, demo_hotspots):
    """Half of a stretch has its own length, worth and stopping place; the others stay."""
    edited, whole = demo_hotspots.copy(), demo_hotspots.geometry[0]
    west, south, east, north = whole.bounds
    edited.loc[0, "geometry"] = whole.intersection(
        shapely.box(west, south, east, (south + north) / 2)
    )
    table = pp.plan_patrols(demo_area, demo_risk, edited, urns=URNS, for_week=False).hotspots
    pieces = table["pieces"][0]
    assert set(pieces) < set(demo_hotspots["pieces"][0])
    assert table["length_metres"][0] == pytest.approx(demo_area.network.piece_metres[pieces].sum())
    assert table["worth"][0] == pytest.approx(demo_risk.joined[pieces].sum())
    assert table["stop_piece"][0] in pieces
    assert table["worth"][1:].tolist() == pytest.approx(demo_hotspots["worth"][1:].tolist())


def test_what_does_not_belong_together_is_refused(demo_area, demo_risk, demo_hotspots):
    """Another window, other settings, another risk, another place: each has its own message."""
    early = pp.estimate_risk(demo_area, window="07:30")
    short = pp.with_settings(demo_area, patrol={"window_minutes": 60})
    other = pp.with_settings(demo_area, risk={"crime_weight": 0.5})
    far = demo_hotspots.set_geometry(demo_hotspots.translate(1e5))
    for area, risk, hotspots, message in (
        (demo_area, early, demo_hotspots, "risk: is of 90 minutes from 07:30"),
        (short, demo_risk, demo_hotspots, "the patrols are of 60 minutes from the bell"),
        (other, demo_risk, demo_hotspots, r"another area, which differs in \[risk\]"),
        (demo_area, demo_risk, pp.find_hotspots(demo_area, early), "found with another risk"),
        (demo_area, demo_risk, far, "no street of the area lies along them"),
        (demo_area, demo_risk, demo_hotspots.set_crs(None, allow_override=True), "without a CRS"),
        (demo_area, demo_risk, demo_hotspots.drop(columns="pieces"), "lack pieces"),
    ):
        with pytest.raises(pp.InputError, match=message):
            pp.plan_patrols(area, risk, hotspots)


def test_a_line_that_was_moved_is_rated_where_it_is(demo_area, demo_risk, demo_hotspots):
    """Also where it is as long as before; one drawn by hand needs a name and a line alone."""
    edited = demo_hotspots.head(12).copy()
    to = demo_hotspots.iloc[17]
    edited.loc[11, ["geometry", "length_metres"]] = [to.geometry, to["length_metres"]]
    drawn = edited.iloc[[0]].assign(
        hotspot="by hand", geometry=[demo_hotspots.geometry[20]], worth=None, length_metres=None,
        stop_piece=None, stop_metres=None, stands_out=None, mainly_reports=None,
    )  # fmt: skip
    given = gpd.GeoDataFrame(pd.concat([edited, drawn], ignore_index=True), crs=edited.crs)
    table = pp.plan_patrols(demo_area, demo_risk, given, urns=URNS, for_week=False).hotspots
    assert table["worth"][11] == pytest.approx(to["worth"])
    assert table["place"][11] == to["place"]
    assert table["worth"].iloc[-1] == pytest.approx(demo_hotspots["worth"][20])
    assert table["stop_piece"].iloc[-1] in table["pieces"].iloc[-1]
