"""Versions for a report of a fault."""

import platform

import geopandas

import patrolplan as pp
from patrolplan.provenance import list_versions


def test_versions_are_those_that_run():
    """Python and libraries as they are imported, and every needed library among them."""
    told = list_versions()
    assert told["python"] == platform.python_version()
    assert told["geopandas"] == geopandas.__version__
    assert {"typst", "osmium", "scikit-learn"} <= set(told)
    assert "not installed" not in told.values()


def test_they_are_printed_a_line_each(capsys):
    """One line a name."""
    pp.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(list_versions())
