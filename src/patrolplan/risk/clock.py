"""The clock: how a category's crime spreads over kinds of day and half-hours, by kind of place.

It is a factor on a piece's monthly rate whose mean over half-hours and days is 1 at every piece and
in every category. Where clock times are known, it is learned from them
(`patrolplan.risk.learned_clock`); otherwise declared, or the user's own table.
"""

from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.inputs.way_home import HALF_HOUR_MINUTES
from patrolplan.notes import Note
from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS, DayKind
from patrolplan.risk.declared_clock import (
    ANY_PLACE,
    GROUP_OF_CATEGORY,
    PLACE_KINDS,
    SOURCE,
    YEAR_DAYS,
    build_declared_profile,
    normalise_profile,
)
from patrolplan.risk.history import History
from patrolplan.risk.learned_clock import KnownTimes, learn_rates, read_known_times

LICENSED = ("pub", "bar", "nightclub")  # takeaways do not shift crime towards the night
NEAR_METRES = 150.0  # how near a licensed place counts, in a straight line
FIRST_OF_KIND = (1, 3, 6, 12)  # numbers of them at which the next of `PLACE_KINDS` begins
ALL_KINDS = "*"  # makes a row of a table apply to every kind of place

MIN_OWN_FACTOR = 0.01
"""A half-hour without crime in the user's table is given this share of the mean: no record does not
prove that no crime can happen then."""

FEW_TIMES = 50  # a category with fewer known times is named in a note: its clock is mostly declared


