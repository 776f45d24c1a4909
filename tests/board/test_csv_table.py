"""Tables that the board writes to: rows come and go, and all other cells stay."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patrolplan.board.csv_table import CsvTable, check_text
from patrolplan.errors import OutputError
from patrolplan.team.week_editor import InvalidEditError

HEADER = b"officer,date,from,to,kind,urn\r\n"
ROW = b"SSO-01,2026-12-04,09:00,11:00,court,\r\n"
NEW = {"officer": "SSO-02", "date": "2026-12-04", "from": "13:00", "to": "14:00", "kind": "leave"}


def of(content):
    """A table of appointments with these bytes."""
    return CsvTable("duties", Path("duties.csv"), content)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_row_is_added_at_the_end_and_nothing_else_changes(mark):
    """A new row comes last, in the table's own line ends and order of columns."""
    before = of(mark + HEADER + ROW)
    after = before.with_row(NEW)
    assert after.content == before.content + b"SSO-02,2026-12-04,13:00,14:00,leave,\r\n"
    assert after.without_rows({"officer": "SSO-02"}) == before
    assert after.without_rows({"officer": "SSO-03"}) is after


def test_a_column_that_only_the_new_row_needs_is_added():
    """Rows that span lines get an empty cell at their end, not in their middle; empty rows go."""
    table = of(b'officer;kind\n"A\nB";court\n\nC;"leave"')
    after = table.with_row({"officer": "D", "kind": "event", "urn": "900001"})
    assert after.content == b'officer;kind;urn\n"A\nB";court;\nC;leave;\nD;event;900001\n'
    after = table.with_row({"officer": "D", "kind": "event", "urn": ""})
    assert after.content == b'officer;kind\n"A\nB";court\nC;leave\nD;event\n'


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5), new=st.tuples(CELLS, CELLS))
def test_whatever_is_written_is_read_again(rows, new):
    """Cells with quotes, delimiters and any letters come back as they were written."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("officer", "kind"), *rows])
    table = of(text.getvalue().encode())
    after = table.with_row(dict(zip(("officer", "kind"), new, strict=True)))
    assert after.content.startswith(table.content)
    read = list(csv.reader(io.StringIO(after.content.decode(), newline="")))
    assert read[-1] == list(new)
    assert len(read) == len(rows) + 2


def test_a_letter_that_the_encoding_lacks_is_refused():
    """A table in the Windows encoding is not turned into another one for a single letter."""
    table = of("officer,kind\nJosé,court\n".encode("cp1252"))
    assert table.with_row({"officer": "Zoë", "kind": "leave"}).content.endswith(b"Zo\xeb,leave\n")
    with pytest.raises(InvalidEditError, match="cannot hold"):
        table.with_row({"officer": "Łukasz", "kind": "leave"})


def test_a_table_that_somebody_else_changed_is_not_written_over(tmp_path):
    """Writing needs the file as it was read."""
    before = CsvTable("duties", tmp_path / "duties.csv", HEADER)
    before.path.write_bytes(HEADER + ROW)
    with pytest.raises(OutputError, match="changed outside the board"):
        before.with_row(NEW).overwrite(before)
    assert before.path.read_bytes() == HEADER + ROW


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "two\nlines", "a\x1b[1m", " ", "a\u2028"]
)
def test_text_that_is_no_cell_is_refused(text):
    """Formulas, control signs, line breaks and empty cells are not written."""
    with pytest.raises(InvalidEditError):
        check_text("reason", text)
