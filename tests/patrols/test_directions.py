"""Directions: street by street, in words that fit what is walked."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.patrols.directions import (
    MIN_END_METRES,
    MIN_STEP_METRES,
    build_directions,
    build_leg,
    describe_turn,
    reverse_directions,
)


@pytest.mark.parametrize(
    ("degrees", "words"),
    [
        (0, "straight on"),
        (29, "straight on"),
        (-29, "straight on"),
        (31, "bear right"),
        (-31, "bear left"),
        (59, "bear right"),
        (61, "right"),
        (90, "right"),
        (-90, "left"),
        (149, "right"),
        (-149, "left"),
        (151, "turn back"),
        (180, "turn back"),
        (-180, "turn back"),
        (270, "left"),
        (450, "right"),
        (-350, "straight on"),
    ],
)
def test_turn_words_at_known_angles(degrees, words):
    """Turns are named as a walker would: by side and sharpness, clockwise to the right."""
    assert describe_turn(np.radians(degrees)) == words


@given(st.floats(-720, 720))
def test_turning_the_other_way_swaps_left_and_right(degrees):
    """The mirror image of a turn has the same word on the other side."""
    mirrored = {"left": "right", "right": "left", "bear left": "bear right"}
    mirrored |= {"bear right": "bear left"}
    words = describe_turn(np.radians(degrees))
    if abs(abs((degrees + 180) % 360 - 180) - 180) > 1e-6:
        assert describe_turn(np.radians(-degrees)) == mirrored.get(words, words)


def _walk(*moves):
    """A walk of (east, north) moves, one piece each."""
    line = np.concatenate([[[0.0, 0.0]], np.cumsum(np.array(moves, dtype=float), axis=0)])
    metres = np.hypot(*np.diff(line, axis=0).T)
    pieces = np.arange(len(moves))
    network = SimpleNamespace(piece_lit=np.resize(np.array(["yes", "no", ""], object), len(moves)))
    total = metres.sum()
    return SimpleNamespace(
        line=line,
        pieces=pieces,
        piece_metres=metres,
        metres=total,
        cost_metres=total,
        network=network,
    )


def _told(walk, *names):
    steps = build_directions(walk, np.array(names, dtype=object))
    return [(step.turn, step.street, round(step.metres)) for step in steps]


@pytest.mark.parametrize(
    ("move", "heading"),
    [
        ((0, 50), "head north"),
        ((40, 40), "head north-east"),
        ((50, 0), "head east"),
        ((40, -40), "head south-east"),
        ((0, -50), "head south"),
        ((-40, -40), "head south-west"),
        ((-50, 0), "head west"),
        ((-40, 40), "head north-west"),
    ],
)
def test_first_step_is_a_compass_heading(move, heading):
    """A leg begins with the direction to set off in."""
    assert _told(_walk(move), "High Street")[0][0] == heading


def test_turns_follow_the_line():
    """Each change of street is a step with its turn and the metres along the street."""
    walk = _walk((0, 60), (80, 0), (0, 70), (-50, 50))
    assert _told(walk, "High Street", "Mill Lane", "Dock Road", "Elm Row") == [
        ("head north", "High Street", 60),
        ("right", "Mill Lane", 80),
        ("left", "Dock Road", 70),
        ("bear left", "Elm Row", 71),
    ]


def test_pieces_of_one_street_are_one_step():
    """Pieces of the same street in a row are one line of the directions."""
    walk = _walk((0, 30), (0, 30), (30, 0), (30, 0))
    assert _told(walk, "A", "A", "B", "B") == [("head north", "A", 60), ("right", "B", 60)]


def test_short_bits_are_no_steps_of_their_own():
    """A crossing of a few metres goes to the street before it, at the start to the one after."""
    walk = _walk((0, 10), (0, 60), (10, 0), (0, 60))
    assert _told(walk, "footpath", "A", "crossing", "A") == [("head north", "A", 140)]


def test_a_turn_is_told_across_short_bits():
    """What lies between two streets hides no turn, and makes none of a crossing straight over."""
    round_a_square = _walk((60, 0), (4, -4), (0, -17), (0, -60))
    names = ("Square", "crossing", "crossing", "footpath")
    assert _told(round_a_square, *names)[-1] == ("right", "footpath", 60)
    straight_over = _walk((60, 0), (0, 12), (60, 0))
    assert _told(straight_over, "A", "crossing", "B") == [
        ("head east", "A", 72),
        ("straight on", "B", 60),
    ]


def test_short_bits_in_a_row_count_together():
    """Several short bits that come to something are a direction, called after the longest."""
    walk = _walk((60, 0), (0, 10), (0, 16), (60, 0))
    assert _told(walk, "A", "steps", "alley", "B") == [
        ("head east", "A", 60),
        ("left", "alley", 26),
        ("right", "B", 60),
    ]


def test_a_leg_begins_and_ends_with_the_turns_that_are_walked():
    """A short bit at either end is a step where one turns at it, else part of the street."""
    turning = _walk((0, -13), (70, 0), (0, 60), (15, 0))
    assert _told(turning, "service road", "Robert Street", "Long Road", "Yard") == [
        ("head south", "service road", 13),
        ("left", "Robert Street", 70),
        ("left", "Long Road", 60),
        ("right", "Yard", 15),
    ]
    straight = _walk((13, 0), (70, 0), (15, 2))
    assert _told(straight, "forecourt", "A", "yard") == [("head east", "A", 98)]
    tiny = _walk((0, -5), (70, 0))
    assert _told(tiny, "forecourt", "A") == [("head east", "A", 75)]


def _back(walk, *names):
    steps = build_directions(walk, np.array(names, dtype=object))
    steps = reverse_directions(steps, walk.line[::-1])
    return [(step.turn, step.street, round(step.metres)) for step in steps]


def test_a_leg_turned_round_tells_the_same_corners():
    """Walked back, lefts are rights, and short bits hide no turn either."""
    assert _back(_walk((60, 0), (0, 12), (60, 0)), "A", "crossing", "B") == [
        ("head west", "B", 60),
        ("straight on", "A", 72),
    ]
    corner = _walk((60, 0), (4, -4), (0, -17), (0, -60))
    assert _back(corner, "A", "crossing", "crossing", "B") == [
        ("head north", "B", 60),
        ("left", "A", 83),
    ]


def test_leg_of_short_bits_alone_is_one_step():
    """A leg that is short altogether is one step, named after its longest bit."""
    walk = _walk((0, 5), (0, 12), (6, 0))
    assert _told(walk, "a", "b", "c") == [("head north", "b", 23)]


def test_walk_of_no_length_has_no_directions():
    """From a place to itself there is nothing to tell."""
    walk = SimpleNamespace(pieces=np.empty(0, dtype=np.int64), piece_metres=np.empty(0))
    assert build_directions(walk, np.array(["A"], dtype=object)) == ()


MOVES = st.lists(
    st.tuples(st.integers(-60, 60), st.integers(-60, 60)).filter(any), min_size=1, max_size=12
)


@given(MOVES, st.data())
def test_metres_of_steps_sum_to_the_leg(moves, data):
    """Whatever is merged, the steps' metres are together those of the leg."""
    names = data.draw(st.lists(st.sampled_from("ABC"), min_size=len(moves), max_size=len(moves)))
    walk = _walk(*moves)
    leg = build_leg(walk, np.array(names, dtype=object), walk.network.piece_lit, 80.0)
    assert sum(step.metres for step in leg.steps) == pytest.approx(leg.metres)
    assert leg.minutes == pytest.approx(walk.metres / 80)
    assert leg.steps[0].turn.startswith("head ")
    for before, after in zip(leg.steps[:-1], leg.steps[1:], strict=True):
        assert before.street != after.street
    if len(leg.steps) > 1:
        assert all(step.metres >= MIN_END_METRES for step in leg.steps)
        assert all(step.metres >= MIN_STEP_METRES for step in leg.steps[1:-1])


