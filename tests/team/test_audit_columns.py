"""Columns for audit reach neither risk nor patrols: not by type, and not at run time."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import PoissonRegressor

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.inputs.table_reader import Field, match_columns
from patrolplan.risk.own_model import wrap_estimator

ROOT = Path(__file__).parents[2]
TABLE = pd.DataFrame({"area": ["north", "south"], "decile": [1, 9], "ethnicity": ["a", "b"]})

SNIPPET = """\
import patrolplan as pp
from patrolplan.patrols.plan import Plan
from patrolplan.risk.surface import Risk

def use(area: pp.StudyArea, risk: Risk, audit: pp.AuditColumns, plan: Plan) -> None:
    pp.measure_burden(area, plan, audit=audit)
    pp.estimate_risk(audit)
    pp.estimate_risk(area, model=audit)
    pp.build_area(crimes=audit)
    pp.build_area(areas=audit)
    pp.find_hotspots(area, audit)
    pp.plan_patrols(area, audit, None)
    pp.backtest_risk(audit)
"""


@pytest.fixture
def audit():
    """Two columns for audit."""
    return pp.AuditColumns(TABLE)


class _Carrier(PoissonRegressor):
    """A model that brings a table of its own along."""

    def __init__(self, extra=None, *, alpha=1.0):
        super().__init__(alpha=alpha)
        self.extra = extra


def test_offered_at_run_time_they_are_refused_by_name(audit):
    """Risk, models of one's own, areas and patrols name the column that they refuse."""
    both = "column 'decile' is for audit only.*column 'ethnicity' is for audit only"
    area = SimpleNamespace(incidents=pd.DataFrame({"audit_only_decile": [1]}))
    frame = audit.to_frame().reset_index()
    wide = pd.DataFrame({"Month": ["2024-05"], "area": ["north"]}).merge(frame, on="area")
    offers = [
        (pp.estimate_risk, (audit,), {}, both),
        (pp.estimate_risk, (area,), {}, "decile"),
        (pp.estimate_risk, (SimpleNamespace(),), {"model": audit}, both),
        (pp.build_area, (), {"crimes": audit}, both),
        (pp.build_area, (), {"crimes": wide}, both),
        (pp.build_area, (), {"schools": [TABLE, frame]}, both),
        (pp.plan_patrols, (None, None, gpd.GeoDataFrame(frame)), {}, both),
        (pp.snap_hotspots, (None, gpd.GeoDataFrame(frame)), {}, both),
        (wrap_estimator, ("mine", audit, 1), {}, both),
        (wrap_estimator, ("mine", _Carrier(frame), 1), {}, both),
        (wrap_estimator, ("mine", _Carrier({"more": [audit]}), 1), {}, both),
        (wrap_estimator, ("mine", _Carrier(frame["audit_only_decile"]), 1), {}, "decile"),
        (wrap_estimator, ("mine", _Carrier(pd.DataFrame({"IMDDecile": [1]})), 1), {}, "IMDDecile"),
    ]
    for call, arguments, options, match in offers:
        with pytest.raises(InputError, match=f"(?s){match}"):
            call(*arguments, **options)
    assert callable(wrap_estimator("mine", _Carrier(pd.DataFrame({"rain": [1]})), 1))


def test_they_are_no_table(audit):
    """Nothing that takes tables or arrays gets at the values."""
    for take in (np.asarray, pd.DataFrame, list, pd.Series):
        with pytest.raises((InputError, TypeError, ValueError)):
            np.asarray(take(audit), dtype=float)
    assert not hasattr(audit, "columns")
    assert repr(audit) == "<AuditColumns: decile, ethnicity; 2 areas>"


def test_a_file_that_maps_them_is_refused():
    """A mapping of settings cannot read a sensitive column as something else."""
    fields = [Field("roll"), Field("urn", required=True)]
    header = ["urn", "PercentageFSM", "audit_only_decile"]
    assert match_columns("s.csv", header, fields, {}, "schools") == {"urn": "urn"}
    for theirs in header[1:]:
        with pytest.raises(InputError, match=rf"s.csv: column '{theirs}' is for audit only"):
            match_columns("s.csv", header, fields, {"roll": theirs}, "schools")


@pytest.mark.slow
def test_they_fail_by_type(tmp_path):
    """A type checker refuses every line that offers them to risk or patrols, and no other."""
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml"]
    command += ["--cache-dir", tmp_path / "cache", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    lines = {
        int(row.split(":")[1])
        for row in done.stdout.splitlines()
        if "snippet.py:" in row and "error" in row
    }
    first = SNIPPET.splitlines().index("    pp.estimate_risk(audit)") + 1
    assert lines == set(range(first, len(SNIPPET.splitlines()) + 1)), done.stdout
