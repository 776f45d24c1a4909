"""When each hotspot is at its worst, and the order of stops that meets them then.

Where incidents have a clock time, a stretch's own incidents tell by half-hours when harm happens
there. A single stretch holds few of them, so its shares are drawn towards those of the whole area.
The set of stops is the solver's business and never changes here; only their order does.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.solve import OrienteeringProblem, Route
from patrolplan.risk.time_of_day import MIN_IN_WINDOW, WEEKDAYS, is_in_term

BIN_MINUTES = 30
BIN_COUNT = 24 * 60 // BIN_MINUTES

PRIOR_INCIDENTS = 20.0
"""The area's own profile counts as much as so many incidents of a stretch."""

MAX_ORDERED_STOPS = 6
"""Routes of more stops keep their order: the orders of six can all be tried, 720 of them."""

EQUAL_WORTH_SHARE = 0.99
"""Orders that are worth this share of the best are equal: the shortest walk decides."""


@dataclass(frozen=True, eq=False)
class TimeProfile:
    """How intense each hotspot is at each time of day.

    Parameters
    ----------
    intensity
        (h, b) of hotspot h in bin b of 30 minutes from midnight; only ratios within a row matter.
    """

    intensity: NDArray[np.float64]

    def normalise_within(self, start_minutes: float, end_minutes: float) -> "TimeProfile":
        """Relative to each hotspot's own mean between two times, in minutes after midnight."""
        rows = range(len(self.intensity))
        usual = [self.compute_mean(row, start_minutes, end_minutes) for row in rows]
        return TimeProfile(self.intensity / np.array(usual).reshape(-1, 1))

    def take(self, rows: NDArray[np.int64]) -> "TimeProfile":
        """Of these hotspots; a row of -1 is no hotspot's and always as intense."""
        if not len(self.intensity):
            return TimeProfile(np.ones((len(rows), BIN_COUNT)))
        return TimeProfile(np.where(rows[:, None] >= 0, self.intensity[rows], 1.0))

    def compute_mean(self, row: int, start_minutes: float, end_minutes: float) -> float:
        """Mean intensity of a hotspot between two times; past midnight the day begins anew."""
        at = np.array([start_minutes, end_minutes]) / BIN_MINUTES
        low, high = np.interp(at, np.arange(2 * BIN_COUNT + 1), self._cumulative_intensity[row])
        return float((high - low) / (at[1] - at[0]))

    @cached_property
    def _cumulative_intensity(self) -> NDArray[np.float64]:
        """(h, 97) intensity up to each bin's start, of two days."""
        two_days = np.tile(self.intensity, 2)
        return np.concatenate([np.zeros((len(two_days), 1)), np.cumsum(two_days, axis=1)], axis=1)


def estimate_time_profile(area: StudyArea, hotspots: gpd.GeoDataFrame) -> TimeProfile | None:
    """When each hotspot is at its worst; None where no clock times are known.

    Parameters
    ----------
    area
        The incidents, of which those with a time of day in the categories that count are used: of
        weekdays in term where there are enough of them, else of weekdays, else all.
    hotspots
        See `patrolplan.tables.HOTSPOTS`.
    """
    at = area.incidents["occurred_at"]
    counted = area.incidents["category"].isin(area.settings.crimes.risk_categories)
    timed = (counted & area.incidents["timed"]).to_numpy()
    if not area.times_known or not timed.any():
        return None
    used = timed & _find_school_days(area, timed)
    hour, minute = at[used].dt.hour.to_numpy(), at[used].dt.minute.to_numpy()
    bins = ((hour * 60 + minute) // BIN_MINUTES).astype(np.int64)
    cells = (area.incident_catchment[used], bins)
    shape = (len(area.catchments), BIN_COUNT)
    counts = sparse.csr_array((np.ones(len(bins)), cells), shape=shape)
    profile = np.bincount(bins, minlength=BIN_COUNT) + 1.0
    profile /= profile.sum()
    own = np.array([_count_by_bin(area, counts, pieces) for pieces in hotspots["pieces"]])
    own = own.reshape(-1, BIN_COUNT)
    return TimeProfile(
        (own + PRIOR_INCIDENTS * profile) / (own.sum(axis=1, keepdims=True) + PRIOR_INCIDENTS)
    )


def _count_by_bin(
    area: StudyArea, counts: sparse.csr_array, pieces: list[int]
) -> NDArray[np.float64]:
    """Incidents of a stretch by bin; of each catchment the share that lies in the stretch."""
    catchment, share = area.catchments.piece_catchment[pieces], area.catchments.piece_share[pieces]
    return np.asarray(counts[catchment].T @ share)


def _find_school_days(area: StudyArea, timed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Incidents on the days that are most like a patrol's, so long as there are enough."""
    at = area.incidents["occurred_at"]
    weekday = (at.dt.day_of_week < WEEKDAYS).to_numpy()
    choices = [weekday]
    if len(area.term_dates):
        choices.insert(0, weekday & is_in_term(area.term_dates, at))
    enough = [days for days in choices if (timed & days).sum() >= MIN_IN_WINDOW]
    return enough[0] if enough else np.ones(len(at), dtype=bool)


def find_best_order(
    problem: OrienteeringProblem,
    route: Route,
    time_profile: TimeProfile,
    worth: NDArray[np.float64],
) -> Route:
    """The same stops in the order in which their dwells meet most worth at that time of day.

    Parameters
    ----------
    problem
        Whose times, windows and hours count; row 0 is the gate, row i + 1 is candidate i.
    route
        One officer's; of more than `MAX_ORDERED_STOPS` stops it is given back as it is.
    rhythm, worth
        (k,) of each candidate.

    Returns
    -------
    Route
        Of all orders that are in time, the one with the largest sum of worth x mean intensity over
        the dwell; among those within 1 % of it the one of the shortest walk.
    """
    if not 1 < len(route.stops) <= MAX_ORDERED_STOPS:
        return route
    found = []
    for stops in permutations(route.stops):
        timed = time_route(problem, route.officer, stops)
        if timed is not None:
            found.append((_score_order(timed, time_profile, worth), timed))
    best = max(met for met, _ in found)
    equal = [one for one in found if one[0] >= EQUAL_WORTH_SHARE * best]
    # To the microsecond: a round walked the other way is as long, whatever the last digits say.
    return min(equal, key=lambda one: (round(one[1].travelled_minutes, 6), -one[0], one[1].stops))[
        1
    ]


def _score_order(route: Route, time_profile: TimeProfile, worth: NDArray[np.float64]) -> float:
    """Worth of the stops, each times how intense it is during its dwell."""
    dwells = zip(route.stops, route.begin_minutes, route.leave_minutes, strict=True)
    return sum(
        float(worth[stop - 1]) * time_profile.compute_mean(stop - 1, begin, leave)
        for stop, begin, leave in dwells
    )
