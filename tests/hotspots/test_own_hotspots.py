"""Hotspots of one's own, or that were read back or edited, go into a plan."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hexagons import make_hexagons

import patrolplan as pp
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.tables import HOTSPOTS


@pytest.fixture(scope="module")
def hexagons(demo_area):
    """Hexagons that cover the streets of the demo borough."""
    return make_hexagons(shapely.total_bounds(demo_area.network.piece_lines), 200)


def _square(x, y, half):
    return shapely.box(x - half, y - half, x + half, y + half)


def _frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:27700")


@pytest.fixture(scope="module")
def junction(demo_area):
    """Coordinates of a piece in the middle of the borough."""
    middles = demo_area.network.piece_middle
    return middles[np.argmin(np.hypot(*(middles - middles.mean(axis=0)).T))]


@pytest.mark.filterwarnings("ignore:12 of the places have no street")
def test_hexagons_that_cover_the_area_share_out_all_of_it(demo_area, demo_risk, hexagons):
    """Every piece, metre and share of risk is in one hexagon; the table is that of hotspots."""
    own = pp.snap_hotspots(demo_area, hexagons.to_crs("EPSG:4326"), risk=demo_risk)
    assert set(own) == set(HOTSPOTS.names)
    assert np.sort(np.concatenate(own["pieces"])).tolist() == list(range(len(demo_area.network)))
    assert own["worth"].sum() == pytest.approx(1)
    assert own["length_metres"].sum() == pytest.approx(demo_area.network.metres)
    assert own["worth"].is_monotonic_decreasing
    assert set(own["hotspot"]) <= set(hexagons["id"])


def test_pieces_of_polygons_are_those_of_a_slow_loop(demo_area, hexagons):
    """A piece belongs to the first polygon that its middle lies in, found one by one."""
    network = demo_area.network
    chosen = hexagons.geometry.iloc[20:30].to_numpy()
    expected = [[] for _ in chosen]
    for piece in range(len(network)):
        middle = network.piece_lines[piece].interpolate(0.5, normalized=True)
        inside = [row for row, shape in enumerate(chosen) if shape.intersects(middle)]
        if inside:
            expected[inside[0]].append(piece)
    assert [list(one) for one in find_pieces_of_shapes(network, chosen)] == expected


def test_a_line_has_the_street_that_it_follows(demo_area):
    """A line drawn a few metres off a street has its pieces, not those of the side streets."""
    network = demo_area.network
    name = pd.Series(network.piece_name[: len(network)]).value_counts().drop("").index[0]
    street = np.flatnonzero(network.piece_name[: len(network)] == name)
    whole = shapely.union_all(network.piece_lines[street])
    moved = shapely.affinity.translate(whole, 4, 4)
    (found,) = find_pieces_of_shapes(network, np.array([moved]))
    assert len(np.intersect1d(found, street)) > 0.9 * len(street)
    assert shapely.distance(network.piece_lines[found], whole).max() < 15
    others = np.setdiff1d(found, street)
    assert network.piece_metres[others].sum() < 0.35 * network.piece_metres[street].sum()


def test_a_point_has_the_streets_around_it(demo_area, junction):
    """The pieces of a point are those within a short walk, in one connected place."""
    near, far = junction, junction + 5000
    found, none = find_pieces_of_shapes(demo_area.network, shapely.points([near, far]))
    metres = np.hypot(*(demo_area.network.piece_middle[found] - near).T)
    assert 50 < demo_area.network.piece_metres[found].sum() < 1000
    assert metres.max() < 75 + 30
    assert len(none) == 0


def test_a_piece_belongs_to_the_earlier_of_two_shapes(demo_area, demo_risk, junction):
    """Where places overlap, no piece counts twice; one with nothing left is named."""
    shapes = [_square(*junction, 150), _square(*junction, 250), _square(*junction, 100)]
    places = _frame(shapes, place_id=["A", "B", "C"])
    with pytest.warns(UserWarning, match=r"1 of the places have no street.*left out: C"):
        own = pp.snap_hotspots(demo_area, places, risk=demo_risk)
    assert sorted(own["hotspot"]) == ["A", "B"]
    pieces = np.concatenate(own["pieces"])
    assert len(pieces) == len(set(pieces))


def test_names_come_from_a_column_of_choice(demo_area, demo_risk, junction):
    """Whole numbers have no point, others keep it; another column can be named."""
    places = _frame([_square(*junction, 120)], id=[17.0], ward=["St. Mary's & Quay"])
    assert pp.snap_hotspots(demo_area, places, risk=demo_risk)["hotspot"].tolist() == ["17"]
    named = pp.snap_hotspots(demo_area, places, risk=demo_risk, name="ward")
    assert named["hotspot"].tolist() == ["St. Mary's & Quay"]
    halves = _frame([_square(*junction, 120), _square(*junction, 250)], id=[1.5, 1.7])
    named = pp.snap_hotspots(demo_area, halves, risk=demo_risk)
    assert sorted(named["hotspot"]) == ["1.5", "1.7"]


@pytest.mark.parametrize(
    ("columns", "options", "match"),
    [
        ({"id": ["A", "A"]}, {}, "row 1, column 'id': 'A' is a duplicate; give each place its own"),
        ({"id": ["A", None]}, {}, "row 1, column 'id': the name is missing"),
        ({"id": ["A", "<b>x</b>"]}, {}, "'<b>x</b>' is not the name of a hotspot; write 1 to 24"),
        ({"id": ["A", "x" * 30]}, {}, "is not the name of a hotspot"),
        ({"id": ["A", "B"]}, {"name": "ward"}, "has no column 'ward'"),
    ],
)
def test_names_that_papers_cannot_print_are_refused(demo_area, demo_risk, columns, options, match):
    """Names are short, given once, and without markup."""
    places = _frame([_square(0, 0, 1), _square(9, 9, 1)], **columns)
    with pytest.raises(pp.InputError, match=match):
        pp.snap_hotspots(demo_area, places, risk=demo_risk, **options)


@pytest.mark.filterwarnings("ignore:1 of the places have no street")
def test_places_elsewhere_are_refused(demo_area, demo_risk):
    """Shapes without a street, without a CRS, or that are no shapes are errors in words."""
    with pytest.raises(pp.InputError, match="none of the 1 shapes has a street of the area"):
        pp.snap_hotspots(demo_area, _frame([_square(0, 0, 10)]), risk=demo_risk)
    nowhere = _frame([_square(0, 0, 10)]).set_crs(None, allow_override=True)
    with pytest.raises(pp.InputError, match="has shapes without a CRS; set it with set_crs"):
        pp.snap_hotspots(demo_area, nowhere, risk=demo_risk)
    with pytest.raises(TypeError, match="takes a GeoDataFrame, not a DataFrame"):
        pp.snap_hotspots(demo_area, pd.DataFrame({"id": [1]}), risk=demo_risk)


def test_a_plan_of_hexagons_is_planned(demo_area, demo_risk, hexagons):
    """Their hotspots go in; a plan comes out under their names."""
    with pytest.warns(UserWarning, match="12 of the places have no street"):
        own = pp.snap_hotspots(demo_area, hexagons, risk=demo_risk)
    plan = pp.plan_patrols(demo_area, demo_risk, own.head(20), urns=["900002", "900008", "900009"])
    document, ids = build_plan_document(plan), set(hexagons["id"])
    every = [stop for one in document["patrols"] for stop in one["stops"]]
    stops = {stop["hotspot"] for stop in every if stop["kind"] == "hotspot"}
    assert len(document["hotspots"]) == 20
    assert {one["id"] for one in document["hotspots"]} | stops <= ids
    assert stops


URNS = ["900001", "900003"]


def _list_stops(*given):
    """What two schools' patrols stop at, by area, risk and hotspots."""
    plan = pp.plan_patrols(*given, urns=URNS, for_week=False)
    stops = [stop for patrol in plan.patrols for stop in patrol.stops]
    return [(one.id, one.hotspot, one.arrive_minutes, one.place, one.why) for one in stops]


