"""Where words go: never on each other, upside down or off the map, and to their street."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

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
from patrolplan.outputs.cartography.place_names import (
    CLEAR_OF_STREET,
    ShownStreet,
    build_leader_label,
)
from patrolplan.outputs.cartography.route import (
    build_leader_labels,
    build_leg_labels,
    separate_legs,
)

WIDTH, HEIGHT = 400.0, 300.0


def find_places_along_line(line, width, height, *, offsets=(0.0,), max_bend=2.0, max_ratio=1.0):
    """Places for a label of this size along one line: boxes and their costs."""
    shape, sizes = np.array([shapely.LineString(line)]), np.array([(width, height)])
    placings = [Placing(offsets, max_bend)]
    return find_places_along_lines(shape, sizes, placings, max_length_ratio=max_ratio)[:2]


number = st.floats(-200.0, 600.0, allow_nan=False)
size = st.floats(1.0, 120.0)
boxes = st.lists(
    st.tuples(number, number, size, size, st.floats(-180.0, 180.0)), min_size=1, max_size=8
).map(lambda rows: np.array(rows, dtype=np.float64))
lines = st.lists(st.tuples(number, number), min_size=2, max_size=6).map(
    lambda rows: np.array(rows, dtype=np.float64)
)


@given(boxes, boxes)
@settings(max_examples=100, deadline=None)
def test_overlap_agrees_with_shapely(first, second):
    """Boxes overlap exactly where their polygons share an area."""
    shapes = [shapely.polygons(compute_corners(part)) for part in (first, second)]
    shared = shapely.area(shapely.intersection(shapes[0][:, None], shapes[1][None]))
    overlap = find_overlaps(first, second)
    assert (overlap | (shared < 1e-6)).all()
    assert (
        ~overlap | (shared > 0) | (shapely.distance(shapes[0][:, None], shapes[1]) < 1e-6)
    ).all()


@given(st.floats(-1000, 1000))
def test_labels_are_never_upside_down(angle):
    """Any direction is turned to between lying and standing, by half turns alone."""
    turned = float(make_upright(np.array([angle]))[0])
    assert -90 <= turned <= 90
    assert (angle - turned) / 180 == pytest.approx(round((angle - turned) / 180), abs=1e-9)


@given(st.lists(st.tuples(lines, st.floats(5, 90), st.booleans()), max_size=12))
@settings(max_examples=60, deadline=None)
def test_placed_labels_never_overlap(streets):
    """On any streets, no two labels overlap, and none is on blocked ground or off the map."""
    blocked = shapely.LineString([(0, 0), (WIDTH, HEIGHT)]).buffer(3)
    occupied = np.array([[200.0, 50.0, 20.0, 20.0, 0.0]])
    labels = [
        MapLabel(
            *("", f"street {row}"),
            *find_places_along_line(line, wide, 9.0, offsets=(0.0, 9.0, -9.0), max_bend=4.0),
            max_count=2,
            blocked=blocked,
        )
        if on_line
        else MapLabel(
            *("", f"sign {row}"),
            *find_places_around_point(*line[0], (wide, 9.0), radius=5.0),
            blocked=blocked,
        )
        for row, (line, wide, on_line) in enumerate(streets)
    ]
    chosen = place_labels(labels, (WIDTH, HEIGHT), occupied=occupied)
    placed = np.array([*occupied, *(box for _, box in chosen)])
    apart = ~find_overlaps(placed, placed)
    assert apart[~np.eye(len(placed), dtype=bool)].all()
    edges = compute_corners(placed[1:])
    assert ((edges >= 0) & (edges <= (WIDTH, HEIGHT))).all()
    assert not shapely.intersects(blocked, shapely.polygons(edges)).any()


def test_shorter_word_stands_in():
    """Of two labels with one key that may not stand together, the second is used only if needed."""
    full, short = (
        MapLabel(
            *(text, "school"),
            *find_places_around_point(20.0, 20.0, (width, 9.0), radius=5.0),
            min_gap=np.inf,
        )
        for text, width in (("full", 900.0), ("short", 30.0))
    )
    for labels in ([full, short], [short, full], [short, short]):
        assert [label for label, _ in place_labels(labels, (WIDTH, HEIGHT))] == [short]


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
                inside = (corners >= 2.0).all() and (corners <= (WIDTH - 2, HEIGHT - 2)).all()
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
@settings(max_examples=8, deadline=None)
def test_places_are_those_of_the_obvious_way(seed):
    """All at once gives the places of a slow loop, also with copies, gaps and blocked ground."""
    rng = np.random.default_rng(seed)
    candidates = []
    blocked, avoided = shapely.Point(80, 80).buffer(30), shapely.box(200, 0, 400, 300)
    for number in range(4):
        count = 60
        middles = rng.uniform((20, 20), (WIDTH - 20, HEIGHT - 20), (count, 2))
        sizes = np.broadcast_to(rng.uniform(10, 90, 2), (count, 2))
        boxes = np.column_stack([middles, sizes, rng.uniform(-90, 90, count)])
        costs = rng.integers(0, 20, count).astype(float)
        more = {"max_count": 2, "min_gap": 100.0, "blocked": blocked}
        candidates.append(MapLabel("", str(number), boxes, costs, **more))
    used = np.array([[200.0, 150.0, 60.0, 40.0, 0.0]])
    found = place_labels(candidates, (WIDTH, HEIGHT), occupied=used, avoided=avoided)
    expected = _place_slowly(candidates, used, blocked, avoided)
    assert [label for label, _ in found] == [label for label, _ in expected]
    for (_, box), (_, slow) in zip(found, expected, strict=True):
        assert box.tolist() == slow.tolist()


SIGNS = shapely.MultiPoint([(150, 150), (180, 150)]).buffer(9)
LEGS = separate_legs(
    [np.array([[150.0, 150.0], [180.0, 150.0]]), np.array([[180.0, 150.0], [180.0, 280.0]])]
)
OCCUPIED = np.array([[150.0, 150.0, 20.0, 20.0, 0.0], [180.0, 150.0, 20.0, 20.0, 0.0]])


def test_a_leg_between_touching_signs_is_tagged_by_a_line():
    """A leg with no room on it has its tag away from it; the line to it crosses nothing else."""
    tags = build_leg_labels(LEGS, ["1→2", "2→3"])
    near = place_labels(tags, (WIDTH, HEIGHT), occupied=OCCUPIED)
    assert [tag for tag, _ in near] == tags[1:]
    first, _ = build_leader_labels(LEGS, ["1→2", "2→3"], covered=SIGNS)
    [(_, box)] = place_labels([first], (WIDTH, HEIGHT), occupied=OCCUPIED)
    lead = first.find_leader_end(box)
    line = shapely.LineString([lead, box[:2]])
    assert shapely.distance(shapely.Point(lead), shapely.LineString(LEGS[0].line)) < 0.1
    assert not line.intersects(SIGNS)
    assert not line.intersects(shapely.LineString(LEGS[1].line))


coordinate = st.integers(0, 3000).map(lambda tenths: tenths / 10)
streets = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6, unique=True).map(
    lambda rows: np.array([shapely.LineString(rows)], dtype=object)
)


@given(streets, streets, st.lists(st.tuples(coordinate, coordinate), max_size=5))
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
    assert len(ends) == len(label.boxes)
    assert (shapely.distance(ends, street[0]) < 1e-6).all()
    middles = label.boxes[:, :2]
    leaders = shapely.linestrings(np.stack([label.leader_ends, middles], axis=1))
    beyond = shapely.difference(leaders, shapely.buffer(ends, CLEAR_OF_STREET))
    used = shapely.union_all(shapely.polygons(compute_corners(occupied)))
    assert not shapely.intersects(beyond, used).any()
