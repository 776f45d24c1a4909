"""Plots for analysts: each draws on `axes`, by default of a new figure, and returns them.

Colours suit colour-blind readers and grey prints; titles have the dates of the data.

>>> import patrolplan as pp
>>> sorted(name for name in dir(pp.plot) if name in pp.plot.__all__) == sorted(pp.plot.__all__)
True
"""

from patrolplan.outputs.plot.charts import coverage, doses, impact, months, shares
from patrolplan.outputs.plot.maps import OfflineMap, disagreement, hotspots, risk, route, web_map

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
]
