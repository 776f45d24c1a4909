"""What is requested of each publisher, what of its answers is written, and to which file."""

import csv
import io
import json

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.download import police
from patrolplan.inputs.download.download import find_target, parse_month
from patrolplan.inputs.download.gias import COLUMNS
from patrolplan.inputs.download.police import format_ring, halve_cell, split_into_cells
from patrolplan.inputs.schools import read_schools
from patrolplan.inputs.street_files import read_streets
from patrolplan.settings import CATEGORIES, parse_settings
from patrolplan.tables import LeftOut

BRITISH = Projection("EPSG:27700")


@st.composite
def areas(draw):
    """Stars of 5 to 40 corners, up to 60 km wide; some of several parts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        middle = np.array([530_000, 180_000]) + rng.uniform(-20_000, 20_000, 2)
        turns = np.sort(rng.uniform(0, 2 * np.pi, draw(st.integers(5, 40))))
        far = rng.uniform(0.3, 1, len(turns)) * draw(st.sampled_from([400, 5_000, 30_000]))
        star = middle + far[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
        parts.append(shapely.Polygon(star).buffer(0))
    area = shapely.union_all(parts)
    return area if area.area > 0 else shapely.Point(530_000, 180_000).buffer(500)


@given(areas(), st.integers(0, 2**32 - 1))
def test_no_point_of_the_area_is_left_out(area, seed):
    """Every point of the area lies in a cell as it is sent, whichever cells were halved."""
    rng = np.random.default_rng(seed)
    cells = split_into_cells(area)
    for _ in range(rng.integers(0, 12)):
        cells += halve_cell(cells.pop(rng.integers(len(cells))))
    west, south, east, north = area.bounds
    x, y = rng.uniform(west, east, 3000), rng.uniform(south, north, 3000)
    edge = shapely.get_coordinates(area)
    x, y = np.append(x, edge[:, 0]), np.append(y, edge[:, 1])
    within = shapely.intersects_xy(area, x, y)
    lon, lat = BRITISH.to_degrees(x[within], y[within])
    rings = (format_ring(cell, BRITISH).split(":") for cell in cells)  # as they are sent
    sent = (np.array([one.split(",") for one in ring], dtype=float) for ring in rings)
    found = [shapely.contains_xy(shapely.Polygon(ring[:, ::-1]), lon, lat) for ring in sent]
    assert np.any(found, axis=0).all()


@given(areas())
def test_halving_makes_smaller(area):
    """Halves are about half as long on the side that was cut, so halving comes to an end."""
    for cell in split_into_cells(area):
        for half in halve_cell(cell):
            longer = np.diff(np.reshape(cell.bounds, (2, 2)), axis=0).max()
            sides = np.sort(np.diff(np.reshape(half.bounds, (2, 2)), axis=0).ravel())
            assert sides[0] <= longer / 2 + 6


def test_a_hole_is_requested_too():
    """The API takes a single ring, so holes are requested too."""
    middle = shapely.Point(530_000, 180_000)
    (cell,) = split_into_cells(middle.buffer(2000) - middle.buffer(99))
    assert not cell.interiors


def test_every_category_has_the_name_of_the_monthly_files():
    """The API's short names become the names that risk and settings know."""
    short = """anti-social-behaviour bicycle-theft burglary criminal-damage-arson drugs other-crime
    other-theft possession-of-weapons public-order robbery shoplifting theft-from-the-person
    vehicle-crime violent-crime"""
    assert {police.name_category(one) for one in short.split()} == set(CATEGORIES)


