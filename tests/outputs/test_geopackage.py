"""The layers of a GeoPackage."""

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from patrolplan.outputs.geopackage import build_plan_layers, write_layers


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


def test_layers_are_those_of_the_contracts(layers, demo_plan):
    """There are the six layers, in the area's CRS, with a row for each thing."""
    assert set(layers) == {"risk", "hotspots", "patrols", "stops", "legs", "schools"}
    assert len(layers["risk"]) == len(demo_plan.area.network)
    assert len(layers["hotspots"]) == len(demo_plan.hotspots)
    assert len(layers["patrols"]) == len(demo_plan.patrols)
    assert len(layers["stops"]) == sum(len(patrol.stops) for patrol in demo_plan.patrols)
    assert len(layers["legs"]) == sum(len(patrol.legs) for patrol in demo_plan.patrols)
    for frame in layers.values():
        assert frame.crs == "EPSG:27700"


def test_risk_layer_sums_to_one(layers):
    """Risk, and each voice, sums to one over the streets; by the metre it is the same risk."""
    risk = layers["risk"]
    for voice in ("crime", "reports", "risk"):
        assert risk[voice].sum() == pytest.approx(1)
    np.testing.assert_allclose(risk["risk_per_metre"] * risk["metres"], risk["risk"])


def test_legs_and_stops_lie_where_the_plan_says(layers, demo_plan):
    """The layer's lines are the legs' and its points the stops', in their order."""
    legs = [leg for patrol in demo_plan.patrols for leg in patrol.legs]
    for line, leg in zip(layers["legs"].geometry, legs, strict=True):
        assert line.length == pytest.approx(leg.metres, abs=0.05)
    stops = [stop for patrol in demo_plan.patrols for stop in patrol.stops]
    for point, stop in zip(layers["stops"].geometry, stops, strict=True):
        assert (point.x, point.y) == (stop.x, stop.y)


def test_written_layers_are_read_back(layers, tmp_path):
    """A GeoPackage holds every layer with its rows, columns and shapes."""
    path = tmp_path / "plan.gpkg"
    write_layers(path, layers)
    assert set(pyogrio.list_layers(path)[:, 0]) == set(layers)
    for name, frame in layers.items():
        back = gpd.read_file(path, layer=name)
        assert len(back) == len(frame)
        assert set(back.columns) == set(frame.columns)
        written = shapely.get_coordinates(frame.geometry.values)
        np.testing.assert_allclose(shapely.get_coordinates(back.geometry.values), written)


def test_the_same_layers_give_the_same_bytes(layers, tmp_path):
    """Written twice, a GeoPackage is byte for byte the same: no clock time is inside."""
    some = {name: layers[name] for name in ("stops", "schools")}
    write_layers(tmp_path / "1.gpkg", some)
    write_layers(tmp_path / "2.gpkg", some)
    assert (tmp_path / "1.gpkg").read_bytes() == (tmp_path / "2.gpkg").read_bytes()


def test_lines_of_one_and_of_several_parts_share_a_layer(tmp_path):
    """A layer may hold simple and multiple lines, and may be empty."""
    line = shapely.LineString([(0, 0), (1, 1)])
    both = shapely.MultiLineString([[(0, 0), (1, 0)], [(2, 0), (3, 0)]])
    mixed = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[line, both], crs="EPSG:27700")
    write_layers(tmp_path / "m.gpkg", {"mixed": mixed, "none": mixed.iloc[:0]})
    assert len(gpd.read_file(tmp_path / "m.gpkg", layer="mixed")) == 2
    assert len(gpd.read_file(tmp_path / "m.gpkg", layer="none")) == 0
