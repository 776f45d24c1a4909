"""An area from tables in memory is checked like one from files, and equals it."""

import copy
import pickle
import tomllib

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely
from table_files import place_points

import patrolplan as pp
from patrolplan.crs import Projection
from patrolplan.inputs.street_files import read_streets
from patrolplan.privacy import ReportGroups
from patrolplan.tables import LeftOut

LANE = shapely.LineString([(-0.13, 51.52), (-0.1, 51.52)])
STREETS = gpd.GeoDataFrame({"name": ["Long Lane"]}, geometry=[LANE], crs="EPSG:4326")
SCHOOLS = pd.DataFrame({"URN": [100001, 100002], "EstablishmentStatus (name)": "Open"})
SCHOOLS["EstablishmentName"] = ["Mill School", "Hill School"]
SCHOOLS[["Longitude", "Latitude"]] = [[-0.128, 51.5201], [-0.126, 51.5201]]
CRIMES = pd.DataFrame(
    {"Month": ["2024-05"], "Longitude": -0.128, "Latitude": 51.52, "Crime type": "Robbery"}
)
TABLES = ("schools", "bell_times", "officers", "gates", "term_dates", "tasked_places", "duties")


def _build(**given):
    return pp.build_area(**({"crimes": CRIMES, "schools": SCHOOLS, "streets": STREETS} | given))


@pytest.fixture(scope="module")
def demo_frames(demo):
    """Frames of the demo borough as pandas reads them, and its settings without sources."""
    folder = demo.parent
    frames = {
        name: pd.read_csv(folder / f"{name}.csv", encoding="cp1252" if name == "schools" else None)
        for name in (*TABLES, "reports")
    }
    crimes = [pd.read_csv(path) for path in sorted(folder.glob("crimes/*/*-street.csv"))]
    sections = tomllib.loads(demo.read_text(encoding="utf-8"))
    streets = str(folder.absolute() / sections.pop("sources")["streets"])
    return frames | {"crimes": crimes}, sections | {"sources": {"streets": streets}}


def test_frames_count_like_files(demo_area, demo_frames):
    """Every table, note, group and row left out is that of the files; places are the same."""
    frames, sections = demo_frames
    area = pp.build_area(**frames, settings=sections)
    assert area.tables == demo_area.tables
    assert area.left_out == demo_area.left_out
    assert area.notes == demo_area.notes
    assert area.reports.digest == demo_area.reports.digest
    assert area.schools.equals(demo_area.schools)
    pd.testing.assert_frame_equal(pd.DataFrame(area.incidents), pd.DataFrame(demo_area.incidents))
    assert area.inputs["reports: in memory"] == area.reports.digest
    assert len(pickle.loads(pickle.dumps(area)).schools) == len(area.schools)  # noqa: S301 - ours


def test_points_and_types_count_like_columns_of_text(demo_frames):
    """Frames with points in another CRS, true dates and categories give the same area."""
    frames, sections = demo_frames
    frames = frames | {"crimes": frames["crimes"][-2:]}
    placed = ("gates", "tasked_places", "duties")
    typed = frames | {name: place_points(frames[name], crs="EPSG:3857") for name in placed}
    terms = frames["term_dates"]
    days = {name: pd.to_datetime(terms[name]) for name in ("from", "to")}
    typed["term_dates"] = terms.assign(kind=terms["kind"].astype("category"), **days)
    typed["crimes"] = [
        place_points(one, ("Longitude", "Latitude")).assign(Month=pd.to_datetime(one["Month"]))
        for one in frames["crimes"]
    ]
    plain = pp.build_area(**frames, settings=sections)
    area = pp.build_area(**typed, settings=sections)
    assert area.tables == plain.tables
    assert area.incidents["month"].equals(plain.incidents["month"])
    assert area.term_dates.equals(plain.term_dates)
    np.testing.assert_allclose(area.gates.offset_metres, plain.gates.offset_metres, atol=0.01)
    assert area.duties.geometry.is_empty.equals(plain.duties.geometry.is_empty)


