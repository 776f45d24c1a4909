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

import lazy_loader

# What is public stands in `__init__.pyi` and is loaded when first asked for, so that a command
# does not wait for rooms that it never enters.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
