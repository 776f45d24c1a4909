"""Directions, street by street, match the walk; turns and landmarks are a walker's."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.network.crossings import CrossedRoad
from patrolplan.network.names import KIND_LABELS, label_streets
from patrolplan.network.pieces import PUSH, RIDE
from patrolplan.patrols.directions import Landmarks, PieceTraits, build_directions, build_leg
from patrolplan.patrols.legs import Landmark
from patrolplan.patrols.runs import HEADINGS, LOOK_METRES, MIN_END_METRES, WalkedLine, describe_turn


def _walk(*moves):
    """A walk of (east, north) moves, one piece each."""
    line = np.concatenate([[[0.0, 0.0]], np.cumsum(np.array(moves, dtype=float), axis=0)])
    metres, backwards = np.hypot(*np.diff(line, axis=0).T), np.zeros(len(moves), dtype=bool)
    return SimpleNamespace(
        line=line, pieces=np.arange(len(moves)), piece_metres=metres, backwards=backwards,
        metres=metres.sum(), cost_metres=metres.sum(),
    )  # fmt: skip


def _turn(walk):
    """The same walk, walked back."""
    back = SimpleNamespace(**vars(walk))
    back.line, back.pieces = walk.line[::-1], walk.pieces[::-1]
    back.piece_metres, back.backwards = walk.piece_metres[::-1], ~walk.backwards
    return back


def _traits(called, *, forks=None, bicycle_ways=None, **pieces):
    """Traits of pieces that are called so; those called by their kind have no name."""
    labels, count = np.array([*called], dtype=object), len(called)
    none = np.full(count, "", dtype=object)
    network = SimpleNamespace(
        piece_name=np.where(np.isin(labels, list(KIND_LABELS)), "", labels),
        piece_nodes=np.arange(2 * count).reshape(count, 2),
        piece_is_secluded=np.zeros(count, dtype=bool),
        piece_layer=np.zeros(count),
        bicycle_ways=None if bicycle_ways is None else np.array(bicycle_ways),
        **dict.fromkeys(("piece_lit", "piece_flight", "piece_passage"), none),
    )
    for name, values in pieces.items():
        kind = object if isinstance(values[0], str) else None
        setattr(network, f"piece_{name}", np.array(values, dtype=kind))
    traits = PieceTraits(network, labels, is_ridden=bicycle_ways is not None)
    if forks is not None:
        traits.forks = np.array(forks)
    return traits


def _directions(walk, called, *, crossed=(), landmarks=None, **traits):
    return build_directions(walk, _traits(called, **traits), crossed=crossed, landmarks=landmarks)


def _tell(steps):
    parts = [
        (step.turn, step.street, f"{step.metres:.0f}", step.flight,
         step.level and f"to {step.level}", step.passage and f"on {step.passage}")
        for step in steps
    ]  # fmt: skip
    return ", ".join(" ".join(filter(None, part)) for part in parts)


def test_first_step_is_a_compass_heading():
    """A leg begins with the direction to set off in."""
    for heading, angle in zip(HEADINGS, np.radians(45 * np.arange(8)), strict=True):
        walk = _walk((50 * np.sin(angle), 50 * np.cos(angle)))
        assert _tell(_directions(walk, ["A"])) == f"{heading} A 50"


@pytest.mark.parametrize(
    ("moves", "names", "expected", "traits"),
    [
        # Each change of street is a step with its turn.
        (
            [(0, 60), (80, 0), (0, 70), (-50, 50)], ["A", "B", "C", "D"],
            "head north A 60, right B 80, left C 70, bear left D 71", {},
        ),
        # A bit with a corner at its start belongs to the street after, at its end to that before.
        (
            [(60, 0), (4, -4), (0, -17), (0, -60)], ["A", "crossing", "crossing", "footpath"],
            "head east A 60, right footpath 83", {},
        ),
        ([(60, 0), (15, 0), (0, 60)], ["A", "crossing", "B"], "head east A 75, left B 60", {}),
        # By a few metres of another street into a third takes two turns.
        ([(60, 0), (0, 12), (60, 0)], ["A", "B", "C"], "head east A 60, left B 12, right C 60", {}),
        (
            [(60, 0), (0, 12), (60, 0)], ["A", "crossing", "A"],
            "head east A 60, left crossing 12, right A 60", {},
        ),
        # A short bit at either end is a step where one turns at it, else part of the street.
        (
            [(0, -13), (70, 0), (0, 60), (15, 0)], ["service road", "A", "B", "Yard"],
            "head south service road 13, left A 70, left B 60, right Yard 15", {},
        ),
        ([(13, 0), (70, 0), (15, 2)], ["forecourt", "A", "yard"], "head east A 98", {}),
        ([(0, -5), (70, 0)], ["forecourt", "A"], "head east A 75", {}),
        # A street's own name leads round a bend, not that of a pavement, nor one that forks.
        ([(0, 60), (60, 0)], ["A", "A"], "head north A 120", {}),
        ([(0, 60), (60, 0)], ["A", "A"], "head north A 60, right A 60", {"name": ["A", ""]}),
        (
            [(0, 60), (60, 0)], ["A", "A"], "head north A 60, right A 60",
            {"forks": [[False, True], [True, False]]},
        ),
        # Every flight of steps, however short; a landing belongs to it, and nothing else.
        (
            [(0, 60), (0, 3), (0, 2), (0, 4), (0, 60)], ["A", "steps", "footpath", "steps", "B"],
            "head north A 60, straight on steps 9 up, straight on B 60",
            {"flight": ["", "up", "", "up", ""]},
        ),
        (
            [(0, 60), (0, 3)], ["A", "steps"],
            "head north A 60, straight on steps 3 down", {"flight": ["", "down"]},
        ),
        (
            [(60, 0), (0, 20), (0, 4), (0, 12), (60, 0)],
            ["A", "footpath", "steps", "footpath", "B"],
            ("head east A 60, left footpath 20, straight on steps 4 up, "
             "straight on footpath 12, right B 60"), {"flight": ["", "", "up", "", ""]},
        ),
        # A change of level without steps, not onto a bridge nor where steps are at hand.
        (
            [(0, 60), (0, 40), (0, 60)], ["A", "walkway", "B"],
            "head north A 60, straight on walkway 40 to up, straight on B 60 to down",
            {"layer": [0, 1, 0]},
        ),
        (
            [(0, 60), (0, 40), (0, 60)], ["A", "walkway", "B"],
            "head north A 60, straight on walkway 40 on bridge, straight on B 60",
            {"layer": [0, 1, 0], "passage": ["", "bridge", ""]},
        ),
        (
            [(0, 60), (0, 5), (0, 40)], ["A", "steps", "walkway"],
            "head north A 60, straight on steps 5 up, straight on walkway 40",
            {"flight": ["", "up", ""], "layer": [0, 0, 1]},
        ),
        # A few metres before a flight belong to it; a bridge of 7 metres is named, none of 4.
        (
            [(0, 3), (0, 4), (0, 60)], ["A", "steps", "B"],
            "head north steps 7 up, straight on B 60", {"flight": ["", "up", ""]},
        ),
        (
            [(0, 7), (0, 33), (60, 0), (0, 4), (0, 60)], ["A", "A", "B", "C", "C"],
            "head north A 40 on bridge, right B 60, left C 64",
            {"passage": ["bridge", "", "", "bridge", ""]},
        ),
    ],
)  # fmt: skip
def test_turns_follow_the_line(moves, names, expected, traits):
    """Short bits of street are merged, but hide no turn, no steps and no change of level."""
    assert _tell(_directions(_walk(*moves), names, **traits)) == expected


def test_steps_lead_down_on_the_way_back():
    """As they are walked, whichever way their street was drawn."""
    back = _turn(_walk((0, 60), (0, 9), (0, 60)))
    steps = _directions(back, ["A", "steps", "B"], flight=["", "up", ""])
    assert _tell(steps) == "head south B 60, straight on steps 9 down, straight on A 60"


MOVE = st.tuples(st.integers(-60, 60), st.integers(-60, 60)).filter(any)


def _bearing(line, at, sign):
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    ends = np.clip([at, at + sign * LOOK_METRES], 0.0, along[-1])
    x, y = (np.interp(ends, along, axis) for axis in line.T)
    return np.degrees(np.arctan2(sign * (x[1] - x[0]), sign * (y[1] - y[0])))


def find_hidden_corners(walk, names, steps):
    """Places where one turns 60 degrees or more off a street's name, and no direction says so.

    A direction counts that begins within the distance that a corner is looked at from; bits at the
    ends of a leg that are always left out do not count.
    """
    ends = np.cumsum(walk.piece_metres)
    corners = np.cumsum([step.metres for step in steps])
    hidden = []
    for at, before, after in zip(ends[:-1], names[:-1], names[1:], strict=True):
        turn = (_bearing(walk.line, at, 1) - _bearing(walk.line, at, -1) + 180) % 360 - 180
        leaves = before != after or before in KIND_LABELS
        inside = MIN_END_METRES < at < ends[-1] - MIN_END_METRES
        if leaves and inside and abs(turn) >= 60.001 and np.abs(corners - at).min() > LOOK_METRES:
            hidden.append((float(at), float(turn)))
    return hidden


@given(st.lists(MOVE, min_size=1, max_size=12), st.data())
def test_no_corner_off_a_street_is_hidden_and_no_metre_is_lost(moves, data):
    """With any short parts of streets, and any merging of them."""
    some = st.sampled_from(["A", "B", "footpath"])
    names = data.draw(st.lists(some, min_size=len(moves), max_size=len(moves)))
    walk = _walk(*moves)
    leg = build_leg(walk, _traits(names), 80.0)
    assert find_hidden_corners(walk, names, leg.steps) == []
    assert sum(step.metres for step in leg.steps) == pytest.approx(leg.metres)
    assert leg.minutes == pytest.approx(walk.metres / 80)
    assert leg.steps[0].turn.startswith("head ")
    for before, after in pairwise(leg.steps):
        assert before.street != after.street or after.turn in {"left", "right", "turn back"}
    if len(leg.steps) > 1:
        assert all(step.metres >= MIN_END_METRES for step in (leg.steps[0], leg.steps[-1]))


def test_each_crossing_is_in_the_direction_in_which_it_is():
    """By its metres along the walk, in order."""
    first, *others = (20.0, "Low Road", "zebra"), (80.0, "B", "signals"), (90.0, "C", "unknown")
    crossed = [CrossedRoad(*road) for road in (first, *others)]
    steps = _directions(_walk((0, 60), (60, 0)), ["A", "B"], crossed=crossed)
    found = [[(one.road, one.kind) for one in step.crossings] for step in steps]
    assert found == [[first[1:]], [road[1:] for road in others]]


LONG_MOVES = st.lists(
    st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]), min_size=1, max_size=8
).filter(lambda moves: all(np.add(a, b).any() for a, b in pairwise(moves)))


@given(LONG_MOVES, st.data())
def test_directions_walked_back_are_those_of_the_walk_back(moves, data):
    """With levels, passages and crossings: the same streets in the other order, as far each."""

    def draw(*values):
        return data.draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))

    count = len(moves)
    # No two bits as long as each other: of equal ones the first is chosen, either way round.
    walk = _walk(*(np.array(move) * (60 + 2**k) for k, move in enumerate(moves)))
    traits = {"flight": draw("", "", "up", "steps"), "layer": draw(0, 0, 1)}
    traits["passage"], names = draw("", "", "bridge", "tunnel"), draw("A", "B", "footpath")
    crossed = [CrossedRoad(at - 30.0, "Road", "zebra") for at in np.cumsum(walk.piece_metres)]
    signs = [shapely.Point(place) for place in walk.line]
    columns = ["bus_stop"] * len(signs), [str(place) for place in signs], signs
    landmarks = Landmarks(*(np.array(column, dtype=object) for column in columns))
    steps = _directions(walk, names, crossed=crossed, landmarks=landmarks, **traits)
    returned = [replace(one, at_metres=walk.metres - one.at_metres) for one in crossed[::-1]]
    back = _directions(_turn(walk), names, crossed=returned, landmarks=landmarks, **traits)
    assert [_describe_both_ways(step) for step in back] == [
        _describe_both_ways(replace(step, crossings=step.crossings[::-1])) for step in steps[::-1]
    ]


def _describe_both_ways(step):
    """What a direction says that does not depend on which way one walks."""
    is_flight = bool(step.flight)
    return step.street, step.way, round(step.metres), is_flight, step.passage, step.crossings


@pytest.mark.parametrize(
    ("metres", "expected"),
    [
        (12, [("A", 100, "ride"), ("B", 12, "push"), ("C", 100, "ride")]),
        (5, [("A", 105, "ride"), ("C", 100, "ride")]),
    ],
)
def test_a_push_is_told_though_it_is_short(metres, expected):
    """Getting off for 12 m is a direction; a bit of a few metres is not."""
    ways = [[RIDE] * 2, [PUSH] * 2, [RIDE] * 2]
    steps = _directions(_walk((0, 100), (metres, 0), (0, 100)), "ABC", bicycle_ways=ways)
    assert [(step.street, round(step.metres), step.way) for step in steps] == expected


def _read_walk(leg, network):
    """The walk of a planned leg: its line, and the metres along it of each piece."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(leg.line, axis=0).T))])
    ends, row = [0.0], 0
    for before, after in zip(leg.pieces[:-1], leg.pieces[1:], strict=True):
        shared = set(network.piece_nodes[before]) & set(network.piece_nodes[after])
        apart = [np.hypot(*(leg.line[row:] - network.node_xy[node]).T) for node in sorted(shared)]
        row += min(int(np.argmin(distance)) for distance in apart)
        ends.append(along[row])
    return SimpleNamespace(line=leg.line, piece_metres=np.diff([*ends, along[-1]]))


