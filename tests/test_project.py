"""What files say of the project agrees; what runs loads and prints no more than it needs."""

import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import geopandas
import numpy as np
import pytest
from scipy import sparse

import patrolplan as pp
from patrolplan.provenance import list_versions
from patrolplan.team.mip import MixedIntegerProgramme

ROOT = Path(__file__).parents[1]
HASH = re.compile(r"[0-9a-f]{40}")


def _read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_who_cites_names_the_version_that_is_built():
    """CITATION.cff and pyproject.toml agree."""
    version = tomllib.loads(_read("pyproject.toml"))["project"]["version"]
    assert re.search(r"^version: (.+)$", _read("CITATION.cff"), re.MULTILINE)[1] == version
    assert pp.__version__.count(".") == 2


def test_actions_are_pinned_by_their_commit():
    """A name that can be moved to another commit is not trusted with the checkout."""
    used = re.findall(r"uses: \S+@(\S+)", _read(".github/workflows/checks.yml"))
    assert used
    assert all(HASH.fullmatch(commit) for commit in used)


def test_versions_are_those_that_run(capsys):
    """Of Python and of imported libraries, including every required one; printed a line each."""
    versions = list_versions()
    assert versions["python"] == platform.python_version()
    assert versions["geopandas"] == geopandas.__version__
    assert {"typst", "osmium", "scikit-learn"} <= set(versions)
    assert "not installed" not in versions.values()
    pp.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(list_versions())


def test_every_requirement_is_explained():
    """What is required, and what for, stands in the guide as in the declaration."""
    text = _read("pyproject.toml").partition("[project.opt")[0]
    guide = _read("docs/how-to/install.md")
    wanted = dict(re.findall(r'^  "([\w-]+).*?", # (.+)$', text, re.MULTILINE))
    assert len(wanted) == len(tomllib.loads(text)["project"]["dependencies"])
    assert all(f"| `{name}` | {what} |" in guide for name, what in wanted.items())


PROGRAM = """
import contextlib, io, sys
from patrolplan.cli import main
sys.argv = ["patrolplan", *sys.argv[1:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(*sys.modules)
"""

NEVER = {"sklearn", "scipy.stats", "folium", "sqlalchemy", "highspy", "icalendar"}
"""Learning, tests of chance, exploring, ledger, weeks and calendars."""

UNPLANNED = {*("matplotlib", "PIL", "osmnx", "osmium.osm", "patrolplan.team")}
"""Plots, readers of streets and weeks: a patrol of forty minutes needs none."""

ALSO_UNREAD = UNPLANNED | {"numba", "pyogrio", "scipy.ndimage", "scipy.optimize"}


def _run(*arguments):
    """The modules that a command has loaded at its end."""
    program = [sys.executable, "-c", PROGRAM, *arguments]
    return set(subprocess.check_output(program, text=True).split())  # noqa: S603 - ourselves


@pytest.mark.usefixtures("demo_area")
def test_check_loads_nothing_that_plans_or_draws(demo):
    """Once the cache has the streets, reading an area needs no compiler, solver or map."""
    loaded = _run("check", "--config", str(demo))
    assert "patrolplan.area.load" in loaded
    assert not loaded & (NEVER | ALSO_UNREAD)


@pytest.mark.slow
def test_a_plan_at_short_notice_loads_nothing_that_learns(demo, tmp_path):
    """A school is planned without libraries that learn, draw or read streets again."""
    for out in ("first", "second"):
        school = ("--school", "900003", "--start", "15:40", "--minutes", "40")
        loaded = _run("plan", "--config", str(demo), *school, "--out", str(tmp_path / out))
    assert (tmp_path / "second" / "plan.json").is_file()
    assert not loaded & (NEVER | UNPLANNED)


def test_solving_prints_nothing_to_standard_output(capfd):
    """Any call of HiGHS is silent."""
    rng = np.random.default_rng(0)
    objective = rng.uniform(1, 9, 60)
    matrix = sparse.csr_array(rng.integers(0, 9, (20, 60)).astype(np.float64))
    bounds = {"lower": np.zeros(60), "upper": np.ones(60), "is_integer": np.ones(60, dtype=bool)}
    bounds |= {"row_lower": np.full(20, -np.inf), "row_upper": np.full(20, 40.0)}
    programme = MixedIntegerProgramme(objective=objective, matrix=matrix, **bounds)
    for answer in (
        programme.solve(gap=1e-6, nodes=1, start=np.zeros(60)),
        programme.solve(gap=1e-6, nodes=100, seconds=20.0),
        programme.solve_relaxation(),
    ):
        assert answer.bound > 0
    assert capfd.readouterr().out == ""
