"""A plan for other programs: `plan.json` as documented, and the layers of a GeoPackage."""

import json

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

import patrolplan as pp
from patrolplan.hotspots.carriers import SHARE_STEP
from patrolplan.outputs.geopackage import build_plan_document, build_plan_layers, write_layers
from patrolplan.outputs.output_folder import format_json


@pytest.fixture(scope="module")
def document(demo_plan):
    """The plan of the demo borough as other programs read it."""
    return json.loads(format_json(build_plan_document(demo_plan)))


def test_numbers_agree_with_each_other(document):
    """Walked metres are the legs', and the patrol's worth is the stops' and the gate's."""
    for patrol in document["patrols"]:
        legs = sum(leg["metres"] for leg in patrol["legs"])
        assert patrol["walked_metres"] == pytest.approx(legs, abs=0.1 * (len(patrol["legs"]) + 1))
        worth = sum(stop["worth"] for stop in patrol["stops"])
        # Stops' worth is rounded; the rest of the patrol's is that of the gate.
        assert worth <= (1 + SHARE_STEP) * patrol["worth"]
        assert patrol["worth"] < 1.5 * worth
        for leg in patrol["legs"]:
            steps = sum(step["metres"] for step in leg["directions"])
            assert steps == pytest.approx(leg["metres"], abs=len(leg["directions"]))


def test_small_counts_of_reports_are_not_in_the_document(document):
    """No count of reports below the threshold gets into the document."""
    counts = [row["count"] for row in document["left_out"] if row["source"] == "reports"]
    assert counts
    assert all(count == "fewer than 5" or int(count) >= 5 for count in counts)


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


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
    assert set(pyogrio.list_layers(path)[:, 0]) == {*layers, "layer_styles"}
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


def test_without_pupils_a_patrol_is_worth_its_stops(static_demo_area, static_risk, static_hotspots):
    """Where presence does not count, the gate adds nothing, and a stop is worth its beat."""
    plan = pp.plan_patrols(
        static_demo_area, static_risk, static_hotspots, urns=["900003", "900006"]
    )
    document = build_plan_document(plan)
    worth_of = {hotspot["id"]: hotspot["worth"] for hotspot in document["hotspots"]}
    for patrol in document["patrols"]:
        worth = [stop["worth"] for stop in patrol["stops"]]
        assert patrol["worth"] == pytest.approx(sum(worth), abs=1e-6)
        factors = [
            own / sum(worth_of[name] for name in stop.get("beat", [stop["hotspot"]]))
            for own, stop in zip(worth, patrol["stops"], strict=True)
            if stop["hotspot"] in worth_of
        ]
        assert factors == pytest.approx([factors[0]] * len(factors), rel=1e-4)
