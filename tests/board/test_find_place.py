"""Free text to places in an area."""

import dataclasses

import numpy as np
import pytest
import shapely

from patrolplan.board.find_place import find_places
from patrolplan.crs import Projection


@pytest.mark.parametrize(
    "text", ["Conder Avenue", "conder  ave", "Conder Ave.", "CONDER AVNUE", "conder"]
)
def test_a_street_is_found_however_its_name_is_written(demo_area, text):
    """Short forms, small letters, a slip and a beginning find the street, on one of its pieces."""
    place = find_places(demo_area, text)[0]
    assert (place.label, place.kind) == ("Conder Avenue", "street")
    pieces = demo_area.network.piece_lines[demo_area.network.piece_name == "Conder Avenue"]
    assert shapely.distance(pieces, shapely.Point(place.xy)).min() < 1e-6
    assert place.street_metres < 1e-6


def test_two_streets_are_found_where_they_meet(demo_area):
    """A junction is where both streets are; streets that do not meet have none."""
    network = demo_area.network
    both = {}
    for nodes, name in zip(network.piece_nodes.tolist(), network.piece_name, strict=True):
        for node in nodes:
            both.setdefault(node, set()).update({name} - {""})
    node, (one, other) = next((at, sorted(s)) for at, s in sorted(both.items()) if len(s) == 2)
    found = find_places(demo_area, f"{one.lower()} / {other}")
    assert {place.kind for place in found} == {"junction"}
    assert {place.label for place in found} == {f"{one} / {other}"}
    at = network.node_xy[node]
    assert min(np.hypot(*np.subtract(place.xy, at)) for place in found) < 60
    for place in found:
        for name in (one, other):
            lines = network.piece_lines[network.piece_name == name]
            assert shapely.distance(lines, shapely.Point(place.xy)).min() < 60


@pytest.mark.parametrize(("text", "label", "xy"), [
    *((text, "TQ 301 812", (530150, 181250)) for text in ("TQ 301 812", "tq301812")),
    ("TQ 3012 8123", "TQ 3012 8123", (530125, 181235)), ("SV 000 000", "SV 000 000", (50, 50)),
    ("TQ3012381234", "TQ 30123 81234", (530123.5, 181234.5)),
    ("HU 396 753", "HU 396 753", (439650, 1175350)),
])  # fmt: skip
def test_a_grid_reference_is_the_middle_of_its_square(demo_area, text, label, xy):
    """With six to ten figures, with and without spaces, from the south-west to Shetland."""
    (place,) = find_places(demo_area, text)
    assert (place.label, place.kind, place.xy) == (label, "grid_reference", xy)


def test_another_name_finds_nothing(demo_area):
    """What resembles no street is no place, nor letters and figures beyond the British grid."""
    assert find_places(demo_area, "Quarrelsome Boulevard") == ()
    assert find_places(demo_area, "  ") == ()
    network = dataclasses.replace(demo_area.network, projection=Projection("EPSG:32630"))
    elsewhere = dataclasses.replace(demo_area, network=network)
    assert elsewhere.projection.crs == "EPSG:32630"
    assert find_places(elsewhere, "TQ 301 812") == ()


@pytest.mark.parametrize(
    "text", ["51.530686, 0.871526", "51.530686N 0.871526E", "0.871526,51.530686"]
)
def test_degrees_are_found_either_way_round(demo_area, text):
    """Latitude comes first, as people write it, unless only the other order is near the streets."""
    (place,) = find_places(demo_area, text)
    x, y = demo_area.projection.to_metres([0.871526], [51.530686])
    assert (place.kind, place.label) == ("coordinates", "51.530686, 0.871526")
    np.testing.assert_allclose(place.xy, (x[0], y[0]))
    assert place.street_metres < 100