def test_the_settings_name_what_is_in_memory():
    """Sources and digests say which tables were arguments, so a manifest shows it."""
    area = _build(gates=pd.DataFrame({"urn": [100001], "longitude": [-0.128], "latitude": [51.52]}))
    assert area.settings.sources.crimes == ("argument crimes",)
    assert area.settings.sources.gates == ("argument gates",)
    names = {f"{name}: in memory" for name in ("crimes", "schools", "streets", "gates")}
    assert set(area.inputs) == names
    assert pp.with_settings(area, seed=5).settings.seed == 5


def test_a_value_changes_the_digest_and_an_index_does_not():
    """Equal tables have equal digests, whatever else they have; any value or street counts."""
    plain, *same = (
        _build(crimes=crimes).inputs
        for crimes in (CRIMES, CRIMES.set_axis([5]), CRIMES.assign(comment="dropped at the door"))
    )
    assert same == [plain] * 2
    month = _build(crimes=CRIMES.assign(Month="2024-06")).inputs
    street = _build(streets=STREETS.assign(name="Short Lane")).inputs
    assert plain["crimes: in memory"] != month["crimes: in memory"]
    assert plain["streets: in memory"] != street["streets: in memory"]


def test_all_problems_are_reported_with_the_arguments_names():
    """Every wrong value of every frame is in one error, with argument, row and column."""
    bells = pd.DataFrame({"urn": [100001, 100002], "finish_time": ["15:10", "25:00"]})
    gates = pd.DataFrame({"urn": [100001, 100002], "longitude": [-0.128, 999], "latitude": 51.52})
    with pytest.raises(pp.InputError) as error:
        _build(bell_times=bells, gates=gates, settings={"privacy": {"threshold": 5}})
    bell, gate = str(error.value).splitlines()
    assert bell.startswith("argument bell_times, row 1, column 'finish_time': '25:00' is not a ")
    assert gate.startswith("argument gates, row 1, column 'longitude': '999' is not a valid ")


def test_reports_become_groups_at_once():
    """Reports in a frame are counted by square; under the threshold nothing is known of them."""
    report = {
        "reported_on": "2024-05-03", "time_band": "after_school", "place_factor": "isolated",
        "behaviour_factor": "none", "longitude": -0.12, "latitude": 51.52, "comment": "Zaphod7",
    }  # fmt: skip
    rows = pd.DataFrame([report | {"report_id": f"R{number}"} for number in range(7)])
    groups = _build(reports=rows).reports
    assert groups.counts.tolist() == [5]
    assert isinstance(groups, ReportGroups)
    few = _build(reports=rows[:4])
    assert few.inputs["reports: in memory"] == _build(reports=rows[:3]).inputs["reports: in memory"]


def test_values_of_reports_are_never_shown():
    """An error on reports in memory shows no value of theirs."""
    rows = pd.DataFrame({"report_id": ["Zaphod7Elmrow"], "time_band": ["Zaphod7Elmrow"]})
    with pytest.raises(pp.InputError, match="argument reports") as error:
        _build(reports=rows)
    assert "Zaphod7" not in str(error.value)


@pytest.mark.parametrize(("given", "match"), [
    ({"crimes": "crimes.csv"}, "argument crimes is a str; give a DataFrame or a list of them"),
    ({"crimes": []}, "argument crimes is an empty list"),
    ({"gate": CRIMES}, "there is no table 'gate'; did you mean 'gates'"),
    ({"boundary": CRIMES}, "argument boundary is a DataFrame; give a GeoDataFrame"),
])  # fmt: skip
def test_what_is_no_frame_is_refused(given, match):
    """Wrong arguments are errors of the caller, with what to give."""
    with pytest.raises(TypeError, match=match):
        _build(**given)


def test_a_table_of_the_area_can_be_given_back(demo, demo_area):
    """Officers as the area has them, with one more of all schools, are read as they were."""
    officers = demo_area.officers
    new = officers.head(1).assign(officer="NEW-1", school_urns=[list(demo_area.schools["urn"])])
    crimes = CRIMES.assign(Longitude=0.877, Latitude=51.5246)
    area = pp.build_area(settings=demo, officers=pd.concat([officers, new]), crimes=crimes)
    back = area.officers.iloc[:-1]
    plain, expected = (pd.DataFrame(one).drop(columns="geometry") for one in (back, officers))
    assert plain.equals(expected)
    assert area.officers["school_urns"].iloc[-1] == list(demo_area.schools["urn"])
    assert back.distance(officers).max() < 0.01


