"""The random teams of the benchmark, for tests."""

import importlib.util
from pathlib import Path

_path = Path(__file__).parents[2] / "benchmarks" / "teams.py"
_spec = importlib.util.spec_from_file_location("teams", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

draw_team = _module.draw_team
