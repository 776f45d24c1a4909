"""A run of `.ci/run` is red where a test skips for a reason that is not on its list."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from skip_list import VARIABLE, read_reasons

LIST = Path(__file__).parents[1] / ".ci" / "skips.txt"

TESTS = """
import pytest
def test_one():
    pytest.skip({reason!r})
def test_two():
    pass
"""


def test_programs_are_not_on_the_list():
    """Nothing that `.ci/run` installs may be absent in silence."""
    reasons = " ".join(read_reasons(LIST)).casefold()
    assert reasons
    for program in ("chromium", "poppler", "postgres", "python_calamine", "h3"):
        assert program not in reasons


@pytest.mark.parametrize(("reason", "processes", "code"), [
    ("/usr/bin/chromium is not installed, so the page cannot be opened", "2", 1),
    ("the real data of central London is not beside this checkout", "0", 0),
])  # fmt: skip
def test_a_run_fails_by_a_skip_alone(tmp_path, reason, processes, code):
    """All tests pass, one is skipped: what matters is why, with one process or several."""
    (tmp_path / "test_it.py").write_text(TESTS.format(reason=reason), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    few = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    few |= {"PYTHONPATH": str(Path(__file__).parent), "PYTEST_PLUGINS": "xdist.plugin,skip_list"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", processes, "."]
    how = {"cwd": tmp_path, "env": {**os.environ, VARIABLE: str(LIST), **few}}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, **how)  # noqa: S603
    assert ran.returncode == code, ran.stdout
    assert ("test_one: Skipped: " + reason in ran.stdout) == bool(code)
