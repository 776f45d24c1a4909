"""The key of streets: letters that cannot be misread, on the street or joined to it."""

import numpy as np
import shapely
from hypothesis import given, settings, strategies as st

from patrolplan.outputs.cartography.labels import build_level_boxes, compute_corners
from patrolplan.outputs.cartography.place_names import ShownStreet
from patrolplan.outputs.cartography.street_key import (
    CLEAR_OF_STREET,
    build_key_label,
    build_leader_label,
    key_streets,
)

coordinate = st.integers(0, 3000).map(lambda tenths: tenths / 10)
lines = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6, unique=True).map(
    lambda rows: np.array([shapely.LineString(rows)], dtype=object)
)


def test_letters_are_distinct_and_no_numbers():
    """However many streets, each has its own small letter, and none looks like a number."""
    letters = [street.letter for street in key_streets([str(no) for no in range(200)])]
    assert len(set(letters)) == 200
    assert all(letter == letter.lower() for letter in letters)
    assert not set("ilo") & set("".join(letters))


@given(lines, lines)
@settings(max_examples=50, deadline=None)
def test_letters_stand_on_their_street_or_lead_to_it(street, route):
    """Every place of a letter is on the street, or has a line that ends on it."""
    [keyed] = key_streets(["Mill Lane"])
    label = build_key_label(keyed, street, route=route[0], covered=shapely.Point())
    ends = shapely.points(label.leader_ends)
    assert len(ends) == len(label.candidates.boxes)
    assert (shapely.distance(ends, street[0]) < 1e-6).all()


@given(lines, lines, st.lists(st.tuples(coordinate, coordinate), max_size=5))
@settings(max_examples=50, deadline=None)
def test_lines_of_names_end_on_the_street_and_cross_no_words(street, route, words):
    """Every place of a name leads to its street, and over none of the boxes in use."""
    occupied = build_level_boxes(np.array(words).reshape(-1, 2), (30.0, 12.0))
    label = build_leader_label(
        ShownStreet("Mill Lane", street, 3),
        route=route[0],
        covered=shapely.Point(),
        occupied=occupied,
        walked=True,
    )
    ends = shapely.points(label.leader_ends)
    assert len(ends) == len(label.candidates.boxes)
    assert (shapely.distance(ends, street[0]) < 1e-6).all()
    middles = label.candidates.boxes[:, :2]
    leaders = shapely.linestrings(np.stack([label.leader_ends, middles], axis=1))
    beyond = shapely.difference(leaders, shapely.buffer(ends, CLEAR_OF_STREET))
    used = shapely.union_all(shapely.polygons(compute_corners(occupied)))
    assert not shapely.intersects(beyond, used).any()
