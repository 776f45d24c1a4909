"""Intelligence-led patrol planning for Safer Schools Officers.

The spine is a handful of calls; the command line and the notebooks make the same ones::

    import patrolplan as pp

    area = pp.load_area("patrolplan.toml")
    pupils = pp.model_pupils(area)
    risk = pp.estimate_risk(area, pupils)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots)
    week = pp.plan_week(area, plan, start=monday)
    pp.write_pack(plan, "out/")  # or a week
"""

import ast
from pathlib import Path

# Public names are listed in `__init__.pyi` and loaded on first use, so that a command does not wait
# for modules that it never needs.
_LINES = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
_ROOMS = {name.name: line.module for line in _LINES for name in line.names}
__all__ = sorted(_ROOMS)  # noqa: PLE0605 - the names of the stub


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        message = f"module 'patrolplan' has no attribute {name!r}"
        raise AttributeError(message)
    # As `from room import name` does, which finds modules of a room as well
    return getattr(__import__(f"patrolplan.{_ROOMS[name]}", fromlist=[name]), name)


def __dir__() -> list[str]:
    return __all__
