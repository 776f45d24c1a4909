"""The inset: drawn where signs crowd and hide the way between them, and nowhere else."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import shapely

from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.cartography.labels import corners, overlapping
from patrolplan.outputs.cartography.map_content import (
    LEAST_SEEN,
    LEAST_ZOOM,
    crossing,
    frame_of,
    inset_of,
    scene_in,
)
from patrolplan.patrols.plan import Leg, Step

WIDTH, HEIGHT = 538.0, 380.0
ROUND = [(0, 0), (900, 0), (0, 30), (60, 30), (0, 0)]
"""Metres from the gate: far off and back, then two stops next to the gate."""


def _patrol(patrol, places):
    """A walk from the gate by these places, straight on but for a corner on each leg."""
    x, y = patrol.x, patrol.y
    stops = [
        dataclasses.replace(patrol.stops[0], x=x + east, y=y + north)
        for east, north in places[1:-1]
    ]
    lines = [
        np.array([(x + a, y + b), (x + a, y + b + 25), (x + c, y + d)])
        for (a, b), (c, d) in pairwise(places)
    ]
    legs = [Leg(100, 1, (Step("head east", "A", 100),), line, np.arange(1)) for line in lines]
    return dataclasses.replace(patrol, stops=tuple(stops), legs=tuple(legs), keep_away=())


def _scene(plan, patrol):
    return scene_in(frame_of(plan, patrol, WIDTH, HEIGHT), plan, patrol)


@pytest.fixture(scope="module")
def crowded(demo_plan):
    """A patrol with the gate and two of three stops in one corner of its map."""
    return _patrol(demo_plan.patrols[8], ROUND)


def test_a_crowded_corner_is_shown_larger(demo_plan, crowded):
    """The inset enlarges the hidden legs so that they can be followed, and hides none itself."""
    scene = _scene(demo_plan, crowded)
    inset = inset_of(scene)
    assert scene.frame.metres_per_point / inset.frame.metres_per_point >= LEAST_ZOOM
    assert inset.legs >= {2}
    assert inset.legs <= set(crossing(scene_in(inset.frame, demo_plan, crowded)))
    [box], [shown] = (shapely.polygons(corners(part)) for part in (inset.box, inset.shown))
    assert not box.intersects(shapely.union_all([scene.route, scene.covered, shown]))
    assert shapely.box(-0.1, -0.1, WIDTH + 0.1, HEIGHT + 0.1).contains(box)


def test_every_leg_is_told_on_map_or_inset(demo_plan, crowded):
    """On map and inset together every leg has its tag, and no words lie on each other."""
    picture = draw_patrol_map(demo_plan, crowded, width=WIDTH, height=HEIGHT)
    assert {"G→1", "1→2", "2→3", "3→G"} <= set(picture.texts)
    assert picture.texts.count("2→3") == 1
    assert picture.texts.count("3") == 2
    touching = overlapping(picture.labels, picture.labels)
    np.fill_diagonal(touching, val=False)
    sign = np.array([len(text) == 1 for text in picture.texts])
    touching &= ~(sign[:, None] & sign)  # round signs: their boxes may meet at the corners
    assert not touching.any(), [picture.texts[row] for row in np.argwhere(touching)[0]]


def test_maps_that_can_be_read_have_no_inset(demo_plan):
    """Where each leg is seen between the signs, the map stays as it is."""
    for patrol in demo_plan.patrols:
        assert inset_of(_scene(demo_plan, patrol)) is None


def test_a_stop_next_door_needs_no_inset(demo_plan):
    """A leg that is short itself hides no turn: its tag says enough."""
    patrol = _patrol(demo_plan.patrols[8], [(0, 0), (900, 0), (12, 0), (0, 0)])
    scene = _scene(demo_plan, patrol)
    short = dataclasses.replace(scene, legs=[leg for leg in scene.legs if leg.length < LEAST_SEEN])
    assert inset_of(short) is None