@pytest.mark.parametrize(
    "plan", ["demo_plan", pytest.param("bloomsbury_plan", marks=pytest.mark.slow)]
)
def test_no_direction_of_a_town_hides_a_corner(plan, request):
    """Of every leg of every patrol, corners off a street and flights of steps are told."""
    plan = request.getfixturevalue(plan)
    network = plan.area.network
    labels, legs = label_streets(network), [leg for one in plan.patrols for leg in one.legs]
    assert len(legs) > 15
    for leg in legs:
        walk, names = _read_walk(leg, network), labels[leg.pieces]
        assert find_hidden_corners(walk, names, leg.steps) == []
        climbs = any(network.piece_flight[leg.pieces])
        assert not climbs or any(step.flight for step in leg.steps)


def test_turn_words_at_known_angles():
    """Turns are named as a walker would: by side and sharpness, clockwise to the right."""
    words = {
        "straight on": (0, 29, -29, -350), "bear right": (31, 59), "bear left": (-31, -59),
        "right": (61, 90, 149, 450), "left": (-90, -149, 270), "turn back": (151, 180, -180),
    }  # fmt: skip
    for word, angles in words.items():
        assert {describe_turn(np.radians(degrees)) for degrees in angles} == {word}


def test_a_corner_is_where_one_turns_most():
    """Bends next to each other to one side are one corner; to the other side they are two."""
    rounded, jog, gentle = (
        WalkedLine.from_xy(np.array([(0, 0), (0, 60), *xy], dtype=float))
        for xy in ([(3, 63), (60, 63)], [(11, 60), (11, 120)], [(40, 100)])
    )
    assert rounded.find_corners(rounded.along[1:-1]) in ([60.0], [rounded.along[2]])
    assert jog.find_corners(jog.along[1:-1]) == [60.0, 71.0]
    assert gentle.find_corners(gentle.along[1:-1]) == []


