"""Pupils' ways are shown only for a reason, which is recorded, and `purge` removes them."""

import datetime as dt
import json
import os

import geopandas as gpd
import pytest

from patrolplan.outputs.facts import LEAST_MARKING
from patrolplan.outputs.output_folder import read_manifest
from patrolplan.outputs.purge import purge
from patrolplan.outputs.ways_layer import RECORD_FILE, WAYS_FILE, list_shown_folders
from patrolplan.pupils.flows import model_ways

REASON = "Check of the crossing at Market Place for the school"


@pytest.fixture
def config(copy_demo, tmp_path):
    """The demo with two months of crime, in a folder of its own."""
    return copy_demo(tmp_path / "demo", "2025-08", "2025-09")


@pytest.mark.parametrize("reason", [(), ("--reason", " "), ("--reason", "because")])
def test_without_a_reason_nothing_is_shown(run, config, tmp_path, reason):
    """The command ends with a message, and writes neither a layer nor a record."""
    out = tmp_path / "ways"
    code, _, text = run("ways", "--config", config, "--show", "--out", out, *reason)
    assert code == 1
    assert "only for a written reason" in text
    assert not out.exists()
    assert not (config.parent / RECORD_FILE).exists()


def test_a_reason_without_show_is_wrong_usage(run, demo):
    """It would be lost, so the message names the missing option."""
    code, _, text = run("ways", "--config", demo, "--reason", REASON)
    assert code == 2
    assert "--show" in text


def test_the_layer_is_marked_recorded_and_purged(run, config, tmp_path, monkeypatch, demo_area):
    """It holds the flow under a marking; the record says who, why and where; purge removes it."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "ways"
    show = ("ways", "--config", config, "--show", "--out", out, "--reason", REASON)
    code, text, _ = run(*show)
    assert code == 0
    assert LEAST_MARKING in text
    everyone = gpd.read_file(out / WAYS_FILE, layer="ways")
    each = gpd.read_file(out / WAYS_FILE, layer="ways_by_school")
    expected = model_ways(demo_area)
    assert everyone["pupils"].sum() == pytest.approx(
        sum(school.flow.sum() for school in expected.schools)
    )
    assert set(everyone) == {"pupils", "marking", "reason", "geometry"}  # not who walks alone
    assert set(each["urn"]) == set(demo_area.schools["urn"])
    assert set(everyone["marking"]) == set(each["marking"]) == {LEAST_MARKING}
    assert set(each["reason"]) == {REASON}
    assert read_manifest(out)["marking"] == LEAST_MARKING
    assert run(*show)[0] == 0
    lines = (config.parent / RECORD_FILE).read_text(encoding="utf-8").splitlines()
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
    assert (config.parent / RECORD_FILE).exists()
    assert not [one for one in purge(week, home=config.parent) if "ways" in one.path]


def test_a_record_that_cannot_be_written_shows_nothing(run, config, tmp_path):
    """Without a trace of who sees them, ways are not written."""
    (config.parent / RECORD_FILE).mkdir()
    out = tmp_path / "ways"
    code, _, text = run("ways", "--config", config, "--show", "--out", out, "--reason", REASON)
    assert code == 1
    assert "cannot be written" in text
    assert not out.exists()
