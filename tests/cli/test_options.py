"""Options that every command has, and values that none of them may end on with a traceback."""

import json
from importlib.metadata import version

import pytest

FAR = ("0001-01-01", "9999-12-31", "1677-01-01", "20261130", "2026-W48-1", "2026-13-01", "soon")
MANY = "9" * 5000


@pytest.mark.parametrize(
    "args",
    [
        *(("plan", "--minutes", wrong) for wrong in ("nan", "inf", "-inf", "1e9", "0", "-5", "x")),
        *(("plan", "--start", wrong) for wrong in ("9:5", "15", "15:15:30", "24:00")),
        *(("plan", "--date", wrong) for wrong in FAR),
        ("plan", "--way", "car"),
        ("fetch", "--only", "weather"),
        *(("plan", "--workers", wrong) for wrong in ("0", "1025", MANY)),
        *(("demo", "--workers", wrong) for wrong in ("0", "1025")),
        ("plan", "--workers", "2", "--cluster", "tcp://127.0.0.1:1"),
        *(("week", "--from", wrong) for wrong in FAR),
        ("week", "--replan", "--absent", "SSO-01:9999-12-31"),
        ("week", "--from", "2026-11-30", "--out", "w", "--date", "0001-01-01"),
        *(("board", "--from", wrong) for wrong in FAR),
        ("board", "--port", "65536"),
        *(("brief", "--school", "900001", "--since", wrong) for wrong in (*FAR, "9999-12")),
        ("backtest", "--first-month", "0001-01", "--last-month", "2026-09"),
        ("backtest", "--first-month", "2026-01", "--last-month", "9999-12"),
        ("backtest", "--first-month", "2026", "--last-month", "2026-09"),
        *(("record", "--officer", "SSO-01", "--date", wrong) for wrong in FAR),
        *(("record", "--return", wrong) for wrong in ("0001-01", "9999-12", "2026-13", "2026")),
        *(("purge", "--older-than", wrong) for wrong in ("nan", "1e9d", "-3d", MANY)),
        *(("fetch", "--months", wrong) for wrong in ("0", "241", "nan", MANY)),
    ],
    ids=lambda args: " ".join(args)[:60],
)  # fmt: skip
def test_a_value_beyond_all_sense_is_wrong_usage(run, demo, tmp_path, monkeypatch, args):
    """Before any work, with what to write instead."""
    monkeypatch.chdir(tmp_path)
    config = () if args[0] == "demo" else ("--config", demo)
    code, out, err = run(*args, *config)
    assert (code, out) == (2, "")
    assert "Error" in err
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_printed(run):
    """As a support desk asks for it first."""
    assert run("--version") == (0, f"patrolplan {version('patrolplan')}\n", "")


def test_init_reports_what_it_wrote(run, tmp_path):
    """The settings and the secret, as one JSON object."""
    code, out, _ = run("init", "--config", tmp_path / "own.toml", "--json")
    assert code == 0
    written = {"written": tmp_path / "own.toml", "secret": tmp_path / "week.secret"}
    assert json.loads(out) == {name: str(path) for name, path in written.items()}


def test_a_window_is_checked_before_the_work(run, demo, tmp_path):
    """A window that the settings do not have is reported before anything is read."""
    code, _, err = run("plan", "--config", demo, "--out", tmp_path / "o", "--window", "early")
    assert code == 1
    assert "there is no window 'early'" in err
    assert "Reading" not in err
