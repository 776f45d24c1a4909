"""The command line as a newcomer meets it: usage, settings, a log; what ends before the work."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from patrolplan.cli import board
from patrolplan.errors import InputError
from patrolplan.provenance import compute_provenance
from patrolplan.settings.load import demo_settings, load_settings
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.secret import find_secret_path

WRONG_DAYS = ("0001-01-01", "9999-12-31", "1677-01-01", "20261130", "2026-W48-1", "2026-13-01")
MANY = "9" * 5000
DAY = "2026-12-01"
SURVEY_OPTIONS = (
    *("", "--out x.csv", "--school 900003", "--read a.json", "--read --out x.csv"),
    *("a.json --out x.csv", "--school 900003 --read a.json --out x.csv"),
    *("--school 900003 a.json --out x", "--school 900003 --out x --delete-files"),
    *("--read a.json --out x", "--read a.json --out x.xlsx"),
)


def test_help_does_not_import_what_it_does_not_need():
    """Help and wrong usage come at once: the tables' libraries are imported by the work alone."""
    program = "import sys; from patrolplan import cli; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "pandas", "geopandas", "shapely", "sqlalchemy"} & {*done.stdout.split()}


def test_the_version_is_printed(run):
    """As a support desk asks for it first."""
    assert run("--version") == (0, f"patrolplan {version('patrolplan')}\n", "")


@pytest.mark.parametrize(
    ("args", "what"),
    [("plan --nope", "No such option: --nope"), ("brief", "Missing option '--school'"),
     ("plan --minutes x", "'--minutes': 'x' is not"), ("record", "give one of --week"),
     ("record --officer SSO-01", "give --officer and --date"),
     ("record --return 2026-12 --week x", "give one of"),
     ("record --week x --out y", "can only be given with --return"),
     ("record --week x --with SSO-01", "goes with --officer"), ("week", "give --from DATE"),
     (f"week --trial t --absent SSO-01:{DAY}", "leave --absent out"),
     (f"week --audit --from {DAY}", "--audit looks at the week in --week"),
     ("week --replan", "--replan needs --absent"),
     ("week --replan --absent SSO-01", "is not OFFICER:DATE"),
     (f"week --replan --absent SSO-01:{DAY} --from {DAY}", "leave --from out"),
     ("schema", "Missing argument '[plan|"), ("plann", "No such command 'plann'")],
)  # fmt: skip
def test_every_wrong_usage_is_json(run, args, what):
    """The command, what is wrong with which option, and where to look; exit code 2."""
    code, out, err = run(*args.split(), "--json")
    command = err.partition("Usage: ")[2].partition(" [")[0]
    (problem,) = json.loads(out)["problems"]
    assert code == 2
    assert command.endswith(problem["where"])
    assert what in problem["what"]
    assert problem["remedy"] == f"`{problem['where']} --help` says how it is used"


@pytest.mark.parametrize(
    "args",
    [
        *(("plan", "--minutes", wrong) for wrong in ("nan", "inf", "-inf", "1e9", "0", "-5")),
        *(("plan", "--start", wrong) for wrong in ("9:5", "15", "15:15:30", "24:00")),
        *(("plan", "--date", wrong) for wrong in (*WRONG_DAYS, "soon")),
        ("plan", "--way", "car"),
        ("fetch", "--only", "weather"),
        *(("plan", "--workers", wrong) for wrong in ("0", "1025", MANY)),
        ("demo", "--workers", "0"),
        ("plan", "--workers", "2", "--cluster", "tcp://127.0.0.1:1"),
        *(("week", "--from", wrong) for wrong in ("9999-12-31", "soon")),
        ("week", "--replan", "--absent", "SSO-01:9999-12-31"),
        ("week", "--from", "2026-11-30", "--out", "w", "--date", "0001-01-01"),
        ("board", "--from", "1677-01-01"),
        ("board", "--port", "65536"),
        *(("brief", "--school", "900001", "--since", wrong) for wrong in (*WRONG_DAYS, "9999-12")),
        ("backtest", "--first-month", "0001-01", "--last-month", "2026-09"),
        ("backtest", "--first-month", "2026-01", "--last-month", "9999-12"),
        *(("record", "--officer", "SSO-01", "--date", day) for day in ("2026-13-01", "1 May")),
        *(("survey", *options.split()) for options in SURVEY_OPTIONS),
        *(("record", "--return", wrong) for wrong in ("0001-01", "9999-12", "2026-13", "2026")),
        *(("purge", "--older-than", wrong) for wrong in ("nan", "1e9d", "-3d", MANY)),
        *(("fetch", "--months", wrong) for wrong in ("0", "241", "nan", MANY)),
    ],
    ids=lambda args: " ".join(args)[:60],
)
def test_a_value_beyond_all_sense_is_wrong_usage(run, demo, tmp_path, monkeypatch, args):
    """Before any work, with what to write instead."""
    monkeypatch.chdir(tmp_path)
    config = () if args[0] == "demo" else ("--config", demo)
    code, out, err = run(*args, *config)
    assert (code, out) == (2, "")
    assert "Error" in err
    assert list(tmp_path.iterdir()) == []


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
    code, out, _ = run("init", "--json")
    assert (code, json.loads(out)) == (0, {"written": "patrolplan.toml", "secret": "week.secret"})
    assert {path.name for path in here.iterdir()} == {"patrolplan.toml", "week.secret"}
    assert "other.toml" in run("check")[2]


