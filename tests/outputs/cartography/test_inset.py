"""The inset: drawn where signs crowd and hide the way between them, and nowhere else."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import shapely
from outputs.map_checks import assert_labels_apart

from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.cartography.inset import (
    MIN_VISIBLE_POINTS,
    MIN_ZOOM,
    find_inset,
    find_visible_legs,
)
from patrolplan.outputs.cartography.labels import compute_corners
from patrolplan.outputs.cartography.map_content import collect_map_content, fit_patrol_viewport
from patrolplan.patrols.legs import Leg, Step

WIDTH, HEIGHT = 538.0, 380.0
ROUND = [(0, 0), (900, 0), (0, 30), (60, 30), (0, 0)]
"""Metres from the gate: far off and back, then two stops next to the gate."""


def _patrol(patrol, places):
    """A walk from the gate via these places, straight except for a corner on each leg."""
    x, y = patrol.x, patrol.y
    stops = [
        dataclasses.replace(patrol.stops[0], point=(x + east, y + north))
        for east, north in places[1:-1]
    ]
    lines = [
        np.array([(x + a, y + b), (x + a, y + b + 25), (x + c, y + d)])
        for (a, b), (c, d) in pairwise(places)
    ]
    legs = [
        Leg(
            metres=100,
            moving_minutes=1,
            unlit_metres=0.0,
            lighting_unknown_metres=0.0,
            steps=(Step("head east", "A", 100),),
            line=line,
            pieces=np.arange(1),
        )
        for line in lines
    ]
    return dataclasses.replace(patrol, stops=tuple(stops), legs=tuple(legs), keep_away=())


def _collect(plan, patrol):
    return collect_map_content(fit_patrol_viewport(plan, patrol, WIDTH, HEIGHT), plan, patrol)


@pytest.fixture(scope="module")
def crowded(demo_plan):
    """A patrol with the gate and two of three stops in one corner of its map."""
    return _patrol(demo_plan.patrols[8], ROUND)


def test_a_crowded_corner_is_shown_larger(demo_plan, crowded):
    """The inset enlarges the hidden legs so that they can be followed, and hides none itself."""
    content = _collect(demo_plan, crowded)
    inset = find_inset(content)
    assert content.viewport.metres_per_point / inset.viewport.metres_per_point >= MIN_ZOOM
    assert inset.leg_numbers >= {2}
    assert inset.leg_numbers <= set(
        find_visible_legs(collect_map_content(inset.viewport, demo_plan, crowded))
    )
    [box], [shown] = (
        shapely.polygons(compute_corners(part)) for part in (inset.box, inset.enlarged_box)
    )
    assert not box.intersects(shapely.union_all([content.route, content.marker_area, shown]))
    assert shapely.box(-0.1, -0.1, WIDTH + 0.1, HEIGHT + 0.1).contains(box)


def test_every_leg_has_a_tag_on_map_or_inset(demo_plan, crowded):
    """On map and inset together every leg has its tag, and no words overlap."""
    picture = draw_patrol_map(demo_plan, crowded, width=WIDTH, height=HEIGHT)
    assert {"G→1", "1→2", "2→3", "3→G"} <= set(picture.label_texts)
    assert picture.label_texts.count("2→3") == 1
    assert picture.label_texts.count("3") == 2
    assert_labels_apart(picture, round_signs=True)


def test_maps_that_can_be_read_have_no_inset(demo_plan):
    """Where each leg is seen between the signs, the map stays as it is."""
    for patrol in demo_plan.patrols:
        assert find_inset(_collect(demo_plan, patrol)) is None


def test_a_stop_next_door_needs_no_inset(demo_plan):
    """A leg that is short itself hides no turn: its tag says enough."""
    patrol = _patrol(demo_plan.patrols[8], [(0, 0), (900, 0), (12, 0), (0, 0)])
    content = _collect(demo_plan, patrol)
    short = dataclasses.replace(
        content, legs=[leg for leg in content.legs if leg.length < MIN_VISIBLE_POINTS]
    )
    assert find_inset(short) is None
