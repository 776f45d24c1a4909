"""The switch --trial: paired, planned, repaired and analysed, or refused."""

import json
import shutil

import pytest

MONTHS = [f"2025-{month:02}" for month in range(7, 13)] + [f"2026-{n:02}" for n in range(1, 7)]
LATER = ["2026-07", "2026-08", "2026-09"]
WISHES = {"start": "2026-07-01", "end": "2026-09-30", "randomise": "pairs", "apart_metres": 100.0}


@pytest.fixture(scope="module")
def small(copy_demo, tmp_path_factory):
    """The demo borough with a year of crimes and four schools; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), *MONTHS)
    text = settings.read_text(encoding="utf-8")
    text += '\n[schools]\nurns = ["900001", "900002", "900006", "900007"]\n'
    settings.write_text(text, encoding="utf-8")
    return settings


@pytest.fixture(scope="module")
def wishes(small):
    """A file that the lead wrote; the first test that needs pairs has them added."""
    path = small.parent / "trial.json"
    path.write_text(json.dumps(WISHES), encoding="utf-8")
    return path


def test_a_new_trial_needs_a_first_day(run, small, tmp_path):
    """Without a file and without --from there is no trial."""
    code, _, stderr = run("week", "--config", small, "--trial", tmp_path / "none.json")
    assert code == 1
    assert "give --from DAY, the first day of a new trial" in " ".join(stderr.split())


@pytest.mark.slow
def test_a_trial_from_its_pairs_to_its_result(run, small, wishes, demo, tmp_path):
    """Paired, planned, refused before its end, repaired only with its file, and analysed."""
    trial = ["--config", small, "--trial", wishes]
    code, out, _ = run("week", *trial, "--json")
    paired = json.loads(out)
    assert code == 0
    assert json.loads(wishes.read_text(encoding="utf-8")) == paired

    code, out, _ = run("week", *trial, "--from", "2026-07-06", "--out", tmp_path / "week", "--json")
    week = json.loads(out)
    assert code == 0
    assert len(week["trial"]["drawn"]) == 5 * len(paired["hotspots"])
    none = {row["hotspot"] for row in week["trial"]["drawn"] if not row["treated"]}
    assert len(none) == len(paired["hotspots"]) // 2
    assert not none & {stop["hotspot"] for row in week["patrols"] for stop in row["stops"]}

    code, _, stderr = run("week", *trial)
    assert code == 1
    assert "come back with all its months" in " ".join(stderr.split())

    away = ["--replan", "--absent", "SSO-01:2026-07-07", "--out", tmp_path / "week"]
    code, _, stderr = run("week", "--config", small, *away)
    assert code == 1
    assert "name the trial's file with --trial" in " ".join(stderr.split())
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**paired, "seed": paired["seed"] ^ 1}), encoding="utf-8")
    code, _, stderr = run("week", "--config", small, *away, "--trial", other)
    assert code == 1
    assert "the week is part of another trial" in " ".join(stderr.split())
    code, out, _ = run("week", *trial, *away, "--json")
    assert code == 0
    assert json.loads(out)["trial"] == week["trial"]

    for month in LATER:
        shutil.copytree(demo.parent / "crimes" / month, small.parent / "crimes" / month)
    code, out, _ = run("week", *trial, "--json")
    assert code == 0
    assert 0 < json.loads(out)["effect"]["p_value"] <= 1
    assert "95 % interval" in " ".join(run("week", *trial)[1].split())