def _features(*rows):
    kinds, names, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"kind": kinds, "name": names}, geometry=list(shapes), crs="EPSG:27700")


def test_no_house_shop_or_nameless_green_is_a_landmark():
    """A bus stop without a name is one; a railway has no name on the map."""
    here, near = shapely.Point(0, 0), shapely.Point(5, 0)
    features = _features(
        ("building", "Rose Cottage", here), ("shop", "Corner Shop", here), ("park", "", here),
        ("bus_stop", "", near), ("railway", "Main Line", shapely.box(100, -9, 101, 9).boundary),
    )  # fmt: skip
    found = Landmarks.from_features(features).find_nearest(np.array([[0.0, 0.0], [99.0, 0.0]]))
    assert found == [Landmark("bus_stop"), Landmark("railway")]


KINDS = ("bus_stop", "station", "park", "building", "shop", "railway")
PLACES = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), PLACES), min_size=1, max_size=12),
    st.lists(PLACES, min_size=1, max_size=5),
)
def test_landmarks_are_those_of_a_search_through_all(signs, places):
    """One after the other, each place against each sign; the first of those as near."""
    rows = [(kind, f"{number}", shapely.Point(place)) for number, (kind, place) in enumerate(signs)]
    found = Landmarks.from_features(_features(*rows)).find_nearest(np.array(places, dtype=float))
    for place, landmark in zip(places, found, strict=True):
        near = [
            (np.hypot(x - place[0], y - place[1]), number, kind)
            for number, (kind, (x, y)) in enumerate(signs)
            if kind not in {"building", "shop"}
        ]
        near = min((row for row in near if row[0] <= 30), default=None)
        name = near and ("" if near[2] == "railway" else f"{near[1]}")
        assert landmark == (near and Landmark(near[2], name))
