"""Files are written whole or not at all."""

import pytest

from patrolplan.atomic import replace_file, write_file_atomically
from patrolplan.errors import OutputError


def test_a_file_that_cannot_be_written_leaves_nothing_beside(tmp_path):
    """Where the swap fails the message names the file, and no half of it stays."""
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(OutputError, match=r"taken\.csv: cannot be written"):
        write_file_atomically(tmp_path / "taken.csv", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.csv"]


def test_no_pattern_of_tables_matches_a_half_written_file(tmp_path, monkeypatch):
    """What a kill leaves in the middle of writing is never read as a month."""
    monkeypatch.setattr(type(tmp_path), "replace", lambda *_: None)
    write_file_atomically(tmp_path / "2026-09-street.csv", b"new")
    assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.glob("*.csv"))


def test_a_single_file_is_replaced_whole(tmp_path):
    """A file replaced holds the new content, and nothing is left beside it."""
    path = tmp_path / "table.csv"
    path.write_bytes(b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert [row.name for row in tmp_path.iterdir()] == ["table.csv"]
