"""Teams to choose a week for: the random ones of the benchmark, and small ones by hand."""

import importlib.util
from pathlib import Path

import numpy as np

from patrolplan.team.problem import RotaProblem

_path = Path(__file__).parents[2] / "benchmarks" / "teams.py"
_spec = importlib.util.spec_from_file_location("teams", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

draw_team = _module.draw_team


def build_team(options, route_school, visits, weight, **changes):
    """A problem of options (officer, day, route), schools of routes and stops (route, hotspot).

    Nothing is locked or dosed before; every stop takes 15 minutes, officers have up to
    five patrols, and the days follow each other, unless changed.
    """
    officer, day, route = np.array(options).T
    fields = {
        "lock": np.full(len(options), -1),
        "route_number": np.ones(len(route_school), dtype=np.int64),
        "visit_minutes": np.full(len(visits), 15.0),
        "dosed_before": np.zeros(len(weight), dtype=np.int64),
        "run_before": np.zeros(len(weight), dtype=np.int64),
        "max_patrols": np.full(1 + int(officer.max()), 5),
        "dates": 739_000 + np.arange(1 + int(day.max())),
        "schools": 1 + int(np.max(route_school)),
    }
    fields |= {"officer": officer, "day": day, "route": route, "weight": np.array(weight)}
    fields |= {"route_school": np.array(route_school), "visits": np.array(visits)}
    return RotaProblem(**(fields | changes))
