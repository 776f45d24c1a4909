"""Open crime files are read once; a force's own extract is never copied."""

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.crimes import read_crimes
from patrolplan.tables import LeftOut

OPEN = (
    "Crime ID,Month,Reported by,Longitude,Latitude,Crime type\n"
    "a1,2024-01,Some Police,-0.1281,51.5226,Robbery\n"
    ",2024-01,Some Police,-0.1290,51.5230,Anti-social behaviour\n"
    "a2,2024-01,Some Police,,,Robbery\n"
)
OWN = "date_time,category,longitude,latitude\n2024-01-05 15:40,Robbery,-0.1281,51.5226\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(folder))
    return folder


def test_second_reading_equals_the_first(cache, tmp_path, monkeypatch):
    """The second time rows and what was left out are the same, and the file is not parsed."""
    path = tmp_path / "2024-01-street.csv"
    path.write_text(OPEN, encoding="utf-8")
    first, left_out = _read(path)
    monkeypatch.setattr("patrolplan.inputs.table_reader.read_counted_table", None)
    second, left_out_again = _read(path)
    pd.testing.assert_frame_equal(first.incidents, second.incidents)
    assert left_out == left_out_again
    assert len(list(cache.rglob("*.entry"))) == 1


def test_own_extract_is_not_copied(cache, tmp_path):
    """Rows with clock times are read from their file every time."""
    path = tmp_path / "extract.csv"
    path.write_text(OWN, encoding="utf-8")
    assert len(_read(path)[0].incidents) == 1
    assert not list(cache.rglob("*.entry"))


BNG = Projection("EPSG:27700")
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)


def _row(crime_id="", month="2024-05", category="Robbery", lon="-0.13", lat="51.52", force="Met"):
    return f"{crime_id},{month},{force},{force},{lon},{lat},On or near X,,,{category},,"


