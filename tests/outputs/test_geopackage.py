"""A plan for other programs: `plan.json` as documented, and the layers of a GeoPackage."""

import json
import re

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from patrolplan.outputs.geopackage import build_plan_document, build_plan_layers, write_layers
from patrolplan.outputs.output_folder import format_json

CLOCK = re.compile(r"\d\d:\d\d")


@pytest.fixture(scope="module")
def document(demo_plan):
    """The plan of the demo borough as other programs read it."""
    return json.loads(format_json(build_plan_document(demo_plan)))


def test_what_carries_where_pupils_walk_is_rounded(document, layers):
    """Worth, bound and ratios of patrols and stops are in steps of 0.05 in every file."""
    shown = [layers["patrols"]["worth"], layers["patrols"]["bound"]]
    for patrol in document["patrols"]:
        shown.append([patrol["worth"], patrol["bound"]])
        shown.append([one["worth"] for one in patrol["stops"]])
        shown.append([one["worth_share"] for one in patrol["variants"]])
        shown.append([ratio for ratio in (patrol["reference"] or {}).values() if ratio is not None])
    steps = np.concatenate(shown) / 0.05
    assert np.allclose(steps, steps.round(), atol=1e-6)


def test_how_many_stand_out_is_counted(document, demo_plan):
    """The number at the top is that of the hotspots that are called more than chance."""
    told = ["more than chance" in hotspot["how_sure"] for hotspot in document["hotspots"]]
    reported = demo_plan.hotspots["mainly_reports"] & demo_plan.hotspots["stands_out"]
    assert document["stands_out"] == sum(told) + reported.sum()


def test_numbers_agree_with_each_other(document):
    """Walked metres are the legs', and the stops together are worth no more than the patrol."""
    for patrol in document["patrols"]:
        legs = sum(leg["metres"] for leg in patrol["legs"])
        assert patrol["walked_metres"] == pytest.approx(legs, abs=0.1 * (len(patrol["legs"]) + 1))
        worths = [stop["worth"] for stop in patrol["stops"]]
        assert sum(worths) <= 1 + 0.025 * len(worths) + 1e-9
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
