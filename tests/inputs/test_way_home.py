"""Small areas and the clock: what they read as, and that every wrong value is named."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.polygons import read_areas
from patrolplan.inputs.way_home import HALF_HOURS, read_clock
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")


def _areas(folder, *rows, name="a.geojson", crs="EPSG:27700", **columns):
    """A file of square areas, one a row of columns, side by side from west to east."""
    squares = [shapely.box(529000 + 200 * n, 181000, 529200 + 200 * n, 181200) for n in range(9)]
    count = len(next(iter(columns.values())))
    shapes = gpd.GeoSeries(rows or squares[:count], crs=crs)
    frame = gpd.GeoDataFrame(columns, geometry=shapes)
    path = folder / name
    (frame if name.endswith("gpkg") else frame.to_crs("EPSG:4326")).to_file(path)
    return path


def _read(*paths, columns=None):
    left_out = LeftOut()
    return read_areas(paths, BNG, left_out, columns=columns), left_out


def _problems(call):
    with pytest.raises(InputError) as error:
        call()
    return [str(problem) for problem in error.value.problems]


def test_every_wrong_value_of_every_file_is_named(tmp_path):
    """Names missing or used before, and numbers that cannot be, each with row and column."""
    first = _areas(tmp_path, area=["A", ""], residents=["10", "-1"], aged_5_16=[None, None])
    second = _areas(
        tmp_path, name="b.geojson", area=["A", "C"], residents=["x", "9"], aged_5_16=["3", "10"]
    )
    found = _problems(lambda: _read(first, second))
    assert [line.partition(": ")[2].partition(";")[0] for line in found] == [
        "the area's name is missing",
        "'-1' is not a number of people",
        "'A' is a duplicate",
        "'x' is not a number of people",
        "'10' is more than all residents of the area",
    ]
    assert [line.partition(":")[0] for line in found] == [
        f"{path}, row {row}, column '{column}'"
        for path, row, column in (
            *((first, 2, "area"), (first, 2, "residents")),
            *((second, 1, "area"), (second, 1, "residents"), (second, 2, "aged_5_16")),
        )
    ]


def test_files_that_are_not_polygons_are_refused(tmp_path):
    """A table, a virtual format, a missing file, and polygons without names are refused."""
    table = tmp_path / "t.geojson"
    table.write_text("area,residents\nA,5\n", encoding="utf-8")
    virtual = tmp_path / "v.gpkg"
    virtual.write_text("<OGRVRTDataSource></OGRVRTDataSource>", encoding="utf-8")
    nameless = _areas(tmp_path, name="n.geojson", residents=[1])
    found = _problems(lambda: _read(table, virtual, nameless, tmp_path / "none.gpkg"))
    assert ["is not a file of polygons" in line for line in found[:2]] == [True, True]
    assert "no column 'OA21CD'" in found[2]
    assert "map it under [columns.areas], area = " in found[2]
    assert "correct [sources] areas" in found[3]


def _clock(folder, *rows, name="clock.csv"):
    path = folder / name
    text = "\n".join(["category,kind,from,share", *(",".join(map(str, row)) for row in rows)])
    path.write_text(text, encoding="utf-8")
    return path


def _day(category="Robbery", kind="*", shares=None):
    shares = range(1, 49) if shares is None else shares
    return [(category, kind, start, share) for start, share in zip(HALF_HOURS, shares, strict=True)]


@given(st.lists(st.floats(0, 1e6), min_size=48, max_size=48), st.integers(0, 47))
def test_shares_of_a_day_add_up_to_one(tmp_path_factory, shares, some):
    """Whatever their sum in the file, shares come in as proportions, by half-hour."""
    shares[some] += 0.01  # a day without any share is refused
    rows = _day(shares=[repr(share) for share in shares])[::-1]
    table = read_clock([_clock(tmp_path_factory.mktemp("clock"), *rows)], LeftOut())
    assert table["from_minutes"].tolist() == list(range(0, 1440, 30))
    assert table["share"].tolist() == pytest.approx(np.array(shares) / sum(shares))


def test_a_day_that_is_not_whole_names_what_is_missing(tmp_path):
    """Each category and kind without all its half-hours, or with shares of 0 alone, is named."""
    path = _clock(
        tmp_path, *_day()[:-2], *_day("Drugs", "1-2")[1:], *_day("Arson", shares=[0] * 48)
    )
    found = _problems(lambda: read_clock([path], LeftOut()))
    assert "category 'Robbery', kind '*' lacks 2 of 48 half-hours (23:00, 23:30)" in found[0]
    assert "category 'Drugs', kind '1-2' lacks 1 of 48 half-hours (00:00)" in found[1]
    assert "category 'Arson', kind '*' has shares of 0 alone" in found[2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("", "*", "00:00", 1), "column 'category': the category is missing"),
        (("Robbery", "02-Jan", "00:00", 1), "column 'kind': '02-Jan' is not a kind of place"),
        (("Robbery", "*", "00:15", 1), "column 'from': '00:15' is not the start of a half-hour"),
        (("Robbery", "*", "24:00", 1), "column 'from': '24:00' is not the start of a half-hour"),
        (("Robbery", "12+", "00:30", -1), "column 'share': '-1' is not a share"),
        (("Robbery", "12+", "00:30", "x"), "column 'share': 'x' is not a share"),
        (("Robbery", "*", "00:30", 1), "column 'from': '00:30' is a duplicate"),
    ],
)
def test_a_wrong_row_of_the_clock_is_named(tmp_path, row, message):
    """Every value that breaks a rule is reported with its row and column."""
    found = _problems(lambda: read_clock([_clock(tmp_path, *_day(), row)], LeftOut()))
    assert len(found) == 1
    assert f"row 50, {message}" in found[0]
