"""Feared places: the squares within reach of a school's gate where pupils feel least safe.

Their weight is that of pupils' reports in the risk: for the window's time of day, faded with age. A
stop patrols a square if it covers a hotspot whose stopping place is in the square.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.square_names import name_squares
from patrolplan.network.graph import compute_walk_metres
from patrolplan.risk.surface import Risk

FEARED_A_SCHOOL = 5  # number of heaviest squares of each school to patrol in a fortnight


@dataclass(frozen=True)
class FearedPlace:
    """A square with a group of reports that is among the heaviest of some school."""

    name: str  # stable name of the square: P, column and row of the fixed grid
    group: int  # row of the group in `StudyArea.reports`
    streets: tuple[str, ...]  # its longest named streets; empty if none has a name
    weight: float  # share of the pupils' voice, between 0 and 1
    schools: tuple[str, ...]
    """URNs of the schools for which it is one of the heaviest, the nearest first."""
    hotspots: tuple[str, ...]
    """Names of the hotspots with their stopping place in it, in descending order of worth."""
    nearest: tuple[tuple[str, str], ...] = ()
    """URN of a school, and the hotspot in the square that is nearest to its gate; only schools with
    one within reach, the nearest first."""


def find_feared_places(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, urns: Sequence[str] | None = None
) -> tuple[FearedPlace, ...]:
    """The heaviest squares of every school (or of `urns`), the heaviest first, no two alike."""
    # Cached, since every day of a week, and its papers, use the same places.
    chosen = sorted(area.schools["urn"].astype(str) if urns is None else set(urns))
    return area.catchments.reuse(
        "feared places",
        (
            f"{chosen} {area.settings.patrol.radius_metres}",
            *(area.network, area.schools, area.gates, area.reports, risk, hotspots),
        ),
        lambda: _find_feared_places(area, risk, hotspots, chosen),
    )


def _find_feared_places(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, urns: Sequence[str]
) -> tuple[FearedPlace, ...]:
    groups = area.reports
    of_piece, held = groups.group_of_piece, groups.group_of_piece >= 0
    weight = np.bincount(of_piece[held], risk.reports[held], len(groups)).round(12)
    stops = hotspots["stop_piece"].to_numpy(dtype=np.int64)
    schools: dict[int, list[tuple[float, str]]] = {}
    nearest: dict[int, list[tuple[float, str, str]]] = {}
    for row, urn in enumerate(area.schools["urn"].astype(str) if weight.any() else ()):
        if urn not in urns:
            continue
        walk = compute_walk_metres(
            area.network.walkable, area.gates.take([row]), area.settings.patrol.radius_metres
        )
        metres = np.full(len(groups), np.inf)
        np.minimum.at(metres, of_piece[held], walk[: len(held)][held])
        near = np.flatnonzero(np.isfinite(metres) & (weight > 0))
        for group in near[np.lexsort((metres[near], -weight[near]))][:FEARED_A_SCHOOL].tolist():
            schools.setdefault(group, []).append((float(metres[group]), urn))
            of_group = np.flatnonzero((of_piece[stops] == group) & np.isfinite(walk[stops]))
            if len(of_group):
                best = of_group[np.argmin(walk[stops[of_group]])]
                found = (float(walk[stops[best]]), urn, str(hotspots["hotspot"].iloc[best]))
                nearest.setdefault(group, []).append(found)
    chosen = sorted(schools, key=lambda group: (-float(weight[group]), group))
    named = name_squares(area.network, groups.squares[chosen])
    return tuple(
        FearedPlace(
            name=name_place(groups.squares[group]),
            group=group,
            streets=streets,
            weight=float(weight[group]),
            schools=tuple(urn for _, urn in sorted(schools[group])),
            hotspots=tuple(hotspots["hotspot"][of_piece[stops] == group].astype(str)),
            nearest=tuple((urn, name) for _, urn, name in sorted(nearest.get(group, []))),
        )
        for group, streets in zip(chosen, named, strict=True)
    )


def name_place(square: NDArray[np.int64]) -> str:
    """The stable name of a square, such as P2118-727."""
    return f"P{square[1]}-{square[2]}"
