"""A plan for other programs: `plan.json` as documented, and the layers of a GeoPackage."""

import dataclasses
import json
import re

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

import patrolplan as pp
from patrolplan.outputs.geopackage import build_plan_document, build_plan_layers, write_layers
from patrolplan.outputs.output_folder import format_json

CLOCK = re.compile(r"\d\d:\d\d")


@pytest.fixture(scope="module")
def document(demo_plan):
    """The plan of the demo borough as other programs read it."""
    return json.loads(format_json(build_plan_document(demo_plan)))


def test_document_has_the_keys_of_the_contracts(document):
    """Every key that the contracts name is there."""
    assert document["schema"] == 1
    assert document["area"] == "Eastmere (fictional)"
    assert set(document["created_from"]) >= {"inputs", "settings", "seed", "version"}
    assert set(document["risk"]) >= {"model", "margin", "months", "times_known", "snapped"}
    for hotspot in document["hotspots"]:
        assert set(hotspot) >= {
            "id", "worth", "length_metres", "stop", "place", "reasons", "how_sure",
        }  # fmt: skip
    for patrol in document["patrols"]:
        assert set(patrol) >= {
            "urn", "school", "gate", "start", "end", "worth", "bound", "gap_percent", "proven",
            "walked_metres", "stops", "legs", "variants",
        }  # fmt: skip
        for stop in patrol["stops"]:
            assert set(stop) >= {
                "id", "hotspot", "kind", "tasked", "arrive", "leave", "stands", "place", "point",
                "why",
            }  # fmt: skip
            assert stop["stands"]
            assert all(isinstance(line, str) for line in stop["why"])
        for leg in patrol["legs"]:
            assert set(leg) >= {"metres", "minutes", "streets", "line"}
        for variant in patrol["variants"]:
            assert set(variant) >= {"worth_share", "stops"}
    for row in document["left_out"]:
        assert set(row) == {"source", "reason", "count"}


def test_places_are_degrees_and_times_clock_times(document):
    """Places are longitude and latitude of the demo borough; times are HH:MM in their order."""
    for patrol in document["patrols"]:
        times = [patrol["start"], patrol["gate_until"]]
        times += [stop[key] for stop in patrol["stops"] for key in ("arrive", "leave")]
        times += [patrol["end"], patrol["latest_end"]]
        assert all(CLOCK.fullmatch(time) for time in times)
        assert times == sorted(times)
        lines = [point for leg in patrol["legs"] for point in leg["line"]]
        places = np.array([patrol["gate"], *lines])
        assert ((places[:, 0] > 0.8) & (places[:, 0] < 0.95)).all()
        assert ((places[:, 1] > 51.4) & (places[:, 1] < 51.6)).all()


def test_stops_name_hotspots_of_the_document(document):
    """A stop is a hotspot of the same document, a tasked place, or has the name of its place."""
    hotspots = {hotspot["id"] for hotspot in document["hotspots"]}
    for stop in (stop for patrol in document["patrols"] for stop in patrol["stops"]):
        assert stop["hotspot"] in hotspots or stop["tasked"] or stop["hotspot"] == stop["id"]
        assert hotspots.issuperset(stop["sees"])


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


def test_no_time_of_creation_is_inside(demo_plan):
    """Built twice, the document has the same bytes, and no date later than the data."""
    one, other = (format_json(build_plan_document(demo_plan)) for _ in range(2))
    assert one == other
    assert not re.search(r"T\d\d:\d\d:\d\d", one)


def test_document_describes_rides_and_starts_at_the_base(demo_area, demo_plan):
    """By bicycle each direction says ride, push or carry; from the base, the way to the gate."""
    patrol = demo_area.settings.patrol.model_copy(update={"start": "base", "way": "bicycle"})
    settings = demo_area.settings.model_copy(update={"patrol": patrol})
    area = dataclasses.replace(demo_area, settings=settings, walking_extract=True)
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, urns=["900001"])
    document = build_plan_document(plan)
    [patrol] = document["patrols"]
    assert patrol["way"] == "bicycle"
    assert patrol["starts_at"] == "base"
    assert patrol["set_out"] < patrol["start"]
    assert patrol["approach"]["line"][-1] == patrol["legs"][0]["line"][0]
    steps = [step for leg in patrol["legs"] for step in leg["directions"]]
    assert {step["way"] for step in steps} <= {"ride", "push", "carry"}
    assert any("extract for walking" in note for note in document["notes"])


def test_walks_say_nothing_of_riding(document):
    """A patrol on foot from the gate has no keys about riding or the base."""
    for patrol in document["patrols"]:
        assert not {"way", "pushed_metres", "starts_at", "approach"} & set(patrol)
        for step in (step for leg in patrol["legs"] for step in leg["directions"]):
            assert {"turn", "street", "metres"} <= set(step)
            assert "way" not in step


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


def test_layers_are_those_of_the_contracts(layers, demo_plan):
    """The plan has six layers, in the area's CRS, with a row for each thing."""
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


def test_lines_of_one_and_of_several_parts_share_a_layer(tmp_path):
    """A layer may hold simple and multiple lines, and may be empty."""
    line = shapely.LineString([(0, 0), (1, 1)])
    both = shapely.MultiLineString([[(0, 0), (1, 0)], [(2, 0), (3, 0)]])
    mixed = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[line, both], crs="EPSG:27700")
    write_layers(tmp_path / "m.gpkg", {"mixed": mixed, "none": mixed.iloc[:0]})
    assert len(gpd.read_file(tmp_path / "m.gpkg", layer="mixed")) == 2
    assert len(gpd.read_file(tmp_path / "m.gpkg", layer="none")) == 0
