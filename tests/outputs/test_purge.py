"""Purging removes old files that patrolplan wrote; other files stay and are reported."""

import datetime as dt
import json
import os

import pytest
from typer.testing import CliRunner

from patrolplan.cli import app
from patrolplan.errors import OutputError
from patrolplan.inputs.street_files import STREET_ENTRY_FILES
from patrolplan.outputs.output_folder import replace_folder
from patrolplan.outputs.purge import RECORD_FILE, purge

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
AGED = (NOW - dt.timedelta(days=100)).timestamp()
MONTH = dt.timedelta(days=30)


def _age(path):
    for one in (*path.rglob("*"), path):
        os.utime(one, (AGED, AGED), follow_symlinks=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with an old entry, one with a stranger in it, a young one and a user's file."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(folder))
    for name in ("0" * 32, "1" * 32, "2" * 32):
        (folder / f"streets-2-{name}").mkdir(parents=True)
        for file in STREET_ENTRY_FILES:
            (folder / f"streets-2-{name}" / file).write_text("x", encoding="utf-8")
    (folder / f"streets-2-{'1' * 32}" / "thesis.doc").write_text("mine", encoding="utf-8")
    (folder / "streets-of-london").mkdir()
    _age(folder)
    for one in (folder / f"streets-2-{'2' * 32}").iterdir():
        os.utime(one)
    os.utime(folder / f"streets-2-{'2' * 32}", (NOW.timestamp(), NOW.timestamp()))
    return folder


@pytest.fixture
def out(tmp_path):
    """An old output folder in which one file was changed, one added, and a link laid."""
    folder = tmp_path / "out"
    with replace_folder(folder, {}) as part:
        (part / "cards").mkdir()
        for name in ("plan.json", "notes.txt", "cards/1.pdf"):
            (part / name).write_text(name, encoding="utf-8")
    (folder / "notes.txt").write_text("changed", encoding="utf-8")
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "away.txt")
    (tmp_path / "away.txt").write_text("away", encoding="utf-8")
    (tmp_path / ".out.part-abc").mkdir()
    (tmp_path / ".out.part-abc" / "plan.json").write_text("half", encoding="utf-8")
    _age(folder)
    _age(tmp_path / ".out.part-abc")
    return folder


def test_old_entries_of_the_cache_go_and_others_stay(cache):
    """Old entries go; young ones, strange names and entries with strangers in them stay."""
    found = purge(MONTH, now=NOW)
    assert [(one.path[-1], one.removed) for one in found] == [("0", True), ("1", False)]
    assert "thesis.doc" in found[1].why
    left = {path.name for path in cache.iterdir()} - {RECORD_FILE}
    assert left == {f"streets-2-{'1' * 32}", f"streets-2-{'2' * 32}", "streets-of-london"}
    assert len(list((cache / f"streets-2-{'1' * 32}").iterdir())) == 5


@pytest.mark.parametrize(
    ("folder", "what", "old", "young"),
    [
        ("crimes-1", "crime cache", f"{'a' * 32}.parquet", f"{'b' * 32}.parquet"),
        ("trials", "cache of back-tests", f"{'a' * 40}.npy", f"{'b' * 40}.npy"),
        ("arrays", "cache of streets in pieces", f"{'a' * 40}.npz", f"{'b' * 40}.npz"),
        ("rates", "cache of rates", f"{'a' * 40}.npy", f"{'b' * 40}.npy"),
    ],
)
def test_old_files_of_a_cache_go_and_others_stay(cache, folder, what, old, young):
    """Old files of a cache go, interrupted ones too; young and strange ones stay."""
    crimes = cache / folder
    crimes.mkdir()
    for name in (old, young, ".new-x1", "mine.parquet"):
        (crimes / name).touch()
        if name != young:
            os.utime(crimes / name, (AGED, AGED))
    found = purge(MONTH, now=NOW)
    gone = {one.path for one in found if one.what == what}
    assert gone == {str(crimes / name) for name in (old, ".new-x1")}
    assert {path.name for path in crimes.iterdir()} == {young, "mine.parquet"}


