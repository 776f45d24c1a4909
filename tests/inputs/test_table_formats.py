"""Tables of spreadsheets, GIS files and frames read like the same table as CSV."""

import datetime as dt
import json
import random
import zipfile
from decimal import Decimal
from unittest.mock import Mock

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, strategies as st
from pyarrow import parquet
from table_files import FORMATS, PLACED, write_sheets, write_table

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import formats
from patrolplan.inputs.crimes import COLUMNS as CRIME_COLUMNS
from patrolplan.inputs.formats import MemoryTable, hash_source
from patrolplan.inputs.reports import MEANINGS, read_reports
from patrolplan.inputs.small_tables import read_bell_times, read_gates
from patrolplan.inputs.table_reader import read_counted_table, read_placed_table, write_cells
from patrolplan.tables import Column

BNG = Projection("EPSG:27700")
COLUMNS = (
    Column("urn", "number", known_names=("URN",)),
    Column("name", "name", known_names=("EstablishmentName",)),
    Column("from", "first day", needed=False),
    Column("longitude", "degrees", needed=False, known_names=("Longitude",)),
    Column("latitude", "degrees", needed=False, known_names=("Latitude",)),
)
FRAME = pd.DataFrame({
    "URN": [900001, 900002, 900003], "EstablishmentName": ["Mill, School", None, "Haus Straße"],
    "from": ["2025-09-01", "2025-10-02", None],
    "Longitude": [-0.1346, -0.14, 0.25], "Latitude": [51.5205, 51.53, 51.5],
})  # fmt: skip
POINTS = {"points": ("Longitude", "Latitude")}


def _read(path, wanted=COLUMNS, columns=None, source="schools"):
    cut = {"name": "Establishm"} if path.suffix == ".shp" else {}  # which has ten letters for names
    return read_counted_table(path, wanted, columns or cut, source=source)


def _text(table):
    return table.rows.fillna("-").reset_index(drop=True).astype(object)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_reads_like_csv(tmp_path, kind):
    """Numbers, empty cells, dates (also typed ones) and points are the text of the CSV file."""
    write_table(tmp_path / "t.csv", FRAME)
    expected = _text(_read(tmp_path / "t.csv"))
    for frame in (FRAME, FRAME.assign(**{"from": pd.to_datetime(FRAME["from"])})):
        write_table(tmp_path / f"t.{kind}", frame, **POINTS)
        found = _text(_read(tmp_path / f"t.{kind}"))
        pd.testing.assert_frame_equal(found[list(expected)], expected)


def test_rows_are_numbered_as_their_program_shows_them(tmp_path):
    """Below a header from 2, features from 1, and rows of a frame from 0."""
    numbers = {"csv": 2, "xlsx": 2, "parquet": 2, "gpkg": 1, "geojson": 1, "shp": 1}
    for kind, number in numbers.items():
        write_table(tmp_path / f"t.{kind}", FRAME, **POINTS)
        assert _read(tmp_path / f"t.{kind}").rows.index[0] == number, kind
    frame = MemoryTable("schools", FRAME.set_axis([7, 8, 9]))
    assert list(_read(frame).rows.index) == [0, 1, 2]


@pytest.mark.parametrize("crs", ["EPSG:27700", "EPSG:3857", "EPSG:32630"])
@pytest.mark.parametrize("kind", PLACED)
def test_points_of_any_crs_are_the_same_place(tmp_path, kind, crs):
    """A point is where its degrees are to five millimetres, whatever its CRS."""
    write_table(tmp_path / f"t.{kind}", FRAME, **POINTS, crs=crs)
    path = tmp_path / f"t.{kind}"
    columns = {"name": "Establishm"} if kind == "shp" else {}
    rows = read_placed_table(path, COLUMNS, columns, BNG, source="schools").rows
    expected = BNG.to_metres(FRAME["Longitude"], FRAME["Latitude"])
    np.testing.assert_allclose((rows["x"], rows["y"]), expected, rtol=0, atol=5e-3)


def test_points_on_the_british_grid_stay_metres_where_a_table_has_them():
    """Crimes on the grid come in by easting and northing, so round metres are seen as such."""
    places = gpd.points_from_xy([530100.0], [181200], crs="EPSG:27700")
    frame = gpd.GeoDataFrame({"Month": "2025-09", "Crime type": ["Robbery"]}, geometry=places)
    rows = _read(MemoryTable("crimes", frame), CRIME_COLUMNS, source="crimes").rows
    assert rows[["easting", "northing"]].iloc[0].tolist() == ["530100", "181200"]
    mapped = {"easting": "E", "northing": "N"}  # those would be in the area's own CRS
    rows = _read(MemoryTable("crimes", frame), CRIME_COLUMNS, mapped, source="crimes").rows
    assert "easting" not in rows


