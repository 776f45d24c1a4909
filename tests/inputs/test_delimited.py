"""Rows of delimited text, each accounted for: against a plain splitting line by line."""

import csv
import io

import pytest
from hypothesis import given, strategies as st

from patrolplan.errors import InputError
from patrolplan.inputs.delimited import open_delimited, split_rows


def _split(folder, content, names=("a", "c")):
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return split_rows(open_delimited(path), names)


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


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,b,c\n1,"2,3\n4,5,6\n', 2),
        ('a,b,c\n1,2,3\n4,"5" 6,7\n', 3),
        ('a,b,c\n1,"2,3\n4,5",6\n', 2),
        ('a,b,c\n1,"2,3\n4,5,6\n7,8",9\n', 2),
        ('a,b,c\n1,2\n1,"2\n3\n",4,5\n', 3),
        ("a,b,c\n1," + '"' + "x\n" * 200 + '",2\n', 2),
    ],
)
def test_a_quote_out_of_place_is_refused_with_its_row(tmp_path, text, row):
    """What follows a quote out of place cannot be trusted, so the file is refused at that row."""
    with pytest.raises(InputError, match=f"row {row}: a quotation mark is out of place"):
        _split(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [
        ("a,b,c\n1,2,3\n4,5", True),
        ("a,b,c\n1,2,3\n4,5\n", False),
        ("a,b,c\n1,2\n4,5,6", False),
        ("a,b,c\n1,2,3\n4,5,6", False),
    ],
)
def test_a_file_that_ends_in_mid_row_is_cut(tmp_path, text, is_cut):
    """A short last row without a line end was cut; a missing last line end alone is fine."""
    assert _split(tmp_path, text).is_cut is is_cut
