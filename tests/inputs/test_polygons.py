"""Polygons: the limits of the area, small areas, and hotspots that a force designates."""

from unittest.mock import Mock

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.polygons import ALL_DAYS, read_areas, read_designated, read_limits
from patrolplan.settings import parse_settings
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
SOURCES = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
STREETS = np.array([[529000.0, 181000.0], [530000.0, 182500.0]])


def _limits(folder=".", **area):
    return read_limits(parse_settings({"sources": SOURCES, "area": area}, folder=folder), STREETS)


def test_default_limits_hold_all_streets():
    """Without bounds the area is the extent of the streets, their own ends included."""
    assert shapely.contains_xy(_limits(), *STREETS.T).all()
    assert _limits().area == pytest.approx(1002 * 1502)


@given(st.floats(-0.17, -0.10), st.floats(51.49, 51.55))
def test_bounds_hold_what_lies_between_their_degrees(longitude, latitude):
    """A point lies within bounds exactly when its degrees do, but for a metre at the edge."""
    west, south, east, north = -0.15, 51.50, -0.12, 51.54
    limits = _limits(bounds=[west, south, east, north])
    x, y = BNG.to_metres([longitude], [latitude])
    margin = min(longitude - west, east - longitude, latitude - south, north - latitude)
    if abs(margin) > 2e-5:
        assert shapely.contains_xy(limits, x, y)[0] == (margin > 0)


def _boundary(folder, shapes, crs="EPSG:4326", name="b.geojson"):
    gpd.GeoDataFrame(geometry=shapes, crs=crs).to_file(folder / name)
    return _limits(folder, boundary=name)


def test_boundary_polygons_are_joined_in_metres(tmp_path):
    """All polygons of a boundary file are the area, whatever CRS they are in."""
    boxes = [shapely.box(x, 181000, x + 500, 181500) for x in (529000, 529500)]
    limits = _boundary(tmp_path, boxes, "EPSG:27700", "b.gpkg")
    assert limits.area == pytest.approx(500_000)
    degrees = gpd.GeoSeries(boxes, crs="EPSG:27700").to_crs("EPSG:4326")
    assert _boundary(tmp_path, degrees).area == pytest.approx(500_000, rel=1e-3)


def test_boundary_that_crosses_itself_is_repaired(tmp_path):
    """A polygon that crosses itself, as drawn by hand, still makes an area."""
    bow = shapely.Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)])
    square = shapely.box(200, 0, 800, 1000)
    limits = _boundary(tmp_path, [bow, square], "EPSG:27700", "b.gpkg")
    assert limits.is_valid
    assert shapely.contains_xy(limits, [100, 500], [500, 900]).tolist() == [True, True]


@pytest.mark.parametrize(("content", "what"), [
    (None, "the file does not exist"),
    *((content, "is not a GIS file") for content in ("", "lon,lat\n1,2\n")),
    ('{"type": "FeatureCollection", "features": [', "is not a GIS file"),
    ('{"type": "Point", "coordinates": [0, 51]}', "has no polygon"),
    ('{"type": "FeatureCollection", "features": []}', "has no polygon"),
])  # fmt: skip
def test_boundary_that_cannot_be_used(tmp_path, content, what):
    """A boundary file that is missing, broken or without a polygon is refused with the reason."""
    if content is not None:
        (tmp_path / "b.geojson").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"b\.geojson.*{what}"):
        _limits(tmp_path, boundary="b.geojson")


def test_boundary_without_crs_is_refused(tmp_path):
    """A shapefile without its .prj has no CRS, and is refused."""
    shape = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:27700")
    shape.to_file(tmp_path / "b.shp")
    (tmp_path / "b.prj").unlink()
    with pytest.raises(InputError, match="has no CRS"):
        _limits(tmp_path, boundary="b.shp")


VIRTUAL = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/http://127.0.0.1:9/x.geojson'
    "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)


@pytest.mark.parametrize("name", ["b.geojson", "b.json", "b.gpkg", "b.shp", "b.vrt", "b.xml"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n <!-- {} -->"])
def test_a_virtual_file_never_reaches_the_library_that_would_open_its_address(
    tmp_path, monkeypatch, name, start
):
    """A file that names another file or an address is refused by its content, whatever its name."""
    reading = Mock()
    monkeypatch.setattr("pyogrio.list_layers", reading)
    (tmp_path / name).write_text(start + VIRTUAL, encoding="utf-8")
    with pytest.raises(InputError, match="is not a GIS file; save it again"):
        _limits(tmp_path, boundary=name)
    reading.assert_not_called()


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp"])
def test_every_format_gives_the_same_table(ending, tmp_path):
    """Days, hours and minutes are the same from each format, in any CRS; empty ones default."""
    cells = {"place_id": ["HO-1", "HO-2"], "name": "Mill Lane", "days": ["mon;sat", ""],
             "minutes": [60, None], "from": ["15:00", ""], "to": ["02:00", ""]}  # fmt: skip
    squares = [shapely.box(530_000, 180_000 + n, 530_150, 180_150) for n in range(2)]
    path = tmp_path / f"hexagons.{ending}"
    gpd.GeoDataFrame(cells, geometry=squares, crs=BNG.crs).to_crs("EPSG:4326").to_file(path)
    left_out = LeftOut()
    read = read_designated([path], BNG, left_out)
    assert read["place_id"].tolist() == ["HO-1", "HO-2"]
    assert read["days"].tolist() == [["mon", "sat"], list(ALL_DAYS)]
    assert read[["from", "to"]].to_numpy().tolist() == [["15:00", "02:00"], ["", ""]]
    assert read["minutes"].fillna(-1).tolist() == [60, -1]
    assert shapely.hausdorff_distance(read.geometry[0], squares[0]) < 1
    assert left_out.count_table("designated", 2).left_out == 0


def test_files_that_are_not_polygons_are_refused(tmp_path):
    """A table, a virtual format, a missing file, and polygons without names are refused."""
    paths = [tmp_path / name for name in ("t.geojson", "v.gpkg", "n.geojson", "none.gpkg")]
    paths[0].write_text("area,residents\nA,5\n", encoding="utf-8")
    paths[1].write_text("<OGRVRTDataSource></OGRVRTDataSource>", encoding="utf-8")
    box = gpd.GeoSeries([shapely.box(0, 51, 1, 52)], crs="EPSG:4326")
    gpd.GeoDataFrame({"residents": [1]}, geometry=box).to_file(paths[2])
    with pytest.raises(InputError) as error:
        read_areas(paths, BNG, LeftOut())
    found = [str(problem) for problem in error.value.problems]
    remedy = "add it to the header or map it under [columns.areas], area = 'their name'"
    words = *["is not a GIS file"] * 2, f"no column 'OA21CD'; {remedy}", "correct [sources] areas"
    assert all(one in line for one, line in zip(words, found, strict=True))