def _ridden(ways, *moves):
    """Steps of a ride along one street a move, gone in these ways."""
    names = np.array([f"Street {number}" for number in range(len(moves))], dtype=object)
    steps = build_directions(_walk(*moves), names, np.array(ways, dtype=object))
    return [(step.street, round(step.metres), step.way) for step in steps]


def test_a_push_is_told_though_it_is_short():
    """Getting off for 12 m is a direction; a bit of a few metres is not, nor a short ride."""
    steps = _ridden(["ride", "push", "ride"], (0, 100), (12, 0), (0, 100))
    assert steps == [("Street 0", 100, "ride"), ("Street 1", 12, "push"), ("Street 2", 100, "ride")]
    steps = _ridden(["ride", "push", "ride"], (0, 100), (5, 0), (0, 100))
    assert steps == [("Street 0", 105, "ride"), ("Street 2", 100, "ride")]


def test_one_street_ridden_and_pushed_is_two_directions():
    """Where riding ends on the same street, a step says to get off there."""
    walk = _walk((0, 100), (0, 40))
    names = np.array(["A", "A"], dtype=object)
    steps = build_directions(walk, names, np.array(["ride", "push"], dtype=object))
    assert [(step.street, step.way, step.metres) for step in steps] == [
        ("A", "ride", 100),
        ("A", "push", 40),
    ]