NEAR_GRAPH = CRIMES.assign(Longitude=-0.1275, Latitude=51.5132)


def _metres(area):
    return (len(area.network), round(area.network.metres, 1))


@pytest.fixture(scope="module")
def demo_streets(demo):
    """The streets of the demo borough as they were read."""
    return read_streets([demo.parent / "streets.osm.gz"], Projection(), LeftOut())


def test_lines_give_the_network_of_their_file(demo_area, demo_streets, demo_frames):
    """A table of the same lines, in degrees, gives the same pieces of street."""
    frames, sections = demo_frames
    lines = shapely.linestrings(demo_streets.vertex_xy, indices=demo_streets.vertex_way)
    table = gpd.GeoDataFrame(demo_streets.ways[["name", "highway"]], geometry=lines, crs=27700)
    sections = {name: values for name, values in sections.items() if name != "sources"}
    frames = frames | {"crimes": frames["crimes"][-1:]}
    area = pp.build_area(**frames, streets=table.to_crs(4326), settings=sections)
    assert _metres(area) == _metres(demo_area)
    assert set(area.network.piece_name) == set(demo_area.network.piece_name)


def _make_graph(crs="EPSG:27700", names=(0, 1, 2)):
    graph = nx.MultiDiGraph(crs=crs)
    places = ((530000.0, 181000.0), (530300.0, 181000.0), (530300.0, 181300.0))
    for name, (x, y) in zip(names, places, strict=True):
        graph.add_node(name, x=x, y=y)
    one, two, three = names
    for start, end in ((one, two), (two, one), (two, three)):
        graph.add_edge(start, end, highway="residential", name="Long Lane", length=300.0)
    graph.add_edge(three, one, highway="motorway", osmid=7)
    return graph


def _place(x, y):
    return pd.DataFrame({"urn": [1], "name": ["Mill School"], "easting": [x], "northing": [y]})


@pytest.mark.parametrize("names", [(0, 1, 2), ("a", "b", "c"), ((0, 0), (0, 1), (1, 0))])
def test_a_graph_is_walked_once_each_way(names):
    """A street of both directions counts once, roads closed to walkers not at all."""
    graph = _make_graph(names=names)
    before = copy.deepcopy(list(graph.edges(data=True)))
    area = _build(streets=graph, schools=_place(530010, 181000), crimes=NEAR_GRAPH)
    assert area.network.metres == pytest.approx(600)
    assert list(graph.edges(data=True)) == before


def test_a_graph_in_memory_is_that_of_its_file(tmp_path):
    """A file saved by osmnx and its graph in memory give the same network."""
    graph = _make_graph()
    for number, (*_, tags) in enumerate(graph.edges(data=True)):
        tags["osmid"] = number
    osmnx.save_graphml(graph, tmp_path / "g.graphml")
    given = {"schools": _place(530010, 181000), "crimes": NEAR_GRAPH}
    one = _build(streets=graph, **given)
    path = str(tmp_path / "g.graphml")
    other = _build(streets=None, settings={"sources": {"streets": path}}, **given)
    assert _metres(one) == _metres(other)
    np.testing.assert_array_equal(one.network.piece_middle, other.network.piece_middle)


@pytest.mark.parametrize(("streets", "match"), [
    (nx.MultiDiGraph(), r"not a street graph .*KeyError: 'crs'.*graph.graph\['crs'\]"),
    (nx.MultiDiGraph([(1, 2)], crs="EPSG:4326"), "not a street graph as osmnx makes them"),
    (STREETS.set_crs(None, allow_override=True), "has no lines in a known CRS"),
    (STREETS.set_geometry([LANE.centroid], crs=4326), "no line; give a GeoDataFrame of LineSt"),
    (STREETS.assign(highway="motorway", foot="no"), "has no street that can be walked"),
])  # fmt: skip
def test_streets_that_are_none_are_refused(streets, match):
    """The message names the argument and says what to give."""
    with pytest.raises(pp.InputError, match=f"^argument streets.*{match}"):
        _build(streets=streets)


