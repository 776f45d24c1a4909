"""Turns of a line: where its corners are, and what a walker calls them."""

import numpy as np
from hypothesis import given, strategies as st

from patrolplan.patrols.turns import WalkedLine, describe_turn


def test_turn_words_at_known_angles():
    """Turns are named as a walker would: by side and sharpness, clockwise to the right."""
    words = {
        "straight on": (0, 29, -29, -350),
        "bear right": (31, 59),
        "bear left": (-31, -59),
        "right": (61, 90, 149, 450),
        "left": (-90, -149, 270),
        "turn back": (151, 180, -180),
    }
    for word, angles in words.items():
        assert {describe_turn(np.radians(degrees)) for degrees in angles} == {word}


@given(st.floats(-720, 720))
def test_turning_the_other_way_swaps_left_and_right(degrees):
    """The mirror image of a turn has the same word on the other side."""
    mirrored = {"left": "right", "right": "left", "bear left": "bear right"}
    mirrored |= {"bear right": "bear left"}
    words = describe_turn(np.radians(degrees))
    if abs(abs((degrees + 180) % 360 - 180) - 180) > 1e-6:
        assert describe_turn(np.radians(-degrees)) == mirrored.get(words, words)


def test_a_corner_is_where_one_turns_most():
    """Bends next to each other to one side are one corner; to the other side they are two."""
    rounded = WalkedLine.from_xy(np.array([(0, 0), (0, 60), (3, 63), (60, 63)], dtype=float))
    assert rounded.find_corners(rounded.along[1:-1]) in ([60.0], [rounded.along[2]])
    jog = WalkedLine.from_xy(np.array([(0, 0), (0, 60), (11, 60), (11, 120)], dtype=float))
    assert jog.find_corners(jog.along[1:-1]) == [60.0, 71.0]
    gentle = WalkedLine.from_xy(np.array([(0, 0), (0, 60), (40, 100)], dtype=float))
    assert gentle.find_corners(gentle.along[1:-1]) == []
