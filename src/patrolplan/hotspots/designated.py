"""Hotspots that the force designates, next to those that are found: the streets of its polygons.

Street in a polygon belongs to the force's hotspot, and others are found on the remaining street. A
hexagon of ten football pitches may have two kilometres of street, so the worth of a dwell there is
that of the stretch of most risk in it that can be walked in a dwell; presence anywhere counts.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.clusters import find_best_stretch
from patrolplan.hotspots.reasons import DesignatedReason, Reason
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.network import StreetNetwork


def add_designations(
    area: StudyArea, names: Iterable[str], reasons: Sequence[list[Reason]]
) -> list[list[Reason]]:
    """(h,) the reasons of hotspots; for those of the force, that it designates them comes first."""
    if area.designated is None:
        return list(reasons)
    of_force = {
        str(place["place_id"]): DesignatedReason(
            place_id=str(place["place_id"]),
            name=str(place["name"]),
            days=() if len(place["days"]) == len(ALL_DAYS) else tuple(place["days"]),
            hours=f"{place['from']}-{place['to']}" if place["from"] else "",
        )
        for place in area.designated.to_dict("records")
    }
    rows = zip(names, reasons, strict=True)
    return [[of_force[name], *own] if name in of_force else own for name, own in rows]


def cut_to_walk(
    area: StudyArea, amounts: NDArray[np.float64], polygons: Sequence[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """The connected pieces of most risk (p,) in each polygon, walked up and down in a dwell."""
    patrol = area.settings.patrol
    max_length = patrol.dwell_minutes * patrol.walking_speed_kmh * 1000 / 60 / 2
    return [find_best_stretch(area.network, amounts, pieces, max_length) for pieces in polygons]


def give_empty_some(
    network: StreetNetwork, risk: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(p,) risk, and in stretches without any their metres, so that there is something to watch."""
    amounts = risk.copy()
    for pieces in stretches:
        if not risk[pieces].any():
            amounts[pieces] = network.piece_metres[pieces]
    return amounts
