"""GPX of a school's patrols: what another reader finds in it is what the plan says."""

import datetime as dt
import xml.etree.ElementTree as ET
from dataclasses import replace

import gpxpy
import numpy as np
import pytest
from outputs.printed import change_settings

from patrolplan.area.square_names import format_grid_reference
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.gpx import render_gpx
from patrolplan.patrols.plan import BarredPlace, Tasking

CLEAN = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École ]]> <!-- '
HOSTILE = CLEAN + "\x00\x0b\ufffe"
TASKING = Tasking("T-9", "be seen at this corner", "A", dt.date(2026, 5, 4))


@pytest.fixture(scope="module")
def patrol(demo_plan):
    """A patrol of the demo borough with two stops and more, and no place to keep away from."""
    first = next(one for one in demo_plan.patrols if len(one.stops) > 1)
    return replace(first, barred=())


def _change(plan, patrol, officers=1, **changes):
    """A plan of this patrol alone, changed, for so many officers."""
    changed = replace(patrol, **changes)
    numbered = (replace(changed, number=one + 1) for one in range(officers))
    return replace(plan, patrols=tuple(numbered))


def _parse(plan):
    return gpxpy.parse(render_gpx(plan, plan.patrols[0].urn), version="1.1")


def test_points_and_track_are_the_plans(demo_plan, patrol):
    """Another reader finds gate, stops and streets where the plan has them, in walking order."""
    plan = _change(demo_plan, patrol)
    gpx = _parse(plan)
    longitude, latitude = plan.area.projection.to_degrees(*patrol.points.T)
    for points in (gpx.waypoints, gpx.routes[0].points[:-1]):
        assert [point.latitude for point in points] == latitude.tolist()
        assert [point.longitude for point in points] == longitude.tolist()
    last = gpx.routes[0].points[-1]
    assert (last.latitude, last.longitude) == (latitude[0], longitude[0])
    track = gpx.tracks[0]
    assert [len(one.points) for one in track.segments] == [len(leg.line) for leg in patrol.legs]
    assert track.length_2d() == pytest.approx(patrol.walked_metres, rel=0.01)


def test_the_gate_again_and_corners_have_words(demo_plan, patrol):
    """A stop at the gate is called so, and no point has the id of its place."""
    first, second = patrol.stops[:2]
    bare = {"tasking": None, "why": ()}
    gate = replace(first, kind="gate", id="P1-1a", hotspot="P1-1a", arrive_minutes=927.0, **bare)
    corner = replace(second, kind="corner", id="P1-1b", hotspot="P1-1b", **bare)
    plan = _change(demo_plan, patrol, stops=(gate, corner), legs=patrol.legs[:3])
    _, again, last = _parse(plan).waypoints
    assert again.name == "1. School gate again 15:27"
    assert "Why: Be seen as pupils leave." in again.description
    assert b"P1-1" not in render_gpx(plan, patrol.urn)
    assert last.name.startswith(f"2. {list_stop_facts(plan.patrols[0], 'EPSG:27700')[1].place} ")


def test_a_place_to_keep_away_from_is_a_way_point(demo_plan, patrol):
    """It stands once for all officers, where it is, and each route's words name it."""
    x, y = patrol.x + 60.0, patrol.y + 60.0
    barred = BarredPlace(point=(x, y), place=HOSTILE, tasking=TASKING)
    gpx = _parse(_change(demo_plan, patrol, officers=2, barred=(barred,)))
    (point,) = [one for one in gpx.waypoints if one.type == "keep away"]
    assert point.name == f"\N{MULTIPLICATION SIGN} Keep away: {CLEAN}"
    warning = "T-9: be seen at this corner (requested by A, until 4 May 2026)."
    assert point.description.endswith(warning)
    at = np.ravel(demo_plan.area.projection.to_metres([point.longitude], [point.latitude]))
    assert at.tolist() == pytest.approx([x, y], abs=0.1)
    assert len(gpx.routes) == 2
    assert all(warning in route.description for route in gpx.routes)


def test_a_tasked_stop_has_a_sign_and_its_own_grid_reference(demo_plan, patrol):
    """It begins with the place's id; how far it is off is said; no text is markup or no XML."""
    where = {"stand": "junction", "street": "Mill Lane", "at": "Dock Road", "tasked_metres": 38.0}
    first = replace(patrol.stops[0], tasking=replace(TASKING, place_id=HOSTILE), **where)
    plan = _change(demo_plan, patrol, stops=(first, *patrol.stops[1:]), school=HOSTILE)
    gpx = _parse(plan)
    assert gpx.routes[0].name == CLEAN
    assert CLEAN in gpx.waypoints[0].description
    assert b"<script>" not in render_gpx(plan, patrol.urn)
    (point,) = [one for one in gpx.waypoints if f"TASKED {CLEAN}," in one.name]
    assert point.name.startswith(f"1. TASKED {CLEAN}, Mill Lane, at Dock Road ")
    assert (point.type, point.symbol) == ("stop", "Flag, Red")
    assert format_grid_reference(*first.point) in point.description
    assert "Stand 40 m from the place: no street is nearer." in point.description
    assert "Tasked: be seen at this corner" in point.description
    assert point.name in [one.name for one in gpx.routes[0].points]


def test_nothing_personal_and_no_time_of_making(demo_plan, patrol):
    """The metadata name no author and no time, so equal plans give equal bytes."""
    plan = replace(demo_plan, area=change_settings(demo_plan.area, area={"name": "Toytown"}))
    written = render_gpx(plan, patrol.urn)
    assert written == render_gpx(plan, patrol.urn)
    root = ET.fromstring(written)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags.isdisjoint({"author", "time", "email", "link"})
    assert root[0][0].text.endswith(f": patrol of {patrol.school}, Toytown")
    assert "OpenStreetMap contributors" in root[0][1].text
