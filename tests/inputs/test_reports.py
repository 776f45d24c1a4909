"""Pupils' reports: nothing about a person comes in, nothing of a row gets into a message."""

import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from pyarrow import parquet

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import reports as reports_module, table_reader as tabular
from patrolplan.inputs.reports import read_reports
from patrolplan.privacy import ReportGroups, suppress_and_round
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
GOOD = {
    "report_id": "R1",
    "school_urn": "100041",
    "reported_on": "2024-05-03",
    "time_band": "after_school",
    "place_factor": "poor_lighting",
    "behaviour_factor": "followed",
    "longitude": "-0.13",
    "latitude": "51.52",
    "comment": "Jo Bloggs of 7 Elm Row followed me",
}
ALLOWED = {
    "report_id",
    "reported_on",
    "time_band",
    "place_factor",
    "behaviour_factor",
    "longitude",
    "latitude",
}


def _limits():
    corners = [(-0.16, 51.50), (-0.10, 51.50), (-0.10, 51.54), (-0.16, 51.54)]
    return shapely.Polygon([tuple(c[0] for c in BNG.to_metres([x], [y])) for x, y in corners])


def _file(folder, *rows, name="reports.csv"):
    path = folder / name
    pd.DataFrame([GOOD | row for row in rows]).to_csv(path, index=False)
    return path


def _read(path, threshold=5, **options):
    left_out = LeftOut()
    table = read_reports([path], BNG, _limits(), left_out, threshold=threshold, **options)
    return table, left_out


def _reasons(left_out):
    return {row.reason: row.count_text for row in left_out.rows}


def test_a_good_report_keeps_place_and_factors_alone(tmp_path):
    """What comes in of a report is its place in metres, the three factors."""
    table, left_out = _read(_file(tmp_path, {}))
    factors = ["time_band", "place_factor", "behaviour_factor"]
    assert list(table.columns) == [*factors, "x", "y", "year"]
    x, y = BNG.to_metres([-0.13], [51.52])
    assert table.to_dict("records") == [
        {
            "time_band": "after_school",
            "place_factor": "poor_lighting",
            "behaviour_factor": "followed",
            "x": x[0],
            "y": y[0],
            "year": 2024,
        }
    ]
    assert left_out.rows == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"longitude": "", "latitude": ""}, "without coordinates"),
        ({"latitude": "here"}, "without coordinates"),
        ({"longitude": "0", "latitude": "0.0"}, "coordinates are zero"),
        ({"longitude": "51.52", "latitude": "-0.13"}, "longitude and latitude are swapped"),
        ({"longitude": "8.68", "latitude": "50.11"}, "outside the area"),
        ({"longitude": "-0.13", "latitude": "151.52"}, "outside the area"),
        ({"longitude": "1e300"}, "outside the area"),
        ({"reported_on": "2024-02-30"}, "without a date that exists"),
        ({"reported_on": "03/05/2024"}, "without a date that exists"),
        ({"reported_on": ""}, "without a date that exists"),
        ({"time_band": "after school"}, "unknown time band"),
        ({"time_band": ""}, "unknown time band"),
        ({"place_factor": "dark"}, "unknown place factor"),
        ({"behaviour_factor": "FOLLOWED"}, "unknown behaviour factor"),
    ],
)
def test_a_wrong_value_leaves_the_row_out_and_is_counted(tmp_path, row, reason):
    """A wrong value is never mended: the row is left out under its reason."""
    table, left_out = _read(_file(tmp_path, {}, {"report_id": "R2"} | row))
    assert len(table) == 1
    assert _reasons(left_out) == {reason: "fewer than 5"}


def test_the_same_report_again_counts_once(tmp_path):
    """A report with a duplicate ID counts once; reports without an ID all count."""
    table, left_out = _read(_file(tmp_path, {}, {}, {"report_id": ""}, {"report_id": ""}))
    assert len(table) == 3
    assert _reasons(left_out) == {"duplicate report": "fewer than 5"}


