"""Plots for analysts: each draws on matplotlib axes and gives them back.

Colours hold for colour-blind readers and in grey; titles carry the dates of the data.

>>> import patrolplan as pp
>>> sorted(name for name in dir(pp.plot) if name in pp.plot.__all__) == sorted(pp.plot.__all__)
True
"""

from patrolplan.outputs.plot.curves import coverage
from patrolplan.outputs.plot.curves import months
from patrolplan.outputs.plot.curves import what_if
from patrolplan.outputs.plot.offline import OfflineMap
from patrolplan.outputs.plot.offline import web_map
from patrolplan.outputs.plot.streets import disagreement
from patrolplan.outputs.plot.streets import hotspots
from patrolplan.outputs.plot.streets import risk
from patrolplan.outputs.plot.streets import route
from patrolplan.outputs.plot.weeks import doses
from patrolplan.outputs.plot.weeks import impact
from patrolplan.outputs.plot.weeks import shares

__all__ = [
    "OfflineMap",
    "coverage",
    "disagreement",
    "doses",
    "hotspots",
    "impact",
    "months",
    "risk",
    "route",
    "shares",
    "web_map",
    "what_if",
]
