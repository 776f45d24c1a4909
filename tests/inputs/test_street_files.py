"""Streets cached by the content of their files."""

import numpy as np
import pytest

from patrolplan.crs import Projection
from patrolplan.inputs import street_files
from patrolplan.inputs.street_files import load_cached_streets
from patrolplan.network import build_network
from patrolplan.network.paths import WalkFinder
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
OSM = """<osm version='0.6'>
<node id='1' version='1' lon='-0.13' lat='51.52'/>
<node id='2' version='1' lon='-0.128' lat='51.52'/>
<node id='3' version='1' lon='-0.128' lat='51.521'/>
<way id='5' version='1'><nd ref='1'/><nd ref='2'/>
<tag k='highway' v='residential'/><tag k='name' v='Mill Lane'/></way>
<way id='6' version='1'><nd ref='1'/><nd ref='9'/><tag k='highway' v='path'/></way>
<way id='7' version='1'><nd ref='1'/><nd ref='2'/><nd ref='3'/><nd ref='1'/>
<tag k='leisure' v='park'/></way>
<way id='8' version='1'><nd ref='1'/><nd ref='2'/><nd ref='3'/><nd ref='1'/>
<tag k='amenity' v='pub'/><tag k='name' v='The Mill'/></way>
</osm>"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(folder))
    return folder


@pytest.fixture
def osm(tmp_path):
    """A small street file."""
    path = tmp_path / "s.osm"
    path.write_text(OSM, encoding="utf-8")
    return path


@pytest.fixture
def reads(monkeypatch):
    """Every reading of the files themselves."""
    counted = []
    real = street_files.read_streets

    def spy(paths, *args):
        counted.append(paths)
        return real(paths, *args)

    monkeypatch.setattr(street_files, "read_streets", spy)
    return counted


def _all(path, projection=BNG):
    left_out = LeftOut()
    streets = load_cached_streets([path], projection, left_out)
    return (
        streets.ways.to_dict("records"),
        streets.vertex_way.tolist(),
        streets.vertex_node.tolist(),
        streets.vertex_xy.tolist(),
        streets.features.drop(columns="geometry").to_dict("records"),
        streets.features.geometry.to_wkt().tolist(),
        str(streets.features.crs),
        streets.places.drop(columns="geometry").to_dict("records"),
        streets.places.geometry.to_wkt().tolist(),
        str(streets.places.crs),
        streets.walking_extract,
        left_out.rows,
    )


def test_cache_and_file_give_the_same(osm, reads):
    """Read again, streets come from the cache, the same in every part as from the file."""
    first, second = _all(osm), _all(osm)
    assert len(reads) == 1
    assert first == second
    assert {"kind": "pub", "name": "The Mill"} in first[7]
    assert [row.reason for row in second[-1]] == ["reach outside the file (ways)"]


def test_changed_file_is_read_again(osm, reads):
    """A file of the same name with other content is not taken from the cache."""
    _all(osm)
    osm.write_text(OSM.replace("Mill Lane", "Dock Road"), encoding="utf-8")
    assert _all(osm)[0][0]["name"] == "Dock Road"
    assert len(reads) == 2


def test_another_crs_is_read_again(osm, reads):
    """Metres of one CRS are not taken for those of another."""
    one, other = _all(osm), _all(osm, Projection("EPSG:32630"))
    assert len(reads) == 2
    assert not np.allclose(one[3], other[3])


def test_the_same_content_elsewhere_is_recognised(osm, tmp_path, reads):
    """A copy of a file under another name is found in the cache."""
    copy = tmp_path / "copy.osm"
    copy.write_text(OSM, encoding="utf-8")
    assert _all(osm) == _all(copy)
    assert len(reads) == 1


CORNERS = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (-1, 0), 6: (2, 1), 7: (1, 0.5)}
"""Nodes of a square and of streets that meet it, in thousandths of a degree."""

STREETS = {6: [5, 1], 7: [3, 6], 8: [5, 6]}


def _draw_square(area, outline=(1, 2, 7, 3, 4, 1), **more):
    """OSM XML of the square with these tags."""
    nodes = [
        f"<node id='{node}' version='1' lon='{-0.13 + x / 1000}' lat='{51.52 + y / 1000}'/>"
        for node, (x, y) in {**CORNERS, **more.get("nodes", {})}.items()
    ]
    square = "<tag k='highway' v='pedestrian'/><tag k='name' v='Square'/>" + area
    street = "<tag k='highway' v='residential'/>"
    rows = [(5, outline, square), *((way, refs, street) for way, refs in STREETS.items())]
    ways = []
    for way, refs, tags in rows:
        inner = "".join(f"<nd ref='{node}'/>" for node in refs)
        ways.append(f"<way id='{way}' version='1'>{inner}{tags}</way>")
    return "\n".join(["<osm version='0.6'>", *nodes, *ways, "</osm>"])


def _walk_across(tmp_path, area):
    """Metres across the square between the streets at its corners, and what is patrolled."""
    path = tmp_path / "square.osm"
    path.write_text(_draw_square(area), encoding="utf-8")
    streets = street_files.read_streets([path], BNG, LeftOut())
    network = build_network(streets, BNG, LeftOut())
    ends = [streets.vertex_xy[streets.vertex_node == node][0] for node in (1, 3)]
    walks = WalkFinder(network.walkable, network.snap(ends))
    return walks.metres[0, 1], set(network.piece_name), streets


def test_a_square_is_crossed_and_not_circled(tmp_path):
    """Its outline is walkable but not street to patrol; a link leads straight from side to side."""
    metres, names, streets = _walk_across(tmp_path, "<tag k='area' v='yes'/>")
    assert metres == pytest.approx(131, abs=1)
    assert names == {""}
    links = streets.ways.iloc[4:]
    assert (links["osm_id"] == 5).all()
    assert not links["is_patrolled"].any()
    assert len(links) == 1
    metres, names, _ = _walk_across(tmp_path, "")  # a street that leads round in a ring
    assert metres == pytest.approx(181, abs=1)
    assert names == {"", "Square"}


def test_no_link_leaves_the_square(tmp_path):
    """Between entrances that do not see each other one walks round the corner."""
    path = tmp_path / "square.osm"
    area, nodes = "<tag k='area' v='yes'/>", {9: (0.8, 0.2)}
    inwards = _draw_square(area, (1, 2, 7, 3, 9, 4, 1), nodes=nodes)
    path.write_text(inwards, encoding="utf-8")
    streets = street_files.read_streets([path], BNG, LeftOut())
    assert len(streets.ways) == 4


def test_a_square_of_many_entrances_is_linked_between_some(monkeypatch, tmp_path):
    """The links would be as many as the pairs of its entrances."""
    monkeypatch.setattr(street_files, "MAX_ENTRANCES", 1)
    _, _, streets = _walk_across(tmp_path, "<tag k='area' v='yes'/>")
    assert len(streets.ways) == 4
