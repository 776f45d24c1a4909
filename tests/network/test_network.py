"""The street network: snapping, neighbours, catchments, and places in words."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hexagons import measure_slowly
from hypothesis import given, strategies as st
from small_networks import build_small_network, draw_network

from patrolplan.network.catchments import MAX_SNAP_METRES, assign_catchments, build_catchments
from patrolplan.network.names import MAX_CROSSING_METRES, describe_positions, label_streets
from patrolplan.network.shapes import split_by_polygons

POINTS = st.lists(st.tuples(st.floats(-50, 350), st.floats(-50, 350)), min_size=1, max_size=8)


def _brute_force(network, point):
    """Distance to the nearest of all segments, by the formula for a point and a segment."""
    nearest, parts = np.inf, network.parts
    for first, last in zip(parts.first, parts.last, strict=True):
        for a, b in pairwise(parts.coordinates[first:last]):
            along = b - a
            length = along @ along
            share = 0.0 if length == 0 else np.clip((point - a) @ along / length, 0, 1)
            nearest = min(nearest, np.hypot(*(point - a - share * along)))
    return nearest


@given(draw_network(), POINTS)
def test_snapping_equals_brute_force_over_all_segments(network, points):
    """A point goes to the nearest place on any street, not to the nearest node."""
    points = np.array(points)
    found = network.snap(points)
    expected = [_brute_force(network, point) for point in points]
    np.testing.assert_allclose(found.moved_metres, expected, atol=1e-6)
    moved = np.hypot(*(network.xy(found) - points).T)
    np.testing.assert_allclose(moved, found.moved_metres, atol=1e-6)
    assert (found.offset_metres >= 0).all()
    assert (found.offset_metres <= network.piece_metres[found.piece] + 1e-6).all()


@given(draw_network(), POINTS, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_point_without_coordinates_keeps_its_row(network, points, nowhere):
    """It is infinitely far from every street, and the points around it go where they go alone."""
    alone = network.snap(points)
    rows = np.insert(np.array(points, dtype=float), 1, [nowhere, 0.0], axis=0)
    among = network.snap(rows)
    assert np.flatnonzero(np.isinf(among.moved_metres)).tolist() == [1]
    for name in ("piece", "offset_metres", "moved_metres"):
        assert np.delete(getattr(among, name), 1).tolist() == getattr(alone, name).tolist()


@given(draw_network())
def test_neighbours_share_a_node(network):
    """Pieces are neighbours exactly when they hold a node in common; none is its own."""
    touching = network.neighbours.toarray()
    for i, ends in enumerate(network.piece_nodes):
        for j, others in enumerate(network.piece_nodes):
            assert touching[i, j] == (i != j and bool(set(ends) & set(others)))


@given(draw_network(), st.floats(0, 300), st.tuples(st.floats(0, 300), st.floats(0, 300)))
def test_around_gives_pieces_by_their_middles(network, metres, point):
    """Pieces around a point are those whose middle is near enough in a straight line."""
    middles = [line.interpolate(0.5, normalized=True) for line in network.piece_lines]
    xy = shapely.get_coordinates(middles)
    found = network.find_pieces_within(point, metres)
    assert found.tolist() == np.flatnonzero(np.hypot(*(xy - point).T) <= metres).tolist()
    halves = network.xy(network.middles(np.arange(len(network))))
    np.testing.assert_allclose(halves, xy, atol=0.01)  # pieces of no length have a centimetre


def test_streets_are_found_by_name_and_bounds_hold_all_nodes(demo_area):
    """As a look through all pieces finds them; what has no name is no street."""
    network = demo_area.network.walkable
    names = set(network.piece_name) - {""}
    assert len(names) < len(set(network.piece_name))
    found = {name: pieces.tolist() for name, pieces in network.pieces_by_name.items()}
    assert found == {name: np.flatnonzero(network.piece_name == name).tolist() for name in names}
    x, y = network.node_xy.T
    assert network.bounds == (x.min(), y.min(), x.max(), y.max())


COORDINATES = st.integers(0, 8).map(float)
CORNERS = st.tuples(COORDINATES, COORDINATES)


@given(st.lists(CORNERS, min_size=2, max_size=5), st.integers(1, 7), st.integers(1, 7))
def test_nothing_counts_twice_on_borders(points, x, y):
    """Lines along borders, and points on corners, count once: in the earlier polygon."""
    tiles = [(0, 0, x, y), (x, 0, 8, y), (0, y, x, 8), (x, y, 8, 8)]
    polygons = np.array([shapely.box(*tile) for tile in tiles], dtype=object)
    line = shapely.LineString(points)
    lines = np.array([line, shapely.Point(points[0]), shapely.Point(99, 99)], dtype=object)
    metres = split_by_polygons(lines, polygons)
    simple = shapely.line_merge(shapely.node(line)) if line.length else line
    if line.length and simple.length == pytest.approx(line.length):
        np.testing.assert_allclose(metres[0], measure_slowly(line, polygons), atol=1e-6)
        assert metres[0, -1] == pytest.approx(0, abs=1e-6)
    corner = next(n for n, polygon in enumerate(polygons) if polygon.intersects(lines[1]))
    assert metres[1].tolist() == [float(n == corner) for n in range(5)]
    assert metres[2].tolist() == [0, 0, 0, 0, 1]


BLOCK_PLACES = [(0, 0), (200, 0), (200, 200), (0, 200), (100, 0), (100, 200)]
NETWORK = build_small_network(BLOCK_PLACES, [[0, 4, 1], [1, 2], [2, 5, 3], [3, 0], [4, 5]])
"""Streets round a block of 200 m, with one across."""
BLOCK_POINTS = st.lists(
    st.tuples(st.integers(-30, 230), st.integers(-30, 230)), min_size=1, max_size=12, unique=True
)


@given(BLOCK_POINTS)
def test_pieces_belong_to_the_nearest_point(points):
    """Each piece belongs to the point that is nearest its middle, by brute force."""
    found = build_catchments(NETWORK, points)
    for piece, middle in enumerate(NETWORK.piece_middle):
        apart = np.hypot(*(np.array(points) - middle).T)
        own = found.xy[found.piece_catchment[piece]]
        assert np.hypot(*(own - middle)) == pytest.approx(apart.min())


@given(BLOCK_POINTS, st.data())
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
    """A place farther than the limit from every street belongs to no catchment; none, to none."""
    found = build_catchments(NETWORK, [(0, 0)])
    places = [(-MAX_SNAP_METRES + 1, 0), (-MAX_SNAP_METRES - 1, 0)]
    assert list(assign_catchments(NETWORK, found, places)) == [0, -1]
    assert len(assign_catchments(NETWORK, found, np.empty((0, 2)))) == 0
    assert len(NETWORK.snap(np.empty((0, 2)))) == 0


@given(BLOCK_POINTS, BLOCK_POINTS, st.sampled_from([15.0, 40.0, 90.0]))
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


@given(BLOCK_POINTS, st.sampled_from([40.0, 90.0]))
def test_beside_exact_places_a_snap_point_holds_what_is_near(points, within):
    """Pieces within reach belong to the nearest point as ever; each other one is on its own."""
    plain = build_catchments(NETWORK, points)
    found = build_catchments(NETWORK, points, within_metres=within)
    assert (plain.public, found.public) == (True, False)
    for piece, middle in enumerate(NETWORK.piece_middle):
        usual = plain.xy[plain.piece_catchment[piece]]
        own = found.xy[found.piece_catchment[piece]]
        far = np.hypot(*(usual - middle)) > within
        np.testing.assert_array_equal(own, middle if far else usual)
    alone = np.bincount(found.piece_catchment) == 1
    np.testing.assert_allclose(found.piece_share[alone[found.piece_catchment]], 1)
    assert found.spread(np.ones(len(found))).sum() == pytest.approx(len(found))


CROSS = [(-300, 0), (0, 0), (300, 0), (0, -300), (0, 300)]
LANES = [(0, 0), (200, 0), (0, 6), (200, 6), (100, -200)]
BESIDE = [[0, 1], [2, 3], [0, 2], [1, 3], [4, 0]]
"""A street, a way that runs beside it, and ways that join or leave them."""
FOOTWAYS = ["primary", *["footway"] * 4]


@pytest.mark.parametrize(
    ("places", "ways", "kinds", "traits", "labels"),
    [
        (CROSS, [[0, 1, 2], [3, 1, 4]], ["primary"] * 2, {}, {0: "High Street"}),
        (CROSS, [[0, 1], [3, 1]], ["primary", "steps"], {}, {1: "steps"}),
        (CROSS, [[0, 1], [3, 1]], ["primary", "service"], {}, {1: "service road"}),
        (CROSS, [[0, 1], [3, 1]], ["primary", "something_new"], {}, {1: "street"}),
        (LANES, BESIDE, FOOTWAYS, {}, {1: "High Street", 2: "footpath"}),
        (LANES, BESIDE, FOOTWAYS, {"layer": [0.0, 1, 0, 0, 0]}, {1: "walkway"}),
        (LANES, BESIDE, FOOTWAYS, {"layer": [1.0, 1, 0, 0, 0]}, {1: "High Street"}),
        (LANES, BESIDE, ["primary", "steps", *["footway"] * 3], {}, {1: "steps"}),
        (LANES, BESIDE, FOOTWAYS, {"is_crossing": [*[False] * 4, True]}, {4: "crossing"}),
    ],
)
def test_streets_are_called_by_name_or_the_street_beside(places, ways, kinds, traits, labels):
    """A pavement has the name of its street on the same level; steps and crossings are so."""
    names = ["High Street", *[""] * (len(ways) - 1)]
    network = build_small_network(places, ways, names, kinds, traits=traits)
    for way, label in labels.items():
        assert set(label_streets(network)[network.parts.piece_way == way]) == {label}


def test_a_flight_of_steps_leads_up_or_down_in_its_own_direction():
    """Where its incline is known; other ways lead nowhere."""
    places = [(0, 0), (200, 0), (0, 6), (20, 6), (40, 6), (200, -60)]
    ways, traits = [[0, 1], [2, 3], [3, 4], [0, 2], [1, 5]], {"incline": [0, 1, 0, 1, 0]}
    kinds = ["primary", "steps", "steps", "footway", "footway"]
    network = build_small_network(places, ways, kinds=kinds, traits=traits)
    flights = dict(zip(network.parts.piece_way.tolist(), network.piece_flight, strict=True))
    assert flights == {0: "", 1: "up", 2: "steps", 3: "", 4: ""}


def test_places_are_told_by_the_nearest_street_of_all(demo_area):
    """The crossing street is that which is nearest of all within reach, by a look at all."""
    network, names = demo_area.network, demo_area.network.piece_name
    labels = label_streets(network)
    pieces = np.random.default_rng(4).choice(len(network), 80, replace=False)
    found = describe_positions(network, network.middles(pieces))
    for piece, words in zip(pieces, found, strict=True):
        own = labels[piece]
        middle = shapely.points(network.xy(network.middles([piece]))[0])
        apart = shapely.distance(middle, network.piece_lines)
        other = np.flatnonzero((names != "") & (names != own) & (apart <= MAX_CROSSING_METRES))
        near = min(other, key=lambda one: (apart[one], names[one]), default=None)
        assert words == (own if near is None else f"{own} near {names[near]}")
