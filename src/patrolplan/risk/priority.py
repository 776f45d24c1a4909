"""Classes of street by their risk per metre, the same on every map, in every list and figure.

A *priority street* is a hotspot, see `patrolplan.hotspots`: a stretch where patrols may stop. These
classes rank all streets, and have words of their own.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from patrolplan.arrays import Floats, Ints


class RiskClass(NamedTuple):
    """Streets of about equal risk per metre."""

    level: int  # 4 for the most; streets of no class have 0
    limit: float  # share of all street length in it and the classes above, at most
    words: str


RISK_CLASSES = (
    RiskClass(4, 0.05, "the 5 % of street with most risk"),
    RiskClass(3, 0.15, "the next 10 %"),
    RiskClass(2, 0.30, "the next 15 %"),
    RiskClass(1, 0.50, "the next 20 %"),
)
OTHER_STREETS = RiskClass(0, 1.0, "other streets")
SHOWN_CLASSES = RISK_CLASSES[:2]  # on maps for officers and leads
EQUAL = 1e-9  # of the highest: risk per metre that differs by less is equal


def classify_streets_by_risk(risk: Floats, metres: Floats) -> Ints:
    """(p,) level of each piece of street, 4 to 0; pieces without risk have 0."""
    density = risk / metres
    order = np.argsort(-density, kind="stable")
    ranked = density[order]
    # Pieces of one catchment have equal risk up to rounding, so they must get the same class: a
    # group of equal pieces gets the position of its end.
    group = np.cumsum(np.r_[False, ranked[:-1] - ranked[1:] > EQUAL * ranked[:1]])
    along = pd.Series(np.cumsum(metres[order])).groupby(group).transform("last").to_numpy()
    position = np.empty(len(ranked))
    position[order] = along / metres.sum()
    limits = [one.limit for one in RISK_CLASSES]
    level = len(limits) - np.searchsorted(limits, position - 1e-12)
    return np.where(density > 0, level, 0).astype(np.int64)
