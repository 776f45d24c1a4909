"""Words and structure of the demo's papers, pages, screens and files are those in `stored`."""

import difflib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RENEW = "if that is meant, run `python tools/store_papers.py` and look at the diff"


@pytest.fixture(scope="module")
def made(tmp_path_factory, demo_week):  # noqa: ARG001 - begins first: compiled for all processes
    """The folder of all texts as this checkout writes them."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext, of poppler-utils, is not installed")
    sys.path.append(str(ROOT / "tools"))
    try:
        script = importlib.import_module("store_papers")
    finally:
        sys.path.remove(str(ROOT / "tools"))
    folder = tmp_path_factory.mktemp("papers")
    script.write_stored(folder)
    return folder


def _read(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in paths}


def test_papers_are_those_that_are_stored(made):
    """Every text equals the stored one, and none is missing or new."""
    new, old = _read(made), _read(ROOT / "tests" / "stored")
    lines = []
    for name in sorted({*new, *old}):
        texts = (texts.get(name, "").splitlines() for texts in (old, new))
        lines += difflib.unified_diff(*texts, f"stored/{name}", f"now/{name}", lineterm="")
    assert not lines, "\n".join([*lines, RENEW])


@pytest.mark.slow
@pytest.mark.usefixtures("made")  # compiles, and skips without poppler
def test_papers_are_the_same_on_another_processor(tmp_path):
    """Where every function of numpy and the products of matrices err in the last digit as well."""
    words = "import sys, pathlib, last_digits; last_digits.let_err(); import store_papers; "
    words += "store_papers.write_stored(pathlib.Path(sys.argv.pop()))"
    here = {"PATROLPLAN_CACHE": str(tmp_path / "cache"), "OPENBLAS_CORETYPE": "Nehalem"}
    here["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tools")])
    command = [sys.executable, "-c", words, tmp_path / "texts"]
    subprocess.run(command, check=True, env=os.environ | here)  # noqa: S603 - our own command
    assert _read(tmp_path / "texts") == _read(ROOT / "tests" / "stored")


@pytest.mark.parametrize(
    ("screen", "lines", "words"),
    [("plan", 25, 250), ("short-notice", 14, 150), ("week", 30, 350), ("check", 30, 250)],
)
def test_a_screen_is_read_at_a_glance(made, screen, lines, words):
    """What a command prints fits on a screen, so that what needs a hand is not overlooked."""
    command, *printed = _read(made)[f"screens/{screen}.txt"].splitlines()
    assert command.startswith("$ patrolplan ")
    assert len(printed) <= lines
    assert len(" ".join(printed).split()) <= words


def test_help_begins_with_what_is_needed_every_day(made):
    """All commands are on one screen, those of every day first."""
    printed = _read(made)["help/patrolplan.txt"].splitlines()
    assert len(printed) <= 45
    panels = [line.strip("╭─╮ ") for line in printed if line.startswith("╭")]
    assert panels == ["Options", "Every day", "More"]
