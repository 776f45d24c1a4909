"""When each hotspot is at its worst, and the order of stops that meets them then.

Where incidents have a clock time, a stretch's own incidents show by half-hours when harm happens
there. A single stretch holds few of them, so its shares are drawn towards those of the whole area.
The solver chooses the stops; only their order changes here.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from operator import itemgetter

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.hotspots.clusters import compute_catchment_shares
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
    """How intense each hotspot is at each time of day."""

    intensity: NDArray[np.float64]
    """(h, b) in half-hours from midnight; only ratios within a row matter."""

    def normalise_within(self, start_minutes: float, end_minutes: float) -> "TimeProfile":
        """Relative to each hotspot's own mean between two times, in minutes after midnight."""
        rows = range(len(self.intensity))
        means = [self.compute_mean(row, start_minutes, end_minutes) for row in rows]
        return TimeProfile(self.intensity / np.array(means).reshape(-1, 1))

    def take(self, rows: NDArray[np.int64]) -> "TimeProfile":
        """Of these hotspots; where a row is -1 there is no hotspot, and the intensity is even."""
        if not len(self.intensity):
            return TimeProfile(np.ones((len(rows), BIN_COUNT)))
        return TimeProfile(np.where(rows[:, None] >= 0, self.intensity[rows], 1.0))

    def compute_mean(self, row: int, start_minutes: float, end_minutes: float) -> float:
        """Mean intensity of a hotspot between two times; past midnight the day begins again."""
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

    Of the area's incidents, those with a time of day in the categories that count are used: of
    weekdays in term where there are enough of them, else of weekdays, else all. Of each catchment,
    a stretch has the share that lies in it.
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
    whole = np.bincount(bins, minlength=BIN_COUNT) + 1.0
    stretches = [np.array(pieces, dtype=np.int64) for pieces in hotspots["pieces"]]
    own = (compute_catchment_shares(area.catchments, stretches) @ counts).toarray()
    prior = PRIOR_INCIDENTS * (whole / whole.sum())
    return TimeProfile((own + prior) / (own.sum(axis=1, keepdims=True) + PRIOR_INCIDENTS))


def _find_school_days(area: StudyArea, timed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Incidents on the days that are most like a patrol's, so long as there are enough."""
    at = area.incidents["occurred_at"]
    weekday = (at.dt.day_of_week < WEEKDAYS).to_numpy()
    in_term = [weekday & is_in_term(area.term_dates, at)] if len(area.term_dates) else []
    every_day = np.ones(len(at), dtype=bool)
    enough = [days for days in (*in_term, weekday) if (timed & days).sum() >= MIN_IN_WINDOW]
    return np.asarray([*enough, every_day][0])


def find_best_order(
    problem: OrienteeringProblem,
    route: Route,
    time_profile: TimeProfile,
    worth: NDArray[np.float64],
) -> Route:
    """The same stops in the order in which their dwells meet most worth at that time of day.

    Of all orders that are in time, the one with the largest sum of worth x mean intensity over the
    dwell; among those within 1 % of it the one of the shortest walk. A route of more than
    `MAX_ORDERED_STOPS` stops is given back as it is. `time_profile` and `worth` are those of the
    (k,) candidates; candidate i is row i + 1 of the problem.
    """
    if not 1 < len(route.stops) <= MAX_ORDERED_STOPS:
        return route
    orders = (time_route(problem, route.officer, stops) for stops in permutations(route.stops))
    scored = [
        (_score_order(order, time_profile, worth), order) for order in orders if order is not None
    ]
    best = max(score for score, _ in scored)
    # To the microsecond: a round walked the other way is as long, whatever the last digits say.
    ranked = [
        ((round(order.travelled_minutes, 6), -score, order.stops), order)
        for score, order in scored
        if score >= EQUAL_WORTH_SHARE * best
    ]
    return min(ranked, key=itemgetter(0))[1]


def _score_order(route: Route, time_profile: TimeProfile, worth: NDArray[np.float64]) -> float:
    """Worth of the stops, each times how intense it is during its dwell."""
    dwells = zip(route.stops, route.begin_minutes, route.leave_minutes, strict=True)
    return sum(
        float(worth[stop - 1]) * time_profile.compute_mean(stop - 1, begin, leave)
        for stop, begin, leave in dwells
    )
