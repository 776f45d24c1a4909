"""GPX of a school's patrols: what another reader finds in it is what the plan says."""

import dataclasses
import datetime as dt
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gpxpy
import gpxpy.gpx
import numpy as np
import pandas as pd
import pytest

from patrolplan.crs import Projection
from patrolplan.hotspots.reasons import ReportsReason, TrendReason
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.wording import format_grid_reference
from patrolplan.patrols.legs import Leg, Step
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Stop, Tasking
from patrolplan.risk.surface import Risk
from patrolplan.settings import parse_settings

CLEAN = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École ]]> <!-- '
HOSTILE = CLEAN + "\x00\x0b\ufffe"
UNTIL = dt.date(2026, 5, 4)


def _line(*places: tuple[float, float]) -> np.ndarray[Any, Any]:
    return np.add(places, (530_000.0, 181_500.0), dtype=np.float64)


def _leg(*places: tuple[float, float]) -> Leg:
    line = _line(*places)
    metres = float(np.hypot(*np.diff(line, axis=0).T).sum())
    steps = (Step("head east", "Alder Street", metres),)
    return Leg(
        metres=metres,
        moving_minutes=metres / 80,
        unlit_metres=0.0,
        lighting_unknown_metres=0.0,
        steps=steps,
        line=line,
        pieces=np.arange(len(line) - 1),
    )


def _patrol(school: str, number: int) -> Patrol:
    gate, first, second = _line((0, 0), (120, 0), (120, 240)).tolist()
    why = (TrendReason(trend="new"), ReportsReason(time_band=None, factors=("followed",)))
    stops = (
        Stop(
            id="P1-1a",
            hotspot="H1",
            arrive_minutes=927,
            leave_minutes=942,
            place="Alder Street near Elm Street",
            why=why,
            worth=0.2,
            point=tuple(first),
        ),
        Stop(
            id="P1-1b",
            hotspot="H2",
            arrive_minutes=945,
            leave_minutes=960,
            place=school,
            why=(),
            worth=0.1,
            tasking=Tasking("T-1", "robberies after school", "J. Doe", UNTIL),
            point=tuple(second),
        ),
    )
    legs = (
        _leg((0, 0), (60, 0), (120, 0)),
        _leg((120, 0), (120, 240)),
        _leg((120, 240), (120, 0), (0, 0)),
    )
    return Patrol(
        urn="100041",
        school=school,
        number=number,
        point=tuple(gate),
        start_minutes=915,
        gate_until_minutes=925,
        end_minutes=964.5,
        latest_end_minutes=1005,
        worth=0.3,
        bound=0.3,
        proven=True,
        stops=stops,
        legs=legs,
        variants=(),
        notes=(),
    )