def test_lines_join_along_them_and_bridges_do_not():
    """Lines join at any vertex that they share, not where they cross without one."""
    x, y = 530000.0, 181000.0
    shapes = [
        shapely.LineString([(x, y), (x + 100, y), (x + 200, y)]),
        shapely.LineString([(x + 100, y), (x + 100, y + 100)]),  # begins at an inner vertex
        shapely.LineString([(x + 50, y - 50), (x + 50, y + 50)]),  # crosses above
    ]
    streets = gpd.GeoDataFrame({"name": ["A", "B", "C"]}, geometry=shapes, crs="EPSG:27700")
    area = _build(streets=streets, schools=_place(x, y), crimes=NEAR_GRAPH)
    assert set(area.network.piece_name) == {"A", "B"}  # nobody walks on C, which is on its own


def test_homes_by_area_may_be_frames(tmp_path):
    """Origins and the polygons of their areas as frames give the counts of their files."""
    boxes = [shapely.box(-0.13, 51.51, -0.12, 51.53), shapely.box(-0.12, 51.51, -0.11, 51.53)]
    cells = {"area": ["E01", "E02"], "residents": [1500.0, None], "note": "x"}
    areas = gpd.GeoDataFrame(cells, geometry=boxes, crs=4326)
    origins = pd.DataFrame({"urn": 100001, "area": ["E01", "E02"], "pupils": [13, 7]})
    areas.to_file(tmp_path / "areas.gpkg")
    areas.to_parquet(tmp_path / "areas.parquet")
    origins.to_csv(tmp_path / "origins.csv", index=False)
    memory = _build(areas=areas.to_crs(27700), origins=origins)
    for name in ("areas.gpkg", "areas.parquet"):
        sources = {"areas": str(tmp_path / name), "origins": str(tmp_path / "origins.csv")}
        files = _build(settings={"sources": sources})
        assert files.way_home.origins.equals(memory.way_home.origins)
        found, expected = files.way_home.areas, memory.way_home.areas
        assert found["residents"].fillna(-1).tolist() == [1500, -1]
        assert found["residents"].equals(expected["residents"])
        assert found.geometry.geom_equals_exact(expected.geometry, 0.01).all()
        assert set(files.tables) == set(memory.tables)
    assert memory.way_home.origins["pupils"].tolist() == [10, 5]
    again = origins.assign(pupils=[14, 8])  # rounded to the same counts
    name = "origins: in memory"
    assert _build(areas=areas, origins=again).inputs[name] == memory.inputs[name]


def test_no_row_of_reports_stays_in_an_area(demo_frames):
    """Nothing that an area of frames refers to holds a report, or a word of its free text."""
    frames, sections = demo_frames
    reports = frames["reports"].assign(comment="Zaphod7Elmrow")
    area = pp.build_area(**frames | {"reports": reports}, settings=sections)
    content = pickle.dumps(area)
    assert b"Zaphod7Elmrow" not in content
    assert b"R00001" not in content
    assert b"E09900010" not in content  # a column of crimes that nobody reads


def test_a_boundary_in_memory_is_that_of_its_file(tmp_path):
    """Polygons of a frame, in any CRS, give the limits that their file gives, before any bounds."""
    edge = gpd.GeoDataFrame(geometry=[shapely.box(-0.129, 51.51, -0.12, 51.53)], crs=4326)
    edge.to_file(tmp_path / "edge.geojson")
    files = _build(settings={"area": {"boundary": str(tmp_path / "edge.geojson")}})
    memory = _build(boundary=edge, settings={"area": {"bounds": [-1.0, 51.0, 1.0, 52.0]}})
    assert _metres(memory) == _metres(files) != _metres(_build())
    assert "boundary: in memory" in memory.inputs
    other = edge.set_geometry([shapely.box(-0.129, 51.51, -0.11, 51.53)])
    name = "boundary: in memory"
    assert _build(boundary=other).inputs[name] != memory.inputs[name]
    with pytest.raises(pp.InputError, match=r"^argument boundary: has no polygon"):
        _build(boundary=STREETS)


def test_several_frames_count_like_several_files():
    """The same Crime ID again is a duplicate; a message says which of the frames it is about."""
    one = CRIMES.assign(**{"Crime ID": "a1"})
    assert len(_build(crimes=[one, one]).incidents) == 1
    assert len(_build(crimes=pd.concat([one, one])).incidents) == 2
    with pytest.raises(pp.InputError, match=r"^argument crimes, table 2: no column 'Crime type'"):
        _build(crimes=[one, one.drop(columns="Crime type")])