def test_outlines_are_latitude_first():
    """data.police.uk takes latitude before longitude, the reverse of GeoJSON."""
    x, y = BRITISH.to_metres([-0.13], [51.52])
    (cell,) = split_into_cells(shapely.Point(x[0], y[0]).buffer(100))
    lat, lon = map(float, format_ring(cell, BRITISH).split(":")[0].split(","))
    assert (lat, lon) == (pytest.approx(51.52, abs=0.01), pytest.approx(-0.13, abs=0.01))


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
LAKE = {
    "type": "relation", "id": 40, "members": [{"type": "way", "ref": 22, "role": "outer"}],
    "tags": {"type": "multipolygon", "natural": "water", "name": "Lake"},
}  # fmt: skip
FEATURES = {
    "version": 0.6,
    "elements": [
        *(*NODES[3:7], node(8, -0.132, 51.52), LAKE),
        *(way(21, [4, 5, 6, 4], leisure="park", name="Green"), way(22, [6, 7, 8, 6])),
        node(30, -0.13, 51.52, highway="bus_stop", name="Stop"),
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


HEADER = (*COLUMNS, "HeadFirstName", "HeadLastName", "TelephoneNum", "PercentageFSM")


def register(*schools):
    """A daily file as GIAS writes it: Windows-1252, every cell quoted."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    people = {"HeadFirstName": "Ada", "HeadLastName": "Nosey", "TelephoneNum": "02079460000"}
    place = {"EstablishmentStatus (name)": "Open", "Easting": "528500", "Northing": "181500"}
    writer.writerows(people | place | school for school in schools)
    return text.getvalue().encode("cp1252")


SCHOOLS = register(
    {"URN": "100100", "EstablishmentName": "St Mary\u2019s, Café Lane"},
    {"URN": "99999", "EstablishmentName": "Older", "EstablishmentStatus (name)": "Closed"},
    {"URN": "100200", "EstablishmentName": "Far Away", "Easting": "400000"},
    {"URN": "100300", "EstablishmentName": "No Place", "Easting": "", "Northing": ""},
)


def test_the_areas_schools_are_written_without_people(world, serving, place, fetch):
    """Schools in the area stay, by URN, in the layout the reader knows; heads and phones do not."""
    world.register = {"edubasealldata20261124.csv": SCHOOLS}
    settings = place()
    fetch(settings, serving(world), only=["schools"])
    path = settings.folder / "schools.csv"
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["URN"] for row in rows] == ["99999", "100100"]
    assert not [one for one in ("Nosey", "0207946", "Ada") if one in text]
    read = read_schools([path], Projection(), LeftOut())
    assert list(read["name"]) == ["St Mary\u2019s, Café Lane"]


def test_the_newest_of_the_last_days_is_used(world, serving, place, fetch):
    """Where today's file does not exist yet, the day before's is requested."""
    world.register = {"edubasealldata20261122.csv": SCHOOLS, "edubasealldata20261121.csv": b"older"}
    fetch(place(), serving(world), only=["schools"])
    days = [path[-12:] for _, path, *_ in world.requests]
    assert days == ["20261124.csv", "20261123.csv", "20261122.csv"]


@pytest.mark.parametrize("body", [b"", b"<html>Busy</html>", b"URN,Name\n1,x\n", b'"a\n"b,"c\n'])
def test_another_file_is_refused(world, serving, place, fetch, quick_web, body):
    """An answer that is not a register is requested again, then reported."""
    world.register = {"edubasealldata20261124.csv": body}
    with pytest.raises(FetchError, match=r"sends? a (CSV )?table"):
        fetch(place(), serving(world), only=["schools"], web=quick_web(total=1))
    assert len(world.requests) == 2


@pytest.mark.parametrize(("pattern", "name"), [
    ("crimes/*/*.csv", "crimes/2026-09/2026-09-street.csv"),
    ("crimes/*/*-street.csv", "crimes/2026-09/2026-09-street.csv"),
    ("crimes/*.csv", "crimes/2026-09-street.csv"),
    ("crimes/**/*.csv", "crimes/2026-09/2026-09-street.csv"),
    ("../data/crimes/20*/*.csv.gz", "../data/crimes/2026-09/2026-09-street.csv.gz"),
    ("????-??/*", "2026-09/2026-09-street.csv"), ("*.csv", "2026-09-street.csv"),
])  # fmt: skip
def test_a_months_file_is_found_by_its_pattern(tmp_path, pattern, name):
    """The name chosen is one that the pattern finds, and that tells its month."""
    sources = {"crimes": [pattern], "schools": "s.csv", "streets": "s.osm.pbf"}
    chosen = parse_settings({"sources": sources}, folder=tmp_path / "here")
    path = find_target(chosen, "crimes", "2026-09")
    assert path == tmp_path / "here" / name
    path.parent.mkdir(parents=True)
    path.touch()
    assert [one.resolve() for one in chosen.find_files("crimes")] == [path.resolve()]
    assert parse_month(path) == "2026-09"
