"""Tasked places: the purpose of those to visit, and walks that keep away from barred ones."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.area import StudyArea
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.names import describe_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.patrols.plan import BarredPlace, Tasking
from patrolplan.patrols.stop_windows import format_hours
from patrolplan.patrols.surroundings import HELD_SCHOOLS, Surroundings, find_tasked_places

MIN_WALK_METRES_TO_BARRED = 60.0
"""Minimum distance of walked streets from a barred place."""


def select_tasked(places: gpd.GeoDataFrame, *, must_visit: bool) -> gpd.GeoDataFrame:
    """Tasked places to visit, or the barred ones."""
    return places[places["must_visit"] == must_visit]


@dataclass(frozen=True, eq=False)
class SchoolPlaces:
    """The tasked places that affect a school's patrols, and the streets at barred ones."""

    around: Surroundings
    places: gpd.GeoDataFrame

    @cached_property
    def must_visit(self) -> gpd.GeoDataFrame:
        """The places to visit."""
        return select_tasked(self.places, must_visit=True)

    @cached_property
    def barred(self) -> gpd.GeoDataFrame:
        """The places to keep away from."""
        return select_tasked(self.places, must_visit=False)

    @cached_property
    def closed_streets(self) -> NDArray[np.bool_]:
        """(n, q) which streets are at each barred place, and so not walked along."""
        return find_near(self.around.network.piece_lines, self.barred, MIN_WALK_METRES_TO_BARRED)

    @cached_property
    def keep_away(self) -> tuple[BarredPlace, ...]:
        """The barred places that a patrol could come near."""
        return list_barred_places(self.around, self.barred)


def find_school_places(
    area: StudyArea,
    row: int,
    around: Surroundings,
    date: dt.date | None,
    visit: Sequence[str] | None,
) -> SchoolPlaces:
    """The tasked places of a school on a day; of those to visit only the given ones.

    They do not depend on risk and are cached.
    """

    def find() -> SchoolPlaces:
        near_metres = around.extent_metres + MIN_WALK_METRES_TO_BARRED
        tasked = find_tasked_places(area, row, date, near_metres, around.hours)
        wanted = ~tasked["must_visit"] | tasked["place_id"].isin(visit or ())
        return SchoolPlaces(around, tasked[wanted & (visit is not None)].reset_index(drop=True))

    given = (f"{date} {visit}", around, area.tasked_places)
    return area.catchments.reuse("school places", given, find, hold=HELD_SCHOOLS)


def build_tasking(place: pd.Series) -> Tasking:
    """The tasking in a row of the tasked places."""
    return Tasking(
        place_id=str(place["place_id"]),
        reason=str(place["reason"]),
        by=str(place["by"]),
        until=place["to"].date(),
        hours=format_hours(place),
    )


def find_walks(
    around: Surroundings, stops: Positions, tasked: SchoolPlaces
) -> tuple[WalkFinder, NDArray[np.int64]]:
    """Walks between gate, stops and base that avoid barred places, and which ones they cannot.

    The streets at a barred place stay open if the gate or the base itself is that near: the officer
    has to get there. If barred places would disconnect gate and base, as many as possible stay
    closed, those far from the gate first.
    """
    bases = () if around.base is None else (around.base.position,)
    places = concatenate_positions(around.gate, stops, *bases)
    ends = [0, len(places) - 1] if bases else [0]
    near, barred = tasked.closed_streets, tasked.barred
    open_effort = np.ones((near.shape[1], 2)) if around.effort is None else around.effort

    def close(rows: NDArray[np.int64]) -> tuple[WalkFinder, bool]:
        """Walks without the streets at some barred places, and whether gate and base connect."""
        closed = np.asarray(near[rows].any(axis=0))
        effort = around.effort
        if closed.any():
            effort = np.where(closed[:, None], np.inf, open_effort)
        walks = around.find_walks(places, effort)
        return walks, bool(np.isfinite(walks.metres[np.ix_(ends, ends)]).all())

    on_streets = np.flatnonzero(near.any(axis=1))
    at_ends = near[np.ix_(on_streets, places.piece[ends])].any(axis=1)
    closed = on_streets[~at_ends]
    walks, joined = close(closed)
    if not joined:
        gate = shapely.points(around.network.xy(around.gate)[0])
        order = np.argsort(-barred.geometry.iloc[closed].distance(gate).to_numpy())
        wanted, closed = closed[order], closed[:0]
        for row in wanted:
            more = np.append(closed, row)
            closed = more if close(more)[1] else closed
        walks, _ = close(closed)
    return walks, np.setdiff1d(on_streets, closed)


def find_near(lines: ArrayLike, places: gpd.GeoDataFrame, metres: float) -> NDArray[np.bool_]:
    """(n, q) which of q lines are within this distance of each of n places."""
    near = shapely.distance(np.asarray(places.geometry.values)[:, None], np.asarray(lines))
    return np.asarray(near <= metres)


def list_barred_places(around: Surroundings, barred: gpd.GeoDataFrame) -> tuple[BarredPlace, ...]:
    """The barred places that a patrol of this school could come near."""
    network, xy = around.network, shapely.get_coordinates(barred.geometry.values)
    metres = np.hypot(*(xy - network.xy(around.gate)).T)
    near = metres <= around.extent_metres + MIN_WALK_METRES_TO_BARRED
    barred, xy = barred[near], xy[near]
    places = describe_positions(network, network.snap(xy)) if len(barred) else []
    return tuple(
        BarredPlace(place=place, tasking=build_tasking(row), point=(float(x), float(y)))
        for (_, row), place, (x, y) in zip(barred.iterrows(), places, xy, strict=True)
    )
