"""Delimited tables: columns under our names, every row accounted for, other files refused."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st
from pyarrow import parquet
from table_files import write_content

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import table_reader
from patrolplan.inputs.delimited import open_delimited, split_rows
from patrolplan.inputs.formats import MemoryTable
from patrolplan.inputs.table_reader import POINT, parse_numbers
from patrolplan.tables import Column


def test_impossible_degrees_are_nan():
    """A row without degrees, or with impossible ones, has no place; the others keep theirs."""
    longitude = ["", "-0.1", "181", "-0.1", "inf", "-0.1", "-0.13"]
    latitude = ["51.5", "n/a", "51", "-91", "51", None, "51.52"]
    frame = MemoryTable("stops", pd.DataFrame({"longitude": longitude, "latitude": latitude}))
    table = table_reader.read_placed_table(frame, POINT, {}, Projection(), source="stops")
    assert np.isfinite(table.rows[["x", "y"]]).to_numpy().tolist() == [
        [n == 6] * 2 for n in range(7)
    ]


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_numbers_are_read_exactly(value):
    """A number written out in full is read as that number."""
    assert parse_numbers(pd.Series([repr(value)]))[0] == pytest.approx(value, rel=1e-15, abs=0)


COLUMNS = (
    Column("urn", "number", known_names=("URN",)),
    Column("name", "name", known_names=("EstablishmentName",)),
    Column("phase", "phase", needed=False),
)


def _read(path):
    return table_reader.read_table(path, COLUMNS, {}, source="schools")


def _refused(path):
    with pytest.raises(InputError) as error:
        _read(path)
    message = str(error.value)
    assert str(path) in message
    return message


def test_only_wanted_columns_come_in_under_our_names(tmp_path):
    """Known columns are found in any case and order, under our names; others stay out."""
    path = write_content(tmp_path, "secret,ESTABLISHMENTNAME,urn\nx,Hill School,1\n")
    table = _read(path)
    assert list(table.columns) == ["urn", "name"]
    assert table.to_dict("index") == {2: {"urn": "1", "name": "Hill School"}}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_delimiters_and_encodings(tmp_path, delimiter, encoding):
    """Comma, semicolon, tab or bar, UTF-8 with or without mark or Windows-1252 read the same."""
    other = ";" if delimiter == "," else ","  # signs in cells do not matter
    rows = (("URN", "EstablishmentName"), ("1", f"École \u2013 Hill\u2019s{other}"), ("2", "b"))
    text = "\r\n".join(delimiter.join(row) for row in rows)
    table = _read(write_content(tmp_path, text.encode(encoding)))
    assert list(table["name"]) == [f"École \u2013 Hill\u2019s{other}", "b"]


@pytest.mark.parametrize("rows", [10, 20_000])
def test_windows_letter_far_down_is_read(tmp_path, rows):
    """A Windows-1252 letter is read wherever in the file it first occurs."""
    head = b"URN,EstablishmentName\n" + b"1,a\n" * rows
    table = _read(write_content(tmp_path, head + "2,Café".encode("cp1252")))
    assert table["name"].iloc[-1] == "Café"
    assert len(table) == rows + 1


def test_packed_files_read_like_csv(tmp_path):
    """The same table as .csv and .csv.gz reads the same, row numbers included."""
    text = b"URN,EstablishmentName\n1,a\n2,\n3,c\n"
    plain = _read(write_content(tmp_path, text, "t.csv"))
    packed = _read(write_content(tmp_path, gzip.compress(text), "t.csv.gz"))
    pd.testing.assert_frame_equal(plain, packed)
    assert list(plain.index) == [2, 3, 4]
    assert plain["name"].isna().tolist() == [False, True, False]


def test_parquet_with_spoiled_notes_of_pandas_is_refused(tmp_path):
    """Pandas' own metadata in a file may not be text: that is reported as any broken file is."""
    plain = pa.table({"URN": ["1"], "EstablishmentName": ["a"]})
    spoiled = plain.replace_schema_metadata({b"pandas": b"\xbd"})
    parquet.write_table(spoiled, tmp_path / "t.parquet")
    assert "is not a Parquet file" in _refused(tmp_path / "t.parquet")


