"""What a command does not use is not loaded: heavy libraries come with the work that needs them."""

import os
import subprocess
import sys

import pytest

from patrolplan.settings.load import demo_settings

PROGRAM = """
import contextlib, io, sys
from patrolplan.cli import main
sys.argv = ["patrolplan", *sys.argv[1:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(*sys.modules)
"""

NEVER = {"sklearn", "scipy.stats", "folium", "sqlalchemy", "xlsxwriter", "highspy", "icalendar"}
"""Learning, tests of chance, exploring, ledger, spreadsheets, weeks and calendars."""

UNPLANNED = {*("matplotlib", "PIL", "osmnx", "osmium.osm", "patrolplan.team")}
"""Plots, readers of streets and weeks: a patrol of forty minutes needs none."""

ALSO_UNREAD = UNPLANNED | {"numba", "pyogrio"}
ALSO_UNREAD |= {"scipy.ndimage", "scipy.optimize"}


def _run(*arguments):
    """The modules that a command has loaded at its end."""
    ran = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


@pytest.fixture(scope="module")
def config():
    """The demo's settings."""
    return str(demo_settings())


def test_check_loads_nothing_that_plans_or_draws(config):
    """Once the cache has the streets, reading an area needs no compiler, solver or map."""
    _run("check", "--config", config)
    loaded = _run("check", "--config", config)
    assert "patrolplan.area.load" in loaded
    assert not loaded & (NEVER | ALSO_UNREAD)


@pytest.mark.slow
def test_a_plan_at_short_notice_loads_nothing_that_learns(config, tmp_path):
    """A school is planned without libraries that learn, draw or read streets again."""
    for out in ("first", "second"):
        school = ("--school", "900003", "--start", "15:40", "--minutes", "40")
        loaded = _run("plan", "--config", config, *school, "--out", str(tmp_path / out))
    assert (tmp_path / "second" / "plan.json").is_file()
    assert not loaded & (NEVER | UNPLANNED)


@pytest.mark.slow
def test_a_week_without_a_ledger_loads_nothing_of_databases(config, tmp_path):
    """The demo has no ledger: neither doses before the week nor papers look for one in vain."""
    loaded = _run("week", "--config", config, "--from", "2026-11-16", "--out", str(tmp_path / "w"))
    assert (tmp_path / "w" / "week.json").is_file()
    assert "patrolplan.team.ledger.monthly_return" in loaded
    assert not loaded & {"sqlalchemy", "matplotlib"}
