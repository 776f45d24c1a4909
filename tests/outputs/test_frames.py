"""Tables of patrols, stops, legs and hotspots: any file holds them, and a map shows them."""

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
from weeks_by_hand import build_week

import patrolplan as pp
from patrolplan.outputs.geopackage import build_plan_layers
from patrolplan.team.week import Duty

DAY = dt.date(2026, 11, 30)


@pytest.fixture(scope="module")
def tables(demo_plan):
    """All tables of the demo's plan, by name."""
    return {
        "risk": demo_plan.risk.frame(),
        "patrols": pp.frame_patrols(demo_plan),
        "stops": pp.frame_stops(demo_plan),
        "legs": pp.frame_legs(demo_plan),
        "hotspots": pp.frame_hotspots(demo_plan.area, demo_plan.risk, demo_plan.hotspots),
    }


@pytest.fixture(scope="module")
def week(demo_plan):
    """Two duties of the demo's plan: as much of a week as tables need."""
    duties = tuple(
        Duty(officer, patrol.urn, DAY, patrol.start_minutes, patrol.end_minutes, 0, patrol, 900.0)
        for officer, patrol in zip(("SSO-01", "SSO-02"), demo_plan.patrols, strict=False)
    )
    return build_week(demo_plan, (DAY,), duties)


def test_layers_of_the_plan_are_these_tables(demo_plan, tables):
    """One concept has one home: the GeoPackage holds what the analyst gets."""
    layers = build_plan_layers(demo_plan)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(pd.DataFrame(layers[name]), pd.DataFrame(table))


@pytest.mark.parametrize("name", ["risk", "patrols", "stops", "legs", "hotspots"])
@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "parquet"])
def test_any_file_holds_them(tables, name, suffix, tmp_path):
    """Written and read, a table has its rows, its columns, and one geometry."""
    table, path = tables[name], tmp_path / f"table.{suffix}"
    assert (table.dtypes == "geometry").sum() == 1
    if suffix == "parquet":
        table.to_parquet(path)
        back = gpd.read_parquet(path)
    else:
        table.to_file(path)
        back = gpd.read_file(path)
    assert len(back) == len(table) > 0
    assert set(back.columns) == set(table.columns)
    assert back.crs == (table.crs if suffix != "geojson" else back.crs)


def test_numbers_are_those_of_the_plan(demo_plan, tables):
    """Rows are counted and summed as the plan's own patrols are."""
    stops = [stop for patrol in demo_plan.patrols for stop in patrol.stops]
    assert len(tables["patrols"]) == len(demo_plan.patrols)
    assert len(tables["stops"]) == len(stops)
    walked = tables["legs"].groupby("urn")["metres"].sum()
    wanted = pd.Series(dtype=float)
    for patrol in demo_plan.patrols:
        if patrol.legs:
            wanted[patrol.urn] = wanted.get(patrol.urn, 0.0) + patrol.walked_metres
    pd.testing.assert_series_equal(walked, wanted, check_names=False, check_index_type=False)
    first = tables["stops"].iloc[0]
    assert (first.geometry.x, first.geometry.y) == (stops[0].x, stops[0].y)