def test_untidiness_of_the_synthetic_return(shared):
    """The synthetic return's faults are counted as a plain count over its rows counts them."""
    path = shared / "data" / "synthetic" / "bloomsbury_pupil_reports_synthetic.csv"
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    lon = pd.to_numeric(raw["longitude"], errors="coerce")
    lat = pd.to_numeric(raw["latitude"], errors="coerce")
    again = raw["report_id"].duplicated()
    blank = ~again & (lon.isna() | lat.isna())
    zero = ~again & (lon == 0) & (lat == 0)
    swapped = ~again & lon.between(51, 52)
    placed = ~again & lat.between(51.49, 51.55)
    dated = pd.to_datetime(raw["reported_on"], format="%Y-%m-%d", errors="coerce").notna()
    band = raw["time_band"].isin(reports_module.TIME_BANDS)
    table, left_out = _read(path)
    reasons = _reasons(left_out)
    faults = {
        "duplicate report": again,
        "without coordinates": blank,
        "coordinates are zero": zero,
        "longitude and latitude are swapped": swapped,
        "without a date that exists": placed & ~dated,
        "unknown time band": placed & dated & ~band,
    }
    assert reasons == dict.fromkeys(faults, "fewer than 5")
    assert all(0 < fault.sum() < 5 for fault in faults.values())
    assert len(table) + sum(fault.sum() for fault in faults.values()) == len(raw) == 641


@given(count=st.integers(1, 12), threshold=st.integers(2, 8))
def test_counts_under_the_threshold_are_shown_as_fewer(tmp_path_factory, count, threshold):
    """Counts of faulty reports are rounded down, and shown as "fewer than" under the threshold."""
    rows = [{"report_id": f"R{number}", "time_band": "noon"} for number in range(count)]
    path = _file(tmp_path_factory.mktemp("r"), {"report_id": "good"}, *rows)
    _, left_out = _read(path, threshold)
    rounded = int(suppress_and_round(count, threshold))
    shown = f"fewer than {threshold}" if rounded == 0 else str(rounded)
    assert [(row.count_text, row.count) for row in left_out.rows] == [(shown, rounded)]


def test_free_text_is_never_read_from_csv(tmp_path, monkeypatch):
    """The CSV reader gets the wanted columns only, whatever the file's name."""
    requested = []
    real = pd.read_csv

    def spy(*args, **options):
        requested.append(options.get("usecols"))
        table = real(*args, **options)
        assert set(table.columns) <= ALLOWED
        return table

    monkeypatch.setattr(tabular.pd, "read_csv", spy)
    _read(_file(tmp_path, {}))
    assert [set(columns) for columns in requested] == [ALLOWED]


def test_free_text_is_never_read_from_parquet(tmp_path, monkeypatch):
    """Of a Parquet file the wanted columns alone are read."""
    requested = []
    real = parquet.read_table

    def spy(*args, **options):
        requested.append(set(options["columns"]))
        return real(*args, **options)

    monkeypatch.setattr(tabular.parquet, "read_table", spy)
    pd.DataFrame([GOOD]).to_parquet(tmp_path / "reports.parquet")
    table, _ = _read(tmp_path / "reports.parquet")
    assert len(table) == 1
    assert requested == [ALLOWED]


PERSONAL = "Zaphod7Elmrow"


@pytest.mark.parametrize(
    "content",
    [
        f"{PERSONAL},100041,2024-05-03,after_schoo,followe,longitud,x",
        "report_id,reported_on\n" + PERSONAL + ',"unclosed\n',
        f"report_id,{PERSONAL}\n1,2\n",
        "\n".join([",".join(sorted(ALLOWED)), f'1,2,"{PERSONAL}']),
        f"<html>{PERSONAL}",
        f"{PERSONAL}\0{PERSONAL}",
    ],
)
def test_no_message_shows_the_content_of_reports(tmp_path, content):
    """Whatever is wrong with a file of reports, no message repeats its content."""
    path = tmp_path / "reports.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        _read(path)
    assert str(path) in str(error.value)
    message = str(error.value).replace(str(path), "")
    for value in (PERSONAL, "after_schoo'", "longitud'", "followe'"):
        assert value not in message


def test_missing_columns_are_all_reported(tmp_path):
    """Every column of the contracts that a file of reports lacks is named."""
    path = tmp_path / "reports.csv"
    path.write_text("report_id,longitude,latitude\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        _read(path)
    for column in ("reported_on", "time_band", "place_factor", "behaviour_factor"):
        assert f"no column '{column}'" in str(error.value)


def test_columns_can_be_mapped(tmp_path):
    """A return of another layout is read by the settings' column mapping."""
    path = tmp_path / "reports.csv"
    pd.DataFrame([GOOD]).rename(columns={"time_band": "When"}).to_csv(path, index=False)
    table, _ = _read(path, columns={"time_band": "When"})
    assert list(table["time_band"]) == ["after_school"]


def test_no_report_can_be_found_in_a_loaded_area(demo_area):
    """A study area holds groups alone: no table of it has a report's columns."""
    assert isinstance(demo_area.reports, ReportGroups)
    tables = [value for value in vars(demo_area).values() if isinstance(value, pd.DataFrame)]
    assert len(tables) >= 4
    for table in tables:
        assert not set(table.columns) & {"report_id", "reported_on", "time_band", "comment"}
