"""Watched hotspots: those that are new or rising and near a school's gate."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np

from patrolplan.area import StudyArea
from patrolplan.hotspots import OWN
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.network.graph import compute_walk_metres

WATCH_METRES = 600.0
"""New or rising hotspots so near a gate are in the week."""


def find_watched(
    area: StudyArea, hotspots: gpd.GeoDataFrame, urns: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    """The new and rising hotspots within `WATCH_METRES` of a gate (of `urns`).

    Designated ones are not among them, since the force decides how much presence they need. By the
    name of the hotspot, in the order of the table: the walk in metres to its stopping place from
    the gate of each school within the limit, by URN, the nearest first.
    """
    changed = hotspots[hotspots["trend"].isin(CHANGED_TRENDS) & (hotspots["kind"] == OWN)]
    names, pieces = changed["hotspot"].astype(str).tolist(), changed["stop_piece"].to_numpy()
    near: dict[str, list[tuple[float, str]]] = {name: [] for name in names}
    rows = enumerate(area.schools["urn"]) if len(changed) else ()
    for row, urn in rows:
        if urns is None or urn in urns:
            walk = compute_walk_metres(area.network.walkable, area.gates.take([row]), WATCH_METRES)[
                pieces
            ]
            for number in np.flatnonzero(np.isfinite(walk)).tolist():
                near[names[number]].append((float(walk[number]), str(urn)))
    return {
        name: {urn: metres for metres, urn in sorted(schools)}
        for name, schools in near.items()
        if schools
    }
