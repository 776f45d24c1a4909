"""Intelligence-led patrol planning for Safer Schools Officers.

The spine is a handful of calls; the command line and the notebooks make the same ones::

    import patrolplan as pp

    area = pp.load_area("patrolplan.toml")
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    ways = pp.model_ways(area)
    plan = pp.plan_patrols(area, risk, hotspots, ways)
    week = pp.plan_week(area, plan, start=monday)
    pp.write_pack(plan, "out/")  # or a week
"""

import lazy_loader

# Public names are listed in `__init__.pyi` and loaded on first use, so that a command does not wait
# for modules that it never needs.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
