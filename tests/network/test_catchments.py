"""Snap points and the streets that belong to them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from small_networks import build_small_network

from patrolplan.network.catchments import MAX_SNAP_METRES, assign_catchments, build_catchments

PLACES = [(0, 0), (200, 0), (200, 200), (0, 200), (100, 0), (100, 200)]
NETWORK = build_small_network(PLACES, [[0, 4, 1], [1, 2], [2, 5, 3], [3, 0], [4, 5]])
"""Streets round a block of 200 m, with one across."""
POINTS = st.lists(
    st.tuples(st.integers(-30, 230), st.integers(-30, 230)), min_size=1, max_size=12, unique=True
)


@given(POINTS)
def test_pieces_belong_to_the_nearest_point(points):
    """Each piece belongs to the point that is nearest its middle, by brute force."""
    found = build_catchments(NETWORK, points)
    for piece, middle in enumerate(NETWORK.piece_middle):
        apart = np.hypot(*(np.array(points) - middle).T)
        own = found.xy[found.piece_catchment[piece]]
        assert np.hypot(*(own - middle)) == pytest.approx(apart.min())


@given(POINTS, st.data())
def test_spreading_keeps_the_sum_and_is_even_by_the_metre(points, data):
    """Nothing is lost, also by columns; within a catchment every metre of street gets the same."""
    found = build_catchments(NETWORK, points)
    amount = st.floats(0, 1e6)
    amounts = np.array(data.draw(st.lists(amount, min_size=len(found), max_size=len(found))))
    spread = found.spread(amounts)
    assert spread.sum() == pytest.approx(amounts.sum())
    both = found.spread(np.column_stack([amounts, 2 * amounts]))
    np.testing.assert_allclose(both, np.column_stack([spread, 2 * spread]), atol=1e-9)
    density = found.spread(np.ones(len(found))) / NETWORK.piece_metres
    for number in range(len(found)):
        own = density[found.piece_catchment == number]
        np.testing.assert_allclose(own, own[0])


def test_far_places_are_assigned_to_none():
    """A place farther than the limit from every street belongs to no catchment."""
    found = build_catchments(NETWORK, [(0, 0)])
    places = [(-MAX_SNAP_METRES + 1, 0), (-MAX_SNAP_METRES - 1, 0)]
    assert list(assign_catchments(NETWORK, found, places)) == [0, -1]
    assert len(assign_catchments(NETWORK, found, np.empty((0, 2)))) == 0


@given(POINTS, POINTS, st.sampled_from([15.0, 40.0, 90.0]))
def test_places_are_assigned_as_if_all_were_snapped_to_streets(points, others, limit):
    """The slow way looks for the nearest street of every place, even of those on snap points."""
    found, places = build_catchments(NETWORK, points), np.array([*points, *others], dtype=float)
    on_street = NETWORK.snap(places)
    slowly = found.piece_catchment[on_street.piece]
    for row, place in enumerate(places):
        own = np.flatnonzero((found.xy == place).all(axis=1))
        slowly[row] = own[0] if len(own) else slowly[row]
    slowly[on_street.moved_metres > limit] = -1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("patrolplan.network.catchments.MAX_SNAP_METRES", limit)
        assert np.array_equal(assign_catchments(NETWORK, found, places), slowly)


def test_exact_places_stay_on_their_piece():
    """Without snap points each piece is its own catchment: nothing is spread."""
    found = build_catchments(NETWORK, None)
    assert len(found) == len(NETWORK)
    places = NETWORK.xy(NETWORK.middles([3, 5])) + np.array([0.4, 0.3])
    assert list(assign_catchments(NETWORK, found, places)) == [3, 5]
    amounts = np.arange(len(NETWORK), dtype=float)
    np.testing.assert_array_equal(found.spread(amounts), amounts)


@given(POINTS, st.sampled_from([40.0, 90.0]))
def test_beside_exact_places_a_snap_point_holds_what_is_near(points, within):
    """Pieces within reach belong to the nearest point as ever; each other one is on its own."""
    plain, found = (
        build_catchments(NETWORK, points),
        build_catchments(NETWORK, points, within_metres=within),
    )
    assert plain.public
    assert not found.public
    for piece, middle in enumerate(NETWORK.piece_middle):
        usual = plain.xy[plain.piece_catchment[piece]]
        own = found.xy[found.piece_catchment[piece]]
        far = np.hypot(*(usual - middle)) > within
        np.testing.assert_array_equal(own, middle if far else usual)
    alone = np.bincount(found.piece_catchment) == 1
    np.testing.assert_allclose(found.piece_share[alone[found.piece_catchment]], 1)
    assert found.spread(np.ones(len(found))).sum() == pytest.approx(len(found))


def test_what_was_computed_of_the_same_objects_is_reused():
    """Equal texts and the very same objects give the result again; the oldest is dropped."""
    catchments, streets = build_catchments(NETWORK, [(0, 0)]), [object() for _ in range(3)]
    calls = []

    def ask(text, number):
        given = (text, streets[number])
        return catchments.reuse("name", given, lambda: calls.append(number) or len(calls))

    assert [ask("ab", 0), ask("".join("ab"), 0), ask("ab", 1), ask("ab", 0)] == [1, 1, 2, 1]
    assert [ask("a", 0), ask("ab", 2), ask("ab", 0)] == [3, 4, 5]
