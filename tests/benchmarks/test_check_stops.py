"""The check of stops finds nothing on the demo, and finds what is changed for the worse."""

import dataclasses
import datetime as dt
import json
from copy import deepcopy

import check_stops
import numpy as np
import pytest
import shapely

from patrolplan.patrols.plan import build_patrol_document

WINTER_DAY = dt.date(2026, 12, 1)


@pytest.fixture(scope="module")
def outings(demo_plan):
    """The patrols of the demo as `plan.json` has them, as if for a winter day, without cards."""
    projection = demo_plan.area.projection
    patrols = [build_patrol_document(patrol, projection) for patrol in demo_plan.patrols]
    return [
        check_stops.Outing(patrol, WINTER_DAY, "") for patrol in json.loads(json.dumps(patrols))
    ]


def _change(outing, words="", **fields):
    """The outing with some fields of its first stop changed, and other words on its card."""
    patrol = deepcopy(outing.patrol)
    patrol["stops"][0].update(fields)
    return check_stops.Outing(patrol, outing.date, words)


def _find_kinds(area, outing):
    return {one.kind for one in check_stops.check_outings(area, [outing])}


def _place(area, xy):
    return [float(value[0]) for value in area.projection.to_degrees(*np.array([xy]).T)]


def test_the_demo_is_walked_as_planned(demo_plan, outings):
    """No stop is beside a street, no two are next door, and the stops are counted."""
    summary = check_stops.summarise(demo_plan.area, outings)
    assert summary["findings"] == []
    assert summary["stops"] == sum(len(patrol.stops) for patrol in demo_plan.patrols) > 20


def test_a_stop_on_a_way_beside_a_street_is_found(demo_plan, outings):
    """On a footway or in a service road a few metres from a street with a name."""
    network = demo_plan.area.network.walkable
    is_smaller = np.isin(network.piece_highway, ["footway", "service"])
    streets = np.isin(network.piece_highway, ["residential", "secondary"])
    streets &= network.piece_name != ""
    nearest = shapely.STRtree(network.piece_lines[streets])
    _, metres = nearest.query_nearest(
        shapely.points(network.piece_middle), return_distance=True, all_matches=False
    )
    piece = np.flatnonzero(is_smaller & (metres > 5.0) & (metres < 20.0))[0]
    moved = _change(outings[0], point=_place(demo_plan.area, network.piece_middle[piece]))
    assert "smaller_ways" in _find_kinds(demo_plan.area, moved)


def test_an_unlit_stop_after_sunset_needs_a_word(demo_plan, outings):
    """One that is over by sunset does not, nor one that the card speaks of."""
    network = demo_plan.area.network.walkable
    dark = network.piece_middle[np.flatnonzero(network.piece_lit == "no")[0]]
    point = _place(demo_plan.area, dark)
    for words, leave, is_found in (
        ("", "16:30", True),
        ("No street lighting then at stop 2.", "16:30", True),
        ("No street lighting then at stops 1, 2.", "16:30", False),
        ("", "15:30", False),
    ):
        changed = _change(outings[0], words, point=point, leave=leave)
        assert ("unlit_stops" in _find_kinds(demo_plan.area, changed)) == is_found


def test_stops_next_door_are_found(demo_plan, outings):
    """A walk between two stops of less than 200 m; the way from the gate may be as short."""
    for number, kinds in ((0, set()), (1, {"short_legs"})):
        changed = _change(outings[0])
        changed.patrol["legs"][number]["metres"] = 150.0
        assert _find_kinds(demo_plan.area, changed) == kinds


def test_a_tasking_at_other_hours_must_be_named(demo_plan, outings):
    """A visit before its place's hours is a finding, unless the card names it."""
    area, places = demo_plan.area, demo_plan.area.tasked_places
    for begin, words, kinds in (
        (18 * 60.0, "", {"task_hours"}),
        (18 * 60.0, "T-01 is for 18:00 to 19:00", set()),
        (14 * 60.0, "", set()),
    ):
        hours = places.assign(from_minutes=begin, to_minutes=19 * 60.0)
        changed = dataclasses.replace(area, tasked_places=hours)
        assert _find_kinds(changed, _change(outings[0], words)) == kinds


def test_stops_soon_after_the_bell_are_counted(demo_plan, outings):
    """The share is that of stops whose first minute is within 45 of the bell."""
    area = demo_plan.area
    bells = area.schools.set_index("urn")["finish_time"]
    one = deepcopy(outings[0])
    hour, minute = map(int, bells[one.patrol["urn"]].split(":"))
    for stop, later in zip(one.patrol["stops"], (10, 45, 46), strict=True):
        at = 60 * hour + minute + later
        stop["arrive"] = f"{at // 60:02d}:{at % 60:02d}"
    assert check_stops.compute_bell_share(area, [one]) == pytest.approx(2 / 3)
