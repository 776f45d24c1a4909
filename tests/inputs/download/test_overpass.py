"""Streets through Overpass, with every tag and whole ways."""

import json

import pytest

from patrolplan.crs import Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.street_files import read_streets
from patrolplan.tables import LeftOut

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def node(number, lon, lat, **tags):
    """A node as Overpass gives it."""
    return {"type": "node", "id": number, "lat": lat, "lon": lon, "tags": tags}


def way(number, nodes, **tags):
    """A way as Overpass gives it."""
    return {"type": "way", "id": number, "nodes": nodes, "tags": tags}


NODES = [node(n, -0.14 + 0.001 * n, 51.52 + 0.0005 * (n % 3 == 1)) for n in range(1, 9)]
NETWORK = {
    "version": 0.6,
    "elements": [
        way(12, [1, 2, 3], highway="residential", name="Café Row", oneway="yes", lit="yes"),
        way(11, [3, 4], highway="cycleway", foot="designated"),
        way(13, [4, 5], highway="service", access="private"),
        way(14, [5, 6, 7, 5], highway="footway", sidewalk="separate"),
        *reversed(NODES),
    ],
}
FEATURES = {
    "version": 0.6,
    "elements": [
        *NODES[3:7],
        way(21, [4, 5, 6, 4], leisure="park", name="Green"),
        way(22, [6, 7, 8, 6]),
        node(30, -0.13, 51.52, highway="bus_stop", name="Stop"),
        {
            "type": "relation",
            "id": 40,
            "members": [{"type": "way", "ref": 22, "role": "outer"}],
            "tags": {"type": "multipolygon", "natural": "water", "name": "Lake"},
        },
        node(8, -0.132, 51.52),
    ],
}


@pytest.fixture
def world(world):
    """A world with four ways, a park, a lake and a bus stop."""
    world.network, world.features = NETWORK, FEATURES
    return world


@pytest.mark.parametrize("name", ["streets.osm.pbf", "streets.osm.gz", "streets.osm"])
def test_our_reader_takes_what_comes(world, serving, place, fetch, name):
    """Streets keep names and tags, cycleways and one-ways are walked, the map has its features."""
    text = (place().folder / "patrolplan.toml").read_text(encoding="utf-8")
    settings = place(text=text.replace("streets.osm.pbf", name))
    fetch(settings, serving(world), only=["streets"])
    streets = read_streets([settings.folder / name], Projection(), LeftOut())
    assert list(streets.ways["osm_id"]) == [11, 12, 14]  # 13 is private
    assert streets.ways.set_index("osm_id").loc[12, ["name", "lit"]].tolist() == ["Café Row", "yes"]
    assert list(streets.vertex_node) == [3, 4, 1, 2, 3, 5, 6, 7, 5]
    assert set(streets.features["kind"]) == {"park", "water", "bus_stop"}
    record = json.loads((settings.folder / "fetched.json").read_text(encoding="utf-8"))
    assert record["files"][name]["licence"] == "Open Database Licence 1.0"
    assert record["files"][name]["rows"] == 4


def test_a_part_of_the_data_is_refused(world, serving, place, fetch, quick_web):
    """An answer with a remark is cut short by the server: nothing is written."""
    world.network = NETWORK | {"remark": "runtime error: Query timed out"}
    settings = place()
    with pytest.raises(FetchError, match="Query timed out"):
        fetch(settings, serving(world), only=["streets"], web=quick_web(total=1))
    assert not (settings.folder / "streets.osm.pbf").exists()
