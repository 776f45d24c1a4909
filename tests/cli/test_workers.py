"""Workers at the command line: the same pack, usage, and Ctrl-C in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import patrolplan

COMMAND = """
import signal
from patrolplan.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
    main()
"""


@pytest.fixture
def begun(tmp_path):
    """Start the demo with two workers in a process of its own."""
    script = tmp_path / "run.py"
    script.write_text(COMMAND, encoding="utf-8")
    room = Path(patrolplan.__file__).parents[1]
    started = []

    def begin(*args):
        run = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(script), *map(str, args)],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": str(room)},
            start_new_session=True,
        )
        started.append(run)
        return run

    yield begin
    for run in started:
        run.kill()
        run.wait()
        run.stderr.close()


def _until(run, words):
    """Read what is printed up to a line with these words."""
    text = ""
    for line in run.stderr:
        text += line
        if words in line:
            return text
    raise AssertionError(text)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of Ctrl-C to a group")
@pytest.mark.parametrize(
    ("words", "wait"),
    [("Planning patrols ...", 1.0), pytest.param("Writing cards", 0.3, marks=pytest.mark.slow)],
)
def test_interrupted_in_the_middle(begun, tmp_path, words, wait):
    """Ctrl-C ends command and workers within moments, with 130, and leaves nothing half written."""
    run = begun("demo", "--workers", "2", "--out", tmp_path / "out")
    _until(run, words)
    time.sleep(wait)
    family = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGINT)  # the terminal sends it to every process of the command
    assert run.wait(20) == 130
    assert "Traceback" not in run.stderr.read()
    psutil.wait_procs(family, timeout=10)
    assert not [one for one in family if one.is_running()]
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]
