"""Which factor carries a hotspot: recorded crime, pupils' reports, or the way home of many."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from patrolplan.hotspots.clusters import sum_by_stretch
from patrolplan.risk.surface import Risk

Carrier = Literal["recorded", "feared", "way"]
"""Recorded crime, pupils' reports, or pupils on their way home."""

WAY_FACTOR = 2.0
"""Where pupils' presence multiplies the risk of recorded crime by this, the way home carries it."""


def find_carriers(risk: Risk, stretches: list[NDArray[np.int64]]) -> NDArray[np.object_]:
    """(h,) the factor that each stretch has most of its joined risk from.

    "feared" where pupils' reports have a larger part of it than recorded crime. Else "way" where
    recorded crime counts at least `WAY_FACTOR` times as much as it would if pupils' presence did
    not count: without pupils there the stretch would have half of that risk or less. Else
    "recorded".
    """
    joined, feared = (sum_by_stretch(one, stretches) for one in (risk.joined, risk.reports_part))
    plain = risk.crime_weight * sum_by_stretch(risk.crime, stretches)
    recorded = joined - feared
    is_way = (recorded >= WAY_FACTOR * plain) & (recorded > 0)
    by_crime = np.where(is_way, "way", "recorded")
    return np.where(feared > recorded, "feared", by_crime).astype(object)
