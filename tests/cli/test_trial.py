"""The switch --trial: sealed, planned, repaired and opened, or refused."""

import json
import shutil

import pytest

MONTHS = [f"2025-{month:02}" for month in range(7, 13)] + [f"2026-{n:02}" for n in range(1, 7)]
LATER = ["2026-07", "2026-08", "2026-09"]
WISHES = {
    "start": "2026-07-01",
    "end": "2026-09-30",
    "randomise": "pairs",
    "effect": 0.9,
    "power": 0.1,
    "apart_metres": 100.0,
}


@pytest.fixture(scope="module")
def small(copy_demo, tmp_path_factory):
    """The demo borough with a year of crimes and four schools; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), *MONTHS)
    text = settings.read_text(encoding="utf-8")
    text += '\n[schools]\nurns = ["900001", "900002", "900006", "900007"]\n'
    text += "\n[patrol]\nvariants = 2\n"
    settings.write_text(text, encoding="utf-8")
    return settings


@pytest.fixture(scope="module")
def wishes(small):
    """A file that the lead wrote; sealed by the first test that needs it."""
    path = small.parent / "trial.json"
    path.write_text(json.dumps(WISHES), encoding="utf-8")
    return path


def test_a_new_trial_needs_a_first_day(run, small, tmp_path):
    """Without a file and without --from there is nothing to seal."""
    code, _, stderr = run("week", "--config", small, "--trial", tmp_path / "none.json")
    assert code == 1
    assert "give --from DAY, the first day of a new trial" in " ".join(stderr.split())


def test_a_trial_with_too_few_hotspots_is_refused(run, small, tmp_path):
    """The message says how many would do, and no file is left."""
    path = tmp_path / "trial.json"
    code, out, stderr = run("week", "--config", small, "--trial", path, "--from", "2026-07-01")
    message = " ".join(stderr.split())
    assert code == 1
    assert out == ""
    assert "would find an effect of 20 % in" in message
    assert "it would take about" in message
    assert not path.exists()


@pytest.mark.slow
def test_a_trial_from_seal_to_page(run, small, wishes, demo, tmp_path):
    """Sealed, planned, refused before its end, repaired only with its file, and opened."""
    code, out, _ = run("week", "--config", small, "--trial", wishes, "--json")
    sealed = json.loads(out)
    assert code == 0
    assert sealed["power"] >= WISHES["power"]
    content = json.loads(wishes.read_text(encoding="utf-8"))
    assert content["sealed"]["commitment"] == sealed["commitment"]

    options = ["--config", small, "--trial", wishes, "--from", "2026-07-06"]
    code, out, _ = run("week", *options, "--out", tmp_path / "week", "--json")
    week = json.loads(out)
    assert code == 0
    assert week["trial"]["commitment"] == sealed["commitment"]
    assert len(week["trial"]["drawn"]) == 5 * sealed["hotspots"]
    none = {row["hotspot"] for row in week["trial"]["drawn"] if not row["treated"]}
    assert not none & {stop["hotspot"] for row in week["patrols"] for stop in row["stops"]}

    code, _, stderr = run("week", "--config", small, "--trial", wishes)
    assert code == 1
    assert "its key stays sealed until then" in " ".join(stderr.split())

    away = ["--replan", "--absent", "SSO-01:2026-07-07", "--out", tmp_path / "week"]
    code, _, stderr = run("week", "--config", small, *away)
    assert code == 1
    assert "name the trial's file with --trial" in " ".join(stderr.split())
    code, out, _ = run("week", "--config", small, *away, "--trial", wishes, "--json")
    assert code == 0
    assert json.loads(out)["trial"] == week["trial"]

    for month in LATER:
        shutil.copytree(demo.parent / "crimes" / month, small.parent / "crimes" / month)
    code, out, _ = run(
        "week", "--config", small, "--trial", wishes, "--out", tmp_path / "result", "--json"
    )
    assert code == 0
    assert json.loads(out)["commitment"] == sealed["commitment"]
    assert {path.name for path in (tmp_path / "result").iterdir()} == {
        *("trial.pdf", "trial.md", "trial.json", "manifest.json")
    }