@pytest.mark.parametrize(("shape", "crs", "match"), [
    (shapely.box(0, 51, 1, 52), "EPSG:4326", r"rows? 0: has a Polygon where a point should be"),
    (shapely.MultiPoint([(0, 51), (1, 51)]), "EPSG:4326", "has a MultiPoint where"),
    (shapely.Point(0, 51), None, "has shapes without a CRS"),
])  # fmt: skip
def test_shapes_that_are_no_places_are_refused(shape, crs, match):
    """Polygons and shapes without a CRS are refused with the argument's name and what to do."""
    frame = gpd.GeoDataFrame({"urn": [1], "name": ["x"]}, geometry=[shape], crs=crs)
    with pytest.raises(InputError, match=rf"^argument schools.*{match}"):
        _read(MemoryTable("schools", frame))


def test_titles_above_the_header_and_blank_rows_are_handled(tmp_path):
    """Blank rows are no rows; below a title the header is not found."""
    rows = [["urn", "finish_time"], [900001, "15:10"], [None, None], [900002, "15:00"]]
    write_sheets(tmp_path / "a.xlsx", {"Sheet1": [[None, None], *rows]})
    table = _read(
        tmp_path / "a.xlsx",
        (Column("urn", "number"), Column("finish_time", "bell")),
        source="bell_times",
    )
    assert (list(table.rows.index), table.unread) == ([3, 5], ())
    write_sheets(tmp_path / "b.xlsx", {"Sheet1": [["Bells of 2025", None], *rows]})
    with pytest.raises(InputError, match="no column 'urn'; add it to the header"):
        read_bell_times([tmp_path / "b.xlsx"])


@pytest.mark.parametrize("kind", ["xlsx", "gpkg"])
def test_of_several_sheets_or_layers_the_one_of_the_tables_name_counts(tmp_path, kind):
    """One file may hold every table; without the table's name which one counts is not guessed."""
    bells = pd.DataFrame({"urn": ["900001"], "finish_time": ["15:10"]})
    good, bad = tmp_path / f"good.{kind}", tmp_path / f"bad.{kind}"
    for path, names in ((good, ("bell_times", "notes")), (bad, ("a", "b"))):
        if kind == "xlsx":
            cells = [*bells], *bells.to_numpy().tolist()
            write_sheets(path, dict.fromkeys(names, cells))
        else:
            for name in names:
                pyogrio.write_dataframe(bells, path, layer=name)
    assert list(read_bell_times([good]).index) == ["900001"]
    with pytest.raises(InputError, match=r"has 2 (sheets|layers) \(a, b\).*'bell_times'"):
        read_bell_times([bad])


def test_a_shapefiles_table_counts_in_its_digest(tmp_path):
    """Values stand in another file of a shapefile; a change of one changes the digest."""
    frame = pd.DataFrame({"urn": ["900001"], "longitude": [0.0], "latitude": [51.0]})
    write_table(tmp_path / "g.shp", frame)
    before = hash_source(tmp_path / "g.shp")
    write_table(tmp_path / "g.shp", frame.assign(urn="900003"))
    assert hash_source(tmp_path / "g.shp") != before


def test_spreadsheets_without_their_package_are_refused_in_words(tmp_path, monkeypatch):
    """The message says which package to install."""
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04")
    monkeypatch.setattr(formats, "import_module", Mock(side_effect=ImportError))
    with pytest.raises(InputError, match=r"python-calamine, is not installed; save .* pip install"):
        read_bell_times([tmp_path / "b.xlsx"])


