"""The clock: how a category's crime spreads over kinds of day and half-hours, by place.

A rate says how much crime a piece of street has in a month; the clock says when. It is a factor on
the rate: 2 in a half-hour of a school day means twice the mean of all hours and days there. Its
mean over half-hours and days is 1 at every piece and in every category, so no crime is added or
lost: a street near bars has less of it in the afternoon and more at night.

Where clock times are known, the clock is learned from them (`patrolplan.risk.learned_clock`). Where
only months are known it is declared, by category and kind of place
(`patrolplan.risk.declared_clock`), or comes from the user's own table.
"""

from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network import StreetNetwork
from patrolplan.notes import Note
from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS, DayKind
from patrolplan.risk.declared_clock import (
    ANY_PLACE,
    DAYS_A_YEAR,
    GROUP_OF_CATEGORY,
    PLACE_KINDS,
    SOURCE,
    build_declared_profile,
    normalise_profile,
)
from patrolplan.risk.history import History
from patrolplan.risk.learned_clock import learn_clock
from patrolplan.risk.place_clock import LearnedPlaces

__all__ = ["Clock", "DayKind", "build_clock", "count_licensed_near", "find_place_kinds"]

LICENSED = ("pub", "bar", "nightclub")
"""Kinds of places that shift crime towards the night; takeaways do not count."""

NEAR_METRES = 150.0
"""A licensed place within this distance in a straight line counts as near a piece of street."""

FIRST_OF_KIND = (1, 3, 6, 12)
"""Numbers of licensed places nearby at which the next kind of place begins."""

HALF_HOUR_MINUTES = 30

ALL_KINDS = "*"  # the value in a table that makes a row apply to every kind of place

MIN_OWN_FACTOR = 0.01
"""A half-hour without crime in the user's table is given this share of the mean: no record does not
prove that no crime can happen then."""


