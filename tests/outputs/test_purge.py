"""Purging removes old files that patrolplan wrote, pupils' ways among them, and no other file."""

import datetime as dt
import json
import os
import tempfile
from pathlib import Path

import geopandas as gpd
import pytest

from patrolplan.atomic import hash_file
from patrolplan.errors import OutputError
from patrolplan.outputs.output_folder import read_manifest, replace_folder, write_files, write_json
from patrolplan.outputs.purge import RECORD_FILE, purge
from patrolplan.outputs.ways_layer import RECORD_FILE as SHOWN_FILE, WAYS_FILE, list_shown_folders
from patrolplan.patrols.marking import LEAST_MARKING
from patrolplan.pupils.model import model_pupils

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
AGED = (NOW - dt.timedelta(days=100)).timestamp()
MONTH = dt.timedelta(days=30)
STRANGE = ("streets-of-london", "streets/thesis.doc")
REASON = "Check of the crossing at Market Place for the school"


def _age(path):
    for one in (*path.rglob("*"), path):
        os.utime(one, (AGED, AGED), follow_symlinks=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with old entries, an interrupted one, a stranger's, a young one, a user's folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (folder / "streets-of-london").mkdir(parents=True)
    names = [*(f"streets/{one * 40}.entry" for one in "02"), "streets/.new-x1", STRANGE[1]]
    names += [f"{store}/{'1' * 40}.entry" for store in ("crimes", "arrays")]
    write_files(folder, dict.fromkeys(names, b"x"))
    _age(folder)
    os.utime(folder / "streets" / f"{'2' * 40}.entry", (NOW.timestamp(), NOW.timestamp()))
    return folder


@pytest.fixture
def out(tmp_path):
    """An old output folder in which one file was changed, one added, and a link laid."""
    folder = tmp_path / "out"
    with replace_folder(folder, {}) as part:
        write_files(part, dict.fromkeys(("plan.json", "map.html", "cards/1.pdf"), b"x"))
    write_files(folder, {"map.html": b"changed", "mine.txt": b"mine"})
    (folder / "link").symlink_to(tmp_path / "away.txt")
    write_files(tmp_path, {"away.txt": b"away", ".out.part-abc/plan.json": b"half"})
    _age(folder)
    _age(tmp_path / ".out.part-abc")
    return folder


def test_outputs_go_and_changed_or_strange_files_stay(cache, out, tmp_path):
    """Files as written go, and parts of kills; what is strange stays, in folders and caches."""
    found = purge(MONTH, [out], now=NOW)
    remaining = {one.path for one in found if not one.removed and one.what == "output"}
    assert remaining == {str(out / name) for name in ("map.html", "mine.txt", "link")}
    assert {path.name for path in out.rglob("*")} == {"map.html", "mine.txt", "link"}
    assert {path.name for path in tmp_path.iterdir()} == {"away.txt", "cache", "out"}
    kinds = {one.what for one in found if one.path.startswith(str(cache))}
    assert kinds == {"street cache", "crime cache", "cache of streets in pieces"}
    left = {path.relative_to(cache).as_posix() for path in cache.rglob("*")} - {RECORD_FILE}
    assert left == {*STRANGE, "streets", f"streets/{'2' * 40}.entry"}
    lines = (cache / RECORD_FILE).read_text(encoding="utf-8").splitlines()
    recorded = [json.loads(line) for line in lines]
    assert len(recorded) == 4 + 1 + 3
    assert {key for line in recorded for key in line} == {"at", "path", "what", "removed", "why"}
    assert all(line["at"] == "2026-06-01T00:00:00Z" for line in recorded)


@pytest.mark.usefixtures("cache")
def test_temporary_files_of_killed_commands_go(tmp_path):
    """Old folders and reports of ours in the temporary folder go; links and all others stay."""
    temporary = tmp_path / "temporary"
    names = ("patrolplan-abc/map-0.pdf", "patrolplan-error-1.txt", "other.txt")
    write_files(temporary, dict.fromkeys(names, b"x"))
    (temporary / "patrolplan-link").symlink_to(tmp_path)
    _age(temporary)
    (temporary / "patrolplan-young").mkdir()
    entries = purge(MONTH, now=NOW, record=tmp_path / "record.jsonl")
    removed = {Path(entry.path).name for entry in entries if entry.what == "temporary file"}
    assert removed == {"patrolplan-abc", "patrolplan-error-1.txt"}
    left = {path.name for path in temporary.iterdir()}
    assert left == {"other.txt", "patrolplan-link", "patrolplan-young"}
    young = (NOW.timestamp() - 60,) * 2
    os.utime(temporary / "patrolplan-young", young)
    assert not purge(dt.timedelta(), now=NOW, record=tmp_path / "record.jsonl")


def test_a_manifest_cannot_name_files_elsewhere(cache, out, tmp_path):
    """A manifest that names files outside its folder, or is spoiled, removes nothing of them."""
    manifest = read_manifest(out)
    manifest["files"]["../away.txt"] = hash_file(tmp_path / "away.txt")
    write_json(out / "manifest.json", manifest)
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
    why = "holds no manifest.json of patrolplan, which did not write it"
    assert [(one.removed, one.why) for one in found] == [(False, why)]
    assert len(list(out.rglob("*"))) == 7
    assert cache.is_dir()
    with pytest.raises(OutputError, match="folder not found"):
        purge(MONTH, [tmp_path / "nowhere"], now=NOW)


def test_a_dry_run_removes_nothing(run, cache, out):
    """With --dry-run the report is the same, and nothing is removed or recorded."""
    before = sorted(path for folder in (cache, out) for path in folder.rglob("*"))
    code, said, _ = run("purge", "--older-than", "1w", "--folder", out, "--dry-run", "--json")
    assert code == 0
    found = json.loads(said)
    assert found["dry_run"]
    assert sum(one["removed"] for one in found["found"]) > 3
    assert sorted(path for folder in (cache, out) for path in folder.rglob("*")) == before


@pytest.fixture
def config(copy_demo, tmp_path):
    """The demo with two months of crime, in a folder of its own."""
    return copy_demo(tmp_path / "demo", "2025-08", "2025-09")


def test_nothing_is_shown_without_a_reason_on_record(run, config, tmp_path):
    """The command ends with a message and writes nothing; a reason for nothing is wrong usage."""
    show = ("ways", "--config", config, "--show", "--out", tmp_path / "ways")
    for reason in ((), ("--reason", " "), ("--reason", "because")):
        code, _, text = run(*show, *reason)
        assert code == 1
        assert "only for a written reason" in text
    code, _, text = run("ways", "--config", config, "--reason", REASON)
    assert code == 2
    assert "--show" in text
    (config.parent / SHOWN_FILE).mkdir()  # there was none
    code, _, text = run(*show, "--reason", REASON)
    assert code == 1
    assert "cannot be written" in text
    assert not (tmp_path / "ways").exists()


def test_the_layer_is_marked_recorded_and_purged(run, config, tmp_path, demo_area):
    """It holds the flow under a marking; the record says who, why and where; purge removes it."""
    out = tmp_path / "ways"
    show = ("ways", "--config", config, "--show", "--out", out, "--reason", REASON)
    code, text, _ = run(*show)
    assert code == 0
    assert LEAST_MARKING in text
    everyone = gpd.read_file(out / WAYS_FILE, layer="ways")
    each = gpd.read_file(out / WAYS_FILE, layer="ways_by_school")
    expected = model_pupils(demo_area)
    flow = sum(school.flow.sum() for school in expected.schools)
    assert everyone["pupils"].sum() == pytest.approx(flow)
    assert set(everyone) == {"pupils", "marking", "reason", "geometry"}  # not who walks alone
    assert set(each["urn"]) == set(demo_area.schools["urn"])
    assert set(everyone["marking"]) == set(each["marking"]) == {LEAST_MARKING}
    assert (set(each["reason"]), read_manifest(out)["marking"]) == ({REASON}, LEAST_MARKING)
    assert run(*show)[0] == 0
    lines = (config.parent / SHOWN_FILE).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["reason"] for record in records] == [REASON, REASON]
    assert records[0]["written_to"] == str(out.resolve())
    assert records[0]["by"]
    assert list_shown_folders(config.parent) == [out.resolve()]
    week = dt.timedelta(days=7)
    assert not [one for one in purge(week, home=config.parent) if "ways" in one.path]
    aged = (dt.datetime.now(dt.UTC) - 2 * week).timestamp()
    for path in out.iterdir():
        os.utime(path, (aged, aged))
    removed = [one for one in purge(week, home=config.parent) if one.removed]
    assert str(out.resolve() / WAYS_FILE) in [one.path for one in removed]
    assert not out.exists()
    assert (config.parent / SHOWN_FILE).exists()
    assert not [one for one in purge(week, home=config.parent) if "ways" in one.path]