@pytest.mark.parametrize("kind", FORMATS)
def test_free_text_of_reports_does_not_matter_in_any_format(tmp_path, demo, kind, monkeypatch):
    """Reports of every format give the counts of the CSV file; wanted columns alone are read."""
    spies = []
    for module, name in ((pyogrio, "read_dataframe"), (parquet, "read_table")):
        spies.append(Mock(side_effect=getattr(module, name)))
        monkeypatch.setattr(module, name, spies[-1])
    reports = pd.read_csv(demo.parent / "reports.csv")
    write_table(tmp_path / f"r.{kind}", reports)
    columns = {name: name[:10] for name in MEANINGS if len(name) > 10} if kind == "shp" else {}
    found = read_reports([tmp_path / f"r.{kind}"], columns=columns)
    expected = read_reports([demo.parent / "reports.csv"])
    for name in ("counts", "squares", "factor_counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.by_year == expected.by_year
    calls = [call for spy in spies for call in spy.call_args_list]
    assert len(calls) == (kind not in {"xlsx", "geoparquet"})
    assert not any({"comment", "school_urn"} & {*call.kwargs["columns"]} for call in calls)


@pytest.mark.parametrize("kind", ["xlsx", "gpkg", "geojson", "shp", "parquet"])
def test_spoiled_files_are_read_or_refused(tmp_path, kind):
    """Files spoiled anywhere are read, or refused in words that name them."""
    gates = pd.DataFrame({"urn": range(20), "longitude": -0.13, "latitude": 51.52})
    path = tmp_path / f"g.{kind}"
    write_table(path, gates)
    content, rng, refused = path.read_bytes(), random.Random(3), 0  # noqa: S311 - mutations
    for _ in range(15):
        at, cut = rng.randrange(len(content)), rng.randint(0, 30)
        put = rng.choice([b"", b"\0", b"\xff\xff", b"<", b"9" * 20])
        path.write_bytes(content[:at] + put + content[at + cut :])
        try:
            read_gates([path], BNG)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017
            refused += 1
    assert refused > 0


def test_a_cell_far_away_is_refused(tmp_path):
    """A spreadsheet says in a few letters that a cell is in the last row of the last column."""
    path = tmp_path / "b.xlsx"
    write_sheets(path, {"Sheet1": [["urn", "finish_time"], [900001, "15:10"]]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            moved = content.replace(b'r="B2"', b'r="XFD1048576"')
            archive.writestr(name, moved.replace(b'r="2"', b'r="1048576"'))
    with pytest.raises(InputError, match="has a sheet of 1,048,576 rows and 16,384 columns"):
        read_bell_times([path])


def test_json_that_has_gdal_open_another_file_is_refused(tmp_path):
    """GDAL reads several kinds of JSON; the one that runs commands on other files is not read."""
    frame = pd.DataFrame({"urn": ["900001"], "longitude": [0.0], "latitude": [51.0]})
    write_table(tmp_path / "real.geojson", frame)
    command = f"gdal vector pipeline ! read {tmp_path}/real.geojson ! write streamed"
    document = {"type": "gdal_streamed_alg", "command_line": command}
    (tmp_path / "g.geojson").write_text(json.dumps(document))
    with pytest.raises(InputError, match="is not a GIS file"):
        read_gates([tmp_path / "g.geojson"], BNG)


def test_true_times_of_spreadsheets_are_clock_times(tmp_path):
    """A bell that a spreadsheet holds as a time reads as the HH:MM that it shows."""
    rows = ["urn", "finish_time", "start_time"], [900001, dt.time(15, 10), "08:30:00"]
    write_sheets(tmp_path / "b.xlsx", {"Sheet": rows})
    found = read_bell_times([tmp_path / "b.xlsx"])
    assert found.loc["900001", ["finish_time", "start_time"]].tolist() == ["15:10", "08:30"]


def _written(values, ours="", **options):
    return write_cells(pd.Series(values, **options), ours).fillna("-").tolist()


@pytest.mark.parametrize(("values", "text"), [
    ([900001, 2], ["900001", "2"]), ([900001.0, np.nan], ["900001", "-"]),
    ([0.1, -0.1346, 1e-7], ["0.1", "-0.1346", "1e-07"]),
    (["007", None, " a "], ["007", "-", " a "]), ([True, False], ["true", "false"]),
    ([Decimal("12.50"), None], ["12.50", "-"]),
    ([dt.time(15, 10), dt.time(9, 5, 30)], ["15:10", "09:05:30"]),
    ([dt.timedelta(hours=15, minutes=10)], ["15:10"]),
    ([dt.date(2025, 9, 1), "2025-09-02"], ["2025-09-01", "2025-09-02"]),
    ([1, "x", 2.5, None], ["1", "x", "2.5", "-"]),
    ([["900001", 2.0], (), np.array([3])], ["900001;2", "-", "3"]),
])  # fmt: skip
def test_values_are_written_as_people_write_them(values, text):
    """Whole numbers have no point, times no seconds of zero, and empty cells stay empty."""
    assert _written(values, dtype=object) == text
    assert _written(values) == text


def test_days_have_no_time_unless_one_of_the_column_has():
    """A column of days is written as days; among true times, midnight stays a time."""
    days = pd.to_datetime(["2025-09-01", None, "2025-09-02"])
    assert _written(days) == ["2025-09-01", "-", "2025-09-02"]
    times = pd.to_datetime(["2025-09-01 00:00", "2025-09-02 15:10"])
    assert _written(times) == ["2025-09-01 00:00:00", "2025-09-02 15:10:00"]
    aware = times.tz_localize("Europe/London")
    assert _written(aware)[1] == "2025-09-02 15:10:00+01:00"


def test_first_days_of_months_are_months_in_a_column_of_months_alone():
    """A spreadsheet makes days of months; in any other column a day stays a day."""
    firsts = pd.to_datetime(["2025-09-01", "2025-10-01"])
    assert _written(firsts, "month") == ["2025-09", "2025-10"]
    assert _written([dt.date(2025, 9, 1)], "month", dtype=object) == ["2025-09"]
    assert _written(firsts, "from") == ["2025-09-01", "2025-10-01"]
    assert _written(pd.to_datetime(["2025-09-03"]), "month") == ["2025-09-03"]


WHOLE = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.lists(WHOLE))
def test_numbers_come_back_from_their_text(numbers, whole):
    """No digit of a number is lost; URNs and identifiers stay what they are."""
    assert [float(one) for one in _written(numbers, dtype="float64")] == numbers
    assert _written(whole, dtype="int64") == [str(number) for number in whole]
