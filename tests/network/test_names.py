"""Places in words."""

import numpy as np
import shapely
from small_networks import build_small_network

from patrolplan.network.names import MAX_CROSSING_METRES, describe_positions, label_streets

CROSS = [(-300, 0), (0, 0), (300, 0), (0, -300), (0, 300)]


def _labels_of(network, way):
    return set(label_streets(network)[network.parts.piece_way == way])


def test_named_streets_are_called_by_their_name():
    """A street that has a name is called so."""
    network = build_small_network(CROSS, [[0, 1, 2], [3, 1, 4]], ["High Street", "Mill Lane"])
    assert _labels_of(network, 0) == {"High Street"}
    assert _labels_of(network, 1) == {"Mill Lane"}


def test_unnamed_streets_are_called_by_their_kind():
    """A street without a name is called what it is, in plain words; unknown kinds are streets."""
    network = build_small_network(
        [(0, 0), (100, 0), (200, 0), (300, 0)],
        [[0, 1], [1, 2], [2, 3]],
        ["", "", ""],
        ["steps", "service", "something_new"],
    )
    assert _labels_of(network, 0) == {"steps"}
    assert _labels_of(network, 1) == {"service road"}
    assert _labels_of(network, 2) == {"street"}


def test_pavement_beside_a_street_takes_its_name():
    """A pavement mapped on its own is called by the street that it runs along, no path across."""
    places = [(0, 0), (200, 0), (0, 6), (200, 6), (100, -200)]
    network = build_small_network(
        places,
        [[0, 1], [2, 3], [0, 2], [1, 3], [4, 0]],
        ["High Street", "", "", "", ""],
        ["primary", "footway", "footway", "footway", "footway"],
    )
    assert _labels_of(network, 1) == {"High Street"}
    assert _labels_of(network, 2) == {"footpath"}


def test_a_walkway_is_not_called_by_the_street_below_it():
    """A footway takes the name of a street that runs as high as it does, and no other."""
    places = [(0, 0), (200, 0), (0, 6), (200, 6)]
    ways, names = [[0, 1], [2, 3], [0, 2], [1, 3]], ["High Street", "", "", ""]
    kinds = ["primary", "footway", "footway", "footway"]
    walkway = build_small_network(places, ways, names, kinds, traits={"layer": [0.0, 1, 0, 0]})
    assert _labels_of(walkway, 1) == {"walkway"}
    bridge = build_small_network(places, ways, names, kinds, traits={"layer": [1.0, 1, 0, 0]})
    assert _labels_of(bridge, 1) == {"High Street"}


def test_steps_and_crossings_are_called_so():
    """Even where they run along a street; a flight leads up or down in its own direction."""
    network = build_small_network(
        [(0, 0), (200, 0), (0, 6), (20, 6), (40, 6), (200, -60)],
        [[0, 1], [2, 3], [3, 4], [0, 2], [1, 5]],
        ["High Street", "", "", "", ""],
        ["primary", "steps", "steps", "footway", "footway"],
        traits={"incline": [0, 1, 0, 1, 0], "is_crossing": [False] * 4 + [True]},
    )
    assert _labels_of(network, 1) == {"steps"}
    assert _labels_of(network, 4) == {"crossing"}
    flights = dict(zip(network.parts.piece_way.tolist(), network.piece_flight, strict=True))
    assert flights == {0: "", 1: "up", 2: "steps", 3: "", 4: ""}


def test_place_is_told_by_street_and_nearest_other_street():
    """A place is its street near the nearest street of another name."""
    network = build_small_network(
        [*CROSS, (250, -100), (250, 0)],
        [[0, 1, 6, 2], [3, 1, 4], [5, 6]],
        ["High Street", "Mill Lane", "Dock Road"],
    )
    positions = network.snap([[40, 1], [230, 1]])
    assert describe_positions(network, positions) == [
        "High Street near Mill Lane",
        "High Street near Dock Road",
    ]


def _described_slowly(network, own, piece):
    """The words for the middle of one piece, by a look at all others."""
    middle = shapely.points(network.xy(network.middles([piece]))[0])
    apart = shapely.distance(middle, network.piece_lines)
    other = (
        (network.piece_name != "") & (network.piece_name != own) & (apart <= MAX_CROSSING_METRES)
    )
    if not other.any():
        return own
    near = min(np.flatnonzero(other), key=lambda one: (apart[one], network.piece_name[one]))
    return f"{own} near {network.piece_name[near]}"


def test_places_are_told_by_the_nearest_street_of_all(demo_area):
    """The crossing street is that which is nearest of all within reach."""
    network, labels = demo_area.network, label_streets(demo_area.network)
    pieces = np.random.default_rng(4).choice(len(network), 80, replace=False)
    slowly = [_described_slowly(network, labels[piece], piece) for piece in pieces]
    assert describe_positions(network, network.middles(pieces)) == slowly
