"""Squares where pupils feel least safe: the heaviest groups of reports near each school's gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.area.square_names import format_grid_reference, name_squares
from patrolplan.arrays import Floats, Ints
from patrolplan.crs import locate_in_squares
from patrolplan.text import join_words

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Planner

FEARED_A_SCHOOL = 5  # number of heaviest squares of each school to patrol in a fortnight


class NearSquare(NamedTuple):
    """One of the heaviest squares near a school."""

    group: int  # row of the group in `StudyArea.reports`
    metres: float  # walked from the gate
    hotspot: str  # the one in it that is nearest to the gate; empty where none is within reach
    hotspot_metres: float


@dataclass(frozen=True)
class FearedPlace:
    """A square with a group of reports that is among the heaviest of some school."""

    name: str  # stable name of the square: P, column and row of the fixed grid
    group: int  # row of the group in `StudyArea.reports`
    streets: tuple[str, ...]  # its longest named streets; empty if none has a name
    weight: float  # share of the pupils' voice, between 0 and 1
    schools: tuple[str, ...]  # URNs of those for which it is one of the heaviest, nearest first
    hotspots: tuple[str, ...]  # those with their stopping place in it, most worth first
    nearest: tuple[tuple[str, str], ...] = ()
    """URN of a school, and the hotspot in the square that is nearest to its gate; only schools with
    one within reach, the nearest first."""


def weigh_groups(planner: "Planner") -> Floats:
    """(g,) share of the pupils' voice that each group of reports has."""
    group_of_piece = planner.area.reports.group_of_piece
    has_group = group_of_piece >= 0
    voice = planner.risk.reports[has_group]
    groups = len(planner.area.reports)
    return np.asarray(np.bincount(group_of_piece[has_group], voice, groups).round(12))


def find_near_squares(planner: "Planner", row: int) -> list[NearSquare]:
    """The heaviest squares within the radius of a school's gate, the heaviest first."""
    weight = weigh_groups(planner)
    if not weight.any():
        return []
    area, hotspots = planner.area, planner.hotspots
    group_of_piece = area.reports.group_of_piece
    has_group = group_of_piece >= 0
    radius_metres = area.settings.patrol.radius_metres
    walk = planner.get_streets(row).spread_walks(len(area.network.walkable), radius_metres)
    metres = np.full(len(area.reports), np.inf)
    np.minimum.at(metres, group_of_piece[has_group], walk[: len(has_group)][has_group])
    near = np.flatnonzero(np.isfinite(metres) & (weight > 0))
    heaviest = near[np.lexsort((metres[near], -weight[near]))][:FEARED_A_SCHOOL]
    stops = hotspots["stop_piece"].to_numpy(dtype=np.int64)
    squares = []
    for group in heaviest.tolist():
        inside = np.flatnonzero((group_of_piece[stops] == group) & np.isfinite(walk[stops]))
        name, away = "", np.inf
        if len(inside):
            nearest = inside[np.argmin(walk[stops[inside]])]
            name, away = planner.hotspot_names[nearest], float(walk[stops[nearest]])
        squares.append(NearSquare(group, float(metres[group]), name, away))
    return squares


def find_feared_places(
    planner: "Planner", urns: Sequence[str] | None = None
) -> tuple[FearedPlace, ...]:
    """The heaviest squares of every school (or of `urns`), the heaviest first, no two alike."""
    area, hotspots = planner.area, planner.hotspots
    schools: dict[int, list[tuple[float, str]]] = {}
    nearest: dict[int, list[tuple[float, str, str]]] = {}
    for row, urn in enumerate(area.schools["urn"].astype(str)):
        if urns is not None and urn not in urns:
            continue
        for square in planner.find_near_squares(row):
            schools.setdefault(square.group, []).append((square.metres, urn))
            if square.hotspot:
                found = (square.hotspot_metres, urn, square.hotspot)
                nearest.setdefault(square.group, []).append(found)
    weight = weigh_groups(planner)
    chosen = sorted(schools, key=lambda group: (-float(weight[group]), group))
    squares = area.reports.squares
    streets = name_squares(area.network, squares[chosen])
    stop_group = area.reports.group_of_piece[hotspots["stop_piece"].to_numpy(dtype=np.int64)]
    return tuple(
        FearedPlace(
            name=name_place(squares[group]),
            group=group,
            streets=names,
            weight=float(weight[group]),
            schools=tuple(urn for _, urn in sorted(schools[group])),
            hotspots=tuple(hotspots["hotspot"][stop_group == group].astype(str)),
            nearest=tuple((urn, name) for _, urn, name in sorted(nearest.get(group, []))),
        )
        for group, names in zip(chosen, streets, strict=True)
    )


def name_place(square: Ints) -> str:
    """The stable name of a square, such as P2118-727."""
    return f"P{square[1]}-{square[2]}"


def name_feared_places(area: StudyArea) -> dict[str, str]:
    """Where each square with a group of reports is, in words, by `FearedPlace.name`."""
    squares, crs = area.reports.squares, area.settings.area.crs
    centres = locate_in_squares(squares, 0.5, 0.5, crs).tolist()
    named = zip(squares, name_squares(area.network, squares), centres, strict=True)
    names = {}
    for square, streets, (x, y) in named:
        where = join_words(streets) or format_grid_reference(x, y, crs=crs)
        names[name_place(square)] = f"around {where}"
    return names
