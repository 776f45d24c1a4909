"""Hotspots that the force designates, beside those that are found: the streets of its polygons.

They come first: a piece of street in a polygon belongs to the force's hotspot, and others are found
on the street that is left, so that no piece counts twice.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.reasons import DesignatedReason, Reason
from patrolplan.inputs.designated import ALL_DAYS
from patrolplan.network import StreetNetwork


def add_designations(
    area: StudyArea, names: Iterable[str], reasons: Sequence[list[Reason]]
) -> list[list[Reason]]:
    """(h,) the reasons of hotspots; first, of those by the force, that it designates them."""
    if area.designated is None:
        return list(reasons)
    places = area.designated.set_index("place_id")
    return [
        [_build_reason(places.loc[name]), *own] if name in places.index else own
        for name, own in zip(names, reasons, strict=True)
    ]


def _build_reason(place: pd.Series) -> DesignatedReason:
    return DesignatedReason(
        name=str(place["name"]),
        days=() if len(place["days"]) == len(ALL_DAYS) else tuple(place["days"]),
        hours=f"{place['from']}-{place['to']}" if place["from"] else "",
    )


def give_empty_some(
    network: StreetNetwork, risk: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(p,) risk, and in stretches without any their metres, so that there is something to watch."""
    amounts = risk.copy()
    for pieces in stretches:
        if not risk[pieces].any():
            amounts[pieces] = network.piece_metres[pieces]
    return amounts
