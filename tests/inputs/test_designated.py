"""A force's polygons are read from any GIS file, and every wrong value is named."""

import geopandas as gpd
import pytest
import shapely

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.polygons import ALL_DAYS, read_designated
from patrolplan.tables import LeftOut

GRID = Projection("EPSG:27700")


def _build(**columns):
    """Squares on the British grid with the columns of the table."""
    count = len(columns["place_id"])
    rows = {"name": "Mill Lane", "days": "", "from": "", "to": "", "minutes": "", **columns}
    shapes = [shapely.box(530000 + 200 * n, 180000, 530150 + 200 * n, 180150) for n in range(count)]
    return gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:27700")


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp"])
def test_every_format_gives_the_same_table(ending, tmp_path):
    """Days, hours and minutes are the same from each format, in any CRS; empty ones default."""
    table = _build(
        place_id=["HO-1", "HO-2"],
        days=["mon;sat", ""],
        minutes=[60, None],
        **{"from": ["15:00", ""], "to": ["02:00", ""]},
    )
    path = tmp_path / f"hexagons.{ending}"
    table.to_crs("EPSG:4326").to_file(path)
    left_out = LeftOut()
    read = read_designated([path], GRID, left_out)
    assert read["place_id"].tolist() == ["HO-1", "HO-2"]
    assert read["days"].tolist() == [["mon", "sat"], list(ALL_DAYS)]
    assert read[["from", "to"]].to_numpy().tolist() == [["15:00", "02:00"], ["", ""]]
    assert read["minutes"].iloc[0] == 60
    assert read["minutes"].isna().tolist() == [False, True]
    assert shapely.hausdorff_distance(read.geometry[0], table.geometry[0]) < 1
    assert left_out.count_table("designated", 2).left_out == 0


def test_every_wrong_value_is_named_with_its_row(tmp_path):
    """All problems come together: file, row, column and value of each."""
    wrong = {
        "place_id": ("H3", "<b>", "HO-3", "HO-3", "HO-5", "HO-6", "HO-7"),
        "days": ("", "", "", "", "mon,tue", "", ""),
        "from": ("", "", "", "", "", "25:00", "16:00"),
        "to": ("", "", "", "", "", "26:00", ""),
        "minutes": ("", "", "", "", "", "", "some"),
    }
    path = tmp_path / "hexagons.geojson"
    _build(**{name: list(cells) for name, cells in wrong.items()}).to_file(path)
    with pytest.raises(InputError) as caught:
        read_designated([path], GRID, LeftOut())
    found = {(problem.place, problem.what.split(" ")[0]) for problem in caught.value.problems}
    assert found == {
        ("row 1, column 'place_id'", "'H3'"),
        ("row 2, column 'place_id'", "'<b>'"),
        ("row 4, column 'place_id'", "'HO-3'"),
        ("row 5, column 'days'", "'mon,tue'"),
        ("row 6, column 'from'", "'25:00'"),
        ("row 6, column 'to'", "'26:00'"),
        ("row 7, column 'to'", "the"),
        ("row 7, column 'minutes'", "'some'"),
    }
    assert {problem.file for problem in caught.value.problems} == {str(path)}


def test_rows_that_are_no_polygon_are_left_out_and_counted(tmp_path):
    """A point among the polygons is not patrolled, and the count says so."""
    table = _build(place_id=["HO-1", "HO-2"])
    table.loc[1, "geometry"] = shapely.Point(530000, 180000)
    table.to_file(tmp_path / "mixed.geojson")
    left_out = LeftOut()
    read = read_designated([tmp_path / "mixed.geojson"], GRID, left_out)
    assert read["place_id"].tolist() == ["HO-1"]
    assert left_out.count_table("designated", 1).left_out == 1
