"""The key of streets: letters that cannot be misread, on the street or joined to it."""

import numpy as np
import shapely
from hypothesis import given, settings, strategies as st

from patrolplan.outputs.cartography.legend import build_key_entries, count_rows
from patrolplan.outputs.cartography.street_key import build_key_label, key_streets

coordinate = st.floats(0.0, 300.0)
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


def test_a_long_key_takes_more_rows():
    """The key breaks into rows that fit the page, and none is lost."""
    entries = build_key_entries(key_streets(["Street of the Long Name"] * 30))
    assert count_rows(entries, 500.0) > 5
    assert count_rows(entries[:1], 500.0) == 1
    assert count_rows([], 500.0) == 0