def _plan(school: str = "Alder School", officers: int = 1) -> Plan:
    sources = {"crimes": "c.csv", "schools": "s.csv", "streets": "s.osm"}
    settings = parse_settings({"area": {"name": "Toytown"}, "sources": sources}, folder=Path())
    area = SimpleNamespace(settings=settings, name="Toytown", projection=Projection())
    share = np.array([0.5, 0.5])
    months = (pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-01"))
    risk = Risk(share, share, share, "prior", months, times_known=False, snapped=True)
    patrols = tuple(_patrol(school, number) for number in range(1, officers + 1))
    return Plan(cast("Any", area), risk, cast("Any", None), patrols, ())


def _parse(plan: Plan) -> gpxpy.gpx.GPX:
    return gpxpy.parse(render_gpx(plan, "100041"), version="1.1")


def _tree(plan: Plan) -> ET.Element:
    return ET.fromstring(render_gpx(plan, "100041"))


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def test_points_are_the_plans_points() -> None:
    """Another reader finds the gate and each stop where the plan has them, in walking order."""
    plan = _plan()
    patrol, gpx = plan.patrols[0], _parse(plan)
    xy = np.array([(patrol.x, patrol.y), *((stop.x, stop.y) for stop in patrol.stops)])
    longitude, latitude = plan.area.projection.to_degrees(xy[:, 0], xy[:, 1])
    for points in (gpx.waypoints, gpx.routes[0].points[:-1]):
        assert [point.latitude for point in points] == latitude.tolist()
        assert [point.longitude for point in points] == longitude.tolist()
    last = gpx.routes[0].points[-1]
    assert (last.latitude, last.longitude) == (latitude[0], longitude[0])


def test_the_gate_again_and_corners_have_words() -> None:
    """A stop at the gate is called so, and no point has the id of its place."""
    plan = _plan()
    first, second = plan.patrols[0].stops
    gate = dataclasses.replace(first, kind="gate", hotspot="P1-1a", why=())
    corner = dataclasses.replace(second, kind="corner", hotspot="P1-1b", tasking=None)
    patrol = dataclasses.replace(plan.patrols[0], stops=(gate, corner))
    _, again, last = _parse(dataclasses.replace(plan, patrols=(patrol,))).waypoints
    assert again.name == "1. School gate again 15:27"
    assert "Why: Be seen as pupils leave." in str(again.description)
    assert b"P1-1" not in render_gpx(dataclasses.replace(plan, patrols=(patrol,)), "100041")
    assert last.name == "2. Alder School 15:45"


def test_track_follows_the_streets() -> None:
    """The track has a segment for each leg, as long as the walk."""
    plan = _plan()
    track = _parse(plan).tracks[0]
    assert [len(segment.points) for segment in track.segments] == [3, 2, 3]
    assert track.length_2d() == pytest.approx(plan.patrols[0].walked_metres, rel=0.005)


def test_a_place_to_keep_away_from_is_a_way_point() -> None:
    """It stands once for all officers, where it is, and each route's words name it."""
    x, y = _line((60, 60))[0].tolist()
    barred = BarredPlace(
        point=(x, y), place=HOSTILE, tasking=Tasking("T-9", "a crime scene", "A", UNTIL)
    )
    plan = _plan(officers=2)
    patrols = tuple(dataclasses.replace(one, keep_away=(barred,)) for one in plan.patrols)
    gpx = _parse(dataclasses.replace(plan, patrols=patrols))
    (point,) = [one for one in gpx.waypoints if one.type == "keep away"]
    assert point.name == f"\N{MULTIPLICATION SIGN} Keep away: {CLEAN}"
    warning = "T-9: a crime scene (requested by A, until 4 May 2026)."
    assert str(point.description).endswith(warning)
    at = np.ravel(Projection().to_metres([point.longitude], [point.latitude]))
    assert at.tolist() == pytest.approx([x, y], abs=0.1)
    assert all(warning in str(route.description) for route in gpx.routes)


def test_a_tasked_stop_has_a_sign_and_its_own_grid_reference() -> None:
    """Its name begins with the place's id; texts stay text, and how far it is off is in words."""
    plan = _plan()
    patrol = plan.patrols[0]
    tasking = Tasking(HOSTILE, "be seen at this corner", "A", UNTIL)
    first = dataclasses.replace(
        patrol.stops[0], tasking=tasking, tasked_metres=38.0, street="Mill Lane", at="Dock Road"
    )
    first = dataclasses.replace(first, stand="junction")
    stops = (first, *patrol.stops[1:])
    gpx = _parse(dataclasses.replace(plan, patrols=(dataclasses.replace(patrol, stops=stops),)))
    (point,) = [one for one in gpx.waypoints if f"TASKED {CLEAN}," in str(one.name)]
    assert str(point.name).startswith(f"1. TASKED {CLEAN}, Mill Lane, at Dock Road ")
    assert (point.type, point.symbol) == ("stop", "Flag, Red")
    text = str(point.description)
    assert format_grid_reference(first.x, first.y) in text
    assert "Stand 40 m from the place: no street is nearer." in text
    assert "Tasked: be seen at this corner" in text
    assert point.name in [one.name for one in gpx.routes[0].points]


def test_hostile_names_stay_text() -> None:
    """Markup in names is escaped and characters that XML cannot hold are left out."""
    plan = _plan(HOSTILE)
    gpx = _parse(plan)
    assert gpx.routes[0].name == CLEAN
    assert CLEAN in str(gpx.waypoints[0].description)
    assert b"<script>" not in render_gpx(plan, "100041")


def test_nothing_personal_and_no_time_of_making() -> None:
    """The metadata name no author and no time, so equal plans give equal bytes."""
    written = render_gpx(_plan(), "100041")
    assert written == render_gpx(_plan(), "100041")
    root = _tree(_plan())
    tags = {_tag(element) for element in root.iter()}
    assert tags.isdisjoint({"author", "time", "email", "link"})
    assert root[0][0].text == "OFFICIAL: patrol of Alder School, Toytown"
    assert "OpenStreetMap contributors" in str(root[0][1].text)
