"""The board command: what it refuses before it begins."""

import pytest

from patrolplan.cli import board
from patrolplan.errors import InputError
from patrolplan.provenance import compute_provenance
from patrolplan.settings.load import demo_settings, load_settings
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.secret import find_secret_path


@pytest.fixture
def run(run):
    """Run the board; gives exit code and standard error."""

    def call(*args):
        code, _, err = run("board", *args)
        return code, " ".join(err.split())

    return call


def test_the_demo_of_the_board_writes_into_the_current_folder_alone(tmp_path, monkeypatch):
    """The secret and the ledger are not put beside the demo's files, which may be write-protected.

    They are no part of what a plan is made from, so the plan is that of the demo.
    """
    monkeypatch.chdir(tmp_path)
    opened, shipped = board._load_demo_settings(), load_settings(demo_settings())
    assert find_secret_path(opened) == tmp_path / "patrolplan-demo.secret"
    with open_ledger(opened) as ledger:
        assert str(tmp_path / "patrolplan-demo.sqlite") in ledger.address
    assert compute_provenance(opened, {}) == compute_provenance(shipped, {})


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_without_settings_the_board_is_of_the_demo(run, tmp_path, monkeypatch):
    """A newcomer sees a board; settings that were named and do not exist are an error still."""
    monkeypatch.chdir(tmp_path)
    opened = []

    def stop(*given):
        opened.append(given)
        raise InputError(())

    monkeypatch.setattr(board, "_open_shared_week", stop)
    assert "fictional borough of Eastmere" in run()[1]
    (settings, week, *_) = opened[0]
    assert settings.area.name == "Eastmere (fictional)"
    assert week == board.DEMO_WEEK_FOLDER
    monkeypatch.undo()
    code, errors = run("--config", tmp_path / "mine.toml")
    assert code == 1
    assert "mine.toml: the settings file does not exist" in errors


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
