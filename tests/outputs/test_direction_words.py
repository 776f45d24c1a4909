"""Directions in words: short, and only with landmarks where a turn is not clear without."""

import pytest

from patrolplan.outputs.direction_words import describe_directions, describe_passed, describe_turns
from patrolplan.patrols.legs import Landmark, RoadCrossing, Step

STOP = Landmark("bus_stop", "Dalby Road")


def _at(turn, street, metres, **more):
    return Step(turn, street, metres, landmark=STOP, **more)


def test_a_landmark_is_named_where_the_turn_is_not_clear_without():
    """At the first turn, at a path without a name and after a short bit; each once in a row."""
    head = Step("head east", "A", 200)
    assert describe_turns([head, _at("left", "B", 90)])[1] == "at the bus stop Dalby Road, left"
    later = [head, Step("left", "B", 90), _at("right", "C", 90)]
    assert describe_turns(later)[2] == "right"
    for steps in (
        [head, Step("left", "B", 90), _at("right", "footpath", 90)],
        [head, Step("left", "B", 50), _at("right", "C", 90)],
    ):
        assert describe_turns(steps)[2] == "at the bus stop Dalby Road, right"
    twice = [head, _at("left", "B", 20), _at("right", "C", 90)]
    assert describe_turns(twice)[1:] == ["at the bus stop Dalby Road, left", "right"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("signals", ", crossing B at the lights"),
        ("zebra", ", crossing B on the zebra crossing"),
        ("island", ", crossing B by the island"),
        ("unmarked", ", crossing B (no marked crossing)"),
        ("unknown", ", crossing B"),
    ],
)
def test_each_way_to_cross_has_its_words(kind, words):
    """A crossing of unknown kind is not called unmarked."""
    assert describe_passed(Step("left", "A", 9, crossings=(RoadCrossing("B", kind),))) == words


def test_card_and_phone_say_all_of_a_direction():
    """Landmark, turn, level, street, length, passage and crossings, in the order they are met."""
    steps = (
        Step("head east", "A", 200, crossings=(RoadCrossing("", "island"),)),
        _at("right", "walkway", 60, level="up", passage="bridge"),
        Step("left", "A", 20, flight=""),
        Step("right", "A", 50),
    )
    lines = [
        f"{turn} {street} {length}{passed}"
        for turn, street, length, passed in describe_directions(steps)
    ]
    assert lines == [
        "head east along A 200 m, crossing the main road by the island",
        "at the bus stop Dalby Road, right, up into walkway 60 m, over the bridge",
        "left into A 20 m",
        "right, still A 50 m",
    ]
