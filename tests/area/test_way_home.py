"""Tables of ways home and counts at corners: what counts, is left out, noted or refused."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import patrolplan as pp
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.notes import list_texts
from patrolplan.settings import load_settings
from patrolplan.tables import TableCount

NORTH_METRES = 111_260.0
"""Metres in a degree of latitude here."""


@pytest.fixture
def squares(tmp_path):
    """What writes a file of areas: squares of 200 m whose corners lie so far north of the lane."""

    def write(**metres_north):
        x, y = (one[0] for one in Projection().to_metres([-0.12], [51.52]))
        shapes = [shapely.box(x, y + far, x + 200, y + far + 200) for far in metres_north.values()]
        cells = {"area": list(metres_north), "residents": 1500}
        frame = gpd.GeoDataFrame(cells, geometry=shapes, crs="EPSG:27700")
        frame.to_crs("EPSG:4326").to_file(tmp_path / "areas.geojson")
        return "areas.geojson"

    return write


def _points(kind, *metres_north):
    rows = [f"{kind},-0.12,{51.53 + far / NORTH_METRES:.6f}" for far in metres_north]
    return "\n".join(["kind,longitude,latitude", *rows])


def _origins(*rows):
    return "\n".join(["urn,area,pupils", *(",".join(map(str, row)) for row in rows)])


def _sources(**files):
    needed = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    return {"sources": needed | files}


def _get_count(area, source):
    return next(one for one in area.tables if one.source == source)


def _list_reasons(area, source):
    return [(row.reason, row.count) for row in area.left_out if row.source == source]


def test_an_area_without_tables_says_what_is_not_given(lane):
    """Each absence is a note; nothing is known of the ways home, and no table is counted."""
    area = lane()
    notes = list_texts(area.notes)
    assert "No origins given ([sources] origins): where pupils live is assumed." in notes
    assert any(note.startswith("Walkers only: no stops given") for note in notes)
    assert any(note.startswith("No pubs or bars given") for note in notes)
    assert all(len(table) == 0 for table in vars(area.way_home).values())
    assert {one.source for one in area.tables} == {"crimes", "schools"}


def test_stops_and_places_beyond_the_limits_count_up_to_five_kilometres(lane):
    """Points are not cut at the limits, but farther than 5 km; every row is accounted for."""
    tables = {"stops": _points("station", -500, 4900, 5100), "places": _points("pub", 10, 20_000)}
    area = lane(tables)
    assert len(area.way_home.stops) == 2
    assert area.way_home.places["kind"].tolist() == ["pub"]
    assert _list_reasons(area, "stops") == [("more than 5 km from the area", 1)]
    for source in ("stops", "places"):
        count = _get_count(area, source)
        assert (count.used + count.left_out, count.left_out) == (count.rows, 1)
    kinds = {note.key for note in area.notes}
    assert not kinds & {"no_stops", "no_places"}


def test_riders_by_bus_alone_have_no_stop_near(lane):
    """A school without riders is not named with those whose stop is too far to walk to."""
    tables = {"stops": _points("bus_stop", 3000)}
    tables["bell_times"] = "urn,finish_time,walk_share,bus_share\n100002,15:10,1,0\n"
    modes = {stage: {"walk": 0.5, "bus": 0.3} for stage in ("primary", "secondary")}
    area = lane(tables, way_home={"modes": modes})
    note = next(note for note in pp.model_pupils(area).notes if note.key == "no_stops_near")
    assert note.about == {"urns": ["100001"]}


def test_a_table_of_another_place_stops_the_command(lane):
    """Where no stop is near, coordinates are wrong or of another place; with a reason it passes."""
    tables = {"stops": _points("bus_stop", 6000, 7000)}
    with pytest.raises(InputError, match=r"none of its 2 stops lies within 5 km .* far_places"):
        lane(tables)
    area = lane(tables, accept={"far_places": "the new lines come next year"})
    assert {"no_stops", "check_accepted"} <= {note.key for note in area.notes}
    with pytest.raises(InputError, match="has nothing that can be used as places"):
        lane({"places": "kind,longitude,latitude\npub,,\n"})


def test_stops_and_places_of_the_streets_are_the_default(demo_area):
    """Without tables, bus stops, stations and pubs of the streets file count, as points."""
    features = demo_area.features["kind"].value_counts()
    stops = demo_area.way_home.stops
    assert stops["kind"].value_counts().to_dict() == features[["bus_stop", "station"]].to_dict()
    assert set(stops.geom_type) == {"Point"}
    assert stops["boardings"].isna().all()
    places = demo_area.way_home.places["kind"].value_counts().to_dict()
    assert places == {"pub": 10, "takeaway": 6, "bar": 4, "nightclub": 2}
    keys = {note.key for note in demo_area.notes}
    assert keys & {"no_origins", "no_stops", "no_places"} == {"no_origins"}


def test_origins_of_planned_schools_with_a_polygon_count(lane, squares):
    """Other rows are left out with the reason; far areas stay where pupils live in them."""
    rows = [
        *((100001, "near", 12), (100001, "far", 7), (100001, "nowhere", 9), (100001, "zero", 0)),
        *((100003, "near", 20), (999999, "near", 20)),
    ]
    sources = _sources(origins="origins.csv", areas=squares(near=0, far=9000, empty=9500))
    area = lane({"origins": _origins(*rows)}, **sources)
    origins = area.way_home.origins.to_numpy().tolist()
    assert origins == [["100001", "far", 5.0], ["100001", "near", 10.0]]
    assert area.way_home.areas["area"].tolist() == ["near", "far"]
    why = "no polygon has the name nowhere", "no school has the URN 999999"
    why = (*why, "of schools that are left out (not open)")
    assert sorted(_list_reasons(area, "origins")) == [(one, 1) for one in why]
    assert _get_count(area, "origins") == TableCount("origins", rows=5, used=2, left_out=3)
    text = " ".join(list_texts(area.notes))
    assert "no polygon of [sources] areas has the name nowhere" in text
    assert "no school has the URN 999999" in text
    assert "No origins given" not in text


def test_origins_need_the_polygons_of_their_areas(lane, squares):
    """Without areas, or with areas of quite other names, origins are refused with what to do."""
    tables = {"origins": _origins((100001, "A", 12))}
    with pytest.raises(InputError, match=r"without the polygons of its areas; name their file"):
        lane(tables)
    sources = _sources(origins="origins.csv", areas=squares(B=0))
    with pytest.raises(InputError, match=r"has none of its areas, such as 'A'"):
        lane(tables, **sources)


def test_origins_alike_in_joined_counts_give_the_same_area(lane, squares):
    """Two files that differ below the steps alone cannot be told apart by anything of the area."""
    sources = _sources(origins="origins.csv", areas=squares(A=0, B=200, C=400))
    one = [(100001, "A", 3), (100001, "B", 4), (100001, "C", 12), (100002, "A", 2)]
    two = [(100001, "C", 10), (100001, "B", 9)]
    areas = [lane({"origins": _origins(*rows)}, **sources) for rows in (one, two)]
    pd.testing.assert_frame_equal(areas[0].way_home.origins, areas[1].way_home.origins)
    for name in ("inputs", "left_out", "notes", "tables", "alarms"):
        assert getattr(areas[0], name) == getattr(areas[1], name)
    other = lane({"origins": _origins((100001, "C", 15), (100001, "B", 9))}, **sources)
    assert other.inputs != areas[0].inputs


@pytest.mark.slow
def test_real_tables_of_central_london(shared):
    """Census areas, London's bus stops and real pubs come in around Bloomsbury, all accounted."""
    settings = load_settings(shared / "examples" / "bloomsbury.toml")
    data = shared / "data"
    added = {
        "areas": (str(data / "boundaries/lsoa2011_camden_westminster.geojson"),),
        "stops": (str(data / "streets/tfl_bus_stops_central_london.csv"),),
        "places": (str(data / "streets/gla_pubs_bloomsbury.csv"),),
    }
    sources = settings.sources.model_copy(update=added)
    area = pp.load_area(settings.model_copy(update={"sources": sources}))
    counts = {one.source: one for one in area.tables}
    rows = {name: counts[name].rows for name in added}
    assert rows == {"areas": 261, "stops": 3679, "places": 398}
    for name in added:
        assert counts[name].used == len(getattr(area.way_home, name)) > 0.5 * counts[name].rows
        assert counts[name].used + counts[name].left_out == counts[name].rows
    assert area.schools["roll"].notna().all()


