"""The command line as a newcomer meets it: help by person, one word one meaning, a log."""

import json
import subprocess
import sys

import pytest


def test_help_does_not_import_what_it_does_not_need():
    """Help and wrong usage come at once: the tables' libraries are imported by the work alone."""
    program = "import sys; from patrolplan import cli; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "pandas", "geopandas", "shapely", "sqlalchemy"} & {*done.stdout.split()}


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["plan", "--nope"], "No such option: --nope"),
        (["brief"], "Missing option '--school'"),
        (["plan", "--minutes", "x"], "'--minutes': 'x' is not"),
        (["record"], "give one of --week"),
        (["schema"], "Missing argument '[plan|"),
    ],
)
def test_every_wrong_usage_is_json(run, args, what):
    """The command, what is wrong with which option, and where to look; exit code 2."""
    code, out, err = run(*args, "--json")
    command = err.partition("Usage: ")[2].partition(" [")[0]
    (problem,) = json.loads(out)["problems"]
    assert code == 2
    assert command.endswith(problem["where"])
    assert what in problem["what"]
    assert problem["remedy"] == f"`{problem['where']} --help` says how it is used"


def test_an_unknown_command_is_wrong_usage(run):
    """It is said to be none."""
    code, out, _ = run("plann", "--json")
    assert (code, "No such command 'plann'" in out) == (2, True)


def test_the_help_is_one_screen(run):
    """All commands in at most 45 lines."""
    code, out, _ = run("--help")
    assert (code, len(out.splitlines()) <= 45) == (0, True)


def test_settings_are_found_upwards(run, tmp_path, monkeypatch):
    """In the nearest folder above; a file that is named is not looked for elsewhere."""
    here = tmp_path / "a" / "b"
    here.mkdir(parents=True)
    (tmp_path / "patrolplan.toml").write_text("sead = 1\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("sead = 1\n", encoding="utf-8")
    monkeypatch.chdir(here)
    _, _, err = run("check")
    assert f"Settings: {tmp_path / 'patrolplan.toml'}" in err
    assert "did you mean 'seed'?" in err
    _, _, err = run("check", "--config", "patrolplan.toml")
    assert "patrolplan.toml: the settings file does not exist" in err
    monkeypatch.setenv("PATROLPLAN_CONFIG", str(tmp_path / "other.toml"))
    assert f"{tmp_path / 'other.toml'}, key 'sead'" in run("check")[2]
    assert run("init", "--json")[0] == 0
    assert (here / "patrolplan.toml").exists()
    assert "other.toml" in run("check")[2]


def test_the_log_says_what_was_read_and_how_long_it_took(run, copy_demo, tmp_path):
    """Files, counts as they may be shown, stages and the end; no value of an option or a report."""
    settings, log = copy_demo(tmp_path, "2026-08", "2026-09"), tmp_path / "run.log"
    code, out, err = run("-v", "--log", log, "check", "--json", "--config", settings)
    assert code == 0
    json.loads(out)
    text = log.read_text(encoding="utf-8")
    for wanted in (
        "check --log --json",
        "Reading: ",
        "reports: 620 rows",
        "ended with code 0 after",
    ):
        assert wanted in text
    assert "read crimes: crimes/2026-09" in text
    assert "read crimes: crimes/2026-09" in err
    assert err.count("Reading: ") == 1
    report = (settings.parent / "reports.csv").read_text(encoding="utf-8").splitlines()[1]
    assert report.split(",")[0] not in text
    code, _, err = run("--log", log, "week", "--replan", "--absent", "SSO-01:2026-99-99")
    more = log.read_text(encoding="utf-8").removeprefix(text)
    assert "week --log --replan --absent" in more
    assert "wrong usage: " in more
    assert "ended with code 2" in more
    assert "2026-99-99" in err
    assert "2026-99-99" not in more
    code, _, err = run("--log", tmp_path / "no" / "folder" / "x.log", "check")
    assert (code, "name another file with --log" in err) == (1, True)


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (("plan", "--school", "lanthorn"), "choose from: 900001 (Lanthorn Hill School)"),
        (("week", "--from", "2026-12-24"), "every school is closed (Thursday 24 December"),
    ],
)
def test_what_cannot_be_planned_ends_before_the_work(run, copy_demo, tmp_path, args, what):
    """A school that is not there, or a week outside term, costs no minute."""
    settings = copy_demo(tmp_path, "2026-08", "2026-09")
    code, _, err = run(*args, "--config", settings, "--out", tmp_path / "out")
    assert code == 1
    assert what in err
    assert "Estimating" not in err