@pytest.fixture(scope="module")
def stops(demo_area, demo_risk, demo_hotspots):
    """Those to the hotspots that were never in a file."""
    return _list_stops(demo_area, demo_risk, demo_hotspots)


@pytest.mark.parametrize("form", ["gpkg 27700", "gpkg 4326", "geojson 4326", "parquet 27700"])
def test_a_file_gives_the_same_patrols(demo_area, demo_risk, demo_hotspots, stops, tmp_path, form):
    """In the CRS of the area, or in degrees."""
    ending, crs = form.split()
    path, table = tmp_path / f"hotspots.{ending}", demo_hotspots.to_crs(int(crs))
    if ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_file(path)
    again = gpd.read_parquet(path) if ending == "parquet" else gpd.read_file(path)
    assert len(stops) > 2
    assert _list_stops(demo_area, demo_risk, again) == stops


def test_what_does_not_belong_together_is_refused(demo_area, demo_risk, demo_hotspots):
    """Another window, other settings, another risk, another place: each has its own message."""
    early = pp.estimate_risk(demo_area, window="07:30")
    short = pp.with_settings(demo_area, patrol={"window_minutes": 60})
    other = pp.with_settings(demo_area, risk={"crime_weight": 0.5})
    far = demo_hotspots.set_geometry(demo_hotspots.translate(1e5))
    for area, risk, hotspots, message in (
        (demo_area, early, demo_hotspots, "risk: is of 90 minutes from 07:30"),
        (short, demo_risk, demo_hotspots, "the patrols are of 60 minutes from the bell"),
        (other, demo_risk, demo_hotspots, r"another area, which differs in \[risk\]"),
        (demo_area, demo_risk, pp.find_hotspots(demo_area, early), "found with another risk"),
        (demo_area, demo_risk, far, "no street of the area lies along them"),
        (demo_area, demo_risk, demo_hotspots.set_crs(None, allow_override=True), "without a CRS"),
        (demo_area, demo_risk, demo_hotspots.drop(columns="pieces"), "lack pieces"),
    ):
        with pytest.raises(pp.InputError, match=message):
            pp.plan_patrols(area, risk, hotspots)


