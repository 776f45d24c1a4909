"""Street files: what is walked, what is broken, squares, and the cache."""

import gzip

import networkx as nx
import numpy as np
import osmium
import osmnx
import pandas as pd
import pytest
import shapely
from small_networks import write_osm
from table_files import write_content

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import street_files
from patrolplan.inputs.street_files import hash_streets, load_cached_streets, read_streets
from patrolplan.network import build_network
from patrolplan.network.paths import WalkFinder
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
BLOOMSBURY = "bloomsbury_walk_2024-02-09"
NODES = {1: (-0.13, 51.52), 2: (-0.128, 51.52), 3: (-0.126, 51.52), 4: (-0.128, 51.522)}


def _osm(ways, nodes=None, more=""):
    return write_osm(ways, nodes or NODES, more)


def _read(*paths):
    left_out = LeftOut()
    return read_streets(paths, BNG, left_out), {row.reason: row.count for row in left_out.rows}


def _metres(streets):
    """Length by OpenStreetMap way."""
    steps = np.hypot(*np.diff(streets.vertex_xy, axis=0).T)
    same = streets.vertex_way[1:] == streets.vertex_way[:-1]
    ways = streets.ways["osm_id"].to_numpy()[streets.vertex_way[1:][same]]
    ids, number = np.unique(ways, return_inverse=True)
    return dict(zip(ids, np.bincount(number, weights=steps[same]), strict=True))


@pytest.mark.slow
def test_three_formats_hold_the_same_metres(shared):
    """Over the ways that all three hold, XML, PBF and GraphML have the same length within 1 %."""
    folder = shared / "data" / "streets"
    paths = [folder / f"{BLOOMSBURY}.{ending}" for ending in ("osm.gz", "osm.pbf", "graphml.gz")]
    lengths = [_metres(_read(path)[0]) for path in paths]
    graph = osmnx.load_graphml(graphml_str=gzip.decompress(paths[2].read_bytes()).decode())
    several = [ways for *_, ways in graph.edges(data="osmid") if isinstance(ways, list)]
    merged = {way for ways in several for way in ways}  # into one edge: they are there no more
    common = set(lengths[0]) & set(lengths[1]) & set(lengths[2]) - merged
    assert len(common) > 1000
    totals = [sum(length[way] for way in common) for length in lengths]
    assert max(totals) / min(totals) < 1.01
    assert lengths[0] == pytest.approx(lengths[1])


@pytest.mark.parametrize("ending", ["osm.gz", "osm.bz2", "osm.pbf", "pbf"])
def test_every_ending_holds_the_same_streets(tmp_path, ending):
    """What osmium packs in another way is read as the XML is."""
    path, other = _write_crossed(tmp_path), tmp_path / f"other.{ending}"
    with osmium.SimpleWriter(str(other)) as writer:
        for item in osmium.FileProcessor(str(path)):
            writer.add(item)
    assert hash_streets(_read(other)[0]) == hash_streets(_read(path)[0])


def test_nothing_but_streets_is_walked_in_a_full_export(shared):
    """In the full export of Camberwell no building, river or railway is among the streets."""
    path = shared / "data" / "streets" / "camberwell_full_2023-08.osm.gz"
    ways = gzip.decompress(path.read_bytes()).decode().split("<way ")[1:]
    bodies = [way.split("</way>")[0] for way in ways]
    others = [body for body in bodies if 'k="highway"' not in body]
    not_streets = {int(body.split('id="')[1].split('"')[0]) for body in others}
    streets, _ = _read(path)
    ids = set(streets.ways["osm_id"])
    assert len(not_streets) > 1000
    assert not ids & not_streets
    assert 250 < len(ids) <= 435
    assert (streets.ways["highway"] != "").all()