def test_the_log_says_what_was_read_and_how_long_it_took(run, copy_demo, tmp_path):
    """Files, counts as they may be shown, stages and the end; no value of an option or a report."""
    settings, log = copy_demo(tmp_path, "2026-08", "2026-09"), tmp_path / "run.log"
    code, out, err = run("-v", "--log", log, "check", "--json", "--config", settings)
    assert code == 0
    json.loads(out)
    text = log.read_text(encoding="utf-8")
    ended, crimes = "ended with code 0 after", "read crimes: crimes/2026-09"
    for wanted in ("check --log --json", "Reading: ", "reports: 620 rows", crimes, ended):
        assert wanted in text
    assert crimes in err
    assert err.count("Reading: ") == 1
    report = (settings.parent / "reports.csv").read_text(encoding="utf-8").splitlines()[1]
    assert report.split(",")[0] not in text
    code, _, err = run("--log", log, "week", "--replan", "--absent", "SSO-01:2026-99-99")
    more = log.read_text(encoding="utf-8").removeprefix(text)
    for wanted in ("week --log --replan --absent", "wrong usage: ", "ended with code 2"):
        assert wanted in more
    assert "2026-99-99" in err
    assert "2026-99-99" not in more
    code, _, err = run("--log", tmp_path / "no" / "folder" / "x.log", "check")
    assert (code, "name another file with --log" in err) == (1, True)


@pytest.mark.parametrize(("args", "what"), [
    (("plan", "--school", "lanthorn"), "choose from: 900001 (Lanthorn Hill School)"),
    (("week", "--from", "2026-12-24"), "every school is closed (Thursday 24 December"),
    (("plan", "--window", "early"), "there is no window 'early'"),
])  # fmt: skip
def test_what_cannot_be_planned_ends_before_the_work(run, copy_demo, tmp_path, args, what):
    """A school or window that is not there, or a week outside term, costs no minute."""
    settings = copy_demo(tmp_path, "2026-09")
    code, _, err = run(*args, "--config", settings, "--out", tmp_path / "out")
    assert code == 1
    assert what in err
    assert "Estimating" not in err


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_without_settings_the_board_is_of_the_demo(run, tmp_path, monkeypatch):
    """Secret, ledger and week are put here; settings that were named must exist still."""
    monkeypatch.chdir(tmp_path)
    opened = []

    def stop(*given):
        opened.append(given)
        raise InputError(())

    monkeypatch.setattr(board, "_open_shared_week", stop)
    assert "fictional borough of Eastmere" in run("board")[2]
    (settings, week, *_), shipped = opened[0], load_settings(demo_settings())
    assert compute_provenance(settings, {}) == compute_provenance(shipped, {})
    assert find_secret_path(settings) == tmp_path / "patrolplan-demo.secret"
    with open_ledger(settings) as ledger:
        assert str(tmp_path / "patrolplan-demo.sqlite") in ledger.address
    assert week == board.DEMO_WEEK_FOLDER
    monkeypatch.undo()
    code, _, errors = run("board", "--config", tmp_path / "mine.toml")
    assert code == 1
    assert "mine.toml: the settings file does not exist" in errors


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_boards_week_must_be_one(run, demo, tmp_path):
    """A file that is no week is reported before the work."""
    folder = tmp_path / "week"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"files": {"week.json": ""}}', encoding="utf-8")
    (folder / "week.json").write_text("{", encoding="utf-8")
    code, _, errors = run("board", "--config", demo, "--week", folder)
    assert code == 1
    assert "is not JSON" in errors
