"""Where words and lines go: never on each other, upside down or off the map; to their street."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from patrolplan.outputs.cartography import place_names, route as legs_room
from patrolplan.outputs.cartography.labels import (
    AVOIDED_COST,
    MapLabel,
    Placing,
    build_level_boxes,
    compute_corners,
    find_overlaps,
    find_places_along_lines,
    find_places_around_point,
    make_upright,
    place_labels,
)
from patrolplan.outputs.cartography.symbols import STOP_RADIUS
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.patrols.legs import Leg, Step

SIZE = 400.0, 300.0
number = st.floats(-200.0, 600.0, allow_nan=False)
size = st.floats(1.0, 120.0)
box = st.tuples(number, number, size, size, st.floats(-180.0, 180.0))
boxes = st.lists(box, min_size=1, max_size=8).map(np.array)
lines = st.lists(st.tuples(number, number), min_size=2, max_size=6).map(np.array)
SIGNS = np.array([(150.0, 150.0), (180.0, 150.0), (180.0, 280.0)])
LEGS = legs_room.separate_legs([SIGNS[:2], SIGNS[1:]])
coordinate = st.integers(0, 3000).map(lambda tenths: tenths / 10)
streets = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6, unique=True).map(
    lambda rows: np.array([shapely.LineString(rows)], dtype=object)
)
LINE = np.array([[0.0, 0.0], [200.0, 0.0]])
close = st.tuples(st.floats(0, 60), st.floats(0, 60))


@given(boxes, boxes)
@settings(max_examples=100)
def test_overlap_agrees_with_shapely(first, second):
    """Boxes overlap exactly where their polygons share an area."""
    own, other = (shapely.polygons(compute_corners(part)) for part in (first, second))
    shared = shapely.area(shapely.intersection(own[:, None], other))
    overlap = find_overlaps(first, second)
    assert (overlap | (shared < 1e-6)).all()
    assert (~overlap | (shared > 0) | (shapely.distance(own[:, None], other) < 1e-6)).all()


@given(st.floats(-1000, 1000))
def test_labels_are_never_upside_down(angle):
    """Any direction is turned to between lying and standing, by half turns alone."""
    turned = float(make_upright(np.array([angle]))[0])
    assert -90 <= turned <= 90
    assert (angle - turned) / 180 == pytest.approx(round((angle - turned) / 180), abs=1e-9)


def _place_along(line, width):
    """Places for a label of this width along one line: boxes and their costs."""
    shape, sizes = np.array([shapely.LineString(line)]), np.array([(width, 9.0)])
    placings = [Placing((0.0, 9.0, -9.0), max_bend=4.0)]
    return find_places_along_lines(shape, sizes, placings, max_length_ratio=1.0)[:2]


@given(st.lists(st.tuples(lines, st.floats(5, 90), st.booleans()), max_size=12))
@settings(max_examples=60)
def test_placed_labels_never_overlap(streets):
    """On any streets, no two labels overlap, and none is on blocked ground or off the map."""
    blocked = shapely.LineString([(0, 0), SIZE]).buffer(3)
    occupied = np.array([[200.0, 50.0, 20.0, 20.0, 0.0]])
    labels = []
    for row, (line, wide, on_line) in enumerate(streets):
        around = find_places_around_point(*line[0], (wide, 9.0), radius=5.0)
        places = _place_along(line, wide) if on_line else around
        count = 1 + on_line
        labels.append(MapLabel("", f"{row}", *places, max_count=count, blocked=blocked))
    chosen = place_labels(labels, SIZE, occupied=occupied)
    placed = np.array([*occupied, *(box for _, box in chosen)])
    apart = ~find_overlaps(placed, placed)
    assert apart[~np.eye(len(placed), dtype=bool)].all()
    edges = compute_corners(placed[1:])
    assert ((edges >= 0) & (edges <= SIZE)).all()
    assert not shapely.intersects(blocked, shapely.polygons(edges)).any()


def test_shorter_word_stands_in():
    """Of two labels with one key that may not stand together, the second is used only if needed."""
    find = find_places_around_point
    places = (find(20.0, 20.0, (width, 9.0), radius=5.0) for width in (900.0, 30.0))
    long, short = (MapLabel("", "school", *own, min_gap=np.inf) for own in places)
    for labels in ([long, short], [short, long], [short, short]):
        assert [label for label, _ in place_labels(labels, SIZE)] == [short]


def _place_slowly(candidates, used, blocked, avoided):
    """The obvious way: of all places that are free, the cheapest, and of these the first."""
    placed = []
    for label in candidates:
        own = []
        for _ in range(label.max_count):
            best = None
            for box, cost in zip(label.boxes, label.costs, strict=True):
                corners = compute_corners(box[None])[0]
                shape = shapely.Polygon(corners)
                inside = (corners >= 2.0).all() and (corners <= np.subtract(SIZE, 2.0)).all()
                apart = all(np.hypot(*(box - other)[:2]) >= label.min_gap for other in own)
                taken = find_overlaps(box[None], np.array([*used, *[b for _, b in placed]])).any()
                if not inside or not apart or taken or shape.intersects(blocked):
                    continue
                full = cost + AVOIDED_COST * shape.intersects(avoided)
                if best is None or full < best[0]:
                    best = (full, box)
            if best is None:
                break
            own.append(best[1])
            placed.append((label, best[1]))
    return placed


@given(st.integers(0, 10_000))
@settings(max_examples=8)
def test_places_are_those_of_the_obvious_way(seed):
    """All at once gives the places of a slow loop, also with copies, gaps and blocked ground."""
    rng, count = np.random.default_rng(seed), 60
    blocked, avoided = shapely.Point(80, 80).buffer(30), shapely.box(200, 0, 400, 300)
    candidates = []
    for number in range(4):
        middles = rng.uniform(20, np.subtract(SIZE, 20), (count, 2))
        boxes = build_level_boxes(middles, rng.uniform(10, 90, 2))
        boxes[:, 4] = rng.uniform(-90, 90, count)
        costs = rng.integers(0, 20, count).astype(float)
        more = {"max_count": 2, "min_gap": 100.0, "blocked": blocked}
        candidates.append(MapLabel("", str(number), boxes, costs, **more))
    used = np.array([[200.0, 150.0, 60.0, 40.0, 0.0]])
    found = place_labels(candidates, SIZE, occupied=used, avoided=avoided)
    expected = _place_slowly(candidates, used, blocked, avoided)
    assert [label for label, _ in found] == [label for label, _ in expected]
    assert [box.tolist() for _, box in found] == [box.tolist() for _, box in expected]


def test_a_long_name_slides_along_a_sign_at_the_edge():
    """Next to a sign at the edge, some place for a long label is entirely on the map."""
    only = {"radius": 9.0, "extra_distances": (), "slide_distances": (0.0,)}
    boxes, cost = find_places_around_point(20.0, 150.0, (120.0, 10.0), **only)
    assert (compute_corners(boxes)[..., 0].min(axis=1) >= 0).any()
    assert (cost >= 20).all()
    assert not find_overlaps(boxes, np.array([[20.0, 150.0, 17.0, 17.0, 0.0]])).any()


def test_a_name_stands_by_a_sign_that_is_seen():
    """Of two bus stops of one name the visible one is named; with none visible, neither is."""
    frame = Viewport(500.0, 300.0, 250.0, 150.0, 1.0)
    places = np.array([(100.0, 100.0), (300.0, 200.0)])
    names = {"kind": "bus_stop", "name": ["Mill Lane"] * 2}
    features = gpd.GeoDataFrame(names, geometry=shapely.points(places))
    first, second = (shapely.Point(place + 3).buffer(STOP_RADIUS) for place in places)
    stops = {"bus_stop": place_names.find_symbols(features, frame, "bus_stop")}
    for covered, place in ((shapely.Point(), places[0]), (first, places[1])):
        [label] = place_names.build_symbol_labels(stops, covered=covered, near=first | second)
        assert np.hypot(*(label.boxes[:, :2] - place).T).min() < 40
    assert not place_names.build_symbol_labels(stops, covered=first | second, near=first | second)


def test_a_leg_between_touching_signs_is_tagged_by_a_line():
    """A leg with no room on it has its tag away from it; the line to it crosses nothing else."""
    occupied, covered = build_level_boxes(SIGNS[:2], 20.0), shapely.MultiPoint(SIGNS[:2]).buffer(9)
    tags = legs_room.build_leg_labels(LEGS, ["1→2", "2→3"])
    near = place_labels(tags, SIZE, occupied=occupied)
    assert [tag for tag, _ in near] == tags[1:]
    first, _ = legs_room.build_leader_labels(LEGS, ["1→2", "2→3"], covered=covered)
    [(_, box)] = place_labels([first], SIZE, occupied=occupied)
    lead = first.find_leader_end(box)
    line = shapely.LineString([lead, box[:2]])
    assert shapely.distance(shapely.Point(lead), LEGS[0].shape) < 0.1
    assert not line.intersects(covered)
    assert not line.intersects(LEGS[1].shape)


@given(streets, streets, st.lists(st.tuples(coordinate, coordinate), max_size=5))
@settings(max_examples=50)
def test_lines_of_names_end_on_the_street_and_cross_no_words(street, route, words):
    """Every place of a name leads to its street, and over none of the boxes in use."""
    occupied = build_level_boxes(np.array(words).reshape(-1, 2), (30.0, 12.0))
    one, covered = place_names.ShownStreet("Mill Lane", street, 3), shapely.Point()
    label = place_names.build_leader_label(
        one, route=route[0], covered=covered, occupied=occupied, walked=True
    )
    ends = shapely.points(label.leader_ends)
    assert len(ends) == len(label.boxes)
    assert (shapely.distance(ends, street[0]) < 1e-6).all()
    leaders = shapely.linestrings(np.stack([label.leader_ends, label.boxes[:, :2]], axis=1))
    beyond = shapely.difference(leaders, shapely.buffer(ends, place_names.CLEAR_OF_STREET))
    used = shapely.union_all(shapely.polygons(compute_corners(occupied)))
    assert not shapely.intersects(beyond, used).any()


def test_there_and_back_are_two_lines_with_arrows():
    """Each line is right of its own heading; arrows, more on longer legs, point the way walked."""
    onward, back = legs_room.separate_legs([LINE, LINE[::-1]])
    assert (onward.line[:, 1] < -1.5).all()
    assert (back.line[:, 1] > 1.5).all()
    drawn = legs_room.separate_legs([1.5 * LINE])
    heads = legs_room.build_arrow_heads(drawn, np.empty((0, 2)))
    assert len(heads) == 7
    assert len(legs_room.build_arrow_heads(drawn, heads[:1].mean(axis=1))) == 6
    assert (heads[:, 0, 0] > heads[:, 1:, 0].max(axis=1)).all()


def test_pushed_parts_are_cut_from_the_line():
    """A part where the bicycle is pushed is drawn over its part of the leg's line."""
    steps = (Step("head east", "A", 150, "ride"), Step("left", "B", 50, "push"))
    light = {"unlit_metres": 0.0, "lighting_unknown_metres": 0.0}
    leg = Leg(metres=200, moving_minutes=1, **light, steps=steps, line=LINE)
    [part] = legs_room.cut_pushed(leg, *legs_room.separate_legs([LINE]))
    np.testing.assert_allclose(part[[0, -1], 0], [150, 200], atol=2.1)


@given(st.lists(close, min_size=1, max_size=6).map(np.array))
@settings(max_examples=100)
def test_circles_do_not_touch(points):
    """Stops that nearly coincide are moved apart, the gate stays where it is."""
    moved = legs_room.separate_points(points, 20.0, fixed=1)
    assert moved[0].tolist() == points[0].tolist()
    apart = np.hypot(*(moved[:, None] - moved[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 17