def test_a_pub_is_a_point_and_its_building_a_feature(tmp_path):
    """A bar's outline is drawn as a building; its middle is the bar, and a shop without a name."""
    ways = [
        (1, [1, 2], {"highway": "footway"}),
        (2, [1, 3, 4, 1], {"building": "yes", "amenity": "bar", "name": "The Mill"}),
        (3, [1, 3, 4, 1], {"amenity": "cafe"}),
    ]
    inner = "lon='-0.13' lat='51.52'><tag k='amenity' v='nightclub'/>"
    club = f"<node id='9' version='1' {inner}</node>"
    path = write_content(tmp_path, _osm(ways, more=club), "s.osm")
    streets, _ = _read(path, path)
    assert sorted(streets.features["kind"]) == ["building", "shop"]
    assert set(streets.features["name"][streets.features["kind"] == "shop"]) == {""}
    places = streets.places.set_index("kind").geometry
    assert sorted(places.index) == ["bar", "nightclub"]
    x, y = BNG.to_metres([-0.13, -0.128], [51.52, (51.52 + 51.52 + 51.522) / 3])
    assert (places["nightclub"].x, places["nightclub"].y) == pytest.approx((x[0], y[0]))
    assert (places["bar"].x, places["bar"].y) == pytest.approx((x[1], y[1]), abs=1)


def test_a_street_in_two_files_counts_once(tmp_path):
    """Two extracts that overlap join at their common nodes, and no street is doubled."""
    ends = ((10, [1, 2]), (11, [2, 3]), (12, [2, 4]))
    ways = [(*way, {"highway": "footway"}) for way in ends]
    parts = enumerate((ways[:2], ways[1:], ways))
    one, two, three = (write_content(tmp_path, _osm(part), f"{n}.osm") for n, part in parts)
    (streets, _), (whole, _) = _read(one, two), _read(three)
    assert list(streets.ways["osm_id"]) == [10, 11, 12]
    assert _metres(streets) == _metres(whole)
    networks = [build_network(part, BNG, LeftOut()) for part in (streets, whole)]
    assert networks[0].metres == pytest.approx(networks[1].metres)