def _file(folder, rows, name="a.csv"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def _read(*paths, **options):
    left_out = LeftOut()
    crimes = read_crimes(paths, BNG, left_out, **options)
    return crimes, {row.reason: row.count for row in left_out.rows}


@pytest.mark.parametrize(
    ("month", "rows", "without"), [("2022-09", 15_538, 404), ("2022-10", 15_833, 588)]
)
def test_native_files_of_lancashire(shared, month, rows, without):
    """A whole native file comes in but for its rows without coordinates, which are counted."""
    folder = shared / "data" / "crimes" / "native_format_samples"
    crimes, left_out = _read(folder / f"{month}-lancashire-street.csv.gz")
    assert left_out == {"without coordinates": without}
    assert len(crimes.incidents) == rows - without
    assert not crimes.is_exact.any()
    assert not crimes.incidents["timed"].any()
    assert set(crimes.incidents["force"]) == {"Lancashire Constabulary"}
    assert (crimes.incidents["month"] == f"{month}-01").all()
    assert crimes.incidents["occurred_at"].isna().all()


def test_several_forces_and_the_one_that_others_patrol(shared):
    """British Transport Police's crimes are left out and counted when the settings say so."""
    folder = shared / "data" / "crimes" / "2018-06"
    paths = sorted(folder.glob("*.csv.gz"))
    everyone, _ = _read(*paths)
    forces = everyone.incidents["force"].value_counts()
    crimes, left_out = _read(*paths, leave_out_forces=("British Transport Police",))
    assert left_out["recorded by British Transport Police"] == forces["British Transport Police"]
    assert set(crimes.incidents["force"]) == {"Metropolitan Police Service"}
    assert len(crimes.incidents) == forces["Metropolitan Police Service"]


@pytest.mark.parametrize(
    ("other", "double"),
    [
        ({}, True),
        ({"force": "City"}, True),
        ({"month": "2024-06"}, False),
        ({"category": "Drugs"}, False),
        ({"lon": "-0.131"}, False),
        ({"lat": "51.521"}, False),
        ({"crime_id": "x2"}, False),
    ],
)
def test_doubles_have_id_month_category_and_point_in_common(tmp_path, other, double):
    """A row of another file is a double exactly when ID, month, category and point agree."""
    first = _file(tmp_path, [_row("x1")], "a.csv")
    second = _file(tmp_path, [_row(**{"crime_id": "x1"} | other)], "b.csv")
    crimes, left_out = _read(first, second)
    assert left_out == ({"also in an earlier file": 1} if double else {})
    assert len(crimes.incidents) == 2 - double


@given(
    files=st.lists(
        st.lists(st.tuples(st.sampled_from(["", "1", "2"]), st.sampled_from("AB")), max_size=5),
        min_size=1,
        max_size=3,
    )
)
def test_doubles_equal_the_plain_rule(tmp_path_factory, files):
    """Over any files, the rows that remain are those in no earlier file, read row by row."""
    folder = tmp_path_factory.mktemp("doubles")
    expected = []
    seen = set()
    for rows in files:
        expected += [row for row in rows if not row[0] or row not in seen]
        seen |= set(rows)
    paths = [
        _file(
            folder, [_row(crime_id, category=category) for crime_id, category in rows], f"{n}.csv"
        )
        for n, rows in enumerate(files)
    ]
    if not any(files):
        with pytest.raises(InputError, match="no row with a category"):
            _read(*paths)
        return
    crimes, left_out = _read(*paths)
    assert list(crimes.incidents["category"]) == [category for _, category in expected]
    assert sum(left_out.values()) == sum(map(len, files)) - len(expected)


def test_rows_are_left_out_under_the_first_reason(tmp_path):
    """A row without category, month or place is left out and counted once."""
    rows = [
        _row("1"),
        _row("2", category=""),
        _row("3", month="2024-13"),
        _row("4", month="May 2024"),
        _row("4", month="2924-05"),
        _row("5", lon="", lat=""),
        _row("6", category="", month="", lon="", lat=""),
    ]
    crimes, left_out = _read(_file(tmp_path, rows))
    assert len(crimes.incidents) == 1
    assert left_out == {
        "without a crime type": 2,
        "without a month or time that can be read": 3,
        "without coordinates": 1,
    }


def test_own_extract_with_times_and_grid(tmp_path):
    """A force's own table: mapped columns, clock times, metres; places are exact, not snapped."""
    path = tmp_path / "extract.csv"
    path.write_text(
        "ref;when;offence;E;N\n"
        "7;2024-05-03 15:40;Robbery;529509;181782\n"
        "8;04/05/2024 16:05;Robbery;529500.5;181700\n",
        encoding="cp1252",
    )
    columns = {
        "crime_id": "ref",
        "occurred_at": "when",
        "category": "offence",
        "easting": "E",
        "northing": "N",
    }
    crimes, left_out = _read(path, columns=columns)
    assert left_out == {}
    assert crimes.is_exact.all()
    assert crimes.incidents["timed"].all()
    incidents = crimes.incidents
    assert list(incidents["occurred_at"]) == [
        pd.Timestamp("2024-05-03 15:40"),
        pd.Timestamp("2024-05-04 16:05"),
    ]
    assert set(incidents["month"]) == {pd.Timestamp("2024-05-01")}
    assert list(incidents.geometry.x) == [529509, 529500.5]


def test_a_date_alone_among_times_is_not_midnight(tmp_path):
    """Each row has a time or not; 00:00 means an unknown time where it is too common."""
    rows = [f"2024-05-{day:02d} 00:00,Drugs" for day in range(1, 9)]
    rows += ["2024-05-03,Robbery", "2024-05-03 15:40,Robbery", "2024-05-04 00:00,Robbery"]
    rows += ["2024-05-04 09:00,Drugs"]
    path = tmp_path / "e.csv"
    text = "\n".join(["date_time,crime type,longitude,latitude",
                      *(f"{row},-0.13,51.52" for row in rows)])  # fmt: skip
    path.write_text(text, encoding="utf-8")
    crimes, _ = _read(path)
    assert crimes.incidents["timed"].tolist() == [False] * 9 + [True, True, True]


@pytest.mark.parametrize(("dated", "exact"), [(1, False), (2, False), (3, True), (4, True)])
def test_most_rows_of_a_file_tell_what_its_places_are(tmp_path, dated, exact):
    """One row with a date makes no map point exact, nor one without an extract's place a point."""
    rows = [f"2024-05,{'2024-05-03 15:40' if k < dated else ''},Robbery" for k in range(4)]
    path = tmp_path / "e.csv"
    text = "\n".join(["month,date_time,crime type,longitude,latitude",
                      *(f"{row},-0.13,51.52" for row in rows)])  # fmt: skip
    path.write_text(text, encoding="utf-8")
    crimes, _ = _read(path)
    assert crimes.is_exact.tolist() == [exact] * 4
