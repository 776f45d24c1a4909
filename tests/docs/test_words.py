"""Code, papers and documentation say things in plain words, not in words of the project's own."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CHECKED = ("src", "docs", "notebooks", "benchmarks/*.md", "*.md", "data/README.md")
"""Files and folders that are checked."""

SUFFIXES = {".py", ".md", ".js", ".j2", ".typ", ".css", ".html", ".ipynb"}

WORDS = ("told", "said", "asked", "kept", "mend", "anew", "whoever", "beside")
"""Words with a meaning of the project's own; write "reports", "stored", "correct", "again"."""

PHRASES = (
    "is no time of day",
    "is no number",
    "is no stop",
    "is no URN",
    "no such key",
    "mend or remove",
    "of which none",
    "as it is told",
    "that are there",
    "stands twice",
    "stand twice",
    "is not told",
    "lets go of",
    "gives way to",
    "in the same hand",
    "whole or not at all",
)
"""Phrases that readers stumbled over; `docs/glossary.md` has the words to use."""

REFUSED = re.compile(
    "|".join((rf"\b(?:{'|'.join(WORDS)})\b", *(re.escape(phrase) for phrase in PHRASES))),
    re.IGNORECASE,
)

ALLOWED = {
    ("src/patrolplan/cli/data.py", '"kept": fetched.existing'),
    ("src/patrolplan/cli/data.py", 'else "kept"'),
    ("CHANGELOG.md", "lost who asked"),
    ("CHANGELOG.md", "still asked how"),
    ("src/patrolplan/outputs/output_folder.py", 'manifest.get("asked")'),
    ("src/patrolplan/outputs/document_forms.py", 'alias="asked"'),
    ("src/patrolplan/outputs/pack.py", '{"asked": dict(request)}'),
    ("src/patrolplan/outputs/week/poster.typ", "You told us."),
    ("src/patrolplan/outputs/week/school.typ", "You said, we were there"),
    ("src/patrolplan/outputs/webmap/map.css", "#said {"),
    ("src/patrolplan/outputs/webmap/map.html.j2", 'id="said"'),
    ("src/patrolplan/outputs/webmap/map.js", 'one("#said")'),
    ("src/patrolplan/outputs/webmap/map.js", 'pane("beside"'),
    ("src/patrolplan/outputs/webmap/map.js", 'pane: "beside"'),
}
"""Path and part of a line where a word has its ordinary meaning, or is a name in a file."""

WRITTEN_AT_BUILD = (
    "docs/notebooks",
    "docs/reference/changes.md",
    "docs/reference/classes",
    "docs/reference/documents.md",
)
"""Copies of what is checked where it is written, and names in files."""

MAX_ALLOWED = 40


def _list_files():
    for pattern in CHECKED:
        for path in ROOT.glob(pattern):
            files = path.rglob("*") if path.is_dir() else [path]
            yield from (file for file in files if file.suffix in SUFFIXES and not _is_written(file))


def _is_written(path):
    return path.relative_to(ROOT).as_posix().startswith(WRITTEN_AT_BUILD)


def _is_allowed(path, line):
    name = path.relative_to(ROOT).as_posix()
    return any(name == where and part in line for where, part in ALLOWED)


def _find_refused(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {match[0]!r} in {line.strip()[:80]!r}"
        for number, line in enumerate(lines, start=1)
        for match in REFUSED.finditer(line)
        if not _is_allowed(path, line)
    ]


def test_no_refused_word_is_used():
    """No checked file has a refused word or phrase outside the lines that are allowed."""
    found = [line for path in sorted(set(_list_files())) for line in _find_refused(path)]
    assert not found, "write these in plain words:\n" + "\n".join(found)


def test_allowed_lines_exist_and_are_few():
    """The list of exceptions stays short, and every exception is still needed."""
    assert len(ALLOWED) <= MAX_ALLOWED
    lines = Counter()
    for name, part in ALLOWED:
        text = (ROOT / name).read_text(encoding="utf-8")
        lines[name, part] = sum(
            part in line and bool(REFUSED.search(line)) for line in text.splitlines()
        )
    assert [key for key in ALLOWED if not lines[key]] == []


@pytest.mark.parametrize("text", ["The row is told.", "'25:00' IS NO TIME OF DAY", "mend it"])
def test_refused_words_are_recognised(text):
    """A refused word is found in any case, as a whole word."""
    assert REFUSED.search(text)
    assert not REFUSED.search("a saidless, besides amended keptness")