@pytest.mark.parametrize("before", [0, 1, 3])
def test_row_numbers_are_lines_of_the_file(tmp_path, before):
    """The index is the line number, over blank lines before the header and between rows."""
    path = write_content(tmp_path, "\n" * before + "URN,EstablishmentName\n1,a\n\n , \n2,b\n")
    table = _read(path)
    assert list(table.index) == [before + 2, before + 5]
    assert list(table["urn"]) == ["1", "2"]


def test_missing_columns_are_all_named_with_their_nearest(tmp_path):
    """Every required column that is not there is named, with the nearest name that is."""
    path = write_content(tmp_path, "URN,EstablishmentNames,phase\n1,a,b\n")
    message = _refused(path)
    assert "no column 'EstablishmentName' (nearest: 'EstablishmentNames')" in message
    assert "[columns.schools], name = 'their name'" in message
    both = _refused(write_content(tmp_path, "a,b\n1,2\n", "both.csv"))
    assert "no column 'URN'" in both
    assert "no column 'EstablishmentName'" in both


def test_values_of_a_file_without_header_are_not_shown(tmp_path):
    """Where the first line is not a header, its values are not in the message."""
    message = _refused(write_content(tmp_path, "EstablishmentNam,urm\n1,a\n"))
    assert not [one for one in ("EstablishmentNam'", "urm") if one in message]


