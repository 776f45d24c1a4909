"""`plan.json`: the contract in degrees and HH:MM."""

import dataclasses
import json
import re

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.outputs.output_folder import format_json
from patrolplan.outputs.planfile import build_plan_document

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
            assert set(stop) >= {"hotspot", "arrive", "leave", "place", "why"}
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
    """A stop is a hotspot of the same document, or a tasked place."""
    known = {hotspot["id"] for hotspot in document["hotspots"]}
    for patrol in document["patrols"]:
        for stop in patrol["stops"]:
            assert stop["hotspot"] in known or stop["tasked"]
        for variant in patrol["variants"]:
            assert len(variant["stops"]) == len(set(variant["stops"]))


def test_numbers_agree_with_each_other(document):
    """Walked metres are the legs', and the patrol's worth is the stops'."""
    for patrol in document["patrols"]:
        legs = sum(leg["metres"] for leg in patrol["legs"])
        assert patrol["walked_metres"] == pytest.approx(legs, abs=0.1 * (len(patrol["legs"]) + 1))
        worth = sum(stop["worth"] for stop in patrol["stops"])
        assert patrol["worth"] == pytest.approx(worth, abs=1e-6)
        for leg in patrol["legs"]:
            steps = sum(step["metres"] for step in leg["directions"])
            assert steps == pytest.approx(leg["metres"], abs=len(leg["directions"]))


def test_small_counts_of_reports_are_not_in_the_document(document):
    """No count of reports below the threshold gets into the document."""
    counts = [row["count"] for row in document["left_out"] if row["source"] == "reports"]
    assert counts
    assert all(count == "fewer than 5" or int(count) >= 5 for count in counts)


def test_no_time_of_creation_is_inside(demo_plan):
    """Made twice, the document has the same bytes, and no date later than the data."""
    one, other = (format_json(build_plan_document(demo_plan)) for _ in range(2))
    assert one == other
    assert not re.search(r"T\d\d:\d\d:\d\d", one)


def test_rides_and_starts_at_the_base_are_told(demo_area, demo_plan):
    """By bicycle each direction says how to go; from the base, when and how to come to the gate."""
    told = {"start": "base", "way": "bicycle"}
    settings = demo_area.settings.model_copy(
        update={"patrol": demo_area.settings.patrol.model_copy(update=told)}
    )
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
    """On foot from the gate the document is what it was before patrols could ride."""
    for patrol in document["patrols"]:
        assert not {"way", "pushed_metres", "starts_at", "approach"} & set(patrol)
        for step in patrol["legs"][0]["directions"]:
            assert set(step) - {"tail_metres"} == {"turn", "street", "metres"}