@pytest.mark.usefixtures("cache")
def test_what_a_broken_fetch_left_goes_when_it_is_old(tmp_path):
    """An old workspace next to the settings goes; a recent one, which may be in use, stays."""
    for name in ("old", "young"):
        workspace = tmp_path / name / ".fetch"
        workspace.mkdir(parents=True)
        (workspace / "cell.json").write_text("[]", encoding="utf-8")
        (tmp_path / name / "patrolplan.toml").touch()
    _age(tmp_path / "old" / ".fetch")
    for name in ("old", "young"):
        purge(MONTH, home=tmp_path / name, now=NOW)
    assert not (tmp_path / "old" / ".fetch").exists()
    assert (tmp_path / "old" / "patrolplan.toml").exists()
    assert (tmp_path / "young" / ".fetch" / "cell.json").exists()


def test_outputs_go_and_changed_or_strange_files_stay(cache, out, tmp_path):
    """Of an old output folder the files as written go, the rest stays; so do parts of kills."""
    remaining = {
        one.path for one in purge(MONTH, [out], now=NOW) if not one.removed and one.what == "output"
    }
    assert remaining == {str(out / name) for name in ("notes.txt", "mine.txt", "link")}
    assert {path.name for path in out.rglob("*")} == {"notes.txt", "mine.txt", "link"}
    assert (tmp_path / "away.txt").read_text(encoding="utf-8") == "away"
    assert not (tmp_path / ".out.part-abc").exists()
    assert not (tmp_path / ".out.lock").exists()
    lines = (cache / RECORD_FILE).read_text(encoding="utf-8").splitlines()
    recorded = [json.loads(line) for line in lines]
    assert len(recorded) == 1 + 1 + 3
    assert {key for line in recorded for key in line} == {"at", "path", "what", "removed", "why"}
    assert all(line["at"] == "2026-06-01T00:00:00Z" for line in recorded)


def test_an_unchanged_output_goes_whole(cache, tmp_path):
    """An old folder that is still as it was written goes as a whole."""
    folder = tmp_path / "whole"
    with replace_folder(folder, {}) as part:
        (part / "deep" / "er").mkdir(parents=True)
        (part / "deep" / "er" / "a.txt").write_text("a", encoding="utf-8")
    _age(folder)
    purge(MONTH, [folder], now=NOW, record=tmp_path / "log" / "record.jsonl")
    assert not folder.exists()
    assert (tmp_path / "log" / "record.jsonl").is_file()
    assert not (cache / RECORD_FILE).exists()


def test_a_manifest_cannot_name_files_elsewhere(cache, out, tmp_path):
    """A manifest that names files outside its folder, or is spoiled, removes nothing of them."""
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"] |= {"../away.txt": next(iter(manifest["files"].values()))}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    _age(out)
    purge(MONTH, [out], now=NOW)
    assert (tmp_path / "away.txt").is_file()
    assert cache.is_dir()


def test_young_outputs_and_folders_of_others_stay(cache, out, tmp_path):
    """A folder without a manifest, or written recently, stays; a wrong name is an error."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").touch()
    found = purge(dt.timedelta(days=365), [out, other], now=NOW)
    assert [(one.removed, one.why) for one in found] == [(False, "has no manifest of patrolplan")]
    assert len(list(out.rglob("*"))) == 7
    assert cache.is_dir()
    with pytest.raises(OutputError, match="folder not found"):
        purge(MONTH, [tmp_path / "nowhere"], now=NOW)


def test_a_dry_run_removes_nothing(cache, out):
    """With --dry-run the report is the same, and nothing is removed or recorded."""
    before = sorted(path for folder in (cache, out) for path in folder.rglob("*"))
    result = CliRunner().invoke(
        app, ["purge", "--older-than", "1w", "--out", str(out), "--dry-run", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["dry_run"]
    assert sum(one["removed"] for one in found["found"]) > 3
    assert sorted(path for folder in (cache, out) for path in folder.rglob("*")) == before


@pytest.mark.parametrize("age", ["", "soon", "-3d", "1.5d", "9999999d"])
def test_ages_that_are_none_are_wrong_usage(age):
    """An age that cannot be read is wrong usage and says how to write it."""
    result = CliRunner().invoke(app, ["purge", "--older-than", age])
    assert result.exit_code == 2
    assert "90d" in result.output