@pytest.mark.parametrize(("content", "name", "what"), [
    (None, "t.csv", "the file does not exist"),
    *((content, "t.csv", "the file is empty") for content in (b"", b" \r\n\r\n")),
    (gzip.compress(b"", mtime=0), "t.csv.gz", "the file is empty"),
    (b"PK\x03\x04rest", "t.csv", "a ZIP archive or Excel workbook"),
    *((content, "t.csv", "a web page")
      for content in (b"<!DOCTYPE html><html></html>", b"\xef\xbb\xbf\n<HTML><body>")),
    (gzip.compress(b"<html>", mtime=0), "t.csv.gz", "a web page"),
    (b"<?xml version='1.0'?>", "t.csv", "an XML file"),
    (b"%PDF-1.7", "t.csv", "a PDF"), (b'{"a": 1}', "t.csv", "a JSON file"),
    (gzip.compress(b"URN,EstablishmentName\n", mtime=0), "t.csv",
     "a gzip file without the ending"),
    (b"URN,EstablishmentName\n1,a\n", "t.csv.gz", "is broken"),
    ("URN,EstablishmentName\n1,a".encode("utf-16"), "t.csv", "is UTF-16 text"),
    (b"URN,EstablishmentName\n1,a\n2,\0\n", "t.csv", "line 3: contains NUL bytes"),
    (b"URN,EstablishmentName\n1,a", "t.parquet", "is not a Parquet file"),
    *((b'URN,EstablishmentName\n1,"' + letter + b"a\n2,b\n", "t.csv",
       "row 2: a quotation mark is out of place") for letter in (b"", b"\xe9")),
])  # fmt: skip
def test_files_that_are_not_tables(tmp_path, content, name, what):
    """A file that is missing, empty, broken or of another kind is refused with the reason."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert what in _refused(path)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncated_gzip_is_broken(tmp_path, share):
    """A gzip file that ends too early is reported as broken, wherever it was cut."""
    lines = "".join(f"{number},School {number * 7919 % 10007}\n" for number in range(30_000))
    whole = gzip.compress(b"URN,EstablishmentName\n" + lines.encode())
    path = write_content(tmp_path, whole[: int(len(whole) * share)], "t.csv.gz")
    assert "is broken" in _refused(path)


@given(st.text())
def test_shown_values_are_short_and_on_one_line(value):
    """A value in a message is quoted, on one line, and at most 43 signs long."""
    text = table_reader.quote_value(value)
    assert len(text.splitlines()) == 1
    assert len(text) <= 43
    assert text[0] == text[-1] == "'"


def _split(folder, content):
    return split_rows(open_delimited(write_content(folder, content)), ("a", "c"))


CELL = st.sampled_from(["", " ", "1", "x y", "9.5", "NA", "null"])
LINE = st.lists(CELL, min_size=1, max_size=5).map(",".join) | st.just("")


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_rows_are_those_that_split_into_the_headers_fields(tmp_path_factory, lines, end, ends):
    """Without quotes, a row fits when it has three cells, and no row is lost or counted twice."""
    text = end.join(["a,b,c", *lines]) + (end if ends else "")
    table = _split(tmp_path_factory.mktemp("t"), text)
    cells = {number: line.split(",") for number, line in enumerate(lines, start=2)}
    rows = {number: row for number, row in cells.items() if any(map(str.strip, row))}
    fitting = {number: row for number, row in rows.items() if len(row) == 3}
    used = {number: row for number, row in fitting.items() if row[0].strip() or row[2].strip()}
    assert table.malformed == tuple(number for number in rows if number not in fitting)
    assert table.unread == tuple(number for number in fitting if number not in used)
    assert table.rows.fillna("").to_dict("index") == {
        number: {"a": row[0].strip(), "c": row[2].strip()} for number, row in used.items()
    }
    assert table.row_count == len(rows)


QUOTED = st.text(st.sampled_from('ab,"\n é'), max_size=6)


@given(st.lists(st.tuples(QUOTED, QUOTED, QUOTED), min_size=1, max_size=8))
def test_what_a_csv_writer_quoted_is_read_back(tmp_path_factory, rows):
    """Commas, quotes and line breaks in quoted cells change no row, and no row is malformed."""
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    try:
        table = _split(tmp_path_factory.mktemp("t"), stream.getvalue())
    except InputError:
        # A cell whose lines look like rows of the table is refused like swallowed rows.
        assert any("\n" in cell and cell.count(",") >= 2 for row in rows for cell in row)
        return
    wanted = [(a.strip(), c.strip()) for a, b, c in rows if any(map(str.strip, (a, b, c)))]
    assert list(table.rows.fillna("").itertuples(index=False, name=None)) == [
        row for row in wanted if any(row)
    ]
    assert table.malformed == ()
    assert table.row_count == len(wanted)


@pytest.mark.parametrize(("text", "row"), [
    ('a,b,c\n1,"2,3\n4,5,6\n', 2), ('a,b,c\n1,2,3\n4,"5" 6,7\n', 3), ('a,b,c\n1,"2,3\n4,5",6\n', 2),
    ('a,b,c\n1,"2,3\n4,5,6\n7,8",9\n', 2), ('a,b,c\n1,2\n1,"2\n3\n",4,5\n', 3),
    ("a,b,c\n1," + '"' + "x\n" * 200 + '",2\n', 2),
])  # fmt: skip
def test_a_quote_out_of_place_is_refused_with_its_row(tmp_path, text, row):
    """What follows a quote out of place cannot be trusted, so the file is refused at that row."""
    with pytest.raises(InputError, match=f"row {row}: a quotation mark is out of place"):
        _split(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [("1,2,3\n4,5", True), ("1,2,3\n4,5\n", False), ("1,2\n4,5,6", False), ("1,2,3\n4,5,6", False)],
)
def test_a_file_that_ends_in_mid_row_is_cut(tmp_path, text, is_cut):
    """A short last row without a line end was cut; a missing last line end alone is fine."""
    assert _split(tmp_path, f"a,b,c\n{text}").is_cut is is_cut
