"""What several files say of the project is the same in each."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HASH = re.compile(r"[0-9a-f]{40}")


def _read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_who_cites_names_the_version_that_is_built():
    """CITATION.cff and pyproject.toml agree."""
    version = tomllib.loads(_read("pyproject.toml"))["project"]["version"]
    assert re.search(r"^version: (.+)$", _read("CITATION.cff"), re.MULTILINE)[1] == version


def test_actions_are_pinned_by_their_commit():
    """A name that can be moved to another commit is not trusted with the checkout."""
    used = re.findall(r"uses: \S+@(\S+)", _read(".github/workflows/checks.yml"))
    assert used
    assert all(HASH.fullmatch(commit) for commit in used)
