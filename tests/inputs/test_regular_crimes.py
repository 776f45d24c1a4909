"""Regular files of crime column by column: the same rows as row by row, or none."""

from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import example, given, settings, strategies as st

from patrolplan.crs import DEGREES, Projection
from patrolplan.inputs import crimes
from patrolplan.inputs.regular_crimes import read_regular_rows

BNG = Projection("EPSG:27700")
HEAD = "Crime ID,Month,Reported by,Longitude,Latitude,Crime type"
QUOTED_HEAD = ",".join(f'"{name}"' for name in HEAD.split(","))
PLAIN = ("a1", "2024-05", "Met", "-0.1276", "51.5072", "Robbery")
CELLS = (
    st.sampled_from(["", "a1", "b2", " b2"]),
    st.sampled_from(["2024-05", "2024-06", "", "05/2024", "2924-05"]),
    st.sampled_from(["Met", "British Transport Police", ""]),
    st.sampled_from(["-0.1276", "-0.128", "-0.12", "", "0,1", "181", "nan"]),
    st.sampled_from(["51.5072", "51.5", "51.50", "", "5e1", "N/A"]),
    st.sampled_from(["Robbery", "Drugs", "Anti-social behaviour", "", "Robbery "]),
)
LINE = st.tuples(
    *(st.sampled_from([plain]) | cell for plain, cell in zip(PLAIN, CELLS, strict=True))
)


def read(path, regular):
    """A file as it is read, column by column where it is regular or row by row."""
    stand_in = read_regular_rows if regular else (lambda *_: None)
    with patch.object(crimes, "read_regular_rows", stand_in):
        return crimes._read_one(path, BNG, {})


@settings(max_examples=40)
@given(
    st.lists(LINE, min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([HEAD, QUOTED_HEAD]),
)
@example([PLAIN, ("", "2024-06", "", "", "", "Drugs"), PLAIN], "\n", HEAD)
def test_rows_are_those_of_the_row_exact_reader(tmp_path_factory, lines, end, head):
    """Every value, type and count is the same, whatever is in the cells."""
    path = tmp_path_factory.mktemp("t") / "2024-05-met-street.csv"
    text = end.join([head, *map(",".join, lines)])
    path.write_bytes(text.encode())
    fast, exact = read(path, regular=True), read(path, regular=False)
    assert fast.rows.schema.equals(exact.rows.schema, check_metadata=True)
    words = {"category": object, "force": object}  # they may be numbered in another order
    frames = [file.rows.to_pandas().astype(words) for file in (fast, exact)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert fast.account == exact.account


def is_regular(path: Path, content: bytes) -> bool:
    """Whether a file of this content is read column by column."""
    path.write_bytes(content)
    text, theirs = crimes.open_text(path, crimes.FIELDS, {}, source="crimes")
    return read_regular_rows(text, theirs, DEGREES) is not None


@pytest.mark.parametrize(
    "line",
    [
        "",
        ",,,,,",
        "a,b",
        "a1,2024-05,Met,-0.1276,51.5072,Robbery,more",
        'a1,2024-05,Met,-0.1276,51.5072,"Robbery"',
        "a1,2024-05,Met,-0.1276,51.5072,Robbery ",
        " a1,2024-05,Met,-0.1276,51.5072,Robbery",
        "a1,May 2024,Met,-0.1276,51.5072,Robbery",
        "a1,2024-05,Met,-0.1276,91,Robbery",
        "a1,2024-05,Met,-0.1276,51.5072,Robb\rery",
        "a1,2024-05,Mét,-0.1276,51.5072,Robbery",
    ],
)
def test_what_is_not_regular_is_left_to_the_row_exact_reader(tmp_path, line):
    """One line out of shape, in another encoding or with a value that cannot be read is enough."""
    rows = [HEAD, ",".join(PLAIN)]
    path = tmp_path / "2024-05-met-street.csv"
    assert is_regular(path, "\n".join(rows).encode())
    assert is_regular(path, "\n".join([QUOTED_HEAD, rows[1]]).encode())
    assert not is_regular(path, "\n".join([*rows, line, ",".join(PLAIN)]).encode("cp1252"))


def test_a_header_that_goes_over_several_lines_is_left_to_the_row_exact_reader(tmp_path):
    """A line break within the name of a column is no end of the header."""
    path = tmp_path / "2024-05-met-street.csv"
    head = QUOTED_HEAD.replace("Reported by", "Reported\nby")
    assert not is_regular(path, "\n".join([head, ",".join(PLAIN)]).encode())
