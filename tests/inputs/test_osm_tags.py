"""How a bicycle goes along a way: ridden, pushed or carried, and which way."""

import pytest

from patrolplan.inputs.osm_tags import (
    NOT_STREETS,
    Riding,
    classify_crossing,
    classify_riding,
    get_layer,
    get_sidewalk,
    is_closed_barrier,
    is_patrolled,
    is_walkable,
)


@pytest.mark.parametrize(
    ("tags", "how"),
    [
        ({"highway": "residential"}, "ride"),
        ({"highway": "primary"}, "ride"),
        ({"highway": "cycleway"}, "ride"),
        ({"highway": "track"}, "ride"),
        ({"highway": "residential", "bicycle": "no"}, "push"),
        ({"highway": "residential", "bicycle": "dismount"}, "push"),
        ({"highway": "residential", "vehicle": "no"}, "push"),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, "ride"),
        ({"highway": "residential", "motor_vehicle": "no"}, "ride"),
        ({"highway": "service", "access": "private", "foot": "yes"}, "push"),
        ({"highway": "trunk"}, "push"),
        ({"highway": "trunk", "bicycle": "yes"}, "ride"),
        ({"highway": "footway"}, "push"),
        ({"highway": "footway", "bicycle": "yes"}, "ride"),
        ({"highway": "path"}, "push"),
        ({"highway": "path", "bicycle": "designated"}, "ride"),
        ({"highway": "pedestrian"}, "push"),
        ({"highway": "pedestrian", "bicycle": "permissive"}, "ride"),
        ({"highway": "steps"}, "carry"),
        ({"highway": "steps", "bicycle": "yes"}, "carry"),
        ({"highway": "steps", "ramp:bicycle": "yes"}, "push"),
        ({"highway": "something new"}, "push"),
    ],
)
def test_ridden_pushed_or_carried(tags, how):
    """Roads and tracks are ridden, footways only where invited, steps never; `bicycle` decides."""
    assert classify_riding(tags).how == how


@pytest.mark.parametrize(
    ("tags", "one_way"),
    [
        ({}, 0),
        ({"oneway": "no"}, 0),
        ({"oneway": "yes"}, 1),
        ({"oneway": "1"}, 1),
        ({"oneway": "-1"}, -1),
        ({"oneway": "reverse"}, -1),
        ({"junction": "roundabout"}, 1),
        ({"junction": "roundabout", "oneway": "no"}, 0),
        ({"oneway": "yes", "oneway:bicycle": "no"}, 0),
        ({"oneway": "-1", "oneway:bicycle": "no"}, 0),
        ({"oneway:bicycle": "yes"}, 1),
        ({"oneway": "no", "oneway:bicycle": "-1"}, -1),
        ({"oneway": "yes", "cycleway": "opposite"}, 0),
        ({"oneway": "yes", "cycleway:right": "opposite_lane"}, 0),
        ({"oneway": "yes", "cycleway:right": "lane", "cycleway:right:oneway": "-1"}, 0),
        ({"oneway": "yes", "cycleway:left": "track", "cycleway:left:oneway": "no"}, 0),
        ({"oneway": "yes", "cycleway:left": "lane"}, 1),
        ({"oneway": "yes", "oneway:bicycle": "yes", "cycleway": "opposite"}, 1),
    ],
)
def test_one_way_streets(tags, one_way):
    """One-way streets count for bicycles, unless their own tag or a lane against lifts that."""
    assert classify_riding({"highway": "residential", **tags}) == Riding("ride", one_way)


def test_one_way_footpaths_are_for_others():
    """Who pushes along a footway goes both ways; along a road they keep to its one way."""
    assert classify_riding({"highway": "footway", "oneway": "yes"}).one_way == 0
    assert classify_riding({"highway": "trunk", "oneway": "yes"}) == Riding("push", 1)
    assert classify_riding({"highway": "footway", "bicycle": "yes", "oneway": "yes"}).one_way == 1


OPEN = (
    {"highway": "residential"},
    {"highway": "residential", "oneway": "yes"},
    {"highway": "primary", "oneway": "-1"},
    {"highway": "footway", "tunnel": "yes", "layer": "-1"},
    {"highway": "steps", "bridge": "yes"},
    {"highway": "pedestrian", "area": "yes"},
    {"highway": "cycleway"},
    {"highway": "service", "access": "private", "foot": "yes"},
    {"highway": "footway", "access": "no", "foot": "designated"},
    {"highway": "service", "access": "permissive"},
    {"highway": "footway", "indoor": "no"},
    {"highway": "living_street", "motor_vehicle": "no"},
)
CLOSED = (
    {},
    {"building": "yes"},
    {"waterway": "river"},
    {"railway": "rail", "foot": "yes"},
    {"highway": ""},
    {"highway": "service", "access": "private"},
    {"highway": "service", "access": "no"},
    {"highway": "residential", "foot": "no"},
    {"highway": "footway", "access": "yes", "foot": "private"},
    {"highway": "footway", "indoor": "yes"},
    {"highway": "footway", "indoor": "yes", "foot": "yes"},
    {"highway": "corridor", "foot": "yes"},
    *({"highway": kind} for kind in sorted(NOT_STREETS)),
)


