"""How a command ends: a sentence for each problem, exit code 1, no data; also when killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from patrolplan import cli
from patrolplan.cli import failures

PRIVATE = "informant at Tidewell Road"
WAITING = """
import tempfile, time
from patrolplan import cli
def wait():
    with tempfile.TemporaryDirectory(prefix="patrolplan-") as folder:
        print(folder, flush=True)
        time.sleep(60)
cli.app = wait
cli.main()
"""
COMMAND = """
import signal
from patrolplan.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
main()
"""


def _fail():
    try:
        {}[PRIVATE]
    except KeyError as error:
        message = f"no {PRIVATE}"
        raise RuntimeError(message) from error


@pytest.mark.parametrize("asked", [False, True])
def test_an_error_in_the_program_is_reported_without_data(monkeypatch, capsys, tmp_path, asked):
    """One sentence with the place in the code, every place in the log; a traceback if asked for."""
    monkeypatch.setattr(cli, "app", _fail)
    monkeypatch.setattr("sys.argv", ["patrolplan", "check", "--json"])
    if asked:
        monkeypatch.setenv("PATROLPLAN_TRACEBACK", "1")
    failures.open_log(tmp_path / "run.log", "check", verbose=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert "an error in patrolplan itself (RuntimeError at cli/test_failures.py:" in printed.err
    assert "every output folder is complete, as it was before or new" in printed.err
    assert json.loads(printed.out)["problems"]
    log = (tmp_path / "run.log").read_text(encoding="utf-8")
    assert "KeyError at cli/test_failures.py:" in log
    for text in (log, printed.out):
        assert PRIVATE not in text
    assert ("Traceback" in printed.err) is asked
    assert (f"RuntimeError: no {PRIVATE}" in printed.err) is asked


@pytest.mark.parametrize(("error", "sentence"), [
    (PermissionError(13, "Permission denied", "streets.osm.gz"), "streets.osm.gz: the system"),
    (OSError(36, "File name too long", "a" * 5000), "a...: the system reports 'File name too"),
    (MemoryError(), "there is not enough memory; close other programs"),
])  # fmt: skip
def test_what_the_system_reports_is_one_short_sentence(error, sentence):
    """An unreadable file, a path that is too long and a lack of memory are said plainly."""
    (line,) = failures.describe_failure(error)
    assert sentence in line
    assert len(line) < 500


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_names_are_printed_whatever_the_encoding_of_the_console(tmp_path, encoding):
    """A Welsh name is printed in UTF-8 to a console or pipe of another encoding."""
    done = subprocess.run(
        [sys.executable, "-m", "patrolplan", "check", "--config", "Tŷ.toml", "--json"],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout.decode("utf-8"))["problems"]
    assert problem["where"].startswith("Tŷ.toml")
    assert "Tŷ.toml: the settings file does not exist" in done.stderr.decode("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_removes_temporary_folders():
    """A command that the system ends tidies up on its way out."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True
    ) as process:
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == failures.TERMINATED_CODE
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_kills_leave_no_secret_on_the_disk(copy_demo, tmp_path):
    """Killed at any moment, planning with workers leaves no password, officer or reason behind."""
    settings = copy_demo(tmp_path / "area", "2026-08", "2026-09")
    planted = "hush-7261"
    with settings.open("a", encoding="utf-8") as stream:
        stream.write(f'\n[ledger]\nurl = "postgresql+pg8000://team:{planted}@host/db"\n')
    for name in ("officers.csv", "tasked_places.csv"):
        table = settings.parent / name
        content = table.read_text(encoding="utf-8")
        content = content.replace("SSO-01", f"SSO-{planted}").replace("robber", f"{planted} robber")
        table.write_text(content, encoding="utf-8")
    temporary = tmp_path / "temporary"
    for number in range(10):
        temporary.mkdir(exist_ok=True)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "patrolplan", "plan", "--workers", "2", "--config",
             str(settings), "--out", str(tmp_path / "out")],
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(1.0 + 0.8 * number)
        process.kill()
        process.wait()
        for path in temporary.rglob("*"):
            assert not path.is_file() or planted.encode() not in path.read_bytes(), path.name


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of Ctrl-C to a group")
@pytest.mark.parametrize(("words", "wait"), [("Planning patrols ...", 1.0), ("Writing cards", 0.3)])
def test_interrupted_in_the_middle(tmp_path, words, wait):
    """Ctrl-C ends command and workers within moments, with 130, and leaves nothing half written."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", COMMAND, "demo", "--workers", "2", "--out", tmp_path / "out"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as run:
        assert any(words in line for line in run.stderr)
        time.sleep(wait)
        family = psutil.Process(run.pid).children(recursive=True)
        os.killpg(run.pid, signal.SIGINT)  # the terminal sends it to every process of the command
        assert run.wait(20) == 130
        assert "Traceback" not in run.stderr.read()
    psutil.wait_procs(family, timeout=10)
    assert not [one for one in family if one.is_running()]
    assert list(tmp_path.iterdir()) == []
