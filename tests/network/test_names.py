"""Places in words."""

import numpy as np
import pytest
import shapely
from small_networks import build_small_network

from patrolplan.network.names import MAX_CROSSING_METRES, describe_positions, label_streets

CROSS = [(-300, 0), (0, 0), (300, 0), (0, -300), (0, 300)]


def _labels_of(network, way):
    return set(label_streets(network)[network.parts.piece_way == way])


LANES = [(0, 0), (200, 0), (0, 6), (200, 6), (100, -200)]
BESIDE = [[0, 1], [2, 3], [0, 2], [1, 3], [4, 0]]
"""A street, a way that runs beside it, and ways that join or leave them."""
STEPS = [(0, 0), (200, 0), (0, 6), (20, 6), (40, 6), (200, -60)]
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
def test_streets_are_called_by_name_kind_or_the_street_beside_them(
    places, ways, kinds, traits, labels
):
    """A pavement has the name of its street on the same level; steps and crossings are so."""
    names = ["High Street", *[""] * (len(ways) - 1)]
    network = build_small_network(places, ways, names, kinds, traits=traits)
    assert {way: _labels_of(network, way) for way in labels} == {
        way: {label} for way, label in labels.items()
    }


def test_a_flight_of_steps_leads_up_or_down_in_its_own_direction():
    """Where its incline is known; other ways lead nowhere."""
    network = build_small_network(
        STEPS,
        [[0, 1], [2, 3], [3, 4], [0, 2], [1, 5]],
        kinds=["primary", "steps", "steps", "footway", "footway"],
        traits={"incline": [0, 1, 0, 1, 0]},
    )
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
