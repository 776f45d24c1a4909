"""Files whole or not at all, one fetch at a time, and answers kept against a break."""

import pytest

from patrolplan.atomic import replace_file, write_file_atomically
from patrolplan.cache import AnswerCache, lock_fetch_folder
from patrolplan.errors import FetchError, OutputError


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


def test_two_fetches_do_not_mix(tmp_path):
    """While one fetch is at work in a folder another is told to wait."""
    with (
        lock_fetch_folder(tmp_path),
        pytest.raises(FetchError, match="another fetch is at work"),
        lock_fetch_folder(tmp_path),
    ):
        pass
    with lock_fetch_folder(tmp_path) as workspace:
        assert workspace == tmp_path / ".fetch"


def test_answers_of_another_state_are_thrown_away(tmp_path):
    """What was kept for another area, or for older data, is not mixed with what comes now."""
    AnswerCache(tmp_path, "crimes", "old").write("2026-09/0.json", [1])
    AnswerCache(tmp_path, "streets", "old").write("a.json", [2])
    new = AnswerCache(tmp_path, "crimes", "new")
    assert new.read("2026-09/0.json") is None
    assert AnswerCache(tmp_path, "crimes", "old").read("2026-09/0.json") is None
    assert AnswerCache(tmp_path, "streets", "old").read("a.json") == [2]


def test_a_broken_answer_was_not_kept(tmp_path):
    """An answer that the disk spoiled is asked for again."""
    kept = AnswerCache(tmp_path, "crimes", "key")
    kept.write("2026-09/0.json", [[1, ["a"]]])
    (kept.folder / "2026-09/0.json").write_text("[[1,", encoding="utf-8")
    assert kept.read("2026-09/0.json") is None
