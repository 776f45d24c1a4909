"""The map of a survey page: which streets, names and places around a school it holds."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from patrolplan.area.study_area import with_settings
from patrolplan.outputs.survey.street_map import build_street_map

RADIUS_METRES = 600.0
ROW = 2
"""The school's row in the demo borough."""


@pytest.fixture(scope="module")
def area(demo_area):
    """The demo borough with a reach that cuts its streets."""
    return with_settings(demo_area, patrol={"radius_metres": RADIUS_METRES})


@pytest.fixture(scope="module")
def street_map(area):
    """The map of one school."""
    return build_street_map(area, ROW)


@pytest.fixture(scope="module")
def gate(area):
    """(2,) metres."""
    return area.network.xy(area.gates.take([ROW]))[0]


def _to_metres(area, points):
    latitude, longitude = np.array(points).T
    return np.column_stack(area.projection.to_metres(longitude, latitude))


def _unpack(area, lines):
    """The lines of a page in metres, as its script unpacks them."""
    points = np.array(lines["steps"]).reshape(-1, 2).cumsum(axis=0) / 1e6
    xy = _to_metres(area, points.tolist())
    ends = np.cumsum([0, *lines["counts"]])
    return [xy[first:last] for first, last in pairwise(ends)]


def test_streets_are_all_those_of_the_box_by_name(area, street_map, gate):
    """Metres of street by name are those of the pieces in the box, no more and no fewer."""
    network = area.network.walkable
    inside = np.abs(network.piece_middle - gate).max(axis=1) <= RADIUS_METRES
    wanted = {}
    for name, metres in zip(network.piece_name[inside], network.piece_metres[inside], strict=True):
        wanted[name] = wanted.get(name, 0.0) + metres
    streets = street_map["streets"]
    found = {}
    for line, row in zip(_unpack(area, streets["lines"]), streets["name"], strict=True):
        name = streets["names"][row]
        found[name] = found.get(name, 0.0) + shapely.LineString(line).length
    assert found.keys() == wanted.keys()
    assert len(wanted) > 20
    for name, metres in wanted.items():
        assert found[name] == pytest.approx(metres, rel=0.01, abs=1.0)
    assert len(streets["rank"]) == len(streets["name"]) == len(streets["lines"]["counts"])


def test_a_listed_street_stands_for_a_point_on_it(area, street_map):
    """Each street of the list is a named one, once, at a point on itself, by the alphabet."""
    (entries,) = [row["entries"] for row in street_map["places"] if row["heading"] == "Streets"]
    names = [entry["name"] for entry in entries]
    assert names == sorted(set(names), key=str.casefold)
    assert set(names) == set(street_map["streets"]["names"]) - {""}
    network = area.network.walkable
    points = _to_metres(area, [entry["at"] for entry in entries])
    for name, point in zip(names, points, strict=True):
        own = network.piece_lines[network.piece_name == name]
        assert shapely.distance(shapely.multilinestrings(own), shapely.Point(point)) < 0.5