def test_edited_lines_are_rated_anew_where_they_are(demo_area, demo_risk, demo_hotspots):
    """Half of one, one moved that is as long as before, and one drawn by hand; the others stay."""
    edited, whole = demo_hotspots.head(12).copy(), demo_hotspots.geometry[0]
    west, south, east, north = whole.bounds
    half = shapely.box(west, south, east, (south + north) / 2)
    edited.loc[0, "geometry"] = whole.intersection(half)
    to = demo_hotspots.iloc[17]
    edited.loc[11, ["geometry", "length_metres"]] = [to.geometry, to["length_metres"]]
    drawn = edited.iloc[[0]].assign(
        hotspot="by hand", geometry=[demo_hotspots.geometry[20]], worth=None, length_metres=None,
        stop_piece=None, stop_metres=None, stands_out=None, mainly_reports=None,
    )  # fmt: skip
    given = gpd.GeoDataFrame(pd.concat([edited, drawn], ignore_index=True), crs=edited.crs)
    table = pp.plan_patrols(demo_area, demo_risk, given, urns=URNS, for_week=False).hotspots
    pieces = table["pieces"][0]
    assert set(pieces) < set(demo_hotspots["pieces"][0])
    assert table["length_metres"][0] == pytest.approx(demo_area.network.piece_metres[pieces].sum())
    assert table["worth"][0] == pytest.approx(demo_risk.joined[pieces].sum())
    assert table["stop_piece"][0] in pieces
    assert table["worth"][1:11].tolist() == pytest.approx(demo_hotspots["worth"][1:11].tolist())
    assert table["worth"][11] == pytest.approx(to["worth"])
    assert table["place"][11] == to["place"]
    assert table["worth"].iloc[-1] == pytest.approx(demo_hotspots["worth"][20])
    assert table["stop_piece"].iloc[-1] in table["pieces"].iloc[-1]
