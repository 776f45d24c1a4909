"""What files say of the project agrees, and versions are those that run."""

import platform
import re
import tomllib
from pathlib import Path

import geopandas

import patrolplan as pp
from patrolplan.provenance import list_versions

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


def test_versions_are_those_that_run():
    """Versions of Python and of imported libraries, including every required one."""
    versions = list_versions()
    assert versions["python"] == platform.python_version()
    assert versions["geopandas"] == geopandas.__version__
    assert {"typst", "osmium", "scikit-learn"} <= set(versions)
    assert "not installed" not in versions.values()


def test_they_are_printed_a_line_each(capsys):
    """One line a name."""
    pp.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(list_versions())