def _graph(folder, name, *lines):
    """An osmnx graph whose edges have inner points; ways and nodes count on from line to line."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for number, (first, line) in enumerate(lines):
        for node, (x, y) in zip((first, first + 1), (line[0], line[-1]), strict=True):
            graph.add_node(node, x=x, y=y)
        ends = {"osmid": first, "highway": "path", "geometry": shapely.LineString(line)}
        graph.add_edge(first, first + 1, key=number, length=1.0, **ends)
    osmnx.save_graphml(graph, folder / name)
    return folder / name


BENDS = [
    (n, [(-0.13, 51.52 + n / 1e4), (-0.128, 51.521), (-0.126, 51.52 + n / 1e4)])
    for n in range(1, 5)
]


def test_two_graphs_that_overlap_hold_each_street_once(tmp_path):
    """Common edges are taken once, and inner points of one graph are not those of another."""
    one, two = _graph(tmp_path, "1.graphml", *BENDS[:3]), _graph(tmp_path, "2.graphml", *BENDS[1:])
    other = write_content(tmp_path, _osm([(10, [1, 2, 3], {"highway": "footway"})]), "s.osm")
    streets, _ = _read(one, two, other)
    whole, _ = _read(_graph(tmp_path, "3.graphml", *BENDS), other)
    assert _metres(streets) == pytest.approx(_metres(whole))
    assert len(streets.ways) == 5
    inner = streets.vertex_node[streets.vertex_node < 0]
    assert len(inner) == len(set(inner)) == 4


@pytest.mark.parametrize(("name", "contents", "what"), [
    ("s.osm", [None], "the file does not exist"), ("s.osm", [b""], "the file is empty"),
    ("s.shp", [b"x"], "'.shp' is not a street format"),
    ("s.osm", [b"<osm version='0.6'><way id='1'>", b"<html></html>", b"PK\x03\x04"],
     "is broken or not an OpenStreetMap file"),
    ("s.osm.gz", [b"not gzip at all"], "is broken or not an OpenStreetMap file"),
    ("s.osm.pbf", [b"\x00\x00\x00\x0dwhatever"], "is broken or not an OpenStreetMap file"),
    ("s.osm", [_osm([]).encode(), _osm([(1, [1, 2], {"building": "yes"})]).encode()],
     "has no street that can be walked"),
    ("s.graphml", [b"<graphml", b"<a></a>", b"\xff\xfe"],
     "is broken or not a street graph from osmnx"),
    ("s.graphml.gz", [b"x"], "is broken or not a street graph from osmnx"),
])  # fmt: skip
def test_files_that_are_not_streets(tmp_path, name, contents, what):
    """A missing, empty or broken street file, or another kind of file, is refused."""
    for content in contents:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as error:
            _read(tmp_path / name)
        assert f"{tmp_path / name}: {what}" in str(error.value)


@pytest.mark.parametrize("ending", ["osm.pbf", "osm.gz", "graphml.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_truncated_files_are_broken(shared, tmp_path, ending, share):
    """A street file that ends too early is reported as broken, wherever it was cut."""
    whole = (shared / "data" / "streets" / f"{BLOOMSBURY}.{ending}").read_bytes()
    path = write_content(tmp_path, whole[: int(len(whole) * share)], f"cut.{ending}")
    with pytest.raises(InputError, match="is broken"):
        _read(path)


@pytest.mark.parametrize(("highway", "foot", "walking"), [
    ("residential", "yes", True), ("cycleway", "yes", False), ("motorway", "yes", False),
    ("primary", "no", False),
])  # fmt: skip
def test_an_extract_for_walking_is_known(tmp_path, highway, foot, walking):
    """Footpaths, but nothing that only vehicles use: the file was made for walking."""
    further = {"highway": highway, "foot": foot}
    ways = [(1, (1, 2), {"highway": "footway"}), (2, (2, 3), further)]
    assert _read(write_content(tmp_path, _osm(ways), "s.osm"))[0].walking_extract is walking


GATED = (7, [1, 2, 3], {"highway": "footway"})


def _gated(**tags):
    """OSM XML of a way over a barrier with these tags."""
    nodes = {number: place for number, place in NODES.items() if number in {1, 3}}
    inner = "".join(f"<tag k='{key}' v='{value}'/>" for key, value in tags.items())
    gate = f"<node id='2' version='1' lon='-0.1280' lat='51.5200'>{inner}</node>"
    return _osm([GATED], nodes, gate)


@pytest.mark.parametrize(
    ("tags", "metres"),
    [({"access": "private"}, 138.8), ({"access": "private", "foot": "yes"}, 277.6), ({}, 277.6)],
)
def test_a_closed_barrier_parts_the_way_on_which_it_stands(tmp_path, tags, metres):
    """Nobody walks through a private gate, on a way or where ways meet, of whichever file it is."""
    gated = write_content(tmp_path, _gated(barrier="gate", **tags), "a.osm")
    for files in ([gated], [gated, write_content(tmp_path, _osm([GATED]), "b.osm")]):
        streets, _ = _read(*files)
        assert len(streets.ways) == 1
        network = build_network(streets, BNG, LeftOut())
        assert network.metres == pytest.approx(metres, abs=0.5)


CROSSED = [
    (1, [1, 2, 3], {"highway": "secondary", "sidewalk": "separate"}),
    (2, [2, 4], {"highway": "footway", "footway": "crossing"}),
    (3, [1, 4], {"highway": "footway", "footway": "sidewalk", "bridge": "yes"}),
    (4, [3, 4], {"highway": "footway", "footway": "crossing", "crossing": "unmarked"}),
    (5, [1, 99], {"highway": "path"}),
]
CROSSED_NODES = """
<node id='2' version='1' lon='-0.1280' lat='51.5200'>
  <tag k='highway' v='crossing'/><tag k='crossing' v='uncontrolled'/></node>
<node id='3' version='1' lon='-0.1260' lat='51.5200'><tag k='highway' v='traffic_signals'/></node>
<node id='7' version='1' lon='-0.1260' lat='51.5210'>
  <tag k='railway' v='subway_entrance'/><tag k='name' v='Exit 2'/></node>
<node id='8' version='1' lon='-0.1260' lat='51.5210'>
  <tag k='shop' v='bakery'/><tag k='name' v='Crumbs'/></node>
<node id='9' version='1' lon='-0.1260' lat='51.5215'>
  <tag k='amenity' v='pub'/><tag k='name' v='The Mill'/></node>