def find_place_kinds(xy: NDArray[np.float64], places: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(n,) kind of place of points, by the licensed places near, see `PLACE_KINDS`."""
    licensed = places.geometry[places["kind"].isin(LICENSED)]
    if licensed.empty:  # then none are known, which is not the same as none being there
        return np.full(len(xy), ANY_PLACE)
    tree = shapely.STRtree(licensed.to_numpy())
    near = tree.query(shapely.points(xy), predicate="dwithin", distance=NEAR_METRES)[0]
    return np.searchsorted(FIRST_OF_KIND, np.bincount(near, minlength=len(xy)), side="right")


@dataclass(frozen=True, eq=False)
class Clock:
    """How crime spreads over kinds of day and half-hours."""

    source: Literal["learned", "declared", "own_table", "flat"]  # flat: no effect
    categories: tuple[str, ...]  # (j,) names of its columns
    piece_kind: NDArray[np.int64]  # (p,) kind of place of each piece, a row of `profile`
    # (j, 6, 4, 48) factor by kind of place (the last: not known), kind of day and half-hour.
    profile: NDArray[np.float64]
    day_shares: NDArray[np.float64]  # (4,) share of days of each kind
    notes: tuple[Note, ...] = ()  # where it comes from, and what was assumed

    def compute_factor(self, half_hour: int, day: DayKind | None) -> NDArray[np.float64]:
        """(p, j) rate in a half-hour of such a day (None: of all) over the mean of all time."""
        if self.source == "flat":
            return np.ones((len(self.piece_kind), len(self.categories)))
        days = self.day_shares if day is None else np.equal(DAY_KINDS, day).astype(np.float64)
        return np.asarray((self.profile[:, :, :, half_hour] @ days)[:, self.piece_kind].T)

    def average_factor(
        self, minutes: NDArray[np.int64], weights: NDArray[np.float64], day: DayKind | None
    ) -> NDArray[np.float64]:
        """(p, j) mean factor over minutes after midnight (m,), whose weights sum to 1."""
        # Windows after midnight go on with minute 1440: the half-hours go round.
        held = np.bincount(minutes // HALF_HOUR_MINUTES % HALF_HOURS, weights)
        factor = np.zeros((len(self.piece_kind), len(self.categories)))
        for half_hour in np.flatnonzero(held).tolist():
            factor += held[half_hour] * self.compute_factor(half_hour, day)
        return factor


def build_clock(area: StudyArea, history: History, before: pd.Timestamp | None = None) -> Clock:
    """The clock of an area's crime, for a history's targets; learned from `before` a month."""
    targets, places, table = history.targets, area.way_home.places, area.way_home.clock
    kinds = find_place_kinds(area.network.piece_middle, places)
    year = YEAR_DAYS / YEAR_DAYS.sum()
    clock = Clock("declared", targets, kinds, build_declared_profile(targets), year)
    if area.settings.way_home.clock == "flat":
        text = "Crime counts as spread evenly over the day and the week, as the settings say."
        return replace(clock, source="flat", notes=(Note("clock_flat", text),))
    has_kinds = places["kind"].isin(LICENSED).any() or places.empty
    text = (
        "No pubs, bars or nightclubs are given: streets near them count as having the same hours "
        "as other streets."
    )
    notes = () if has_kinds else (Note("clock_no_places", text, short="pubs and bars not known"),)
    own = [name for name in targets if (table["category"] == name).any()]
    if own:
        text = f"[sources] clock says when {', '.join(own)} happens."
        notes = (Note("clock_own_table", text), *notes)
        profile = _enter_own_table(clock.profile, targets, table)
        clock = replace(clock, source="own_table", profile=profile)
    # Known times come after the user's table, which they move: the table says what was expected
    # before, the incidents what was found.
    if area.times_known:
        place_kinds = find_place_kinds(area.catchments.xy, places)
        times = read_known_times(area, targets, place_kinds, before)
        if times is not None:
            return _learn(replace(clock, notes=notes), times, has_terms=len(area.term_dates) > 0)
    if len(own) < len(targets):
        by_mean = [name for name in targets if name not in (*GROUP_OF_CATEGORY, *own)]
        others = f" {', '.join(by_mean)}: the mean of all crime is used." if by_mean else ""
        text = (
            f"When crime happens is assumed to be as in {SOURCE}: a stand-in, as no UK force "
            f"publishes hours.{others}"
        )
        notes = (Note("clock_declared", text, short="hours of crime"), *notes)
    return replace(clock, notes=notes)


def _learn(clock: Clock, times: KnownTimes, *, has_terms: bool) -> Clock:
    """A clock moved by known times."""
    days = times.days
    rates = learn_rates(times, days.join_rates(clock.profile))
    known, first_row = np.unique(times.incident, return_index=True)
    numbers = np.bincount(times.category[first_row], minlength=len(clock.categories))
    few = [name for name, count in zip(clock.categories, numbers, strict=True) if count < FEW_TIMES]
    text = (
        f"When crime happens is learned from the {len(known):,} crimes whose time of day is known, "
        "for the area as a whole."
    )
    notes = [Note("clock_learned", text)]
    if few:
        text = (
            f"The time of day is known for fewer than {FEW_TIMES} crimes of {', '.join(few)}: "
            "their hours are mostly those assumed without times."
        )
        notes.append(Note("clock_few_times", text))
    if not has_terms:
        text = (
            "Without term dates, crime on school days cannot be separated from crime in holidays: "
            "only weekdays and weekends differ."
        )
        fix = "give term dates: [sources] term_dates, with urn, from, to, kind"
        notes.append(Note("clock_no_term_dates", text, fix=fix))
    return replace(
        clock,
        source="learned",
        profile=normalise_profile(rates[:, :, days.of_kind], days.kind_shares),
        day_shares=days.kind_shares,
        notes=(*notes, *clock.notes),
    )


def _enter_own_table(
    profile: NDArray[np.float64], targets: tuple[str, ...], table: pd.DataFrame
) -> NDArray[np.float64]:
    """The profile (j, 6, 4, 48) with the user's shares of a day's crime, alike on all days."""
    profile = profile.copy()
    row = {name: number for number, name in enumerate((*PLACE_KINDS, ALL_KINDS))}
    for number, name in enumerate(targets):
        own = table[table["category"] == name]
        if own.empty:
            continue
        shares = np.full((ANY_PLACE + 1, HALF_HOURS), np.nan)
        shares[own["kind"].map(row), own["from_minutes"] // HALF_HOUR_MINUTES] = own["share"]
        named = ~np.isnan(shares).any(axis=1)
        # A kind of place that the table does not name has the shares of all kinds, if given, or
        # stays declared; places of unknown kind have the mean of those named.
        if named[ANY_PLACE]:
            shares[~named], named[:] = shares[ANY_PLACE], True
        else:
            shares[ANY_PLACE], named[ANY_PLACE] = shares[named].mean(axis=0), True
        profile[number, named] = np.maximum(shares[named] * HALF_HOURS, MIN_OWN_FACTOR)[:, None]
    return normalise_profile(profile, YEAR_DAYS)