def count_licensed_near(network: StreetNetwork, places: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(p,) pubs, bars and nightclubs within 150 m of each piece's middle, in a straight line.

    `places`: `kind` and points in the network's CRS.
    """
    return _count_near(network.piece_middle, places)


def find_place_kinds(network: StreetNetwork, places: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(p,) kind of place by how many licensed places are near: see `PLACE_KINDS`.

    0: none, 1: one or two, 2: three to five, 3: six to eleven, 4: twelve or more.
    """
    return _find_kinds(network.piece_middle, places)


def _count_near(xy: NDArray[np.float64], places: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(n,) licensed places near each of these points."""
    licensed = places.geometry[places["kind"].isin(LICENSED)]
    if licensed.empty or not len(xy):
        return np.zeros(len(xy), dtype=np.int64)
    tree = shapely.STRtree(licensed.to_numpy())
    whose = tree.query(shapely.points(xy), predicate="dwithin", distance=NEAR_METRES)[0]
    return np.bincount(whose, minlength=len(xy))


def _find_kinds(xy: NDArray[np.float64], places: gpd.GeoDataFrame) -> NDArray[np.int64]:
    return np.searchsorted(FIRST_OF_KIND, _count_near(xy, places), side="right").astype(np.int64)


@dataclass(frozen=True, eq=False)
class Clock:
    """How crime spreads over kinds of day and half-hours."""

    # Where it comes from: learned from clock times, the declared profile, the user's own table,
    # or flat (no effect).
    source: Literal["learned", "declared", "own_table", "flat"]
    categories: tuple[str, ...]  # (j,) names of its columns
    piece_kind: NDArray[np.int64]  # (p,) kind of place of each piece, a row of `profile`
    # (j, 6, 4, 48) factor by kind of place (the last: not known), kind of day and half-hour.
    profile: NDArray[np.float64]
    day_shares: NDArray[np.float64]  # (4,) share of days of each kind
    # What is learned of single places; None without clock times.
    places: LearnedPlaces | None = None
    notes: tuple[Note, ...] = ()  # Where it comes from, and what was assumed

    def compute_factor(self, half_hour: int, day: DayKind | None) -> NDArray[np.float64]:
        """(p, j) rate in a half-hour of such a day over the mean of all hours and days.

        `half_hour`: 0 to 47, from midnight. `day`: Kind of day; None: all days of the week
        together.
        """
        if self.source == "flat":
            return np.ones((len(self.piece_kind), len(self.categories)))
        days = np.zeros(len(DAY_KINDS))
        if day is None:
            days[:] = self.day_shares
        else:
            days[DAY_KINDS.index(day)] = 1.0
        of_kind = self.profile[:, :, :, half_hour] @ days
        factor = np.ascontiguousarray(of_kind[:, self.piece_kind].T)
        return factor if self.places is None else self.places.draw_to_own(factor, half_hour, days)

    def average_factor(
        self, minutes: NDArray[np.int64], weights: NDArray[np.float64], day: DayKind | None
    ) -> NDArray[np.float64]:
        """(p, j) mean factor over minutes after midnight (m,), whose weights sum to 1."""
        half_hours = minutes // HALF_HOUR_MINUTES % HALF_HOURS
        factor = np.zeros((len(self.piece_kind), len(self.categories)))
        for half_hour in np.unique(half_hours):
            weight = weights[half_hours == half_hour].sum()
            factor += weight * self.compute_factor(int(half_hour), day)
        return factor


def build_clock(area: StudyArea, history: History, before: pd.Timestamp | None = None) -> Clock:
    """The clock of an area's crime, for the targets of a history.

    `area`: Its incidents, term dates, licensed places, own table and settings. `history`: Names the
    (j,) categories. `before`: Only incidents of earlier months are learned from; all by default.
    """
    targets, places, table = history.targets, area.way_home.places, area.way_home.clock
    middle = area.network.piece_middle
    has_licensed = bool(places["kind"].isin(LICENSED).any())
    piece_kind = _find_kinds(middle, places) if has_licensed else np.full(len(middle), ANY_PLACE)
    year = np.array([DAYS_A_YEAR[kind] for kind in DAY_KINDS], dtype=np.float64)
    clock = Clock(
        "declared", targets, piece_kind, build_declared_profile(targets), year / year.sum()
    )
    if area.settings.way_home.clock == "flat":
        return replace(clock, source="flat", notes=(Note("clock_flat"),))
    notes = () if has_licensed or places.empty else (Note("clock_no_places"),)
    own = [name for name in targets if (table["category"] == name).any()]
    if own:
        notes = (Note("clock_own_table", {"categories": own}), *notes)
        profile = _enter_own_table(clock.profile, targets, table)
        clock = replace(clock, source="own_table", profile=profile)
    if area.times_known:
        xy = area.catchments.xy
        kinds = _find_kinds(xy, places) if has_licensed else np.full(len(xy), ANY_PLACE)
        learned = learn_clock(area, targets, clock.profile, kinds, piece_kind, before=before)
        if learned is not None:
            return Clock(
                source="learned",
                categories=targets,
                piece_kind=piece_kind,
                profile=learned.profile,
                day_shares=learned.day_shares,
                places=learned.places,
                notes=(*learned.notes, *notes),
            )
    if len(own) < len(targets):
        by_mean = [name for name in targets if name not in (*GROUP_OF_CATEGORY, *own)]
        notes = (Note("clock_declared", {"data": SOURCE, "by_mean": by_mean}), *notes)
    return replace(clock, notes=notes)


def _enter_own_table(
    profile: NDArray[np.float64], targets: tuple[str, ...], table: pd.DataFrame
) -> NDArray[np.float64]:
    """The profile (j, 6, 4, 48) with the shares of the user's own table in its categories.

    A share is that of the half-hour in the crime of a day, on every kind of day alike. A kind of
    place that the table does not name has the shares of all kinds, if it gives them; otherwise it
    stays declared. Where the kind of a piece is not known and the table has no shares of all kinds,
    the mean of the kinds that it names is used.
    """
    profile = profile.copy()
    column = {name: number for number, name in enumerate((*PLACE_KINDS, ALL_KINDS))}
    for number, name in enumerate(targets):
        own = table[table["category"] == name]
        if own.empty:
            continue
        shares = np.full((ANY_PLACE + 1, HALF_HOURS), np.nan)
        half_hour = (own["from_minutes"] // HALF_HOUR_MINUTES).to_numpy(dtype=np.int64)
        shares[own["kind"].map(column).to_numpy(dtype=np.int64), half_hour] = own["share"]
        named = ~np.isnan(shares).any(axis=1)
        if named[ANY_PLACE]:
            shares[~named] = shares[ANY_PLACE]
            named[:] = True
        else:
            shares[ANY_PLACE] = shares[named].mean(axis=0)
            named[ANY_PLACE] = True
        profile[number, named] = np.maximum(shares[named] * HALF_HOURS, MIN_OWN_FACTOR)[:, None]
    return normalise_profile(profile)
