"""Where words go: never on each other, never upside down, never off the map."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from patrolplan.outputs.cartography.labels import (
    AVOIDED_COST,
    LabelCandidates,
    Placing,
    compute_corners,
    find_overlaps,
    find_places_along_lines,
    find_places_around_point,
    make_upright,
    place_labels,
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
@settings(max_examples=200, deadline=None)
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
@settings(deadline=None)
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
        LabelCandidates(
            f"street {row}",
            *find_places_along_line(line, wide, 9.0, offsets=(0.0, 9.0, -9.0), max_bend=4.0),
            max_count=2,
            blocked=blocked,
        )
        if on_line
        else LabelCandidates(
            f"sign {row}",
            *find_places_around_point(*line[0], (wide, 9.0), radius=5.0),
            blocked=blocked,
        )
        for row, (line, wide, on_line) in enumerate(streets)
    ]
    chosen = place_labels(labels, width=WIDTH, height=HEIGHT, occupied=occupied)
    placed = np.array([*occupied, *(box for _, box in chosen)])
    apart = ~find_overlaps(placed, placed)
    assert apart[~np.eye(len(placed), dtype=bool)].all()
    edges = compute_corners(placed[1:])
    assert ((edges >= 0) & (edges <= (WIDTH, HEIGHT))).all()
    assert not shapely.intersects(blocked, shapely.polygons(edges)).any()


def test_labels_of_one_key_keep_their_distance():
    """A long street is named again only far away."""
    line = np.array([[10.0, 150.0], [390.0, 150.0]])
    label = LabelCandidates(
        "road", *find_places_along_line(line, 40.0, 9.0), max_count=5, min_gap=150.0
    )
    placed = np.array([box for _, box in place_labels([label], width=WIDTH, height=HEIGHT)])
    assert len(placed) >= 2
    gaps = np.abs(placed[:, None, 0] - placed[None, :, 0])
    assert gaps[~np.eye(len(placed), dtype=bool)].min() >= 150


def test_shorter_word_stands_in():
    """Of two labels with one key that may not stand together, the second is used only if needed."""
    full = LabelCandidates(
        "school", *find_places_around_point(20.0, 20.0, (900.0, 9.0), radius=5.0), min_gap=np.inf
    )
    short = LabelCandidates(
        "school", *find_places_around_point(20.0, 20.0, (30.0, 9.0), radius=5.0), min_gap=np.inf
    )
    assert [which for which, _ in place_labels([full, short], width=WIDTH, height=HEIGHT)] == [1]
    assert [which for which, _ in place_labels([short, short], width=WIDTH, height=HEIGHT)] == [0]


def test_avoided_ground_is_used_only_without_better():
    """A label stands on ground that is to be avoided only where no other has room."""
    line = np.array([[10.0, 150.0], [390.0, 150.0]])
    label = LabelCandidates("road", *find_places_along_line(line, 40.0, 9.0))
    half = shapely.box(100, 0, 300, HEIGHT)
    [(_, box)] = place_labels([label], width=WIDTH, height=HEIGHT, avoided=half)
    assert not 100 < box[0] < 300
    assert place_labels(
        [label], width=WIDTH, height=HEIGHT, avoided=shapely.box(0, 0, WIDTH, HEIGHT)
    )


def _place_slowly(candidates, used, blocked, avoided):
    """The obvious way: of all places that are free, the cheapest, and of these the first."""
    placed = []
    for number, label in enumerate(candidates):
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
            placed.append((number, best[1]))
    return placed


@pytest.mark.slow
@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_places_are_those_of_the_obvious_way(seed):
    """A few at a time, and ending early, finds the same places as looking at all of them."""
    rng = np.random.default_rng(seed)
    candidates = []
    blocked, avoided = shapely.Point(80, 80).buffer(30), shapely.box(200, 0, 400, 300)
    for number in range(5):
        count = 120
        middles = rng.uniform((20, 20), (WIDTH - 20, HEIGHT - 20), (count, 2))
        sizes = np.broadcast_to(rng.uniform(10, 90, 2), (count, 2))
        boxes = np.column_stack([middles, sizes, rng.uniform(-90, 90, count)])
        costs = rng.integers(0, 20, count).astype(float)
        candidates.append(
            LabelCandidates(str(number), boxes, costs, 2, min_gap=100.0, blocked=blocked)
        )
    used = np.array([[200.0, 150.0, 60.0, 40.0, 0.0]])
    found = place_labels(candidates, width=WIDTH, height=HEIGHT, occupied=used, avoided=avoided)
    expected = _place_slowly(candidates, used, blocked, avoided)
    assert [number for number, _ in found] == [number for number, _ in expected]
    for (_, box), (_, slow) in zip(found, expected, strict=True):
        assert box.tolist() == slow.tolist()