"""


def _write_crossed(folder):
    nodes = {number: place for number, place in NODES.items() if number in {1, 4}}
    return write_content(folder, _osm(CROSSED, nodes, CROSSED_NODES), "s.osm")


def test_a_crossing_is_known_by_its_own_tags_or_its_node(tmp_path):
    """A footway across a road takes its kind from a node of it only where it has none itself."""
    path = _write_crossed(tmp_path)
    streets, twice = _read(path)[0], _read(path, path)[0]
    assert streets.ways["crossing"].tolist() == ["", "zebra", "", "unmarked"]
    assert streets.ways["sidewalk"].tolist() == ["separate", "", "", ""]
    assert streets.ways["passage"].tolist() == ["", "", "bridge", ""]
    assert streets.ways["is_sidewalk"].tolist() == [False, False, True, False]
    for one in (streets, twice):  # the same from one file and from two
        kinds = dict(zip(one.crossing_nodes.tolist(), one.crossing_kinds.tolist(), strict=True))
        assert list(kinds.items()) == [(2, "zebra"), (3, "signals")]


def test_crossing_points_lie_on_the_roads(tmp_path):
    """The network knows each crossing as a point, with the road that it is on, not the footway."""
    parts = build_network(_read(_write_crossed(tmp_path))[0], BNG, LeftOut()).parts
    x, y = BNG.to_metres([-0.128, -0.126], [51.52, 51.52])
    np.testing.assert_allclose(parts.crossings.xy, np.column_stack([x, y]))
    assert parts.crossings.kind.tolist() == ["zebra", "signals"]
    assert parts.ways["osm_id"].to_numpy()[parts.crossings.way].tolist() == [1, 1]


def _load(path):
    """What the streets of a file hold, and what is left out."""
    left_out = LeftOut()
    streets = load_cached_streets([path], BNG, left_out)
    tables = [pd.DataFrame(one.to_wkt()).to_dict() for one in (streets.features, streets.places)]
    arrays = [getattr(streets, name).tolist() for name in street_files.ARRAYS]
    held = [streets.ways.to_dict(), *tables, *arrays, streets.walking_extract]
    return streets, held, left_out.rows


def test_cache_and_file_give_the_same(tmp_path, monkeypatch):
    """Streets of the same content come from the cache, the same in every part as from the file."""
    path, real, reads = _write_crossed(tmp_path), street_files.read_streets, []
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(street_files, "read_streets", lambda *of: reads.append(of) or real(*of))
    first, second = _load(path), _load(path)
    assert len(reads) == 1
    assert first[1:] == second[1:]
    assert second[0].places[["kind", "name"]].to_numpy().tolist() == [["pub", "The Mill"]]
    assert second[0].features.crs == second[0].places.crs == BNG.crs
    assert [row.reason for row in second[2]] == ["reach outside the file (ways)"]
    path.write_text(path.read_text().replace("secondary", "primary"))
    assert _load(path)[0].ways["highway"].iloc[0] == "primary"
    assert len(reads) == 2


CORNERS = [(0, 0), (1, 0), (1, 1), (0, 1), (-1, 0), (2, 1), (1, 0.5), (0.8, 0.2)]
"""Nodes 1 to 8 of a square and of streets that meet it, in thousandths of a degree."""


def _read_square(folder, outline=(1, 2, 7, 3, 4, 1), area="yes"):
    """The streets of a square between three streets."""
    places = [(-0.13 + x / 1000, 51.52 + y / 1000) for x, y in CORNERS]
    nodes = dict(enumerate(places, start=1))
    square = (5, outline, {"highway": "pedestrian", "name": "Square", "area": area})
    streets = [(6, [5, 1]), (7, [3, 6]), (8, [5, 6])]
    ways = [square, *((way, refs, {"highway": "residential"}) for way, refs in streets)]
    return _read(write_content(folder, _osm(ways, nodes), "s.osm"))[0]


@pytest.mark.parametrize(
    ("area", "metres", "names"), [("yes", 131, {""}), ("no", 181, {"", "Square"})]
)
def test_a_square_is_crossed_and_not_circled(tmp_path, area, metres, names):
    """Its outline is walkable but not street to patrol; a link leads straight from side to side."""
    streets = _read_square(tmp_path, area=area)
    network = build_network(streets, BNG, LeftOut())
    ends = [streets.vertex_xy[streets.vertex_node == node][0] for node in (1, 3)]
    walks = WalkFinder(network.walkable, network.snap(ends))
    assert walks.metres[0, 1] == pytest.approx(metres, abs=1)
    assert set(network.piece_name) == names
    links = streets.ways.iloc[4:]
    assert links["osm_id"].tolist() == [5] * (area == "yes")
    assert not links["is_patrolled"].any()


def test_no_link_leaves_the_square(tmp_path, monkeypatch):
    """Between entrances that do not see each other one walks round; of many some are linked."""
    assert len(_read_square(tmp_path, (1, 2, 7, 3, 8, 4, 1)).ways) == 4
    monkeypatch.setattr(street_files, "MAX_ENTRANCES", 1)
    assert len(_read_square(tmp_path).ways) == 4