NAMES = ("urn", "longitude", "latitude", "date", "from", "to", "pupils")
CELLS = ("900003", "0.875485", "51.526806", "2026-12-03", "15:20", "15:25", "7")
ROW = dict(zip(NAMES, CELLS, strict=True))


@pytest.fixture(scope="module")
def load(copy_demo, tmp_path_factory):
    """Load the demo borough with counts of these rows."""
    folder = tmp_path_factory.mktemp("counts")
    settings = load_settings(copy_demo(folder, "2026-09"))
    sources = settings.sources.model_copy(update={"counts": ("own.csv",)})
    settings = settings.model_copy(update={"sources": sources})

    def load(*rows):
        pd.DataFrame([ROW | row for row in rows]).to_csv(folder / "own.csv", index=False)
        return pp.load_area(settings)

    return load


NEXT = {"from": "15:25", "to": "15:30"}


def test_counts_come_in(load):
    """Rows that follow each other, other corners and days; none of an unknown school."""
    area = load({}, NEXT, {"latitude": "51.52596"}, {"date": "2026-12-04"}, {"urn": "900099"})
    counts = area.way_home.counts
    assert counts["pupils"].tolist() == [7] * 4
    assert counts["from_minutes"].tolist() == [920, 925, 920, 920]
    assert _get_count(area, "counts") == TableCount("counts", rows=5, used=4, left_out=1)
    assert "900099" in next(note.text for note in area.notes if "counts" in note.text)


@pytest.mark.parametrize(("row", "said"), [
    (ROW, "row 3, column 'from': '15:20': the corner is counted twice at this time"),
    ({"from": "15:22"}, "'15:22': the corner is counted twice"),
    ({"pupils": "900"}, "900 makes 907 at this corner on the day: more than the roll"),
    *(({"pupils": one}, f"'{one}' is not a number of pupils") for one in ("3.5", "")),
    ({"to": "15:20"}, "'15:20' is not after the start"),
    ({"date": "2026-12-05"}, "2026-12-05 is a day without school (Saturday)"),
    ({"date": "2026-12-25"}, "2026-12-25 is a day without school (Friday)"),
    ({"longitude": "0.95"}, "m from any street; correct its coordinates"),
    ({"longitude": "51.5", "latitude": "0.87"}, "m from any street"),
])  # fmt: skip
def test_what_is_wrong_is_named(load, row, said):
    """With the file, and as the only problem."""
    with pytest.raises(InputError) as error:
        load({}, NEXT | row)
    [message] = str(error.value).splitlines()
    assert [word in message for word in ("own.csv", "row 3, column", said)] == [True] * 3
