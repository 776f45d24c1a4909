"""The board command: what it refuses before it begins."""

import pytest

from patrolplan.cli import board


@pytest.fixture
def run(run):
    """Run the board; gives exit code and standard error."""

    def call(*args):
        code, _, err = run("board", *args)
        return code, " ".join(err.split())

    return call


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "example.org"])  # noqa: S104 - refused
def test_another_address_is_refused(run, demo, tmp_path, host):
    """Only this computer's own address is listened on, and the message says so."""
    code, errors = run("--config", demo, "--week", tmp_path / "week", "--host", host)
    assert code == 1
    assert "serves this computer only" in errors
    assert host in errors


def test_what_is_missing_is_named(run, demo, tmp_path, monkeypatch):
    """Without the board's libraries the message says what to install."""
    monkeypatch.setattr(board, "find_spec", lambda name: None if name == "fastapi" else name)
    code, errors = run("--config", demo, "--week", tmp_path / "week")
    assert code == 1
    assert "pip install 'patrolplan[board]'" in errors
    assert "fastapi" in errors


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_week_in_the_folder_must_be_the_one_asked_for(run, demo, tmp_path):
    """A file that is no week, or another week, is reported before the work."""
    folder = tmp_path / "week"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"files": {"week.json": ""}}', encoding="utf-8")
    (folder / "week.json").write_text("{", encoding="utf-8")
    code, errors = run("--config", demo, "--week", folder)
    assert code == 1
    assert "is not JSON" in errors


def test_a_wrong_day_is_wrong_usage(run, demo):
    """A day that cannot be read ends with two."""
    code, errors = run("--config", demo, "--from", "soon")
    assert code == 2
    assert "is not a valid date" in errors
