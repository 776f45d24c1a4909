"""Patrols by bicycle: signs are obeyed, times add up, and pushed stretches are marked."""

import gzip
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise, zip_longest

import numpy as np
import pytest
import shapely
from pydantic import TypeAdapter

import patrolplan as pp
from patrolplan.patrols.file_forms import write_record
from patrolplan.patrols.plan import Patrol

WALK, RIDE = 4.8 * 1000 / 60, 12 * 1000 / 60


@pytest.fixture(scope="module")
def area(static_demo_area):
    """The demo borough with patrols by bicycle and nothing tasked."""
    is_ridden = pp.with_settings(static_demo_area, patrol={"way": "bicycle"})
    return replace(is_ridden, tasked_places=is_ridden.tasked_places.iloc[:0])


@pytest.fixture(scope="module")
def plan(area, static_risk, static_hotspots):
    """Patrols by bicycle of every other school of the demo borough."""
    urns = list(area.schools["urn"].iloc[1::2])
    return pp.plan_patrols(area, static_risk, static_hotspots, urns=urns, for_week=False)


@pytest.fixture(scope="module")
def signs(demo_area):
    """The tags of every way of the demo borough, read without the project's reader."""
    with gzip.open(demo_area.settings.find_files("streets")[0]) as stream:
        root = ET.parse(stream).getroot()
    return {
        int(way.get("id")): {tag.get("k"): tag.get("v") for tag in way.iter("tag")}
        for way in root.iter("way")
    }


def _passes(area, leg):
    """Way, whether against its direction, and metres, of each piece that a leg goes along."""
    network = area.network.walkable
    ways = network.parts.ways["osm_id"].to_numpy()[network.parts.piece_way]
    # A piece that other stops cut comes in parts.
    pieces = leg.pieces[np.r_[True, leg.pieces[1:] != leg.pieces[:-1]]]
    nodes = network.piece_nodes[pieces]
    joints = [set(one) & set(other) for one, other in pairwise(nodes.tolist())]
    # A ring of two pieces could be entered at either end: it tells nothing.
    places = [None if len(joint) != 1 else network.node_xy[joint.pop()] for joint in joints]
    places = [leg.line[0], *places, leg.line[-1]]
    for piece, (before, after) in zip(pieces, pairwise(places), strict=True):
        if before is None or after is None:
            continue
        ends = shapely.points(np.array([before, after]))
        start, end = shapely.line_locate_point(network.piece_lines[piece], ends)
        if abs(end - start) > 0.5:
            yield int(ways[piece]), bool(end < start), float(abs(end - start))


def test_signs_are_obeyed_footways_pushed_and_roads_ridden(area, plan, signs):
    """Never against a one-way street; pushed are footways, trunk roads and steps."""
    walked, seen = {"footway", "pedestrian", "path", "steps", "trunk"}, 0
    for leg in (leg for patrol in plan.patrols for leg in patrol.legs):
        pushed = 0.0
        for way, against, metres in _passes(area, leg):
            if signs[way].get("oneway") == "yes":
                seen += 1
                assert not against, way
            if signs[way]["highway"] in walked and signs[way].get("bicycle") != "yes":
                pushed += metres
        assert leg.pushed_metres == pytest.approx(pushed, abs=1)
    assert seen > 0


def test_times_add_up_at_both_speeds(plan):
    """A leg takes its ridden metres at 12 km/h and its pushed ones at walking speed."""
    for patrol in plan.patrols:
        now = patrol.gate_until_minutes
        for leg, stop in zip_longest(patrol.legs, patrol.stops):
            if not any(step.way == "carry" for step in leg.steps):
                ridden = leg.metres - leg.pushed_metres
                assert leg.minutes == pytest.approx(ridden / RIDE + leg.pushed_metres / WALK)
            now += leg.minutes
            if stop:
                assert stop.arrive_minutes == pytest.approx(now)
                now = stop.leave_minutes
        assert now - 1e-6 <= patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
        assert patrol.way == "bicycle"


def test_rides_are_the_same_read_from_a_file(plan, area):
    """A file has which parts are ridden and which are pushed."""
    assert any(len(patrol.stops) > 1 for patrol in plan.patrols)
    for patrol in plan.patrols:
        document = write_record(patrol, area.projection)
        text = json.loads(json.dumps(document))
        back = TypeAdapter(Patrol).validate_python(text, context={"projection": area.projection})
        ways, again = ([s.way for leg in one.legs for s in leg.steps] for one in (patrol, back))
        assert (back.way, again) == ("bicycle", ways)
        assert back.pushed_metres == pytest.approx(patrol.pushed_metres, abs=0.5)
        assert write_record(back, area.projection) == document
