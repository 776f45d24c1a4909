"""Renew tests/stored: text of the demo's papers, screens and help, and the structure of its files.

    python tools/store_papers.py

A change of words shows there as a diff; `tests/test_stored_papers.py` compares. Seed, secret and
dates are fixed; identities and the clock are masked as `same_output.py` does. Empty lines are left
out.
"""

import contextlib
import datetime as dt
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import same_output
import typer

from patrolplan import cli
from patrolplan.area import relations
from patrolplan.cli import console

STORED = same_output.ROOT / "tests" / "stored"
SCREENS = {
    "check": "check",
    "plan": "plan --out out/plan",
    "short-notice": "plan --school 900003 --start 15:40 --minutes 40 --out out/short",
    "brief": "brief --school 900003 --since 2026-06 --out out/brief",
    "backtest": "backtest --first-month 2026-04 --last-month 2026-09 --out out/backtest",
    "governance": "governance --backtest out/backtest --out out/governance",
    "survey": "survey --school 900003 --out out/survey",
    "week": "week --from 2026-11-30 --out out/week",
    "hand-out": "record --week out/week",
    "record": "record --officer SSO-04 --date 2026-11-30 --answers 15,12/3,-",
    "return": "record --return 2026-11",
}
FILES = {
    "papers/card": "plan/cards/900003.pdf",
    "papers/officer": "week/cards/SSO-04.pdf",
    "papers/lead": "week/lead.pdf",
    "papers/tasks": "week/tasks.pdf",
    "papers/school": "week/schools/900003.pdf",
    "papers/poster": "week/posters/900003.pdf",
    "papers/brief": "brief/brief-900003.pdf",
    "papers/survey-form": "survey/form-900003.pdf",
    "papers/survey-leaflet": "survey/leaflet-900003.pdf",
    "papers/model-card": "governance/model-card.md",
    "papers/record": "governance/transparency-record.md",
    "papers/annex": "governance/impact-assessment-annex.md",
    "pages/map": "short/map.html",
    "pages/survey": "survey/survey-900003.html",
    "pages/tally": "survey/tally-900003.html",
    "pages/residents": "governance/for-residents.html",
    "files/plan": "plan/plan.json",
    "files/week": "week/week.json",
}
DAY = dt.date(2026, 11, 30)  # of the desk at which the papers are written
LAST_PAGE = {"papers/officer": 1, "papers/tasks": 2}
"""Papers of which the first pages are enough: the rest repeats them for other people and days."""


def write_stored(folder: Path) -> None:
    """Write all stored texts below a folder, from a copy of the demo borough."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch, "demo")
        shutil.copytree(same_output.DEMO, here, ignore=shutil.ignore_patterns("week.secret"))
        (here / "week.secret").write_bytes(same_output.SECRET)
        (here / "week.secret").chmod(0o600)
        day = mock.patch.object(relations, "find_today", return_value=DAY)
        with contextlib.chdir(here), day:
            for name, line in SCREENS.items():
                _store(folder / "screens" / f"{name}.txt", run_command(line))
        for name, path in FILES.items():
            text = read_file(here / "out" / path, LAST_PAGE.get(name, 99))
            _store(folder / f"{name}.txt", text)
    command = typer.main.get_command(cli.app)
    for name in ["", *command.commands]:
        _store(folder / "help" / f"{name or 'patrolplan'}.txt", run_command(f"{name} --help"))


def run_command(line: str) -> str:
    """What a command prints, 100 letters wide; progress is not part of it."""
    printed, errors = io.StringIO(), io.StringIO()
    arguments, width, columns = sys.argv, console.stdout.width, os.environ.get("COLUMNS")
    try:
        sys.argv = ["patrolplan", *(word.replace(",", " ") for word in line.split())]
        os.environ["COLUMNS"], console.stdout.width = "100", 100
        streams = (contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors))
        with streams[0], streams[1], contextlib.suppress(SystemExit):
            cli.main()
    finally:
        sys.argv, console.stdout.width = arguments, width
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    return f"$ patrolplan {line.strip()}\n{printed.getvalue() or errors.getvalue()}"


def read_file(path: Path, last: int) -> str:
    """Laid-out text of a paper's first pages, words of a page, or the outline of a document."""
    if path.suffix == ".pdf":
        command = ["pdftotext", "-layout", "-l", str(last), path, "-"]
        made = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
        return re.sub(r" {4,}", "    ", made)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        document = json.loads(text)
        outline = sorted({*list_keys(document)})
        return "\n".join([*outline, json.dumps(document["patrols"][2], ensure_ascii=False)])
    return text if path.suffix == ".md" else read_page(text)


def read_page(text: str) -> str:
    """What a page shows before its script runs: one line for each different piece of text."""
    text = re.sub(r"<(script|style|svg|template)\b.*?</\1>|<!--.*?-->", "", text, flags=re.DOTALL)
    pieces = (" ".join(html.unescape(piece).split()) for piece in re.split(r"<[^>]*>", text))
    return "\n".join(dict.fromkeys(pieces))


def list_keys(value: object, place: str = "") -> list[str]:
    """Each key of a document with the type of its values; lists count as one element."""
    if isinstance(value, dict):
        return [line for key in value for line in list_keys(value[key], f"{place}.{key}")]
    if isinstance(value, list):
        return [line for part in value for line in list_keys(part, f"{place}[]")]
    return [f"{place.lstrip('.')}: {type(value).__name__}"]


def _store(path: Path, text: str) -> None:
    text = same_output.mask_text(text).replace(version("patrolplan"), "VERSION")
    text = re.sub(r"(?<=Settings and data )[0-9a-f]{8}", "IDENTITY", text.replace("\f", ""))
    text = re.sub(r"(?<=Software: ).*", "VERSIONS", text)
    lines = (line.rstrip() for line in text.splitlines())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines if line), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("PATROLPLAN_CACHE", tempfile.mkdtemp())
    shutil.rmtree(STORED, ignore_errors=True)
    write_stored(STORED)
