"""Intelligence-led patrol planning for Safer Schools Officers.

The spine is a handful of calls; the command line and the notebooks make the same ones::

    import patrolplan as pp

    area = pp.load_area("patrolplan.toml")
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots)
    week = pp.plan_week(area, plan, start=monday)
    pp.write_pack(plan, "out/")  # or a week
"""

import warnings
from typing import Any

import lazy_loader

# Public names are listed in `__init__.pyi` and loaded on first use, so that a command does not wait
# for modules that it never needs.
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

RENAMED = {
    "against": "summarise_doses",
    "brief_of": "build_brief",
    "compared": "compare_doses",
    "handed_out": "build_promised_week",
    "impact_of": "estimate_impact",
}
"""Names of 0.1 -> today's."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is public
    """Load a public name; names of 0.1 still work, with a warning."""
    if name in RENAMED:
        new = RENAMED[name]
        message = f"patrolplan.{name} is called patrolplan.{new} since 0.2"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return _load(new)
    return _load(name)
