"""Which ways are walked and patrolled, how a bicycle goes along them, and how a road is crossed."""

import pytest

from patrolplan.inputs import osm_tags
from patrolplan.inputs.osm_tags import Riding, classify_riding, is_walkable

# fmt: off
CASES = {
    # Roads and tracks are ridden, footways only where invited, steps never; `bicycle` decides.
    "riding": (lambda tags: classify_riding(tags).how, {
        "ride": "residential | primary | cycleway | track | residential vehicle=no bicycle=yes | "
            "residential motor_vehicle=no | trunk bicycle=yes | footway bicycle=yes | "
            "path bicycle=designated | pedestrian bicycle=permissive",
        "push": "residential bicycle=no | residential bicycle=dismount | residential vehicle=no | "
            "service access=private foot=yes | trunk | footway | path | pedestrian | "
            "steps ramp:bicycle=yes | something_new",
        "carry": "steps | steps bicycle=yes",
    }),
    # One-way streets count for bicycles, unless their own tag or a lane against lifts that.
    "one way": (lambda tags: classify_riding({"highway": "residential"} | tags).one_way, {
        0: "- | oneway=no | junction=roundabout oneway=no | oneway=yes oneway:bicycle=no | "
            "oneway=-1 oneway:bicycle=no | oneway=yes cycleway=opposite | "
            "oneway=yes cycleway:right=opposite_lane | "
            "oneway=yes cycleway:right=lane cycleway:right:oneway=-1 | "
            "oneway=yes cycleway:left=track cycleway:left:oneway=no",
        1: "oneway=yes | oneway=1 | junction=roundabout | oneway:bicycle=yes | "
            "oneway=yes cycleway:left=lane | oneway=yes oneway:bicycle=yes cycleway=opposite",
        -1: "oneway=-1 | oneway=reverse | oneway=no oneway:bicycle=-1",
    }),
    # Not what is private, indoor, unbuilt or for motors; `foot` overrules `access`.
    "walkable": (is_walkable, {
        True: "residential | residential oneway=yes | primary oneway=-1 | "
            "footway tunnel=yes layer=-1 | steps bridge=yes | pedestrian area=yes | cycleway | "
            "service access=private foot=yes | footway access=no foot=designated | "
            "service access=permissive | footway indoor=no | living_street motor_vehicle=no",
        False: "- | building=yes | waterway=river | railway=rail foot=yes | highway= | "
            "service access=private | service access=no | residential foot=no | "
            "footway access=yes foot=private | footway indoor=yes | footway indoor=yes foot=yes | "
            "corridor foot=yes",
    }),
    # A barrier is closed by `access` or `foot`; `foot` decides, `bicycle` does not count.
    "closed barrier": (osm_tags.is_closed_barrier, {
        True: "barrier=yes access=no | barrier=gate access=private | barrier=gate foot=no | "
            "barrier=gate foot=private access=yes",
        False: "barrier=bollard access=no foot=yes | "
            "barrier=gate access=private foot=permissive | barrier=gate bicycle=no | "
            "barrier=gate access=customers | barrier=no access=no | barrier= access=no | "
            "access=no | -",
    }),
    # Passages and platforms below ground, escalators, outlines of squares; underpasses are.
    "patrolled": (osm_tags.is_patrolled, {
        True: "residential | footway tunnel=yes layer=-1 | steps tunnel=yes layer=-1 | "
            "footway tunnel=yes | primary tunnel=yes layer=-2 | footway layer=1 level=1 | "
            "footway level=0-1 | steps conveying=no | footway railway=platform | "
            "pedestrian area=no | footway level=ground",
        False: "footway layer=-2 | footway level=-1 | steps level=-1;0 | steps level=-2--1 | "
            "footway location=underground | steps conveying=forward | "
            "footway railway=platform layer=-1 | footway public_transport=platform tunnel=yes | "
            "pedestrian area=yes",
    }),
    # By its layer; without one a bridge is above ground, and a tunnel below.
    "layer": (osm_tags.get_layer, {
        0.0: "- | bridge=no | tunnel=building_passage | layer=unknown", 2.0: "layer=2 bridge=yes",
        1.0: "bridge=viaduct | level=1", -1.0: "tunnel=yes | level=-1;0",
    }),
    # Lights before stripes, stripes before an island; what is marked somehow is unknown.
    "crossing": (osm_tags.classify_crossing, {
        "signals": "crossing=traffic_signals | crossing=marked crossing:signals=yes | "
            "crossing_ref=puffin | crossing=traffic_signals crossing:island=yes",
        "zebra": "crossing=zebra | crossing=uncontrolled crossing:markings=no | "
            "crossing=marked crossing:markings=zebra:double",
        "island": "crossing=marked crossing:markings=dots crossing:island=yes | "
            "crossing=unmarked crossing:island=separate",
        "unmarked": "crossing=unmarked crossing:island=no | crossing=no | crossing:markings=no",
        "unknown": "crossing=marked | crossing=yes | -",
    }),
    # One tag for both sides, or one for each; a side that nobody mapped is not known.
    "pavements": (osm_tags.get_sidewalk, {
        "both": "sidewalk=both sidewalk:left=no | sidewalk=yes | "
            "sidewalk:left=yes sidewalk:right=yes",
        "separate": "sidewalk=separate | sidewalk:left=separate sidewalk:right=no",
        "no": "sidewalk:both=no | sidewalk:left=none sidewalk:right=no",
        "": "sidewalk:right=no | -",
    }),
    # A slope in per cent or words; 0 where not known.
    "incline": (osm_tags.get_incline, {
        1: "incline=up | incline=8_% | incline=+5%", -1: "incline=-12% | incline=down",
        0: "incline=0% | incline=steep | -",
    }),
    # Of nodes: lights count at a junction too, unless nobody may cross there.
    "crossing node": (osm_tags.classify_crossing_node, {
        "zebra": "crossing crossing=uncontrolled", "signals": "traffic_signals",
        "unmarked": "traffic_signals crossing=no", "": "- | crossing=zebra",
    }),
    # A tunnel of a way that is not a road is an underpass.
    "passage": (osm_tags.get_passage, {
        "bridge": "footway bridge=viaduct", "underpass": "footway tunnel=yes",
        "tunnel": "primary tunnel=yes", "": "- | bridge=no tunnel=no",
        "covered": "tunnel=building_passage | covered=arcade",
    }),
}
# fmt: on
"""Of each rule its answers, with the tags that get them; a word alone is the kind of highway."""


@pytest.mark.parametrize("rule", CASES)
def test_tags_decide(rule):
    """Every set of tags has the answer that its rule has in words above it."""
    decide, answers = CASES[rule]
    for answer, texts in answers.items():
        for text in texts.split(" | "):
            words = [one if "=" in one else f"highway={one}" for one in text.split() if one != "-"]
            tags = dict(one.split("=", 1) for one in words)
            assert decide(tags) == answer, text


def test_kinds_that_are_no_streets_are_not_walked():
    """Nothing unbuilt, indoor or for motors alone is walked."""
    assert not any(is_walkable({"highway": kind}) for kind in osm_tags.NOT_STREETS)


def test_one_way_footpaths_are_for_others():
    """Who pushes along a footway goes both ways; along a road they keep to its one way."""
    assert classify_riding({"highway": "footway", "oneway": "yes"}).one_way == 0
    assert classify_riding({"highway": "trunk", "oneway": "yes"}) == Riding("push", 1)
    assert classify_riding({"highway": "footway", "bicycle": "yes", "oneway": "yes"}).one_way == 1