@pytest.mark.parametrize(
    ("tags", "is_open"), [*((one, True) for one in OPEN), *((one, False) for one in CLOSED)]
)
def test_what_is_open_to_people_on_foot(tags, is_open):
    """Not what is private, indoor, unbuilt or for motors; `foot` overrules `access`."""
    assert is_walkable(tags) is is_open


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        ({"barrier": "yes", "access": "no"}, True),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "gate", "foot": "no"}, True),
        ({"barrier": "gate", "foot": "private", "access": "yes"}, True),
        ({"barrier": "bollard", "access": "no", "foot": "yes"}, False),
        ({"barrier": "gate", "access": "private", "foot": "permissive"}, False),
        ({"barrier": "gate", "bicycle": "no"}, False),
        ({"barrier": "gate", "access": "customers"}, False),
        ({"barrier": "no", "access": "no"}, False),
        ({"barrier": "", "access": "no"}, False),
        ({"access": "no"}, False),
        ({}, False),
    ],
)
def test_what_closes_a_barrier_on_foot(tags, closed):
    """A barrier is closed by `access` or `foot`; `foot` decides, and `bicycle` does not count."""
    assert is_closed_barrier(tags) is closed


@pytest.mark.parametrize(
    ("tags", "patrolled"),
    [
        ({"highway": "residential"}, True),
        ({"highway": "footway", "tunnel": "yes", "layer": "-1"}, True),
        ({"highway": "steps", "tunnel": "yes", "layer": "-1"}, True),
        ({"highway": "footway", "tunnel": "yes"}, True),
        ({"highway": "primary", "tunnel": "yes", "layer": "-2"}, True),
        ({"highway": "footway", "layer": "1", "level": "1"}, True),
        ({"highway": "footway", "level": "0-1"}, True),
        ({"highway": "footway", "layer": "-2"}, False),
        ({"highway": "footway", "level": "-1"}, False),
        ({"highway": "steps", "level": "-1;0"}, False),
        ({"highway": "steps", "level": "-2--1"}, False),
        ({"highway": "footway", "location": "underground"}, False),
        ({"highway": "steps", "conveying": "forward"}, False),
        ({"highway": "steps", "conveying": "no"}, True),
        ({"highway": "footway", "railway": "platform", "layer": "-1"}, False),
        ({"highway": "footway", "public_transport": "platform", "tunnel": "yes"}, False),
        ({"highway": "footway", "railway": "platform"}, True),
        ({"highway": "pedestrian", "area": "yes"}, False),
        ({"highway": "pedestrian", "area": "no"}, True),
        ({"highway": "footway", "level": "ground"}, True),
    ],
)
def test_what_is_walked_but_not_patrolled(tags, patrolled):
    """Passages and platforms below ground, escalators and outlines of squares; underpasses are."""
    assert is_walkable(tags)
    assert is_patrolled(tags) is patrolled


@pytest.mark.parametrize(
    ("tags", "layer"),
    [
        ({}, 0.0),
        ({"layer": "2", "bridge": "yes"}, 2.0),
        ({"bridge": "viaduct"}, 1.0),
        ({"bridge": "no"}, 0.0),
        ({"tunnel": "yes"}, -1.0),
        ({"tunnel": "building_passage"}, 0.0),
        ({"level": "1"}, 1.0),
        ({"level": "-1;0"}, -1.0),
        ({"layer": "unknown"}, 0.0),
    ],
)
def test_how_high_a_way_runs(tags, layer):
    """By its layer; without one a bridge is above ground, and a tunnel below."""
    assert get_layer(tags) == layer


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"crossing": "traffic_signals"}, "signals"),
        ({"crossing": "marked", "crossing:signals": "yes"}, "signals"),
        ({"crossing_ref": "puffin"}, "signals"),
        ({"crossing": "traffic_signals", "crossing:island": "yes"}, "signals"),
        ({"crossing": "zebra"}, "zebra"),
        ({"crossing": "uncontrolled", "crossing:markings": "no"}, "zebra"),
        ({"crossing": "marked", "crossing:markings": "zebra:double"}, "zebra"),
        ({"crossing": "marked", "crossing:markings": "dots", "crossing:island": "yes"}, "island"),
        ({"crossing": "unmarked", "crossing:island": "separate"}, "island"),
        ({"crossing": "unmarked", "crossing:island": "no"}, "unmarked"),
        ({"crossing": "no"}, "unmarked"),
        ({"crossing:markings": "no"}, "unmarked"),
        ({"crossing": "marked"}, "unknown"),
        ({"crossing": "yes"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_how_a_crossing_is_used(tags, kind):
    """Lights come before stripes, stripes before an island; what is marked somehow is unknown."""
    assert classify_crossing(tags) == kind


@pytest.mark.parametrize(
    ("tags", "sidewalk"),
    [
        ({"sidewalk": "both", "sidewalk:left": "no"}, "both"),
        ({"sidewalk": "yes"}, "both"),
        ({"sidewalk": "separate"}, "separate"),
        ({"sidewalk:both": "no"}, "no"),
        ({"sidewalk:left": "yes", "sidewalk:right": "yes"}, "both"),
        ({"sidewalk:left": "separate", "sidewalk:right": "no"}, "separate"),
        ({"sidewalk:left": "none", "sidewalk:right": "no"}, "no"),
        ({"sidewalk:right": "no"}, ""),
        ({}, ""),
    ],
)
def test_which_pavements_a_way_has(tags, sidewalk):
    """One tag for both sides, or one for each; a side that nobody mapped is not known."""
    assert get_sidewalk(tags) == sidewalk
